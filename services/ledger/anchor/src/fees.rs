//! What a transaction pays: the node's estimate, within a limit.

use crate::{
	AnchorError,
	psbt::Rate,
	rpc::{METHOD_NOT_FOUND, Rpc},
};
use serde_json::{Value, json};

/// What nodes pass on at all: 1 sat per virtual byte. Also what a replacement has to pay more.
pub const LEAST: Rate = Rate(1_000);

/// How a fee rate is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeePolicy {
	/// Blocks within which the transaction should be in one.
	pub target: u16,
	/// The rate if the node has no estimate.
	pub fallback: Rate,
	/// The highest rate that is paid.
	pub limit: Rate,
}

impl FeePolicy {
	/// The rate for a new transaction: the node's estimate or the fallback, within [`LEAST`] and limit.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn rate(&self, node: &Rpc) -> Result<Rate, AnchorError> {
		let estimated = estimate(node, self.target).await?.unwrap_or(self.fallback);
		Ok(Rate(estimated.0.max(LEAST.0).min(self.limit.0)))
	}

	/// The rate for a transaction that replaces one which pays `fee` sats for `vsize` virtual bytes;
	/// `None` if it would be above the limit. Nodes take a replacement only if it pays for itself in
	/// addition to what it replaces.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn raised(
		&self,
		node: &Rpc,
		fee: u64,
		vsize: u64,
	) -> Result<Option<Rate>, AnchorError> {
		let paid = fee.saturating_mul(1_000).div_ceil(vsize.max(1));
		let least = paid.saturating_add(LEAST.0);
		let wanted = self.rate(node).await?.0.max(least);
		Ok((wanted <= self.limit.0).then_some(Rate(wanted)))
	}
}

/// What the node estimates; `None` if it has seen too little, or does not estimate.
async fn estimate(node: &Rpc, target: u16) -> Result<Option<Rate>, AnchorError> {
	let answer = match node.call("estimatesmartfee", json!([target])).await {
		// Servers of another make, and nodes without a mempool.
		Err(AnchorError::Rpc { code, message, .. }) => {
			if code != METHOD_NOT_FOUND {
				tracing::warn!(event = "no_fee_estimate", %message, "the fallback is paid");
			}
			return Ok(None);
		},
		other => other?,
	};
	// Bitcoin Core says feerate, bcoin fee; BTC per thousand virtual bytes, none or below zero if it
	// does not know.
	let stated = answer.get("feerate").or_else(|| answer.get("fee"));
	let rate = stated.and_then(Value::as_f64).filter(|rate| *rate > 0.0);
	let text = rate.map(|rate| format!("{rate:.8}"));
	Ok(text.and_then(|text| sats(&text)).filter(|rate| *rate > 0).map(Rate))
}

/// An amount in BTC of eight decimals, in sats. Exact: a double has enough digits for any fee.
fn sats(text: &str) -> Option<u64> {
	bitcoin::Amount::from_str_in(text, bitcoin::Denomination::Bitcoin)
		.ok()
		.map(|amount| amount.to_sat())
}
