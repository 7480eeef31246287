//! An external MQTT broker in place of the embedded server.
//!
//! The gateway keeps a session there and acknowledges a message after it is on disk, so that the
//! broker delivers again whatever a crash interrupted. Which client may publish where is up to that
//! broker.

use crate::{
	config::{self, Settings},
	health::{Address, Health},
	intake::contract::{BoxError, Gate, Intake},
	message::{Message, Sender, Source},
	refusal::IngestError,
	signing::Outbox,
	stop::finish,
};
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use gridproof_primitives::energy::Topic;
use gridproof_store::StoreError;
use gridproof_support::{Stop, Stopper};
use percent_encoding::percent_decode_str;
use rumqttc::{
	AsyncClient, ConnectionError, Event, EventLoop, Incoming, MqttOptions, Publish, QoS,
	TlsConfiguration, Transport,
};
use rustls::{
	ClientConfig, RootCertStore,
	pki_types::{CertificateDer, pem::PemObject},
};
use std::{
	borrow::Cow,
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
/// Longest pause between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why the broker cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
	/// The address cannot be used.
	#[error("the broker's address is unusable: {0}; it looks like mqtt://user:password@host:1883")]
	BadUrl(String),
	/// There is a password, and the address names no user.
	#[error("with a password the address names a user: mqtt://user@host:1883")]
	NoUser,
	/// The broker is to be reached over TLS, and no authority is named.
	#[error("a broker over TLS needs the certificate of its authority; give --broker-ca FILE")]
	NoAuthority,
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
		let (link, events) = link(broker)?;
		let health = Health::default();
		health.down("not connected yet");
		Ok(Some(Self {
			link,
			events: Some(events),
			shown: without_password(broker.url.as_str()),
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
}

impl Outbox for Link {
	fn publish(&self, topic: &str, payload: String) -> bool {
		// A full queue means that the broker is away: the device is asked again later.
		self.connected.load(Ordering::Relaxed)
			&& self.client.try_publish(topic, QoS::AtLeastOnce, false, payload).is_ok()
	}
}

/// A broker's address without its password.
fn without_password(url: &str) -> String {
	match (url.split_once("://"), url.rsplit_once('@')) {
		(Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
		_ => url.to_string(),
	}
}

/// A link to the broker, and its connection.
fn link(broker: &config::Broker) -> Result<(Arc<Link>, EventLoop), BrokerError> {
	let is_tls = broker.url.starts_with("mqtts://");
	let plain = broker.url.replacen("mqtts://", "mqtt://", 1);
	if !plain.starts_with("mqtt://") {
		return Err(BrokerError::BadUrl("unknown scheme".to_string()));
	}
	let separator = if plain.contains('?') { '&' } else { '?' };
	let url = format!("{plain}{separator}client_id={}", broker.client_id);
	let mut options =
		MqttOptions::parse_url(url).map_err(|error| BrokerError::BadUrl(error.to_string()))?;
	if is_tls {
		let provider = Arc::new(rustls::crypto::ring::default_provider());
		let roots = authorities(broker)?;
		let config = ClientConfig::builder_with_provider(provider)
			.with_safe_default_protocol_versions()
			.map_err(|error| BrokerError::BadUrl(error.to_string()))?
			.with_root_certificates(roots)
			.with_no_client_auth();
		options.set_transport(Transport::Tls(TlsConfiguration::Rustls(Arc::new(config))));
	}
	if let Some((user, password)) = login(&options, broker)? {
		options.set_credentials(user, password);
	}
	options.set_clean_session(false);
	options.set_manual_acks(true);
	options.set_keep_alive(Duration::from_secs(30));
	options.set_max_packet_size(1 << 17, 1 << 17);
	let (client, events) = AsyncClient::new(options, REQUESTS);
	Ok((Arc::new(Link { client, connected: AtomicBool::default() }), events))
}

/// User and password, byte for byte: the client library takes them as they are escaped in the
/// address.
fn login(
	options: &MqttOptions,
	broker: &config::Broker,
) -> Result<Option<(String, String)>, BrokerError> {
	let Some(escaped) = options.credentials() else {
		return if broker.password.is_some() { Err(BrokerError::NoUser) } else { Ok(None) };
	};
	let plain = |text: &str| {
		let decoded = percent_decode_str(text).decode_utf8().map(Cow::into_owned);
		decoded.map_err(|_| BrokerError::BadUrl("user and password are UTF-8".to_string()))
	};
	let password = match &broker.password {
		Some(password) => password.to_string(),
		None => plain(&escaped.password)?,
	};
	Ok(Some((plain(&escaped.username)?, password)))
}

fn authorities(broker: &config::Broker) -> Result<RootCertStore, BrokerError> {
	let Some(path) = &broker.authority else { return Err(BrokerError::NoAuthority) };
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

/// Takes what the broker delivers, until `stop` is true.
async fn drive(link: Arc<Link>, mut events: EventLoop, gate: Gate, health: Health, stop: Stop) {
	let mut pause = Duration::from_millis(500);
	let mut taking = FuturesUnordered::new();
	let mut connection = 0u64;
	loop {
		// No more is read from the broker while too much is on its way to the disk.
		let may_read = taking.len() < IN_FLIGHT;
		tokio::select! {
			biased;
			() = stop.stopped() => break,
			Some(outcome) = taking.next(), if !taking.is_empty() => {
				let (of, outcome): (u64, Result<Publish, Publish>) = outcome;
				match outcome {
					// On another connection the same number may stand for another message.
					_ if of != connection => (),
					// What is not acknowledged comes again.
					Ok(publish) => drop(link.client.try_ack(&publish)),
					// Not acknowledged: the broker brings it again after a new connection.
					Err(_) => drop(link.client.try_disconnect()),
				}
			},
			event = events.poll(), if may_read => match event {
				Ok(Event::Incoming(Incoming::ConnAck(_))) => {
					pause = Duration::from_millis(500);
					link.connected.store(true, Ordering::Relaxed);
					health.up();
					subscribe(&link);
				},
				Ok(Event::Incoming(Incoming::Publish(publish))) => {
					let taken = take(publish, gate.clone());
					taking.push(async move { (connection, taken.await) });
				},
				Ok(_) => (),
				Err(error) => {
					connection = connection.wrapping_add(1);
					// The library keeps a request to sign aside whose packet number is taken, and
					// sends nothing more, no acknowledgement either, until that number is free. It
					// would keep it over the end of the connection, forever.
					events.state.collision = None;
					lost(&link, &health, &error, pause);
					tokio::time::sleep(pause).await;
					pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
				},
			},
		}
	}
}

fn lost(link: &Link, health: &Health, error: &ConnectionError, pause: Duration) {
	link.connected.store(false, Ordering::Relaxed);
	health.down(format!("the broker is away: {error}"));
	tracing::warn!(%error, pause = ?pause, "the broker is away");
}

fn subscribe(link: &Link) {
	for topic in [Topic::Readings, Topic::Signed] {
		if let Err(error) = link.client.try_subscribe(topic.of_all(), QoS::AtLeastOnce) {
			tracing::error!(%error, "cannot subscribe");
		}
	}
}

async fn take(publish: Publish, gate: Gate) -> Result<Publish, Publish> {
	for _ in 0..20 {
		match attempt(&publish, &gate).await {
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

async fn attempt(publish: &Publish, gate: &Gate) -> Result<(), StoreError> {
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
			client_id: "gateway".to_string(),
		}
	}

	fn login_of(
		url: &str,
		password: Option<&str>,
	) -> Result<Option<(String, String)>, BrokerError> {
		let (_, events) = link(&broker(url, password))?;
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
			assert_eq!(without_password(url), shown);
		}
	}
}
