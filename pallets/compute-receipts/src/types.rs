//! Types that the pallet stores.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, pallet_prelude::ConstU32};
use gridproof_primitives::{
	H256,
	compute::emission::STEP_MS,
	compute::registry::ModelRegistry,
	compute::score::ScoreInputs,
	compute::settlement::Shares,
	compute::{
		Class, ComputeParameters, JobModel, JobState, JobTerms, OffenceKind, PartyRole, PriceAsset,
		ReceiptView, SignedHeartbeat, SignedReceipt, Telemetry,
	},
	crypto::ed25519::PublicKey,
	num::decimal::Ratio,
};
use scale_info::TypeInfo;

pub use gridproof_primitives::compute::Breaker;

/// Milliseconds in an hour.
pub const HOUR_MS: u64 = 3_600_000;
/// Milliseconds in a day.
pub const DAY_MS: u64 = 24 * HOUR_MS;
/// Number of hours that count for throughput, memory and success.
pub const HOURS: usize = 24;
/// Number of days that count for time online.
pub const DAYS: usize = 30;
/// Highest number of kinds of offences that are remembered of one party about one job: all.
pub const MAX_REPORTS: u32 = 5;
/// Number of offenders whose reports one touch of an old job removes.
pub const REPORTS_CLEARED: u32 = 2;
/// Bytes of the longest storage key at which the search for jobs to remove can continue.
pub const MAX_SCAN_KEY: u32 = 128;

/// Offences of one party reported about one job, each kind once.
pub type ReportsOf = BoundedVec<OffenceKind, ConstU32<MAX_REPORTS>>;

/// What was reported of one party about one job.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reported<AccountId> {
	/// Kinds of its offences.
	pub kinds: ReportsOf,
	/// Account that reported the first of them, and gets the deposit back.
	pub reporter: AccountId,
	/// Deposit for the row, in 10⁻¹⁸ AIT.
	pub deposit: u128,
}

/// Times of offences' reports, in UTC milliseconds, earliest first.
pub type Offences = BoundedVec<u64, ConstU32<{ ComputeParameters::MAX_OFFENCES }>>;
/// Receipts of one call.
pub type Receipts =
	BoundedVec<SignedReceipt, ConstU32<{ gridproof_primitives::compute::MAX_RECEIPTS_PER_CALL }>>;
/// Heartbeats of one call.
pub type Heartbeats = BoundedVec<
	SignedHeartbeat,
	ConstU32<{ gridproof_primitives::compute::MAX_HEARTBEATS_PER_CALL }>,
>;
/// Keys of the parties that one call pays.
pub type Payees =
	BoundedVec<PublicKey, ConstU32<{ gridproof_primitives::compute::MAX_PAYOUTS_PER_CALL }>>;
/// Ids of the jobs that one call closes or removes.
pub type JobIds =
	BoundedVec<H256, ConstU32<{ gridproof_primitives::compute::MAX_EXPIRIES_PER_CALL }>>;

/// Begin of emission and length of its steps.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Schedule {
	/// Begin of step 0, in UTC milliseconds; 0 until the chain knows the time.
	pub start_ms: u64,
	/// Length of a step, in milliseconds.
	pub step_ms: u64,
}

impl Default for Schedule {
	fn default() -> Self {
		Self { start_ms: 0, step_ms: STEP_MS }
	}
}

/// Part of a party in the last step in which it earned anything.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pending {
	/// Number of the step; `u64::MAX` before the first.
	pub step: u64,
	/// Sum of the claims of the party's receipts in that step, in 10⁻¹⁸ AIT; 0 if nothing is to be
	/// converted.
	pub claim: u128,
	/// Score that weighs a miner's receipts in that step, 0 … 10,000.
	pub score: u32,
}

impl Default for Pending {
	fn default() -> Self {
		Self { step: u64::MAX, claim: 0, score: 0 }
	}
}

/// A registered miner or coordinator.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Party<AccountId> {
	/// Role of the key: coordinator, or miner of a class.
	pub role: PartyRole,
	/// Account that pays the bond and is paid.
	pub account: AccountId,
	/// Bond held of that account for this party, in 10⁻¹⁸ AIT.
	pub bond: u128,
	/// Time of its registration, in UTC milliseconds.
	pub since_ms: u64,
	/// Time from which the bond can be withdrawn, in UTC milliseconds; `None` if it is not leaving.
	pub leaving_ms: Option<u64>,
	/// Time at which it began to leave, in UTC milliseconds; 0 if it is not leaving. A miner settles
	/// only jobs that were opened before.
	pub left_ms: u64,
	/// Time until which it is banned, in UTC milliseconds; in the past if it is not.
	pub banned_until_ms: u64,
	/// Times of its last offences' reports, in UTC milliseconds, earliest first.
	pub offences: Offences,
	/// Pending slashes, earliest first: time from which one is due, in UTC milliseconds, and amount
	/// in 10⁻¹⁸ AIT.
	pub slashes: BoundedVec<(u64, u128), ConstU32<{ ComputeParameters::MAX_OFFENCES }>>,
	/// Number of receipts settled: of jobs one at a time, of channels in batches.
	pub settled: u64,
	/// Compute units delivered.
	pub compute_units: u64,
	/// Part of a step that is not converted into AIT yet.
	pub pending: Pending,
	/// Number of a step whose part governance has forfeited: it returns to the reserve.
	pub forfeits: Option<u64>,
	/// AIT earned and not minted yet, in units of 10⁻¹⁸ AIT.
	pub accrued: u128,
	/// AIT minted to it, in units of 10⁻¹⁸ AIT.
	pub minted: u128,
	/// Service credit that its jobs used up, in micro-EUR.
	pub credit: u128,
}

impl<AccountId> Party<AccountId> {
	/// Returns a new party, registered at `now`.
	pub fn new(role: PartyRole, account: AccountId, bond: u128, now: u64) -> Self {
		Self {
			role,
			account,
			bond,
			since_ms: now,
			leaving_ms: None,
			left_ms: 0,
			banned_until_ms: 0,
			offences: Default::default(),
			slashes: Default::default(),
			settled: 0,
			compute_units: 0,
			pending: Pending::default(),
			forfeits: None,
			accrued: 0,
			minted: 0,
			credit: 0,
		}
	}

	/// Returns `true` if it is banned at `now`.
	pub const fn is_banned(&self, now: u64) -> bool {
		now < self.banned_until_ms
	}

	/// Returns `true` if less than half of the bond that `parameters` ask for is left.
	pub fn is_underbonded(&self, parameters: &ComputeParameters) -> bool {
		self.lacks_half_of(match self.role {
			PartyRole::Coordinator => parameters.coordinator_bond,
			PartyRole::Miner(_) => parameters.miner_bond,
		})
	}

	/// Returns `true` if less than half of a bond is left.
	pub const fn lacks_half_of(&self, required: u128) -> bool {
		self.bond < required.div_ceil(2)
	}

	/// Returns the class of a miner, `None` for a coordinator.
	pub const fn class(&self) -> Option<Class> {
		match self.role {
			PartyRole::Miner(class) => Some(class),
			PartyRole::Coordinator => None,
		}
	}

	/// Returns the number of offences that count at `now`.
	pub fn offences_at(&self, now: u64, memory_ms: u64) -> u32 {
		let counts = |time: &&u64| now.saturating_sub(**time) < memory_ms;
		u32::try_from(self.offences.iter().filter(counts).count()).unwrap_or(u32::MAX)
	}

	/// Returns the sum of all pending slashes, in 10⁻¹⁸ AIT.
	pub fn pending_slash(&self) -> u128 {
		self.slashes.iter().fold(0, |sum: u128, (_, amount)| sum.saturating_add(*amount))
	}
}

/// Key that replaces another one, and when.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exchange {
	/// Ed25519 public key that replaces the old one.
	pub key: PublicKey,
	/// Time from which it can, or since when it does, in UTC milliseconds.
	pub time_ms: u64,
}

/// What is remembered of a key or an account after its parties have left.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
	/// Times of the reports of its last offences, in UTC milliseconds, earliest first.
	pub offences: Offences,
	/// Time until which it is banned, in UTC milliseconds; in the past if it is not.
	pub banned_until_ms: u64,
}

impl History {
	/// Adds an offence; the earliest gives way.
	pub fn push(&mut self, now: u64) {
		push_offence(&mut self.offences, now);
	}

	/// Returns `true` if nothing in it counts any more at `now`.
	pub fn is_over(&self, now: u64, memory_ms: u64) -> bool {
		let counts = |time: &u64| now.saturating_sub(*time) < memory_ms;
		now >= self.banned_until_ms && !self.offences.iter().any(counts)
	}

	/// Returns what counts of two histories, of which one may repeat the other.
	pub fn merged(self, other: Self) -> Self {
		let Self { mut offences, banned_until_ms } = self;
		let count = |list: &Offences, time: &u64| list.iter().filter(|t| *t == time).count();
		for time in &other.offences {
			if count(&offences, time) < count(&other.offences, time) {
				push_offence(&mut offences, *time);
			}
		}
		offences.sort();
		Self { offences, banned_until_ms: banned_until_ms.max(other.banned_until_ms) }
	}
}

/// Adds the time of an offence; the earliest gives way.
pub fn push_offence(offences: &mut Offences, now: u64) {
	if offences.is_full() {
		offences.remove(0);
	}
	// There is room: one was removed above.
	let _ = offences.try_push(now);
}

/// Work of a miner in one hour.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HourOfWork {
	/// Memory times time, in 10⁻⁶ GB·s.
	pub gb_micro_seconds: u64,
	/// Tokens times the model's factor in thousandths.
	pub weighted_tokens: u64,
	/// Time at work, in milliseconds.
	pub busy_ms: u64,
	/// Number of jobs delivered.
	pub successes: u32,
	/// Number of jobs accepted and not delivered.
	pub failures: u32,
}

/// Recent work of a miner: the window from which its score is computed. Old hours and days drop out
/// as new ones begin, so its size never changes.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Activity {
	/// Latest hour in the window, counted from 1970.
	pub hour: u64,
	/// The last [`HOURS`] hours, hour h at index h modulo their number.
	pub hours: [HourOfWork; HOURS],
	/// Latest day in the window, counted from 1970.
	pub day: u64,
	/// Milliseconds online on the last [`DAYS`] days, day d at index d modulo their number.
	pub days: [u32; DAYS],
	/// Time of the last heartbeat, in UTC milliseconds; 0 if there was none.
	pub heartbeat_ms: u64,
}

/// Clears the entries of a ring of `ring.len()` periods that lie after `latest`, up to `now`.
fn advance<T: Default>(ring: &mut [T], latest: &mut u64, now: u64) {
	let length = u64::try_from(ring.len()).unwrap_or(u64::MAX);
	let passed = now.saturating_sub(*latest).min(length);
	for back in 0..passed {
		if let Some(place) = place(ring, now.saturating_sub(back)) {
			*place = T::default();
		}
	}
	*latest = (*latest).max(now);
}

/// Returns the entry of a period in its ring.
fn place<T>(ring: &mut [T], period: u64) -> Option<&mut T> {
	let length = u64::try_from(ring.len()).ok()?;
	ring.get_mut(usize::try_from(period.checked_rem(length)?).ok()?)
}

impl Activity {
	/// Drops what is too old from the window.
	pub fn advance(&mut self, now: u64) {
		advance(&mut self.hours, &mut self.hour, now.checked_div(HOUR_MS).unwrap_or(0));
		advance(&mut self.days, &mut self.day, now.checked_div(DAY_MS).unwrap_or(0));
	}

	fn this_hour(&mut self) -> Option<&mut HourOfWork> {
		let hour = self.hour;
		place(&mut self.hours, hour)
	}

	/// Adds a line of a settlement batch, or a job that does not count in the emission: one success.
	/// There are no measurements, or none that count. The window must be at the present time.
	pub fn add_line(&mut self) {
		if let Some(hour) = self.this_hour() {
			hour.successes = hour.successes.saturating_add(1);
		}
	}

	/// Adds a job delivered. The window must be at the present time.
	pub fn add_success(&mut self, telemetry: &Telemetry, model_factor: u32) {
		let Some(hour) = self.this_hour() else { return };
		let memory = u64::try_from(telemetry.gb_micro_seconds()).unwrap_or(u64::MAX);
		let tokens = telemetry.tokens().saturating_mul(model_factor.into());
		hour.gb_micro_seconds = hour.gb_micro_seconds.saturating_add(memory);
		hour.weighted_tokens = hour.weighted_tokens.saturating_add(tokens);
		hour.busy_ms = hour.busy_ms.saturating_add(telemetry.duration_ms);
		hour.successes = hour.successes.saturating_add(1);
	}

	/// Adds a job accepted and not delivered. The window must be at the present time.
	pub fn add_failure(&mut self) {
		if let Some(hour) = self.this_hour() {
			hour.failures = hour.failures.saturating_add(1);
		}
	}

	/// Adds time online. The window must be at the present time.
	pub fn add_online(&mut self, milliseconds: u64) {
		let day = self.day;
		if let Some(online) = place(&mut self.days, day) {
			let more = u32::try_from(milliseconds).unwrap_or(u32::MAX);
			let whole = u32::try_from(DAY_MS).unwrap_or(u32::MAX);
			*online = online.saturating_add(more).min(whole);
		}
	}

	/// Returns the numbers of jobs delivered, and accepted but not delivered, within the window.
	pub fn outcomes(&self) -> (u32, u32) {
		self.hours.iter().fold((0u32, 0u32), |(good, bad), hour| {
			(good.saturating_add(hour.successes), bad.saturating_add(hour.failures))
		})
	}

	/// Returns the time online within the window, in milliseconds.
	pub fn online_ms(&self) -> u64 {
		self.days.iter().fold(0, |sum: u64, day| sum.saturating_add((*day).into()))
	}

	/// Returns the inputs of the score. The window must be at the present time.
	pub fn score_inputs(&self) -> ScoreInputs {
		let sum = |of: fn(&HourOfWork) -> u64| {
			self.hours.iter().fold(0u128, |sum, hour| sum.saturating_add(of(hour).into()))
		};
		let ratio = |part: u128, whole: u128| Ratio::new(part, whole).unwrap_or(Ratio::ZERO);
		let (good, bad) = self.outcomes();
		let known = u128::from(good).saturating_add(bad.into());
		ScoreInputs {
			gb_seconds: Ratio::millionths(sum(|hour| hour.gb_micro_seconds)),
			// Thousandths of tokens over thousandths of seconds.
			tokens_per_second: ratio(sum(|hour| hour.weighted_tokens), sum(|hour| hour.busy_ms)),
			model_factor: Ratio::ONE,
			uptime_hours: ratio(self.online_ms().into(), HOUR_MS.into()),
			success_rate: Ratio::new(good.into(), known),
		}
	}
}

/// A job, open or closed.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job<AccountId> {
	/// Account that pays for it.
	pub client: AccountId,
	/// Key of its coordinator.
	pub coordinator: PublicKey,
	/// Asset in which it is paid.
	pub asset: PriceAsset,
	/// Terms that its receipt must keep.
	pub terms: JobTerms,
	/// Bond of which its coordinator must have half when it settles, in 10⁻¹⁸ AIT: the parameter
	/// when it was opened.
	pub coordinator_bond: u128,
	/// Bond of which its miner must have half when it settles, in 10⁻¹⁸ AIT: the parameter when it
	/// was opened.
	pub miner_bond: u128,
	/// Deposit for the row, in 10⁻¹⁸ AIT; returned to the client when the row is removed.
	pub deposit: u128,
	/// Time before which the quote could be opened, in UTC milliseconds; the row stays at least as
	/// long.
	pub expiry_ms: u64,
	/// Deadline before the client's cancellation, in UTC milliseconds; `None` if it is not
	/// cancelling.
	pub cancelled_from: Option<u64>,
	/// `true` if the quote names the miner: then no assignment can name another.
	pub pinned: bool,
	/// Number of the assignment on chain; 0 if there is none.
	pub attempt: u32,
	/// Time at which an assignment was recorded that its miner had signed too, in UTC
	/// milliseconds; `None` if the miner assigned has not accepted.
	pub accepted_ms: Option<u64>,
	/// Number of assignments recorded.
	pub assignments: u32,
	/// Time of the last assignment recorded, in UTC milliseconds; 0 if there was none.
	pub assigned_ms: u64,
	/// Time for which settlement had been stopped in all when its times were last set, in
	/// milliseconds: what came since moves them.
	pub stopped_ms: u64,
	/// Open, settled, cancelled or expired.
	pub state: JobState,
	/// Time at which it was closed, in UTC milliseconds; 0 while it is open.
	pub closed_ms: u64,
	/// Receipt that settled it.
	pub receipt: Option<ReceiptView>,
	/// What decides whether its receipt mints. The last member: rows of version 3 end before it.
	pub model: JobModel,
}

impl<AccountId> Job<AccountId> {
	/// Returns `true` if it is open and its deadline has passed.
	pub fn is_due(&self, now: u64) -> bool {
		self.state == JobState::Open && now >= self.terms.deadline_ms
	}

	/// Returns `true` if its receipt mints, by what the registry of models remembers.
	pub fn counts<Registry: ModelRegistry>(&self) -> bool {
		self.model.counts::<Registry>(self.terms.model_factor, self.terms.opened_ms)
	}

	/// Moves the times of an open job by as long as settlement has been stopped since they were set:
	/// its deadline, the one before a cancellation, and the begin of its miner's time. `stopped_ms`
	/// is for how long it has been stopped in all.
	pub fn stand_still(&mut self, stopped_ms: u64) {
		if self.state != JobState::Open {
			return;
		}
		let more = stopped_ms.saturating_sub(self.stopped_ms);
		let later = |time: u64| time.saturating_add(more);
		self.terms.deadline_ms = self.terms.deadline_ms.saturating_add(more);
		self.cancelled_from = self.cancelled_from.map(later);
		self.accepted_ms = self.accepted_ms.map(later);
		self.stopped_ms = stopped_ms;
	}

	/// Returns the state that it gets once its deadline has passed.
	pub const fn state_when_due(&self) -> JobState {
		if self.cancelled_from.is_some() { JobState::Cancelled } else { JobState::Expired }
	}

	/// Returns `true` if it has been closed long enough to be removed. A quote that can still be
	/// opened is remembered.
	pub fn is_old(&self, now: u64, retention_ms: u64) -> bool {
		let closed = self.state != JobState::Open;
		closed && now >= self.expiry_ms && now >= self.closed_ms.saturating_add(retention_ms)
	}
}

/// How long settlement has been stopped.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StopClock {
	/// Time for which it was stopped, as far as it has been counted, in milliseconds.
	pub total_ms: u64,
	/// Time up to which the present stop has been counted, in UTC milliseconds; `None` while nothing
	/// is stopped.
	pub counted_to: Option<u64>,
}

impl StopClock {
	/// Returns for how long settlement has been stopped in all at `now`, in milliseconds.
	pub fn at(&self, now: u64) -> u64 {
		let since = self.counted_to.map_or(0, |time| now.saturating_sub(time));
		self.total_ms.saturating_add(since)
	}

	/// Counts up to `now`, from when on settlement is stopped or not.
	pub fn tick(&mut self, now: u64, stopped: bool) {
		*self = Self { total_ms: self.at(now), counted_to: stopped.then_some(now) };
	}
}

/// Step to which receipts are added.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RunningStep {
	/// Number of the step, from 0.
	pub step: u64,
	/// Sum of the claims of its receipts, in 10⁻¹⁸ AIT.
	pub claims: u128,
	/// Number of parties that have earned in it.
	pub parties: u32,
}

/// Step that has ended and in which a party has a part to convert.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClosedStep {
	/// Parts of miners and coordinators, in 10⁻¹⁸ AIT; the treasury's is zero, because it has been
	/// set aside.
	pub shares: Shares,
	/// Whole pool, the treasury's part included, in 10⁻¹⁸ AIT.
	pub pool: u128,
	/// Sum of the claims of its receipts, in 10⁻¹⁸ AIT; at least the pool.
	pub claims: u128,
	/// Number of parties with a part to convert; the row is removed with the last one.
	pub parties: u32,
	/// Amount converted so far, in 10⁻¹⁸ AIT.
	pub converted: u128,
}

/// Totals since genesis, and of what is open.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
	/// AIT at genesis, in 10⁻¹⁸ AIT.
	pub genesis: u128,
	/// AIT minted, in 10⁻¹⁸ AIT.
	pub minted: u128,
	/// AIT earned and not minted yet, the treasury's included, in 10⁻¹⁸ AIT.
	pub promised: u128,
	/// The treasury's part of `promised`, in 10⁻¹⁸ AIT.
	pub treasury: u128,
	/// Number of coordinators registered.
	pub coordinators: u32,
	/// Number of miners registered.
	pub miners: u32,
	/// Number of jobs opened.
	pub opened: u64,
	/// Number of jobs open now.
	pub open: u64,
	/// Number of jobs settled.
	pub settled: u64,
	/// Number of jobs cancelled or released.
	pub cancelled: u64,
	/// Number of jobs expired.
	pub expired: u64,
	/// Prices held for open jobs in AIT, without deposits, in 10⁻¹⁸ AIT.
	pub escrow_ait: u128,
	/// Prices held for open jobs in AICP, in micro-tokens.
	pub escrow_aicp: u128,
	/// Prices held for open jobs in service credit, in micro-EUR.
	pub escrow_credit: u128,
	/// Compute units delivered.
	pub compute_units: u64,
}

impl Counters {
	/// Returns the sum of the prices held in an asset, for changing.
	pub const fn escrow_mut(&mut self, asset: PriceAsset) -> &mut u128 {
		match asset {
			PriceAsset::Ait => &mut self.escrow_ait,
			PriceAsset::Aicp => &mut self.escrow_aicp,
			PriceAsset::ServiceCredit => &mut self.escrow_credit,
		}
	}
}
