//! Running sums: rising curves that every receipt and every line states two points of.
//!
//! The receipts of a channel, in the order in which they were completed, are counted from 1. After
//! receipt n the channel's sum is that of the prices of receipts 1 … n. A receipt therefore states a
//! point before it and a point after it, and so does a line, for its first and last receipt. Two
//! statements that cannot be points of one rising curve contradict each other, whatever they are of.

use super::BatchKind;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::cmp::Ordering;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Running sums of a channel.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChannelSums {
	/// Number of receipts of the channel so far.
	pub count: u64,
	/// Sum of their prices, in the smallest unit of the channel's asset.
	pub price: u128,
}

/// Running sums of a miner at one coordinator, for one kind of batch.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MinerSums {
	/// Number of the miner's receipts so far.
	pub count: u64,
	/// Sum of their prices, in the smallest unit of the kind's asset.
	pub price: u128,
	/// Sum of their weights, in compute units.
	pub weight: u128,
}

/// Returns `true` if two points can lie on one rising curve: one count has one value, and a higher
/// count no lower one.
fn on_one_curve<const N: usize>(one: (u64, [u128; N]), other: (u64, [u128; N])) -> bool {
	let mut pairs = one.1.iter().zip(&other.1);
	match one.0.cmp(&other.0) {
		Ordering::Equal => pairs.all(|(one, other)| one == other),
		Ordering::Less => pairs.all(|(one, other)| one <= other),
		Ordering::Greater => pairs.all(|(one, other)| one >= other),
	}
}

impl ChannelSums {
	/// Returns the sums after another receipt; `None` if they do not fit.
	pub fn after(&self, price: u128) -> Option<Self> {
		Some(Self { count: self.count.checked_add(1)?, price: self.price.checked_add(price)? })
	}

	/// Returns the sums before a receipt of that price, after which these are the sums. `None` if
	/// there are none: the count is zero, the sum is below the price, or the first receipt has
	/// another sum than its own price.
	pub fn before(&self, price: u128) -> Option<Self> {
		let before =
			Self { count: self.count.checked_sub(1)?, price: self.price.checked_sub(price)? };
		before.agrees(&Self::default()).then_some(before)
	}

	/// Returns `true` if both can be sums of one channel at two times.
	pub fn agrees(&self, other: &Self) -> bool {
		on_one_curve((self.count, [self.price]), (other.count, [other.price]))
	}
}

impl MinerSums {
	/// Returns the sums after another receipt; `None` if they do not fit.
	pub fn after(&self, price: u128, weight: u64) -> Option<Self> {
		Some(Self {
			count: self.count.checked_add(1)?,
			price: self.price.checked_add(price)?,
			weight: self.weight.checked_add(weight.into())?,
		})
	}

	/// Returns the sums before a receipt of that price and weight, after which these are the sums.
	/// `None` if there are none, as in [`ChannelSums::before`].
	pub fn before(&self, price: u128, weight: u64) -> Option<Self> {
		let before = Self {
			count: self.count.checked_sub(1)?,
			price: self.price.checked_sub(price)?,
			weight: self.weight.checked_sub(weight.into())?,
		};
		before.agrees(&Self::default()).then_some(before)
	}

	/// Returns `true` if both can be sums of one miner at two times.
	pub fn agrees(&self, other: &Self) -> bool {
		let point = |sums: &Self| (sums.count, [sums.price, sums.weight]);
		on_one_curve(point(self), point(other))
	}
}

/// Running sums after a receipt, which the coordinator signs with it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunningSums {
	/// Asset and mode of the receipt's channel.
	pub kind: BatchKind,
	/// Sums of the channel.
	pub channel: ChannelSums,
	/// Sums of the miner at this coordinator in this kind. Receipts without a miner are counted
	/// together, as those of one.
	pub miner: MinerSums,
}
