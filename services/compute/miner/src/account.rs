//! What a miner knows of its receipts of channels: the coordinator's running sums after each.
//!
//! A line of a batch is the difference of two of these sums. The miner signs one only if it holds every
//! receipt of the line, and these add up to it.

use crate::outbox::Outbox;
use codec::{DecodeAll, Encode};
use gridproof_compute_api::protocol::IssuedReceipt;
use gridproof_primitives::{
	compute::channels::{BatchKind, MinerLine, MinerSums},
	crypto::ed25519::PublicKey,
};
use gridproof_store::{
	StoreError,
	rusqlite::{Connection, params},
};
use gridproof_support::number::clamped;
use std::fmt;

/// Why a line is not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineRefusal {
	/// It breaks a rule of lines.
	Unsound,
	/// It has a receipt that this miner does not hold.
	Missing(u64),
	/// Its receipts add up to other sums.
	OtherSums,
}

impl fmt::Display for LineRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Unsound => f.write_str("the line breaks a rule of batches"),
			Self::Missing(count) => {
				write!(f, "the line has receipt {count}, which this miner does not hold")
			},
			Self::OtherSums => f.write_str("the line's receipts add up to other sums"),
		}
	}
}

/// Checks that a line is the sum of these receipts' steps: each count once, the first to the last of it.
pub(crate) fn accounts_for(
	line: &MinerLine,
	receipts: &[IssuedReceipt],
) -> Result<(), LineRefusal> {
	line.check().map_err(|_| LineRefusal::Unsound)?;
	let mut at = line.from;
	for issued in receipts {
		let receipt = &issued.receipt;
		let next = at.count.saturating_add(1);
		if receipt.sums.miner.count != next {
			return Err(LineRefusal::Missing(next));
		}
		if receipt.miner_before() != Some(at) {
			return Err(LineRefusal::OtherSums);
		}
		at = receipt.sums.miner;
	}
	if at == line.to {
		Ok(())
	} else if at.count < line.to.count {
		Err(LineRefusal::Missing(at.count.saturating_add(1)))
	} else {
		Err(LineRefusal::OtherSums)
	}
}

/// Returns the name of a kind in the database.
fn named(kind: BatchKind) -> Vec<u8> {
	kind.encode()
}

fn number(value: u64) -> i64 {
	clamped(value)
}

impl Outbox {
	/// Keeps a receipt that a coordinator has counted. Returns `false` if another one has its count: the
	/// coordinator contradicts itself.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn counted(
		&self,
		coordinator: PublicKey,
		issued: IssuedReceipt,
	) -> Result<bool, StoreError> {
		self.database()
			.write(move |db| {
				let sums = issued.receipt.sums;
				let kind = named(sums.kind);
				db.prepare_cached(
					"INSERT INTO counted (coordinator, kind, count, issued) VALUES (?1, ?2, ?3, ?4)
					 ON CONFLICT DO NOTHING",
				)?
				.execute(params![
					coordinator,
					kind,
					number(sums.miner.count),
					issued.encode()
				])?;
				let sql = "SELECT issued FROM counted
					WHERE coordinator = ?1 AND kind = ?2 AND count = ?3";
				let values = params![coordinator, kind, number(sums.miner.count)];
				let kept: Vec<u8> = db.query_row(sql, values, |row| row.get(0))?;
				Ok(kept == issued.encode())
			})
			.await
	}

	/// Returns the receipts of a line that this miner holds, by rising count.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn of_line(
		&self,
		coordinator: PublicKey,
		kind: BatchKind,
		line: &MinerLine,
	) -> Result<Vec<IssuedReceipt>, StoreError> {
		let (MinerSums { count: from, .. }, MinerSums { count: to, .. }) = (line.from, line.to);
		self.database()
			.read(move |db: &Connection| {
				let sql = "SELECT issued FROM counted WHERE coordinator = ?1 AND kind = ?2
					AND count > ?3 AND count <= ?4 ORDER BY count";
				let mut statement = db.prepare_cached(sql)?;
				let values = params![coordinator, named(kind), number(from), number(to)];
				let rows = statement.query_map(values, |row| row.get::<_, Vec<u8>>(0))?;
				rows.map(|row| {
					IssuedReceipt::decode_all(&mut &row?[..])
						.map_err(|error| StoreError::Sql(error.to_string()))
				})
				.collect()
			})
			.await
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::{
		H256,
		compute::{
			PriceAsset, Telemetry,
			channels::{
				ChannelReceipt, ChannelSums, Mode, PaidBy, ReceiptV2, RunningSums, Sampler,
				VoucherId,
			},
		},
	};

	const KIND: BatchKind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary };

	/// Receipts of the prices 1, 2, 3 … with the sums after each.
	fn receipts(many: u64) -> Vec<IssuedReceipt> {
		let (mut channel, mut miner) = (ChannelSums::default(), MinerSums::default());
		(1..=many)
			.map(|number| {
				let price = u128::from(number);
				channel = channel.after(price).unwrap();
				miner = miner.after(price, 10).unwrap();
				let receipt = ReceiptV2 {
					paid_by: PaidBy::Voucher(VoucherId { channel: 1, number }),
					miner: Some([5; 32]),
					model: H256([1; 32]),
					spec_hash: H256([2; 32]),
					output_root: H256([3; 32]),
					weight: 10,
					price,
					sampler: Sampler::Greedy,
					telemetry: Telemetry { duration_ms: 1, ..Telemetry::default() },
					settle_by_ms: 9,
				};
				IssuedReceipt {
					receipt: ChannelReceipt {
						receipt,
						sums: RunningSums { kind: KIND, channel, miner },
					},
					coordinator_signature: [0; 64],
					miner_signature: Some([0; 64]),
				}
			})
			.collect()
	}

	#[test]
	fn a_line_is_signed_only_for_receipts_that_are_held_and_add_up_to_it() {
		let held = receipts(4);
		let at = |place: usize| held[place].receipt.sums.miner;
		let line = MinerLine { miner: Some([5; 32]), from: at(0), to: at(3) };
		assert_eq!(accounts_for(&line, &held[1..]), Ok(()));
		assert_eq!(accounts_for(&line, &held[2..]), Err(LineRefusal::Missing(2)));
		assert_eq!(accounts_for(&line, &held[1..3]), Err(LineRefusal::Missing(4)));
		let gap = [held[1], held[3]];
		assert_eq!(accounts_for(&line, &gap), Err(LineRefusal::Missing(3)));
		let mut more = line;
		more.to.weight += 1;
		assert_eq!(accounts_for(&more, &held[1..]), Err(LineRefusal::OtherSums));
		let mut less = line;
		less.from.price += 1;
		assert_eq!(accounts_for(&less, &held[1..]), Err(LineRefusal::OtherSums));
		let none = MinerLine { from: at(3), ..line };
		assert_eq!(accounts_for(&none, &[]), Err(LineRefusal::Unsound));
	}

	#[tokio::test]
	async fn a_coordinator_that_counts_two_receipts_alike_is_found_out() {
		let folder = tempfile::tempdir().unwrap();
		let outbox = Outbox::open(folder.path(), 0).await.unwrap();
		let held = receipts(3);
		for issued in &held {
			assert!(outbox.counted([9; 32], *issued).await.unwrap());
			assert!(outbox.counted([9; 32], *issued).await.unwrap(), "the same again");
		}
		let mut other = held[1];
		other.receipt.receipt.paid_by = PaidBy::Voucher(VoucherId { channel: 2, number: 1 });
		assert!(!outbox.counted([9; 32], other).await.unwrap());
		assert!(outbox.counted([8; 32], other).await.unwrap(), "of another coordinator");
		let (from, to) = (held[0].receipt.sums.miner, held[2].receipt.sums.miner);
		let line = MinerLine { miner: Some([5; 32]), from, to };
		let found = outbox.of_line([9; 32], KIND, &line).await.unwrap();
		assert_eq!(found, held[1..]);
	}
}
