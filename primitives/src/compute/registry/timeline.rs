//! Which terms of a model held at which time.

use super::terms::ModelTerms;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use sp_core::{ConstU32, bounded::BoundedVec};

/// Highest number of spans of a timeline, what is announced included.
pub const MAX_SPANS: u32 = 16;
/// Time for which terms are remembered that no longer hold, in milliseconds: 400 days. No job lasts
/// longer than 366.
pub const FACTOR_MEMORY_MS: u64 = 400 * 86_400_000;

/// Places that a change leaves free, so that a stop and a retirement always find one.
const RESERVED: usize = 2;

/// Whether and how tokens of a model count.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
	/// They count by these terms.
	#[codec(index = 0)]
	Counted(ModelTerms),
	/// They do not count until governance resumes, and then by these terms.
	#[codec(index = 1)]
	Stopped(ModelTerms),
	/// They do not count any more.
	#[codec(index = 2)]
	Retired,
}

impl Standing {
	/// Returns the terms by which tokens count, `None` if they do not.
	pub const fn counted(self) -> Option<ModelTerms> {
		match self {
			Self::Counted(terms) => Some(terms),
			Self::Stopped(_) | Self::Retired => None,
		}
	}

	/// Returns `counted`, `stopped` or `retired`.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Counted(_) => "counted",
			Self::Stopped(_) => "stopped",
			Self::Retired => "retired",
		}
	}

	/// Returns what becomes of it when the model is stopped.
	const fn stopped(self) -> Self {
		match self {
			Self::Counted(terms) | Self::Stopped(terms) => Self::Stopped(terms),
			Self::Retired => Self::Retired,
		}
	}
}

/// Standing of a model from a time on, until the next span begins.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
	/// Time from which it holds, in UTC milliseconds.
	pub since_ms: u64,
	/// What holds.
	pub standing: Standing,
}

/// A change that is announced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TermsChange {
	/// Tokens count by other terms; of a model that is stopped, once it is resumed.
	Terms(ModelTerms),
	/// Tokens of a model that is stopped count again.
	Resume,
	/// Tokens do not count any more.
	Retire,
}

/// Reason why a timeline does not change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimelineRefusal {
	/// A change is announced and has not taken effect: one at a time.
	Pending,
	/// The model is retired.
	Retired,
	/// The terms hold already, or the model is stopped already.
	Unchanged,
	/// The model is not stopped.
	NotStopped,
	/// So many changes are remembered that there is no room for another.
	TooManyChanges,
}

impl fmt::Display for TimelineRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Pending => "a change of the model is announced: wait for it, or call it off",
			Self::Retired => "the model is retired",
			Self::Unchanged => "it is already so",
			Self::NotStopped => "the model is not stopped",
			Self::TooManyChanges => "the model was changed too often within 400 days",
		})
	}
}

impl core::error::Error for TimelineRefusal {}

/// Standings of a model, past, present and announced: spans in the order of their beginnings, each
/// until the next one begins. There is at least one.
///
/// At most one span begins later than now. What no longer holds is remembered for
/// [`FACTOR_MEMORY_MS`]: within that time no operation changes what [`Timeline::terms_at`] answers
/// for a time that has passed.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timeline(BoundedVec<Span, ConstU32<MAX_SPANS>>);

impl Timeline {
	/// Returns the timeline of a model whose tokens count by these terms from a time on, in UTC
	/// milliseconds.
	pub fn new(since_ms: u64, terms: ModelTerms) -> Self {
		let mut spans = BoundedVec::new();
		// There is room for one.
		let _ = spans.try_push(Span { since_ms, standing: Standing::Counted(terms) });
		Self(spans)
	}

	/// Returns the spans, earliest first.
	pub fn spans(&self) -> &[Span] {
		&self.0
	}

	/// Returns the standing at a time in UTC milliseconds; `None` before the first span, that is
	/// before the model was added or longer ago than is remembered.
	pub fn at(&self, time_ms: u64) -> Option<Standing> {
		let span = self.0.iter().rev().find(|span| span.since_ms <= time_ms);
		span.map(|span| span.standing)
	}

	/// Returns the terms by which tokens counted at a time, `None` if they did not.
	pub fn terms_at(&self, time_ms: u64) -> Option<ModelTerms> {
		self.at(time_ms).and_then(Standing::counted)
	}

	/// Returns the factor by which tokens counted at a time, in thousandths, `None` if they did not.
	pub fn factor_at(&self, time_ms: u64) -> Option<u32> {
		self.terms_at(time_ms).map(|terms| terms.factor)
	}

	/// Returns the factor in thousandths by which private work is priced at a time, also while tokens
	/// do not count: that of the time, else the last one before it, else the first one after it.
	/// `None` if tokens never counted and never will.
	pub fn nearest_factor(&self, time_ms: u64) -> Option<u32> {
		let before = self.0.iter().rev().filter(|span| span.since_ms <= time_ms);
		let after = self.0.iter().filter(|span| span.since_ms > time_ms);
		before.chain(after).find_map(|span| span.standing.counted()).map(|terms| terms.factor)
	}

	/// Returns the factors by which tokens counted at some time from `from_ms` to `to_ms`, both
	/// included: those that a receipt without a time of its own may have.
	pub fn factors_between(&self, from_ms: u64, to_ms: u64) -> impl Iterator<Item = u32> + '_ {
		let ends = self.0.iter().skip(1).map(|next| Some(next.since_ms)).chain([None]);
		self.0
			.iter()
			.zip(ends)
			.filter(move |(span, end)| {
				span.since_ms <= to_ms && end.is_none_or(|end| end > from_ms)
			})
			.filter_map(|(span, _)| span.standing.counted().map(|terms| terms.factor))
	}

	/// Returns the span that is announced and does not hold yet.
	pub fn pending(&self, now: u64) -> Option<Span> {
		self.0.last().copied().filter(|span| span.since_ms > now)
	}

	/// Returns the time since which the model is retired, if it is.
	pub fn retired_since(&self, now: u64) -> Option<u64> {
		let last = self.0.last()?;
		let is_retired = last.standing == Standing::Retired && last.since_ms <= now;
		is_retired.then_some(last.since_ms)
	}

	/// Returns `true` if nothing that counted is within the memory any more: the model is retired
	/// for at least [`FACTOR_MEMORY_MS`].
	pub fn is_over(&self, now: u64) -> bool {
		let since = self.retired_since(now);
		since.is_some_and(|since| since.saturating_add(FACTOR_MEMORY_MS) <= now)
	}

	/// Announces a change that takes effect at `at_ms`, later than `now`; returns its span.
	///
	/// # Errors
	/// The first reason of [`TimelineRefusal`] that applies; the timeline is the same then.
	pub fn announce(
		&mut self,
		now: u64,
		at_ms: u64,
		change: TermsChange,
	) -> Result<Span, TimelineRefusal> {
		let standing = self.at(now).filter(|_| self.pending(now).is_none());
		let standing = self.changed(standing.ok_or(TimelineRefusal::Pending)?, change)?;
		let reserved = if change == TermsChange::Retire { 0 } else { RESERVED };
		let kept = self.0.len().saturating_sub(self.forgotten(now)).saturating_add(reserved);
		if u32::try_from(kept).is_ok_and(|kept| kept < MAX_SPANS) {
			let span = Span { since_ms: at_ms, standing };
			self.forget(now);
			self.0.try_push(span).map_err(|_| TimelineRefusal::TooManyChanges)?;
			Ok(span)
		} else {
			Err(TimelineRefusal::TooManyChanges)
		}
	}

	/// Returns the standing after a change.
	fn changed(
		&self,
		standing: Standing,
		change: TermsChange,
	) -> Result<Standing, TimelineRefusal> {
		use TermsChange::{Resume, Retire, Terms};
		match (standing, change) {
			(Standing::Retired, _) => Err(TimelineRefusal::Retired),
			(Standing::Counted(old) | Standing::Stopped(old), Terms(new)) if old == new => {
				Err(TimelineRefusal::Unchanged)
			},
			(Standing::Counted(_), Terms(new)) => Ok(Standing::Counted(new)),
			(Standing::Stopped(_), Terms(new)) => Ok(Standing::Stopped(new)),
			(Standing::Stopped(terms), Resume) => Ok(Standing::Counted(terms)),
			(Standing::Counted(_), Resume) => Err(TimelineRefusal::NotStopped),
			(_, Retire) => Ok(Standing::Retired),
		}
	}

	/// Takes back the change that is announced; returns it. Nothing is left of a model that was
	/// announced itself.
	pub fn call_off(&mut self, now: u64) -> Option<Span> {
		self.pending(now)?;
		self.0.pop()
	}

	/// Returns `true` if no span is left.
	pub fn is_empty(&self) -> bool {
		self.0.is_empty()
	}

	/// Stops the model: what is opened from now on does not count. A change that is announced does
	/// not resume it.
	///
	/// # Errors
	/// [`TimelineRefusal::Retired`] or [`TimelineRefusal::Unchanged`]; the timeline is the same then.
	pub fn stop(&mut self, now: u64) -> Result<(), TimelineRefusal> {
		let announced = self.pending(now);
		match self.at(now) {
			Some(Standing::Retired) => return Err(TimelineRefusal::Retired),
			Some(Standing::Stopped(_)) => return Err(TimelineRefusal::Unchanged),
			Some(standing @ Standing::Counted(_)) => {
				self.forget(now);
				if announced.is_some() {
					self.0.pop();
				}
				let span = Span { since_ms: now, standing: standing.stopped() };
				// What began in this very block counted for nothing.
				match self.0.last_mut() {
					Some(last) if last.since_ms == now => *last = span,
					_ => self.0.try_push(span).map_err(|_| TimelineRefusal::TooManyChanges)?,
				}
			},
			None => {
				let is_stopped = announced.is_none_or(|span| span.standing.counted().is_none());
				if is_stopped {
					return Err(TimelineRefusal::Unchanged);
				}
				self.0.pop();
			},
		}
		let after = announced.map(|span| Span { standing: span.standing.stopped(), ..span });
		after.map_or(Ok(()), |span| {
			self.0.try_push(span).map_err(|_| TimelineRefusal::TooManyChanges)
		})
	}

	/// Returns how many of the first spans ended longer ago than is remembered.
	fn forgotten(&self, now: u64) -> usize {
		let ends = self.0.iter().skip(1).map(|next| next.since_ms);
		ends.take_while(|end| end.saturating_add(FACTOR_MEMORY_MS) <= now).count()
	}

	/// Drops what ended longer ago than is remembered.
	fn forget(&mut self, now: u64) {
		let mut left = self.forgotten(now);
		self.0.retain(|_| {
			let is_kept = left == 0;
			left = left.saturating_sub(1);
			is_kept
		});
	}

	/// Returns `true` if the timeline is as these functions make it: not empty, in order, at most one
	/// span later than now, nothing after a retirement, valid terms, and room for a stop and a
	/// retirement that may still come.
	pub fn is_sound(&self, now: u64) -> bool {
		let spans = self.spans();
		let Some((last, before)) = spans.split_last() else { return false };
		let in_order = spans.is_sorted_by(|a, b| a.since_ms < b.since_ms);
		let announced = spans.iter().filter(|span| span.since_ms > now).count();
		let goes_on = before.iter().all(|span| span.standing != Standing::Retired);
		let valid = spans.iter().all(|span| match span.standing {
			Standing::Counted(terms) | Standing::Stopped(terms) => terms.is_valid(),
			Standing::Retired => true,
		});
		let is_full = u32::try_from(spans.len()).is_ok_and(|length| length >= MAX_SPANS);
		let has_room = !is_full || last.standing == Standing::Retired;
		in_order && announced <= 1 && goes_on && valid && has_room
	}
}
