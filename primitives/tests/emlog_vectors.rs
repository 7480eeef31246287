//! The vectors of `emlog-1.1`: canonical bytes, both trees, output script, CID.

use gridproof_primitives::{
	H256,
	codec::cid::Cid,
	codec::hexadecimal,
	codec::json::{self, Limits, Value},
	crypto::merkle::{
		self, ProofError, ProofStep, document::ProofDocument, document::Scheme, legacy,
	},
	energy::emlog::EnergyLog,
	energy::{op_return_script, root_of_script},
};

fn vectors() -> Value {
	json::parse(include_bytes!("../../vectors/emlog.json"), Limits::DEFAULT).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
	value.get(key).unwrap().as_str().unwrap()
}

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
	value.get(key).unwrap().as_array().unwrap()
}

fn hash(value: &Value, key: &str) -> H256 {
	hexadecimal::decode_hash(text(value, key)).unwrap()
}

/// The canonical forms of all logs.
fn canonical(vectors: &Value) -> Vec<&str> {
	array(vectors, "logs").iter().map(|case| text(case, "canonical_utf8")).collect()
}

fn leaves(vectors: &Value, scheme: Scheme) -> Vec<H256> {
	canonical(vectors).iter().map(|log| scheme.leaf_hash(log.as_bytes())).collect()
}

fn steps(value: &Value) -> Vec<ProofStep> {
	let document = Value::Object(vec![
		("proof".into(), value.clone()),
		("leaf_hash".into(), "00".repeat(32).into()),
		("merkle_root".into(), "00".repeat(32).into()),
		("index".into(), 0u128.into()),
	]);
	ProofDocument::from_value(&document).unwrap().proof
}

#[test]
fn logs_have_the_canonical_bytes_of_the_vectors() {
	let vectors = vectors();
	for case in array(&vectors, "logs") {
		let log = EnergyLog::from_value(case.get("log").unwrap()).unwrap();
		assert_eq!(log.canonical(), text(case, "canonical_utf8"), "{}", text(case, "name"));
		assert_eq!(log.leaf_hash(), merkle::leaf_hash(log.canonical().as_bytes()));
		// What is canonical stays as it is.
		let again = EnergyLog::parse(log.canonical().as_bytes()).unwrap();
		assert_eq!(again, log);
		assert_eq!(
			legacy::leaf_hash(log.canonical().as_bytes()),
			hash(case, "legacy_leaf_hash"),
			"{}",
			text(case, "name")
		);
	}
}

#[test]
fn roots_and_output_scripts_are_those_of_the_vectors() {
	let vectors = vectors();
	let leaves = leaves(&vectors, Scheme::Rfc6962);
	for tree in array(&vectors, "trees") {
		let size = tree.get("n").unwrap().as_u128().unwrap() as usize;
		let root = merkle::root(&leaves[..size]);
		assert_eq!(root, hash(tree, "rfc6962_root"));
		let script = op_return_script(&root);
		assert_eq!(hexadecimal::encode(&script), text(tree, "op_return_script_hex"));
		assert_eq!(root_of_script(&script), Some(root));
	}
	assert_eq!(root_of_script(&[0x6a; 34]), None);
	assert_eq!(root_of_script(&op_return_script(&leaves[0])[..33]), None);
}

#[test]
fn the_older_scheme_makes_and_takes_the_proofs_of_the_vectors() {
	let vectors = vectors();
	let leaves = leaves(&vectors, Scheme::Legacy);
	for tree in array(&vectors, "trees") {
		let root = hash(tree, "legacy_root");
		let proofs = array(tree, "legacy_proofs");
		let leaves = &leaves[..proofs.len()];
		assert_eq!(legacy::root(leaves), root);
		for (index, proof) in proofs.iter().enumerate() {
			let proof = steps(proof);
			assert_eq!(legacy::proof(leaves, index), Some(proof.clone()));
			assert_eq!(legacy::verify(&leaves[index], index as u64, &proof, &root), Ok(()));
			let other = leaves[(index + 1) % leaves.len()];
			if other != leaves[index] {
				let refused = legacy::verify(&other, index as u64, &proof, &root);
				assert_eq!(refused, Err(ProofError::RootMismatch));
			}
			let moved = legacy::verify(&leaves[index], index as u64 + 1, &proof, &root);
			assert!(moved.is_err(), "index {index} shown as the one after");
		}
		assert_eq!(legacy::proof(leaves, proofs.len()), None);
	}
	assert_eq!(legacy::root(&[]), H256::zero());
}

#[test]
fn the_cid_of_the_first_log_is_that_of_the_vectors() {
	let vectors = vectors();
	let expected = text(&vectors, "cidv1_raw_of_canonical_log0");
	let content = canonical(&vectors)[0].as_bytes();
	let cid = Cid::of(content);
	assert_eq!(cid.to_string(), expected);
	assert_eq!(Cid::parse(expected), Ok(cid));
	assert_eq!(cid.digest(), H256(sp_crypto_hashing::sha2_256(content)));
}

/// Two lists with one root, which the older scheme takes for one another.
fn attack(vectors: &Value, scheme: Scheme) -> (Vec<H256>, Vec<H256>) {
	let leaves = leaves(vectors, scheme);
	let attacks = vectors.get("attacks_the_legacy_scheme_accepts").unwrap();
	let attack = attacks.get("duplicated_last_leaf").unwrap();
	let list = |key: &str| {
		let indices = array(attack, key).iter().map(|index| index.as_u128().unwrap() as usize);
		indices.map(|index| leaves[index]).collect()
	};
	(list("list_a"), list("list_b"))
}

#[test]
fn a_repeated_last_leaf_fools_the_older_scheme_and_not_ours() {
	let vectors = vectors();
	let (list, longer) = attack(&vectors, Scheme::Legacy);
	let root = hash(
		vectors
			.get("attacks_the_legacy_scheme_accepts")
			.unwrap()
			.get("duplicated_last_leaf")
			.unwrap(),
		"same_root",
	);
	assert_eq!((legacy::root(&list), legacy::root(&longer)), (root, root));
	// There the last log can be shown at an index that the batch does not have.
	let invented = legacy::proof(&longer, 3).unwrap();
	assert_eq!(legacy::verify(&list[2], 3, &invented, &legacy::root(&list)), Ok(()));

	let (list, longer) = attack(&vectors, Scheme::Rfc6962);
	let root = merkle::root(&list);
	assert_ne!(root, merkle::root(&longer));
	// Here no proof made of the longer list holds for the shorter one, whatever size is claimed.
	let invented = merkle::inclusion_proof(&longer, 3).unwrap();
	for size in 0..10 {
		let refused = merkle::verify_inclusion(&list[2], 3, size, &invented, &root);
		assert!(refused.is_err(), "size {size}");
	}
	assert_eq!(
		merkle::verify_inclusion(&list[2], 3, 3, &invented, &root),
		Err(ProofError::IndexOutOfRange)
	);
}

#[test]
fn a_node_passed_off_as_a_leaf_fools_the_older_scheme_and_not_ours() {
	let vectors = vectors();
	// The node over the first two leaves, shown as the first of two leaves.
	let list = leaves(&vectors, Scheme::Legacy);
	let (node, third) = (legacy::node_hash(&list[0], &list[1]), list[2]);
	let root = legacy::root(&list[..3]);
	let shortened =
		[ProofStep { position: merkle::Position::Right, hash: legacy::node_hash(&third, &third) }];
	assert_eq!(legacy::verify(&node, 0, &shortened, &root), Ok(()));

	let list = leaves(&vectors, Scheme::Rfc6962);
	let root = merkle::root(&list[..3]);
	let node = merkle::node_hash(&list[0], &list[1]);
	// The size is signed, so a proof of another length is refused.
	assert_eq!(
		merkle::verify_inclusion(&node, 0, 3, &[list[2]], &root),
		Err(ProofError::WrongLength)
	);
	// And no data has a node's hash as its leaf hash: the prefixes differ.
	let preimage = [list[0].0, list[1].0].concat();
	assert_ne!(merkle::leaf_hash(&preimage), node);
	let with_prefix = [&[1u8][..], &preimage].concat();
	assert_ne!(merkle::leaf_hash(&with_prefix), node);
}

#[test]
fn other_texts_are_no_cid() {
	let good = Cid::of(b"").to_string();
	assert_eq!(good.len(), 59);
	let mut bad = vec![
		String::new(),
		good.to_uppercase(),
		format!("z{}", &good[1..]),
		good[..58].to_string(),
		format!("{good}a"),
		format!("{good}="),
		good.replace('b', "1"),
	];
	// The last digit holds three bits: its lower two are zero.
	for digit in "abcdefghijklmnopqrstuvwxyz234567".chars() {
		let text = format!("{}{digit}", &good[..58]);
		if Cid::parse(&text).is_err() {
			bad.push(text);
		}
	}
	assert_eq!(bad.len(), 7 + 24);
	for text in bad {
		assert!(Cid::parse(&text).is_err(), "{text}");
	}
	let mut bytes = *Cid::of(b"").as_bytes();
	bytes[1] = 0x70;
	assert!(Cid::from_bytes(bytes).is_err());
	assert!(codec::Decode::decode(&mut &bytes[..]).map(|_: Cid| ()).is_err());
}
