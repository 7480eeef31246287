//! The HTTP API, as clients of the older gateway call it, and what it has more.

use crate::common::{Desk, anchor, reading, topic};
use gridproof_gateway::Parts;
use gridproof_gateway_api::AnchorWay;
use gridproof_primitives::{
	H256,
	codec::{cid::Cid, hexadecimal},
	crypto::merkle::{anchored::AnchorTree, document::ProofDocument},
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

const METER: &str = "PLANT-01/gw-PLANT01-003/MTR-001";

fn vectors() -> Value {
	let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../vectors/emlog.json");
	serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn a_client_of_the_older_gateway_gets_what_it_expects() {
	let gateway = Desk::new().start(vec![]).await;
	let (status, health) = gateway.get("/health").await;
	assert_eq!((status, &health["status"]), (200, &json!("ok")));
	assert!(health["time"].is_string());
	let vectors = vectors();
	let mut ids = Vec::new();
	for entry in vectors["logs"].as_array().unwrap() {
		let (status, answer) = gateway.post("/api/v1/logs", entry["log"].to_string()).await;
		assert_eq!(status, 200, "{answer}");
		for (name, value) in entry["log"].as_object().unwrap() {
			assert_eq!(&answer[name], value, "{name}");
		}
		let id = answer["id"].as_str().unwrap();
		assert!(id.starts_with("log_") && id.len() == 16, "{id}");
		assert_eq!(answer["batch_id"], Value::Null);
		assert_eq!(answer["leaf_hash"].as_str().unwrap().len(), 64);
		ids.push(id.to_string());
	}
	let (_, logs) = gateway.get("/api/v1/logs").await;
	assert_eq!(logs.as_array().unwrap().len(), 4);
	assert_eq!(logs[0]["id"], json!(ids[0]));
	let (status, refused) = gateway.get(&format!("/api/v1/logs/{}/proof", ids[0])).await;
	assert_eq!((status, &refused["error"]), (400, &json!("not_batched")));
	let (status, batch) = gateway.post("/api/v1/batches/flush", "").await;
	assert_eq!(status, 200, "{batch}");
	assert_eq!((&batch["log_count"], &batch["log_ids"]), (&json!(4), &json!(ids)));
	assert_eq!(batch["anchor_status"], json!("pending"));
	assert_eq!(batch["on_chain"], json!("not_certified"));
	for name in ["anchor_txid", "anchor_block_hash", "anchor_block_height", "anchor_block_time"] {
		assert_eq!(batch[name], Value::Null);
	}
	let (status, again) = gateway.post("/api/v1/batches/flush", "").await;
	assert_eq!((status, &again["error"]), (400, &json!("nothing_pending")));
	for (index, id) in ids.iter().enumerate() {
		let (status, proof) = gateway.get_text(&format!("/api/v1/logs/{id}/proof")).await;
		assert_eq!(status, 200);
		let json: Value = serde_json::from_str(&proof).unwrap();
		assert_eq!((&json["log_id"], &json["index"]), (&json!(id), &json!(index)));
		assert_eq!(
			(&json["batch_id"], &json["merkle_root"]),
			(&batch["id"], &batch["merkle_root"])
		);
		assert_eq!((&json["tree_size"], &json["scheme"]), (&json!(4), &json!("rfc6962")));
		let document = ProofDocument::parse(proof.as_bytes()).unwrap();
		assert!(document.verify(None).unwrap().log_checked);
	}
	let id = batch["id"].as_str().unwrap();
	let (_, export) = gateway.get(&format!("/api/v1/batches/{id}/export")).await;
	assert_eq!(export["batch"]["merkle_root"], batch["merkle_root"]);
	assert_eq!(export["logs"].as_array().unwrap().len(), 4);
	assert_eq!(export["logs"][2]["batch_id"], batch["id"]);
	let (_, batches) = gateway.get("/api/v1/batches").await;
	assert_eq!(batches[0]["id"], batch["id"]);
	gateway.stop().await;
}

#[tokio::test]
async fn roots_and_numbers_are_those_of_the_vectors() {
	let gateway = Desk::new().start(vec![]).await;
	let vectors = vectors();
	for n in 1..=3usize {
		for entry in &vectors["logs"].as_array().unwrap()[..n] {
			let (status, answer) =
				gateway.post("/api/v1/logs", entry["canonical_utf8"].as_str().unwrap()).await;
			assert_eq!(status, 200, "{answer}");
		}
		// The same logs again are in a batch already: only the new one is left.
		let (_, batch) = gateway.post("/api/v1/batches/flush", "").await;
		assert_eq!(batch["log_count"], json!(1));
		if n == 1 {
			assert_eq!(batch["merkle_root"], vectors["trees"][0]["rfc6962_root"]);
			assert_eq!(batch["cid"], vectors["cidv1_raw_of_canonical_log0"]);
		}
	}
	let (_, text) = gateway.get_text("/api/v1/logs?limit=1").await;
	assert!(text.contains("\"energy_kwh\":12.34,"), "{text}");
	gateway.stop().await;
}

#[tokio::test]
async fn the_same_reading_again_is_answered_alike_and_kept_once() {
	let gateway = Desk::new().start(vec![]).await;
	let (_, first) = gateway.post("/api/v1/logs", reading(METER, 0, "1.5", "")).await;
	let (status, again) = gateway.post("/api/v1/logs", reading(METER, 0, "1.5", "")).await;
	assert_eq!((status, &again), (200, &first));
	let (_, logs) = gateway.get("/api/v1/logs").await;
	assert_eq!(logs.as_array().unwrap().len(), 1);
	let (status, other) = gateway.post("/api/v1/logs", reading(METER, 0, "1.50", "")).await;
	assert_eq!((status, &other["error"]), (409, &json!("overlap")));
	// One for each direction has the same time, but not besides one without direction.
	let (status, _) = gateway.post("/api/v1/logs", reading(METER, 0, "1", "\"export\"")).await;
	assert_eq!(status, 409);
	for tag in ["\"import\"", "\"export\""] {
		let (status, answer) = gateway.post("/api/v1/logs", reading(METER, 1, "1", tag)).await;
		assert_eq!(status, 200, "{answer}");
	}
	assert_eq!(gateway.dead_letters().await, ["overlap", "overlap"]);
	gateway.stop().await;
}

#[tokio::test]
async fn what_is_refused_says_why_and_is_kept() {
	let gateway = Desk::new().start(vec![]).await;
	let good = reading(METER, 0, "1.5", "");
	let future = good.replace("T00:15:00Z", "T00:15:01Z");
	let cases = [
		("{".to_string(), 400, "malformed_json"),
		("[]".to_string(), 422, "not_an_object"),
		(good.replace("\"status\"", "\"Status\""), 422, "unknown_field"),
		(good.replace("1.5", "-1.5"), 422, "negative_energy"),
		(good.replace("\"ok\"", "\"fine\""), 422, "unknown_status"),
		(future, 422, "interval_mismatch"),
		(good.replace("[]", "[\"import\",\"export\"]"), 422, "both_directions"),
		(reading(METER, 96 * 31 + 95, "1", ""), 422, "from_the_future"),
	];
	for (body, status, error) in &cases {
		let (found, answer) = gateway.post("/api/v1/logs", body.as_str()).await;
		assert_eq!((found, &answer["error"]), (*status, &json!(error)), "{body}");
		assert!(answer["detail"].as_str().unwrap().len() > 10);
	}
	let wanted: Vec<&str> = cases.iter().map(|(_, _, error)| *error).collect();
	assert_eq!(gateway.dead_letters().await, wanted);
	let (_, letters) = gateway.get("/api/v1/dead-letters?reason=not_an_object").await;
	assert_eq!((&letters[0]["payload"], &letters[0]["source"]), (&json!("[]"), &json!("http")));
	gateway.post("/api/v1/logs", "[]").await;
	let (_, letters) = gateway.get("/api/v1/dead-letters?reason=not_an_object").await;
	assert_eq!(letters[0]["count"], json!(2));
	let (status, answer) = gateway.post("/api/v1/logs", "x".repeat(70_000)).await;
	assert_eq!((status, &answer["error"]), (413, &json!("payload_too_large")));
	let (status, answer) = gateway.get("/api/v1/logs?limit=many").await;
	assert_eq!((status, &answer["error"]), (400, &json!("bad_request")));
	let (status, answer) = gateway.put("/api/v1/logs", json!({})).await;
	assert_eq!((status, &answer["error"]), (405, &json!("method_not_allowed")));
	gateway.stop().await;
}

#[tokio::test]
async fn two_flushes_in_one_second_make_two_batches_whose_proofs_hold() {
	let gateway = Desk::new().start(vec![]).await;
	let mut batches = Vec::new();
	for slot in 0..2 {
		let (_, log) = gateway.post("/api/v1/logs", reading(METER, slot, "1", "")).await;
		let (_, batch) = gateway.post("/api/v1/batches/flush", "").await;
		let path = format!("/api/v1/logs/{}/proof", log["id"].as_str().unwrap());
		let (_, proof) = gateway.get_text(&path).await;
		ProofDocument::parse(proof.as_bytes()).unwrap().verify(None).unwrap();
		batches.push(batch["id"].clone());
	}
	assert_ne!(batches[0], batches[1]);
	gateway.stop().await;
}

#[tokio::test]
async fn the_ten_thousand_and_first_reading_goes_to_the_next_batch() {
	let mut desk = Desk::anonymous();
	desk.settings.batching.max_readings = 10_000;
	let gateway = desk.start(vec![]).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	for slot in 0..10_001u64 {
		let name = format!("S/d/m{}", slot / 2_000);
		mqtt.publish(&topic(&name), reading(&name, slot % 2_000, "1", "")).await;
	}
	for _ in 0..10_001 {
		assert!(matches!(mqtt.next().await, crate::common::Happened::Acknowledged));
	}
	// The first ten thousand are batched automatically.
	while gateway.client.status().await.unwrap().counts.batches == 0 {
		tokio::time::sleep(std::time::Duration::from_millis(20)).await;
	}
	let (_, batch) = gateway.post("/api/v1/batches/flush", "").await;
	assert_eq!(batch["log_count"], json!(1));
	let (_, all) = gateway.get("/api/v1/batches").await;
	let counts: Vec<&Value> =
		all.as_array().unwrap().iter().map(|batch| &batch["log_count"]).collect();
	assert_eq!(counts, [&json!(1), &json!(10_000)]);
	gateway.stop().await;
}

#[tokio::test]
async fn lists_have_pages_and_filters() {
	let gateway = Desk::new().start(vec![]).await;
	for slot in 0..5 {
		gateway.post("/api/v1/logs", reading("A/1/m", slot, "1", "")).await;
		gateway.post("/api/v1/logs", reading("B/1/m", slot, "1", "")).await;
	}
	let page = gateway
		.http
		.get(format!("{}/api/v1/logs?site=A&limit=2", gateway.url))
		.send()
		.await
		.unwrap();
	assert_eq!(page.headers()["x-total-count"], "5");
	let cursor = page.headers()["x-next-cursor"].to_str().unwrap().to_string();
	let first: Value = page.json().await.unwrap();
	let (_, second) = gateway.get(&format!("/api/v1/logs?site=A&limit=9&cursor={cursor}")).await;
	assert_eq!((first.as_array().unwrap().len(), second.as_array().unwrap().len()), (2, 3));
	assert!(second[0]["ts_start"].as_str() > first[1]["ts_start"].as_str());
	let from = first[1]["ts_end"].as_str().unwrap();
	let (_, later) = gateway.get(&format!("/api/v1/logs?site=B&from={from}&limit=9")).await;
	assert_eq!(later.as_array().unwrap().len(), 3);
	let (_, none) = gateway.get("/api/v1/logs?status=error").await;
	assert_eq!(none, json!([]));
	let (_, pending) = gateway.get("/api/v1/logs?status=pending&limit=100").await;
	assert_eq!(pending.as_array().unwrap().len(), 10);
	for bad in ["limit=0", "limit=10001", "order=up", "order=", "from=yesterday", "status="] {
		assert_eq!(gateway.get(&format!("/api/v1/logs?{bad}")).await.0, 400, "{bad}");
	}
	let (_, letters) = gateway.get("/api/v1/dead-letters?limit=9999").await;
	assert_eq!(letters, json!([]));
	let (_, meters) = gateway.get("/api/v1/meters?site=A").await;
	assert_eq!((&meters[0]["device"], &meters[0]["pending"]), (&json!("1"), &json!(5)));
	assert_eq!(meters[0]["certified"], json!(false));
	gateway.stop().await;
}

#[tokio::test]
async fn every_parameter_of_every_list_is_read_or_refused_with_what_to_write() {
	let gateway = Desk::new().start(vec![]).await;
	let fine = "2006-07-31T21:24:23.4354Z";
	let cases = [
		("logs?from=", 400, "bad_request", "RFC 3339"),
		(&format!("logs?from={fine}"), 422, "bad_time", "at most three decimals"),
		(&format!("batches?to={fine}"), 422, "bad_time", "at most three decimals"),
		("batches?to=2006-07-31T21:24:60Z", 422, "bad_time", "without leap seconds"),
		("batches?status=", 400, "bad_request", "unknown variant"),
		("batches?anchor=x", 400, "bad_request", "unknown variant"),
		("batches?limit=", 400, "bad_request", "limit"),
		("batches?limit=1&limit=2", 400, "bad_request", "duplicate field"),
		("dead-letters?cursor=x", 400, "bad_request", "cursor"),
		("dead-letters?order=", 400, "bad_request", "asc or desc"),
		// What says nothing about meters is not passed over: the list would be taken for its answer.
		("meters?status=", 400, "bad_request", "expected one of `site`, `device`, `meter`"),
		("meters?status=ok", 400, "bad_request", "expected one of `site`, `device`, `meter`"),
		("meters?metre=A", 400, "bad_request", "expected one of `site`, `device`, `meter`"),
	];
	for (query, status, word, advice) in cases {
		let (found, answer) = gateway.get(&format!("/api/v1/{query}")).await;
		assert_eq!((found, &answer["error"]), (status, &json!(word)), "{query}: {answer}");
		let sentence = answer["detail"].as_str().unwrap();
		assert!(sentence.contains(advice), "{query}: {sentence}");
	}
	gateway.stop().await;
}

#[tokio::test]
async fn a_batch_file_is_served_by_its_cid() {
	let gateway = Desk::new().start(vec![]).await;
	let logs: Vec<String> = (0..3).map(|slot| reading(METER, slot, "0.25", "")).collect();
	for log in &logs {
		gateway.post("/api/v1/logs", log.as_str()).await;
	}
	let (_, batch) = gateway.post("/api/v1/batches/flush", "").await;
	let cid = batch["cid"].as_str().unwrap();
	let (status, file) = gateway.get_text(&format!("/api/v1/cid/{cid}")).await;
	assert_eq!(status, 200);
	assert_eq!(Cid::of(file.as_bytes()).to_string(), cid);
	assert_eq!(file.lines().count(), 3);
	assert!(!file.ends_with('\n'));
	assert_eq!(gateway.get("/api/v1/cid/nonsense").await.0, 400);
	assert_eq!(gateway.get(&format!("/api/v1/cid/{}", Cid::of(b"other"))).await.0, 404);
	gateway.stop().await;
}

#[tokio::test]
async fn anchors_are_never_shown_as_what_they_are_not() {
	let gateway = Desk::new().start(vec![]).await;
	gateway.post("/api/v1/logs", reading(METER, 0, "1", "")).await;
	let (_, batch) = gateway.post("/api/v1/batches/flush", "").await;
	let id = batch["id"].as_str().unwrap();
	let path = format!("/api/v1/batches/{id}/anchor");
	let (status, simulated) = gateway.post(&format!("{path}/simulate"), "{}").await;
	assert_eq!((status, &simulated["anchor_status"]), (200, &json!("simulated")));
	let hash = "ab".repeat(32);
	let mut confirmed = json!({ "status": "confirmed", "txid": hash, "block_hash": hash,
		"block_height": 7, "confirmations": 5 });
	for bad in [
		anchor("anchored"),
		anchor("broadcast"),
		anchor("confirmed"),
		confirmed.clone(),
		json!({ "status": "broadcast", "txid": "simtx" }),
	] {
		assert_eq!(gateway.put(&path, bad.clone()).await.0, 422, "{bad}");
	}
	let (status, sent) = gateway.put(&path, json!({"status": "broadcast", "txid": hash})).await;
	assert_eq!((status, &sent["anchor_status"]), (200, &json!("broadcast")));
	assert_eq!(gateway.post(&format!("{path}/simulate"), "{}").await.0, 422);
	confirmed["confirmations"] = json!(6);
	let (status, done) = gateway.put(&path, confirmed).await;
	assert_eq!((status, &done["anchor_status"]), (200, &json!("confirmed")));
	assert_eq!(
		gateway.put("/api/v1/batches/batch_000000000000/anchor", anchor("pending")).await.0,
		404
	);
	gateway.stop().await;
}

#[tokio::test]
async fn a_proof_leads_to_the_root_that_is_anchored_for_many_batches() {
	let gateway = Desk::new().start(vec![]).await;
	let (_, log) = gateway.post("/api/v1/logs", reading(METER, 0, "1", "")).await;
	let (_, batch) = gateway.post("/api/v1/batches/flush", "").await;
	let (anchor, proof) = (
		format!("/api/v1/batches/{}/anchor", batch["id"].as_str().unwrap()),
		format!("/api/v1/logs/{}/proof", log["id"].as_str().unwrap()),
	);
	let root = hexadecimal::decode_hash(batch["merkle_root"].as_str().unwrap()).unwrap();
	let tree = AnchorTree::of(&[H256([1; 32]), root, H256([2; 32])]).unwrap();
	let txid = "ab".repeat(32);
	let update = |index: usize, status: &str| {
		let path = AnchorWay::of(&tree.path(index).unwrap());
		json!({ "status": status, "txid": txid, "path": path })
	};

	let (status, refused) = gateway.put(&anchor, update(0, "broadcast")).await;
	assert_eq!((status, &refused["error"]), (422, &json!("bad_anchor")));
	let mut short = update(1, "broadcast");
	short["path"]["proof"] = json!([]);
	assert_eq!(gateway.put(&anchor, short).await.0, 422);
	assert_eq!(gateway.get(&proof).await.1.get("anchor_path"), None, "nothing was kept");

	assert_eq!(gateway.put(&anchor, update(1, "simulated")).await.0, 200);
	assert_eq!(gateway.get(&proof).await.1.get("anchor_path"), None, "a rehearsal proves nothing");

	assert_eq!(gateway.put(&anchor, update(1, "broadcast")).await.0, 200);
	let (_, text) = gateway.get_text(&proof).await;
	let document = ProofDocument::parse(text.as_bytes()).unwrap();
	assert!(document.verify(None).is_ok());
	let path = document.anchor_path.unwrap();
	assert_eq!((path.root, path.txid), (tree.root(), Some(H256([0xab; 32]))));

	// Alone from now on.
	assert_eq!(gateway.put(&anchor, json!({"status": "broadcast", "txid": txid})).await.0, 200);
	assert_eq!(gateway.get(&proof).await.1.get("anchor_path"), None);
	gateway.stop().await;
}

#[tokio::test]
async fn changes_need_the_admin_key_when_there_is_one() {
	let mut desk = Desk::new();
	desk.settings.admin_key = Some(Zeroizing::new("0123456789abcdef".to_string()));
	let gateway = desk.start(vec![]).await;
	gateway.post("/api/v1/logs", reading(METER, 0, "1", "")).await;
	let (status, refused) = gateway.post("/api/v1/batches/flush", "").await;
	assert_eq!((status, &refused["error"]), (401, &json!("admin_key_needed")));
	let wrong = gateway
		.http
		.post(format!("{}/api/v1/batches/flush", gateway.url))
		.bearer_auth("0123456789abcdee")
		.send()
		.await
		.unwrap();
	assert_eq!(wrong.status(), 403);
	assert_eq!(gateway.client.flush().await.unwrap().log_count, 1);
	gateway.stop().await;
}

#[tokio::test]
async fn pages_and_documents_for_people_and_programs() {
	let gateway = Desk::new().start(vec![]).await;
	let (_, openapi) = gateway.get("/openapi.json").await;
	let paths = openapi["paths"].as_object().unwrap();
	for path in [
		"/health",
		"/api/v1/logs",
		"/api/v1/logs/{id}/proof",
		"/api/v1/batches",
		"/api/v1/batches/flush",
		"/api/v1/batches/{id}/export",
		"/api/v1/batches/{id}/anchor",
		"/api/v1/meters",
		"/api/v1/dead-letters",
		"/api/v1/cid/{cid}",
		"/api/v1/status",
	] {
		assert!(paths.contains_key(path), "{path}");
	}
	let (status, page) = gateway.get_text("/docs").await;
	assert!(status == 200 && page.contains("/openapi.json"));
	assert!(!page.contains("https://") && !page.contains("http://"));
	let (_, metrics) = gateway.get_text("/metrics").await;
	assert!(metrics.contains("gridproof_gateway_stored{what=\"readings\"} 0"), "{metrics}");
	let (status, missing) = gateway.get("/api/v2").await;
	assert_eq!((status, &missing["error"]), (404, &json!("not_found")));
	gateway.stop().await;
}

#[tokio::test]
async fn a_full_disk_is_said_and_nothing_is_acknowledged_until_there_is_room() {
	let mut desk = Desk::anonymous();
	desk.settings.max_bytes = Some(250_000);
	let gateway = desk.start(vec![]).await;
	let mut kept = 0u64;
	let refused = loop {
		let (status, answer) = gateway.post("/api/v1/logs", reading(METER, kept, "1", "")).await;
		if status != 200 {
			break (status, answer["error"].clone());
		}
		kept += 1;
	};
	assert_eq!(refused, (507, json!("no_space")));
	let mut mqtt = gateway.mqtt("meter", None).await;
	mqtt.publish(&topic(METER), reading(METER, kept, "1", "")).await;
	assert!(mqtt.is_quiet(std::time::Duration::from_millis(1_500)).await);
	let counts = gateway.storage().counts().await.unwrap();
	assert_eq!(counts.readings, kept);
	gateway.stop().await;
	desk.settings.max_bytes = None;
	let gateway = desk.start(vec![]).await;
	let (status, _) = gateway.post("/api/v1/logs", reading(METER, kept, "1", "")).await;
	assert_eq!(status, 200);
	gateway.stop().await;
}

#[tokio::test]
async fn health_says_that_the_disk_is_full_and_that_there_is_room_again_without_a_reading() {
	let mut desk = Desk::anonymous();
	desk.settings.max_bytes = Some(250_000);
	let gateway = desk.start(vec![]).await;
	let health = async || {
		let (status, answer) = gateway.get("/health").await;
		(status, answer["error"].clone())
	};
	assert_eq!(health().await, (200, Value::Null));
	let mut slot = 0;
	while gateway.post("/api/v1/logs", reading(METER, slot, "1", "")).await.0 == 200 {
		slot += 1;
	}
	assert_eq!(health().await, (507, json!("no_space")));
	let other = gridproof_store::rusqlite::Connection::open(desk.path("gateway.db")).unwrap();
	other.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
	other.execute("DELETE FROM readings WHERE id > 1", []).unwrap();
	drop(other);
	let begin = std::time::Instant::now();
	while health().await.0 != 200 {
		assert!(
			begin.elapsed() < std::time::Duration::from_secs(8),
			"health says there is no room"
		);
		tokio::time::sleep(std::time::Duration::from_millis(100)).await;
	}
	gateway.stop().await;
}

#[test]
fn the_document_is_what_generators_of_clients_take() {
	let document = gridproof_gateway::openapi();
	assert_eq!(document["servers"][0]["url"], "/");
	let (mut names, mut operations) = (std::collections::BTreeSet::new(), 0);
	for (path, item) in document["paths"].as_object().unwrap() {
		assert!(!path.contains("{*"), "{path}");
		for (method, operation) in item.as_object().unwrap() {
			assert!(operation["security"].is_array(), "{method} {path}");
			names.insert(operation["operationId"].as_str().unwrap().to_string());
			operations += 1;
			assert!(operation["responses"]["default"].is_object(), "{method} {path}");
			for response in operation["responses"].as_object().unwrap().values() {
				assert!(!response["description"].as_str().unwrap().is_empty(), "{method} {path}");
			}
		}
	}
	assert_eq!(names.len(), operations, "no two operations have one name");
	let schemas = &document["components"]["schemas"];
	assert!(schemas["ErrorBody"].is_object());
	let required = |name: &str| schemas[name]["required"].as_array().unwrap().clone();
	assert!(required("NewEnergyLog").iter().all(|field| field != "tags" && field != "status"));
	assert!(required("EnergyLog").contains(&json!("leaf_hash")));
	let new = &schemas["NewEnergyLog"];
	assert!(new["properties"]["leaf_hash"].is_null());
	// What is refused as an unknown field is not a log by the document either.
	assert_eq!(new["additionalProperties"], json!(false), "{new}");
	let payment = new["properties"]["tx"].to_string();
	assert!(payment.contains("\"additionalProperties\":false"), "{payment}");
}

#[tokio::test]
async fn a_log_with_a_byte_order_mark_is_the_log_without_it() {
	let gateway = Desk::new().start(vec![]).await;
	let with = include_str!("../data/log-bom.json");
	let (status, first) = gateway.post("/api/v1/logs", with).await;
	assert_eq!(status, 200, "{first}");
	let without = with.strip_prefix('\u{feff}').unwrap();
	let (status, again) = gateway.post("/api/v1/logs", without).await;
	assert_eq!((status, again), (200, first));
	gateway.stop().await;
}

#[tokio::test]
async fn a_page_is_served_beside_the_api_to_who_may_not_read_it_as_well() {
	let mut desk = Desk::new();
	desk.settings.http = Some("0.0.0.0:0".parse().unwrap());
	desk.settings.admin_key = Some(Zeroizing::new("a-key-of-more-than-twenty-characters".into()));
	let page = axum::Router::new().fallback(|| async { "the page" });
	let gateway = desk.start_with(Parts { page: Some(page), ..Parts::default() }).await;
	assert_eq!(gateway.get_text("/").await, (200, "the page".to_string()));
	assert_eq!(gateway.get_text("/assets/index.js").await, (200, "the page".to_string()));
	assert_eq!(gateway.get("/api/v1/logs").await.0, 401);
	assert_eq!(gateway.get("/api/v1/nothing").await.0, 404);
	assert_eq!(gateway.get("/health").await.1["status"], json!("ok"));
	gateway.stop().await;
}

#[tokio::test]
async fn without_a_page_the_root_leads_to_the_description() {
	let gateway = Desk::new().start(vec![]).await;
	let (status, text) = gateway.get_text("/").await;
	assert_eq!(status, 200);
	assert!(text.contains("openapi"), "{text}");
	gateway.stop().await;
}
