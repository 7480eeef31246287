//! How the gateway's work proceeds: written by its loops and intakes, shown by the API.

use crate::{
	health::{Address, Health},
	message::Source,
};
use gridproof_gateway_api::{IntakeStatus, RunState};
use gridproof_http::Loops;
use gridproof_support::Lock;
use std::{collections::BTreeMap, sync::Mutex, time::Duration};
use tokio::sync::Notify;

/// The state of the work.
#[derive(Default)]
pub(crate) struct Board {
	/// URL of the node.
	chain: Option<String>,
	/// The loops behind the intakes.
	loops: Loops,
	/// What went wrong with the last round of each loop.
	troubles: Mutex<BTreeMap<&'static str, String>>,
	/// Notified when a loop ends that should not.
	ended: Notify,
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

	/// Notes that a loop begins, a round of which takes at most so long, with the pause before it.
	pub(crate) fn begins(&self, name: &'static str, longest: Duration) {
		self.loops.begins(name, longest);
	}

	/// Notes that a round of a loop is over, and what went wrong with it.
	pub(crate) fn done(&self, name: &'static str, trouble: Option<String>) {
		self.loops.turn(name);
		let mut troubles = self.troubles.locked();
		match trouble {
			Some(trouble) => drop(troubles.insert(name, trouble)),
			None => drop(troubles.remove(name)),
		}
	}

	/// Notes that a loop has ended that should not.
	pub(crate) fn ends(&self, name: &'static str) {
		self.loops.ends(name);
		self.ended.notify_one();
	}

	/// Waits until a loop ends that should not; returns its name.
	pub(crate) async fn ended(&self) -> &'static str {
		loop {
			match self.loops.ended() {
				Some(name) => return name,
				None => self.ended.notified().await,
			}
		}
	}

	/// Returns which loop has ended or hangs: only another start helps.
	pub(crate) fn stuck(&self) -> Option<String> {
		self.loops.standstill()
	}

	/// Returns the seconds since the last round of each loop.
	pub(crate) fn idle(&self) -> BTreeMap<String, u64> {
		self.loops.idle()
	}

	/// Returns what of the gateway stands still: a loop that has ended or hangs, or an intake of its
	/// own that takes nothing.
	pub(crate) fn standstill(&self) -> Option<String> {
		self.stuck().or_else(|| {
			let intakes = self.intakes.locked();
			// An external broker is not of this gateway: it is in the status.
			let own = intakes.iter().filter(|entry| entry.source != Source::BROKER);
			own.filter_map(|entry| Some(format!("{}: {}", entry.source, entry.health.trouble()?)))
				.next()
		})
	}

	/// What is wrong now, of the loops and of the intakes.
	fn trouble(&self) -> Option<String> {
		let troubles = self.troubles.locked();
		let of_loops = troubles.iter().map(|(name, trouble)| format!("{name}: {trouble}"));
		let intakes = self.intakes.locked();
		let of_intakes = intakes
			.iter()
			.filter_map(|entry| Some(format!("{}: {}", entry.source, entry.health.trouble()?)));
		let all: Vec<String> = of_loops.chain(of_intakes).collect();
		(!all.is_empty()).then(|| all.join("; "))
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
		let trouble = self.trouble();
		let intakes = self.intakes.locked();
		let broker = intakes.iter().find(|entry| entry.source == Source::BROKER);
		RunState {
			mqtt: address(&intakes, "mqtt"),
			mqtts: address(&intakes, "mqtts"),
			broker: address(&intakes, "broker"),
			broker_connected: broker.map(|entry| entry.health.trouble().is_none()),
			chain: self.chain.clone(),
			trouble,
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

	#[tokio::test]
	async fn each_loop_has_its_own_trouble_and_none_wipes_another_s() {
		let board = Board::default();
		board.begins("batching", Duration::from_secs(60));
		board.begins("submission", Duration::from_secs(60));
		board.done("batching", Some("the disk fails".to_string()));
		board.done("submission", None);
		let trouble = board.state().trouble.unwrap();
		assert_eq!(trouble, "batching: the disk fails");
		board.done("batching", None);
		assert_eq!(board.state().trouble, None);
		let health = Health::default();
		board.started(Source::BROKER, Vec::new(), health.clone());
		health.down("refuses energy/+/+/+");
		assert_eq!(board.state().trouble.unwrap(), "broker: refuses energy/+/+/+");
		assert_eq!(board.standstill(), None);
	}

	#[tokio::test]
	async fn a_loop_that_ends_or_hangs_is_a_standstill() {
		let board = Board::default();
		board.begins("batching", Duration::ZERO);
		std::thread::sleep(Duration::from_millis(2));
		assert!(board.standstill().unwrap().contains("batching has done nothing"));
		let board = Board::default();
		board.begins("signing", Duration::from_secs(60));
		assert_eq!(board.standstill(), None);
		board.ends("signing");
		assert!(board.standstill().unwrap().contains("signing has ended"));
		assert_eq!(board.ended().await, "signing");
	}
}
