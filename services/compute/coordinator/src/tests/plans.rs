//! Plans, from a purchase to the return of the rest: API keys of channels whose key the coordinator
//! keeps, their limits under load, what costs nothing, and what a client learns.

use super::{
	channels::{DAY_MS, request_of},
	*,
};
use crate::{
	book::Fate,
	channels::{Kept, NotAdmitted},
};
use axum::body::Bytes;
use gridproof_compute_api::protocol::{
	ErrorCode, KeyRequest, Plan, PlanState, RECEIPT_HEADER, TokenIds, key_payload,
};
use gridproof_keys::AccountKey;
use gridproof_primitives::compute::channels::{Channel, ChannelId, Tariff, VoucherRefusal};
use gridproof_support::{Stopper, http_client, text::Amount};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// Price of a token in the plan of these tests.
const TOKEN: u128 = 1_000;
const DAYS: u32 = 3;

/// What a request of [`spec`] reserves, in tokens.
fn highest(world: &World) -> u64 {
	let factor = world.coordinator.settings.model(MODEL).unwrap().factor();
	compute_units(spec().max_total_tokens(), factor)
}

/// What the answer that miners give costs, in tokens.
fn cost(world: &World) -> u64 {
	compute_units(8, world.coordinator.settings.model(MODEL).unwrap().factor())
}

fn plan(tokens_per_day: u64) -> Plan {
	let price = TOKEN * u128::from(tokens_per_day) * u128::from(DAYS);
	let (name, price) = ("small".to_string(), Amount(price));
	Plan { name, asset: PriceAsset::Ait, price, tokens_per_day, days: DAYS }
}

/// A world whose coordinator sells one plan.
async fn selling(tokens_per_day: u64) -> World {
	let mut settings = Settings { plans: vec![plan(tokens_per_day)], ..Settings::default() };
	settings.channels.line_seconds = 0;
	World::with(settings, None).await
}

/// Who has bought a plan.
struct Buyer {
	channel: ChannelId,
	account: AccountKey,
}

impl Buyer {
	fn of(channel: ChannelId) -> Self {
		Self { channel, account: AccountKey::ed25519(Zeroizing::new([0xB0; 32])) }
	}

	/// Opens a channel with the terms of the world's plan, changed by `change`.
	fn buys_with(world: &World, channel: ChannelId, change: impl FnOnce(&mut Channel)) -> Self {
		let tariff = world.settings.plans[0].tariff();
		let key = world.coordinator.public();
		let terms = tariff.terms(key, None, world.clock.now_ms(), DAY_MS);
		let mut opened = Channel::open(&terms).unwrap();
		change(&mut opened);
		let buyer = Self::of(channel);
		let chain = &world.chain.channels;
		chain.channels.lock().unwrap().insert(channel, opened);
		chain.clients.lock().unwrap().insert(channel, buyer.account.account());
		buyer
	}

	fn buys(world: &World, channel: ChannelId) -> Self {
		Self::buys_with(world, channel, |_| ())
	}

	fn signs(&self, world: &World, time_ms: u64) -> KeyRequest {
		let payload = key_payload(&GENESIS, &world.coordinator.public(), self.channel, time_ms);
		KeyRequest { time_ms, signature: HexBytes(self.account.sign(&payload).to_bytes()) }
	}

	/// Has an API key made.
	async fn key(&self, world: &World) -> Result<String, ErrorCode> {
		let request = self.signs(world, world.coordinator.now());
		let answer = world.coordinator.new_channel_key(self.channel, &request).await;
		answer.map(|answer| answer.key).map_err(|error| error.code)
	}

	fn asks(&self) -> Kept {
		let body = Bytes::from_static(b"Once");
		Kept { channel: self.channel, spec: spec(), body, stream: false, once: None }
	}

	fn asks_once(&self, key: &str, body: &'static [u8]) -> Kept {
		let hash = sp_crypto_hashing::sha2_256(body);
		let once = Some(rows::Once { key: key.to_string(), body: hash });
		Kept { once, body: Bytes::from_static(body), ..self.asks() }
	}

	/// Renews as `gridproof plan renew` does.
	async fn renews(&self, world: &World) {
		let state = world.plan_of(self.channel).await;
		let tariff = state.plan.unwrap().tariff();
		let now = world.clock.now_ms();
		let renewal = tariff.renewal(state.plan_ends_ms.unwrap(), state.left.0, now, DAY_MS);
		let renewed = world.chain.channel_now(self.channel);
		let renewed = renewed.renew(renewal.amount, renewal.ends_ms).unwrap();
		world.chain.channels.channels.lock().unwrap().insert(self.channel, renewed);
	}
}

impl World {
	async fn plan_of(&self, channel: ChannelId) -> PlanState {
		self.coordinator.plan_state(channel).await.unwrap()
	}

	async fn admits(&self, kept: &Kept) -> Result<H256, NotAdmitted> {
		self.coordinator.admit_kept(kept).await.map(|(admitted, _)| admitted.id)
	}

	async fn refuses(&self, kept: &Kept) -> VoucherRefusal {
		match self.admits(kept).await {
			Err(NotAdmitted::Dry(refusal)) => refusal,
			other => panic!("{other:?}"),
		}
	}
}

#[tokio::test]
async fn a_purchase_becomes_an_api_key_for_the_account_that_paid_and_for_nobody_else() {
	let mut world = selling(1_000).await;
	let buyer = Buyer::buys(&world, 7);
	let key = buyer.key(&world).await.unwrap();
	assert!(key.starts_with("gpk_"), "{key}");
	assert_eq!(world.coordinator.sold.channel_of(&key), Some(7));
	let state = world.plan_of(7).await;
	assert_eq!(state.plan.as_ref().map(|plan| plan.name.as_str()), Some("small"));
	assert_eq!((state.kept, state.tokens_left, state.tokens_left_today), (true, 3_000, 1_000));

	let now = world.coordinator.now();
	let code = async |request: KeyRequest| {
		world.coordinator.new_channel_key(7, &request).await.unwrap_err().code
	};
	let replayed = buyer.signs(&world, now);
	assert_eq!(code(replayed).await, ErrorCode::BadSignature, "each signature counts once");
	let stranger = Buyer { channel: 7, account: AccountKey::development("//Eve").unwrap() };
	assert_eq!(code(stranger.signs(&world, now + 1)).await, ErrorCode::BadSignature);
	let other = Buyer::of(8).signs(&world, now + 1);
	assert_eq!(code(other).await, ErrorCode::BadSignature, "it is signed for another channel");
	let unreadable = KeyRequest { time_ms: now + 1, signature: HexBytes(vec![9; 65]) };
	assert_eq!(code(unreadable).await, ErrorCode::BadSignature);
	let late = buyer.signs(&world, now + 60_001);
	assert_eq!(code(late).await, ErrorCode::ClockSkew);
	assert_eq!(world.coordinator.sold.channel_of(&key), Some(7), "none of these took the key");

	world.pass(1);
	let second = buyer.key(&world).await.unwrap();
	assert_ne!(second, key);
	assert_eq!(world.coordinator.sold.channel_of(&key), None, "the older key has ended");
	world.crash().await;
	assert_eq!(world.coordinator.sold.channel_of(&second), Some(7), "a crash takes no key");
}

#[tokio::test]
async fn no_api_key_is_made_for_a_channel_that_is_none_of_a_plan_or_not_kept() {
	let world = selling(1_000).await;
	let own = Buyer::buys_with(&world, 7, |channel| channel.signer = Some([1; 32]));
	assert_eq!(own.key(&world).await, Err(ErrorCode::BadRequest));
	let cheap = Buyer::buys_with(&world, 8, |channel| channel.deposited -= 1);
	assert_eq!(cheap.key(&world).await, Err(ErrorCode::BadRequest));
	let closing = Buyer::buys_with(&world, 9, |channel| channel.ends_ms = Some(u64::MAX));
	assert_eq!(closing.key(&world).await, Err(ErrorCode::WrongState));
	assert_eq!(Buyer::of(10).key(&world).await, Err(ErrorCode::UnknownChannel));
	// Without a plan, a kept channel pays the price on offer.
	let plain = Buyer::buys_with(&world, 11, |channel| channel.plan_ends_ms = None);
	plain.key(&world).await.unwrap();
	let state = world.plan_of(11).await;
	assert_eq!((state.plan, state.unit_price), (None, world.settings.unit_price[&PriceAsset::Ait]));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_once_never_need_more_than_the_tokens_of_a_day() {
	let most = highest(&selling(1).await);
	let world = Arc::new(selling(most * 7 + most / 2).await);
	let (miner, buyer) = (world.miner(1), Buyer::buys(&world, 7));
	let session = miner.session(&world).await;
	let asking = (0..200).map(|_| {
		let (world, kept) = (world.clone(), buyer.asks());
		tokio::spawn(async move { world.admits(&kept).await })
	});
	let asked = futures::future::join_all(asking.collect::<Vec<_>>()).await;
	let (mut ids, mut refused) = (Vec::new(), 0);
	for one in asked {
		match one.unwrap() {
			Ok(id) => ids.push(id),
			Err(NotAdmitted::Dry(VoucherRefusal::AboveDailyLimit)) => refused += 1,
			Err(other) => panic!("{other:?}"),
		}
	}
	assert_eq!((ids.len(), refused), (7, 193));
	let numbers = ids.iter().map(|id| world.coordinator.book.request(id).unwrap());
	let mut numbers: Vec<u64> = numbers.map(|request| request.voucher.voucher.number).collect();
	numbers.sort_unstable();
	assert_eq!(numbers, (1..=7).collect::<Vec<u64>>());
	for _ in 0..7 {
		miner.serves(&world, &session).await;
	}
	let state = world.plan_of(7).await;
	let day = plan(most * 7 + most / 2).tokens_per_day;
	assert_eq!(state.tokens_left_today, day - 7 * cost(&world), "only what was used counts");
	assert_eq!(state.tokens_left, 3 * day - 7 * cost(&world));
	// Settled or not, the day has so many tokens.
	let mut served = 7;
	while world.admits(&buyer.asks()).await.is_ok() {
		miner.serves(&world, &session).await;
		served += 1;
	}
	assert_eq!(served, (day - most) / cost(&world) + 1);
	world.settle_channels().await;
	assert_eq!(world.refuses(&buyer.asks()).await, VoucherRefusal::AboveDailyLimit);
	let settled = world.chain.channel_now(7).settled;
	assert_eq!(settled.price, TOKEN * u128::from(served * cost(&world)));
	world.hands.advance(Duration::from_millis(DAY_MS));
	world.chain.now.store(world.clock.now_ms(), Ordering::SeqCst);
	let _session = miner.session(&world).await;
	world.admits(&buyer.asks()).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_is_empty_or_aborted_costs_a_plan_nothing() {
	let world = selling(10_000).await;
	let (miner, buyer) = (world.miner(1), Buyer::buys(&world, 7));
	let session = miner.session(&world).await;
	let empty = world.admits(&buyer.asks()).await.unwrap();
	let work = miner.asks_request(&world, &session).await.unwrap();
	let nothing = Output { completion_tokens: 1, ..output("") };
	let receipt = miner.receipt_v2(&work, &nothing, &TokenIds::default());
	let result = miner.signs_v2(work.attempt, nothing, TokenIds::default(), &receipt);
	world.coordinator.result(&session, empty, &result).await.unwrap_err();
	let left = world.admits(&buyer.asks()).await.unwrap();
	world.coordinator.abandon(left).await.unwrap();
	let late = world.admits(&buyer.asks()).await.unwrap();
	let has_ended = |id| matches!(world.coordinator.book.fate(&id), Some(Fate::Ended(_)));
	// What has ended is remembered for a moment only.
	assert!(has_ended(empty) && has_ended(left));
	world.pass(121);
	world.coordinator.sweep().await.unwrap();
	assert!(has_ended(late));
	let state = world.plan_of(7).await;
	assert_eq!((state.tokens_left_today, state.tokens_left), (10_000, 30_000));
	world.settle_channels().await;
	let settled = world.chain.channel_now(7).settled;
	assert_eq!((settled.count, settled.price), (3, 0));
}

#[tokio::test]
async fn a_crash_forgets_open_requests_and_the_plan_pays_for_receipts_only() {
	let mut world = selling(10_000).await;
	let (miner, buyer) = (world.miner(1), Buyer::buys(&world, 7));
	let session = miner.session(&world).await;
	let key = buyer.key(&world).await.unwrap();
	world.admits(&buyer.asks()).await.unwrap();
	let first = miner.serves(&world, &session).await;
	world.admits(&buyer.asks()).await.unwrap();
	world.admits(&buyer.asks()).await.unwrap();
	world.crash().await;
	let session = miner.session(&world).await;
	assert_eq!(world.coordinator.sold.channel_of(&key), Some(7));
	world.admits(&buyer.asks()).await.unwrap();
	let second = miner.serves(&world, &session).await;
	assert_eq!(second.receipt.channel_before(), Some(first.receipt.sums.channel));
	let state = world.plan_of(7).await;
	assert_eq!(state.tokens_left, 30_000 - 2 * cost(&world));
	world.settle_channels().await;
	assert_eq!(world.chain.channel_now(7).settled, second.receipt.sums.channel);
}

#[tokio::test]
async fn a_plan_that_is_over_is_renewed_with_the_same_key_or_its_rest_goes_back() {
	let world = selling(10_000).await;
	let (miner, buyer) = (world.miner(1), Buyer::buys(&world, 7));
	let session = miner.session(&world).await;
	let key = buyer.key(&world).await.unwrap();
	world.admits(&buyer.asks()).await.unwrap();
	miner.serves(&world, &session).await;
	world.settle_channels().await;
	let days = |days: u64| {
		world.hands.advance(Duration::from_millis(days * DAY_MS));
		world.chain.now.store(world.clock.now_ms(), Ordering::SeqCst);
	};
	days(3);
	let _session = miner.session(&world).await;
	assert_eq!(world.refuses(&buyer.asks()).await, VoucherRefusal::Ending);
	buyer.renews(&world).await;
	world.pass(2);
	world.admits(&buyer.asks()).await.unwrap();
	assert_eq!(world.coordinator.sold.channel_of(&key), Some(7), "the key stays the same");
	let state = world.plan_of(7).await;
	assert_eq!(state.left.0, plan(10_000).price.0 - TOKEN * u128::from(highest(&world)));
	// In the days of grace nothing is closed.
	days(4);
	world.coordinator.end_plans().await;
	assert_eq!(world.chain.channel_now(7).ends_ms, None);
	days(7);
	world.coordinator.end_plans().await;
	let ends = world.chain.channel_now(7).ends_ms.unwrap();
	world.pass(601);
	world.coordinator.end_plans().await;
	assert_eq!(world.chain.channel_now(7).ends_ms, Some(ends), "its notice lasts");
	days(2);
	world.coordinator.end_plans().await;
	assert!(!world.chain.channels.channels.lock().unwrap().contains_key(&7), "the rest is back");
	world.pass(601);
	world.coordinator.end_plans().await;
	world.coordinator.follow_channels().await.unwrap();
	assert_eq!(world.coordinator.sold.due(u64::MAX - 1, 9), Vec::<ChannelId>::new());
}

#[tokio::test]
async fn a_plan_keeps_its_price_for_what_was_bought_and_not_for_what_is_bought_after_the_offer() {
	let mut world = selling(10_000).await;
	let buyer = Buyer::buys(&world, 7);
	buyer.key(&world).await.unwrap();
	buyer.renews(&world).await;
	world.pass(4);
	world.plan_of(7).await;
	world.settings.plans.clear();
	world.crash().await;
	assert_eq!(world.coordinator.plans().plans, []);
	let price = async |world: &World| {
		let _session = world.miner(1).session(world).await;
		let id = world.admits(&buyer.asks()).await.unwrap();
		world.coordinator.book.request(&id).unwrap().unit_price
	};
	let days = |world: &World, days: u64| {
		world.hands.advance(Duration::from_millis(days * DAY_MS));
		world.chain.now.store(world.clock.now_ms(), Ordering::SeqCst);
	};
	days(&world, 5);
	assert_eq!(price(&world).await, TOKEN, "both periods were bought before");
	buyer.renews(&world).await;
	world.pass(4);
	assert_eq!(world.plan_of(7).await.unit_price.0, TOKEN);
	days(&world, 1);
	let dearer = world.settings.unit_price[&PriceAsset::Ait].0;
	assert_eq!(world.plan_of(7).await.unit_price.0, dearer, "the third was not");
}

#[tokio::test]
async fn a_period_that_is_longer_than_the_plans_has_not_its_price() {
	let world = selling(10_000).await;
	let far = |channel: &mut Channel| channel.plan_ends_ms = Some(u64::MAX);
	let greedy = Buyer::buys_with(&world, 7, far);
	assert_eq!(greedy.key(&world).await, Err(ErrorCode::BadRequest));
	let own = |channel: &mut Channel| {
		(channel.signer, channel.plan_ends_ms) = (Some([1; 32]), Some(u64::MAX))
	};
	Buyer::buys_with(&world, 8, own);
	let state = world.plan_of(8).await;
	assert_eq!((state.plan, state.unit_price), (None, world.settings.unit_price[&PriceAsset::Ait]));
	let renewed = Buyer::buys(&world, 9);
	renewed.key(&world).await.unwrap();
	far(world.chain.channels.channels.lock().unwrap().get_mut(&9).unwrap());
	world.hands.advance(Duration::from_millis(3 * DAY_MS));
	world.chain.now.store(world.clock.now_ms(), Ordering::SeqCst);
	assert_eq!(world.plan_of(9).await.unit_price, world.settings.unit_price[&PriceAsset::Ait]);
}

#[tokio::test]
async fn a_request_with_a_key_of_its_own_is_paid_once_whenever_it_comes_again() {
	let world = selling(100_000).await;
	let (miner, buyer) = (world.miner(1), Buyer::buys(&world, 7));
	let session = miner.session(&world).await;
	let asked = buyer.asks_once("one", b"Once");
	let twenty = futures::future::join_all((0..20).map(|_| world.admits(&asked))).await;
	let ids: Vec<H256> = twenty.into_iter().map(Result::unwrap).collect();
	assert!(ids.iter().all(|id| *id == ids[0]));
	let other = world.admits(&buyer.asks_once("one", b"Twice")).await;
	assert!(matches!(other, Err(NotAdmitted::KeyReused)), "{other:?}");
	miner.serves(&world, &session).await;
	assert_eq!(world.admits(&asked).await.unwrap(), ids[0]);
	// When it is forgotten in memory, the answer comes from the disk.
	world.pass(61);
	world.coordinator.sweep().await.unwrap();
	assert!(world.coordinator.book.fate(&ids[0]).is_none());
	assert_eq!(world.admits(&asked).await.unwrap(), ids[0]);
	assert!(matches!(world.coordinator.book.fate(&ids[0]), Some(Fate::Done(_))));
	assert_eq!(world.plan_of(7).await.tokens_left, 300_000 - cost(&world));
	// One that had no answer is asked again.
	let failed = buyer.asks_once("two", b"Once");
	let first = world.admits(&failed).await.unwrap();
	world.coordinator.abandon(first).await.unwrap();
	let again = world.admits(&failed).await.unwrap();
	assert_ne!(again, first);
}

/// A server of a world, with a miner that answers all requests.
struct Site {
	url: String,
	http: reqwest::Client,
	working: JoinHandle<()>,
	_stopper: Stopper,
}

impl Site {
	async fn of(world: &Arc<World>) -> Self {
		let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
		let stopper = Stopper::new();
		let router = Server::new(world.coordinator.clone()).router();
		let serving = gridproof_http::serve_on(router, listener, stopper.signal()).unwrap();
		let url = format!("http://{}", serving.address());
		let (world, miner) = (world.clone(), world.miner(1));
		let session = miner.session(&world).await;
		let working = tokio::spawn(async move {
			loop {
				let given = async {
					tokio::time::sleep(Duration::from_millis(5)).await;
					world.coordinator.give_out().await.unwrap();
				};
				let taken = world.coordinator.take(&session, Duration::from_millis(20));
				let (taken, ()) = tokio::join!(taken, given);
				let Some(work) = taken.unwrap() else { continue };
				let work = request_of(work);
				let result = miner.does_request(&work);
				world.coordinator.result(&session, work.work.into(), &result).await.unwrap();
			}
		});
		let http = http_client::builder().build().unwrap();
		Self { url, http, working, _stopper: stopper }
	}

	async fn chat(&self, key: &str, max_tokens: u32) -> reqwest::Response {
		let messages = json!([{ "role": "user", "content": "Once" }]);
		let body = json!({ "model": MODEL, "messages": messages, "max_tokens": max_tokens,
			"temperature": 0 });
		let request = self.http.post(format!("{}/v1/chat/completions", self.url));
		request.bearer_auth(key).json(&body).send().await.unwrap()
	}

	async fn get(&self, key: &str, path: &str) -> Value {
		let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(key);
		request.send().await.unwrap().json().await.unwrap()
	}
}

impl Drop for Site {
	fn drop(&mut self) {
		self.working.abort();
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_openai_is_answered_by_its_plan_and_told_what_is_left_and_when_it_is_over() {
	let world = Arc::new(selling(400).await);
	let buyer = Buyer::buys(&world, 7);
	let key = buyer.key(&world).await.unwrap();
	let site = Site::of(&world).await;
	let answer = site.chat(&key, 20).await;
	assert_eq!(answer.status(), StatusCode::OK);
	let headers = answer.headers().clone();
	let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_string());
	let (left, price) = (400 - cost(&world), TOKEN * u128::from(cost(&world)));
	assert_eq!(header("x-ratelimit-limit-tokens"), Some("400".to_string()));
	assert_eq!(header("x-ratelimit-remaining-tokens"), Some(left.to_string()));
	assert_eq!(header("x-gridproof-price"), Some(price.to_string()));
	assert!(header(RECEIPT_HEADER).is_some() && header("x-gridproof-warning").is_none());
	let body: Value = answer.json().await.unwrap();
	assert_eq!(body["choices"][0]["message"]["content"], "there was");
	assert_eq!(body["gridproof"]["left"]["tokens_today"], json!(left));

	let models = site.get(&key, "/v1/models").await;
	let shown = &models["data"][0]["gridproof"];
	assert_eq!(shown["unit_price"], json!({ "ait": TOKEN.to_string() }));
	let factor = world.coordinator.settings.model(MODEL).unwrap().factor();
	let million = TOKEN * u128::from(compute_units(1_000_000, factor));
	assert_eq!(shown["price_per_million_tokens"], json!({ "ait": million.to_string() }));
	let bill = site.get(&key, "/v1/billing/usage").await;
	assert_eq!((&bill["jobs"], &bill["compute_units"]), (&json!(1), &json!(cost(&world))));
	let sold = site.get("", "/v1/plans").await;
	assert_eq!(sold["plans"][0]["name"], "small");
	let state = site.get("", "/v1/channels/7/plan").await;
	assert_eq!(state["tokens_left_today"], json!(left));

	let dry = site.chat(&key, 1_000).await;
	assert_eq!(dry.status(), StatusCode::TOO_MANY_REQUESTS);
	assert!(dry.headers().contains_key("retry-after"));
	let dry: Value = dry.json().await.unwrap();
	assert_eq!(
		(&dry["error"]["type"], &dry["error"]["code"]),
		(&json!("insufficient_quota"), &json!("daily_limit_reached"),)
	);
	let unknown = site.chat("gpk_unknown", 20).await;
	assert_eq!(unknown.status(), StatusCode::NOT_FOUND, "there are no customers here");

	let over = |channel: &mut Channel| channel.plan_ends_ms = Some(1);
	over(world.chain.channels.channels.lock().unwrap().get_mut(&7).unwrap());
	world.coordinator.follow_channels().await.unwrap();
	let over = site.chat(&key, 20).await;
	assert_eq!(over.status(), StatusCode::PAYMENT_REQUIRED);
	let over: Value = over.json().await.unwrap();
	assert_eq!(over["error"]["code"], "plan_over");
	let said = over["error"]["message"].as_str().unwrap();
	assert!(said.contains("gridproof plan renew 7"), "{said}");
}

#[test]
fn the_plan_of_these_tests_costs_a_whole_price_for_each_token() {
	let tariff: Tariff = plan(400).tariff();
	assert_eq!((tariff.unit_price(), tariff.daily_limit()), (TOKEN, 400 * TOKEN));
}
