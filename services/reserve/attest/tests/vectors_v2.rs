//! The files of `vectors/attestation_v2` get exactly the answers that are written there, and here.

use gridproof_attest::{Expected, RoleKeys, Version, open, verify};
use gridproof_primitives::{
	codec::json::{self, Limits, Value},
	reserve::attestation::file_digest,
	time::day::Day,
};

/// What each file has to be answered: `ok`, `signatures_ok`, `error`.
const ANSWERS: [(&str, bool, u32, Option<&str>); 4] = [
	("good.json", true, 2, None),
	("good_revision.json", true, 3, None),
	("bad_edited_figure.json", false, 0, Some("digest_mismatch")),
	("bad_role_twice.json", false, 1, Some("threshold")),
];

fn bytes(name: &str) -> Vec<u8> {
	let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../vectors/attestation_v2/");
	std::fs::read(format!("{folder}{name}")).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
	value.get(key).unwrap().as_str().unwrap()
}

#[test]
fn every_file_has_its_answer() {
	let keys = RoleKeys::parse(&bytes("keys.json")).unwrap();
	let expected = json::parse(&bytes("expected.json"), Limits::DEFAULT).unwrap();
	let cases = expected.as_array().unwrap();
	assert_eq!(cases.len(), ANSWERS.len());
	for (case, (file, ok, signatures_ok, error)) in cases.iter().zip(ANSWERS) {
		assert_eq!(text(case, "file"), file);
		let (day, chain) = (Day::parse(text(case, "day")).unwrap(), text(case, "chain"));
		let report = verify(&bytes(file), &keys, &Expected { day, chain });
		let answer = (report.ok, report.signatures_ok, report.required, report.error);
		assert_eq!(answer, (ok, signatures_ok, 2, error), "{file}: {:?}", report.reasons);
		let shown = json::parse(&serde_json::to_vec(&report).unwrap(), Limits::DEFAULT).unwrap();
		let wanted = case.get("result").unwrap();
		assert_eq!(shown.to_canonical(), wanted.to_canonical(), "{file}");
	}
}

#[test]
fn digests_and_fields_are_those_that_are_written_down() {
	let expected = json::parse(&bytes("expected.json"), Limits::DEFAULT).unwrap();
	let mut revised = None;
	for case in expected.as_array().unwrap() {
		let (file, digest) = (text(case, "file"), text(case, "digest"));
		let content = json::parse(&bytes(file), Limits::DEFAULT).unwrap();
		assert_eq!(format!("{:#x}", file_digest(&content).unwrap()), digest, "{file}");
		let Ok(opened) = open(&bytes(file), None) else {
			assert_eq!(file, "bad_edited_figure.json");
			continue;
		};
		let Version::Two(statement) = opened.version else { panic!("{file} is of version 1") };
		assert_eq!(format!("{:#x}", statement.fields.hash()), text(case, "fields"), "{file}");
		let replaces = statement.fields.replaces;
		assert_eq!(replaces.is_some(), file == "good_revision.json", "{file}");
		assert!(replaces.is_none() || replaces == revised, "{file} replaces good.json");
		revised = revised.or(Some(statement.fields.hash()));
	}
}
