//! Verifiers as processes of their own, whom the development chain knows from its first block; how often they
//! check; and what became of it, read from the chain's blocks.

use crate::{
	binary::command_binary,
	compute::{Compute, read},
	process::Process,
	reserve::gridproof,
	wait,
};
use anyhow::{Result, ensure};
use axum::{
	Router,
	body::Body,
	extract::{Request, State},
	http::{StatusCode, header},
	response::{IntoResponse, Response},
};
use gridproof_chain::{
	Chain, Patience,
	event::RawEvent,
	governance::Power,
	pallets::{
		compute_checks::{
			call,
			event::{
				CheckReported, DemandEnded, DisputeClosed, MinerGuilty, ReceiptForfeited,
				VerifierPunished,
			},
			query,
		},
		compute_receipts::{
			call as receipt_calls,
			event::{BatchSettled, ReturnedToClient, WaitingTaken},
			query as receipts,
		},
	},
};
use gridproof_keys::account::{AccountKey, development_signer};
use gridproof_primitives::{
	compute::{
		channels::ChannelParameters,
		checks::{CheckParameters, Figures, OpeningOutcome},
	},
	crypto::ed25519::PublicKey,
};
use std::{
	sync::{
		Arc,
		atomic::{AtomicUsize, Ordering},
	},
	time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// Accounts of the verifiers that the development chain begins with.
pub const VERIFIERS: [&str; 5] =
	["//Alice//stash", "//Bob//stash", "//Charlie//stash", "//Dave//stash", "//Eve//stash"];
const MINUTE_MS: u64 = 60_000;
const START: Duration = Duration::from_secs(60);

/// Has governance expect a check for each `value_per_check` of value, in units of 10⁻¹⁸ AIT, and gives juries
/// and witnesses as little time as it may.
///
/// # Errors
/// When the chain refuses.
pub async fn check_often(compute: &Compute, value_per_check: u128) -> Result<()> {
	let chain = &compute.chain;
	let governance = AccountKey::from(development_signer("//Alice")?);
	let checks = CheckParameters {
		value_per_check,
		show_ms: MINUTE_MS,
		witness_ms: MINUTE_MS,
		commit_ms: MINUTE_MS,
		reveal_ms: MINUTE_MS,
		..chain.read(&query::parameters()).await?
	};
	let window = ChannelParameters {
		check_window_ms: 10 * MINUTE_MS,
		..chain.read(&receipts::channel_parameters()).await?
	};
	// What is as it shall be already is refused.
	if chain.read(&query::parameters()).await? != checks {
		let call = call::set_parameters(&checks);
		chain.govern(&governance, None, Power::Root, &call, &Patience::default()).await?;
	}
	if chain.read(&receipts::channel_parameters()).await? != window {
		let call = receipt_calls::set_channel_parameters(&window);
		chain.govern(&governance, None, Power::Root, &call, &Patience::default()).await?;
	}
	ensure!(chain.read(&query::parameters()).await? == checks, "governance could not set them");
	Ok(())
}

/// Five verifiers.
pub struct Verifiers {
	/// Their processes.
	pub processes: Vec<Process>,
}

impl Verifiers {
	/// Starts them; they ask the coordinator at `coordinator`.
	///
	/// # Errors
	/// When one does not start.
	pub async fn start(compute: &Compute, coordinator: &str) -> Result<Self> {
		let mut processes = Vec::new();
		for (number, account) in VERIFIERS.into_iter().enumerate() {
			let path = |name: &str| compute.folder.path().join(format!("verifier-{number}{name}"));
			let (key, data) = (path(".key").display().to_string(), path("").display().to_string());
			let make = ["verifier", "new-key", "--key", &key, "--development", account];
			gridproof(&make).await?.done()?;
			let node = compute.node.rpc_url();
			let arguments = [
				"--json",
				"verifier",
				"run",
				"--key",
				&key,
				"--data",
				&data,
				"--coordinator",
				coordinator,
				"--url",
				&node,
				"--patience",
				"10",
			];
			let arguments = arguments.iter().map(|text| (*text).to_owned()).collect();
			let name = format!("verifier {number}");
			processes.push(Process::start(&name, &command_binary()?, arguments, path(".log"))?);
		}
		let chain = &compute.chain;
		wait::until("five verifiers draw", START, async || {
			let all = chain.read(&query::verifiers()).await?;
			Ok((all.iter().filter(|one| one.draws).count() == VERIFIERS.len()).then_some(()))
		})
		.await?;
		Ok(Self { processes })
	}
}

/// What became of checks in some blocks, by the chain's events.
#[derive(Clone, Debug, Default)]
pub struct Checked {
	/// Price of what was settled, in the smallest unit of its asset.
	pub settled: u128,
	/// The same until the first report that an output is not the model's.
	pub settled_until_found: Option<u128>,
	/// Reports that an output is the model's, and that it is not.
	pub reports: (usize, usize),
	/// How disputes ended.
	pub disputes: Vec<Option<bool>>,
	/// Miners that were found guilty.
	pub guilty: Vec<PublicKey>,
	/// How demands of openings ended.
	pub demands: Vec<OpeningOutcome>,
	/// What went back to clients for single receipts, and for all that waited of a party.
	pub returned: (u128, u128),
	/// Parties from which everything that waited was taken.
	pub taken: Vec<PublicKey>,
	/// Verifiers that were punished.
	pub punished: usize,
}

impl Checked {
	/// Reads the finalized blocks from `first` on.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn since(compute: &Compute, first: u64) -> Result<Self> {
		let (last, _) = compute.node.rpc()?.finalized().await?;
		let chain = Chain::connect(&compute.node.rpc_url()).await?;
		let mut checked = Self::default();
		for number in first..=last {
			for event in chain.events(number).await? {
				checked.note(&event)?;
			}
		}
		Ok(checked)
	}

	fn note(&mut self, event: &RawEvent) -> Result<()> {
		if let Some(batch) = read::<BatchSettled>(event)? {
			self.settled += batch.sums.price;
		}
		if let Some(report) = read::<CheckReported>(event)? {
			if report.figures == (Figures::Exact { equal: true }) {
				self.reports.0 += 1;
			} else {
				self.reports.1 += 1;
				self.settled_until_found.get_or_insert(self.settled);
			}
		}
		if let Some(closed) = read::<DisputeClosed>(event)? {
			self.disputes.push(closed.guilty);
		}
		if let Some(found) = read::<MinerGuilty>(event)? {
			self.guilty.push(found.miner);
		}
		if let Some(ended) = read::<DemandEnded>(event)? {
			self.demands.push(ended.outcome);
		}
		if let Some(forfeited) = read::<ReceiptForfeited>(event)? {
			self.returned.0 += forfeited.pay;
		}
		if let Some(returned) = read::<ReturnedToClient>(event)? {
			self.returned.1 += returned.amount;
		}
		if let Some(taken) = read::<WaitingTaken>(event)? {
			self.taken.push(taken.key);
		}
		self.punished += usize::from(read::<VerifierPunished>(event)?.is_some());
		Ok(())
	}
}

/// Stands before a coordinator, and gives everything but openings. Dropped, it ends.
pub struct Withholding {
	/// Where it is.
	pub url: String,
	asked: Arc<AtomicUsize>,
	serving: JoinHandle<()>,
}

struct Before {
	coordinator: String,
	http: reqwest::Client,
	asked: Arc<AtomicUsize>,
}

impl Withholding {
	/// Stands before the coordinator at `coordinator`.
	///
	/// # Errors
	/// When there is no port for it.
	pub async fn start(coordinator: &str) -> Result<Self> {
		let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
		let url = format!("http://{}", listener.local_addr()?);
		let asked = Arc::<AtomicUsize>::default();
		let before = Before {
			coordinator: coordinator.to_owned(),
			http: reqwest::Client::builder().timeout(START).build()?,
			asked: asked.clone(),
		};
		let router = Router::new().fallback(forward).with_state(Arc::new(before));
		let serving = tokio::spawn(async move {
			let _ = axum::serve(listener, router).await;
		});
		Ok(Self { url, asked, serving })
	}

	/// How often an opening was asked for.
	pub fn asked(&self) -> usize {
		self.asked.load(Ordering::Relaxed)
	}
}

impl Drop for Withholding {
	fn drop(&mut self) {
		self.serving.abort();
	}
}

async fn forward(State(before): State<Arc<Before>>, request: Request) -> Response {
	let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
	if path.ends_with("/opening") {
		before.asked.fetch_add(1, Ordering::Relaxed);
		return StatusCode::NOT_FOUND.into_response();
	}
	let asked = before.http.get(format!("{}{path}", before.coordinator)).send().await;
	let Ok(answer) = asked else { return StatusCode::BAD_GATEWAY.into_response() };
	let (status, kind) = (answer.status(), answer.headers().get(header::CONTENT_TYPE).cloned());
	let Ok(bytes) = answer.bytes().await else { return StatusCode::BAD_GATEWAY.into_response() };
	let mut given = Response::new(Body::from(bytes));
	*given.status_mut() = status;
	if let Some(kind) = kind {
		given.headers_mut().insert(header::CONTENT_TYPE, kind);
	}
	given
}
