//! The runtime as a node runs it: genesis, blocks, transactions with their signatures, fees and
//! filters. The only file that knows the transaction's form.

use codec::Encode;
use frame_support::storage::with_transaction_unchecked;
use gridproof_primitives::{H256, num::units::AICP};
use gridproof_runtime::{
	AccountId, BuildStorage, Executive, Header, Runtime, RuntimeCall, RuntimeEvent,
	RuntimeGenesisConfig, RuntimeOrigin, SignedPayload, System, TxExtension, UncheckedExtrinsic,
	configs::TreasuryAccount,
	constants::currency::{AIT, GENESIS_SUPPLY},
	genesis_presets::{DEVELOPMENT, get_preset},
};
use serde_json::{Value, json};
use sp_core::{Pair, ed25519, sr25519};
use sp_runtime::{
	Digest, DigestItem, DispatchError, MultiAddress, MultiSignature, TransactionOutcome,
	generic::Era,
	traits::{Dispatchable, Header as _},
	transaction_validity::TransactionValidityError,
};

/// 2026-01-15, noon.
pub(crate) const START: u64 = 1_768_478_400_000;
pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

/// AIT of every account at the start, in 10⁻¹⁸ AIT.
pub(crate) const ENDOWMENT: u128 = 20_000 * AIT;
/// AICP of every account at the start, in micro-tokens.
pub(crate) const AICP_ENDOWMENT: u128 = 20_000 * AICP;

/// A key that signs transactions.
#[derive(Clone)]
pub(crate) enum Key {
	Wallet(Box<sr25519::Pair>),
	/// The key of a device, which is an account as well.
	Device(Box<ed25519::Pair>),
}

impl Key {
	pub(crate) fn named(name: &str) -> Self {
		let seed = sp_crypto_hashing::blake2_256(name.as_bytes());
		Self::Wallet(Box::new(sr25519::Pair::from_seed(&seed)))
	}

	pub(crate) fn account(&self) -> AccountId {
		match self {
			Self::Wallet(pair) => pair.public().0.into(),
			Self::Device(pair) => pair.public().0.into(),
		}
	}

	pub(crate) fn sign(&self, bytes: &[u8]) -> MultiSignature {
		match self {
			Self::Wallet(pair) => pair.sign(bytes).into(),
			Self::Device(pair) => pair.sign(bytes).into(),
		}
	}
}

/// The Ed25519 key of a party, a device or a role.
pub(crate) fn ed25519_named(name: &str) -> ed25519::Pair {
	ed25519::Pair::from_seed(&sp_crypto_hashing::blake2_256(name.as_bytes()))
}

/// What genesis differs in from run to run.
pub(crate) struct Founding {
	/// Accounts with AIT and AICP.
	pub(crate) accounts: Vec<AccountId>,
	/// Organisations: name, the admin, who is also its electrician.
	pub(crate) organisations: Vec<(&'static str, AccountId)>,
	pub(crate) recorders: Vec<AccountId>,
	pub(crate) issuer: AccountId,
	/// Account that can stop things, and loosen nothing.
	pub(crate) emergency: AccountId,
	/// Verifiers, each with its account's key.
	pub(crate) verifiers: Vec<AccountId>,
}

/// Time for which a rate of AICP counts, in milliseconds.
pub(crate) const RATE_VALID: u64 = DAY;

/// The development preset with these accounts and roles, days of UTC and steps of 150 s.
pub(crate) fn genesis(founding: &Founding) -> sp_io::TestExternalities {
	let patch = get_preset(&DEVELOPMENT.into()).expect("the preset exists");
	let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("serialises");
	let patch: Value = serde_json::from_slice(&patch).expect("the preset is JSON");
	for (pallet, settings) in patch.as_object().expect("an object") {
		for (name, value) in settings.as_object().expect("an object") {
			config[pallet][name] = value.clone();
		}
	}
	let treasury = TreasuryAccount::get();
	let count = u128::try_from(founding.accounts.len()).expect("few");
	let rest = GENESIS_SUPPLY - count * ENDOWMENT;
	let balances: Vec<_> = founding
		.accounts
		.iter()
		.map(|account| (account.clone(), ENDOWMENT))
		.chain([(treasury.clone(), rest)])
		.collect();
	config["balances"]["balances"] = json!(balances);
	let mut supply: Vec<_> =
		founding.accounts.iter().map(|account| (account.clone(), AICP_ENDOWMENT)).collect();
	supply.push((treasury, 75_000_000 * AICP - count * AICP_ENDOWMENT));
	config["coveragePolicy"]["supply"] = json!(supply);
	config["coveragePolicy"]["issuer"] = json!(founding.issuer);
	config["brakes"]["emergency"] = json!(founding.emergency);
	config["computeReceipts"]["parameters"]["rateValidMs"] = json!(RATE_VALID);
	config["meterReadings"]["organisations"] = json!(
		founding
			.organisations
			.iter()
			.map(|(name, admin)| (name, admin, [admin]))
			.collect::<Vec<_>>()
	);
	config["meterReadings"]["recorders"] = json!(founding.recorders);
	let verifiers = founding.verifiers.iter();
	let verifiers: Vec<(_, Option<[u8; 32]>)> =
		verifiers.map(|account| (account, Some(account.clone().into()))).collect();
	config["computeChecks"]["verifiers"] = json!(verifiers);
	// A few checks of each verifier for an order of the honest.
	config["computeChecks"]["parameters"]["valuePerCheck"] = json!(AIT / 20);
	config["attestations"]["calendar"] = json!(gridproof_primitives::time::calendar::Calendar::UTC);
	config["computeReceipts"]["stepMs"] = json!(150_000);
	let config: RuntimeGenesisConfig = serde_json::from_value(config).expect("a configuration");
	config.build_storage().expect("it builds").into()
}

/// Time of the block, in UTC milliseconds.
pub(crate) fn now() -> u64 {
	pallet_timestamp::Now::<Runtime>::get()
}

pub(crate) fn genesis_hash() -> H256 {
	H256(System::block_hash(0).0)
}

/// Begins the block at `now`.
pub(crate) fn begin_block(now: u64) {
	let slot = sp_consensus_aura::Slot::from(now / 1_000);
	let digest = Digest {
		logs: vec![DigestItem::PreRuntime(sp_consensus_aura::AURA_ENGINE_ID, slot.encode())],
	};
	let number = System::block_number() + 1;
	let parent = H256::from_low_u64_be(number.into()).0.into();
	let header = Header::new(number, Default::default(), Default::default(), parent, digest);
	Executive::initialize_block(&header);
	let set = pallet_timestamp::Call::set { now };
	let applied = Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(set.into()));
	assert_eq!(applied, Ok(Ok(())), "the time is set");
}

/// Ends the block.
pub(crate) fn end_block() {
	Executive::finalize_block();
}

fn extension(nonce: u32, tip: u128) -> TxExtension {
	(
		pallet_free_calls::RefuseFiltered::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckMortality::from(Era::Immortal),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(tip).into(),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	)
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
	Done,
	/// It is in the block, and its call failed.
	Failed(DispatchError),
	/// It does not get into a block.
	Refused(TransactionValidityError),
}

impl Outcome {
	pub(crate) fn is_done(&self) -> bool {
		*self == Self::Done
	}
}

/// Applies a transaction, as a block's author does: one that is refused leaves nothing behind.
fn apply(extrinsic: UncheckedExtrinsic) -> Outcome {
	with_transaction_unchecked(|| match Executive::apply_extrinsic(extrinsic) {
		Ok(Ok(())) => TransactionOutcome::Commit(Outcome::Done),
		Ok(Err(error)) => TransactionOutcome::Commit(Outcome::Failed(error)),
		Err(refused) => TransactionOutcome::Rollback(Outcome::Refused(refused)),
	})
}

/// Sends a call signed by `key`: free of fees where that is possible, else for its fee.
pub(crate) fn send_signed(key: &Key, call: RuntimeCall) -> Outcome {
	match send_with_tip(key, call.clone(), 0) {
		// A tip of one unit says that the sender pays.
		Outcome::Refused(_) => send_with_tip(key, call, 1),
		outcome => outcome,
	}
}

fn send_with_tip(key: &Key, call: RuntimeCall, tip: u128) -> Outcome {
	let extension = extension(System::account_nonce(key.account()), tip);
	let payload = match SignedPayload::new(call.clone(), extension.clone()) {
		Ok(payload) => payload,
		Err(refused) => return Outcome::Refused(refused),
	};
	let signature = payload.using_encoded(|bytes| key.sign(bytes));
	let address = MultiAddress::Id(key.account());
	apply(UncheckedExtrinsic::new_signed(call, address, signature, extension))
}

/// Sends a call without a signer.
pub(crate) fn send_free(call: RuntimeCall) -> Outcome {
	apply(UncheckedExtrinsic::new_transaction(call, extension(0, 0)))
}

/// What governance decides.
pub(crate) fn by_governance(call: RuntimeCall) -> Outcome {
	match call.dispatch(RuntimeOrigin::root()) {
		Ok(_) => Outcome::Done,
		Err(error) => Outcome::Failed(error.error),
	}
}

/// The events of the block since its event `from`.
pub(crate) fn events_since(from: usize) -> Vec<RuntimeEvent> {
	System::read_events_no_consensus().skip(from).map(|record| record.event).collect()
}

pub(crate) fn event_count() -> usize {
	usize::try_from(System::event_count()).expect("few")
}

/// AIT of an account: free, reserved, on hold.
pub(crate) fn ait(who: &AccountId) -> u128 {
	let account = frame_system::Account::<Runtime>::get(who);
	account.data.free + account.data.reserved
}
