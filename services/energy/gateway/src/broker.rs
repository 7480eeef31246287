//! An external MQTT broker instead of the embedded server.
//!
//! The gateway keeps a session there and acknowledges a message after it is on disk, so that the
//! broker delivers again whatever a crash interrupted. Who may publish where is for that broker to
//! see to.

use crate::{
	config::Broker,
	ingest::{Ingest, Message, NotTaken, Sender, Source},
	run::stopped,
	signing::{Outbox, Signer},
	storage::StoreFault,
};
use futures::{StreamExt, stream::FuturesUnordered};
use gridproof_primitives::meter::Topic;
use rumqttc::{
	AsyncClient, ConnectionError, Event, EventLoop, Incoming, MqttOptions, Publish, QoS,
	TlsConfiguration, Transport,
};
use rustls::{
	ClientConfig, RootCertStore,
	pki_types::{CertificateDer, pem::PemObject},
};
use std::{
	sync::{
		Arc,
		atomic::{AtomicBool, Ordering},
	},
	time::Duration,
};
use tokio::sync::watch;

/// Messages on their way to the disk.
const IN_FLIGHT: usize = 1_024;
/// Requests that may wait for the connection.
const REQUESTS: usize = 4_096;
/// Longest pause between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why the broker cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BrokerFault {
	/// The address is none.
	#[error("the broker's address is unusable: {0}; it looks like mqtt://user:password@host:1883")]
	BadUrl(String),
	/// Nobody says whom to trust.
	#[error("a broker over TLS needs the certificate of its authority; give --broker-ca FILE")]
	NoAuthority,
	/// The authority's certificate cannot be used.
	#[error("{path}: {reason}")]
	BadAuthority {
		/// Which file.
		path: String,
		/// Why.
		reason: String,
	},
}

/// The way to the broker.
pub struct Link {
	client: AsyncClient,
	connected: Arc<AtomicBool>,
}

impl Link {
	/// Is the broker connected?
	pub fn is_connected(&self) -> bool {
		self.connected.load(Ordering::Relaxed)
	}
}

impl Outbox for Link {
	fn publish(&self, topic: &str, payload: String) -> bool {
		// A full queue means that the broker is away: the device is asked again later.
		self.is_connected()
			&& self.client.try_publish(topic, QoS::AtLeastOnce, false, payload).is_ok()
	}
}

/// A link to the broker, and what brings its messages once it is driven.
///
/// # Errors
/// [`BrokerFault`].
pub fn link(broker: &Broker) -> Result<(Arc<Link>, EventLoop), BrokerFault> {
	let is_tls = broker.url.starts_with("mqtts://");
	let plain = broker.url.replacen("mqtts://", "mqtt://", 1);
	if !plain.starts_with("mqtt://") {
		return Err(BrokerFault::BadUrl("unknown scheme".to_string()));
	}
	let separator = if plain.contains('?') { '&' } else { '?' };
	let url = format!("{plain}{separator}client_id={}", broker.client_id);
	let mut options =
		MqttOptions::parse_url(url).map_err(|error| BrokerFault::BadUrl(error.to_string()))?;
	if is_tls {
		let provider = Arc::new(rustls::crypto::ring::default_provider());
		let roots = authorities(broker)?;
		let config = ClientConfig::builder_with_provider(provider)
			.with_safe_default_protocol_versions()
			.map_err(|error| BrokerFault::BadUrl(error.to_string()))?
			.with_root_certificates(roots)
			.with_no_client_auth();
		options.set_transport(Transport::Tls(TlsConfiguration::Rustls(Arc::new(config))));
	}
	options.set_clean_session(false);
	options.set_manual_acks(true);
	options.set_keep_alive(Duration::from_secs(30));
	options.set_max_packet_size(1 << 17, 1 << 17);
	let (client, events) = AsyncClient::new(options, REQUESTS);
	Ok((Arc::new(Link { client, connected: Arc::default() }), events))
}

fn authorities(broker: &Broker) -> Result<RootCertStore, BrokerFault> {
	let Some(path) = &broker.authority else { return Err(BrokerFault::NoAuthority) };
	let bad =
		|reason: String| BrokerFault::BadAuthority { path: path.display().to_string(), reason };
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

/// Takes what the broker brings, until `stop` changes.
pub async fn drive(
	link: Arc<Link>,
	mut events: EventLoop,
	ingest: Arc<Ingest>,
	signer: Option<Arc<Signer>>,
	mut stop: watch::Receiver<bool>,
) {
	let mut pause = Duration::from_millis(500);
	let mut taking = FuturesUnordered::new();
	let mut connection = 0u64;
	loop {
		// No more is read from the broker while too much is on its way to the disk.
		let may_read = taking.len() < IN_FLIGHT;
		tokio::select! {
			biased;
			() = stopped(&mut stop) => break,
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
					subscribe(&link);
				},
				Ok(Event::Incoming(Incoming::Publish(publish))) => {
					let taken = take(publish, ingest.clone(), signer.clone());
					taking.push(async move { (connection, taken.await) });
				},
				Ok(_) => (),
				Err(error) => {
					connection = connection.wrapping_add(1);
					// The library keeps a request to sign aside whose packet number is taken, and
					// sends nothing more, no acknowledgement either, until that number is free. It
					// would keep it over the end of the connection: for good.
					events.state.collision = None;
					lost(&link, &error, pause);
					tokio::time::sleep(pause).await;
					pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
				},
			},
		}
	}
}

fn lost(link: &Link, error: &ConnectionError, pause: Duration) {
	link.connected.store(false, Ordering::Relaxed);
	tracing::warn!(%error, pause = ?pause, "the broker is away");
}

fn subscribe(link: &Link) {
	for topic in [Topic::Readings, Topic::Signed] {
		if let Err(error) = link.client.try_subscribe(topic.of_all(), QoS::AtLeastOnce) {
			tracing::error!(%error, "cannot subscribe");
		}
	}
}

async fn take(
	publish: Publish,
	ingest: Arc<Ingest>,
	signer: Option<Arc<Signer>>,
) -> Result<Publish, Publish> {
	for _ in 0..20 {
		match attempt(&publish, &ingest, signer.as_deref()).await {
			Ok(()) => return Ok(publish),
			Err(fault) if fault.is_temporary() => {
				tracing::error!(%fault, "a message of the broker waits");
				tokio::time::sleep(Duration::from_secs(1)).await;
			},
			Err(fault) => {
				tracing::error!(%fault, "a message of the broker is not acknowledged");
				break;
			},
		}
	}
	Err(publish)
}

async fn attempt(
	publish: &Publish,
	ingest: &Ingest,
	signer: Option<&Signer>,
) -> Result<(), StoreFault> {
	match (Topic::parse(&publish.topic), signer) {
		(Some((Topic::Signed, name)), Some(signer)) => {
			signer.answer(Source::Broker, &name, &publish.payload).await
		},
		_ => {
			let message = Message {
				source: Source::Broker,
				topic: Some(&publish.topic),
				sender: &Sender::Anyone,
				payload: &publish.payload,
			};
			match ingest.take(&message, true).await {
				Ok(_) | Err(NotTaken::Refused(_)) => Ok(()),
				Err(NotTaken::Store(fault)) => Err(fault),
			}
		},
	}
}
