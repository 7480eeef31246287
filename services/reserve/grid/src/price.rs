//! A zone's price of a day, with its moving average.

use crate::{
	day::{DataItem, DayPrice, NoFigure, day_price},
	decimal::written,
	eic::Eic,
	ema::{MAX_WINDOW, ema},
	source::{Source, SourceFailure},
	time::{DayWindow, InvalidDay},
};
use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use serde::Serialize;

/// The price of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PriceReport {
	/// Time-weighted mean of the day's slots: exact where it terminates, else rounded down at 12
	/// decimals.
	pub mean_eur_per_mwh: String,
	/// Slots of the day.
	pub slots: u32,
	/// Slots with a price below zero.
	pub negative_slots: u32,
	/// The moving average, if one was asked for.
	#[serde(flatten)]
	pub average: Option<Average>,
}

/// A moving average; see [`crate::ema`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Average {
	/// The average, EUR/MWh, rounded down at 12 decimals.
	pub ema_eur_per_mwh: String,
	/// Its window in days.
	pub ema_window: u32,
	/// Days that it rests on: fewer than the window while there is no more history.
	pub ema_days: u32,
}

/// Why there is no price.
#[derive(Debug, thiserror::Error)]
pub enum PriceFailure {
	/// The window is 0 or too long.
	#[error("the window of the average must be 1 to {MAX_WINDOW} days")]
	Window,
	/// A day that has no window.
	#[error(transparent)]
	Day(#[from] InvalidDay),
	/// The documents of a day give no price.
	#[error("{day}: {reason}")]
	NoPrice {
		/// The day.
		day: NaiveDate,
		/// Why.
		reason: NoFigure,
	},
	/// The source gives no document.
	#[error("{day}: {reason}")]
	Source {
		/// The day.
		day: NaiveDate,
		/// Why.
		reason: SourceFailure,
	},
	/// The figures leave the range of the formula.
	#[error("the prices are out of range")]
	OutOfRange,
}

/// The price of `day` from `files`, which may hold other days as well.
pub fn from_files<B: AsRef<[u8]>>(
	files: &[B],
	asked: Option<&Eic>,
	day: NaiveDate,
	zone: Tz,
	ema_window: Option<u32>,
) -> Result<PriceReport, PriceFailure> {
	let newest = price_of(files, asked, day, zone)?;
	let Some(window) = checked(ema_window)? else { return report(&newest, &[], None) };
	let mut earlier = Vec::new();
	for day in days_before(day, window) {
		match price_of(files, asked, day, zone) {
			Ok(price) => earlier.push(price),
			Err(PriceFailure::NoPrice { reason: NoFigure::NoData(_), .. }) => break,
			Err(failure) => return Err(failure),
		}
	}
	report(&newest, &earlier, Some(window))
}

/// The price of `day` in the area `eic`, from `source`.
pub async fn from_source(
	source: &Source,
	eic: &Eic,
	day: NaiveDate,
	zone: Tz,
	ema_window: Option<u32>,
) -> Result<PriceReport, PriceFailure> {
	let newest = fetch(source, eic, day, zone).await?;
	let Some(window) = checked(ema_window)? else { return report(&newest, &[], None) };
	let mut earlier = Vec::new();
	for day in days_before(day, window) {
		match fetch(source, eic, day, zone).await {
			Ok(price) => earlier.push(price),
			Err(
				PriceFailure::NoPrice { reason: NoFigure::NoData(_), .. }
				| PriceFailure::Source { reason: SourceFailure::NoData(_), .. },
			) => break,
			Err(failure) => return Err(failure),
		}
	}
	report(&newest, &earlier, Some(window))
}

fn price_of<B: AsRef<[u8]>>(
	files: &[B],
	asked: Option<&Eic>,
	day: NaiveDate,
	zone: Tz,
) -> Result<DayPrice, PriceFailure> {
	let window = DayWindow::local(day, zone)?;
	day_price(files, asked, &window).map_err(|reason| PriceFailure::NoPrice { day, reason })
}

async fn fetch(
	source: &Source,
	eic: &Eic,
	day: NaiveDate,
	zone: Tz,
) -> Result<DayPrice, PriceFailure> {
	let window = DayWindow::local(day, zone)?;
	let files = source
		.documents(DataItem::Price, eic, &window)
		.await
		.map_err(|reason| PriceFailure::Source { day, reason })?;
	price_of(&files, Some(eic), day, zone)
}

fn checked(window: Option<u32>) -> Result<Option<u32>, PriceFailure> {
	match window {
		Some(window) if !(1..=MAX_WINDOW).contains(&window) => Err(PriceFailure::Window),
		window => Ok(window),
	}
}

/// The `window − 1` days before `day`, newest first.
fn days_before(day: NaiveDate, window: u32) -> impl Iterator<Item = NaiveDate> {
	(1..u64::from(window)).map_while(move |back| day.checked_sub_days(Days::new(back)))
}

/// `earlier` is newest first.
fn report(
	newest: &DayPrice,
	earlier: &[DayPrice],
	window: Option<u32>,
) -> Result<PriceReport, PriceFailure> {
	let average = match window {
		None => None,
		Some(window) => {
			let means: Vec<_> =
				earlier.iter().rev().chain([newest]).map(|price| price.mean).collect();
			let average = ema(&means, window).ok_or(PriceFailure::OutOfRange)?;
			let days = u32::try_from(means.len()).map_err(|_| PriceFailure::OutOfRange)?;
			Some(Average { ema_eur_per_mwh: written(&average), ema_window: window, ema_days: days })
		},
	};
	Ok(PriceReport {
		mean_eur_per_mwh: newest.mean_eur_per_mwh(),
		slots: newest.slots,
		negative_slots: newest.negative_slots,
		average,
	})
}
