//! Random days, mints and redemptions, against an oracle that computes with big rationals and
//! knows nothing of the pallet.

use crate::{mock::*, *};
use frame_support::{assert_noop, traits::Hooks, weights::WeightMeter};
use gridproof_primitives::{
	H256,
	num::decimal::Ratio,
	num::units::AICP,
	reserve::attestation::{AttestationFields, ServiceCredit},
	reserve::formula::State,
};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};

type Rational = BigRational;

fn whole(value: u128) -> Rational {
	Rational::from_integer(BigInt::from(value))
}

fn fraction(numerator: u128, denominator: u128) -> Rational {
	Rational::new(BigInt::from(numerator), BigInt::from(denominator))
}

#[derive(Clone, Debug)]
enum Step {
	/// That many days pass.
	Days(u32),
	/// Yesterday is stated, or corrected if it was: price in thousandths of EUR/MWh, compute
	/// assets in EUR, zones missing.
	State {
		milli_eur: u128,
		compute: u128,
		missing: u16,
	},
	/// Minted: parts per hundred of what is allowed.
	Mint(u128),
	/// Governance spends parts per hundred of what the treasury has, to Bob.
	Grant(u128),
	/// Redeemed by one of four accounts.
	Redeem {
		who: u64,
		amount: u128,
	},
	Serve(u32),
	Spend {
		who: u64,
		percent: u128,
	},
	Poll,
}

fn step() -> impl Strategy<Value = Step> {
	prop_oneof![
		3 => (1..4u32).prop_map(Step::Days),
		5 => (70_000..130_000u128, 0..2_000_000u128, 0..4u16)
			.prop_map(|(milli_eur, compute, missing)| Step::State { milli_eur, compute, missing }),
		4 => (0..130u128).prop_map(Step::Mint),
		1 => (0..101u128).prop_map(Step::Grant),
		4 => (1..5u64, 0..720_000_000_000u128)
			.prop_map(|(who, amount)| Step::Redeem { who, amount }),
		2 => (0..5u32).prop_map(Step::Serve),
		2 => (1..5u64, 0..120u128).prop_map(|(who, percent)| Step::Spend { who, percent }),
		1 => Just(Step::Poll),
	]
}

/// The oracle: supply, statement, credit, all by the words of `docs/protocols/coverage.md`.
struct Oracle {
	today: u32,
	supply: u128,
	/// Day stated, day on which it was first stated, reserve in micro-EUR, price.
	stated: Option<(u32, u32, Rational, Rational)>,
	before: Option<(u32, Rational)>,
	/// Day, opening supply, minted.
	opening: (u32, u128, u128),
	/// Day, what could be claimed at its first payment, what was paid out.
	handed_out: (u32, u128, u128),
	/// Account, credit, day.
	queue: VecDeque<(u64, u128, u32)>,
	treasury: u128,
	backing: u128,
	credit: BTreeMap<u64, u128>,
	redeemed: BTreeMap<u64, (u32, u128)>,
	holdings: BTreeMap<u64, u128>,
}

const CAPACITY: u128 = 500_000_000_000;

impl Oracle {
	fn fresh(&self) -> Option<&(u32, u32, Rational, Rational)> {
		self.stated.as_ref().filter(|(day, ..)| self.today - day <= 2)
	}

	fn ratio(&self) -> Option<Rational> {
		let (.., reserve, _) = self.fresh()?;
		Some(reserve / (fraction(3, 2) * whole(self.supply)))
	}

	fn state(&self) -> State {
		match self.ratio() {
			None => State::Frozen,
			Some(ratio) if ratio < whole(1) => State::Defense,
			Some(ratio) if ratio < fraction(11, 10) => State::Frozen,
			Some(ratio) if ratio <= fraction(6, 5) => State::InBand,
			Some(_) => State::AboveBand,
		}
	}

	fn allowance(&self) -> u128 {
		let Some((_, on, reserve, _)) = self.fresh() else { return 0 };
		let (day, opening, minted) = self.opening;
		let covers = |supply: u128| reserve >= &(fraction(33, 20) * whole(supply));
		if *on != self.today || day != self.today || !covers(self.supply) || !covers(opening) {
			return 0;
		}
		let room = reserve / fraction(33, 20) - whole(opening);
		let cap = whole(opening) / whole(20);
		let most = room.min(cap).floor().to_integer().to_u128().unwrap();
		most.saturating_sub(minted)
	}

	/// Accepts a statement about yesterday; returns `false` if its price moved too far.
	fn state_yesterday(&mut self, committed: u128, price: Rational, compute: u128) -> bool {
		let yesterday = self.today - 1;
		let correction = self.stated.as_ref().is_some_and(|(day, ..)| *day == yesterday);
		if !correction {
			self.before = self.stated.as_ref().map(|(day, _, _, price)| (*day, price.clone()));
		}
		if let Some((day, before)) = &self.before {
			let band = num_traits::pow(fraction(3, 2), (yesterday - day) as usize);
			if price > before * &band || *before > &price * &band {
				return false;
			}
		}
		let on = match (&self.stated, correction) {
			(Some((_, on, ..)), true) => *on,
			_ => self.today,
		};
		if !correction && self.opening.0 != self.today {
			self.opening = (self.today, self.supply, 0);
		}
		let reserve = whole(committed) * &price + whole(compute * 1_000_000);
		self.stated = Some((yesterday, on, reserve, price));
		true
	}

	fn waiting(&self) -> u128 {
		self.queue.iter().map(|(_, credit, _)| credit).sum()
	}

	fn spendable(&self) -> u128 {
		self.credit.values().sum()
	}

	fn claims(&self) -> u128 {
		let (day, claims, _) = self.handed_out;
		if day == self.today { claims } else { self.supply * 3 / 2 + self.waiting() }
	}

	fn given_today(&self) -> u128 {
		let (day, _, given) = self.handed_out;
		if day == self.today { given } else { 0 }
	}

	fn left_today(&self) -> u128 {
		let left = CAPACITY.max(self.claims() / 20) - self.given_today();
		left.min((self.treasury + self.backing) * 3 / 2 - self.spendable())
	}

	fn hand_out(&mut self, who: u64, credit: u128, claims: u128) {
		self.handed_out = (self.today, claims, self.given_today() + credit);
		*self.credit.entry(who).or_default() += credit;
	}

	/// Puts aside what the credit that can be spent needs.
	fn back(&mut self) {
		let all = self.treasury + self.backing;
		self.backing = (self.spendable() * 2).div_ceil(3);
		self.treasury = all - self.backing;
	}

	fn redeem(&mut self, who: u64, amount: u128) -> bool {
		let (day, sum) = self.redeemed.get(&who).copied().unwrap_or_default();
		let sum = if day == self.today { sum } else { 0 } + amount;
		let holding = self.holdings.entry(who).or_default();
		if amount < AICP || sum > 600_000 * AICP || *holding < amount {
			return false;
		}
		let credit = amount * 3 / 2;
		let claims = self.claims();
		let wait = !self.queue.is_empty() || credit > self.left_today();
		*self.holdings.get_mut(&who).unwrap() -= amount;
		self.supply -= amount;
		self.redeemed.insert(who, (self.today, sum));
		let today = self.today;
		let same = |ticket: &&mut (u64, u128, u32)| ticket.0 == who && ticket.2 == today;
		if !wait {
			self.hand_out(who, credit, claims);
			self.back();
		} else if let Some(ticket) = self.queue.iter_mut().find(same) {
			ticket.1 += credit;
		} else {
			self.queue.push_back((who, credit, today));
		}
		true
	}

	fn serve(&mut self, most: u32) -> bool {
		let (mut served, mut left, claims) = (false, self.left_today(), self.claims());
		for _ in 0..most.min(3) {
			let Some((who, credit, _)) = self.queue.front().copied().filter(|_| left > 0) else {
				break;
			};
			let part = credit.min(left);
			left -= part;
			self.hand_out(who, part, claims);
			match credit - part {
				0 => drop(self.queue.pop_front()),
				rest => self.queue[0].1 = rest,
			}
			served = true;
		}
		if served {
			self.back();
		}
		served
	}

	fn spend(&mut self, who: u64, amount: u128) {
		*self.credit.entry(who).or_default() -= amount;
		self.backing -= amount * 2 / 3;
	}
}

struct Pair {
	oracle: Oracle,
	stated: Option<AttestationFields>,
}

impl Pair {
	fn hash(&self) -> H256 {
		self.stated.as_ref().map_or(H256::zero(), AttestationFields::hash)
	}

	fn state(&mut self, milli_eur: u128, compute: u128, missing: u16) {
		let zones_ok = 30 - missing;
		let alpha = Ratio::new(18 * u128::from(zones_ok), 3_000).unwrap();
		let committed = alpha.mul_floor(1_000_000_000_000).unwrap();
		let mut stated = AttestationFields {
			zones_ok,
			alpha,
			wh_committed: committed,
			compute_assets: compute * 1_000_000,
			..fields(self.oracle.today - 1, price(milli_eur, 1_000))
		};
		if let Some(old) = self.stated.as_ref().filter(|old| old.day == stated.day) {
			stated.revision = old.revision + 1;
			stated.replaces = Some(old.hash());
		}
		let milli = fraction(milli_eur, 1_000);
		let before = (self.oracle.before.clone(), self.oracle.stated.clone());
		if self.oracle.state_yesterday(committed, milli, compute) {
			take(&stated).unwrap();
			self.stated = Some(stated);
		} else {
			(self.oracle.before, self.oracle.stated) = before;
			assert_noop!(take(&stated), Error::<Test>::PriceMovedTooFar);
		}
	}

	fn mint(&mut self, percent: u128) {
		let allowance = self.oracle.allowance();
		let amount = allowance * percent / 100;
		let minted = mint(amount, self.hash());
		assert_eq!(minted.is_ok(), amount > 0 && amount <= allowance);
		if minted.is_ok() {
			self.oracle.supply += amount;
			self.oracle.opening.2 += amount;
			self.oracle.treasury += amount;
		}
	}

	fn step(&mut self, step: Step) {
		match step {
			Step::Days(days) => {
				self.oracle.today += days;
				set_day(self.oracle.today);
			},
			Step::State { milli_eur, compute, missing } => self.state(milli_eur, compute, missing),
			Step::Mint(percent) => self.mint(percent),
			Step::Redeem { who, amount } => {
				assert_eq!(redeem(who, amount).is_ok(), self.oracle.redeem(who, amount));
			},
			Step::Serve(tickets) => {
				let served = dispatch(Call::serve { tickets }, 9).is_ok();
				assert_eq!(served, self.oracle.serve(tickets));
			},
			Step::Spend { who, percent } => {
				let credit = self.oracle.credit.get(&who).copied().unwrap_or(0);
				let amount = credit * percent / 100;
				assert_eq!(spend(who, amount).is_ok(), amount <= credit);
				if amount <= credit {
					self.oracle.spend(who, amount);
				}
			},
			Step::Grant(percent) => {
				let amount = self.oracle.treasury * percent / 100;
				if amount > 0 {
					transfer(TREASURY, BOB, amount);
				}
				self.oracle.treasury -= amount;
				*self.oracle.holdings.entry(BOB).or_default() += amount;
			},
			Step::Poll => {
				CoveragePolicy::on_poll(1, &mut WeightMeter::new());
				self.oracle.serve(3);
				assert_eq!(Announced::<Test>::get(), self.oracle.state());
			},
		}
	}

	fn compare(&self) {
		CoveragePolicy::do_try_state().unwrap();
		let status = CoveragePolicy::status();
		assert_eq!(issuance(), self.oracle.supply);
		assert_eq!(status.state, self.oracle.state());
		assert_eq!(status.allowance, self.oracle.allowance());
		assert_eq!(status.queue, self.oracle.queue.len() as u64);
		assert_eq!(status.capacity, self.oracle.left_today());
		assert_eq!(status.waiting, self.oracle.waiting());
		assert_eq!(aicp(TREASURY), self.oracle.treasury);
		assert_eq!(aicp(BACKING), self.oracle.backing);
		for who in 1..5 {
			let credit = self.oracle.credit.get(&who).copied().unwrap_or(0);
			assert_eq!(CoveragePolicy::available(&who), credit);
			assert_eq!(aicp(who), self.oracle.holdings.get(&who).copied().unwrap_or(0));
		}
		// Whatever is minted stays covered: a mint never takes CR below CR_min.
		if status.minted > 0 && status.allowance > 0 {
			assert!(status.state.allows_mint());
		}
	}
}

fn run(steps: Vec<Step>) {
	let mut parameters = parameters();
	parameters.redemption.daily_capacity = CAPACITY;
	parameters.redemption.daily_limit = 600_000 * AICP;
	build_and_execute_with(SUPPLY, parameters, || {
		let oracle = Oracle {
			today: 1,
			supply: SUPPLY,
			stated: None,
			before: None,
			opening: (0, 0, 0),
			handed_out: (0, 0, 0),
			queue: VecDeque::new(),
			credit: BTreeMap::new(),
			redeemed: BTreeMap::new(),
			holdings: (1..5).map(|who| (who, OF_ALICE / 4)).collect(),
			treasury: OF_TREASURY,
			backing: 0,
		};
		for who in 2..5 {
			give(who, OF_ALICE / 4);
		}
		let mut pair = Pair { oracle, stated: None };
		for step in steps {
			pair.step(step);
			pair.compare();
		}
	});
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..Default::default() })]

	#[test]
	fn supply_state_allowance_and_credit_are_those_of_the_oracle(
		steps in prop::collection::vec(step(), 1..60),
	) {
		run(steps);
	}
}
