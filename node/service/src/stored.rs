//! The commands that work on a stored chain.
//!
//! Each takes what the command line says and returns the work, and the owner of the tasks in its
//! background.

use crate::{
	chain::{Block, BlockNumber},
	client::{FullBackend, FullClient, Origin, new_core},
	error::{self, Error},
};
use futures::future::LocalBoxFuture;
use sc_cli::{
	ChainInfoCmd, CheckBlockCmd, ExportBlocksCmd, ExportStateCmd, ImportBlocksCmd, RevertCmd,
};
use sc_service::{Configuration, TaskManager};
use std::sync::Arc;

/// Work on a stored chain, and the owner of its background tasks.
pub type Work<'a> = (LocalBoxFuture<'a, Result<(), Error>>, TaskManager);

/// Prints best and finalized block.
///
/// # Errors
/// If there is no database, or it cannot be read.
pub fn chain_info(
	command: &ChainInfoCmd,
	config: &Configuration,
	location: &str,
) -> Result<(), Error> {
	require_database(config)?;
	command.run::<Block>(config).map_err(|error| match error {
		sc_cli::Error::Client(error) => error::database(&error, config.database.path(), location),
		error => error.into(),
	})
}

/// Executes a stored block again and compares the result.
///
/// # Errors
/// If there is no database or it cannot be opened; the work fails if the block, or the state before
/// it, is not stored, or the result differs.
pub fn check_block<'a>(
	command: &'a CheckBlockCmd,
	config: &Configuration,
	origin: &Origin,
) -> Result<Work<'a>, Error> {
	require_database(config)?;
	let core = new_core(config, origin)?;
	let check = command.run(core.client, core.import_queue);
	let check = async {
		check.await.map_err(|error| {
			let reason = Error::from(error).render("");
			Error::Explained(format!(
				"{reason}. Only a stored block can be executed again, and only while the state \
				 before it is stored: --state-pruning archive keeps all of it."
			))
		})
	};
	Ok((Box::pin(check), core.task_manager))
}

/// Writes stored blocks to a file.
///
/// # Errors
/// If there is no database or it cannot be opened; the work fails if the file cannot be written.
pub fn export_blocks<'a>(
	command: &'a ExportBlocksCmd,
	config: Configuration,
	origin: &Origin,
) -> Result<Work<'a>, Error> {
	require_database(&config)?;
	let mut core = new_core(&config, origin)?;
	core.task_manager.keep_alive(core.import_queue);
	let export = command.run(core.client, config.database);
	Ok((Box::pin(async { Ok(export.await?) }), core.task_manager))
}

/// Reads blocks from a file and imports them.
///
/// # Errors
/// If the database cannot be opened; the work fails if the file cannot be read or a block is bad.
pub fn import_blocks<'a>(
	command: &'a ImportBlocksCmd,
	config: &Configuration,
	origin: &Origin,
) -> Result<Work<'a>, Error> {
	let core = new_core(config, origin)?;
	let import = command.run(core.client, core.import_queue);
	Ok((Box::pin(async { Ok(import.await?) }), core.task_manager))
}

/// Prints the state at a block as a raw chain specification.
///
/// # Errors
/// If there is no database or it cannot be opened; the work fails if the block's state is not
/// stored.
pub fn export_state<'a>(
	command: &'a ExportStateCmd,
	config: Configuration,
	origin: &Origin,
) -> Result<Work<'a>, Error> {
	require_database(&config)?;
	let mut core = new_core(&config, origin)?;
	core.task_manager.keep_alive(core.import_queue);
	let export = command.run::<Block, FullBackend, FullClient>(core.client, config.chain_spec);
	Ok((Box::pin(async { Ok(export.await?) }), core.task_manager))
}

/// Undoes the newest blocks that are not final yet.
///
/// # Errors
/// If there is no database or it cannot be opened.
pub fn revert<'a>(
	command: &'a RevertCmd,
	config: &Configuration,
	origin: &Origin,
) -> Result<Work<'a>, Error> {
	require_database(config)?;
	let mut core = new_core(config, origin)?;
	core.task_manager.keep_alive(core.import_queue);
	let revert = command.run(core.client, core.backend, Some(Box::new(revert_grandpa)));
	Ok((Box::pin(async { Ok(revert.await?) }), core.task_manager))
}

/// Reverts GRANDPA's own records together with the blocks.
fn revert_grandpa(
	client: Arc<FullClient>,
	_backend: Arc<FullBackend>,
	blocks: BlockNumber,
) -> sc_cli::Result<()> {
	Ok(sc_consensus_grandpa::revert(client, blocks)?)
}

/// Refuses to work on a chain that was never stored, instead of creating an empty one.
fn require_database(config: &Configuration) -> Result<(), Error> {
	match config.database.path() {
		Some(path) if !path.exists() => Err(Error::Explained(format!(
			"There is no database at {}. A node writes one when it runs with the same --chain and \
			 --base-path as here.",
			path.display()
		))),
		_ => Ok(()),
	}
}
