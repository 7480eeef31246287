//! Answers of the view functions, and what governance and genesis set.

use crate::{pallet::*, types::*};
use alloc::{boxed::Box, vec::Vec};
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, Get},
	traits::fungible::hold::Mutate as _,
};
use gridproof_primitives::{
	H256,
	compute::checks::{
		BatchId, CheckId, CheckOverview, CheckParameters, CheckView, DemandOfOpening, DisputeView,
		ModelLine, VerifierKey, VerifierView,
	},
};

/// Highest number of rows in one answer.
pub(crate) const MAX_LISTED: u32 = 1_000;

impl<T: Config> Pallet<T> {
	/// Makes an account a verifier at genesis; its key is known long enough.
	pub(crate) fn begin_with(account: &T::AccountId, key: VerifierKey) -> DispatchResult {
		ensure!(!Keys::<T>::contains_key(key), Error::<T>::KeyTaken);
		let bond = Parameters::<T>::get().verifier_bond;
		T::Currency::hold(&HoldReason::Bond.into(), account, bond)?;
		Verifiers::<T>::insert(account, Verifier::new(KnownKey { key, since_ms: 0 }, bond));
		Keys::<T>::insert(key, account);
		Ok(())
	}

	/// [`Pallet::set_parameters`] without the origin.
	pub(crate) fn do_set_parameters(new: Box<CheckParameters>) -> DispatchResult {
		let old = Parameters::<T>::get();
		ensure!(old != *new, Error::<T>::Unchanged);
		ensure!(Self::check_parameters(*new).is_ok(), Error::<T>::InvalidParameters);
		let most = new.finds_within;
		let fit = Lines::<T>::iter_values().all(|line| line.check(most).is_ok());
		ensure!(fit, Error::<T>::InvalidLine);
		Parameters::<T>::put(*new);
		Self::deposit_event(Event::ParametersSet { old: Box::new(old), new });
		Ok(())
	}

	/// [`Pallet::set_line`] without the origin.
	pub(crate) fn do_set_line(model: H256, line: Option<ModelLine>) -> DispatchResult {
		let old = Lines::<T>::get(model);
		ensure!(old != line, Error::<T>::Unchanged);
		match line {
			Some(line) => {
				let most = Parameters::<T>::get().finds_within;
				ensure!(line.check(most).is_ok(), Error::<T>::InvalidLine);
				let has_room = old.is_some() || Lines::<T>::count() < T::MaxLines::get();
				ensure!(has_room, Error::<T>::MaxLinesExceeded);
				Lines::<T>::insert(model, line);
			},
			None => Lines::<T>::remove(model),
		}
		Self::deposit_event(Event::LineSet { model, line });
		Ok(())
	}

	/// [`Pallet::verifiers`].
	pub(crate) fn list_verifiers() -> Vec<VerifierView> {
		let (bond, now) = (Parameters::<T>::get().verifier_bond, Self::now());
		let view = |(account, row): (T::AccountId, Verifier)| VerifierView {
			account: account.into(),
			key: row.key.key,
			key_since_ms: row.key.since_ms,
			bond: row.bond,
			reports: row.reports,
			last_report_ms: row.last_report_ms,
			offences: row.offences,
			free_ms: row.free_ms,
			left_ms: row.left_ms,
			suspended_ms: (row.suspended_from_ms, row.suspended_ms),
			draws: row.is_fit(bond, now) && row.key_at(now).is_some(),
		};
		Verifiers::<T>::iter().map(view).collect()
	}

	/// [`Pallet::reports`].
	pub(crate) fn list_reports(batch: BatchId, limit: u32) -> Vec<CheckView> {
		let limit = usize::try_from(limit.min(MAX_LISTED)).unwrap_or(usize::MAX);
		let rows = Reports::<T>::iter_prefix(batch).take(limit);
		rows.map(|((verifier, check), row)| CheckView {
			id: CheckId { batch, verifier, check },
			voucher: row.receipt.voucher,
			index: row.receipt.index,
			miner: row.receipt.miner,
			model: row.receipt.model,
			figures: row.figures,
			commitment: row.commitment,
			block: row.block,
			time_ms: row.time_ms,
		})
		.collect()
	}

	/// [`Pallet::demands`].
	pub(crate) fn list_demands() -> Vec<DemandOfOpening> {
		let limit = usize::try_from(MAX_LISTED).unwrap_or(usize::MAX);
		let view = |(id, row): (CheckId, DemandRow<T::AccountId>)| {
			let (has, nothing, all) = row.count();
			DemandOfOpening {
				id,
				miner: row.miner,
				index: row.receipt.map(|receipt| receipt.index),
				witnesses: (all, has, nothing),
				until_ms: Self::in_utc(row.until),
				opened: row.opened,
			}
		};
		Demands::<T>::iter().take(limit).map(view).collect()
	}

	/// [`Pallet::reopenings`].
	pub(crate) fn list_reopenings() -> Vec<CheckId> {
		let limit = usize::try_from(MAX_LISTED).unwrap_or(usize::MAX);
		Reopenings::<T>::iter_keys().take(limit).collect()
	}

	/// [`Pallet::place_of_demand`].
	pub(crate) fn find_place(check: &CheckId) -> Option<u128> {
		Demands::<T>::get(check).filter(|row| row.receipt.is_none()).map(|row| row.place)
	}

	/// [`Pallet::disputes`].
	pub(crate) fn list_disputes() -> Vec<DisputeView> {
		let limit = usize::try_from(MAX_LISTED).unwrap_or(usize::MAX);
		let view = |(id, row): (H256, Dispute<T::AccountId>)| {
			let number = |is_so: fn(&Juror<T::AccountId>) -> bool| {
				let count = row.jurors.iter().filter(|juror| is_so(juror)).count();
				u32::try_from(count).unwrap_or(u32::MAX)
			};
			let committed = number(|juror| juror.commitment.is_some());
			let without_vote = number(|juror| juror.no_vote.is_some());
			DisputeView {
				id,
				cause: row.cause,
				batch: row.receipt.batch,
				index: row.receipt.index,
				accused: match &row.accused {
					Accused::Miner(key) => *key,
					Accused::Verifier(account) => account.clone().into(),
				},
				block: row.block,
				phase: Self::phase_of(&row),
				until_ms: (Self::in_utc(row.until.0), Self::in_utc(row.until.1)),
				jurors: (row.size(), committed),
				without_vote,
				votes: row.votes(),
				reports: row.reports.to_vec(),
				others: row.others.to_vec(),
			}
		};
		Disputes::<T>::iter().take(limit).map(view).collect()
	}

	/// [`Pallet::overview`].
	pub(crate) fn view_overview() -> CheckOverview {
		let (now, sums) = (Self::now(), Sums::<T>::get());
		let since = |row: &Verifier| now.saturating_sub(row.last_report_ms);
		let lately = Verifiers::<T>::iter_values()
			.filter(|row| row.last_report_ms > 0 && since(row) < DAY_MS)
			.count();
		let standing = StillSince::<T>::get().map_or(0, |since| now.saturating_sub(since));
		CheckOverview {
			verifiers: Verifiers::<T>::count(),
			reported_lately: u32::try_from(lately).unwrap_or(u32::MAX),
			reports: sums.reports,
			disputes: (sums.disputes, sums.guilty),
			paid: sums.paid,
			still_ms: sums.still_ms.saturating_add(standing),
		}
	}
}
