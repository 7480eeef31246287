//! Vouchers without an answer, and a channel that runs dry.

use crate::{error::FrontError, payer::Payer, top_up};
use gridproof_support::Backoff;
use std::time::Duration;

/// How often it is looked for requests without an answer, without being asked.
const LOOK: Duration = Duration::from_secs(5);
/// How often the channel is read from the chain.
const READ: Duration = Duration::from_secs(20);
/// Pauses after the coordinator or the node has failed.
const RETRY: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));

/// Closes vouchers without an answer until the future is dropped.
pub(crate) async fn reconcile(payer: &Payer) {
	let mut pauses = RETRY.pauses();
	loop {
		let _ = tokio::time::timeout(LOOK, payer.unanswered.notified()).await;
		match payer.reconcile().await {
			Ok(()) => pauses.reset(),
			Err(error) => {
				let pause = pauses.next_pause();
				tracing::warn!(%error, ?pause, "requests without an answer wait");
				tokio::time::sleep(pause).await;
			},
		}
	}
}

/// Follows the channel on chain, warns before it runs dry, and tops it up by rule, until the future is
/// dropped.
pub(crate) async fn follow(payer: &Payer) {
	let mut pauses = RETRY.pauses();
	let mut warned = None;
	loop {
		match once(payer, &mut warned).await {
			Ok(()) => {
				pauses.reset();
				tokio::time::sleep(READ).await;
			},
			Err(error) => {
				let pause = pauses.next_pause();
				tracing::warn!(%error, ?pause, "the channel is as it was read last");
				tokio::time::sleep(pause).await;
			},
		}
	}
}

/// Reads the channel and does what is due; `warned` is what was last warned of.
pub(crate) async fn once(payer: &Payer, warned: &mut Option<String>) -> Result<(), FrontError> {
	let id = payer.settings.channel;
	let read = payer.chain.channel(id).await?;
	payer.set_channel(read.ok_or(FrontError::UnknownChannel(id))?);
	let amount = top_up::once(payer, payer.left().await?).await?;
	if amount > 0 {
		tracing::info!(channel = id, amount, "the channel was topped up");
		if let Some(channel) = payer.chain.channel(id).await? {
			payer.set_channel(channel);
		}
	}
	let warning = payer.warning().await?;
	if let Some(reason) = warning.as_ref().filter(|_| warning != *warned) {
		let left = payer.left().await?;
		tracing::warn!(channel = id, left, "{reason}");
	}
	*warned = warning;
	Ok(())
}
