//! No wrapper of calls gets round an origin or a filter.

use frame_support::{
	assert_noop, assert_ok,
	dispatch::{GetDispatchInfo, RawOrigin},
	weights::Weight,
};
use gridproof_runtime::{
	Balances, BuildStorage, Multisig, Runtime, RuntimeCall, RuntimeEvent, RuntimeGenesisConfig,
	RuntimeOrigin, Scheduler, System, configs::ProxyType, constants::currency::AIT,
};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave};
use sp_runtime::{
	DispatchError, MultiAddress,
	traits::{Dispatchable, StaticLookup},
};

/// A chain whose root key is Alice, with 1,000 AIT for each of these accounts.
fn with_accounts(test: impl FnOnce()) {
	let balances = [Alice, Bob, Charlie, Dave].map(|key| (key.to_account_id(), 1_000 * AIT));
	let config = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: balances.to_vec(),
			..Default::default()
		},
		sudo: pallet_sudo::GenesisConfig { key: Some(Alice.to_account_id()) },
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities =
		config.build_storage().expect("the genesis builds").into();
	ext.execute_with(|| {
		System::set_block_number(1);
		test();
	});
}

fn signed(who: sp_keyring::Sr25519Keyring) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.to_account_id())
}

fn address(
	who: sp_keyring::Sr25519Keyring,
) -> <<Runtime as frame_system::Config>::Lookup as StaticLookup>::Source {
	MultiAddress::Id(who.to_account_id())
}

fn free(who: sp_keyring::Sr25519Keyring) -> u128 {
	Balances::free_balance(who.to_account_id())
}

/// A call that the filter refuses, no matter who signs it.
fn filtered() -> RuntimeCall {
	pallet_assets::Call::mint { id: 1.into(), beneficiary: address(Bob), amount: 1 }.into()
}

fn transfer(to: sp_keyring::Sr25519Keyring, value: u128) -> RuntimeCall {
	pallet_balances::Call::transfer_keep_alive { dest: address(to), value }.into()
}

/// A call that only root may make.
fn for_root() -> RuntimeCall {
	pallet_balances::Call::force_transfer {
		source: address(Charlie),
		dest: address(Bob),
		value: 5 * AIT,
	}
	.into()
}

fn call_filtered() -> DispatchError {
	frame_system::Error::<Runtime>::CallFiltered.into()
}

/// Dispatches a call; its error without the weight.
fn dispatch(origin: RuntimeOrigin, call: RuntimeCall) -> Result<(), DispatchError> {
	call.dispatch(origin).map(|_| ()).map_err(|error| error.error)
}

fn happened(event: impl Into<RuntimeEvent>) -> bool {
	let event = event.into();
	System::events().iter().any(|record| record.event == event)
}

#[test]
fn a_filtered_call_stays_filtered_inside_every_kind_of_batch() {
	with_accounts(|| {
		let calls = vec![transfer(Dave, AIT), filtered()];
		assert_ok!(dispatch(
			signed(Bob),
			pallet_utility::Call::batch { calls: calls.clone() }.into()
		));
		assert!(happened(pallet_utility::Event::BatchInterrupted {
			index: 1,
			error: call_filtered()
		}));
		assert_eq!(
			dispatch(signed(Bob), pallet_utility::Call::batch_all { calls: calls.clone() }.into()),
			Err(call_filtered())
		);
		assert_ok!(dispatch(signed(Bob), pallet_utility::Call::force_batch { calls }.into()));
		assert!(happened(pallet_utility::Event::ItemFailed { error: call_filtered() }));
		let derivative =
			pallet_utility::Call::as_derivative { index: 0, call: Box::new(filtered()) };
		assert_eq!(dispatch(signed(Bob), derivative.into()), Err(call_filtered()));
	});
}

#[test]
fn a_filtered_call_stays_filtered_behind_a_proxy_and_a_multisig() {
	with_accounts(|| {
		assert_ok!(dispatch(
			signed(Bob),
			pallet_proxy::Call::add_proxy {
				delegate: address(Charlie),
				proxy_type: ProxyType::Any,
				delay: 0
			}
			.into()
		));
		assert_ok!(dispatch(
			signed(Charlie),
			pallet_proxy::Call::proxy {
				real: address(Bob),
				force_proxy_type: None,
				call: Box::new(filtered())
			}
			.into()
		));
		assert!(happened(pallet_proxy::Event::<Runtime>::ProxyExecuted {
			result: Err(call_filtered())
		}));
		let multisig = pallet_multisig::Call::as_multi_threshold_1 {
			other_signatories: vec![Charlie.to_account_id()],
			call: Box::new(filtered()),
		};
		assert_eq!(dispatch(signed(Bob), multisig.into()), Err(call_filtered()));
	});
}

#[test]
fn a_proxy_that_may_not_move_money_cannot_hide_a_transfer_in_a_batch() {
	with_accounts(|| {
		let before = (free(Bob), free(Dave));
		assert_ok!(dispatch(
			signed(Bob),
			pallet_proxy::Call::add_proxy {
				delegate: address(Charlie),
				proxy_type: ProxyType::NonTransfer,
				delay: 0
			}
			.into()
		));
		let deposit = before.0 - free(Bob);
		let batch: RuntimeCall =
			pallet_utility::Call::batch { calls: vec![transfer(Dave, AIT)] }.into();
		let nested: RuntimeCall = pallet_utility::Call::batch { calls: vec![batch.clone()] }.into();
		// An account that Bob and Dave share, as owner and device share one, and one that gave Bob
		// every power: both have money.
		let mut both = [Bob, Dave].map(|key| key.to_account_id());
		both.sort();
		let shared = Multisig::multi_account_id(&both, 1);
		assert_ok!(dispatch(
			signed(Alice),
			pallet_balances::Call::transfer_keep_alive {
				dest: MultiAddress::Id(shared.clone()),
				value: 10 * AIT
			}
			.into()
		));
		assert_ok!(dispatch(
			signed(Alice),
			pallet_proxy::Call::add_proxy {
				delegate: address(Bob),
				proxy_type: ProxyType::Any,
				delay: 0
			}
			.into()
		));
		let through_multisig: RuntimeCall = pallet_multisig::Call::as_multi_threshold_1 {
			other_signatories: vec![Dave.to_account_id()],
			call: Box::new(transfer(Dave, AIT)),
		}
		.into();
		let through_proxy: RuntimeCall = pallet_proxy::Call::proxy {
			real: address(Alice),
			force_proxy_type: None,
			call: Box::new(transfer(Dave, AIT)),
		}
		.into();
		let others = (Balances::free_balance(&shared), free(Alice));
		for call in [transfer(Dave, AIT), batch, nested, through_multisig, through_proxy] {
			assert_ok!(dispatch(
				signed(Charlie),
				pallet_proxy::Call::proxy {
					real: address(Bob),
					force_proxy_type: None,
					call: Box::new(call)
				}
				.into()
			));
			assert_eq!((free(Bob), free(Dave)), (before.0 - deposit, before.1));
			assert_eq!((Balances::free_balance(&shared), free(Alice)), others);
		}
		assert!(happened(pallet_proxy::Event::<Runtime>::ProxyExecuted {
			result: Err(call_filtered())
		}));
		assert!(happened(pallet_utility::Event::BatchInterrupted {
			index: 0,
			error: call_filtered()
		}));
	});
}

#[test]
fn a_proxy_cannot_make_itself_more_than_it_is() {
	with_accounts(|| {
		for proxy_type in [ProxyType::NonTransfer, ProxyType::SessionKeys] {
			assert_ok!(dispatch(
				signed(Bob),
				pallet_proxy::Call::add_proxy { delegate: address(Charlie), proxy_type, delay: 0 }
					.into()
			));
		}
		let more = pallet_proxy::Call::add_proxy {
			delegate: address(Dave),
			proxy_type: ProxyType::Any,
			delay: 0,
		};
		for force_proxy_type in [Some(ProxyType::NonTransfer), Some(ProxyType::SessionKeys)] {
			assert_ok!(dispatch(
				signed(Charlie),
				pallet_proxy::Call::proxy {
					real: address(Bob),
					force_proxy_type,
					call: Box::new(more.clone().into())
				}
				.into()
			));
		}
		let (proxies, _) = pallet_proxy::Proxies::<Runtime>::get(Bob.to_account_id());
		assert!(proxies.iter().all(|proxy| proxy.delegate == Charlie.to_account_id()));
	});
}

#[test]
fn what_only_root_may_do_no_wrapper_of_a_signed_call_does() {
	with_accounts(|| {
		let before = free(Bob);
		assert_eq!(dispatch(signed(Bob), for_root()), Err(DispatchError::BadOrigin));
		assert_eq!(
			dispatch(
				signed(Bob),
				pallet_utility::Call::batch_all { calls: vec![for_root()] }.into()
			),
			Err(DispatchError::BadOrigin)
		);
		assert_eq!(
			dispatch(
				signed(Bob),
				pallet_utility::Call::dispatch_as {
					as_origin: Box::new(RawOrigin::Root.into()),
					call: Box::new(for_root())
				}
				.into()
			),
			Err(call_filtered())
		);
		assert_eq!(
			dispatch(
				signed(Bob),
				pallet_multisig::Call::as_multi_threshold_1 {
					other_signatories: vec![Charlie.to_account_id()],
					call: Box::new(for_root())
				}
				.into()
			),
			Err(DispatchError::BadOrigin)
		);
		assert_eq!(
			dispatch(signed(Bob), pallet_sudo::Call::sudo { call: Box::new(for_root()) }.into()),
			Err(pallet_sudo::Error::<Runtime>::RequireSudo.into())
		);
		assert_noop!(
			Scheduler::schedule(signed(Bob), 10, None, 0, Box::new(for_root())),
			DispatchError::BadOrigin
		);
		assert_eq!(free(Bob), before);
	});
}

#[test]
fn what_root_schedules_runs_as_root_in_the_block_it_names() {
	with_accounts(|| {
		assert_ok!(Scheduler::schedule(RuntimeOrigin::root(), 2, None, 0, Box::new(for_root())));
		System::set_block_number(2);
		<Scheduler as frame_support::traits::Hooks<u32>>::on_initialize(2);
		assert_eq!(free(Bob), 1_005 * AIT);
	});
}

#[test]
fn a_batch_weighs_what_its_calls_weigh_together() {
	let call = transfer(Dave, AIT);
	let one = call.get_dispatch_info().call_weight;
	let batch: RuntimeCall = pallet_utility::Call::batch_all { calls: vec![call; 10] }.into();
	assert!(batch.get_dispatch_info().call_weight.all_gte(one.saturating_mul(10)));
	assert_ne!(one, Weight::zero());
}
