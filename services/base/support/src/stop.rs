//! One signal that ends all parts of a program.

use std::io;
use tokio::{
	signal::unix::{SignalKind, signal},
	sync::watch,
};

/// Exit code of a program that a second Ctrl-C ends at once: 128 and the number of SIGINT.
const INTERRUPTED: i32 = 130;

/// Ends what listens to its [`Stop`]s: when it is asked to, or when it is dropped.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Becomes true once, for everyone who has a clone.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Default for Stopper {
	fn default() -> Self {
		Self(watch::channel(false).0)
	}
}

impl Stopper {
	/// Returns a stopper that nobody has used yet.
	pub fn new() -> Self {
		Self::default()
	}

	/// Returns a signal that this stopper gives.
	pub fn signal(&self) -> Stop {
		Stop(self.0.subscribe())
	}

	/// Ends what listens.
	pub fn stop(&self) {
		self.0.send_replace(true);
	}
}

impl Stop {
	/// Returns when the program is to end.
	pub async fn stopped(&self) {
		let mut signal = self.0.clone();
		// An error means that the stopper is gone: nobody could stop this any more.
		let _ = signal.wait_for(|stopped| *stopped).await;
	}

	/// Returns `true` if the program is to end.
	pub fn is_stopped(&self) -> bool {
		*self.0.borrow() || self.0.has_changed().is_err()
	}

	/// Works until it is done or the program is to end; `None` then.
	pub async fn unless_stopped<R>(&self, work: impl Future<Output = R>) -> Option<R> {
		tokio::select! {
			biased;
			() = self.stopped() => None,
			done = work => Some(done),
		}
	}

	/// Waits for `pause`; returns `false` at once if the program is to end.
	pub async fn pause(&self, pause: std::time::Duration) -> bool {
		self.unless_stopped(tokio::time::sleep(pause)).await.is_some()
	}
}

/// Returns a signal that Ctrl-C (SIGINT) and SIGTERM give. A second one ends the process at once.
///
/// # Errors
/// The system does not let the program listen.
pub fn on_signals() -> io::Result<Stop> {
	let (mut terminate, mut interrupt) =
		(signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
	let stopper = Stopper::new();
	let stop = stopper.signal();
	tokio::spawn(async move {
		let mut is_first = true;
		loop {
			tokio::select! {
				_ = terminate.recv() => (),
				_ = interrupt.recv() => (),
			}
			if !is_first {
				std::process::exit(INTERRUPTED);
			}
			is_first = false;
			tracing::info!("stopping; once more ends the program at once");
			stopper.stop();
		}
	});
	Ok(stop)
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::time::Duration;

	#[tokio::test]
	async fn all_clones_hear_the_signal() {
		let stopper = Stopper::new();
		let (one, other) = (stopper.signal(), stopper.signal().clone());
		assert!(!one.is_stopped());
		stopper.stop();
		one.stopped().await;
		other.stopped().await;
		assert!(one.is_stopped() && other.is_stopped() && stopper.signal().is_stopped());
	}

	#[tokio::test]
	async fn a_stopper_that_is_dropped_stops() {
		let stop = Stopper::new().signal();
		stop.stopped().await;
		assert!(stop.is_stopped());
	}

	#[tokio::test]
	async fn work_ends_early_when_the_program_is_to_end() {
		let stopper = Stopper::new();
		let stop = stopper.signal();
		assert_eq!(stop.unless_stopped(async { 1 }).await, Some(1));
		assert!(stop.pause(Duration::ZERO).await);
		stopper.stop();
		assert!(!stop.pause(Duration::from_secs(3_600)).await);
	}
}
