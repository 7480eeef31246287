//! The rules of a batch at their boundaries, what is signed, names, topics and messages.

use codec::{Decode, Encode, MaxEncodedLen};
use gridproof_primitives::{
	H256,
	codec::cid::Cid,
	codec::hexadecimal,
	crypto::ed25519::{GROUP_ORDER, SignatureError},
	energy::{
		Accepted, AnchorState, BatchHeader, BatchLimits, BatchRefusal, Certification, Direction,
		ExchangeConsent, MAX_READINGS_PER_BATCH, MeterName, MeterState, NameError, OldRegisters,
		Registers, SignedBatch, Topic, Trust, check_batch, check_free, check_possession,
		emlog::RunningRegisters,
		is_plain_number, max_energy_wh,
		message::{MessageError, SignAnswer, SignRequest, SignedCopy},
		meter_day_wh, possession_payload,
	},
};
use num_bigint::BigUint;
use proptest::prelude::*;
use sp_core::{Pair, ed25519};

const HOUR: u64 = 3_600_000;
const NOW: u64 = 1_764_590_400_000;
const LIMITS: BatchLimits = BatchLimits {
	max_skew_ms: 60_000,
	tolerance_ppt: 1_100,
	min_free_ms: 60_000,
	free_per_hour: 120,
};

/// A two-way meter of 10 kW after one batch, which ended an hour ago.
fn meter() -> MeterState {
	MeterState {
		rated_power_w: 10_000,
		direction: Direction::Both,
		next_sequence: 1,
		last_hash: H256::repeat_byte(1),
		last_end_ms: NOW - HOUR,
		registers: Registers { import_wh: 500, export_wh: 7_000 },
		floor_ms: NOW - 2 * HOUR,
		before: None,
		owed_wh: 0,
	}
}

/// Its next batch: 1 kWh taken, 4 kWh given in an hour.
fn header() -> BatchHeader {
	BatchHeader {
		meter: 3,
		sequence: 1,
		previous: H256::repeat_byte(1),
		start_ms: NOW - HOUR,
		end_ms: NOW,
		opening: Registers { import_wh: 500, export_wh: 7_000 },
		closing: Registers { import_wh: 1_500, export_wh: 11_000 },
		readings: 4,
		root: H256::repeat_byte(2),
		cid: None,
	}
}

fn check(header: &BatchHeader) -> Result<Accepted, BatchRefusal> {
	check_batch(&meter(), header, NOW, &LIMITS)
}

fn altered(alter: impl FnOnce(&mut BatchHeader)) -> Result<Accepted, BatchRefusal> {
	let mut header = header();
	alter(&mut header);
	check(&header)
}

#[test]
fn a_batch_that_keeps_every_rule_is_accepted() {
	assert_eq!(
		check(&header()),
		Ok(Accepted { exported_wh: 4_000, imported_wh: 1_000, minted_wh: 3_000 })
	);
}

#[test]
fn a_batch_that_begins_when_nobody_vouched_is_taken_and_mints_nothing() {
	let nothing = Accepted { exported_wh: 4_000, imported_wh: 1_000, minted_wh: 0 };
	for floor_ms in [NOW - HOUR + 1, NOW, NOW + HOUR] {
		let unvouched = MeterState { floor_ms, ..meter() };
		assert_eq!(check_batch(&unvouched, &header(), NOW, &LIMITS), Ok(nothing));
	}
	let vouched = MeterState { floor_ms: NOW - HOUR, ..meter() };
	let accepted = check_batch(&vouched, &header(), NOW, &LIMITS).unwrap();
	assert_eq!(accepted.minted_wh, 3_000);
}

#[test]
fn a_two_way_meter_mints_what_it_delivered_beyond_what_it_took() {
	let mut meter = meter();
	let mut next = header();
	next.closing = Registers { import_wh: 3_500, export_wh: 8_000 };
	let accepted = check_batch(&meter, &next, NOW, &LIMITS).unwrap();
	assert_eq!((accepted.minted_wh, accepted.exported_wh), (0, 1_000));
	meter.advance(&next);
	assert_eq!(meter.owed_wh, 2_000);
	// What was delivered while nobody vouched pays nothing back, what was taken is owed.
	let follow =
		|meter: &MeterState, last: &BatchHeader, import_wh: u64, export_wh: u64| BatchHeader {
			sequence: meter.next_sequence,
			previous: meter.last_hash,
			start_ms: last.end_ms,
			end_ms: last.end_ms + HOUR,
			opening: last.closing,
			closing: Registers {
				import_wh: last.closing.import_wh + import_wh,
				export_wh: last.closing.export_wh + export_wh,
			},
			..last.clone()
		};
	meter.floor_ms = NOW + 1;
	let unvouched = follow(&meter, &next, 100, 5_000);
	meter.advance(&unvouched);
	assert_eq!(meter.owed_wh, 2_100);
	let last = follow(&meter, &unvouched, 0, 2_110);
	let accepted = check_batch(&meter, &last, NOW + 2 * HOUR, &LIMITS).unwrap();
	assert_eq!(accepted.minted_wh, 10);
	meter.advance(&last);
	assert_eq!(meter.owed_wh, 0);
}

#[test]
fn registers_go_on_unseen_only_across_a_floor() {
	let mut reopened = MeterState { last_end_ms: NOW - 2 * HOUR, ..meter() };
	reopened.vouch_from(NOW - HOUR);
	assert_eq!(reopened.floor_ms, NOW - HOUR);
	let mut gap = header();
	gap.opening = Registers { import_wh: 600, export_wh: 7_200 };
	// 10 Wh more in, 30 out, after 100 in and 200 out that nobody saw.
	gap.closing = Registers { import_wh: 610, export_wh: 7_230 };
	let accepted = Accepted { imported_wh: 110, exported_wh: 230, minted_wh: 0 };
	assert_eq!(check_batch(&reopened, &gap, NOW, &LIMITS), Ok(accepted));
	let early = BatchHeader { start_ms: NOW - HOUR - 1, ..gap.clone() };
	let jumped = Err(BatchRefusal::RegisterJumped);
	assert_eq!(check_batch(&reopened, &early, NOW, &LIMITS), jumped);
	// Not in the direction that is not certified, and never downwards.
	let exporting = MeterState { direction: Direction::Export, ..reopened };
	let wrong = Err(BatchRefusal::DirectionNotCertified);
	assert_eq!(check_batch(&exporting, &gap, NOW, &LIMITS), wrong);
	gap.opening.import_wh = 499;
	let fell = Err(BatchRefusal::RegisterFell);
	assert_eq!(check_batch(&reopened, &gap, NOW, &LIMITS), fell);
	assert_eq!(
		check_batch(
			&meter(),
			&BatchHeader { opening: Registers { import_wh: 501, export_wh: 7_000 }, ..header() },
			NOW,
			&LIMITS
		),
		jumped
	);
}

#[test]
fn after_an_exchange_the_old_registers_end_with_what_was_on_its_way() {
	let mut exchanged = meter();
	let new = Registers { import_wh: 0, export_wh: 9 };
	// Another meter: 10 kW × 1.1 for the hour since the last batch.
	assert_eq!(exchanged.exchange(new, false, NOW, 1_100), 11_000);
	let old = |last| Some(OldRegisters { last, until_ms: NOW });
	assert_eq!((exchanged.registers, exchanged.before), (new, old(meter().registers)));
	let on_its_way = header();
	let accepted = check_batch(&exchanged, &on_its_way, NOW, &LIMITS).unwrap();
	assert_eq!(accepted.minted_wh, 0);
	exchanged.advance(&on_its_way);
	assert_eq!((exchanged.registers, exchanged.before), (new, old(on_its_way.closing)));
	// Exchanged once more, the first registers are still those of what was signed then.
	assert_eq!(exchanged.exchange(Registers::default(), true, NOW, 1_100), 0);
	assert_eq!(exchanged.before, old(on_its_way.closing));
	// A later floor makes no old registers of the new ones.
	exchanged.vouch_from(NOW + HOUR);
	let next = BatchHeader {
		sequence: 2,
		previous: on_its_way.hash(),
		start_ms: NOW,
		end_ms: NOW + 1,
		opening: Registers::default(),
		closing: Registers::default(),
		..on_its_way
	};
	assert!(check_batch(&exchanged, &next, NOW, &LIMITS).is_ok());
	exchanged.advance(&next);
	assert_eq!((exchanged.registers, exchanged.before), (Registers::default(), None));
}

#[test]
fn what_is_free_is_long_enough_and_not_too_often() {
	let lasting = |ms| BatchHeader { start_ms: NOW - ms, end_ms: NOW, ..header() };
	let min_ms = 60_000;
	assert_eq!(check_free(&lasting(59_999), 0, &LIMITS), Err(BatchRefusal::TooShort { min_ms }));
	assert_eq!(check_free(&lasting(60_000), 119, &LIMITS), Ok(()));
	assert_eq!(check_free(&lasting(60_000), 120, &LIMITS), Err(BatchRefusal::FreeQuota));
	// 10 kW for a day, and a tenth more.
	assert_eq!(meter_day_wh(10_000, 1_100), 264_000);
}

#[test]
fn an_accepted_batch_is_accepted_once() {
	let (mut meter, header) = (meter(), header());
	meter.advance(&header);
	assert_eq!(meter.next_sequence, 2);
	assert_eq!(meter.last_hash, header.hash());
	assert_eq!(meter.registers, header.closing);
	let again = check_batch(&meter, &header, NOW, &LIMITS);
	assert_eq!(again, Err(BatchRefusal::SequenceUsed { expected: 2 }));
	// Nor its energy under another number: time and registers have moved on.
	let mut next = BatchHeader { sequence: 2, previous: header.hash(), ..header };
	let overlap = BatchRefusal::Overlap { last_end_ms: NOW };
	assert_eq!(check_batch(&meter, &next, NOW, &LIMITS), Err(overlap));
	(next.start_ms, next.end_ms) = (NOW, NOW + 1);
	assert_eq!(check_batch(&meter, &next, NOW, &LIMITS), Err(BatchRefusal::RegisterFell));
}

#[test]
fn numbers_follow_one_another() {
	let gap = BatchRefusal::SequenceGap { expected: 1 };
	assert_eq!(altered(|header| header.sequence = 2), Err(gap));
	assert_eq!(altered(|header| header.sequence = u64::MAX), Err(gap));
	let used = BatchRefusal::SequenceUsed { expected: 1 };
	assert_eq!(altered(|header| header.sequence = 0), Err(used));
	let wrong = altered(|header| header.previous = H256::zero());
	assert_eq!(wrong, Err(BatchRefusal::WrongPrevious));
}

#[test]
fn the_first_batch_follows_nothing() {
	let first = MeterState::new(10_000, Direction::Both, meter().registers, NOW - HOUR);
	let header = BatchHeader { sequence: 0, previous: H256::zero(), ..header() };
	assert!(check_batch(&first, &header, NOW, &LIMITS).is_ok());
	let forged = BatchHeader { previous: H256::repeat_byte(1), ..header.clone() };
	let refused = check_batch(&first, &forged, NOW, &LIMITS);
	assert_eq!(refused, Err(BatchRefusal::WrongPrevious));
	// Nothing from before its certified service.
	let early = BatchHeader { start_ms: NOW - HOUR - 1, ..header };
	let refused = check_batch(&first, &early, NOW, &LIMITS);
	assert_eq!(refused, Err(BatchRefusal::Overlap { last_end_ms: NOW - HOUR }));
}

#[test]
fn a_batch_has_one_to_ten_thousand_readings() {
	assert_eq!(altered(|header| header.readings = 0), Err(BatchRefusal::NoReadings));
	assert!(altered(|header| header.readings = 1).is_ok());
	assert!(altered(|header| header.readings = 10_000).is_ok());
	let refused = altered(|header| header.readings = MAX_READINGS_PER_BATCH + 1);
	assert_eq!(refused, Err(BatchRefusal::TooManyReadings { max: 10_000 }));
}

#[test]
fn intervals_neither_overlap_nor_lie_in_the_future() {
	let overlap = Err(BatchRefusal::Overlap { last_end_ms: NOW - HOUR });
	assert_eq!(altered(|header| header.start_ms -= 1), overlap);
	// Time may be missing between two batches.
	assert!(altered(|header| header.start_ms += HOUR / 2).is_ok());
	assert_eq!(altered(|header| header.start_ms = header.end_ms), Err(BatchRefusal::EmptyInterval));
	assert_eq!(altered(|header| header.end_ms = 0), Err(BatchRefusal::EmptyInterval));
	assert!(altered(|header| header.end_ms = NOW + 60_000).is_ok());
	let future = Err(BatchRefusal::FutureInterval { latest_ms: NOW + 60_000 });
	assert_eq!(altered(|header| header.end_ms = NOW + 60_001), future);
	assert_eq!(altered(|header| header.end_ms = u64::MAX), future);
}

#[test]
fn registers_never_fall_and_never_jump() {
	for fallen in [
		altered(|header| header.opening.import_wh -= 1),
		altered(|header| header.opening.export_wh -= 1),
		altered(|header| header.opening = Registers { import_wh: 499, export_wh: 9_000 }),
		altered(|header| header.closing.import_wh = 499),
		altered(|header| header.closing.export_wh = 6_999),
	] {
		assert_eq!(fallen, Err(BatchRefusal::RegisterFell));
	}
	for jumped in [
		altered(|header| header.opening.import_wh += 1),
		altered(|header| header.opening.export_wh += 1),
	] {
		assert_eq!(jumped, Err(BatchRefusal::RegisterJumped));
	}
	let nothing = altered(|header| header.closing = header.opening);
	assert_eq!(nothing, Ok(Accepted::default()));
}

#[test]
fn energy_goes_only_where_the_meter_is_certified() {
	let with = |direction, import_wh, export_wh| {
		let mut header = header();
		header.closing.import_wh = header.opening.import_wh + import_wh;
		header.closing.export_wh = header.opening.export_wh + export_wh;
		check_batch(&MeterState { direction, ..meter() }, &header, NOW, &LIMITS)
	};
	assert!(with(Direction::Import, 1, 0).is_ok());
	assert!(with(Direction::Export, 0, 1).is_ok());
	assert!(with(Direction::Both, 1, 1).is_ok());
	let refused = Err(BatchRefusal::DirectionNotCertified);
	assert_eq!(with(Direction::Import, 0, 1), refused);
	assert_eq!(with(Direction::Import, 5, 1), refused);
	assert_eq!(with(Direction::Export, 1, 0), refused);
}

#[test]
fn rated_power_bounds_the_energy_exactly() {
	// 10 kW for an hour, and a tenth more: 11,000 Wh, both directions together.
	let exporting = |wh: u64| {
		altered(|header| {
			header.closing.import_wh = header.opening.import_wh;
			header.closing.export_wh = header.opening.export_wh + wh;
		})
	};
	let refused = Err(BatchRefusal::TooMuchEnergy { max_wh: 11_000 });
	assert_eq!(
		exporting(11_000),
		Ok(Accepted { exported_wh: 11_000, imported_wh: 0, minted_wh: 11_000 })
	);
	assert_eq!(exporting(11_001), refused);
	let both = |import_wh: u64, export_wh: u64| {
		altered(|header| {
			header.closing.import_wh = header.opening.import_wh + import_wh;
			header.closing.export_wh = header.opening.export_wh + export_wh;
		})
	};
	assert!(both(6_000, 5_000).is_ok());
	assert_eq!(both(6_000, 5_001), refused);
	// A millisecond less is not quite that much.
	let shorter = altered(|header| {
		header.start_ms += 1;
		header.closing.import_wh = header.opening.import_wh;
		header.closing.export_wh = header.opening.export_wh + 11_000;
	});
	assert_eq!(shorter, Err(BatchRefusal::TooMuchEnergy { max_wh: 10_999 }));
	let extreme = BigUint::from(u32::MAX) * u64::MAX * u32::MAX / 3_600_000_000u64;
	assert_eq!(BigUint::from(max_energy_wh(u32::MAX, u64::MAX, u32::MAX)), extreme);
	assert_eq!(max_energy_wh(0, HOUR, 1_100), 0);
	assert_eq!(max_energy_wh(10_000, HOUR, 0), 0);
}

#[test]
fn full_registers_are_no_way_round() {
	let top = Registers { import_wh: u64::MAX, export_wh: u64::MAX };
	let meter = MeterState { registers: Registers::default(), ..meter() };
	let mut header = BatchHeader { opening: Registers::default(), closing: top, ..header() };
	let refused = check_batch(&meter, &header, NOW, &LIMITS);
	assert_eq!(refused, Err(BatchRefusal::TooMuchEnergy { max_wh: 11_000 }));
	// What wraps round has fallen.
	let full = MeterState { registers: top, ..meter };
	(header.opening, header.closing) = (top, Registers { import_wh: 3, export_wh: 3 });
	let refused = check_batch(&full, &header, NOW, &LIMITS);
	assert_eq!(refused, Err(BatchRefusal::RegisterFell));
}

proptest! {
	#[test]
	fn the_bound_is_the_floor_of_the_exact_product(
		power in any::<u32>(), duration in any::<u64>(), tolerance in any::<u32>()
	) {
		let exact = BigUint::from(power) * duration * tolerance / 3_600_000_000u64;
		prop_assert_eq!(BigUint::from(max_energy_wh(power, duration, tolerance)), exact);
	}

	#[test]
	fn whatever_is_accepted_keeps_every_rule(
		power in any::<u32>(),
		duration in prop_oneof![0u64..10_000_000, any::<u64>()],
		flow in (prop_oneof![0u64..20_000, any::<u64>()], prop_oneof![0u64..20_000, any::<u64>()]),
		start in prop_oneof![NOW - 2 * HOUR..NOW + HOUR, any::<u64>()],
		readings in prop_oneof![0u32..20_000, any::<u32>()],
		direction in prop_oneof![
			Just(Direction::Import), Just(Direction::Export), Just(Direction::Both)
		],
	) {
		let meter = MeterState { rated_power_w: power, direction, ..meter() };
		let closing = Registers {
			import_wh: meter.registers.import_wh.wrapping_add(flow.0),
			export_wh: meter.registers.export_wh.wrapping_add(flow.1),
		};
		let end_ms = start.wrapping_add(duration);
		let header = BatchHeader { start_ms: start, end_ms, closing, readings, ..header() };
		if let Ok(accepted) = check_batch(&meter, &header, NOW, &LIMITS) {
			prop_assert_eq!((accepted.imported_wh, accepted.exported_wh), flow);
			prop_assert_eq!(accepted.minted_wh, flow.1.saturating_sub(flow.0));
			prop_assert!(closing.import_wh >= 500 && closing.export_wh >= 7_000);
			prop_assert!(start >= NOW - HOUR && end_ms > start && end_ms <= NOW + 60_000);
			prop_assert!((1..=10_000).contains(&readings));
			prop_assert!(direction != Direction::Import || flow.1 == 0);
			prop_assert!(direction != Direction::Export || flow.0 == 0);
			// Energy · 3,600,000 ms/h · 1000 ≤ W · ms · 1100, without any rounding.
			let energy = (BigUint::from(flow.0) + flow.1) * 3_600_000_000u64;
			prop_assert!(energy <= BigUint::from(power) * (end_ms - start) * 1_100u32);
		}
	}
}

#[test]
fn refusals_have_distinct_numbers_and_names_and_say_what_to_do() {
	let refusals = [
		BatchRefusal::UnknownMeter,
		BatchRefusal::OrganisationNotAdmitted,
		BatchRefusal::Suspended,
		BatchRefusal::BadSignature,
		BatchRefusal::SequenceUsed { expected: 4 },
		BatchRefusal::SequenceGap { expected: 4 },
		BatchRefusal::WrongPrevious,
		BatchRefusal::NoReadings,
		BatchRefusal::TooManyReadings { max: 4 },
		BatchRefusal::EmptyInterval,
		BatchRefusal::Overlap { last_end_ms: 4 },
		BatchRefusal::FutureInterval { latest_ms: 4 },
		BatchRefusal::RegisterFell,
		BatchRefusal::RegisterJumped,
		BatchRefusal::DirectionNotCertified,
		BatchRefusal::TooMuchEnergy { max_wh: 4 },
		BatchRefusal::BlockLimit,
		BatchRefusal::DayLimit,
		BatchRefusal::MintFailed,
		BatchRefusal::AboveLimits { max_wh: 4 },
		BatchRefusal::MeterDayLimit,
		BatchRefusal::OrganisationDayLimit,
		BatchRefusal::TooShort { min_ms: 4 },
		BatchRefusal::FreeQuota,
	];
	for (number, refusal) in refusals.iter().enumerate() {
		let encoded = refusal.encode();
		assert_eq!((usize::from(refusal.code()), usize::from(encoded[0])), (number, number));
		assert_eq!(BatchRefusal::decode(&mut &encoded[..]), Ok(*refusal));
		let json = serde_json::to_value(refusal).unwrap();
		assert_eq!(json["reason"], refusal.as_str());
		assert_eq!(serde_json::from_value::<BatchRefusal>(json).unwrap(), *refusal);
		let text = refusal.to_string();
		assert!(encoded.len() == 1 || text.contains('4'), "{text}");
		let bare = BatchRefusal::from_code(refusal.code()).unwrap();
		assert_eq!((bare.code(), bare.as_str()), (refusal.code(), refusal.as_str()));
		assert_eq!(bare.is_temporary(), refusal.is_temporary(), "{text}");
	}
	let last = refusals.len() as u8;
	assert!((last..=u8::MAX).all(|code| BatchRefusal::name_of(code).is_none()));
	assert!((last..=u8::MAX).all(|code| BatchRefusal::from_code(code).is_none()));
	let temporary = refusals.iter().filter(|refusal| refusal.is_temporary());
	assert_eq!(
		temporary.map(BatchRefusal::as_str).collect::<Vec<_>>(),
		[
			"unknown_meter",
			"organisation_not_admitted",
			"suspended",
			"sequence_gap",
			"future_interval",
			"block_limit",
			"day_limit",
			"mint_failed",
			"meter_day_limit",
			"organisation_day_limit",
			"free_quota",
		]
	);
	assert_eq!(BatchRefusal::from(SignatureError::Invalid), BatchRefusal::BadSignature);
}

#[test]
fn what_is_hashed_and_signed_is_fixed_byte_for_byte() {
	let header = BatchHeader {
		meter: 0x0403_0201,
		sequence: 5,
		previous: H256::repeat_byte(0xaa),
		start_ms: 6,
		end_ms: 7,
		opening: Registers { import_wh: 8, export_wh: 9 },
		closing: Registers { import_wh: 10, export_wh: 11 },
		readings: 12,
		root: H256::repeat_byte(0xbb),
		cid: Some(Cid::of(b"")),
	};
	let little = |value: u8| format!("{value:02x}{}", "00".repeat(7));
	let expected = [
		"01020304".to_string(),
		little(5),
		"aa".repeat(32),
		little(6),
		little(7),
		little(8),
		little(9),
		little(10),
		little(11),
		"0c000000".to_string(),
		"bb".repeat(32),
		"0101551220e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_string(),
	]
	.concat();
	assert_eq!(hexadecimal::encode(&header.encode()), expected);
	assert_eq!(header.encode().len(), BatchHeader::max_encoded_len());
	let genesis = H256::repeat_byte(0xcc);
	let payload = hexadecimal::encode(&header.signing_payload(&genesis));
	// 18 letters, SCALE's compact length 18 · 4.
	let domain = format!("48{}", hexadecimal::encode(b"gridproof/batch/v1"));
	assert_eq!(payload, format!("{domain}{}{expected}", "cc".repeat(32)));
	let hash = sp_crypto_hashing::blake2_256(&header.encode());
	assert_eq!(header.hash(), H256(hash));
}

/// What an owner and a device sign, as `vectors/consent.json` has it for other implementations.
#[test]
fn what_owners_and_devices_sign_is_fixed_byte_for_byte() {
	let vectors: serde_json::Value =
		serde_json::from_str(include_str!("../../vectors/consent.json")).unwrap();
	let genesis = H256::repeat_byte(0xcc);
	assert_eq!(vectors["genesis"], hexadecimal::encode_prefixed(&genesis.0));
	let number = |text: &str| text.as_bytes().to_vec();
	let (name, device, owner) = (MeterName::new("S", "D", "M").unwrap(), [2; 32], [3u8; 32]);
	let certification = Certification {
		name: name.clone(),
		device,
		owner,
		rated_power_w: 0x0403_0201,
		direction: Direction::Export,
		point: Some(number("POINT-1").try_into().unwrap()),
		trust: Trust::Device,
		serial: number("ACME-1").try_into().unwrap(),
		seal: number("S-1").try_into().unwrap(),
		registers: Registers { import_wh: 5, export_wh: 6 },
		since_ms: 7,
		valid_until_ms: 8,
	};
	let little = |value: u8| format!("{value:02x}{}", "00".repeat(7));
	// A compact length before each text: four times its bytes.
	let named = "04530444044d".to_string();
	let (serial, seal) = ("1841434d452d31".to_string(), "0c532d31".to_string());
	let genesis_hex = "cc".repeat(32);
	let expected = [
		format!("50{}", hexadecimal::encode(b"gridproof/consent/v3")),
		genesis_hex.clone(),
		"01000000".to_string(),
		named.clone(),
		"02".repeat(32),
		"03".repeat(32),
		"01020304".to_string(),
		"01".to_string(),
		format!("011c{}", hexadecimal::encode(b"POINT-1")),
		"00".to_string(),
		serial.clone(),
		seal.clone(),
		little(5),
		little(6),
		little(7),
		little(8),
	]
	.concat();
	let payload = certification.consent(1).signing_payload(&genesis);
	assert_eq!(hexadecimal::encode(&payload), expected);
	assert_eq!(vectors["consent"]["payload"], format!("0x{expected}"));
	let exchange = ExchangeConsent {
		organisation: 1,
		name: name.clone(),
		device,
		owner,
		registers: certification.registers,
		serial: certification.serial,
		seal: certification.seal,
		valid_until_ms: 8,
	};
	let expected = [
		format!("54{}", hexadecimal::encode(b"gridproof/exchange/v1")),
		genesis_hex.clone(),
		"01000000".to_string(),
		named.clone(),
		"02".repeat(32),
		"03".repeat(32),
		little(5),
		little(6),
		serial,
		seal,
		little(8),
	]
	.concat();
	assert_eq!(hexadecimal::encode(&exchange.signing_payload(&genesis)), expected);
	assert_eq!(vectors["exchange"]["payload"], format!("0x{expected}"));
	let expected = [
		format!("5c{}", hexadecimal::encode(b"gridproof/possession/v1")),
		genesis_hex,
		named,
		"03".repeat(32),
	]
	.concat();
	assert_eq!(hexadecimal::encode(&possession_payload(&genesis, &name, &owner)), expected);
	assert_eq!(vectors["possession"]["payload"], format!("0x{expected}"));
}

#[test]
fn a_proof_of_possession_is_of_one_key_chain_meter_and_owner() {
	let pair = ed25519::Pair::from_seed(&[7; 32]);
	let (device, genesis, owner) = (pair.public().0, H256::repeat_byte(1), [3u8; 32]);
	let name = MeterName::new("S", "D", "M").unwrap();
	let proof = pair.sign(&possession_payload(&genesis, &name, &owner)).0;
	assert_eq!(check_possession(&genesis, &name, &owner, &device, &proof), Ok(()));
	let other = MeterName::new("S", "D", "N").unwrap();
	let invalid = Err(SignatureError::Invalid);
	assert_eq!(check_possession(&genesis, &other, &owner, &device, &proof), invalid);
	assert_eq!(check_possession(&genesis, &name, &[4u8; 32], &device, &proof), invalid);
	let elsewhere = H256::repeat_byte(2);
	assert_eq!(check_possession(&elsewhere, &name, &owner, &device, &proof), invalid);
}

#[test]
fn names_and_numbers_of_certified_meters_are_plain() {
	let plain = |text: &str| MeterName::new("S", "D", text).unwrap().check_plain();
	assert_eq!(plain("MTR 001-a_b.c"), Ok(()));
	for text in ["MTR-1 ", " MTR-1", "M  1", "KÖLN", "MTR\u{2010}1", "M\u{200b}1", "\u{200f}M"] {
		assert_eq!(plain(text), Err(NameError::NotPlain), "{text:?}");
	}
	let name = |text: &str| MeterName::new("S", "D", text).unwrap();
	assert_eq!(name("MTR-1").folded(), name("mtr-1").folded());
	assert_ne!(name("MTR-1").folded(), name("MTR-2").folded());
	assert!(is_plain_number(b"ACME-00.17"));
	for bad in [&b""[..], b"a b", b" a", "\u{e9}".as_bytes(), b"a\0"] {
		assert!(!is_plain_number(bad));
	}
}

#[test]
fn the_example_of_the_documentation_is_right() {
	let root = "fcfaf9b5e51b3c919213338d87566a3d7230ce7903f00ff4e41d8a93835aff21";
	let header = BatchHeader {
		meter: 7,
		sequence: 0,
		previous: H256::zero(),
		start_ms: 1_764_583_800_000,
		end_ms: 1_764_584_100_000,
		opening: Registers::default(),
		closing: Registers { import_wh: 0, export_wh: 12_340 },
		readings: 1,
		root: hexadecimal::decode_hash(root).unwrap(),
		cid: None,
	};
	let encoded = header.encode();
	assert_eq!(encoded.len(), 129);
	let page = include_str!("../../docs/protocols/batches.md").replace([' ', '\n'], "");
	assert!(page.contains(&hexadecimal::encode(&encoded)));
	assert!(page.contains(&hexadecimal::encode(&header.hash().0)));
}

#[test]
fn a_signature_is_good_for_one_header_one_chain_and_one_device() {
	let pair = ed25519::Pair::from_seed(&[7; 32]);
	let (device, genesis) = (pair.public().0, H256::repeat_byte(1));
	let header = header();
	let signature = pair.sign(&header.signing_payload(&genesis)).0;
	let batch = SignedBatch { header, signature };
	assert_eq!(batch.verify(&device, &genesis), Ok(()));
	let invalid = Err(SignatureError::Invalid);
	assert_eq!(batch.verify(&device, &H256::repeat_byte(2)), invalid);
	let other = ed25519::Pair::from_seed(&[8; 32]).public().0;
	assert_eq!(batch.verify(&other, &genesis), invalid);
	assert_eq!(batch.verify(&[0; 32], &genesis), Err(SignatureError::WeakKey));
	for alter in [
		|header: &mut BatchHeader| header.meter += 1,
		|header: &mut BatchHeader| header.sequence += 1,
		|header: &mut BatchHeader| header.previous.0[0] ^= 1,
		|header: &mut BatchHeader| header.start_ms += 1,
		|header: &mut BatchHeader| header.end_ms += 1,
		|header: &mut BatchHeader| header.opening.import_wh += 1,
		|header: &mut BatchHeader| header.closing.export_wh += 1,
		|header: &mut BatchHeader| header.readings += 1,
		|header: &mut BatchHeader| header.root.0[31] ^= 1,
		|header: &mut BatchHeader| header.cid = Some(Cid::of(b"")),
	] {
		let mut altered = batch.clone();
		alter(&mut altered.header);
		assert_eq!(altered.verify(&device, &genesis), invalid);
		assert_ne!(altered.header.hash(), batch.header.hash());
	}
	// S + L is the same signature to a lax verifier.
	let mut malleable = batch.clone();
	let mut carry = 0u16;
	for (byte, order) in malleable.signature[32..].iter_mut().zip(GROUP_ORDER) {
		carry += u16::from(*byte) + u16::from(order);
		*byte = carry as u8;
		carry >>= 8;
	}
	assert_eq!(malleable.verify(&device, &genesis), Err(SignatureError::NonCanonicalScalar));
}

#[test]
fn names_and_topics_belong_together() {
	let name = MeterName::new("KÖLN-02", "gw 1", "MTR.001").unwrap();
	assert_eq!(Topic::Readings.of(&name), "energy/KÖLN-02/gw 1/MTR.001");
	for topic in [Topic::Readings, Topic::Sign, Topic::Signed] {
		assert_eq!(Topic::parse(&topic.of(&name)), Some((topic, name.clone())));
	}
	assert_eq!(Topic::Signed.of_all(), "energy/+/+/+/signed");
	for other in [
		"energy/a/b",
		"energy/a/b/",
		"energy//b/c",
		"energy/a/b/c/",
		"energy/a/b/c/d",
		"energy/a/b/c/sign/x",
		"energie/a/b/c",
		"energy/a/+/c",
		"energy/a/b/#",
	] {
		assert_eq!(Topic::parse(other), None, "{other}");
	}
	// What is decoded is not checked, so that a call can say what is wrong.
	let bytes = (b"a/b".to_vec(), b"".to_vec(), vec![0xffu8]).encode();
	let mut decoded = MeterName::decode(&mut &bytes[..]).unwrap();
	assert_eq!(decoded.check(), Err(NameError::BadCharacter));
	decoded.site = MeterName::part("a").unwrap();
	assert_eq!(decoded.check(), Err(NameError::Empty));
	decoded.device = MeterName::part("b").unwrap();
	assert_eq!(decoded.check(), Err(NameError::NotUtf8));
	assert!(!decoded.is_valid());
	assert!(MeterName::decode(&mut &(vec![1u8; 65], b"a", b"b").encode()[..]).is_err());
	let json = serde_json::to_string(&name).unwrap();
	assert_eq!(json, "{\"site\":\"KÖLN-02\",\"device\":\"gw 1\",\"meter\":\"MTR.001\"}");
	assert_eq!(serde_json::from_str::<MeterName>(&json).unwrap(), name);
	assert!(serde_json::from_str::<MeterName>(&json.replace("gw 1", "gw/1")).is_err());
}

#[test]
fn messages_come_back_as_they_were_sent() {
	let request = SignRequest { header: header(), genesis: H256::repeat_byte(3), leaves: 4 };
	let json = request.to_json();
	assert_eq!(SignRequest::parse(json.as_bytes()), Ok(request.clone()));
	let prefixed = json.replace("\"header_hex\":\"", "\"header_hex\":\"0x");
	assert_eq!(SignRequest::parse(prefixed.as_bytes()), Ok(request));
	let header_hash = header().hash();
	let hash = format!("{header_hash:#x}");
	let signed = SignAnswer::signed(header_hash, [9; 64]);
	let json = signed.to_json();
	let signature = "09".repeat(64);
	assert_eq!(json, format!("{{\"header_hash\":\"{hash}\",\"signature\":\"0x{signature}\"}}"));
	assert_eq!(SignAnswer::parse(json.as_bytes()), Ok(signed));
	let refused = SignAnswer::refused(header_hash, "another root".into());
	let json = refused.to_json();
	assert_eq!(json, format!("{{\"header_hash\":\"{hash}\",\"refused\":\"another root\"}}"));
	assert_eq!(SignAnswer::parse(json.as_bytes()), Ok(refused.clone()));
	let closing = RunningRegisters::starting_at(header().closing);
	let last = SignedCopy { header: header(), signature: [7; 64], closing };
	let refused = SignAnswer { last: Some(last), ..refused };
	let json = refused.to_json();
	assert!(json.len() <= 4_096, "{}", json.len());
	assert_eq!(SignAnswer::parse(json.as_bytes()), Ok(refused));
}

#[test]
fn other_messages_are_refused() {
	let request = SignRequest { header: header(), genesis: H256::zero(), leaves: 4 }.to_json();
	let fault = |text: &str| SignRequest::parse(text.as_bytes()).unwrap_err();
	let malformed = |fault: MessageError| matches!(fault, MessageError::Malformed(_));
	assert!(malformed(fault("")));
	assert!(malformed(fault(&" ".repeat(5_000))));
	assert_eq!(fault("{\"x\":1}"), MessageError::UnknownMember("x".into()));
	assert_eq!(fault("[]"), MessageError::Member("message", "a JSON object"));
	let member = |fault: MessageError| match fault {
		MessageError::Member(name, _) => name,
		_ => "",
	};
	assert_eq!(member(fault("{}")), "header_hex");
	assert_eq!(member(fault(&request.replace("_hex\":\"", "_hex\":\"00"))), "header_hex");
	assert_eq!(member(fault(&request.replace("\"leaves\":4", "\"leaves\":-4"))), "leaves");
	assert_eq!(member(fault(&request.replace("\"0x00", "\"0x"))), "genesis");
	let answer = |text: &str| member(SignAnswer::parse(text.as_bytes()).unwrap_err());
	let hash = format!("\"header_hash\":\"0x{}\"", "00".repeat(32));
	assert_eq!(answer(&format!("{{{hash}}}")), "message");
	assert_eq!(answer(&format!("{{{hash},\"signature\":\"0x00\"}}")), "signature");
	assert_eq!(answer(&format!("{{{hash},\"refused\":1}}")), "refused");
	let both = format!("{{{hash},\"refused\":\"\",\"signature\":\"0x{}\"}}", "00".repeat(64));
	assert_eq!(answer(&both), "message");
	assert_eq!(answer("{\"signature\":\"\"}"), "header_hash");
	// A copy is whole, and comes with a refusal only.
	let last = format!("\"last_signature\":\"0x{}\"", "00".repeat(64));
	assert_eq!(answer(&format!("{{{hash},{last},\"refused\":\"\"}}")), "last_header_hex");
	let signature = format!("\"signature\":\"0x{}\"", "00".repeat(64));
	assert_eq!(answer(&format!("{{{hash},{last},{signature}}}")), "message");
}

#[test]
fn anchor_states_are_never_taken_for_one_another() {
	let (txid, block_hash) = (H256::repeat_byte(1), H256::repeat_byte(2));
	let confirmed =
		|confirmations| AnchorState::Confirmed { txid, block_hash, height: 5, confirmations };
	assert!(confirmed(6).is_plausible());
	assert!(!confirmed(5).is_plausible());
	assert!(!AnchorState::Broadcast { txid: H256::zero() }.is_plausible());
	let states = [
		AnchorState::Pending,
		AnchorState::Broadcast { txid },
		confirmed(6),
		AnchorState::Simulated { txid },
	];
	let names = states.map(|state| state.to_string());
	assert_eq!(names, ["pending", "broadcast", "confirmed", "simulated"]);
	for state in states {
		let json = serde_json::to_value(state).unwrap();
		assert_eq!(json["state"], state.as_str());
	}
}
