//! A runtime with this pallet only, keys for the roles, and a handler that records its calls.

use crate::{self as pallet_attestations, *};
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU32, ConstU64, Time},
};
use frame_system::EnsureRoot;
use gridproof_primitives::{
	H256,
	crypto::ed25519::PublicKey,
	num::units::MILLIS_PER_DAY,
	reserve::attestation::{AttestationHandler, Kind, Role, RoleSignature, message_v2},
	time::calendar::Calendar,
	time::day::Day,
};
use sp_core::{Pair as _, ed25519::Pair};
use sp_runtime::{BuildStorage, DispatchError, DispatchResult, Weight, testing::UintAuthorityId};

pub(crate) type Extension = frame_system::AuthorizeCall<Test>;
pub(crate) type Header = sp_runtime::generic::Header<u64, sp_runtime::traits::BlakeTwo256>;
pub(crate) type Extrinsic =
	sp_runtime::generic::UncheckedExtrinsic<u64, RuntimeCall, UintAuthorityId, (Extension,)>;
pub(crate) type Block = sp_runtime::generic::Block<Header, Extrinsic>;

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

	#[runtime::pallet_index(7)]
	pub type Attestations = pallet_attestations::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
}

parameter_types! {
	pub static Now: u64 = 0;
	pub static Taken: Vec<(AttestationFields, H256)> = Vec::new();
	pub static CheckRefuses: Option<DispatchError> = None;
	pub static AcceptRefuses: Option<DispatchError> = None;
}

impl Time for Now {
	type Moment = u64;
	fn now() -> u64 {
		Self::get()
	}
}

/// Weight that the handler claims to take.
pub(crate) const HANDLER_WEIGHT: Weight = Weight::from_parts(1_234, 56);

/// Records the statements it receives, and refuses them on request.
pub struct Recorder;

impl AttestationHandler for Recorder {
	fn check(_: &AttestationFields) -> DispatchResult {
		CheckRefuses::get().map_or(Ok(()), Err)
	}

	fn on_accepted(fields: &AttestationFields, statement: H256) -> DispatchResult {
		if let Some(error) = AcceptRefuses::get() {
			return Err(error);
		}
		Taken::mutate(|taken| taken.push((fields.clone(), statement)));
		Ok(())
	}

	fn check_weight() -> Weight {
		HANDLER_WEIGHT
	}

	fn accept_weight() -> Weight {
		HANDLER_WEIGHT
	}
}

/// The account that may pause.
pub(crate) const GUARD: u64 = 99;

frame_support::ord_parameter_types! {
	pub const Guard: u64 = GUARD;
}

impl Config for Test {
	type Time = Now;
	type Handler = Recorder;
	type GovernanceOrigin = EnsureRoot<u64>;
	type PauseOrigin = frame_system::EnsureSignedBy<Guard, u64>;
	type MaxHistory = ConstU32<10>;
	type MaxAge = ConstU32<7>;
	type MaxRevisions = ConstU32<3>;
	type MaxKeyHistory = ConstU32<4>;
	type SubmissionLongevity = ConstU64<64>;
	type SubmissionPriority = ConstU64<1_000>;
	type WeightInfo = ();
}

/// Last day before the one on which a test starts.
pub(crate) fn yesterday() -> Day {
	Day::parse("2026-01-15").unwrap()
}

/// Returns the day that many days after [`yesterday`].
pub(crate) fn day(offset: i32) -> Day {
	Day::from_days(yesterday().days().checked_add_signed(offset).unwrap()).unwrap()
}

/// Sets the clock to some minutes after midnight of a day.
pub(crate) fn set_time(day: Day, minutes: u64) {
	Now::set(u64::from(day.days()) * MILLIS_PER_DAY + minutes * 60_000);
}

/// Returns the key pair that a role has at the start of a test.
pub(crate) fn pair(role: Role) -> Pair {
	let seed = match role {
		Role::Data => [1; 32],
		Role::Risk => [2; 32],
		Role::Ops => [3; 32],
	};
	Pair::from_seed(&seed)
}

pub(crate) fn public(pair: &Pair) -> PublicKey {
	pair.public().0
}

pub(crate) const DIGEST: H256 = H256([0xd1; 32]);

pub(crate) fn genesis() -> H256 {
	System::block_hash(0)
}

/// Returns ordinary fields for a day.
pub(crate) fn fields(day: Day) -> AttestationFields {
	AttestationFields::example(day)
}

/// Returns a revision of `old` with less committed energy.
pub(crate) fn revision(old: &AttestationFields) -> AttestationFields {
	AttestationFields {
		revision: old.revision + 1,
		replaces: Some(old.hash()),
		wh_committed: old.wh_committed - 1,
		..old.clone()
	}
}

/// Returns `signer`'s signature as `role`.
pub(crate) fn signed_by(signer: &Pair, role: Role, fields: &AttestationFields) -> RoleSignature {
	let message = message_v2(fields.day, &DIGEST, &fields.hash(), &genesis(), role);
	RoleSignature { role, signature: signer.sign(&message).0 }
}

/// Returns the signatures of some roles with their first keys.
pub(crate) fn sign(fields: &AttestationFields, roles: &[Role]) -> Signatures {
	let signatures: Vec<_> =
		roles.iter().map(|role| signed_by(&pair(*role), *role, fields)).collect();
	signatures.try_into().unwrap()
}

pub(crate) const TWO: [Role; 2] = [Role::Data, Role::Risk];

/// Submits as an ordinary account.
pub(crate) fn submit(fields: &AttestationFields) -> Result<(), DispatchError> {
	submit_with(fields, sign(fields, &TWO))
}

/// Submits with these signatures.
pub(crate) fn submit_with(
	fields: &AttestationFields,
	signatures: Signatures,
) -> Result<(), DispatchError> {
	Attestations::submit(RuntimeOrigin::signed(1), Box::new(fields.clone()), DIGEST, signatures)
		.map(|_| ())
		.map_err(|error| error.error)
}

/// Returns the call that a general transaction carries.
pub(crate) fn submit_call(fields: &AttestationFields, signatures: Signatures) -> RuntimeCall {
	let fields = Box::new(fields.clone());
	RuntimeCall::Attestations(Call::submit { fields, digest: DIGEST, signatures })
}

pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
	let genesis = RuntimeGenesisConfig {
		attestations: GenesisConfig {
			keys: Role::ALL.into_iter().map(|role| (role, H256(public(&pair(role))))).collect(),
			kinds: vec![Kind::Reserve],
			calendar: Calendar::UTC,
			..Default::default()
		},
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
	ext.execute_with(|| {
		System::set_block_number(1);
		set_time(day(1), 25);
	});
	ext
}

/// Same as [`new_test_ext`], with a keystore to sign with.
#[cfg(feature = "runtime-benchmarks")]
pub fn new_benchmark_ext() -> sp_io::TestExternalities {
	use sp_keystore::{KeystoreExt, testing::MemoryKeystore};
	let mut ext = new_test_ext();
	ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
	ext
}

/// Runs a test, then checks every invariant.
pub(crate) fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		Attestations::do_try_state().expect("an invariant is broken");
	});
}

/// Returns the events of this pallet so far.
pub(crate) fn events() -> Vec<Event<Test>> {
	System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::Attestations(event) => Some(event),
			_ => None,
		})
		.collect()
}
