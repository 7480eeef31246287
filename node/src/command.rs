//! What each command does.

use crate::{
	chain_spec,
	cli::{Cli, RunArgs, Subcommand},
	logs::create_runner,
	origin::{location, origin},
	preflight::{self, Listening},
};
use gridproof_node_service::{
	Error, error,
	pool::PoolSettings,
	service,
	stored::{self, Work},
};
use sc_cli::{CliConfiguration, SubstrateCli};
use sc_service::Configuration;
use sc_storage_monitor::StorageMonitorService;
use sp_core::crypto::{Ss58AddressFormat, set_default_ss58_version};
use std::path::Path;

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
			runner.sync_run(|config| -> Result<(), Error> {
				stored::chain_info(command, &config, &location(cli))?;
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
			work(cli, command, |config| stored::check_block(command, &config, &origin))
		},
		Subcommand::ExportBlocks(command) => {
			work(cli, command, |config| stored::export_blocks(command, config, &origin))
		},
		Subcommand::ImportBlocks(command) => {
			work(cli, command, |config| stored::import_blocks(command, &config, &origin))
		},
		Subcommand::ExportState(command) => {
			work(cli, command, |config| stored::export_state(command, config, &origin))
		},
		Subcommand::Revert(command) => {
			work(cli, command, |config| stored::revert(command, &config, &origin))
		},
		_ => Err(Error::Explained("This command works on no stored chain.".into())),
	}
}

/// Runs a command until it is done, or until a signal stops it.
fn work<'a, C: CliConfiguration>(
	cli: &Cli,
	command: &C,
	start: impl FnOnce(Configuration) -> Result<Work<'a>, Error>,
) -> Result<(), Error> {
	create_runner(cli, command)?.async_run(start)
}

/// Runs a node until it receives a signal to stop.
fn run_node(cli: &Cli) -> Result<(), Error> {
	let RunArgs { p2p_external, storage_monitor, .. } = &cli.run;
	let (gossip, mut base) = (cli.run.gossip(), cli.run.base());
	if base.shared_params.log.is_empty() {
		// Two lines for each second's block say enough; these would be two more. The SDK's
		// RPC server is not the one that answers.
		base.shared_params.log =
			vec!["sc_basic_authorship=warn".into(), "sc_rpc_server=warn".into()];
	}
	let mut runner = create_runner(cli, &base)?;
	let listening = Listening {
		external: *p2p_external,
		explicit: !base.network_params.listen_addr.is_empty(),
		discover_local: base.network_params.discover_local,
	};
	preflight::adjust(runner.config_mut(), listening);
	preflight::check_methods(runner.config())?;
	preflight::check_ports(runner.config())?;
	if let Some(hint) = preflight::hint_of_sync(&runner.config().network.sync_mode) {
		tracing::info!("{hint}");
	}
	let config = runner.config();
	let (chain, boot_nodes) = (config.chain_spec.chain_type(), config.network.boot_nodes.len());
	if let Some(hint) = preflight::hint_of_star(config.role.is_authority(), &chain, boot_nodes) {
		tracing::warn!("{hint}");
	}
	let pool = PoolSettings::new(&base.pool_config, base.is_dev()?);
	let origin = origin(cli);
	let mut outlives_tasks = None;
	runner.run_node_until_exit(|config| {
		let kept = &mut outlives_tasks;
		async move {
			let database = config.database.path().map(Path::to_path_buf);
			let (task_manager, pool) = service::start(config, pool, gossip, &origin)?;
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
