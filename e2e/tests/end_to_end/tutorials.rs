//! The pages of `docs/` that a reader types along with, run as they stand against a development
//! chain that `./scripts/devnet up` started. How: [`gridproof_e2e::tutorial`].

use anyhow::{Context, Result};
use gridproof_e2e::{
	binary::repository,
	tutorial::{Devnet, steps},
};
use std::{collections::BTreeSet, fs};

/// What a reader does first.
const START: &str = "docs/tutorials/README.md";
/// The pages; each begins in an empty folder.
const PAGES: [&str; 5] = [
	"docs/tutorials/meter.md",
	"docs/tutorials/ai-client.md",
	"docs/tutorials/verify.md",
	"docs/ask-the-chain.md",
	"docs/ten-lines.md",
];

#[test]
fn every_tutorial_is_one_of_those_that_are_run() -> Result<()> {
	let known: BTreeSet<String> =
		PAGES.iter().chain([&START]).map(|page| page.to_string()).collect();
	for entry in fs::read_dir(repository().join("docs/tutorials"))? {
		let page = format!("docs/tutorials/{}", entry?.file_name().to_string_lossy());
		assert!(known.contains(&page), "no test runs {page}: list it here");
	}
	for page in &known {
		let text = fs::read_to_string(repository().join(page)).context(page.clone())?;
		assert!(!steps(&text).context(page.clone())?.is_empty(), "{page} has nothing to type");
	}
	Ok(())
}

#[test]
fn what_the_pages_show_is_what_happens() -> Result<()> {
	let devnet = Devnet::new()?;
	let mut failures = Vec::new();
	for page in PAGES {
		// One broken page does not hide another.
		match devnet.follow(&[START, page]) {
			Ok(()) => println!("{page}: as it stands"),
			Err(error) => failures.push(format!("{error:#}")),
		}
	}
	assert!(failures.is_empty(), "{}", failures.join("\n\n"));
	Ok(())
}
