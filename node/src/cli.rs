//! Command line: the commands of the node, and the defaults it starts with.
//!
//! Most arguments are those of `sc-cli`. Where one of its defaults does not fit a chain with slots
//! of one second, or is not safe on a developer's machine, [`with_defaults`] replaces it, so that
//! `--help` shows the value that is used.

use crate::{chain_spec, key::KeyCmd};
use clap::{Arg, Command, Parser};
use gridproof_logs::Format;
use sc_cli::{
	BuildSpecCmd, ChainInfoCmd, CheckBlockCmd, Database, DatabasePruningMode, ExportBlocksCmd,
	ExportChainSpecCmd, ExportStateCmd, ImportBlocksCmd, PurgeChainCmd, RevertCmd, SubstrateCli,
};
use sc_storage_monitor::StorageMonitorParams;
use std::time::Duration;

/// Highest number of transactions in the pool's ready queue, and again in its future queue.
///
/// Transactions of one account that are sent at the same time arrive out of order: all but the next
/// one wait in the future queue, which therefore has to hold as many as the ready queue.
pub(crate) const DEFAULT_POOL_LIMIT: &str = "32768";

/// Highest size of the pool's ready queue, and again of its future queue, in kilobytes.
pub(crate) const DEFAULT_POOL_KBYTES: &str = "65536";

/// Highest size of the state cache, in bytes.
pub(crate) const DEFAULT_TRIE_CACHE: &str = "67108864";

/// Time for which the pool refuses a transaction that it has found invalid, in seconds.
pub(crate) const DEFAULT_BAN_SECONDS: &str = "60";

/// Highest number of RPC subscriptions per connection, one for each transaction that is watched.
pub(crate) const DEFAULT_SUBSCRIPTIONS: &str = "16384";

/// Number of instances of the runtime that are kept for reuse.
pub(crate) const DEFAULT_RUNTIME_INSTANCES: &str = "4";

/// Time that GRANDPA expects a message to need across the network, in milliseconds.
///
/// The timers of a round are multiples of it (prevote 2, precommit 4), so it decides how soon a
/// transaction is final: about 1.5 s after submission with 100 ms, against 4 s with upstream's 333 ms
/// and its voting rules.
pub(crate) const DEFAULT_GOSSIP_MS: u64 = 100;

/// The whole command line.
#[derive(Debug, Parser)]
pub(crate) struct Cli {
	/// Command to run instead of a node.
	#[command(subcommand)]
	pub subcommand: Option<Subcommand>,

	/// Form of the log lines: text or json.
	#[arg(long, global = true, value_name = "FORMAT", default_value_t = Format::Text,
		env = gridproof_logs::FORMAT_VARIABLE)]
	pub log_format: Format,

	#[allow(missing_docs)]
	#[clap(flatten)]
	pub run: RunArgs,
}

/// Arguments of a running node.
#[derive(Debug, Parser)]
pub(crate) struct RunArgs {
	#[allow(missing_docs)]
	#[clap(flatten)]
	pub base: sc_cli::RunCmd,

	/// What the node is for.
	///
	/// `validator` makes blocks and votes, as --validator; `full` follows the chain and keeps four
	/// hours of states; `archive` keeps the states and blocks of all time. What kind of states a
	/// database keeps is chosen when it is made. Without it the other options decide.
	#[arg(long, value_name = "PROFILE", value_enum,
		conflicts_with_all = ["validator", "dev", "state_pruning", "blocks_pruning", "alice", "bob",
			"charlie", "dave", "eve", "ferdie", "one", "two"])]
	profile: Option<Profile>,

	/// Listen for other nodes on all network interfaces.
	///
	/// Without it, and without --listen-addr, the node listens on this machine only. Nodes of a
	/// network that spans several machines need it.
	#[arg(long, conflicts_with = "listen_addr")]
	pub p2p_external: bool,

	/// Time that GRANDPA expects a vote to need to another authority, in milliseconds.
	///
	/// Half of the longest round trip between two authorities, or more: below it, rounds end before
	/// all votes are there, and finality comes later instead of sooner. The same on all authorities.
	#[arg(long, value_name = "MILLISECONDS", default_value_t = DEFAULT_GOSSIP_MS,
		value_parser = clap::value_parser!(u64).range(20..=5_000))]
	gossip_duration: u64,

	#[allow(missing_docs)]
	#[clap(flatten)]
	pub storage_monitor: StorageMonitorParams,
}

/// What a node is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Profile {
	/// Makes blocks and votes.
	Validator,
	/// Follows the chain, and keeps its states for hours.
	Full,
	/// Keeps everything.
	Archive,
}

impl RunArgs {
	/// The SDK's arguments, as the profile wants them.
	pub(crate) fn base(&self) -> sc_cli::RunCmd {
		let mut base = self.base.clone();
		match self.profile {
			None | Some(Profile::Full) => (),
			Some(Profile::Validator) => base.validator = true,
			Some(Profile::Archive) => {
				let pruning = &mut base.import_params.pruning_params;
				pruning.state_pruning = Some(DatabasePruningMode::Archive);
				pruning.blocks_pruning = DatabasePruningMode::Archive;
			},
		}
		base
	}

	/// Time that GRANDPA expects a vote to need.
	pub(crate) const fn gossip(&self) -> Duration {
		Duration::from_millis(self.gossip_duration)
	}
}

/// Commands other than running a node.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
	/// Create, inspect and insert keys.
	#[command(subcommand)]
	Key(KeyCmd),

	/// Print a chain specification (zombienet's way; export-chain-spec is simpler).
	BuildSpec(BuildSpecCmd),

	/// Write the chain specification of a network to a file or to standard output.
	ExportChainSpec(ExportChainSpecCmd),

	/// Print best and finalized block of the stored chain.
	ChainInfo(ChainInfoCmd),

	/// Execute a stored block again and compare the result.
	CheckBlock(CheckBlockCmd),

	/// Write stored blocks to a file.
	ExportBlocks(ExportBlocksCmd),

	/// Read blocks from a file and import them.
	ImportBlocks(ImportBlocksCmd),

	/// Print the state at a block as a raw chain specification.
	ExportState(ExportStateCmd),

	/// Delete the stored chain; keys stay.
	PurgeChain(PurgeChainCmd),

	/// Undo the newest blocks that are not final yet.
	Revert(RevertCmd),
}

impl SubstrateCli for Cli {
	fn impl_name() -> String {
		"Gridproof Node".into()
	}

	fn impl_version() -> String {
		env!("SUBSTRATE_CLI_IMPL_VERSION").into()
	}

	fn executable_name() -> String {
		env!("CARGO_PKG_NAME").into()
	}

	fn description() -> String {
		"A node of Gridproof, the chain whose money exists only against measured reality.\n\n\
		 Quick start: `gridproof-node --dev` runs a development chain of one node."
			.into()
	}

	fn author() -> String {
		env!("CARGO_PKG_AUTHORS").into()
	}

	fn support_url() -> String {
		"the files SECURITY.md and CONTRIBUTING.md of the source".into()
	}

	fn copyright_start_year() -> i32 {
		2026
	}

	fn load_spec(&self, id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
		chain_spec::load(id).map(|spec| Box::new(spec) as Box<_>)
	}

	fn setup_command(command: Command) -> Command {
		with_defaults(
			command
				.name(Self::executable_name())
				.version(Self::impl_version())
				.author(Self::author())
				.about(Self::description())
				.long_about(Self::description())
				.propagate_version(true)
				.args_conflicts_with_subcommands(true)
				.subcommand_negates_reqs(true),
		)
	}
}

/// Replaces the defaults that do not fit, in the command and in all its subcommands.
fn with_defaults(command: Command) -> Command {
	let command = adjust(command, "pool_limit", |arg| {
		arg.default_value(DEFAULT_POOL_LIMIT).help(
			"Transactions that the pool keeps in its ready queue, and again in its future queue",
		)
	});
	let command = adjust(command, "pool_kbytes", |arg| {
		arg.default_value(DEFAULT_POOL_KBYTES)
			.help("Kilobytes that the pool keeps in its ready queue, and again in its future queue")
	});
	let command = adjust(command, "pool_type", |arg| arg.default_value("single-state"));
	let command = adjust(command, "tx_ban_seconds", |arg| {
		arg.default_value(DEFAULT_BAN_SECONDS)
			.help("Seconds for which a transaction found invalid is refused without a new look")
			.long_help(None)
	});
	let command = adjust(command, "trie_cache_size", |arg| arg.default_value(DEFAULT_TRIE_CACHE));
	let command = adjust(command, "max_runtime_instances", |arg| {
		arg.default_value(DEFAULT_RUNTIME_INSTANCES)
	});
	let command = adjust(command, "rpc_max_subscriptions_per_connection", |arg| {
		arg.default_value(DEFAULT_SUBSCRIPTIONS)
	});
	let command = adjust(command, "rpc_methods", |arg| {
		arg.default_value("safe").help(
			"RPC methods to expose: `safe` ones; all if `unsafe`; all on loopback if `auto`.\n\
			 Key rotation and log settings are unsafe methods",
		)
	});
	let command = adjust(command, "state_pruning", |arg| {
		arg.help(
			"Keep the states of the last NUMBER final blocks, or all: archive, archive-canonical",
		)
		.long_help(
			"Keep the states of the last NUMBER final blocks, or all of them: archive, \
				 archive-canonical (of final blocks).\n\nWithout it a new database keeps all on a \
				 development chain, 256 of a validator, and 14400 (four hours) otherwise; one that \
				 is there stays as it was made. Whether all or a number of them are kept cannot \
				 be changed later.",
		)
	});
	let command = adjust(command, "no_telemetry", |arg| {
		arg.help("Ignore the telemetry servers that the chain specification names")
			.long_help("Ignore the telemetry servers that the chain specification names. The built-in networks name none: nothing is sent unless --telemetry-url asks for it.")
	});
	let command = adjust(command, "database", |arg| {
		arg.value_parser(parse_database)
			.hide_possible_values(true)
			.help("Database backend; `paritydb` is the only one [default: paritydb]")
	});
	command.mut_subcommands(|subcommand| {
		let nested = subcommand.has_subcommands();
		let subcommand =
			adjust(subcommand, "trie_cache_size", |arg| arg.default_value(DEFAULT_TRIE_CACHE));
		let subcommand = adjust(subcommand, "database", |arg| {
			arg.value_parser(parse_database).hide_possible_values(true)
		});
		if nested { subcommand.mut_subcommands(|inner| inner) } else { subcommand }
	})
}

/// Changes an argument if the command has it: `mut_arg` would invent a missing one.
fn adjust(command: Command, id: &'static str, change: impl FnOnce(Arg) -> Arg) -> Command {
	if command.get_arguments().any(|arg| arg.get_id() == id) {
		command.mut_arg(id, change)
	} else {
		command
	}
}

/// Reads `--database`, with advice for those who know other Substrate nodes.
fn parse_database(text: &str) -> Result<Database, String> {
	match text.to_ascii_lowercase().as_str() {
		"paritydb" | "auto" => Ok(Database::ParityDb),
		"rocksdb" => Err("this node is built without RocksDB and keeps its data in ParityDB; \
		                  omit the option, and sync again a chain that was kept in RocksDB"
			.into()),
		_ => Err("the only database is `paritydb`".into()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_node_service::pool::PoolSettings;
	use sc_cli::CliConfiguration;

	fn parse(arguments: &[&str]) -> Result<Cli, String> {
		Cli::try_from_iter(std::iter::once(&"gridproof-node").chain(arguments))
			.map_err(|error| error.to_string())
	}

	fn run(arguments: &[&str]) -> sc_cli::RunCmd {
		parse(arguments).expect("valid arguments").run.base()
	}

	#[test]
	fn the_command_line_is_consistent() {
		use clap::CommandFactory;
		Cli::setup_command(Cli::command()).debug_assert();
	}

	#[test]
	fn the_pool_is_large_by_default_and_can_be_made_smaller() {
		let pool = run(&["--dev"]).pool_config;
		assert_eq!((pool.pool_limit, pool.pool_kbytes), (32_768, 65_536));
		assert_eq!(pool.tx_ban_seconds, Some(60));
		assert!(matches!(pool.pool_type, sc_cli::TransactionPoolType::SingleState));
		let pool = run(&["--dev", "--pool-limit", "10", "--pool-kbytes", "20"]).pool_config;
		assert_eq!((pool.pool_limit, pool.pool_kbytes), (10, 20));
	}

	#[test]
	fn the_rpc_exposes_safe_methods_unless_told_otherwise() {
		let methods = |arguments: &[&str]| run(arguments).rpc_methods().expect("valid");
		assert!(matches!(methods(&["--dev"]), sc_service::config::RpcMethods::Safe));
		let all = methods(&["--dev", "--rpc-methods", "unsafe"]);
		assert!(matches!(all, sc_service::config::RpcMethods::Unsafe));
	}

	#[test]
	fn the_rpc_listens_on_loopback_by_default() {
		let endpoints = run(&["--dev"]).rpc_addr(9944).expect("valid").expect("enabled");
		assert!(endpoints.iter().all(|endpoint| endpoint.listen_addr.ip().is_loopback()));
	}

	#[test]
	fn paritydb_is_the_database_and_rocksdb_is_refused_with_the_reason() {
		assert_eq!(run(&["--dev"]).database().expect("valid"), None);
		let chosen = run(&["--dev", "--database", "ParityDb"]).database().expect("valid");
		assert_eq!(chosen, Some(Database::ParityDb));
		let error = parse(&["--dev", "--database", "rocksdb"]).expect_err("not built in");
		assert!(error.contains("built without RocksDB"), "{error}");
		let error = parse(&["chain-info", "--dev", "--database", "rocksdb"])
			.expect_err("not built in, in subcommands neither");
		assert!(error.contains("built without RocksDB"), "{error}");
	}

	#[test]
	fn the_state_cache_is_bounded_at_64_mib_in_every_command() {
		assert_eq!(run(&["--dev"]).import_params.trie_cache_size, 64 << 20);
		let cli = parse(&["check-block", "1", "--dev"]).expect("valid");
		let Some(Subcommand::CheckBlock(command)) = cli.subcommand else {
			panic!("not check-block")
		};
		assert_eq!(command.import_params.trie_cache_size, 64 << 20);
	}

	#[test]
	fn telemetry_is_off_unless_asked_for() {
		assert!(run(&["--dev"]).telemetry_params.telemetry_endpoints.is_empty());
	}

	#[test]
	fn every_command_can_write_its_log_as_json_lines() {
		let format = |arguments: &[&str]| parse(arguments).map(|cli| cli.log_format);
		assert_eq!(format(&["--dev"]), Ok(Format::Text));
		assert_eq!(format(&["--dev", "--log-format", "json"]), Ok(Format::Json));
		assert_eq!(format(&["chain-info", "--dev", "--log-format", "json"]), Ok(Format::Json));
		let error = format(&["--dev", "--log-format", "yaml"]).expect_err("no such format");
		assert!(error.contains("the log format is text or json"), "{error}");
	}

	#[test]
	fn zombienets_way_to_ask_for_a_specification_is_understood() {
		for arguments in [
			&["build-spec", "--chain", "local", "--disable-default-bootnode"][..],
			&["build-spec", "--chain", "local", "--disable-default-bootnode", "--raw"][..],
		] {
			assert!(parse(arguments).is_ok(), "{arguments:?}");
		}
	}

	#[test]
	fn the_time_that_a_vote_needs_is_the_option_s_and_within_its_bounds() {
		let gossip = |arguments: &[&str]| parse(arguments).map(|cli| cli.run.gossip());
		assert_eq!(gossip(&[]), Ok(Duration::from_millis(DEFAULT_GOSSIP_MS)));
		assert_eq!(gossip(&["--gossip-duration", "300"]), Ok(Duration::from_millis(300)));
		for wrong in ["19", "5001", "0.3"] {
			assert!(gossip(&["--gossip-duration", wrong]).is_err(), "{wrong}");
		}
	}

	#[test]
	fn a_profile_is_what_its_options_are() {
		let pruning = |arguments: &[&str]| {
			let pruning = run(arguments).import_params.pruning_params;
			(pruning.state_pruning, pruning.blocks_pruning)
		};
		assert!(run(&["--profile", "validator"]).validator);
		for one in ["full", "archive"] {
			assert!(!run(&["--profile", one]).validator, "{one}");
		}
		let options = ["--state-pruning", "archive", "--blocks-pruning", "archive"];
		assert_eq!(pruning(&["--profile", "archive"]), pruning(&options));
		for one in ["validator", "full"] {
			assert_eq!(pruning(&["--profile", one]), pruning(&[]), "{one}");
		}
	}

	#[test]
	fn a_profile_excludes_the_options_that_it_stands_for() {
		for other in [&["--validator"][..], &["--dev"], &["--state-pruning", "256"], &["--alice"]] {
			let arguments = [&["--profile", "archive"], other].concat();
			assert!(parse(&arguments).is_err(), "{other:?}");
		}
		let error = parse(&["--profile", "light"]).expect_err("no such profile");
		assert!(error.contains("validator, full, archive"), "{error}");
	}

	#[test]
	fn listening_everywhere_and_listening_somewhere_exclude_each_other() {
		assert!(parse(&["--p2p-external"]).expect("valid").run.p2p_external);
		let both = ["--p2p-external", "--listen-addr", "/ip4/127.0.0.1/tcp/30333"];
		assert!(parse(&both).is_err());
	}

	fn settings(arguments: &[&str]) -> PoolSettings {
		let cli = parse(arguments).expect("valid arguments");
		{
			let base = cli.run.base();
			PoolSettings::new(&base.pool_config, base.shared_params.dev)
		}
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
