//! An external MQTT broker in place of the embedded server.
//!
//! The gateway keeps a session there and acknowledges a message after it is on disk, so that the
//! broker delivers again whatever a crash interrupted. Which client may publish where is up to that
//! broker.

use crate::{
	config::{self, MAX_MESSAGE_BYTES, Settings},
	health::{Address, Health},
	intake::contract::{BoxError, Gate, Intake},
	message::{Message, Sender, Source},
	notices::Outbox,
	refusal::IngestError,
	stop::finish,
};
use futures::{StreamExt, future::BoxFuture, stream::FuturesOrdered};
use gridproof_primitives::energy::Topic;
use gridproof_store::StoreError;
use gridproof_support::{Stop, Stopper, files, text::without_login, tls};
use percent_encoding::percent_decode_str;
use rumqttc::{
	AsyncClient, ConnectionError, Event, EventLoop, Incoming, MqttOptions, Publish, QoS,
	SubscribeReasonCode, TlsConfiguration, Transport,
};
use rustls::{
	ClientConfig, RootCertStore,
	pki_types::{CertificateDer, pem::PemObject},
};
use std::{
	borrow::Cow,
	path::Path,
	sync::{
		Arc,
		atomic::{AtomicBool, Ordering},
	},
	time::Duration,
};
use tokio::task::JoinHandle;

/// Messages on their way to the disk.
const IN_FLIGHT: usize = 1_024;
/// Requests that may wait for the connection.
const REQUESTS: usize = 4_096;
/// Shortest and longest pause between two attempts to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// Bytes of a packet of the broker: the most that MQTT has, 256 MiB, so that none ends the connection
/// by its size, for the broker would send it again and again. What is larger than a reading may be is
/// put away, and its bytes are dropped at once.
const MAX_PACKET: usize = (1 << 28) + 4;
/// A connection that lasts so long was a good one.
const GOOD: Duration = Duration::from_secs(30);
/// Connections in a row that are lost at once, after which another client may have the same name.
const QUICK_LOSSES: u32 = 3;
/// How often a subscription that the broker refuses is tried again.
const SUBSCRIBE_AGAIN: Duration = Duration::from_secs(30);
/// The name to connect by, in the data folder.
const CLIENT_ID_FILE: &str = "broker-client-id";

/// Why the broker cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
	/// The address cannot be used.
	#[error("the broker's address is unusable: {0}; it looks like mqtt://user:password@host:1883")]
	BadUrl(String),
	/// There is a password, and the address names no user.
	#[error("with a password the address names a user: mqtt://user@host:1883")]
	NoUser,
	/// The filter is not one of readings.
	#[error("{0:?} is not a filter of readings: it has four levels, such as energy/PLANT-01/+/+")]
	BadFilter(String),
	/// The name to connect by cannot be kept.
	#[error("{path}: {reason}")]
	ClientId {
		/// Where it is kept.
		path: String,
		/// The system's error.
		reason: String,
	},
	/// The authority's certificate cannot be used.
	#[error("{path}: {reason}")]
	BadAuthority {
		/// The file.
		path: String,
		/// What is wrong with it.
		reason: String,
	},
}

/// The external broker as a way that readings come in.
pub(crate) struct Broker {
	link: Arc<Link>,
	/// The connection, until it is driven.
	events: Option<EventLoop>,
	shown: String,
	health: Health,
	stopper: Stopper,
	task: Option<JoinHandle<()>>,
}

impl Broker {
	/// The broker of these settings, if they have one.
	///
	/// # Errors
	/// [`BrokerError`] when its address or its authority cannot be used.
	pub(crate) fn of(settings: &Settings) -> Result<Option<Self>, BrokerError> {
		let Some(broker) = &settings.broker else { return Ok(None) };
		let (link, events) = link(broker, client_id(broker, &settings.data)?)?;
		let health = Health::default();
		health.down("not connected yet");
		Ok(Some(Self {
			link,
			events: Some(events),
			shown: without_login(broker.url.as_str()),
			health,
			stopper: Stopper::new(),
			task: None,
		}))
	}
}

impl Intake for Broker {
	fn source(&self) -> Source {
		Source::BROKER
	}

	fn start(&mut self, gate: Gate) -> BoxFuture<'_, Result<(), BoxError>> {
		if let Some(events) = self.events.take() {
			let (link, health, stop) =
				(self.link.clone(), self.health.clone(), self.stopper.signal());
			self.task = Some(tokio::spawn(drive(link, events, gate, health, stop)));
		}
		Box::pin(async { Ok(()) })
	}

	fn addresses(&self) -> Vec<Address> {
		vec![Address { name: "broker", at: self.shown.clone() }]
	}

	fn health(&self) -> Health {
		self.health.clone()
	}

	fn outbox(&self) -> Option<Arc<dyn Outbox>> {
		Some(self.link.clone())
	}

	fn stop(&mut self) -> BoxFuture<'_, ()> {
		Box::pin(async {
			self.stopper.stop();
			if let Some(task) = self.task.take() {
				finish(task).await;
			}
		})
	}
}

/// The way to the broker.
struct Link {
	client: AsyncClient,
	connected: AtomicBool,
	/// What is subscribed to.
	filters: [String; 2],
}

impl Outbox for Link {
	fn publish(&self, topic: &str, payload: String) -> bool {
		// A full queue means that the broker is away: the device is asked again later.
		self.connected.load(Ordering::Relaxed)
			&& self.client.try_publish(topic, QoS::AtLeastOnce, false, payload).is_ok()
	}
}

/// The name to connect by: the operator's, or one that is made once. Two gateways with one name would
/// drive each other out.
fn client_id(broker: &config::Broker, data: &Path) -> Result<String, BrokerError> {
	if let Some(own) = &broker.client_id {
		return Ok(own.clone());
	}
	let path = data.join(CLIENT_ID_FILE);
	let bad = |reason: std::io::Error| BrokerError::ClientId {
		path: path.display().to_string(),
		reason: reason.to_string(),
	};
	match std::fs::read_to_string(&path) {
		Ok(kept) if !kept.trim().is_empty() => return Ok(kept.trim().to_string()),
		Ok(_) => (),
		Err(error) if error.kind() == std::io::ErrorKind::NotFound => (),
		Err(error) => return Err(bad(error)),
	}
	let made = format!("gridproof-gateway-{:08x}", rand::random::<u32>());
	std::fs::create_dir_all(data).map_err(bad)?;
	files::replace(&path, made.as_bytes(), files::SECRET).map_err(bad)?;
	Ok(made)
}

/// The filters of readings and of answers.
fn filters(broker: &config::Broker) -> Result<[String; 2], BrokerError> {
	let readings = broker.filter.clone().unwrap_or_else(|| Topic::Readings.of_all());
	let levels: Vec<&str> = readings.split('/').collect();
	let is_part = |level: &&str| *level == "+" || !(level.is_empty() || level.contains(['+', '#']));
	if levels.len() != 4 || levels.first() != Some(&Topic::ROOT) || !levels.iter().all(is_part) {
		return Err(BrokerError::BadFilter(readings));
	}
	let signed = format!("{readings}/signed");
	Ok([readings, signed])
}

/// Where a broker is, and who connects to it. No error has any part of the address, which may have a
/// password in it.
struct Place {
	is_tls: bool,
	host: String,
	port: u16,
	login: Option<(String, Option<String>)>,
}

impl Place {
	fn parse(url: &str) -> Result<Self, BrokerError> {
		let bad = |what: &str| BrokerError::BadUrl(what.to_string());
		let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("it has no scheme"))?;
		let (is_tls, default_port) = match scheme {
			"mqtt" => (false, 1883),
			"mqtts" => (true, 8883),
			_ => return Err(bad("unknown scheme")),
		};
		// A password may have any character in it, an @ as well; a host has none.
		let (user, address) = match rest.rsplit_once('@') {
			Some((user, address)) => (Some(user), address),
			None => (None, rest),
		};
		let address = address.strip_suffix('/').unwrap_or(address);
		let (host, port) = match address.rsplit_once(':') {
			// Not the last part of an IPv6 address in brackets.
			Some((host, port)) if !port.ends_with(']') => {
				(host, port.parse().map_err(|_| bad("the port is not a number"))?)
			},
			_ => (address, default_port),
		};
		let host = host.trim_start_matches('[').trim_end_matches(']');
		if host.is_empty() || host.contains(['/', '?', '#', '@', ' ']) {
			return Err(bad("it has no host, or something behind it"));
		}
		let plain = |text: &str| {
			let decoded = percent_decode_str(text).decode_utf8().map(Cow::into_owned);
			decoded.map_err(|_| bad("user and password are UTF-8"))
		};
		let login = match user.map(|user| user.split_once(':').ok_or(user)) {
			None => None,
			Some(Ok((user, password))) => Some((plain(user)?, Some(plain(password)?))),
			Some(Err(user)) => Some((plain(user)?, None)),
		};
		Ok(Self { is_tls, host: host.to_string(), port, login })
	}
}

/// A link to the broker, and its connection.
fn link(broker: &config::Broker, client_id: String) -> Result<(Arc<Link>, EventLoop), BrokerError> {
	let Place { is_tls, host, port, login } = Place::parse(&broker.url)?;
	let filters = filters(broker)?;
	let mut options = MqttOptions::new(client_id, host, port);
	if is_tls {
		options.set_transport(transport(broker)?);
	}
	match (login, &broker.password) {
		(None, Some(_)) => return Err(BrokerError::NoUser),
		(None, None) => (),
		(Some((user, own)), password) => {
			let password = password.as_ref().map(|password| password.to_string());
			options.set_credentials(user, password.or(own).unwrap_or_default());
		},
	}
	options.set_clean_session(false);
	options.set_manual_acks(true);
	options.set_keep_alive(Duration::from_secs(30));
	options.set_max_packet_size(MAX_PACKET, 1 << 17);
	let (client, events) = AsyncClient::new(options, REQUESTS);
	Ok((Arc::new(Link { client, connected: AtomicBool::default(), filters }), events))
}

fn transport(broker: &config::Broker) -> Result<Transport, BrokerError> {
	tls::install();
	let Some(path) = &broker.authority else { return Ok(Transport::tls_with_default_config()) };
	let provider = Arc::new(rustls::crypto::ring::default_provider());
	let config = ClientConfig::builder_with_provider(provider)
		.with_safe_default_protocol_versions()
		.map_err(|error| BrokerError::BadUrl(error.to_string()))?
		.with_root_certificates(authorities(path)?)
		.with_no_client_auth();
	Ok(Transport::Tls(TlsConfiguration::Rustls(Arc::new(config))))
}

fn authorities(path: &Path) -> Result<RootCertStore, BrokerError> {
	let bad =
		|reason: String| BrokerError::BadAuthority { path: path.display().to_string(), reason };
	let mut roots = RootCertStore::empty();
	let certificates =
		CertificateDer::pem_file_iter(path).map_err(|error| bad(error.to_string()))?;
	for certificate in certificates {
		let certificate = certificate.map_err(|error| bad(error.to_string()))?;
		roots.add(certificate).map_err(|error| bad(error.to_string()))?;
	}
	if roots.is_empty() {
		Err(bad("holds no certificate in PEM form".to_string()))
	} else {
		Ok(roots)
	}
}

/// How the connections have fared.
struct Course {
	pause: Duration,
	/// When the last connection began; `None` if there was none, or it was good for something.
	since: Option<std::time::Instant>,
	losses: u32,
}

impl Course {
	/// Something was taken over the connection: it is a good one.
	const fn good(&mut self) {
		(self.pause, self.since, self.losses) = (PAUSES.0, None, 0);
	}

	/// The connection, or the attempt at one, is lost. Returns the pause before the next.
	fn lost(&mut self) -> Duration {
		if let Some(since) = self.since.take() {
			if since.elapsed() >= GOOD {
				self.good();
			} else {
				self.losses = self.losses.saturating_add(1);
			}
		}
		let pause = self.pause;
		self.pause = pause.saturating_mul(2).min(PAUSES.1);
		pause
	}
}

/// Takes what the broker delivers, until `stop` is true.
async fn drive(link: Arc<Link>, mut events: EventLoop, gate: Gate, health: Health, stop: Stop) {
	let mut course = Course { pause: PAUSES.0, since: None, losses: 0 };
	// MQTT wants them acknowledged in the order in which they came, and brokers end the connection of a
	// client that does otherwise; what was under way then is lost where no session is kept.
	let mut taking = FuturesOrdered::new();
	let mut connection = 0u64;
	// A message was not taken: nothing behind it is acknowledged either, until there is another connection.
	let mut is_ending = false;
	// When the broker is connected to, or asked for a subscription, again.
	let mut paused_until = None;
	let mut subscribe_at = None;
	// The broker's answers to the filters so far, in their order.
	let mut granted = Vec::new();
	loop {
		// No more is read from the broker while too much is on its way to the disk.
		let may_read = taking.len() < IN_FLIGHT && paused_until.is_none();
		tokio::select! {
			biased;
			() = stop.stopped() => break,
			() = until(paused_until), if paused_until.is_some() => paused_until = None,
			() = until(subscribe_at), if subscribe_at.is_some() => {
				subscribe_at = None;
				granted.clear();
				subscribe(&link, 0);
			},
			Some(outcome) = taking.next(), if !taking.is_empty() => {
				let (of, outcome): (u64, Result<Publish, Publish>) = outcome;
				match outcome {
					// On another connection the same number may stand for another message.
					_ if of != connection || is_ending => (),
					// What is not acknowledged comes again.
					Ok(publish) => {
						course.good();
						drop(link.client.try_ack(&publish));
					},
					// Not acknowledged: the broker brings it again after a new connection.
					Err(_) => {
						is_ending = true;
						drop(link.client.try_disconnect());
					},
				}
			},
			event = events.poll(), if may_read => match event {
				Ok(Event::Incoming(Incoming::ConnAck(_))) => {
					course.since = Some(std::time::Instant::now());
					link.connected.store(true, Ordering::Relaxed);
					health.down("connected, and not subscribed yet");
					granted.clear();
					subscribe(&link, 0);
				},
				Ok(Event::Incoming(Incoming::SubAck(answer))) => {
					granted.push(is_granted(&answer.return_codes));
					let refused = refused(&link, &granted);
					if granted.len() < link.filters.len() {
						subscribe(&link, granted.len());
					} else if refused.is_empty() {
						health.up();
					}
					if !refused.is_empty() {
						let filters = refused.join(" and ");
						tracing::error!(%filters, "the broker refuses the subscription");
						health.down(format!("the broker refuses the subscription to {filters}"));
						subscribe_at = Some(tokio::time::Instant::now() + SUBSCRIBE_AGAIN);
					}
				},
				Ok(Event::Incoming(Incoming::Publish(mut publish))) => {
					let too_large = too_large(&mut publish);
					let taken = take(publish, too_large, gate.clone());
					taking.push_back(async move { (connection, taken.await) });
				},
				Ok(_) => (),
				Err(error) => {
					connection = connection.wrapping_add(1);
					is_ending = false;
					// The library keeps a request to sign aside whose packet number is taken, and
					// sends nothing more, no acknowledgement either, until that number is free. It
					// would keep it over the end of the connection, forever.
					events.state.collision = None;
					subscribe_at = None;
					let pause = course.lost();
					lost(&link, &health, &error, &course, pause);
					paused_until = Some(tokio::time::Instant::now() + pause);
				},
			},
		}
	}
}

async fn until(moment: Option<tokio::time::Instant>) {
	match moment {
		Some(moment) => tokio::time::sleep_until(moment).await,
		None => std::future::pending().await,
	}
}

fn lost(link: &Link, health: &Health, error: &ConnectionError, course: &Course, pause: Duration) {
	link.connected.store(false, Ordering::Relaxed);
	let hint = if course.losses >= QUICK_LOSSES {
		"; connections end at once: another client may have the same name, see --broker-client-id"
	} else {
		""
	};
	health.down(format!("the broker is away: {error}{hint}"));
	tracing::warn!(%error, pause = ?pause, "the broker is away{hint}");
}

/// Asks for one of the filters. The next is asked for when this one is answered: some brokers have one
/// answer for several in one packet, or refuse all because of one.
fn subscribe(link: &Link, place: usize) {
	let Some(filter) = link.filters.get(place) else { return };
	if let Err(error) = link.client.try_subscribe(filter.clone(), QoS::AtLeastOnce) {
		tracing::error!(%error, "cannot subscribe");
	}
}

fn is_granted(codes: &[SubscribeReasonCode]) -> bool {
	let is_success = |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Success(_));
	!codes.is_empty() && codes.iter().all(is_success)
}

/// The filters that the broker has answered and does not grant.
fn refused(link: &Link, granted: &[bool]) -> Vec<String> {
	let answered = link.filters.iter().zip(granted);
	answered.filter(|(_, granted)| !**granted).map(|(filter, _)| filter.clone()).collect()
}

/// Drops the payload of a message that is too large, and returns how many bytes it had.
fn too_large(publish: &mut Publish) -> Option<usize> {
	let bytes = publish.payload.len();
	let is_too_large = u32::try_from(bytes).is_ok_and(|bytes| bytes > MAX_MESSAGE_BYTES);
	is_too_large.then(|| {
		publish.payload = Default::default();
		bytes
	})
}

async fn take(publish: Publish, too_large: Option<usize>, gate: Gate) -> Result<Publish, Publish> {
	for _ in 0..20 {
		match attempt(&publish, too_large, &gate).await {
			Ok(()) => return Ok(publish),
			Err(error) if error.is_temporary() => {
				tracing::error!(%error, "a message of the broker waits");
				tokio::time::sleep(Duration::from_secs(1)).await;
			},
			Err(error) => {
				tracing::error!(%error, "a message of the broker is not acknowledged");
				break;
			},
		}
	}
	Err(publish)
}

async fn attempt(
	publish: &Publish,
	too_large: Option<usize>,
	gate: &Gate,
) -> Result<(), StoreError> {
	if let Some(bytes) = too_large {
		let detail = format!("{bytes} bytes; a message has at most {MAX_MESSAGE_BYTES}");
		return gate.ingest.bury(Source::BROKER, &publish.topic, "too_large", detail, &[]).await;
	}
	match (Topic::parse(&publish.topic), &gate.signer) {
		(Some((Topic::Signed, name)), Some(signer)) => {
			signer.answer(Source::BROKER, &name, &publish.payload).await
		},
		_ => {
			let message = Message {
				source: Source::BROKER,
				place: &publish.topic,
				is_topic: true,
				sender: &Sender::Anyone,
				payload: &publish.payload,
			};
			match gate.ingest.take(&message, true).await {
				Ok(_) | Err(IngestError::Refused(_)) => Ok(()),
				Err(IngestError::Store(error)) => Err(error),
			}
		},
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use zeroize::Zeroizing;

	fn broker(url: &str, password: Option<&str>) -> config::Broker {
		config::Broker {
			url: Zeroizing::new(url.to_string()),
			password: password.map(|password| Zeroizing::new(password.to_string())),
			authority: None,
			client_id: None,
			filter: None,
		}
	}

	fn login_of(
		url: &str,
		password: Option<&str>,
	) -> Result<Option<(String, String)>, BrokerError> {
		let (_, events) = link(&broker(url, password), "gateway".to_string())?;
		let login = events.mqtt_options.credentials();
		Ok(login.map(|login| (login.username, login.password)))
	}

	#[test]
	fn user_and_password_reach_the_broker_byte_for_byte() {
		let login = |user: &str, password: &str| Some((user.to_string(), password.to_string()));
		for password in ["p@ss:w/rd?#%41%", "grün 密", "@", "%2F"] {
			let found = login_of("mqtt://user@host:1883", Some(password)).unwrap();
			assert_eq!(found, login("user", password));
		}
		let found = login_of("mqtt://us%40er:old@host", Some("new")).unwrap();
		assert_eq!(found, login("us@er", "new"));
		for (url, user, password) in [
			("mqtt://user:p@ss@host", "user", "p@ss"),
			("mqtt://us%3Aer:p%40%2F%25ss@host", "us:er", "p@/%ss"),
			("mqtt://Jürgen:grün@host", "Jürgen", "grün"),
			("mqtt://user:a/b?c#d:e@host:1", "user", "a/b?c#d:e"),
			("mqtt://user@host", "user", ""),
		] {
			assert_eq!(login_of(url, None).unwrap(), login(user, password), "{url}");
		}
		assert_eq!(login_of("mqtt://host", None).unwrap(), None);
	}

	#[test]
	fn a_password_needs_a_user_in_the_address() {
		let refused = login_of("mqtt://host", Some("secret")).unwrap_err();
		assert!(matches!(refused, BrokerError::NoUser), "{refused}");
		let refused = login_of("mqtt://user:%ff@host", None).unwrap_err();
		assert!(matches!(refused, BrokerError::BadUrl(_)), "{refused}");
	}

	#[test]
	fn a_broker_is_shown_without_user_and_password() {
		for (url, shown) in [
			("mqtts://user:p@ss@host:8883", "mqtts://host:8883"),
			("mqtt://user@host", "mqtt://host"),
			("mqtt://host:1883", "mqtt://host:1883"),
		] {
			assert_eq!(without_login(url), shown);
		}
	}

	#[test]
	fn every_scheme_has_its_own_port_and_no_error_shows_a_part_of_a_password() {
		let port = |url: &str| Place::parse(url).map(|place| (place.is_tls, place.port));
		assert_eq!(port("mqtt://h").unwrap(), (false, 1883));
		assert_eq!(port("mqtts://u@h").unwrap(), (true, 8883));
		assert_eq!(port("mqtts://u:p@[::1]:9").unwrap(), (true, 9));
		for url in
			["mqtt://u:hunter2@", "mqtt://u:hunter2@h:x", "http://u:hunter2@h", "u:hunter2@h"]
		{
			let error = port(url).unwrap_err().to_string();
			assert!(!error.contains("hunter"), "{error}");
		}
	}

	#[test]
	fn a_filter_is_one_of_readings() {
		let of = |filter: &str| {
			filters(&config::Broker {
				filter: Some(filter.to_string()),
				..broker("mqtt://h", None)
			})
		};
		let wanted = ["energy/PLANT-01/+/+", "energy/PLANT-01/+/+/signed"];
		assert_eq!(of("energy/PLANT-01/+/+").unwrap(), wanted);
		for bad in ["energy/#", "energy/a/+", "x/+/+/+", "energy/a+/+/+", "energy//+/+"] {
			assert!(matches!(of(bad), Err(BrokerError::BadFilter(_))), "{bad}");
		}
	}

	#[test]
	fn a_gateway_without_a_name_of_its_own_makes_one_and_keeps_it() {
		let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
		let broker = broker("mqtt://host", None);
		let made = client_id(&broker, one.path()).unwrap();
		assert_eq!(client_id(&broker, one.path()).unwrap(), made);
		assert_ne!(client_id(&broker, other.path()).unwrap(), made);
		let named = config::Broker { client_id: Some("mine".to_string()), ..broker };
		assert_eq!(client_id(&named, one.path()).unwrap(), "mine");
	}

	#[test]
	fn the_pause_grows_while_connections_are_good_for_nothing() {
		let mut course = Course { pause: PAUSES.0, since: None, losses: 0 };
		let mut pauses = Vec::new();
		for _ in 0..8 {
			// The broker lets it in each time.
			course.since = Some(std::time::Instant::now());
			pauses.push(course.lost());
		}
		assert!(pauses.is_sorted() && pauses[7] == PAUSES.1, "{pauses:?}");
		assert!(course.losses >= QUICK_LOSSES);
		course.good();
		assert_eq!((course.lost(), course.losses), (PAUSES.0, 0));
	}
}
