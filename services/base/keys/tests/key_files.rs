//! Key files: who can read them, what they hold, how they fail.

use gridproof_keys::{KeyError, Kind, SealedKey, show};
use std::{
	fs,
	os::unix::fs::{OpenOptionsExt, PermissionsExt},
	path::Path,
};
use zeroize::Zeroizing;

fn no_passphrase() -> Result<Zeroizing<Vec<u8>>, KeyError> {
	Err(KeyError::PassphraseNeeded("test".to_string()))
}

fn passphrase(text: &str) -> impl FnOnce() -> Result<Zeroizing<Vec<u8>>, KeyError> {
	let bytes = Zeroizing::new(text.as_bytes().to_vec());
	move || Ok(bytes)
}

fn write(path: &Path, text: &str, mode: u32) {
	use std::io::Write;
	let _ = fs::remove_file(path);
	let mut file = fs::OpenOptions::new();
	let mut file = file.write(true).create_new(true).mode(mode).open(path).unwrap();
	file.write_all(text.as_bytes()).unwrap();
	fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn error<T>(outcome: Result<T, KeyError>) -> KeyError {
	outcome.err().unwrap()
}

#[test]
fn a_key_is_made_kept_and_read_back_with_what_it_is_for() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("device.json");
	let key = SealedKey::generate(Kind::Device, Some("PLANT-01/gw-1/MTR-1")).unwrap();
	key.save(&path, None).unwrap();
	assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
	let again = SealedKey::load_as(&path, Kind::Device, no_passphrase).unwrap();
	assert_eq!(again.public(), key.public());
	assert_eq!((again.kind(), again.label()), (Some(Kind::Device), Some("PLANT-01/gw-1/MTR-1")));
	assert_eq!(again.sign(b"message"), key.sign(b"message"));
	let part = show(&path).unwrap();
	assert_eq!((part.kind, part.encrypted), (Some(Kind::Device), false));
	assert_eq!(part.public, hex::encode(key.public()));
	let other = error(SealedKey::load_as(&path, Kind::Miner, no_passphrase));
	assert!(other.to_string().ends_with("is the key of a device, not of a miner"), "{other}");
}

#[test]
fn a_signature_is_good_by_the_chains_own_rules() {
	let key = SealedKey::generate(Kind::Miner, None).unwrap();
	let signature = key.sign(b"message");
	let verify = |message: &[u8]| {
		gridproof_primitives::crypto::ed25519::verify(key.public(), message, &signature)
	};
	assert_eq!(verify(b"message"), Ok(()));
	assert!(verify(b"massage").is_err());
}

#[test]
fn labels_are_short_and_printable() {
	let folder = tempfile::tempdir().unwrap();
	for (name, label, good) in [
		("a", "x".repeat(200), true),
		("b", "x".repeat(201), false),
		("c", String::new(), false),
		("d", "line\nbreak".to_string(), false),
		("e", "KÖLN-02/gw/1".to_string(), true),
	] {
		let key = SealedKey::generate(Kind::Gateway, Some(&label)).unwrap();
		let saved = key.save(&folder.path().join(name), None);
		assert_eq!(saved.is_ok(), good, "{label:?}");
		if let Err(error) = saved {
			assert!(matches!(error, KeyError::BadLabel), "{error}");
		}
	}
}

#[test]
fn an_encrypted_key_opens_with_its_passphrase_only() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("miner.json");
	let key = SealedKey::generate(Kind::Miner, Some("rack 7")).unwrap();
	key.save(&path, Some(b"correct horse")).unwrap();
	let text = fs::read_to_string(&path).unwrap();
	assert!(!text.contains("\"secret\""), "{text}");
	assert!(show(&path).unwrap().encrypted);
	let opened = SealedKey::load(&path, passphrase("correct horse")).unwrap();
	assert_eq!(opened.public(), key.public());
	let wrong = error(SealedKey::load(&path, passphrase("battery staple")));
	assert!(matches!(wrong, KeyError::WrongPassphrase(_)), "{wrong}");
	let needed = error(SealedKey::load(&path, no_passphrase));
	assert!(matches!(needed, KeyError::PassphraseNeeded(_)), "{needed}");
	// Nothing in the file can be changed unnoticed: not the kind, not the label.
	for (from, to) in [("\"miner\"", "\"coordinator\""), ("rack 7", "rack 8")] {
		write(&path, &text.replace(from, to), 0o600);
		let altered = error(SealedKey::load(&path, passphrase("correct horse")));
		assert!(matches!(altered, KeyError::WrongPassphrase(_)), "{altered}");
	}
	write(&path, &text.replace("65536", "4294967295"), 0o600);
	let greedy = error(SealedKey::load(&path, passphrase("correct horse")));
	assert!(greedy.to_string().contains("too much memory"), "{greedy}");
}

#[test]
fn a_role_key_file_is_read_as_before() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("data.json");
	// The key pair of RFC 8032, section 7.1, test 1.
	let secret = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
	let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
	let text = format!(
		"{{\n  \"format\": \"gridproof-role-key\",\n  \"version\": 1,\n  \"role\": \"data\",\n  \
		 \"public\": \"{public}\",\n  \"secret\": \"{secret}\"\n}}\n"
	);
	write(&path, &text, 0o600);
	let key = SealedKey::load_as(&path, Kind::Role, no_passphrase).unwrap();
	assert_eq!((hex::encode(key.public()), key.label()), (public.to_string(), Some("data")));
	assert!(matches!(
		error(SealedKey::load_as(&path, Kind::Device, no_passphrase)),
		KeyError::Other { .. }
	));
	// And is written as before.
	let copy = folder.path().join("copy.json");
	key.save(&copy, None).unwrap();
	assert_eq!(fs::read_to_string(&copy).unwrap(), text);
}

#[test]
fn kinds_and_roles_do_not_mix_in_one_file() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("key.json");
	SealedKey::generate(Kind::Device, Some("a/b/c")).unwrap().save(&path, None).unwrap();
	let good = fs::read_to_string(&path).unwrap();
	for text in [
		good.replace("gridproof-key", "gridproof-role-key"),
		good.replace("\"kind\": \"device\"", "\"kind\": \"role\""),
		good.replace("\"kind\": \"device\"", "\"role\": \"data\""),
		good.replace("\"kind\": \"device\",", ""),
		good.replace("\"version\": 1", "\"version\": 2"),
	] {
		assert_ne!(text, good);
		write(&path, &text, 0o600);
		let error = error(SealedKey::load(&path, no_passphrase));
		assert!(matches!(error, KeyError::BadFile { .. }), "{error}");
	}
}

#[test]
fn a_file_that_others_can_read_or_that_is_there_already_is_refused() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("key.json");
	let key = SealedKey::generate(Kind::Device, None).unwrap();
	key.save(&path, None).unwrap();
	assert!(matches!(key.save(&path, None), Err(KeyError::Exists(_))));
	fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
	let loose = error(SealedKey::load(&path, no_passphrase));
	assert!(loose.to_string().contains("chmod 600"), "{loose}");
	assert!(matches!(show(&path), Err(KeyError::Loose { mode: 0o644, .. })));
}
