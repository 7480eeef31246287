//! The state of an anchor, kept in a file from one run to the next.

use crate::{
	AnchorError, AnchorStatus, H256, commitment, evidence::Shown, network::Network,
	progress::Progress, sighting::Sighting,
};
use bitcoin::{
	BlockHash, Psbt, Transaction, Txid,
	consensus::encode::{deserialize_hex, serialize_hex},
	hashes::Hash,
};
use gridproof_gateway_api::AnchorUpdate;
use gridproof_primitives::energy::{AnchorState, MIN_CONFIRMATIONS, emlog::format_utc};
use gridproof_support::files;
use serde::{Deserialize, Serialize};
use std::{fs, io::ErrorKind, path::Path};

/// Version of the file's format.
const VERSION: u32 = 1;

/// The block of an anchor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockRef {
	/// Its hash.
	pub hash: String,
	/// Its height.
	pub height: u32,
	/// Its own time, seconds since 1970; known once it was verified.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub time: Option<u32>,
}

/// The batch that an anchor is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchRef {
	/// Its id.
	pub id: String,
	/// The gateway's address.
	pub api: String,
}

/// An anchor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
	version: u32,
	root: String,
	network: String,
	state: AnchorStatus,
	confirmations: u32,
	#[serde(default, skip_serializing_if = "Option::is_none")]
	txid: Option<String>,
	#[serde(default, skip_serializing_if = "Option::is_none")]
	block: Option<BlockRef>,
	/// Where the root comes from.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub batch: Option<BatchRef>,
	#[serde(default, skip_serializing_if = "Option::is_none")]
	psbt: Option<String>,
	#[serde(default, skip_serializing_if = "Option::is_none")]
	transaction: Option<String>,
	/// How far it is, if it is of a whole set of batches.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub progress: Option<Progress>,
}

impl Record {
	/// An anchor without transaction.
	pub fn new(root: &H256, network: Network) -> Self {
		Self {
			version: VERSION,
			root: commitment::root_text(root),
			network: network.as_str().to_owned(),
			state: AnchorStatus::Pending,
			confirmations: 0,
			txid: None,
			block: None,
			batch: None,
			psbt: None,
			transaction: None,
			progress: None,
		}
	}

	/// A rehearsal of an anchor.
	pub fn simulated(root: &H256, network: Network) -> Self {
		Self { state: AnchorStatus::Simulated, ..Self::new(root, network) }
	}

	/// Reads a record.
	///
	/// # Errors
	/// [`AnchorError::File`] when it cannot be read, or does not agree with itself.
	pub fn load(path: &Path) -> Result<Self, AnchorError> {
		let text = fs::read_to_string(path).map_err(|error| AnchorError::file(path, error))?;
		let record: Self =
			serde_json::from_str(&text).map_err(|error| AnchorError::file(path, error))?;
		match record.fault() {
			Some(reason) => Err(AnchorError::file(path, reason)),
			None => Ok(record),
		}
	}

	fn fault(&self) -> Option<&'static str> {
		let Ok(root) = commitment::parse_root(&self.root) else { return Some("no root") };
		if self.version != VERSION {
			return Some("another version of anchor records");
		}
		if self.network.parse::<Network>().is_err() {
			return Some("no network");
		}
		let has_transaction = self.txid.is_some() || self.transaction.is_some();
		match self.state {
			AnchorStatus::Simulated if has_transaction || self.block.is_some() => {
				return Some("a simulated anchor has no transaction");
			},
			AnchorStatus::Confirmed
				if self.block.is_none() || self.confirmations < MIN_CONFIRMATIONS =>
			{
				return Some("confirmed without a block and six confirmations");
			},
			AnchorStatus::Broadcast | AnchorStatus::Confirmed if self.txid.is_none() => {
				return Some("broadcast without a transaction");
			},
			_ => (),
		}
		match self.transaction.as_deref().map(deserialize_hex::<Transaction>) {
			None => None,
			Some(Ok(held)) if Some(held.compute_txid().to_string()) != self.txid => {
				Some("its transaction has another id")
			},
			Some(Ok(held)) if commitment::find(&held, &root).is_err() => {
				Some("its transaction does not commit to its root")
			},
			Some(Ok(_)) => None,
			Some(Err(_)) => Some("no transaction"),
		}
	}

	/// Writes the record, whole or not at all.
	///
	/// # Errors
	/// [`AnchorError::File`].
	pub fn save(&self, path: &Path) -> Result<(), AnchorError> {
		let text = serde_json::to_string_pretty(self);
		let text = text.map_err(|error| AnchorError::file(path, error))? + "\n";
		files::replace(path, text.as_bytes(), files::PUBLIC)
			.map_err(|error| AnchorError::file(path, error))
	}

	/// Asserts that a new anchor may be written to `path`: nothing is there, or an anchor of the
	/// same root that no network knows.
	///
	/// # Errors
	/// [`AnchorError::RecordInUse`], [`AnchorError::File`].
	pub fn check_free(&self, path: &Path) -> Result<(), AnchorError> {
		match fs::metadata(path) {
			Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
			Err(error) => return Err(AnchorError::file(path, error)),
			Ok(_) => (),
		}
		let old = Self::load(path)?;
		let unsent = old.state == AnchorStatus::Pending && old.transaction.is_none();
		if unsent && old.root == self.root && old.network == self.network {
			return Ok(());
		}
		Err(AnchorError::RecordInUse {
			path: path.display().to_string(),
			root: old.root,
			state: old.state,
		})
	}

	/// The root.
	///
	/// # Errors
	/// Never for a record that was loaded or made here.
	pub fn root(&self) -> Result<H256, AnchorError> {
		commitment::parse_root(&self.root)
	}

	/// The network.
	///
	/// # Errors
	/// Never for a record that was loaded or made here.
	pub fn network(&self) -> Result<Network, AnchorError> {
		self.network.parse()
	}

	/// How the chain keeps it. A rehearsal has its root in place of a transaction.
	///
	/// # Errors
	/// Never for a record that was loaded or made here.
	pub fn on_chain(&self) -> Result<AnchorState, AnchorError> {
		let txid = self.txid().map(|txid| H256(txid.to_byte_array()));
		let block = self.block_hash().map(|block| H256(block.to_byte_array()));
		Ok(match (self.state, txid, block, &self.block) {
			(AnchorStatus::Simulated, ..) => AnchorState::Simulated { txid: self.root()? },
			(AnchorStatus::Broadcast, Some(txid), ..) => AnchorState::Broadcast { txid },
			(AnchorStatus::Confirmed, Some(txid), Some(block_hash), Some(block)) => {
				let (height, confirmations) = (block.height, self.confirmations);
				AnchorState::Confirmed { txid, block_hash, height, confirmations }
			},
			_ => AnchorState::Pending,
		})
	}

	/// What the gateway of its batch is to know of it.
	pub fn update(&self) -> AnchorUpdate {
		let (block, is_sent) = (self.block(), self.state != AnchorStatus::Pending);
		let time = block.and_then(|block| block.time);
		AnchorUpdate {
			// Until it is sent, another transaction may take its place.
			txid: self.txid().filter(|_| is_sent).map(|txid| txid.to_string()),
			block_hash: block.map(|block| block.hash.clone()),
			block_height: block.map(|block| block.height.into()),
			block_time: time.map(|seconds| format_utc(u64::from(seconds).saturating_mul(1_000))),
			confirmations: block.map(|_| self.confirmations()),
			..AnchorUpdate::new(self.state)
		}
	}

	/// How far it is.
	pub fn state(&self) -> AnchorStatus {
		self.state
	}

	/// Confirmations when it was last looked at.
	pub fn confirmations(&self) -> u32 {
		self.confirmations
	}

	/// Its transaction's id, if there is one.
	pub fn txid(&self) -> Option<Txid> {
		self.txid.as_deref().and_then(|txid| txid.parse().ok())
	}

	/// Its block, if it was seen in one.
	pub fn block(&self) -> Option<&BlockRef> {
		self.block.as_ref()
	}

	/// Its block's hash, if it was seen in one.
	pub fn block_hash(&self) -> Option<BlockHash> {
		self.block.as_ref().and_then(|block| block.hash.parse().ok())
	}

	/// Its signed transaction, if that was kept.
	pub fn transaction(&self) -> Option<Transaction> {
		self.transaction.as_deref().and_then(|digits| deserialize_hex(digits).ok())
	}

	/// Keeps the transaction that waits for signatures.
	pub fn set_psbt(&mut self, psbt: &Psbt) {
		self.psbt = Some(psbt.to_string());
	}

	/// Keeps the signed transaction.
	///
	/// # Errors
	/// [`AnchorError::NotCommitted`], [`AnchorError::Simulated`].
	pub fn set_transaction(&mut self, transaction: &Transaction) -> Result<(), AnchorError> {
		if self.state == AnchorStatus::Simulated {
			return Err(AnchorError::Simulated);
		}
		commitment::find(transaction, &self.root()?)?;
		let txid = transaction.compute_txid().to_string();
		if self.txid.as_ref() != Some(&txid) {
			(self.state, self.block, self.confirmations) = (AnchorStatus::Pending, None, 0);
		}
		self.txid = Some(txid);
		self.transaction = Some(serialize_hex(transaction));
		self.psbt = None;
		Ok(())
	}

	/// Takes over what a node sees, and what was verified of it. An anchor is confirmed only with
	/// the latter, and is so no longer when a later look finds less.
	///
	/// # Errors
	/// [`AnchorError::Simulated`].
	pub fn settle(&mut self, seen: &Sighting, verified: Option<&Shown>) -> Result<(), AnchorError> {
		if self.state == AnchorStatus::Simulated {
			return Err(AnchorError::Simulated);
		}
		(self.state, self.block, self.confirmations) = match seen {
			Sighting::Unknown => (AnchorStatus::Pending, None, 0),
			Sighting::Waiting => (AnchorStatus::Broadcast, None, 0),
			Sighting::InBlock { hash, height, confirmations } => {
				let hash = hash.to_string();
				let shown = verified.filter(|shown| shown.block_hash == hash);
				let deep =
					shown.is_some_and(Shown::is_confirmed) && *confirmations >= MIN_CONFIRMATIONS;
				let state = if deep { AnchorStatus::Confirmed } else { AnchorStatus::Broadcast };
				let time = shown.map(|shown| shown.block_time);
				(state, Some(BlockRef { hash, height: *height, time }), *confirmations)
			},
		};
		Ok(())
	}
}
