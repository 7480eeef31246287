//! Energy of a day: curves, resolutions, holes, contradictions, days of 23 and 25 hours.

mod common;

use common::{
	DE_LU, FR, PeriodXml, acknowledgement, load, load_document, load_revision, load_series,
	no_data, price_document, price_series, vector, window,
};
use gridproof_grid::{
	Acknowledgement, ConflictError, DayLoad, DayWindow, Decimal, DecimalError, Document,
	DocumentError, Eic, FigureError, Reason, day_load, read,
};

const MARCH: (&str, &str) = ("2025-03-23T23:00Z", "2025-03-24T23:00Z");

fn figures(files: &[String], day: &DayWindow) -> Result<(u128, u32, bool), FigureError> {
	let DayLoad { wh, completeness_ppm, complete, .. } = day_load(files, None, day)?;
	Ok((wh, completeness_ppm, complete))
}

fn monday(files: &[String]) -> Result<(u128, u32, bool), FigureError> {
	figures(files, &window("2025-03-24", "Europe/Berlin"))
}

fn invalid(file: String) -> DocumentError {
	match monday(&[file]) {
		Err(FigureError::Invalid { index: 1, reason } | FigureError::Series { reason, .. }) => {
			reason
		},
		other => panic!("{other:?}"),
	}
}

/// `count` points of `value`.
fn flat(count: u32, value: &str) -> Vec<(u32, &str)> {
	(1..=count).map(|position| (position, value)).collect()
}

#[test]
fn the_shared_vector_gives_its_energy_to_the_watt_hour() {
	let vectors: serde_json::Value =
		serde_json::from_slice(&std::fs::read(vector("entsoe.json")).unwrap()).unwrap();
	for case in vectors["load"].as_array().unwrap() {
		let text = |key: &str| case[key].as_str().unwrap();
		let file = std::fs::read(vector(text("file"))).unwrap();
		let window = window(text("local_day"), text("tz"));
		let eic = Eic::parse(text("eic")).unwrap();
		let load = day_load(&[file], Some(&eic), &window).unwrap();
		assert_eq!(load.wh, u128::from(case["wh"].as_u64().unwrap()));
		assert_eq!(load.complete, case["complete"].as_bool().unwrap());
		assert_eq!(u64::from(load.completeness_ppm), case["completeness_ppm"].as_u64().unwrap());
		assert_eq!(u64::from(load.minutes_covered), case["minutes_covered"].as_u64().unwrap());
		assert_eq!(u64::from(load.minutes_expected), case["minutes_expected"].as_u64().unwrap());
	}
	let ack = &vectors["acknowledgement"];
	let file = std::fs::read(vector(ack["file"].as_str().unwrap())).unwrap();
	let expected = Reason {
		code: ack["code"].as_str().unwrap().into(),
		text: ack["text"].as_str().unwrap().into(),
	};
	let answer = Acknowledgement { reasons: vec![expected] };
	assert!(answer.is_no_data());
	assert_eq!(read(&file), Ok(Document::Acknowledgement(answer)));
}

#[test]
fn a_day_of_24_hours_in_each_resolution_gives_the_same_energy() {
	for (resolution, count) in [("PT15M", 96), ("PT30M", 48), ("PT60M", 24)] {
		let points = flat(count, "1000");
		let file = load(DE_LU, "A01", &[(MARCH.0, MARCH.1, resolution, &points)]);
		assert_eq!(monday(&[file]), Ok((24_000_000_000, 1_000_000, true)), "{resolution}");
	}
}

#[test]
fn days_of_23_and_25_hours_are_complete_with_23_and_25_hours() {
	for (day, start, end, hours) in [
		("2025-03-30", "2025-03-29T23:00Z", "2025-03-30T22:00Z", 23u32),
		("2025-10-26", "2025-10-25T22:00Z", "2025-10-26T23:00Z", 25),
	] {
		let window = window(day, "Europe/Berlin");
		for (resolution, per_hour) in [("PT15M", 4), ("PT30M", 2), ("PT60M", 1)] {
			let points = flat(hours * per_hour, "10.5");
			let file = load(DE_LU, "A01", &[(start, end, resolution, &points)]);
			let wh = u128::from(hours) * 10_500_000;
			assert_eq!(figures(&[file], &window), Ok((wh, 1_000_000, true)), "{day} {resolution}");
		}
		let file = load(DE_LU, "A03", &[(start, end, "PT60M", &[(1, "10.5")])]);
		assert_eq!(
			figures(&[file], &window),
			Ok((u128::from(hours) * 10_500_000, 1_000_000, true))
		);
	}
}

#[test]
fn a_03_holds_a_figure_until_the_next_and_to_the_end_of_its_period() {
	let points: &[(u32, &str)] = &[(1, "100"), (2, "200"), (23, "50")];
	let file = load(DE_LU, "A03", &[(MARCH.0, MARCH.1, "PT60M", points)]);
	// 1 h at 100, 21 h at 200, 2 h at 50.
	assert_eq!(monday(&[file]), Ok((4_400_000_000, 1_000_000, true)));
}

#[test]
fn a_03_never_reaches_across_the_end_of_a_period() {
	let periods: &[PeriodXml<'_>] = &[
		("2025-03-23T23:00Z", "2025-03-24T05:00Z", "PT60M", &[(1, "100")]),
		("2025-03-24T11:00Z", "2025-03-24T23:00Z", "PT60M", &[(1, "200")]),
	];
	let file = load(DE_LU, "A03", periods);
	// 6 h at 100, 6 h without a figure, 12 h at 200.
	assert_eq!(monday(&[file]), Ok((3_000_000_000, 750_000, false)));
}

#[test]
fn a_03_has_no_figure_before_its_first_point() {
	let file = load(DE_LU, "A03", &[(MARCH.0, MARCH.1, "PT60M", &[(13, "100")])]);
	assert_eq!(monday(&[file]), Ok((1_200_000_000, 500_000, false)));
}

#[test]
fn a_01_has_a_hole_where_a_position_is_missing() {
	let mut points = flat(96, "100");
	points.remove(40);
	let file = load(DE_LU, "A01", &[(MARCH.0, MARCH.1, "PT15M", &points)]);
	// 95 of 96 quarter hours: 2,375 MWh; 989,583.3 ppm, rounded down.
	assert_eq!(monday(&[file]), Ok((2_375_000_000, 989_583, false)));
}

#[test]
fn a_series_without_a_curve_type_is_read_as_a_01() {
	let points = flat(23, "100");
	let file = load(DE_LU, "A01", &[(MARCH.0, MARCH.1, "PT60M", &points)])
		.replace("<curveType>A01</curveType>", "");
	assert_eq!(monday(&[file]), Ok((2_300_000_000, 958_333, false)));
}

#[test]
fn several_series_periods_and_files_make_up_one_day() {
	let morning = flat(12, "100");
	let noon = flat(24, "200");
	let evening = flat(6, "300");
	let first =
		load_series(DE_LU, "A01", &[("2025-03-23T23:00Z", "2025-03-24T11:00Z", "PT60M", &morning)]);
	let second =
		load_series(DE_LU, "A01", &[("2025-03-24T11:00Z", "2025-03-24T17:00Z", "PT15M", &noon)]);
	let third = load(DE_LU, "A01", &[("2025-03-24T17:00Z", MARCH.1, "PT60M", &evening)]);
	let files = [load_document(&format!("{first}{second}")), third.replace("0d1f", "0d2f")];
	assert_eq!(monday(&files), Ok((4_200_000_000, 1_000_000, true)));
}

#[test]
fn what_lies_outside_the_day_does_not_count() {
	let file = load(
		DE_LU,
		"A03",
		&[(
			"2025-03-22T23:00Z",
			"2025-03-26T23:00Z",
			"PT15M",
			&[(1, "1"), (97, "100"), (193, "7")],
		)],
	);
	assert_eq!(monday(&[file]), Ok((2_400_000_000, 1_000_000, true)));
}

#[test]
fn a_slot_across_midnight_counts_with_its_minutes_inside_the_day() {
	// Kathmandu is 5:45 ahead: hourly slots in UTC are cut at both ends of its day.
	let window = window("2025-03-24", "Asia/Kathmandu");
	let mut points = flat(25, "60");
	points[0].1 = "240";
	let file = load(DE_LU, "A01", &[("2025-03-23T18:00Z", "2025-03-24T19:00Z", "PT60M", &points)]);
	// 45 min at 240 MW, 23 h at 60 MW, 15 min at 60 MW.
	assert_eq!(
		figures(&[file], &window),
		Ok((180_000_000 + 1_380_000_000 + 15_000_000, 1_000_000, true))
	);
}

#[test]
fn energy_is_rounded_down_once_at_the_end() {
	// 24 × 0.0000001 MWh = 2.4 Wh, not 24 × 0 Wh.
	let points = flat(24, "0.0000001");
	let file = load(DE_LU, "A01", &[(MARCH.0, MARCH.1, "PT60M", &points)]);
	assert_eq!(monday(&[file]), Ok((2, 1_000_000, true)));
	let points = flat(96, "0.000000000001");
	let file = load(DE_LU, "A01", &[(MARCH.0, MARCH.1, "PT15M", &points)]);
	assert_eq!(monday(&[file]), Ok((0, 1_000_000, true)));
}

#[test]
fn a_figure_given_twice_counts_once() {
	let mut points = flat(24, "100");
	points.push((5, "100.0"));
	let once = load_series(DE_LU, "A01", &[(MARCH.0, MARCH.1, "PT60M", &points)]);
	let quarters = flat(96, "100");
	let again = load_series(DE_LU, "A01", &[(MARCH.0, MARCH.1, "PT15M", &quarters)]);
	let file = load_document(&format!("{once}{again}{once}"));
	assert_eq!(monday(&[file]), Ok((2_400_000_000, 1_000_000, true)));
}

#[test]
fn two_figures_for_one_position_are_refused() {
	let mut points = flat(24, "100");
	points.push((5, "101"));
	let file = load(DE_LU, "A01", &[(MARCH.0, MARCH.1, "PT60M", &points)]);
	assert_eq!(
		invalid(file),
		DocumentError::ConflictingPoints {
			position: 5,
			period: MARCH.0.into(),
			first: Decimal::parse("100").unwrap(),
			second: Decimal::parse("101").unwrap(),
		}
	);
}

#[test]
fn two_series_that_contradict_each_other_are_refused() {
	let day = flat(24, "100");
	let first = load_series(DE_LU, "A01", &[(MARCH.0, MARCH.1, "PT60M", &day)]);
	let second = load_series(
		DE_LU,
		"A01",
		&[("2025-03-24T10:00Z", "2025-03-24T11:00Z", "PT30M", &[(1, "100"), (2, "99")])],
	);
	let conflict = ConflictError {
		at: "2025-03-24T10:30Z".into(),
		first: Decimal::parse("99").unwrap(),
		second: Decimal::parse("100").unwrap(),
	};
	let file = load_document(&format!("{first}{second}"));
	assert_eq!(monday(&[file]), Err(FigureError::Conflict(conflict)));
}

#[test]
fn a_newer_revision_replaces_the_older_one_whatever_the_order() {
	let (old, new) = (flat(24, "100"), flat(24, "110"));
	let old = load_series(DE_LU, "A01", &[(MARCH.0, MARCH.1, "PT60M", &old)]);
	let new = load_series(DE_LU, "A01", &[(MARCH.0, MARCH.1, "PT60M", &new)]);
	let files = [load_revision("a", 2, &new), load_revision("a", 1, &old)];
	assert_eq!(monday(&files), Ok((2_640_000_000, 1_000_000, true)));
	let other_document = [load_revision("a", 2, &new), load_revision("b", 1, &old)];
	assert!(matches!(monday(&other_document), Err(FigureError::Conflict(_))));
}

#[test]
fn another_area_than_the_one_asked_for_is_refused() {
	let points = flat(24, "100");
	let file = load(FR, "A01", &[(MARCH.0, MARCH.1, "PT60M", &points)]);
	let asked = Eic::parse(DE_LU).unwrap();
	let day = window("2025-03-24", "Europe/Berlin");
	assert_eq!(
		day_load(&[&file], Some(&asked), &day),
		Err(FigureError::OtherArea { asked: DE_LU.into(), found: FR.into() })
	);
	let other = load(DE_LU, "A01", &[(MARCH.0, MARCH.1, "PT60M", &points)]).replace("0d1f", "0");
	assert_eq!(
		monday(&[file.clone(), other]),
		Err(FigureError::OtherArea { asked: FR.into(), found: DE_LU.into() })
	);
	let nameless = file.replace("outBiddingZone_Domain.mRID", "inBiddingZone_Domain.mRID");
	assert_eq!(monday(&[nameless]), Err(FigureError::NoArea));
}

#[test]
fn a_document_about_another_day_is_no_data() {
	let points = flat(24, "100");
	let file = load(DE_LU, "A01", &[("2025-03-24T23:00Z", "2025-03-25T23:00Z", "PT60M", &points)]);
	let Err(FigureError::NoData(reason)) = monday(&[file]) else { panic!() };
	assert_eq!(reason, "the document has no point in 2025-03-23T23:00Z … 2025-03-24T23:00Z");
}

#[test]
fn acknowledgements_are_no_data_or_a_refusal_by_their_words() {
	assert!(
		matches!(monday(&[no_data()]), Err(FigureError::NoData(text)) if text.starts_with("999: No matching"))
	);
	let wrong = acknowledgement("999", "Input parameter does not exist: curveType");
	let Err(FigureError::Refused(answer)) = monday(&[wrong]) else { panic!() };
	assert_eq!(answer.to_string(), "999: Input parameter does not exist: curveType");
	let other_code = acknowledgement("A95", "No matching data found for Data item");
	assert!(matches!(monday(&[other_code]), Err(FigureError::Refused(_))));
	let empty = acknowledgement("", "");
	assert!(matches!(monday(&[empty]), Err(FigureError::Refused(_))));
	// Next to a document with data, "no data" says nothing.
	let points = flat(24, "100");
	let data = load(DE_LU, "A01", &[(MARCH.0, MARCH.1, "PT60M", &points)]);
	assert_eq!(monday(&[no_data(), data]), Ok((2_400_000_000, 1_000_000, true)));
	assert_eq!(monday(&[]), Err(FigureError::NoData("no document".into())));
}

#[test]
fn what_changes_the_meaning_of_a_figure_is_checked() {
	let points = flat(24, "100");
	let good = load(DE_LU, "A01", &[(MARCH.0, MARCH.1, "PT60M", &points)]);
	assert!(monday(std::slice::from_ref(&good)).is_ok());
	let unsupported = |element, found: &str, expected| DocumentError::Unsupported {
		element,
		found: found.into(),
		expected,
	};
	let resolutions = "PT15M, PT30M or PT60M";
	let time = "a UTC time such as 2025-03-29T23:00Z";
	for (from, to, reason) in [
		(">A65<", ">A75<", unsupported("type", "A75", "A65")),
		("<type>A65</type>", "", DocumentError::Missing("type")),
		(
			"<TimeSeries>",
			"<docStatus><value>A13</value></docStatus><TimeSeries>",
			DocumentError::Withdrawn,
		),
		(">A16<", ">A01<", unsupported("process.processType", "A01", "A16 (realised)")),
		(">MAW<", ">KWT<", unsupported("quantity_Measure_Unit.name", "KWT", "MAW")),
		(">A04<", ">A60<", unsupported("businessType", "A60", "A04 (consumption)")),
		(">A01</curveType>", ">A02</curveType>", unsupported("curveType", "A02", "A01 or A03")),
		("PT60M", "PT1M", unsupported("resolution", "PT1M", resolutions)),
		("PT60M", "P1D", unsupported("resolution", "P1D", resolutions)),
		(MARCH.1, "2025-03-25T01:00+02:00", unsupported("end", "2025-03-25T01:00+02:00", time)),
		("<quantity>100</quantity>", "", DocumentError::Missing("quantity")),
		(
			"<position>24<",
			"<position>25<",
			DocumentError::PositionOutside { position: 25, slots: 24, period: MARCH.0.into() },
		),
		(
			"<position>1<",
			"<position>0<",
			DocumentError::PositionOutside { position: 0, slots: 24, period: MARCH.0.into() },
		),
		("<position>1<", "<position>+1<", unsupported("position", "+1", "a whole number")),
		(
			"<position>7</position><quantity>100<",
			"<position>7</position><quantity>-1<",
			DocumentError::NegativeLoad {
				position: 7,
				period: MARCH.0.into(),
				value: Decimal::parse("-1").unwrap(),
			},
		),
		(
			">100<",
			">1e2<",
			DocumentError::InvalidNumber {
				element: "quantity",
				found: "1e2".into(),
				reason: DecimalError::Malformed,
			},
		),
		(
			MARCH.1,
			"2025-03-24T22:30Z",
			DocumentError::InvalidPeriod {
				start: MARCH.0.into(),
				end: "2025-03-24T22:30Z".into(),
				resolution: 60,
			},
		),
		(
			MARCH.1,
			MARCH.0,
			DocumentError::InvalidPeriod {
				start: MARCH.0.into(),
				end: MARCH.0.into(),
				resolution: 60,
			},
		),
		(
			"<curveType>A01</curveType>",
			"<curveType>A01</curveType><curveType>A03</curveType>",
			DocumentError::Repeated("curveType"),
		),
	] {
		let changed = good.replacen(from, to, 1);
		assert_ne!(changed, good, "{from}");
		assert_eq!(invalid(changed), reason, "{from} → {to}");
	}
}

#[test]
fn prices_are_not_load() {
	let points = flat(24, "100");
	let series = price_series(DE_LU, None, "A01", &[(MARCH.0, MARCH.1, "PT60M", &points)]);
	assert_eq!(
		invalid(price_document(&series)),
		DocumentError::WrongKind {
			found: "Publication_MarketDocument",
			expected: "GL_MarketDocument"
		}
	);
}
