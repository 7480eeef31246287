//! The client against the platform's stand-in, `vectors/field/grid/mock_platform.py`, which needs python3.

mod common;

use common::vector;
use gridproof_grid::{
	Client, Commitment, Eic, Settings, Source, Token, Tz, Zone, ZoneReport, ZoneStatus,
	load_missing, load_zones, parse_zones, price_from_source, summarise,
};
use gridproof_primitives::{num::decimal::Ratio, time::day::Day};
use std::{
	fs,
	io::{BufRead, BufReader},
	net::{TcpListener, TcpStream},
	process::{Child, Command, Stdio},
	sync::mpsc::{Receiver, channel},
	time::{Duration, Instant},
};

struct StandIn {
	child: Child,
	said: Receiver<String>,
	port: u16,
}

impl Drop for StandIn {
	fn drop(&mut self) {
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

fn free_port() -> u16 {
	TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl StandIn {
	fn start(port: u16, mode: &str, folder: &str) -> Self {
		let mut child = Command::new("python3")
			.arg("-u")
			.arg(vector("field/grid/mock_platform.py"))
			.args([&port.to_string(), mode])
			.arg(vector(folder))
			.stdout(Stdio::piped())
			.spawn()
			.expect("python3 is installed");
		let (sender, said) = channel();
		let lines = BufReader::new(child.stdout.take().unwrap()).lines();
		std::thread::spawn(move || {
			for line in lines.map_while(Result::ok) {
				let _ = sender.send(line);
			}
		});
		let begin = Instant::now();
		while TcpStream::connect(("127.0.0.1", port)).is_err() {
			assert!(begin.elapsed() < Duration::from_secs(20), "{mode} does not listen");
			std::thread::sleep(Duration::from_millis(20));
		}
		Self { child, said, port }
	}

	fn source(&self) -> Source {
		let settings = Settings {
			base_url: format!("http://127.0.0.1:{}/api", self.port),
			attempts: 2,
			first_wait: Duration::from_millis(5),
			longest_wait: Duration::from_millis(10),
			spacing: Duration::ZERO,
			timeout: Duration::from_secs(5),
			parameters: Vec::new(),
		};
		let token = Token::new("1d9cd4bd-f8aa-476c-8cc1-3442dc91506d").unwrap();
		Source::Entsoe(Box::new(Client::new(token, settings).unwrap()))
	}

	/// The requests since the last call.
	fn requests(&self) -> Vec<String> {
		// What was answered was printed before.
		std::thread::sleep(Duration::from_millis(100));
		self.said.try_iter().collect()
	}
}

fn late_zones() -> (Vec<Zone>, Day) {
	let zones = fs::read_to_string(vector("field/grid/late/zones.csv")).unwrap();
	(parse_zones(&zones).unwrap(), "2026-01-15".parse().unwrap())
}

fn statuses(reports: &[ZoneReport]) -> Vec<ZoneStatus> {
	reports.iter().map(|report| report.status).collect()
}

#[tokio::test]
async fn a_platform_that_demands_the_business_type_gives_every_price() {
	let platform = StandIn::start(free_port(), "needs-a62", "field/grid/price-band");
	let source = platform.source();
	let brussels = Eic::parse("10YBE----------2").unwrap();
	let first: Day = "2025-03-24".parse().unwrap();
	for (number, mean) in (0..).zip(["63.0", "6.1", "10.0", "72.6", "94.6", "74.7"]) {
		let day = Day::from_days(first.days() + number).unwrap();
		let zone = Tz::Europe__Brussels;
		let report = price_from_source(&source, &brussels, day, zone, None).await.unwrap();
		assert_eq!(report.mean_eur_per_mwh.to_string(), mean, "{day}");
	}
	let requests = platform.requests();
	assert_eq!(requests.len(), 6);
	assert!(requests.iter().all(|request| request.contains("'businessType': 'A62'")));
	assert!(!requests.concat().contains("1d9cd4bd"));
}

#[tokio::test]
async fn a_zone_that_comes_late_counts_and_only_it_is_asked_for_again() {
	let platform = StandIn::start(free_port(), "late:1", "field/grid/late");
	let (source, (zones, day)) = (platform.source(), late_zones());
	let mut reports = load_zones(&source, &zones, day, None, |_| ()).await.unwrap();
	assert_eq!(statuses(&reports), [ZoneStatus::Incomplete, ZoneStatus::Ok]);
	let begin = Instant::now();
	while statuses(&reports) != [ZoneStatus::Ok; 2] {
		assert!(begin.elapsed() < Duration::from_secs(20));
		tokio::time::sleep(Duration::from_millis(300)).await;
		load_missing(&source, &zones, day, &mut reports).await.unwrap();
	}
	let commitment = Commitment { alpha: Ratio::percent(18), haircut: Ratio::ONE };
	let summary = summarise(day, reports, &commitment, 2).unwrap();
	assert_eq!((summary.zones_ok, summary.wh_dc_commit), (2, 286_530_480_000));
	let requests = platform.requests();
	let asked = |eic| requests.iter().filter(|request| request.contains(eic)).count();
	assert_eq!(asked("10YFR-RTE------C"), 1, "{requests:?}");
	assert!(asked("10YPT-REN------W") >= 2, "{requests:?}");
}

#[tokio::test]
async fn a_platform_that_is_away_or_has_moved_is_asked_until_it_is_back() {
	for (mode, reason) in [("maintenance", "503"), ("moved", "not here")] {
		let (port, (zones, day)) = (free_port(), late_zones());
		let away = StandIn::start(port, mode, "field/grid/late");
		let mut reports = load_zones(&away.source(), &zones, day, None, |_| ()).await.unwrap();
		// More than twenty attempts.
		for _ in 0..25 {
			load_missing(&away.source(), &zones, day, &mut reports).await.unwrap();
			assert_eq!(statuses(&reports), [ZoneStatus::Error; 2]);
		}
		assert!(reports[0].reason.contains(reason), "{mode}: {}", reports[0].reason);
		assert!(away.requests().len() > 50);
		drop(away);
		let back = StandIn::start(port, "late:0", "field/grid/late");
		load_missing(&back.source(), &zones, day, &mut reports).await.unwrap();
		assert_eq!(statuses(&reports), [ZoneStatus::Ok; 2], "{mode}");
	}
}

#[test]
fn the_inputs_are_those_that_their_program_writes() {
	let folder = tempfile::tempdir().unwrap();
	let program = folder.path().join("make_inputs.py");
	fs::copy(vector("field/grid/make_inputs.py"), &program).unwrap();
	assert!(Command::new("python3").arg(&program).status().unwrap().success());
	for name in [
		"price-band/2025-03-24/price_10YBE----------2.xml",
		"price-band/2025-03-29/load_10YBE----------2.xml",
		"zero/2026-01-15/load_10YSI-ELES-----O.xml",
		"late/0020/2026-01-15/load_10YPT-REN------W.xml",
		"late/0200/2026-01-15/load_10YPT-REN------W.xml",
		"odd/price_daily_extra.xml",
		"odd/load_curve_a05.xml",
		"zero/zones.csv",
	] {
		let kept = fs::read(vector(&format!("field/grid/{name}"))).unwrap();
		assert_eq!(fs::read(folder.path().join(name)).unwrap(), kept, "{name}");
	}
}
