//! From tokens to text as it comes.
//!
//! A character may reach over several tokens, and so may a stop text. What could still become
//! either is kept back until it is certain.

/// Text on its way out.
#[derive(Clone, Debug)]
pub struct Stream {
	stop: Vec<String>,
	/// Bytes of a character that is not complete.
	bytes: Vec<u8>,
	/// Text that may be the beginning of a stop text.
	held: String,
	/// All that was let out.
	text: String,
	stopped: bool,
}

impl Stream {
	/// A stream that ends before the one of these texts that is complete first; empty ones do not
	/// count.
	pub fn new(stop: &[String]) -> Self {
		let stop = stop.iter().filter(|stop| !stop.is_empty()).cloned().collect();
		Self { stop, bytes: Vec::new(), held: String::new(), text: String::new(), stopped: false }
	}

	/// Takes bytes; the text that is certain now.
	pub fn push(&mut self, bytes: &[u8]) -> String {
		if self.stopped {
			return String::new();
		}
		self.bytes.extend_from_slice(bytes);
		let complete = complete(&self.bytes);
		let rest = self.bytes.split_off(complete);
		self.held.push_str(&String::from_utf8_lossy(&self.bytes));
		self.bytes = rest;
		self.release(false)
	}

	/// There is no more to come: the text that was kept back.
	pub fn finish(&mut self) -> String {
		if self.stopped {
			return String::new();
		}
		let rest = std::mem::take(&mut self.bytes);
		self.held.push_str(&String::from_utf8_lossy(&rest));
		self.release(true)
	}

	/// Has a stop text come?
	pub const fn stopped(&self) -> bool {
		self.stopped
	}

	/// All text so far.
	pub fn text(&self) -> &str {
		&self.text
	}

	/// Lets out what cannot belong to a stop text.
	fn release(&mut self, all: bool) -> String {
		let end = match first_complete(&self.stop, &self.held) {
			Some(start) => {
				self.stopped = true;
				start
			},
			None if all => self.held.len(),
			None => self.held.len().saturating_sub(self.longest_beginning()),
		};
		let rest = self.held.split_off(end);
		let out = std::mem::replace(&mut self.held, rest);
		if self.stopped {
			self.held.clear();
		}
		self.text.push_str(&out);
		out
	}

	/// Bytes at the end of the held text that a stop text begins with.
	fn longest_beginning(&self) -> usize {
		let ends = self.held.char_indices().map(|(at, _)| self.held.get(at..).unwrap_or_default());
		ends.filter(|end| self.stop.iter().any(|stop| stop.starts_with(end)))
			.map(str::len)
			.max()
			.unwrap_or(0)
	}
}

/// Where the stop text begins that ends first. That does not depend on how the text comes in pieces.
fn first_complete(stop: &[String], text: &str) -> Option<usize> {
	let found = stop.iter().filter_map(|stop| {
		let start = text.find(stop.as_str())?;
		Some((start.saturating_add(stop.len()), start))
	});
	found.min().map(|(_, start)| start)
}

/// Length of the bytes up to a last character that is not complete yet.
fn complete(bytes: &[u8]) -> usize {
	let mut at = 0usize;
	loop {
		let rest = bytes.get(at..).unwrap_or_default();
		match std::str::from_utf8(rest) {
			Ok(_) => return bytes.len(),
			Err(error) => {
				at = at.saturating_add(error.valid_up_to());
				match error.error_len() {
					// Wrong whatever follows: shown as such.
					Some(wrong) => at = at.saturating_add(wrong),
					None => return at,
				}
			},
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	fn run(stop: &[&str], parts: &[&[u8]]) -> (Vec<String>, String, bool) {
		let stop: Vec<String> = stop.iter().map(ToString::to_string).collect();
		let mut stream = Stream::new(&stop);
		let mut out: Vec<String> = parts.iter().map(|part| stream.push(part)).collect();
		out.push(stream.finish());
		(out, stream.text().to_string(), stream.stopped())
	}

	#[test]
	fn a_character_over_two_tokens_comes_out_whole() {
		let (out, text, _) = run(&[], &[b"caf\xc3", b"\xa9!", b"\xf0\x9f", b"\x98", b"\x80"]);
		assert_eq!(out, ["caf", "é!", "", "", "😀", ""]);
		assert_eq!(text, "café!😀");
	}

	#[test]
	fn bytes_that_are_no_text_are_shown_as_such() {
		assert_eq!(run(&[], &[b"a\xffb"]).1, "a\u{fffd}b");
		assert_eq!(run(&[], &[b"a\xe4\xb8"]).1, "a\u{fffd}");
		assert_eq!(run(&[], &[b"\xe4\xb8", b"z"]).1, "\u{fffd}z");
	}

	#[test]
	fn a_stop_text_over_two_tokens_ends_the_text_before_it() {
		let (out, text, stopped) = run(&["END", "\n\n"], &[b"one E", b"N", b"Dtwo", b"three"]);
		assert_eq!(out, ["one ", "", "", "", ""]);
		assert_eq!((text.as_str(), stopped), ("one ", true));
	}

	#[test]
	fn a_beginning_that_goes_on_otherwise_comes_out() {
		let (out, text, stopped) = run(&["END"], &[b"an E", b"NE", b"N", b"ough E"]);
		assert_eq!(out, ["an ", "EN", "", "ENough ", "E"]);
		assert_eq!((text.as_str(), stopped), ("an ENENough E", false));
	}

	#[test]
	fn the_stop_text_that_is_complete_first_counts_and_empty_ones_do_not() {
		assert_eq!(run(&["c", "ab", ""], &[b"xxabc"]).1, "xx");
		assert_eq!(run(&["abc", "b"], &[b"xxabc"]).1, "xxa");
		assert_eq!(run(&["abc", "b"], &[b"xxa", b"bc"]).1, "xxa");
		assert_eq!(run(&[""], &[b"abc"]).1, "abc");
		assert_eq!(run(&["é"], &[b"a\xc3", b"\xa9b"]).1, "a");
	}

	proptest! {
		#[test]
		fn the_pieces_do_not_matter(
			text in "[abé😀]{0,30}",
			stop in prop::collection::vec("[abé]{1,3}", 0..3),
			cuts in prop::collection::vec(0usize..100, 0..10),
		) {
			let bytes = text.as_bytes();
			let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
			cuts.extend([0, bytes.len()]);
			cuts.sort_unstable();
			let mut stream = Stream::new(&stop);
			let mut out = String::new();
			for pair in cuts.windows(2) {
				out.push_str(&stream.push(&bytes[pair[0]..pair[1]]));
			}
			out.push_str(&stream.finish());
			let first = first_complete(&stop, &text);
			prop_assert_eq!(stream.stopped(), first.is_some());
			prop_assert_eq!(&out, &text[..first.unwrap_or(text.len())]);
			prop_assert_eq!(out.as_str(), stream.text());
		}
	}
}
