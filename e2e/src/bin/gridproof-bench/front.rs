//! What a client's own front adds: the same requests to the engine directly and through front,
//! coordinator and miner, in turn.

use crate::{engine, options::Options};
use anyhow::{Context, Result, ensure};
use gridproof_e2e::{
	channels::Client,
	compute::{CLIENT, Compute, Setup},
	ports::free_ports,
	process::Process,
	wait,
};
use gridproof_engine::DEFAULT_MODEL;
use serde_json::{Value, json};
use std::{
	env,
	fs::File,
	io::Write,
	path::Path,
	time::{Duration, Instant},
};

const LIMIT: Duration = Duration::from_secs(120);
/// What the channel is opened with, in AIT.
const DEPOSIT: u128 = 20;
/// Requests before those that count.
const WARM_UP: usize = 5;
/// Writes by which the disk is measured.
const FLUSHES: usize = 50;

/// `scripts/bench front`.
pub(crate) async fn run(mut options: Options) -> Result<()> {
	let requests = options.count("--requests", 200)?;
	let tokens = options.number("--tokens", 32)?;
	options.end()?;
	ensure!(requests > 0 && tokens > 0, "nothing is to be measured");
	let folder = tempfile::tempdir()?;
	let [port] = free_ports()?;
	let log = folder.path().join("engine.log");
	let arguments = [engine::NAME.to_owned(), "--port".to_owned(), port.to_string()].to_vec();
	let _engine = Process::start(engine::NAME, &env::current_exe()?, arguments, log)?;
	let direct = format!("http://127.0.0.1:{port}");
	let http = reqwest::Client::builder().timeout(LIMIT).build()?;
	wait::until("the engine answers", LIMIT, async || {
		let answer = http.get(format!("{direct}/v1/models")).send().await;
		Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
	})
	.await?;
	let compute = Compute::start_as(Setup {
		show_log: false,
		engine: Some(direct.clone()),
		..Setup::default()
	})
	.await?;
	let front = Client::start(&compute, "front", CLIENT, DEPOSIT).await?;

	let bench = Bench { http, tokens, direct, front: front.url.clone() };
	let prompts = bench.prompts(requests + WARM_UP).await?;
	let mut times = Times::default();
	for (number, prompt) in prompts.iter().enumerate() {
		let pair = bench.pair(prompt, number % 2 == 0).await?;
		if number >= WARM_UP {
			times.add(&pair);
		}
	}
	println!(
		"scripts/bench front --requests {requests} --tokens {tokens}: each request once in one piece \
		 and once streamed, of the engine and through the front, in turn"
	);
	println!("engine alone, whole answer: {}", spread(&mut times.alone));
	println!("through the front, whole answer: {}", spread(&mut times.through));
	println!("added to the whole answer: {}", spread(&mut times.whole));
	println!("added to the whole stream: {}", spread(&mut times.stream));
	println!("added to the first streamed token: {}", spread(&mut times.first));
	let mut flushes = flushes(compute.folder.path())?;
	println!(
		"a write that is on this disk: {}; one comes before the first token, and two before the end",
		spread(&mut flushes)
	);
	Ok(())
}

struct Bench {
	http: reqwest::Client,
	tokens: u64,
	direct: String,
	front: String,
}

/// One request in all its ways.
struct Pair {
	direct: Duration,
	through: Duration,
	direct_stream: Streamed,
	through_stream: Streamed,
}

struct Streamed {
	first: Duration,
	whole: Duration,
	text: String,
}

/// In milliseconds.
#[derive(Default)]
struct Times {
	alone: Vec<f64>,
	through: Vec<f64>,
	whole: Vec<f64>,
	stream: Vec<f64>,
	first: Vec<f64>,
}

fn ms(time: Duration) -> f64 {
	time.as_secs_f64() * 1_000.0
}

impl Times {
	fn add(&mut self, pair: &Pair) {
		self.alone.push(ms(pair.direct));
		self.through.push(ms(pair.through));
		self.whole.push(ms(pair.through) - ms(pair.direct));
		let (direct, through) = (&pair.direct_stream, &pair.through_stream);
		self.stream.push(ms(through.whole) - ms(direct.whole));
		self.first.push(ms(through.first) - ms(direct.first));
	}
}

/// Median, 95th percentile, least and most of times in milliseconds, which may be below zero.
fn spread(times: &mut [f64]) -> String {
	times.sort_unstable_by(f64::total_cmp);
	let at = |percent: usize| {
		let rank = (times.len() * percent).div_ceil(100).max(1);
		times.get(rank - 1).copied().unwrap_or_default()
	};
	let (middle, most, count) = (at(50), at(95), times.len());
	format!("p50 {middle:.1} ms, p95 {most:.1} ms, {:.1} … {:.1} ms ({count})", at(0), at(100))
}

impl Bench {
	fn body(&self, prompt: &str, stream: bool) -> Value {
		json!({ "model": DEFAULT_MODEL, "prompt": prompt, "max_tokens": self.tokens,
			"temperature": 0, "stream": stream })
	}

	/// Prompts that the model continues: where its first token is the end there is no answer.
	async fn prompts(&self, count: usize) -> Result<Vec<String>> {
		let mut prompts = Vec::new();
		for number in 0..count.saturating_mul(20) {
			let prompt = format!("Number {number} was");
			let answer = self.post(&self.direct, &self.body(&prompt, false)).await?;
			let answer: Value = answer.json().await?;
			if answer["choices"][0]["text"].as_str().is_some_and(|text| !text.is_empty()) {
				prompts.push(prompt);
			}
			if prompts.len() == count {
				return Ok(prompts);
			}
		}
		anyhow::bail!("the model has nothing to say")
	}

	/// Asks for one prompt in all ways; which comes first changes.
	async fn pair(&self, prompt: &str, is_direct_first: bool) -> Result<Pair> {
		let (direct, through) = (&self.direct, &self.front);
		if is_direct_first {
			Pair {
				direct: self.whole(direct, prompt).await?,
				through: self.whole(through, prompt).await?,
				direct_stream: self.stream(direct, prompt).await?,
				through_stream: self.stream(through, prompt).await?,
			}
			.same()
		} else {
			Pair {
				through: self.whole(through, prompt).await?,
				direct: self.whole(direct, prompt).await?,
				through_stream: self.stream(through, prompt).await?,
				direct_stream: self.stream(direct, prompt).await?,
			}
			.same()
		}
	}

	async fn post(&self, url: &str, body: &Value) -> Result<reqwest::Response> {
		let answer = self.http.post(format!("{url}/v1/completions")).json(body).send().await?;
		if answer.status().is_success() {
			return Ok(answer);
		}
		anyhow::bail!("{url}: {} {}", answer.status(), answer.text().await?)
	}

	/// How long an answer in one piece takes.
	async fn whole(&self, url: &str, prompt: &str) -> Result<Duration> {
		let (body, sent) = (self.body(prompt, false), Instant::now());
		self.post(url, &body).await?.bytes().await?;
		Ok(sent.elapsed())
	}

	async fn stream(&self, url: &str, prompt: &str) -> Result<Streamed> {
		let (body, sent) = (self.body(prompt, true), Instant::now());
		let mut answer = self.post(url, &body).await?;
		let (mut first, mut rest, mut text) = (None, Vec::new(), String::new());
		while let Some(piece) = answer.chunk().await? {
			rest.extend_from_slice(&piece);
			while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
				let line: Vec<u8> = rest.drain(..=end).collect();
				let Some(data) = line.strip_prefix(b"data: {") else { continue };
				let chunk: Value = serde_json::from_slice(&[b"{", data].concat())?;
				ensure!(chunk["error"].is_null(), "{url}: {chunk}");
				let more = chunk["choices"][0]["text"].as_str().unwrap_or_default();
				if !more.is_empty() {
					first.get_or_insert_with(|| sent.elapsed());
					text.push_str(more);
				}
			}
		}
		Ok(Streamed { first: first.context("no text came")?, whole: sent.elapsed(), text })
	}
}

impl Pair {
	/// Both ways gave the same answer, or the times are of different work.
	fn same(self) -> Result<Self> {
		let (direct, through) = (&self.direct_stream.text, &self.through_stream.text);
		ensure!(direct == through, "two answers to one request: {direct:?}, {through:?}");
		Ok(self)
	}
}

/// How long small writes to a folder take until they are on disk, in milliseconds.
fn flushes(folder: &Path) -> Result<Vec<f64>> {
	let mut file = File::create(folder.join("flush"))?;
	let mut times = Vec::new();
	for _ in 0..FLUSHES {
		let begun = Instant::now();
		file.write_all(&[1; 4_096])?;
		file.sync_data()?;
		times.push(ms(begun.elapsed()));
	}
	Ok(times)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn added_times_may_be_below_zero() {
		let mut times: Vec<f64> = (-10..10).map(f64::from).collect();
		assert_eq!(spread(&mut times), "p50 -1.0 ms, p95 8.0 ms, -10.0 … 9.0 ms (20)");
	}
}
