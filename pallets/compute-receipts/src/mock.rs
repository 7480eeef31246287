//! A runtime with two tokens, service credit, a clock that tests can set, and this pallet.

use crate::{self as pallet_compute_receipts, *};
use frame_support::{
	derive_impl,
	instances::Instance2,
	parameter_types,
	traits::{
		Authorize, ConstU32, ConstU64, ConstU128,
		fungible::{self, Inspect as _},
	},
	weights::{Weight, constants::RocksDbWeight},
};
use frame_system::EnsureRoot;
use gridproof_primitives::{
	H256,
	compute::settlement::WorkRecorder,
	compute::{
		Assignment, Class, Heartbeat, JobState, PartyRole, PriceAsset, Quote, Receipt,
		ReceiptRefusal, Registration, SignedAssignment, SignedHeartbeat, SignedReceipt, Signer,
		Telemetry,
		registry::{EngineClass, ModelRegistry, ModelTerms},
		release_payload,
	},
	crypto::ed25519::{PublicKey, Signature},
	num::units::AIT,
	reserve::attestation::ServiceCredit,
};
use sp_core::{Pair as _, ed25519::Pair};
use sp_runtime::{
	AccountId32, BuildStorage, DispatchError, DispatchResult,
	traits::{Dispatchable, IdentityLookup},
	transaction_validity::{
		InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction,
	},
};
use std::collections::BTreeMap;

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
	pub type Balances = pallet_balances::Pallet<Test>;

	#[runtime::pallet_index(2)]
	pub type Aicp = pallet_balances::Pallet<Test, Instance2>;

	#[runtime::pallet_index(3)]
	pub type ComputeReceipts = pallet_compute_receipts::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type AccountData = pallet_balances::AccountData<u128>;
	type AccountId = AccountId32;
	type Block = Block;
	type DbWeight = RocksDbWeight;
	type Lookup = IdentityLookup<AccountId32>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type Balance = u128;
	type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config<Instance2> for Test {
	type AccountStore = frame_support::traits::StorageMapShim<
		pallet_balances::Account<Test, Instance2>,
		AccountId32,
		pallet_balances::AccountData<u128>,
	>;
	type Balance = u128;
	type ExistentialDeposit = ConstU128<1>;
}

/// Existential deposit of AIT.
pub(crate) const EXISTENTIAL_DEPOSIT: u128 = 1_000;
/// Deposit for the row of a job.
pub(crate) const JOB_DEPOSIT: u128 = 5_000;
/// Deposit for the row of reports about one party and job.
pub(crate) const REPORT_DEPOSIT: u128 = 2_000;
/// Deposit for the rows of a channel.
pub(crate) const CHANNEL_DEPOSIT: u128 = 3_000;
/// AIT of each account at genesis.
pub(crate) const NATIVE: u128 = 1_000_000 * AIT;
/// AICP of the client, in micro-tokens, and its service credit, in micro-EUR.
pub(crate) const AICP_OF_CLIENT: u128 = 1_000_000_000;
/// Time at which every test and emission step 0 begin, in UTC milliseconds.
pub(crate) const START: u64 = 1_790_000_000_000;

parameter_types! {
	pub static Now: u64 = START;
	pub static Halted: bool = false;
	pub static Drawn: bool = true;
	pub static Credit: BTreeMap<AccountId32, (u128, u128)> = BTreeMap::new();
	pub static Served: BTreeMap<AccountId32, u128> = BTreeMap::new();
	pub static Factors: Vec<(H256, u64, u32)> = Vec::new();
	pub static Recorded: Vec<(PublicKey, PublicKey, u64)> = Vec::new();
	pub TreasuryAccount: AccountId32 = account(200);
	pub EscrowAccount: AccountId32 = account(201);
}

/// The clock [`Now`].
pub struct Clock;

impl frame_support::traits::Time for Clock {
	type Moment = u64;

	fn now() -> u64 {
		Now::get()
	}
}

/// Service credit in a map: available and held.
pub struct CreditMap;

impl CreditMap {
	fn change(
		who: &AccountId32,
		change: impl FnOnce(u128, u128) -> Option<(u128, u128)>,
	) -> DispatchResult {
		Credit::mutate(|credit| {
			let row = credit.entry(who.clone()).or_default();
			*row = change(row.0, row.1).ok_or(DispatchError::Other("credit"))?;
			Ok(())
		})
	}
}

impl ServiceCredit<AccountId32> for CreditMap {
	fn available(who: &AccountId32) -> u128 {
		Credit::get().get(who).map_or(0, |row| row.0)
	}

	fn held(who: &AccountId32) -> u128 {
		Credit::get().get(who).map_or(0, |row| row.1)
	}

	fn hold(who: &AccountId32, amount: u128) -> DispatchResult {
		Self::change(who, |free, held| Some((free.checked_sub(amount)?, held + amount)))
	}

	fn release(who: &AccountId32, amount: u128) -> DispatchResult {
		Self::change(who, |free, held| Some((free + amount, held.checked_sub(amount)?)))
	}

	fn pay_held(who: &AccountId32, to: &AccountId32, amount: u128) -> DispatchResult {
		Self::change(who, |free, held| Some((free, held.checked_sub(amount)?)))?;
		Served::mutate(|served| *served.entry(to.clone()).or_default() += amount);
		Ok(())
	}

	fn weight() -> Weight {
		Weight::from_parts(7, 0)
	}
}

/// Every batch was touched, or none.
pub struct TouchedBatches;

impl gridproof_primitives::compute::checks::Touched for TouchedBatches {
	fn is_touched(_: &gridproof_primitives::compute::checks::BatchId) -> bool {
		Drawn::get()
	}
}

/// Records settled work.
pub struct Recorder;

impl WorkRecorder for Recorder {
	fn record(miner: &PublicKey, coordinator: &PublicKey, compute_units: u64) {
		Recorded::mutate(|list| list.push((*miner, *coordinator, compute_units)));
	}

	fn weight() -> Weight {
		Weight::zero()
	}
}

/// Models with the factors by which they counted.
pub struct KnownModels;

impl ModelRegistry for KnownModels {
	fn terms_at(model: &H256, time_ms: u64) -> Option<ModelTerms> {
		let known = Factors::get();
		let began = |(known, since, _): &&(H256, u64, u32)| known == model && *since <= time_ms;
		let (.., factor) = *known.iter().rfind(began)?;
		let terms = ModelTerms { factor, engine: EngineClass::Exact };
		// A factor of zero stands for a model that was stopped.
		terms.is_valid().then_some(terms)
	}
}

impl Models for KnownModels {
	fn factors(model: &H256, from_ms: u64, to_ms: u64) -> Vec<u32> {
		let known = Factors::get();
		let spans = known.into_iter().filter(|(known, ..)| known == model);
		spans.filter(|(_, since, _)| *since <= to_ms && from_ms <= to_ms).map(|one| one.2).collect()
	}
}

frame_support::ord_parameter_types! {
	pub const Guard: AccountId32 = AccountId32::new([99; 32]);
}

impl Config for Test {
	type Aicp = Aicp;
	type ChannelDeposit = ConstU128<CHANNEL_DEPOSIT>;
	type Currency = Balances;
	type Escrow = EscrowAccount;
	type GovernanceOrigin = EnsureRoot<AccountId32>;
	type JobDeposit = ConstU128<JOB_DEPOSIT>;
	type MaxCoordinators = ConstU32<3>;
	type Halted = Halted;
	type MaxMiners = ConstU32<300>;
	type MaxScanned = ConstU32<4>;
	type Models = KnownModels;
	type PauseOrigin = frame_system::EnsureSignedBy<Guard, AccountId32>;
	type Recorder = Recorder;
	type ReportDeposit = ConstU128<REPORT_DEPOSIT>;
	type RuntimeHoldReason = RuntimeHoldReason;
	type ServiceCredit = CreditMap;
	type Time = Clock;
	type Touched = TouchedBatches;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = ();
	type Treasury = TreasuryAccount;
	type SubmissionLongevity = ConstU64<64>;
	type SubmissionPriority = ConstU64<1_000>;
	type WeightInfo = ();
}

/// Returns the account with a number.
pub(crate) fn account(number: u8) -> AccountId32 {
	AccountId32::new([number; 32])
}

/// Returns the client of the tests.
pub(crate) fn client() -> AccountId32 {
	account(9)
}

/// Returns the key pair with a number.
pub(crate) fn pair(number: u8) -> Pair {
	Pair::from_seed(&[number; 32])
}

/// Returns the public key with a number.
pub(crate) fn key(number: u8) -> PublicKey {
	pair(number).public().0
}

/// The coordinator of the tests: key 1, account 1.
pub(crate) const COORDINATOR: u8 = 1;
/// The first miner of the tests, of class GPU: key 2, account 2.
pub(crate) const MINER: u8 = 2;
/// The second miner, of class CPU: key 3, account 3.
pub(crate) const CPU_MINER: u8 = 3;

pub(crate) fn genesis() -> H256 {
	System::block_hash(0)
}

pub(crate) fn sign(number: u8, payload: &[u8]) -> Signature {
	pair(number).sign(payload).0
}

/// Advances the clock.
pub(crate) fn pass(milliseconds: u64) {
	Now::set(Now::get() + milliseconds);
}

/// Moves to the beginning of the next emission step.
pub(crate) fn next_step() {
	let passed = (Now::get() - START) % 150_000;
	pass(150_000 - passed);
}

/// Registers key `number` for account `number`.
pub(crate) fn register(number: u8, role: PartyRole) -> DispatchResult {
	let registration = Registration { role, account: account(number).into() };
	let proof = sign(number, &registration.signing_payload(&genesis()));
	let origin = RuntimeOrigin::signed(account(number));
	match role {
		PartyRole::Coordinator => ComputeReceipts::register_coordinator(origin, key(number), proof),
		PartyRole::Miner(class) => {
			ComputeReceipts::register_miner(origin, key(number), class, proof)
		},
	}
}

/// What the miner receives of the price of an ordinary receipt: three quarters.
pub(crate) const PAY: u128 = 75_000;

/// The model of the tests, which counts by factor 1.
pub(crate) const MODEL: H256 = H256::repeat_byte(5);

/// Returns a quote of a hundred thousand units of 10⁻¹⁸ AIT for a thousand compute units.
pub(crate) fn quote(nonce: u64) -> Quote {
	Quote {
		coordinator: key(COORDINATOR),
		client: client().into(),
		spec_hash: H256::repeat_byte(3),
		model_factor: 1_000,
		asset: PriceAsset::Ait,
		price: 100_000,
		max_units: 1_000,
		expiry_ms: Now::get() + 60_000,
		deadline_ms: Now::get() + 600_000,
		miner: None,
		nonce,
		model: Some(MODEL),
	}
}

/// Opens a job as its client.
pub(crate) fn open_with(quote: &Quote) -> Result<H256, DispatchError> {
	let number = (1..=250).find(|number| key(*number) == quote.coordinator).unwrap_or(COORDINATOR);
	let signature = sign(number, &quote.signing_payload(&genesis()));
	let call = Call::open_job { quote: Box::new(quote.clone()), signature };
	dispatch(call, AccountId32::new(quote.client))?;
	Ok(quote.job_id(&genesis()))
}

/// Opens an ordinary job.
pub(crate) fn open(nonce: u64) -> H256 {
	open_with(&quote(nonce)).unwrap()
}

/// Returns a receipt of a thousand units, at the quoted price.
pub(crate) fn receipt(job_id: H256, miner: u8) -> Receipt {
	Receipt {
		job_id,
		miner: key(miner),
		output_hash: H256::repeat_byte(4),
		compute_units: 1_000,
		price: 100_000,
		nonce: 0,
		telemetry: Telemetry {
			input_tokens: 400,
			output_tokens: 600,
			duration_ms: 2_000,
			memory_mb: 5_000,
		},
	}
}

/// Returns a receipt signed by `miner` and `coordinator`.
pub(crate) fn signed_by(receipt: Receipt, miner: u8, coordinator: u8) -> SignedReceipt {
	SignedReceipt {
		miner_signature: sign(miner, &receipt.signing_payload(&genesis(), Signer::Miner)),
		coordinator_signature: sign(
			coordinator,
			&receipt.signing_payload(&genesis(), Signer::Coordinator),
		),
		receipt,
	}
}

/// Returns a good receipt of a miner for a job.
pub(crate) fn signed(job_id: H256, miner: u8) -> SignedReceipt {
	signed_by(receipt(job_id, miner), miner, COORDINATOR)
}

/// Claims as an ordinary account; returns the reasons of refusals.
pub(crate) fn claim(receipts: &[SignedReceipt]) -> Vec<ReceiptRefusal> {
	System::reset_events();
	dispatch(Call::claim_receipts { receipts: receipts.to_vec().try_into().unwrap() }, account(8))
		.unwrap();
	refusals()
}

/// Returns the refusals so far.
pub(crate) fn refusals() -> Vec<ReceiptRefusal> {
	events()
		.into_iter()
		.filter_map(|event| match event {
			Event::ReceiptRefused { reason, .. } => Some(reason),
			_ => None,
		})
		.collect()
}

/// Price of which the treasury receives as much as a thousand units can mint: 5 AIT.
pub(crate) const DEAR: u128 = 5 * AIT;

/// Opens a job at a price so high that its units bound what it mints, and settles it.
pub(crate) fn deliver(nonce: u64, miner: u8) -> H256 {
	deliver_for(PriceAsset::Ait, DEAR, nonce, miner)
}

/// Opens a job at a price and settles it.
pub(crate) fn deliver_for(asset: PriceAsset, price: u128, nonce: u64, miner: u8) -> H256 {
	let job = open_with(&Quote { asset, price, ..quote(nonce) }).unwrap();
	let receipt = Receipt { price, ..receipt(job, miner) };
	assert_eq!(claim(&[signed_by(receipt, miner, COORDINATOR)]), []);
	job
}

/// Admits a coordinator, as governance.
pub(crate) fn admit(number: u8) -> DispatchResult {
	dispatch_as(Call::admit_coordinator { key: key(number) }, RuntimeOrigin::root())
}

pub(crate) fn assignment(
	job_id: H256,
	miner: u8,
	attempt: u32,
	accepted: bool,
) -> SignedAssignment {
	let assignment = Assignment { job_id, miner: key(miner), attempt };
	let payload = |signer| assignment.signing_payload(&genesis(), signer);
	SignedAssignment {
		assignment,
		coordinator_signature: sign(COORDINATOR, &payload(Signer::Coordinator)),
		miner_signature: accepted.then(|| sign(miner, &payload(Signer::Miner))),
		former_signature: None,
	}
}

pub(crate) fn heartbeat(miner: u8, time_ms: u64) -> SignedHeartbeat {
	let heartbeat = Heartbeat { miner: key(miner), time_ms };
	SignedHeartbeat { heartbeat, signature: sign(miner, &heartbeat.signing_payload(&genesis())) }
}

pub(crate) fn release_signature(job_id: H256) -> Signature {
	sign(COORDINATOR, &release_payload(&genesis(), &job_id))
}

/// Dispatches as a signed transaction would: a failed call changes nothing.
pub(crate) fn dispatch(call: Call<Test>, who: AccountId32) -> Result<(), DispatchError> {
	dispatch_as(call, RuntimeOrigin::signed(who))
}

/// Same as [`dispatch`], from any origin.
pub(crate) fn dispatch_as(call: Call<Test>, origin: RuntimeOrigin) -> Result<(), DispatchError> {
	RuntimeCall::ComputeReceipts(call).dispatch(origin).map(|_| ()).map_err(|error| error.error)
}

/// Returns what the pool decides about a transaction without a signer.
pub(crate) fn authorize(call: Call<Test>) -> Result<ValidTransaction, u8> {
	let call = RuntimeCall::ComputeReceipts(call);
	match call.authorize(TransactionSource::External).expect("the call can be authorized") {
		Ok((valid, _)) => Ok(valid),
		Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(code))) => Err(code),
		Err(other) => panic!("{other:?}"),
	}
}

/// Applies a transaction without a signer as a block does: authorized, then dispatched.
pub(crate) fn apply_unsigned(call: Call<Test>) -> Result<(), DispatchError> {
	let runtime_call = RuntimeCall::ComputeReceipts(call.clone());
	runtime_call
		.authorize(TransactionSource::InBlock)
		.expect("the call can be authorized")
		.map_err(|_| DispatchError::Other("refused"))?;
	dispatch_as(call, frame_system::RawOrigin::Authorized.into())
}

/// Changes some parameters, as governance.
pub(crate) fn set_parameters(change: impl FnOnce(&mut ComputeParameters)) -> DispatchResult {
	let mut new = Parameters::<Test>::get();
	change(&mut new);
	dispatch_as(Call::set_parameters { new: Box::new(new) }, RuntimeOrigin::root())
}

/// Returns the free AIT of an account.
pub(crate) fn ait(who: &AccountId32) -> u128 {
	Balances::balance(who)
}

/// Returns the free AICP of an account.
pub(crate) fn aicp(who: &AccountId32) -> u128 {
	Aicp::balance(who)
}

/// Returns the AIT of an account that is on hold for a reason.
pub(crate) fn on_hold(reason: HoldReason, who: &AccountId32) -> u128 {
	<Balances as fungible::hold::Inspect<_>>::balance_on_hold(&reason.into(), who)
}

/// Returns what lies in the escrow, AIT and AICP.
pub(crate) fn in_escrow() -> [u128; 2] {
	let escrow = EscrowAccount::get();
	[<Balances as fungible::Inspect<_>>::total_balance(&escrow), aicp(&escrow)]
}

/// Returns the state of a job.
pub(crate) fn state(job_id: H256) -> JobState {
	ComputeReceipts::job(job_id).expect("the job is in the state").state
}

/// Returns what a party can claim, in 10⁻¹⁸ AIT.
pub(crate) fn claimable(number: u8) -> u128 {
	let party = Parties::<Test>::get(key(number)).expect("the party is registered");
	ComputeReceipts::claimable(&party, Now::get())
}

/// Pays what parties have earned.
pub(crate) fn pay(numbers: &[u8]) -> Result<(), DispatchError> {
	let parties: Vec<_> = numbers.iter().map(|number| key(*number)).collect();
	dispatch(Call::claim_emission { parties: parties.try_into().unwrap() }, account(8))
}

/// Returns a new chain on which nobody is registered.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
	let accounts = (1..=12).chain([99, 200]);
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: accounts.map(|number| (account(number), NATIVE / 2)).collect(),
			..Default::default()
		},
		aicp: pallet_balances::GenesisConfig {
			balances: vec![(client(), AICP_OF_CLIENT)],
			..Default::default()
		},
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
	ext.execute_with(|| {
		System::set_block_number(1);
		Now::set(START);
		Credit::set([(client(), (1_000_000_000, 0))].into());
		Served::set(BTreeMap::new());
		Recorded::set(Vec::new());
		Drawn::set(true);
		Factors::set(vec![(MODEL, 0, 1_000)]);
		ComputeReceipts::begin_emission();
	});
	ext
}

/// Runs a test on a new chain, then checks every invariant.
pub(crate) fn build_bare_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		ComputeReceipts::do_try_state().expect("an invariant is broken");
		// Nobody has sent anything to the escrow but for a row: it is equal to the unit.
		assert_eq!(in_escrow(), ComputeReceipts::owed(), "the escrow is not what the rows say");
	});
}

/// Same as [`build_bare_and_execute`], with the coordinator admitted and both miners registered.
pub(crate) fn build_and_execute(test: impl FnOnce()) {
	build_bare_and_execute(|| {
		register(COORDINATOR, PartyRole::Coordinator).unwrap();
		register(MINER, PartyRole::Miner(Class::Gpu)).unwrap();
		register(CPU_MINER, PartyRole::Miner(Class::Cpu)).unwrap();
		admit(COORDINATOR).unwrap();
		System::reset_events();
		test();
	});
}

/// Returns the events of this pallet so far.
pub(crate) fn events() -> Vec<Event<Test>> {
	System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::ComputeReceipts(event) => Some(event),
			_ => None,
		})
		.collect()
}
