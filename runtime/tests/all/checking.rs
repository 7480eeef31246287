//! What a check leaves on chain: bytes of its transactions, and of the rows that stay until it is settled. Prints the
//! figures of `docs/performance.md`.

use crate::computing::general;
use codec::{Decode, Encode};
use gridproof_primitives::{
	H256,
	compute::{
		channels::{ChannelReceipt, PaidBy, Placed, VoucherId},
		checks::{BatchId, CheckReport, Figures, SeededFigures, ShownFigures, WitnessStatement},
	},
};
use gridproof_runtime::{AccountId, Runtime, RuntimeCall};
use pallet_compute_checks::{BatchRow, Batches, Call, Days, Demanded, Report, Reports};
use sp_runtime::traits::TrailingZeroInput;

/// A value of SCALE zeros.
fn zeros<T: Decode>() -> T {
	T::decode(&mut TrailingZeroInput::zeroes()).expect("zeros make one")
}

const FIGURES: Figures =
	Figures::Seeded(SeededFigures { tokens: 0, clipped: 0, matches: 0, end: 0 });

/// A report of a receipt with so many hashes from its leaf to the root.
fn report(hashes: usize) -> CheckReport {
	let mut item: ChannelReceipt = zeros();
	item.receipt.miner = Some([0; 32]);
	item.receipt.paid_by = PaidBy::Voucher(VoucherId { channel: 0, number: 0 });
	let path = vec![H256::zero(); hashes].try_into().expect("no tree is deeper");
	CheckReport { receipt: Placed { item, index: 0, path }, figures: FIGURES, ..zeros() }
}

fn length(call: impl Into<RuntimeCall>) -> usize {
	general(call.into()).encoded_size()
}

#[test]
fn a_report_is_a_kilobyte_and_leaves_half_of_one_until_its_batch_is_settled() {
	let signature = [0; 64];
	let reported = |hashes| {
		length(Call::<Runtime>::report_check { report: Box::new(report(hashes)), signature })
	};
	let figures = vec![0u32; 100].try_into().expect("so many are shown");
	let shown = Box::new(ShownFigures { figures, ..zeros() });
	let statement = Box::new(WitnessStatement { index: Some(0), ..zeros() });
	let transactions = [
		("touch, once a batch", length(Call::<Runtime>::touch { batch: zeros() })),
		("report, of a batch of one receipt", reported(0)),
		("report, of 1,000 receipts", reported(10)),
		("report, of 100,000 receipts", reported(17)),
		("what a witness got", length(Call::<Runtime>::witness { statement, signature })),
		(
			"second look",
			length(Call::<Runtime>::reopen { reopening: Box::new(zeros()), signature }),
		),
		(
			"figures shown, of 100 tokens",
			length(Call::<Runtime>::show_figures { shown, signature }),
		),
		(
			"commitment to a vote",
			length(Call::<Runtime>::commit_vote { commitment: Box::new(zeros()), signature }),
		),
		("vote", length(Call::<Runtime>::reveal_vote { ballot: Box::new(zeros()), signature })),
		("settlement, once a batch", length(Call::<Runtime>::settle_checks { batch: zeros() })),
	];
	for (what, bytes) in transactions {
		println!("transaction: {what}: {bytes} bytes");
	}
	assert!(reported(10) <= 1_024, "{}", reported(10));

	let batch: BatchId = zeros();
	let check = ([0u8; 32], 0u32);
	let row = Report::<AccountId> { figures: FIGURES, ..zeros() };
	let rows = [
		(
			"report, until its batch is settled",
			Reports::<Runtime>::hashed_key_for(batch, check).len() + row.encoded_size(),
		),
		(
			"batch, once",
			Batches::<Runtime>::hashed_key_for(batch).len() + zeros::<BatchRow>().encoded_size(),
		),
		(
			"check whose opening was demanded",
			Demanded::<Runtime>::hashed_key_for(batch, check).len(),
		),
		(
			"day, once, until it is paid, of one verifier",
			Days::<Runtime>::hashed_key_for(0u64).len()
				+ vec![(zeros::<AccountId>(), 0u32)].encoded_size(),
		),
	];
	for (what, bytes) in rows {
		println!("row: {what}: {bytes} bytes");
	}
	assert!(rows[0].1 <= 512 && rows[1].1 <= 256, "{rows:?}");
}
