//! `pallet_brakes`: who may stop, and mints that stop automatically.

use crate::{
	Assets, Balances, ComputeReceipts, CoveragePolicy, MeterReadings, Runtime, RuntimeOrigin,
	configs::GovernanceOrigin,
	constants::{AICP, KWH},
};
use frame_support::weights::Weight;
use gridproof_primitives::{compute, reserve};
use pallet_brakes::{Supply, Token, Tokens};

/// Supplies as the pallets that mint keep their books.
pub struct MintedTokens;

impl Tokens for MintedTokens {
	fn supply(token: Token) -> Supply {
		match token {
			Token::Ait => {
				let sums = pallet_compute_receipts::Sums::<Runtime>::get();
				Supply {
					expected: sums.genesis.saturating_add(sums.minted),
					actual: Balances::total_issuance(),
				}
			},
			Token::Aicp => {
				let sums = pallet_coverage_policy::Sums::<Runtime>::get();
				let made = sums.genesis.saturating_add(sums.minted);
				Supply {
					expected: made.saturating_sub(sums.burned),
					actual: Assets::total_supply(AICP),
				}
			},
			Token::Kwh => {
				let minted = pallet_meter_readings::SumsOfAll::<Runtime>::get().minted_wh;
				let burned = pallet_meter_readings::BurnedByCorrections::<Runtime>::get();
				Supply {
					expected: minted.saturating_sub(burned),
					actual: Assets::total_supply(KWH),
				}
			},
		}
	}

	fn stop_mint(token: Token) {
		let root = RuntimeOrigin::root();
		// Each answers `Unchanged` where its mint is stopped already, which is as good.
		let _ = match token {
			Token::Ait => {
				let level = pallet_compute_receipts::BreakerLevel::<Runtime>::get();
				ComputeReceipts::set_breaker(root, level.max(compute::Breaker::MintStopped))
			},
			Token::Aicp => {
				let level = pallet_coverage_policy::BreakerLevel::<Runtime>::get();
				CoveragePolicy::set_breaker(root, level.max(reserve::state::Breaker::MintStopped))
			},
			Token::Kwh => MeterReadings::pause(root),
		};
	}

	fn weight() -> Weight {
		<Runtime as frame_system::Config>::DbWeight::get().reads(7)
	}
}

impl pallet_brakes::Config for Runtime {
	type GovernanceOrigin = GovernanceOrigin;
	type Tokens = MintedTokens;
}
