//! One connection for many, made again by one of them.

use std::{future::Future, time::Duration};
use tokio::{
	sync::Mutex,
	time::{Instant, sleep},
};

/// How long a failure to connect answers everybody: a node that hangs is asked by one at a time, and
/// those who come meanwhile do not wait in line for the same.
const REMEMBERED: Duration = Duration::from_secs(3);

/// The newest connection, however many use it. Who finds his broken gets the one that another has
/// made meanwhile; else he makes one, alone, and the others wait for it.
pub(crate) struct Renewal<T, E> {
	state: Mutex<State<T, E>>,
	remembered: Duration,
}

struct State<T, E> {
	newest: Option<T>,
	failure: Option<(Instant, E)>,
}

impl<T, E> Default for Renewal<T, E> {
	fn default() -> Self {
		let state = Mutex::new(State { newest: None, failure: None });
		Self { state, remembered: REMEMBERED }
	}
}

impl<T: Clone, E: Clone> Renewal<T, E> {
	/// Returns a connection that is not `broken`.
	pub(crate) async fn instead_of<F>(
		&self,
		broken: impl Fn(&T) -> bool,
		make: impl FnOnce() -> F,
	) -> Result<T, E>
	where
		F: Future<Output = Result<T, E>>,
	{
		let came = Instant::now();
		let mut state = self.state.lock().await;
		if let Some(newest) = state.newest.as_ref().filter(|newest| !broken(newest)) {
			return Ok(newest.clone());
		}
		let failure = state.failure.as_ref();
		let is_known = |at: &Instant| *at >= came || at.elapsed() < self.remembered;
		if let Some((_, error)) = failure.filter(|(at, _)| is_known(at)) {
			return Err(error.clone());
		}
		match make().await {
			Ok(made) => {
				*state = State { newest: Some(made.clone()), failure: None };
				Ok(made)
			},
			Err(error) => {
				state.failure = Some((Instant::now(), error.clone()));
				Err(error)
			},
		}
	}
}

/// Tries again until it succeeds or `patience` ends, after pauses that differ between programs: a
/// node that comes back is not met by all of them in the same moment.
pub(crate) async fn until_made<T, E, F>(
	patience: Duration,
	pauses: gridproof_support::Backoff,
	mut make: impl FnMut() -> F,
) -> Result<T, E>
where
	F: Future<Output = Result<T, E>>,
{
	let end = Instant::now() + patience;
	let mut pauses = pauses.pauses();
	loop {
		match make().await {
			Err(_) if Instant::now() < end => sleep(pauses.next_pause()).await,
			outcome => return outcome,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use futures::future::join_all;
	use std::sync::atomic::{AtomicU32, Ordering};

	#[tokio::test]
	async fn sixty_four_who_lost_their_connection_make_one() {
		let (renewal, made) = (Renewal::<u32, String>::default(), AtomicU32::new(0));
		let (renewal, made) = (&renewal, &made);
		let wave = |broken: u32| async move {
			let make = || async {
				sleep(Duration::from_millis(20)).await;
				Ok(made.fetch_add(1, Ordering::SeqCst) + 1)
			};
			renewal.instead_of(move |held| *held == broken, make).await
		};
		let first = join_all((0..64).map(|_| wave(0))).await;
		assert!(first.iter().all(|connection| *connection == Ok(1)), "{first:?}");
		let second = join_all((0..64).map(|_| wave(1))).await;
		assert!(second.iter().all(|connection| *connection == Ok(2)), "{second:?}");
		assert_eq!(wave(1).await, Ok(2), "who comes late gets what is there");
	}

	#[tokio::test]
	async fn a_node_that_hangs_is_waited_for_once_and_not_by_each_in_line() {
		let remembered = Duration::from_secs(60);
		let mut renewal = Renewal::<u32, String> { remembered, ..Renewal::default() };
		let asked = AtomicU32::new(0);
		assert_eq!(wait_for(&renewal, &asked).await, 1);
		renewal.remembered = Duration::ZERO;
		assert_eq!(wait_for(&renewal, &asked).await, 1_002, "later it is asked again");
	}

	/// A thousand who ask at once and a thousand who ask one after the other; how often the node was
	/// asked.
	async fn wait_for(renewal: &Renewal<u32, String>, asked: &AtomicU32) -> u32 {
		let ask = || async move {
			let make = || async {
				asked.fetch_add(1, Ordering::SeqCst);
				sleep(Duration::from_millis(1)).await;
				Err("no answer".to_string())
			};
			renewal.instead_of(|_| true, make).await
		};
		let answers = join_all((0..1_000).map(|_| ask())).await;
		assert!(answers.iter().all(|answer| answer == &Err("no answer".to_string())));
		for _ in 0..1_000 {
			ask().await.unwrap_err();
		}
		asked.load(Ordering::SeqCst)
	}
}
