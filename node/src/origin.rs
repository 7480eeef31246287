//! Where the chain comes from, according to the command line.

use crate::{
	chain_spec::{self, Network},
	cli::{Cli, Subcommand},
};
use gridproof_node_service::client::Origin;
use sc_cli::SharedParams;
use std::fmt::Write;

/// Returns the genesis of the network that the command line names, and the arguments that name it.
pub(crate) fn origin(cli: &Cli) -> Origin {
	let network =
		shared_params(cli).and_then(|params| Network::from_name(&params.chain_id(params.is_dev())));
	Origin {
		genesis: network.map(Network::genesis_storage),
		location: location(cli),
		ss58_prefix: chain_spec::ss58_prefix(),
	}
}

/// Returns the arguments `--chain` and `--base-path` in use, with a space before each, so that
/// commands that are proposed can be copied.
pub(crate) fn location(cli: &Cli) -> String {
	let Some(params) = shared_params(cli) else { return String::new() };
	let mut text = String::new();
	match &params.chain {
		Some(chain) => {
			let _ = write!(text, " --chain {chain}");
		},
		None if params.dev => text.push_str(" --chain dev"),
		None => {},
	}
	if let Some(path) = &params.base_path {
		let _ = write!(text, " --base-path {}", path.display());
	}
	text
}

fn shared_params(cli: &Cli) -> Option<&SharedParams> {
	Some(match &cli.subcommand {
		None => &cli.run.base.shared_params,
		Some(Subcommand::Key(_) | Subcommand::ExportChainSpec(_)) => return None,
		Some(Subcommand::BuildSpec(command)) => &command.shared_params,
		Some(Subcommand::ChainInfo(command)) => &command.shared_params,
		Some(Subcommand::CheckBlock(command)) => &command.shared_params,
		Some(Subcommand::ExportBlocks(command)) => &command.shared_params,
		Some(Subcommand::ImportBlocks(command)) => &command.shared_params,
		Some(Subcommand::ExportState(command)) => &command.shared_params,
		Some(Subcommand::PurgeChain(command)) => &command.shared_params,
		Some(Subcommand::Revert(command)) => &command.shared_params,
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use sc_cli::SubstrateCli;

	fn location_of(arguments: &[&str]) -> String {
		let all = std::iter::once(&"gridproof-node").chain(arguments);
		location(&Cli::try_from_iter(all).expect("valid arguments"))
	}

	#[test]
	fn a_proposed_command_repeats_chain_and_base_path() {
		assert_eq!(location_of(&["--dev"]), " --chain dev");
		assert_eq!(location_of(&["--chain", "local", "-d", "/x"]), " --chain local --base-path /x");
		assert_eq!(location_of(&["revert", "--chain", "local"]), " --chain local");
		assert_eq!(location_of(&["key", "generate"]), "");
	}
}
