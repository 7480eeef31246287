//! The reserve: three honest roles that state every day, an issuer, credit.

use super::{Role, Sent, Source, World};
use crate::{
	build::reserve::{figures, mint, statement},
	chain::Key,
};
use frame_support::traits::fungibles::Inspect;
use gridproof_primitives::{
	reserve::attestation::Role as Signer,
	time::{calendar::DayClock, day::Day},
};
use gridproof_runtime::{
	AccountId, Assets, Attestations, CoveragePolicy, Runtime, RuntimeCall,
	configs::TreasuryAccount, constants::AICP,
};
use pallet_coverage_policy::Event;
use sp_core::{Pair, ed25519};

/// What a day may mint, in hundredths of the supply with which it begins.
const DAILY_PERCENT: u128 = 5;

#[derive(Default)]
pub(crate) struct Truth {
	/// Days that the honest roles have stated, with their transactions, which anybody can send
	/// again.
	pub(crate) stated: Vec<(Day, RuntimeCall)>,
	/// The day, the supply with which it began and what was minted in it, in micro-tokens.
	today: Day,
	opening: u128,
	minted: u128,
}

/// The keys of the three roles: those of the development preset.
fn role_key(role: Signer) -> ed25519::Pair {
	let seed = match role {
		Signer::Data => 1,
		Signer::Risk => 2,
		Signer::Ops => 3,
	};
	ed25519::Pair::from_seed(&[seed; 32])
}

impl World {
	/// Yesterday is stated once; the honest issuer mints a hundredth of what is allowed.
	pub(crate) fn honest_reserve(&mut self) {
		let today = Attestations::today();
		if self.reserve.today != today {
			let supply = <Assets as Inspect<AccountId>>::total_issuance(AICP);
			(self.reserve.today, self.reserve.opening, self.reserve.minted) = (today, supply, 0);
		}
		let Some(yesterday) = today.previous() else { return };
		if self.reserve.stated.last().is_none_or(|(day, _)| *day < yesterday) {
			let call = statement(
				figures(yesterday),
				&[Signer::Data, Signer::Risk].map(|role| (role, role_key(role))),
			);
			let outcome = self.send_honest(Sent::Free(call.clone()));
			assert!(outcome.is_done(), "{yesterday} is not stated: {outcome:?}");
			self.reserve.stated.push((yesterday, call));
			let part = CoveragePolicy::allowance() / 100;
			if part > 0 && !self.has(Role::Issuer) {
				let issuer = Key::named("honest/issuer");
				let outcome = self.send_honest(Sent::Signed(issuer, mint(part)));
				assert!(outcome.is_done(), "the issuer cannot mint: {outcome:?}");
			}
		}
	}

	pub(crate) fn observe_reserve(&mut self, event: Event<Runtime>) {
		if let Event::Minted { amount, .. } = event {
			self.reserve.minted += amount;
			let most = self.reserve.opening * DAILY_PERCENT / 100;
			let above = self.reserve.minted.saturating_sub(most).min(amount);
			self.blame(Source::AboveAllowance, above * 3);
		}
	}

	/// Whatever was made of AICP is the treasury's.
	pub(crate) fn observe_issued(&mut self, owner: &AccountId, amount: u128) {
		if *owner != TreasuryAccount::get() && self.is_ours(owner) {
			self.blame(Source::IssuersMint, amount * 3);
		}
	}

	/// Service credit of the coalition, available, held and waiting, in micro-EUR.
	pub(crate) fn credit(&self) -> u128 {
		self.spendable
			.iter()
			.filter_map(pallet_coverage_policy::Accounts::<Runtime>::get)
			.map(|account| account.available + account.held + account.pending)
			.sum()
	}
}
