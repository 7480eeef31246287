//! Key files: who can read them, what they hold, how they fail.

use gridproof_attest::{RoleKey, show_role_key, trusted_file};
use gridproof_keys::KeyError;
use gridproof_primitives::reserve::attestation::Role;
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

#[test]
fn a_key_is_made_kept_and_read_back() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("data.json");
	let key = RoleKey::generate(Role::Data).unwrap();
	key.save(&path, None).unwrap();
	assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
	let again = RoleKey::load_for(&path, Role::Data, no_passphrase).unwrap();
	assert_eq!((again.public(), again.role()), (key.public(), Some(Role::Data)));
	assert_eq!(again.sign(b"message"), key.sign(b"message"));
	let other = RoleKey::load_for(&path, Role::Risk, no_passphrase).err().unwrap();
	assert!(other.to_string().ends_with("is the key of data, not of risk"), "{other}");
	assert!(matches!(other, KeyError::Other { .. }));
	assert_ne!(RoleKey::generate(Role::Data).unwrap().public(), key.public());
}

#[test]
fn a_key_is_never_overwritten() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("data.json");
	RoleKey::generate(Role::Data).unwrap().save(&path, None).unwrap();
	let before = fs::read(&path).unwrap();
	let fault = RoleKey::generate(Role::Risk).unwrap().save(&path, None).unwrap_err();
	assert!(matches!(fault, KeyError::Exists(_)), "{fault}");
	assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_key_that_others_can_read_is_refused_with_a_hint() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("data.json");
	RoleKey::generate(Role::Data).unwrap().save(&path, None).unwrap();
	for mode in [0o640, 0o604, 0o660, 0o610] {
		fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
		let fault = RoleKey::load(&path, no_passphrase).err().unwrap();
		assert!(matches!(fault, KeyError::Loose { mode: found, .. } if found == mode));
		assert!(fault.to_string().contains("chmod 600"), "{fault}");
		assert!(matches!(show_role_key(&path), Err(KeyError::Loose { .. })));
	}
	fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
	assert!(RoleKey::load(&path, no_passphrase).is_ok());
}

#[test]
fn an_encrypted_key_opens_with_its_passphrase_only() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("ops.json");
	let key = RoleKey::generate(Role::Ops).unwrap();
	key.save(&path, Some(b"correct horse")).unwrap();
	let text = fs::read_to_string(&path).unwrap();
	assert!(!text.contains("\"secret\""), "{text}");
	let part = show_role_key(&path).unwrap();
	assert_eq!((part.role, part.encrypted), (Some(Role::Ops), true));
	assert_eq!(part.public, hex::encode(key.public()));
	let opened = RoleKey::load(&path, passphrase("correct horse")).unwrap();
	assert_eq!(opened.public(), key.public());
	let wrong = RoleKey::load(&path, passphrase("battery staple")).err().unwrap();
	assert!(matches!(wrong, KeyError::WrongPassphrase(_)), "{wrong}");
	assert!(matches!(
		RoleKey::load(&path, no_passphrase).err().unwrap(),
		KeyError::PassphraseNeeded(_)
	));
	// Nothing in the file can be changed unnoticed, such as the role it is for.
	write(&path, &text.replace("\"ops\"", "\"data\""), 0o600);
	let altered = RoleKey::load(&path, passphrase("correct horse")).err().unwrap();
	assert!(matches!(altered, KeyError::WrongPassphrase(_)), "{altered}");
	write(&path, &text.replace("65536", "4294967295"), 0o600);
	let greedy = RoleKey::load(&path, passphrase("correct horse")).err().unwrap();
	assert!(greedy.to_string().contains("too much memory"), "{greedy}");
}

#[test]
fn a_bare_seed_is_a_key_of_no_certain_role() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("seed.hex");
	write(&path, &format!("{}\n", "01".repeat(32)), 0o600);
	let key = RoleKey::load_for(&path, Role::Data, no_passphrase).unwrap();
	let wanted = "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c";
	assert_eq!((hex::encode(key.public()), key.role()), (wanted.to_string(), None));
	assert_eq!(show_role_key(&path).unwrap().public, wanted);
}

#[test]
fn what_is_no_key_file_is_refused_without_quoting_it() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("key.json");
	let key = RoleKey::generate(Role::Data).unwrap();
	key.save(&path, None).unwrap();
	let good = fs::read_to_string(&path).unwrap();
	let secret = good.split("\"secret\": \"").nth(1).unwrap()[..64].to_string();
	for text in [
		String::new(),
		"{}".to_string(),
		secret[..63].to_string(),
		good.replace("gridproof-role-key", "other"),
		good.replace("\"version\": 1", "\"version\": 2"),
		good.replace("\"secret\"", "\"sekret\""),
		good.replace(&secret, &secret[..62]),
		good.replace(&secret, &"07".repeat(32)),
	] {
		write(&path, &text, 0o600);
		let fault = RoleKey::load(&path, no_passphrase).err().unwrap();
		assert!(matches!(fault, KeyError::BadFile { .. }), "{fault}");
		assert!(!fault.to_string().contains(&secret[..16]), "{fault}");
	}
}

#[test]
fn public_parts_make_the_file_that_verifiers_trust() {
	let folder = tempfile::tempdir().unwrap();
	let part = |role: Role| {
		let path = folder.path().join(role.as_str());
		RoleKey::generate(role).unwrap().save(&path, None).unwrap();
		show_role_key(&path).unwrap()
	};
	let parts = [part(Role::Data), part(Role::Risk)];
	let file = trusted_file(&parts).unwrap().to_canonical();
	let wanted = format!("{{\"data\":\"{}\",\"risk\":\"{}\"}}", parts[0].public, parts[1].public);
	assert_eq!(file, wanted);
	assert!(trusted_file(&[parts[0].clone(), parts[0].clone()]).is_err());
}
