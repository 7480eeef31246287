//! Figures of a fleet for Prometheus.

use crate::fleet::Fleet;
use gridproof_device::{Counters, SharedDevice};
use gridproof_http::{Metric, Metrics, MetricsError};
use gridproof_support::number::{clamped, gauge};
use prometheus::IntGauge;
use std::sync::{
	Arc,
	atomic::{AtomicU64, Ordering},
};

/// The figures themselves.
struct Figures {
	all: Metrics,
	meters: IntGauge,
	unsigned: IntGauge,
	import_wh: IntGauge,
	export_wh: IntGauge,
	published: IntGauge,
	confirmed: IntGauge,
	lost: IntGauge,
	signed: IntGauge,
	refused: IntGauge,
	connections: IntGauge,
	unheard: IntGauge,
}

impl Figures {
	fn new() -> Result<Self, MetricsError> {
		let all = Metrics::new("gridproof_fleet");
		let gauge = |name, help| all.gauge(name, help);
		Ok(Self {
			meters: gauge("meters", "Simulated meters")?,
			unsigned: gauge("unsigned_readings", "Readings published and not signed")?,
			import_wh: gauge("import_wh", "Sum of all import registers, in Wh")?,
			export_wh: gauge("export_wh", "Sum of all export registers, in Wh")?,
			published: gauge("published", "Readings and answers handed to the network so far")?,
			confirmed: gauge("confirmed", "Readings and answers confirmed by the broker so far")?,
			lost: gauge("lost", "Readings and answers lost with a connection so far")?,
			signed: gauge("signed_batches", "Batches signed so far")?,
			refused: gauge("refused_batches", "Batches refused so far")?,
			connections: gauge("connections_made", "Connections made to the broker so far")?,
			unheard: gauge(
				"subscriptions_refused",
				"Subscriptions that the broker has refused so far",
			)?,
			all,
		})
	}
}

/// Figures of a fleet, read from its devices when they are asked for.
pub struct FleetMetrics {
	figures: Figures,
	counters: Arc<Counters>,
	devices: Vec<SharedDevice>,
}

impl FleetMetrics {
	/// Returns the figures of a fleet.
	///
	/// # Errors
	/// [`MetricsError`], which would be a mistake in this file.
	pub fn of(fleet: &Fleet) -> Result<Self, MetricsError> {
		let members = fleet.groups.iter().flat_map(|(_, members)| members);
		let devices = members.map(|member| member.device.clone()).collect();
		Ok(Self { figures: Figures::new()?, counters: fleet.counters.clone(), devices })
	}

	/// Returns the figures as they are now, in Prometheus' text form.
	pub fn render(&self) -> String {
		let (mut unsigned, mut import_wh, mut export_wh) = (0usize, 0u64, 0u64);
		for device in &self.devices {
			let device = device.lock();
			let registers = device.registers();
			unsigned = unsigned.saturating_add(device.unsigned());
			import_wh = import_wh.saturating_add(registers.import_wh);
			export_wh = export_wh.saturating_add(registers.export_wh);
		}
		let figures = &self.figures;
		figures.meters.set(gauge(self.devices.len()));
		figures.unsigned.set(gauge(unsigned));
		figures.import_wh.set(clamped(import_wh));
		figures.export_wh.set(clamped(export_wh));
		let count = |counter: &AtomicU64| gauge(counter.load(Ordering::Relaxed));
		figures.published.set(count(&self.counters.published));
		figures.confirmed.set(count(&self.counters.confirmed));
		figures.lost.set(count(&self.counters.lost));
		figures.signed.set(count(&self.counters.signed));
		figures.refused.set(count(&self.counters.refused));
		figures.connections.set(count(&self.counters.connections));
		figures.unheard.set(count(&self.counters.unheard));
		figures.all.render()
	}

	/// Returns what the figures are, for the reference.
	///
	/// # Errors
	/// [`MetricsError`], which would be a mistake in this file.
	pub fn describe() -> Result<Vec<Metric>, MetricsError> {
		Ok(Figures::new()?.all.describe())
	}
}
