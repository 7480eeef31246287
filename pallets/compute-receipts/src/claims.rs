//! Claiming receipts: the hot path.
//!
//! Rows that many receipts of one call share (parameters, parties, the running step, totals, money)
//! are read once and written once; one receipt alone costs its job's row and its signatures.

use crate::{escrow::Settlement, pallet::*, types::*, weights::WeightInfo};
use alloc::collections::{BTreeMap, BTreeSet};
use codec::Encode;
use frame_support::{
	dispatch::PostDispatchInfo,
	pallet_prelude::{Get, Pays, Weight},
	traits::{Time, fungible::Inspect},
};
use gridproof_primitives::{
	H256,
	compute::channels::{self, BatchKind, MinerLine},
	compute::settlement::{Shares, WorkRecorder},
	compute::{
		AitPerAicp, ComputeParameters, JobModel, JobState, Preview, PriceAsset, Receipt,
		ReceiptRefusal, ReceiptView, SignedReceipt, Signer, check_receipt, counted,
	},
	crypto::ed25519::PublicKey,
	reserve::attestation::ServiceCredit,
};
use sp_io::hashing::blake2_256;

/// A party's row during a call.
pub(crate) struct Loaded<AccountId> {
	pub(crate) party: Party<AccountId>,
	/// Recent work; only for miners.
	pub(crate) activity: Option<Activity>,
	changed: bool,
}

impl<AccountId: Clone> Loaded<AccountId> {
	/// Adds a claim to the party's running step. Returns `true` if it is its first in that step.
	pub(crate) fn earn(&mut self, step: u64, claim: u128) -> bool {
		if claim == 0 {
			return false;
		}
		let pending = &mut self.party.pending;
		let first = pending.claim == 0;
		pending.step = step;
		pending.claim = pending.claim.saturating_add(claim);
		first
	}

	/// Lets the row be written back.
	pub(crate) const fn touch(&mut self) {
		self.changed = true;
	}

	/// Adds so many receipts' work to the party's row. Returns its account. If the party is leaving,
	/// its bond answers for this work too, until `free_ms`.
	pub(crate) fn add_work(
		&mut self,
		receipts: u64,
		units: u64,
		credit: u128,
		free_ms: u64,
	) -> AccountId {
		let party = &mut self.party;
		party.leaving_ms = party.leaving_ms.map(|until| until.max(free_ms));
		party.settled = party.settled.saturating_add(receipts);
		party.compute_units = party.compute_units.saturating_add(units);
		party.credit = party.credit.saturating_add(credit);
		self.changed = true;
		party.account.clone()
	}
}

/// State that the receipts of one call share.
pub(crate) struct Batch<T: Config> {
	pub(crate) now: u64,
	pub(crate) genesis: H256,
	/// `true` while settlement is stopped.
	pub(crate) stopped: bool,
	pub(crate) parameters: ComputeParameters,
	pub(crate) terms: MintTerms,
	parties: BTreeMap<PublicKey, Option<Loaded<T::AccountId>>>,
	/// Models that the registry was asked about.
	models: BTreeSet<H256>,
	settled: BTreeSet<H256>,
}

/// What decides, besides a receipt's own figures, for how much of its price it may mint.
pub(crate) struct MintTerms {
	/// `true` if the breaker has not stopped minting.
	minting: bool,
	/// Least amount that reaches the treasury, in AIT and in AICP: what a new account needs, if it
	/// has none yet.
	least: [u128; 2],
	/// Rate that governance stated, if it still counts.
	rate: Option<AitPerAicp>,
}

impl MintTerms {
	/// Returns the terms at `now`, in UTC milliseconds.
	pub(crate) fn now<T: Config>(parameters: &ComputeParameters, now: u64) -> Self {
		fn least<T: Config, C: Inspect<T::AccountId, Balance = u128>>() -> u128 {
			let (balance, minimum) = (C::total_balance(&T::Treasury::get()), C::minimum_balance());
			if balance >= minimum { 0 } else { minimum }
		}
		Self {
			minting: BreakerLevel::<T>::get() == Breaker::Closed,
			least: [least::<T, T::Currency>(), least::<T, T::Aicp>()],
			rate: Rate::<T>::get().and_then(|rate| rate.at(now, parameters.rate_valid_ms)),
		}
	}

	/// Returns what an amount counts for, in 10⁻¹⁸ AIT, whether or not it mints.
	pub(crate) fn counted(&self, asset: PriceAsset, amount: u128) -> u128 {
		counted(asset, amount, self.rate.as_ref())
	}

	/// Returns what the treasury's share of a price counts for, in 10⁻¹⁸ AIT.
	pub(crate) fn received(&self, asset: PriceAsset, share: u128) -> u128 {
		let [ait, aicp] = self.least;
		let reaches = match asset {
			PriceAsset::Ait => share >= ait,
			PriceAsset::Aicp => share >= aicp,
			PriceAsset::ServiceCredit => false,
		};
		if self.minting && reaches { counted(asset, share, self.rate.as_ref()) } else { 0 }
	}

	/// Returns what the treasury's share of a line's price counts for, in 10⁻¹⁸ AIT.
	pub(crate) fn received_of_line(
		&self,
		parameters: &ComputeParameters,
		kind: BatchKind,
		line: &MinerLine,
		shares: &Shares,
	) -> u128 {
		let counts = self.received(kind.asset, shares.treasury);
		counts.min(channels::received(parameters, kind, line, self.rate.as_ref()))
	}
}

impl<T: Config> Batch<T> {
	pub(crate) fn new() -> Self {
		let (now, parameters) = (T::Time::now(), Parameters::<T>::get());
		Self {
			now,
			genesis: Pallet::<T>::genesis_hash(),
			stopped: BreakerLevel::<T>::get() == Breaker::AllStopped || T::Halted::get(),
			parameters,
			terms: MintTerms::now::<T>(&parameters, now),
			parties: BTreeMap::new(),
			models: BTreeSet::new(),
			settled: BTreeSet::new(),
		}
	}

	pub(crate) fn party(&mut self, key: &PublicKey) -> Option<&mut Loaded<T::AccountId>> {
		self.parties
			.entry(*key)
			.or_insert_with(|| {
				let party = Parties::<T>::get(key)?;
				Some(Loaded { party, activity: None, changed: false })
			})
			.as_mut()
	}

	/// Returns the key under which the party is registered that signed with `key`, about a job that
	/// was opened at `opened_ms`.
	pub(crate) fn current_key(&mut self, key: &PublicKey, opened_ms: u64) -> PublicKey {
		match self.party(key) {
			Some(_) => *key,
			None => Pallet::<T>::current_key(key, opened_ms),
		}
	}

	/// Checks that a party can take part, with half of the bond that is required; the refusals are
	/// those for not registered, banned and underbonded.
	pub(crate) fn check_party<Refusal>(
		&mut self,
		key: &PublicKey,
		is_miner: bool,
		required: u128,
		refusals: [Refusal; 3],
	) -> Result<(), Refusal> {
		let now = self.now;
		let [unknown, banned, underbonded] = refusals;
		let loaded = self.party(key).filter(|loaded| loaded.party.class().is_some() == is_miner);
		let party = &loaded.ok_or(unknown)?.party;
		if party.is_banned(now) {
			Err(banned)
		} else if party.lacks_half_of(required) {
			Err(underbonded)
		} else {
			Ok(())
		}
	}

	/// Checks every rule except the signatures. Returns the job that the receipt would settle.
	pub(crate) fn check(&mut self, receipt: &Receipt) -> Result<Job<T::AccountId>, ReceiptRefusal> {
		use ReceiptRefusal as Refusal;
		if self.stopped {
			return Err(Refusal::Stopped);
		}
		if self.settled.contains(&receipt.job_id) {
			return Err(Refusal::Repeated);
		}
		let job = Pallet::<T>::job_now(receipt.job_id).ok_or(Refusal::UnknownJob)?;
		match check_receipt(job.state, &job.terms, receipt, self.now) {
			Err(Refusal::Expired) if job.state_when_due() == JobState::Cancelled => {
				return Err(Refusal::Cancelled);
			},
			checked => checked?,
		}
		let refusals = [Refusal::UnknownMiner, Refusal::MinerBanned, Refusal::MinerUnderbonded];
		let opened_ms = job.terms.opened_ms;
		let miner = self.current_key(&receipt.miner, opened_ms);
		self.check_party(&miner, true, job.miner_bond, refusals)?;
		let leaves = |party: &Party<_>| party.leaving_ms.is_some() && opened_ms >= party.left_ms;
		if self.party(&miner).is_some_and(|loaded| leaves(&loaded.party)) {
			return Err(Refusal::MinerLeaving);
		}
		let refusals = [
			Refusal::UnknownCoordinator,
			Refusal::CoordinatorBanned,
			Refusal::CoordinatorUnderbonded,
		];
		let coordinator = self.current_key(&job.coordinator, opened_ms);
		self.check_party(&coordinator, false, job.coordinator_bond, refusals)?;
		Ok(job)
	}

	/// Verifies both signatures.
	pub(crate) fn verify(
		&self,
		signed: &SignedReceipt,
		coordinator: &PublicKey,
	) -> Result<(), ReceiptRefusal> {
		let SignedReceipt { receipt, miner_signature, coordinator_signature } = signed;
		receipt
			.verify(&self.genesis, Signer::Miner, &receipt.miner, miner_signature)
			.map_err(|_| ReceiptRefusal::BadMinerSignature)?;
		receipt
			.verify(&self.genesis, Signer::Coordinator, coordinator, coordinator_signature)
			.map_err(|_| ReceiptRefusal::BadCoordinatorSignature)
	}

	/// Returns `true` if the receipt of a job mints, by what the registry of models remembers.
	pub(crate) fn counts(&mut self, job: &Job<T::AccountId>) -> bool {
		if let JobModel::Registered(model) = job.model {
			self.models.insert(model);
		}
		job.counts::<T::Models>()
	}

	/// Returns how many parties have been read.
	pub(crate) fn parties(&self) -> usize {
		self.parties.len()
	}

	/// Marks a job as settled: another receipt for it is a repetition.
	pub(crate) fn note(&mut self, job_id: H256) {
		self.settled.insert(job_id);
	}

	/// Returns the miner's row and its activity at the present time, with the score fixed for this
	/// step.
	pub(crate) fn working_miner(
		&mut self,
		key: &PublicKey,
		step: u64,
	) -> Option<&mut Loaded<T::AccountId>> {
		let (parameters, now) = (self.parameters, self.now);
		let loaded = self.party(key)?;
		let activity = loaded.activity.get_or_insert_with(|| {
			let mut activity = Activities::<T>::get(key);
			activity.advance(now);
			activity
		});
		let party = &mut loaded.party;
		if party.pending.step != step {
			Pallet::<T>::convert(party);
			let score = Pallet::<T>::effective_score(party, activity, &parameters, now);
			party.pending = Pending { step, claim: 0, score };
		}
		Some(loaded)
	}

	/// Writes back the rows of parties that have changed.
	pub(crate) fn write_parties(self) {
		for (key, loaded) in self.parties {
			let Some(Loaded { party, activity, changed: true }) = loaded else { continue };
			Parties::<T>::insert(key, party);
			if let Some(activity) = activity {
				Activities::<T>::insert(key, activity);
			}
		}
	}

	/// Counts a job that a miner accepted and did not deliver. A row that this call has read is
	/// written back from here, so the failure is added to that.
	fn count_failure(&mut self, miner: &PublicKey) {
		let loaded = self.parties.get_mut(miner).and_then(Option::as_mut);
		match loaded.and_then(|loaded| loaded.activity.as_mut()) {
			Some(activity) => activity.add_failure(),
			None => Pallet::<T>::count_failure(miner, self.now),
		}
	}
}

/// Changes of the totals by the settled receipts of one call.
#[derive(Default)]
struct Delta {
	settled: u64,
	compute_units: u64,
	escrow: BTreeMap<PriceAsset, u128>,
}

impl<T: Config> Pallet<T> {
	/// [`Pallet::claim_receipts`] without the origin.
	pub(crate) fn do_claim(receipts: &[SignedReceipt]) -> PostDispatchInfo {
		// What `authorize` has verified within this very transaction is not verified again.
		let marked = Verified::<T>::take();
		let verified = marked == Some(Self::mark_of(receipts));
		let mut batch = Batch::<T>::new();
		let mut running = Self::roll(batch.now);
		let mut settlement = Settlement::<T>::default();
		let mut delta = Delta::default();
		let mut refused = 0usize;
		for claim in receipts {
			let checked = batch.check(&claim.receipt).and_then(|job| {
				if !verified {
					batch.verify(claim, &job.coordinator)?;
				}
				Ok(job)
			});
			match checked {
				Ok(job) => Self::settle(
					&mut batch,
					job,
					&claim.receipt,
					&mut running,
					&mut settlement,
					&mut delta,
				),
				Err(reason) => {
					refused = refused.saturating_add(1);
					Self::refuse(&mut batch, &claim.receipt, reason, &mut settlement);
				},
			}
		}
		let parties = settlement.accounts().max(batch.parties.len());
		let (credits, models) = (settlement.credits(), batch.models.len());
		Self::write_back(batch, running, settlement, &delta);
		let pays_fee = if refused == 0 { Pays::No } else { Pays::Yes };
		let actual = Self::weight_of_claim(receipts.len(), parties, credits, !verified)
			.saturating_sub(Self::weight_of_models(receipts.len()))
			.saturating_add(Self::weight_of_models(models));
		PostDispatchInfo { actual_weight: Some(actual), pays_fee }
	}

	/// Settles a job with a receipt that has been checked.
	fn settle(
		batch: &mut Batch<T>,
		mut job: Job<T::AccountId>,
		receipt: &Receipt,
		running: &mut RunningStep,
		settlement: &mut Settlement<T>,
		delta: &mut Delta,
	) {
		let (now, step) = (batch.now, running.step);
		let (parameters, units) = (batch.parameters, receipt.compute_units);
		let shares = parameters.price_split.divide(receipt.price);
		let credit = match job.asset {
			PriceAsset::ServiceCredit => receipt.price,
			_ => 0,
		};
		let received = batch.terms.received(job.asset, shares.treasury);
		// Work on what the registry does not count is paid like any other.
		let counts = batch.counts(&job);
		let received = if counts { received } else { 0 };
		let opened_ms = job.terms.opened_ms;
		let miner_key = batch.current_key(&receipt.miner, opened_ms);
		let coordinator_key = batch.current_key(&job.coordinator, opened_ms);
		let Some(miner) = batch.working_miner(&miner_key, step) else { return };
		let score = miner.party.pending.score;
		let class = miner.party.class();
		let claim = class.map_or(0, |class| parameters.claim(units, class, score, received));
		if let Some(activity) = &mut miner.activity {
			// Nobody vouches for the factor of other work: it would make a miner look as fast as it likes.
			if counts {
				activity.add_success(&receipt.telemetry, job.terms.model_factor);
			} else {
				activity.add_line();
			}
		}
		let mut joined = u32::from(miner.earn(step, claim));
		let free_ms = now.saturating_add(parameters.unbonding_ms);
		let miner_account = miner.add_work(1, units, credit, free_ms);
		let Some(coordinator) = batch.party(&coordinator_key) else { return };
		if coordinator.party.pending.step != step {
			Self::convert(&mut coordinator.party);
		}
		joined = joined.saturating_add(coordinator.earn(step, claim).into());
		let coordinator_account = coordinator.add_work(1, units, credit, free_ms);
		running.claims = running.claims.saturating_add(claim);
		running.parties = running.parties.saturating_add(joined);

		settlement.pay(&job, &shares, &miner_account, &coordinator_account);
		delta.settled = delta.settled.saturating_add(1);
		delta.compute_units = delta.compute_units.saturating_add(units);
		let escrow = delta.escrow.entry(job.asset).or_default();
		*escrow = escrow.saturating_add(job.terms.price);
		batch.note(receipt.job_id);
		T::Recorder::record(&miner_key, &coordinator_key, units);

		let receipt_id = receipt.id(&batch.genesis);
		job.state = JobState::Settled;
		job.closed_ms = now;
		job.receipt = Some(ReceiptView {
			receipt_id,
			miner: receipt.miner,
			compute_units: units,
			price: receipt.price,
			claim,
			step,
			claimed_ms: now,
		});
		let refund = job.terms.price.saturating_sub(receipt.price);
		Jobs::<T>::insert(receipt.job_id, job);
		Self::deposit_event(Event::ReceiptSettled {
			job_id: receipt.job_id,
			receipt_id,
			miner: receipt.miner,
			compute_units: units,
			shares,
			refund,
			claim,
		});
	}

	/// Emits why a receipt is refused. If its job is overdue, the client gets its money back.
	fn refuse(
		batch: &mut Batch<T>,
		receipt: &Receipt,
		reason: ReceiptRefusal,
		settlement: &mut Settlement<T>,
	) {
		let job_id = receipt.job_id;
		let receipt_id = receipt.id(&batch.genesis);
		Self::deposit_event(Event::ReceiptRefused { job_id, receipt_id, reason });
		if matches!(reason, ReceiptRefusal::Expired | ReceiptRefusal::Cancelled)
			&& let Some(job) = Self::job_now(job_id).filter(|job| job.is_due(batch.now))
		{
			let state = job.state_when_due();
			let failed = Self::close_job(job_id, job, state, batch.now, settlement);
			if let Some(miner) = failed {
				batch.count_failure(&miner);
			}
		}
	}

	/// Stores what the receipts of a call share, and moves the money.
	fn write_back(batch: Batch<T>, running: RunningStep, settlement: Settlement<T>, delta: &Delta) {
		if delta.settled > 0 {
			batch.write_parties();
			Running::<T>::put(running);
			Sums::<T>::mutate(|sums| {
				sums.open = sums.open.saturating_sub(delta.settled);
				sums.settled = sums.settled.saturating_add(delta.settled);
				sums.compute_units = sums.compute_units.saturating_add(delta.compute_units);
				for (asset, amount) in &delta.escrow {
					let escrow = sums.escrow_mut(*asset);
					*escrow = escrow.saturating_sub(*amount);
				}
			});
		}
		settlement.execute();
	}

	/// Returns the hash that marks these receipts as verified.
	pub(crate) fn mark_of(receipts: &[SignedReceipt]) -> H256 {
		H256(blake2_256(&receipts.encode()))
	}

	/// [`Pallet::preview_receipts`].
	pub(crate) fn preview(
		receipts: &[SignedReceipt],
	) -> alloc::vec::Vec<Result<Preview, ReceiptRefusal>> {
		let mut batch = Batch::<T>::new();
		let most = usize::try_from(gridproof_primitives::compute::MAX_RECEIPTS_PER_CALL);
		let most = most.unwrap_or(usize::MAX);
		receipts.iter().take(most).map(|claim| Self::preview_one(&mut batch, claim)).collect()
	}

	fn preview_one(batch: &mut Batch<T>, claim: &SignedReceipt) -> Result<Preview, ReceiptRefusal> {
		let receipt = &claim.receipt;
		let job = batch.check(receipt)?;
		batch.verify(claim, &job.coordinator)?;
		batch.note(receipt.job_id);
		let shares: Shares = batch.parameters.price_split.divide(receipt.price);
		let (units, price) = (receipt.compute_units, receipt.price);
		let miner = batch.current_key(&receipt.miner, job.terms.opened_ms);
		let counts = job.counts::<T::Models>();
		let earnings = Self::preview_earnings(miner, units, job.asset, price, counts);
		Ok(Preview {
			receipt_id: receipt.id(&batch.genesis),
			asset: job.asset,
			shares,
			refund: job.terms.price.saturating_sub(receipt.price),
			earnings: earnings.ok_or(ReceiptRefusal::UnknownMiner)?,
		})
	}

	/// Returns the weight of a claim of `receipts` that touch the rows of `parties` and the service
	/// credit of `credits`, including the verification of signatures if `verify`.
	pub(crate) fn weight_of_claim(
		receipts: usize,
		parties: usize,
		credits: usize,
		verify: bool,
	) -> Weight {
		let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
		let credits = count(credits.min(receipts));
		let (receipts, parties) = (count(receipts), count(parties.min(receipts)));
		let extra = T::WeightInfo::claim_apart(parties)
			.saturating_sub(T::WeightInfo::claim_together(parties));
		let weight = T::WeightInfo::claim_together(receipts)
			.saturating_add(extra)
			.saturating_add(T::Recorder::weight().saturating_mul(receipts.into()))
			.saturating_add(T::ServiceCredit::weight().saturating_mul(credits.into()))
			.saturating_add(Self::weight_of_models(
				usize::try_from(receipts).unwrap_or(usize::MAX),
			));
		if verify {
			weight.saturating_add(T::WeightInfo::verify_receipts(receipts))
		} else {
			weight
		}
	}

	/// Returns the weight of reading models of the registry.
	fn weight_of_models(models: usize) -> Weight {
		T::DbWeight::get().reads(u64::try_from(models).unwrap_or(u64::MAX))
	}

	/// Returns the weight of [`Self::authorize_claim`].
	pub(crate) fn weight_of_claim_check(receipts: usize) -> Weight {
		let receipts = u32::try_from(receipts).unwrap_or(u32::MAX);
		T::WeightInfo::check_receipts(receipts)
			.saturating_add(T::WeightInfo::verify_receipts(receipts))
	}
}
