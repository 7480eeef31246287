//! Documents as the platform writes them, for tests.

#![allow(dead_code)] // every test file uses its own part

use gridproof_grid::{DayWindow, Tz};
use std::{fmt::Write as _, path::PathBuf};

/// Germany and Luxembourg.
pub(crate) const DE_LU: &str = "10Y1001A1001A82H";
/// France.
pub(crate) const FR: &str = "10YFR-RTE------C";

/// A period: start, end, resolution, points.
pub(crate) type PeriodXml<'a> = (&'a str, &'a str, &'a str, &'a [(u32, &'a str)]);

/// The shared test vectors.
pub(crate) fn vector(name: &str) -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../vectors").join(name)
}

pub(crate) fn window(day: &str, zone: &str) -> DayWindow {
	let zone: Tz = zone.parse().unwrap();
	DayWindow::local(day.parse().unwrap(), zone).unwrap()
}

fn periods_xml(periods: &[PeriodXml<'_>], figure: &str) -> String {
	let mut xml = String::new();
	for (start, end, resolution, points) in periods {
		write!(
			xml,
			"<Period><timeInterval><start>{start}</start><end>{end}</end></timeInterval>\
			 <resolution>{resolution}</resolution>"
		)
		.unwrap();
		for (position, value) in *points {
			write!(
				xml,
				"<Point><position>{position}</position><{figure}>{value}</{figure}></Point>"
			)
			.unwrap();
		}
		xml.push_str("</Period>");
	}
	xml
}

/// One load series.
pub(crate) fn load_series(eic: &str, curve: &str, periods: &[PeriodXml<'_>]) -> String {
	format!(
		"<TimeSeries><mRID>1</mRID><businessType>A04</businessType>\
		 <objectAggregation>A01</objectAggregation>\
		 <outBiddingZone_Domain.mRID codingScheme=\"A01\">{eic}</outBiddingZone_Domain.mRID>\
		 <quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name>\
		 <curveType>{curve}</curveType>{}</TimeSeries>",
		periods_xml(periods, "quantity")
	)
}

/// A load document around `series`.
pub(crate) fn load_document(series: &str) -> String {
	load_revision("0d1f5b0c9e6f4c4e", 1, series)
}

/// A load document with its id and revision.
pub(crate) fn load_revision(mrid: &str, revision: u32, series: &str) -> String {
	format!(
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<GL_MarketDocument \
		 xmlns=\"urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0\">\
		 <mRID>{mrid}</mRID><revisionNumber>{revision}</revisionNumber><type>A65</type>\
		 <process.processType>A16</process.processType>{series}</GL_MarketDocument>"
	)
}

/// One load document of one series.
pub(crate) fn load(eic: &str, curve: &str, periods: &[PeriodXml<'_>]) -> String {
	load_document(&load_series(eic, curve, periods))
}

/// One price series; `sequence` as text between the other elements.
pub(crate) fn price_series(
	eic: &str,
	sequence: Option<u32>,
	curve: &str,
	periods: &[PeriodXml<'_>],
) -> String {
	let sequence = sequence.map_or(String::new(), |number| {
		let name = "classificationSequence_AttributeInstanceComponent.position";
		format!("<{name}>{number}</{name}>")
	});
	format!(
		"<TimeSeries><mRID>1</mRID><auction.type>A01</auction.type>\
		 <businessType>A62</businessType>\
		 <in_Domain.mRID codingScheme=\"A01\">{eic}</in_Domain.mRID>\
		 <out_Domain.mRID codingScheme=\"A01\">{eic}</out_Domain.mRID>\
		 <contract_MarketAgreement.type>A01</contract_MarketAgreement.type>\
		 <currency_Unit.name>EUR</currency_Unit.name>\
		 <price_Measure_Unit.name>MWH</price_Measure_Unit.name>{sequence}\
		 <curveType>{curve}</curveType>{}</TimeSeries>",
		periods_xml(periods, "price.amount")
	)
}

/// A price document around `series`.
pub(crate) fn price_document(series: &str) -> String {
	format!(
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Publication_MarketDocument \
		 xmlns=\"urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3\">\
		 <mRID>f86583463b2b4fa6</mRID><revisionNumber>1</revisionNumber><type>A44</type>\
		 {series}</Publication_MarketDocument>"
	)
}

/// An acknowledgement with one reason.
pub(crate) fn acknowledgement(code: &str, text: &str) -> String {
	format!(
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Acknowledgement_MarketDocument \
		 xmlns=\"urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:8:0\">\
		 <mRID>be3917c7-0704-4</mRID><Reason><code>{code}</code><text>{text}</text></Reason>\
		 </Acknowledgement_MarketDocument>"
	)
}

/// "No matching data", as the platform words it.
pub(crate) fn no_data() -> String {
	acknowledgement(
		"999",
		"No matching data found for Data item Actual Total Load [6.1.A] (10Y1001A1001A82H) and \
		 interval 2025-09-02T22:00:00.000Z/2025-09-03T22:00:00.000Z.",
	)
}
