//! What the reader makes of one XML document.

use crate::{
	decimal::{Decimal, DecimalError},
	time::Minute,
};

/// A document of the platform, by its root element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
	/// `GL_MarketDocument`: here always actual total load (A65, realised A16).
	Load(MarketDocument),
	/// `Publication_MarketDocument`: here always prices (A44).
	Price(MarketDocument),
	/// `Acknowledgement_MarketDocument`: the platform's answer when it has no document to give.
	Acknowledgement(Acknowledgement),
}

/// The platform's reasons for giving no document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acknowledgement {
	/// Each reason's code and text, in the document's order.
	pub reasons: Vec<Reason>,
}

/// One reason of an [`Acknowledgement`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason {
	/// The code; 999 covers anything from "no data" to a wrong parameter.
	pub code: String,
	/// The text, which alone tells these apart.
	pub text: String,
}

impl Acknowledgement {
	/// Whether the platform says that it has no data, and nothing else.
	pub fn is_no_data(&self) -> bool {
		!self.reasons.is_empty()
			&& self.reasons.iter().all(|reason| {
				reason.code == "999"
					&& reason.text.to_ascii_lowercase().contains("no matching data found")
			})
	}
}

impl core::fmt::Display for Acknowledgement {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		if self.reasons.is_empty() {
			return f.write_str("an acknowledgement without a reason");
		}
		for (index, reason) in self.reasons.iter().enumerate() {
			let separator = if index == 0 { "" } else { "; " };
			write!(f, "{separator}{}: {}", reason.code, reason.text)?;
		}
		Ok(())
	}
}

/// Load or prices of one area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketDocument {
	/// The document's id; revisions of a document share it.
	pub mrid: Option<String>,
	/// Counts the revisions of one document, from 1.
	pub revision: u32,
	/// The time series, in the document's order.
	pub series: Vec<Series>,
}

/// One `TimeSeries`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series {
	/// The areas that the series names: one for load; in and out for prices.
	pub domains: Vec<String>,
	/// How missing positions are to be read.
	pub curve: Curve,
	/// `quantity_Measure_Unit.name` or `price_Measure_Unit.name`.
	pub unit: Option<String>,
	/// `currency_Unit.name`, for prices.
	pub currency: Option<String>,
	/// `contract_MarketAgreement.type`, for prices: A01 is day-ahead.
	pub contract: Option<String>,
	/// `classificationSequence_AttributeInstanceComponent.position`, for prices.
	pub sequence: Option<u32>,
	/// The periods that can be read, in the document's order.
	pub periods: Vec<Period>,
	/// What keeps the series from being read; `None` if it can be.
	pub fault: Option<DocumentError>,
}

/// How a series writes down its slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Curve {
	/// A01, also meant where nothing is stated: every slot has a point; a missing one is a hole.
	#[default]
	FixedBlocks,
	/// A03: a point holds until the next one, or to the end of its period.
	VariableBlocks,
}

/// A stretch of time cut into equal slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
	/// First minute.
	pub start: Minute,
	/// First minute after the period.
	pub end: Minute,
	/// Length of a slot in minutes: 15, 30 or 60.
	pub resolution: u32,
	/// The points, by position, each position once.
	pub points: Vec<Point>,
}

impl Period {
	/// How many slots the period has.
	pub fn slots(&self) -> u32 {
		// The reader bounds periods to 400 days.
		((self.end - self.start) / Minute::from(self.resolution)) as u32
	}
}

/// A figure and the slot at which it starts to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
	/// The slot, counted from 1.
	pub position: u32,
	/// MW, or EUR/MWh.
	pub value: Decimal,
}

/// Why a document cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
	/// Nothing but white space.
	#[error("the document is empty")]
	Empty,
	/// More bytes, elements, depth, series, periods or points than the reader accepts.
	#[error("the document has more than {max} {what}")]
	TooMany {
		/// What there is too much of.
		what: &'static str,
		/// The reader's bound.
		max: usize,
	},
	/// Not UTF-8.
	#[error("the document is not UTF-8 text")]
	NotUtf8,
	/// Not XML; the reason comes from the XML parser.
	#[error("not well-formed XML at byte {at}: {reason}")]
	Malformed {
		/// Where.
		at: u64,
		/// What the parser says.
		reason: String,
	},
	/// The text ends before the root element does.
	#[error("the document breaks off")]
	Truncated,
	/// A document type declaration, which these documents never have.
	#[error("document type declarations are not accepted")]
	Doctype,
	/// An entity other than XML's own five and character references.
	#[error("unknown entity {0:?}")]
	UnknownEntity(String),
	/// A root element that is none of the three.
	#[error(
		"the root element {0:?} is none of GL_MarketDocument, Publication_MarketDocument, Acknowledgement_MarketDocument"
	)]
	UnknownRoot(String),
	/// Load was asked for and prices came, or the other way round.
	#[error("the document is a {found}, not a {expected}")]
	WrongKind {
		/// The root element that was found.
		found: &'static str,
		/// The root element that was needed.
		expected: &'static str,
	},
	/// A document that its sender has cancelled (status A09) or withdrawn (A13).
	#[error("the document has been withdrawn")]
	Withdrawn,
	/// Text where only elements belong, or elements where only text belongs.
	#[error("unexpected content in {0}")]
	UnexpectedContent(String),
	/// An element that a document needs.
	#[error("{0} is missing")]
	Missing(&'static str),
	/// An element that may occur once only.
	#[error("{0} occurs twice")]
	Repeated(&'static str),
	/// An element with a value that the reader does not know what to do with.
	#[error("{element} is {found:?}, not {expected}")]
	Unsupported {
		/// The element.
		element: &'static str,
		/// Its value.
		found: String,
		/// What would have been accepted.
		expected: &'static str,
	},
	/// A figure that is not an exact decimal.
	#[error("{element} {found:?}: {reason}")]
	InvalidNumber {
		/// The element.
		element: &'static str,
		/// Its value.
		found: String,
		/// Why.
		reason: DecimalError,
	},
	/// Load below zero.
	#[error("the load at position {position} of the period from {period} is negative: {value}")]
	NegativeLoad {
		/// The point's position.
		position: u32,
		/// The period's start.
		period: String,
		/// The figure.
		value: Decimal,
	},
	/// A period that ends before it starts, lasts too long, or is no whole number of slots.
	#[error(
		"the period {start} … {end} is not a whole number of {resolution}-minute slots within 400 days"
	)]
	InvalidPeriod {
		/// Its start.
		start: String,
		/// Its end.
		end: String,
		/// Its resolution in minutes.
		resolution: u32,
	},
	/// A position that is zero or past the period's end.
	#[error("position {position} is outside the {slots} slots of the period from {period}")]
	PositionOutside {
		/// The position.
		position: u32,
		/// How many slots there are.
		slots: u32,
		/// The period's start.
		period: String,
	},
	/// One position with two figures.
	#[error("position {position} of the period from {period} is given as {first} and as {second}")]
	ConflictingPoints {
		/// The position.
		position: u32,
		/// The period's start.
		period: String,
		/// One figure.
		first: Decimal,
		/// The other.
		second: Decimal,
	},
}
