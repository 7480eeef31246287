//! What each command does.

use crate::{
	chain_spec,
	cli::{Cli, RunArgs, Subcommand},
	client::{self, FullBackend, FullClient},
	error::{self, Error},
	logs::create_runner,
	origin::{location, origin},
	pool::PoolSettings,
	preflight::{self, Listening},
	service,
};
use gridproof_runtime::{BlockNumber, opaque::Block};
use sc_cli::{CliConfiguration, SubstrateCli};
use sc_network::{Litep2pNetworkBackend, NetworkWorker, config::NetworkBackendType};
use sc_service::Configuration;
use sc_storage_monitor::StorageMonitorService;
use sp_core::crypto::{Ss58AddressFormat, set_default_ss58_version};
use std::{path::Path, sync::Arc};

/// Runs what the command line asks for.
pub(crate) fn run(cli: &Cli) -> Result<(), Error> {
	// Addresses are printed, and read, in the format of this chain.
	set_default_ss58_version(Ss58AddressFormat::custom(chain_spec::ss58_prefix()));
	let Some(subcommand) = &cli.subcommand else { return run_node(cli) };
	match subcommand {
		Subcommand::Key(command) => Ok(command.run(cli)?),
		Subcommand::BuildSpec(command) => {
			let runner = create_runner(cli, command)?;
			Ok(runner.sync_run(|config| command.run(config.chain_spec, config.network))?)
		},
		Subcommand::ExportChainSpec(command) => {
			let spec = cli.load_spec(&command.chain).map_err(sc_cli::Error::Input)?;
			command.run(spec).map_err(|error| match (&command.output, error) {
				(Some(file), sc_cli::Error::Io(error)) => {
					Error::Explained(format!("Cannot write {}: {error}", file.display()))
				},
				(_, error) => error.into(),
			})
		},
		Subcommand::ChainInfo(command) => {
			let runner = create_runner(cli, command)?;
			runner.sync_run(|config| {
				require_database(&config)?;
				command.run::<Block>(&config).map_err(|error| match error {
					sc_cli::Error::Client(error) => {
						error::database(&error, config.database.path(), &location(cli))
					},
					error => error.into(),
				})?;
				println!();
				Ok(())
			})
		},
		Subcommand::PurgeChain(command) => {
			let runner = create_runner(cli, command)?;
			Ok(runner.sync_run(|config| command.run(config.database))?)
		},
		stored => run_on_stored_chain(cli, stored),
	}
}

/// Runs the commands that work on blocks and state of the stored chain.
fn run_on_stored_chain(cli: &Cli, subcommand: &Subcommand) -> Result<(), Error> {
	let origin = origin(cli);
	match subcommand {
		Subcommand::CheckBlock(command) => {
			create_runner(cli, command)?.async_run::<_, Error>(|config| {
				require_database(&config)?;
				let core = client::new_core(&config, &origin)?;
				let check = command.run(core.client, core.import_queue);
				let check = async {
					check.await.map_err(|error| {
						let reason = Error::from(error).render("");
						Error::Explained(format!(
							"{reason}. Only a stored block can be executed again, and only while the \
							 state before it is stored: --state-pruning archive keeps all of it."
						))
					})
				};
				Ok((check, core.task_manager))
			})
		},
		Subcommand::ExportBlocks(command) => {
			create_runner(cli, command)?.async_run::<_, Error>(|config| {
				require_database(&config)?;
				let mut core = client::new_core(&config, &origin)?;
				core.task_manager.keep_alive(core.import_queue);
				let export = command.run(core.client, config.database);
				Ok((async { Ok(export.await?) }, core.task_manager))
			})
		},
		Subcommand::ImportBlocks(command) => {
			create_runner(cli, command)?.async_run::<_, Error>(|config| {
				let core = client::new_core(&config, &origin)?;
				let import = command.run(core.client, core.import_queue);
				Ok((async { Ok(import.await?) }, core.task_manager))
			})
		},
		Subcommand::ExportState(command) => {
			create_runner(cli, command)?.async_run::<_, Error>(|config| {
				require_database(&config)?;
				let mut core = client::new_core(&config, &origin)?;
				core.task_manager.keep_alive(core.import_queue);
				let export =
					command.run::<Block, FullBackend, FullClient>(core.client, config.chain_spec);
				Ok((async { Ok(export.await?) }, core.task_manager))
			})
		},
		Subcommand::Revert(command) => {
			create_runner(cli, command)?.async_run::<_, Error>(|config| {
				require_database(&config)?;
				let mut core = client::new_core(&config, &origin)?;
				core.task_manager.keep_alive(core.import_queue);
				let revert = command.run(core.client, core.backend, Some(Box::new(revert_grandpa)));
				Ok((async { Ok(revert.await?) }, core.task_manager))
			})
		},
		#[cfg(feature = "runtime-benchmarks")]
		Subcommand::Benchmark(command) => crate::benchmarking::run(cli, command),
		_ => Err(Error::Explained("This command works on no stored chain.".into())),
	}
}

/// Reverts GRANDPA's own records together with the blocks.
fn revert_grandpa(
	client: Arc<FullClient>,
	_backend: Arc<FullBackend>,
	blocks: BlockNumber,
) -> sc_cli::Result<()> {
	Ok(sc_consensus_grandpa::revert(client, blocks)?)
}

/// Runs a node until it receives a signal to stop.
fn run_node(cli: &Cli) -> Result<(), Error> {
	let RunArgs { base, p2p_external, storage_monitor } = &cli.run;
	let mut base = base.clone();
	if base.shared_params.log.is_empty() {
		// Two lines for each second's block say enough; these would be two more.
		base.shared_params.log = vec!["sc_basic_authorship=warn".into()];
	}
	let mut runner = create_runner(cli, &base)?;
	let listening = Listening {
		external: *p2p_external,
		explicit: !base.network_params.listen_addr.is_empty(),
		discover_local: base.network_params.discover_local,
	};
	preflight::adjust(runner.config_mut(), listening);
	preflight::check_ports(runner.config())?;
	let pool = PoolSettings::new(&base.pool_config, base.is_dev()?);
	let origin = origin(cli);
	let mut outlives_tasks = None;
	runner.run_node_until_exit(|config| {
		let kept = &mut outlives_tasks;
		async move {
			let database = config.database.path().map(Path::to_path_buf);
			let (task_manager, pool) = match config.network.network_backend {
				NetworkBackendType::Litep2p => {
					service::new_full::<Litep2pNetworkBackend>(config, pool, &origin)
				},
				NetworkBackendType::Libp2p => {
					service::new_full::<NetworkWorker<_, _>>(config, pool, &origin)
				},
			}?;
			*kept = Some(pool);
			// A database that cannot write any more is stopped before, while it is still sound.
			if let Some(path) = database {
				let spawner = task_manager.spawn_essential_handle();
				StorageMonitorService::try_spawn(storage_monitor.clone(), path.clone(), &spawner)
					.map_err(|error| error::disk_space(&error, &path))?;
			}
			Ok(task_manager)
		}
	})
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

#[cfg(test)]
mod tests {
	use super::*;
	use std::fs;

	fn generate(arguments: &[&str]) -> Result<(), Error> {
		let all = ["gridproof-node", "key", "generate-node-key"].iter().chain(arguments);
		run(&Cli::try_from_iter(all).expect("valid arguments"))
	}

	#[test]
	fn a_node_key_is_written_once_and_for_its_owner_only() {
		let folder = tempfile::tempdir().expect("temporary directory");
		let file = folder.path().join("new").join("key");
		let path = file.display().to_string();
		generate(&["--file", &path]).expect("written");
		let first = fs::read_to_string(&file).expect("readable");
		assert_eq!(first.len(), 64);
		assert!(first.chars().all(|digit| digit.is_ascii_hexdigit()));
		#[cfg(unix)]
		{
			use std::os::unix::fs::PermissionsExt;
			let mode = fs::metadata(&file).expect("exists").permissions().mode();
			assert_eq!(mode & 0o777, 0o600);
		}
		let error = generate(&["--file", &path]).expect_err("never overwritten");
		assert!(error.to_string().contains("exists already"), "{error}");
		assert_eq!(fs::read_to_string(&file).expect("readable"), first);
	}

	#[test]
	fn a_raw_node_key_has_32_bytes() {
		let folder = tempfile::tempdir().expect("temporary directory");
		let file = folder.path().join("key");
		generate(&["--bin", "--file", &file.display().to_string()]).expect("written");
		assert_eq!(fs::read(&file).expect("readable").len(), 32);
	}
}
