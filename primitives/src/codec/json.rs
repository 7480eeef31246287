//! Strict JSON (RFC 8259) that keeps number literals, and its canonical form.
//!
//! Canonical: keys sorted by code point, no blanks, every character outside `U+0020…U+007E`
//! written as `\uXXXX` (two of them above `U+FFFF`), numbers exactly as they were read. For a
//! document whose numbers are not rewritten these are the bytes of Python's
//! `json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)`.
//!
//! Refused beyond the grammar: a key that occurs twice in an object, a lone surrogate, and
//! documents above the given [`Limits`]. Reading takes time linear in the document, but for the
//! check of keys (`n log n`).

use alloc::{
	string::{String, ToString},
	vec::Vec,
};
use core::fmt;

/// Limits of the size and depth of a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
	/// Highest number of bytes.
	pub max_bytes: usize,
	/// Highest number of arrays and objects inside one another; more than 128 counts as 128.
	pub max_depth: usize,
}

impl Limits {
	/// 1 MiB, 32 levels.
	pub const DEFAULT: Self = Self { max_bytes: 1 << 20, max_depth: 32 };
	const DEEPEST: usize = 128;
}

impl Default for Limits {
	fn default() -> Self {
		Self::DEFAULT
	}
}

/// Error of a text that is not an accepted JSON document, with the place of the mistake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JsonError {
	/// What is wrong with the document.
	pub fault: JsonErrorKind,
	/// Offset of the byte at which it was noticed, from 0.
	pub offset: usize,
}

/// Mistakes in a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonErrorKind {
	/// The document has more bytes than [`Limits::max_bytes`].
	TooLarge,
	/// The document has more levels than [`Limits::max_depth`].
	TooDeep,
	/// The text ends inside a value.
	UnexpectedEnd,
	/// The grammar does not allow this character here.
	UnexpectedCharacter,
	/// Text follows the document.
	TrailingText,
	/// The number is not written as JSON writes numbers.
	BadNumber,
	/// An escape is unknown, or has fewer than four hexadecimal digits.
	BadEscape,
	/// A control character is not escaped.
	ControlCharacter,
	/// A surrogate has no partner.
	LoneSurrogate,
	/// The text is not UTF-8.
	NotUtf8,
	/// An object already has this key.
	DuplicateKey,
}

impl fmt::Display for JsonError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let fault = match self.fault {
			JsonErrorKind::TooLarge => "document too large",
			JsonErrorKind::TooDeep => "nested too deeply",
			JsonErrorKind::UnexpectedEnd => "unexpected end",
			JsonErrorKind::UnexpectedCharacter => "unexpected character",
			JsonErrorKind::TrailingText => "text after the document",
			JsonErrorKind::BadNumber => "malformed number",
			JsonErrorKind::BadEscape => "malformed escape",
			JsonErrorKind::ControlCharacter => "control character in a string",
			JsonErrorKind::LoneSurrogate => "lone surrogate",
			JsonErrorKind::NotUtf8 => "not UTF-8",
			JsonErrorKind::DuplicateKey => "key occurs twice",
		};
		write!(f, "{fault} at byte {}", self.offset)
	}
}

impl core::error::Error for JsonError {}

/// A JSON value. Objects keep the order of the document; numbers keep their literal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
	/// `null`.
	Null,
	/// `true` or `false`.
	Bool(bool),
	/// A number, as written.
	Number(String),
	/// A string, unescaped.
	String(String),
	/// An array, in the order of the document.
	Array(Vec<Value>),
	/// An object: keys are distinct.
	Object(Vec<(String, Value)>),
}

impl Value {
	/// Returns the member `key` of an object.
	pub fn get(&self, key: &str) -> Option<&Value> {
		self.as_object()?.iter().find(|(name, _)| name == key).map(|(_, value)| value)
	}

	/// Returns the member `key` of an object for changing.
	pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
		match self {
			Self::Object(members) => {
				members.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
			},
			_ => None,
		}
	}

	/// Sets the member `key` of an object; returns `false` if the value is not an object.
	pub fn set(&mut self, key: &str, value: Value) -> bool {
		if let Some(member) = self.get_mut(key) {
			*member = value;
			return true;
		}
		match self {
			Self::Object(members) => {
				members.push((key.to_string(), value));
				true
			},
			_ => false,
		}
	}

	/// Removes the member `key` of an object.
	pub fn remove(&mut self, key: &str) {
		if let Self::Object(members) = self {
			members.retain(|(name, _)| name != key);
		}
	}

	/// Returns the members of an object, `None` for any other value.
	pub fn as_object(&self) -> Option<&[(String, Value)]> {
		match self {
			Self::Object(members) => Some(members),
			_ => None,
		}
	}

	/// Returns the elements of an array, `None` for any other value.
	pub fn as_array(&self) -> Option<&[Value]> {
		match self {
			Self::Array(elements) => Some(elements),
			_ => None,
		}
	}

	/// Returns the text of a string, `None` for any other value.
	pub fn as_str(&self) -> Option<&str> {
		match self {
			Self::String(text) => Some(text),
			_ => None,
		}
	}

	/// Returns the literal of a number, `None` for any other value.
	pub fn as_number(&self) -> Option<&str> {
		match self {
			Self::Number(literal) => Some(literal),
			_ => None,
		}
	}

	/// Returns the value of a number literal without fraction and exponent.
	pub fn as_u128(&self) -> Option<u128> {
		self.as_number()?.parse().ok()
	}

	/// Returns the canonical form.
	pub fn to_canonical(&self) -> String {
		let mut out = String::new();
		write_value(self, &mut out, true, None);
		out
	}

	/// Returns the form for people: in the order of the document, indented by tabs, ASCII-escaped,
	/// with one line feed at the end. Reading it again yields the same value.
	pub fn to_pretty(&self) -> String {
		let mut out = String::new();
		write_value(self, &mut out, false, Some(0));
		out.push('\n');
		out
	}
}

impl From<&str> for Value {
	fn from(text: &str) -> Self {
		Self::String(text.to_string())
	}
}

impl From<String> for Value {
	fn from(text: String) -> Self {
		Self::String(text)
	}
}

impl From<u128> for Value {
	fn from(value: u128) -> Self {
		Self::Number(value.to_string())
	}
}

/// Reads one document.
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value, JsonError> {
	if bytes.len() > limits.max_bytes {
		return Err(JsonError { fault: JsonErrorKind::TooLarge, offset: limits.max_bytes });
	}
	let text = core::str::from_utf8(bytes).map_err(|error| JsonError {
		fault: JsonErrorKind::NotUtf8,
		offset: error.valid_up_to(),
	})?;
	let max_depth = limits.max_depth.min(Limits::DEEPEST);
	let mut parser = Parser { text, at: 0, depth: 0, max_depth };
	parser.skip_blanks();
	let value = parser.value()?;
	parser.skip_blanks();
	match parser.peek() {
		None => Ok(value),
		Some(_) => parser.fail(JsonErrorKind::TrailingText),
	}
}

/// Returns the canonical form of a document.
pub fn canonicalize(bytes: &[u8], limits: Limits) -> Result<String, JsonError> {
	Ok(parse(bytes, limits)?.to_canonical())
}

struct Parser<'a> {
	text: &'a str,
	at: usize,
	depth: usize,
	max_depth: usize,
}

impl Parser<'_> {
	fn fail<T>(&self, fault: JsonErrorKind) -> Result<T, JsonError> {
		Err(JsonError { fault, offset: self.at })
	}

	fn peek(&self) -> Option<u8> {
		self.text.as_bytes().get(self.at).copied()
	}

	fn advance(&mut self, bytes: usize) {
		self.at = self.at.saturating_add(bytes);
	}

	fn next(&mut self) -> Option<u8> {
		let byte = self.peek()?;
		self.advance(1);
		Some(byte)
	}

	fn skip_blanks(&mut self) {
		while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
			self.advance(1);
		}
	}

	/// Moves past `byte` if it is next; returns `true` if it was.
	fn take(&mut self, byte: u8) -> bool {
		let found = self.peek() == Some(byte);
		if found {
			self.advance(1);
		}
		found
	}

	fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
		if self.take(byte) { Ok(()) } else { self.unexpected() }
	}

	fn unexpected<T>(&self) -> Result<T, JsonError> {
		match self.peek() {
			Some(_) => self.fail(JsonErrorKind::UnexpectedCharacter),
			None => self.fail(JsonErrorKind::UnexpectedEnd),
		}
	}

	fn value(&mut self) -> Result<Value, JsonError> {
		match self.peek() {
			Some(b'{') => self.nested(Self::object),
			Some(b'[') => self.nested(Self::array),
			Some(b'"') => self.string().map(Value::String),
			Some(b'-' | b'0'..=b'9') => self.number(),
			Some(b't') => self.word("true", Value::Bool(true)),
			Some(b'f') => self.word("false", Value::Bool(false)),
			Some(b'n') => self.word("null", Value::Null),
			_ => self.unexpected(),
		}
	}

	fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
		for byte in word.bytes() {
			self.expect(byte)?;
		}
		Ok(value)
	}

	fn nested(
		&mut self,
		read: fn(&mut Self) -> Result<Value, JsonError>,
	) -> Result<Value, JsonError> {
		if self.depth >= self.max_depth {
			return self.fail(JsonErrorKind::TooDeep);
		}
		self.depth = self.depth.saturating_add(1);
		self.advance(1);
		self.skip_blanks();
		let value = read(self)?;
		self.depth = self.depth.saturating_sub(1);
		Ok(value)
	}

	fn array(&mut self) -> Result<Value, JsonError> {
		let mut elements = Vec::new();
		if self.take(b']') {
			return Ok(Value::Array(elements));
		}
		loop {
			self.skip_blanks();
			elements.push(self.value()?);
			self.skip_blanks();
			if self.take(b']') {
				return Ok(Value::Array(elements));
			}
			self.expect(b',')?;
		}
	}

	fn object(&mut self) -> Result<Value, JsonError> {
		let mut members = Vec::new();
		if self.take(b'}') {
			return Ok(Value::Object(members));
		}
		loop {
			self.skip_blanks();
			if self.peek() != Some(b'"') {
				return self.unexpected();
			}
			let key = self.string()?;
			self.skip_blanks();
			self.expect(b':')?;
			self.skip_blanks();
			members.push((key, self.value()?));
			self.skip_blanks();
			if self.take(b'}') {
				break;
			}
			self.expect(b',')?;
		}
		let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).collect();
		keys.sort_unstable();
		if keys.iter().zip(keys.iter().skip(1)).any(|(left, right)| left == right) {
			return self.fail(JsonErrorKind::DuplicateKey);
		}
		Ok(Value::Object(members))
	}

	fn digits(&mut self) -> Result<(), JsonError> {
		let start = self.at;
		while let Some(b'0'..=b'9') = self.peek() {
			self.advance(1);
		}
		if self.at == start { self.fail(JsonErrorKind::BadNumber) } else { Ok(()) }
	}

	fn number(&mut self) -> Result<Value, JsonError> {
		let start = self.at;
		self.take(b'-');
		if !self.take(b'0') {
			self.digits()?;
		} else if let Some(b'0'..=b'9') = self.peek() {
			return self.fail(JsonErrorKind::BadNumber);
		}
		if self.take(b'.') {
			self.digits()?;
		}
		if self.take(b'e') || self.take(b'E') {
			if !self.take(b'+') {
				self.take(b'-');
			}
			self.digits()?;
		}
		let literal = self.text.get(start..self.at).unwrap_or_default();
		Ok(Value::Number(literal.to_string()))
	}

	fn string(&mut self) -> Result<String, JsonError> {
		self.expect(b'"')?;
		let mut out = String::new();
		loop {
			let start = self.at;
			while let Some(byte) = self.peek() {
				if byte == b'"' || byte == b'\\' || byte < 0x20 {
					break;
				}
				self.advance(1);
			}
			out.push_str(self.text.get(start..self.at).unwrap_or_default());
			match self.peek() {
				Some(b'"') => {
					self.advance(1);
					return Ok(out);
				},
				Some(b'\\') => {
					self.advance(1);
					out.push(self.escape()?);
				},
				Some(_) => return self.fail(JsonErrorKind::ControlCharacter),
				None => return self.fail(JsonErrorKind::UnexpectedEnd),
			}
		}
	}

	fn escape(&mut self) -> Result<char, JsonError> {
		match self.next() {
			Some(b'"') => Ok('"'),
			Some(b'\\') => Ok('\\'),
			Some(b'/') => Ok('/'),
			Some(b'b') => Ok('\u{8}'),
			Some(b'f') => Ok('\u{c}'),
			Some(b'n') => Ok('\n'),
			Some(b'r') => Ok('\r'),
			Some(b't') => Ok('\t'),
			Some(b'u') => self.unicode_escape(),
			Some(_) => self.fail(JsonErrorKind::BadEscape),
			None => self.fail(JsonErrorKind::UnexpectedEnd),
		}
	}

	fn unicode_escape(&mut self) -> Result<char, JsonError> {
		let first = self.hex4()?;
		if !(0xd800..0xe000).contains(&first) {
			return char::from_u32(first)
				.map_or_else(|| self.fail(JsonErrorKind::LoneSurrogate), Ok);
		}
		if first >= 0xdc00 || !self.take(b'\\') || !self.take(b'u') {
			return self.fail(JsonErrorKind::LoneSurrogate);
		}
		let second = self.hex4()?;
		if !(0xdc00..0xe000).contains(&second) {
			return self.fail(JsonErrorKind::LoneSurrogate);
		}
		let code = ((first & 0x3ff) << 10 | (second & 0x3ff)).saturating_add(0x1_0000);
		char::from_u32(code).map_or_else(|| self.fail(JsonErrorKind::LoneSurrogate), Ok)
	}

	fn hex4(&mut self) -> Result<u32, JsonError> {
		let mut code = 0;
		for _ in 0..4 {
			let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
			let Some(digit) = digit else { return self.fail(JsonErrorKind::BadEscape) };
			self.advance(1);
			code = code << 4 | digit;
		}
		Ok(code)
	}
}

/// Writes `value`; `sorted` by keys or not, on indented lines if `indent` is given.
fn write_value(value: &Value, out: &mut String, sorted: bool, indent: Option<usize>) {
	match value {
		Value::Null => out.push_str("null"),
		Value::Bool(true) => out.push_str("true"),
		Value::Bool(false) => out.push_str("false"),
		Value::Number(literal) => out.push_str(literal),
		Value::String(text) => write_string(text, out),
		Value::Array(elements) => {
			out.push('[');
			let inner = indent.map(|depth| depth.saturating_add(1));
			for (index, element) in elements.iter().enumerate() {
				separate(index, out, inner);
				write_value(element, out, sorted, inner);
			}
			close(elements.is_empty(), ']', out, indent);
		},
		Value::Object(members) => {
			out.push('{');
			let inner = indent.map(|depth| depth.saturating_add(1));
			let mut members: Vec<&(String, Value)> = members.iter().collect();
			if sorted {
				// Bytes of UTF-8 sort as code points do.
				members.sort_unstable_by(|left, right| left.0.cmp(&right.0));
			}
			for (index, (key, value)) in members.iter().enumerate() {
				separate(index, out, inner);
				write_string(key, out);
				out.push_str(if indent.is_some() { ": " } else { ":" });
				write_value(value, out, sorted, inner);
			}
			close(members.is_empty(), '}', out, indent);
		},
	}
}

fn separate(index: usize, out: &mut String, indent: Option<usize>) {
	if index > 0 {
		out.push(',');
	}
	break_line(out, indent);
}

fn close(empty: bool, bracket: char, out: &mut String, indent: Option<usize>) {
	if !empty {
		break_line(out, indent);
	}
	out.push(bracket);
}

fn break_line(out: &mut String, indent: Option<usize>) {
	if let Some(depth) = indent {
		out.push('\n');
		out.extend(core::iter::repeat_n('\t', depth));
	}
}

fn write_string(text: &str, out: &mut String) {
	out.push('"');
	for character in text.chars() {
		match character {
			'"' => out.push_str("\\\""),
			'\\' => out.push_str("\\\\"),
			'\n' => out.push_str("\\n"),
			'\r' => out.push_str("\\r"),
			'\t' => out.push_str("\\t"),
			'\u{8}' => out.push_str("\\b"),
			'\u{c}' => out.push_str("\\f"),
			' '..='~' => out.push(character),
			_ => {
				for unit in character.encode_utf16(&mut [0; 2]) {
					out.push_str("\\u");
					for shift in [12u32, 8, 4, 0] {
						let digit = u32::from(*unit) >> shift & 0xf;
						out.extend(char::from_digit(digit, 16));
					}
				}
			},
		}
	}
	out.push('"');
}
