use crate::{self as pallet_governance, *};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	assert_noop, assert_ok, derive_impl, parameter_types,
	traits::{ConstU32, ConstU64, Contains, EnsureOrigin, Hooks},
	weights::Weight,
};
use frame_system::{EnsureRoot, EnsureSignedBy};
use scale_info::TypeInfo;
use sp_runtime::{BuildStorage, DispatchError, DispatchResult};

type Block = frame_system::mocking::MockBlock<Test>;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system::Pallet<Test>;
	#[runtime::pallet_index(1)]
	pub type Governance = pallet_governance::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
}

parameter_types! {
	/// Level of the brake.
	pub static Level: u8 = 0;
	/// Whether the brake can be eased.
	pub static Jammed: bool = false;
}

frame_support::ord_parameter_types! {
	pub const Five: u64 = 5;
}

/// A brake that a remark of one byte raises to that level; one of none ends automatically.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Brake {
	Level { from: u8, to: u8 },
	Blink,
}

impl Stoppable<RuntimeCall> for Brake {
	fn of(call: &RuntimeCall) -> Option<Self> {
		match call {
			RuntimeCall::System(frame_system::Call::remark { remark }) => match remark[..] {
				[] => Some(Self::Blink),
				[to] => Some(Self::Level { from: Level::get(), to }),
				_ => None,
			},
			_ => None,
		}
	}

	fn is_same(&self, other: &Self) -> bool {
		match (self, other) {
			(Self::Level { to, .. }, Self::Level { to: other, .. }) => to == other,
			_ => self == other,
		}
	}

	fn is_of_same_thing(&self, other: &Self) -> bool {
		matches!((self, other), (Self::Level { .. }, Self::Level { .. })) || self == other
	}

	fn stricter_than(&self, other: &Self) -> Option<Self> {
		match (self, other) {
			(Self::Level { to, .. }, Self::Level { from, to: less }) if to > less => {
				Some(Self::Level { from: *from, to: *to })
			},
			_ => None,
		}
	}

	fn ends_by_itself(&self) -> bool {
		*self == Self::Blink
	}

	fn holds(&self) -> bool {
		matches!(self, Self::Level { to, .. } if Level::get() == *to)
	}

	fn end(self) -> DispatchResult {
		if Jammed::get() {
			return Err(DispatchError::Other("jammed"));
		}
		if let Self::Level { from, .. } = self {
			Level::set(from);
		}
		Ok(())
	}

	fn weight_to_end() -> Weight {
		Weight::from_parts(9, 0)
	}
}

pub struct Remarks;

impl Contains<RuntimeCall> for Remarks {
	fn contains(call: &RuntimeCall) -> bool {
		matches!(call, RuntimeCall::System(frame_system::Call::remark { .. }))
	}
}

impl Config for Test {
	type CommitteeOrigin = EnsureSignedBy<Five, u64>;
	type GovernanceOrigin = frame_support::traits::EitherOf<EnsureRoot<u64>, EnsureStandard>;
	type Lifts = Remarks;
	type MaxStops = ConstU32<3>;
	type RuntimeCall = RuntimeCall;
	type RuntimeOrigin = RuntimeOrigin;
	type Stop = Brake;
	type StopLength = ConstU64<10>;
}

fn build_and_execute(test: impl FnOnce()) {
	let config = RuntimeGenesisConfig::default();
	let mut ext: sp_io::TestExternalities = config.build_storage().expect("it builds").into();
	ext.execute_with(|| {
		Level::set(0);
		Jammed::set(false);
		System::set_block_number(1);
		test();
		assert_eq!(Governance::do_try_state(), Ok(()));
	});
}

fn remark(bytes: &[u8]) -> RuntimeCall {
	frame_system::Call::remark { remark: bytes.to_vec() }.into()
}

/// The committee raises the brake to a level, as its call would.
fn brake(to: u8) -> DispatchResult {
	Governance::stop(RuntimeOrigin::signed(5), Box::new(remark(&[to])))?;
	Level::set(to);
	Ok(())
}

fn run_to(block: u64) -> Weight {
	let mut weight = Weight::zero();
	for now in System::block_number() + 1..=block {
		System::set_block_number(now);
		weight = Governance::on_initialize(now);
	}
	weight
}

#[test]
fn only_the_committee_stops_and_only_what_stops() {
	build_and_execute(|| {
		let stop = |origin, bytes: &[u8]| Governance::stop(origin, Box::new(remark(bytes)));
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::signed(4), RuntimeOrigin::none()] {
			assert_noop!(stop(origin, &[1]), DispatchError::BadOrigin);
		}
		assert_noop!(stop(RuntimeOrigin::signed(5), &[1, 2]), Error::<Test>::NotAStop);
		assert_ok!(stop(RuntimeOrigin::signed(5), &[1]));
		let raised = Brake::Level { from: 0, to: 1 };
		let event = Event::Stopped { stop: raised.clone(), ends: Some(11), again: 21 };
		System::assert_last_event(event.into());
		let row = Raised { stop: raised, ends: Some(11), again: 21 };
		assert_eq!(Governance::stops(), vec![row]);
	});
}

#[test]
fn a_stop_ends_in_its_block_and_rests_as_long_as_it_stood() {
	build_and_execute(|| {
		assert_ok!(brake(1));
		assert_noop!(brake(1), Error::<Test>::TooSoon);
		run_to(10);
		assert_eq!(Level::get(), 1);
		assert_noop!(brake(1), Error::<Test>::TooSoon);
		assert!(run_to(11).all_gte(Brake::weight_to_end()));
		assert_eq!(Level::get(), 0);
		let stop = Brake::Level { from: 0, to: 1 };
		System::assert_last_event(Event::Ended { stop, result: Ok(()) }.into());
		assert_noop!(brake(1), Error::<Test>::TooSoon);
		run_to(20);
		assert_noop!(brake(1), Error::<Test>::TooSoon);
		run_to(21);
		assert!(Governance::stops().is_empty());
		assert_ok!(brake(1));
	});
}

#[test]
fn one_thing_is_not_stopped_to_one_extent_and_the_other_in_turn() {
	build_and_execute(|| {
		assert_ok!(brake(1));
		run_to(11);
		assert_eq!(Level::get(), 0);
		assert_noop!(brake(2), Error::<Test>::TooSoon);
		// Another thing is.
		assert_ok!(Governance::stop(RuntimeOrigin::signed(5), Box::new(remark(&[]))));
		run_to(21);
		assert_ok!(brake(2));
	});
}

#[test]
fn what_governance_ended_does_not_end_again() {
	build_and_execute(|| {
		assert_ok!(brake(1));
		run_to(3);
		Level::set(0);
		run_to(5);
		// Governance stops it itself.
		Level::set(1);
		assert_noop!(brake(1), Error::<Test>::TooSoon);
		run_to(21);
		assert_eq!(Level::get(), 1);
		assert!(Governance::stops().is_empty());
	});
}

#[test]
fn a_stop_that_cannot_be_ended_says_so_once() {
	build_and_execute(|| {
		assert_ok!(brake(1));
		Jammed::set(true);
		run_to(20);
		let ended = |record: &frame_system::EventRecord<RuntimeEvent, _>| {
			matches!(record.event, RuntimeEvent::Governance(Event::Ended { result: Err(_), .. }))
		};
		assert_eq!(System::events().iter().filter(|record| ended(record)).count(), 1);
		assert_eq!(Level::get(), 1);
	});
}

#[test]
fn governance_keeps_a_stop_and_the_committee_cannot() {
	build_and_execute(|| {
		assert_ok!(brake(1));
		let stop = || Brake::Level { from: 0, to: 1 };
		assert_noop!(Governance::keep(RuntimeOrigin::signed(5), stop()), DispatchError::BadOrigin);
		let governance = || RuntimeOrigin::from(Origin::Standard);
		assert_noop!(Governance::keep(governance(), Brake::Blink), Error::<Test>::NotFound);
		assert_ok!(Governance::keep(governance(), stop()));
		System::assert_last_event(Event::Kept { stop: stop() }.into());
		assert_noop!(Governance::keep(governance(), stop()), Error::<Test>::NotFound);
		run_to(20);
		assert_eq!(Level::get(), 1);
	});
}

#[test]
fn a_stricter_stop_ends_with_the_first_and_leads_back_before_it() {
	build_and_execute(|| {
		assert_ok!(brake(1));
		run_to(6);
		assert_ok!(brake(2));
		let stricter = Raised { stop: Brake::Level { from: 0, to: 2 }, ends: Some(11), again: 26 };
		assert_eq!(Governance::stops().last(), Some(&stricter));
		run_to(11);
		assert_eq!(Level::get(), 0);
		run_to(25);
		for level in [1, 2] {
			assert_noop!(brake(level), Error::<Test>::TooSoon);
		}
		run_to(26);
		assert_ok!(brake(1));
	});
}

#[test]
fn what_ends_by_itself_is_counted_and_not_ended() {
	build_and_execute(|| {
		let blink = || Governance::stop(RuntimeOrigin::signed(5), Box::new(remark(&[])));
		assert_ok!(blink());
		assert_noop!(blink(), Error::<Test>::TooSoon);
		run_to(21);
		assert!(Governance::stops().is_empty());
		assert_ok!(blink());
	});
}

#[test]
fn no_more_stops_are_remembered_than_there_is_room_for() {
	build_and_execute(|| {
		for level in 1..=3 {
			assert_ok!(brake(level));
		}
		assert_noop!(brake(4), Error::<Test>::MaxStopsExceeded);
		run_to(21);
		assert_ok!(brake(4));
	});
}

#[test]
fn only_the_emergency_track_lifts_and_only_what_is_a_lift() {
	build_and_execute(|| {
		let lift = |origin, call| Governance::lift(origin, Box::new(call));
		for origin in [
			RuntimeOrigin::root(),
			RuntimeOrigin::signed(5),
			Origin::Standard.into(),
			Origin::Committee.into(),
		] {
			assert_noop!(lift(origin, remark(&[1])), DispatchError::BadOrigin);
		}
		assert_ok!(lift(Origin::Emergency.into(), remark(&[1])));
		let other = frame_system::Call::remark_with_event { remark: vec![1] }.into();
		assert_noop!(lift(Origin::Emergency.into(), other), Error::<Test>::NotALift);
	});
}

#[test]
fn each_origin_is_itself_and_no_other() {
	build_and_execute(|| {
		let standard = |origin| EnsureStandard::try_origin(RuntimeOrigin::from(origin)).is_ok();
		let committee = |origin| EnsureCommittee::try_origin(RuntimeOrigin::from(origin)).is_ok();
		assert!(standard(Origin::Standard));
		assert!(!standard(Origin::Emergency) && !standard(Origin::Committee));
		assert!(committee(Origin::Committee));
		assert!(!committee(Origin::Standard) && !committee(Origin::Emergency));
		assert!(EnsureStandard::try_origin(RuntimeOrigin::root()).is_err());
		assert!(EnsureCommittee::try_origin(RuntimeOrigin::signed(5)).is_err());
	});
}
