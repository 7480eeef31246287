//! A miner and the chain: registration, heartbeats, payouts, what waits.

use crate::miner::{Miner, RETRY};
use futures::future::BoxFuture;
use gridproof_chain::{
	Chain, ChainError, Included, Patience,
	pallets::compute_receipts::{call, due, query, waiting},
};
use gridproof_keys::{AccountKey, SealedKey};
use gridproof_primitives::compute::{Class, Heartbeat, PartyRole, Registration, SignedHeartbeat};
use std::time::Duration;

/// How long a transaction is followed, and how often it is sent.
const PATIENCE: Patience =
	Patience { per_attempt: Duration::from_secs(30), attempts: 3, pause: Duration::from_secs(1) };
/// Name of the loop.
const NAME: &str = "chain";
/// Longest time from one of its turns to the next: three transactions are followed for a minute and a half
/// each.
const LONGEST: Duration = Duration::from_secs(600);
/// Pause before a key that the chain does not know is looked for again.
const UNKNOWN: Duration = Duration::from_secs(30);

/// Registers a key as a miner: `account` bonds, and is paid.
///
/// # Errors
/// [`ChainError`]; [`ChainError::Refused`] with the pallet's reason.
pub fn register<'a>(
	chain: &'a Chain,
	account: &'a AccountKey,
	key: &'a SealedKey,
	class: Class,
	patience: &'a Patience,
) -> BoxFuture<'a, Result<Included, ChainError>> {
	Box::pin(async move {
		let registration =
			Registration { role: PartyRole::Miner(class), account: account.account() };
		let proof = key.sign(&registration.signing_payload(&chain.genesis()));
		chain.submit(account, &call::register_miner(key.public(), class, &proof), patience).await
	})
}

/// Sends heartbeats and has payouts made, until the future is dropped.
pub(crate) async fn account_for(miner: &Miner) {
	let mut pauses = RETRY.pauses();
	miner.loops.begins(NAME, LONGEST);
	loop {
		miner.loops.turn(NAME);
		let pause = match once(miner).await {
			Ok(pause) => {
				pauses.reset();
				pause
			},
			Err(error) => {
				let pause = pauses.next_pause();
				tracing::warn!(%error, ?pause, "the chain has to wait");
				pause
			},
		};
		tokio::time::sleep(pause).await;
	}
}

/// Sends a heartbeat and claims what is due; returns the time until the next.
async fn once(miner: &Miner) -> Result<Duration, ChainError> {
	let (node, me) = (&miner.node, miner.key.public());
	let parameters = node.read(&query::parameters()).await?;
	let Some(view) = node.read(&query::miner(me)).await? else {
		tracing::warn!("the chain does not know this miner: run gridproof miner register");
		return Ok(UNKNOWN);
	};
	release(miner).await?;
	if view.party.claimable > 0 {
		match node.submit_authorized(&call::claim_emission(&[*me]), &PATIENCE).await {
			Ok(paid) => {
				miner.metrics.payouts.inc();
				tracing::info!(block = %paid.block, "what was earned is paid");
			},
			// Somebody else may have had it paid just now, or minting is stopped: the heartbeat is
			// sent all the same.
			Err(error) if error.is_refusal() => {
				tracing::warn!(%error, "what was earned is not paid yet");
			},
			Err(error) => return Err(error),
		}
	}
	// Often enough to count as online, with room for one that gets lost.
	let every = (parameters.heartbeat_max_ms / 3).max(parameters.heartbeat_min_ms);
	let since = miner.now().saturating_sub(view.heartbeat_ms);
	if since >= every {
		match heartbeat(miner).await {
			Ok(_) => miner.metrics.heartbeats.inc(),
			Err(error) if error.is_refusal() => tracing::warn!(%error, "a heartbeat was refused"),
			Err(error) => return Err(error),
		}
	}
	// Soon enough for a step that ends meanwhile.
	Ok(Duration::from_millis(every.clamp(1_000, 30_000)))
}

/// Has what waited for checks and is due paid, free of fees: what has been due for longest, and the rest with the
/// next heartbeats.
async fn release(miner: &Miner) -> Result<(), ChainError> {
	let node = &miner.node;
	let chain = node.chain().await?;
	let waits = node.checked(&chain, waiting(&chain, miner.key.public()).await).await?;
	let due = due(&waits, miner.now());
	if due.is_empty() {
		return Ok(());
	}
	match node.submit_authorized(&call::release_waiting(&due), &PATIENCE).await {
		Ok(paid) => {
			tracing::info!(parts = due.len(), block = %paid.block, "what waited is paid");
			Ok(())
		},
		// Somebody else may have released a part just now, or a claim's step runs on.
		Err(error) if error.is_refusal() => {
			tracing::warn!(%error, "what waited is not paid yet");
			Ok(())
		},
		Err(error) => Err(error),
	}
}

/// States that the miner is online, free of fees.
async fn heartbeat(miner: &Miner) -> Result<Included, ChainError> {
	let heartbeat = Heartbeat { miner: *miner.key.public(), time_ms: miner.now() };
	let signature = miner.key.sign(&heartbeat.signing_payload(&miner.genesis));
	let signed = SignedHeartbeat { heartbeat, signature };
	miner.node.submit_authorized(&call::heartbeats(&[signed]), &PATIENCE).await
}
