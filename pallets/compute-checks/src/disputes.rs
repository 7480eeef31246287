//! Disputes: juries commit, reveal, and two thirds decide.

use crate::{pallet::*, types::*};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
	BoundedVec, ensure,
	pallet_prelude::{ConstU32, DispatchResult, Get},
};
use gridproof_primitives::{
	H256,
	compute::{
		channels::{ChannelReceipt, Mode, Placed},
		checks::{
			Abstention, Ballot, BatchId, CheckId, CheckRefusal, DisputeCause, DisputePhase,
			JuryCommitment, LineClass, NoVote, Number, OtherPlace, VerifierKey, VerifierSignature,
			Votes, Waiting, is_two_thirds, other_places,
		},
	},
	crypto::ed25519::PublicKey,
};
use sp_io::hashing::blake2_256;

/// Reports from which a jury draws what it repeats.
type Drawable = BoundedVec<CheckId, ConstU32<MAX_REPORTS_OF_NUMBER>>;

impl<T: Config> Pallet<T> {
	/// Returns the hash of a pair of accuser and accused, of which one dispute is open at a time.
	/// A miner is known by its account: another key is not another accused.
	pub(crate) fn pair_of(
		accuser: &Accuser<T::AccountId>,
		accused: &Accused<T::AccountId>,
	) -> H256 {
		let accused = match accused {
			Accused::Miner(key) => (0u8, Self::party_of(key)),
			Accused::Verifier(who) => (1, who.clone().into()),
		};
		// The deposit is not part of who accuses.
		let accuser = match accuser {
			Accuser::Verifier(who) => (0u8, Some(who)),
			Accuser::Number => (1, None),
			Accuser::Client(who, _) => (2, Some(who)),
		};
		H256((accuser, accused).using_encoded(blake2_256))
	}

	/// Returns `true` if another dispute can be opened.
	pub(crate) fn has_room_for_dispute() -> bool {
		Disputes::<T>::count() < T::MaxDisputes::get()
	}

	/// Returns the id of a dispute that is opened now. The hash of the block before is part of it: what a
	/// jury repeats is drawn by the id, and who reports should not know it when it draws; and no vote of
	/// an earlier dispute about the same receipt counts in a later one.
	fn dispute_id(cause: &DisputeCause, receipt: &Checked) -> H256 {
		let (genesis, block) = (Self::genesis_hash(), frame_system::Pallet::<T>::parent_hash());
		let place = (receipt.batch, receipt.index);
		H256(("gridproof/dispute/v1", genesis, cause, place, block).using_encoded(blake2_256))
	}

	/// Returns where the jury of a number checks other receipts of the miner that wait.
	fn others_of(id: &H256, cause: &DisputeCause, receipt: &Checked) -> Vec<OtherPlace> {
		if !matches!(cause, DisputeCause::Number(_)) {
			return Vec::new();
		}
		let miner = &receipt.miner;
		other_places(id, miner, &T::Waiting::lines_of(miner, MAX_LINES_OF_JURY))
	}

	/// Opens a dispute, unless this accuser has one open against this accused.
	pub(crate) fn open_dispute(
		cause: DisputeCause,
		receipt: Checked,
		accuser: Accuser<T::AccountId>,
		accused: Accused<T::AccountId>,
		reports: Drawable,
	) -> DispatchResult {
		let pair = Self::pair_of(&accuser, &accused);
		if OpenPairs::<T>::contains_key(pair) {
			return Ok(());
		}
		ensure!(Self::has_room_for_dispute(), Error::<T>::Full);
		let id = Self::dispute_id(&cause, &receipt);
		ensure!(!Disputes::<T>::contains_key(id), Error::<T>::AlreadyDone);
		// Whose own cause it is sits in no jury: who accuses and is accused, and whose receipt it is.
		let parties = Self::parties_of(&receipt);
		let mut sides = Votes::default();
		let mut jurors: Vec<_> = Vec::new();
		for account in Self::fit_verifiers() {
			if matches!(&accuser, Accuser::Verifier(who) if *who == account) {
				sides.guilty = sides.guilty.saturating_add(1);
			} else if matches!(&accused, Accused::Verifier(who) if *who == account) {
				sides.not_guilty = sides.not_guilty.saturating_add(1);
			} else if !parties.contains(&account) {
				jurors.push(Juror::new(account));
			}
		}
		let parameters = Parameters::<T>::get();
		let commit = Self::working_ms().saturating_add(parameters.commit_ms);
		let until = (commit, commit.saturating_add(parameters.reveal_ms));
		let hold_ms = Self::now().saturating_add(parameters.dispute_ms()).saturating_add(DAY_MS);
		let holds = matches!(accused, Accused::Miner(_))
			&& T::Waiting::hold(&Self::part_of(&receipt), hold_ms).is_ok();
		let others = Self::others_of(&id, &cause, &receipt);
		let dispute = Dispute {
			cause,
			receipt,
			accuser,
			accused,
			pair,
			parties: sides,
			jurors: jurors.try_into().map_err(|_| Error::<T>::MaxVerifiersExceeded)?,
			reports,
			others: others.try_into().unwrap_or_default(),
			block: frame_system::Pallet::<T>::parent_hash(),
			holds,
			until,
		};
		Disputes::<T>::insert(id, dispute);
		OpenPairs::<T>::insert(pair, id);
		Self::count_open(&receipt.batch, true);
		Sums::<T>::mutate(|sums| sums.disputes = sums.disputes.saturating_add(1));
		Self::deposit_event(Event::DisputeOpened {
			dispute: id,
			cause,
			batch: receipt.batch,
			index: receipt.index,
			until_ms: (Self::in_utc(until.0), Self::in_utc(until.1)),
		});
		Ok(())
	}

	/// [`Pallet::dispute_receipt`] without the origin.
	pub(crate) fn do_dispute(
		client: T::AccountId,
		batch: BatchId,
		placed: &Placed<ChannelReceipt>,
	) -> DispatchResult {
		ensure!(Batches::<T>::contains_key(batch), Error::<T>::NotTouched);
		let waiting = T::Waiting::batch(&batch).ok_or(Error::<T>::UnknownBatch)?;
		ensure!(Self::now() < waiting.pay_due_ms, Error::<T>::TooLate);
		ensure!(waiting.kind.mode == Mode::Ordinary, Error::<T>::Private);
		let receipt = Self::check_placed(&batch, &waiting, placed).map_err(Self::refused)?;
		let owner = T::Settlement::client_of(receipt.voucher.channel);
		ensure!(owner.as_ref() == Some(&client), Error::<T>::NotClient);
		let line = Self::line_of(&receipt.model, waiting.settled_ms).ok_or(Error::<T>::NoLine)?;
		if line.class != LineClass::Exact {
			// One answer alone proves nothing there: it is added to the miner's number.
			return Self::ask(client, &receipt);
		}
		let deposit = Parameters::<T>::get().dispute_deposit;
		let accuser = Accuser::Client(client.clone(), deposit);
		let accused = Accused::Miner(receipt.registered);
		let pair = Self::pair_of(&accuser, &accused);
		ensure!(!OpenPairs::<T>::contains_key(pair), Error::<T>::AlreadyDisputed);
		let once = Forfeited::<T>::contains_key(batch, receipt.voucher);
		ensure!(!once, Error::<T>::AlreadyDone);
		// Without a jury its price would go back to every client that asks.
		let jurors = u32::try_from(Self::fit_verifiers().len()).unwrap_or(u32::MAX);
		ensure!(jurors >= LEAST_JURY, Error::<T>::NoJury);
		Self::ensure_room_for_client()?;
		Self::take_deposit(&client, deposit)?;
		let cause = DisputeCause::Client(receipt.voucher);
		Self::open_dispute(cause, receipt, accuser, accused, Default::default())
	}

	/// Returns what a dispute waits for. Once every juror has committed nothing can be copied any more,
	/// and they reveal at once.
	pub(crate) fn phase_of(dispute: &Dispute<T::AccountId>) -> DisputePhase {
		let now = Self::working_ms();
		let all = dispute.jurors.iter().all(Juror::has_committed);
		if now < dispute.until.0 && (!all || dispute.jurors.is_empty()) {
			DisputePhase::Commit
		} else if now < dispute.until.1 {
			DisputePhase::Reveal
		} else {
			DisputePhase::Over
		}
	}

	/// Returns a dispute and the place of a verifier in its jury.
	fn juror_of(
		id: &H256,
		key: &VerifierKey,
	) -> Result<(Dispute<T::AccountId>, usize), CheckRefusal> {
		let dispute = Disputes::<T>::get(id).ok_or(CheckRefusal::UnknownDispute)?;
		let (account, _) = Self::verifier_of(key)?;
		let place = dispute.jurors.iter().position(|juror| juror.account == account);
		let place = place.ok_or(CheckRefusal::OwnCause)?;
		Ok((dispute, place))
	}

	/// Checks a commitment whole.
	pub(crate) fn check_commit(
		commitment: &JuryCommitment,
		signature: &VerifierSignature,
	) -> Result<(Dispute<T::AccountId>, usize), CheckRefusal> {
		let (dispute, place) = Self::juror_of(&commitment.dispute, &commitment.juror)?;
		ensure!(Self::phase_of(&dispute) == DisputePhase::Commit, CheckRefusal::TooLate);
		let juror = dispute.jurors.get(place).ok_or(CheckRefusal::OwnCause)?;
		ensure!(!juror.has_committed(), CheckRefusal::AlreadyDone);
		let is_signed = commitment.is_signed(&Self::genesis_hash(), signature);
		ensure!(is_signed, CheckRefusal::BadSignature);
		Ok((dispute, place))
	}

	/// [`Pallet::commit_vote`] without the origin.
	pub(crate) fn do_commit(
		commitment: &JuryCommitment,
		signature: &VerifierSignature,
	) -> DispatchResult {
		let (mut dispute, place) =
			Self::check_commit(commitment, signature).map_err(Self::refused)?;
		if let Some(juror) = dispute.jurors.get_mut(place) {
			juror.commitment = Some((commitment.juror, commitment.commitment));
		}
		Disputes::<T>::insert(commitment.dispute, dispute);
		Self::deposit_event(Event::VoteCommitted {
			dispute: commitment.dispute,
			juror: commitment.juror,
		});
		Ok(())
	}

	/// Checks what a juror says that has no vote, whole.
	pub(crate) fn check_abstain(
		abstention: &Abstention,
		signature: &VerifierSignature,
	) -> Result<(Dispute<T::AccountId>, usize), CheckRefusal> {
		let (dispute, place) = Self::juror_of(&abstention.dispute, &abstention.juror)?;
		ensure!(Self::phase_of(&dispute) == DisputePhase::Commit, CheckRefusal::TooLate);
		let juror = dispute.jurors.get(place).ok_or(CheckRefusal::OwnCause)?;
		ensure!(!juror.has_committed(), CheckRefusal::AlreadyDone);
		let can_be_so = match &abstention.why {
			NoVote::NotShown(batch) => dispute.is_about(&abstention.dispute, batch),
			NoVote::NothingElse => matches!(dispute.cause, DisputeCause::Number(_)),
		};
		ensure!(can_be_so, CheckRefusal::NotDrawn);
		let is_signed = abstention.is_signed(&Self::genesis_hash(), signature);
		ensure!(is_signed, CheckRefusal::BadSignature);
		Ok((dispute, place))
	}

	/// [`Pallet::abstain`] without the origin.
	pub(crate) fn do_abstain(
		abstention: &Abstention,
		signature: &VerifierSignature,
	) -> DispatchResult {
		let (mut dispute, place) =
			Self::check_abstain(abstention, signature).map_err(Self::refused)?;
		let Abstention { juror, dispute: id, why } = *abstention;
		if let Some(own) = dispute.jurors.get_mut(place) {
			own.no_vote = Some(why);
		}
		Disputes::<T>::insert(id, dispute);
		Self::deposit_event(Event::JurorAbstained { dispute: id, juror, why });
		Ok(())
	}

	/// Checks a vote that is revealed, whole.
	pub(crate) fn check_reveal(
		ballot: &Ballot,
		signature: &VerifierSignature,
	) -> Result<(Dispute<T::AccountId>, usize), CheckRefusal> {
		let (dispute, place) = Self::juror_of(&ballot.dispute, &ballot.juror)?;
		match Self::phase_of(&dispute) {
			DisputePhase::Commit => return Err(CheckRefusal::NotYet),
			DisputePhase::Over => return Err(CheckRefusal::TooLate),
			DisputePhase::Reveal => {},
		}
		let juror = dispute.jurors.get(place).ok_or(CheckRefusal::OwnCause)?;
		ensure!(juror.verdict.is_none(), CheckRefusal::AlreadyDone);
		let genesis = Self::genesis_hash();
		let expected = Some((ballot.juror, ballot.commitment(&genesis)));
		ensure!(juror.commitment == expected, CheckRefusal::OtherCommitment);
		// Nobody is named whose report the jury did not have to repeat.
		let named = ballot.verdict.invented;
		let is_chosen = |key| dispute.repeated(&ballot.dispute).iter().any(|id| id.verifier == key);
		ensure!(named.is_none_or(is_chosen), CheckRefusal::NotDrawn);
		ensure!(ballot.is_signed(&genesis, signature), CheckRefusal::BadSignature);
		Ok((dispute, place))
	}

	/// [`Pallet::reveal_vote`] without the origin.
	pub(crate) fn do_reveal(ballot: &Ballot, signature: &VerifierSignature) -> DispatchResult {
		let (mut dispute, place) = Self::check_reveal(ballot, signature).map_err(Self::refused)?;
		if let Some(juror) = dispute.jurors.get_mut(place) {
			juror.verdict = Some(ballot.verdict);
		}
		Disputes::<T>::insert(ballot.dispute, dispute);
		Self::deposit_event(Event::VoteRevealed {
			dispute: ballot.dispute,
			juror: ballot.juror,
			verdict: ballot.verdict,
		});
		Ok(())
	}

	/// Checks that a dispute is over: its time is, or every juror has spoken.
	pub(crate) fn check_close_dispute(id: &H256) -> Result<Dispute<T::AccountId>, CheckRefusal> {
		let dispute = Disputes::<T>::get(id).ok_or(CheckRefusal::UnknownDispute)?;
		let spoke = dispute.jurors.iter().all(Juror::has_spoken);
		let all = spoke && dispute.size() > 0;
		let is_over = all || Self::phase_of(&dispute) == DisputePhase::Over;
		ensure!(is_over, CheckRefusal::NotYet);
		Ok(dispute)
	}

	/// [`Pallet::close_dispute`] without the origin.
	pub(crate) fn do_close_dispute(id: H256) -> DispatchResult {
		let dispute = Self::check_close_dispute(&id).map_err(Self::refused)?;
		Disputes::<T>::remove(id);
		OpenPairs::<T>::remove(dispute.pair);
		Self::count_open(&dispute.receipt.batch, false);
		if let (DisputeCause::Reopened(_), Accuser::Verifier(by)) =
			(&dispute.cause, &dispute.accuser)
		{
			Self::count_pending(by, false);
		}
		let guilty = dispute.verdict();
		match guilty {
			Some(true) => Self::punish_accused(&dispute)?,
			Some(false) => Self::punish_accuser(&dispute)?,
			None => Self::leave_undecided(&id, &dispute)?,
		}
		if guilty != Some(false)
			&& let Accuser::Client(client, deposit) = &dispute.accuser
		{
			Self::pay_deposit(client, *deposit)?;
		}
		if dispute.holds {
			// What was taken is held no longer.
			let _ = T::Waiting::free(&Self::part_of(&dispute.receipt));
		}
		Self::punish_invented(&dispute)?;
		Self::fine_silent(&dispute)?;
		Self::deposit_event(Event::DisputeClosed { dispute: id, votes: dispute.votes(), guilty });
		Ok(())
	}

	/// Takes what is forfeited where a jury does not decide, and punishes the coordinator that has kept its
	/// openings back.
	fn leave_undecided(id: &H256, dispute: &Dispute<T::AccountId>) -> DispatchResult {
		let withheld = dispute.withheld();
		// The miner of a report that is re-opened is accused of nothing.
		let accuses_miner = matches!(dispute.accused, Accused::Miner(_));
		if accuses_miner || withheld == Some(dispute.receipt.batch.coordinator) {
			Self::forfeit(&dispute.receipt)?;
		}
		if let (DisputeCause::Number(_), Accused::Miner(key)) = (&dispute.cause, &dispute.accused) {
			Self::keep_number(key, dispute)?;
		}
		if let Some(coordinator) = withheld {
			// Who is not registered any more has nothing that could be slashed.
			let _ = T::Waiting::punish(&coordinator);
			Self::deposit_event(Event::OpeningsWithheld { dispute: *id, coordinator });
		}
		Ok(())
	}

	/// A number that was not judged does not begin at 0 again: it is at its limit again, and what was found above
	/// the line is forfeited. Else a cheat would gain by whatever keeps a jury from deciding.
	fn keep_number(key: &PublicKey, dispute: &Dispute<T::AccountId>) -> DispatchResult {
		for id in &dispute.reports {
			let report = Reports::<T>::get(id.batch, (id.verifier, id.check));
			if let Some(report) = report {
				Self::forfeit(&report.receipt)?;
			}
		}
		let (party, model) = (Self::party_of(key), dispute.receipt.model);
		if let Some(line) = Self::line_of(&model, Self::now()) {
			Numbers::<T>::mutate(party, model, |row| {
				row.number = Number(row.number.0.max(line.limit));
				if row.reports.is_empty() {
					row.reports = dispute.reports.clone();
				}
				row.time_ms = Self::now();
			});
		}
		Ok(())
	}

	fn punish_accused(dispute: &Dispute<T::AccountId>) -> DispatchResult {
		Sums::<T>::mutate(|sums| sums.guilty = sums.guilty.saturating_add(1));
		match &dispute.accused {
			Accused::Miner(key) => {
				// The receipt first: its price goes to its own client.
				Self::forfeit(&dispute.receipt)?;
				// Who is not registered any more has left with what its bond was: nothing waits of it.
				let _ = T::Waiting::punish(key);
				let _ = T::Waiting::forfeit_all(key);
				Self::deposit_event(Event::MinerGuilty { miner: *key });
				Ok(())
			},
			Accused::Verifier(account) => Self::punish_verifier(account),
		}
	}

	/// The accuser pays: a verifier as for an offence, a client its deposit.
	fn punish_accuser(dispute: &Dispute<T::AccountId>) -> DispatchResult {
		match &dispute.accuser {
			Accuser::Verifier(account) => Self::punish_verifier(account),
			Accuser::Client(_, deposit) => Self::pay_deposit(&T::Treasury::get(), *deposit),
			Accuser::Number => Ok(()),
		}
	}

	/// Punishes the reporter whose figures two thirds of the jury did not find again.
	fn punish_invented(dispute: &Dispute<T::AccountId>) -> DispatchResult {
		let named = dispute.jurors.iter().filter_map(|juror| juror.verdict?.invented);
		let named: Vec<_> = named.collect();
		let mut keys: Vec<_> = dispute.reports.iter().map(|report| report.verifier).collect();
		keys.sort_unstable();
		keys.dedup();
		for key in keys {
			let votes = named.iter().filter(|one| **one == key).count();
			let votes = u32::try_from(votes).unwrap_or(u32::MAX);
			if is_two_thirds(votes, dispute.size())
				&& let Some(account) = Keys::<T>::get(key)
			{
				// Only one can have two thirds, and it pays once.
				return Self::punish_verifier(&account);
			}
		}
		Ok(())
	}

	/// Takes the fee of jurors that did not reveal a vote.
	fn fine_silent(dispute: &Dispute<T::AccountId>) -> DispatchResult {
		let fee = Parameters::<T>::get().silence_fee;
		for juror in dispute.jurors.iter().filter(|juror| !juror.has_spoken()) {
			let amount = Self::take_of_bond(&juror.account, fee)?;
			Self::deposit_event(Event::JurorSilent { account: juror.account.clone(), amount });
		}
		Ok(())
	}
}
