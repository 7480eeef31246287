//! Saved documents: by their agreed names, and by what they say.

mod common;

use common::{
	DE_LU, FR, load, load_revision, load_series, no_data, price_document, price_series, window,
};
use gridproof_grid::{DataItem, Eic, MAX_FILES, Source, SourceError, day_load};
use std::fs;
use tempfile::TempDir;

const MONDAY: (&str, &str) = ("2025-03-23T23:00Z", "2025-03-24T23:00Z");
const TUESDAY: (&str, &str) = ("2025-03-24T23:00Z", "2025-03-25T23:00Z");

fn of(eic: &str, day: (&str, &str), megawatts: &str) -> String {
	load(eic, "A03", &[(day.0, day.1, "PT60M", &[(1, megawatts)])])
}

fn folder(files: &[(&str, String)]) -> TempDir {
	let folder = tempfile::tempdir().unwrap();
	for (name, text) in files {
		let path = folder.path().join(name);
		fs::create_dir_all(path.parent().unwrap()).unwrap();
		fs::write(path, text).unwrap();
	}
	folder
}

async fn documents(folder: &TempDir, item: DataItem) -> Result<Vec<Vec<u8>>, SourceError> {
	let window = window("2025-03-24", "Europe/Berlin");
	let eic = Eic::parse(DE_LU).unwrap();
	Source::Folder(folder.path().into()).documents(item, &eic, &window).await
}

async fn wh(folder: &TempDir) -> Result<u128, String> {
	let window = window("2025-03-24", "Europe/Berlin");
	let eic = Eic::parse(DE_LU).unwrap();
	let files = documents(folder, DataItem::Load).await.map_err(|error| error.to_string())?;
	let load = day_load(&files, Some(&eic), &window).map_err(|error| error.to_string())?;
	assert!(load.complete);
	Ok(load.wh)
}

#[tokio::test]
async fn the_agreed_name_and_its_parts_come_first() {
	let half = |start, end| load_series(DE_LU, "A03", &[(start, end, "PT60M", &[(1, "10")])]);
	let first = load_revision("a", 1, &half(MONDAY.0, "2025-03-24T11:00Z"));
	let second = load_revision("b", 1, &half("2025-03-24T11:00Z", MONDAY.1));
	let folder = folder(&[
		("2025-03-24/load_10Y1001A1001A82H.xml", first),
		("2025-03-24/load_10Y1001A1001A82H.2.xml", second),
		("2025-03-24/other.xml", of(DE_LU, MONDAY, "99")),
	]);
	assert_eq!(wh(&folder).await, Ok(240_000_000));
}

#[tokio::test]
async fn a_file_of_the_agreed_name_about_another_area_is_an_error() {
	let folder = folder(&[("2025-03-24/load_10Y1001A1001A82H.xml", of(FR, MONDAY, "10"))]);
	let reason = format!("the document is about {FR}, not about {DE_LU}");
	assert_eq!(wh(&folder).await, Err(reason));
}

#[tokio::test]
async fn documents_under_any_name_are_known_by_what_they_say() {
	let price = [(MONDAY.0, MONDAY.1, "PT60M", &[(1, "80")][..])];
	let price = price_document(&price_series(DE_LU, Some(1), "A03", &price));
	for place in ["", "2025-03-24/"] {
		let at = |name: &str| format!("{place}{name}");
		let folder = folder(&[
			(&at("germany.xml"), of(DE_LU, MONDAY, "10")),
			(&at("germany-tuesday.xml"), of(DE_LU, TUESDAY, "20")),
			(&at("france.XML"), of(FR, MONDAY, "30")),
			(&at("price.xml"), price.clone()),
			(&at("notes.txt"), of(DE_LU, MONDAY, "40")),
			(&at("rubbish.xml"), "<html>".into()),
		]);
		assert_eq!(wh(&folder).await, Ok(240_000_000), "{place}");
		let prices = documents(&folder, DataItem::Price).await.unwrap();
		assert_eq!(prices, [price.as_bytes()], "{place}");
	}
}

#[tokio::test]
async fn a_damaged_document_that_names_the_area_is_reported() {
	let damaged = of(DE_LU, MONDAY, "10").replace("</GL_MarketDocument>", "");
	let folder = folder(&[("x.xml", damaged)]);
	assert_eq!(wh(&folder).await, Err("document 1: the document breaks off".into()));
	let prices = documents(&folder, DataItem::Price).await;
	assert!(matches!(prices, Err(SourceError::NoData(_))), "{prices:?}");
}

#[tokio::test]
async fn contradicting_documents_are_a_conflict_and_acknowledgements_are_no_data() {
	let two = folder(&[("a.xml", of(DE_LU, MONDAY, "10")), ("b.xml", of(DE_LU, MONDAY, "11"))]);
	assert_eq!(wh(&two).await, Err("two figures for 2025-03-23T23:00Z: 10 and 11".into()));
	let none = folder(&[("a.xml", no_data())]);
	assert!(wh(&none).await.unwrap_err().starts_with("no data: 999: No matching data"));
	let prices = documents(&none, DataItem::Price).await;
	assert!(matches!(prices, Err(SourceError::NoData(_))), "{prices:?}");
	let nothing = folder(&[("2025-03-24/fr.xml", of(FR, MONDAY, "10"))]);
	let reason = wh(&nothing).await.unwrap_err();
	assert!(reason.contains("load_10Y1001A1001A82H.xml does not exist"), "{reason}");
}

#[tokio::test]
async fn too_many_parts_are_refused() {
	let name = |part: usize| match part {
		1 => "2025-03-24/load_10Y1001A1001A82H.xml".to_string(),
		part => format!("2025-03-24/load_10Y1001A1001A82H.{part}.xml"),
	};
	let parts = |count: usize| {
		let files: Vec<(String, String)> =
			(1..=count).map(|part| (name(part), of(DE_LU, MONDAY, "10"))).collect();
		let files: Vec<(&str, String)> =
			files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
		folder(&files)
	};
	assert_eq!(wh(&parts(MAX_FILES)).await, Ok(240_000_000));
	let refused = documents(&parts(MAX_FILES + 1), DataItem::Load).await;
	assert!(matches!(refused, Err(SourceError::TooManyParts(_))), "{refused:?}");
}
