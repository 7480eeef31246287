//! What the chain shows of checks.

use super::{BatchId, CheckId, Figures, OtherPlace, VerifierKey, Votes};
use crate::{H256, compute::channels::VoucherId, crypto::ed25519::PublicKey};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A verifier as the chain shows it.
#[derive(Encode, Decode, TypeInfo, Clone, PartialEq, Eq, Debug)]
pub struct VerifierView {
	/// Account that pays the bond and is paid.
	pub account: [u8; 32],
	/// Its newest key.
	pub key: VerifierKey,
	/// Time at which that key became known, in UTC milliseconds: it draws an hour later.
	pub key_since_ms: u64,
	/// Bond, in units of 10⁻¹⁸ AIT.
	pub bond: u128,
	/// Number of checks that it reported so far.
	pub reports: u64,
	/// Time of its last report, in UTC milliseconds; 0 before the first.
	pub last_report_ms: u64,
	/// Number of offences.
	pub offences: u32,
	/// Time from which its bond is free, if it leaves.
	pub free_ms: Option<u64>,
	/// Time at which it left or was dismissed, in UTC milliseconds.
	pub left_ms: Option<u64>,
	/// Times from and until which it is suspended, or was the last time, in UTC milliseconds; zeros if it never
	/// was.
	pub suspended_ms: (u64, u64),
	/// `true` if it draws now.
	pub draws: bool,
}

impl VerifierView {
	/// Returns `true` if it draws what was touched at a time, in UTC milliseconds: it had not left then, and was
	/// not suspended.
	pub const fn took_part_at(&self, touched_ms: u64) -> bool {
		let stayed = match self.left_ms {
			Some(left_ms) => touched_ms < left_ms,
			None => true,
		};
		let (from, until) = self.suspended_ms;
		let suspended = from <= touched_ms && touched_ms < until;
		stayed && !suspended
	}
}

/// What is drawn of a batch.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchChecks {
	/// Hash of the block before the first touch.
	pub block: H256,
	/// Time of the touch, in UTC milliseconds.
	pub touched_ms: u64,
	/// Number of verifiers that may draw.
	pub verifiers: u32,
	/// V when it was touched, in units of 10⁻¹⁸ AIT.
	pub per_check: u128,
	/// Price and claim of the batch, in units of 10⁻¹⁸ AIT.
	pub value: u128,
	/// Sum of the prices that it pays, in the smallest unit of its asset: points lie below it.
	pub total: u128,
	/// Number of reports so far.
	pub reports: u32,
}

/// A report as the chain shows it.
#[derive(Encode, Decode, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct CheckView {
	/// Which check it is.
	pub id: CheckId,
	/// Voucher of the receipt.
	pub voucher: VoucherId,
	/// Index of the receipt in the batch.
	pub index: u64,
	/// Miner of the receipt.
	pub miner: PublicKey,
	/// Model of the receipt.
	pub model: H256,
	/// What was measured.
	pub figures: Figures,
	/// Commitment of the verifier to its own figures.
	pub commitment: H256,
	/// Hash of the block before the one that took the report: others draw by it whether they re-open it.
	pub block: H256,
	/// Time of the report, in UTC milliseconds.
	pub time_ms: u64,
}

/// A demand of an opening as the chain shows it.
#[derive(Encode, Decode, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct DemandOfOpening {
	/// Which check it is about.
	pub id: CheckId,
	/// Index of the receipt in the batch, where it is known.
	pub index: Option<u64>,
	/// The miner's key, as its line names it.
	pub miner: PublicKey,
	/// Number of witnesses in all, and of those that have it and that got nothing.
	pub witnesses: (u32, u32, u32),
	/// Time until which witnesses speak, in UTC milliseconds, unless settlement is stopped meanwhile; once two
	/// thirds have the opening, until which one of them or the demander reports the check.
	pub until_ms: u64,
	/// Number under which a witness that has the opening may report the check, once two thirds have it.
	pub opened: Option<u32>,
}

/// Why there is a dispute.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DisputeCause {
	/// A report says that the output is not the model's.
	#[codec(index = 0)]
	NotEqual(CheckId),
	/// The number of a miner and model is above its limit; with the report that took it there.
	#[codec(index = 1)]
	Number(CheckId),
	/// A client disputes its own receipt.
	#[codec(index = 2)]
	Client(VoucherId),
	/// Figures of a report that was re-opened do not agree with the other's.
	#[codec(index = 3)]
	Reopened(CheckId),
}

/// What a dispute waits for.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DisputePhase {
	/// For commitments of the jury.
	#[codec(index = 0)]
	Commit,
	/// For votes that are revealed.
	#[codec(index = 1)]
	Reveal,
	/// For anybody to close it.
	#[codec(index = 2)]
	Over,
}

/// A dispute as the chain shows it.
#[derive(Encode, Decode, TypeInfo, Clone, PartialEq, Eq, Debug)]
pub struct DisputeView {
	/// Hash that names it.
	pub id: H256,
	/// Why there is one.
	pub cause: DisputeCause,
	/// The batch of the receipt, by coordinator and sequence number.
	pub batch: BatchId,
	/// Index of the receipt in the batch.
	pub index: u64,
	/// The accused: a miner's key, or of a re-opened report the account of the verifier.
	pub accused: [u8; 32],
	/// Hash of the block before the one in which it was opened, which is part of its id.
	pub block: H256,
	/// What it waits for.
	pub phase: DisputePhase,
	/// End of the commitments and of the votes, in UTC milliseconds, unless settlement is stopped meanwhile.
	pub until_ms: (u64, u64),
	/// Number of jurors, and of those that have committed.
	pub jurors: (u32, u32),
	/// Number of jurors that have said that they have no vote.
	pub without_vote: u32,
	/// Votes so far.
	pub votes: Votes,
	/// Of a number: the reports that took it up, of which the jury repeats
	/// [`super::repeated_reports`].
	pub reports: Vec<CheckId>,
	/// Of a number: where the jury checks other receipts of the miner that wait, see
	/// [`OtherPlace::find`].
	pub others: Vec<OtherPlace>,
}

/// A receipt that its client wants checked, of a model of which one answer alone proves nothing.
#[derive(Encode, Decode, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct AskedReceipt {
	/// Which check it is: of the verifier whose turn it is, with a number that no draw has.
	pub id: CheckId,
	/// Index of the receipt in the batch.
	pub index: u64,
	/// Voucher of the receipt.
	pub voucher: VoucherId,
}

/// Totals of checks.
#[derive(Encode, Decode, TypeInfo, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CheckOverview {
	/// Number of verifiers.
	pub verifiers: u32,
	/// Number of verifiers that reported within a day.
	pub reported_lately: u32,
	/// Number of reports ever.
	pub reports: u64,
	/// Number of disputes ever, and of those that found somebody guilty.
	pub disputes: (u64, u64),
	/// Paid to verifiers so far, in units of 10⁻¹⁸ AIT.
	pub paid: u128,
	/// Time for which the mint's window has stood still for lack of reports, in milliseconds.
	pub still_ms: u64,
}
