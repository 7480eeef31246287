//! `pallet_compute_receipts`: escrow, receipts, and the only mint of AIT.

use crate::{
	AccountId, AssetsHolder, Balance, Balances, CoveragePolicy, Runtime, RuntimeCall,
	RuntimeHoldReason, Timestamp,
	configs::{EmergencyOrigin, GovernanceOrigin, TreasuryAccount},
	constants::{AICP, currency::deposit, time::MINUTES},
};
use frame_support::traits::{ConstU32, ConstU64, Contains, Get, fungible::ItemOf};

frame_support::parameter_types! {
	/// Deposit for the row of an open job, in 10⁻¹⁸ AIT.
	pub const JobDeposit: Balance = deposit(1, 400);
}

/// AICP, as a single token that can be put on hold.
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

impl pallet_compute_receipts::Config for Runtime {
	type Aicp = AicpWithHolds;
	type Currency = Balances;
	type GovernanceOrigin = GovernanceOrigin;
	type Halted = Halted;
	type JobDeposit = JobDeposit;
	type MaxCoordinators = ConstU32<1_000>;
	type MaxMiners = ConstU32<100_000>;
	type MaxScanned = ConstU32<100>;
	type PauseOrigin = EmergencyOrigin;
	// Who chooses by work has no pallet yet.
	type Recorder = ();
	type RuntimeHoldReason = RuntimeHoldReason;
	type ServiceCredit = CoveragePolicy;
	type Time = Timestamp;
	type Treasury = TreasuryAccount;
	type SubmissionLongevity = ConstU64<{ 2 * MINUTES as u64 }>;
	// Below whatever pays a fee of any size. Assignments and heartbeats have half of it.
	type SubmissionPriority = ConstU64<512>;
	type WeightInfo = pallet_compute_receipts::weights::SubstrateWeight<Runtime>;
}
