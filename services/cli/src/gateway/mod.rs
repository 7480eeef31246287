//! `gridproof gateway`.

mod device;
mod lists;
mod run;

use crate::{
	args::{AdminKeyArgs, GatewayArgs},
	output::Output,
};
use clap::{Args, Subcommand};
use device::DeviceCommand;
use gridproof_gateway_api::{BatchState, BatchView, ListBatches, Status};
use lists::{BatchesArgs, ReadingsArgs};
use run::RunArgs;
use std::{path::PathBuf, process::ExitCode};

/// What `gridproof gateway` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Receive readings over MQTT and HTTP, keep them, and submit them to the chain in batches.
	Run(Box<RunArgs>),
	/// Show what a running gateway holds, and how its work proceeds.
	Status(GatewayArgs),
	/// List readings with their ids, the latest 1,000 or those that are chosen; or write them as CSV.
	Readings(ReadingsArgs),
	/// List batches with their ids.
	Batches(BatchesArgs),
	/// Make batches of all readings that are in none.
	Flush(AdminArgs),
	/// Show the proof that a reading is in its batch.
	Proof(ProofArgs),
	/// Show a batch with all its readings.
	Export(ExportArgs),
	/// List the batches that were refused, and why.
	Parked(GatewayArgs),
	/// Try a parked batch again as it is.
	Retry(DecideArgs),
	/// Give up a parked batch: its readings go into new batches that follow what the chain has.
	Rebuild(DecideArgs),
	/// Give up a parked batch and its readings: they never reach the chain.
	GiveUp(GiveUpArgs),
	/// Users of MQTT: add, import, remove, list.
	#[command(subcommand)]
	Device(DeviceCommand),
}

/// A running gateway, and what lets one change something there.
#[derive(Args)]
pub struct AdminArgs {
	#[command(flatten)]
	gateway: GatewayArgs,
	#[command(flatten)]
	key: AdminKeyArgs,
}

/// Arguments of `gateway proof`.
#[derive(Args)]
pub struct ProofArgs {
	/// The reading, such as log_0123456789ab.
	#[arg(value_name = "READING")]
	reading: String,
	#[command(flatten)]
	gateway: GatewayArgs,
}

/// Arguments of `gateway export`.
#[derive(Args)]
pub struct ExportArgs {
	/// The batch, such as batch_0123456789ab.
	#[arg(value_name = "BATCH")]
	batch: String,
	#[command(flatten)]
	gateway: GatewayArgs,
}

/// Arguments of `gateway retry` and `gateway rebuild`.
#[derive(Args)]
pub struct DecideArgs {
	/// The batch, such as batch_0123456789ab.
	#[arg(value_name = "BATCH")]
	batch: String,
	#[command(flatten)]
	admin: AdminArgs,
}

/// Arguments of `gateway give-up`.
#[derive(Args)]
pub struct GiveUpArgs {
	#[command(flatten)]
	decide: DecideArgs,
	/// Do it; without this, only show what would be given up.
	#[arg(long)]
	yes: bool,
}

/// Where a gateway's data is.
#[derive(Args)]
pub struct DataArgs {
	/// The gateway's data folder.
	#[arg(long, value_name = "DIR")]
	data: PathBuf,
}

impl AdminArgs {
	fn client(&self) -> anyhow::Result<gridproof_gateway_api::Client> {
		self.gateway.admin(&self.key)
	}
}

/// Runs one `gridproof gateway` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Run(args) => run::serve(&args, out).await,
		Command::Status(args) => out.result(&args.client()?.status().await?, status_text),
		Command::Readings(args) => lists::readings(&args, out).await,
		Command::Batches(args) => lists::batches(&args, out).await,
		Command::Flush(args) => out.result(&args.client()?.flush().await?, flushed_text),
		Command::Proof(args) => out.document(&args.gateway.client()?.proof(&args.reading).await?),
		Command::Export(args) => out.document(&args.gateway.client()?.export(&args.batch).await?),
		Command::Parked(args) => {
			let parked = ListBatches { status: Some(BatchState::Parked), ..ListBatches::default() };
			out.result(&args.client()?.batches(&parked).await?, |all| parked_text(all))
		},
		Command::Retry(args) => {
			let decision = args.admin.client()?.retry(&args.batch).await?;
			out.result(&decision, |decision| format!("{} is tried again", decision.id))
		},
		Command::Rebuild(args) => {
			let decision = args.admin.client()?.rebuild(&args.batch).await?;
			out.result(&decision, |decision| {
				format!("the readings of {} batches go into new ones", decision.batches)
			})
		},
		Command::GiveUp(args) => give_up(&args, out).await,
		Command::Device(command) => device::run(command, out),
	}?;
	Ok(ExitCode::SUCCESS)
}

async fn give_up(args: &GiveUpArgs, out: &Output) -> anyhow::Result<()> {
	let client = args.decide.admin.client()?;
	let batch = client.batch(&args.decide.batch).await?;
	if !args.yes {
		return out.result(&batch, |batch| {
			let (imported_wh, exported_wh) =
				batch.chain.as_ref().map_or((0, 0), |part| (part.imported_wh, part.exported_wh));
			format!(
				"{} is {}: {} readings of {} to {}, import {imported_wh} Wh, export {exported_wh} Wh\n\
				 nothing was given up; repeat with --yes to give them up",
				batch.id, batch.on_chain, batch.log_count, batch.ts_start, batch.ts_end
			)
		});
	}
	let decision = client.give_up(&args.decide.batch).await?;
	out.result(&decision, |decision| format!("{} readings are given up", decision.readings))
}

fn flushed_text(batch: &BatchView) -> String {
	let more = match batch.also.len() {
		0 => String::new(),
		count => format!("\nand {count} more: {}", batch.also.join(" ")),
	};
	format!("{} {} readings, root {}{more}", batch.id, batch.log_count, batch.merkle_root)
}

fn status_text(status: &Status) -> String {
	let counts = &status.counts;
	let mut lines = vec![
		format!(
			"{} readings of {} meters, {} in no batch",
			counts.readings, counts.meters, counts.pending
		),
		format!(
			"{} batches: {} not certified, {} unsigned, {} signed, {} accepted, {} parked",
			counts.batches,
			counts.not_certified,
			counts.unsigned,
			counts.signed,
			counts.accepted,
			counts.parked
		),
		format!("{} dead letters, {} MQTT clients", counts.dead_letters, status.connections),
	];
	if counts.archived_batches > 0 {
		let (readings, batches) = (counts.archived_readings, counts.archived_batches);
		lines.push(format!("{readings} readings of {batches} batches in archive files"));
	}
	let is_connected = status.run.broker_connected.unwrap_or_default();
	let state = if is_connected { "connected" } else { "not connected" };
	lines.extend(status.run.broker.iter().map(|broker| format!("broker {broker}: {state}")));
	lines.extend(status.run.trouble.iter().map(|trouble| format!("trouble: {trouble}")));
	lines.join("\n")
}

fn parked_text(batches: &[BatchView]) -> String {
	if batches.is_empty() {
		return "no batch is parked".to_string();
	}
	let line = |batch: &BatchView| {
		let meter = batch.chain.as_ref().map(|chain| chain.name.clone()).unwrap_or_default();
		format!("{} {meter}: {}", batch.id, batch.reason.clone().unwrap_or_default())
	};
	batches.iter().map(line).collect::<Vec<_>>().join("\n")
}
