//! `gridproof-node key`: keys of accounts, sessions and the node itself.
//!
//! Everything but `generate-node-key` is `sc-cli`'s. That one writes its secret into a file that
//! every user of the machine can read; ours is readable by its owner only.

use clap::Args;
use gridproof_node_service::Error;
use sc_cli::{GenerateCmd, InsertKeyCmd, InspectKeyCmd, InspectNodeKeyCmd, SubstrateCli};
use sc_network::config::ed25519::Keypair;
use sc_service::config::BasePath;
use std::{
	fs,
	io::{self, ErrorKind, Write},
	path::{Path, PathBuf},
};

/// Error of a key command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
	/// A node key with this name already exists.
	#[error(
		"{} exists already and is left as it is: replacing a node key changes the address by \
		 which other nodes know this one. Remove the file first if that is what you want.",
		.0.display()
	)]
	Exists(PathBuf),

	/// The file cannot be written.
	#[error("Cannot write {}: {reason}", .path.display())]
	Write {
		/// Path of the file.
		path: PathBuf,
		/// Error of the operating system.
		reason: io::Error,
	},

	/// `sc-cli` reports an error.
	#[error(transparent)]
	Cli(#[from] sc_cli::Error),
}

impl From<KeyError> for Error {
	fn from(error: KeyError) -> Self {
		match error {
			// Explained in the same way as everywhere else.
			KeyError::Cli(error) => Self::Cli(error),
			error => Self::Explained(error.to_string()),
		}
	}
}

/// Commands for keys.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum KeyCmd {
	/// Create the key by which other nodes know this one.
	GenerateNodeKey(GenerateNodeKeyCmd),

	/// Create an account: phrase, secret seed, public key and address.
	Generate(GenerateCmd),

	/// Show public key and address of a secret phrase, seed or public key.
	Inspect(InspectKeyCmd),

	/// Show the peer id of a node key.
	InspectNodeKey(InspectNodeKeyCmd),

	/// Put a session key into a node's keystore.
	Insert(InsertKeyCmd),
}

impl KeyCmd {
	/// Runs the command.
	pub(crate) fn run<C: SubstrateCli>(&self, cli: &C) -> Result<(), KeyError> {
		match self {
			Self::GenerateNodeKey(command) => command.run(cli),
			Self::Generate(command) => Ok(command.run()?),
			Self::Inspect(command) => Ok(command.run()?),
			Self::InspectNodeKey(command) => Ok(command.run()?),
			Self::Insert(command) => {
				command.run(cli)?;
				eprintln!("Key stored; a running node finds it at its next start.");
				Ok(())
			},
		}
	}
}

/// Destination of a new node key: with --chain the folder of that chain, with --file a file,
/// otherwise standard output.
#[derive(Debug, Clone, Args)]
pub(crate) struct GenerateNodeKeyCmd {
	/// Write the secret key to this file.
	#[arg(long, conflicts_with_all = ["base_path", "default_base_path"])]
	file: Option<PathBuf>,

	/// Write 32 raw bytes instead of hexadecimal digits.
	#[arg(long)]
	bin: bool,

	/// Chain that the node will run: dev, local, staging or a specification file.
	#[arg(long, value_name = "CHAIN_SPEC")]
	chain: Option<String>,

	/// The --base-path of the node; the key goes into its folder of --chain.
	#[arg(long, value_name = "PATH", requires = "chain", conflicts_with = "default_base_path")]
	base_path: Option<PathBuf>,

	/// Put the key where a node without --base-path looks for it.
	#[arg(long, requires = "chain")]
	default_base_path: bool,
}

impl GenerateNodeKeyCmd {
	/// Creates the key, stores it and prints the peer id to standard error.
	fn run<C: SubstrateCli>(&self, cli: &C) -> Result<(), KeyError> {
		let target = self.target(cli)?;
		let keypair = Keypair::generate();
		let secret = keypair.secret();
		let bytes = if self.bin {
			secret.as_ref().to_vec()
		} else {
			sp_core::bytes::to_hex(secret.as_ref(), false)
				.trim_start_matches("0x")
				.as_bytes()
				.to_vec()
		};
		match target {
			None => std::io::stdout().write_all(&bytes).map_err(sc_cli::Error::from)?,
			Some(file) => {
				write_secret(&file, &bytes)?;
				eprintln!("Node key written to {}", file.display());
			},
		}
		eprintln!("{}", keypair.public().to_peer_id());
		Ok(())
	}

	/// Returns the file to write to; `None` is standard output.
	fn target<C: SubstrateCli>(&self, cli: &C) -> Result<Option<PathBuf>, KeyError> {
		if self.file.is_some() {
			return Ok(self.file.clone());
		}
		let Some(chain) = &self.chain else { return Ok(None) };
		let base_path = match &self.base_path {
			Some(path) => BasePath::new(path.clone()),
			None => BasePath::from_project("", "", &C::executable_name()),
		};
		let id = cli.load_spec(chain).map_err(sc_cli::Error::Input)?.id().to_string();
		Ok(Some(base_path.config_dir(&id).join("network").join("secret_ed25519")))
	}
}

/// Writes a secret to a new file that only its owner can read. An existing file is kept.
fn write_secret(file: &Path, secret: &[u8]) -> Result<(), KeyError> {
	let path = || file.to_path_buf();
	let explain = |reason: io::Error| match reason.kind() {
		ErrorKind::AlreadyExists => KeyError::Exists(path()),
		_ => KeyError::Write { path: path(), reason },
	};
	if let Some(folder) = file.parent() {
		fs::create_dir_all(folder).map_err(explain)?;
	}
	let mut options = fs::OpenOptions::new();
	options.write(true).create_new(true);
	#[cfg(unix)]
	std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
	options.open(file).and_then(|mut file| file.write_all(secret)).map_err(explain)
}
