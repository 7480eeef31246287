//! Why keys cannot be used.

use std::{io, path::Path};

/// Why a key or a wallet cannot be used. No message quotes a secret.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
	/// The file system refuses.
	#[error("{path}: {reason}")]
	Io {
		/// Which file.
		path: String,
		/// Why.
		reason: io::Error,
	},
	/// There is a file already.
	#[error("{0} exists already; keys are never overwritten, choose another name")]
	Exists(String),
	/// Others than the owner may read or write a key file.
	#[error("{path} has mode {mode:03o}: others may read the key; run: chmod 600 {path}")]
	Loose {
		/// Which file.
		path: String,
		/// Its permissions.
		mode: u32,
	},
	/// Not a file of this kind.
	#[error("{path} is no key file: {reason}")]
	BadFile {
		/// Which file.
		path: String,
		/// Why.
		reason: String,
	},
	/// The key is encrypted.
	#[error("{0} is encrypted; give its passphrase")]
	PassphraseNeeded(String),
	/// A wallet without a passphrase.
	#[error("an empty passphrase protects nothing; choose another")]
	PassphraseEmpty,
	/// The passphrase is another, or the file was altered.
	#[error("{0}: wrong passphrase, or the file was altered")]
	WrongPassphrase(String),
	/// The key was made for something or somebody else.
	#[error("{path} is the key of {is}, not of {wanted}")]
	Other {
		/// Which file.
		path: String,
		/// Whose it is.
		is: String,
		/// Whose was asked for.
		wanted: String,
	},
	/// A label with control characters, or too long.
	#[error("a label has 1 to 200 characters, none of them a control character")]
	BadLabel,
	/// A phrase that is none.
	#[error("not a usable phrase: {0}")]
	BadPhrase(String),
	/// A derivation path that the scheme cannot follow.
	#[error("not a usable derivation path: {0}")]
	BadPath(String),
	/// The operating system gives no random numbers.
	#[error("no random numbers: {0}")]
	NoRandom(io::Error),
}

impl KeyFault {
	pub(crate) fn bad_file(path: &Path, reason: impl Into<String>) -> Self {
		Self::BadFile { path: path.display().to_string(), reason: reason.into() }
	}

	/// What the file system says about `path`; an occupied name is [`Self::Exists`].
	pub(crate) fn io(path: &Path, reason: io::Error) -> Self {
		let path = path.display().to_string();
		match reason.kind() {
			io::ErrorKind::AlreadyExists => Self::Exists(path),
			_ => Self::Io { path, reason },
		}
	}
}
