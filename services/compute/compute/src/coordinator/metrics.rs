//! Figures for Prometheus.

use super::{Coordinator, Refused, rows};
use prometheus::{Encoder, IntCounter, IntGaugeVec, Opts, Registry, TextEncoder};

/// What a coordinator counts.
pub struct Metrics {
	registry: Registry,
	/// Quotes given.
	pub quotes: IntCounter,
	/// Jobs accepted.
	pub jobs: IntCounter,
	/// Jobs given to miners.
	pub assignments: IntCounter,
	/// Jobs that came back.
	pub returned: IntCounter,
	/// Results refused.
	pub refused: IntCounter,
	/// Results accepted.
	pub completed: IntCounter,
	/// Results checked by doing the job again.
	pub checked: IntCounter,
	/// Tokens read and made.
	pub tokens: IntCounter,
	/// Compute units.
	pub units: IntCounter,
	/// Bundles of receipts submitted.
	pub bundles: IntCounter,
	/// Receipts whose fate is known.
	pub settled: IntCounter,
	states: IntGaugeVec,
	settlements: IntGaugeVec,
	miners: IntGaugeVec,
}

impl Default for Metrics {
	fn default() -> Self {
		Self::new()
	}
}

impl Metrics {
	/// All figures at zero.
	///
	/// # Panics
	/// Never: the names below are good and distinct.
	#[allow(clippy::expect_used)]
	pub fn new() -> Self {
		let registry = Registry::new();
		let counter = |name: &str, help: &str| {
			let counter = IntCounter::new(format!("gridproof_coordinator_{name}"), help)
				.expect("a good name");
			registry.register(Box::new(counter.clone())).expect("a new name");
			counter
		};
		let gauges = |name: &str, help: &str, label: &str| {
			let opts = Opts::new(format!("gridproof_coordinator_{name}"), help);
			let gauges = IntGaugeVec::new(opts, &[label]).expect("a good name");
			registry.register(Box::new(gauges.clone())).expect("a new name");
			gauges
		};
		Self {
			quotes: counter("quotes_total", "Quotes given since the start"),
			jobs: counter("jobs_total", "Jobs accepted since the start"),
			assignments: counter("assignments_total", "Jobs given to miners since the start"),
			returned: counter("returned_total", "Jobs that came back since the start"),
			refused: counter("results_refused_total", "Results refused since the start"),
			completed: counter("results_total", "Results accepted since the start"),
			checked: counter("results_checked_total", "Results checked by doing the job again"),
			tokens: counter("tokens_total", "Tokens read and made since the start"),
			units: counter("compute_units_total", "Compute units since the start"),
			bundles: counter("bundles_total", "Bundles of receipts submitted since the start"),
			settled: counter("receipts_decided_total", "Receipts decided since the start"),
			states: gauges("jobs", "Jobs by state", "state"),
			settlements: gauges("receipts", "Receipts by settlement", "settlement"),
			miners: gauges("miners", "Miners that are there, by class", "class"),
			registry,
		}
	}
}

impl Coordinator {
	/// All figures as Prometheus reads them.
	///
	/// # Errors
	/// [`crate::protocol::FaultCode::Internal`].
	pub async fn metrics_text(&self) -> Result<String, Refused> {
		let (states, settlements) =
			self.read(|db| Ok((rows::counts(db)?, rows::settlements(db)?))).await?;
		let gauge = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
		for state in super::state::JobState::ALL {
			let count = states.iter().find(|(known, _)| *known == state).map_or(0, |(_, n)| *n);
			self.metrics.states.with_label_values(&[state.as_str()]).set(gauge(count));
		}
		for (settlement, count, _) in settlements {
			let label = [settlement.as_str()];
			self.metrics.settlements.with_label_values(&label).set(gauge(count));
		}
		let sessions = self.sessions.all(self.now());
		for (class, label) in
			[(crate::protocol::ClassName::Gpu, "gpu"), (crate::protocol::ClassName::Cpu, "cpu")]
		{
			let count = sessions.iter().filter(|session| session.class == class).count();
			let count = i64::try_from(count).unwrap_or(i64::MAX);
			self.metrics.miners.with_label_values(&[label]).set(count);
		}
		let mut text = Vec::new();
		let encoded = TextEncoder::new().encode(&self.metrics.registry.gather(), &mut text);
		encoded.map_err(|error| {
			Refused::new(crate::protocol::FaultCode::Internal, error.to_string())
		})?;
		Ok(String::from_utf8_lossy(&text).into_owned())
	}
}
