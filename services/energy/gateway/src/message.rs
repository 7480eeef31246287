//! A message with a reading, whatever way it came.

use std::fmt;

/// The way that a message came. Every [`Intake`](crate::Intake) has one of its own.
///
/// The name is stored with dead letters, labels the metrics, and appears in the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(&'static str);

impl Source {
	/// The embedded MQTT server.
	pub const MQTT: Self = Self("mqtt");
	/// An external MQTT broker.
	pub const BROKER: Self = Self("broker");
	/// The HTTP API.
	pub const HTTP: Self = Self("http");
	/// Not a way in: readings that were taken, and refused when their batch was made.
	pub const BATCHING: Self = Self("batching");

	/// A way of another name: lower-case letters and underscores, as Prometheus has them in labels.
	pub const fn new(name: &'static str) -> Self {
		Self(name)
	}

	/// The name, as it is stored and shown.
	pub const fn as_str(self) -> &'static str {
		self.0
	}
}

impl fmt::Display for Source {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.0)
	}
}

/// The sender of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
	/// The device of this site and id, which has proved it.
	Device {
		/// Id of its site.
		site: String,
		/// Its own id.
		device: String,
	},
	/// Somebody who may speak for every device.
	Anyone,
	/// Somebody unknown, who may speak for no device.
	Nobody,
}

impl Sender {
	/// Returns `true` if it may speak for this device.
	pub fn is(&self, site: &str, device: &str) -> bool {
		match self {
			Self::Device { site: own_site, device: own } => own_site == site && own == device,
			Self::Anyone => true,
			Self::Nobody => false,
		}
	}
}

/// A message with a reading.
#[derive(Clone, Debug)]
pub struct Message<'a> {
	/// The way it came.
	pub source: Source,
	/// Where it came: an MQTT topic, a path, the peer of a connection. It is kept with a dead letter.
	pub place: &'a str,
	/// Whether `place` is an MQTT topic, `energy/<site>/<device>/<meter>`. Then a reading has to fit
	/// it, and a short message is completed from it.
	pub is_topic: bool,
	/// Its sender, as far as that is proved.
	pub sender: &'a Sender,
	/// The reading: JSON in the form `emlog-1.1`, or a short message.
	pub payload: &'a [u8],
}
