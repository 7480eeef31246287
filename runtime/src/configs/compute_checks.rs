//! `pallet_compute_checks`: verifiers, draws, reports, juries.

use crate::{
	AccountId, Balances, ComputeReceipts, ModelRegistry, Runtime, RuntimeHoldReason, Timestamp,
	configs::{EmergencyOrigin, GovernanceOrigin, TreasuryAccount},
	constants::time::MINUTES,
};
use frame_support::{
	PalletId,
	traits::{ConstU32, ConstU64},
};
use gridproof_primitives::{
	compute::{
		ComputeParameters,
		channels::{ChannelId, ChannelParameters},
	},
	crypto::ed25519::PublicKey,
};
use pallet_compute_receipts::{
	ChannelRules, Channels, EndedChannels, Parameters, Parties, Stops, Successors,
};
use sp_runtime::traits::AccountIdConversion;

frame_support::parameter_types! {
	/// Id from which the account of demands and disputes is derived.
	pub const ChecksPalletId: PalletId = PalletId(*b"gp/check");
	/// Account in which pots of demands and deposits of disputes lie, for which no key can sign.
	pub ChecksAccount: AccountId = ChecksPalletId::get().into_account_truncating();
}

/// What checks ask of compute receipts.
pub struct SettledWork;

impl pallet_compute_checks::Settlement<AccountId> for SettledWork {
	fn parameters() -> (ComputeParameters, ChannelParameters) {
		(Parameters::<Runtime>::get(), ChannelRules::<Runtime>::get())
	}

	fn account_of(key: &PublicKey) -> Option<AccountId> {
		let present = || {
			let successor = Successors::<Runtime>::get(key)?;
			Parties::<Runtime>::get(successor.key)
		};
		Parties::<Runtime>::get(key).or_else(present).map(|party| party.account)
	}

	fn client_of(channel: ChannelId) -> Option<AccountId> {
		let ended = || EndedChannels::<Runtime>::get(channel).map(|record| record.client);
		Channels::<Runtime>::get(channel).map(|row| row.client).or_else(ended)
	}

	fn stopped_ms() -> u64 {
		Stops::<Runtime>::get().at(Timestamp::get())
	}
}

impl pallet_compute_checks::Config for Runtime {
	type Currency = Balances;
	type Escrow = ChecksAccount;
	type Fund = ComputeReceipts;
	type GovernanceOrigin = GovernanceOrigin;
	type MaxDemands = ConstU32<1_000>;
	type MaxDisputes = ConstU32<1_000>;
	type MaxLines = ConstU32<256>;
	type Models = ModelRegistry;
	type PauseOrigin = EmergencyOrigin;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Settlement = SettledWork;
	type SubmissionLongevity = ConstU64<{ 2 * MINUTES as u64 }>;
	// Below whatever pays a fee of any size, and as claims are.
	type SubmissionPriority = ConstU64<512>;
	type Time = Timestamp;
	type Treasury = TreasuryAccount;
	type Waiting = ComputeReceipts;
	type WeightInfo = pallet_compute_checks::weights::SubstrateWeight<Runtime>;
}
