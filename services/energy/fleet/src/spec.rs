//! Meters that are to be onboarded, and lists of them.

use crate::list_error::ListError;
use gridproof_primitives::energy::{
	Direction, MAX_POINT_BYTES, MAX_SEAL_BYTES, MAX_SERIAL_BYTES, MeterName, PointId, SealId,
	SerialNumber, is_plain_number,
};
use gridproof_support::csv::{self, CsvError, Row};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

/// Columns of a list in CSV.
const COLUMNS: &str = "site,device,meter,direction,rated_power_w,serial,seal";
/// Columns of a list with profiles.
const COLUMNS_WITH_PROFILE: &str = "site,device,meter,direction,rated_power_w,serial,seal,profile";
/// Columns of a list with profiles and metering points; both may be empty.
const COLUMNS_WITH_POINT: &str =
	"site,device,meter,direction,rated_power_w,serial,seal,profile,point";

/// A meter that is to be onboarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterSpec {
	/// Id of its site.
	pub site: String,
	/// Id of its device.
	pub device: String,
	/// Id of the meter.
	pub meter: String,
	/// Direction that energy may take.
	pub direction: Direction,
	/// Largest power that can go through, in W.
	pub rated_power_w: u32,
	/// Maker and serial number, as on its plate.
	pub serial: String,
	/// Id of its seal.
	pub seal: String,
	/// Profile that a simulation gives it, such as `h0` or `h0+pv`.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub profile: Option<String>,
	/// Metering point with whose other meters it is netted; without one, nothing can be drawn, delivered
	/// or stored there but through this meter.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub point: Option<String>,
}

impl MeterSpec {
	/// Returns its ids.
	///
	/// # Errors
	/// What is wrong with them.
	pub fn name(&self) -> Result<MeterName, String> {
		let name = MeterName::new(&self.site, &self.device, &self.meter);
		let name = name.and_then(|name| name.check_plain().map(|()| name));
		name.map_err(|error| error.to_string())
	}

	pub(crate) fn serial(&self) -> Result<SerialNumber, String> {
		serial(&self.serial)
	}

	pub(crate) fn seal(&self) -> Result<SealId, String> {
		seal(&self.seal)
	}

	pub(crate) fn point(&self) -> Result<Option<PointId>, String> {
		if self.direction == Direction::Generation && self.point.is_none() {
			return Err("a meter of generation needs the metering point behind which it is".into());
		}
		self.point.as_deref().map(point).transpose()
	}
}

/// Returns the id of a seal.
///
/// # Errors
/// The text is empty, has a blank or a character that is not plain ASCII, or has more than
/// [`MAX_SEAL_BYTES`] bytes.
pub fn seal(text: &str) -> Result<SealId, String> {
	let seal = Some(text.as_bytes().to_vec()).filter(|seal| is_plain_number(seal));
	seal.and_then(|seal| SealId::try_from(seal).ok()).ok_or_else(|| {
		format!("a seal's id has 1 to {MAX_SEAL_BYTES} bytes of plain ASCII, no blank")
	})
}

/// Returns a serial number.
///
/// # Errors
/// The text is empty, has a blank or a character that is not plain ASCII, or has more than
/// [`MAX_SERIAL_BYTES`] bytes.
pub fn serial(text: &str) -> Result<SerialNumber, String> {
	let serial = Some(text.as_bytes().to_vec()).filter(|serial| is_plain_number(serial));
	serial.and_then(|serial| SerialNumber::try_from(serial).ok()).ok_or_else(|| {
		format!("a serial number has 1 to {MAX_SERIAL_BYTES} bytes of plain ASCII, no blank")
	})
}

/// Returns the id of a metering point.
///
/// # Errors
/// The text is empty, has a blank or a character that is not plain ASCII, or has more than
/// [`MAX_POINT_BYTES`] bytes.
pub fn point(text: &str) -> Result<PointId, String> {
	let point = Some(text.as_bytes().to_vec()).filter(|point| is_plain_number(point));
	point.and_then(|point| PointId::try_from(point).ok()).ok_or_else(|| {
		format!("a metering point's id has 1 to {MAX_POINT_BYTES} bytes of plain ASCII, no blank")
	})
}

/// Reads meters from a JSON array, or a CSV file whose first line is
/// `site,device,meter,direction,rated_power_w,serial,seal`, with or without `,profile`
/// or `,profile,point`.
///
/// # Errors
/// [`ListError`].
pub fn read_list(path: &Path) -> Result<Vec<MeterSpec>, ListError> {
	let bad = |line: Option<usize>, reason: String| ListError::new(path, line, reason);
	let text = fs::read_to_string(path).map_err(|error| bad(None, error.to_string()))?;
	let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
	let specs: Vec<(Option<usize>, MeterSpec)> = if text.trim_start().starts_with('[') {
		let specs: Vec<MeterSpec> = serde_json::from_str(text)
			.map_err(|error| bad(Some(error.line()), error.to_string()))?;
		specs.into_iter().map(|spec| (None, spec)).collect()
	} else {
		let rows = csv::read_any(text, &[COLUMNS, COLUMNS_WITH_PROFILE, COLUMNS_WITH_POINT])
			.map_err(|error| {
				let line = Some(error.line());
				match error {
					CsvError::Header(_) => bad(
						line,
						format!(
							"the first line is {COLUMNS}, with or without ,profile or ,profile,point{}",
							missing(text)
						),
					),
					CsvError::Fields { wanted, found, .. } => {
						bad(line, format!("{wanted} values are needed, there are {found}"))
					},
					CsvError::Unreadable { reason, .. } => bad(line, reason),
				}
			})?;
		let parse = |row: Row| {
			let line = Some(row.line);
			Ok((line, parse_fields(&row.fields).map_err(|reason| bad(line, reason))?))
		};
		rows.1.into_iter().map(parse).collect::<Result<_, ListError>>()?
	};
	for (place, (line, spec)) in specs.iter().enumerate() {
		let numbers = spec.name().and_then(|_| spec.serial()).and_then(|_| spec.seal());
		let checked = numbers.and_then(|_| spec.point());
		checked.map_err(|reason| bad(*line, reason))?;
		let same = |other: &(_, MeterSpec)| {
			(&other.1.site, &other.1.device, &other.1.meter)
				== (&spec.site, &spec.device, &spec.meter)
		};
		if specs.iter().take(place).any(same) {
			return Err(bad(*line, "the same meter as in a line above".to_string()));
		}
	}
	Ok(specs.into_iter().map(|(_, spec)| spec).collect())
}

/// Says which columns a list lacks, if its first line is one of columns at all: lists that were made
/// before meters had serial numbers are one short.
fn missing(text: &str) -> String {
	let first = text.lines().next().unwrap_or_default();
	let there: Vec<&str> = first.split(',').map(str::trim).collect();
	let missing: Vec<&str> = COLUMNS.split(',').filter(|column| !there.contains(column)).collect();
	if missing.is_empty() || !there.contains(&"site") {
		return String::new();
	}
	format!("; it lacks {}", missing.join(", "))
}

fn parse_fields(fields: &[String]) -> Result<MeterSpec, String> {
	let ([site, device, meter, direction, power, serial, seal], rest) =
		fields.split_first_chunk::<7>().ok_or("seven to nine values are needed")?;
	Ok(MeterSpec {
		site: site.clone(),
		device: device.clone(),
		meter: meter.clone(),
		direction: direction.parse::<Direction>().map_err(|error| error.to_string())?,
		rated_power_w: power
			.parse()
			.map_err(|_| format!("rated_power_w {power:?} is not a whole number of W"))?,
		serial: serial.clone(),
		seal: seal.clone(),
		profile: rest.first().filter(|profile| !profile.is_empty()).cloned(),
		point: rest.get(1).filter(|point| !point.is_empty()).cloned(),
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	fn list(text: &str) -> Result<Vec<MeterSpec>, ListError> {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("meters.csv");
		fs::write(&path, text).unwrap();
		read_list(&path)
	}

	#[test]
	fn meters_are_read_from_csv_and_json() {
		let csv = format!(
			"{COLUMNS},profile\nA,gw,1,import,25000,M-1,S-1,h0\nA,gw,2,both,9000,M-2,S-2,\n"
		);
		let specs = list(&csv).unwrap();
		assert_eq!(specs.len(), 2);
		assert_eq!(specs[0].profile.as_deref(), Some("h0"));
		assert_eq!((specs[1].direction, specs[1].profile.clone()), (Direction::Both, None));
		assert_eq!(specs[0].point, None);
		let json = serde_json::to_string(&specs).unwrap();
		assert_eq!(list(&json).unwrap(), specs);
		assert_eq!(list(&format!("\u{feff}{json}")).unwrap(), specs);
	}

	#[test]
	fn a_list_names_metering_points_and_generation_needs_one() {
		let csv = format!(
			"{COLUMNS_WITH_POINT}\nA,gw,1,import,9000,M-1,S-1,,DE-1\nA,gw,2,generation,9000,M-2,S-2,pv,DE-1\n"
		);
		let specs = list(&csv).unwrap();
		assert!(specs.iter().all(|spec| spec.point.as_deref() == Some("DE-1")), "{specs:?}");
		assert_eq!((specs[0].profile.clone(), specs[1].direction), (None, Direction::Generation));
		let alone = csv.replace(",pv,DE-1", ",pv,");
		assert_eq!(list(&alone).unwrap_err().line, Some(3));
		assert!(list(&csv.replace(",,DE-1", ",,DE 1")).is_err());
	}

	#[test]
	fn a_list_that_a_spreadsheet_wrote_is_read_too() {
		let csv = format!("\u{feff}{COLUMNS}\r\n\r\n\"A, hall 2\",gw,1,import,25000,M-1,S-1\r\n");
		let specs = list(&csv).unwrap();
		assert_eq!((specs.len(), specs[0].site.as_str()), (1, "A, hall 2"));
	}

	#[test]
	fn a_list_with_a_byte_order_mark_is_the_list_without_it() {
		let field =
			concat!(env!("CARGO_MANIFEST_DIR"), "/../../../vectors/field/files/meters-bom.csv");
		let old = fs::read_to_string(field).unwrap();
		let plain = |text: &str| text.strip_prefix('\u{feff}').unwrap().to_string();
		// It was made before meters had serial numbers: the error says so with and without the mark.
		let refused = [list(&old), list(&plain(&old))].map(|outcome| outcome.unwrap_err());
		assert_eq!((refused[0].line, &refused[0].reason), (refused[1].line, &refused[1].reason));
		assert!(refused[0].reason.ends_with("; it lacks serial"), "{}", refused[0].reason);
		let today = old.replace("_w,seal", "_w,serial,seal").replace(",SEAL-1", ",ACME-1,SEAL-1");
		let specs = list(&today).unwrap();
		assert_eq!(specs, list(&plain(&today)).unwrap());
		assert_eq!(specs, list(&plain(&today).replace("\r\n", "\n")).unwrap());
		assert_eq!((specs[0].meter.as_str(), specs[0].seal.as_str()), ("MTR-001", "SEAL-1"));
	}

	#[test]
	fn a_line_that_is_wrong_is_named() {
		let line = |text: &str| list(text).unwrap_err().line.unwrap();
		assert_eq!(line("site,device\n"), 1);
		assert_eq!(line(&format!("{COLUMNS}\nA,gw,1,import,25000,S\n")), 2);
		assert_eq!(line(&format!("{COLUMNS}\nA,gw,1,sideways,25000,M,S\n")), 2);
		assert_eq!(line(&format!("{COLUMNS}\n\nA,gw,1,import,-1,M,S\n")), 3);
		assert_eq!(line(&format!("{COLUMNS}\nA/B,gw,1,import,1,M,S\n")), 2);
		assert_eq!(line(&format!("{COLUMNS}\nA,gw,1,import,1,M,\n")), 2);
		assert_eq!(line(&format!("{COLUMNS}\nA,gw,1,import,1,,S\n")), 2);
		assert_eq!(line(&format!("{COLUMNS}\nÄ,gw,1,import,1,M,S\n")), 2);
		assert_eq!(line(&format!("{COLUMNS}\nA,gw,1,import,1,M,S\nA,gw,1,export,1,N,T\n")), 3);
	}
}
