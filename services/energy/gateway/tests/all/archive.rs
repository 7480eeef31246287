//! What is settled moves into files, and everybody who asks for it gets it as before.

use crate::common::{Desk, Running, anchor, reading, topic};
use gridproof_gateway::{Archiving, NewBatch, Page, Selection};
use gridproof_gateway_api::BatchState;
use gridproof_primitives::{
	codec::cid::Cid,
	crypto::merkle::{self, document::ProofDocument},
	energy::{Direction, Trust, emlog::batch_file},
};
use gridproof_support::clock::now_ms;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const METER: &str = "A/1/m";

/// Everything that is answered of a reading and its batch.
async fn answers(gateway: &Running, log: &str, batch: &str) -> Vec<String> {
	let batch_path = format!("/api/v1/batches/{batch}");
	let (_, view) = gateway.get(&batch_path).await;
	let paths = [
		format!("/api/v1/logs/{log}"),
		format!("/api/v1/logs/{log}/proof"),
		batch_path.clone(),
		format!("{batch_path}/export"),
		format!("/api/v1/cid/{}", view["cid"].as_str().unwrap()),
	];
	let mut answers = Vec::new();
	for path in paths {
		let (status, text) = gateway.get_text(&path).await;
		assert_eq!(status, 200, "{path}: {text}");
		answers.push(text);
	}
	answers
}

async fn archived(gateway: &Running, before_ms: u64) {
	assert!(gateway.storage().archive(before_ms, false).await.unwrap());
	while gateway.storage().prune().await.unwrap() > 0 {}
}

#[tokio::test]
async fn a_proof_of_an_archived_reading_is_served_as_before_also_after_a_restart() {
	let (desk, chain) = Desk::anonymous().with_chain();
	let seed = zeroize::Zeroizing::new([5; 32]);
	let key = || gridproof_keys::SealedKey::from_seed(seed.clone(), None, None);
	chain.certify(METER, &key(), Trust::Gateway, Direction::Export);
	let gateway = desk.start(vec![key()]).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	let mut batches = Vec::new();
	for slot in [0, 3] {
		for slot in slot..slot + 3 {
			mqtt.deliver(&topic(METER), reading(METER, slot, "0.5", "")).await;
		}
		let batch = gateway.client.flush().await.unwrap().id;
		gateway.wait_for(&batch, BatchState::Accepted).await;
		batches.push(batch);
	}
	let view = gateway.client.batch(&batches[0]).await.unwrap();
	let log = view.log_ids[1].clone();
	let before = answers(&gateway, &log, &batches[0]).await;
	archived(&gateway, now_ms() + 1).await;
	let counts = gateway.client.status().await.unwrap().counts;
	assert_eq!((counts.readings, counts.batches), (3, 1));
	assert_eq!((counts.archived_readings, counts.archived_batches), (3, 1));
	assert_eq!(answers(&gateway, &log, &batches[0]).await, before);
	let document = ProofDocument::parse(before[1].as_bytes()).unwrap();
	assert!(document.verify(None).unwrap().log_checked);
	// Nothing changes there any more.
	let (status, answer) =
		gateway.put(&format!("/api/v1/batches/{}/anchor", batches[0]), anchor("pending")).await;
	assert_eq!((status, &answer["error"]), (409, &json!("archived")));
	// The meter continues where it was, and its archived time stays taken.
	let (status, answer) = gateway.post("/api/v1/logs", reading(METER, 0, "0.5", "")).await;
	assert_eq!((status, &answer["error"]), (409, &json!("late")));
	gateway.stop().await;
	let gateway = desk.start(vec![key()]).await;
	assert_eq!(answers(&gateway, &log, &batches[0]).await, before);
	let mut mqtt = gateway.mqtt("meter", None).await;
	mqtt.deliver(&topic(METER), reading(METER, 6, "0.5", "")).await;
	let batch = gateway.client.flush().await.unwrap().id;
	gateway.wait_for(&batch, BatchState::Accepted).await;
	assert_eq!(chain.meter_state(0).registers.export_wh, 3_500);
	gateway.stop().await;
}

#[tokio::test]
async fn an_archive_that_was_altered_proves_nothing() {
	let desk = Desk::new();
	let gateway = desk.start(vec![]).await;
	let (_, log) = gateway.post("/api/v1/logs", reading(METER, 0, "1", "")).await;
	gateway.post("/api/v1/batches/flush", "").await;
	archived(&gateway, now_ms() + 1).await;
	let path = format!("/api/v1/logs/{}/proof", log["id"].as_str().unwrap());
	assert_eq!(gateway.get(&path).await.0, 200);
	let file = std::fs::read_dir(desk.path("archive")).unwrap().next().unwrap().unwrap().path();
	let text = std::fs::read_to_string(&file).unwrap();
	std::fs::write(&file, text.replace("\"energy_kwh\":1,", "\"energy_kwh\":9,")).unwrap();
	let (status, answer) = gateway.get(&path).await;
	assert_eq!((status, &answer["error"]), (500, &json!("altered")));
	gateway.stop().await;
}

#[tokio::test]
async fn the_gateway_archives_on_its_own_what_is_old_enough_and_takes_readings_meanwhile() {
	let mut desk = Desk::anonymous();
	desk.settings.archiving =
		Some(Archiving { tick: Duration::from_millis(100), ..Archiving::after(Duration::ZERO) });
	let gateway = desk.start(vec![]).await;
	let (mut ids, mut rows) = (Vec::new(), Vec::new());
	for slot in 0..20 {
		let (_, log) = gateway.post("/api/v1/logs", reading(METER, slot, "1", "")).await;
		ids.push(log["id"].as_str().unwrap().to_string());
	}
	// As if they had been batched the day before yesterday.
	let others = Selection::Others(Vec::new());
	let readings = gateway.storage().unbatched(others, 100).await.unwrap();
	rows.extend(readings.iter().map(|reading| reading.row));
	let leaves: Vec<_> = readings.iter().map(|reading| reading.leaf).collect();
	let batch = NewBatch {
		created_ms: now_ms() - 48 * 3_600_000,
		meter: None,
		rows,
		root: merkle::root(&leaves),
		cid: Cid::of(&batch_file(readings.iter().map(|reading| reading.body.as_str()))),
		start_ms: readings[0].start_ms,
		end_ms: readings[19].end_ms,
		on_chain: None,
		device: None,
		forced: false,
	};
	gateway.storage().seal(batch).await.unwrap().unwrap();
	let begin = Instant::now();
	let mut slot = 20;
	while gateway.storage().counts().await.unwrap().archived_batches == 0
		|| gateway.storage().counts().await.unwrap().batches > 0
	{
		assert!(begin.elapsed() < Duration::from_secs(20), "it is archived and deleted");
		let (status, _) = gateway.post("/api/v1/logs", reading(METER, slot, "1", "")).await;
		assert_eq!(status, 200);
		slot += 1;
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	for id in &ids {
		let (status, proof) = gateway.get_text(&format!("/api/v1/logs/{id}/proof")).await;
		assert_eq!(status, 200);
		ProofDocument::parse(proof.as_bytes()).unwrap().verify(None).unwrap();
	}
	// Today's batch stays.
	gateway.post("/api/v1/batches/flush", "").await;
	tokio::time::sleep(Duration::from_millis(400)).await;
	assert_eq!(gateway.storage().counts().await.unwrap().batches, 1);
	let (_, status) = gateway.get("/api/v1/status").await;
	assert_eq!(status["trouble"], Value::Null);
	gateway.stop().await;
}

#[tokio::test]
async fn a_flood_of_refused_messages_pushes_out_no_other_and_no_reading() {
	let mut desk = Desk::anonymous();
	desk.settings.max_bytes = Some(4 << 20);
	let gateway = desk.start(vec![]).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	// One of a device that its operator looks for, and then a plug with its telemetry.
	mqtt.deliver(&topic(METER), reading(METER, 0, "-1", "")).await;
	for number in 0..1_500 {
		mqtt.publish("energy/plug/1/tele", format!("{number:04000}")).await;
	}
	for _ in 0..1_500 {
		assert!(matches!(mqtt.next().await, crate::common::Happened::Acknowledged));
	}
	let page = Page { limit: 10_000, offset: 0, after: None, newest_first: false };
	let letters = gateway.storage().dead_letters(None, page).await.unwrap();
	assert_eq!(letters[0].reason, "negative_energy");
	let bytes: usize = letters.iter().map(|letter| letter.payload.len()).sum();
	assert!(bytes < (4 << 20) / 10 && letters.len() > 20, "{bytes} in {}", letters.len());
	// Exactly counted, all the same.
	let refused = gateway.client.status().await.unwrap().refused;
	let plug: u64 = refused.iter().filter(|r| r.reason != "negative_energy").map(|r| r.count).sum();
	assert_eq!(plug, 1_500);
	for slot in 0..500 {
		mqtt.deliver(&topic(METER), reading(METER, slot, "1", "")).await;
	}
	assert_eq!(gateway.storage().counts().await.unwrap().readings, 500);
	gateway.stop().await;
}
