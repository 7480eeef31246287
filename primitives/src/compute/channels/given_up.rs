//! Counts that nobody pays: receipts of a channel that ended before they were settled.
//!
//! A miner's ranges join on to each other, over all of its channels. A channel that ends while its
//! coordinator is away leaves receipts in the middle of them. A batch states these ranges and the
//! channel of each, and the chain takes them if that channel has ended: the miner's sums continue behind
//! them, and neither price nor weight of them counts. As nothing settles in such a channel any more,
//! a count is settled or given up, and never both.
//!
//! A range that names a channel of which its receipts are not is an offence, shown by one of them; one
//! that is right entitles its miners to what the coordinator's absence took from them. See
//! [`PlacedLine`](super::PlacedLine).

use super::{ChannelId, MinerLine};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What a batch gives up of one miner: its receipts, one after the other, of a channel that has ended.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GivenUp {
	/// Channel of all of these receipts.
	pub channel: ChannelId,
	/// Miner, and sums before the first and after the last of them.
	pub line: MinerLine,
}

impl GivenUp {
	/// Returns its data in the tree of lines: SCALE (2u8, channel, line).
	pub fn leaf_data(&self) -> Vec<u8> {
		(2u8, self).encode()
	}
}
