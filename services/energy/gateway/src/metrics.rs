//! Figures for Prometheus.

use crate::message::Source;
use gridproof_gateway_api::{Counts, IntakeStatus};
use gridproof_http::{Metric, Metrics as Figures, MetricsError};
use gridproof_support::number::{clamped, gauge};
use prometheus::{Histogram, IntCounterVec, IntGauge, IntGaugeVec};

/// Upper bounds of durations, in seconds.
const DURATIONS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// All figures of a gateway.
pub struct Metrics {
	figures: Figures,
	readings: IntCounterVec,
	refused: IntCounterVec,
	stored: IntGaugeVec,
	connections: IntGauge,
	intakes: IntGaugeVec,
	queue: IntGauge,
	/// Seconds from a message's arrival until it is durable.
	pub durable: Histogram,
	submissions: IntCounterVec,
	signatures: IntCounterVec,
}

impl Metrics {
	/// Figures that are all zero.
	///
	/// # Errors
	/// When a name is used twice: a defect.
	pub(crate) fn new() -> Result<Self, MetricsError> {
		let figures = Figures::new("gridproof_gateway");
		Ok(Self {
			readings: figures.counters(
				"readings_total",
				"Readings taken since the start",
				&["source", "again"],
				&[],
			)?,
			refused: figures.counters(
				"refused_total",
				"Messages refused since the start",
				&["source", "reason"],
				&[],
			)?,
			submissions: figures.counters(
				"submitted_batches_total",
				"Batches submitted to the chain since the start, by outcome",
				&["outcome"],
				&[&["accepted"], &["not_accepted"], &["failed"], &["parked"]],
			)?,
			signatures: figures.counters(
				"signatures_total",
				"Signatures asked for and given since the start",
				&["what"],
				&[
					&["asked"],
					&["not_listening"],
					&["device"],
					&["gateway"],
					&["refused"],
					&["restored"],
					&["bad"],
				],
			)?,
			connections: figures.gauge("mqtt_connections", "MQTT clients connected")?,
			intakes: figures.gauges(
				"intake_works",
				"1 while readings can come in this way, 0 while its part of the status says why not",
				&["source"],
			)?,
			queue: figures.gauge("write_queue", "Writes that wait for the disk")?,
			stored: figures.gauges(
				"stored",
				"Meters, readings, batches, dead letters, and what is in archive files",
				&["what"],
			)?,
			durable: figures.histogram(
				"durable_seconds",
				"Seconds from a message's arrival until it is durable",
				DURATIONS,
			)?,
			figures,
		})
	}

	/// What all figures are, in the order of their names.
	pub(crate) fn describe(&self) -> Vec<Metric> {
		self.figures.describe()
	}

	pub(crate) fn taken(&self, source: Source, again: bool) {
		let again = if again { "yes" } else { "no" };
		self.readings.with_label_values(&[source.as_str(), again]).inc();
	}

	pub(crate) fn refused(&self, source: Source, reason: &str) {
		self.refused.with_label_values(&[source.as_str(), reason]).inc();
	}

	pub(crate) fn submitted(&self, outcome: &str, batches: usize) {
		self.submissions.with_label_values(&[outcome]).inc_by(clamped(batches));
	}

	pub(crate) fn signature(&self, what: &str) {
		self.signatures.with_label_values(&[what]).inc();
	}

	/// All figures as text.
	pub(crate) fn render(
		&self,
		counts: &Counts,
		connections: usize,
		intakes: &[IntakeStatus],
		queue: usize,
	) -> String {
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
			("archived_readings", counts.archived_readings),
			("archived_batches", counts.archived_batches),
		] {
			self.stored.with_label_values(&[what]).set(gauge(value));
		}
		self.connections.set(gauge(connections));
		for IntakeStatus { source, trouble, .. } in intakes {
			self.intakes.with_label_values(&[source.as_str()]).set(i64::from(trouble.is_none()));
		}
		self.queue.set(gauge(queue));
		self.figures.render()
	}
}
