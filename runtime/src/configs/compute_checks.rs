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
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Benchmarked;
}

/// What benchmarks of checks and of compute receipts need of each other.
#[cfg(feature = "runtime-benchmarks")]
pub struct Benchmarked;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarked {
	use super::*;
	use gridproof_primitives::{
		H256,
		compute::{
			channels::{ChannelReceipt, Placed},
			checks::{BatchChecks, BatchId},
		},
	};
	use pallet_compute_checks::{BatchRow, Batches, BenchmarkHelper, MAX_LINES_OF_JURY};
	use pallet_compute_receipts::benchmarking::{Touches, checkable, receive};

	impl BenchmarkHelper for Benchmarked {
		fn set_time(now_ms: u64) {
			pallet_timestamp::Now::<Runtime>::put(now_ms);
		}

		fn batch(id: BatchId, header_hash: H256) -> Placed<ChannelReceipt> {
			checkable::<Runtime>(id, header_hash, MAX_LINES_OF_JURY).expect("the batch settles")
		}

		fn receive(amount: u128) {
			receive::<Runtime>(amount);
		}
	}

	impl Touches for Benchmarked {
		fn touch(batch: &BatchId) {
			let checks = BatchChecks {
				block: H256::zero(),
				touched_ms: 0,
				verifiers: 0,
				per_check: 0,
				value: 0,
				total: 0,
				reports: 0,
			};
			let row = BatchRow {
				checks,
				header_hash: H256::zero(),
				open: 0,
				asked: 0,
				opened: 0,
				reopen_until: 0,
			};
			Batches::<Runtime>::insert(batch, row);
		}
	}
}
