//! Nobody gains by paying himself: what a coalition of client, miner and coordinator gets of the
//! mint is less than what the treasury kept of the prices that it paid.

use super::{
	AitPerAicp, Class, ComputeParameters, PriceAsset, counted, emission, score::SCORE_MAX,
	settlement::Split,
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

/// A true rate, and one that governance stated, up to twice as high.
fn rates() -> impl Strategy<Value = (AitPerAicp, AitPerAicp)> {
	(1u64..1 << 30, 1u64..1 << 30, 0u64..=1_000_000).prop_map(|(ait, aicp, more)| {
		// The stated rate is the true one times 1 … 2.
		let scale = |number: u64, by: u64| number.saturating_mul(by) / (1 << 20);
		let stated = AitPerAicp {
			ait: scale(ait.saturating_mul(1 << 10), 1_000_000 + more),
			aicp: scale(aicp.saturating_mul(1 << 10), 1_000_000).saturating_add(1),
		};
		(AitPerAicp { ait, aicp }, stated)
	})
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
