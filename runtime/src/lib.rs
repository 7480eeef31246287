//! The Gridproof runtime: the rules that every node agrees on.
//!
//! This file names the runtime's types and its pallets. The settings of each pallet are in
//! [`configs`], one file per pallet; the questions that node and clients may ask in [`apis`]; the
//! states from which a chain can start in [`genesis_presets`].

#![cfg_attr(not(feature = "std"), no_std)]
// The macros that build a runtime write items without documentation, so `missing_docs` is asked
// for where our own items stand.
#![cfg_attr(
	not(any(test, feature = "runtime-benchmarks", feature = "try-runtime")),
	deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]
#![recursion_limit = "256"]

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

extern crate alloc;

pub mod apis;
pub mod configs;
pub mod constants;
pub mod genesis_presets;

use alloc::{borrow::Cow, vec::Vec};
use sp_runtime::{
	MultiAddress, MultiSignature, generic, impl_opaque_keys,
	traits::{BlakeTwo256, IdentifyAccount, Verify},
};
use sp_version::RuntimeVersion;

pub use pallet_free_calls::RefuseFiltered;
#[cfg(feature = "std")]
pub use sp_runtime::BuildStorage;

/// Opaque types: what the node knows about blocks without knowing the runtime's calls.
pub mod opaque {
	use super::*;
	pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

	/// Block whose transactions are opaque bytes.
	pub type Block = generic::Block<Header, UncheckedExtrinsic>;
	/// Identifier of a block: its number or its hash.
	pub type BlockId = generic::BlockId<Block>;
}

impl_opaque_keys! {
	/// Session keys of an authority: one for blocks, one for finality.
	pub struct SessionKeys {
		/// Signs blocks (sr25519).
		pub aura: Aura,
		/// Signs finality votes (ed25519).
		pub grandpa: Grandpa,
	}
}

/// Version that a node reports; native tools use it to see whether they fit the chain.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
	spec_name: Cow::Borrowed("gridproof"),
	impl_name: Cow::Borrowed("gridproof-node"),
	authoring_version: 1,
	// Moves with every change of behaviour.
	spec_version: 104,
	impl_version: 0,
	apis: apis::RUNTIME_API_VERSIONS,
	// Moves when the encoding of a call or of the transaction extensions changes.
	transaction_version: 3,
	system_version: 1,
};

/// Signature by any of the three schemes that wallets use.
pub type Signature = MultiSignature;
/// Account: the public key of its signer, or a derived account for which nobody can sign.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// Amount of AIT, in units of 10⁻¹⁸ AIT; also of AICP (10⁻⁶) and KWH (1 Wh).
pub type Balance = u128;
/// Number of transactions that an account has sent.
pub type Nonce = u32;
/// Hash of anything on this chain: Blake2b, 256 bits.
pub type Hash = sp_core::H256;
/// Height of a block.
pub type BlockNumber = u32;
/// Time in UTC milliseconds since 1970-01-01.
pub type Moment = u64;
/// Reference to an account in a transaction.
pub type Address = MultiAddress<AccountId, ()>;
/// Header of a block, with Blake2b hashes.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// Block with this runtime's transactions.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;

/// Extensions of a transaction, in the order in which they are checked.
///
/// To wallets all of them are standard, and need no set-up: ours look like those that they wrap
/// (`AuthorizeCall` and `ChargeTransactionPayment`).
pub type TxExtension = (
	pallet_free_calls::RefuseFiltered<Runtime>,
	frame_system::CheckNonZeroSender<Runtime>,
	frame_system::CheckSpecVersion<Runtime>,
	frame_system::CheckTxVersion<Runtime>,
	frame_system::CheckGenesis<Runtime>,
	frame_system::CheckMortality<Runtime>,
	frame_system::CheckNonce<Runtime>,
	frame_system::CheckWeight<Runtime>,
	pallet_free_calls::FreeOrPaid<Runtime>,
	frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
	frame_system::WeightReclaim<Runtime>,
);

/// Transaction in the form in which it travels: the only place that names its format, so that an
/// Ethereum format can be added.
pub type UncheckedExtrinsic =
	generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;

/// Bytes that a signature covers.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;

/// Executes blocks: inherents, transactions, hooks.
pub type Executive = frame_executive::Executive<
	Runtime,
	Block,
	frame_system::ChainContext<Runtime>,
	Runtime,
	AllPalletsWithSystem,
>;

/// Pallets and their indices. An index is part of every call's and event's encoding: it is never
/// changed and never reused (12 was in use once). Free: 9 for consensus, 16 to 19 for money, 25 to
/// 29 for accounts, 44 for work authorities, 48 and above for what Gridproof adds.
#[frame_support::runtime]
mod runtime {
	/// All pallets of the runtime.
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
	pub struct Runtime;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp;

	// Consensus. Authorship comes before session, so that the author is known to all hooks.
	#[runtime::pallet_index(2)]
	pub type Aura = pallet_aura;
	#[runtime::pallet_index(3)]
	pub type Authorship = pallet_authorship;
	#[runtime::pallet_index(4)]
	pub type Session = pallet_session;
	#[runtime::pallet_index(5)]
	pub type Historical = pallet_session::historical;
	#[runtime::pallet_index(6)]
	pub type Offences = pallet_offences;
	#[runtime::pallet_index(7)]
	pub type Grandpa = pallet_grandpa;
	#[runtime::pallet_index(8)]
	pub type Authorities = pallet_authorities;

	// Money.
	#[runtime::pallet_index(10)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(11)]
	pub type TransactionPayment = pallet_transaction_payment;
	#[runtime::pallet_index(13)]
	pub type Assets = pallet_assets;
	#[runtime::pallet_index(14)]
	pub type AssetsHolder = pallet_assets_holder;
	#[runtime::pallet_index(15)]
	pub type FreeCalls = pallet_free_calls;

	// Accounts acting together or for each other.
	#[runtime::pallet_index(20)]
	pub type Utility = pallet_utility;
	#[runtime::pallet_index(21)]
	pub type Multisig = pallet_multisig;
	#[runtime::pallet_index(22)]
	pub type Proxy = pallet_proxy;
	#[runtime::pallet_index(23)]
	pub type Scheduler = pallet_scheduler;
	#[runtime::pallet_index(24)]
	pub type Preimage = pallet_preimage;

	// Governance and safety.
	#[runtime::pallet_index(30)]
	pub type Sudo = pallet_sudo;
	#[runtime::pallet_index(31)]
	pub type Treasury = pallet_treasury;
	#[runtime::pallet_index(32)]
	pub type Parameters = pallet_parameters;
	#[runtime::pallet_index(33)]
	pub type SafeMode = pallet_safe_mode;
	#[runtime::pallet_index(34)]
	pub type TxPause = pallet_tx_pause;
	#[runtime::pallet_index(35)]
	pub type MultiBlockMigrations = pallet_migrations;
	#[runtime::pallet_index(36)]
	pub type Brakes = pallet_brakes;
	#[runtime::pallet_index(37)]
	pub type Referenda = pallet_referenda;
	#[runtime::pallet_index(38)]
	pub type ConvictionVoting = pallet_conviction_voting;
	#[runtime::pallet_index(39)]
	pub type EmergencyCommittee = pallet_collective<Instance1>;

	// What Gridproof adds.
	#[runtime::pallet_index(40)]
	pub type Attestations = pallet_attestations;
	#[runtime::pallet_index(41)]
	pub type CoveragePolicy = pallet_coverage_policy;
	#[runtime::pallet_index(42)]
	pub type MeterReadings = pallet_meter_readings;
	#[runtime::pallet_index(43)]
	pub type ComputeReceipts = pallet_compute_receipts;
	#[runtime::pallet_index(45)]
	pub type ModelRegistry = pallet_model_registry;
	#[runtime::pallet_index(46)]
	pub type ComputeChecks = pallet_compute_checks;
	#[runtime::pallet_index(47)]
	pub type Governance = pallet_governance;
}

#[cfg(feature = "runtime-benchmarks")]
mod benches {
	frame_benchmarking::define_benchmarks!(
		[frame_system, SystemBench::<Runtime>]
		[frame_system_extensions, SystemExtensionsBench::<Runtime>]
		[pallet_assets, Assets]
		[pallet_attestations, Attestations]
		[pallet_balances, Balances]
		[pallet_compute_checks, ComputeChecks]
		[pallet_compute_receipts, ComputeReceipts]
		[pallet_coverage_policy, CoveragePolicy]
		[pallet_meter_readings, MeterReadings]
		[pallet_migrations, MultiBlockMigrations]
		[pallet_model_registry, ModelRegistry]
		[pallet_multisig, Multisig]
		[pallet_parameters, Parameters]
		[pallet_preimage, Preimage]
		[pallet_proxy, Proxy]
		[pallet_safe_mode, SafeMode]
		[pallet_scheduler, Scheduler]
		[pallet_sudo, Sudo]
		[pallet_timestamp, Timestamp]
		[pallet_tx_pause, TxPause]
		[pallet_utility, Utility]
	);
}
