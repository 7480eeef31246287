//! A Bitcoin regtest node: bcoin, with its wallet.

use crate::{clients, ports::free_ports, process::Process};
use anyhow::{Context, Result, bail};
use reqwest::Client;
use serde_json::{Value, json};
use std::{
	fs,
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
	process::{Command, Stdio},
	time::Duration,
};

/// How long it may take to start on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Nobody else knows it.
const PASSWORD: &str = "a-password-of-this-test";

/// A running Bitcoin node of a regtest network of its own.
pub struct Regtest {
	_process: Process,
	client: Client,
	scripts: PathBuf,
	/// RPC of the node.
	pub url: String,
	/// RPC of its wallet.
	pub wallet_url: String,
}

impl Regtest {
	/// Starts it; its log goes to `folder`.
	///
	/// # Errors
	/// When its packages cannot be installed, or it does not answer.
	pub async fn start(folder: &Path) -> Result<Self> {
		let scripts = clients::npm("bitcoin")?;
		let [rpc, network, wallet] = free_ports()?;
		let arguments = vec![
			scripts.join("regtest.js").display().to_string(),
			rpc.to_string(),
			network.to_string(),
			wallet.to_string(),
			PASSWORD.to_owned(),
		];
		let log = folder.join("regtest.log");
		let mut process = Process::start("bcoin", Path::new("node"), arguments, log.clone())?;
		process
			.wait("a Bitcoin node", START_LIMIT, async || {
				Ok(fs::read_to_string(&log)?.contains("{\"ready\":true}").then_some(()))
			})
			.await?;
		// Everything is plain HTTP on loopback, but the client wants a TLS provider anyway.
		let _ = rustls::crypto::ring::default_provider().install_default();
		Ok(Self {
			_process: process,
			// The server closes what is idle for five seconds, at times just when it is used again.
			client: Client::builder().pool_max_idle_per_host(0).build()?,
			scripts,
			url: format!("http://127.0.0.1:{rpc}"),
			wallet_url: format!("http://127.0.0.1:{wallet}"),
		})
	}

	/// Writes a file with its name and password, as bitcoind's `.cookie`; gives its path.
	///
	/// # Errors
	/// When it cannot be written.
	pub fn cookie(&self, folder: &Path) -> Result<String> {
		let path = folder.join("cookie");
		fs::write(&path, format!("x:{PASSWORD}\n"))?;
		fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
		Ok(path.display().to_string())
	}

	/// Calls a method of the node.
	///
	/// # Errors
	/// Its own, or when it does not answer.
	pub async fn call(&self, method: &str, params: Value) -> Result<Value> {
		self.call_at(&self.url, method, params).await
	}

	/// Calls a method of the wallet.
	///
	/// # Errors
	/// Its own, or when it does not answer.
	pub async fn wallet(&self, method: &str, params: Value) -> Result<Value> {
		self.call_at(&self.wallet_url, method, params).await
	}

	async fn call_at(&self, url: &str, method: &str, params: Value) -> Result<Value> {
		let request = json!({ "id": 1, "method": method, "params": params });
		let post = self.client.post(url).basic_auth("x", Some(PASSWORD)).json(&request);
		let answer: Value = post.send().await?.json().await?;
		match answer.get("error") {
			None | Some(Value::Null) => Ok(answer["result"].clone()),
			Some(error) => bail!("{method}: {error}"),
		}
	}

	/// Calls a method whose answer is a text.
	///
	/// # Errors
	/// As [`Regtest::call`].
	pub async fn text(&self, method: &str, params: Value) -> Result<String> {
		let answer = self.call(method, params).await?;
		Ok(answer.as_str().with_context(|| format!("{method}: {answer}"))?.to_owned())
	}

	/// Mines blocks, whose rewards go to `address`, in bcoin's form.
	///
	/// # Errors
	/// As [`Regtest::call`].
	pub async fn mine(&self, count: u32, address: &str) -> Result<()> {
		self.call("generatetoaddress", json!([count, address])).await.map(|_| ())
	}

	/// Addresses and script of the wallet that signs PSBTs.
	///
	/// # Errors
	/// When Node.js fails.
	pub fn external_wallet(&self) -> Result<Value> {
		let shown =
			clients::run(Command::new("node").arg(self.scripts.join("wallet.js")).arg("show"));
		Ok(serde_json::from_str(&shown?)?)
	}

	/// Has the external wallet sign and finalize a PSBT.
	///
	/// # Errors
	/// When it refuses.
	pub fn sign(&self, psbt: &str, folder: &Path) -> Result<String> {
		let path = folder.join("unsigned.psbt");
		fs::write(&path, psbt)?;
		let output = Command::new("node")
			.arg(self.scripts.join("wallet.js"))
			.arg("sign")
			.stdin(Stdio::from(fs::File::open(path)?))
			.output()?;
		let said = String::from_utf8_lossy(&output.stderr);
		anyhow::ensure!(output.status.success(), "the wallet refuses: {said}");
		Ok(String::from_utf8(output.stdout)?)
	}
}
