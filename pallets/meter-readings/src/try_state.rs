//! Invariants that hold between any two blocks.

use crate::{identity::marks_of, organisations::name_mark, pallet::*, types::*};
use alloc::collections::BTreeMap;
use frame_support::{
	ensure,
	pallet_prelude::Get,
	traits::{Time, fungible::hold::Inspect as _, fungibles::Inspect as _},
};
use gridproof_primitives::{
	crypto::ed25519,
	energy::{Direction, MeterIndex},
};
use sp_runtime::{TryRuntimeError, traits::Saturating};

impl<T: Config> Pallet<T> {
	/// Checks every invariant:
	///
	/// 1. The limits are in range, and neither the last block nor the last day minted more than the
	///    highest limit that was in force then.
	/// 2. No more KWH exists than batches have minted and corrections have not burned; no meter was
	///    corrected by more than it delivered.
	/// 3. The totals count what exists: organisations, electricians, meters, suspended meters; the
	///    energy of each meter is part of all energy. What the meters in service and the organisations
	///    minted today is part of what was minted today.
	/// 4. An organisation counts its members and its meters correctly, and has no more members than
	///    are allowed. A member and a meter belong to an organisation that exists.
	/// 5. A meter has a certificate, a name and a device key that lead back to it, and nothing else
	///    does; its key is not weak; its energy account is that of owner and device.
	/// 6. A meter keeps its last batches, as many as there are and fit, each in its slot and with
	///    the hash of the one before; the last one is the state's. Nothing is kept of meters that
	///    are not in service.
	/// 7. An anchor is in the slot of its batch, not beyond the last one, plausible, and of the
	///    batch's root if that is still kept.
	/// 8. For each account and reason, the deposits held are those that the rows record; those for
	///    tombstones are those that were counted.
	/// 9. Recorders are listed once each.
	/// 10. Serial number and seal of a meter in service are its own, and what is taken is a meter's
	///     in service; names of organisations are taken. A key that has a tombstone signs for
	///     nobody.
	/// 11. A meter that mints is at the point that it names, once, as its own row has it, and with
	///     meters of its owner only. A point has no other meters in service; one that has none owes
	///     something, or has the empty place of a meter that took energy, and no sums.
	/// 12. What a tombstone says of registers is of a meter that was given an index, and was left by now.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let limits = LimitsInUse::<T>::get();
		ensure!(limits.is_valid(), "1: a limit is out of range");
		let usage = UsageNow::<T>::get();
		ensure!(usage.block_wh <= usage.block_limit_wh, "1: a block minted too much");
		ensure!(usage.day_wh <= usage.day_limit_wh, "1: a day minted too much");
		let issuance = T::Fungibles::total_issuance(T::Kwh::get());
		let burned = BurnedByCorrections::<T>::get();
		let minted = SumsOfAll::<T>::get().minted_wh.checked_sub(burned);
		ensure!(minted.is_some_and(|minted| issuance <= minted), "2: KWH from nothing");
		for (meter, corrected) in Corrected::<T>::iter() {
			let row = Meters::<T>::get(meter).ok_or("2: a correction of nothing")?;
			ensure!(corrected <= row.totals.all.export_wh, "2: corrected by too much");
		}
		Self::try_sums()?;
		Self::try_organisations()?;
		Self::try_meters()?;
		Self::try_numbers()?;
		Self::try_tombstones()?;
		Self::try_points()?;
		Self::try_anchors()?;
		Self::try_deposits()?;
		let recorders = Recorders::<T>::get();
		let unique: alloc::collections::BTreeSet<_> = recorders.iter().collect();
		ensure!(unique.len() == recorders.len(), "9: a recorder twice");
		Ok(())
	}

	fn try_sums() -> Result<(), TryRuntimeError> {
		let sums = SumsOfAll::<T>::get();
		let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
		let suspended =
			Meters::<T>::iter_values().filter(|meter| meter.suspended.is_some()).count();
		ensure!(
			sums.organisations == count(Organisations::<T>::iter().count()),
			"3: organisations"
		);
		ensure!(sums.electricians == count(Members::<T>::iter().count()), "3: electricians");
		ensure!(sums.meters == count(Meters::<T>::iter().count()), "3: meters");
		ensure!(sums.suspended == count(suspended), "3: suspended meters");
		let (mut exported, mut imported, mut batches) = (0u128, 0u128, 0u64);
		for meter in Meters::<T>::iter_values() {
			if meter.state.direction != Direction::Generation {
				exported = exported.saturating_add(meter.totals.all.export_wh.into());
			}
			imported = imported.saturating_add(meter.totals.all.import_wh.into());
			batches = batches.saturating_add(meter.state.next_sequence);
		}
		let all = sums.minted_wh.saturating_add(sums.unminted_wh);
		ensure!(exported <= all, "3: more exported than counted");
		ensure!(imported <= sums.imported_wh, "3: more imported than counted");
		ensure!(batches <= sums.batches, "3: more batches than counted");
		ensure!(sums.batches <= sums.readings, "3: a batch without a reading");
		let usage = UsageNow::<T>::get();
		let of_meters: u128 = Meters::<T>::iter_values()
			.map(|meter| u128::from(meter.minted_today.on(usage.day)))
			.fold(0, u128::saturating_add);
		let of_organisations: u128 = OrganisationUsage::<T>::iter_values()
			.map(|minted| u128::from(minted.on(usage.day)))
			.fold(0, u128::saturating_add);
		ensure!(of_meters <= usage.day_wh.into(), "3: meters minted more than the day");
		ensure!(of_organisations <= usage.day_wh.into(), "3: organisations minted more");
		Ok(())
	}

	fn try_organisations() -> Result<(), TryRuntimeError> {
		let mut members = BTreeMap::<OrganisationIndex, u32>::new();
		let mut meters = BTreeMap::<OrganisationIndex, u32>::new();
		for (organisation, _, _) in Members::<T>::iter() {
			members.entry(organisation).or_default().saturating_inc();
		}
		for meter in Meters::<T>::iter_values() {
			meters.entry(meter.organisation).or_default().saturating_inc();
		}
		for (index, row) in Organisations::<T>::iter() {
			ensure!(index < NextOrganisation::<T>::get(), "4: an index that was not given");
			ensure!(members.remove(&index).unwrap_or(0) == row.members, "4: members");
			ensure!(meters.remove(&index).unwrap_or(0) == row.meters, "4: meters");
			ensure!(row.members <= T::MaxMembers::get(), "4: too many members");
			ensure!(!row.name.is_empty(), "4: no name");
		}
		ensure!(members.is_empty(), "4: member of nothing");
		ensure!(meters.is_empty(), "4: meter of nobody");
		Ok(())
	}

	fn try_meters() -> Result<(), TryRuntimeError> {
		let (mut meters, mut kept) = (0usize, 0usize);
		for (index, row) in Meters::<T>::iter() {
			ensure!(index < NextMeter::<T>::get(), "5: an index that was not given");
			let certified = Certificates::<T>::get(index).ok_or("5: no certificate")?;
			let certificate = &certified.certificate;
			ensure!(MeterNames::<T>::get(&certificate.name) == Some(index), "5: name");
			ensure!(DeviceKeys::<T>::get(row.device) == Some(index), "5: key");
			ensure!(ed25519::check_key(&row.device).is_ok(), "5: weak key");
			let same = certificate.device == row.device
				&& certificate.organisation == row.organisation
				&& certificate.direction == row.state.direction
				&& certificate.rated_power_w == row.state.rated_power_w;
			ensure!(same, "5: the certificate says something else");
			let account = T::EnergyAccounts::energy_account(&certificate.owner, &row.device);
			ensure!(account == row.energy_account, "5: another's energy account");
			kept = kept.saturating_add(Self::try_recent(index, &row)?);
			meters = meters.saturating_add(1);
		}
		ensure!(Certificates::<T>::iter().count() == meters, "5: certificate of nothing");
		ensure!(MeterNames::<T>::iter().count() == meters, "5: name of nothing");
		ensure!(DeviceKeys::<T>::iter().count() == meters, "5: key of nothing");
		ensure!(Recent::<T>::iter().count() == kept, "6: a batch too many");
		Ok(())
	}

	fn try_numbers() -> Result<(), TryRuntimeError> {
		let mut marks = alloc::collections::BTreeSet::new();
		for (index, row) in Meters::<T>::iter() {
			let certified = Certificates::<T>::get(index).ok_or("5: no certificate")?;
			ensure!(!Self::is_retired(&row.device), "10: a key after its end");
			let all = marks_of(&certified.certificate, row.scope());
			marks.extend(all);
			// Meters that were certified before numbers were may share a seal, or a name in lower case.
			if !certified.certificate.serial.is_empty() {
				let [_, serial, seal] = all;
				let taken = |mark| Numbers::<T>::get(mark) == Some(index);
				ensure!(taken(serial) && taken(seal), "10: a number that is not taken");
			}
		}
		for (mark, index) in Numbers::<T>::iter() {
			ensure!(marks.contains(&mark), "10: a number of nothing");
			ensure!(Meters::<T>::contains_key(index), "10: a number of a meter that is gone");
		}
		for (mark, index) in OrganisationNames::<T>::iter() {
			let row = Organisations::<T>::get(index).ok_or("10: a name of nobody")?;
			ensure!(name_mark(&row.name) == mark, "10: another's name");
		}
		for row in Organisations::<T>::iter_values() {
			let is_taken = OrganisationNames::<T>::contains_key(name_mark(&row.name));
			ensure!(is_taken, "10: a name that is not taken");
		}
		Ok(())
	}

	fn try_tombstones() -> Result<(), TryRuntimeError> {
		let (now, next) = (T::Time::now(), NextMeter::<T>::get());
		for tombstone in Tombstones::<T>::iter_values() {
			ensure!(tombstone.gone_ms <= now, "12: left in the future");
			let meter = tombstone.last.and_then(|last| last.meter);
			ensure!(meter.is_none_or(|meter| meter < next), "12: registers of no meter");
		}
		Ok(())
	}

	/// Checks the batches that the meter keeps, and returns their number.
	fn try_recent(index: MeterIndex, meter: &MeterOf<T>) -> Result<usize, TryRuntimeError> {
		let next = meter.state.next_sequence;
		let kept = next.min(T::MaxRecent::get().into());
		let mut hash = meter.state.last_hash;
		ensure!(next > 0 || hash.is_zero(), "6: a last batch before the first");
		for back in 1..=kept {
			let sequence = next.saturating_sub(back);
			let row = Self::recent(index, sequence).ok_or("6: a batch is missing")?;
			ensure!(row.header.meter == index, "6: another meter's batch");
			ensure!(row.header.hash() == hash, "6: the chain of headers is broken");
			ensure!(row.header.end_ms <= meter.state.last_end_ms, "6: batches out of order");
			hash = row.header.previous;
		}
		ensure!(kept < next || hash.is_zero(), "6: the first batch follows another");
		Ok(usize::try_from(kept).unwrap_or(usize::MAX))
	}

	fn try_anchors() -> Result<(), TryRuntimeError> {
		for (index, slot, anchor) in Anchors::<T>::iter() {
			let meter = Meters::<T>::get(index).ok_or("7: an anchor of nothing")?;
			ensure!(slot == Self::slot(anchor.sequence), "7: an anchor in another's slot");
			ensure!(anchor.sequence < meter.state.next_sequence, "7: an anchor too early");
			ensure!(anchor.state.is_plausible(), "7: an anchor that cannot be");
			let kept = Self::recent(index, anchor.sequence);
			ensure!(
				kept.is_none_or(|row| row.header.root == anchor.root),
				"7: an anchor of another root"
			);
		}
		Ok(())
	}

	fn try_deposits() -> Result<(), TryRuntimeError> {
		let mut held = BTreeMap::<T::AccountId, [BalanceOf<T>; 4]>::new();
		for row in Organisations::<T>::iter_values() {
			let [organisation, ..] = held.entry(row.depositor).or_default();
			organisation.saturating_accrue(row.deposit);
		}
		for (_, _, deposit) in Members::<T>::iter() {
			let [_, member, ..] = held.entry(deposit.who).or_default();
			member.saturating_accrue(deposit.amount);
		}
		for row in Certificates::<T>::iter_values() {
			let [.., meter, _] = held.entry(row.depositor).or_default();
			meter.saturating_accrue(row.deposit);
		}
		for (who, deposit) in TombstoneDeposits::<T>::iter() {
			let [.., tombstones] = held.entry(who).or_default();
			tombstones.saturating_accrue(deposit);
		}
		for (who, [organisation, member, meter, tombstones]) in held {
			for (reason, deposit) in [
				(HoldReason::Organisation, organisation),
				(HoldReason::Member, member),
				(HoldReason::Meter, meter),
				(HoldReason::Tombstone, tombstones),
			] {
				let on_hold = T::Currency::balance_on_hold(&reason.into(), &who);
				ensure!(on_hold == deposit, "8: deposits are not what is held");
			}
		}
		Ok(())
	}

	/// Returns `true` if nothing is held of `who`.
	#[cfg(test)]
	pub(crate) fn holds_nothing_of(who: &T::AccountId) -> bool {
		use sp_runtime::traits::Zero as _;
		[HoldReason::Organisation, HoldReason::Member, HoldReason::Meter, HoldReason::Tombstone]
			.into_iter()
			.all(|reason| T::Currency::balance_on_hold(&reason.into(), who).is_zero())
	}
}
