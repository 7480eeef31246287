//! Figures for Prometheus.

use crate::output::Output;
use anyhow::Context;
use clap::Args;
use gridproof_http::serve_figures;
use gridproof_support::Stop;
use std::net::SocketAddr;

/// Where a program that runs for long serves its figures.
#[derive(Args, Clone)]
pub struct MetricsArgs {
	/// Serve /metrics and /health at this address, such as 127.0.0.1:9616: for the operator only.
	#[arg(long, value_name = "ADDRESS")]
	metrics: Option<SocketAddr>,
}

impl MetricsArgs {
	/// Serves what `render` returns until the program stops, if an address is given.
	pub async fn serve(
		&self,
		render: impl Fn() -> String + Send + Sync + 'static,
		stop: &Stop,
		out: &Output,
	) -> anyhow::Result<()> {
		let Some(address) = self.metrics else { return Ok(()) };
		let serving = serve_figures(render, address, stop.clone())
			.await
			.with_context(|| format!("cannot serve figures at {address}"))?;
		out.note(&format!("figures at http://{}/metrics", serving.address()));
		Ok(())
	}
}
