//! What a log may and may not say: every refusal, exact times, exact energy.

use gridproof_primitives::{
	codec::json::{self, JsonError, JsonErrorKind, Limits, Value},
	energy::emlog::{
		Direction, Energy, EnergyError, EnergyLog, LogRefusal, MAX_LOG_BYTES, RunningRegister,
		RunningRegisters, Status, TimeError, batch_file, check_topic, format_utc, parse_utc,
	},
	energy::{NameError, Registers},
};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive, Zero};
use proptest::prelude::*;

fn example() -> Value {
	let vectors = json::parse(include_bytes!("../../vectors/emlog.json"), Limits::DEFAULT).unwrap();
	let logs = vectors.get("logs").unwrap().as_array().unwrap();
	logs[0].get("log").unwrap().clone()
}

#[test]
fn the_file_of_a_batch_is_its_logs_with_a_newline_between_two() {
	assert_eq!(batch_file([]), b"");
	assert_eq!(batch_file(["{\"a\":1}"]), b"{\"a\":1}");
	assert_eq!(batch_file(["{}", "{\"b\":2}", "{}"]), b"{}\n{\"b\":2}\n{}");
}

/// The example with one member set to the JSON `text`.
fn with(name: &str, text: &str) -> Value {
	let mut log = example();
	log.set(name, json::parse(text.as_bytes(), Limits::DEFAULT).unwrap());
	log
}

fn with_tx(name: &str, text: &str) -> Value {
	let mut log = example();
	let value = json::parse(text.as_bytes(), Limits::DEFAULT).unwrap();
	log.get_mut("tx").unwrap().set(name, value);
	log
}

fn without(name: &str) -> Value {
	let mut log = example();
	log.remove(name);
	log
}

fn refused(log: &Value) -> LogRefusal {
	EnergyLog::parse(log.to_canonical().as_bytes()).unwrap_err()
}

fn taken(log: &Value) -> EnergyLog {
	EnergyLog::parse(log.to_canonical().as_bytes()).unwrap()
}

#[test]
fn the_example_is_read_as_it_stands() {
	let log = taken(&example());
	assert_eq!(log.name.to_string(), "PLANT-01/gw-PLANT01-003/MTR-001");
	assert_eq!((log.start_ms, log.end_ms), (1_764_583_800_000, 1_764_584_100_000));
	assert_eq!(log.interval_s(), 300);
	assert_eq!(log.energy, Energy::from_wh(12_340));
	assert_eq!(log.power_kw_avg.as_deref(), Some("2.47"));
	assert_eq!(log.status, Status::Ok);
	assert_eq!(log.tags, ["peak"]);
	assert_eq!(log.payment.price_sats_per_kwh, 100);
	assert_eq!(log.payment.amount_sats, 1_234);
	assert_eq!((log.payment.unit.as_str(), log.payment.channel.as_str()), ("sats", "ln"));
	assert_eq!(log.payment.settlement_status, "pending");
	assert_eq!((log.payment.ln_invoice_id, log.payment.bitcoin_txid), (None, None));
}

#[test]
fn order_and_blanks_do_not_matter_but_literals_do() {
	let log = taken(&example());
	let pretty = example().to_pretty();
	assert_eq!(EnergyLog::parse(pretty.as_bytes()).unwrap(), log);
	// The same energy, another literal: another leaf.
	let other = taken(&with("energy_kwh", "12.340"));
	assert_eq!(other.energy, log.energy);
	assert_ne!(other.leaf_hash(), log.leaf_hash());
	assert!(other.canonical().starts_with("{\"energy_kwh\":12.340,"));
	assert!(taken(&with("energy_kwh", "5")).canonical().starts_with("{\"energy_kwh\":5,"));
}

#[test]
fn what_has_a_default_may_be_missing_and_nothing_is_added() {
	let mut log = example();
	for name in ["schema_version", "power_kw_avg", "status", "tags"] {
		log.remove(name);
	}
	let tx = log.get_mut("tx").unwrap();
	for name in ["unit", "channel", "settlement_status", "ln_invoice_id", "bitcoin_txid"] {
		tx.remove(name);
	}
	let read = taken(&log);
	assert_eq!((read.status, read.tags.len(), read.power_kw_avg.clone()), (Status::Ok, 0, None));
	assert_eq!((read.payment.unit.as_str(), read.payment.channel.as_str()), ("sats", "ln"));
	assert_eq!(read.canonical(), log.to_canonical());
	for name in
		["site_id", "iot_device_id", "meter_id", "ts_start", "ts_end", "interval_s", "energy_kwh"]
	{
		assert_eq!(refused(&without(name)), LogRefusal::MissingField(name));
	}
	assert_eq!(refused(&without("tx")), LogRefusal::MissingField("tx"));
	assert_eq!(
		refused(&with("tx", "{\"amount_sats\":1}")),
		LogRefusal::MissingField("price_sats_per_kwh")
	);
}

#[test]
fn malformed_json_is_refused_with_the_place() {
	let cases: [(&[u8], JsonErrorKind, usize); 7] = [
		(b"", JsonErrorKind::UnexpectedEnd, 0),
		(b"{\"site_id\":\"A\"", JsonErrorKind::UnexpectedEnd, 14),
		(b"{\"a\":1}x", JsonErrorKind::TrailingText, 7),
		(b"{\"a\":NaN}", JsonErrorKind::UnexpectedCharacter, 5),
		(b"{\"a\":1,\"a\":2}", JsonErrorKind::DuplicateKey, 13),
		(b"\xff", JsonErrorKind::NotUtf8, 0),
		(b"[[[[[1]]]]]", JsonErrorKind::TooDeep, 4),
	];
	for (bytes, fault, offset) in cases {
		let expected = LogRefusal::Malformed(JsonError { fault, offset });
		assert_eq!(EnergyLog::parse(bytes), Err(expected), "{}", bytes.escape_ascii());
	}
	assert_eq!(EnergyLog::parse(b"[]"), Err(LogRefusal::NotAnObject));
	assert_eq!(EnergyLog::parse(b"null"), Err(LogRefusal::NotAnObject));
}

#[test]
fn oversized_logs_are_refused_as_sent_and_in_canonical_form() {
	let filler = |bytes: usize| with_tx("ln_invoice_id", &format!("\"{}\"", "x".repeat(bytes)));
	let base = filler(0).to_canonical().len();
	assert!(EnergyLog::from_value(&filler(MAX_LOG_BYTES - base)).is_ok());
	let over = LogRefusal::TooLong(MAX_LOG_BYTES + 1);
	assert_eq!(refused(&filler(MAX_LOG_BYTES - base + 1)), over);
	// Two bytes as sent are six in canonical form.
	let wide = with_tx("ln_invoice_id", &format!("\"{}\"", "ä".repeat(1_000)));
	let sent = wide.to_pretty();
	assert!(sent.len() > MAX_LOG_BYTES, "escaped as well");
	let raw = sent.replace("\\u00e4", "ä");
	assert!(raw.len() < MAX_LOG_BYTES);
	let refused = EnergyLog::parse(raw.as_bytes()).unwrap_err();
	assert_eq!(refused, LogRefusal::TooLong(wide.to_canonical().len()));
}

#[test]
fn unknown_fields_and_wrong_types_are_refused_by_name() {
	assert_eq!(refused(&with("extra", "1")), LogRefusal::UnknownField("extra".into()));
	assert_eq!(refused(&with("id", "\"log_0\"")), LogRefusal::UnknownField("id".into()));
	assert_eq!(refused(&with_tx("fee", "1")), LogRefusal::UnknownField("fee".into()));
	for (name, text, wanted) in [
		("site_id", "3", "a text"),
		("ts_start", "null", "a text"),
		("status", "null", "a text"),
		("energy_kwh", "\"12.34\"", "a number"),
		("energy_kwh", "null", "a number"),
		("power_kw_avg", "\"2\"", "a number"),
		("interval_s", "\"300\"", "a number"),
		("tags", "\"peak\"", "an array of texts"),
		("tags", "[1]", "an array of texts"),
		("tags", "null", "an array of texts"),
		("tx", "null", "an object"),
		("tx", "[]", "an object"),
	] {
		assert_eq!(refused(&with(name, text)), LogRefusal::WrongType(name, wanted), "{text}");
	}
	let whole = "a whole number that is not negative";
	for text in ["300.5", "-300", "1e30", "1e-1"] {
		assert_eq!(refused(&with("interval_s", text)), LogRefusal::WrongType("interval_s", whole));
		let log = with_tx("amount_sats", text);
		assert_eq!(refused(&log), LogRefusal::WrongType("amount_sats", whole));
	}
	for text in ["300", "300.0", "3e2", "3.00E+2"] {
		assert_eq!(taken(&with("interval_s", text)).interval_s(), 300);
	}
	assert!(taken(&with("power_kw_avg", "null")).power_kw_avg.is_none());
	assert_eq!(taken(&with("power_kw_avg", "-2.5e0")).power_kw_avg.as_deref(), Some("-2.5e0"));
}

#[test]
fn texts_and_tags_are_bounded() {
	let long = format!("\"{}\"", "x".repeat(65));
	assert_eq!(refused(&with_tx("unit", &long)), LogRefusal::FieldTooLong("unit"));
	assert_eq!(refused(&with("tags", &format!("[{long}]"))), LogRefusal::FieldTooLong("tags"));
	let many = |count: usize| format!("[{}]", vec!["\"a\""; count].join(","));
	assert_eq!(taken(&with("tags", &many(32))).tags.len(), 32);
	assert_eq!(refused(&with("tags", &many(33))), LogRefusal::FieldTooLong("tags"));
}

#[test]
fn another_schema_and_another_status_are_refused() {
	for schema in ["emlog-1.0", "EMLOG-1.1", ""] {
		let log = with("schema_version", &format!("\"{schema}\""));
		assert_eq!(refused(&log), LogRefusal::UnknownSchema(schema.into()));
	}
	for status in Status::ALL {
		assert_eq!(taken(&with("status", &format!("\"{status}\""))).status, status);
	}
	for status in ["OK", "okay", "", "fault"] {
		let log = with("status", &format!("\"{status}\""));
		assert_eq!(refused(&log), LogRefusal::UnknownStatus(status.into()));
	}
}

#[test]
fn energy_of_a_meter_that_could_not_measure_does_not_count() {
	let counted = |status: &str| taken(&with("status", status)).counted();
	assert_eq!(counted("\"ok\""), Energy::from_wh(12_340));
	assert_eq!(counted("\"estimated\""), Energy::from_wh(12_340));
	assert_eq!(counted("\"error\""), Energy::ZERO);
}

#[test]
fn ids_can_stand_in_a_topic() {
	for (text, fault) in [
		("", NameError::Empty),
		("a/b", NameError::BadCharacter),
		("+", NameError::BadCharacter),
		("a#", NameError::BadCharacter),
		("a\\u0000", NameError::BadCharacter),
		("a\\u001f", NameError::BadCharacter),
		("a\\u007f", NameError::BadCharacter),
	] {
		let log = with("meter_id", &format!("\"{text}\""));
		assert_eq!(refused(&log), LogRefusal::BadName("meter_id", fault), "{text}");
	}
	// 64 bytes, not characters.
	let wide = |letters: usize| with("site_id", &format!("\"{}\"", "Ö".repeat(letters)));
	assert_eq!(taken(&wide(32)).name.site.len(), 64);
	assert_eq!(refused(&wide(33)), LogRefusal::BadName("site_id", NameError::TooLong));
}

#[test]
fn a_log_belongs_to_one_topic() {
	let log = taken(&example());
	let topic = "energy/PLANT-01/gw-PLANT01-003/MTR-001";
	assert_eq!(check_topic(topic, &log), Ok(()));
	for other in [
		"energy/PLANT-01/gw-PLANT01-003/MTR-002",
		"energy/PLANT-01/gw-PLANT01-004/MTR-001",
		"energy/PLANT-02/gw-PLANT01-003/MTR-001",
		"energy/PLANT-01/gw-PLANT01-003/MTR-001/",
		"energy/PLANT-01/gw-PLANT01-003/MTR-001/sign",
		"Energy/PLANT-01/gw-PLANT01-003/MTR-001",
		"/energy/PLANT-01/gw-PLANT01-003/MTR-001",
		"",
	] {
		assert_eq!(check_topic(other, &log), Err(LogRefusal::WrongTopic(topic.into())), "{other}");
	}
}

#[test]
fn the_interval_is_what_lies_between_the_times() {
	let mismatch = |stated_s, actual_ms| LogRefusal::IntervalMismatch { stated_s, actual_ms };
	assert_eq!(refused(&with("interval_s", "299")), mismatch(299, 300_000));
	assert_eq!(refused(&with("interval_s", "0")), mismatch(0, 300_000));
	assert_eq!(refused(&with("ts_end", "\"2025-12-01T10:15:00.001Z\"")), mismatch(300, 300_001));
	for end in ["2025-12-01T10:10:00Z", "2025-12-01T10:09:59Z", "2024-12-01T10:15:00Z"] {
		assert_eq!(refused(&with("ts_end", &format!("\"{end}\""))), LogRefusal::EmptyInterval);
	}
	// Half a minute past midnight in Berlin, to a quarter past ten UTC.
	let mut log = with("ts_start", "\"2025-12-01T11:10:00+01:00\"");
	assert_eq!(taken(&log).start_ms, 1_764_583_800_000);
	log.set("ts_start", "2025-12-01T10:10:00".into());
	assert_eq!(refused(&log), LogRefusal::BadTime("ts_start", TimeError::NoZone));
}

#[test]
fn a_tag_or_the_certificate_gives_the_direction() {
	use Direction::{Both, Export, Import};
	let direction = |tags: &str, certified| taken(&with("tags", tags)).direction(certified);
	assert_eq!(direction("[]", Import), Ok(Import));
	assert_eq!(direction("[]", Export), Ok(Export));
	assert_eq!(direction("[]", Both), Err(LogRefusal::NoDirection));
	assert_eq!(direction("[\"Export\"]", Both), Err(LogRefusal::NoDirection));
	assert_eq!(direction("[\"peak\",\"export\"]", Both), Ok(Export));
	assert_eq!(direction("[\"import\",\"import\"]", Both), Ok(Import));
	assert_eq!(direction("[\"export\"]", Export), Ok(Export));
	for certified in [Import, Export, Both] {
		let both = direction("[\"import\",\"export\"]", certified);
		assert_eq!(both, Err(LogRefusal::BothDirections));
	}
	assert_eq!(
		direction("[\"export\"]", Import),
		Err(LogRefusal::DirectionNotCertified { stated: Export, certified: Import })
	);
}

#[test]
fn a_clock_may_be_ahead_a_little() {
	let log = taken(&example());
	let end = log.end_ms;
	assert_eq!(log.check_time(end, 0), Ok(()));
	assert_eq!(log.check_time(end - 60_000, 60_000), Ok(()));
	let refused = LogRefusal::FromTheFuture { ahead_ms: 60_001, allowed_ms: 60_000 };
	assert_eq!(log.check_time(end - 60_001, 60_000), Err(refused));
	assert_eq!(log.check_time(u64::MAX, 0), Ok(()));
}

#[test]
fn times_are_read_exactly() {
	for (text, millis) in [
		("1970-01-01T00:00:00Z", 0),
		("2025-12-01T10:10:00Z", 1_764_583_800_000),
		("2025-12-01T10:10:00.5Z", 1_764_583_800_500),
		("2025-12-01T10:10:00.123Z", 1_764_583_800_123),
		("2025-12-01T10:10:00.123000000Z", 1_764_583_800_123),
		("2025-12-01T10:10:00+00:00", 1_764_583_800_000),
		("2025-12-01T10:10:00-00:00", 1_764_583_800_000),
		("2025-12-01T15:40:00+05:30", 1_764_583_800_000),
		("2025-11-30T22:10:00-12:00", 1_764_583_800_000),
		("2024-02-29T23:59:59.999Z", 1_709_251_199_999),
		("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
	] {
		assert_eq!(parse_utc(text), Ok(millis), "{text}");
		assert_eq!(parse_utc(&format_utc(millis)), Ok(millis));
	}
	assert_eq!(format_utc(1_764_583_800_000), "2025-12-01T10:10:00Z");
	assert_eq!(format_utc(1_764_583_800_007), "2025-12-01T10:10:00.007Z");
	for (text, fault) in [
		("", TimeError::Malformed),
		("2025-12-01", TimeError::Malformed),
		("2025-12-01 10:10:00Z", TimeError::Malformed),
		("2025-12-01t10:10:00Z", TimeError::Malformed),
		("2025-12-01T10:10:00z", TimeError::NoZone),
		("2025-12-01T10:10:00", TimeError::NoZone),
		("2025-12-01T10:10Z", TimeError::Malformed),
		("2025-12-01T10:10:00.Z", TimeError::Malformed),
		("2025-12-01T10:10:00,5Z", TimeError::Malformed),
		("2025-12-01T10:10:00.0000000000Z", TimeError::Malformed),
		("2025-12-01T10:10:00.1234Z", TimeError::TooFine),
		("2025-12-01T1:10:00Z", TimeError::Malformed),
		("2025-12-1T10:10:00Z", TimeError::Malformed),
		("+2025-12-01T10:10:00Z", TimeError::Malformed),
		("2025-12-01T10:10:00+0100", TimeError::Malformed),
		("2025-12-01T10:10:00+1", TimeError::Malformed),
		("2025-12-01T10:10:00+24:00", TimeError::OutOfRange),
		("2025-12-01T24:00:00Z", TimeError::OutOfRange),
		("2025-12-01T10:60:00Z", TimeError::OutOfRange),
		("2016-12-31T23:59:60Z", TimeError::OutOfRange),
		("2025-02-29T10:10:00Z", TimeError::OutOfRange),
		("1969-12-31T23:59:59Z", TimeError::OutOfRange),
		("1970-01-01T00:00:00+00:01", TimeError::OutOfRange),
		("9999-12-31T23:59:59-00:01", TimeError::OutOfRange),
		("2025-12-01T１0:10:00Z", TimeError::Malformed),
	] {
		assert_eq!(parse_utc(text), Err(fault), "{text}");
	}
}

#[test]
fn energy_is_read_exactly_in_every_form() {
	for (kwh, wh) in [
		("0", "0"),
		("-0.0", "0"),
		("0e999999999999999999999", "0"),
		("5", "5000"),
		("5.0", "5000"),
		("12.34", "12340"),
		("0.30000000000000004", "300.00000000000004"),
		("1e-7", "0.0001"),
		("1.5E+3", "1500000"),
		("0.00000000000000000000000000000000000012e36", "120"),
		("1e-39", "0.000000000000000000000000000000000001"),
		("18446744073709551.615", "18446744073709551615"),
	] {
		let energy = Energy::parse_kwh(kwh).unwrap();
		assert_eq!(energy.to_string(), wh, "{kwh}");
		assert_eq!(Energy::parse_wh(wh), Ok(energy));
		assert_eq!(Energy::parse_kwh(&energy.to_kwh()), Ok(energy));
	}
	assert_eq!(Energy::parse_kwh("0.30000000000000004").unwrap().to_kwh(), "0.30000000000000004");
	assert_eq!(Energy::parse_kwh("12.34").unwrap().to_kwh(), "12.34");
	assert_eq!(Energy::ZERO.to_kwh(), "0");
	for (kwh, fault) in [
		("-0.001", EnergyError::Negative),
		("-1e-400", EnergyError::Negative),
		("1e-40", EnergyError::TooFine),
		("1.5e-39", EnergyError::TooFine),
		("1e-99999999999999999999", EnergyError::TooFine),
		("18446744073709551.616", EnergyError::TooLarge),
		("1e17", EnergyError::TooLarge),
		("1e99999999999999999999", EnergyError::TooLarge),
		("", EnergyError::Malformed),
		("1.", EnergyError::Malformed),
		(".5", EnergyError::Malformed),
		("1e", EnergyError::Malformed),
		("1e+-5", EnergyError::Malformed),
		("+1", EnergyError::Malformed),
		("0x10", EnergyError::Malformed),
		("1_000", EnergyError::Malformed),
		("NaN", EnergyError::Malformed),
	] {
		assert_eq!(Energy::parse_kwh(kwh), Err(fault), "{kwh}");
	}
	assert_eq!(refused(&with("energy_kwh", "-0.1")), LogRefusal::BadEnergy(EnergyError::Negative));
	assert_eq!(refused(&with("energy_kwh", "-0.1")).as_str(), "negative_energy");
}

#[test]
fn no_fraction_is_lost_or_made() {
	// Ten times a tenth of a Wh is one Wh; the register shows it only then.
	let mut register = RunningRegister::starting_at(41);
	let tenth = Energy::parse_kwh("0.0001").unwrap();
	for _ in 0..9 {
		register.add(&tenth).unwrap();
		assert_eq!(register.shown_wh(), 41);
	}
	register.add(&tenth).unwrap();
	assert_eq!(register.shown_wh(), 42);
	assert_eq!(register, RunningRegister::starting_at(42));
	// A full register refuses and stays as it is.
	let mut full = RunningRegister::starting_at(u64::MAX);
	full.add(&tenth).unwrap();
	let before = full;
	assert_eq!(full.add(&Energy::parse_kwh("0.0009").unwrap()), None);
	assert_eq!(full, before);
	assert_eq!(full.add(&Energy::from_wh(1)), None);
}

#[test]
fn registers_can_be_kept_with_their_fractions() {
	let mut registers =
		RunningRegisters::starting_at(Registers { import_wh: 7, export_wh: 1_000_000 });
	let noise = Energy::parse_kwh("0.30000000000000004").unwrap();
	registers.add(Direction::Export, &noise).unwrap();
	registers.add(Direction::Import, &Energy::parse_kwh("0.0019").unwrap()).unwrap();
	assert_eq!(registers.add(Direction::Both, &noise), None);
	assert_eq!(registers.shown(), Registers { import_wh: 8, export_wh: 1_000_300 });
	let text = serde_json::to_string(&registers).unwrap();
	assert_eq!(text, "{\"import\":\"8.9\",\"export\":\"1000300.00000000000004\"}");
	assert_eq!(serde_json::from_str::<RunningRegisters>(&text).unwrap(), registers);
	let bytes = codec::Encode::encode(&registers);
	assert_eq!(codec::Decode::decode(&mut &bytes[..]), Ok(registers));
	// A fraction of one Wh or more is not a fraction.
	let forged = codec::Encode::encode(&(1u64, u128::MAX));
	assert!(<Energy as codec::Decode>::decode(&mut &forged[..]).is_err());
}

/// What a JSON number of kWh means, in Wh, as an exact fraction.
fn rational(literal: &str) -> BigRational {
	let (mantissa, exponent) = literal.split_once(['e', 'E']).unwrap_or((literal, "0"));
	let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
	let digits: BigInt = format!("{whole}{decimals}").parse().unwrap();
	let shift = exponent.parse::<i32>().unwrap() - decimals.len() as i32 + 3;
	let power = num_traits::pow(BigInt::from(10), shift.unsigned_abs() as usize);
	if shift < 0 { BigRational::new(digits, power) } else { BigRational::from(digits * power) }
}

fn exact(energy: &Energy) -> BigRational {
	rational(&energy.to_kwh())
}

proptest! {
	#[test]
	fn a_number_is_what_it_says(
		literal in "(0|[1-9][0-9]{0,9})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?"
	) {
		let value = rational(&literal);
		let limit = BigRational::from(BigInt::from(u64::MAX) + BigInt::one());
		let units = num_traits::pow(BigInt::from(10), 36);
		let is_fine = (&value * &units).is_integer();
		match Energy::parse_kwh(&literal) {
			Ok(energy) => {
				prop_assert_eq!(exact(&energy), value.clone());
				prop_assert_eq!(energy.floor_wh(), value.floor().to_u64().unwrap());
				prop_assert_eq!(Energy::parse_wh(&energy.to_string()), Ok(energy));
			},
			Err(EnergyError::TooFine) => prop_assert!(!is_fine),
			Err(EnergyError::TooLarge) => prop_assert!(value >= limit),
			Err(fault) => prop_assert!(false, "{:?}", fault),
		}
	}

	#[test]
	fn a_register_is_the_floor_of_the_exact_sum(
		energies in prop::collection::vec((0.0f64..10_000.0, 0u32..25), 0..60)
	) {
		let (mut register, mut sum) = (RunningRegister::default(), BigRational::zero());
		for (value, shrink) in energies {
			// Down to 10⁻²², with all digits that a float prints.
			let literal = format!("{}", value / 10f64.powi(shrink as i32));
			let energy = match Energy::parse_kwh(&literal) {
				Err(EnergyError::TooFine) => continue,
				other => other.unwrap(),
			};
			register.add(&energy).unwrap();
			sum += rational(&literal);
		}
		prop_assert_eq!(register.shown_wh(), sum.floor().to_u64().unwrap());
		prop_assert_eq!(exact(&register.0), sum);
	}

	#[test]
	fn every_time_comes_back(millis in 0u64..=253_402_300_799_999) {
		prop_assert_eq!(parse_utc(&format_utc(millis)), Ok(millis));
	}

	#[test]
	fn whatever_is_sent_there_is_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
		let _ = EnergyLog::parse(&bytes);
	}

	#[test]
	fn whatever_stands_in_a_field_there_is_an_answer(
		field in 0usize..12,
		text in "\\PC{0,30}|-?[0-9]{1,40}(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,30})?|null|\\[\\]|\\{\\}",
		is_text in any::<bool>(),
	) {
		let mut log = example();
		let name = log.as_object().unwrap()[field].0.clone();
		let value = if is_text {
			Value::from(text)
		} else {
			match json::parse(text.as_bytes(), Limits::DEFAULT) {
				Ok(value) => value,
				Err(_) => return Ok(()),
			}
		};
		log.set(&name, value);
		if let Ok(read) = EnergyLog::from_value(&log) {
			prop_assert_eq!(read.canonical(), log.to_canonical());
			prop_assert!(read.end_ms > read.start_ms);
		}
	}
}
