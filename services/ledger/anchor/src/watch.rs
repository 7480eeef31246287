//! What a node knows of a transaction, and the evidence it can give.

use crate::{
	AnchorError, AnchorStatus,
	branch::Branch,
	commitment,
	evidence::{Evidence, read_branch},
	record::Record,
	rpc::Rpc,
	sighting::Sighting,
};
use bitcoin::{BlockHash, MerkleBlock, Transaction, Txid, block::Header};
use futures::future::BoxFuture;
use gridproof_primitives::energy::MIN_CONFIRMATIONS;
use gridproof_support::Stop;
use serde_json::{Value, json};
use std::time::Duration;

/// Asks a node where it sees a transaction. `last` is the block it was last seen in: nodes without
/// an index of transactions find it by that.
///
/// # Errors
/// When the node does not answer.
pub fn look<'a>(
	node: &'a Rpc,
	txid: &'a Txid,
	last: Option<BlockHash>,
) -> BoxFuture<'a, Result<Sighting, AnchorError>> {
	Box::pin(async move {
		let named =
			tolerant(node.call("getrawtransaction", json!([txid.to_string(), true])).await)?;
		let hash =
			named.as_ref().and_then(|answer| answer.get("blockhash")?.as_str()?.parse().ok());
		let mut candidates: Vec<BlockHash> = hash.into_iter().chain(last).collect();
		if candidates.is_empty() && named.is_none() {
			candidates.extend(block_by_unspent(node, txid).await?);
		}
		for hash in candidates {
			let Ok(place) = node.place(&hash).await else { continue };
			let Some(confirmations) = place.confirmations else { continue };
			if branch(node, txid, &hash).await.is_ok() {
				return Ok(Sighting::InBlock { hash, height: place.height, confirmations });
			}
		}
		Ok(if named.is_some() { Sighting::Waiting } else { Sighting::Unknown })
	})
}

/// Fetches everything that proves a transaction in a block: six headers, if there are as many.
///
/// # Errors
/// [`AnchorError::Unconfirmed`] when the block is not in the best chain; else what the node says.
pub fn evidence<'a>(
	node: &'a Rpc,
	txid: &'a Txid,
	hash: &'a BlockHash,
	known: Option<&'a Transaction>,
) -> BoxFuture<'a, Result<Evidence, AnchorError>> {
	Box::pin(async move {
		let place = node.place(hash).await?;
		if place.confirmations.is_none() {
			return Err(AnchorError::Unconfirmed(txid.to_string()));
		}
		let transaction = match known.filter(|known| known.compute_txid() == *txid) {
			Some(transaction) => transaction.clone(),
			None => fetch(node, txid, hash).await?,
		};
		let (branch, header) = branch(node, txid, hash).await?;
		let mut headers = vec![header];
		for above in 1..MIN_CONFIRMATIONS {
			let Some(next) = node.hash_at(place.height.saturating_add(above)).await? else { break };
			headers.push(node.header(&next).await?);
		}
		Ok(Evidence { transaction, branch, headers, height: Some(place.height) })
	})
}

/// The transaction itself; nodes without an index of transactions need its block.
async fn fetch(node: &Rpc, txid: &Txid, block: &BlockHash) -> Result<Transaction, AnchorError> {
	const METHOD: &str = "getrawtransaction";
	let digits = match node.text(METHOD, json!([txid.to_string(), false])).await {
		Ok(digits) => digits,
		Err(AnchorError::Rpc { .. }) => {
			node.text(METHOD, json!([txid.to_string(), false, block.to_string()])).await?
		},
		Err(error) => return Err(error),
	};
	let transaction = commitment::read_transaction(digits.as_bytes())?;
	if transaction.compute_txid() != *txid {
		return Err(AnchorError::answer(METHOD, "another transaction"));
	}
	Ok(transaction)
}

/// The branch of a transaction in a block: by `gettxoutproof`, or from the whole block.
async fn branch(
	node: &Rpc,
	txid: &Txid,
	hash: &BlockHash,
) -> Result<(Branch, Header), AnchorError> {
	let arguments = json!([[txid.to_string()], hash.to_string()]);
	let digits = match node.text("gettxoutproof", arguments).await {
		Ok(digits) => digits,
		Err(AnchorError::Rpc { .. }) => node.text("getblock", json!([hash.to_string(), 0])).await?,
		Err(error) => return Err(error),
	};
	let (branch, header) = read_branch(&digits, txid)?;
	if header.block_hash() != *hash {
		return Err(AnchorError::answer(
			"gettxoutproof",
			format!("of block {}", header.block_hash()),
		));
	}
	Ok((branch, header))
}

/// Finds the block of a transaction that has an unspent output, as the change mostly is.
async fn block_by_unspent(node: &Rpc, txid: &Txid) -> Result<Option<BlockHash>, AnchorError> {
	let proof = tolerant(node.call("gettxoutproof", json!([[txid.to_string()]])).await)?;
	let bytes = proof.as_ref().and_then(Value::as_str).and_then(|digits| hex::decode(digits).ok());
	let proof = bytes.and_then(|bytes| bitcoin::consensus::deserialize::<MerkleBlock>(&bytes).ok());
	Ok(proof.map(|proof| proof.header.block_hash()))
}

/// An answer, or nothing if the server answered with an error of its own.
fn tolerant(answer: Result<Value, AnchorError>) -> Result<Option<Value>, AnchorError> {
	match answer {
		Ok(answer) => Ok(Some(answer)),
		Err(AnchorError::Rpc { .. }) => Ok(None),
		Err(error) => Err(error),
	}
}

/// Looks at an anchor's transaction and takes over what is seen. Six confirmations count only when
/// everything from the root to the block has been verified here.
///
/// # Errors
/// [`AnchorError::Simulated`]; when the node is of another network, does not answer, or gives evidence
/// that does not hold.
pub fn refresh<'a>(
	node: &'a Rpc,
	record: &'a mut Record,
) -> BoxFuture<'a, Result<Sighting, AnchorError>> {
	Box::pin(async move {
		if record.state() == AnchorStatus::Simulated {
			return Err(AnchorError::Simulated);
		}
		let Some(txid) = record.txid() else { return Ok(Sighting::Unknown) };
		let (root, network) = (record.root()?, record.network()?);
		node.require(network).await?;
		let seen = look(node, &txid, record.block_hash()).await?;
		let shown = match &seen {
			Sighting::InBlock { hash, .. } => {
				let known = record.transaction();
				match evidence(node, &txid, hash, known.as_ref()).await {
					Ok(evidence) => Some(evidence.check(&root, network)?),
					// It has left the chain since it was looked for.
					Err(AnchorError::Unconfirmed(_)) => return Ok(Sighting::Waiting),
					Err(error) => return Err(error),
				}
			},
			_ => None,
		};
		record.settle(&seen, shown.as_ref())?;
		Ok(seen)
	})
}

/// Looks at an anchor's transaction every so often, until six confirmations have been verified or
/// the program is to end. A node that does not answer is asked again. `changed` gets the record
/// whenever it has changed.
///
/// # Errors
/// As [`refresh`], but for a node that does not answer; what `changed` returns.
pub async fn follow<E: From<AnchorError>>(
	node: &Rpc,
	record: &mut Record,
	every: Duration,
	stop: &Stop,
	mut changed: impl AsyncFnMut(&Record) -> Result<(), E>,
) -> Result<(), E> {
	loop {
		let before = record.clone();
		match refresh(node, record).await {
			Err(error @ AnchorError::Unreachable { .. }) => {
				tracing::warn!(event = "bitcoin_node_unreachable", %error, "trying again");
			},
			Err(error) => return Err(error.into()),
			Ok(_) => (),
		}
		if *record != before {
			changed(record).await?;
		}
		if record.state() == AnchorStatus::Confirmed || !stop.pause(every).await {
			return Ok(());
		}
	}
}
