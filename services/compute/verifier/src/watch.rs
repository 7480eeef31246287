//! What becomes of checks, block by block.

use gridproof_chain::{Chain, ChainError, event::RawEvent};
use gridproof_support::Stop;
use std::time::Duration;

/// Pause between two looks at the chain.
const LOOK: Duration = Duration::from_secs(2);
/// Pause after the node did not answer.
const RETRY: Duration = Duration::from_secs(10);

/// Gives the events of each block that becomes final to `seen`, from block `next` on, until the program is to end.
/// Of a node that does not answer `away` is given the error and the block that comes next; it is asked again.
///
/// # Errors
/// [`ChainError`] that stays, and what `seen` returns.
pub async fn follow<E: From<ChainError>>(
	chain: &Chain,
	mut next: u64,
	stop: &Stop,
	mut seen: impl FnMut(u64, &[RawEvent]) -> Result<(), E>,
	mut away: impl FnMut(&ChainError, u64),
) -> Result<(), E> {
	while !stop.is_stopped() {
		let pause = match events(chain, next).await {
			Ok(Some(events)) => {
				seen(next, &events)?;
				next = next.saturating_add(1);
				continue;
			},
			Ok(None) => LOOK,
			Err(error) if error.is_temporary() => {
				away(&error, next);
				RETRY
			},
			Err(error) => return Err(error.into()),
		};
		stop.pause(pause).await;
	}
	Ok(())
}

/// The events of a block; `None` if it is not final yet.
async fn events(chain: &Chain, block: u64) -> Result<Option<Vec<RawEvent>>, ChainError> {
	if block > chain.height().await? {
		return Ok(None);
	}
	chain.events(block).await.map(Some)
}
