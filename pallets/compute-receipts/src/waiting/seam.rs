//! What who checks can see and take: see [`gridproof_primitives::compute::checks`].

use crate::{
	channels::restitution::Reach,
	pallet::*,
	types::Party,
	waiting::{
		release::Payments,
		types::{BondHold, Hold, Taken, WaitingBatch, WaitingLine, holds},
	},
};
use alloc::vec::Vec;
use frame_support::{
	pallet_prelude::{DispatchResult, Get},
	storage::with_storage_layer,
	traits::Time,
};
use gridproof_primitives::{
	compute::{
		channels::{ChannelId, MinerLine, Mode},
		checks::{
			BatchId, Checkable, CheckableLine, MAX_HOLD_MS, OtherLine, Part, Punished, Returned,
			Waiting, WaitingError,
		},
		emission::share_of,
	},
	crypto::ed25519::PublicKey,
};

/// A batch and a line of it.
type Rows<AccountId> = (WaitingBatch<AccountId>, WaitingLine<AccountId>);

impl<T: Config> Pallet<T> {
	fn waiting_batch_of(id: &BatchId) -> Option<WaitingBatch<T::AccountId>> {
		WaitingBatches::<T>::get(id.coordinator, id.sequence)
	}

	fn rows_of(id: &BatchId, miner: &PublicKey) -> Result<Rows<T::AccountId>, WaitingError> {
		let batch = Self::waiting_batch_of(id).ok_or(WaitingError::NotWaiting)?;
		let line = WaitingLines::<T>::get(miner, id).ok_or(WaitingError::NotWaiting)?;
		Ok((batch, line))
	}

	/// Returns the key under which a party is registered now, and its row.
	fn party_now(key: &PublicKey) -> Result<(PublicKey, Party<T::AccountId>), WaitingError> {
		let present = Self::current_key(key, 0);
		let party = Parties::<T>::get(present).ok_or(WaitingError::UnknownParty)?;
		Ok((present, party))
	}

	/// Takes so much of a line's claims, in 10⁻¹⁸ AIT. Returns what the miner lost.
	fn forfeit_claims(
		batch: &mut WaitingBatch<T::AccountId>,
		row: &mut WaitingLine<T::AccountId>,
		claim: u128,
	) -> u128 {
		let mut running = Self::roll(T::Time::now());
		let of_miner = claim.min(row.claim);
		let of_coordinator = claim.min(row.coordinator_claim);
		row.claim = row.claim.saturating_sub(of_miner);
		row.coordinator_claim = row.coordinator_claim.saturating_sub(of_coordinator);
		batch.claims = batch.claims.saturating_sub(of_coordinator);
		let ended = [
			(true, of_miner > 0 && row.claim == 0),
			(false, of_coordinator > 0 && row.coordinator_claim == 0),
		];
		let ended = ended.into_iter().filter(|(_, ended)| *ended);
		if row.step == running.step {
			// In the running step neither has been released: both lose the same.
			let gone = u32::try_from(ended.count()).unwrap_or(0);
			running.claims = running.claims.saturating_sub(of_miner);
			running.parties = running.parties.saturating_sub(gone);
			Running::<T>::put(running);
		} else {
			for (is_miner, _) in ended {
				let _ = Self::leave_step(row.step, is_miner, 0, false);
			}
		}
		of_miner
	}

	/// Takes what waits of a price out of a line and its batch. Returns the pay, and the claim that the miner
	/// lost.
	fn take_of_price(
		batch: &mut WaitingBatch<T::AccountId>,
		row: &mut WaitingLine<T::AccountId>,
		price: u128,
	) -> (u128, u128) {
		let shares = batch.shares(price);
		let of_miner = shares.miner.min(row.pay);
		let of_coordinator = shares.coordinator.min(batch.pay);
		row.pay = row.pay.saturating_sub(of_miner);
		batch.pay = batch.pay.saturating_sub(of_coordinator);
		let part = |whole: u128| share_of(whole, price.min(row.paid.price), row.paid.price);
		let (counted, possible) = (part(row.claimed), part(row.bound));
		let claim = if row.is_signed {
			Self::forfeit_claims(batch, row, counted)
		} else {
			let lost = possible.min(row.bound.saturating_sub(row.lost));
			row.lost = row.lost.saturating_add(lost);
			0
		};
		(of_miner.saturating_add(of_coordinator), claim)
	}

	/// [`Waiting::forfeit_price`], of which an error may have changed something.
	fn do_forfeit_price(
		id: &BatchId,
		miner: &PublicKey,
		price: u128,
	) -> Result<u128, WaitingError> {
		let (mut batch, mut row) = Self::rows_of(id, miner)?;
		let price = price.min(row.paid.price);
		let (amount, claim) = Self::take_of_price(&mut batch, &mut row, price);
		batch.back = batch.back.saturating_add(amount);
		let mut payments = Payments::<T>::none();
		WaitingLines::<T>::insert(miner, id, row);
		Self::store_batch(id, batch, &mut payments);
		payments.execute().map_err(|_| WaitingError::Unpayable)?;
		let part = Part::Miner(*id, *miner);
		Self::deposit_event(Event::PriceForfeited { part, amount, claim });
		Ok(amount)
	}

	/// [`Waiting::forfeit_receipt`], of which an error may have changed something.
	fn do_forfeit_receipt(
		id: &BatchId,
		miner: &PublicKey,
		channel: ChannelId,
		price: u128,
	) -> Result<Returned<T::AccountId>, WaitingError> {
		let (mut batch, mut row) = Self::rows_of(id, miner)?;
		let (pay, claim) = Self::take_of_price(&mut batch, &mut row, price);
		let asset = batch.kind.asset;
		let (client, given) = Self::give_to_client(channel, pay);
		let treasury = T::Treasury::get();
		let to = client.filter(|_| given > 0).unwrap_or_else(|| treasury.clone());
		let mut payments = Payments::<T>::none();
		payments.add(asset, &to, given);
		payments.add(asset, &treasury, pay.saturating_sub(given));
		WaitingLines::<T>::insert(miner, id, row);
		Self::store_batch(id, batch, &mut payments);
		payments.execute().map_err(|_| WaitingError::Unpayable)?;
		Self::deposit_event(Event::ReceiptForfeited {
			part: Part::Miner(*id, *miner),
			channel,
			client: to.clone(),
			amount: given,
			claim,
		});
		Ok(Returned { to, pay: given, claim })
	}

	/// Counts a hold that begins or ends, in the row of a part. Returns the party's key as it was
	/// registered.
	fn change_hold(
		part: &Part,
		change: impl FnOnce(&mut Hold, &WaitingBatch<T::AccountId>) -> Result<(), WaitingError>,
	) -> Result<PublicKey, WaitingError> {
		match part {
			Part::Coordinator(id) => {
				let mut batch = Self::waiting_batch_of(id).ok_or(WaitingError::NotWaiting)?;
				let mut hold = batch.hold;
				change(&mut hold, &batch)?;
				batch.hold = hold;
				let key = batch.key;
				WaitingBatches::<T>::insert(id.coordinator, id.sequence, batch);
				Ok(key)
			},
			Part::Miner(id, miner) => {
				let (batch, mut row) = Self::rows_of(id, miner)?;
				change(&mut row.hold, &batch)?;
				let key = row.key;
				WaitingLines::<T>::insert(miner, id, row);
				Ok(key)
			},
		}
	}
}

impl<T: Config> Waiting<T::AccountId> for Pallet<T> {
	fn batch(id: &BatchId) -> Option<Checkable> {
		Self::waiting_batch_of(id).map(|row| Self::view_checkable(&row))
	}

	fn line(id: &BatchId, miner: &PublicKey) -> Option<CheckableLine> {
		let row = WaitingLines::<T>::get(miner, id)?;
		Some(CheckableLine {
			line: row.line,
			before: row.before,
			registered: row.key,
			is_signed: row.is_signed,
			pay: row.pay,
			claim: row.claim,
			is_held: holds(&row.hold, &Self::clocks()),
		})
	}

	fn given_up(id: &BatchId) -> Vec<MinerLine> {
		WaitingLists::<T>::get(id).given_up.into_iter().map(|one| one.line).collect()
	}

	fn lines_of(miner: &PublicKey, most: u32) -> Vec<OtherLine> {
		let most = usize::try_from(most).unwrap_or(usize::MAX);
		let rows = WaitingLines::<T>::iter_prefix(miner).take(most);
		let lines = rows.filter_map(|(id, row)| {
			let batch = Self::waiting_batch_of(&id)?;
			let price = row.paid.price;
			let worth = share_of(batch.worth, price, batch.sums.price);
			let is_opened = batch.kind.mode == Mode::Ordinary && worth > 0;
			is_opened.then_some(OtherLine { batch: id, price, worth })
		});
		lines.collect()
	}

	fn forfeit_receipt(
		id: &BatchId,
		miner: &PublicKey,
		channel: ChannelId,
		price: u128,
	) -> Result<Returned<T::AccountId>, WaitingError> {
		// Storage layers know errors of dispatchables alone.
		let mut done = Err(WaitingError::NotWaiting);
		let _: DispatchResult = with_storage_layer(|| {
			done = Self::do_forfeit_receipt(id, miner, channel, price);
			done.as_ref().map(|_| ()).map_err(|_| Error::<T>::NotWaiting.into())
		});
		done
	}

	fn forfeit_price(id: &BatchId, miner: &PublicKey, price: u128) -> Result<u128, WaitingError> {
		let mut done = Err(WaitingError::NotWaiting);
		let _: DispatchResult = with_storage_layer(|| {
			done = Self::do_forfeit_price(id, miner, price);
			done.map(|_| ()).map_err(|_| Error::<T>::NotWaiting.into())
		});
		done
	}

	fn forfeit_all(key: &PublicKey) -> Result<(), WaitingError> {
		let (present, _) = Self::party_now(key)?;
		let before = ChannelTotals::<T>::get().batches;
		TakenOf::<T>::insert(present, Taken { pay_before: before, mint_before: before });
		Self::deposit_event(Event::WaitingTaken { key: present, before });
		Ok(())
	}

	fn punish(key: &PublicKey) -> Result<Punished, WaitingError> {
		let (present, mut party) = Self::party_now(key)?;
		let reach = Reach::of(&party, &Parameters::<T>::get());
		let (slash, offences) = Self::punish_channel(&present, &mut party, reach);
		let banned = party.is_banned(T::Time::now());
		let banned_until_ms = if banned { party.banned_until_ms } else { 0 };
		Parties::<T>::insert(present, party);
		Self::deposit_event(Event::CheckFailed { key: present, offences, banned_until_ms, slash });
		Ok(Punished { offences, banned_until_ms, slash })
	}

	fn hold(part: &Part, until_ms: u64) -> Result<(), WaitingError> {
		let (now, clocks) = (T::Time::now(), Self::clocks());
		let key = Self::change_hold(part, |hold, batch| {
			let latest = batch.mint_due_ms(now, &clocks).saturating_add(MAX_HOLD_MS);
			if until_ms <= now || until_ms > latest {
				return Err(WaitingError::Time);
			}
			let until = until_ms.saturating_sub(now.saturating_sub(clocks.pay));
			hold.open = hold.open.saturating_add(1);
			hold.until_ms = hold.until_ms.max(until);
			Ok(())
		})?;
		BondHolds::<T>::mutate(Self::current_key(&key, 0), |bond: &mut BondHold| {
			bond.open = bond.open.saturating_add(1);
			bond.until_ms = bond.until_ms.max(until_ms);
		});
		Self::deposit_event(Event::PartHeld { part: *part, until_ms });
		Ok(())
	}

	fn free(part: &Part) -> Result<(), WaitingError> {
		let key = Self::change_hold(part, |hold, _| {
			hold.open = hold.open.checked_sub(1).ok_or(WaitingError::NotHeld)?;
			if hold.open == 0 {
				hold.until_ms = 0;
			}
			Ok(())
		})?;
		Self::free_bond(&key, 1);
		Self::deposit_event(Event::PartFreed { part: *part });
		Ok(())
	}

	fn set_mint_still(still: bool) {
		if MintStill::<T>::get() == still {
			return;
		}
		Self::count_stops();
		MintStill::<T>::put(still);
		Self::count_stops();
		Self::deposit_event(Event::MintWindowStill { still });
	}
}
