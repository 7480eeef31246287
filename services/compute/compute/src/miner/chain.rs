//! A miner and the chain: heartbeats, registration, what it has earned.

use codec::Encode;
use gridproof_chain::{Chain, Failure, Included, Patience, Submitter};
use gridproof_keys::{AccountKey, SealedKey};
use gridproof_primitives::{
	H256,
	compute::{
		Class, ComputeParameters, Heartbeat, MinerView, PartyRole, Registration, SignedHeartbeat,
	},
	ed25519::PublicKey,
};
use std::time::Duration;

/// Name of the pallet in the runtime.
const PALLET: &str = "ComputeReceipts";

fn patience() -> Patience {
	let (per_attempt, pause) = (Duration::from_secs(30), Duration::from_secs(1));
	Patience { per_attempt, attempts: 3, pause }
}

/// A miner's view of the chain behind a node.
#[derive(Clone)]
pub struct MinerChain {
	chain: Chain,
}

impl MinerChain {
	/// Connects to the node at `url`.
	///
	/// # Errors
	/// [`Failure`].
	pub async fn connect(url: &str) -> Result<Self, Failure> {
		Ok(Self { chain: Chain::connect(url).await? })
	}

	/// Hash of the chain's first block.
	pub fn genesis(&self) -> H256 {
		self.chain.genesis()
	}

	/// The miner of a key, if it is registered.
	///
	/// # Errors
	/// [`Failure`].
	pub async fn miner(&self, key: &PublicKey) -> Result<Option<MinerView>, Failure> {
		self.chain.call("ComputeReceiptsApi_miner", &key.encode()).await
	}

	/// What governance decided.
	///
	/// # Errors
	/// [`Failure`].
	pub async fn parameters(&self) -> Result<ComputeParameters, Failure> {
		self.chain.call("ComputeReceiptsApi_parameters", &[]).await
	}

	/// Registers a key as a miner: the account bonds, and is paid.
	///
	/// # Errors
	/// [`Failure::Refused`] with the pallet's reason.
	pub async fn register(
		&self,
		key: &SealedKey,
		class: Class,
		account: AccountKey,
		patience: Patience,
	) -> Result<Included, Failure> {
		let registration =
			Registration { role: PartyRole::Miner(class), account: account.account() };
		let proof = key.sign(&registration.signing_payload(&self.genesis()));
		let arguments = (key.public(), class, proof).encode();
		let submitter = Submitter::new(self.chain.clone(), account, patience);
		let mut outcomes = submitter.submit(&[(PALLET, "register_miner", arguments)]).await?;
		outcomes.pop().unwrap_or_else(|| Err(Failure::Unsupported("one outcome".to_string())))
	}

	/// States that the miner is online, free of fees. `now` is in UTC milliseconds.
	///
	/// # Errors
	/// [`Failure`].
	pub async fn heartbeat(&self, key: &SealedKey, now: u64) -> Result<Included, Failure> {
		let heartbeat = Heartbeat { miner: *key.public(), time_ms: now };
		let signature = key.sign(&heartbeat.signing_payload(&self.genesis()));
		let arguments = vec![SignedHeartbeat { heartbeat, signature }].encode();
		self.chain.submit_authorized(PALLET, "heartbeats", &arguments, &patience()).await
	}

	/// Has what a miner earned in ended steps minted to its account, free of fees.
	///
	/// # Errors
	/// [`Failure`].
	pub async fn claim_emission(&self, key: &PublicKey) -> Result<Included, Failure> {
		let arguments = vec![*key].encode();
		self.chain.submit_authorized(PALLET, "claim_emission", &arguments, &patience()).await
	}
}
