//! What a device listens to, and whether its broker lets it.

use rumqttc::SubscribeReasonCode;
use std::collections::{BTreeSet, HashMap, VecDeque};

/// Subscriptions of one link.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
	/// Asked for and not sent yet, in order.
	asked: VecDeque<String>,
	/// Sent and not answered yet, by packet number.
	sent: HashMap<u16, String>,
	/// Refused by the broker the last time that it was asked.
	refused: BTreeSet<String>,
}

impl Subscriptions {
	/// Notes that the library is given a subscription to send, after those before it.
	pub(crate) fn asked(&mut self, topic: String) {
		self.asked.push_back(topic);
	}

	/// Notes that the library has sent the next one, under this packet number.
	pub(crate) fn sent(&mut self, number: u16) {
		if let Some(topic) = self.asked.pop_front() {
			self.sent.insert(number, topic);
		}
	}

	/// Notes the broker's answer. Returns the topic if it is refused.
	pub(crate) fn answered(
		&mut self,
		number: u16,
		codes: &[SubscribeReasonCode],
	) -> Option<String> {
		let topic = self.sent.remove(&number)?;
		if matches!(codes.first(), Some(SubscribeReasonCode::Success(_))) {
			self.refused.remove(&topic);
			return None;
		}
		self.refused.insert(topic.clone());
		Some(topic)
	}

	/// Notes that the connection is lost: what it has not answered it never will.
	pub(crate) fn lost(&mut self) {
		self.asked.clear();
		self.sent.clear();
	}

	/// Returns what the broker refuses.
	pub(crate) fn refused(&self) -> Vec<String> {
		self.refused.iter().cloned().collect()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use rumqttc::QoS;

	const GRANTED: SubscribeReasonCode = SubscribeReasonCode::Success(QoS::AtLeastOnce);

	#[test]
	fn each_answer_is_that_of_its_own_topic() {
		let mut subscriptions = Subscriptions::default();
		for topic in ["a", "b", "c"] {
			subscriptions.asked(topic.to_string());
		}
		for number in [7, 8, 9] {
			subscriptions.sent(number);
		}
		assert_eq!(subscriptions.answered(9, &[GRANTED]), None);
		let refused = subscriptions.answered(8, &[SubscribeReasonCode::Failure]);
		assert_eq!(refused.as_deref(), Some("b"));
		assert_eq!(
			subscriptions.answered(7, &[]).as_deref(),
			Some("a"),
			"without an answer it is not granted"
		);
		assert_eq!(subscriptions.answered(8, &[GRANTED]), None, "it is answered once");
		assert_eq!(subscriptions.refused(), ["a", "b"]);
		subscriptions.asked("a".to_string());
		subscriptions.sent(10);
		assert_eq!(subscriptions.answered(10, &[GRANTED]), None);
		assert_eq!(subscriptions.refused(), ["b"]);
	}

	#[test]
	fn a_lost_connection_answers_nothing_any_more() {
		let mut subscriptions = Subscriptions::default();
		subscriptions.asked("a".to_string());
		subscriptions.sent(1);
		subscriptions.asked("b".to_string());
		subscriptions.lost();
		subscriptions.asked("a".to_string());
		subscriptions.sent(2);
		assert_eq!(subscriptions.answered(1, &[SubscribeReasonCode::Failure]), None);
		assert_eq!(subscriptions.answered(2, &[GRANTED]), None);
		assert!(subscriptions.refused().is_empty());
	}
}
