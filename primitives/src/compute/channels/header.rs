//! Headers of settlement batches.

use super::{BatchKind, BatchRefusal};
use crate::{
	H256,
	codec::cid::Cid,
	compute::MAX_CLOCK_SKEW_MS,
	crypto::ed25519::{self, PublicKey, Signature},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_io::hashing::blake2_256;

/// Number of headers from one that the chain remembers to the next: so many prove any of them.
pub const HEADERS_PER_MARK: u32 = 32;
/// Most sequence numbers that a batch passes over: of each group of [`HEADERS_PER_MARK`] numbers one
/// is used.
pub const MAX_PASSED_OVER: u32 = HEADERS_PER_MARK.saturating_sub(1);

/// What a batch settles in all.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchSums {
	/// Number of receipts.
	pub receipts: u64,
	/// Sum of their prices, in the smallest unit of the batch's asset.
	pub price: u128,
	/// Sum of their weights, in compute units.
	pub weight: u128,
}

/// Header of a settlement batch, which its coordinator signs. It commits to the two lists of lines
/// and to every receipt behind them.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SettlementHeader {
	/// Key of the coordinator.
	pub coordinator: PublicKey,
	/// Sequence number: 0 for the coordinator's first batch of whatever kind, then one more each
	/// time. A number whose header was refused permanently is passed over.
	pub sequence: u64,
	/// [`SettlementHeader::hash`] of the coordinator's previous batch; zero for the first.
	pub previous: H256,
	/// Time at which the coordinator signed, in UTC milliseconds.
	pub time_ms: u64,
	/// Asset and mode of every receipt.
	pub kind: BatchKind,
	/// Sums over all receipts.
	pub sums: BatchSums,
	/// Number of lines in the list of channels.
	pub channels: u32,
	/// Number of lines in the list of miners, and of ranges that are given up.
	pub miners: u32,
	/// Root of the [tree](crate::crypto::merkle) of lines: channels, miners, and what is
	/// given up.
	pub lines: H256,
	/// Root of the tree of receipts, in the order of miner and count.
	pub receipts: H256,
	/// Content identifier of the file of receipts, if it is published.
	pub cid: Option<Cid>,
}

impl SettlementHeader {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/settlement/v1";

	/// Returns the blake2-256 of the SCALE encoding.
	pub fn hash(&self) -> H256 {
		H256(self.using_encoded(blake2_256))
	}

	/// Returns the bytes that the coordinator signs.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self).encode()
	}

	/// Verifies the coordinator's signature.
	///
	/// # Errors
	/// [`BatchRefusal::BadHeaderSignature`].
	pub fn verify(&self, genesis: &H256, signature: &Signature) -> Result<(), BatchRefusal> {
		ed25519::verify(&self.coordinator, &self.signing_payload(genesis), signature)
			.map_err(|_| BatchRefusal::BadHeaderSignature)
	}
}

/// What the chain keeps of a coordinator's batches. The last hash proves all before it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HeaderChain {
	/// Sequence number of the next batch.
	pub next_sequence: u64,
	/// Hash of the last header; zero before the first.
	pub last_hash: H256,
	/// Time that the last header states, in UTC milliseconds; 0 before the first.
	pub last_time_ms: u64,
	/// Time of the block that took the last batch, in UTC milliseconds; 0 before the first.
	pub taken_ms: u64,
}

impl HeaderChain {
	/// Checks a header and returns what to keep once its batch is settled.
	///
	/// `now` is the chain's time, `spacing_ms` the shortest time between two batches of a
	/// coordinator, both in milliseconds.
	///
	/// # Errors
	/// The refusal of the first rule that the header breaks.
	pub fn next(
		&self,
		header: &SettlementHeader,
		now: u64,
		spacing_ms: u64,
	) -> Result<Self, BatchRefusal> {
		if header.sequence < self.next_sequence {
			return Err(BatchRefusal::SequencePast);
		}
		// A number that was signed and refused permanently is passed over, as a second header of it would
		// be an offence. What names another header comes after one that is still missing.
		let passed_over = header.sequence.saturating_sub(self.next_sequence);
		let follows = header.previous == self.last_hash && passed_over <= MAX_PASSED_OVER.into();
		if passed_over > 0 && !follows {
			return Err(BatchRefusal::SequenceAhead);
		}
		if header.previous != self.last_hash {
			return Err(BatchRefusal::OtherPrevious);
		}
		if header.time_ms < self.last_time_ms {
			return Err(BatchRefusal::TimeBack);
		}
		if header.time_ms > now.saturating_add(MAX_CLOCK_SKEW_MS) {
			return Err(BatchRefusal::TimeAhead);
		}
		if self.next_sequence > 0 && now.saturating_sub(self.taken_ms) < spacing_ms {
			return Err(BatchRefusal::TooSoon);
		}
		let next_sequence = header.sequence.checked_add(1).ok_or(BatchRefusal::SequencePast)?;
		Ok(Self {
			next_sequence,
			last_hash: header.hash(),
			last_time_ms: header.time_ms,
			taken_ms: now,
		})
	}

	/// Returns `true` if these headers, the newest first, are the last ones of the chain: each is
	/// the previous of the one before it.
	pub fn ends_with(&self, headers: &[SettlementHeader]) -> bool {
		let mut expected = self.last_hash;
		headers.iter().all(|header| {
			let is_next = header.hash() == expected;
			expected = header.previous;
			is_next
		})
	}
}
