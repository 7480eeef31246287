//! The form of the node's log lines: the SDK's text for people, or JSON lines as all programs here
//! write them.

use crate::cli::Cli;
use gridproof_logs::Format;
use gridproof_node_service::Error;
use sc_cli::{
	CliConfiguration, DefaultConfigurationValues, Runner, Signals, SubstrateCli, build_runtime,
};
use std::{env, panic, sync::Arc};
use tracing::Level;

/// What the SDK's text shows unless filters say otherwise.
const DEFAULT_FILTERS: &str = "info,ws=off,yamux=off,regalloc=off,cranelift_codegen=off,\
	cranelift_wasm=warn,hyper=warn,trust_dns_proto=off,hickory_proto=off,\
	libp2p_mdns::behaviour::iface=off,rustls::common_state=off,rustls::conn=off";

/// Number of open files below which a node may run out of them.
const WANTED_FILES: u64 = 10_000;

/// Creates the runner of a command, which sets the program up.
///
/// # Errors
/// If the command's arguments cannot be used, or not with JSON lines.
pub(crate) fn create_runner<C, D>(cli: &Cli, command: &C) -> Result<Runner<Cli>, Error>
where
	C: CliConfiguration<D>,
	D: DefaultConfigurationValues,
{
	if cli.log_format == Format::Text {
		return Ok(cli.create_runner(command)?);
	}
	check_fits(command)?;
	let runtime = build_runtime().map_err(sc_cli::Error::from)?;
	let signals = runtime.block_on(async { Signals::capture() }).map_err(sc_cli::Error::from)?;
	let config = command.create_configuration(cli, runtime.handle().clone())?;
	log_panics();
	let chosen = env::var("RUST_LOG").unwrap_or_default();
	gridproof_logs::init_json(&[DEFAULT_FILTERS, &chosen, &command.log_filters()?])
		.map_err(|error| Error::Explained(error.to_string()))?;
	raise_file_limit();
	Ok(Runner::new(config, runtime, signals)?)
}

/// Prints what ended the program.
pub(crate) fn print_error(format: Format, text: &str) {
	match format {
		Format::Text => eprintln!("Error: {text}"),
		Format::Json => {
			let component = gridproof_logs::component(module_path!());
			eprintln!("{}", gridproof_logs::json_line(Level::ERROR, component, "failed", text));
		},
	}
}

/// Checks that nothing is asked for that only the SDK's own text can do.
fn check_fits<C, D>(command: &C) -> Result<(), Error>
where
	C: CliConfiguration<D>,
	D: DefaultConfigurationValues,
{
	let asked = [
		("--tracing-targets", command.tracing_targets()?.is_some()),
		("--enable-log-reloading", command.enable_log_reloading()?),
	];
	match asked.iter().find(|(_, is_asked)| *is_asked) {
		Some((argument, _)) => Err(Error::Explained(format!(
			"{argument} works with text lines only: leave it out, or pass --log-format text."
		))),
		None => Ok(()),
	}
}

/// Has each panic logged before the SDK prints its backtrace, as text, and ends the program.
fn log_panics() {
	sp_panic_handler::set(&Cli::support_url(), &Cli::impl_version());
	let print = Arc::new(panic::take_hook());
	panic::set_hook(Box::new(move |panic| {
		tracing::error!(event = "panic", "{panic}");
		print(panic);
	}));
}

/// Raises the number of files that may be open to what the system allows, as the SDK does.
fn raise_file_limit() {
	match fdlimit::raise_fd_limit() {
		Ok(fdlimit::Outcome::LimitRaised { to, .. }) if to < WANTED_FILES => tracing::warn!(
			event = "few_files",
			limit = to,
			"The system allows few open files: {WANTED_FILES} are recommended."
		),
		Ok(_) => (),
		Err(error) => {
			tracing::warn!(event = "few_files", %error, "The number of open files stays as it is");
		},
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn runner(arguments: &[&str]) -> Result<Runner<Cli>, Error> {
		let all = ["gridproof-node", "--dev", "--log-format", "json"].iter().chain(arguments);
		let cli = Cli::try_from_iter(all).expect("valid arguments");
		create_runner(&cli, &cli.run.base)
	}

	#[test]
	fn what_needs_text_lines_is_refused_with_json_lines() {
		for (arguments, named) in [
			(&["--tracing-targets", "pallet=trace"][..], "--tracing-targets"),
			(&["--enable-log-reloading"][..], "--enable-log-reloading"),
		] {
			let Err(error) = runner(arguments) else { panic!("{named} was taken") };
			assert_eq!(
				error.to_string(),
				format!(
					"{named} works with text lines only: leave it out, or pass --log-format text."
				)
			);
		}
	}

	#[test]
	fn json_lines_obey_filters_and_a_bad_one_is_refused() {
		let Err(error) = runner(&["-lsync=loud"]) else { panic!("a bad filter was taken") };
		assert!(error.to_string().contains("\"sync=loud\""), "{error}");
		assert!(runner(&["-lwarn,sync=debug"]).is_ok());
		assert!(tracing::enabled!(target: "sync", Level::DEBUG));
		assert!(tracing::enabled!(target: "grandpa", Level::WARN));
		assert!(!tracing::enabled!(target: "grandpa", Level::INFO));
		assert!(!tracing::enabled!(target: "yamux", Level::ERROR));
	}
}
