//! The list of bidding zones, and which areas overlap.

use crate::eic::{Eic, EicError};
use chrono_tz::Tz;
use gridproof_support::csv::{self, CsvError, Row};
use std::collections::BTreeMap;

/// First line of a zones file.
pub const ZONES_HEADER: &str = "name,eic,timezone";
/// Zones that one file may list.
pub(crate) const MAX_ZONES: usize = 200;
/// European bidding zones without overlaps, as shipped.
pub const EUROPE: &str = include_str!("../../../../data/zones.csv");

/// One bidding zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
	/// Short name, such as `DE-LU`.
	pub name: String,
	/// Its code.
	pub eic: Eic,
	/// Whose midnight cuts its days.
	pub timezone: Tz,
}

/// Why a zones file cannot be used. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZonesError {
	/// The first line is not the header.
	#[error("the first line must be {ZONES_HEADER:?}")]
	Header,
	/// The file has no zone.
	#[error("the file lists no zone")]
	Empty,
	/// More than `MAX_ZONES` zones.
	#[error("the file lists more than {MAX_ZONES} zones")]
	TooMany,
	/// A line that does not have three fields.
	#[error("line {0}: three fields are needed: {ZONES_HEADER}")]
	Fields(usize),
	/// A line that cannot be read at all.
	#[error("line {line}: {reason}")]
	Unreadable {
		/// Number of the line.
		line: usize,
		/// The reader's reason.
		reason: String,
	},
	/// A name that is empty, too long, or has other characters than letters, digits, `-`, `_`.
	#[error("line {line}: {name:?} is not a zone name: 1 to 32 letters, digits, '-' or '_'")]
	Name {
		/// Number of the line.
		line: usize,
		/// The name.
		name: String,
	},
	/// A code that is not the code of an area.
	#[error("line {line}: {reason}")]
	Eic {
		/// Number of the line.
		line: usize,
		/// Why.
		reason: EicError,
	},
	/// A time zone that the IANA database does not have.
	#[error("line {line}: {timezone:?} is not a time zone of the IANA database")]
	Timezone {
		/// Number of the line.
		line: usize,
		/// The name as given.
		timezone: String,
	},
	/// Two zones of one name or one code.
	#[error("line {line}: {what} is already in line {first}")]
	Repeated {
		/// Number of the line.
		line: usize,
		/// The name or code.
		what: String,
		/// Where it came first.
		first: usize,
	},
	/// Two zones that share ground: its energy would count twice.
	#[error("{first} and {second} overlap: both contain {shared}; keep one of them")]
	Overlap {
		/// One zone.
		first: String,
		/// The other.
		second: String,
		/// What both contain.
		shared: String,
	},
}

/// Reads a zones file: the header, then `name,eic,timezone` a line.
///
/// # Errors
/// [`ZonesError`], the first one met.
pub fn parse_zones(text: &str) -> Result<Vec<Zone>, ZonesError> {
	let rows = csv::read(text, ZONES_HEADER).map_err(|error| match error {
		CsvError::Header(_) => ZonesError::Header,
		CsvError::Fields { line, .. } => ZonesError::Fields(line),
		CsvError::Unreadable { line, reason } => ZonesError::Unreadable { line, reason },
	})?;
	if rows.is_empty() {
		return Err(ZonesError::Empty);
	}
	if rows.len() > MAX_ZONES {
		return Err(ZonesError::TooMany);
	}
	let mut zones = Vec::with_capacity(rows.len());
	let mut seen = BTreeMap::new();
	for row in rows {
		let (line, zone) = (row.line, zone_of(row)?);
		for what in [zone.name.clone(), zone.eic.to_string()] {
			if let Some(first) = seen.insert(what.clone(), line) {
				return Err(ZonesError::Repeated { line, what, first });
			}
		}
		zones.push(zone);
	}
	refuse_overlaps(&zones)?;
	Ok(zones)
}

fn zone_of(Row { line, fields }: Row) -> Result<Zone, ZonesError> {
	let [name, eic, timezone] =
		<[String; 3]>::try_from(fields).map_err(|_| ZonesError::Fields(line))?;
	let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
	if !(1..=32).contains(&name.len()) || !name.bytes().all(allowed) {
		return Err(ZonesError::Name { line, name: name.chars().take(40).collect() });
	}
	let eic = Eic::parse(&eic).map_err(|reason| ZonesError::Eic { line, reason })?;
	let timezone = timezone.parse().map_err(|_| ZonesError::Timezone {
		line,
		timezone: timezone.chars().take(64).collect(),
	})?;
	Ok(Zone { name, eic, timezone })
}

fn refuse_overlaps(zones: &[Zone]) -> Result<(), ZonesError> {
	let mut owners: BTreeMap<&str, &Zone> = BTreeMap::new();
	for zone in zones {
		for part in parts(&zone.eic) {
			if let Some(first) = owners.insert(part, zone) {
				return Err(ZonesError::Overlap {
					first: first.name.clone(),
					second: zone.name.clone(),
					shared: part.to_string(),
				});
			}
		}
	}
	Ok(())
}

/// The smallest areas that `eic` is made of; an area that [`CONTAINS`] does not list is its own.
fn parts(eic: &Eic) -> Vec<&str> {
	match CONTAINS.iter().find(|(code, _)| *code == eic.as_str()) {
		Some((_, parts)) => parts.to_vec(),
		None => vec![eic.as_str()],
	}
}

/// Areas of the platform that hold or share ground with others, as sets of smallest parts. Parts
/// that publish load of their own are named by their code, others by a name.
///
/// Two areas overlap if their sets meet: Germany (the country) and DE-LU share the four German
/// control areas though neither holds the other. Source: the platform's list of areas.
const CONTAINS: &[(&str, &[&str])] = &[
	// Germany, Luxembourg, Austria
	("10Y1001A1001A82H", &[HERTZ50, AMPRION, TENNET, TRANSNET, LUXEMBOURG]), // DE-LU
	("10Y1001A1001A83F", &[HERTZ50, AMPRION, TENNET, TRANSNET]),             // Germany
	("10Y1001A1001A63L", &[HERTZ50, AMPRION, TENNET, TRANSNET, LUXEMBOURG, AUSTRIA]), // DE-AT-LU
	("10Y1001C--00002H", &[AMPRION, LUXEMBOURG]),                            // Amprion and LU
	(
		"10YDOM-CZ-DE-SKK",
		&[HERTZ50, AMPRION, TENNET, TRANSNET, "10YCZ-CEPS-----N", "10YSK-SEPS-----K"],
	),
	("10YDOM-1001A082L", &["10YPL-AREA-----S", "10YCZ-CEPS-----N"]), // PL-CZ
	// Denmark
	("10Y1001A1001A65H", &["10YDK-1--------W", "10YDK-2--------M"]),
	("10Y1001A1001A796", &["10YDK-1--------W", "10YDK-2--------M"]), // Energinet's control area
	("46Y000000000007M", &["10YDK-1--------W", "10YNO-1--------2"]), // DK1 and NO1
	// Norway
	("10YNO-0--------C", NORWAY),
	("10Y1001A1001A64J", &["10YNO-1--------2"]), // NO1 A
	("10Y1001C--001219", &["10YNO-2--------T"]), // NO2 A
	("50Y0JVU59B4JWQCU", &["10YNO-2--------T"]), // NO2 NSL
	// Sweden
	("10YSE-1--------K", SWEDEN),
	// Italy, and the poles and macrozones inside it
	("10YIT-GRTN-----B", ITALY),
	("10Y1001A1001A84D", &[NORD]), // macrozone north
	("10Y1001A1001A85B", &[CNOR, CSUD, SUD, CALA, SICI, SARD]), // macrozone south
	("10Y1001A1001A699", &[SUD]),  // Brindisi
	("10Y1001A1001A72K", &[SUD]),  // Foggia
	("10Y1001A1001A77A", &[CALA]), // Rossano
	("10Y1001A1001A76C", &[SICI]), // Priolo
	// Ireland and the United Kingdom
	("10Y1001A1001A59C", &[IRELAND, NORTHERN_IRELAND]), // SEM
	("10Y1001A1001A92E", &[GREAT_BRITAIN, NORTHERN_IRELAND]), // United Kingdom
	("10Y1001C--00098F", &[GREAT_BRITAIN]),             // GB (IFA)
	("17Y0000009369493", &[GREAT_BRITAIN]),             // GB (IFA2)
	("11Y0-0000-0265-K", &[GREAT_BRITAIN]),             // GB (ElecLink)
	// Ukraine: the country, and its two parts before they were joined
	("10Y1001C--00003F", &["10Y1001C--000182", "10YUA-WEPS-----0", "10Y1001A1001A869"]),
	// CWE region as it was in 2015
	(
		"10YDOM-REGION-1V",
		&[
			HERTZ50,
			AMPRION,
			TENNET,
			TRANSNET,
			LUXEMBOURG,
			AUSTRIA,
			"10YFR-RTE------C",
			"10YBE----------2",
			"10YNL----------L",
		],
	),
];

const HERTZ50: &str = "10YDE-VE-------2";
const AMPRION: &str = "10YDE-RWENET---I";
const TENNET: &str = "10YDE-EON------1";
const TRANSNET: &str = "10YDE-ENBW-----N";
const LUXEMBOURG: &str = "10YLU-CEGEDEL-NQ";
const AUSTRIA: &str = "10YAT-APG------L";
const NORD: &str = "10Y1001A1001A73I";
const CNOR: &str = "10Y1001A1001A70O";
const CSUD: &str = "10Y1001A1001A71M";
const SUD: &str = "10Y1001A1001A788";
const CALA: &str = "10Y1001C--00096J";
const SICI: &str = "10Y1001A1001A75E";
const SARD: &str = "10Y1001A1001A74G";
const ITALY: &[&str] = &[NORD, CNOR, CSUD, SUD, CALA, SICI, SARD];
const NORWAY: &[&str] = &[
	"10YNO-1--------2",
	"10YNO-2--------T",
	"10YNO-3--------J",
	"10YNO-4--------9",
	"10Y1001A1001A48H",
];
const SWEDEN: &[&str] =
	&["10Y1001A1001A44P", "10Y1001A1001A45N", "10Y1001A1001A46L", "10Y1001A1001A47J"];
const IRELAND: &str = "10YIE-1001A00010";
const NORTHERN_IRELAND: &str = "10Y1001A1001A016";
const GREAT_BRITAIN: &str = "10YGB----------A";

#[cfg(test)]
mod tests {
	use super::*;

	fn file(rows: &[(&str, &str)]) -> String {
		let rows = rows.iter().map(|(name, eic)| format!("{name},{eic},Europe/Berlin\n"));
		format!("{ZONES_HEADER}\n{}", rows.collect::<String>())
	}

	fn overlap(rows: &[(&str, &str)]) -> bool {
		matches!(parse_zones(&file(rows)), Err(ZonesError::Overlap { .. }))
	}

	#[test]
	fn the_shipped_list_is_valid_and_long_enough() {
		let zones = parse_zones(EUROPE).unwrap();
		assert!(zones.len() >= 40, "{}", zones.len());
		assert!(zones.iter().any(|zone| zone.name == "DE-LU"));
	}

	#[test]
	fn every_code_of_the_containment_table_passes_its_check_character() {
		for (code, parts) in CONTAINS {
			for code in core::iter::once(code).chain(*parts) {
				Eic::parse(code).unwrap();
			}
		}
	}

	#[test]
	fn a_country_and_its_parts_are_refused() {
		for (whole, part) in [
			("10Y1001A1001A82H", "10Y1001A1001A83F"),
			("10Y1001A1001A82H", "10Y1001A1001A63L"),
			("10Y1001A1001A63L", "10YAT-APG------L"),
			("10Y1001A1001A82H", "10YDE-VE-------2"),
			("10Y1001A1001A82H", "10YLU-CEGEDEL-NQ"),
			("10YIT-GRTN-----B", "10Y1001A1001A73I"),
			("10YNO-0--------C", "10YNO-1--------2"),
			("10YSE-1--------K", "10Y1001A1001A47J"),
			("10Y1001A1001A65H", "10YDK-1--------W"),
			("10Y1001A1001A796", "10Y1001A1001A65H"),
			("10Y1001A1001A59C", "10YIE-1001A00010"),
			("10Y1001A1001A59C", "10Y1001A1001A92E"),
			("10Y1001C--00003F", "10Y1001C--000182"),
		] {
			assert!(overlap(&[("A", whole), ("B", part)]), "{whole} {part}");
			assert!(overlap(&[("A", part), ("B", whole)]), "{part} {whole}");
		}
	}

	#[test]
	fn neighbours_do_not_overlap() {
		assert!(!overlap(&[("DE-LU", "10Y1001A1001A82H"), ("AT", "10YAT-APG------L")]));
		assert!(!overlap(&[("DE", "10Y1001A1001A83F"), ("LU", "10YLU-CEGEDEL-NQ")]));
	}

	#[test]
	fn each_mistake_is_named_with_its_line() {
		let good = "DE-LU,10Y1001A1001A82H,Europe/Berlin";
		let line = |text: &str| parse_zones(&format!("{ZONES_HEADER}\n{text}\n"));
		assert_eq!(parse_zones("name;eic;timezone\n"), Err(ZonesError::Header));
		assert_eq!(parse_zones(ZONES_HEADER), Err(ZonesError::Empty));
		assert_eq!(line("DE-LU,10Y1001A1001A82H"), Err(ZonesError::Fields(2)));
		assert_eq!(line(&format!("{good},x")), Err(ZonesError::Fields(2)));
		assert_eq!(
			line("a/b,10Y1001A1001A82H,Europe/Berlin"),
			Err(ZonesError::Name { line: 2, name: "a/b".into() })
		);
		assert!(matches!(
			line("DE-LU,10Y1001A1001A82G,Europe/Berlin"),
			Err(ZonesError::Eic {
				line: 2,
				reason: EicError::WrongCheckCharacter { expected: 'H', .. }
			})
		));
		assert_eq!(
			line("DE-LU,10Y1001A1001A82H,Europe/Bonn"),
			Err(ZonesError::Timezone { line: 2, timezone: "Europe/Bonn".into() })
		);
		assert_eq!(
			line(&format!("{good}\nX,10Y1001A1001A82H,Europe/Berlin")),
			Err(ZonesError::Repeated { line: 3, what: "10Y1001A1001A82H".into(), first: 2 })
		);
	}

	#[test]
	fn line_ends_of_other_systems_blank_lines_and_quotes_do_not_matter() {
		let zones =
			["FR,10YFR-RTE------C,Europe/Paris", "\"FR\",10YFR-RTE------C,\"Europe/Paris\""].map(
				|line| parse_zones(&format!("\u{feff}{ZONES_HEADER}\r\n\r\n{line}\r\n")).unwrap(),
			);
		assert_eq!(zones[0], zones[1]);
		let [zones, _] = zones;
		assert_eq!(zones.len(), 1);
		assert_eq!(zones[0].timezone, chrono_tz::Europe::Paris);
	}
}
