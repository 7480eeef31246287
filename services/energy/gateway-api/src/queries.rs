//! Pages and filters of lists. Everything given must hold.

use crate::BatchState;
use gridproof_primitives::energy::AnchorStatus;
use serde::{Deserialize, Serialize};

/// A time of a query.
#[cfg(feature = "openapi")]
fn moment() -> utoipa::openapi::Schema {
	use utoipa::openapi::{KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, Type};
	let text = || ObjectBuilder::new().schema_type(Type::String);
	let instant = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
	let millis = text().pattern(Some("^[0-9]{1,15}$"));
	OneOfBuilder::new().item(instant).item(millis).into()
}

/// A part of a list. Without any of these: the newest 1,000, oldest of them first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct PageQuery {
	/// The most entries: 1 to 10,000. Dead letters come in pages of at most 1,000.
	#[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 10_000))]
	pub limit: Option<u32>,
	/// Entries to leave out.
	pub offset: Option<u64>,
	/// Where the next page begins: the header `x-next-cursor` of the answer before.
	pub cursor: Option<i64>,
	/// `asc` (oldest first) or `desc`.
	#[cfg_attr(feature = "openapi", param(pattern = "^(asc|desc)$"))]
	pub order: Option<String>,
}

/// A choice of meters that ever sent a reading. There is no other parameter: one that is not known is
/// refused, since its answer would be taken for what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct ListMeters {
	/// Of this site.
	pub site: Option<String>,
	/// Of this device.
	pub device: Option<String>,
	/// Of this name.
	pub meter: Option<String>,
}

/// A choice of readings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct ListReadings {
	/// Of this site.
	pub site: Option<String>,
	/// Of this device.
	pub device: Option<String>,
	/// Of this meter.
	pub meter: Option<String>,
	/// `ok`, `estimated` or `error`; or `pending` or `batched`.
	#[cfg_attr(feature = "openapi", param(pattern = "^(ok|estimated|error|pending|batched)$"))]
	pub status: Option<String>,
	/// In this batch, by its id.
	pub batch: Option<String>,
	/// Ending after this: RFC 3339 or UTC milliseconds.
	#[cfg_attr(feature = "openapi", param(schema_with = moment))]
	pub from: Option<String>,
	/// Beginning before this: RFC 3339 or UTC milliseconds.
	#[cfg_attr(feature = "openapi", param(schema_with = moment))]
	pub to: Option<String>,
}

/// A choice of batches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct ListBatches {
	/// Of this site.
	pub site: Option<String>,
	/// Of this device.
	pub device: Option<String>,
	/// Of this meter.
	pub meter: Option<String>,
	/// `not_certified`, `unsigned`, `signed`, `accepted`, `parked` or `dissolved`.
	#[cfg_attr(feature = "openapi", param(value_type = Option<String>,
		pattern = "^(not_certified|unsigned|signed|accepted|parked|dissolved)$"))]
	pub status: Option<BatchState>,
	/// `pending`, `broadcast`, `confirmed` or `simulated`.
	#[cfg_attr(feature = "openapi", param(value_type = Option<String>,
		pattern = "^(pending|broadcast|confirmed|simulated)$"))]
	pub anchor: Option<AnchorStatus>,
	/// Ending after this: RFC 3339 or UTC milliseconds.
	#[cfg_attr(feature = "openapi", param(schema_with = moment))]
	pub from: Option<String>,
	/// Beginning before this: RFC 3339 or UTC milliseconds.
	#[cfg_attr(feature = "openapi", param(schema_with = moment))]
	pub to: Option<String>,
}

/// A choice of dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct ListDeadLetters {
	/// For this reason, such as `overlap`.
	pub reason: Option<String>,
}
