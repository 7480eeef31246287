//! What the service manager learns: that a program is ready, works, and stops.
//!
//! systemd hands a unit of `Type=notify` a socket, and with `WatchdogSec=` a deadline. Where neither is
//! there, nothing is said. Protocol: `sd_notify(3)`.

use crate::Stop;
use sd_notify::NotifyState;
use std::time::Duration;

/// Pause between two looks where there is no deadline: the status is shown all the same.
const UNHURRIED: Duration = Duration::from_secs(10);

/// Says that the program is ready; then, twice in each deadline, that it works; in the end that it stops.
///
/// While `standstill` names what stands still, nothing is said but that, so that the deadline passes and
/// the program is started again.
pub async fn report(stop: Stop, standstill: impl Fn() -> Option<String>) {
	let pause = sd_notify::watchdog_enabled().map_or(UNHURRIED, |deadline| deadline / 2);
	report_by(stop, pause, standstill, |states| {
		if let Err(error) = sd_notify::notify(states) {
			tracing::warn!(%error, "the service manager did not learn how the program is");
		}
	})
	.await;
}

async fn report_by(
	stop: Stop,
	pause: Duration,
	standstill: impl Fn() -> Option<String>,
	tell: impl Fn(&[NotifyState<'_>]),
) {
	tell(&[NotifyState::Ready, NotifyState::Status("works")]);
	while stop.pause(pause).await {
		match standstill() {
			None => tell(&[NotifyState::Watchdog, NotifyState::Status("works")]),
			Some(what) => tell(&[NotifyState::Status(&what)]),
		}
	}
	tell(&[NotifyState::Stopping]);
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{Lock, Stopper};
	use std::sync::Mutex;

	#[tokio::test]
	async fn a_program_that_stands_still_keeps_no_deadline() {
		let (stopper, said) = (Stopper::new(), Mutex::new(Vec::new()));
		let rounds = Mutex::new(0);
		let standstill = || {
			let mut round = rounds.locked();
			*round += 1;
			if *round == 3 {
				stopper.stop();
			}
			(*round == 2).then(|| "batching has done nothing for 90 s".to_string())
		};
		let tell = |states: &[NotifyState<'_>]| {
			said.locked().push(states.iter().map(ToString::to_string).collect::<Vec<_>>());
		};
		report_by(stopper.signal(), Duration::ZERO, standstill, tell).await;
		let said = said.into_inner().unwrap();
		let expected: [&[&str]; 5] = [
			&["READY=1", "STATUS=works"],
			&["WATCHDOG=1", "STATUS=works"],
			&["STATUS=batching has done nothing for 90 s"],
			&["WATCHDOG=1", "STATUS=works"],
			&["STOPPING=1"],
		];
		assert_eq!(said, expected);
	}
}
