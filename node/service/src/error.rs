//! Errors as the person at the terminal reads them: what is wrong, and what to do.

use std::{error::Error as StdError, fmt::Write, path::Path};

/// Name of the program in the commands that are proposed.
const PROGRAM: &str = "gridproof-node";

/// Error that stops the node or one of its commands.
#[derive(Debug, thiserror::Error)]
pub enum Error {
	/// Text that already says what is wrong and what to do.
	#[error("{0}")]
	Explained(String),

	/// An argument, a file or the configuration is wrong.
	#[error(transparent)]
	Cli(#[from] sc_cli::Error),

	/// A part of the running node failed.
	#[error(transparent)]
	Service(#[from] sc_service::Error),
}

impl From<sp_blockchain::Error> for Error {
	fn from(error: sp_blockchain::Error) -> Self {
		Self::Service(error.into())
	}
}

impl Error {
	/// Returns the text for the terminal. `location` has the arguments `--chain` and `--base-path`
	/// in use, so that proposed commands can be copied.
	pub fn render(&self, location: &str) -> String {
		match self {
			Self::Explained(text) => text.clone(),
			Self::Cli(sc_cli::Error::Input(text)) => text.clone(),
			Self::Cli(sc_cli::Error::NetworkKeyNotFound(file)) => no_node_key(file, location),
			Self::Cli(sc_cli::Error::Service(error)) | Self::Service(error) => service(error),
			Self::Cli(error) => with_causes(error),
		}
	}
}

/// Returns a service error without the kind that upstream prints before the text.
fn service(error: &sc_service::Error) -> String {
	let text = match error {
		sc_service::Error::Other(text) => text.clone(),
		sc_service::Error::Application(inner) => with_causes(inner.as_ref()),
		other => with_causes(other),
	};
	if text.contains("Address already in use") {
		return format!(
			"{text}: another program has taken one of this node's ports while it started. Choose \
			 other ports with --port, --rpc-port and --prometheus-port."
		);
	}
	text
}

/// Returns an error and its causes, each once.
fn with_causes(error: &dyn StdError) -> String {
	let mut text = error.to_string();
	let mut cause = error.source();
	while let Some(inner) = cause {
		let inner_text = inner.to_string();
		if !text.contains(&inner_text) {
			let _ = write!(text, ": {inner_text}");
		}
		cause = inner.source();
	}
	text
}

fn no_node_key(file: &Path, location: &str) -> String {
	format!(
		"This validator has no node key yet ({} is missing).\n\
		 Other nodes know a validator by this key, so it is created once and kept:\n\
		 \n    {PROGRAM} key generate-node-key{location}\n\n\
		 Then start the node again. For a network that is thrown away afterwards, pass\n\
		 --unsafe-force-node-key-generation instead.",
		file.display()
	)
}

/// Explains why the database could not be opened.
pub fn database(error: &sp_blockchain::Error, path: Option<&Path>, location: &str) -> Error {
	let reason = match error {
		sp_blockchain::Error::Backend(text) => text.clone(),
		other => with_causes(other),
	};
	let path = path.map_or_else(|| "in memory".to_string(), |path| path.display().to_string());
	let lowercase = reason.to_lowercase();
	let advice = if lowercase.contains("in use") {
		"Another node is using it. Stop that one, or give this one a folder of its own with \
		 --base-path."
			.to_string()
	} else if lowercase.contains("permission denied") {
		"This user may not read and write there: change the folder's owner, or choose another \
		 one with --base-path."
			.to_string()
	} else if lowercase.contains("no space") {
		"The disk is full: make room, then start again.".to_string()
	} else if is_other_pruning(error) {
		other_pruning(&reason, location)
	} else {
		format!(
			"If the disk is sound, the database is damaged: restore a copy, or delete it and \
			 sync again (keys stay):\n\n    {PROGRAM} purge-chain{location}\n"
		)
	};
	Error::Explained(format!("Cannot open the database at {path}: {reason}.\n{advice}"))
}

/// Whether the database was made for other states than are asked for.
pub fn is_other_pruning(error: &sp_blockchain::Error) -> bool {
	error.to_string().to_lowercase().contains("incompatible pruning")
}

/// Says which states the database keeps, which ones were asked for, and the two ways out.
fn other_pruning(reason: &str, location: &str) -> String {
	let stored = pruning_mode(reason, "stored");
	let asked = pruning_mode(reason, "requested");
	let keep = match &stored {
		Some(stored) => format!("start with --state-pruning {stored}"),
		None => "leave --state-pruning as it was then".to_string(),
	};
	let states = |mode: Option<String>| mode.map_or_else(String::new, |mode| format!(" ({mode})"));
	format!(
		"Which states are kept is fixed when a database is made: this one was made with another \
		 --state-pruning{} than this start asks for{}. Either keep it and {keep}, or make a new one: \
		 choose another --base-path, or delete it and sync again (keys stay):\n\
		 \n    {PROGRAM} purge-chain{location}\n",
		states(stored),
		states(asked)
	)
}

/// Reads a mode out of the database's message, and returns it as the command line has it.
fn pruning_mode(reason: &str, which: &str) -> Option<String> {
	let (_, rest) = reason.split_once(which)?;
	let mode = rest.trim_start_matches([':', ' ']).split([';', ']']).next()?;
	match mode {
		"ArchiveAll" => Some("archive".into()),
		"ArchiveCanonical" => Some("archive-canonical".into()),
		// The database knows that it keeps a number of states, and any number will do.
		_ if mode.starts_with("Constrained") => {
			let digits: String = mode.chars().filter(char::is_ascii_digit).collect();
			Some(if matches!(digits.as_str(), "" | "0") { "256".into() } else { digits })
		},
		_ => None,
	}
}

/// Explains why the free space of the disk is not enough, or not known.
pub fn disk_space(error: &sc_storage_monitor::Error, database: &Path) -> Error {
	Error::Explained(match error {
		sc_storage_monitor::Error::StorageOutOfSpace(available, required) => format!(
			"The disk of {} has {available} MiB left, and the node stops below {required} MiB. Make \
			 room, choose another disk with --base-path, or set --db-storage-threshold.",
			database.display()
		),
		sc_storage_monitor::Error::IOError(error) => format!(
			"The free space of the disk of {} cannot be read: {error}. If that is as it should \
			 be, switch the guard off with --db-storage-threshold 0.",
			database.display()
		),
	})
}
