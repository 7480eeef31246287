//! What the XML reader refuses before it reads any figure: size, depth, counts, declarations.

mod common;

use common::{DE_LU, FR, PeriodXml, load, load_document, load_series};
use gridproof_grid::{
	Document, DocumentError, MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, MAX_PERIODS, MAX_POINTS,
	MAX_REASONS, MAX_SERIES, MAX_TEXT, Reason, day_load, read,
};
use std::time::{Duration, Instant};

const MARCH: (&str, &str) = ("2025-03-23T23:00Z", "2025-03-24T23:00Z");

fn good() -> String {
	load(DE_LU, "A03", &[(MARCH.0, MARCH.1, "PT60M", &[(1, "100")])])
}

fn refused(text: &str) -> DocumentError {
	match read(text.as_bytes()) {
		Err(reason) => reason,
		Ok(document) => panic!("{document:?}"),
	}
}

fn too_many(what: &'static str, max: usize) -> DocumentError {
	DocumentError::TooMany { what, max }
}

/// `good` with `extra` put before its end.
fn with(extra: &str) -> String {
	good().replace("</GL_MarketDocument>", &format!("{extra}</GL_MarketDocument>"))
}

#[test]
fn a_document_may_be_as_large_as_the_bound_and_no_larger() {
	let filled = |size: usize| {
		let rest = size - with("<!---->").len();
		with(&format!("<!--{}-->", "x".repeat(rest)))
	};
	assert!(read(filled(MAX_BYTES).as_bytes()).is_ok());
	assert_eq!(refused(&filled(MAX_BYTES + 1)), too_many("bytes", MAX_BYTES));
}

#[test]
fn nesting_is_bounded_in_parts_that_are_passed_over_too() {
	let nested = |depth: usize| with(&format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth)));
	assert!(read(nested(MAX_DEPTH - 1).as_bytes()).is_ok());
	let expected = too_many("elements within each other", MAX_DEPTH);
	assert_eq!(refused(&nested(MAX_DEPTH)), expected);
	assert_eq!(refused(&nested(500_000)), expected);
}

#[test]
fn elements_series_periods_points_and_reasons_are_bounded() {
	let count = |text: &str| text.matches("</").count();
	let room = MAX_ELEMENTS - count(&good());
	assert!(read(with(&"<a/>".repeat(room)).as_bytes()).is_ok());
	assert_eq!(refused(&with(&"<a/>".repeat(room + 1))), too_many("elements", MAX_ELEMENTS));

	let series = "<TimeSeries><quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name>\
	              </TimeSeries>";
	assert!(read(with(&series.repeat(MAX_SERIES - 1)).as_bytes()).is_ok());
	assert_eq!(refused(&with(&series.repeat(MAX_SERIES))), too_many("time series", MAX_SERIES));

	let period: PeriodXml<'_> = (MARCH.0, MARCH.1, "PT60M", &[]);
	let periods = |number: usize| load(DE_LU, "A03", &vec![period; number]);
	assert!(read(periods(MAX_PERIODS).as_bytes()).is_ok());
	assert_eq!(refused(&periods(MAX_PERIODS + 1)), too_many("periods", MAX_PERIODS));

	let points = |number: usize| {
		let points = vec![(1, "7"); number];
		load(DE_LU, "A03", &[(MARCH.0, MARCH.1, "PT60M", &points)])
	};
	assert!(read(points(MAX_POINTS).as_bytes()).is_ok());
	assert_eq!(refused(&points(MAX_POINTS + 1)), too_many("points", MAX_POINTS));

	let reasons = |number: usize| {
		let root = "Acknowledgement_MarketDocument";
		format!("<{root}>{}</{root}>", "<Reason/>".repeat(number))
	};
	assert!(read(reasons(MAX_REASONS).as_bytes()).is_ok());
	assert_eq!(refused(&reasons(MAX_REASONS + 1)), too_many("reasons", MAX_REASONS));
}

#[test]
fn text_of_one_element_is_bounded_in_sum() {
	let id = |text: &str| good().replace("0d1f5b0c9e6f4c4e", text);
	assert!(read(id(&"x".repeat(MAX_TEXT)).as_bytes()).is_ok());
	let expected = too_many("bytes of text in one element", MAX_TEXT);
	assert_eq!(refused(&id(&"x".repeat(MAX_TEXT + 1))), expected);
	assert_eq!(refused(&id(&"xx<!-- -->&amp;".repeat(MAX_TEXT / 2))), expected);
}

#[test]
fn declarations_and_entities_of_ones_own_are_refused() {
	let declared = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]>";
	let document = good();
	let (declaration, rest) = document.split_once('\n').unwrap();
	assert_eq!(refused(&format!("{declaration}{declared}{rest}")), DocumentError::Doctype);
	assert_eq!(
		refused(&good().replace(">100<", ">&c;<")),
		DocumentError::UnknownEntity("c".into())
	);
	for number in ["&#0;", "&#xD800;", "&#x110000;", "&#99999999999;"] {
		let reason = refused(&good().replace(">100<", &format!(">{number}<")));
		assert!(matches!(reason, DocumentError::UnknownEntity(_)), "{reason:?}");
	}
}

#[test]
fn xmls_own_entities_cdata_comments_and_prefixes_do_not_matter() {
	let root = "Acknowledgement_MarketDocument";
	let document = format!(
		"\u{feff}<?xml version='1.0'?><!-- a --><?b c?>\r\n<x:{root} xmlns:x='urn:any'><x:Reason>\
		 <x:code> 99<!-- -->9 </x:code><x:text>&lt;a&gt; &#x26; <![CDATA[<b>&amp;]]></x:text>\
		 <other><deep/>text</other></x:Reason></x:{root}><!-- end -->\n"
	);
	let Ok(Document::Acknowledgement(answer)) = read(document.as_bytes()) else { panic!() };
	let expected = Reason { code: "999".into(), text: "<a> & <b>&amp;".into() };
	assert_eq!(answer.reasons, [expected]);
}

#[test]
fn what_is_not_one_whole_document_is_refused() {
	let good = good();
	assert_eq!(refused(""), DocumentError::Empty);
	assert_eq!(refused("\u{feff} \n"), DocumentError::Empty);
	for cut in ["</TimeSeries></GL_MarketDocument>", "</GL_MarketDocument>"] {
		assert_eq!(refused(good.strip_suffix(cut).unwrap()), DocumentError::Truncated);
	}
	let outside = DocumentError::UnexpectedContent("the document, outside its root element".into());
	for around in ["x".to_string() + &good, good.clone() + "x", good.clone() + "<a/>"] {
		assert_eq!(refused(&around), outside);
	}
	assert_eq!(refused(&good.replace("utf-8", "utf-16")), DocumentError::NotUtf8);
	assert_eq!(read(b"<GL_MarketDocument>\xff"), Err(DocumentError::NotUtf8));
	assert_eq!(refused("<html><body/></html>"), DocumentError::UnknownRoot("html".into()));
	let crossed = refused(&good.replace("</Period></TimeSeries>", "</TimeSeries></Period>"));
	assert!(matches!(crossed, DocumentError::Malformed { .. }), "{crossed:?}");
}

#[test]
fn text_among_elements_and_elements_within_text_are_refused() {
	let in_point = good().replace("<Point>", "<Point>12");
	assert_eq!(refused(&in_point), DocumentError::UnexpectedContent("Point".into()));
	let in_quantity = good().replace(">100<", ">1<b/>00<");
	assert_eq!(refused(&in_quantity), DocumentError::UnexpectedContent("quantity".into()));
}

#[test]
fn a_load_series_of_two_areas_cannot_be_used() {
	let area = "outBiddingZone_Domain.mRID";
	let series = load_series(DE_LU, "A03", &[]);
	let series = series.replace("<curveType>", &format!("<{area}>{FR}</{area}><curveType>"));
	let Ok(Document::Load(document)) = read(load_document(&series).as_bytes()) else { panic!() };
	assert_eq!(document.series[0].fault, Some(DocumentError::Repeated(area)));
}

#[test]
fn the_longest_documents_are_read_in_seconds() {
	// 5,000 periods over 400 days each, all of them over the day asked for.
	let period: PeriodXml<'_> =
		("2024-12-01T00:00Z", "2026-01-05T00:00Z", "PT15M", &[(1, "7"), (2, "8"), (3, "7")]);
	let file = load(DE_LU, "A03", &vec![period; MAX_PERIODS]);
	let start = Instant::now();
	let window = common::window("2025-03-24", "Europe/Berlin");
	let load = day_load(&[file], None, &window).unwrap();
	assert_eq!(load.wh, 24 * 7_000_000);
	assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}
