//! Tables of comma-separated values (RFC 4180), as people's programs write them: with or without
//! a byte order mark, with LF or CRLF, with quoted fields, with blank lines.

/// One line of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
	/// Its number in the file, from 1.
	pub line: usize,
	/// Its fields, as many as the header has, without spaces around them.
	pub fields: Vec<String>,
}

/// Why a table was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
	/// The first line is another than the format's.
	#[error("line 1: write {0}")]
	Header(String),
	/// A line has more or fewer fields than the header.
	#[error("line {line}: {found} fields instead of {wanted}")]
	Fields {
		/// Number of the line, from 1.
		line: usize,
		/// Fields of the header.
		wanted: usize,
		/// Fields of the line.
		found: usize,
	},
	/// A quote that is not closed, or bytes that are not UTF-8.
	#[error("line {line}: {reason}")]
	Unreadable {
		/// Number of the line, from 1.
		line: usize,
		/// The reader's reason.
		reason: String,
	},
}

impl CsvError {
	/// Returns the number of the line that is wrong, from 1.
	pub const fn line(&self) -> usize {
		match self {
			Self::Header(_) => 1,
			Self::Fields { line, .. } | Self::Unreadable { line, .. } => *line,
		}
	}
}

/// Reads a table whose first line is one of `headers`; returns the header's index and the rows.
///
/// # Errors
/// [`CsvError`].
pub fn read_any(text: &str, headers: &[&str]) -> Result<(usize, Vec<Row>), CsvError> {
	let text = text.strip_prefix('\u{feff}').unwrap_or(text);
	let mut reader = ::csv::ReaderBuilder::new()
		.has_headers(false)
		.flexible(true)
		.trim(::csv::Trim::All)
		.from_reader(text.as_bytes());
	let mut rows = Vec::new();
	let mut header = None;
	let mut lines = Lines { text: text.as_bytes(), byte: 0, line: 1 };
	for record in reader.records() {
		let record = record.map_err(|error| CsvError::Unreadable {
			line: lines.at(error.position()),
			reason: error.to_string(),
		})?;
		let line = lines.at(record.position());
		let fields: Vec<String> = record.iter().map(str::to_string).collect();
		let Some((_, wanted)) = header else {
			let found = headers.iter().position(|header| header.split(',').eq(record.iter()));
			let index = found.ok_or_else(|| CsvError::Header(headers.join(" or ")))?;
			header = Some((index, fields.len()));
			continue;
		};
		if fields.iter().all(String::is_empty) && fields.len() == 1 {
			continue;
		}
		// No table of ours has such a field, and a quote that is not closed takes in all further lines.
		if fields.iter().any(|field| field.contains(['\n', '\r'])) {
			let reason = "a field has a line break: is a quote not closed?".to_string();
			return Err(CsvError::Unreadable { line, reason });
		}
		if fields.len() != wanted {
			return Err(CsvError::Fields { line, wanted, found: fields.len() });
		}
		rows.push(Row { line, fields });
	}
	match header {
		Some((index, _)) => Ok((index, rows)),
		None => Err(CsvError::Header(headers.join(" or "))),
	}
}

/// Reads a table whose first line is `header`.
///
/// # Errors
/// [`CsvError`].
pub fn read(text: &str, header: &str) -> Result<Vec<Row>, CsvError> {
	Ok(read_any(text, &[header])?.1)
}

/// Returns a table as text, with LF and quotes where they are needed.
pub fn write<Fields>(header: &str, rows: impl IntoIterator<Item = Fields>) -> String
where
	Fields: IntoIterator<Item: AsRef<[u8]>>,
{
	let mut writer = ::csv::Writer::from_writer(Vec::new());
	for row in rows {
		// Writing to memory does not fail; all rows have as many fields as the caller's type.
		let _ = writer.write_record(row);
	}
	let body = writer.into_inner().unwrap_or_default();
	format!("{header}\n{}", String::from_utf8_lossy(&body))
}

/// Counts lines. The reader's own count takes blank lines for the begin of the next one.
struct Lines<'a> {
	text: &'a [u8],
	byte: usize,
	line: usize,
}

impl Lines<'_> {
	/// Returns the number of the line that a record begins in; positions never go back.
	fn at(&mut self, position: Option<&::csv::Position>) -> usize {
		let byte = position.map_or(0, |position| crate::number::clamped(position.byte()));
		while let Some(next) = self.text.get(self.byte) {
			if self.byte >= byte && !matches!(next, b'\r' | b'\n') {
				break;
			}
			self.line += usize::from(*next == b'\n');
			self.byte += 1;
		}
		self.line
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const HEADER: &str = "name,eic,timezone";

	fn row(line: usize, fields: [&str; 3]) -> Row {
		Row { line, fields: fields.map(str::to_string).to_vec() }
	}

	#[test]
	fn tables_of_all_programs_are_read_alike() {
		let wanted = vec![row(2, ["AT", "10Y", "Europe/Vienna"]), row(4, ["B,E", "x\"y", ""])];
		for text in [
			"name,eic,timezone\nAT,10Y,Europe/Vienna\n\n\"B,E\",\"x\"\"y\",\n",
			"\u{feff}name,eic,timezone\r\nAT, 10Y ,Europe/Vienna\r\n\r\n\"B,E\",\"x\"\"y\",\r\n",
			"\"name\",\"eic\",\"timezone\"\nAT,10Y,Europe/Vienna\n  \n\"B,E\",\"x\"\"y\",",
		] {
			assert_eq!(read(text, HEADER), Ok(wanted.clone()), "{text:?}");
		}
	}

	#[test]
	fn another_header_is_refused() {
		for text in ["", "\n", "AT,10Y,Europe/Vienna\n", "name,eic\n", "name,eic,timezone,more\n"] {
			assert_eq!(read(text, HEADER), Err(CsvError::Header(HEADER.to_string())), "{text:?}");
		}
		assert_eq!(read_any("a,b\n1,2\n", &["a", "a,b"]).unwrap().0, 1);
	}

	#[test]
	fn a_line_with_another_number_of_fields_is_named() {
		let error = read("name,eic,timezone\nAT,1,2\nAT,1\n", HEADER).unwrap_err();
		assert_eq!(error, CsvError::Fields { line: 3, wanted: 3, found: 2 });
		assert_eq!(error.to_string(), "line 3: 2 fields instead of 3");
	}

	#[test]
	fn a_quote_that_is_not_closed_hides_no_line() {
		let text = "name,eic,timezone\nAT,1,\"2\nBE,3,4\nCH,5,6\n";
		let error = read(text, HEADER).unwrap_err();
		assert!(matches!(error, CsvError::Unreadable { line: 2, .. }), "{error}");
	}

	#[test]
	fn what_is_written_is_read_again() {
		let rows = [["a,b", "c\"d", "e"], ["", "f g", "h"]];
		let text = write(HEADER, rows);
		assert_eq!(text, "name,eic,timezone\n\"a,b\",\"c\"\"d\",e\n,f g,h\n");
		assert_eq!(read(&text, HEADER), Ok(vec![row(2, rows[0]), row(3, rows[1])]));
	}
}
