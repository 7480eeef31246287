//! What a chain begins with.

use crate::{mock::*, *};
use gridproof_primitives::compute::registry::{DEFAULT_DELAY_MS, ModelName};
use sp_runtime::BuildStorage;

fn build(config: GenesisConfig<Test>) {
	let config = RuntimeGenesisConfig { model_registry: config, ..Default::default() };
	drop(config.build_storage());
}

#[test]
fn models_of_genesis_count_from_the_first_block() {
	build_and_execute(|| {
		assert_eq!(ModelRegistry::factor_at(hash("first"), 0), Some(5_000));
		assert_eq!(ModelRegistry::default_model(), Some(hash("first")));
		assert_eq!(ModelRegistry::delay().value, DELAY);
	});
	assert_eq!(GenesisConfig::<Test>::default().delay_ms, DEFAULT_DELAY_MS);
}

#[test]
#[should_panic = "second cannot be added: Err(AlreadyExists)"]
fn a_model_that_is_there_twice_is_no_genesis() {
	build(GenesisConfig { models: vec![new("second"), new("second")], ..genesis() });
}

#[test]
#[should_panic = "the default model third is not among the models"]
fn a_default_that_is_not_there_is_no_genesis() {
	build(GenesisConfig { default: Some(ModelName::new("third").unwrap()), ..genesis() });
}

#[test]
#[should_panic = "the delay of models is out of bounds"]
fn a_delay_out_of_bounds_is_no_genesis() {
	build(GenesisConfig { delay_ms: 59_999, ..genesis() });
}
