//! From logs to finalized blocks, with a chain that keeps the real rules.

use crate::common::{
	Desk, GENESIS, Happened, Mqtt, Running, device_key, meter_name, reading, topic,
};
use gridproof_gateway_api::{BatchState, ClientError};
use gridproof_keys::SealedKey;
use gridproof_primitives::{
	crypto::merkle::leaf_hash,
	energy::{
		Direction, Registers, Topic, Trust,
		emlog::EnergyLog,
		message::{RefusalNotice, SignAnswer, SignRequest},
	},
	num::units::MILLIS_PER_DAY,
};
use gridproof_support::clock::now_ms;
use std::time::Duration;

const METER: &str = "A/1/m";

async fn publish(mqtt: &mut Mqtt, slots: std::ops::Range<u64>, kwh: &str) {
	for slot in slots {
		mqtt.deliver(&topic(METER), reading(METER, slot, kwh, "")).await;
	}
}

async fn flushed(gateway: &Running) -> String {
	gateway.client.flush().await.unwrap().id
}

/// Takes the next request to sign.
async fn asked(mqtt: &mut Mqtt) -> SignRequest {
	match mqtt.next().await {
		Happened::Message(topic, payload) => {
			assert_eq!(topic, Topic::Sign.of(&meter_name(METER)));
			SignRequest::parse(payload.as_bytes()).unwrap()
		},
		other => panic!("{other:?}"),
	}
}

async fn answer(mqtt: &mut Mqtt, request: &SignRequest, key: &SealedKey) {
	let signature = key.sign(&request.header.signing_payload(&GENESIS));
	let answer = SignAnswer::signed(request.header.hash(), signature);
	mqtt.deliver(&Topic::Signed.of(&meter_name(METER)), answer.to_json()).await;
}

#[tokio::test]
async fn the_gateway_signs_for_a_meter_that_cannot_and_submits_it() {
	let (desk, chain) = Desk::anonymous().with_chain();
	let key = device_key("gateway");
	chain.certify(METER, &key, Trust::Gateway, Direction::Export);
	let gateway = desk.start(vec![key]).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	// Fractions of a Wh are carried, not lost: 3 × 0.4 Wh, then 3 × 0.4 Wh more.
	publish(&mut mqtt, 0..3, "0.0004").await;
	let first = gateway.wait_for(&flushed(&gateway).await, BatchState::Accepted).await;
	let on_chain = first.chain.unwrap();
	assert_eq!((on_chain.sequence, on_chain.exported_wh), (0, 1));
	assert_eq!(on_chain.trust, Some(Trust::Gateway));
	assert!(on_chain.block.is_some());
	publish(&mut mqtt, 3..6, "0.0004").await;
	let second = gateway.wait_for(&flushed(&gateway).await, BatchState::Accepted).await;
	assert_eq!(second.chain.unwrap().exported_wh, 1);
	let state = chain.meter_state(0);
	assert_eq!((state.next_sequence, state.registers.export_wh), (2, 2));
	let record = chain.record(0, 1).unwrap();
	assert_eq!(hex::encode(record.header.root), second.merkle_root);
	assert_eq!(record.header.cid.unwrap().to_string(), second.cid);
	gateway.stop().await;
}

#[tokio::test]
async fn a_device_is_asked_checks_and_signs_and_is_asked_again_when_it_comes_back() {
	let (desk, chain) = Desk::new().with_chain();
	let password = desk.add_device("one", "A", "1");
	let key = device_key("A/1/m");
	chain.certify(METER, &key, Trust::Device, Direction::Export);
	let gateway = desk.start(vec![]).await;
	let login = Some(("one", password.as_str()));
	let mut mqtt = gateway.mqtt("meter", login).await;
	publish(&mut mqtt, 0..2, "1.5").await;
	let batch = flushed(&gateway).await;
	gateway.wait_for(&batch, BatchState::Unsigned).await;
	// It listens only now.
	assert!(mqtt.subscribe("energy/A/1/+/sign").await);
	let request = asked(&mut mqtt).await;
	assert_eq!((request.leaves, request.header.closing.export_wh), (2, 3_000));
	assert_eq!(request.genesis, GENESIS);
	drop(mqtt);
	let mut mqtt = gateway.mqtt("meter", login).await;
	assert!(mqtt.subscribe("energy/A/1/m/sign").await);
	assert_eq!(asked(&mut mqtt).await, request);
	// Somebody else's signature does not count.
	answer(&mut mqtt, &request, &device_key("other")).await;
	assert_eq!(gateway.dead_letters().await, ["bad_signature"]);
	answer(&mut mqtt, &request, &key).await;
	gateway.wait_for(&batch, BatchState::Accepted).await;
	// The same answer again changes nothing.
	answer(&mut mqtt, &request, &key).await;
	assert_eq!(chain.meter_state(0).registers.export_wh, 3_000);
	gateway.stop().await;
}

#[tokio::test]
async fn a_batch_that_the_device_refuses_is_rebuilt() {
	let (desk, chain) = Desk::new().with_chain();
	let password = desk.add_device("one", "A", "1");
	let key = device_key("A/1/m");
	chain.certify(METER, &key, Trust::Device, Direction::Export);
	let gateway = desk.start(vec![]).await;
	let mut mqtt = gateway.mqtt("meter", Some(("one", password.as_str()))).await;
	assert!(mqtt.subscribe("energy/A/1/+/sign").await);
	publish(&mut mqtt, 1..2, "1").await;
	flushed(&gateway).await;
	let request = asked(&mut mqtt).await;
	let reason = "the first reading begins earlier".to_string();
	let refusal = SignAnswer::refused(request.header.hash(), reason);
	mqtt.deliver(&Topic::Signed.of(&meter_name(METER)), refusal.to_json()).await;
	// The log that was missing comes now, and is not too late.
	publish(&mut mqtt, 0..1, "1").await;
	tokio::time::sleep(Duration::from_millis(2_100)).await;
	let batch = flushed(&gateway).await;
	let request = asked(&mut mqtt).await;
	assert_eq!((request.leaves, request.header.sequence), (2, 0));
	answer(&mut mqtt, &request, &key).await;
	gateway.wait_for(&batch, BatchState::Accepted).await;
	assert!(gateway.dead_letters().await.is_empty());
	gateway.stop().await;
}

#[tokio::test]
async fn a_chain_that_is_away_is_waited_for_and_a_lost_answer_makes_no_duplicate() {
	let (desk, chain) = Desk::anonymous().with_chain();
	let key = device_key("gateway");
	chain.certify(METER, &key, Trust::Gateway, Direction::Export);
	let gateway = desk.start(vec![key]).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	publish(&mut mqtt, 0..1, "1").await;
	chain.lose_answers(2);
	let batch = flushed(&gateway).await;
	gateway.wait_for(&batch, BatchState::Accepted).await;
	assert_eq!(chain.meter_state(0).registers.export_wh, 1_000);
	chain.away(true);
	publish(&mut mqtt, 1..2, "1").await;
	let batch = flushed(&gateway).await;
	gateway.wait_for(&batch, BatchState::Signed).await;
	tokio::time::sleep(Duration::from_millis(300)).await;
	assert_eq!(gateway.client.batch(&batch).await.unwrap().on_chain, BatchState::Signed);
	assert!(gateway.client.status().await.unwrap().run.trouble.is_some());
	chain.away(false);
	gateway.wait_for(&batch, BatchState::Accepted).await;
	assert_eq!(gateway.client.status().await.unwrap().run.trouble, None);
	assert_eq!(chain.meter_state(0).registers.export_wh, 2_000);
	gateway.stop().await;
}

#[tokio::test]
async fn a_batch_that_went_in_unnoticed_is_known_even_when_the_chain_has_dropped_its_row() {
	let (desk, chain) = Desk::anonymous().with_chain();
	let key = device_key("gateway");
	chain.certify(METER, &key, Trust::Gateway, Direction::Export);
	let gateway = desk.start(vec![key]).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	publish(&mut mqtt, 0..1, "1").await;
	gateway.wait_for(&flushed(&gateway).await, BatchState::Accepted).await;
	chain.away(true);
	let mut batches = Vec::new();
	for slot in 1..5 {
		publish(&mut mqtt, slot..slot + 1, "1").await;
		batches.push(flushed(&gateway).await);
		gateway.wait_for(batches.last().unwrap(), BatchState::Signed).await;
	}
	chain.forget_batches();
	chain.lose_answers(1);
	chain.away(false);
	for batch in &batches {
		gateway.wait_for(batch, BatchState::Accepted).await;
	}
	assert_eq!(chain.meter_state(0).next_sequence, 5);
	assert_eq!(chain.meter_state(0).registers.export_wh, 5_000);
	gateway.stop().await;
}

#[tokio::test]
async fn a_gateway_that_starts_while_the_chain_is_away_takes_readings_and_settles_them_later() {
	let (desk, chain) = Desk::anonymous().with_chain();
	let key = device_key("gateway");
	chain.certify(METER, &key, Trust::Gateway, Direction::Export);
	chain.away(true);
	let mut desk = desk;
	desk.settings.refresh = Duration::from_millis(100);
	let gateway = desk.start(vec![key]).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	publish(&mut mqtt, 0..2, "1").await;
	// Nobody knows yet whether the meter is certified: nothing is decided.
	assert!(gateway.client.flush().await.is_err());
	chain.away(false);
	let begin = std::time::Instant::now();
	let batch = loop {
		assert!(begin.elapsed() < Duration::from_secs(20));
		match gateway.client.flush().await {
			Ok(batch) => break batch.id,
			Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
		}
	};
	gateway.wait_for(&batch, BatchState::Accepted).await;
	gateway.stop().await;
}

#[tokio::test]
async fn what_was_signed_before_a_crash_is_on_chain_once_after_it() {
	let (desk, chain) = Desk::anonymous().with_chain();
	let seed = zeroize::Zeroizing::new([5; 32]);
	let key = || SealedKey::from_seed(seed.clone(), None, None);
	chain.certify(METER, &key(), Trust::Gateway, Direction::Export);
	for round in 0..4u64 {
		let gateway = desk.start(vec![key()]).await;
		let mut mqtt = gateway.mqtt("meter", None).await;
		publish(&mut mqtt, round..round + 1, "1").await;
		chain.away(round % 2 == 0);
		chain.lose_answers(u32::from(round == 3));
		let _ = gateway.client.flush().await;
		tokio::time::sleep(Duration::from_millis(60 * round)).await;
		gateway.stop().await;
		chain.away(false);
	}
	let gateway = desk.start(vec![key()]).await;
	let begin = std::time::Instant::now();
	while chain.meter_state(0).registers.export_wh < 4_000 {
		assert!(begin.elapsed() < Duration::from_secs(30));
		let _ = gateway.client.flush().await;
		tokio::time::sleep(Duration::from_millis(100)).await;
	}
	tokio::time::sleep(Duration::from_millis(300)).await;
	assert_eq!(chain.meter_state(0).registers.export_wh, 4_000);
	gateway.stop().await;
}

#[tokio::test]
async fn a_batch_that_the_chain_refuses_is_parked_with_its_reason_and_can_be_rebuilt() {
	let (desk, chain) = Desk::anonymous().with_chain();
	let key = device_key("gateway");
	chain.certify(METER, &key, Trust::Gateway, Direction::Export);
	chain.away(false);
	let gateway = desk.start(vec![]).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	publish(&mut mqtt, 0..1, "1").await;
	// No key: it waits for a signature. Meanwhile the meter is exchanged.
	let batch = flushed(&gateway).await;
	gateway.wait_for(&batch, BatchState::Unsigned).await;
	gateway.stop().await;
	chain.set_registers(0, Registers { import_wh: 0, export_wh: 500 });
	let gateway = desk.start(vec![key]).await;
	let parked = gateway.wait_for(&batch, BatchState::Parked).await;
	assert!(parked.reason.unwrap().starts_with("register_fell"));
	assert!(gateway.client.flush().await.is_err(), "what follows waits for a decision");
	assert_eq!(gateway.client.rebuild(&batch).await.unwrap().batches, 1);
	let rebuilt = flushed(&gateway).await;
	gateway.wait_for(&rebuilt, BatchState::Accepted).await;
	assert_eq!(chain.meter_state(0).registers.export_wh, 1_500);
	let refused = gateway.client.retry(&rebuilt).await.unwrap_err();
	assert!(matches!(refused, ClientError::Refused { status: 409, .. }), "{refused}");
	gateway.stop().await;
}

#[tokio::test]
async fn certificates_decide_what_is_taken() {
	let (desk, chain) = Desk::new().with_chain();
	let password = desk.add_device("one", "A", "1");
	chain.certify(METER, &device_key("k"), Trust::Device, Direction::Export);
	chain.certify("A/1/two", &device_key("l"), Trust::Device, Direction::Both);
	let gateway = desk.start(vec![]).await;
	let mut mqtt = gateway.mqtt("meter", Some(("one", password.as_str()))).await;
	mqtt.deliver(&topic(METER), reading(METER, 0, "1", "\"import\"")).await;
	// 10 kW for a quarter of an hour, and a tenth more.
	mqtt.deliver(&topic(METER), reading(METER, 0, "2.751", "")).await;
	mqtt.deliver(&topic(METER), reading(METER, 0, "2.75", "")).await;
	mqtt.deliver(&topic("A/1/two"), reading("A/1/two", 0, "1", "")).await;
	// Over HTTP the meter is certified, too: its logs need its device's credentials.
	let (status, answer) = gateway.post("/api/v1/logs", reading(METER, 1, "1", "")).await;
	assert_eq!((status, answer["error"].as_str()), (401, Some("unproven")));
	let proven = gateway
		.http
		.post(format!("{}/api/v1/logs", gateway.url))
		.basic_auth("one", Some(&password))
		.body(reading(METER, 1, "1", ""))
		.send()
		.await
		.unwrap();
	assert_eq!(proven.status(), 200);
	let wanted = ["direction_not_certified", "too_much_energy", "no_direction", "unproven"];
	assert_eq!(gateway.dead_letters().await, wanted);
	let (_, meters) = gateway.get("/api/v1/meters?meter=m").await;
	assert_eq!((&meters[0]["certified"], &meters[0]["pending"]), (&true.into(), &2.into()));
	gateway.stop().await;
}

#[tokio::test]
async fn a_reading_for_time_that_is_sealed_comes_too_late() {
	let (desk, chain) = Desk::anonymous().with_chain();
	let key = device_key("gateway");
	chain.certify(METER, &key, Trust::Gateway, Direction::Export);
	let gateway = desk.start(vec![key]).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	publish(&mut mqtt, 4..6, "1").await;
	gateway.wait_for(&flushed(&gateway).await, BatchState::Accepted).await;
	publish(&mut mqtt, 3..4, "1").await;
	assert_eq!(gateway.dead_letters().await, ["late"]);
	gateway.stop().await;
}

#[tokio::test]
async fn a_batch_never_spans_two_days_and_many_go_in_one_transaction() {
	let (desk, chain) = Desk::anonymous().with_chain();
	let mut keys = Vec::new();
	for meter in 0..20 {
		let key = device_key("gateway");
		chain.certify(&format!("A/1/m{meter}"), &key, Trust::Gateway, Direction::Export);
		keys.push(key);
	}
	let gateway = desk.start(keys).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	for meter in 0..20 {
		let name = format!("A/1/m{meter}");
		for slot in [94, 95, 96] {
			mqtt.deliver(&topic(&name), reading(&name, slot, "1", "")).await;
		}
	}
	let first = gateway.client.flush().await.unwrap();
	assert_eq!((first.log_count, first.also.len()), (2, 19));
	gateway.wait_for(&first.id, BatchState::Accepted).await;
	gateway.wait_for(first.also.last().unwrap(), BatchState::Accepted).await;
	let second = gateway.client.flush().await.unwrap();
	assert_eq!((second.log_count, second.also.len()), (1, 19));
	gateway.wait_for(second.also.last().unwrap(), BatchState::Accepted).await;
	assert!(chain.calls().iter().any(|batches| *batches > 1), "{:?}", chain.calls());
	assert_eq!(chain.meter_state(7).registers.export_wh, 3_000);
	gateway.stop().await;
}

#[tokio::test]
async fn readings_of_nobody_never_get_on_chain() {
	let (desk, chain) = Desk::new().with_chain();
	let key = device_key("gateway");
	let mut desk = desk;
	desk.settings.refresh = Duration::from_millis(50);
	let gateway = desk.start(vec![]).await;
	// Before the meter is certified anybody may send over HTTP, as to the older gateway.
	let (status, _) = gateway.post("/api/v1/logs", reading(METER, 0, "1", "")).await;
	assert_eq!(status, 200);
	chain.certify(METER, &key, Trust::Gateway, Direction::Export);
	let begin = std::time::Instant::now();
	while gateway.get("/api/v1/meters").await.1[0]["certified"] != true {
		assert!(begin.elapsed() < Duration::from_secs(10));
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	let batch = gateway.client.flush().await.unwrap();
	assert_eq!(batch.on_chain, BatchState::NotCertified);
	assert_eq!(chain.meter_state(0).next_sequence, 0);
	gateway.stop().await;
}

#[tokio::test]
async fn one_batch_that_the_pool_refuses_does_not_hold_up_the_others() {
	let (desk, chain) = Desk::anonymous().with_chain();
	let mut keys = Vec::new();
	for meter in 0..4 {
		let key = device_key("gateway");
		chain.certify(&format!("A/1/m{meter}"), &key, Trust::Gateway, Direction::Export);
		keys.push(key);
	}
	chain.poison(Some(0));
	let gateway = desk.start(keys).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	for meter in 0..4 {
		let name = format!("A/1/m{meter}");
		mqtt.deliver(&topic(&name), reading(&name, 0, "1", "")).await;
	}
	let first = gateway.client.flush().await.unwrap();
	for batch in &first.also {
		gateway.wait_for(batch, BatchState::Accepted).await;
	}
	assert_eq!(gateway.client.batch(&first.id).await.unwrap().on_chain, BatchState::Signed);
	gateway.stop().await;
}

/// Takes the next notice of a refusal.
async fn notice(mqtt: &mut Mqtt) -> RefusalNotice {
	loop {
		match mqtt.next().await {
			Happened::Message(topic, payload) => {
				assert_eq!(topic, Topic::Refused.of(&meter_name(METER)));
				return RefusalNotice::parse(payload.as_bytes()).unwrap();
			},
			Happened::Acknowledged => (),
			other => panic!("{other:?}"),
		}
	}
}

fn leaf(log: &str) -> gridproof_primitives::H256 {
	EnergyLog::parse(log.as_bytes()).unwrap().leaf_hash()
}

#[tokio::test]
async fn a_device_is_told_which_of_its_readings_is_not_kept_and_batches_go_on() {
	let (desk, chain) = Desk::new().with_chain();
	let password = desk.add_device("one", "A", "1");
	let key = device_key("A/1/m");
	chain.certify(METER, &key, Trust::Device, Direction::Export);
	let gateway = desk.start(vec![]).await;
	let mut mqtt = gateway.mqtt("meter", Some(("one", password.as_str()))).await;
	assert!(mqtt.subscribe("energy/A/1/m/sign").await);
	assert!(mqtt.subscribe("energy/A/1/m/refused").await);
	publish(&mut mqtt, 0..1, "1").await;
	// 48.75 kWh in a quarter of an hour, through a meter of 10 kW; and what cannot be read at all.
	for (log, reason) in [
		(reading(METER, 1, "48.75", ""), "too_much_energy"),
		(reading(METER, 1, "-1", ""), "negative_energy"),
		(reading(METER, 1, "1", "\"import\""), "direction_not_certified"),
		(reading(METER, 0, "0.5", ""), "overlap"),
	] {
		mqtt.publish(&topic(METER), log.clone()).await;
		let notice = notice(&mut mqtt).await;
		assert_eq!(notice.reason, reason);
		let wanted =
			if reason == "negative_energy" { leaf_hash(log.as_bytes()) } else { leaf(&log) };
		assert_eq!(notice.leaf, wanted, "{reason}");
	}
	let mut mqtt = gateway.mqtt("meter", Some(("one", password.as_str()))).await;
	publish(&mut mqtt, 2..3, "1").await;
	assert!(mqtt.subscribe("energy/A/1/m/sign").await);
	let batch = flushed(&gateway).await;
	let request = asked(&mut mqtt).await;
	assert_eq!((request.leaves, request.header.closing.export_wh), (2, 2_000));
	answer(&mut mqtt, &request, &key).await;
	gateway.wait_for(&batch, BatchState::Accepted).await;
	assert_eq!(chain.meter_state(0).registers.export_wh, 2_000);
	gateway.stop().await;
}

#[tokio::test]
async fn what_the_device_before_an_exchange_has_left_blocks_no_batch_of_the_new_one() {
	// The gateway runs during the exchange, or is off; the old device's log waits, or is in a batch.
	for (is_off, is_batched) in [(false, false), (false, true), (true, true)] {
		let (mut desk, chain) = Desk::new().with_chain();
		desk.settings.refresh = Duration::from_millis(50);
		let password = desk.add_device("one", "A", "1");
		let login = Some(("one", password.as_str()));
		let (old, new) = (device_key("old"), device_key("new"));
		chain.certify(METER, &old, Trust::Device, Direction::Export);
		let mut gateway = desk.start(vec![]).await;
		let mut mqtt = gateway.mqtt("old", login).await;
		publish(&mut mqtt, 0..1, "1").await;
		let left = if is_batched { Some(flushed(&gateway).await) } else { None };
		if let Some(batch) = &left {
			gateway.wait_for(batch, BatchState::Unsigned).await;
		}
		drop(mqtt);
		if is_off {
			gateway.stop().await;
			chain.exchange(0, &new, Registers::default());
			gateway = desk.start(vec![]).await;
		} else {
			chain.exchange(0, &new, Registers::default());
		}
		if let Some(batch) = &left {
			gateway.wait_for(batch, BatchState::Dissolved).await;
		}
		// The gateway asks for all meters twenty times a second: it has learnt of the exchange.
		tokio::time::sleep(Duration::from_millis(500)).await;
		let mut mqtt = gateway.mqtt("new", login).await;
		assert!(mqtt.subscribe("energy/A/1/m/sign").await);
		// The first one has the very time of the old device's. The new device is asked for nothing but
		// its own: a question in between would come instead of the acknowledgement.
		for slot in 0..3 {
			mqtt.deliver(&topic(METER), reading(METER, slot, "2", "")).await;
		}
		let batch = flushed(&gateway).await;
		let request = asked(&mut mqtt).await;
		let closing_wh = request.header.closing.export_wh;
		assert_eq!((request.leaves, request.header.sequence, closing_wh), (3, 0, 6_000));
		answer(&mut mqtt, &request, &new).await;
		gateway.wait_for(&batch, BatchState::Accepted).await;
		let parked = gateway.client.status().await.unwrap().counts.parked;
		assert_eq!((parked, gateway.dead_letters().await), (0, vec!["predecessor".to_string()]));
		// The old device wakes up and sends what it had again.
		mqtt.deliver(&topic(METER), reading(METER, 0, "1", "")).await;
		assert_eq!(gateway.storage().pending().await.unwrap(), []);
		assert_eq!(gateway.dead_letters().await, ["predecessor"; 2]);
		gateway.stop().await;
	}
}

#[tokio::test]
async fn registers_that_are_read_at_other_times_than_each_other_stop_no_meter() {
	let (mut desk, chain) = Desk::anonymous().with_chain();
	desk.settings.batching.max_readings = 4;
	let keys = [device_key("one"), device_key("two")];
	chain.certify(METER, &keys[0], Trust::Gateway, Direction::Both);
	chain.certify("A/1/z", &keys[1], Trust::Gateway, Direction::Export);
	let gateway = desk.start(keys.into()).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	let start = (now_ms() / MILLIS_PER_DAY - 2) * MILLIS_PER_DAY;
	for number in 0..12u64 {
		let tag = if number % 2 == 0 { "\"import\"" } else { "\"export\"" };
		// An hour each, half an hour after one another.
		let text = reading(METER, 0, "1", tag);
		let log: EnergyLog = EnergyLog::parse(text.as_bytes()).unwrap();
		let at = |ms: u64| gridproof_primitives::energy::emlog::format_utc(ms);
		let (from, to) = (start + number * 1_800_000, start + number * 1_800_000 + 3_600_000);
		let text = text
			.replace(&at(log.start_ms), &at(from))
			.replace(&at(log.end_ms), &at(to))
			.replace("\"interval_s\":900", "\"interval_s\":3600");
		mqtt.deliver(&topic(METER), text).await;
	}
	mqtt.deliver(&topic("A/1/z"), reading("A/1/z", 0, "1", "")).await;
	let begin = std::time::Instant::now();
	while !gateway.storage().pending().await.unwrap().is_empty() {
		assert!(begin.elapsed() < Duration::from_secs(20), "batching continues");
		let flush = tokio::time::timeout(Duration::from_secs(5), gateway.client.flush());
		let _ = flush.await.expect("no round is endless");
		tokio::time::sleep(Duration::from_millis(50)).await;
	}
	// Each cut costs the one reading that is on both of its sides.
	assert_eq!(gateway.dead_letters().await, ["late", "late"]);
	while chain.meter_state(0).next_sequence < 3 || chain.meter_state(1).next_sequence < 1 {
		assert!(begin.elapsed() < Duration::from_secs(30));
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	gateway.stop().await;
}

#[tokio::test]
async fn nobody_without_credentials_takes_the_time_of_a_device() {
	let (mut desk, chain) = Desk::new().with_chain();
	desk.settings.refresh = Duration::from_millis(50);
	let password = desk.add_device("one", "A", "1");
	// While the chain cannot be asked every meter may be certified.
	chain.away(true);
	let gateway = desk.start(vec![]).await;
	let (status, answer) = gateway.post("/api/v1/logs", reading(METER, 0, "9", "")).await;
	assert_eq!((status, &answer["error"]), (401, &"unproven".into()));
	chain.away(false);
	tokio::time::sleep(Duration::from_secs(6)).await;
	// Before its certification a stranger sends for it: a day at once, but not more.
	let long = reading(METER, 1, "9", "").replace("900", "90000");
	let start = (now_ms() / MILLIS_PER_DAY - 30) * MILLIS_PER_DAY + 900_000;
	let at = gridproof_primitives::energy::emlog::format_utc;
	let long = long.replace(&at(start + 900_000), &at(start + 90_000_000));
	let (status, answer) = gateway.post("/api/v1/logs", long).await;
	assert_eq!((status, &answer["error"]), (422, &"interval_too_long".into()));
	for slot in 0..4 {
		let (status, _) = gateway.post("/api/v1/logs", reading(METER, slot, "9", "")).await;
		assert_eq!(status, 200);
	}
	// In a batch, even.
	let batch = gateway.client.flush().await.unwrap();
	assert_eq!(batch.on_chain, BatchState::NotCertified);
	let key = device_key("A/1/m");
	chain.certify(METER, &key, Trust::Device, Direction::Export);
	let begin = std::time::Instant::now();
	while gateway.get("/api/v1/meters").await.1[0]["certified"] != true {
		assert!(begin.elapsed() < Duration::from_secs(10));
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	let letters = gateway.dead_letters().await.len();
	let mut mqtt = gateway.mqtt("meter", Some(("one", password.as_str()))).await;
	publish(&mut mqtt, 0..4, "1").await;
	assert_eq!(gateway.dead_letters().await.len(), letters, "all four are taken");
	assert!(mqtt.subscribe("energy/A/1/m/sign").await);
	flushed(&gateway).await;
	assert_eq!(asked(&mut mqtt).await.header.closing.export_wh, 4_000);
	gateway.stop().await;
}

#[tokio::test]
async fn a_reading_from_before_the_certified_service_is_refused_when_it_comes() {
	let (desk, chain) = Desk::anonymous().with_chain();
	let key = device_key("gateway");
	chain.certify(METER, &key, Trust::Gateway, Direction::Export);
	chain.begin_service(0, now_ms() - MILLIS_PER_DAY);
	let gateway = desk.start(vec![key]).await;
	// A clock of 1970, and one that is a month behind.
	let old = std::fs::read_to_string(concat!(
		env!("CARGO_MANIFEST_DIR"),
		"/tests/data/log-clock-1970.json"
	));
	let old = old.unwrap().replace("PLANT-01", "A").replace("gw-1", "1").replace("MTR-001", "m");
	for log in [old, reading(METER, 0, "1", "")] {
		let (status, answer) = gateway.post("/api/v1/logs", log).await;
		assert_eq!((status, &answer["error"]), (409, &"late".into()), "{answer}");
	}
	assert_eq!(gateway.storage().counts().await.unwrap().readings, 0);
	gateway.stop().await;
}

#[tokio::test]
async fn readings_of_a_suspended_meter_are_taken_since_its_device_has_them_on_its_list() {
	let (desk, chain) = Desk::anonymous().with_chain();
	chain.certify(METER, &device_key("A/1/m"), Trust::Device, Direction::Export);
	chain.suspend(0);
	let gateway = desk.start(vec![]).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	publish(&mut mqtt, 0..2, "1").await;
	assert_eq!(gateway.storage().counts().await.unwrap().pending, 2);
	assert!(gateway.dead_letters().await.is_empty());
	gateway.stop().await;
}

#[tokio::test]
async fn a_parked_batch_can_be_given_up_and_its_meter_goes_on() {
	let (desk, chain) = Desk::new().with_chain();
	let password = desk.add_device("one", "A", "1");
	let key = device_key("A/1/m");
	chain.certify(METER, &key, Trust::Device, Direction::Export);
	let gateway = desk.start(vec![]).await;
	let mut mqtt = gateway.mqtt("meter", Some(("one", password.as_str()))).await;
	publish(&mut mqtt, 0..2, "1").await;
	let batch = flushed(&gateway).await;
	let row = gateway.client.batch(&batch).await.unwrap();
	let refused = gateway.client.give_up(&row.id).await.unwrap_err();
	assert!(matches!(refused, ClientError::Refused { status: 409, .. }), "{refused}");
	let rows = gateway.storage().in_state(BatchState::Unsigned, 0, 10).await.unwrap();
	let reason = "the device refuses to sign".to_string();
	let parked = gridproof_gateway::Settled::Parked { row: rows[0].row, reason };
	gateway.storage().settle(vec![parked]).await.unwrap();
	assert!(mqtt.subscribe("energy/A/1/m/refused").await);
	let decision = gateway.client.give_up(&batch).await.unwrap();
	assert_eq!((decision.batches, decision.readings), (1, 2));
	assert_eq!(notice(&mut mqtt).await.reason, "given_up");
	assert_eq!(notice(&mut mqtt).await.reason, "given_up");
	// Rebuilding what is given up already is not an error: both are documented, in any order.
	assert_eq!(gateway.client.rebuild(&batch).await.unwrap().batches, 0);
	publish(&mut mqtt, 2..3, "1").await;
	assert!(mqtt.subscribe("energy/A/1/m/sign").await);
	let batch = flushed(&gateway).await;
	let request = asked(&mut mqtt).await;
	assert_eq!((request.leaves, request.header.sequence), (1, 0));
	answer(&mut mqtt, &request, &key).await;
	gateway.wait_for(&batch, BatchState::Accepted).await;
	gateway.stop().await;
}

#[tokio::test]
async fn a_node_that_hangs_holds_up_one_question_and_not_one_for_each_meter() {
	let (mut desk, chain) = Desk::anonymous().with_chain();
	desk.settings.refresh = Duration::from_secs(3_600);
	let mut keys = Vec::new();
	for meter in 0..30 {
		let key = device_key("gateway");
		chain.certify(&format!("A/1/m{meter}"), &key, Trust::Gateway, Direction::Export);
		keys.push(key);
	}
	let gateway = desk.start(keys).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	for meter in 0..30 {
		let name = format!("A/1/m{meter}");
		mqtt.deliver(&topic(&name), reading(&name, 0, "1", "")).await;
	}
	mqtt.deliver(&topic("B/1/m"), reading("B/1/m", 0, "1", "")).await;
	// What the chain said of them is too old by now to make a batch on.
	tokio::time::sleep(Duration::from_millis(5_200)).await;
	chain.hang(true);
	let (begin, asked) = (std::time::Instant::now(), chain.questions());
	let batch = gateway.client.flush().await.unwrap();
	// One question waits, without success; the others have the same failure at once.
	assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
	assert_eq!(chain.questions() - asked, 1);
	// Who is not on that chain waits for nothing else.
	assert_eq!((batch.on_chain, batch.log_count), (BatchState::NotCertified, 1));
	chain.hang(false);
	let begin = std::time::Instant::now();
	while (0..30).any(|meter| chain.meter_state(meter).next_sequence == 0) {
		assert!(begin.elapsed() < Duration::from_secs(40), "the chain is asked again");
		let _ = gateway.client.flush().await;
		tokio::time::sleep(Duration::from_millis(200)).await;
	}
	gateway.stop().await;
}

#[tokio::test]
async fn soon_after_a_node_answers_again_the_status_says_so_and_batches_continue() {
	let (mut desk, chain) = Desk::anonymous().with_chain();
	desk.settings.refresh = Duration::from_secs(3_600);
	desk.settings.batching.max_age = Duration::from_millis(50);
	let key = device_key("gateway");
	chain.certify(METER, &key, Trust::Gateway, Direction::Export);
	let gateway = desk.start(vec![key]).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	publish(&mut mqtt, 0..1, "1").await;
	let wait = async |what: &str, limit: u64, mut is_so: Box<dyn FnMut(Option<String>) -> bool>| {
		let begin = std::time::Instant::now();
		while !is_so(gateway.client.status().await.unwrap().run.trouble) {
			assert!(begin.elapsed() < Duration::from_secs(limit), "{what}: not after {limit} s");
			tokio::time::sleep(Duration::from_millis(50)).await;
		}
	};
	let of_chain = chain.clone();
	let is_on_chain = move |count| of_chain.meter_state(0).next_sequence == count;
	let first = is_on_chain.clone();
	wait("the first batch is on chain", 20, Box::new(move |_| first(1))).await;
	// What the chain said of the meter is too old by then to make a batch on.
	tokio::time::sleep(Duration::from_millis(5_200)).await;
	chain.hang(true);
	publish(&mut mqtt, 1..2, "1").await;
	let says = |trouble: Option<String>| trouble.is_some_and(|said| said.contains("batching: "));
	wait("the status names the node", 15, Box::new(says)).await;
	chain.hang(false);
	let is_well = move |trouble: Option<String>| trouble.is_none() && is_on_chain(2);
	wait("the node is back", 12, Box::new(is_well)).await;
	gateway.stop().await;
}

#[tokio::test]
async fn what_an_outage_has_left_over_is_refused_with_the_way_that_works() {
	let (desk, chain) = Desk::anonymous().with_chain();
	let key = device_key("gateway");
	chain.certify(METER, &key, Trust::Gateway, Direction::Export);
	let gateway = desk.start(vec![key]).await;
	// 48.75 kWh through a meter of 10 kW: in a quarter of an hour, and in the ten hours that it took.
	let catch_up = reading(METER, 39, "48.75", "");
	let (status, answer) = gateway.post("/api/v1/logs", catch_up.as_str()).await;
	assert_eq!((status, &answer["error"]), (422, &"too_much_energy".into()));
	let detail = answer["detail"].as_str().unwrap();
	let way = "with the interval in which it was measured, and the status estimated";
	assert!(detail.contains("2750 Wh") && detail.contains(way), "{detail}");
	let at = gridproof_primitives::energy::emlog::format_utc;
	let log = EnergyLog::parse(catch_up.as_bytes()).unwrap();
	let over = catch_up
		.replace(&at(log.start_ms), &at(log.end_ms - 36_000_000))
		.replace("\"interval_s\":900", "\"interval_s\":36000")
		.replace("\"status\":\"ok\"", "\"status\":\"estimated\"");
	let (status, answer) = gateway.post("/api/v1/logs", over).await;
	assert_eq!(status, 200, "{answer}");
	// What was measured since comes behind it, and all of it is on chain.
	let (status, _) = gateway.post("/api/v1/logs", reading(METER, 40, "1", "")).await;
	assert_eq!(status, 200);
	gateway.wait_for(&flushed(&gateway).await, BatchState::Accepted).await;
	assert_eq!(chain.meter_state(0).registers.export_wh, 49_750);
	gateway.stop().await;
}

#[tokio::test]
async fn a_backlog_that_comes_behind_its_newest_reading_is_in_one_batch_with_it() {
	let (desk, chain) = Desk::anonymous().with_chain();
	let key = device_key("gateway");
	chain.certify(METER, &key, Trust::Gateway, Direction::Export);
	let gateway = desk.start(vec![key]).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	// Until its batch is closed, which is 15 minutes after the first one came, order does not matter.
	for slot in (0..10).rev() {
		publish(&mut mqtt, slot..slot + 1, "1").await;
	}
	let batch = gateway.wait_for(&flushed(&gateway).await, BatchState::Accepted).await;
	assert_eq!((batch.log_count, chain.meter_state(0).registers.export_wh), (10, 10_000));
	assert!(gateway.dead_letters().await.is_empty());
	gateway.stop().await;
}
