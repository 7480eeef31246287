//! Numbers, days and JSON as text.

use codec::{Decode, Encode};
use gridproof_primitives::{
	codec::json::{self, JsonErrorKind, Limits, Value},
	num::decimal::{DecimalError, Ratio, SignedRatio},
	time::day::Day,
};
use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;

fn ratio(text: &str) -> Ratio {
	Ratio::parse(text).unwrap()
}

#[test]
fn decimals_and_fractions_are_read_exactly() {
	for (text, wanted) in [
		("0", "0/1"),
		("90.0", "90/1"),
		("1.05", "21/20"),
		("9/50", "9/50"),
		("18/100", "9/50"),
		("0.1", "1/10"),
		("0.000000000000000001", "1/1000000000000000000"),
		("340282366920938463463374607431768211455", "340282366920938463463374607431768211455/1"),
		("1.00000000000000000000000000000000000000000000000000000000000000", "1/1"),
	] {
		assert_eq!(ratio(text).to_string(), wanted);
	}
}

#[test]
fn texts_that_are_no_numbers_are_refused_each_for_its_reason() {
	use DecimalError::*;
	for (text, wanted) in [
		("", Malformed),
		(".", Malformed),
		(".5", Malformed),
		("5.", Malformed),
		("+5", Malformed),
		(" 5", Malformed),
		("5 ", Malformed),
		("1e3", Malformed),
		("1_000", Malformed),
		("1,5", Malformed),
		("0x10", Malformed),
		("NaN", Malformed),
		("inf", Malformed),
		("1/2/3", Malformed),
		("1.5/2", Malformed),
		("1/", Malformed),
		("/2", Malformed),
		("--1", Malformed),
		("1/-2", Malformed),
		("٣", Malformed),
		("1/0", ZeroDenominator),
		("-1", Negative),
		("-1/2", Negative),
		("340282366920938463463374607431768211456", TooManyDigits),
		("0.0000000000000000000000000000000000000001", TooManyDigits),
		("170141183460469231731687303715884105728.5000000000000000001", TooManyDigits),
	] {
		assert_eq!(Ratio::parse(text), Err(wanted), "{text:?}");
	}
	assert_eq!(Ratio::parse(&"1".repeat(97)), Err(TooLong));
	assert_eq!(ratio("-0"), Ratio::ZERO);
}

#[test]
fn json_numbers_may_carry_a_sign_and_an_exponent() {
	for (text, wanted) in [
		("1e3", "1000/1"),
		("1.5E-3", "3/2000"),
		("-2.50", "-5/2"),
		("1.25e+2", "125/1"),
		("-0.0", "0/1"),
		("0e38", "0/1"),
	] {
		assert_eq!(SignedRatio::parse_json_number(text).unwrap().to_string(), wanted);
	}
	for text in ["1e39", "1e-39", "12e38", "1e", "e5", "1e1.5", "1/2", "1e99999999999999999999"] {
		assert!(SignedRatio::parse_json_number(text).is_err(), "{text}");
	}
}

#[test]
fn figures_print_exactly_or_cut_after_six_places() {
	assert_eq!(ratio("90").to_figure(), "90.0");
	assert_eq!(ratio("0.18").to_figure(), "0.18");
	assert_eq!(ratio("275/3").to_figure(), "91.666666");
	assert_eq!(ratio("2/3").to_decimal_floor(6), "0.666666");
	assert_eq!(ratio("27/25").to_decimal_floor(6), "1.080000");
	assert_eq!(ratio("5/2").to_decimal_floor(0), "2");
	assert_eq!(ratio("1/8").to_decimal_exact(3).unwrap(), "0.125");
	assert_eq!(ratio("1/8").to_decimal_exact(2), None);
	assert_eq!(
		Ratio::new(1, u128::MAX).unwrap().to_decimal_floor(38),
		format!("0.{}", "0".repeat(38))
	);
	assert_eq!(Ratio::new(u128::MAX, 1).unwrap().to_decimal_floor(2), format!("{}.00", u128::MAX));
	assert_eq!(SignedRatio::parse("-12.50").unwrap().to_figure(), "-12.5");
}

#[test]
fn a_ratio_is_reduced_and_its_denominator_is_never_zero_however_it_comes_in() {
	assert_eq!(Ratio::new(1, 0), None);
	assert_eq!(Ratio::new(0, 0), None);
	assert_eq!(Ratio::new(0, 7), Some(Ratio::ZERO));
	assert_eq!(Ratio::decode(&mut &(18u128, 100u128).encode()[..]), Ok(ratio("9/50")));
	assert!(Ratio::decode(&mut &(18u128, 0u128).encode()[..]).is_err());
	let minus_zero = SignedRatio::decode(&mut &(true, 0u128, 5u128).encode()[..]).unwrap();
	assert_eq!(minus_zero, SignedRatio::default());
	assert_eq!(serde_json::to_string(&ratio("0.18")).unwrap(), "\"9/50\"");
	assert_eq!(serde_json::from_str::<Ratio>("\"0.18\"").unwrap(), ratio("9/50"));
	assert!(serde_json::from_str::<Ratio>("\"1/0\"").is_err());
	assert!(serde_json::from_str::<Ratio>("0.18").is_err(), "a float is not exact");
}

fn any_ratio() -> impl Strategy<Value = Ratio> {
	let number = || prop_oneof![0u128..1000, any::<u128>(), Just(u128::MAX)];
	(number(), number()).prop_map(|(n, d)| Ratio::new(n, d.max(1)).unwrap())
}

fn big(ratio: &Ratio) -> BigRational {
	BigRational::new(ratio.numerator().into(), ratio.denominator().into())
}

proptest! {
	#[test]
	fn arithmetic_and_order_are_those_of_exact_fractions(
		a in any_ratio(), b in any_ratio(), amount in any::<u128>()
	) {
		prop_assert_eq!(a.cmp(&b), big(&a).cmp(&big(&b)));
		let fits = |value: &BigRational| {
			*value.numer() <= BigInt::from(u128::MAX) && *value.denom() <= BigInt::from(u128::MAX)
		};
		let product = big(&a) * big(&b);
		prop_assert_eq!(a.checked_mul(&b).map(|r| big(&r)), Some(product.clone()).filter(fits));
		if !b.is_zero() {
			let quotient = big(&a) / big(&b);
			prop_assert_eq!(a.checked_div(&b).map(|r| big(&r)), Some(quotient).filter(fits));
		}
		let floor = (big(&a) * BigRational::from_integer(amount.into())).floor().to_integer();
		prop_assert_eq!(a.mul_floor(amount), u128::try_from(floor).ok());
		prop_assert_eq!(Ratio::decode(&mut &a.encode()[..]), Ok(a));
		prop_assert_eq!(ratio(&a.to_string()), a);
		if let Some(text) = a.to_decimal_exact(18) {
			prop_assert_eq!(ratio(&text), a);
		}
	}

	#[test]
	fn no_text_makes_a_reader_panic(text in ".{0,80}") {
		let _ = Ratio::parse(&text);
		let _ = SignedRatio::parse_json_number(&text);
		let _ = Day::parse(&text);
		let _ = json::parse(text.as_bytes(), Limits::DEFAULT);
	}

	#[test]
	fn no_bytes_make_the_json_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
		let _ = json::parse(&bytes, Limits::DEFAULT);
	}

	#[test]
	fn json_like_text_is_read_as_another_reader_reads_it(
		text in "[\\[\\]{}\",:0-9eE+.tfnrulas \\\\-]{0,24}"
	) {
		let ours = json::parse(text.as_bytes(), Limits::DEFAULT);
		let theirs = serde_json::from_str::<serde_json::Value>(&text);
		match (ours, theirs) {
			(Ok(ours), Ok(theirs)) => {
				let again: serde_json::Value = serde_json::from_str(&ours.to_canonical()).unwrap();
				prop_assert_eq!(again, theirs);
			},
			(Err(_), Err(_)) => (),
			// Two rules of ours that the other reader does not have, and one of its own.
			(Err(error), Ok(_)) => prop_assert_eq!(error.fault, JsonErrorKind::DuplicateKey),
			(Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range")),
		}
	}

	#[test]
	fn every_day_prints_and_reads_back(days in 0..=2_932_896u32) {
		let day = Day::from_days(days).unwrap();
		prop_assert_eq!(Day::parse(&day.to_iso()), Ok(day));
		prop_assert_eq!(Day::decode(&mut &day.encode()[..]), Ok(day));
		let (year, month, date) = day.date();
		prop_assert_eq!(Day::from_date(year, month, date), Some(day));
		if let Some(next) = day.next() {
			prop_assert!(day < next && day.to_iso() < next.to_iso());
			prop_assert_eq!(next.days_since(day), 1);
		}
	}
}

#[test]
fn days_are_those_of_the_calendar() {
	for (text, days) in [
		("1970-01-01", 0),
		("1970-12-31", 364),
		("1972-02-29", 789),
		("2000-02-29", 11_016),
		("2000-03-01", 11_017),
		("2025-03-30", 20_177),
		("2026-01-15", 20_468),
		("2100-02-28", 47_540),
		("2100-03-01", 47_541),
		("9999-12-31", 2_932_896),
	] {
		assert_eq!(Day::parse(text).map(Day::days), Ok(days), "{text}");
		assert_eq!(Day::from_days(days).unwrap().to_string(), text);
	}
	for text in [
		"",
		"2026-1-15",
		"2026-01-15 ",
		"2026-02-29",
		"2100-02-29",
		"2026-13-01",
		"2026-00-10",
		"2026-01-00",
		"2026-01-32",
		"2026/01/15",
		"26-01-15",
		"1969-12-31",
		"10000-01-01",
		"2026-01-15T00",
		"+026-01-15",
		"2026-01-1５",
	] {
		assert!(Day::parse(text).is_err(), "{text:?}");
	}
	assert_eq!(Day::from_days(2_932_897), None);
	assert_eq!(Day::LAST.next(), None);
	assert_eq!(Day::FIRST.previous(), None);
	assert!(Day::decode(&mut &2_932_897u32.encode()[..]).is_err());
	assert_eq!(Day::from_unix_millis(86_400_000 - 1), Day::FIRST);
	assert_eq!(Day::from_unix_millis(u64::MAX), Day::LAST);
}

fn canonical(text: &str) -> String {
	json::canonicalize(text.as_bytes(), Limits::DEFAULT).unwrap()
}

fn fault(text: &str) -> JsonErrorKind {
	json::parse(text.as_bytes(), Limits::DEFAULT).unwrap_err().fault
}

#[test]
fn the_canonical_form_sorts_compacts_and_escapes() {
	assert_eq!(
		canonical(" { \"b\" : [ 1 , 2.50 ] , \"a\" : null } "),
		r#"{"a":null,"b":[1,2.50]}"#
	);
	assert_eq!(canonical(r#"["\u00e9\/\b\f\n\r\t\"\\"]"#), r#"["\u00e9/\b\f\n\r\t\"\\"]"#);
	assert_eq!(canonical("\"\u{7f}~é😀\""), r#""\u007f~\u00e9\ud83d\ude00""#);
	assert_eq!(canonical(r#""\uD83D\uDE00\u0000\u001f""#), r#""\ud83d\ude00\u0000\u001f""#);
	// Code points, not UTF-16 units: U+FF61 sorts before U+1F600.
	assert_eq!(canonical(r#"{"😀":1,"｡":2}"#), r#"{"\uff61":2,"\ud83d\ude00":1}"#);
	for literal in ["10000000.0", "-0", "1E400", "1e-7", "0.1000", "123456789012345678901234567890"]
	{
		assert_eq!(canonical(literal), literal);
	}
}

#[test]
fn what_is_not_json_is_refused_each_for_its_reason() {
	use JsonErrorKind::*;
	for (text, wanted) in [
		("", UnexpectedEnd),
		("[1", UnexpectedEnd),
		("\"a", UnexpectedEnd),
		("[1,]", UnexpectedCharacter),
		("{\"a\":1,}", UnexpectedCharacter),
		("{a:1}", UnexpectedCharacter),
		("{'a':1}", UnexpectedCharacter),
		("NaN", UnexpectedCharacter),
		("+1", UnexpectedCharacter),
		(".5", UnexpectedCharacter),
		("\u{feff}1", UnexpectedCharacter),
		("\u{a0}1", UnexpectedCharacter),
		("01", BadNumber),
		("-", BadNumber),
		("1.", BadNumber),
		("1e", BadNumber),
		("1 2", TrailingText),
		("truex", TrailingText),
		("\"\\x\"", BadEscape),
		("\"\\u12g4\"", BadEscape),
		("\"\u{1}\"", ControlCharacter),
		("\"\\ud800\"", LoneSurrogate),
		("\"\\udc00\"", LoneSurrogate),
		("\"\\ud800\\u0041\"", LoneSurrogate),
		("{\"a\":1,\"\\u0061\":2}", DuplicateKey),
	] {
		assert_eq!(fault(text), wanted, "{text:?}");
	}
	assert_eq!(json::parse(b"\"\xff\"", Limits::DEFAULT).unwrap_err().fault, NotUtf8);
}

#[test]
fn depth_and_size_are_bounded() {
	let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
	assert!(json::parse(nested(32).as_bytes(), Limits::DEFAULT).is_ok());
	assert_eq!(fault(&nested(33)), JsonErrorKind::TooDeep);
	assert_eq!(fault(&"[".repeat(1 << 20)), JsonErrorKind::TooDeep);
	assert_eq!(fault(&" ".repeat((1 << 20) + 1)), JsonErrorKind::TooLarge);
	let greedy = Limits { max_bytes: 1 << 20, max_depth: usize::MAX };
	let error = json::parse("[".repeat(1 << 20).as_bytes(), greedy).unwrap_err();
	assert_eq!(error.fault, JsonErrorKind::TooDeep);
	let wide = format!("[{}1]", "1,".repeat(500_000));
	assert!(json::parse(wide.as_bytes(), Limits::DEFAULT).is_ok());
}

#[test]
fn a_value_can_be_changed_and_printed_for_people() {
	let mut value = json::parse(br#"{"b":1,"a":[],"c":{"d":"x"}}"#, Limits::DEFAULT).unwrap();
	assert!(value.set("b", 2u128.into()));
	assert!(value.set("e", "é".into()));
	value.remove("a");
	assert!(!Value::Null.set("a", Value::Null));
	let wanted = "{\n\t\"b\": 2,\n\t\"c\": {\n\t\t\"d\": \"x\"\n\t},\n\t\"e\": \"\\u00e9\"\n}\n";
	assert_eq!(value.to_pretty(), wanted);
	assert_eq!(json::parse(wanted.as_bytes(), Limits::DEFAULT).unwrap(), value);
	assert_eq!(value.get("b").unwrap().as_u128(), Some(2));
}
