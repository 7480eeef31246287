//! `gridproof dashboard`.

use crate::{args::UrlArgs, exit::usage, output::Output};
use anyhow::Context;
use clap::Args;
use gridproof_dashboard::{Addresses, Settings, router, serve};
use gridproof_support::stop;
use serde::Serialize;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};
use tokio::net::TcpListener;

/// Arguments of `dashboard`.
#[derive(Args)]
pub struct DashboardArgs {
	/// Folder of the built page, as ./scripts/dashboard build makes it.
	#[arg(long, value_name = "DIR", default_value = "dashboard/dist")]
	dir: PathBuf,
	/// Where to listen.
	#[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8070")]
	listen: SocketAddr,
	/// The page reads from this node first; each reader can name another.
	#[command(flatten)]
	node: UrlArgs,
	/// A gateway, for readings and proofs; it must allow the page's origin.
	#[arg(long, value_name = "URL")]
	gateway_url: Option<String>,
	/// A coordinator, for receipts and batches; it must allow the page's origin.
	#[arg(long, value_name = "URL")]
	coordinator_url: Option<String>,
	/// A front, for the prompt box; who reaches the page spends its channel.
	#[arg(long, value_name = "URL")]
	front_url: Option<String>,
	/// An index, for history and search; it must allow the page's origin.
	#[arg(long, value_name = "URL")]
	index_url: Option<String>,
	/// The chain's spec for light clients, with the address of a node that listens on WebSocket for them.
	#[arg(long, value_name = "FILE")]
	light_spec: Option<PathBuf>,
}

/// What `dashboard --json` prints when it is ready.
#[derive(Serialize)]
struct Ready {
	listening: SocketAddr,
}

/// Runs `gridproof dashboard`.
pub async fn run(args: DashboardArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let node = address(args.node.url, &["ws", "wss"])?;
	let service = |url: Option<String>| url.map(|url| address(url, &["http", "https"])).transpose();
	let addresses = Addresses {
		node: Some(node),
		gateway: service(args.gateway_url)?,
		coordinator: service(args.coordinator_url)?,
		front: service(args.front_url)?,
		index: service(args.index_url)?,
		light: false,
	};
	let settings = Settings { folder: args.dir, light: args.light_spec, addresses };
	let router = router(settings)?;
	let listener = TcpListener::bind(args.listen)
		.await
		.with_context(|| format!("cannot listen on {}", args.listen))?;
	let ready = Ready { listening: listener.local_addr()? };
	out.result(&ready, |ready| format!("listening on http://{}/", ready.listening))?;
	serve(router, listener, stop::on_signals()?).await?;
	Ok(ExitCode::SUCCESS)
}

/// Checks the scheme, so that a mistake is found here and not in every reader's browser.
fn address(url: String, schemes: &[&str]) -> anyhow::Result<String> {
	let scheme = url.split_once("://").map(|(scheme, _)| scheme);
	match scheme {
		Some(scheme) if schemes.contains(&scheme) => Ok(url),
		_ => Err(usage(format!("{url} does not begin with {}://", schemes.join(":// or ")))),
	}
}
