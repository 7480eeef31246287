//! Every case of the shared version-1 vectors, and every way a file can be refused.

use gridproof_attest::{Expected, RoleKey, RoleKeys, VerifyReport, verify};
use gridproof_primitives::{
	codec::json::{self, Limits, Value},
	crypto::ed25519::GROUP_ORDER,
	reserve::attestation::{Role, file_digest, message_v1},
	time::day::Day,
};
use zeroize::Zeroizing;

fn vectors() -> Value {
	let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../vectors/attestation_v1.json");
	json::parse(&std::fs::read(path).unwrap(), Limits::DEFAULT).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
	value.get(key).unwrap().as_str().unwrap()
}

fn trusted(vectors: &Value) -> RoleKeys {
	RoleKeys::parse(vectors.get("pubkeys_hex").unwrap().to_canonical().as_bytes()).unwrap()
}

fn check(file: &Value, day: &str, chain: &str) -> VerifyReport {
	let expected = Expected { day: Day::parse(day).unwrap(), chain };
	verify(file.to_pretty().as_bytes(), &trusted(&vectors()), &expected)
}

fn outcome(report: &VerifyReport) -> (bool, u32, Option<&'static str>) {
	(report.ok, report.signatures_ok, report.error)
}

#[test]
fn every_case_of_the_vectors_has_the_result_it_should() {
	let vectors = vectors();
	let cases = vectors.get("cases").unwrap().as_array().unwrap();
	assert!(cases.len() >= 4);
	for case in cases {
		let file = case.get("file").unwrap();
		let report = check(file, text(case, "expect_day"), text(case, "expect_chain"));
		let ours = json::parse(&serde_json::to_vec(&report).unwrap(), Limits::DEFAULT).unwrap();
		let wanted = case.get("result").unwrap();
		assert_eq!(ours.to_canonical(), wanted.to_canonical(), "{}", text(case, "name"));
	}
}

/// The first case: two good signatures of version 1.
fn good() -> Value {
	vectors().get("cases").unwrap().as_array().unwrap()[0].get("file").unwrap().clone()
}

fn key(role: Role) -> RoleKey {
	let seed = match role {
		Role::Data => 1,
		Role::Risk => 2,
		Role::Ops => 3,
	};
	RoleKey::from_seed(Zeroizing::new([seed; 32]), Some(role))
}

fn signature_entry(signer: &str, signature: &[u8]) -> Value {
	Value::Object(vec![
		("signer".into(), signer.into()),
		("sig".into(), hex::encode(signature).into()),
	])
}

/// Signs a version-1 file anew, as whoever holds `keys` could.
fn signed_by(mut file: Value, signers: &[(&str, &RoleKey)]) -> Value {
	let digest = file_digest(&file).unwrap();
	let chain = text(file.get("meta").unwrap(), "chain_hint").to_string();
	let message = message_v1(text(&file, "day"), &digest, &chain);
	let entries = signers.iter().map(|(name, key)| signature_entry(name, &key.sign(&message)));
	let entries = Value::Array(entries.collect());
	let meta = file.get_mut("meta").unwrap();
	meta.set("signatures", entries);
	meta.set("digest_signed", format!("{digest:#x}").into());
	file
}

fn with_signatures(mut file: Value, signatures: Vec<Value>) -> Value {
	file.get_mut("meta").unwrap().set("signatures", Value::Array(signatures));
	file
}

fn signatures(file: &Value) -> Vec<Value> {
	file.get("meta").unwrap().get("signatures").unwrap().as_array().unwrap().to_vec()
}

const DAY: &str = "2026-01-15";
const CHAIN: &str = "EVM:1";

#[test]
fn another_day_or_chain_is_refused_before_any_signature_counts() {
	assert_eq!(outcome(&check(&good(), "2026-01-16", CHAIN)), (false, 0, Some("day_mismatch")));
	assert_eq!(outcome(&check(&good(), DAY, "EVM:2")), (false, 0, Some("chain_mismatch")));
	assert_eq!(outcome(&check(&good(), DAY, "")), (false, 0, Some("chain_mismatch")));
}

#[test]
fn a_file_that_was_digested_again_has_no_good_signature() {
	let mut file = good();
	file.set("wh_dc_commit", Value::Number("200000000000".into()));
	let digest = format!("{:#x}", file_digest(&file).unwrap());
	file.get_mut("meta").unwrap().set("digest_signed", digest.into());
	assert_eq!(outcome(&check(&file, DAY, CHAIN)), (false, 0, Some("threshold")));
}

#[test]
fn a_rewritten_number_is_an_altered_file() {
	let mut file = good();
	file.set("S", Value::Number("10000000".into()));
	assert_eq!(outcome(&check(&file, DAY, CHAIN)), (false, 0, Some("digest_mismatch")));
	let mut file = good();
	file.get_mut("meta").unwrap().remove("digest_signed");
	assert_eq!(outcome(&check(&file, DAY, CHAIN)), (false, 0, Some("digest_mismatch")));
}

#[test]
fn order_of_signatures_and_blanks_do_not_matter() {
	let mut reversed = signatures(&good());
	reversed.reverse();
	assert_eq!(outcome(&check(&with_signatures(good(), reversed), DAY, CHAIN)), (true, 2, None));
	let expected = Expected { day: Day::parse(DAY).unwrap(), chain: CHAIN };
	let report = verify(good().to_canonical().as_bytes(), &trusted(&vectors()), &expected);
	assert_eq!(outcome(&report), (true, 2, None));
}

#[test]
fn one_role_counts_once_however_often_it_signs() {
	let data = signatures(&good())[0].clone();
	let twice = with_signatures(good(), vec![data.clone(), data.clone(), data]);
	let report = check(&twice, DAY, CHAIN);
	assert_eq!(outcome(&report), (false, 1, Some("threshold")));
	assert!(report.reasons[1].contains("a role counts once"), "{:?}", report.reasons);
}

#[test]
fn a_bad_signature_of_a_role_does_not_hide_its_good_one() {
	let mut entries = signatures(&good());
	entries.insert(0, signature_entry("data", &[0; 64]));
	assert_eq!(outcome(&check(&with_signatures(good(), entries), DAY, CHAIN)), (true, 2, None));
}

#[test]
fn outsiders_wrong_roles_and_unknown_roles_do_not_count() {
	let outsider = RoleKey::from_seed(Zeroizing::new([9; 32]), None);
	let (data, risk) = (key(Role::Data), key(Role::Risk));
	for signers in [
		[("data", &data), ("risk", &outsider)],
		[("data", &data), ("ops", &risk)],
		[("data", &data), ("audit", &risk)],
		[("data", &data), ("Risk", &risk)],
		[("data", &data), ("", &risk)],
	] {
		let report = check(&signed_by(good(), &signers), DAY, CHAIN);
		assert_eq!(outcome(&report), (false, 1, Some("threshold")), "{}", signers[1].0);
		assert_eq!(report.reasons.len(), 2);
	}
	let both = signed_by(good(), &[("data", &data), ("risk", &risk)]);
	assert_eq!(outcome(&check(&both, DAY, CHAIN)), (true, 2, None));
}

#[test]
fn a_key_inside_the_file_is_never_trusted() {
	let outsider = RoleKey::from_seed(Zeroizing::new([9; 32]), None);
	let mut file = signed_by(good(), &[("data", &key(Role::Data)), ("risk", &outsider)]);
	let signer = Value::Object(vec![
		("role".into(), "risk".into()),
		("pubkey".into(), hex::encode(outsider.public()).into()),
	]);
	file.get_mut("meta").unwrap().set("signers", Value::Array(vec![signer]));
	assert_eq!(outcome(&check(&file, DAY, CHAIN)), (false, 1, Some("threshold")));
}

#[test]
fn the_other_form_of_a_signature_does_not_count() {
	let mut entries = signatures(&good());
	let mut signature = hex::decode(text(&entries[1], "sig")).unwrap();
	let mut carry = 0u16;
	for (byte, order) in signature[32..].iter_mut().zip(GROUP_ORDER) {
		let sum = u16::from(*byte) + u16::from(order) + carry;
		*byte = (sum & 0xff) as u8;
		carry = sum >> 8;
	}
	entries[1] = signature_entry("risk", &signature);
	let report = check(&with_signatures(good(), entries.clone()), DAY, CHAIN);
	assert_eq!(outcome(&report), (false, 1, Some("threshold")));
	assert!(report.reasons[1].contains("S + L"), "{:?}", report.reasons);
	// Nor does it make two of one.
	entries[0] = signatures(&good())[1].clone();
	let report = check(&with_signatures(good(), entries), DAY, CHAIN);
	assert_eq!(outcome(&report), (false, 1, Some("threshold")));
}

#[test]
fn malformed_signatures_do_not_count() {
	let sig = text(&signatures(&good())[0], "sig").to_string();
	for bad in ["", "zz", &sig[..126], &format!("{sig}00"), &format!(" {sig}")] {
		let mut entries = signatures(&good());
		entries[0].set("sig", bad.into());
		let report = check(&with_signatures(good(), entries), DAY, CHAIN);
		assert_eq!(outcome(&report), (false, 1, Some("threshold")), "{bad}");
	}
	for bad in [Value::Null, Value::Array(vec![]), "data".into(), Value::Object(vec![])] {
		let entries = vec![bad, signatures(&good())[1].clone()];
		let report = check(&with_signatures(good(), entries), DAY, CHAIN);
		assert_eq!(outcome(&report), (false, 1, Some("threshold")));
	}
}

#[test]
fn what_is_no_attestation_file_is_refused_with_its_reason() {
	let keys = trusted(&vectors());
	let expected = Expected { day: Day::parse(DAY).unwrap(), chain: CHAIN };
	let code = |bytes: &[u8]| verify(bytes, &keys, &expected).error.unwrap();
	assert_eq!(code(b""), "not_json");
	assert_eq!(code(b"{\"day\":1,\"day\":2}"), "not_json");
	assert_eq!(code("[".repeat(5_000).as_bytes()), "not_json");
	for text in ["[]", "{}", "null", "{\"meta\":{}}", "{\"day\":\"2026-01-15\",\"meta\":[]}"] {
		assert_eq!(code(text.as_bytes()), "bad_structure", "{text}");
	}
	let changed = |path: &str, value: Value| {
		let mut file = good();
		match path.strip_prefix("meta.") {
			Some(member) => file.get_mut("meta").unwrap().set(member, value),
			None => file.set(path, value),
		};
		code(file.to_pretty().as_bytes())
	};
	assert_eq!(changed("meta.version", 3u128.into()), "unknown_version");
	assert_eq!(changed("meta.version", "2".into()), "unknown_version");
	assert_eq!(changed("meta.hash_algo", "md5".into()), "unsupported_algorithm");
	assert_eq!(changed("meta.sig_algo", "rsa".into()), "unsupported_algorithm");
	assert_eq!(changed("meta.domain", "OTHER".into()), "unsupported_algorithm");
	assert_eq!(changed("meta.chain_hint", Value::Null), "bad_structure");
	assert_eq!(changed("meta.chain_hint", "EVM:1|role=data".into()), "bad_structure");
	assert_eq!(changed("meta.signatures", Value::Null), "bad_structure");
	assert_eq!(changed("day", "2026-1-15".into()), "bad_structure");
	assert_eq!(changed("eur_per_mwh", Value::Null), "bad_structure");
	let many = vec![signatures(&good())[0].clone(); 65];
	assert_eq!(changed("meta.signatures", Value::Array(many)), "bad_structure");
	// A version-1 file cannot be passed off as one of version 2.
	assert_eq!(changed("eur_per_mwh", "90.0".into()), "digest_mismatch");
}

#[test]
fn trusted_keys_must_be_distinct_and_strong() {
	let data = hex::encode(key(Role::Data).public());
	let risk = hex::encode(key(Role::Risk).public());
	let parse = |text: String| RoleKeys::parse(text.as_bytes()).map_err(|fault| fault.to_string());
	assert!(parse(format!("{{\"data\":\"{data}\",\"risk\":\"0x{risk}\"}}")).is_ok());
	let same = parse(format!("{{\"data\":\"{data}\",\"risk\":\"{data}\"}}")).unwrap_err();
	assert!(same.contains("the same key"), "{same}");
	let weak = parse(format!("{{\"data\":\"{}\"}}", "00".repeat(32))).unwrap_err();
	assert!(weak.contains("weak"), "{weak}");
	for text in ["[]", "{\"data\":1}", "{\"data\":\"00\"}", "{\"admin\":\"00\"}", "{", ""] {
		assert!(parse(text.to_string()).is_err(), "{text}");
	}
	let one = RoleKeys::parse(format!("{{\"data\":\"{data}\"}}").as_bytes()).unwrap();
	let expected = Expected { day: Day::parse(DAY).unwrap(), chain: CHAIN };
	let report = verify(good().to_pretty().as_bytes(), &one, &expected);
	assert_eq!(outcome(&report), (false, 1, Some("threshold")));
}
