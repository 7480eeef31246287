//! Wallets: phrases, derivation against published vectors, encrypted files.

use bip39::Mnemonic;
use bitcoin::bip32::Xpriv;
use gridproof_keys::{
	KeyError, Wallet,
	account::{Keypair, address, parse_account},
	derive::{Path, Scheme, account_key, bip32_secp256k1, parse_phrase, slip10_ed25519},
	wallet::{Words, show},
};
use proptest::prelude::*;
use std::{fs, os::unix::fs::PermissionsExt, str::FromStr};
use subxt_signer::SecretUri;
use zeroize::Zeroizing;

/// The phrase behind //Alice and its like, known to everybody.
const DEVELOPMENT: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

fn path(text: &str) -> Path {
	text.parse().unwrap()
}

fn hex32(text: &str) -> [u8; 32] {
	hex::decode(text).unwrap().try_into().unwrap()
}

fn pass(text: &str) -> impl FnOnce() -> Result<Zeroizing<Vec<u8>>, KeyError> {
	let bytes = Zeroizing::new(text.as_bytes().to_vec());
	move || Ok(bytes)
}

#[test]
fn bip39_vectors_give_their_seeds() {
	// From the vectors that BIP-39 names; their password is "TREZOR".
	let vectors = [
		(
			"00000000000000000000000000000000",
			"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon \
			 abandon about",
			"c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1\
			 e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04",
		),
		(
			"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
			"legal winner thank year wave sausage worth useful legal winner thank yellow",
			"2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6fa457fe1296106559a3c8\
			 0937a1c1069be3a3a5bd381ee6260e8d9739fce1f607",
		),
	];
	for (entropy, words, seed) in vectors {
		let phrase = parse_phrase(words).unwrap();
		assert_eq!(hex::encode(phrase.to_entropy()), entropy);
		assert_eq!(hex::encode(phrase.to_seed("TREZOR")), seed.replace([' ', '\n'], ""));
	}
}

#[test]
fn slip_0010_vectors_give_their_keys() {
	// SLIP-0010, test vector 1 for ed25519: path, chain code, private key.
	let seed = hex::decode("000102030405060708090a0b0c0d0e0f").unwrap();
	let vectors = [
		(
			"m",
			"90046a93de5380a72b5e45010748567d5ea02bbf6522f979e05c0d8d8ca9fffb",
			"2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7",
		),
		(
			"m/0'",
			"8b59aa11380b624e81507a27fedda59fea6d0b779a778918a2fd3590e16e9c69",
			"68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3",
		),
		(
			"m/0h/1H",
			"a320425f77d1b5c2505a6b1b27382b37368ee640e3557c315416801243552f14",
			"b1d0bad404bf35da785a64ca1ac54b2617211d2777696fbffaf208f746ae84f2",
		),
		(
			"m/0'/1'/2'/2'/1000000000'",
			"68789923a0cac2cd5a29172a475fe9e0fb14cd6adb5ad98a3fa70333e7afa230",
			"8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793",
		),
	];
	for (steps, chain_code, secret) in vectors {
		let (key, chain) = slip10_ed25519(&seed, &path(steps)).unwrap();
		assert_eq!((hex::encode(*key), hex::encode(*chain)), (secret.into(), chain_code.into()));
	}
	let master = gridproof_keys::AccountKey::ed25519(Zeroizing::new(hex32(vectors[0].2)));
	let wanted = "a4b2856bfec510abab89753fac1ac0e1112364e7d250545963f135f2a33188ed";
	assert_eq!(hex::encode(master.account()), wanted);
}

#[test]
fn bip32_vectors_give_their_keys() {
	// BIP-32, test vector 1.
	let seed = hex::decode("000102030405060708090a0b0c0d0e0f").unwrap();
	let vectors = [
		(
			"m",
			"xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMR\
			 NNU3TGtRBeJgk33yuGBxrMPHi",
		),
		(
			"m/0'/1",
			"xprv9wTYmMFdV23N2TdNG573QoEsfRrWKQgWeibmLntzniatZvR9BmLnvSxqu53Kw1UmYPxLgboyZQaXwTCg8M\
			 SY3H2EU4pWcQDnRnrVA1xe8fs",
		),
		(
			"m/0'/1/2'/2/1000000000",
			"xprvA41z7zogVVwxVSgdKUHDy1SKmdb533PjDz7J6N6mV6uS3ze1ai8FHa8kmHScGpWmj4WggLyQjgPie1rFSr\
			 uoUihUZREPSL39UNdE3BBDu76",
		),
	];
	for (steps, extended) in vectors {
		let wanted = Xpriv::from_str(&extended.replace([' ', '\n'], "")).unwrap();
		let key = bip32_secp256k1(&seed, &path(steps)).unwrap();
		assert_eq!(*key, wanted.private_key.secret_bytes(), "{steps}");
	}
}

#[test]
fn a_phrase_shows_the_account_that_substrate_wallets_show() {
	let phrase = parse_phrase(DEVELOPMENT).unwrap();
	let of = |steps: &str| account_key(&phrase, Scheme::Sr25519, &path(steps)).unwrap().account();
	// What every Substrate wallet shows for the development phrase.
	let known = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";
	assert_eq!(of("m"), parse_account(known).unwrap());
	let bip44 = Scheme::Ed25519.default_path();
	assert_eq!(bip44, path("m/44'/354'/0'/0'/0'"));
	assert_eq!(Scheme::Sr25519.default_path(), path("m"));
	// A path is what those wallets write with slashes behind the phrase.
	for (steps, junctions) in
		[("m/44'/354'/0'/0'/0'", "//44//354//0//0//0"), ("m/44'/354'/0'/0/7", "//44//354//0/0/7")]
	{
		let uri = SecretUri::from_str(&format!("{DEVELOPMENT}{junctions}")).unwrap();
		assert_eq!(of(steps), Keypair::from_uri(&uri).unwrap().public_key().0);
	}
}

#[test]
fn a_secp256k1_account_is_the_hash_of_its_key_and_signs_as_substrate_does() {
	let phrase = parse_phrase(DEVELOPMENT).unwrap();
	let key = account_key(&phrase, Scheme::Secp256k1, &Scheme::Secp256k1.default_path()).unwrap();
	assert_eq!(Scheme::Secp256k1.default_path().to_string(), "m/44'/354'/0'/0/0");
	assert_eq!((key.public().len(), key.account().len()), (33, 32));
	let gridproof_keys::account::AccountSignature::Ecdsa(signature) = key.sign(b"payload") else {
		panic!("an ECDSA signature")
	};
	let signature = sp_core::ecdsa::Signature::from_raw(signature);
	let recovered = signature.recover("payload").unwrap();
	assert_eq!(recovered.as_ref() as &[u8], key.public());
}

#[test]
fn a_mistyped_phrase_is_refused_with_what_is_wrong_and_without_its_words() {
	let words: Vec<&str> = DEVELOPMENT.split(' ').collect();
	let refusal = |text: &str| match parse_phrase(text) {
		Err(KeyError::BadPhrase(reason)) => reason,
		other => panic!("{other:?}"),
	};
	let mut swapped = words.clone();
	swapped.swap(0, 1);
	assert!(refusal(&swapped.join(" ")).contains("checksum is wrong"));
	assert_eq!(
		refusal(&words[1..].join(" ")),
		"it has 11 words; a phrase has 12, 15, 18, 21 or 24"
	);
	let mut mistyped = words.clone();
	mistyped[2] = "obay";
	assert!(refusal(&mistyped.join(" ")).starts_with("word 3 is not in the English"));
	assert!(refusal("").contains("0 words"));
	for text in [swapped.join(" "), mistyped.join(" ")] {
		assert!(!refusal(&text).contains("lonely") && !refusal(&text).contains("obay"));
	}
	let spaced = format!("  {}\n", DEVELOPMENT.to_uppercase().replace(' ', "  "));
	assert_eq!(parse_phrase(&spaced).unwrap(), parse_phrase(DEVELOPMENT).unwrap());
}

/// An input that people met.
fn field(name: &str) -> String {
	let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../vectors/field/files");
	std::fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

#[test]
fn a_phrase_with_a_byte_order_mark_is_the_phrase() {
	let text = field("phrase-bom.txt");
	assert!(text.starts_with('\u{feff}'));
	let plain = text.trim_start_matches('\u{feff}');
	assert_eq!(parse_phrase(&text).unwrap(), parse_phrase(plain).unwrap());
}

#[test]
fn a_phrase_with_numbers_or_signs_is_said_to_need_the_words_only() {
	let numbered = field("phrase-numbered.txt");
	let signs = |sign: &str| DEVELOPMENT.replace(' ', sign);
	let quoted = format!("\"{DEVELOPMENT}\"");
	for text in [numbered, signs(", "), signs(";"), signs(" - "), quoted, signs("_")] {
		let Err(KeyError::BadPhrase(reason)) = parse_phrase(&text) else { panic!("{text}") };
		assert!(reason.starts_with("write the words only"), "{reason}");
		for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 4) {
			assert!(!reason.contains(word) || "words something".contains(word), "{reason}");
		}
	}
}

#[test]
fn paths_are_read_strictly_and_followed_as_far_as_the_scheme_can() {
	for bad in ["", "44'/354'", "m/", "m/2147483648", "m/+1", "m/ 1", "m/1''", "m/-1", "m//1"] {
		assert!(Path::from_str(bad).is_err(), "{bad}");
	}
	assert!(Path::from_str(&format!("m{}", "/0'".repeat(16))).is_ok());
	assert!(Path::from_str(&format!("m{}", "/0'".repeat(17))).is_err());
	assert_eq!(path("m/44h/0/2147483647H").to_string(), "m/44'/0/2147483647'");
	let phrase = parse_phrase(DEVELOPMENT).unwrap();
	let soft = account_key(&phrase, Scheme::Ed25519, &path("m/44'/354'/0'/0/0")).unwrap_err();
	assert!(soft.to_string().contains("write 0' for 0"), "{soft}");
}

#[test]
fn a_wallet_is_kept_encrypted_and_opens_with_its_passphrase_only() {
	let folder = tempfile::tempdir().unwrap();
	for scheme in Scheme::ALL {
		let file = folder.path().join(scheme.as_str());
		let wallet = Wallet::import(DEVELOPMENT, scheme, None).unwrap();
		wallet.save(&file, b"correct horse").unwrap();
		assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
		let text = fs::read_to_string(&file).unwrap();
		let entropy = hex::encode(Mnemonic::from_str(DEVELOPMENT).unwrap().to_entropy());
		assert!(!text.contains("bottom") && !text.contains(&entropy));
		let opened = Wallet::open(&file, pass("correct horse")).unwrap();
		assert_eq!(opened.shown(), wallet.shown());
		assert_eq!(*opened.phrase().unwrap(), DEVELOPMENT);
		assert_eq!(show(&file).unwrap(), wallet.shown());
		assert_eq!(wallet.shown().address, address(&wallet.key().account()));
		let wrong = Wallet::open(&file, pass("battery staple")).err().unwrap();
		assert!(matches!(wrong, KeyError::WrongPassphrase(_)), "{wrong}");
		assert!(matches!(wallet.save(&file, b"x"), Err(KeyError::Exists(_))));
	}
	let wallet = Wallet::import(DEVELOPMENT, Scheme::Sr25519, None).unwrap();
	let empty = wallet.save(&folder.path().join("empty"), b"").unwrap_err();
	assert!(matches!(empty, KeyError::PassphraseEmpty));
}

#[test]
fn an_altered_wallet_does_not_open() {
	let folder = tempfile::tempdir().unwrap();
	let file = folder.path().join("wallet");
	let wallet = Wallet::import(DEVELOPMENT, Scheme::Ed25519, None).unwrap();
	wallet.save(&file, b"pass").unwrap();
	let text = fs::read_to_string(&file).unwrap();
	let shown = wallet.shown();
	let other = Wallet::generate(Words::Twelve, Scheme::Ed25519, None).unwrap().shown();
	for (from, to) in [
		("m/44'/354'/0'/0'/0'", "m/44'/354'/1'/0'/0'"),
		("\"ed25519\"", "\"sr25519\""),
		(shown.address.as_str(), other.address.as_str()),
		(shown.account.as_str(), other.account.as_str()),
	] {
		assert!(text.contains(from));
		fs::write(&file, text.replace(from, to)).unwrap();
		let error = Wallet::open(&file, pass("pass")).err().unwrap();
		assert!(matches!(error, KeyError::WrongPassphrase(_)), "{error}");
	}
	for text in ["", "{}", "{\"format\":\"gridproof-key\"}", "{\"format\":\"gridproof-wallet\"}"] {
		fs::write(&file, text).unwrap();
		let error = Wallet::open(&file, pass("pass")).err().unwrap();
		assert!(matches!(error, KeyError::BadFile { .. }), "{error}");
	}
}

#[test]
fn new_phrases_have_12_or_24_words_and_differ() {
	for (words, count) in [(Words::Twelve, 12), (Words::TwentyFour, 24)] {
		let wallet = Wallet::generate(words, Scheme::Sr25519, None).unwrap();
		let phrase = wallet.phrase().unwrap();
		assert_eq!(phrase.split(' ').count(), count);
		let again = Wallet::import(&phrase, Scheme::Sr25519, None).unwrap();
		assert_eq!(again.shown(), wallet.shown());
		let other = Wallet::generate(words, Scheme::Sr25519, None).unwrap();
		assert_ne!(other.shown().account, wallet.shown().account);
	}
}

proptest! {
	#[test]
	fn a_path_survives_being_printed(
		steps in proptest::collection::vec((0u32..1 << 31, any::<bool>()), 0..16),
	) {
		let text: String = steps
			.iter()
			.map(|(index, hardened)| format!("/{index}{}", if *hardened { "'" } else { "" }))
			.collect();
		let text = format!("m{text}");
		prop_assert_eq!(path(&text).to_string(), text);
	}
}
