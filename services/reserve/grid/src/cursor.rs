//! A bounded walk over XML: elements and their text, nothing else.
//!
//! It takes local names only (the platform changes its namespaces from release to release, never
//! its element names), skips comments and processing instructions, and refuses what these
//! documents never contain and what has been used to attack XML readers: document type
//! declarations, entities of one's own, deep nesting, endless lists.

use crate::document::DocumentError;
use quick_xml::{
	Reader,
	events::{BytesRef, Event},
};

/// Bytes of one document.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Elements of one document.
pub const MAX_ELEMENTS: usize = 1_000_000;
/// Elements within each other.
pub const MAX_DEPTH: usize = 16;
/// Bytes of text in one element.
pub const MAX_TEXT: usize = 8 * 1024;

type Result<T> = core::result::Result<T, DocumentError>;

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Token {
	/// An element starts; its local name.
	Open(String),
	/// Text, white space included.
	Text(String),
	/// The innermost open element ends.
	Close,
	/// The document ends; whoever has an element open takes that for [`DocumentError::Truncated`].
	End,
}

/// The walk over one document.
pub(crate) struct Cursor<'a> {
	reader: Reader<&'a [u8]>,
	depth: usize,
	elements: usize,
	rooted: bool,
}

impl<'a> Cursor<'a> {
	/// A walk over `bytes`, which must be UTF-8 and at most [`MAX_BYTES`] long.
	pub(crate) fn new(bytes: &'a [u8]) -> Result<Self> {
		if bytes.len() > MAX_BYTES {
			return Err(DocumentError::TooMany { what: "bytes", max: MAX_BYTES });
		}
		let text = core::str::from_utf8(bytes).map_err(|_| DocumentError::NotUtf8)?;
		if text.trim_start_matches('\u{feff}').trim().is_empty() {
			return Err(DocumentError::Empty);
		}
		let mut reader = Reader::from_str(text);
		reader.config_mut().expand_empty_elements = true;
		Ok(Self { reader, depth: 0, elements: 0, rooted: false })
	}

	/// The next token.
	pub(crate) fn token(&mut self) -> Result<Token> {
		loop {
			let event = self.reader.read_event().map_err(|error| DocumentError::Malformed {
				at: self.reader.error_position(),
				reason: error.to_string(),
			})?;
			match event {
				Event::Start(start) => {
					let name = start.local_name().as_ref().to_string();
					return self.open(name);
				},
				Event::End(_) => {
					self.depth = self.depth.checked_sub(1).ok_or(DocumentError::Truncated)?;
					return Ok(Token::Close);
				},
				Event::Text(text) => return self.text(text.xml10_content().into_owned()),
				Event::CData(text) => return self.text(text.xml10_content().into_owned()),
				Event::GeneralRef(entity) => return self.text(resolve(&entity)?),
				Event::DocType(_) => return Err(DocumentError::Doctype),
				Event::Decl(decl) => check_encoding(decl.encoding())?,
				Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {},
				Event::Eof => return Ok(Token::End),
			}
		}
	}

	/// The local name of the root element, which is then open.
	pub(crate) fn root(&mut self) -> Result<String> {
		loop {
			match self.token()? {
				Token::Open(name) => return Ok(name),
				Token::Text(text) if text.trim().is_empty() => {},
				Token::Text(_) | Token::Close => return Err(outside()),
				Token::End => return Err(DocumentError::Truncated),
			}
		}
	}

	/// Checks that nothing but white space and comments follows the root element.
	pub(crate) fn finish(&mut self) -> Result<()> {
		loop {
			match self.token()? {
				Token::End => return Ok(()),
				Token::Text(text) if text.trim().is_empty() => {},
				_ => return Err(outside()),
			}
		}
	}

	/// Calls `each` for every child of the open element `parent`, up to its end. `each` must
	/// consume the child's end.
	pub(crate) fn children(
		&mut self,
		parent: &str,
		mut each: impl FnMut(&mut Self, &str) -> Result<()>,
	) -> Result<()> {
		loop {
			match self.token()? {
				Token::Open(name) => each(self, &name)?,
				Token::Text(text) if text.trim().is_empty() => {},
				Token::Text(_) => {
					return Err(DocumentError::UnexpectedContent(parent.to_string()));
				},
				Token::Close => return Ok(()),
				Token::End => return Err(DocumentError::Truncated),
			}
		}
	}

	/// The text of the open element `name`, trimmed, up to its end.
	pub(crate) fn leaf(&mut self, name: &str) -> Result<String> {
		let mut all = String::new();
		loop {
			match self.token()? {
				Token::Text(text) => {
					if all.len() + text.len() > MAX_TEXT {
						return Err(DocumentError::TooMany {
							what: "bytes of text in one element",
							max: MAX_TEXT,
						});
					}
					all.push_str(&text);
				},
				Token::Close => return Ok(all.trim().to_string()),
				Token::Open(_) => return Err(DocumentError::UnexpectedContent(name.to_string())),
				Token::End => return Err(DocumentError::Truncated),
			}
		}
	}

	/// Passes over the open element, whatever is in it.
	pub(crate) fn skip(&mut self) -> Result<()> {
		let outside = self.depth.saturating_sub(1);
		while self.depth > outside {
			if self.token()? == Token::End {
				return Err(DocumentError::Truncated);
			}
		}
		Ok(())
	}

	fn open(&mut self, name: String) -> Result<Token> {
		if self.depth == 0 && self.rooted {
			return Err(outside());
		}
		self.rooted = true;
		self.depth += 1;
		self.elements += 1;
		if self.depth > MAX_DEPTH {
			return Err(DocumentError::TooMany {
				what: "elements within each other",
				max: MAX_DEPTH,
			});
		}
		if self.elements > MAX_ELEMENTS {
			return Err(DocumentError::TooMany { what: "elements", max: MAX_ELEMENTS });
		}
		Ok(Token::Open(name))
	}

	fn text(&self, text: String) -> Result<Token> {
		if self.depth == 0 && !text.trim().is_empty() {
			return Err(outside());
		}
		Ok(Token::Text(text))
	}
}

fn outside() -> DocumentError {
	DocumentError::UnexpectedContent("the document, outside its root element".into())
}

/// The five entities that XML has from the start, and character references.
fn resolve(entity: &BytesRef<'_>) -> Result<String> {
	let unknown = || DocumentError::UnknownEntity(entity.chars().take(32).collect());
	if let Some(character) = entity.resolve_char_ref().map_err(|_| unknown())? {
		return Ok(character.to_string());
	}
	let text = match entity.as_ref() {
		"amp" => "&",
		"lt" => "<",
		"gt" => ">",
		"apos" => "'",
		"quot" => "\"",
		_ => return Err(unknown()),
	};
	Ok(text.to_string())
}

fn check_encoding<E>(
	encoding: Option<core::result::Result<std::borrow::Cow<'_, str>, E>>,
) -> Result<()> {
	match encoding {
		None => Ok(()),
		Some(Ok(name))
			if name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("us-ascii") =>
		{
			Ok(())
		},
		Some(_) => Err(DocumentError::NotUtf8),
	}
}
