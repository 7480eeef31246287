//! What devices and brokers in the field do: the inputs of `vectors/field`, whose programs need python3,
//! and what is like them.

use crate::common::{Desk, Running, device_key, reading};
use gridproof_gateway::Broker;
use gridproof_gateway_api::BatchState;
use gridproof_primitives::{
	energy::{Direction, Trust, emlog::format_utc},
	num::units::MILLIS_PER_DAY,
};
use gridproof_support::clock::now_ms;
use std::{
	path::PathBuf,
	process::Stdio,
	time::{Duration, Instant},
};
use tokio::{
	io::{AsyncBufReadExt, BufReader, Lines},
	process::{Child, ChildStdout, Command},
};
use zeroize::Zeroizing;

const METER: &str = "PLANT-01/gw-1/MTR-001";
const TOPIC: &str = "energy/PLANT-01/gw-1/MTR-001";

fn field(name: &str) -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../vectors/field").join(name)
}

fn log() -> String {
	std::fs::read_to_string(field("mqtt/log.json")).unwrap()
}

/// A log of the field cases with other times, in milliseconds.
fn timed(text: &str, start_ms: u64, end_ms: u64) -> String {
	text.replace("2026-01-15T10:00:00Z", &format_utc(start_ms))
		.replace("2026-01-15T10:05:00Z", &format_utc(end_ms))
		.replace("\"interval_s\":300", &format!("\"interval_s\":{}", (end_ms - start_ms) / 1_000))
}

fn program(arguments: &[&str]) -> Command {
	let mut command = Command::new("python3");
	command.arg("-u").arg(field("mqtt/mqtt_cases.py")).args(arguments).kill_on_drop(true);
	command
}

/// What a device of the field cases says about the gateway's answers.
async fn device(gateway: &Running, case: &str, more: &[&str]) -> String {
	let port = gateway.gateway.address("mqtt").unwrap().port().to_string();
	let arguments = [&[case, "127.0.0.1", port.as_str()], more].concat();
	let done = tokio::time::timeout(Duration::from_secs(60), program(&arguments).output());
	let done = done.await.expect("it ends").expect("python3 is installed");
	assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
	String::from_utf8(done.stdout).unwrap()
}

/// A broker of the field cases.
struct Counterpart {
	_child: Child,
	said: Lines<BufReader<ChildStdout>>,
	port: u16,
}

impl Counterpart {
	async fn start(case: &str, more: &[&str]) -> Self {
		let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
		let port = free.local_addr().unwrap().port();
		drop(free);
		let port_text = port.to_string();
		let arguments = [&[case, port_text.as_str()], more].concat();
		let mut child = program(&arguments).stdout(Stdio::piped()).spawn().unwrap();
		let said = BufReader::new(child.stdout.take().unwrap()).lines();
		let counterpart = Self { _child: child, said, port };
		let begin = Instant::now();
		// A connection that says nothing is over for it at once.
		while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
			assert!(begin.elapsed() < Duration::from_secs(20), "{case} does not listen");
			tokio::time::sleep(Duration::from_millis(50)).await;
		}
		counterpart
	}

	/// The lines that it says up to one with this in it.
	async fn says(&mut self, wanted: &str) -> Vec<String> {
		let mut lines = Vec::new();
		loop {
			let next = tokio::time::timeout(Duration::from_secs(30), self.said.next_line()).await;
			let line = next.unwrap_or_else(|_| panic!("no {wanted:?} in {lines:?}"));
			lines.push(line.unwrap().expect("it runs"));
			if lines.last().unwrap().contains(wanted) {
				return lines;
			}
		}
	}

	async fn gateway(&self, desk: &mut Desk) -> Running {
		at_broker(desk, self.port).await
	}
}

async fn at_broker(desk: &mut Desk, port: u16) -> Running {
	desk.settings.mqtt = None;
	desk.settings.broker = Some(Broker {
		url: Zeroizing::new(format!("mqtt://meters@127.0.0.1:{port}")),
		password: None,
		authority: None,
		client_id: None,
		filter: None,
	});
	desk.start(vec![]).await
}

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
	let begin = Instant::now();
	while !is_so().await {
		assert!(begin.elapsed() < Duration::from_secs(30), "{what}: not after 30 s");
		tokio::time::sleep(Duration::from_millis(50)).await;
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_retain_is_acknowledged_at_once_in_both_versions_and_not_retained() {
	for case in ["retained-v5", "retained-v3"] {
		let gateway = Desk::anonymous().start(vec![]).await;
		let log = field("mqtt/log.json").display().to_string();
		let said = device(&gateway, case, &[TOPIC, &log]).await;
		let lines: Vec<&str> = said.lines().collect();
		assert!(lines[0].starts_with("connection 1 → 0x20 0000"), "{said}");
		let acknowledged = lines[1].split(" → 0x40 0007").nth(1);
		let acknowledged = acknowledged.unwrap_or_else(|| panic!("{case}: {said}"));
		assert!(acknowledged.chars().all(|digit| digit == '0'), "reason 0: {said}");
		assert_eq!(lines.len(), 2, "one connection is enough: {said}");
		assert_eq!(gateway.storage().counts().await.unwrap().readings, 1);
		let mut reader = gateway.mqtt("reader", None).await;
		assert!(reader.subscribe("energy/#").await);
		assert!(reader.is_quiet(Duration::from_millis(300)).await, "nothing is retained");
		gateway.stop().await;
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_of_older_versions_learn_that_it_is_the_version() {
	let gateway = Desk::anonymous().start(vec![]).await;
	for case in ["old-protocol", "bridge"] {
		let said = device(&gateway, case, &[]).await;
		assert!(said.contains("→ 0x20 0001"), "{case}: {said}");
	}
	gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_with_a_message_that_is_too_large_gets_rid_of_it_on_one_connection() {
	let gateway = Desk::anonymous().start(vec![]).await;
	for bytes in ["70000", "65537", "300000"] {
		let said = device(&gateway, "large", &[TOPIC, bytes]).await;
		assert!(said.contains("connection 1 →") && !said.contains("connection 2"), "{said}");
		assert!(said.contains("acknowledged: [1, 2]"), "{bytes}: {said}");
	}
	// The letters keep the begin of each, which is the same: one row that counts up.
	let refused = gateway.client.status().await.unwrap().refused;
	let too_large = refused.iter().filter(|refused| refused.reason == "too_large");
	assert_eq!(too_large.map(|refused| refused.count).sum::<u64>(), 3, "{refused:?}");
	gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_telemetry_of_a_plug_is_counted_exactly_and_takes_no_room_of_logs() {
	let mut desk = Desk::anonymous();
	desk.settings.max_bytes = Some(1_000_000);
	let gateway = desk.start(vec![]).await;
	let said = device(&gateway, "telemetry", &["3000"]).await;
	assert!(said.contains("sent 3000"), "{said}");
	let counted = "gridproof_gateway_refused_total{reason=\"wrong_topic\",source=\"mqtt\"} 3000";
	until("all are counted", async || gateway.get_text("/metrics").await.1.contains(counted)).await;
	let (status, answer) = gateway.post("/api/v1/logs", log()).await;
	assert_eq!(status, 200, "{answer}");
	for slot in 0..50 {
		let (status, answer) = gateway.post("/api/v1/logs", reading(METER, slot, "1", "")).await;
		assert_eq!(status, 200, "{answer}");
	}
	let bytes = std::fs::metadata(desk.path("gateway.db")).unwrap().len();
	assert!(bytes <= 1_000_000, "{bytes}");
	gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_gets_rid_of_a_message_that_is_too_large_and_of_the_log_behind_it() {
	let log = field("mqtt/log.json").display().to_string();
	let mut broker = Counterpart::start("broker-large", &["140000", &log]).await;
	let mut desk = Desk::new();
	let gateway = broker.gateway(&mut desk).await;
	let mut lines = broker.says("message 1 acknowledged").await;
	if !lines.iter().any(|line| line.contains("message 2 acknowledged")) {
		lines.extend(broker.says("message 2 acknowledged").await);
	}
	// Connection 1 was the test's own look whether it listens.
	assert!(!lines.iter().any(|line| line.contains("again")), "{lines:?}");
	assert_eq!(gateway.storage().counts().await.unwrap().readings, 1);
	let (_, letters) = gateway.get("/api/v1/dead-letters").await;
	let letter = &letters[0];
	assert_eq!((&letter["reason"], &letter["payload"]), (&"too_large".into(), &"".into()));
	assert!(letter["detail"].as_str().unwrap().starts_with("140000 bytes"), "{letter}");
	gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_refuses_the_subscription_is_in_status_and_figures() {
	let mut broker = Counterpart::start("broker-refuses", &[]).await;
	let mut desk = Desk::new();
	let gateway = broker.gateway(&mut desk).await;
	broker.says("SUBSCRIBE answered with 0x80").await;
	let begin = Instant::now();
	until("the status says so", async || {
		let run = gateway.client.status().await.unwrap().run;
		let trouble = run.trouble.unwrap_or_default();
		trouble.contains("energy/+/+/+") && run.broker_connected == Some(false)
	})
	.await;
	assert!(begin.elapsed() < Duration::from_secs(5));
	let (_, figures) = gateway.get_text("/metrics").await;
	assert!(figures.contains("gridproof_gateway_intake_works{source=\"broker\"} 0"), "{figures}");
	assert!(figures.contains("gridproof_gateway_intake_works{source=\"http\"} 1"), "{figures}");
	gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_with_default_settings_at_one_broker_get_all_logs_each() {
	let server = Desk::anonymous().start(vec![]).await;
	let port = server.gateway.address("mqtt").unwrap().port();
	let (mut one, mut other) = (Desk::new(), Desk::new());
	let gateways = [at_broker(&mut one, port).await, at_broker(&mut other, port).await];
	let connected = async |gateway: &Running| {
		gateway.client.status().await.unwrap().run.broker_connected == Some(true)
	};
	for gateway in &gateways {
		until("it is connected", async || connected(gateway).await).await;
	}
	let mut device = server.mqtt("device", None).await;
	for slot in 0..20 {
		device.deliver(TOPIC, reading(METER, slot, "0.25", "")).await;
	}
	for gateway in &gateways {
		let counts = async || gateway.storage().counts().await.unwrap().readings;
		until("all logs are here", async || counts().await == 20).await;
		assert!(connected(gateway).await, "neither has thrown the other out");
	}
	// The broker goes: that is said.
	server.stop().await;
	for gateway in gateways {
		until("it is away", async || !connected(&gateway).await).await;
		gateway.stop().await;
	}
}

#[tokio::test]
async fn the_difference_over_an_outage_is_refused_with_the_way_and_taken_that_way() {
	let (desk, chain) = Desk::anonymous().with_chain();
	let key = device_key("gateway");
	chain.certify(METER, &key, Trust::Gateway, Direction::Export);
	let gateway = desk.start(vec![key]).await;
	let catch_up = std::fs::read_to_string(field("files/log-catch-up.json")).unwrap();
	let end = (now_ms() / MILLIS_PER_DAY - 2) * MILLIS_PER_DAY + 20 * 3_600_000;
	let at_once = timed(&catch_up, end - 300_000, end);
	let estimated = |log: &str| log.replace("\"tags\"", "\"status\":\"estimated\",\"tags\"");
	for log in [at_once.clone(), estimated(&at_once)] {
		let (status, answer) = gateway.post("/api/v1/logs", log).await;
		assert_eq!((status, &answer["error"]), (422, &"too_much_energy".into()));
		let detail = answer["detail"].as_str().unwrap();
		for part in ["interval in which it was measured", "status estimated", "916 Wh"] {
			assert!(detail.contains(part), "{detail}");
		}
	}
	// The way that is named: 48.75 kWh over ten hours, through a meter of 10 kW.
	let difference = estimated(&timed(&catch_up, end - 36_000_000, end));
	let (status, answer) = gateway.post("/api/v1/logs", difference).await;
	assert_eq!(status, 200, "{answer}");
	let batch = gateway.client.flush().await.unwrap().id;
	gateway.wait_for(&batch, BatchState::Accepted).await;
	assert_eq!(chain.meter_state(0).registers.export_wh, 48_750);
	gateway.stop().await;
}

#[tokio::test]
async fn ten_logs_of_another_day_after_one_of_now_are_taken_in_any_order() {
	let (mut desk, chain) = Desk::anonymous().with_chain();
	desk.settings.batching.daily = true;
	let key = device_key("gateway");
	chain.certify(METER, &key, Trust::Gateway, Direction::Export);
	let gateway = desk.start(vec![key]).await;
	let (now, log) = (now_ms() / 300_000 * 300_000, log());
	let before = (now / MILLIS_PER_DAY - 2) * MILLIS_PER_DAY + 43_200_000;
	let mut starts = vec![now - 300_000];
	starts.extend([3u64, 7, 0, 9, 1, 8, 5, 2, 6, 4].map(|slot| before + slot * 300_000));
	for start in starts {
		let (status, answer) =
			gateway.post("/api/v1/logs", timed(&log, start, start + 300_000)).await;
		assert_eq!(status, 200, "{answer}");
		// Several looks of the batcher, which are 50 ms apart.
		tokio::time::sleep(Duration::from_millis(120)).await;
	}
	// Those of the other day are a batch; the one of now waits for more of its own day.
	let batch = gateway.client.flush().await.unwrap();
	assert_eq!((batch.log_count, batch.also.len()), (10, 0));
	gateway.wait_for(&batch.id, BatchState::Accepted).await;
	assert_eq!(chain.meter_state(0).registers.export_wh, 10 * 250);
	assert!(gateway.dead_letters().await.is_empty());
	gateway.stop().await;
}

#[tokio::test]
async fn the_case_of_basic_does_not_matter_and_a_wrong_password_does() {
	use base64::{Engine, engine::general_purpose::STANDARD};
	let desk = Desk::new();
	let password = desk.add_device("PLANT-01:gw-1", "PLANT-01", "gw-1");
	let gateway = desk.start(vec![]).await;
	let post = async |scheme: &str, password: &str| {
		let pair = STANDARD.encode(format!("PLANT-01:gw-1:{password}"));
		let asked = gateway.http.post(format!("{}/api/v1/logs", gateway.url)).body(log());
		let asked = asked.header("authorization", format!("{scheme} {pair}"));
		let answer = asked.header("content-type", "application/json").send().await.unwrap();
		(answer.status().as_u16(), answer.text().await.unwrap())
	};
	let usual = post("Basic", &password).await;
	assert_eq!(usual.0, 200, "{}", usual.1);
	for scheme in ["basic", "BASIC", "bAsIc"] {
		assert_eq!(post(scheme, &password).await, usual, "{scheme}");
		assert_eq!(post(scheme, "wrong").await.0, 401, "{scheme}");
	}
	gateway.stop().await;
}

#[tokio::test]
async fn a_byte_order_mark_before_a_log_does_not_count_wherever_it_comes_in() {
	let gateway = Desk::anonymous().start(vec![]).await;
	let marked = std::fs::read_to_string(field("files/log-bom.json")).unwrap();
	assert!(marked.starts_with('\u{feff}'));
	let (status, first) = gateway.post("/api/v1/logs", marked.as_str()).await;
	assert_eq!(status, 200, "{first}");
	assert_eq!(gateway.post("/api/v1/logs", log()).await, (200, first));
	let mut mqtt = gateway.mqtt("meter", None).await;
	mqtt.deliver(TOPIC, marked).await;
	mqtt.deliver(TOPIC, format!("\u{feff}{}", reading(METER, 0, "1", ""))).await;
	assert_eq!(gateway.storage().counts().await.unwrap().readings, 2);
	assert!(gateway.dead_letters().await.is_empty());
	gateway.stop().await;
}

#[tokio::test]
async fn a_clock_of_1970_is_said_at_once_to_a_certified_meter_and_its_neighbours() {
	let (desk, chain) = Desk::anonymous().with_chain();
	let key = device_key("gateway");
	chain.certify(METER, &key, Trust::Gateway, Direction::Export);
	chain.begin_service(0, now_ms() - MILLIS_PER_DAY);
	let gateway = desk.start(vec![key]).await;
	let old = std::fs::read_to_string(field("files/log-clock-1970.json")).unwrap();
	let other = old.replace("1970-01-01", "2000-01-01");
	for log in [old, other, log()] {
		let (status, answer) = gateway.post("/api/v1/logs", log).await;
		assert_eq!((status, &answer["error"]), (409, &"late".into()), "{answer}");
	}
	assert_eq!(gateway.storage().counts().await.unwrap().readings, 0);
	gateway.stop().await;
}
