//! A gateway with two meters, one that posts and one behind a broker, and what happens to it.

use super::{Pace, broker::Broker, clock, disk::SmallDisk};
use anyhow::{Context, Result, anyhow, ensure};
use gridproof_chain::Chain;
use gridproof_e2e::{
	metering::{Certified, LIMIT, Metering, Signer, log, minutes_ago, now_ms},
	wait,
};
use gridproof_primitives::{
	energy::{Topic, emlog::parse_utc},
	num::units::MILLIS_PER_DAY,
};
use serde_json::Value;
use std::{
	collections::{BTreeMap, BTreeSet},
	time::{Duration, Instant},
};

const RATED_W: u32 = 1_000_000;
/// Batches are closed often, so that some are always on their way.
const BATCH_SECONDS: u32 = 2;
/// The energy of a reading: 1 Wh.
const ENERGY_KWH: &str = "0.001";
/// Between two readings of a meter.
const TICK: Duration = Duration::from_millis(250);
/// A poisoned message comes with so many readings.
const POISON_EVERY: usize = 6;
/// Longest pause of the gateway before it tries again whatever failed (docs/operations/gateway.md).
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// What batching, signing and finality take then, on a busy machine.
const WORK: Duration = Duration::from_secs(30);
/// Time until the status names a node that is away: the gateway asks for its meters every 30 s, and
/// waits 30 s for the answer (docs/operations/gateway.md).
const NAMED: Duration = Duration::from_secs(90);
/// Clocks may differ by so much in these tests.
const SKEW_MS: u64 = 60_000;

/// What was sent, and what has to become of it.
struct Hours {
	metering: Metering,
	broker: Broker,
	disk: Option<SmallDisk>,
	/// The meter that posts its readings.
	posting: Certified,
	/// The meter behind the broker.
	behind: Certified,
	/// Begin of the next reading, UTC milliseconds.
	next: u64,
	/// Begins of the readings that were answered with 200.
	accepted: BTreeSet<u64>,
	/// Begins of the readings that the broker has taken.
	published: BTreeSet<u64>,
	/// Messages that have to be refused, by reason.
	refused: BTreeMap<&'static str, u64>,
	ticks: usize,
	poisons: usize,
}

/// Runs the hours, and compares the end with what was sent.
pub(crate) async fn run(pace: &Pace) -> Result<()> {
	let mut hours = Hours::start().await?;
	for hour in 1..=pace.hours {
		println!("hour {hour} of {}", pace.hours);
		hours.work(pace.quiet).await?;
		hours.the_broker_is_away(pace).await?;
		hours.the_disk_is_full(pace).await?;
		hours.the_node_is_away(pace).await?;
		hours.the_clock_is_wrong(pace).await?;
	}
	hours.recovers("all hours are over", WORK).await?;
	hours.nothing_is_lost().await
}

impl Hours {
	async fn start() -> Result<Self> {
		let names =
			[("SITE-1/http-1/h-1", Signer::Gateway), ("SITE-1/broker-2/b-2", Signer::Gateway)];
		let (mut metering, meters) = Metering::start(&names, RATED_W, BATCH_SECONDS).await?;
		let [posting, behind] =
			<[Certified; 2]>::try_from(meters).map_err(|_| anyhow!("not two meters"))?;
		metering.gateway.kill();
		let disk = SmallDisk::at(&metering.folder.path().join("gateway"))?;
		let mut hours = Self {
			metering,
			broker: Broker::start().await?,
			disk,
			posting,
			behind,
			next: minutes_ago(1_200),
			accepted: BTreeSet::new(),
			published: BTreeSet::new(),
			refused: BTreeMap::new(),
			ticks: 0,
			poisons: 0,
		};
		hours.restart(&[]).await?;
		// What a gateway has never heard of it asks the chain about; from now on it knows the meters.
		hours.tick().await?;
		hours.recovers("the gateway was started", LONGEST_PAUSE + WORK).await?;
		Ok(hours)
	}

	async fn restart(&mut self, variables: &[String]) -> Result<()> {
		let broker = ["--broker".to_owned(), self.broker.url()];
		self.metering.restart_gateway(variables, &broker)?;
		self.metering.wait_for_gateway().await
	}

	// --- what is sent ----------------------------------------------------------------------------

	const fn begin(&mut self) -> u64 {
		self.next += 1_000;
		self.next
	}

	/// Posts a reading; gives status and answer.
	async fn post(&mut self) -> Result<(u16, Value)> {
		let begin = self.begin();
		let text = log(&self.posting.name, begin, begin + 1_000, ENERGY_KWH);
		let (status, answer) = self.metering.post_log(&self.posting, &text).await?;
		if status == 200 {
			self.accepted.insert(begin);
		}
		Ok((status, answer))
	}

	fn publish(&mut self) {
		let begin = self.begin();
		let text = log(&self.behind.name, begin, begin + 1_000, ENERGY_KWH);
		self.broker.publish(&Topic::Readings.of(&self.behind.name), text);
		self.published.insert(begin);
	}

	/// A reading of each meter, and something poisoned at times.
	async fn tick(&mut self) -> Result<()> {
		self.ticks += 1;
		let (status, answer) = self.post().await?;
		ensure!(status == 200, "a reading is not taken: {status} {answer}");
		self.publish();
		if self.ticks.is_multiple_of(POISON_EVERY) {
			self.poison().await?;
		}
		Ok(())
	}

	async fn work(&mut self, length: Duration) -> Result<()> {
		let start = Instant::now();
		while start.elapsed() < length {
			self.tick().await?;
			tokio::time::sleep(TICK).await;
		}
		Ok(())
	}

	/// Sends what has to be refused, in turns by both ways; a meter whose clock is a day ahead is one.
	async fn poison(&mut self) -> Result<()> {
		let number = self.poisons;
		self.poisons += 1;
		let over_http = number.is_multiple_of(2);
		let meter = if over_http { self.posting.clone() } else { self.behind.clone() };
		let begin = self.begin();
		let good = log(&meter.name, begin, begin + 1_000, ENERGY_KWH);
		let ahead = now_ms() / 1_000 * 1_000 + MILLIS_PER_DAY;
		let (reason, code, text) = match number / 2 % 4 {
			0 => ("malformed_json", 400, format!("{{\"poison\": {number}")),
			1 => ("unknown_field", 422, good.replacen('{', "{\"colour\":1,", 1)),
			2 => ("negative_energy", 422, log(&meter.name, begin, begin + 1_000, "-0.001")),
			_ => ("from_the_future", 422, log(&meter.name, ahead, ahead + 1_000, ENERGY_KWH)),
		};
		if over_http {
			let (status, answer) = self.metering.post_log(&meter, &text).await?;
			ensure!((status, &answer["error"]) == (code, &reason.into()), "{status} {answer}");
		} else {
			self.broker.publish(&Topic::Readings.of(&meter.name), text);
		}
		*self.refused.entry(reason).or_default() += 1;
		Ok(())
	}

	// --- what is said ----------------------------------------------------------------------------

	async fn health(&self) -> Result<(u16, Value)> {
		self.metering.get("/health").await
	}

	async fn status(&self) -> Result<Value> {
		let (status, answer) = self.metering.get("/api/v1/status").await?;
		ensure!(status == 200, "{status} {answer}");
		Ok(answer)
	}

	/// Waits until the status names one of these troubles.
	async fn says(&self, troubles: &[&str], limit: Duration) -> Result<()> {
		wait::until(&format!("the status says one of {troubles:?}"), limit, async || {
			let status = self.status().await?;
			let said = status["trouble"].as_str().unwrap_or_default();
			Ok(troubles.iter().any(|trouble| said.contains(trouble)).then_some(()))
		})
		.await
	}

	/// What is not done yet, or not well; `None` if all that was sent is on chain.
	async fn left(&self) -> Result<Option<String>> {
		let waiting = self.broker.waiting();
		// 400 says that nothing waits; 503 that something waits for a signature, or the chain.
		let (flush, answer) = self.metering.post("/api/v1/batches/flush", "").await?;
		ensure!(matches!(flush, 200 | 400 | 503), "flush: {flush} {answer}");
		let (health, said) = self.health().await?;
		let status = self.status().await?;
		let count = |name: &str| status[name].as_u64().unwrap_or(u64::MAX);
		ensure!(count("parked") == 0, "a batch is parked: {status}");
		let done = ["pending", "unsigned", "signed"].into_iter().all(|name| count(name) == 0);
		let is_well = health == 200 && status["trouble"].is_null();
		if waiting == 0 && done && is_well {
			return Ok(None);
		}
		Ok(Some(format!("{waiting} messages with the broker; {health} {said}; {status}")))
	}

	/// Waits until all that was sent is on chain and nothing is wrong, for as long as is stated.
	async fn recovers(&self, after: &str, stated: Duration) -> Result<()> {
		let start = Instant::now();
		while let Some(left) = self.left().await? {
			ensure!(start.elapsed() < stated, "{after}, and {} s later: {left}", stated.as_secs());
			tokio::time::sleep(Duration::from_millis(500)).await;
		}
		println!("{after}: all is well after {:.1} s", start.elapsed().as_secs_f32());
		Ok(())
	}

	async fn register(&self, meter: &Certified) -> Result<u64> {
		Ok(self.metering.meter(meter.index).await?.state.registers.export_wh)
	}

	// --- the faults ------------------------------------------------------------------------------

	/// The other meter's readings continue. An external broker is not of the gateway, so `/health` stays;
	/// the status names it.
	async fn the_broker_is_away(&mut self, pace: &Pace) -> Result<()> {
		self.broker.leave().await;
		self.says(&["broker: the broker is away"], LIMIT).await?;
		let before = self.register(&self.posting).await?;
		self.work(pace.fault).await?;
		wait::until("readings of the other meter on chain", LONGEST_PAUSE, async || {
			Ok((self.register(&self.posting).await? > before).then_some(()))
		})
		.await?;
		let (health, said) = self.health().await?;
		ensure!(health == 200, "{health} {said}");
		ensure!(self.status().await?["broker_connected"] == Value::Bool(false));
		self.broker.come().await?;
		self.recovers("the broker was away", LONGEST_PAUSE + WORK).await
	}

	/// Nothing is acknowledged, by either way, and `/health` says why.
	async fn the_disk_is_full(&mut self, pace: &Pace) -> Result<()> {
		let Some(disk) = self.disk.take() else { return Ok(()) };
		disk.fill()?;
		// What the database has of its own may take a few.
		let start = Instant::now();
		while self.post().await?.0 == 200 {
			ensure!(start.elapsed() < LIMIT, "a full disk takes everything");
		}
		self.publish();
		let start = Instant::now();
		while start.elapsed() < pace.fault {
			let (status, answer) = self.post().await?;
			ensure!((status, &answer["error"]) == (507, &"no_space".into()), "{status} {answer}");
			let (health, said) = self.health().await?;
			ensure!((health, &said["error"]) == (507, &"no_space".into()), "{health} {said}");
			tokio::time::sleep(TICK).await;
		}
		ensure!(self.broker.waiting() == 1, "the broker's message was acknowledged");
		disk.clear()?;
		self.disk = Some(disk);
		self.recovers("the disk was full", LONGEST_PAUSE + WORK).await
	}

	/// Readings are taken. `/health` stays, since the gateway does all it can; the status names it.
	async fn the_node_is_away(&mut self, pace: &Pace) -> Result<()> {
		self.metering.node.kill();
		self.work(pace.fault).await?;
		let loops = ["batching: ", "submission: ", "meters: "];
		self.says(&loops, NAMED).await?;
		let (health, said) = self.health().await?;
		ensure!(health == 200, "{health} {said}");
		self.metering.node.restart().await?;
		self.metering.chain = Chain::connect(&self.metering.node.rpc_url()).await?;
		self.recovers("the node was away", LONGEST_PAUSE + WORK).await
	}

	/// A gateway that is a day late takes no reading of today; one that is a day early takes all.
	/// Either says what time it believes it is.
	async fn the_clock_is_wrong(&mut self, pace: &Pace) -> Result<()> {
		let (Some(late), Some(early)) = (clock::wrong_by("-1d"), clock::wrong_by("+1d")) else {
			return Ok(());
		};
		self.restart(&late).await?;
		self.believes(now_ms() - MILLIS_PER_DAY).await?;
		let (status, answer) = self.post().await?;
		let error = &answer["error"];
		ensure!((status, error) == (422, &"from_the_future".into()), "{status} {answer}");
		*self.refused.entry("from_the_future").or_default() += 1;

		self.restart(&early).await?;
		self.believes(now_ms() + MILLIS_PER_DAY).await?;
		let start = Instant::now();
		while start.elapsed() < pace.fault {
			let (status, answer) = self.post().await?;
			ensure!(status == 200, "{status} {answer}");
			self.publish();
			tokio::time::sleep(TICK).await;
		}
		self.recovers("the clock is a day early", LONGEST_PAUSE + WORK).await?;

		self.restart(&[]).await?;
		self.believes(now_ms()).await?;
		self.work(pace.quiet).await?;
		self.recovers("the clock was wrong", LONGEST_PAUSE + WORK).await
	}

	async fn believes(&self, time_ms: u64) -> Result<()> {
		let (_, said) = self.health().await?;
		let believed = said["time_ms"].as_u64().with_context(|| said.to_string())?;
		ensure!(believed.abs_diff(time_ms) < SKEW_MS, "it is {time_ms}, not {believed}");
		Ok(())
	}

	// --- the end ---------------------------------------------------------------------------------

	/// Every reading that was accepted is kept and on chain once; every other message is refused, each
	/// for its own reason, at least once.
	async fn nothing_is_lost(&self) -> Result<()> {
		let mut kept = BTreeMap::<String, Vec<u64>>::new();
		for log in self.metering.all("/api/v1/logs").await? {
			let text = |name: &str| log[name].as_str().unwrap_or_default().to_owned();
			let begin = parse_utc(&text("ts_start")).map_err(|error| anyhow!("{error}"))?;
			kept.entry(text("meter_id")).or_default().push(begin);
		}
		for (meter, sent) in [(&self.posting, &self.accepted), (&self.behind, &self.published)] {
			let mut kept = kept.remove(meter.name.meter()).unwrap_or_default();
			kept.sort_unstable();
			let sent: Vec<u64> = sent.iter().copied().collect();
			assert_eq!(kept, sent, "readings of {}, each once", meter.name);
			let count = u64::try_from(sent.len())?;
			assert_eq!(self.register(meter).await?, count, "register of {}", meter.name);
			let kwh = self.metering.kwh(&meter.energy_account).await?;
			assert_eq!(kwh, u128::from(count), "KWH of {}", meter.name);
			println!("{count} readings of {} on chain, each once", meter.name);
		}
		let mut refused = BTreeMap::<String, u64>::new();
		let status = self.status().await?;
		for one in status["refused"].as_array().context("no refused")? {
			let reason = one["reason"].as_str().context("no reason")?.to_owned();
			*refused.entry(reason).or_default() += one["count"].as_u64().context("no count")?;
		}
		// A broker delivers again what was not acknowledged when a connection ended, so that a message can be
		// refused twice; none is refused for another reason, and none is left out.
		let reasons: Vec<&str> = self.refused.keys().copied().collect();
		assert_eq!(refused.keys().collect::<Vec<_>>(), reasons, "reasons of what was refused");
		for (reason, sent) in &self.refused {
			assert!(refused[*reason] >= *sent, "{sent} had to be refused as {reason}: {refused:?}");
		}
		Ok(())
	}
}
