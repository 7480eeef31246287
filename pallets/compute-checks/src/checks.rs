//! Touches of batches, reports, and the numbers that they make.

use crate::{pallet::*, types::*};
use alloc::vec::Vec;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchError, DispatchResult},
};
use gridproof_primitives::{
	H256,
	compute::{
		ComputeParameters,
		channels::{ChannelParameters, ChannelReceipt, Mode, Placed, receipt_leaf},
		checks::{
			BatchChecks, BatchId, CheckId, CheckRefusal, CheckReport, Checkable, DisputeCause,
			Figures, MAX_CHECKS_PER_DRAW, MAX_HOLD_MS, ModelLine, Number, OPENED_CHECKS, Part,
			VerifierKey, VerifierSignature, Vrf, Waiting, WideNumber, checks_of, draw_input,
			is_paid, paid_place, paid_price, point_of,
		},
		emission::share_of,
		registry::{EngineClass, ModelRegistry},
	},
	crypto::{ed25519::PublicKey, merkle},
};
use sp_runtime::SaturatedConversion;

/// Blocks between the settlement of a batch and its first touch.
const BLOCKS_BEFORE_TOUCH: u32 = 3;

/// What state says of a report.
struct Reported<AccountId> {
	account: AccountId,
	row: BatchRow,
	receipt: Checked,
	line: ModelLine,
	/// The check whose opening witnesses have.
	opened: Option<CheckId>,
}

impl<T: Config> Pallet<T> {
	/// Returns the hash of the chain's first block.
	pub(crate) fn genesis_hash() -> H256 {
		frame_system::Pallet::<T>::block_hash(
			frame_system::pallet_prelude::BlockNumberFor::<T>::from(0u32),
		)
	}

	/// Returns the line of a model: that which governance set, or, of the engine class `exact`, that one
	/// difference is enough.
	pub(crate) fn line_of(model: &H256, time_ms: u64) -> Option<ModelLine> {
		Lines::<T>::get(model).or_else(|| {
			let terms = T::Models::terms_at(model, time_ms)?;
			(terms.engine == EngineClass::Exact).then_some(ModelLine::EXACT)
		})
	}

	/// Checks that a batch can be touched now; returns it.
	pub(crate) fn check_touch(id: &BatchId) -> Result<Checkable, CheckRefusal> {
		ensure!(!Batches::<T>::contains_key(id), CheckRefusal::AlreadyTouched);
		let batch = T::Waiting::batch(id).ok_or(CheckRefusal::UnknownBatch)?;
		let number: u32 = frame_system::Pallet::<T>::block_number().saturated_into();
		let first = batch.block.saturating_add(BLOCKS_BEFORE_TOUCH);
		ensure!(number >= first, CheckRefusal::TooEarly);
		Ok(batch)
	}

	/// [`Pallet::touch`] without the origin.
	pub(crate) fn do_touch(id: BatchId) -> DispatchResult {
		let batch = Self::check_touch(&id).map_err(Error::<T>::from)?;
		let now = Self::now();
		let is_opened = batch.kind.mode == Mode::Ordinary;
		let total = paid_price(batch.sums.price, &T::Waiting::given_up(&id));
		let worth = share_of(batch.worth, total, batch.sums.price);
		// Private work is never opened, so nothing of it is drawn.
		let value = if is_opened { worth.saturating_add(batch.claim) } else { 0 };
		let checks = BatchChecks {
			block: frame_system::Pallet::<T>::parent_hash(),
			touched_ms: now,
			verifiers: Self::drawing_verifiers(&id),
			per_check: Parameters::<T>::get().value_per_check,
			value,
			total,
			reports: 0,
		};
		let header_hash = batch.header_hash;
		let row = BatchRow { checks, header_hash, open: 0, asked: 0, opened: 0, reopen_until: 0 };
		Batches::<T>::insert(id, row);
		Self::deposit_event(Event::BatchTouched { batch: id, block: checks.block, value });
		Ok(())
	}

	/// Checks what state says of who draws: batch, verifier, key.
	pub(crate) fn check_drawer(
		id: &BatchId,
		key: &VerifierKey,
	) -> Result<(T::AccountId, BatchRow), CheckRefusal> {
		let (account, verifier) = Self::verifier_of(key)?;
		let row = Batches::<T>::get(id).ok_or(CheckRefusal::NotTouched)?;
		let draws = verifier.key_at(row.checks.touched_ms) == Some(*key);
		ensure!(draws, CheckRefusal::OtherKey);
		// Who leaves or is suspended reports what it drew before, and draws nothing more.
		ensure!(verifier.took_part_at(row.checks.touched_ms), CheckRefusal::NotDrawn);
		Self::check_bond(&verifier)?;
		let coordinator = T::Settlement::account_of(&id.coordinator);
		ensure!(coordinator.as_ref() != Some(&account), CheckRefusal::OwnCause);
		Ok((account, row))
	}

	/// Checks that a verifier has at least half of its bond: else it has nothing left to lose.
	fn check_bond(verifier: &Verifier) -> Result<(), CheckRefusal> {
		let has_bond = verifier.bond.saturating_mul(2) >= Parameters::<T>::get().verifier_bond;
		ensure!(has_bond, CheckRefusal::NotFit);
		Ok(())
	}

	/// Checks what state says of a draw: verifier, batch, key, window.
	pub(crate) fn check_drawn(
		id: &BatchId,
		key: &VerifierKey,
	) -> Result<(T::AccountId, Checkable, BatchRow), CheckRefusal> {
		let (account, row) = Self::check_drawer(id, key)?;
		let batch = T::Waiting::batch(id).ok_or(CheckRefusal::UnknownBatch)?;
		ensure!(Self::now() < batch.pay_due_ms, CheckRefusal::TooLate);
		Ok((account, batch, row))
	}

	/// Returns the accounts whose own cause a receipt is: coordinator, miner and client.
	pub(crate) fn parties_of(receipt: &Checked) -> Vec<T::AccountId> {
		let coordinator = T::Settlement::account_of(&receipt.batch.coordinator);
		let miner = T::Settlement::account_of(&receipt.registered);
		let client = T::Settlement::client_of(receipt.voucher.channel);
		[coordinator, miner, client].into_iter().flatten().collect()
	}

	/// Returns under what a miner is known for its numbers and disputes: its account, so that another key is
	/// no new beginning, or else the key.
	pub(crate) fn party_of(registered: &PublicKey) -> PublicKey {
		T::Settlement::account_of(registered).map_or(*registered, Into::into)
	}

	/// Verifies a draw; returns its point.
	pub(crate) fn verify_draw(
		row: &BatchRow,
		key: &VerifierKey,
		vrf: &Vrf,
		check: u32,
	) -> Result<u128, CheckRefusal> {
		let BatchChecks { value, per_check, verifiers, total, block, .. } = row.checks;
		let input = draw_input(&Self::genesis_hash(), &row.header_hash, &block);
		let output = vrf.verify(key, &input).ok_or(CheckRefusal::BadVrf)?;
		let number = checks_of(value, per_check, verifiers, &output);
		ensure!(check < number, CheckRefusal::NotDrawn);
		point_of(&output, check, total).ok_or(CheckRefusal::NotDrawn)
	}

	/// Checks that a receipt is in a batch; returns what is kept of it.
	pub(crate) fn check_placed(
		id: &BatchId,
		batch: &Checkable,
		placed: &Placed<ChannelReceipt>,
	) -> Result<Checked, CheckRefusal> {
		let receipt = &placed.item.receipt;
		let miner = receipt.miner.ok_or(CheckRefusal::OtherPoint)?;
		let voucher = placed.item.check().map_err(|_| CheckRefusal::NotInBatch)?;
		let line = T::Waiting::line(id, &miner).ok_or(CheckRefusal::UnknownBatch)?;
		// The tree is the coordinator's word: what the line does not pay is not a receipt of it.
		let is_paid = is_paid(&placed.item, &line.line, &T::Waiting::given_up(id));
		ensure!(is_paid && placed.item.sums.kind == batch.kind, CheckRefusal::NotInBatch);
		let (leaf, size) = (receipt_leaf(&placed.item), batch.sums.receipts);
		let proven =
			merkle::verify_inclusion(&leaf, placed.index, size, &placed.path, &batch.receipts);
		proven.map_err(|_| CheckRefusal::NotInBatch)?;
		Ok(Checked {
			batch: *id,
			index: placed.index,
			voucher,
			miner,
			registered: line.registered,
			model: receipt.model,
			price: receipt.price,
		})
	}

	/// Checks that a point lies in the price of a receipt.
	pub(crate) fn check_point(
		id: &BatchId,
		receipt: &ChannelReceipt,
		point: u128,
	) -> Result<(), CheckRefusal> {
		let miner = receipt.receipt.miner.ok_or(CheckRefusal::OtherPoint)?;
		let place = Self::place_of(id, &miner, point)?;
		Self::check_place(receipt, place)
	}

	/// Checks that a place in a miner's running sum of prices lies in the price of a receipt.
	pub(crate) fn check_place(receipt: &ChannelReceipt, place: u128) -> Result<(), CheckRefusal> {
		ensure!(receipt.pays_at(place), CheckRefusal::OtherPoint);
		Ok(())
	}

	/// Returns the place of a point in a miner's running sum of prices.
	pub(crate) fn place_of(
		id: &BatchId,
		miner: &PublicKey,
		point: u128,
	) -> Result<u128, CheckRefusal> {
		let line = T::Waiting::line(id, miner).ok_or(CheckRefusal::UnknownBatch)?;
		let given_up = T::Waiting::given_up(id);
		paid_place(&line, &given_up, point).ok_or(CheckRefusal::OtherPoint)
	}

	/// Returns who reports a check, the batch, and the check whose opening witnesses have, if it is one.
	fn check_reporter(
		report: &CheckReport,
	) -> Result<(T::AccountId, BatchRow, Option<CheckId>), CheckRefusal> {
		if report.check >= OPENED_CHECKS {
			let of = Opened::<T>::get(report.batch, report.check);
			let of = of.ok_or(CheckRefusal::NotDrawn)?;
			let demand = Demands::<T>::get(of).ok_or(CheckRefusal::NotDrawn)?;
			ensure!(Self::working_ms() < demand.until, CheckRefusal::TooLate);
			let (account, verifier) = Self::verifier_of(&report.verifier)?;
			Self::check_bond(&verifier)?;
			ensure!(demand.has(&account), CheckRefusal::NotDrawn);
			let row = Batches::<T>::get(report.batch).ok_or(CheckRefusal::NotTouched)?;
			return Ok((account, row, Some(of)));
		}
		let id = report.id();
		if !Demanded::<T>::contains_key(id.batch, (id.verifier, id.check)) {
			let (account, _, row) = Self::check_drawn(&id.batch, &id.verifier)?;
			return Ok((account, row, None));
		}
		// What was demanded continues once two thirds have the opening, and only then.
		let demand = Demands::<T>::get(id).ok_or(CheckRefusal::AlreadyDone)?;
		ensure!(demand.opened.is_some(), CheckRefusal::OpeningDemanded);
		ensure!(Self::working_ms() < demand.until, CheckRefusal::TooLate);
		let (account, row) = Self::check_drawer(&id.batch, &id.verifier)?;
		Ok((account, row, Some(id)))
	}

	/// Checks everything of a report but signature and draw.
	fn check_report(report: &CheckReport) -> Result<Reported<T::AccountId>, CheckRefusal> {
		let (account, row, opened) = Self::check_reporter(report)?;
		let batch = T::Waiting::batch(&report.batch).ok_or(CheckRefusal::UnknownBatch)?;
		let place = (report.verifier, report.check);
		let is_new = !Reports::<T>::contains_key(report.batch, place);
		ensure!(is_new, CheckRefusal::AlreadyReported);
		let receipt = &report.receipt.item.receipt;
		let line = Self::line_of(&receipt.model, batch.settled_ms).ok_or(CheckRefusal::NoLine)?;
		let tokens = receipt.telemetry.output_tokens;
		line.figure(&report.figures, tokens).map_err(CheckRefusal::Figures)?;
		let checked = Self::check_placed(&report.batch, &batch, &report.receipt)?;
		ensure!(!Self::parties_of(&checked).contains(&account), CheckRefusal::OwnCause);
		if let Some(of) = opened {
			let demanded = Demands::<T>::get(of).and_then(|demand| demand.receipt);
			ensure!(demanded == Some(checked), CheckRefusal::OtherPoint);
		}
		let accuses = Self::accuses(&account, &checked, &report.figures, &line, tokens);
		ensure!(!accuses || Self::has_room_for_dispute(), CheckRefusal::Full);
		Ok(Reported { account, row, receipt: checked, line, opened })
	}

	/// Verifies signature and draw of a report.
	fn verify_report(
		report: &CheckReport,
		signature: &VerifierSignature,
		row: &BatchRow,
	) -> Result<(), CheckRefusal> {
		let is_signed = report.is_signed(&Self::genesis_hash(), signature);
		ensure!(is_signed, CheckRefusal::BadSignature);
		if report.check >= OPENED_CHECKS {
			// It was looked up by its number.
			return Ok(());
		}
		if report.check >= MAX_CHECKS_PER_DRAW {
			let voucher = report.receipt.item.receipt.voucher();
			return Self::check_asked(&report.id(), &voucher.ok_or(CheckRefusal::NotDrawn)?);
		}
		let point = Self::verify_draw(row, &report.verifier, &report.vrf, report.check)?;
		Self::check_point(&report.batch, &report.receipt.item, point)
	}

	/// Checks a report whole, for the pool.
	pub(crate) fn check_whole_report(
		report: &CheckReport,
		signature: &VerifierSignature,
	) -> Result<(), CheckRefusal> {
		let reported = Self::check_report(report)?;
		Self::verify_report(report, signature, &reported.row)
	}

	/// [`Pallet::report_check`] without the origin. `verified` if signature and draw are.
	pub(crate) fn do_report(
		report: &CheckReport,
		signature: &VerifierSignature,
		verified: bool,
	) -> DispatchResult {
		let Reported { account, row, receipt, line, opened } =
			Self::check_report(report).map_err(Error::<T>::from)?;
		if !verified {
			Self::verify_report(report, signature, &row).map_err(Error::<T>::from)?;
		}
		// As long as a jury has to do the work again.
		let until = Self::working_ms().saturating_add(Parameters::<T>::get().commit_ms);
		let (id, figures) = (report.id(), report.figures);
		let row = Report {
			by: account.clone(),
			receipt,
			figures,
			commitment: report.commitment,
			block: frame_system::Pallet::<T>::parent_hash(),
			time_ms: Self::now(),
			until,
			reopened: false,
		};
		Reports::<T>::insert(report.batch, (report.verifier, report.check), row);
		Batches::<T>::mutate(report.batch, |batch| {
			if let Some(batch) = batch {
				batch.checks.reports = batch.checks.reports.saturating_add(1);
				batch.reopen_until = batch.reopen_until.max(until);
			}
		});
		Sums::<T>::mutate(|sums| sums.reports = sums.reports.saturating_add(1));
		Self::note_report(&account);
		Self::count_pending(&account, true);
		Self::deposit_event(Event::CheckReported { check: id, index: receipt.index, figures });
		let tokens = report.receipt.item.receipt.telemetry.output_tokens;
		let asked = opened.unwrap_or(id);
		if (MAX_CHECKS_PER_DRAW..OPENED_CHECKS).contains(&asked.check) {
			let figure = line.figure(&figures, tokens).ok().flatten().unwrap_or(0);
			Self::end_asked(&asked, &receipt.voucher, figure > line.line)?;
		}
		if let Some(of) = opened {
			Self::end_opened(of);
		}
		Self::judge(id, &account, receipt, &figures, &line, tokens)
	}

	/// Returns `true` if a dispute opens by these figures.
	fn accuses(
		account: &T::AccountId,
		receipt: &Checked,
		figures: &Figures,
		line: &ModelLine,
		tokens: u32,
	) -> bool {
		let accused = Accused::Miner(receipt.registered);
		let accuser = match (figures, line.figure(figures, tokens)) {
			(Figures::Exact { equal: false }, _) => Accuser::Verifier(account.clone()),
			(_, Ok(Some(figure))) => {
				let party = Self::party_of(&receipt.registered);
				let (_, above) = Numbers::<T>::get(party, receipt.model).number.add(figure, line);
				let (_, wide) = WideNumbers::<T>::get(party).number.add(figure, line);
				if !above && !wide {
					return false;
				}
				Accuser::Number
			},
			_ => return false,
		};
		!OpenPairs::<T>::contains_key(Self::pair_of(&accuser, &accused))
	}

	/// Draws the consequence of figures: none, a higher number, or a dispute.
	fn judge(
		id: CheckId,
		account: &T::AccountId,
		receipt: Checked,
		figures: &Figures,
		line: &ModelLine,
		tokens: u32,
	) -> DispatchResult {
		let accused = Accused::Miner(receipt.registered);
		if matches!(figures, Figures::Exact { equal: false }) {
			let accuser = Accuser::Verifier(account.clone());
			return Self::open_dispute(
				DisputeCause::NotEqual(id),
				receipt,
				accuser,
				accused,
				Default::default(),
			);
		}
		let Ok(Some(figure)) = line.figure(figures, tokens) else { return Ok(()) };
		let key = (Self::party_of(&receipt.registered), receipt.model);
		let mut row = Numbers::<T>::get(key.0, key.1);
		let (mut number, own_above) = row.number.add(figure, line);
		let before = WideNumbers::<T>::get(key.0).number;
		let (mut wide, wide_above) = before.add(figure, line);
		let above = own_above || wide_above;
		let is_open = OpenPairs::<T>::contains_key(Self::pair_of(&Accuser::Number, &accused));
		match (above, is_open) {
			// They begin at 0 again when a dispute opens; until the open one ends, they stay where they are.
			(true, true) if own_above => (number, wide) = (Number(line.limit), before),
			(true, true) => wide = before,
			(true, false) => (number, wide) = (Number(0), WideNumber(0)),
			(false, _) => {},
		}
		if wide.0 == 0 {
			WideNumbers::<T>::remove(key.0);
		} else {
			WideNumbers::<T>::insert(key.0, WideRow { number: wide });
		}
		if figure > line.line {
			if row.reports.is_full() {
				row.reports.remove(0);
			}
			let _ = row.reports.try_push(id);
		}
		row.time_ms = Self::now();
		row.number = number;
		let reports = row.reports.clone();
		if number.0 == 0 {
			// Nothing is left to be remembered, and the row goes.
			Numbers::<T>::remove(key.0, key.1);
		} else {
			Numbers::<T>::insert(key.0, key.1, row);
		}
		let (miner, model) = (receipt.registered, receipt.model);
		Self::deposit_event(Event::NumberChanged { miner, model, number, above });
		if above {
			let cause = DisputeCause::Number(id);
			return Self::open_dispute(cause, receipt, Accuser::Number, accused, reports);
		}
		Ok(())
	}

	/// Forfeits pay and mint of a receipt, once.
	pub(crate) fn forfeit(receipt: &Checked) -> DispatchResult {
		if Forfeited::<T>::contains_key(receipt.batch, receipt.voucher) {
			return Ok(());
		}
		let (batch, miner) = (&receipt.batch, &receipt.miner);
		let taken =
			T::Waiting::forfeit_receipt(batch, miner, receipt.voucher.channel, receipt.price);
		// What is paid out already cannot be taken: then the dispute outlived its hold.
		if let Ok(returned) = taken {
			Forfeited::<T>::insert(receipt.batch, receipt.voucher, ());
			Self::deposit_event(Event::ReceiptForfeited {
				batch: receipt.batch,
				index: receipt.index,
				to: returned.to,
				pay: returned.pay,
				claim: returned.claim,
			});
		}
		Ok(())
	}

	/// Returns the part of a batch that is a receipt's miner's.
	pub(crate) const fn part_of(receipt: &Checked) -> Part {
		Part::Miner(receipt.batch, receipt.miner)
	}

	/// Counts what is open about a batch.
	pub(crate) fn count_open(id: &BatchId, opens: bool) {
		Batches::<T>::mutate(id, |row| {
			if let Some(row) = row {
				row.open =
					if opens { row.open.saturating_add(1) } else { row.open.saturating_sub(1) };
			}
		});
	}

	/// Checks that a batch's checks can be counted: nothing about it is open, no report of it can be re-opened
	/// any more, and nothing of it waits, or its pay cannot be held any longer. Returns `true` if nothing of it
	/// waits: before, its rows stay, so that nothing of it is drawn or forfeited twice.
	pub(crate) fn check_settle(id: &BatchId) -> Result<bool, CheckRefusal> {
		let row = Batches::<T>::get(id).ok_or(CheckRefusal::NotTouched)?;
		let is_quiet = row.open == 0 && Self::working_ms() >= row.reopen_until;
		ensure!(is_quiet, CheckRefusal::NotYet);
		let Some(batch) = T::Waiting::batch(id) else { return Ok(true) };
		let is_paid = Self::now() >= batch.pay_due_ms.saturating_add(MAX_HOLD_MS);
		ensure!(is_paid, CheckRefusal::NotYet);
		let has_reports = Reports::<T>::iter_key_prefix(id).next().is_some();
		ensure!(has_reports, CheckRefusal::AlreadyDone);
		Ok(false)
	}

	/// [`Pallet::settle_checks`] without the origin.
	pub(crate) fn do_settle(id: BatchId) -> DispatchResult {
		let is_gone = Self::check_settle(&id).map_err(Error::<T>::from)?;
		let day = Self::today();
		let mut counts = Days::<T>::get(day);
		let most = usize::try_from(MAX_CLEARED).unwrap_or(usize::MAX);
		let (mut checks, mut found) = (0u32, 0usize);
		for ((_, _), report) in Reports::<T>::drain_prefix(id).take(most) {
			found = found.saturating_add(1);
			Self::count_pending(&report.by, false);
			let place = counts.iter().position(|(account, _)| *account == report.by);
			match place.and_then(|place| counts.get_mut(place)) {
				Some((_, count)) => *count = count.saturating_add(1),
				None => {
					counts
						.try_push((report.by, 1))
						.map_err(|_| Error::<T>::MaxVerifiersExceeded)?;
				},
			}
			checks = checks.saturating_add(1);
		}
		// A day without checks has no row: nothing would ever remove it.
		if checks > 0 {
			Days::<T>::insert(day, counts);
		}
		if is_gone && found < most {
			let left = most.saturating_sub(found);
			let forfeited = Forfeited::<T>::drain_prefix(id).take(left).count();
			let left = left.saturating_sub(forfeited);
			let demanded = Demanded::<T>::drain_prefix(id).take(left).count();
			let left = left.saturating_sub(demanded);
			let asked = Self::forget_asked(&id, left)?;
			if asked < left {
				Batches::<T>::remove(id);
			}
		}
		Self::deposit_event(Event::ChecksMatured { batch: id, checks, day });
		Ok(())
	}

	/// Returns the day of now, counted from 1970.
	pub(crate) fn today() -> u64 {
		Self::now().checked_div(DAY_MS).unwrap_or(0)
	}

	/// Returns the error of a refusal as one that a call gives.
	pub(crate) fn refused(refusal: CheckRefusal) -> DispatchError {
		Error::<T>::from(refusal).into()
	}
}

impl<T: Config> gridproof_primitives::compute::checks::Touched for Pallet<T> {
	fn is_touched(id: &BatchId) -> bool {
		Batches::<T>::contains_key(id)
	}

	fn deters(compute: &ComputeParameters, channels: &ChannelParameters) -> bool {
		let parameters = Parameters::<T>::get();
		channels.check_window_ms == 0 || parameters.check(compute, channels).is_ok()
	}
}
