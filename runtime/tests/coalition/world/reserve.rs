//! The reserve: three honest roles that state every day, an issuer, credit.

use super::{Role, Sent, Source, World};
use crate::{
	build::reserve::{figures, lift, mint, statement, stop, supply_target},
	chain::{DAY, Key},
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
/// Time for which a role's stop stands whatever others sign, in milliseconds.
const STOP_STANDS: u64 = 2 * DAY;

#[derive(Default)]
pub(crate) struct Truth {
	/// Days that the honest roles have stated, with their transactions, which anybody can send
	/// again.
	pub(crate) stated: Vec<(Day, RuntimeCall)>,
	/// The day, the supply with which it began and what was minted in it, in micro-tokens.
	today: Day,
	opening: u128,
	minted: u128,
	/// Time until which the honest roles state nothing, in UTC milliseconds.
	pub(crate) silent_until: u64,
	/// A stop of an honest role: the time until which it stands, and whether it falls then.
	stop: Option<(u64, bool)>,
}

/// The keys of the three roles: those of the development preset.
pub(crate) fn role_key(role: Signer) -> ed25519::Pair {
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
		if self.now < self.reserve.silent_until {
			return;
		}
		if self.reserve.stated.last().is_none_or(|(day, _)| *day < yesterday) {
			let call = statement(
				figures(yesterday),
				&[Signer::Data, Signer::Risk].map(|role| (role, role_key(role))),
			);
			let outcome = self.send_honest(Sent::Free(call.clone()));
			assert!(outcome.is_done(), "{yesterday} is not stated: {outcome:?}");
			self.reserve.stated.push((yesterday, call));
			if self.reserve.minted == 0 {
				// It may have come late in the day.
				self.reserve.opening = <Assets as Inspect<AccountId>>::total_issuance(AICP);
			}
			let part = CoveragePolicy::allowance() / 100;
			if part > 0 && !self.has(Role::Issuer) {
				let issuer = Key::named("honest/issuer");
				let outcome = self.send_honest(Sent::Signed(issuer, mint(part)));
				assert!(outcome.is_done(), "the issuer cannot mint: {outcome:?}");
			}
		}
	}

	/// What today may mint, in micro-tokens: as much of the daily cap as yesterday's reserve truly
	/// covers; nothing if yesterday was not stated, or while a role has stopped it.
	fn allowed(&self) -> u128 {
		let Truth { today, opening, .. } = self.reserve;
		let stopped = self.reserve.stop.is_some_and(|(until, falls)| !falls || self.now < until);
		match today.previous() {
			Some(yesterday) if self.has_stated(yesterday) && !stopped => {
				let room = supply_target(yesterday).saturating_sub(opening);
				room.min(opening * DAILY_PERCENT / 100)
			},
			_ => 0,
		}
	}

	/// Whether the honest roles have stated this day.
	pub(crate) fn has_stated(&self, day: Day) -> bool {
		self.reserve.stated.iter().any(|(stated, _)| *stated == day)
	}

	/// An honest role stops minting, as its first stop.
	pub(crate) fn stop_minting(&mut self, role: Signer) {
		let outcome = self.send_honest(Sent::Free(stop(role, &role_key(role))));
		if outcome.is_done() {
			self.reserve.stop = Some((self.now + STOP_STANDS, false));
		}
	}

	/// Two roles of the coalition lift it, as far as the chain lets them: it stands all the same.
	pub(crate) fn lift_stop(&mut self, role: Signer, signers: &[Signer]) {
		let signers: Vec<_> = signers.iter().map(|by| (*by, role_key(*by))).collect();
		let outcome = self.send(Sent::Free(lift(role, &signers)));
		if outcome.is_done()
			&& let Some((_, falls)) = &mut self.reserve.stop
		{
			*falls = true;
		}
	}

	pub(crate) fn observe_reserve(&mut self, event: Event<Runtime>) {
		if let Event::Minted { amount, .. } = event {
			self.reserve.minted += amount;
			let most = self.allowed();
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
