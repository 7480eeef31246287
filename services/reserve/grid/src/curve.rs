//! From documents to one figure per minute of a local day.

use crate::{
	decimal::Decimal,
	document::{Curve, MarketDocument, Period, Series},
	time::{DayWindow, Minute, format_minute},
};
use std::collections::BTreeMap;

/// One slot of a series, cut to the day.
#[derive(Clone, Copy, Debug)]
struct Slot {
	/// Minutes from the start of the day.
	from: usize,
	/// First minute after the slot, from the start of the day.
	to: usize,
	/// Length before the cut.
	resolution: u32,
	value: Decimal,
}

/// What a figure of zero says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zero {
	/// Zero is a figure like any other.
	Figure,
	/// Zero stands where there is no figure.
	NoFigure,
}

/// A day's figures, minute by minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DayCurve {
	minutes: Vec<Option<Decimal>>,
	/// Minutes that some series states as zero.
	zeros: Vec<bool>,
	slots: u32,
	negative_slots: u32,
}

/// Two series state different figures for the same minute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two figures for {at}: {first} and {second}")]
pub struct ConflictError {
	/// The minute.
	pub at: String,
	/// One figure.
	pub first: Decimal,
	/// The other.
	pub second: Decimal,
}

impl DayCurve {
	/// Lays `series` out over `window`.
	///
	/// Slots that reach over the edge of the day count with their minutes inside it. A figure
	/// stated twice counts once; two different figures for one minute are a conflict, since
	/// nothing says which is right.
	pub(crate) fn lay_out<'a>(
		series: impl IntoIterator<Item = &'a Series>,
		window: &DayWindow,
		zero: Zero,
	) -> Result<Self, ConflictError> {
		let mut slots = Vec::new();
		for series in series {
			for period in &series.periods {
				cut(series.curve, period, window, &mut slots);
			}
		}
		// Finest first, so that a coarser repetition of the same figures adds no slot.
		slots.sort_by_key(|slot| (slot.resolution, slot.from, slot.to));
		let minutes = window.minutes() as usize;
		let (minutes, zeros) = (vec![None; minutes], vec![false; minutes]);
		let mut curve = Self { minutes, zeros, slots: 0, negative_slots: 0 };
		for slot in slots {
			if slot.value.units() == 0 {
				let stated = curve.zeros.iter_mut().take(slot.to).skip(slot.from);
				stated.for_each(|minute| *minute = true);
				if zero == Zero::NoFigure {
					continue;
				}
			}
			curve.fill(slot, window)?;
		}
		Ok(curve)
	}

	fn fill(&mut self, slot: Slot, window: &DayWindow) -> Result<(), ConflictError> {
		let mut is_new = false;
		for (index, minute) in self.minutes.iter_mut().enumerate().take(slot.to).skip(slot.from) {
			match minute {
				None => {
					*minute = Some(slot.value);
					is_new = true;
				},
				Some(first) if *first == slot.value => {},
				Some(first) => {
					return Err(ConflictError {
						at: format_minute(window.start() + index as Minute),
						first: *first,
						second: slot.value,
					});
				},
			}
		}
		if is_new {
			self.slots += 1;
			self.negative_slots += u32::from(slot.value.is_negative());
		}
		Ok(())
	}

	/// Minutes of the day.
	pub(crate) fn minutes_expected(&self) -> u32 {
		self.minutes.len() as u32
	}

	/// Minutes that have a figure.
	pub(crate) fn minutes_covered(&self) -> u32 {
		self.minutes.iter().flatten().count() as u32
	}

	/// Minutes that are stated as zero, and as nothing else.
	pub(crate) fn minutes_of_zero(&self) -> u32 {
		let is_zero = |(figure, is_stated): &(&Option<Decimal>, &bool)| {
			**is_stated && figure.is_none_or(|figure| figure.units() == 0)
		};
		self.minutes.iter().zip(&self.zeros).filter(is_zero).count() as u32
	}

	/// Whether every minute has a figure.
	pub(crate) fn is_complete(&self) -> bool {
		self.minutes.iter().all(Option::is_some)
	}

	/// The covered share of the day in millionths, rounded down: 1,000,000 only if complete.
	pub(crate) fn completeness_ppm(&self) -> u32 {
		let (covered, expected) = (self.minutes_covered(), self.minutes_expected());
		(u64::from(covered) * 1_000_000 / u64::from(expected.max(1))) as u32
	}

	/// Slots that state the figures, after expansion (96 for a day of quarter hours).
	pub(crate) const fn slots(&self) -> u32 {
		self.slots
	}

	/// Slots with a figure below zero.
	pub(crate) const fn negative_slots(&self) -> u32 {
		self.negative_slots
	}

	/// Σ figure × minutes, in units of 10⁻¹² × minute.
	pub(crate) fn minute_sum(&self) -> i128 {
		self.minutes.iter().flatten().map(|figure| figure.units()).sum()
	}
}

/// Adds the slots of `period` that reach into `window`.
fn cut(curve: Curve, period: &Period, window: &DayWindow, slots: &mut Vec<Slot>) {
	let resolution = Minute::from(period.resolution);
	let first = ((window.start() - period.start).div_euclid(resolution)).max(0);
	let last = (window.end() - period.start + resolution - 1).div_euclid(resolution);
	let last = last.min(Minute::from(period.slots()));
	for index in first..last {
		let Some(value) = figure_at(curve, period, index) else { continue };
		let start = period.start + index * resolution;
		let from = start.max(window.start()) - window.start();
		let to = (start + resolution).min(window.end()) - window.start();
		// Both lie within the day, which has at most 2,880 minutes.
		slots.push(Slot {
			from: from as usize,
			to: to as usize,
			resolution: period.resolution,
			value,
		});
	}
}

/// The figure that holds in slot `index`, counted from 0.
fn figure_at(curve: Curve, period: &Period, index: Minute) -> Option<Decimal> {
	let after = period.points.partition_point(|point| Minute::from(point.position) <= index + 1);
	let point = period.points.get(after.checked_sub(1)?)?;
	match curve {
		Curve::VariableBlocks => Some(point.value),
		Curve::FixedBlocks => (Minute::from(point.position) == index + 1).then_some(point.value),
	}
}

/// Of several revisions of one document (same mRID), keeps the newest; documents without an mRID
/// are all kept. The order is that of first appearance.
pub(crate) fn newest_revisions(documents: Vec<MarketDocument>) -> Vec<MarketDocument> {
	let mut newest: BTreeMap<String, u32> = BTreeMap::new();
	for document in &documents {
		if let Some(mrid) = &document.mrid {
			let revision = newest.entry(mrid.clone()).or_default();
			*revision = (*revision).max(document.revision);
		}
	}
	documents
		.into_iter()
		.filter(|document| match &document.mrid {
			Some(mrid) => newest.get(mrid) == Some(&document.revision),
			None => true,
		})
		.collect()
}
