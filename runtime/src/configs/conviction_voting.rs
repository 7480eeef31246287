//! `pallet_conviction_voting`: one AIT, one vote, of what is free and of bonds.

use crate::{
	AccountId, Balance, Balances, BlockNumber, Referenda, Runtime, RuntimeEvent, RuntimeHoldReason,
	System,
	configs::{TreasuryAccount, governance::Days},
};
use frame_support::{
	dispatch::DispatchResult,
	traits::{
		BalanceStatus, ConstU32, Currency, ExistenceRequirement, Get, LockIdentifier,
		LockableCurrency, ReservableCurrency, SignedImbalance, WithdrawReasons, fungible,
		fungible::InspectHold,
		tokens::{DepositConsequence, Fortitude, Preservation, Provenance, WithdrawConsequence},
	},
};
use pallet_conviction_voting::{AccountVote, Conviction, Error, Status, VotingHooks};
use sp_runtime::DispatchError;

/// AIT as it votes: what is free and what is held as a bond. What lies in deposits does not vote, and
/// the treasury does not.
///
/// A lock on so much would be covered by deposits too, and leave as much of what is free to move on
/// and vote again. So the lock is that much higher, and covers what voted and nothing else.
pub struct VotingBalances;

type Positive = <Balances as Currency<AccountId>>::PositiveImbalance;
type Negative = <Balances as Currency<AccountId>>::NegativeImbalance;

impl VotingBalances {
	/// Returns what an account holds as bonds.
	fn bonds(who: &AccountId) -> Balance {
		let work = RuntimeHoldReason::ComputeReceipts(pallet_compute_receipts::HoldReason::Bond);
		let checks = RuntimeHoldReason::ComputeChecks(pallet_compute_checks::HoldReason::Bond);
		let held = |reason| Balances::balance_on_hold(reason, who);
		held(&work).saturating_add(held(&checks))
	}

	/// Returns what an account can vote with.
	pub fn votes_of(who: &AccountId) -> Balance {
		if *who == TreasuryAccount::get() {
			return 0;
		}
		Balances::free_balance(who).saturating_add(Self::bonds(who))
	}

	/// Returns the lock that keeps `amount` of what votes where it is.
	fn lock_for(who: &AccountId, amount: Balance) -> Balance {
		let deposits = Balances::reserved_balance(who).saturating_sub(Self::bonds(who));
		amount.saturating_add(deposits)
	}
}

/// AIT that can vote at all: all there is, but for the treasury's.
pub struct MaxTurnout;

impl Get<Balance> for MaxTurnout {
	fn get() -> Balance {
		let treasury = <Balances as Currency<AccountId>>::total_balance(&TreasuryAccount::get());
		<Balances as Currency<AccountId>>::total_issuance().saturating_sub(treasury)
	}
}

impl LockableCurrency<AccountId> for VotingBalances {
	type MaxLocks = <Balances as LockableCurrency<AccountId>>::MaxLocks;
	type Moment = BlockNumber;

	fn set_lock(id: LockIdentifier, who: &AccountId, amount: Balance, reasons: WithdrawReasons) {
		Balances::set_lock(id, who, Self::lock_for(who, amount), reasons);
	}

	fn extend_lock(id: LockIdentifier, who: &AccountId, amount: Balance, reasons: WithdrawReasons) {
		if amount > 0 {
			Balances::extend_lock(id, who, Self::lock_for(who, amount), reasons);
		}
	}

	fn remove_lock(id: LockIdentifier, who: &AccountId) {
		Balances::remove_lock(id, who);
	}
}

impl fungible::Inspect<AccountId> for VotingBalances {
	type Balance = Balance;

	fn total_issuance() -> Balance {
		<Balances as fungible::Inspect<AccountId>>::total_issuance()
	}

	fn minimum_balance() -> Balance {
		<Balances as fungible::Inspect<AccountId>>::minimum_balance()
	}

	fn total_balance(who: &AccountId) -> Balance {
		Self::votes_of(who)
	}

	fn balance(who: &AccountId) -> Balance {
		<Balances as fungible::Inspect<AccountId>>::balance(who)
	}

	fn reducible_balance(who: &AccountId, preservation: Preservation, force: Fortitude) -> Balance {
		<Balances as fungible::Inspect<AccountId>>::reducible_balance(who, preservation, force)
	}

	fn can_deposit(who: &AccountId, amount: Balance, provenance: Provenance) -> DepositConsequence {
		<Balances as fungible::Inspect<AccountId>>::can_deposit(who, amount, provenance)
	}

	fn can_withdraw(who: &AccountId, amount: Balance) -> WithdrawConsequence<Balance> {
		<Balances as fungible::Inspect<AccountId>>::can_withdraw(who, amount)
	}
}

/// All but the total balance is the native token's own.
impl Currency<AccountId> for VotingBalances {
	type Balance = Balance;
	type NegativeImbalance = Negative;
	type PositiveImbalance = Positive;

	fn total_balance(who: &AccountId) -> Balance {
		Self::votes_of(who)
	}

	fn can_slash(who: &AccountId, value: Balance) -> bool {
		Balances::can_slash(who, value)
	}

	fn total_issuance() -> Balance {
		<Balances as Currency<AccountId>>::total_issuance()
	}

	fn minimum_balance() -> Balance {
		<Balances as Currency<AccountId>>::minimum_balance()
	}

	fn burn(amount: Balance) -> Positive {
		<Balances as Currency<AccountId>>::burn(amount)
	}

	fn issue(amount: Balance) -> Negative {
		<Balances as Currency<AccountId>>::issue(amount)
	}

	fn free_balance(who: &AccountId) -> Balance {
		Balances::free_balance(who)
	}

	fn ensure_can_withdraw(
		who: &AccountId,
		amount: Balance,
		reasons: WithdrawReasons,
		new_balance: Balance,
	) -> DispatchResult {
		Balances::ensure_can_withdraw(who, amount, reasons, new_balance)
	}

	fn transfer(
		source: &AccountId,
		dest: &AccountId,
		value: Balance,
		existence: ExistenceRequirement,
	) -> DispatchResult {
		<Balances as Currency<AccountId>>::transfer(source, dest, value, existence)
	}

	fn slash(who: &AccountId, value: Balance) -> (Negative, Balance) {
		<Balances as Currency<AccountId>>::slash(who, value)
	}

	fn deposit_into_existing(who: &AccountId, value: Balance) -> Result<Positive, DispatchError> {
		Balances::deposit_into_existing(who, value)
	}

	fn deposit_creating(who: &AccountId, value: Balance) -> Positive {
		Balances::deposit_creating(who, value)
	}

	fn withdraw(
		who: &AccountId,
		value: Balance,
		reasons: WithdrawReasons,
		liveness: ExistenceRequirement,
	) -> Result<Negative, DispatchError> {
		<Balances as Currency<AccountId>>::withdraw(who, value, reasons, liveness)
	}

	fn make_free_balance_be(
		who: &AccountId,
		balance: Balance,
	) -> SignedImbalance<Balance, Positive> {
		Balances::make_free_balance_be(who, balance)
	}
}

impl ReservableCurrency<AccountId> for VotingBalances {
	fn can_reserve(who: &AccountId, value: Balance) -> bool {
		Balances::can_reserve(who, value)
	}

	fn slash_reserved(who: &AccountId, value: Balance) -> (Negative, Balance) {
		Balances::slash_reserved(who, value)
	}

	fn reserved_balance(who: &AccountId) -> Balance {
		Balances::reserved_balance(who)
	}

	fn reserve(who: &AccountId, value: Balance) -> DispatchResult {
		Balances::reserve(who, value)
	}

	fn unreserve(who: &AccountId, value: Balance) -> Balance {
		Balances::unreserve(who, value)
	}

	fn repatriate_reserved(
		slashed: &AccountId,
		beneficiary: &AccountId,
		value: Balance,
		status: BalanceStatus,
	) -> Result<Balance, DispatchError> {
		Balances::repatriate_reserved(slashed, beneficiary, value, status)
	}
}

/// Returns `true` if a vote weighs one for each AIT. What is split weighs a tenth, and other
/// convictions weigh more or less.
pub(super) fn is_plain(vote: &AccountVote<Balance>) -> bool {
	matches!(vote, AccountVote::Standard { vote, .. } if vote.conviction == Conviction::Locked1x)
}

/// Refuses votes that do not weigh one for each AIT, and those of the treasury.
pub struct OneAitOneVote;

impl VotingHooks<AccountId, u32, Balance> for OneAitOneVote {
	fn on_before_vote(who: &AccountId, _: u32, vote: AccountVote<Balance>) -> DispatchResult {
		let permitted = is_plain(&vote) && *who != TreasuryAccount::get();
		frame_support::ensure!(permitted, Error::<Runtime>::NoPermission);
		Ok(())
	}

	fn on_remove_vote(_: &AccountId, _: u32, _: Status) {}

	fn lock_balance_on_unsuccessful_vote(_: &AccountId, _: u32) -> Option<Balance> {
		None
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn on_vote_worst_case(_: &AccountId) {}

	#[cfg(feature = "runtime-benchmarks")]
	fn on_remove_vote_worst_case(_: &AccountId) {}
}

impl pallet_conviction_voting::Config for Runtime {
	type BlockNumberProvider = System;
	type Currency = VotingBalances;
	type MaxTurnout = MaxTurnout;
	type MaxVotes = ConstU32<64>;
	type Polls = Referenda;
	type RuntimeEvent = RuntimeEvent;
	// As long as what root enacts waits.
	type VoteLockingPeriod = Days<3>;
	type VotingHooks = OneAitOneVote;
	type WeightInfo = pallet_conviction_voting::weights::SubstrateWeight<Runtime>;
}
