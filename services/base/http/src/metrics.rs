//! Figures for Prometheus.

use gridproof_support::Lock;
use prometheus::{
	Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
	Registry, TextEncoder, core::Collector,
};
use serde::Serialize;
use std::sync::Mutex;

/// A figure that cannot be made: its name is used twice or is not a Prometheus name.
#[derive(Debug, thiserror::Error)]
#[error("the figure {name}: {reason}")]
pub struct MetricsError {
	name: String,
	reason: prometheus::Error,
}

/// What a figure is, for the reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Metric {
	/// Its whole name.
	pub name: String,
	/// `counter`, `gauge` or `histogram`.
	pub kind: &'static str,
	/// What it counts, with its unit.
	pub help: String,
	/// Names of its labels.
	pub labels: Vec<String>,
}

/// The figures of one program, whose names share a prefix.
pub struct Metrics {
	prefix: &'static str,
	registry: Registry,
	described: Mutex<Vec<Metric>>,
}

impl Metrics {
	/// Returns no figures yet; `prefix` is put before each name, with an underscore.
	pub fn new(prefix: &'static str) -> Self {
		Self { prefix, registry: Registry::new(), described: Mutex::default() }
	}

	/// Adds a number that only grows.
	///
	/// # Errors
	/// [`MetricsError`].
	pub fn counter(&self, name: &str, help: &str) -> Result<IntCounter, MetricsError> {
		self.add(name, "counter", help, &[], |opts, _| IntCounter::with_opts(opts))
	}

	/// Adds numbers that only grow, by label. The `known` combinations of labels stand at zero
	/// from the start, so that an alarm sees them before the first event.
	///
	/// # Errors
	/// [`MetricsError`].
	pub fn counters(
		&self,
		name: &str,
		help: &str,
		labels: &[&str],
		known: &[&[&str]],
	) -> Result<IntCounterVec, MetricsError> {
		let counters = self.add(name, "counter", help, labels, IntCounterVec::new)?;
		for values in known {
			let made = counters.get_metric_with_label_values(values);
			made.map_err(|reason| self.error(name, reason))?;
		}
		Ok(counters)
	}

	/// Adds a number that goes up and down.
	///
	/// # Errors
	/// [`MetricsError`].
	pub fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, MetricsError> {
		self.add(name, "gauge", help, &[], |opts, _| IntGauge::with_opts(opts))
	}

	/// Adds numbers that go up and down, by label.
	///
	/// # Errors
	/// [`MetricsError`].
	pub fn gauges(
		&self,
		name: &str,
		help: &str,
		labels: &[&str],
	) -> Result<IntGaugeVec, MetricsError> {
		self.add(name, "gauge", help, labels, IntGaugeVec::new)
	}

	/// Adds a distribution; `buckets` are the upper bounds, in the unit of the name.
	///
	/// # Errors
	/// [`MetricsError`].
	pub fn histogram(
		&self,
		name: &str,
		help: &str,
		buckets: &[f64],
	) -> Result<Histogram, MetricsError> {
		let buckets = buckets.to_vec();
		self.add(name, "histogram", help, &[], |opts, _| {
			Histogram::with_opts(HistogramOpts { common_opts: opts, buckets })
		})
	}

	fn add<C: Collector + Clone + 'static>(
		&self,
		name: &str,
		kind: &'static str,
		help: &str,
		labels: &[&str],
		make: impl FnOnce(Opts, &[&str]) -> prometheus::Result<C>,
	) -> Result<C, MetricsError> {
		let whole = self.whole(name);
		let figure = make(Opts::new(&whole, help), labels)
			.and_then(|figure| {
				self.registry.register(Box::new(figure.clone()))?;
				Ok(figure)
			})
			.map_err(|reason| self.error(name, reason))?;
		let labels = labels.iter().map(|label| (*label).to_string()).collect();
		let metric = Metric { name: whole, kind, help: help.to_string(), labels };
		self.described.locked().push(metric);
		Ok(figure)
	}

	fn whole(&self, name: &str) -> String {
		format!("{}_{name}", self.prefix)
	}

	fn error(&self, name: &str, reason: prometheus::Error) -> MetricsError {
		MetricsError { name: self.whole(name), reason }
	}

	/// Returns what all figures are, in the order of their names.
	pub fn describe(&self) -> Vec<Metric> {
		let mut all = self.described.locked().clone();
		all.sort_by(|one, other| one.name.cmp(&other.name));
		all
	}

	/// Returns all figures in Prometheus' text form.
	pub fn render(&self) -> String {
		let mut text = Vec::new();
		if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
			tracing::error!(%error, "the figures cannot be written");
		}
		String::from_utf8_lossy(&text).into_owned()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn figures_are_rendered_and_known_labels_stand_at_zero() {
		let metrics = Metrics::new("gridproof_test");
		let jobs = metrics.counter("jobs_total", "Jobs since the start").unwrap();
		let _refused = metrics
			.counters("refused_total", "Refusals since the start", &["reason"], &[&["late"]])
			.unwrap();
		jobs.inc_by(3);
		let text = metrics.render();
		assert!(text.contains("gridproof_test_jobs_total 3"), "{text}");
		assert!(text.contains("gridproof_test_refused_total{reason=\"late\"} 0"), "{text}");
		let described = metrics.describe();
		assert_eq!(described[0].name, "gridproof_test_jobs_total");
		assert_eq!(described[1].labels, ["reason"]);
	}

	#[test]
	fn a_name_that_is_used_twice_is_an_error() {
		let metrics = Metrics::new("gridproof_test");
		metrics.gauge("queue", "Writes that wait").unwrap();
		let error = metrics.gauge("queue", "Writes that wait").unwrap_err();
		assert!(error.to_string().starts_with("the figure gridproof_test_queue: "), "{error}");
		assert!(metrics.gauge("not a name", "x").is_err());
	}
}
