//! A front between OpenAI's clients and a coordinator that is honest, lies, fails or is killed.

use axum::{
	Json, Router,
	body::Bytes,
	extract::{Path, State},
	http::{HeaderMap, StatusCode},
	response::{IntoResponse, Response},
	routing::{get, post},
};
use codec::{DecodeAll, Encode};
use futures::{FutureExt, future::BoxFuture};
use gridproof_chain::{ChainError, pallets::compute_receipts::Refusal};
use gridproof_compute_api::{
	ApiKeys, Customer,
	protocol::{
		ChannelInfo, ClosedVouchers, CoordinatorInfo, IssuedReceipt, ModelStanding, NextStanding,
		OfferedModel, OpenVouchers, Plan, PlanInfo, PlanState, RECEIPT_HEADER, RegistryEntry,
		SECRET_HEADER, VOUCHER_HEADER,
	},
};
use gridproof_front::{FrontError, Payer, Settings, TopUp, chain::ClientChain, limits, serve};
use gridproof_keys::SealedKey;
use gridproof_primitives::{
	H256,
	compute::{
		PriceAsset, Signer, Telemetry,
		channels::{
			BatchKind, ChainFacts, Channel, ChannelEvidence, ChannelId, ChannelReceipt,
			ChannelSums, ChannelTerms, DemandView, Demanded, MinerSums, Mode, ReceiptV2,
			RunningSums, Sampler, SignedVoucher, spec_hash,
		},
		compute_units,
	},
	crypto::ed25519::{PublicKey, Signature},
};
use gridproof_support::{
	Clock, Stopper,
	clock::now_ms,
	http_client,
	text::{Amount, Hex32, HexBytes},
};
use serde_json::{Value, json};
use std::{
	collections::BTreeMap,
	sync::{
		Arc, Mutex,
		atomic::{AtomicBool, AtomicU64, Ordering},
	},
	time::Duration,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use zeroize::Zeroizing;

const GENESIS: H256 = H256([7; 32]);
const CHANNEL: ChannelId = 3;
const KIND: BatchKind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary };
const MODEL: &str = "m";
const UNIT_PRICE: u128 = 1_000;
/// What every answer of the coordinator costs: eight tokens of a model of factor 1.
const PRICE: u128 = 8 * UNIT_PRICE;

fn key(byte: u8) -> SealedKey {
	SealedKey::from_seed(Zeroizing::new([byte; 32]), None, None)
}

/// What the coordinator does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Lie {
	#[default]
	None,
	Price,
	Weight,
	Signature,
	MinerSignature,
	SkippedCount,
	LowerSum,
	OtherVoucher,
	OtherKind,
	/// It fails instead.
	Failure,
}

/// A coordinator in memory.
struct Fake {
	key: SealedKey,
	miner: SealedKey,
	channel: Mutex<Channel>,
	sums: Mutex<(ChannelSums, MinerSums)>,
	receipts: Mutex<BTreeMap<u64, IssuedReceipt>>,
	newest: Mutex<u64>,
	lie: Mutex<Lie>,
	/// Time until which receipts are settled, UTC milliseconds.
	settle_by: AtomicU64,
	/// Time until which a token counts for twice as much, UTC milliseconds.
	change: AtomicU64,
	court: Mutex<Court>,
	/// `true` if the channel has a plan.
	has_plan: AtomicBool,
}

impl Fake {
	fn issue(&self, signed: &SignedVoucher, has_answer: bool) -> IssuedReceipt {
		let lie = if has_answer { *self.lie.lock().unwrap() } else { Lie::None };
		let voucher = signed.voucher;
		let mut receipt =
			ReceiptV2::without_answer(&voucher, self.settle_by.load(Ordering::SeqCst));
		if has_answer {
			receipt = ReceiptV2 {
				miner: Some(*self.miner.public()),
				weight: compute_units(8, 1_000) + u64::from(lie == Lie::Weight),
				price: PRICE + u128::from(lie == Lie::Price),
				sampler: Sampler::Greedy,
				telemetry: Telemetry {
					input_tokens: 5,
					output_tokens: 3,
					duration_ms: 1,
					memory_mb: 1,
				},
				..receipt
			};
		}
		if lie == Lie::OtherVoucher {
			receipt.spec_hash = H256([1; 32]);
		}
		let mut sums = self.sums.lock().unwrap();
		if lie == Lie::SkippedCount {
			sums.0.count += 1;
			sums.0.price = 0;
		}
		let channel = sums.0.after(receipt.price).unwrap();
		let miner = sums.1.after(receipt.price, receipt.weight).unwrap();
		*sums = (channel, miner);
		let mut stated = RunningSums { kind: KIND, channel, miner };
		if lie == Lie::OtherKind {
			stated.kind.mode = Mode::Private;
		}
		if lie == Lie::LowerSum {
			stated.channel.price = receipt.price;
		}
		let receipt = ChannelReceipt { receipt, sums: stated };
		let signer = if lie == Lie::Signature { &self.miner } else { &self.key };
		let by_miner = if lie == Lie::MinerSignature { &self.key } else { &self.miner };
		let payload = receipt.receipt.signing_payload(&GENESIS, Signer::Miner);
		let issued = IssuedReceipt {
			receipt,
			coordinator_signature: signer.sign(&receipt.coordinator_payload(&GENESIS)),
			miner_signature: has_answer.then(|| by_miner.sign(&payload)),
		};
		self.receipts.lock().unwrap().insert(voucher.number, issued);
		let mut newest = self.newest.lock().unwrap();
		*newest = (*newest).max(voucher.number);
		issued
	}
}

async fn plan(State(fake): State<Arc<Fake>>, Path(channel): Path<u64>) -> Json<PlanState> {
	let plan = Plan {
		name: "small".to_string(),
		asset: PriceAsset::Ait,
		price: Amount(UNIT_PRICE * 10),
		tokens_per_day: 10,
		days: 1,
	};
	let has_plan = fake.has_plan.load(Ordering::SeqCst);
	Json(PlanState {
		channel,
		plan: has_plan.then(|| PlanInfo::from(&plan)),
		kept: false,
		key_made_ms: None,
		asset: PriceAsset::Ait,
		unit_price: Amount(UNIT_PRICE),
		left: Amount(0),
		left_today: Amount(0),
		tokens_left: 0,
		tokens_left_today: 0,
		day_ends_ms: 0,
		plan_ends_ms: None,
		ends_ms: None,
		warning: None,
	})
}

async fn info(State(fake): State<Arc<Fake>>) -> Json<CoordinatorInfo> {
	let change = fake.change.load(Ordering::SeqCst);
	let (model_factor, registry) = if now_ms() < change {
		let standing = ModelStanding::Counted;
		let next = NextStanding { standing, since_ms: change, model_factor: Some(1_000) };
		let entry = RegistryEntry {
			hash: Hex32([5; 32]),
			standing,
			since_ms: 0,
			next: Some(next),
			retired_ms: None,
			context: 512,
			default: true,
		};
		(2_000, Some(entry))
	} else {
		(1_000, None)
	};
	// Who has a plan would pay too much by the price on offer.
	let dearer = u128::from(fake.has_plan.load(Ordering::SeqCst));
	Json(CoordinatorInfo {
		coordinator: Hex32(*fake.key.public()),
		genesis: GENESIS.into(),
		models: vec![OfferedModel {
			name: MODEL.to_string(),
			model_factor,
			max_tokens: 100,
			registry,
		}],
		unit_price: [("ait".to_string(), Amount(UNIT_PRICE + dearer))].into_iter().collect(),
		miners: Vec::new(),
		jobs: BTreeMap::default(),
		receipts: BTreeMap::default(),
		front: false,
		refused_batch: None,
	})
}

async fn held(State(fake): State<Arc<Fake>>, Path(channel): Path<u64>) -> Json<ChannelInfo> {
	let sums = fake.sums.lock().unwrap().0;
	Json(ChannelInfo {
		channel,
		coordinator: Hex32(*fake.key.public()),
		genesis: GENESIS.into(),
		kind: KIND,
		deposited: Amount(fake.channel.lock().unwrap().deposited),
		settled: Amount(0),
		daily_limit: Amount(u128::MAX),
		ends_ms: None,
		plan_ends_ms: None,
		newest: *fake.newest.lock().unwrap(),
		receipts: sums.count,
		spent: Amount(sums.price),
		open: Amount(0),
	})
}

async fn close(
	State(fake): State<Arc<Fake>>,
	Json(open): Json<OpenVouchers>,
) -> Json<ClosedVouchers> {
	let receipts = open.vouchers.iter().map(|bytes| {
		let signed = SignedVoucher::decode_all(&mut &bytes.0[..]).unwrap();
		let known = fake.receipts.lock().unwrap().get(&signed.voucher.number).copied();
		let issued = known.unwrap_or_else(|| fake.issue(&signed, false));
		Some(HexBytes(issued.encode()))
	});
	Json(ClosedVouchers { receipts: receipts.collect() })
}

/// What the coordinator gives as the receipt's id.
const ID: &str = "0x0101010101010101010101010101010101010101010101010101010101010101";

async fn chat(State(fake): State<Arc<Fake>>, headers: HeaderMap, body: Bytes) -> Response {
	let header = |name: &str| headers[name].to_str().unwrap().to_string();
	let voucher: HexBytes = header(VOUCHER_HEADER).parse().unwrap();
	let signed = SignedVoucher::decode_all(&mut &voucher.0[..]).unwrap();
	let secret: Hex32 = header(SECRET_HEADER).parse().unwrap();
	assert_eq!(spec_hash(&secret.0, &body), signed.voucher.spec_hash);
	let signer = fake.channel.lock().unwrap().signer.unwrap();
	signed.voucher.verify(&GENESIS, &signer, &signed.signature).unwrap();
	if *fake.lie.lock().unwrap() == Lie::Failure {
		let said = json!({ "error": { "message": "no", "type": "server_error" } });
		return (StatusCode::BAD_GATEWAY, [("retry-after", "7")], Json(said)).into_response();
	}
	let issued = HexBytes(fake.issue(&signed, true).encode()).to_string();
	let asked: Value = serde_json::from_slice(&body).unwrap();
	if asked["stream"] == json!(true) {
		let bill = json!({ "choices": [], "gridproof": { "issued": issued } });
		// A comment keeps the connection alive, and the receipt comes again with the token counts.
		let text = format!(
			":\n\ndata: {{\"choices\":[]}}\n\ndata: {bill}\n\ndata: {bill}\n\ndata: [DONE]\n\n"
		);
		return ([("content-type", "text/event-stream")], text).into_response();
	}
	let headers = [
		(RECEIPT_HEADER, issued),
		("x-gridproof-receipt", ID.to_string()),
		("x-internal", "no".to_string()),
	];
	(headers, Json(json!({ "choices": [{ "text": "there was" }] }))).into_response()
}

/// What happened on the chain in memory.
#[derive(Default)]
struct Court {
	has_account: bool,
	open: Vec<DemandView>,
	demanded: Vec<(ChannelReceipt, Signature)>,
	lapsed: Vec<H256>,
	reported: Vec<ChannelEvidence>,
	/// What the next demand or report is refused with.
	refusal: Option<ChainError>,
}

struct FakeChain(Arc<Fake>);

impl ClientChain for FakeChain {
	fn genesis(&self) -> BoxFuture<'_, Result<H256, ChainError>> {
		async { Ok(GENESIS) }.boxed()
	}

	fn channel(&self, channel: ChannelId) -> BoxFuture<'_, Result<Option<Channel>, ChainError>> {
		async move { Ok((channel == CHANNEL).then(|| *self.0.channel.lock().unwrap())) }.boxed()
	}

	fn top_up(&self, _: ChannelId, amount: u128) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			let mut channel = self.0.channel.lock().unwrap();
			*channel = channel.top_up(amount).unwrap();
			Ok(())
		}
		.boxed()
	}

	fn has_account(&self) -> bool {
		self.0.court.lock().unwrap().has_account
	}

	fn demands(&self, _: PublicKey) -> BoxFuture<'_, Result<Vec<DemandView>, ChainError>> {
		async { Ok(self.0.court.lock().unwrap().open.clone()) }.boxed()
	}

	fn demand_deposit(&self) -> BoxFuture<'_, Result<u128, ChainError>> {
		async { Ok(5) }.boxed()
	}

	fn demand(
		&self,
		receipt: ChannelReceipt,
		signature: Signature,
	) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			let mut court = self.0.court.lock().unwrap();
			if let Some(error) = court.refusal.take() {
				return Err(error);
			}
			court.demanded.push((receipt, signature));
			let id = H256([u8::try_from(court.demanded.len()).unwrap(); 32]);
			let (demanded, due_ms) = (Demanded::Unsettled, u64::MAX);
			let view = DemandView { id, receipt, who: [1; 32], demanded, deposit: 5, due_ms };
			court.open.push(view);
			Ok(())
		}
		.boxed()
	}

	fn lapse(&self, _: PublicKey, id: H256) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			let mut court = self.0.court.lock().unwrap();
			court.open.retain(|demand| demand.id != id);
			court.lapsed.push(id);
			Ok(())
		}
		.boxed()
	}

	fn report(
		&self,
		coordinator: PublicKey,
		evidence: ChannelEvidence,
	) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			let mut court = self.0.court.lock().unwrap();
			if let Some(error) = court.refusal.take() {
				return Err(error);
			}
			let facts = ChainFacts { channel_kind: Some(KIND), model_factor: None };
			evidence.check(&GENESIS, &coordinator, &facts).unwrap();
			court.reported.push(evidence);
			Ok(())
		}
		.boxed()
	}
}

/// A coordinator on a port of its own, and the front before it.
struct World {
	fake: Arc<Fake>,
	coordinator: String,
	folder: TempDir,
	http: reqwest::Client,
	front: Option<(String, Stopper, JoinHandle<()>)>,
	settings: Settings,
	customers: Vec<Customer>,
	serving: Stopper,
}

impl World {
	async fn new() -> Self {
		let (coordinator, signer) = (key(1), key(3));
		let terms = ChannelTerms {
			coordinator: *coordinator.public(),
			kind: KIND,
			signer: Some(*signer.public()),
			deposit: 1_000_000_000,
			daily_limit: u128::MAX,
			plan_ends_ms: None,
		};
		let fake = Arc::new(Fake {
			key: coordinator,
			miner: key(2),
			channel: Mutex::new(Channel::open(&terms).unwrap()),
			sums: Mutex::default(),
			receipts: Mutex::default(),
			newest: Mutex::default(),
			lie: Mutex::default(),
			settle_by: AtomicU64::new(u64::MAX),
			change: AtomicU64::default(),
			court: Mutex::default(),
			has_plan: AtomicBool::new(false),
		});
		let routes = Router::new()
			.route("/api/v1/info", get(info))
			.route("/v1/channels/{channel}", get(held))
			.route("/v1/channels/{channel}/plan", get(plan))
			.route("/v1/channels/{channel}/vouchers", post(close))
			.route("/v1/chat/completions", post(chat))
			.with_state(fake.clone());
		let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
		let stopper = Stopper::new();
		let serving = gridproof_http::serve_on(routes, listener, stopper.signal()).unwrap();
		let coordinator = format!("http://{}", serving.address());
		let folder = tempfile::tempdir().unwrap();
		let settings = Settings {
			folder: folder.path().to_path_buf(),
			coordinator: coordinator.clone(),
			channel: CHANNEL,
			warn_below: 0,
			top_up: None,
			max_spend: None,
		};
		let http = http_client::builder().build().unwrap();
		let customers = Vec::new();
		Self { fake, coordinator, folder, http, front: None, settings, customers, serving: stopper }
	}

	async fn open(&self) -> Result<Arc<Payer>, FrontError> {
		let chain = Arc::new(FakeChain(self.fake.clone()));
		Payer::open(self.settings.clone(), key(3), chain, Clock::system()).await
	}

	/// Starts the front.
	async fn start(&mut self) {
		let payer = self.open().await.unwrap();
		let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
		let url = format!("http://{}", listener.local_addr().unwrap());
		let stopper = Stopper::new();
		let keys = (!self.customers.is_empty()).then(|| ApiKeys::of(self.customers.clone()));
		let stop = stopper.signal();
		let task = tokio::spawn(async move {
			serve(payer, keys, listener, &limits(Vec::new()), stop).await.unwrap()
		});
		self.front = Some((url, stopper, task));
	}

	/// Ends the front: what is not on disk is gone.
	async fn crash(&mut self) {
		let (_, stopper, task) = self.front.take().unwrap();
		stopper.stop();
		task.await.unwrap();
	}

	fn url(&self) -> &str {
		&self.front.as_ref().unwrap().0
	}

	async fn ask(&self, key: &str, stream: bool) -> (u16, String) {
		let body = json!({ "model": MODEL, "max_tokens": 3, "stream": stream,
			"messages": [{ "role": "user", "content": "Once" }] });
		let request = self.http.post(format!("{}/v1/chat/completions", self.url()));
		let answer = request.bearer_auth(key).json(&body).send().await.unwrap();
		(answer.status().as_u16(), answer.text().await.unwrap())
	}

	async fn status(&self, key: &str) -> Value {
		let request = self.http.get(format!("{}/api/v1/front", self.url())).bearer_auth(key);
		request.send().await.unwrap().json().await.unwrap()
	}
}

fn customer(name: &str, limit: Option<u128>) -> Customer {
	Customer {
		name: name.to_string(),
		sha256: Hex32(sha256(name)),
		requests_per_minute: None,
		limit: limit.map(Amount),
	}
}

fn sha256(text: &str) -> [u8; 32] {
	gridproof_primitives::codec::cid::Cid::of(text.as_bytes()).digest().0
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
	let waiting = async {
		while !is_so().await {
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
	};
	tokio::time::timeout(Duration::from_secs(30), waiting).await.expect(what);
}

#[tokio::test]
async fn an_answer_keeps_the_receipt_and_its_id() {
	let mut world = World::new().await;
	world.start().await;
	let body = json!({ "model": MODEL, "max_tokens": 3,
		"messages": [{ "role": "user", "content": "Once" }] });
	let request = world.http.post(format!("{}/v1/chat/completions", world.url())).json(&body);
	let answer = request.send().await.unwrap();
	assert_eq!(answer.status(), 200);
	assert_eq!(answer.headers()["x-gridproof-receipt"], ID);
	assert!(answer.headers()[RECEIPT_HEADER].to_str().unwrap().starts_with("0x"));
	assert!(!answer.headers().contains_key("x-internal"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_at_the_change_of_a_factor_waits_and_its_receipt_is_not_distrusted() {
	let mut world = World::new().await;
	world.start().await;
	world.fake.change.store(now_ms() + 1_000, Ordering::SeqCst);
	// The coordinator counts by the factor of after the change.
	let (status, text) = world.ask("", false).await;
	assert_eq!(status, 200, "{text}");
	assert!(now_ms() > world.fake.change.load(Ordering::SeqCst));
	assert_eq!(world.ask("", false).await.0, 200, "no receipt was taken for a lie");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_paid_and_each_key_sees_what_it_spent() {
	let mut world = World::new().await;
	world.customers = vec![customer("one", None), customer("two", None)];
	world.start().await;
	assert_eq!(world.ask("stranger", false).await.0, 401);
	for (key, stream) in [("one", false), ("one", true), ("two", false)] {
		let (status, text) = world.ask(key, stream).await;
		assert_eq!(status, 200, "{text}");
		assert!(text.contains(if stream { "[DONE]" } else { "there was" }), "{text}");
	}
	let shown = world.status("one").await;
	assert_eq!(shown["spent"], json!((3 * PRICE).to_string()));
	assert_eq!(shown["open"], json!("0"));
	let keys = &shown["keys"];
	assert_eq!((&keys[0]["customer"], &keys[0]["requests"]), (&json!("one"), &json!(2)));
	assert_eq!(keys[1]["spent"], json!(PRICE.to_string()));
	let usage = world.http.get(format!("{}/v1/billing/usage", world.url())).bearer_auth("two");
	let usage: Value = usage.send().await.unwrap().json().await.unwrap();
	assert_eq!(usage["spent"], json!(PRICE.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_its_requests_a_minute_also_when_they_come_at_once() {
	let mut world = World::new().await;
	let limited = Customer { requests_per_minute: Some(3), ..customer("one", None) };
	world.customers = vec![limited, customer("two", None)];
	world.start().await;
	let asked = (0..12).map(|_| world.ask("one", false));
	let answers = futures::future::join_all(asked).await;
	let with = |status: u16| answers.iter().filter(|(got, _)| *got == status).count();
	assert_eq!((with(200), with(429)), (3, 9), "{answers:?}");
	let (_, text) = answers.iter().find(|(status, _)| *status == 429).unwrap();
	assert!(text.contains("rate_limit_exceeded"), "{text}");
	let url = format!("{}/v1/completions", world.url());
	let answer = world.http.post(url).bearer_auth("one").body("{}").send().await.unwrap();
	assert_eq!(answer.status(), 429);
	let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
	assert!((1..=21).contains(&wait), "{wait}");
	assert!(!answer.headers().contains_key("x-should-retry"), "waiting helps");
	// Another key has requests of its own, and what costs nothing is not counted.
	assert_eq!(world.ask("two", false).await.0, 200);
	assert_eq!(world.status("one").await["keys"][0]["requests"], json!(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_keeps_its_comments_and_its_receipt_counts_once() {
	let mut world = World::new().await;
	world.start().await;
	let (status, text) = world.ask("", true).await;
	assert_eq!(status, 200, "{text}");
	assert!(text.starts_with(":\n\n"), "{text}");
	assert_eq!(text.matches("\"issued\"").count(), 2, "{text}");
	assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
	assert_eq!(world.status("").await["spent"], json!(PRICE.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_to_try_again_learns_when_and_who_is_not_learns_that() {
	let mut world = World::new().await;
	world.customers = vec![customer("rich", None), customer("poor", Some(1))];
	world.start().await;
	let ask = async |key: &str| {
		let body = json!({ "model": MODEL, "max_tokens": 3, "messages": [] });
		let request = world.http.post(format!("{}/v1/chat/completions", world.url()));
		let answer = request.bearer_auth(key).json(&body).send().await.unwrap();
		let header = |name: &str| {
			answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_string()
		};
		(answer.status().as_u16(), header("retry-after"), header("x-should-retry"))
	};
	assert_eq!(ask("poor").await, (429, String::new(), "false".to_string()));
	*world.fake.lie.lock().unwrap() = Lie::Failure;
	assert_eq!(ask("rich").await, (502, "7".to_string(), String::new()));
	world.serving.stop();
	until("the coordinator is away", async || {
		ask("rich").await == (503, "2".to_string(), String::new())
	})
	.await;
}

#[tokio::test]
async fn one_model_is_shown_and_one_that_is_not_there_is_refused() {
	let mut world = World::new().await;
	world.start().await;
	let show = async |name: &str| {
		let answer = world.http.get(format!("{}/v1/models/{name}", world.url())).send().await;
		let answer = answer.unwrap();
		(answer.status().as_u16(), answer.json::<Value>().await.unwrap())
	};
	assert_eq!(show(MODEL).await.1["id"], MODEL);
	let (status, said) = show("some/other").await;
	assert_eq!((status, &said["error"]["code"]), (404, &json!("model_not_found")));
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_requests_at_once_have_fifty_numbers_and_sums_that_join() {
	let mut world = World::new().await;
	world.start().await;
	let asking = (0..50).map(|_| world.ask("", false));
	let answers = futures::future::join_all(asking).await;
	assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
	let shown = world.status("").await;
	assert_eq!(shown["spent"], json!((50 * PRICE).to_string()));
	assert_eq!((&shown["open"], &shown["distrust"]), (&json!("0"), &Value::Null));
	let numbers: Vec<u64> = world.fake.receipts.lock().unwrap().keys().copied().collect();
	assert_eq!(numbers, (1..=50).collect::<Vec<u64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_of_a_coordinator_is_found_out_and_ends_its_trust() {
	for lie in [
		Lie::Price,
		Lie::Weight,
		Lie::Signature,
		Lie::MinerSignature,
		Lie::SkippedCount,
		Lie::LowerSum,
		Lie::OtherVoucher,
		Lie::OtherKind,
	] {
		for stream in [false, true] {
			let mut world = World::new().await;
			world.start().await;
			assert_eq!(world.ask("", false).await.0, 200);
			*world.fake.lie.lock().unwrap() = lie;
			let (status, text) = world.ask("", stream).await;
			assert!(status == 502 || stream, "{lie:?} {status}");
			assert!(text.contains("dishonest_coordinator"), "{lie:?} {text}");
			assert!(!text.contains("[DONE]"), "{lie:?} {text}");
			*world.fake.lie.lock().unwrap() = Lie::None;
			assert_eq!(world.ask("", false).await.0, 502, "{lie:?}: no further request");
			world.crash().await;
			world.start().await;
			assert_eq!(world.ask("", false).await.0, 502, "{lie:?}: also after a restart");
		}
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_an_answer_is_closed_and_costs_nothing() {
	let mut world = World::new().await;
	world.start().await;
	*world.fake.lie.lock().unwrap() = Lie::Failure;
	let (status, text) = world.ask("", false).await;
	assert_eq!(status, 502, "the coordinator's error is passed on");
	assert!(text.contains("\"no\""), "{text}");
	*world.fake.lie.lock().unwrap() = Lie::None;
	until("it is closed", async || world.status("").await["open"] == json!("0")).await;
	assert_eq!(world.status("").await["spent"], json!("0"));
	assert_eq!(world.ask("", false).await.0, 200);
	assert_eq!(world.status("").await["spent"], json!(PRICE.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_is_used_again_after_a_crash_and_an_older_folder_is_refused() {
	let mut world = World::new().await;
	world.start().await;
	assert_eq!(world.ask("", false).await.0, 200);
	world.crash().await;
	world.start().await;
	assert_eq!(world.ask("", false).await.0, 200);
	let numbers: Vec<u64> = world.fake.receipts.lock().unwrap().keys().copied().collect();
	assert_eq!(numbers, [1, 2]);
	assert_eq!(world.status("").await["spent"], json!((2 * PRICE).to_string()));
	world.crash().await;
	let elsewhere = tempfile::tempdir().unwrap();
	world.settings.folder = elsewhere.path().to_path_buf();
	let refused = world.open().await.err().unwrap();
	assert!(matches!(refused, FrontError::OlderFolder { ours: 0, theirs: 2, .. }), "{refused}");
	assert!(world.folder.path().exists() && !world.coordinator.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_of_keys_and_of_all_hold_for_requests_at_once() {
	let mut world = World::new().await;
	// A request of this body may cost at most 64 + its bytes + 3 tokens: below 300.
	let highest = 300 * UNIT_PRICE;
	world.customers = vec![customer("small", Some(highest)), customer("large", None)];
	world.settings.max_spend = Some(4 * highest);
	world.start().await;
	*world.fake.lie.lock().unwrap() = Lie::Failure;
	let small = (0..10).map(|_| world.ask("small", false));
	let refused = futures::future::join_all(small).await;
	let quota = refused.iter().filter(|(status, _)| *status == 429).count();
	assert!(quota >= 1 && refused.iter().any(|(status, _)| *status == 502), "{refused:?}");
	*world.fake.lie.lock().unwrap() = Lie::None;
	until("all are closed", async || world.status("small").await["open"] == json!("0")).await;
	let mut answered = 0u128;
	loop {
		match world.ask("large", false).await {
			(200, _) => answered += 1,
			(status, text) => {
				assert_eq!(status, 429, "{text}");
				assert!(text.contains("--max-spend"), "{text}");
				break;
			},
		}
	}
	assert!(answered * PRICE <= 4 * highest && (answered + 40) * PRICE > 4 * highest, "{answered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_runs_dry_is_topped_up_by_rule_and_never_beyond_the_most_to_spend() {
	let mut world = World::new().await;
	let deposit = world.fake.channel.lock().unwrap().deposited;
	world.settings.top_up = Some(TopUp { below: deposit + 1, by: 500, per_day: u128::MAX });
	assert!(matches!(world.open().await, Err(FrontError::Uncapped)), "without a cap");
	world.settings.max_spend = Some(deposit + 300);
	world.start().await;
	let deposited = async || world.fake.channel.lock().unwrap().deposited;
	until("it is topped up", async || deposited().await == deposit + 300).await;
	until("it is seen", async || {
		world.status("").await["deposited"] == json!((deposit + 300).to_string())
	})
	.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_is_topped_up_by_so_much_a_day_at_most_also_after_a_crash() {
	let mut world = World::new().await;
	let deposit = world.fake.channel.lock().unwrap().deposited;
	world.settings.top_up = Some(TopUp { below: 2 * deposit, by: 500, per_day: 700 });
	world.settings.max_spend = Some(2 * deposit);
	for _ in 0..4 {
		world.start().await;
		tokio::time::sleep(MOMENT).await;
		world.crash().await;
	}
	// Two days, if midnight passes meanwhile.
	let added = world.fake.channel.lock().unwrap().deposited - deposit;
	assert!(added == 700 || added == 1_400, "{added}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_with_a_plan_pays_the_plans_price_and_says_when_it_ends() {
	let mut world = World::new().await;
	// The plan's price of a token is what the coordinator asks for, and not the one on offer.
	world.fake.has_plan.store(true, Ordering::SeqCst);
	world.fake.channel.lock().unwrap().plan_ends_ms = Some(1);
	world.start().await;
	assert_eq!(world.ask("", false).await.0, 200);
	until("it is warned", async || {
		world.status("").await["warning"]
			.as_str()
			.is_some_and(|text| text.contains("gridproof plan renew"))
	})
	.await;
	assert_eq!(world.status("").await["plan_ends_ms"], 1);
}

impl World {
	fn court<T>(&self, read: impl FnOnce(&mut Court) -> T) -> T {
		read(&mut self.fake.court.lock().unwrap())
	}

	/// Restarts the front, which then does at once what is due.
	async fn restart(&mut self) {
		self.crash().await;
		self.start().await;
	}
}

/// Time in which a front that does nothing would have done something.
const MOMENT: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
async fn a_late_receipt_is_demanded_once_and_its_demand_is_closed_if_there_is_no_answer() {
	let mut world = World::new().await;
	world.fake.settle_by.store(1, Ordering::SeqCst);
	world.court(|court| court.has_account = true);
	world.start().await;
	for _ in 0..3 {
		assert_eq!(world.ask("", false).await.0, 200);
	}
	world.restart().await;
	until("it is demanded", async || world.court(|court| court.demanded.len()) == 1).await;
	let newest = world.fake.receipts.lock().unwrap()[&3];
	let (receipt, signature) = world.court(|court| court.demanded[0]);
	assert_eq!((receipt, signature), (newest.receipt, newest.coordinator_signature));
	world.restart().await;
	tokio::time::sleep(MOMENT).await;
	assert_eq!(world.court(|court| (court.demanded.len(), court.lapsed.len())), (1, 0));
	world.court(|court| court.open[0].due_ms = 1);
	world.restart().await;
	until("it is closed", async || world.court(|court| court.lapsed.len()) == 1).await;
	assert_eq!(world.court(|court| court.lapsed[0]), H256([1; 32]));
	world.restart().await;
	tokio::time::sleep(MOMENT).await;
	assert_eq!(world.court(|court| court.demanded.len()), 1, "nothing more is demanded");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_demanded_that_is_settled_or_has_time_or_without_an_account() {
	for case in ["settled", "time", "account"] {
		let mut world = World::new().await;
		let settle_by = if case == "time" { u64::MAX } else { 1 };
		world.fake.settle_by.store(settle_by, Ordering::SeqCst);
		world.court(|court| court.has_account = case != "account");
		world.start().await;
		assert_eq!(world.ask("", false).await.0, 200);
		if case == "settled" {
			world.fake.channel.lock().unwrap().settled = world.fake.sums.lock().unwrap().0;
		}
		world.restart().await;
		tokio::time::sleep(MOMENT).await;
		assert_eq!(world.court(|court| court.demanded.len()), 0, "{case}");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demand_that_is_refused_for_now_is_made_again_and_one_that_is_refused_for_good_is_not() {
	for (refusal, made) in [(Refusal::MaxDemandsExceeded, 1), (Refusal::DemandTooLate, 0)] {
		let mut world = World::new().await;
		world.fake.settle_by.store(1, Ordering::SeqCst);
		world.court(|court| {
			court.has_account = true;
			court.refusal = Some(ChainError::Refused(refusal.into()));
		});
		world.start().await;
		assert_eq!(world.ask("", false).await.0, 200);
		world.restart().await;
		until("it is refused", async || world.court(|court| court.refusal.is_none())).await;
		world.restart().await;
		tokio::time::sleep(MOMENT).await;
		assert_eq!(world.court(|court| court.demanded.len()), made, "{refusal:?}");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_whose_receipts_contradict_each_other_is_reported_once() {
	for (lie, reports) in [
		(Lie::SkippedCount, 1),
		(Lie::LowerSum, 1),
		(Lie::OtherKind, 1),
		// Not signed by it, and a price that only the two of them agreed on.
		(Lie::Signature, 0),
		(Lie::Price, 0),
	] {
		let mut world = World::new().await;
		world.court(|court| court.has_account = true);
		world.start().await;
		assert_eq!(world.ask("", false).await.0, 200);
		*world.fake.lie.lock().unwrap() = lie;
		assert_eq!(world.ask("", false).await.0, 502, "{lie:?}");
		world.restart().await;
		if reports > 0 {
			let reported = async || world.court(|court| court.reported.len()) == reports;
			until("it is reported", reported).await;
		}
		world.restart().await;
		tokio::time::sleep(MOMENT).await;
		assert_eq!(world.court(|court| court.reported.len()), reports, "{lie:?}");
	}
}
