//! Nobody gains by paying himself: what a coalition of client, miner and coordinator gets of the
//! mint is less than what the treasury kept of the prices that it paid.

use super::{
	AitPerAicp, Class, ComputeParameters, PriceAsset,
	channels::{BatchKind, ChannelParameters, MinerLine, MinerSums, Mode, line_claim, received},
	counted, emission,
	score::SCORE_MAX,
	settlement::{Shares, Split},
};
use crate::num::units::AIT;
use primitive_types::U256;
use proptest::prelude::*;

/// A receipt of a step. The coalition chooses its figures freely, except the score, whose
/// range is the formula's.
#[derive(Clone, Debug)]
struct Work {
	units: u64,
	class: Class,
	score: u32,
	asset: PriceAsset,
	price: u128,
	/// Whether client, miner and coordinator are of the coalition.
	own: bool,
}

fn work() -> impl Strategy<Value = Work> {
	let asset =
		prop_oneof![Just(PriceAsset::Ait), Just(PriceAsset::Aicp), Just(PriceAsset::ServiceCredit)];
	let class = prop_oneof![Just(Class::Gpu), Just(Class::Cpu)];
	let price = prop_oneof![0u128..20, 0u128..1 << 40, 0u128..1 << 90, any::<u128>()];
	let units = prop_oneof![0u64..1_000_000, any::<u64>()];
	(units, class, 0u32..=SCORE_MAX, asset, price, any::<bool>()).prop_map(
		|(units, class, score, asset, price, own)| Work { units, class, score, asset, price, own },
	)
}

/// Parameters of which governance could choose any, so far as they bound the mint.
fn parameters() -> impl Strategy<Value = ComputeParameters> {
	let parts = || (0u32..=1_000_000, 0u32..=1_000_000);
	(0..=50 * AIT, 0u32..6_000_000, 0u32..=1_000, parts(), parts()).prop_map(
		|(mint_per_unit, mint_per_received, cpu_weight, mint, price)| {
			let split = |(treasury, coordinator): (u32, u32)| Split {
				treasury,
				coordinator: coordinator.min(1_000_000 - treasury),
			};
			ComputeParameters {
				mint_per_unit,
				mint_per_received,
				cpu_weight,
				mint_split: split(mint),
				price_split: split(price),
				..Default::default()
			}
		},
	)
}

/// The lowest γ, in parts per million, that `check` refuses for a split of the mint, as far as it
/// fits its type.
fn refused_from(parameters: &ComputeParameters) -> u32 {
	let back = u64::from(1_000_000 - parameters.mint_split.treasury).max(1);
	u32::try_from(1_000_000_000_000u64.div_ceil(back)).unwrap_or(u32::MAX)
}

fn true_rate() -> impl Strategy<Value = AitPerAicp> {
	(1u64..1 << 30, 1u64..1 << 30).prop_map(|(ait, aicp)| AitPerAicp { ait, aicp })
}

/// The true rate times so many parts of a million, never above.
fn stated(truth: AitPerAicp, parts: u64) -> AitPerAicp {
	let scale =
		|number: u64, by: u64| number.saturating_mul(1 << 10).saturating_mul(by) / (1 << 20);
	AitPerAicp {
		ait: scale(truth.ait, parts).max(1),
		aicp: scale(truth.aicp, 1_000_000).saturating_add(1),
	}
}

/// A true rate, and one that governance stated, up to twice as high.
fn rates() -> impl Strategy<Value = (AitPerAicp, AitPerAicp)> {
	(true_rate(), 1_000_000u64..=2_000_000).prop_map(|(truth, parts)| (truth, stated(truth, parts)))
}

/// What a coalition put in and got out, in units of 10⁻¹⁸ AIT over the true rate's denominator.
struct Balance {
	kept: U256,
	income: U256,
}

/// One step of such work, as the chain settles it.
fn settle(
	parameters: &ComputeParameters,
	works: &[Work],
	(truth, stated): (AitPerAicp, AitPerAicp),
	budget_left: u128,
) -> Balance {
	let denominator = U256::from(truth.aicp);
	let claims: Vec<_> = works
		.iter()
		.map(|work| {
			let kept = parameters.price_split.divide(work.price).treasury;
			let received = counted(work.asset, kept, Some(&stated));
			(kept, parameters.claim(work.units, work.class, work.score, received))
		})
		.collect();
	let whole = claims.iter().fold(0u128, |sum, (_, claim)| sum.saturating_add(*claim));
	let pool = emission::pool(0, whole, budget_left);
	let shares = parameters.mint_split.divide(pool);
	let (mut kept, mut income) = (U256::zero(), U256::zero());
	for (work, (treasury, claim)) in works.iter().zip(claims) {
		if !work.own {
			continue;
		}
		kept += match work.asset {
			PriceAsset::Ait => denominator * U256::from(treasury),
			PriceAsset::Aicp => U256::from(1_000_000_000_000u64) * truth.ait * U256::from(treasury),
			PriceAsset::ServiceCredit => U256::zero(),
		};
		let part = shares.pro_rata(claim, whole);
		income += denominator * U256::from(part.coordinator + part.miner);
	}
	Balance { kept, income }
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(4_000))]

	#[test]
	fn no_coalition_gets_back_what_the_treasury_kept_of_its_prices(
		parameters in parameters(),
		works in prop::collection::vec(work(), 1..12),
		rates in rates(),
		budget_left in any::<u128>(),
	) {
		// At the bound, where it would be above it.
		let most = parameters.mint_per_received.min(refused_from(&parameters) - 1);
		let parameters = ComputeParameters { mint_per_received: most, ..parameters };
		prop_assert_eq!(parameters.check(), Ok(()));
		let Balance { kept, income } = settle(&parameters, &works, rates, budget_left);
		prop_assert!(income < kept || (income.is_zero() && kept.is_zero()), "{income} of {kept}");
	}

	#[test]
	fn whatever_check_refuses_as_a_bound_would_pay_a_self_dealer(
		parameters in parameters(),
		price in AIT..1_000_000 * AIT,
	) {
		// The price alone binds, and the amounts are large enough for roundings to vanish.
		let least = parameters.mint_per_received.max(refused_from(&parameters));
		let parameters = ComputeParameters {
			mint_per_unit: 50 * AIT,
			mint_per_received: least,
			..parameters
		};
		let split = parameters.price_split;
		prop_assume!(split.treasury > 0 && parameters.mint_split.treasury < 999_000);
		prop_assert_eq!(parameters.check(), Err(super::ComputeParameterError::MintBound));
		let received = split.divide(price).treasury;
		let claim = parameters.claim(u64::MAX, Class::Gpu, SCORE_MAX, received);
		let back = claim - parameters.mint_split.divide(claim).treasury;
		prop_assert!(back + 5 >= received, "{back} of {received}");
	}
}

/// The attack of one person in every role, with the default parameters: 10⁹ units a step, no work.
#[test]
fn a_trio_that_invents_a_thousand_million_units_loses_four_of_each_hundred_ait_that_it_pays() {
	let parameters = ComputeParameters::default();
	assert_eq!(parameters.check(), Ok(()));
	let invent = |price| {
		let received = parameters.price_split.divide(price).treasury;
		parameters.claim(1_000_000_000, Class::Gpu, SCORE_MAX, received)
	};
	assert_eq!(invent(0), 0);
	assert_eq!(invent(100 * AIT), 20 * AIT);
	let back = parameters.mint_split.divide(20 * AIT);
	assert_eq!(back.coordinator + back.miner, 16 * AIT);
	// A full step needs 250 AIT of prices.
	assert_eq!(invent(250 * AIT), emission::step_budget(0));
}

/// Steps of a day.
const STEPS_A_DAY: u64 = 86_400_000 / emission::STEP_MS;

/// One step of a day: work, each by a job or by a line of a channel's batch, and the rate
/// that governance stated last, in parts of a million of the true one.
#[derive(Clone, Debug)]
struct Step {
	works: Vec<(Work, bool)>,
	stated: u64,
}

fn step() -> impl Strategy<Value = Step> {
	let works = prop::collection::vec((work(), any::<bool>()), 0..5);
	// Half of the truth, twice of it, or anything between.
	let stated = prop_oneof![Just(500_000u64), Just(2_000_000), 500_000u64..=2_000_000];
	(works, stated).prop_map(|(works, stated)| Step { works, stated })
}

/// A day on which one person is client, coordinator and every miner of its own work.
struct Day {
	parameters: ComputeParameters,
	channels: ChannelParameters,
	truth: AitPerAicp,
	/// Number of the day's first step.
	first: u64,
	/// What is left of the mining reserve, in units of 10⁻¹⁸ AIT.
	reserve: u128,
	/// Everything that this person has, at the true rate, in units of 10⁻¹⁸ AIT over that rate's
	/// denominator.
	account: U256,
	/// Whether it gave anything away.
	paid: bool,
}

impl Day {
	/// An account that no day can empty.
	fn new(parameters: ComputeParameters, truth: AitPerAicp, first: u64, reserve: u128) -> Self {
		let channels = ChannelParameters::default();
		Self { parameters, channels, truth, first, reserve, account: U256::MAX >> 2, paid: false }
	}

	/// What an amount is worth, in the account's unit.
	fn worth(&self, asset: PriceAsset, amount: u128) -> U256 {
		match asset {
			PriceAsset::Ait => U256::from(self.truth.aicp) * U256::from(amount),
			PriceAsset::Aicp => {
				U256::from(1_000_000_000_000u64) * self.truth.ait * U256::from(amount)
			},
			PriceAsset::ServiceCredit => U256::zero(),
		}
	}

	/// Pays for own work, gets miner's and coordinator's shares of the price back, and pays the fee of the
	/// two lines of a batch.
	fn pay(&mut self, work: &Work, by_channel: bool) {
		let Shares { treasury, coordinator, miner } =
			self.parameters.price_split.divide(work.price);
		let (price, shares) = (
			self.worth(work.asset, work.price),
			self.worth(work.asset, coordinator) + self.worth(work.asset, miner),
		);
		let lines = if by_channel { self.channels.fee_per_line * 2 } else { 0 };
		let fee = self.worth(PriceAsset::Ait, lines);
		self.account = self.account - price + shares - fee;
		self.paid |= !fee.is_zero() || !self.worth(work.asset, treasury).is_zero();
	}

	fn claim(&self, work: &Work, by_channel: bool, rate: &AitPerAicp) -> u128 {
		let parameters = &self.parameters;
		if by_channel {
			let kind = BatchKind { asset: work.asset, mode: Mode::Ordinary };
			let to = MinerSums { count: 1, price: work.price, weight: work.units.into() };
			let line = MinerLine { miner: Some([1; 32]), from: MinerSums::default(), to };
			let received = received(parameters, kind, &line, Some(rate));
			return line_claim(parameters, &line, true, work.class, work.score, received);
		}
		let kept = parameters.price_split.divide(work.price).treasury;
		let received = counted(work.asset, kept, Some(rate));
		parameters.claim(work.units, work.class, work.score, received)
	}

	/// One step, as the chain settles, closes and pays it out.
	fn step(&mut self, number: u64, step: &Step) {
		let rate = stated(self.truth, step.stated);
		let mut claims = Vec::new();
		for (work, by_channel) in &step.works {
			if work.own {
				self.pay(work, *by_channel);
			}
			claims.push((work.own, self.claim(work, *by_channel, &rate)));
		}
		let whole = claims.iter().fold(0u128, |sum, (_, claim)| sum.saturating_add(*claim));
		let pool = emission::pool(self.first.saturating_add(number), whole, self.reserve);
		self.reserve -= pool;
		let shares = self.parameters.mint_split.divide(pool);
		for (_, claim) in claims.into_iter().filter(|(own, _)| *own) {
			let part = shares.pro_rata(claim, whole);
			self.account += self.worth(PriceAsset::Ait, part.coordinator + part.miner);
		}
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(400))]

	#[test]
	fn after_a_day_of_steps_a_self_dealer_has_less_by_any_parameters_and_any_rate(
		parameters in parameters(),
		fee_per_line in prop_oneof![Just(1u128), 1..=AIT],
		truth in true_rate(),
		first in prop_oneof![Just(0u64), 0u64..2_000_000],
		reserve in 0..=emission::MINING_RESERVE,
		steps in prop::collection::vec(step(), 1..8),
	) {
		// At the bound, where it would be above it.
		let most = parameters.mint_per_received.min(refused_from(&parameters) - 1);
		let parameters = ComputeParameters { mint_per_received: most, ..parameters };
		prop_assert_eq!(parameters.check(), Ok(()));
		let mut day = Day::new(parameters, truth, first, reserve);
		day.channels.fee_per_line = fee_per_line;
		prop_assert_eq!(day.channels.check(), Ok(()));
		let before = day.account;
		for (number, step) in (0..STEPS_A_DAY).zip(steps.iter().cycle()) {
			day.step(number, step);
		}
		if day.paid {
			prop_assert!(day.account < before, "gained {}", day.account - before);
		} else {
			prop_assert_eq!(day.account, before, "nothing was given, and something came back");
		}
	}
}

/// A day on which one person pays itself 200 AIT in each step, with the best score. Returns what it had
/// before, too.
fn a_full_day(mint_per_received: u32) -> (Day, U256) {
	let parameters = ComputeParameters { mint_per_received, ..Default::default() };
	let truth = AitPerAicp { ait: 1, aicp: 1 };
	let mut day = Day::new(parameters, truth, 0, emission::MINING_RESERVE);
	let before = day.account;
	let work = Work {
		units: u64::MAX,
		class: Class::Gpu,
		score: SCORE_MAX,
		asset: PriceAsset::Ait,
		price: 200 * AIT,
		own: true,
	};
	let step = Step { works: vec![(work, false)], stated: 1_000_000 };
	for number in 0..STEPS_A_DAY {
		day.step(number, &step);
	}
	(day, before)
}

#[test]
fn a_self_dealer_loses_eight_ait_a_step_and_nothing_where_check_begins_to_refuse() {
	let default = ComputeParameters::default().mint_per_received;
	let (day, before) = a_full_day(default);
	// The treasury keeps 40 of 200 AIT, and four fifths of the 40 that it counts for come back.
	assert_eq!(before - day.account, U256::from(u128::from(STEPS_A_DAY) * 8 * AIT));
	let refused = refused_from(&ComputeParameters::default());
	let parameters = ComputeParameters { mint_per_received: refused, ..Default::default() };
	assert_eq!(parameters.check(), Err(super::ComputeParameterError::MintBound));
	let (day, before) = a_full_day(refused);
	assert_eq!(day.account, before, "here the bound lies");
	let (day, before) = a_full_day(refused - 1);
	assert!(day.account < before);
}
