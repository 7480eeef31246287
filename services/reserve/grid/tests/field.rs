//! What operators meet: hours of 0 MW, foreign series beside what is needed, zones that come late.

mod common;

use common::{
	DE_LU, FR, load, load_document, load_series, price_document, price_series, vector, window,
};
use gridproof_grid::{
	Commitment, DayLoad, Eic, FigureError, Source, Tz, Zone, ZoneStatus, day_load, load_missing,
	load_zones, parse_zones, price_from_files, summarise,
};
use gridproof_primitives::{num::decimal::Ratio, time::day::Day};
use std::{fs, path::Path};

const MONDAY: (&str, &str) = ("2025-03-23T23:00Z", "2025-03-24T23:00Z");

fn day(text: &str) -> Day {
	text.parse().unwrap()
}

fn zones_of(folder: &str) -> Vec<Zone> {
	parse_zones(&fs::read_to_string(vector(folder).join("zones.csv")).unwrap()).unwrap()
}

fn commitment() -> Commitment {
	Commitment { alpha: Ratio::percent(18), haircut: Ratio::ONE }
}

fn monday(files: &[String], eic: Option<&str>) -> Result<DayLoad, FigureError> {
	let eic = eic.map(|text| Eic::parse(text).unwrap());
	day_load(files, eic.as_ref(), &window("2025-03-24", "Europe/Berlin"))
}

#[tokio::test]
async fn hours_of_zero_megawatts_are_no_figure_and_raise_no_commitment() {
	let folder = vector("field/grid/zero");
	let (zones, day) = (zones_of("field/grid/zero"), day("2026-01-15"));
	let source = Source::Folder(folder);
	let reports = load_zones(&source, &zones, day, None, |_| ()).await.unwrap();
	let status: Vec<_> = reports.iter().map(|report| (&*report.name, report.status)).collect();
	let wanted =
		[("SI", ZoneStatus::Incomplete), ("IE-SEM", ZoneStatus::NoData), ("FR", ZoneStatus::Ok)];
	assert_eq!(status, wanted);
	assert!(reports[0].reason.contains("180 are stated as 0 MW"), "{}", reports[0].reason);
	let with = summarise(day, reports.clone(), &commitment(), 1).unwrap();
	assert_eq!((with.zones_ok, with.zones_total), (1, 3));
	let sound = summarise(day, reports[2..].to_vec(), &commitment(), 1).unwrap();
	assert!(with.wh_dc_commit <= sound.wh_dc_commit, "a zone without data raises nothing");
}

#[test]
fn a_zero_is_a_hole_in_every_curve_and_spelling() {
	for zero in ["0", "0.0", "-0", "0.000000000000"] {
		let points = [(1, "100"), (13, zero), (19, "100")];
		let file = load(DE_LU, "A03", &[(MONDAY.0, MONDAY.1, "PT60M", &points)]);
		let day = monday(&[file], None).unwrap();
		let found = (day.minutes_covered, day.minutes_of_zero, day.complete, day.wh);
		assert_eq!(found, (1_080, 360, false, 1_800_000_000), "{zero}");
	}
	// Another series that knows the hour fills it: nothing is stated twice.
	let zeros: Vec<_> = (1..=24).map(|p| (p, if p > 20 { "0" } else { "100" })).collect();
	let end: Vec<_> = (21..=24).map(|p| (p, "100")).collect();
	let first = load_series(DE_LU, "A01", &[(MONDAY.0, MONDAY.1, "PT60M", &zeros)]);
	let second = load_series(DE_LU, "A01", &[(MONDAY.0, MONDAY.1, "PT60M", &end)]);
	let day = monday(&[load_document(&format!("{first}{second}"))], None).unwrap();
	assert_eq!((day.complete, day.minutes_of_zero, day.wh), (true, 0, 2_400_000_000));
}

#[test]
fn a_day_whose_every_price_is_zero_has_no_price_and_an_hour_of_zero_counts() {
	let price = |points: &[(u32, &str)]| {
		let periods = [(MONDAY.0, MONDAY.1, "PT60M", points)];
		let file = price_document(&price_series(DE_LU, Some(1), "A03", &periods));
		price_from_files(&[file], None, day("2025-03-24"), Tz::Europe__Berlin, None)
	};
	let refused = price(&[(1, "0.00")]).unwrap_err().to_string();
	assert!(refused.contains("every price of the day is exactly 0"), "{refused}");
	let report = price(&[(1, "0"), (13, "48")]).unwrap();
	assert_eq!(report.mean_eur_per_mwh.to_string(), "24.0");
}

#[test]
fn a_foreign_series_beside_the_day_ahead_price_spoils_nothing() {
	let file = fs::read(vector("field/grid/odd/price_daily_extra.xml")).unwrap();
	let berlin = Tz::Europe__Berlin;
	let report = price_from_files(&[file], None, day("2026-07-01"), berlin, None).unwrap();
	// 9 h at 70, 10 h at 15, 5 h at 101: (630 + 150 + 505) / 24.
	assert_eq!(report.mean_eur_per_mwh.to_string(), "53.541666666666");
	assert_eq!(report.passed_over.len(), 1);
	assert!(report.passed_over[0].contains("sequence 3"), "{:?}", report.passed_over);
}

#[test]
fn what_is_wrong_with_a_series_that_is_not_needed_does_not_matter() {
	let good = price_series(DE_LU, Some(1), "A03", &[(MONDAY.0, MONDAY.1, "PT60M", &[(1, "80")])]);
	let points: &[(u32, &str)] = &[(1, "70")];
	let other =
		|sequence| price_series(DE_LU, sequence, "A03", &[(MONDAY.0, MONDAY.1, "PT60M", points)]);
	let read = |extra: String| {
		let file = price_document(&format!("{extra}{good}"));
		price_from_files(&[file], None, day("2025-03-24"), Tz::Europe__Berlin, None)
	};
	for (from, to) in [
		("<resolution>PT60M", "<resolution>P1Y"),
		("<price.amount>70", "<price.amount>n/a"),
		("<curveType>A03", "<curveType>A05"),
		("<position>1", "<position>0"),
		("T23:00Z</start>", "T23:00:00+01:00</start>"),
		("<currency_Unit.name>EUR", "<currency_Unit.name>GBP"),
		("<resolution>PT60M</resolution>", ""),
		("<position>1</position>", ""),
	] {
		for sequence in [Some(2), None] {
			let extra = other(sequence).replace(from, to);
			let report = read(extra).unwrap();
			assert_eq!(report.mean_eur_per_mwh.to_string(), "80.0", "{from} → {to}");
		}
		// In the series that is needed, it does.
		let file = price_document(&other(Some(1)).replace(from, to));
		price_from_files(&[file], None, day("2025-03-24"), Tz::Europe__Berlin, None).unwrap_err();
	}
	let numbered = other(Some(1)).replace(">1</class", ">first</class");
	assert_eq!(read(numbered).unwrap().mean_eur_per_mwh.to_string(), "80.0");
	let two = read(other(Some(1))).unwrap_err().to_string();
	assert!(two.contains("two figures"), "two chosen series that differ are a conflict: {two}");
}

#[test]
fn a_load_series_that_cannot_be_read_leaves_its_own_zone_out_and_no_other() {
	let file = fs::read(vector("field/grid/odd/load_curve_a05.xml")).unwrap();
	let window = window("2026-01-15", "Europe/Paris");
	let error = day_load(&[file], None, &window).unwrap_err();
	assert!(matches!(error, FigureError::Series { .. }), "{error}");
	assert!(error.to_string().contains("curveType"), "{error}");
	let good = load_series(DE_LU, "A03", &[(MONDAY.0, MONDAY.1, "PT60M", &[(1, "100")])]);
	let odd = load_series(FR, "A05", &[(MONDAY.0, MONDAY.1, "PT60M", &[(1, "100")])]);
	let both = load_document(&format!("{odd}{good}"));
	assert_eq!(monday(std::slice::from_ref(&both), Some(DE_LU)).unwrap().wh, 2_400_000_000);
	assert!(matches!(monday(&[both], Some(FR)), Err(FigureError::Series { .. })));
}

fn copy(from: &Path, to: &Path) {
	fs::create_dir_all(to).unwrap();
	for file in fs::read_dir(from).unwrap() {
		let path = file.unwrap().path();
		fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
	}
}

#[tokio::test]
async fn only_zones_that_are_missing_are_asked_for_again() {
	let (zones, day) = (zones_of("field/grid/late"), day("2026-01-15"));
	let late = vector("field/grid/late");
	let folder = tempfile::tempdir().unwrap();
	let of_day = folder.path().join("2026-01-15");
	copy(&late.join("0020/2026-01-15"), &of_day);
	let source = Source::Folder(folder.path().to_path_buf());
	let mut reports = load_zones(&source, &zones, day, None, |_| ()).await.unwrap();
	let ok = |reports: &[gridproof_grid::ZoneReport]| {
		reports.iter().filter(|report| report.status == ZoneStatus::Ok).count()
	};
	assert_eq!(ok(&reports), 1);
	copy(&late.join("0200/2026-01-15"), &of_day);
	// A zone that is known is not asked for again: its document is gone.
	fs::remove_file(of_day.join("load_10YFR-RTE------C.xml")).unwrap();
	load_missing(&source, &zones, day, &mut reports).await.unwrap();
	assert_eq!(ok(&reports), 2);
	let summary = summarise(day, reports, &commitment(), 2).unwrap();
	assert_eq!(summary.wh_dc_commit, 286_530_480_000);
}
