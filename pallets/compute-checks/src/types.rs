//! What the pallet stores, and what it asks of the pallet that settles.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, pallet_prelude::ConstU32};
use gridproof_primitives::{
	H256,
	compute::{
		ComputeParameters,
		channels::{ChannelId, ChannelParameters, VoucherId},
		checks::{
			BatchChecks, BatchId, CheckId, DisputeCause, Figures, JURY_PLACES, KEY_NOTICE_MS,
			NoVote, Number, OtherPlace, TokenFigures, Verdict, VerifierKey, Votes, WideNumber,
			Witness, is_two_thirds, repeated_reports,
		},
	},
	crypto::ed25519::PublicKey,
};
use scale_info::TypeInfo;

/// Highest number of rows of verifiers, with those that leave: three times those that are admitted.
pub const MAX_ROWS: u32 = 64;
/// Number of reports that are remembered of a number: those that took it up last.
pub const MAX_REPORTS_OF_NUMBER: u32 = 8;
/// Highest number of lines of a miner that wait which are looked at, and out of which a jury's places are drawn.
pub const MAX_LINES_OF_JURY: u32 = 32;
/// Highest number of rows that one call removes of a batch that is over.
pub const MAX_CLEARED: u32 = 64;
/// Number of offences from which a verifier is dismissed.
pub const DISMISSED_AFTER: u32 = 3;
/// Number of verifiers without which no client opens a dispute: two thirds of fewer are all of them.
pub const LEAST_JURY: u32 = 3;
/// Time for which a verifier can be suspended in an emergency, and after which it can be suspended again, in
/// milliseconds: fourteen days.
pub const SUSPENSION_MS: u64 = 14 * DAY_MS;
/// Shortest time between two exchanges of a verifier's key, in milliseconds: eight days. The key before
/// still reports what it drew, and no window is longer than a week.
pub const KEY_EXCHANGE_GAP_MS: u64 = 8 * DAY_MS;
/// A day, in milliseconds.
pub const DAY_MS: u64 = 86_400_000;

/// What checks ask of the pallet that settles, beside what waits.
pub trait Settlement<AccountId> {
	/// Returns the parameters of receipts and of channels.
	fn parameters() -> (ComputeParameters, ChannelParameters);

	/// Returns the account of a registered party; `key` may be a former one.
	fn account_of(key: &PublicKey) -> Option<AccountId>;

	/// Returns the account that opened a channel.
	fn client_of(channel: ChannelId) -> Option<AccountId>;

	/// Returns for how long settlement has been stopped in all, in milliseconds.
	fn stopped_ms() -> u64;
}

/// A key of a verifier, and the time at which it became known, in UTC milliseconds.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KnownKey {
	/// Key with which the verifier draws and signs.
	pub key: VerifierKey,
	/// Time at which it became known, in UTC milliseconds.
	pub since_ms: u64,
}

impl KnownKey {
	/// Returns `true` if it draws what is touched at a time.
	pub const fn draws_at(&self, touched_ms: u64) -> bool {
		self.since_ms.saturating_add(KEY_NOTICE_MS) <= touched_ms
	}
}

/// A verifier, by its account.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verifier {
	/// Its newest key.
	pub key: KnownKey,
	/// The key before.
	pub former: Option<KnownKey>,
	/// What is held of its account, in 10⁻¹⁸ AIT.
	pub bond: u128,
	/// Number of checks that it has reported.
	pub reports: u64,
	/// Time of the last report, in UTC milliseconds; 0 before the first.
	pub last_report_ms: u64,
	/// Number of offences.
	pub offences: u32,
	/// Time from which the bond is free, if it leaves, in UTC milliseconds.
	pub free_ms: Option<u64>,
	/// Time at which it left or was dismissed, in UTC milliseconds.
	pub left_ms: Option<u64>,
	/// Number of openings that it demands now.
	pub demands: u32,
	/// Number of its reports, and of reports that it looks at again, about which something can still be open.
	pub pending: u32,
	/// Time from which it is suspended, or was the last time, in UTC milliseconds.
	pub suspended_from_ms: u64,
	/// Time until which it is suspended, or was the last time, in UTC milliseconds; 0 if it never was.
	pub suspended_ms: u64,
}

impl Verifier {
	/// Returns the key that draws what is touched at a time.
	pub fn key_at(&self, touched_ms: u64) -> Option<VerifierKey> {
		let keys = [Some(self.key), self.former];
		keys.into_iter().flatten().find(|key| key.draws_at(touched_ms)).map(|key| key.key)
	}

	/// Returns a new verifier.
	pub const fn new(key: KnownKey, bond: u128) -> Self {
		Self {
			key,
			former: None,
			bond,
			reports: 0,
			last_report_ms: 0,
			offences: 0,
			free_ms: None,
			left_ms: None,
			demands: 0,
			pending: 0,
			suspended_from_ms: 0,
			suspended_ms: 0,
		}
	}

	/// Returns `true` if it draws what was touched at a time: it had not left then, and was not suspended.
	pub const fn took_part_at(&self, touched_ms: u64) -> bool {
		let stayed = match self.left_ms {
			Some(left_ms) => touched_ms < left_ms,
			None => true,
		};
		let suspended = self.suspended_from_ms <= touched_ms && touched_ms < self.suspended_ms;
		stayed && !suspended
	}

	/// Returns `true` if it takes part: it does not leave, is not suspended, and has at least half of the
	/// bond.
	pub const fn is_fit(&self, bond: u128, now_ms: u64) -> bool {
		let stays = self.free_ms.is_none() && self.suspended_ms <= now_ms;
		stays && self.bond.saturating_mul(2) >= bond
	}
}

/// A batch that was touched.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchRow {
	/// What is drawn of it.
	pub checks: BatchChecks,
	/// Hash of its header.
	pub header_hash: H256,
	/// Number of demands, re-openings and disputes about it that are open.
	pub open: u32,
	/// Number of its receipts that clients wanted checked.
	pub asked: u32,
	/// Number of its checks whose opening witnesses had.
	pub opened: u32,
	/// Time until which a report of it can be re-opened, by the clock that stands still.
	pub reopen_until: u64,
}

/// A receipt that its client wants checked.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AskedRow<AccountId> {
	/// Account of the client that asked for it.
	pub client: AccountId,
	/// Its deposit, in 10⁻¹⁸ AIT; 0 once it was reported.
	pub deposit: u128,
	/// Key of the verifier whose turn it is.
	pub by: VerifierKey,
	/// Number of the check, which no draw has.
	pub check: u32,
	/// Index of the receipt in the batch.
	pub index: u64,
}

/// A receipt in its batch, as disputes and demands name it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checked {
	/// The batch, by coordinator and sequence number.
	pub batch: BatchId,
	/// Index of the receipt in it.
	pub index: u64,
	/// Voucher of the receipt.
	pub voucher: VoucherId,
	/// The miner's key, as its line names it.
	pub miner: PublicKey,
	/// The key under which that miner was registered.
	pub registered: PublicKey,
	/// Hash of the model.
	pub model: H256,
	/// Price, in the smallest unit of the batch's asset.
	pub price: u128,
}

/// Report of a check, and what is kept of its receipt.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report<AccountId> {
	/// Account of the verifier.
	pub by: AccountId,
	/// What is kept of its receipt.
	pub receipt: Checked,
	/// What was measured.
	pub figures: Figures,
	/// Commitment to the verifier's own figures.
	pub commitment: H256,
	/// Hash of the block before the one that took it.
	pub block: H256,
	/// Time of the report, in UTC milliseconds.
	pub time_ms: u64,
	/// Time until which it can be re-opened, also where the batch's window is over, by the clock that stands
	/// still.
	pub until: u64,
	/// `true` once it was re-opened.
	pub reopened: bool,
}

/// The number of a miner over all models.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WideRow {
	/// Number, in millionths of a limit.
	pub number: WideNumber,
}

/// The number of a miner and model.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NumberRow {
	/// Number, in millionths.
	pub number: Number,
	/// The reports that took it up last.
	pub reports: BoundedVec<CheckId, ConstU32<MAX_REPORTS_OF_NUMBER>>,
	/// Time of the last change, in UTC milliseconds.
	pub time_ms: u64,
}

/// Half of a re-opening.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Side<AccountId> {
	/// Account of the verifier.
	pub by: AccountId,
	/// The key with which it takes part.
	pub key: VerifierKey,
	/// What it has committed to.
	pub commitment: H256,
	/// What it has shown.
	pub shown: Option<TokenFigures>,
}

/// A report that is re-opened.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReopeningRow<AccountId> {
	/// Who reported.
	pub reporter: Side<AccountId>,
	/// Who re-opens.
	pub other: Side<AccountId>,
	/// Time until which both show their figures, by the clock that stands still.
	pub until: u64,
}

/// A demand of an opening.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DemandRow<AccountId> {
	/// Who demands.
	pub by: AccountId,
	/// `true` if who demands takes part: then it is one of those of whom two thirds decide.
	pub is_peer: bool,
	/// The receipt, once somebody has named it.
	pub receipt: Option<Checked>,
	/// The miner's key, as its line names it.
	pub miner: PublicKey,
	/// Place of the point in the miner's running sum of prices, as long as no receipt is named.
	pub place: u128,
	/// `true` if the coordinator has put in its fee.
	pub is_paid: bool,
	/// What demander and coordinator have put in together, in 10⁻¹⁸ AIT.
	pub pot: u128,
	/// Witnesses, each with what it has said.
	pub witnesses: BoundedVec<(AccountId, Option<Witness>), ConstU32<MAX_ROWS>>,
	/// `true` if the miner's part of the batch is held for it.
	pub holds: bool,
	/// Time until which they speak, by the clock that stands still; once two thirds have the opening, until
	/// which one of them or the demander reports the check.
	pub until: u64,
	/// Number under which a witness that has the opening may report the check, once two thirds have it.
	pub opened: Option<u32>,
}

impl<AccountId: PartialEq> DemandRow<AccountId> {
	/// Returns how many have it, got nothing, and are there at all, with the demander, who says that it got
	/// nothing.
	pub fn count_all(&self) -> (u32, u32, u32) {
		let (has, nothing, all) = self.count();
		// Alone it decides nothing.
		let demander = u32::from(self.is_peer && all > 0);
		(has, nothing.saturating_add(demander), all.saturating_add(demander))
	}

	/// Returns `true` if a witness has the opening.
	pub fn has(&self, account: &AccountId) -> bool {
		self.witnesses.iter().any(|(one, said)| one == account && *said == Some(Witness::Has))
	}

	/// Returns how many have it, got nothing, and are witnesses at all.
	pub fn count(&self) -> (u32, u32, u32) {
		let number = |says: Option<Witness>| {
			let count = self.witnesses.iter().filter(|(_, said)| *said == says).count();
			u32::try_from(count).unwrap_or(u32::MAX)
		};
		let (has, nothing) = (number(Some(Witness::Has)), number(Some(Witness::GotNothing)));
		let all = u32::try_from(self.witnesses.len()).unwrap_or(u32::MAX);
		(has, nothing, all)
	}
}

/// A verifier that judges a dispute.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Juror<AccountId> {
	/// Account of the verifier.
	pub account: AccountId,
	/// Commitment to its vote, and the key that made it.
	pub commitment: Option<(VerifierKey, H256)>,
	/// Its vote, once it is revealed.
	pub verdict: Option<Verdict>,
	/// Why it has none.
	pub no_vote: Option<NoVote>,
}

impl<AccountId> Juror<AccountId> {
	/// Returns a juror that has not spoken.
	pub const fn new(account: AccountId) -> Self {
		Self { account, commitment: None, verdict: None, no_vote: None }
	}

	/// Returns `true` if it has committed to a vote, or said that it has none.
	pub const fn has_committed(&self) -> bool {
		self.commitment.is_some() || self.no_vote.is_some()
	}

	/// Returns `true` if it has revealed a vote, or said that it has none.
	pub const fn has_spoken(&self) -> bool {
		self.verdict.is_some() || self.no_vote.is_some()
	}
}

/// Who accuses.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Accuser<AccountId> {
	/// A verifier, by a report or a re-opening.
	#[codec(index = 0)]
	Verifier(AccountId),
	/// The number of a miner: nobody in particular.
	#[codec(index = 1)]
	Number,
	/// A client, with its deposit in 10⁻¹⁸ AIT.
	#[codec(index = 2)]
	Client(AccountId, u128),
}

/// Who is accused.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Accused<AccountId> {
	/// The miner of the receipt, by the key under which it is registered.
	#[codec(index = 0)]
	Miner(PublicKey),
	/// The verifier whose report was re-opened.
	#[codec(index = 1)]
	Verifier(AccountId),
}

/// Dispute about a miner or a reporter, with its jury.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dispute<AccountId> {
	/// Why there is one.
	pub cause: DisputeCause,
	/// What is kept of the receipt that it is about.
	pub receipt: Checked,
	/// Who accuses.
	pub accuser: Accuser<AccountId>,
	/// Who is accused.
	pub accused: Accused<AccountId>,
	/// The pair of both, of which one dispute is open at a time.
	pub pair: H256,
	/// Parties that are verifiers and take part: who accuses stands for guilty, who is accused for not guilty.
	pub parties: Votes,
	/// Jurors, and what each has said.
	pub jurors: BoundedVec<Juror<AccountId>, ConstU32<MAX_ROWS>>,
	/// Reports that the jury draws from, of a number.
	pub reports: BoundedVec<CheckId, ConstU32<MAX_REPORTS_OF_NUMBER>>,
	/// Where the jury checks other receipts of the miner, of a number.
	pub others: BoundedVec<OtherPlace, ConstU32<JURY_PLACES>>,
	/// Hash of the block before the one in which it was opened.
	pub block: H256,
	/// `true` if the miner's part of the batch is held for it.
	pub holds: bool,
	/// End of commitments and of votes, by the clock that stands still.
	pub until: (u64, u64),
}

impl<AccountId> Dispute<AccountId> {
	/// Returns the reports that the jury of this dispute repeats.
	pub fn repeated(&self, id: &H256) -> Vec<CheckId> {
		repeated_reports(id, &self.reports)
	}

	/// Returns the votes so far.
	pub fn votes(&self) -> Votes {
		let verdicts = self.jurors.iter().filter_map(|juror| juror.verdict.as_ref());
		verdicts.fold(Votes::default(), |votes, verdict| votes.with(verdict))
	}

	/// Returns what jury and parties found.
	pub fn verdict(&self) -> Option<bool> {
		self.votes().verdict(&self.parties, self.size())
	}

	/// Returns the key of the coordinator that two thirds say has shown nothing, with who accuses, for whom the
	/// opening has to be good as well. It is named by its batches, of which a number has several.
	pub fn withheld(&self) -> Option<PublicKey> {
		let of = |juror: &Juror<AccountId>| match juror.no_vote {
			Some(NoVote::NotShown(batch)) => Some(batch.coordinator),
			_ => None,
		};
		let all = self.size().saturating_add(self.parties.number());
		self.jurors.iter().filter_map(of).find(|key| {
			let said = self.jurors.iter().filter(|juror| of(juror) == Some(*key)).count();
			let said = u32::try_from(said).unwrap_or(u32::MAX);
			said > 0 && is_two_thirds(said.saturating_add(self.parties.guilty), all)
		})
	}

	/// Returns `true` if the jury looks at something of a batch.
	pub fn is_about(&self, id: &H256, batch: &BatchId) -> bool {
		self.receipt.batch == *batch
			|| self.others.iter().any(|place| place.batch == *batch)
			|| self.repeated(id).iter().any(|report| report.batch == *batch)
	}

	/// Returns the number of jurors.
	pub fn size(&self) -> u32 {
		u32::try_from(self.jurors.len()).unwrap_or(u32::MAX)
	}
}

/// Totals of the pallet.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
	/// Reports ever.
	pub reports: u64,
	/// Disputes ever.
	pub disputes: u64,
	/// Disputes that found the accused guilty.
	pub guilty: u64,
	/// Paid to verifiers, in 10⁻¹⁸ AIT.
	pub paid: u128,
	/// What lies in the pallet's account: pots of demands and deposits of disputes, in 10⁻¹⁸ AIT.
	pub escrow: u128,
	/// Disputes of clients that are open, and receipts that they want checked.
	pub of_clients: u32,
	/// Time for which fewer than five verifiers had reported within a day, in milliseconds.
	pub still_ms: u64,
}

/// Number of checks that matured on a day, of each verifier.
pub type DayRow<AccountId> = BoundedVec<(AccountId, u32), ConstU32<MAX_ROWS>>;
