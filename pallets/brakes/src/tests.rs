use crate::{self as pallet_brakes, *};
use frame_support::{
	assert_noop, assert_ok, derive_impl, parameter_types,
	traits::{Hooks, UnfilteredDispatchable},
};
use frame_system::EnsureRoot;
use sp_runtime::{BuildStorage, DispatchError};

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
	pub type Brakes = pallet_brakes::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
}

parameter_types! {
	/// Of KWH: what must be, and what is.
	pub static Kwh: (u128, u128) = (10, 10);
	/// Tokens whose mint was stopped, in order.
	pub static Stopped: Vec<Token> = Vec::new();
}

pub struct Three;

impl Tokens for Three {
	fn supply(token: Token) -> Supply {
		match token {
			Token::Kwh => Supply { expected: Kwh::get().0, actual: Kwh::get().1 },
			_ => Supply { expected: 7, actual: 7 },
		}
	}

	fn stop_mint(token: Token) {
		Stopped::mutate(|stopped| stopped.push(token));
	}

	fn weight() -> Weight {
		Weight::from_parts(5, 0)
	}
}

impl Config for Test {
	type GovernanceOrigin = EnsureRoot<u64>;
	type Tokens = Three;
}

fn build_and_execute(test: impl FnOnce()) {
	let config = RuntimeGenesisConfig {
		brakes: pallet_brakes::GenesisConfig { emergency: Some(5) },
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = config.build_storage().expect("it builds").into();
	ext.execute_with(|| {
		Kwh::set((10, 10));
		Stopped::set(Vec::new());
		System::set_block_number(1);
		test();
	});
}

fn emergency(who: u64) -> bool {
	EnsureEmergency::<Test>::try_origin(RuntimeOrigin::signed(who)).is_ok()
}

#[test]
fn governance_names_who_may_stop() {
	build_and_execute(|| {
		assert!(emergency(5) && !emergency(6));
		assert!(EnsureEmergency::<Test>::try_origin(RuntimeOrigin::root()).is_err());
		assert_ok!(Brakes::set_emergency_account(RuntimeOrigin::root(), Some(6)));
		assert!(emergency(6) && !emergency(5));
		System::assert_last_event(Event::EmergencyAccountSet { old: Some(5), new: Some(6) }.into());
		assert_noop!(
			Brakes::set_emergency_account(RuntimeOrigin::root(), Some(6)),
			Error::<Test>::Unchanged
		);
		// Not even the account itself passes its office on.
		assert_noop!(
			Brakes::set_emergency_account(RuntimeOrigin::signed(6), Some(7)),
			DispatchError::BadOrigin
		);
		assert_ok!(
			Call::<Test>::set_emergency_account { new: None }
				.dispatch_bypass_filter(RuntimeOrigin::root())
		);
		assert!(!emergency(6));
	});
}

#[test]
fn a_supply_that_is_not_what_it_must_be_stops_that_mint_once() {
	build_and_execute(|| {
		Brakes::on_finalize(1);
		assert_eq!((Stopped::get(), System::events().len()), (vec![], 0));
		for (supply, stops) in [((10, 11), 1), ((20, 21), 1), ((20, 22), 2), ((20, 19), 3)] {
			Kwh::set(supply);
			for _ in 0..2 {
				Brakes::on_finalize(1);
				assert_eq!(Stopped::get(), vec![Token::Kwh; stops]);
			}
		}
		let supply = Supply { expected: 20, actual: 19 };
		System::assert_last_event(Event::SupplyDiffers { token: Token::Kwh, supply }.into());
	});
}

#[test]
fn a_supply_that_agrees_again_is_an_event_and_starts_nothing() {
	build_and_execute(|| {
		Kwh::set((10, 9));
		Brakes::on_finalize(1);
		Kwh::set((10, 10));
		Brakes::on_finalize(2);
		System::assert_last_event(Event::SupplyAgrees { token: Token::Kwh }.into());
		assert_eq!(Stopped::get(), vec![Token::Kwh]);
		assert!(!KnownDifference::<Test>::contains_key(Token::Kwh));
	});
}

#[test]
fn extreme_supplies_break_nothing() {
	build_and_execute(|| {
		for supply in [(0, u128::MAX), (u128::MAX, 0), (u128::MAX, u128::MAX)] {
			Kwh::set(supply);
			Brakes::on_finalize(1);
		}
		assert_eq!(Stopped::get().len(), 2);
	});
}
