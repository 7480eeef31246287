//! Figures of the daily run for Prometheus.

use super::state::DaemonState;
use gridproof_http::{Metric, Metrics, MetricsError};
use gridproof_support::number::{clamped, gauge};
use prometheus::{IntCounter, IntGauge};
use std::sync::Arc;

/// Figures of the daily run.
#[derive(Clone)]
pub struct DailyMetrics {
	all: Arc<Metrics>,
	failed: IntCounter,
	attested: IntGauge,
	open: IntGauge,
	given_up: IntGauge,
	through: IntGauge,
	partial: IntGauge,
	rivals: IntCounter,
	clock: IntGauge,
}

impl DailyMetrics {
	/// Returns figures that all stand at zero.
	///
	/// # Errors
	/// [`MetricsError`], which would be a mistake in this file.
	pub fn new() -> Result<Self, MetricsError> {
		let all = Metrics::new("gridproof_attest");
		Ok(Self {
			failed: all
				.counter("step_failures_total", "Failed attempts at a step since the start")?,
			attested: all.gauge("attested_days", "Days attested since the first run")?,
			open: all.gauge("open_days", "Days that are due and not attested yet")?,
			given_up: all.gauge("given_up_days", "Days given up, at most 366 are remembered")?,
			through: all.gauge("last_due_day", "The last day that was due, in days since 1970")?,
			partial: all
				.gauge("partial_days", "Attested days that lack zones and may be revised")?,
			rivals: all.counter(
				"rival_statements_total",
				"Statements on the chain that did not come from here, since the start",
			)?,
			clock: all.gauge(
				"clock_difference_seconds",
				"Time by which the machine's clock is before (+) or behind (-) the chain",
			)?,
			all: Arc::new(all),
		})
	}

	/// Returns all figures, to be served.
	pub fn all(&self) -> Arc<Metrics> {
		self.all.clone()
	}

	/// Returns what the figures are, for the reference.
	pub fn describe(&self) -> Vec<Metric> {
		self.all.describe()
	}

	pub(super) fn failed(&self) {
		self.failed.inc();
	}

	pub(super) fn rival(&self) {
		self.rivals.inc();
	}

	/// Shows by how much the machine's clock differs, both in UTC milliseconds.
	pub(super) fn clock_differs_by(&self, machine: u64, chain: u64) {
		let difference: i64 = clamped(machine.abs_diff(chain) / 1_000);
		self.clock.set(if machine < chain { -difference } else { difference });
	}

	pub(super) fn show(&self, state: &DaemonState) {
		self.attested.set(clamped(state.attested));
		self.open.set(gauge(state.open.len()));
		self.given_up.set(gauge(state.given_up.len()));
		self.partial.set(gauge(state.partial.len()));
		self.through.set(state.through.map_or(0, |day| day.days().into()));
	}
}
