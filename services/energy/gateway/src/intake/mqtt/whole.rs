//! Packets that go to the protocol's code as a whole, or not yet.
//!
//! The protocol's library hands a publish on as soon as its header is there and the rest of its
//! payload as a piece of its own. While many publishes are under way, that piece may overtake its
//! publish: then neither is ever finished, and everything behind them waits forever.

use super::limit::MAX_PACKET;
use ntex::{
	io::{FilterBuf, FilterLayer},
	util::BytesMut,
};
use std::{cell::Cell, io};

/// Holds back the packet whose end has not come yet.
#[derive(Debug, Default)]
pub(super) struct WholePackets {
	/// Whether the bytes are not packets that are taken: the protocol's code reports that.
	broken: Cell<bool>,
}

/// Length of the first packet of `bytes`, in bytes; `None` while its header is incomplete.
fn length(bytes: &[u8]) -> Option<Result<usize, ()>> {
	let mut value = 0usize;
	for place in 0..4u32 {
		let header = usize::try_from(place).unwrap_or_default().saturating_add(1);
		let byte = *bytes.get(header)?;
		value |= usize::from(byte & 0x7f) << place.saturating_mul(7);
		if byte & 0x80 == 0 {
			let length = value.saturating_add(header).saturating_add(1);
			return Some(if length > MAX_PACKET { Err(()) } else { Ok(length) });
		}
	}
	Some(Err(()))
}

impl WholePackets {
	/// How many of the first `bytes` are whole packets.
	fn whole(&self, bytes: &[u8]) -> usize {
		let mut end = 0usize;
		while let Some(rest) = bytes.get(end..) {
			match length(rest) {
				Some(Ok(length)) if length <= rest.len() => end = end.saturating_add(length),
				Some(Ok(_)) | None => break,
				Some(Err(())) => {
					self.broken.set(true);
					return bytes.len();
				},
			}
		}
		end
	}

	/// Moves the whole packets of `source` to the end of `target`.
	fn pass(&self, source: &mut BytesMut, target: &mut BytesMut) {
		let end = if self.broken.get() { source.len() } else { self.whole(source) };
		if end == source.len() && target.is_empty() {
			std::mem::swap(source, target);
		} else if end > 0 {
			target.extend_from_slice(&source.split_to(end));
		}
	}
}

impl FilterLayer for WholePackets {
	fn process_read_buf(&self, buffers: &FilterBuf<'_>) -> io::Result<()> {
		buffers.with_read_buffers(|source, target| {
			if let Some(source) = source {
				self.pass(source, target);
			}
		});
		Ok(())
	}

	fn process_write_buf(&self, buffers: &FilterBuf<'_>) -> io::Result<()> {
		buffers.with_write_buffers(|source, target| source.move_to(target));
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn packet(length: usize) -> Vec<u8> {
		let mut packet = vec![0x32];
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

	#[test]
	fn what_is_too_long_or_no_packet_is_left_to_the_protocol_s_code() {
		for bytes in [packet(MAX_PACKET), vec![0x32, 0xff, 0xff, 0xff, 0xff]] {
			let filter = WholePackets::default();
			let (mut source, mut target) = (BytesMut::new(), BytesMut::new());
			source.extend_from_slice(&bytes[..5]);
			filter.pass(&mut source, &mut target);
			assert_eq!(target.len(), 5);
			source.extend_from_slice(&[1]);
			filter.pass(&mut source, &mut target);
			assert_eq!(target.len(), 6);
		}
	}
}
