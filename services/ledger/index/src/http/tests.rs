//! Requests to a whole server, with a chain that is made up.

use super::*;
use crate::{
	board::Board,
	fake::{ALICE, BOB, JOB, MINER, block, eventful, hash},
	metrics::Metrics,
	store::Store,
};
use axum::{
	Router,
	body::{Body, to_bytes},
	http::{Request, StatusCode},
};
use gridproof_http::{Limits, Loops, site};
use gridproof_keys::account::address;
use gridproof_support::{Clock, text::hexadecimal};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tower::ServiceExt;

struct Server {
	_folder: TempDir,
	router: Router,
	board: Arc<Board>,
	hands: gridproof_support::clock::Hands,
}

impl Server {
	async fn start() -> Self {
		let folder = tempfile::tempdir().unwrap();
		let store = Store::open(folder.path()).unwrap();
		let blocks = (0..100).map(|height| if height == 50 { eventful(50) } else { block(height) });
		store.write(blocks.collect()).await.unwrap();
		let (clock, hands) = Clock::manual(0);
		let (board, metrics) = (Arc::new(Board::new(clock)), Arc::new(Metrics::new().unwrap()));
		board.sees(120);
		let loops = Arc::<Loops>::default();
		let genesis = hash(0);
		let api = Arc::new(Api { store, board: board.clone(), metrics, loops, genesis });
		let router = site(routes(), api.clone(), api, &Limits::default());
		Self { _folder: folder, router, board, hands }
	}

	async fn text(&self, path: &str) -> (StatusCode, String) {
		let request = Request::get(path).body(Body::empty()).unwrap();
		let answer = self.router.clone().oneshot(request).await.unwrap();
		let status = answer.status();
		let bytes = to_bytes(answer.into_body(), 1 << 24).await.unwrap();
		(status, String::from_utf8(bytes.to_vec()).unwrap())
	}

	async fn get(&self, path: &str) -> Value {
		let (status, text) = self.text(path).await;
		assert_eq!(status, StatusCode::OK, "{path}: {text}");
		serde_json::from_str(&text).unwrap()
	}

	async fn refused(&self, path: &str, expected: u16) -> String {
		let (status, text) = self.text(path).await;
		assert_eq!(status.as_u16(), expected, "{path}: {text}");
		serde_json::from_str::<Value>(&text).unwrap()["detail"].as_str().unwrap().to_string()
	}
}

fn count(page: &Value) -> usize {
	page["entries"].as_array().unwrap().len()
}

#[tokio::test]
async fn every_request_of_the_document_is_answered() {
	let server = Server::start().await;
	let document = server.get("/openapi.json").await;
	let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
	assert!(paths.len() >= 26, "{paths:?}");
	let (alice, job, miner) = (address(&ALICE), hexadecimal(JOB.0), hexadecimal(MINER));
	for path in paths {
		let path = path
			.replace("owners/{address}", &format!("owners/{}", address(&BOB)))
			.replace("{address}", &alice)
			.replace("{block}", "50")
			.replace("{meter}", "0")
			.replace("{site}", "site-1")
			.replace("{job}", &job)
			.replace("{channel}", "77")
			.replace("{key}", &miner);
		let path = if path.ends_with("/search") { format!("{path}?q=50") } else { path };
		let (status, text) = server.text(&path).await;
		assert_eq!(status, StatusCode::OK, "{path}: {text}");
		assert!(text.len() > 10, "{path}: {text}");
	}
}

#[tokio::test]
async fn the_document_describes_what_is_answered() {
	let server = Server::start().await;
	let served = server.get("/openapi.json").await;
	assert_eq!(served, crate::openapi());
	let event = &served["components"]["schemas"]["EventView"]["properties"];
	let answered = server.get("/api/v1/events?limit=1").await;
	for member in answered["entries"][0].as_object().unwrap().keys() {
		assert!(event[member].is_object(), "{member}");
	}
}

#[tokio::test]
async fn a_list_is_read_page_by_page_and_its_bounds_are_said() {
	let server = Server::start().await;
	let first = server.get("/api/v1/blocks?limit=30").await;
	assert_eq!((count(&first), first["entries"][0]["height"].as_u64()), (30, Some(99)));
	let next = first["next"].as_str().unwrap();
	let second = server.get(&format!("/api/v1/blocks?limit=30&cursor={next}")).await;
	assert_eq!(second["entries"][0]["height"].as_u64(), Some(69));
	let last = server.get("/api/v1/blocks?limit=30&order=asc&from=90").await;
	assert_eq!((count(&last), last["next"].is_null()), (10, true));
	for (wrong, status, said) in [
		("limit=0", 400, "limit is 1 to 1000"),
		("limit=1001", 400, "limit is 1 to 1000"),
		("limit=-1", 400, "invalid digit"),
		("cursor=abc", 400, "cursor is what"),
		("order=up", 422, "order is asc or desc"),
		("from=yesterday", 422, "2026-01-31T10:20:30Z"),
		("to=99999999999999999999", 422, "no block is that high"),
	] {
		let sentence = server.refused(&format!("/api/v1/blocks?{wrong}"), status).await;
		assert!(sentence.contains(said), "{wrong}: {sentence}");
	}
}

#[tokio::test]
async fn spans_of_lists_are_heights_or_times() {
	let server = Server::start().await;
	let by_height = server.get("/api/v1/blocks?from=10&to=19").await;
	let by_time =
		server.get("/api/v1/blocks?from=2026-01-31T22:09:00Z&to=2026-01-31T22:19:00Z").await;
	assert_eq!(by_height, by_time);
	assert_eq!(count(&by_height), 10);
	assert_eq!(count(&server.get("/api/v1/blocks?from=2030-01-01T00:00:00Z").await), 0);
	assert_eq!(count(&server.get("/api/v1/blocks?to=2030-01-01T00:00:00Z").await), 100);
}

#[tokio::test]
async fn supplies_are_points_as_far_apart_as_is_asked_for() {
	let server = Server::start().await;
	let all = server.get("/api/v1/supplies").await;
	let points = all.as_array().unwrap();
	assert!((100..=201).contains(&points.len()), "{}", points.len());
	assert_eq!(points.last().unwrap()["ait"], "1009");
	let hourly = server
		.get("/api/v1/supplies?from=2026-01-31T22:00:00Z&to=2026-02-01T00:00:00Z&step=3600")
		.await;
	let times: Vec<_> =
		hourly.as_array().unwrap().iter().map(|point| point["time"].as_str().unwrap()).collect();
	assert_eq!(times, ["2026-01-31T22:00:00Z", "2026-01-31T23:00:00Z", "2026-02-01T00:00:00Z"]);
	let said = server.refused("/api/v1/supplies?step=1", 422).await;
	assert!(said.contains("longer step"), "{said}");
	for step in [0, 4_000_000_001_u32] {
		server.refused(&format!("/api/v1/supplies?step={step}"), 400).await;
	}
	server.get("/api/v1/supplies?step=4000000000").await;
}

#[tokio::test]
async fn what_is_no_name_is_refused_and_what_is_not_there_is_missing() {
	let server = Server::start().await;
	for (path, status) in [
		("/api/v1/accounts/nobody/history", 422),
		("/api/v1/blocks/0x00", 422),
		("/api/v1/compute/jobs/7", 422),
		("/api/v1/energy/meters/0?by=year", 422),
		("/api/v1/energy/meters/0?by=hour&from=2000-01-01T00:00:00Z", 422),
		("/api/v1/energy/meters/-1", 400),
		("/api/v1/reserve/moves?what=stolen", 422),
		("/api/v1/transfers?token=EUR", 422),
		("/api/v1/search", 400),
	] {
		server.refused(path, status).await;
	}
	let job = hexadecimal([99; 32]);
	for path in [
		"/api/v1/blocks/100".to_string(),
		format!("/api/v1/blocks/{job}"),
		format!("/api/v1/compute/jobs/{job}"),
		"/api/v1/compute/channels/1".to_string(),
		"/api/v1/nothing".to_string(),
	] {
		assert_eq!(server.text(&path).await.0, StatusCode::NOT_FOUND, "{path}");
	}
}

#[tokio::test]
async fn an_index_that_stands_still_is_not_well_and_says_why() {
	let server = Server::start().await;
	assert_eq!(server.get("/health").await["status"], "ok");
	server.board.fails("no node answers".to_string());
	server.hands.advance(Duration::from_secs(61));
	let (status, text) = server.text("/health").await;
	assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{text}");
	assert!(text.contains("nothing was indexed for 61 s: no node answers"), "{text}");
	assert_eq!(server.get("/api/v1/status").await["trouble"], "no node answers");
	server.board.sees(121);
	assert_eq!(server.text("/health").await.0, StatusCode::SERVICE_UNAVAILABLE);
	server.board.moves();
	assert_eq!(server.get("/health").await["status"], "ok");
}

#[tokio::test]
async fn figures_say_how_far_behind_it_is() {
	let server = Server::start().await;
	let (_, text) = server.text("/metrics").await;
	assert!(text.contains("gridproof_index_height 99\n"), "{text}");
	assert!(text.contains("gridproof_index_behind_blocks 21\n"), "{text}");
	for metric in crate::metrics() {
		assert!(text.contains(&format!("# HELP {} ", metric.name)), "{}", metric.name);
	}
}
