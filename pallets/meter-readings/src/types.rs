//! Types that the pallet stores and its queries return.

use crate::totals::RunningTotals;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::pallet_prelude::{ConstU32, Get};
use frame_support::{BoundedVec, CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound};
use gridproof_primitives::{
	H256,
	crypto::ed25519::PublicKey,
	energy::{
		BatchHeader, BatchLimits, Certificate, LastSeen, MAX_BACKDATE_MS, MAX_RATED_POWER_W,
		MeterIndex, MeterState, PointId, PointState, Suspension,
	},
	num::units::MILLIS_PER_DAY,
	time::day::Day,
};
use scale_info::TypeInfo;

pub use gridproof_primitives::energy::{
	Certification, NewDevice, Organisation, OrganisationIndex, OrganisationName,
	OrganisationStanding,
};

/// Canonical JSON of one reading in a proof on chain, at most 4,096 bytes.
pub type Leaf = BoundedVec<u8, ConstU32<4_096>>;
/// Siblings of a leaf, from the leaf upwards: at most 32, enough for 2³² readings.
pub type InclusionProof = BoundedVec<H256, ConstU32<32>>;

/// Derives the accounts that own energy.
pub trait EnergyAccounts<AccountId> {
	/// Returns the account of a device key.
	fn device_account(device: &PublicKey) -> AccountId;

	/// Returns the account from which owner and device can each spend: 1-of-2.
	fn energy_account(owner: &AccountId, device: &PublicKey) -> AccountId;
}

/// Certificate with its consent and its deposit.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certified<AccountId, Balance> {
	/// What was certified; `electrician` is the one who certified, exchanged or reinstated it last.
	pub certificate: Certificate<AccountId>,
	/// Time of its certification, in UTC milliseconds.
	pub certified_ms: u64,
	/// Time until which the last consent was valid, in UTC milliseconds.
	pub consent_until_ms: u64,
	/// Account that paid the deposit.
	pub depositor: AccountId,
	/// Deposit held for the meter's rows, in 10⁻¹⁸ AIT.
	pub deposit: Balance,
}

/// State of a meter, against which a batch is checked and which it changes.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meter<AccountId> {
	/// Sequence number, last hash and registers, as the rules of a batch need them.
	pub state: MeterState,
	/// Ed25519 public key that signs its batches.
	pub device: PublicKey,
	/// Account that receives its KWH.
	pub energy_account: AccountId,
	/// Number of the organisation that vouches for it.
	pub organisation: OrganisationIndex,
	/// Reason for its suspension; `None` if its batches are accepted.
	pub suspended: Option<Suspension>,
	/// `true` if its exports mint: its organisation was admitted when it was certified, or it was
	/// admitted since.
	pub mints: bool,
	/// Energy that it minted on the last day on which it did, in Wh.
	pub minted_today: DayUsage,
	/// Batches that it had free of fees in the last hour in which it had any.
	pub free_batches: HourUsage,
	/// Its energy over spans of time.
	pub totals: RunningTotals,
}

impl<AccountId> Meter<AccountId> {
	/// Returns those among whom its serial number and its seal are unique: all meters that mint
	/// (`None`), or those of its organisation that do not.
	pub(crate) fn scope(&self) -> Option<OrganisationIndex> {
		(!self.mints).then_some(self.organisation)
	}
}

/// Energy minted on one UTC day.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DayUsage {
	/// UTC day to which the energy belongs.
	pub day: Day,
	/// Energy minted on it, in Wh.
	pub wh: u64,
}

impl DayUsage {
	/// Returns the energy minted on `day`, in Wh.
	pub(crate) fn on(&self, day: Day) -> u64 {
		if self.day == day { self.wh } else { 0 }
	}

	/// Adds energy minted on `day`, in Wh.
	pub(crate) fn add(&mut self, day: Day, wh: u64) {
		*self = Self { day, wh: self.on(day).saturating_add(wh) };
	}
}

/// Number of batches in one hour.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HourUsage {
	/// Number of the hour since 1970.
	pub hour: u32,
	/// Number of batches in it.
	pub count: u32,
}

impl HourUsage {
	/// Returns the number of the hour of a time in UTC milliseconds.
	pub(crate) fn hour_of(now_ms: u64) -> u32 {
		u32::try_from(now_ms.checked_div(3_600_000).unwrap_or(0)).unwrap_or(u32::MAX)
	}

	/// Returns the number in this hour.
	pub(crate) fn on(&self, hour: u32) -> u32 {
		if self.hour == hour { self.count } else { 0 }
	}

	/// Counts one in this hour.
	pub(crate) fn add(&mut self, hour: u32) {
		*self = Self { hour, count: self.on(hour).saturating_add(1) };
	}
}

/// A metering point: meters of one owner that mint and are netted with one another.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Point<AccountId> {
	/// Its id, plain ASCII, as the first of its meters named it.
	pub id: PointId,
	/// Account that owns the energy of all its meters.
	pub owner: AccountId,
	/// What its meters stated, and what of it mints.
	pub state: PointState,
}

/// A deposit, with the account that paid it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deposit<AccountId, Balance> {
	/// Account of which it is held.
	pub who: AccountId,
	/// The deposit, in 10⁻¹⁸ AIT.
	pub amount: Balance,
}

/// What is left of a name, a serial number, a seal or a key.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tombstone {
	/// End of what was stated under it, in UTC milliseconds.
	pub until_ms: u64,
	/// Energy that its meter had to deliver before it would have minted again, in Wh.
	pub owed_wh: u64,
	/// Time at which its meter went, or got another one, in UTC milliseconds; 0 if that was before this was
	/// recorded.
	pub gone_ms: u64,
	/// What was seen last of its import register; `None` of a key, and of a seal that another one replaced.
	pub last: Option<LastSeen>,
}

/// What earlier meters left to one that is certified, or that takes another one's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Left {
	/// End of what was stated, in UTC milliseconds.
	pub(crate) until_ms: u64,
	/// Energy that has to be delivered before anything mints, in Wh.
	pub(crate) owed_wh: u64,
	/// Energy that the same device drew since and that no batch stated, in Wh.
	pub(crate) unseen_wh: u64,
	/// Index of the meter as which the device went out of service, if it did.
	pub(crate) device: Option<MeterIndex>,
}

impl Left {
	/// Adds that the device shows `unseen_wh` more than when it was this meter. Where serial number and
	/// seal lead to two meters, the larger one counts: it covers the other.
	pub(crate) fn add_device(&mut self, meter: Option<MeterIndex>, unseen_wh: u64) {
		if unseen_wh >= self.unseen_wh {
			(self.device, self.unseen_wh) = (meter, unseen_wh);
		}
	}
}

/// Reference to an accepted batch.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(CloneNoBound, PartialEqNoBound, EqNoBound, DebugNoBound)]
#[scale_info(skip_type_params(MaxChain))]
pub enum BatchReference<MaxChain: Get<u32>> {
	/// One of the batches that the chain keeps.
	#[codec(index = 0)]
	Recent {
		/// Index of the meter.
		meter: MeterIndex,
		/// Sequence number of the batch, from 0.
		sequence: u64,
	},
	/// The batch of the first header. The others follow it without a gap, up to one that the chain
	/// knows: its last batch, one that it keeps, or the one before.
	#[codec(index = 1)]
	Chain(BoundedVec<BatchHeader, MaxChain>),
}

impl<MaxChain: Get<u32>> BatchReference<MaxChain> {
	/// Returns the number of headers; 0 for a batch that the chain keeps.
	pub fn headers(&self) -> u32 {
		match self {
			Self::Recent { .. } => 0,
			Self::Chain(headers) => u32::try_from(headers.len()).unwrap_or(u32::MAX),
		}
	}
}

/// Limits that governance sets.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
	/// Highest energy that a block mints, in Wh; at most `day_wh`.
	pub block_wh: u64,
	/// Highest energy that a UTC day mints, in Wh.
	pub day_wh: u64,
	/// Highest energy that the meters of one organisation mint in a UTC day, in Wh; at most `day_wh`.
	pub organisation_day_wh: u64,
	/// Highest rated power of a meter that is certified, in W; at least 1.
	pub max_rated_power_w: u32,
	/// Time by which certified service may begin before its certification, in milliseconds; at most
	/// seven days.
	pub max_backdate_ms: u64,
	/// Clock skew, tolerance, and what is free of fees, of a single batch.
	pub batch: BatchLimits,
}

impl Default for Limits {
	/// 1 GWh a block and 100 GWh a day: more than a million meters of 4 kW deliver. A fifth of it for
	/// one organisation.
	fn default() -> Self {
		Self {
			block_wh: 1_000_000_000,
			day_wh: 100_000_000_000,
			organisation_day_wh: 20_000_000_000,
			max_rated_power_w: MAX_RATED_POWER_W,
			max_backdate_ms: MAX_BACKDATE_MS,
			batch: BatchLimits::default(),
		}
	}
}

impl Limits {
	/// Returns `true` if neither a block nor an organisation mints more than a day, some power is
	/// allowed, service begins at most [`MAX_BACKDATE_LIMIT_MS`] ago, the clock skew and the shortest
	/// free batch are at most a day, and the tolerance is at least 1 and at most
	/// [`MAX_TOLERANCE_PPT`].
	pub fn is_valid(&self) -> bool {
		let BatchLimits { max_skew_ms, tolerance_ppt, min_free_ms, .. } = self.batch;
		self.block_wh <= self.day_wh
			&& self.organisation_day_wh <= self.day_wh
			&& self.max_rated_power_w > 0
			&& self.max_backdate_ms <= MAX_BACKDATE_LIMIT_MS
			&& max_skew_ms <= MILLIS_PER_DAY
			&& min_free_ms <= MILLIS_PER_DAY
			&& (1..=MAX_TOLERANCE_PPT).contains(&tolerance_ppt)
	}
}

/// Highest tolerance that governance can set, in parts per thousand: ten times the rated power.
pub const MAX_TOLERANCE_PPT: u32 = 10_000;

/// Highest value that governance can set for [`Limits::max_backdate_ms`]: seven days.
pub const MAX_BACKDATE_LIMIT_MS: u64 = 7 * MILLIS_PER_DAY;

/// Energy minted in the last block and the last day that accepted a batch.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage<BlockNumber> {
	/// Last block that accepted a batch.
	pub block: BlockNumber,
	/// Energy minted in it, in Wh.
	pub block_wh: u64,
	/// Highest limit that was in force when it minted, in Wh.
	pub block_limit_wh: u64,
	/// Last UTC day that accepted a batch.
	pub day: Day,
	/// Energy minted on it, in Wh.
	pub day_wh: u64,
	/// Highest limit that was in force when it minted, in Wh.
	pub day_limit_wh: u64,
}

/// Totals since genesis, for the audit. Issuance itself is always read from the token.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sums {
	/// KWH minted, in Wh.
	pub minted_wh: u128,
	/// Energy delivered to the grid that was never minted, in Wh: nobody vouched for it, or its
	/// organisation was not admitted.
	pub unminted_wh: u128,
	/// Energy taken from the grid, in Wh.
	pub imported_wh: u128,
	/// Number of batches accepted.
	pub batches: u64,
	/// Number of readings in them.
	pub readings: u64,
	/// Number of organisations registered at present.
	pub organisations: u32,
	/// Number of their members.
	pub electricians: u32,
	/// Number of meters in service.
	pub meters: u32,
	/// Number of meters in service that are suspended.
	pub suspended: u32,
}

/// Mark of batches whose signatures were verified, and of the extrinsic in which that counts.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark<BlockNumber> {
	/// Number of the block.
	pub block: BlockNumber,
	/// Index of the extrinsic in it, from 0.
	pub extrinsic: u32,
	/// Hash of the batches with their signatures (blake2-256).
	pub batches: H256,
}
