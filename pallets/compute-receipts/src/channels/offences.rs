//! Offences around channels: reports, and what they cost.
//!
//! Evidence is a proof in itself: two things that the coordinator signed and that cannot both be. Each
//! kind counts once for a voucher, or for a header. Two vouchers can be part of one report: it is new
//! if one of them is. What is given back for a voucher is counted over all kinds, so that a second
//! kind gives back what the first did not, and no more.
//!
//! Who reports after somebody else loses nothing: it counts once, and what it gives back is
//! not the reporter's. One that shows more than was given back so far, because the other evidence
//! showed less, because there was no rate, or because the bond did not reach, gives back the
//! difference to a client and counts no second time.
//!
//! # Receipts that were given up
//!
//! A coordinator that lets a channel end before it has settled it has to give its receipts up, and
//! says so itself: that is an absence, not a lie. The first one that is shown counts as an offence.
//! Others that should have been settled by then are part of that absence, and so are those whose time
//! lies before an unanswered demand that has counted: one absence costs one slash, and gives miners
//! together no more than that. So a miner and a coordinator who are one get for each unit of the bond
//! that they move at most what the treasury gets.

use crate::{
	channels::{
		memory::Known,
		models::Models,
		records::{Fact, Forgotten},
		restitution::{Owed, Reach},
	},
	pallet::*,
	types::*,
};
use alloc::{vec, vec::Vec};
use frame_support::{
	ensure,
	pallet_prelude::{DispatchError, DispatchResult, Get},
	traits::Time,
};
use gridproof_primitives::{
	compute::{
		PriceAsset,
		channels::{
			ChainFacts, ChannelEvidence, ChannelId, ChannelOffence, ChannelProven, ChannelReceipt,
			VoucherId, Wronged,
		},
	},
	crypto::ed25519::PublicKey,
};

/// What evidence is about, and is remembered by.
enum About {
	/// Vouchers of a channel, or of two.
	Vouchers(Vec<VoucherId>),
	/// Sequence number of a header, and the latest time that is stated with it.
	Header(u64, u64),
}

impl About {
	fn of(evidence: &ChannelEvidence) -> Self {
		let voucher = |receipt: &ChannelReceipt| receipt.receipt.voucher();
		match evidence {
			ChannelEvidence::TwoReceipts { first, second }
			| ChannelEvidence::Overlap { first, second } => {
				let mut ids: Vec<_> = [voucher(&first.receipt), voucher(&second.receipt)]
					.into_iter()
					.flatten()
					.collect();
				ids.dedup();
				Self::Vouchers(ids)
			},
			ChannelEvidence::Line { receipt, .. }
			| ChannelEvidence::OtherKind(receipt)
			| ChannelEvidence::OtherWeight(receipt)
			| ChannelEvidence::Unsound(receipt) => {
				Self::Vouchers(voucher(&receipt.receipt).into_iter().collect())
			},
			ChannelEvidence::TwoHeaders { first, second } => {
				Self::Header(first.0.sequence, first.0.time_ms.max(second.0.time_ms))
			},
			ChannelEvidence::Misplaced { header, .. } => {
				Self::Header(header.sequence, header.time_ms)
			},
		}
	}
}

impl<T: Config> Pallet<T> {
	/// [`Pallet::report_channel_offence`] without the origin.
	pub(crate) fn do_report_channel(
		reporter: T::AccountId,
		coordinator: PublicKey,
		evidence: &ChannelEvidence,
	) -> DispatchResult {
		let (present, mut party) = Self::coordinator_now(&coordinator)?;
		let about = About::of(evidence);
		let known = Self::channel_of_evidence(&coordinator, evidence)?;
		Self::ensure_remembered(&about)?;
		let proven = Self::prove(&coordinator, evidence, known.as_ref())?;
		let ChannelProven { offence, wronged, amount } = proven;
		Self::forget_old();
		if offence == ChannelOffence::GivenUp {
			let keys = [coordinator, present];
			return Self::report_given_up(reporter, keys, party, evidence, &proven);
		}
		let (mut facts, is_new) = Self::facts_of(&reporter, &coordinator, about, offence)?;
		let asset = known.as_ref().map_or(PriceAsset::Ait, |known| known.record.kind.asset);
		let before = facts.iter().map(|(_, fact)| fact.given(&wronged)).max().unwrap_or(0);
		let reach = Reach::of(&party, &Parameters::<T>::get());
		let reach = if is_new { reach } else { reach.without_slash() };
		let mut given = 0;
		if let Some(mut owed) = Self::owed_to(&wronged, asset, amount) {
			owed.amount = owed.amount.saturating_sub(before);
			given = match wronged {
				Wronged::Client(channel) => {
					Self::restore_client(&present, &mut party, channel, owed, reach)
				},
				_ => Self::restore(&present, &mut party, &owed, reach.for_miner()).0,
			};
		}
		ensure!(is_new || given > 0, Error::<T>::AlreadyReported);
		for (_, fact) in &mut facts {
			let lacks = before.saturating_sub(fact.given(&wronged));
			fact.add(&wronged, lacks.saturating_add(given));
		}
		Self::store_facts(facts);
		if is_new {
			let (slash, offences) = Self::punish_channel(&present, &mut party, reach);
			let banned = party.is_banned(T::Time::now());
			let banned_until_ms = if banned { party.banned_until_ms } else { 0 };
			Self::deposit_event(Event::ChannelOffenceProven {
				coordinator,
				offence,
				channel: evidence.channel(),
				offences,
				banned_until_ms,
				slash,
			});
		}
		Parties::<T>::insert(present, party);
		Ok(())
	}

	/// Records that a receipt was given up, and gives back what its miner is owed for it. `keys` are that
	/// which signed, and that under which the coordinator is registered.
	fn report_given_up(
		reporter: T::AccountId,
		[coordinator, present]: [PublicKey; 2],
		mut party: Party<T::AccountId>,
		evidence: &ChannelEvidence,
		proven: &ChannelProven,
	) -> DispatchResult {
		let ChannelEvidence::Line { receipt, header, .. } = evidence else {
			return Err(Error::<T>::InvalidEvidence.into());
		};
		let (now, parameters) = (T::Time::now(), Parameters::<T>::get());
		let ChannelProven { offence, wronged, amount } = proven;
		let about = About::of(evidence);
		let (mut facts, _) = Self::facts_of(&reporter, &coordinator, about, *offence)?;
		let counts = DemandsTo::<T>::get(&party.account);
		let missed_ms = receipt.receipt.receipt.settle_by_ms.min(header.time_ms);
		// What a ban kept it from settling does not count.
		let was_free = !party.is_banned(now) && missed_ms >= party.banned_until_ms;
		let is_new = was_free && missed_ms > counts.absent_ms;
		// Everything that this header gave up is part of it, also if its clock is ahead.
		let at_ms = is_new.then_some(now.max(header.time_ms));
		let (reach, mut counts) = Self::absence(counts, Reach::of(&party, &parameters), at_ms);
		let asset = receipt.receipt.sums.kind.asset;
		let before = facts.iter().map(|(_, fact)| fact.given(wronged)).max().unwrap_or(0);
		let given = Self::owed_to(wronged, asset, *amount).map_or(0, |owed| {
			let owed = Owed { amount: owed.amount.saturating_sub(before), ..owed };
			Self::restore_miner(&present, &mut party, &owed, reach, &mut counts)
		});
		ensure!(is_new || given > 0, Error::<T>::AlreadyReported);
		DemandsTo::<T>::insert(&party.account, counts);
		for (_, fact) in &mut facts {
			fact.add(wronged, given);
		}
		Self::store_facts(facts);
		if is_new {
			let (slash, offences) = Self::punish_channel(&present, &mut party, reach);
			let banned_until_ms = if party.is_banned(now) { party.banned_until_ms } else { 0 };
			Self::deposit_event(Event::ChannelOffenceProven {
				coordinator,
				offence: *offence,
				channel: evidence.channel(),
				offences,
				banned_until_ms,
				slash,
			});
		}
		Parties::<T>::insert(present, party);
		Ok(())
	}

	/// Returns the channel that evidence is about, if it is about one: it must be the coordinator's.
	fn channel_of_evidence(
		coordinator: &PublicKey,
		evidence: &ChannelEvidence,
	) -> Result<Option<Known<T::AccountId>>, Error<T>> {
		if matches!(
			evidence,
			ChannelEvidence::TwoHeaders { .. } | ChannelEvidence::Misplaced { .. }
		) {
			return Ok(None);
		}
		let known = evidence.channel().and_then(Self::known_channel);
		let known = known.filter(|known| known.record.coordinator == *coordinator);
		Ok(Some(known.ok_or(Error::<T>::UnknownChannel)?))
	}

	/// Returns an error if evidence about a header is older than offences are remembered, or its time
	/// has not come: then it would be forgotten before it is too old, and count twice.
	fn ensure_remembered(about: &About) -> Result<(), Error<T>> {
		let About::Header(_, time_ms) = about else { return Ok(()) };
		let (now, memory_ms) = (T::Time::now(), Parameters::<T>::get().offence_memory_ms);
		let in_time = *time_ms <= now && now < time_ms.saturating_add(memory_ms);
		ensure!(in_time, Error::<T>::EvidenceTooOld);
		Ok(())
	}

	/// Returns the offence that evidence proves.
	fn prove(
		coordinator: &PublicKey,
		evidence: &ChannelEvidence,
		known: Option<&Known<T::AccountId>>,
	) -> Result<ChannelProven, Error<T>> {
		let channel_kind = known.map(|known| known.record.kind);
		let model_factor = match (evidence, known) {
			(ChannelEvidence::OtherWeight(attested), Some(known)) => {
				let receipt = &attested.receipt.receipt;
				// A receipt does not say when it was made: some time from the channel's opening on.
				let until = receipt.settle_by_ms.min(T::Time::now());
				let factors = T::Models::factors(&receipt.model, known.record.opened_ms, until);
				let right = |factor: &&u32| receipt.check_weight(**factor).is_ok();
				factors.iter().find(right).or(factors.first()).copied()
			},
			_ => None,
		};
		let facts = ChainFacts { channel_kind, model_factor };
		let proven = evidence.check(&Self::genesis_hash(), coordinator, &facts);
		proven.map_err(|_| Error::<T>::InvalidEvidence)
	}

	/// Returns what is known of the vouchers or the header of a report, with this kind of offence. A
	/// new row takes the reporter's deposit. The second figure is `true` if the offence is new.
	fn facts_of(
		reporter: &T::AccountId,
		coordinator: &PublicKey,
		about: About,
		offence: ChannelOffence,
	) -> Result<(FactRows<T>, bool), DispatchError> {
		let places: Vec<Place> = match about {
			About::Header(sequence, _) => vec![Place::Header(*coordinator, sequence)],
			// What is not in the state any more is not remembered.
			About::Vouchers(ids) => ids
				.into_iter()
				.filter(|id| Self::known_channel(id.channel).is_some())
				.map(Place::Voucher)
				.collect(),
		};
		let mut is_new = false;
		let mut facts = Vec::with_capacity(places.len());
		for place in places {
			let known = match place {
				Place::Voucher(id) => Facts::<T>::get(id.channel, id.number),
				Place::Header(key, sequence) => HeaderFacts::<T>::get(key, sequence),
			};
			let mut fact = match known {
				Some(fact) => fact,
				None => {
					let deposit = T::ReportDeposit::get();
					Self::take_deposit(reporter, deposit)?;
					if let Place::Header(key, sequence) = place {
						Self::forget_later(Forgotten::Header(key, sequence));
					}
					Self::new_fact(reporter.clone(), deposit)
				},
			};
			if !fact.kinds.contains(&offence) {
				is_new = true;
				let pushed = fact.kinds.try_push(offence);
				pushed.map_err(|_| Error::<T>::MaxReportsExceeded)?;
			}
			facts.push((place, fact));
		}
		Ok((facts, is_new))
	}

	fn store_facts(facts: FactRows<T>) {
		for (place, fact) in facts {
			match place {
				Place::Voucher(id) => Facts::<T>::insert(id.channel, id.number, fact),
				Place::Header(key, sequence) => HeaderFacts::<T>::insert(key, sequence, fact),
			}
		}
	}

	/// Returns a fact about which nothing was proven yet.
	pub(crate) fn new_fact(reporter: T::AccountId, deposit: u128) -> Fact<T::AccountId> {
		Fact { kinds: Default::default(), to_client: 0, to_miner: 0, reporter, deposit }
	}

	/// Returns what is owed to the wronged party of an offence that took at most `amount` of a price,
	/// in the smallest unit of the asset: the price to a client, its share of it to a miner.
	pub(crate) fn owed_to(
		wronged: &Wronged,
		asset: PriceAsset,
		amount: u128,
	) -> Option<Owed<T::AccountId>> {
		match wronged {
			Wronged::Nobody => None,
			Wronged::Client(channel) => {
				let to = Self::known_channel(*channel)?.record.client;
				Some(Owed { to, asset, amount, is_client: true })
			},
			Wronged::Miner(key) => {
				let party = Parties::<T>::get(Self::current_key(key, 0))?;
				let share = Parameters::<T>::get().price_split.divide(amount).miner;
				let to = party.account.clone();
				party.class().map(|_| Owed { to, asset, amount: share, is_client: false })
			},
		}
	}

	/// Gives back to a channel's client: at most what was settled out of the channel and has not come
	/// back. Returns how much of it came back, in the smallest unit of the asset.
	pub(crate) fn restore_client(
		present: &PublicKey,
		party: &mut Party<T::AccountId>,
		channel: ChannelId,
		owed: Owed<T::AccountId>,
		reach: Reach,
	) -> u128 {
		let Some(known) = Self::known_channel(channel) else { return 0 };
		let back = GivenBackOf::<T>::get(channel);
		let paid = known.record.settled.price.saturating_sub(back);
		let owed = Owed { amount: owed.amount.min(paid), ..owed };
		let most = reach.for_client(Self::kept_for_others(&known));
		let (given, _) = Self::restore(present, party, &owed, most);
		if given > 0 {
			GivenBackOf::<T>::insert(channel, back.saturating_add(given));
		}
		given
	}

	/// Records an offence around channels in a coordinator's row. Returns what will be slashed, in
	/// 10⁻¹⁸ AIT, and how many offences count now.
	pub(crate) fn punish_channel(
		key: &PublicKey,
		party: &mut Party<T::AccountId>,
		reach: Reach,
	) -> (u128, u32) {
		let left = party.bond.saturating_sub(party.pending_slash());
		Self::record_offence(key, party, reach.slash.min(left))
	}
}

/// What is known, each with its place.
type FactRows<T> = Vec<(Place, Fact<<T as frame_system::Config>::AccountId>)>;

/// Where a fact is stored.
#[derive(Clone, Copy)]
enum Place {
	Voucher(VoucherId),
	Header(PublicKey, u64),
}
