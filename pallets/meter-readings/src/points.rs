//! Metering points: meters that are netted with one another.

use crate::{pallet::*, types::*};
use codec::Encode;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchError, DispatchResult},
	traits::Time,
};
use gridproof_primitives::{
	H256,
	energy::{Direction, LastSeen, MeterIndex, MeterState, PointId, PointState, is_plain_number},
};
use sp_io::hashing::blake2_256;

/// Returns what is hashed of a point's id: two that differ in case only are the same.
fn mark_of(id: &PointId) -> H256 {
	H256(id.to_ascii_lowercase().using_encoded(blake2_256))
}

/// Returns `true` if a meter in service with this index is at the point.
fn has(state: &PointState, meter: MeterIndex) -> bool {
	state.meters.iter().any(|row| row.meter == meter && !row.ended)
}

impl<T: Config> Pallet<T> {
	/// Checks that a point's id is one that a person can tell from any other, and that generation is
	/// counted behind some point.
	pub(crate) fn check_point(direction: Direction, point: Option<&PointId>) -> DispatchResult {
		match point {
			Some(id) => ensure!(is_plain_number(id), Error::<T>::BadNumber),
			None => ensure!(direction != Direction::Generation, Error::<T>::NoPoint),
		}
		Ok(())
	}

	/// Checks that a meter of this owner that mints can be at the point.
	pub(crate) fn check_place(
		id: &PointId,
		owner: &T::AccountId,
		direction: Direction,
	) -> DispatchResult {
		let Some(mut point) = Points::<T>::get(mark_of(id)) else { return Ok(()) };
		let is_free = point.owner == *owner || point.state.is_deserted();
		ensure!(is_free, Error::<T>::PointOfAnother);
		let tried = point.state.join((MeterIndex::MAX, direction, 0), 0, 0, 0);
		tried.map_err(|_| Error::<T>::MaxPointMetersExceeded)?;
		Ok(())
	}

	/// Puts a meter that mints, and names a point, to the others there: from now on they are netted with
	/// one another, and what it owed is what they owe. A point that all meters have left is anybody's, with
	/// what it owes; an import meter takes over what those that have left may have drawn, but for the one
	/// that its own device was (`returned`).
	pub(crate) fn join_point(
		meter: MeterIndex,
		owner: &T::AccountId,
		state: &mut MeterState,
		returned: Option<MeterIndex>,
	) -> DispatchResult {
		let Some(id) = MeterPoints::<T>::get(meter) else { return Ok(()) };
		Points::<T>::try_mutate(mark_of(&id), |row| -> Result<(), DispatchError> {
			let new = || Point { id, owner: owner.clone(), state: PointState::default() };
			let point = row.get_or_insert_with(new);
			if point.state.is_deserted() {
				point.owner = owner.clone();
			}
			ensure!(point.owner == *owner, Error::<T>::PointOfAnother);
			let unseen_wh = if state.direction.takes() {
				let tolerance_ppt = LimitsInUse::<T>::get().batch.tolerance_ppt;
				point.state.unseen_wh(returned, T::Time::now(), tolerance_ppt)
			} else {
				0
			};
			let (since_ms, owed_wh) = (state.last_end_ms, state.owed_wh);
			let kind = (meter, state.direction, state.rated_power_w);
			point
				.state
				.join(kind, since_ms, state.floor_ms, owed_wh)
				.map_err(|_| Error::<T>::MaxPointMetersExceeded)?;
			// Beyond what it owed elsewhere.
			point.state.take(unseen_wh);
			state.owed_wh = 0;
			Ok(())
		})
	}

	/// Returns the point at which a meter is netted with others, and its key.
	pub(crate) fn point_of(meter: MeterIndex) -> Option<(H256, PointOf<T>)> {
		let mark = mark_of(&MeterPoints::<T>::get(meter)?);
		let point = Points::<T>::get(mark)?;
		has(&point.state, meter).then_some((mark, point))
	}

	/// Changes the netting of the point of a meter, if it is at one; returns what `change` does.
	fn at_point<R>(meter: MeterIndex, change: impl FnOnce(&mut PointState) -> R) -> Option<R> {
		let (mark, mut point) = Self::point_of(meter)?;
		let result = change(&mut point.state);
		Points::<T>::insert(mark, point);
		Some(result)
	}

	/// Records that nobody vouches for a meter, or that somebody does from `floor_ms` on.
	pub(crate) fn vouch_at_point(meter: MeterIndex, vouched: bool, floor_ms: u64) {
		Self::at_point(meter, |state| state.set_vouched(meter, vouched, floor_ms));
	}

	/// Lets the point of a meter owe no less than `wh`, and returns what the meter itself owes then:
	/// nothing if it is at a point.
	pub(crate) fn owe_at_least(meter: MeterIndex, own_wh: u64, wh: u64) -> u64 {
		let owes = |state: &mut PointState| state.owe(wh.saturating_sub(state.owed_wh()));
		Self::at_point(meter, owes).map_or(own_wh.max(wh), |()| 0)
	}

	/// Counts energy that a meter took, as its registers show, and that no batch will state any more.
	pub(crate) fn take_unstated(meter: MeterIndex, state: &mut MeterState, wh: u64) {
		if Self::at_point(meter, |point| point.take(wh)).is_none() {
			state.owed_wh = state.owed_wh.saturating_add(wh);
		}
	}

	/// Makes a meter, or its point, deliver that much more before it mints again.
	pub(crate) fn owe_more(meter: MeterIndex, state: &mut MeterState, wh: u64) {
		if Self::at_point(meter, |point| point.owe(wh)).is_none() {
			state.owed_wh = state.owed_wh.saturating_add(wh);
		}
	}

	/// Takes a meter that goes out of service from its point, and with the last one the point, unless it
	/// owes something, or a meter that took energy has left its place empty. Returns what they owe; `None`
	/// if it is at no point.
	pub(crate) fn leave_point(meter: MeterIndex, last: &LastSeen) -> Option<u64> {
		let found = Self::point_of(meter);
		MeterPoints::<T>::remove(meter);
		let (mark, mut point) = found?;
		let owed_wh = point.state.leave(meter, last.at_ms);
		if point.state.is_empty() {
			Points::<T>::remove(mark);
		} else {
			Points::<T>::insert(mark, point);
		}
		Some(owed_wh)
	}

	/// Checks that each point has the meters that name it and mint, as their own rows have them.
	#[cfg(any(feature = "std", feature = "try-runtime"))]
	pub(crate) fn try_points() -> Result<(), sp_runtime::TryRuntimeError> {
		let mut at_points = 0usize;
		for (meter, id) in MeterPoints::<T>::iter() {
			let row = Meters::<T>::get(meter).ok_or("11: a point of a meter that is gone")?;
			ensure!(is_plain_number(&id), "11: an id that is not plain");
			let point = Self::point_of(meter);
			ensure!(row.mints == point.is_some(), "11: a meter that is not at its point");
			let Some((mark, point)) = point else { continue };
			ensure!(mark_of(&point.id) == mark, "11: another's id");
			let owner = Certificates::<T>::get(meter).map(|row| row.certificate.owner);
			ensure!(owner.as_ref() == Some(&point.owner), "11: another's point");
			let mut own = point.state.meters.iter().filter(|own| own.meter == meter && !own.ended);
			let at = own.next().ok_or("11: a meter that is not at its point")?;
			ensure!(own.next().is_none(), "11: a meter twice at a point");
			let same = at.direction == row.state.direction
				&& at.rated_power_w == row.state.rated_power_w
				&& at.stated_ms == row.state.last_end_ms
				&& at.floor_ms <= row.state.floor_ms
				&& at.vouched == row.suspended.is_none();
			ensure!(same, "11: a point says something else of a meter");
			ensure!(row.state.owed_wh == 0, "11: a meter that owes alone");
			at_points = at_points.saturating_add(1);
		}
		let mut listed = 0usize;
		for point in Points::<T>::iter_values() {
			let state = &point.state;
			ensure!(!state.is_empty(), "11: a point without a meter, that owes nothing");
			let sums = (state.delivered_wh, state.taken_wh);
			ensure!(!state.is_deserted() || sums == (0, 0), "11: sums without a meter");
			let counts = state.meters.iter().any(|row| row.direction == Direction::Generation);
			ensure!(counts == state.generation.is_some(), "11: generation that nobody counts");
			let present = state.meters.iter().filter(|row| !row.ended).count();
			listed = listed.saturating_add(present);
		}
		ensure!(listed == at_points, "11: a point with a meter too many");
		Ok(())
	}
}
