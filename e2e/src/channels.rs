//! Clients with a channel and a front of their own, and what chain, coordinator and fronts say of their
//! money: three sides that have to agree to the last unit.

use crate::{
	binary::command_binary,
	compute::{Compute, read},
	ports::free_ports,
	process::Process,
	reserve::gridproof,
};
use anyhow::{Context, Result, anyhow, bail, ensure};
use codec::DecodeAll;
use gridproof_chain::{
	Chain,
	event::RawEvent,
	pallets::{
		compute_receipts::{
			event::{BatchRefused, BatchSettled, EmissionPaid, MinerSettled},
			query,
		},
		transaction_payment::event::TransactionFeePaid,
	},
};
use gridproof_compute_api::{ChainView, ChannelClient, ReceiptDocument, protocol::IssuedReceipt};
use gridproof_primitives::{
	H256,
	codec::cid::Cid,
	compute::channels::{
		Batch, BatchKind, BatchRefusal, ChannelId, ChannelReceipt, ChannelSums, ChannelView, Lists,
		MinerSums, SettlementHeader, SignedVoucher, VoucherId,
	},
	crypto::ed25519::PublicKey,
	num::units::AIT,
};
use gridproof_store::rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use std::{
	collections::BTreeMap,
	ops::RangeInclusive,
	path::{Path, PathBuf},
	time::Duration,
};

const LIMIT: Duration = Duration::from_secs(120);
/// Deposit for a channel's rows, in 10⁻¹⁸ AIT.
pub const ROWS: u128 = AIT / 100 * 65;

/// Asks one front for texts.
#[derive(Clone)]
pub struct Asker {
	http: reqwest::Client,
	url: String,
}

impl Asker {
	/// Has a text continued; the receipt with its signatures. `None` if the answer has no text, which
	/// costs nothing.
	///
	/// # Errors
	/// When there is no answer, or another error.
	pub async fn ask(&self, body: &Value) -> Result<Option<IssuedReceipt>> {
		let request = self.http.post(format!("{}/v1/completions", self.url)).json(body);
		let answer = request.send().await?;
		let status = answer.status();
		let issued = answer.headers().get("gridproof-receipt").cloned();
		let body = answer.text().await?;
		if status == reqwest::StatusCode::BAD_GATEWAY {
			return Ok(None);
		}
		ensure!(status.is_success(), "{status}: {body}");
		let issued = issued.context("no receipt")?;
		Ok(Some(IssuedReceipt::from_header(issued.to_str()?)?))
	}
}

/// A client with a channel and a front of its own.
pub struct Client {
	/// The process of its front.
	pub front: Process,
	/// Address of the front.
	pub url: String,
	/// Number of the channel.
	pub channel: ChannelId,
	/// Folder of the front's database.
	pub data: PathBuf,
	http: reqwest::Client,
}

impl Client {
	/// Opens a channel with a key of its own and a deposit in AIT, and starts the front. `name` is that
	/// of its files; `account` pays.
	///
	/// # Errors
	/// When the channel is not opened, or the front does not answer.
	pub async fn start(
		compute: &Compute,
		name: &str,
		account: &str,
		deposit: u128,
	) -> Result<Self> {
		let path = |what: &str| compute.folder.path().join(format!("{name}{what}"));
		let (key, data) = (path(".key").display().to_string(), path("-data"));
		let (node, deposit) = (compute.node.rpc_url(), deposit.to_string());
		let mut open = vec!["channel", "open", "--new-key", "--key", &key, "--deposit", &deposit];
		open.extend(["--coordinator", &compute.url, "--suri", account, "--url", &node]);
		let opened = gridproof(&open).await?.done()?;
		let channel = opened["channel"].as_u64().context("no channel")?;
		let [port] = free_ports()?;
		let (listen, number) = (format!("127.0.0.1:{port}"), channel.to_string());
		let folder = data.display().to_string();
		let mut arguments = vec!["--json", "front", "run", "--channel", &number, "--key", &key];
		arguments.extend(["--data", &folder, "--listen", &listen]);
		arguments.extend(["--coordinator", &compute.url, "--url", &node]);
		let arguments = arguments.into_iter().map(str::to_owned).collect();
		let front = Process::start(name, &command_binary()?, arguments, path(".log"))?;
		let http = reqwest::Client::builder().timeout(LIMIT).build()?;
		let mut client = Self { front, url: format!("http://{listen}"), channel, data, http };
		let (http, health) = (client.http.clone(), format!("{}/health", client.url));
		client
			.front
			.wait("the front answers", LIMIT, async || {
				let answer = http.get(&health).send().await;
				Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
			})
			.await?;
		Ok(client)
	}

	/// What asks this front, apart from the process.
	pub fn asker(&self) -> Asker {
		Asker { http: self.http.clone(), url: self.url.clone() }
	}

	/// What the front says of the channel.
	///
	/// # Errors
	/// When it does not answer.
	pub async fn status(&self) -> Result<Value> {
		Ok(self.http.get(format!("{}/api/v1/front", self.url)).send().await?.json().await?)
	}

	/// The channel as the chain has it.
	///
	/// # Errors
	/// When the chain has none.
	pub async fn on_chain(&self, chain: &Chain) -> Result<ChannelView> {
		chain.read(&query::channel(self.channel)).await?.context("the channel is gone")
	}

	/// The channel, once nothing is open and the chain has settled every receipt that was issued; `None`
	/// before.
	///
	/// # Errors
	/// When somebody does not answer.
	pub async fn if_settled(&self, compute: &Compute) -> Result<Option<ChannelView>> {
		let held = compute.get(&format!("/v1/channels/{}", self.channel)).await?;
		let view = self.on_chain(&compute.chain).await?;
		let issued = held["receipts"].as_u64().context("no number of receipts")?;
		let is_open = held["open"] != "0" || self.status().await?["open"] != "0";
		Ok((!is_open && issued == view.channel.settled.count).then_some(view))
	}

	/// Every voucher that the front has signed, with the receipt that it got, as they are on its disk.
	///
	/// # Errors
	/// When its database cannot be read.
	pub fn vouchers(&self) -> Result<Vec<(SignedVoucher, Option<IssuedReceipt>)>> {
		signed_vouchers(&self.data.join("front.db"))
	}
}

fn signed_vouchers(database: &Path) -> Result<Vec<(SignedVoucher, Option<IssuedReceipt>)>> {
	let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
	let database = Connection::open_with_flags(database, flags)?;
	let mut rows = database.prepare("SELECT voucher, issued FROM requests ORDER BY number")?;
	let rows = rows.query_map([], |row| {
		let (voucher, issued): (Vec<u8>, Option<Vec<u8>>) = (row.get(0)?, row.get(1)?);
		Ok((voucher, issued))
	})?;
	rows.map(|row| {
		let (voucher, issued) = row?;
		let voucher = SignedVoucher::decode_all(&mut &voucher[..])?;
		let issued = issued.map(|bytes| IssuedReceipt::decode_all(&mut &bytes[..])).transpose()?;
		Ok((voucher, issued))
	})
	.collect()
}

/// Running sums of everybody, as one side has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
	/// Of each channel.
	pub channels: BTreeMap<ChannelId, ChannelSums>,
	/// Of each miner; of receipts without an answer those of none.
	pub miners: BTreeMap<Option<PublicKey>, MinerSums>,
}

impl Sums {
	/// Counts receipts, in any order.
	///
	/// # Errors
	/// When one is of no channel, or a sum does not fit.
	pub fn of<'a>(receipts: impl IntoIterator<Item = &'a ChannelReceipt>) -> Result<Self> {
		let mut sums = Self::default();
		for ChannelReceipt { receipt, .. } in receipts {
			let id = receipt.voucher().context("a receipt of no channel")?;
			let channel = sums.channels.entry(id.channel).or_default();
			*channel = channel.after(receipt.price).context("too much for a channel")?;
			let miner = sums.miners.entry(receipt.miner).or_default();
			let after = miner.after(receipt.price, receipt.weight);
			*miner = after.context("too much for a miner")?;
		}
		Ok(sums)
	}

	/// What the chain has settled of these channels and miners, without those of which it has nothing.
	///
	/// # Errors
	/// When it does not answer, or a channel is gone.
	pub async fn on_chain(
		compute: &Compute,
		channels: impl IntoIterator<Item = ChannelId>,
		kind: BatchKind,
	) -> Result<Self> {
		let mut sums = Self::default();
		for id in channels {
			let view = compute.chain.read(&query::channel(id)).await?;
			let settled = view.context("the channel is gone")?.channel.settled;
			if settled != ChannelSums::default() {
				sums.channels.insert(id, settled);
			}
		}
		let keys = compute.miner_keys.iter().copied().map(Some).chain([None]);
		for miner in keys {
			let query = query::miner_sums(&compute.coordinator_key, kind, miner);
			let settled = compute.chain.read(&query).await?;
			if settled != MinerSums::default() {
				sums.miners.insert(miner, settled);
			}
		}
		Ok(sums)
	}

	/// Number of all receipts, and the sum of their prices.
	pub fn total(&self) -> (u64, u128) {
		let of = self.channels.values();
		of.fold((0, 0), |(count, price), sums| (count + sums.count, price + sums.price))
	}
}

/// Everything that a coordinator has published, each batch made again from its receipts.
pub struct Published {
	/// Receipts of all batches.
	pub receipts: Vec<ChannelReceipt>,
	/// Headers, the newest first: the chain has them all.
	pub headers: Vec<SettlementHeader>,
}

impl Published {
	/// Fetches every batch that the chain has taken.
	///
	/// # Errors
	/// When one is missing, is signed by another, has other receipts than its header commits to, or is
	/// not the chain's.
	pub async fn of(compute: &Compute) -> Result<Self> {
		let (client, genesis) = (ChannelClient::new(&compute.url)?, compute.chain.genesis());
		let on_chain = compute.chain.read(&query::header_chain(&compute.coordinator_key)).await?;
		let (mut receipts, mut headers) = (Vec::new(), Vec::new());
		for sequence in (0..on_chain.next_sequence).rev() {
			let batch = client.batch(sequence).await?;
			let header = SettlementHeader::decode_all(&mut &batch.header.0[..])?;
			let signed = header.verify(&genesis, &batch.signature.0);
			signed.map_err(|error| anyhow!("header {sequence}: {error}"))?;
			let file = compute.get_bytes(&format!("/v1/batches/{sequence}/receipts")).await?;
			ensure!(header.cid == Some(Cid::of(&file)), "the file of batch {sequence} is another");
			let lists = Lists::decode_all(&mut &batch.lists.0[..])?;
			let all = Vec::<ChannelReceipt>::decode_all(&mut &file[..])?;
			let made = Batch::audit(&header, &lists, all);
			let made = made.map_err(|error| anyhow!("batch {sequence}: {error}"))?;
			receipts.extend_from_slice(made.receipts());
			headers.push(header);
		}
		ensure!(on_chain.ends_with(&headers), "the chain has other headers");
		Ok(Self { receipts, headers })
	}

	/// The receipts by their vouchers.
	///
	/// # Errors
	/// When a voucher has two.
	pub fn by_voucher(&self) -> Result<BTreeMap<VoucherId, ChannelReceipt>> {
		let mut all = BTreeMap::new();
		for receipt in &self.receipts {
			let id = receipt.receipt.voucher().context("a receipt of no channel")?;
			ensure!(all.insert(id, *receipt).is_none(), "voucher {id:?} was used twice");
		}
		Ok(all)
	}
}

/// Proves a receipt as `gridproof receipt verify` does: by what its coordinator answers, and by a header
/// that the chain has.
///
/// # Errors
/// Why it is not proven.
pub async fn prove(compute: &Compute, client: &ChannelClient, id: H256) -> Result<ChannelReceipt> {
	let (chain, genesis) = (&compute.chain, compute.chain.genesis());
	let answer = client.receipt(id.into()).await?;
	let mut document = ReceiptDocument::new(genesis, answer)?;
	let own = document.headers()?.last().copied().context("no batch has it")?;
	let known = chain.known_header(&own.coordinator, own.sequence).await?;
	let known = known.context("the chain has not taken its batch")?;
	if own.sequence < known.sequence {
		document.set_headers(&client.headers(own.sequence, known.sequence).await?);
	}
	let voucher = document.issued()?.receipt.receipt.voucher().context("of no channel")?;
	let channel = chain.read(&query::channel(voucher.channel)).await?;
	let known = Some((known.sequence, known.hash));
	let proven = document.check(Some(&ChainView { genesis, channel, known }))?;
	ensure!(proven.coordinator == compute.coordinator_key, "another coordinator's");
	ensure!(proven.is_on_chain && proven.is_channel_known, "not the chain's");
	Ok(proven.receipt)
}

/// What batches did, by the chain's events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
	/// Batches that settled.
	pub batches: usize,
	/// Their receipts.
	pub receipts: u64,
	/// Sum of the prices of these.
	pub price: u128,
	/// What the coordinator paid for the lines.
	pub line_fees: u128,
	/// Shares of treasury, coordinator and miners.
	pub shares: [u128; 3],
	/// Shares of each miner.
	pub by_miner: BTreeMap<PublicKey, u128>,
	/// AIT minted to each key.
	pub minted: BTreeMap<PublicKey, u128>,
	/// Fees of transactions, by account.
	pub fees: BTreeMap<[u8; 32], u128>,
	/// Why batches were refused.
	pub refused: Vec<BatchRefusal>,
}

impl Settled {
	/// Reads the finalized blocks from `first` on.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn since(compute: &Compute, first: u64) -> Result<Self> {
		let (last, _) = compute.node.rpc()?.finalized().await?;
		Self::within(compute, first..=last).await
	}

	/// Reads these blocks, which are finalized.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn within(compute: &Compute, blocks: RangeInclusive<u64>) -> Result<Self> {
		let chain = Chain::connect(&compute.node.rpc_url()).await?;
		let mut settled = Self::default();
		for number in blocks {
			for event in chain.events(number).await? {
				settled.note(&event)?;
			}
		}
		Ok(settled)
	}

	fn note(&mut self, event: &RawEvent) -> Result<()> {
		if let Some(batch) = read::<BatchSettled>(event)? {
			self.batches += 1;
			self.receipts += batch.sums.receipts;
			self.price += batch.sums.price;
			self.line_fees += batch.fee;
		}
		if let Some(line) = read::<MinerSettled>(event)? {
			let of = [line.shares.treasury, line.shares.coordinator, line.shares.miner];
			for (sum, share) in self.shares.iter_mut().zip(of) {
				*sum += share;
			}
			*self.by_miner.entry(line.miner).or_default() += line.shares.miner;
		}
		if let Some(paid) = read::<EmissionPaid>(event)? {
			*self.minted.entry(paid.key).or_default() += paid.amount;
		}
		if let Some(fee) = read::<TransactionFeePaid>(event)? {
			*self.fees.entry(fee.who).or_default() += fee.actual_fee;
		}
		if let Some(refused) = read::<BatchRefused>(event)? {
			self.refused.push(refused.reason);
		}
		Ok(())
	}

	/// Fees that an account has paid.
	pub fn fees_of(&self, account: &[u8; 32]) -> u128 {
		self.fees.get(account).copied().unwrap_or(0)
	}
}

/// A request for a text of so many tokens, about a number: prompts differ, and so do prices.
pub fn question(model: &str, number: u64, max_tokens: u64) -> Value {
	let words = " and".repeat(usize::try_from(number % 7).unwrap_or(0));
	json!({ "model": model, "prompt": format!("Question {number}{words}"), "max_tokens": max_tokens })
}

/// Number from an environment variable, or another one if it is not set.
///
/// # Errors
/// When it is not a number.
pub fn number_from(variable: &str, default: u64) -> Result<u64> {
	match std::env::var(variable) {
		Ok(text) => match text.parse() {
			Ok(number) => Ok(number),
			Err(_) => bail!("{variable} is not a number: {text}"),
		},
		Err(_) => Ok(default),
	}
}
