//! Batches: checked in order, accepted one by one.

use crate::{pallet::*, types::*, weights::WeightInfo};
use alloc::{collections::BTreeMap, vec::Vec};
use codec::Encode;
use frame_support::{
	ensure,
	pallet_prelude::{
		DispatchError, Get, InvalidTransaction, TransactionSource, TransactionValidityError,
		TransactionValidityWithRefund, ValidTransaction, Weight,
	},
	traits::{
		Time,
		fungibles::{Inspect as _, Mutate as _},
		tokens::{DepositConsequence, Provenance},
	},
};
use frame_system::pallet_prelude::BlockNumberFor;
use gridproof_primitives::{
	H256,
	codec::SECOND_LIST,
	energy::{
		Accepted, BatchHeader, BatchRecord, BatchRefusal, Direction, Flow, MeterIndex, PointState,
		SignedBatch, check_batch, check_free, meter_day_wh,
	},
	time::day::Day,
};
use sp_io::hashing::blake2_256;
use sp_runtime::traits::{SaturatedConversion, Zero};

/// A meter during a run over batches.
struct Touched<T: Config> {
	row: MeterOf<T>,
	/// Standing of the organisation that certified it.
	standing: OrganisationStanding,
	/// Key of the metering point at which it is.
	point: Option<H256>,
	/// Energy noted in this run, in Wh; a preview does not mint it.
	noted_wh: u128,
	changed: bool,
}

impl<T: Config> Touched<T> {
	/// Returns `true` if what it exports mints.
	fn mints(&self) -> bool {
		self.row.mints && self.standing == OrganisationStanding::Admitted
	}
}

/// A batch that every check but the signature's has passed.
struct Checked {
	accepted: Accepted,
	/// Meter to whose energy account it mints.
	receiver: MeterIndex,
	/// What its metering point is afterwards.
	point: Option<PointState>,
}

/// A metering point during a run over batches.
struct PointInRun<T: Config> {
	row: PointOf<T>,
	changed: bool,
}

/// An organisation during a run over batches.
#[derive(Clone, Copy)]
struct Answering {
	standing: OrganisationStanding,
	admitted_ms: u64,
	minted_today: DayUsage,
	changed: bool,
}

/// Payer of the fee for the batches of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fare {
	/// Nobody: only batches that are free of fees are taken.
	Free,
	/// The sender, for those that are not free.
	Paid,
}

/// A run over batches. Each batch is checked against the state that the ones before it leave, and
/// rows are written once at the end, however many batches a meter has.
pub(crate) struct Run<T: Config> {
	meters: BTreeMap<MeterIndex, Touched<T>>,
	organisations: BTreeMap<OrganisationIndex, Answering>,
	points: BTreeMap<H256, PointInRun<T>>,
	fare: Fare,
	limits: Limits,
	usage: Usage<BlockNumberFor<T>>,
	sums: Sums,
	/// Energy that was counted as never minted and has minted now, in Wh: it waited at a metering point.
	waited_wh: u128,
	now: u64,
	genesis: H256,
	/// Number of batches of meters that are at a metering point.
	at_points: u32,
	/// Number of accounts that the mints had to open.
	opened: u32,
	/// Number of accepted batches that are not free of fees.
	charged: u32,
}

/// Result of a call.
pub(crate) struct Outcome {
	/// `true` if every batch was accepted, and every one is free of fees.
	pub is_free: bool,
	/// Weight that the call took.
	pub weight: Weight,
}

impl<T: Config> Run<T> {
	pub(crate) fn new(fare: Fare) -> Self {
		let limits = LimitsInUse::<T>::get();
		let now = T::Time::now();
		let mut usage = UsageNow::<T>::get();
		let (block, day) = (frame_system::Pallet::<T>::block_number(), Day::from_unix_millis(now));
		if usage.block != block {
			(usage.block, usage.block_wh, usage.block_limit_wh) = (block, 0, 0);
		}
		if usage.day != day {
			(usage.day, usage.day_wh, usage.day_limit_wh) = (day, 0, 0);
		}
		usage.block_limit_wh = usage.block_limit_wh.max(limits.block_wh);
		usage.day_limit_wh = usage.day_limit_wh.max(limits.day_wh);
		Self {
			meters: BTreeMap::new(),
			organisations: BTreeMap::new(),
			points: BTreeMap::new(),
			fare,
			limits,
			usage,
			sums: Sums::default(),
			waited_wh: 0,
			now,
			genesis: Pallet::<T>::genesis(),
			at_points: 0,
			opened: 0,
			charged: 0,
		}
	}

	/// Returns the organisation, read from the state once.
	fn answering(&mut self, organisation: OrganisationIndex) -> &mut Answering {
		self.organisations.entry(organisation).or_insert_with(|| {
			let row = Organisations::<T>::get(organisation);
			let (standing, admitted_ms) = row
				.map_or((OrganisationStanding::Revoked, u64::MAX), |row| {
					(row.standing, row.admitted_ms)
				});
			let minted_today = OrganisationUsage::<T>::get(organisation);
			Answering { standing, admitted_ms, minted_today, changed: false }
		})
	}

	/// Returns the meter, read from the state once.
	fn touch(&mut self, meter: MeterIndex) -> Result<&mut Touched<T>, BatchRefusal> {
		if !self.meters.contains_key(&meter) {
			let mut row = Meters::<T>::get(meter).ok_or(BatchRefusal::UnknownMeter)?;
			let Answering { standing, admitted_ms, .. } = *self.answering(row.organisation);
			row.state.vouch_from(admitted_ms);
			let point = Pallet::<T>::point_of(meter).map(|(mark, row)| {
				self.points.entry(mark).or_insert(PointInRun { row, changed: false });
				mark
			});
			let touched = Touched { row, standing, point, noted_wh: 0, changed: false };
			self.meters.insert(meter, touched);
		}
		self.meters.get_mut(&meter).ok_or(BatchRefusal::UnknownMeter)
	}

	/// Makes every check of a batch except the signature, cheapest first.
	fn check(&mut self, batch: &SignedBatch) -> Result<Checked, BatchRefusal> {
		let header = &batch.header;
		let rules = self.limits.batch;
		let (now, fare, hour) = (self.now, self.fare, HourUsage::hour_of(self.now));
		let meter = self.touch(header.meter)?;
		let not_admitted = BatchRefusal::OrganisationNotAdmitted;
		ensure!(meter.standing != OrganisationStanding::Revoked, not_admitted);
		ensure!(meter.row.suspended.is_none(), BatchRefusal::Suspended);
		if fare == Fare::Free {
			ensure!(meter.mints(), not_admitted);
		}
		let mut accepted = check_batch(&meter.row.state, header, now, &rules)?;
		if fare == Fare::Free {
			check_free(header, meter.row.free_batches.on(hour), &rules)?;
		}
		let mints = meter.mints();
		if let Some(mark) = meter.point {
			let flow = meter.row.state.flow(header);
			let flow = if mints { flow } else { Flow { exported_wh: 0, ..flow } };
			return Ok(self.check_at_point(header, accepted, mark, &flow, mints));
		}
		if !mints {
			accepted.minted_wh = 0;
		}
		if accepted.minted_wh > 0 {
			self.check_limits(header.meter, accepted.minted_wh)?;
		}
		Ok(Checked { accepted, receiver: header.meter, point: None })
	}

	/// Counts a batch at the metering point of its meter. What the limits do not let mint now mints with a
	/// later batch, so that a point that waited for long is not refused.
	fn check_at_point(
		&mut self,
		header: &BatchHeader,
		accepted: Accepted,
		mark: H256,
		flow: &Flow,
		mints: bool,
	) -> Checked {
		let meter = header.meter;
		self.at_points = self.at_points.saturating_add(1);
		let mut state =
			self.points.get(&mark).map(|point| point.row.state.clone()).unwrap_or_default();
		let rise_wh = state.count(meter, flow);
		let receiver = state.receiver(meter).filter(|_| mints && rise_wh > 0);
		let minted_wh = receiver.map_or(0, |receiver| rise_wh.min(self.room(receiver)));
		state.mint(minted_wh);
		Checked {
			accepted: Accepted { minted_wh, ..accepted },
			receiver: receiver.unwrap_or(meter),
			point: Some(state),
		}
	}

	/// Returns how much can be minted now for a meter, in Wh.
	fn room(&mut self, meter: MeterIndex) -> u64 {
		let Limits { block_wh, day_wh, organisation_day_wh, batch: rules, .. } = self.limits;
		let (usage, today) = (self.usage, self.usage.day);
		let Ok(touched) = self.touch(meter) else { return 0 };
		if !touched.mints() || touched.row.suspended.is_some() {
			return 0;
		}
		let (organisation, minted) = (touched.row.organisation, touched.row.minted_today.on(today));
		let meter_wh = meter_day_wh(touched.row.state.rated_power_w, rules.tolerance_ppt);
		let organisation_minted = self.answering(organisation).minted_today.on(today);
		block_wh
			.saturating_sub(usage.block_wh)
			.min(day_wh.saturating_sub(usage.day_wh))
			.min(organisation_day_wh.saturating_sub(organisation_minted))
			.min(meter_wh.saturating_sub(minted))
	}

	/// Checks that this much can be minted now for a meter: first what could never be, then what could
	/// be later.
	fn check_limits(&mut self, meter: MeterIndex, wh: u64) -> Result<(), BatchRefusal> {
		let Limits { block_wh, day_wh, organisation_day_wh, batch: rules, .. } = self.limits;
		let (usage, today) = (self.usage, self.usage.day);
		let touched = self.touch(meter)?;
		let (organisation, minted) = (touched.row.organisation, touched.row.minted_today.on(today));
		let meter_wh = meter_day_wh(touched.row.state.rated_power_w, rules.tolerance_ppt);
		let organisation_minted = self.answering(organisation).minted_today.on(today);
		let max_wh = block_wh.min(day_wh).min(organisation_day_wh).min(meter_wh);
		ensure!(wh <= max_wh, BatchRefusal::AboveLimits { max_wh });
		let within = |used: u64, most: u64| used.checked_add(wh).is_some_and(|sum| sum <= most);
		ensure!(within(usage.block_wh, block_wh), BatchRefusal::BlockLimit);
		ensure!(within(usage.day_wh, day_wh), BatchRefusal::DayLimit);
		let is_within = within(organisation_minted, organisation_day_wh);
		ensure!(is_within, BatchRefusal::OrganisationDayLimit);
		ensure!(within(minted, meter_wh), BatchRefusal::MeterDayLimit);
		Ok(())
	}

	/// Checks that the signature is the device's, for this chain.
	fn verify(&mut self, batch: &SignedBatch) -> Result<(), BatchRefusal> {
		let genesis = self.genesis;
		let meter = self.touch(batch.header.meter)?;
		Ok(batch.verify(&meter.row.device, &genesis)?)
	}

	/// Adds an accepted batch to the meter's state and the totals.
	fn note(&mut self, batch: &SignedBatch, checked: &Checked) {
		let Checked { accepted, receiver, point } = checked;
		let (wh, today) = (accepted.minted_wh, self.usage.day);
		let (rules, hour) = (self.limits.batch, HourUsage::hour_of(self.now));
		self.usage.block_wh = self.usage.block_wh.saturating_add(wh);
		self.usage.day_wh = self.usage.day_wh.saturating_add(wh);
		self.sums.minted_wh = self.sums.minted_wh.saturating_add(wh.into());
		self.sums.imported_wh = self.sums.imported_wh.saturating_add(accepted.imported_wh.into());
		self.sums.batches = self.sums.batches.saturating_add(1);
		self.sums.readings = self.sums.readings.saturating_add(batch.header.readings.into());
		let Some(meter) = self.meters.get_mut(&batch.header.meter) else { return };
		let mints = meter.mints();
		let row = &mut meter.row;
		// What is generated is delivered, if it is, through another meter.
		let is_generation = row.state.direction == Direction::Generation;
		let exported_wh = if is_generation { 0 } else { accepted.exported_wh };
		let (unminted, waited) = (exported_wh.saturating_sub(wh), wh.saturating_sub(exported_wh));
		self.sums.unminted_wh = self.sums.unminted_wh.saturating_add(unminted.into());
		self.waited_wh = self.waited_wh.saturating_add(waited.into());
		let is_free = mints && check_free(&batch.header, row.free_batches.on(hour), &rules).is_ok();
		if is_free {
			row.free_batches.add(hour);
		} else {
			self.charged = self.charged.saturating_add(1);
		}
		row.state.advance(&batch.header);
		row.totals.add((batch.header.start_ms, batch.header.end_ms), accepted);
		meter.changed = true;
		if let (Some(mark), Some(state)) = (meter.point, point) {
			// It owes together with the others.
			row.state.owed_wh = 0;
			if let Some(point) = self.points.get_mut(&mark) {
				(point.row.state, point.changed) = (state.clone(), true);
			}
		}
		let Some(receiver) = self.meters.get_mut(receiver) else { return };
		receiver.noted_wh = receiver.noted_wh.saturating_add(wh.into());
		if wh > 0 {
			receiver.row.minted_today.add(today, wh);
			receiver.changed = true;
			let organisation = receiver.row.organisation;
			let answering = self.answering(organisation);
			answering.minted_today.add(today, wh);
			answering.changed = true;
		}
	}

	/// Checks a batch whose signature is good, and writes nothing. Where [`Self::accept`] mints,
	/// this asks the token whether it would.
	fn preview(&mut self, batch: &SignedBatch) -> Result<Checked, BatchRefusal> {
		let checked = self.check(batch)?;
		if checked.accepted.minted_wh > 0 {
			let meter = self.touch(checked.receiver)?;
			let amount = meter.noted_wh.saturating_add(checked.accepted.minted_wh.into());
			let account = &meter.row.energy_account;
			let consequence =
				T::Fungibles::can_deposit(T::Kwh::get(), account, amount, Provenance::Minted);
			ensure!(consequence == DepositConsequence::Success, BatchRefusal::MintFailed);
		}
		Ok(checked)
	}

	/// Checks a batch, mints, and keeps its header. The mint comes first: if it fails, nothing has
	/// changed.
	fn accept(&mut self, batch: &SignedBatch, verify: bool) -> Result<u64, BatchRefusal> {
		let checked = self.check(batch)?;
		if verify {
			self.verify(batch)?;
		}
		let (header, wh) = (&batch.header, checked.accepted.minted_wh);
		if wh > 0 {
			let account = self.touch(checked.receiver)?.row.energy_account.clone();
			let is_new = T::Fungibles::balance(T::Kwh::get(), &account).is_zero();
			T::Fungibles::mint_into(T::Kwh::get(), &account, wh.into())
				.map_err(|_| BatchRefusal::MintFailed)?;
			self.opened = self.opened.saturating_add(u32::from(is_new));
		}
		let block = self.usage.block.saturated_into();
		let row = BatchRecord {
			header: header.clone(),
			block,
			accepted_ms: self.now,
			minted_wh: wh,
			anchor: None,
		};
		Recent::<T>::insert(header.meter, Pallet::<T>::slot(header.sequence), row);
		self.note(batch, &checked);
		Ok(wh)
	}

	/// Stores what has changed.
	fn finish(self) {
		let Self { meters, organisations, points, usage, sums, waited_wh, .. } = self;
		for (index, meter) in meters.into_iter().filter(|(_, meter)| meter.changed) {
			Meters::<T>::insert(index, meter.row);
		}
		if sums.batches == 0 {
			return;
		}
		for (index, answering) in organisations.into_iter().filter(|(_, row)| row.changed) {
			OrganisationUsage::<T>::insert(index, answering.minted_today);
		}
		for (mark, point) in points.into_iter().filter(|(_, point)| point.changed) {
			Points::<T>::insert(mark, point.row);
		}
		UsageNow::<T>::put(usage);
		SumsOfAll::<T>::mutate(|all| {
			all.minted_wh = all.minted_wh.saturating_add(sums.minted_wh);
			let unminted_wh = all.unminted_wh.saturating_add(sums.unminted_wh);
			all.unminted_wh = unminted_wh.saturating_sub(waited_wh);
			all.imported_wh = all.imported_wh.saturating_add(sums.imported_wh);
			all.batches = all.batches.saturating_add(sums.batches);
			all.readings = all.readings.saturating_add(sums.readings);
		});
	}
}

impl<T: Config> Pallet<T> {
	/// Returns the number of batches in a call.
	pub(crate) fn count(batches: &BatchesOf<T>) -> u32 {
		u32::try_from(batches.len()).unwrap_or(u32::MAX)
	}

	/// Returns the mark that good signatures of these batches leave in this extrinsic.
	fn mark(batches: &BatchesOf<T>) -> Mark<BlockNumberFor<T>> {
		Mark {
			block: frame_system::Pallet::<T>::block_number(),
			extrinsic: frame_system::Pallet::<T>::extrinsic_index().unwrap_or(u32::MAX),
			batches: H256(batches.using_encoded(blake2_256)),
		}
	}

	/// Checks that every one of these batches is acceptable now. If so, leaves the mark that their
	/// signatures are good, for the dispatch that follows in the same extrinsic.
	pub(crate) fn check_all(batches: &BatchesOf<T>) -> Result<(), InvalidTransaction> {
		let refusal = |error: Error<T>| {
			let code = error.encode().first().copied().unwrap_or(0);
			InvalidTransaction::Custom(SECOND_LIST.saturating_add(code))
		};
		ensure!(!Paused::<T>::get(), refusal(Error::Paused));
		ensure!(!batches.is_empty(), refusal(Error::NoBatches));
		let refused = |reason| match reason {
			// The pool keeps it for the next block.
			BatchRefusal::BlockLimit => InvalidTransaction::ExhaustsResources,
			reason => InvalidTransaction::Custom(reason.code()),
		};
		let mut run = Run::<T>::new(Fare::Free);
		// The first signature early: without one that is good, nobody has more than one batch looked
		// at. Then every cheap check of all batches, before the other signatures.
		for (place, batch) in batches.iter().enumerate() {
			let checked = run.preview(batch).map_err(refused)?;
			if place == 0 {
				run.verify(batch).map_err(refused)?;
			}
			run.note(batch, &checked);
		}
		batches.iter().skip(1).try_for_each(|batch| run.verify(batch)).map_err(refused)?;
		Verified::<T>::put(Self::mark(batches));
		Ok(())
	}

	/// [`Pallet::submit_batches`] without the origin.
	pub(crate) fn accept_batches(
		batches: &BatchesOf<T>,
		fare: Fare,
	) -> Result<Outcome, DispatchError> {
		ensure!(!Paused::<T>::get(), Error::<T>::Paused);
		ensure!(!batches.is_empty(), Error::<T>::NoBatches);
		let marked = Verified::<T>::take().is_some_and(|mark| mark == Self::mark(batches));
		let mut run = Run::<T>::new(fare);
		let mut refused = 0u32;
		for batch in batches {
			let header = &batch.header;
			let (meter, sequence, header_hash) = (header.meter, header.sequence, header.hash());
			Self::deposit_event(match run.accept(batch, !marked) {
				Ok(minted) => Event::BatchAccepted { meter, sequence, header_hash, minted },
				Err(reason) => {
					refused = refused.saturating_add(1);
					Event::BatchRefused { meter, sequence, header_hash, reason }
				},
			});
		}
		let count = Self::count(batches);
		let weight = if marked {
			T::WeightInfo::submit_verified_batches(count)
		} else {
			T::WeightInfo::submit_batches(count)
		};
		let opening = match run.opened {
			0 => Weight::zero(),
			opened => T::WeightInfo::open_energy_accounts(opened),
		};
		let answering = run.organisations.values().filter(|row| row.changed).count();
		let weight = weight
			.saturating_add(opening)
			.saturating_add(Self::weight_of_organisations(answering.saturated_into()))
			.saturating_add(Self::weight_of_points(run.at_points));
		let is_free = refused == 0 && run.charged == 0;
		run.finish();
		Ok(Outcome { is_free, weight })
	}

	/// Returns for each of these batches, in this order, whether it would be accepted free of fees if
	/// the pallet is not paused.
	pub(crate) fn preview_run(batches: &[SignedBatch]) -> Vec<Result<Accepted, BatchRefusal>> {
		let mut run = Run::<T>::new(Fare::Free);
		let most = T::MaxBatchesPerCall::get().saturated_into();
		let mut preview = |batch: &SignedBatch| {
			let checked = run.preview(batch)?;
			run.verify(batch)?;
			run.note(batch, &checked);
			Ok(checked.accepted)
		};
		batches.iter().take(most).map(&mut preview).collect()
	}

	/// Decides whether a general transaction without a signer may enter pool and block.
	pub(crate) fn authorize_submit(
		_source: TransactionSource,
		batches: &BatchesOf<T>,
	) -> TransactionValidityWithRefund {
		Self::check_all(batches).map_err(TransactionValidityError::Invalid)?;
		let mut validity = ValidTransaction::with_tag_prefix("GridproofBatch")
			.priority(T::SubmissionPriority::get())
			.longevity(T::SubmissionLongevity::get())
			.propagate(true);
		// One tag per batch: otherwise one set of batches could fill the pool in all its
		// combinations.
		for SignedBatch { header, .. } in batches {
			validity = validity.and_provides((header.meter, header.sequence));
		}
		Ok((validity.into(), Weight::zero()))
	}

	/// Returns the highest weight of a submission: every signature verified, every account opened, each
	/// batch of another organisation.
	pub(crate) fn weight_of_submit(batches: &BatchesOf<T>) -> Weight {
		let count = Self::count(batches);
		T::WeightInfo::submit_batches(count)
			.saturating_add(T::WeightInfo::open_energy_accounts(count))
			.saturating_add(Self::weight_of_organisations(count))
			.saturating_add(Self::weight_of_points(count))
	}

	/// Returns the weight of checking batches before they are in a block.
	pub(crate) fn weight_of_authorize_submit(batches: &BatchesOf<T>) -> Weight {
		let count = Self::count(batches);
		let points = T::DbWeight::get().reads(4).saturating_mul(count.into());
		T::WeightInfo::authorize_submit_batches(count).saturating_add(points)
	}

	/// Returns the weight of netting so many batches at metering points, each of which mints to another meter
	/// of another organisation: point, meter, organisation and what it minted are read, the first two written.
	fn weight_of_points(count: u32) -> Weight {
		T::DbWeight::get().reads_writes(4, 2).saturating_mul(count.into())
	}

	/// Returns the weight of counting what the meters of so many organisations mint today. The
	/// benchmarks have one.
	pub(crate) fn weight_of_organisations(count: u32) -> Weight {
		T::DbWeight::get().reads_writes(1, 1).saturating_mul(count.into())
	}
}
