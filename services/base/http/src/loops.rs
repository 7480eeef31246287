//! The loops of a program: each shows that it is alive, and none ends unseen.
//!
//! A server that only answers requests is well when its database answers. One that also works in the
//! background can be half dead: a loop that hangs or has ended takes nothing from the others. So each
//! loop reports its turns to [`Loops`], `/health` asks for [`Loops::standstill`], and the program ends
//! when [`supervise`] returns.

use futures::{FutureExt, future::BoxFuture};
use gridproof_support::Lock;
use std::{
	collections::BTreeMap,
	panic::AssertUnwindSafe,
	sync::Mutex,
	time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// What is known of the loops of a program.
#[derive(Debug, Default)]
pub struct Loops(Mutex<BTreeMap<&'static str, Turns>>);

#[derive(Debug)]
struct Turns {
	/// When the last one was over.
	last: Instant,
	/// The longest time from one to the next.
	longest: Duration,
	has_ended: bool,
}

/// A loop of a program.
pub struct Part {
	/// Its name, in `/health` and in logs.
	pub name: &'static str,
	/// The longest time from one of its turns to the next: after that it hangs.
	pub longest: Duration,
	/// What it does, without end.
	pub work: BoxFuture<'static, ()>,
}

/// A loop has ended that should run as long as its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the part {part} {} and does nothing any more: start the program again", self.how())]
pub struct Ended {
	/// Name of the loop, as [`Part::name`].
	pub part: &'static str,
	/// `true` if it broke off: a defect, whose message is in the log.
	pub broke_off: bool,
}

impl Ended {
	const fn how(&self) -> &'static str {
		if self.broke_off { "broke off" } else { "has ended" }
	}
}

impl Loops {
	/// Notes that a loop begins, with at most `longest` from one turn to the next.
	pub fn begins(&self, name: &'static str, longest: Duration) {
		let turns = Turns { last: Instant::now(), longest, has_ended: false };
		self.0.locked().insert(name, turns);
	}

	/// Notes that a loop is alive: a turn of it, or a piece of one, is over.
	pub fn turn(&self, name: &'static str) {
		if let Some(turns) = self.0.locked().get_mut(name) {
			turns.last = Instant::now();
		}
	}

	/// Notes that a loop has ended.
	pub fn ends(&self, name: &'static str) {
		if let Some(turns) = self.0.locked().get_mut(name) {
			turns.has_ended = true;
		}
	}

	/// Returns the name of a loop that has ended; `None` if all of them run.
	pub fn ended(&self) -> Option<&'static str> {
		let turns = self.0.locked();
		turns.iter().find_map(|(name, turns)| turns.has_ended.then_some(*name))
	}

	/// Returns which loop stands still, and since when; `None` if all of them run.
	pub fn standstill(&self) -> Option<String> {
		self.0.locked().iter().find_map(|(name, turns)| {
			let idle = turns.last.elapsed();
			if turns.has_ended {
				Some(format!("the part {name} has ended: start the program again"))
			} else if idle > turns.longest {
				let seconds = idle.as_secs();
				Some(format!("the part {name} has done nothing for {seconds} s; its log says why"))
			} else {
				None
			}
		})
	}

	/// Returns the seconds since the last turn of each loop.
	pub fn idle(&self) -> BTreeMap<String, u64> {
		let turns = self.0.locked();
		let idle = |turns: &Turns| turns.last.elapsed().as_secs();
		turns.iter().map(|(name, turns)| ((*name).to_string(), idle(turns))).collect()
	}
}

/// Runs loops side by side, each as a task, until one of them ends; returns which. All of them are
/// ended when the future is dropped. Pending for ever if there is none.
pub fn supervise(loops: &Loops, parts: Vec<Part>) -> BoxFuture<'_, Ended> {
	Box::pin(async move {
		let mut tasks = JoinSet::new();
		for Part { name, longest, work } in parts {
			loops.begins(name, longest);
			tasks.spawn(async move {
				let broke_off = AssertUnwindSafe(work).catch_unwind().await.is_err();
				Ended { part: name, broke_off }
			});
		}
		while let Some(ended) = tasks.join_next().await {
			// A task fails only when it is cut off, which nobody does before this future is dropped.
			let Ok(ended) = ended else { continue };
			loops.ends(ended.part);
			tracing::error!(part = ended.part, broke_off = ended.broke_off, "a part has ended");
			return ended;
		}
		std::future::pending().await
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	fn part(name: &'static str, work: impl Future<Output = ()> + Send + 'static) -> Part {
		Part { name, longest: Duration::from_secs(60), work: work.boxed() }
	}

	async fn breaks_off() {
		panic!("a defect");
	}

	#[test]
	fn a_loop_that_hangs_stands_still_until_its_next_turn() {
		let loops = Loops::default();
		assert_eq!(loops.standstill(), None);
		loops.begins("settle", Duration::from_secs(60));
		loops.begins("dispatch", Duration::from_millis(20));
		assert_eq!(loops.standstill(), None);
		std::thread::sleep(Duration::from_millis(30));
		let said = loops.standstill().unwrap();
		assert!(said.starts_with("the part dispatch has done nothing for 0 s"), "{said}");
		loops.turn("dispatch");
		assert_eq!(loops.standstill(), None);
		assert_eq!(loops.idle().keys().collect::<Vec<_>>(), ["dispatch", "settle"]);
	}

	#[tokio::test]
	async fn a_loop_that_ends_or_breaks_off_ends_the_program_by_name() {
		let forever = || part("forever", std::future::pending());
		let loops = Loops::default();
		let ended = supervise(&loops, vec![forever(), part("short", async {})]).await;
		assert_eq!(ended, Ended { part: "short", broke_off: false });
		assert!(loops.standstill().unwrap().contains("short has ended"));
		assert_eq!(loops.ended(), Some("short"));
		let loops = Loops::default();
		let broken = part("broken", breaks_off());
		let ended = supervise(&loops, vec![forever(), broken]).await;
		assert_eq!(ended, Ended { part: "broken", broke_off: true });
		assert!(ended.to_string().starts_with("the part broken broke off"), "{ended}");
	}

	#[tokio::test]
	async fn what_is_supervised_ends_with_the_supervision() {
		let (sender, ended) = tokio::sync::oneshot::channel::<()>();
		let loops = Loops::default();
		let holding = part("holding", async move {
			let _sender = sender;
			std::future::pending().await
		});
		let supervised = supervise(&loops, vec![holding]);
		assert!(tokio::time::timeout(Duration::from_millis(20), supervised).await.is_err());
		assert!(ended.await.is_err(), "the task was dropped with all it held");
	}
}
