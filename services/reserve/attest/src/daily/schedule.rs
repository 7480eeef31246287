//! When an operator wants days to be done.

use super::timetable::Timetable;
use chrono::NaiveTime;
use chrono_tz::Tz;
use gridproof_chain::{ChainError, Link, pallets::attestations::query};
use gridproof_primitives::time::{calendar::Calendar, day::Day};
use gridproof_support::Backoff;
use std::time::Duration;

/// Pauses between questions for the chain's calendar.
const PAUSES: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));

/// When days are done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
	/// On the day after, at two times of the local clock.
	Daily {
		/// Time zone of that clock.
		zone: Tz,
		/// Time at which data is loaded.
		load_at: NaiveTime,
		/// Time at which the attestation is made.
		attest_at: NaiveTime,
	},
	/// One day after another in a steady beat, from a first day on.
	Every {
		/// The first day.
		first_day: Day,
		/// Length of the beat, in milliseconds.
		day_length: u64,
	},
	/// Each day as soon as the chain's own calendar is past it.
	Chain,
}

impl Schedule {
	/// Returns the timetable as of now. `started_at` is when the very first run began, UTC
	/// milliseconds. Waits for the chain's calendar if the schedule follows it.
	pub async fn timetable(&self, started_at: u64, link: &Link) -> Timetable {
		match *self {
			Self::Daily { zone, load_at, attest_at } => {
				Timetable::Daily { zone, load_at, attest_at }
			},
			Self::Every { first_day, day_length } => {
				Timetable::Every(Calendar { first_day, starts_at: started_at, day_length })
			},
			Self::Chain => Timetable::Chain(chain_calendar(link).await),
		}
	}
}

async fn chain_calendar(link: &Link) -> Calendar {
	let mut pauses = PAUSES.pauses();
	loop {
		match calendar(link).await {
			// A calendar of a chain's own begins with its first block.
			Ok(calendar) if calendar.starts_at == 0 && calendar != Calendar::UTC => {
				tracing::warn!(event = "no_calendar", "the chain has no final block yet");
			},
			Ok(calendar) => return calendar,
			Err(error) => tracing::warn!(event = "no_calendar", %error, "asking again"),
		}
		tokio::time::sleep(pauses.next_pause()).await;
	}
}

async fn calendar(link: &Link) -> Result<Calendar, ChainError> {
	Ok(link.read(&query::calendar()).await?.0)
}
