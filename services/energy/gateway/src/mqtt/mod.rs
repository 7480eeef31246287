//! The embedded MQTT server: 3.1.1 and 5, over TCP and TLS.
//!
//! A publish is acknowledged after the log, or the dead letter that says why not, is on disk. A log
//! that cannot be kept, because the disk is full say, is not acknowledged: it waits for a while,
//! then the connection ends, and the device sends it again.

pub(crate) mod hub;
mod limit;
mod server;
mod session;
mod whole;

pub(crate) use hub::Hub;
pub(crate) use server::start;
pub use server::{MqttFault, Server};
pub(crate) use session::Core;

use crate::signing::Outbox;

impl Outbox for Hub {
	fn publish(&self, topic: &str, payload: String) -> bool {
		Hub::publish(self, topic, payload.as_bytes()) > 0
	}
}
