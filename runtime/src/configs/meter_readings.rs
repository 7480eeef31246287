//! `pallet_meter_readings`: KWH for what certified meters export.

use crate::{
	AccountId, Assets, Balance, Balances, Multisig, Runtime, RuntimeHoldReason, Signature,
	Timestamp,
	configs::{EmergencyOrigin, GovernanceOrigin},
	constants::{KWH, currency::deposit, time::MINUTES},
};
use frame_support::traits::{ConstU32, ConstU64};
use gridproof_primitives::{crypto::ed25519::PublicKey, energy::MAX_BATCHES_PER_CALL};
use pallet_meter_readings::EnergyAccounts;

/// Number of headers, and of anchors, that are kept of a meter: a day of quarter-hours.
const MAX_RECENT: u32 = 96;

frame_support::parameter_types! {
	/// Deposit for the row of an organisation, in 10⁻¹⁸ AIT.
	pub const OrganisationDeposit: Balance = deposit(1, 150);
	/// Deposit for the row of a member, in 10⁻¹⁸ AIT.
	pub const MemberDeposit: Balance = deposit(1, 100);
	/// Deposit for a meter, in 10⁻¹⁸ AIT: nine rows, with its metering point, and two bounded lists
	/// that count by their bytes.
	pub const MeterDeposit: Balance = deposit(9, 2_100 + MAX_RECENT * (220 + 160));
	/// Part of it that stays for tombstones, in 10⁻¹⁸ AIT: four rows of a hash, times, a debt and a
	/// register, and the row of a metering point that all its meters have left.
	pub const TombstoneDeposit: Balance = deposit(5, 4 * 82 + 652);
}

/// Energy accounts as `pallet_multisig` derives them, so that owner and device can spend with
/// `as_multi_threshold_1`.
pub struct MultisigAccounts;

impl EnergyAccounts<AccountId> for MultisigAccounts {
	fn device_account(device: &PublicKey) -> AccountId {
		AccountId::from(*device)
	}

	fn energy_account(owner: &AccountId, device: &PublicKey) -> AccountId {
		let mut both = [owner.clone(), Self::device_account(device)];
		both.sort();
		Multisig::multi_account_id(&both, 1)
	}
}

impl pallet_meter_readings::Config for Runtime {
	type Currency = Balances;
	type EnergyAccounts = MultisigAccounts;
	type Fungibles = Assets;
	type GovernanceOrigin = GovernanceOrigin;
	type Kwh = ConstU32<KWH>;
	type MaxBatchesPerCall = ConstU32<MAX_BATCHES_PER_CALL>;
	type MaxChain = ConstU32<512>;
	type MaxMembers = ConstU32<1_000>;
	type MaxRecent = ConstU32<MAX_RECENT>;
	type MaxRecorders = ConstU32<16>;
	type MemberDeposit = MemberDeposit;
	type MeterDeposit = MeterDeposit;
	type OrganisationDeposit = OrganisationDeposit;
	type OwnerSignature = Signature;
	type PauseOrigin = EmergencyOrigin;
	type RuntimeHoldReason = RuntimeHoldReason;
	type SubmissionLongevity = ConstU64<{ 10 * MINUTES as u64 }>;
	// Above ordinary transfers, below statements of the reserve.
	type SubmissionPriority = ConstU64<{ u64::MAX / 4 }>;
	type Time = Timestamp;
	type TombstoneDeposit = TombstoneDeposit;
	type WeightInfo = pallet_meter_readings::weights::SubstrateWeight<Runtime>;
}
