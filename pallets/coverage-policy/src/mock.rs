//! A runtime with AICP, a clock that tests can set, and this pallet.

use crate::{self as pallet_coverage_policy, *};
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU32, ConstU64, ConstU128, fungible, fungibles},
};
use frame_system::{EnsureRoot, EnsureSigned};
use gridproof_primitives::{
	H256,
	num::decimal::{Ratio, SignedRatio},
	num::units::{AICP, AICP_ASSET_ID, MILLIS_PER_DAY},
	reserve::attestation::{AttestationFields, AttestationHandler, ServiceCredit},
	reserve::bounds::PriceBounds,
	reserve::stop::MintStops,
	time::calendar::{Calendar, DayClock},
	time::day::Day,
};
use sp_runtime::{BuildStorage, DispatchError, traits::Dispatchable};

pub(crate) type Block = frame_system::mocking::MockBlock<Test>;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system::Pallet<Test>;

	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances::Pallet<Test>;

	#[runtime::pallet_index(2)]
	pub type Assets = pallet_assets::Pallet<Test>;

	#[runtime::pallet_index(3)]
	pub type CoveragePolicy = pallet_coverage_policy::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<u128>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type Balance = u128;
	type ExistentialDeposit = ConstU128<10>;
}

#[derive_impl(pallet_assets::config_preludes::TestDefaultConfig)]
impl pallet_assets::Config for Test {
	type Balance = u128;
	type AssetId = u32;
	type AssetIdParameter = u32;
	type Currency = Balances;
	type CreateOrigin = frame_support::traits::AsEnsureOriginWithArg<EnsureSigned<u64>>;
	type ForceOrigin = EnsureRoot<u64>;
}

parameter_types! {
	pub static Now: u64 = 0;
	pub static Stopped: bool = false;
}

impl MintStops for Stopped {
	fn is_stopped() -> bool {
		Self::get()
	}
}

/// UTC days by the clock [`Now`].
pub struct Clock;

impl DayClock for Clock {
	fn now() -> u64 {
		Now::get()
	}

	fn today() -> Day {
		Calendar::UTC.day_at(Now::get())
	}

	fn latest_today() -> Day {
		Calendar::UTC.day_at(Now::get() + Calendar::UTC.skew())
	}
}

/// The account that may raise the breaker.
pub(crate) const GUARD: u64 = 99;
/// The account that may mint.
pub(crate) const ISSUER: u64 = 50;
/// Account that holds the first supply.
pub(crate) const ALICE: u64 = 1;
/// Account with native tokens only.
pub(crate) const BOB: u64 = 2;
/// Deposit for a credit account.
pub(crate) const ACCOUNT_DEPOSIT: u128 = 700;
/// Deposit for a ticket.
pub(crate) const TICKET_DEPOSIT: u128 = 30;
/// Account of the treasury.
pub(crate) const TREASURY: u64 = 60;
/// Account that backs service credit.
pub(crate) const BACKING: u64 = 61;
/// Account that serves credit.
pub(crate) const SERVER: u64 = 62;
/// The treasury's part of the first supply, in micro-tokens.
pub(crate) const OF_TREASURY: u128 = 1_000_000 * AICP;
/// Alice's part of the first supply, in micro-tokens.
pub(crate) const OF_ALICE: u128 = SUPPLY - OF_TREASURY;
/// Native tokens of each account.
pub(crate) const NATIVE: u128 = 10_000;
/// The first supply, in micro-tokens.
pub(crate) const SUPPLY: u128 = 10_000_000 * AICP;

frame_support::ord_parameter_types! {
	pub const Guard: u64 = GUARD;
}

impl Config for Test {
	type Fungibles = Assets;
	type Aicp = ConstU32<AICP_ASSET_ID>;
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Clock = Clock;
	type GovernanceOrigin = EnsureRoot<u64>;
	type PauseOrigin = frame_system::EnsureSignedBy<Guard, u64>;
	type Stops = Stopped;
	type Treasury = ConstU64<TREASURY>;
	type Backing = ConstU64<BACKING>;
	type AccountDeposit = ConstU128<ACCOUNT_DEPOSIT>;
	type TicketDeposit = ConstU128<TICKET_DEPOSIT>;
	type MaxServed = ConstU32<3>;
	type MaxHistory = ConstU32<6>;
	type WeightInfo = ();
}

/// Returns the parameters of the tests: 30 zones, α 18 %, compute assets up to 5 M EUR, and prices
/// that count as they are and move by half as much again a day.
pub(crate) fn parameters() -> PolicyParameters {
	let default = PolicyParameters::default();
	let max_daily_ratio = Ratio::percent(150);
	PolicyParameters {
		prices: PriceBounds { window: 1, max_daily_ratio, ..default.prices },
		compute_inventory: 5_000_000_000_000,
		..default
	}
}

/// Returns the day that many days after 2026-01-15, the day of the first statements.
pub(crate) fn day(offset: u32) -> Day {
	Day::from_days(Day::parse("2026-01-15").unwrap().days() + offset).unwrap()
}

/// Sets the clock to 00:25 of a day.
pub(crate) fn set_day(offset: u32) {
	Now::set(u64::from(day(offset).days()) * MILLIS_PER_DAY + 25 * 60_000);
}

/// Returns a price in whole EUR/MWh.
pub(crate) fn eur(price: u128) -> SignedRatio {
	Ratio::from_integer(price).into()
}

/// Returns a price as a fraction, in EUR/MWh.
pub(crate) fn price(numerator: u128, denominator: u128) -> SignedRatio {
	Ratio::new(numerator, denominator).unwrap().into()
}

/// Returns fields with 1 TWh of 30 zones, 180 GWh of it committed, at a price.
pub(crate) fn fields(offset: u32, eur_per_mwh: SignedRatio) -> AttestationFields {
	AttestationFields { eur_per_mwh, ..AttestationFields::example(day(offset)) }
}

/// Returns a revision of `old` with another price.
pub(crate) fn revision(old: &AttestationFields, eur_per_mwh: SignedRatio) -> AttestationFields {
	AttestationFields {
		revision: old.revision + 1,
		replaces: Some(old.hash()),
		eur_per_mwh,
		..old.clone()
	}
}

/// Submits a statement as the attestations pallet does, and returns its hash.
pub(crate) fn take(fields: &AttestationFields) -> Result<H256, DispatchError> {
	CoveragePolicy::check(fields)?;
	CoveragePolicy::on_accepted(fields, fields.hash())?;
	Ok(fields.hash())
}

/// Moves to the day after `offset` and submits a statement about it.
pub(crate) fn state_day(offset: u32, eur_per_mwh: SignedRatio) -> H256 {
	set_day(offset + 1);
	take(&fields(offset, eur_per_mwh)).unwrap()
}

/// Dispatches as a transaction would: a failed call changes nothing.
pub(crate) fn dispatch(call: Call<Test>, who: u64) -> Result<(), DispatchError> {
	dispatch_as(call, RuntimeOrigin::signed(who))
}

/// Same as [`dispatch`], from any origin.
pub(crate) fn dispatch_as(call: Call<Test>, origin: RuntimeOrigin) -> Result<(), DispatchError> {
	RuntimeCall::CoveragePolicy(call).dispatch(origin).map(|_| ()).map_err(|error| error.error)
}

/// Mints, as the issuer.
pub(crate) fn mint(amount: u128, statement: H256) -> Result<(), DispatchError> {
	dispatch(Call::mint { amount, statement }, ISSUER)
}

/// Redeems without a lowest credit.
pub(crate) fn redeem(who: u64, amount: u128) -> Result<(), DispatchError> {
	dispatch(Call::redeem { amount, min_credit: 0 }, who)
}

/// Spends credit, as another pallet does: holds it, then pays [`SERVER`].
pub(crate) fn spend(who: u64, amount: u128) -> Result<(), DispatchError> {
	CoveragePolicy::hold(&who, amount)?;
	CoveragePolicy::pay_held(&who, &SERVER, amount)
}

/// Limits what a day pays out to that many micro-EUR, whatever can be claimed.
pub(crate) fn limit_capacity(daily_capacity: u128) {
	let changed = set_parameters(|new| {
		new.policy.daily_cap = Ratio::ZERO;
		new.redemption.daily_capacity = daily_capacity;
	});
	changed.unwrap();
}

/// Uses up the capacity of the first day, limited to that many micro-EUR.
pub(crate) fn use_up_capacity(capacity: u128) {
	limit_capacity(capacity);
	HandedOut::<Test>::put(PaidOut { day: day(1), credit: capacity, claims: 0, capacity });
}

/// Changes some parameters, as governance.
pub(crate) fn set_parameters(
	change: impl FnOnce(&mut PolicyParameters),
) -> Result<(), DispatchError> {
	let mut new = Parameters::<Test>::get();
	change(&mut new);
	dispatch_as(Call::set_parameters { new: Box::new(new) }, RuntimeOrigin::root())
}

/// Returns the total issuance of AICP, in micro-tokens.
pub(crate) fn issuance() -> u128 {
	<Assets as fungibles::Inspect<u64>>::total_issuance(AICP_ASSET_ID)
}

/// Returns the AICP of an account, in micro-tokens.
pub(crate) fn aicp(who: u64) -> u128 {
	<Assets as fungibles::Inspect<u64>>::balance(AICP_ASSET_ID, &who)
}

/// Transfers AICP from Alice.
pub(crate) fn give(who: u64, amount: u128) {
	transfer(ALICE, who, amount);
}

/// Transfers AICP.
pub(crate) fn transfer(from: u64, who: u64, amount: u128) {
	use frame_support::traits::tokens::Preservation;
	<Assets as fungibles::Mutate<u64>>::transfer(
		AICP_ASSET_ID,
		&from,
		&who,
		amount,
		Preservation::Expendable,
	)
	.unwrap();
}

/// Returns what is held of an account's native tokens for a reason.
pub(crate) fn on_hold(reason: HoldReason, who: u64) -> u128 {
	<Balances as fungible::hold::Inspect<u64>>::balance_on_hold(&reason.into(), &who)
}

/// Returns a new chain whose `supply` Alice holds, but for the treasury's part.
pub(crate) fn new_test_ext_with(
	supply: u128,
	parameters: PolicyParameters,
) -> sp_io::TestExternalities {
	let accounts = (1..=9).chain([ISSUER, GUARD]);
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: accounts.map(|who| (who, NATIVE)).collect(),
			..Default::default()
		},
		assets: pallet_assets::GenesisConfig {
			assets: vec![(AICP_ASSET_ID, 1_000, true, 1)],
			..Default::default()
		},
		coverage_policy: GenesisConfig {
			parameters,
			issuer: Some(ISSUER),
			supply: match supply.checked_sub(OF_TREASURY) {
				Some(rest) => vec![(ALICE, rest), (TREASURY, OF_TREASURY)],
				None => Vec::new(),
			},
		},
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
	ext.execute_with(|| {
		System::set_block_number(1);
		set_day(1);
	});
	ext
}

/// Returns a new chain with ten million AICP.
#[cfg(feature = "runtime-benchmarks")]
pub fn new_test_ext() -> sp_io::TestExternalities {
	new_test_ext_with(SUPPLY, parameters())
}

/// Runs a test, then checks every invariant.
pub(crate) fn build_and_execute(test: impl FnOnce()) {
	build_and_execute_with(SUPPLY, parameters(), test);
}

/// Same as [`build_and_execute`], with another start.
pub(crate) fn build_and_execute_with(
	supply: u128,
	parameters: PolicyParameters,
	test: impl FnOnce(),
) {
	new_test_ext_with(supply, parameters).execute_with(|| {
		test();
		CoveragePolicy::do_try_state().expect("an invariant is broken");
	});
}

/// Returns the events of this pallet since the last call.
pub(crate) fn events() -> Vec<Event<Test>> {
	let events = System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::CoveragePolicy(event) => Some(event),
			_ => None,
		})
		.collect();
	System::reset_events();
	events
}
