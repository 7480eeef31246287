//! Settlement batches: one call for any number of receipts.
//!
//! A batch is checked whole before anything is written: state first, then signatures. Then money moves
//! once for each account that receives any. What it gives up of channels that have ended moves none:
//! the miners' sums continue behind it.

use crate::{
	channels::{payout::Payouts, types::ChannelRow},
	claims::Batch,
	pallet::*,
	types::*,
	waiting::{Settled, Waits},
	weights::WeightInfo,
};
use alloc::{collections::BTreeSet, vec::Vec};
use frame_support::{
	dispatch::PostDispatchInfo,
	ensure,
	pallet_prelude::{DispatchError, DispatchResultWithPostInfo, Get, Pays, Weight},
	storage::with_storage_layer,
	traits::{
		fungible::{Inspect, Mutate},
		tokens::{Fortitude, Preservation},
	},
};
use gridproof_primitives::{
	H256,
	compute::{
		channels::{
			BatchRefusal, ChannelId, GivenUp, HeaderChain, Lists, MinerLine, Mode, SettlementBatch,
			SettlementHeader, batch_fee, line_claim,
		},
		settlement::{Shares, WorkRecorder},
	},
	crypto::ed25519::PublicKey,
};

/// Why a batch settles nothing.
enum Fault {
	/// It breaks a rule.
	Refused(BatchRefusal),
	/// A payment cannot be made.
	Failed(DispatchError),
}

impl From<BatchRefusal> for Fault {
	fn from(refusal: BatchRefusal) -> Self {
		Self::Refused(refusal)
	}
}

impl From<DispatchError> for Fault {
	fn from(error: DispatchError) -> Self {
		Self::Failed(error)
	}
}

/// Channels of a batch, by number.
type Rows<AccountId> = Vec<(ChannelId, ChannelRow<AccountId>)>;

/// A batch that breaks no rule, with what to write once it is settled.
struct Checked<AccountId> {
	lists: Lists,
	/// What is paid of each line of `lists.miners`.
	paid: Vec<MinerLine>,
	/// Headers before it, and with it.
	headers: (HeaderChain, HeaderChain),
	/// Key under which the coordinator is registered, and its account.
	coordinator: (PublicKey, AccountId),
	channels: Rows<AccountId>,
	/// Key under which each line's miner is registered; `None` for receipts without one.
	miners: Vec<Option<PublicKey>>,
	/// For the lines, in 10⁻¹⁸ AIT.
	fee: u128,
}

impl<T: Config> Pallet<T> {
	/// [`Pallet::settle_batch`] without the origin.
	pub(crate) fn do_settle_batch(batch: &SettlementBatch) -> DispatchResultWithPostInfo {
		let SettlementHeader { coordinator, sequence, .. } = batch.header;
		let pays_fee = match with_storage_layer(|| Self::settle_or_fail(batch)) {
			// The fee for its lines is paid.
			Ok(()) => Pays::No,
			Err(Fault::Refused(reason)) => {
				Self::deposit_event(Event::BatchRefused { coordinator, sequence, reason });
				Pays::Yes
			},
			Err(Fault::Failed(error)) => return Err(error.into()),
		};
		Ok(PostDispatchInfo { actual_weight: Some(Self::weight_of_batch(batch)), pays_fee })
	}

	fn settle_or_fail(batch: &SettlementBatch) -> Result<(), Fault> {
		let mut shared = Batch::<T>::new();
		let checked = Self::check_batch(&mut shared, batch)?;
		Self::write_batch(shared, batch, checked)
	}

	/// Settles a batch of which nobody's signature but the coordinator's is verified.
	#[cfg(feature = "runtime-benchmarks")]
	pub(crate) fn settle_unverified(batch: &SettlementBatch) -> bool {
		let mut shared = Batch::<T>::new();
		let checked = Self::check_state(&mut shared, batch);
		checked.is_ok_and(|checked| Self::write_batch(shared, batch, checked).is_ok())
	}

	/// Verifies what [`Self::settle_unverified`] leaves out.
	#[cfg(feature = "runtime-benchmarks")]
	pub(crate) fn verify_only(batch: &SettlementBatch) -> bool {
		let rows = batch.channels.iter().filter_map(|signed| {
			let id = signed.line.channel();
			Some((id, Channels::<T>::get(id)?))
		});
		Self::verify_lines(&Self::genesis_hash(), batch, &rows.collect::<Vec<_>>()).is_ok()
	}

	/// Returns the refusal of the first rule that a batch breaks, if it were submitted now.
	pub(crate) fn preview_batch_now(batch: &SettlementBatch) -> Result<(), BatchRefusal> {
		Self::check_batch(&mut Batch::<T>::new(), batch).map(|_| ())
	}

	/// Checks every rule and writes nothing.
	fn check_batch(
		shared: &mut Batch<T>,
		batch: &SettlementBatch,
	) -> Result<Checked<T::AccountId>, BatchRefusal> {
		let checked = Self::check_state(shared, batch)?;
		Self::verify_lines(&shared.genesis, batch, &checked.channels)?;
		Ok(checked)
	}

	/// Checks every rule but the signatures of vouchers and lines.
	fn check_state(
		shared: &mut Batch<T>,
		batch: &SettlementBatch,
	) -> Result<Checked<T::AccountId>, BatchRefusal> {
		use BatchRefusal as Refusal;
		let header = &batch.header;
		ensure!(!shared.stopped, Refusal::Stopped);
		let rules = ChannelRules::<T>::get();
		let last = Headers::<T>::get(header.coordinator);
		let headers = last.next(header, shared.now, rules.batch_spacing_ms)?;
		let (coordinator, bond) =
			(shared.current_key(&header.coordinator, 0), shared.parameters.coordinator_bond);
		let refusals = [
			Refusal::UnknownCoordinator,
			Refusal::CoordinatorBanned,
			Refusal::CoordinatorUnderbonded,
		];
		shared.check_party(&coordinator, false, bond, refusals)?;
		let account = shared.party(&coordinator).map(|loaded| loaded.party.account.clone());
		let account = account.ok_or(Refusal::UnknownCoordinator)?;
		let lists = batch.check(&shared.genesis)?;
		let fee = batch_fee(header, rules.fee_per_line).ok_or(Refusal::FeeUnpaid)?;
		let keep = (Preservation::Preserve, Fortitude::Polite);
		let has = T::Currency::reducible_balance(&account, keep.0, keep.1);
		ensure!(has >= fee, Refusal::FeeUnpaid);
		let channels = Self::check_channels(shared.now, header, &lists)?;
		Self::check_given_up(shared.now, header, &lists)?;
		let miners = Self::check_miners(shared, header, &lists)?;
		let paid = lists.paid().ok_or(Refusal::SumsOverflow)?;
		let (coordinator, headers) = ((coordinator, account), (last, headers));
		Ok(Checked { lists, paid, headers, coordinator, channels, miners, fee })
	}

	/// Settles the lines of channels in their rows, which are not written.
	fn check_channels(
		now: u64,
		header: &SettlementHeader,
		lists: &Lists,
	) -> Result<Rows<T::AccountId>, BatchRefusal> {
		let of = |line: &gridproof_primitives::compute::channels::ChannelLine| {
			let id = line.channel();
			let mut row = Self::channel_now(id).ok_or(BatchRefusal::UnknownChannel)?;
			let channel = row.channel;
			row.channel = channel.settle(&header.coordinator, header.kind, line, now, DAY_MS)?;
			Ok((id, row))
		};
		lists.channels.iter().map(of).collect()
	}

	/// Checks that the channels have ended whose counts are given up. One that the chain has forgotten
	/// ended long ago.
	fn check_given_up(
		now: u64,
		header: &SettlementHeader,
		lists: &Lists,
	) -> Result<(), BatchRefusal> {
		let SettlementHeader { coordinator, kind, .. } = header;
		let ids: BTreeSet<_> = lists.given_up.iter().map(|one| one.channel).collect();
		for id in ids {
			if let Some(row) = Self::channel_now(id) {
				row.channel.give_up(coordinator, *kind, now)?;
			} else if let Some(record) = EndedChannels::<T>::get(id) {
				ensure!(record.coordinator == *coordinator, BatchRefusal::OtherCoordinator);
				ensure!(record.kind == *kind, BatchRefusal::OtherKind);
			} else {
				let was_opened = id > 0 && id <= ChannelTotals::<T>::get().opened;
				ensure!(was_opened, BatchRefusal::UnknownChannel);
			}
		}
		Ok(())
	}

	/// Checks that the lines of miners join on, and whose they are.
	fn check_miners(
		shared: &mut Batch<T>,
		header: &SettlementHeader,
		lists: &Lists,
	) -> Result<Vec<Option<PublicKey>>, BatchRefusal> {
		let of = |line: &MinerLine| {
			line.check_joins(&MinerTotals::<T>::get((
				header.coordinator,
				header.kind,
				line.miner,
			)))?;
			let Some(miner) = line.miner else { return Ok(None) };
			// Its account is paid for what an old key signed, too.
			let key = shared.current_key(&miner, 0);
			let known = shared.party(&key).is_some_and(|loaded| loaded.party.class().is_some());
			if known { Ok(Some(key)) } else { Err(BatchRefusal::UnknownMiner) }
		};
		lists.miners.iter().map(of).collect()
	}

	/// Verifies the signatures of the vouchers, and those of the miners that have signed.
	fn verify_lines(
		genesis: &H256,
		batch: &SettlementBatch,
		channels: &[(ChannelId, ChannelRow<T::AccountId>)],
	) -> Result<(), BatchRefusal> {
		for (signed, (_, row)) in batch.channels.iter().zip(channels) {
			let verified =
				row.channel.verify_voucher(genesis, &signed.line.voucher, &signed.signature);
			verified.map_err(|_| BatchRefusal::BadVoucherSignature)?;
		}
		let header_hash = batch.header.hash();
		for signed in &batch.miners {
			if let Some(signature) = &signed.signature {
				let verified = signed.line.verify(genesis, &header_hash, signature);
				verified.map_err(|_| BatchRefusal::BadMinerSignature)?;
			}
		}
		Ok(())
	}

	/// Moves the fee for the lines from the coordinator's account to the treasury, where it never
	/// comes back from to who settles its own work.
	fn take_batch_fee(checked: &Checked<T::AccountId>) -> Result<(), BatchRefusal> {
		let ((_, account), treasury) = (&checked.coordinator, T::Treasury::get());
		T::Currency::transfer(account, &treasury, checked.fee, Preservation::Preserve)
			.map(|_| ())
			.map_err(|_| BatchRefusal::FeeUnpaid)
	}

	/// Writes what a checked batch changes, and pays.
	fn write_batch(
		mut shared: Batch<T>,
		batch: &SettlementBatch,
		checked: Checked<T::AccountId>,
	) -> Result<(), Fault> {
		Self::take_batch_fee(&checked)?;
		let Checked { lists, paid, headers, coordinator, channels, miners, fee } = checked;
		let (before, headers) = headers;
		let header = &batch.header;
		let window_ms = ChannelRules::<T>::get().check_window_ms;
		let (key, account) = coordinator.clone();
		let mut work = Work::<T>::begin(&mut shared, header, coordinator, window_ms);
		let lines = lists.miners.iter().zip(&paid);
		for ((lines, signed), miner) in lines.zip(&batch.miners).zip(miners) {
			let (line, paid) = lines;
			MinerTotals::<T>::insert((header.coordinator, header.kind, line.miner), line.to);
			work.receipts = work.receipts.saturating_add(paid.receipts().unwrap_or(0));
			if let (Some(miner), true) = (miner, line.from != paid.to) {
				work.add(line, paid, signed.signature.is_some(), miner)?;
			}
		}
		let (payouts, waits) = work.finish()?;
		if let Some((waits, pay)) = waits {
			let number = ChannelTotals::<T>::get().batches;
			let (of, place) = ((key, account, pay), (number, headers.last_hash));
			Self::write_waits(&shared, batch, &lists, waits, of, place)?;
		}
		shared.write_parties();
		for (id, row) in channels {
			let settled = row.channel.settled;
			Channels::<T>::insert(id, row);
			Self::deposit_event(Event::ChannelSettled { channel: id, settled });
		}
		for GivenUp { channel, line } in lists.given_up {
			Self::deposit_event(Event::CountsGivenUp {
				coordinator: header.coordinator,
				channel,
				miner: line.miner,
				receipts: line.receipts().unwrap_or(0),
				price: line.price().unwrap_or(0),
			});
		}
		Headers::<T>::insert(header.coordinator, headers);
		Self::mark_header(&before, header, headers.last_hash);
		ChannelTotals::<T>::mutate(|totals| {
			totals.batches = totals.batches.saturating_add(1);
			totals.receipts = totals.receipts.saturating_add(header.sums.receipts);
		});
		payouts.execute()?;
		Self::deposit_event(Event::BatchSettled {
			coordinator: header.coordinator,
			sequence: header.sequence,
			header_hash: headers.last_hash,
			kind: header.kind,
			sums: header.sums,
			fee,
		});
		Ok(())
	}

	/// Returns the weight of [`Pallet::settle_batch`]: that of its lines, and of the signatures that
	/// they have.
	pub(crate) fn weight_of_batch(batch: &SettlementBatch) -> Weight {
		let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
		let signed = batch.miners.iter().filter(|signed| signed.signature.is_some()).count();
		let (channels, miners) = (count(batch.channels.len()), count(batch.miners.len()));
		// A channel that is given up is looked up twice and not written.
		let looked_up = channels.saturating_add(count(batch.given_up.len()));
		// One miner and the header's signature are part of what channels weigh.
		let more = T::WeightInfo::settle_miners(miners.max(1))
			.saturating_sub(T::WeightInfo::settle_miners(1));
		T::WeightInfo::settle_channels(looked_up)
			.saturating_add(more)
			.saturating_add(T::WeightInfo::verify_lines(channels.saturating_add(count(signed))))
			.saturating_add(T::Recorder::weight().saturating_mul(miners.into()))
	}
}

/// The miners' lines of one batch while they are settled.
struct Work<'a, T: Config> {
	shared: &'a mut Batch<T>,
	header: &'a SettlementHeader,
	coordinator: PublicKey,
	running: RunningStep,
	/// Sum of the lines' claims, which is the coordinator's as well.
	claims: u128,
	weight: u64,
	/// Number of receipts, without those that are given up.
	receipts: u64,
	payouts: Payouts<T>,
	/// Coordinator's account, and its share of all prices.
	own: (T::AccountId, u128),
	treasury: u128,
	/// What waits, if there is a check window.
	waits: Option<Waits<T::AccountId>>,
}

impl<'a, T: Config> Work<'a, T> {
	fn begin(
		shared: &'a mut Batch<T>,
		header: &'a SettlementHeader,
		(coordinator, account): (PublicKey, T::AccountId),
		window_ms: u64,
	) -> Self {
		let running = Pallet::<T>::roll(shared.now);
		Self {
			shared,
			header,
			coordinator,
			running,
			claims: 0,
			weight: 0,
			receipts: 0,
			payouts: Payouts::of(header.kind.asset),
			own: (account, 0),
			treasury: 0,
			waits: (window_ms > 0).then(|| Waits::new(window_ms)),
		}
	}

	/// Settles the line of the miner that is registered with `key`, of which `paid` is paid.
	fn add(
		&mut self,
		line: &MinerLine,
		paid: &MinerLine,
		is_signed: bool,
		key: PublicKey,
	) -> Result<(), DispatchError> {
		let (parameters, now, kind) = (self.shared.parameters, self.shared.now, self.header.kind);
		let shares = parameters.price_split.divide(paid.price().unwrap_or(0));
		let received = self.shared.terms.received_of_line(&parameters, kind, paid, &shares);
		let step = self.running.step;
		let miner = self.shared.working_miner(&key, step).ok_or(Error::<T>::UnknownMiner)?;
		let party = &miner.party;
		// Work is paid, no matter whose it is. Who is banned, or has not the bond, earns nothing besides.
		let fit = !party.is_banned(now) && !party.lacks_half_of(parameters.miner_bond);
		let score = party.pending.score;
		let bound = party
			.class()
			.filter(|_| fit)
			.map_or(0, |class| line_claim(&parameters, paid, true, class, score, received));
		let claim = if is_signed { bound } else { 0 };
		if let Some(activity) = &mut miner.activity {
			activity.add_line();
		}
		let weight = u64::try_from(paid.weight().unwrap_or(0)).unwrap_or(u64::MAX);
		let joined = self.waits.is_none() && miner.earn(step, claim);
		let free_ms = now.saturating_add(parameters.unbonding_ms);
		let account = miner.add_work(paid.receipts().unwrap_or(0), weight, 0, free_ms);
		self.running.claims = self.running.claims.saturating_add(claim);
		self.running.parties = self.running.parties.saturating_add(joined.into());
		self.weight = self.weight.saturating_add(weight);
		let Shares { treasury, coordinator, miner: pay } = shares;
		if let Some(waits) = &mut self.waits {
			waits.add(Settled { line, paid, key, account, pay, bound, claim, is_signed, step });
			// The line's claim is in the step twice: for its miner and for the coordinator.
			let joined = if claim > 0 { 2 } else { 0 };
			self.running.parties = self.running.parties.saturating_add(joined);
		} else {
			self.payouts.add(account, pay);
			self.claims = self.claims.saturating_add(claim);
		}
		self.own.1 = self.own.1.saturating_add(coordinator);
		self.treasury = self.treasury.saturating_add(treasury);
		if kind.mode == Mode::Ordinary {
			T::Recorder::record(&key, &self.coordinator, weight);
		}
		if let Some(miner) = line.miner {
			Pallet::<T>::deposit_event(Event::MinerSettled {
				coordinator: self.header.coordinator,
				miner,
				settled: line.to,
				shares,
				claim,
			});
		}
		Ok(())
	}

	/// Adds what the coordinator earned, and returns who is to be paid now, and what waits with the
	/// coordinator's pay.
	#[allow(clippy::type_complexity)]
	fn finish(self) -> Result<(Payouts<T>, Option<(Waits<T::AccountId>, u128)>), DispatchError> {
		let Self {
			shared,
			coordinator,
			mut running,
			claims,
			weight,
			receipts,
			mut payouts,
			waits,
			..
		} = self;
		let free_ms = shared.now.saturating_add(shared.parameters.unbonding_ms);
		let loaded = shared.party(&coordinator).ok_or(Error::<T>::UnknownParty)?;
		if loaded.party.pending.step != running.step {
			Pallet::<T>::convert(&mut loaded.party);
		}
		let joined = loaded.earn(running.step, claims);
		loaded.add_work(receipts, weight, 0, free_ms);
		running.parties = running.parties.saturating_add(joined.into());
		Running::<T>::put(running);
		Sums::<T>::mutate(|sums| sums.compute_units = sums.compute_units.saturating_add(weight));
		let (account, share) = self.own;
		payouts.add(T::Treasury::get(), self.treasury);
		let received = shared.terms.counted(self.header.kind.asset, self.treasury);
		Pallet::<T>::note_received(received);
		let Some(waits) = waits else {
			payouts.add(account, share);
			return Ok((payouts, None));
		};
		Ok((payouts, Some((waits, share))))
	}
}
