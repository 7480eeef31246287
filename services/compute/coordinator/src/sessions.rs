//! Miners that have a session: who they are, what they serve, what they hold.
//!
//! All times are steady milliseconds, which pass evenly whatever the clock is set to.

use gridproof_compute_api::protocol::{ClassName, Work};
use gridproof_primitives::H256;
use gridproof_support::Lock;
use rand::{Rng, RngCore, rngs::OsRng};
use sp_crypto_hashing::sha2_256;
use std::{
	collections::HashMap,
	sync::{Mutex, MutexGuard},
};
use tokio::sync::oneshot;

/// Added to a score when miners are drawn, so that nobody is without a chance.
const SCORE_FLOOR: u32 = 500;
/// Bad results after which a miner gets nothing for a while.
const MAX_STRIKES: u32 = 3;
/// How long, in milliseconds.
const PAUSE_MS: u64 = 600_000;

/// A request is this miner's: only `Sessions::find` makes one, from the token that the miner got
/// for its hello.
#[derive(Clone, Debug)]
pub struct Session {
	miner: [u8; 32],
}

impl Session {
	/// The miner's key.
	pub const fn miner(&self) -> &[u8; 32] {
		&self.miner
	}
}

/// A miner that said hello.
#[derive(Clone, Debug)]
pub(crate) struct Presence {
	/// The miner's key.
	pub miner: [u8; 32],
	/// Its class on chain.
	pub class: ClassName,
	/// Names of the models it serves.
	pub models: Vec<String>,
	/// Jobs it takes at a time.
	pub slots: u32,
	/// Its score on chain, 0 to 10,000, when it said hello.
	pub score: u32,
	/// When its session ends, steady milliseconds.
	pub expires_ms: u64,
	/// When it was last heard of.
	pub seen_ms: u64,
}

/// A job that a miner holds, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeldLease {
	/// The miner's key.
	pub miner: [u8; 32],
	/// The attempt at the job.
	pub attempt: u32,
	/// Since when, in steady milliseconds.
	pub since_ms: u64,
	/// Until when, in steady milliseconds.
	pub until_ms: u64,
}

/// A request for work that is being answered.
struct Waiter {
	number: u64,
	miner: [u8; 32],
	answer: oneshot::Sender<Work>,
}

#[derive(Default)]
struct Inner {
	by_token: HashMap<[u8; 32], Presence>,
	leases: HashMap<H256, HeldLease>,
	waiting: Vec<Waiter>,
	next_waiter: u64,
	strikes: HashMap<[u8; 32], (u32, u64)>,
}

/// All miners that have a session.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<Inner>);

/// A chosen miner and the way to answer it.
pub(crate) struct Chosen {
	/// The miner's key.
	pub miner: [u8; 32],
	/// Takes the assignment.
	pub answer: oneshot::Sender<Work>,
}

impl Sessions {
	fn inner(&self) -> MutexGuard<'_, Inner> {
		self.0.locked()
	}

	/// Begins a session and ends an older one of the same miner. The token is kept as a hash.
	pub(crate) fn begin(&self, presence: Presence) -> String {
		let mut token = [0; 32];
		OsRng.fill_bytes(&mut token);
		let token = hex::encode(token);
		let mut inner = self.inner();
		inner.by_token.retain(|_, other| other.miner != presence.miner);
		inner.by_token.insert(sha2_256(token.as_bytes()), presence);
		token
	}

	/// Returns the session of a token, if it has not ended.
	pub(crate) fn find(&self, token: &str, now: u64) -> Option<Session> {
		let mut inner = self.inner();
		let presence = inner.by_token.get_mut(&sha2_256(token.as_bytes()))?;
		if presence.expires_ms <= now {
			return None;
		}
		presence.seen_ms = now;
		Some(Session { miner: presence.miner })
	}

	/// Ends a miner's session.
	pub(crate) fn end(&self, miner: &[u8; 32]) {
		let mut inner = self.inner();
		inner.by_token.retain(|_, session| session.miner != *miner);
		inner.waiting.retain(|waiter| waiter.miner != *miner);
	}

	/// Returns all miners whose session has not ended.
	pub(crate) fn all(&self, now: u64) -> Vec<Presence> {
		let mut inner = self.inner();
		inner.by_token.retain(|_, session| session.expires_ms > now);
		inner.by_token.values().cloned().collect()
	}

	/// Waits for work. The number withdraws the request: see [`Sessions::leave`].
	pub(crate) fn wait(&self, miner: [u8; 32]) -> (u64, oneshot::Receiver<Work>) {
		let (answer, receiver) = oneshot::channel();
		let mut inner = self.inner();
		let number = inner.next_waiter;
		inner.next_waiter = number.wrapping_add(1);
		inner.waiting.push(Waiter { number, miner, answer });
		(number, receiver)
	}

	/// Withdraws a request for work; returns `false` if it has been given a job meanwhile.
	pub(crate) fn leave(&self, number: u64) -> bool {
		let mut inner = self.inner();
		let before = inner.waiting.len();
		inner.waiting.retain(|waiter| waiter.number != number);
		inner.waiting.len() < before
	}

	/// Returns `true` if a miner waits for work.
	pub(crate) fn anybody_waits(&self) -> bool {
		!self.inner().waiting.is_empty()
	}

	/// Draws one of the waiting miners that serve a model, have a slot free and the class, by
	/// their scores. `avoid` is taken only if `last_resort`.
	pub(crate) fn choose(
		&self,
		model: &str,
		class: Option<ClassName>,
		avoid: &[[u8; 32]],
		last_resort: bool,
		now: u64,
	) -> Option<Chosen> {
		let mut inner = self.inner();
		inner.waiting.retain(|waiter| !waiter.answer.is_closed());
		let weight = |waiter: &Waiter| -> Option<u32> {
			let session = inner.by_token.values().find(|s| s.miner == waiter.miner)?;
			let held = inner.leases.values().filter(|l| l.miner == waiter.miner).count();
			let is_paused = inner.strikes.get(&waiter.miner).is_some_and(|(_, until)| *until > now);
			let fits = session.expires_ms > now
				&& class.is_none_or(|class| class == session.class)
				&& session.models.iter().any(|served| served == model)
				&& u32::try_from(held).is_ok_and(|held| held < session.slots)
				&& !is_paused;
			fits.then(|| session.score.saturating_add(SCORE_FLOOR))
		};
		let mut candidates: Vec<(u64, bool, u32)> = inner
			.waiting
			.iter()
			.filter_map(|w| Some((w.number, avoid.contains(&w.miner), weight(w)?)))
			.collect();
		if candidates.iter().any(|(_, avoided, _)| !avoided) {
			candidates.retain(|(_, avoided, _)| !avoided);
		} else if !last_resort {
			return None;
		}
		let sum = candidates.iter().fold(0u64, |sum, (_, _, w)| sum.saturating_add((*w).into()));
		let mut point = (sum > 0).then(|| OsRng.gen_range(0..sum))?;
		let number = candidates.iter().find_map(|(number, _, weight)| {
			let weight = u64::from(*weight);
			if point < weight {
				return Some(*number);
			}
			point = point.saturating_sub(weight);
			None
		})?;
		let place = inner.waiting.iter().position(|waiter| waiter.number == number)?;
		let waiter = inner.waiting.swap_remove(place);
		Some(Chosen { miner: waiter.miner, answer: waiter.answer })
	}

	/// Gives a job to a miner for a while, or for longer.
	pub(crate) fn lease(&self, job: H256, lease: HeldLease) {
		self.inner().leases.insert(job, lease);
	}

	/// Prolongs a lease; returns `false` if the job is not this miner's in this attempt.
	pub(crate) fn prolong(&self, job: H256, miner: &[u8; 32], attempt: u32, until_ms: u64) -> bool {
		match self.inner().leases.get_mut(&job) {
			Some(lease) if lease.miner == *miner && lease.attempt == attempt => {
				lease.until_ms = lease.until_ms.max(until_ms);
				true
			},
			_ => false,
		}
	}

	/// Ends a lease.
	pub(crate) fn release(&self, job: &H256) {
		self.inner().leases.remove(job);
	}

	/// Returns the leases that have run out.
	pub(crate) fn run_out(&self, now: u64) -> Vec<(H256, HeldLease)> {
		let inner = self.inner();
		let over = inner.leases.iter().filter(|(_, lease)| lease.until_ms <= now);
		over.map(|(job, lease)| (*job, *lease)).collect()
	}

	/// Returns what a miner holds.
	pub(crate) fn held_by(&self, miner: &[u8; 32]) -> Vec<(H256, HeldLease)> {
		let inner = self.inner();
		let held = inner.leases.iter().filter(|(_, lease)| lease.miner == *miner);
		held.map(|(job, lease)| (*job, *lease)).collect()
	}

	/// Returns the miner that holds some work.
	pub(crate) fn holder(&self, job: &H256) -> Option<[u8; 32]> {
		self.inner().leases.get(job).map(|lease| lease.miner)
	}

	/// Returns since when a miner holds some work.
	pub(crate) fn held_since(&self, job: &H256) -> Option<u64> {
		self.inner().leases.get(job).map(|lease| lease.since_ms)
	}

	/// A miner gave a result that was refused. After three it gets nothing for ten minutes.
	pub(crate) fn strike(&self, miner: &[u8; 32], now: u64) {
		let mut inner = self.inner();
		let (count, until) = inner.strikes.entry(*miner).or_default();
		*count = count.saturating_add(1);
		if *count >= MAX_STRIKES {
			*count = 0;
			*until = now.saturating_add(PAUSE_MS);
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn present(miner: u8, score: u32, slots: u32) -> Presence {
		Presence {
			miner: [miner; 32],
			class: ClassName::Cpu,
			models: vec!["m".to_string()],
			slots,
			score,
			expires_ms: 1_000,
			seen_ms: 0,
		}
	}

	fn lease(miner: u8) -> HeldLease {
		HeldLease { miner: [miner; 32], attempt: 1, since_ms: 0, until_ms: 50 }
	}

	#[test]
	fn a_second_hello_ends_the_first_session() {
		let sessions = Sessions::default();
		let first = sessions.begin(present(1, 0, 1));
		let second = sessions.begin(present(1, 0, 1));
		assert!(sessions.find(&first, 0).is_none());
		assert!(sessions.find(&second, 0).is_some());
		assert!(sessions.find(&second, 1_000).is_none(), "it ends in time");
	}

	#[test]
	fn only_miners_that_serve_the_model_with_a_free_slot_are_chosen() {
		let sessions = Sessions::default();
		sessions.begin(present(1, 0, 1));
		let (_, _wait) = sessions.wait([1; 32]);
		assert!(sessions.choose("other", None, &[], true, 0).is_none());
		assert!(sessions.choose("m", Some(ClassName::Gpu), &[], true, 0).is_none());
		sessions.lease(H256([9; 32]), lease(1));
		assert!(sessions.choose("m", None, &[], true, 0).is_none(), "its one slot is taken");
		sessions.release(&H256([9; 32]));
		assert_eq!(sessions.choose("m", None, &[], true, 0).unwrap().miner, [1; 32]);
		assert!(sessions.choose("m", None, &[], true, 0).is_none(), "a request is answered once");
	}

	#[test]
	fn a_miner_that_failed_is_the_last_resort() {
		let sessions = Sessions::default();
		sessions.begin(present(1, 10_000, 1));
		let (_, _wait) = sessions.wait([1; 32]);
		assert!(sessions.choose("m", None, &[[1; 32]], false, 0).is_none());
		sessions.begin(present(2, 0, 1));
		let (_, _wait_too) = sessions.wait([2; 32]);
		assert_eq!(sessions.choose("m", None, &[[1; 32]], true, 0).unwrap().miner, [2; 32]);
		assert_eq!(sessions.choose("m", None, &[[1; 32]], true, 0).unwrap().miner, [1; 32]);
	}

	#[test]
	fn higher_scores_get_more_and_nobody_gets_nothing() {
		let sessions = Sessions::default();
		sessions.begin(present(1, 9_500, 9));
		sessions.begin(present(2, 0, 9));
		let mut of_first = 0;
		for _ in 0..2_000 {
			let (a, _first) = sessions.wait([1; 32]);
			let (b, _second) = sessions.wait([2; 32]);
			let chosen = sessions.choose("m", None, &[], true, 0).unwrap();
			of_first += u32::from(chosen.miner == [1; 32]);
			sessions.leave(a);
			sessions.leave(b);
		}
		// 10,000 to 500: 1,905 of 2,000 expected, standard deviation below 10.
		assert!((1_840..=1_960).contains(&of_first), "{of_first}");
	}

	#[test]
	fn a_lease_is_prolonged_by_its_holder_only_and_never_shortened() {
		let sessions = Sessions::default();
		let job = H256([9; 32]);
		sessions.lease(job, lease(1));
		assert!(!sessions.prolong(job, &[2; 32], 1, 100), "not its job");
		assert!(!sessions.prolong(job, &[1; 32], 2, 100), "not this attempt");
		assert!(sessions.prolong(job, &[1; 32], 1, 100));
		assert!(sessions.prolong(job, &[1; 32], 1, 70));
		assert!(sessions.run_out(99).is_empty());
		assert_eq!(sessions.run_out(100).len(), 1);
	}

	#[test]
	fn three_bad_results_pause_a_miner() {
		let sessions = Sessions::default();
		sessions.begin(Presence { expires_ms: u64::MAX, ..present(1, 0, 1) });
		let (_, _wait) = sessions.wait([1; 32]);
		for _ in 0..3 {
			sessions.strike(&[1; 32], 0);
		}
		assert!(sessions.choose("m", None, &[], true, PAUSE_MS - 1).is_none());
		assert!(sessions.choose("m", None, &[], true, PAUSE_MS).is_some());
	}
}
