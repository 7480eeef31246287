//! Rows of the state that no question of the runtime answers.

use crate::{
	Chain, ChainError,
	rpc::{AtBlock, failed},
};
use codec::{Decode, DecodeAll};
use futures::future::BoxFuture;
use subxt::dynamic::{self, Value};

pub(crate) fn unsupported(pallet: &str, entry: &str) -> ChainError {
	ChainError::Unsupported(format!("the storage {pallet}.{entry}"))
}

/// The last 32 bytes of a row's key, and the row's bytes.
type Row = ([u8; 32], Vec<u8>);

/// Has a runtime of this block such an entry?
pub(crate) fn check_known(block: &AtBlock, pallet: &str, entry: &str) -> Result<(), ChainError> {
	let known = block.metadata_ref().pallet_by_name(pallet).and_then(|pallet| pallet.storage());
	let is_known = known.is_some_and(|storage| storage.entry_by_name(entry).is_some());
	if is_known { Ok(()) } else { Err(unsupported(pallet, entry)) }
}

/// The bytes of a row of the state after a block; `None` if there is no such row.
pub(crate) fn bytes<'a>(
	block: &'a AtBlock,
	pallet: &'a str,
	entry: &'a str,
	key: Vec<Value>,
) -> BoxFuture<'a, Result<Option<Vec<u8>>, ChainError>> {
	Box::pin(async move {
		check_known(block, pallet, entry)?;
		let address = dynamic::storage::<Vec<Value>, Value>(pallet, entry);
		let row = block.storage().try_fetch(address, key).await.map_err(failed)?;
		Ok(row.map(|row| row.bytes().to_vec()))
	})
}

/// A row of the state after a block, in the form that the chain describes; `None` if there is none.
pub(crate) fn value<'a>(
	block: &'a AtBlock,
	pallet: &'a str,
	entry: &'a str,
	key: Vec<Value>,
) -> BoxFuture<'a, Result<Option<Value>, ChainError>> {
	Box::pin(async move {
		check_known(block, pallet, entry)?;
		let address = dynamic::storage::<Vec<Value>, Value>(pallet, entry);
		let row = block.storage().try_fetch(address, key).await.map_err(failed)?;
		row.map(|row| row.decode().map_err(|_| unsupported(pallet, entry))).transpose()
	})
}

impl Chain {
	/// The bytes of a row of the state, at the last finalized block; `None` if there is no such row.
	pub(crate) fn row_bytes<'a>(
		&'a self,
		pallet: &'a str,
		entry: &'a str,
		key: Vec<Value>,
	) -> BoxFuture<'a, Result<Option<Vec<u8>>, ChainError>> {
		Box::pin(async move { bytes(&self.at().await?, pallet, entry, key).await })
	}

	/// A row of the state in the form that the chain describes, at the last finalized block; `None` if
	/// there is no such row.
	pub(crate) fn row_value<'a>(
		&'a self,
		pallet: &'a str,
		entry: &'a str,
		key: Vec<Value>,
	) -> BoxFuture<'a, Result<Option<Value>, ChainError>> {
		Box::pin(async move { value(&self.at().await?, pallet, entry, key).await })
	}

	/// A row of the state, at the last finalized block; `None` if there is no such row.
	pub(crate) async fn row<T: Decode>(
		&self,
		pallet: &str,
		entry: &str,
		key: Vec<Value>,
	) -> Result<Option<T>, ChainError> {
		let Some(bytes) = self.row_bytes(pallet, entry, key).await? else { return Ok(None) };
		T::decode_all(&mut &bytes[..]).map(Some).map_err(|_| unsupported(pallet, entry))
	}

	/// The rows of an entry with two keys that have the first one, each with the last 32 bytes of its
	/// key, at the last finalized block.
	pub(crate) async fn rows_below<T: Decode>(
		&self,
		pallet: &str,
		entry: &str,
		first: Value,
	) -> Result<Vec<([u8; 32], T)>, ChainError> {
		let rows = self.row_bytes_below(pallet, entry, first).await?.into_iter();
		let read = |(key, bytes): Row| Some((key, T::decode_all(&mut &bytes[..]).ok()?));
		rows.map(|row| read(row).ok_or_else(|| unsupported(pallet, entry))).collect()
	}

	fn row_bytes_below<'a>(
		&'a self,
		pallet: &'a str,
		entry: &'a str,
		first: Value,
	) -> BoxFuture<'a, Result<Vec<Row>, ChainError>> {
		Box::pin(async move {
			let block = self.at().await?;
			check_known(&block, pallet, entry)?;
			let address = dynamic::storage::<(Value, Value), Value>(pallet, entry);
			let mut found = block.storage().iter(address, (first,)).await.map_err(failed)?;
			let mut rows = Vec::new();
			while let Some(row) = found.next().await {
				let row = row.map_err(failed)?;
				let key = row.key_bytes().last_chunk::<32>().copied();
				let key = key.ok_or_else(|| unsupported(pallet, entry))?;
				rows.push((key, row.value().bytes().to_vec()));
			}
			Ok(rows)
		})
	}
}
