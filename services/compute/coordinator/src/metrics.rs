//! Figures for Prometheus.

use gridproof_compute_api::protocol::{ClassName, JobStage, Settlement};
use gridproof_http::{Metric, MetricsError};
use gridproof_support::number::gauge;
use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

/// What a coordinator counts.
pub(crate) struct Metrics {
	all: gridproof_http::Metrics,
	/// Quotes given.
	pub(crate) quotes: IntCounter,
	/// Jobs accepted.
	pub(crate) jobs: IntCounter,
	/// Jobs given to miners.
	pub(crate) assignments: IntCounter,
	/// Jobs that came back.
	pub(crate) returned: IntCounter,
	/// Results refused.
	pub(crate) refused: IntCounter,
	/// Results accepted.
	pub(crate) completed: IntCounter,
	/// Results checked with an engine of the coordinator's own.
	pub(crate) checked: IntCounter,
	/// Tokens read and made.
	pub(crate) tokens: IntCounter,
	/// Compute units.
	pub(crate) units: IntCounter,
	/// Bundles of receipts submitted.
	pub(crate) bundles: IntCounter,
	/// Receipts whose fate is known.
	pub(crate) settled: IntCounter,
	/// Jobs whose texts were deleted.
	pub(crate) pruned_texts: IntCounter,
	/// Jobs that were deleted.
	pub(crate) pruned_jobs: IntCounter,
	/// Requests that were answered with the job of the same one before.
	pub(crate) repeated: IntCounter,
	/// Payouts of emission.
	pub(crate) payouts: IntCounter,
	/// Demands on chain that were answered.
	pub(crate) answered: IntCounter,
	/// Demands on chain that are open.
	pub(crate) demands: IntGauge,
	/// Receipts given up, as their channel ended before they were settled.
	pub(crate) given_up: IntCounter,
	/// Receipts and batches of channels that were deleted.
	pub(crate) pruned_receipts: IntCounter,
	/// Batches that the chain has refused and whose receipts wait.
	pub(crate) stuck: IntGauge,
	/// Receipts that were opened, by who asked.
	pub(crate) openings: IntCounterVec,
	stages: IntGaugeVec,
	settlements: IntGaugeVec,
	miners: IntGaugeVec,
	database: IntGaugeVec,
	loops: IntGaugeVec,
}

impl Metrics {
	/// Returns all figures at zero.
	///
	/// # Errors
	/// [`MetricsError`] if a name below is used twice or cannot be one.
	pub(crate) fn new() -> Result<Self, MetricsError> {
		let all = gridproof_http::Metrics::new("gridproof_coordinator");
		let counter = |name: &str, help: &str| all.counter(name, help);
		let gauges = |name: &str, help: &str, label: &str| all.gauges(name, help, &[label]);
		Ok(Self {
			quotes: counter("quotes_total", "Quotes given since the start")?,
			jobs: counter("jobs_total", "Jobs accepted since the start")?,
			assignments: counter("assignments_total", "Jobs given to miners since the start")?,
			returned: counter("returned_total", "Jobs that came back since the start")?,
			refused: counter("results_refused_total", "Results refused since the start")?,
			completed: counter("results_total", "Results accepted since the start")?,
			checked: counter(
				"results_checked_total",
				"Results checked with the coordinator's own engine since the start",
			)?,
			tokens: counter("tokens_total", "Tokens read and made since the start")?,
			units: counter("compute_units_total", "Compute units since the start")?,
			bundles: counter("bundles_total", "Bundles of receipts submitted since the start")?,
			settled: counter("receipts_decided_total", "Receipts decided since the start")?,
			pruned_texts: counter(
				"texts_deleted_total",
				"Jobs whose prompt and answer were deleted since the start",
			)?,
			pruned_jobs: counter("jobs_deleted_total", "Jobs deleted since the start")?,
			repeated: counter(
				"repeated_requests_total",
				"Requests of the front answered with the job of the same request, since the start",
			)?,
			payouts: counter(
				"payouts_total",
				"Payouts of emission that the chain has made since the start",
			)?,
			answered: counter(
				"demands_answered_total",
				"Demands on chain that were answered since the start",
			)?,
			demands: all.gauge("demands_open", "Demands on chain that wait for an answer")?,
			given_up: counter(
				"receipts_given_up_total",
				"Receipts of channels that ended before they were settled, since the start",
			)?,
			pruned_receipts: counter(
				"channel_receipts_deleted_total",
				"Receipts of channels that were deleted since the start",
			)?,
			stuck: all.gauge(
				"batches_refused",
				"1 while a batch that the chain refused permanently waits for its operator",
			)?,
			openings: all.counters(
				"openings_total",
				"Receipts opened since the start, by who asked",
				&["asked_by"],
				&[&["client"], &["drawn"], &["reopens"], &["witness"], &["juror"]],
			)?,
			stages: gauges("jobs", "Jobs by state", "state")?,
			settlements: gauges("receipts", "Receipts by settlement", "settlement")?,
			miners: gauges("miners", "Miners with a session, by class", "class")?,
			database: gauges(
				"database_bytes",
				"Bytes of the database's file, of these free, and of its log",
				"part",
			)?,
			loops: gauges(
				"loop_idle_seconds",
				"Seconds since the last turn of each loop, when this was asked",
				"loop",
			)?,
			all,
		})
	}

	/// Sets the number of jobs in a stage.
	pub(crate) fn set_jobs(&self, stage: JobStage, count: u64) {
		self.stages.with_label_values(&[stage.as_str()]).set(gauge(count));
	}

	/// Sets the number of receipts with a settlement.
	pub(crate) fn set_receipts(&self, settlement: Settlement, count: u64) {
		self.settlements.with_label_values(&[settlement.as_str()]).set(gauge(count));
	}

	/// Sets the number of miners of a class.
	pub(crate) fn set_miners(&self, class: ClassName, count: usize) {
		let label = match class {
			ClassName::Gpu => "gpu",
			ClassName::Cpu => "cpu",
		};
		self.miners.with_label_values(&[label]).set(gauge(count));
	}

	/// Sets the size of a part of the database, in bytes.
	pub(crate) fn set_database(&self, part: &str, bytes: u64) {
		self.database.with_label_values(&[part]).set(gauge(bytes));
	}

	/// Sets the seconds since the last turn of a loop.
	pub(crate) fn set_loop(&self, name: &str, seconds: u64) {
		self.loops.with_label_values(&[name]).set(gauge(seconds));
	}

	/// Returns all figures in Prometheus' text form.
	pub(crate) fn render(&self) -> String {
		self.all.render()
	}

	/// Returns what all figures are.
	pub(crate) fn describe(&self) -> Vec<Metric> {
		self.all.describe()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_figure_has_a_name_of_its_own() {
		let described = Metrics::new().unwrap().describe();
		assert_eq!(described.len(), 26);
	}
}
