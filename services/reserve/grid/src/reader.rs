//! Reads the platform's XML: load, prices, acknowledgements.
//!
//! Element names and code lists: ENTSO-E, *Manual of Procedures for the Transparency Platform*
//! and the IEC 62325-451-3 and -451-6 schemas. Everything that changes the meaning of a figure
//! (type, process, unit, curve, resolution, sequence) is checked; the rest is passed over. A series
//! whose content cannot be read carries its fault ([`Series::fault`]): who needs that series
//! meets it, and nobody else.

use crate::{
	cursor::Cursor,
	decimal::Decimal,
	document::{
		Acknowledgement, Curve, Document, DocumentError, MarketDocument, Period, Point, Reason,
		Series,
	},
	time::{Minute, format_minute, parse_minute},
};

/// Time series of one document.
pub const MAX_SERIES: usize = 5_000;
/// Periods of one document, over all its series.
pub const MAX_PERIODS: usize = 5_000;
/// Points of one document, over all its series.
pub const MAX_POINTS: usize = 200_000;
/// Reasons of one acknowledgement.
pub const MAX_REASONS: usize = 100;
/// Length of one period: 400 days.
pub(crate) const MAX_PERIOD_MINUTES: Minute = 400 * 1_440;

type Result<T> = core::result::Result<T, DocumentError>;

/// Which of the two market documents is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
	Load,
	Price,
}

impl Kind {
	const fn root(self) -> &'static str {
		match self {
			Self::Load => "GL_MarketDocument",
			Self::Price => "Publication_MarketDocument",
		}
	}

	const fn figure(self) -> &'static str {
		match self {
			Self::Load => "quantity",
			Self::Price => "price.amount",
		}
	}

	const fn unit(self) -> &'static str {
		match self {
			Self::Load => "quantity_Measure_Unit.name",
			Self::Price => "price_Measure_Unit.name",
		}
	}

	const fn document_type(self) -> &'static str {
		match self {
			Self::Load => "A65",
			Self::Price => "A44",
		}
	}
}

/// What has been counted so far, over the whole document.
#[derive(Default)]
struct Counts {
	periods: usize,
	points: usize,
}

/// Reads one document, whatever the status of the response that carried it.
pub fn read(bytes: &[u8]) -> Result<Document> {
	let mut cursor = Cursor::new(bytes)?;
	let root = cursor.root()?;
	let document = match root.as_str() {
		"GL_MarketDocument" => Document::Load(market_document(&mut cursor, Kind::Load)?),
		"Publication_MarketDocument" => Document::Price(market_document(&mut cursor, Kind::Price)?),
		"Acknowledgement_MarketDocument" => {
			Document::Acknowledgement(acknowledgement(&mut cursor)?)
		},
		_ => return Err(DocumentError::UnknownRoot(root.chars().take(64).collect())),
	};
	cursor.finish()?;
	Ok(document)
}

fn acknowledgement(cursor: &mut Cursor<'_>) -> Result<Acknowledgement> {
	let mut reasons = Vec::new();
	cursor.children("Acknowledgement_MarketDocument", |cursor, name| {
		if name != "Reason" {
			return cursor.skip();
		}
		let (mut code, mut text) = (None, None);
		cursor.children("Reason", |cursor, name| match name {
			"code" => once(&mut code, "code", cursor.leaf("code")?),
			"text" => once(&mut text, "text", cursor.leaf("text")?),
			_ => cursor.skip(),
		})?;
		reasons.push(Reason { code: code.unwrap_or_default(), text: text.unwrap_or_default() });
		at_most(reasons.len(), MAX_REASONS, "reasons")
	})?;
	Ok(Acknowledgement { reasons })
}

fn market_document(cursor: &mut Cursor<'_>, kind: Kind) -> Result<MarketDocument> {
	let (mut mrid, mut revision, mut document_type, mut process) = (None, None, None, None);
	let mut series = Vec::new();
	let mut counts = Counts::default();
	cursor.children(kind.root(), |cursor, name| match name {
		"mRID" => once(&mut mrid, "mRID", cursor.leaf(name)?),
		"revisionNumber" => {
			let text = cursor.leaf(name)?;
			once(&mut revision, "revisionNumber", whole("revisionNumber", &text)?)
		},
		"type" => once(&mut document_type, "type", cursor.leaf(name)?),
		"docStatus" => standing(cursor),
		"process.processType" => once(&mut process, "process.processType", cursor.leaf(name)?),
		"TimeSeries" => {
			series.push(time_series(cursor, kind, &mut counts)?);
			at_most(series.len(), MAX_SERIES, "time series")
		},
		_ => cursor.skip(),
	})?;
	let stated = document_type.ok_or(DocumentError::Missing("type"))?;
	if stated != kind.document_type() {
		return Err(unsupported("type", stated, kind.document_type()));
	}
	if kind == Kind::Load {
		let stated = process.ok_or(DocumentError::Missing("process.processType"))?;
		if stated != "A16" {
			return Err(unsupported("process.processType", stated, "A16 (realised)"));
		}
	}
	let mrid = mrid.filter(|id: &String| !id.is_empty());
	Ok(MarketDocument { mrid, revision: revision.unwrap_or(1), series })
}

/// Refuses a document that has been taken back.
fn standing(cursor: &mut Cursor<'_>) -> Result<()> {
	cursor.children("docStatus", |cursor, name| {
		if name != "value" {
			return cursor.skip();
		}
		match cursor.leaf(name)?.as_str() {
			"A09" | "A13" => Err(DocumentError::Withdrawn),
			_ => Ok(()),
		}
	})
}

fn time_series(cursor: &mut Cursor<'_>, kind: Kind, counts: &mut Counts) -> Result<Series> {
	let mut series = Series::default();
	let (mut curve, mut business, mut fault) = (None, None, None);
	cursor.children("TimeSeries", |cursor, name| match (kind, name) {
		(Kind::Load, "outBiddingZone_Domain.mRID")
		| (Kind::Price, "in_Domain.mRID" | "out_Domain.mRID") => {
			let domain = cursor.leaf(name)?;
			let fits = at_most(series.domains.len() + 1, 2, "areas in one time series");
			if fits.is_ok() {
				series.domains.push(domain);
			}
			noted(&mut fault, fits)
		},
		(_, "businessType") => {
			let text = cursor.leaf(name)?;
			noted(&mut fault, once(&mut business, "businessType", text))
		},
		(_, "curveType") => {
			let text = cursor.leaf(name)?;
			noted(&mut fault, once(&mut curve, "curveType", text))
		},
		(Kind::Price, "currency_Unit.name") => {
			let text = cursor.leaf(name)?;
			noted(&mut fault, once(&mut series.currency, "currency_Unit.name", text))
		},
		(Kind::Price, "contract_MarketAgreement.type") => {
			let text = cursor.leaf(name)?;
			let element = "contract_MarketAgreement.type";
			noted(&mut fault, once(&mut series.contract, element, text))
		},
		(Kind::Price, "classificationSequence_AttributeInstanceComponent.position") => {
			let element = "classificationSequence_AttributeInstanceComponent.position";
			let text = cursor.leaf(name)?;
			let number = whole(element, &text);
			noted(&mut fault, number.and_then(|n| once(&mut series.sequence, element, n)))
		},
		(_, "Period") => {
			counts.periods += 1;
			at_most(counts.periods, MAX_PERIODS, "periods")?;
			match period(cursor, kind, counts)? {
				Ok(period) => series.periods.push(period),
				Err(reason) => drop(fault.get_or_insert(reason)),
			}
			Ok(())
		},
		(_, name) if name == kind.unit() => {
			let text = cursor.leaf(name)?;
			noted(&mut fault, once(&mut series.unit, kind.unit(), text))
		},
		_ => cursor.skip(),
	})?;
	match curve.as_deref() {
		// IEC 62325 reads a series without a curve type as A01.
		None | Some("A01") => series.curve = Curve::FixedBlocks,
		Some("A03") => series.curve = Curve::VariableBlocks,
		Some(other) => {
			let reason = unsupported("curveType", other.into(), "A01 or A03");
			fault.get_or_insert(reason);
		},
	}
	if kind == Kind::Load {
		noted(&mut fault, check_load(&series, business))?;
	}
	series.fault = fault;
	Ok(series)
}

/// Keeps the first fault of what has been read to its end, so that reading continues after it.
fn noted(fault: &mut Option<DocumentError>, outcome: Result<()>) -> Result<()> {
	if let Err(reason) = outcome {
		fault.get_or_insert(reason);
	}
	Ok(())
}

/// A load series must be consumption in MW of one area.
fn check_load(series: &Series, business: Option<String>) -> Result<()> {
	match business.as_deref() {
		None | Some("A04") => {},
		Some(other) => {
			return Err(unsupported("businessType", other.into(), "A04 (consumption)"));
		},
	}
	match series.unit.as_deref() {
		Some("MAW") => {},
		None => return Err(DocumentError::Missing("quantity_Measure_Unit.name")),
		Some(other) => {
			return Err(unsupported("quantity_Measure_Unit.name", other.into(), "MAW"));
		},
	}
	if series.domains.len() > 1 {
		return Err(DocumentError::Repeated("outBiddingZone_Domain.mRID"));
	}
	Ok(())
}

/// A period; or what is wrong with its content, read to its end all the same.
fn period(cursor: &mut Cursor<'_>, kind: Kind, counts: &mut Counts) -> Result<Result<Period>> {
	let (mut interval, mut resolution, mut fault) = (None, None, None);
	let mut points = Vec::new();
	cursor.children("Period", |cursor, name| match name {
		"timeInterval" => {
			let outcome =
				time_interval(cursor)?.and_then(|times| once(&mut interval, "timeInterval", times));
			noted(&mut fault, outcome)
		},
		"resolution" => {
			let text = cursor.leaf(name)?;
			let outcome = resolution_minutes(&text)
				.and_then(|minutes| once(&mut resolution, "resolution", minutes));
			noted(&mut fault, outcome)
		},
		"Point" => {
			counts.points += 1;
			at_most(counts.points, MAX_POINTS, "points")?;
			match point(cursor, kind)? {
				Ok(point) => points.push(point),
				Err(reason) => drop(fault.get_or_insert(reason)),
			}
			Ok(())
		},
		_ => cursor.skip(),
	})?;
	Ok(match fault {
		Some(reason) => Err(reason),
		None => period_of(interval, resolution, points, kind),
	})
}

fn period_of(
	interval: Option<(Minute, Minute)>,
	resolution: Option<u32>,
	points: Vec<Point>,
	kind: Kind,
) -> Result<Period> {
	let (start, end) = interval.ok_or(DocumentError::Missing("timeInterval"))?;
	let resolution = resolution.ok_or(DocumentError::Missing("resolution"))?;
	let length = end - start;
	if !(1..=MAX_PERIOD_MINUTES).contains(&length) || length % Minute::from(resolution) != 0 {
		return Err(DocumentError::InvalidPeriod {
			start: format_minute(start),
			end: format_minute(end),
			resolution,
		});
	}
	let mut period = Period { start, end, resolution, points };
	settle_points(&mut period, kind)?;
	Ok(period)
}

/// Sorts the points by position, drops identical repetitions, refuses what cannot be true.
fn settle_points(period: &mut Period, kind: Kind) -> Result<()> {
	let slots = period.slots();
	let from = period.start;
	period.points.sort_by_key(|point| point.position);
	for point in &period.points {
		if !(1..=slots).contains(&point.position) {
			return Err(DocumentError::PositionOutside {
				position: point.position,
				slots,
				period: format_minute(from),
			});
		}
		if kind == Kind::Load && point.value.is_negative() {
			return Err(DocumentError::NegativeLoad {
				position: point.position,
				period: format_minute(from),
				value: point.value,
			});
		}
	}
	period.points.dedup();
	for pair in period.points.windows(2) {
		if let [first, second] = pair
			&& first.position == second.position
		{
			return Err(DocumentError::ConflictingPoints {
				position: first.position,
				period: format_minute(from),
				first: first.value,
				second: second.value,
			});
		}
	}
	Ok(())
}

fn time_interval(cursor: &mut Cursor<'_>) -> Result<Result<(Minute, Minute)>> {
	let (mut start, mut end, mut fault) = (None, None, None);
	cursor.children("timeInterval", |cursor, name| {
		let (slot, element) = match name {
			"start" => (&mut start, "start"),
			"end" => (&mut end, "end"),
			_ => return cursor.skip(),
		};
		let text = cursor.leaf(name)?;
		noted(&mut fault, instant(element, text).and_then(|time| once(slot, element, time)))
	})?;
	let missing = DocumentError::Missing;
	Ok(match fault {
		Some(reason) => Err(reason),
		None => {
			start.ok_or(missing("start")).and_then(|start| Ok((start, end.ok_or(missing("end"))?)))
		},
	})
}

fn point(cursor: &mut Cursor<'_>, kind: Kind) -> Result<Result<Point>> {
	let (mut position, mut value, mut fault) = (None, None, None);
	cursor.children("Point", |cursor, name| {
		if name != "position" && name != kind.figure() {
			return cursor.skip();
		}
		let text = cursor.leaf(name)?;
		let outcome = if name == "position" {
			whole("position", &text).and_then(|number| once(&mut position, "position", number))
		} else {
			figure(kind, &text).and_then(|figure| once(&mut value, kind.figure(), figure))
		};
		noted(&mut fault, outcome)
	})?;
	Ok(match (fault, position, value) {
		(Some(reason), ..) => Err(reason),
		(None, None, _) => Err(DocumentError::Missing("position")),
		(None, _, None) => Err(DocumentError::Missing(kind.figure())),
		(None, Some(position), Some(value)) => Ok(Point { position, value }),
	})
}

fn figure(kind: Kind, text: &str) -> Result<Decimal> {
	Decimal::parse(text).map_err(|reason| DocumentError::InvalidNumber {
		element: kind.figure(),
		found: shortened(text),
		reason,
	})
}

fn resolution_minutes(text: &str) -> Result<u32> {
	match text {
		"PT15M" => Ok(15),
		"PT30M" => Ok(30),
		"PT60M" | "PT1H" => Ok(60),
		other => Err(unsupported("resolution", other.into(), "PT15M, PT30M or PT60M")),
	}
}

fn instant(element: &'static str, text: String) -> Result<Minute> {
	parse_minute(&text)
		.ok_or_else(|| unsupported(element, text, "a UTC time such as 2025-03-29T23:00Z"))
}

fn whole(element: &'static str, text: &str) -> Result<u32> {
	let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
	digits
		.then(|| text.parse().ok())
		.flatten()
		.ok_or_else(|| unsupported(element, text.into(), "a whole number"))
}

fn once<T>(slot: &mut Option<T>, element: &'static str, value: T) -> Result<()> {
	match slot.replace(value) {
		None => Ok(()),
		Some(_) => Err(DocumentError::Repeated(element)),
	}
}

fn at_most(count: usize, max: usize, what: &'static str) -> Result<()> {
	if count > max { Err(DocumentError::TooMany { what, max }) } else { Ok(()) }
}

fn unsupported(element: &'static str, found: String, expected: &'static str) -> DocumentError {
	DocumentError::Unsupported { element, found: shortened(&found), expected }
}

fn shortened(text: &str) -> String {
	text.chars().take(64).collect()
}
