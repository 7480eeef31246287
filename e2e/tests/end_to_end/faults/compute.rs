//! A coordinator with its front, a miner with a model of its own and one behind an engine, and what
//! happens to them.

use super::{Pace, clock};
use anyhow::{Context, Result, anyhow, ensure};
use gridproof_e2e::{
	binary::command_binary,
	compute::{Compute, Money, PURSE, account},
	engine::{self, Engine},
	ports::free_ports,
	process::Process,
	wait,
};
use gridproof_primitives::H256;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::{task::JoinHandle, time::timeout};

/// The model that miners have with them.
const OWN: &str = "austen-1m";
/// Longest pause of a miner, and of a job that every miner has given back (docs/operations/miner.md).
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Longest pause of the coordinator on the way to the chain (docs/operations/coordinator.md).
const LONGEST_SETTLEMENT: Duration = Duration::from_secs(60);
/// What opening, computing and finality take, on a busy machine.
const WORK: Duration = Duration::from_secs(45);
/// What a customer waits at most.
const PATIENCE: Duration = Duration::from_secs(240);

/// A customer of the front.
#[derive(Clone)]
struct Customer {
	http: reqwest::Client,
	url: String,
	key: String,
}

impl Customer {
	fn of(compute: &Compute) -> Result<Self> {
		let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
		let url = format!("{}/v1/completions", compute.url);
		Ok(Self { http, url, key: compute.api_key.clone() })
	}

	/// Status and body of the front's answer.
	async fn send(&self, key: &str, body: String) -> Result<(u16, Value)> {
		let post = self.http.post(&self.url).bearer_auth(key);
		let answer = post.header("content-type", "application/json").body(body).send().await?;
		let status = answer.status().as_u16();
		let text = answer.text().await?;
		Ok((status, serde_json::from_str(&text).with_context(|| text.clone())?))
	}

	async fn ask(&self, model: &str, number: usize) -> Result<(u16, Value)> {
		let prompt = format!("Question {number}");
		let body = json!({ "model": model, "prompt": prompt, "max_tokens": 16 });
		self.send(&self.key, body.to_string()).await
	}

	/// Asks beside what else happens.
	fn asks(&self, model: &'static str, number: usize) -> JoinHandle<Result<(u16, Value)>> {
		let own = self.clone();
		tokio::spawn(async move { own.ask(model, number).await })
	}
}

struct Hours {
	compute: Compute,
	engine: Engine,
	customer: Customer,
	/// Address of the pages of the miner behind the engine.
	pages: String,
	asked: usize,
	/// Answers with 200: each is a job that was accepted, done and billed.
	answered: usize,
}

/// Runs the hours, and compares the end with what was answered.
pub(crate) async fn run(pace: &Pace) -> Result<()> {
	let compute = Compute::start().await?;
	let (first, _) = compute.node.rpc()?.finalized().await?;
	let before = compute.wealth(&account(PURSE)?).await?;
	let customer = Customer::of(&compute)?;
	let [port] = free_ports()?;
	let (engine, pages) = (Engine::start().await?, format!("127.0.0.1:{port}"));
	let mut hours = Hours { compute, engine, customer, pages, asked: 0, answered: 0 };
	hours.restart_miner(&[])?;
	hours.is_offered(engine::MODEL).await?;
	for hour in 1..=pace.hours {
		println!("hour {hour} of {}", pace.hours);
		hours.work(pace.quiet).await?;
		hours.poisoned_requests_are_refused().await?;
		hours.the_engine_aborts(pace).await?;
		hours.the_node_is_away(pace).await?;
		hours.the_clock_of_a_miner_is_wrong(pace).await?;
	}
	hours.nothing_is_lost(first, before).await
}

impl Hours {
	/// Starts the second miner behind the engine, in an environment with these variables.
	fn restart_miner(&mut self, variables: &[String]) -> Result<()> {
		let path = |name: &str| self.compute.folder.path().join(name).display().to_string();
		let arguments = [
			"--json",
			"miner",
			"run",
			"--key",
			&path("miner-1.key"),
			"--data",
			&path("miner-1"),
			"--coordinator",
			&self.compute.url,
			"--url",
			&self.compute.node.rpc_url(),
			"--engine",
			&self.engine.url,
			"--engine-memory-mb",
			"100",
			"--class",
			"cpu",
			"--metrics",
			&self.pages,
		];
		let arguments = arguments.map(str::to_owned).to_vec();
		let log = self.compute.folder.path().join("miner-1.log");
		let miner = self.compute.miners.get_mut(1).context("no second miner")?;
		// Before the other begins: two of one key are an offence.
		miner.kill();
		*miner = Process::start_in(variables, "miner 1", &command_binary()?, arguments, log)?;
		Ok(())
	}

	async fn is_offered(&self, model: &str) -> Result<()> {
		wait::until(&format!("{model} on offer"), LONGEST_PAUSE + WORK, async || {
			let models = self.compute.get("/v1/models").await?;
			let models = models["data"].as_array().context("no models")?;
			Ok(models.iter().any(|offer| offer["id"] == model).then_some(()))
		})
		.await
	}

	/// Whether coordinator and second miner say that they are well.
	async fn are_well(&self) -> Result<()> {
		for page in
			[format!("{}/health", self.compute.url), format!("http://{}/health", self.pages)]
		{
			let answer = self.customer.http.get(&page).send().await?;
			let status = answer.status();
			ensure!(status.is_success(), "{page}: {status} {}", answer.text().await?);
		}
		Ok(())
	}

	const fn number(&mut self) -> usize {
		self.asked += 1;
		self.asked
	}

	/// Notes an answer, which has to be a whole one.
	fn note(&mut self, (status, body): (u16, Value)) -> Result<()> {
		ensure!(status == 200, "not answered: {status} {body}");
		self.answered += 1;
		let text = body["choices"][0]["text"].as_str().context("no text")?;
		let is_whole = body["model"] != engine::MODEL || text == engine::answer();
		ensure!(is_whole, "half an answer: {body}");
		Ok(())
	}

	async fn work(&mut self, length: Duration) -> Result<()> {
		let start = Instant::now();
		while start.elapsed() < length {
			for model in [OWN, engine::MODEL] {
				let number = self.number();
				let answer = self.customer.ask(model, number).await?;
				self.note(answer)?;
			}
		}
		self.are_well().await
	}

	async fn poisoned_requests_are_refused(&self) -> Result<()> {
		let key = self.customer.key.as_str();
		let unknown = json!({ "model": "nobody", "prompt": "x", "max_tokens": 16 }).to_string();
		let long = json!({ "model": OWN, "prompt": "long ".repeat(2_000), "max_tokens": 16 });
		let cases = [
			("no JSON", key, "{\"model\":".to_owned(), 400),
			("an unknown model", key, unknown.clone(), 404),
			("a wrong key", "gpk_wrong", unknown, 401),
			("a prompt that is too long", key, long.to_string(), 400),
		];
		for (what, key, body, expected) in cases {
			let (status, answer) = self.customer.send(key, body).await?;
			ensure!(status == expected, "{what}: {status} {answer}");
		}
		self.are_well().await
	}

	/// A customer of the engine's model waits, and gets a whole answer when it works again; the other
	/// model is answered meanwhile.
	async fn the_engine_aborts(&mut self, pace: &Pace) -> Result<()> {
		let before = self.engine.broken_off();
		self.engine.set_broken(true);
		let number = self.number();
		let waiting = self.customer.asks(engine::MODEL, number);
		let start = Instant::now();
		while start.elapsed() < pace.fault || self.engine.broken_off() == before {
			ensure!(start.elapsed() < PATIENCE, "the engine was never asked");
			let number = self.number();
			let answer = timeout(WORK, self.customer.ask(OWN, number)).await;
			self.note(answer.context("the other model stands still")??)?;
			self.are_well().await?;
		}
		ensure!(!waiting.is_finished(), "an engine that aborts has answered");
		self.engine.set_broken(false);
		let start = Instant::now();
		let answer = timeout(LONGEST_PAUSE + WORK, waiting).await;
		self.note(answer.context("the engine works, and its model stands still")???)?;
		let (seconds, times) = (start.elapsed().as_secs_f32(), self.engine.broken_off() - before);
		println!(
			"the engine broke off {times} times: answered {seconds:.1} s after it works again"
		);
		Ok(())
	}

	/// Who asked before and during is answered, or learns that it was not done; receipts settle after.
	async fn the_node_is_away(&mut self, pace: &Pace) -> Result<()> {
		let number = self.number();
		let answer = self.customer.ask(OWN, number).await?;
		self.note(answer)?;
		// Its receipt is hardly settled yet.
		self.compute.node.kill();
		let number = self.number();
		let waiting = self.customer.asks(OWN, number);
		tokio::time::sleep(pace.fault).await;
		self.are_well().await?;
		self.compute.node.restart().await?;
		self.compute.reconnect().await?;
		let (start, stated) = (Instant::now(), LONGEST_SETTLEMENT + WORK);
		match timeout(stated, waiting).await.context("a customer waits for ever")?? {
			Ok((200, body)) => self.note((200, body))?,
			Ok((status, body)) => ensure!((500..600).contains(&status), "{status} {body}"),
			Err(error) => return Err(error.context("the front was gone")),
		}
		self.compute.wait_until_settled(stated).await?;
		let seconds = start.elapsed().as_secs_f32();
		println!("the node was away: all is settled {seconds:.1} s after it is back");
		let number = self.number();
		let answer = self.customer.ask(OWN, number).await?;
		self.note(answer)
	}

	/// The miner says what to do and gets no work; the other does its own.
	async fn the_clock_of_a_miner_is_wrong(&mut self, pace: &Pace) -> Result<()> {
		for offset in ["-1d", "+1d"] {
			let Some(variables) = clock::wrong_by(offset) else { return Ok(()) };
			let said = self.compute.miners[1].log().len();
			self.restart_miner(&variables)?;
			wait::until("the miner says to set the clock", LONGEST_PAUSE, async || {
				let log = self.compute.miners[1].log();
				let new = log.get(said..).unwrap_or_default();
				Ok(new.contains("set the clock").then_some(()))
			})
			.await?;
			let start = Instant::now();
			while start.elapsed() < pace.fault {
				let number = self.number();
				let answer = self.customer.ask(OWN, number).await?;
				self.note(answer)?;
			}
		}
		self.restart_miner(&[])?;
		self.is_offered(engine::MODEL).await?;
		let number = self.number();
		let answer = timeout(LONGEST_PAUSE + WORK, self.customer.ask(engine::MODEL, number)).await;
		self.note(answer.context("the clock is right, and the miner gets nothing")??)
	}

	/// Every answer is a job that is done and settled once; what was not done costs nothing.
	async fn nothing_is_lost(&mut self, first: u64, before: u128) -> Result<()> {
		self.compute.wait_until_settled(LONGEST_SETTLEMENT + WORK).await?;
		let money = Money::since(&self.compute.node, first + 1).await?;
		let (mut completed, mut paid) = (0, 0u128);
		let jobs = self.compute.jobs().await?;
		for job in &jobs {
			let id = job["job"].as_str().context("no id")?;
			let mut hash = H256::zero();
			hex::decode_to_slice(id.trim_start_matches("0x"), &mut hash.0)?;
			let settled = money.settled.get(&hash).map_or(&[][..], Vec::as_slice);
			match (job["state"].as_str(), settled) {
				(Some("completed"), [one]) => {
					completed += 1;
					paid += one.shares.iter().sum::<u128>();
				},
				(Some("failed" | "expired" | "cancelled"), []) => (),
				(state, _) => {
					return Err(anyhow!("{id} is {state:?}, settled {} times", settled.len()));
				},
			}
		}
		ensure!(completed >= self.answered, "{} answered, {completed} done", self.answered);
		assert_eq!(money.settled.len(), completed, "nothing was settled that nobody knows of");
		let fees = money.fees.get(&account(PURSE)?).copied().unwrap_or(0);
		let after = self.compute.wealth(&account(PURSE)?).await?;
		// What lies in escrow, for jobs that wait for their deadline and for rows, is still the client's.
		let escrow = self.compute.wealth(&Compute::escrow()).await?;
		assert_eq!(before - after, paid + fees + escrow, "the client paid for what was done");
		println!("{} of {} asked answered, {completed} settled once", self.answered, self.asked);
		Ok(())
	}
}
