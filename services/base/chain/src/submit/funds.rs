//! Can an account pay for what it wants to do? Asked before anything is sent: a refusal would cost the
//! fee, and would not say what was missing.

use super::{Signing, is_game, payload, sign};
use crate::{
	Call, Chain, ChainError, Shortage,
	pallets::{balances, compute_receipts, system, transaction_payment},
	rpc::AtBlock,
	takes::{Takes, constant},
};
use futures::future::BoxFuture;
use gridproof_keys::{AccountKey, account::address};
use gridproof_primitives::compute::ComputeParameters;
use subxt::dynamic::Value;

impl Chain {
	/// Has an account enough AIT for these calls, with deposits, bonds and fees?
	///
	/// # Errors
	/// [`ChainError::Short`], which names everything that is needed; [`ChainError::DevelopmentKey`];
	/// what keeps the chain from being asked.
	pub fn check_funds<'a>(
		&'a self,
		account: &'a AccountKey,
		calls: &'a [Call],
	) -> BoxFuture<'a, Result<(), ChainError>> {
		self.check_funds_and_tip(account, calls, 0)
	}

	/// The same with a tip for all of them together, in units of 10⁻¹⁸ AIT.
	pub(super) fn check_funds_and_tip<'a>(
		&'a self,
		account: &'a AccountKey,
		calls: &'a [Call],
		tip: u128,
	) -> BoxFuture<'a, Result<(), ChainError>> {
		Box::pin(async move {
			if calls.is_empty() {
				return Ok(());
			}
			self.check_key(account).await?;
			let block = self.at().await?;
			let taken = self.taken(&block, calls).await?;
			let fee = self.fees(&block, account, calls).await?.saturating_add(tip);
			let (there, bound) = self.usable(&account.account()).await?;
			let least = constant(block.metadata_ref(), balances::PALLET, "ExistentialDeposit")?;
			let is_game = is_game(&self.blocks.kind().await?);
			let account = address(&account.account());
			let shortage =
				Shortage { account, taken, fee, stays: least.max(bound), there, is_game };
			match shortage.missing() {
				0 => Ok(()),
				_ => Err(ChainError::Short(Box::new(shortage))),
			}
		})
	}

	/// What calls take beside fees, each purpose once.
	async fn taken(
		&self,
		block: &AtBlock,
		calls: &[Call],
	) -> Result<Vec<(u128, &'static str)>, ChainError> {
		let takes: Vec<Takes> = calls.iter().flat_map(Call::takes).collect();
		let parameters = if takes.iter().any(Takes::is_a_parameter) {
			self.read(&compute_receipts::query::parameters()).await?
		} else {
			ComputeParameters::default()
		};
		let mut taken: Vec<(u128, &'static str)> = Vec::new();
		for one in &takes {
			let amount = one.amount(block.metadata_ref(), &parameters)?;
			match taken.iter_mut().find(|(_, purpose)| *purpose == one.purpose()) {
				Some((sum, _)) => *sum = sum.saturating_add(amount),
				None => taken.push((amount, one.purpose())),
			}
		}
		Ok(taken)
	}

	/// The fees of calls, at most: as many as there are calls, of the longest one.
	async fn fees(
		&self,
		block: &AtBlock,
		account: &AccountKey,
		calls: &[Call],
	) -> Result<u128, ChainError> {
		let (mut longest, mut length) = (None, 0);
		for call in calls {
			let bytes = call.encode_for(block.metadata_ref())?.len();
			if longest.is_none() || bytes > length {
				(longest, length) = (Some(call), bytes);
			}
		}
		let Some(call) = longest else { return Ok(0) };
		// Never sent: its number does not matter.
		let signed = sign(block, &payload(block, call)?, &Signing(account.clone()), 0, 0)?;
		let price = self.read(&transaction_payment::query::price(signed.bytes())).await?;
		let count = u128::try_from(calls.len()).unwrap_or(u128::MAX);
		Ok(price.fee.saturating_mul(count))
	}

	/// What is free on an account, and what of it is frozen, in units of 10⁻¹⁸ AIT.
	async fn usable(&self, account: &[u8; 32]) -> Result<(u128, u128), ChainError> {
		let parts: [&[&str]; 3] = [&["data", "free"], &["data", "reserved"], &["data", "frozen"]];
		let key = vec![Value::from_bytes(account)];
		let [free, reserved, frozen] = self.stored(system::PALLET, "Account", key, parts).await?;
		Ok((free, frozen.saturating_sub(reserved)))
	}
}
