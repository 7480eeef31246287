//! Notices to devices about readings that are not kept.
//!
//! A device that signs its batches keeps a list of its readings, and signs only what is on it. What
//! the gateway refuses, or drops later, has to go from that list, too, or the device would refuse
//! every batch that follows.

use gridproof_primitives::{
	H256,
	energy::{MeterName, Topic, message::RefusalNotice},
};
use std::sync::{Arc, OnceLock};

/// The way to devices.
pub trait Outbox: Send + Sync + 'static {
	/// Publishes `payload` on an MQTT topic, or what stands for it in another protocol. Returns
	/// `true` if anybody may hear it.
	fn publish(&self, topic: &str, payload: String) -> bool;
}

/// The way to all devices, once it is known.
#[derive(Default)]
pub(crate) struct Notices(OnceLock<Vec<Arc<dyn Outbox>>>);

impl Notices {
	/// Sets the ways to devices.
	pub(crate) fn open(&self, outboxes: Vec<Arc<dyn Outbox>>) {
		let _ = self.0.set(outboxes);
	}

	/// Lets a meter's device know that the reading with this leaf is not kept. One that does not listen
	/// sends the reading again when it connects, and hears it then.
	pub(crate) fn refused(&self, name: &MeterName, leaf: H256, reason: &str, detail: &str) {
		let notice = RefusalNotice { leaf, reason: reason.to_string(), detail: detail.to_string() };
		let (topic, notice) = (Topic::Refused.of(name), notice.to_json());
		for outbox in self.0.get().into_iter().flatten() {
			outbox.publish(&topic, notice.clone());
		}
	}
}
