//! # Compute checks pallet
//!
//! Work that was settled is done again by verifiers whom nobody knows beforehand. Who cheated loses more
//! than it gained; who accuses falsely, invents figures or keeps back what it has to show, pays.
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for the interfaces of this pallet: its configuration trait, dispatchables,
//! storage items, events and errors. All formats, rules and formulas are in
//! [`gridproof_primitives::compute::checks`]; `docs/protocols/checks.md` has the protocol.
//!
//! ## Terminology
//!
//! * **Verifier**: an account that governance admitted (at most 21) and that has a bond, with an sr25519
//!   key by which it draws and signs. A key draws once it is known for an hour.
//! * **Touch**: the first call about a settled batch, three blocks or more after it: it fixes the hash by
//!   which every verifier draws. A batch that nobody touched does not mature.
//! * **Check**: one receipt of a batch that fell to one verifier. **Report**: what it measured.
//! * **Number**: what the figures of a miner and model have been above the model's **line** of late.
//! * **Witness**, **juror**: what all verifiers but the parties are, where an opening is missing and where
//!   something is disputed.
//!
//! ## Overview
//!
//! Everything that a verifier does is a statement that its key signs, so anybody can bring it, and it is
//! free: each of them can be made once (a check is reported, re-opened, demanded once; a witness or juror
//! speaks once), which bounds them. What waits for the check window is not here: [`Config::Waiting`] shows
//! it and takes from it.
//!
//! | what happens | what follows |
//! |---|---|
//! | report `not equal` (class `exact`) | a dispute: verifier against miner |
//! | a number above its limit | a dispute against the miner; the number begins at 0 again |
//! | a client disputes its own receipt | a dispute: client, with a deposit, against miner |
//! | re-opened figures are not shown | an offence of who did not show them |
//! | re-opened figures do not agree | a dispute: who re-opened against who reported |
//! | two thirds of the witnesses got nothing | the receipt is forfeited; an offence of the coordinator |
//! | two thirds of them have the opening | one of them or the demander reports it, or it is forfeited |
//! | nobody names the receipt that is demanded | what one check stands for is forfeited, or all that waits |
//! | witnesses do not agree | the receipt is forfeited, and nobody is punished |
//! | two thirds of a jury find guilty | slash; all that waits of the miner goes back to clients |
//! | two thirds find not guilty | the accuser pays |
//! | a jury does not decide | the receipt is forfeited, and nobody is slashed |
//! | two thirds of a jury were shown nothing | the same, and an offence of the coordinator |
//! | a juror is silent | it loses a fee |
//!
//! ### Clocks
//!
//! Deadlines of demands, re-openings and disputes are by a clock that stands still while settlement is
//! stopped. The window of a batch is that of [`Config::Waiting`], which stands still as well.
//!
//! ### Money
//!
//! Bonds are on hold on the verifiers' accounts. Pots of demands and deposits of clients lie in
//! [`Config::Escrow`], and the rows say whose they are. Verifiers are paid by [`Config::Fund`] from the
//! treasury's account: a fixed sum for each check that matured, right or wrong, within the day's budget.
//!
//! ### Bounds
//!
//! Verifiers: 21 admitted, [`MAX_ROWS`] rows. Reports: at most 128 of each verifier and batch, removed once
//! the batch is over ([`Pallet::settle_checks`]). Demands and disputes: [`Config::MaxDemands`] and
//! [`Config::MaxDisputes`] at a time. Lines: [`Config::MaxLines`]. A number's row goes when it is zero.

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

mod asked;
mod authorize;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod checks;
mod demands;
mod disputes;
#[cfg(test)]
mod mock;
mod pay;
mod reopenings;
pub mod runtime_api;
#[cfg(test)]
mod tests;
mod try_state;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::as_conversions, clippy::cast_possible_truncation)]
mod types;
mod verifiers;
mod views;
pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use gridproof_primitives::compute::checks::CheckParameters;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// The pallet macros generate `expect` and `as` here; the rules themselves are elsewhere.
#[allow(clippy::as_conversions, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::{boxed::Box, vec::Vec};
	use frame_support::{
		pallet_prelude::*,
		traits::{Time, fungible},
	};
	use frame_system::pallet_prelude::*;
	use gridproof_primitives::{
		H256,
		compute::{
			channels::{ChannelReceipt, Placed, VoucherId},
			checks::{
				Abstention, AskedReceipt, Ballot, BatchChecks, BatchId, CheckId, CheckOverview,
				CheckParameterError, CheckRefusal, CheckReport, CheckView, DemandOfOpening,
				DisputeCause, DisputeView, Figures, FiguresRefusal, Fund, JuryCommitment,
				ModelLine, NoVote, Number, OpeningDemand, OpeningOutcome, Reopening, ShownFigures,
				Verdict, VerifierKey, VerifierSignature, VerifierView, Votes, Waiting, WideNumber,
				Witness, WitnessStatement,
			},
			registry::ModelRegistry,
		},
		crypto::ed25519::PublicKey,
	};
	use sp_runtime::AccountId32;

	/// Types, tokens, limits and origins that the runtime sets.
	#[pallet::config]
	pub trait Config: frame_system::Config<AccountId = AccountId32, Hash = H256> {
		/// AIT: bonds, fees and deposits.
		type Currency: fungible::Mutate<AccountId32, Balance = u128>
			+ fungible::hold::Mutate<AccountId32, Reason = Self::RuntimeHoldReason>;

		/// Reasons for holds of the runtime, which include [`HoldReason`].
		type RuntimeHoldReason: From<HoldReason>;

		/// Source of the time in UTC milliseconds: the timestamp pallet.
		type Time: Time<Moment = u64>;

		/// Account that receives what is slashed, fined or lost.
		type Treasury: Get<AccountId32>;

		/// Account of the pallet's own, for which no key signs: pots of demands and deposits of disputes
		/// lie in it.
		type Escrow: Get<AccountId32>;

		/// Origin that admits verifiers and sets parameters and lines.
		type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Origin that may suspend a verifier in an emergency.
		type PauseOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// What waits for the check window.
		type Waiting: Waiting<AccountId32>;

		/// Pays verifiers.
		type Fund: Fund<AccountId32>;

		/// Parameters, parties, channels and stops of the pallet that settles.
		type Settlement: Settlement<AccountId32>;

		/// Models and their engine classes.
		type Models: ModelRegistry;

		/// Highest number of lines of models.
		#[pallet::constant]
		type MaxLines: Get<u32>;

		/// Highest number of demands that are open at a time.
		#[pallet::constant]
		type MaxDemands: Get<u32>;

		/// Highest number of disputes that are open at a time.
		#[pallet::constant]
		type MaxDisputes: Get<u32>;

		/// Priority of free calls in the pool.
		#[pallet::constant]
		type SubmissionPriority: Get<u64>;

		/// Number of blocks for which the pool keeps a free call.
		#[pallet::constant]
		type SubmissionLongevity: Get<u64>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;

		/// Makes what benchmarks need of other pallets.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: BenchmarkHelper;
	}

	/// Why AIT is on hold.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Bond of a verifier.
		Bond,
	}

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The compute checks pallet: draws, reports, witnesses, juries.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// Parameters that governance sets.
	#[pallet::storage]
	pub type Parameters<T: Config> = StorageValue<_, CheckParameters, ValueQuery>;

	/// Lines of models, by hash.
	#[pallet::storage]
	pub type Lines<T: Config> = CountedStorageMap<_, Identity, H256, ModelLine, OptionQuery>;

	/// Accounts that governance has admitted as verifiers.
	#[pallet::storage]
	pub type Admitted<T: Config> =
		CountedStorageMap<_, Blake2_128Concat, T::AccountId, (), OptionQuery>;

	/// Verifiers by account, with those that leave.
	#[pallet::storage]
	pub type Verifiers<T: Config> =
		CountedStorageMap<_, Blake2_128Concat, T::AccountId, Verifier, OptionQuery>;

	/// Account of the verifier that uses a key, or did before.
	#[pallet::storage]
	pub type Keys<T: Config> =
		StorageMap<_, Blake2_128Concat, VerifierKey, T::AccountId, OptionQuery>;

	/// Batches that were touched, until their checks have matured.
	#[pallet::storage]
	pub type Batches<T: Config> = StorageMap<_, Blake2_128Concat, BatchId, BatchRow, OptionQuery>;

	/// Reports by batch, and by the verifier's key and the number of the check.
	#[pallet::storage]
	pub type Reports<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		BatchId,
		Blake2_128Concat,
		(VerifierKey, u32),
		Report<T::AccountId>,
		OptionQuery,
	>;

	/// Receipts of a batch that were forfeited, by their vouchers: no index in a tree makes two of one.
	#[pallet::storage]
	pub type Forfeited<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		BatchId,
		Blake2_128Concat,
		VoucherId,
		(),
		OptionQuery,
	>;

	/// Receipts of a batch that clients want checked, by their vouchers.
	#[pallet::storage]
	pub type Asked<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		BatchId,
		Blake2_128Concat,
		VoucherId,
		AskedRow<T::AccountId>,
		OptionQuery,
	>;

	/// Numbers of miners over all of their models, by account, or by key where none is known.
	#[pallet::storage]
	pub type WideNumbers<T: Config> =
		StorageMap<_, Blake2_128Concat, PublicKey, WideRow, ValueQuery>;

	/// Numbers by the miner's account, or its key where none is known, and by model.
	#[pallet::storage]
	pub type Numbers<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		PublicKey,
		Blake2_128Concat,
		H256,
		NumberRow,
		ValueQuery,
	>;

	/// Reports that are re-opened.
	#[pallet::storage]
	pub type Reopenings<T: Config> =
		StorageMap<_, Blake2_128Concat, CheckId, ReopeningRow<T::AccountId>, OptionQuery>;

	/// Openings that are demanded.
	#[pallet::storage]
	pub type Demands<T: Config> =
		CountedStorageMap<_, Blake2_128Concat, CheckId, DemandRow<T::AccountId>, OptionQuery>;

	/// Checks whose opening was demanded before, by batch, and by the verifier's key and the number of the
	/// check.
	#[pallet::storage]
	pub type Demanded<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		BatchId,
		Blake2_128Concat,
		(VerifierKey, u32),
		(),
		OptionQuery,
	>;

	/// Checks whose opening two thirds of the witnesses have, by batch and by the number under which any of
	/// those may report it.
	#[pallet::storage]
	pub type Opened<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, BatchId, Twox64Concat, u32, CheckId, OptionQuery>;

	/// Disputes by id.
	#[pallet::storage]
	pub type Disputes<T: Config> =
		CountedStorageMap<_, Identity, H256, Dispute<T::AccountId>, OptionQuery>;

	/// The open dispute of each accuser and accused.
	#[pallet::storage]
	pub type OpenPairs<T: Config> = StorageMap<_, Identity, H256, H256, OptionQuery>;

	/// Checks that matured on a day, of each verifier, until they are paid.
	#[pallet::storage]
	pub type Days<T: Config> = StorageMap<_, Twox64Concat, u64, DayRow<T::AccountId>, ValueQuery>;

	/// Time until which enough verifiers have reported within a day, in UTC milliseconds.
	#[pallet::storage]
	pub type QuorumUntil<T: Config> = StorageValue<_, u64, ValueQuery>;

	/// Time since which too few verifiers have, so that the mint's window stands still.
	#[pallet::storage]
	pub type StillSince<T: Config> = StorageValue<_, u64, OptionQuery>;

	/// Totals.
	#[pallet::storage]
	pub type Sums<T: Config> = StorageValue<_, Totals, ValueQuery>;

	/// Statement whose signature and draw are verified, from its authorisation to its dispatch.
	#[pallet::storage]
	pub type Verified<T: Config> = StorageValue<_, H256, OptionQuery>;

	/// Parameters, lines and verifiers of a new chain.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Parameters.
		pub parameters: CheckParameters,
		/// Lines of models.
		pub lines: Vec<(H256, ModelLine)>,
		/// Accounts that are admitted, each with the key of its verifier, known long enough, if it begins
		/// with one.
		pub verifiers: Vec<(AccountId32, Option<VerifierKey>)>,
		#[doc(hidden)]
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			Parameters::<T>::put(self.parameters);
			let (compute, channels) = T::Settlement::parameters();
			let deters = <Pallet<T> as gridproof_primitives::compute::checks::Touched>::deters(
				&compute, &channels,
			);
			assert!(deters, "a known cheat pays under the parameters of checks");
			for (model, line) in &self.lines {
				assert!(line.check(self.parameters.finds_within).is_ok(), "a line is unsound");
				Lines::<T>::insert(model, line);
			}
			for (account, key) in &self.verifiers {
				assert!(
					Pallet::<T>::do_admit(account.clone()).is_ok(),
					"an account is admitted twice"
				);
				if let Some(key) = key {
					let begun = Pallet::<T>::begin_with(account, *key);
					assert!(begun.is_ok(), "a verifier cannot begin: {begun:?}");
				}
			}
		}
	}

	/// Events of this pallet.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// Governance set the parameters.
		ParametersSet {
			/// The old ones.
			old: Box<CheckParameters>,
			/// The new ones.
			new: Box<CheckParameters>,
		},
		/// Governance set or removed the line of a model.
		LineSet {
			/// Hash of the model.
			model: H256,
			/// Its line; `None` if it has none any more.
			line: Option<ModelLine>,
		},
		/// An account may become a verifier.
		VerifierAdmitted {
			/// Account that may become one.
			account: T::AccountId,
		},
		/// An account stops being a verifier; its bond is free after a while.
		VerifierDismissed {
			/// Account that stops.
			account: T::AccountId,
		},
		/// A verifier takes no part until a time.
		VerifierSuspended {
			/// Account of the verifier.
			account: T::AccountId,
			/// Until when, in UTC milliseconds.
			until_ms: u64,
		},
		/// A verifier begins. Its key draws in an hour.
		VerifierRegistered {
			/// Account of the verifier.
			account: T::AccountId,
			/// Key with which it draws and signs.
			key: VerifierKey,
			/// Its bond, in units of 10⁻¹⁸ AIT.
			bond: u128,
		},
		/// A verifier has another key, which draws in an hour.
		KeyExchanged {
			/// Account of the verifier.
			account: T::AccountId,
			/// The new key.
			key: VerifierKey,
		},
		/// A verifier's bond is higher.
		BondRaised {
			/// Account of the verifier.
			account: T::AccountId,
			/// The bond now, in units of 10⁻¹⁸ AIT.
			bond: u128,
		},
		/// A verifier has its bond back.
		VerifierLeft {
			/// Account of the verifier.
			account: T::AccountId,
			/// What was returned, in units of 10⁻¹⁸ AIT.
			bond: u128,
		},
		/// A verifier lost part of its bond for an offence.
		VerifierPunished {
			/// Account of the verifier.
			account: T::AccountId,
			/// What it lost, in units of 10⁻¹⁸ AIT.
			slash: u128,
			/// Number of its offences.
			offences: u32,
		},
		/// A batch was touched: verifiers draw by this hash.
		BatchTouched {
			/// Its coordinator and sequence number.
			batch: BatchId,
			/// Hash of the block before.
			block: H256,
			/// Price and claim, in units of 10⁻¹⁸ AIT.
			value: u128,
		},
		/// A check was reported.
		CheckReported {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// Index of the receipt in its batch.
			index: u64,
			/// What was measured.
			figures: Figures,
		},
		/// The number of a miner and model changed.
		NumberChanged {
			/// Key under which the miner is registered.
			miner: PublicKey,
			/// Hash of the model.
			model: H256,
			/// The number now: zero if a dispute opens by it, and while one is open at most the limit.
			number: Number,
			/// `true` if it, or the miner's number over all models, was above its limit.
			above: bool,
		},
		/// A report was re-opened.
		ReportReopened {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// Key of the verifier that re-opens.
			by: VerifierKey,
			/// Time until which both show their figures, in UTC milliseconds, unless settlement is stopped.
			until_ms: u64,
		},
		/// A verifier has shown its figures of a report that is re-opened.
		FiguresShown {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// Key of the verifier.
			by: VerifierKey,
		},
		/// Figures of a report that was re-opened were compared.
		FiguresCompared {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// `false` if a jury has to say whose are right, or the reporter's contradict its report.
			agree: bool,
		},
		/// A re-opening ended, and who did not show its figures was punished.
		ReopeningClosed {
			/// Batch, verifier and number of the check.
			check: CheckId,
		},
		/// An opening was demanded: witnesses ask for it.
		OpeningDemanded {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// Index of the receipt in its batch; `None` if the demand names none.
			index: Option<u64>,
			/// What the witnesses share, in units of 10⁻¹⁸ AIT.
			pot: u128,
			/// Time until which they speak, in UTC milliseconds, unless settlement is stopped.
			until_ms: u64,
		},
		/// A witness has spoken.
		Witnessed {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// Key of the witness.
			witness: VerifierKey,
			/// What it says.
			says: Witness,
		},
		/// The receipt that is demanded was named: witnesses ask for its opening.
		ReceiptNamed {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// Index of the receipt in its batch.
			index: u64,
			/// Time until which they speak, in UTC milliseconds, unless settlement is stopped.
			until_ms: u64,
		},
		/// Two thirds of the witnesses have the opening: any of them may report the check, as the demander may.
		WitnessesReport {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// Number under which a witness reports it.
			number: u32,
			/// Time until which somebody has to, in UTC milliseconds, unless settlement is stopped.
			until_ms: u64,
		},
		/// A demand ended.
		DemandEnded {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// What witnesses said together.
			outcome: OpeningOutcome,
		},
		/// Pay and mint of a receipt were forfeited.
		ReceiptForfeited {
			/// The batch of the receipt, by coordinator and sequence number.
			batch: BatchId,
			/// Index of the receipt in it.
			index: u64,
			/// Who received the pay.
			to: T::AccountId,
			/// The pay, in the smallest unit of the batch's asset.
			pay: u128,
			/// The claim that was lost, in units of 10⁻¹⁸ AIT.
			claim: u128,
		},
		/// A client wants a receipt checked, and it is a verifier's turn.
		CheckAsked {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// Index of the receipt in its batch.
			index: u64,
		},
		/// A dispute was opened.
		DisputeOpened {
			/// Hash that names the dispute.
			dispute: H256,
			/// Why it was opened.
			cause: DisputeCause,
			/// The batch of the receipt, by coordinator and sequence number.
			batch: BatchId,
			/// Index of the receipt in it.
			index: u64,
			/// End of commitments and of votes, in UTC milliseconds, unless settlement is stopped.
			until_ms: (u64, u64),
		},
		/// A juror has committed to a vote.
		VoteCommitted {
			/// Hash that names the dispute.
			dispute: H256,
			/// Key of the juror.
			juror: VerifierKey,
		},
		/// A juror has no vote.
		JurorAbstained {
			/// Hash that names the dispute.
			dispute: H256,
			/// Key of the juror.
			juror: VerifierKey,
			/// What keeps it from voting.
			why: NoVote,
		},
		/// A coordinator has kept openings back from a jury: an offence.
		OpeningsWithheld {
			/// Hash that names the dispute.
			dispute: H256,
			/// Key of the coordinator.
			coordinator: PublicKey,
		},
		/// A juror has revealed its vote.
		VoteRevealed {
			/// Hash that names the dispute.
			dispute: H256,
			/// Key of the juror.
			juror: VerifierKey,
			/// What it found.
			verdict: Verdict,
		},
		/// A dispute was decided, or not.
		DisputeClosed {
			/// Hash that names the dispute.
			dispute: H256,
			/// Votes that were revealed.
			votes: Votes,
			/// `true` for guilty, `false` for not guilty, `None` if two thirds found neither.
			guilty: Option<bool>,
		},
		/// A miner was found guilty: all that waits of it goes back to clients.
		MinerGuilty {
			/// Key under which it is registered.
			miner: PublicKey,
		},
		/// A juror did not reveal a vote.
		JurorSilent {
			/// Account of the juror.
			account: T::AccountId,
			/// What it lost, in units of 10⁻¹⁸ AIT.
			amount: u128,
		},
		/// Checks of a batch matured: they are paid with those of this day.
		ChecksMatured {
			/// Coordinator and sequence number of the batch.
			batch: BatchId,
			/// Number of checks.
			checks: u32,
			/// The day, counted from 1970.
			day: u64,
		},
		/// A verifier was paid for a day.
		VerifierPaid {
			/// Account of the verifier.
			account: T::AccountId,
			/// The day, counted from 1970.
			day: u64,
			/// Number of its checks.
			checks: u32,
			/// The pay, in units of 10⁻¹⁸ AIT; zero if the treasury could not pay it.
			amount: u128,
		},
		/// Checks of a day on whose next day nobody was paid are counted with those of a later one.
		PayPutOff {
			/// The day on which they matured, counted from 1970.
			day: u64,
			/// The day with whose checks they are paid.
			until: u64,
		},
		/// The window of the mint stands still from now on, or continues.
		MintStill {
			/// `true` if it stands still, because fewer than five verifiers reported within a day.
			still: bool,
		},
	}

	/// Reasons why a call is refused. Those up to `OpeningDemanded`, and `NotNamed`, are [`CheckRefusal`]s.
	#[pallet::error]
	pub enum Error<T> {
		/// No verifier has the key.
		UnknownVerifier,
		/// The verifier has less than half of its bond.
		NotFit,
		/// No batch waits by this name.
		UnknownBatch,
		/// The batch was not touched.
		NotTouched,
		/// The batch was settled fewer than three blocks ago.
		TooEarly,
		/// The batch was touched already.
		AlreadyTouched,
		/// Another key of the verifier draws this batch, or none does yet.
		OtherKey,
		/// The time for it is over.
		TooLate,
		/// The check did not fall to the verifier.
		NotDrawn,
		/// The check was reported already.
		AlreadyReported,
		/// The point lies in the price of another receipt.
		OtherPoint,
		/// The receipt is not in the batch.
		NotInBatch,
		/// The output of the VRF is not proven.
		BadVrf,
		/// The signature is not that of the key on this chain.
		BadSignature,
		/// The model has no line.
		NoLine,
		/// The figures are of another class than the model's line.
		OtherClass,
		/// No pass gives such figures.
		ImpossibleFigures,
		/// The figures are of another number of tokens than the receipt states.
		OtherTokens,
		/// No such report is known.
		UnknownReport,
		/// Nobody re-opens, witnesses or judges what is its own.
		OwnCause,
		/// It is done already.
		AlreadyDone,
		/// No such opening is demanded.
		UnknownDemand,
		/// No such dispute is open.
		UnknownDispute,
		/// The time for it has not come.
		NotYet,
		/// It is not what was committed to.
		OtherCommitment,
		/// No more of them can be open at a time.
		Full,
		/// The account cannot pay the fee.
		FeeUnpaid,
		/// The opening of this check is demanded: wait for its end.
		OpeningDemanded,
		/// The parameters contradict each other, or those of receipts and channels.
		InvalidParameters,
		/// The line judges nothing.
		InvalidLine,
		/// The value is already set.
		Unchanged,
		/// There are too many lines: remove one first.
		MaxLinesExceeded,
		/// The account is admitted already.
		AlreadyAdmitted,
		/// Governance has not admitted the account.
		NotAdmitted,
		/// There are as many verifiers as may be.
		MaxVerifiersExceeded,
		/// The account is a verifier already, or its bond is not free yet.
		AlreadyRegistered,
		/// A verifier uses the key, or did before.
		KeyTaken,
		/// The key was exchanged fewer than eight days ago.
		ExchangedLately,
		/// The verifier leaves already.
		Leaving,
		/// The bond is not free: leave first, and wait.
		BondNotFree,
		/// The amount does not fit.
		Overflow,
		/// The receipt is of another client's channel.
		NotClient,
		/// The client has a dispute with this miner already.
		AlreadyDisputed,
		/// Private work is never opened, so nobody can judge it.
		Private,
		/// The verifier is suspended, or was within fourteen days.
		SuspendedLately,
		/// A third of all verifiers are suspended already.
		TooManySuspended,
		/// Fewer than three verifiers could judge.
		NoJury,
		/// Nobody has named the receipt that is demanded: name it first.
		NotNamed,
	}

	impl<T> From<CheckRefusal> for Error<T> {
		fn from(refusal: CheckRefusal) -> Self {
			match refusal {
				CheckRefusal::UnknownVerifier => Self::UnknownVerifier,
				CheckRefusal::NotFit => Self::NotFit,
				CheckRefusal::UnknownBatch => Self::UnknownBatch,
				CheckRefusal::NotTouched => Self::NotTouched,
				CheckRefusal::TooEarly => Self::TooEarly,
				CheckRefusal::AlreadyTouched => Self::AlreadyTouched,
				CheckRefusal::OtherKey => Self::OtherKey,
				CheckRefusal::TooLate => Self::TooLate,
				CheckRefusal::NotDrawn => Self::NotDrawn,
				CheckRefusal::AlreadyReported => Self::AlreadyReported,
				CheckRefusal::OtherPoint => Self::OtherPoint,
				CheckRefusal::NotInBatch => Self::NotInBatch,
				CheckRefusal::BadVrf => Self::BadVrf,
				CheckRefusal::BadSignature => Self::BadSignature,
				CheckRefusal::NoLine => Self::NoLine,
				CheckRefusal::Figures(FiguresRefusal::OtherClass) => Self::OtherClass,
				CheckRefusal::Figures(FiguresRefusal::Impossible) => Self::ImpossibleFigures,
				CheckRefusal::Figures(FiguresRefusal::OtherTokens) => Self::OtherTokens,
				CheckRefusal::UnknownReport => Self::UnknownReport,
				CheckRefusal::OwnCause => Self::OwnCause,
				CheckRefusal::AlreadyDone => Self::AlreadyDone,
				CheckRefusal::UnknownDemand => Self::UnknownDemand,
				CheckRefusal::UnknownDispute => Self::UnknownDispute,
				CheckRefusal::NotYet => Self::NotYet,
				CheckRefusal::OtherCommitment => Self::OtherCommitment,
				CheckRefusal::Full => Self::Full,
				CheckRefusal::FeeUnpaid => Self::FeeUnpaid,
				CheckRefusal::OpeningDemanded => Self::OpeningDemanded,
				CheckRefusal::NotNamed => Self::NotNamed,
			}
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			Self::tell_quorum();
			T::WeightInfo::on_initialize()
		}

		fn on_finalize(_: BlockNumberFor<T>) {
			// A call that was filtered after it had been authorized has left its mark.
			if Verified::<T>::exists() {
				Verified::<T>::kill();
			}
		}

		fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
			Self::pay_when_idle(remaining)
		}

		fn integrity_test() {
			let rows = u128::from(MAX_ROWS);
			let admitted = gridproof_primitives::compute::checks::MAX_VERIFIERS;
			assert!(rows >= u128::from(admitted) * 3, "a verifier that leaves keeps another out");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Sets the parameters of checks.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// They hold from this block on. What was touched keeps the value per check that it was touched with.
		///
		/// ## Parameters
		///
		/// - `new`: all parameters, in the units that [`CheckParameters`] gives.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidParameters`] if a known cheat would pay under them: [`Pallet::check_parameters`] says
		///   which.
		/// - [`Error::InvalidLine`] if a line finds later than they allow.
		/// - [`Error::Unchanged`] if they equal the present ones.
		///
		/// ## Events
		///
		/// - [`Event::ParametersSet`]
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::set_parameters())]
		pub fn set_parameters(origin: OriginFor<T>, new: Box<CheckParameters>) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_set_parameters(new)
		}

		/// Sets the line of a model, or removes it.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// Without a line figures of a model are compared bit by bit if its engine class is `exact`, and not
		/// reported at all if it is not.
		///
		/// ## Parameters
		///
		/// - `model`: hash of the model.
		/// - `line`: from what `verifier calibrate` measured; `None` removes it.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidLine`] if it judges nothing, or finds later than the parameters allow.
		/// - [`Error::MaxLinesExceeded`] if there are [`Config::MaxLines`].
		/// - [`Error::Unchanged`] if the value is already set.
		///
		/// ## Events
		///
		/// - [`Event::LineSet`]
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::set_line())]
		pub fn set_line(
			origin: OriginFor<T>,
			model: H256,
			line: Option<ModelLine>,
		) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_set_line(model, line)
		}

		/// Admits an account as a verifier.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// It begins with [`Pallet::register_verifier`].
		///
		/// ## Parameters
		///
		/// - `account`: the account.
		///
		/// ## Errors
		///
		/// - [`Error::AlreadyAdmitted`] if it is.
		/// - [`Error::MaxVerifiersExceeded`] if 21 are.
		///
		/// ## Events
		///
		/// - [`Event::VerifierAdmitted`]
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::admit_verifier())]
		pub fn admit_verifier(origin: OriginFor<T>, account: T::AccountId) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_admit(account)
		}

		/// Dismisses a verifier.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// It draws nothing any more; what it has drawn it can still report. Its bond is free after
		/// [`CheckParameters::unbonding_ms`].
		///
		/// ## Parameters
		///
		/// - `account`: the account.
		///
		/// ## Errors
		///
		/// - [`Error::NotAdmitted`] if it is not admitted.
		///
		/// ## Events
		///
		/// - [`Event::VerifierDismissed`]
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::dismiss_verifier())]
		pub fn dismiss_verifier(origin: OriginFor<T>, account: T::AccountId) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			Self::do_dismiss(account)
		}

		/// Suspends a verifier for fourteen days.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::PauseOrigin`].
		///
		/// ## Details
		///
		/// It draws nothing of what is touched meanwhile, and is neither witness nor juror of what is opened;
		/// what it has drawn it still reports. It keeps bond and seat, and takes part again automatically. At most a
		/// third of those admitted are suspended at a time, so that nobody chooses a jury by it. Only
		/// governance dismisses.
		///
		/// ## Parameters
		///
		/// - `account`: the account.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownVerifier`] if it is none.
		/// - [`Error::SuspendedLately`] if it is suspended, or was within fourteen days.
		/// - [`Error::TooManySuspended`] if a third of those admitted would be exceeded.
		///
		/// ## Events
		///
		/// - [`Event::VerifierSuspended`]
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::suspend_verifier())]
		pub fn suspend_verifier(origin: OriginFor<T>, account: T::AccountId) -> DispatchResult {
			T::PauseOrigin::ensure_origin(origin)?;
			Self::do_suspend(account)
		}

		/// Makes the caller a verifier: holds its bond and remembers its key, which draws in an hour.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by an account that is admitted.
		///
		/// ## Parameters
		///
		/// - `key`: the sr25519 key by which it draws and signs.
		/// - `proof`: its signature of [`key_payload`](gridproof_primitives::compute::checks::key_payload).
		///
		/// ## Errors
		///
		/// - [`Error::NotAdmitted`] if governance has not admitted the caller.
		/// - [`Error::AlreadyRegistered`] if it is one, or its bond is not free yet.
		/// - [`Error::MaxVerifiersExceeded`] if too many bonds are not free yet.
		/// - [`Error::KeyTaken`] if a verifier uses the key.
		/// - [`Error::BadSignature`] if the key does not consent.
		/// - An error of the native token if the caller has too little AIT.
		///
		/// ## Events
		///
		/// - [`Event::VerifierRegistered`]
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::register_verifier())]
		pub fn register_verifier(
			origin: OriginFor<T>,
			key: VerifierKey,
			proof: VerifierSignature,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_register(account, key, &proof)
		}

		/// Exchanges the caller's key: the new one draws in an hour, the old one reports what it drew.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by a verifier.
		///
		/// ## Parameters
		///
		/// - `key`: the new key.
		/// - `proof`: its signature, as in [`Pallet::register_verifier`].
		///
		/// ## Errors
		///
		/// - [`Error::UnknownVerifier`] if the caller is none.
		/// - [`Error::ExchangedLately`] if it had another key eight days ago.
		/// - [`Error::KeyTaken`] or [`Error::BadSignature`].
		///
		/// ## Events
		///
		/// - [`Event::KeyExchanged`]
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::exchange_key())]
		pub fn exchange_key(
			origin: OriginFor<T>,
			key: VerifierKey,
			proof: VerifierSignature,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_exchange(account, key, &proof)
		}

		/// Adds to the caller's bond.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by a verifier.
		///
		/// ## Parameters
		///
		/// - `amount`: in units of 10⁻¹⁸ AIT.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownVerifier`] if the caller is none.
		/// - [`Error::Overflow`] if the bond does not fit.
		/// - An error of the native token if the caller has too little AIT.
		///
		/// ## Events
		///
		/// - [`Event::BondRaised`]
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::raise_bond())]
		pub fn raise_bond(origin: OriginFor<T>, #[pallet::compact] amount: u128) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_raise_bond(account, amount)
		}

		/// Ends the caller's part: it draws nothing any more, and its bond is free after a while.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by a verifier.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownVerifier`] if the caller is none.
		/// - [`Error::Leaving`] if it leaves already.
		///
		/// ## Events
		///
		/// - [`Event::VerifierDismissed`]
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::leave())]
		pub fn leave(origin: OriginFor<T>) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_leave(account)
		}

		/// Returns the bond of who has left.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by a verifier that leaves.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownVerifier`] if the caller is none.
		/// - [`Error::BondNotFree`] before its time.
		///
		/// ## Events
		///
		/// - [`Event::VerifierLeft`]
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::withdraw_bond())]
		pub fn withdraw_bond(origin: OriginFor<T>) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_withdraw(account)
		}

		/// Touches a batch: the hash of the block before fixes what every verifier draws of it.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone, or nobody; free if it is due.
		///
		/// ## Details
		///
		/// Three blocks or more after the batch was settled, and once. A batch that nobody touched does not
		/// mature.
		///
		/// ## Parameters
		///
		/// - `batch`: the batch.
		///
		/// ## Errors
		///
		/// - [`Error::AlreadyTouched`], [`Error::UnknownBatch`] or [`Error::TooEarly`].
		///
		/// ## Events
		///
		/// - [`Event::BatchTouched`]
		#[pallet::call_index(10)]
		#[pallet::weight(T::WeightInfo::touch())]
		#[pallet::authorize(Pallet::<T>::authorize_touch)]
		#[pallet::weight_of_authorize(T::WeightInfo::touch())]
		pub fn touch(origin: OriginFor<T>, batch: BatchId) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_touch(batch)
		}

		/// Reports a check.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone, or nobody; free: the statement is signed by the verifier.
		///
		/// ## Details
		///
		/// Verified are: that the check fell to the verifier, by its VRF; that the receipt is in the batch; and
		/// that its running sums enclose the point. Figures `not equal`, and a number above its limit, open a
		/// dispute.
		///
		/// ## Parameters
		///
		/// - `report`: the report.
		/// - `signature`: the verifier's.
		///
		/// ## Errors
		///
		/// - The [`CheckRefusal`] that applies.
		///
		/// ## Events
		///
		/// - [`Event::CheckReported`], [`Event::NumberChanged`], [`Event::DisputeOpened`]
		#[pallet::call_index(11)]
		#[pallet::weight(T::WeightInfo::report_check())]
		#[pallet::authorize(Pallet::<T>::authorize_report)]
		#[pallet::weight_of_authorize(T::WeightInfo::report_check())]
		pub fn report_check(
			origin: OriginFor<T>,
			report: Box<CheckReport>,
			signature: VerifierSignature,
		) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			let verified = Self::take_mark(&(&report, &signature));
			Self::do_report(&report, &signature, verified)
		}

		/// Re-opens a report of another verifier: one in twenty, drawn by the caller's VRF.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone, or nobody; free: the statement is signed by the verifier.
		///
		/// ## Details
		///
		/// Both have to show the figures that they have committed to, within
		/// [`CheckParameters::show_ms`].
		///
		/// ## Parameters
		///
		/// - `reopening`: the report, the draw and the commitment to the verifier's own pass.
		/// - `signature`: the verifier's.
		///
		/// ## Errors
		///
		/// - The [`CheckRefusal`] that applies.
		///
		/// ## Events
		///
		/// - [`Event::ReportReopened`]
		#[pallet::call_index(12)]
		#[pallet::weight(T::WeightInfo::reopen())]
		#[pallet::authorize(Pallet::<T>::authorize_reopen)]
		#[pallet::weight_of_authorize(T::WeightInfo::reopen())]
		pub fn reopen(
			origin: OriginFor<T>,
			reopening: Box<Reopening>,
			signature: VerifierSignature,
		) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_reopen(&reopening, &signature)
		}

		/// Shows the figures of a report that is re-opened.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone, or nobody; free: the statement is signed by the verifier.
		///
		/// ## Details
		///
		/// Once both have shown theirs they are compared; where they do not agree a dispute opens.
		///
		/// ## Parameters
		///
		/// - `shown`: the figures.
		/// - `signature`: the verifier's.
		///
		/// ## Errors
		///
		/// - The [`CheckRefusal`] that applies.
		/// - [`Error::Full`] if a dispute would have to be opened and too many are.
		///
		/// ## Events
		///
		/// - [`Event::FiguresShown`], [`Event::FiguresCompared`], [`Event::DisputeOpened`]
		#[pallet::call_index(13)]
		#[pallet::weight(T::WeightInfo::show_figures())]
		#[pallet::authorize(Pallet::<T>::authorize_show)]
		#[pallet::weight_of_authorize(T::WeightInfo::show_figures())]
		pub fn show_figures(
			origin: OriginFor<T>,
			shown: Box<ShownFigures>,
			signature: VerifierSignature,
		) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_show(&shown, &signature)
		}

		/// Ends a re-opening whose time is over: who has not shown its figures is punished.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone, or nobody; free if it is due.
		///
		/// ## Parameters
		///
		/// - `check`: the check whose report is re-opened.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownReport`] or [`Error::NotYet`].
		///
		/// ## Events
		///
		/// - [`Event::ReopeningClosed`], [`Event::VerifierPunished`]
		#[pallet::call_index(14)]
		#[pallet::weight(T::WeightInfo::close_reopening())]
		#[pallet::authorize(Pallet::<T>::authorize_close_reopening)]
		#[pallet::weight_of_authorize(T::WeightInfo::close_reopening())]
		pub fn close_reopening(origin: OriginFor<T>, check: CheckId) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_close_reopening(check)
		}

		/// Demands an opening that the drawn verifier did not get.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone, or nobody; free: the statement is signed by the verifier.
		///
		/// ## Details
		///
		/// Verifier and coordinator put in the same fee, which pays the witnesses: all other verifiers. Once a
		/// check.
		///
		/// ## Parameters
		///
		/// - `demand`: the check, and the receipt if it is published.
		/// - `signature`: the verifier's.
		///
		/// ## Errors
		///
		/// - The [`CheckRefusal`] that applies.
		///
		/// ## Events
		///
		/// - [`Event::OpeningDemanded`]
		#[pallet::call_index(15)]
		#[pallet::weight(T::WeightInfo::demand_opening())]
		#[pallet::authorize(Pallet::<T>::authorize_demand)]
		#[pallet::weight_of_authorize(T::WeightInfo::demand_opening())]
		pub fn demand_opening(
			origin: OriginFor<T>,
			demand: Box<OpeningDemand>,
			signature: VerifierSignature,
		) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			let verified = Self::take_mark(&(&demand, &signature));
			Self::do_demand(&demand, &signature, verified)
		}

		/// Says whether the opening that is demanded was given to a witness.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone, or nobody; free: the statement is signed by the verifier.
		///
		/// ## Details
		///
		/// As soon as two thirds of all witnesses say the same the demand ends.
		///
		/// ## Parameters
		///
		/// - `statement`: what it says.
		/// - `signature`: the witness's.
		///
		/// ## Errors
		///
		/// - The [`CheckRefusal`] that applies.
		///
		/// ## Events
		///
		/// - [`Event::Witnessed`], [`Event::DemandEnded`]
		#[pallet::call_index(16)]
		#[pallet::weight(T::WeightInfo::witness())]
		#[pallet::authorize(Pallet::<T>::authorize_witness)]
		#[pallet::weight_of_authorize(T::WeightInfo::witness())]
		pub fn witness(
			origin: OriginFor<T>,
			statement: Box<WitnessStatement>,
			signature: VerifierSignature,
		) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_witness(&statement, &signature)
		}

		/// Ends a demand whose time is over: without two thirds the receipt is forfeited.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone, or nobody; free if it is due.
		///
		/// ## Parameters
		///
		/// - `check`: the check whose opening is demanded.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownDemand`] or [`Error::NotYet`].
		///
		/// ## Events
		///
		/// - [`Event::DemandEnded`]
		#[pallet::call_index(17)]
		#[pallet::weight(T::WeightInfo::close_demand())]
		#[pallet::authorize(Pallet::<T>::authorize_close_demand)]
		#[pallet::weight_of_authorize(T::WeightInfo::close_demand())]
		pub fn close_demand(origin: OriginFor<T>, check: CheckId) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_close_demand(check)
		}

		/// Disputes a receipt of the caller's own channel.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the client of the receipt's channel.
		///
		/// ## Details
		///
		/// Takes [`CheckParameters::dispute_deposit`], which returns unless the miner is found not guilty.
		///
		/// Of a class but `exact` one answer proves nothing: no jury meets, but a verifier whose turn it is does
		/// the receipt again, once, and its figures are added to the miner's number. The deposit returns if
		/// they are above the line, or nobody reports them.
		///
		/// ## Parameters
		///
		/// - `batch`: the batch.
		/// - `receipt`: the receipt, with its place in it.
		///
		/// ## Errors
		///
		/// - [`Error::NotTouched`], [`Error::UnknownBatch`], [`Error::TooLate`], [`Error::NotInBatch`],
		///   [`Error::NoLine`], [`Error::OtherPoint`] or [`Error::AlreadyDone`].
		/// - [`Error::NotClient`] if the channel is another's.
		/// - [`Error::UnknownVerifier`] if it is nobody's turn to check it.
		/// - [`Error::Private`] if the channel is private.
		/// - [`Error::NoJury`] if fewer than three verifiers could judge.
		/// - [`Error::Full`] if clients have opened half of what may be open.
		/// - [`Error::AlreadyDisputed`] if the caller has a dispute with this miner.
		/// - An error of the native token if the caller has too little AIT.
		///
		/// ## Events
		///
		/// - [`Event::DisputeOpened`] or [`Event::CheckAsked`]
		#[pallet::call_index(18)]
		#[pallet::weight(T::WeightInfo::dispute_receipt())]
		pub fn dispute_receipt(
			origin: OriginFor<T>,
			batch: BatchId,
			receipt: Box<Placed<ChannelReceipt>>,
		) -> DispatchResult {
			let client = ensure_signed(origin)?;
			Self::do_dispute(client, batch, &receipt)
		}

		/// Commits a juror to its vote.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone, or nobody; free: the statement is signed by the verifier.
		///
		/// ## Parameters
		///
		/// - `commitment`: the dispute and the hash of the vote.
		/// - `signature`: the juror's.
		///
		/// ## Errors
		///
		/// - The [`CheckRefusal`] that applies.
		///
		/// ## Events
		///
		/// - [`Event::VoteCommitted`]
		#[pallet::call_index(19)]
		#[pallet::weight(T::WeightInfo::commit_vote())]
		#[pallet::authorize(Pallet::<T>::authorize_commit)]
		#[pallet::weight_of_authorize(T::WeightInfo::commit_vote())]
		pub fn commit_vote(
			origin: OriginFor<T>,
			commitment: Box<JuryCommitment>,
			signature: VerifierSignature,
		) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_commit(&commitment, &signature)
		}

		/// Reveals a juror's vote.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone, or nobody; free: the statement is signed by the verifier.
		///
		/// ## Parameters
		///
		/// - `ballot`: the vote and its salt.
		/// - `signature`: the juror's.
		///
		/// ## Errors
		///
		/// - The [`CheckRefusal`] that applies.
		///
		/// ## Events
		///
		/// - [`Event::VoteRevealed`]
		#[pallet::call_index(20)]
		#[pallet::weight(T::WeightInfo::reveal_vote())]
		#[pallet::authorize(Pallet::<T>::authorize_reveal)]
		#[pallet::weight_of_authorize(T::WeightInfo::reveal_vote())]
		pub fn reveal_vote(
			origin: OriginFor<T>,
			ballot: Box<Ballot>,
			signature: VerifierSignature,
		) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_reveal(&ballot, &signature)
		}

		/// Closes a dispute: once every juror has spoken, or the time is over.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone, or nobody; free if it is due.
		///
		/// ## Details
		///
		/// Two thirds of all jurors decide. Who did not reveal a vote loses
		/// [`CheckParameters::silence_fee`].
		///
		/// ## Parameters
		///
		/// - `dispute`: its id.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownDispute`] or [`Error::NotYet`].
		///
		/// ## Events
		///
		/// - [`Event::DisputeClosed`], [`Event::MinerGuilty`], [`Event::VerifierPunished`],
		///   [`Event::ReceiptForfeited`], [`Event::JurorSilent`]
		#[pallet::call_index(21)]
		#[pallet::weight(T::WeightInfo::close_undecided().max(T::WeightInfo::close_guilty()))]
		#[pallet::authorize(Pallet::<T>::authorize_close_dispute)]
		// It reads the dispute alone, which a vote reads as well.
		#[pallet::weight_of_authorize(T::WeightInfo::commit_vote())]
		pub fn close_dispute(origin: OriginFor<T>, dispute: H256) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_close_dispute(dispute)
		}

		/// Counts the checks of a batch that is over, and removes its rows.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone, or nobody; free if it is due.
		///
		/// ## Details
		///
		/// At most [`MAX_CLEARED`] rows a call; it is made again until the batch is gone.
		///
		/// ## Parameters
		///
		/// - `batch`: the batch.
		///
		/// ## Errors
		///
		/// - [`Error::NotTouched`] or [`Error::NotYet`].
		///
		/// ## Events
		///
		/// - [`Event::ChecksMatured`]
		#[pallet::call_index(22)]
		#[pallet::weight(T::WeightInfo::settle_checks())]
		#[pallet::authorize(Pallet::<T>::authorize_settle)]
		#[pallet::weight_of_authorize(T::WeightInfo::settle_checks())]
		pub fn settle_checks(origin: OriginFor<T>, batch: BatchId) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_settle(batch)
		}

		/// Pays the checks that matured on a day.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone, or nobody; free if it is due.
		///
		/// ## Details
		///
		/// The first block of the day after with room for it pays without a call; this is for when no block
		/// has any. After the end of that day what the treasury received is forgotten: then the checks are
		/// counted with those of today.
		///
		/// ## Parameters
		///
		/// - `day`: the day, counted from 1970.
		///
		/// ## Errors
		///
		/// - [`Error::AlreadyDone`] or [`Error::NotYet`].
		///
		/// ## Events
		///
		/// - [`Event::VerifierPaid`] or [`Event::PayPutOff`]
		#[pallet::call_index(23)]
		#[pallet::weight(T::WeightInfo::pay_checks())]
		#[pallet::authorize(Pallet::<T>::authorize_pay)]
		#[pallet::weight_of_authorize(T::WeightInfo::pay_checks())]
		pub fn pay_checks(origin: OriginFor<T>, day: u64) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_pay(day)
		}

		/// Names the receipt that a demand means without a name.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone, or nobody; free if it is the one.
		///
		/// ## Details
		///
		/// Verified are: that the receipt is in the batch, that the line pays it, and that its price encloses the
		/// demand's place ([`Pallet::place_of_demand`]). Witnesses then have [`CheckParameters::witness_ms`] to
		/// ask for its opening; what they said before does not count. Who demands cannot choose whether a
		/// receipt is published: the coordinator, or any witness that has the list, shows that it is.
		///
		/// ## Parameters
		///
		/// - `check`: the check whose opening is demanded.
		/// - `receipt`: the receipt, with its place in the batch.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownDemand`], [`Error::AlreadyDone`], [`Error::TooLate`], [`Error::UnknownBatch`],
		///   [`Error::OtherPoint`] or [`Error::NotInBatch`].
		///
		/// ## Events
		///
		/// - [`Event::ReceiptNamed`]
		#[pallet::call_index(24)]
		#[pallet::weight(T::WeightInfo::name_receipt())]
		#[pallet::authorize(Pallet::<T>::authorize_name)]
		#[pallet::weight_of_authorize(T::WeightInfo::name_receipt())]
		pub fn name_receipt(
			origin: OriginFor<T>,
			check: CheckId,
			receipt: Box<Placed<ChannelReceipt>>,
		) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_name(check, &receipt)
		}

		/// Says that a juror has no vote, and why.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone, or nobody; free: the statement is signed by the verifier.
		///
		/// ## Details
		///
		/// Instead of a commitment, as long as those can be made. Where two thirds say that a coordinator has
		/// shown nothing, it is an offence of that coordinator, and nobody else pays.
		///
		/// ## Parameters
		///
		/// - `abstention`: the dispute and the reason.
		/// - `signature`: the juror's.
		///
		/// ## Errors
		///
		/// - The [`CheckRefusal`] that applies.
		///
		/// ## Events
		///
		/// - [`Event::JurorAbstained`]
		#[pallet::call_index(25)]
		#[pallet::weight(T::WeightInfo::abstain())]
		#[pallet::authorize(Pallet::<T>::authorize_abstain)]
		#[pallet::weight_of_authorize(T::WeightInfo::abstain())]
		pub fn abstain(
			origin: OriginFor<T>,
			abstention: Box<Abstention>,
			signature: VerifierSignature,
		) -> DispatchResult {
			Self::ensure_anyone(origin)?;
			Self::do_abstain(&abstention, &signature)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Returns the parameters of checks.
		pub fn parameters() -> CheckParameters {
			Parameters::<T>::get()
		}

		/// Returns an error that names the relation which these parameters break, if they break one.
		pub fn check_parameters(new: CheckParameters) -> Result<(), CheckParameterError> {
			let (compute, channels) = T::Settlement::parameters();
			new.check(&compute, &channels)
		}

		/// Returns the line by which figures of a model are judged now; `None` if there is none.
		pub fn line(model: H256) -> Option<ModelLine> {
			Self::line_of(&model, Self::now())
		}

		/// Returns all verifiers, in no order, with those that leave.
		pub fn verifiers() -> Vec<VerifierView> {
			Self::list_verifiers()
		}

		/// Returns what is drawn of a batch; `None` if it was not touched, or is over.
		pub fn batch(batch: BatchId) -> Option<BatchChecks> {
			Batches::<T>::get(batch).map(|row| row.checks)
		}

		/// Returns at most `limit` reports of a batch, and no more than a thousand, in no order.
		pub fn reports(batch: BatchId, limit: u32) -> Vec<CheckView> {
			Self::list_reports(batch, limit)
		}

		/// Returns the receipts of a batch that clients want checked, in no order.
		pub fn asked(batch: BatchId) -> Vec<AskedReceipt> {
			Self::list_asked(batch)
		}

		/// Returns the number of a miner, by the key under which it is registered, and a model.
		pub fn number(miner: PublicKey, model: H256) -> Number {
			Numbers::<T>::get(Self::party_of(&miner), model).number
		}

		/// Returns the number of a miner over all of its models, by the key under which it is registered.
		pub fn wide_number(miner: PublicKey) -> WideNumber {
			WideNumbers::<T>::get(Self::party_of(&miner)).number
		}

		/// Returns the place in the miner's running sum of prices that a demand without a receipt means; `None`
		/// if it is named, or nothing is demanded.
		pub fn place_of_demand(check: CheckId) -> Option<u128> {
			Self::find_place(&check)
		}

		/// Returns the openings that are demanded.
		pub fn demands() -> Vec<DemandOfOpening> {
			Self::list_demands()
		}

		/// Returns the checks whose reports are re-opened and wait for figures.
		pub fn reopenings() -> Vec<CheckId> {
			Self::list_reopenings()
		}

		/// Returns the open disputes.
		pub fn disputes() -> Vec<DisputeView> {
			Self::list_disputes()
		}

		/// Returns the totals.
		pub fn overview() -> CheckOverview {
			Self::view_overview()
		}
	}
}
