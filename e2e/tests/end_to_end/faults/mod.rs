//! A day of a small network in short, with a fault in each of its hours: the broker away, the disk
//! full, the node away, clocks wrong by a day, an engine that aborts, and poisoned messages all the
//! time. Nothing that was accepted is lost or done twice, nothing is late for longer than is stated,
//! and `/health` and the status say at each moment how it is.
//!
//! CI runs the hour of compute. `scripts/soak faults` runs the day; `GRIDPROOF_FAULT_HOURS` is its length
//! (24).
//! What the machine cannot do, a full disk without root or another clock without libfaketime, is
//! left out and printed as `NOT CHECKED`.

mod broker;
mod clock;
mod compute;
mod disk;
mod energy;

use anyhow::{Context, Result};
use std::{env, time::Duration};

/// How long the test takes.
struct Pace {
	/// How often each fault comes.
	hours: u64,
	/// How long a fault lasts at least.
	fault: Duration,
	/// How long there is none.
	quiet: Duration,
}

const HOUR: Pace = Pace { hours: 1, fault: Duration::from_secs(6), quiet: Duration::from_secs(3) };

fn day() -> Result<Pace> {
	let hours = match env::var("GRIDPROOF_FAULT_HOURS") {
		Ok(text) => text.parse().context("GRIDPROOF_FAULT_HOURS is not a number")?,
		Err(_) => 24,
	};
	Ok(Pace { hours, fault: Duration::from_secs(20), quiet: Duration::from_secs(40) })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_reading_is_lost_in_an_hour_of_faults() -> Result<()> {
	energy::run(&HOUR).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_job_is_lost_or_paid_twice_in_an_hour_of_faults() -> Result<()> {
	compute::run(&HOUR).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes hours: scripts/soak faults"]
async fn no_reading_is_lost_in_a_day_of_faults() -> Result<()> {
	energy::run(&day()?).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes hours: scripts/soak faults"]
async fn no_job_is_lost_or_paid_twice_in_a_day_of_faults() -> Result<()> {
	compute::run(&day()?).await
}
