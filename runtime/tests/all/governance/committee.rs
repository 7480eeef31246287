//! What the emergency committee stops, for how long, and what it cannot.

use super::*;
use crate::computing;
use frame_support::{assert_noop, dispatch::GetDispatchInfo, traits::fungible};
use gridproof_primitives::{
	H256,
	compute::{AitPerAicp, Breaker as Compute, PartyRole},
	energy::Suspension,
	reserve::{attestation::Role, state::Breaker as Coverage},
};
use gridproof_runtime::{
	Attestations, ComputeReceipts, CoveragePolicy, EmergencyCommittee, MeterReadings, TxPause,
	configs::Stop, genesis_presets::STAGING,
};
use pallet_governance::{Error, Event, Stops};
use sp_runtime::traits::{BlakeTwo256, Hash};

type Collective = pallet_collective::Call<Runtime, gridproof_runtime::configs::Committee>;

const STOP: u32 = 14 * DAY;

fn stop(call: impl Into<RuntimeCall>) -> RuntimeCall {
	pallet_governance::Call::stop { call: Box::new(call.into()) }.into()
}

/// Ferdie is the committee.
fn committee_stops(call: impl Into<RuntimeCall>) -> DispatchResult {
	send(Ferdie, stop(call))
}

fn coverage(new: Coverage) -> RuntimeCall {
	pallet_coverage_policy::Call::set_breaker { new }.into()
}

fn compute(new: Compute) -> RuntimeCall {
	pallet_compute_receipts::Call::set_breaker { new }.into()
}

fn levels() -> (Coverage, Compute) {
	(
		pallet_coverage_policy::BreakerLevel::<Runtime>::get(),
		pallet_compute_receipts::BreakerLevel::<Runtime>::get(),
	)
}

fn too_soon() -> DispatchResult {
	Err(Error::<Runtime>::TooSoon.into())
}

#[test]
fn a_stop_ends_after_fourteen_days_and_cannot_be_raised_again_for_as_many() {
	development(|| {
		assert_ok!(committee_stops(coverage(Coverage::MintStopped)));
		assert_eq!(levels().0, Coverage::MintStopped);
		let raised = Stop::Coverage { from: Coverage::Closed, to: Coverage::MintStopped };
		let ends = Some(1 + STOP);
		let again = 1 + 2 * STOP;
		let shown = Event::Stopped { stop: raised.clone(), ends, again };
		assert!(System::events().iter().any(|record| record.event == shown.clone().into()));
		run_to(STOP);
		assert_eq!(levels().0, Coverage::MintStopped);
		run_to(STOP + 1);
		assert_eq!(levels().0, Coverage::Closed);
		let ended = Event::Ended { stop: raised, result: Ok(()) };
		assert!(System::events().iter().any(|record| record.event == ended.clone().into()));
		for level in [Coverage::MintStopped, Coverage::AllStopped] {
			assert_eq!(committee_stops(coverage(level)), too_soon());
		}
		run_to(2 * STOP + 1);
		assert!(Stops::<Runtime>::get().is_empty());
		assert_ok!(committee_stops(coverage(Coverage::MintStopped)));
	});
}

#[test]
fn governance_that_ends_a_stop_early_keeps_the_committee_from_raising_it_again() {
	development(|| {
		assert_ok!(committee_stops(coverage(Coverage::MintStopped)));
		run_to(2 * DAY);
		let lift = pallet_governance::Call::lift { call: Box::new(coverage(Coverage::Closed)) };
		assert_eq!(decide(EMERGENCY, lift), Some(Ok(())));
		assert_eq!(levels().0, Coverage::Closed);
		assert_eq!(committee_stops(coverage(Coverage::MintStopped)), too_soon());
		// What governance stops itself afterwards does not end with the committee's.
		run_to(5 * DAY);
		assert_ok!(CoveragePolicy::set_breaker(RuntimeOrigin::root(), Coverage::MintStopped));
		run_to(STOP + 5);
		assert_eq!(levels().0, Coverage::MintStopped);
	});
}

#[test]
fn a_referendum_keeps_a_stop() {
	development(|| {
		assert_ok!(committee_stops(pallet_meter_readings::Call::pause {}));
		let keep = pallet_governance::Call::keep { stop: Stop::Readings };
		assert_noop!(
			RuntimeCall::from(keep.clone()).dispatch(signed(Ferdie)).map_err(|answer| answer.error),
			DispatchError::BadOrigin
		);
		assert_eq!(decide(STANDARD, keep.clone()), Some(Ok(())));
		run_to(STOP + 5);
		assert!(pallet_meter_readings::Paused::<Runtime>::get());
		assert!(Stops::<Runtime>::get().iter().all(|row| row.ends.is_none()));
		let gone = Error::<Runtime>::NotFound;
		assert_eq!(decide(STANDARD, keep), Some(Err(gone.into())));
		let resume = pallet_meter_readings::Call::resume {};
		assert_eq!(decide(STANDARD, resume), Some(Ok(())));
		assert!(!pallet_meter_readings::Paused::<Runtime>::get());
	});
}

#[test]
fn a_stricter_stop_is_another_one_and_ends_with_the_first() {
	development(|| {
		assert_ok!(committee_stops(compute(Compute::MintStopped)));
		run_to(10 * DAY);
		assert_ok!(committee_stops(compute(Compute::AllStopped)));
		assert_eq!(committee_stops(compute(Compute::AllStopped)), too_soon());
		run_to(STOP);
		assert_eq!(levels().1, Compute::AllStopped);
		run_to(STOP + 1);
		assert_eq!(levels().1, Compute::Closed);
		// Neither comes again before both have rested.
		run_to(2 * STOP + 1);
		for level in [Compute::MintStopped, Compute::AllStopped] {
			assert_eq!(committee_stops(compute(level)), too_soon());
		}
		run_to(2 * STOP + 10 * DAY);
		assert_ok!(committee_stops(compute(Compute::MintStopped)));
	});
}

#[test]
fn a_mint_whose_supply_differs_stays_stopped() {
	development(|| {
		assert_ok!(committee_stops(compute(Compute::MintStopped)));
		assert_ok!(<Balances as fungible::Mutate<_>>::mint_into(&Alice.to_account_id(), AIT));
		run_to(STOP + 5);
		assert_eq!(levels().1, Compute::MintStopped);
		let failed = System::events().into_iter().any(|record| {
			matches!(
				record.event,
				RuntimeEvent::Governance(Event::Ended {
					stop: Stop::Compute { .. },
					result: Err(_)
				})
			)
		});
		assert!(failed);
	});
}

#[test]
fn the_committee_loosens_nothing() {
	development(|| {
		let not_a_stop: DispatchResult = Err(Error::<Runtime>::NotAStop.into());
		let loosening: Vec<RuntimeCall> = vec![
			pallet_safe_mode::Call::force_exit {}.into(),
			pallet_safe_mode::Call::force_extend {}.into(),
			pallet_attestations::Call::resume {}.into(),
			pallet_meter_readings::Call::resume {}.into(),
			pallet_meter_readings::Call::suspend_meter { meter: 0, reason: Suspension::LostKey }
				.into(),
			pallet_compute_receipts::Call::admit_coordinator { key: [1; 32] }.into(),
			pallet_compute_receipts::Call::ban { key: [1; 32], until_ms: 1 }.into(),
			pallet_governance::Call::keep { stop: Stop::Readings }.into(),
			pallet_brakes::Call::set_emergency_account { new: None }.into(),
			frame_system::Call::remark { remark: vec![1] }.into(),
			stop(pallet_meter_readings::Call::pause {}),
			pallet_utility::Call::batch {
				calls: vec![pallet_meter_readings::Call::pause {}.into()],
			}
			.into(),
		];
		for call in loosening {
			assert_eq!(committee_stops(call.clone()), not_a_stop, "{call:?}");
		}
		// Levels go up only, and the rate down only.
		assert_ok!(CoveragePolicy::set_breaker(RuntimeOrigin::root(), Coverage::AllStopped));
		assert_ok!(ComputeReceipts::set_breaker(RuntimeOrigin::root(), Compute::AllStopped));
		assert!(committee_stops(coverage(Coverage::Closed)).is_err());
		assert!(committee_stops(compute(Compute::MintStopped)).is_err());
		let rate = |ait| Some(AitPerAicp { ait, aicp: 10 });
		let lower = |ait| pallet_compute_receipts::Call::set_reference_rate { new: rate(ait) };
		assert_ok!(ComputeReceipts::set_reference_rate(RuntimeOrigin::root(), rate(10)));
		assert!(committee_stops(lower(11)).is_err());
		assert_ok!(committee_stops(lower(5)));
		assert_eq!(committee_stops(lower(5)), too_soon());
		// What failed left no trace.
		assert_eq!(Stops::<Runtime>::get().len(), 1);
	});
}

#[test]
fn nobody_else_stops_and_no_pallet_takes_a_stop_that_is_not_written_down() {
	development(|| {
		let bad = Err(DispatchError::BadOrigin);
		assert_eq!(send(Alice, stop(pallet_meter_readings::Call::pause {})), bad);
		// Not even who may stop does so past the door.
		assert_eq!(send(Ferdie, pallet_meter_readings::Call::pause {}), bad);
		assert_eq!(send(Ferdie, coverage(Coverage::MintStopped)), bad);
		assert_eq!(send(Ferdie, pallet_safe_mode::Call::force_enter {}), bad);
		assert!(!pallet_meter_readings::Paused::<Runtime>::get());
	});
}

#[test]
fn safe_mode_by_the_committee_lasts_fourteen_days_and_comes_once() {
	development(|| {
		assert_ok!(committee_stops(pallet_safe_mode::Call::force_enter {}));
		assert_eq!(pallet_safe_mode::EnteredUntil::<Runtime>::get(), Some(1 + STOP));
		assert_ok!(SafeMode::force_exit(RuntimeOrigin::root()));
		assert_eq!(committee_stops(pallet_safe_mode::Call::force_enter {}), too_soon());
		run_to(2 * STOP + 1);
		assert_ok!(committee_stops(pallet_safe_mode::Call::force_enter {}));
		run_to(3 * STOP + 5);
		assert!(!<SafeMode as frame_support::traits::SafeMode>::is_entered());
	});
}

#[test]
fn calls_and_statements_that_the_committee_stopped_go_on_after_fourteen_days() {
	development(|| {
		let name = |text: &str| text.as_bytes().to_vec().try_into().expect("it is short");
		let transfer = (name("Balances"), name("transfer_keep_alive"));
		assert_ok!(committee_stops(pallet_tx_pause::Call::pause { full_name: transfer.clone() }));
		assert_ok!(committee_stops(pallet_attestations::Call::pause {}));
		assert!(TxPause::is_paused(&transfer));
		// One call is not another.
		let other = (name("Balances"), name("transfer_allow_death"));
		assert_ok!(committee_stops(pallet_tx_pause::Call::pause { full_name: other.clone() }));
		run_to(STOP + 1);
		assert!(!TxPause::is_paused(&transfer) && !TxPause::is_paused(&other));
		assert!(!pallet_attestations::Paused::<Runtime>::get());
	});
}

#[test]
fn the_committee_cannot_pause_what_people_govern_by() {
	development(|| {
		let name = |text: &str| text.as_bytes().to_vec().try_into().expect("it is short");
		for (pallet, call) in [
			("Referenda", "submit"),
			("ConvictionVoting", "vote"),
			("Governance", "lift"),
			("Governance", "stop"),
			("EmergencyCommittee", "propose"),
			("Preimage", "note_preimage"),
			("Treasury", "spend"),
			("TxPause", "unpause"),
			("Parameters", "set_parameter"),
			("CoveragePolicy", "set_parameters"),
			("ComputeReceipts", "ban"),
			("MeterReadings", "set_limits"),
			("ModelRegistry", "propose_add"),
			("Attestations", "rotate_key"),
		] {
			let full_name = (name(pallet), name(call));
			let refused = pallet_tx_pause::Error::<Runtime>::Unpausable;
			assert_eq!(
				committee_stops(pallet_tx_pause::Call::pause { full_name }),
				Err(refused.into()),
				"{pallet}.{call}"
			);
		}
	});
}

#[test]
fn a_model_and_a_coordinator_come_back_when_the_stop_ends() {
	development(|| {
		let model = gridproof_runtime::ModelRegistry::default_model().expect("there is one");
		computing::register(7, PartyRole::Coordinator, Bob.to_account_id());
		let key = computing::key(7);
		assert_ok!(ComputeReceipts::admit_coordinator(RuntimeOrigin::root(), key));
		assert_ok!(committee_stops(pallet_model_registry::Call::stop { model }));
		let exclude = pallet_compute_receipts::Call::exclude_coordinator { key };
		assert_ok!(committee_stops(exclude));
		let admitted = || pallet_compute_receipts::Admitted::<Runtime>::contains_key(key);
		assert!(!admitted());
		run_to(STOP + 1);
		assert!(admitted());
		// A model's return is announced like every change.
		let view = gridproof_runtime::ModelRegistry::model(model).expect("it is there");
		assert!(view.pending.is_some());
		let none = H256([3; 32]);
		assert!(committee_stops(pallet_model_registry::Call::stop { model: none }).is_err());
	});
}

#[test]
fn two_of_four_members_stop_by_a_motion_and_one_does_not() {
	chain(STAGING, || {
		let members: Vec<AccountId> =
			pallet_collective::Members::<Runtime, gridproof_runtime::configs::Committee>::get();
		assert_eq!(members.len(), 4);
		let motion = stop(coverage(Coverage::MintStopped));
		let [one, two, ..] = &members[..] else { panic!("there are four") };
		let by = |who: &AccountId| RuntimeOrigin::signed(who.clone());
		let length_bound = u32::try_from(codec::Encode::encoded_size(&motion)).expect("short");
		// Alone, a member is nobody.
		let _ = EmergencyCommittee::propose(by(one), 1, Box::new(motion.clone()), length_bound);
		let _ = EmergencyCommittee::execute(by(one), Box::new(motion.clone()), length_bound);
		assert_eq!(levels().0, Coverage::Closed);
		// Nor a motion that asks for one vote alone.
		let propose =
			Collective::propose { threshold: 2, proposal: Box::new(motion.clone()), length_bound };
		assert_ok!(RuntimeCall::from(propose).dispatch(by(one)));
		let proposal = BlakeTwo256::hash_of(&motion);
		for who in [one, two] {
			assert_ok!(EmergencyCommittee::vote(by(who), proposal, 0, true));
		}
		let weight = motion.get_dispatch_info().call_weight;
		assert_ok!(EmergencyCommittee::close(by(two), proposal, 0, weight, length_bound));
		assert_eq!(levels().0, Coverage::MintStopped);
	});
}

#[test]
fn a_prime_member_does_not_speak_for_those_who_are_away() {
	chain(STAGING, || {
		let members =
			pallet_collective::Members::<Runtime, gridproof_runtime::configs::Committee>::get();
		let [one, ..] = &members[..] else { panic!("there are four") };
		let by = |who: &AccountId| RuntimeOrigin::signed(who.clone());
		let prime = Some(one.clone());
		assert_ok!(EmergencyCommittee::set_members(
			RuntimeOrigin::root(),
			members.clone(),
			prime,
			4
		));
		let motion = stop(coverage(Coverage::MintStopped));
		let length_bound = u32::try_from(codec::Encode::encoded_size(&motion)).expect("short");
		let propose =
			Collective::propose { threshold: 2, proposal: Box::new(motion.clone()), length_bound };
		assert_ok!(RuntimeCall::from(propose).dispatch(by(one)));
		let proposal = BlakeTwo256::hash_of(&motion);
		assert_ok!(EmergencyCommittee::vote(by(one), proposal, 0, true));
		// Until nobody can vote any more.
		System::set_block_number(4 * 86_400);
		let weight = motion.get_dispatch_info().call_weight;
		assert_ok!(EmergencyCommittee::close(by(one), proposal, 0, weight, length_bound));
		assert_eq!(levels().0, Coverage::Closed);
	});
}

#[test]
fn what_the_committee_and_its_account_raise_is_counted_together() {
	development(|| {
		assert_ok!(committee_stops(coverage(Coverage::MintStopped)));
		let motion = stop(coverage(Coverage::MintStopped));
		let length_bound = u32::try_from(codec::Encode::encoded_size(&motion)).expect("short");
		let propose =
			Collective::propose { threshold: 1, proposal: Box::new(motion), length_bound };
		assert_ok!(RuntimeCall::from(propose).dispatch(signed(Ferdie)));
		let refused = System::events().into_iter().any(|record| {
			matches!(
				record.event,
				RuntimeEvent::EmergencyCommittee(pallet_collective::Event::Executed {
					result: Err(_),
					..
				})
			)
		});
		assert!(refused);
	});
}

#[test]
fn a_verifier_is_suspended_through_the_same_door_and_dismissed_by_the_standard_track_alone() {
	development(|| {
		let account = Sr25519Keyring::AliceStash.to_account_id();
		let suspend = || -> RuntimeCall {
			pallet_compute_checks::Call::<Runtime>::suspend_verifier { account: account.clone() }
				.into()
		};
		assert_eq!(send(Ferdie, suspend()), Err(DispatchError::BadOrigin));
		assert_ok!(committee_stops(suspend()));
		let row = pallet_compute_checks::Verifiers::<Runtime>::get(&account).expect("it is one");
		assert!(row.suspended_ms > pallet_timestamp::Now::<Runtime>::get());
		assert_eq!(committee_stops(suspend()), too_soon());
		let dismiss = || -> RuntimeCall {
			pallet_compute_checks::Call::<Runtime>::dismiss_verifier { account: account.clone() }
				.into()
		};
		assert_eq!(committee_stops(dismiss()), Err(Error::<Runtime>::NotAStop.into()));
		let lift = pallet_governance::Call::lift { call: Box::new(dismiss()) };
		assert_eq!(decide(EMERGENCY, lift), Some(Err(Error::<Runtime>::NotALift.into())));
		assert_eq!(decide(STANDARD, dismiss()), Some(Ok(())));
		assert!(!pallet_compute_checks::Admitted::<Runtime>::contains_key(&account));
	});
}

#[test]
fn a_roles_stop_is_prolonged_through_the_same_door() {
	development(|| {
		let prolong = pallet_attestations::Call::prolong_stop { role: Role::Data, number: 0 };
		let refused = pallet_attestations::Error::<Runtime>::NotStopped;
		assert_eq!(committee_stops(prolong), Err(refused.into()));
		let by_hand = Attestations::prolong_stop(signed(Ferdie), Role::Data, 0);
		assert_eq!(by_hand, Err(DispatchError::BadOrigin));
		let meter = MeterReadings::meter(0);
		assert!(meter.is_none());
		let suspend =
			pallet_meter_readings::Call::suspend_meter { meter: 0, reason: Suspension::Governance };
		let unknown = pallet_meter_readings::Error::<Runtime>::NoMeter;
		assert_eq!(committee_stops(suspend), Err(unknown.into()));
	});
}
