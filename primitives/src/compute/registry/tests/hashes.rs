//! Names, descriptions, hashes.

use crate::{
	H256,
	compute::{MAX_MODEL_FACTOR, registry::*},
};

fn named(name: &str) -> ModelDescription {
	ModelDescription {
		name: ModelName::new(name).unwrap(),
		weights: H256([1; 32]),
		tokenizer: H256([2; 32]),
		template: Some(H256([3; 32])),
	}
}

#[test]
fn a_name_is_plain_and_short() {
	for name in ["a", "austen-1m", "Qwen/Qwen2.5-0.5B-Instruct", "llama3:8b", "7", &"x".repeat(64)]
	{
		assert_eq!(ModelName::new(name).unwrap().as_str(), name);
	}
	assert_eq!(ModelName::new(""), Err(ModelNameError::Empty));
	assert_eq!(ModelName::new(&"x".repeat(65)), Err(ModelNameError::TooLong));
	for name in ["-a", "/a", "a b", "аusten", "a\n", "a\0", "a\u{200b}b", "a\\b"] {
		assert_eq!(ModelName::new(name), Err(ModelNameError::BadCharacter), "{name:?}");
	}
	let folded = ModelName::new("Qwen/A:1").unwrap().folded();
	assert_eq!(folded.as_str(), "qwen/a:1");
}

#[test]
fn a_name_from_outside_is_checked() {
	use codec::{Decode, Encode};
	let bytes = b"-a".to_vec().encode();
	let name = ModelName::decode(&mut &bytes[..]).unwrap();
	assert_eq!(name.check(), Err(ModelNameError::BadCharacter));
	assert!(ModelName::decode(&mut &vec![b'a'; 65].encode()[..]).is_err());
	assert!(serde_json::from_str::<ModelName>("\"a b\"").is_err());
}

#[test]
fn each_part_of_a_description_makes_another_hash() {
	let one = named("a");
	let other_part = |change: fn(&mut ModelDescription)| {
		let mut other = one.clone();
		change(&mut other);
		other.hash()
	};
	let hashes = [
		one.hash(),
		other_part(|model| model.name = ModelName::new("b").unwrap()),
		other_part(|model| model.name = ModelName::new("A").unwrap()),
		other_part(|model| model.weights = H256([9; 32])),
		other_part(|model| model.tokenizer = H256([9; 32])),
		other_part(|model| model.template = None),
		other_part(|model| model.template = Some(H256::zero())),
		other_part(|model| core::mem::swap(&mut model.weights, &mut model.tokenizer)),
	];
	for (place, hash) in hashes.iter().enumerate() {
		assert!(hashes.iter().skip(place + 1).all(|other| other != hash), "{place}");
	}
}

#[test]
fn the_hash_of_files_does_not_depend_on_their_order() {
	let (one, two) = (("a.bin", H256([1; 32])), ("b.bin", H256([2; 32])));
	assert_eq!(hash_of_files(&[one, two]), hash_of_files(&[two, one]));
	assert_ne!(hash_of_files(&[one, two]), hash_of_files(&[("a.bin", two.1), ("b.bin", one.1)]));
	assert_eq!(hash_of_files(&[one]), one.1);
}

#[test]
fn a_model_without_a_factor_or_a_context_is_refused() {
	let terms = ModelTerms { factor: 1_000, engine: EngineClass::Seeded };
	let new = NewModel { description: named("a"), context: 512, terms };
	assert_eq!(new.check(), Ok(()));
	for factor in [0, MAX_MODEL_FACTOR + 1, u32::MAX] {
		let wrong = NewModel { terms: ModelTerms { factor, ..terms }, ..new.clone() };
		assert_eq!(wrong.check(), Err(NewModelError::Factor));
	}
	for factor in [1, MAX_MODEL_FACTOR] {
		assert_eq!(
			NewModel { terms: ModelTerms { factor, ..terms }, ..new.clone() }.check(),
			Ok(())
		);
	}
	for context in [0, MAX_CONTEXT_TOKENS + 1] {
		assert_eq!(NewModel { context, ..new.clone() }.check(), Err(NewModelError::Context));
	}
}

#[test]
fn nothing_counts_without_a_registry() {
	let hash = named("a").hash();
	assert!(!<() as ModelRegistry>::is_counted(&hash, 0));
	assert!(!<() as ModelRegistry>::counts_by(&hash, 1_000, 0));
	assert_eq!(<() as ModelRegistry>::factor_at(&hash, u64::MAX), None);
}
