//! Public grid data: load and day-ahead price of Europe's bidding zones.
//!
//! The crate reads what ENTSO-E's Transparency Platform publishes, from the platform itself or
//! from saved files, and turns a local day of it into exact figures: watt-hours and euros per
//! megawatt-hour. A figure exists only if the documents leave no doubt about it; every other
//! outcome carries its reason. The rules are written down in `docs/protocols/grid-data.md`.
//!
//! - [`reader`]: one XML document, bounded and strict;
//! - [`curve`]: documents laid out over a local day ([`time`]), minute by minute;
//! - [`day`]: energy and mean price of a day; [`ema`]: a price over several days;
//! - [`zones`] and [`eic`]: which areas there are, and which overlap;
//! - [`source`]: a folder of saved documents, or the platform ([`entsoe`]);
//! - [`price`]: the price of a day from either, with its average;
//! - [`load`] and [`files`]: all zones of a day, and the four files that result.

#![deny(missing_docs)]

pub mod cursor;
pub mod curve;
pub mod day;
pub mod decimal;
pub mod document;
pub mod eic;
pub mod ema;
pub mod entsoe;
pub mod files;
pub mod load;
pub mod price;
pub mod reader;
pub mod source;
pub mod time;
pub mod zones;

pub use chrono_tz::Tz;
