//! Figures of the issuer for Prometheus.

use gridproof_http::{Metric, Metrics, MetricsError};
use gridproof_primitives::reserve::state::Status;
use gridproof_support::number::clamped;
use prometheus::{IntCounter, IntGauge};
use std::sync::Arc;

/// Figures of the issuer.
#[derive(Clone)]
pub struct IssuerMetrics {
	all: Arc<Metrics>,
	/// Mints that became final.
	pub(super) mints: IntCounter,
	/// Mints that the chain refused.
	pub(super) refusals: IntCounter,
	/// Questions and mints that failed on the way.
	pub(super) outages: IntCounter,
	allowance: IntGauge,
	minted: IntGauge,
}

impl IssuerMetrics {
	/// Returns figures that all stand at zero.
	///
	/// # Errors
	/// [`MetricsError`], which would be a mistake in this file.
	pub fn new() -> Result<Self, MetricsError> {
		let all = Metrics::new("gridproof_issuer");
		let mints = all.counter("mints_total", "Mints that became final since the start")?;
		let refusals =
			all.counter("refusals_total", "Mints refused by the chain since the start")?;
		let outages = all.counter(
			"outages_total",
			"Questions and mints that failed on the way to the chain since the start",
		)?;
		let allowance = all.gauge("allowance_micro_aicp", "What can be minted now")?;
		let minted = all.gauge("minted_today_micro_aicp", "What was minted on the chain's day")?;
		Ok(Self { all: Arc::new(all), mints, refusals, outages, allowance, minted })
	}

	/// Returns all figures, to be served.
	pub fn all(&self) -> Arc<Metrics> {
		self.all.clone()
	}

	/// Returns what the figures are, for the reference.
	pub fn describe(&self) -> Vec<Metric> {
		self.all.describe()
	}

	pub(super) fn show(&self, status: &Status) {
		self.allowance.set(clamped(status.allowance));
		self.minted.set(clamped(status.minted));
	}
}
