//! What is written is what is read.

use super::*;
use crate::fake::{ALICE, BEGIN, BOB, COORDINATOR, JOB, MINER, SLOT, block, eventful, hash};
use gridproof_keys::account::address;
use gridproof_support::text::{Amount, hexadecimal};
use tempfile::TempDir;

const ALL: Asked =
	Asked { limit: 1_000, after: None, newest_first: true, from: 0, to: u64::MAX >> 1 };

/// Blocks 0 to 99, of which block 50 does one of everything.
async fn store() -> (TempDir, Store) {
	let folder = tempfile::tempdir().unwrap();
	let store = Store::open(folder.path()).unwrap();
	let blocks = (0..100).map(|height| if height == 50 { eventful(50) } else { block(height) });
	store.write(blocks.collect()).await.unwrap();
	(folder, store)
}

fn found(kind: &str, name: impl Into<String>, height: Option<u64>) -> Found {
	Found { kind: kind.to_string(), name: name.into(), height }
}

#[tokio::test]
async fn a_database_is_opened_again_at_its_last_block_and_a_newer_one_is_refused() {
	let (folder, store) = store().await;
	drop(store);
	let store = Store::open(folder.path()).unwrap();
	let head = store.head().await.unwrap().unwrap();
	assert_eq!((head.height, head.hash, head.time_ms), (99, hash(99), BEGIN + 98 * SLOT));
	assert_eq!(store.first().await, Ok(Some(0)));
	let raise =
		|db: &Connection| Ok::<_, StoreError>(db.pragma_update(None, "user_version", 99)?);
	store.0.write(raise).await.unwrap();
	drop(store);
	let error = Store::open(folder.path()).err().unwrap();
	assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap_in_both_orders() {
	let (_folder, store) = store().await;
	for newest_first in [true, false] {
		let mut asked = Asked { limit: 7, newest_first, ..ALL };
		let mut places = Vec::new();
		loop {
			let page = store.events(Events::default(), asked.clone()).await.unwrap();
			assert!(page.entries.len() <= 7);
			places.extend(page.entries.iter().map(|event| (event.height, event.place)));
			let Some(next) = page.next else { break };
			let (height, place) = next.split_once('-').unwrap();
			asked.after = Some((height.parse().unwrap(), place.parse().unwrap()));
		}
		let mut sorted = places.clone();
		sorted.sort_unstable();
		if newest_first {
			sorted.reverse();
		}
		assert_eq!(places, sorted);
		assert_eq!(places.len(), 33 + 17);
	}
}

#[tokio::test]
async fn events_are_found_by_pallet_name_account_key_and_span() {
	let (_folder, store) = store().await;
	let count = async |chosen: Events, asked: Asked| {
		store.events(chosen, asked).await.unwrap().entries.len()
	};
	let named = |names| Events { names: Some(names), ..Events::default() };
	assert_eq!(count(named(BOB), ALL).await, 33);
	assert_eq!(count(named(COORDINATOR), ALL).await, 17);
	assert_eq!(count(named([99; 32]), ALL).await, 0);
	let sent = Events { name: Some("Sent".to_string()), ..Events::default() };
	assert_eq!(count(sent.clone(), Asked { from: 3, to: 9, ..ALL }).await, 3);
	let other = Events { pallet: Some("Other".to_string()), ..sent };
	assert_eq!(count(other, ALL).await, 0);
}

#[tokio::test]
async fn a_history_has_what_an_account_signed_and_what_names_it() {
	let (_folder, store) = store().await;
	let alice = store.history(ALICE, Asked { limit: 3, ..ALL }).await.unwrap();
	let kinds: Vec<_> = alice
		.entries
		.iter()
		.map(|entry| (entry.height, entry.transaction.is_some(), entry.event.is_some()))
		.collect();
	assert_eq!(kinds.len(), 3);
	assert!(kinds.iter().all(|(_, transaction, event)| transaction != event), "{kinds:?}");
	assert_eq!(kinds[0].0, 99);
	let all = store.history(ALICE, ALL).await.unwrap().entries;
	assert_eq!(all.len(), 66);
	let mut asked = Asked { limit: 5, ..ALL };
	let mut paged = Vec::new();
	loop {
		let page = store.history(ALICE, asked.clone()).await.unwrap();
		paged.extend(page.entries);
		let Some(next) = page.next else { break };
		let (height, place) = next.split_once('-').unwrap();
		asked.after = Some((height.parse().unwrap(), place.parse().unwrap()));
	}
	assert_eq!(paged, all);
	assert_eq!(store.history(BOB, ALL).await.unwrap().entries.len(), 33);
}

#[tokio::test]
async fn transactions_say_who_signed_them_what_they_cost_and_why_they_failed() {
	let (_folder, store) = store().await;
	let failed = Transactions { ok: Some(false), signer: Some(ALICE), ..Transactions::default() };
	let failed = store.transactions(failed, ALL).await.unwrap().entries;
	assert_eq!(failed.len(), 11);
	assert_eq!(failed[0].error.as_deref(), Some("there is too little"));
	assert_eq!(failed[0].fee, Some(Amount(u128::MAX)));
	assert_eq!(failed[0].signer, Some(address(&ALICE)));
	let one = Transactions { hash: Some([51; 32]), ..Transactions::default() };
	assert_eq!(store.transactions(one, ALL).await.unwrap().entries[0].height, 51);
}

#[tokio::test]
async fn supplies_are_those_of_the_last_change_before_a_moment() {
	let (_folder, store) = store().await;
	let moments = vec![BEGIN - 1, BEGIN, BEGIN + 9 * SLOT - 1, BEGIN + 9 * SLOT, u64::MAX >> 1];
	let points = store.supplies(moments).await.unwrap();
	let shown: Vec<_> = points.iter().map(|point| (point.height, point.ait.0)).collect();
	assert_eq!(shown, [(0, 1_000), (0, 1_000), (0, 1_000), (10, 1_001), (90, 1_009)]);
}

#[tokio::test]
async fn energy_is_added_up_by_hour_and_day_of_a_meter_an_owner_and_a_site() {
	let (_folder, store) = store().await;
	let span = (0, u64::MAX >> 1);
	for whose in [Whose::Meter(0), Whose::Owner(BOB), Whose::Site("site-1".to_string())] {
		let hours = store.energy(whose.clone(), By::Hour, span).await.unwrap();
		assert_eq!(hours.len(), 4);
		assert_eq!(hours[0].begin, "2026-01-31T22:00:00Z");
		assert_eq!(hours[0].imported_wh, 1_001 * 40 / 165);
		for by in [By::Hour, By::Day, By::Week, By::Month] {
			let points = store.energy(whose.clone(), by, span).await.unwrap();
			let sum = points.iter().fold([0; 3], |sum, point| {
				[sum[0] + point.imported_wh, sum[1] + point.exported_wh, sum[2] + point.minted_wh]
			});
			assert_eq!(sum, [1_001, 500, 400], "{by:?}");
		}
		let months = store.energy(whose, By::Month, span).await.unwrap();
		assert_eq!(months.len(), 2);
	}
	assert_eq!(store.energy(Whose::Owner(ALICE), By::Day, span).await, Ok(vec![]));
	let batch = store.readings(0, ALL).await.unwrap().entries.remove(0);
	assert_eq!((batch.imported_wh, batch.minted_wh, batch.readings), (Some(1_001), 400, Some(11)));
}

#[tokio::test]
async fn work_and_what_it_paid_is_kept_with_its_asset() {
	let (_folder, store) = store().await;
	let job = store.job(JOB.0).await.unwrap().unwrap();
	assert_eq!((job.state.as_str(), job.ended, job.paid), ("settled", Some(50), Some(Amount(10))));
	let channel = store.channel(77).await.unwrap().unwrap();
	assert_eq!((channel.deposited, channel.settled), (Amount(150), Amount(60)));
	assert_eq!((channel.receipts, channel.rest), (3, Some(Amount(90))));
	let batches = store.receipt_batches(Some(COORDINATOR), ALL).await.unwrap().entries;
	assert_eq!(
		(batches.len(), batches[0].asset.as_str(), batches[0].units),
		(1, "aicp", Amount(90))
	);
	let paid = store.earnings(MINER, ALL).await.unwrap().entries;
	let paid: Vec<_> =
		paid.iter().map(|one| (one.what.as_str(), one.asset.as_str(), one.amount.0)).collect();
	assert_eq!(paid, [("emission", "ait", 1_000), ("batch", "aicp", 7), ("receipt", "ait", 7)]);
	let days = store.earned(MINER, By::Month, (0, u64::MAX >> 1)).await.unwrap();
	assert_eq!(days.len(), 3);
	assert!(days.iter().all(|day| day.begin == "2026-01-01T00:00:00Z"), "{days:?}");
	assert_eq!(store.steps(ALL).await.unwrap().entries[0].miners, Amount(7));
	assert_eq!(store.slashes(Some(MINER), ALL).await.unwrap().entries[0].amount, Amount(6));
	assert_eq!(store.slashes(Some(BOB), ALL).await.unwrap().entries, []);
}

#[tokio::test]
async fn the_reserve_is_kept_by_day_state_and_move() {
	let (_folder, store) = store().await;
	let day = store.reserve_days(ALL).await.unwrap().entries.remove(0);
	assert_eq!(
		(day.day.as_str(), day.reserve, day.allowance),
		("2026-01-30", Amount(10), Amount(12))
	);
	let state = store.states(ALL).await.unwrap().entries.remove(0);
	assert_eq!((state.from.as_str(), state.to.as_str()), ("freeze", "in_band"));
	assert_eq!(state.ratio, Some(Amount(u128::MAX)));
	assert_eq!(store.moves(None, ALL).await.unwrap().entries.len(), 2);
	let redeemed = store.moves(Some("redeemed".to_string()), ALL).await.unwrap().entries;
	assert_eq!(redeemed[0].who, Some(address(&BOB)));
}

#[tokio::test]
async fn a_search_finds_whatever_a_text_can_mean() {
	let (_folder, store) = store().await;
	let search = async |text: &str| store.search(text.to_string()).await.unwrap();
	assert_eq!(search("12").await, [found("block", "12", Some(12))]);
	assert_eq!(search("0").await, [found("block", "0", Some(0)), found("meter", "0", None)]);
	assert_eq!(
		search("77").await,
		[found("block", "77", Some(77)), found("channel", "77", Some(50))]
	);
	let text = hexadecimal(hash(9).0);
	assert_eq!(search(&text).await, [found("block", text, Some(9))]);
	let text = hexadecimal(JOB.0);
	assert_eq!(search(&text).await, [found("job", text, Some(50))]);
	let text = hexadecimal([51; 32]);
	assert_eq!(search(&text).await, [found("transaction", text, Some(51))]);
	let text = hexadecimal(MINER);
	assert_eq!(search(&text).await, [found("party", text, Some(50))]);
	let text = hexadecimal(COORDINATOR);
	assert_eq!(search(&text).await, [found("named", text, Some(50))]);
	let bob = address(&BOB);
	assert_eq!(search(&bob).await, [found("account", &bob, Some(99))]);
	assert_eq!(search(&hexadecimal(BOB)).await, [found("account", &bob, Some(99))]);
	assert_eq!(search("2026-01-30").await, [found("day", "2026-01-30", Some(50))]);
	assert_eq!(search("Money.Sent").await, [found("event", "Money.Sent", Some(99))]);
	for name in ["site-1/gateway-1/meter-1", "meter-1", "gateway-1"] {
		assert_eq!(search(name).await, [found("meter", "0", None)], "{name}");
	}
	for nothing in ["", "nothing", "100000", "0x00", "%", "'; DROP TABLE blocks"] {
		assert_eq!(search(nothing).await, [], "{nothing}");
	}
}

#[tokio::test]
async fn meters_come_by_their_index_and_by_whose_they_are() {
	let (_folder, store) = store().await;
	let page = store.meters(None, None, None, 10).await.unwrap();
	assert_eq!((page.entries.len(), page.entries[0].meter, page.next), (1, 0, None));
	let of_bob = store.meters(None, Some(BOB), None, 10).await.unwrap();
	assert_eq!(of_bob.entries, page.entries);
	assert_eq!(store.meters(Some("site-2".to_string()), None, None, 10).await.unwrap().entries, []);
	assert_eq!(store.meters(None, None, Some(0), 10).await.unwrap().entries, []);
}
