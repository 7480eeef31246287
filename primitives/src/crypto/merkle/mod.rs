//! The Merkle tree of RFC 6962, with SHA-256.
//!
//! ```text
//! leaf  = SHA-256(0x00 ‖ data)
//! node  = SHA-256(0x01 ‖ left ‖ right)
//! empty = SHA-256("")
//! ```
//!
//! A list of n > 1 leaves splits at the largest power of two below n. Nothing is duplicated: an odd
//! leaf moves up unchanged. Leaf and node hashes cannot be confused, so a root identifies exactly
//! one list, provided that its size is known too.
//!
//! - [`RootBuilder`]: the root of a list that is read once, in O(log n) memory;
//! - [`root`], [`inclusion_proof`], [`consistency_proof`]: root and proofs of a list of leaf
//!   hashes;
//! - [`verify_inclusion`], [`verify_consistency`]: total functions; for any input the answer is yes
//!   or a [`ProofError`], after at most 64 hashes (128 for consistency);
//! - [`document`]: a proof as a JSON document;
//! - [`anchored`]: the tree over the roots of many batches, for one Bitcoin transaction;
//! - [`legacy`]: proofs of the older gateway, to check what it has exported.
//!
//! An inclusion proof shows that a leaf is at an index of a list of a given size. The size is not
//! part of the root: take it from where the root was signed.

pub mod anchored;
pub mod document;
pub mod legacy;

use crate::H256;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_io::hashing::sha2_256;

/// First byte of what is hashed for a leaf.
pub const LEAF_PREFIX: u8 = 0x00;
/// First byte of what is hashed for a node.
pub const NODE_PREFIX: u8 = 0x01;

/// Returns the hash of a leaf: SHA-256(0x00 ‖ data).
pub fn leaf_hash(data: &[u8]) -> H256 {
	let mut preimage = Vec::with_capacity(data.len().saturating_add(1));
	preimage.push(LEAF_PREFIX);
	preimage.extend_from_slice(data);
	H256(sha2_256(&preimage))
}

/// Returns the hash of a node: SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &H256, right: &H256) -> H256 {
	let mut preimage = [NODE_PREFIX; 65];
	let hashes = left.0.iter().chain(&right.0);
	for (byte, value) in preimage.iter_mut().skip(1).zip(hashes) {
		*byte = *value;
	}
	H256(sha2_256(&preimage))
}

/// Returns the root of an empty list: SHA-256 of nothing.
pub fn empty_root() -> H256 {
	H256(sha2_256(&[]))
}

/// Builds the root of a list that is never in memory as a whole.
///
/// It holds one hash for each power of two in the number of leaves so far: at most 64.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct RootBuilder {
	len: u64,
	/// Roots of complete subtrees, largest first.
	peaks: Vec<H256>,
}

impl RootBuilder {
	/// Returns the builder of an empty list.
	pub fn new() -> Self {
		Self::default()
	}

	/// Adds a leaf by its data.
	pub fn push(&mut self, data: &[u8]) {
		self.push_hash(leaf_hash(data));
	}

	/// Adds a leaf by its hash.
	pub fn push_hash(&mut self, leaf: H256) {
		let mut hash = leaf;
		// As many subtrees are joined as the number of leaves so far has ones at its end.
		for _ in 0..self.len.trailing_ones() {
			if let Some(left) = self.peaks.pop() {
				hash = node_hash(&left, &hash);
			}
		}
		self.peaks.push(hash);
		self.len = self.len.saturating_add(1);
	}

	/// Returns the number of leaves so far.
	pub const fn len(&self) -> u64 {
		self.len
	}

	/// Returns `true` if there are no leaves so far.
	pub const fn is_empty(&self) -> bool {
		self.len == 0
	}

	/// Returns the root of the leaves so far; [`empty_root`] if there are none.
	pub fn root(&self) -> H256 {
		let joined =
			self.peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
		joined.unwrap_or_else(empty_root)
	}
}

impl Extend<H256> for RootBuilder {
	fn extend<I: IntoIterator<Item = H256>>(&mut self, leaves: I) {
		leaves.into_iter().for_each(|leaf| self.push_hash(leaf));
	}
}

/// Returns the root of a list of leaf hashes; [`empty_root`] if it is empty.
pub fn root(leaves: &[H256]) -> H256 {
	let mut builder = RootBuilder::new();
	builder.extend(leaves.iter().copied());
	builder.root()
}

/// Side of a sibling, seen from the hash on the way to the root.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Position {
	/// The sibling is hashed first.
	#[codec(index = 0)]
	Left,
	/// The sibling is hashed second.
	#[codec(index = 1)]
	Right,
}

impl Position {
	/// Returns `left` or `right`, as in proof documents.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Left => "left",
			Self::Right => "right",
		}
	}
}

/// One step of a proof, as in proof documents.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProofStep {
	/// Side of the sibling.
	pub position: Position,
	/// Hash of the sibling.
	pub hash: H256,
}

/// Reason why a proof does not hold.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofError {
	/// The list has no leaf with that index.
	#[codec(index = 0)]
	IndexOutOfRange,
	/// The proof has more or fewer hashes than there are steps from that leaf to the root.
	#[codec(index = 1)]
	WrongLength,
	/// A sibling is on the wrong side for that index and size.
	#[codec(index = 2)]
	WrongPosition,
	/// The hashes lead to another root: the leaf, a sibling or the root is wrong.
	#[codec(index = 3)]
	RootMismatch,
	/// The older list is longer than the newer one.
	#[codec(index = 4)]
	SizesReversed,
}

impl ProofError {
	/// Returns the error's name in JSON answers.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::IndexOutOfRange => "index_out_of_range",
			Self::WrongLength => "wrong_length",
			Self::WrongPosition => "wrong_position",
			Self::RootMismatch => "root_mismatch",
			Self::SizesReversed => "sizes_reversed",
		}
	}
}

impl fmt::Display for ProofError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::IndexOutOfRange => "the tree has no leaf with this index",
			Self::WrongLength => {
				"the proof has too many or too few hashes for this index and tree size"
			},
			Self::WrongPosition => {
				"a hash of the proof stands on the wrong side for this index and tree size"
			},
			Self::RootMismatch => "the proof leads to another root than the stated one",
			Self::SizesReversed => "the older tree is larger than the newer one",
		})
	}
}

impl core::error::Error for ProofError {}

/// Returns the way from the leaf `index` of `size` leaves to the root: the side of each sibling,
/// from the leaf upwards, at most 64 steps. `None` if there is no such leaf.
pub fn path(index: u64, size: u64) -> Option<Path> {
	let last = size.checked_sub(1)?;
	(index <= last).then_some(Path { index, last })
}

/// Iterator that [`path`] returns.
#[derive(Clone, Debug)]
pub struct Path {
	/// Position on this level, from 0.
	index: u64,
	/// Last position of this level.
	last: u64,
}

impl Iterator for Path {
	type Item = Position;

	fn next(&mut self) -> Option<Position> {
		if self.last == 0 {
			return None;
		}
		let is_left = self.index & 1 == 1 || self.index == self.last;
		if is_left {
			// The last hash of a level with an odd number moves up without a sibling.
			let alone = self.index.trailing_zeros();
			self.index = self.index.checked_shr(alone).unwrap_or(0);
			self.last = self.last.checked_shr(alone).unwrap_or(0);
		}
		self.index >>= 1;
		self.last >>= 1;
		Some(if is_left { Position::Left } else { Position::Right })
	}
}

/// Returns the largest power of two below `size`; 0 if `size` is below 2.
fn split_point(size: usize) -> usize {
	let below = size.saturating_sub(1);
	below.checked_ilog2().map_or(0, |exponent| 1usize.checked_shl(exponent).unwrap_or(0))
}

/// Returns the siblings of the leaf `index`, from the leaf upwards; `None` if there is no such
/// leaf.
///
/// Hashes the whole list once.
pub fn inclusion_proof(leaves: &[H256], index: usize) -> Option<Vec<H256>> {
	leaves.get(index)?;
	let mut proof = Vec::new();
	let (mut leaves, mut index) = (leaves, index);
	while leaves.len() > 1 {
		let split = split_point(leaves.len());
		let (left, right) = leaves.split_at_checked(split)?;
		match index.checked_sub(split) {
			None => {
				proof.push(root(right));
				leaves = left;
			},
			Some(rest) => {
				proof.push(root(left));
				(leaves, index) = (right, rest);
			},
		}
	}
	proof.reverse();
	Some(proof)
}

/// Same as [`inclusion_proof`], with the side of each hash, as in proof documents.
pub fn inclusion_steps(leaves: &[H256], index: usize) -> Option<Vec<ProofStep>> {
	let proof = inclusion_proof(leaves, index)?;
	let path = path(u64::try_from(index).ok()?, u64::try_from(leaves.len()).ok()?)?;
	let steps = path.zip(proof).map(|(position, hash)| ProofStep { position, hash });
	Some(steps.collect())
}

/// Checks that the leaf with this hash is at `index` of the `size` leaves whose root is `root`.
///
/// # Errors
/// [`ProofError::IndexOutOfRange`] if `index` is not below `size`, [`ProofError::WrongLength`] if
/// the proof has too many or too few hashes, [`ProofError::RootMismatch`] if it leads to another
/// root.
pub fn verify_inclusion(
	leaf: &H256,
	index: u64,
	size: u64,
	proof: &[H256],
	root: &H256,
) -> Result<(), ProofError> {
	let mut path = path(index, size).ok_or(ProofError::IndexOutOfRange)?;
	if path.clone().count() != proof.len() {
		return Err(ProofError::WrongLength);
	}
	let top = proof.iter().fold(*leaf, |hash, sibling| match path.next() {
		Some(Position::Left) => node_hash(sibling, &hash),
		_ => node_hash(&hash, sibling),
	});
	if top == *root { Ok(()) } else { Err(ProofError::RootMismatch) }
}

/// Same as [`verify_inclusion`], for a proof whose steps state their sides.
///
/// # Errors
/// Those of [`verify_inclusion`], and [`ProofError::WrongPosition`] if a side does not fit index
/// and size.
pub fn verify_inclusion_steps(
	leaf: &H256,
	index: u64,
	size: u64,
	steps: &[ProofStep],
	root: &H256,
) -> Result<(), ProofError> {
	let path = path(index, size).ok_or(ProofError::IndexOutOfRange)?;
	if path.clone().count() != steps.len() {
		return Err(ProofError::WrongLength);
	}
	if path.zip(steps).any(|(position, step)| position != step.position) {
		return Err(ProofError::WrongPosition);
	}
	let proof: Vec<H256> = steps.iter().map(|step| step.hash).collect();
	verify_inclusion(leaf, index, size, &proof, root)
}

/// Returns the proof that a list of `leaves` begins with its first `old_size` leaves; `None` if it
/// has fewer. It is empty if the lists are the same or the older one is empty.
pub fn consistency_proof(leaves: &[H256], old_size: usize) -> Option<Vec<H256>> {
	if old_size > leaves.len() {
		return None;
	}
	let mut proof = Vec::new();
	if old_size == 0 {
		return Some(proof);
	}
	let (mut leaves, mut old_size) = (leaves, old_size);
	// True if what is left is the beginning of the list: then the verifier already knows its root.
	let mut is_known = true;
	while old_size < leaves.len() {
		let split = split_point(leaves.len());
		let (left, right) = leaves.split_at_checked(split)?;
		match old_size.checked_sub(split).filter(|rest| *rest > 0) {
			None => {
				proof.push(root(right));
				leaves = left;
			},
			Some(rest) => {
				proof.push(root(left));
				(leaves, old_size) = (right, rest);
				is_known = false;
			},
		}
	}
	if !is_known {
		proof.push(root(leaves));
	}
	proof.reverse();
	Some(proof)
}

/// Checks that the list of `new_size` leaves with `new_root` begins with the `old_size` leaves of
/// `old_root`. Every list begins with the empty one.
///
/// # Errors
/// [`ProofError::SizesReversed`] if the older list is longer, [`ProofError::WrongLength`] if the
/// proof has too many or too few hashes, [`ProofError::RootMismatch`] if it does not lead to both
/// roots.
pub fn verify_consistency(
	old_size: u64,
	old_root: &H256,
	new_size: u64,
	new_root: &H256,
	proof: &[H256],
) -> Result<(), ProofError> {
	if old_size > new_size {
		return Err(ProofError::SizesReversed);
	}
	let same = |holds: bool| if holds { Ok(()) } else { Err(ProofError::RootMismatch) };
	if old_size == new_size || old_size == 0 {
		if !proof.is_empty() {
			return Err(ProofError::WrongLength);
		}
		let known = if old_size == new_size { *new_root } else { empty_root() };
		return same(*old_root == known);
	}
	// From the largest complete subtree at the end of the older list upwards.
	let last_of_old = old_size.saturating_sub(1);
	let skip = last_of_old.trailing_ones();
	let index = last_of_old.checked_shr(skip).unwrap_or(0);
	let last = new_size.saturating_sub(1).checked_shr(skip).unwrap_or(0);
	let mut siblings = proof.iter();
	// The subtree is the whole older list exactly if its size is a power of two.
	let start = if old_size.is_power_of_two() { Some(old_root) } else { siblings.next() };
	let start = start.ok_or(ProofError::WrongLength)?;
	let path = Path { index, last };
	if path.clone().count() != siblings.len() {
		return Err(ProofError::WrongLength);
	}
	let (mut old_top, mut new_top) = (*start, *start);
	for (position, sibling) in path.zip(siblings) {
		match position {
			Position::Left => {
				old_top = node_hash(sibling, &old_top);
				new_top = node_hash(sibling, &new_top);
			},
			Position::Right => new_top = node_hash(&new_top, sibling),
		}
	}
	same(old_top == *old_root && new_top == *new_root)
}
