//! Receipts that clients want checked, of models of which one answer alone proves nothing: a verifier that
//! nobody chooses does one again, and its figures are added to the miner's number.

use crate::{pallet::*, types::*, views::MAX_LISTED};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, Get},
	traits::{fungible::Mutate, tokens::Preservation},
};
use gridproof_primitives::compute::{
	channels::VoucherId,
	checks::{AskedReceipt, BatchId, CheckId, CheckRefusal, MAX_CHECKS_PER_DRAW, VerifierKey},
};
use sp_io::hashing::blake2_256;
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	/// Checks that clients can open something: they have half of the table, so that none of them keeps a
	/// verifier from accusing.
	pub(crate) fn ensure_room_for_client() -> DispatchResult {
		let most = T::MaxDisputes::get().checked_div(2).unwrap_or(0);
		ensure!(Sums::<T>::get().of_clients < most, Error::<T>::Full);
		Ok(())
	}

	/// Takes a client's deposit.
	pub(crate) fn take_deposit(client: &T::AccountId, deposit: u128) -> DispatchResult {
		T::Currency::transfer(client, &T::Escrow::get(), deposit, Preservation::Preserve)?;
		Sums::<T>::mutate(|sums| {
			sums.escrow = sums.escrow.saturating_add(deposit);
			sums.of_clients = sums.of_clients.saturating_add(1);
		});
		Ok(())
	}

	/// Pays a client's deposit to somebody.
	pub(crate) fn pay_deposit(to: &T::AccountId, deposit: u128) -> DispatchResult {
		Sums::<T>::mutate(|sums| sums.of_clients = sums.of_clients.saturating_sub(1));
		Self::pay_out(to, deposit)
	}

	/// Returns the key of the verifier whose turn it is, of those that draw of the batch: by the hash of the
	/// block before.
	fn turn_of(receipt: &Checked, touched_ms: u64) -> Option<VerifierKey> {
		let (id, index) = (&receipt.batch, receipt.index);
		let (bond, now) = (Parameters::<T>::get().verifier_bond, Self::now());
		let parties = Self::parties_of(receipt);
		let rows = Verifiers::<T>::iter().filter(|(account, row)| {
			let draws = row.is_fit(bond, now) && row.took_part_at(touched_ms);
			draws && !parties.contains(account)
		});
		let mut keys: Vec<_> = rows.filter_map(|(_, row)| row.key_at(touched_ms)).collect();
		keys.sort_unstable();
		let block = frame_system::Pallet::<T>::parent_hash();
		let hash = ("gridproof/check-turn/v1", block, id, index).using_encoded(blake2_256);
		let draw = u64::from_le_bytes(hash.first_chunk().copied()?);
		let among = u64::try_from(keys.len()).ok()?;
		let place = usize::try_from(draw.checked_rem(among)?).ok()?;
		keys.get(place).copied()
	}

	/// Lets a verifier check a receipt of a client, once.
	pub(crate) fn ask(client: T::AccountId, receipt: &Checked) -> DispatchResult {
		let (id, index) = (receipt.batch, receipt.index);
		let voucher = receipt.voucher;
		ensure!(!Asked::<T>::contains_key(id, voucher), Error::<T>::AlreadyDone);
		Self::ensure_room_for_client()?;
		let mut batch = Batches::<T>::get(id).ok_or(Error::<T>::NotTouched)?;
		let by = Self::turn_of(receipt, batch.checks.touched_ms);
		let by = by.ok_or(Error::<T>::UnknownVerifier)?;
		let deposit = Parameters::<T>::get().dispute_deposit;
		Self::take_deposit(&client, deposit)?;
		let check = MAX_CHECKS_PER_DRAW.saturating_add(batch.asked);
		batch.asked = batch.asked.saturating_add(1);
		Batches::<T>::insert(id, batch);
		Asked::<T>::insert(id, voucher, AskedRow { client, deposit, by, check, index });
		let check = CheckId { batch: id, verifier: by, check };
		Self::deposit_event(Event::CheckAsked { check, index });
		Ok(())
	}

	/// Checks that it is a verifier's turn to check a receipt.
	pub(crate) fn check_asked(id: &CheckId, voucher: &VoucherId) -> Result<(), CheckRefusal> {
		let row = Asked::<T>::get(id.batch, voucher).ok_or(CheckRefusal::NotDrawn)?;
		let is_turn = row.by == id.verifier && row.check == id.check && row.deposit > 0;
		ensure!(is_turn, CheckRefusal::NotDrawn);
		Ok(())
	}

	/// Ends what a client has asked for: its deposit returns if the receipt is above the line.
	pub(crate) fn end_asked(id: &CheckId, voucher: &VoucherId, above: bool) -> DispatchResult {
		let Some(row) = Asked::<T>::get(id.batch, voucher) else { return Ok(()) };
		let to = if above { row.client.clone() } else { T::Treasury::get() };
		Self::pay_deposit(&to, row.deposit)?;
		Asked::<T>::insert(id.batch, voucher, AskedRow { deposit: 0, ..row });
		Ok(())
	}

	/// Removes some rows of a batch that is over, and returns their deposits: nobody has reported them.
	/// Returns how many.
	pub(crate) fn forget_asked(id: &BatchId, most: usize) -> Result<usize, DispatchError> {
		let mut found = 0usize;
		for (_, row) in Asked::<T>::drain_prefix(id).take(most) {
			found = found.saturating_add(1);
			if row.deposit > 0 {
				Self::pay_deposit(&row.client, row.deposit)?;
			}
		}
		Ok(found)
	}

	/// [`Pallet::asked`].
	pub(crate) fn list_asked(batch: BatchId) -> Vec<AskedReceipt> {
		let rows = Asked::<T>::iter_prefix(batch).filter(|(_, row)| row.deposit > 0);
		let limit = usize::try_from(MAX_LISTED).unwrap_or(usize::MAX);
		let rows = rows.take(limit);
		rows.map(|(voucher, row)| {
			let id = CheckId { batch, verifier: row.by, check: row.check };
			AskedReceipt { id, index: row.index, voucher }
		})
		.collect()
	}
}
