//! A gateway on free ports, a chain that keeps the real rules, MQTT and HTTP clients.

#![allow(dead_code, unreachable_pub, reason = "every test takes what it needs")]

use gridproof_chain::{
	pallets::meter_readings::Limits,
	refusal::{PoolRefusal, Refusal},
};
use gridproof_gateway::{
	AccountId, Batching, ChainError, Credentials, Gateway, Inclusion, Ledger, Page, Parts, Preview,
	Reply, Role, Settings, Sqlite, Storage,
};
use gridproof_gateway_api::{BatchState, BatchView, Client};
use gridproof_keys::{Kind, SealedKey};
use gridproof_primitives::{
	H256,
	energy::{
		Accepted, BatchLimits, BatchRecord, BatchRefusal, Certificate, Direction, MeterIndex,
		MeterInfo, MeterName, MeterPage, MeterState, Registers, SignedBatch, Suspension,
		TOLERANCE_PPT, Trust, check_batch, emlog::format_utc,
	},
	num::units::MILLIS_PER_DAY,
};
use gridproof_store::StoreError;
use gridproof_support::clock::now_ms;
use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, QoS};
use serde_json::{Value, json};
use std::{
	collections::BTreeMap,
	path::PathBuf,
	sync::{Arc, Mutex},
	time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::sync::mpsc;

/// Genesis of the chain below.
pub const GENESIS: H256 = H256([7; 32]);

/// A chain in memory: the rules are those of the runtime, blocks are final at once.
#[derive(Default)]
pub struct Chain(Mutex<ChainState>);

#[derive(Default)]
struct ChainState {
	meters: BTreeMap<MeterIndex, MeterInfo<AccountId>>,
	batches: BTreeMap<(MeterIndex, u64), BatchRecord>,
	away: bool,
	/// It takes questions and answers none.
	hangs: bool,
	/// Questions that came.
	questions: usize,
	/// Transactions whose answer is lost on the way back.
	lost: u32,
	/// It keeps no row of a batch, only the hash of each meter's last, as a chain does of old ones.
	forgets: bool,
	calls: Vec<usize>,
	/// A meter whose batches the pool refuses, whatever the preview says.
	poison: Option<MeterIndex>,
}

impl Chain {
	pub fn certify(&self, name: &str, key: &SealedKey, trust: Trust, direction: Direction) {
		let mut state = self.0.lock().unwrap();
		let index = state.meters.len() as u32;
		let info = MeterInfo {
			index,
			certificate: Certificate {
				name: meter_name(name),
				device: *key.public(),
				owner: [1; 32],
				organisation: 0,
				electrician: [2; 32],
				rated_power_w: 10_000,
				direction,
				trust,
				serial: Default::default(),
				seal: Default::default(),
			},
			state: MeterState::new(10_000, direction, Registers::default(), 0),
			suspended: None,
			mints: true,
			energy_account: [3; 32],
			certified_ms: 0,
			point: None,
		};
		state.meters.insert(index, info);
	}

	/// As an electrician records another device, with another key.
	pub fn exchange(&self, index: MeterIndex, key: &SealedKey, registers: Registers) {
		let mut state = self.0.lock().unwrap();
		let info = state.meters.get_mut(&index).unwrap();
		info.certificate.device = *key.public();
		info.state.exchange(registers, true, now_ms(), TOLERANCE_PPT);
	}

	/// Lets the certified service of a meter begin now.
	pub fn begin_service(&self, index: MeterIndex, since_ms: u64) {
		let mut state = self.0.lock().unwrap();
		let info = state.meters.get_mut(&index).unwrap();
		info.state.last_end_ms = since_ms;
		info.state.floor_ms = since_ms;
	}

	pub fn suspend(&self, index: MeterIndex) {
		let mut state = self.0.lock().unwrap();
		let reason = Suspension::BrokenSeal;
		state.meters.get_mut(&index).unwrap().suspended = Some(reason);
	}

	pub fn away(&self, away: bool) {
		self.0.lock().unwrap().away = away;
	}

	pub fn hang(&self, hangs: bool) {
		self.0.lock().unwrap().hangs = hangs;
	}

	/// How many questions have come.
	pub fn questions(&self) -> usize {
		self.0.lock().unwrap().questions
	}

	/// An answer, or none.
	fn reply<T: Send + 'static>(
		&self,
		answer: impl FnOnce(&mut ChainState) -> Result<T, ChainError>,
	) -> Reply<'_, T> {
		let mut state = self.0.lock().unwrap();
		if state.hangs {
			// A question that nobody waits for was never asked.
			return Box::pin(async {
				self.0.lock().unwrap().questions += 1;
				std::future::pending().await
			});
		}
		state.questions += 1;
		let answer = state.reachable().and_then(|()| answer(&mut state));
		Box::pin(async { answer })
	}

	pub fn forget_batches(&self) {
		let mut state = self.0.lock().unwrap();
		state.forgets = true;
		state.batches.clear();
	}

	pub fn lose_answers(&self, lost: u32) {
		self.0.lock().unwrap().lost = lost;
	}

	pub fn meter_state(&self, index: MeterIndex) -> MeterState {
		self.0.lock().unwrap().meters[&index].state
	}

	/// As another gateway would submit a batch, or an exchange set registers.
	pub fn set_registers(&self, index: MeterIndex, registers: Registers) {
		self.0.lock().unwrap().meters.get_mut(&index).unwrap().state.registers = registers;
	}

	pub fn record(&self, meter: MeterIndex, sequence: u64) -> Option<BatchRecord> {
		self.0.lock().unwrap().batches.get(&(meter, sequence)).cloned()
	}

	pub fn poison(&self, meter: Option<MeterIndex>) {
		self.0.lock().unwrap().poison = meter;
	}

	/// How many batches each transaction had.
	pub fn calls(&self) -> Vec<usize> {
		self.0.lock().unwrap().calls.clone()
	}
}

impl ChainState {
	fn reachable(&self) -> Result<(), ChainError> {
		if self.away {
			Err(ChainError::Rpc { code: None, message: "away".to_string() })
		} else {
			Ok(())
		}
	}

	fn judge(
		states: &mut BTreeMap<MeterIndex, MeterInfo<AccountId>>,
		batch: &SignedBatch,
	) -> Result<Accepted, BatchRefusal> {
		let info = states.get_mut(&batch.header.meter).ok_or(BatchRefusal::UnknownMeter)?;
		let limits = BatchLimits::default();
		let accepted = check_batch(&info.state, &batch.header, now_ms(), &limits)?;
		batch.verify(&info.certificate.device, &GENESIS).map_err(|_| BatchRefusal::BadSignature)?;
		info.state.advance(&batch.header);
		Ok(accepted)
	}
}

impl Ledger for Chain {
	fn genesis(&self) -> Reply<'_, H256> {
		self.reply(|_| Ok(GENESIS))
	}

	fn meter<'a>(&'a self, name: &'a MeterName) -> Reply<'a, Option<MeterInfo<AccountId>>> {
		self.reply(|state| {
			Ok(state.meters.values().find(|info| info.certificate.name == *name).cloned())
		})
	}

	fn meters(&self, from: MeterIndex, limit: u32) -> Reply<'_, MeterPage<AccountId>> {
		self.reply(|state| {
			let page = state.meters.range(from..).take(limit as usize);
			let meters: Vec<_> = page.map(|(_, info)| info.clone()).collect();
			let next = meters.last().map(|last| last.index + 1);
			let next = next.filter(|next| state.meters.range(*next..).next().is_some());
			Ok(MeterPage { meters, next })
		})
	}

	fn batch(&self, meter: MeterIndex, sequence: u64) -> Reply<'_, Option<BatchRecord>> {
		self.reply(|state| Ok(state.batches.get(&(meter, sequence)).cloned()))
	}

	fn limits(&self) -> Reply<'_, Limits> {
		self.reply(|_| {
			Ok(Limits {
				block_wh: 1_000_000,
				day_wh: 1_000_000,
				organisation_day_wh: 1_000_000,
				max_rated_power_w: 1_000_000,
				max_backdate_ms: 0,
				batch: BatchLimits::default(),
			})
		})
	}

	fn preview<'a>(&'a self, batches: &'a [SignedBatch]) -> Reply<'a, Preview> {
		self.reply(|state| {
			let mut meters = state.meters.clone();
			Ok(batches.iter().map(|batch| ChainState::judge(&mut meters, batch)).collect())
		})
	}

	fn submit<'a>(&'a self, batches: &'a [SignedBatch]) -> Reply<'a, Inclusion> {
		let mut guard = self.0.lock().unwrap();
		let state = &mut *guard;
		if let Err(error) = state.reachable() {
			return Box::pin(async { Err(error) });
		}
		if batches.iter().any(|batch| Some(batch.header.meter) == state.poison) {
			let refusal = Refusal::Pool(PoolRefusal::Custom(0));
			return Box::pin(async { Err(refusal.into()) });
		}
		state.calls.push(batches.len());
		let mut accepted = Vec::new();
		for batch in batches {
			if let Ok(minted) = ChainState::judge(&mut state.meters, batch) {
				let record = BatchRecord {
					header: batch.header.clone(),
					block: 1,
					accepted_ms: now_ms(),
					minted_wh: minted.minted_wh,
					anchor: None,
				};
				if !state.forgets {
					state.batches.insert((batch.header.meter, batch.header.sequence), record);
				}
				accepted.push((batch.header.meter, batch.header.sequence));
			}
		}
		let is_lost = state.lost > 0;
		state.lost = state.lost.saturating_sub(1);
		let answer = if is_lost {
			Err(ChainError::Undecided { attempts: 1, reason: "lost".to_string() })
		} else {
			Ok(Inclusion { block: H256([9; 32]), accepted })
		};
		Box::pin(async { answer })
	}
}

pub fn meter_name(text: &str) -> MeterName {
	let parts: Vec<&str> = text.split('/').collect();
	MeterName::new(parts[0], parts[1], parts[2]).unwrap()
}

/// A reading of a quarter of an hour, `slot` quarters after a past midnight.
pub fn reading(name: &str, slot: u64, kwh: &str, tag: &str) -> String {
	let parts: Vec<&str> = name.split('/').collect();
	let begin = (now_ms() / MILLIS_PER_DAY - 30) * MILLIS_PER_DAY;
	let start = begin + slot * 900_000;
	let (site, device, meter) = (parts[0], parts[1], parts[2]);
	let (start, end) = (format_utc(start), format_utc(start + 900_000));
	format!(
		"{{\"schema_version\":\"emlog-1.1\",\"site_id\":\"{site}\",\"iot_device_id\":\"{device}\",\
		\"meter_id\":\"{meter}\",\"ts_start\":\"{start}\",\"ts_end\":\"{end}\",\"interval_s\":900,\
		\"energy_kwh\":{kwh},\"power_kw_avg\":null,\"status\":\"ok\",\"tags\":[{tag}],\
		\"tx\":{{\"unit\":\"sats\",\"price_sats_per_kwh\":100,\"amount_sats\":0,\"channel\":\"ln\",\
		\"settlement_status\":\"pending\",\"ln_invoice_id\":null,\"bitcoin_txid\":null}}}}"
	)
}

pub fn device_key(label: &str) -> SealedKey {
	SealedKey::generate(Kind::Device, Some(label)).unwrap()
}

/// A folder and how a gateway in it behaves.
pub struct Desk {
	pub folder: Arc<TempDir>,
	pub settings: Settings,
	pub chain: Option<Arc<Chain>>,
}

impl Desk {
	/// Batches are made when asked for only.
	pub fn new() -> Self {
		let folder = Arc::new(tempfile::tempdir().unwrap());
		let mut settings = Settings::new(folder.path().to_path_buf());
		settings.mqtt = Some("127.0.0.1:0".parse().unwrap());
		settings.http = Some("127.0.0.1:0".parse().unwrap());
		settings.batching = Batching {
			max_age: Duration::from_secs(86_400),
			daily: false,
			tick: Duration::from_millis(50),
			..Batching::default()
		};
		Self { folder, settings, chain: None }
	}

	pub fn anonymous() -> Self {
		let mut desk = Self::new();
		desk.settings.anonymous = true;
		desk
	}

	pub fn with_chain(mut self) -> (Self, Arc<Chain>) {
		let chain = Arc::new(Chain::default());
		self.chain = Some(chain.clone());
		(self, chain)
	}

	pub fn path(&self, name: &str) -> PathBuf {
		self.folder.path().join(name)
	}

	pub fn add_device(&self, username: &str, site: &str, device: &str) -> String {
		let role = Role::Device { site: site.to_string(), device: device.to_string() };
		let credentials = Credentials::open(self.folder.path()).unwrap();
		credentials.add(username, role, None).unwrap().to_string()
	}

	pub fn add_reader(&self, username: &str) -> String {
		let credentials = Credentials::open(self.folder.path()).unwrap();
		credentials.add(username, Role::Reader, None).unwrap().to_string()
	}

	pub async fn start(&self, keys: Vec<SealedKey>) -> Running {
		let ledger = self.chain.clone().map(|chain| chain as Arc<dyn Ledger>);
		self.closed().await;
		self.start_with(Parts { ledger, keys, ..Parts::default() }).await
	}

	/// Waits for the threads of a gateway that was stopped: they may hold the database for a moment.
	pub async fn closed(&self) {
		let begin = Instant::now();
		while let Err(StoreError::InUse(_)) =
			Sqlite::open(&self.path("gateway.db"), &Default::default())
		{
			assert!(begin.elapsed() < Duration::from_secs(20), "the database stays in use");
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
	}

	pub async fn start_with(&self, parts: Parts) -> Running {
		let gateway = Gateway::start(self.settings.clone(), parts).await.unwrap();
		let url = format!("http://{}", gateway.address("http").unwrap());
		let client = Client::new(&url, self.settings.admin_key.clone()).unwrap();
		Running { gateway, url, client, http: reqwest::Client::new(), _folder: self.folder.clone() }
	}
}

/// A running gateway with clients.
pub struct Running {
	pub gateway: Gateway,
	pub url: String,
	pub client: Client,
	pub http: reqwest::Client,
	// A desk may be gone before its gateway is.
	_folder: Arc<TempDir>,
}

impl Running {
	pub fn storage(&self) -> &Arc<dyn Storage> {
		self.gateway.storage()
	}

	pub async fn get(&self, path: &str) -> (u16, Value) {
		let answer = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
		let status = answer.status().as_u16();
		(status, answer.json().await.unwrap_or(Value::Null))
	}

	pub async fn get_text(&self, path: &str) -> (u16, String) {
		let answer = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
		(answer.status().as_u16(), answer.text().await.unwrap())
	}

	pub async fn post(&self, path: &str, body: impl Into<String>) -> (u16, Value) {
		let request = self
			.http
			.post(format!("{}{path}", self.url))
			.header("content-type", "application/json")
			.body(body.into());
		let answer = request.send().await.unwrap();
		let status = answer.status().as_u16();
		(status, answer.json().await.unwrap_or(Value::Null))
	}

	pub async fn put(&self, path: &str, body: Value) -> (u16, Value) {
		let request = self.http.put(format!("{}{path}", self.url)).json(&body);
		let answer = request.send().await.unwrap();
		let status = answer.status().as_u16();
		(status, answer.json().await.unwrap_or(Value::Null))
	}

	/// Reasons of all dead letters, in order.
	pub async fn dead_letters(&self) -> Vec<String> {
		let page = Page { limit: 1_000, offset: 0, after: None, newest_first: false };
		let letters = self.storage().dead_letters(None, page).await.unwrap();
		letters.into_iter().map(|letter| letter.reason).collect()
	}

	/// Waits until a batch is in a state.
	pub async fn wait_for(&self, batch: &str, state: BatchState) -> BatchView {
		let begin = Instant::now();
		loop {
			let view = self.client.batch(batch).await.unwrap();
			if view.on_chain == state {
				return view;
			}
			assert!(begin.elapsed() < Duration::from_secs(20), "{batch} stays {view:?}");
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
	}

	pub async fn mqtt(&self, id: &str, login: Option<(&str, &str)>) -> Mqtt {
		let address = self.gateway.address("mqtt").unwrap();
		let mut options = MqttOptions::new(id, "127.0.0.1", address.port());
		if let Some((username, password)) = login {
			options.set_credentials(username, password);
		}
		Mqtt::connect(options).await.unwrap()
	}

	pub async fn stop(self) {
		self.gateway.stop().await;
	}
}

/// What happened on an MQTT connection.
#[derive(Debug)]
pub enum Happened {
	Acknowledged,
	Subscribed(Vec<bool>),
	Message(String, String),
	Ended,
}

/// A connected MQTT client, protocol 3.1.1.
pub struct Mqtt {
	pub client: AsyncClient,
	events: mpsc::UnboundedReceiver<Happened>,
	/// What came while something else was waited for.
	kept: std::collections::VecDeque<Happened>,
}

impl Mqtt {
	pub async fn connect(mut options: MqttOptions) -> Result<Self, String> {
		options.set_keep_alive(Duration::from_secs(20));
		options.set_inflight(1_000);
		let (client, mut connection) = AsyncClient::new(options, 20_000);
		let (sender, events) = mpsc::unbounded_channel();
		match connection.poll().await {
			Ok(Event::Incoming(Incoming::ConnAck(_))) => (),
			Ok(other) => return Err(format!("{other:?}")),
			Err(error) => return Err(error.to_string()),
		}
		tokio::spawn(async move {
			loop {
				let happened = match connection.poll().await {
					Ok(Event::Incoming(Incoming::PubAck(_))) => Happened::Acknowledged,
					Ok(Event::Incoming(Incoming::SubAck(ack))) => Happened::Subscribed(
						ack.return_codes
							.iter()
							.map(|code| !matches!(code, rumqttc::SubscribeReasonCode::Failure))
							.collect(),
					),
					Ok(Event::Incoming(Incoming::Publish(message))) => Happened::Message(
						message.topic.clone(),
						String::from_utf8_lossy(&message.payload).into_owned(),
					),
					Ok(_) => continue,
					Err(_) => Happened::Ended,
				};
				let is_end = matches!(happened, Happened::Ended);
				if sender.send(happened).is_err() || is_end {
					return;
				}
			}
		});
		Ok(Self { client, events, kept: Default::default() })
	}

	pub async fn next(&mut self) -> Happened {
		if let Some(kept) = self.kept.pop_front() {
			return kept;
		}
		tokio::time::timeout(Duration::from_secs(20), self.events.recv())
			.await
			.expect("something happens in time")
			.unwrap_or(Happened::Ended)
	}

	/// Does anything happen within this time?
	pub async fn is_quiet(&mut self, time: Duration) -> bool {
		assert!(self.kept.is_empty(), "{:?}", self.kept);
		tokio::time::timeout(time, self.events.recv()).await.is_err()
	}

	pub async fn publish(&mut self, topic: &str, payload: impl Into<Vec<u8>>) {
		self.client.publish(topic, QoS::AtLeastOnce, false, payload).await.unwrap();
	}

	/// Publishes and waits for the acknowledgement. A message that comes meanwhile is the next.
	pub async fn deliver(&mut self, topic: &str, payload: impl Into<Vec<u8>>) {
		self.publish(topic, payload).await;
		let mut before = std::mem::take(&mut self.kept);
		loop {
			match self.next().await {
				Happened::Acknowledged => break,
				message @ Happened::Message(..) => before.push_back(message),
				other => panic!("{other:?}"),
			}
		}
		self.kept = before;
	}

	/// Is the subscription granted? What an earlier one brings meanwhile is the next.
	pub async fn subscribe(&mut self, filter: &str) -> bool {
		self.client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
		let mut before = std::mem::take(&mut self.kept);
		let is_granted = loop {
			match self.next().await {
				Happened::Subscribed(granted) => break granted == [true],
				message @ Happened::Message(..) => before.push_back(message),
				other => panic!("{other:?}"),
			}
		};
		self.kept = before;
		is_granted
	}
}

/// The topic of a meter.
pub fn topic(name: &str) -> String {
	format!("energy/{name}")
}

/// A JSON object of a batch's anchor.
pub fn anchor(status: &str) -> Value {
	json!({ "status": status })
}
