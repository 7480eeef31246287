//! What a connected client may do, whatever the protocol's version.

use super::{
	hub::{BACKLOG, Hub, Link, Outgoing, is_energy_filter},
	whole::too_large,
};
use crate::{
	config::MAX_MESSAGE_BYTES,
	credentials::Role,
	intake::contract::Gate,
	message::{Message, Sender, Source},
	refusal::IngestError,
};
use gridproof_primitives::energy::{MeterName, Topic};
use gridproof_store::StoreError;
use ntex::time::{Seconds, sleep};
use std::{cell::RefCell, collections::BTreeSet, sync::Arc};
use tokio::sync::mpsc;

/// Attempts to keep a message, one a second, before its connection ends.
const ATTEMPTS: u32 = 20;

/// Most levels of a filter; the topics have five.
const MAX_LEVELS: usize = 8;
/// Most filters of a connection: two for each of a device's meters.
const MAX_FILTERS: usize = 20_000;

/// What all connections share.
pub(crate) struct Core {
	pub(crate) gate: Gate,
	pub(crate) hub: Arc<Hub>,
}

/// The user of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Identity {
	Device { site: String, device: String },
	Reader,
	Anonymous,
}

/// Why a client is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryRefusal {
	/// It has no credentials, and the gateway wants some.
	NotAuthorized,
	/// The name is unknown, or the password wrong.
	BadCredentials,
}

/// What became of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
	/// It is kept.
	Taken,
	/// It is refused, and kept as a dead letter.
	Refused,
	/// The client may not publish there; it is kept as a dead letter.
	NotAuthorized,
}

/// The connection has to end; the client sends again what was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// A connection and its user.
pub(crate) struct Client {
	core: Arc<Core>,
	identity: Identity,
	sender: Sender,
	name: String,
	link: Link,
	filters: RefCell<BTreeSet<String>>,
}

impl Core {
	/// Lets a client in. What is to be sent to it comes from the receiver.
	pub(crate) fn enter(
		self: &Arc<Self>,
		client_id: &str,
		username: Option<&str>,
		password: Option<&[u8]>,
	) -> Result<(Client, mpsc::Receiver<Outgoing>), EntryRefusal> {
		let identity = match (username, password) {
			(Some(username), password) => {
				let role = self.gate.credentials.check(username, password.unwrap_or_default());
				match role {
					Some(Role::Device { site, device }) => Identity::Device { site, device },
					Some(Role::Reader) => Identity::Reader,
					None if self.gate.anonymous && !self.gate.credentials.knows(username) => {
						Identity::Anonymous
					},
					None => return Err(EntryRefusal::BadCredentials),
				}
			},
			(None, _) if self.gate.anonymous => Identity::Anonymous,
			(None, _) => return Err(EntryRefusal::NotAuthorized),
		};
		let sender = match &identity {
			Identity::Device { site, device } => {
				Sender::Device { site: site.clone(), device: device.clone() }
			},
			Identity::Anonymous => Sender::Anyone,
			Identity::Reader => Sender::Nobody,
		};
		let number = self.hub.number();
		let (queue, receiver) = mpsc::channel(BACKLOG);
		let link = Link { number, sender: queue, end: Arc::default() };
		// Names of different users must not drive each other out.
		let name = match (client_id, username) {
			("", _) => format!("#{number}"),
			(id, username) => format!("{}\0{id}", username.unwrap_or_default()),
		};
		self.hub.enter(&name, link.clone());
		let filters = RefCell::default();
		Ok((Client { core: self.clone(), identity, sender, name, link, filters }, receiver))
	}
}

impl Client {
	/// Notified when the connection has to end.
	pub(crate) fn end(&self) -> Arc<tokio::sync::Notify> {
		self.link.end.clone()
	}

	/// Takes a message. When this returns, it is durable.
	pub(crate) async fn publish(&self, topic: &str, payload: &[u8]) -> Result<Outcome, Gone> {
		let timer = self.core.gate.metrics.durable.start_timer();
		for attempt in 1..=ATTEMPTS {
			match self.try_publish(topic, payload).await {
				Ok(outcome) => {
					timer.observe_duration();
					if outcome == Outcome::Taken {
						self.core.hub.publish(topic, payload);
					}
					return Ok(outcome);
				},
				Err(error) if error.is_temporary() => {
					if attempt == 1 {
						tracing::error!(%error, client = %self.name, "a message waits");
					}
					sleep(Seconds::ONE).await;
				},
				Err(error) => {
					tracing::error!(%error, client = %self.name, "a message is not acknowledged");
					break;
				},
			}
		}
		timer.stop_and_discard();
		Err(Gone)
	}

	async fn try_publish(&self, topic: &str, payload: &[u8]) -> Result<Outcome, StoreError> {
		let bury = |reason: &'static str, detail: String| {
			self.core.gate.ingest.bury(Source::MQTT, topic, reason, detail, payload)
		};
		if let Some(bytes) = too_large(payload) {
			let detail = format!("{bytes} bytes; a message has at most {MAX_MESSAGE_BYTES}");
			let ingest = &self.core.gate.ingest;
			ingest.bury(Source::MQTT, topic, "too_large", detail, &[]).await?;
			return Ok(Outcome::Refused);
		}
		if self.identity == Identity::Reader {
			bury("not_authorized", "a reader publishes nothing".to_string()).await?;
			return Ok(Outcome::NotAuthorized);
		}
		match Topic::parse(topic) {
			Some((Topic::Readings | Topic::Signed, name)) if !self.speaks_for(&name) => {
				let detail = "the topic is of another device than the credentials".to_string();
				bury("wrong_device", detail).await?;
				Ok(Outcome::NotAuthorized)
			},
			Some((Topic::Readings, _)) => {
				let message = Message {
					source: Source::MQTT,
					place: topic,
					is_topic: true,
					sender: &self.sender,
					payload,
				};
				match self.core.gate.ingest.take(&message, true).await {
					Ok(_) => Ok(Outcome::Taken),
					Err(IngestError::Refused(_)) => Ok(Outcome::Refused),
					Err(IngestError::Store(error)) => Err(error),
				}
			},
			Some((Topic::Signed, name)) => {
				match &self.core.gate.signer {
					Some(signer) => signer.answer(Source::MQTT, &name, payload).await?,
					None => bury("not_asked", "no chain is followed".to_string()).await?,
				}
				Ok(Outcome::Taken)
			},
			Some((Topic::Sign | Topic::Refused, _)) | None => {
				let detail = "readings go to energy/<site>/<device>/<meter>".to_string();
				bury("wrong_topic", detail).await?;
				Ok(Outcome::Refused)
			},
		}
	}

	fn speaks_for(&self, name: &MeterName) -> bool {
		self.sender.is(name.site(), name.device())
	}

	/// Listens to a filter; false if the client may not.
	pub(crate) fn subscribe(&self, filter: &str, at_least_once: bool) -> bool {
		let is_allowed = match &self.identity {
			Identity::Device { site, device } => is_sign_filter(filter, site, device),
			Identity::Reader | Identity::Anonymous => is_energy_filter(filter),
		};
		if !is_allowed || filter.split('/').count() > MAX_LEVELS {
			return false;
		}
		let mut filters = self.filters.borrow_mut();
		if !filters.contains(filter) {
			if filters.len() >= MAX_FILTERS {
				return false;
			}
			filters.insert(filter.to_string());
		}
		drop(filters);
		self.core.hub.subscribe(filter, self.link.clone(), at_least_once);
		// A reader cannot sign.
		if self.identity != Identity::Reader
			&& let Some(signer) = &self.core.gate.signer
		{
			signer.listens_to(filter);
		}
		true
	}

	/// Listens to it no longer.
	pub(crate) fn unsubscribe(&self, filter: &str) {
		self.core.hub.unsubscribe(filter, self.link.number);
		self.filters.borrow_mut().remove(filter);
	}
}

impl Drop for Client {
	fn drop(&mut self) {
		let filters: Vec<String> = self.filters.take().into_iter().collect();
		self.core.hub.leave(&self.name, self.link.number, &filters);
		self.link.end.notify_one();
	}
}

/// Is it `energy/<site>/<device>/…/sign` or `…/refused` of this device?
fn is_sign_filter(filter: &str, site: &str, device: &str) -> bool {
	let levels: Vec<&str> = filter.split('/').collect();
	match levels[..] {
		[Topic::ROOT, its_site, its_device, meter, "sign" | "refused"] => {
			its_site == site && its_device == device && !meter.is_empty() && meter != "#"
		},
		_ => false,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_device_listens_only_to_what_it_is_asked() {
		for good in ["energy/A/1/m/sign", "energy/A/1/+/sign", "energy/A/1/+/refused"] {
			assert!(is_sign_filter(good, "A", "1"), "{good}");
		}
		for bad in [
			"energy/A/2/m/sign",
			"energy/B/1/m/sign",
			"energy/+/1/m/sign",
			"energy/A/1/#",
			"energy/A/1/m",
			"energy/A/1/m/signed",
			"energy/#",
			"#",
		] {
			assert!(!is_sign_filter(bad, "A", "1"), "{bad}");
		}
	}
}
