//! A Bitcoin node with its wallet, and a gateway, as far as anchors ask them.

#![allow(unreachable_pub, dead_code, reason = "each test uses a part of it")]

use axum::{
	Json, Router,
	extract::{Path, Query, State},
	http::StatusCode,
	response::{IntoResponse, Response},
	routing::{get, post, put},
};
use gridproof_anchor::{
	AnchorStatus, H256, Network, Rpc,
	bitcoin::{
		Address, Amount, Block, BlockHash, OutPoint, ScriptBuf, Target, Transaction, TxMerkleNode,
		TxOut, Txid, Witness,
		block::{Header, Version},
		consensus::encode::{deserialize_hex, serialize_hex},
		hashes::Hash,
		merkle_tree,
	},
	daily::{Daily, DailySettings, Payer},
	fees::FeePolicy,
	psbt::Rate,
};
use gridproof_gateway_api::{AnchorUpdate, BatchOnChain, BatchState, BatchView, Client};
use gridproof_support::{Clock, Stop, Stopper, clock::Hands};
use serde_json::{Value, json};
use std::{
	collections::{BTreeMap, BTreeSet, HashMap},
	sync::{Arc, Mutex, MutexGuard},
};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// Begin of the tests' time, UTC milliseconds.
pub const NOW_MS: u64 = 1_800_000_000_000;

/// A regtest network of one node.
pub struct Bitcoin {
	/// From the first block on; each header shows its work.
	pub blocks: Vec<Block>,
	/// What waits.
	pub mempool: Vec<Transaction>,
	/// All that was ever taken.
	pub sent: Vec<Transaction>,
	/// BTC per thousand virtual bytes.
	pub estimate: Option<f64>,
	/// Answers of methods that fail.
	pub refuse: BTreeMap<&'static str, i64>,
	/// Every output the wallet ever had.
	coins: BTreeMap<OutPoint, TxOut>,
	/// What is locked.
	pub locked: BTreeSet<OutPoint>,
	/// Locked by somebody else just before this wallet is asked to.
	pub snatched: Option<OutPoint>,
}

fn script(byte: u8) -> ScriptBuf {
	ScriptBuf::from_bytes([&[0x00, 0x14][..], &[byte; 20]].concat())
}

fn mined(previous: BlockHash, txdata: Vec<Transaction>, time: u32) -> Block {
	let root = merkle_tree::calculate_root(txdata.iter().map(Transaction::compute_txid));
	let root = root.map_or([9; 32], |root| root.to_byte_array());
	let mut header = Header {
		version: Version::TWO,
		prev_blockhash: previous,
		merkle_root: TxMerkleNode::from_byte_array(root),
		time,
		bits: Target::MAX_ATTAINABLE_REGTEST.to_compact_lossy(),
		nonce: 0,
	};
	while !header.target().is_met_by(header.block_hash()) {
		header.nonce += 1;
	}
	Block { header, txdata }
}

impl Bitcoin {
	fn new() -> Self {
		Self {
			blocks: Vec::new(),
			mempool: Vec::new(),
			sent: Vec::new(),
			estimate: Some(0.000_02),
			refuse: BTreeMap::new(),
			coins: BTreeMap::new(),
			locked: BTreeSet::new(),
			snatched: None,
		}
	}

	/// Gives the wallet a coin.
	pub fn fund(&mut self, number: u8, sats: u64) -> OutPoint {
		let point = OutPoint::new(Txid::hash(&[number]), 0);
		let value = Amount::from_sat(sats);
		self.coins.insert(point, TxOut { value, script_pubkey: script(number) });
		point
	}

	/// Makes a block of these transactions; what spends the same is gone.
	pub fn mine(&mut self, transactions: Vec<Transaction>) {
		let spent: BTreeSet<OutPoint> = spends(&transactions).collect();
		self.mempool.retain(|waiting| !spends([waiting]).any(|point| spent.contains(&point)));
		for transaction in &transactions {
			for (vout, output) in (0u32..).zip(&transaction.output) {
				if output.value > Amount::ZERO {
					let point = OutPoint::new(transaction.compute_txid(), vout);
					self.coins.insert(point, output.clone());
				}
			}
		}
		let previous = self.hash(self.height()).unwrap();
		let time = 1_700_000_000 + u32::try_from(self.blocks.len()).unwrap();
		self.blocks.push(mined(previous, transactions, time));
	}

	/// Makes blocks, the first of all that waits.
	pub fn mine_all(&mut self, count: usize) {
		for _ in 0..count {
			self.mine(self.mempool.clone());
		}
	}

	fn height(&self) -> usize {
		self.blocks.len()
	}

	fn hash(&self, height: usize) -> Option<BlockHash> {
		match height.checked_sub(1) {
			None => Some(Network::REGTEST.genesis()),
			Some(place) => self.blocks.get(place).map(|block| block.block_hash()),
		}
	}

	/// What a transaction pays, in sats.
	pub fn fee(&self, transaction: &Transaction) -> u64 {
		let put_in = spends([transaction]).map(|point| self.coins[&point].value.to_sat());
		let taken_out = transaction.output.iter().map(|output| output.value.to_sat());
		put_in.sum::<u64>() - taken_out.sum::<u64>()
	}

	fn known(&self, txid: &str) -> Option<(&Transaction, Option<BlockHash>)> {
		let is = |transaction: &&Transaction| transaction.compute_txid().to_string() == txid;
		let in_block = self
			.blocks
			.iter()
			.find_map(|block| Some((block.txdata.iter().find(is)?, Some(block.block_hash()))));
		in_block.or_else(|| Some((self.mempool.iter().find(is)?, None)))
	}

	fn spent_in_chain(&self) -> BTreeSet<OutPoint> {
		self.blocks.iter().flat_map(|block| spends(&block.txdata)).collect()
	}

	/// The rules of BIP 125, as far as they matter here.
	fn accept(&mut self, transaction: Transaction) -> Result<Value, (i64, String)> {
		let gone = self.spent_in_chain();
		if spends([&transaction]).any(|point| gone.contains(&point)) {
			return Err((-25, "bad-txns-inputs-missingorspent".into()));
		}
		let own: BTreeSet<OutPoint> = spends([&transaction]).collect();
		let conflicts = |waiting: &Transaction| spends([waiting]).any(|point| own.contains(&point));
		let replaced: u64 =
			self.mempool.iter().filter(|waiting| conflicts(waiting)).map(|one| self.fee(one)).sum();
		let size = u64::try_from(transaction.vsize()).unwrap();
		if self.fee(&transaction) < replaced + size {
			return Err((-26, "insufficient fee, rejecting replacement".into()));
		}
		self.mempool.retain(|waiting| !conflicts(waiting));
		self.sent.push(transaction.clone());
		let txid = transaction.compute_txid().to_string();
		self.mempool.push(transaction);
		Ok(json!(txid))
	}

	fn unspent(&self) -> Value {
		let mut gone = self.spent_in_chain();
		gone.extend(spends(&self.mempool));
		let coins = self.coins.iter().filter(|(point, _)| !gone.contains(point));
		coins
			.filter(|(point, _)| !self.locked.contains(point))
			.map(|(point, output)| {
				json!({ "txid": point.txid.to_string(), "vout": point.vout, "spendable": true,
					"sats": output.value.to_sat(), "safe": true, "confirmations": 1,
					"scriptPubKey": output.script_pubkey.to_hex_string() })
			})
			.collect()
	}

	fn lock(&mut self, params: &Value) -> Result<Value, (i64, String)> {
		let points = params[1].as_array().unwrap().iter().map(|coin| {
			let vout = u32::try_from(coin["vout"].as_u64().unwrap()).unwrap();
			OutPoint::new(coin["txid"].as_str().unwrap().parse().unwrap(), vout)
		});
		let points: Vec<OutPoint> = points.collect();
		self.locked.extend(self.snatched.take());
		for point in points {
			let is_free = params[0] == json!(true);
			let done = if is_free { self.locked.remove(&point) } else { self.locked.insert(point) };
			if !done {
				return Err((-8, "Invalid parameter, output already locked".into()));
			}
		}
		Ok(json!(true))
	}

	fn answer(&mut self, method: &str, params: &Value) -> Result<Value, (i64, String)> {
		if let Some(code) = self.refuse.get(method) {
			return Err((*code, format!("{method} fails")));
		}
		let missing = || (-5, "not found".to_string());
		let text = |place: usize| params[place].as_str().unwrap_or_default().to_string();
		let block = |text: &str| {
			let is = |block: &&Block| block.block_hash().to_string() == text;
			self.blocks.iter().enumerate().find(|(_, block)| is(block))
		};
		match method {
			"getblockcount" => Ok(json!(self.height())),
			"getblockhash" => {
				let height = usize::try_from(params[0].as_u64().unwrap()).unwrap();
				self.hash(height).map(|hash| json!(hash.to_string())).ok_or_else(missing)
			},
			"getblockheader" => {
				let (place, block) = block(&text(0)).ok_or_else(missing)?;
				let confirmations = self.blocks.len() - place;
				Ok(if params[1] == json!(true) {
					json!({ "height": place + 1, "confirmations": confirmations })
				} else {
					json!(serialize_hex(&block.header))
				})
			},
			"getblock" => {
				let (_, block) = block(&text(0)).ok_or_else(missing)?;
				Ok(json!(serialize_hex(block)))
			},
			"getrawtransaction" => {
				let (transaction, block) = self.known(&text(0)).ok_or_else(missing)?;
				let hex = serialize_hex(transaction);
				Ok(if params[1] == json!(true) {
					json!({ "hex": hex, "blockhash": block.map(|hash| hash.to_string()) })
				} else {
					json!(hex)
				})
			},
			"estimatesmartfee" => Ok(match self.estimate {
				Some(rate) => json!({ "feerate": rate, "blocks": 2 }),
				None => json!({ "errors": ["Insufficient data or no feerate found"], "blocks": 2 }),
			}),
			"getrawchangeaddress" => {
				let address = Address::from_script(&script(0xcc), Network::REGTEST.0).unwrap();
				Ok(json!(address.to_string()))
			},
			"listunspent" => Ok(self.unspent()),
			"lockunspent" => self.lock(params),
			"signrawtransactionwithwallet" => {
				let mut transaction: Transaction = deserialize_hex(&text(0)).unwrap();
				for input in &mut transaction.input {
					input.witness = Witness::from_slice(&[vec![1u8; 72], vec![2u8; 33]]);
				}
				Ok(json!({ "hex": serialize_hex(&transaction), "complete": true }))
			},
			"sendrawtransaction" => self.accept(deserialize_hex(&text(0)).unwrap()),
			_ => Err((-32_601, "Method not found".into())),
		}
	}
}

fn spends<'a>(
	transactions: impl IntoIterator<Item = &'a Transaction>,
) -> impl Iterator<Item = OutPoint> {
	let inputs = transactions.into_iter().flat_map(|transaction| &transaction.input);
	inputs.map(|input| input.previous_output)
}

/// A gateway of settled batches.
#[derive(Default)]
pub struct Gateway {
	/// All batches, the oldest first.
	pub batches: Vec<BatchView>,
	/// What was reported of each, in order; only what it has kept.
	pub reported: BTreeMap<String, Vec<AnchorUpdate>>,
	/// The status of every change, if it refuses them.
	pub refuse: Option<u16>,
}

impl Gateway {
	/// Another batch of this root, settled.
	pub fn settle(&mut self, root: u8) -> String {
		let number = u64::try_from(self.batches.len()).unwrap();
		let id = format!("batch_{number:012x}");
		self.batches.push(BatchView {
			id: id.clone(),
			created_at: String::new(),
			log_ids: Vec::new(),
			merkle_root: hex::encode([root; 32]),
			log_count: 1,
			anchor_status: AnchorStatus::Pending,
			anchor_txid: None,
			anchor_block_hash: None,
			anchor_block_height: None,
			anchor_block_time: None,
			scheme: "rfc6962".into(),
			cid: String::new(),
			ts_start: String::new(),
			ts_end: String::new(),
			on_chain: BatchState::Accepted,
			reason: None,
			chain: Some(BatchOnChain {
				meter: 7,
				name: String::new(),
				trust: None,
				sequence: number,
				header_hash: String::new(),
				header_hex: String::new(),
				imported_wh: 0,
				exported_wh: 0,
				signature: None,
				block: None,
			}),
			pin: None,
			also: Vec::new(),
		});
		id
	}
}

type Shared<T> = Arc<Mutex<T>>;

async fn rpc(State(bitcoin): State<Shared<Bitcoin>>, Json(request): Json<Value>) -> Json<Value> {
	let method = request["method"].as_str().unwrap().to_string();
	let answer = bitcoin.lock().unwrap().answer(&method, &request["params"]);
	Json(match answer {
		Ok(result) => json!({ "result": result, "error": null }),
		Err((code, message)) => {
			json!({ "result": null, "error": { "code": code, "message": message } })
		},
	})
}

async fn list(
	State(gateway): State<Shared<Gateway>>,
	Query(asked): Query<HashMap<String, String>>,
) -> Json<Vec<BatchView>> {
	assert_eq!(asked["status"], "accepted");
	let offset: usize = asked["offset"].parse().unwrap();
	let gateway = gateway.lock().unwrap();
	let is = |batch: &&BatchView| batch.anchor_status.as_str() == asked["anchor"];
	Json(gateway.batches.iter().filter(is).skip(offset).cloned().collect())
}

async fn anchor(
	State(gateway): State<Shared<Gateway>>,
	Path(id): Path<String>,
	Json(update): Json<AnchorUpdate>,
) -> Response {
	let mut gateway = gateway.lock().unwrap();
	if let Some(status) = gateway.refuse {
		let body = json!({ "error": "refused", "detail": "as the test wants it" });
		return (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
	}
	let batch = gateway.batches.iter_mut().find(|batch| batch.id == id).unwrap();
	let mut root = [0; 32];
	hex::decode_to_slice(&batch.merkle_root, &mut root).unwrap();
	update.path.as_ref().unwrap().path().unwrap().verify(&H256(root)).unwrap();
	batch.anchor_status = AnchorStatus::parse(&update.status).unwrap();
	batch.anchor_txid = update.txid.clone();
	let view = batch.clone();
	gateway.reported.entry(id).or_default().push(update);
	Json(view).into_response()
}

async fn serve(router: Router) -> String {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let url = format!("http://{}", listener.local_addr().unwrap());
	tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
	url
}

/// Everything that an anchor meets.
pub struct World {
	bitcoin: Shared<Bitcoin>,
	gateway: Shared<Gateway>,
	rpc: String,
	api: String,
	clock: Clock,
	stopper: Stopper,
	/// Moves the time.
	pub hands: Hands,
	/// Where sets and records are.
	pub folder: TempDir,
	/// The settings of the next [`World::daily`].
	pub settings: DailySettings,
}

impl World {
	/// A node whose wallet has a coin of 100,000 sats, and a gateway without batches.
	pub async fn new() -> Self {
		let (bitcoin, gateway) = (Arc::new(Mutex::new(Bitcoin::new())), Shared::default());
		bitcoin.lock().unwrap().fund(1, 100_000);
		let rpc = serve(Router::new().route("/", post(rpc)).with_state(bitcoin.clone())).await;
		let routes = Router::new()
			.route("/api/v1/batches", get(list))
			.route("/api/v1/batches/{id}/anchor", put(anchor))
			.with_state(gateway.clone());
		let (clock, hands) = Clock::manual(NOW_MS);
		let folder = tempfile::tempdir().unwrap();
		let settings = DailySettings {
			folder: folder.path().to_owned(),
			network: Network::REGTEST,
			fees: FeePolicy { target: 6, fallback: Rate(3_000), limit: Rate(10_000) },
			max_fee: 50_000,
			change: None,
			raise_after: 2,
		};
		let (api, stopper) = (serve(routes).await, Stopper::new());
		Self { bitcoin, gateway, rpc, api, clock, stopper, hands, folder, settings }
	}

	/// What the node has, to look at and to change.
	pub fn bitcoin(&self) -> MutexGuard<'_, Bitcoin> {
		self.bitcoin.lock().unwrap()
	}

	/// What the gateway has, to look at and to change.
	pub fn gateway(&self) -> MutexGuard<'_, Gateway> {
		self.gateway.lock().unwrap()
	}

	/// The node's RPC, and the wallet's.
	pub fn rpc(&self) -> Rpc {
		Rpc::new(&self.rpc, None).unwrap()
	}

	/// A program that anchors, as after a start.
	pub fn daily(&self) -> Daily {
		let payer = Payer { node: self.rpc(), wallet: self.rpc() };
		self.open(Some(payer))
	}

	/// A program that rehearses.
	pub fn rehearsal(&self) -> Daily {
		self.open(None)
	}

	fn open(&self, payer: Option<Payer>) -> Daily {
		let client = Client::new(&self.api, None).unwrap();
		Daily::open(self.settings.clone(), payer, client, self.clock.clone()).unwrap()
	}

	/// Ends what listens.
	pub fn stop(&self) {
		self.stopper.stop();
	}

	/// The signal of [`World::stop`].
	pub fn signal(&self) -> Stop {
		self.stopper.signal()
	}
}
