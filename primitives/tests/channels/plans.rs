//! Plans as channels have them, and what is left of a channel.

use crate::world::{AIT, DAY_MS, coordinator, public, terms};
use gridproof_primitives::{
	H256,
	compute::{
		PriceAsset,
		channels::{
			Channel, ChannelSums, DailyUse, RunsDry, TIERS, Tariff, Unsettled, Voucher,
			VoucherRefusal,
		},
	},
};
use proptest::prelude::*;

fn tier(at: usize) -> Tariff {
	let (_, price, tokens_per_day) = TIERS[at];
	Tariff { asset: PriceAsset::Ait, price, tokens_per_day, days: 30 }
}

fn opened(tariff: &Tariff, now: u64) -> Channel {
	let terms = tariff.terms(public(&coordinator()), None, now, DAY_MS);
	Channel::open(&terms).unwrap()
}

#[test]
fn a_plan_is_a_channel_whose_daily_limit_is_the_price_of_its_daily_tokens() {
	for at in 0..TIERS.len() {
		let (tariff, days) = (tier(at), 30);
		let channel = opened(&tariff, 1_000);
		assert_eq!(channel.plan_ends_ms, Some(1_000 + days * DAY_MS));
		assert_eq!(channel.daily_limit, tariff.unit_price() * u128::from(tariff.tokens_per_day));
		assert!(channel.daily_limit <= channel.deposited, "a kept channel's limit");
		let all = tariff.unit_price() * u128::from(tariff.tokens());
		assert!(all <= tariff.price && tariff.price - all < u128::from(tariff.tokens()));
		assert!(tariff.is_of(&channel));
		for other in [
			Channel { plan_ends_ms: None, ..channel },
			Channel { deposited: channel.deposited - 1, ..channel },
			Channel { daily_limit: channel.daily_limit + 1, ..channel },
			Channel { kind: crate::world::PRIVATE, ..channel },
		] {
			assert!(!tariff.is_of(&other), "{other:?}");
		}
	}
	let cheap = Tariff { price: 299_999, ..tier(0) };
	assert_eq!((cheap.unit_price(), cheap.daily_limit()), (0, 0), "less than one unit a token");
}

#[test]
fn a_renewal_costs_what_is_missing_and_never_shortens_a_period() {
	let tariff = tier(1);
	let renewal = |ends, left, now| tariff.renewal(ends, left, now, DAY_MS);
	let early = renewal(9 * DAY_MS, tariff.price / 5, 8 * DAY_MS);
	assert_eq!((early.amount, early.ends_ms), (tariff.price / 5 * 4, 39 * DAY_MS));
	let late = renewal(9 * DAY_MS, 2 * tariff.price, 11 * DAY_MS);
	assert_eq!((late.amount, late.ends_ms), (0, 41 * DAY_MS));
	let channel = opened(&tariff, 0);
	let again = renewal(30 * DAY_MS, 0, 0);
	let renewed = channel.renew(again.amount, again.ends_ms).unwrap();
	assert!(tariff.is_of(&renewed), "it keeps its terms");
}

#[test]
fn a_client_is_warned_before_its_channel_runs_dry() {
	let (tariff, now) = (tier(0), DAY_MS);
	let channel = opened(&tariff, 0);
	let limit = channel.daily_limit;
	let warned = |channel: &Channel, price: u128, now| {
		let sums = ChannelSums { count: 1, price };
		let room = channel.room(&Unsettled { sums, open: 0, newest: 1 }, now, DAY_MS);
		channel.runs_dry(&room, now, DAY_MS)
	};
	assert_eq!(warned(&channel, 0, now), None);
	assert_eq!(warned(&channel, limit / 10 * 9, now), None);
	assert_eq!(warned(&channel, limit / 10 * 9 + 1 + limit % 10, now), Some(RunsDry::Today));
	assert_eq!(warned(&channel, channel.deposited - limit + 1, now), Some(RunsDry::Deposit));
	assert_eq!(warned(&channel, 0, 29 * DAY_MS - 1), None);
	assert_eq!(warned(&channel, 0, 29 * DAY_MS), Some(RunsDry::Period));
	assert_eq!(warned(&channel, 0, 99 * DAY_MS), Some(RunsDry::Period));
	// One without a plan has its deposit in which it may be used up on one day.
	let plain = Channel { plan_ends_ms: None, daily_limit: channel.deposited, ..channel };
	assert_eq!(warned(&plain, plain.deposited / 10 * 9, now), None);
	assert_eq!(warned(&plain, plain.deposited / 10 * 9 + 1, now), Some(RunsDry::Deposit));
}

proptest! {
	#[test]
	fn what_is_left_today_is_exactly_what_is_admitted(
		deposited in 1u128..10_000,
		daily_limit in 1u128..10_000,
		settled in 0u128..10_000,
		today in 0u128..10_000,
		spent in 0u128..10_000,
		open in 0u128..10_000,
		later in any::<bool>(),
	) {
		let (settled, spent) = (settled.min(spent), spent);
		let now = if later { 2 * DAY_MS } else { DAY_MS + 5 };
		let channel = Channel {
			deposited,
			daily_limit,
			settled: ChannelSums { count: 1, price: settled },
			today: DailyUse { day: 1, price: today },
			..Channel::open(&terms(AIT, 0)).unwrap()
		};
		let unsettled = Unsettled { sums: ChannelSums { count: 2, price: spent }, open, newest: 3 };
		let room = channel.room(&unsettled, now, DAY_MS);
		prop_assert!(room.today <= room.deposit);
		let admit = |highest| {
			let voucher = Voucher { channel: 0, number: 4, amount: u128::MAX, spec_hash: H256::zero() };
			channel.admit(&unsettled, &voucher, highest, now, DAY_MS)
		};
		if room.today > 0 {
			prop_assert!(admit(room.today).is_ok());
		}
		let above = admit(room.today + 1).unwrap_err();
		let is_dry = [VoucherRefusal::AboveDeposit, VoucherRefusal::AboveDailyLimit].contains(&above);
		prop_assert!(is_dry, "{:?}", above);
		if room.today < room.deposit {
			prop_assert_eq!(above, VoucherRefusal::AboveDailyLimit);
		}
	}
}
