//! How the gateway's work proceeds: written by its loops and intakes, shown by the API.

use crate::{
	health::{Address, Health},
	message::Source,
};
use gridproof_gateway_api::{IntakeStatus, RunState};
use gridproof_support::Lock;
use std::sync::Mutex;

/// The state of the work.
#[derive(Default)]
pub(crate) struct Board {
	/// URL of the node.
	chain: Option<String>,
	trouble: Mutex<Option<String>>,
	intakes: Mutex<Vec<Entry>>,
}

struct Entry {
	source: Source,
	addresses: Vec<Address>,
	health: Health,
}

impl Board {
	/// A board of a gateway that follows the chain of this node.
	pub(crate) fn new(chain: Option<String>) -> Self {
		Self { chain, ..Self::default() }
	}

	/// Notes that an intake has started.
	pub(crate) fn started(&self, source: Source, addresses: Vec<Address>, health: Health) {
		self.intakes.locked().push(Entry { source, addresses, health });
	}

	/// Notes why batches wait; `None` when they do not any more.
	pub(crate) fn trouble(&self, trouble: Option<String>) {
		*self.trouble.locked() = trouble;
	}

	/// The address of this name, if something listens there or is connected to it.
	pub(crate) fn address(&self, name: &str) -> Option<String> {
		address(&self.intakes.locked(), name)
	}

	/// The number of devices connected over an intake.
	pub(crate) fn connections(&self, source: Source) -> usize {
		let intakes = self.intakes.locked();
		let of_it = intakes.iter().filter(|entry| entry.source == source);
		of_it.map(|entry| entry.health.connections()).sum()
	}

	/// The state as it is shown.
	pub(crate) fn state(&self) -> RunState {
		let intakes = self.intakes.locked();
		let broker = intakes.iter().find(|entry| entry.source == Source::BROKER);
		RunState {
			mqtt: address(&intakes, "mqtt"),
			mqtts: address(&intakes, "mqtts"),
			broker: address(&intakes, "broker"),
			broker_connected: broker.map(|entry| entry.health.trouble().is_none()),
			chain: self.chain.clone(),
			trouble: self.trouble.locked().clone(),
			intakes: intakes.iter().map(status).collect(),
		}
	}
}

fn address(intakes: &[Entry], name: &str) -> Option<String> {
	let mut addresses = intakes.iter().flat_map(|entry| &entry.addresses);
	addresses.find(|address| address.name == name).map(|address| address.at.clone())
}

fn status(entry: &Entry) -> IntakeStatus {
	IntakeStatus {
		source: entry.source.to_string(),
		addresses: entry.addresses.iter().map(|address| address.at.clone()).collect(),
		trouble: entry.health.trouble(),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_broker_that_is_away_is_shown_as_not_connected() {
		let (board, health) = (Board::new(Some("ws://node".to_string())), Health::default());
		assert_eq!(board.state().broker_connected, None);
		let addresses = vec![Address { name: "broker", at: "mqtt://host".to_string() }];
		board.started(Source::BROKER, addresses, health.clone());
		assert_eq!(board.state().broker_connected, Some(true));
		health.down("away");
		let state = board.state();
		assert_eq!((state.broker_connected, state.broker), (Some(false), board.address("broker")));
		assert_eq!(state.intakes[0].trouble.as_deref(), Some("away"));
		assert_eq!(state.chain.as_deref(), Some("ws://node"));
	}
}
