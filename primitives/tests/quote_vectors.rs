//! `vectors/quotes.json`: quotes of both versions, with the bytes that are signed and the job's id.
//!
//! `python3 vectors/quotes.py` checks it with Python's standard library, and shares no code with this one.

use gridproof_primitives::{
	H256,
	compute::{PriceAsset, Quote},
};
use serde_json::Value;
use std::path::Path;

fn bytes(value: &Value) -> [u8; 32] {
	hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
}

fn number(value: &Value) -> u64 {
	value.as_u64().unwrap()
}

fn quote(value: &Value) -> Quote {
	let asset: PriceAsset = serde_json::from_value(value["asset"].clone()).unwrap();
	Quote {
		coordinator: bytes(&value["coordinator"]),
		client: bytes(&value["client"]),
		spec_hash: H256(bytes(&value["spec_hash"])),
		model_factor: number(&value["model_factor"]).try_into().unwrap(),
		asset,
		price: value["price"].as_str().unwrap().parse().unwrap(),
		max_units: number(&value["max_units"]),
		expiry_ms: number(&value["expiry_ms"]),
		deadline_ms: number(&value["deadline_ms"]),
		miner: Some(&value["miner"]).filter(|miner| !miner.is_null()).map(bytes),
		nonce: number(&value["nonce"]),
		model: Some(&value["model"])
			.filter(|model| !model.is_null())
			.map(|model| H256(bytes(model))),
	}
}

#[test]
fn quotes_are_signed_and_named_as_the_vectors_say() {
	let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/quotes.json");
	let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
	let genesis = H256(bytes(&file["genesis"]));
	let cases = file["quotes"].as_array().unwrap();
	assert_eq!(cases.len(), 4);
	for case in cases {
		let (quote, what) = (quote(&case["quote"]), &case["what"]);
		assert_eq!(hex::encode(quote.signing_payload(&genesis)), case["payload"], "{what}");
		assert_eq!(hex::encode(quote.job_id(&genesis)), case["job"], "{what}");
	}
}
