//! What waited is paid, or set aside for clients.

use crate::{
	escrow::pay_out,
	pallet::*,
	types::Party,
	waiting::types::{Clocks, Hold, Taken, WaitingBatch, WaitingLine, holds},
	weights::WeightInfo,
};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{
	ensure,
	pallet_prelude::{DispatchError, DispatchResult, Get, Weight},
	storage::{TransactionOutcome, with_transaction},
	traits::Time,
};
use gridproof_primitives::{
	compute::{
		PriceAsset,
		checks::{BatchId, Part, Touched},
	},
	crypto::ed25519::PublicKey,
};

/// Payments of one call out of what waits, added up so that each account is paid once an asset.
pub(crate) struct Payments<T: Config>(BTreeMap<(PriceAsset, T::AccountId), u128>);

impl<T: Config> Payments<T> {
	/// Returns an empty list.
	pub(crate) const fn none() -> Self {
		Self(BTreeMap::new())
	}

	/// Adds a payment, in the smallest unit of the asset.
	pub(crate) fn add(&mut self, asset: PriceAsset, to: &T::AccountId, amount: u128) {
		if amount > 0 {
			let sum = self.0.entry((asset, to.clone())).or_default();
			*sum = sum.saturating_add(amount);
		}
	}

	/// Pays everybody. The first payment that cannot be made is an error.
	pub(crate) fn execute(self) -> DispatchResult {
		self.0
			.into_iter()
			.try_for_each(|((asset, to), amount)| Pallet::<T>::pay_from_waiting(&to, asset, amount))
	}
}

/// What happens with one side of a row now.
enum Fate {
	/// It waits on.
	Waits,
	/// It is paid.
	Due,
	/// It was taken from its party.
	Taken,
}

/// What one call sees and moves.
struct Release<T: Config> {
	clocks: Clocks,
	/// Number of the running step: claims in it cannot be converted.
	running: u64,
	/// `true` if the batch at hand was touched.
	touched: bool,
	payments: Payments<T>,
}

impl<T: Config> Pallet<T> {
	/// Moves an amount out of the escrow, and counts it as no longer waiting.
	pub(crate) fn pay_from_waiting(
		to: &T::AccountId,
		asset: PriceAsset,
		amount: u128,
	) -> DispatchResult {
		match asset {
			PriceAsset::Ait => pay_out::<T::Currency, T>(to, amount),
			PriceAsset::Aicp => pay_out::<T::Aicp, T>(to, amount),
			PriceAsset::ServiceCredit => Err(Error::<T>::NoCreditChannel.into()),
		}?;
		Self::count_waiting(asset, |sum| sum.saturating_sub(amount));
		Ok(())
	}

	/// Returns what is taken of a party that was registered with a key.
	pub(crate) fn taken_of(key: &PublicKey) -> Taken {
		let own = TakenOf::<T>::get(key);
		let present = Self::current_key(key, 0);
		if present == *key {
			return own;
		}
		let more = TakenOf::<T>::get(present);
		Taken {
			pay_before: own.pay_before.max(more.pay_before),
			mint_before: own.mint_before.max(more.mint_before),
		}
	}

	/// Returns the party that a claim is converted for, with its key, if it is still there.
	fn beneficiary(
		key: &PublicKey,
		account: &T::AccountId,
	) -> Option<(PublicKey, Party<T::AccountId>)> {
		let present = Self::current_key(key, 0);
		let party = Parties::<T>::get(present).filter(|party| party.account == *account)?;
		Some((present, party))
	}

	/// Takes a claim out of its closed step, and converts it for its party or nobody. Returns the part
	/// that was converted, in 10⁻¹⁸ AIT.
	pub(crate) fn release_claim(
		step: u64,
		is_miner: bool,
		claim: u128,
		to: Option<(&PublicKey, &T::AccountId)>,
	) -> u128 {
		let to = to.and_then(|(key, account)| Self::beneficiary(key, account));
		let part = Self::leave_step(step, is_miner, claim, to.is_some()).unwrap_or(0);
		if let Some((key, mut party)) = to {
			party.accrued = party.accrued.saturating_add(part);
			Parties::<T>::insert(key, party);
		}
		part
	}

	/// Frees a party's bond from so many holds.
	pub(crate) fn free_bond(key: &PublicKey, holds: u32) {
		if holds == 0 {
			return;
		}
		let present = Self::current_key(key, 0);
		BondHolds::<T>::mutate_exists(present, |row| {
			if let Some(hold) = row {
				hold.open = hold.open.saturating_sub(holds);
				*row = Some(*hold).filter(|hold| hold.open > 0);
			}
		});
	}

	/// Returns `true` while a dispute holds the bond of a party.
	pub(crate) fn is_bond_held(key: &PublicKey) -> bool {
		let hold = BondHolds::<T>::get(key);
		hold.open > 0 && T::Time::now() < hold.until_ms
	}

	/// Returns `true` while something waits of a party with a key.
	pub(crate) fn has_waiting(key: &PublicKey) -> bool {
		let of = |key: &PublicKey| {
			WaitingBatches::<T>::iter_key_prefix(key).next().is_some()
				|| WaitingLines::<T>::iter_key_prefix(key).next().is_some()
		};
		of(key) || Former::<T>::get(key).is_some_and(|former| of(&former))
	}

	/// [`Pallet::release_waiting`] without the origin.
	pub(crate) fn do_release_waiting(parts: &[Part]) -> DispatchResult {
		let unique: BTreeSet<_> = parts.iter().collect();
		let listed = !parts.is_empty() && unique.len() == parts.len();
		ensure!(listed, Error::<T>::InvalidList);
		let running = Self::roll(T::Time::now()).step;
		let mut release = Release::<T> {
			clocks: Self::clocks(),
			running,
			touched: false,
			payments: Payments::none(),
		};
		for part in parts {
			release.touched = T::Touched::is_touched(part.batch());
			match part {
				Part::Coordinator(id) => release.coordinator(id)?,
				Part::Miner(id, miner) => release.line(id, miner)?,
			}
		}
		release.payments.execute()
	}

	/// Returns the error with which the call would fail now, and changes nothing.
	pub(crate) fn check_release_waiting(parts: &[Part]) -> DispatchResult {
		with_transaction(|| TransactionOutcome::Rollback(Self::do_release_waiting(parts)))
	}

	/// Writes a batch back, or removes it if nothing of it is left. What rounding keeps from all clients
	/// is the treasury's.
	pub(crate) fn store_batch(
		id: &BatchId,
		batch: WaitingBatch<T::AccountId>,
		payments: &mut Payments<T>,
	) {
		let rest = batch.back.saturating_sub(batch.returned);
		let is_over = batch.is_done() && (rest == 0 || !Self::owes_clients(id, &batch));
		if !is_over {
			WaitingBatches::<T>::insert(id.coordinator, id.sequence, batch);
			return;
		}
		payments.add(batch.kind.asset, &T::Treasury::get(), rest);
		Self::free_bond(&batch.key, batch.hold.open);
		WaitingBatches::<T>::remove(id.coordinator, id.sequence);
		WaitingLists::<T>::remove(id);
	}

	/// Returns the weight of [`Pallet::release_waiting`], and of its check: of parts that are paid or taken,
	/// whichever is more.
	pub(crate) fn weight_of_release(parts: usize) -> Weight {
		let parts = u32::try_from(parts).unwrap_or(u32::MAX);
		T::WeightInfo::release_waiting(parts).max(T::WeightInfo::release_taken(parts))
	}
}

impl<T: Config> Release<T> {
	/// Releases what is due of the coordinator's pay.
	fn coordinator(&mut self, id: &BatchId) -> Result<(), DispatchError> {
		let batch = WaitingBatches::<T>::get(id.coordinator, id.sequence);
		let mut batch = batch.ok_or(Error::<T>::NotWaiting)?;
		let taken = Pallet::<T>::taken_of(&batch.key);
		let fate = self.fate_of_pay(&batch, taken, &batch.hold);
		let pay = batch.pay;
		ensure!(pay > 0 && !matches!(fate, Fate::Waits), Error::<T>::NothingDue);
		batch.pay = 0;
		self.pay(&mut batch, &fate, pay, None);
		Pallet::<T>::store_batch(id, batch, &mut self.payments);
		let is_taken = matches!(fate, Fate::Taken);
		Pallet::<T>::deposit_event(Event::WaitingReleased {
			part: Part::Coordinator(*id),
			pay,
			is_taken,
			mint: 0,
			coordinator_mint: 0,
		});
		Ok(())
	}

	/// Releases what is due of a miner's line: its pay, and its claims, the coordinator's included.
	fn line(&mut self, id: &BatchId, miner: &PublicKey) -> Result<(), DispatchError> {
		let batch = WaitingBatches::<T>::get(id.coordinator, id.sequence);
		let mut batch = batch.ok_or(Error::<T>::NotWaiting)?;
		let mut row = WaitingLines::<T>::get(miner, id).ok_or(Error::<T>::NotWaiting)?;
		let taken = Pallet::<T>::taken_of(&row.key);
		let mut changed = false;
		let fate = self.fate_of_pay(&batch, taken, &row.hold);
		let mut pay = 0;
		if row.pay > 0 && !matches!(fate, Fate::Waits) {
			pay = core::mem::take(&mut row.pay);
			self.pay(&mut batch, &fate, pay, Some(&row.account));
			changed = true;
		}
		let is_taken = matches!(fate, Fate::Taken);
		let (mint, coordinator_mint) = self.claims(&mut batch, &mut row, taken, &mut changed);
		// Until its window is over, a miner can sign.
		let is_signable = !row.is_signed
			&& row.bound > row.lost
			&& batch.number >= taken.mint_before
			&& !batch.is_mint_over(&self.clocks);
		let is_empty = row.pay == 0 && row.claim == 0 && row.coordinator_claim == 0;
		if is_empty && !is_signable {
			changed = true;
			batch.lines = batch.lines.saturating_sub(1);
			Pallet::<T>::free_bond(&row.key, row.hold.open);
			WaitingLines::<T>::remove(miner, id);
		} else {
			WaitingLines::<T>::insert(miner, id, row);
		}
		ensure!(changed, Error::<T>::NothingDue);
		Pallet::<T>::store_batch(id, batch, &mut self.payments);
		let part = Part::Miner(*id, *miner);
		Pallet::<T>::deposit_event(Event::WaitingReleased {
			part,
			pay,
			is_taken,
			mint,
			coordinator_mint,
		});
		Ok(())
	}

	/// Converts or takes the claims of a line, if their step has ended. Returns what miner and
	/// coordinator got of them, in 10⁻¹⁸ AIT.
	fn claims(
		&self,
		batch: &mut WaitingBatch<T::AccountId>,
		row: &mut WaitingLine<T::AccountId>,
		taken: Taken,
		changed: &mut bool,
	) -> (u128, u128) {
		if row.step >= self.running {
			return (0, 0);
		}
		let (mut mint, mut coordinator_mint) = (0, 0);
		let fate = self.fate_of_mint(batch, taken, &row.hold);
		if row.claim > 0 && !matches!(fate, Fate::Waits) {
			let claim = core::mem::take(&mut row.claim);
			let to = matches!(fate, Fate::Due).then_some((&row.key, &row.account));
			mint = Pallet::<T>::release_claim(row.step, true, claim, to);
			*changed = true;
		}
		let fate = self.fate_of_mint(batch, Pallet::<T>::taken_of(&batch.key), &batch.hold);
		if row.coordinator_claim > 0 && !matches!(fate, Fate::Waits) {
			let claim = core::mem::take(&mut row.coordinator_claim);
			batch.claims = batch.claims.saturating_sub(claim);
			let to = matches!(fate, Fate::Due).then_some((&batch.key, &batch.account));
			coordinator_mint = Pallet::<T>::release_claim(row.step, false, claim, to);
			*changed = true;
		}
		(mint, coordinator_mint)
	}

	/// Where nobody has touched the batch, nothing of it was drawn, so nothing is due.
	fn fate_of_pay(&self, batch: &WaitingBatch<T::AccountId>, taken: Taken, hold: &Hold) -> Fate {
		if batch.number < taken.pay_before {
			Fate::Taken
		} else if !self.touched {
			Fate::Waits
		} else if batch.is_pay_over(&self.clocks) && !batch.holds_pay(hold, &self.clocks) {
			Fate::Due
		} else {
			Fate::Waits
		}
	}

	fn fate_of_mint(&self, batch: &WaitingBatch<T::AccountId>, taken: Taken, hold: &Hold) -> Fate {
		if batch.number < taken.mint_before {
			Fate::Taken
		} else if !self.touched {
			Fate::Waits
		} else if batch.is_mint_over(&self.clocks) && !holds(hold, &self.clocks) {
			Fate::Due
		} else {
			Fate::Waits
		}
	}

	/// Pays an amount to a party, the coordinator if none is named, or sets it aside for clients.
	fn pay(
		&mut self,
		batch: &mut WaitingBatch<T::AccountId>,
		fate: &Fate,
		amount: u128,
		to: Option<&T::AccountId>,
	) {
		if matches!(fate, Fate::Taken) {
			batch.back = batch.back.saturating_add(amount);
		} else {
			self.payments.add(batch.kind.asset, to.unwrap_or(&batch.account), amount);
		}
	}
}
