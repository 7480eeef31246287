//! Day-ahead prices: sequences, means, negative slots, averages.

mod common;

use common::{DE_LU, FR, no_data, price_document, price_series};
use gridproof_grid::{
	Average, Eic, FigureError, Price, PriceError, PriceReport, Source, Tz, price_from_files,
	price_from_source,
};
use gridproof_primitives::num::decimal::SignedRatio;

const DAY: (&str, &str) = ("2025-03-23T23:00Z", "2025-03-24T23:00Z");
const BERLIN: Tz = Tz::Europe__Berlin;

fn document(sequence: Option<u32>, resolution: &str, points: &[(u32, &str)]) -> String {
	let periods = [(DAY.0, DAY.1, resolution, points)];
	price_document(&price_series(DE_LU, sequence, "A03", &periods))
}

fn price(files: &[String]) -> Result<PriceReport, PriceError> {
	price_from_files(files, None, "2025-03-24".parse().unwrap(), BERLIN, None)
}

fn mean(files: &[String]) -> (String, u32, u32) {
	let report = price(files).unwrap();
	(report.mean_eur_per_mwh.to_string(), report.slots, report.negative_slots)
}

fn reason(files: &[String]) -> FigureError {
	match price(files) {
		Err(PriceError::NoPrice { reason, .. }) => reason,
		other => panic!("{other:?}"),
	}
}

#[test]
fn the_mean_counts_every_slot_and_is_exact_where_it_terminates() {
	// 12 h at 90, 6 h at −10.5, 6 h at 120: (1080 − 63 + 720) / 24 = 72.375.
	let hourly = document(Some(1), "PT60M", &[(1, "90"), (13, "-10.5"), (19, "120")]);
	assert_eq!(mean(&[hourly]), ("72.375".into(), 24, 6));
	let quarterly = document(Some(1), "PT15M", &[(1, "90"), (49, "-10.5"), (73, "120")]);
	assert_eq!(mean(&[quarterly]), ("72.375".into(), 96, 24));
	let half_hourly = document(Some(1), "PT30M", &[(1, "90"), (25, "-10.5"), (37, "120")]);
	assert_eq!(mean(&[half_hourly]), ("72.375".into(), 48, 12));
}

#[test]
fn a_mean_that_does_not_terminate_is_rounded_down_at_twelve_decimals() {
	let up = document(Some(1), "PT60M", &[(1, "0"), (24, "1")]);
	assert_eq!(mean(&[up]), ("0.041666666666".into(), 24, 0));
	let down = document(Some(1), "PT60M", &[(1, "0"), (24, "-1")]);
	assert_eq!(mean(&[down]), ("-0.041666666667".into(), 24, 1));
}

#[test]
fn only_sequence_one_counts_where_sequences_are_numbered() {
	let day = |sequence, value| {
		price_series(DE_LU, sequence, "A03", &[(DAY.0, DAY.1, "PT60M", &[(1, value)])])
	};
	let both = price_document(&format!("{}{}", day(Some(2), "50"), day(Some(1), "80")));
	assert_eq!(mean(&[both]), ("80.0".into(), 24, 0));
	let beside = price_document(&format!("{}{}", day(None, "50"), day(Some(1), "80")));
	assert_eq!(mean(&[beside]), ("80.0".into(), 24, 0));
	let unnumbered = price_document(&day(None, "50"));
	assert_eq!(mean(&[unnumbered]), ("50.0".into(), 24, 0));
	let other = price_document(&day(Some(2), "50"));
	assert!(matches!(reason(&[other]), FigureError::NoData(_)));
}

#[test]
fn intraday_prices_are_not_day_ahead_prices() {
	let file = document(Some(1), "PT60M", &[(1, "50")]);
	let name = "contract_MarketAgreement.type";
	let file = file.replace(&format!("<{name}>A01<"), &format!("<{name}>A07<"));
	assert!(matches!(reason(&[file]), FigureError::NoData(_)));
}

#[test]
fn two_unnumbered_auctions_with_different_prices_are_refused() {
	let hourly = price_series(DE_LU, None, "A03", &[(DAY.0, DAY.1, "PT60M", &[(1, "50")])]);
	let quarterly = price_series(DE_LU, None, "A03", &[(DAY.0, DAY.1, "PT15M", &[(1, "51")])]);
	let file = price_document(&format!("{hourly}{quarterly}"));
	assert!(matches!(reason(&[file]), FigureError::Conflict(_)));
}

#[test]
fn a_part_of_a_day_has_no_price() {
	let file = document(Some(1), "PT60M", &[(7, "50")]);
	assert_eq!(
		reason(&[file]),
		FigureError::IncompletePrice { covered: 1_080, expected: 1_440, completeness_ppm: 750_000 }
	);
	assert!(matches!(reason(&[no_data()]), FigureError::NoData(_)));
}

#[test]
fn other_currencies_units_and_areas_are_refused() {
	let file = document(Some(1), "PT60M", &[(1, "50")]);
	let other = |from: &str, to: &str| reason(&[file.replace(from, to)]);
	assert_eq!(other(">EUR<", ">GBP<"), FigureError::OtherUnit("GBP/MWH".into()));
	assert_eq!(other(">MWH<", ">KWH<"), FigureError::OtherUnit("EUR/KWH".into()));
	let in_other = format!("<in_Domain.mRID codingScheme=\"A01\">{FR}<");
	assert_eq!(
		other(&format!("<in_Domain.mRID codingScheme=\"A01\">{DE_LU}<"), &in_other),
		FigureError::OtherArea { asked: FR.into(), found: DE_LU.into() }
	);
	let asked = Eic::parse(FR).unwrap();
	let day = "2025-03-24".parse().unwrap();
	assert!(matches!(
		price_from_files(&[file], Some(&asked), day, BERLIN, None),
		Err(PriceError::NoPrice { reason: FigureError::OtherArea { .. }, .. })
	));
}

#[test]
fn days_of_23_and_25_hours_have_as_many_slots() {
	for (day, start, end, slots) in [
		("2025-03-30", "2025-03-29T23:00Z", "2025-03-30T22:00Z", 92u32),
		("2025-10-26", "2025-10-25T22:00Z", "2025-10-26T23:00Z", 100),
	] {
		let points: Vec<(u32, &str)> = (1..=slots).map(|position| (position, "33.3")).collect();
		let series = price_series(DE_LU, Some(1), "A01", &[(start, end, "PT15M", &points)]);
		let files = [price_document(&series)];
		let report = price_from_files(&files, None, day.parse().unwrap(), BERLIN, None).unwrap();
		assert_eq!(
			(report.mean_eur_per_mwh.to_string(), report.slots),
			("33.3".to_string(), slots)
		);
	}
}

/// Three days at 90, 100 and 80.
fn three_days() -> Vec<String> {
	[
		("2025-03-21T23:00Z", "2025-03-22T23:00Z", "90"),
		("2025-03-22T23:00Z", "2025-03-23T23:00Z", "100"),
		(DAY.0, DAY.1, "80"),
	]
	.map(|(start, end, value)| {
		let series = price_series(DE_LU, Some(1), "A03", &[(start, end, "PT60M", &[(1, value)])]);
		price_document(&series).replace("f865", &format!("f865{value}"))
	})
	.to_vec()
}

fn average(ema: &str, window: u32, days: u32) -> Option<Average> {
	let ema_eur_per_mwh = Price::of(&SignedRatio::parse(ema).unwrap());
	Some(Average { ema_eur_per_mwh, ema_window: window, ema_days: days })
}

#[test]
fn the_average_weighs_the_newest_day_with_two_over_window_plus_one() {
	let day = "2025-03-24".parse().unwrap();
	let of = |window| price_from_files(&three_days(), None, day, BERLIN, Some(window)).unwrap();
	assert_eq!(of(3).average, average("87.5", 3, 3));
	assert_eq!(of(2).average, average("86.666666666666", 2, 2));
	assert_eq!(of(1).average, average("80.0", 1, 1));
	// No more history than three days: the average says that it rests on them.
	assert_eq!(of(7).average, average("89.375", 7, 3));
	assert!(matches!(
		price_from_files(&three_days(), None, day, BERLIN, Some(0)),
		Err(PriceError::Window)
	));
}

#[test]
fn an_incomplete_day_in_the_middle_stops_the_average() {
	let mut files = three_days();
	files[1] = files[1].replace("<position>1<", "<position>2<");
	let day = "2025-03-24".parse().unwrap();
	let failure = price_from_files(&files, None, day, BERLIN, Some(3)).unwrap_err();
	assert_eq!(
		failure.to_string(),
		"2025-03-23: incomplete: 1380 of 1440 minutes have a price (958333 ppm)"
	);
}

#[tokio::test]
async fn a_folder_gives_the_same_prices_as_its_files() {
	let folder = tempfile::tempdir().unwrap();
	for (day, file) in ["2025-03-22", "2025-03-23", "2025-03-24"].iter().zip(three_days()) {
		std::fs::create_dir(folder.path().join(day)).unwrap();
		std::fs::write(folder.path().join(day).join(format!("price_{DE_LU}.xml")), file).unwrap();
	}
	let source = Source::Folder(folder.path().into());
	let eic = Eic::parse(DE_LU).unwrap();
	let day = "2025-03-24".parse().unwrap();
	let report = price_from_source(&source, &eic, day, BERLIN, Some(7)).await.unwrap();
	assert_eq!(report.average, average("89.375", 7, 3));
	assert_eq!(report, price_from_files(&three_days(), None, day, BERLIN, Some(7)).unwrap());
}
