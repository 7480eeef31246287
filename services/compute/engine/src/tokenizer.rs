//! Text to tokens and back: byte-pair encoding over bytes.
//!
//! Tokens 0 … 255 are the bytes, every further one joins two earlier ones. A text is cut into
//! pieces first: a word or a run of marks, with a space before it if there is one; digits and
//! other spaces one by one; line ends in a row together. No token reaches over a cut. The same
//! rule stands in `scripts/model/bpe.py`, which learns the vocabulary; `encodings.json` beside the
//! weights holds the two to each other.

use serde::Deserialize;
use std::{cmp::Reverse, collections::BinaryHeap, collections::HashMap};

/// The tokens that are single bytes.
const BYTES: u32 = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vocabulary {
	merges: Vec<(u32, u32)>,
}

/// A vocabulary.
#[derive(Clone, Debug)]
pub struct Tokenizer {
	/// The token that a pair joins to; a smaller one was learnt earlier and goes first.
	joined: HashMap<(u32, u32), u32>,
	/// The bytes of each token.
	bytes: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
	Letter,
	Digit,
	Space,
	Line,
	Mark,
}

const fn kind(byte: u8) -> Kind {
	match byte {
		b'A'..=b'Z' | b'a'..=b'z' | 0x80.. => Kind::Letter,
		b'0'..=b'9' => Kind::Digit,
		b' ' => Kind::Space,
		b'\n' => Kind::Line,
		_ => Kind::Mark,
	}
}

/// Cuts the first piece off.
fn cut(text: &[u8]) -> Option<(&[u8], &[u8])> {
	let led = match text {
		[b' ', next, ..] => matches!(kind(*next), Kind::Letter | Kind::Mark),
		_ => false,
	};
	let start = usize::from(led);
	let this = kind(*text.get(start)?);
	let more = match this {
		Kind::Letter | Kind::Mark | Kind::Line => {
			text.iter().skip(start).take_while(|byte| kind(**byte) == this).count()
		},
		Kind::Digit | Kind::Space => 1,
	};
	text.split_at_checked(start.saturating_add(more))
}

impl Tokenizer {
	/// Reads the text of a `vocabulary.json`.
	///
	/// # Errors
	/// What is wrong with it.
	pub fn parse(text: &str) -> Result<Self, String> {
		let vocabulary: Vocabulary =
			serde_json::from_str(text).map_err(|error| error.to_string())?;
		let mut bytes: Vec<Vec<u8>> = (0..=u8::MAX).map(|byte| vec![byte]).collect();
		let mut joined = HashMap::with_capacity(vocabulary.merges.len());
		for (token, pair) in (BYTES..).zip(vocabulary.merges) {
			let part = |token| bytes.get(index(token)).cloned();
			let parts = part(pair.0).zip(part(pair.1));
			let (mut left, right) =
				parts.ok_or_else(|| format!("token {token} is made of later ones"))?;
			left.extend(right);
			bytes.push(left);
			if joined.insert(pair, token).is_some() {
				return Err(format!("token {token} is there twice"));
			}
		}
		Ok(Self { joined, bytes })
	}

	/// Number of tokens.
	pub fn len(&self) -> usize {
		self.bytes.len()
	}

	/// There are always the bytes.
	pub const fn is_empty(&self) -> bool {
		false
	}

	/// The tokens of a text.
	pub fn encode(&self, text: &str) -> Vec<u32> {
		let (mut tokens, mut rest) = (Vec::new(), text.as_bytes());
		while let Some((piece, after)) = cut(rest) {
			self.join(piece, &mut tokens);
			rest = after;
		}
		tokens
	}

	/// The bytes of a token; none of one that does not exist.
	pub fn bytes(&self, token: u32) -> &[u8] {
		self.bytes.get(index(token)).map_or(&[], Vec::as_slice)
	}

	/// Joins the bytes of a piece pair by pair, the earliest learnt pair first, the leftmost of
	/// equal ones first. A heap of candidates keeps long pieces cheap.
	fn join(&self, piece: &[u8], out: &mut Vec<u32>) {
		let mut parts: Vec<Part> = (0..piece.len())
			.zip(piece)
			.map(|(at, byte)| Part {
				token: u32::from(*byte),
				before: at.checked_sub(1),
				after: at.checked_add(1).filter(|after| *after < piece.len()),
				gone: false,
			})
			.collect();
		let mut heap = BinaryHeap::new();
		for left in 0..parts.len() {
			self.candidate(&parts, Some(left), &mut heap);
		}
		while let Some(Reverse((token, left, right, tokens))) = heap.pop() {
			if !still(&parts, left, right, tokens) {
				continue;
			}
			let after = parts.get(right).and_then(|part| part.after);
			if let Some(part) = parts.get_mut(right) {
				part.gone = true;
			}
			if let Some(part) = after.and_then(|after| parts.get_mut(after)) {
				part.before = Some(left);
			}
			let mut before = None;
			if let Some(part) = parts.get_mut(left) {
				(part.token, part.after, before) = (token, after, part.before);
			}
			self.candidate(&parts, before, &mut heap);
			self.candidate(&parts, Some(left), &mut heap);
		}
		out.extend(parts.iter().filter(|part| !part.gone).map(|part| part.token));
	}

	/// Notes that `left` and the part after it can be joined, if they can.
	fn candidate(&self, parts: &[Part], left: Option<usize>, heap: &mut BinaryHeap<Candidate>) {
		let Some((at, left)) = left.and_then(|at| Some((at, parts.get(at)?))) else { return };
		let Some((next, right)) = left.after.and_then(|at| Some((at, parts.get(at)?))) else {
			return;
		};
		let pair = (left.token, right.token);
		if let Some(token) = self.joined.get(&pair) {
			heap.push(Reverse((*token, at, next, pair)));
		}
	}
}

/// New token, places of the two parts, their tokens when it was noted.
type Candidate = Reverse<(u32, usize, usize, (u32, u32))>;

/// A token of a piece on the way; parts that were joined to the one before are gone.
struct Part {
	token: u32,
	before: Option<usize>,
	after: Option<usize>,
	gone: bool,
}

fn still(parts: &[Part], left: usize, right: usize, tokens: (u32, u32)) -> bool {
	let both = parts.get(left).zip(parts.get(right));
	both.is_some_and(|(l, r)| {
		!l.gone && !r.gone && l.after == Some(right) && (l.token, r.token) == tokens
	})
}

fn index(token: u32) -> usize {
	usize::try_from(token).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	fn tokenizer() -> Tokenizer {
		Tokenizer::parse(include_str!("../../../../models/austen-1m/vocabulary.json")).unwrap()
	}

	fn pieces(text: &str) -> Vec<String> {
		let (mut found, mut rest) = (Vec::new(), text.as_bytes());
		while let Some((piece, after)) = cut(rest) {
			found.push(String::from_utf8_lossy(piece).into_owned());
			rest = after;
		}
		found
	}

	#[test]
	fn text_is_cut_into_words_marks_digits_and_spaces() {
		assert_eq!(pieces("Mr. Darcy, 1813"), ["Mr", ".", " Darcy", ",", " ", "1", "8", "1", "3"]);
		assert_eq!(pieces("a  b\n\n\n c "), ["a", " ", " b", "\n\n\n", " c", " "]);
		assert_eq!(pieces("don't \"so\""), ["don", "'", "t", " \"", "so", "\""]);
		assert_eq!(pieces("£5 — é"), ["£", "5", " —", " é"]);
		assert_eq!(pieces(""), [""; 0]);
	}

	#[test]
	fn common_words_are_few_tokens() {
		let tokenizer = tokenizer();
		assert_eq!(tokenizer.len(), 2_048);
		assert_eq!(tokenizer.encode(" Elizabeth").len(), 1);
		assert!(tokenizer.encode("It is a truth universally acknowledged").len() <= 14);
	}

	#[test]
	fn a_vocabulary_that_refers_ahead_is_refused() {
		for (text, reason) in [
			(r#"{"merges":[[97,256]]}"#, "made of later ones"),
			(r#"{"merges":[[97,98],[97,98]]}"#, "twice"),
			("{}", "merges"),
		] {
			let fault = Tokenizer::parse(text).unwrap_err();
			assert!(fault.contains(reason), "{fault}");
		}
	}

	/// Joining as the definition has it: always the earliest pair, everywhere, from the left.
	fn plain(tokenizer: &Tokenizer, piece: &[u8]) -> Vec<u32> {
		let mut tokens: Vec<u32> = piece.iter().map(|byte| u32::from(*byte)).collect();
		loop {
			let pairs = tokens.windows(2).filter_map(|p| tokenizer.joined.get(&(p[0], p[1])));
			let Some(best) = pairs.min().copied() else { return tokens };
			let mut at = 0;
			while at + 1 < tokens.len() {
				if tokenizer.joined.get(&(tokens[at], tokens[at + 1])) == Some(&best) {
					tokens[at] = best;
					tokens.remove(at + 1);
				}
				at += 1;
			}
		}
	}

	proptest! {
		#[test]
		fn every_text_comes_back(text in "\\PC*|[a-z \\n]{0,200}") {
			let tokenizer = tokenizer();
			let bytes: Vec<u8> =
				tokenizer.encode(&text).into_iter().flat_map(|t| tokenizer.bytes(t).to_vec()).collect();
			prop_assert_eq!(bytes, text.into_bytes());
		}

		#[test]
		fn the_quick_way_joins_as_the_definition_does(text in "[aeinrst]{0,60}|[ab]{0,40}") {
			let tokenizer = tokenizer();
			let mut quick = Vec::new();
			tokenizer.join(text.as_bytes(), &mut quick);
			prop_assert_eq!(quick, plain(&tokenizer, text.as_bytes()));
		}
	}
}
