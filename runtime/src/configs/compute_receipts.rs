//! `pallet_compute_receipts`: escrow, receipts, and the only mint of AIT.

use crate::{
	AccountId, Assets, AssetsHolder, Balance, Balances, ComputeChecks, CoveragePolicy, Runtime,
	RuntimeCall, RuntimeHoldReason, Timestamp,
	configs::{EmergencyOrigin, GovernanceOrigin, TreasuryAccount},
	constants::{AICP, currency::deposit, time::MINUTES},
};
use alloc::vec::Vec;
use frame_support::{
	PalletId,
	traits::{ConstU32, ConstU64, Contains, Get, fungible::ItemOf},
};
use gridproof_primitives::{
	H256,
	compute::registry::{FACTOR_MEMORY_MS, ModelRegistry, ModelTerms},
};
use sp_runtime::traits::AccountIdConversion;

frame_support::parameter_types! {
	/// Deposit for the row of a job, in 10⁻¹⁸ AIT.
	pub const JobDeposit: Balance = deposit(1, 400);
	/// Deposit for the row of reports about a party and a job, in 10⁻¹⁸ AIT.
	pub const ReportDeposit: Balance = deposit(1, 150);
	/// Deposit for the two rows of a channel, in 10⁻¹⁸ AIT.
	pub const ChannelDeposit: Balance = deposit(2, 450);
	/// Id from which the account of the escrow is derived.
	pub const EscrowPalletId: PalletId = PalletId(*b"gp/escrw");
	/// Account in which prices of open jobs, channels and deposits lie, for which no key can sign.
	pub EscrowAccount: AccountId = EscrowPalletId::get().into_account_truncating();
}

/// AICP, as a single token.
type Aicp = ItemOf<Assets, ConstU32<AICP>, AccountId>;

/// AICP with the holds under which prices of jobs lay until version 3 of the pallet's storage.
pub(crate) type AicpWithHolds = ItemOf<AssetsHolder, ConstU32<AICP>, AccountId>;

/// `true` while safe mode or a pause keeps receipts from being claimed: the deadlines of jobs stand
/// still.
pub struct Halted;

impl Get<bool> for Halted {
	fn get() -> bool {
		let call = pallet_compute_receipts::Call::claim_receipts { receipts: Default::default() };
		type Filter = <Runtime as frame_system::Config>::BaseCallFilter;
		!Filter::contains(&RuntimeCall::ComputeReceipts(call))
	}
}

/// The models of the registry.
pub struct RegisteredModels;

impl ModelRegistry for RegisteredModels {
	fn terms_at(model: &H256, time_ms: u64) -> Option<ModelTerms> {
		<crate::ModelRegistry as ModelRegistry>::terms_at(model, time_ms)
	}
}

impl pallet_compute_receipts::Models for RegisteredModels {
	fn factors(model: &H256, from_ms: u64, to_ms: u64) -> Vec<u32> {
		// What held longer ago is forgotten, so that a weight of then may have been right.
		let forgotten_ms = Timestamp::get().saturating_sub(FACTOR_MEMORY_MS);
		let model = pallet_model_registry::Models::<Runtime>::get(model);
		model
			.filter(|_| to_ms >= forgotten_ms)
			.map_or_else(Vec::new, |model| model.timeline.factors_between(from_ms, to_ms).collect())
	}
}

impl pallet_compute_receipts::Config for Runtime {
	type Aicp = Aicp;
	type ChannelDeposit = ChannelDeposit;
	type Currency = Balances;
	type Escrow = EscrowAccount;
	type GovernanceOrigin = GovernanceOrigin;
	type Halted = Halted;
	type JobDeposit = JobDeposit;
	type MaxCoordinators = ConstU32<1_000>;
	type MaxMiners = ConstU32<100_000>;
	type MaxScanned = ConstU32<100>;
	type Models = RegisteredModels;
	type PauseOrigin = EmergencyOrigin;
	// Who chooses by work has no pallet yet.
	type Recorder = ();
	type ReportDeposit = ReportDeposit;
	type RuntimeHoldReason = RuntimeHoldReason;
	type ServiceCredit = CoveragePolicy;
	type Time = Timestamp;
	type Touched = ComputeChecks;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::configs::compute_checks::Benchmarked;
	type Treasury = TreasuryAccount;
	type SubmissionLongevity = ConstU64<{ 2 * MINUTES as u64 }>;
	// Below whatever pays a fee of any size. Assignments and heartbeats have half of it.
	type SubmissionPriority = ConstU64<512>;
	type WeightInfo = pallet_compute_receipts::weights::SubstrateWeight<Runtime>;
}
