//! Errors as the person at the terminal reads them.

use gridproof_node_service::{
	client::wished_states,
	error::{Error, database, disk_space},
};
use sc_service::{ChainType, PruningMode, Role};
use std::path::{Path, PathBuf};

#[test]
fn a_missing_node_key_names_the_command_that_makes_one() {
	let missing = sc_cli::Error::NetworkKeyNotFound(PathBuf::from("/data/secret_ed25519"));
	let text = Error::from(missing).render(" --chain local --base-path /data");
	assert!(text.contains("/data/secret_ed25519 is missing"), "{text}");
	assert!(
		text.contains("gridproof-node key generate-node-key --chain local --base-path /data\n"),
		"{text}"
	);
}

#[test]
fn an_input_error_is_shown_without_a_prefix() {
	let error = Error::from(sc_cli::Error::Input("bad chain".into()));
	assert_eq!(error.render(""), "bad chain");
}

#[test]
fn a_full_disk_is_told_with_what_is_left_and_what_to_do() {
	let full = sc_storage_monitor::Error::StorageOutOfSpace(12, 1024);
	let text = disk_space(&full, Path::new("/data")).render("");
	assert_eq!(
		text,
		"The disk of /data has 12 MiB left, and the node stops below 1024 MiB. Make room, choose \
		 another disk with --base-path, or set --db-storage-threshold."
	);
}

#[test]
fn a_locked_database_and_a_damaged_one_get_different_advice() {
	let open = |reason: &str| {
		let error = sp_blockchain::Error::Backend(reason.into());
		database(&error, Some(Path::new("/data")), " --chain dev").render("")
	};
	let locked = open("Database file is in use. (would block)");
	assert!(locked.contains("Another node is using it"), "{locked}");
	let damaged = open("Corruption: bad metadata");
	assert!(damaged.contains("gridproof-node purge-chain --chain dev"), "{damaged}");
	assert!(damaged.starts_with("Cannot open the database at /data: Corruption"), "{damaged}");
}

#[test]
fn a_database_with_other_states_says_which_and_both_ways_out() {
	let open = |reason: &str| {
		let error = sp_blockchain::Error::Backend(reason.into());
		database(&error, Some(Path::new("/data")), " --chain dev").render("")
	};
	let text = open(
		"Incompatible pruning modes [stored: Constrained(Constraints { max_blocks: None }); \
		 requested: ArchiveAll]",
	);
	assert!(text.contains("made with another --state-pruning (256)"), "{text}");
	assert!(text.contains("asks for (archive)"), "{text}");
	assert!(text.contains("start with --state-pruning 256, or make a new one"), "{text}");
	assert!(text.contains("\n    gridproof-node purge-chain --chain dev\n"), "{text}");
	let text = open(
		"Incompatible pruning modes [stored: ArchiveAll; requested: Constrained(Constraints { \
		 max_blocks: Some(14400) })]",
	);
	assert!(text.contains("start with --state-pruning archive, or"), "{text}");
	assert!(text.contains("asks for (14400)"), "{text}");
}

#[test]
fn states_are_kept_for_hours_and_all_of_a_development_chain() {
	let hours = PruningMode::blocks_pruning(4 * 60 * 60);
	assert_eq!(wished_states(&ChainType::Live, &Role::Full), hours);
	assert_eq!(wished_states(&ChainType::Local, &Role::Full), hours);
	let minutes = PruningMode::blocks_pruning(256);
	assert_eq!(wished_states(&ChainType::Live, &Role::Authority), minutes);
	for role in [Role::Full, Role::Authority] {
		assert_eq!(wished_states(&ChainType::Development, &role), PruningMode::ArchiveAll);
	}
}
