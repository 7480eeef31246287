//! What the pallet stores and shows.

use crate::totals::RunningTotals;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::pallet_prelude::{ConstU32, Get};
use frame_support::{BoundedVec, CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound};
use gridproof_primitives::{
	H256,
	crypto::ed25519::PublicKey,
	energy::{BatchHeader, BatchLimits, Certificate, MeterIndex, MeterState, Suspension},
	num::units::MILLIS_PER_DAY,
	time::day::Day,
};
use scale_info::TypeInfo;

pub use gridproof_primitives::energy::{
	Certification, NewDevice, Organisation, OrganisationIndex, OrganisationName,
	OrganisationStanding,
};

/// The canonical JSON of one reading, as it goes into a proof on chain.
pub type Leaf = BoundedVec<u8, ConstU32<4_096>>;
/// The siblings of a leaf, from the leaf upwards: enough for 2³² readings.
pub type InclusionProof = BoundedVec<H256, ConstU32<32>>;

/// Derives the accounts that energy belongs to.
pub trait EnergyAccounts<AccountId> {
	/// The account of a device: its key.
	fn device_account(device: &PublicKey) -> AccountId;

	/// The account from which either owner or device can spend.
	fn energy_account(owner: &AccountId, device: &PublicKey) -> AccountId;
}

/// A certificate, and what it rests on.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certified<AccountId, Balance> {
	/// What was certified; the electrician is who certified, exchanged or reinstated it last.
	pub certificate: Certificate<AccountId>,
	/// When it was certified, UTC milliseconds.
	pub certified_ms: u64,
	/// Until when the last consent was good, UTC milliseconds: the next one must last longer, so
	/// that none is used twice.
	pub consent_until_ms: u64,
	/// Who paid the deposit.
	pub depositor: AccountId,
	/// Deposit held for the meter's rows, in the native token.
	pub deposit: Balance,
}

/// What a batch is checked against and changes.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meter<AccountId> {
	/// What the rules of a batch need.
	pub state: MeterState,
	/// The key that signs its batches.
	pub device: PublicKey,
	/// Where its KWH goes.
	pub energy_account: AccountId,
	/// The organisation that answers for it.
	pub organisation: OrganisationIndex,
	/// Why its batches are refused, if they are.
	pub suspended: Option<Suspension>,
	/// Its energy in time.
	pub totals: RunningTotals,
}

/// A batch that was accepted.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(CloneNoBound, PartialEqNoBound, EqNoBound, DebugNoBound)]
#[scale_info(skip_type_params(MaxChain))]
pub enum BatchReference<MaxChain: Get<u32>> {
	/// One of those that the chain keeps.
	#[codec(index = 0)]
	Recent {
		/// Whose.
		meter: MeterIndex,
		/// Its number.
		sequence: u64,
	},
	/// The batch of the first header. The others follow it without a gap, up to one that the chain
	/// knows: its last batch, one that it keeps, or the one before.
	#[codec(index = 1)]
	Chain(BoundedVec<BatchHeader, MaxChain>),
}

impl<MaxChain: Get<u32>> BatchReference<MaxChain> {
	/// How many headers it has.
	pub fn headers(&self) -> u32 {
		match self {
			Self::Recent { .. } => 0,
			Self::Chain(headers) => u32::try_from(headers.len()).unwrap_or(u32::MAX),
		}
	}
}

/// What governance decides.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
	/// The most that a block mints, in Wh.
	pub block_wh: u64,
	/// The most that a day of UTC mints, in Wh.
	pub day_wh: u64,
	/// The rules of a batch.
	pub batch: BatchLimits,
}

impl Default for Limits {
	/// A GWh a block, 100 GWh a day: more than a million meters of 4 kW deliver.
	fn default() -> Self {
		Self { block_wh: 1_000_000_000, day_wh: 100_000_000_000, batch: BatchLimits::default() }
	}
}

impl Limits {
	/// Can the chain live with them?
	pub fn is_valid(&self) -> bool {
		let BatchLimits { max_skew_ms, tolerance_ppt } = self.batch;
		self.block_wh <= self.day_wh
			&& max_skew_ms <= MILLIS_PER_DAY
			&& (1..=MAX_TOLERANCE_PPT).contains(&tolerance_ppt)
	}
}

/// The widest tolerance that governance can set: ten times the rated power.
pub const MAX_TOLERANCE_PPT: u32 = 10_000;

/// What was minted lately.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage<BlockNumber> {
	/// The last block that minted.
	pub block: BlockNumber,
	/// What it minted, in Wh.
	pub block_wh: u64,
	/// The last day of UTC that minted.
	pub day: Day,
	/// What it minted, in Wh.
	pub day_wh: u64,
}

/// Sums over all time, for the audit. Issuance itself is always read from the token.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sums {
	/// KWH minted, in Wh.
	pub minted_wh: u128,
	/// Energy taken from the grid, in Wh.
	pub imported_wh: u128,
	/// Batches accepted.
	pub batches: u64,
	/// Readings in them.
	pub readings: u64,
	/// Organisations registered.
	pub organisations: u32,
	/// Their members.
	pub electricians: u32,
	/// Meters in service.
	pub meters: u32,
	/// Those of them that are suspended.
	pub suspended: u32,
}

/// The batches whose signatures were found good, and where that counts.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark<BlockNumber> {
	/// The block.
	pub block: BlockNumber,
	/// The extrinsic in it.
	pub extrinsic: u32,
	/// Hash of the batches with their signatures.
	pub batches: H256,
}
