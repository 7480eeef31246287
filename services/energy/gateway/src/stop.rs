//! Waiting, until something happens or the gateway stops.

use gridproof_support::Stop;
use std::time::Duration;
use tokio::{sync::Notify, task::JoinHandle};

/// The time that a task has to finish what is on its way.
const FINISH: Duration = Duration::from_secs(10);

/// Waits for `pause`, or less if `woken` is notified. Returns `false` at once when the gateway
/// stops.
pub(crate) async fn pause(stop: &Stop, pause: Duration, woken: Option<&Notify>) -> bool {
	let woken = async {
		match woken {
			Some(notify) => notify.notified().await,
			None => std::future::pending().await,
		}
	};
	let either = async {
		tokio::select! {
			() = woken => (),
			() = tokio::time::sleep(pause) => (),
		}
	};
	stop.unless_stopped(either).await.is_some()
}

/// Waits for a task that was asked to stop; ends it if it takes too long.
pub(crate) async fn finish(task: JoinHandle<()>) {
	let abort = task.abort_handle();
	if tokio::time::timeout(FINISH, task).await.is_err() {
		abort.abort();
	}
}
