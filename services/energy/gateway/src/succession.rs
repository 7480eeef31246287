//! The device that stands at a meter now, and what is left of the one before.
//!
//! After an exchange with another key the chain takes batches of the new device only, and the new
//! device knows its own readings only. What the old one has sent and not signed ends with it: it goes
//! to the dead letters under a reason of its own.

use crate::{
	message::Source,
	registry::Known,
	storage::{Device, MeterRow, NewDeadLetter, Storage},
};
use gridproof_primitives::energy::Topic;
use gridproof_store::StoreError;
use gridproof_support::{Lock, clock::now_ms};
use std::{
	collections::HashMap,
	sync::{Arc, Mutex},
};

/// The reason of a dead letter that the device before has left.
pub(crate) const PREDECESSOR: &str = "predecessor";

/// Follows exchanges.
pub(crate) struct Succession {
	storage: Arc<dyn Storage>,
	known: Mutex<HashMap<MeterRow, Device>>,
}

impl Succession {
	/// Follows the meters that `storage` has.
	pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
		Self { storage, known: Mutex::default() }
	}

	/// The device that the chain names for a certified meter; what another one left is set aside. The
	/// second answer says whether anything was.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn follow(&self, meter: &Known) -> Result<Option<(Device, bool)>, StoreError> {
		let Some(info) = meter.info() else { return Ok(None) };
		let key = info.certificate.device;
		let cached = self.known.locked().get(&meter.row).copied();
		let before = match cached {
			Some(device) => Some(device),
			None => self.storage.device(meter.row).await?,
		};
		let device = match before {
			Some(before) if before.key == key => before,
			// The chain moves the floor to the time of the exchange.
			Some(_) => Device { key, since_ms: info.state.floor_ms },
			None => Device { key, since_ms: 0 },
		};
		if before != Some(device) {
			self.storage.set_device(meter.row, device).await?;
		}
		self.known.locked().insert(meter.row, device);
		if device.since_ms == 0 {
			return Ok(Some((device, false)));
		}
		let letter = self.letter(meter);
		let retired = self.storage.retire(meter.row, device.since_ms, letter).await?;
		if retired > 0 {
			tracing::warn!(meter = %meter.name, readings = retired,
				"readings of the device before the exchange are set aside");
		}
		Ok(Some((device, retired > 0)))
	}

	/// Returns `true` if a reading was set aside when its device was exchanged: the old device sends
	/// it again.
	///
	/// # Errors
	/// [`StoreError`].
	pub(crate) async fn is_retired(
		&self,
		meter: &Known,
		start_ms: u64,
		body: &str,
	) -> Result<bool, StoreError> {
		let cached = self.known.locked().get(&meter.row).copied();
		let device = match cached {
			Some(device) => Some(device),
			// Its first reading here: from now on it is known whose readings these are.
			None => self.follow(meter).await?.map(|(device, _)| device),
		};
		if device.is_none_or(|device| start_ms >= device.since_ms) {
			return Ok(false);
		}
		let letter = NewDeadLetter { payload: body.as_bytes().to_vec(), ..self.letter(meter) };
		self.storage.is_buried(letter).await
	}

	fn letter(&self, meter: &Known) -> NewDeadLetter {
		NewDeadLetter {
			at_ms: now_ms(),
			source: Source::BATCHING,
			topic: Topic::Readings.of(&meter.name),
			reason: PREDECESSOR.to_string(),
			detail: "the device before the exchange has sent it and not signed it".to_string(),
			payload: Vec::new(),
		}
	}
}
