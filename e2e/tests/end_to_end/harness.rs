//! The harness itself: it leaves nothing behind, and says why a node did not start.

use anyhow::{Context, Result, ensure};
use gridproof_e2e::{Node, NodeConfig, wait};
use std::{fs, path::Path, thread, time::Duration};

const LIMIT: Duration = Duration::from_secs(10);

/// Whether a process runs: it exists and is not just waiting to be reaped.
fn runs(pid: u32) -> bool {
	fs::read_to_string(format!("/proc/{pid}/stat"))
		.is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim().starts_with('Z'))
}

#[tokio::test]
async fn a_dropped_node_leaves_neither_process_nor_data() -> Result<()> {
	let node = Node::start(NodeConfig::development()).await?;
	let pid = node.pid().context("it runs")?;
	let data = node.base_path().to_owned();
	ensure!(runs(pid) && data.is_dir());
	drop(node);
	ensure!(!runs(pid), "process {pid} is still there");
	ensure!(!data.exists(), "{} is still there", data.display());
	Ok(())
}

#[tokio::test]
async fn a_node_dies_with_the_thread_that_started_it_even_when_nothing_is_dropped() -> Result<()> {
	let started = thread::spawn(|| -> Result<u32> {
		let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
		let node = runtime.block_on(Node::start(NodeConfig::development()))?;
		let pid = node.pid().context("it runs")?;
		let data = node.base_path().parent().map(Path::to_owned);
		std::mem::forget(node);
		// What `Drop` would have removed.
		data.map(fs::remove_dir_all).transpose()?;
		Ok(pid)
	});
	let pid = started.join().expect("the thread ends")?;
	wait::until("the node is dead", LIMIT, async || Ok((!runs(pid)).then_some(()))).await
}

#[tokio::test]
async fn a_node_that_cannot_start_is_reported_with_its_own_words() -> Result<()> {
	let mut config = NodeConfig::development();
	config.arguments.push("--no-such-option".into());
	let error = Node::start(config).await.err().context("it has to fail")?;
	ensure!(format!("{error:#}").contains("--no-such-option"), "{error:#}");
	Ok(())
}

#[tokio::test]
async fn a_node_ends_by_itself_when_it_is_asked_to() -> Result<()> {
	let mut node = Node::start(NodeConfig::development()).await?;
	node.wait_for_height(2, LIMIT).await?;
	node.stop()?;
	node.assert_no_errors();
	Ok(())
}
