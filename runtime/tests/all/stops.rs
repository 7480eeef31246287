//! What safe mode and a pause stop, and what gets out of them.

use codec::{Decode, Encode};
use frame_support::{
	assert_ok,
	dispatch::{DispatchResultWithPostInfo, GetDispatchInfo},
	traits::{Authorize, GetCallMetadata},
};
use gridproof_primitives::reserve::attestation::AttestationFields;
use gridproof_runtime::{
	AccountId, Assets, Balances, Brakes, BuildStorage, Executive, Governance, MultiBlockMigrations,
	Multisig, Parameters, Proxy, RefuseFiltered, Runtime, RuntimeCall, RuntimeEvent,
	RuntimeGenesisConfig, RuntimeOrigin, SafeMode, Signature, SignedPayload, System, TxExtension,
	TxPause, UncheckedExtrinsic, constants::currency::AIT,
};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave};
use sp_runtime::{
	MultiAddress,
	generic::Era,
	traits::{AccountIdConversion, Dispatchable},
	transaction_validity::{
		InvalidTransaction, TransactionSource, TransactionValidity, TransactionValidityError,
	},
};

/// A chain whose root key is an account, with 1,000 AIT for each of these.
fn with_root(root: AccountId, test: impl FnOnce()) {
	let people = [Alice, Bob, Charlie, Dave].map(|key| key.to_account_id());
	let accounts = people.into_iter().chain([root.clone()]);
	let accounts: std::collections::BTreeSet<_> = accounts.collect();
	let config = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: accounts.into_iter().map(|account| (account, 1_000 * AIT)).collect(),
			..Default::default()
		},
		sudo: pallet_sudo::GenesisConfig { key: Some(root) },
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities =
		config.build_storage().expect("the genesis builds").into();
	ext.execute_with(|| {
		System::set_block_number(1);
		test();
	});
}

fn with_accounts(test: impl FnOnce()) {
	with_root(Alice.to_account_id(), test);
}

fn extension(nonce: u32, tip: u128) -> TxExtension {
	(
		RefuseFiltered::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckMortality::from(Era::Immortal),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(tip).into(),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	)
}

/// A transaction without a signer.
fn general(call: RuntimeCall) -> UncheckedExtrinsic {
	UncheckedExtrinsic::new_transaction(call, extension(0, 0))
}

/// The next transaction of an account.
fn signed(who: Sr25519Keyring, tip: u128, call: RuntimeCall) -> UncheckedExtrinsic {
	let nonce = System::account_nonce(who.to_account_id());
	let payload = SignedPayload::new(call.clone(), extension(nonce, tip)).expect("it encodes");
	let signature: Signature = payload.using_encoded(|bytes| who.sign(bytes)).into();
	let address = MultiAddress::Id(who.to_account_id());
	UncheckedExtrinsic::new_signed(call, address, signature, extension(nonce, tip))
}

fn validate(transaction: UncheckedExtrinsic) -> TransactionValidity {
	let genesis = System::block_hash(0);
	Executive::validate_transaction(TransactionSource::External, transaction, genesis)
}

/// That the call is stopped.
fn stopped() -> TransactionValidityError {
	InvalidTransaction::Call.into()
}

/// Every call of the runtime that can be free of fees, with arguments of zeros where that decodes.
fn free_calls() -> Vec<RuntimeCall> {
	let statement = pallet_attestations::Call::submit {
		fields: Box::new(AttestationFields::example(
			gridproof_primitives::time::day::Day::parse("2026-01-15").expect("a day"),
		)),
		digest: Default::default(),
		signatures: Default::default(),
	};
	let mut calls = vec![RuntimeCall::from(statement)];
	for pallet in 0..=u8::MAX {
		for index in 0..=u8::MAX {
			let mut bytes = vec![pallet, index];
			bytes.resize(2_048, 0);
			if let Ok(call) = RuntimeCall::decode(&mut bytes.as_slice()) {
				calls.push(call);
			}
		}
	}
	calls.retain(|call| call.authorize(TransactionSource::External).is_some());
	calls
}

fn name(call: &RuntimeCall) -> String {
	let names = call.get_call_metadata();
	format!("{}::{}", names.pallet_name, names.function_name)
}

/// Free calls that nobody can pause: by two of them the roles of the reserve stop minting, the third
/// reports an authority.
const UNPAUSABLE: [&str; 3] =
	["Attestations::lift_stop", "Attestations::stop_mint", "Authorities::report_two_blocks"];

/// Whether nobody can pause a call: what verifiers say has deadlines, and so all of it continues or none.
fn is_unpausable(call: &RuntimeCall) -> bool {
	let name = name(call);
	UNPAUSABLE.contains(&name.as_str()) || name.starts_with("ComputeChecks::")
}

fn pause(call: &RuntimeCall) -> DispatchResultWithPostInfo {
	let names = call.get_call_metadata();
	let name = |text: &str| text.as_bytes().to_vec().try_into().expect("it is short");
	let full = (name(names.pallet_name), name(names.function_name));
	RuntimeCall::from(pallet_tx_pause::Call::pause { full_name: full })
		.dispatch(RuntimeOrigin::root())
}

fn transfer() -> RuntimeCall {
	let dest = MultiAddress::Id(Dave.to_account_id());
	pallet_balances::Call::transfer_keep_alive { dest, value: AIT }.into()
}

#[test]
fn no_free_call_is_taken_in_safe_mode_but_those_it_lets_through() {
	with_accounts(|| {
		assert_ok!(SafeMode::force_enter(RuntimeOrigin::root()));
		let calls = free_calls();
		assert!(calls.len() >= 8, "{:?}", calls.iter().map(name).collect::<Vec<_>>());
		let mut through = Vec::new();
		for call in calls {
			for transaction in [general(call.clone()), signed(Bob, 0, call.clone())] {
				if validate(transaction.clone()) != Err(stopped()) {
					through.push(name(&call));
					continue;
				}
				assert_eq!(Executive::apply_extrinsic(transaction), Err(stopped()));
			}
		}
		// They are let through, and refused by their own rules here.
		through.dedup();
		through.sort();
		let [lift, stop, report] = UNPAUSABLE;
		assert_eq!(through, [lift, stop, "Attestations::submit", report]);
	});
}

#[test]
fn no_free_call_is_taken_while_it_is_paused() {
	with_accounts(|| {
		for call in free_calls() {
			if is_unpausable(&call) {
				let refused = pause(&call).expect_err("nobody pauses it").error;
				assert_eq!(refused, pallet_tx_pause::Error::<Runtime>::Unpausable.into());
				continue;
			}
			assert_ok!(pause(&call));
			for transaction in [general(call.clone()), signed(Bob, 0, call.clone())] {
				assert_eq!(validate(transaction.clone()), Err(stopped()), "{}", name(&call));
				assert_eq!(Executive::apply_extrinsic(transaction), Err(stopped()));
			}
		}
	});
}

#[test]
fn a_stopped_transfer_is_refused_before_a_fee() {
	with_accounts(|| {
		let before = Balances::free_balance(Bob.to_account_id());
		assert_ok!(SafeMode::force_enter(RuntimeOrigin::root()));
		for tip in [0, AIT] {
			assert_eq!(validate(signed(Bob, tip, transfer())), Err(stopped()));
			assert_eq!(Executive::apply_extrinsic(signed(Bob, tip, transfer())), Err(stopped()));
		}
		assert_ok!(SafeMode::force_exit(RuntimeOrigin::root()));
		assert_ok!(pause(&transfer()));
		assert_eq!(validate(signed(Bob, 0, transfer())), Err(stopped()));
		assert_eq!(Executive::apply_extrinsic(signed(Bob, 0, transfer())), Err(stopped()));
		assert_eq!(Balances::free_balance(Bob.to_account_id()), before);
		assert_eq!(System::account_nonce(Bob.to_account_id()), 0);
	});
}

/// The account of three of which two decide.
fn council() -> AccountId {
	let mut members = [Bob, Charlie, Dave].map(|key| key.to_account_id());
	members.sort();
	Multisig::multi_account_id(&members, 2)
}

/// Two of the council's three send a call, each in a transaction of its own.
fn as_council(call: RuntimeCall) {
	let info = call.get_dispatch_info();
	for who in [Bob, Charlie] {
		let mut others: Vec<_> = [Bob, Charlie, Dave]
			.into_iter()
			.filter(|other| *other != who)
			.map(|other| other.to_account_id())
			.collect();
		others.sort();
		let timepoint =
			pallet_multisig::Multisigs::<Runtime>::iter().next().map(|(_, _, m)| m.when);
		let approve = pallet_multisig::Call::as_multi {
			threshold: 2,
			other_signatories: others,
			maybe_timepoint: timepoint,
			call: Box::new(call.clone()),
			max_weight: info.call_weight,
		};
		assert_eq!(Executive::apply_extrinsic(signed(who, 0, approve.into())), Ok(Ok(())));
	}
}

fn sudo(call: impl Into<RuntimeCall>) -> RuntimeCall {
	pallet_sudo::Call::sudo { call: Box::new(call.into()) }.into()
}

/// The last result of a call that the council sent.
fn council_succeeded() -> bool {
	System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::Multisig(pallet_multisig::Event::MultisigExecuted { result, .. }) => {
				Some(result.is_ok())
			},
			_ => None,
		})
		.next_back()
		.expect("the council sent something")
}

#[test]
fn a_root_of_several_keys_leaves_safe_mode() {
	with_root(council(), || {
		assert_ok!(SafeMode::force_enter(RuntimeOrigin::root()));
		as_council(sudo(pallet_safe_mode::Call::force_exit {}));
		assert!(council_succeeded());
		assert!(!<SafeMode as frame_support::traits::SafeMode>::is_entered());
	});
}

#[test]
fn a_root_of_several_keys_upgrades_and_resumes_in_safe_mode() {
	with_root(council(), || {
		assert_ok!(pause(&transfer()));
		assert_ok!(SafeMode::force_enter(RuntimeOrigin::root()));
		let name = |text: &[u8]| text.to_vec().try_into().expect("it is short");
		let ident = (name(b"Balances"), name(b"transfer_keep_alive"));
		as_council(sudo(pallet_tx_pause::Call::unpause { ident: ident.clone() }));
		assert!(council_succeeded());
		assert!(!TxPause::is_paused(&ident));
		let code_hash = Default::default();
		as_council(sudo(frame_system::Call::authorize_upgrade { code_hash }));
		assert!(council_succeeded());
		// The way is open for the code: it is another code, which the call says.
		let code = frame_system::Call::apply_authorized_upgrade { code: vec![1] };
		assert_ne!(validate(general(code.into())), Err(stopped()));
	});
}

#[test]
fn none_of_the_exits_can_be_paused() {
	with_accounts(|| {
		let name = |text: &str| text.as_bytes().to_vec().try_into().expect("it is short");
		for (pallet, call) in [
			("Sudo", "sudo"),
			("Multisig", "as_multi"),
			("Proxy", "proxy"),
			("SafeMode", "force_exit"),
			("TxPause", "unpause"),
			("System", "apply_authorized_upgrade"),
			("Utility", "batch_all"),
			("Parameters", "set_parameter"),
			("Attestations", "pause"),
			("Attestations", "stop_mint"),
			("Attestations", "lift_stop"),
			("Authorities", "report_two_blocks"),
			("Authorities", "let_in"),
			("MeterReadings", "pause"),
			("ComputeReceipts", "set_breaker"),
			("ModelRegistry", "stop"),
			("ComputeChecks", "reveal_vote"),
			("ComputeChecks", "suspend_verifier"),
		] {
			assert_eq!(
				TxPause::pause(RuntimeOrigin::root(), (name(pallet), name(call))),
				Err(pallet_tx_pause::Error::<Runtime>::Unpausable.into()),
				"{pallet}.{call}"
			);
		}
	});
}

#[test]
fn what_an_exit_wraps_stays_stopped() {
	with_accounts(|| {
		assert_ok!(Proxy::add_proxy(
			RuntimeOrigin::signed(Bob.to_account_id()),
			MultiAddress::Id(Charlie.to_account_id()),
			gridproof_runtime::configs::ProxyType::Any,
			0
		));
		let mut both = [Bob, Charlie].map(|key| key.to_account_id());
		both.sort();
		let account = Multisig::multi_account_id(&both, 1);
		assert_ok!(Balances::transfer_allow_death(
			RuntimeOrigin::signed(Bob.to_account_id()),
			MultiAddress::Id(account),
			10 * AIT
		));
		assert_ok!(SafeMode::force_enter(RuntimeOrigin::root()));
		let before = Balances::free_balance(Dave.to_account_id());
		let proxied = pallet_proxy::Call::proxy {
			real: MultiAddress::Id(Bob.to_account_id()),
			force_proxy_type: None,
			call: Box::new(transfer()),
		};
		let multisig = pallet_multisig::Call::as_multi_threshold_1 {
			other_signatories: vec![Bob.to_account_id()],
			call: Box::new(transfer()),
		};
		let _ = Executive::apply_extrinsic(signed(Charlie, 0, proxied.into())).expect("it is in");
		let _ = Executive::apply_extrinsic(signed(Charlie, 0, multisig.into())).expect("it is in");
		assert_eq!(Balances::free_balance(Dave.to_account_id()), before);
	});
}

#[test]
fn the_emergency_account_stops_and_loosens_nothing() {
	with_accounts(|| {
		let emergency = || RuntimeOrigin::signed(Dave.to_account_id());
		let stop = |call: RuntimeCall| Governance::stop(emergency(), Box::new(call));
		let bad = sp_runtime::DispatchError::BadOrigin;
		let enter = || RuntimeCall::from(pallet_safe_mode::Call::force_enter {});
		assert_eq!(stop(enter()), Err(bad));
		assert_ok!(Brakes::set_emergency_account(
			RuntimeOrigin::root(),
			Some(Dave.to_account_id())
		));
		assert_ok!(stop(enter()));
		assert_eq!(pallet_safe_mode::EnteredUntil::<Runtime>::get(), Some(1 + 14 * 86_400));
		let none = Err(pallet_governance::Error::<Runtime>::NotAStop.into());
		let loosening: Vec<RuntimeCall> = vec![
			pallet_safe_mode::Call::force_exit {}.into(),
			pallet_safe_mode::Call::force_extend {}.into(),
			pallet_brakes::Call::set_emergency_account { new: None }.into(),
		];
		for call in loosening {
			assert_eq!(stop(call.clone()), none);
			assert_eq!(call.dispatch(emergency()).map_err(|answer| answer.error), Err(bad));
		}
		let name = |text: &[u8]| text.to_vec().try_into().expect("it is short");
		let remark = || (name(b"System"), name(b"remark"));
		assert_ok!(stop(pallet_tx_pause::Call::pause { full_name: remark() }.into()));
		assert_eq!(TxPause::unpause(emergency(), remark()), Err(bad));
		assert_eq!(stop(pallet_tx_pause::Call::unpause { ident: remark() }.into()), none);

		// Each pallet's brake, in safe mode too, and never back.
		use gridproof_primitives::{
			compute::Breaker as Compute, reserve::state::Breaker as Policy,
		};
		let (compute, policy) = (
			|new| RuntimeCall::from(pallet_compute_receipts::Call::set_breaker { new }),
			|new| RuntimeCall::from(pallet_coverage_policy::Call::set_breaker { new }),
		);
		assert_ok!(stop(pallet_attestations::Call::pause {}.into()));
		assert_ok!(stop(pallet_meter_readings::Call::pause {}.into()));
		assert_ok!(stop(compute(Compute::AllStopped)));
		assert_ok!(stop(policy(Policy::AllStopped)));
		assert_eq!(stop(pallet_attestations::Call::resume {}.into()), none);
		assert_eq!(stop(pallet_meter_readings::Call::resume {}.into()), none);
		assert!(stop(compute(Compute::MintStopped)).is_err());
		assert!(stop(policy(Policy::MintStopped)).is_err());
		// It stops a model, and adds and resumes none.
		use gridproof_primitives::compute::registry::{EngineClass, ModelTerms, Pending};
		use gridproof_runtime::ModelRegistry;
		let model = gridproof_primitives::H256::zero();
		let unknown = pallet_model_registry::Error::<Runtime>::NotFound;
		assert_eq!(stop(pallet_model_registry::Call::stop { model }.into()), Err(unknown.into()));
		let terms = ModelTerms { factor: 1, engine: EngineClass::Exact };
		for answer in [
			ModelRegistry::propose_change(emergency(), model, terms),
			ModelRegistry::propose_retire(emergency(), model),
			ModelRegistry::propose_resume(emergency(), model),
			ModelRegistry::propose_default(emergency(), None),
			ModelRegistry::propose_delay(emergency(), 60_000),
			ModelRegistry::call_off(emergency(), Pending::Delay),
			ModelRegistry::forget(emergency(), model),
		] {
			assert_eq!(answer, Err(bad));
		}
		for call in [
			RuntimeCall::from(pallet_model_registry::Call::stop { model }),
			pallet_meter_readings::Call::pause {}.into(),
			compute(Compute::AllStopped),
			policy(Policy::AllStopped),
		] {
			let stop = pallet_governance::Call::stop { call: Box::new(call.clone()) };
			assert_ne!(validate(signed(Dave, 0, stop.into())), Err(stopped()));
			assert_ne!(validate(signed(Dave, 0, call)), Err(stopped()));
		}
	});
}

#[test]
fn a_failed_migration_leaves_governance_a_way() {
	use frame_support::migrations::{
		FailedMigrationHandler, FailedMigrationHandling, MultiStepMigrator,
	};
	with_accounts(|| {
		type Handler = gridproof_runtime::configs::SafeModeOnFailedMigration;
		assert_eq!(Handler::failed(Some(0)), FailedMigrationHandling::ForceUnstuck);
		assert_eq!(pallet_safe_mode::EnteredUntil::<Runtime>::get(), Some(u32::MAX));
		// A second failure changes nothing.
		assert_eq!(Handler::failed(None), FailedMigrationHandling::ForceUnstuck);
		assert!(!MultiBlockMigrations::ongoing());
		assert_eq!(validate(signed(Bob, 0, transfer())), Err(stopped()));
		let exit = sudo(pallet_safe_mode::Call::force_exit {});
		assert_eq!(Executive::apply_extrinsic(signed(Alice, 0, exit)), Ok(Ok(())));
		assert!(validate(signed(Bob, 0, transfer())).is_ok());
	});
}

#[test]
fn no_fee_can_be_set_that_locks_root_out() {
	use gridproof_runtime::configs::{RuntimeParameters, dynamic_params::fees};
	with_accounts(|| {
		for parameter in [
			fees::Parameters::Base(fees::Base, Some(u128::MAX)),
			fees::Parameters::PerByte(fees::PerByte, Some(u128::MAX)),
		] {
			let key_value = RuntimeParameters::Fees(parameter);
			let set = sudo(pallet_parameters::Call::set_parameter { key_value });
			assert_eq!(Executive::apply_extrinsic(signed(Alice, 0, set)), Ok(Ok(())));
		}
		// 1 AIT and 0.01 AIT a byte, which a root of 1,000 AIT still has.
		let before = Balances::free_balance(Alice.to_account_id());
		for parameter in [
			fees::Parameters::Base(fees::Base, None),
			fees::Parameters::PerByte(fees::PerByte, None),
		] {
			let key_value = RuntimeParameters::Fees(parameter);
			let set = sudo(pallet_parameters::Call::set_parameter { key_value });
			assert_eq!(Executive::apply_extrinsic(signed(Alice, 0, set)), Ok(Ok(())));
		}
		assert!(before - Balances::free_balance(Alice.to_account_id()) < 10 * AIT);
		assert_ok!(Parameters::set_parameter(
			RuntimeOrigin::root(),
			RuntimeParameters::Fees(fees::Parameters::Base(fees::Base, Some(7)))
		));
	});
}

/// What a root that is a key asks for, and never gets.
fn never() -> Vec<RuntimeCall> {
	let owner: AccountId = frame_support::PalletId(*b"gp/asset").into_account_truncating();
	let bob = || MultiAddress::Id(Bob.to_account_id());
	let mint = || -> Box<RuntimeCall> {
		let id = gridproof_runtime::constants::AICP.into();
		Box::new(pallet_assets::Call::mint { id, beneficiary: bob(), amount: 1_000 }.into())
	};
	let as_owner = || -> Box<gridproof_runtime::OriginCaller> {
		Box::new(frame_system::RawOrigin::Signed(owner.clone()).into())
	};
	vec![
		pallet_utility::Call::dispatch_as { as_origin: as_owner(), call: mint() }.into(),
		pallet_utility::Call::dispatch_as_fallible { as_origin: as_owner(), call: mint() }.into(),
		pallet_balances::Call::force_set_balance { who: bob(), new_free: 5_000 * AIT }.into(),
		pallet_balances::Call::force_adjust_total_issuance {
			direction: pallet_balances::AdjustmentDirection::Increase,
			delta: AIT,
		}
		.into(),
		frame_system::Call::set_storage { items: vec![(vec![1], vec![2])] }.into(),
		frame_system::Call::kill_storage { keys: vec![vec![1]] }.into(),
		frame_system::Call::kill_prefix { prefix: vec![1], subkeys: 1 }.into(),
		*mint(),
	]
}

#[test]
fn a_root_that_is_a_key_makes_no_money_whatever_it_wraps() {
	with_accounts(|| {
		let alice = || MultiAddress::Id(Alice.to_account_id());
		let when = 10;
		let (maybe_periodic, priority) = (None, 0);
		for call in never() {
			let call = || Box::new(call.clone());
			let wrapped: Vec<RuntimeCall> = vec![
				*call(),
				pallet_utility::Call::batch { calls: vec![transfer(), *call()] }.into(),
				pallet_utility::Call::batch_all { calls: vec![*call()] }.into(),
				pallet_utility::Call::force_batch { calls: vec![*call()] }.into(),
				pallet_utility::Call::with_weight { call: call(), weight: Default::default() }
					.into(),
				pallet_utility::Call::if_else { main: Box::new(transfer()), fallback: call() }
					.into(),
				pallet_scheduler::Call::schedule { when, maybe_periodic, priority, call: call() }
					.into(),
				sudo(*call()),
			];
			for inner in wrapped {
				let weight = Default::default();
				for root in [
					sudo(inner.clone()),
					pallet_sudo::Call::sudo_unchecked_weight {
						call: Box::new(inner.clone()),
						weight,
					}
					.into(),
				] {
					assert_eq!(
						validate(signed(Alice, 0, root.clone())),
						Err(stopped()),
						"{root:?}"
					);
				}
			}
			let sudo_as = pallet_sudo::Call::sudo_as { who: alice(), call: call() };
			assert_eq!(validate(signed(Alice, 0, sudo_as.into())), Err(stopped()));
		}
		assert!(validate(signed(Alice, 0, sudo(transfer()))).is_ok());
	});
	// Nor does one that is an account of several keys.
	with_root(council(), || {
		let issuance = Balances::total_issuance();
		for call in never() {
			as_council(sudo(call));
			assert!(!council_succeeded());
		}
		assert_eq!(Balances::total_issuance(), issuance);
	});
}

#[test]
fn nobody_burns() {
	with_accounts(|| {
		let burn = pallet_balances::Call::burn { value: AIT, keep_alive: true };
		assert_eq!(validate(signed(Bob, 0, burn.into())), Err(stopped()));
		let refund = |allow_burn| {
			let id = gridproof_runtime::constants::AICP.into();
			signed(Bob, 0, pallet_assets::Call::refund { id, allow_burn }.into())
		};
		assert_eq!(validate(refund(true)), Err(stopped()));
		assert!(validate(refund(false)).is_ok());
	});
}

#[test]
fn a_supply_that_no_mint_explains_stops_that_mint_in_the_same_block() {
	use frame_support::traits::{Hooks, fungible, fungibles};
	use gridproof_primitives::{compute::Breaker as Compute, reserve::state::Breaker as Policy};
	use gridproof_runtime::constants::{AICP, KWH};
	use pallet_brakes::{Event, Supply, Token};
	let id = sp_genesis_builder::PresetId::from(gridproof_runtime::genesis_presets::LOCAL_TESTNET);
	let patch = gridproof_runtime::genesis_presets::get_preset(&id).expect("it is there");
	let patch: serde_json::Value = serde_json::from_slice(&patch).expect("JSON");
	let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("JSON");
	for (pallet, fields) in patch.as_object().expect("an object") {
		for (field, value) in fields.as_object().expect("an object") {
			config[pallet][field] = value.clone();
		}
	}
	let config: RuntimeGenesisConfig = serde_json::from_value(config).expect("a configuration");
	let mut ext: sp_io::TestExternalities = config.build_storage().expect("it builds").into();
	ext.execute_with(|| {
		System::set_block_number(1);
		let bob = Bob.to_account_id();
		let levels = || {
			(
				pallet_compute_receipts::BreakerLevel::<Runtime>::get(),
				pallet_coverage_policy::BreakerLevel::<Runtime>::get(),
				pallet_meter_readings::Paused::<Runtime>::get(),
			)
		};
		let compare = || Brakes::on_finalize(1);
		compare();
		assert_eq!(levels(), (Compute::Closed, Policy::Closed, false));
		assert!(System::events().is_empty());

		<Balances as fungible::Mutate<_>>::mint_into(&bob, AIT).expect("it is possible");
		compare();
		assert_eq!(levels(), (Compute::MintStopped, Policy::Closed, false));
		let expected = 10_500_000 * AIT;
		let supply = Supply { expected, actual: expected + AIT };
		System::assert_last_event(Event::SupplyDiffers { token: Token::Ait, supply }.into());

		<Assets as fungibles::Mutate<_>>::mint_into(AICP, &bob, 1).expect("it is possible");
		compare();
		assert_eq!(levels(), (Compute::MintStopped, Policy::MintStopped, false));
		<Assets as fungibles::Mutate<_>>::mint_into(KWH, &bob, 1).expect("it is possible");
		compare();
		assert_eq!(levels(), (Compute::MintStopped, Policy::MintStopped, true));

		// Governance looked into it: the same difference does not stop again, one unit more does.
		let lift = || {
			gridproof_runtime::ComputeReceipts::set_breaker(RuntimeOrigin::root(), Compute::Closed)
		};
		assert_ok!(lift());
		compare();
		assert_eq!(levels().0, Compute::Closed);
		<Balances as fungible::Mutate<_>>::mint_into(&bob, 1).expect("it is possible");
		compare();
		assert_eq!(levels().0, Compute::MintStopped);
	});
}
