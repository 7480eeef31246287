//! Metering points: several meters that are netted with one another.

use super::{Direction, MAX_POINT_METERS, MeterIndex, possible_draw_wh};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{ConstU32, bounded::BoundedVec};

/// Energy that was delivered and that an import meter may still have drawn.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Waiting {
	/// Energy delivered, in Wh.
	pub wh: u64,
	/// End of the last batch that it is from, in UTC milliseconds.
	pub until_ms: u64,
}

/// A meter of a metering point.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PointMeter {
	/// Index of the meter.
	pub meter: MeterIndex,
	/// Direction of the energy through it.
	pub direction: Direction,
	/// Highest power that can flow through it, in W.
	pub rated_power_w: u32,
	/// End of what it has stated, in UTC milliseconds.
	pub stated_ms: u64,
	/// Time from which somebody vouches for it without a break, in UTC milliseconds.
	pub floor_ms: u64,
	/// `false` if the meter is suspended, or has ended and was not replaced.
	pub vouched: bool,
	/// `true` if the meter is out of service.
	pub ended: bool,
	/// What it delivered and no import meter covers yet: the older part, and what came after.
	pub waiting: [Waiting; 2],
}

/// What a meter of a point states in a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flow {
	/// Energy taken since the batch before, in Wh, with that of a gap.
	pub imported_wh: u64,
	/// Energy delivered while somebody vouched for the meter, in Wh.
	pub exported_wh: u64,
	/// Begin of the batch, in UTC milliseconds.
	pub start_ms: u64,
	/// End of the batch, in UTC milliseconds.
	pub end_ms: u64,
	/// Time from which somebody vouches for the meter without a break, in UTC milliseconds.
	pub floor_ms: u64,
}

/// State of a point when its first generation meter was certified.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Generation {
	/// Energy that had been delivered, in Wh.
	pub delivered_wh: u128,
	/// Value above which the point minted, in Wh.
	pub highest_wh: u128,
	/// Energy generated since, in Wh.
	pub generated_wh: u128,
}

/// Netting of a metering point.
///
/// What mints is the rise of the highest value so far of min(Σ export, Σ generation) where meters count
/// the generation behind the point, else of Σ export − Σ import. An export counts once every import meter
/// has stated as far, and only if somebody vouched for all of these when it was measured; an import
/// counts always and at once. So no order in which batches come in gives more than the highest value that
/// the point ever had.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PointState {
	/// Its meters, at most [`MAX_POINT_METERS`], with import meters that ended and were not replaced.
	pub meters: BoundedVec<PointMeter, ConstU32<MAX_POINT_METERS>>,
	/// Energy delivered that counts, in Wh.
	pub delivered_wh: u128,
	/// Energy taken, in Wh.
	pub taken_wh: u128,
	/// Value above which it mints, in Wh: the highest so far, and what its meters owed elsewhere.
	pub highest_wh: u128,
	/// The generation behind it; `None` if no meter counts that.
	pub generation: Option<Generation>,
}

/// As many meters are at the point as can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PointFull;

impl PointState {
	/// Returns what those that have ended, and that an import meter which joins replaces, can have drawn
	/// until `now_ms` at most, in Wh. Of `returned`, whose device comes back, the register says it.
	pub fn unseen_wh(&self, returned: Option<MeterIndex>, now_ms: u64, tolerance_ppt: u32) -> u64 {
		let ended = self.meters.iter().filter(|row| row.ended && Some(row.meter) != returned);
		let possible = |row: &PointMeter| {
			possible_draw_wh(row.rated_power_w, row.stated_ms, now_ms, tolerance_ppt)
		};
		ended.map(possible).fold(0, u64::saturating_add)
	}

	/// Adds a meter (index, direction, rated power in W) whose certified service begins at `since_ms`,
	/// for which somebody vouches from `floor_ms` on and which owes `owed_wh` from an earlier place. An
	/// import meter takes the place of those that have ended: see [`Self::unseen_wh`].
	///
	/// # Errors
	/// [`PointFull`].
	pub fn join(
		&mut self,
		(meter, direction, rated_power_w): (MeterIndex, Direction, u32),
		since_ms: u64,
		floor_ms: u64,
		owed_wh: u64,
	) -> Result<(), PointFull> {
		if direction.takes() {
			self.meters.retain(|other| !other.ended);
			self.forget_waiting();
		}
		let waiting = [Waiting::default(); 2];
		let (stated_ms, vouched, ended) = (since_ms, true, false);
		let row = PointMeter {
			meter,
			direction,
			rated_power_w,
			stated_ms,
			floor_ms,
			vouched,
			ended,
			waiting,
		};
		self.meters.try_push(row).map_err(|_| PointFull)?;
		if direction == Direction::Generation && self.generation.is_none() {
			self.generation = Some(Generation {
				delivered_wh: self.delivered_wh,
				highest_wh: self.highest_wh,
				generated_wh: 0,
			});
		}
		self.owe(owed_wh.saturating_sub(self.owed_wh()));
		Ok(())
	}

	/// Takes a meter away, whose registers were seen last at `seen_ms`, and returns what the point owed
	/// before, in Wh. A meter that takes energy leaves its place empty, and nothing mints until another one
	/// is there. With the last meter in service the sums end; what is owed, and empty places, stay.
	pub fn leave(&mut self, meter: MeterIndex, seen_ms: u64) -> u64 {
		let owed_wh = self.owed_wh();
		for row in self.meters.iter_mut().filter(|row| row.meter == meter) {
			(row.vouched, row.ended) = (false, true);
			row.stated_ms = row.stated_ms.max(seen_ms);
		}
		self.meters.retain(|row| !row.ended || row.direction.takes());
		if !self.meters.iter().any(|row| row.direction == Direction::Generation) {
			self.generation = None;
		}
		if self.is_deserted() {
			self.forget_waiting();
			let meters = core::mem::take(&mut self.meters);
			*self = Self { meters, highest_wh: owed_wh.into(), ..Self::default() };
		}
		owed_wh
	}

	/// Returns `true` if no meter of it is in service.
	pub fn is_deserted(&self) -> bool {
		self.meters.iter().all(|row| row.ended)
	}

	/// Returns `true` if nothing is left of it: no meter, no empty place and no debt.
	pub fn is_empty(&self) -> bool {
		self.meters.is_empty() && self.owed_wh() == 0
	}

	/// Records that nobody vouches for a meter, or that somebody does from `floor_ms` on.
	pub fn set_vouched(&mut self, meter: MeterIndex, vouched: bool, floor_ms: u64) {
		let mut forgets = false;
		for row in self.meters.iter_mut().filter(|row| row.meter == meter) {
			row.vouched = vouched;
			forgets |= floor_ms > row.floor_ms && row.direction.takes();
			row.floor_ms = row.floor_ms.max(floor_ms);
		}
		if forgets {
			self.forget_waiting();
		}
	}

	/// Counts energy that was taken and that no batch states.
	pub fn take(&mut self, wh: u64) {
		self.taken_wh = self.taken_wh.saturating_add(wh.into());
	}

	/// Makes the point deliver that much more before it mints again.
	pub fn owe(&mut self, wh: u64) {
		self.highest_wh = self.highest_wh.saturating_add(wh.into());
	}

	/// Returns the value of the point now, in Wh; at least 0.
	fn value_wh(&self) -> u128 {
		match self.generation {
			Some(before) => {
				let since = self.delivered_wh.saturating_sub(before.delivered_wh);
				before.highest_wh.saturating_add(since.min(before.generated_wh))
			},
			None => self.delivered_wh.saturating_sub(self.taken_wh),
		}
	}

	/// Returns the energy that it has to deliver before it mints again, in Wh; what waits not counted.
	pub fn owed_wh(&self) -> u64 {
		let owed = match self.generation {
			Some(_) => self.highest_wh.saturating_sub(self.value_wh()),
			None => self.highest_wh.saturating_add(self.taken_wh).saturating_sub(self.delivered_wh),
		};
		u64::try_from(owed).unwrap_or(u64::MAX)
	}

	/// Returns the energy that was delivered and waits for import meters, in Wh.
	pub fn waiting_wh(&self) -> u64 {
		let waiting = self.meters.iter().flat_map(|row| row.waiting);
		waiting.fold(0, |sum: u64, part| sum.saturating_add(part.wh))
	}

	/// Returns the import meters for which what was delivered waits: those that have stated less than
	/// the others delivered, or for which nobody vouches.
	pub fn waits_for(&self) -> Vec<MeterIndex> {
		let delivered = self.meters.iter().flat_map(|row| row.waiting);
		let until_ms = delivered.filter(|part| part.wh > 0).map(|part| part.until_ms).max();
		let lacks = |row: &&PointMeter| {
			!row.vouched || until_ms.is_some_and(|until_ms| row.stated_ms < until_ms)
		};
		let takers = self.meters.iter().filter(|row| row.direction.takes());
		takers.filter(lacks).map(|row| row.meter).collect()
	}

	/// Returns the meter to whose account the point's energy is minted when `meter` states something:
	/// itself if it delivers, else the one of those that deliver which stated last.
	pub fn receiver(&self, meter: MeterIndex) -> Option<MeterIndex> {
		let delivers = self.meters.iter().filter(|row| row.vouched && row.direction.delivers());
		let last = delivers.max_by_key(|row| (row.meter == meter, row.stated_ms))?;
		Some(last.meter)
	}

	/// Counts what a meter states, and returns the energy that can mint now, in Wh.
	pub fn count(&mut self, meter: MeterIndex, flow: &Flow) -> u64 {
		let imported_wh = u128::from(flow.imported_wh);
		self.taken_wh = self.taken_wh.saturating_add(imported_wh);
		self.set_vouched(meter, true, flow.floor_ms);
		// What was delivered while nobody vouched for an import meter never counts.
		let takers = self.meters.iter().filter(|row| row.direction.takes());
		let floor_ms = takers.map(|row| row.floor_ms).max().unwrap_or(0);
		let counts = flow.start_ms >= floor_ms;
		let mut generated_wh = 0u64;
		for row in self.meters.iter_mut().filter(|row| row.meter == meter) {
			row.stated_ms = row.stated_ms.max(flow.end_ms);
			if row.direction == Direction::Generation {
				generated_wh = flow.exported_wh;
			} else if counts && flow.exported_wh > 0 {
				row.wait(flow.exported_wh, flow.end_ms);
			}
		}
		if let Some(generation) = &mut self.generation {
			generation.generated_wh = generation.generated_wh.saturating_add(generated_wh.into());
		}
		self.take_waiting();
		let rise = self.value_wh().saturating_sub(self.highest_wh);
		u64::try_from(rise).unwrap_or(u64::MAX)
	}

	/// Records that so much of what [`Self::count`] returned was minted; the rest mints later.
	pub fn mint(&mut self, wh: u64) {
		self.highest_wh = self.highest_wh.saturating_add(wh.into());
	}

	/// Counts what every import meter covers: nothing while nobody vouches for one of them.
	fn take_waiting(&mut self) {
		let takers = self.meters.iter().filter(|row| row.direction.takes());
		let covered = |row: &PointMeter| if row.vouched { row.stated_ms } else { 0 };
		let covered_ms = takers.map(covered).min().unwrap_or(u64::MAX);
		for row in &mut self.meters {
			while row.waiting[0].wh > 0 && row.waiting[0].until_ms <= covered_ms {
				let [first, second] = row.waiting;
				self.delivered_wh = self.delivered_wh.saturating_add(first.wh.into());
				row.waiting = [second, Waiting::default()];
			}
		}
	}

	fn forget_waiting(&mut self) {
		for row in &mut self.meters {
			row.waiting = [Waiting::default(); 2];
		}
	}
}

impl PointMeter {
	/// Adds energy that waits. The older part keeps its end, so that it is covered some day however far
	/// an import meter is behind.
	fn wait(&mut self, wh: u64, until_ms: u64) {
		let [first, second] = &mut self.waiting;
		let part = if first.wh == 0 { first } else { second };
		*part = Waiting { wh: part.wh.saturating_add(wh), until_ms };
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	const HOUR: u64 = 3_600_000;
	const WATT: u32 = 10_000;
	const IMPORT: (u32, Direction, u32) = (0, Direction::Import, WATT);
	const EXPORT: (u32, Direction, u32) = (1, Direction::Export, WATT);
	const ROOF: (u32, Direction, u32) = (2, Direction::Generation, WATT);

	fn point(meters: &[(u32, Direction, u32)]) -> PointState {
		let mut point = PointState::default();
		for meter in meters {
			point.join(*meter, 0, 0, 0).unwrap();
		}
		point
	}

	/// What a meter states of one hour, all of which mints that can.
	fn hour(point: &mut PointState, meter: u32, hour: u64, flow: (u64, u64)) -> u64 {
		let (start_ms, end_ms) = (hour * HOUR, (hour + 1) * HOUR);
		let (imported_wh, exported_wh) = flow;
		let flow = Flow { imported_wh, exported_wh, start_ms, end_ms, floor_ms: 0 };
		let minted = point.count(meter, &flow);
		point.mint(minted);
		minted
	}

	#[test]
	fn an_export_mints_once_every_import_meter_has_stated_as_far() {
		let mut point = point(&[IMPORT, EXPORT]);
		assert_eq!(hour(&mut point, 1, 0, (0, 10)), 0);
		assert_eq!((point.waiting_wh(), point.waits_for()), (10, vec![0]));
		assert_eq!(hour(&mut point, 1, 1, (0, 5)), 0);
		assert_eq!(point.receiver(0), Some(1));
		assert_eq!(hour(&mut point, 0, 0, (4, 0)), 6);
		assert_eq!((point.waiting_wh(), point.owed_wh()), (5, 0));
		assert_eq!(hour(&mut point, 0, 1, (7, 0)), 0);
		assert_eq!((point.waiting_wh(), point.owed_wh(), point.waits_for()), (0, 2, vec![]));
	}

	#[test]
	fn an_import_meter_that_is_always_behind_holds_nothing_back_for_ever() {
		let mut point = point(&[IMPORT, EXPORT]);
		let mut minted = 0;
		for now in 0..10 {
			minted += hour(&mut point, 1, now, (0, 10));
			if now >= 4 {
				minted += hour(&mut point, 0, now - 4, (0, 0));
			}
		}
		assert!(minted >= 10, "{minted}");
		for now in 6..10 {
			minted += hour(&mut point, 0, now, (0, 0));
		}
		assert_eq!(minted, 100);
	}

	#[test]
	fn nothing_mints_while_an_import_meter_is_suspended_or_has_ended() {
		let mut point = point(&[IMPORT, EXPORT]);
		hour(&mut point, 0, 5, (0, 0));
		point.set_vouched(0, false, 0);
		assert_eq!(hour(&mut point, 1, 0, (0, 10)), 0);
		// What was delivered meanwhile never mints.
		point.set_vouched(0, true, 6 * HOUR);
		assert_eq!(hour(&mut point, 0, 7, (3, 0)), 0);
		assert_eq!(hour(&mut point, 1, 5, (0, 10)), 0);
		assert_eq!(hour(&mut point, 1, 6, (0, 10)), 7);
		point.leave(0, 0);
		assert_eq!(hour(&mut point, 1, 7, (0, 10)), 0);
		assert_eq!(point.waits_for(), vec![0]);
		point.join((3, Direction::Import, WATT), 9 * HOUR, 9 * HOUR, 0).unwrap();
		assert_eq!(hour(&mut point, 3, 9, (0, 0)), 0);
		assert_eq!(hour(&mut point, 1, 8, (0, 10)), 0);
		assert_eq!(hour(&mut point, 1, 9, (0, 10)), 10);
		point.leave(1, 0);
		point.leave(3, 0);
		assert!(point.is_deserted());
	}

	#[test]
	fn who_takes_an_empty_place_takes_over_what_can_have_been_drawn_there() {
		let gone = |point: &mut PointState| {
			hour(point, 0, 0, (5, 0));
			assert_eq!(point.leave(0, 0), 5);
		};
		// Another meter: 10 kW for three hours, and a tenth more.
		let mut other = point(&[IMPORT, EXPORT]);
		gone(&mut other);
		assert_eq!(other.unseen_wh(None, 4 * HOUR, 1_100), 33_000);
		other.join((3, Direction::Import, WATT), 4 * HOUR, 4 * HOUR, 0).unwrap();
		// Once it is there, nothing is unseen any more.
		assert_eq!((other.unseen_wh(None, 5 * HOUR, 1_100), other.owed_wh()), (0, 5));
		// The same device, whose register says it.
		let mut same = point(&[IMPORT, EXPORT]);
		gone(&mut same);
		assert_eq!(same.unseen_wh(Some(0), 4 * HOUR, 1_100), 0);
		// One whose registers an electrician has read when it went.
		let mut read = point(&[IMPORT, EXPORT]);
		hour(&mut read, 0, 0, (5, 0));
		read.leave(0, 3 * HOUR);
		assert_eq!(read.unseen_wh(None, 4 * HOUR, 1_100), 11_000);
	}

	#[test]
	fn a_point_without_a_meter_keeps_what_it_owes_and_its_empty_places() {
		let mut point = point(&[IMPORT, EXPORT]);
		hour(&mut point, 1, 0, (0, 30));
		hour(&mut point, 0, 0, (50, 0));
		point.leave(0, 0);
		assert_eq!(point.leave(1, 0), 20);
		assert_eq!((point.is_deserted(), point.is_empty(), point.owed_wh()), (true, false, 20));
		assert_eq!((point.meters.len(), point.taken_wh, point.delivered_wh), (1, 0, 0));
		// One of export alone owes nothing, and nothing is left.
		let mut export = PointState::default();
		export.join(EXPORT, 0, 0, 0).unwrap();
		assert_eq!(hour(&mut export, 1, 0, (0, 30)), 30);
		assert_eq!((export.leave(1, 0), export.is_empty()), (0, true));
	}

	#[test]
	fn a_roof_behind_the_point_mints_what_of_it_is_delivered() {
		let mut point = point(&[IMPORT, EXPORT, ROOF]);
		hour(&mut point, 0, 3, (1_000, 0));
		assert_eq!(hour(&mut point, 1, 0, (0, 3)), 0);
		// The house consumes the rest, and what it draws at night is not a debt.
		assert_eq!(hour(&mut point, 2, 0, (0, 5)), 3);
		// A battery delivers what it drew: no more than the roof made.
		assert_eq!(hour(&mut point, 1, 1, (0, 50)), 2);
		assert_eq!(hour(&mut point, 2, 1, (0, 10)), 10);
		assert_eq!(point.receiver(2), Some(1));
		// Without the roof, what was drawn counts again.
		point.leave(2, 0);
		assert_eq!(hour(&mut point, 1, 2, (0, 900)), 0);
	}

	#[test]
	fn what_cannot_mint_now_mints_later_and_debts_come_along() {
		let mut point = point(&[EXPORT]);
		let flow = Flow { imported_wh: 0, exported_wh: 10, start_ms: 0, end_ms: HOUR, floor_ms: 0 };
		assert_eq!(point.count(1, &flow), 10);
		point.mint(4);
		assert_eq!(hour(&mut point, 1, 1, (0, 0)), 6);
		point.join((3, Direction::Export, WATT), 0, 0, 7).unwrap();
		// The same debt, at another of its meters.
		point.join((4, Direction::Export, WATT), 0, 0, 5).unwrap();
		assert_eq!(point.owed_wh(), 7);
		assert_eq!(hour(&mut point, 3, 2, (0, 8)), 1);
	}

	#[test]
	fn a_point_has_so_many_meters_and_no_more() {
		let mut point = PointState::default();
		for meter in 0..MAX_POINT_METERS {
			point.join((meter, Direction::Export, WATT), 0, 0, 0).unwrap();
		}
		assert_eq!(point.join((99, Direction::Export, WATT), 0, 0, 0), Err(PointFull));
	}

	/// Hours of a point with two export and two import meters: Wh of each.
	fn hours() -> impl Strategy<Value = Vec<[u64; 4]>> {
		prop::collection::vec(prop::array::uniform4(0u64..1_000), 1..24)
	}

	proptest! {
		/// In whatever order the batches of four meters come in: together they never mint more than the
		/// highest value that the point had at any time, and at the end no less than its value then.
		#[test]
		fn no_order_of_batches_gives_more_and_none_loses_what_is_there(
			hours in hours(),
			order in prop::collection::vec(0usize..4, 0..120),
		) {
			let directions = [Direction::Export, Direction::Import, Direction::Export, Direction::Import];
			let mut point = PointState::default();
			for (meter, direction) in (0u32..).zip(directions) {
				point.join((meter, direction, WATT), 0, 0, 0).unwrap();
			}
			let (mut value, mut highest) = (0i64, 0i64);
			for [e0, i0, e1, i1] in &hours {
				value += i64::try_from(e0 + e1).unwrap() - i64::try_from(i0 + i1).unwrap();
				highest = highest.max(value);
			}
			let (mut next, mut minted) = ([0usize; 4], 0u64);
			let rest = (0..4).flat_map(|meter| core::iter::repeat_n(meter, hours.len()));
			for meter in order.into_iter().chain(rest) {
				let Some(flows) = hours.get(next[meter]) else { continue };
				let flow = if meter % 2 == 0 { (0, flows[meter]) } else { (flows[meter], 0) };
				minted += hour(&mut point, u32::try_from(meter).unwrap(), next[meter] as u64, flow);
				next[meter] += 1;
				prop_assert!(i64::try_from(minted).unwrap() <= highest);
			}
			prop_assert_eq!(point.waiting_wh(), 0);
			prop_assert!(i64::try_from(minted).unwrap() >= value);
			prop_assert_eq!(i64::from(u32::try_from(point.owed_wh()).unwrap()), i64::try_from(minted).unwrap() - value);
		}

		/// A battery that is filled and emptied through separate meters mints nothing, with whatever
		/// losses and in whatever order.
		#[test]
		fn a_battery_behind_two_meters_mints_nothing(
			steps in prop::collection::vec((any::<bool>(), 0u64..1_000, any::<bool>()), 1..100),
		) {
			let mut point = point(&[IMPORT, EXPORT]);
			let (mut full, mut now, mut minted) = (0u64, 0u64, 0u64);
			for (fills, wh, first) in steps {
				let drawn = if fills { wh } else { 0 };
				let delivered = if fills { 0 } else { wh.min(full) };
				full = full + drawn - delivered;
				let mut both = [(0, (drawn, 0)), (1, (0, delivered))];
				if first {
					both.reverse();
				}
				for (meter, flow) in both {
					minted += hour(&mut point, meter, now, flow);
				}
				now += 1;
				prop_assert_eq!(minted, 0);
			}
		}

		/// A roof behind the point mints at most what it made and at most what was delivered, whatever a
		/// battery adds and however often meters change.
		#[test]
		fn a_roof_mints_at_most_what_it_made(
			steps in prop::collection::vec((0u32..3, 0u64..1_000), 1..100),
		) {
			let mut point = point(&[IMPORT, EXPORT, ROOF]);
			let (mut made, mut delivered, mut minted) = (0u64, 0u64, 0u64);
			for (now, (meter, wh)) in (0u64..).zip(steps) {
				let flow = if meter == 0 { (wh, 0) } else { (0, wh) };
				match meter {
					1 => delivered += wh,
					2 => made += wh,
					_ => (),
				}
				minted += hour(&mut point, meter, now, flow);
				prop_assert!(minted <= made.min(delivered));
			}
		}
	}
}
