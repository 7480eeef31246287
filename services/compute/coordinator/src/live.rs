//! What is being read along: the text of running jobs, and word of their end.
//!
//! Nothing of this is kept: after a restart readers ask for the job again.

use gridproof_primitives::H256;
use gridproof_support::{Lock, number::clamped};
use std::{
	collections::HashMap,
	sync::{Mutex, MutexGuard},
};
use tokio::sync::watch;

/// Most bytes of text that a token of an answer stands for here. Longer text is in the output.
const MAX_TOKEN_BYTES: usize = 64;

/// How far a job's text is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
	/// The attempt that the text is of.
	pub attempt: u32,
	/// All text of this attempt so far.
	pub text: String,
	/// `true` if the job has ended.
	pub done: bool,
}

/// Channels to those who read along.
#[derive(Default)]
pub(crate) struct Live(Mutex<HashMap<H256, Channel>>);

/// The way to those who read a job along.
struct Channel {
	frames: watch::Sender<Frame>,
	/// Most bytes of text.
	most: usize,
}

impl Live {
	fn channels(&self) -> MutexGuard<'_, HashMap<H256, Channel>> {
		self.0.locked()
	}

	/// Reads along from now on, as much text as so many tokens have. Look at the job's stage afterwards: it may have ended before.
	pub(crate) fn follow(&self, job: H256, max_tokens: u32) -> watch::Receiver<Frame> {
		let mut channels = self.channels();
		channels.retain(|_, channel| channel.frames.receiver_count() > 0);
		let most = clamped::<usize, _>(max_tokens).saturating_mul(MAX_TOKEN_BYTES);
		let new = || Channel { frames: watch::channel(Frame::default()).0, most };
		channels.entry(job).or_insert_with(new).frames.subscribe()
	}

	/// Adds a piece of text that begins at `offset`. A piece that is there already is passed over;
	/// one that leaves a gap is too, as is one beyond what the job can have, and comes again in the
	/// output: no miner fills the memory.
	pub(crate) fn add(&self, job: H256, attempt: u32, offset: u64, text: &str) {
		let channels = self.channels();
		let Some(channel) = channels.get(&job) else { return };
		channel.frames.send_if_modified(|frame| {
			if frame.attempt != attempt {
				*frame = Frame { attempt, ..Frame::default() };
			}
			let known = clamped::<u64, _>(frame.text.len());
			let length = frame.text.len().saturating_add(text.len());
			let fits = known == offset && !text.is_empty() && length <= channel.most;
			if fits {
				frame.text.push_str(text);
			}
			fits
		});
	}

	/// Says that the job has ended.
	pub(crate) fn end(&self, job: H256) {
		if let Some(channel) = self.channels().remove(&job) {
			channel.frames.send_modify(|frame| frame.done = true);
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const JOB: H256 = H256([1; 32]);

	#[tokio::test]
	async fn pieces_come_once_and_in_order() {
		let live = Live::default();
		let mut reader = live.follow(JOB, 8);
		live.add(JOB, 1, 0, "Hel");
		live.add(JOB, 1, 0, "Hel");
		live.add(JOB, 1, 4, "?");
		live.add(JOB, 1, 3, "lo");
		assert_eq!(reader.borrow_and_update().text, "Hello");
		live.end(JOB);
		assert!(reader.borrow_and_update().done);
	}

	#[test]
	fn another_attempt_starts_over() {
		let live = Live::default();
		let reader = live.follow(JOB, 8);
		live.add(JOB, 1, 0, "first");
		live.add(JOB, 2, 0, "second");
		assert_eq!(reader.borrow().text, "second");
	}

	#[test]
	fn no_more_text_is_kept_than_the_job_can_have() {
		let live = Live::default();
		let reader = live.follow(JOB, 1);
		live.add(JOB, 1, 0, &"x".repeat(MAX_TOKEN_BYTES));
		live.add(JOB, 1, 64, "y");
		assert_eq!(reader.borrow().text.len(), MAX_TOKEN_BYTES);
	}

	#[test]
	fn nothing_is_kept_without_readers() {
		let live = Live::default();
		live.add(JOB, 1, 0, "unread");
		drop(live.follow(JOB, 8));
		let reader = live.follow(H256([2; 32]), 8);
		assert_eq!(live.channels().len(), 1);
		drop(reader);
	}
}
