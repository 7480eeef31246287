//! Figures for Prometheus.

use crate::{ingest::Source, storage::Counts};
use prometheus::{Encoder, Histogram, HistogramOpts, IntCounterVec, IntGauge, IntGaugeVec, Opts};
use prometheus::{Registry as Collection, TextEncoder};

/// All figures of a gateway.
pub struct Metrics {
	collection: Collection,
	readings: IntCounterVec,
	refused: IntCounterVec,
	stored: IntGaugeVec,
	connections: IntGauge,
	queue: IntGauge,
	/// Seconds from a message's arrival until it is durable.
	pub durable: Histogram,
	submissions: IntCounterVec,
	signatures: IntCounterVec,
}

impl Metrics {
	/// Figures that all stand at zero.
	///
	/// # Errors
	/// A name that is used twice: a defect.
	pub fn new() -> Result<Self, prometheus::Error> {
		let collection = Collection::new();
		let counters = |name: &str, help: &str, labels: &[&str]| {
			let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
			collection.register(Box::new(counters.clone()))?;
			Ok::<_, prometheus::Error>(counters)
		};
		let gauge = |name: &str, help: &str| {
			let gauge = IntGauge::new(name, help)?;
			collection.register(Box::new(gauge.clone()))?;
			Ok::<_, prometheus::Error>(gauge)
		};
		let stored =
			IntGaugeVec::new(Opts::new("gridproof_gateway_stored", "What is kept"), &["what"])?;
		collection.register(Box::new(stored.clone()))?;
		let durable = Histogram::with_opts(
			HistogramOpts::new(
				"gridproof_gateway_durable_seconds",
				"Time from a message's arrival until it is durable",
			)
			.buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0]),
		)?;
		collection.register(Box::new(durable.clone()))?;
		Ok(Self {
			readings: counters(
				"gridproof_gateway_readings_total",
				"Logs taken since start",
				&["source", "again"],
			)?,
			refused: counters(
				"gridproof_gateway_refused_total",
				"Messages refused since start",
				&["source", "reason"],
			)?,
			submissions: counters(
				"gridproof_gateway_submitted_batches_total",
				"Batches brought to the chain since start, by outcome",
				&["outcome"],
			)?,
			signatures: counters(
				"gridproof_gateway_signatures_total",
				"Signatures asked for and given since start",
				&["what"],
			)?,
			connections: gauge("gridproof_gateway_mqtt_connections", "MQTT clients connected")?,
			queue: gauge("gridproof_gateway_write_queue", "Writes that wait for the disk")?,
			stored,
			durable,
			collection,
		})
	}

	pub(crate) fn taken(&self, source: Source, again: bool) {
		let again = if again { "yes" } else { "no" };
		self.readings.with_label_values(&[source.as_str(), again]).inc();
	}

	pub(crate) fn refused(&self, source: Source, reason: &str) {
		self.refused.with_label_values(&[source.as_str(), reason]).inc();
	}

	pub(crate) fn submitted(&self, outcome: &str, batches: usize) {
		let batches = u64::try_from(batches).unwrap_or(u64::MAX);
		self.submissions.with_label_values(&[outcome]).inc_by(batches);
	}

	pub(crate) fn signature(&self, what: &str) {
		self.signatures.with_label_values(&[what]).inc();
	}

	/// All figures as text.
	pub(crate) fn render(&self, counts: &Counts, connections: usize, queue: usize) -> String {
		let set = |gauge: &IntGauge, value: u64| {
			gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
		};
		for (what, value) in [
			("meters", counts.meters),
			("readings", counts.readings),
			("pending_readings", counts.pending),
			("batches", counts.batches),
			("batches_not_certified", counts.not_certified),
			("batches_unsigned", counts.unsigned),
			("batches_signed", counts.signed),
			("batches_accepted", counts.accepted),
			("batches_parked", counts.parked),
			("dead_letters", counts.dead_letters),
		] {
			set(&self.stored.with_label_values(&[what]), value);
		}
		set(&self.connections, u64::try_from(connections).unwrap_or(u64::MAX));
		set(&self.queue, u64::try_from(queue).unwrap_or(u64::MAX));
		let mut text = Vec::new();
		// Writing to memory does not fail.
		let _ = TextEncoder::new().encode(&self.collection.gather(), &mut text);
		String::from_utf8_lossy(&text).into_owned()
	}
}
