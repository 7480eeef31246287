//! What a block can hold, what a transaction costs, which calls are refused.

use codec::{Decode, Encode};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{DispatchClass, GetDispatchInfo},
	traits::{Contains, GetCallMetadata},
	weights::Weight,
};
use gridproof_runtime::{
	AccountId, Balances, BuildStorage, Parameters, Runtime, RuntimeCall, RuntimeOrigin,
	TransactionPayment,
	configs::{CallFilter, RuntimeParameters, dynamic_params::fees},
	constants::{
		MAXIMUM_BLOCK_WEIGHT, RuntimeBlockLength, RuntimeBlockWeights,
		currency::{AIT, MICRO_AIT, MILLI_AIT},
		time::SLOT_DURATION,
	},
};
use pallet_free_calls::FreeOrPaid;
use pallet_transaction_payment::ChargeTransactionPayment;
use sp_runtime::{
	DispatchError, traits::DispatchTransaction, transaction_validity::TransactionSource,
};

fn new_test_ext() -> sp_io::TestExternalities {
	gridproof_runtime::RuntimeGenesisConfig::default()
		.build_storage()
		.expect("the default genesis builds")
		.into()
}

fn set_fees(base: u128, per_byte: u128) {
	for parameter in [
		fees::Parameters::Base(fees::Base, Some(base)),
		fees::Parameters::PerByte(fees::PerByte, Some(per_byte)),
	] {
		assert_ok!(Parameters::set_parameter(
			RuntimeOrigin::root(),
			RuntimeParameters::Fees(parameter)
		));
	}
}

fn remark() -> RuntimeCall {
	frame_system::Call::remark { remark: vec![] }.into()
}

fn fee(length: u32) -> u128 {
	TransactionPayment::compute_fee(length, &remark().get_dispatch_info(), 0)
}

#[test]
fn a_call_fits_in_the_memory_every_pool_slot_takes() {
	let size = core::mem::size_of::<RuntimeCall>();
	assert!(size <= 256, "box the largest variant: a call takes {size} bytes");
}

#[test]
fn a_block_computes_for_half_a_slot_at_the_most() {
	assert_eq!(MAXIMUM_BLOCK_WEIGHT.ref_time(), SLOT_DURATION * 1_000_000_000 / 2);
	assert_eq!(RuntimeBlockWeights::get().max_block, MAXIMUM_BLOCK_WEIGHT);
	let normal = RuntimeBlockWeights::get().get(DispatchClass::Normal).max_total;
	assert_eq!(normal.map(|weight| weight.ref_time()), Some(375_000_000_000));
}

#[test]
fn a_batch_of_all_channels_and_two_hundred_miners_fits_into_a_block() {
	use gridproof_primitives::compute::channels::MAX_LINES;
	use pallet_compute_receipts::WeightInfo;
	type Weights = <Runtime as pallet_compute_receipts::Config>::WeightInfo;
	let weight = Weights::settle_channels(MAX_LINES)
		.saturating_add(Weights::settle_miners(200))
		.saturating_add(Weights::verify_lines(MAX_LINES + 200));
	let one = RuntimeBlockWeights::get().get(DispatchClass::Normal).max_extrinsic;
	assert!(weight.all_lte(one.expect("it is bounded")), "{weight:?}");
}

#[test]
fn a_fee_is_base_plus_k_times_length_to_the_last_unit() {
	new_test_ext().execute_with(|| {
		assert_eq!(fee(0), MILLI_AIT);
		assert_eq!(fee(1), MILLI_AIT + 10 * MICRO_AIT);
		assert_eq!(fee(150), MILLI_AIT + 150 * 10 * MICRO_AIT);
		assert_eq!(TransactionPayment::length_to_fee(150), fee(150));
		assert_eq!(TransactionPayment::weight_to_fee(Weight::from_parts(1_000_000, 0)), 0);
	});
}

#[test]
fn governance_sets_both_parts_of_the_fee_and_either_may_be_zero() {
	new_test_ext().execute_with(|| {
		set_fees(7, 3);
		assert_eq!(fee(100), 307);
		set_fees(0, 3);
		assert_eq!(fee(100), 300);
		set_fees(7, 0);
		assert_eq!(fee(100), 7);
		set_fees(0, 0);
		assert_eq!(fee(100), 0);
		// No fee can be set that locks everybody out, root included.
		set_fees(u128::MAX, u128::MAX);
		assert_eq!(fee(100), 2 * AIT);
		set_fees(AIT, 10 * MILLI_AIT);
		assert_eq!(fee(100), 2 * AIT);
		assert_noop!(
			Parameters::set_parameter(
				RuntimeOrigin::signed(AccountId::from([1; 32])),
				RuntimeParameters::Fees(fees::Parameters::Base(fees::Base, Some(0)))
			),
			DispatchError::BadOrigin
		);
	});
}

#[test]
fn a_full_block_costs_forty_ait_and_the_fee_does_not_move_with_demand() {
	new_test_ext().execute_with(|| {
		let length = *RuntimeBlockLength::get().max.get(DispatchClass::Normal);
		assert_eq!(length, 5 * 1024 * 1024 * 3 / 4);
		// 0.001 AIT and 3,932,160 bytes of 0.00001 AIT.
		assert_eq!(fee(length), 39_322_600_000_000_000_000);
		assert!(fee(length) < 40 * AIT);

		let before = fee(200);
		frame_system::Pallet::<Runtime>::set_block_consumed_resources(MAXIMUM_BLOCK_WEIGHT, 0);
		<TransactionPayment as frame_support::traits::Hooks<u32>>::on_finalize(1);
		assert_eq!(fee(200), before);
	});
}

#[test]
fn every_tip_that_people_give_moves_a_transaction_forward() {
	new_test_ext().execute_with(|| {
		let account = AccountId::new([1; 32]);
		assert_ok!(Balances::force_set_balance(
			RuntimeOrigin::root(),
			account.clone().into(),
			1_000_000 * AIT
		));
		let priority = |tip: u128| {
			let payment = FreeOrPaid::<Runtime>::from(ChargeTransactionPayment::from(tip));
			let (call, source) = (remark(), TransactionSource::External);
			let origin = RuntimeOrigin::signed(account.clone());
			let info = call.get_dispatch_info();
			let checked = payment.validate_only(origin, &call, &info, 107, source, 0);
			checked.expect("it is valid").0.priority
		};
		let tips =
			[0, MICRO_AIT, MILLI_AIT, 10 * MILLI_AIT, AIT, 2 * AIT, 1_000 * AIT, 100_000 * AIT];
		let priorities = tips.map(priority);
		assert!(priorities.is_sorted_by(|one, next| one < next), "{priorities:?}");
	});
}

#[test]
fn an_account_can_exist_for_less_than_the_fee_that_made_it() {
	new_test_ext().execute_with(|| {
		assert!(
			fee(100)
				> 1_000
					* <Balances as frame_support::traits::Currency<AccountId>>::minimum_balance()
		);
	});
}

/// Every call that decodes from zeros, by pallet and call index.
fn all_calls() -> Vec<RuntimeCall> {
	let mut calls = Vec::new();
	for pallet in 0..=u8::MAX {
		for index in 0..=u8::MAX {
			let mut bytes = vec![pallet, index];
			bytes.resize(2_048, 0);
			if let Ok(call) = RuntimeCall::decode(&mut bytes.as_slice()) {
				calls.push(call);
			}
		}
	}
	calls
}

#[test]
fn every_call_is_known_here_so_that_none_is_filtered_by_accident() {
	let mut seen: Vec<String> = all_calls()
		.iter()
		.map(|call| call.get_call_metadata())
		.map(|names| format!("{}::{}", names.pallet_name, names.function_name))
		.collect();
	seen.sort();
	let mut declared = Vec::new();
	for pallet in RuntimeCall::get_module_names() {
		for call in RuntimeCall::get_call_names(pallet) {
			declared.push(format!("{pallet}::{call}"));
		}
	}
	declared.sort();
	declared.retain(|name| !seen.contains(name));
	// Their arguments hold fractions, for which zeros are not an example: the filter ignores them.
	assert_eq!(declared, ["Attestations::submit", "CoveragePolicy::set_parameters"]);
}

#[test]
fn the_filtered_calls_are_exactly_these() {
	let mut refused: Vec<String> = all_calls()
		.iter()
		.filter(|call| !CallFilter::contains(call))
		.map(|call| call.get_call_metadata())
		.map(|names| format!("{}::{}", names.pallet_name, names.function_name))
		.collect();
	refused.sort();
	assert_eq!(
		refused,
		[
			"Assets::block",
			"Assets::burn",
			"Assets::clear_metadata",
			"Assets::create",
			"Assets::destroy_accounts",
			"Assets::destroy_approvals",
			"Assets::finish_destroy",
			"Assets::force_asset_status",
			"Assets::force_cancel_approval",
			"Assets::force_clear_metadata",
			"Assets::force_create",
			"Assets::force_set_metadata",
			"Assets::force_transfer",
			"Assets::freeze",
			"Assets::freeze_asset",
			"Assets::mint",
			"Assets::set_metadata",
			"Assets::set_min_balance",
			"Assets::set_reserves",
			"Assets::set_team",
			"Assets::start_destroy",
			"Assets::thaw",
			"Assets::thaw_asset",
			"Assets::transfer_ownership",
			"Balances::burn",
			"Balances::force_adjust_total_issuance",
			"Balances::force_set_balance",
			// With another conviction than one vote for an AIT, as zeros encode one.
			"ConvictionVoting::delegate",
			"ConvictionVoting::vote",
			"Grandpa::note_stalled",
			"Session::purge_keys",
			"Sudo::sudo_as",
			"System::kill_prefix",
			"System::kill_storage",
			"System::set_storage",
			"Treasury::spend_local",
			"Utility::dispatch_as",
			"Utility::dispatch_as_fallible",
		]
	);
}

#[test]
fn not_even_root_creates_an_asset_or_names_an_issuer() {
	new_test_ext().execute_with(|| {
		let account = sp_runtime::MultiAddress::Id(AccountId::from([1; 32]));
		assert_noop!(
			gridproof_runtime::Assets::force_create(
				RuntimeOrigin::root(),
				3.into(),
				account.clone(),
				true,
				1
			),
			DispatchError::BadOrigin
		);
		assert_noop!(
			gridproof_runtime::Assets::force_asset_status(
				RuntimeOrigin::root(),
				1.into(),
				account.clone(),
				account.clone(),
				account.clone(),
				account,
				1,
				true,
				false
			),
			DispatchError::BadOrigin
		);
	});
}

/// The name of a type that gives weights.
fn weights_of<W>() -> &'static str {
	core::any::type_name::<W>()
}

#[test]
fn every_pallet_has_its_own_measured_weights() {
	for (pallet, weights) in [
		("frame_system", weights_of::<<Runtime as frame_system::Config>::SystemWeightInfo>()),
		("pallet_assets", weights_of::<<Runtime as pallet_assets::Config>::WeightInfo>()),
		(
			"pallet_attestations",
			weights_of::<<Runtime as pallet_attestations::Config>::WeightInfo>(),
		),
		("pallet_balances", weights_of::<<Runtime as pallet_balances::Config>::WeightInfo>()),
		(
			"pallet_compute_receipts",
			weights_of::<<Runtime as pallet_compute_receipts::Config>::WeightInfo>(),
		),
		(
			"pallet_coverage_policy",
			weights_of::<<Runtime as pallet_coverage_policy::Config>::WeightInfo>(),
		),
		(
			"pallet_meter_readings",
			weights_of::<<Runtime as pallet_meter_readings::Config>::WeightInfo>(),
		),
		("pallet_migrations", weights_of::<<Runtime as pallet_migrations::Config>::WeightInfo>()),
		(
			"pallet_model_registry",
			weights_of::<<Runtime as pallet_model_registry::Config>::WeightInfo>(),
		),
		("pallet_multisig", weights_of::<<Runtime as pallet_multisig::Config>::WeightInfo>()),
		("pallet_preimage", weights_of::<<Runtime as pallet_preimage::Config>::WeightInfo>()),
		("pallet_proxy", weights_of::<<Runtime as pallet_proxy::Config>::WeightInfo>()),
		("pallet_safe_mode", weights_of::<<Runtime as pallet_safe_mode::Config>::WeightInfo>()),
		("pallet_scheduler", weights_of::<<Runtime as pallet_scheduler::Config>::WeightInfo>()),
		("pallet_session", weights_of::<<Runtime as pallet_session::Config>::WeightInfo>()),
		("pallet_sudo", weights_of::<<Runtime as pallet_sudo::Config>::WeightInfo>()),
		("pallet_timestamp", weights_of::<<Runtime as pallet_timestamp::Config>::WeightInfo>()),
		(
			"pallet_transaction_payment",
			weights_of::<<Runtime as pallet_transaction_payment::Config>::WeightInfo>(),
		),
		("pallet_treasury", weights_of::<<Runtime as pallet_treasury::Config>::WeightInfo>()),
		("pallet_tx_pause", weights_of::<<Runtime as pallet_tx_pause::Config>::WeightInfo>()),
		("pallet_utility", weights_of::<<Runtime as pallet_utility::Config>::WeightInfo>()),
	] {
		assert!(
			weights.starts_with(&format!("{pallet}::")) && weights.contains("SubstrateWeight"),
			"{pallet} has {weights}"
		);
	}
}

#[test]
fn two_pallets_without_weights_to_take_have_ours_above_what_the_sdk_measured() {
	let database = <Runtime as frame_system::Config>::DbWeight::get();
	type Parameters = <Runtime as pallet_parameters::Config>::WeightInfo;
	type Grandpa = <Runtime as pallet_grandpa::Config>::WeightInfo;
	for ours in [weights_of::<Parameters>(), weights_of::<Grandpa>()] {
		assert!(ours.starts_with("gridproof_runtime::configs::"), "{ours}");
	}
	let set = <Parameters as pallet_parameters::WeightInfo>::set_parameter();
	assert!(set.ref_time() >= 6_204_000 + database.reads_writes(1, 1).ref_time());
	let report = <Grandpa as pallet_grandpa::WeightInfo>::report_equivocation(4, 0);
	assert!(report.ref_time() >= 241_000_000 + database.reads_writes(24, 12).ref_time());
	let stalled = <Grandpa as pallet_grandpa::WeightInfo>::note_stalled();
	assert!(stalled.ref_time() >= 3_000_000 + database.writes(1).ref_time());
}

#[test]
fn a_bare_transfer_takes_less_than_the_pool_accepts_as_one_transaction() {
	let call: RuntimeCall = pallet_balances::Call::transfer_keep_alive {
		dest: AccountId::from([1; 32]).into(),
		value: AIT,
	}
	.into();
	assert_eq!(call.encode().len(), 2 + 33 + 9);
}
