//! Figures for Prometheus.

use crate::{state::Counts, statements::Statement};
use gridproof_http::{Metric, MetricsError};
use gridproof_support::number::gauge;
use prometheus::{IntCounter, IntCounterVec, IntGaugeVec};
use std::collections::BTreeMap;

/// What a verifier counts.
pub(crate) struct Metrics {
	all: gridproof_http::Metrics,
	/// Checks that fell to it.
	pub(crate) drawn: IntCounter,
	/// Receipts that were done again.
	pub(crate) passes: IntCounter,
	/// Tokens of these.
	pub(crate) tokens: IntCounter,
	/// Milliseconds that they took.
	pub(crate) milliseconds: IntCounter,
	/// Openings asked for, by what came.
	pub(crate) openings: IntCounterVec,
	/// Statements that the chain has taken, by kind.
	pub(crate) statements: IntCounterVec,
	/// Reports that say that an output is not the model's.
	pub(crate) unequal: IntCounter,
	kept: IntGaugeVec,
	loops: IntGaugeVec,
}

impl Metrics {
	/// Returns all figures at zero.
	///
	/// # Errors
	/// [`MetricsError`] if a name below is used twice or cannot be one.
	pub(crate) fn new() -> Result<Self, MetricsError> {
		let all = gridproof_http::Metrics::new("gridproof_verifier");
		let counter = |name: &str, help: &str| all.counter(name, help);
		let kinds: Vec<[&str; 1]> = Statement::KINDS.iter().map(|kind| [*kind]).collect();
		let kinds: Vec<&[&str]> = kinds.iter().map(|kind| &kind[..]).collect();
		Ok(Self {
			drawn: counter("checks_drawn_total", "Checks that fell to this verifier")?,
			passes: counter("passes_total", "Receipts that were done again")?,
			tokens: counter("pass_tokens_total", "Tokens of prompts and outputs of these")?,
			milliseconds: counter("pass_milliseconds_total", "Milliseconds that these took")?,
			openings: all.counters(
				"openings_total",
				"Openings asked for, by what came: an opening that holds, one that does not, or none",
				&["outcome"],
				&[&["held"], &["broken"], &["none"]],
			)?,
			statements: all.counters(
				"statements_total",
				"Statements that the chain has taken, by kind",
				&["kind"],
				&kinds,
			)?,
			unequal: counter(
				"reports_not_equal_total",
				"Reports that say that an output is not the model's",
			)?,
			kept: all.gauges("statements", "Statements kept, by state", &["state"])?,
			loops: all.gauges(
				"loop_idle_seconds",
				"Seconds since the last turn of each loop, when this was asked",
				&["loop"],
			)?,
			all,
		})
	}

	/// Sets what is kept now, and how long ago each loop took a turn.
	pub(crate) fn set(&self, kept: Counts, idle: BTreeMap<String, u64>) {
		for (name, seconds) in idle {
			self.loops.with_label_values(&[name.as_str()]).set(gauge(seconds));
		}
		let Counts { signed, taken, refused, left_out } = kept;
		for (state, count) in
			[("signed", signed), ("taken", taken), ("refused", refused), ("left_out", left_out)]
		{
			self.kept.with_label_values(&[state]).set(gauge(count));
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
