//! Key files and their passphrases.

use crate::exit::usage;
use anyhow::Context;
use clap::Args;
use gridproof_keys::{KeyError, Kind, SealedKey, show};
use gridproof_primitives::crypto::ed25519::PublicKey;
use gridproof_support::files::read_private_line;
use std::{
	io::IsTerminal,
	path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Fewest characters of a passphrase that a person types for a new key.
const SHORTEST_PASSPHRASE: usize = 8;

/// Returns an Ed25519 public key, written as 64 hexadecimal digits.
pub fn public_key(text: &str) -> Result<PublicKey, String> {
	let mut key = [0; 32];
	let digits = text.strip_prefix("0x").unwrap_or(text);
	let read = hex::decode_to_slice(digits, &mut key);
	read.map(|()| key).map_err(|_| "write 0x and 64 hexadecimal digits".to_string())
}

/// Returns the public key of a key file, whose passphrase is not needed, or the one that is written
/// out.
pub fn file_or_public_key(text: &str) -> Result<PublicKey, String> {
	if let Ok(key) = public_key(text) {
		return Ok(key);
	}
	let file = show(Path::new(text)).map_err(|error| {
		format!("{error}; name the key file, or write the public key as 0x and 64 digits")
	})?;
	public_key(&file.public)
}

/// Where a passphrase comes from.
#[derive(Args, Clone, Default)]
pub struct PassphraseArgs {
	/// File, mode 0600, whose first line is the passphrase of the key; without it, the passphrase
	/// is asked for.
	#[arg(long, value_name = "FILE", env = "GRIDPROOF_PASSPHRASE_FILE")]
	pub passphrase_file: Option<PathBuf>,
}

impl PassphraseArgs {
	/// Returns the passphrase for a new key: of the file, if one is named.
	pub fn of_file(&self) -> anyhow::Result<Option<Zeroizing<Vec<u8>>>> {
		self.passphrase_file.as_deref().map(passphrase_of).transpose()
	}
}

/// Returns the passphrase of the key at `path`: of the file that is named for it, or asked for.
pub fn ask(path: &Path, source: &PassphraseArgs) -> Result<Zeroizing<Vec<u8>>, KeyError> {
	let needed = || KeyError::PassphraseNeeded(path.display().to_string());
	match &source.passphrase_file {
		Some(file) => {
			let line = read_private_line(file)?;
			Some(line).filter(|line| !line.is_empty()).map(bytes).ok_or_else(|| KeyError::BadFile {
				path: file.display().to_string(),
				reason: "its first line is empty".to_string(),
			})
		},
		None if std::io::stdin().is_terminal() => {
			let question = format!("Passphrase of {}: ", path.display());
			let answer = rpassword::prompt_password(question).map_err(|_| needed())?;
			Ok(Zeroizing::new(answer.into_bytes()))
		},
		None => Err(needed()),
	}
}

/// Says to an error of a key whose passphrase is needed, where nobody can be asked, which option gives it.
pub fn in_file(error: anyhow::Error, option: &str) -> anyhow::Error {
	match error.downcast_ref() {
		Some(KeyError::PassphraseNeeded(_)) => {
			usage(format!("{error:#}, in the first line of the file of {option}"))
		},
		_ => error,
	}
}

/// Returns the passphrase in the first line of a file, byte for byte: what a key is encrypted with is
/// what opens it again.
pub fn passphrase_of(path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
	let line = read_private_line(path).map_err(KeyError::from)?;
	if line.is_empty() {
		return Err(usage(format!("the first line of {} is empty", path.display())));
	}
	Ok(bytes(line))
}

/// Returns the first line of a file that nobody else may read, without spaces around it: a key or
/// token, none of which has any.
pub fn secret_line(path: &Path) -> anyhow::Result<Zeroizing<String>> {
	// As it is: blanks may be a part of it.
	let line = read_private_line(path).map_err(KeyError::from)?;
	if line.trim().is_empty() {
		return Err(usage(format!("the first line of {} is empty", path.display())));
	}
	Ok(line)
}

fn bytes(line: Zeroizing<String>) -> Zeroizing<Vec<u8>> {
	Zeroizing::new(line.as_bytes().to_vec())
}

/// Returns a new passphrase, asked for twice.
pub fn chosen_passphrase() -> anyhow::Result<Zeroizing<Vec<u8>>> {
	let ask = |question| rpassword::prompt_password(question).map(Zeroizing::new);
	let first = ask("New passphrase: ")
		.map_err(|_| usage("no terminal to ask for a passphrase: name a --passphrase-file"))?;
	let again = ask("The same again: ").context("the passphrase was not repeated")?;
	if first.is_empty() {
		return Err(usage("an empty passphrase protects nothing"));
	}
	if *first != *again {
		return Err(usage("the two passphrases differ"));
	}
	if first.chars().count() < SHORTEST_PASSPHRASE {
		return Err(usage(format!(
			"that can be guessed: a passphrase has {SHORTEST_PASSPHRASE} characters or more"
		)));
	}
	Ok(bytes(first))
}

/// Loads the key of a file that was made for `kind`.
pub fn sealed_key(
	path: &Path,
	kind: Kind,
	passphrase: &PassphraseArgs,
) -> anyhow::Result<SealedKey> {
	SealedKey::load_as(path, kind, || ask(path, passphrase))
		.with_context(|| format!("cannot use the key {}", path.display()))
}

/// Loads the key of a file of any kind.
pub fn any_key(path: &Path, passphrase: &PassphraseArgs) -> anyhow::Result<SealedKey> {
	SealedKey::load(path, || ask(path, passphrase))
		.with_context(|| format!("cannot use the key {}", path.display()))
}

/// Returns the key at `path` to be registered: a new one if `make`, else the one that is there.
pub fn registered_key(
	path: &Path,
	kind: Kind,
	passphrase: &PassphraseArgs,
	make: bool,
) -> anyhow::Result<SealedKey> {
	if !make {
		return sealed_key(path, kind, passphrase);
	}
	// Of a registration that failed after the key was made.
	if path.exists() {
		return Err(usage(format!(
			"{} exists already: leave out --new-key to register that key, or choose another name",
			path.display()
		)));
	}
	new_sealed_key(path, kind, passphrase)
}

/// Makes a key file, encrypted if a passphrase file is named.
pub fn new_sealed_key(
	path: &Path,
	kind: Kind,
	passphrase: &PassphraseArgs,
) -> anyhow::Result<SealedKey> {
	let key = SealedKey::generate(kind, None)?;
	let secret = passphrase.of_file()?;
	if secret.is_none() {
		let path = path.display();
		eprintln!(
			"warning: the key {path} is not encrypted; name a --passphrase-file to encrypt it"
		);
	}
	key.save(path, secret.as_ref().map(|secret| secret.as_slice()))
		.with_context(|| format!("cannot make the key {}", path.display()))?;
	Ok(key)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_key_that_a_failed_registration_has_left_is_registered_without_new_key() {
		let folder = tempfile::tempdir().unwrap();
		let (path, plain) = (folder.path().join("key.json"), PassphraseArgs::default());
		let made = registered_key(&path, Kind::Miner, &plain, true).unwrap();
		let again = registered_key(&path, Kind::Miner, &plain, true).err().unwrap().to_string();
		assert!(again.contains("leave out --new-key to register that key"), "{again}");
		let there = registered_key(&path, Kind::Miner, &plain, false).unwrap();
		assert_eq!(there.public(), made.public());
	}

	#[test]
	fn where_nobody_can_be_asked_the_option_for_a_passphrase_is_named() {
		let needed = anyhow::Error::new(KeyError::PassphraseNeeded("owner.wallet".into()));
		let needed = in_file(needed.context("cannot use the wallet owner.wallet"), "--of-owner");
		assert_eq!(
			needed.to_string(),
			"cannot use the wallet owner.wallet: owner.wallet is encrypted; give its passphrase, in \
			 the first line of the file of --of-owner"
		);
		let wrong = anyhow::Error::new(KeyError::WrongPassphrase("w".into()));
		assert!(!in_file(wrong, "--of-owner").to_string().contains("--of-owner"));
	}
}
