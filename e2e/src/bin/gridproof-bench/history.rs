//! A chain that is made up, for an index: what takes a real one a day and more is there at once, and goes the
//! index's own way into its database.

use crate::spread::Spread;
use anyhow::{Context, Result, anyhow, ensure};
use futures::future::BoxFuture;
use gridproof_chain::{ChainError, Sent, tokens::Token};
use gridproof_index::{Block, Event, Fact, Index, Meter, Settings, Source, Span};
use gridproof_primitives::{H256, energy::MeterName};
use gridproof_support::Stopper;
use serde_json::{Value, json};
use sp_core::{Blake2Hasher, Hasher};
use std::{
	net::SocketAddr,
	sync::Arc,
	time::{Duration, Instant},
};

/// Time of the first block that has one: 2026-01-01T00:00:00Z, in UTC milliseconds.
const BEGIN: u64 = 1_767_225_600_000;
/// Time from a block to the next, in milliseconds.
const SLOT: u64 = 1_000;
/// Blocks from a batch of a meter to its next: a quarter of an hour.
const INTERVAL: u64 = 900;
/// Transfers of a block.
const TRANSFERS: u64 = 2;
/// Accounts that send and receive; the first of them sends half of all.
const ACCOUNTS: u64 = 1_000;
/// Meters of a site, and of an owner; one owner has every tenth of all.
const TOGETHER: u64 = 10;
/// Time for all blocks.
const LIMIT: Duration = Duration::from_secs(3_600);
/// Pause between two questions for the last block.
const LOOK: Duration = Duration::from_millis(50);

/// Fills an index with `blocks` blocks of a chain with `meters` meters, then asks it `asked` times each question.
pub(crate) async fn run(blocks: u64, meters: u64, asked: u64) -> Result<()> {
	ensure!(blocks > 2 * INTERVAL, "--made: fewer blocks have no batch of every meter");
	ensure!(meters > 0 && asked > 0, "--meters and --questions are at least 1");
	let folder = tempfile::tempdir()?;
	let stopper = Stopper::new();
	let listen = SocketAddr::from(([127, 0, 0, 1], 0));
	let settings = Settings::new("none".to_string(), folder.path().to_path_buf(), listen);
	let source = Arc::new(MadeUp::new(blocks, meters)?);
	let index = Index::with_source(settings, source, stopper.signal()).await?;
	let url = format!("http://{}", index.address());
	let begun = Instant::now();
	let running = tokio::spawn(index.run(stopper.signal()));
	let http = reqwest::Client::new();
	let status = loop {
		ensure!(begun.elapsed() < LIMIT && !running.is_finished(), "the index does not catch up");
		tokio::time::sleep(LOOK).await;
		let status = ask(&http, &format!("{url}/api/v1/status")).await?;
		if status["last"].as_u64().is_some_and(|last| last + 1 >= blocks) {
			break status;
		}
	};
	let seconds = begun.elapsed().as_secs_f64();
	let bytes = status["bytes"].as_u64().context("a status has bytes")?;
	println!(
		"made up: {blocks} blocks with {} transfers, {meters} meters with a batch in {INTERVAL} blocks: written in \
		 {seconds:.1} s, {:.0} blocks/s; a database of {} MiB, {} bytes a block",
		(blocks - 1) * TRANSFERS,
		blocks as f64 / seconds,
		bytes >> 20,
		bytes / blocks,
	);
	for (what, path) in questions(blocks, meters) {
		let mut times = Vec::new();
		for number in 0..asked {
			let asked_at = Instant::now();
			ask(&http, &format!("{url}{}", path(number))).await?;
			times.push(asked_at.elapsed());
		}
		println!("{what}: {}", Spread::of(times)?.milliseconds());
	}
	stopper.stop();
	running.await??;
	Ok(())
}

/// The whole answer to a question.
async fn ask(http: &reqwest::Client, url: &str) -> Result<Value> {
	let answer = http.get(url).send().await?;
	let status = answer.status();
	let text = answer.text().await?;
	ensure!(status.is_success(), "{url}: {status}: {text}");
	Ok(serde_json::from_str(&text)?)
}

type Question = (&'static str, Box<dyn Fn(u64) -> String>);

/// What the pages ask, each of something else every time.
fn questions(blocks: u64, meters: u64) -> Vec<Question> {
	fn of(what: &'static str, path: impl Fn(u64) -> String + 'static) -> Question {
		(what, Box::new(path))
	}
	// Far from each other, so that what was read for one is of little use to the next.
	let height = move |number: u64| 1 + (number * 7_919) % (blocks - 1);
	let meter = move |number: u64| (number * 7_919) % meters;
	let address = |number: u64| format!("0x{}", hex::encode(account(number)));
	let middle = blocks / 2;
	vec![
		of("where the index stands", |_| "/api/v1/status".to_string()),
		of("25 blocks", move |number| {
			format!("/api/v1/blocks?limit=25&to={}", height(number).max(25))
		}),
		of("a block with all in it", move |number| format!("/api/v1/blocks/{}", height(number))),
		of("25 of an account's history", move |number| {
			format!("/api/v1/accounts/{}/history?limit=25", address(1 + number % (ACCOUNTS - 1)))
		}),
		of("25 of the busiest account's, from the middle", move |number| {
			format!(
				"/api/v1/accounts/{}/history?limit=25&to={}",
				address(0),
				middle.saturating_sub(number)
			)
		}),
		of("100 events of a name, from the middle", move |number| {
			let name = "pallet=MeterReadings&name=BatchAccepted";
			format!("/api/v1/events?{name}&to={}", middle.saturating_sub(number))
		}),
		of("supplies over all time", |_| "/api/v1/supplies".to_string()),
		of("search for a block's hash", move |number| {
			format!("/api/v1/search?q=0x{}", hex::encode(block_hash(height(number)).0))
		}),
		of("search for a site", move |number| format!("/api/v1/search?q={}", site(meter(number)))),
		of("1,000 meters", |number| {
			format!("/api/v1/meters?limit=1000&cursor={}", (number % 10) * 1_000)
		}),
		of("a meter by hours", move |number| {
			format!("/api/v1/energy/meters/{}?by=hour", meter(number))
		}),
		of("a site of ten meters by hours", move |number| {
			format!("/api/v1/energy/sites/{}?by=hour", site(meter(number)))
		}),
		of("an owner of a tenth of all meters by days", move |_| {
			format!("/api/v1/energy/owners/{}?by=day", address(0))
		}),
		of("100 batches of a meter", move |number| {
			format!("/api/v1/energy/meters/{}/batches", meter(number))
		}),
	]
}

/// The chain. Hashes and accounts are spread as real ones are: in order, they would be written faster.
struct MadeUp {
	blocks: u64,
	meters: Vec<Meter>,
}

fn hash(what: &str, number: u64) -> H256 {
	let mut bytes = what.as_bytes().to_vec();
	bytes.extend(number.to_le_bytes());
	H256(Blake2Hasher::hash(&bytes).0)
}

fn block_hash(height: u64) -> H256 {
	hash("block", height)
}

fn account(number: u64) -> [u8; 32] {
	hash("account", number).0
}

fn site(meter: u64) -> String {
	format!("site-{}", meter / TOGETHER)
}

fn owner(meter: u64) -> [u8; 32] {
	let has_many = meter.is_multiple_of(TOGETHER);
	account(if has_many { 0 } else { 1 + (meter / TOGETHER) % (ACCOUNTS - 1) })
}

impl MadeUp {
	fn new(blocks: u64, meters: u64) -> Result<Self> {
		let meters = (0..meters).map(|meter| -> Result<Meter> {
			let device = format!("device-{}", meter % TOGETHER);
			let name = MeterName::new(&site(meter), &device, "meter")
				.map_err(|error| anyhow!("meter {meter}: {error:?}"))?;
			Ok(Meter { index: u32::try_from(meter)?, name, owner: owner(meter) })
		});
		Ok(Self { blocks, meters: meters.collect::<Result<_>>()? })
	}

	fn made(&self, height: u64) -> Block {
		let mut block = Block {
			height,
			hash: block_hash(height),
			parent: height.checked_sub(1).map(block_hash).unwrap_or_default(),
			time_ms: if height == 0 { 0 } else { BEGIN + height * SLOT },
			author: (height > 0).then(|| hash("author", height % 4).0),
			version: 1,
			// The time is set by one, too.
			count: 1 + TRANSFERS,
			supplies: [10_500_000 * 10u128.pow(18), 1_000_000, u128::from(height) * 1_000],
			..Block::default()
		};
		if height > 0 {
			for number in 0..TRANSFERS {
				transfer(&mut block, number);
			}
			self.readings(&mut block);
		}
		block
	}

	/// The batches of the meters whose turn it is.
	fn readings(&self, block: &mut Block) {
		let (first, every) = (block.height % INTERVAL, usize::try_from(INTERVAL).unwrap_or(1));
		let turn = self.meters.iter().skip(usize::try_from(first).unwrap_or(0)).step_by(every);
		for meter in turn {
			let sequence = block.height / INTERVAL;
			// Certificates are read once.
			if block.height <= INTERVAL {
				block.meters.push(meter.clone());
			}
			let number = u64::from(meter.index) * 1_000_000 + sequence;
			let exported_wh = 200 + number % 97;
			let header = hash("header", number);
			let span = Span {
				start_ms: block.time_ms.saturating_sub(INTERVAL * SLOT),
				end_ms: block.time_ms,
				imported_wh: 100 + number % 89,
				exported_wh,
				readings: 15,
				root: hash("root", number),
			};
			let fields = json!({
				"meter": meter.index, "sequence": sequence, "header": hex::encode(header.0),
				"minted_wh": exported_wh,
			});
			let fact = Fact::Energy {
				meter: meter.index,
				sequence,
				header,
				minted_wh: exported_wh,
				span: Some(span),
			};
			push(block, "MeterReadings", "BatchAccepted", fields, &[header.0], Some(fact));
			let fields =
				json!({ "asset_id": 2, "owner": hex::encode(meter.owner), "amount": exported_wh });
			push(block, "Assets", "Issued", fields, &[meter.owner], None);
		}
	}
}

/// A transfer with its fee.
fn transfer(block: &mut Block, number: u64) {
	let all = block.height * TRANSFERS + number;
	let from = account(if number == 0 { 0 } else { 1 + all % (ACCOUNTS - 1) });
	let to = account(1 + (all * 31) % (ACCOUNTS - 1));
	let amount = u128::from(all);
	let place = u32::try_from(1 + number).unwrap_or(u32::MAX);
	block.transactions.push(Sent {
		place,
		hash: hash("transaction", all),
		signer: Some(from),
		nonce: Some(all),
		pallet: "Balances".to_string(),
		call: "transfer_keep_alive".to_string(),
		bytes: 140,
		error: None,
		fee: Some(1_000_000),
	});
	let fields = json!({
		"from": hex::encode(from), "to": hex::encode(to), "amount": amount.to_string(),
	});
	let fact = Fact::Transfer { token: Token::Ait, from, to, amount };
	push(block, "Balances", "Transfer", fields, &[from, to], Some(fact));
	let fields = json!({ "who": hex::encode(from), "actual_fee": "1000000", "tip": "0" });
	push(block, "TransactionPayment", "TransactionFeePaid", fields, &[from], None);
}

fn push(
	block: &mut Block,
	pallet: &str,
	name: &str,
	fields: Value,
	named: &[[u8; 32]],
	fact: Option<Fact>,
) {
	block.events.push(Event {
		transaction: Some(1),
		pallet: pallet.to_string(),
		name: name.to_string(),
		fields,
		named: named.to_vec(),
		fact,
	});
}

impl Source for MadeUp {
	fn genesis(&self) -> BoxFuture<'_, Result<H256, ChainError>> {
		Box::pin(async { Ok(block_hash(0)) })
	}

	fn finalized(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
		Box::pin(async { Ok(self.blocks - 1) })
	}

	fn block(&self, height: u64) -> BoxFuture<'_, Result<Block, ChainError>> {
		Box::pin(async move { Ok(self.made(height)) })
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_meter_has_a_batch_in_each_interval_and_no_number_twice() {
		let chain = MadeUp::new(3 * INTERVAL, 2_000).expect("names are valid");
		let mut seen = std::collections::BTreeMap::<u32, Vec<u64>>::new();
		let mut certified = std::collections::BTreeSet::new();
		for height in 0..3 * INTERVAL {
			let block = chain.made(height);
			certified.extend(block.meters.iter().map(|meter| meter.index));
			for event in &block.events {
				let Some(Fact::Energy { meter, sequence, .. }) = &event.fact else { continue };
				assert!(certified.contains(meter), "{meter} at {height}");
				seen.entry(*meter).or_default().push(*sequence);
			}
		}
		assert_eq!(seen.len(), 2_000);
		for (meter, numbers) in seen {
			// The first block has nothing, so the meters of its turn begin with the next.
			let first = u64::from(u64::from(meter).is_multiple_of(INTERVAL));
			assert_eq!(numbers, (first..3).collect::<Vec<_>>(), "{meter}");
		}
	}

	#[test]
	fn a_block_follows_the_one_before_and_has_its_transfers() {
		let chain = MadeUp::new(10, 1).expect("names are valid");
		assert_eq!(chain.made(0).parent, H256::default());
		for height in 1..10 {
			let block = chain.made(height);
			assert_eq!(block.parent, chain.made(height - 1).hash);
			assert_eq!(block.transactions.len() as u64, TRANSFERS);
		}
	}
}
