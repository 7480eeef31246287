//! What a model is, and the hash by which receipts name it.

use super::name::ModelName;
use crate::H256;
use alloc::{format, string::String, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_io::hashing::{blake2_256, sha2_256};

/// What makes a model the one that it is. Anything else is another model with another hash.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelDescription {
	/// Name, as clients ask for it.
	pub name: ModelName,
	/// SHA-256 of the file of weights; of several files see [`hash_of_files`].
	pub weights: H256,
	/// SHA-256 of the file of the tokenizer; of several files see [`hash_of_files`].
	pub tokenizer: H256,
	/// SHA-256 of the chat template's text; `None` if the model has none.
	pub template: Option<H256>,
}

impl ModelDescription {
	/// Tag of the hashed payload.
	pub const TAG: &'static str = "gridproof/model/v1";

	/// Returns the bytes that are hashed: the SCALE encoding of tag and description.
	pub fn payload(&self) -> Vec<u8> {
		(Self::TAG, self).encode()
	}

	/// Returns the hash by which receipts name the model: blake2-256 of [`Self::payload`].
	pub fn hash(&self) -> H256 {
		H256(blake2_256(&self.payload()))
	}
}

/// Returns the hash of a part that is spread over several files, from their names and SHA-256: the
/// SHA-256 of what `sha256sum` prints for them in the order of their names' bytes, each line with
/// the digits, two blanks and the name.
///
/// One file has its own hash, and no file the hash of nothing.
pub fn hash_of_files(files: &[(&str, H256)]) -> H256 {
	if let [(_, hash)] = files {
		return *hash;
	}
	let mut sorted = files.to_vec();
	sorted.sort_unstable_by(|(a, _), (b, _)| a.as_bytes().cmp(b.as_bytes()));
	let lines: String = sorted.iter().map(|(name, hash)| format!("{hash:x}  {name}\n")).collect();
	H256(sha2_256(lines.as_bytes()))
}
