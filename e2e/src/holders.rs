//! A development chain that its holders govern by `gridproof gov`. Its days are as short as referenda
//! permit, so that one is decided within a minute.

use crate::{
	reserve::{Reserve, Run, gridproof},
	transfers::{self, Api},
	wait,
};
use anyhow::{Context, Result, bail};
use gridproof_chain::{
	Call,
	pallets::referenda::{Ongoing, Referendum},
};
use serde_json::Value;
use std::time::Duration;

/// Blocks of a day: the fewest that the runtime counts for one.
pub const DAY_BLOCKS: u64 = 8;
/// How long that is.
const DAY: Duration = Duration::from_secs(8);
/// How long the end of a referendum is waited for: it takes a minute, or two if nobody pays for its
/// decision.
const LIMIT: Duration = Duration::from_secs(240);

/// A chain, and what its holders do.
pub struct Holders {
	/// The node, the connection of the services, and a folder.
	pub reserve: Reserve,
	/// A connection without any type of ours.
	pub api: Api,
}

impl Holders {
	/// Starts the chain.
	///
	/// # Errors
	/// When the node does not start.
	pub async fn start() -> Result<Self> {
		let folder = tempfile::Builder::new().prefix("gridproof-e2e-holders-").tempdir()?;
		let reserve = Reserve::start(folder, DAY).await?;
		let api = transfers::connect(&reserve.node).await?;
		Ok(Self { reserve, api })
	}

	/// Runs the command `gridproof` on this chain, signed by a development account.
	///
	/// # Errors
	/// When it cannot be run.
	pub async fn run(&self, arguments: &[&str], who: &str) -> Result<Run> {
		let url = self.reserve.url();
		gridproof(&[arguments, &["--suri", who, "--url", &url]].concat()).await
	}

	/// Runs a command that proposes something; gives the number of the referendum.
	///
	/// # Errors
	/// When the command refuses.
	pub async fn propose(&self, arguments: &[&str], who: &str) -> Result<u32> {
		let proposed = self.run(arguments, who).await?.done()?;
		let index = proposed["referendum"].as_u64().context("no number of a referendum")?;
		Ok(u32::try_from(index)?)
	}

	/// Votes with so much AIT.
	///
	/// # Errors
	/// When the command cannot be run.
	pub async fn vote(&self, index: u32, choice: &str, ait: &str, who: &str) -> Result<Run> {
		let index = index.to_string();
		self.run(&["gov", "vote", &index, choice, "--amount", ait], who).await
	}

	/// Votes for a referendum with so much AIT.
	///
	/// # Errors
	/// When the command refuses.
	pub async fn aye(&self, index: u32, ait: &str, who: &str) -> Result<Value> {
		self.vote(index, "aye", ait, who).await?.done()
	}

	/// What `gridproof gov show` says of a referendum.
	///
	/// # Errors
	/// When the command refuses.
	pub async fn show(&self, index: u32) -> Result<Value> {
		let (index, url) = (index.to_string(), self.reserve.url());
		gridproof(&["gov", "show", &index, "--url", &url]).await?.done()
	}

	/// What `gridproof gov list` says of a referendum.
	///
	/// # Errors
	/// When the command refuses, or the list does not have it.
	pub async fn listed(&self, index: u32) -> Result<Value> {
		let url = self.reserve.url();
		let list = gridproof(&["gov", "list", "--url", &url]).await?.done()?;
		let mut all = list.as_array().context("no list")?.iter();
		let found = all.find(|shown| shown["referendum"] == index);
		found.cloned().with_context(|| format!("no referendum {index} in {list}"))
	}

	/// A call in SCALE, as wallets show it.
	///
	/// # Errors
	/// When the chain has no such call.
	pub async fn encoded(&self, call: &Call) -> Result<Vec<u8>> {
		Ok(self.reserve.chain.encode(call).await?)
	}

	/// A referendum, whether it is over or not.
	///
	/// # Errors
	/// When there is none with this number.
	pub async fn referendum(&self, index: u32) -> Result<Referendum> {
		let referendum = self.reserve.chain.referendum(index).await?;
		referendum.with_context(|| format!("there is no referendum {index}"))
	}

	/// A referendum that is not over.
	///
	/// # Errors
	/// When it is over.
	pub async fn ongoing(&self, index: u32) -> Result<Ongoing> {
		match self.referendum(index).await? {
			Referendum::Ongoing(ongoing) => Ok(ongoing),
			over => bail!("referendum {index} is over: {over:?}"),
		}
	}

	/// Waits until a referendum is over.
	///
	/// # Errors
	/// When it is not, after four minutes.
	pub async fn wait_until_over(&self, index: u32) -> Result<Referendum> {
		wait::until(&format!("referendum {index} is over"), LIMIT, async || {
			let referendum = self.referendum(index).await?;
			Ok(referendum.ended().is_some().then_some(referendum))
		})
		.await
	}

	/// Waits until a referendum is approved; gives the block in which it was.
	///
	/// # Errors
	/// When it ends otherwise.
	pub async fn wait_until_approved(&self, index: u32) -> Result<u64> {
		match self.wait_until_over(index).await? {
			Referendum::Approved(block, ..) => Ok(block.into()),
			other => bail!("referendum {index} was not approved: {other:?}"),
		}
	}
}
