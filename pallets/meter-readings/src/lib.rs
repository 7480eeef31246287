//! # Meter readings pallet
//!
//! Accepts energy only with the signature of a certified device, and keeps every single reading
//! provable.
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for the interfaces of this pallet: its configuration trait,
//! dispatchables, storage items, events and errors. [`runtime_api`] has the queries.
//!
//! ## Terminology
//!
//! * **Organisation**: a company of electricians. Anyone may register one, with a deposit, and it can
//!   certify meters until it is revoked. Its meters mint from its admission by governance on.
//! * **Electrician**: an account that is a member of an organisation.
//! * **Certificate**: what an electrician vouches for: who owns the meter, which key signs for it,
//!   how much power it can carry.
//! * **Batch**: consecutive readings of one meter, submitted as the header that its device signed;
//!   see [`gridproof_primitives::energy::BatchHeader`].
//! * **Floor**: the time from which somebody vouches for a meter without a break. Energy of a batch that
//!   begins earlier never mints.
//! * **Tombstone**: what is left of a name, a serial number, a seal or a key when its meter has gone: the
//!   end of what it stated, what it owed, and its last import register.
//! * **Energy account**: the 1-of-2 account of owner and device that receives KWH.
//! * **Metering point**: meters of one owner between which energy can be stored or used; see
//!   [`Points`].
//! * **Anchor**: a Bitcoin transaction that commits to the root of a batch.
//!
//! ## Overview
//!
//! ### Batches
//!
//! Anyone may submit batches with [`Pallet::submit_batches`]; who signed them matters, who sends
//! them does not. Each batch of a call is accepted or refused on its own, with an event that says
//! which and why. The rules are [`gridproof_primitives::energy::check_batch`] and the signature; in
//! addition, governance limits how much a block and a day may mint, and can stop all batches. A
//! refused batch changes nothing and is not used up: a batch refused because of a limit can be
//! submitted again.
//!
//! Exported energy mints KWH immediately, one unit for each Wh that a meter delivers beyond all that it
//! ever took ([`net`](gridproof_primitives::energy::net)), and nothing else mints KWH. Meters whose
//! certificates name the same metering point are netted with one another
//! ([`PointState`](gridproof_primitives::energy::PointState)). What was
//! measured while nobody vouched for the meter is taken, so that its readings and registers continue, and
//! mints nothing; nor does what meters of an organisation export that is not admitted.
//!
//! ### What a certificate cannot do
//!
//! * Begin earlier than [`Limits::max_backdate_ms`] before it is made, or before the end of what the
//!   same name, serial number or seal has stated before.
//! * Be given by the owner.
//! * Use a key again, ever; or a serial number or a seal that another meter has. Names and numbers are
//!   plain ASCII and compared in lower case. The meters of an organisation that is not admitted take no
//!   number from others: [`Pallet::admit_meter`] checks it afterwards.
//! * Say anything that the owner has not signed, or name a device that has not signed.
//!
//! Suspension, exchange, and the revocation of an organisation move the floor to the time at which
//! somebody vouches again.
//!
//! ### What no batch stated
//!
//! What a meter drew after its last batch becomes a debt when it is exchanged, or certified again under the
//! same serial number or seal: exactly, by what its register shows more. Where nothing shows it, because
//! the register fell, or another meter takes its place ([`Pallet::exchange_meter`], or at a metering point
//! that an import meter has left), it is the highest that its rated power allows since it was seen last
//! ([`LastSeen`](gridproof_primitives::energy::LastSeen)). An exchange of a meter for itself states what
//! it shows before it goes.
//!
//! ### Two ways to submit
//!
//! * As a general transaction without a signer: only if every batch is acceptable now and free of
//!   fees: not shorter than a minimum, not more in an hour than a meter may have, and of a meter that
//!   mints. Two transactions that contain the same batch exclude each other in the pool.
//! * As a signed transaction: the fee is returned if every batch was accepted and free of fees.
//!
//! Dispatch repeats every check but one: signatures are not verified twice. The check before
//! dispatch leaves a mark in the state with the hash of exactly these batches, which is valid only
//! for this extrinsic of this block.
//!
//! ### How readings stay provable
//!
//! The last [`Config::MaxRecent`] headers of each meter are kept. Each header contains the hash of
//! the one before it, so the headers after an older one prove that it was accepted:
//! [`BatchReference::Chain`]. [`Pallet::verify_reading`] checks that one reading is included under
//! such a header by the rules of RFC 6962.
//!
//! ### Bounds
//!
//! Organisations, members and meters carry a deposit, returned with the row. A meter's deposit
//! covers its certificate, its state and its full rings of headers and anchors. Tombstones, and points
//! that owe, stay for ever, and so does the deposit for them. Totals are running
//! sums inside the meter's row. An anchor overwrites that of the batch [`Config::MaxRecent`]
//! before.
//!
//! ### Example
//!
//! ```ignore
//! MeterReadings::certify_meter(electrician, organisation, Box::new(certification), consent, proof)?;
//! // … the device signs `header.signing_payload(&genesis)` …
//! MeterReadings::submit_batches(origin, vec![SignedBatch { header, signature }].try_into()?)?;
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

mod batches;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod identity;
mod meters;
pub mod migrations;
#[cfg(test)]
mod mock;
mod organisations;
mod points;
mod proofs;
pub mod runtime_api;
#[cfg(test)]
mod tests;
pub mod totals;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
// The derived encoding of an enum generates `as`.
#[allow(clippy::as_conversions)]
pub mod types;
mod views;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// The pallet macros generate `expect` and `as` here; the rules themselves are elsewhere.
#[allow(clippy::as_conversions, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use crate::{batches::Fare, meters::Exchange};
	use alloc::{boxed::Box, vec::Vec};
	use frame_support::{
		dispatch::{DispatchResultWithPostInfo, PostDispatchInfo},
		pallet_prelude::*,
		traits::{Time, fungible, fungibles},
	};
	use frame_system::pallet_prelude::*;
	use gridproof_primitives::{
		H256,
		crypto::ed25519::{PublicKey, Signature},
		energy::{
			Accepted, Anchor, AnchorState, BatchHeader, BatchRecord, BatchRefusal, MeterIndex,
			MeterInfo, MeterName, MeterPage, Overview, PointId, ReadingRefusal, Registers, SealId,
			SerialNumber, SignedBatch, Suspension, Totals, VerifiedReading,
		},
	};
	use sp_runtime::traits::{IdentifyAccount, Verify};

	/// Amount of AIT, in its smallest unit (10⁻¹⁸ AIT).
	pub type BalanceOf<T> = <<T as Config>::Currency as fungible::Inspect<
		<T as frame_system::Config>::AccountId,
	>>::Balance;
	/// Id of a token of [`Config::Fungibles`].
	pub type AssetIdOf<T> = <<T as Config>::Fungibles as fungibles::Inspect<
		<T as frame_system::Config>::AccountId,
	>>::AssetId;
	/// Organisation, with this runtime's account and balance types.
	pub type OrganisationOf<T> = Organisation<<T as frame_system::Config>::AccountId, BalanceOf<T>>;
	/// Certificate with its deposit, with this runtime's account and balance types.
	pub type CertifiedOf<T> = Certified<<T as frame_system::Config>::AccountId, BalanceOf<T>>;
	/// A deposit, with this runtime's account and balance types.
	pub type DepositOf<T> = Deposit<<T as frame_system::Config>::AccountId, BalanceOf<T>>;
	/// Metering point, with this runtime's account type.
	pub type PointOf<T> = Point<<T as frame_system::Config>::AccountId>;
	/// State of a meter, with this runtime's account type.
	pub type MeterOf<T> = Meter<<T as frame_system::Config>::AccountId>;
	/// What an electrician certifies, with this runtime's account type.
	pub type CertificationOf<T> = Certification<<T as frame_system::Config>::AccountId>;
	/// Batches of one call, at most [`Config::MaxBatchesPerCall`].
	pub type BatchesOf<T> = BoundedVec<SignedBatch, <T as Config>::MaxBatchesPerCall>;

	/// Types, tokens, deposits, limits and origins that the runtime sets.
	#[pallet::config]
	pub trait Config: frame_system::Config<Hash = H256> {
		/// Source of the time in UTC milliseconds: the timestamp pallet.
		type Time: Time<Moment = u64>;

		/// Tokens, of which KWH is one. Nothing else may mint KWH.
		type Fungibles: fungibles::Mutate<Self::AccountId, Balance = u128>;

		/// Id of KWH, whose smallest unit is one Wh.
		#[pallet::constant]
		type Kwh: Get<AssetIdOf<Self>>;

		/// AIT, in which deposits are held.
		type Currency: fungible::Mutate<Self::AccountId>
			+ fungible::hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// Reasons for holds of the runtime, which include [`HoldReason`].
		type RuntimeHoldReason: From<HoldReason>;

		/// Signature with which an owner consents.
		type OwnerSignature: Verify<Signer: IdentifyAccount<AccountId = Self::AccountId>>
			+ Parameter;

		/// Derivation of energy accounts from owner and device.
		type EnergyAccounts: EnergyAccounts<Self::AccountId>;

		/// Origin that may admit and revoke organisations, suspend and decommission a meter, set
		/// limits, appoint recorders, and resume.
		type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Origin that may pause, and suspend a meter, in an emergency.
		type PauseOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Deposit for an organisation, in 10⁻¹⁸ AIT.
		#[pallet::constant]
		type OrganisationDeposit: Get<BalanceOf<Self>>;

		/// Deposit for a member, in 10⁻¹⁸ AIT.
		#[pallet::constant]
		type MemberDeposit: Get<BalanceOf<Self>>;

		/// Deposit for a meter with full rings of headers and anchors, in 10⁻¹⁸ AIT.
		#[pallet::constant]
		type MeterDeposit: Get<BalanceOf<Self>>;

		/// Part of the deposit for a meter that stays for its tombstones, in 10⁻¹⁸ AIT; at most
		/// [`Config::MeterDeposit`]. An exchange and a reinstatement hold it again.
		#[pallet::constant]
		type TombstoneDeposit: Get<BalanceOf<Self>>;

		/// Highest number of members of an organisation, at least 1.
		#[pallet::constant]
		type MaxMembers: Get<u32>;

		/// Highest number of accounts that may record anchors.
		#[pallet::constant]
		type MaxRecorders: Get<u32>;

		/// Highest number of batches in one call, at least 1.
		#[pallet::constant]
		type MaxBatchesPerCall: Get<u32>;

		/// Number of headers, and of anchors, that are kept of a meter, at least 1.
		#[pallet::constant]
		type MaxRecent: Get<u32>;

		/// Highest number of headers in a proof that an older batch was accepted, at least 1.
		#[pallet::constant]
		type MaxChain: Get<u32>;

		/// Number of blocks that a free submission may wait in the pool.
		#[pallet::constant]
		type SubmissionLongevity: Get<TransactionLongevity>;

		/// Priority of a free submission in the pool.
		#[pallet::constant]
		type SubmissionPriority: Get<TransactionPriority>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(3);

	/// The meter readings pallet: certified meters, and batches signed by their devices that mint
	/// KWH.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// Reasons for which this pallet holds AIT.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Deposit for the row of an organisation, held of its admin.
		#[codec(index = 0)]
		Organisation,
		/// Deposit for the row of a member, held of the organisation's admin.
		#[codec(index = 1)]
		Member,
		/// Deposit for the rows of a meter, held of the electrician who certified it.
		#[codec(index = 2)]
		Meter,
		/// Deposit for tombstones, held for ever of who paid for the meter, its exchange or its
		/// reinstatement.
		#[codec(index = 3)]
		Tombstone,
	}

	/// `true` while batches are stopped.
	#[pallet::storage]
	pub type Paused<T: Config> = StorageValue<_, bool, ValueQuery>;

	/// Limits that governance has set.
	#[pallet::storage]
	pub type LimitsInUse<T: Config> = StorageValue<_, Limits, ValueQuery>;

	/// What the last block and the last day with a batch have minted, in Wh.
	#[pallet::storage]
	pub type UsageNow<T: Config> = StorageValue<_, Usage<BlockNumberFor<T>>, ValueQuery>;

	/// Totals since genesis.
	#[pallet::storage]
	pub type SumsOfAll<T: Config> = StorageValue<_, Sums, ValueQuery>;

	/// Hash of the batches whose signatures were verified before the running call was dispatched.
	#[pallet::storage]
	pub type Verified<T: Config> = StorageValue<_, Mark<BlockNumberFor<T>>, OptionQuery>;

	/// Organisations, by number.
	#[pallet::storage]
	pub type Organisations<T: Config> =
		StorageMap<_, Twox64Concat, OrganisationIndex, OrganisationOf<T>, OptionQuery>;

	/// Number of the next organisation.
	#[pallet::storage]
	pub type NextOrganisation<T: Config> = StorageValue<_, OrganisationIndex, ValueQuery>;

	/// Number of the organisation that has a name; by the blake2-256 hash of the name in lower case.
	#[pallet::storage]
	pub type OrganisationNames<T: Config> =
		StorageMap<_, Identity, H256, OrganisationIndex, OptionQuery>;

	/// Energy that an organisation's meters minted on the last day on which they did, in Wh.
	#[pallet::storage]
	pub type OrganisationUsage<T: Config> =
		StorageMap<_, Twox64Concat, OrganisationIndex, DayUsage, ValueQuery>;

	/// Members of organisations, each with the deposit held for it.
	#[pallet::storage]
	pub type Members<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		OrganisationIndex,
		Blake2_128Concat,
		T::AccountId,
		DepositOf<T>,
		OptionQuery,
	>;

	/// Certificates, by meter.
	#[pallet::storage]
	pub type Certificates<T: Config> =
		StorageMap<_, Twox64Concat, MeterIndex, CertifiedOf<T>, OptionQuery>;

	/// State of each meter, against which a batch is checked and which it changes: one row, so that
	/// a batch reads and writes only one.
	#[pallet::storage]
	pub type Meters<T: Config> = StorageMap<_, Twox64Concat, MeterIndex, MeterOf<T>, OptionQuery>;

	/// Index of the next meter.
	#[pallet::storage]
	pub type NextMeter<T: Config> = StorageValue<_, MeterIndex, ValueQuery>;

	/// Index of the meter that has a name.
	#[pallet::storage]
	pub type MeterNames<T: Config> =
		StorageMap<_, Blake2_128Concat, MeterName, MeterIndex, OptionQuery>;

	/// Index of the meter for which a device key signs.
	#[pallet::storage]
	pub type DeviceKeys<T: Config> =
		StorageMap<_, Blake2_128Concat, PublicKey, MeterIndex, OptionQuery>;

	/// Index of the meter that has a name, a serial number or a seal; by its blake2-256 hash in lower
	/// case. A serial number or a seal of a meter that does not mint is its organisation's own.
	#[pallet::storage]
	pub type Numbers<T: Config> = StorageMap<_, Identity, H256, MeterIndex, OptionQuery>;

	/// Energy that a meter minted in error and that was taken back, or is owed, in Wh.
	#[pallet::storage]
	pub type Corrected<T: Config> = StorageMap<_, Twox64Concat, MeterIndex, u64, ValueQuery>;

	/// KWH that corrections burned since genesis, in Wh.
	#[pallet::storage]
	pub type BurnedByCorrections<T: Config> = StorageValue<_, u128, ValueQuery>;

	/// Id of the metering point that a meter's certificate names.
	#[pallet::storage]
	pub type MeterPoints<T: Config> = StorageMap<_, Twox64Concat, MeterIndex, PointId, OptionQuery>;

	/// Metering points; by the blake2-256 hash of the id in lower case. Meters that do not mint are at
	/// none, so that they can take no point from another. One that all meters have left stays if it owes,
	/// or if a meter that took energy was there.
	#[pallet::storage]
	pub type Points<T: Config> = StorageMap<_, Identity, H256, PointOf<T>, OptionQuery>;

	/// What is left of names, serial numbers, seals and keys. A key that is here never signs again.
	#[pallet::storage]
	pub type Tombstones<T: Config> = StorageMap<_, Identity, H256, Tombstone, OptionQuery>;

	/// Deposits that are held for tombstones, in 10⁻¹⁸ AIT.
	#[pallet::storage]
	pub type TombstoneDeposits<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, BalanceOf<T>, ValueQuery>;

	/// The last batches of a meter, by sequence number modulo [`Config::MaxRecent`].
	#[pallet::storage]
	pub type Recent<T: Config> =
		StorageDoubleMap<_, Twox64Concat, MeterIndex, Twox64Concat, u32, BatchRecord, OptionQuery>;

	/// Anchors of a meter's batches, by sequence number modulo [`Config::MaxRecent`].
	#[pallet::storage]
	pub type Anchors<T: Config> =
		StorageDoubleMap<_, Twox64Concat, MeterIndex, Twox64Concat, u32, Anchor, OptionQuery>;

	/// Accounts that may record anchors.
	#[pallet::storage]
	pub type Recorders<T: Config> =
		StorageValue<_, BoundedVec<T::AccountId, T::MaxRecorders>, ValueQuery>;

	/// Organisations and recorders of a new chain.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Admitted organisations: name, admin, electricians. They carry no deposits.
		pub organisations: Vec<(alloc::string::String, T::AccountId, Vec<T::AccountId>)>,
		/// Accounts that may record anchors.
		pub recorders: Vec<T::AccountId>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			Pallet::<T>::build_genesis(&self.organisations, &self.recorders);
		}
	}

	/// Events of this pallet.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A batch was accepted and its exported energy minted.
		BatchAccepted {
			/// Index of the meter whose readings the batch has.
			meter: MeterIndex,
			/// Sequence number of the batch, from 0.
			sequence: u64,
			/// Hash of the batch's header (blake2-256).
			header_hash: H256,
			/// KWH minted, in Wh; 0 if nothing was exported, nobody vouched for the meter, or the import
			/// meters of its point have not stated as far. An import or generation meter's batch mints
			/// to the energy account of the point's meter that delivered last.
			minted: u64,
		},
		/// A batch was refused; nothing has changed.
		BatchRefused {
			/// Index of the meter that the batch names.
			meter: MeterIndex,
			/// Sequence number that the batch has.
			sequence: u64,
			/// Hash of the batch's header (blake2-256).
			header_hash: H256,
			/// The rule that the batch breaks, or the limit that it exceeds.
			reason: BatchRefusal,
		},
		/// An organisation was registered; it waits for admission.
		OrganisationRegistered {
			/// Number of the organisation.
			organisation: OrganisationIndex,
			/// Account that administers it and paid its deposit.
			admin: T::AccountId,
			/// Name of the organisation, UTF-8, 1 to 64 bytes.
			name: OrganisationName,
		},
		/// Governance admitted or revoked an organisation.
		OrganisationStandingSet {
			/// Number of the organisation.
			organisation: OrganisationIndex,
			/// Standing until now.
			old: OrganisationStanding,
			/// Standing from now on.
			new: OrganisationStanding,
		},
		/// An organisation was dissolved and its deposit returned.
		OrganisationDissolved {
			/// Number that the organisation had.
			organisation: OrganisationIndex,
		},
		/// An electrician became a member of an organisation.
		MemberAdded {
			/// Number of the organisation.
			organisation: OrganisationIndex,
			/// Account of the electrician.
			who: T::AccountId,
		},
		/// An electrician's membership ended.
		MemberRemoved {
			/// Number of the organisation.
			organisation: OrganisationIndex,
			/// Account of the former member.
			who: T::AccountId,
		},
		/// A meter was certified and is in service.
		MeterCertified {
			/// Index that the chain gave the meter.
			meter: MeterIndex,
			/// Site, device and meter, as in its MQTT topic.
			name: MeterName,
			/// Account that owns the meter's energy.
			owner: T::AccountId,
			/// Ed25519 public key that signs the meter's batches.
			device: PublicKey,
			/// Account that receives its KWH: 1-of-2 of owner and device.
			energy_account: T::AccountId,
			/// Number of the organisation that certified it.
			organisation: OrganisationIndex,
			/// Account of the electrician who certified it.
			electrician: T::AccountId,
		},
		/// A meter was suspended: its batches are refused until it is reinstated.
		MeterSuspended {
			/// Index of the meter.
			meter: MeterIndex,
			/// Broken seal, lost key, or a decision of governance.
			reason: Suspension,
			/// Account that suspended it: the owner or an electrician; `None` if governance did.
			by: Option<T::AccountId>,
		},
		/// A suspended meter was reinstated: its batches are accepted again, and mint from now on.
		MeterReinstated {
			/// Index of the meter.
			meter: MeterIndex,
			/// Id of its new seal, at most 32 bytes.
			seal: SealId,
			/// Account of the electrician who vouches for it; `None` if governance lifted what it had
			/// decided.
			electrician: Option<T::AccountId>,
		},
		/// A meter or its device was exchanged: the registers continue from other values.
		MeterExchanged {
			/// Index of the meter.
			meter: MeterIndex,
			/// Last values of the old registers, in Wh.
			old: Registers,
			/// First values of the new registers, in Wh.
			new: Registers,
			/// Ed25519 public key that signs its batches from now on.
			device: PublicKey,
			/// Account that receives its KWH from now on.
			energy_account: T::AccountId,
			/// Maker and serial number of the meter that is there now, at most 32 bytes.
			serial: SerialNumber,
			/// Id of its new seal, at most 32 bytes.
			seal: SealId,
			/// Account of the electrician who vouches for it.
			electrician: T::AccountId,
		},
		/// A meter was taken out of service; its rows were removed and its deposit returned.
		MeterDecommissioned {
			/// Index that the meter had.
			meter: MeterIndex,
			/// Number of batches accepted in its lifetime.
			batches: u64,
			/// Hash of the last batch's header (blake2-256); zero if there was none.
			last: H256,
			/// Account that decommissioned it: the owner, an electrician, or who paid its deposit;
			/// `None` if governance did.
			by: Option<T::AccountId>,
		},
		/// A reading was shown to be in an accepted batch.
		ReadingVerified {
			/// Index of the meter.
			meter: MeterIndex,
			/// Sequence number of the batch.
			sequence: u64,
			/// Merkle root of the batch.
			root: H256,
			/// RFC 6962 leaf hash of the reading (SHA-256).
			leaf_hash: H256,
			/// Position of the reading in the batch, from 0.
			index: u32,
		},
		/// An anchor was recorded, or advanced to a further state.
		AnchorRecorded {
			/// Index of the meter.
			meter: MeterIndex,
			/// Sequence number of the batch.
			sequence: u64,
			/// Merkle root of the batch.
			root: H256,
			/// State of the anchor, with the Bitcoin transaction.
			state: AnchorState,
		},
		/// Governance appointed an account to record anchors.
		RecorderAdded {
			/// Account that may record anchors.
			who: T::AccountId,
		},
		/// Governance withdrew an account's right to record anchors.
		RecorderRemoved {
			/// Account that may no longer record anchors.
			who: T::AccountId,
		},
		/// Governance changed the limits.
		LimitsSet {
			/// Limits until now.
			old: Limits,
			/// Limits from now on.
			new: Limits,
		},
		/// Batches were stopped.
		Paused,
		/// Batches are accepted again.
		Resumed,
		/// A meter that was certified before its organisation was admitted mints from now on.
		MeterAdmitted {
			/// Index of the meter.
			meter: MeterIndex,
			/// Account of the electrician who asked for it.
			electrician: T::AccountId,
		},
		/// An organisation has another admin.
		OrganisationAdminSet {
			/// Number of the organisation.
			organisation: OrganisationIndex,
			/// Account that was its admin.
			old: T::AccountId,
			/// Account that is its admin now.
			new: T::AccountId,
		},
		/// What a meter minted in error was taken back.
		MeterCorrected {
			/// Index of the meter.
			meter: MeterIndex,
			/// KWH that were burned on its energy account, in Wh.
			burned_wh: u64,
			/// What was not there any more and is owed, by it or its metering point, in Wh.
			owed_wh: u64,
			/// Account of its organisation's admin; `None` if governance did it.
			by: Option<T::AccountId>,
		},
	}

	/// Reasons to refuse a call. Variants are only ever added at the end.
	#[pallet::error]
	pub enum Error<T> {
		/// Batches are stopped: submit them again after governance has resumed.
		Paused,
		/// The call contains no batch.
		NoBatches,
		/// Reserved, no call returns it: a refused batch has its reason in the event
		/// `BatchRefused`, and `preview_batches` says it in advance.
		Refused,
		/// No organisation has this number.
		NoOrganisation,
		/// The organisation was revoked; or, to admit a meter, it is not admitted.
		NotAdmitted,
		/// The caller is not the organisation's admin.
		NotAdmin,
		/// The caller is not an electrician of the organisation.
		NotMember,
		/// The account is already a member of the organisation.
		AlreadyMember,
		/// The organisation already has as many members as are allowed.
		MaxMembersExceeded,
		/// The organisation still has members or meters.
		InUse,
		/// The organisation's name is empty.
		EmptyName,
		/// No meter in service has this index.
		NoMeter,
		/// A meter with this name is in service already.
		NameTaken,
		/// A part of the meter's name is empty, or has a character that an MQTT topic cannot contain
		/// or that is not plain ASCII; or the organisation's name is not plain ASCII.
		BadName,
		/// The device key is of small order or not canonically encoded.
		WeakKey,
		/// The device key already signs for a meter in service.
		KeyInUse,
		/// The owner's account is the account of the device key itself.
		OwnerIsDevice,
		/// The rated power is zero watts.
		ZeroPower,
		/// The consent has expired, or is valid for longer than 30 days.
		ConsentExpired,
		/// The signature is not the owner's for this consent on this chain.
		BadConsent,
		/// The caller is neither the meter's owner nor an electrician of its organisation; or
		/// governance suspended the meter, and the caller is not governance.
		NotAuthorized,
		/// The value is already set.
		Unchanged,
		/// The meter is not suspended.
		NotSuspended,
		/// The meter's key is lost: give it a new one with `exchange_meter`.
		KeyLost,
		/// The batch was never accepted, or is too old for the state: prove it with the headers
		/// after it.
		UnknownBatch,
		/// A header does not follow the one before it.
		BrokenChain,
		/// The reading is not in the batch at this position, by this proof.
		NotIncluded,
		/// The caller may not record anchors.
		NotRecorder,
		/// As many accounts as are allowed may already record anchors.
		MaxRecordersExceeded,
		/// The anchor would go back to an earlier state, or one that is meant to be real would become
		/// simulated.
		AnchorBackwards,
		/// A confirmed anchor has fewer than six confirmations, or a transaction or block hash is
		/// zero.
		TooFewConfirmations,
		/// The anchor names another root than the batch has.
		OtherRoot,
		/// The limits contradict each other, or one is out of range.
		InvalidLimits,
		/// All indices have been used.
		Exhausted,
		/// The device key has signed for a meter before: a key is never used again.
		KeyRetired,
		/// Another meter has this serial number or this seal, or the seal was on a meter before.
		NumberTaken,
		/// The serial number, the seal or the metering point's id is empty or not plain ASCII, or it is not
		/// the seal that the meter has.
		BadNumber,
		/// The electrician is the meter's owner: nobody vouches for his own meter.
		OwnerCertifies,
		/// Certified service would begin too long ago, or before the end of what the same name,
		/// serial number or seal has stated before.
		SinceTooEarly,
		/// Certified service would begin in the future.
		SinceTooLate,
		/// The rated power is above the highest that governance allows.
		TooMuchPower,
		/// The device has not signed that it serves this meter of this owner on this chain.
		BadPossession,
		/// Another organisation has this name.
		OrganisationNameTaken,
		/// A meter of generation names no metering point: certify it with the point behind which it is.
		NoPoint,
		/// The metering point has meters of another owner.
		PointOfAnother,
		/// As many meters as are allowed are at the metering point; take one that is gone out of service.
		MaxPointMetersExceeded,
		/// The correction is of nothing, or of more than the meter ever delivered and was not corrected.
		AboveDelivered,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MaxRecent::get() > 0, "MaxRecent must not be zero");
			assert!(T::MaxBatchesPerCall::get() > 0, "MaxBatchesPerCall must not be zero");
			assert!(T::MaxMembers::get() > 0, "MaxMembers must not be zero");
			assert!(T::MaxChain::get() > 0, "MaxChain must not be zero");
			assert!(
				T::TombstoneDeposit::get() <= T::MeterDeposit::get(),
				"tombstones must not cost more than a meter"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Submits batches of readings, and mints KWH for the energy they export.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (a general transaction without a signer), only if every batch is
		/// acceptable now and free of fees; or `Signed`, with the fee returned if every batch was
		/// accepted and free of fees.
		///
		/// ## Details
		///
		/// Each batch succeeds or fails on its own, in the given order. Checks, cheapest first: the
		/// meter and its organisation; [`check_batch`](gridproof_primitives::energy::check_batch);
		/// the limits on minting; and last the signature and whether the token accepts the mint.
		/// Before a transaction without a signer enters the pool, every cheap check is made for all
		/// batches, after the signature of the first and before those of the others.
		///
		/// Free of fees is a batch of a meter that mints, of at least
		/// [`BatchLimits::min_free_ms`](gridproof_primitives::energy::BatchLimits), and at most
		/// `free_per_hour` of one meter in an hour.
		///
		/// ## Parameters
		///
		/// - `batches`: headers with their devices' Ed25519 signatures, 1 to
		///   [`Config::MaxBatchesPerCall`].
		///
		/// ## Errors
		///
		/// - [`Error::Paused`] if batches are stopped.
		/// - [`Error::NoBatches`] if `batches` is empty.
		///
		/// A batch that is refused is not an error of the call: its event has the reason.
		///
		/// ## Events
		///
		/// - [`Event::BatchAccepted`] or [`Event::BatchRefused`] for each batch
		#[pallet::call_index(0)]
		#[pallet::weight(Pallet::<T>::weight_of_submit(batches))]
		#[pallet::authorize(Pallet::<T>::authorize_submit)]
		#[pallet::weight_of_authorize(Pallet::<T>::weight_of_authorize_submit(batches))]
		pub fn submit_batches(
			origin: OriginFor<T>,
			batches: BatchesOf<T>,
		) -> DispatchResultWithPostInfo {
			// Who sends does not matter. Nothing here depends on earlier checks except through the
			// mark, which is bound to this extrinsic.
			let fare = if ensure_authorized(origin.clone()).is_ok() {
				Fare::Free
			} else {
				ensure_signed(origin)?;
				Fare::Paid
			};
			let outcome = Self::accept_batches(&batches, fare)?;
			let pays_fee = if outcome.is_free { Pays::No } else { Pays::Yes };
			Ok(PostDispatchInfo { actual_weight: Some(outcome.weight), pays_fee })
		}

		/// Registers an organisation of electricians. Its meters mint nothing until governance admits
		/// it.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone; the caller becomes its admin and pays the deposit.
		///
		/// ## Parameters
		///
		/// - `name`: plain ASCII, 1 to 64 bytes.
		///
		/// ## Errors
		///
		/// - [`Error::EmptyName`] if `name` is empty.
		/// - [`Error::BadName`] if `name` is not plain ASCII, or has a blank at begin or end or two in
		///   a row.
		/// - [`Error::OrganisationNameTaken`] if another organisation has this name, in lower case.
		/// - [`Error::Exhausted`] if all numbers have been used.
		/// - An error of the native token if the caller has too little AIT for the deposit.
		///
		/// ## Events
		///
		/// - [`Event::OrganisationRegistered`] with the organisation's number
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
		/// ## Parameters
		///
		/// - `organisation`: the number of the organisation.
		///
		/// ## Errors
		///
		/// - [`Error::NoOrganisation`] if no organisation has this number.
		/// - [`Error::NotAdmin`] if the caller is not its admin.
		/// - [`Error::InUse`] if it still has members or meters.
		///
		/// ## Events
		///
		/// - [`Event::OrganisationDissolved`] once the deposit is returned
		#[pallet::call_index(2)]
		pub fn dissolve_organisation(
			origin: OriginFor<T>,
			#[pallet::compact] organisation: OrganisationIndex,
		) -> DispatchResult {
			let admin = ensure_signed(origin)?;
			Self::do_dissolve_organisation(admin, organisation)
		}

		/// Makes an account an electrician of an organisation.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the organisation's admin, who pays the deposit.
		///
		/// ## Parameters
		///
		/// - `organisation`: the number of the organisation.
		/// - `who`: the account of the electrician.
		///
		/// ## Errors
		///
		/// - [`Error::NoOrganisation`] if no organisation has this number.
		/// - [`Error::NotAdmin`] if the caller is not its admin.
		/// - [`Error::AlreadyMember`] if `who` is a member already.
		/// - [`Error::MaxMembersExceeded`] if it has [`Config::MaxMembers`] members.
		/// - An error of the native token if the admin has too little AIT for the deposit.
		///
		/// ## Events
		///
		/// - [`Event::MemberAdded`] with organisation and account
		#[pallet::call_index(3)]
		pub fn add_member(
			origin: OriginFor<T>,
			#[pallet::compact] organisation: OrganisationIndex,
			who: T::AccountId,
		) -> DispatchResult {
			let admin = ensure_signed(origin)?;
			Self::do_add_member(admin, organisation, who)
		}

		/// Ends a membership and returns its deposit to who paid it. What the electrician has
		/// certified stays certified.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the organisation's admin or by the member.
		///
		/// ## Parameters
		///
		/// - `organisation`: the number of the organisation.
		/// - `who`: the account of the member.
		///
		/// ## Errors
		///
		/// - [`Error::NoOrganisation`] if no organisation has this number.
		/// - [`Error::NotAdmin`] if the caller is neither its admin nor `who`.
		/// - [`Error::NotMember`] if `who` is not a member.
		///
		/// ## Events
		///
		/// - [`Event::MemberRemoved`] with organisation and account
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
		/// its meters are refused; their owners, and who paid their deposits, can decommission them.
		/// What they measure until it is admitted again never mints. Meters that were certified before
		/// the first admission mint once they are admitted with [`Pallet::admit_meter`].
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `organisation`: the number of the organisation.
		/// - `standing`: the new standing.
		///
		/// ## Errors
		///
		/// - [`Error::NoOrganisation`] if no organisation has this number.
		/// - [`Error::Unchanged`] if it has this standing already.
		///
		/// ## Events
		///
		/// - [`Event::OrganisationStandingSet`] with the old and the new standing
		#[pallet::call_index(5)]
		pub fn set_organisation_standing(
			origin: OriginFor<T>,
			#[pallet::compact] organisation: OrganisationIndex,
			standing: OrganisationStanding,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_set_standing(organisation, standing)
		}

		/// Certifies a meter and puts it in service.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by an electrician of an organisation that is not revoked, who pays the deposit and
		/// is not the owner.
		///
		/// ## Details
		///
		/// The meter mints if its organisation is admitted now.
		/// What its device drew since it had this serial number or seal before is a debt from the begin: what
		/// the import register shows more, or, if it shows less, the highest that rated power allows. An
		/// import meter at a metering point that others have left takes over what they can have drawn.
		///
		/// ## Parameters
		///
		/// - `organisation`: number of the organisation for which the electrician acts.
		/// - `certification`: the meter's name, device key, owner, rated power in W, registers in
		///   Wh and the other facts that the electrician vouches for.
		/// - `consent`: the owner's signature of
		///   [`OwnerConsent::signing_payload`](gridproof_primitives::energy::OwnerConsent), plain
		///   or as wallets sign bytes, between `<Bytes>` and `</Bytes>`.
		/// - `possession`: the device's signature of
		///   [`possession_payload`](gridproof_primitives::energy::possession_payload).
		///
		/// ## Errors
		///
		/// - [`Error::NoOrganisation`] if no organisation has this number.
		/// - [`Error::NotAdmitted`] if the organisation was revoked.
		/// - [`Error::NotMember`] if the caller is not an electrician of it.
		/// - [`Error::OwnerCertifies`] if the caller is the owner.
		/// - [`Error::BadName`] if a part of the name is empty, cannot be in an MQTT topic, or is not
		///   plain ASCII.
		/// - [`Error::NameTaken`] if a meter in service has this name, in lower case.
		/// - [`Error::ZeroPower`] if the rated power is zero.
		/// - [`Error::TooMuchPower`] if the rated power is above [`Limits::max_rated_power_w`].
		/// - [`Error::BadNumber`] if serial number, seal or the point's id is empty or not plain ASCII.
		/// - [`Error::NumberTaken`] if a meter of the organisation, or one that mints if this one does,
		///   has the serial number or the seal.
		/// - [`Error::SinceTooLate`] if service would begin in the future.
		/// - [`Error::SinceTooEarly`] if it would begin longer ago than [`Limits::max_backdate_ms`], or
		///   before the end of what the same name, serial number or seal has stated before.
		/// - [`Error::NoPoint`] if it is a meter of generation and names no metering point.
		/// - [`Error::PointOfAnother`] if meters of another owner that mint are at the point.
		/// - [`Error::MaxPointMetersExceeded`] if [`MAX_POINT_METERS`](gridproof_primitives::energy::MAX_POINT_METERS)
		///   are at it.
		/// - [`Error::WeakKey`] if the device key is of small order or not canonically encoded.
		/// - [`Error::KeyInUse`] if the device key signs for a meter in service.
		/// - [`Error::KeyRetired`] if the device key has ever signed for another one.
		/// - [`Error::OwnerIsDevice`] if the owner is the account of the device key.
		/// - [`Error::BadPossession`] if `possession` is not the device's signature.
		/// - [`Error::ConsentExpired`] if the consent has expired, or is valid for more than 30
		///   days.
		/// - [`Error::BadConsent`] if the signature is not the owner's for this consent on this
		///   chain.
		/// - [`Error::Exhausted`] if all indices have been used.
		/// - An error of the native token if the caller has too little AIT for the deposit.
		///
		/// ## Events
		///
		/// - [`Event::MeterCertified`] with the meter's index
		#[pallet::call_index(6)]
		// Since it was measured: the tombstone of a name without a serial number.
		#[pallet::weight(
			T::WeightInfo::certify_meter().saturating_add(T::DbWeight::get().reads_writes(1, 1))
		)]
		pub fn certify_meter(
			origin: OriginFor<T>,
			#[pallet::compact] organisation: OrganisationIndex,
			certification: Box<CertificationOf<T>>,
			consent: Box<T::OwnerSignature>,
			possession: Signature,
		) -> DispatchResult {
			let electrician = ensure_signed(origin)?;
			Self::do_certify(electrician, organisation, *certification, &consent, &possession)
		}

		/// Suspends a meter: its batches are refused until it is reinstated.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by an electrician of its organisation or by its owner; [`Config::PauseOrigin`] or
		/// [`Config::GovernanceOrigin`] for any meter.
		///
		/// ## Details
		///
		/// A suspension for a broken seal can become one for a lost key, but not the reverse. One by
		/// governance stays until governance reinstates the meter. What the meter measures until then
		/// never mints.
		///
		/// ## Parameters
		///
		/// - `meter`: the index of the meter.
		/// - `reason`: broken seal, lost key, or governance.
		///
		/// ## Errors
		///
		/// - [`Error::NoMeter`] if no meter in service has this index.
		/// - [`Error::NotAuthorized`] if the caller is neither its owner nor an electrician of its
		///   organisation; if `reason` is governance and the caller is not; or if governance suspended
		///   it.
		/// - [`Error::Unchanged`] if it is suspended for this reason already.
		/// - [`Error::KeyLost`] if it is suspended for a lost key.
		///
		/// ## Events
		///
		/// - [`Event::MeterSuspended`] with the reason
		#[pallet::call_index(7)]
		pub fn suspend_meter(
			origin: OriginFor<T>,
			#[pallet::compact] meter: MeterIndex,
			reason: Suspension,
		) -> DispatchResult {
			let by = match T::PauseOrigin::try_origin(origin) {
				Ok(_) => None,
				Err(origin) => Self::governance_or_signed(origin)?,
			};
			Self::do_suspend(by, meter, reason)
		}

		/// Reinstates a suspended meter under a new seal: its batches are accepted again. Those that
		/// begin before now mint nothing.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by an electrician of its organisation, which must not be revoked, who is not the
		/// owner and pays the deposit for the tombstone of the old seal; [`Config::GovernanceOrigin`]
		/// if governance suspended it.
		///
		/// ## Parameters
		///
		/// - `meter`: the index of the meter.
		/// - `seal`: the id of the new seal, at most 32 bytes, that was on no meter before; for
		///   governance, the seal that the meter has.
		///
		/// ## Errors
		///
		/// - [`Error::NoMeter`] if no meter in service has this index.
		/// - [`Error::NotAdmitted`] if its organisation was revoked.
		/// - [`Error::NotMember`] if the caller is not an electrician of its organisation.
		/// - [`Error::OwnerCertifies`] if the caller is the owner.
		/// - [`Error::NotSuspended`] if the meter is not suspended.
		/// - [`Error::NotAuthorized`] if governance suspended it and the caller is not governance, or
		///   the reverse.
		/// - [`Error::BadNumber`] if the seal is empty or not plain ASCII; for governance, if it is not
		///   the meter's.
		/// - [`Error::NumberTaken`] if the seal is, or was, on a meter.
		/// - An error of the native token if the caller has too little AIT for the deposit.
		/// - [`Error::KeyLost`] if it is suspended for a lost key; exchange the key instead.
		///
		/// ## Events
		///
		/// - [`Event::MeterReinstated`] with the new seal
		#[pallet::call_index(8)]
		pub fn reinstate_meter(
			origin: OriginFor<T>,
			#[pallet::compact] meter: MeterIndex,
			seal: SealId,
		) -> DispatchResult {
			let by = Self::governance_or_signed(origin)?;
			Self::do_reinstate(by, meter, seal)
		}

		/// Records that a meter, or the key of its device, was exchanged.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by an electrician of its organisation, which must not be revoked, who is not the
		/// owner and pays the deposit for the tombstones of the old seal, number and key.
		///
		/// ## Details
		///
		/// The registers continue from the values that the electrician states; sequence number and
		/// previous hash stay as they were, and a suspension ends. Batches that begin before now mint
		/// nothing; if the key stays, one that was signed before is still taken, from the old registers.
		/// What was drawn by now and not stated is a debt: if the serial number stays, what the register
		/// shows more; else, or if it fell, the highest that rated power allows since it was seen last.
		/// To replace a meter that still shows its register, exchange it for itself first.
		/// A new device key needs
		/// the owner's consent, because the device is one of the two accounts that can move the
		/// energy account's KWH: from then on KWH goes to the account of owner and new device. A
		/// meter whose key is lost needs a new key.
		///
		/// ## Parameters
		///
		/// - `meter`: the index of the meter.
		/// - `registers`: what the registers show now, in Wh.
		/// - `serial`: maker and serial number of the meter that is there now, at most 32 bytes.
		/// - `seal`: the id of the new seal, at most 32 bytes, that was on no meter before.
		/// - `device`: the new key with the owner's consent, a signature of
		///   [`ExchangeConsent::signing_payload`](gridproof_primitives::energy::ExchangeConsent), and
		///   its proof of possession; `None` if the key stays.
		///
		/// ## Errors
		///
		/// - [`Error::NoMeter`] if no meter in service has this index.
		/// - [`Error::NotAdmitted`] if its organisation was revoked.
		/// - [`Error::NotMember`] if the caller is not an electrician of its organisation.
		/// - [`Error::OwnerCertifies`] if the caller is the owner.
		/// - [`Error::NotAuthorized`] if governance suspended it.
		/// - [`Error::KeyLost`] if the meter is suspended for a lost key and `device` is `None`.
		/// - [`Error::BadNumber`] if serial number or seal is empty or not plain ASCII.
		/// - [`Error::NumberTaken`] if another meter has the serial number, or the seal is, or was, on
		///   a meter.
		/// - [`Error::WeakKey`] if the new key is of small order or not canonically encoded.
		/// - [`Error::KeyInUse`] if the new key signs for a meter in service.
		/// - [`Error::KeyRetired`] if the new key has ever signed for another one.
		/// - [`Error::OwnerIsDevice`] if the owner is the account of the new key.
		/// - [`Error::BadPossession`] if the new key has not signed that it serves this meter.
		/// - [`Error::ConsentExpired`] if the consent has expired, or is valid for more than 30 days.
		/// - [`Error::BadConsent`] if the signature is not the owner's for this consent on this
		///   chain.
		///
		/// ## Events
		///
		/// - [`Event::MeterExchanged`] with the old and the new registers
		#[pallet::call_index(9)]
		// Since it was measured: the limits.
		#[pallet::weight(T::WeightInfo::exchange_meter().saturating_add(T::DbWeight::get().reads(1)))]
		pub fn exchange_meter(
			origin: OriginFor<T>,
			#[pallet::compact] meter: MeterIndex,
			registers: Registers,
			serial: SerialNumber,
			seal: SealId,
			device: Option<Box<NewDevice<T::OwnerSignature>>>,
		) -> DispatchResult {
			let electrician = ensure_signed(origin)?;
			let device = device.map(|new| *new);
			let exchange = Exchange { registers, serial, seal, device };
			Self::do_exchange(electrician, meter, exchange)
		}

		/// Takes a meter out of service: its rows are removed and its deposit is returned to the
		/// account that paid it, except for the part that keeps its tombstones.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by its owner or by an electrician of its organisation; by who paid its deposit if
		/// it is suspended or its organisation is not admitted; or [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// Its last import register stays with its serial number and its seal, and the place that a meter
		/// which takes energy leaves at its metering point stays empty: see [`Pallet::certify_meter`].
		///
		/// ## Parameters
		///
		/// - `meter`: the index of the meter.
		///
		/// ## Errors
		///
		/// - [`Error::NoMeter`] if no meter in service has this index.
		/// - [`Error::NotAuthorized`] if the caller is neither its owner nor an electrician of its
		///   organisation.
		///
		/// ## Events
		///
		/// - [`Event::MeterDecommissioned`] with the hash of its last batch
		#[pallet::call_index(10)]
		#[pallet::weight(T::WeightInfo::decommission_meter(T::MaxRecent::get()))]
		pub fn decommission_meter(
			origin: OriginFor<T>,
			#[pallet::compact] meter: MeterIndex,
		) -> DispatchResultWithPostInfo {
			let by = Self::governance_or_signed(origin)?;
			let cleared = Self::do_decommission(by, meter)?;
			Ok(Some(T::WeightInfo::decommission_meter(cleared)).into())
		}

		/// Shows on chain that one reading is in a batch that was accepted.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone.
		///
		/// ## Parameters
		///
		/// - `batch`: one of the batches that are kept, or an older one with the headers after it.
		/// - `leaf`: the reading's canonical JSON, at most 4,096 bytes.
		/// - `index`: the position of the reading in the batch, from 0.
		/// - `proof`: the RFC 6962 inclusion proof: at most 32 sibling hashes, from the leaf
		///   upwards.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownBatch`] if the batch is not kept, or the last of the headers is not
		///   known.
		/// - [`Error::BrokenChain`] if a header does not follow the one before it.
		/// - [`Error::NotIncluded`] if the proof does not lead from the reading to the batch's
		///   root.
		///
		/// ## Events
		///
		/// - [`Event::ReadingVerified`] with the batch and the leaf hash
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

		/// Records the Bitcoin transaction that commits to a batch's root, or its progress.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by an account that governance appointed.
		///
		/// ## Details
		///
		/// The first record needs the batch among those kept; later ones do not. The state only
		/// moves forward: pending, broadcast, confirmed. Any of these replaces a simulated anchor, and is
		/// never replaced by one.
		///
		/// ## Parameters
		///
		/// - `meter`: the index of the meter.
		/// - `sequence`: the sequence number of the batch, from 0.
		/// - `root`: the Merkle root of the batch.
		/// - `state`: the state of the anchor, with the Bitcoin transaction.
		///
		/// ## Errors
		///
		/// - [`Error::NotRecorder`] if governance has not appointed the caller.
		/// - [`Error::TooFewConfirmations`] if `state` is confirmed with fewer than six
		///   confirmations, or one of its hashes is zero.
		/// - [`Error::UnknownBatch`] if there is no anchor yet and the batch is not kept.
		/// - [`Error::OtherRoot`] if `root` is not the batch's.
		/// - [`Error::Unchanged`] if the anchor has this state already.
		/// - [`Error::AnchorBackwards`] if the anchor cannot move to `state` from its present
		///   state.
		///
		/// ## Events
		///
		/// - [`Event::AnchorRecorded`] with the new state
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

		/// Appoints an account to record anchors, or withdraws the appointment.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `who`: the account.
		/// - `appointed`: `true` to appoint it, `false` to withdraw the appointment.
		///
		/// ## Errors
		///
		/// - [`Error::Unchanged`] if `who` is already appointed, or already not appointed.
		/// - [`Error::MaxRecordersExceeded`] if [`Config::MaxRecorders`] accounts are appointed.
		///
		/// ## Events
		///
		/// - [`Event::RecorderAdded`] if `who` is appointed
		/// - [`Event::RecorderRemoved`] if the appointment is withdrawn
		#[pallet::call_index(13)]
		pub fn set_recorder(
			origin: OriginFor<T>,
			who: T::AccountId,
			appointed: bool,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_set_recorder(who, appointed)
		}

		/// Sets the limits on minting and on single batches.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `limits`: energy per block, day, and organisation and day in Wh; highest rated power in W;
		///   how long ago service may begin in ms; clock skew in ms, tolerance in parts per thousand,
		///   shortest free batch in ms, number of free batches in an hour.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidLimits`] if a block or an organisation may mint more than a day, no power
		///   is allowed, service may begin more than seven days ago, the skew or the shortest free batch
		///   is above a day, or the tolerance is not between 1 and [`MAX_TOLERANCE_PPT`].
		/// - [`Error::Unchanged`] if they equal the present limits.
		///
		/// ## Events
		///
		/// - [`Event::LimitsSet`] with the old and the new limits
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

		/// Stops batches, in an emergency.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::PauseOrigin`] or [`Config::GovernanceOrigin`].
		///
		/// ## Errors
		///
		/// - [`Error::Unchanged`] if batches are stopped already.
		///
		/// ## Events
		///
		/// - [`Event::Paused`] once batches are stopped
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

		/// Resumes batches.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`] only: those who may stop in an emergency cannot end the
		/// stop alone.
		///
		/// ## Errors
		///
		/// - [`Error::Unchanged`] if batches are not stopped.
		///
		/// ## Events
		///
		/// - [`Event::Resumed`] once batches are accepted again
		#[pallet::call_index(16)]
		pub fn resume(origin: OriginFor<T>) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			ensure!(Paused::<T>::get(), Error::<T>::Unchanged);
			Paused::<T>::kill();
			Self::deposit_event(Event::Resumed);
			Ok(())
		}

		/// Lets a meter mint that was certified before its organisation was admitted, from now on.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by an electrician of its organisation, which must be admitted, who is not the
		/// owner.
		///
		/// ## Parameters
		///
		/// - `meter`: the index of the meter.
		///
		/// ## Errors
		///
		/// - [`Error::NoMeter`] if no meter in service has this index.
		/// - [`Error::NoOrganisation`] if its organisation is gone.
		/// - [`Error::NotAdmitted`] if its organisation is not admitted.
		/// - [`Error::NotMember`] if the caller is not an electrician of its organisation.
		/// - [`Error::Unchanged`] if it mints already.
		/// - [`Error::OwnerCertifies`] if the caller is the owner.
		/// - [`Error::NumberTaken`] if a meter that mints has its serial number or its seal.
		/// - [`Error::PointOfAnother`] or [`Error::MaxPointMetersExceeded`], as in
		///   [`Pallet::certify_meter`].
		///
		/// ## Events
		///
		/// - [`Event::MeterAdmitted`] once it mints
		#[pallet::call_index(17)]
		// Since it was measured: the limits, and the tombstone of a name without a serial number.
		#[pallet::weight(T::WeightInfo::admit_meter().saturating_add(T::DbWeight::get().reads(2)))]
		pub fn admit_meter(
			origin: OriginFor<T>,
			#[pallet::compact] meter: MeterIndex,
		) -> DispatchResult {
			let electrician = ensure_signed(origin)?;
			Self::do_admit_meter(electrician, meter)
		}

		/// Gives an organisation another admin. Deposits stay with those who paid them, and return to
		/// them.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by its admin, or [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `organisation`: the number of the organisation.
		/// - `new`: the account of the new admin.
		///
		/// ## Errors
		///
		/// - [`Error::NoOrganisation`] if no organisation has this number.
		/// - [`Error::NotAdmin`] if the caller is not its admin.
		/// - [`Error::Unchanged`] if `new` is its admin already.
		///
		/// ## Events
		///
		/// - [`Event::OrganisationAdminSet`] with the old and the new admin
		#[pallet::call_index(18)]
		pub fn set_organisation_admin(
			origin: OriginFor<T>,
			#[pallet::compact] organisation: OrganisationIndex,
			new: T::AccountId,
		) -> DispatchResult {
			let by = Self::governance_or_signed(origin)?;
			Self::do_set_admin(by, organisation, new)
		}

		/// Takes back what a meter minted in error: KWH of its energy account as far as there are any; the
		/// rest it has to deliver before it mints again.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the admin of its organisation, or [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `meter`: the index of the meter.
		/// - `wh`: energy that was minted in error, in Wh; at most what it delivered, less earlier
		///   corrections.
		///
		/// ## Errors
		///
		/// - [`Error::NoMeter`] if no meter in service has this index.
		/// - [`Error::NoOrganisation`] if its organisation is gone.
		/// - [`Error::NotAdmin`] if the caller is not the admin of its organisation.
		/// - [`Error::AboveDelivered`] if `wh` is zero, or more than can have been minted in error.
		/// - An error of the token if it does not burn what is there.
		///
		/// ## Events
		///
		/// - [`Event::MeterCorrected`] with what was burned and what is owed
		#[pallet::call_index(19)]
		// By hand until it is measured: fewer rows than an exchange has, and those of the token.
		#[pallet::weight(
			T::WeightInfo::exchange_meter().saturating_add(T::DbWeight::get().reads_writes(4, 4))
		)]
		pub fn correct_meter(
			origin: OriginFor<T>,
			#[pallet::compact] meter: MeterIndex,
			#[pallet::compact] wh: u64,
		) -> DispatchResult {
			let by = Self::governance_or_signed(origin)?;
			Self::do_correct(by, meter, wh)
		}
	}

	impl<T: Config> Pallet<T> {
		/// Returns the signer; `None` is governance.
		fn governance_or_signed(
			origin: OriginFor<T>,
		) -> Result<Option<T::AccountId>, sp_runtime::DispatchError> {
			match T::GovernanceOrigin::try_origin(origin) {
				Ok(_) => Ok(None),
				Err(origin) => Ok(Some(ensure_signed(origin)?)),
			}
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Returns a meter in service; `None` if there is none with this index.
		pub fn meter(meter: MeterIndex) -> Option<MeterInfo<T::AccountId>> {
			Self::info(meter)
		}

		/// Returns the meter in service that has this name, with its index.
		pub fn meter_by_name(name: MeterName) -> Option<(MeterIndex, MeterInfo<T::AccountId>)> {
			let meter = MeterNames::<T>::get(name)?;
			Some((meter, Self::info(meter)?))
		}

		/// Returns the meters in service from index `from` on, at most `limit` and at most 1,000, of 4,000
		/// indices at most. Whether there are more, [`Pallet::meter_page`] says.
		pub fn meters(from: MeterIndex, limit: u32) -> Vec<MeterInfo<T::AccountId>> {
			Self::page(from, limit).meters
		}

		/// Returns the meters in service from index `from` on, at most `limit` and at most 1,000, of 4,000
		/// indices at most, and the index from which the list goes on.
		pub fn meter_page(from: MeterIndex, limit: u32) -> MeterPage<T::AccountId> {
			Self::page(from, limit)
		}

		/// Returns a meter's energy over several spans of time, in Wh; the last hour as far as its
		/// batches are kept.
		pub fn totals(meter: MeterIndex) -> Option<Totals> {
			Self::totals_now(meter)
		}

		/// Returns a batch, `None` if it is not among those kept.
		pub fn batch(meter: MeterIndex, sequence: u64) -> Option<BatchRecord> {
			Self::record(meter, sequence)
		}

		/// Returns the anchor of a batch, `None` if it is not among those kept.
		pub fn anchor(meter: MeterIndex, sequence: u64) -> Option<Anchor> {
			Self::kept_anchor(meter, sequence)
		}

		/// Returns an error unless this reading, as canonical JSON, is in a batch that is kept, by
		/// its RFC 6962 inclusion proof.
		pub fn verify_recent_reading(
			meter: MeterIndex,
			sequence: u64,
			leaf: Vec<u8>,
			index: u32,
			proof: Vec<H256>,
		) -> Result<(), ReadingRefusal> {
			Self::reading_in_recent(meter, sequence, &leaf, index, &proof)
		}

		/// Returns an error unless this reading is in the batch of the first of these headers. The
		/// others must follow it without a gap, up to one that the chain knows.
		pub fn verify_older_reading(
			headers: Vec<BatchHeader>,
			leaf: Vec<u8>,
			index: u32,
			proof: Vec<H256>,
		) -> Result<(), ReadingRefusal> {
			Self::reading_in_chain(&headers, &leaf, index, &proof)
		}

		/// Returns for each of these batches, in this order, whether it would be accepted now, free of
		/// fees.
		pub fn preview_batches(batches: Vec<SignedBatch>) -> Vec<Result<Accepted, BatchRefusal>> {
			Self::preview_run(&batches)
		}

		/// Returns the totals of the network: organisations, meters, batches, energy.
		pub fn overview() -> Overview {
			Self::overview_now()
		}
	}
}
