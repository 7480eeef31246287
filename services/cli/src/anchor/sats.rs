//! `gridproof anchor sats`.

use crate::{args::GatewayArgs, output::Output};
use clap::Args;
use gridproof_anchor::{batch, sats};
use gridproof_primitives::time::day::Day;
use std::process::ExitCode;

/// Arguments of `anchor sats`.
#[derive(Args)]
pub struct SatsArgs {
	/// The UTC day.
	#[arg(long)]
	day: Day,
	/// The device.
	#[arg(long, value_name = "ID")]
	device: String,
	#[command(flatten)]
	gateway: GatewayArgs,
}

/// Shows energy and sats of a device's day.
pub async fn show(args: &SatsArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let client = args.gateway.client()?;
	let readings = batch::device_readings(&client, &args.device, args.day).await?;
	let shown = sats::device_day(&readings, &args.device, args.day)?;
	out.result(&shown, |shown| {
		let line = |name: &str, sum: &sats::Sum| {
			let rate = sum.sats_per_kwh.as_deref().unwrap_or("-");
			format!(
				"{name}: {} kWh, {} sats, {rate} sats/kWh, {} readings",
				sum.energy_kwh, sum.amount_sats, sum.logs
			)
		};
		let mut lines = vec![line(&format!("{} on {}", shown.device, shown.day), &shown.total)];
		lines.extend(shown.meters.iter().map(|(name, sum)| line(&format!("  {name}"), sum)));
		lines.join("\n")
	})?;
	Ok(ExitCode::SUCCESS)
}
