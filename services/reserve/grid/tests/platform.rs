//! The client against a local server that behaves like the platform.

mod common;

use axum::{
	Router,
	extract::{Query, State},
	http::{
		HeaderMap, HeaderValue, StatusCode,
		header::{LOCATION, RETRY_AFTER},
	},
	response::{IntoResponse, Response},
	routing::get,
};
use common::{DE_LU, FR, acknowledgement, load, no_data, price_document, price_series, window};
use gridproof_grid::{
	Client, DataItem, DemandError, EUROPE, Eic, MAX_BYTES, PARALLEL, PlatformError, Settings,
	Source, SourceError, Token, Tz, ZONES_HEADER, ZoneReport, ZoneStatus, load_zones, parse_zones,
	price_from_source,
};
use std::{
	collections::HashMap,
	sync::{Arc, Mutex},
	time::{Duration, Instant},
};

const TOKEN: &str = "1d9cd4bd-f8aa-476c-8cc1-3442dc91506d";

/// One answer: status, Retry-After, body.
type Answer = (u16, Option<&'static str>, String);

/// When a request came, and what it asked.
type Request = (Instant, HashMap<String, String>);

/// A server that gives an area's answers one after the other, the last one for ever.
#[derive(Clone, Default)]
struct Platform {
	answers: Arc<Mutex<HashMap<String, Vec<Answer>>>>,
	requests: Arc<Mutex<Vec<Request>>>,
}

impl Platform {
	fn with(self, eic: &str, answers: Vec<Answer>) -> Self {
		self.answers.lock().unwrap().insert(eic.into(), answers);
		self
	}

	async fn start(&self) -> String {
		let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
		let url = format!("http://{}/api", listener.local_addr().unwrap());
		let app = Router::new().route("/api", get(answer)).with_state(self.clone());
		tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
		url
	}

	fn requests(&self) -> Vec<HashMap<String, String>> {
		self.requests.lock().unwrap().iter().map(|(_, query)| query.clone()).collect()
	}
}

async fn answer(
	State(platform): State<Platform>,
	Query(query): Query<HashMap<String, String>>,
) -> Response {
	platform.requests.lock().unwrap().push((Instant::now(), query.clone()));
	if query.get("securityToken").map(String::as_str) != Some(TOKEN) {
		let text = format!("Unauthorized. Invalid token {:?}", query.get("securityToken"));
		return (StatusCode::UNAUTHORIZED, format!("<html><body>{text}</body></html>"))
			.into_response();
	}
	let area = query.get("outBiddingZone_Domain").or(query.get("in_Domain")).cloned();
	let mut all = platform.answers.lock().unwrap();
	let Some(answers) = area.and_then(|area| all.get_mut(&area)) else {
		return (StatusCode::BAD_REQUEST, acknowledgement("999", "Unknown area")).into_response();
	};
	let (status, retry_after, body) =
		if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
	let mut headers = HeaderMap::new();
	if let Some(seconds) = retry_after {
		headers.insert(RETRY_AFTER, HeaderValue::from_static(seconds));
	}
	if status == 302 {
		headers.insert(LOCATION, HeaderValue::from_static("/elsewhere"));
	}
	(StatusCode::from_u16(status).unwrap(), headers, body).into_response()
}

fn settings(url: &str) -> Settings {
	Settings {
		base_url: url.into(),
		attempts: 4,
		first_wait: Duration::from_millis(10),
		longest_wait: Duration::from_secs(2),
		spacing: Duration::ZERO,
		timeout: Duration::from_secs(5),
		parameters: Vec::new(),
	}
}

fn client(url: &str) -> Client {
	Client::new(Token::new(TOKEN).unwrap(), settings(url)).unwrap()
}

fn monday(eic: &str) -> String {
	let points = [(1, "1000")];
	load(eic, "A03", &[("2025-03-23T23:00Z", "2025-03-24T23:00Z", "PT60M", &points)])
}

async fn ask(client: &Client, eic: &str) -> Result<String, PlatformError> {
	let window = window("2025-03-24", "Europe/Berlin");
	let eic = Eic::parse(eic).unwrap();
	let bytes = client.document(DataItem::Load, &eic, &window).await?;
	Ok(String::from_utf8(bytes).unwrap())
}

/// What one area's answers come to.
async fn outcome(answers: Vec<Answer>) -> (Result<String, PlatformError>, usize) {
	let platform = Platform::default().with(DE_LU, answers);
	let url = platform.start().await;
	let outcome = ask(&client(&url), DE_LU).await;
	(outcome, platform.requests().len())
}

#[tokio::test]
async fn the_request_names_area_period_and_token() {
	let platform = Platform::default().with(DE_LU, vec![(200, None, monday(DE_LU))]);
	let url = platform.start().await;
	assert_eq!(ask(&client(&url), DE_LU).await, Ok(monday(DE_LU)));
	let expected = [
		("documentType", "A65"),
		("processType", "A16"),
		("outBiddingZone_Domain", DE_LU),
		("periodStart", "202503232300"),
		("periodEnd", "202503242300"),
		("securityToken", TOKEN),
	];
	let expected: HashMap<String, String> =
		expected.map(|(key, value)| (key.to_string(), value.to_string())).into();
	assert_eq!(platform.requests(), [expected]);
}

#[tokio::test]
async fn busy_and_broken_answers_are_asked_again() {
	let answers = vec![
		(503, None, "<html>Service Unavailable</html>".into()),
		(429, Some("0"), acknowledgement("999", "Too many requests")),
		(500, None, String::new()),
		(200, None, monday(DE_LU)),
	];
	assert_eq!(outcome(answers).await, (Ok(monday(DE_LU)), 4));
}

#[tokio::test]
async fn attempts_are_bounded_and_the_last_reason_is_told() {
	let answers = vec![(503, None, "<html><h1>Service Unavailable</h1></html>".into())];
	let expected =
		PlatformError::GaveUp { attempts: 4, last: "HTTP 503: Service Unavailable".into() };
	assert_eq!(outcome(answers).await, (Err(expected), 4));
}

#[tokio::test]
async fn retry_after_is_waited_for() {
	let answers = vec![(429, Some("1"), String::new()), (200, None, monday(DE_LU))];
	let start = Instant::now();
	assert_eq!(outcome(answers).await, (Ok(monday(DE_LU)), 2));
	assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_429_holds_back_every_other_request_too() {
	let platform = Platform::default()
		.with(DE_LU, vec![(429, Some("1"), String::new()), (200, None, monday(DE_LU))])
		.with(FR, vec![(200, None, monday(FR))]);
	let url = platform.start().await;
	let settings = Settings { spacing: Duration::from_millis(200), ..settings(&url) };
	let client = Client::new(Token::new(TOKEN).unwrap(), settings).unwrap();
	let start = Instant::now();
	let (first, second) = futures::join!(ask(&client, DE_LU), ask(&client, FR));
	assert_eq!((first, second), (Ok(monday(DE_LU)), Ok(monday(FR))));
	let times: Vec<Duration> =
		platform.requests.lock().unwrap().iter().map(|(at, _)| *at - start).collect();
	assert_eq!(times.len(), 3);
	assert!(times[1] >= Duration::from_secs(1), "{times:?}");
}

#[tokio::test]
async fn a_retry_after_beyond_the_longest_wait_ends_the_attempts() {
	let answers = vec![(429, Some("600"), "<html>Too Many Requests</html>".into())];
	let expected =
		PlatformError::GaveUp { attempts: 1, last: "HTTP 429: Too Many Requests".into() };
	assert_eq!(outcome(answers).await, (Err(expected), 1));
}

#[tokio::test]
async fn no_data_is_an_answer_whatever_its_status() {
	for status in [200, 400, 404, 429, 503] {
		let answers = vec![(status, None, no_data())];
		assert_eq!(outcome(answers).await, (Ok(no_data()), 1), "{status}");
	}
}

#[tokio::test]
async fn a_refusal_is_handed_on_and_not_repeated() {
	let refusal = acknowledgement("999", "The area is unknown");
	for status in [200, 400] {
		let answers = vec![(status, None, refusal.clone())];
		assert_eq!(outcome(answers).await, (Ok(refusal.clone()), 1), "{status}");
	}
}

#[tokio::test]
async fn what_is_not_a_document_is_told_with_its_status() {
	let answers = vec![(404, None, "<html><body>Not Found</body></html>".into())];
	let expected = PlatformError::NotADocument { status: 404, text: "Not Found".into() };
	assert_eq!(outcome(answers).await, (Err(expected), 1));
	let answers = vec![(200, None, "PK\u{3}\u{4}zip".into())];
	assert!(matches!(
		outcome(answers).await,
		(Err(PlatformError::NotADocument { status: 200, .. }), 1)
	));
	let answers = vec![(302, None, String::new())];
	assert!(matches!(
		outcome(answers).await,
		(Err(PlatformError::NotADocument { status: 302, .. }), 1)
	));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
	let answers = vec![(200, None, " ".repeat(MAX_BYTES + 1))];
	assert_eq!(outcome(answers).await, (Err(PlatformError::TooLarge), 1));
}

#[tokio::test]
async fn a_wrong_token_stops_everything_and_is_never_shown() {
	let platform = Platform::default().with(DE_LU, vec![(200, None, monday(DE_LU))]);
	let url = platform.start().await;
	let wrong = "wrong-token-wrong-token";
	let client = Client::new(Token::new(wrong).unwrap(), settings(&url)).unwrap();
	let failure = ask(&client, DE_LU).await.unwrap_err();
	assert!(matches!(&failure, PlatformError::TokenRefused { status: 401, .. }), "{failure:?}");
	assert!(!format!("{failure} {failure:?} {client:?}").contains(wrong));

	let list = parse_zones(EUROPE).unwrap();
	let day = "2025-03-24".parse().unwrap();
	let asked = platform.requests().len();
	let outcome = load_zones(&Source::Entsoe(Box::new(client)), &list, day, None, |_| {}).await;
	assert!(matches!(outcome, Err(DemandError::Token(PlatformError::TokenRefused { .. }))));
	let asked = platform.requests().len() - asked;
	assert!(asked <= PARALLEL, "{asked} requests with a refused token");
}

#[tokio::test]
async fn answers_that_quote_the_token_are_shown_without_any_part_of_it() {
	for padding in [0, 100, 190, 195, 4_080, 5_000] {
		let quoting = format!("{}securityToken={TOKEN}", "x".repeat(padding));
		for (status, body) in [
			(404, format!("<html>{quoting}</html>")),
			(503, format!("<html>{quoting}</html>")),
			(503, acknowledgement("999", &quoting)),
			(401, acknowledgement("999", &quoting)),
			(400, acknowledgement("999", &quoting)),
		] {
			let (outcome, _) = outcome(vec![(status, None, body)]).await;
			let shown = format!("{outcome:?}");
			assert!(!shown.contains(&TOKEN[..8]), "{status} {padding}: {shown}");
		}
	}
}

#[tokio::test]
async fn nobody_listening_is_an_error_without_address_or_token() {
	let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
	let url = format!("http://{}/api", listener.local_addr().unwrap());
	drop(listener);
	let failure = ask(&client(&url), DE_LU).await.unwrap_err();
	assert!(matches!(failure, PlatformError::GaveUp { attempts: 4, .. }), "{failure:?}");
	let text = failure.to_string();
	assert!(!text.contains(TOKEN) && !text.contains("securityToken"), "{text}");
}

#[tokio::test]
async fn a_server_that_never_answers_runs_into_the_time_out() {
	let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
	let url = format!("http://{}/api", listener.local_addr().unwrap());
	let settings = Settings { timeout: Duration::from_millis(200), attempts: 2, ..settings(&url) };
	let client = Client::new(Token::new(TOKEN).unwrap(), settings).unwrap();
	let start = Instant::now();
	let failure = ask(&client, DE_LU).await.unwrap_err();
	assert!(matches!(failure, PlatformError::GaveUp { attempts: 2, .. }), "{failure:?}");
	assert!(start.elapsed() < Duration::from_secs(3));
	drop(listener);
}

#[tokio::test]
async fn requests_keep_their_distance() {
	let platform = Platform::default().with(DE_LU, vec![(200, None, monday(DE_LU))]);
	let url = platform.start().await;
	let spacing = Duration::from_millis(50);
	let settings = Settings { spacing, ..settings(&url) };
	let client = Client::new(Token::new(TOKEN).unwrap(), settings).unwrap();
	let start = Instant::now();
	let all = futures::future::join_all((0..6).map(|_| ask(&client, DE_LU))).await;
	assert!(all.iter().all(Result::is_ok));
	let mut times: Vec<Duration> =
		platform.requests.lock().unwrap().iter().map(|(at, _)| *at - start).collect();
	times.sort();
	for (index, time) in (0..).zip(times) {
		assert!(time >= spacing * index, "request {index} after {time:?}");
	}
}

#[tokio::test]
async fn every_zone_gets_its_own_outcome_with_its_reason() {
	const BE: &str = "10YBE----------2";
	const NL: &str = "10YNL----------L";
	const AT: &str = "10YAT-APG------L";
	const CH: &str = "10YCH-SWISSGRIDZ";
	let half = [("2025-03-24T11:00Z", "2025-03-24T23:00Z", "PT60M", &[(1, "500")][..])];
	let platform = Platform::default()
		.with(DE_LU, vec![(503, None, String::new()), (200, None, monday(DE_LU))])
		.with(FR, vec![(200, None, load(FR, "A03", &half))])
		.with(BE, vec![(400, None, no_data())])
		.with(NL, vec![(200, None, monday(DE_LU))])
		.with(AT, vec![(503, None, String::new())])
		.with(CH, vec![(400, None, acknowledgement("A95", "Not allowed"))]);
	let url = platform.start().await;
	let list = parse_zones(&format!(
		"{}\nDE-LU,{DE_LU},Europe/Berlin\nFR,{FR},Europe/Paris\nBE,{BE},Europe/Brussels\n\
		 NL,{NL},Europe/Amsterdam\nAT,{AT},Europe/Vienna\nCH,{CH},Europe/Zurich\n",
		ZONES_HEADER
	))
	.unwrap();
	let source = Source::Entsoe(Box::new(client(&url)));
	let day = "2025-03-24".parse().unwrap();
	let saved = tempfile::tempdir().unwrap();
	let mut seen = Vec::new();
	let reports = load_zones(&source, &list, day, Some(saved.path()), |report| {
		seen.push(report.name.clone())
	})
	.await
	.unwrap();
	assert_eq!(seen, ["DE-LU", "FR", "BE", "NL", "AT", "CH"]);
	let outcome = |report: &ZoneReport| (report.status, report.wh, report.completeness_ppm);
	assert_eq!(outcome(&reports[0]), (ZoneStatus::Ok, Some(24_000_000_000), 1_000_000));
	assert_eq!(outcome(&reports[1]), (ZoneStatus::Incomplete, Some(6_000_000_000), 500_000));
	assert_eq!(outcome(&reports[2]), (ZoneStatus::NoData, None, 0));
	for report in &reports[3..] {
		assert_eq!(outcome(report), (ZoneStatus::Error, None, 0));
	}
	let reasons: Vec<&str> = reports.iter().map(|report| report.reason.as_str()).collect();
	assert_eq!(reasons[0], "1440 of 1440 minutes have a figure");
	assert_eq!(reasons[1], "720 of 1440 minutes have a figure");
	assert!(reasons[2].starts_with("999: No matching data found"), "{}", reasons[2]);
	assert_eq!(reasons[3], format!("the document is about {DE_LU}, not about {NL}"));
	assert_eq!(reasons[4], "no answer after 4 attempts; the last: HTTP 503: an empty answer");
	assert_eq!(reasons[5], "the platform refused: A95: Not allowed");

	// What was saved reads the same, as far as the platform answered at all.
	let again =
		load_zones(&Source::Folder(saved.path().into()), &list, day, None, |_| {}).await.unwrap();
	assert_eq!(again[..4], reports[..4]);
	assert_eq!(again[5], reports[5]);
	assert_eq!(again[4].status, ZoneStatus::NoData);
}

#[tokio::test]
async fn prices_come_the_same_way() {
	let points = [(1, "81.5")];
	let series = price_series(
		DE_LU,
		Some(1),
		"A03",
		&[("2025-03-23T23:00Z", "2025-03-24T23:00Z", "PT60M", &points)],
	);
	let platform = Platform::default().with(DE_LU, vec![(200, None, price_document(&series))]);
	let url = platform.start().await;
	let source = Source::Entsoe(Box::new(client(&url)));
	let (eic, day) = (Eic::parse(DE_LU).unwrap(), "2025-03-24".parse().unwrap());
	let zone = Tz::Europe__Berlin;
	let report = price_from_source(&source, &eic, day, zone, None).await.unwrap();
	assert_eq!((report.mean_eur_per_mwh.to_string(), report.slots), ("81.5".to_string(), 24));
	assert_eq!(platform.requests()[0]["documentType"], "A44");
	assert_eq!(platform.requests()[0]["out_Domain"], DE_LU);
}

#[test]
fn a_source_failure_says_what_it_is() {
	let failure = SourceError::from(PlatformError::TooLarge);
	assert_eq!(failure.to_string(), "the answer is larger than 16777216 bytes");
}
