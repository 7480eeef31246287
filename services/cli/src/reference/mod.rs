//! The reference pages of the documentation, from the code.

mod cli;
mod errors;
mod metrics;
mod rest;

use crate::output::Output;
use anyhow::Context;
use clap::{Args, Command};
use std::{path::PathBuf, process::ExitCode};

/// Arguments of `reference`.
#[derive(Args)]
pub struct ReferenceArgs {
	/// The folder, which is made if it is not there.
	#[arg(value_name = "DIR")]
	folder: PathBuf,
}

/// The first line of every page.
const NOTE: &str =
	"<!-- Made by `gridproof reference`. Change the code, then run scripts/reference. -->";

/// Writes all pages.
pub fn write(args: &ReferenceArgs, command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	let pages = [
		("cli.md", cli::page(command)),
		("rest.md", rest::page()),
		("metrics.md", metrics::page()?),
		("errors.md", errors::page()),
	];
	let cannot = || format!("cannot write to {}", args.folder.display());
	std::fs::create_dir_all(&args.folder).with_context(cannot)?;
	for (name, text) in &pages {
		let text = format!("{NOTE}\n\n{}\n", text.trim());
		std::fs::write(args.folder.join(name), text).with_context(cannot)?;
	}
	let names: Vec<&str> = pages.iter().map(|(name, _)| *name).collect();
	out.result(&names, |names| format!("written: {}", names.join(", ")))?;
	Ok(ExitCode::SUCCESS)
}

/// Returns text for a cell of a table.
fn cell(text: &str) -> String {
	let words: Vec<&str> = text.split_whitespace().collect();
	words.join(" ").replace('|', "\\|").replace('<', "&lt;")
}

/// Returns a table; nothing if it has no rows.
fn table(header: &[&str], rows: &[Vec<String>]) -> String {
	if rows.is_empty() {
		return String::new();
	}
	let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
	let header: Vec<String> = header.iter().map(|name| (*name).to_string()).collect();
	let mut text = line(&header);
	text.push_str(&format!("|{}\n", "---|".repeat(header.len())));
	rows.iter().for_each(|row| text.push_str(&line(row)));
	text
}

/// Returns the anchor that readers give a headline.
fn anchor(headline: &str) -> String {
	let kept = headline.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
	kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_cell_does_not_break_its_table() {
		assert_eq!(cell("a | b\n  <c>"), "a \\| b &lt;c>");
		assert_eq!(table(&["x"], &[]), "");
		assert_eq!(
			table(&["x", "y"], &[vec!["1".into(), "2".into()]]),
			"| x | y |\n|---|---|\n| 1 | 2 |\n"
		);
		assert_eq!(anchor("GET /api/v1/logs/{id}"), "get-apiv1logsid");
	}
}
