//! # Attestations pallet
//!
//! Daily statements about the reserve. Each is signed by at least two of three roles and accepted
//! once; it is kept in the state for a limited time and can be proven for ever.
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for the interfaces of this pallet: its configuration trait,
//! dispatchables, storage items, events and errors. [`runtime_api`] has the same queries as the
//! view functions, for clients that speak runtime APIs.
//!
//! ## Terminology
//!
//! * **Statement**: the signed figures of one day ([`AttestationFields`]), identified by the hash
//!   of their SCALE encoding.
//! * **Attestation**: a statement that was accepted, with the digest of its file and its signers.
//! * **Role**: `data`, `risk` or `ops`. Each has at most one pinned Ed25519 key at a time. A key
//!   serves one role and is pinned once: a retired key never comes back.
//! * **Kind**: what a statement is about. At most one attestation per kind and day is in force.
//! * **Revision**: a statement that corrects an accepted one, which it names by hash.
//! * **Archive**: a hash chain over all attestations that have left the state.
//!
//! ## Overview
//!
//! Anyone may [`Pallet::submit`] a statement, without an account and without a fee: who signed it
//! matters, who sends it does not. The signed message is built from the fields that will be stored,
//! from this chain's genesis hash and from the role, so a signature is valid for these figures,
//! this chain and this role only.
//!
//! The pallet does not interpret statements. It passes each one to [`Config::Handler`], whose
//! refusal undoes the whole submission: **a statement that its handler refuses was never
//! accepted**. That fails closed: what depends on statements keeps working with the last one until
//! that is stale. The signers can state the day again with other figures.
//!
//! ### Two ways to submit
//!
//! * As a general transaction without a signer: `AuthorizeCall` checks the statement before the
//!   transaction enters the pool; [`Pallet::submit`] lists the checks in order.
//! * As a signed transaction: without a tip a valid one is free, where the runtime's fee extension
//!   asks for the same authorisation, and an invalid one is refused; with a tip it pays.
//!
//! Both are checked again when dispatched. A refused transaction carries its reason as
//! `InvalidTransaction::Custom`: the index of this pallet's [`Error`], or 128 plus the index of the
//! handler's error.
//!
//! ### One role stops
//!
//! Two roles state, one role stops: any role stops minting with one signature
//! ([`Pallet::stop_mint`]), free and without an account. A stop has a number, so a signature is good
//! once. It stands for two days, whatever the others sign. Then it falls if the two other roles
//! signed its lifting ([`Pallet::lift_stop`]); otherwise governance ends it ([`Pallet::end_stop`]).
//! Within the two days [`Config::PauseOrigin`] may prolong it to 14. A role whose stop has ended can
//! stop once more within 30 days, and only governance ends that one. The rules are in
//! [`gridproof_primitives::reserve::stop`]; the coverage policy asks
//! [`MintStops`](gridproof_primitives::reserve::stop::MintStops). Days are those of the calendar.
//! A stop works while submissions are paused.
//!
//! ### Bounds
//!
//! Users cannot create rows: each row needs the signatures of two roles or governance, so none
//! carries a deposit. At most [`Config::MaxHistory`] days of a kind and [`Config::MaxKeyHistory`]
//! retired keys of a role are kept with their times; that a key was used is remembered for ever, one
//! row for each rotation by governance. A day can be revised at most [`Config::MaxRevisions`] times,
//! and for at most [`Config::MaxAge`] days after its end. A role stops minting for free at most
//! twice within 30 days of the end of a stop, and each stop is lifted at most once.
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
// The pallet macros pass call arguments by reference, boxed ones included.
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
pub mod migrations;
#[cfg(test)]
mod mock;
pub mod runtime_api;
mod stops;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

pub use gridproof_primitives::reserve::attestation::AttestationFields;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// The pallet macros generate `expect` and `as` here; the rules themselves are elsewhere.
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
		crypto::ed25519::{self, PublicKey, Signature},
		reserve::archive::ArchiveProof,
		reserve::attestation::{AttestationHandler, Kind, Role},
		reserve::stop::RoleStops,
		time::calendar::Calendar,
		time::day::Day,
	};

	/// Types, limits and origins that the runtime sets.
	#[pallet::config]
	pub trait Config: frame_system::Config<Hash = H256> {
		/// Source of the time in UTC milliseconds: the timestamp pallet.
		type Time: Time<Moment = u64>;

		/// Receives every accepted statement, and may refuse it.
		type Handler: AttestationHandler;

		/// Origin that may rotate keys, open and close kinds, resume, and end a role's stop.
		type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Origin that may pause in an emergency, and prolong a role's stop.
		type PauseOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Highest number of days of a kind that are kept; older ones go to the archive. Greater
		/// than [`Config::MaxAge`] + 1.
		#[pallet::constant]
		type MaxHistory: Get<u32>;

		/// Number of days after a day's end during which it can be stated or revised.
		#[pallet::constant]
		type MaxAge: Get<u32>;

		/// Highest number of revisions of one day's statement.
		#[pallet::constant]
		type MaxRevisions: Get<u32>;

		/// Highest number of retired keys of a role whose times are remembered, at least 1; those of
		/// the oldest are forgotten first. That a key was used is never forgotten.
		#[pallet::constant]
		type MaxKeyHistory: Get<u32>;

		/// Number of blocks that a free submission may wait in the pool.
		#[pallet::constant]
		type SubmissionLongevity: Get<TransactionLongevity>;

		/// Priority of a free submission in the pool.
		#[pallet::constant]
		type SubmissionPriority: Get<TransactionPriority>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

	/// The attestations pallet: statements signed by two of three roles, kept and archived.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// `true` while submissions are stopped.
	#[pallet::storage]
	pub type Paused<T: Config> = StorageValue<_, bool, ValueQuery>;

	/// Calendar that turns time into days. Set at genesis; only `starts_at` is filled in later, by
	/// the second block, if genesis left it 0.
	#[pallet::storage]
	pub type CalendarInUse<T: Config> = StorageValue<_, Calendar, ValueQuery>;

	/// Keys that the roles sign with now.
	#[pallet::storage]
	pub type Keys<T: Config> = StorageValue<_, KeySet<BlockNumberFor<T>>, ValueQuery>;

	/// Keys that a role signed with before, oldest first.
	#[pallet::storage]
	pub type RetiredKeys<T: Config> = StorageMap<
		_,
		Twox64Concat,
		Role,
		BoundedVec<RetiredKey<BlockNumberFor<T>>, T::MaxKeyHistory>,
		ValueQuery,
	>;

	/// Every key that a role signed with before, of whatever role. Rows stay for ever; only
	/// governance adds one, with each rotation.
	#[pallet::storage]
	pub type PastKeys<T: Config> = StorageMap<_, Blake2_128Concat, PublicKey, (), OptionQuery>;

	/// Kinds whose statements are accepted.
	#[pallet::storage]
	pub type OpenKinds<T: Config> = StorageMap<_, Twox64Concat, Kind, (), OptionQuery>;

	/// The attestation in force for a kind and day.
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

	/// Days of a kind that have a row in [`Standing`], earliest first.
	#[pallet::storage]
	pub type Days<T: Config> =
		StorageMap<_, Twox64Concat, Kind, BoundedVec<Day, T::MaxHistory>, ValueQuery>;

	/// Hash chain over the attestations of a kind that have left the state.
	#[pallet::storage]
	pub type Archives<T: Config> = StorageMap<_, Twox64Concat, Kind, Archive, ValueQuery>;

	/// Stops of minting by the roles.
	#[pallet::storage]
	pub type Stops<T: Config> = StorageValue<_, RoleStops, ValueQuery>;

	/// Keys, kinds and calendar of a new chain.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Ed25519 public key of each role, 32 bytes as hex.
		pub keys: BTreeMap<Role, H256>,
		/// Kinds that are open from the first block.
		pub kinds: Vec<Kind>,
		/// Calendar that turns time into days; UTC days by default. With any other calendar and
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
				assert!(ed25519::check_new_key(&key.0).is_ok(), "the key of {role} is weak");
				assert!(!keys.contains(&key.0), "the key of {role} has another role already");
				*keys.of_mut(*role) = Some(PinnedKey { key: key.0, since: Timepoint::default() });
			}
			Keys::<T>::put(keys);
			for kind in &self.kinds {
				OpenKinds::<T>::insert(kind, ());
			}
		}
	}

	/// Events of this pallet.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A statement was accepted and is now in force for its kind and day.
		Accepted {
			/// Kind of the statement.
			kind: Kind,
			/// Day that the statement is about.
			day: Day,
			/// Number of the revision; 0 for the first statement of a day.
			revision: u32,
			/// Hash of the statement's fields (blake2-256 of their SCALE encoding).
			statement: H256,
			/// SHA-256 of the canonical JSON of the attestation file, without its signatures.
			digest: H256,
			/// Roles that signed, in the order data, risk, ops, each with its key at that time.
			signers: Signers,
		},
		/// An attestation left the state: it was replaced by a revision, or pruned for its age.
		Archived {
			/// Kind of the attestation.
			kind: Kind,
			/// Day that the attestation is about.
			day: Day,
			/// Hash of the attestation's fields (blake2-256 of their SCALE encoding).
			statement: H256,
			/// Position in the archive of its kind, from 0.
			index: u64,
			/// Hash of the attestation as stored (blake2-256): its entry in the archive.
			entry: H256,
			/// Head of the archive after this entry was added.
			head: H256,
		},
		/// A role received another key, or lost its key.
		KeyRotated {
			/// Role whose key changed.
			role: Role,
			/// Ed25519 public key that the role had; `None` if it had none.
			old: Option<PublicKey>,
			/// Ed25519 public key that the role has now; `None` if the role can no longer sign.
			new: Option<PublicKey>,
		},
		/// A kind was opened or closed.
		KindChanged {
			/// Kind that was opened or closed.
			kind: Kind,
			/// `true` if its statements are accepted from now on.
			open: bool,
		},
		/// Submissions were stopped.
		Paused,
		/// Submissions are accepted again.
		Resumed,
		/// A role stopped minting.
		MintStopped {
			/// Role that stopped it.
			role: Role,
			/// Number among the role's stops, from 0.
			number: u32,
			/// Time until which it holds in any case, in UTC milliseconds.
			until: u64,
			/// `true` if only governance can end it.
			only_governance: bool,
		},
		/// The two other roles lifted a role's stop.
		StopLifted {
			/// Role whose stop it is.
			role: Role,
			/// Number among the role's stops, from 0.
			number: u32,
			/// Time at which it falls, in UTC milliseconds.
			falls_at: u64,
		},
		/// A role's stop was prolonged.
		StopProlonged {
			/// Role whose stop it is.
			role: Role,
			/// Number among the role's stops, from 0.
			number: u32,
			/// Time until which it holds in any case, in UTC milliseconds.
			until: u64,
		},
		/// Governance ended a role's stop.
		StopEnded {
			/// Role whose stop it was.
			role: Role,
			/// Number among the role's stops, from 0.
			number: u32,
		},
	}

	/// Reasons to refuse a call. The index of a variant is the code that a refused transaction
	/// carries: variants are only ever added at the end.
	#[pallet::error]
	pub enum Error<T> {
		/// Submissions are stopped until governance resumes them.
		Paused,
		/// Fewer than two roles have signed; collect the signature of another role.
		TooFewSignatures,
		/// The signatures are not sorted by role (data, risk, ops), or a role has signed twice.
		UnsortedSigners,
		/// Statements of this kind are not accepted at present.
		KindClosed,
		/// The figures contradict each other: no zones, more zones complete than requested, α above
		/// 1, more energy committed than α allows, or a revision number above 0 without a replaced
		/// statement (or the reverse).
		Inconsistent,
		/// The day has not ended yet.
		FutureDay,
		/// The day ended too long ago to be stated or revised.
		AncientDay,
		/// The day already has an attestation of this kind; to correct it, name it in a revision.
		AlreadyAttested,
		/// The revision does not name the attestation in force, its number is not the next one, or
		/// there is no attestation to revise.
		WrongReplacement,
		/// The day has already been revised as often as is allowed.
		TooManyRevisions,
		/// A role that signed has no key pinned on this chain.
		NoKey,
		/// A signature does not match the role's pinned key, these figures, this file or this
		/// chain.
		BadSignature,
		/// The key is of small order, not canonically encoded, or not a point of the curve.
		WeakKey,
		/// The key is pinned already, or was pinned before and is retired.
		KeyInUse,
		/// The role has no key that could be removed.
		NothingToRemove,
		/// The kind is already open or closed as requested, or submissions are already stopped or
		/// running.
		Unchanged,
		/// The number is not that of the role's next stop, or of the stop that is to be lifted,
		/// prolonged or ended.
		WrongStopNumber,
		/// The role has stopped minting already.
		AlreadyStopped,
		/// The role has stopped minting twice, and the end of its last stop is less than 30 days
		/// ago.
		StopSpent,
		/// The role has not stopped minting, or its stop has fallen.
		NotStopped,
		/// The two other roles have lifted the stop already.
		AlreadyLifted,
		/// Only governance can end this stop: it is the role's second one within 30 days.
		OnlyGovernanceEnds,
		/// The signatures under a lifting are not those of the two other roles, in the order data,
		/// risk, ops.
		WrongLifters,
		/// The stop was prolonged already.
		AlreadyProlonged,
		/// The two days in which the stop can be prolonged are over.
		TooLateToProlong,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(now: BlockNumberFor<T>) -> Weight {
			// The first block's time is known from the second block on; see
			// `GenesisConfig::calendar`.
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
		/// Submits the signed figures of a day.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (a general transaction without a signer) or `Signed`. Both are free
		/// if the statement is accepted; see the crate's documentation.
		///
		/// ## Details
		///
		/// Checks, cheapest first: pause; number and order of the signatures; kind; the figures
		/// against each other; day; the attestation in force; [`AttestationHandler::check`]; keys;
		/// and finally the signatures, one by one until one is bad. Every signature given must be
		/// good. The statement is then stored; the one it revises goes to the archive, and so does
		/// the oldest day if the history is full. The handler receives the statement last; its
		/// error undoes everything.
		///
		/// In the pool, statements that revise the same attestation exclude each other.
		///
		/// ## Parameters
		///
		/// - `fields`: the figures, in the units that [`AttestationFields`] gives.
		/// - `digest`: SHA-256 of the canonical JSON of the attestation file, without its
		///   signatures.
		/// - `signatures`: Ed25519 signatures of two or three roles, in the order data, risk, ops.
		///
		/// ## Errors
		///
		/// - [`Error::Paused`] if submissions are stopped.
		/// - [`Error::TooFewSignatures`] if fewer than two roles have signed.
		/// - [`Error::UnsortedSigners`] if the signatures are not in the order data, risk, ops, or
		///   a role has signed twice.
		/// - [`Error::KindClosed`] if statements of this kind are not accepted.
		/// - [`Error::Inconsistent`] if the figures contradict each other.
		/// - [`Error::FutureDay`] if the day has not ended.
		/// - [`Error::AncientDay`] if the day ended more than [`Config::MaxAge`] days ago, or the
		///   history has already passed it.
		/// - [`Error::AlreadyAttested`] if the day has an attestation and `fields.replaces` is
		///   `None`.
		/// - [`Error::WrongReplacement`] if a revision does not name the attestation in force, or
		///   its number is not the next one.
		/// - [`Error::TooManyRevisions`] if the day has been revised [`Config::MaxRevisions`]
		///   times.
		/// - [`Error::NoKey`] if a role that signed has no pinned key.
		/// - [`Error::BadSignature`] if a signature is not the role's for these figures, this file
		///   and this chain.
		/// - An error of [`Config::Handler`] if it refuses the statement.
		///
		/// ## Events
		///
		/// - [`Event::Archived`] for each attestation that leaves the state
		/// - [`Event::Accepted`] for the statement
		#[pallet::call_index(0)]
		#[pallet::weight(Pallet::<T>::weight_of_submit(signatures, true))]
		#[pallet::authorize(Pallet::<T>::authorize_submit)]
		#[pallet::weight_of_authorize(Pallet::<T>::weight_of_check(signatures))]
		pub fn submit(
			origin: OriginFor<T>,
			fields: Box<AttestationFields>,
			digest: H256,
			signatures: Signatures,
		) -> DispatchResultWithPostInfo {
			// Who sends does not matter. Whether the fee extension has checked already matters for
			// the weight only: `AuthorizeCall` accounts for its own check.
			let signed = ensure_authorized(origin.clone()).is_err();
			if signed {
				ensure_signed(origin)?;
			}
			let checked = Self::check(&fields, &digest, &signatures)?;
			Self::accept(*fields, digest, checked)?;
			let actual_weight = Some(Self::weight_of_submit(&signatures, signed));
			Ok(PostDispatchInfo { actual_weight, pays_fee: Pays::Yes })
		}

		/// Replaces or removes the key of a role.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// The new key is valid from this block on and the old one no longer: what the old key
		/// signed and was not accepted yet must be signed again. A role without a key cannot sign;
		/// if two roles have none, nothing is accepted.
		///
		/// ## Parameters
		///
		/// - `role`: the role whose key changes.
		/// - `key`: the new Ed25519 public key, 32 bytes; `None` removes the present one.
		///
		/// ## Errors
		///
		/// - [`Error::WeakKey`] if `key` is of small order, not canonically encoded, or not a point of
		///   the curve.
		/// - [`Error::KeyInUse`] if a role has `key`, or ever had it.
		/// - [`Error::NothingToRemove`] if `key` is `None` and the role has no key.
		///
		/// ## Events
		///
		/// - [`Event::KeyRotated`] with the old and the new key
		#[pallet::call_index(1)]
		pub fn rotate_key(
			origin: OriginFor<T>,
			role: Role,
			key: Option<PublicKey>,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_rotate_key(role, key)
		}

		/// Stops submissions, in an emergency.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::PauseOrigin`] or [`Config::GovernanceOrigin`].
		///
		/// ## Errors
		///
		/// - [`Error::Unchanged`] if submissions are stopped already.
		///
		/// ## Events
		///
		/// - [`Event::Paused`] once submissions are stopped
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

		/// Resumes submissions.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`] only: those who may stop in an emergency cannot end the
		/// stop alone.
		///
		/// ## Errors
		///
		/// - [`Error::Unchanged`] if submissions are not stopped.
		///
		/// ## Events
		///
		/// - [`Event::Resumed`] once submissions are accepted again
		#[pallet::call_index(3)]
		pub fn resume(origin: OriginFor<T>) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			ensure!(Paused::<T>::get(), Error::<T>::Unchanged);
			Paused::<T>::kill();
			Self::deposit_event(Event::Resumed);
			Ok(())
		}

		/// Opens or closes a kind of statements. Accepted ones stay as they are.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `kind`: the kind to open or close.
		/// - `open`: `true` to accept its statements, `false` to refuse them.
		///
		/// ## Errors
		///
		/// - [`Error::Unchanged`] if the kind is already open or closed as requested.
		///
		/// ## Events
		///
		/// - [`Event::KindChanged`] with the new state
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

		/// Stops minting, as one role.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (a general transaction without a signer) or `Signed`. Both are free
		/// if the stop is accepted.
		///
		/// ## Details
		///
		/// The signature is that of
		/// [`stop_payload`](gridproof_primitives::reserve::stop::stop_payload). Nothing is minted
		/// while a role's stop holds; see the crate's documentation for its end.
		///
		/// ## Parameters
		///
		/// - `role`: the role that stops minting.
		/// - `number`: number of its next stop, from 0.
		/// - `signature`: the role's Ed25519 signature.
		///
		/// ## Errors
		///
		/// - [`Error::AlreadyStopped`] if a stop of the role holds.
		/// - [`Error::WrongStopNumber`] if `number` is not that of its next stop.
		/// - [`Error::StopSpent`] if it has stopped twice and the last end is less than 30 days ago.
		/// - [`Error::NoKey`] if the role has no pinned key.
		/// - [`Error::BadSignature`] if the signature is not the role's for this number and chain.
		///
		/// ## Events
		///
		/// - [`Event::MintStopped`] with the time until which it stands
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::stop_mint().saturating_add(T::WeightInfo::authorize_stop_mint()))]
		#[pallet::authorize(Pallet::<T>::authorize_stop_mint)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_stop_mint())]
		pub fn stop_mint(
			origin: OriginFor<T>,
			role: Role,
			number: u32,
			signature: Signature,
		) -> DispatchResult {
			if ensure_authorized(origin.clone()).is_err() {
				ensure_signed(origin)?;
			}
			let (stops, stop) = Self::check_stop(role, number, &signature)?;
			Self::do_stop(stops, role, stop);
			Ok(())
		}

		/// Lifts a role's stop, as the two other roles.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (a general transaction without a signer) or `Signed`. Both are free
		/// if the lifting is accepted.
		///
		/// ## Details
		///
		/// The signatures are those of
		/// [`lift_payload`](gridproof_primitives::reserve::stop::lift_payload). The stop falls when
		/// the time for which it stands is over, or at once if it is.
		///
		/// ## Parameters
		///
		/// - `role`: the role whose stop is lifted.
		/// - `number`: number of that stop.
		/// - `signatures`: Ed25519 signatures of the two other roles, in the order data, risk, ops.
		///
		/// ## Errors
		///
		/// - [`Error::NotStopped`] if no stop of the role holds.
		/// - [`Error::WrongStopNumber`] if `number` is not that of the stop that holds.
		/// - [`Error::OnlyGovernanceEnds`] if it is the role's second stop within 30 days.
		/// - [`Error::AlreadyLifted`] if it was lifted.
		/// - [`Error::WrongLifters`] if the signatures are not those of the two other roles.
		/// - [`Error::NoKey`] if one of them has no pinned key.
		/// - [`Error::BadSignature`] if a signature is not the role's for this stop and chain.
		///
		/// ## Events
		///
		/// - [`Event::StopLifted`] with the time at which it falls
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::lift_stop().saturating_add(T::WeightInfo::authorize_lift_stop()))]
		#[pallet::authorize(Pallet::<T>::authorize_lift_stop)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_lift_stop())]
		pub fn lift_stop(
			origin: OriginFor<T>,
			role: Role,
			number: u32,
			signatures: Signatures,
		) -> DispatchResult {
			if ensure_authorized(origin.clone()).is_err() {
				ensure_signed(origin)?;
			}
			let (stops, stop) = Self::check_lift(role, number, &signatures)?;
			Self::do_lift(stops, role, stop);
			Ok(())
		}

		/// Prolongs a role's stop to 14 days from its beginning.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::PauseOrigin`] or [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `role`: the role whose stop is prolonged.
		/// - `number`: number of that stop.
		///
		/// ## Errors
		///
		/// - [`Error::NotStopped`] if no stop of the role holds.
		/// - [`Error::WrongStopNumber`] if `number` is not that of the stop that holds.
		/// - [`Error::AlreadyProlonged`] if it was prolonged.
		/// - [`Error::TooLateToProlong`] if its two days are over.
		///
		/// ## Events
		///
		/// - [`Event::StopProlonged`] with the time until which it stands
		#[pallet::call_index(7)]
		pub fn prolong_stop(origin: OriginFor<T>, role: Role, number: u32) -> DispatchResult {
			if let Err(origin) = T::PauseOrigin::try_origin(origin) {
				T::GovernanceOrigin::ensure_origin(origin)?;
			}
			Self::do_prolong(role, number)
		}

		/// Ends a role's stop.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `role`: the role whose stop ends.
		/// - `number`: number of that stop.
		///
		/// ## Errors
		///
		/// - [`Error::NotStopped`] if no stop of the role holds.
		/// - [`Error::WrongStopNumber`] if `number` is not that of the stop that holds.
		///
		/// ## Events
		///
		/// - [`Event::StopEnded`] once minting is not stopped by it
		#[pallet::call_index(8)]
		pub fn end_stop(origin: OriginFor<T>, role: Role, number: u32) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_end_stop(role, number)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Returns the stops of all roles, and the chain's time in UTC milliseconds.
		pub fn stops() -> (RoleStops, u64) {
			Self::current_stops()
		}

		/// Returns the attestation in force for a kind and day.
		pub fn attestation(kind: Kind, day: Day) -> Option<Attestation<BlockNumberFor<T>>> {
			Standing::<T>::get(kind, day)
		}

		/// Returns the days of a kind that are in the state, earliest first.
		pub fn days(kind: Kind) -> Vec<Day> {
			Days::<T>::get(kind).into_inner()
		}

		/// Returns head and length of a kind's archive.
		pub fn archive(kind: Kind) -> Archive {
			Archives::<T>::get(kind)
		}

		/// Returns `true` if this attestation was once in force: the proof must lead from it to the
		/// head of its kind's archive.
		pub fn verify_archived(
			attestation: Attestation<BlockNumberFor<T>>,
			proof: ArchiveProof,
		) -> bool {
			Self::is_archived(&attestation, &proof)
		}

		/// Returns the key that a role had at a time in UTC milliseconds; `None` if it had none, or
		/// if that is no longer remembered.
		pub fn key_at(role: Role, time: u64) -> Option<PublicKey> {
			Self::find_key_at(role, time)
		}

		/// Returns the hash of the statement's fields if [`Pallet::submit`] would accept it now,
		/// else the error it would return.
		pub fn preview(
			fields: AttestationFields,
			digest: H256,
			signatures: Signatures,
		) -> Result<H256, DispatchError> {
			Self::check(&fields, &digest, &signatures).map(|checked| checked.statement)
		}
	}
}
