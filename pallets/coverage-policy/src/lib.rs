//! # Coverage policy pallet
//!
//! Mints AICP only as far as the attested reserve covers it, and burns it for services.
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for the interfaces of this pallet: its configuration trait,
//! dispatchables, storage items, events and errors. [`runtime_api`] has the same queries as the
//! view functions, for clients that speak runtime APIs.
//!
//! ## Terminology
//!
//! * **Reserve** V: committed energy at its price, and compute assets, in EUR.
//! * **Coverage ratio** CR = V / (P_T · S), S = total issuance · Û. All formulas, and their
//!   rounding, are in [`gridproof_primitives::reserve::formula`].
//! * **Allowance**: what may be minted of a day's statement, and only on the day it was taken.
//! * **Service credit**: what redeemed AICP is worth, in micro-EUR; it pays compute and energy.
//! * **Ticket**: redeemed AICP whose credit waits for its turn.
//!
//! ## Overview
//!
//! ### From statement to allowance
//!
//! The pallet is the handler of attestations: it refuses a statement whose price, zones, α or
//! compute assets its parameters do not bear out, and takes the others. The statement of the
//! latest day counts; one about an earlier day is taken note of and changes nothing. A revision
//! of the latest day corrects it at once, but never opens its allowance a second time.
//!
//! When the first statement of a chain day is taken, that day's **opening issuance** is fixed.
//! The allowance is the mint suggestion of the formulas for the opening issuance, less what was
//! minted that day; so however many statements or revisions arrive in a day, no more than
//! max(0, min(S_target − S, cap · S)) of one opening is ever minted in it. What is not used when
//! the day ends has lapsed.
//!
//! ### States
//!
//! [`State`](gridproof_primitives::reserve::formula::State) follows from CR as it is now. Without a
//! statement, or with one that is too old, it is `Frozen`. It is computed anew whenever it
//! matters; what is stored is only the last state announced, so that each change has one event:
//! at once where a call causes it, with the next block where time does.
//!
//! ### Redemption
//!
//! [`Pallet::redeem`] burns AICP at once and credits ⌊amount · P_T⌋, within the account's daily
//! limit. The credit is handed out in the order of redemption, as far as the day's capacity goes;
//! what exceeds it waits in a bounded queue that is served each block and by anyone
//! ([`Pallet::serve`]). A ticket is served in parts if need be, so none can block the queue. A
//! waiting ticket and a credit account each carry a deposit in the native token.
//!
//! Redemption stays open in every state: it can only raise the coverage ratio.
//!
//! ### Starting from nothing
//!
//! With S = 0 no ratio is defined and the cap is zero. Either genesis mints a first supply, or
//! the parameters name a bootstrap supply: up to it the cap does not bind, while the reserve does
//! as ever.
//!
//! ### Example
//!
//! ```ignore
//! // The issuer mints what today's statement about `day` allows, or nothing if it was revised.
//! CoveragePolicy::mint(RuntimeOrigin::signed(issuer), 1_000 * AICP, beneficiary, statement)?;
//! // A holder turns AICP into service credit, at least 1.50 EUR for each.
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
#[cfg(test)]
mod mock;
pub mod runtime_api;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
pub mod weights;

pub use gridproof_primitives::{reserve::parameters::PolicyParameters, reserve::state::*};
pub use pallet::*;
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
		traits::{fungible, fungibles},
		weights::WeightMeter,
	};
	use frame_system::pallet_prelude::*;
	use gridproof_primitives::{
		H256, num::decimal::Ratio, reserve::formula::State, reserve::parameters::ParameterFault,
		time::calendar::DayClock, time::day::Day,
	};

	/// The native token's balance.
	pub type BalanceOf<T> = <<T as Config>::Currency as fungible::Inspect<
		<T as frame_system::Config>::AccountId,
	>>::Balance;
	/// The id of a token.
	pub type AssetIdOf<T> = <<T as Config>::Fungibles as fungibles::Inspect<
		<T as frame_system::Config>::AccountId,
	>>::AssetId;
	/// A ticket of this runtime.
	pub type TicketOf<T> = Ticket<<T as frame_system::Config>::AccountId, BalanceOf<T>>;

	/// The configuration of the pallet.
	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// The tokens, of which AICP is one. Nobody else may mint AICP.
		type Fungibles: fungibles::Mutate<Self::AccountId, Balance = u128>;

		/// AICP, with 6 decimals.
		#[pallet::constant]
		type Aicp: Get<AssetIdOf<Self>>;

		/// The native token, for deposits.
		type Currency: fungible::Mutate<Self::AccountId>
			+ fungible::hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// The runtime's reasons for holds.
		type RuntimeHoldReason: From<HoldReason>;

		/// Who knows what day it is.
		type Clock: DayClock;

		/// Who may set parameters and issuer, and lower the breaker.
		type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Who may raise the breaker in an emergency.
		type PauseOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Deposit for a credit account.
		#[pallet::constant]
		type AccountDeposit: Get<BalanceOf<Self>>;

		/// Deposit for a ticket in the queue.
		#[pallet::constant]
		type TicketDeposit: Get<BalanceOf<Self>>;

		/// Most tickets that can wait.
		#[pallet::constant]
		type MaxQueue: Get<u32>;

		/// Most tickets that one block, or one call of [`Pallet::serve`], serves.
		#[pallet::constant]
		type MaxServed: Get<u32>;

		/// Most days that the history keeps.
		#[pallet::constant]
		type MaxHistory: Get<u32>;

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
		/// The row of a credit account.
		#[codec(index = 0)]
		CreditAccount,
		/// A ticket in the queue.
		#[codec(index = 1)]
		Ticket,
	}

	/// What governance decided.
	#[pallet::storage]
	pub type Parameters<T: Config> = StorageValue<_, PolicyParameters, ValueQuery>;

	/// Who may mint the allowance.
	#[pallet::storage]
	pub type Issuer<T: Config> = StorageValue<_, T::AccountId, OptionQuery>;

	/// What is stopped.
	#[pallet::storage]
	pub type BreakerLevel<T: Config> = StorageValue<_, Breaker, ValueQuery>;

	/// The statement of the latest day.
	#[pallet::storage]
	pub type Latest<T: Config> = StorageValue<_, Statement, OptionQuery>;

	/// The last day on which a statement was taken.
	#[pallet::storage]
	pub type Minting<T: Config> = StorageValue<_, MintDay, OptionQuery>;

	/// The state that was announced last: `Frozen` to begin with.
	#[pallet::storage]
	pub type Announced<T: Config> = StorageValue<_, State, ValueQuery, FrozenState>;

	/// The day whose beginning was noticed last.
	#[pallet::storage]
	pub type LastPolled<T: Config> = StorageValue<_, Day, ValueQuery>;

	/// Stated days by running number, at most [`Config::MaxHistory`].
	#[pallet::storage]
	pub type History<T: Config> = StorageMap<_, Twox64Concat, u32, DayRecord, OptionQuery>;

	/// The running number of the next stated day.
	#[pallet::storage]
	pub type NextRecord<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// What accounts have redeemed and not used up.
	#[pallet::storage]
	pub type Accounts<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, CreditAccount<BalanceOf<T>>, OptionQuery>;

	/// Tickets by number.
	#[pallet::storage]
	pub type Queue<T: Config> = StorageMap<_, Twox64Concat, u64, TicketOf<T>, OptionQuery>;

	/// The queue's ends.
	#[pallet::storage]
	pub type Ends<T: Config> = StorageValue<_, QueueEnds, ValueQuery>;

	/// The last day on which credit was handed out, and how much, in micro-EUR.
	#[pallet::storage]
	pub type HandedOut<T: Config> = StorageValue<_, (Day, u128), ValueQuery>;

	/// Sums over all time.
	#[pallet::storage]
	pub type Sums<T: Config> = StorageValue<_, Totals, ValueQuery>;

	/// The state before anything is known.
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
		/// The parameters.
		pub parameters: PolicyParameters,
		/// Who may mint the allowance.
		pub issuer: Option<T::AccountId>,
		/// AICP to begin with, in micro-tokens, and whose it is. The token pallet must come
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

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A statement about the latest day was taken.
		StatementTaken {
			/// Hash of its fields.
			statement: H256,
			/// The day it is about.
			day: Day,
			/// V_reserve, in micro-EUR.
			v_reserve: u128,
			/// S_target, in micro-tokens.
			supply_target: u128,
			/// What can be minted now, in micro-tokens.
			allowance: u128,
		},
		/// A statement about a day before the latest one was taken note of. It changes nothing.
		StatementNoted {
			/// Hash of its fields.
			statement: H256,
			/// The day it is about.
			day: Day,
		},
		/// The state changed.
		StateChanged {
			/// What it was.
			from: State,
			/// What it is.
			to: State,
			/// CR in parts of 10¹⁸, floored; `None` if nothing is issued or known.
			ratio: Option<u128>,
		},
		/// AICP was minted.
		Minted {
			/// Whose it is.
			who: T::AccountId,
			/// How much, in micro-tokens.
			amount: u128,
			/// The day whose statement allowed it.
			day: Day,
			/// What can still be minted today, in micro-tokens.
			allowance: u128,
		},
		/// AICP was burned for service credit.
		Redeemed {
			/// Who redeemed.
			who: T::AccountId,
			/// How much, in micro-tokens.
			amount: u128,
			/// What it is worth, in micro-EUR.
			credit: u128,
			/// The ticket, if the credit has to wait.
			ticket: Option<u64>,
		},
		/// Service credit was handed out.
		CreditGiven {
			/// Who can spend it.
			who: T::AccountId,
			/// How much, in micro-EUR.
			credit: u128,
			/// What is still to come of the same redemption, in micro-EUR.
			waiting: u128,
		},
		/// Service credit was spent.
		CreditSpent {
			/// Whose it was.
			who: T::AccountId,
			/// How much, in micro-EUR.
			credit: u128,
		},
		/// A credit account was closed and its deposit returned.
		AccountClosed {
			/// Whose it was.
			who: T::AccountId,
		},
		/// The parameters changed.
		ParametersSet {
			/// What they were.
			old: Box<PolicyParameters>,
			/// What they are.
			new: Box<PolicyParameters>,
		},
		/// There is another issuer.
		IssuerSet {
			/// Who it was.
			old: Option<T::AccountId>,
			/// Who it is.
			new: Option<T::AccountId>,
		},
		/// More or less is stopped.
		BreakerSet {
			/// What was stopped.
			old: Breaker,
			/// What is stopped.
			new: Breaker,
		},
	}

	/// Why a call or a statement is refused. Variants are only ever added at the end.
	#[pallet::error]
	pub enum Error<T> {
		/// The stated price is below zero.
		NegativePrice,
		/// The stated price is zero.
		ZeroPrice,
		/// The stated price is below the lowest one that is believed.
		PriceTooLow,
		/// The stated price is above the highest one that is believed.
		PriceTooHigh,
		/// The stated price is too far from the last one.
		PriceMovedTooFar,
		/// The statement is about another number of zones than the parameters.
		WrongZones,
		/// The statement's α is above what its complete zones allow.
		AlphaTooHigh,
		/// The stated compute assets are above the inventory.
		AboveInventory,
		/// Minting is stopped.
		MintStopped,
		/// Redemption is stopped.
		RedeemStopped,
		/// Only the issuer mints.
		NotIssuer,
		/// There is no statement, or it is too old.
		Stale,
		/// The statement named is not the one that counts now.
		OtherStatement,
		/// The statement's allowance could be used only on the day it was taken.
		AllowanceLapsed,
		/// The coverage ratio is below CR_min.
		NotCovered,
		/// More than what is left of the allowance.
		AboveAllowance,
		/// An amount of zero.
		ZeroAmount,
		/// Less than the least redemption.
		BelowMinimum,
		/// More than the account can redeem today.
		AboveDailyLimit,
		/// The credit would be less than the caller demands.
		CreditTooLow,
		/// The rest would be too little to keep: redeem all, or leave the token's minimum.
		WouldLeaveDust,
		/// The queue is full; redeem less, or later.
		QueueFull,
		/// There is no ticket, or no credit left to hand out today.
		NothingToServe,
		/// The account has less credit.
		InsufficientCredit,
		/// There is no such credit account.
		NoAccount,
		/// The account has credit or tickets, or has redeemed today.
		AccountInUse,
		/// The parameters break a relation; `check_parameters` says which.
		InvalidParameters,
		/// It is so already.
		Unchanged,
		/// Only governance lowers the breaker.
		NotGovernance,
		/// A figure is too large.
		Overflow,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_poll(_: BlockNumberFor<T>, weight: &mut WeightMeter) {
			Self::poll(weight);
		}

		fn integrity_test() {
			assert!(T::MaxQueue::get() > 0, "MaxQueue must not be zero");
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
		/// Mints of the day's allowance.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the issuer.
		///
		/// ## Details
		///
		/// Naming the statement guards against surprises: if it was revised meanwhile, or the
		/// call comes a day late, nothing is minted.
		///
		/// ## Parameters
		///
		/// - `amount`: in micro-tokens.
		/// - `who`: whose they are.
		/// - `statement`: hash of the fields of the statement whose allowance is used.
		///
		/// ## Errors
		///
		/// - [`Error::NotIssuer`], [`Error::MintStopped`], [`Error::ZeroAmount`],
		///   [`Error::Stale`], [`Error::OtherStatement`], [`Error::AllowanceLapsed`],
		///   [`Error::NotCovered`], [`Error::AboveAllowance`]
		/// - the token's, such as an amount below its minimum balance
		///
		/// ## Events
		///
		/// - [`Event::Minted`], perhaps [`Event::StateChanged`]
		#[pallet::call_index(0)]
		pub fn mint(
			origin: OriginFor<T>,
			#[pallet::compact] amount: u128,
			who: T::AccountId,
			statement: H256,
		) -> DispatchResult {
			let issuer = ensure_signed(origin)?;
			ensure!(Issuer::<T>::get() == Some(issuer), Error::<T>::NotIssuer);
			Self::do_mint(amount, who, statement)
		}

		/// Burns AICP for service credit at P_T.
		///
		/// ## Dispatch Origin
		///
		/// `Signed` by the holder.
		///
		/// ## Details
		///
		/// The AICP is burned at once and is worth ⌊amount · P_T⌋ from then on, whatever becomes
		/// of P_T. The credit is handed out now if no ticket waits and the day's capacity
		/// suffices; else it waits in the queue, with a deposit. The first redemption of an
		/// account holds a deposit for its row, see [`Pallet::close_account`].
		///
		/// ## Parameters
		///
		/// - `amount`: in micro-tokens.
		/// - `min_credit`: the least credit to accept, in micro-EUR.
		///
		/// ## Errors
		///
		/// - [`Error::RedeemStopped`], [`Error::BelowMinimum`], [`Error::CreditTooLow`],
		///   [`Error::AboveDailyLimit`], [`Error::WouldLeaveDust`], [`Error::QueueFull`]
		/// - the tokens', such as too little AICP, or too little of the native token for deposits
		///
		/// ## Events
		///
		/// - [`Event::Redeemed`], perhaps [`Event::CreditGiven`] and [`Event::StateChanged`]
		#[pallet::call_index(1)]
		pub fn redeem(
			origin: OriginFor<T>,
			#[pallet::compact] amount: u128,
			#[pallet::compact] min_credit: u128,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_redeem(who, amount, min_credit)
		}

		/// Serves the queue, as each block does by itself.
		///
		/// ## Dispatch Origin
		///
		/// Any `Signed`.
		///
		/// ## Parameters
		///
		/// - `tickets`: how many at most; no more than [`Config::MaxServed`] are.
		///
		/// ## Errors
		///
		/// - [`Error::RedeemStopped`], [`Error::NothingToServe`]
		///
		/// ## Events
		///
		/// - [`Event::CreditGiven`] for each ticket
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

		/// Removes a credit account that is empty and returns its deposit to its owner.
		///
		/// ## Dispatch Origin
		///
		/// Any `Signed`: it can only do the owner good.
		///
		/// ## Errors
		///
		/// - [`Error::NoAccount`], [`Error::AccountInUse`]
		///
		/// ## Events
		///
		/// - [`Event::AccountClosed`]
		#[pallet::call_index(3)]
		pub fn close_account(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_close_account(who)
		}

		/// Sets the parameters.
		///
		/// ## Dispatch Origin
		///
		/// [`Config::GovernanceOrigin`].
		///
		/// ## Details
		///
		/// All at once, so that their relations can be checked. They count from this block on,
		/// also for the statement that stands. Credit in the queue keeps its worth.
		///
		/// ## Errors
		///
		/// - [`Error::InvalidParameters`], [`Error::Unchanged`]
		///
		/// ## Events
		///
		/// - [`Event::ParametersSet`], perhaps [`Event::StateChanged`]
		#[pallet::call_index(4)]
		pub fn set_parameters(origin: OriginFor<T>, new: Box<PolicyParameters>) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			new.check().map_err(|_| Error::<T>::InvalidParameters)?;
			let old = Box::new(Parameters::<T>::get());
			ensure!(old != new, Error::<T>::Unchanged);
			Parameters::<T>::put(*new);
			Self::deposit_event(Event::ParametersSet { old, new });
			Self::announce();
			Ok(())
		}

		/// Names who may mint the allowance, or nobody.
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
		/// - [`Event::IssuerSet`]
		#[pallet::call_index(5)]
		pub fn set_issuer(origin: OriginFor<T>, new: Option<T::AccountId>) -> DispatchResult {
			T::GovernanceOrigin::ensure_origin(origin)?;
			let old = Issuer::<T>::get();
			ensure!(old != new, Error::<T>::Unchanged);
			Issuer::<T>::set(new.clone());
			Self::deposit_event(Event::IssuerSet { old, new });
			Ok(())
		}

		/// Stops, or allows again, minting and redemption.
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
		/// How things stand.
		pub fn status() -> Status {
			Self::current_status()
		}

		/// What can be minted now, in micro-tokens.
		pub fn allowance() -> u128 {
			Self::current_allowance()
		}

		/// The latest stated days, latest first, at most `limit`.
		pub fn history(limit: u32) -> Vec<DayRecord> {
			Self::latest_records(limit)
		}

		/// What would be, with other inputs; see [`WhatIf`].
		pub fn quote(what_if: WhatIf) -> Result<Quote, DispatchError> {
			Self::current_quote(what_if)
		}

		/// What redeeming `amount` micro-tokens is worth now, in micro-EUR.
		pub fn redeem_quote(amount: u128) -> Result<u128, DispatchError> {
			Self::credit_for(amount)
		}

		/// What an account has redeemed and not used up.
		pub fn account(who: T::AccountId) -> Option<CreditAccount<BalanceOf<T>>> {
			Accounts::<T>::get(who)
		}

		/// The tickets that wait, with their numbers, from the `skip`-th on, at most `limit`.
		pub fn queue(skip: u32, limit: u32) -> Vec<(u64, TicketOf<T>)> {
			Self::waiting_tickets(skip, limit)
		}

		/// Which relation these parameters break, if any.
		pub fn check_parameters(parameters: PolicyParameters) -> Result<(), ParameterFault> {
			parameters.check()
		}

		/// α_effective with that many complete zones; `None` if there are not so many.
		pub fn effective_alpha(zones_ok: u16) -> Option<Ratio> {
			Parameters::<T>::get().effective_alpha(zones_ok).ok()
		}
	}
}
