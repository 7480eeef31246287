//! Vouchers without an answer, and a channel that runs dry.

use crate::{error::FrontError, payer::Payer, settings::TopUp};
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
	let mut has_warned = false;
	loop {
		match once(payer, &mut has_warned).await {
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

/// Reads the channel and does what is due.
pub(crate) async fn once(payer: &Payer, has_warned: &mut bool) -> Result<(), FrontError> {
	let id = payer.settings.channel;
	let read = payer.chain.channel(id).await?;
	payer.set_channel(read.ok_or(FrontError::UnknownChannel(id))?);
	let left = payer.left().await?;
	let amount = due(payer, left);
	if amount > 0 {
		payer.chain.top_up(id, amount).await?;
		tracing::info!(channel = id, amount, "the channel was topped up");
		if let Some(channel) = payer.chain.channel(id).await? {
			payer.set_channel(channel);
		}
	}
	let is_low = payer.left().await? < payer.settings.warn_below;
	if is_low && !*has_warned {
		tracing::warn!(channel = id, left, "the channel runs dry: gridproof channel top-up");
	}
	*has_warned = is_low;
	Ok(())
}

/// Returns what is to be added to the deposit now: never more than all requests may cost together.
fn due(payer: &Payer, left: u128) -> u128 {
	let channel = payer.channel();
	let Some(TopUp { by, .. }) = payer.settings.top_up.filter(|rule| left < rule.below) else {
		return 0;
	};
	if channel.ends_ms.is_some() {
		return 0;
	}
	let room = payer.settings.max_spend.map(|most| most.saturating_sub(channel.deposited));
	by.min(room.unwrap_or(u128::MAX))
}
