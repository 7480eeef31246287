//! Several times, and what to say of them.

use anyhow::{Result, ensure};
use std::time::Duration;

/// Least, middle, 95th percentile and most of several times.
pub struct Spread {
	times: Vec<Duration>,
}

impl Spread {
	/// Of these times.
	///
	/// # Errors
	/// If there are none.
	pub fn of(mut times: Vec<Duration>) -> Result<Self> {
		ensure!(!times.is_empty(), "nothing was measured");
		times.sort_unstable();
		Ok(Self { times })
	}

	/// The smallest time that `percent` of all do not exceed.
	fn percentile(&self, percent: usize) -> f64 {
		let rank = (self.times.len() * percent).div_ceil(100).max(1);
		self.times[rank - 1].as_secs_f64()
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
	fn no_measurement_is_an_error() {
		assert!(Spread::of(Vec::new()).is_err());
	}
}
