//! A client's channel, and its own front.

use crate::{
	binary::command_binary,
	compute::{CLIENT, Compute},
	ports::free_ports,
	process::Process,
	reserve::gridproof,
};
use anyhow::{Context, Result};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);

/// A front that pays from a channel of [`CLIENT`]'s.
pub struct Front {
	/// Process of the front.
	pub process: Process,
	/// Its address, without `/v1`.
	pub url: String,
	/// Number of the channel.
	pub channel: u64,
}

impl Front {
	/// Opens a channel with a deposit in AIT, and starts the front.
	///
	/// # Errors
	/// When either fails.
	pub async fn start(compute: &Compute, deposit: u128) -> Result<Self> {
		let path = |name: &str| compute.folder.path().join(name).display().to_string();
		let (key, node) = (path("channel.key"), compute.node.rpc_url());
		let deposit = deposit.to_string();
		let mut open = vec!["channel", "open", "--new-key", "--key", &key, "--deposit", &deposit];
		open.extend(["--coordinator", &compute.url, "--suri", CLIENT, "--url", &node]);
		let opened = gridproof(&open).await?.done()?;
		let channel = opened["channel"].as_u64().context("no channel")?;
		let [port] = free_ports()?;
		let listen = format!("127.0.0.1:{port}");
		let number = channel.to_string();
		let data = path("front");
		let mut arguments = vec!["--json", "front", "run", "--channel", &number, "--key", &key];
		arguments.extend(["--data", &data, "--listen", &listen]);
		arguments.extend(["--coordinator", &compute.url, "--url", &node]);
		let arguments = arguments.into_iter().map(str::to_owned).collect();
		let log = compute.folder.path().join("front.log");
		let mut process = Process::start("front", &command_binary()?, arguments, log)?;
		let url = format!("http://{listen}");
		let (http, health) = (reqwest::Client::new(), format!("{url}/health"));
		process
			.wait("the front answers", LIMIT, async || {
				let answer = http.get(&health).send().await;
				Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
			})
			.await?;
		Ok(Self { process, url, channel })
	}
}
