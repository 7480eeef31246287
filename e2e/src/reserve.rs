//! A development chain whose days are short, the `gridproof` command that feeds it, and the part
//! of its state that AICP rests on.

use crate::{
	binary::{command_binary, node_binary, repository},
	node::{Node, NodeConfig},
	transfers, wait,
};
use anyhow::{Context, Result, bail, ensure};
use codec::Encode;
use gridproof_chain::{
	Chain, Query,
	pallets::{attestations, coverage_policy},
};
use gridproof_keys::account::address;
use gridproof_primitives::{num::units::AICP_ASSET_ID, reserve::attestation::Kind, time::day::Day};
use serde_json::Value;
use std::{
	fs,
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
	process::Stdio,
	time::Duration,
};
use subxt_signer::sr25519::PublicKey;
use tempfile::TempDir;
use tokio::process::Command;

/// The issuer of the development preset.
pub const ISSUER: &str = "//Ferdie//stash";
/// How long one run of the command may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(90);
/// How long the development preset's day is, as its chain spec writes it.
const PRESET_DAY: &str = "\"dayLength\": 60000";

/// A running development chain with short days, and a folder for the files of its days.
pub struct Reserve {
	/// The node.
	pub node: Node,
	/// The connection of the services.
	pub chain: Chain,
	/// Where files go.
	pub folder: TempDir,
	day: Duration,
}

impl Reserve {
	/// Starts a chain of the development preset, but with days of `day`.
	///
	/// # Errors
	/// When the chain spec is not what it is thought to be, or the node does not start.
	pub async fn start(folder: TempDir, day: Duration) -> Result<Self> {
		let spec = short_days(folder.path(), day).await?;
		let mut config = NodeConfig::development();
		config.chain = spec.display().to_string();
		let node = Node::start(config).await?;
		// Before the second block the calendar does not know when it begins.
		node.wait_for_finalized(2, Duration::from_secs(30)).await?;
		let chain = Chain::connect(&node.rpc_url()).await?;
		Ok(Self { node, chain, folder, day })
	}

	/// Path of a file in the folder.
	pub fn path(&self, name: &str) -> String {
		self.folder.path().join(name).display().to_string()
	}

	/// Waits until the last finalized block is of `day`.
	///
	/// # Errors
	/// When that day is over already: the machine is too slow for days of this length.
	pub async fn wait_for_day(&self, day: Day) -> Result<()> {
		let limit = self.day.saturating_mul(4);
		wait::until(&format!("day {day}"), limit, async || {
			let today = self.today().await?;
			ensure!(today <= day, "{day} is over, today is {today}: too slow for such short days");
			Ok((today == day).then_some(()))
		})
		.await
	}

	/// Today, by the chain's calendar.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn today(&self) -> Result<Day> {
		Ok(self.chain.read(&attestations::query::calendar()).await?.1)
	}

	/// The node's address.
	pub fn url(&self) -> String {
		self.node.rpc_url()
	}

	/// Plans the attestation of a day from its grid summary in the folder, with the policy of the
	/// development preset; gives what the command says of it.
	///
	/// # Errors
	/// When the command refuses.
	pub async fn plan(
		&self,
		day: Day,
		file: &str,
		price: &str,
		revises: Option<&str>,
	) -> Result<Value> {
		let (summary, url) = (self.path(&format!("grid_summary_{day}.json")), self.url());
		let mut arguments = vec!["attest", "plan", "--summary", &summary, "--eur-per-mwh", price];
		arguments.extend(["--compute-assets-eur", "0", "--u-hat", "1", "--target-eur", "1.5"]);
		arguments.extend(["--cr-min", "1.1", "--cap", "0.05", "--supply-from", &url]);
		arguments.extend(["--out", file]);
		arguments.extend(revises.iter().flat_map(|file| ["--revises", *file]));
		gridproof(&arguments).await?.done()
	}

	/// Has a planned file signed by the keys of these seeds, as these roles.
	///
	/// # Errors
	/// When the command refuses.
	pub async fn sign(&self, file: &str, signers: &[(u8, &str)]) -> Result<()> {
		for (seed, role) in signers {
			let key = role_key(self.folder.path(), *seed)?;
			let signing = ["attest", "sign", file, "--role", role, "--key", &key];
			gridproof(&signing).await?.done()?;
		}
		Ok(())
	}

	/// Submits a signed file; gives what the command says of it.
	///
	/// # Errors
	/// When the command fails.
	pub async fn submit(&self, file: &str) -> Result<Value> {
		gridproof(&["attest", "submit", file, "--url", &self.url()]).await?.done()
	}

	/// What `gridproof policy status` says.
	///
	/// # Errors
	/// When the command fails.
	pub async fn status(&self) -> Result<Value> {
		gridproof(&["policy", "status", "--url", &self.url()]).await?.done()
	}

	/// Everything about the reserve that a refused statement, mint or redemption could have
	/// changed: each part with its name.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn state(&self, day: Day, accounts: &[PublicKey]) -> Result<Vec<(String, Vec<u8>)>> {
		use coverage_policy::query as coverage;
		let kind = Kind::Reserve;
		let mut parts = vec![
			self.bytes(&attestations::query::attestation(kind, day)).await?,
			self.bytes(&attestations::query::days(kind)).await?,
			self.bytes(&attestations::query::archive(kind)).await?,
			self.bytes(&attestations::query::keys()).await?,
			self.bytes(&coverage::parameters()).await?,
			self.bytes(&coverage::history(400)).await?,
			self.bytes(&coverage::queue(0, 400)).await?,
		];
		let status = self.chain.read(&coverage::status()).await?;
		parts.push(("statement".into(), status.statement.encode()));
		parts.push(("totals".into(), status.totals.encode()));
		parts.push(("issuance".into(), self.chain.issuance(AICP_ASSET_ID).await?.encode()));
		let api = transfers::connect(&self.node).await?;
		for account in accounts {
			let aicp = self.chain.balance(AICP_ASSET_ID, &account.0).await?;
			let (_, credit) = self.bytes(&coverage::account(account.0)).await?;
			let nonce = transfers::nonce(&api, account).await?;
			let who = address(&account.0);
			parts.push((format!("AICP of {who}"), aicp.encode()));
			parts.push((format!("credit of {who}"), credit));
			parts.push((format!("nonce of {who}"), nonce.encode()));
		}
		Ok(parts)
	}

	/// What the runtime answers, in SCALE, with what was asked.
	async fn bytes<R>(&self, query: &Query<R>) -> Result<(String, Vec<u8>)> {
		Ok((query.function().to_owned(), self.chain.read_bytes(query).await?))
	}
}

/// Writes the development chain's plain spec, with days of `day`. Its balances have more digits
/// than JSON readers keep, so it is changed as text.
async fn short_days(folder: &Path, day: Duration) -> Result<PathBuf> {
	let exported = Command::new(node_binary()?)
		.args(["export-chain-spec", "--chain", "dev"])
		.stdin(Stdio::null())
		.output()
		.await
		.context("cannot run the node")?;
	let spec = String::from_utf8(exported.stdout).context("the chain spec is not text")?;
	let found = spec.matches(PRESET_DAY).count();
	ensure!(found == 1, "{found} times {PRESET_DAY} in the chain spec of the development preset");
	let path = folder.join("short-days.json");
	fs::write(&path, spec.replace(PRESET_DAY, &format!("\"dayLength\": {}", day.as_millis())))?;
	Ok(path)
}

/// How the command ended.
#[derive(Clone, Debug)]
pub struct Run {
	/// Did it succeed?
	pub success: bool,
	/// The JSON document that it printed.
	pub json: Value,
	/// What it said on standard error.
	pub said: String,
}

impl Run {
	/// The result of a run that has to succeed.
	///
	/// # Errors
	/// What the command said instead.
	pub fn done(self) -> Result<Value> {
		ensure!(self.success, "gridproof failed: {}", self.said);
		Ok(self.json)
	}

	/// Asserts that it failed for this reason.
	///
	/// # Panics
	/// When it succeeded, panicked, or gave another reason.
	#[track_caller]
	pub fn assert_refused(&self, reason: &str) {
		assert!(!self.success, "it should have failed with {reason:?}: {}", self.json);
		assert!(!self.said.contains("panicked at"), "it panicked: {}", self.said);
		let given = self.json["error"].as_str().unwrap_or_default();
		assert!(given.contains(reason), "it should say {reason:?}; it said {given:?}");
	}
}

/// Runs `gridproof --json` with these arguments, in the repository's root.
///
/// # Errors
/// When it cannot be started, takes too long, or prints something else than JSON.
pub async fn gridproof(arguments: &[&str]) -> Result<Run> {
	let running = Command::new(command_binary()?)
		.arg("--json")
		.args(arguments)
		.current_dir(repository())
		.env_remove("GRIDPROOF_URL")
		.env_remove("GRIDPROOF_ACCOUNT_KEY")
		.env_remove("GRIDPROOF_PASSPHRASE_FILE")
		.stdin(Stdio::null())
		.kill_on_drop(true)
		.output();
	let Ok(output) = tokio::time::timeout(COMMAND_LIMIT, running).await else {
		bail!("gridproof {} is still running", arguments.join(" "));
	};
	let output = output.context("cannot run gridproof")?;
	let said = String::from_utf8_lossy(&output.stderr).into_owned();
	// A result is on standard output; an error is the last line on standard error.
	let result = String::from_utf8_lossy(&output.stdout).into_owned();
	let error = said.lines().next_back().unwrap_or_default();
	let text = if result.is_empty() { error } else { &result };
	let json = serde_json::from_str(text)
		.with_context(|| format!("gridproof {} printed {text:?}\n{said}", arguments.join(" ")))?;
	Ok(Run { success: output.status.success(), json, said })
}

/// Reads the load of a day from `data/grid` with the command, which writes the day's summary into
/// the folder; gives what it says of it.
///
/// # Errors
/// When the command fails.
pub async fn load(folder: &Path, day: Day) -> Result<Value> {
	let (day, out) = (day.to_iso(), folder.display().to_string());
	let mut arguments = vec!["grid", "load", "--day", &day, "--zones", "data/zones.csv"];
	arguments.extend(["--source", "dir:data/grid", "--out", &out]);
	gridproof(&arguments).await?.done()
}

/// Writes the key file of a role whose seed is 32 times `byte`, as in the development preset, and
/// gives its path.
///
/// # Errors
/// When it cannot be written.
pub fn role_key(folder: &Path, byte: u8) -> Result<String> {
	let path = folder.join(format!("role-{byte}.key"));
	fs::write(&path, format!("{byte:02x}").repeat(32))?;
	fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
	Ok(path.display().to_string())
}
