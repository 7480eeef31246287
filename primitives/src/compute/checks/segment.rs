//! Where a point lies: among the prices that a batch pays, line by line.

use super::CheckableLine;
use crate::{
	compute::channels::{ChannelReceipt, Lists, MinerLine, MinerSums, is_within_miner_line},
	crypto::ed25519::PublicKey,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A range of a miner's receipts that a batch pays: its line, or a part of it between ranges that are
/// given up. Points of a batch run through its segments in order, so what is given up has none: its price
/// costs nobody anything, and could be stated as high as to thin out every check of the batch.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
	/// Index of the line among those of the batch's miners.
	pub line: u32,
	/// Key of the miner.
	pub miner: PublicKey,
	/// Sum of the prices of all segments before it: the first point that lies in it.
	pub start: u128,
	/// Sums before its first receipt.
	pub from: MinerSums,
	/// Sums after its last receipt.
	pub to: MinerSums,
}

impl Segment {
	/// Returns the sum of the prices, in the smallest unit of the batch's asset.
	pub const fn price(&self) -> u128 {
		self.to.price.saturating_sub(self.from.price)
	}

	/// Returns the running price of the miner at a point; `None` if the point lies in another segment.
	pub fn at(&self, point: u128) -> Option<u128> {
		let into = point.checked_sub(self.start)?;
		(into < self.price()).then(|| self.from.price.saturating_add(into))
	}

	/// Returns `true` if the point lies in the price of this receipt: it is of this miner, lies within
	/// the segment, and its running sums enclose the point.
	pub fn encloses(&self, receipt: &ChannelReceipt, point: u128) -> bool {
		let line = MinerLine { miner: Some(self.miner), from: self.from, to: self.to };
		let is_here = receipt.receipt.miner == line.miner && is_within_miner_line(receipt, &line);
		is_here && self.at(point).is_some_and(|at| receipt.pays_at(at))
	}

	/// Returns the segment of a list in which a point lies.
	pub fn find(segments: &[Self], point: u128) -> Option<&Self> {
		segments.iter().find(|segment| segment.at(point).is_some())
	}
}

/// Returns the segments of a batch: what each miner's line pays, without what is given up, and only
/// where it has a price. `None` if its sums do not fit.
pub fn segments(lists: &Lists) -> Option<Vec<Segment>> {
	let (mut all, mut start) = (Vec::new(), 0u128);
	for (index, line) in lists.miners.iter().enumerate() {
		let Some(miner) = line.miner else { continue };
		let index = u32::try_from(index).ok()?;
		let mut from = line.from;
		let given_up = lists.given_up.iter().map(|one| one.line);
		let given_up = given_up.filter(|range| range.miner == line.miner);
		let ends = given_up.map(|range| (range.from, range.to)).chain([(line.to, line.to)]);
		for (to, next) in ends {
			let segment = Segment { line: index, miner, start, from, to };
			let price = to.price.checked_sub(from.price)?;
			if price > 0 {
				all.push(segment);
			}
			start = start.checked_add(price)?;
			from = next;
		}
	}
	Some(all)
}

/// Returns `true` if a line pays a receipt: its running sums lie within the line, and outside of every range of
/// the miner that the batch gives up.
pub fn is_paid(receipt: &ChannelReceipt, line: &MinerLine, given_up: &[MinerLine]) -> bool {
	let after = receipt.sums.miner;
	let Some(before) = receipt.miner_before() else { return false };
	let is_outside = |range: &MinerLine| {
		let is_earlier = after.count <= range.from.count;
		let is_later = before.count >= range.to.count;
		let ends = [range.from, range.to];
		let agrees = ends.iter().all(|end| before.agrees(end) && after.agrees(end));
		agrees && (is_earlier || is_later)
	};
	let mut own = given_up.iter().filter(|range| range.miner == line.miner);
	let is_of = line.miner.is_some() && receipt.receipt.miner == line.miner;
	is_of && is_within_miner_line(receipt, line) && own.all(is_outside)
}

/// Returns what a batch pays of its prices: without what it gives up. Saturates at zero.
pub fn paid_price(price: u128, given_up: &[MinerLine]) -> u128 {
	let each = given_up.iter().map(|range| range.price().unwrap_or(0));
	each.fold(price, |left, one| left.saturating_sub(one))
}

/// Returns the place in a miner's running sum of prices to which a point of a batch leads, as
/// [`segments`] says, from its line alone and all ranges that the batch gives up, by miner and count.
/// `None` if the point lies in another line.
pub fn paid_place(line: &CheckableLine, given_up: &[MinerLine], point: u128) -> Option<u128> {
	let CheckableLine { line, before, .. } = line;
	let earlier = given_up.iter().filter(|range| range.miner < line.miner);
	let start =
		earlier.fold(*before, |left, range| left.saturating_sub(range.price().unwrap_or(0)));
	let mut place = line.from.price.checked_add(point.checked_sub(start)?)?;
	for range in given_up.iter().filter(|range| range.miner == line.miner) {
		if range.from.price <= place {
			place = place.checked_add(range.price()?)?;
		}
	}
	(place < line.to.price).then_some(place)
}
