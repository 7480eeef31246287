//! The shared version-1 vectors, and messages of version 2.

use codec::{Decode, Encode, MaxEncodedLen};
use gridproof_primitives::{
	H256,
	codec::{
		cid::Cid,
		json::{self, Limits, Value},
	},
	crypto::ed25519::{SignatureError, verify},
	num::decimal::{Ratio, SignedRatio},
	reserve::attestation::{
		AttestationFields, FieldError, Kind, Role, RoleSignature, chain_hint, file_digest,
		genesis_of_hint, message_v1, message_v2, unsigned_file, verify_statement,
	},
	time::day::Day,
};
use sp_core::{Pair, ed25519};

fn vectors() -> Value {
	let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/attestation_v1.json");
	json::parse(&std::fs::read(path).unwrap(), Limits::DEFAULT).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
	value.get(key).unwrap().as_str().unwrap()
}

fn key(vectors: &Value, role: &str) -> [u8; 32] {
	hex::decode(text(vectors.get("pubkeys_hex").unwrap(), role)).unwrap().try_into().unwrap()
}

fn pair(role: Role) -> ed25519::Pair {
	ed25519::Pair::from_seed(&[role.encode()[0] + 1; 32])
}

#[test]
fn digest_message_and_signatures_of_version_one_are_those_of_the_vectors() {
	let vectors = vectors();
	for case in vectors.get("cases").unwrap().as_array().unwrap() {
		let file = case.get("file").unwrap();
		let digest = file_digest(file).unwrap();
		let altered = text(case, "name") == "bad_tampered_field";
		assert_eq!(format!("{digest:#x}") == text(&vectors, "digest_signed"), !altered);
		if altered {
			continue;
		}
		let message = message_v1(text(file, "day"), &digest, "EVM:1");
		assert_eq!(String::from_utf8(message.clone()).unwrap(), text(&vectors, "message"));
		let signatures = file.get("meta").unwrap().get("signatures").unwrap().as_array().unwrap();
		for signature in signatures {
			let bytes = hex::decode(text(signature, "sig")).unwrap().try_into().unwrap();
			let key = key(&vectors, text(signature, "signer"));
			assert_eq!(verify(&key, &message, &bytes), Ok(()));
		}
	}
}

#[test]
fn the_canonical_form_keeps_number_literals() {
	let vectors = vectors();
	let case = &vectors.get("cases").unwrap().as_array().unwrap()[0];
	let mut file = case.get("file").unwrap().clone();
	let meta = file.get_mut("meta").unwrap();
	meta.set("signers", Value::Array(vec![]));
	meta.set("signatures", Value::Array(vec![]));
	meta.remove("digest_signed");
	assert_eq!(file.to_canonical(), text(&vectors, "canonical_utf8"));
	file.set("S", Value::Number("10000000".into()));
	assert_ne!(file_digest(&file), file_digest(case.get("file").unwrap()));
}

/// What the chain stores of a file is enough to look for it, and to recognise it.
#[test]
fn the_digest_of_a_file_is_the_address_of_what_was_signed() {
	let vectors = vectors();
	let case = &vectors.get("cases").unwrap().as_array().unwrap()[0];
	let file = case.get("file").unwrap();
	let (digest, unsigned) = (file_digest(file).unwrap(), unsigned_file(file).unwrap());
	assert_eq!(unsigned, text(&vectors, "canonical_utf8"));
	assert_eq!(Cid::of(unsigned.as_bytes()), Cid::from_digest(digest));
	let found = json::parse(unsigned.as_bytes(), Limits::DEFAULT).unwrap();
	assert_eq!(file_digest(&found), Some(digest));
	assert_eq!(unsigned_file(&found), Some(unsigned));
}

#[test]
fn a_file_without_meta_has_no_digest() {
	for text in ["{}", "[]", "{\"meta\":3}", "null"] {
		assert_eq!(file_digest(&json::parse(text.as_bytes(), Limits::DEFAULT).unwrap()), None);
	}
}

fn fields() -> AttestationFields {
	AttestationFields::example(Day::parse("2026-01-15").unwrap())
}

#[test]
fn the_message_of_version_two_reads_as_the_protocol_page_writes_it() {
	let (digest, hash, genesis) =
		(H256::repeat_byte(1), H256::repeat_byte(2), H256::repeat_byte(0xab));
	let message = message_v2(fields().day, &digest, &hash, &genesis, Role::Risk);
	let wanted = format!(
		"AICP|day=2026-01-15|digest=0x{}|fields=0x{}|v=2|chain=substrate:0x{}|role=risk",
		"01".repeat(32),
		"02".repeat(32),
		"ab".repeat(32)
	);
	assert_eq!(String::from_utf8(message).unwrap(), wanted);
	assert_eq!(genesis_of_hint(&chain_hint(&genesis)), Some(genesis));
	let upper = chain_hint(&genesis).to_uppercase().replace("SUBSTRATE:0X", "substrate:0x");
	for hint in ["EVM:1", "substrate:0x", "substrate:0x12", upper.as_str(), "substrate:0xé"] {
		assert_eq!(genesis_of_hint(hint), None, "{hint}");
	}
}

#[test]
fn a_signature_is_good_for_one_statement_one_chain_one_role() {
	let (digest, genesis) = (H256::repeat_byte(1), H256::repeat_byte(2));
	let sign = |role: Role| {
		let message = message_v2(fields().day, &digest, &fields().hash(), &genesis, role);
		RoleSignature { role, signature: pair(role).sign(&message).0 }
	};
	let key = pair(Role::Data).public().0;
	let good = sign(Role::Data);
	assert_eq!(verify_statement(&fields(), &digest, &genesis, &key, &good), Ok(()));

	let invalid = Err(SignatureError::Invalid);
	let altered: Vec<AttestationFields> = vec![
		AttestationFields { kind: Kind::Rehearsal, ..fields() },
		AttestationFields { day: Day::parse("2026-01-16").unwrap(), ..fields() },
		AttestationFields { revision: 1, ..fields() },
		AttestationFields { replaces: Some(H256::zero()), ..fields() },
		AttestationFields { wh_raw: fields().wh_raw + 1, ..fields() },
		AttestationFields { wh_committed: fields().wh_committed - 1, ..fields() },
		AttestationFields { alpha: Ratio::percent(17), ..fields() },
		AttestationFields { eur_per_mwh: SignedRatio::new(true, 90.into()), ..fields() },
		AttestationFields { compute_assets: 1, ..fields() },
		AttestationFields { zones_ok: 29, ..fields() },
		AttestationFields { zones_total: 31, ..fields() },
	];
	for altered in altered {
		assert_eq!(verify_statement(&altered, &digest, &genesis, &key, &good), invalid);
	}
	let other = H256::repeat_byte(9);
	assert_eq!(verify_statement(&fields(), &other, &genesis, &key, &good), invalid);
	assert_eq!(verify_statement(&fields(), &digest, &other, &key, &good), invalid);
	let as_risk = RoleSignature { role: Role::Risk, ..good };
	assert_eq!(verify_statement(&fields(), &digest, &genesis, &key, &as_risk), invalid);
	let by_risk = sign(Role::Risk);
	assert_eq!(verify_statement(&fields(), &digest, &genesis, &key, &by_risk), invalid);
}

#[test]
fn fields_that_contradict_themselves_are_named() {
	assert_eq!(fields().check(), Ok(()));
	let revision = AttestationFields { revision: 1, ..fields() };
	assert_eq!(revision.check(), Err(FieldError::Revision));
	let first = AttestationFields { replaces: Some(H256::zero()), ..fields() };
	assert_eq!(first.check(), Err(FieldError::Revision));
	let revised = AttestationFields { revision: 1, replaces: Some(H256::zero()), ..fields() };
	assert_eq!(revised.check(), Ok(()));
	let none = AttestationFields { zones_ok: 0, zones_total: 0, ..fields() };
	assert_eq!(none.check(), Err(FieldError::Zones));
	let zones = AttestationFields { zones_ok: 31, ..fields() };
	assert_eq!(zones.check(), Err(FieldError::Zones));
	let alpha = AttestationFields { alpha: Ratio::percent(101), ..fields() };
	assert_eq!(alpha.check(), Err(FieldError::Alpha));
	let more = AttestationFields { wh_committed: fields().wh_committed + 1, ..fields() };
	assert_eq!(more.check(), Err(FieldError::Commitment));
	let extreme = AttestationFields { wh_raw: u128::MAX, wh_committed: u128::MAX, ..fields() };
	assert_eq!(extreme.check(), Err(FieldError::Commitment));
}

#[test]
fn fields_decode_to_what_was_encoded_and_fit_their_bound() {
	let fields = AttestationFields {
		revision: u32::MAX,
		replaces: Some(H256::repeat_byte(0xff)),
		eur_per_mwh: SignedRatio::new(true, Ratio::new(u128::MAX, 3).unwrap()),
		..fields()
	};
	let bytes = fields.encode();
	assert_eq!(AttestationFields::decode(&mut &bytes[..]), Ok(fields.clone()));
	assert_eq!(bytes.len(), AttestationFields::max_encoded_len());
	assert!(AttestationFields::decode(&mut &bytes[..bytes.len() - 1]).is_err());
	// The layout that other implementations must follow: kind, day, revision, replaces, …
	let example = self::fields().encode();
	let head = [vec![0u8], 20_468u32.encode(), 0u32.encode(), vec![0u8]].concat();
	assert_eq!(example[..10], head[..]);
}
