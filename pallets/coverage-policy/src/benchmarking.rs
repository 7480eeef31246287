//! Worst cases: changes of state, a full history, new rows with deposits, long fractions.

use super::*;
use crate::Pallet as CoveragePolicy;
use alloc::boxed::Box;
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::*,
	traits::{fungible::Mutate as _, fungibles::Mutate as _},
	weights::WeightMeter,
};
use frame_system::RawOrigin;
use gridproof_primitives::{
	H256,
	num::decimal::Ratio,
	num::units::AICP,
	reserve::attestation::{AttestationFields, AttestationHandler},
	reserve::bounds::MAX_COMPOUNDED_DAYS,
	reserve::formula::State,
	time::calendar::DayClock,
	time::day::Day,
};
use sp_runtime::traits::Bounded;

/// First supply of AICP, chosen so that 90 EUR/MWh of the example's energy covers it at 1.08.
const SUPPLY: u128 = 10_000_000 * AICP;

/// Returns a price that needs a long fraction: a little above or below `whole` EUR/MWh.
fn long_price(whole: u128) -> Ratio {
	let denominator = 1_000_000_000_000_000_003;
	Ratio::new(whole * denominator + 1, denominator).unwrap_or(Ratio::ONE)
}

/// Returns an account with native tokens for any deposit.
fn rich<T: Config>(index: u32) -> T::AccountId {
	let who = account("holder", index, 0);
	let plenty = BalanceOf::<T>::max_value() / 1_000_000u32.into();
	T::Currency::set_balance(&who, plenty);
	who
}

/// Mints a supply of [`SUPPLY`] that is complete in the totals.
fn supply<T: Config>() -> Result<T::AccountId, BenchmarkError> {
	let holder = rich::<T>(0);
	let missing = SUPPLY.saturating_sub(CoveragePolicy::<T>::issuance());
	T::Fungibles::mint_into(T::Aicp::get(), &holder, missing.max(AICP))?;
	// The treasury backs service credit.
	T::Fungibles::mint_into(T::Aicp::get(), &T::Treasury::get(), AICP)?;
	Ok(holder)
}

fn parameters() -> PolicyParameters {
	PolicyParameters { alpha_base: Ratio::ONE, ..Default::default() }
}

/// Stores a statement accepted today, with the allowance that belongs to it.
fn statement<T: Config>(day: Day, eur_per_mwh: Ratio) -> Statement {
	let today = T::Clock::today();
	Parameters::<T>::put(parameters());
	let statement = Statement {
		hash: H256::repeat_byte(7),
		day,
		taken_on: today,
		wh_committed: AttestationFields::example(day).wh_committed,
		price: eur_per_mwh.into(),
		eur_per_mwh,
		compute_assets: 0,
		wh_per_zone: 0,
		reference: None,
	};
	Latest::<T>::put(statement);
	let opening = CoveragePolicy::<T>::issuance();
	Minting::<T>::put(MintDay { day: today, opening, minted: 0, most: 0 });
	statement
}

/// Fills the history with days before `day`.
fn fill_history<T: Config>(day: Day) {
	let length = T::MaxHistory::get();
	for number in 0..length {
		let record = DayRecord {
			statement: H256::repeat_byte(7),
			day: Day::from_days(day.days().saturating_sub(length - number)).unwrap_or(day),
			taken_on: day,
			v_reserve: u128::MAX,
			issuance: u128::MAX,
			ratio: Some(long_price(1)),
			state: State::InBand,
			allowance: u128::MAX,
			minted: 0,
		};
		History::<T>::insert(number, record);
	}
	NextRecord::<T>::put(length);
}

/// Returns, for the attestations pallet, fields for `day` whose acceptance causes a price move, a
/// change of state and a full history.
pub(crate) fn prepare_statement<T: Config>(day: Day) -> AttestationFields {
	let _ = supply::<T>();
	let before = day.previous().unwrap_or(day);
	// As many days before as the bands compound for.
	let before =
		Day::from_days(before.days().saturating_sub(MAX_COMPOUNDED_DAYS)).unwrap_or(before);
	statement::<T>(before, long_price(99));
	Latest::<T>::mutate(|latest| {
		if let Some(latest) = latest {
			latest.wh_per_zone = AttestationFields::example(day).wh_raw / 30;
		}
	});
	Announced::<T>::put(State::Defense);
	fill_history::<T>(day);
	AttestationFields { eur_per_mwh: long_price(100).into(), ..AttestationFields::example(day) }
}

/// Adds a ticket of a new account to the queue.
fn ticket<T: Config>(index: u32, credit: u128) -> Result<(), BenchmarkError> {
	use frame_support::traits::fungible::hold::Mutate as _;
	let who = rich::<T>(index);
	let deposit = T::TicketDeposit::get();
	T::Currency::hold(&HoldReason::Ticket.into(), &who, deposit)?;
	let today = T::Clock::today();
	let account = CreditAccount { pending: credit, tickets: 1, ..Default::default() };
	Accounts::<T>::insert(&who, account);
	let number = Ends::<T>::mutate(|ends| {
		let number = ends.next;
		ends.next += 1;
		number
	});
	NewestTicket::<T>::insert(&who, number);
	Queue::<T>::insert(number, Ticket { who, credit, redeemed_on: today, deposit });
	Waiting::<T>::mutate(|waiting| *waiting += credit);
	Sums::<T>::mutate(|sums| sums.credited += credit);
	Ok(())
}

fn governance<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
	T::GovernanceOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn mint() -> Result<(), BenchmarkError> {
		supply::<T>()?;
		let today = T::Clock::today();
		let statement = statement::<T>(today, long_price(100));
		fill_history::<T>(today);
		Announced::<T>::put(State::Defense);
		let issuer: T::AccountId = whitelisted_caller();
		Issuer::<T>::put(&issuer);

		#[extrinsic_call]
		_(RawOrigin::Signed(issuer), AICP, statement.hash);

		assert_eq!(Minting::<T>::get().map(|minting| minting.minted), Some(AICP));
		assert_ne!(Announced::<T>::get(), State::Defense);
		Ok(())
	}

	#[benchmark]
	fn redeem() -> Result<(), BenchmarkError> {
		let holder = supply::<T>()?;
		statement::<T>(T::Clock::today(), long_price(100));
		Announced::<T>::put(State::Defense);
		// A ticket waits, so this redemption has to queue up.
		ticket::<T>(1, 1)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(holder.clone()), AICP, 1);

		assert_eq!(Accounts::<T>::get(&holder).map(|account| account.tickets), Some(1));
		assert_ne!(Announced::<T>::get(), State::Defense);
		Ok(())
	}

	#[benchmark]
	fn serve(n: Linear<1, { T::MaxServed::get() }>) -> Result<(), BenchmarkError> {
		supply::<T>()?;
		Parameters::<T>::put(parameters());
		for index in 0..n {
			ticket::<T>(index, 1)?;
		}
		let caller: T::AccountId = whitelisted_caller();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), n);

		assert_eq!(Ends::<T>::get().length(), 0);
		Ok(())
	}

	#[benchmark]
	fn close_account() -> Result<(), BenchmarkError> {
		use frame_support::traits::fungible::hold::Mutate as _;
		let who = rich::<T>(0);
		let deposit = T::AccountDeposit::get();
		T::Currency::hold(&HoldReason::CreditAccount.into(), &who, deposit)?;
		Accounts::<T>::insert(&who, CreditAccount { deposit, ..Default::default() });
		let caller: T::AccountId = whitelisted_caller();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), who.clone());

		assert!(!Accounts::<T>::contains_key(&who));
		Ok(())
	}

	#[benchmark]
	fn set_parameters() -> Result<(), BenchmarkError> {
		supply::<T>()?;
		statement::<T>(T::Clock::today(), long_price(100));
		Announced::<T>::put(State::Defense);
		// Credit that can be spent needs more AICP at a lower P_T.
		Sums::<T>::mutate(|sums| sums.credited = 1_000);
		let mut new = PolicyParameters { haircut: Ratio::percent(95), ..parameters() };
		new.policy.target_price = Ratio::ONE;
		let origin = governance::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Box::new(new));

		assert_eq!(Parameters::<T>::get(), new);
		assert_ne!(Announced::<T>::get(), State::Defense);
		Ok(())
	}

	#[benchmark]
	fn set_issuer() -> Result<(), BenchmarkError> {
		let issuer = rich::<T>(0);
		let origin = governance::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Some(issuer.clone()));

		assert_eq!(Issuer::<T>::get(), Some(issuer));
		Ok(())
	}

	#[benchmark]
	fn set_breaker() -> Result<(), BenchmarkError> {
		let origin =
			T::PauseOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Breaker::AllStopped);

		assert_eq!(BreakerLevel::<T>::get(), Breaker::AllStopped);
		Ok(())
	}

	#[benchmark]
	fn poll() -> Result<(), BenchmarkError> {
		supply::<T>()?;
		let today = T::Clock::today();
		statement::<T>(today, long_price(100));
		Announced::<T>::put(State::Defense);
		LastPolled::<T>::put(today.next().ok_or("the calendar is at its end")?);
		let mut meter = WeightMeter::new();

		#[block]
		{
			CoveragePolicy::<T>::poll(&mut meter);
		}

		assert_ne!(Announced::<T>::get(), State::Defense);
		Ok(())
	}

	#[benchmark]
	fn check_statement() -> Result<(), BenchmarkError> {
		let day = T::Clock::today().next().ok_or("the calendar is at its end")?;
		let fields = prepare_statement::<T>(day);

		#[block]
		{
			<CoveragePolicy<T> as AttestationHandler>::check(&fields)?;
		}
		Ok(())
	}

	#[benchmark]
	fn accept_statement() -> Result<(), BenchmarkError> {
		let day = T::Clock::today().next().ok_or("the calendar is at its end")?;
		let fields = prepare_statement::<T>(day);
		let hash = fields.hash();

		#[block]
		{
			<CoveragePolicy<T> as AttestationHandler>::on_accepted(&fields, hash)?;
		}

		assert_eq!(Latest::<T>::get().map(|latest| latest.hash), Some(hash));
		assert!(!History::<T>::contains_key(0));
		assert_ne!(Announced::<T>::get(), State::Defense);
		Ok(())
	}

	impl_benchmark_test_suite!(CoveragePolicy, crate::mock::new_test_ext(), crate::mock::Test);
}
