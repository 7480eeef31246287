//! A value, and the one that takes its place at a time that is announced.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A value that holds from a time on.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Next<T> {
	/// Value that was announced.
	pub value: T,
	/// Time from which it holds, in UTC milliseconds.
	pub since_ms: u64,
}

/// A value with at most one announced successor.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Scheduled<T> {
	/// Value until the successor's time.
	pub value: T,
	/// Successor, which may hold already.
	pub next: Option<Next<T>>,
}

/// Reason why no successor was announced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScheduledRefusal {
	/// A successor is announced and does not hold yet.
	Pending,
	/// The value is the same.
	Unchanged,
}

impl<T: Clone + PartialEq> Scheduled<T> {
	/// Returns a value without a successor.
	pub const fn new(value: T) -> Self {
		Self { value, next: None }
	}

	/// Returns the value that holds at a time in UTC milliseconds.
	pub fn at(&self, time_ms: u64) -> &T {
		match &self.next {
			Some(next) if next.since_ms <= time_ms => &next.value,
			_ => &self.value,
		}
	}

	/// Returns the successor that does not hold yet.
	pub fn pending(&self, now: u64) -> Option<&Next<T>> {
		self.next.as_ref().filter(|next| next.since_ms > now)
	}

	/// Announces a successor.
	///
	/// # Errors
	/// The first reason of [`ScheduledRefusal`] that applies.
	pub fn schedule(&mut self, now: u64, next: Next<T>) -> Result<(), ScheduledRefusal> {
		if self.pending(now).is_some() {
			return Err(ScheduledRefusal::Pending);
		}
		let value = self.at(now).clone();
		if value == next.value {
			return Err(ScheduledRefusal::Unchanged);
		}
		*self = Self { value, next: Some(next) };
		Ok(())
	}

	/// Takes back a successor that does not hold yet; returns it.
	pub fn call_off(&mut self, now: u64) -> Option<Next<T>> {
		self.pending(now)?;
		self.next.take()
	}

	/// Puts another value wherever this one is, also as the successor.
	pub fn replace(&mut self, old: &T, new: &T) {
		if self.value == *old {
			self.value = new.clone();
		}
		if let Some(next) = self.next.as_mut().filter(|next| next.value == *old) {
			next.value = new.clone();
		}
		if self.next.as_ref().is_some_and(|next| next.value == self.value) {
			self.next = None;
		}
	}
}
