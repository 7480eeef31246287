//! A zone's price of a day, with its moving average.

use crate::{
	day::{DataItem, DayPrice, FigureError, day_price},
	decimal::Price,
	eic::Eic,
	ema::{MAX_WINDOW, ema},
	source::{Source, SourceError},
	time::{DayError, DayWindow},
};
use chrono_tz::Tz;
use gridproof_primitives::{num::decimal::SignedRatio, time::day::Day};
use serde::Serialize;

/// The price of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PriceReport {
	/// Time-weighted mean of the day's slots.
	pub mean_eur_per_mwh: Price,
	/// Number of slots of the day.
	pub slots: u32,
	/// Number of slots with a price below zero.
	pub negative_slots: u32,
	/// The series of the day's documents that were passed over, each with the reason.
	#[serde(skip_serializing_if = "Vec::is_empty")]
	pub passed_over: Vec<String>,
	/// The moving average, if one was asked for.
	#[serde(flatten)]
	pub average: Option<Average>,
}

/// A moving average; see [`crate::ema`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Average {
	/// The average, rounded down at 12 decimals.
	pub ema_eur_per_mwh: Price,
	/// Its window in days.
	pub ema_window: u32,
	/// Days that it rests on: fewer than the window while there is no more history.
	pub ema_days: u32,
}

impl PriceReport {
	/// Returns the price to state: the moving average if one was asked for, else the day's mean.
	pub fn price(&self) -> SignedRatio {
		let average = self.average.as_ref().map(|average| &average.ema_eur_per_mwh);
		average.unwrap_or(&self.mean_eur_per_mwh).stated()
	}
}

/// Why there is no price.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
	/// The window is 0 or too long.
	#[error("the window of the average must be 1 to {MAX_WINDOW} days")]
	Window,
	/// A day that has no window.
	#[error(transparent)]
	Day(#[from] DayError),
	/// The documents of a day give no price.
	#[error("{day}: {reason}")]
	NoPrice {
		/// The day.
		day: Day,
		/// Why.
		reason: FigureError,
	},
	/// The source gives no document.
	#[error("{day}: {reason}")]
	Source {
		/// The day.
		day: Day,
		/// Why.
		reason: SourceError,
	},
	/// The figures leave the range of the formula.
	#[error("the prices are out of range")]
	OutOfRange,
}

/// The price of `day` from `files`, which may hold other days as well.
pub fn price_from_files<B: AsRef<[u8]>>(
	files: &[B],
	asked: Option<&Eic>,
	day: Day,
	zone: Tz,
	ema_window: Option<u32>,
) -> Result<PriceReport, PriceError> {
	let newest = price_of(files, asked, day, zone)?;
	let Some(window) = checked(ema_window)? else { return report(&newest, &[], None) };
	let mut earlier = Vec::new();
	for day in days_before(day, window) {
		match price_of(files, asked, day, zone) {
			Ok(price) => earlier.push(price),
			Err(PriceError::NoPrice { reason: FigureError::NoData(_), .. }) => break,
			Err(failure) => return Err(failure),
		}
	}
	report(&newest, &earlier, Some(window))
}

/// The price of `day` in the area `eic`, from `source`.
pub async fn price_from_source(
	source: &Source,
	eic: &Eic,
	day: Day,
	zone: Tz,
	ema_window: Option<u32>,
) -> Result<PriceReport, PriceError> {
	let newest = fetch(source, eic, day, zone).await?;
	let Some(window) = checked(ema_window)? else { return report(&newest, &[], None) };
	let mut earlier = Vec::new();
	for day in days_before(day, window) {
		match fetch(source, eic, day, zone).await {
			Ok(price) => earlier.push(price),
			Err(
				PriceError::NoPrice { reason: FigureError::NoData(_), .. }
				| PriceError::Source { reason: SourceError::NoData(_), .. },
			) => break,
			Err(failure) => return Err(failure),
		}
	}
	report(&newest, &earlier, Some(window))
}

fn price_of<B: AsRef<[u8]>>(
	files: &[B],
	asked: Option<&Eic>,
	day: Day,
	zone: Tz,
) -> Result<DayPrice, PriceError> {
	let window = DayWindow::local(day, zone)?;
	day_price(files, asked, &window).map_err(|reason| PriceError::NoPrice { day, reason })
}

async fn fetch(source: &Source, eic: &Eic, day: Day, zone: Tz) -> Result<DayPrice, PriceError> {
	let window = DayWindow::local(day, zone)?;
	let files = source
		.documents(DataItem::Price, eic, &window)
		.await
		.map_err(|reason| PriceError::Source { day, reason })?;
	price_of(&files, Some(eic), day, zone)
}

fn checked(window: Option<u32>) -> Result<Option<u32>, PriceError> {
	match window {
		Some(window) if !(1..=MAX_WINDOW).contains(&window) => Err(PriceError::Window),
		window => Ok(window),
	}
}

/// The `window − 1` days before `day`, newest first.
fn days_before(day: Day, window: u32) -> impl Iterator<Item = Day> {
	let before = window.saturating_sub(1);
	std::iter::successors(day.previous(), |day| day.previous()).take(before as usize)
}

/// `earlier` is newest first.
fn report(
	newest: &DayPrice,
	earlier: &[DayPrice],
	window: Option<u32>,
) -> Result<PriceReport, PriceError> {
	let average = match window {
		None => None,
		Some(window) => {
			let means: Vec<_> =
				earlier.iter().rev().chain([newest]).map(|price| price.mean).collect();
			let average = ema(&means, window).ok_or(PriceError::OutOfRange)?;
			let days = u32::try_from(means.len()).map_err(|_| PriceError::OutOfRange)?;
			Some(Average {
				ema_eur_per_mwh: Price::of(&average),
				ema_window: window,
				ema_days: days,
			})
		},
	};
	Ok(PriceReport {
		mean_eur_per_mwh: Price::of(&newest.mean),
		slots: newest.slots,
		negative_slots: newest.negative_slots,
		passed_over: newest.passed_over.clone(),
		average,
	})
}
