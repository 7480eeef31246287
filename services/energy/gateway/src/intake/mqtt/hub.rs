//! Who listens to which topic.
//!
//! Filters are kept in a tree of their levels, so that a message finds its listeners by its own
//! levels, however many thousand devices listen to topics of their own.

use crate::{health::Health, notices::Outbox};
use bytes::Bytes;
use gridproof_support::Lock;
use std::{
	collections::{BTreeMap, HashMap},
	sync::{
		Arc, Mutex,
		atomic::{AtomicU64, Ordering},
	},
};
use tokio::sync::{Notify, mpsc};

/// Messages that may wait for one listener. One that lets more wait is cut off: it learns that from
/// the closed connection, not from a gap it cannot see.
pub(crate) const BACKLOG: usize = 4_096;

/// A message for one connection.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
	/// Its topic.
	pub(crate) topic: Arc<str>,
	/// Its payload.
	pub(crate) payload: Bytes,
	/// Is it to be acknowledged?
	pub(crate) at_least_once: bool,
}

/// A connection's number.
pub(crate) type ConnectionId = u64;

#[derive(Default)]
struct Node {
	levels: HashMap<Box<str>, Node>,
	any: Option<Box<Node>>,
	here: Vec<Listener>,
	below: Vec<Listener>,
}

/// The way to a connection.
#[derive(Clone)]
pub(crate) struct Link {
	/// Its number.
	pub(crate) number: ConnectionId,
	/// Takes messages for it.
	pub(crate) sender: mpsc::Sender<Outgoing>,
	/// Notified when it has to end.
	pub(crate) end: Arc<Notify>,
}

#[derive(Clone)]
struct Listener {
	link: Link,
	at_least_once: bool,
}

impl Node {
	fn is_empty(&self) -> bool {
		self.levels.is_empty()
			&& self.any.is_none()
			&& self.here.is_empty()
			&& self.below.is_empty()
	}

	/// The list that a filter belongs to.
	fn list(&mut self, filter: &str) -> &mut Vec<Listener> {
		let mut node = self;
		for level in filter.split('/') {
			node = match level {
				"#" => return &mut node.below,
				"+" => node.any.get_or_insert_default(),
				level => node.levels.entry(level.into()).or_default(),
			};
		}
		&mut node.here
	}

	fn remove(&mut self, levels: &[&str], connection: ConnectionId) {
		match levels.split_first() {
			None => self.here.retain(|listener| listener.link.number != connection),
			Some((&"#", _)) => self.below.retain(|listener| listener.link.number != connection),
			Some((&"+", rest)) => {
				if let Some(node) = &mut self.any {
					node.remove(rest, connection);
					if node.is_empty() {
						self.any = None;
					}
				}
			},
			Some((level, rest)) => {
				if let Some(node) = self.levels.get_mut(*level) {
					node.remove(rest, connection);
					if node.is_empty() {
						self.levels.remove(*level);
					}
				}
			},
		}
	}

	/// Collects the listeners of a topic, each connection once, at the highest quality it asked for.
	fn collect(&self, levels: &[&str], found: &mut BTreeMap<ConnectionId, Listener>) {
		let mut add = |listeners: &[Listener]| {
			for listener in listeners {
				let known = found.entry(listener.link.number).or_insert_with(|| listener.clone());
				known.at_least_once |= listener.at_least_once;
			}
		};
		// `a/#` stands for `a` as well.
		add(&self.below);
		let Some((level, rest)) = levels.split_first() else {
			add(&self.here);
			return;
		};
		if let Some(node) = self.levels.get(*level) {
			node.collect(rest, found);
		}
		if let Some(node) = &self.any {
			node.collect(rest, found);
		}
	}
}

/// All connections and what they listen to.
#[derive(Default)]
pub(crate) struct Hub {
	root: Mutex<Node>,
	clients: Mutex<HashMap<String, Link>>,
	next: AtomicU64,
	health: Health,
}

impl Hub {
	/// A hub that reports to `health` how many clients are connected.
	pub(crate) fn new(health: Health) -> Self {
		Self { health, ..Self::default() }
	}

	/// A number for a new connection.
	pub(crate) fn number(&self) -> ConnectionId {
		self.next.fetch_add(1, Ordering::Relaxed)
	}

	/// A client has connected: an older connection of the same name ends, as MQTT wants it.
	pub(crate) fn enter(&self, client: &str, link: Link) {
		let mut clients = self.clients.locked();
		if let Some(older) = clients.insert(client.to_string(), link) {
			older.end.notify_one();
		}
		self.health.connected(clients.len());
	}

	/// A connection has ended.
	pub(crate) fn leave(&self, client: &str, connection: ConnectionId, filters: &[String]) {
		for filter in filters {
			self.unsubscribe(filter, connection);
		}
		let mut clients = self.clients.locked();
		if clients.get(client).is_some_and(|current| current.number == connection) {
			clients.remove(client);
		}
		self.health.connected(clients.len());
	}

	/// A connection wants what matches a filter.
	pub(crate) fn subscribe(&self, filter: &str, link: Link, at_least_once: bool) {
		let mut root = self.root.locked();
		let list = root.list(filter);
		list.retain(|listener| listener.link.number != link.number);
		list.push(Listener { link, at_least_once });
	}

	/// A connection wants it no longer.
	pub(crate) fn unsubscribe(&self, filter: &str, connection: ConnectionId) {
		let levels: Vec<&str> = filter.split('/').collect();
		self.root.locked().remove(&levels, connection);
	}

	/// Hands a message to everybody who listens; answers to how many. Nearly nobody does: what is
	/// to be copied is copied for those who do.
	pub(crate) fn publish(&self, topic: &str, payload: &[u8]) -> usize {
		let levels: Vec<&str> = topic.split('/').collect();
		let mut found = BTreeMap::new();
		self.root.locked().collect(&levels, &mut found);
		if found.is_empty() {
			return 0;
		}
		let (topic, payload): (Arc<str>, _) = (topic.into(), Bytes::copy_from_slice(payload));
		let mut reached: usize = 0;
		for listener in found.into_values() {
			let message = Outgoing {
				topic: topic.clone(),
				payload: payload.clone(),
				at_least_once: listener.at_least_once,
			};
			match listener.link.sender.try_send(message) {
				Ok(()) => reached = reached.saturating_add(1),
				Err(mpsc::error::TrySendError::Full(_)) => {
					tracing::warn!(connection = listener.link.number, "a listener is too slow");
					self.cut(&listener.link);
				},
				Err(mpsc::error::TrySendError::Closed(_)) => (),
			}
		}
		reached
	}

	/// Ends a connection that does not read.
	fn cut(&self, link: &Link) {
		link.end.notify_one();
		self.root.locked().forget(link.number);
	}
}

impl Outbox for Hub {
	fn publish(&self, topic: &str, payload: String) -> bool {
		Hub::publish(self, topic, payload.as_bytes()) > 0
	}
}

impl Node {
	/// Removes a connection wherever it is.
	fn forget(&mut self, connection: ConnectionId) {
		self.here.retain(|listener| listener.link.number != connection);
		self.below.retain(|listener| listener.link.number != connection);
		for node in self.levels.values_mut().chain(self.any.as_deref_mut()) {
			node.forget(connection);
		}
		self.levels.retain(|_, node| !node.is_empty());
		if self.any.as_deref().is_some_and(Node::is_empty) {
			self.any = None;
		}
	}
}

/// Is a filter well formed, and does it stay within `energy/`?
pub(crate) fn is_energy_filter(filter: &str) -> bool {
	let levels: Vec<&str> = filter.split('/').collect();
	levels.first() == Some(&"energy")
		&& levels.iter().enumerate().all(|(place, level)| match *level {
			"#" => place.saturating_add(1) == levels.len(),
			"+" => true,
			level => !level.contains(['#', '+', '\0']),
		})
}

#[cfg(test)]
mod tests {
	use super::*;

	struct Ear {
		receiver: mpsc::Receiver<Outgoing>,
	}

	fn link(number: ConnectionId) -> (Link, mpsc::Receiver<Outgoing>) {
		let (sender, receiver) = mpsc::channel(4);
		(Link { number, sender, end: Arc::default() }, receiver)
	}

	fn listen(hub: &Hub, connection: ConnectionId, filters: &[&str]) -> Ear {
		let (link, receiver) = link(connection);
		for filter in filters {
			hub.subscribe(filter, link.clone(), false);
		}
		Ear { receiver }
	}

	impl Ear {
		fn heard(&mut self) -> Vec<String> {
			let mut heard = Vec::new();
			while let Ok(Outgoing { topic, .. }) = self.receiver.try_recv() {
				heard.push(topic.to_string());
			}
			heard
		}
	}

	#[test]
	fn everybody_hears_what_matches_and_once_only() {
		let hub = Hub::default();
		let mut all = listen(&hub, 1, &["energy/#", "energy/+/+/+"]);
		let mut signs = listen(&hub, 2, &["energy/A/1/+/sign"]);
		let mut one = listen(&hub, 3, &["energy/A/1/m"]);
		assert_eq!(hub.publish("energy/A/1/m", &[]), 2);
		assert_eq!(hub.publish("energy/A/1/m/sign", &[]), 2);
		assert_eq!(hub.publish("energy/B/1/m", &[]), 1);
		assert_eq!(hub.publish("other", &[]), 0);
		assert_eq!(all.heard(), ["energy/A/1/m", "energy/A/1/m/sign", "energy/B/1/m"]);
		assert_eq!(signs.heard(), ["energy/A/1/m/sign"]);
		assert_eq!(one.heard(), ["energy/A/1/m"]);
	}

	#[test]
	fn who_unsubscribes_or_is_too_slow_is_left_out_and_nothing_stays_behind() {
		let hub = Hub::default();
		let mut gone = listen(&hub, 1, &["energy/A/+/m", "energy/#"]);
		for filter in ["energy/A/+/m", "energy/#"] {
			hub.unsubscribe(filter, 1);
		}
		assert_eq!(hub.publish("energy/A/1/m", &[]), 0);
		assert!(gone.heard().is_empty());
		assert!(hub.root.lock().unwrap().is_empty());
		let mut slow = listen(&hub, 2, &["energy/#"]);
		for _ in 0..4 {
			assert_eq!(hub.publish("energy/A/1/m", &[]), 1);
		}
		assert_eq!(hub.publish("energy/A/1/m", &[]), 0);
		assert!(hub.root.lock().unwrap().is_empty());
		assert_eq!(slow.heard().len(), 4);
	}

	#[tokio::test]
	async fn a_second_connection_of_a_client_ends_the_first() {
		let health = Health::default();
		let hub = Hub::new(health.clone());
		let ((first, _a), (second, _b)) = (link(1), link(2));
		hub.enter("c", first.clone());
		hub.enter("c", second);
		first.end.notified().await;
		hub.leave("c", 1, &[]);
		assert_eq!(health.connections(), 1);
		hub.leave("c", 2, &[]);
		assert_eq!(health.connections(), 0);
	}

	#[test]
	fn filters_are_checked() {
		for good in ["energy/#", "energy", "energy/+/x/+", "energy/A/1/m/sign"] {
			assert!(is_energy_filter(good), "{good}");
		}
		for bad in ["#", "+/#", "energy/#/x", "energy/a+", "energyx/#", ""] {
			assert!(!is_energy_filter(bad), "{bad}");
		}
	}
}
