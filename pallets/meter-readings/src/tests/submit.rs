//! What an accepted batch changes, and why batches are refused.

use crate::{mock::*, *};
use codec::Encode;
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use gridproof_primitives::{
	H256,
	crypto::ed25519::GROUP_ORDER,
	energy::{BatchHeader, BatchRefusal, Direction, Registers, SignedBatch},
};
use sp_core::Pair as _;
use sp_runtime::DispatchError;

/// Refuses the next batch of meter 0 after `change`, signed as changed.
fn refused(change: impl FnOnce(&mut BatchHeader)) -> BatchRefusal {
	let mut header = header(0, 10, 20);
	change(&mut header);
	refusal(&sign(&header))
}

#[test]
fn exported_energy_is_minted_to_the_energy_account_to_the_last_wh() {
	build_and_execute(|| {
		// GIVEN a meter
		let meter = certify(1);
		let account = energy_account(meter);
		// WHEN it exports 1,234 Wh and imports 56
		let header = header(meter, 56, 1_234);
		accept(&sign(&header));
		// THEN as many KWH exist as it delivered beyond that, all on the account of owner and device
		assert_eq!((kwh(&account), issuance()), (1_178, 1_178));
		let header_hash = header.hash();
		let accepted = Event::BatchAccepted { meter, sequence: 0, header_hash, minted: 1_178 };
		assert_eq!(last_event(), accepted);
		let sums = SumsOfAll::<Test>::get();
		assert_eq!((sums.minted_wh, sums.unminted_wh, sums.imported_wh), (1_178, 56, 56));
		assert_eq!((sums.batches, sums.readings), (1, 3));
	});
}

#[test]
fn energy_that_neighbours_pass_to_each_other_mints_once() {
	build_and_execute(|| {
		let (one, other) = (certify(1), certify(2));
		// A battery's 1,000 Wh go to the neighbour and back, again and again.
		for _ in 0..8 {
			accept(&sign(&header(one, 0, 1_000)));
			accept(&sign(&header(other, 1_000, 0)));
			accept(&sign(&header(other, 0, 1_000)));
			accept(&sign(&header(one, 1_000, 0)));
		}
		assert_eq!(issuance(), 1_000);
		// What one owes outlives its certificate.
		let end_ms = MeterReadings::meter(one).unwrap().state.last_end_ms;
		assert_ok!(dispatch(Call::decommission_meter { meter: one }, owner()));
		let device = device(3).public().0;
		let again = Certification { device, since_ms: end_ms, ..certification(1) };
		assert_ok!(certify_as(electrician(), again));
		accept(&signed_by(&crate::mock::device(3), &header(2, 0, 1_000)));
		assert_eq!(issuance(), 1_000);
	});
}

#[test]
fn imported_energy_mints_nothing_and_opens_no_account() {
	build_and_execute(|| {
		let meter = certify(1);
		accept(&sign(&header(meter, 700, 0)));
		assert_eq!(issuance(), 0);
		assert!(!System::account_exists(&energy_account(meter)));
	});
}

#[test]
fn the_same_batch_never_counts_twice() {
	build_and_execute(|| {
		let meter = certify(1);
		let batch = sign(&header(meter, 0, 10));
		accept(&batch);
		assert_eq!(refusal(&batch), BatchRefusal::SequenceUsed { expected: 1 });
		// Not in one extrinsic either.
		let next = sign(&header(meter, 0, 10));
		assert_ok!(submit(&[next.clone(), next.clone(), batch]));
		let used = Err(BatchRefusal::SequenceUsed { expected: 2 });
		assert_eq!(outcomes()[2..], [Ok(1), used, used]);
		assert_eq!(issuance(), 20);
	});
}

#[test]
fn batches_of_one_meter_count_in_order_and_not_in_another() {
	build_and_execute(|| {
		let meter = certify(1);
		let first = header(meter, 0, 10);
		let second = header_after(meter, Some(&first), 0, 30);
		let (first, second) = (sign(&first), sign(&second));
		// The wrong way round, the second one waits for the first.
		assert_ok!(submit(&[second.clone(), first]));
		let gap = Err(BatchRefusal::SequenceGap { expected: 0 });
		assert_eq!(outcomes(), [gap, Ok(0)]);
		assert_eq!(issuance(), 10);
		accept(&second);
		assert_eq!(issuance(), 40);
	});
}

#[test]
fn many_batches_of_many_meters_succeed_or_fail_each_on_its_own() {
	build_and_execute(|| {
		let meters = [certify(1), certify(2), certify(3)];
		let firsts = meters.map(|meter| header(meter, 0, 100));
		let second = header_after(0, Some(&firsts[0]), 0, 1);
		let mut future = firsts[1].clone();
		future.end_ms = NOON + 60_001;
		assert_ok!(submit(&[
			sign(&firsts[0]),
			sign(&future),
			sign(&second),
			signed_by(&device(1), &firsts[2]),
			sign(&firsts[1]),
		]));
		assert_eq!(
			outcomes(),
			[
				Ok(0),
				Err(BatchRefusal::FutureInterval { latest_ms: NOON + 60_000 }),
				Ok(1),
				Err(BatchRefusal::BadSignature),
				Ok(0),
			]
		);
		assert_eq!(meters.map(|meter| kwh(&energy_account(meter))), [101, 100, 0]);
	});
}

#[test]
fn every_rule_has_its_refusal() {
	build_and_execute(|| {
		certify(1);
		accept_many(0, 1, 10);
		let end = NOON - 95 * QUARTER;
		assert_eq!(
			refused(|header| header.sequence = 0),
			BatchRefusal::SequenceUsed { expected: 1 }
		);
		assert_eq!(
			refused(|header| header.sequence = 2),
			BatchRefusal::SequenceGap { expected: 1 }
		);
		assert_eq!(refused(|header| header.previous = H256::zero()), BatchRefusal::WrongPrevious);
		assert_eq!(refused(|header| header.readings = 0), BatchRefusal::NoReadings);
		assert_eq!(
			refused(|header| header.readings = 10_001),
			BatchRefusal::TooManyReadings { max: 10_000 }
		);
		assert_eq!(refused(|header| header.end_ms = header.start_ms), BatchRefusal::EmptyInterval);
		assert_eq!(
			refused(|header| header.start_ms -= 1),
			BatchRefusal::Overlap { last_end_ms: end }
		);
		assert_eq!(
			refused(|header| header.end_ms = NOON + 60_001),
			BatchRefusal::FutureInterval { latest_ms: NOON + 60_000 }
		);
		assert_eq!(refused(|header| header.opening.export_wh -= 1), BatchRefusal::RegisterFell);
		assert_eq!(refused(|header| header.opening.import_wh += 1), BatchRefusal::RegisterJumped);
		assert_eq!(
			refused(|header| header.closing.import_wh = header.opening.import_wh - 1),
			BatchRefusal::RegisterFell
		);
		// 10 kW for a quarter of an hour, and a tenth more: 2,750 Wh.
		assert_eq!(
			refused(|header| header.closing.export_wh = header.opening.export_wh + 2_741),
			BatchRefusal::TooMuchEnergy { max_wh: 2_750 }
		);
		let mut most = header(0, 10, 2_740);
		most.readings = 10_000;
		accept(&sign(&most));
	});
}

#[test]
fn energy_before_the_certified_service_does_not_count() {
	build_and_execute(|| {
		certify(1);
		let since = certification(1).since_ms;
		let early = BatchRefusal::Overlap { last_end_ms: since };
		assert_eq!(refused(|header| header.start_ms = 0), early);
		assert_eq!(refused(|header| header.start_ms = since - 1), early);
	});
}

#[test]
fn a_gap_in_time_is_no_fault() {
	build_and_execute(|| {
		certify(1);
		let mut later = header(0, 0, 10);
		later.start_ms += QUARTER;
		later.end_ms += QUARTER;
		accept(&sign(&later));
	});
}

#[test]
fn a_one_way_meter_goes_one_way() {
	build_and_execute(|| {
		for (number, direction) in [(1, Direction::Import), (2, Direction::Export)] {
			let certification = Certification { direction, ..certification(number) };
			assert_ok!(certify_as(electrician(), certification));
		}
		let wrong = BatchRefusal::DirectionNotCertified;
		assert_eq!(refusal(&sign(&header(0, 5, 1))), wrong);
		assert_eq!(refusal(&sign(&header(1, 1, 5))), wrong);
		accept(&sign(&header(0, 5, 0)));
		accept(&sign(&header(1, 0, 5)));
		assert_eq!(issuance(), 5);
	});
}

#[test]
fn only_the_certified_device_signs_and_only_for_this_chain() {
	build_and_execute(|| {
		certify(1);
		certify(2);
		let header = header(0, 0, 10);
		let bad = BatchRefusal::BadSignature;
		// Another device, another chain, another domain, another header, no signature.
		assert_eq!(refusal(&signed_by(&device(2), &header)), bad);
		let sign_bytes = |bytes: &[u8]| SignedBatch {
			header: header.clone(),
			signature: device(1).sign(bytes).0,
		};
		assert_eq!(refusal(&sign_bytes(&header.signing_payload(&H256::repeat_byte(1)))), bad);
		assert_eq!(refusal(&sign_bytes(&("gridproof/batch/v2", genesis(), &header).encode())), bad);
		assert_eq!(refusal(&sign_bytes(&header.encode())), bad);
		let mut other = sign(&header);
		other.header.closing.export_wh += 1;
		assert_eq!(refusal(&other), bad);
		assert_eq!(refusal(&SignedBatch { header: header.clone(), signature: [0; 64] }), bad);
		accept(&sign(&header));
	});
}

#[test]
fn a_malleable_signature_is_refused() {
	build_and_execute(|| {
		certify(1);
		let mut batch = sign(&header(0, 0, 10));
		// S + L verifies where S is not checked.
		let mut carry = 0u16;
		for (byte, order) in batch.signature[32..].iter_mut().zip(GROUP_ORDER) {
			let sum = u16::from(*byte) + u16::from(order) + carry;
			*byte = (sum & 0xff) as u8;
			carry = sum >> 8;
		}
		assert_eq!(refusal(&batch), BatchRefusal::BadSignature);
	});
}

#[test]
fn a_stranger_cannot_make_an_account_or_a_row() {
	build_and_execute(|| {
		let stray = BatchHeader { meter: 77, ..header(0, 0, 10) };
		assert_eq!(refusal(&signed_by(&device(1), &stray)), BatchRefusal::UnknownMeter);
		assert_eq!(Recent::<Test>::iter().count(), 0);
		assert!(!System::account_exists(&account(50)));
	});
}

#[test]
fn a_call_without_batches_and_a_call_from_nobody_are_refused() {
	build_and_execute(|| {
		assert_noop!(submit(&[]), Error::<Test>::NoBatches);
		for origin in [RuntimeOrigin::none(), RuntimeOrigin::root()] {
			let result = MeterReadings::submit_batches(origin, batches(&[]));
			assert_eq!(result.map_err(|e| e.error), Err(DispatchError::BadOrigin));
		}
	});
}

#[test]
fn the_fee_is_returned_only_if_all_were_accepted() {
	build_and_execute(|| {
		certify(1);
		let first = header(0, 0, 10);
		let second = header_after(0, Some(&first), 0, 10);
		let submit = |list: &[SignedBatch]| {
			MeterReadings::submit_batches(RuntimeOrigin::signed(account(50)), batches(list))
				.unwrap()
		};
		let post = submit(&[sign(&first)]);
		assert_eq!(post.pays_fee, Pays::No);
		let weight = <() as WeightInfo>::submit_batches(1);
		let opened = <() as WeightInfo>::open_energy_accounts(1);
		let counted = MeterReadings::weight_of_organisations(1);
		assert_eq!(post.actual_weight, Some(weight + opened + counted));
		let post = submit(&[sign(&first), sign(&second)]);
		assert_eq!(post.pays_fee, Pays::Yes);
		let weight = <() as WeightInfo>::submit_batches(2);
		assert_eq!(post.actual_weight, Some(weight + counted));
	});
}

#[test]
fn an_energy_account_that_was_emptied_is_opened_again() {
	build_and_execute(|| {
		let meter = certify(1);
		let who = energy_account(meter);
		accept_many(meter, 1, 10);
		assert_ok!(Assets::transfer(RuntimeOrigin::signed(who.clone()), 2, account(5), 10));
		assert!(!System::account_exists(&who));
		accept_many(meter, 1, 7);
		assert_eq!((kwh(&who), kwh(&account(5)), issuance()), (7, 10, 17));
	});
}

/// Raises the minimum balance of the token.
fn set_minimum(minimum: u128) {
	pallet_assets::Asset::<Test>::mutate(2, |asset| {
		*asset = asset.take().map(|asset| {
			let mut bytes = codec::Encode::encode(&asset);
			// It follows four accounts, supply and deposit.
			bytes[160..176].copy_from_slice(&minimum.to_le_bytes());
			codec::Decode::decode(&mut &bytes[..]).unwrap()
		});
	});
	assert_eq!(
		<Assets as frame_support::traits::fungibles::Inspect<_>>::minimum_balance(2),
		minimum
	);
}

#[test]
fn what_is_too_little_for_the_token_is_refused_and_not_used_up() {
	build_and_execute(|| {
		certify(1);
		set_minimum(1_000);
		let first = header(0, 0, 999);
		assert_eq!(refusal(&sign(&first)), BatchRefusal::MintFailed);
		assert_eq!(Meters::<Test>::get(0).unwrap().state.next_sequence, 0);
		// A longer batch, or one that imports only, goes through.
		let mut longer = header(0, 0, 1_000);
		longer.end_ms += QUARTER;
		accept(&sign(&longer));
		accept(&sign(&header(0, 0, 1)));
		assert_eq!(issuance(), 1_001);
	});
}

#[test]
fn extremes_neither_overflow_nor_mint() {
	build_and_execute(|| {
		let most = Registers { import_wh: u64::MAX, export_wh: u64::MAX };
		let certification =
			Certification { registers: most, rated_power_w: 100_000_000, ..certification(1) };
		assert_ok!(certify_as(electrician(), certification));
		let mut header = header_after(0, None, 0, 0);
		header.closing = Registers { import_wh: 0, export_wh: 0 };
		assert_eq!(refusal(&sign(&header)), BatchRefusal::RegisterFell);
		header.closing = most;
		header.sequence = u64::MAX;
		assert_eq!(refusal(&sign(&header)), BatchRefusal::SequenceGap { expected: 0 });
		header.sequence = 0;
		header.end_ms = u64::MAX;
		let future = BatchRefusal::FutureInterval { latest_ms: NOON + 60_000 };
		assert_eq!(refusal(&sign(&header)), future);
		header.end_ms = NOON;
		accept(&sign(&header));
		assert_eq!(issuance(), 0);
	});
}
