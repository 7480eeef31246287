//! Parameters, breaker, genesis.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::compute::ComputeParameterError;
use sp_runtime::{BuildStorage, DispatchError};

#[test]
fn only_governance_sets_parameters_and_only_such_as_go_together() {
	build_and_execute(|| {
		let old = Parameters::<Test>::get();
		let new = ComputeParameters { mint_per_unit: 1, ..old };
		let call = || Call::set_parameters { new: Box::new(new) };
		assert_noop!(dispatch(call(), account(99)), DispatchError::BadOrigin);
		assert_ok!(dispatch_as(call(), RuntimeOrigin::root()));
		assert_eq!(events(), vec![Event::ParametersSet { old: Box::new(old), new: Box::new(new) }]);
		assert_noop!(set_parameters(|_| ()), Error::<Test>::Unchanged);
		assert_noop!(set_parameters(|p| p.miner_bond = 0), Error::<Test>::InvalidParameters);
		let fault = ComputeReceipts::check_parameters(ComputeParameters { miner_bond: 0, ..old });
		assert_eq!(fault, Err(ComputeParameterError::Bonds));
	});
}

#[test]
fn who_may_pause_raises_the_breaker_and_only_governance_lowers_it() {
	build_and_execute(|| {
		let set = |new, who| dispatch(Call::set_breaker { new }, account(who));
		assert_noop!(set(Breaker::MintStopped, 8), DispatchError::BadOrigin);
		assert_noop!(set(Breaker::Closed, 99), Error::<Test>::Unchanged);
		assert_ok!(set(Breaker::AllStopped, 99));
		assert_noop!(set(Breaker::MintStopped, 99), Error::<Test>::NotGovernance);
		let call = Call::set_breaker { new: Breaker::Closed };
		assert_ok!(dispatch_as(call, RuntimeOrigin::root()));
		assert_eq!(
			events().last(),
			Some(&Event::BreakerSet { old: Breaker::AllStopped, new: Breaker::Closed })
		);
	});
}

#[test]
#[should_panic = "the parameters break a relation"]
fn a_genesis_with_parameters_that_do_not_go_together_is_not_built() {
	let parameters = ComputeParameters { miner_bond: 0, ..Default::default() };
	let _ = GenesisConfig::<Test> { parameters, ..Default::default() }.build_storage();
}

#[test]
#[should_panic = "a step must take some time"]
fn a_genesis_without_steps_is_not_built() {
	let _ = GenesisConfig::<Test> { step_ms: 0, ..Default::default() }.build_storage();
}

#[test]
fn a_genesis_can_name_shorter_steps() {
	let config = GenesisConfig::<Test> { step_ms: 15_000, ..Default::default() };
	let mut ext: sp_io::TestExternalities = config.build_storage().unwrap().into();
	ext.execute_with(|| {
		Now::set(START);
		ComputeReceipts::begin_emission();
		assert_eq!(ComputeReceipts::step_at(START + 29_999), 1);
	});
}
