//! Where documents come from: the platform, or a folder of saved documents.

use crate::{
	day::DataItem,
	document::{Document, MarketDocument},
	eic::Eic,
	entsoe::{Client, PlatformError},
	reader::read,
	time::DayWindow,
};
use std::{
	io::Read,
	path::{Path, PathBuf},
};

/// Files that a folder may hold for one zone and day.
pub const MAX_FILES: usize = 16;
/// Files of a folder that are looked through when none has the agreed name.
pub(crate) const MAX_LOOKED_THROUGH: usize = 5_000;

/// A source of documents.
#[derive(Debug)]
pub enum Source {
	/// ENTSO-E's Transparency Platform.
	Entsoe(Box<Client>),
	/// A folder with one sub-folder a day: `<folder>/2025-03-30/load_<EIC>.xml`,
	/// `<folder>/2025-03-30/price_<EIC>.xml`; further parts of the same day are
	/// `load_<EIC>.2.xml` and so on. Where no file has that name, the documents in the folder and
	/// in its sub-folder of the day are known by what they say, whatever their names.
	Folder(PathBuf),
}

/// Why a source gives no document.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
	/// There is none, and asking again will not help.
	#[error("no data: {0}")]
	NoData(String),
	/// The platform did not answer with a document.
	#[error(transparent)]
	Platform(#[from] PlatformError),
	/// A file or folder cannot be read.
	#[error("cannot read {path}: {reason}")]
	Unreadable {
		/// File or folder.
		path: String,
		/// The system's error.
		reason: std::io::Error,
	},
	/// A folder holds more parts of one day than are accepted.
	#[error("{0} holds more than {MAX_FILES} files for one zone and day")]
	TooManyParts(String),
	/// A folder holds too many files to look through.
	#[error("{0} holds more than {MAX_LOOKED_THROUGH} XML files; name them as load_<EIC>.xml")]
	TooManyFiles(String),
}

impl Source {
	/// The documents of one zone and local day. The bytes may be any of the platform's documents,
	/// an acknowledgement included.
	pub async fn documents(
		&self,
		item: DataItem,
		eic: &Eic,
		window: &DayWindow,
	) -> Result<Vec<Vec<u8>>, SourceError> {
		match self {
			Self::Entsoe(client) => Ok(vec![client.document(item, eic, window).await?]),
			Self::Folder(folder) => saved_documents(folder, item, eic, window),
		}
	}
}

/// Prefix of the file names of a data item.
pub const fn file_prefix(item: DataItem) -> &'static str {
	match item {
		DataItem::Load => "load",
		DataItem::Price => "price",
	}
}

fn saved_documents(
	folder: &Path,
	item: DataItem,
	eic: &Eic,
	window: &DayWindow,
) -> Result<Vec<Vec<u8>>, SourceError> {
	let day = folder.join(window.day().to_string());
	let stem = format!("{}_{eic}", file_prefix(item));
	let first = day.join(format!("{stem}.xml"));
	let mut files = Vec::new();
	for part in 1..=MAX_FILES + 1 {
		let path = if part == 1 { first.clone() } else { day.join(format!("{stem}.{part}.xml")) };
		match read_bounded(&path)? {
			Some(_) if part > MAX_FILES => {
				return Err(SourceError::TooManyParts(day.display().to_string()));
			},
			Some(bytes) => files.push(bytes),
			None => break,
		}
	}
	if files.is_empty() {
		for folder in [folder, &day] {
			files.extend(known_by_content(folder, item, eic, window)?);
		}
	}
	if files.is_empty() {
		let first = first.display();
		return Err(SourceError::NoData(format!(
			"{first} does not exist, and no other document there is about {eic} and this day"
		)));
	}
	if files.len() > MAX_FILES {
		return Err(SourceError::TooManyParts(folder.display().to_string()));
	}
	Ok(files)
}

/// The documents in `folder` about `eic` and the day, in the order of their names.
fn known_by_content(
	folder: &Path,
	item: DataItem,
	eic: &Eic,
	window: &DayWindow,
) -> Result<Vec<Vec<u8>>, SourceError> {
	let unreadable =
		|reason| SourceError::Unreadable { path: folder.display().to_string(), reason };
	let entries = match std::fs::read_dir(folder) {
		Ok(entries) => entries,
		Err(reason) if reason.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
		Err(reason) => return Err(unreadable(reason)),
	};
	let mut paths = Vec::new();
	for entry in entries {
		let path = entry.map_err(unreadable)?.path();
		if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("xml")) && path.is_file() {
			paths.push(path);
		}
		if paths.len() > MAX_LOOKED_THROUGH {
			return Err(SourceError::TooManyFiles(folder.display().to_string()));
		}
	}
	paths.sort();
	let mut files = Vec::new();
	for path in paths {
		let Some(bytes) = read_bounded(&path)? else { continue };
		if is_about(&bytes, item, eic, window) {
			files.push(bytes);
		}
	}
	Ok(files)
}

/// Whether a file is about an area and day. One that cannot be read is, if it names the area:
/// then it is reported, not passed over.
fn is_about(bytes: &[u8], item: DataItem, eic: &Eic, window: &DayWindow) -> bool {
	let names = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
	if !names(eic.as_str()) {
		return false;
	}
	let overlaps = |document: &MarketDocument| {
		let mut of_area = document
			.series
			.iter()
			.filter(|series| series.domains.iter().any(|domain| domain == eic.as_str()));
		of_area.any(|series| {
			let mut periods = series.periods.iter();
			series.fault.is_some()
				|| periods.any(|period| period.start < window.end() && period.end > window.start())
		})
	};
	let (word, other) = match item {
		DataItem::Load => ("Load", "Price"),
		DataItem::Price => ("Price", "Load"),
	};
	match (read(bytes), item) {
		(Ok(Document::Load(document)), DataItem::Load)
		| (Ok(Document::Price(document)), DataItem::Price) => overlaps(&document),
		(Ok(Document::Load(_) | Document::Price(_)), _) => false,
		(Ok(Document::Acknowledgement(_)), _) => names(word) || !names(other),
		(Err(_), DataItem::Load) => !names("Publication_MarketDocument"),
		(Err(_), DataItem::Price) => !names("GL_MarketDocument"),
	}
}

/// The bytes of a file, or `None` if it does not exist. Reads one byte more than the reader
/// accepts at most, so that the reader can say that there is too much.
pub fn read_bounded(path: &Path) -> Result<Option<Vec<u8>>, SourceError> {
	let unreadable = |reason| SourceError::Unreadable { path: path.display().to_string(), reason };
	let file = match std::fs::File::open(path) {
		Ok(file) => file,
		Err(reason) if reason.kind() == std::io::ErrorKind::NotFound => return Ok(None),
		Err(reason) => return Err(unreadable(reason)),
	};
	let mut bytes = Vec::new();
	let limit = crate::cursor::MAX_BYTES as u64 + 1;
	file.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
	Ok(Some(bytes))
}
