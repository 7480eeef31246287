//! How a miner behaves.

use gridproof_primitives::compute::Class;
use std::{path::PathBuf, time::Duration};

/// How a miner behaves.
#[derive(Clone, Debug)]
pub struct Settings {
	/// Folder of its database.
	pub folder: PathBuf,
	/// Addresses of the coordinators to work for, `http://…`.
	pub coordinators: Vec<String>,
	/// Address of the node, `ws://…`.
	pub node: String,
	/// The class of its hardware, as registered on chain.
	pub class: Class,
	/// Jobs at a time, of each coordinator.
	pub slots: u32,
	/// How long a stop waits for running jobs.
	pub grace: Duration,
}
