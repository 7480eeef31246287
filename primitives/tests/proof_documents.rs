//! Proofs as JSON documents: those of the API, those of the older gateway, those that lie.

use gridproof_primitives::{
	H256,
	codec::hexadecimal,
	codec::json::{self, Limits, Value},
	crypto::merkle::{
		ProofError,
		anchored::{AnchorPath, AnchorTree},
		document::{Checked, ProofDocument, ProofDocumentError, Scheme},
		inclusion_steps, legacy, root,
	},
	energy::emlog::EnergyLog,
};

fn logs() -> Vec<EnergyLog> {
	let vectors = json::parse(include_bytes!("../../vectors/emlog.json"), Limits::DEFAULT).unwrap();
	let logs = vectors.get("logs").unwrap().as_array().unwrap();
	logs.iter().map(|case| EnergyLog::from_value(case.get("log").unwrap()).unwrap()).collect()
}

fn value(log: &EnergyLog) -> Value {
	json::parse(log.canonical().as_bytes(), Limits::DEFAULT).unwrap()
}

/// The proof of the second of three logs.
fn document() -> ProofDocument {
	let logs = logs();
	let leaves: Vec<H256> = logs[..3].iter().map(EnergyLog::leaf_hash).collect();
	ProofDocument {
		log_id: Some("log_0123456789ab".into()),
		batch_id: Some("batch_7_0".into()),
		leaf_hash: leaves[1],
		merkle_root: root(&leaves),
		index: 1,
		proof: inclusion_steps(&leaves, 1).unwrap(),
		tree_size: Some(3),
		scheme: Some(Scheme::Rfc6962),
		meter: Some(7),
		sequence: Some(0),
		anchor_path: None,
		log: Some(value(&logs[1])),
	}
}

/// The same, of a batch that is the third of five in one Bitcoin transaction.
fn anchored_document() -> ProofDocument {
	let mut roots: Vec<H256> = (0..5).map(|number| H256([number; 32])).collect();
	roots[2] = document().merkle_root;
	let path = AnchorTree::of(&roots).unwrap().path(2).unwrap();
	let anchor_path = Some(AnchorPath { txid: Some(H256([0xab; 32])), ..path });
	ProofDocument { anchor_path, ..document() }
}

/// As the older gateway exports it.
fn legacy_document() -> ProofDocument {
	let logs = logs();
	let leaves: Vec<H256> =
		logs[..3].iter().map(|log| legacy::leaf_hash(log.canonical().as_bytes())).collect();
	ProofDocument {
		leaf_hash: leaves[2],
		merkle_root: legacy::root(&leaves),
		index: 2,
		proof: legacy::proof(&leaves, 2).unwrap(),
		tree_size: None,
		scheme: None,
		meter: None,
		sequence: None,
		log: None,
		..document()
	}
}

fn parse(text: &str) -> Result<ProofDocument, ProofDocumentError> {
	ProofDocument::parse(text.as_bytes())
}

const RFC: Checked = Checked { scheme: Scheme::Rfc6962, log_checked: true };
const LEGACY: Checked = Checked { scheme: Scheme::Legacy, log_checked: false };

#[test]
fn a_document_comes_back_as_it_was_written() {
	for document in [document(), legacy_document(), anchored_document()] {
		assert_eq!(parse(&document.to_value().to_pretty()), Ok(document.clone()));
		assert_eq!(parse(&document.to_value().to_canonical()), Ok(document));
	}
	let names: Vec<String> = legacy_document()
		.to_value()
		.as_object()
		.unwrap()
		.iter()
		.map(|(name, _)| name.clone())
		.collect();
	assert_eq!(names, ["log_id", "batch_id", "leaf_hash", "merkle_root", "index", "proof"]);
	let hash = legacy_document().to_value().get("leaf_hash").unwrap().clone();
	assert_eq!(
		hash.as_str().unwrap(),
		"10ffb885838f3acffa2a37429f2d282f851fd22cc064b63a5e0c2bf677cfe39e"
	);
}

#[test]
fn hashes_may_have_a_prefix_and_other_members_are_passed_over() {
	let text = document().to_value().to_canonical();
	let hash = hexadecimal::encode(&document().leaf_hash.0);
	let prefixed = text.replace(&hash, &format!("0x{}", hash.to_uppercase()));
	let extended = prefixed.replacen('{', "{\"anchor\":{\"txid\":null},", 1);
	assert_eq!(parse(&extended), Ok(document()));
}

#[test]
fn documents_of_both_schemes_verify() {
	assert_eq!(document().verify(None), Ok(RFC));
	assert_eq!(document().verify(Some(Scheme::Rfc6962)), Ok(RFC));
	assert_eq!(legacy_document().verify(None), Ok(LEGACY));
	assert_eq!(legacy_document().verify(Some(Scheme::Legacy)), Ok(LEGACY));
	// A size says that it is ours, even if the scheme is missing.
	assert_eq!(ProofDocument { scheme: None, ..document() }.verify(None), Ok(RFC));
	let without_log = ProofDocument { log: None, ..document() };
	assert_eq!(without_log.verify(None), Ok(Checked { log_checked: false, ..RFC }));
	let logs = logs();
	let with_log = ProofDocument { log: Some(value(&logs[2])), ..legacy_document() };
	assert_eq!(with_log.verify(None), Ok(Checked { log_checked: true, ..LEGACY }));
}

#[test]
fn one_scheme_is_never_taken_for_the_other() {
	let other = |scheme| Err(ProofDocumentError::OtherScheme(scheme));
	assert_eq!(document().verify(Some(Scheme::Legacy)), other(Scheme::Rfc6962));
	let mut stated = legacy_document();
	stated.scheme = Some(Scheme::Legacy);
	assert_eq!(stated.verify(Some(Scheme::Rfc6962)), other(Scheme::Legacy));
	let no_size = Err(ProofDocumentError::NoTreeSize);
	assert_eq!(legacy_document().verify(Some(Scheme::Rfc6962)), no_size);
	assert_eq!(ProofDocument { tree_size: None, ..document() }.verify(None), no_size);
	// Ours without scheme and size looks like an older one, and does not hold as such.
	let stripped = ProofDocument { scheme: None, tree_size: None, log: None, ..document() };
	assert_eq!(stripped.verify(None), Err(ProofError::RootMismatch.into()));
	let with_log = ProofDocument { log: document().log, ..stripped };
	assert_eq!(with_log.verify(None), Err(ProofDocumentError::OtherLog));
}

#[test]
fn documents_that_lie_are_refused() {
	let refused = |alter: &dyn Fn(&mut ProofDocument)| {
		let mut document = document();
		alter(&mut document);
		document.verify(None).unwrap_err()
	};
	let mismatch: ProofDocumentError = ProofError::RootMismatch.into();
	assert_eq!(refused(&|document| document.merkle_root.0[0] ^= 1), mismatch);
	assert_eq!(refused(&|document| document.proof[1].hash.0[0] ^= 1), mismatch);
	assert_eq!(
		refused(&|document| {
			document.leaf_hash.0[0] ^= 1;
			document.log = None;
		}),
		mismatch
	);
	assert_eq!(refused(&|document| document.leaf_hash.0[0] ^= 1), ProofDocumentError::OtherLog);
	assert_eq!(
		refused(&|document| {
			let log = document.log.as_mut().unwrap();
			log.set("energy_kwh", Value::Number("5.00".into()));
		}),
		ProofDocumentError::OtherLog
	);
	let out_of_range: ProofDocumentError = ProofError::IndexOutOfRange.into();
	assert_eq!(refused(&|document| document.index = 3), out_of_range);
	assert_eq!(refused(&|document| document.tree_size = Some(0)), out_of_range);
	assert_eq!(refused(&|document| document.index = 2), ProofError::WrongLength.into());
	assert_eq!(refused(&|document| document.index = 0), ProofError::WrongPosition.into());
	assert_eq!(refused(&|document| document.tree_size = Some(5)), ProofError::WrongLength.into());
	let mut legacy = legacy_document();
	legacy.index = 3;
	assert_eq!(legacy.verify(None), Err(ProofError::WrongPosition.into()));
	legacy.index = 4 + 2;
	assert_eq!(legacy.verify(None), Err(out_of_range.clone()));
	legacy.index = 2;
	legacy.tree_size = Some(2);
	assert_eq!(legacy.verify(Some(Scheme::Legacy)), Err(out_of_range));
}

#[test]
fn a_document_leads_to_the_anchored_root_and_is_refused_where_the_way_breaks() {
	assert_eq!(anchored_document().verify(None), Ok(RFC));
	let refused = |alter: &dyn Fn(&mut AnchorPath)| {
		let mut document = anchored_document();
		alter(document.anchor_path.as_mut().unwrap());
		document.verify(None).unwrap_err()
	};
	let broken = ProofDocumentError::AnchorPath;
	assert_eq!(refused(&|path| path.root.0[0] ^= 1), broken(ProofError::RootMismatch));
	assert_eq!(refused(&|path| path.proof[2].hash.0[0] ^= 1), broken(ProofError::RootMismatch));
	assert_eq!(refused(&|path| path.index = 3), broken(ProofError::WrongPosition));
	assert_eq!(refused(&|path| path.index = 5), broken(ProofError::IndexOutOfRange));
	assert_eq!(refused(&|path| path.tree_size = 2), broken(ProofError::IndexOutOfRange));
	assert_eq!(refused(&|path| path.proof.truncate(2)), broken(ProofError::WrongLength));
	assert_eq!(broken(ProofError::WrongLength).as_str(), "broken_anchor_path");
	// What is wrong further down is found first.
	let mut document = anchored_document();
	document.proof[0].hash.0[0] ^= 1;
	assert_eq!(document.verify(None), Err(ProofError::RootMismatch.into()));
	// The way of another batch leads nowhere from this one.
	let other = ProofDocument { anchor_path: anchored_document().anchor_path, ..legacy_document() };
	assert_eq!(other.verify(None), Err(broken(ProofError::RootMismatch)));
}

#[test]
fn malformed_documents_are_refused_by_member() {
	let member = |text: &str| match parse(text) {
		Err(ProofDocumentError::Member(name, _)) => name,
		other => panic!("{other:?}"),
	};
	assert!(matches!(parse("{"), Err(ProofDocumentError::Malformed(_))));
	assert_eq!(member("[]"), "document");
	assert_eq!(member("{}"), "proof");
	let text = document().to_value().to_canonical();
	let hash = hexadecimal::encode(&document().merkle_root.0);
	assert_eq!(member(&text.replace(&hash, &hash[1..])), "merkle_root");
	assert_eq!(member(&text.replace("\"leaf_hash\"", "\"leaf\"")), "leaf_hash");
	assert_eq!(member(&text.replace("\"index\":1", "\"index\":-1")), "index");
	assert_eq!(member(&text.replace("\"index\":1", "\"index\":1.0")), "index");
	assert_eq!(member(&text.replace("\"index\":1,", "")), "index");
	assert_eq!(member(&text.replace("\"left\"", "\"up\"")), "proof[].position");
	assert_eq!(member(&text.replace("\"hash\":\"", "\"hash\":\"x")), "proof[].hash");
	assert_eq!(member(&text.replace("rfc6962", "rfc9162")), "scheme");
	assert_eq!(member(&text.replace("\"tree_size\":3", "\"tree_size\":\"3\"")), "tree_size");
	assert_eq!(member(&text.replace("\"meter\":7", "\"meter\":4294967296")), "meter");
	assert_eq!(member(&text.replace("\"log_id\":\"log_", "\"log_id\":3,\"x\":\"")), "log_id");
	let anchored = anchored_document().to_value().to_canonical();
	for (from, to, name) in [
		("\"anchor_path\":{", "\"anchor_path\":[{", ""),
		("\"tree_size\":5", "\"tree_size\":5.0", "anchor_path"),
		("\"index\":2", "\"index\":null", "anchor_path"),
		("\"root\":\"", "\"root\":\"0", "anchor_path"),
		("\"txid\":\"", "\"txid\":\"x", "anchor_path"),
	] {
		let altered = anchored.replacen(from, to, 1);
		assert_ne!(altered, anchored, "{from}");
		if name.is_empty() {
			assert!(matches!(parse(&altered), Err(ProofDocumentError::Malformed(_))));
		} else {
			assert_eq!(member(&altered), name, "{from}");
		}
	}
	let mut steep = anchored_document();
	let path = steep.anchor_path.as_mut().unwrap();
	path.proof = vec![path.proof[0]; 65];
	assert_eq!(member(&steep.to_value().to_canonical()), "anchor_path.proof");
	let mut long = document();
	long.proof = vec![long.proof[0]; 65];
	assert_eq!(member(&long.to_value().to_canonical()), "proof");
	long.log = Some(Value::Null);
	long.proof.truncate(64);
	assert_eq!(parse(&long.to_value().to_canonical()).unwrap().log, None);
	long.log = Some(3u128.into());
	assert_eq!(member(&long.to_value().to_canonical()), "log");
}

#[test]
fn every_document_is_answered_as_other_implementations_answer_it() {
	let cases = json::parse(include_bytes!("../../vectors/proofs.json"), Limits::DEFAULT).unwrap();
	let cases = cases.get("cases").unwrap().as_array().unwrap();
	assert!(cases.len() > 100);
	for case in cases {
		let name = case.get("name").unwrap().as_str().unwrap();
		let text = |member: &str| case.get(member).unwrap().as_str();
		let asked = text("asked").map(|scheme| scheme.parse().unwrap());
		let document = parse(text("document").unwrap());
		let scheme = document.as_ref().ok().and_then(|document| document.scheme(asked).ok());
		assert_eq!(scheme.map(Scheme::as_str), text("scheme"), "{name}");
		let anchored = document.as_ref().ok().and_then(|document| document.anchor_path.clone());
		let checked = document.and_then(|document| document.verify(asked));
		let anchored = anchored.filter(|_| checked.is_ok());
		let wanted = case.get("anchored_root").and_then(Value::as_str).map(str::to_string);
		assert_eq!(anchored.map(|path| hexadecimal::encode(&path.root.0)), wanted, "{name}");
		let error = checked.as_ref().err().map(ProofDocumentError::as_str);
		assert_eq!(error, text("error"), "{name}");
		assert_eq!(checked.is_ok(), *case.get("ok").unwrap() == Value::Bool(true), "{name}");
		let log_checked = checked.is_ok_and(|checked| checked.log_checked);
		let expected = *case.get("log_checked").unwrap() == Value::Bool(true);
		assert_eq!(log_checked, expected, "{name}");
	}
}
