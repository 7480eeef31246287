//! # Compute receipts pallet
//!
//! Holds a client's money until the work is delivered, settles the job with one receipt, and mints
//! AIT against receipts and nothing else.
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for the interfaces of this pallet: its configuration trait,
//! dispatchables, storage items, events and errors. [`runtime_api`] has the same queries as the
//! view functions, for clients that speak runtime APIs.
//!
//! ## Terminology
//!
//! * **Party**: a miner or a coordinator, identified by its Ed25519 key, with a bond in AIT.
//! * **Quote**: a coordinator's signed offer, which opens one job of one client.
//! * **Receipt**: the statement about a delivered job, signed by its miner and its coordinator.
//! * **Step**: the unit of time in which emission is divided, with a budget of AIT; see
//!   [`gridproof_primitives::compute::emission`].
//! * **Channel**, **voucher**, **line**, **batch**: see [`gridproof_primitives::compute::channels`].
//! * **Claim** of a receipt, or of a line: the most that it can mint; see
//!   [`ComputeParameters::claim`](gridproof_primitives::compute::ComputeParameters::claim).
//!
//! Formats, formulas and refusals are in [`gridproof_primitives::compute`].
//!
//! ## Overview
//!
//! ### From quote to settlement
//!
//! [`Pallet::open_job`] takes the quoted price into an account of the pallet's own
//! ([`Config::Escrow`]), where no lock, vote or hold of the client reaches it; service credit is
//! held. A receipt
//! within the quote settles the job once: miner, coordinator and treasury receive their shares of
//! the receipt's price, and the client gets the rest back. One [`Pallet::claim_receipts`] carries
//! many receipts; each is settled or refused on its own, with an event that gives the reason.
//!
//! ### Who may quote
//!
//! Anyone can register and bond as a coordinator. Jobs can be opened only with quotes of those that
//! governance has admitted ([`Pallet::admit_coordinator`]); the jobs of one that it excludes later
//! are settled like any others.
//!
//! ### Who may be paid
//!
//! The coordinator's signature on a receipt says which miner was to do the job. A quote can name
//! the miner in advance, and so can an assignment on chain ([`Pallet::assign_job`]), which also
//! ends the client's right to cancel. Then no other miner is paid, no matter who signs. The
//! coordinator can replace an assignment by a later one; one that its miner has accepted only with
//! that miner's signature, or after half of the time that the miner had.
//!
//! ### Channels
//!
//! For a stream of requests the client opens a channel once ([`Pallet::open_channel`]): a deposit for
//! one coordinator, in the same account as the prices of jobs. Requests, vouchers and receipts go
//! past the chain; [`Pallet::settle_batch`] settles any number of receipts with one line a channel
//! and one line a miner, all or none. Lines are differences of running sums and begin where the last
//! ones ended, so nothing settles twice. The rules are in
//! [`gridproof_primitives::compute::channels`].
//!
//! [`Pallet::close_channel`] begins a notice in which the coordinator still settles; then anyone
//! returns the rest ([`Pallet::return_rests`]). A channel without a signer is one whose key the
//! coordinator keeps: the daily limits of all of them are together at most its bond.
//!
//! ### Waiting for checks
//!
//! While governance has set a check window, pay and mint of a batch wait for it: what was claimed can
//! be checked and taken back, and a miner may add the signature of its line ([`Pallet::sign_line`]). Then
//! anyone releases them ([`Pallet::release_waiting`]). What was taken goes back to the clients of the
//! batch ([`Pallet::return_to_clients`]). Who checks acts through
//! [`Waiting`](gridproof_primitives::compute::checks::Waiting) and
//! [`Fund`](gridproof_primitives::compute::checks::Fund). With a window of 0 a batch pays at once, and a
//! miner signs its line within the batch.
//!
//! ### How a client gets its money back
//!
//! From the deadline on the job cannot be settled, and whatever touches it returns the money:
//! [`Pallet::expire_jobs`], free for anyone; the client's own [`Pallet::cancel_job`]; a claim that
//! comes too late; or a block with time to spare. A cancellation moves the deadline forward to the
//! end of a notice period, in which the start of the work can still be proven. A coordinator that
//! releases a job ([`Pallet::release_job`]) returns the money immediately.
//!
//! While settlement is stopped, by the breaker or from outside ([`Config::Halted`]), deadlines of jobs
//! and notices stand still, those of channels too: a stop costs nobody work or money.
//!
//! ### Emission
//!
//! The treasury takes a share of every price, and a receipt's claim is bounded by that share: who is
//! client, miner and coordinator in one gives away more than the mint returns. A price of zero and
//! service credit mint nothing; AICP counts at half of the rate that governance last stated
//! ([`Pallet::set_reference_rate`]), and at nothing once that is too old.
//!
//! Receipts add their claims to the running step. The first call after the step's end fixes its
//! pool: the lowest of budget, claims and reserve. Each party's part is recorded in its own row
//! until [`Pallet::claim_emission`] pays it, which anyone may call for any number of parties at any
//! time. A step's row is removed when the last party has converted its part. A party has at most
//! one step to convert, so there are never more rows than parties.
//!
//! While the breaker has stopped minting, receipts earn nothing of the emission.
//!
//! The score that weighs a miner's receipts is fixed with its first receipt in a step, so the order
//! of receipts does not matter.
//!
//! ### Offences
//!
//! [`Pallet::report_offence`] takes evidence that is a proof in itself. An offence costs part of
//! the score and, from the third that counts, a ban; if slashing is on, it also costs part of the
//! bond, after a grace period in which governance can cancel the slash. Offences and bans belong to
//! the key as well as to the account, and outlive leaving. Governance can ban a party and forfeit
//! what it has earned.
//!
//! Around channels the offender is a coordinator. [`Pallet::report_channel_offence`] takes two things
//! that it signed and that cannot both be; [`Pallet::demand_receipt`] asks it for a receipt that it
//! settles or shows in time ([`Pallet::answer_demand`]), or is guilty
//! ([`Pallet::lapse_demand`]). What a client or a miner lost is given back first, out of the
//! coordinator's bond; the slash comes on top.

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
pub mod benchmarking;
mod channels;
mod claims;
mod emission;
mod escrow;
mod jobs;
mod keys;
pub mod migrations;
#[cfg(test)]
mod mock;
mod offences;
mod parties;
pub mod runtime_api;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
// The derived encoding of an enum generates `as`.
#[allow(clippy::as_conversions)]
pub mod types;
mod views;
mod waiting;
pub mod weights;

pub use channels::{models::Models, records::*, types::*};
pub use gridproof_primitives::compute::ComputeParameters;
pub use pallet::*;
pub use types::*;
pub use waiting::types::*;
pub use weights::WeightInfo;

// The pallet macros generate `expect` and `as` here; the rules themselves are elsewhere.
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
		compute::channels::{
			BatchKind, BatchRefusal, BatchSums, ChannelEvidence, ChannelId, ChannelOffence,
			ChannelParameterError, ChannelParameters, ChannelReceipt, ChannelSums, ChannelTerms,
			ChannelView, DemandView, Demanded, HeaderChain, MinerSums, Placed, SettlementBatch,
		},
		compute::checks::{
			BatchId, Checkable, CheckableLine, PaidByChannel, Part, Touched, WaitingView,
		},
		compute::settlement::{Shares, WorkRecorder},
		compute::{
			AitPerAicp, Class, ComputeParameterError, CoordinatorView, Earnings, Evidence,
			JobState, JobView, MinerView, OffenceKind, Overview, PartyRole, Preview, PriceAsset,
			Quote, ReceiptRefusal, ReceiptView, ReferenceRate, SignedAssignment, SignedReceipt,
			StepView,
		},
		crypto::ed25519::{PublicKey, Signature},
		reserve::attestation::ServiceCredit,
	};
	use sp_runtime::AccountId32;

	/// Types, tokens, limits and origins that the runtime sets.
	#[pallet::config]
	pub trait Config: frame_system::Config<AccountId = AccountId32, Hash = H256> {
		/// AIT. Nothing else may mint it.
		type Currency: fungible::Mutate<AccountId32, Balance = u128>
			+ fungible::hold::Mutate<AccountId32, Reason = Self::RuntimeHoldReason>;

		/// AICP, with 6 decimals, for jobs that are paid in it.
		type Aicp: fungible::Mutate<AccountId32, Balance = u128>;

		/// Service credit, for jobs that are paid with redeemed AICP.
		type ServiceCredit: ServiceCredit<AccountId32>;

		/// Reasons for holds of the runtime, which include [`HoldReason`].
		type RuntimeHoldReason: From<HoldReason>;

		/// Account that receives its share of what is minted, what is slashed, and payments that
		/// their beneficiary cannot receive.
		type Treasury: Get<AccountId32>;

		/// Account of the pallet's own, for which no key signs: the prices of open jobs and the
		/// deposits for the rows of jobs and reports lie in it.
		type Escrow: Get<AccountId32>;

		/// Source of the time in UTC milliseconds: the timestamp pallet.
		type Time: Time<Moment = u64>;

		/// `true` while calls of this pallet are stopped from outside, such as in safe mode: deadlines
		/// stand still.
		type Halted: Get<bool>;

		/// Receives a note of every settled job.
		type Recorder: WorkRecorder;

		/// Origin that may set parameters and the reference rate, admit coordinators, cancel slashes
		/// and lower the breaker.
		type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Origin that may raise the breaker, lower the reference rate, and exclude coordinators.
		type PauseOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Deposit for the row of a job, in 10⁻¹⁸ AIT; at least the existential deposit.
		#[pallet::constant]
		type JobDeposit: Get<u128>;

		/// Deposit for the row of reports about one party and one job, in 10⁻¹⁸ AIT; at least the
		/// existential deposit.
		#[pallet::constant]
		type ReportDeposit: Get<u128>;

		/// Deposit for the rows of a channel, in 10⁻¹⁸ AIT; at least the existential deposit.
		#[pallet::constant]
		type ChannelDeposit: Get<u128>;

		/// Knows the factors of models: by them a job's receipt mints or not, and a wrong weight is
		/// proven.
		type Models: Models;

		/// Knows which batches were touched: one that nobody touched does not mature.
		type Touched: Touched;

		/// Touches batches, where benchmarks need it.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: benchmarking::Touches;

		/// Highest number of coordinators that are admitted, at least 1.
		#[pallet::constant]
		type MaxCoordinators: Get<u32>;

		/// Highest number of miners, at least 1.
		#[pallet::constant]
		type MaxMiners: Get<u32>;

		/// Highest number of job rows that a block with time to spare examines, at least 1.
		#[pallet::constant]
		type MaxScanned: Get<u32>;

		/// Priority of claims, refunds and payouts without a signer in the pool; assignments and
		/// heartbeats have half of it. More than twice the longest list of a call.
		#[pallet::constant]
		type SubmissionPriority: Get<u64>;

		/// Number of blocks that a transaction without a signer may wait in the pool.
		#[pallet::constant]
		type SubmissionLongevity: Get<u64>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(4);

	/// The compute receipts pallet: escrow, settlement and emission of compute jobs.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// Reasons for which this pallet holds tokens.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Bond of a miner or coordinator, in AIT.
		#[codec(index = 0)]
		Bond,
		/// Price of open jobs and deposits for their rows, until version 3: now in [`Config::Escrow`].
		#[codec(index = 1)]
		Job,
	}

	/// Parameters that governance has set.
	#[pallet::storage]
	pub type Parameters<T: Config> = StorageValue<_, ComputeParameters, ValueQuery>;

	/// Breaker: what is stopped in an emergency.
	#[pallet::storage]
	pub type BreakerLevel<T: Config> = StorageValue<_, Breaker, ValueQuery>;

	/// For how long settlement has been stopped; the deadlines of open jobs move by it.
	#[pallet::storage]
	pub type Stops<T: Config> = StorageValue<_, StopClock, ValueQuery>;

	/// `true` while the window of the mint stands still, because too few verifiers report.
	#[pallet::storage]
	pub type MintStill<T: Config> = StorageValue<_, bool, ValueQuery>;

	/// For how long the window of the mint has stood still.
	#[pallet::storage]
	pub type MintStops<T: Config> = StorageValue<_, StopClock, ValueQuery>;

	/// Begin of emission and length of its steps.
	#[pallet::storage]
	pub type EmissionSchedule<T: Config> = StorageValue<_, Schedule, ValueQuery>;

	/// Miners and coordinators, by key.
	#[pallet::storage]
	pub type Parties<T: Config> =
		StorageMap<_, Blake2_128Concat, PublicKey, Party<T::AccountId>, OptionQuery>;

	/// Coordinators that governance has admitted, by key; at most [`Config::MaxCoordinators`].
	#[pallet::storage]
	pub type Admitted<T: Config> =
		CountedStorageMap<_, Blake2_128Concat, PublicKey, (), OptionQuery>;

	/// Rate at which governance last said that AICP counts.
	#[pallet::storage]
	pub type Rate<T: Config> = StorageValue<_, ReferenceRate, OptionQuery>;

	/// Rate that governance stated last, by which checks are drawn: also after it has ended or was lowered in
	/// an emergency.
	#[pallet::storage]
	pub type DrawnRate<T: Config> = StorageValue<_, AitPerAicp, OptionQuery>;

	/// Recent work and time online of miners, by key.
	#[pallet::storage]
	pub type Activities<T: Config> =
		StorageMap<_, Blake2_128Concat, PublicKey, Activity, ValueQuery>;

	/// Jobs by id: the hash of the coordinator's quote for this chain.
	#[pallet::storage]
	pub type Jobs<T: Config> =
		StorageMap<_, Blake2_128Concat, H256, Job<T::AccountId>, OptionQuery>;

	/// Offences reported about a job, by its id and the offender's key, kept as long as its row.
	#[pallet::storage]
	pub type Reports<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		H256,
		Blake2_128Concat,
		PublicKey,
		Reported<T::AccountId>,
		OptionQuery,
	>;

	/// Offences and bans of keys and of the accounts behind them, which outlive their parties. A row
	/// goes when its key or account registers again and nothing in it counts any more.
	#[pallet::storage]
	pub type Histories<T: Config> = StorageMap<_, Blake2_128Concat, [u8; 32], History, ValueQuery>;

	/// Keys that are to replace those of parties, by the present one.
	#[pallet::storage]
	pub type Exchanges<T: Config> =
		StorageMap<_, Blake2_128Concat, PublicKey, Exchange, OptionQuery>;

	/// Keys that have replaced those of parties, by the old one; at most one old key of each party.
	#[pallet::storage]
	pub type Successors<T: Config> =
		StorageMap<_, Blake2_128Concat, PublicKey, Exchange, OptionQuery>;

	/// Old keys in [`Successors`], by the present one.
	#[pallet::storage]
	pub type Former<T: Config> = StorageMap<_, Blake2_128Concat, PublicKey, PublicKey, OptionQuery>;

	/// Step to which receipts are added.
	#[pallet::storage]
	pub type Running<T: Config> = StorageValue<_, RunningStep, ValueQuery>;

	/// Ended steps in which a party has a part to convert; at most one for each party.
	#[pallet::storage]
	pub type Steps<T: Config> = StorageMap<_, Twox64Concat, u64, ClosedStep, OptionQuery>;

	/// Totals since genesis, and of what is open.
	#[pallet::storage]
	pub type Sums<T: Config> = StorageValue<_, Counters, ValueQuery>;

	/// Storage key after which the next block continues to look for jobs to close or remove.
	#[pallet::storage]
	pub type ScanCursor<T: Config> =
		StorageValue<_, BoundedVec<u8, ConstU32<MAX_SCAN_KEY>>, OptionQuery>;

	/// Hash of the receipts whose signatures this very transaction has already verified. Removed
	/// before the transaction ends.
	#[pallet::storage]
	pub type Verified<T: Config> = StorageValue<_, H256, OptionQuery>;

	/// Parameters of channels that governance has set.
	#[pallet::storage]
	pub type ChannelRules<T: Config> = StorageValue<_, ChannelParameters, ValueQuery>;

	/// Number of channels, and what is left of their deposits.
	#[pallet::storage]
	pub type ChannelTotals<T: Config> = StorageValue<_, ChannelCounters, ValueQuery>;

	/// Channels by number. A number is never used again.
	#[pallet::storage]
	pub type Channels<T: Config> =
		StorageMap<_, Twox64Concat, ChannelId, ChannelRow<T::AccountId>, OptionQuery>;

	/// Channels of an account that opened them.
	#[pallet::storage]
	pub type ChannelsOf<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		T::AccountId,
		Twox64Concat,
		ChannelId,
		(),
		OptionQuery,
	>;

	/// Sum of the daily limits of the channels whose keys a coordinator keeps, by its key, in 10⁻¹⁸
	/// AIT.
	#[pallet::storage]
	pub type KeptLimits<T: Config> = StorageMap<_, Blake2_128Concat, PublicKey, u128, ValueQuery>;

	/// What is kept of a coordinator's batches, by the key that signs them. The last hash proves all
	/// before it.
	#[pallet::storage]
	pub type Headers<T: Config> =
		StorageMap<_, Blake2_128Concat, PublicKey, HeaderChain, ValueQuery>;

	/// Running sums up to which a coordinator has settled a miner, by the coordinator's key, asset
	/// and mode, and the miner's key; `None` for receipts without one.
	#[pallet::storage]
	pub type MinerTotals<T: Config> = StorageNMap<
		_,
		(
			NMapKey<Blake2_128Concat, PublicKey>,
			NMapKey<Twox64Concat, BatchKind>,
			NMapKey<Blake2_128Concat, Option<PublicKey>>,
		),
		MinerSums,
		ValueQuery,
	>;

	/// Receipts that somebody asks for, by the key that signed them and the hash of what it signed.
	#[pallet::storage]
	pub type Demands<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		PublicKey,
		Blake2_128Concat,
		H256,
		Demand<T::AccountId>,
		OptionQuery,
	>;

	/// Demands to a coordinator's account: how many are open, and its last absence.
	#[pallet::storage]
	pub type DemandsTo<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, DemandCounts, ValueQuery>;

	/// Number of open demands to a coordinator's account of one account that asks; at most
	/// [`MAX_DEMANDS`].
	#[pallet::storage]
	pub type DemandsOf<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		T::AccountId,
		Blake2_128Concat,
		T::AccountId,
		u32,
		ValueQuery,
	>;

	/// What was proven about the vouchers of a channel, by channel and number, kept as long as
	/// channels are remembered.
	#[pallet::storage]
	pub type Facts<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		ChannelId,
		Twox64Concat,
		u64,
		Fact<T::AccountId>,
		OptionQuery,
	>;

	/// What was proven about headers, by their coordinator's key and sequence number, kept for the
	/// memory of offences.
	#[pallet::storage]
	pub type HeaderFacts<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		PublicKey,
		Twox64Concat,
		u64,
		Fact<T::AccountId>,
		OptionQuery,
	>;

	/// Channels that have ended, kept for the memory of offences.
	#[pallet::storage]
	pub type EndedChannels<T: Config> =
		StorageMap<_, Twox64Concat, ChannelId, EndedChannel<T::AccountId>, OptionQuery>;

	/// What was given back to the client of a channel in all, in the smallest unit of its asset; at
	/// most what was settled.
	#[pallet::storage]
	pub type GivenBackOf<T: Config> = StorageMap<_, Twox64Concat, ChannelId, u128, ValueQuery>;

	/// What is forgotten, by its place in the queue, and from when on, in UTC milliseconds.
	#[pallet::storage]
	pub type Forget<T: Config> = StorageMap<_, Twox64Concat, u64, (u64, Forgotten), OptionQuery>;

	/// First and next place of the queue.
	#[pallet::storage]
	pub type ForgetQueue<T: Config> = StorageValue<_, Queue, ValueQuery>;

	/// Last header of each [`HEADERS_PER_MARK`] numbers of a coordinator, by the key that signed it and
	/// its sequence number divided by that, kept for [`MARK_MEMORY_MS`].
	#[pallet::storage]
	pub type Marks<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, PublicKey, Twox64Concat, u64, Mark, OptionQuery>;

	/// Earliest of a coordinator's headers in [`Marks`].
	#[pallet::storage]
	pub type FirstMark<T: Config> = StorageMap<_, Blake2_128Concat, PublicKey, u64, ValueQuery>;

	/// Settled batches of which something waits, by the coordinator's key and their sequence number.
	#[pallet::storage]
	pub type WaitingBatches<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		PublicKey,
		Twox64Concat,
		u64,
		WaitingBatch<T::AccountId>,
		OptionQuery,
	>;

	/// Miners' lines of which something waits, by the key that the line names and the batch.
	#[pallet::storage]
	pub type WaitingLines<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		PublicKey,
		Blake2_128Concat,
		BatchId,
		WaitingLine<T::AccountId>,
		OptionQuery,
	>;

	/// What each channel paid in a batch that waits, and what that gave up.
	#[pallet::storage]
	pub type WaitingLists<T: Config> =
		StorageMap<_, Blake2_128Concat, BatchId, WaitingList, ValueQuery>;

	/// What waits, all rows together.
	#[pallet::storage]
	pub type WaitingTotals<T: Config> = StorageValue<_, WaitingSums, ValueQuery>;

	/// What is taken of parties, by key.
	#[pallet::storage]
	pub type TakenOf<T: Config> = StorageMap<_, Blake2_128Concat, PublicKey, Taken, ValueQuery>;

	/// Bonds that disputes hold, by the key of their party.
	#[pallet::storage]
	pub type BondHolds<T: Config> =
		StorageMap<_, Blake2_128Concat, PublicKey, BondHold, ValueQuery>;

	/// What the treasury received of prices on two days, and what it paid for checks of them.
	#[pallet::storage]
	pub type FundDays<T: Config> = StorageValue<_, [FundDay; 2], ValueQuery>;

	/// Parameters and emission of a new chain.
	#[pallet::genesis_config]
	pub struct GenesisConfig<T: Config> {
		/// Parameters of escrow, emission and offences.
		pub parameters: ComputeParameters,
		/// Parameters of channels.
		pub channels: ChannelParameters,
		/// Length of an emission step, in milliseconds; 150,000 except on a demonstration network.
		pub step_ms: u64,
		/// Keys of coordinators that are admitted, whether or not they are registered yet; at most
		/// [`Config::MaxCoordinators`].
		pub admitted: Vec<H256>,
		/// No value; it ties the type to the runtime.
		#[serde(skip)]
		pub _marker: core::marker::PhantomData<T>,
	}

	impl<T: Config> Default for GenesisConfig<T> {
		fn default() -> Self {
			Self {
				parameters: ComputeParameters::default(),
				channels: ChannelParameters::default(),
				step_ms: Schedule::default().step_ms,
				admitted: Vec::new(),
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
			let fault = self.channels.check().err();
			assert!(fault.is_none(), "the parameters of channels break a relation: {fault:?}");
			let fits = self.channels.fits(&self.parameters);
			assert!(fits, "a bond or the memory of offences ends before what waits");
			ChannelRules::<T>::put(self.channels);
			for key in &self.admitted {
				Admitted::<T>::insert(key.0, ());
			}
			let seats = T::MaxCoordinators::get();
			assert!(Admitted::<T>::count() <= seats, "more are admitted than there are seats");
			EmissionSchedule::<T>::put(Schedule { start_ms: 0, step_ms: self.step_ms });
			let genesis = <T::Currency as fungible::Inspect<_>>::total_issuance();
			Sums::<T>::mutate(|sums| sums.genesis = genesis);
		}
	}

	/// Events of this pallet.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A miner or coordinator was registered.
		Registered {
			/// Ed25519 public key that was registered.
			key: PublicKey,
			/// Role of the key: coordinator, or miner of a class.
			role: PartyRole,
			/// Account that pays the bond and is paid.
			account: T::AccountId,
			/// Bond held, in 10⁻¹⁸ AIT.
			bond: u128,
		},
		/// A party's bond was raised.
		BondRaised {
			/// Key of the party.
			key: PublicKey,
			/// Bond held from now on, in 10⁻¹⁸ AIT.
			bond: u128,
		},
		/// A party is leaving; its bond stays held for a while.
		Leaving {
			/// Key of the party.
			key: PublicKey,
			/// Time from which its bond can be withdrawn, in UTC milliseconds.
			until_ms: u64,
		},
		/// A party has left and its bond was returned. What it had earned while minting was stopped
		/// can still be claimed.
		Left {
			/// Key of the party.
			key: PublicKey,
			/// Bond returned, in 10⁻¹⁸ AIT.
			bond: u128,
		},
		/// A job was opened; its price and the deposit for its row are in escrow.
		JobOpened {
			/// Id of the job: hash of the coordinator's quote for this chain.
			job_id: H256,
			/// Account that pays for the job.
			client: T::AccountId,
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// Hash of the specification: model, input, limits.
			spec_hash: H256,
			/// Asset in which the job is paid.
			asset: PriceAsset,
			/// Price in escrow, in the asset's smallest unit; the highest that the job can cost.
			price: u128,
			/// Time before which the receipt must be claimed, in UTC milliseconds.
			deadline_ms: u64,
		},
		/// A client is cancelling a job. Unless the start of the work is proven in time, the client
		/// gets its money back.
		JobCancelling {
			/// Id of the job.
			job_id: H256,
			/// New deadline of the job, in UTC milliseconds.
			until_ms: u64,
		},
		/// A job was assigned to a miner; no other miner can be paid for it, unless it is assigned
		/// again.
		JobAssigned {
			/// Id of the job.
			job_id: H256,
			/// Key of the miner.
			miner: PublicKey,
			/// Number of the assignment, from 1.
			attempt: u32,
			/// `true` if the miner has signed the assignment too.
			accepted: bool,
		},
		/// A job ended without a receipt and the client got its money back.
		JobRefunded {
			/// Id of the job.
			job_id: H256,
			/// State in which the job ended: cancelled or expired.
			state: JobState,
			/// Amount returned, in the smallest unit of the job's asset.
			refund: u128,
		},
		/// A receipt settled its job.
		ReceiptSettled {
			/// Id of the job.
			job_id: H256,
			/// Id of the receipt: hash of what the miner signed.
			receipt_id: H256,
			/// Key of the miner.
			miner: PublicKey,
			/// Compute units delivered.
			compute_units: u64,
			/// Shares of the price that miner, coordinator and treasury received, in the smallest
			/// unit of the job's asset.
			shares: Shares,
			/// Part of the held price that the client got back, in the same unit.
			refund: u128,
			/// Claim that the receipt adds to the running emission step, in 10⁻¹⁸ AIT.
			claim: u128,
		},
		/// A receipt was refused and settled nothing.
		ReceiptRefused {
			/// Id of the job that the receipt names.
			job_id: H256,
			/// Id of the receipt: hash of what the miner signed.
			receipt_id: H256,
			/// The rule that the receipt breaks.
			reason: ReceiptRefusal,
		},
		/// A payment could not be made to its beneficiary, or a refund to its owner; the treasury
		/// received it, or else the client.
		PaymentDiverted {
			/// Account that paid for the job, or the deposit.
			client: T::AccountId,
			/// Account for which the payment was meant.
			beneficiary: T::AccountId,
			/// Asset of the payment.
			asset: PriceAsset,
			/// Amount, in the asset's smallest unit.
			amount: u128,
		},
		/// An emission step ended and its pool was fixed.
		StepClosed {
			/// Number of the step, from 0.
			step: u64,
			/// Sum of the claims of its receipts, in 10⁻¹⁸ AIT.
			claims: u128,
			/// Parts of the pool for miners, coordinators and treasury, in 10⁻¹⁸ AIT.
			shares: Shares,
		},
		/// AIT was minted to a miner or coordinator.
		EmissionPaid {
			/// Key of the party.
			key: PublicKey,
			/// Account that received it.
			account: T::AccountId,
			/// Amount, in 10⁻¹⁸ AIT.
			amount: u128,
		},
		/// The treasury's part of the emission was minted.
		TreasuryPaid {
			/// Amount, in 10⁻¹⁸ AIT.
			amount: u128,
		},
		/// A miner's heartbeat was accepted: it was online.
		HeartbeatTaken {
			/// Key of the miner.
			miner: PublicKey,
			/// Time that the miner signed, in UTC milliseconds.
			time_ms: u64,
		},
		/// An offence was proven.
		OffenceProven {
			/// Key of the party that committed it.
			offender: PublicKey,
			/// Kind of the offence.
			kind: OffenceKind,
			/// Id of the job.
			job_id: H256,
			/// Number of the party's offences that count now.
			offences: u32,
			/// Time until which the party is banned, in UTC milliseconds; 0 if it is not banned.
			banned_until_ms: u64,
			/// Amount that will be slashed of its bond, in 10⁻¹⁸ AIT; 0 if slashing is off.
			slash: u128,
		},
		/// Part of a bond was slashed and went to the treasury.
		Slashed {
			/// Key of the party.
			key: PublicKey,
			/// Amount slashed, in 10⁻¹⁸ AIT.
			amount: u128,
		},
		/// Governance cancelled the pending slashes of a party.
		SlashesCalledOff {
			/// Key of the party.
			key: PublicKey,
			/// Amount that would have been slashed, in 10⁻¹⁸ AIT.
			amount: u128,
		},
		/// Governance changed the parameters.
		ParametersSet {
			/// Parameters until now.
			old: Box<ComputeParameters>,
			/// Parameters from now on.
			new: Box<ComputeParameters>,
		},
		/// The breaker was raised or lowered.
		BreakerSet {
			/// Level until now.
			old: Breaker,
			/// Level from now on.
			new: Breaker,
		},
		/// Governance admitted a coordinator: jobs can be opened with its quotes.
		CoordinatorAdmitted {
			/// Key of the coordinator.
			key: PublicKey,
		},
		/// A coordinator is no longer admitted: no further job can be opened with its quotes.
		CoordinatorExcluded {
			/// Key of the coordinator.
			key: PublicKey,
		},
		/// A party takes back its leave.
		Stayed {
			/// Key of the party.
			key: PublicKey,
		},
		/// Governance banned a party, or ended its ban.
		BanSet {
			/// Key of the party.
			key: PublicKey,
			/// Time until which it is banned, in UTC milliseconds; in the past if it is not.
			until_ms: u64,
		},
		/// What a party had earned of the emission was forfeited, and returned to the reserve.
		Forfeited {
			/// Key of the party.
			key: PublicKey,
			/// Amount that it could have claimed, in 10⁻¹⁸ AIT.
			amount: u128,
			/// `true` if its part of the running step is forfeited too.
			pending: bool,
		},
		/// The rate at which AICP counts was stated, lowered or withdrawn.
		ReferenceRateSet {
			/// Rate until now; `None` if there was none.
			old: Option<ReferenceRate>,
			/// Rate from now on; `None` if AICP counts for nothing.
			new: Option<ReferenceRate>,
		},
		/// A party's account wants to exchange its key.
		KeyExchanging {
			/// Present key of the party.
			key: PublicKey,
			/// Key that is to replace it.
			new: PublicKey,
			/// Time from which it can, in UTC milliseconds.
			until_ms: u64,
		},
		/// A party's account keeps the present key after all.
		KeyKept {
			/// Key of the party.
			key: PublicKey,
		},
		/// A party has another key.
		KeyExchanged {
			/// Key until now; the party answers for what it signed.
			key: PublicKey,
			/// Key from now on.
			new: PublicKey,
		},
		/// A channel was opened; its deposit and that for its row are in escrow.
		ChannelOpened {
			/// Number of the channel.
			channel: ChannelId,
			/// Account that pays, and to which the rest goes.
			client: T::AccountId,
			/// Key of the only coordinator that it pays.
			coordinator: PublicKey,
			/// Asset and mode.
			kind: BatchKind,
			/// The client's key; `None` if the coordinator keeps it.
			signer: Option<PublicKey>,
			/// Deposit, in the asset's smallest unit.
			deposit: u128,
			/// Highest sum of prices that is settled on one day, in the same unit.
			daily_limit: u128,
			/// End of its period if it is a plan, in UTC milliseconds.
			plan_ends_ms: Option<u64>,
		},
		/// A client added to a channel's deposit.
		ChannelToppedUp {
			/// Number of the channel.
			channel: ChannelId,
			/// Amount added, in the asset's smallest unit.
			amount: u128,
			/// Everything that was ever deposited in it, in the same unit.
			deposited: u128,
		},
		/// A plan continues for another period.
		PlanRenewed {
			/// Number of the channel.
			channel: ChannelId,
			/// Amount that the client added, in the asset's smallest unit.
			amount: u128,
			/// End of the new period, in UTC milliseconds.
			plan_ends_ms: u64,
		},
		/// A channel is being closed: until its end the coordinator can still settle.
		ChannelEnding {
			/// Number of the channel.
			channel: ChannelId,
			/// Time from which nothing is settled any more, in UTC milliseconds; it moves on while
			/// settlement is stopped.
			until_ms: u64,
		},
		/// A channel has ended, and its client has what was left.
		ChannelEnded {
			/// Number of the channel.
			channel: ChannelId,
			/// Account that received the rest and the deposit for the row.
			client: T::AccountId,
			/// What was left, in the asset's smallest unit.
			rest: u128,
		},
		/// A batch settled a channel's receipts.
		ChannelSettled {
			/// Number of the channel.
			channel: ChannelId,
			/// Number and sum of the prices of all its receipts so far.
			settled: ChannelSums,
		},
		/// A batch settled a miner's receipts.
		MinerSettled {
			/// Key of the coordinator that signed the batch.
			coordinator: PublicKey,
			/// Key of the miner that the line names.
			miner: PublicKey,
			/// Sums of all its receipts at this coordinator in this asset and mode so far.
			settled: MinerSums,
			/// Shares of the line's price, less what is given up of it, that miner, coordinator and
			/// treasury received, in the asset's smallest unit.
			shares: Shares,
			/// Claim that the line adds to the running emission step, in 10⁻¹⁸ AIT.
			claim: u128,
		},
		/// A batch was settled whole.
		BatchSettled {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// Sequence number of the batch.
			sequence: u64,
			/// Hash of its header.
			header_hash: H256,
			/// Asset and mode of its receipts.
			kind: BatchKind,
			/// Sums over its receipts, what it gives up included.
			sums: BatchSums,
			/// Fee that the coordinator's account paid for its lines, in 10⁻¹⁸ AIT.
			fee: u128,
		},
		/// A batch was refused and settled nothing.
		BatchRefused {
			/// Key of the coordinator that the header names.
			coordinator: PublicKey,
			/// Sequence number that the header states.
			sequence: u64,
			/// First rule that the batch breaks.
			reason: BatchRefusal,
		},
		/// Governance changed the parameters of channels.
		ChannelParametersSet {
			/// Parameters until now.
			old: Box<ChannelParameters>,
			/// Parameters from now on.
			new: Box<ChannelParameters>,
		},
		/// Somebody asks for a receipt on chain.
		ReceiptDemanded {
			/// Key of the coordinator that signed it.
			coordinator: PublicKey,
			/// Hash of what it signed: the id of the demand.
			id: H256,
			/// Number of the receipt's channel.
			channel: ChannelId,
			/// Number of its voucher.
			number: u64,
			/// Account that asks.
			who: T::AccountId,
			/// What the coordinator has to show.
			demanded: Demanded,
			/// Time until which it can answer, in UTC milliseconds, unless settlement is stopped
			/// meanwhile.
			due_ms: u64,
		},
		/// A receipt was shown in its batch.
		DemandAnswered {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// Id of the demand.
			id: H256,
			/// Sequence number of the batch.
			sequence: u64,
			/// Account that received the deposit: the coordinator's, or that of who asked because it
			/// was settled late.
			paid: T::AccountId,
		},
		/// A receipt that was asked for was not shown in time.
		DemandUnanswered {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// Id of the demand.
			id: H256,
			/// `true` if it counts as an offence; `false` if it is part of an absence that counted
			/// already, or the coordinator was banned and could not settle.
			counts: bool,
			/// Number of the coordinator's offences that count now.
			offences: u32,
			/// Time until which it is banned, in UTC milliseconds; 0 if it is not banned.
			banned_until_ms: u64,
			/// Amount that will be slashed of its bond, in 10⁻¹⁸ AIT.
			slash: u128,
		},
		/// An offence around channels was proven.
		ChannelOffenceProven {
			/// Key that the evidence accuses.
			coordinator: PublicKey,
			/// Kind of the offence.
			offence: ChannelOffence,
			/// Number of the channel; `None` if it is about headers.
			channel: Option<ChannelId>,
			/// Number of the coordinator's offences that count now.
			offences: u32,
			/// Time until which it is banned, in UTC milliseconds; 0 if it is not banned.
			banned_until_ms: u64,
			/// Amount that will be slashed of its bond, in 10⁻¹⁸ AIT; 0 if slashing is off.
			slash: u128,
		},
		/// What an offence took was given back, out of the coordinator's bond.
		GivenBack {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// Account that received it: a client's or a miner's.
			to: T::AccountId,
			/// Asset in which it was owed.
			asset: PriceAsset,
			/// What was owed, in the asset's smallest unit.
			owed: u128,
			/// Amount given back, in 10⁻¹⁸ AIT.
			amount: u128,
		},
		/// A batch gave up receipts of a channel that had ended: nobody is paid for them.
		CountsGivenUp {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// Number of the channel.
			channel: ChannelId,
			/// Key of the miner that the line names; `None` for receipts without an answer.
			miner: Option<PublicKey>,
			/// Number of the receipts.
			receipts: u64,
			/// Sum of their prices, in the asset's smallest unit.
			price: u128,
		},
		/// Pay and mint of a settled batch wait for the check window.
		BatchWaits {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// Sequence number of the batch.
			sequence: u64,
			/// Pay of miners and coordinator that waits, in the asset's smallest unit.
			amount: u128,
			/// End of the window, in UTC milliseconds, unless settlement is stopped meanwhile.
			pay_due_ms: u64,
		},
		/// A miner added the signature of its line: it claims.
		LineSigned {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// Sequence number of the batch.
			sequence: u64,
			/// Key of the miner.
			miner: PublicKey,
			/// Step in which the claim counts.
			step: u64,
			/// Claim, in 10⁻¹⁸ AIT.
			claim: u128,
		},
		/// What waited of a part was released.
		WaitingReleased {
			/// Whose part, and of which batch.
			part: Part,
			/// Pay, in the smallest unit of the batch's asset.
			pay: u128,
			/// `true` if the pay was taken from the party, and goes back to the clients.
			is_taken: bool,
			/// AIT that the miner can claim from now on, in 10⁻¹⁸ AIT.
			mint: u128,
			/// AIT that the coordinator can claim from now on, in 10⁻¹⁸ AIT.
			coordinator_mint: u128,
		},
		/// Pay and mint of one receipt were forfeited: what waited of its price went back to its client.
		ReceiptForfeited {
			/// The miner's part.
			part: Part,
			/// Number of the channel.
			channel: ChannelId,
			/// Account that received it; the treasury if nothing is known of the channel any more.
			client: T::AccountId,
			/// Amount, in the smallest unit of the batch's asset.
			amount: u128,
			/// Claim that the miner lost, in 10⁻¹⁸ AIT.
			claim: u128,
		},
		/// Part of the price of a line was forfeited, of which nobody can say what receipts it is of: it goes
		/// back to the clients of the batch.
		PriceForfeited {
			/// The miner's part.
			part: Part,
			/// What goes back, in the smallest unit of the batch's asset.
			amount: u128,
			/// Claim that the miner lost, in 10⁻¹⁸ AIT.
			claim: u128,
		},
		/// Everything that waits of a party was taken.
		WaitingTaken {
			/// Key of the party.
			key: PublicKey,
			/// Number of the first batch, among all that are settled, of which nothing is taken.
			before: u64,
		},
		/// What was taken from parties of a batch went back to a client.
		ReturnedToClient {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// Sequence number of the batch.
			sequence: u64,
			/// Number of the channel.
			channel: ChannelId,
			/// Account that received it; the treasury if nothing is known of the channel any more.
			client: T::AccountId,
			/// Amount, in the smallest unit of the batch's asset.
			amount: u128,
		},
		/// What an offence took was given back, out of the coordinator's pay that waited.
		GivenBackOfWaiting {
			/// Key of the coordinator.
			coordinator: PublicKey,
			/// Account that received it: a client's or a miner's.
			to: T::AccountId,
			/// Asset in which it was owed and given back.
			asset: PriceAsset,
			/// Amount, in the asset's smallest unit.
			amount: u128,
		},
		/// A dispute holds a part.
		PartHeld {
			/// Whose part, and of which batch.
			part: Part,
			/// Time until which it does at most, in UTC milliseconds, unless settlement is stopped
			/// meanwhile.
			until_ms: u64,
		},
		/// A dispute does not hold a part any more.
		PartFreed {
			/// Whose part, and of which batch.
			part: Part,
		},
		/// A check or a dispute found a party guilty.
		CheckFailed {
			/// Key of the party.
			key: PublicKey,
			/// Number of its offences that count now.
			offences: u32,
			/// Time until which it is banned, in UTC milliseconds; 0 if it is not banned.
			banned_until_ms: u64,
			/// Amount that will be slashed of its bond, in 10⁻¹⁸ AIT; 0 if slashing is off.
			slash: u128,
		},
		/// The window of the mint stands still, or continues.
		MintWindowStill {
			/// `true` if it stands still.
			still: bool,
		},
		/// The treasury's account paid for checks.
		CheckPaid {
			/// Account that received it.
			to: T::AccountId,
			/// Day of the checks, counted from 1970.
			day: u64,
			/// Amount, in 10⁻¹⁸ AIT.
			amount: u128,
		},
	}

	/// Reasons to refuse a call. Variants are only ever added at the end: a refused transaction
	/// without a signer carries 128 + the index as its code.
	#[pallet::error]
	pub enum Error<T> {
		/// The breaker has stopped opening and settling jobs, until governance lowers it.
		Stopped,
		/// The breaker has stopped minting; what was earned is paid later.
		MintStopped,
		/// A party with this key is already registered.
		KeyInUse,
		/// The key is weak, or its signature is not for this registration on this chain.
		BadProof,
		/// As many parties of this role as are allowed are already registered.
		MaxPartiesExceeded,
		/// No party with this key is registered, or not in the role that is needed.
		UnknownParty,
		/// The caller is not the account that pays the party's bond.
		NotOwner,
		/// The party is already leaving.
		Leaving,
		/// The party has not left, its bond is still held, it is banned, or a slash or a part of
		/// the emission is pending.
		NotYet,
		/// The caller is not the client that the quote, the job or the channel names.
		NotClient,
		/// The quote allows no units, its times contradict each other, or it exceeds a limit of the
		/// parameters.
		InvalidQuote,
		/// The quote has expired.
		QuoteExpired,
		/// The quote has already opened a job.
		AlreadyExists,
		/// The coordinator is not registered, or is leaving, banned or underbonded.
		CoordinatorUnfit,
		/// No miner with this key is registered.
		UnknownMiner,
		/// A signature is not that of the named key for this chain.
		BadSignature,
		/// No job with this id is in the state.
		UnknownJob,
		/// The job is closed, or its deadline has passed.
		NotOpen,
		/// The work has started, or the client is already cancelling.
		CannotCancel,
		/// The assignment is not newer than the one on chain, or the quote names another miner.
		StaleAssignment,
		/// The list is empty or names something twice.
		InvalidList,
		/// There is nothing due for what the call names.
		NothingDue,
		/// The heartbeat's time is too far from the chain's time, or too soon after the last
		/// heartbeat.
		UntimelyHeartbeat,
		/// The evidence does not prove an offence.
		InvalidEvidence,
		/// This offence was already reported.
		AlreadyReported,
		/// As many offences of this party as there are kinds were already reported about this job.
		MaxReportsExceeded,
		/// Slashing is switched off in the parameters.
		SlashingOff,
		/// The parameters contradict each other; the view function `check_parameters` says where.
		InvalidParameters,
		/// The value is already set.
		Unchanged,
		/// The origin may only raise the breaker; lowering it takes governance.
		NotGovernance,
		/// A figure does not fit its type.
		Overflow,
		/// The mint would exceed the cap of 21,000,000 AIT.
		CapReached,
		/// Governance has not admitted the coordinator.
		NotAdmitted,
		/// One of the rate's two numbers is zero.
		InvalidRate,
		/// As many assignments of the job as are free were recorded, or the last one too recently;
		/// signed, it is recorded for its fee.
		NotFree,
		/// Another miner has accepted the job, has not agreed to be replaced, and has time left.
		Accepted,
		/// The miner is leaving, banned or underbonded.
		MinerUnfit,
		/// The key or the account is banned.
		Banned,
		/// No channel with this number is in the state.
		UnknownChannel,
		/// Deposit, added amount or daily limit are zero, or the deposit does not fit.
		ChannelAmount,
		/// The signer's key is weak, or not a point of the curve.
		WeakSigner,
		/// The daily limits of the channels whose keys the coordinator keeps would be above its bond.
		KeptAboveBond,
		/// The daily limit of a channel whose key the coordinator keeps is above its deposit.
		LimitAboveDeposit,
		/// The channel is being closed.
		ChannelClosing,
		/// The new period does not end after the present one, or the channel is not a plan.
		NoPeriod,
		/// There are no channels in service credit.
		NoCreditChannel,
		/// No reference rate says what the daily limit in AICP counts for against the bond.
		NoRate,
		/// A bond or the memory of offences would end before what waits for the check window: shorten it,
		/// or lengthen them first.
		CheckWindow,
		/// The receipt contradicts itself, or is of another asset or mode than its channel: an offence
		/// that needs no answer.
		ReceiptUnsound,
		/// The coordinator still has time to settle the receipt.
		ReceiptNotDue,
		/// The channel ends before an answer would be due, it was settled too long ago, or the answer
		/// comes too late.
		DemandTooLate,
		/// The receipt is already demanded.
		AlreadyDemanded,
		/// As many demands as there may be are open: of this account, or of strangers to the receipt.
		MaxDemandsExceeded,
		/// No such demand is open.
		UnknownDemand,
		/// The headers do not lead from one that the chain knows to that of the batch.
		UnknownHeader,
		/// The receipt is not in the batch.
		NotInBatch,
		/// The evidence is older than offences are remembered, or its time has not come.
		EvidenceTooOld,
		/// Nothing of this batch or line waits: it never did, or it was paid or taken.
		NotWaiting,
		/// The miner has signed this line already.
		AlreadySigned,
		/// The check window of the batch is over.
		WindowOver,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			Self::count_stops();
			Self::begin_emission().saturating_add(T::WeightInfo::count_stops())
		}

		fn on_finalize(_: BlockNumberFor<T>) {
			// A call that was filtered after it had been authorized has left its mark.
			if Verified::<T>::exists() {
				Verified::<T>::kill();
			}
		}

		fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
			Self::scan_when_idle(remaining)
		}

		fn integrity_test() {
			assert!(T::MaxScanned::get() > 0, "MaxScanned must not be zero");
			assert!(T::MaxMiners::get() > 0, "MaxMiners must not be zero");
			assert!(T::MaxCoordinators::get() > 0, "MaxCoordinators must not be zero");
			let least = <T::Currency as fungible::Inspect<_>>::minimum_balance();
			let deposits =
				[T::JobDeposit::get(), T::ReportDeposit::get(), T::ChannelDeposit::get()];
			let alive = deposits.iter().all(|deposit| *deposit >= least);
			assert!(alive, "each row keeps the account of the escrow alive");
			let longest = u64::from(gridproof_primitives::compute::MAX_RECEIPTS_PER_CALL);
			let least = longest.saturating_mul(2);
			assert!(T::SubmissionPriority::get() >= least, "every claim comes before every note");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Registers a key as a coordinator and holds its bond. Before it gets a job, governance has
		/// to admit it.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the account that pays the bond and is paid.
		///
		/// ## Parameters
		///
		/// - `key`: the Ed25519 public key, 32 bytes.
		/// - `proof`: the key's signature of the
		///   [`Registration`](gridproof_primitives::compute::Registration) of this role and
		///   account.
		///
		/// ## Errors
		///
		/// - [`Error::KeyInUse`] if a party with this key is already registered.
		/// - [`Error::BadProof`] if the key is weak, or `proof` is not its signature of this
		///   registration on this chain.
		/// - [`Error::Banned`] if the key or the account is banned.
		/// - An error of the native token if the account has too little AIT for the bond.
		///
		/// ## Events
		///
		/// - [`Event::Registered`] with the bond held
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

		/// Registers a key as a miner of a class and holds its bond.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the account that pays the bond and is paid.
		///
		/// ## Parameters
		///
		/// - `key`: the Ed25519 public key, 32 bytes.
		/// - `class`: the hardware that the miner computes with.
		/// - `proof`: the key's signature of the
		///   [`Registration`](gridproof_primitives::compute::Registration) of this role and
		///   account.
		///
		/// ## Errors
		///
		/// - [`Error::KeyInUse`] if a party with this key is already registered.
		/// - [`Error::MaxPartiesExceeded`] if [`Config::MaxMiners`] miners are registered.
		/// - [`Error::BadProof`] if the key is weak, or `proof` is not its signature of this
		///   registration on this chain.
		/// - [`Error::Banned`] if the key or the account is banned.
		/// - An error of the native token if the account has too little AIT for the bond.
		///
		/// ## Events
		///
		/// - [`Event::Registered`] with the bond held
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
		/// ## Parameters
		///
		/// - `key`: the key of the party.
		/// - `amount`: the amount to add, in 10⁻¹⁸ AIT.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownParty`] if no party with this key is registered.
		/// - [`Error::NotOwner`] if the caller is not the party's account.
		/// - [`Error::Overflow`] if the bond would not fit its type.
		/// - An error of the native token if the account has too little AIT.
		///
		/// ## Events
		///
		/// - [`Event::BondRaised`] with the new bond
		#[pallet::call_index(2)]
		pub fn raise_bond(
			origin: OriginFor<T>,
			key: PublicKey,
			#[pallet::compact] amount: u128,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_raise_bond(account, key, amount)
		}

		/// Starts to leave. Jobs that are open already can still be settled, later ones cannot; the
		/// bond stays held for the time that governance has set after the leave and after the last
		/// job settled, so that offences can still be punished.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the party's account.
		///
		/// ## Parameters
		///
		/// - `key`: the key of the party.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownParty`] if no party with this key is registered.
		/// - [`Error::NotOwner`] if the caller is not the party's account.
		/// - [`Error::Leaving`] if the party is already leaving.
		///
		/// ## Events
		///
		/// - [`Event::Leaving`] with the time from which the bond is free
		#[pallet::call_index(3)]
		pub fn leave(origin: OriginFor<T>, key: PublicKey) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_leave(account, key)
		}

		/// Returns the bond of a party that has left, and pays what it has earned.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the party's account.
		///
		/// ## Parameters
		///
		/// - `key`: the key of the party.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownParty`] if no party with this key is registered.
		/// - [`Error::NotOwner`] if the caller is not the party's account.
		/// - [`Error::NotYet`] if the party has not left, its time to leave has not passed, it is
		///   banned, a slash is in its grace period, a dispute holds what waits of it, or it earned
		///   something in the running step; or if its bond was returned before, and something of it
		///   still waits.
		/// - [`Error::MintStopped`] if its bond was returned before, and what it has earned still
		///   cannot be minted.
		///
		/// ## Details
		///
		/// If what it has earned cannot be minted now, or still waits, the bond is returned all the same,
		/// and the rest stays claimable.
		///
		/// ## Events
		///
		/// - [`Event::Slashed`] if a slash was due
		/// - [`Event::EmissionPaid`] if it had earned something
		/// - [`Event::Left`] with the bond returned
		#[pallet::call_index(4)]
		pub fn withdraw(origin: OriginFor<T>, key: PublicKey) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_withdraw(account, key)
		}

		/// Opens a job with a coordinator's quote, and takes its price and the deposit for its row.
		/// The deposit returns with the row, when the job has been closed for a while.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the client that the quote names.
		///
		/// ## Details
		///
		/// A quote opens one job, ever: the job's id is the hash of what the coordinator signed,
		/// and the job stays in the state at least until the quote expires.
		///
		/// ## Parameters
		///
		/// - `quote`: the coordinator's offer, with price in the asset's smallest unit and times in
		///   UTC milliseconds.
		/// - `signature`: the coordinator's Ed25519 signature of the quote for this chain.
		///
		/// ## Errors
		///
		/// - [`Error::Stopped`] if the breaker has stopped jobs.
		/// - [`Error::NotClient`] if the quote names another client.
		/// - [`Error::InvalidQuote`] if the quote allows no units, its times contradict each other,
		///   or it exceeds the units or the time that the parameters allow.
		/// - [`Error::QuoteExpired`] if the quote has expired.
		/// - [`Error::AlreadyExists`] if the quote has opened a job before.
		/// - [`Error::CoordinatorUnfit`] if the coordinator is not registered, or is leaving,
		///   banned or underbonded.
		/// - [`Error::NotAdmitted`] if governance has not admitted the coordinator.
		/// - [`Error::UnknownMiner`] if the quote names a miner that is not registered.
		/// - [`Error::MinerUnfit`] if it names one that is leaving, banned or underbonded.
		/// - [`Error::BadSignature`] if `signature` is not the coordinator's of this quote on this
		///   chain.
		/// - [`Error::Overflow`] if a sum does not fit its type.
		/// - An error of a token if the client has too little for price and deposit.
		///
		/// ## Events
		///
		/// - [`Event::JobOpened`] with the job's id
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::open_job().saturating_add(T::ServiceCredit::weight()))]
		pub fn open_job(
			origin: OriginFor<T>,
			quote: Box<Quote>,
			signature: Signature,
		) -> DispatchResult {
			let client = ensure_signed(origin)?;
			Self::do_open_job(client, *quote, &signature)
		}

		/// Claims receipts: each one settles its job, or is refused with a reason.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (a general transaction without a signer), which is free and
		/// accepted only if every receipt is acceptable now; or `Signed`, which is free if all of
		/// them settle and otherwise pays the fee.
		///
		/// ## Details
		///
		/// Checks of a receipt, cheapest first: the job and its terms, the parties, the miner's
		/// signature, the coordinator's signature. In the pool, transactions about the same job
		/// exclude each other. A signed claim after the deadline returns the client's money.
		///
		/// ## Parameters
		///
		/// - `receipts`: signed receipts, 1 to
		///   [`MAX_RECEIPTS_PER_CALL`](gridproof_primitives::compute::MAX_RECEIPTS_PER_CALL).
		///
		/// ## Errors
		///
		/// - [`Error::InvalidList`] if `receipts` is empty.
		///
		/// A receipt that is refused is not an error of the call: its event has the reason.
		///
		/// ## Events
		///
		/// - [`Event::ReceiptSettled`] or [`Event::ReceiptRefused`] for each receipt
		/// - [`Event::JobRefunded`] for each job whose deadline has passed
		/// - [`Event::PaymentDiverted`] for each payment that its beneficiary could not receive
		/// - [`Event::StepClosed`] if an emission step has ended
		#[pallet::call_index(6)]
		#[pallet::weight(Pallet::<T>::weight_of_claim(receipts.len(), receipts.len(), receipts.len(), true))]
		#[pallet::authorize(Pallet::<T>::authorize_claim)]
		#[pallet::weight_of_authorize(Pallet::<T>::weight_of_claim_check(receipts.len()))]
		pub fn claim_receipts(
			origin: OriginFor<T>,
			receipts: Receipts,
		) -> DispatchResultWithPostInfo {
			Self::ensure_anyone(origin)?;
			ensure!(!receipts.is_empty(), Error::<T>::InvalidList);
			Ok(Self::do_claim(&receipts))
		}

		/// Cancels a job whose work has not started, after a notice period.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the job's client.
		///
		/// ## Details
		///
		/// The job's deadline moves to the end of the notice period. Until then a receipt still
		/// settles the job, and an assignment signed by the coordinator proves that the work has
		/// started and restores the deadline. After that the client gets its money back, as after
		/// any deadline. If the deadline has already passed, the money is returned immediately.
		///
		/// ## Parameters
		///
		/// - `job_id`: the id of the job.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownJob`] if no job with this id is in the state.
		/// - [`Error::NotClient`] if the caller is not the job's client.
		/// - [`Error::NotOpen`] if the job is closed.
		/// - [`Error::CannotCancel`] if the work has started, or the client is already cancelling.
		///
		/// ## Events
		///
		/// - [`Event::JobCancelling`] with the new deadline
		/// - [`Event::JobRefunded`] instead if the deadline has already passed
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::cancel_job().saturating_add(T::ServiceCredit::weight()))]
		pub fn cancel_job(origin: OriginFor<T>, job_id: H256) -> DispatchResult {
			let client = ensure_signed(origin)?;
			Self::do_cancel(client, job_id)
		}

		/// Records an assignment: the work has started, and only this miner can be paid.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` or `Signed`. Without a signer it is free, and accepted only if it
		/// answers a cancellation or is one of the job's first
		/// [`FREE_ASSIGNMENTS`](gridproof_primitives::compute::FREE_ASSIGNMENTS), not too soon after
		/// the one before.
		///
		/// ## Details
		///
		/// A higher attempt replaces a lower one. If the miner has signed too, a job that is not
		/// delivered by the deadline counts against its success rate, and another miner replaces it
		/// only with its signature or after
		/// [half of its time](gridproof_primitives::compute::may_replace).
		///
		/// ## Parameters
		///
		/// - `assignment`: job, miner and attempt, signed by the coordinator and, if it has
		///   accepted, by the miner.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownJob`] if no job with this id is in the state.
		/// - [`Error::NotOpen`] if the job is closed or its deadline has passed.
		/// - [`Error::StaleAssignment`] if the attempt is not above the one on chain, or the quote
		///   names another miner.
		/// - [`Error::UnknownMiner`] if no miner with this key is registered.
		/// - [`Error::MinerUnfit`] if it is leaving, banned or underbonded.
		/// - [`Error::Accepted`] if another miner has accepted the job and must agree.
		/// - [`Error::NotFree`] as a transaction without a signer, if it is not free.
		/// - [`Error::BadSignature`] if a signature is not the coordinator's or the miner's for
		///   this chain.
		///
		/// ## Events
		///
		/// - [`Event::JobAssigned`] with miner and attempt
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::assign_job())]
		#[pallet::authorize(Pallet::<T>::authorize_assign)]
		#[pallet::weight_of_authorize(T::WeightInfo::assign_job())]
		pub fn assign_job(
			origin: OriginFor<T>,
			assignment: Box<SignedAssignment>,
		) -> DispatchResult {
			let pays = Self::ensure_anyone(origin)?;
			Self::do_assign(&assignment, pays)
		}

		/// Releases a job: the client gets its money back immediately.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (free) or `Signed`.
		///
		/// ## Parameters
		///
		/// - `job_id`: the id of the job.
		/// - `signature`: the coordinator's Ed25519 signature of
		///   [`release_payload`](gridproof_primitives::compute::release_payload).
		///
		/// ## Errors
		///
		/// - [`Error::UnknownJob`] if no job with this id is in the state.
		/// - [`Error::NotOpen`] if the job is closed or its deadline has passed.
		/// - [`Error::BadSignature`] if `signature` is not the coordinator's for this job on this
		///   chain.
		///
		/// ## Events
		///
		/// - [`Event::JobRefunded`] with the amount returned
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::release_job().saturating_add(T::ServiceCredit::weight()))]
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

		/// Returns the money of jobs whose deadline has passed, and removes jobs that were closed
		/// long ago: the deposits for these rows return then.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (free) if every job named is due, or `Signed`.
		///
		/// ## Parameters
		///
		/// - `jobs`: ids of jobs, at most
		///   [`MAX_EXPIRIES_PER_CALL`](gridproof_primitives::compute::MAX_EXPIRIES_PER_CALL).
		///
		/// ## Errors
		///
		/// - [`Error::NothingDue`] if none of the jobs is overdue or old enough to be removed; as a
		///   transaction without a signer, if one of them is not.
		/// - [`Error::InvalidList`], as a transaction without a signer, if `jobs` is empty or names a
		///   job twice.
		/// - [`Error::UnknownJob`], as a transaction without a signer, if a job is not in the state.
		///
		/// ## Events
		///
		/// - [`Event::JobRefunded`] for each job whose money was returned
		#[pallet::call_index(10)]
		#[pallet::weight(Pallet::<T>::weight_of_expire(jobs.len()))]
		#[pallet::authorize(Pallet::<T>::authorize_expire)]
		#[pallet::weight_of_authorize(Pallet::<T>::weight_of_expire_check(jobs.len()))]
		pub fn expire_jobs(origin: OriginFor<T>, jobs: JobIds) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_expire(&jobs)
		}

		/// Records that miners are online.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (free) or `Signed`. Either all heartbeats are accepted or none.
		///
		/// ## Parameters
		///
		/// - `heartbeats`: signed heartbeats of different miners, 1 to
		///   [`MAX_HEARTBEATS_PER_CALL`](gridproof_primitives::compute::MAX_HEARTBEATS_PER_CALL),
		///   with times in UTC milliseconds.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidList`] if `heartbeats` is empty or has a miner twice.
		/// - [`Error::UnknownParty`] if a key is not that of a registered miner.
		/// - [`Error::UntimelyHeartbeat`] if a time is more than a minute from the chain's time, or
		///   too soon after the miner's last heartbeat.
		/// - [`Error::BadSignature`] if a signature is not the miner's for this chain.
		///
		/// ## Events
		///
		/// - [`Event::HeartbeatTaken`] for each heartbeat
		#[pallet::call_index(11)]
		#[pallet::weight(Pallet::<T>::weight_of_heartbeats(heartbeats.len()))]
		#[pallet::authorize(Pallet::<T>::authorize_heartbeats)]
		#[pallet::weight_of_authorize(Pallet::<T>::weight_of_heartbeats(heartbeats.len()))]
		pub fn heartbeats(origin: OriginFor<T>, heartbeats: Heartbeats) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_heartbeats(&heartbeats)
		}

		/// Mints what miners and coordinators have earned to their accounts, and the treasury's
		/// part.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (free) or `Signed`. Either all parties named are paid or none.
		///
		/// ## Parameters
		///
		/// - `parties`: keys of miners and coordinators, 1 to
		///   [`MAX_PAYOUTS_PER_CALL`](gridproof_primitives::compute::MAX_PAYOUTS_PER_CALL).
		///
		/// ## Errors
		///
		/// - [`Error::MintStopped`] if the breaker has stopped minting.
		/// - [`Error::InvalidList`] if `parties` is empty or names a key twice.
		/// - [`Error::UnknownParty`] if no party with one of the keys is registered.
		/// - [`Error::NothingDue`] if one of the parties has nothing to claim.
		/// - [`Error::CapReached`] if the mint would exceed the cap.
		/// - An error of the native token if an account would stay below its minimum balance.
		///
		/// ## Events
		///
		/// - [`Event::EmissionPaid`] for each party
		/// - [`Event::TreasuryPaid`] if the treasury had a part
		/// - [`Event::StepClosed`] if an emission step has ended
		#[pallet::call_index(12)]
		#[pallet::weight(Pallet::<T>::weight_of_payout(parties.len()))]
		#[pallet::authorize(Pallet::<T>::authorize_payout)]
		#[pallet::weight_of_authorize(Pallet::<T>::weight_of_payout(parties.len()))]
		pub fn claim_emission(origin: OriginFor<T>, parties: Payees) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_claim_emission(&parties)
		}

		/// Reports an offence, with evidence that proves it.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone; free if the evidence holds. The first report of a party about a job
		/// pays a deposit, which returns when the job's row is removed.
		///
		/// ## Parameters
		///
		/// - `evidence`: contradictory statements that the offender signed.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownJob`] if the job is not in the state.
		/// - [`Error::InvalidEvidence`] if the evidence does not prove an offence.
		/// - [`Error::UnknownParty`] if the offender is not registered in the role that can commit
		///   it.
		/// - [`Error::AlreadyReported`] if this offence was already reported.
		/// - [`Error::MaxReportsExceeded`] if every kind was reported of this party about the job.
		/// - An error of the native token if the caller has too little AIT for the deposit.
		///
		/// ## Events
		///
		/// - [`Event::OffenceProven`] with the ban and the slash that follow
		#[pallet::call_index(13)]
		pub fn report_offence(
			origin: OriginFor<T>,
			evidence: Box<Evidence>,
		) -> DispatchResultWithPostInfo {
			let reporter = ensure_signed(origin)?;
			Self::do_report(reporter, &evidence)?;
			Ok(Pays::No.into())
		}

		/// Slashes what is due of a bond, once the grace period has passed.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone.
		///
		/// ## Parameters
		///
		/// - `key`: the key of the party.
		///
		/// ## Errors
		///
		/// - [`Error::SlashingOff`] if slashing is switched off in the parameters.
		/// - [`Error::UnknownParty`] if no party with this key is registered.
		/// - [`Error::NothingDue`] if no slash of this party is due.
		///
		/// ## Events
		///
		/// - [`Event::Slashed`] with the amount
		#[pallet::call_index(14)]
		pub fn apply_slashes(origin: OriginFor<T>, key: PublicKey) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_apply_slashes(key)
		}

		/// Cancels all pending slashes of a party.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `key`: the key of the party.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownParty`] if no party with this key is registered.
		/// - [`Error::NothingDue`] if the party has no pending slash.
		///
		/// ## Events
		///
		/// - [`Event::SlashesCalledOff`] with the amount
		#[pallet::call_index(15)]
		pub fn call_off_slashes(origin: OriginFor<T>, key: PublicKey) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_call_off_slashes(key)
		}

		/// Sets the parameters of escrow, emission and offences.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// All parameters are set at once, so that their relations can be checked. They apply from
		/// this block on; a step that has ended is closed with the old ones first.
		///
		/// ## Parameters
		///
		/// - `new`: all parameters, in the units that [`ComputeParameters`] gives.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidParameters`] if the parameters contradict each other, or known cheats would pay
		///   under them and those of checks.
		/// - [`Error::CheckWindow`] if bonds or the memory of offences would end before what waits for
		///   the check window.
		/// - [`Error::Unchanged`] if they equal the present ones.
		///
		/// ## Events
		///
		/// - [`Event::StepClosed`] if an emission step has ended
		/// - [`Event::ParametersSet`] with the old and the new parameters
		#[pallet::call_index(16)]
		pub fn set_parameters(origin: OriginFor<T>, new: Box<ComputeParameters>) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			new.check().map_err(|_| Error::<T>::InvalidParameters)?;
			let channels = ChannelRules::<T>::get();
			ensure!(channels.fits(&new), Error::<T>::CheckWindow);
			ensure!(T::Touched::deters(&new, &channels), Error::<T>::InvalidParameters);
			let old = Box::new(Parameters::<T>::get());
			ensure!(old != new, Error::<T>::Unchanged);
			Self::roll(T::Time::now());
			Parameters::<T>::put(*new);
			Self::deposit_event(Event::ParametersSet { old, new });
			Ok(())
		}

		/// Stops minting, or minting, opening and settlement, or lifts the stop. While settlement is
		/// stopped the deadlines of jobs stand still; what was due before is returned all the same.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`]; to raise the breaker also [`Config::PauseOrigin`].
		///
		/// ## Parameters
		///
		/// - `new`: the level: closed (nothing is stopped), minting stopped, or everything stopped.
		///
		/// ## Errors
		///
		/// - [`Error::Unchanged`] if the breaker is at that level already.
		/// - [`Error::NotGovernance`] if [`Config::PauseOrigin`] tries to lower the breaker.
		///
		/// ## Events
		///
		/// - [`Event::BreakerSet`] with the old and the new level
		#[pallet::call_index(17)]
		pub fn set_breaker(origin: OriginFor<T>, new: Breaker) -> DispatchResult {
			let governance = Self::ensure_governance_or_pause(origin)?;
			let old = BreakerLevel::<T>::get();
			ensure!(old != new, Error::<T>::Unchanged);
			ensure!(governance || new > old, Error::<T>::NotGovernance);
			Self::count_stops();
			BreakerLevel::<T>::put(new);
			Self::count_stops();
			Self::deposit_event(Event::BreakerSet { old, new });
			Ok(())
		}

		/// Admits a registered coordinator: from now on jobs can be opened with its quotes.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `key`: the key of the coordinator.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownParty`] if no coordinator with this key is registered.
		/// - [`Error::Unchanged`] if it is admitted already.
		/// - [`Error::MaxPartiesExceeded`] if [`Config::MaxCoordinators`] are admitted.
		///
		/// ## Events
		///
		/// - [`Event::CoordinatorAdmitted`]
		#[pallet::call_index(18)]
		pub fn admit_coordinator(origin: OriginFor<T>, key: PublicKey) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_admit(key)
		}

		/// Ends the admission of a coordinator. Its open jobs are settled like any others; no
		/// further one can be opened.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`] or [`Config::PauseOrigin`].
		///
		/// ## Parameters
		///
		/// - `key`: the key of the coordinator, registered or admitted at genesis.
		///
		/// ## Errors
		///
		/// - [`Error::NotAdmitted`] if it is not admitted.
		///
		/// ## Events
		///
		/// - [`Event::CoordinatorExcluded`]
		#[pallet::call_index(19)]
		pub fn exclude_coordinator(origin: OriginFor<T>, key: PublicKey) -> DispatchResult {
			Self::ensure_governance_or_pause(origin)?;
			Self::do_exclude(key)
		}

		/// States what an AICP is worth in AIT, or that it counts for nothing.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`]; to lower or withdraw the rate also
		/// [`Config::PauseOrigin`].
		///
		/// ## Details
		///
		/// Half of the rate counts: a rate that is up to twice too high gives nothing to who pays
		/// himself. It counts for the parameters' `rate_valid_ms` after governance stated it;
		/// lowering it in an emergency does not prolong that. Receipts count with the rate of the
		/// moment at which they are claimed.
		///
		/// ## Parameters
		///
		/// - `new`: so many AIT for so many AICP; `None` if AICP is to count for nothing.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidRate`] if one of the two numbers is zero.
		/// - [`Error::NotGovernance`] if [`Config::PauseOrigin`] does not lower the rate.
		/// - [`Error::Unchanged`] if there is no rate to withdraw.
		///
		/// ## Events
		///
		/// - [`Event::ReferenceRateSet`] with the old and the new rate
		#[pallet::call_index(20)]
		pub fn set_reference_rate(origin: OriginFor<T>, new: Option<AitPerAicp>) -> DispatchResult {
			let governance = Self::ensure_governance_or_pause(origin)?;
			Self::do_set_rate(governance, new)
		}

		/// Takes back a leave: the party works on.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the party's account.
		///
		/// ## Parameters
		///
		/// - `key`: the key of the party.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownParty`] if no party with this key is registered.
		/// - [`Error::NotOwner`] if the caller is not the party's account.
		/// - [`Error::Unchanged`] if the party is not leaving.
		///
		/// ## Events
		///
		/// - [`Event::Stayed`]
		#[pallet::call_index(21)]
		pub fn stay(origin: OriginFor<T>, key: PublicKey) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_stay(account, key)
		}

		/// Bans a party, its key and its account until a time, or ends the ban.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `key`: the key of the party.
		/// - `until_ms`: the time until which nothing of it settles and it cannot register again, in
		///   UTC milliseconds; a time in the past ends the ban.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownParty`] if no party with this key is registered.
		///
		/// ## Events
		///
		/// - [`Event::BanSet`]
		#[pallet::call_index(22)]
		pub fn ban(origin: OriginFor<T>, key: PublicKey, until_ms: u64) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_ban(key, until_ms)
		}

		/// Forfeits what a party has earned of the emission and not claimed, its part of the running
		/// step and what waits included. It returns to the reserve.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `key`: the key of the party.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownParty`] if no party with this key is registered.
		/// - [`Error::NothingDue`] if it has earned nothing.
		///
		/// ## Events
		///
		/// - [`Event::StepClosed`] if an emission step has ended
		/// - [`Event::Forfeited`] with the amount
		#[pallet::call_index(23)]
		pub fn forfeit(origin: OriginFor<T>, key: PublicKey) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_forfeit(key)
		}

		/// Begins to exchange a party's key, such as one that was stolen or lost. It is done a day
		/// later at the earliest, by [`Pallet::complete_exchange`].
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the party's account.
		///
		/// ## Details
		///
		/// Bond, score, history, admission and what was earned go to the new key. Until then the old
		/// one works on; afterwards it settles only jobs that were opened before, and the party
		/// answers for what it signed. To stop a stolen key at once, leave: governance can also ban.
		///
		/// ## Parameters
		///
		/// - `key`: the present key of the party.
		/// - `new`: the Ed25519 public key that replaces it.
		/// - `proof`: the new key's signature of the
		///   [`Registration`](gridproof_primitives::compute::Registration) of the party's role and
		///   account.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownParty`] if no party with this key is registered.
		/// - [`Error::NotOwner`] if the caller is not the party's account.
		/// - [`Error::KeyInUse`] if the new key is a party's, or was one's until it was exchanged.
		/// - [`Error::NotYet`] if the last exchange was within the time after which a bond is free.
		/// - [`Error::BadProof`] if the new key is weak, or `proof` is not its signature of this
		///   registration on this chain.
		/// - [`Error::Banned`] if the new key is banned.
		///
		/// ## Events
		///
		/// - [`Event::KeyExchanging`] with the time from which it can be done
		#[pallet::call_index(24)]
		pub fn exchange_key(
			origin: OriginFor<T>,
			key: PublicKey,
			new: PublicKey,
			proof: Signature,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_exchange_key(account, key, new, &proof)
		}

		/// Keeps a party's key: an exchange that has begun is not done.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the party's account.
		///
		/// ## Parameters
		///
		/// - `key`: the present key of the party.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownParty`] if no party with this key is registered.
		/// - [`Error::NotOwner`] if the caller is not the party's account.
		/// - [`Error::NothingDue`] if no exchange has begun.
		///
		/// ## Events
		///
		/// - [`Event::KeyKept`]
		#[pallet::call_index(25)]
		pub fn keep_key(origin: OriginFor<T>, key: PublicKey) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_keep_key(account, key)
		}

		/// Exchanges a party's key, a day after [`Pallet::exchange_key`] or later.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone.
		///
		/// ## Parameters
		///
		/// - `key`: the key that is replaced.
		///
		/// ## Errors
		///
		/// - [`Error::NothingDue`] if no exchange of this key has begun.
		/// - [`Error::NotYet`] if its time has not come.
		/// - [`Error::KeyInUse`] if the new key was registered meanwhile.
		///
		/// ## Events
		///
		/// - [`Event::KeyExchanged`]
		#[pallet::call_index(26)]
		pub fn complete_exchange(origin: OriginFor<T>, key: PublicKey) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_complete_exchange(key)
		}

		/// Opens a channel: a deposit for a stream of requests to one coordinator. Takes the deposit, and
		/// another one for the channel's rows that returns with the rest.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the client: who pays, may close, and gets the rest.
		///
		/// ## Details
		///
		/// Without a signer the coordinator keeps the channel's key. The chain shows it, the daily
		/// limits of all such channels of a coordinator are together at most its bond, the channel's own
		/// is at most its deposit, and the coordinator may close it. A limit in AICP counts at the full
		/// reference rate of the moment at which the channel is opened.
		///
		/// There are no channels in service credit: it stays on its owner's account, where nothing would
		/// keep it for the coordinator.
		///
		/// ## Parameters
		///
		/// - `terms`: coordinator, asset and mode, signer, deposit and daily limit in the asset's
		///   smallest unit, end of the period if it is a plan.
		///
		/// ## Errors
		///
		/// - [`Error::Stopped`] if the breaker has stopped jobs and channels.
		/// - [`Error::NoCreditChannel`] if the asset is service credit.
		/// - [`Error::ChannelAmount`] if deposit or daily limit are zero.
		/// - [`Error::WeakSigner`] if the signer's key is not sound.
		/// - [`Error::CoordinatorUnfit`] if the coordinator is not registered, or is leaving, banned
		///   or underbonded.
		/// - [`Error::NotAdmitted`] if governance has not admitted the coordinator.
		/// - [`Error::LimitAboveDeposit`], [`Error::NoRate`] or [`Error::KeptAboveBond`] if the
		///   coordinator cannot keep the key of another channel with this limit.
		/// - [`Error::Overflow`] if a sum does not fit its type.
		/// - An error of a token if the client has too little for both deposits.
		///
		/// ## Events
		///
		/// - [`Event::ChannelOpened`] with the channel's number
		#[pallet::call_index(27)]
		pub fn open_channel(origin: OriginFor<T>, terms: Box<ChannelTerms>) -> DispatchResult {
			let client = ensure_signed(origin)?;
			Self::do_open_channel(client, &terms)
		}

		/// Adds to a channel's deposit.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the channel's client.
		///
		/// ## Parameters
		///
		/// - `channel`: the number of the channel.
		/// - `amount`: the amount to add, in the asset's smallest unit, at least 1.
		///
		/// ## Errors
		///
		/// - [`Error::Stopped`] if the breaker has stopped jobs and channels.
		/// - [`Error::UnknownChannel`] if no channel with this number is in the state.
		/// - [`Error::NotClient`] if the caller is not its client.
		/// - [`Error::ChannelClosing`] if it is being closed.
		/// - [`Error::ChannelAmount`] if the amount is zero, or the deposit does not fit.
		/// - An error of a token if the client has too little.
		///
		/// ## Events
		///
		/// - [`Event::ChannelToppedUp`] with the new deposit
		#[pallet::call_index(28)]
		pub fn top_up(
			origin: OriginFor<T>,
			channel: ChannelId,
			#[pallet::compact] amount: u128,
		) -> DispatchResult {
			let client = ensure_signed(origin)?;
			Self::do_top_up(client, channel, amount)
		}

		/// Begins another period of a plan. What is left of the last one stays in the deposit.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the channel's client.
		///
		/// ## Parameters
		///
		/// - `channel`: the number of the channel.
		/// - `amount`: the amount to add, in the asset's smallest unit; may be zero.
		/// - `plan_ends_ms`: the end of the new period, in UTC milliseconds.
		///
		/// ## Errors
		///
		/// - [`Error::Stopped`] if the breaker has stopped jobs and channels.
		/// - [`Error::UnknownChannel`] if no channel with this number is in the state.
		/// - [`Error::NotClient`] if the caller is not its client.
		/// - [`Error::ChannelClosing`] if it is being closed.
		/// - [`Error::NoPeriod`] if it is not a plan, or the period does not end after the present
		///   one.
		/// - [`Error::ChannelAmount`] if the deposit does not fit.
		/// - An error of a token if the client has too little.
		///
		/// ## Events
		///
		/// - [`Event::PlanRenewed`]
		#[pallet::call_index(29)]
		pub fn renew_plan(
			origin: OriginFor<T>,
			channel: ChannelId,
			#[pallet::compact] amount: u128,
			plan_ends_ms: u64,
		) -> DispatchResult {
			let client = ensure_signed(origin)?;
			Self::do_renew(client, channel, amount, plan_ends_ms)
		}

		/// Begins the notice after which a channel ends. Until then anyone who holds a batch of its
		/// coordinator can settle.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the channel's client; by the account of a coordinator that keeps the channel's
		/// key; by anyone once the period of a plan is over.
		///
		/// ## Details
		///
		/// The notice stands still while settlement is stopped.
		///
		/// ## Parameters
		///
		/// - `channel`: the number of the channel.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownChannel`] if no channel with this number is in the state.
		/// - [`Error::ChannelClosing`] if it is being closed.
		/// - [`Error::NotClient`] if the caller may not close it now.
		///
		/// ## Events
		///
		/// - [`Event::ChannelEnding`] with the end of the notice
		#[pallet::call_index(30)]
		pub fn close_channel(origin: OriginFor<T>, channel: ChannelId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_close_channel(&who, channel)
		}

		/// Returns what is left of channels that have ended, and the deposits for their rows, to their
		/// clients, and removes them.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (free) if every channel named has ended, or `Signed`.
		///
		/// ## Parameters
		///
		/// - `channels`: numbers of channels, at most
		///   [`MAX_EXPIRIES_PER_CALL`](gridproof_primitives::compute::MAX_EXPIRIES_PER_CALL).
		///
		/// ## Errors
		///
		/// - [`Error::NothingDue`] if none of the channels has ended, or none can be paid back; as a
		///   transaction without a signer, if one of them has not ended.
		/// - [`Error::InvalidList`], as a transaction without a signer, if `channels` is empty or names
		///   a channel twice.
		/// - [`Error::UnknownChannel`], as a transaction without a signer, if a channel is not in the
		///   state.
		///
		/// ## Events
		///
		/// - [`Event::ChannelEnded`] for each channel with what was left
		#[pallet::call_index(31)]
		#[pallet::weight(Pallet::<T>::weight_of_return(channels.len()))]
		#[pallet::authorize(Pallet::<T>::authorize_return)]
		#[pallet::weight_of_authorize(Pallet::<T>::weight_of_return_check(channels.len()))]
		pub fn return_rests(origin: OriginFor<T>, channels: ChannelIds) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_return(&channels)
		}

		/// Settles a batch: all of its receipts, or none.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone; free if the batch is settled. The coordinator's account pays the fee
		/// for its lines to the treasury.
		///
		/// ## Details
		///
		/// Checks, cheapest first: the header against the coordinator's last one, the coordinator, the
		/// lists against each other and the header, the header's signature, the fee, the channels,
		/// the miners, the signatures of vouchers and of miners. Then the price of each channel is
		/// divided among miners, coordinator and treasury, and paid once to each account. A line that
		/// its miner has signed adds its claim to the running emission step. With a check window the
		/// treasury alone is paid now: all else waits ([`Pallet::release_waiting`]).
		///
		/// A miner that is banned or underbonded is paid for its work, and earns nothing besides.
		///
		/// Receipts of a channel that has ended are given up: the batch states the miners' ranges of
		/// them, which are counted and neither paid nor minted for. So the lines continue behind them.
		///
		/// ## Parameters
		///
		/// - `batch`: header, lines of channels with their newest vouchers, lines of miners, what is
		///   given up of these, and signatures.
		///
		/// ## Errors
		///
		/// - An error of a token if an account that is to be paid cannot receive it: nothing is
		///   settled.
		///
		/// A batch that is refused is not an error of the call: its event has the reason, and the call
		/// pays its fee.
		///
		/// ## Events
		///
		/// - [`Event::ChannelSettled`] for each channel and [`Event::MinerSettled`] for each miner
		/// - [`Event::CountsGivenUp`] for each range that is given up
		/// - [`Event::BatchWaits`] if there is a check window
		/// - [`Event::BatchSettled`], or [`Event::BatchRefused`] alone
		/// - [`Event::StepClosed`] if an emission step has ended
		#[pallet::call_index(32)]
		#[pallet::weight(Pallet::<T>::weight_of_batch(batch))]
		pub fn settle_batch(
			origin: OriginFor<T>,
			batch: Box<SettlementBatch>,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_settle_batch(&batch)
		}

		/// Sets the parameters of channels.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// They apply from this block on. A notice that has begun keeps its length.
		///
		/// ## Parameters
		///
		/// - `new`: all parameters, in the units that [`ChannelParameters`] gives. Another check window
		///   is that of batches which are settled from now on.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidParameters`] if the parameters contradict each other, or known cheats would pay
		///   under them and those of checks.
		/// - [`Error::CheckWindow`] if bonds or the memory of offences would end before what waits.
		/// - [`Error::Unchanged`] if they equal the present ones.
		///
		/// ## Events
		///
		/// - [`Event::ChannelParametersSet`] with the old and the new parameters
		#[pallet::call_index(34)]
		pub fn set_channel_parameters(
			origin: OriginFor<T>,
			new: Box<ChannelParameters>,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_set_channel_parameters(new)
		}

		/// Asks for a receipt on chain that its coordinator did not settle in time, or has to show.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone who holds the receipt. Takes two deposits: one pays the answer, the other is
		/// for the row of the demand.
		///
		/// ## Details
		///
		/// If the channel is not settled up to the receipt's count, the coordinator has to settle it and
		/// to show it; then both deposits return. Otherwise it has to show it, and receives the first
		/// deposit. Its time stands still while settlement is stopped.
		///
		/// ## Parameters
		///
		/// - `receipt`: the receipt with its running sums.
		/// - `signature`: the coordinator's Ed25519 signature of both.
		///
		/// ## Errors
		///
		/// - [`Error::Stopped`] while settlement is stopped.
		/// - [`Error::ReceiptUnsound`] if the receipt contradicts itself, or is of another kind than its
		///   channel: report it instead.
		/// - [`Error::UnknownChannel`] if its channel is not known (any more).
		/// - [`Error::AlreadyReported`] if a demand of the voucher's receipt was not answered before.
		/// - [`Error::ReceiptNotDue`] if its time has not passed.
		/// - [`Error::DemandTooLate`] if the channel ends before the answer is due; or if the count is
		///   settled, and the receipt's time passed more than [`DEMAND_WINDOW_MS`] ago.
		/// - [`Error::UnknownParty`] if the coordinator is not registered any more.
		/// - [`Error::AlreadyDemanded`] if somebody has already asked.
		/// - [`Error::MaxDemandsExceeded`] if the caller has [`MAX_DEMANDS`] open ones to the
		///   coordinator, or is neither client nor miner and such have [`MAX_DEMANDS_OF_STRANGERS`].
		/// - [`Error::BadSignature`] if `signature` is not the coordinator's on this chain.
		/// - An error of the native token if the caller has too little AIT for the deposits.
		///
		/// ## Events
		///
		/// - [`Event::ReceiptDemanded`] with the demand's id and the time until which it can be answered
		#[pallet::call_index(35)]
		pub fn demand_receipt(
			origin: OriginFor<T>,
			receipt: Box<ChannelReceipt>,
			signature: Signature,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_demand(who, *receipt, &signature)
		}

		/// Answers a demand: shows the receipt in a batch that was settled.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone; free if the answer holds. The deposit goes to the coordinator's account,
		/// or back if the receipt was settled late.
		///
		/// ## Parameters
		///
		/// - `coordinator`: the key that signed the receipt.
		/// - `answer`: the receipt, its index and the hashes to the root of the batch's receipts.
		/// - `headers`: headers of the coordinator, the newest first and the batch's last: each is the
		///   previous one of that before it. The first is the coordinator's last header, or the last of
		///   a group of [`HEADERS_PER_MARK`] with sequence numbers from a multiple of that.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownDemand`] if this receipt is not demanded.
		/// - [`Error::DemandTooLate`] if the time to answer has passed.
		/// - [`Error::UnknownHeader`] if the headers do not lead from one that the chain knows to the
		///   batch's.
		/// - [`Error::NotInBatch`] if the receipt is not in the batch.
		///
		/// ## Events
		///
		/// - [`Event::DemandAnswered`] with who received the deposit
		#[pallet::call_index(36)]
		pub fn answer_demand(
			origin: OriginFor<T>,
			coordinator: PublicKey,
			answer: Box<Placed<ChannelReceipt>>,
			headers: Box<HeaderPath>,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_answer(coordinator, &answer, &headers)?;
			Ok(Pays::No.into())
		}

		/// Reports an offence around channels, with evidence that proves it. What it took is given back
		/// first.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone; free if the evidence holds. The first report about a voucher or a header
		/// pays a deposit for its row, which returns with it: once the channel has ended and offences
		/// are forgotten.
		///
		/// ## Details
		///
		/// The offence counts like any other: it costs part of the score, from the third a ban, and part
		/// of what pending slashes leave of the bond, after the grace. What a client or a miner lost
		/// comes out of the bond at once and on top of that: to a client at most what was settled out of
		/// its channel, to a miner at most as much as the slash. AICP count at half of the reference
		/// rate.
		///
		/// A receipt that a batch gave up, with the range in which it did, is an absence of the
		/// coordinator, as a demand without an answer is: the first one shown counts as an offence, and
		/// miners together get back as much as its slash.
		///
		/// The same evidence shown again gives back to a client what the first report did not, for lack
		/// of a rate or of a bond, and counts no second time.
		///
		/// ## Parameters
		///
		/// - `coordinator`: the accused key.
		/// - `evidence`: what it signed.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownParty`] if the coordinator is not registered any more.
		/// - [`Error::UnknownChannel`] if the channel is not known, or another coordinator's.
		/// - [`Error::EvidenceTooOld`] if headers are older than offences are remembered, or of a time
		///   to come.
		/// - [`Error::InvalidEvidence`] if the evidence does not prove an offence, or needs a model that
		///   the registry does not know.
		/// - [`Error::AlreadyReported`] if this kind was already reported and nothing is left to be given
		///   back.
		/// - An error of the native token if the caller has too little AIT for the deposits.
		///
		/// ## Events
		///
		/// - [`Event::GivenBack`] with what the wronged party received
		/// - [`Event::ChannelOffenceProven`] with the ban and the slash that follow
		#[pallet::call_index(37)]
		#[pallet::weight(
			T::WeightInfo::report_channel_offence().saturating_add(Pallet::<T>::weight_of_looking())
		)]
		pub fn report_channel_offence(
			origin: OriginFor<T>,
			coordinator: PublicKey,
			evidence: Box<ChannelEvidence>,
		) -> DispatchResultWithPostInfo {
			let reporter = ensure_signed(origin)?;
			Self::do_report_channel(reporter, coordinator, &evidence)?;
			Ok(Pays::No.into())
		}

		/// Closes a demand whose time has passed without an answer: an offence of the coordinator.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone; free if it was due.
		///
		/// ## Details
		///
		/// The deposit that would have paid the answer returns to who asked; that for the row stays with
		/// the record of the offence. The miner gets back its share of the price if its count is not
		/// settled, else the client the price. Demands that were open at the same time count as one
		/// offence.
		///
		/// ## Parameters
		///
		/// - `coordinator`: the key that signed the receipt.
		/// - `id`: the id of the demand.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownDemand`] if no such demand is open.
		/// - [`Error::NothingDue`] if the coordinator still has time.
		/// - [`Error::UnknownParty`] if the coordinator is not registered any more.
		///
		/// ## Events
		///
		/// - [`Event::GivenBack`] with what the wronged party received
		/// - [`Event::DemandUnanswered`] with the ban and the slash that follow
		#[pallet::call_index(38)]
		#[pallet::weight(
			T::WeightInfo::lapse_demand().saturating_add(Pallet::<T>::weight_of_looking())
		)]
		pub fn lapse_demand(
			origin: OriginFor<T>,
			coordinator: PublicKey,
			id: H256,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_lapse(coordinator, id)?;
			Ok(Pays::No.into())
		}

		/// Releases what waited for the check window: pays it to miners and coordinators, lets them claim
		/// what it mints, and sets aside for the clients what was taken.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (free) or `Signed`. Something of every part named is released, or
		/// nothing at all.
		///
		/// ## Details
		///
		/// A miner's part has its pay and its claim, and the coordinator's claim of its line. What of it
		/// is not due, or held by a dispute, waits on. A claim in the running step waits for its end.
		/// What was taken from a party is moved at any time.
		///
		/// ## Parameters
		///
		/// - `parts`: what is released, 1 to
		///   [`MAX_RELEASES`](gridproof_primitives::compute::checks::MAX_RELEASES).
		///
		/// ## Errors
		///
		/// - [`Error::InvalidList`] if `parts` is empty or names a part twice.
		/// - [`Error::NotWaiting`] if nothing of a part waits.
		/// - [`Error::NothingDue`] if nothing of a part is due.
		/// - An error of a token if an account that is to be paid cannot receive it: leave it out.
		///
		/// ## Events
		///
		/// - [`Event::WaitingReleased`] for each part
		/// - [`Event::StepClosed`] if an emission step has ended
		#[pallet::call_index(39)]
		#[pallet::weight(Pallet::<T>::weight_of_release(parts.len()))]
		#[pallet::authorize(Pallet::<T>::authorize_release_waiting)]
		#[pallet::weight_of_authorize(Pallet::<T>::weight_of_release(parts.len()))]
		pub fn release_waiting(origin: OriginFor<T>, parts: Parts) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_release_waiting(&parts)
		}

		/// Pays to clients what was taken from the miners and the coordinator of a batch, to each by what
		/// its channel paid in it.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (free) or `Signed`. All channels named are paid or none.
		///
		/// ## Details
		///
		/// To a client at most what was settled out of its channel goes back in all; what is above that,
		/// and what belongs to a channel that was forgotten, goes to the treasury.
		///
		/// ## Parameters
		///
		/// - `batch`: coordinator and sequence number.
		/// - `channels`: numbers of channels of the batch, at most
		///   [`MAX_EXPIRIES_PER_CALL`](gridproof_primitives::compute::MAX_EXPIRIES_PER_CALL).
		///
		/// ## Errors
		///
		/// - [`Error::InvalidList`] if `channels` is empty or names a channel twice.
		/// - [`Error::NotWaiting`] if nothing of the batch waits.
		/// - [`Error::UnknownChannel`] if the batch has no line of a channel.
		/// - [`Error::NothingDue`] if nothing goes back to a channel now.
		/// - An error of a token if an account cannot receive its part: leave it out.
		///
		/// ## Events
		///
		/// - [`Event::ReturnedToClient`] for each channel
		#[pallet::call_index(40)]
		#[pallet::weight(Pallet::<T>::weight_of_returns(channels.len()))]
		#[pallet::authorize(Pallet::<T>::authorize_returns)]
		#[pallet::weight_of_authorize(Pallet::<T>::weight_of_returns(channels.len()))]
		pub fn return_to_clients(
			origin: OriginFor<T>,
			batch: BatchId,
			channels: ChannelIds,
		) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_return_to_clients(&batch, &channels)
		}

		/// Adds a miner's signature of its line, while the check window lasts: the line claims in the
		/// running step.
		///
		/// ## Dispatch Origin
		///
		/// Anyone: `Authorized` (free) or `Signed`.
		///
		/// ## Details
		///
		/// It claims at most what it could have claimed when it was settled, and by the miner's score of
		/// now.
		///
		/// ## Parameters
		///
		/// - `batch`: coordinator and sequence number.
		/// - `miner`: the key that the line names.
		/// - `signature`: its Ed25519 signature of the line and the batch's header.
		///
		/// ## Errors
		///
		/// - [`Error::Stopped`] while settlement is stopped, [`Error::MintStopped`] while minting is.
		/// - [`Error::NotWaiting`] if no line of the miner waits from this batch, or it was taken.
		/// - [`Error::AlreadySigned`] if it was signed before.
		/// - [`Error::WindowOver`] if the window of the mint is over.
		/// - [`Error::BadSignature`] if `signature` is not the miner's of this line on this chain.
		/// - [`Error::UnknownMiner`] if the miner is not registered any more.
		/// - [`Error::NothingDue`] if the line would claim nothing.
		///
		/// ## Events
		///
		/// - [`Event::LineSigned`] with step and claim
		/// - [`Event::StepClosed`] if an emission step has ended
		#[pallet::call_index(41)]
		#[pallet::authorize(Pallet::<T>::authorize_sign_line)]
		#[pallet::weight_of_authorize(T::WeightInfo::sign_line())]
		pub fn sign_line(
			origin: OriginFor<T>,
			batch: BatchId,
			miner: PublicKey,
			signature: Signature,
		) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_sign_line(batch, miner, &signature)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Returns a job, `None` if it is not in the state.
		pub fn job(job_id: H256) -> Option<JobView> {
			Self::view_job(job_id)
		}

		/// Returns the receipt that settled a job, `None` if there is none.
		pub fn receipt(job_id: H256) -> Option<ReceiptView> {
			Jobs::<T>::get(job_id).and_then(|job| job.receipt)
		}

		/// Returns a miner with its score and the score's four parts, `None` if the key is not a
		/// miner's.
		pub fn miner(key: PublicKey) -> Option<MinerView> {
			Self::view_miner(key)
		}

		/// Returns a coordinator, `None` if the key is not a coordinator's.
		pub fn coordinator(key: PublicKey) -> Option<CoordinatorView> {
			Self::view_coordinator(key)
		}

		/// Returns keys and roles of at most `limit` parties, in no order: the first ones, or those
		/// that follow the party with the key `after`.
		pub fn parties(after: Option<PublicKey>, limit: u32) -> Vec<(PublicKey, PartyRole)> {
			Self::list_parties(after, limit)
		}

		/// Returns an emission step: the running one, an ended one with parts to convert, or one to
		/// come.
		pub fn step(step: u64) -> StepView {
			Self::view_step(step)
		}

		/// Returns what that many compute units of a miner for that price, in the asset's smallest
		/// unit, would earn now, `None` if it is not registered.
		pub fn earnings(
			miner: PublicKey,
			compute_units: u64,
			asset: PriceAsset,
			price: u128,
		) -> Option<Earnings> {
			Self::preview_earnings(miner, compute_units, asset, price, true)
		}

		/// Returns the rate at which prices in AICP count, `None` if governance has stated none or
		/// its time has passed.
		pub fn reference_rate() -> Option<ReferenceRate> {
			let (now, valid_ms) = (T::Time::now(), Parameters::<T>::get().rate_valid_ms);
			Rate::<T>::get().filter(|rate| rate.at(now, valid_ms).is_some())
		}

		/// Returns what each receipt would pay and earn, or why it would be refused, if all of them
		/// were claimed now in one call. At most as many receipts as one call carries.
		pub fn preview_receipts(
			receipts: Vec<SignedReceipt>,
		) -> Vec<Result<Preview, ReceiptRefusal>> {
			Self::preview(&receipts)
		}

		/// Returns the totals of the network: parties, jobs, escrow, emission.
		pub fn overview() -> Overview {
			Self::view_overview()
		}

		/// Returns an error that names the relation which these parameters break, if they break
		/// one.
		pub fn check_parameters(
			parameters: ComputeParameters,
		) -> Result<(), ComputeParameterError> {
			parameters.check()
		}

		/// Returns a channel, `None` if it is not in the state.
		pub fn channel(channel: ChannelId) -> Option<ChannelView> {
			Self::view_channel(channel)
		}

		/// Returns at most `limit` channels that an account opened, in no order: the first ones, or
		/// those that follow the channel `after`.
		pub fn channels_of(
			account: T::AccountId,
			after: Option<ChannelId>,
			limit: u32,
		) -> Vec<ChannelView> {
			Self::list_channels(&account, after, limit)
		}

		/// Returns what is kept of a coordinator's batches: sequence number of the next one, hash and
		/// time of the last header.
		pub fn header_chain(coordinator: PublicKey) -> HeaderChain {
			Headers::<T>::get(coordinator)
		}

		/// Returns the running sums up to which a coordinator has settled a miner in an asset and mode;
		/// without a miner those of receipts that have none.
		pub fn miner_sums(
			coordinator: PublicKey,
			kind: BatchKind,
			miner: Option<PublicKey>,
		) -> MinerSums {
			MinerTotals::<T>::get((coordinator, kind, miner))
		}

		/// Returns why a batch would be refused if it were submitted now.
		pub fn preview_batch(batch: SettlementBatch) -> Result<(), BatchRefusal> {
			Self::preview_batch_now(&batch)
		}

		/// Returns at most `limit` open demands to the coordinator that signs with a key, in no order.
		pub fn demands(coordinator: PublicKey, limit: u32) -> Vec<DemandView> {
			Self::list_demands(&coordinator, limit)
		}

		/// Returns the parameters of channels that governance has set.
		pub fn channel_parameters() -> ChannelParameters {
			ChannelRules::<T>::get()
		}

		/// Returns a batch of which something waits, `None` if there is nothing.
		pub fn waiting_batch(batch: BatchId) -> Option<Checkable> {
			<Self as gridproof_primitives::compute::checks::Waiting<_>>::batch(&batch)
		}

		/// Returns the line of a batch that names a miner's key, `None` if nothing of it waits.
		pub fn waiting_line(batch: BatchId, miner: PublicKey) -> Option<CheckableLine> {
			<Self as gridproof_primitives::compute::checks::Waiting<_>>::line(&batch, &miner)
		}

		/// Returns what waits of the miner or coordinator that lines or headers name by this key, in no
		/// order: at most `limit` parts, the first ones or those that follow that of the batch `after`.
		pub fn waiting_of(key: PublicKey, after: Option<BatchId>, limit: u32) -> Vec<WaitingView> {
			Self::list_waiting(key, after, limit)
		}

		/// Returns what each channel paid in a batch that waits, and what of it went back.
		pub fn waiting_channels(batch: BatchId) -> Vec<PaidByChannel> {
			WaitingLists::<T>::get(batch).channels.into_inner()
		}

		/// Returns an error that names the relation which these parameters of channels break, if they
		/// break one.
		pub fn check_channel_parameters(
			parameters: ChannelParameters,
		) -> Result<(), ChannelParameterError> {
			parameters.check()
		}
	}
}
