//! Touches of batches, reports, and the numbers that they make.

use crate::{pallet::*, types::*};
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
			Figures, MAX_CHECKS_PER_DRAW, MAX_HOLD_MS, ModelLine, Number, Part, VerifierKey,
			VerifierSignature, Vrf, Waiting, checks_of, draw_input, paid_place, paid_price,
			point_of,
		},
		emission::share_of,
		registry::{EngineClass, ModelRegistry},
	},
	crypto::merkle,
};
use sp_runtime::SaturatedConversion;

/// Blocks between the settlement of a batch and its first touch.
const BLOCKS_BEFORE_TOUCH: u32 = 3;

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
			verifiers: Self::drawing_verifiers(),
			per_check: Parameters::<T>::get().value_per_check,
			value,
			total,
			reports: 0,
		};
		let over_ms = batch.mint_due_ms.saturating_add(MAX_HOLD_MS);
		let row = BatchRow { checks, header_hash: batch.header_hash, open: 0, asked: 0, over_ms };
		Batches::<T>::insert(id, row);
		Self::deposit_event(Event::BatchTouched { batch: id, block: checks.block, value });
		Ok(())
	}

	/// Checks what state says of a draw: verifier, batch, key, window.
	pub(crate) fn check_drawn(
		id: &BatchId,
		key: &VerifierKey,
	) -> Result<(T::AccountId, Checkable, BatchRow), CheckRefusal> {
		let (account, verifier) = Self::verifier_of(key)?;
		let row = Batches::<T>::get(id).ok_or(CheckRefusal::NotTouched)?;
		let draws = verifier.key_at(row.checks.touched_ms) == Some(*key);
		ensure!(draws, CheckRefusal::OtherKey);
		// Who leaves reports what it drew. Who has lost its bond has nothing left to lose.
		let has_bond = verifier.bond.saturating_mul(2) >= Parameters::<T>::get().verifier_bond;
		ensure!(has_bond, CheckRefusal::NotFit);
		let batch = T::Waiting::batch(id).ok_or(CheckRefusal::UnknownBatch)?;
		ensure!(Self::now() < batch.pay_due_ms, CheckRefusal::TooLate);
		Ok((account, batch, row))
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
		let voucher = receipt.voucher().ok_or(CheckRefusal::NotInBatch)?;
		let line = T::Waiting::line(id, &miner).ok_or(CheckRefusal::UnknownBatch)?;
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
		let before = receipt.miner_before().ok_or(CheckRefusal::OtherPoint)?.price;
		let encloses = before <= place && place < receipt.sums.miner.price;
		ensure!(encloses, CheckRefusal::OtherPoint);
		Ok(())
	}

	/// Returns the place of a point in a miner's running sum of prices.
	pub(crate) fn place_of(
		id: &BatchId,
		miner: &gridproof_primitives::crypto::ed25519::PublicKey,
		point: u128,
	) -> Result<u128, CheckRefusal> {
		let line = T::Waiting::line(id, miner).ok_or(CheckRefusal::UnknownBatch)?;
		let given_up = T::Waiting::given_up(id);
		let place = paid_place(&line, &given_up, point).ok_or(CheckRefusal::OtherPoint)?;
		ensure!(!T::Waiting::is_given_up(id, miner, place), CheckRefusal::OtherPoint);
		Ok(place)
	}

	/// Checks everything of a report but signature and draw.
	fn check_report(
		report: &CheckReport,
	) -> Result<(T::AccountId, BatchRow, Checked, ModelLine), CheckRefusal> {
		let (account, batch, row) = Self::check_drawn(&report.batch, &report.verifier)?;
		let place = (report.verifier, report.check);
		let is_new = !Reports::<T>::contains_key(report.batch, place);
		ensure!(is_new, CheckRefusal::AlreadyReported);
		// A demand of the same check ends before it goes on.
		let is_demanded = Demands::<T>::contains_key(report.id());
		ensure!(!is_demanded, CheckRefusal::OpeningDemanded);
		let receipt = &report.receipt.item.receipt;
		let line = Self::line_of(&receipt.model, batch.settled_ms).ok_or(CheckRefusal::NoLine)?;
		let tokens = receipt.telemetry.output_tokens;
		line.figure(&report.figures, tokens).map_err(CheckRefusal::Figures)?;
		let checked = Self::check_placed(&report.batch, &batch, &report.receipt)?;
		let accuses = Self::accuses(&account, &checked, &report.figures, &line, tokens);
		ensure!(!accuses || Self::has_room_for_dispute(), CheckRefusal::Full);
		Ok((account, row, checked, line))
	}

	/// Verifies signature and draw of a report.
	fn verify_report(
		report: &CheckReport,
		signature: &VerifierSignature,
		row: &BatchRow,
	) -> Result<(), CheckRefusal> {
		let is_signed = report.is_signed(&Self::genesis_hash(), signature);
		ensure!(is_signed, CheckRefusal::BadSignature);
		if report.check >= MAX_CHECKS_PER_DRAW {
			return Self::check_asked(&report.id(), report.receipt.index);
		}
		let point = Self::verify_draw(row, &report.verifier, &report.vrf, report.check)?;
		Self::check_point(&report.batch, &report.receipt.item, point)
	}

	/// Checks a report whole, for the pool.
	pub(crate) fn check_whole_report(
		report: &CheckReport,
		signature: &VerifierSignature,
	) -> Result<(), CheckRefusal> {
		let (_, row, ..) = Self::check_report(report)?;
		Self::verify_report(report, signature, &row)
	}

	/// [`Pallet::report_check`] without the origin. `verified` if signature and draw are.
	pub(crate) fn do_report(
		report: &CheckReport,
		signature: &VerifierSignature,
		verified: bool,
	) -> DispatchResult {
		let (account, batch, receipt, line) =
			Self::check_report(report).map_err(Error::<T>::from)?;
		if !verified {
			Self::verify_report(report, signature, &batch).map_err(Error::<T>::from)?;
		}
		let (id, figures) = (report.id(), report.figures);
		let row = Report {
			by: account.clone(),
			receipt,
			figures,
			commitment: report.commitment,
			block: frame_system::Pallet::<T>::parent_hash(),
			time_ms: Self::now(),
			reopened: false,
		};
		Reports::<T>::insert(report.batch, (report.verifier, report.check), row);
		Batches::<T>::mutate(report.batch, |batch| {
			if let Some(batch) = batch {
				batch.checks.reports = batch.checks.reports.saturating_add(1);
			}
		});
		Sums::<T>::mutate(|sums| sums.reports = sums.reports.saturating_add(1));
		Self::note_report(&account);
		Self::deposit_event(Event::CheckReported { check: id, index: receipt.index, figures });
		let tokens = report.receipt.item.receipt.telemetry.output_tokens;
		if id.check >= MAX_CHECKS_PER_DRAW {
			let figure = line.figure(&figures, tokens).ok().flatten().unwrap_or(0);
			Self::end_asked(&id, receipt.index, figure > line.line)?;
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
				let number = Numbers::<T>::get(receipt.registered, receipt.model).number;
				let (_, above) = number.add(figure, line);
				if !above {
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
		let key = (receipt.registered, receipt.model);
		let mut row = Numbers::<T>::get(key.0, key.1);
		let (mut number, above) = row.number.add(figure, line);
		let is_open = OpenPairs::<T>::contains_key(Self::pair_of(&Accuser::Number, &accused));
		if above && is_open {
			// It begins anew when a dispute opens; until the open one ends, it stays where it is.
			number = Number(line.limit);
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
		Self::deposit_event(Event::NumberChanged { miner: key.0, model: key.1, number, above });
		if above {
			let cause = DisputeCause::Number(id);
			return Self::open_dispute(cause, receipt, Accuser::Number, accused, reports);
		}
		Ok(())
	}

	/// Forfeits pay and mint of a receipt, once.
	pub(crate) fn forfeit(receipt: &Checked) -> DispatchResult {
		if Forfeited::<T>::contains_key(receipt.batch, receipt.index) {
			return Ok(());
		}
		let (batch, miner) = (&receipt.batch, &receipt.miner);
		let taken =
			T::Waiting::forfeit_receipt(batch, miner, receipt.voucher.channel, receipt.price);
		// What is paid out already cannot be taken: then the dispute outlived its hold.
		if let Ok(returned) = taken {
			Forfeited::<T>::insert(receipt.batch, receipt.index, ());
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

	/// Checks that a batch is over: nothing of it waits or is open.
	pub(crate) fn check_settle(id: &BatchId) -> Result<BatchRow, CheckRefusal> {
		let row = Batches::<T>::get(id).ok_or(CheckRefusal::NotTouched)?;
		let over = T::Waiting::batch(id).is_none() || Self::now() >= row.over_ms;
		ensure!(over && row.open == 0, CheckRefusal::NotYet);
		Ok(row)
	}

	/// [`Pallet::settle_checks`] without the origin.
	pub(crate) fn do_settle(id: BatchId) -> DispatchResult {
		Self::check_settle(&id).map_err(Error::<T>::from)?;
		let day = Self::today();
		let mut counts = Days::<T>::get(day);
		let most = usize::try_from(MAX_CLEARED).unwrap_or(usize::MAX);
		let (mut checks, mut found) = (0u32, 0usize);
		for ((_, _), report) in Reports::<T>::drain_prefix(id).take(most) {
			found = found.saturating_add(1);
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
		Days::<T>::insert(day, counts);
		if found < most {
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
