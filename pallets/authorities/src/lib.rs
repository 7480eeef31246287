//! # Authorities
//!
//! The authorities of genesis keep their seats, with two exceptions that the session pallet does
//! not know:
//!
//! - **Who is banned stays out.** The session pallet pardons everybody as soon as any key changes.
//!   Here a ban outlives every change of keys: the banned authority is disabled at once, again at
//!   the start of each session, and left out of the next set that can still be planned, until
//!   governance lets it in. The last authority stays, since a chain without one is lost.
//! - **A change of keys is a new set**, although its members are the same. So the root by which an
//!   offence is proven in later sessions follows the keys that were in use.
//!
//! What the SDK leaves out is here as well:
//!
//! - **Two blocks for one slot** are an offence like two votes: [`Pallet::report_two_blocks`] takes
//!   both headers and the proof of whose key signed them. It is free, once for each authority that
//!   is not banned yet.
//! - **Keys that change within a session** protect nobody: [`KeyOwners`] proves by the keys that
//!   are in use, where the SDK looks at those that are set for later.
//!
//! The set is otherwise kept as it is: GRANDPA's set changes with members and keys only, and a
//! proof for a warp sync does not grow with each session.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
#![cfg_attr(
	not(any(test, feature = "runtime-benchmarks", feature = "try-runtime")),
	deny(
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::arithmetic_side_effects
	)
)]

extern crate alloc;

mod owners;
mod report;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;

pub use owners::KeyOwners;
pub use pallet::*;
pub use pallet_authorities_api::{self as runtime_api, TwoBlocks};
pub use report::{MAX_REPORT_BYTES, TwoBlocksOf, TwoBlocksOffence};

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, traits::Get, weights::Weight};
use scale_info::TypeInfo;
use sp_consensus_aura::Slot;
use sp_runtime::{Perbill, RuntimeAppPublic, traits::OpaqueKeys};
use sp_staking::{SessionIndex, offence::OffenceSeverity};

/// What is known of an authority that is not simply one.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
	/// It committed an offence, and is out.
	#[codec(index = 0)]
	Banned,
	/// Governance lets it in: it is of the next set that is planned, once it has keys.
	#[codec(index = 1)]
	Returning,
}

/// Where the slots of a session begin, and who has them.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlotRange {
	/// Slot of the block that began the session. It belongs to the session before; the later ones
	/// belong to this.
	pub after: Slot,
	/// Session with whose row in [`Seats`] the list of seats began that this session has.
	pub seats_of: SessionIndex,
}

// The pallet macros generate `expect` and items of their own here; the rules are elsewhere.
#[allow(clippy::expect_used, missing_docs)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::boxed::Box;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use pallet_session::historical::IdentificationTuple;
	use sp_session::MembershipProof;
	use sp_staking::offence::ReportOffence;

	#[pallet::config]
	pub trait Config:
		frame_system::Config<RuntimeEvent: From<Event<Self>>>
		+ pallet_session::Config<ValidatorId = <Self as frame_system::Config>::AccountId>
		+ pallet_session::historical::Config
		+ pallet_aura::Config
	{
		/// Lets the banned in again.
		type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Keeps the offences that were reported, and has their authors banned.
		type Offences: ReportOffence<
				<Self as frame_system::Config>::AccountId,
				IdentificationTuple<Self>,
				TwoBlocksOffence<IdentificationTuple<Self>>,
			>;

		/// Priority of a report in the pool.
		type ReportPriority: Get<TransactionPriority>;

		/// Time that a report waits in the pool, in blocks.
		type ReportLongevity: Get<TransactionLongevity>;
	}

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// Authorities that are banned or on their way back. At most one row for each authority that
	/// there was.
	#[pallet::storage]
	pub type Standings<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, Standing, OptionQuery>;

	/// Slot in which governance let an authority in again: what it did up to then is settled. At
	/// most one row for each authority that was banned.
	#[pallet::storage]
	pub type LetInAt<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Slot, OptionQuery>;

	/// Keys that are in use in this session, by account in the order of the set. The session pallet
	/// keeps those of the next session and those that are set for later. As many as GRANDPA has
	/// members at most.
	#[pallet::storage]
	#[pallet::unbounded]
	pub type KeysInUse<T: Config> =
		StorageValue<_, Vec<(T::AccountId, <T as pallet_session::Config>::Keys)>, ValueQuery>;

	/// Slots of each session whose offences can be reported.
	#[pallet::storage]
	pub type Slots<T: Config> = StorageMap<_, Twox64Concat, SessionIndex, SlotRange, OptionQuery>;

	/// Keys that produce blocks by turns: the author of a slot is `seats[slot % length]`. A row for
	/// each session with which the list changed.
	#[pallet::storage]
	pub type Seats<T: Config> = StorageMap<
		_,
		Twox64Concat,
		SessionIndex,
		BoundedVec<T::AuthorityId, <T as pallet_aura::Config>::MaxAuthorities>,
		OptionQuery,
	>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An authority committed an offence and is out until governance lets it in.
		Banned {
			/// Account of the authority.
			who: T::AccountId,
		},
		/// Governance lets an authority in again.
		LetIn {
			/// Account of the authority.
			who: T::AccountId,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The account is not that of a banned authority.
		NotBanned,
		/// The report is longer than any honest one: see [`MAX_REPORT_BYTES`].
		ReportTooLong,
		/// The headers are not two different ones of one slot.
		NotTwoBlocks,
		/// The chain does not know the session that the proof names (any more), or the slot is not
		/// one of that session.
		NotOfThisSession,
		/// The key had not the seat to which the slot belongs.
		NotItsSlot,
		/// A header is not signed by the key.
		NotSealed,
		/// The proof does not show that the key belonged to an authority.
		InvalidKeyOwnershipProof,
		/// This offence has been reported.
		AlreadyReported,
		/// The authority is banned already, or was let in again after that slot.
		Settled,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Lets a banned authority in again. It takes part from the second session on, with the
		/// keys that it has set by then.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `who`: the account of the authority.
		///
		/// ## Errors
		///
		/// - [`Error::NotBanned`] if it is not banned.
		///
		/// ## Events
		///
		/// - [`Event::LetIn`] once its ban is lifted
		#[pallet::call_index(0)]
		// Derived by hand: two rows are read and written.
		#[pallet::weight(Weight::from_parts(25_000_000, 0)
			.saturating_add(<T as frame_system::Config>::DbWeight::get().reads_writes(2, 2)))]
		pub fn let_in(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			ensure!(Self::is_banned(&who), Error::<T>::NotBanned);
			Standings::<T>::insert(&who, Standing::Returning);
			LetInAt::<T>::insert(&who, pallet_aura::CurrentSlot::<T>::get());
			Self::deposit_event(Event::LetIn { who });
			Ok(())
		}

		/// Reports an authority that signed two blocks for one slot: it is out until governance
		/// lets it in.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (free) or `Signed`.
		///
		/// ## Details
		///
		/// Nodes send it automatically when they import the second block. Two seals of the same
		/// content are not an offence.
		///
		/// ## Parameters
		///
		/// - `blocks`: the author's key and both headers, with their seals.
		/// - `owner`: proof, of the session to which the slot belongs, that the key is an
		///   authority's.
		///
		/// ## Errors
		///
		/// - [`Error::ReportTooLong`] if the report is longer than [`MAX_REPORT_BYTES`].
		/// - [`Error::NotTwoBlocks`] if slots differ, or the headers do not.
		/// - [`Error::NotOfThisSession`] if the slot is not of the session of the proof, or that
		///   session is too long ago.
		/// - [`Error::NotItsSlot`] if another key had the slot.
		/// - [`Error::NotSealed`] if the key signed only one of them, or none.
		/// - [`Error::InvalidKeyOwnershipProof`] if the proof proves nothing.
		/// - [`Error::AlreadyReported`] if the chain knows it.
		/// - [`Error::Settled`] if the authority is banned, or was let in after the slot.
		///
		/// ## Events
		///
		/// - [`Event::Banned`] with the account of the authority
		#[pallet::call_index(1)]
		#[pallet::weight(Pallet::<T>::weight_of_report())]
		#[pallet::authorize(Pallet::<T>::authorize_report)]
		#[pallet::weight_of_authorize(Pallet::<T>::weight_of_check())]
		pub fn report_two_blocks(
			origin: OriginFor<T>,
			blocks: Box<TwoBlocksOf<T>>,
			owner: MembershipProof,
		) -> DispatchResult {
			let reporter = match frame_system::ensure_authorized(origin.clone()) {
				Ok(()) => None,
				Err(_) => Some(ensure_signed(origin)?),
			};
			Self::do_report(&blocks, owner, reporter)
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Returns `true` if the account is that of a banned authority.
	pub fn is_banned(who: &T::AccountId) -> bool {
		Standings::<T>::get(who) == Some(Standing::Banned)
	}

	/// Bans an authority: from this block on as far as it can be disabled, from the next set that
	/// is planned as a member. Returns the weight.
	pub fn ban(who: T::AccountId, severity: OffenceSeverity) -> Weight {
		pallet_session::Pallet::<T>::report_offence(who.clone(), severity);
		if !Self::is_banned(&who) {
			Standings::<T>::insert(&who, Standing::Banned);
			Self::deposit_event(Event::Banned { who });
		}
		<T as frame_system::Config>::DbWeight::get().reads_writes(3, 2)
	}

	/// Notes keys and seats of the session that starts, and disables its banned members: a change
	/// of keys has pardoned them.
	pub fn start_session(index: SessionIndex) {
		// The session pallet still holds the keys of this session as those that were queued.
		let in_use = pallet_session::QueuedKeys::<T>::get();
		Self::note_seats(index, &in_use);
		if KeysInUse::<T>::get() != in_use {
			KeysInUse::<T>::put(in_use);
		}
		for who in pallet_session::Validators::<T>::get() {
			if Self::is_banned(&who) {
				pallet_session::Pallet::<T>::report_offence(who, OffenceSeverity(Perbill::one()));
			}
		}
	}

	/// Notes where the slots of a session begin and whose they are.
	fn note_seats(
		index: SessionIndex,
		in_use: &[(T::AccountId, <T as pallet_session::Config>::Keys)],
	) {
		let keys: Vec<T::AuthorityId> =
			in_use.iter().filter_map(|(_, keys)| keys.get(T::AuthorityId::ID)).collect();
		let seats = BoundedVec::truncate_from(keys);
		let before = index.checked_sub(1).and_then(Slots::<T>::get);
		let seats_of = match before {
			Some(before) if Seats::<T>::get(before.seats_of).as_ref() == Some(&seats) => {
				before.seats_of
			},
			_ => {
				Seats::<T>::insert(index, seats);
				index
			},
		};
		let after = pallet_aura::CurrentSlot::<T>::get();
		Slots::<T>::insert(index, SlotRange { after, seats_of });
	}

	/// Forgets the session before this one, whose offences can no longer be reported.
	pub fn forget_before(first: SessionIndex) {
		let Some(gone) = first.checked_sub(1).and_then(Slots::<T>::take) else { return };
		if Slots::<T>::get(first).is_none_or(|kept| kept.seats_of != gone.seats_of) {
			Seats::<T>::remove(gone.seats_of);
		}
	}

	/// Plans the set after the session that starts: `None` if neither members nor keys change.
	pub fn plan() -> Option<Vec<T::AccountId>> {
		let present = pallet_session::Validators::<T>::get();
		let mut next: Vec<_> =
			present.iter().filter(|who| !Self::is_banned(who)).cloned().collect();
		let returning: Vec<_> = Standings::<T>::iter()
			.filter(|(_, standing)| *standing == Standing::Returning)
			.map(|(who, _)| who)
			.collect();
		for who in returning {
			if pallet_session::NextKeys::<T>::contains_key(&who) {
				Standings::<T>::remove(&who);
				if !next.contains(&who) {
					next.push(who);
				}
			}
		}
		if next.is_empty() {
			next.clone_from(&present);
		}
		let keys_changed = pallet_session::QueuedKeys::<T>::get().into_iter().any(|(who, keys)| {
			pallet_session::NextKeys::<T>::get(&who).is_none_or(|next| next != keys)
		});
		(keys_changed || next != present).then_some(next)
	}
}
