//! Reports of two blocks for one slot, sent to the chain.

use crate::{chain::Hash, client::FullClient, pool::Pool, two_blocks::Found};
use codec::Decode;
use futures::{StreamExt, channel::mpsc};
use pallet_authorities_api::AuthoritiesApi;
use sc_transaction_pool_api::{TransactionPool, TransactionSource};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_runtime::OpaqueExtrinsic;
use std::sync::Arc;

/// Sends what was found to the chain, until nothing more can be found.
pub(crate) async fn report(
	client: Arc<FullClient>,
	pool: Arc<Pool>,
	mut found: mpsc::Receiver<Found>,
) {
	while let Some(found) = found.next().await {
		match send(&client, &pool, found).await {
			Ok(hash) => {
				tracing::info!(event = "two_blocks_reported", ?hash, "Two blocks were reported");
			},
			// Another node was faster, or the chain has rules without this report.
			Err(reason) => tracing::warn!(
				event = "two_blocks_not_reported",
				reason,
				"Two blocks were not reported by this node"
			),
		}
	}
}

async fn send(client: &FullClient, pool: &Pool, found: Found) -> Result<Hash, String> {
	let text = |error: &dyn std::fmt::Display| error.to_string();
	let owner = client
		.runtime_api()
		.prove_author(found.state, found.blocks.author.clone())
		.map_err(|error| text(&error))?
		.ok_or("the key is not an authority's in the state before the block")?;
	let best = client.info().best_hash;
	let report = client
		.runtime_api()
		.report_of_two_blocks(best, found.blocks, owner)
		.map_err(|error| text(&error))?;
	let report = OpaqueExtrinsic::decode(&mut report.as_slice()).map_err(|error| text(&error))?;
	pool.submit_one(best, TransactionSource::Local, report).await.map_err(|error| text(&error))
}
