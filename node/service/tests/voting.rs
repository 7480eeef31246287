//! What the voter of GRANDPA expects.

use gridproof_node_service::service::voting;
use std::time::Duration;

#[test]
fn the_voter_expects_a_vote_to_need_as_long_as_the_operator_says() {
	for milliseconds in [20, 100, 300] {
		let gossip = Duration::from_millis(milliseconds);
		assert_eq!(voting(gossip, "/grandpa/1".into()).gossip_duration, gossip);
	}
}
