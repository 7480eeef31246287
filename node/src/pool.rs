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

use crate::client::FullClient;
use gridproof_runtime::opaque::Block;
use sc_cli::TransactionPoolParams;
use sc_service::{Configuration, TaskManager};
use sc_transaction_pool::{
	BasicPool, ForkAwareTxPool, Options, PoolLimit, TransactionPoolHandle, TransactionPoolWrapper,
};
use std::{sync::Arc, time::Duration};

/// The pool of a running node.
pub(crate) type Pool = TransactionPoolHandle<Block, FullClient>;

/// Kind and size of the pool.
#[derive(Debug, Clone)]
pub(crate) struct PoolSettings {
	options: Options,
	fork_aware: bool,
}

impl PoolSettings {
	/// Returns the settings from the command line.
	pub(crate) fn new(params: &TransactionPoolParams, is_dev: bool) -> Self {
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
	pub(crate) fn build(
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

#[cfg(test)]
mod tests {
	use super::*;
	use crate::cli::Cli;
	use sc_cli::SubstrateCli;

	fn settings(arguments: &[&str]) -> PoolSettings {
		let cli = Cli::try_from_iter(std::iter::once(&"gridproof-node").chain(arguments))
			.expect("valid arguments");
		PoolSettings::new(&cli.run.base.pool_config, cli.run.base.shared_params.dev)
	}

	#[test]
	fn the_future_queue_is_as_large_as_the_ready_queue() {
		let options = settings(&[]).options;
		assert_eq!((options.ready.count, options.future.count), (32_768, 32_768));
		assert_eq!(options.ready.total_bytes, 64 << 20);
		assert_eq!(options.future.total_bytes, 64 << 20);
		assert!(!options.reject_future_transactions);
	}

	#[test]
	fn a_refused_transaction_may_come_back_after_a_minute_and_at_once_on_a_dev_chain() {
		assert_eq!(settings(&[]).options.ban_time, Duration::from_secs(60));
		assert_eq!(settings(&["--dev"]).options.ban_time, Duration::ZERO);
	}

	#[test]
	fn the_pool_type_follows_the_command_line() {
		assert!(!settings(&[]).fork_aware);
		assert!(settings(&["--pool-type", "fork-aware"]).fork_aware);
	}
}
