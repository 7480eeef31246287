//! The command line.

use super::{anchor, cell, table};
use clap::{Arg, ArgAction, Command};

/// Returns the page.
pub fn page(mut command: Command) -> String {
	command.build();
	let mut text = format!(
		"# Command line\n\n{}\n\n{}\n",
		about(&command),
		"Every command takes the options of the first table as well. Completions come from \
		 `gridproof completions SHELL`, manual pages from `gridproof man DIR`."
	);
	text.push_str("\n## Everywhere\n\n");
	text.push_str(&options(&command, true));
	if let Some(help) = command.get_after_help() {
		text.push_str(&format!("\n```text\n{help}\n```\n"));
	}
	text.push_str("\n## Commands\n\n");
	let mut contents = String::new();
	let mut body = String::new();
	for inner in commands(&command) {
		describe(inner, "gridproof", &mut contents, &mut body);
	}
	text + &contents + &body
}

fn commands(command: &Command) -> impl Iterator<Item = &Command> {
	command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
}

fn describe(command: &Command, path: &str, contents: &mut String, body: &mut String) {
	let path = format!("{path} {}", command.get_name());
	let is_group = commands(command).next().is_some();
	if !is_group {
		let headline = path.trim_start_matches("gridproof ");
		let first = about(command);
		let first = first.split(". ").next().unwrap_or_default().trim_end_matches('.');
		contents.push_str(&format!("- [`{headline}`](#{}): {}\n", anchor(headline), cell(first)));
		body.push_str(&format!("\n### {headline}\n\n{}\n\n", about(command)));
		let usage = command.clone().render_usage().to_string();
		let usage = usage.trim_start_matches("Usage: ").trim();
		body.push_str(&format!("```text\n{}\n```\n", usage.replace("\n       ", "\n")));
		let arguments = options(command, false);
		if !arguments.is_empty() {
			body.push_str(&format!("\n{arguments}"));
		}
	}
	for inner in commands(command) {
		describe(inner, &path, contents, body);
	}
}

fn about(command: &Command) -> String {
	let text = command.get_long_about().or_else(|| command.get_about());
	text.map(|text| text.to_string()).unwrap_or_default()
}

/// The table of a command's options: the global ones, or its own.
fn options(command: &Command, is_global: bool) -> String {
	let is_own = |argument: &&Arg| {
		let is_built_in = matches!(argument.get_action(), ArgAction::Help | ArgAction::Version)
			|| matches!(argument.get_action(), ArgAction::HelpShort | ArgAction::HelpLong);
		!argument.is_hide_set() && !is_built_in && argument.is_global_set() == is_global
	};
	let rows: Vec<Vec<String>> = command.get_arguments().filter(is_own).map(row).collect();
	table(&["argument", "", "default", "environment"], &rows)
}

fn row(argument: &Arg) -> Vec<String> {
	let takes_value = argument.get_action().takes_values();
	let names = argument.get_value_names().unwrap_or_default();
	let values = names.iter().map(|name| name.to_string()).collect::<Vec<_>>().join(" ");
	let shown = match argument.get_long() {
		Some(long) if takes_value => format!("`--{long} {values}`"),
		Some(long) => format!("`--{long}`"),
		None => format!("`{values}`"),
	};
	let defaults: Vec<String> = argument
		.get_default_values()
		.iter()
		.map(|value| format!("`{}`", value.to_string_lossy()))
		.collect();
	let defaults = if takes_value { defaults.join(" ") } else { String::new() };
	let variable = argument.get_env().map(|name| format!("`{}`", name.to_string_lossy()));
	let help = argument.get_long_help().or_else(|| argument.get_help());
	let mut help = cell(&help.map(|help| help.to_string()).unwrap_or_default());
	let possible: Vec<String> = argument
		.get_possible_values()
		.iter()
		.filter(|value| !value.is_hide_set())
		.map(|value| format!("`{}`", value.get_name()))
		.collect();
	if takes_value && !possible.is_empty() {
		help.push_str(&format!(" One of {}.", possible.join(", ")));
	}
	if argument.is_required_set() {
		help.push_str(" **Needed.**");
	}
	vec![shown, help, defaults, variable.unwrap_or_default()]
}
