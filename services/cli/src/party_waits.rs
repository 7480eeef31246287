//! What waits of a coordinator or a miner for the check window: shown, and paid out once it is due.

use crate::{
	args::{NodeArgs, amount::Unit},
	exit::usage,
	output::Output,
};
use gridproof_chain::pallets::compute_receipts::{self, event::WaitingReleased, waiting};
use gridproof_primitives::{
	compute::checks::{Part, WaitingView},
	crypto::ed25519::PublicKey,
	energy::emlog::format_utc,
};
use gridproof_support::{clock::now_ms, text::Amount};
use serde::Serialize;

/// What waits from one batch.
#[derive(Serialize)]
struct Shown {
	coordinator: String,
	sequence: u64,
	asset: &'static str,
	/// In the asset's smallest unit.
	pay_units: Amount,
	/// The most that it mints, in units of 10⁻¹⁸ AIT.
	claim_units: Amount,
	/// `false` if the miner has not signed its line, which mints nothing without.
	signed: bool,
	pay_due_ms: u64,
	mint_due_ms: u64,
	/// A dispute holds it until then at most.
	#[serde(skip_serializing_if = "Option::is_none")]
	held_until_ms: Option<u64>,
	/// It was taken, and goes back to the clients.
	taken: bool,
	#[serde(skip)]
	text: String,
}

/// Says in one sentence what waits until when and why.
fn sentence(view: &WaitingView) -> String {
	let batch = view.part.batch();
	let pay = Unit::from(view.asset).show(view.pay);
	let mut text =
		format!("batch {} of 0x{}: {pay}", batch.sequence, hex::encode(batch.coordinator));
	if view.claim > 0 {
		text += &format!(", and a claim of {}", Unit::AIT.show(view.claim));
	}
	if view.is_taken {
		return text + ": taken by a verdict, goes back to the clients";
	}
	text += &format!(": checks can take it until {}", format_utc(view.pay_due_ms));
	if view.mint_due_ms > view.pay_due_ms && view.claim > 0 {
		text +=
			&format!(", the claim until {} (verifiers are missing)", format_utc(view.mint_due_ms));
	}
	if let Some(until) = view.held_until_ms {
		text += &format!("; a dispute holds it until {} at most", format_utc(until));
	}
	if !view.is_signed {
		text += "; the line is not signed and mints nothing";
	}
	text
}

impl From<WaitingView> for Shown {
	fn from(view: WaitingView) -> Self {
		let batch = view.part.batch();
		Self {
			coordinator: format!("0x{}", hex::encode(batch.coordinator)),
			sequence: batch.sequence,
			asset: view.asset.as_str(),
			pay_units: Amount(view.pay),
			claim_units: Amount(view.claim),
			signed: view.is_signed,
			pay_due_ms: view.pay_due_ms,
			mint_due_ms: view.mint_due_ms,
			held_until_ms: view.held_until_ms,
			taken: view.is_taken,
			text: sentence(&view),
		}
	}
}

/// Shows what waits.
pub async fn list(key: &PublicKey, node: &NodeArgs, out: &Output) -> anyhow::Result<()> {
	let chain = node.connect().await?;
	let all: Vec<Shown> = waiting(&chain, key).await?.into_iter().map(Shown::from).collect();
	out.result(&all, |all| {
		if all.is_empty() {
			return "nothing waits: whatever was settled is paid".to_string();
		}
		all.iter().map(|one| one.text.as_str()).collect::<Vec<_>>().join("\n")
	})
}

/// What a release did.
#[derive(Serialize)]
struct Released {
	/// Number of parts.
	parts: usize,
	/// What can be claimed more, in units of 10⁻¹⁸ AIT.
	claimable_units: Amount,
	blocks: Vec<String>,
}

/// Releases everything that is due.
pub async fn release(key: &PublicKey, node: &NodeArgs, out: &Output) -> anyhow::Result<()> {
	let chain = node.connect().await?;
	let now = now_ms();
	let waits = waiting(&chain, key).await?.into_iter().filter(|view| view.is_due(now));
	let due: Vec<Part> = waits.map(|view| view.part).collect();
	if due.is_empty() {
		return Err(usage("nothing is due: see what waits, until when and why, with waits"));
	}
	let spinner = out.spinner("waiting for finality");
	let sent = compute_receipts::release(&chain, &due, &node.patience()).await;
	spinner.finish_and_clear();
	let mut claimable = 0u128;
	let mut blocks = Vec::new();
	for included in sent? {
		for event in included.all::<WaitingReleased>()? {
			claimable = claimable.saturating_add(match event.part {
				Part::Coordinator(_) => event.coordinator_mint,
				Part::Miner(..) => event.mint,
			});
		}
		blocks.push(format!("{:#x}", included.block));
	}
	let released = Released { parts: due.len(), claimable_units: Amount(claimable), blocks };
	out.result(&released, |done| {
		format!(
			"{} parts released, {} more to claim\nfinal in block {}",
			done.parts,
			Unit::AIT.show(done.claimable_units.0),
			done.blocks.join(", ")
		)
	})
}
