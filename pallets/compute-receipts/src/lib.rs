//! # Compute receipts pallet
//!
//! Holds a client's money until work is delivered, settles it with one receipt, and mints AIT
//! against that receipt and nothing else.
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for the interfaces of this pallet: its configuration trait,
//! dispatchables, storage items, events and errors. [`runtime_api`] has the same queries as the
//! view functions, for clients that speak runtime APIs.
//!
//! ## Terminology
//!
//! * **Party**: a miner or a coordinator, known by its Ed25519 key, with a bond in AIT.
//! * **Quote**: what a coordinator signed; it opens one job of one client.
//! * **Receipt**: what a miner delivered for a job, signed by the miner and by the coordinator.
//! * **Step**: a stretch of time with a budget of AIT; see [`gridproof_primitives::compute::emission`].
//! * **Weight** of a receipt: its compute units, times its miner's class and score.
//!
//! Formats, formulas and refusals are in [`gridproof_primitives::compute`] and its neighbours.
//!
//! ## Overview
//!
//! ### From quote to settlement
//!
//! [`Pallet::open_job`] holds the quoted price: AIT or AICP on hold, or service credit. A receipt
//! within the quote settles the job once: miner, coordinator and treasury get their shares of the
//! receipt's price, the client the rest. Many receipts travel in one [`Pallet::claim_receipts`];
//! each settles or is refused alone, with an event that says why.
//!
//! ### Who may be paid
//!
//! The coordinator's signature under a receipt says which miner was to do the job. A quote can
//! name the miner beforehand, and so can an assignment on chain ([`Pallet::assign_job`]), which
//! also ends the client's right to cancel. Then no other miner is paid, whoever signs.
//!
//! ### How a client gets its money back
//!
//! From the deadline on nothing can settle the job any more, and any touch returns the money:
//! [`Pallet::expire_jobs`], free for anyone, the client's own [`Pallet::cancel_job`], a claim that
//! comes too late, or an idle moment of a block. A cancellation brings the deadline forward by a
//! notice, in which the start of the work can still be proven. A coordinator that lets a job go
//! ([`Pallet::release_job`]) returns the money at once.
//!
//! ### Emission
//!
//! Receipts add their weight to the running step. The first touch after the step's end fixes its
//! pool: the least of budget, demand and reserve. Each party keeps what it earned in its own row,
//! and [`Pallet::claim_emission`] pays it, for as many parties as are named, whenever they ask. A
//! step's row goes when the last party has converted its part, and a party has at most one step
//! to convert, so that there are never more rows than parties.
//!
//! The score that weighs a miner's receipts is fixed with its first receipt in a step, so that the
//! order of receipts does not matter.
//!
//! ### Offences
//!
//! [`Pallet::report_offence`] takes evidence that proves itself. An offence costs part of the score
//! and, with the third that counts, a ban; where slashing is on, part of the bond after a grace
//! period in which governance can call it off.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
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

mod authorize;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod claims;
mod emission;
mod escrow;
mod jobs;
#[cfg(test)]
mod mock;
mod offences;
mod parties;
pub mod runtime_api;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
// `as` is what the derived encoding of an enum writes.
#[allow(clippy::as_conversions)]
pub mod types;
mod views;
pub mod weights;

pub use gridproof_primitives::compute::ComputeParameters;
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
		dispatch::DispatchResultWithPostInfo,
		pallet_prelude::*,
		traits::{Time, fungible},
	};
	use frame_system::pallet_prelude::*;
	use gridproof_primitives::{
		H256,
		compute::settlement::{Shares, WorkRecorder},
		compute::{
			Class, ComputeParameterFault, CoordinatorView, Earnings, Evidence, JobState, JobView,
			MinerView, OffenceKind, Overview, PartyRole, Preview, PriceAsset, Quote,
			ReceiptRefusal, ReceiptView, SignedAssignment, SignedReceipt, StepView,
		},
		crypto::ed25519::{PublicKey, Signature},
		reserve::attestation::ServiceCredit,
	};
	use sp_runtime::AccountId32;

	/// The configuration of the pallet.
	#[pallet::config]
	pub trait Config: frame_system::Config<AccountId = AccountId32, Hash = H256> {
		/// AIT. Nobody else may mint it.
		type Currency: fungible::Mutate<AccountId32, Balance = u128>
			+ fungible::hold::Mutate<AccountId32, Reason = Self::RuntimeHoldReason>;

		/// AICP, with 6 decimals, for jobs that are paid in it.
		type Aicp: fungible::hold::Mutate<AccountId32, Balance = u128, Reason = Self::RuntimeHoldReason>;

		/// What redeemed AICP is worth, for jobs that are paid with it.
		type ServiceCredit: ServiceCredit<AccountId32>;

		/// The runtime's reasons for holds.
		type RuntimeHoldReason: From<HoldReason>;

		/// Gets its part of what is minted, what is slashed, and what cannot be paid to its owner.
		type Treasury: Get<AccountId32>;

		/// The chain's time in UTC milliseconds.
		type Time: Time<Moment = u64>;

		/// Who takes note of settled work.
		type Recorder: WorkRecorder;

		/// Who may set parameters, call off slashes and lower the breaker.
		type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Who may raise the breaker in an emergency.
		type PauseOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Deposit for the row of an open job.
		#[pallet::constant]
		type JobDeposit: Get<u128>;

		/// Most coordinators.
		#[pallet::constant]
		type MaxCoordinators: Get<u32>;

		/// Most miners.
		#[pallet::constant]
		type MaxMiners: Get<u32>;

		/// Most rows of jobs that an idle block looks at.
		#[pallet::constant]
		type MaxScanned: Get<u32>;

		/// Priority of transactions without a signer in the pool.
		#[pallet::constant]
		type UnsignedPriority: Get<u64>;

		/// For how many blocks the pool keeps a transaction without a signer.
		#[pallet::constant]
		type UnsignedLongevity: Get<u64>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// Why this pallet holds tokens.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The bond of a miner or coordinator.
		#[codec(index = 0)]
		Bond,
		/// The price of open jobs, and the deposit of their rows.
		#[codec(index = 1)]
		Job,
	}

	/// What governance decided.
	#[pallet::storage]
	pub type Parameters<T: Config> = StorageValue<_, ComputeParameters, ValueQuery>;

	/// What is stopped.
	#[pallet::storage]
	pub type BreakerLevel<T: Config> = StorageValue<_, Breaker, ValueQuery>;

	/// When emission began, and how long its steps are.
	#[pallet::storage]
	pub type EmissionSchedule<T: Config> = StorageValue<_, Schedule, ValueQuery>;

	/// Miners and coordinators by key.
	#[pallet::storage]
	pub type Parties<T: Config> =
		StorageMap<_, Blake2_128Concat, PublicKey, Party<T::AccountId>, OptionQuery>;

	/// What miners did lately.
	#[pallet::storage]
	pub type Activities<T: Config> =
		StorageMap<_, Blake2_128Concat, PublicKey, Activity, ValueQuery>;

	/// Jobs by id. The id is a hash over what a coordinator and a client chose together.
	#[pallet::storage]
	pub type Jobs<T: Config> =
		StorageMap<_, Blake2_128Concat, H256, Job<T::AccountId>, OptionQuery>;

	/// Offences reported about a job, for as long as the job is in the state.
	#[pallet::storage]
	pub type Reports<T: Config> = StorageMap<_, Blake2_128Concat, H256, ReportsOf, ValueQuery>;

	/// The step that receipts are added to.
	#[pallet::storage]
	pub type Running<T: Config> = StorageValue<_, RunningStep, ValueQuery>;

	/// Ended steps that somebody has not converted yet; at most one for each party.
	#[pallet::storage]
	pub type Steps<T: Config> = StorageMap<_, Twox64Concat, u64, ClosedStep, OptionQuery>;

	/// Sums over all time and over what is open.
	#[pallet::storage]
	pub type Sums<T: Config> = StorageValue<_, Counters, ValueQuery>;

	/// Where idle blocks go on looking for jobs to close or clear away.
	#[pallet::storage]
	pub type ScanCursor<T: Config> =
		StorageValue<_, BoundedVec<u8, ConstU32<MAX_SCAN_KEY>>, OptionQuery>;

	/// Hash of the receipts whose signatures this very transaction has verified already. Gone
	/// before the transaction ends.
	#[pallet::storage]
	pub type Verified<T: Config> = StorageValue<_, H256, OptionQuery>;

	/// Parameters and emission of a new chain.
	#[pallet::genesis_config]
	pub struct GenesisConfig<T: Config> {
		/// The parameters.
		pub parameters: ComputeParameters,
		/// Length of an emission step, in milliseconds; 150,000 except on a demonstration network.
		pub step_ms: u64,
		/// No value of the runtime's is needed.
		#[serde(skip)]
		pub _marker: core::marker::PhantomData<T>,
	}

	impl<T: Config> Default for GenesisConfig<T> {
		fn default() -> Self {
			Self {
				parameters: ComputeParameters::default(),
				step_ms: Schedule::default().step_ms,
				_marker: Default::default(),
			}
		}
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			let fault = self.parameters.check().err();
			assert!(fault.is_none(), "the parameters break a relation: {fault:?}");
			assert!(self.step_ms > 0, "a step must take some time");
			Parameters::<T>::put(self.parameters);
			EmissionSchedule::<T>::put(Schedule { start_ms: 0, step_ms: self.step_ms });
			let genesis = <T::Currency as fungible::Inspect<_>>::total_issuance();
			Sums::<T>::mutate(|sums| sums.genesis = genesis);
		}
	}

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A miner or coordinator was registered.
		Registered {
			/// Its key.
			key: PublicKey,
			/// What it is registered as.
			role: PartyRole,
			/// The account that bonds and is paid.
			account: T::AccountId,
			/// Its bond, in units of 10⁻¹⁸ AIT.
			bond: u128,
		},
		/// A bond was raised.
		BondRaised {
			/// Whose it is.
			key: PublicKey,
			/// What it is now.
			bond: u128,
		},
		/// A party is leaving.
		Leaving {
			/// Its key.
			key: PublicKey,
			/// From when on it can take its bond back, in UTC milliseconds.
			until_ms: u64,
		},
		/// A party has left and has its bond back.
		Left {
			/// Its key.
			key: PublicKey,
			/// The bond returned.
			bond: u128,
		},
		/// A job was opened and its price is held.
		JobOpened {
			/// The job.
			job_id: H256,
			/// Who pays.
			client: T::AccountId,
			/// Who coordinates.
			coordinator: PublicKey,
			/// What is to be done.
			spec_hash: H256,
			/// What it is paid in.
			asset: PriceAsset,
			/// What is held.
			price: u128,
			/// The receipt must be claimed before.
			deadline_ms: u64,
		},
		/// A client wants to cancel. If no start of the work is proven before then, it has its
		/// money back.
		JobCancelling {
			/// The job.
			job_id: H256,
			/// The job's new deadline, in UTC milliseconds.
			until_ms: u64,
		},
		/// A miner is to do a job, and no other can be paid for it.
		JobAssigned {
			/// The job.
			job_id: H256,
			/// The miner.
			miner: PublicKey,
			/// Number of the assignment.
			attempt: u32,
			/// Has the miner accepted?
			accepted: bool,
		},
		/// A job ended without a receipt, and the client has its money back.
		JobRefunded {
			/// The job.
			job_id: H256,
			/// How it ended.
			state: JobState,
			/// What was returned, in the unit of the job's asset.
			refund: u128,
		},
		/// A receipt settled its job.
		ReceiptSettled {
			/// The job.
			job_id: H256,
			/// The receipt.
			receipt_id: H256,
			/// The miner.
			miner: PublicKey,
			/// Compute units delivered.
			compute_units: u64,
			/// Who gets what of the price, in the unit of the job's asset.
			shares: Shares,
			/// What the client has back.
			refund: u128,
			/// Weight in the running step.
			weight: u128,
		},
		/// A receipt settled nothing.
		ReceiptRefused {
			/// The job it names.
			job_id: H256,
			/// The receipt.
			receipt_id: H256,
			/// Why.
			reason: ReceiptRefusal,
		},
		/// Something could not be paid to its owner and went to the treasury, or back.
		PaymentDiverted {
			/// The job's client.
			client: T::AccountId,
			/// Whom it was meant for.
			beneficiary: T::AccountId,
			/// What it is in.
			asset: PriceAsset,
			/// How much.
			amount: u128,
		},
		/// An emission step ended.
		StepClosed {
			/// Its number.
			step: u64,
			/// Σ units · class · score.
			weight: u128,
			/// Who shares what of it, in units of 10⁻¹⁸ AIT.
			shares: Shares,
		},
		/// AIT was minted to a miner or coordinator.
		EmissionPaid {
			/// Its key.
			key: PublicKey,
			/// Its account.
			account: T::AccountId,
			/// How much, in units of 10⁻¹⁸ AIT.
			amount: u128,
		},
		/// The treasury's part of the emission was minted.
		TreasuryPaid {
			/// How much, in units of 10⁻¹⁸ AIT.
			amount: u128,
		},
		/// A miner was online.
		HeartbeatTaken {
			/// The miner.
			miner: PublicKey,
			/// When, in UTC milliseconds.
			time_ms: u64,
		},
		/// An offence was proven.
		OffenceProven {
			/// Whose.
			offender: PublicKey,
			/// What.
			kind: OffenceKind,
			/// The job it was about.
			job_id: H256,
			/// How many of its offences count now.
			offences: u32,
			/// Until when it is banned, in UTC milliseconds; 0 if it is not.
			banned_until_ms: u64,
			/// What will be slashed, in units of 10⁻¹⁸ AIT.
			slash: u128,
		},
		/// Part of a bond went to the treasury.
		Slashed {
			/// Whose.
			key: PublicKey,
			/// How much, in units of 10⁻¹⁸ AIT.
			amount: u128,
		},
		/// Governance called off what was to be slashed.
		SlashesCalledOff {
			/// Whose.
			key: PublicKey,
			/// How much, in units of 10⁻¹⁸ AIT.
			amount: u128,
		},
		/// The parameters changed.
		ParametersSet {
			/// What they were.
			old: Box<ComputeParameters>,
			/// What they are.
			new: Box<ComputeParameters>,
		},
		/// More or less is stopped.
		BreakerSet {
			/// What was stopped.
			old: Breaker,
			/// What is stopped.
			new: Breaker,
		},
	}

	/// Why a call is refused. Variants are only ever added at the end: a refused transaction
	/// without a signer carries 128 + the index as its code.
	#[pallet::error]
	pub enum Error<T> {
		/// No job can be opened or settled now; wait until governance resumes it.
		Stopped,
		/// Nothing is minted now; what was earned is paid later.
		MintStopped,
		/// The key is registered already.
		KeyInUse,
		/// The key is weak, or did not sign this registration for this chain.
		BadProof,
		/// As many parties as there may be are registered.
		MaxPartiesExceeded,
		/// No party with this key, or not one in this role.
		UnknownParty,
		/// Only the account that bonds may do this.
		NotOwner,
		/// The party is leaving.
		Leaving,
		/// The party has not left, or its bond is not free yet, or it is banned.
		NotYet,
		/// The quote is not this account's.
		NotClient,
		/// The quote allows nothing, or contradicts itself, or exceeds what governance allows.
		InvalidQuote,
		/// The quote has expired.
		QuoteExpired,
		/// The quote has opened a job already.
		AlreadyExists,
		/// The coordinator is not registered, is leaving, banned or underbonded.
		CoordinatorUnfit,
		/// The quote names a miner that is not registered.
		UnknownMiner,
		/// A signature is not the named key's for this chain.
		BadSignature,
		/// There is no such job.
		UnknownJob,
		/// The job is closed.
		NotOpen,
		/// The work has started, or the client cancels already.
		CannotCancel,
		/// The assignment is older than the one on chain, or the quote names another miner.
		StaleAssignment,
		/// The list is empty or names something twice.
		InvalidList,
		/// Nothing named is due.
		NothingDue,
		/// The heartbeat's time is too far from the chain's, or too soon after the last.
		UntimelyHeartbeat,
		/// The evidence proves nothing; `check_evidence` says why.
		InvalidEvidence,
		/// The offence was reported before.
		AlreadyReported,
		/// So many offences were reported about the job that no more are taken.
		MaxReportsExceeded,
		/// Slashing is switched off.
		SlashingOff,
		/// The parameters break a relation; `check_parameters` says which.
		InvalidParameters,
		/// It is so already.
		Unchanged,
		/// Only governance lowers the breaker.
		NotGovernance,
		/// A figure is too large.
		Overflow,
		/// The mint would pass the cap.
		CapReached,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			Self::begin_emission()
		}

		fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
			Self::scan_when_idle(remaining)
		}

		fn integrity_test() {
			assert!(T::MaxScanned::get() > 0, "MaxScanned must not be zero");
			assert!(T::MaxMiners::get() > 0, "MaxMiners must not be zero");
			assert!(T::MaxCoordinators::get() > 0, "MaxCoordinators must not be zero");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Registers a key as a coordinator, and holds its bond.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the account that bonds and is paid.
		///
		/// ## Parameters
		///
		/// - `key`: the Ed25519 key.
		/// - `proof`: the key's signature of
		///   [`Registration`](gridproof_primitives::compute::Registration).
		///
		/// ## Errors
		///
		/// - [`Error::KeyInUse`], [`Error::MaxPartiesExceeded`], [`Error::BadProof`]
		/// - the token's, if the account has too little for the bond
		///
		/// ## Events
		///
		/// - [`Event::Registered`]
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::register())]
		pub fn register_coordinator(
			origin: OriginFor<T>,
			key: PublicKey,
			proof: Signature,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_register(account, key, PartyRole::Coordinator, &proof)
		}

		/// Registers a key as a miner of a class, and holds its bond.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the account that bonds and is paid.
		///
		/// ## Parameters
		///
		/// - `key`: the Ed25519 key.
		/// - `class`: what it computes with.
		/// - `proof`: the key's signature of
		///   [`Registration`](gridproof_primitives::compute::Registration).
		///
		/// ## Errors
		///
		/// - as [`Pallet::register_coordinator`]
		///
		/// ## Events
		///
		/// - [`Event::Registered`]
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::register())]
		pub fn register_miner(
			origin: OriginFor<T>,
			key: PublicKey,
			class: Class,
			proof: Signature,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_register(account, key, PartyRole::Miner(class), &proof)
		}

		/// Adds to a party's bond.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the party's account.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownParty`], [`Error::NotOwner`], [`Error::Overflow`], the token's
		///
		/// ## Events
		///
		/// - [`Event::BondRaised`]
		#[pallet::call_index(2)]
		pub fn raise_bond(
			origin: OriginFor<T>,
			key: PublicKey,
			#[pallet::compact] amount: u128,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_raise_bond(account, key, amount)
		}

		/// Begins to leave. Open work can still be settled; the bond stays held for the time that
		/// governance set, so that offences can still be punished.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the party's account.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownParty`], [`Error::NotOwner`], [`Error::Leaving`]
		///
		/// ## Events
		///
		/// - [`Event::Leaving`]
		#[pallet::call_index(3)]
		pub fn leave(origin: OriginFor<T>, key: PublicKey) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_leave(account, key)
		}

		/// Returns the bond of a party that has left, and pays what it earned.
		///
		/// ## Dispatch Origin
		///
		/// Any `Signed`: it can only do the owner good.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownParty`], [`Error::NotYet`], [`Error::MintStopped`] if something
		///   earned is to be paid and nothing is minted now
		///
		/// ## Events
		///
		/// - [`Event::Left`], perhaps [`Event::EmissionPaid`] and [`Event::Slashed`]
		#[pallet::call_index(4)]
		pub fn withdraw(origin: OriginFor<T>, key: PublicKey) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_withdraw(key)
		}

		/// Opens a job with a coordinator's quote and holds its price.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the client that the quote names.
		///
		/// ## Details
		///
		/// A quote opens one job, ever: the job's id is the hash of what the coordinator signed,
		/// and it stays in the state at least until the quote expires.
		///
		/// ## Parameters
		///
		/// - `quote`: what the coordinator offers.
		/// - `signature`: the coordinator's.
		///
		/// ## Errors
		///
		/// - [`Error::Stopped`], [`Error::NotClient`], [`Error::InvalidQuote`],
		///   [`Error::QuoteExpired`], [`Error::AlreadyExists`], [`Error::CoordinatorUnfit`],
		///   [`Error::UnknownMiner`], [`Error::BadSignature`]
		/// - the tokens', if the client has too little
		///
		/// ## Events
		///
		/// - [`Event::JobOpened`]
		#[pallet::call_index(5)]
		pub fn open_job(
			origin: OriginFor<T>,
			quote: Box<Quote>,
			signature: Signature,
		) -> DispatchResult {
			let client = ensure_signed(origin)?;
			Self::do_open_job(client, *quote, &signature)
		}

		/// Claims receipts: each settles its job, or is refused with a reason, alone.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (a general transaction without a signer), which is free and let in
		/// only if every receipt is acceptable now; or `Signed`, which is free if all settle and
		/// else pays the fee.
		///
		/// ## Details
		///
		/// Checks of a receipt, cheapest first: the job and its terms, the parties, the miner's
		/// signature, the coordinator's. In the pool, transactions about the same job exclude each
		/// other. A signed claim that comes after the deadline returns the client's money.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidList`] if there are no receipts
		///
		/// ## Events
		///
		/// - [`Event::ReceiptSettled`] or [`Event::ReceiptRefused`] for each, perhaps
		///   [`Event::StepClosed`] and [`Event::JobRefunded`]
		#[pallet::call_index(6)]
		#[pallet::weight(Pallet::<T>::weight_of_claim(receipts.len(), receipts.len(), true))]
		#[pallet::authorize(Pallet::<T>::authorize_claim)]
		#[pallet::weight_of_authorize(Pallet::<T>::weight_of_claim_check(receipts.len()))]
		pub fn claim_receipts(
			origin: OriginFor<T>,
			receipts: Receipts,
		) -> DispatchResultWithPostInfo {
			let signed = Self::ensure_anyone(origin)?;
			ensure!(!receipts.is_empty(), Error::<T>::InvalidList);
			Ok(Self::do_claim(&receipts, signed))
		}

		/// Asks to cancel a job whose work has not started.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the job's client.
		///
		/// ## Details
		///
		/// The job's deadline moves to the end of the notice. Until then a receipt settles it as
		/// ever, and an assignment signed by the coordinator proves that the work has started and
		/// restores the deadline. After that the client has its money back as after any deadline.
		/// If the deadline has passed already, the money is returned at once.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownJob`], [`Error::NotClient`], [`Error::NotOpen`],
		///   [`Error::CannotCancel`]
		///
		/// ## Events
		///
		/// - [`Event::JobCancelling`] or [`Event::JobRefunded`]
		#[pallet::call_index(7)]
		pub fn cancel_job(origin: OriginFor<T>, job_id: H256) -> DispatchResult {
			let client = ensure_signed(origin)?;
			Self::do_cancel(client, job_id)
		}

		/// Puts an assignment on chain: the work has started, and only this miner can be paid.
		///
		/// ## Dispatch Origin
		///
		/// Anyone, `Authorized` (free) or `Signed`.
		///
		/// ## Details
		///
		/// A higher attempt replaces a lower one. If the miner signed too, a job that is not
		/// delivered by the deadline counts against its success rate.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownJob`], [`Error::NotOpen`], [`Error::StaleAssignment`],
		///   [`Error::UnknownMiner`], [`Error::BadSignature`]
		///
		/// ## Events
		///
		/// - [`Event::JobAssigned`]
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::assign_job())]
		#[pallet::authorize(Pallet::<T>::authorize_assign)]
		#[pallet::weight_of_authorize(T::WeightInfo::assign_job())]
		pub fn assign_job(
			origin: OriginFor<T>,
			assignment: Box<SignedAssignment>,
		) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_assign(&assignment)
		}

		/// Lets a job go: the client has its money back at once.
		///
		/// ## Dispatch Origin
		///
		/// Anyone, `Authorized` (free) or `Signed`.
		///
		/// ## Parameters
		///
		/// - `signature`: the coordinator's, of
		///   [`release_payload`](gridproof_primitives::compute::release_payload).
		///
		/// ## Errors
		///
		/// - [`Error::UnknownJob`], [`Error::NotOpen`], [`Error::BadSignature`]
		///
		/// ## Events
		///
		/// - [`Event::JobRefunded`]
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::release_job())]
		#[pallet::authorize(Pallet::<T>::authorize_release)]
		#[pallet::weight_of_authorize(T::WeightInfo::release_job())]
		pub fn release_job(
			origin: OriginFor<T>,
			job_id: H256,
			signature: Signature,
		) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_release(job_id, &signature)
		}

		/// Returns the money of jobs whose deadline has passed, and clears away jobs that have
		/// been closed for long.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (free) if every job named is due, or `Signed`.
		///
		/// ## Errors
		///
		/// - [`Error::NothingDue`]
		///
		/// ## Events
		///
		/// - [`Event::JobRefunded`] for each job whose money was returned
		#[pallet::call_index(10)]
		#[pallet::weight(Pallet::<T>::weight_of_expire(jobs.len()))]
		#[pallet::authorize(Pallet::<T>::authorize_expire)]
		#[pallet::weight_of_authorize(Pallet::<T>::weight_of_expire(jobs.len()))]
		pub fn expire_jobs(origin: OriginFor<T>, jobs: JobIds) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_expire(&jobs)
		}

		/// Takes note that miners are online.
		///
		/// ## Dispatch Origin
		///
		/// Anyone, `Authorized` (free) or `Signed`: all of them are good, or none is taken.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidList`], [`Error::UnknownParty`], [`Error::UntimelyHeartbeat`],
		///   [`Error::BadSignature`]
		///
		/// ## Events
		///
		/// - [`Event::HeartbeatTaken`] for each
		#[pallet::call_index(11)]
		#[pallet::weight(Pallet::<T>::weight_of_heartbeats(heartbeats.len()))]
		#[pallet::authorize(Pallet::<T>::authorize_heartbeats)]
		#[pallet::weight_of_authorize(Pallet::<T>::weight_of_heartbeats(heartbeats.len()))]
		pub fn heartbeats(origin: OriginFor<T>, heartbeats: Heartbeats) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_heartbeats(&heartbeats)
		}

		/// Mints what miners and coordinators earned to their accounts, and the treasury's part.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (free) if every party named has something to get, or `Signed`.
		///
		/// ## Errors
		///
		/// - [`Error::MintStopped`], [`Error::InvalidList`], [`Error::UnknownParty`],
		///   [`Error::NothingDue`]
		///
		/// ## Events
		///
		/// - [`Event::EmissionPaid`] for each, perhaps [`Event::TreasuryPaid`] and
		///   [`Event::StepClosed`]
		#[pallet::call_index(12)]
		#[pallet::weight(Pallet::<T>::weight_of_payout(parties.len()))]
		#[pallet::authorize(Pallet::<T>::authorize_payout)]
		#[pallet::weight_of_authorize(Pallet::<T>::weight_of_payout(parties.len()))]
		pub fn claim_emission(origin: OriginFor<T>, parties: Payees) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_claim_emission(&parties)
		}

		/// Reports an offence with its proof.
		///
		/// ## Dispatch Origin
		///
		/// Any `Signed`; free if the evidence holds.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidEvidence`], [`Error::UnknownJob`], [`Error::UnknownParty`],
		///   [`Error::AlreadyReported`], [`Error::MaxReportsExceeded`]
		///
		/// ## Events
		///
		/// - [`Event::OffenceProven`]
		#[pallet::call_index(13)]
		pub fn report_offence(
			origin: OriginFor<T>,
			evidence: Box<Evidence>,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_report(&evidence)?;
			Ok(Pays::No.into())
		}

		/// Carries out what is to be slashed of a bond and whose grace has passed.
		///
		/// ## Dispatch Origin
		///
		/// Any `Signed`.
		///
		/// ## Errors
		///
		/// - [`Error::SlashingOff`], [`Error::UnknownParty`], [`Error::NothingDue`]
		///
		/// ## Events
		///
		/// - [`Event::Slashed`]
		#[pallet::call_index(14)]
		pub fn apply_slashes(origin: OriginFor<T>, key: PublicKey) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_apply_slashes(key)
		}

		/// Calls off everything that is to be slashed of a bond.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Errors
		///
		/// - [`Error::UnknownParty`], [`Error::NothingDue`]
		///
		/// ## Events
		///
		/// - [`Event::SlashesCalledOff`]
		#[pallet::call_index(15)]
		pub fn call_off_slashes(origin: OriginFor<T>, key: PublicKey) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_call_off_slashes(key)
		}

		/// Sets the parameters.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// All at once, so that their relations can be checked. They count from this block on;
		/// a step that has ended is closed with the old ones first.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidParameters`], [`Error::Unchanged`]
		///
		/// ## Events
		///
		/// - [`Event::ParametersSet`], perhaps [`Event::StepClosed`]
		#[pallet::call_index(16)]
		pub fn set_parameters(origin: OriginFor<T>, new: Box<ComputeParameters>) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			new.check().map_err(|_| Error::<T>::InvalidParameters)?;
			let old = Box::new(Parameters::<T>::get());
			ensure!(old != new, Error::<T>::Unchanged);
			Self::roll(T::Time::now());
			Parameters::<T>::put(*new);
			Self::deposit_event(Event::ParametersSet { old, new });
			Ok(())
		}

		/// Stops, or allows again, minting, opening and settlement. Refunds never stop.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`]; to stop more, also [`Config::PauseOrigin`].
		///
		/// ## Errors
		///
		/// - [`Error::Unchanged`], [`Error::NotGovernance`]
		///
		/// ## Events
		///
		/// - [`Event::BreakerSet`]
		#[pallet::call_index(17)]
		pub fn set_breaker(origin: OriginFor<T>, new: Breaker) -> DispatchResult {
			let governance = match T::GovernanceOrigin::try_origin(origin) {
				Ok(_) => true,
				Err(origin) => {
					T::PauseOrigin::ensure_origin(origin)?;
					false
				},
			};
			let old = BreakerLevel::<T>::get();
			ensure!(old != new, Error::<T>::Unchanged);
			ensure!(governance || new > old, Error::<T>::NotGovernance);
			BreakerLevel::<T>::put(new);
			Self::deposit_event(Event::BreakerSet { old, new });
			Ok(())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// A job, as long as it is in the state.
		pub fn job(job_id: H256) -> Option<JobView> {
			Self::view_job(job_id)
		}

		/// The receipt that settled a job.
		pub fn receipt(job_id: H256) -> Option<ReceiptView> {
			Jobs::<T>::get(job_id).and_then(|job| job.receipt)
		}

		/// A miner, with its score and the score's four parts.
		pub fn miner(key: PublicKey) -> Option<MinerView> {
			Self::view_miner(key)
		}

		/// A coordinator.
		pub fn coordinator(key: PublicKey) -> Option<CoordinatorView> {
			Self::view_coordinator(key)
		}

		/// Keys and roles of all parties, in no order: at most `limit`, from the `skip`-th on.
		pub fn parties(skip: u32, limit: u32) -> Vec<(PublicKey, PartyRole)> {
			Self::list_parties(skip, limit)
		}

		/// An emission step: the running one, one that is not converted wholly, or one to come.
		pub fn step(step: u64) -> StepView {
			Self::view_step(step)
		}

		/// What that many compute units of a miner would earn now.
		pub fn earnings(miner: PublicKey, compute_units: u64) -> Option<Earnings> {
			Self::preview_earnings(miner, compute_units)
		}

		/// What each receipt would pay and earn, or why it would be refused, were all of them
		/// claimed now in one call. At most as many as one call carries.
		pub fn preview_receipts(
			receipts: Vec<SignedReceipt>,
		) -> Vec<Result<Preview, ReceiptRefusal>> {
			Self::preview(&receipts)
		}

		/// How things stand.
		pub fn overview() -> Overview {
			Self::view_overview()
		}

		/// Which relation these parameters break, if any.
		pub fn check_parameters(
			parameters: ComputeParameters,
		) -> Result<(), ComputeParameterFault> {
			parameters.check()
		}
	}
}
