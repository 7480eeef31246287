//! A pinning service, played by the test: what it refuses holds up nothing else.

use crate::common::{Desk, Running, reading};
use axum::{
	Json, Router,
	extract::{Path, State},
	http::StatusCode,
	routing::{get, post},
};
use gridproof_gateway::{PinProgress, Pinning};
use serde_json::{Value, json};
use std::{
	sync::{Arc, Mutex},
	time::{Duration, Instant},
};

const METER: &str = "A/1/m";

/// What the service was asked, and what it refuses.
#[derive(Default)]
struct Service {
	refused: String,
	asked: Vec<String>,
}

type Shared = Arc<Mutex<Service>>;

async fn pin(State(service): State<Shared>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
	let mut service = service.lock().unwrap();
	let cid = body["cid"].as_str().unwrap().to_string();
	service.asked.push(cid.clone());
	if cid == service.refused {
		return (StatusCode::BAD_REQUEST, Json(json!({ "error": "no" })));
	}
	(StatusCode::ACCEPTED, Json(json!({ "requestid": "r1", "status": "queued" })))
}

async fn look(State(service): State<Shared>, Path(id): Path<String>) -> Json<Value> {
	service.lock().unwrap().asked.push(id);
	Json(json!({ "requestid": "r1", "status": "pinned" }))
}

async fn pin_of(gateway: &Running, batch: &str) -> Option<String> {
	gateway.client.batch(batch).await.unwrap().pin
}

async fn wait_for(gateway: &Running, batch: &str, wanted: &str) {
	let begin = Instant::now();
	loop {
		let pin = pin_of(gateway, batch).await;
		if pin.as_ref().is_some_and(|pin| pin.starts_with(wanted)) {
			return;
		}
		assert!(begin.elapsed() < Duration::from_secs(20), "{batch}: {pin:?}");
		tokio::time::sleep(Duration::from_millis(50)).await;
	}
}

#[tokio::test]
async fn a_file_that_the_service_refuses_holds_up_no_other_and_queued_is_not_pinned() {
	let service = Shared::default();
	let routes = Router::new()
		.route("/pins", post(pin))
		.route("/pins/{id}", get(look))
		.with_state(service.clone());
	let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
	let url = format!("http://{}", listener.local_addr().unwrap());
	tokio::spawn(async move { axum::serve(listener, routes).await });
	// The first file is the one that is refused: known before the gateway asks.
	let desk = Desk::new();
	let gateway = desk.start(vec![]).await;
	let mut batches = Vec::new();
	for slot in 0..3 {
		gateway.post("/api/v1/logs", reading(METER, slot, "1", "")).await;
		batches.push(gateway.client.flush().await.unwrap());
	}
	service.lock().unwrap().refused = batches[0].cid.clone();
	gateway.stop().await;
	let mut desk = desk;
	desk.settings.pinning = Some(Pinning { url, token: None, origins: Vec::new() });
	let gateway = desk.start(vec![]).await;
	wait_for(&gateway, &batches[0].id, "status 400").await;
	for batch in &batches[1..] {
		wait_for(&gateway, &batch.id, "queued").await;
	}
	// Each was asked for once: the refused one waits longer and longer, the others until they are due.
	tokio::time::sleep(Duration::from_millis(500)).await;
	let mut asked = service.lock().unwrap().asked.clone();
	asked.sort();
	let mut cids: Vec<String> = batches.iter().map(|batch| batch.cid.clone()).collect();
	cids.sort();
	assert_eq!(asked, cids);
	// When it is due the service is asked how far it is, and only its own word counts.
	let due = gateway.storage().to_pin(u64::MAX, 10).await.unwrap();
	let (row, progress) = due
		.into_iter()
		.find_map(|(batch, progress)| {
			(batch.cid.to_string() == batches[1].cid).then_some((batch.row, progress))
		})
		.unwrap();
	assert_eq!((progress.request.as_deref(), progress.attempts), (Some("r1"), 1));
	gateway.storage().pinned(row, PinProgress { next_ms: 0, ..progress }).await.unwrap();
	wait_for(&gateway, &batches[1].id, "pinned").await;
	assert_eq!(service.lock().unwrap().asked.last().map(String::as_str), Some("r1"));
	gateway.stop().await;
}
