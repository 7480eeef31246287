//! A set of batches that one transaction anchors, in its file. It is written once and never changes.

use crate::{AnchorError, H256, commitment};
use gridproof_gateway_api::BatchView;
use gridproof_primitives::{
	crypto::merkle::anchored::{AnchorPath, AnchorTree},
	energy::MeterIndex,
};
use gridproof_support::files;
use serde::{Deserialize, Serialize};
use std::{
	fs,
	io::{BufReader, ErrorKind},
	path::{Path, PathBuf},
};

/// Version of the file's format.
const VERSION: u32 = 1;
/// The most batches of a set; more wait for the next one. Their paths have 20 steps.
pub const MAX_BATCHES: usize = 1 << 20;

/// The file of the set that a record is of: `000001.set.json` beside `000001.json`.
pub fn set_of_record(record: &Path) -> PathBuf {
	record.with_extension("set.json")
}

/// A batch of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
	/// The gateway's id of it.
	pub id: String,
	/// Its root: 64 hexadecimal digits.
	pub root: String,
	/// The meter's number on chain.
	pub meter: MeterIndex,
	/// Number of the meter's batch on chain.
	pub sequence: u64,
}

impl Member {
	/// What a set needs of a batch; `None` if it is not on chain.
	pub fn of(batch: BatchView) -> Option<Self> {
		let chain = batch.chain?;
		let (meter, sequence) = (chain.meter, chain.sequence);
		Some(Self { id: batch.id, root: batch.merkle_root, meter, sequence })
	}

	/// The batch's root as a hash.
	///
	/// # Errors
	/// [`AnchorError::BadRoot`].
	pub fn root(&self) -> Result<H256, AnchorError> {
		commitment::parse_root(&self.root)
	}
}

/// The batches of one transaction, in the order of the tree over their roots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchSet {
	version: u32,
	/// The gateway's address.
	pub api: String,
	/// When it was made, milliseconds since 1970.
	pub made_ms: u64,
	/// Root over the batches' roots: 64 hexadecimal digits.
	root: String,
	/// What is anchored, at most [`MAX_BATCHES`].
	pub batches: Vec<Member>,
}

impl BatchSet {
	/// A set of batches, in this order; `None` if there are none.
	///
	/// # Errors
	/// [`AnchorError::BadRoot`] when a gateway states something else than a root.
	pub fn of(api: &str, made_ms: u64, batches: Vec<Member>) -> Result<Option<Self>, AnchorError> {
		let (version, api) = (VERSION, api.to_owned());
		let mut set = Self { version, api, made_ms, root: String::new(), batches };
		let Some(tree) = set.tree()? else { return Ok(None) };
		set.root = commitment::root_text(&tree.root());
		Ok(Some(set))
	}

	/// Reads a set.
	///
	/// # Errors
	/// [`AnchorError::File`] when it cannot be read, or its batches have another root.
	pub fn load(path: &Path) -> Result<Self, AnchorError> {
		let file = fs::File::open(path).map_err(|error| AnchorError::file(path, error))?;
		let set: Self = serde_json::from_reader(BufReader::new(file))
			.map_err(|error| AnchorError::file(path, error))?;
		if set.version != VERSION {
			return Err(AnchorError::file(path, "another version of sets of batches"));
		}
		let tree = set.tree().map_err(|error| AnchorError::file(path, error))?;
		if tree.is_none_or(|tree| commitment::root_text(&tree.root()) != set.root) {
			return Err(AnchorError::file(path, "its batches have another root"));
		}
		Ok(set)
	}

	/// Writes a new set, on disk before it returns.
	///
	/// # Errors
	/// [`AnchorError::File`], also when there is something at `path`.
	pub fn create(&self, path: &Path) -> Result<(), AnchorError> {
		let text = serde_json::to_string(self);
		let text = text.map_err(|error| AnchorError::file(path, error))? + "\n";
		files::create(path, text.as_bytes(), files::PUBLIC).map_err(|error| match error.kind() {
			ErrorKind::AlreadyExists => {
				AnchorError::file(path, "there is a set of batches already")
			},
			_ => AnchorError::file(path, error),
		})
	}

	/// The root over the batches' roots, which the transaction commits to.
	///
	/// # Errors
	/// Never for a set that was loaded or made here.
	pub fn root(&self) -> Result<H256, AnchorError> {
		commitment::parse_root(&self.root)
	}

	/// The tree over the batches' roots; `None` if there are none.
	///
	/// # Errors
	/// Never for a set that was loaded or made here.
	pub fn tree(&self) -> Result<Option<AnchorTree>, AnchorError> {
		let roots: Result<Vec<H256>, AnchorError> = self.batches.iter().map(Member::root).collect();
		Ok(AnchorTree::of(&roots?))
	}

	/// Every batch with its path to the root.
	///
	/// # Errors
	/// Never for a set that was loaded or made here.
	pub fn paths(&self) -> Result<Vec<(&Member, AnchorPath)>, AnchorError> {
		let Some(tree) = self.tree()? else { return Ok(Vec::new()) };
		let members = self.batches.iter().enumerate();
		Ok(members.filter_map(|(index, member)| Some((member, tree.path(index)?))).collect())
	}

	/// The batch of this id, if it is in the set.
	pub fn member(&self, id: &str) -> Option<&Member> {
		self.batches.iter().find(|member| member.id == id)
	}
}
