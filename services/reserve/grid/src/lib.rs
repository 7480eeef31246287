//! Public grid data: load and day-ahead price of Europe's bidding zones.
//!
//! The crate reads what ENTSO-E's Transparency Platform publishes, from the platform or from saved
//! files, and turns a local day of it into exact figures: watt-hours and euros per megawatt-hour. A
//! figure exists only if the documents leave no doubt about it; every other outcome carries its
//! reason. The rules are in `docs/protocols/grid-data.md`.
//!
//! - [`Source`]: the platform ([`Client`]) or a folder of saved documents;
//! - [`read`]: one XML document, bounded and strict;
//! - [`DayWindow`]: a local day in UTC, over which documents are laid out minute by minute;
//! - [`day_load`], [`day_price`]: energy and mean price of a day; [`ema`]: a price over several days;
//! - [`parse_zones`], [`Eic`]: the bidding zones, and which of them overlap;
//! - [`price_from_source`], [`price_from_files`]: the price of a day, with its average;
//! - [`load_zones`], [`summarise`], [`write_day`]: from all zones to a day's [`Summary`] and the four
//!   files of it.

#![deny(missing_docs)]

mod cursor;
mod curve;
mod day;
mod decimal;
mod demand;
mod document;
mod eic;
mod ema;
mod entsoe;
mod failure;
mod files;
mod price;
mod reader;
mod silence;
mod source;
mod summary;
mod time;
mod zones;

pub use chrono_tz::Tz;
pub use cursor::{MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, MAX_TEXT};
pub use curve::ConflictError;
pub use day::{DataItem, DayLoad, DayPrice, FigureError, day_load, day_price};
pub use decimal::{Decimal, DecimalError, Price, UNIT, signed_ratio};
pub use demand::{DemandError, PARALLEL, load_missing, load_zones};
pub use document::{
	Acknowledgement, Curve, Document, DocumentError, MarketDocument, Period, Point, Reason, Series,
};
pub use eic::{Eic, EicError};
pub use ema::{MAX_WINDOW, ema};
pub use entsoe::{BASE_URL, Client, NotAParameter, Parameter, PlatformError, Settings, Token};
pub use files::{BY_ZONE_HEADER, LOAD_HEADER, WriteError, Written, write_day};
pub use price::{Average, PriceError, PriceReport, price_from_files, price_from_source};
pub use reader::{MAX_PERIODS, MAX_POINTS, MAX_REASONS, MAX_SERIES, read};
pub use silence::{SILENT_DAYS, silent_zones};
pub use source::{MAX_FILES, Source, SourceError, file_prefix, read_bounded};
pub use summary::{Commitment, Summary, SummaryRefusal, ZoneReport, ZoneStatus, summarise};
pub use time::{DayError, DayWindow, Minute, format_minute, parse_minute};
pub use zones::{EUROPE, ZONES_HEADER, Zone, ZonesError, parse_zones};
