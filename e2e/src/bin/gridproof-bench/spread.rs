//! Several times, and what to say of them.

use anyhow::{Result, ensure};
use std::time::Duration;

/// Least, middle, 95th percentile and most of several times.
pub(crate) struct Spread {
	times: Vec<Duration>,
}

impl Spread {
	/// Of these times.
	///
	/// # Errors
	/// If there are none.
	pub(crate) fn of(mut times: Vec<Duration>) -> Result<Self> {
		ensure!(!times.is_empty(), "nothing was measured");
		times.sort_unstable();
		Ok(Self { times })
	}

	/// The smallest time that `percent` of all do not exceed.
	fn percentile(&self, percent: usize) -> f64 {
		let rank = (self.times.len() * percent).div_ceil(100).max(1);
		self.times[rank - 1].as_secs_f64()
	}

	/// The same in milliseconds, for what is quick.
	pub(crate) fn milliseconds(&self) -> String {
		let [median, most_of_them, most] =
			[50, 95, 100].map(|percent| self.percentile(percent) * 1_000.0);
		format!(
			"median {median:.1} ms, 95 % within {most_of_them:.1} ms, at most {most:.1} ms ({} samples)",
			self.times.len()
		)
	}
}

impl std::fmt::Display for Spread {
	fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(
			formatter,
			"median {:.2} s, 95 % within {:.2} s, {:.2} … {:.2} s ({} samples)",
			self.percentile(50),
			self.percentile(95),
			self.percentile(1),
			self.percentile(100),
			self.times.len()
		)
	}
}

/// Least, middle and most of several rates.
///
/// # Errors
/// If there are none.
pub(crate) fn rates(mut rates: Vec<f64>, what: &str) -> Result<String> {
	ensure!(!rates.is_empty(), "nothing was measured");
	rates.sort_unstable_by(f64::total_cmp);
	let (least, middle, most) = (rates[0], rates[rates.len() / 2], rates[rates.len() - 1]);
	let count = rates.len();
	Ok(format!("median {middle:.0} {what} a second, {least:.0} … {most:.0} ({count} samples)"))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn percentiles_are_measured_values() {
		let spread = Spread::of((1..=20).rev().map(Duration::from_secs).collect()).expect("some");
		assert_eq!(spread.percentile(1), 1.0);
		assert_eq!(spread.percentile(50), 10.0);
		assert_eq!(spread.percentile(95), 19.0);
		assert_eq!(spread.percentile(100), 20.0);
	}

	#[test]
	fn what_is_quick_is_said_in_milliseconds() {
		let spread = Spread::of((1..=20).map(Duration::from_millis).collect()).expect("some");
		let said = "median 10.0 ms, 95 % within 19.0 ms, at most 20.0 ms (20 samples)";
		assert_eq!(spread.milliseconds(), said);
	}

	#[test]
	fn rates_are_measured_values() {
		let shown = rates(vec![3.0, 1.0, 2.0], "blocks").expect("some");
		assert_eq!(shown, "median 2 blocks a second, 1 … 3 (3 samples)");
	}

	#[test]
	fn no_measurement_is_an_error() {
		assert!(Spread::of(Vec::new()).is_err());
		assert!(rates(Vec::new(), "blocks").is_err());
	}
}
