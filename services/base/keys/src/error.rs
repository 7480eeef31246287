//! Why keys cannot be used.

use gridproof_support::{Classified, Failure, files::FileError};
use std::{io, path::Path};

/// Why a key or a wallet cannot be used. No message quotes a secret.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
	/// The file system refuses.
	#[error("{path}: {reason}")]
	Io {
		/// The file's path.
		path: String,
		/// The system's error.
		reason: io::Error,
	},
	/// There is already a file of that name.
	#[error("{0} exists already; keys are never overwritten, choose another name")]
	Exists(String),
	/// Others than the owner may read or write a key file.
	#[error("{path} has mode {mode:03o}: others may read the key; run: chmod 600 {path}")]
	Loose {
		/// The file's path.
		path: String,
		/// Its permissions.
		mode: u32,
	},
	/// The file does not hold a key or a wallet of this format.
	#[error("{path} is not a key file: {reason}")]
	BadFile {
		/// The file's path.
		path: String,
		/// What is wrong with it, without any of its contents.
		reason: String,
	},
	/// The key is encrypted and no passphrase was given.
	#[error("{0} is encrypted; give its passphrase")]
	PassphraseNeeded(String),
	/// The passphrase of a new wallet is empty.
	#[error("an empty passphrase protects nothing; choose another")]
	PassphraseEmpty,
	/// The passphrase is wrong, or the file was altered.
	#[error("{0}: wrong passphrase, or the file was altered")]
	WrongPassphrase(String),
	/// The key was made for another purpose or owner.
	#[error("{path} is the key of {is}, not of {wanted}")]
	Other {
		/// The file's path.
		path: String,
		/// The purpose or owner that the file names.
		is: String,
		/// The purpose or owner that was asked for.
		wanted: String,
	},
	/// The label has control characters or is too long.
	#[error("a label has 1 to 200 characters, none of them a control character")]
	BadLabel,
	/// The text is not a BIP-39 phrase.
	#[error("not a usable phrase: {0}")]
	BadPhrase(String),
	/// The scheme cannot follow the derivation path.
	#[error("not a usable derivation path: {0}")]
	BadPath(String),
	/// The operating system gave no random numbers.
	#[error("no random numbers: {0}")]
	NoRandom(io::Error),
}

impl KeyError {
	pub(crate) fn bad_file(path: &Path, reason: impl Into<String>) -> Self {
		Self::BadFile { path: path.display().to_string(), reason: reason.into() }
	}

	/// Returns the error of a system call on `path`; an occupied name is [`Self::Exists`].
	pub(crate) fn io(path: &Path, reason: io::Error) -> Self {
		let path = path.display().to_string();
		match reason.kind() {
			io::ErrorKind::AlreadyExists => Self::Exists(path),
			_ => Self::Io { path, reason },
		}
	}
}

impl From<FileError> for KeyError {
	fn from(error: FileError) -> Self {
		match error {
			FileError::Io { path, reason } => Self::Io { path, reason },
			FileError::Loose { path, mode } => Self::Loose { path, mode },
			FileError::NotText(path) => Self::BadFile { path, reason: "not text".to_string() },
		}
	}
}

impl Classified for KeyError {
	fn failure(&self) -> Failure {
		match self {
			Self::Io { .. } | Self::BadFile { .. } | Self::NoRandom(_) => Failure::BROKEN,
			Self::Exists(_)
			| Self::Loose { .. }
			| Self::PassphraseNeeded(_)
			| Self::PassphraseEmpty
			| Self::WrongPassphrase(_)
			| Self::Other { .. }
			| Self::BadLabel
			| Self::BadPhrase(_)
			| Self::BadPath(_) => Failure::USAGE,
		}
	}
}
