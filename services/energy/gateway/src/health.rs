//! The health of a way that readings come in.

use gridproof_support::Lock;
use std::sync::{Arc, Mutex};

/// A place where an intake listens, or what it is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
	/// What is spoken there, such as `mqtt` or `mqtts`: unique within a gateway.
	pub name: &'static str,
	/// The address, such as `127.0.0.1:1883`; without passwords.
	pub at: String,
}

/// The health of an intake. Clones share it: the intake keeps one and reports, the status shows
/// another. A new one is healthy.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
	trouble: Option<String>,
	connections: usize,
}

impl Health {
	/// Notes that readings can come in.
	pub fn up(&self) {
		self.0.locked().trouble = None;
	}

	/// Notes why none can.
	pub fn down(&self, trouble: impl Into<String>) {
		self.0.locked().trouble = Some(trouble.into());
	}

	/// Notes how many devices are connected, if the protocol has connections.
	pub fn connected(&self, connections: usize) {
		self.0.locked().connections = connections;
	}

	/// The reason why no reading can come in; `None` while it works.
	pub fn trouble(&self) -> Option<String> {
		self.0.locked().trouble.clone()
	}

	/// The number of devices connected.
	pub fn connections(&self) -> usize {
		self.0.locked().connections
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_clone_shows_what_the_intake_reports() {
		let health = Health::default();
		let shown = health.clone();
		assert_eq!((shown.trouble(), shown.connections()), (None, 0));
		health.down("the broker is away");
		health.connected(3);
		assert_eq!(shown.trouble().as_deref(), Some("the broker is away"));
		assert_eq!(shown.connections(), 3);
		health.up();
		assert_eq!(shown.trouble(), None);
	}
}
