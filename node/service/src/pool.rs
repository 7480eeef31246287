//! The transaction pool.
//!
//! `sc-transaction-pool` gives the future queue a tenth of the ready queue. Transactions of one
//! account that are sent at the same time arrive out of order and wait in the future queue, where a
//! tenth is soon full: the rest is dropped. Here both queues get the full limit.
//!
//! The default is the single-state pool. With slots of one second the fork-aware pool of this SDK
//! loses transactions that are watched and arrive while it opens the view of a new block: of 2,000
//! sent at the same time in random order it dropped 37 in one run and 184 in another, as if over
//! its limits, and everything behind the first gap stayed in the queue. With the single-state pool
//! all of them were included in blocks each time.

use crate::{chain::Block, client::FullClient};
use sc_cli::TransactionPoolParams;
use sc_service::{Configuration, TaskManager};
use sc_transaction_pool::{
	BasicPool, ForkAwareTxPool, Options, PoolLimit, TransactionPoolHandle, TransactionPoolWrapper,
};
use std::{sync::Arc, time::Duration};

/// The pool of a running node.
pub type Pool = TransactionPoolHandle<Block, FullClient>;

/// Kind and size of the pool.
#[derive(Debug, Clone)]
pub struct PoolSettings {
	/// Sizes of the queues, and how long a refused transaction stays away.
	pub options: Options,
	/// Whether the pool follows every fork; otherwise it follows the best block.
	pub fork_aware: bool,
}

impl PoolSettings {
	/// Returns the settings from the command line.
	pub fn new(params: &TransactionPoolParams, is_dev: bool) -> Self {
		let limit = PoolLimit {
			count: params.pool_limit,
			total_bytes: params.pool_kbytes.saturating_mul(1024),
		};
		let ban_seconds = if is_dev { 0 } else { params.tx_ban_seconds.unwrap_or_default() };
		Self {
			options: Options {
				ready: limit.clone(),
				future: limit,
				reject_future_transactions: false,
				ban_time: Duration::from_secs(ban_seconds),
			},
			fork_aware: matches!(params.pool_type, sc_cli::TransactionPoolType::ForkAware),
		}
	}

	/// Creates the pool and starts its background tasks.
	pub fn build(
		self,
		config: &Configuration,
		client: Arc<FullClient>,
		task_manager: &TaskManager,
	) -> Arc<Pool> {
		let is_validator = config.role.is_authority().into();
		let registry = config.prometheus_registry();
		let spawner = task_manager.spawn_essential_handle();
		let Self { options, fork_aware } = self;
		Arc::new(TransactionPoolWrapper(if fork_aware {
			Box::new(ForkAwareTxPool::new_full(options, is_validator, registry, spawner, client))
		} else {
			Box::new(BasicPool::new_full(options, is_validator, registry, spawner, client))
		}))
	}
}
