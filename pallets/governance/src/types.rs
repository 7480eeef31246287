//! What is remembered of a stop, and the origins that other pallets ask for.

use crate::Origin;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	traits::{EnsureOrigin, OriginTrait},
	weights::Weight,
};
use scale_info::TypeInfo;
use sp_runtime::DispatchResult;

/// Stop that the committee raised.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Raised<Stop, BlockNumber> {
	/// What is stopped.
	pub stop: Stop,
	/// Block in which it ends; `None` if it has ended, ends by rules of its own, or stands until
	/// governance ends it.
	pub ends: Option<BlockNumber>,
	/// First block in which the committee can raise it again.
	pub again: BlockNumber,
}

/// Something that a call stops.
pub trait Stoppable<Call>: Sized {
	/// Returns what a call would stop as things are now; `None` if it is not a call that stops.
	fn of(call: &Call) -> Option<Self>;

	/// Returns `true` if both are the same stop, which the committee cannot raise twice in a row.
	fn is_same(&self, other: &Self) -> bool;

	/// Returns `true` if both stop the same thing, if not to the same extent.
	fn is_of_same_thing(&self, other: &Self) -> bool {
		self.is_same(other)
	}

	/// Returns, if `other` stops less of the same thing, this stop with what was before `other`.
	fn stricter_than(&self, other: &Self) -> Option<Self>;

	/// Returns `true` if it ends by rules of its own.
	fn ends_by_itself(&self) -> bool;

	/// Returns `true` as long as it is in force.
	fn holds(&self) -> bool;

	/// Ends it, as governance would.
	///
	/// # Errors
	/// If it cannot be ended, or must not be before governance looked into it.
	fn end(self) -> DispatchResult;

	/// Returns the highest weight of [`Self::end`].
	fn weight_to_end() -> Weight;
}

/// Defines an [`EnsureOrigin`] for one origin of this pallet.
macro_rules! ensure_origin {
	($(#[$doc:meta])* $name:ident, $origin:ident) => {
		$(#[$doc])*
		pub struct $name;

		impl<O: OriginTrait + From<Origin>> EnsureOrigin<O> for $name
		where
			for<'a> &'a O::PalletsOrigin: TryInto<&'a Origin>,
		{
			type Success = ();

			fn try_origin(origin: O) -> Result<(), O> {
				let caller: Option<&Origin> = origin.caller().try_into().ok();
				if matches!(caller, Some(Origin::$origin)) { Ok(()) } else { Err(origin) }
			}

			#[cfg(feature = "runtime-benchmarks")]
			fn try_successful_origin() -> Result<O, ()> {
				Ok(Origin::$origin.into())
			}
		}
	};
}

ensure_origin! {
	/// Origin of what a referendum of the standard track decided.
	EnsureStandard, Standard
}

ensure_origin! {
	/// Origin of what the committee stops, once it is written down.
	EnsureCommittee, Committee
}
