//! Readings over MQTT, from their publish to the disk, at a gateway that follows a chain.

use crate::{
	USAGE,
	meters::{certify, now_ms, seed},
	options::Options,
	spread::{Spread, rates},
};
use anyhow::{Context, Result, ensure};
use gridproof_chain::Chain;
use gridproof_device::{Device, Reading};
use gridproof_e2e::{
	Node, NodeConfig,
	binary::command_binary,
	machine::{cpu_seconds, memory},
	metering::let_short_batches_be_free,
	ports::free_ports,
	process::Process,
	reserve::gridproof,
};
use gridproof_fleet::{Credential, ensure_credentials};
use gridproof_keys::{Kind, SealedKey};
use gridproof_primitives::{
	energy::emlog::Energy,
	energy::{Direction, MeterName},
};
use serde_json::Value;
use std::{
	collections::VecDeque,
	path::Path,
	time::{Duration, Instant},
};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::TcpStream,
};

const LIMIT: Duration = Duration::from_secs(120);
/// A connection says that it lives so often, in seconds; no run takes as long.
const KEEP_ALIVE: u16 = 600;
/// Length of a reading's interval, in milliseconds.
const INTERVAL_MS: u64 = 1_000;

/// How much is measured.
struct Plan {
	meters: usize,
	connections: usize,
	readings: usize,
	runs: usize,
	window: usize,
}

/// `scripts/bench gateway`.
pub(crate) async fn run(mut options: Options) -> Result<()> {
	let plan = Plan {
		meters: options.count("--meters", 10_000)?,
		connections: options.count("--connections", 8)?,
		readings: options.count("--readings", 200_000)?,
		runs: options.count("--runs", 5)?,
		window: options.count("--window", 1_000)?,
	};
	options.end()?;
	let is_sane = plan.connections > 0 && plan.meters >= plan.connections && plan.runs > 0;
	ensure!(is_sane && (4..=2_000).contains(&plan.window), "{USAGE}");

	let mut config = NodeConfig::development();
	config.show_log = false;
	let node = Node::start(config).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let chain = Chain::connect(&node.rpc_url()).await?;
	let_short_batches_be_free(&chain).await?;
	let names: Result<Vec<_>, _> = (0..plan.meters)
		.map(|meter| {
			let device = format!("dev-{}", meter % plan.connections);
			MeterName::new("BENCH", &device, &format!("m-{meter}"))
		})
		.collect();
	let names = names?;
	let each = plan.readings.div_ceil(plan.meters).saturating_mul(plan.runs).saturating_add(1);
	let since = now_ms()?.saturating_sub(INTERVAL_MS.saturating_mul(u64::try_from(each)? + 60));
	let since = since / INTERVAL_MS * INTERVAL_MS;
	certify(&chain, &names, since).await?;
	let desk = Desk::start(&node, &names[..plan.connections]).await?;
	measure(&desk, &plan, &mut Meters::new(&names, since)?).await
}

/// A gateway and who may publish there.
struct Desk {
	folder: tempfile::TempDir,
	gateway: Process,
	http: String,
	mqtt: u16,
	logins: Vec<Credential>,
}

impl Desk {
	/// Starts one; `devices` are meters of the devices that connect.
	async fn start(node: &Node, devices: &[MeterName]) -> Result<Self> {
		let folder = tempfile::Builder::new().prefix("gridproof-bench-").tempdir()?;
		let (file, data) = (folder.path().join("credentials.csv"), folder.path().join("gateway"));
		let logins = ensure_credentials(&file, devices)?;
		let text = |path: &Path| path.display().to_string();
		let (file, data) = (text(&file), text(&data));
		gridproof(&["gateway", "device", "import", &file, "--data", &data, "--new"])
			.await?
			.done()?;
		let [http, mqtt] = free_ports()?;
		let arguments = [
			["--data", &data],
			["--url", &node.rpc_url()],
			["--http", &format!("127.0.0.1:{http}")],
			["--mqtt", &format!("127.0.0.1:{mqtt}")],
			// Nothing is signed here: devices that only publish.
			["--batch-seconds", "86400"],
		];
		let mut all =
			vec!["gateway".to_owned(), "run".to_owned(), "--batch-across-days".to_owned()];
		all.extend(arguments.as_flattened().iter().map(ToString::to_string));
		let log = folder.path().join("gateway.log");
		let mut gateway = Process::start("gateway", &command_binary()?, all, log)?;
		let _ = rustls::crypto::ring::default_provider().install_default();
		let http = format!("http://127.0.0.1:{http}");
		gateway
			.wait("the gateway", LIMIT, async || {
				let answer = reqwest::get(format!("{http}/health")).await;
				Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
			})
			.await?;
		Ok(Self { folder, gateway, http, mqtt, logins })
	}

	fn pid(&self) -> Result<u32> {
		self.gateway.pid().context("the gateway is not running")
	}

	/// How many readings it has. What is refused is acknowledged, too: here it is a failure.
	async fn readings(&self) -> Result<u64> {
		let status: Value =
			reqwest::get(format!("{}/api/v1/status", self.http)).await?.json().await?;
		let refused = status["dead_letters"].as_u64().context("no dead_letters")?;
		ensure!(refused == 0, "{refused} kinds of readings were refused");
		status["readings"].as_u64().context("no readings")
	}

	/// Bytes of the database, and of its write-ahead log.
	fn bytes(&self) -> Result<(u64, u64)> {
		let data = self.folder.path().join("gateway");
		let length = |name: &str| std::fs::metadata(data.join(name)).map(|file| file.len());
		Ok((length("gateway.db")?, length("gateway.db-wal").unwrap_or(0)))
	}

	/// One connection for each device.
	async fn connect_all(&self, count: usize) -> Result<Vec<TcpStream>> {
		let mut streams = Vec::with_capacity(count);
		for place in 0..count {
			streams.push(self.connect(place).await?);
		}
		Ok(streams)
	}

	async fn connect(&self, place: usize) -> Result<TcpStream> {
		let login = &self.logins[place];
		let mut rest = [&[0, 4][..], b"MQTT", &[4, 0xc2]].concat();
		rest.extend(KEEP_ALIVE.to_be_bytes());
		for text in [login.username.as_str(), login.username.as_str(), login.password.as_str()] {
			rest.extend(u16::try_from(text.len())?.to_be_bytes());
			rest.extend(text.as_bytes());
		}
		let mut stream = TcpStream::connect(("127.0.0.1", self.mqtt)).await?;
		stream.set_nodelay(true)?;
		stream.write_all(&framed(0x10, &rest)).await?;
		let mut answer = [0; 4];
		stream.read_exact(&mut answer).await?;
		ensure!(answer == [0x20, 2, 0, 0], "not let in: {answer:?}");
		Ok(stream)
	}
}

/// A packet of MQTT 3.1.1: its first byte, its length, the rest.
fn framed(first: u8, rest: &[u8]) -> Vec<u8> {
	let (mut packet, mut length) = (vec![first], rest.len());
	loop {
		let byte = u8::try_from(length % 128).unwrap_or_default();
		length /= 128;
		packet.push(if length > 0 { byte | 0x80 } else { byte });
		if length == 0 {
			break;
		}
	}
	packet.extend(rest);
	packet
}

/// Devices that make logs, as a meter's maker would have them.
struct Meters {
	devices: Vec<Device>,
	next_ms: Vec<u64>,
}

/// The publishes of one connection, encoded, and where each ends.
#[derive(Default)]
struct Load {
	bytes: Vec<u8>,
	ends: Vec<usize>,
}

impl Meters {
	fn new(names: &[MeterName], since: u64) -> Result<Self> {
		let device = |(number, name): (usize, &MeterName)| {
			let seed = seed(u32::try_from(number)?);
			let key =
				SealedKey::from_seed(seed.into(), Some(Kind::Device), Some(&name.to_string()));
			Ok(Device::in_memory(key, name.clone(), Direction::Export))
		};
		let devices: Result<Vec<_>> = names.iter().enumerate().map(device).collect();
		Ok(Self { devices: devices?, next_ms: vec![since; names.len()] })
	}

	/// The next readings, of all meters in turn, for each connection.
	fn loads(&mut self, count: usize, connections: usize) -> Result<Vec<Load>> {
		let mut loads: Vec<Load> = (0..connections).map(|_| Load::default()).collect();
		let energy = Energy::parse_kwh("0.0021").map_err(|fault| anyhow::anyhow!("{fault}"))?;
		for place in 0..count {
			let meter = place % self.devices.len();
			let begin = self.next_ms[meter];
			self.next_ms[meter] = begin + INTERVAL_MS;
			let reading = Reading::new(begin, begin + INTERVAL_MS, energy, Direction::Export);
			let load = &mut loads[meter % connections];
			for log in self.devices[meter].record(&[reading])? {
				let number = u16::try_from(load.ends.len() % usize::from(u16::MAX))? + 1;
				let mut rest = u16::try_from(log.topic.len())?.to_be_bytes().to_vec();
				rest.extend(log.topic.as_bytes());
				rest.extend(number.to_be_bytes());
				rest.extend(log.payload.as_bytes());
				load.bytes.extend(framed(0x32, &rest));
				load.ends.push(load.bytes.len());
			}
		}
		Ok(loads)
	}
}

impl Load {
	/// Publishes all of it, `window` at a time without an acknowledgement; gives how long some
	/// took to be acknowledged.
	async fn publish(&self, stream: &mut TcpStream, window: usize) -> Result<Vec<Duration>> {
		let (mut sent, mut acknowledged, mut rest) = (0, 0, 0);
		let (mut under_way, mut times) = (VecDeque::new(), Vec::new());
		let mut buffer = vec![0; 16 * 1024];
		while acknowledged < self.ends.len() {
			let most = self.ends.len().min(acknowledged + window);
			if most - sent >= window / 4 || (most > sent && sent == acknowledged) {
				let from = sent.checked_sub(1).map_or(0, |last| self.ends[last]);
				stream.write_all(&self.bytes[from..self.ends[most - 1]]).await?;
				sent = most;
				under_way.push_back((sent, Instant::now()));
			}
			let read = stream.read(&mut buffer[rest..]).await?;
			ensure!(read > 0, "the gateway has closed a connection");
			let whole = (rest + read) / 4 * 4;
			for answer in buffer[..whole].chunks(4) {
				ensure!(answer[..2] == [0x40, 2], "not an acknowledgement: {answer:?}");
			}
			acknowledged += whole / 4;
			buffer.copy_within(whole..rest + read, 0);
			rest = rest + read - whole;
			while let Some((_, begin)) = under_way.pop_front_if(|(last, _)| *last <= acknowledged) {
				times.push(begin.elapsed());
			}
		}
		Ok(times)
	}
}

/// What a run has shown.
struct Outcome {
	time: Duration,
	gateway_cpu: f64,
	own_cpu: f64,
	latencies: Vec<Duration>,
}

/// All connections side by side.
async fn publish(
	desk: &Desk,
	streams: Vec<TcpStream>,
	loads: Vec<Load>,
	window: usize,
) -> Result<(Outcome, Vec<TcpStream>)> {
	let (pid, own) = (desk.pid()?, std::process::id());
	let (gateway_before, own_before) = (cpu_seconds(pid)?, cpu_seconds(own)?);
	let (begin, mut tasks) = (Instant::now(), Vec::new());
	for (mut stream, load) in streams.into_iter().zip(loads) {
		tasks.push(tokio::spawn(async move {
			let times = load.publish(&mut stream, window).await?;
			anyhow::Ok((times, stream))
		}));
	}
	let (mut latencies, mut streams) = (Vec::new(), Vec::new());
	for task in tasks {
		let (times, stream) = task.await??;
		latencies.extend(times);
		streams.push(stream);
	}
	let outcome = Outcome {
		time: begin.elapsed(),
		gateway_cpu: cpu_seconds(pid)? - gateway_before,
		own_cpu: cpu_seconds(own)? - own_before,
		latencies,
	};
	Ok((outcome, streams))
}

async fn measure(desk: &Desk, plan: &Plan, meters: &mut Meters) -> Result<()> {
	let before = memory(desk.pid()?)?;
	// The first reading of a meter asks the chain for its certificate.
	let first = meters.loads(plan.meters, plan.connections)?;
	let mut streams = desk.connect_all(plan.connections).await?;
	let outcome;
	(outcome, streams) = publish(desk, streams, first, plan.window).await?;
	println!(
		"first readings of {} meters, each looked up on chain: {:.1} s",
		plan.meters,
		outcome.time.as_secs_f64()
	);
	let (mut speeds, mut latencies) = (Vec::new(), Vec::new());
	let (mut gateway_cpu, mut own_cpu, mut expected) = (0.0, 0.0, plan.meters);
	let bytes_before = desk.bytes()?;
	for _ in 0..plan.runs {
		let loads = meters.loads(plan.readings, plan.connections)?;
		let outcome;
		(outcome, streams) = publish(desk, streams, loads, plan.window).await?;
		expected += plan.readings;
		let kept = desk.readings().await?;
		let is_all = kept == u64::try_from(expected)?;
		ensure!(is_all, "{kept} readings are kept of {expected} acknowledged");
		#[allow(clippy::cast_precision_loss)]
		speeds.push(plan.readings as f64 / outcome.time.as_secs_f64());
		gateway_cpu += outcome.gateway_cpu;
		own_cpu += outcome.own_cpu;
		latencies.extend(outcome.latencies);
	}
	let thousands = f64::from(u32::try_from(plan.readings * plan.runs)?) / 1_000.0;
	println!(
		"readings acknowledged after they were on disk, {} each in {} runs, {} connections with \
		 {} under way: {}",
		plan.readings,
		plan.runs,
		plan.connections,
		plan.window,
		rates(speeds, "readings")?
	);
	println!("publish to acknowledgement: {}", Spread::of(latencies)?);
	println!(
		"processor per 1,000 readings: gateway {:.3} s, load generator {:.3} s",
		gateway_cpu / thousands,
		own_cpu / thousands
	);
	let (bytes, log) = desk.bytes()?;
	println!(
		"on disk: {:.0} bytes a reading; the write-ahead log beside it has {:.1} MiB",
		f64::from(u32::try_from((bytes - bytes_before.0) / 1_000)?) / thousands,
		f64::from(u32::try_from(log / 1_024)?) / 1_024.0
	);
	let after = memory(desk.pid()?)?;
	println!(
		"gateway: {} MiB resident at its start, {} MiB (peak {} MiB) with {} meters",
		before.resident_mib, after.resident_mib, after.peak_mib, plan.meters
	);
	Ok(())
}
