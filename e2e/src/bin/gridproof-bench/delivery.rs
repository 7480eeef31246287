//! Requests of channels on their way through a coordinator: between clients and miners of this program,
//! which do nothing but sign, and between fronts and miners as they are run. After either, receipts are
//! drawn and proven against the chain.

use crate::{receipts::register, settlement::open_channels, spread::Spread};
use anyhow::{Context, Result, bail, ensure};
use codec::{DecodeAll, Encode};
use futures::{
	StreamExt, TryStreamExt,
	future::{try_join, try_join_all},
	stream,
};
use gridproof_chain::pallets::compute_receipts::query;
use gridproof_compute_api::{
	ChannelClient, CoordinatorClient, MinerClient,
	protocol::{
		ClassName, Extent, Finish, Hello, IssuedReceipt, JobResult, Output, RECEIPT_HEADER,
		RequestKind, SignedLine, TokenIds, VoucherWork, Work, hello_payload, output_root, price_of,
	},
};
use gridproof_e2e::{
	channels::{Client, prove, question},
	compute::{CLIENT, Compute, MINERS, Setup},
	engine::{Engine, MODEL},
	machine::{cpu_seconds, memory},
	wait,
};
use gridproof_keys::account::development_signer;
use gridproof_primitives::{
	H256,
	compute::{
		Class, PartyRole, Signer, Telemetry,
		channels::{
			ChannelId, ChannelTerms, MinerLine, PaidBy, ReceiptV2, Sampler, SettlementHeader,
			SignedVoucher, Voucher, spec_hash,
		},
		compute_units,
	},
	num::units::AIT,
};
use gridproof_support::text::{Hex32, Hex64, HexBytes};
use sp_core::{Pair, ed25519};
use std::{
	fs,
	path::Path,
	sync::atomic::{AtomicU64, Ordering},
	time::{Duration, Instant},
};

const LIMIT: Duration = Duration::from_secs(120);
/// Receipts that are drawn and proven.
const PROVEN: usize = 1_000;
/// Proofs at a time.
const PROVERS: usize = 4;
/// Jobs that a miner takes at a time.
const SLOTS: u32 = 16;
/// Requests of a front at a time.
const ASKERS: usize = 8;

/// A receipt that came, and how long it took.
type Came = (H256, Duration);

/// A coordinator between clients and miners that only sign.
pub(crate) async fn alone(receipts: u64, channels: usize) -> Result<()> {
	// Nobody asks an engine; that there is one has its model offered and counted.
	let engine = Some("http://127.0.0.1:9".to_owned());
	let setup = Setup { show_log: false, miners: 0, engine, ..Setup::default() };
	let compute = Compute::start_as(setup).await?;
	let mut miners = Vec::new();
	for (number, account) in (40u8..).zip(MINERS) {
		let key = ed25519::Pair::from_seed(&[number; 32]);
		let role = PartyRole::Miner(Class::Cpu);
		register(&compute.chain, &key, development_signer(account)?, role).await?;
		miners.push(Miner::join(&compute, key).await?);
	}
	let mut payers = Payer::open(&compute, channels).await?;
	let processes = vec![
		("coordinator", compute.coordinator.pid().context("no coordinator")?),
		("node", compute.node.pid().context("no node")?),
		("clients and miners", std::process::id()),
	];
	let load = Load::begin(&compute, processes)?;
	let taken = AtomicU64::new(0);
	let ids = payers.iter().map(|payer| payer.channel).collect();
	let delivered = async {
		let asked = payers.iter_mut().map(|payer| payer.ask_all(&taken, receipts));
		let came: Vec<Came> = try_join_all(asked).await?.concat();
		load.report("a coordinator alone", &came)?;
		// Miners have lines to sign until everything is settled.
		load.settled(ids, &came).await?;
		anyhow::Ok(came)
	};
	let working = try_join_all(miners.iter().map(Miner::work));
	let came = tokio::select! {
		came = delivered => came?,
		ended = working => bail!("the miners have ended: {:?}", ended.err()),
	};
	load.proven(&came).await
}

/// Everything as it is run, but for the engine, which answers at once.
pub(crate) async fn whole(receipts: u64, fronts: usize) -> Result<()> {
	let engine = Engine::start().await?;
	let setup = Setup {
		show_log: false,
		slots: SLOTS,
		engine: Some(engine.url.clone()),
		..Setup::default()
	};
	let compute = Compute::start_as(setup).await?;
	let mut clients = Vec::new();
	for number in 0..fronts {
		clients.push(Client::start(&compute, &format!("front-{number}"), CLIENT, 5).await?);
	}
	let mut processes = vec![
		("coordinator", compute.coordinator.pid().context("no coordinator")?),
		("node", compute.node.pid().context("no node")?),
		("clients and engine", std::process::id()),
	];
	for miner in &compute.miners {
		processes.push(("miners", miner.pid().context("no miner")?));
	}
	for client in &clients {
		processes.push(("fronts", client.front.pid().context("no front")?));
	}
	let (load, genesis) = (Load::begin(&compute, processes)?, compute.chain.genesis());
	let taken = AtomicU64::new(0);
	let askers = clients.iter().flat_map(|client| vec![client.asker(); ASKERS]);
	let asking = askers.map(async |asker| {
		let mut came: Vec<Came> = Vec::new();
		loop {
			let number = taken.fetch_add(1, Ordering::SeqCst);
			if number >= receipts {
				return anyhow::Ok(came);
			}
			let sent = Instant::now();
			let issued = asker.ask(&question(MODEL, number, 1)).await?;
			let issued = issued.context("an answer without a text")?;
			came.push((issued.receipt.receipt.id(&genesis), sent.elapsed()));
		}
	});
	let came = try_join_all(asking).await?.concat();
	load.report("fronts, coordinator, miners", &came)?;
	load.settled(clients.iter().map(|client| client.channel).collect(), &came).await?;
	load.proven(&came).await
}

/// What a load takes.
struct Load<'a> {
	compute: &'a Compute,
	/// By what they are, with the processor time that each had before.
	processes: Vec<(&'static str, u32, f64)>,
	disk: u64,
	start: Instant,
}

impl<'a> Load<'a> {
	fn begin(compute: &'a Compute, processes: Vec<(&'static str, u32)>) -> Result<Self> {
		let mut before = Vec::new();
		for (name, pid) in processes {
			before.push((name, pid, cpu_seconds(pid)?));
		}
		let disk = on_disk(&compute.folder.path().join("coordinator"))?;
		Ok(Self { compute, processes: before, disk, start: Instant::now() })
	}

	#[allow(clippy::cast_precision_loss)]
	fn report(&self, what: &str, came: &[Came]) -> Result<()> {
		let (count, seconds) = (came.len() as f64, self.start.elapsed().as_secs_f64());
		println!("{what}: {count} receipts in {seconds:.1} s, {:.0} a second", count / seconds);
		let waited = came.iter().map(|(_, waited)| *waited).collect();
		println!("request to receipt: {}", Spread::of(waited)?);
		let mut used: Vec<(&str, f64)> = Vec::new();
		for (name, pid, before) in &self.processes {
			let more = cpu_seconds(*pid)? - before;
			match used.iter_mut().find(|(known, _)| known == name) {
				Some((_, sum)) => *sum += more,
				None => used.push((name, more)),
			}
		}
		for (name, used) in used {
			println!("processor time of 1,000 receipts: {name} {:.2} s", used / count * 1_000.0);
		}
		let folder = self.compute.folder.path().join("coordinator");
		let disk = on_disk(&folder)?.saturating_sub(self.disk);
		println!("coordinator: {:.0} bytes on disk a receipt", disk as f64 / count);
		let memory = memory(self.compute.coordinator.pid().context("no coordinator")?)?;
		println!("coordinator: {} MiB resident (peak {})", memory.resident_mib, memory.peak_mib);
		Ok(())
	}

	/// Waits until the chain has settled all of them.
	async fn settled(&self, channels: Vec<ChannelId>, came: &[Came]) -> Result<()> {
		let (since, wanted) = (Instant::now(), u64::try_from(came.len())?);
		let chain = &self.compute.chain;
		wait::until("all receipts are settled", LIMIT, async || {
			let mut settled = 0;
			for id in &channels {
				let view = chain.read(&query::channel(*id)).await?.context("no channel")?;
				settled += view.channel.settled.count;
			}
			Ok((settled >= wanted).then_some(()))
		})
		.await?;
		let on_chain = chain.read(&query::header_chain(&self.compute.coordinator_key)).await?;
		println!(
			"all final {:.1} s after the last receipt, in {} batches",
			since.elapsed().as_secs_f64(),
			on_chain.next_sequence
		);
		Ok(())
	}

	/// Proves receipts, drawn evenly, as `gridproof receipt verify` does.
	async fn proven(&self, came: &[Came]) -> Result<()> {
		let (start, client) = (Instant::now(), ChannelClient::new(&self.compute.url)?);
		let each = (came.len() / PROVEN).max(1);
		let drawn = came.iter().step_by(each).take(PROVEN);
		let proven: Vec<_> = stream::iter(drawn)
			.map(|(id, _)| prove(self.compute, &client, *id))
			.buffer_unordered(PROVERS)
			.try_collect()
			.await?;
		let seconds = start.elapsed().as_secs_f64();
		println!("{} drawn receipts proven against the chain in {seconds:.1} s", proven.len());
		Ok(())
	}
}

/// Bytes of the files in a folder.
fn on_disk(folder: &Path) -> Result<u64> {
	let mut bytes = 0;
	for entry in fs::read_dir(folder)? {
		bytes += entry?.metadata()?.len();
	}
	Ok(bytes)
}

/// A client that keeps nothing but its channel's numbers.
struct Payer {
	channel: ChannelId,
	key: ed25519::Pair,
	client: ChannelClient,
	genesis: H256,
	factor: u32,
	unit_price: u128,
	number: u64,
	spent: u128,
}

impl Payer {
	/// Opens channels, with one key for all.
	async fn open(compute: &Compute, channels: usize) -> Result<Vec<Self>> {
		let key = ed25519::Pair::from_seed(&[50; 32]);
		let terms = ChannelTerms {
			coordinator: compute.coordinator_key,
			kind: crate::settlement::KIND,
			signer: Some(key.public().0),
			deposit: AIT,
			daily_limit: AIT,
			plan_ends_ms: None,
		};
		let purse = development_signer(CLIENT)?;
		let ids = open_channels(&compute.chain, &purse, &terms, channels).await?;
		let info = CoordinatorClient::new(&compute.url)?.info().await?;
		let offer = info.models.iter().find(|offer| offer.name == MODEL).context("no model")?;
		let unit_price = info.unit_price.get("ait").context("AIT are not taken")?.0;
		ids.into_iter()
			.map(|channel| {
				Ok(Self {
					channel,
					key,
					client: ChannelClient::new(&compute.url)?,
					genesis: compute.chain.genesis(),
					factor: offer.model_factor,
					unit_price,
					number: 0,
					spent: 0,
				})
			})
			.collect()
	}

	/// Asks until all clients together have taken so many numbers.
	async fn ask_all(&mut self, taken: &AtomicU64, receipts: u64) -> Result<Vec<Came>> {
		let mut came = Vec::new();
		while taken.fetch_add(1, Ordering::SeqCst) < receipts {
			let sent = Instant::now();
			came.push((self.ask().await?, sent.elapsed()));
		}
		Ok(came)
	}

	async fn ask(&mut self) -> Result<H256> {
		let kind = RequestKind::Completion;
		self.number += 1;
		let body = serde_json::to_vec(&question(MODEL, self.number, 1))?;
		let mut secret = [0; 32];
		secret[..8].copy_from_slice(&self.channel.to_le_bytes());
		secret[8..16].copy_from_slice(&self.number.to_le_bytes());
		let units = compute_units(kind.most_tokens(body.len(), &Extent::one(1)), self.factor);
		let voucher = Voucher {
			channel: self.channel,
			number: self.number,
			amount: self.spent + self.unit_price * u128::from(units),
			spec_hash: spec_hash(&secret, &body),
		};
		let signature = self.key.sign(&voucher.signing_payload(&self.genesis)).0;
		let signed = SignedVoucher { voucher, signature };
		let answer = self.client.request(kind.path(), body, &signed, &secret).await?;
		let (status, headers) = (answer.status(), answer.headers().clone());
		let text = answer.text().await?;
		ensure!(status.is_success(), "{status}: {text}");
		let issued = headers.get(RECEIPT_HEADER).context("no receipt")?;
		let receipt = IssuedReceipt::from_header(issued.to_str()?)?.receipt.receipt;
		self.spent += receipt.price;
		Ok(receipt.id(&self.genesis))
	}
}

/// A miner that answers with one word, and signs.
struct Miner {
	key: ed25519::Pair,
	client: MinerClient,
	session: String,
	genesis: H256,
}

impl Miner {
	async fn join(compute: &Compute, key: ed25519::Pair) -> Result<Self> {
		let client = MinerClient::new(&compute.url)?;
		let (about, genesis) = (client.about().await?, compute.chain.genesis());
		let mut hello = Hello {
			miner: Hex32(key.public().0),
			class: ClassName::Cpu,
			models: vec![MODEL.to_owned()],
			slots: SLOTS,
			time_ms: about.time_ms,
			signature: Hex64([0; 64]),
		};
		let payload = hello_payload(&genesis, &about.coordinator.0, &hello);
		hello.signature = Hex64(key.sign(&payload).0);
		let session = client.hello(&hello).await?.session;
		Ok(Self { key, client, session, genesis })
	}

	/// Works in all slots and signs lines, until it fails.
	async fn work(&self) -> Result<()> {
		let slots = try_join_all((0..SLOTS).map(|_| self.slot()));
		try_join(slots, self.sign_lines()).await?;
		Ok(())
	}

	async fn slot(&self) -> Result<()> {
		loop {
			match self.client.work(&self.session).await? {
				Some(Work::Voucher(work)) => {
					let result = self.result(&work)?;
					self.client.result(&self.session, work.work.into(), &result).await?;
				},
				Some(Work::Job(_)) => bail!("a job"),
				None => (),
			}
		}
	}

	fn result(&self, work: &VoucherWork) -> Result<JobResult> {
		let voucher = SignedVoucher::decode_all(&mut &work.voucher.0[..])?.voucher;
		let output = Output {
			text: "One".to_owned(),
			embeddings: Vec::new(),
			answers: Vec::new(),
			finish: Finish::Length,
			prompt_tokens: 4,
			completion_tokens: 1,
		};
		let tokens = TokenIds::default();
		let weight = compute_units(output.tokens(), work.model_factor);
		let is_greedy = work.spec.sampling.temperature_milli == 0;
		let receipt = ReceiptV2 {
			paid_by: PaidBy::Voucher(voucher.id()),
			miner: Some(self.key.public().0),
			model: work.model.into(),
			spec_hash: voucher.spec_hash,
			output_root: output_root(&work.spec, &tokens, &work.secret.0)
				.map_err(|error| anyhow::anyhow!("{error}"))?,
			weight,
			price: price_of(weight, work.unit_price.0, work.highest.0),
			sampler: if is_greedy { Sampler::Greedy } else { Sampler::Engine },
			telemetry: Telemetry {
				input_tokens: 4,
				output_tokens: 1,
				duration_ms: 1,
				memory_mb: 40,
			},
			settle_by_ms: work.settle_by_ms,
		};
		let payload = receipt.signing_payload(&self.genesis, Signer::Miner);
		Ok(JobResult {
			attempt: work.attempt,
			output,
			receipt: HexBytes(receipt.encode()),
			signature: Hex64(self.key.sign(&payload).0),
			tokens: Some(tokens),
		})
	}

	async fn sign_lines(&self) -> Result<()> {
		loop {
			for asked in self.client.lines(&self.session).await?.lines {
				let header = SettlementHeader::decode_all(&mut &asked.header.0[..])?;
				let line = MinerLine::decode_all(&mut &asked.line.0[..])?;
				let payload = line.signing_payload(&self.genesis, &header.hash());
				let signature = Hex64(self.key.sign(&payload).0);
				let signed = SignedLine { sequence: header.sequence, signature };
				// It may come too late: the line is paid without it.
				let _ = self.client.sign_line(&self.session, &signed).await;
			}
		}
	}
}
