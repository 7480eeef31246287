//! `kill -9` of gateway and node at random moments under load: every acknowledged reading ends on
//! chain exactly once.
//!
//! `GRIDPROOF_CRASHES` is how often something is killed (6), `GRIDPROOF_CRASH_SEED` repeats a run.

use anyhow::{Context, Result, ensure};
use codec::Decode;
use gridproof_device::{Binding, Broker, Counters, Device, Link, Login, Reading, SharedDevice};
use gridproof_e2e::metering::{Certified, Metering, Signer, log, minutes_ago, now_ms};
use gridproof_gateway_api::{BatchState, BatchView, ListBatches};
use gridproof_primitives::{
	energy::emlog::Energy,
	energy::{BatchHeader, Direction, MeterIndex},
};
use reqwest::Client;
use std::{
	collections::{BTreeMap, BTreeSet},
	env,
	sync::{
		Arc,
		atomic::{AtomicBool, Ordering},
	},
	time::{Duration, Instant},
};
use tokio::task::JoinHandle;

const CRASHES: u64 = 6;
const RATED_W: u32 = 1_000_000;
/// Batches are closed often, so that some are always on their way.
const BATCH_SECONDS: u32 = 2;
/// How long the rest may take once nothing is killed any more.
const SETTLE: Duration = Duration::from_secs(120);
/// Energy of a reading: no whole number of Wh.
const ENERGY_KWH: &str = "0.0125";
/// Ten-thousandths of a kWh in it.
const ENERGY: u64 = 125;
/// Pause between two readings of a meter.
const PAUSE: Duration = Duration::from_millis(25);

/// Xorshift: the moments have to be repeatable, not secret.
struct Random(u64);

impl Random {
	fn below(&mut self, limit: u64) -> u64 {
		self.0 ^= self.0 << 13;
		self.0 ^= self.0 >> 7;
		self.0 ^= self.0 << 17;
		self.0 % limit.max(1)
	}

	fn millis(&mut self, limit: u64) -> Duration {
		Duration::from_millis(self.below(limit))
	}
}

fn setting(name: &str, otherwise: u64) -> Result<u64> {
	env::var(name).map_or(Ok(otherwise), |text| text.parse().context(name.to_owned()))
}

/// What an HTTP client has learned about its readings, by their begin.
#[derive(Debug, Default)]
struct Told {
	/// Answered with 200.
	acknowledged: BTreeSet<u64>,
	/// Not answered: they may be kept or not.
	unknown: BTreeSet<u64>,
}

/// Posts a reading after the other until told to stop. What is not answered is not sent again.
fn by_http(
	metering: &Metering,
	meter: &Certified,
	stop: Arc<AtomicBool>,
) -> JoinHandle<Result<Told>> {
	let (url, meter) = (format!("{}/api/v1/logs", metering.http), meter.clone());
	tokio::spawn(async move {
		let client = Client::builder().timeout(Duration::from_secs(10)).pool_max_idle_per_host(0);
		let (client, mut told, mut begin) = (client.build()?, Told::default(), minutes_ago(1_200));
		while !stop.load(Ordering::Relaxed) {
			let body = log(&meter.name, begin, begin + 1_000, ENERGY_KWH);
			let post = client.post(&url).basic_auth(&meter.username, Some(&meter.password));
			match post.body(body).send().await {
				Ok(answer) if answer.status().is_success() => {
					told.acknowledged.insert(begin);
				},
				// Too much at a time, or stopping: not kept, and said so.
				Ok(answer) if answer.status().as_u16() == 503 => (),
				Ok(answer) => {
					anyhow::bail!("refused: {} {}", answer.status(), answer.text().await?)
				},
				Err(_) => {
					told.unknown.insert(begin);
				},
			}
			begin += 1_000;
			tokio::time::sleep(PAUSE).await;
		}
		Ok(told)
	})
}

/// Publishes and signs, with the library that a meter's maker would take, until told to stop.
async fn by_mqtt(
	metering: &Metering,
	meter: &Certified,
	stop: Arc<AtomicBool>,
) -> Result<(SharedDevice, JoinHandle<Result<(Link, u64)>>)> {
	let mut device = Device::in_memory(metering.key(meter)?, meter.name.clone(), Direction::Export);
	device.bind(Binding { genesis: metering.chain.genesis(), meter: meter.index })?;
	let shared = SharedDevice::new(device);
	let broker = Broker::parse(&format!("mqtt://127.0.0.1:{}", metering.mqtt), None)?;
	let login = Login { username: meter.username.clone(), password: meter.password.clone().into() };
	let (devices, counters) = (vec![shared.clone()], Arc::new(Counters::default()));
	let patience = Duration::from_secs(60);
	let id = meter.name.device();
	let link = Link::open(&broker, id, Some(&login), devices, counters, patience).await?;
	let own = shared.clone();
	let energy = Energy::parse_kwh(ENERGY_KWH).map_err(|fault| anyhow::anyhow!("{fault}"))?;
	let task = tokio::spawn(async move {
		let (mut begin, mut count) = (minutes_ago(1_200), 0);
		while !stop.load(Ordering::Relaxed) {
			let reading = Reading::new(begin, begin + 1_000, energy, Direction::Export);
			link.publish(&own, &[reading]).await?;
			(begin, count) = (begin + 1_000, count + 1);
			tokio::time::sleep(PAUSE).await;
		}
		Ok((link, count))
	});
	Ok((shared, task))
}

/// Kills one of the two, lets it lie for a moment, and starts it again.
async fn crash(metering: &mut Metering, random: &mut Random) -> Result<&'static str> {
	tokio::time::sleep(random.millis(1_500)).await;
	let is_node = random.below(10) < 3;
	let pause = random.millis(300);
	if is_node {
		metering.node.kill();
		tokio::time::sleep(pause).await;
		metering.node.restart().await?;
		return Ok("node");
	}
	metering.gateway.kill();
	tokio::time::sleep(pause).await;
	metering.gateway.launch()?;
	// At times it is killed while it starts.
	if random.below(4) > 0 {
		metering.wait_for_gateway().await?;
	}
	Ok("gateway")
}

/// Waits until all that is kept is in batches on chain; gives the logs by meter, each by its begin.
async fn settled(metering: &Metering) -> Result<BTreeMap<String, Vec<u64>>> {
	let start = Instant::now();
	loop {
		// 400 says that nothing waits; 503 that something waits for a signature, or the chain.
		let (status, answer) = metering.post("/api/v1/batches/flush", "").await?;
		ensure!(matches!(status, 200 | 400 | 503), "flush: {status} {answer}");
		let pending = metering.all("/api/v1/logs?status=pending").await?.len();
		let batches = metering.api.batches(&ListBatches::default()).await?;
		let parked = batches.iter().find(|batch| batch.on_chain == BatchState::Parked);
		ensure!(parked.is_none(), "parked: {parked:?}");
		let done = |batch: &&BatchView| {
			matches!(batch.on_chain, BatchState::Accepted | BatchState::Dissolved)
		};
		let open = batches.len() - batches.iter().filter(done).count();
		if pending == 0 && open == 0 {
			break;
		}
		ensure!(start.elapsed() < SETTLE, "{pending} logs and {open} batches are left");
		tokio::time::sleep(Duration::from_millis(500)).await;
	}
	let mut kept = BTreeMap::<String, Vec<u64>>::new();
	for log in metering.all("/api/v1/logs").await? {
		let text = |name: &str| log[name].as_str().unwrap_or_default().to_owned();
		let begin = gridproof_primitives::energy::emlog::parse_utc(&text("ts_start"));
		let begin = begin.map_err(|fault| anyhow::anyhow!("{fault}"))?;
		kept.entry(text("meter_id")).or_default().push(begin);
	}
	Ok(kept)
}

/// The chain has these readings of the meter, in batches without a gap, and their energy once.
async fn on_chain(metering: &Metering, meter: &Certified, readings: u64) -> Result<()> {
	let state = metering.meter(meter.index).await?.state;
	let exported = readings * ENERGY / 10;
	assert_eq!(state.registers.export_wh, exported, "register of {}", meter.name);
	let kwh = metering.kwh(&meter.energy_account).await?;
	assert_eq!(kwh, u128::from(exported), "KWH of {}", meter.name);
	let headers = headers(metering, meter.index).await?;
	let mut previous = Default::default();
	for (sequence, header) in (0u64..).zip(&headers) {
		assert_eq!((header.sequence, header.previous), (sequence, previous), "{}", meter.name);
		previous = header.hash();
	}
	// The chain's last hash stands for the whole chain of headers.
	assert_eq!(state.last_hash, previous, "headers of {}", meter.name);
	let counted: u64 = headers.iter().map(|header| u64::from(header.readings)).sum();
	assert_eq!(counted, readings, "readings of {} on chain", meter.name);
	Ok(())
}

/// The headers of a meter's accepted batches, in order, as the gateway has them.
async fn headers(metering: &Metering, meter: MeterIndex) -> Result<Vec<BatchHeader>> {
	let mut headers = Vec::new();
	let accepted = ListBatches { status: Some(BatchState::Accepted), ..ListBatches::default() };
	for batch in metering.api.batches(&accepted).await? {
		let Some(chain) = batch.chain.filter(|chain| chain.meter == meter) else { continue };
		headers.push(BatchHeader::decode(&mut &hex::decode(chain.header_hex)?[..])?);
	}
	headers.sort_by_key(|header| header.sequence);
	Ok(headers)
}

#[tokio::test]
async fn acknowledged_readings_survive_kills_of_gateway_and_node_exactly_once() -> Result<()> {
	let (crashes, seed) =
		(setting("GRIDPROOF_CRASHES", CRASHES)?, setting("GRIDPROOF_CRASH_SEED", now_ms())?);
	println!("{crashes} crashes, GRIDPROOF_CRASH_SEED={seed}");
	let names = [
		("SITE-1/http-1/h-1", Signer::Gateway),
		("SITE-1/http-2/h-2", Signer::Gateway),
		("SITE-1/mqtt-3/d-3", Signer::Device),
		("SITE-1/mqtt-4/d-4", Signer::Device),
	];
	let (mut metering, meters) = Metering::start(&names, RATED_W, BATCH_SECONDS).await?;
	let stop = Arc::new(AtomicBool::new(false));
	let mut posting = Vec::new();
	for meter in &meters[..2] {
		posting.push((meter, by_http(&metering, meter, stop.clone())));
	}
	let mut publishing = Vec::new();
	for meter in &meters[2..] {
		publishing.push((meter, by_mqtt(&metering, meter, stop.clone()).await?));
	}
	let mut random = Random(seed | 1);
	let mut killed = BTreeMap::<&str, u64>::new();
	for _ in 0..crashes {
		*killed.entry(crash(&mut metering, &mut random).await?).or_default() += 1;
	}
	metering.wait_for_gateway().await?;
	stop.store(true, Ordering::Relaxed);

	let mut sent = Vec::new();
	let mut links = Vec::new();
	for (meter, (device, task)) in publishing {
		let ended = tokio::time::timeout(SETTLE, task).await;
		let ended = ended.with_context(|| format!("{}: its device is stuck", meter.name))?;
		let (link, count) = ended??;
		sent.push((meter, device, count));
		links.push(link);
	}
	let mut told = Vec::new();
	for (meter, task) in posting {
		told.push((meter, task.await??));
	}
	// What the devices publish again after the last kill is there before the rest is counted.
	for link in &links {
		link.settle(Duration::from_secs(30)).await;
	}
	let kept = settled(&metering).await?;
	let mut total = 0;
	for (meter, told) in &told {
		let kept = kept.get(meter.name.meter()).cloned().unwrap_or_default();
		let once: BTreeSet<u64> = kept.iter().copied().collect();
		assert_eq!(once.len(), kept.len(), "{}: a reading is there twice", meter.name);
		let lost: Vec<&u64> = told.acknowledged.difference(&once).collect();
		assert!(lost.is_empty(), "{}: acknowledged and lost: {lost:?}", meter.name);
		let more = once.difference(&told.acknowledged).all(|begin| told.unknown.contains(begin));
		assert!(more, "{}: nobody sent these", meter.name);
		total += told.acknowledged.len();
		on_chain(&metering, meter, u64::try_from(kept.len())?).await?;
	}
	for (meter, device, count) in &sent {
		let kept = kept.get(meter.name.meter()).map_or(0, Vec::len);
		assert_eq!(u64::try_from(kept)?, *count, "{}: each is kept once", meter.name);
		assert_eq!(device.lock().unsigned(), 0, "{}: each is signed", meter.name);
		total += kept;
		on_chain(&metering, meter, *count).await?;
	}
	println!("{total} acknowledged readings on chain exactly once; killed: {killed:?}");
	ensure!(total > 0, "there was no load");
	Ok(())
}
