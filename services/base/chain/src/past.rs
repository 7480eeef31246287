//! What the chain was after a block that is final.

use crate::{
	Chain, ChainError, H256, Query,
	blocks::ask,
	event::RawEvent,
	pallets::{AccountId, assets, balances},
	rpc::{AtBlock, failed},
	storage::{bytes, check_known, unsupported, value},
};
use codec::{Decode, DecodeAll};
use futures::future::BoxFuture;
use gridproof_primitives::num::units::{AICP_ASSET_ID, KWH_ASSET_ID};
use subxt::dynamic::{self, At, Value};

/// Why an amount is on hold: the numbers of the pallet and of its reason, as the chain has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Decode)]
pub struct HoldReason(pub [u8; 2]);

/// What is on hold of one account, in units of 10⁻¹⁸ AIT, by its reason.
pub type Holds = Vec<(HoldReason, u128)>;

/// A final block, and the state after it.
#[derive(Clone)]
pub struct Past {
	pub(crate) at: AtBlock,
}

impl Chain {
	/// Height of the last final block.
	///
	/// # Errors
	/// [`ChainError::Rpc`].
	pub async fn height(&self) -> Result<u64, ChainError> {
		Ok(self.at().await?.block_number())
	}

	/// The block of this height, which has to be final already.
	///
	/// # Errors
	/// [`ChainError::Rpc`], also if there is no such block yet.
	pub async fn past(&self, height: u64) -> Result<Past, ChainError> {
		Ok(Past { at: self.blocks.at(height).await? })
	}
}

impl Past {
	/// Height of the block.
	pub fn height(&self) -> u64 {
		self.at.block_number()
	}

	/// Hash of the block.
	pub fn hash(&self) -> H256 {
		H256(self.at.block_hash().0)
	}

	/// All its events, in order.
	///
	/// # Errors
	/// [`ChainError::Rpc`], also if the node no longer has the state after the block;
	/// [`ChainError::Unsupported`].
	pub async fn events(&self) -> Result<Vec<RawEvent>, ChainError> {
		crate::blocks::events_at(&self.at).await
	}

	/// What the runtime answered after it.
	///
	/// # Errors
	/// As [`Chain::read`].
	pub async fn read<R: Decode>(&self, query: &Query<R>) -> Result<R, ChainError> {
		let metadata = self.at.metadata_ref();
		if !query.is_known(metadata) {
			return Err(query.unsupported());
		}
		query.answer(&ask(&self.at, query.function(), query.arguments()).await?, metadata)
	}

	/// How much there was of AIT, AICP and KWH, each in its smallest unit.
	///
	/// # Errors
	/// [`ChainError::Unsupported`] if the chain keeps it in another form; [`ChainError::Rpc`].
	pub fn supplies(&self) -> BoxFuture<'_, Result<[u128; 3], ChainError>> {
		Box::pin(async move {
			let asset = async |asset: u32| {
				let key = vec![Value::u128(asset.into())];
				let row = value(&self.at, assets::PALLET, "Asset", key).await?;
				let Some(row) = row else { return Ok(0) };
				let supply = row.at("supply").and_then(Value::as_u128);
				supply.ok_or_else(|| unsupported(assets::PALLET, "Asset"))
			};
			let native = value(&self.at, balances::PALLET, "TotalIssuance", vec![]).await?;
			let native = native.as_ref().and_then(Value::as_u128);
			let native = native.ok_or_else(|| unsupported(balances::PALLET, "TotalIssuance"))?;
			Ok([native, asset(AICP_ASSET_ID).await?, asset(KWH_ASSET_ID).await?])
		})
	}

	/// What is on hold of an account, in units of 10⁻¹⁸ AIT, by its reason.
	///
	/// # Errors
	/// As [`Past::supplies`].
	pub fn holds<'a>(&'a self, account: &'a AccountId) -> BoxFuture<'a, Result<Holds, ChainError>> {
		Box::pin(async move {
			let key = vec![Value::from_bytes(account)];
			let row = bytes(&self.at, balances::PALLET, balances::HOLDS, key).await?;
			row.map_or(Ok(Vec::new()), |row| holds(&row))
		})
	}

	/// What is on hold of all accounts.
	///
	/// # Errors
	/// As [`Past::supplies`].
	pub fn all_holds(&self) -> BoxFuture<'_, Result<Vec<(AccountId, Holds)>, ChainError>> {
		Box::pin(async move {
			check_known(&self.at, balances::PALLET, balances::HOLDS)?;
			let address = dynamic::storage::<(Value,), Value>(balances::PALLET, balances::HOLDS);
			let mut found = self.at.storage().iter(address, ()).await.map_err(failed)?;
			let mut all = Vec::new();
			while let Some(row) = found.next().await {
				let row = row.map_err(failed)?;
				let account = row.key_bytes().last_chunk::<32>().copied();
				let account =
					account.ok_or_else(|| unsupported(balances::PALLET, balances::HOLDS))?;
				all.push((account, holds(row.value().bytes())?));
			}
			Ok(all)
		})
	}
}

fn holds(mut bytes: &[u8]) -> Result<Holds, ChainError> {
	Vec::decode_all(&mut bytes).map_err(|_| unsupported(balances::PALLET, balances::HOLDS))
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;

	#[test]
	fn holds_are_read_by_their_reasons_and_nothing_is_left_over() {
		let rows = vec![([5u8, 0u8], 7u128), ([6, 3], 8)];
		let read = holds(&rows.encode()).unwrap();
		assert_eq!(read, [(HoldReason([5, 0]), 7), (HoldReason([6, 3]), 8)]);
		let longer = [rows.encode(), vec![0]].concat();
		assert!(holds(&longer).is_err());
	}
}
