//! One node process: start, wait, `kill -9`, restart, log.

use crate::{binary::node_binary, ports::free_ports, rpc::Rpc, wait};
use anyhow::{Context, Result, bail};
use nix::{
	sys::signal::{Signal, kill},
	unistd::Pid,
};
use std::{
	env,
	fs::{self, OpenOptions},
	path::{Path, PathBuf},
	process::{Child, Command, ExitStatus, Stdio},
	time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long a node may take until its RPC answers.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long a node may take to end after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);
/// Another process may take a port between its choice and the node's start.
const START_ATTEMPTS: u32 = 3;
const LOG_TAIL_LINES: usize = 60;

/// How nodes reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
	/// Plain TCP, between full nodes.
	Tcp,
	/// TCP with WebSocket, which light clients can dial too.
	WebSocket,
}

/// What to start.
#[derive(Clone, Debug)]
pub struct NodeConfig {
	/// Name in logs and errors.
	pub name: String,
	/// `dev`, `local`, `staging`, or the path of a chain spec.
	pub chain: String,
	/// Further arguments, e.g. `--alice`.
	pub arguments: Vec<String>,
	/// Multiaddresses of nodes to connect to first.
	pub bootnodes: Vec<String>,
	/// Secret network key, 64 hexadecimal digits; fixes the peer id.
	pub node_key: String,
	/// How other nodes and light clients reach it.
	pub transport: Transport,
	/// Folder for its data instead of a new temporary one.
	pub base_path: Option<PathBuf>,
	/// Print the end of its log when it is dropped. Nextest shows it for failed tests only.
	pub show_log: bool,
}

impl NodeConfig {
	/// A node of a chain with a fixed network key, the `number`-th of its network.
	pub fn new(name: &str, chain: &str, number: u8) -> Self {
		Self {
			name: name.to_owned(),
			chain: chain.to_owned(),
			arguments: Vec::new(),
			bootnodes: Vec::new(),
			node_key: format!("{number:064x}"),
			transport: Transport::Tcp,
			base_path: None,
			show_log: true,
		}
	}

	/// The single authority of the development chain.
	pub fn development() -> Self {
		let mut config = Self::new("dev", "dev", 1);
		config.arguments = vec!["--alice".into(), "--force-authoring".into()];
		config
	}
}

/// Ports of one node, free when they were chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ports {
	rpc: u16,
	network: u16,
	metrics: u16,
}

/// A running node process. Dropping it kills it and removes its data.
pub struct Node {
	config: NodeConfig,
	ports: Ports,
	base_path: PathBuf,
	log_path: PathBuf,
	child: Option<Child>,
	rpc: Option<Rpc>,
	_folder: TempDir,
}

impl Node {
	/// Starts a node and waits until its RPC answers.
	///
	/// # Errors
	/// When it ends or stays silent; the message carries the end of its log.
	pub async fn start(config: NodeConfig) -> Result<Self> {
		let folder = tempfile::Builder::new().prefix("gridproof-e2e-").tempdir()?;
		let base_path = config.base_path.clone().unwrap_or_else(|| folder.path().join("data"));
		let log_path = folder.path().join("node.log");
		let ports = node_ports()?;
		let mut node =
			Self { config, ports, base_path, log_path, child: None, rpc: None, _folder: folder };
		for attempt in 1..=START_ATTEMPTS {
			match node.launch().await {
				Ok(()) => return Ok(node),
				Err(_) if attempt < START_ATTEMPTS && node.lost_a_port() => {
					node.kill();
					fs::remove_file(&node.log_path)?;
					node.ports = node_ports()?;
				},
				Err(error) => return Err(error),
			}
		}
		bail!("{}: no free ports", node.config.name)
	}

	/// Starts the process again, with the same data, keys and ports.
	///
	/// # Errors
	/// As [`Node::start`].
	pub async fn restart(&mut self) -> Result<()> {
		self.kill();
		self.launch().await
	}

	/// Ends the process at once, as `kill -9` does. Nothing when it has ended already.
	pub fn kill(&mut self) {
		self.rpc = None;
		if let Some(mut child) = self.child.take() {
			// An error means that it has ended by itself, which is as good.
			let _ = child.kill();
			let _ = child.wait();
		}
	}

	/// Asks the process to end, and waits for it.
	///
	/// # Errors
	/// When it doesn't end in time, or not with success.
	pub fn stop(&mut self) -> Result<()> {
		self.rpc = None;
		let Some(mut child) = self.child.take() else { return Ok(()) };
		let pid = i32::try_from(child.id()).context("process id")?;
		kill(Pid::from_raw(pid), Signal::SIGTERM)?;
		let status = wait_for_exit(&mut child, STOP_LIMIT);
		if status.is_none() {
			child.kill()?;
			child.wait()?;
		}
		match status {
			Some(status) if status.success() => Ok(()),
			Some(status) => bail!("{} ended with {status}\n{}", self.config.name, self.log_tail()),
			None => bail!("{} ignores SIGTERM\n{}", self.config.name, self.log_tail()),
		}
	}

	/// The connection to its RPC.
	///
	/// # Errors
	/// When it is not running.
	pub fn rpc(&self) -> Result<&Rpc> {
		self.rpc.as_ref().with_context(|| format!("{} is not running", self.config.name))
	}

	/// Keeps its log to itself when it is dropped, as [`NodeConfig::show_log`] does from the start.
	pub fn hide_log(&mut self) {
		self.config.show_log = false;
	}

	/// Its process id, while it runs.
	pub fn pid(&self) -> Option<u32> {
		self.child.as_ref().map(Child::id)
	}

	/// Address of its RPC.
	pub fn rpc_url(&self) -> String {
		format!("ws://127.0.0.1:{}", self.ports.rpc)
	}

	/// TCP port of its RPC.
	pub fn rpc_port(&self) -> u16 {
		self.ports.rpc
	}

	/// TCP port it listens on for other nodes.
	pub fn network_port(&self) -> u16 {
		self.ports.network
	}

	/// Folder with its data.
	pub fn base_path(&self) -> &Path {
		&self.base_path
	}

	/// Multiaddress under which others reach it.
	///
	/// # Errors
	/// When it is not running.
	pub async fn address(&self) -> Result<String> {
		Ok(format!("{}/p2p/{}", self.listen_address(), self.rpc()?.peer_id().await?))
	}

	/// Waits until its best block is at least at `height`.
	///
	/// # Errors
	/// After `limit`, or when the node has ended.
	pub async fn wait_for_height(&self, height: u64, limit: Duration) -> Result<u64> {
		let what = format!("{}: best block {height}", self.config.name);
		self.wait(&what, limit, async |rpc| {
			let best = rpc.best().await?;
			Ok((best >= height).then_some(best))
		})
		.await
	}

	/// Waits until its finalized block is at least at `height`.
	///
	/// # Errors
	/// After `limit`, or when the node has ended.
	pub async fn wait_for_finalized(&self, height: u64, limit: Duration) -> Result<u64> {
		let what = format!("{}: finalized block {height}", self.config.name);
		self.wait(&what, limit, async |rpc| {
			let (number, _) = rpc.finalized().await?;
			Ok((number >= height).then_some(number))
		})
		.await
	}

	/// Waits until it has at least `count` peers.
	///
	/// # Errors
	/// After `limit`, or when the node has ended.
	pub async fn wait_for_peers(&self, count: u64, limit: Duration) -> Result<u64> {
		let what = format!("{}: {count} peers", self.config.name);
		self.wait(&what, limit, async |rpc| {
			let peers = rpc.peers().await?;
			Ok((peers >= count).then_some(peers))
		})
		.await
	}

	/// Waits for anything the RPC can tell.
	///
	/// # Errors
	/// The probe's, or after `limit`.
	pub async fn wait<T>(
		&self,
		what: &str,
		limit: Duration,
		mut probe: impl AsyncFnMut(&Rpc) -> Result<Option<T>>,
	) -> Result<T> {
		let rpc = self.rpc()?;
		wait::until(what, limit, async || probe(rpc).await).await.with_context(|| self.log_tail())
	}

	/// The whole log, of all starts.
	pub fn log(&self) -> String {
		fs::read(&self.log_path)
			.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
			.unwrap_or_default()
	}

	/// Log lines that report an error or a panic.
	pub fn errors(&self) -> Vec<String> {
		self.log().lines().filter(|line| is_error(line)).map(str::to_owned).collect()
	}

	/// Asserts that the log reports no error.
	///
	/// # Panics
	/// With the lines that do.
	#[track_caller]
	pub fn assert_no_errors(&self) {
		let errors = self.errors();
		assert!(errors.is_empty(), "{} reports errors:\n{}", self.config.name, errors.join("\n"));
	}

	async fn launch(&mut self) -> Result<()> {
		self.child = Some(self.spawn()?);
		let url = self.rpc_url();
		let start = Instant::now();
		loop {
			if let Some(status) = self.exit_status()? {
				bail!("{} ended with {status}\n{}", self.config.name, self.log_tail());
			}
			if let Ok(rpc) = Rpc::connect(&url).await {
				self.rpc = Some(rpc);
				return Ok(());
			}
			if start.elapsed() > START_LIMIT {
				bail!("{}: no RPC on {url}\n{}", self.config.name, self.log_tail());
			}
			tokio::time::sleep(PAUSE).await;
		}
	}

	fn spawn(&self) -> Result<Child> {
		let log = OpenOptions::new().create(true).append(true).open(&self.log_path)?;
		let mut command = dies_with_parent(&node_binary()?);
		command
			.args(self.arguments())
			.stdin(Stdio::null())
			.stdout(log.try_clone()?)
			.stderr(log)
			.spawn()
			.with_context(|| format!("cannot start {}", self.config.name))
	}

	fn arguments(&self) -> Vec<String> {
		let Ports { rpc, metrics, .. } = self.ports;
		let mut arguments: Vec<String> = [
			("--name", self.config.name.clone()),
			("--chain", self.config.chain.clone()),
			("--base-path", self.base_path.display().to_string()),
			("--rpc-port", rpc.to_string()),
			("--listen-addr", self.listen_address()),
			("--prometheus-port", metrics.to_string()),
			("--node-key", self.config.node_key.clone()),
		]
		.into_iter()
		.flat_map(|(flag, value)| [flag.to_owned(), value])
		.collect();
		// Without mDNS, networks of tests that run side by side never meet.
		arguments.extend(["--no-mdns".to_owned(), "--no-telemetry".to_owned()]);
		for bootnode in &self.config.bootnodes {
			arguments.extend(["--bootnodes".to_owned(), bootnode.clone()]);
		}
		arguments.extend(self.config.arguments.iter().cloned());
		arguments
	}

	fn listen_address(&self) -> String {
		let suffix = match self.config.transport {
			Transport::Tcp => "",
			Transport::WebSocket => "/ws",
		};
		format!("/ip4/127.0.0.1/tcp/{}{suffix}", self.ports.network)
	}

	fn exit_status(&mut self) -> Result<Option<ExitStatus>> {
		match self.child.as_mut() {
			Some(child) => Ok(child.try_wait()?),
			None => bail!("{} is not running", self.config.name),
		}
	}

	fn lost_a_port(&self) -> bool {
		let log = self.log();
		["is taken, and the node needs it", "in use"].iter().any(|text| log.contains(text))
	}

	fn log_tail(&self) -> String {
		let log = self.log();
		let lines: Vec<&str> = log.lines().collect();
		let tail = lines.len().saturating_sub(LOG_TAIL_LINES);
		format!("--- end of the log of {}\n{}", self.config.name, lines[tail..].join("\n"))
	}
}

impl Drop for Node {
	fn drop(&mut self) {
		self.kill();
		if self.config.show_log {
			eprintln!("{}", self.log_tail());
		}
	}
}

/// The command that runs `program` and is killed by the kernel when this thread ends, so that not
/// even a killed test leaves a node behind.
pub(crate) fn dies_with_parent(program: &Path) -> Command {
	match find_in_path("setpriv") {
		Some(setpriv) => {
			let mut command = Command::new(setpriv);
			command.args(["--pdeathsig", "KILL", "--"]).arg(program);
			command
		},
		None => Command::new(program),
	}
}

fn find_in_path(name: &str) -> Option<PathBuf> {
	env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|p| p.is_file())
}

fn wait_for_exit(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
	let start = Instant::now();
	while start.elapsed() < limit {
		if let Ok(Some(status)) = child.try_wait() {
			return Some(status);
		}
		std::thread::sleep(PAUSE);
	}
	None
}

fn node_ports() -> Result<Ports> {
	let [rpc, network, metrics] = free_ports()?;
	Ok(Ports { rpc, network, metrics })
}

fn is_error(line: &str) -> bool {
	let marks = [" ERROR ", r#""level":"error""#, "panicked at"];
	marks.iter().any(|mark| line.contains(mark)) || line.starts_with("Error:")
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn error_lines_are_told_from_others() {
		assert!(is_error("2026-01-01 00:00:00 ERROR tokio-runtime sync: lost"));
		assert!(is_error("thread 'main' panicked at src/main.rs:1:1:"));
		assert!(is_error(r#"{"component":"sync","event":"log","level":"error","message":"lost"}"#));
		assert!(is_error("Error: Input(\"no\")"));
		assert!(!is_error("2026-01-01 00:00:00  INFO main: no ERRORS here"));
	}
}
