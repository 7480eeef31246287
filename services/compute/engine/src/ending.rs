//! Where an answer ends: one rule for making one and for judging one.

use crate::stream::Stream;
use gridproof_compute_api::protocol::Finish;

/// An answer on its way to its end.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
	stream: Stream,
	end: u32,
	most: u32,
	made: u32,
}

impl Ending {
	/// Returns an answer without tokens. It ends with the token `end`, with one of the texts `stop`,
	/// or with its token number `most`.
	pub(crate) fn new(stop: &[String], end: u32, most: u32) -> Self {
		Self { stream: Stream::new(stop), end, most, made: 0 }
	}

	/// Takes the next token, which stands for `bytes`. Returns the text that is certain now, and why
	/// the answer ends with this token, if it does.
	pub(crate) fn take(&mut self, token: u32, bytes: &[u8]) -> (String, Option<Finish>) {
		self.made = self.made.saturating_add(1);
		if token == self.end {
			return (String::new(), Some(Finish::Stop));
		}
		let text = self.stream.push(bytes);
		let finish = if self.stream.stopped() {
			Some(Finish::Stop)
		} else if self.made >= self.most {
			Some(Finish::Length)
		} else {
			None
		};
		(text, finish)
	}

	/// Returns the text that was kept back; there is no more to come.
	pub(crate) fn finish(&mut self) -> String {
		self.stream.finish()
	}

	/// All text so far.
	pub(crate) fn text(&self) -> &str {
		self.stream.text()
	}
}
