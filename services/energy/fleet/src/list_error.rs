//! Why a list of meters, or a registry, cannot be used.

use std::path::Path;

/// Why a list of meters, or a registry, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}{at}: {reason}", at = line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct ListError {
	/// The file.
	pub path: String,
	/// Number of the line, from 1; `None` if it is about the whole file.
	pub line: Option<usize>,
	/// What is wrong.
	pub reason: String,
}

impl ListError {
	pub(crate) fn new(path: &Path, line: Option<usize>, reason: impl ToString) -> Self {
		Self { path: path.display().to_string(), line, reason: reason.to_string() }
	}
}
