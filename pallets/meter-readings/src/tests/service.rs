//! Suspension, reinstatement, exchange, and the end of service.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	H256,
	energy::{BatchRefusal, Registers, Suspension},
};
use sp_core::Pair as _;
use sp_runtime::{DispatchError, MultiSignature};

fn suspend(who: AccountId, reason: Suspension) -> Result<(), DispatchError> {
	dispatch(Call::suspend_meter { meter: 0, reason }, who)
}

fn seal() -> gridproof_primitives::energy::SealId {
	b"S-2".to_vec().try_into().unwrap()
}

fn reinstate(who: AccountId) -> Result<(), DispatchError> {
	dispatch(Call::reinstate_meter { meter: 0, seal: seal() }, who)
}

fn exchange(
	who: AccountId,
	registers: Registers,
	device: Option<NewDevice<MultiSignature>>,
) -> Result<(), DispatchError> {
	let device = device.map(Box::new);
	dispatch(Call::exchange_meter { meter: 0, registers, seal: seal(), device }, who)
}

/// The key of device 9, with the owner's consent until `valid_until_ms`.
fn new_device(valid_until_ms: u64) -> NewDevice<MultiSignature> {
	let device = device(9).public().0;
	let certification = Certification { device, valid_until_ms, ..certification(1) };
	let payload = consent_payload(&certification, 0, &genesis());
	NewDevice { device, valid_until_ms, consent: owner_pair().sign(&payload).into() }
}

const FRESH: Registers = Registers { import_wh: 0, export_wh: 7 };

#[test]
fn owner_and_electrician_suspend_and_nobody_else() {
	build_and_execute(|| {
		certify(1);
		for who in [admin(), account(5)] {
			let refused = suspend(who, Suspension::BrokenSeal);
			assert_noop!(refused, Error::<Test>::NotAuthorized);
		}
		assert_ok!(suspend(owner(), Suspension::BrokenSeal));
		let suspended =
			Event::MeterSuspended { meter: 0, reason: Suspension::BrokenSeal, by: owner() };
		assert_eq!(last_event(), suspended);
		let again = suspend(electrician(), Suspension::BrokenSeal);
		assert_noop!(again, Error::<Test>::Unchanged);
		assert_eq!(MeterReadings::overview().suspended, 1);
	});
}

#[test]
fn there_is_nothing_to_do_with_a_meter_that_is_not_there() {
	build_and_execute(|| {
		assert_noop!(suspend(owner(), Suspension::LostKey), Error::<Test>::NoMeter);
		assert_noop!(reinstate(electrician()), Error::<Test>::NoMeter);
		assert_noop!(exchange(electrician(), FRESH, None), Error::<Test>::NoMeter);
		let call = Call::decommission_meter { meter: 0 };
		assert_noop!(dispatch(call, owner()), Error::<Test>::NoMeter);
	});
}

#[test]
fn a_suspended_meters_batches_are_refused_until_an_electrician_reinstates_it() {
	build_and_execute(|| {
		let meter = certify(1);
		let batch = sign(&header(meter, 0, 10));
		assert_noop!(reinstate(electrician()), Error::<Test>::NotSuspended);
		assert_ok!(suspend(owner(), Suspension::BrokenSeal));
		assert_eq!(refusal(&batch), BatchRefusal::Suspended);
		assert_noop!(reinstate(owner()), Error::<Test>::NotMember);
		assert_ok!(reinstate(electrician()));
		assert_eq!(MeterReadings::meter(0).unwrap().certificate.seal, seal());
		accept(&batch);
	});
}

#[test]
fn a_lost_key_does_not_come_back() {
	build_and_execute(|| {
		let meter = certify(1);
		let batch = sign(&header(meter, 0, 10));
		// GIVEN a broken seal that turns out to be a lost key
		assert_ok!(suspend(electrician(), Suspension::BrokenSeal));
		assert_ok!(suspend(electrician(), Suspension::LostKey));
		// THEN it can be neither downgraded nor lifted
		let less = suspend(owner(), Suspension::BrokenSeal);
		assert_noop!(less, Error::<Test>::KeyLost);
		assert_noop!(reinstate(electrician()), Error::<Test>::KeyLost);
		assert_noop!(exchange(electrician(), FRESH, None), Error::<Test>::KeyLost);
		// WHEN the device gets another key
		assert_ok!(exchange(electrician(), FRESH, Some(new_device(NOON + 2 * QUARTER))));
		// THEN the old one signs no more
		let next = header(meter, 0, 10);
		assert_eq!(refusal(&sign(&next)), BatchRefusal::BadSignature);
		assert_eq!(refusal(&batch), BatchRefusal::RegisterJumped);
		accept(&signed_by(&device(9), &next));
	});
}

#[test]
fn an_exchange_resets_the_registers_and_goes_on_with_sequence_and_history() {
	build_and_execute(|| {
		let meter = certify(1);
		let before = accept_many(meter, 2, 10);
		let old = before[1].closing;
		assert_noop!(exchange(owner(), FRESH, None), Error::<Test>::NotMember);
		assert_ok!(exchange(electrician(), FRESH, None));
		let exchanged = Event::MeterExchanged {
			meter,
			old,
			new: FRESH,
			device: device(1).public().0,
			energy_account: energy_account(meter),
			seal: seal(),
			electrician: electrician(),
		};
		assert_eq!(last_event(), exchanged);
		let state = MeterReadings::meter(0).unwrap().state;
		assert_eq!((state.next_sequence, state.last_hash), (2, before[1].hash()));
		assert_eq!(state.last_end_ms, before[1].end_ms);
		// Nothing is minted by the reset itself, and what was counted is not counted again.
		assert_eq!(issuance(), 20);
		let next = header(meter, 0, 5);
		assert_eq!(next.opening, FRESH);
		accept(&sign(&next));
		assert_eq!(issuance(), 25);
		let early = header_after(meter, Some(&before[0]), 0, 5);
		assert!(matches!(refusal(&sign(&early)), BatchRefusal::SequenceUsed { expected: 3 }));
	});
}

#[test]
fn another_device_means_another_energy_account_and_needs_the_owner() {
	build_and_execute(|| {
		let meter = certify(1);
		accept_many(meter, 1, 10);
		let old_account = energy_account(meter);
		let good = new_device(NOON + 2 * QUARTER);
		// Without the owner's signature of exactly this key.
		let forged = NewDevice { device: device(8).public().0, ..good.clone() };
		let refused = exchange(electrician(), FRESH, Some(forged));
		assert_noop!(refused, Error::<Test>::BadConsent);
		let refused = exchange(electrician(), FRESH, Some(new_device(NOON - 1)));
		assert_noop!(refused, Error::<Test>::ConsentExpired);
		// With it.
		assert_ok!(exchange(electrician(), FRESH, Some(good)));
		let account = energy_account(meter);
		assert_ne!(account, old_account);
		accept(&signed_by(&device(9), &header(meter, 0, 3)));
		assert_eq!((kwh(&old_account), kwh(&account)), (10, 3));
		assert!(!DeviceKeys::<Test>::contains_key(device(1).public().0));
	});
}

#[test]
fn a_consent_is_used_once() {
	build_and_execute(|| {
		let meter = certify(1);
		let first = new_device(NOON + 2 * QUARTER);
		assert_ok!(exchange(electrician(), FRESH, Some(first.clone())));
		// Back to the first key by the consent that was given for it then.
		let original = NewDevice {
			device: device(1).public().0,
			valid_until_ms: certification(1).valid_until_ms,
			consent: *consent(&certification(1)),
		};
		let refused = exchange(electrician(), FRESH, Some(original));
		assert_noop!(refused, Error::<Test>::ConsentExpired);
		let refused = exchange(electrician(), FRESH, Some(first));
		assert_noop!(refused, Error::<Test>::KeyInUse);
		assert_eq!(DeviceKeys::<Test>::get(device(9).public().0), Some(meter));
	});
}

#[test]
fn a_new_key_is_checked_like_the_first() {
	build_and_execute(|| {
		certify(1);
		certify(2);
		let until = NOON + 2 * QUARTER;
		let weak = NewDevice { device: [0; 32], ..new_device(until) };
		assert_noop!(exchange(electrician(), FRESH, Some(weak)), Error::<Test>::WeakKey);
		let taken = NewDevice { device: device(2).public().0, ..new_device(until) };
		assert_noop!(exchange(electrician(), FRESH, Some(taken)), Error::<Test>::KeyInUse);
	});
}

#[test]
fn the_end_of_service_clears_all_rows_and_returns_the_deposit() {
	build_and_execute(|| {
		// GIVEN a meter with full rings
		let meter = certify(1);
		let headers = accept_many(meter, MAX_RECENT + 2, 10);
		let last = headers.last().unwrap();
		let anchor = Call::record_anchor {
			meter,
			sequence: last.sequence,
			root: last.root,
			state: Default::default(),
		};
		assert_ok!(dispatch(anchor, account(8)));
		// WHEN it is taken out of service
		let call = || Call::decommission_meter { meter };
		assert_noop!(dispatch(call(), admin()), Error::<Test>::NotAuthorized);
		assert_ok!(suspend(owner(), Suspension::LostKey));
		assert_ok!(dispatch(call(), owner()));
		// THEN only its energy is left
		let batches = u64::from(MAX_RECENT) + 2;
		let gone = Event::MeterDecommissioned { meter, batches, last: last.hash(), by: owner() };
		assert_eq!(last_event(), gone);
		assert_eq!((on_hold(&electrician()), free(&electrician())), (0, NATIVE));
		assert_eq!(Recent::<Test>::iter().count() + Anchors::<Test>::iter().count(), 0);
		assert_eq!(MeterReadings::meter(meter), None);
		assert_eq!(issuance(), u128::from(batches) * 10);
		// AND its batches are nobody's
		let next = header_after(meter, Some(last), 0, 10);
		assert_eq!(refusal(&sign(&next)), BatchRefusal::UnknownMeter);
	});
}

#[test]
fn name_and_key_can_be_certified_again_under_another_index() {
	build_and_execute(|| {
		let meter = certify(1);
		let old = sign(&header(meter, 0, 10));
		assert_ok!(dispatch(Call::decommission_meter { meter }, electrician()));
		let again = certify(1);
		assert_eq!(again, meter + 1);
		// What was signed for the old index does not count for the new one.
		assert_eq!(refusal(&old), BatchRefusal::UnknownMeter);
		let mut stolen = old;
		stolen.header.meter = again;
		assert_eq!(refusal(&stolen), BatchRefusal::BadSignature);
		assert_eq!(MeterReadings::meter(again).unwrap().state.last_hash, H256::zero());
	});
}

#[test]
fn the_deposit_returns_to_who_paid_it() {
	build_and_execute(|| {
		let meter = certify(1);
		assert_ok!(dispatch(Call::add_member { organisation: 0, who: account(4) }, admin()));
		let who = electrician();
		assert_ok!(dispatch(Call::remove_member { organisation: 0, who }, admin()));
		assert_ok!(dispatch(Call::decommission_meter { meter }, account(4)));
		assert_eq!(free(&electrician()), NATIVE);
		assert_eq!(free(&account(4)), NATIVE);
	});
}
