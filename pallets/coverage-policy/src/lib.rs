//! # Coverage policy pallet
//!
//! Mints AICP only as far as the attested reserve covers it, and burns it for service credit.
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for the interfaces of this pallet: its configuration trait,
//! dispatchables, storage items, events and errors. [`runtime_api`] has the same queries as the
//! view functions, for clients that speak runtime APIs.
//!
//! ## Terminology
//!
//! * **Reserve** V: committed energy at the moving average of its price, plus compute assets, in
//!   EUR.
//! * **Coverage ratio** CR = V / (P_T · S), with S = total issuance · Û. All formulas and their
//!   rounding are in [`gridproof_primitives::reserve::formula`].
//! * **Allowance**: what the issuer may still mint on the strength of a statement, only on the day
//!   after the stated one, or on the day of its acceptance if it came later.
//! * **Service credit**: what redeemed AICP is worth, in micro-EUR; it pays for compute.
//! * **Backing**: the AICP that the treasury has put aside for the credit that can be spent.
//! * **Ticket**: a place in the queue, for redemptions of an account whose credit has to wait.
//!
//! ## Overview
//!
//! ### From statement to allowance
//!
//! The pallet is the handler of attestations: it refuses a statement whose price, energy, zones, α
//! or compute assets its parameters do not support, and accepts all others; the bounds are in
//! [`gridproof_primitives::reserve::bounds`]. A day whose price is at or below zero is accepted,
//! enters the average, and mints nothing. The statement about the
//! latest day counts; one about an earlier day is recorded as an event and changes nothing. A
//! revision of the latest day takes effect immediately, but never opens a second allowance.
//!
//! A statement can arrive up to the clocks' skew before its day has ended by the chain's clock. Its
//! allowance still belongs to the day after, whole; what the statement before it left unused ends
//! there.
//!
//! The first statement for a chain day fixes that day's **opening issuance**. The allowance is the
//! mint suggestion that the formulas give for the opening issuance, less what was minted that day.
//! However many statements or revisions arrive for a day, no more than max(0, min(S_target − S, cap
//! · S)) of that one opening can be minted in it. What is unused when the day ends lapses.
//!
//! ### States
//!
//! [`State`](gridproof_primitives::reserve::formula::State) follows from the present CR. Without a
//! statement, or with one that is too old, it is `Frozen`. It is recomputed whenever it matters;
//! only the last announced state is stored, so that each change emits one event: immediately if a
//! call causes it, in the next block if time does.
//!
//! ### Redemption
//!
//! [`Pallet::redeem`] burns AICP immediately and credits ⌊amount · P_T⌋, within the account's daily
//! limit. Credit is paid out in the order of redemption, up to the day's capacity and as far as the
//! treasury's AICP backs it; what exceeds that waits in a queue that each block serves and that
//! anyone may serve ([`Pallet::serve`]). A ticket can be served in parts, so none can block the
//! queue. What an account redeems in a day shares one ticket. Each waiting ticket and each credit
//! account carries a deposit in AIT, and nothing else bounds the queue: nobody can fill it.
//!
//! The day's capacity is a fixed amount, or the daily cap's share of all that can be claimed if
//! that is more: AICP can be redeemed as fast as it can be minted.
//!
//! Redemption stays open in every state, because it can only raise the coverage ratio.
//!
//! ### Who serves credit is paid
//!
//! With each credit that is paid out, the treasury puts its worth in AICP aside, in an account of
//! this pallet ([`Config::Backing`]). Who serves the credit receives its share of that
//! ([`ServiceCredit::pay_held`](gridproof_primitives::reserve::attestation::ServiceCredit)); the
//! treasury's share returns to the treasury. So nothing is minted for it, and no credit can be
//! spent that nobody is paid for. A change of P_T moves the backing with it, or is refused.
//!
//! ### What is minted is the treasury's
//!
//! The issuer chooses when and how much of the allowance is minted, never for whom: all of it is
//! the treasury's ([`Config::Treasury`]), and leaves it by the decisions of governance.
//!
//! ### Starting with no supply
//!
//! With S = 0 the ratio is undefined and the cap is zero. Either genesis mints a first supply, or
//! the parameters contain a bootstrap supply: as much can be made once in a chain's life without the
//! cap, while the reserve limits minting as always. What was burned does not renew it.
//!
//! ### Example
//!
//! ```text
//! The issuer mints on the strength of today's statement; nothing is minted if it was revised.
//! CoveragePolicy::mint(RuntimeOrigin::signed(issuer), 1_000 * AICP, statement)?;
//! A holder turns AICP into service credit, at least 1.50 EUR for each.
//! CoveragePolicy::redeem(RuntimeOrigin::signed(holder), 10 * AICP, 15_000_000)?;
//! ```

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

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod credit;
mod impls;
pub mod migrations;
#[cfg(test)]
mod mock;
pub mod runtime_api;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod weights;

pub use gridproof_primitives::{reserve::parameters::PolicyParameters, reserve::state::*};
pub use pallet::*;
pub use weights::WeightInfo;

// The pallet macros generate `expect` and `as` here; the rules themselves are elsewhere.
#[allow(clippy::as_conversions, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::{boxed::Box, vec::Vec};
	use frame_support::{
		dispatch::{DispatchResultWithPostInfo, PostDispatchInfo},
		pallet_prelude::*,
		traits::{fungible, fungibles},
		weights::WeightMeter,
	};
	use frame_system::pallet_prelude::*;
	use gridproof_primitives::{
		H256,
		num::decimal::{Ratio, SignedRatio},
		reserve::formula::State,
		reserve::parameters::ParameterError,
		reserve::stop::MintStops,
		time::calendar::DayClock,
		time::day::Day,
	};

	/// Amount of AIT, in its smallest unit (10⁻¹⁸ AIT).
	pub type BalanceOf<T> = <<T as Config>::Currency as fungible::Inspect<
		<T as frame_system::Config>::AccountId,
	>>::Balance;
	/// Id of a token of [`Config::Fungibles`].
	pub type AssetIdOf<T> = <<T as Config>::Fungibles as fungibles::Inspect<
		<T as frame_system::Config>::AccountId,
	>>::AssetId;
	/// Ticket in the queue, with this runtime's account and balance types.
	pub type TicketOf<T> = Ticket<<T as frame_system::Config>::AccountId, BalanceOf<T>>;

	/// Types, tokens, deposits and origins that the runtime sets.
	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// Tokens, of which AICP is one. Nothing else may mint AICP.
		type Fungibles: fungibles::Mutate<Self::AccountId, Balance = u128>;

		/// Id of AICP, which has 6 decimals.
		#[pallet::constant]
		type Aicp: Get<AssetIdOf<Self>>;

		/// AIT, in which deposits are held.
		type Currency: fungible::Mutate<Self::AccountId>
			+ fungible::hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// Reasons for holds of the runtime, which include [`HoldReason`].
		type RuntimeHoldReason: From<HoldReason>;

		/// Source of the day: the calendar of the attestations pallet.
		type Clock: DayClock;

		/// Says whether a role of the attestations has stopped minting.
		type Stops: MintStops;

		/// Origin that may set parameters and issuer, and lower the breaker.
		type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Origin that may raise the breaker in an emergency.
		type PauseOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Deposit for a credit account, in 10⁻¹⁸ AIT.
		#[pallet::constant]
		type AccountDeposit: Get<BalanceOf<Self>>;

		/// Deposit for a ticket in the queue, in 10⁻¹⁸ AIT.
		#[pallet::constant]
		type TicketDeposit: Get<BalanceOf<Self>>;

		/// Account of the treasury: it receives what is minted and backs service credit.
		type Treasury: Get<Self::AccountId>;

		/// Account of this pallet that holds the backing of service credit. No key signs for it.
		type Backing: Get<Self::AccountId>;

		/// Highest number of tickets that one block, or one call of [`Pallet::serve`], serves, at
		/// least 1.
		#[pallet::constant]
		type MaxServed: Get<u32>;

		/// Highest number of days in the history, at least 1.
		#[pallet::constant]
		type MaxHistory: Get<u32>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(3);

	/// The coverage policy pallet: mints AICP against the attested reserve, and redeems it.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// Reasons for which this pallet holds AIT.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Deposit for the row of a credit account.
		#[codec(index = 0)]
		CreditAccount,
		/// Deposit for a ticket in the queue.
		#[codec(index = 1)]
		Ticket,
	}

	/// Parameters that governance has set.
	#[pallet::storage]
	pub type Parameters<T: Config> = StorageValue<_, PolicyParameters, ValueQuery>;

	/// Account that may mint the allowance; nobody may if there is none.
	#[pallet::storage]
	pub type Issuer<T: Config> = StorageValue<_, T::AccountId, OptionQuery>;

	/// Breaker: what is stopped in an emergency.
	#[pallet::storage]
	pub type BreakerLevel<T: Config> = StorageValue<_, Breaker, ValueQuery>;

	/// The statement about the latest day.
	#[pallet::storage]
	pub type Latest<T: Config> = StorageValue<_, Statement, OptionQuery>;

	/// The last day for which a statement was accepted, with its opening issuance and what was
	/// minted.
	#[pallet::storage]
	pub type Minting<T: Config> = StorageValue<_, MintDay, OptionQuery>;

	/// State that was announced last; `Frozen` at genesis.
	#[pallet::storage]
	pub type Announced<T: Config> = StorageValue<_, State, ValueQuery, FrozenState>;

	/// Last day whose beginning a block has noticed.
	#[pallet::storage]
	pub type LastPolled<T: Config> = StorageValue<_, Day, ValueQuery>;

	/// Stated days by running number; at most [`Config::MaxHistory`] are kept.
	#[pallet::storage]
	pub type History<T: Config> = StorageMap<_, Twox64Concat, u32, DayRecord, OptionQuery>;

	/// Running number of the next stated day.
	#[pallet::storage]
	pub type NextRecord<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// Credit account of each account: what it has redeemed and not yet spent.
	#[pallet::storage]
	pub type Accounts<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, CreditAccount<BalanceOf<T>>, OptionQuery>;

	/// Tickets in the queue, by number.
	#[pallet::storage]
	pub type Queue<T: Config> = StorageMap<_, Twox64Concat, u64, TicketOf<T>, OptionQuery>;

	/// Numbers of the first and the next ticket.
	#[pallet::storage]
	pub type Ends<T: Config> = StorageValue<_, QueueEnds, ValueQuery>;

	/// Number of each account's newest ticket, while that waits.
	#[pallet::storage]
	pub type NewestTicket<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, u64, OptionQuery>;

	/// Credit of all tickets in the queue, in micro-EUR.
	#[pallet::storage]
	pub type Waiting<T: Config> = StorageValue<_, u128, ValueQuery>;

	/// Last day on which credit was paid out, and how much on that day.
	#[pallet::storage]
	pub type HandedOut<T: Config> = StorageValue<_, PaidOut, ValueQuery>;

	/// Totals since genesis.
	#[pallet::storage]
	pub type Sums<T: Config> = StorageValue<_, Totals, ValueQuery>;

	/// The announced state at genesis: `Frozen`, because nothing is known.
	pub struct FrozenState;

	impl Get<State> for FrozenState {
		fn get() -> State {
			State::Frozen
		}
	}

	/// Parameters, issuer and first supply of a new chain.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Parameters of the policy.
		pub parameters: PolicyParameters,
		/// Account that may mint the allowance; nobody may if absent.
		pub issuer: Option<T::AccountId>,
		/// First supply of AICP: account and amount in micro-tokens. The token pallet must come
		/// before this one in the runtime.
		pub supply: Vec<(T::AccountId, u128)>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			let fault = self.parameters.check().err();
			assert!(fault.is_none(), "the parameters break a relation: {fault:?}");
			Parameters::<T>::put(self.parameters);
			Issuer::<T>::set(self.issuer.clone());
			for (who, amount) in &self.supply {
				let minted =
					<T::Fungibles as fungibles::Mutate<_>>::mint_into(T::Aicp::get(), who, *amount);
				assert!(minted.is_ok(), "the first supply of AICP cannot be minted: {minted:?}");
			}
			Sums::<T>::mutate(|sums| sums.genesis = Self::issuance());
		}
	}

	impl<T: Config> GenesisConfig<T> {
		fn issuance() -> u128 {
			Pallet::<T>::issuance()
		}
	}

	/// Events of this pallet.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A statement about the latest day was accepted and is the one that counts now.
		StatementTaken {
			/// Hash of the statement's fields (blake2-256).
			statement: H256,
			/// Day that the statement is about.
			day: Day,
			/// Value of the reserve (V_reserve), in micro-EUR.
			v_reserve: u128,
			/// Supply at which CR would be CR_min (S_target), in micro-tokens.
			supply_target: u128,
			/// Amount that can be minted now, in micro-tokens.
			allowance: u128,
		},
		/// A statement about an earlier day than the latest was accepted. It changes nothing here.
		StatementNoted {
			/// Hash of the statement's fields (blake2-256).
			statement: H256,
			/// Day that the statement is about.
			day: Day,
		},
		/// The state of the policy changed.
		StateChanged {
			/// State announced before.
			from: State,
			/// State from now on.
			to: State,
			/// Coverage ratio in parts of 10¹⁸, rounded down; `None` if nothing is issued, or
			/// without a fresh statement.
			ratio: Option<u128>,
		},
		/// The issuer minted AICP to the treasury.
		Minted {
			/// Amount, in micro-tokens.
			amount: u128,
			/// Day of the statement that allowed it.
			day: Day,
			/// Amount that can still be minted today, in micro-tokens.
			allowance: u128,
		},
		/// AICP was burned for service credit.
		Redeemed {
			/// Account that redeemed.
			who: T::AccountId,
			/// Amount burned, in micro-tokens.
			amount: u128,
			/// Credit for it, in micro-EUR.
			credit: u128,
			/// Number of the ticket if the credit has to wait; `None` if it is available already.
			ticket: Option<u64>,
		},
		/// Service credit was paid out and can be spent.
		CreditGiven {
			/// Account that can spend it.
			who: T::AccountId,
			/// Credit paid out, in micro-EUR.
			credit: u128,
			/// Credit of the same redemption that still waits, in micro-EUR.
			waiting: u128,
		},
		/// Service credit was spent, and who served it was paid.
		CreditSpent {
			/// Account that spent it.
			who: T::AccountId,
			/// Credit spent, in micro-EUR.
			credit: u128,
			/// Account that was paid for it.
			to: T::AccountId,
			/// AICP paid, in micro-tokens.
			paid: u128,
		},
		/// An empty credit account was closed and its deposit returned.
		AccountClosed {
			/// Owner of the account.
			who: T::AccountId,
		},
		/// Governance changed the parameters.
		ParametersSet {
			/// Parameters until now.
			old: Box<PolicyParameters>,
			/// Parameters from now on.
			new: Box<PolicyParameters>,
		},
		/// Governance appointed or removed the issuer.
		IssuerSet {
			/// Issuer until now; `None` if there was none.
			old: Option<T::AccountId>,
			/// Issuer from now on; `None` if nobody may mint.
			new: Option<T::AccountId>,
		},
		/// The breaker was raised or lowered.
		BreakerSet {
			/// Level until now.
			old: Breaker,
			/// Level from now on.
			new: Breaker,
		},
	}

	/// Reasons to refuse a call or a statement. Variants are only ever added at the end.
	#[pallet::error]
	pub enum Error<T> {
		/// The latest statement's price is below zero: nothing is minted on it.
		NegativePrice,
		/// The latest statement's price is zero: nothing is minted on it.
		ZeroPrice,
		/// The statement's price is below the lowest price that the parameters accept.
		PriceTooLow,
		/// The statement's price is above the highest price that the parameters accept.
		PriceTooHigh,
		/// The statement's price would move the average further since the last statement than the
		/// parameters allow; the view function `outlook` says from which day on it is accepted.
		PriceMovedTooFar,
		/// The statement's number of zones is not the one in the parameters.
		WrongZones,
		/// The statement's α is above what its complete zones and the parameters allow.
		AlphaTooHigh,
		/// The statement's compute assets are above the inventory in the parameters.
		AboveInventory,
		/// The breaker has stopped minting.
		MintStopped,
		/// The breaker has stopped redemption and the queue.
		RedeemStopped,
		/// The caller is not the issuer.
		NotIssuer,
		/// There is no statement, or the latest one is too old.
		Stale,
		/// The named statement is not the latest one, for instance because it was revised.
		OtherStatement,
		/// The statement's allowance has lapsed: it could be used only on the day after the stated
		/// one, or on the day the statement was accepted if it came later.
		AllowanceLapsed,
		/// The coverage ratio is below CR_min.
		NotCovered,
		/// The amount is above what is left of the allowance.
		AboveAllowance,
		/// The amount is zero.
		ZeroAmount,
		/// The amount is below the minimum of a redemption.
		BelowMinimum,
		/// The amount is above what the account may still redeem today.
		AboveDailyLimit,
		/// The credit would be less than the caller's minimum.
		CreditTooLow,
		/// The balance that remains would be below the token's minimum: redeem everything, or leave
		/// at least that minimum.
		WouldLeaveDust,
		/// Not given any more: the queue has no bound.
		QueueFull,
		/// No ticket is waiting, today's capacity is used up, or the treasury's AICP backs no more
		/// credit.
		NothingToServe,
		/// The account does not have that much available (or held) credit.
		InsufficientCredit,
		/// The account has no credit account.
		NoAccount,
		/// The credit account still has credit or tickets, or redeemed something today.
		AccountInUse,
		/// The parameters contradict each other; the view function `check_parameters` says where.
		InvalidParameters,
		/// The value is already set.
		Unchanged,
		/// The origin may only raise the breaker; lowering it takes governance.
		NotGovernance,
		/// A figure does not fit its type.
		Overflow,
		/// The statement came in before its day had ended by the chain's clock: its allowance can
		/// be used from the next day on.
		AllowanceNotOpen,
		/// A role of the attestations has stopped minting.
		StoppedByRole,
		/// The statement has fewer complete zones than the parameters require.
		TooFewZones,
		/// The statement's energy is above what the parameters accept for its zones.
		EnergyTooHigh,
		/// The statement's energy a zone has moved further since the last statement than the
		/// parameters allow.
		EnergyMovedTooFar,
		/// The treasury has too little AICP to back all credit that can be spent at the new target
		/// price.
		NotBacked,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_poll(_: BlockNumberFor<T>, weight: &mut WeightMeter) {
			Self::poll(weight);
		}

		fn integrity_test() {
			assert!(T::MaxServed::get() > 0, "MaxServed must not be zero");
			assert!(T::MaxHistory::get() > 0, "MaxHistory must not be zero");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Mints AICP to the treasury within the day's allowance.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the issuer.
		///
		/// ## Details
		///
		/// The caller names the statement to guard against surprises: if it was revised in the
		/// meantime, or the call comes a day late, nothing is minted.
		///
		/// ## Parameters
		///
		/// - `amount`: AICP to mint, in micro-tokens; above 0, at most the allowance.
		/// - `statement`: hash of the fields of the statement whose allowance is used (blake2-256).
		///
		/// ## Errors
		///
		/// - [`Error::NotIssuer`] if the caller is not the issuer, or there is none.
		/// - [`Error::MintStopped`] if the breaker is not closed.
		/// - [`Error::StoppedByRole`] if a role of the attestations has stopped minting.
		/// - [`Error::ZeroAmount`] if `amount` is zero.
		/// - [`Error::Stale`] if there is no statement, or the latest one is too old.
		/// - [`Error::OtherStatement`] if `statement` is not the latest one.
		/// - [`Error::AllowanceNotOpen`] if the day on which the allowance can be used has not begun.
		/// - [`Error::AllowanceLapsed`] if that day is over.
		/// - [`Error::NegativePrice`] or [`Error::ZeroPrice`] if the day's price is not above zero.
		/// - [`Error::NotCovered`] if the coverage ratio is below CR_min.
		/// - [`Error::AboveAllowance`] if `amount` is above what is left of the allowance.
		/// - [`Error::Overflow`] if the coverage cannot be computed from the figures.
		/// - An error of the token, for instance if the new balance would be below its minimum.
		///
		/// ## Events
		///
		/// - [`Event::Minted`] with what is left of the allowance
		/// - [`Event::StateChanged`] if the state changes
		#[pallet::call_index(0)]
		pub fn mint(
			origin: OriginFor<T>,
			#[pallet::compact] amount: u128,
			statement: H256,
		) -> DispatchResult {
			let issuer = ensure_signed(origin)?;
			ensure!(Issuer::<T>::get() == Some(issuer), Error::<T>::NotIssuer);
			Self::do_mint(amount, statement)
		}

		/// Burns AICP for service credit at the target price P_T.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the holder.
		///
		/// ## Details
		///
		/// The AICP is burned immediately and is worth ⌊amount · P_T⌋ from then on, whatever
		/// happens to P_T. The credit is available immediately if no ticket is waiting, the day's
		/// capacity suffices and the treasury backs it; otherwise it waits in the queue, in one
		/// ticket with what the account has redeemed on the same day, with a deposit. The view
		/// function `redeem_quote` says how long. The first redemption of an account holds a
		/// deposit for its row; [`Pallet::close_account`] returns it.
		///
		/// ## Parameters
		///
		/// - `amount`: AICP to burn, in micro-tokens; at least the minimum in the parameters.
		/// - `min_credit`: lowest credit that the caller accepts, in micro-EUR; 0 for any.
		///
		/// ## Errors
		///
		/// - [`Error::RedeemStopped`] if the breaker has stopped redemption.
		/// - [`Error::BelowMinimum`] if `amount` is below the minimum of a redemption.
		/// - [`Error::CreditTooLow`] if the credit would be below `min_credit`.
		/// - [`Error::AboveDailyLimit`] if the account would redeem more than its limit of today.
		/// - [`Error::WouldLeaveDust`] if the remaining balance would be above 0 and below the
		///   token's minimum.
		/// - [`Error::Overflow`] if a sum of credit does not fit its type.
		/// - An error of a token if the caller has too little AICP, or too little AIT for the
		///   deposits.
		///
		/// ## Events
		///
		/// - [`Event::Redeemed`] with the ticket's number if the credit has to wait
		/// - [`Event::CreditGiven`] if the credit is available immediately
		/// - [`Event::StateChanged`] if the state changes
		#[pallet::call_index(1)]
		pub fn redeem(
			origin: OriginFor<T>,
			#[pallet::compact] amount: u128,
			#[pallet::compact] min_credit: u128,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_redeem(who, amount, min_credit)
		}

		/// Serves the queue; each block also does so automatically.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone.
		///
		/// ## Parameters
		///
		/// - `tickets`: highest number of tickets to serve; more than [`Config::MaxServed`] counts
		///   as that.
		///
		/// ## Errors
		///
		/// - [`Error::RedeemStopped`] if the breaker has stopped redemption.
		/// - [`Error::NothingToServe`] if no ticket is waiting, today's capacity is used up, the
		///   treasury's AICP backs no more credit, or `tickets` is 0.
		///
		/// ## Events
		///
		/// - [`Event::CreditGiven`] for each ticket served, in full or in part
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::serve((*tickets).min(T::MaxServed::get())))]
		pub fn serve(origin: OriginFor<T>, tickets: u32) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			ensure!(BreakerLevel::<T>::get() < Breaker::AllStopped, Error::<T>::RedeemStopped);
			let served = Self::serve_tickets(tickets.min(T::MaxServed::get()), || true);
			ensure!(served > 0, Error::<T>::NothingToServe);
			let actual_weight = Some(T::WeightInfo::serve(served));
			Ok(PostDispatchInfo { actual_weight, pays_fee: Pays::Yes })
		}

		/// Removes an empty credit account and returns its deposit to the owner.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by anyone: the owner can only gain.
		///
		/// ## Parameters
		///
		/// - `who`: the owner of the credit account.
		///
		/// ## Errors
		///
		/// - [`Error::NoAccount`] if `who` has no credit account.
		/// - [`Error::AccountInUse`] if the account has credit or tickets, or has redeemed
		///   something today.
		///
		/// ## Events
		///
		/// - [`Event::AccountClosed`] once the deposit is returned
		#[pallet::call_index(3)]
		pub fn close_account(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_close_account(who)
		}

		/// Sets the parameters of the policy.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// All parameters are set at once, so that their relations can be checked. They apply from
		/// this block on, also to the latest statement. Credit keeps its value; for what can be
		/// spent, the treasury puts aside more AICP if P_T falls, and gets some back if it rises.
		///
		/// ## Parameters
		///
		/// - `new`: all parameters, in the units that [`PolicyParameters`] gives.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidParameters`] if the parameters contradict each other.
		/// - [`Error::Unchanged`] if they equal the present ones.
		/// - [`Error::NotBacked`] if the treasury has too little AICP to back all credit that can be
		///   spent at the new P_T.
		///
		/// ## Events
		///
		/// - [`Event::ParametersSet`] with the old and the new parameters
		/// - [`Event::StateChanged`] if the state changes
		#[pallet::call_index(4)]
		pub fn set_parameters(origin: OriginFor<T>, new: Box<PolicyParameters>) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			new.check().map_err(|_| Error::<T>::InvalidParameters)?;
			let old = Box::new(Parameters::<T>::get());
			ensure!(old != new, Error::<T>::Unchanged);
			Parameters::<T>::put(*new);
			if old.policy.target_price != new.policy.target_price {
				Self::back(0).map_err(|_| Error::<T>::NotBacked)?;
			}
			Self::deposit_event(Event::ParametersSet { old, new });
			Self::announce();
			Ok(())
		}

		/// Appoints the account that may mint the allowance, or removes it.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Parameters
		///
		/// - `new`: the new issuer; `None` if nobody may mint.
		///
		/// ## Errors
		///
		/// - [`Error::Unchanged`] if `new` is the issuer already.
		///
		/// ## Events
		///
		/// - [`Event::IssuerSet`] with the old and the new issuer
		#[pallet::call_index(5)]
		pub fn set_issuer(origin: OriginFor<T>, new: Option<T::AccountId>) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			let old = Issuer::<T>::get();
			ensure!(old != new, Error::<T>::Unchanged);
			Issuer::<T>::set(new.clone());
			Self::deposit_event(Event::IssuerSet { old, new });
			Ok(())
		}

		/// Stops minting, or minting and redemption, or lifts the stop.
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
		#[pallet::call_index(6)]
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
		/// Returns the present state of the policy, with the figures it follows from.
		pub fn status() -> Status {
			Self::current_status()
		}

		/// Returns the amount that can be minted now, in micro-tokens.
		pub fn allowance() -> u128 {
			Self::current_allowance()
		}

		/// Returns at most `limit` stated days, latest first.
		pub fn history(limit: u32) -> Vec<DayRecord> {
			Self::latest_records(limit)
		}

		/// Returns the figures that other inputs would give; what [`WhatIf`] leaves out stays as it
		/// is.
		pub fn quote(what_if: WhatIf) -> Result<Quote, DispatchError> {
			Self::current_quote(what_if)
		}

		/// Returns what would follow from a price in EUR/MWh, stated about `day`.
		pub fn outlook(day: Day, price: SignedRatio) -> Outlook {
			Self::price_outlook(day, &price)
		}

		/// Returns the credit for redeeming `amount` micro-tokens now, and how long it would wait.
		pub fn redeem_quote(amount: u128) -> Result<RedemptionQuote, DispatchError> {
			Self::quote_redemption(amount)
		}

		/// Returns an account's credit account, `None` if it has none.
		pub fn account(who: T::AccountId) -> Option<CreditAccount<BalanceOf<T>>> {
			Accounts::<T>::get(who)
		}

		/// Returns at most `limit` waiting tickets with their numbers, in order, after skipping
		/// `skip`.
		pub fn queue(skip: u32, limit: u32) -> Vec<(u64, TicketOf<T>)> {
			Self::waiting_tickets(skip, limit)
		}

		/// Returns an error that names the relation which these parameters break, if they break
		/// one.
		pub fn check_parameters(parameters: PolicyParameters) -> Result<(), ParameterError> {
			parameters.check()
		}

		/// Returns α_effective with that many complete zones; `None` if there are not so many
		/// zones.
		pub fn effective_alpha(zones_ok: u16) -> Option<Ratio> {
			Parameters::<T>::get().effective_alpha(zones_ok).ok()
		}
	}
}
