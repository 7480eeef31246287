//! Re-opened reports: one in twenty is compared with the pass of another verifier.

use crate::{pallet::*, types::*};
use frame_support::{ensure, pallet_prelude::DispatchResult};
use gridproof_primitives::compute::checks::{
	CheckId, CheckRefusal, DisputeCause, Reopening, ShownFigures, VerifierSignature, Waiting,
	compare_figures, figures_commitment, is_of_report, is_reopened, reopen_input,
};

impl<T: Config> Pallet<T> {
	/// Checks a re-opening whole.
	pub(crate) fn check_reopen(
		reopening: &Reopening,
		signature: &VerifierSignature,
	) -> Result<(T::AccountId, Report<T::AccountId>), CheckRefusal> {
		let CheckId { batch, verifier, check } = reopening.of;
		let (account, row) = Self::check_drawer(&batch, &reopening.by)?;
		let report = Reports::<T>::get(batch, (verifier, check));
		let report = report.ok_or(CheckRefusal::UnknownReport)?;
		let parties = Self::parties_of(&report.receipt);
		ensure!(report.by != account && !parties.contains(&account), CheckRefusal::OwnCause);
		// Who reports in the last block of a window is looked at like everybody else.
		let is_own_time = Self::working_ms() < report.until;
		let is_window =
			|| T::Waiting::batch(&batch).is_some_and(|one| Self::now() < one.pay_due_ms);
		ensure!(is_own_time || is_window(), CheckRefusal::TooLate);
		ensure!(!report.reopened, CheckRefusal::AlreadyDone);
		let genesis = Self::genesis_hash();
		ensure!(reopening.is_signed(&genesis, signature), CheckRefusal::BadSignature);
		let input = reopen_input(&genesis, &reopening.of.hash(), &report.block);
		let output = reopening.vrf.verify(&reopening.by, &input).ok_or(CheckRefusal::BadVrf)?;
		let others = row.checks.verifiers.saturating_sub(1);
		let drawn = is_reopened(&output, Parameters::<T>::get().reopen_one_in, others);
		ensure!(drawn, CheckRefusal::NotDrawn);
		Ok((account, report))
	}

	/// [`Pallet::reopen`] without the origin.
	pub(crate) fn do_reopen(
		reopening: &Reopening,
		signature: &VerifierSignature,
	) -> DispatchResult {
		let (account, mut report) =
			Self::check_reopen(reopening, signature).map_err(Self::refused)?;
		let CheckId { batch, verifier, check } = reopening.of;
		Self::count_pending(&account, true);
		let side = |by, key, commitment| Side { by, key, commitment, shown: None };
		let until = Self::working_ms().saturating_add(Parameters::<T>::get().show_ms);
		let row = ReopeningRow {
			reporter: side(report.by.clone(), verifier, report.commitment),
			other: side(account, reopening.by, reopening.commitment),
			until,
		};
		report.reopened = true;
		Reports::<T>::insert(batch, (verifier, check), report);
		Reopenings::<T>::insert(reopening.of, row);
		Self::count_open(&batch, true);
		Self::deposit_event(Event::ReportReopened {
			check: reopening.of,
			by: reopening.by,
			until_ms: Self::in_utc(until),
		});
		Ok(())
	}

	/// Checks figures that are shown, whole.
	pub(crate) fn check_shown(
		shown: &ShownFigures,
		signature: &VerifierSignature,
	) -> Result<ReopeningRow<T::AccountId>, CheckRefusal> {
		let row = Reopenings::<T>::get(shown.of).ok_or(CheckRefusal::UnknownReport)?;
		ensure!(Self::working_ms() < row.until, CheckRefusal::TooLate);
		let sides = [&row.reporter, &row.other];
		let side = sides.into_iter().find(|side| side.key == shown.by);
		let side = side.ok_or(CheckRefusal::OwnCause)?;
		ensure!(side.shown.is_none(), CheckRefusal::AlreadyDone);
		// With the second ones a dispute may have to be opened.
		let is_last = row.reporter.shown.is_some() || row.other.shown.is_some();
		ensure!(!is_last || Self::has_room_for_dispute(), CheckRefusal::Full);
		let own = CheckId { verifier: shown.by, ..shown.of };
		let committed = figures_commitment(&own, &shown.figures) == side.commitment;
		ensure!(committed, CheckRefusal::OtherCommitment);
		let is_signed = shown.is_signed(&Self::genesis_hash(), signature);
		ensure!(is_signed, CheckRefusal::BadSignature);
		Ok(row)
	}

	/// [`Pallet::show_figures`] without the origin.
	pub(crate) fn do_show(shown: &ShownFigures, signature: &VerifierSignature) -> DispatchResult {
		let mut row = Self::check_shown(shown, signature).map_err(Self::refused)?;
		let side = if row.reporter.key == shown.by { &mut row.reporter } else { &mut row.other };
		side.shown = Some(shown.figures.clone());
		Self::deposit_event(Event::FiguresShown { check: shown.of, by: shown.by });
		if row.reporter.shown.is_some() && row.other.shown.is_some() {
			return Self::compare(shown.of, row);
		}
		Reopenings::<T>::insert(shown.of, row);
		Ok(())
	}

	/// Compares what both have shown: where they do not agree, the jury says who is right.
	fn compare(of: CheckId, row: ReopeningRow<T::AccountId>) -> DispatchResult {
		Reopenings::<T>::remove(of);
		Self::count_open(&of.batch, false);
		let report = Reports::<T>::get(of.batch, (of.verifier, of.check));
		let report = report.ok_or(Error::<T>::UnknownReport)?;
		let line = Self::line_of(&report.receipt.model, report.time_ms);
		let (reporter, other) = (row.reporter, row.other);
		if let (Some(line), Some(own)) = (&line, &reporter.shown)
			&& !is_of_report(line, &report.figures, own)
		{
			// Its own figures say that its report was invented: no jury has to.
			Self::count_pending(&other.by, false);
			Self::deposit_event(Event::FiguresCompared { check: of, agree: false });
			return Self::punish_verifier(&reporter.by);
		}
		let agree = match (&line, &reporter.shown, &other.shown) {
			(Some(line), Some(own), Some(others)) => compare_figures(line, own, others),
			_ => true,
		};
		Self::deposit_event(Event::FiguresCompared { check: of, agree });
		if agree {
			Self::count_pending(&other.by, false);
			return Ok(());
		}
		let (accuser, accused) = (Accuser::Verifier(other.by), Accused::Verifier(reporter.by));
		if let Accuser::Verifier(by) = &accuser
			&& OpenPairs::<T>::contains_key(Self::pair_of(&accuser, &accused))
		{
			// One dispute of both is open already, and this is not another.
			Self::count_pending(by, false);
			return Ok(());
		}
		let cause = DisputeCause::Reopened(of);
		Self::open_dispute(cause, report.receipt, accuser, accused, Default::default())
	}

	/// Checks that a re-opening is over.
	pub(crate) fn check_close_reopening(
		of: &CheckId,
	) -> Result<ReopeningRow<T::AccountId>, CheckRefusal> {
		let row = Reopenings::<T>::get(of).ok_or(CheckRefusal::UnknownReport)?;
		ensure!(Self::working_ms() >= row.until, CheckRefusal::NotYet);
		Ok(row)
	}

	/// [`Pallet::close_reopening`] without the origin.
	pub(crate) fn do_close_reopening(of: CheckId) -> DispatchResult {
		let row = Self::check_close_reopening(&of).map_err(Self::refused)?;
		Reopenings::<T>::remove(of);
		Self::count_open(&of.batch, false);
		Self::count_pending(&row.other.by, false);
		for side in [row.reporter, row.other] {
			if side.shown.is_none() {
				Self::punish_verifier(&side.by)?;
			}
		}
		Self::deposit_event(Event::ReopeningClosed { check: of });
		Ok(())
	}
}
