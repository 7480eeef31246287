//! A role's stop of minting: what is signed, its length, and who ends it.
//!
//! Two roles state, one role stops. A pinned role stops minting with one signature; the stop stands
//! [`STAND_DAYS`] whatever the others sign. Then it falls if the two other roles have signed its
//! lifting; otherwise only governance ends it. A role whose stop has ended can stop once more within
//! [`AGAIN_DAYS`], and only governance ends that one.
//!
//! Every stop has a number of its role, counted by the chain, so that a signature is good once.

use crate::{
	H256,
	crypto::ed25519::{self, PublicKey, Signature, SignatureError},
	reserve::attestation::Role,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// Days of the calendar for which a stop stands, whatever the others sign.
pub const STAND_DAYS: u64 = 2;
/// Days from its beginning for which a prolonged stop stands.
pub const PROLONGED_DAYS: u64 = 14;
/// Days after the end of a stop within which its role can stop once more, for governance to end.
pub const AGAIN_DAYS: u64 = 30;

/// Tag of the payload that a role signs to stop minting.
const STOP_TAG: &str = "gridproof/mint-stop/v1";
/// Tag of the payload that another role signs to lift a stop.
const LIFT_TAG: &str = "gridproof/mint-stop-lift/v1";

/// Returns the bytes that `role` signs to stop minting, as its stop `number`.
pub fn stop_payload(genesis: &H256, role: Role, number: u32) -> Vec<u8> {
	(STOP_TAG, genesis, role, number).encode()
}

/// Returns the bytes that `signer` signs to lift the stop `number` of `role`.
pub fn lift_payload(genesis: &H256, role: Role, number: u32, signer: Role) -> Vec<u8> {
	(LIFT_TAG, genesis, role, number, signer).encode()
}

/// Verifies the signature of a stop.
///
/// # Errors
/// The first reason of [`SignatureError`] that applies.
pub fn verify_stop(
	genesis: &H256,
	role: Role,
	number: u32,
	key: &PublicKey,
	signature: &Signature,
) -> Result<(), SignatureError> {
	ed25519::verify(key, &stop_payload(genesis, role, number), signature)
}

/// Verifies one signature under the lifting of a stop, that of `signer` with its `key`.
///
/// # Errors
/// The first reason of [`SignatureError`] that applies.
pub fn verify_lift(
	genesis: &H256,
	role: Role,
	number: u32,
	signer: Role,
	key: &PublicKey,
	signature: &Signature,
) -> Result<(), SignatureError> {
	ed25519::verify(key, &lift_payload(genesis, role, number, signer), signature)
}

/// Returns the two roles that can lift a stop of `role`, in the order data, risk, ops.
pub const fn lifters(role: Role) -> [Role; 2] {
	match role {
		Role::Data => [Role::Risk, Role::Ops],
		Role::Risk => [Role::Data, Role::Ops],
		Role::Ops => [Role::Data, Role::Risk],
	}
}

/// Stop of minting by one role.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MintStop {
	/// Its number among the stops of its role, from 0.
	pub number: u32,
	/// Time at which it began, in UTC milliseconds.
	pub since: u64,
	/// Time until which it holds in any case, in UTC milliseconds.
	pub until: u64,
	/// `true` if it was prolonged, which can be done once.
	pub prolonged: bool,
	/// `true` if the two other roles have signed its lifting: it falls at `until`.
	pub lifted: bool,
	/// `true` if only governance can end it.
	pub only_governance: bool,
}

/// End of a role's last stop.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StopEnd {
	/// Time of the end, in UTC milliseconds.
	pub at: u64,
	/// `true` if the one further stop within [`AGAIN_DAYS`] was used.
	pub spent: bool,
}

/// What the chain knows of a role's stops.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RoleStop {
	/// Number that the role's next stop must have.
	pub next: u32,
	/// The role's last stop, if governance has not ended it.
	pub stop: Option<MintStop>,
	/// End of the stop before that one, or of the last one that governance ended.
	pub ended: Option<StopEnd>,
}

/// Reason why a stop, its lifting or its prolongation is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StopRefusal {
	/// The number is not the one that is due.
	WrongNumber,
	/// The role has stopped minting already.
	AlreadyStopped,
	/// The role has used the one further stop that it has within [`AGAIN_DAYS`].
	Spent,
	/// The role has not stopped minting.
	NotStopped,
	/// The two other roles have lifted it already.
	AlreadyLifted,
	/// Only governance can end it.
	OnlyGovernance,
	/// It was prolonged already.
	AlreadyProlonged,
	/// The time in which it can be prolonged is over.
	TooLate,
}

impl fmt::Display for StopRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::WrongNumber => "the number is not the one that is due",
			Self::AlreadyStopped => "the role has stopped minting already",
			Self::Spent => "the role has used its one further stop within 30 days",
			Self::NotStopped => "the role has not stopped minting",
			Self::AlreadyLifted => "the two other roles have lifted it already",
			Self::OnlyGovernance => "only governance can end it",
			Self::AlreadyProlonged => "it was prolonged already",
			Self::TooLate => "the time in which it can be prolonged is over",
		})
	}
}

impl core::error::Error for StopRefusal {}

/// Returns `days` days of a calendar, in milliseconds.
const fn days(days: u64, day_length: u64) -> u64 {
	day_length.saturating_mul(days)
}

impl RoleStop {
	/// Returns the stop that holds at `now`, if there is one.
	pub fn in_force(&self, now: u64) -> Option<MintStop> {
		self.stop.filter(|stop| !(stop.lifted && now >= stop.until))
	}

	/// Returns the end of the last stop that has ended by `now`.
	fn last_end(&self, now: u64) -> Option<StopEnd> {
		match self.stop {
			Some(stop) if self.in_force(now).is_none() => {
				Some(StopEnd { at: stop.until, spent: false })
			},
			_ => self.ended,
		}
	}

	/// Returns the role's state after it has stopped minting at `now`, in a calendar whose days
	/// last `day_length` milliseconds.
	///
	/// # Errors
	/// [`StopRefusal::AlreadyStopped`], [`StopRefusal::WrongNumber`], [`StopRefusal::Spent`].
	pub fn raised(&self, number: u32, now: u64, day_length: u64) -> Result<Self, StopRefusal> {
		if self.in_force(now).is_some() {
			return Err(StopRefusal::AlreadyStopped);
		}
		if number != self.next {
			return Err(StopRefusal::WrongNumber);
		}
		let again = days(AGAIN_DAYS, day_length);
		let recent = self.last_end(now).filter(|end| now < end.at.saturating_add(again));
		if recent.is_some_and(|end| end.spent) {
			return Err(StopRefusal::Spent);
		}
		let stop = MintStop {
			number,
			since: now,
			until: now.saturating_add(days(STAND_DAYS, day_length)),
			prolonged: false,
			lifted: false,
			only_governance: recent.is_some(),
		};
		Ok(Self {
			next: number.checked_add(1).ok_or(StopRefusal::WrongNumber)?,
			stop: Some(stop),
			ended: recent.map(|end| StopEnd { spent: true, ..end }),
		})
	}

	/// Returns the stop that holds at `now`, if `number` is its.
	fn named(&self, number: u32, now: u64) -> Result<MintStop, StopRefusal> {
		let stop = self.in_force(now).ok_or(StopRefusal::NotStopped)?;
		if stop.number == number { Ok(stop) } else { Err(StopRefusal::WrongNumber) }
	}

	/// Returns the role's state after the two other roles have lifted its stop. It falls at
	/// [`MintStop::until`], or at `now` if that is later.
	///
	/// # Errors
	/// [`StopRefusal::NotStopped`], [`StopRefusal::WrongNumber`], [`StopRefusal::OnlyGovernance`],
	/// [`StopRefusal::AlreadyLifted`].
	pub fn lifted(&self, number: u32, now: u64) -> Result<Self, StopRefusal> {
		let stop = self.named(number, now)?;
		if stop.only_governance {
			return Err(StopRefusal::OnlyGovernance);
		}
		if stop.lifted {
			return Err(StopRefusal::AlreadyLifted);
		}
		let stop = MintStop { lifted: true, until: stop.until.max(now), ..stop };
		Ok(Self { stop: Some(stop), ..*self })
	}

	/// Returns the role's state after its stop was prolonged, to [`PROLONGED_DAYS`] from its
	/// beginning.
	///
	/// # Errors
	/// [`StopRefusal::NotStopped`], [`StopRefusal::WrongNumber`],
	/// [`StopRefusal::AlreadyProlonged`], [`StopRefusal::TooLate`].
	pub fn prolonged(&self, number: u32, now: u64, day_length: u64) -> Result<Self, StopRefusal> {
		let stop = self.named(number, now)?;
		if stop.prolonged {
			return Err(StopRefusal::AlreadyProlonged);
		}
		if now >= stop.until {
			return Err(StopRefusal::TooLate);
		}
		let until = stop.since.saturating_add(days(PROLONGED_DAYS, day_length));
		let stop = MintStop { prolonged: true, until: stop.until.max(until), ..stop };
		Ok(Self { stop: Some(stop), ..*self })
	}

	/// Returns the role's state after governance has ended its stop at `now`.
	///
	/// # Errors
	/// [`StopRefusal::NotStopped`], [`StopRefusal::WrongNumber`].
	pub fn ended(&self, number: u32, now: u64) -> Result<Self, StopRefusal> {
		let stop = self.named(number, now)?;
		let ended = StopEnd { at: now, spent: stop.only_governance };
		Ok(Self { stop: None, ended: Some(ended), ..*self })
	}
}

/// What the chain knows of the stops of all roles.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RoleStops {
	/// Stops of [`Role::Data`].
	pub data: RoleStop,
	/// Stops of [`Role::Risk`].
	pub risk: RoleStop,
	/// Stops of [`Role::Ops`].
	pub ops: RoleStop,
}

impl RoleStops {
	/// Returns the stops of a role.
	pub const fn of(&self, role: Role) -> &RoleStop {
		match role {
			Role::Data => &self.data,
			Role::Risk => &self.risk,
			Role::Ops => &self.ops,
		}
	}

	/// Returns the stops of a role for changing.
	pub const fn of_mut(&mut self, role: Role) -> &mut RoleStop {
		match role {
			Role::Data => &mut self.data,
			Role::Risk => &mut self.risk,
			Role::Ops => &mut self.ops,
		}
	}

	/// Returns `true` if a role has stopped minting at `now`.
	pub fn is_stopped(&self, now: u64) -> bool {
		[&self.data, &self.risk, &self.ops].into_iter().any(|role| role.in_force(now).is_some())
	}
}

/// Says whether a role has stopped minting. The attestations pallet implements it, the coverage
/// policy asks.
pub trait MintStops {
	/// Returns `true` while any role's stop holds.
	fn is_stopped() -> bool;
}

impl MintStops for () {
	fn is_stopped() -> bool {
		false
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const DAY: u64 = 60_000;

	fn raised() -> RoleStop {
		RoleStop::default().raised(0, 1_000, DAY).unwrap()
	}

	#[test]
	fn a_stop_stands_two_days_and_then_falls_if_the_others_signed() {
		let stop = raised();
		let end = 1_000 + 2 * DAY;
		// Without the others' signatures it stays.
		assert!(stop.in_force(end * 100).is_some());
		// Signed at once, it stands two days all the same.
		let lifted = stop.lifted(0, 1_001).unwrap();
		assert!(lifted.in_force(end - 1).is_some());
		assert_eq!(lifted.in_force(end), None);
		// Signed later, it falls at once.
		let late = stop.lifted(0, end + 5).unwrap();
		assert!(late.in_force(end + 4).is_some());
		assert_eq!(late.in_force(end + 5), None);
		assert_eq!(lifted.lifted(0, 2_000), Err(StopRefusal::AlreadyLifted));
		assert_eq!(lifted.lifted(0, end), Err(StopRefusal::NotStopped));
	}

	#[test]
	fn a_number_is_good_once() {
		let stop = raised();
		assert_eq!(stop.raised(1, 2_000, DAY), Err(StopRefusal::AlreadyStopped));
		let fallen = stop.lifted(0, 1_000).unwrap();
		let later = 1_000 + 90 * DAY;
		assert_eq!(fallen.raised(0, later, DAY), Err(StopRefusal::WrongNumber));
		assert_eq!(fallen.raised(2, later, DAY), Err(StopRefusal::WrongNumber));
		assert_eq!(fallen.raised(1, later, DAY).map(|stop| stop.next), Ok(2));
		assert_eq!(stop.lifted(1, 2_000), Err(StopRefusal::WrongNumber));
		assert_eq!(stop.ended(1, 2_000), Err(StopRefusal::WrongNumber));
		let last = RoleStop { next: u32::MAX, ..Default::default() };
		assert_eq!(last.raised(u32::MAX, 1, DAY), Err(StopRefusal::WrongNumber));
	}

	#[test]
	fn a_role_that_was_lifted_stops_once_more_and_only_governance_ends_that() {
		let end = 1_000 + 2 * DAY;
		let again = raised().lifted(0, 2_000).unwrap().raised(1, end, DAY).unwrap();
		assert!(again.stop.unwrap().only_governance);
		assert_eq!(again.lifted(1, end + 9 * DAY), Err(StopRefusal::OnlyGovernance));
		assert!(again.in_force(u64::MAX).is_some());
		// Ended by governance, the next within 30 days is refused, and then it begins again.
		let ended = again.ended(1, end + DAY).unwrap();
		assert_eq!(ended.in_force(end + DAY), None);
		let month = end + 31 * DAY;
		assert_eq!(ended.raised(2, month - 1, DAY), Err(StopRefusal::Spent));
		assert!(!ended.raised(2, month, DAY).unwrap().stop.unwrap().only_governance);
		// 30 days after its fall, a role stops as for the first time.
		let lifted = raised().lifted(0, 2_000).unwrap();
		let month = end + 30 * DAY;
		assert!(lifted.raised(1, month - 1, DAY).unwrap().stop.unwrap().only_governance);
		assert!(!lifted.raised(1, month, DAY).unwrap().stop.unwrap().only_governance);
	}

	#[test]
	fn a_stop_is_prolonged_once_and_within_its_two_days() {
		let (stop, end) = (raised(), 1_000 + 2 * DAY);
		assert_eq!(stop.prolonged(0, end, DAY), Err(StopRefusal::TooLate));
		assert_eq!(stop.prolonged(1, 2_000, DAY), Err(StopRefusal::WrongNumber));
		let longer = stop.lifted(0, 1_500).unwrap().prolonged(0, end - 1, DAY).unwrap();
		assert!(longer.in_force(1_000 + 14 * DAY - 1).is_some());
		assert_eq!(longer.in_force(1_000 + 14 * DAY), None);
		assert_eq!(longer.prolonged(0, end, DAY), Err(StopRefusal::AlreadyProlonged));
		assert_eq!(RoleStop::default().prolonged(0, 1, DAY), Err(StopRefusal::NotStopped));
	}

	#[test]
	fn the_largest_times_do_not_overflow() {
		let stop = RoleStop::default().raised(0, u64::MAX, u64::MAX).unwrap();
		assert!(stop.in_force(u64::MAX).is_some());
		assert_eq!(stop.lifted(0, u64::MAX).unwrap().in_force(u64::MAX), None);
	}

	#[test]
	fn any_role_stops_all() {
		let mut stops = RoleStops::default();
		assert!(!stops.is_stopped(1));
		*stops.of_mut(Role::Ops) = raised();
		assert!(stops.is_stopped(1_000));
		assert_eq!((stops.of(Role::Data).stop, stops.of(Role::Ops).next), (None, 1));
		for role in Role::ALL {
			assert!(!lifters(role).contains(&role));
		}
	}
}
