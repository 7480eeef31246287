//! Packets that go to the protocol's code as a whole, or not yet, or never.
//!
//! The protocol's library hands a publish on as soon as its header is there and the rest of its
//! payload as a piece of its own. While many publishes are under way, that piece may overtake its
//! publish: then neither is ever finished, and everything behind them waits forever.
//!
//! Nor does the library get what it would end a connection for, or panic at, though MQTT wants an
//! answer or a client could send nothing more afterwards:
//! - a publish that is too large: its payload is left out, and a [note](too_large) stands in for it;
//! - in MQTT 3.1.1, PUBREL of a message that no publish of this connection opened, which a client sends
//!   after a lost connection: PUBCOMP is the answer;
//! - CONNECT of a version that is not served: CONNACK 1 is the answer;
//! - a publish whose topic or properties reach beyond its end: the connection ends;
//! - RETAIN of a publish, which is left out: nothing is retained here.

use super::limit::MAX_PACKET;
use gridproof_support::number::clamped;
use ntex::{
	io::{FilterBuf, FilterLayer},
	util::BytesMut,
};
use std::{
	cell::{Cell, RefCell},
	collections::BTreeSet,
	io,
};

/// What the payload of a publish that was too large is replaced by, before its length in decimals.
const TOO_LARGE: &[u8] = b"\0gridproof: bytes left out: ";
/// Bytes of topic, packet number and properties of a publish that is too large: what has more is no
/// publish of a meter.
const MAX_HEADER: usize = 16_384;

const CONNECT: u8 = 1;
const PUBLISH: u8 = 3;
const PUBREL: u8 = 6;

/// The bytes that a publish of this payload had and that were left out, if it was too large.
pub(super) fn too_large(payload: &[u8]) -> Option<usize> {
	let digits = payload.strip_prefix(TOO_LARGE)?;
	std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Holds back the packet whose end has not come yet, and keeps from the protocol's code what it does
/// not take well.
#[derive(Debug, Default)]
pub(super) struct WholePackets {
	/// Whether the bytes are not packets that are taken: the protocol's code reports that.
	broken: Cell<bool>,
	/// Version of the protocol that the client speaks: 4 is 3.1.1, 5 is 5; 0 before it has said so.
	version: Cell<u8>,
	/// Bytes of a publish that was too large and are still to come.
	skip: Cell<usize>,
	/// Numbers of publishes of quality 2 that were not released yet.
	unreleased: RefCell<BTreeSet<u16>>,
	/// Was the server's greeting sent? Nothing may come before it.
	is_greeted: Cell<bool>,
	/// Answers that wait for it.
	early: RefCell<Vec<u8>>,
}

/// Length of the first packet of `bytes`, in bytes, and that of its fixed header; `None` while that is
/// incomplete.
fn length(bytes: &[u8]) -> Option<Result<(usize, usize), ()>> {
	let mut value = 0usize;
	for place in 0..4u32 {
		let header = usize::try_from(place).unwrap_or_default().saturating_add(1);
		let byte = *bytes.get(header)?;
		value |= usize::from(byte & 0x7f) << place.saturating_mul(7);
		if byte & 0x80 == 0 {
			let fixed = header.saturating_add(1);
			return Some(Ok((value.saturating_add(fixed), fixed)));
		}
	}
	Some(Err(()))
}

/// A number of two bytes.
fn number(bytes: &[u8], at: usize) -> Option<u16> {
	let pair = bytes.get(at..at.checked_add(2)?)?;
	Some(u16::from_be_bytes([*pair.first()?, *pair.get(1)?]))
}

/// A length of one to four bytes, with their number; `None` if it is not all there or has more.
fn varint(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
	let mut value = 0usize;
	for place in 0..4usize {
		let byte = *bytes.get(at.checked_add(place)?)?;
		value |= usize::from(byte & 0x7f) << place.saturating_mul(7);
		if byte & 0x80 == 0 {
			return Some((value, place.saturating_add(1)));
		}
	}
	None
}

/// What becomes of a packet.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
	/// It passes.
	Pass,
	/// It goes no further; these bytes are the answer.
	Answer(Vec<u8>),
	/// The connection ends, after these bytes.
	End(Vec<u8>),
}

/// What a step of the filter has to say to the client.
#[derive(Debug, Default)]
struct Reply {
	bytes: Vec<u8>,
	is_end: bool,
}

impl WholePackets {
	/// What becomes of a whole packet, whose fixed header has `fixed` bytes.
	fn fate(&self, packet: &[u8], fixed: usize) -> Fate {
		let Some(first) = packet.first() else { return Fate::Pass };
		match first >> 4 {
			CONNECT if self.version.get() == 0 => self.connect(packet, fixed),
			// A second one is an error of the protocol.
			CONNECT => Fate::End(Vec::new()),
			PUBLISH => match self.header(packet, fixed) {
				Some(end) if end <= packet.len() => self.publish(packet, fixed),
				_ => Fate::End(Vec::new()),
			},
			PUBREL if self.version.get() == 4 => match number(packet, fixed) {
				Some(id) if !self.unreleased.borrow_mut().remove(&id) => {
					let [high, low] = id.to_be_bytes();
					Fate::Answer(vec![0x70, 2, high, low])
				},
				_ => Fate::Pass,
			},
			_ => Fate::Pass,
		}
	}

	fn connect(&self, packet: &[u8], fixed: usize) -> Fate {
		let Some(length) = number(packet, fixed) else { return Fate::Pass };
		let name = fixed.saturating_add(2);
		let at = name.saturating_add(usize::from(length));
		let (Some(name), Some(level)) = (packet.get(name..at), packet.get(at)) else {
			return Fate::Pass;
		};
		match (name, *level) {
			(b"MQTT", version @ (4 | 5)) => {
				self.version.set(version);
				Fate::Pass
			},
			(b"MQTT" | b"MQIsdp", level) => {
				tracing::info!(level, "a client speaks another version of MQTT than 3.1.1 and 5");
				Fate::End(vec![0x20, 2, 0, 1])
			},
			_ => Fate::Pass,
		}
	}

	fn publish(&self, packet: &[u8], fixed: usize) -> Fate {
		let quality = packet.first().map_or(0, |first| first >> 1 & 3);
		if self.version.get() != 4 || quality != 2 {
			return Fate::Pass;
		}
		let topic = number(packet, fixed).map_or(0, usize::from);
		let at = fixed.saturating_add(2).saturating_add(topic);
		match number(packet, at) {
			// The same again, while the first one is under way: that one is answered.
			Some(id) if !self.unreleased.borrow_mut().insert(id) => Fate::Answer(Vec::new()),
			_ => Fate::Pass,
		}
	}

	/// The end of a publish's header, where its payload begins; `None` if it cannot be, or is not all
	/// there.
	fn header(&self, packet: &[u8], fixed: usize) -> Option<usize> {
		let topic = number(packet, fixed)?;
		let mut end = fixed.checked_add(2)?.checked_add(usize::from(topic))?;
		if packet.first()? >> 1 & 3 != 0 {
			end = end.checked_add(2)?;
		}
		if self.version.get() == 5 {
			let (length, bytes) = varint(packet, end)?;
			end = end.checked_add(bytes)?.checked_add(length)?;
		}
		Some(end)
	}

	/// Puts a note in the place of a publish that is too large. `None` while its header is not all
	/// there.
	fn shorten(&self, source: &mut BytesMut, target: &mut BytesMut) -> Option<Result<(), ()>> {
		let (length, fixed) = match length(source)? {
			Ok(found) => found,
			Err(()) => return Some(Err(())),
		};
		if source.first().is_none_or(|first| first >> 4 != PUBLISH) || self.version.get() == 0 {
			return Some(Err(()));
		}
		let end = match self.header(source, fixed) {
			Some(end) if end > MAX_HEADER.min(length) => return Some(Err(())),
			Some(end) if end <= source.len() => end,
			_ if source.len() > MAX_HEADER => return Some(Err(())),
			_ => return None,
		};
		let note = [TOO_LARGE, length.saturating_sub(end).to_string().as_bytes()].concat();
		let header = source.get(fixed..end)?;
		let mut rest = header.len().saturating_add(note.len());
		let mut packet = vec![source.first()? & !1];
		loop {
			let byte = clamped::<u8, _>(rest % 128);
			rest /= 128;
			packet.push(if rest > 0 { byte | 0x80 } else { byte });
			if rest == 0 {
				break;
			}
		}
		packet.extend_from_slice(header);
		packet.extend_from_slice(&note);
		tracing::warn!(bytes = length, "a message that is too large is left out");
		target.extend_from_slice(&packet);
		drop(source.split_to(end));
		self.skip.set(length.saturating_sub(end));
		Some(Ok(()))
	}

	/// Moves what may pass from `source` to the end of `target`; returns the answer to the client.
	fn pass(&self, source: &mut BytesMut, target: &mut BytesMut) -> Reply {
		let mut reply = Reply::default();
		while !source.is_empty() && !reply.is_end {
			let skipped = self.skip.get().min(source.len());
			if skipped > 0 {
				drop(source.split_to(skipped));
				self.skip.set(self.skip.get().saturating_sub(skipped));
				continue;
			}
			if self.broken.get() {
				target.extend_from_slice(&source.split_to(source.len()));
				break;
			}
			let (end, next) = self.walk(source);
			if end == source.len() && target.is_empty() {
				std::mem::swap(source, target);
			} else if end > 0 {
				target.extend_from_slice(&source.split_to(end));
			}
			match next {
				Next::Wait => break,
				Next::Broken => self.broken.set(true),
				Next::Large => match self.shorten(source, target) {
					None => break,
					Some(Ok(())) => (),
					Some(Err(())) => self.broken.set(true),
				},
				Next::Fate { length, fate } => {
					drop(source.split_to(length.min(source.len())));
					match fate {
						Fate::Answer(bytes) => reply.bytes.extend(bytes),
						Fate::End(bytes) => {
							reply.bytes.extend(bytes);
							reply.is_end = true;
						},
						Fate::Pass => (),
					}
				},
			}
		}
		reply
	}

	/// The end of the whole packets that pass, and what comes behind them.
	fn walk(&self, source: &mut BytesMut) -> (usize, Next) {
		let mut end = 0usize;
		while let Some(rest) = source.get_mut(end..) {
			match length(rest) {
				Some(Ok((length, _))) if length > MAX_PACKET => return (end, Next::Large),
				Some(Ok((length, fixed))) if length <= rest.len() => {
					let Some(packet) = rest.get_mut(..length) else { break };
					if let Some(first) = packet.first_mut()
						&& *first >> 4 == PUBLISH
					{
						*first &= !1;
					}
					match self.fate(packet, fixed) {
						Fate::Pass => end = end.saturating_add(length),
						fate => return (end, Next::Fate { length, fate }),
					}
				},
				Some(Ok(_)) | None => break,
				Some(Err(())) => return (end, Next::Broken),
			}
		}
		(end, Next::Wait)
	}
}

/// What comes behind packets that pass.
enum Next {
	/// A packet that is not all there, or nothing.
	Wait,
	/// What is not a packet.
	Broken,
	/// A packet that is too large.
	Large,
	/// A packet that does not pass.
	Fate { length: usize, fate: Fate },
}

impl FilterLayer for WholePackets {
	fn process_read_buf(&self, buffers: &FilterBuf<'_>) -> io::Result<()> {
		let reply = buffers.with_read_buffers(|source, target| match source {
			Some(source) => self.pass(source, target),
			None => Reply::default(),
		});
		if reply.is_end || self.is_greeted.get() {
			buffers.with_write_buffers(|_, next| next.extend_from_slice(&reply.bytes));
		} else {
			self.early.borrow_mut().extend(reply.bytes);
		}
		if reply.is_end {
			buffers.io().close();
		}
		Ok(())
	}

	fn process_write_buf(&self, buffers: &FilterBuf<'_>) -> io::Result<()> {
		buffers.with_write_buffers(|source, target| {
			// What comes first is CONNACK.
			let is_greeting = !self.is_greeted.get() && !source.is_empty();
			source.move_to(target);
			if is_greeting {
				self.is_greeted.set(true);
				target.extend_from_slice(&self.early.take());
			}
		});
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// A packet that the filter takes no notice of.
	fn packet(length: usize) -> Vec<u8> {
		let mut packet = vec![0x82];
		let mut rest = length;
		loop {
			let (byte, more) = ((rest % 128) as u8, rest / 128);
			packet.push(if more > 0 { byte | 0x80 } else { byte });
			rest = more;
			if rest == 0 {
				break;
			}
		}
		packet.extend((0..length).map(|place| place as u8));
		packet
	}

	#[test]
	fn a_packet_is_passed_on_when_its_last_byte_is_there() {
		for lengths in [vec![0, 1, 127, 128, 400], vec![16_383, 16_384, 2], vec![MAX_PACKET - 4]] {
			let stream: Vec<u8> = lengths.iter().flat_map(|length| packet(*length)).collect();
			let ends: Vec<usize> = lengths
				.iter()
				.scan(0, |end, length| {
					*end += packet(*length).len();
					Some(*end)
				})
				.collect();
			for step in [1, 7, 4_096] {
				let filter = WholePackets::default();
				let (mut source, mut target) = (BytesMut::new(), BytesMut::new());
				let mut come = 0;
				for piece in stream.chunks(step) {
					come += piece.len();
					source.extend_from_slice(piece);
					filter.pass(&mut source, &mut target);
					let whole = ends.iter().copied().filter(|end| *end <= come).max().unwrap_or(0);
					assert_eq!(target.len(), whole, "{lengths:?} {step}");
				}
				assert_eq!(&target[..], &stream[..]);
			}
		}
	}

	fn framed(first: u8, rest: &[u8]) -> Vec<u8> {
		let mut framed = packet(rest.len());
		let start = framed.len() - rest.len();
		framed[0] = first;
		framed.truncate(start);
		framed.extend_from_slice(rest);
		framed
	}

	fn connect(name: &str, level: u8) -> Vec<u8> {
		let length = (name.len() as u16).to_be_bytes();
		let rest = [&length[..], name.as_bytes(), &[level, 2, 0, 60, 0, 1, b'c']].concat();
		framed(0x10, &rest)
	}

	fn publish(first: u8, id: Option<u16>, properties: &[u8], payload: &[u8]) -> Vec<u8> {
		let id = id.map(u16::to_be_bytes);
		let id = id.as_ref().map_or(&[][..], |id| &id[..]);
		framed(first, &[b"\0\x01t", id, properties, payload].concat())
	}

	/// What passes of a stream, and the answer to the client, whatever the pieces it comes in.
	fn passed(stream: &[u8]) -> (Vec<u8>, Reply) {
		let mut before = None;
		for step in [1, 5, 1_000_000] {
			let filter = WholePackets::default();
			let (mut source, mut target) = (BytesMut::new(), BytesMut::new());
			let mut all = Reply::default();
			for piece in stream.chunks(step) {
				source.extend_from_slice(piece);
				let reply = filter.pass(&mut source, &mut target);
				all.bytes.extend(reply.bytes);
				all.is_end |= reply.is_end;
				if all.is_end {
					break;
				}
			}
			let found = (target.to_vec(), all.bytes.clone(), all.is_end);
			assert_eq!(before.get_or_insert(found.clone()), &found, "in pieces of {step}");
			if step == 1_000_000 {
				return (found.0, all);
			}
		}
		unreachable!()
	}

	#[test]
	fn what_is_no_packet_is_left_to_the_protocol_s_code() {
		let (passed, reply) = passed(&[0x32, 0xff, 0xff, 0xff, 0xff, 1, 2]);
		assert_eq!(passed, [0x32, 0xff, 0xff, 0xff, 0xff, 1, 2]);
		assert!(reply.bytes.is_empty() && !reply.is_end);
		// As is what is too large and no publish of somebody who has said who it is.
		let large = packet(MAX_PACKET);
		assert_eq!(self::passed(&large).0, large);
		let before = publish(0x32, Some(1), &[], &vec![0; MAX_PACKET]);
		assert_eq!(self::passed(&before).0, before);
	}

	#[test]
	fn a_message_that_is_too_large_is_left_out_and_what_follows_is_taken() {
		for (level, properties) in [(4, &[][..]), (5, &[0][..]), (5, &[3, 0x23, 0, 1][..])] {
			for (first, id) in [(0x30, None), (0x33, Some(7)), (0x34, Some(8))] {
				let large = publish(first, id, properties, &vec![1; 140_000]);
				let small = publish(0x32, Some(9), properties, b"small");
				let note = [TOO_LARGE, b"140000"].concat();
				assert_eq!(too_large(&note), Some(140_000));
				let instead = publish(first & !1, id, properties, &note);
				let greeting = connect("MQTT", level);
				let stream = [&greeting[..], &large, &small].concat();
				let (passed, reply) = passed(&stream);
				assert_eq!(passed, [&greeting[..], &instead, &small].concat(), "{level} {first:x}");
				assert!(reply.bytes.is_empty() && !reply.is_end);
			}
		}
		assert_eq!(too_large(b"{}"), None);
	}

	#[test]
	fn a_release_that_nothing_opened_is_answered_and_goes_no_further() {
		let greeting = connect("MQTT", 4);
		let release = |id: u16| framed(0x62, &id.to_be_bytes());
		let stream = [&greeting[..], &release(77)].concat();
		let (through, reply) = passed(&stream);
		assert_eq!((through, reply.bytes), (greeting.clone(), vec![0x70, 2, 0, 77]));
		// One that this connection opened does, once; a message that comes twice meanwhile does once.
		let open = publish(0x34, Some(77), &[], b"x");
		let again = publish(0x3c, Some(77), &[], b"x");
		let stream = [&greeting[..], &open, &again, &release(77), &release(77)].concat();
		let (through, reply) = passed(&stream);
		assert_eq!(through, [&greeting[..], &open, &release(77)].concat());
		assert_eq!((reply.bytes, reply.is_end), (vec![0x70, 2, 0, 77], false));
		// Version 5 has words for it of its own.
		let five = [&connect("MQTT", 5)[..], &release(77)].concat();
		assert_eq!(passed(&five).0, five);
	}

	#[test]
	fn a_publish_that_reaches_beyond_its_end_ends_the_connection() {
		let bad = [&[0x30, 5, 0, 32][..], b"abc"].concat();
		let short = vec![0x30, 1, 0];
		let numberless = vec![0x32, 3, 0, 1, b't'];
		let properties = publish(0x30, None, &[9, 1], b"");
		for (level, bad) in
			[(4, bad.clone()), (5, bad), (4, short), (4, numberless), (5, properties)]
		{
			let stream = [&connect("MQTT", level)[..], &bad, &[0xc0, 0].repeat(40)].concat();
			let (through, reply) = passed(&stream);
			assert_eq!(through, connect("MQTT", level));
			assert!(reply.is_end && reply.bytes.is_empty());
		}
	}

	#[test]
	fn versions_that_are_not_served_get_their_own_no() {
		for greeting in [connect("MQIsdp", 3), connect("MQTT", 0x84), connect("MQTT", 6)] {
			let (through, reply) = passed(&greeting);
			assert!(through.is_empty() && reply.is_end);
			assert_eq!(reply.bytes, [0x20, 2, 0, 1]);
		}
		let twice = [connect("MQTT", 4), connect("MQTT", 4)].concat();
		assert!(passed(&twice).1.is_end);
	}

	#[test]
	fn the_wish_to_retain_is_left_out() {
		let greeting = connect("MQTT", 5);
		let stream = [&greeting[..], &publish(0x33, Some(1), &[0], b"x")].concat();
		let wanted = [&greeting[..], &publish(0x32, Some(1), &[0], b"x")].concat();
		assert_eq!(passed(&stream).0, wanted);
	}
}
