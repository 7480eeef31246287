//! The rules without which somebody gains, and how each is taken out of the source.
//!
//! `scripts/soak coalition-mutations` writes these changes into a copy of the sources, builds the coalition
//! test once, and runs it with each rule out in turn: every run must find a gain. In the copy each
//! changed place asks [`ASKS`] whether its rule is out; nothing of it is in what is shipped.

mod channels;
mod compute;
mod energy;
mod reserve;

use crate::strategies::ALL;
use std::{fs, path::Path};

/// A text of a file, and what it becomes.
struct Edit {
	/// Path in the repository.
	file: &'static str,
	/// Text that is there once.
	old: &'static str,
	new: &'static str,
}

/// A rule that bounds what can be gained.
struct Rule {
	/// Its name for `GRIDPROOF_WITHOUT`.
	name: &'static str,
	/// Section of the design.
	section: &'static str,
	/// What it says.
	text: &'static str,
	edits: &'static [Edit],
}

/// Rules that one strategy finds, and which: among hundreds of plans it may come once or not at all, so
/// its plans alone are played, many more of them.
const FOUND_BY: &[(&str, &str)] = &[
	("within-quote", "receipt above its quote"),
	("leaving", "left and still there"),
	("registered", "work on a model of its own"),
	("deadlines-stand", "settlement stopped past a deadline"),
	("debt-remembered", "debt left behind"),
	("unseen-remembered", "drawn out of service"),
	("unseen-exchanged", "debt exchanged away"),
	("unseen-replaced", "import meter replaced"),
	("one-coordinator", "one deposit for two coordinators"),
	("close-notice", "closed while the coordinator is away"),
	("rest-once", "closed while the coordinator is away"),
	("kept-bond", "kept key emptied"),
	("voucher-signature", "outsider at one's own coordinator"),
	("above-voucher", "outsider at one's own coordinator"),
	("daily-limit", "outsider at one's own coordinator"),
	("above-deposit", "more than the channel pays"),
	("channel-kind", "more than the channel pays"),
	("channels-once", "more than the channel pays"),
	("lists-agree", "more than the channel pays"),
	("channel-joined", "lines settled again"),
	("header-signature", "settled in another's name"),
	("notices-stand", "settlement stopped past a notice"),
	("evidence-signature", "honest coordinator accused"),
	("demand-signature", "receipt demanded that nobody signed"),
	("floor-reinstated", "broken seal after the pardon"),
	("organisation-day", "limits that are near"),
	("signature", "signed by another key"),
	("gap-import", "drawn in a gap"),
	("point-waits", "import stated late"),
	("point-suspended", "import meter suspended"),
	("point-ended", "import meter taken away"),
	("generation", "pumped behind a roof"),
];

/// The strategy that finds this rule, if any other would hardly do.
fn found_by(name: &str) -> &'static str {
	FOUND_BY.iter().find(|(rule, _)| *rule == name).map_or("", |(_, strategy)| *strategy)
}

/// The function that all changed places call.
const ASKS: Edit = Edit {
	file: "primitives/src/lib.rs",
	old: "pub use sp_core::H256;\n",
	new: r#"pub use sp_core::H256;

/// Returns `true` if `GRIDPROOF_WITHOUT` names this rule.
#[cfg(feature = "std")]
pub fn without(rule: &str) -> bool {
	static OUT: std::sync::OnceLock<Option<std::string::String>> = std::sync::OnceLock::new();
	OUT.get_or_init(|| std::env::var("GRIDPROOF_WITHOUT").ok()).as_deref() == Some(rule)
}

/// No rule is out.
#[cfg(not(feature = "std"))]
pub fn without(_: &str) -> bool {
	false
}
"#,
};

fn all() -> impl Iterator<Item = &'static Rule> {
	[channels::RULES, compute::RULES, energy::RULES, reserve::RULES].into_iter().flatten()
}

/// Makes the changes in the sources below this folder.
///
/// # Errors
/// Which text is not there once, or which file cannot be read or written.
fn take_out(root: &Path, write: bool) -> Result<(), String> {
	let mut files: Vec<(&str, String)> = Vec::new();
	for edit in std::iter::once(&ASKS).chain(all().flat_map(|rule| rule.edits)) {
		let place = files.iter().position(|(file, _)| *file == edit.file);
		let place = place.map_or_else(
			|| {
				let text = fs::read_to_string(root.join(edit.file));
				let text = text.map_err(|error| format!("{}: {error}", edit.file))?;
				files.push((edit.file, text));
				Ok::<_, String>(files.len() - 1)
			},
			Ok,
		)?;
		let text = &mut files[place].1;
		let count = text.matches(edit.old).count();
		if count != 1 {
			return Err(format!("{} has {count} times: {}", edit.file, edit.old));
		}
		*text = text.replace(edit.old, edit.new);
	}
	for (file, text) in files.iter().filter(|_| write) {
		fs::write(root.join(file), text).map_err(|error| format!("{file}: {error}"))?;
	}
	Ok(())
}

/// If a rule's code is written in another way, its entry here has to follow.
#[test]
fn every_rule_that_is_taken_out_is_in_the_sources() {
	if std::env::var("GRIDPROOF_WITHOUT").is_ok() {
		return;
	}
	let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
	assert_eq!(take_out(root, false), Ok(()));
	let mut names: Vec<&str> = all().map(|rule| rule.name).collect();
	names.sort_unstable();
	assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "two rules have one name");
	for (rule, strategy) in FOUND_BY {
		assert!(names.contains(rule), "no rule is called {rule}");
		assert!(
			ALL.iter().any(|known| known.name == *strategy),
			"no strategy is called {strategy}"
		);
	}
	for rule in all() {
		let asked = format!("without(\"{}\")", rule.name);
		let asks = rule.edits.iter().all(|edit| edit.new.contains(&asked));
		assert!(asks && !rule.edits.is_empty(), "{} is never taken out", rule.name);
	}
}

/// Writes the changes into the copy of the sources that `COALITION_TREE` names, and beside them the
/// list of rules: name, section, text, the strategy whose plans alone are to be played.
#[test]
#[ignore = "scripts/soak coalition-mutations calls it"]
fn the_rules_are_taken_out_of_a_copy() {
	let tree = std::env::var("COALITION_TREE").expect("COALITION_TREE is a copy of the sources");
	let tree = Path::new(&tree);
	assert_eq!(take_out(tree, true), Ok(()));
	let line = |rule: &Rule| {
		format!("{}\t{}\t{}\t{}\n", rule.name, rule.section, rule.text, found_by(rule.name))
	};
	let lines: String = all().map(line).collect();
	fs::write(tree.join("rules.txt"), lines).expect("the copy can be written");
}
