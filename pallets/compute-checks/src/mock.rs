//! A runtime with a clock and waiting batches that tests can set, and this pallet.

use crate::{self as pallet_compute_checks, *};
use frame_support::{
	derive_impl, parameter_types,
	traits::{Authorize, ConstU32, ConstU64, ConstU128, fungible::Inspect as _},
};
use frame_system::{EnsureRoot, EnsureSignedBy};
use gridproof_primitives::{
	H256,
	compute::{
		ComputeParameters, PriceAsset, Telemetry,
		channels::{
			BatchKind, BatchSums, ChannelId, ChannelParameters, ChannelReceipt, ChannelSums,
			MinerLine, MinerSums, Mode, PaidBy, Placed, ReceiptV2, RunningSums, Sampler, VoucherId,
			receipt_leaf,
		},
		checks::*,
		registry::{EngineClass, ModelRegistry, ModelTerms},
	},
	crypto::{ed25519::PublicKey, merkle},
	num::units::AIT,
};
use sp_core::{Pair as _, sr25519::Pair};
use sp_runtime::{
	AccountId32, BuildStorage, DispatchError,
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
	pub type ComputeChecks = pallet_compute_checks::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type AccountData = pallet_balances::AccountData<u128>;
	type AccountId = AccountId32;
	type Block = Block;
	type Lookup = IdentityLookup<AccountId32>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type Balance = u128;
	type ExistentialDeposit = ConstU128<1_000>;
}

/// Time at which every test begins, in UTC milliseconds: the beginning of a day.
pub(crate) const START: u64 = 1_790_035_200_000;
/// AIT of each account at genesis.
pub(crate) const NATIVE: u128 = 10_000 * AIT;
/// Key of the coordinator of every batch.
pub(crate) const COORDINATOR: PublicKey = [70; 32];
/// Key of the miner of every receipt.
pub(crate) const MINER: PublicKey = [80; 32];
/// A model of class `exact`.
pub(crate) const EXACT: H256 = H256::repeat_byte(5);
/// A model of class `seeded`, with a line.
pub(crate) const SEEDED: H256 = H256::repeat_byte(6);
/// A model of class `seeded`, without a line.
pub(crate) const UNLINED: H256 = H256::repeat_byte(7);
/// Channel of every receipt, which [`client`] has opened.
pub(crate) const CHANNEL: ChannelId = 3;
/// Window of the tests, in milliseconds.
pub(crate) const WINDOW: u64 = 6 * 3_600_000;
/// The line of [`SEEDED`].
pub(crate) const LINE: ModelLine = ModelLine {
	class: LineClass::Seeded,
	line: 20_000,
	limit: 50_000,
	clip: 4_000_000,
	agreement: 5_000,
	finds_within: 5,
};

/// A batch that waits.
// The macro that keeps it makes everything public.
#[allow(unreachable_pub)]
#[derive(Clone)]
pub struct Waits {
	pub(crate) batch: Checkable,
	pub(crate) line: CheckableLine,
	pub(crate) receipts: Vec<ChannelReceipt>,
	/// Ranges that are given up.
	pub(crate) given_up: Vec<MinerLine>,
}

parameter_types! {
	pub static Now: u64 = START;
	pub static StoppedMs: u64 = 0;
	pub static All: BTreeMap<BatchId, Waits> = BTreeMap::new();
	pub static Holds: Vec<Part> = Vec::new();
	pub static Punishments: Vec<PublicKey> = Vec::new();
	pub static Taken: Vec<PublicKey> = Vec::new();
	pub static Lost: Vec<(BatchId, u128)> = Vec::new();
	pub static LostOfLine: Vec<(BatchId, u128)> = Vec::new();
	pub static Parties: BTreeMap<PublicKey, AccountId32> = BTreeMap::new();
	pub static Still: Vec<bool> = Vec::new();
	pub static Income: u128 = 100 * AIT;
	pub static Payments: Vec<(u64, AccountId32, u128)> = Vec::new();
	pub static Penniless: bool = false;
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

/// What waits.
pub struct WaitingBatches;

impl Waiting<AccountId32> for WaitingBatches {
	fn batch(id: &BatchId) -> Option<Checkable> {
		All::get().get(id).map(|one| one.batch)
	}

	fn line(id: &BatchId, miner: &PublicKey) -> Option<CheckableLine> {
		All::get().get(id).filter(|_| *miner == MINER).map(|one| one.line)
	}

	fn lines_of(miner: &PublicKey, most: u32) -> Vec<OtherLine> {
		assert_eq!(*miner, MINER);
		let all = All::get().into_iter().take(most as usize);
		let line = |(batch, one): (BatchId, Waits)| {
			let price = one.line.line.price().unwrap();
			OtherLine { batch, price, worth: price }
		};
		all.map(line).collect()
	}

	fn given_up(id: &BatchId) -> Vec<MinerLine> {
		All::get().get(id).map_or_else(Vec::new, |one| one.given_up.clone())
	}

	fn forfeit_receipt(
		id: &BatchId,
		_: &PublicKey,
		_: ChannelId,
		price: u128,
	) -> Result<Returned<AccountId32>, WaitingError> {
		if !All::get().contains_key(id) {
			return Err(WaitingError::NotWaiting);
		}
		Lost::mutate(|lost| lost.push((*id, price)));
		Ok(Returned { to: client(), pay: price, claim: 0 })
	}

	fn forfeit_price(id: &BatchId, miner: &PublicKey, price: u128) -> Result<u128, WaitingError> {
		assert_eq!(*miner, MINER);
		if !All::get().contains_key(id) {
			return Err(WaitingError::NotWaiting);
		}
		LostOfLine::mutate(|lost| lost.push((*id, price)));
		Ok(price)
	}

	fn forfeit_all(key: &PublicKey) -> Result<(), WaitingError> {
		Taken::mutate(|taken| taken.push(*key));
		Ok(())
	}

	fn punish(key: &PublicKey) -> Result<Punished, WaitingError> {
		Punishments::mutate(|all| all.push(*key));
		Ok(Punished { offences: 1, banned_until_ms: 0, slash: 0 })
	}

	fn hold(part: &Part, until_ms: u64) -> Result<(), WaitingError> {
		assert!(until_ms > Now::get(), "a hold is for a time to come");
		Holds::mutate(|holds| holds.push(*part));
		Ok(())
	}

	fn free(part: &Part) -> Result<(), WaitingError> {
		Holds::mutate(|holds| {
			let place = holds.iter().position(|one| one == part).ok_or(WaitingError::NotHeld)?;
			holds.remove(place);
			Ok(())
		})
	}

	fn set_mint_still(still: bool) {
		Still::mutate(|all| all.push(still));
	}
}

/// Treasury that pays out of its account.
pub struct Pays;

impl Fund<AccountId32> for Pays {
	fn received(_: u64) -> u128 {
		Income::get()
	}

	fn pay(day: u64, to: &AccountId32, amount: u128) -> Result<(), FundError> {
		if Penniless::get() {
			return Err(FundError::Poor);
		}
		Payments::mutate(|all| all.push((day, to.clone(), amount)));
		Ok(())
	}
}

/// What else is asked.
pub struct Settled;

impl Settlement<AccountId32> for Settled {
	fn parameters() -> (ComputeParameters, ChannelParameters) {
		let channels = ChannelParameters { check_window_ms: WINDOW, ..Default::default() };
		(ComputeParameters::default(), channels)
	}

	fn account_of(key: &PublicKey) -> Option<AccountId32> {
		Parties::get().get(key).cloned()
	}

	fn client_of(channel: ChannelId) -> Option<AccountId32> {
		(channel == CHANNEL).then(client)
	}

	fn stopped_ms() -> u64 {
		StoppedMs::get()
	}
}

/// Models of both classes.
pub struct KnownModels;

impl ModelRegistry for KnownModels {
	fn terms_at(model: &H256, _: u64) -> Option<ModelTerms> {
		let engine = if *model == EXACT { EngineClass::Exact } else { EngineClass::Seeded };
		Some(ModelTerms { factor: 1_000, engine })
	}
}

frame_support::ord_parameter_types! {
	pub const Guard: AccountId32 = AccountId32::new([99; 32]);
}

impl Config for Test {
	type Currency = Balances;
	type Escrow = EscrowAccount;
	type Fund = Pays;
	type GovernanceOrigin = EnsureRoot<AccountId32>;
	type MaxDemands = ConstU32<2>;
	type MaxDisputes = ConstU32<2>;
	type MaxLines = ConstU32<2>;
	type Models = KnownModels;
	type PauseOrigin = EnsureSignedBy<Guard, AccountId32>;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Settlement = Settled;
	type SubmissionLongevity = ConstU64<64>;
	type SubmissionPriority = ConstU64<1_000>;
	type Time = Clock;
	type Treasury = TreasuryAccount;
	type Waiting = WaitingBatches;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = MadeUp;
}

/// Makes what benchmarks need.
#[cfg(feature = "runtime-benchmarks")]
pub struct MadeUp;

#[cfg(feature = "runtime-benchmarks")]
impl BenchmarkHelper for MadeUp {
	fn set_time(now_ms: u64) {
		Now::set(now_ms);
	}

	fn batch(id: BatchId, header_hash: H256) -> Placed<ChannelReceipt> {
		let made = settle(id.sequence, receipts(SEEDED, &[10 * AIT]));
		let mut waits = All::get().get(&made).unwrap().clone();
		waits.batch.header_hash = header_hash;
		let receipt = placed(&made, 0);
		All::set([(id, waits)].into());
		receipt
	}

	fn receive(amount: u128) {
		Income::set(amount);
	}
}

/// Returns the account with a number. Verifiers have 1 to 5.
pub(crate) fn account(number: u8) -> AccountId32 {
	AccountId32::new([number; 32])
}

/// Returns the client.
pub(crate) fn client() -> AccountId32 {
	account(50)
}

/// Returns the coordinator's account.
pub(crate) fn coordinator() -> AccountId32 {
	account(70)
}

/// Returns the key pair of the verifier with a number.
pub(crate) fn pair(number: u8) -> Pair {
	Pair::from_seed(&[number; 32])
}

/// Returns the key of the verifier with a number.
pub(crate) fn key(number: u8) -> VerifierKey {
	pair(number).public().0
}

/// Returns the signature of a verifier.
pub(crate) fn sign(number: u8, payload: &[u8]) -> VerifierSignature {
	pair(number).sign(payload).0
}

pub(crate) fn genesis() -> H256 {
	System::block_hash(0)
}

/// Lets time pass.
pub(crate) fn pass(ms: u64) {
	Now::mutate(|now| *now += ms);
}

/// Moves to another block.
pub(crate) fn next_block() {
	let number = System::block_number();
	System::set_parent_hash(H256::from_low_u64_be(number));
	System::set_block_number(number + 1);
}

/// Makes receipts of a model at prices, in 10⁻¹⁸ AIT, of ten tokens each.
pub(crate) fn receipts(model: H256, prices: &[u128]) -> Vec<ChannelReceipt> {
	let mut sums = MinerSums { count: 7, price: 70, weight: 70 };
	let kind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary };
	prices
		.iter()
		.map(|price| {
			sums = sums.after(*price, 10).unwrap();
			let receipt = ReceiptV2 {
				paid_by: PaidBy::Voucher(VoucherId { channel: CHANNEL, number: sums.count }),
				miner: Some(MINER),
				model,
				spec_hash: H256::zero(),
				output_root: H256::zero(),
				weight: 10,
				price: *price,
				sampler: Sampler::Gumbel,
				telemetry: Telemetry {
					input_tokens: 0,
					output_tokens: 10,
					duration_ms: 1,
					memory_mb: 0,
				},
				settle_by_ms: 0,
			};
			let channel = ChannelSums { count: sums.count, price: sums.price };
			ChannelReceipt { receipt, sums: RunningSums { kind, channel, miner: sums } }
		})
		.collect()
}

/// Settles a batch of receipts now; returns its name.
pub(crate) fn settle(sequence: u64, receipts: Vec<ChannelReceipt>) -> BatchId {
	let id = BatchId { coordinator: COORDINATOR, sequence };
	let leaves: Vec<_> = receipts.iter().map(receipt_leaf).collect();
	let (first, last) = (receipts.first().unwrap(), receipts.last().unwrap());
	let from = first.miner_before().unwrap();
	let to = last.sums.miner;
	let price = to.price - from.price;
	let batch = Checkable {
		header_hash: H256::from_low_u64_be(sequence + 1_000),
		receipts: merkle::root(&leaves),
		kind: first.sums.kind,
		sums: BatchSums { receipts: receipts.len() as u64, price, weight: to.weight - from.weight },
		worth: price,
		claim: 0,
		lines: 1,
		registered: COORDINATOR,
		block: u32::try_from(System::block_number()).unwrap(),
		settled_ms: Now::get(),
		pay_due_ms: Now::get() + WINDOW,
		mint_due_ms: Now::get() + WINDOW,
	};
	let line = CheckableLine {
		line: MinerLine { miner: Some(MINER), from, to },
		before: 0,
		registered: MINER,
		is_signed: true,
		pay: price,
		claim: 0,
		is_held: false,
	};
	let waits = Waits { batch, line, receipts, given_up: vec![] };
	All::mutate(|all| all.insert(id, waits));
	id
}

/// Settles a batch and touches it three blocks later.
pub(crate) fn touched(sequence: u64, receipts: Vec<ChannelReceipt>) -> BatchId {
	let id = settle(sequence, receipts);
	(0..3).for_each(|_| next_block());
	apply(Call::touch { batch: id }).unwrap();
	id
}

/// Returns a batch of which at least one check falls to every verifier: ten AIT for five of them.
pub(crate) fn touched_of(sequence: u64, model: H256) -> BatchId {
	touched(sequence, receipts(model, &[2 * AIT; 5]))
}

/// Returns output and proof of a verifier's draw.
pub(crate) fn draw(batch: &BatchId, number: u8) -> Vrf {
	let row = Batches::<Test>::get(batch).unwrap();
	Vrf::sign(&pair(number), &draw_input(&genesis(), &row.header_hash, &row.checks.block))
}

/// Returns the receipt that a check of a verifier is of.
pub(crate) fn drawn(batch: &BatchId, number: u8, check: u32) -> Placed<ChannelReceipt> {
	let row = Batches::<Test>::get(batch).unwrap();
	let input = draw_input(&genesis(), &row.header_hash, &row.checks.block);
	let output = draw(batch, number).verify(&key(number), &input).unwrap();
	let point = point_of(&output, check, row.checks.total).unwrap();
	let waits = All::get().get(batch).unwrap().clone();
	let place = paid_place(&waits.line, &waits.given_up, point).unwrap();
	let is_here = |one: &ChannelReceipt| {
		one.miner_before().unwrap().price <= place && place < one.sums.miner.price
	};
	placed(batch, waits.receipts.iter().position(is_here).unwrap())
}

/// Returns a receipt of a batch with its place.
pub(crate) fn placed(batch: &BatchId, index: usize) -> Placed<ChannelReceipt> {
	let waits = All::get().get(batch).unwrap().clone();
	let leaves: Vec<_> = waits.receipts.iter().map(receipt_leaf).collect();
	let path = merkle::inclusion_proof(&leaves, index).unwrap().try_into().unwrap();
	Placed { item: waits.receipts[index], index: index as u64, path }
}

/// Returns the figures that a verifier has of its own.
pub(crate) fn own_figures(values: &[u32]) -> TokenFigures {
	values.to_vec().try_into().unwrap()
}

/// Returns a report with figures.
pub(crate) fn report_with(
	batch: &BatchId,
	number: u8,
	check: u32,
	figures: Figures,
) -> CheckReport {
	let id = CheckId { batch: *batch, verifier: key(number), check };
	CheckReport {
		verifier: key(number),
		check,
		vrf: draw(batch, number),
		batch: *batch,
		receipt: drawn(batch, number, check),
		figures,
		commitment: figures_commitment(&id, &own_figures(&[1, 2, 3])),
	}
}

/// Returns the call that brings a report, signed by a verifier.
pub(crate) fn report_call(report: CheckReport, number: u8) -> Call<Test> {
	let signature = sign(number, &report.signing_payload(&genesis()));
	Call::report_check { report: Box::new(report), signature }
}

/// Reports the first check of a verifier.
pub(crate) fn report(batch: &BatchId, number: u8, figures: Figures) -> Result<(), DispatchError> {
	apply(report_call(report_with(batch, number, 0, figures), number))
}

/// Applies a free call as a block does: authorised, then dispatched; a refusal is its error.
pub(crate) fn apply(call: Call<Test>) -> Result<(), DispatchError> {
	let runtime_call = RuntimeCall::ComputeChecks(call.clone());
	let authorised = runtime_call.authorize(TransactionSource::InBlock);
	match authorised.expect("the call can be authorised") {
		Ok(_) => dispatch_as(call, frame_system::RawOrigin::Authorized.into()),
		// It is refused for the same reason by its dispatch.
		Err(_) => dispatch_as(call, RuntimeOrigin::signed(account(60))),
	}
}

/// Returns what the pool decides about a free call.
pub(crate) fn authorize(call: Call<Test>) -> Result<ValidTransaction, u8> {
	let call = RuntimeCall::ComputeChecks(call);
	match call.authorize(TransactionSource::External).expect("the call can be authorised") {
		Ok((valid, _)) => Ok(valid),
		Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(code))) => Err(code),
		Err(other) => panic!("{other:?}"),
	}
}

/// Dispatches as a signed transaction would: a failed call changes nothing.
pub(crate) fn dispatch(call: Call<Test>, who: AccountId32) -> Result<(), DispatchError> {
	dispatch_as(call, RuntimeOrigin::signed(who))
}

/// Same as [`dispatch`], from any origin.
pub(crate) fn dispatch_as(call: Call<Test>, origin: RuntimeOrigin) -> Result<(), DispatchError> {
	RuntimeCall::ComputeChecks(call).dispatch(origin).map(|_| ()).map_err(|error| error.error)
}

/// Dispatches as governance.
pub(crate) fn govern(call: Call<Test>) -> Result<(), DispatchError> {
	dispatch_as(call, RuntimeOrigin::root())
}

/// Returns the free AIT of an account.
pub(crate) fn ait(who: &AccountId32) -> u128 {
	Balances::balance(who)
}

/// Returns the bond of a verifier.
pub(crate) fn bond(number: u8) -> u128 {
	Verifiers::<Test>::get(account(number)).unwrap().bond
}

/// Commits jurors to a verdict.
pub(crate) fn commit(dispute: H256, jurors: &[u8], verdict: Verdict) {
	for number in jurors {
		let commitment = ballot(dispute, *number, verdict).commitment(&genesis());
		let commitment = JuryCommitment { juror: key(*number), dispute, commitment };
		let signature = sign(*number, &commitment.signing_payload(&genesis()));
		apply(Call::commit_vote { commitment: Box::new(commitment), signature }).unwrap();
	}
}

/// Returns a juror's vote.
pub(crate) fn ballot(dispute: H256, number: u8, verdict: Verdict) -> Ballot {
	Ballot { juror: key(number), dispute, verdict, salt: [number; 32] }
}

/// Returns the call that reveals a juror's vote.
pub(crate) fn reveal_call(dispute: H256, number: u8, verdict: Verdict) -> Call<Test> {
	let ballot = ballot(dispute, number, verdict);
	let signature = sign(number, &ballot.signing_payload(&genesis()));
	Call::reveal_vote { ballot: Box::new(ballot), signature }
}

/// Lets jurors decide a dispute with one voice, and closes it.
pub(crate) fn decide(dispute: H256, jurors: &[u8], guilty: bool) {
	let verdict = Verdict { guilty, invented: None };
	commit(dispute, jurors, verdict);
	pass(CheckParameters::default().commit_ms);
	for number in jurors {
		apply(reveal_call(dispute, *number, verdict)).unwrap();
	}
	pass(CheckParameters::default().reveal_ms);
	apply(Call::close_dispute { dispute }).unwrap();
}

/// Returns the id of the only open dispute.
pub(crate) fn the_dispute() -> H256 {
	let ids: Vec<_> = Disputes::<Test>::iter_keys().collect();
	assert_eq!(ids.len(), 1);
	ids[0]
}

/// Returns a new chain with five verifiers.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
	let accounts = (1..=12).chain([50, 60, 70, 99, 200]);
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: accounts.map(|number| (account(number), NATIVE)).collect(),
			..Default::default()
		},
		compute_checks: pallet_compute_checks::GenesisConfig {
			lines: vec![(SEEDED, LINE)],
			verifiers: (1..=5).map(|number| (account(number), Some(key(number)))).collect(),
			..Default::default()
		},
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
	ext.execute_with(|| {
		System::set_block_number(1);
		Now::set(START);
		StoppedMs::set(0);
		All::set(BTreeMap::new());
		Holds::set(Vec::new());
		Punishments::set(Vec::new());
		Taken::set(Vec::new());
		Lost::set(Vec::new());
		LostOfLine::set(Vec::new());
		Parties::set([(COORDINATOR, coordinator()), (MINER, account(80))].into());
		Still::set(Vec::new());
		Payments::set(Vec::new());
		Penniless::set(false);
		Income::set(100 * AIT);
	});
	ext
}

/// Returns a new chain whose keystore signs.
#[cfg(feature = "runtime-benchmarks")]
pub(crate) fn new_benchmark_ext() -> sp_io::TestExternalities {
	let mut ext = new_test_ext();
	let keystore = sp_keystore::testing::MemoryKeystore::new();
	ext.register_extension(sp_keystore::KeystoreExt::new(keystore));
	ext
}

/// Runs a test, then checks every invariant.
pub(crate) fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		ComputeChecks::do_try_state().expect("an invariant is broken");
		// Nobody has sent anything to the pallet's account but for a row: it is equal to the unit.
		assert_eq!(ait(&EscrowAccount::get()), ComputeChecks::owed());
	});
}

/// Returns the events of this pallet so far.
pub(crate) fn events() -> Vec<Event<Test>> {
	System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::ComputeChecks(event) => Some(event),
			_ => None,
		})
		.collect()
}
