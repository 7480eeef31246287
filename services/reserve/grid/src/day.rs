//! A zone's energy and price of one local day, out of the platform's answers.

use crate::{
	curve::{ConflictError, DayCurve, Zero, newest_revisions},
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
	/// Minutes stated as 0 MW. No zone draws nothing: it is how hours are written of which nothing
	/// is known, so these minutes are not covered.
	pub minutes_of_zero: u32,
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
	/// The series that were passed over, each with the reason.
	pub passed_over: Vec<String>,
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
	/// A series that is needed cannot be read.
	#[error("a time series of {area}: {reason}")]
	Series {
		/// EIC of the area that the series names.
		area: String,
		/// Fault of the series.
		reason: DocumentError,
	},
	/// All prices of the day are exactly zero, which is how a day without prices is written.
	#[error("every price of the day is exactly 0")]
	AllZero,
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
	let all = documents.iter().flat_map(|document| &document.series);
	let series = of_area(all, asked)?;
	readable(&series)?;
	let curve = DayCurve::lay_out(series, window, Zero::NoFigure)?;
	let covered = curve.minutes_covered();
	if covered == 0 {
		let reason = match curve.minutes_of_zero() {
			0 => format!("the document has no point in {window}"),
			_ => format!("the document has nothing but 0 MW in {window}"),
		};
		return Err(FigureError::NoData(reason));
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
		minutes_of_zero: curve.minutes_of_zero(),
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
	let mut passed_over = Vec::new();
	let chosen: Vec<&Series> = documents
		.iter()
		.flat_map(|document| day_ahead(document, asked, &mut passed_over))
		.collect();
	let series = of_area(chosen, asked)?;
	// Several documents may have the same.
	passed_over.sort();
	passed_over.dedup();
	readable(&series)?;
	for series in &series {
		let currency = series.currency.as_deref().unwrap_or("no currency");
		let unit = series.unit.as_deref().unwrap_or("no unit");
		if (currency, unit) != ("EUR", "MWH") {
			return Err(FigureError::OtherUnit(format!("{currency}/{unit}")));
		}
	}
	let curve = DayCurve::lay_out(series, window, Zero::Figure)?;
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
	if curve.minutes_of_zero() == curve.minutes_expected() {
		return Err(FigureError::AllZero);
	}
	let minutes = u128::from(curve.minutes_expected());
	Ok(DayPrice {
		mean: signed_ratio(curve.minute_sum(), minutes * UNIT.unsigned_abs()),
		slots: curve.slots(),
		negative_slots: curve.negative_slots(),
		passed_over,
	})
}

/// The day-ahead series of sequence 1.
///
/// Where an area has one auction only, the platform leaves the sequence out: a document in which
/// no series states sequence 1 has its unnumbered series read as such. Series of another contract
/// than A01 (intraday, say) are no day-ahead prices.
///
/// Chosen before anything else of a series is looked at: what is passed over may be unreadable.
fn day_ahead<'d>(
	document: &'d MarketDocument,
	asked: Option<&Eic>,
	passed_over: &mut Vec<String>,
) -> Vec<&'d Series> {
	let in_area = |series: &Series| asked.is_none_or(|eic| is_of(series, eic.as_str()));
	let is_day_ahead = |series: &Series| matches!(series.contract.as_deref(), None | Some("A01"));
	let candidates = || document.series.iter().filter(|series| is_day_ahead(series));
	// A document without the area is told apart from one without the sequence further on.
	let is_there = candidates().any(in_area);
	let numbered = candidates()
		.filter(|series| in_area(series) || !is_there)
		.any(|series| series.sequence == Some(1));
	let wanted = numbered.then_some(1);
	for series in &document.series {
		let why = match (is_day_ahead(series), series.sequence == wanted, series.sequence) {
			(true, true, _) => continue,
			(false, ..) => format!("contract {}", series.contract.as_deref().unwrap_or("unknown")),
			(true, false, Some(number)) => format!("sequence {number}"),
			(true, false, None) => "no sequence, beside sequence 1".to_string(),
		};
		let fault = series.fault.as_ref().map_or(String::new(), |fault| format!(": {fault}"));
		passed_over.push(format!("a series of {why}{fault}"));
	}
	candidates().filter(|series| series.sequence == wanted).collect()
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

/// Whether a series is about an area and no other.
fn is_of(series: &Series, area: &str) -> bool {
	!series.domains.is_empty() && series.domains.iter().all(|domain| domain == area)
}

/// The series of the area asked for; without one, all of them, which must then be about one.
fn of_area<'d>(
	series: impl IntoIterator<Item = &'d Series>,
	asked: Option<&Eic>,
) -> Result<Vec<&'d Series>, FigureError> {
	let series: Vec<&Series> = series.into_iter().collect();
	let mut expected = asked.map(|eic| eic.as_str());
	let mut other = None;
	for series in &series {
		if series.domains.is_empty() {
			return Err(FigureError::NoArea);
		}
		for domain in &series.domains {
			let asked = *expected.get_or_insert(domain);
			if asked != domain {
				let found = domain.chars().take(32).collect();
				other.get_or_insert(FigureError::OtherArea { asked: asked.to_string(), found });
			}
		}
	}
	match (other, asked) {
		(None, _) => Ok(series),
		(Some(error), None) => Err(error),
		(Some(error), Some(eic)) => {
			let own: Vec<&Series> =
				series.into_iter().filter(|series| is_of(series, eic.as_str())).collect();
			if own.is_empty() { Err(error) } else { Ok(own) }
		},
	}
}

/// Refuses a day that needs a series which cannot be read.
fn readable(series: &[&Series]) -> Result<(), FigureError> {
	let faulty = series.iter().find_map(|series| Some((series, series.fault.clone()?)));
	match faulty {
		None => Ok(()),
		Some((series, reason)) => {
			let area = series.domains.first().cloned().unwrap_or_default();
			Err(FigureError::Series { area: area.chars().take(32).collect(), reason })
		},
	}
}
