//! Figures for Prometheus.

use gridproof_http::{Metric, Metrics as Figures, MetricsError};
use gridproof_support::number::gauge;
use prometheus::{IntCounter, IntGauge};

/// All figures of an index.
pub(crate) struct Metrics {
	figures: Figures,
	blocks: IntCounter,
	events: IntCounter,
	failures: IntCounter,
	height: IntGauge,
	finalized: IntGauge,
	behind: IntGauge,
	bytes: IntGauge,
}

impl Metrics {
	/// Figures that are all zero.
	///
	/// # Errors
	/// When a name is used twice: a defect.
	pub(crate) fn new() -> Result<Self, MetricsError> {
		let figures = Figures::new("gridproof_index");
		Ok(Self {
			blocks: figures.counter("blocks_total", "Blocks indexed since the start")?,
			events: figures.counter("events_total", "Events indexed since the start")?,
			failures: figures.counter(
				"failures_total",
				"Attempts to read or write blocks that failed since the start",
			)?,
			height: figures.gauge("height", "Height of the last block that is indexed")?,
			finalized: figures.gauge(
				"finalized_height",
				"Height of the last final block, as the node said last",
			)?,
			behind: figures.gauge("behind_blocks", "Final blocks that are not indexed yet")?,
			bytes: figures.gauge("database_bytes", "Bytes of the database's file")?,
			figures,
		})
	}

	/// What all figures are, in the order of their names.
	pub(crate) fn describe(&self) -> Vec<Metric> {
		self.figures.describe()
	}

	/// Blocks were written.
	pub(crate) fn wrote(&self, blocks: u64, events: u64) {
		self.blocks.inc_by(blocks);
		self.events.inc_by(events);
	}

	/// An attempt failed.
	pub(crate) fn failed(&self) {
		self.failures.inc();
	}

	/// All figures as text.
	pub(crate) fn render(&self, height: Option<u64>, finalized: u64, bytes: u64) -> String {
		// Before the first block all of them are to come, the genesis included.
		let next = height.map_or(0, |height| height.saturating_add(1));
		self.height.set(gauge(height.unwrap_or_default()));
		self.finalized.set(gauge(finalized));
		self.behind.set(gauge(finalized.saturating_add(1).saturating_sub(next)));
		self.bytes.set(gauge(bytes));
		self.figures.render()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_distance_to_the_chain_counts_final_blocks_only() {
		let metrics = Metrics::new().unwrap();
		for (height, finalized, behind) in
			[(None, 4, 5), (Some(4), 4, 0), (Some(4), 9, 5), (Some(4), 0, 0)]
		{
			let text = metrics.render(height, finalized, 1);
			let line = format!("gridproof_index_behind_blocks {behind}\n");
			assert!(text.contains(&line), "{height:?} {finalized}: {text}");
		}
	}
}
