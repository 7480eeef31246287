//! Requests that end, and a connection that is made again soon.
//!
//! The client below keeps what is asked while it has no connection until it has one again, however long
//! that takes, and waits up to a minute between two attempts. So anyone who asked while a node was
//! away would still wait long after it is back.

use futures::FutureExt;
use gridproof_support::Backoff;
use std::time::Duration;
use subxt::rpcs::{
	self,
	client::{RawRpcFuture, RawRpcSubscription, RawValue, RpcClientT},
};

/// A client whose requests have an answer, or an error, within a time.
pub(crate) struct Bounded<C> {
	client: C,
	longest: Duration,
}

impl<C> Bounded<C> {
	/// Returns a client whose requests take at most so long.
	pub(crate) const fn new(client: C, longest: Duration) -> Self {
		Self { client, longest }
	}

	fn within<'a, T: 'a>(&self, asked: RawRpcFuture<'a, T>) -> RawRpcFuture<'a, T> {
		let longest = self.longest;
		async move {
			tokio::time::timeout(longest, asked).await.unwrap_or_else(|_| {
				let reason = format!("no answer within {} s", longest.as_secs());
				Err(rpcs::Error::Client(reason.into()))
			})
		}
		.boxed()
	}
}

impl<C: RpcClientT> RpcClientT for Bounded<C> {
	fn request_raw<'a>(
		&'a self,
		method: &'a str,
		params: Option<Box<RawValue>>,
	) -> RawRpcFuture<'a, Box<RawValue>> {
		self.within(self.client.request_raw(method, params))
	}

	fn subscribe_raw<'a>(
		&'a self,
		sub: &'a str,
		params: Option<Box<RawValue>>,
		unsub: &'a str,
	) -> RawRpcFuture<'a, RawRpcSubscription> {
		self.within(self.client.subscribe_raw(sub, params, unsub))
	}
}

/// The pauses between attempts to make a lost connection again, without end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempts {
	pauses: Backoff,
	made: u32,
}

impl Attempts {
	/// Returns the pauses of a policy.
	pub(crate) const fn new(pauses: Backoff) -> Self {
		Self { pauses, made: 0 }
	}
}

impl Iterator for Attempts {
	type Item = Duration;

	fn next(&mut self) -> Option<Duration> {
		self.made = self.made.saturating_add(1);
		Some(self.pauses.pause_after(self.made))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// A client that has no connection, and keeps what is asked.
	struct Away;

	impl RpcClientT for Away {
		fn request_raw<'a>(
			&'a self,
			_: &'a str,
			_: Option<Box<RawValue>>,
		) -> RawRpcFuture<'a, Box<RawValue>> {
			std::future::pending().boxed()
		}

		fn subscribe_raw<'a>(
			&'a self,
			_: &'a str,
			_: Option<Box<RawValue>>,
			_: &'a str,
		) -> RawRpcFuture<'a, RawRpcSubscription> {
			std::future::pending().boxed()
		}
	}

	#[tokio::test]
	async fn what_is_asked_of_a_node_that_is_away_ends_in_its_time() {
		let client = Bounded::new(Away, Duration::from_millis(30));
		let error = client.request_raw("chain_getFinalizedHead", None).await.unwrap_err();
		assert!(error.to_string().ends_with("no answer within 0 s"), "{error}");
		assert!(client.subscribe_raw("a", None, "b").await.is_err());
	}

	#[test]
	fn a_lost_connection_is_tried_again_at_least_every_five_seconds() {
		let (first, longest) = (Duration::from_millis(500), Duration::from_secs(5));
		let attempts = Attempts::new(Backoff::new(first, longest).without_jitter());
		let pauses: Vec<u128> = attempts.take(6).map(|pause| pause.as_millis()).collect();
		assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 5_000, 5_000]);
		let jittered = Attempts::new(Backoff::new(first, longest));
		assert!(jittered.take(1_000).all(|pause| !pause.is_zero() && pause <= longest));
	}
}
