//! Names of meters, and their topics.

use super::{MAX_NAME_BYTES, MAX_POINT_BYTES};
use alloc::{
	format,
	string::{String, ToString},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{
	fmt,
	hash::{Hash, Hasher},
	str,
};
use scale_info::TypeInfo;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sp_core::{ConstU32, bounded::BoundedVec};

/// One of a name's three ids, UTF-8, 1 to 64 bytes.
pub type NamePart = BoundedVec<u8, ConstU32<MAX_NAME_BYTES>>;

/// Id of a metering point, as the grid operator gives it: plain ASCII, at most 64 bytes.
pub type PointId = BoundedVec<u8, ConstU32<MAX_POINT_BYTES>>;

/// Reason why a text cannot be an id.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameError {
	/// The text is empty.
	#[codec(index = 0)]
	Empty,
	/// The text has more than [`MAX_NAME_BYTES`] bytes.
	#[codec(index = 1)]
	TooLong,
	/// The text contains `/`, `+`, `#` or a control character.
	#[codec(index = 2)]
	BadCharacter,
	/// The bytes are not UTF-8.
	#[codec(index = 3)]
	NotUtf8,
	/// The text of a meter that is to be certified has a character outside printable ASCII, or a blank
	/// at its begin, at its end or after another blank.
	#[codec(index = 4)]
	NotPlain,
}

impl fmt::Display for NameError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Empty => "an id must not be empty",
			Self::TooLong => "an id may have at most 64 bytes",
			Self::BadCharacter => {
				"an id is part of a topic: it may contain none of / + # and no control character"
			},
			Self::NotUtf8 => "an id must be UTF-8",
			Self::NotPlain => {
				"the ids of a certified meter are plain ASCII, without blanks at begin or end or two in a row"
			},
		})
	}
}

impl core::error::Error for NameError {}

/// Name of a meter: the ids of site, device and meter, as in readings and topics.
///
/// Each has 1 to 64 bytes of UTF-8 without `/`, `+`, `#` and control characters. Decoding does not
/// check that: call [`MeterName::check`] on a name that comes from outside.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MeterName {
	/// Id of the site (`site_id`).
	pub site: NamePart,
	/// Id of the device (`iot_device_id`).
	pub device: NamePart,
	/// Id of the meter (`meter_id`).
	pub meter: NamePart,
}

fn check_part(bytes: &[u8]) -> Result<(), NameError> {
	let text = str::from_utf8(bytes).map_err(|_| NameError::NotUtf8)?;
	if text.is_empty() {
		return Err(NameError::Empty);
	}
	let is_bad = |character: char| character.is_control() || ['/', '+', '#'].contains(&character);
	if text.contains(is_bad) { Err(NameError::BadCharacter) } else { Ok(()) }
}

/// A part that looks like no other one: printable ASCII, single blanks inside.
fn is_plain(part: &NamePart) -> bool {
	let is_blank = |byte: &u8| *byte == b' ';
	let ends_with_blank = part.first().is_some_and(is_blank) || part.last().is_some_and(is_blank);
	let in_a_row = part.windows(2).any(|pair| pair.iter().all(is_blank));
	let is_ascii = part.iter().all(|byte| byte.is_ascii_graphic() || is_blank(byte));
	is_ascii && !ends_with_blank && !in_a_row
}

fn text(part: &NamePart) -> &str {
	str::from_utf8(part).unwrap_or_default()
}

impl MeterName {
	/// Returns the name with these ids.
	///
	/// # Errors
	/// The first reason of [`NameError`] that applies to one of them.
	pub fn new(site: &str, device: &str, meter: &str) -> Result<Self, NameError> {
		let (site, device, meter) = (Self::part(site)?, Self::part(device)?, Self::part(meter)?);
		Ok(Self { site, device, meter })
	}

	/// Returns one id.
	///
	/// # Errors
	/// The first reason of [`NameError`] that applies.
	pub fn part(text: &str) -> Result<NamePart, NameError> {
		check_part(text.as_bytes())?;
		NamePart::try_from(text.as_bytes().to_vec()).map_err(|_| NameError::TooLong)
	}

	/// Checks all three ids.
	///
	/// # Errors
	/// The first reason of [`NameError`] that applies to one of them.
	pub fn check(&self) -> Result<(), NameError> {
		[&self.site, &self.device, &self.meter].into_iter().try_for_each(|part| check_part(part))
	}

	/// Checks that a meter may be certified under this name: no two such names look alike to a person,
	/// except for upper and lower case, which [`MeterName::folded`] does away with.
	///
	/// # Errors
	/// The first reason of [`NameError`] that applies to one of the ids.
	pub fn check_plain(&self) -> Result<(), NameError> {
		self.check()?;
		let all = [&self.site, &self.device, &self.meter].into_iter().all(is_plain);
		if all { Ok(()) } else { Err(NameError::NotPlain) }
	}

	/// Returns the name in lower case: names that differ in case only are the same meter's.
	#[must_use]
	pub fn folded(mut self) -> Self {
		for part in [&mut self.site, &mut self.device, &mut self.meter] {
			part.iter_mut().for_each(|byte| byte.make_ascii_lowercase());
		}
		self
	}

	/// Returns `true` if [`MeterName::check`] finds nothing wrong.
	pub fn is_valid(&self) -> bool {
		self.check().is_ok()
	}

	/// Returns the id of the site; empty if it is not UTF-8.
	pub fn site(&self) -> &str {
		text(&self.site)
	}

	/// Returns the id of the device; empty if it is not UTF-8.
	pub fn device(&self) -> &str {
		text(&self.device)
	}

	/// Returns the id of the meter; empty if it is not UTF-8.
	pub fn meter(&self) -> &str {
		text(&self.meter)
	}
}

impl Hash for MeterName {
	fn hash<H: Hasher>(&self, state: &mut H) {
		[&self.site, &self.device, &self.meter].map(|part| part.as_slice()).hash(state);
	}
}

/// `site/device/meter`.
impl fmt::Display for MeterName {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{}/{}/{}", self.site(), self.device(), self.meter())
	}
}

impl fmt::Debug for MeterName {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{self}")
	}
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
	site: String,
	device: String,
	meter: String,
}

impl Serialize for MeterName {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		let [site, device, meter] = [self.site(), self.device(), self.meter()].map(str::to_string);
		Texts { site, device, meter }.serialize(serializer)
	}
}

impl<'de> Deserialize<'de> for MeterName {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let Texts { site, device, meter } = Texts::deserialize(deserializer)?;
		Self::new(&site, &device, &meter).map_err(D::Error::custom)
	}
}

/// Purpose of a topic of a meter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topic {
	/// `energy/<site>/<device>/<meter>`: the device publishes readings.
	Readings,
	/// `energy/<site>/<device>/<meter>/sign`: the gateway asks for a signature.
	Sign,
	/// `energy/<site>/<device>/<meter>/signed`: the device answers.
	Signed,
	/// `energy/<site>/<device>/<meter>/refused`: the gateway names a reading of the device that it
	/// does not keep.
	Refused,
}

impl Topic {
	/// First level of every topic.
	pub const ROOT: &'static str = "energy";

	const fn last_level(self) -> &'static str {
		match self {
			Self::Readings => "",
			Self::Sign => "/sign",
			Self::Signed => "/signed",
			Self::Refused => "/refused",
		}
	}

	/// Returns the topic of the meter `name`.
	pub fn of(self, name: &MeterName) -> String {
		format!("{}/{name}{}", Self::ROOT, self.last_level())
	}

	/// Returns the topic filter of all meters.
	pub fn of_all(self) -> String {
		format!("{}/+/+/+{}", Self::ROOT, self.last_level())
	}

	/// Returns purpose and meter of a topic; `None` if it is not a topic of a meter.
	pub fn parse(topic: &str) -> Option<(Self, MeterName)> {
		let mut levels = topic.split('/');
		if levels.next()? != Self::ROOT {
			return None;
		}
		let name = MeterName::new(levels.next()?, levels.next()?, levels.next()?).ok()?;
		let said = match levels.next() {
			None => Self::Readings,
			Some("sign") => Self::Sign,
			Some("signed") => Self::Signed,
			Some("refused") => Self::Refused,
			Some(_) => return None,
		};
		levels.next().is_none().then_some((said, name))
	}
}
