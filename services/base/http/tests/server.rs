//! What every server answers: errors, pages, who may call, limits.

use axum::{
	Json,
	body::Body,
	extract::{ConnectInfo, FromRequestParts, State},
	http::{HeaderMap, Method, Request, StatusCode, header, request::Parts},
};
use futures::{FutureExt, future::BoxFuture};
use gridproof_http::{
	Admin, AdminGate, AdminKey, ApiError, Authorized, ErrorBody, Health, Limits, Metrics, Patience,
	Protected, Protects, Rate, Role, Service, Token, describe, serve, serve_with, site,
	site_with_page,
};
use gridproof_support::{Clock, Stopper};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
	net::SocketAddr,
	num::NonZeroU32,
	sync::{
		Arc,
		atomic::{AtomicU64, Ordering},
	},
	time::Duration,
};
use tower::ServiceExt;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use zeroize::Zeroizing;

/// What only some may do.
#[derive(Default)]
struct Changes {
	flushed: AtomicU64,
}

struct Api {
	admin: AdminKey,
	changes: Protected<Changes>,
	sick: bool,
}

impl AdminGate for Api {
	fn admin(&self) -> &AdminKey {
		&self.admin
	}
}

impl Protects<Changes> for Api {
	fn protected(&self) -> &Protected<Changes> {
		&self.changes
	}
}

impl Service for Api {
	fn health(&self) -> BoxFuture<'_, Result<(), ApiError>> {
		async { if self.sick { Err(ApiError::internal("the database is gone")) } else { Ok(()) } }
			.boxed()
	}

	fn metrics(&self) -> BoxFuture<'_, Result<String, ApiError>> {
		async {
			let metrics = Metrics::new("gridproof_test");
			let jobs = metrics.counter("jobs_total", "Jobs").map_err(ApiError::internal)?;
			jobs.inc();
			Ok(metrics.render())
		}
		.boxed()
	}

	fn clock(&self) -> Clock {
		Clock::manual(1_764_338_400_000).0
	}
}

#[derive(Serialize, Deserialize, ToSchema)]
struct Echo {
	text: String,
}

/// Returns what was sent.
#[utoipa::path(post, path = "/echo", responses((status = 200, body = Echo)))]
async fn echo(gridproof_http::Body(echo): gridproof_http::Body<Echo>) -> Json<Echo> {
	Json(echo)
}

/// Counts.
#[utoipa::path(post, path = "/flush", responses((status = 200, body = u64)))]
async fn flush(changes: Authorized<Admin, Changes>) -> Json<u64> {
	Json(changes.flushed.fetch_add(1, Ordering::SeqCst) + 1)
}

/// Someone whose token is a number.
struct Numbered(u64);

impl Role for Numbered {}

impl<S: Send + Sync> FromRequestParts<S> for Numbered {
	type Rejection = ApiError;

	async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
		let token = Token::from_request_parts(parts, state).await?;
		let number = token.parse().map_err(|_| {
			ApiError::new(StatusCode::UNAUTHORIZED, "unknown_session", "say hello first")
		})?;
		Ok(Self(number))
	}
}

/// Adds the caller's number.
#[utoipa::path(post, path = "/add", responses((status = 200, body = u64)))]
async fn add(changes: Authorized<Numbered, Changes>) -> Json<u64> {
	let (Numbered(number), changes) = changes.into_parts();
	Json(changes.flushed.fetch_add(number, Ordering::SeqCst) + number)
}

/// Answers late.
#[utoipa::path(get, path = "/slow", responses((status = 200)))]
async fn slow(State(_api): State<Arc<Api>>) {
	tokio::time::sleep(Duration::from_secs(60)).await;
}

fn routes() -> OpenApiRouter<Arc<Api>> {
	OpenApiRouter::new()
		.routes(routes!(echo))
		.routes(routes!(flush))
		.routes(routes!(add))
		.routes(routes!(slow))
}

fn api(key: Option<&str>) -> Arc<Api> {
	let admin = AdminKey::new(key.map(|key| Zeroizing::new(key.to_string())));
	Arc::new(Api { admin, changes: Protected::new(Arc::default()), sick: false })
}

fn server(api: Arc<Api>, limits: &Limits) -> axum::Router {
	site(routes(), api.clone(), api, limits)
}

struct Answer {
	status: StatusCode,
	headers: HeaderMap,
	text: String,
}

impl Answer {
	fn json(&self) -> Value {
		serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}", self.text))
	}

	/// The word of an error; its sentence stands under both names.
	fn word(&self) -> String {
		let body: ErrorBody = serde_json::from_str(&self.text).unwrap();
		assert_eq!(body.detail, body.message);
		assert!(!body.sentence().is_empty());
		body.error
	}
}

async fn ask(router: &axum::Router, request: Request<Body>) -> Answer {
	let response = router.clone().oneshot(request).await.unwrap();
	let (parts, body) = response.into_parts();
	let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
	Answer {
		status: parts.status,
		headers: parts.headers,
		text: String::from_utf8(bytes.to_vec()).unwrap(),
	}
}

fn get(path: &str) -> Request<Body> {
	Request::get(path).body(Body::empty()).unwrap()
}

fn post(path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
	let mut request = Request::builder().method(Method::POST).uri(path);
	for (name, value) in headers {
		request = request.header(*name, *value);
	}
	request.body(Body::from(body.to_string())).unwrap()
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn web_pages_may_read_which_receipt_an_answer_has() {
	let limits = Limits { origins: vec!["https://shop.example".to_string()], ..Limits::default() };
	let router = server(api(None), &limits);
	let asked = post("/echo", &[("origin", "https://shop.example")], "{}");
	let exposed = ask(&router, asked).await.headers[header::ACCESS_CONTROL_EXPOSE_HEADERS].clone();
	let exposed: Vec<_> = exposed.to_str().unwrap().split(',').collect();
	for name in ["x-gridproof-job", "x-gridproof-receipt", "gridproof-receipt"] {
		assert!(exposed.contains(&name), "{name}: {exposed:?}");
	}
}

#[tokio::test]
async fn every_server_has_the_same_pages() {
	let router = server(api(None), &Limits::default());
	let root = ask(&router, get("/")).await;
	assert_eq!(root.headers[header::LOCATION], "/docs");
	let docs = ask(&router, get("/docs")).await;
	assert!(docs.text.contains("/openapi.json"));
	assert!(docs.headers.contains_key(header::CONTENT_SECURITY_POLICY));
	let health = ask(&router, get("/health")).await;
	let health: Health = serde_json::from_str(&health.text).unwrap();
	assert_eq!(health.status, "ok");
	assert_eq!((health.time.as_str(), health.time_ms), ("2025-11-28T14:00:00Z", 1_764_338_400_000));
	let metrics = ask(&router, get("/metrics")).await;
	assert!(metrics.text.contains("gridproof_test_jobs_total 1"));
	let openapi = ask(&router, get("/openapi.json")).await.json();
	for path in ["/health", "/metrics", "/echo", "/flush"] {
		assert!(openapi["paths"].get(path).is_some(), "{path}");
	}
	assert_eq!(describe(routes())["paths"], openapi["paths"]);
}

#[tokio::test]
async fn a_server_that_cannot_work_is_not_healthy() {
	let sick = Arc::new(Api {
		admin: AdminKey::new(None),
		changes: Protected::new(Arc::default()),
		sick: true,
	});
	let answer = ask(&server(sick, &Limits::default()), get("/health")).await;
	assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
	assert_eq!(answer.word(), "internal");
	assert!(!answer.text.contains("database"), "the reason is for the log");
}

#[tokio::test]
async fn errors_of_the_framework_have_the_same_form() {
	let router = server(api(None), &Limits { max_body: 32, ..Limits::default() });
	let missing = ask(&router, get("/nothing")).await;
	assert_eq!((missing.status.as_u16(), missing.word().as_str()), (404, "not_found"));
	let wrong_verb = ask(&router, get("/echo")).await;
	assert_eq!(
		(wrong_verb.status.as_u16(), wrong_verb.word().as_str()),
		(405, "method_not_allowed")
	);
	assert_eq!(wrong_verb.headers[header::ALLOW], "POST");
	for body in ["{", "{}", "[1]"] {
		let bad = ask(&router, post("/echo", &[JSON], body)).await;
		assert_eq!((bad.status.as_u16(), bad.word().as_str()), (400, "bad_request"), "{body}");
	}
	let long = format!("{{\"text\":\"{}\"}}", "x".repeat(64));
	let long = ask(&router, post("/echo", &[JSON], &long)).await;
	assert_eq!((long.status.as_u16(), long.word().as_str()), (413, "payload_too_large"));
	assert_eq!(long.headers[header::CONNECTION], "close", "the rest of it is not read");
	let good = ask(&router, post("/echo", &[JSON], "{\"text\":\"x\"}")).await;
	assert_eq!((good.status.as_u16(), good.json()["text"].as_str()), (200, Some("x")));
}

#[tokio::test]
async fn only_those_who_know_the_admin_key_change_something() {
	let router = server(api(Some("sesame")), &Limits::default());
	let none = ask(&router, post("/flush", &[], "")).await;
	assert_eq!((none.status.as_u16(), none.word().as_str()), (401, "admin_key_needed"));
	assert_eq!(none.headers[header::WWW_AUTHENTICATE], "Bearer");
	for wrong in ["Bearer other", "Bearer sesame1"] {
		let wrong = ask(&router, post("/flush", &[("authorization", wrong)], "")).await;
		assert_eq!((wrong.status.as_u16(), wrong.word().as_str()), (403, "wrong_admin_key"));
	}
	let other_scheme = ask(&router, post("/flush", &[("authorization", "Basic sesame")], "")).await;
	assert_eq!(other_scheme.status, StatusCode::UNAUTHORIZED);
	let bearer = ask(&router, post("/flush", &[("authorization", "Bearer sesame")], "")).await;
	assert_eq!((bearer.status.as_u16(), bearer.text.as_str()), (200, "1"));
	let own = ask(&router, post("/flush", &[("x-admin-key", "sesame")], "")).await;
	assert_eq!((own.status.as_u16(), own.text.as_str()), (200, "2"));
}

#[tokio::test]
async fn a_server_without_an_admin_key_is_open() {
	let router = server(api(None), &Limits::default());
	assert_eq!(ask(&router, post("/flush", &[], "")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_server_can_have_callers_of_its_own() {
	let router = server(api(Some("sesame")), &Limits::default());
	let none = ask(&router, post("/add", &[], "")).await;
	assert_eq!((none.status.as_u16(), none.word().as_str()), (401, "unauthorized"));
	let wrong = ask(&router, post("/add", &[("authorization", "Bearer x")], "")).await;
	assert_eq!(wrong.word(), "unknown_session");
	let right = ask(&router, post("/add", &[("authorization", "Bearer 7")], "")).await;
	assert_eq!((right.status.as_u16(), right.text.as_str()), (200, "7"));
}

#[tokio::test]
async fn a_request_that_takes_too_long_and_one_too_many_are_answered_503() {
	let limits =
		Limits { max_requests: 1, timeout: Some(Duration::from_millis(500)), ..Limits::default() };
	let router = server(api(None), &limits);
	let first = tokio::spawn({
		let router = router.clone();
		async move { ask(&router, get("/slow")).await }
	});
	tokio::task::yield_now().await;
	let second = ask(&router, get("/health")).await;
	assert_eq!((second.status.as_u16(), second.word().as_str()), (503, "overloaded"));
	assert_eq!(second.headers[header::RETRY_AFTER], "2");
	let first = first.await.unwrap();
	assert_eq!((first.status.as_u16(), first.word().as_str()), (503, "service_unavailable"));
	assert_eq!(ask(&router, get("/health")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn one_network_asks_so_often_and_no_more() {
	let rate = Rate { per_minute: NonZeroU32::new(2).unwrap(), proxies: Vec::new() };
	let limited = OpenApiRouter::new().routes(routes!(echo));
	let routes = rate.apply(limited).merge(OpenApiRouter::new().routes(routes!(flush)));
	let api = api(None);
	let router = site(routes, api.clone(), api, &Limits::default());
	let from = |peer: &str, path: &str| {
		let peer: SocketAddr = peer.parse().unwrap();
		let mut request = post(path, &[JSON], "{\"text\":\"x\"}");
		request.extensions_mut().insert(ConnectInfo(peer));
		ask(&router, request)
	};
	for _ in 0..2 {
		assert_eq!(from("[2001:db8::1]:1000", "/echo").await.status, StatusCode::OK);
	}
	let third = from("[2001:db8::2]:2000", "/echo").await;
	assert_eq!((third.status.as_u16(), third.word().as_str()), (429, "rate_limited"));
	assert!(third.headers.contains_key(header::RETRY_AFTER));
	assert_eq!(from("192.0.2.1:1000", "/echo").await.status, StatusCode::OK);
	assert_eq!(from("[2001:db8::1]:1000", "/flush").await.status, StatusCode::OK, "not limited");
}

#[tokio::test]
async fn a_server_serves_until_it_is_stopped() {
	use tokio::io::{AsyncReadExt, AsyncWriteExt};
	let stopper = Stopper::new();
	let router = server(api(None), &Limits::default());
	let serving = serve(router, "127.0.0.1:0".parse().unwrap(), stopper.signal()).await.unwrap();
	let address = serving.address();
	assert_ne!(address.port(), 0);
	let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
	socket.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
	let mut answer = vec![0; 12];
	socket.read_exact(&mut answer).await.unwrap();
	assert_eq!(answer, b"HTTP/1.1 200");
	stopper.stop();
	// The connection is idle: it is closed and does not hold the server up.
	tokio::time::timeout(Duration::from_secs(5), serving.ended()).await.unwrap();
	let mut rest = Vec::new();
	socket.read_to_end(&mut rest).await.unwrap();
	assert!(tokio::net::TcpStream::connect(address).await.is_err());
	let other = Stopper::new();
	let taken = serve(axum::Router::new(), address, other.signal()).await.unwrap();
	assert!(serve(axum::Router::new(), taken.address(), other.signal()).await.is_err());
}

#[tokio::test]
async fn a_client_that_does_not_end_its_request_loses_its_place_to_others() {
	use tokio::{
		io::{AsyncReadExt, AsyncWriteExt},
		net::{TcpListener, TcpStream},
		time::timeout,
	};
	let (stopper, limit) = (Stopper::new(), Duration::from_secs(10));
	let short = Duration::from_millis(400);
	let patience = Patience { connections: 4, headers: short, body: short };
	let router = server(api(None), &Limits { timeout: None, ..Limits::default() });
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let serving = serve_with(router, listener, stopper.signal(), patience).unwrap();
	let address = serving.address();
	let whole = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
	// One says nothing, one half of its headers, one half of its body, one nothing more.
	let mut slow = Vec::new();
	for said in [
		&b""[..],
		b"GET /health HTTP/1.1\r\nhost: x\r\nx-half: ",
		b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{",
		whole,
	] {
		let mut socket = TcpStream::connect(address).await.unwrap();
		socket.write_all(said).await.unwrap();
		slow.push(socket);
	}
	let mut other = TcpStream::connect(address).await.unwrap();
	other.write_all(whole).await.unwrap();
	let mut answer = [0; 12];
	timeout(limit, other.read_exact(&mut answer)).await.unwrap().unwrap();
	assert_eq!(&answer, b"HTTP/1.1 200");
	let mut answers = Vec::new();
	for mut socket in slow {
		let mut rest = Vec::new();
		// Reset or ended: what counts is that it is over.
		let _ = timeout(limit, socket.read_to_end(&mut rest)).await.expect("the place is free");
		answers.push(String::from_utf8_lossy(&rest).chars().take(12).collect::<String>());
	}
	assert_eq!(answers[0], "");
	assert!(!answers[1].contains("200") && !answers[2].contains("200"), "{answers:?}");
	assert_eq!(answers[3], "HTTP/1.1 200");
	// A byte now and then is not enough.
	let mut trickle = TcpStream::connect(address).await.unwrap();
	trickle.write_all(b"GET /health HTTP/1.1\r\nx-slow: ").await.unwrap();
	let trickling = async {
		while trickle.write_all(b"x").await.is_ok() {
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
	};
	timeout(limit, trickling).await.expect("a client that trickles loses its place too");
	stopper.stop();
	serving.ended().await;
}

#[tokio::test]
async fn a_page_is_asked_for_what_no_route_is_for_and_never_for_a_request_of_a_program() {
	let page = axum::Router::new().fallback(|| async { "the page" });
	let api = Arc::new(Api {
		admin: AdminKey::new(None),
		changes: Protected::new(Arc::default()),
		sick: false,
	});
	let routes = OpenApiRouter::new();
	let router = site_with_page(routes, (), api, &Limits::default(), Some(page));
	let text = async |path: &str| {
		let request = Request::get(path).body(Body::empty()).unwrap();
		let answer = router.clone().oneshot(request).await.unwrap();
		let status = answer.status();
		let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
		(status, String::from_utf8(bytes.to_vec()).unwrap())
	};
	for path in ["/", "/assets/index.js", "/config.json"] {
		assert_eq!(text(path).await, (StatusCode::OK, "the page".to_string()), "{path}");
	}
	assert!(text("/health").await.1.contains("\"status\":\"ok\""));
	assert!(text("/docs").await.1.contains("<!doctype html>"));
	let (status, refusal) = text("/api/v1/nothing").await;
	assert_eq!(status, StatusCode::NOT_FOUND);
	assert!(refusal.starts_with('{'), "{refusal}");
}
