//! Coordinator, miners and node are killed again and again under load. Nothing is paid twice,
//! nothing that was accepted is lost, and what cannot be done any more goes back to its client.
//!
//! `GRIDPROOF_E2E_KILLS` says how often something is killed; 6 times if it is not set.

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, future::ready, stream};
use gridproof_e2e::compute::{Compute, Money, PURSE, account};
use gridproof_primitives::{H256, compute::JobState};
use std::{
	env,
	sync::atomic::{AtomicBool, AtomicUsize, Ordering},
	time::Duration,
};

/// Requests at a time.
const ASKERS: usize = 6;
/// A finalized block may be undone by nothing, but the node forgets what was only in its pool.
const SETTLE_LIMIT: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn killed_under_load_nothing_is_paid_twice_and_nothing_is_lost() -> Result<()> {
	let mut compute = Compute::start().await?;
	let (first, _) = compute.node.rpc()?.finalized().await?;
	let before = compute.wealth(&account(PURSE)?).await?;
	let (answered, cut) = (AtomicUsize::new(0), AtomicUsize::new(0));
	let load = Load::of(&compute).await?;
	let over = AtomicBool::new(false);
	let numbers = stream::iter(0usize..).take_while(|_| ready(!over.load(Ordering::SeqCst)));
	let asking = numbers.for_each_concurrent(ASKERS, |number| {
		let (load, answered, cut) = (load.clone(), &answered, &cut);
		async move {
			match load.ask(number).await {
				Ok(()) => answered.fetch_add(1, Ordering::SeqCst),
				// Whoever was cut off asks for its job later; here the next one is asked for.
				Err(_) => {
					tokio::time::sleep(Duration::from_millis(700)).await;
					cut.fetch_add(1, Ordering::SeqCst)
				},
			};
		}
	});
	let killing = async {
		let killed = kill(&mut compute, kills()?).await;
		over.store(true, Ordering::SeqCst);
		killed
	};
	let ((), killed) = tokio::join!(asking, killing);
	killed?;
	println!(
		"{} answered, {} cut off",
		answered.load(Ordering::SeqCst),
		cut.load(Ordering::SeqCst)
	);
	compute.reconnect().await?;
	compute.wait_for_miners(2).await?;
	compute.wait_until_settled(SETTLE_LIMIT).await?;

	let jobs = compute.jobs().await?;
	ensure!(jobs.len() >= answered.load(Ordering::SeqCst), "accepted jobs are missing");
	let completed = jobs.iter().filter(|job| job["state"] == "completed").count();
	ensure!(completed >= answered.load(Ordering::SeqCst), "answered jobs are not completed");
	let money = Money::since(&compute.node, first + 1).await?;
	let mut paid = 0u128;
	for job in &jobs {
		let id = job["job"].as_str().context("no id")?;
		let mut hash = H256::zero();
		hex::decode_to_slice(id.trim_start_matches("0x"), &mut hash.0)?;
		let settled = money.settled.get(&hash).map_or(0, Vec::len);
		match job["state"].as_str() {
			Some("completed") => {
				assert_eq!(job["receipt"]["settlement"], "final", "{job}");
				assert_eq!(settled, 1, "{id} is settled once");
				paid += money.settled[&hash][0].shares.iter().sum::<u128>();
			},
			Some("failed" | "expired" | "cancelled") => {
				assert_eq!(settled, 0, "{id} is not paid");
				if let Ok(view) = compute.on_chain(id).await {
					assert_ne!(view.state, JobState::Settled, "{id}");
				}
			},
			other => anyhow::bail!("{id} is {other:?}"),
		}
	}
	assert_eq!(money.settled.len(), completed, "nothing was settled that nobody knows of");
	let fees = money.fees.get(&account(PURSE)?).copied().unwrap_or(0);
	let overview = compute.overview().await?;
	let after = compute.wealth(&account(PURSE)?).await?;
	// What lies in escrow, for jobs that wait for their deadline and for rows, is still the client's.
	let escrow = compute.wealth(&Compute::escrow()).await?;
	assert_eq!(before - after, paid + fees + escrow, "the client paid for what was done");
	println!("{completed} of {} completed, {} still open on chain", jobs.len(), overview.jobs_open);
	Ok(())
}

fn kills() -> Result<usize> {
	match env::var("GRIDPROOF_E2E_KILLS") {
		Ok(text) => text.parse().context("GRIDPROOF_E2E_KILLS is no number"),
		Err(_) => Ok(6),
	}
}

/// Kills coordinator, miners and node in turns, and starts each again at once.
async fn kill(compute: &mut Compute, count: usize) -> Result<()> {
	for number in 0..count {
		// Never at the same moment of a block.
		tokio::time::sleep(Duration::from_millis(3_000 + 370 * (number as u64 % 5))).await;
		match number % 3 {
			0 => {
				compute.coordinator.launch()?;
				compute.wait_for_coordinator().await?;
			},
			1 => {
				let miners = compute.miners.len();
				compute.miners.get_mut(number / 3 % miners).context("a miner")?.launch()?;
			},
			_ => compute.node.restart().await?,
		}
	}
	println!("killed {count} times");
	Ok(())
}

/// Asks the front, apart from the harness that is being killed meanwhile.
#[derive(Clone)]
struct Load {
	http: reqwest::Client,
	url: String,
	key: String,
	model: String,
}

impl Load {
	async fn of(compute: &Compute) -> Result<Self> {
		Ok(Self {
			http: reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?,
			url: format!("{}/v1/completions", compute.url),
			key: compute.api_key.clone(),
			model: compute.model().await?,
		})
	}

	async fn ask(&self, number: usize) -> Result<()> {
		let body = serde_json::json!({
			"model": self.model,
			"prompt": format!("Question {number}"),
			"max_tokens": 16,
		});
		let request = self.http.post(&self.url).bearer_auth(&self.key).json(&body);
		let answer = request.send().await?;
		ensure!(answer.status().is_success(), "{}", answer.text().await?);
		answer.bytes().await?;
		Ok(())
	}
}
