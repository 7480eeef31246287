//! Figures for Prometheus.

use crate::outbox::Counts;
use gridproof_http::{Metric, MetricsError};
use gridproof_support::number::gauge;
use prometheus::{IntCounter, IntGauge, IntGaugeVec};
use std::collections::BTreeMap;

/// What a miner counts.
pub(crate) struct Metrics {
	all: gridproof_http::Metrics,
	/// Sessions begun with coordinators.
	pub(crate) sessions: IntCounter,
	/// Jobs begun.
	pub(crate) jobs: IntCounter,
	/// Jobs given back.
	pub(crate) returned: IntCounter,
	/// Results signed.
	pub(crate) signed: IntCounter,
	/// Tokens read and made for signed results.
	pub(crate) tokens: IntCounter,
	/// Compute units of signed results.
	pub(crate) units: IntCounter,
	/// Heartbeats that the chain has taken.
	pub(crate) heartbeats: IntCounter,
	/// Payouts that the chain has made.
	pub(crate) payouts: IntCounter,
	running: IntGauge,
	results: IntGaugeVec,
	loops: IntGaugeVec,
}

impl Metrics {
	/// Returns all figures at zero.
	///
	/// # Errors
	/// [`MetricsError`] if a name below is used twice or cannot be one.
	pub(crate) fn new() -> Result<Self, MetricsError> {
		let all = gridproof_http::Metrics::new("gridproof_miner");
		let counter = |name: &str, help: &str| all.counter(name, help);
		Ok(Self {
			sessions: counter("sessions_total", "Sessions begun with coordinators")?,
			jobs: counter("jobs_total", "Jobs begun since the start")?,
			returned: counter("jobs_returned_total", "Jobs given back since the start")?,
			signed: counter("results_total", "Results signed since the start")?,
			tokens: counter("tokens_total", "Tokens read and made for signed results")?,
			units: counter("compute_units_total", "Compute units of signed results")?,
			heartbeats: counter("heartbeats_total", "Heartbeats that the chain has taken")?,
			payouts: counter("payouts_total", "Payouts of emission that the chain has made")?,
			running: all.gauge("running_jobs", "Jobs that are being run")?,
			results: all.gauges("results", "Results kept, by state", &["state"])?,
			loops: all.gauges(
				"loop_idle_seconds",
				"Seconds since the last turn of each loop, when this was asked",
				&["loop"],
			)?,
			all,
		})
	}

	/// Sets what is running and kept now, and how long ago each loop took a turn.
	pub(crate) fn set(&self, running: usize, kept: Counts, idle: BTreeMap<String, u64>) {
		self.running.set(gauge(running));
		for (name, seconds) in idle {
			self.loops.with_label_values(&[name.as_str()]).set(gauge(seconds));
		}
		let Counts { pending, delivered, withheld, refused, .. } = kept;
		for (state, count) in [
			("pending", pending),
			("delivered", delivered),
			("withheld", withheld),
			("refused", refused),
		] {
			self.results.with_label_values(&[state]).set(gauge(count));
		}
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
