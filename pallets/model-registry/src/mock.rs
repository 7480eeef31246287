//! A runtime with a clock that tests can set, and this pallet.

use crate::{self as pallet_model_registry, *};
use frame_support::{derive_impl, parameter_types, traits::ConstU32};
use frame_system::{EnsureRoot, EnsureSignedBy};
use gridproof_primitives::{
	H256,
	compute::registry::{EngineClass, ModelName, ModelTerms, NewModel},
};
use sp_runtime::{BuildStorage, DispatchError, traits::Dispatchable};

pub(crate) type Block = frame_system::mocking::MockBlock<Test>;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system::Pallet<Test>;

	#[runtime::pallet_index(1)]
	pub type ModelRegistry = pallet_model_registry::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
}

/// Time at which every test begins, in UTC milliseconds.
pub(crate) const START: u64 = 1_790_000_000_000;
/// Delay of the tests, in milliseconds.
pub(crate) const DELAY: u64 = 3_600_000;
/// The account that may stop models.
pub(crate) const GUARD: u64 = 99;
/// Anybody.
pub(crate) const ALICE: u64 = 1;
/// Terms of the models at genesis.
pub(crate) const TERMS: ModelTerms = ModelTerms { factor: 5_000, engine: EngineClass::Exact };
/// Other terms.
pub(crate) const OTHER: ModelTerms = ModelTerms { factor: 12_000, engine: EngineClass::Seeded };

parameter_types! {
	pub static Now: u64 = START;
}

frame_support::ord_parameter_types! {
	pub const Guard: u64 = GUARD;
}

/// The clock [`Now`].
pub struct Clock;

impl frame_support::traits::Time for Clock {
	type Moment = u64;

	fn now() -> u64 {
		Now::get()
	}
}

impl Config for Test {
	type GovernanceOrigin = EnsureRoot<u64>;
	type MaxModels = ConstU32<4>;
	type PauseOrigin = EnsureSignedBy<Guard, u64>;
	type Time = Clock;
	type WeightInfo = ();
}

/// Returns a model with a name, whose hashes are the name's bytes.
pub(crate) fn new(name: &str) -> NewModel {
	let hash =
		|number: u8| H256(sp_io::hashing::blake2_256(&[name.as_bytes(), &[number]].concat()));
	let description = ModelDescription {
		name: ModelName::new(name).unwrap(),
		weights: hash(0),
		tokenizer: hash(1),
		template: None,
	};
	NewModel { description, context: 512, terms: TERMS }
}

/// Returns the hash of [`new`].
pub(crate) fn hash(name: &str) -> H256 {
	new(name).description.hash()
}

/// Returns a genesis with two models, of which `first` is the default.
pub(crate) fn genesis() -> pallet_model_registry::GenesisConfig<Test> {
	pallet_model_registry::GenesisConfig {
		models: vec![new("first"), new("second")],
		default: Some(ModelName::new("First").unwrap()),
		delay_ms: DELAY,
		..Default::default()
	}
}

pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
	let config = RuntimeGenesisConfig { model_registry: genesis(), ..Default::default() };
	let mut ext: sp_io::TestExternalities = config.build_storage().unwrap().into();
	ext.execute_with(|| {
		Now::set(START);
		System::set_block_number(1);
	});
	ext
}

/// Runs a test, then checks every invariant.
pub(crate) fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		ModelRegistry::do_try_state().unwrap();
	});
}

/// Lets time pass.
pub(crate) fn pass(ms: u64) {
	Now::mutate(|now| *now += ms);
}

/// Makes a call as governance.
pub(crate) fn govern(call: Call<Test>) -> Result<(), DispatchError> {
	made(call, RuntimeOrigin::root())
}

/// Makes a call as an account.
pub(crate) fn signed(call: Call<Test>, who: u64) -> Result<(), DispatchError> {
	made(call, RuntimeOrigin::signed(who))
}

fn made(call: Call<Test>, origin: RuntimeOrigin) -> Result<(), DispatchError> {
	RuntimeCall::from(call).dispatch(origin).map(|_| ()).map_err(|error| error.error)
}

/// Returns the pallet's events since the last call, in order.
pub(crate) fn events() -> Vec<Event<Test>> {
	let ours = System::read_events_for_pallet::<Event<Test>>();
	System::reset_events();
	ours
}

/// Returns the factor of a model now.
pub(crate) fn factor(name: &str) -> Option<u32> {
	ModelRegistry::factor_at(hash(name), Now::get())
}
