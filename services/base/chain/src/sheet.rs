//! All that a final block holds, in a form that needs no type of ours.

use crate::{
	ChainError, H256, Past, Refusal,
	blocks::raw,
	event::RawEvent,
	pallets::{
		AccountId, system::event::ExtrinsicFailed, timestamp,
		transaction_payment::event::TransactionFeePaid,
	},
	rpc::failed,
	storage::{bytes, check_known},
};
use codec::Decode;
use futures::{TryFutureExt, future::BoxFuture};
use gridproof_support::number::clamped;
use serde_json::Value as Json;
use subxt::{
	config::substrate::DigestItem,
	events::{Event, Phase},
};

/// Name of the consensus engine that makes blocks, in their seals.
const ENGINE: [u8; 4] = *b"aura";

/// A block, its transactions and its events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
	/// Height of the block.
	pub height: u64,
	/// Hash of the block.
	pub hash: H256,
	/// Hash of the block before.
	pub parent: H256,
	/// Its time, in UTC milliseconds; none of the first block.
	pub time_ms: Option<u64>,
	/// Key of the authority whose turn it was, by its slot and the seats after it.
	pub author: Option<[u8; 32]>,
	/// Version of the runtime that made it.
	pub version: u32,
	/// Number of its transactions, those included that are not understood.
	pub count: u64,
	/// Its transactions, in order.
	pub sent: Vec<Sent>,
	/// Its events, in order.
	pub events: Vec<EventEntry>,
}

/// A transaction of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
	/// Its place in the block, from 0.
	pub place: u32,
	/// Hash of the transaction.
	pub hash: H256,
	/// The account that signed it; none if nobody did.
	pub signer: Option<AccountId>,
	/// Its number among those of the account.
	pub nonce: Option<u64>,
	/// Name of the pallet that it calls, for output.
	pub pallet: String,
	/// Name of the call, for output.
	pub call: String,
	/// Bytes that it has.
	pub bytes: u64,
	/// Why it failed, in words; none if it did not.
	pub error: Option<String>,
	/// What was paid for it, the tip included, in units of 10⁻¹⁸ AIT; none if it was free.
	pub fee: Option<u128>,
}

/// An event of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventEntry {
	/// Place of its transaction in the block; none if no transaction caused it.
	pub transaction: Option<u32>,
	/// The event, for those who know its type.
	pub event: RawEvent,
	/// Its fields by their names, in plain JSON: accounts are addresses, bytes `0x` and digits, numbers of 128
	/// bits strings.
	pub fields: Json,
	/// What it names in 32 bytes: accounts, keys, hashes.
	pub named: Vec<[u8; 32]>,
}

impl Past {
	/// All that the block holds.
	///
	/// # Errors
	/// [`ChainError::Rpc`], also if the node no longer has the state after the block;
	/// [`ChainError::Unsupported`] if an event is not one of its runtime.
	pub fn sheet(&self) -> BoxFuture<'_, Result<Sheet, ChainError>> {
		Box::pin(async move {
			let (header, body, events, seats) = futures::try_join!(
				self.at.block_header().map_err(failed),
				async { self.at.extrinsics().fetch().await.map_err(failed) },
				async { self.at.events().fetch().await.map_err(failed) },
				self.seats(),
			)?;
			let mut sheet = Sheet {
				height: self.height(),
				hash: self.hash(),
				parent: H256(header.parent_hash.0),
				author: author(&header.digest.logs, &seats),
				version: self.at.spec_version(),
				count: clamped(body.len()),
				..Sheet::default()
			};
			for (place, transaction) in (0..).zip(body.iter()) {
				// One that is not understood is counted, and nothing else is known of it.
				let Ok(transaction) = transaction else { continue };
				let (pallet, call) = (transaction.pallet_name(), transaction.call_name());
				if timestamp::call::is_set(pallet, call) {
					sheet.time_ms = timestamp::call::time(transaction.call_data_field_bytes());
				}
				let nonce = transaction.transaction_extensions().and_then(|all| all.nonce());
				sheet.sent.push(Sent {
					place,
					hash: H256(transaction.hash().0),
					signer: transaction.address_bytes().and_then(signer),
					nonce: nonce.filter(|_| transaction.is_signed()),
					pallet: pallet.to_string(),
					call: call.to_string(),
					bytes: clamped(transaction.bytes().len()),
					error: None,
					fee: None,
				});
			}
			for event in events.iter() {
				self.note(&event.map_err(failed)?, &mut sheet)?;
			}
			Ok(sheet)
		})
	}

	fn note(&self, event: &Event<'_, crate::Config>, sheet: &mut Sheet) -> Result<(), ChainError> {
		let transaction = match event.phase() {
			Phase::ApplyExtrinsic(place) => Some(place),
			_ => None,
		};
		let metadata = self.at.metadata_ref();
		let event = raw(&self.at, event)?;
		let plain = event.plain(metadata);
		let sent = transaction.and_then(|place| {
			let at = sheet.sent.binary_search_by_key(&place, |sent| sent.place).ok()?;
			sheet.sent.get_mut(at)
		});
		if let Some(sent) = sent {
			if let Some(Ok(paid)) = event.read::<TransactionFeePaid>() {
				sent.fee = Some(paid.actual_fee);
			} else if let Some(failed) = event.read::<ExtrinsicFailed>() {
				sent.error = Some(match failed {
					Ok(failed) => Refusal::of(&failed.dispatch_error, metadata).to_string(),
					Err(error) => error.to_string(),
				});
			}
		}
		let named = plain.named.into_iter().collect();
		sheet.events.push(EventEntry { transaction, event, fields: plain.json, named });
		Ok(())
	}

	/// Keys of the authorities in the order of their seats; none if the runtime does not say.
	async fn seats(&self) -> Result<Vec<[u8; 32]>, ChainError> {
		const PALLET: &str = "Aura";
		const ENTRY: &str = "Authorities";
		if check_known(&self.at, PALLET, ENTRY).is_err() {
			return Ok(Vec::new());
		}
		let row = bytes(&self.at, PALLET, ENTRY, Vec::new()).await?;
		Ok(row.and_then(|row| Vec::decode(&mut &row[..]).ok()).unwrap_or_default())
	}
}

/// The authority whose seat a block's slot belongs to.
fn author(logs: &[DigestItem], seats: &[[u8; 32]]) -> Option<[u8; 32]> {
	let slot = logs.iter().find_map(|log| match log {
		DigestItem::PreRuntime(engine, slot) if *engine == ENGINE => {
			u64::decode(&mut &slot[..]).ok()
		},
		_ => None,
	})?;
	let count = u64::try_from(seats.len()).ok()?;
	seats.get(usize::try_from(slot.checked_rem(count)?).ok()?).copied()
}

/// The account of an address that is an account's number.
fn signer(address: &[u8]) -> Option<AccountId> {
	match address {
		[0, account @ ..] => account.try_into().ok(),
		_ => None,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;

	#[test]
	fn the_author_has_the_seat_of_the_blocks_slot() {
		let seats = [[1; 32], [2; 32], [1; 32]];
		let log = |engine, slot: u64| DigestItem::PreRuntime(engine, slot.encode());
		assert_eq!(author(&[log(ENGINE, 4)], &seats), Some([2; 32]));
		assert_eq!(author(&[log(*b"othe", 0)], &seats), None);
		assert_eq!(author(&[log(ENGINE, 4)], &[]), None);
	}

	#[test]
	fn an_address_of_another_form_has_no_signer() {
		let address = [vec![0], vec![7; 32]].concat();
		assert_eq!(signer(&address), Some([7; 32]));
		assert_eq!(signer(&address[..32]), None);
		assert_eq!(signer(&[1, 7]), None);
	}
}
