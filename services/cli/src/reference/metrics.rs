//! The figures for Prometheus, from their registries.

use super::{cell, table};
use gridproof_attest::{DailyMetrics, IssuerMetrics};
use gridproof_fleet::FleetMetrics;
use gridproof_http::Metric;

/// Returns the page.
pub fn page() -> anyhow::Result<String> {
	let programs: [(&str, &str, Vec<Metric>); 9] = [
		("Gateway", "`GET /metrics` of the API", gridproof_gateway::metrics()),
		("Coordinator", "`GET /metrics` of the API", gridproof_coordinator::metrics()),
		("Verifier", "`gridproof verifier run --metrics`", gridproof_verifier::metrics()),
		("Miner", "`gridproof miner run --metrics`", gridproof_miner::metrics()),
		("Index", "`GET /metrics` of the API", gridproof_index::metrics()),
		("Dashboard", "`GET /metrics` of `gridproof dashboard`", gridproof_dashboard::metrics()),
		(
			"Daily attestation",
			"`gridproof attest daemon --metrics`",
			DailyMetrics::new()?.describe(),
		),
		("Issuer", "`gridproof policy issuer --metrics`", IssuerMetrics::new()?.describe()),
		("Simulated meters", "`gridproof meter simulate --metrics`", FleetMetrics::describe()?),
	];
	let mut text = "# Metrics\n\nFigures in Prometheus' text form. A counter's name ends in \
	                `_total`, and it starts at zero with the program. What to alarm by is in \
	                the [operations pages](../operations/README.md).\n"
		.to_string();
	for (name, at, metrics) in programs {
		let rows: Vec<Vec<String>> = metrics.iter().map(row).collect();
		text.push_str(&format!("\n## {name}\n\nAt {at}.\n\n"));
		text.push_str(&table(&["figure", "kind", "labels", ""], &rows));
	}
	Ok(text)
}

fn row(metric: &Metric) -> Vec<String> {
	let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
	vec![
		format!("`{}`", metric.name),
		metric.kind.to_string(),
		labels.join(", "),
		cell(&metric.help),
	]
}
