//! The state of an anchor, kept in a file from one run to the next.

use crate::{Fault, H256, commitment, evidence::Shown, network::Network, watch::Sighting};
use bitcoin::{
	BlockHash, Psbt, Transaction, Txid,
	consensus::encode::{deserialize_hex, serialize_hex},
	hashes::Hash,
};
use gridproof_primitives::meter::{AnchorState, MIN_CONFIRMATIONS};
use serde::{Deserialize, Serialize};
use std::{
	fs::{self, OpenOptions},
	io::{ErrorKind, Write},
	path::Path,
};

/// Version of the file's format.
const VERSION: u32 = 1;

/// How far an anchor is. None of these is ever shown as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
	/// No transaction is known to the network.
	Pending,
	/// A transaction is known to the network, and not buried deep enough.
	Broadcast,
	/// Six confirmations or more, checked here.
	Confirmed,
	/// A rehearsal: there is no transaction.
	Simulated,
}

impl State {
	/// As it is written.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Pending => "pending",
			Self::Broadcast => "broadcast",
			Self::Confirmed => "confirmed",
			Self::Simulated => "simulated",
		}
	}
}

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
	state: State,
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
}

impl Record {
	/// An anchor without transaction.
	pub fn new(root: &H256, network: Network) -> Self {
		Self {
			version: VERSION,
			root: commitment::root_text(root),
			network: network.as_str().to_owned(),
			state: State::Pending,
			confirmations: 0,
			txid: None,
			block: None,
			batch: None,
			psbt: None,
			transaction: None,
		}
	}

	/// A rehearsal of an anchor.
	pub fn simulated(root: &H256, network: Network) -> Self {
		Self { state: State::Simulated, ..Self::new(root, network) }
	}

	/// Reads a record.
	///
	/// # Errors
	/// [`Fault::File`] when it cannot be read, or does not agree with itself.
	pub fn load(path: &Path) -> Result<Self, Fault> {
		let text = fs::read_to_string(path).map_err(|error| Fault::file(path, error))?;
		let record: Self = serde_json::from_str(&text).map_err(|error| Fault::file(path, error))?;
		match record.fault() {
			Some(reason) => Err(Fault::file(path, reason)),
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
			State::Simulated if has_transaction || self.block.is_some() => {
				return Some("a simulated anchor has no transaction");
			},
			State::Confirmed if self.block.is_none() || self.confirmations < MIN_CONFIRMATIONS => {
				return Some("confirmed without a block and six confirmations");
			},
			State::Broadcast | State::Confirmed if self.txid.is_none() => {
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
	/// [`Fault::File`].
	pub fn save(&self, path: &Path) -> Result<(), Fault> {
		let fault = |error: &dyn std::fmt::Display| Fault::file(path, error);
		let text = serde_json::to_string_pretty(self).map_err(|error| fault(&error))?;
		let mut name = path.as_os_str().to_owned();
		name.push(".new");
		let beside = Path::new(&name);
		let written = OpenOptions::new().write(true).create(true).truncate(true).open(beside);
		let mut file = written.map_err(|error| fault(&error))?;
		file.write_all(text.as_bytes())
			.and_then(|()| file.write_all(b"\n"))
			.and_then(|()| file.sync_all())
			.and_then(|()| fs::rename(beside, path))
			.map_err(|error| fault(&error))
	}

	/// Asserts that a new anchor may be written to `path`: nothing is there, or an anchor of the
	/// same root that no network knows.
	///
	/// # Errors
	/// [`Fault::RecordInUse`], [`Fault::File`].
	pub fn check_free(&self, path: &Path) -> Result<(), Fault> {
		match fs::metadata(path) {
			Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
			Err(error) => return Err(Fault::file(path, error)),
			Ok(_) => (),
		}
		let old = Self::load(path)?;
		let unsent = old.state == State::Pending && old.transaction.is_none();
		if unsent && old.root == self.root && old.network == self.network {
			return Ok(());
		}
		Err(Fault::RecordInUse {
			path: path.display().to_string(),
			root: old.root,
			state: old.state.as_str(),
		})
	}

	/// The root.
	///
	/// # Errors
	/// Never for a record that was loaded or made here.
	pub fn root(&self) -> Result<H256, Fault> {
		commitment::parse_root(&self.root)
	}

	/// The network.
	///
	/// # Errors
	/// Never for a record that was loaded or made here.
	pub fn network(&self) -> Result<Network, Fault> {
		self.network.parse()
	}

	/// How the chain keeps it. A rehearsal has its root in place of a transaction.
	///
	/// # Errors
	/// Never for a record that was loaded or made here.
	pub fn on_chain(&self) -> Result<AnchorState, Fault> {
		let txid = self.txid().map(|txid| H256(txid.to_byte_array()));
		let block = self.block_hash().map(|block| H256(block.to_byte_array()));
		Ok(match (self.state, txid, block, &self.block) {
			(State::Simulated, ..) => AnchorState::Simulated { txid: self.root()? },
			(State::Broadcast, Some(txid), ..) => AnchorState::Broadcast { txid },
			(State::Confirmed, Some(txid), Some(block_hash), Some(block)) => {
				let (height, confirmations) = (block.height, self.confirmations);
				AnchorState::Confirmed { txid, block_hash, height, confirmations }
			},
			_ => AnchorState::Pending,
		})
	}

	/// How far it is.
	pub fn state(&self) -> State {
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
	/// [`Fault::NotCommitted`], [`Fault::Simulated`].
	pub fn set_transaction(&mut self, transaction: &Transaction) -> Result<(), Fault> {
		if self.state == State::Simulated {
			return Err(Fault::Simulated);
		}
		commitment::find(transaction, &self.root()?)?;
		let txid = transaction.compute_txid().to_string();
		if self.txid.as_ref() != Some(&txid) {
			(self.state, self.block, self.confirmations) = (State::Pending, None, 0);
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
	/// [`Fault::Simulated`].
	pub fn settle(&mut self, seen: &Sighting, verified: Option<&Shown>) -> Result<(), Fault> {
		if self.state == State::Simulated {
			return Err(Fault::Simulated);
		}
		(self.state, self.block, self.confirmations) = match seen {
			Sighting::Unknown => (State::Pending, None, 0),
			Sighting::Waiting => (State::Broadcast, None, 0),
			Sighting::InBlock { hash, height, confirmations } => {
				let hash = hash.to_string();
				let shown = verified.filter(|shown| shown.block_hash == hash);
				let deep =
					shown.is_some_and(Shown::is_confirmed) && *confirmations >= MIN_CONFIRMATIONS;
				let state = if deep { State::Confirmed } else { State::Broadcast };
				let time = shown.map(|shown| shown.block_time);
				(state, Some(BlockRef { hash, height: *height, time }), *confirmations)
			},
		};
		Ok(())
	}
}
