//! What a connected client may do, whatever the protocol's version.

use super::hub::{BACKLOG, Hub, Link, Outgoing, is_energy_filter};
use crate::{
	credentials::{Credentials, Role},
	ingest::{Ingest, Message, NotTaken, Sender, Source},
	metrics::Metrics,
	signing::Signer,
	storage::StoreFault,
};
use gridproof_primitives::meter::{MeterName, Topic};
use ntex::time::{Seconds, sleep};
use std::{cell::RefCell, sync::Arc};
use tokio::sync::mpsc;

/// Attempts to keep a message, one a second, before its connection ends.
const ATTEMPTS: u32 = 20;

/// What all connections share.
pub(crate) struct Core {
	pub(crate) ingest: Arc<Ingest>,
	pub(crate) signer: Option<Arc<Signer>>,
	pub(crate) hub: Arc<Hub>,
	pub(crate) credentials: Credentials,
	pub(crate) metrics: Arc<Metrics>,
	pub(crate) anonymous: bool,
}

/// Who is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Identity {
	Device { site: String, device: String },
	Reader,
	Anonymous,
}

/// Why a client is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
	/// No credentials, and none are not enough.
	NotAuthorized,
	/// Unknown name or wrong password.
	BadCredentials,
}

/// What became of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
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

/// A connection.
pub(crate) struct Client {
	core: Arc<Core>,
	identity: Identity,
	sender: Sender,
	name: String,
	link: Link,
	filters: RefCell<Vec<String>>,
}

impl Core {
	/// Lets a client in, or not. What is to be sent to it comes from the receiver.
	pub(crate) fn enter(
		self: &Arc<Self>,
		client_id: &str,
		username: Option<&str>,
		password: Option<&[u8]>,
	) -> Result<(Client, mpsc::Receiver<Outgoing>), Rejection> {
		let identity = match (username, password) {
			(Some(username), password) => {
				let role = self.credentials.check(username, password.unwrap_or_default());
				match role {
					Some(Role::Device { site, device }) => Identity::Device { site, device },
					Some(Role::Reader) => Identity::Reader,
					None if self.anonymous && !self.credentials.knows(username) => {
						Identity::Anonymous
					},
					None => return Err(Rejection::BadCredentials),
				}
			},
			(None, _) if self.anonymous => Identity::Anonymous,
			(None, _) => return Err(Rejection::NotAuthorized),
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
	/// Told when the connection has to end.
	pub(crate) fn end(&self) -> Arc<tokio::sync::Notify> {
		self.link.end.clone()
	}

	/// Takes a message. When this returns, it is durable.
	pub(crate) async fn publish(&self, topic: &str, payload: &[u8]) -> Result<Verdict, Gone> {
		let timer = self.core.metrics.durable.start_timer();
		for attempt in 1..=ATTEMPTS {
			match self.try_publish(topic, payload).await {
				Ok(verdict) => {
					timer.observe_duration();
					if verdict == Verdict::Taken {
						self.core.hub.publish(topic, payload);
					}
					return Ok(verdict);
				},
				Err(fault) if fault.is_temporary() => {
					if attempt == 1 {
						tracing::error!(%fault, client = %self.name, "a message waits");
					}
					sleep(Seconds::ONE).await;
				},
				Err(fault) => {
					tracing::error!(%fault, client = %self.name, "a message is not acknowledged");
					break;
				},
			}
		}
		timer.stop_and_discard();
		Err(Gone)
	}

	async fn try_publish(&self, topic: &str, payload: &[u8]) -> Result<Verdict, StoreFault> {
		let bury = |reason: &'static str, detail: String| {
			self.core.ingest.bury(Source::Mqtt, topic, reason, detail, payload)
		};
		if self.identity == Identity::Reader {
			bury("not_authorized", "a reader publishes nothing".to_string()).await?;
			return Ok(Verdict::NotAuthorized);
		}
		match Topic::parse(topic) {
			Some((Topic::Readings | Topic::Signed, name)) if !self.speaks_for(&name) => {
				let detail = "the topic is of another device than the credentials".to_string();
				bury("wrong_device", detail).await?;
				Ok(Verdict::NotAuthorized)
			},
			Some((Topic::Readings, _)) => {
				let message = Message {
					source: Source::Mqtt,
					topic: Some(topic),
					sender: &self.sender,
					payload,
				};
				match self.core.ingest.take(&message, true).await {
					Ok(_) => Ok(Verdict::Taken),
					Err(NotTaken::Refused(_)) => Ok(Verdict::Refused),
					Err(NotTaken::Store(fault)) => Err(fault),
				}
			},
			Some((Topic::Signed, name)) => {
				match &self.core.signer {
					Some(signer) => signer.answer(Source::Mqtt, &name, payload).await?,
					None => bury("not_asked", "no chain is followed".to_string()).await?,
				}
				Ok(Verdict::Taken)
			},
			Some((Topic::Sign, _)) | None => {
				let detail = "logs go to energy/<site>/<device>/<meter>".to_string();
				bury("wrong_topic", detail).await?;
				Ok(Verdict::Refused)
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
		if !is_allowed {
			return false;
		}
		self.core.hub.subscribe(filter, self.link.clone(), at_least_once);
		let mut filters = self.filters.borrow_mut();
		if !filters.iter().any(|known| known == filter) {
			filters.push(filter.to_string());
		}
		drop(filters);
		// A reader that looks on is no device that could sign.
		if self.identity != Identity::Reader
			&& let Some(signer) = &self.core.signer
		{
			signer.listens_to(filter);
		}
		true
	}

	/// Listens to it no longer.
	pub(crate) fn unsubscribe(&self, filter: &str) {
		self.core.hub.unsubscribe(filter, self.link.number);
		self.filters.borrow_mut().retain(|known| known != filter);
	}
}

impl Drop for Client {
	fn drop(&mut self) {
		self.core.hub.leave(&self.name, self.link.number, &self.filters.borrow());
		self.link.end.notify_one();
	}
}

/// Is it `energy/<site>/<device>/…/sign` of this device?
fn is_sign_filter(filter: &str, site: &str, device: &str) -> bool {
	let levels: Vec<&str> = filter.split('/').collect();
	match levels[..] {
		[Topic::ROOT, its_site, its_device, meter, "sign"] => {
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
		for good in ["energy/A/1/m/sign", "energy/A/1/+/sign"] {
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
