//! A miner adds the signature of its line while the window lasts.

use crate::{claims::Batch, pallet::*};
use frame_support::{ensure, pallet_prelude::DispatchResult};
use gridproof_primitives::{
	compute::{channels::line_claim, checks::BatchId},
	crypto::ed25519::{PublicKey, Signature},
};

impl<T: Config> Pallet<T> {
	/// [`Pallet::sign_line`] without the origin.
	pub(crate) fn do_sign_line(
		id: BatchId,
		miner: PublicKey,
		signature: &Signature,
	) -> DispatchResult {
		let mut shared = Batch::<T>::new();
		ensure!(!shared.stopped, Error::<T>::Stopped);
		Self::ensure_minting()?;
		let batch = WaitingBatches::<T>::get(id.coordinator, id.sequence);
		let mut batch = batch.ok_or(Error::<T>::NotWaiting)?;
		let mut row = WaitingLines::<T>::get(miner, id).ok_or(Error::<T>::NotWaiting)?;
		ensure!(!row.is_signed, Error::<T>::AlreadySigned);
		ensure!(!batch.is_mint_over(&Self::clocks()), Error::<T>::WindowOver);
		let is_taken = batch.number < Self::taken_of(&row.key).mint_before;
		ensure!(!is_taken, Error::<T>::NotWaiting);
		let verified = row.line.verify(&shared.genesis, &batch.header_hash, signature);
		verified.map_err(|_| Error::<T>::BadSignature)?;
		let mut running = Self::roll(shared.now);
		let (parameters, now) = (shared.parameters, shared.now);
		let paid = row.paid_line();
		let shares = batch.shares(row.paid.price);
		let received = shared.terms.received_of_line(&parameters, batch.kind, &paid, &shares);
		let key = Self::current_key(&row.key, 0);
		let working = shared.working_miner(&key, running.step).ok_or(Error::<T>::UnknownMiner)?;
		let party = &working.party;
		let fit = !party.is_banned(now) && !party.lacks_half_of(parameters.miner_bond);
		let score = party.pending.score;
		let claim = party
			.class()
			.filter(|_| fit)
			.map_or(0, |class| line_claim(&parameters, &paid, true, class, score, received));
		// No more than at settlement, and nothing for receipts that were forfeited since.
		let claim = claim.min(row.bound).saturating_sub(row.lost);
		ensure!(claim > 0, Error::<T>::NothingDue);
		working.touch();
		shared.write_parties();
		running.claims = running.claims.saturating_add(claim);
		running.parties = running.parties.saturating_add(2);
		Running::<T>::put(running);
		(row.is_signed, row.step, row.claimed) = (true, running.step, claim);
		(row.claim, row.coordinator_claim) = (claim, claim);
		batch.claims = batch.claims.saturating_add(claim);
		WaitingLines::<T>::insert(miner, id, row);
		WaitingBatches::<T>::insert(id.coordinator, id.sequence, batch);
		Self::deposit_event(Event::LineSigned {
			coordinator: id.coordinator,
			sequence: id.sequence,
			miner,
			step: running.step,
			claim,
		});
		Ok(())
	}

	/// Returns the error with which the call would fail now, and changes nothing.
	pub(crate) fn check_sign_line(
		id: BatchId,
		miner: PublicKey,
		signature: &Signature,
	) -> DispatchResult {
		use frame_support::storage::{TransactionOutcome, with_transaction};
		with_transaction(|| TransactionOutcome::Rollback(Self::do_sign_line(id, miner, signature)))
	}
}
