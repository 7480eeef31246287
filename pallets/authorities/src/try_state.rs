//! Invariants.

use crate::{Standing, pallet::*};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;
use sp_staking::SessionIndex;

impl<T: Config> Pallet<T> {
	/// Checks the invariants that hold between any two blocks. A chain that was upgraded from a
	/// runtime without this pallet has no rows until its next session begins.
	///
	/// 1. The set has a member, and the keys in use are those of its members, in its order.
	/// 2. The slots of the running session are known, and those of sessions before it without a
	///    gap; no session begins before the one before it, or later than now.
	/// 3. The seats that a session names are there and were noted by then; none are empty or kept
	///    for no session.
	/// 4. Who returns was let in, in a slot that is not to come.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let validators = pallet_session::Validators::<T>::get();
		ensure!(!validators.is_empty(), "1: no authority is left");
		let in_use = KeysInUse::<T>::get();
		let members = in_use.iter().map(|(who, _)| who);
		ensure!(in_use.is_empty() || members.eq(&validators), "1: keys of others are in use");
		Self::try_slots(in_use.is_empty())?;
		let now = pallet_aura::CurrentSlot::<T>::get();
		for (who, standing) in Standings::<T>::iter() {
			let let_in = LetInAt::<T>::get(&who);
			let returns = standing == Standing::Returning;
			ensure!(!returns || let_in.is_some(), "4: who returns was not let in");
		}
		ensure!(LetInAt::<T>::iter_values().all(|slot| slot <= now), "4: let in later than now");
		Ok(())
	}

	fn try_slots(upgraded: bool) -> Result<(), TryRuntimeError> {
		let running = pallet_session::CurrentIndex::<T>::get();
		let slots: BTreeMap<SessionIndex, _> = Slots::<T>::iter().collect();
		if upgraded && slots.is_empty() {
			return Ok(());
		}
		ensure!(
			slots.last_key_value().map(|(last, _)| *last) == Some(running),
			"2: another session"
		);
		let now = pallet_aura::CurrentSlot::<T>::get();
		let mut before: Option<(SessionIndex, _)> = None;
		let mut named = BTreeSet::new();
		for (session, range) in slots {
			if let Some((earlier, after)) = before {
				ensure!(earlier.checked_add(1) == Some(session), "2: a session is missing");
				ensure!(after <= range.after, "2: a session begins before the one before it");
			}
			ensure!(range.after <= now, "2: a session begins later than now");
			ensure!(range.seats_of <= session, "3: seats of a later session");
			let seats = Seats::<T>::get(range.seats_of).ok_or("3: seats are not there")?;
			ensure!(!seats.is_empty(), "3: a session without a seat");
			named.insert(range.seats_of);
			before = Some((session, range.after));
		}
		let kept: BTreeSet<SessionIndex> = Seats::<T>::iter_keys().collect();
		ensure!(kept == named, "3: seats of no session");
		Ok(())
	}
}
