//! Where documents come from: the platform, or a folder of saved documents.

use crate::{
	day::DataItem,
	eic::Eic,
	entsoe::{self, Client},
	time::DayWindow,
};
use std::{
	io::Read,
	path::{Path, PathBuf},
};

/// Files that a folder may hold for one zone and day.
pub const MAX_FILES: usize = 16;

/// A source of documents.
#[derive(Debug)]
pub enum Source {
	/// ENTSO-E's Transparency Platform.
	Entsoe(Client),
	/// A folder with one sub-folder a day: `<folder>/2025-03-30/load_<EIC>.xml`,
	/// `<folder>/2025-03-30/price_<EIC>.xml`; further parts of the same day are
	/// `load_<EIC>.2.xml` and so on.
	Folder(PathBuf),
}

/// Why a source gives no document.
#[derive(Debug, thiserror::Error)]
pub enum SourceFailure {
	/// There is none, and asking again will not help.
	#[error("no data: {0}")]
	NoData(String),
	/// The platform did not answer, or not with a document.
	#[error(transparent)]
	Entsoe(#[from] entsoe::Failure),
	/// A file or folder cannot be read.
	#[error("cannot read {path}: {reason}")]
	Unreadable {
		/// Which.
		path: String,
		/// Why.
		reason: std::io::Error,
	},
	/// A folder holds more parts of one day than are accepted.
	#[error("{0} holds more than {MAX_FILES} files for one zone and day")]
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
	) -> Result<Vec<Vec<u8>>, SourceFailure> {
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
) -> Result<Vec<Vec<u8>>, SourceFailure> {
	let day = folder.join(window.day().to_string());
	let stem = format!("{}_{eic}", file_prefix(item));
	let first = day.join(format!("{stem}.xml"));
	let mut files = Vec::new();
	for part in 1..=MAX_FILES + 1 {
		let path = if part == 1 { first.clone() } else { day.join(format!("{stem}.{part}.xml")) };
		match read_bounded(&path)? {
			Some(_) if part > MAX_FILES => {
				return Err(SourceFailure::TooManyFiles(day.display().to_string()));
			},
			Some(bytes) => files.push(bytes),
			None => break,
		}
	}
	if files.is_empty() {
		return Err(SourceFailure::NoData(format!("{} does not exist", first.display())));
	}
	Ok(files)
}

/// The bytes of a file, or `None` if it does not exist. Reads one byte more than the reader
/// accepts at most, so that the reader can say that there is too much.
pub fn read_bounded(path: &Path) -> Result<Option<Vec<u8>>, SourceFailure> {
	let unreadable =
		|reason| SourceFailure::Unreadable { path: path.display().to_string(), reason };
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
