//! # Attestations pallet
//!
//! Daily statements about the reserve, each signed by two of three roles, accepted once, kept for
//! a while and provable for ever.
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for the interfaces of this pallet: its configuration trait,
//! dispatchables, storage items, events and errors. [`runtime_api`] has the same queries as the
//! view functions, for clients that speak runtime APIs.
//!
//! ## Terminology
//!
//! * **Statement**: [`AttestationFields`], named by the hash of their SCALE encoding.
//! * **Attestation**: a statement that was accepted, with the digest of its file and its signers.
//! * **Role**: `data`, `risk` or `ops`. Each has at most one pinned Ed25519 key at a time, and a
//!   key belongs to one role, once: a retired key never comes back.
//! * **Kind**: what a statement is about. One attestation stands per day and kind.
//! * **Revision**: a statement that corrects another and names it by hash.
//! * **Archive**: a hash chain over all attestations that left the state.
//!
//! ## Overview
//!
//! Anyone may [`Pallet::submit`] a statement, without an account and without a fee: what counts
//! is who signed it, never who sent it. The signed message is built from the fields that will be
//! stored, from this chain's genesis hash and from the role, so a signature is good for these
//! figures, this chain and this role only.
//!
//! The pallet knows nothing of what a statement means. It hands it to [`Config::Handler`], whose
//! refusal undoes the submission as a whole: **a statement that its handler refuses was never
//! made**. That fails closed, since whatever lives on statements goes on without a new one and
//! ends as stale. Its signers can state the day again with other figures.
//!
//! ### Two ways to send
//!
//! * As a general transaction without a signer: `AuthorizeCall` checks the statement before the
//!   pool takes the transaction, see [`Pallet::submit`] for the order of checks.
//! * As a signed transaction: valid ones are free where the runtime wraps its fee extension in
//!   `SkipCheckIfFeeless`, invalid ones pay for the work they make.
//!
//! Both are checked again when dispatched. A refused transaction carries the reason as
//! `InvalidTransaction::Custom`: below 128 the index of this pallet's [`Error`], from 128 on that
//! of the handler's.
//!
//! ### Bounds
//!
//! No row can be made by a user: rows need two roles' signatures or governance, so none carries a
//! deposit. At most [`Config::MaxHistory`] days a kind are kept, at most
//! [`Config::MaxKeyHistory`] retired keys a role; a day can be revised at most
//! [`Config::MaxRevisions`] times and for at most [`Config::MaxAge`] days.
//!
//! ### Example
//!
//! ```ignore
//! let fields = AttestationFields::example(Day::parse("2026-01-15")?);
//! let message = message_v2(fields.day, &digest, &fields.hash(), &genesis, Role::Data);
//! // … two roles sign their message …
//! Attestations::submit(origin, Box::new(fields), digest, signatures)?;
//! ```

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
// The pallet macros hand call arguments over by reference, boxed ones included.
#![allow(clippy::borrowed_box)]
#![cfg_attr(
	not(any(test, feature = "runtime-benchmarks")),
	deny(
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::panic,
		clippy::indexing_slicing,
		clippy::arithmetic_side_effects,
		clippy::as_conversions,
		clippy::float_arithmetic
	)
)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod impls;
#[cfg(test)]
mod mock;
pub mod runtime_api;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

pub use gridproof_primitives::reserve::attestation::AttestationFields;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// `expect` and `as` here are what the pallet macros write; the rules themselves are elsewhere.
#[allow(clippy::as_conversions, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
	use frame_support::{
		dispatch::{DispatchResultWithPostInfo, PostDispatchInfo},
		pallet_prelude::*,
		traits::Time,
	};
	use frame_system::pallet_prelude::*;
	use gridproof_primitives::{
		H256,
		crypto::ed25519::{self, PublicKey},
		reserve::archive::ArchiveProof,
		reserve::attestation::{AttestationHandler, Kind, Role},
		time::calendar::Calendar,
		time::day::Day,
	};

	/// The configuration of the pallet.
	#[pallet::config]
	pub trait Config: frame_system::Config<Hash = H256> {
		/// Where the time comes from, in UTC milliseconds: the timestamp pallet.
		type Time: Time<Moment = u64>;

		/// What is done with an accepted statement.
		type Handler: AttestationHandler;

		/// Who may rotate keys, open and close kinds, and resume.
		type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Who may pause in an emergency.
		type PauseOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Most days of a kind that are kept; older ones go to the archive. More than
		/// [`Config::MaxAge`].
		#[pallet::constant]
		type MaxHistory: Get<u32>;

		/// For how many days after it has ended a day can be stated or revised.
		#[pallet::constant]
		type MaxAge: Get<u32>;

		/// How often the statement of a day can be revised.
		#[pallet::constant]
		type MaxRevisions: Get<u32>;

		/// Most retired keys that are remembered for a role; the oldest is forgotten first.
		#[pallet::constant]
		type MaxKeyHistory: Get<u32>;

		/// For how many blocks a free submission may wait in the pool.
		#[pallet::constant]
		type SubmissionLongevity: Get<TransactionLongevity>;

		/// Priority of a free submission in the pool.
		#[pallet::constant]
		type SubmissionPriority: Get<TransactionPriority>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// Are submissions stopped?
	#[pallet::storage]
	pub type Paused<T: Config> = StorageValue<_, bool, ValueQuery>;

	/// How time becomes days. Set at genesis and never changed.
	#[pallet::storage]
	pub type CalendarInUse<T: Config> = StorageValue<_, Calendar, ValueQuery>;

	/// The keys that the roles sign with now.
	#[pallet::storage]
	pub type Keys<T: Config> = StorageValue<_, KeySet<BlockNumberFor<T>>, ValueQuery>;

	/// The keys that a role signed with before, oldest first.
	#[pallet::storage]
	pub type RetiredKeys<T: Config> = StorageMap<
		_,
		Twox64Concat,
		Role,
		BoundedVec<RetiredKey<BlockNumberFor<T>>, T::MaxKeyHistory>,
		ValueQuery,
	>;

	/// The kinds of which statements are accepted.
	#[pallet::storage]
	pub type OpenKinds<T: Config> = StorageMap<_, Twox64Concat, Kind, (), OptionQuery>;

	/// The attestation that stands for a kind and day.
	#[pallet::storage]
	pub type Standing<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		Kind,
		Twox64Concat,
		Day,
		Attestation<BlockNumberFor<T>>,
		OptionQuery,
	>;

	/// The days of a kind that [`Standing`] has rows for, earliest first.
	#[pallet::storage]
	pub type Days<T: Config> =
		StorageMap<_, Twox64Concat, Kind, BoundedVec<Day, T::MaxHistory>, ValueQuery>;

	/// What has left the state.
	#[pallet::storage]
	pub type Archives<T: Config> = StorageMap<_, Twox64Concat, Kind, Archive, ValueQuery>;

	/// Keys, kinds and calendar of a new chain.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// The key of each role, 32 bytes of hex.
		pub keys: BTreeMap<Role, H256>,
		/// The kinds that are open from the start.
		pub kinds: Vec<Kind>,
		/// How time becomes days; days of UTC by default. With any other calendar and
		/// `startsAt` 0 the first day begins with the chain's first block.
		pub calendar: Calendar,
		#[doc(hidden)]
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			assert!(self.calendar.is_valid(), "a day of the calendar must last a second at least");
			CalendarInUse::<T>::put(self.calendar);
			let mut keys = KeySet::default();
			for (role, key) in &self.keys {
				assert!(ed25519::check_key(&key.0).is_ok(), "the key of {role} is weak");
				assert!(!keys.contains(&key.0), "the key of {role} has another role already");
				*keys.of_mut(*role) = Some(PinnedKey { key: key.0, since: Timepoint::default() });
			}
			Keys::<T>::put(keys);
			for kind in &self.kinds {
				OpenKinds::<T>::insert(kind, ());
			}
		}
	}

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A statement was accepted.
		Accepted {
			/// Its kind.
			kind: Kind,
			/// The day it is about.
			day: Day,
			/// 0, or the number of the correction.
			revision: u32,
			/// Hash of its fields.
			statement: H256,
			/// SHA-256 of the canonical file.
			digest: H256,
			/// The roles that signed it, with their keys.
			signers: Signers,
		},
		/// An attestation left the state: replaced by a revision, or pruned for its age.
		Archived {
			/// Its kind.
			kind: Kind,
			/// The day it is about.
			day: Day,
			/// Hash of its fields.
			statement: H256,
			/// Its place in the archive.
			index: u64,
			/// Its entry in the archive.
			entry: H256,
			/// The archive's head after it.
			head: H256,
		},
		/// A role has another key.
		KeyRotated {
			/// The role.
			role: Role,
			/// The key it had.
			old: Option<PublicKey>,
			/// The key it has now; `None` if it cannot sign any more.
			new: Option<PublicKey>,
		},
		/// A kind was opened or closed.
		KindChanged {
			/// The kind.
			kind: Kind,
			/// Are its statements accepted now?
			open: bool,
		},
		/// Submissions were stopped.
		Paused,
		/// Submissions are accepted again.
		Resumed,
	}

	/// Why a call is refused. The index of a variant is the code that a refused transaction
	/// carries: variants are only ever added at the end.
	#[pallet::error]
	pub enum Error<T> {
		/// Submissions are stopped; wait until governance resumes them.
		Paused,
		/// Fewer than two roles signed; collect another role's signature.
		TooFewSignatures,
		/// The signatures are not sorted by role with each role at most once.
		UnsortedSigners,
		/// No statements of this kind are accepted.
		KindClosed,
		/// The figures contradict themselves: more zones complete than asked for, more energy
		/// committed than α allows, a revision that replaces nothing.
		Inconsistent,
		/// The day has not ended yet.
		FutureDay,
		/// The day is too long ago to be stated or revised.
		AncientDay,
		/// The day has an attestation of this kind; to correct it, name it in a revision.
		AlreadyAttested,
		/// The revision does not name the attestation that stands, or there is none.
		WrongReplacement,
		/// The day was revised as often as it may be.
		TooManyRevisions,
		/// A role that signed has no key.
		NoKey,
		/// A signature is not the role's signature of these figures for this chain.
		BadSignature,
		/// The key is of small order or not canonically encoded.
		WeakKey,
		/// The key is, or was, pinned already.
		KeyInUse,
		/// The role has no key to remove.
		NothingToRemove,
		/// The kind is open or closed already, or the pallet paused or not.
		Unchanged,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(now: BlockNumberFor<T>) -> Weight {
			// The first block's time is known from the second on; see `GenesisConfig::calendar`.
			if now != 2u32.into() {
				return Weight::zero();
			}
			CalendarInUse::<T>::mutate(|calendar| {
				if !calendar.has_begun() {
					calendar.starts_at = T::Time::now();
				}
			});
			T::DbWeight::get().reads_writes(2, 1)
		}

		fn integrity_test() {
			assert!(
				T::MaxHistory::get() > T::MaxAge::get().saturating_add(1),
				"MaxHistory must hold every day that can still be revised"
			);
			assert!(T::MaxKeyHistory::get() > 0, "MaxKeyHistory must not be zero");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// States the figures of a day.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (a general transaction without a signer) or `Signed`. Both are
		/// free if the statement is accepted, see the crate's documentation.
		///
		/// ## Details
		///
		/// Checks, cheapest first: paused; number and order of signatures; kind; figures against
		/// each other; day; the attestation that stands; [`AttestationHandler::check`]; keys; and
		/// last the signatures, one by one up to the first bad one. All signatures given must be
		/// good. The statement is then stored, the one it revises goes to the archive, and so does
		/// the oldest day if the history is full. The handler takes it last; its error undoes all.
		///
		/// In the pool, statements that revise the same attestation exclude each other.
		///
		/// ## Parameters
		///
		/// - `fields`: the figures.
		/// - `digest`: SHA-256 of the canonical JSON of the file that was signed.
		/// - `signatures`: of two or three roles, in the order data, risk, ops.
		///
		/// ## Errors
		///
		/// - [`Error::Paused`], [`Error::TooFewSignatures`], [`Error::UnsortedSigners`],
		///   [`Error::KindClosed`], [`Error::Inconsistent`], [`Error::FutureDay`],
		///   [`Error::AncientDay`], [`Error::AlreadyAttested`], [`Error::WrongReplacement`],
		///   [`Error::TooManyRevisions`], [`Error::NoKey`], [`Error::BadSignature`]
		/// - what [`Config::Handler`] returns
		///
		/// ## Events
		///
		/// - [`Event::Archived`] for each attestation that leaves the state
		/// - [`Event::Accepted`]
		#[pallet::call_index(0)]
		#[pallet::weight(Pallet::<T>::weight_of_submit(signatures, true))]
		#[pallet::authorize(Pallet::<T>::authorize_submit)]
		#[pallet::weight_of_authorize(Pallet::<T>::weight_of_check(signatures))]
		#[pallet::feeless_if(|
			_: &OriginFor<T>,
			fields: &Box<AttestationFields>,
			digest: &H256,
			signatures: &Signatures,
		| -> bool { Pallet::<T>::check(fields, digest, signatures).is_ok() })]
		pub fn submit(
			origin: OriginFor<T>,
			fields: Box<AttestationFields>,
			digest: H256,
			signatures: Signatures,
		) -> DispatchResultWithPostInfo {
			// Who sends does not matter, and whether the fee extension checked first only for the
			// weight: `AuthorizeCall` accounts for its own check.
			let signed = ensure_authorized(origin.clone()).is_err();
			if signed {
				ensure_signed(origin)?;
			}
			let checked = Self::check(&fields, &digest, &signatures)?;
			Self::accept(*fields, digest, checked)?;
			let actual_weight = Some(Self::weight_of_submit(&signatures, signed));
			Ok(PostDispatchInfo { actual_weight, pays_fee: Pays::Yes })
		}

		/// Gives a role another key, or none.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// The new key counts from this block on, the old one no more: what it signed and was not
		/// accepted must be signed again. A role without a key cannot sign; with two such roles
		/// nothing is accepted.
		///
		/// ## Errors
		///
		/// - [`Error::WeakKey`], [`Error::KeyInUse`], [`Error::NothingToRemove`]
		///
		/// ## Events
		///
		/// - [`Event::KeyRotated`]
		#[pallet::call_index(1)]
		pub fn rotate_key(
			origin: OriginFor<T>,
			role: Role,
			key: Option<PublicKey>,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_rotate_key(role, key)
		}

		/// Stops submissions.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::PauseOrigin`] or [`Config::GovernanceOrigin`].
		///
		/// ## Errors
		///
		/// - [`Error::Unchanged`]
		///
		/// ## Events
		///
		/// - [`Event::Paused`]
		#[pallet::call_index(2)]
		pub fn pause(origin: OriginFor<T>) -> DispatchResult {
			if let Err(origin) = T::PauseOrigin::try_origin(origin) {
				T::GovernanceOrigin::ensure_origin(origin)?;
			}
			ensure!(!Paused::<T>::get(), Error::<T>::Unchanged);
			Paused::<T>::put(true);
			Self::deposit_event(Event::Paused);
			Ok(())
		}

		/// Accepts submissions again.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`]: whoever can stop in an emergency cannot end it alone.
		///
		/// ## Errors
		///
		/// - [`Error::Unchanged`]
		///
		/// ## Events
		///
		/// - [`Event::Resumed`]
		#[pallet::call_index(3)]
		pub fn resume(origin: OriginFor<T>) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			ensure!(Paused::<T>::get(), Error::<T>::Unchanged);
			Paused::<T>::kill();
			Self::deposit_event(Event::Resumed);
			Ok(())
		}

		/// Opens or closes a kind. What was accepted stays.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Errors
		///
		/// - [`Error::Unchanged`]
		///
		/// ## Events
		///
		/// - [`Event::KindChanged`]
		#[pallet::call_index(4)]
		pub fn set_kind_open(origin: OriginFor<T>, kind: Kind, open: bool) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			ensure!(OpenKinds::<T>::contains_key(kind) != open, Error::<T>::Unchanged);
			if open {
				OpenKinds::<T>::insert(kind, ());
			} else {
				OpenKinds::<T>::remove(kind);
			}
			Self::deposit_event(Event::KindChanged { kind, open });
			Ok(())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The attestation that stands for a kind and day.
		pub fn attestation(kind: Kind, day: Day) -> Option<Attestation<BlockNumberFor<T>>> {
			Standing::<T>::get(kind, day)
		}

		/// The days of a kind that are in the state, earliest first.
		pub fn days(kind: Kind) -> Vec<Day> {
			Days::<T>::get(kind).into_inner()
		}

		/// Head and length of a kind's archive.
		pub fn archive(kind: Kind) -> Archive {
			Archives::<T>::get(kind)
		}

		/// Did this attestation stand once? True only if the proof leads from it to the head of
		/// its kind's archive.
		pub fn verify_archived(
			attestation: Attestation<BlockNumberFor<T>>,
			proof: ArchiveProof,
		) -> bool {
			Self::is_archived(&attestation, &proof)
		}

		/// The key that a role had at a time in UTC milliseconds, as far as it is remembered.
		pub fn key_at(role: Role, time: u64) -> Option<PublicKey> {
			Self::find_key_at(role, time)
		}

		/// Would [`Pallet::submit`] take this statement now? Returns its hash, or why not.
		pub fn preview(
			fields: AttestationFields,
			digest: H256,
			signatures: Signatures,
		) -> Result<H256, DispatchError> {
			Self::check(&fields, &digest, &signatures).map(|checked| checked.statement)
		}
	}
}
