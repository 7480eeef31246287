//! The four files of a day: contents, replacement, order, refusals.

use gridproof_grid::{
	Commitment, Summary, SummaryRefusal, WriteError, ZoneReport, ZoneStatus, summarise, write_day,
};
use gridproof_primitives::num::decimal::Ratio;
use std::{fs, path::Path};

fn zone(name: &str, status: ZoneStatus, wh: u128) -> ZoneReport {
	ZoneReport {
		name: name.into(),
		eic: format!("EIC-OF-{name}"),
		status,
		wh: Some(wh),
		completeness_ppm: if status == ZoneStatus::Ok { 1_000_000 } else { 500_000 },
		reason: "as tested".into(),
	}
}

fn zones() -> Vec<ZoneReport> {
	vec![
		zone("A", ZoneStatus::Ok, 1_000_000_000_007),
		zone("B", ZoneStatus::Incomplete, 999),
		zone("C", ZoneStatus::Ok, 5),
	]
}

fn commitment(alpha: &str, haircut: &str) -> Commitment {
	let ratio = |text| Ratio::parse(text).unwrap();
	Commitment { alpha: ratio(alpha), haircut: ratio(haircut) }
}

fn summary(day: &str) -> Summary {
	summarise(day.parse().unwrap(), zones(), &commitment("0.18", "0.9"), 2).unwrap()
}

fn read(folder: &Path, name: &str) -> String {
	fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn only_complete_zones_count_and_alpha_shrinks_with_them() {
	let summary = summary("2025-03-24");
	assert_eq!((summary.zones_ok, summary.zones_total), (2, 3));
	assert_eq!(summary.wh_dc_raw, 1_000_000_000_012);
	// 0.18 · 2/3 · 0.9 = 0.108, and 0.108 · 1,000,000,000,012 = 108,000,000,001.296.
	assert_eq!(summary.alpha_effective, "0.108");
	assert_eq!(summary.wh_dc_commit, 108_000_000_001);
	let summary =
		summarise("2025-03-24".parse().unwrap(), zones(), &commitment("0.1", "1"), 0).unwrap();
	assert_eq!(summary.alpha_effective, "1/15");
	assert_eq!(summary.wh_dc_commit, 66_666_666_667);
}

#[test]
fn too_few_zones_or_a_share_above_one_give_no_summary() {
	let day = "2025-03-24".parse().unwrap();
	let refused = summarise(day, zones(), &commitment("0.18", "1"), 3).unwrap_err();
	assert_eq!(
		refused.to_string(),
		"only 2 of 3 zones have a complete day, 3 are needed; nothing was written"
	);
	let none = vec![zone("B", ZoneStatus::NoData, 0)];
	assert!(matches!(
		summarise(day, none, &commitment("0.18", "1"), 0),
		Err(SummaryRefusal::TooFewZones { ok: 0, total: 1, wanted: 1 })
	));
	for (alpha, haircut, name) in [("1.01", "1", "alpha"), ("1", "3/2", "haircut")] {
		assert!(matches!(
			summarise(day, zones(), &commitment(alpha, haircut), 1),
			Err(SummaryRefusal::Share(share)) if share == name
		));
	}
}

#[test]
fn the_four_files_have_the_agreed_columns_and_fields() {
	let folder = tempfile::tempdir().unwrap();
	let out = folder.path().join("new/folder");
	let written =
		write_day(&out, &summary("2025-03-24"), b"name,eic,timezone\r\nas given").unwrap();
	assert_eq!(written.summary, out.join("grid_summary_2025-03-24.json"));
	assert_eq!(
		read(&out, "grid_load.csv"),
		"date,grid_wh_dc,grid_wh_dc_commit\n2025-03-24,1000000000012,108000000001\n"
	);
	assert_eq!(
		read(&out, "grid_by_zone_2025-03-24.csv"),
		"name,eic,wh\nA,EIC-OF-A,1000000000007\nC,EIC-OF-C,5\n"
	);
	assert_eq!(read(&out, "zones.csv"), "name,eic,timezone\r\nas given");
	let json: serde_json::Value =
		serde_json::from_str(&read(&out, "grid_summary_2025-03-24.json")).unwrap();
	assert_eq!(
		json,
		serde_json::json!({
			"day": "2025-03-24",
			"zones_ok": 2,
			"zones_total": 3,
			"wh_dc_raw": 1_000_000_000_012u64,
			"wh_dc_commit": 108_000_000_001u64,
			"alpha_base": "0.18",
			"alpha_effective": "0.108",
			"haircut": "0.9",
			"zones": [
				{"name": "A", "eic": "EIC-OF-A", "status": "ok", "wh": 1_000_000_000_007u64,
				 "completeness_ppm": 1_000_000, "reason": "as tested"},
				{"name": "B", "eic": "EIC-OF-B", "status": "incomplete", "wh": 999,
				 "completeness_ppm": 500_000, "reason": "as tested"},
				{"name": "C", "eic": "EIC-OF-C", "status": "ok", "wh": 5,
				 "completeness_ppm": 1_000_000, "reason": "as tested"},
			],
		})
	);
	let mut names: Vec<String> = fs::read_dir(&out)
		.unwrap()
		.map(|entry| entry.unwrap().file_name().into_string().unwrap())
		.collect();
	names.sort();
	assert_eq!(
		names,
		[
			"grid_by_zone_2025-03-24.csv",
			"grid_load.csv",
			"grid_summary_2025-03-24.json",
			"zones.csv"
		]
	);
}

#[test]
fn days_are_sorted_and_a_second_run_of_a_day_replaces_its_row() {
	let folder = tempfile::tempdir().unwrap();
	for day in ["2025-03-25", "2025-03-23", "2025-03-24"] {
		write_day(folder.path(), &summary(day), b"").unwrap();
	}
	let mut second = summary("2025-03-23");
	second.wh_dc_commit = 7;
	write_day(folder.path(), &second, b"").unwrap();
	assert_eq!(
		read(folder.path(), "grid_load.csv"),
		"date,grid_wh_dc,grid_wh_dc_commit\n2025-03-23,1000000000012,7\n\
		 2025-03-24,1000000000012,108000000001\n2025-03-25,1000000000012,108000000001\n"
	);
	let bytes = read(folder.path(), "grid_summary_2025-03-24.json");
	write_day(folder.path(), &summary("2025-03-24"), b"").unwrap();
	assert_eq!(read(folder.path(), "grid_summary_2025-03-24.json"), bytes);
}

#[test]
fn a_foreign_grid_load_file_is_left_alone() {
	for (content, line) in [
		("day,wh\n", 1),
		("date,grid_wh_dc,grid_wh_dc_commit\n2025-03-24,1\n", 2),
		("date,grid_wh_dc,grid_wh_dc_commit\n2025-03-23,1,1\n2025-03-23,2,2\n", 3),
		("date,grid_wh_dc,grid_wh_dc_commit\n2025-3-24,1,1\n", 2),
		("date,grid_wh_dc,grid_wh_dc_commit\n2025-03-24,1,-1\n", 2),
	] {
		let folder = tempfile::tempdir().unwrap();
		fs::write(folder.path().join("grid_load.csv"), content).unwrap();
		let refused = write_day(folder.path(), &summary("2025-03-24"), b"").unwrap_err();
		assert!(
			matches!(&refused, WriteError::Foreign { line: at, .. } if *at == line),
			"{refused}"
		);
		assert_eq!(read(folder.path(), "grid_load.csv"), content);
		assert!(!folder.path().join("grid_summary_2025-03-24.json").exists());
	}
}

#[test]
fn a_second_run_at_the_same_time_is_turned_away() {
	let folder = tempfile::tempdir().unwrap();
	let lock = fs::File::open(folder.path()).unwrap();
	lock.lock().unwrap();
	assert!(matches!(
		write_day(folder.path(), &summary("2025-03-24"), b""),
		Err(WriteError::Busy(_))
	));
	drop(lock);
	write_day(folder.path(), &summary("2025-03-24"), b"").unwrap();
}
