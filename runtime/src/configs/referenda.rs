//! `pallet_referenda`: three tracks, whose periods are days of the chain's calendar.

use crate::{
	AccountId, Balance, Balances, BlockNumber, OriginCaller, Preimage, Runtime, RuntimeCall,
	RuntimeEvent, Scheduler, System, Treasury,
	configs::governance::{Days, blocks_of_a_day},
	constants::currency::AIT,
};
use alloc::borrow::Cow;
use frame_support::traits::{AsEnsureOriginWithArg, ConstU32, ConstU128};
use frame_system::{EnsureRoot, EnsureSigned, RawOrigin};
use pallet_governance::Origin;
use pallet_referenda::{Curve, Track, TrackInfo, TracksInfo};
use sp_runtime::{PerThing, Perbill};

/// Track of what governance decides every day: parameters, models, admissions, spends.
pub const STANDARD: u16 = 0;
/// Track whose referenda dispatch as root: upgrades, and whatever else only root may do.
pub const ROOT: u16 = 1;
/// Track that lifts stops and excludes, within a day.
pub const EMERGENCY: u16 = 2;

/// Deposit without which no referendum is decided: 1,000 AIT, returned when it is over.
pub const DECISION_DEPOSIT: Balance = 1_000 * AIT;
/// Deposit of who proposes, in AIT: returned if the proposal is approved.
pub const SUBMISSION_DEPOSIT: Balance = 10 * AIT;

/// Share of all votes given that must be ayes.
pub const APPROVAL: Perbill = Perbill::from_percent(51);
/// Share of the AIT that can vote that must be ayes.
pub const SUPPORT: Perbill = Perbill::from_percent(10);

/// Parts of a decision period: in the last one, what passes must pass throughout.
const PARTS: u32 = 8;

/// Returns a name as long as a track's is.
const fn name(text: &[u8]) -> [u8; 25] {
	let mut name = [0; 25];
	let (mut rest, mut to) = (text, name.as_mut_slice());
	while let ([first, others @ ..], [place, places @ ..]) = (rest, to) {
		*place = *first;
		rest = others;
		to = places;
	}
	name
}

/// Tracks of this chain.
pub struct Tracks;

impl Tracks {
	/// Returns a track whose decision takes `days` and what it decides waits `wait` days.
	///
	/// Until seven eighths of that time are over, only the support of everybody would do: so nothing
	/// is decided before people had the whole time to vote. Then it must pass for the last eighth.
	fn track(
		id: u16,
		name: [u8; 25],
		days: u32,
		wait: u32,
		max_deciding: u32,
	) -> Track<u16, Balance, BlockNumber> {
		let decision_period = blocks_of_a_day().saturating_mul(days);
		let last = Perbill::from_rational(1, PARTS);
		let min_support = Curve::SteppedDecreasing {
			begin: Perbill::one(),
			end: SUPPORT,
			step: SUPPORT.left_from_one(),
			period: last.left_from_one(),
		};
		let min_approval =
			Curve::LinearDecreasing { length: Perbill::one(), floor: APPROVAL, ceil: APPROVAL };
		let info = TrackInfo {
			name,
			max_deciding,
			decision_deposit: DECISION_DEPOSIT,
			prepare_period: 0,
			decision_period,
			confirm_period: last.mul_floor(decision_period).max(1),
			min_enactment_period: blocks_of_a_day().saturating_mul(wait).max(1),
			min_approval,
			min_support,
		};
		Track { id, info }
	}
}

impl TracksInfo<Balance, BlockNumber> for Tracks {
	type Id = u16;
	type RuntimeOrigin = OriginCaller;

	fn tracks() -> impl Iterator<Item = Cow<'static, Track<u16, Balance, BlockNumber>>> {
		[
			// So many at once that nobody fills a track with deposits and keeps others waiting.
			Self::track(STANDARD, name(b"standard"), 7, 0, 50),
			Self::track(ROOT, name(b"root"), 7, 3, 20),
			Self::track(EMERGENCY, name(b"emergency"), 1, 0, 50),
		]
		.into_iter()
		.map(Cow::Owned)
	}

	fn track_for(origin: &OriginCaller) -> Result<u16, ()> {
		match origin {
			OriginCaller::system(RawOrigin::Root) => Ok(ROOT),
			OriginCaller::Governance(Origin::Standard) => Ok(STANDARD),
			OriginCaller::Governance(Origin::Emergency) => Ok(EMERGENCY),
			_ => Err(()),
		}
	}
}

impl pallet_referenda::Config for Runtime {
	type AlarmInterval = ConstU32<1>;
	type BlockNumberProvider = System;
	type CancelOrigin = EnsureRoot<AccountId>;
	type Currency = Balances;
	type KillOrigin = EnsureRoot<AccountId>;
	type MaxQueued = ConstU32<50>;
	type Preimages = Preimage;
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type Scheduler = Scheduler;
	type Slash = Treasury;
	type SubmissionDeposit = ConstU128<SUBMISSION_DEPOSIT>;
	type SubmitOrigin = AsEnsureOriginWithArg<EnsureSigned<AccountId>>;
	type Tally = pallet_conviction_voting::TallyOf<Runtime>;
	type Tracks = Tracks;
	type UndecidingTimeout = Days<14>;
	type Votes = Balance;
	type WeightInfo = pallet_referenda::weights::SubstrateWeight<Runtime>;
}
