//! The files of the page, in memory.

use crate::Addresses;
use axum::body::Bytes;
use gridproof_http::MetricsError;
use gridproof_support::{Classified, Failure};
use sha2::{Digest, Sha256};
use std::{
	collections::BTreeMap,
	fs, io,
	path::{Path, PathBuf},
};

/// The most that all files together may have, in bytes.
const MOST: u64 = 128 << 20;
/// How deep folders may lie in each other.
const DEPTH: usize = 4;

/// Error of a folder that cannot be served as the page.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
	/// There is no `index.html`.
	#[error("{} holds no built page: make it with ./scripts/dashboard build, and name its folder with --dir", .0.display())]
	NoPage(PathBuf),
	/// A file or folder cannot be read.
	#[error("cannot read {}: {reason}", .path.display())]
	Unreadable {
		/// The file or folder.
		path: PathBuf,
		/// What the system says.
		reason: io::Error,
	},
	/// The folder holds more than a page.
	#[error("{} is larger than {} MiB or nested too deeply: name the folder of the built page alone", .0.display(), MOST >> 20)]
	TooLarge(PathBuf),
	/// The spec is not JSON.
	#[error("{} is not a spec for light clients: make one with chain-specs/light-spec.mjs", .0.display())]
	BadSpec(PathBuf),
	/// Figures cannot be made.
	#[error(transparent)]
	Metrics(#[from] MetricsError),
}

impl Classified for SiteError {
	fn failure(&self) -> Failure {
		match self {
			Self::Metrics(_) => Failure::BROKEN,
			_ => Failure::USAGE,
		}
	}
}

/// How a file's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
	/// As they are.
	Identity,
	/// Compressed with gzip.
	Gzip,
	/// Compressed with Brotli.
	Brotli,
}

impl Coding {
	/// Returns its name in `Content-Encoding`; none for bytes as they are.
	pub const fn name(self) -> Option<&'static str> {
		match self {
			Self::Identity => None,
			Self::Gzip => Some("gzip"),
			Self::Brotli => Some("br"),
		}
	}
}

/// One file.
#[derive(Clone, Debug)]
pub struct Page {
	plain: Bytes,
	gzip: Option<Bytes>,
	brotli: Option<Bytes>,
	hash: String,
	content_type: &'static str,
	is_immutable: bool,
}

impl Page {
	fn new(name: &str, plain: Vec<u8>) -> Self {
		let hash = hex::encode(Sha256::digest(&plain)).chars().take(32).collect();
		Self {
			plain: plain.into(),
			gzip: None,
			brotli: None,
			hash,
			content_type: content_type(name),
			is_immutable: name.starts_with("/assets/"),
		}
	}

	/// Returns the smallest form that a reader with this `Accept-Encoding` can read.
	pub fn best_coding(&self, accepted: Option<&str>) -> Coding {
		let accepts = |name: &str| {
			accepted.is_some_and(|text| text.split(',').any(|one| is_wanted(one, name)))
		};
		if self.brotli.is_some() && accepts("br") {
			Coding::Brotli
		} else if self.gzip.is_some() && accepts("gzip") {
			Coding::Gzip
		} else {
			Coding::Identity
		}
	}

	/// Returns the bytes in this form.
	pub fn body(&self, coding: Coding) -> Bytes {
		let found = match coding {
			Coding::Identity => None,
			Coding::Gzip => self.gzip.as_ref(),
			Coding::Brotli => self.brotli.as_ref(),
		};
		found.unwrap_or(&self.plain).clone()
	}

	/// Returns the tag of the content in this form, with its quotes.
	pub fn tag(&self, coding: Coding) -> String {
		format!(
			"\"{}{}\"",
			self.hash,
			coding.name().map(|name| format!("-{name}")).unwrap_or_default()
		)
	}

	/// Returns what the file is, for `Content-Type`.
	pub const fn content_type(&self) -> &'static str {
		self.content_type
	}

	/// Returns whether the file's name changes with its content.
	pub const fn is_immutable(&self) -> bool {
		self.is_immutable
	}
}

/// Is this entry of `Accept-Encoding` the coding, and not refused by a weight of zero?
fn is_wanted(entry: &str, name: &str) -> bool {
	let mut parts = entry.split(';').map(str::trim);
	if parts.next() != Some(name) {
		return false;
	}
	let is_zero = |weight: &str| weight.chars().all(|digit| matches!(digit, '0' | '.'));
	!parts.any(|part| part.strip_prefix("q=").is_some_and(is_zero))
}

fn content_type(name: &str) -> &'static str {
	match name.rsplit('.').next().unwrap_or_default() {
		"html" => "text/html; charset=utf-8",
		"js" => "text/javascript; charset=utf-8",
		"css" => "text/css; charset=utf-8",
		"json" => "application/json",
		"svg" => "image/svg+xml",
		"woff2" => "font/woff2",
		"wasm" => "application/wasm",
		"png" => "image/png",
		_ => "application/octet-stream",
	}
}

/// All files of the page, by the path of a request.
#[derive(Clone, Debug, Default)]
pub struct Site {
	pages: BTreeMap<String, Page>,
}

impl Site {
	/// Reads a folder.
	///
	/// # Errors
	/// It holds no page, more than a page, or cannot be read.
	pub fn read(folder: &Path) -> Result<Self, SiteError> {
		if !folder.join("index.html").is_file() {
			return Err(SiteError::NoPage(folder.to_path_buf()));
		}
		let mut files = BTreeMap::new();
		let mut left = MOST;
		collect(folder, "", DEPTH, &mut left, &mut files)?;
		let mut pages: BTreeMap<String, Page> = BTreeMap::new();
		for (name, bytes) in &files {
			let is_form = |suffix| {
				name.strip_suffix(suffix).is_some_and(|plain: &str| files.contains_key(plain))
			};
			if is_form(".br") || is_form(".gz") {
				continue;
			}
			let mut page = Page::new(name, bytes.clone());
			page.brotli = files.get(&format!("{name}.br")).cloned().map(Into::into);
			page.gzip = files.get(&format!("{name}.gz")).cloned().map(Into::into);
			pages.insert(name.clone(), page);
		}
		Ok(Self { pages })
	}

	/// Adds what `/config.json` says.
	pub fn add_config(&mut self, addresses: &Addresses) {
		let text = serde_json::to_vec(addresses).unwrap_or_default();
		self.pages.insert("/config.json".to_string(), Page::new("/config.json", text));
	}

	/// Adds the spec for light clients.
	///
	/// # Errors
	/// It cannot be read, or is not JSON.
	pub fn add_light_spec(&mut self, path: &Path) -> Result<(), SiteError> {
		let text = fs::read(path)
			.map_err(|reason| SiteError::Unreadable { path: path.to_path_buf(), reason })?;
		let spec: serde_json::Value =
			serde_json::from_slice(&text).map_err(|_| SiteError::BadSpec(path.to_path_buf()))?;
		if !spec.get("genesis").is_some_and(serde_json::Value::is_object) {
			return Err(SiteError::BadSpec(path.to_path_buf()));
		}
		self.pages.insert("/light.json".to_string(), Page::new("/light.json", text));
		Ok(())
	}

	/// Returns how many files there are, and their bytes without compression.
	pub fn size(&self) -> (usize, usize) {
		let bytes = self.pages.values().map(|page| page.plain.len()).sum();
		(self.pages.len(), bytes)
	}

	/// Returns the file of a request's path.
	pub fn page(&self, path: &str) -> Option<&Page> {
		self.pages.get(if path == "/" { "/index.html" } else { path })
	}
}

/// Reads the files of a folder and of those within; links are not followed.
fn collect(
	folder: &Path,
	prefix: &str,
	depth: usize,
	left: &mut u64,
	files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), SiteError> {
	let unreadable = |path: &Path| {
		let path = path.to_path_buf();
		move |reason| SiteError::Unreadable { path, reason }
	};
	for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
		let entry = entry.map_err(unreadable(folder))?;
		let path = entry.path();
		let kind = entry.file_type().map_err(unreadable(&path))?;
		let Ok(name) = entry.file_name().into_string() else { continue };
		let name = format!("{prefix}/{name}");
		if kind.is_dir() {
			let depth =
				depth.checked_sub(1).ok_or_else(|| SiteError::TooLarge(folder.to_path_buf()))?;
			collect(&path, &name, depth, left, files)?;
		} else if kind.is_file() {
			let size = entry.metadata().map_err(unreadable(&path))?.len();
			*left =
				left.checked_sub(size).ok_or_else(|| SiteError::TooLarge(folder.to_path_buf()))?;
			files.insert(name, fs::read(&path).map_err(unreadable(&path))?);
		}
	}
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_weight_of_zero_refuses_a_coding_and_any_other_does_not() {
		for (entry, wanted) in [
			("br", true),
			(" br ;q=0.5", true),
			("br;q=1.0", true),
			("br;q=0", false),
			("br; q=0.000", false),
			("gzip", false),
		] {
			assert_eq!(is_wanted(entry, "br"), wanted, "{entry}");
		}
	}

	#[test]
	fn a_spec_that_is_none_is_refused_with_what_to_do() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("light.json");
		for text in ["", "[]", "{\"name\":\"x\"}"] {
			fs::write(&path, text).unwrap();
			let error = Site::default().add_light_spec(&path).unwrap_err();
			assert!(matches!(error, SiteError::BadSpec(_)), "{text}");
		}
		fs::write(&path, "{\"genesis\":{}}").unwrap();
		Site::default().add_light_spec(&path).unwrap();
	}
}
