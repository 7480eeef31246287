//! Demands: receipts that their coordinator did not settle in time, or that it has to show.
//!
//! # Who can fill the list, and what it costs
//!
//! A demand moves two deposits into the pallet's account: one that pays the answer, and one for the
//! row. Who asks for what was settled properly pays the coordinator for showing it. Who asks for what
//! was not settled gets everything back.
//!
//! Open demands are bounded for each account and coordinator, and for each coordinator over all
//! strangers: accounts that are neither the client nor the miner of the receipt. A coordinator that
//! has strangers of its own ask, and lets them wait, fills the strangers' places and nobody else's;
//! the client and the miner have places of their own, which nobody but they can fill. And it does not
//! matter who asks: what an unanswered demand gives back is the client's or the miner's.
//!
//! # What is demanded
//!
//! | the channel is | the coordinator | deposit of a demand that is answered |
//! |---|---|---|
//! | not settled up to the receipt's count | settles it, then shows it | returns: the coordinator was late |
//! | settled up to it | shows that this receipt has that count | the coordinator's |
//!
//! A batch alone answers nothing: its tree might have another receipt in this one's place.
//!
//! # Absence
//!
//! Demands that were open at one time and got no answer are one absence of the coordinator. The first
//! of them that somebody closes counts as an offence; all of them give back what they were about, to
//! miners together no more than its slash. So
//! a coordinator that is away for a day is punished once for each time that it had to answer, not
//! once for each receipt. What a batch gave up of a channel that had ended is part of the absence in
//! which it should have been settled; see [`Pallet::report_channel_offence`]. One that is banned cannot settle: what it did not settle then does not
//! count, and as nothing is slashed for it, miners get nothing of the bond.

use crate::{
	channels::{
		memory::Known,
		records::{
			DEMAND_WINDOW_MS, Demand, DemandCounts, HeaderPath, MAX_DEMANDS,
			MAX_DEMANDS_OF_STRANGERS,
		},
		restitution::{Owed, Reach},
	},
	pallet::*,
	types::*,
};
use alloc::vec::Vec;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, Get},
	traits::Time,
};
use gridproof_primitives::{
	H256,
	compute::{
		Breaker,
		channels::{
			ChannelOffence, ChannelReceipt, DemandRefusal, DemandView, Demanded, Placed, VoucherId,
			Wronged, check_answer, demand,
		},
	},
	crypto::ed25519::{PublicKey, Signature},
};
use sp_io::hashing::blake2_256;

/// Highest number of demands in one answer.
const MAX_LISTED: u32 = 1_000;

impl<T: Config> Pallet<T> {
	/// Returns the id of a demand: the hash of what the coordinator signed, running sums included.
	/// So another receipt of one voucher, or with other sums, takes nobody's place.
	pub(crate) fn demand_id(receipt: &ChannelReceipt) -> H256 {
		H256(blake2_256(&receipt.coordinator_payload(&Self::genesis_hash())))
	}

	/// [`Pallet::demand_receipt`] without the origin.
	pub(crate) fn do_demand(
		who: T::AccountId,
		receipt: ChannelReceipt,
		signature: &Signature,
	) -> DispatchResult {
		let stopped = BreakerLevel::<T>::get() == Breaker::AllStopped || T::Halted::get();
		ensure!(!stopped, Error::<T>::Stopped);
		let voucher = receipt.check().map_err(|_| Error::<T>::ReceiptUnsound)?;
		let known = Self::known_channel(voucher.channel).ok_or(Error::<T>::UnknownChannel)?;
		let demanded = Self::check_demand(&receipt, &voucher, &known)?;
		let key = known.record.coordinator;
		let party = Self::coordinator_now(&key)?.1;
		let id = Self::demand_id(&receipt);
		ensure!(!Demands::<T>::contains_key(key, id), Error::<T>::AlreadyDemanded);
		let is_stranger = who != known.record.client && !Self::is_miner_of(&who, &receipt);
		Self::count_demand(&party.account, &who, is_stranger)?;
		let signed = receipt.verify_coordinator(&Self::genesis_hash(), &key, signature);
		signed.map_err(|_| Error::<T>::BadSignature)?;
		let (rules, now) = (ChannelRules::<T>::get(), T::Time::now());
		let (deposit, row_deposit) = (rules.demand_deposit, T::ReportDeposit::get());
		let both = deposit.checked_add(row_deposit).ok_or(Error::<T>::Overflow)?;
		Self::take_deposit(&who, both)?;
		let due_ms = now.saturating_add(rules.answer_ms);
		let row = Demand {
			receipt,
			who: who.clone(),
			coordinator: party.account,
			is_stranger,
			demanded,
			deposit,
			row_deposit,
			made_ms: now,
			due_ms,
			stopped_ms: Stops::<T>::get().at(now),
		};
		Demands::<T>::insert(key, id, row);
		Self::deposit_event(Event::ReceiptDemanded {
			coordinator: key,
			id,
			channel: voucher.channel,
			number: voucher.number,
			who,
			demanded,
			due_ms,
		});
		Ok(())
	}

	/// Returns the key under which a coordinator is registered that signed with `key`, and its row.
	pub(crate) fn coordinator_now(
		key: &PublicKey,
	) -> Result<(PublicKey, Party<T::AccountId>), Error<T>> {
		let present = Self::current_key(key, 0);
		let party = Parties::<T>::get(present).filter(|party| party.class().is_none());
		Ok((present, party.ok_or(Error::<T>::UnknownParty)?))
	}

	/// Checks that a receipt may be demanded now, and says what has to be shown.
	fn check_demand(
		receipt: &ChannelReceipt,
		voucher: &VoucherId,
		known: &Known<T::AccountId>,
	) -> Result<Demanded, Error<T>> {
		// Of another asset or mode: that is an offence which needs no answer.
		ensure!(receipt.sums.kind == known.record.kind, Error::<T>::ReceiptUnsound);
		let fact = Facts::<T>::get(voucher.channel, voucher.number);
		let is_over = fact.is_some_and(|fact| fact.kinds.contains(&ChannelOffence::Unanswered));
		ensure!(!is_over, Error::<T>::AlreadyReported);
		let (rules, now) = (ChannelRules::<T>::get(), T::Time::now());
		let demanded = demand(receipt, &known.record.settled, now);
		let demanded = demanded.map_err(|_| Error::<T>::ReceiptNotDue)?;
		match demanded {
			Demanded::Unsettled => {
				// The coordinator has all of its time before the channel ends.
				let needed = rules.answer_ms.saturating_add(rules.batch_spacing_ms);
				let in_time = now.saturating_add(needed) <= known.until_ms;
				ensure!(in_time, Error::<T>::DemandTooLate);
			},
			Demanded::Counted => {
				let latest = receipt.receipt.settle_by_ms.saturating_add(DEMAND_WINDOW_MS);
				ensure!(now <= latest, Error::<T>::DemandTooLate);
			},
		}
		Ok(demanded)
	}

	/// Returns `true` if an account is that of the miner that a receipt names.
	fn is_miner_of(who: &T::AccountId, receipt: &ChannelReceipt) -> bool {
		let key = receipt.receipt.miner.map(|miner| Self::current_key(&miner, 0));
		let party = key.and_then(Parties::<T>::get);
		party.is_some_and(|party| party.class().is_some() && party.account == *who)
	}

	/// Takes one of the places for open demands.
	fn count_demand(
		coordinator: &T::AccountId,
		who: &T::AccountId,
		is_stranger: bool,
	) -> Result<(), Error<T>> {
		let own = DemandsOf::<T>::get(coordinator, who).saturating_add(1);
		let mut counts = DemandsTo::<T>::get(coordinator);
		counts.open = counts.open.saturating_add(1);
		counts.strangers = counts.strangers.saturating_add(is_stranger.into());
		let free = own <= MAX_DEMANDS && counts.strangers <= MAX_DEMANDS_OF_STRANGERS;
		ensure!(free || !is_stranger && own <= MAX_DEMANDS, Error::<T>::MaxDemandsExceeded);
		DemandsOf::<T>::insert(coordinator, who, own);
		DemandsTo::<T>::insert(coordinator, counts);
		Ok(())
	}

	/// Removes a demand, and frees its place.
	fn remove_demand(key: &PublicKey, id: &H256, row: &Demand<T::AccountId>) {
		Demands::<T>::remove(key, id);
		DemandsOf::<T>::mutate_exists(&row.coordinator, &row.who, |own| {
			let left = own.unwrap_or(0).saturating_sub(1);
			*own = Some(left).filter(|left| *left > 0);
		});
		DemandsTo::<T>::mutate(&row.coordinator, |counts| {
			counts.open = counts.open.saturating_sub(1);
			counts.strangers = counts.strangers.saturating_sub(row.is_stranger.into());
		});
	}

	/// Returns `true` while a coordinator's account has to answer a demand.
	pub(crate) fn has_demands(account: &T::AccountId) -> bool {
		DemandsTo::<T>::get(account).open > 0
	}

	/// [`Pallet::demands`].
	pub(crate) fn list_demands(key: &PublicKey, limit: u32) -> Vec<DemandView> {
		let stopped_ms = Stops::<T>::get().at(T::Time::now());
		let most = usize::try_from(limit.min(MAX_LISTED)).unwrap_or(usize::MAX);
		let rows = Demands::<T>::iter_prefix(key).take(most);
		rows.map(|(id, row)| DemandView {
			id,
			due_ms: row.due(stopped_ms),
			receipt: row.receipt,
			who: row.who.into(),
			demanded: row.demanded,
			deposit: row.deposit,
		})
		.collect()
	}

	/// [`Pallet::answer_demand`] without the origin.
	pub(crate) fn do_answer(
		key: PublicKey,
		answer: &Placed<ChannelReceipt>,
		headers: &HeaderPath,
	) -> DispatchResult {
		let id = Self::demand_id(&answer.item);
		let row = Demands::<T>::get(key, id).ok_or(Error::<T>::UnknownDemand)?;
		let due_ms = row.due(Stops::<T>::get().at(T::Time::now()));
		ensure!(T::Time::now() < due_ms, Error::<T>::DemandTooLate);
		let header = headers.last().ok_or(Error::<T>::UnknownHeader)?;
		ensure!(Self::knows_headers(&key, headers), Error::<T>::UnknownHeader);
		check_answer(&row.receipt, answer, header).map_err(|refusal| match refusal {
			DemandRefusal::OtherReceipt | DemandRefusal::NotDue => Error::<T>::UnknownDemand,
			DemandRefusal::NotIncluded(_) => Error::<T>::NotInBatch,
		})?;
		Self::remove_demand(&key, &id, &row);
		let paid = match row.demanded {
			Demanded::Counted => &row.coordinator,
			Demanded::Unsettled => &row.who,
		};
		Self::return_or_divert(paid, row.deposit);
		Self::return_or_divert(&row.who, row.row_deposit);
		let sequence = header.sequence;
		let paid = paid.clone();
		Self::deposit_event(Event::DemandAnswered { coordinator: key, id, sequence, paid });
		Ok(())
	}

	/// [`Pallet::lapse_demand`] without the origin.
	pub(crate) fn do_lapse(key: PublicKey, id: H256) -> DispatchResult {
		let row = Demands::<T>::get(key, id).ok_or(Error::<T>::UnknownDemand)?;
		let now = T::Time::now();
		ensure!(now >= row.due(Stops::<T>::get().at(now)), Error::<T>::NothingDue);
		let (present, mut party) = Self::coordinator_now(&key)?;
		Self::remove_demand(&key, &id, &row);
		Self::return_or_divert(&row.who, row.deposit);
		let (owed, wronged) = Self::owed_by_absence(&key, &row);
		let parameters = Parameters::<T>::get();
		let reach = Reach::of(&party, &parameters);
		let counts = DemandsTo::<T>::get(&row.coordinator);
		let banned = row.demanded == Demanded::Unsettled && party.is_banned(now);
		let is_new = row.made_ms >= counts.absent_ms && !banned;
		let (reach, counts) = Self::absence(counts, reach, is_new.then_some(now));
		let given =
			Self::restore_absence(&present, &mut party, &row, owed, &wronged, reach, counts);
		let (slash, offences) = if is_new {
			Self::punish_channel(&present, &mut party, reach)
		} else {
			(0, party.offences_at(now, parameters.offence_memory_ms))
		};
		let banned_until_ms = if party.is_banned(now) { party.banned_until_ms } else { 0 };
		Parties::<T>::insert(present, party);
		Self::note_unanswered(row, given, &wronged);
		Self::deposit_event(Event::DemandUnanswered {
			coordinator: key,
			id,
			counts: is_new,
			offences,
			banned_until_ms,
			slash,
		});
		Ok(())
	}

	/// Begins another absence at `at_ms`, if it is a new one: what miners get back for it is at most its
	/// slash.
	pub(crate) fn absence(
		counts: DemandCounts,
		reach: Reach,
		at_ms: Option<u64>,
	) -> (Reach, DemandCounts) {
		match at_ms {
			Some(absent_ms) => {
				(reach, DemandCounts { absent_ms, absence_left: reach.slash, ..counts })
			},
			None => (reach.without_slash(), counts),
		}
	}

	/// Gives back to a miner for an absence. Returns how much, in the smallest unit of its asset.
	pub(crate) fn restore_miner(
		present: &PublicKey,
		party: &mut Party<T::AccountId>,
		owed: &Owed<T::AccountId>,
		reach: Reach,
		counts: &mut DemandCounts,
	) -> u128 {
		let most = counts.absence_left.min(reach.above_slash());
		let (given, moved) = Self::restore(present, party, owed, most);
		counts.absence_left = counts.absence_left.saturating_sub(moved);
		given
	}

	/// Returns what an unanswered demand is about: the miner's share of the price while the miner is
	/// not settled up to the receipt's count, and then the client's price.
	fn owed_by_absence(
		key: &PublicKey,
		row: &Demand<T::AccountId>,
	) -> (Option<Owed<T::AccountId>>, Wronged) {
		let (receipt, sums) = (&row.receipt.receipt, &row.receipt.sums);
		let Some(voucher) = receipt.voucher() else { return (None, Wronged::Nobody) };
		let settled = MinerTotals::<T>::get((key, sums.kind, receipt.miner));
		let known = Self::known_channel(voucher.channel);
		let settled_channel = known.map_or(0, |known| known.record.settled.count);
		let both = settled.count >= sums.miner.count && settled_channel >= sums.channel.count;
		let wronged = match receipt.miner {
			_ if both => Wronged::Client(voucher.channel),
			Some(miner) => Wronged::Miner(miner),
			None => Wronged::Nobody,
		};
		(Self::owed_to(&wronged, sums.kind.asset, receipt.price), wronged)
	}

	/// Gives back what an unanswered demand is about. Returns what that makes in its asset.
	fn restore_absence(
		present: &PublicKey,
		party: &mut Party<T::AccountId>,
		row: &Demand<T::AccountId>,
		owed: Option<Owed<T::AccountId>>,
		wronged: &Wronged,
		reach: Reach,
		mut counts: DemandCounts,
	) -> u128 {
		let fact =
			row.receipt.receipt.voucher().and_then(|id| Facts::<T>::get(id.channel, id.number));
		let before = fact.map_or(0, |fact| fact.given(wronged));
		let given = owed.map_or(0, |owed| {
			let owed = Owed { amount: owed.amount.saturating_sub(before), ..owed };
			if let Wronged::Client(channel) = wronged {
				return Self::restore_client(present, party, *channel, owed, reach);
			}
			Self::restore_miner(present, party, &owed, reach, &mut counts)
		});
		DemandsTo::<T>::insert(&row.coordinator, counts);
		given
	}

	/// Records that a demand got no answer. The deposit for its row now is that of the fact.
	fn note_unanswered(row: Demand<T::AccountId>, given: u128, wronged: &Wronged) {
		let Demand { receipt, who, row_deposit, .. } = row;
		let voucher = receipt.receipt.voucher();
		let Some(voucher) = voucher.filter(|id| Self::known_channel(id.channel).is_some()) else {
			return Self::return_or_divert(&who, row_deposit);
		};
		let known = Facts::<T>::get(voucher.channel, voucher.number);
		if known.is_some() {
			Self::return_or_divert(&who, row_deposit);
		}
		let mut fact = known.unwrap_or_else(|| Self::new_fact(who, row_deposit));
		if !fact.kinds.contains(&ChannelOffence::Unanswered) {
			// There is room for each kind once.
			let _ = fact.kinds.try_push(ChannelOffence::Unanswered);
		}
		fact.add(wronged, given);
		Facts::<T>::insert(voucher.channel, voucher.number, fact);
	}
}
