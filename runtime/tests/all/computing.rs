//! Compute receipts on the whole runtime: in blocks, with the pool's checks, paid in each asset,
//! and the only mint of AIT.

use codec::{Decode, Encode};
use frame_support::{
	assert_ok,
	dispatch::{DispatchClass, GetDispatchInfo, extract_actual_weight},
	traits::fungibles::{Inspect, Mutate},
	weights::Weight,
};
use gridproof_primitives::{
	compute::{
		Class, MAX_RECEIPTS_PER_CALL, PartyRole, PriceAsset, Quote, Receipt, ReceiptRefusal,
		Registration, SignedReceipt, Signer, Telemetry,
	},
	num::units::{AICP_ASSET_ID, AIT_CAP},
	reserve::attestation::ServiceCredit,
};
use gridproof_runtime::{
	AccountId, Assets, Balances, BuildStorage, ComputeReceipts, CoveragePolicy, Executive, Header,
	ModelRegistry, Runtime, RuntimeCall, RuntimeEvent, RuntimeGenesisConfig, RuntimeOrigin, System,
	TxExtension, UncheckedExtrinsic,
	configs::{EscrowAccount, TreasuryAccount},
	constants::{RuntimeBlockWeights, currency::AIT},
	genesis_presets::{DEVELOPMENT, LOCAL_TESTNET, STAGING, get_preset},
};
use pallet_compute_receipts::{
	Admitted, Call, ClosedStep, EmissionSchedule, Event, Jobs, Parties, Party, Pending, Reported,
	Reports, Steps, Sums,
};
use sp_core::{H256, Pair, ed25519};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave, Eve};
use sp_runtime::{
	Digest, DigestItem, DispatchError,
	generic::Era,
	traits::{Dispatchable, Header as _},
	transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
};

/// 2026-01-15, noon.
const NOON: u64 = 1_768_478_400_000;
/// Length of a step of the development chain.
const STEP: u64 = 15_000;

fn genesis(id: &str) -> sp_io::TestExternalities {
	let patch = get_preset(&id.into()).expect("the preset exists");
	let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("serialises");
	let patch: serde_json::Value = serde_json::from_slice(&patch).expect("the preset is JSON");
	for (pallet, settings) in patch.as_object().expect("an object") {
		for (name, value) in settings.as_object().expect("an object") {
			config[pallet][name] = value.clone();
		}
	}
	let config: RuntimeGenesisConfig = serde_json::from_value(config).expect("a configuration");
	config.build_storage().expect("it builds").into()
}

/// The development chain at noon, with a coordinator of Bob's and miners of Charlie's and Dave's.
fn development(test: impl FnOnce()) {
	genesis(DEVELOPMENT).execute_with(|| {
		System::set_block_number(1);
		pallet_timestamp::Now::<Runtime>::put(NOON);
		<ComputeReceipts as frame_support::traits::Hooks<u32>>::on_initialize(2);
		register(1, PartyRole::Coordinator, Bob.to_account_id());
		register(2, PartyRole::Miner(Class::Gpu), Charlie.to_account_id());
		register(3, PartyRole::Miner(Class::Cpu), Dave.to_account_id());
		assert_ok!(ComputeReceipts::admit_coordinator(RuntimeOrigin::root(), key(1)));
		test();
	});
}

fn pair(number: u8) -> ed25519::Pair {
	ed25519::Pair::from_seed(&[number; 32])
}

pub(crate) fn key(number: u8) -> [u8; 32] {
	pair(number).public().0
}

fn hash() -> H256 {
	System::block_hash(0)
}

pub(crate) fn register(number: u8, role: PartyRole, account: AccountId) {
	let statement = Registration { role, account: account.clone().into() };
	let proof = pair(number).sign(&statement.signing_payload(&hash())).0;
	let origin = RuntimeOrigin::signed(account);
	assert_ok!(match role {
		PartyRole::Coordinator => {
			ComputeReceipts::register_coordinator(origin, key(number), proof)
		},
		PartyRole::Miner(class) => {
			ComputeReceipts::register_miner(origin, key(number), class, proof)
		},
	});
}

/// The model that every development chain counts.
fn model() -> H256 {
	ModelRegistry::default_model().expect("there is one")
}

/// Eve opens a job.
fn open(asset: PriceAsset, nonce: u64) -> Result<H256, DispatchError> {
	let quote = Quote {
		coordinator: key(1),
		client: Eve.to_account_id().into(),
		spec_hash: H256::zero(),
		model_factor: ModelRegistry::factor_at(model(), NOON).expect("it counts"),
		asset,
		price: 1_000_000,
		max_units: 1_000,
		expiry_ms: NOON + 60_000,
		deadline_ms: NOON + 600_000,
		miner: None,
		nonce,
		model: Some(model()),
	};
	let signature = pair(1).sign(&quote.signing_payload(&hash())).0;
	let job_id = quote.job_id(&hash());
	let origin = RuntimeOrigin::signed(Eve.to_account_id());
	ComputeReceipts::open_job(origin, Box::new(quote), signature)?;
	Ok(job_id)
}

fn receipt(job_id: H256, miner: u8) -> SignedReceipt {
	let receipt = Receipt {
		job_id,
		miner: key(miner),
		output_hash: H256::repeat_byte(1),
		compute_units: 1_000,
		price: 900_000,
		nonce: 0,
		telemetry: Telemetry {
			input_tokens: 0,
			output_tokens: 1_000,
			duration_ms: 1_000,
			memory_mb: 1_000,
		},
	};
	let sign = |number, signer| pair(number).sign(&receipt.signing_payload(&hash(), signer)).0;
	SignedReceipt {
		miner_signature: sign(miner, Signer::Miner),
		coordinator_signature: sign(1, Signer::Coordinator),
		receipt,
	}
}

fn claim(receipts: Vec<SignedReceipt>) -> RuntimeCall {
	Call::claim_receipts { receipts: receipts.try_into().expect("as many as fit") }.into()
}

/// A transaction without a signer.
pub(crate) fn general(call: RuntimeCall) -> UncheckedExtrinsic {
	let extension: TxExtension = (
		pallet_free_calls::RefuseFiltered::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckMortality::from(Era::Immortal),
		frame_system::CheckNonce::from(0),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(0).into(),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	);
	UncheckedExtrinsic::new_transaction(call, extension)
}

/// Begins a block at `now`.
fn begin_block(now: u64) {
	let slot = sp_consensus_aura::Slot::from(now / 1_000);
	let digest = Digest {
		logs: vec![DigestItem::PreRuntime(sp_consensus_aura::AURA_ENGINE_ID, slot.encode())],
	};
	System::set_block_number(0);
	pallet_timestamp::Now::<Runtime>::put(now - 1_000);
	let header =
		Header::new(1, Default::default(), Default::default(), System::block_hash(0), digest);
	Executive::initialize_block(&header);
	let now = pallet_timestamp::Call::set { now };
	assert_eq!(Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(now.into())), Ok(Ok(())));
}

fn free(who: &AccountId) -> u128 {
	Balances::free_balance(who)
}

#[test]
fn half_of_a_block_takes_five_hundred_receipts() {
	development(|| {
		let jobs: Vec<_> = (0..2_500).map(|nonce| open(PriceAsset::Ait, nonce).unwrap()).collect();
		let miner = |place: usize| if place.is_multiple_of(2) { 2 } else { 3 };
		let receipts: Vec<_> =
			jobs.iter().enumerate().map(|(place, job)| receipt(*job, miner(place))).collect();
		begin_block(NOON);
		let mut included = 0;
		// A call is let in by the weight of its worst case, and charged what it took: towards the
		// block's end smaller ones fit.
		for size in [100, 20] {
			for part in receipts[included..].to_vec().chunks(size) {
				match Executive::apply_extrinsic(general(claim(part.to_vec()))) {
					Ok(result) => assert_eq!(result, Ok(())),
					Err(refused) => {
						let full = InvalidTransaction::ExhaustsResources;
						assert_eq!(refused, TransactionValidityError::Invalid(full));
						break;
					},
				}
				included += part.len();
			}
		}
		println!("receipts in a block: {included}");
		// Free calls leave the other half to those that pay.
		assert!(included >= 500, "only {included} receipts fit into a block");
		assert_eq!(ComputeReceipts::overview().jobs_settled, included as u64);
	});
}

#[test]
fn the_largest_claim_fits_into_a_block() {
	development(|| {
		let receipts: Vec<_> = (0..MAX_RECEIPTS_PER_CALL)
			.map(|nonce| receipt(open(PriceAsset::Ait, nonce.into()).unwrap(), 2))
			.collect();
		let declared = general(claim(receipts.clone())).get_dispatch_info().total_weight();
		let most = RuntimeBlockWeights::get().get(DispatchClass::Normal).max_extrinsic;
		assert!(declared.all_lte(most.expect("there is a limit")), "{declared:?}");
		begin_block(NOON);
		assert_eq!(Executive::apply_extrinsic(general(claim(receipts))), Ok(Ok(())));
	});
}

#[test]
fn a_claim_without_a_signer_is_free_once() {
	development(|| {
		let (miner, client) = (Charlie.to_account_id(), Eve.to_account_id());
		let signed = receipt(open(PriceAsset::Ait, 0).unwrap(), 2);
		let before = (free(&miner), free(&client));
		let call = || general(claim(vec![signed.clone()]));
		let validity = Executive::validate_transaction(
			TransactionSource::External,
			call(),
			System::block_hash(0),
		)
		.expect("it is valid");
		assert_eq!(validity.provides.len(), 1);
		begin_block(NOON);
		assert_eq!(Executive::apply_extrinsic(call()), Ok(Ok(())));
		// Three quarters of the price; a fifth is the treasury's.
		assert_eq!(free(&miner), before.0 + 675_000);
		// The deposit returns with the row, a day later.
		assert_eq!(free(&client), before.1 + 100_000);
		let code = ReceiptRefusal::AlreadySettled.code();
		let refused = TransactionValidityError::Invalid(InvalidTransaction::Custom(code));
		assert_eq!(Executive::apply_extrinsic(call()), Err(refused));
		// A whole batch stays out for one bad receipt.
		let good = receipt(open(PriceAsset::Ait, 1).unwrap(), 2);
		let batch = general(claim(vec![good, signed]));
		let answer = Executive::validate_transaction(TransactionSource::External, batch, hash());
		assert_eq!(answer, Err(refused));
	});
}

#[test]
fn a_job_is_paid_in_the_real_aicp() {
	development(|| {
		let (miner, client) = (Charlie.to_account_id(), Eve.to_account_id());
		let balance = |who: &AccountId| <Assets as Inspect<_>>::balance(AICP_ASSET_ID, who);
		assert_ok!(<Assets as Mutate<_>>::mint_into(AICP_ASSET_ID, &client, 5_000_000));
		let issuance = <Assets as Inspect<_>>::total_issuance(AICP_ASSET_ID);
		let job = open(PriceAsset::Aicp, 0).unwrap();
		assert_eq!(balance(&client), 4_000_000);
		assert_eq!(balance(&EscrowAccount::get()), 1_000_000);
		begin_block(NOON);
		let call = general(claim(vec![receipt(job, 2)]));
		assert_eq!(Executive::apply_extrinsic(call), Ok(Ok(())));
		assert_eq!((balance(&client), balance(&miner)), (4_100_000, 675_000));
		assert_eq!(balance(&EscrowAccount::get()), 0);
		assert_eq!(<Assets as Inspect<_>>::total_issuance(AICP_ASSET_ID), issuance);
		// More than there is cannot be held.
		let opened = (1..10).map(|nonce| open(PriceAsset::Aicp, nonce).is_ok());
		assert_eq!(opened.filter(|opened| *opened).count(), 4);
	});
}

#[test]
fn a_job_is_paid_with_the_credit_of_redeemed_aicp() {
	development(|| {
		let client = Eve.to_account_id();
		assert_ok!(<Assets as Mutate<_>>::mint_into(AICP_ASSET_ID, &client, 5_000_000));
		let origin = RuntimeOrigin::signed(client.clone());
		assert_ok!(CoveragePolicy::redeem(origin, 2_000_000, 3_000_000));
		let issuance = <Assets as Inspect<_>>::total_issuance(AICP_ASSET_ID);
		let parties = [Charlie.to_account_id(), Bob.to_account_id(), TreasuryAccount::get()];
		let balance = |who: &AccountId| <Assets as Inspect<_>>::balance(AICP_ASSET_ID, who);
		let before = parties.each_ref().map(balance);
		let job = open(PriceAsset::ServiceCredit, 0).unwrap();
		assert_eq!(CoveragePolicy::available(&client), 2_000_000);
		assert_eq!(CoveragePolicy::held(&client), 1_000_000);
		begin_block(NOON);
		let call = general(claim(vec![receipt(job, 2)]));
		assert_eq!(Executive::apply_extrinsic(call), Ok(Ok(())));
		assert_eq!(CoveragePolicy::available(&client), 2_100_000);
		assert_eq!(CoveragePolicy::held(&client), 0);
		// 75 %, 5 % and 20 % of 0.90 EUR, at 1.50 EUR, of what the treasury had put aside.
		let after = parties.each_ref().map(balance);
		assert_eq!([0, 1, 2].map(|place| after[place] - before[place]), [450_000, 30_000, 120_000]);
		assert_eq!(<Assets as Inspect<_>>::total_issuance(AICP_ASSET_ID), issuance);
	});
}

/// AIT that the events since `from` say was minted.
fn minted_by_events() -> u128 {
	System::events()
		.into_iter()
		.map(|record| match record.event {
			RuntimeEvent::ComputeReceipts(
				Event::EmissionPaid { amount, .. } | Event::TreasuryPaid { amount },
			) => amount,
			_ => 0,
		})
		.sum()
}

#[test]
fn ait_is_minted_against_receipts_and_by_nothing_else() {
	development(|| {
		let genesis = Balances::total_issuance();
		begin_block(NOON);
		let claims = (0..4)
			.map(|nonce| receipt(open(PriceAsset::Ait, nonce).unwrap(), 2 + (nonce % 2) as u8))
			.collect();
		assert_eq!(Executive::apply_extrinsic(general(claim(claims))), Ok(Ok(())));
		assert_eq!(Balances::total_issuance(), genesis);
		pallet_timestamp::Now::<Runtime>::put(NOON + STEP);
		let parties = vec![key(1), key(2), key(3)].try_into().expect("as many as fit");
		let pay: RuntimeCall = Call::claim_emission { parties }.into();
		assert_eq!(Executive::apply_extrinsic(general(pay)), Ok(Ok(())));
		// Two receipts of each class with the score of newcomers: a tenth of the 180,000 units that
		// the treasury received of each price, and three tenths of that.
		let sums = Sums::<Runtime>::get();
		assert_eq!(sums.minted, 2 * 18_000 + 2 * 5_400);
		assert_eq!(Balances::total_issuance(), genesis + sums.minted);
		assert_eq!(minted_by_events(), sums.minted);
		assert!(Balances::total_issuance() <= AIT_CAP);
	});
}

#[test]
fn no_call_of_any_signer_makes_ait() {
	development(|| {
		let issuance = Balances::total_issuance();
		for pallet in 0..=u8::MAX {
			for index in 0..=u8::MAX {
				for fill in [0, 1] {
					let mut bytes = vec![pallet, index];
					bytes.resize(2_048, fill);
					let Ok(call) = RuntimeCall::decode(&mut bytes.as_slice()) else { continue };
					let _ = call.dispatch(RuntimeOrigin::signed(Alice.to_account_id()));
					assert!(Balances::total_issuance() <= issuance, "{pallet}:{index}");
				}
			}
		}
	});
}

#[test]
fn what_is_minted_divides_between_miner_coordinator_and_treasury() {
	development(|| {
		let accounts = [Bob.to_account_id(), Charlie.to_account_id(), TreasuryAccount::get()];
		let signed = receipt(open(PriceAsset::Ait, 0).unwrap(), 2);
		begin_block(NOON);
		assert_eq!(Executive::apply_extrinsic(general(claim(vec![signed]))), Ok(Ok(())));
		let before = accounts.each_ref().map(free);
		pallet_timestamp::Now::<Runtime>::put(NOON + STEP);
		let parties = vec![key(1), key(2)].try_into().expect("as many as fit");
		let pay: RuntimeCall = Call::claim_emission { parties }.into();
		assert_eq!(Executive::apply_extrinsic(general(pay)), Ok(Ok(())));
		let after = accounts.each_ref().map(free);
		let gained = [0, 1, 2].map(|place| after[place] - before[place]);
		assert_eq!(gained, [900, 13_500, 3_600]);
	});
}

#[test]
fn steps_take_150_seconds_but_on_the_development_chain() {
	for (id, step_ms) in [(DEVELOPMENT, STEP), (LOCAL_TESTNET, 150_000), (STAGING, 150_000)] {
		genesis(id).execute_with(|| {
			assert_eq!(EmissionSchedule::<Runtime>::get().step_ms, step_ms, "{id}");
			let sums = Sums::<Runtime>::get();
			assert_eq!(sums.genesis, Balances::total_issuance(), "{id}");
			assert_eq!(ComputeReceipts::overview().reserve, 10_500_000 * AIT, "{id}");
		});
	}
}

/// Parties and clients of which each call of a worst case has one for each of its receipts.
const MANY: u32 = 256;
/// Price of their jobs.
const PRICE: u128 = 1_000_000;

fn numbered(kind: u8, index: u32) -> ed25519::Pair {
	let mut seed = [kind; 32];
	seed[..4].copy_from_slice(&index.to_le_bytes());
	ed25519::Pair::from_seed(&seed)
}

fn numbered_account(kind: u8, index: u32) -> AccountId {
	numbered(kind, index).public().0.into()
}

/// A party with a step of its own to convert. Its account exists in AIT, and not in AICP.
fn numbered_party(role: PartyRole, kind: u8, index: u32) {
	use frame_support::traits::fungible::Mutate;
	let who = numbered_account(kind + 100, index);
	<Balances as Mutate<_>>::mint_into(&who, AIT).unwrap();
	let mut party = Party::new(role, who, 1_000 * AIT, NOON);
	let step = u64::from(index) + u64::from(kind) * 1_000_000;
	party.pending = Pending { step, claim: 1, score: 1 };
	Steps::<Runtime>::insert(step, ClosedStep { claims: 7, parties: 1, ..Default::default() });
	let key = numbered(kind, index).public().0;
	Parties::<Runtime>::insert(key, party);
	Admitted::<Runtime>::insert(key, ());
}

/// A job of a client, a miner and a coordinator of its own.
fn numbered_job(asset: PriceAsset, index: u32) -> SignedReceipt {
	use frame_support::traits::fungible::{Mutate as _, hold::Mutate as _};
	let coordinator = numbered(1, index);
	let (miner, client) = (numbered(2, index), numbered_account(3, index));
	numbered_party(PartyRole::Coordinator, 1, index);
	numbered_party(PartyRole::Miner(Class::Gpu), 2, index);
	Balances::mint_into(&client, 10 * AIT).unwrap();
	if asset == PriceAsset::ServiceCredit {
		// Credit that goes with this job, and its row with it.
		let reason = pallet_coverage_policy::HoldReason::CreditAccount.into();
		Balances::hold(&reason, &client, AIT).unwrap();
		let account = pallet_coverage_policy::CreditAccount {
			available: PRICE,
			deposit: AIT,
			..Default::default()
		};
		pallet_coverage_policy::Accounts::<Runtime>::insert(&client, account);
	} else {
		assert_ok!(<Assets as Mutate<_>>::mint_into(AICP_ASSET_ID, &client, 2 * PRICE));
	}
	let quote = Quote {
		coordinator: coordinator.public().0,
		client: client.clone().into(),
		spec_hash: H256::zero(),
		model_factor: ModelRegistry::factor_at(model(), NOON).expect("it counts"),
		asset,
		price: PRICE,
		max_units: 1_000,
		expiry_ms: NOON + 60_000,
		deadline_ms: NOON + 600_000,
		miner: None,
		nonce: 0,
		model: Some(model()),
	};
	let signature = coordinator.sign(&quote.signing_payload(&hash())).0;
	let job_id = quote.job_id(&hash());
	assert_ok!(ComputeReceipts::open_job(
		RuntimeOrigin::signed(client),
		Box::new(quote),
		signature
	));
	let price = if asset == PriceAsset::ServiceCredit { PRICE } else { PRICE - 1 };
	let receipt = Receipt { miner: miner.public().0, price, ..receipt(job_id, 2).receipt };
	let payload = |signer| receipt.signing_payload(&hash(), signer);
	SignedReceipt {
		miner_signature: miner.sign(&payload(Signer::Miner)).0,
		coordinator_signature: coordinator.sign(&payload(Signer::Coordinator)).0,
		receipt,
	}
}

fn numbered_jobs(asset: PriceAsset) -> Vec<SignedReceipt> {
	(0..MANY).map(|index| numbered_job(asset, index)).collect()
}

fn expire(receipts: &[SignedReceipt]) -> RuntimeCall {
	let jobs: Vec<_> = receipts.iter().map(|signed| signed.receipt.job_id).collect();
	Call::expire_jobs { jobs: jobs.try_into().expect("as many as fit") }.into()
}

/// Lets the jobs of these receipts be accepted and overdue.
fn let_pass(receipts: &[SignedReceipt]) {
	for SignedReceipt { receipt, .. } in receipts {
		Jobs::<Runtime>::mutate(receipt.job_id, |job| {
			let job = job.as_mut().expect("it is open");
			job.terms.deadline_ms = NOON;
			(job.terms.miner, job.accepted_ms) = (Some(receipt.miner), Some(0));
		});
	}
}

/// Dispatches the call that `prepare` returns. Returns what it is charged, and what the rows that it
/// writes weigh in the database; each of them is read before.
fn charged_and_least(prepare: impl FnOnce() -> RuntimeCall) -> (Weight, Weight) {
	let mut ext = genesis(DEVELOPMENT);
	let call =
		ext.execute_with(|| {
			System::set_block_number(1);
			pallet_timestamp::Now::<Runtime>::put(NOON);
			<ComputeReceipts as frame_support::traits::Hooks<u32>>::on_initialize(2);
			// A step to close, in which somebody earned.
			pallet_compute_receipts::Running::<Runtime>::put(
				pallet_compute_receipts::RunningStep { step: 3, claims: AIT, parties: 1 },
			);
			EmissionSchedule::<Runtime>::mutate(|schedule| schedule.start_ms = NOON - 100 * STEP);
			prepare()
		});
	ext.commit_all().expect("the state is stored");
	let charged = ext.execute_with(|| {
		let info = call.get_dispatch_info();
		let result = call.dispatch(RuntimeOrigin::signed(Bob.to_account_id()));
		assert!(result.is_ok(), "{result:?}");
		extract_actual_weight(&result, &info)
	});
	// Events and the like belong to the block, not to the call.
	let account = frame_support::storage::storage_prefix(b"System", b"Account");
	let block = &account[..16];
	let written = ext
		.overlayed_changes()
		.changes()
		.filter(|(key, _)| !key.starts_with(block) || key.starts_with(&account))
		.count();
	let rows = u64::try_from(written).expect("few");
	(charged, <Runtime as frame_system::Config>::DbWeight::get().reads_writes(rows, rows))
}

fn assert_charged(what: &str, prepare: impl FnOnce() -> RuntimeCall) {
	let (charged, least) = charged_and_least(prepare);
	println!("{what}: charged {charged:?}, its rows weigh {least:?}");
	assert!(charged.ref_time() > least.ref_time(), "{what} is charged less than its rows weigh");
	// A bound that says nothing would be one that is far too high.
	assert!(charged.ref_time() < 4 * least.ref_time(), "{what} is charged far too much");
}

#[test]
fn the_largest_calls_are_charged_what_their_rows_weigh_at_least() {
	for asset in [PriceAsset::Aicp, PriceAsset::ServiceCredit] {
		assert_charged("claim", || claim(numbered_jobs(asset)));
		assert_charged("expiry", || {
			let receipts = numbered_jobs(asset);
			let_pass(&receipts);
			expire(&receipts)
		});
	}
	assert_charged("removal", || {
		use frame_support::traits::fungible::Mutate;
		let receipts = numbered_jobs(PriceAsset::Aicp);
		for (place, signed) in receipts.iter().enumerate() {
			for kind in [4, 5] {
				let index = u32::try_from(place).expect("few");
				let reporter = numbered_account(kind, index);
				Balances::mint_into(&reporter, AIT).unwrap();
				Balances::mint_into(&EscrowAccount::get(), AIT / 4).unwrap();
				let kinds = vec![].try_into().expect("none");
				let reported = Reported { kinds, reporter, deposit: AIT / 4 };
				let offender = numbered(kind + 10, index).public().0;
				Reports::<Runtime>::insert(signed.receipt.job_id, offender, reported);
			}
			Jobs::<Runtime>::mutate(signed.receipt.job_id, |job| {
				let job = job.as_mut().expect("it is open");
				job.state = gridproof_primitives::compute::JobState::Cancelled;
				(job.closed_ms, job.expiry_ms) = (0, 0);
			});
		}
		expire(&receipts)
	});
}
