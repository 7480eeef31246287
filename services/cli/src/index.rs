//! `gridproof index`.

use crate::{args::UrlArgs, output::Output};
use clap::Args;
use gridproof_index::{Index, Settings};
use gridproof_support::stop;
use serde::Serialize;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

/// Arguments of `index`.
#[derive(Args)]
pub struct IndexArgs {
	#[command(flatten)]
	node: UrlArgs,
	/// Folder of the database; it is made if there is none.
	#[arg(long, value_name = "DIR")]
	data: PathBuf,
	/// Where to listen.
	#[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8060")]
	listen: SocketAddr,
	/// The first block, if the folder is new: by default the chain's first. A node that keeps all
	/// states has it.
	#[arg(long, value_name = "BLOCK")]
	from: Option<u64>,
	/// Blocks that the node is asked for at a time while the index catches up.
	#[arg(long, value_name = "BLOCKS", default_value_t = 8,
		value_parser = clap::value_parser!(u16).range(1..=64))]
	at_once: u16,
	/// Origin of web pages that may ask, such as http://127.0.0.1:8070 of a dashboard, or * for all;
	/// may be repeated.
	#[arg(long = "origin", value_name = "URL")]
	origins: Vec<String>,
}

/// What `index --json` prints when it listens.
#[derive(Serialize)]
struct Ready {
	listening: SocketAddr,
}

/// Runs `gridproof index`.
pub async fn run(args: IndexArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let mut settings = Settings::new(args.node.url, args.data, args.listen);
	settings.from = args.from;
	settings.at_once = args.at_once.into();
	settings.origins = args.origins;
	let stop = stop::on_signals()?;
	let index = Index::open(settings, stop.clone()).await?;
	let ready = Ready { listening: index.address() };
	out.result(&ready, |ready| format!("listening on http://{}/", ready.listening))?;
	index.run(stop).await?;
	Ok(ExitCode::SUCCESS)
}
