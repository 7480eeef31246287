//! What a referendum takes, and what it may do.

use super::*;
use frame_support::traits::{Get, fungible::NativeOrWithId};
use gridproof_primitives::{
	H256,
	compute::registry::{EngineClass, ModelDescription, ModelName, ModelTerms, NewModel},
	num::units,
};
use gridproof_runtime::{
	Assets, CoveragePolicy, ModelRegistry, Treasury,
	configs::{
		DECISION_DEPOSIT, MaxTurnout, RuntimeParameters, SUBMISSION_DEPOSIT, Tracks,
		TreasuryAccount, dynamic_params::fees,
	},
	constants::AICP,
};
use pallet_referenda::TracksInfo;

/// The base fee is another one.
fn fee(base: u128) -> RuntimeCall {
	let key_value = RuntimeParameters::Fees(fees::Parameters::Base(fees::Base, Some(base)));
	pallet_parameters::Call::set_parameter { key_value }.into()
}

fn spend(kind: NativeOrWithId<u32>, amount: u128, to: Sr25519Keyring) -> RuntimeCall {
	pallet_treasury::Call::spend {
		asset_kind: Box::new(kind),
		amount,
		beneficiary: Box::new(to.to_account_id()),
		valid_from: None,
	}
	.into()
}

#[test]
fn the_tracks_are_standard_root_and_emergency_in_days_of_the_chain() {
	for (id, day) in [(DEVELOPMENT, DAY), (LOCAL_TESTNET, 86_400)] {
		chain(id, || {
			let tracks: Vec<_> = Tracks::tracks().map(|track| track.into_owned()).collect();
			let shown: Vec<_> = tracks
				.iter()
				.map(|track| {
					let name = String::from_utf8(track.info.name.to_vec()).expect("plain text");
					let info = &track.info;
					let wait = info.min_enactment_period;
					(name.trim_end_matches('\0').to_string(), info.decision_period, wait)
				})
				.collect();
			let expected = [
				("standard".to_string(), 7 * day, 1),
				("root".to_string(), 7 * day, 3 * day),
				("emergency".to_string(), day, 1),
			];
			assert_eq!(shown, expected, "{id}");
			for track in tracks {
				assert_eq!(track.info.decision_deposit, 1_000 * AIT);
				assert_eq!(track.info.prepare_period, 0);
				assert!(track.info.confirm_period > 0);
			}
		});
	}
}

#[test]
fn no_origin_but_these_three_has_a_track() {
	development(|| {
		let alice = Alice.to_account_id();
		for (origin, track) in [
			(OriginCaller::from(RawOrigin::Root), Ok(ROOT)),
			(Origin::Standard.into(), Ok(STANDARD)),
			(Origin::Emergency.into(), Ok(EMERGENCY)),
			(Origin::Committee.into(), Err(())),
			(RawOrigin::Signed(alice.clone()).into(), Err(())),
			(RawOrigin::Signed(TreasuryAccount::get()).into(), Err(())),
			(RawOrigin::None.into(), Err(())),
			(Motion::Members(1, 1).into(), Err(())),
			(Motion::Member(alice.clone()).into(), Err(())),
		] {
			assert_eq!(Tracks::track_for(&origin), track, "{origin:?}");
		}
	});
}

#[test]
fn a_referendum_changes_a_parameter_after_seven_days_and_not_before() {
	development(|| {
		let index = propose(STANDARD, fee(7));
		carry(index);
		run_to(7 * DAY);
		assert!(is_ongoing(index));
		assert_ne!(fees::Base::get(), 7);
		run_to(7 * DAY + 5);
		assert!(is_approved(index));
		assert_eq!(fees::Base::get(), 7);
		// Both deposits return.
		assert_ok!(Referenda::refund_decision_deposit(signed(Eve), index));
		assert_ok!(Referenda::refund_submission_deposit(signed(Eve), index));
		assert_eq!(Balances::reserved_balance(Eve.to_account_id()), 0);
	});
}

#[test]
fn what_passes_late_is_decided_late_and_what_no_longer_passes_is_not() {
	development(|| {
		let late = propose(STANDARD, fee(7));
		let turned = propose(STANDARD, fee(8));
		run_to(7 * DAY - 10);
		carry(late);
		carry(turned);
		run_to(7 * DAY + 10);
		// Each must pass for a while yet, and one no longer does.
		assert!(is_ongoing(late) && is_ongoing(turned));
		assert_ok!(vote(Bob, turned, false, 600_000));
		run_to(8 * DAY);
		assert!(is_approved(late));
		assert!(is_rejected(turned));
		assert_eq!(fees::Base::get(), 7);
	});
}

#[test]
fn one_below_quorum_fails_and_one_at_it_does_not() {
	for (missing, passes) in [(0, true), (1, false)] {
		development(|| {
			// Half a million of the ten and a half million are the treasury's.
			assert_eq!(MaxTurnout::get(), 10_000_000 * AIT);
			let index = propose(STANDARD, fee(7));
			assert_ok!(vote(Alice, index, true, 500_000));
			let rest = plain(true, 500_000 * AIT - missing);
			let call = pallet_conviction_voting::Call::vote { poll_index: index, vote: rest };
			assert_ok!(send(Bob, call));
			run_to(8 * DAY);
			assert_eq!((is_approved(index), is_rejected(index)), (passes, !passes));
			assert_eq!(fees::Base::get() == 7, passes);
		});
	}
}

#[test]
fn nays_are_no_quorum() {
	development(|| {
		let index = propose(STANDARD, fee(7));
		assert_ok!(vote(Alice, index, true, 800_000));
		for nay in [Bob, Charlie] {
			assert_ok!(vote(nay, index, false, 350_000));
		}
		run_to(8 * DAY);
		assert!(is_rejected(index), "more than half are for it, but they are not a tenth of all");
	});
}

#[test]
fn one_below_approval_fails_and_one_at_it_does_not() {
	for (nays, passes) in [(980_000, true), (980_001, false)] {
		development(|| {
			let index = propose(STANDARD, fee(7));
			assert_ok!(vote(Alice, index, true, 510_000));
			assert_ok!(vote(Bob, index, true, 510_000));
			assert_ok!(vote(Charlie, index, false, nays / 2));
			assert_ok!(vote(Dave, index, false, nays - nays / 2));
			run_to(8 * DAY);
			assert_eq!((is_approved(index), is_rejected(index)), (passes, !passes));
		});
	}
}

#[test]
fn one_without_the_whole_deposit_is_never_decided() {
	development(|| {
		assert_eq!((DECISION_DEPOSIT, SUBMISSION_DEPOSIT), (1_000 * AIT, 10 * AIT));
		let poor = AccountId::new([77; 32]);
		let pay = pallet_balances::Call::transfer_allow_death {
			dest: MultiAddress::Id(poor.clone()),
			value: 1_009 * AIT,
		};
		assert_ok!(send(Alice, pay));
		let proposal = <Preimage as StorePreimage>::bound(fee(7)).expect("it is short");
		let origin = Box::new(origin_of(STANDARD));
		let by = || RuntimeOrigin::signed(poor.clone());
		assert_ok!(Referenda::submit(by(), origin, proposal, DispatchTime::After(0)));
		let answer = Referenda::place_decision_deposit(by(), 0).map(|_| ());
		let refused = pallet_balances::Error::<Runtime>::InsufficientBalance;
		assert_eq!(answer.map_err(|answer| answer.error), Err(refused.into()));
		carry(0);
		run_to(14 * DAY + 5);
		assert!(matches!(info(0), Info::TimedOut(..)));
		assert_ne!(fees::Base::get(), 7);
	});
}

#[test]
fn a_referendum_adds_a_model_and_spends_ait_and_aicp() {
	development(|| {
		let name = ModelName::new("from-a-referendum").expect("a name");
		let model = NewModel {
			description: ModelDescription {
				name: name.clone(),
				weights: H256([1; 32]),
				tokenizer: H256([2; 32]),
				template: None,
			},
			context: 2_048,
			terms: ModelTerms { factor: 7_000, engine: EngineClass::Exact },
		};
		let calls = vec![
			pallet_model_registry::Call::propose_add { new: Box::new(model) }.into(),
			spend(NativeOrWithId::Native, 5 * AIT, Ferdie),
			spend(NativeOrWithId::WithId(AICP), 9 * units::AICP, Ferdie),
		];
		let batch = pallet_utility::Call::batch_all { calls };
		assert_eq!(decide(STANDARD, batch), Some(Ok(())));
		assert!(ModelRegistry::model_by_name(name).is_some());
		let before = free(Ferdie);
		for index in [0, 1] {
			assert_ok!(Treasury::payout(signed(Charlie), index));
		}
		assert_eq!(free(Ferdie) - before, 5 * AIT);
		let aicp = Assets::balance(AICP, Ferdie.to_account_id());
		assert_eq!(aicp, 9 * units::AICP);
		assert_ok!(CoveragePolicy::do_try_state());
	});
}

fn upgrade() -> RuntimeCall {
	frame_system::Call::authorize_upgrade { code_hash: sp_core::H256([9; 32]) }.into()
}

#[test]
fn a_referendum_of_the_root_track_authorizes_an_upgrade_after_ten_days() {
	development(|| {
		let index = propose(ROOT, upgrade());
		carry(index);
		run_to(7 * DAY + 5);
		assert!(is_approved(index));
		run_to(10 * DAY);
		assert!(System::authorized_upgrade().is_none());
		run_to(10 * DAY + 5);
		assert!(System::authorized_upgrade().is_some());
	});
}

#[test]
fn no_other_track_authorizes_an_upgrade() {
	for (track, call) in [
		(STANDARD, upgrade()),
		(EMERGENCY, upgrade()),
		(EMERGENCY, pallet_governance::Call::lift { call: Box::new(upgrade()) }.into()),
	] {
		development(|| {
			let result = decide(track, call).expect("it was carried out");
			assert!(result.is_err());
			assert!(System::authorized_upgrade().is_none());
		});
	}
}

#[test]
fn the_emergency_track_takes_a_day_and_lifts_stops_only() {
	development(|| {
		assert_ok!(SafeMode::force_enter(RuntimeOrigin::root()));
		let exit = pallet_safe_mode::Call::force_exit {};
		let lift = pallet_governance::Call::lift { call: Box::new(exit.into()) };
		let index = propose(EMERGENCY, lift);
		// People propose and vote in safe mode.
		carry(index);
		run_to(DAY);
		assert!(is_ongoing(index));
		assert!(<SafeMode as frame_support::traits::SafeMode>::is_entered());
		run_to(DAY + 5);
		assert!(is_approved(index));
		assert!(!<SafeMode as frame_support::traits::SafeMode>::is_entered());
	});
	for call in [fee(7), spend(NativeOrWithId::Native, 1, Ferdie)] {
		development(|| {
			let refused = pallet_governance::Error::<Runtime>::NotALift;
			let lift = pallet_governance::Call::lift { call: Box::new(call.clone()) };
			assert_eq!(decide(EMERGENCY, lift), Some(Err(refused.into())));
			assert_eq!(decide(EMERGENCY, call), Some(Err(DispatchError::BadOrigin)));
		});
	}
}

#[test]
fn what_is_decided_is_carried_out_in_safe_mode_and_while_calls_are_paused() {
	development(|| {
		assert_ok!(SafeMode::force_enter(RuntimeOrigin::root()));
		pallet_safe_mode::EnteredUntil::<Runtime>::put(100_000);
		assert_eq!(decide(STANDARD, fee(7)), Some(Ok(())));
		assert_eq!(fees::Base::get(), 7);
		// Several decisions at once, too, and nothing that safe mode stops.
		let batch = pallet_utility::Call::batch_all { calls: vec![fee(8), fee(9)] };
		assert_eq!(decide(STANDARD, batch), Some(Ok(())));
		assert_eq!(fees::Base::get(), 9);
		let transfer = pallet_balances::Call::transfer_keep_alive {
			dest: MultiAddress::Id(Bob.to_account_id()),
			value: AIT,
		};
		let calls = vec![RuntimeCall::from(transfer)];
		let batch = pallet_utility::Call::batch_all { calls };
		let stopped = frame_system::Error::<Runtime>::CallFiltered;
		assert_eq!(send(Alice, batch), Err(stopped.into()));
	});
}

#[test]
fn a_local_chain_has_no_root_key_and_its_holders_govern_it() {
	chain(LOCAL_TESTNET, || {
		assert_eq!(pallet_attestations::CalendarInUse::<Runtime>::get(), Calendar::UTC);
		assert!(!pallet_sudo::Key::<Runtime>::exists());
		let sudo = pallet_sudo::Call::sudo { call: Box::new(fee(7)) };
		let refused = pallet_sudo::Error::<Runtime>::RequireSudo;
		assert_eq!(send(Alice, sudo), Err(refused.into()));
		let index = propose(STANDARD, fee(7));
		carry(index);
		// The last eighth of seven days, in which it must pass.
		run_to(10);
		let Info::Ongoing(status) = info(index) else { panic!("it is not over") };
		let (alarm, _) = status.alarm.expect("it is looked at again");
		assert!(alarm.abs_diff(7 * 86_400 / 8 * 7) < 10, "{alarm}");
	});
}
