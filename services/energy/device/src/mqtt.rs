//! A device's connection: publishes its readings over MQTT and answers the gateway's requests.
//!
//! Readings go out with QoS 1. On every new connection all unsigned ones go out again, from the
//! device's own journal: a gateway takes each reading once. What the MQTT library had under way is
//! dropped with the connection; nothing depends on a session that a broker keeps, or does not.

use crate::{
	Binding, Device, DeviceError, Published, Reading, SignRefusal, subscriptions::Subscriptions,
};
use futures::future::BoxFuture;
use gridproof_primitives::energy::{MeterName, Topic, message::RefusalNotice};
use gridproof_support::{Backoff, Lock, number::clamped, tls};
use rumqttc::{
	AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, Outgoing,
	Packet, Publish, QoS, Request, SubscribeReasonCode, TlsConfiguration, Transport,
};
use std::{
	collections::BTreeMap,
	path::Path,
	sync::{
		Arc, Mutex, MutexGuard,
		atomic::{AtomicU64, Ordering},
	},
	time::Duration,
};
use tokio::{
	sync::{Mutex as Gate, watch},
	task::JoinHandle,
	time::Instant,
};
use zeroize::Zeroizing;

/// Largest packet that goes out, in bytes: a reading or an answer has at most 4 KiB.
const MAX_PACKET: usize = 16 * 1024;
/// Largest packet that is read, in bytes. A request has at most 4 KiB, and what is longer is left out;
/// but a message that ends the connection would come again with the next one, if the broker retains it.
const MAX_READ: usize = 16 << 20;
/// Packets that may wait for the network; beyond that, publishing waits.
const QUEUE: usize = 64;
/// Pauses between attempts to connect. Many devices lose the same broker at the same instant. They
/// grow until a connection has lasted for [`GOOD`].
const PAUSES: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
/// A connection that lasts so long was a good one.
const GOOD: Duration = Duration::from_secs(30);
/// A gateway that misses readings gets all of them again, but not more often than this.
const REPEAT_PAUSE: Duration = Duration::from_secs(20);
/// How often a subscription that the broker refuses is tried again.
const SUBSCRIBE_AGAIN: Duration = Duration::from_secs(30);

/// Why a device is not connected.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
	/// The address is not that of a broker.
	#[error(
		"{0:?} is not a broker address; one looks like mqtt://127.0.0.1:1883 or mqtts://host:8883"
	)]
	BadUrl(String),
	/// The file of trusted certificates cannot be read.
	#[error("{path}: {reason}")]
	BadCa {
		/// Path of the file.
		path: String,
		/// The system's error.
		reason: String,
	},
	/// The broker rejects the login; the client id is given.
	#[error("the broker refuses {0}: wrong user name or password, or not allowed")]
	Refused(String),
	/// There was no connection in time.
	#[error("no connection to the broker within {seconds} s: {reason}")]
	Unreachable {
		/// Time waited, in seconds.
		seconds: u64,
		/// Error of the last attempt.
		reason: String,
	},
	/// The link was dropped.
	#[error("the connection to the broker was given up")]
	Closed,
	/// The device cannot continue.
	#[error(transparent)]
	Device(#[from] DeviceError),
}

/// Address of a broker.
#[derive(Clone, Debug)]
pub struct Broker {
	host: String,
	port: u16,
	tls: Option<Option<Vec<u8>>>,
}

impl Broker {
	/// Parses `mqtt://host[:port]` (default 1883) or, with TLS, `mqtts://host[:port]`
	/// (default 8883). `ca` is a PEM file of the certificates to trust instead of the system's.
	///
	/// # Errors
	/// [`LinkError::BadUrl`], [`LinkError::BadCa`].
	pub fn parse(url: &str, ca: Option<&Path>) -> Result<Self, LinkError> {
		let bad = || LinkError::BadUrl(url.to_string());
		let (scheme, address) = url.split_once("://").ok_or_else(bad)?;
		let (is_tls, default_port) = match scheme {
			"mqtt" => (false, 1883),
			"mqtts" => (true, 8883),
			_ => return Err(bad()),
		};
		let address = address.trim_end_matches('/');
		let (host, port) = match address.rsplit_once(':') {
			// Not the last part of an IPv6 address in brackets.
			Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| bad())?),
			_ => (address, default_port),
		};
		let host = host.trim_start_matches('[').trim_end_matches(']');
		// A user or a path would be dropped without a word.
		if host.is_empty() || host.contains(['/', '@', ' ']) {
			return Err(bad());
		}
		let read = |path: &Path| {
			std::fs::read(path).map_err(|reason| LinkError::BadCa {
				path: path.display().to_string(),
				reason: reason.to_string(),
			})
		};
		let ca = ca.map(read).transpose()?;
		Ok(Self { host: host.to_string(), port, tls: is_tls.then_some(ca) })
	}

	fn transport(&self) -> Transport {
		let Some(ca) = &self.tls else { return Transport::tcp() };
		tls::install();
		match ca {
			None => Transport::tls_with_default_config(),
			Some(ca) => Transport::tls_with_config(TlsConfiguration::Simple {
				ca: ca.clone(),
				alpn: None,
				client_auth: None,
			}),
		}
	}
}

/// User name and password of a device.
#[derive(Clone)]
pub struct Login {
	/// User name.
	pub username: String,
	/// Password.
	pub password: Zeroizing<String>,
}

/// Messages and connections of some links, counted since they were opened.
#[derive(Debug, Default)]
pub struct Counters {
	/// Readings and answers handed to the network, repeated ones too.
	pub published: AtomicU64,
	/// Readings and answers that the broker has confirmed.
	pub confirmed: AtomicU64,
	/// Readings and answers lost with their connection; the readings are published again.
	pub lost: AtomicU64,
	/// Headers signed.
	pub signed: AtomicU64,
	/// Headers refused.
	pub refused: AtomicU64,
	/// Readings struck, because the gateway does not keep them.
	pub struck: AtomicU64,
	/// Connections made.
	pub connections: AtomicU64,
	/// Subscriptions that the broker has refused.
	pub unheard: AtomicU64,
}

impl Counters {
	fn add(counter: &AtomicU64) {
		counter.fetch_add(1, Ordering::Relaxed);
	}
}

/// A device that several tasks share.
#[derive(Clone)]
pub struct SharedDevice(Arc<Mutex<Device>>);

impl SharedDevice {
	/// Shares a device.
	pub fn new(device: Device) -> Self {
		Self(Arc::new(Mutex::new(device)))
	}

	/// Locks the device; hold it briefly, and not across an await.
	pub fn lock(&self) -> MutexGuard<'_, Device> {
		self.0.locked()
	}

	/// Binds the device, as [`Device::bind`] does.
	///
	/// # Errors
	/// [`DeviceError`].
	pub fn bind(&self, binding: Binding) -> Result<(), DeviceError> {
		self.lock().bind(binding)
	}
}

/// What the tasks of a link share.
struct Line {
	client: AsyncClient,
	devices: BTreeMap<MeterName, SharedDevice>,
	counters: Arc<Counters>,
	/// Held while readings go out, so that they leave in the order in which they were recorded.
	gate: Gate<()>,
	/// Number of the connection that takes readings; `None` while there is none.
	online: watch::Sender<Option<u64>>,
	repeated: Mutex<Option<Instant>>,
	subscriptions: Mutex<Subscriptions>,
}

/// One connection to a broker, for the meters of one device.
pub struct Link {
	line: Arc<Line>,
	state: watch::Receiver<State>,
	task: JoinHandle<()>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
	Connecting(String),
	Ready,
	Refused,
}

impl Drop for Link {
	fn drop(&mut self) {
		self.task.abort();
	}
}

impl Link {
	/// Connects, and stays connected. Waits at most `patience` for the first connection.
	///
	/// # Errors
	/// [`LinkError::Refused`], [`LinkError::Unreachable`].
	pub fn open<'a>(
		broker: &'a Broker,
		client_id: &'a str,
		login: Option<&'a Login>,
		devices: Vec<SharedDevice>,
		counters: Arc<Counters>,
		patience: Duration,
	) -> BoxFuture<'a, Result<Self, LinkError>> {
		Box::pin(async move {
			let mut options = MqttOptions::new(client_id, &broker.host, broker.port);
			options
				.set_keep_alive(Duration::from_secs(30))
				.set_clean_session(true)
				.set_max_packet_size(MAX_READ, MAX_PACKET)
				.set_transport(broker.transport());
			if let Some(login) = login {
				options.set_credentials(&login.username, login.password.as_str());
			}
			let (client, events) = AsyncClient::new(options, QUEUE);
			let named = |device: SharedDevice| {
				let name = device.lock().name().clone();
				(name, device)
			};
			let line = Arc::new(Line {
				client,
				devices: devices.into_iter().map(named).collect(),
				counters,
				gate: Gate::new(()),
				online: watch::Sender::new(None),
				repeated: Mutex::new(None),
				subscriptions: Mutex::default(),
			});
			let (sender, state) = watch::channel(State::Connecting("not tried yet".to_string()));
			let task = tokio::spawn(drive(line.clone(), events, sender));
			let mut link = Self { line, state, task };
			link.wait(client_id, patience).await?;
			Ok(link)
		})
	}

	async fn wait(&mut self, who: &str, patience: Duration) -> Result<(), LinkError> {
		let settled = |state: &State| !matches!(state, State::Connecting(_));
		let waited = tokio::time::timeout(patience, self.state.wait_for(settled)).await;
		match waited.map(|state| state.map(|state| state.clone())) {
			Ok(Ok(State::Ready)) => Ok(()),
			Ok(Ok(_)) => Err(LinkError::Refused(who.to_string())),
			Ok(Err(_)) => Err(LinkError::Closed),
			Err(_) => {
				let reason = match &*self.state.borrow() {
					State::Connecting(reason) => reason.clone(),
					state => format!("{state:?}"),
				};
				Err(LinkError::Unreachable { seconds: patience.as_secs(), reason })
			},
		}
	}

	/// Records readings of one of its devices and publishes them. They are recorded at once, whether
	/// the broker is there or not: what is recorded while it is away goes out with its next connection,
	/// before anything newer. Waits while the broker is slow.
	///
	/// # Errors
	/// [`LinkError::Device`], with nothing recorded; [`LinkError::Closed`].
	pub fn publish<'a>(
		&'a self,
		device: &'a SharedDevice,
		readings: &'a [Reading],
	) -> BoxFuture<'a, Result<(), LinkError>> {
		Box::pin(async move {
			let _turn = self.line.gate.lock().await;
			let (device, readings) = (device.clone(), readings.to_vec());
			// Recording waits for the disk.
			let recorded =
				tokio::task::spawn_blocking(move || device.lock().record(&readings)).await;
			let published = recorded.map_err(|_| LinkError::Closed)??;
			let connection = *self.line.online.borrow();
			if self.task.is_finished() {
				return Err(LinkError::Closed);
			}
			match connection {
				Some(_) => self.line.send(published, connection).await,
				// The next connection begins with all that is not signed.
				None => Ok(()),
			}
		})
	}

	/// Returns the topics that the broker does not let it listen to: a device that is not asked signs
	/// nothing, and one that does not hear what is refused keeps a list of its own. Each is tried again
	/// every 30 s; the broker has to allow this client to subscribe to `energy/<site>/<device>/+/sign`
	/// and `…/refused`.
	pub fn unheard(&self) -> Vec<String> {
		self.line.subscriptions.locked().refused()
	}

	/// Waits until the broker has confirmed everything, for at most `patience`.
	pub async fn settle(&self, patience: Duration) {
		let end = Instant::now() + patience;
		let Counters { published, confirmed, lost, .. } = &*self.line.counters;
		let open = || {
			let ended = confirmed.load(Ordering::Relaxed) + lost.load(Ordering::Relaxed);
			ended < published.load(Ordering::Relaxed)
		};
		while open() && Instant::now() < end {
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
	}
}

impl Line {
	/// Hands messages to a connection for as long as it lasts. On the next one all unsigned readings
	/// go out again, and a gateway without an answer asks again.
	async fn send(&self, messages: Vec<Published>, to: Option<u64>) -> Result<(), LinkError> {
		let mut online = self.online.subscribe();
		for Published { topic, payload } in messages {
			tokio::select! {
				biased;
				_ = online.wait_for(|now| *now != to) => break,
				sent = self.client.publish(topic, QoS::AtLeastOnce, false, payload) => {
					sent.map_err(|_| LinkError::Closed)?;
					Counters::add(&self.counters.published);
				},
			}
		}
		Ok(())
	}

	/// Publishes what is not signed, of every device.
	async fn repeat(&self, to: Option<u64>) -> Result<(), LinkError> {
		let _turn = self.gate.lock().await;
		self.repeat_all(to).await
	}

	async fn repeat_all(&self, to: Option<u64>) -> Result<(), LinkError> {
		for device in self.devices.values() {
			let unsigned = device.lock().again()?;
			self.send(unsigned, to).await?;
		}
		Ok(())
	}

	/// Subscribes and repeats the unsigned readings on a new connection. New readings are published
	/// after those.
	async fn greet(&self, connection: u64) -> Result<(), LinkError> {
		self.subscribe().await?;
		let _turn = self.gate.lock().await;
		self.online.send_replace(Some(connection));
		self.repeat_all(Some(connection)).await
	}

	/// Subscribes to what all devices listen to.
	async fn subscribe(&self) -> Result<(), LinkError> {
		for name in self.devices.keys() {
			for topic in [Topic::Sign, Topic::Refused] {
				self.listen(topic.of(name)).await?;
			}
		}
		Ok(())
	}

	async fn listen(&self, topic: String) -> Result<(), LinkError> {
		self.subscriptions.locked().asked(topic.clone());
		let subscribed = self.client.subscribe(topic, QoS::AtLeastOnce).await;
		subscribed.map_err(|_| LinkError::Closed)
	}

	/// Tries again what the broker refuses, as long as the connection lasts.
	async fn insist(&self) -> Result<(), LinkError> {
		loop {
			tokio::time::sleep(SUBSCRIBE_AGAIN).await;
			let refused = self.subscriptions.locked().refused();
			for topic in refused {
				self.listen(topic).await?;
			}
		}
	}

	/// Notes what the broker says to a subscription.
	fn answered(&self, number: u16, codes: &[SubscribeReasonCode]) {
		if let Some(topic) = self.subscriptions.locked().answered(number, codes) {
			Counters::add(&self.counters.unheard);
			tracing::error!(
				%topic,
				"the broker refuses the subscription: allow this client to subscribe to it"
			);
		}
	}

	/// Answers a gateway's request, and strikes what it does not keep; other messages are ignored.
	async fn answer(self: Arc<Self>, message: Publish) -> Result<(), LinkError> {
		let connection = *self.online.borrow();
		let Some((purpose, name)) = Topic::parse(&message.topic) else { return Ok(()) };
		let Some(device) = self.devices.get(&name).cloned() else { return Ok(()) };
		match purpose {
			Topic::Sign => (),
			Topic::Refused => return self.strike(&name, device, &message).await,
			Topic::Readings | Topic::Signed => return Ok(()),
		}
		// Signing waits for the disk.
		let answered =
			tokio::task::spawn_blocking(move || device.lock().answer(&message.payload)).await;
		let (answer, refusal) = match answered {
			Ok(Ok(answered)) => answered,
			Ok(Err(error)) => {
				tracing::warn!(meter = %name, %error, "a message that is not a request");
				return Ok(());
			},
			Err(_) => return Err(LinkError::Closed),
		};
		match &refusal {
			None => Counters::add(&self.counters.signed),
			Some(refusal) => {
				tracing::warn!(meter = %name, %refusal, "not signed");
				Counters::add(&self.counters.refused);
			},
		}
		let answer = Published { topic: Topic::Signed.of(&name), payload: answer.to_json() };
		self.send(vec![answer], connection).await?;
		if refusal.as_ref().is_some_and(SignRefusal::asks_for_readings) && self.may_repeat() {
			self.repeat(connection).await?;
		}
		Ok(())
	}

	/// Strikes a reading that the gateway does not keep.
	async fn strike(
		&self,
		name: &MeterName,
		device: SharedDevice,
		message: &Publish,
	) -> Result<(), LinkError> {
		let notice = match RefusalNotice::parse(&message.payload) {
			Ok(notice) => notice,
			Err(error) => {
				tracing::warn!(meter = %name, %error, "a message that is not a notice of a refusal");
				return Ok(());
			},
		};
		let leaf = notice.leaf;
		let struck = tokio::task::spawn_blocking(move || device.lock().strike(&leaf)).await;
		if struck.map_err(|_| LinkError::Closed)?? {
			let RefusalNotice { reason, detail, .. } = &notice;
			tracing::warn!(meter = %name, %leaf, %reason, %detail, "a reading is struck");
			Counters::add(&self.counters.struck);
		}
		Ok(())
	}

	fn may_repeat(&self) -> bool {
		let mut last = self.repeated.locked();
		let now = Instant::now();
		let is_due = last.is_none_or(|last| now.duration_since(last) >= REPEAT_PAUSE);
		if is_due {
			*last = Some(now);
		}
		is_due
	}
}

/// Keeps a connection up until the link is dropped.
async fn drive(line: Arc<Line>, mut events: EventLoop, state: watch::Sender<State>) {
	let mut pauses = PAUSES.pauses();
	let mut greeting: Option<JoinHandle<()>> = None;
	let mut connection = 0;
	let mut since: Option<Instant> = None;
	loop {
		match events.poll().await {
			Ok(Event::Incoming(Packet::ConnAck(_))) => {
				Counters::add(&line.counters.connections);
				since = Some(Instant::now());
				connection += 1;
				greeting = Some(tokio::spawn(greet(line.clone(), connection, state.clone())));
			},
			Ok(Event::Incoming(Packet::PubAck(_))) => Counters::add(&line.counters.confirmed),
			Ok(Event::Outgoing(Outgoing::Subscribe(number))) => {
				line.subscriptions.locked().sent(number);
			},
			Ok(Event::Incoming(Packet::SubAck(answer))) => {
				line.answered(answer.pkid, &answer.return_codes);
			},
			Ok(Event::Incoming(Packet::Publish(message))) => {
				let line = line.clone();
				tokio::spawn(async move {
					if let Err(error) = line.answer(message).await {
						tracing::warn!(%error, "a request was not answered");
					}
				});
			},
			Ok(_) => (),
			Err(error) => {
				if let Some(greeting) = greeting.take() {
					greeting.abort();
					let _ = greeting.await;
				}
				line.online.send_replace(None);
				if since.take().is_some_and(|since| since.elapsed() >= GOOD) {
					pauses.reset();
				}
				line.counters.lost.fetch_add(drop_unfinished(&mut events), Ordering::Relaxed);
				line.subscriptions.locked().lost();
				if is_refusal(&error) {
					tracing::error!(%error, "the broker rejects the login");
					state.send_replace(State::Refused);
				} else if *state.borrow() != State::Ready {
					state.send_replace(State::Connecting(error.to_string()));
				} else {
					tracing::warn!(%error, "the connection to the broker was lost");
				}
				tokio::time::sleep(pauses.next_pause()).await;
			},
		}
	}
}

/// Drops what was under way when a connection was lost, and returns how many readings and answers
/// that were.
///
/// The library keeps a publish aside that found its packet number taken, and publishes no other
/// until the one before it is confirmed. It keeps it over the end of the connection, after which
/// that confirmation never comes: nothing would ever be published again.
fn drop_unfinished(events: &mut EventLoop) -> u64 {
	events.clean();
	let aside = events.state.collision.take().map(Request::Publish);
	let unfinished = events.pending.drain(..).chain(aside);
	let published = unfinished.filter(|request| matches!(request, Request::Publish(_))).count();
	clamped(published)
}

const fn is_refusal(error: &ConnectionError) -> bool {
	matches!(
		error,
		ConnectionError::ConnectionRefused(
			ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized
		)
	)
}

async fn greet(line: Arc<Line>, connection: u64, state: watch::Sender<State>) {
	match line.greet(connection).await {
		Ok(()) => _ = state.send_replace(State::Ready),
		Err(error) => return tracing::error!(%error, "the device cannot publish"),
	}
	if let Err(error) = line.insist().await {
		tracing::warn!(%error, "the device subscribes no more");
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn addresses_of_brokers_are_read_strictly() {
		let parse = |url: &str| Broker::parse(url, None).map(|b| (b.host, b.port, b.tls.is_some()));
		let good = |url: &str| parse(url).unwrap();
		assert_eq!(good("mqtt://127.0.0.1"), ("127.0.0.1".to_string(), 1883, false));
		assert_eq!(good("mqtts://broker.example:9"), ("broker.example".to_string(), 9, true));
		assert_eq!(good("mqtt://[::1]:1884/"), ("::1".to_string(), 1884, false));
		assert_eq!(good("mqtts://[::1]"), ("::1".to_string(), 8883, true));
		for url in
			["127.0.0.1", "http://a", "mqtt://", "mqtt://a:b", "mqtt://u:p@a:1", "mqtt://a/b:1"]
		{
			assert!(matches!(parse(url), Err(LinkError::BadUrl(_))), "{url}");
		}
		let missing = Broker::parse("mqtts://a", Some(Path::new("/nowhere.pem")));
		assert!(matches!(missing, Err(LinkError::BadCa { .. })));
	}
}
