//! Suspension, reinstatement, exchange, and the end of service.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::num::units::KWH_ASSET_ID;
use gridproof_primitives::{
	H256,
	energy::{BatchRefusal, ExchangeConsent, Registers, Suspension, possession_payload},
};
use sp_core::Pair as _;
use sp_runtime::{DispatchError, MultiSignature, traits::Dispatchable};

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
	let serial = serial(9);
	dispatch(Call::exchange_meter { meter: 0, registers, serial, seal: seal(), device }, who)
}

/// The key of device 9, with the owner's consent until `valid_until_ms`.
fn new_device(valid_until_ms: u64) -> NewDevice<MultiSignature> {
	consented(9, valid_until_ms)
}

/// The key of a device, with the owner's consent until `valid_until_ms` to an exchange as the tests
/// make it.
fn consented(number: u8, valid_until_ms: u64) -> NewDevice<MultiSignature> {
	consent_to(number, valid_until_ms, seal())
}

/// As [`consented`], with this seal.
fn consent_to(
	number: u8,
	valid_until_ms: u64,
	seal: gridproof_primitives::energy::SealId,
) -> NewDevice<MultiSignature> {
	let pair = device(number);
	let consent = ExchangeConsent {
		organisation: 0,
		name: name(1),
		device: pair.public().0,
		owner: owner(),
		registers: FRESH,
		serial: serial(9),
		seal,
		valid_until_ms,
	};
	let consent = owner_pair().sign(&consent.signing_payload(&genesis())).into();
	let possession = pair.sign(&possession_payload(&genesis(), &name(1), &owner())).0;
	NewDevice { device: pair.public().0, valid_until_ms, consent, possession }
}

fn decommission(meter: u32, who: AccountId) -> Result<(), DispatchError> {
	dispatch(Call::decommission_meter { meter }, who)
}

/// Certifies the meter of device 1 for export alone: when another one takes its place, nothing can have been
/// drawn unseen.
fn certify_export() -> u32 {
	let direction = gridproof_primitives::energy::Direction::Export;
	assert_ok!(certify_as(electrician(), Certification { direction, ..certification(1) }));
	0
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
			Event::MeterSuspended { meter: 0, reason: Suspension::BrokenSeal, by: Some(owner()) };
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
		// What was measured before somebody vouched again is taken, so that the meter continues, and
		// mints nothing.
		accept(&batch);
		assert_eq!((issuance(), SumsOfAll::<Test>::get().unminted_wh), (0, 10));
		Now::set(NOON + QUARTER);
		let mut next = header(meter, 0, 7);
		(next.start_ms, next.end_ms) = (NOON, NOON + QUARTER);
		accept(&sign(&next));
		assert_eq!((issuance(), SumsOfAll::<Test>::get().unminted_wh), (7, 10));
	});
}

#[test]
fn ten_days_under_a_broken_seal_mint_nothing() {
	build_and_execute(|| {
		const DAY: u64 = 96 * QUARTER;
		let meter = certify(1);
		assert_ok!(suspend(electrician(), Suspension::BrokenSeal));
		Now::set(NOON + 10 * DAY);
		assert_ok!(reinstate(electrician()));
		// 110 % of the rated power for ten days, and a batch that ends after the reinstatement.
		let mut ten_days = header(meter, 0, 2_640_000);
		(ten_days.start_ms, ten_days.end_ms) = (NOON, NOON + 10 * DAY);
		accept(&sign(&ten_days));
		let mut across = header(meter, 0, 2_750);
		across.start_ms = NOON + 10 * DAY - 1;
		across.end_ms = across.start_ms + QUARTER;
		assert_eq!(refusal(&sign(&across)), BatchRefusal::Overlap { last_end_ms: NOON + 10 * DAY });
		assert_eq!(issuance(), 0);
		assert_eq!(MeterReadings::overview().exported_wh, 2_640_000);
	});
}

#[test]
fn registers_may_have_gone_on_while_nobody_vouched_and_only_then() {
	build_and_execute(|| {
		let meter = certify(1);
		let first = accept_many(meter, 1, 10).remove(0);
		let jump = |from: &gridproof_primitives::energy::BatchHeader, start_ms: u64| {
			let mut later = header_after(meter, Some(from), 0, 5);
			(later.start_ms, later.end_ms) = (start_ms, start_ms + QUARTER);
			later.opening.import_wh += 30;
			later.opening.export_wh += 40;
			later.closing.import_wh += 30;
			later.closing.export_wh += 40;
			later
		};
		assert_eq!(refusal(&sign(&jump(&first, NOON - QUARTER))), BatchRefusal::RegisterJumped);
		assert_ok!(suspend(electrician(), Suspension::BrokenSeal));
		assert_ok!(reinstate(electrician()));
		Now::set(NOON + 2 * QUARTER);
		// Not in a batch that begins before somebody vouches.
		assert_eq!(refusal(&sign(&jump(&first, NOON - 1))), BatchRefusal::RegisterJumped);
		let reopening = jump(&first, NOON);
		accept(&sign(&reopening));
		// The gap's import counts, its export never mints.
		let sums = SumsOfAll::<Test>::get();
		// 5 Wh more were delivered than before, and 30 taken.
		assert_eq!((issuance(), sums.unminted_wh, sums.imported_wh), (10, 45, 30));
		assert_eq!(MeterReadings::meter(meter).unwrap().state.owed_wh, 25);
		let again = jump(&reopening, NOON + QUARTER);
		assert_eq!(refusal(&sign(&again)), BatchRefusal::RegisterJumped);
	});
}

#[test]
fn governance_stops_one_meter_and_nobody_else_lifts_it() {
	build_and_execute(|| {
		let meter = certify(1);
		let reason = Suspension::Governance;
		assert_noop!(suspend(electrician(), reason), Error::<Test>::NotAuthorized);
		assert_ok!(suspend(owner(), Suspension::BrokenSeal));
		assert_ok!(as_governance(Call::suspend_meter { meter, reason }));
		assert_eq!(last_event(), Event::MeterSuspended { meter, reason, by: None });
		for reason in [Suspension::BrokenSeal, Suspension::LostKey] {
			assert_noop!(suspend(electrician(), reason), Error::<Test>::NotAuthorized);
		}
		assert_noop!(reinstate(electrician()), Error::<Test>::NotAuthorized);
		let new = new_device(NOON + QUARTER);
		let exchanged = exchange(electrician(), FRESH, Some(new));
		assert_noop!(exchanged, Error::<Test>::NotAuthorized);
		let other = Call::reinstate_meter { meter, seal: seal() };
		assert_noop!(as_governance(other), Error::<Test>::BadNumber);
		assert_ok!(as_governance(Call::reinstate_meter { meter, seal: seal_of(1) }));
		let batch = sign(&header(meter, 0, 10));
		accept(&batch);
		assert_eq!(issuance(), 0);
		// What the emergency stops is stopped in the same way.
		assert_ok!(dispatch(Call::suspend_meter { meter, reason }, account(99)));
		let lift = Call::reinstate_meter { meter, seal: seal_of(1) };
		assert_noop!(dispatch(lift, account(99)), Error::<Test>::NotMember);
		assert_ok!(as_governance(Call::decommission_meter { meter }));
		assert_eq!(MeterReadings::meter(meter), None);
	});
}

#[test]
fn who_paid_a_deposit_frees_it_once_nobody_vouches() {
	build_and_execute(|| {
		let meter = certify(1);
		let who = electrician();
		assert_ok!(dispatch(Call::remove_member { organisation: 0, who }, admin()));
		assert_noop!(decommission(meter, electrician()), Error::<Test>::NotAuthorized);
		assert_ok!(suspend(owner(), Suspension::BrokenSeal));
		assert_noop!(decommission(meter, account(5)), Error::<Test>::NotAuthorized);
		assert_ok!(decommission(meter, electrician()));
		assert_eq!(free(&electrician()), NATIVE - TOMBSTONE_DEPOSIT);
		assert_eq!(on_hold(&electrician()), TOMBSTONE_DEPOSIT);
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
		let meter = certify_export();
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
			serial: serial(9),
			seal: seal(),
			electrician: electrician(),
		};
		assert_eq!(last_event(), exchanged);
		let state = MeterReadings::meter(0).unwrap().state;
		assert_eq!((state.next_sequence, state.last_hash), (2, before[1].hash()));
		assert_eq!((state.last_end_ms, state.floor_ms), (before[1].end_ms, NOON));
		// Nothing is minted by the reset itself, and what was counted is not counted again.
		assert_eq!(issuance(), 20);
		// A batch of the old registers that was on its way is taken and mints nothing.
		let late = header_after(meter, Some(&before[1]), 0, 3);
		accept(&sign(&late));
		assert_eq!((issuance(), MeterReadings::meter(0).unwrap().state.registers), (20, FRESH));
		let mut wrong = header_after(meter, Some(&late), 0, 3);
		(wrong.start_ms, wrong.end_ms) = (NOON, NOON + 60_000);
		wrong.opening = Registers { import_wh: 0, export_wh: 6 };
		assert_eq!(refusal(&sign(&wrong)), BatchRefusal::RegisterFell);
		Now::set(NOON + QUARTER);
		let mut next = header(meter, 0, 5);
		(next.start_ms, next.end_ms) = (NOON, NOON + QUARTER);
		assert_eq!(next.opening, FRESH);
		accept(&sign(&next));
		assert_eq!(issuance(), 25);
		let early = header_after(meter, Some(&before[0]), 0, 5);
		assert!(matches!(refusal(&sign(&early)), BatchRefusal::SequenceUsed { expected: 4 }));
	});
}

#[test]
fn another_device_means_another_energy_account_and_needs_the_owner() {
	build_and_execute(|| {
		let meter = certify_export();
		accept_many(meter, 1, 10);
		let old_account = energy_account(meter);
		let good = new_device(NOON + 2 * QUARTER);
		// Without the owner's signature of exactly this key.
		let other = consented(8, good.valid_until_ms);
		let forged = NewDevice { consent: good.consent.clone(), ..other.clone() };
		let refused = exchange(electrician(), FRESH, Some(forged));
		assert_noop!(refused, Error::<Test>::BadConsent);
		// Nor for other registers than he agreed to, nor without the device.
		let more = Registers { export_wh: 8, ..FRESH };
		let refused = exchange(electrician(), more, Some(good.clone()));
		assert_noop!(refused, Error::<Test>::BadConsent);
		let unproven = NewDevice { possession: other.possession, ..good.clone() };
		let refused = exchange(electrician(), FRESH, Some(unproven));
		assert_noop!(refused, Error::<Test>::BadPossession);
		let refused = exchange(electrician(), FRESH, Some(new_device(NOON - 1)));
		assert_noop!(refused, Error::<Test>::ConsentExpired);
		// With it.
		assert_ok!(exchange(electrician(), FRESH, Some(good)));
		let account = energy_account(meter);
		assert_ne!(account, old_account);
		Now::set(NOON + QUARTER);
		let mut next = header(meter, 0, 3);
		(next.start_ms, next.end_ms) = (NOON, NOON + QUARTER);
		accept(&signed_by(&device(9), &next));
		assert_eq!((kwh(&old_account), kwh(&account)), (10, 3));
		assert!(!DeviceKeys::<Test>::contains_key(device(1).public().0));
	});
}

#[test]
fn a_key_and_so_a_consent_is_used_once_whatever_became_of_its_meter() {
	build_and_execute(|| {
		let meter = certify(1);
		let first = new_device(NOON + 2 * QUARTER);
		assert_ok!(exchange(electrician(), FRESH, Some(first.clone())));
		// Back to the first key.
		let original = NewDevice { ..consented(1, NOON + 4 * QUARTER) };
		let other_seal = |device| {
			let (registers, serial, seal) = (FRESH, serial(9), seal_of(30));
			let device = Some(Box::new(device));
			dispatch(Call::exchange_meter { meter, registers, serial, seal, device }, electrician())
		};
		assert_noop!(other_seal(original), Error::<Test>::KeyRetired);
		assert_noop!(other_seal(first), Error::<Test>::KeyInUse);
		assert_eq!(DeviceKeys::<Test>::get(device(9).public().0), Some(meter));
		// WHEN the meter is taken out of service
		assert_ok!(decommission(meter, owner()));
		// THEN neither key certifies another one, with whatever consent
		for number in [1, 9] {
			let device = device(number).public().0;
			let again = Certification { device, since_ms: NOON, ..certification(1) };
			assert_noop!(certify_as(electrician(), again), Error::<Test>::KeyRetired);
		}
	});
}

#[test]
fn a_lost_key_does_not_come_back_by_a_second_certificate() {
	build_and_execute(|| {
		let meter = certify(1);
		assert_ok!(suspend(owner(), Suspension::LostKey));
		assert_ok!(decommission(meter, owner()));
		let again = Certification { since_ms: NOON, ..certification(1) };
		assert_noop!(certify_as(electrician(), again), Error::<Test>::KeyRetired);
	});
}

#[test]
fn time_counts_once_however_often_a_meter_is_certified() {
	build_and_execute(|| {
		// GIVEN a meter that has stated a quarter of an hour of the last day
		let meter = certify(1);
		let end_ms = accept_many(meter, 1, 10).remove(0).end_ms;
		assert_ok!(decommission(meter, owner()));
		// THEN no other certificate of the same name, serial number or seal begins before its end
		let (device, fresh) = (device(2).public().0, certification(2));
		for same in [
			Certification { name: name(1), ..fresh.clone() },
			Certification { serial: serial(1), ..fresh.clone() },
			Certification { seal: seal_of(1), ..fresh.clone() },
		] {
			let early = Certification { device, since_ms: end_ms - 1, ..same };
			assert_noop!(certify_as(electrician(), early), Error::<Test>::SinceTooEarly);
		}
		let next = Certification { device, since_ms: end_ms, ..certification(1) };
		assert_ok!(certify_as(electrician(), next));
		// AND the time under a suspension is nobody's
		assert_ok!(dispatch(
			Call::suspend_meter { meter: 1, reason: Suspension::BrokenSeal },
			owner()
		));
		Now::set(NOON + QUARTER);
		assert_ok!(decommission(1, owner()));
		let device = crate::mock::device(3).public().0;
		let again = |since_ms| Certification {
			device,
			since_ms,
			valid_until_ms: NOON + 2 * QUARTER,
			..certification(1)
		};
		let early = certify_as(electrician(), again(NOON + QUARTER - 1));
		assert_noop!(early, Error::<Test>::SinceTooEarly);
		assert_ok!(certify_as(electrician(), again(NOON + QUARTER)));
	});
}

#[test]
fn a_seal_that_was_broken_is_on_no_meter_again() {
	build_and_execute(|| {
		let meter = certify(1);
		certify(2);
		assert_ok!(suspend(owner(), Suspension::BrokenSeal));
		let with = |seal| dispatch(Call::reinstate_meter { meter, seal }, electrician());
		assert_noop!(with(seal_of(1)), Error::<Test>::NumberTaken);
		assert_noop!(with(seal_of(2)), Error::<Test>::NumberTaken);
		assert_noop!(with(Default::default()), Error::<Test>::BadNumber);
		assert_ok!(with(seal()));
		assert_ok!(suspend(owner(), Suspension::BrokenSeal));
		assert_noop!(with(seal_of(1)), Error::<Test>::NumberTaken);
		// Its tombstone costs the electrician a deposit that stays.
		assert_eq!(on_hold(&electrician()), 2 * METER_DEPOSIT + TOMBSTONE_DEPOSIT);
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
		let (last_hash, by) = (last.hash(), Some(owner()));
		let gone = Event::MeterDecommissioned { meter, batches, last: last_hash, by };
		assert_eq!(last_event(), gone);
		let rest = (TOMBSTONE_DEPOSIT, NATIVE - TOMBSTONE_DEPOSIT);
		assert_eq!((on_hold(&electrician()), free(&electrician())), rest);
		assert_eq!(Recent::<Test>::iter().count() + Anchors::<Test>::iter().count(), 0);
		assert_eq!(MeterReadings::meter(meter), None);
		assert_eq!(issuance(), u128::from(batches) * 10);
		// AND its batches are nobody's
		let next = header_after(meter, Some(last), 0, 10);
		assert_eq!(refusal(&sign(&next)), BatchRefusal::UnknownMeter);
	});
}

#[test]
fn a_name_can_be_certified_again_with_another_key_under_another_index() {
	build_and_execute(|| {
		let meter = certify(1);
		let old = sign(&header(meter, 0, 10));
		assert_ok!(decommission(meter, electrician()));
		let device = device(2).public().0;
		let next = Certification { device, since_ms: NOON, ..certification(1) };
		assert_ok!(certify_as(electrician(), next));
		let again = meter + 1;
		// What was signed for the old index does not count for the new one.
		assert_eq!(refusal(&old), BatchRefusal::UnknownMeter);
		let mut stolen = old;
		stolen.header.meter = again;
		(stolen.header.start_ms, stolen.header.end_ms) = (NOON, NOON + 60_000);
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
		assert_eq!(free(&electrician()), NATIVE - TOMBSTONE_DEPOSIT);
		assert_eq!(free(&account(4)), NATIVE);
	});
}

#[test]
fn what_a_meter_drew_unseen_before_its_key_is_exchanged_is_a_debt() {
	build_and_execute(|| {
		let meter = certify(1);
		let last = accept_many(meter, 1, 10).remove(0).closing;
		// GIVEN that it drew 400 Wh and its device is replaced before it stated them
		let registers = Registers { import_wh: last.import_wh + 400, ..last };
		let pair = device(9);
		let valid_until_ms = NOON + QUARTER;
		let consent = ExchangeConsent {
			organisation: 0,
			name: name(1),
			device: pair.public().0,
			owner: owner(),
			registers,
			serial: serial(1),
			seal: seal(),
			valid_until_ms,
		};
		let consent = owner_pair().sign(&consent.signing_payload(&genesis())).into();
		let possession = pair.sign(&possession_payload(&genesis(), &name(1), &owner())).0;
		let new = NewDevice { device: pair.public().0, valid_until_ms, consent, possession };
		let (serial, device) = (serial(1), Some(Box::new(new)));
		let call = Call::exchange_meter { meter, registers, serial, seal: seal(), device };
		assert_ok!(dispatch(call, electrician()));
		// THEN it delivers them before it mints again
		assert_eq!(MeterReadings::meter(meter).unwrap().state.owed_wh, 400);
		Now::set(NOON + QUARTER);
		let mut next = header(meter, 0, 450);
		(next.start_ms, next.end_ms) = (NOON, NOON + QUARTER);
		accept(&signed_by(&crate::mock::device(9), &next));
		assert_eq!(issuance(), 60);
	});
}

#[test]
fn what_was_minted_in_error_is_burned_and_the_rest_is_owed() {
	build_and_execute(|| {
		let meter = certify(1);
		accept_many(meter, 2, 500);
		let correct = |wh, who| dispatch(Call::correct_meter { meter, wh }, who);
		// GIVEN that 300 of its 1,000 Wh are gone already
		let transfer = pallet_assets::Call::<Test>::transfer {
			id: KWH_ASSET_ID,
			target: account(7),
			amount: 300,
		};
		assert_ok!(
			RuntimeCall::from(transfer).dispatch(RuntimeOrigin::signed(energy_account(meter)))
		);
		for who in [owner(), electrician(), account(7)] {
			assert_noop!(correct(900, who), Error::<Test>::NotAdmin);
		}
		for wh in [0, 1_001] {
			assert_noop!(correct(wh, admin()), Error::<Test>::AboveDelivered);
		}
		// WHEN its organisation takes 900 back
		assert_ok!(correct(900, admin()));
		let by = Some(admin());
		let event = Event::MeterCorrected { meter, burned_wh: 700, owed_wh: 200, by };
		assert_eq!(last_event(), event);
		assert_eq!((issuance(), kwh(&energy_account(meter))), (300, 0));
		assert_eq!(MeterReadings::meter(meter).unwrap().state.owed_wh, 200);
		assert_eq!(BurnedByCorrections::<Test>::get(), 700);
		// THEN nothing is corrected twice, and it delivers what it owes first
		assert_noop!(correct(101, admin()), Error::<Test>::AboveDelivered);
		accept_many(meter, 1, 250);
		assert_eq!((issuance(), kwh(&energy_account(meter))), (350, 50));
		assert_ok!(as_governance(Call::correct_meter { meter, wh: 100 }));
		assert_eq!((issuance(), Corrected::<Test>::get(meter)), (300, 1_000));
		MeterReadings::do_try_state().unwrap();
		assert_ok!(decommission(meter, owner()));
		assert_eq!(Corrected::<Test>::iter().count(), 0);
	});
}

#[test]
fn the_invariant_of_corrections_can_be_broken() {
	new_test_ext().execute_with(|| {
		let meter = certify(1);
		accept_many(meter, 1, 500);
		MeterReadings::do_try_state().unwrap();
		BurnedByCorrections::<Test>::put(1);
		assert!(MeterReadings::do_try_state().is_err());
		BurnedByCorrections::<Test>::kill();
		Corrected::<Test>::insert(meter, 501);
		assert!(MeterReadings::do_try_state().is_err());
	});
}

/// The next batch of the meter 0, from now on for a quarter of an hour, of 10 Wh.
fn from_now() -> gridproof_primitives::energy::BatchHeader {
	let start_ms = Now::get();
	Now::set(start_ms + QUARTER);
	let mut next = header(0, 0, 10);
	(next.start_ms, next.end_ms) = (start_ms, start_ms + QUARTER);
	next
}

#[test]
fn a_meter_goes_on_after_every_stop_also_with_a_signed_batch_on_its_way() {
	build_and_execute(|| {
		certify_export();
		accept(&sign(&header(0, 0, 10)));
		// GIVEN a batch that is signed when the meter is suspended, and waits
		let late = sign(&from_now());
		assert_ok!(suspend(owner(), Suspension::BrokenSeal));
		assert_eq!(refusal(&late), BatchRefusal::Suspended);
		assert_ok!(reinstate(electrician()));
		// THEN it is taken after the pardon, mints nothing, and the meter continues
		accept(&late);
		accept(&sign(&from_now()));
		assert_eq!(issuance(), 20);
		// The same while its organisation is revoked
		let late = sign(&from_now());
		for standing in [OrganisationStanding::Revoked, OrganisationStanding::Admitted] {
			let call = Call::set_organisation_standing { organisation: 0, standing };
			assert_ok!(as_governance(call));
			if standing == OrganisationStanding::Revoked {
				assert_eq!(refusal(&late), BatchRefusal::OrganisationNotAdmitted);
			}
		}
		accept(&late);
		accept(&sign(&from_now()));
		assert_eq!(issuance(), 30);
		// AND at an exchange with a new key: what the old one signed is refused permanently, its number is
		// free, and the new one continues
		let late = sign(&from_now());
		let exchanged = |registers, serial, seal, device| {
			let call = Call::exchange_meter { meter: 0, registers, serial, seal, device };
			dispatch(call, electrician())
		};
		let new = consent_to(9, Now::get() + QUARTER, seal_of(31));
		assert_ok!(exchanged(FRESH, serial(9), seal_of(31), Some(Box::new(new))));
		let refused = refusal(&late);
		assert!(!refused.is_temporary(), "{refused}");
		let mut next = from_now();
		next.opening = FRESH;
		next.closing = Registers { export_wh: FRESH.export_wh + 10, ..FRESH };
		accept(&signed_by(&crate::mock::device(9), &next));
		assert_eq!(issuance(), 40);
	});
}
