//! The XML reader under random documents and damaged ones: no panic, and no figure that the rules
//! do not give.
//!
//! For a minute of damaged documents (ten seconds without the variable; `FUZZ_SEED` repeats a run):
//!
//!     FUZZ_SECONDS=60 cargo nextest run --release -p gridproof-grid --test fuzz_reader \
//!         --run-ignored only --no-capture

mod common;
#[path = "common/oracle.rs"]
mod oracle;

use common::{DE_LU, acknowledgement, load, no_data, price_document, price_series, vector, window};
use gridproof_grid::{
	Curve, DayWindow, Document, FigureError, UNIT, day_load, day_price, format_minute, read,
	signed_ratio,
};
use oracle::{PlainPeriod, PlainSeries, Verdict, verdict};
use proptest::{prelude::*, test_runner::Config};
use std::{
	fmt::Write as _,
	time::{Duration, Instant},
};

/// A number in thousandths as text, in one of several spellings.
fn spelled(thousandths: i64, style: u8) -> String {
	let size = thousandths.unsigned_abs();
	let sign = if thousandths < 0 { "-" } else { "" };
	let plain = format!("{sign}{}.{:03}", size / 1_000, size % 1_000);
	match style % 4 {
		0 => plain,
		1 => plain.trim_end_matches('0').trim_end_matches('.').to_string(),
		2 => format!("{plain}000"),
		_ => plain.replacen(sign, &format!("{sign}00"), 1),
	}
}

fn series_xml(series: &PlainSeries, is_price: bool, style: u8) -> String {
	let figure = if is_price { "price.amount" } else { "quantity" };
	let mut periods = String::new();
	for period in &series.periods {
		let (start, end) = (format_minute(period.start), format_minute(period.end));
		write!(
			periods,
			"<Period><timeInterval><start>{start}</start><end>{end}</end></timeInterval>\
			 <resolution>PT{}M</resolution>",
			period.resolution
		)
		.unwrap();
		for (position, value) in &period.points {
			let value = spelled(*value, style);
			write!(
				periods,
				"<Point>\n<position>{position}</position><{figure}>{value}</{figure}></Point>"
			)
			.unwrap();
		}
		periods.push_str("</Period>");
	}
	let curve = if series.holds { "A03" } else { "A01" };
	let empty = if is_price {
		price_series(DE_LU, Some(1), curve, &[])
	} else {
		common::load_series(DE_LU, curve, &[])
	};
	empty.replace("</TimeSeries>", &format!("{periods}</TimeSeries>"))
}

fn document_xml(all: &[PlainSeries], is_price: bool, style: u8) -> String {
	let series: String = all.iter().map(|series| series_xml(series, is_price, style)).collect();
	if is_price { price_document(&series) } else { common::load_document(&series) }
}

/// Periods around the day: any start within a day and a half before it, up to 40 hours long;
/// points mostly inside, sometimes out of order, repeated or outside.
fn any_period(day: DayWindow) -> impl Strategy<Value = PlainPeriod> {
	let resolution = prop_oneof![Just(15i64), Just(30), Just(60)];
	(resolution, -36i64 * 4..30 * 4, 1i64..160).prop_flat_map(move |(resolution, start, slots)| {
		let start = day.start() + start * 15;
		let slots = (slots * 15 / resolution).max(1);
		let value = prop_oneof![8 => 0i64..5, 4 => 0i64..90_000_000, 1 => -5i64..0];
		let position = prop_oneof![60 => 1..=slots, 1 => 0..=slots + 1];
		proptest::collection::vec((position, value), 0..12).prop_map(move |points| PlainPeriod {
			start,
			end: start + slots * resolution,
			resolution,
			points,
		})
	})
}

/// A day cut into periods without overlap, each with points in order: mostly readable.
fn tidy_series(day: DayWindow) -> impl Strategy<Value = PlainSeries> {
	let hours = i64::from(day.minutes() / 60);
	let cuts = proptest::collection::btree_set(1..hours, 0..4);
	let choice = (any::<bool>(), cuts, any::<u64>(), 0i64..50_000_000);
	choice.prop_map(move |(holds, cuts, seed, base)| {
		let mut edges = vec![0];
		edges.extend(cuts);
		edges.push(hours);
		let mut random = Random(seed);
		let periods = edges.windows(2).map(|edge| {
			let resolution = [15, 30, 60][random.below(3)];
			let slots = (edge[1] - edge[0]) * 60 / resolution;
			let keep = if holds { 3 } else { 40 };
			let points = (1..=slots)
				.filter(|position| *position == 1 || random.below(keep) > 0)
				.map(|position| (position, base + position * 1_001))
				.collect();
			PlainPeriod {
				start: day.start() + edge[0] * 60,
				end: day.start() + edge[1] * 60,
				resolution,
				points,
			}
		});
		let periods: Vec<PlainPeriod> = periods.collect();
		PlainSeries { holds, periods }
	})
}

fn any_series(day: DayWindow) -> impl Strategy<Value = Vec<PlainSeries>> {
	let wild = (any::<bool>(), proptest::collection::vec(any_period(day), 0..3))
		.prop_map(|(holds, periods)| PlainSeries { holds, periods });
	prop_oneof![
		proptest::collection::vec(wild, 0..3),
		tidy_series(day).prop_map(|series| vec![series]),
		tidy_series(day).prop_map(|series| vec![series.clone(), series]),
	]
}

fn any_day() -> impl Strategy<Value = DayWindow> {
	prop_oneof![
		Just(window("2025-03-24", "Europe/Berlin")),
		Just(window("2025-03-30", "Europe/Berlin")),
		Just(window("2025-10-26", "Europe/Dublin")),
		Just(window("2025-03-24", "Asia/Kathmandu")),
		Just(window("2025-04-06", "Australia/Lord_Howe")),
	]
}

fn config() -> Config {
	Config { cases: 600, failure_persistence: None, ..Config::default() }
}

proptest! {
	#![proptest_config(config())]

	#[test]
	fn energy_is_what_the_rules_give_for_any_document(
		(day, series) in any_day().prop_flat_map(|day| (Just(day), any_series(day))),
		style in any::<u8>(),
	) {
		let file = document_xml(&series, false, style);
		let outcome = day_load(&[&file], None, &day);
		match verdict(&series, day.start(), day.end(), false) {
			Verdict::Refused => prop_assert!(
				matches!(outcome, Err(FigureError::Series { .. } | FigureError::Conflict(_))),
				"{outcome:?}"
			),
			Verdict::Nothing => {
				prop_assert!(matches!(outcome, Err(FigureError::NoData(_))), "{outcome:?}")
			},
			Verdict::Figures { sum, covered, .. } => {
				let load = outcome.map_err(|error| TestCaseError::fail(error.to_string()))?;
				// Thousandths of MW × minutes × 10³ W / 60.
				prop_assert_eq!(load.wh, u128::try_from(sum * 1_000 / 60).unwrap());
				prop_assert_eq!(load.minutes_covered, covered);
				prop_assert_eq!(load.minutes_expected, day.minutes());
				prop_assert_eq!(load.complete, covered == day.minutes());
				let ppm = u64::from(covered) * 1_000_000 / u64::from(day.minutes());
				prop_assert_eq!(u64::from(load.completeness_ppm), ppm);
			},
		}
	}

	#[test]
	fn a_price_is_the_mean_that_the_rules_give_for_any_document(
		(day, series) in any_day().prop_flat_map(|day| (Just(day), any_series(day))),
		style in any::<u8>(),
	) {
		let file = document_xml(&series, true, style);
		let outcome = day_price(&[&file], None, &day);
		match verdict(&series, day.start(), day.end(), true) {
			Verdict::Figures { covered, zeros, .. } if zeros == covered => {
				prop_assert!(outcome.is_err(), "{outcome:?}")
			},
			Verdict::Figures { sum, covered, .. } if covered == day.minutes() => {
				let price = outcome.map_err(|error| TestCaseError::fail(error.to_string()))?;
				let size = price.mean.magnitude();
				let numerator = i128::try_from(size.numerator()).unwrap()
					* if price.mean.is_negative() { -1 } else { 1 };
				// mean = sum / 1000 / minutes
				let denominator = i128::try_from(size.denominator()).unwrap();
				prop_assert_eq!(
					numerator * 1_000 * i128::from(day.minutes()),
					sum * denominator
				);
			},
			_ => prop_assert!(outcome.is_err(), "{outcome:?}"),
		}
	}

	#[test]
	fn random_bytes_are_read_or_refused_but_never_panic(
		bytes in proptest::collection::vec(any::<u8>(), 0..400),
	) {
		let _ = read(&bytes);
	}

	#[test]
	fn damaged_documents_are_read_or_refused_but_never_panic(seed in any::<u64>()) {
		let mut random = Random(seed);
		let corpus = corpus();
		damage(&corpus, &mut random).check();
	}
}

/// xorshift64*: small, seeded, the same everywhere.
struct Random(u64);

impl Random {
	fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut mixed = self.0;
		mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		mixed ^ (mixed >> 31)
	}

	fn below(&mut self, bound: usize) -> usize {
		(self.next() % bound.max(1) as u64) as usize
	}
}

/// Documents to damage: the shared vectors and one of each kind.
fn corpus() -> Vec<Vec<u8>> {
	let points: Vec<(u32, &str)> = (1..=92).map(|position| (position, "41180.5")).collect();
	let day = [("2025-03-29T23:00Z", "2025-03-30T22:00Z", "PT15M", &points[..])];
	let mut corpus: Vec<Vec<u8>> = ["gl_pt15m_a03_dst23_delu.xml", "ack_999_no_data.xml"]
		.iter()
		.map(|name| std::fs::read(vector(name)).unwrap())
		.collect();
	corpus.push(load(DE_LU, "A01", &day).into_bytes());
	corpus.push(price_document(&price_series(DE_LU, Some(1), "A03", &day)).into_bytes());
	corpus.push(no_data().into_bytes());
	corpus.push(acknowledgement("A01", "&lt;&#x26;&amp;<![CDATA[<x>]]>").into_bytes());
	corpus
}

/// Pieces that have hurt XML and number readers.
const PIECES: &[&str] = &[
	"<",
	">",
	"</",
	"/>",
	"<Period>",
	"</Period>",
	"<TimeSeries/>",
	"<Point><position>1</position><quantity>9</quantity></Point>",
	"<!--",
	"-->",
	"<![CDATA[",
	"]]>",
	"<!DOCTYPE a [<!ENTITY b \"c\">]>",
	"&b;",
	"&#0;",
	"&#xFFFFFFFF;",
	"&amp",
	"<?xml version=\"1.1\"?>",
	"\u{feff}",
	"\u{0}",
	"-",
	"1e309",
	"99999999999999999999999999999999999999999",
	"0.000000000000000000000000001",
	"PT0M",
	"PT1M",
	"A01",
	"A03",
	"0001-01-01T00:00Z",
	"2999-12-31T23:59Z",
	"4294967296",
	"18446744073709551616",
	"\u{661}\u{662}",
];

struct Damaged {
	bytes: Vec<u8>,
	origin: Vec<u8>,
}

fn damage(corpus: &[Vec<u8>], random: &mut Random) -> Damaged {
	let origin = corpus[random.below(corpus.len())].clone();
	let mut bytes = origin.clone();
	// Half of the documents stay well-formed, so that the figures are put to the test too.
	if random.below(2) == 0 {
		for _ in 0..=random.below(8) {
			change_figures(&mut bytes, random);
		}
		return Damaged { bytes, origin };
	}
	for _ in 0..=random.below(6) {
		let at = random.below(bytes.len() + 1);
		let end = (at + random.below(40)).min(bytes.len());
		match random.below(8) {
			0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
			1 if at < bytes.len() => bytes[at] = b"0123456789.-<>&;\"' AZ"[random.below(21)],
			2 => drop(bytes.drain(at..end)),
			3 => {
				let piece = bytes[at..end].to_vec();
				let to = random.below(bytes.len() + 1);
				drop(bytes.splice(to..to, piece));
			},
			4 | 5 => {
				let piece = PIECES[random.below(PIECES.len())];
				drop(bytes.splice(at..at, piece.bytes()));
			},
			6 => {
				let piece = PIECES[random.below(PIECES.len())];
				drop(bytes.splice(at..end, piece.bytes()));
			},
			_ => {
				let other = &corpus[random.below(corpus.len())];
				let from = random.below(other.len());
				let to = (from + random.below(200)).min(other.len());
				drop(bytes.splice(at..at, other[from..to].iter().copied()));
			},
		}
	}
	Damaged { bytes, origin }
}

/// Changes a digit, or repeats, moves or drops a point.
fn change_figures(bytes: &mut Vec<u8>, random: &mut Random) {
	let text = String::from_utf8_lossy(bytes).into_owned();
	let points: Vec<(usize, usize)> = text
		.match_indices("<Point>")
		.filter_map(|(from, _)| {
			Some((from, from + text[from..].find("</Point>")? + "</Point>".len()))
		})
		.collect();
	let digits: Vec<usize> =
		(0..bytes.len()).filter(|index| bytes[*index].is_ascii_digit()).collect();
	if points.is_empty() || random.below(3) > 0 {
		if let Some(at) = digits.get(random.below(digits.len())) {
			bytes[*at] = b'0' + random.below(10) as u8;
		}
		return;
	}
	let (from, to) = points[random.below(points.len())];
	let point = bytes[from..to].to_vec();
	let (place, _) = points[random.below(points.len())];
	match random.below(3) {
		0 => drop(bytes.drain(from..to)),
		1 => drop(bytes.splice(place..place, point)),
		_ => {
			drop(bytes.drain(from..to));
			let place = if place > from { place - (to - from) } else { place };
			drop(bytes.splice(place..place, point));
		},
	}
}

impl Damaged {
	/// Reads the document in every way; whatever comes out must keep what every figure keeps.
	fn check(&self) {
		let shown = || String::from_utf8_lossy(&self.bytes).into_owned();
		let day = window("2025-03-30", "Europe/Berlin");
		let read_back = read(&self.bytes);
		if let Ok(Document::Load(document) | Document::Price(document)) = &read_back {
			for period in document.series.iter().flat_map(|series| &series.periods) {
				let mut last = 0;
				for point in &period.points {
					assert!(
						point.position > last && point.position <= period.slots(),
						"{}",
						shown()
					);
					last = point.position;
				}
			}
		}
		if let Ok(load) = day_load(&[&self.bytes], None, &day) {
			assert!(matches!(read_back, Ok(Document::Load(_))), "{}", shown());
			assert_eq!(load.complete, load.minutes_covered == load.minutes_expected);
			assert_eq!(load.complete, load.completeness_ppm == 1_000_000);
			assert_eq!(load.minutes_expected, 1_380);
			let wh = recount(&self.bytes, &day).map(|sum| sum.unsigned_abs() / 60_000_000);
			assert_eq!(Ok(load.wh), wh, "{}", shown());
		}
		if let Ok(price) = day_price(&[&self.bytes], None, &day) {
			assert!(matches!(read_back, Ok(Document::Price(_))), "{}", shown());
			assert!(price.slots > 0 && price.negative_slots <= price.slots, "{}", shown());
			let mean = recount(&self.bytes, &day)
				.map(|sum| signed_ratio(sum, 1_380 * UNIT.unsigned_abs()));
			assert_eq!(Ok(price.mean), mean, "{}", shown());
		}
		// Reading is a function of the bytes alone.
		assert_eq!(read(&self.bytes), read_back);
		assert!(read(&self.origin).is_ok());
	}
}

/// Σ figure × minutes of a readable document, in units of 10⁻¹², by the second expansion.
fn recount(bytes: &[u8], day: &DayWindow) -> Result<i128, String> {
	let mut document = match read(bytes) {
		Ok(Document::Load(document)) => document,
		Ok(Document::Price(mut document)) => {
			document
				.series
				.retain(|series| series.contract.as_ref().is_none_or(|contract| contract == "A01"));
			if document.series.iter().any(|series| series.sequence == Some(1)) {
				document.series.retain(|series| series.sequence == Some(1));
			}
			document
		},
		other => return Err(format!("{other:?}")),
	};
	document.series.retain(|series| series.sequence.is_none_or(|sequence| sequence == 1));
	// Thousandths do not hold every figure; take the reader's exact units instead.
	let series: Vec<PlainSeries> = document
		.series
		.iter()
		.map(|series| PlainSeries {
			holds: series.curve == Curve::VariableBlocks,
			periods: series
				.periods
				.iter()
				.map(|period| PlainPeriod {
					start: period.start,
					end: period.end,
					resolution: i64::from(period.resolution),
					points: (0i64..)
						.zip(&period.points)
						.map(|(index, point)| (i64::from(point.position), index))
						.collect(),
				})
				.collect(),
		})
		.collect();
	// Each period alone gives the index of the point that holds; the figure is looked up.
	let mut sum = 0i128;
	for minute in day.start()..day.end() {
		let mut found = None;
		for (plain, full) in series.iter().zip(&document.series) {
			for (period, full) in plain.periods.iter().zip(&full.periods) {
				let alone = [PlainSeries { holds: plain.holds, periods: vec![period.clone()] }];
				match verdict(&alone, minute, minute + 1, true) {
					Verdict::Figures { sum: index, .. } => {
						let value = full.points[usize::try_from(index).unwrap()].value.units();
						if found.is_some_and(|other| other != value) {
							return Err("contradiction".into());
						}
						found = Some(value);
					},
					Verdict::Nothing => {},
					Verdict::Refused => return Err("refused".into()),
				}
			}
		}
		sum += found.unwrap_or(0);
	}
	Ok(sum)
}

#[test]
#[ignore = "runs for FUZZ_SECONDS (default 10)"]
fn damaged_documents_never_panic_or_give_a_wrong_figure_for_a_while() {
	let variable = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
	let seconds: u64 = variable("FUZZ_SECONDS").unwrap_or(10);
	let seed: u64 = variable("FUZZ_SEED").unwrap_or_else(|| {
		let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
		now.map_or(1, |time| time.as_nanos() as u64)
	});
	println!("FUZZ_SEED={seed}");
	let corpus = corpus();
	let mut random = Random(seed);
	let end = Instant::now() + Duration::from_secs(seconds);
	let (mut runs, mut readable) = (0u64, 0u64);
	while Instant::now() < end {
		for _ in 0..50 {
			let damaged = damage(&corpus, &mut random);
			readable += u64::from(read(&damaged.bytes).is_ok());
			damaged.check();
			runs += 1;
		}
	}
	println!("{runs} damaged documents, {readable} of them still readable, no wrong figure");
	assert!(readable > 0 || seconds == 0);
}
