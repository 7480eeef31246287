//! Each item, altered alone, is found and named; what the rules allow is not.

use super::*;
use crate::shown::{Channels, Headers, Holds};
use gridproof_primitives::{
	compute::{Breaker, Overview as Work, StepView, channels::HeaderChain},
	energy::Overview as Energy,
	num::units::AIT,
	time::day::Day,
};

const BOND: HoldReason = HoldReason([9, 0]);
const TICKET: HoldReason = HoldReason([8, 1]);
const ALICE: AccountId = [0xA1; 32];
const BOB: AccountId = [0xB0; 32];
const COORDINATOR: PublicKey = [0xC0; 32];

fn job(byte: u8) -> H256 {
	H256([byte; 32])
}

/// What the chain says before the first block.
fn before() -> Shown {
	let step =
		StepView { step: 0, start_ms: 0, end_ms: 1, budget: 0, claims: 0, pool: 0, closed: false };
	let (minted, promised) = (7 * AIT, 3 * AIT);
	Shown {
		block: 9,
		hash: H256([9; 32]),
		supplies: [MINING_RESERVE + minted, 500, 40],
		work: Work {
			now_ms: 0,
			breaker: Breaker::Closed,
			step,
			coordinators: 1,
			miners: 1,
			jobs_opened: 5,
			jobs_open: 2,
			jobs_settled: 1,
			jobs_cancelled: 1,
			jobs_expired: 1,
			escrow_ait: 60,
			escrow_aicp: 40,
			escrow_credit: 0,
			compute_units: 1_000,
			minted,
			promised,
			reserve: MINING_RESERVE - minted - promised,
		},
		energy: Energy {
			batches: 6,
			readings: 60,
			minted_wh: 40,
			issuance: 40,
			..Energy::default()
		},
		reserve: Reserve {
			today: Day::FIRST,
			allowance: 100,
			minted_today: 20,
			is_stopped: false,
			waiting: 30,
			genesis: 400,
			minted: 150,
			burned: 50,
			credited: 75,
			spent: 5,
		},
		holds: Holds::from([((ALICE, BOND), 100), ((BOB, TICKET), 8)]),
		has_all_holds: true,
		channels_before: Channels::new(),
		channels: Channels::new(),
		headers: Headers::new(),
		ended: Vec::new(),
	}
}

fn channel(deposited: u128, count: u64, price: u128) -> Option<ChannelState> {
	Some(ChannelState { deposited, settled: ChannelSums { count, price } })
}

/// A block in which everything happens.
fn deeds() -> Vec<Deed> {
	let settled = |count, price| ChannelSums { count, price };
	vec![
		Deed::StepClosed { step: 4, claims: 2 * AIT, pool: 2 * AIT },
		Deed::AitMinted(AIT),
		Deed::AicpMinted { amount: 10, allowance: 90 },
		Deed::Redeemed { amount: 6, credit: 9, waits: true },
		Deed::CreditServed(12),
		Deed::CreditSpent(2),
		Deed::Stated { allowance: 70 },
		Deed::Readings { meter: 1, sequence: 3, minted: 15, readings: Some(96) },
		Deed::Readings { meter: 1, sequence: 4, minted: 0, readings: Some(4) },
		Deed::JobOpened { asset: PriceAsset::Ait, price: 25 },
		Deed::JobSettled { job: job(1), paid: 30, refund: 10, units: 50 },
		Deed::JobReturned { job: job(2), state: JobState::Expired, refund: 20 },
		Deed::ChannelOpened(7, 1_000),
		Deed::ChannelAdded(3, 50),
		Deed::ChannelSettled(3, settled(8, 220)),
		Deed::ChannelEnded(2, 45),
		Deed::BatchSettled { coordinator: COORDINATOR, sequence: 11, header: job(5), units: 70 },
		Deed::Held(BOB, BOND, 40),
		Deed::Freed(BOB, TICKET, 8),
	]
}

/// What the chain says after that block.
fn after() -> Shown {
	let mut shown = before();
	(shown.block, shown.hash) = (10, H256([10; 32]));
	shown.supplies = [MINING_RESERVE + 8 * AIT, 504, 55];
	shown.work = Work {
		jobs_opened: 6,
		jobs_open: 1,
		jobs_settled: 2,
		jobs_expired: 2,
		escrow_ait: 45,
		escrow_aicp: 20,
		compute_units: 1_120,
		minted: 8 * AIT,
		promised: 4 * AIT,
		reserve: MINING_RESERVE - 12 * AIT,
		..shown.work
	};
	shown.energy = Energy { batches: 8, readings: 160, minted_wh: 55, ..shown.energy };
	shown.reserve = Reserve {
		allowance: 70,
		minted_today: 30,
		waiting: 27,
		minted: 160,
		burned: 56,
		credited: 84,
		spent: 7,
		..shown.reserve
	};
	shown.holds = Holds::from([((ALICE, BOND), 100), ((BOB, TICKET), 0), ((BOB, BOND), 40)]);
	shown.channels_before =
		Channels::from([(2, channel(200, 3, 155)), (3, channel(300, 6, 200)), (7, None)]);
	shown.channels =
		Channels::from([(2, None), (3, channel(350, 8, 220)), (7, channel(1_000, 0, 0))]);
	let chain = HeaderChain { next_sequence: 12, last_hash: job(5), last_time_ms: 0, taken_ms: 0 };
	shown.headers = Headers::from([(COORDINATOR, chain)]);
	shown.ended = vec![Some((PriceAsset::Ait, 40)), Some((PriceAsset::Aicp, 20))];
	shown
}

/// Settles one block after [`before`].
fn settled(deeds: &[Deed], shown: &Shown) -> Result<Books, Difference> {
	let mut books = Books::begin(&before());
	books.settle(deeds, shown).map(|()| books)
}

#[test]
fn a_block_in_which_everything_happens_comes_out_to_the_last_unit() {
	let books = settled(&deeds(), &after()).unwrap();
	assert_eq!((books.block, books.hash), (10, Hex32([10; 32])));
	// Kept and read again, they continue.
	let text = serde_json::to_string(&books).unwrap();
	assert_eq!(serde_json::from_str::<Books>(&text).unwrap(), books);
	let mut books = books;
	let next = Shown { block: 11, channels_before: Channels::new(), ended: vec![], ..after() };
	assert_eq!(books.settle(&[], &next), Ok(()));
}

#[test]
fn every_figure_that_is_altered_is_found_and_named_with_both_values() {
	type Alter = fn(&mut Shown);
	let cases: &[(&str, &str, &str, Alter)] = &[
		("supply of AIT", "10500008000000000000000000", "10500008000000000000000001", |s| {
			s.supplies[0] += 1;
		}),
		("supply of AICP", "504", "503", |s| s.supplies[1] -= 1),
		("supply of KWH", "55", "56", |s| s.supplies[2] += 1),
		("AIT minted since genesis", "8000000000000000000", "7999999999999999999", |s| {
			s.work.minted -= 1;
		}),
		("AIT promised", "at most 4000000000000000000", "4000000000000000001", |s| {
			s.work.promised += 1;
		}),
		("AIT that can still be minted", "10499988000000000000000000", "0", |s| s.work.reserve = 0),
		("number of jobs opened", "6", "7", |s| s.work.jobs_opened += 1),
		("number of jobs open", "1", "0", |s| s.work.jobs_open = 0),
		("number of jobs settled", "2", "3", |s| s.work.jobs_settled = 3),
		("number of jobs cancelled", "1", "2", |s| s.work.jobs_cancelled = 2),
		("number of jobs expired", "2", "1", |s| s.work.jobs_expired = 1),
		("compute units delivered", "1120", "1121", |s| s.work.compute_units += 1),
		("escrow of jobs in AIT", "45", "44", |s| s.work.escrow_ait -= 1),
		("escrow of jobs in AICP", "20", "21", |s| s.work.escrow_aicp += 1),
		("escrow of jobs in service credit", "0", "1", |s| s.work.escrow_credit += 1),
		("AICP at genesis", "400", "401", |s| s.reserve.genesis += 1),
		("AICP minted since genesis", "160", "161", |s| s.reserve.minted += 1),
		("AICP burned by redemptions", "56", "55", |s| s.reserve.burned -= 1),
		("credit promised by redemptions", "84", "85", |s| s.reserve.credited += 1),
		("credit spent", "7", "8", |s| s.reserve.spent += 1),
		("credit that waits in the queue", "27", "26", |s| s.reserve.waiting -= 1),
		("AICP minted today", "30", "29", |s| s.reserve.minted_today -= 1),
		("allowance of AICP", "70", "71", |s| s.reserve.allowance += 1),
		("number of batches of readings", "8", "9", |s| s.energy.batches += 1),
		("number of readings", "160", "161", |s| s.energy.readings += 1),
		("exported Wh that were minted", "55", "54", |s| s.energy.minted_wh -= 1),
		(
			"channel 3",
			"350 deposited, 220 settled in 8 receipts",
			"350 deposited, 219 settled in 8 receipts",
			|s| {
				s.channels.insert(3, channel(350, 8, 219));
			},
		),
		("channel 2", "gone", "45 deposited, 0 settled in 0 receipts", |s| {
			s.channels.insert(2, channel(45, 0, 0));
		}),
	];
	for (item, derived, shown, alter) in cases {
		let mut altered = after();
		alter(&mut altered);
		let found = settled(&deeds(), &altered).expect_err(item);
		assert_eq!(
			(found.item.as_str(), found.derived.as_str(), found.shown.as_str()),
			(*item, *derived, *shown)
		);
		assert_eq!((found.block, found.hash), (10, Hex32([10; 32])), "{item}");
	}
}

#[test]
fn a_header_and_a_hold_that_are_altered_are_named_with_whose_they_are() {
	let mut altered = after();
	altered.headers.get_mut(&COORDINATOR).unwrap().last_hash = job(6);
	let found = settled(&deeds(), &altered).unwrap_err();
	assert_eq!(found.item, format!("last header of coordinator {}", Hex32(COORDINATOR)));
	assert!(found.derived.ends_with("then number 12"), "{found}");
	for (key, amount, derived) in
		[((ALICE, BOND), 99, "100"), ((BOB, TICKET), 8, "0"), ((BOB, BOND), 41, "40")]
	{
		let mut altered = after();
		altered.holds.insert(key, amount);
		let found = settled(&deeds(), &altered).unwrap_err();
		assert_eq!(found.item, format!("hold {}", hold_key(&key.0, key.1)));
		assert_eq!((found.derived, found.shown), (derived.to_string(), amount.to_string()));
	}
	// One that is gone without an event is found when all are compared.
	let mut gone = after();
	gone.holds.remove(&(ALICE, BOND));
	assert_eq!(settled(&deeds(), &gone).unwrap_err().shown, "0");
	gone.has_all_holds = false;
	assert!(settled(&deeds(), &gone).is_ok(), "nothing names it in this block");
}

#[test]
fn a_deed_that_breaks_a_rule_is_found_although_the_figures_follow_it() {
	let above = step_budget(4);
	let cases: &[(Deed, &str)] = &[
		(Deed::StepClosed { step: 4, claims: 2 * AIT, pool: 2 * AIT + 1 }, "emission step 4"),
		(Deed::StepClosed { step: 4, claims: u128::MAX, pool: above + 1 }, "emission step 4"),
		(Deed::AitMinted(3 * AIT + 1), "AIT promised"),
		(Deed::ChannelEnded(2, 44), "rest of channel 2"),
		(Deed::Freed(BOB, BOND, 1), "hold "),
		(Deed::JobReturned { job: job(1), state: JobState::Cancelled, refund: 39 }, "what job "),
	];
	for (deed, item) in cases {
		let shown = Shown { ended: vec![Some((PriceAsset::Ait, 40))], ..after() };
		let found = settled(std::slice::from_ref(deed), &shown).unwrap_err();
		assert!(found.item.starts_with(item), "{found}");
	}
	let mut channels = after();
	channels.channels_before = Channels::from([(3, channel(300, 6, 200))]);
	for sums in [(5, 210), (7, 199), (7, 301)] {
		let (count, price) = sums;
		let deed = Deed::ChannelSettled(3, ChannelSums { count, price });
		let found = settled(&[deed], &channels).unwrap_err();
		assert_eq!(found.item, "what is settled of channel 3", "{sums:?}");
	}
}

#[test]
fn numbers_have_no_hole_and_come_once() {
	let mut books = Books::begin(&before());
	let readings = |sequence| Deed::Readings { meter: 1, sequence, minted: 0, readings: Some(0) };
	let at = |block, batches| {
		let mut shown = before();
		(shown.block, shown.energy.batches) = (block, batches);
		shown
	};
	books.settle(&[readings(3), readings(4)], &at(10, 8)).unwrap();
	let found = books.clone().settle(&[readings(6)], &at(11, 9)).unwrap_err();
	assert_eq!((found.derived.as_str(), found.shown.as_str()), ("5", "6"), "{found}");
	assert_eq!(found.item, "number of the batch of meter 1");
	let step = |step| Deed::StepClosed { step, claims: 0, pool: 0 };
	let found = books.clone().settle(&[step(4), step(4)], &at(11, 8)).unwrap_err();
	assert_eq!(found.item, "number of the emission step that closed");
	let batch = |sequence| Deed::BatchSettled {
		coordinator: COORDINATOR,
		sequence,
		header: job(1),
		units: 0,
	};
	assert!(
		books.clone().settle(&[batch(4), batch(7)], &at(11, 8)).is_ok(),
		"refused ones are holes"
	);
	let found = books.settle(&[batch(4), batch(4)], &at(11, 8)).unwrap_err();
	assert!(found.item.starts_with("number of the settlement batch"), "{found}");
}

#[test]
fn what_no_event_tells_is_taken_as_it_is_and_nothing_more() {
	// Rounding returned a unit to the reserve.
	let mut shown = before();
	shown.block = 10;
	(shown.work.promised, shown.work.reserve) = (3 * AIT - 1, shown.work.reserve + 1);
	let books = settled(&[], &shown).unwrap();
	// It does not come back.
	let mut again = before();
	again.block = 11;
	assert_eq!(books.clone().settle(&[], &again).unwrap_err().item, "AIT promised");
	// A day passes: what was minted today is of the new day.
	let mut next = shown.clone();
	(next.block, next.reserve.minted_today) = (11, 0);
	assert_eq!(books.clone().settle(&[], &next).unwrap_err().item, "AICP minted today");
	next.reserve.today = Day::FIRST.next().unwrap();
	assert!(books.clone().settle(&[], &next).is_ok());
	// While something stops the mint, there is no allowance.
	let stated = Deed::Stated { allowance: 70 };
	let mut stopped = shown.clone();
	(stopped.block, stopped.reserve.allowance, stopped.reserve.is_stopped) = (11, 0, true);
	assert!(books.clone().settle(std::slice::from_ref(&stated), &stopped).is_ok());
	// Units of a batch that gives receipts up are not those of its header.
	let batch =
		Deed::BatchSettled { coordinator: COORDINATOR, sequence: 1, header: job(1), units: 9 };
	let mut given_up = shown;
	(given_up.block, given_up.work.compute_units) = (11, 1_004);
	assert!(books.clone().settle(std::slice::from_ref(&batch), &given_up).is_err());
	assert!(books.clone().settle(&[batch, Deed::GivenUp], &given_up).is_ok());
}
