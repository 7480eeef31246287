//! A zone's energy and price of one local day, out of the platform's answers.

use crate::{
	curve::{ConflictError, DayCurve, newest_revisions},
	decimal::{UNIT, signed_ratio},
	document::{Acknowledgement, Document, DocumentError, MarketDocument, Series},
	eic::Eic,
	reader::read,
	time::DayWindow,
};
use gridproof_primitives::num::decimal::SignedRatio;

/// What the platform publishes and Gridproof reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataItem {
	/// Actual total load (A65, realised A16), MW.
	Load,
	/// Day-ahead prices (A44), EUR/MWh.
	Price,
}

/// Energy that a zone drew in one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayLoad {
	/// Wh over the covered minutes: Σ MW · minutes / 60 · 10⁶, rounded down once, at the end.
	pub wh: u128,
	/// Whether every minute of the day is covered.
	pub complete: bool,
	/// Share of the day covered, in millionths, rounded down.
	pub completeness_ppm: u32,
	/// Minutes covered.
	pub minutes_covered: u32,
	/// Minutes of the day.
	pub minutes_expected: u32,
}

/// Day-ahead price of a zone over one complete day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayPrice {
	/// Time-weighted mean of all slots, EUR/MWh, as an exact fraction.
	pub mean: SignedRatio,
	/// Slots of the day.
	pub slots: u32,
	/// Slots with a price below zero.
	pub negative_slots: u32,
}

/// Why documents give no figure for a day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FigureError {
	/// The platform has no data, in its own words.
	#[error("no data: {0}")]
	NoData(String),
	/// The platform refused the question.
	#[error("the platform refused: {0}")]
	Refused(Acknowledgement),
	/// A document that cannot be read; counted from 1.
	#[error("document {index}: {reason}")]
	Invalid {
		/// Which one.
		index: usize,
		/// Why.
		reason: DocumentError,
	},
	/// A document of another area than the one asked for.
	#[error("the document is about {found}, not about {asked}")]
	OtherArea {
		/// The area asked for.
		asked: String,
		/// The area found.
		found: String,
	},
	/// A time series that names no area.
	#[error("a time series names no area")]
	NoArea,
	/// Series that contradict each other.
	#[error(transparent)]
	Conflict(#[from] ConflictError),
	/// Prices in something else than EUR/MWh.
	#[error("the price is in {0}, not in EUR/MWH")]
	OtherUnit(String),
	/// Prices that leave a part of the day out: their mean would not be the day's.
	#[error("incomplete: {covered} of {expected} minutes have a price ({completeness_ppm} ppm)")]
	IncompletePrice {
		/// Minutes covered.
		covered: u32,
		/// Minutes of the day.
		expected: u32,
		/// The covered share in millionths.
		completeness_ppm: u32,
	},
}

/// Energy of `window` from the load documents in `files` (A65/A16).
///
/// `asked` is the area that the documents must be about; without it they must agree on one.
pub fn day_load<B: AsRef<[u8]>>(
	files: &[B],
	asked: Option<&Eic>,
	window: &DayWindow,
) -> Result<DayLoad, FigureError> {
	let documents = market_documents(files, DataItem::Load)?;
	let series: Vec<&Series> = documents.iter().flat_map(|document| &document.series).collect();
	check_area(&series, asked)?;
	let curve = DayCurve::lay_out(series, window)?;
	let covered = curve.minutes_covered();
	if covered == 0 {
		return Err(FigureError::NoData(format!("the document has no point in {window}")));
	}
	// The reader refuses negative load, so the sum has no sign. 1 MW for a minute is
	// 10⁶ / 60 Wh, and the sum counts 10⁻¹² MW.
	let wh = curve.minute_sum().unsigned_abs() / (60 * UNIT.unsigned_abs() / 1_000_000);
	Ok(DayLoad {
		wh,
		complete: curve.is_complete(),
		completeness_ppm: curve.completeness_ppm(),
		minutes_covered: covered,
		minutes_expected: curve.minutes_expected(),
	})
}

/// Day-ahead price of `window` from the price documents in `files` (A44, sequence 1).
///
/// `asked` is the area that the documents must be about; without it they must agree on one.
pub fn day_price<B: AsRef<[u8]>>(
	files: &[B],
	asked: Option<&Eic>,
	window: &DayWindow,
) -> Result<DayPrice, FigureError> {
	let documents = market_documents(files, DataItem::Price)?;
	let series: Vec<&Series> = documents.iter().flat_map(day_ahead).collect();
	check_area(&series, asked)?;
	for series in &series {
		let currency = series.currency.as_deref().unwrap_or("no currency");
		let unit = series.unit.as_deref().unwrap_or("no unit");
		if (currency, unit) != ("EUR", "MWH") {
			return Err(FigureError::OtherUnit(format!("{currency}/{unit}")));
		}
	}
	let curve = DayCurve::lay_out(series, window)?;
	if curve.minutes_covered() == 0 {
		return Err(FigureError::NoData(format!(
			"the document has no day-ahead price of sequence 1 in {window}"
		)));
	}
	if !curve.is_complete() {
		return Err(FigureError::IncompletePrice {
			covered: curve.minutes_covered(),
			expected: curve.minutes_expected(),
			completeness_ppm: curve.completeness_ppm(),
		});
	}
	let minutes = u128::from(curve.minutes_expected());
	Ok(DayPrice {
		mean: signed_ratio(curve.minute_sum(), minutes * UNIT.unsigned_abs()),
		slots: curve.slots(),
		negative_slots: curve.negative_slots(),
	})
}

/// The day-ahead series of sequence 1.
///
/// Where an area has one auction only, the platform leaves the sequence out: a document in which
/// no series states sequence 1 has its unnumbered series read as such. Series of another contract
/// than A01 (intraday, say) are no day-ahead prices.
fn day_ahead(document: &MarketDocument) -> impl Iterator<Item = &Series> {
	let is_day_ahead = |series: &&Series| matches!(series.contract.as_deref(), None | Some("A01"));
	let numbered =
		document.series.iter().filter(is_day_ahead).any(|series| series.sequence == Some(1));
	let wanted = numbered.then_some(1);
	document.series.iter().filter(is_day_ahead).filter(move |series| series.sequence == wanted)
}

/// Reads all files; keeps the market documents of the wanted kind, newest revisions only.
fn market_documents<B: AsRef<[u8]>>(
	files: &[B],
	item: DataItem,
) -> Result<Vec<MarketDocument>, FigureError> {
	let mut documents = Vec::new();
	let mut no_data = None;
	for (index, file) in files.iter().enumerate() {
		let invalid = |reason| FigureError::Invalid { index: index + 1, reason };
		match (read(file.as_ref()).map_err(invalid)?, item) {
			(Document::Load(document), DataItem::Load)
			| (Document::Price(document), DataItem::Price) => documents.push(document),
			(Document::Acknowledgement(answer), _) if answer.is_no_data() => {
				no_data.get_or_insert(answer);
			},
			(Document::Acknowledgement(answer), _) => return Err(FigureError::Refused(answer)),
			(Document::Price(_), DataItem::Load) => {
				return Err(invalid(DocumentError::WrongKind {
					found: "Publication_MarketDocument",
					expected: "GL_MarketDocument",
				}));
			},
			(Document::Load(_), DataItem::Price) => {
				return Err(invalid(DocumentError::WrongKind {
					found: "GL_MarketDocument",
					expected: "Publication_MarketDocument",
				}));
			},
		}
	}
	match (documents.is_empty(), no_data) {
		(true, Some(answer)) => Err(FigureError::NoData(answer.to_string())),
		(true, None) => Err(FigureError::NoData("no document".into())),
		(false, _) => Ok(newest_revisions(documents)),
	}
}

/// All series must be about one area: the one asked for, if any.
fn check_area(series: &[&Series], asked: Option<&Eic>) -> Result<(), FigureError> {
	let mut expected = asked.map(|eic| eic.as_str());
	for series in series {
		if series.domains.is_empty() {
			return Err(FigureError::NoArea);
		}
		for domain in &series.domains {
			let asked = *expected.get_or_insert(domain);
			if asked != domain {
				return Err(FigureError::OtherArea {
					asked: asked.to_string(),
					found: domain.chars().take(32).collect(),
				});
			}
		}
	}
	Ok(())
}
