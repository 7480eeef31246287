//! A channel from its opening to its end, the vouchers that are accepted, tariffs, parameters.

use crate::world::{
	AICP, AIT, DAY_MS, PRIVATE, client, coordinator, miner, public, settled, terms,
};
use gridproof_primitives::{
	H256,
	compute::{
		ComputeParameters, PriceAsset,
		channels::{
			BatchRefusal, Channel, ChannelParameterError, ChannelParameters, ChannelRefusal,
			ChannelSums, ChannelTerms, DailyUse, TIERS, Tariff, TariffPeriod, TariffRefusal,
			Unsettled, Voucher, VoucherRefusal, kept_limits_fit, voucher_amount,
		},
	},
};

#[test]
fn a_channel_pays_its_coordinator_in_its_kind_until_it_ends() {
	use BatchRefusal::*;
	let (_, chain, _, signed) = settled();
	let (channel, line) = (chain.channels[&0], signed.channels[0].line);
	let key = public(&coordinator());
	let settle = |channel: &Channel, now| channel.settle(&key, AIT, &line, now, DAY_MS);
	assert!(settle(&channel, 2_000).is_ok());
	let other = public(&miner(0));
	assert_eq!(channel.settle(&other, AIT, &line, 2_000, DAY_MS), Err(OtherCoordinator));
	assert_eq!(channel.settle(&key, AICP, &line, 2_000, DAY_MS), Err(OtherKind));
	assert_eq!(channel.settle(&key, PRIVATE, &line, 2_000, DAY_MS), Err(OtherKind));
	let closing = channel.close(true, 5_000, DAY_MS).unwrap();
	assert!(settle(&closing, 5_000 + DAY_MS - 1).is_ok());
	assert_eq!(settle(&closing, 5_000 + DAY_MS), Err(ChannelEnded));
	assert!(settle(&closing.stand_still(10), 5_000 + DAY_MS + 9).is_ok());
	let dry = Channel { deposited: 119, ..channel };
	assert_eq!(settle(&dry, 2_000), Err(AboveDeposit));
	let limited = Channel { daily_limit: 119, ..channel };
	assert_eq!(settle(&limited, 2_000), Err(AboveDailyLimit));
	// Twice the same line: it does not begin where the channel is settled up to.
	let after = settle(&channel, 2_000).unwrap();
	assert_eq!(settle(&after, 2_000), Err(ChannelNotJoined));
}

#[test]
fn only_the_newest_voucher_settles() {
	let (_, chain, _, signed) = settled();
	let key = public(&coordinator());
	let from = ChannelSums { count: 2, price: 120 };
	let last = Channel { voucher_number: 5, voucher_amount: 160, ..chain.channels[&0] };
	let channel = Channel { settled: from, ..last };
	let settle = |number, amount| {
		let mut line = signed.channels[0].line;
		(line.from, line.to) = (from, from.after(0).unwrap());
		(line.voucher.number, line.voucher.amount) = (number, amount);
		channel.settle(&key, AIT, &line, 2_000, DAY_MS)
	};
	// A newer one may have a lower amount: the request before it cost less than it might have.
	let after = settle(6, 120).unwrap();
	assert_eq!((after.voucher_number, after.voucher_amount), (6, 120));
	assert!(settle(5, 160).is_ok());
	assert_eq!(settle(5, 161), Err(BatchRefusal::OtherVoucher));
	assert_eq!(settle(4, 1_000), Err(BatchRefusal::OlderVoucher));
}

#[test]
fn a_coordinator_never_works_for_more_than_it_holds() {
	use VoucherRefusal::*;
	let channel = Channel { daily_limit: 500, ..Channel::open(&terms(AIT, 0)).unwrap() };
	let channel = Channel { deposited: 400, ..channel };
	let unsettled = Unsettled { sums: ChannelSums { count: 2, price: 100 }, open: 50, newest: 3 };
	let voucher = |number, amount| Voucher { channel: 0, number, amount, spec_hash: H256::zero() };
	let admit = |channel: &Channel, number, amount, highest| {
		channel.admit(&unsettled, &voucher(number, amount), highest, 1_000, DAY_MS)
	};
	let after = Unsettled { open: 150, newest: 4, ..unsettled };
	assert_eq!(admit(&channel, 4, 250, 100), Ok(after));
	assert_eq!(voucher_amount(100, 50, 100), Some(250));
	assert_eq!(voucher_amount(u128::MAX, 0, 1), None);
	assert_eq!(admit(&channel, 4, 249, 100), Err(TooLow));
	for number in [0, 3, 5, u64::MAX] {
		assert_eq!(admit(&channel, number, 250, 100), Err(OtherNumber));
	}
	assert!(admit(&channel, 4, u128::MAX, 250).is_ok());
	assert_eq!(admit(&channel, 4, u128::MAX, 251), Err(AboveDeposit));
	assert_eq!(admit(&channel, 4, u128::MAX, u128::MAX), Err(AboveDeposit));
	let limited = Channel { daily_limit: 249, ..channel };
	assert_eq!(admit(&limited, 4, 250, 100), Err(AboveDailyLimit));
	let closing = channel.close(true, 1_000, DAY_MS).unwrap();
	assert_eq!(admit(&closing, 4, 250, 100), Err(Ending));
	let over = Channel { plan_ends_ms: Some(1_000), ..channel };
	assert_eq!(admit(&over, 4, 250, 100), Err(Ending));
	assert!(admit(&Channel { plan_ends_ms: Some(1_001), ..channel }, 4, 250, 100).is_ok());
	// A request costs at most what it was admitted for, and one without an answer nothing.
	let done = after.complete(100, 70).unwrap();
	let sums = ChannelSums { count: 3, price: 170 };
	assert_eq!(done, Unsettled { sums, open: 50, newest: 4 });
	assert_eq!(after.complete(100, 101).unwrap().sums.price, 200);
	assert_eq!(after.complete(100, 0).unwrap().sums, ChannelSums { count: 3, price: 100 });
	assert_eq!(after.complete(151, 0), None);
	for refusal in [OtherNumber, TooLow, AboveDeposit, AboveDailyLimit, Ending] {
		let helps = [AboveDeposit, AboveDailyLimit].contains(&refusal);
		assert_eq!(refusal.is_temporary(), helps, "{refusal}");
	}
}

#[test]
fn a_channel_opens_tops_up_renews_closes_and_pays_back() {
	use ChannelRefusal::*;
	let open = |change: &dyn Fn(&mut ChannelTerms)| {
		let mut terms = terms(AIT, 0);
		change(&mut terms);
		Channel::open(&terms)
	};
	assert_eq!(open(&|t| t.deposit = 0), Err(Amount));
	assert_eq!(open(&|t| t.daily_limit = 0), Err(Amount));
	assert_eq!(open(&|t| t.signer = Some([0; 32])), Err(WeakSigner));
	let channel = open(&|_| {}).unwrap();
	assert_eq!(channel.voucher_key(), public(&client(0)));
	let kept = open(&|t| t.signer = None).unwrap();
	assert_eq!(kept.voucher_key(), public(&coordinator()));
	assert_eq!(channel.top_up(5).unwrap().deposited, 1_000_005);
	assert_eq!(channel.top_up(0), Err(Amount));
	assert_eq!(channel.top_up(u128::MAX), Err(Amount));
	assert_eq!(channel.renew(5, 9_000), Err(NoPeriod));
	assert_eq!(channel.close(false, 5_000, DAY_MS), Err(NotTheClient));
	assert_eq!(channel.close(true, 5_000, DAY_MS - 1), Err(ShortNotice));
	let closing = channel.close(true, 5_000, DAY_MS).unwrap();
	assert_eq!(closing.close(true, 6_000, DAY_MS), Err(Closing));
	assert_eq!(closing.top_up(5), Err(Closing));
	assert_eq!(closing.renew(5, 9_000), Err(Closing));
	assert_eq!(channel.rest(u64::MAX), Err(NotEnded));
	assert_eq!(closing.rest(5_000 + DAY_MS - 1), Err(NotEnded));
	assert_eq!(closing.rest(5_000 + DAY_MS), Ok(1_000_000));
	assert_eq!(closing.stand_still(7).rest(5_000 + DAY_MS), Err(NotEnded));
	// A plan: what is left stays for the next period, or anyone closes it when it is over.
	let plan = open(&|t| t.plan_ends_ms = Some(9_000)).unwrap();
	assert_eq!(plan.renew(5, 9_000), Err(NoPeriod));
	let renewed = plan.renew(5, 20_000).unwrap();
	assert_eq!((renewed.deposited, renewed.plan_ends_ms), (1_000_005, Some(20_000)));
	assert_eq!(renewed.renew(u128::MAX, 30_000), Err(Amount));
	assert_eq!(plan.close(false, 8_999, DAY_MS), Err(NotTheClient));
	assert!(plan.close(false, 9_000, DAY_MS).is_ok());
	assert!(plan.close(true, 1, DAY_MS).is_ok());
}

#[test]
fn the_limits_of_kept_channels_are_at_most_the_bond() {
	assert!(kept_limits_fit(600, 400, 1_000));
	assert!(!kept_limits_fit(601, 400, 1_000));
	assert!(!kept_limits_fit(u128::MAX, 1, u128::MAX));
}

#[test]
fn a_day_has_its_limit_and_the_next_one_begins_at_zero() {
	let none = DailyUse::default();
	let some = none.add(60, 100, 5, DAY_MS).unwrap();
	assert_eq!(some, DailyUse { day: 0, price: 60 });
	assert_eq!(some.add(41, 100, DAY_MS - 1, DAY_MS), None);
	assert_eq!(some.add(40, 100, DAY_MS - 1, DAY_MS), Some(DailyUse { day: 0, price: 100 }));
	let next = some.add(100, 100, DAY_MS, DAY_MS).unwrap();
	assert_eq!(next, DailyUse { day: 1, price: 100 });
	// A clock that runs backwards begins no new day.
	assert_eq!(next.add(1, 100, 5, DAY_MS), None);
	assert_eq!(none.add(1, 100, 5, 0), Some(DailyUse { day: 0, price: 1 }));
	assert_eq!(some.add(u128::MAX, u128::MAX, 5, DAY_MS), None);
}

#[test]
fn the_tiers_are_those_of_aicoin() {
	let of = |at: usize| {
		let (_, price, tokens_per_day) = TIERS[at];
		Tariff { asset: PriceAsset::Ait, price, tokens_per_day, days: 30 }
	};
	assert_eq!(TIERS.map(|(name, _, _)| name), ["basic", "standard", "premium"]);
	// 1 AIT for 300,000 tokens, rounded up once for all requests together.
	assert_eq!(of(0).price_of(1), 3_333_333_333_334);
	assert_eq!(of(0).price_of(3), 10_000_000_000_000);
	assert_eq!(of(0).price_between(1, 2), 6_666_666_666_666);
	assert_eq!(of(1).price_of(1), 1_666_666_666_667);
	assert_eq!(of(2).price_of(1), 666_666_666_667);
	assert_eq!(of(2).price_of(u64::MAX), of(2).price);
	for tariff in [
		Tariff { price: 0, ..of(0) },
		Tariff { tokens_per_day: 0, ..of(0) },
		Tariff { tokens_per_day: u64::MAX, ..of(0) },
		Tariff { days: 0, ..of(0) },
		Tariff { days: 367, ..of(0) },
	] {
		assert_eq!(tariff.check(), Err(TariffRefusal::Terms));
	}
}

#[test]
fn a_period_lasts_its_days() {
	let tariff = Tariff { asset: PriceAsset::Ait, price: 100, tokens_per_day: 10, days: 2 };
	let period = TariffPeriod { tariff, start_ms: 1_000, day_ms: 500 };
	assert_eq!(period.end_ms(), 2_000);
}

#[test]
fn every_relation_of_the_parameters_is_checked() {
	use ChannelParameterError::*;
	let good = ChannelParameters::default();
	assert_eq!(good.check(), Ok(()));
	type Breaks<'a> = &'a dyn Fn(&mut ChannelParameters);
	let cases: &[(ChannelParameterError, Breaks<'_>)] = &[
		(Notice, &|p| p.close_notice_ms = DAY_MS - 1),
		(Notice, &|p| p.close_notice_ms = 31 * DAY_MS + 1),
		(Spacing, &|p| p.batch_spacing_ms = 3_600_001),
		(Fee, &|p| p.fee_per_line = 0),
		(Fee, &|p| p.fee_per_line = u128::MAX),
		(Window, &|p| p.check_window_ms = 7 * DAY_MS + 1),
		(Answer, &|p| p.answer_ms = 3_599_999),
		(Answer, &|p| p.answer_ms = DAY_MS - p.batch_spacing_ms),
		(Deposit, &|p| p.demand_deposit = 0),
		(Deposit, &|p| p.demand_deposit = u128::MAX),
	];
	for (error, change) in cases {
		let mut parameters = good;
		change(&mut parameters);
		assert_eq!(parameters.check(), Err(*error));
	}
}

#[test]
fn bonds_and_offences_outlast_the_window_and_what_a_dispute_holds() {
	let compute = ComputeParameters::default();
	let with = |check_window_ms| ChannelParameters { check_window_ms, ..Default::default() };
	// Seven days of a bond: less an hour until a slash, and five days of a dispute.
	let longest = 7 * DAY_MS - 3_600_000 - 5 * DAY_MS;
	assert!(with(longest).fits(&compute) && !with(longest + 1).fits(&compute));
	let forgetful = ComputeParameters { offence_memory_ms: 5 * DAY_MS + longest - 1, ..compute };
	assert!(!with(longest).fits(&forgetful) && with(longest - 1).fits(&forgetful));
	// Nothing waits while nothing is checked.
	let short = ComputeParameters { offence_memory_ms: 1, unbonding_ms: 1, ..compute };
	assert!(with(0).fits(&short));
}
