//! Every case of the shared vectors of a role's stop of minting: payload and signature.

use gridproof_primitives::{
	H256,
	crypto::ed25519::{PublicKey, Signature, SignatureError},
	reserve::attestation::Role,
	reserve::stop::{lift_payload, stop_payload, verify_lift, verify_stop},
};
use serde_json::Value;

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
	let text = value.as_str().unwrap();
	assert_eq!(text.len(), 2 * N);
	core::array::from_fn(|n| u8::from_str_radix(&text[2 * n..2 * n + 2], 16).unwrap())
}

fn hexadecimal(bytes: &[u8]) -> String {
	bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn role(value: &Value) -> Role {
	value.as_str().unwrap().parse().unwrap()
}

#[test]
fn every_stop_and_lifting_is_signed_as_written_down() {
	let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/mint_stop.json");
	let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
	let genesis = H256(bytes(&vectors["genesis"]));
	let (stops, lifts) =
		(vectors["stops"].as_array().unwrap(), vectors["lifts"].as_array().unwrap());
	assert_eq!((stops.len(), lifts.len()), (3, 3));
	let invalid = Err(SignatureError::Invalid);
	for case in stops {
		let (role, number) = (role(&case["role"]), case["number"].as_u64().unwrap() as u32);
		let (key, signature): (PublicKey, Signature) =
			(bytes(&case["public"]), bytes(&case["signature"]));
		let payload = stop_payload(&genesis, role, number);
		assert_eq!(hexadecimal(&payload), case["payload"].as_str().unwrap());
		assert_eq!(verify_stop(&genesis, role, number, &key, &signature), Ok(()));
		assert_eq!(verify_stop(&genesis, role, number + 1, &key, &signature), invalid);
		assert_eq!(verify_stop(&H256::zero(), role, number, &key, &signature), invalid);
	}
	for case in lifts {
		let (role_of, signer) = (role(&case["role"]), role(&case["signer"]));
		let number = case["number"].as_u64().unwrap() as u32;
		let (key, signature): (PublicKey, Signature) =
			(bytes(&case["public"]), bytes(&case["signature"]));
		let payload = lift_payload(&genesis, role_of, number, signer);
		assert_eq!(hexadecimal(&payload), case["payload"].as_str().unwrap());
		let verify = |number| verify_lift(&genesis, role_of, number, signer, &key, &signature);
		assert_eq!(verify(number), Ok(()));
		assert_eq!(verify(number + 1), invalid);
	}
}
