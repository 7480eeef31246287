//! # Meter readings pallet
//!
//! Energy enters the chain only through the signature of a certified device, and every single
//! reading stays provable.
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for the interfaces of this pallet: its configuration trait,
//! dispatchables, storage items, events and errors. [`runtime_api`] has the queries.
//!
//! ## Terminology
//!
//! * **Organisation**: a body of electricians. Anyone may register one, with a deposit; it
//!   certifies nothing until governance admits it, and nothing any more once it is revoked.
//! * **Electrician**: an account that is a member of an organisation.
//! * **Certificate**: what an electrician vouches for: whose meter it is, which key signs for it,
//!   what it can deliver at most.
//! * **Batch**: readings of one meter, as the header that its device signed; see
//!   [`gridproof_primitives::energy::BatchHeader`].
//! * **Energy account**: the 1-of-2 account of owner and device, to which KWH is minted.
//! * **Anchor**: where the root of a batch stands in Bitcoin.
//!
//! ## Overview
//!
//! ### Batches
//!
//! Anyone may relay batches with [`Pallet::submit_batches`]; what counts is who signed them. Each
//! one of a call is accepted or refused on its own, with an event that says which and why. The
//! rules are [`gridproof_primitives::energy::check_batch`] and the signature; besides, governance
//! limits how much a block and a day may mint, and can pause all. A refused batch changes
//! nothing and is not used up: what was refused for a limit can be sent again.
//!
//! Exported energy mints KWH one Wh for one unit, at once, and only here.
//!
//! ### Two ways to send
//!
//! * As a general transaction without a signer: only if every batch is acceptable now. Two
//!   transactions that carry one and the same batch exclude each other in the pool.
//! * As a signed transaction: the fee is returned if every batch was accepted.
//!
//! Both are checked when dispatched as if they had never been checked. Only the signatures are
//! not verified twice: the check before leaves a mark in the state with the hash of exactly these
//! batches, and it is good for this one extrinsic of this one block.
//!
//! ### Where readings stay provable
//!
//! Of each meter the last [`Config::MaxRecent`] headers are kept. Each header names the hash of
//! the one before it, so an older one is shown to have been accepted by the headers after it:
//! [`BatchReference::Chain`]. [`Pallet::verify_reading`] checks the inclusion of one reading under
//! such a header by the rules of RFC 6962.
//!
//! ### Bounds
//!
//! Organisations, members and meters carry a deposit, returned with the row. A meter's deposit is
//! for its certificate, its state and its full rings of headers and anchors. Totals are running
//! sums inside the meter's row. Anchors overwrite those of [`Config::MaxRecent`] batches before.
//!
//! ### Example
//!
//! ```ignore
//! MeterReadings::certify_meter(electrician, organisation, Box::new(certification), signature)?;
//! // … the device signs `header.signing_payload(&genesis)` …
//! MeterReadings::submit_batches(origin, vec![SignedBatch { header, signature }].try_into()?)?;
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

mod batches;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod meters;
#[cfg(test)]
mod mock;
mod organisations;
mod proofs;
pub mod runtime_api;
#[cfg(test)]
mod tests;
pub mod totals;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
// `as` is what the derived encoding of an enum writes.
#[allow(clippy::as_conversions)]
pub mod types;
mod views;
pub mod weights;

pub use batches::ERROR_CODES;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// `expect` and `as` here are what the pallet macros write; the rules themselves are elsewhere.
#[allow(clippy::as_conversions, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::{boxed::Box, vec::Vec};
	use frame_support::{
		dispatch::{DispatchResultWithPostInfo, PostDispatchInfo},
		pallet_prelude::*,
		traits::{Time, fungible, fungibles},
	};
	use frame_system::pallet_prelude::*;
	use gridproof_primitives::{
		H256,
		crypto::ed25519::PublicKey,
		energy::{
			Accepted, Anchor, AnchorState, BatchHeader, BatchRecord, BatchRefusal, MeterIndex,
			MeterInfo, MeterName, Overview, ReadingRefusal, Registers, SealId, SignedBatch,
			Suspension, Totals, VerifiedReading,
		},
	};
	use sp_runtime::traits::{IdentifyAccount, Verify};

	/// The native token's balance.
	pub type BalanceOf<T> = <<T as Config>::Currency as fungible::Inspect<
		<T as frame_system::Config>::AccountId,
	>>::Balance;
	/// The id of a token.
	pub type AssetIdOf<T> = <<T as Config>::Fungibles as fungibles::Inspect<
		<T as frame_system::Config>::AccountId,
	>>::AssetId;
	/// An organisation of this runtime.
	pub type OrganisationOf<T> = Organisation<<T as frame_system::Config>::AccountId, BalanceOf<T>>;
	/// A certificate of this runtime.
	pub type CertifiedOf<T> = Certified<<T as frame_system::Config>::AccountId, BalanceOf<T>>;
	/// A meter's state in this runtime.
	pub type MeterOf<T> = Meter<<T as frame_system::Config>::AccountId>;
	/// What an electrician certifies in this runtime.
	pub type CertificationOf<T> = Certification<<T as frame_system::Config>::AccountId>;
	/// The batches of one call.
	pub type BatchesOf<T> = BoundedVec<SignedBatch, <T as Config>::MaxBatchesPerCall>;

	/// The configuration of the pallet.
	#[pallet::config]
	pub trait Config: frame_system::Config<Hash = H256> {
		/// Where the time comes from, in UTC milliseconds: the timestamp pallet.
		type Time: Time<Moment = u64>;

		/// The tokens, of which KWH is one. Nobody else may mint KWH.
		type Fungibles: fungibles::Mutate<Self::AccountId, Balance = u128>;

		/// KWH, whose unit is one Wh.
		#[pallet::constant]
		type Kwh: Get<AssetIdOf<Self>>;

		/// The native token, for deposits.
		type Currency: fungible::Mutate<Self::AccountId>
			+ fungible::hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// The runtime's reasons for holds.
		type RuntimeHoldReason: From<HoldReason>;

		/// What an owner consents with.
		type OwnerSignature: Verify<Signer: IdentifyAccount<AccountId = Self::AccountId>>
			+ Parameter;

		/// Derives energy accounts.
		type EnergyAccounts: EnergyAccounts<Self::AccountId>;

		/// Who may admit and revoke organisations, set limits, appoint recorders, and resume.
		type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Who may pause in an emergency.
		type PauseOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Deposit for an organisation.
		#[pallet::constant]
		type OrganisationDeposit: Get<BalanceOf<Self>>;

		/// Deposit for a member.
		#[pallet::constant]
		type MemberDeposit: Get<BalanceOf<Self>>;

		/// Deposit for a meter with its full rings.
		#[pallet::constant]
		type MeterDeposit: Get<BalanceOf<Self>>;

		/// Most members of an organisation.
		#[pallet::constant]
		type MaxMembers: Get<u32>;

		/// Most accounts that may record anchors.
		#[pallet::constant]
		type MaxRecorders: Get<u32>;

		/// Most batches in one call.
		#[pallet::constant]
		type MaxBatchesPerCall: Get<u32>;

		/// How many headers, and how many anchors, of a meter are kept.
		#[pallet::constant]
		type MaxRecent: Get<u32>;

		/// Most headers in one proof that an older batch was accepted.
		#[pallet::constant]
		type MaxChain: Get<u32>;

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

	/// Why this pallet holds native tokens.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The row of an organisation.
		#[codec(index = 0)]
		Organisation,
		/// The row of a member.
		#[codec(index = 1)]
		Member,
		/// The rows of a meter.
		#[codec(index = 2)]
		Meter,
	}

	/// Are batches stopped?
	#[pallet::storage]
	pub type Paused<T: Config> = StorageValue<_, bool, ValueQuery>;

	/// What governance decided.
	#[pallet::storage]
	pub type LimitsInUse<T: Config> = StorageValue<_, Limits, ValueQuery>;

	/// What the last block and day that minted have minted.
	#[pallet::storage]
	pub type UsageNow<T: Config> = StorageValue<_, Usage<BlockNumberFor<T>>, ValueQuery>;

	/// Sums over all time.
	#[pallet::storage]
	pub type SumsOfAll<T: Config> = StorageValue<_, Sums, ValueQuery>;

	/// The batches whose signatures were verified before the running call was dispatched.
	#[pallet::storage]
	pub type Verified<T: Config> = StorageValue<_, Mark<BlockNumberFor<T>>, OptionQuery>;

	/// Organisations by number.
	#[pallet::storage]
	pub type Organisations<T: Config> =
		StorageMap<_, Twox64Concat, OrganisationIndex, OrganisationOf<T>, OptionQuery>;

	/// The number of the next organisation.
	#[pallet::storage]
	pub type NextOrganisation<T: Config> = StorageValue<_, OrganisationIndex, ValueQuery>;

	/// Members of organisations, with the deposit that the organisation's admin has on hold.
	#[pallet::storage]
	pub type Members<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		OrganisationIndex,
		Blake2_128Concat,
		T::AccountId,
		BalanceOf<T>,
		OptionQuery,
	>;

	/// What was certified, by meter.
	#[pallet::storage]
	pub type Certificates<T: Config> =
		StorageMap<_, Twox64Concat, MeterIndex, CertifiedOf<T>, OptionQuery>;

	/// What a batch is checked against and changes, by meter: one row, so that a batch reads and
	/// writes only one.
	#[pallet::storage]
	pub type Meters<T: Config> = StorageMap<_, Twox64Concat, MeterIndex, MeterOf<T>, OptionQuery>;

	/// The index of the next meter.
	#[pallet::storage]
	pub type NextMeter<T: Config> = StorageValue<_, MeterIndex, ValueQuery>;

	/// The meter that has a name.
	#[pallet::storage]
	pub type MeterNames<T: Config> =
		StorageMap<_, Blake2_128Concat, MeterName, MeterIndex, OptionQuery>;

	/// The meter for which a device key signs.
	#[pallet::storage]
	pub type DeviceKeys<T: Config> =
		StorageMap<_, Blake2_128Concat, PublicKey, MeterIndex, OptionQuery>;

	/// The last batches of a meter, by sequence number modulo [`Config::MaxRecent`].
	#[pallet::storage]
	pub type Recent<T: Config> =
		StorageDoubleMap<_, Twox64Concat, MeterIndex, Twox64Concat, u32, BatchRecord, OptionQuery>;

	/// Anchors of a meter's batches, by sequence number modulo [`Config::MaxRecent`].
	#[pallet::storage]
	pub type Anchors<T: Config> =
		StorageDoubleMap<_, Twox64Concat, MeterIndex, Twox64Concat, u32, Anchor, OptionQuery>;

	/// The accounts that may record anchors.
	#[pallet::storage]
	pub type Recorders<T: Config> =
		StorageValue<_, BoundedVec<T::AccountId, T::MaxRecorders>, ValueQuery>;

	/// Organisations and recorders of a new chain.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Admitted organisations: name, admin, electricians. Their deposits are zero.
		pub organisations: Vec<(alloc::string::String, T::AccountId, Vec<T::AccountId>)>,
		/// The accounts that may record anchors.
		pub recorders: Vec<T::AccountId>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			Pallet::<T>::build_genesis(&self.organisations, &self.recorders);
		}
	}

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A batch was accepted.
		BatchAccepted {
			/// Whose readings.
			meter: MeterIndex,
			/// Its number.
			sequence: u64,
			/// Hash of its header.
			header_hash: H256,
			/// KWH minted, in Wh.
			minted: u64,
		},
		/// A batch was refused; nothing changed.
		BatchRefused {
			/// Whose readings.
			meter: MeterIndex,
			/// Its number.
			sequence: u64,
			/// Hash of its header.
			header_hash: H256,
			/// Why.
			reason: BatchRefusal,
		},
		/// An organisation was registered.
		OrganisationRegistered {
			/// Its number.
			organisation: OrganisationIndex,
			/// Who administers it.
			admin: T::AccountId,
			/// Its name.
			name: OrganisationName,
		},
		/// An organisation was admitted or revoked.
		OrganisationStandingSet {
			/// Its number.
			organisation: OrganisationIndex,
			/// What it was.
			old: OrganisationStanding,
			/// What it is.
			new: OrganisationStanding,
		},
		/// An organisation was dissolved and its deposit returned.
		OrganisationDissolved {
			/// Its number.
			organisation: OrganisationIndex,
		},
		/// An organisation has one more electrician.
		MemberAdded {
			/// The organisation.
			organisation: OrganisationIndex,
			/// The electrician.
			who: T::AccountId,
		},
		/// An organisation has one electrician less.
		MemberRemoved {
			/// The organisation.
			organisation: OrganisationIndex,
			/// Who was one.
			who: T::AccountId,
		},
		/// A meter was certified.
		MeterCertified {
			/// Its index.
			meter: MeterIndex,
			/// Its name.
			name: MeterName,
			/// Whose it is.
			owner: T::AccountId,
			/// The key that signs for it.
			device: PublicKey,
			/// Where its KWH goes.
			energy_account: T::AccountId,
			/// The organisation that certified it.
			organisation: OrganisationIndex,
			/// The electrician who did.
			electrician: T::AccountId,
		},
		/// A meter was suspended: its batches are refused.
		MeterSuspended {
			/// Its index.
			meter: MeterIndex,
			/// Why.
			reason: Suspension,
			/// By whom.
			by: T::AccountId,
		},
		/// A suspended meter counts again.
		MeterReinstated {
			/// Its index.
			meter: MeterIndex,
			/// Its seal.
			seal: SealId,
			/// The electrician who vouches for it.
			electrician: T::AccountId,
		},
		/// A meter was exchanged: its registers go on elsewhere than they stopped.
		MeterExchanged {
			/// Its index.
			meter: MeterIndex,
			/// Where they stopped.
			old: Registers,
			/// Where they go on.
			new: Registers,
			/// The key that signs from now on.
			device: PublicKey,
			/// Where its KWH goes from now on.
			energy_account: T::AccountId,
			/// Its seal.
			seal: SealId,
			/// The electrician who vouches for it.
			electrician: T::AccountId,
		},
		/// A meter was taken out of service; its rows are gone and its deposit was returned.
		MeterDecommissioned {
			/// Its index.
			meter: MeterIndex,
			/// How many batches it had.
			batches: u64,
			/// Hash of the last one's header, zero without any.
			last: H256,
			/// By whom.
			by: T::AccountId,
		},
		/// A reading is in a batch that was accepted.
		ReadingVerified {
			/// Whose reading.
			meter: MeterIndex,
			/// Number of the batch.
			sequence: u64,
			/// Root of the batch.
			root: H256,
			/// RFC 6962 leaf hash of the reading.
			leaf_hash: H256,
			/// Its place in the batch.
			index: u32,
		},
		/// An anchor was recorded, or went on.
		AnchorRecorded {
			/// Whose batch.
			meter: MeterIndex,
			/// Number of the batch.
			sequence: u64,
			/// Root of the batch.
			root: H256,
			/// How far it is.
			state: AnchorState,
		},
		/// An account may record anchors.
		RecorderAdded {
			/// Which.
			who: T::AccountId,
		},
		/// An account may record anchors no more.
		RecorderRemoved {
			/// Which.
			who: T::AccountId,
		},
		/// The limits changed.
		LimitsSet {
			/// What they were.
			old: Limits,
			/// What they are.
			new: Limits,
		},
		/// Batches were stopped.
		Paused,
		/// Batches are accepted again.
		Resumed,
	}

	/// Why a call is refused. Variants are only ever added at the end.
	#[pallet::error]
	pub enum Error<T> {
		/// Batches are stopped; send them again when governance has resumed.
		Paused,
		/// The call has no batches.
		NoBatches,
		/// A batch is not acceptable now; `preview_batches` says which and why.
		Refused,
		/// There is no such organisation.
		NoOrganisation,
		/// The organisation is not admitted, or no more.
		NotAdmitted,
		/// Only the organisation's admin may.
		NotAdmin,
		/// The caller is not an electrician of the organisation.
		NotMember,
		/// The account is a member already.
		AlreadyMember,
		/// The organisation has as many members as it may.
		MaxMembersExceeded,
		/// The organisation still has members or meters.
		InUse,
		/// The name is empty.
		EmptyName,
		/// There is no such meter.
		NoMeter,
		/// A meter of that name is certified already.
		NameTaken,
		/// The name has an empty part, or a character that a topic cannot have.
		BadName,
		/// The device key is of small order or not canonically encoded.
		WeakKey,
		/// The device key signs for a meter already.
		KeyInUse,
		/// The owner's account is the device's own.
		OwnerIsDevice,
		/// The rated power is zero.
		ZeroPower,
		/// The consent is no longer good, is good for longer than consents can be, or does not last
		/// longer than the one used before.
		ConsentExpired,
		/// The signature is not the owner's of this consent on this chain.
		BadConsent,
		/// Neither the meter's owner nor an electrician of its organisation.
		NotAuthorized,
		/// It is so already.
		Unchanged,
		/// The meter is not suspended.
		NotSuspended,
		/// The meter's key is lost: give it another by an exchange.
		KeyLost,
		/// The batch is not among those kept, or was never accepted.
		UnknownBatch,
		/// The headers do not follow each other up to one that the chain knows.
		BrokenChain,
		/// The reading is not in that batch.
		NotIncluded,
		/// The caller may not record anchors.
		NotRecorder,
		/// As many accounts may record anchors as there can be.
		MaxRecordersExceeded,
		/// An anchor never goes back, and a simulated one never becomes real.
		AnchorBackwards,
		/// Confirmed is what has six confirmations, in the block that it names.
		TooFewConfirmations,
		/// The anchor is of another root than the batch's.
		OtherRoot,
		/// A limit is out of range.
		InvalidLimits,
		/// Every index is given away.
		Exhausted,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MaxRecent::get() > 0, "MaxRecent must not be zero");
			assert!(T::MaxBatchesPerCall::get() > 0, "MaxBatchesPerCall must not be zero");
			assert!(T::MaxMembers::get() > 0, "MaxMembers must not be zero");
			assert!(T::MaxChain::get() > 0, "MaxChain must not be zero");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Submits batches of readings.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (a general transaction without a signer), only if every batch is
		/// acceptable now, or `Signed`, whose fee is returned if every batch was accepted.
		///
		/// ## Details
		///
		/// Each batch succeeds or fails on its own, in the order given. Checks, cheapest first: the
		/// meter and its organisation, then
		/// [`check_batch`](gridproof_primitives::energy::check_batch), what may still be minted, and
		/// last the signature and whether the token takes it. Before the pool takes a transaction
		/// without a signer, all that is cheap is checked of all batches before the first signature.
		///
		/// ## Errors
		///
		/// - [`Error::Paused`], [`Error::NoBatches`]
		///
		/// ## Events
		///
		/// - [`Event::BatchAccepted`] or [`Event::BatchRefused`] for each batch
		#[pallet::call_index(0)]
		#[pallet::weight(Pallet::<T>::weight_of_submit(batches))]
		#[pallet::authorize(Pallet::<T>::authorize_submit)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_submit_batches(Pallet::<T>::count(batches)))]
		pub fn submit_batches(
			origin: OriginFor<T>,
			batches: BatchesOf<T>,
		) -> DispatchResultWithPostInfo {
			// Who sends does not matter: nothing here depends on what was checked before, other
			// than by the mark, and that is bound to this extrinsic.
			if ensure_authorized(origin.clone()).is_err() {
				ensure_signed(origin)?;
			}
			let outcome = Self::accept_batches(&batches)?;
			let pays_fee = if outcome.refused == 0 { Pays::No } else { Pays::Yes };
			Ok(PostDispatchInfo { actual_weight: Some(outcome.weight), pays_fee })
		}

		/// Registers an organisation of electricians. It certifies nothing until governance admits
		/// it.
		///
		/// ## Dispatch Origin
		///
		/// Any `Signed`, who becomes its admin and whose deposit is held.
		///
		/// ## Errors
		///
		/// - [`Error::EmptyName`], [`Error::Exhausted`]
		///
		/// ## Events
		///
		/// - [`Event::OrganisationRegistered`]
		#[pallet::call_index(1)]
		pub fn register_organisation(
			origin: OriginFor<T>,
			name: OrganisationName,
		) -> DispatchResult {
			let admin = ensure_signed(origin)?;
			Self::do_register_organisation(admin, name)
		}

		/// Dissolves an organisation without members and meters and returns its deposit.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by its admin.
		///
		/// ## Errors
		///
		/// - [`Error::NoOrganisation`], [`Error::NotAdmin`], [`Error::InUse`]
		///
		/// ## Events
		///
		/// - [`Event::OrganisationDissolved`]
		#[pallet::call_index(2)]
		pub fn dissolve_organisation(
			origin: OriginFor<T>,
			#[pallet::compact] organisation: OrganisationIndex,
		) -> DispatchResult {
			let admin = ensure_signed(origin)?;
			Self::do_dissolve_organisation(admin, organisation)
		}

		/// Makes an account an electrician of the organisation.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the organisation's admin, whose deposit is held.
		///
		/// ## Errors
		///
		/// - [`Error::NoOrganisation`], [`Error::NotAdmin`], [`Error::AlreadyMember`],
		///   [`Error::MaxMembersExceeded`]
		///
		/// ## Events
		///
		/// - [`Event::MemberAdded`]
		#[pallet::call_index(3)]
		pub fn add_member(
			origin: OriginFor<T>,
			#[pallet::compact] organisation: OrganisationIndex,
			who: T::AccountId,
		) -> DispatchResult {
			let admin = ensure_signed(origin)?;
			Self::do_add_member(admin, organisation, who)
		}

		/// Ends a membership and returns its deposit to the admin. What the electrician certified
		/// stays.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the organisation's admin or the member.
		///
		/// ## Errors
		///
		/// - [`Error::NoOrganisation`], [`Error::NotAdmin`], [`Error::NotMember`]
		///
		/// ## Events
		///
		/// - [`Event::MemberRemoved`]
		#[pallet::call_index(4)]
		pub fn remove_member(
			origin: OriginFor<T>,
			#[pallet::compact] organisation: OrganisationIndex,
			who: T::AccountId,
		) -> DispatchResult {
			let caller = ensure_signed(origin)?;
			Self::do_remove_member(caller, organisation, who)
		}

		/// Admits or revokes an organisation. A revoked one certifies nothing, and the batches of
		/// its meters are refused; their owners can decommission them.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Errors
		///
		/// - [`Error::NoOrganisation`], [`Error::Unchanged`]
		///
		/// ## Events
		///
		/// - [`Event::OrganisationStandingSet`]
		#[pallet::call_index(5)]
		pub fn set_organisation_standing(
			origin: OriginFor<T>,
			#[pallet::compact] organisation: OrganisationIndex,
			standing: OrganisationStanding,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_set_standing(organisation, standing)
		}

		/// Certifies a meter.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by an electrician of an admitted organisation, whose deposit is held.
		///
		/// ## Parameters
		///
		/// - `organisation`: for which the electrician acts.
		/// - `certification`: what is vouched for.
		/// - `consent`: the owner's signature of
		///   [`OwnerConsent::signing_payload`](gridproof_primitives::energy::OwnerConsent), as it is
		///   or as wallets sign bytes, between `<Bytes>` and `</Bytes>`.
		///
		/// ## Errors
		///
		/// - [`Error::NoOrganisation`], [`Error::NotAdmitted`], [`Error::NotMember`],
		///   [`Error::BadName`], [`Error::NameTaken`], [`Error::ZeroPower`], [`Error::WeakKey`],
		///   [`Error::KeyInUse`], [`Error::OwnerIsDevice`], [`Error::ConsentExpired`],
		///   [`Error::BadConsent`], [`Error::Exhausted`]
		///
		/// ## Events
		///
		/// - [`Event::MeterCertified`]
		#[pallet::call_index(6)]
		pub fn certify_meter(
			origin: OriginFor<T>,
			#[pallet::compact] organisation: OrganisationIndex,
			certification: Box<CertificationOf<T>>,
			consent: Box<T::OwnerSignature>,
		) -> DispatchResult {
			let electrician = ensure_signed(origin)?;
			Self::do_certify(electrician, organisation, *certification, &consent)
		}

		/// Suspends a meter: its batches are refused until it is reinstated.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by an electrician of its organisation or by its owner.
		///
		/// ## Details
		///
		/// A suspension for a broken seal can become one for a lost key, not the other way.
		///
		/// ## Errors
		///
		/// - [`Error::NoMeter`], [`Error::NotAuthorized`], [`Error::Unchanged`],
		///   [`Error::KeyLost`]
		///
		/// ## Events
		///
		/// - [`Event::MeterSuspended`]
		#[pallet::call_index(7)]
		pub fn suspend_meter(
			origin: OriginFor<T>,
			#[pallet::compact] meter: MeterIndex,
			reason: Suspension,
		) -> DispatchResult {
			let by = ensure_signed(origin)?;
			Self::do_suspend(by, meter, reason)
		}

		/// Lets a suspended meter count again, under a new seal.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by an electrician of its organisation, which must be admitted.
		///
		/// ## Errors
		///
		/// - [`Error::NoMeter`], [`Error::NotAdmitted`], [`Error::NotMember`],
		///   [`Error::NotSuspended`], [`Error::KeyLost`]
		///
		/// ## Events
		///
		/// - [`Event::MeterReinstated`]
		#[pallet::call_index(8)]
		pub fn reinstate_meter(
			origin: OriginFor<T>,
			#[pallet::compact] meter: MeterIndex,
			seal: SealId,
		) -> DispatchResult {
			let electrician = ensure_signed(origin)?;
			Self::do_reinstate(electrician, meter, seal)
		}

		/// Records that a meter was exchanged, or its device's key.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by an electrician of its organisation, which must be admitted.
		///
		/// ## Details
		///
		/// The registers go on where the electrician says; sequence, previous hash and time go on
		/// as they were, and a suspension ends. A new device key needs the owner's consent, since
		/// the device is one of the two that can move the energy account's KWH: from then on KWH
		/// goes to the account of owner and new device. A meter whose key is lost needs a new one.
		///
		/// ## Errors
		///
		/// - [`Error::NoMeter`], [`Error::NotAdmitted`], [`Error::NotMember`],
		///   [`Error::KeyLost`], [`Error::WeakKey`], [`Error::KeyInUse`],
		///   [`Error::OwnerIsDevice`], [`Error::ConsentExpired`], [`Error::BadConsent`]
		///
		/// ## Events
		///
		/// - [`Event::MeterExchanged`]
		#[pallet::call_index(9)]
		pub fn exchange_meter(
			origin: OriginFor<T>,
			#[pallet::compact] meter: MeterIndex,
			registers: Registers,
			seal: SealId,
			device: Option<Box<NewDevice<T::OwnerSignature>>>,
		) -> DispatchResult {
			let electrician = ensure_signed(origin)?;
			Self::do_exchange(electrician, meter, registers, seal, device.map(|new| *new))
		}

		/// Takes a meter out of service: its rows go and its deposit returns to who paid it.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by its owner or by an electrician of its organisation.
		///
		/// ## Errors
		///
		/// - [`Error::NoMeter`], [`Error::NotAuthorized`]
		///
		/// ## Events
		///
		/// - [`Event::MeterDecommissioned`]
		#[pallet::call_index(10)]
		#[pallet::weight(T::WeightInfo::decommission_meter(T::MaxRecent::get()))]
		pub fn decommission_meter(
			origin: OriginFor<T>,
			#[pallet::compact] meter: MeterIndex,
		) -> DispatchResultWithPostInfo {
			let by = ensure_signed(origin)?;
			let cleared = Self::do_decommission(by, meter)?;
			Ok(Some(T::WeightInfo::decommission_meter(cleared)).into())
		}

		/// Shows on chain that one reading is in a batch that was accepted.
		///
		/// ## Dispatch Origin
		///
		/// Any `Signed`.
		///
		/// ## Parameters
		///
		/// - `batch`: one of those kept, or an older one with the headers after it.
		/// - `leaf`: the reading's canonical JSON.
		/// - `index`: its place in the batch.
		/// - `proof`: the RFC 6962 inclusion proof.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownBatch`], [`Error::BrokenChain`], [`Error::NotIncluded`]
		///
		/// ## Events
		///
		/// - [`Event::ReadingVerified`]
		#[pallet::call_index(11)]
		#[pallet::weight(T::WeightInfo::verify_reading(batch.headers()))]
		pub fn verify_reading(
			origin: OriginFor<T>,
			batch: BatchReference<T::MaxChain>,
			leaf: Leaf,
			index: u32,
			proof: InclusionProof,
		) -> DispatchResult {
			ensure_signed(origin)?;
			let reading = Self::check_reading(&batch, &leaf, index, &proof)?;
			let VerifiedReading { header, leaf_hash } = reading;
			let BatchHeader { meter, sequence, root, .. } = header;
			Self::deposit_event(Event::ReadingVerified { meter, sequence, root, leaf_hash, index });
			Ok(())
		}

		/// Records where a batch's root stands in Bitcoin, or how far it has come since.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by an account that governance appointed.
		///
		/// ## Details
		///
		/// The first record needs the batch among those kept; later ones do not. A state only goes
		/// forward: pending, broadcast, confirmed. A simulated anchor stays simulated.
		///
		/// ## Errors
		///
		/// - [`Error::NotRecorder`], [`Error::UnknownBatch`], [`Error::OtherRoot`],
		///   [`Error::AnchorBackwards`], [`Error::TooFewConfirmations`], [`Error::Unchanged`]
		///
		/// ## Events
		///
		/// - [`Event::AnchorRecorded`]
		#[pallet::call_index(12)]
		pub fn record_anchor(
			origin: OriginFor<T>,
			#[pallet::compact] meter: MeterIndex,
			#[pallet::compact] sequence: u64,
			root: H256,
			state: AnchorState,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			ensure!(Recorders::<T>::get().contains(&who), Error::<T>::NotRecorder);
			Self::do_record_anchor(meter, sequence, root, state)
		}

		/// Lets an account record anchors, or lets it no more.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Errors
		///
		/// - [`Error::Unchanged`], [`Error::MaxRecordersExceeded`]
		///
		/// ## Events
		///
		/// - [`Event::RecorderAdded`] or [`Event::RecorderRemoved`]
		#[pallet::call_index(13)]
		pub fn set_recorder(
			origin: OriginFor<T>,
			who: T::AccountId,
			appointed: bool,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_set_recorder(who, appointed)
		}

		/// Sets the limits.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Errors
		///
		/// - [`Error::InvalidLimits`], [`Error::Unchanged`]
		///
		/// ## Events
		///
		/// - [`Event::LimitsSet`]
		#[pallet::call_index(14)]
		pub fn set_limits(origin: OriginFor<T>, limits: Limits) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			ensure!(limits.is_valid(), Error::<T>::InvalidLimits);
			let old = LimitsInUse::<T>::get();
			ensure!(old != limits, Error::<T>::Unchanged);
			LimitsInUse::<T>::put(limits);
			Self::deposit_event(Event::LimitsSet { old, new: limits });
			Ok(())
		}

		/// Stops batches.
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
		#[pallet::call_index(15)]
		pub fn pause(origin: OriginFor<T>) -> DispatchResult {
			if let Err(origin) = T::PauseOrigin::try_origin(origin) {
				T::GovernanceOrigin::ensure_origin(origin)?;
			}
			ensure!(!Paused::<T>::get(), Error::<T>::Unchanged);
			Paused::<T>::put(true);
			Self::deposit_event(Event::Paused);
			Ok(())
		}

		/// Accepts batches again.
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
		#[pallet::call_index(16)]
		pub fn resume(origin: OriginFor<T>) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			ensure!(Paused::<T>::get(), Error::<T>::Unchanged);
			Paused::<T>::kill();
			Self::deposit_event(Event::Resumed);
			Ok(())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// A meter in service.
		pub fn meter(meter: MeterIndex) -> Option<MeterInfo<T::AccountId>> {
			Self::info(meter)
		}

		/// The meter in service that has a name.
		pub fn meter_by_name(name: MeterName) -> Option<(MeterIndex, MeterInfo<T::AccountId>)> {
			let meter = MeterNames::<T>::get(name)?;
			Some((meter, Self::info(meter)?))
		}

		/// The meters in service from index `from` on, at most `limit` of them and 1,000.
		pub fn meters(from: MeterIndex, limit: u32) -> Vec<MeterInfo<T::AccountId>> {
			Self::infos(from, limit)
		}

		/// A meter's energy in time; the last hour as far as its batches are kept.
		pub fn totals(meter: MeterIndex) -> Option<Totals> {
			Self::totals_now(meter)
		}

		/// A batch, if it is among those kept.
		pub fn batch(meter: MeterIndex, sequence: u64) -> Option<BatchRecord> {
			Self::record(meter, sequence)
		}

		/// The anchor of a batch, if it is among those kept.
		pub fn anchor(meter: MeterIndex, sequence: u64) -> Option<Anchor> {
			Self::kept_anchor(meter, sequence)
		}

		/// Is this reading, its canonical JSON, in a batch that is kept? By RFC 6962.
		pub fn verify_recent_reading(
			meter: MeterIndex,
			sequence: u64,
			leaf: Vec<u8>,
			index: u32,
			proof: Vec<H256>,
		) -> Result<(), ReadingRefusal> {
			Self::reading_in_recent(meter, sequence, &leaf, index, &proof)
		}

		/// Is this reading in the batch of the first of these headers? The others follow it
		/// without a gap, up to one that the chain knows.
		pub fn verify_older_reading(
			headers: Vec<BatchHeader>,
			leaf: Vec<u8>,
			index: u32,
			proof: Vec<H256>,
		) -> Result<(), ReadingRefusal> {
			Self::reading_in_chain(&headers, &leaf, index, &proof)
		}

		/// What would become of these batches now, in this order.
		pub fn preview_batches(batches: Vec<SignedBatch>) -> Vec<Result<Accepted, BatchRefusal>> {
			Self::preview_run(&batches)
		}

		/// How much there is.
		pub fn overview() -> Overview {
			Self::overview_now()
		}
	}
}
