//! Work: what was truly done and for whom, and an honest client, coordinator and miner. The honest
//! client buys from the honest coordinator only, which signs no receipt of work that is not there;
//! what a coordinator of the coalition signs is work that nobody outside has seen.

use super::{Role, Sent, Source, Token, World};
use crate::{
	build::compute as build,
	chain::{self, DAY, Key, MINUTE, ed25519_named},
	rng::Rng,
};
use build::Terms;
use frame_support::traits::fungible::InspectHold;
use gridproof_primitives::{
	H256,
	compute::{
		AitPerAicp, Breaker, Class, JobState, JobView, PartyRole, PriceAsset, Quote, SignedReceipt,
	},
	crypto::ed25519::PublicKey,
	num::units::{AIT, MICRO_AIT},
};
use gridproof_runtime::{AccountId, Balances, ComputeReceipts, ModelRegistry, Runtime};
use pallet_compute_receipts::{
	BreakerLevel, Event, HoldReason, Job, Jobs, Parameters, Parties, Reports,
};
use sp_core::{Pair, ed25519};
use std::collections::{BTreeMap, BTreeSet};

/// Rate that governance states at the start: twice the true one.
pub(crate) const STATED: AitPerAicp = AitPerAicp { ait: 2, aicp: 1 };
/// What an AICP is truly worth as long as that rate counts, in units of 10⁻¹⁸ AIT a micro-token;
/// later it is a tenth, and governance states nothing.
const WORTH: u128 = 1_000_000_000_000;
/// Most that all work of a step mints in these years, in units of 10⁻¹⁸ AIT.
const STEP_BUDGET: u128 = 50 * AIT;

/// A job that the coalition knows of.
#[derive(Clone)]
pub(crate) struct KnownJob {
	pub(crate) id: H256,
	pub(crate) quote: Quote,
	/// The move that opened it.
	label: &'static str,
	/// Receipt that the honest coordinator holds.
	receipt: Option<SignedReceipt>,
	/// Whether an outsider's miner delivered the output to the coalition.
	delivered: bool,
}

pub(crate) struct Truth {
	/// Keys of the coalition: its coordinator's, two miners', three spare ones.
	pub(crate) keys: Vec<ed25519::Pair>,
	pub(crate) jobs: Vec<KnownJob>,
	/// Receipts that were claimed, which anybody can claim again.
	pub(crate) old: Vec<SignedReceipt>,
	/// What outsiders paid for work in which the coalition took part.
	paid: BTreeMap<Token, u128>,
	/// Jobs that were settled: a job is paid once.
	settled: BTreeSet<H256>,
	/// What the AICP were worth that the treasury received of the coalition's prices, in 10⁻¹⁸ AIT.
	given_for_aicp: u128,
	/// Time until which the rate counts, in UTC milliseconds.
	pub(crate) rate_until: u64,
	/// Claims of the coalition's receipts by the move that opened the job.
	claims: BTreeMap<&'static str, u128>,
	/// AIT minted to the coalition.
	emission: u128,
	/// Failures that the chain must count of each miner of the coalition.
	failures: BTreeMap<PublicKey, u32>,
	nonce: u64,
	ticks: u64,
}

impl Default for Truth {
	fn default() -> Self {
		Self {
			keys: (0..6).map(|number| ed25519_named(&format!("party/{number}"))).collect(),
			jobs: Vec::new(),
			old: Vec::new(),
			paid: BTreeMap::new(),
			settled: BTreeSet::new(),
			given_for_aicp: 0,
			rate_until: 0,
			claims: BTreeMap::new(),
			emission: 0,
			failures: BTreeMap::new(),
			nonce: 0,
			ticks: 0,
		}
	}
}

impl Truth {
	pub(crate) fn paid(&self, token: Token) -> u128 {
		self.paid.get(&token).copied().unwrap_or(0)
	}

	/// What the AICP are worth that the coalition gave away and never gets back, in 10⁻¹⁸ AIT: so much AIT may
	/// be minted for them.
	pub(crate) fn given_for_aicp(&self) -> u128 {
		self.given_for_aicp
	}

	/// Value of the work that outsiders delivered to the coalition.
	pub(crate) fn taken(&self, token: Token) -> u128 {
		let price = |job: &KnownJob| job.receipt.as_ref().map_or(0, |held| held.receipt.price);
		self.jobs
			.iter()
			.filter(|job| job.delivered && token_of(job.quote.asset) == token)
			.map(|job| valued(job.quote.asset, price(job)))
			.sum()
	}
}

fn token_of(asset: PriceAsset) -> Token {
	match asset {
		PriceAsset::Ait => Token::Ait,
		PriceAsset::Aicp | PriceAsset::ServiceCredit => Token::Reserve,
	}
}

/// In the unit of its [`Token`].
fn valued(asset: PriceAsset, amount: u128) -> u128 {
	match asset {
		PriceAsset::Ait => amount,
		PriceAsset::Aicp => amount * 3,
		PriceAsset::ServiceCredit => amount * 2,
	}
}

pub(crate) fn honest_coordinator() -> ed25519::Pair {
	ed25519_named("honest/coordinator")
}

pub(crate) fn honest_miner() -> ed25519::Pair {
	ed25519_named("honest/miner")
}

pub(crate) fn key_of(pair: &ed25519::Pair) -> PublicKey {
	pair.public().0
}

/// Time for which the chain waits for a coordinator that is away, in milliseconds: the notice of a
/// cancellation (DESIGN §3.1).
pub(crate) fn absence() -> u64 {
	Parameters::<Runtime>::get().cancel_notice_ms
}

/// Whether the registry counts the quote's model by the quote's factor. Nothing changes that in these
/// worlds.
fn is_counted(quote: &Quote, now: u64) -> bool {
	let factor = quote.model.and_then(|model| ModelRegistry::factor_at(model, now));
	factor == Some(quote.model_factor)
}

pub(crate) fn is_open(id: H256) -> bool {
	Jobs::<Runtime>::get(id).is_some_and(|job| job.state == JobState::Open)
}

/// Whether nothing is settled, and so no job opened.
fn is_stopped() -> bool {
	BreakerLevel::<Runtime>::get() == Breaker::AllStopped
}

pub(crate) fn is_registered(key: &PublicKey) -> bool {
	Parties::<Runtime>::contains_key(key)
}

impl World {
	/// The honest register, and so do coordinator and miners of the coalition: what governance
	/// admits, it admits.
	pub(crate) fn set_up_compute(&mut self) {
		let mut parties = vec![
			(Key::named("honest/coordinator"), honest_coordinator(), PartyRole::Coordinator),
			(Key::named("honest/miner"), honest_miner(), PartyRole::Miner(Class::Gpu)),
		];
		let keys = self.compute.keys.clone();
		if self.has(Role::Coordinator) {
			let owner = super::wallet(Role::Coordinator);
			parties.push((owner, keys[0], PartyRole::Coordinator));
		}
		if self.has(Role::Miner) {
			for (key, class) in [(&keys[1], Class::Gpu), (&keys[2], Class::Cpu)] {
				let owner = super::wallet(Role::Miner);
				parties.push((owner, *key, PartyRole::Miner(class)));
			}
		}
		let outcome = self.governance(build::state_rate(STATED));
		assert!(outcome.is_done(), "the rate is not stated: {outcome:?}");
		self.compute.rate_until = self.now + chain::RATE_VALID;
		for (owner, pair, role) in parties {
			let call = build::register(&owner.account(), &pair, role);
			let outcome = self.send_honest(Sent::Signed(owner, call));
			assert!(outcome.is_done(), "{role:?} is not registered: {outcome:?}");
			if role == PartyRole::Coordinator {
				let outcome = self.governance(build::admit(&pair));
				assert!(outcome.is_done(), "{role:?} is not admitted: {outcome:?}");
			}
		}
	}

	/// The coalition's keys that are registered in this role.
	pub(crate) fn our_keys(&self, coordinates: bool) -> Vec<ed25519::Pair> {
		let fits = |pair: &&ed25519::Pair| {
			Parties::<Runtime>::get(key_of(pair))
				.is_some_and(|party| party.class().is_none() == coordinates)
		};
		self.compute.keys.iter().filter(fits).cloned().collect()
	}

	/// The key of the coordinator of a job: the coalition's, or none.
	pub(crate) fn our_coordinator(&self, key: &PublicKey) -> Option<ed25519::Pair> {
		self.compute.keys.iter().find(|pair| key_of(pair) == *key).cloned()
	}

	/// Opens a job. The honest coordinator quotes what its price list says.
	pub(crate) fn open(
		&mut self,
		client: &Key,
		coordinator: &ed25519::Pair,
		terms: Terms,
	) -> Option<KnownJob> {
		self.open_changed(client, coordinator, terms, |_| {})
	}

	/// The same, with a quote that is changed before it is signed.
	pub(crate) fn open_changed(
		&mut self,
		client: &Key,
		coordinator: &ed25519::Pair,
		mut terms: Terms,
		change: impl FnOnce(&mut Quote),
	) -> Option<KnownJob> {
		if key_of(coordinator) == key_of(&honest_coordinator()) {
			terms.units = terms.units.clamp(1_000, 1_000_000);
			terms.price = match terms.asset {
				PriceAsset::Ait => u128::from(terms.units) * 100 * MICRO_AIT,
				PriceAsset::Aicp | PriceAsset::ServiceCredit => u128::from(terms.units) / 100,
			};
			terms.lasts = terms.lasts.max(15 * MINUTE);
			terms.miner = None;
		}
		self.compute.nonce += 1;
		let nonce = self.compute.nonce;
		let mut quote = build::quote(coordinator, &client.account(), &terms, self.now, nonce);
		change(&mut quote);
		let id = quote.job_id(&chain::genesis_hash());
		let call = build::sign_quote(coordinator, quote.clone());
		let sent = Sent::Signed(client.clone(), call);
		let outcome = if self.label == "honest" { self.send_honest(sent) } else { self.send(sent) };
		let job = KnownJob { id, quote, label: self.label, receipt: None, delivered: false };
		outcome.is_done().then(|| {
			self.compute.jobs.push(job.clone());
			job
		})
	}

	/// Whether the price of an outsider's job is in escrow.
	pub(crate) fn outsider_waits(&self) -> bool {
		let recent = self.compute.jobs.iter().rev().take(24);
		recent.into_iter().any(|job| !self.is_ours(&job.quote.client.into()) && is_open(job.id))
	}

	/// Open jobs of coordinators of the coalition.
	pub(crate) fn our_open_jobs(&self) -> Vec<KnownJob> {
		let ours = |job: &&KnownJob| {
			self.our_coordinator(&job.quote.coordinator).is_some() && is_open(job.id)
		};
		self.compute.jobs.iter().rev().take(24).filter(ours).cloned().collect()
	}

	/// The honest coordinator has work done, checks it and claims it, unless it does not reach the
	/// chain; the honest client buys now and then.
	pub(crate) fn honest_compute(&mut self) {
		for key in self.compute.keys.clone() {
			self.note_failures(&key_of(&key));
		}
		self.compute.ticks += 1;
		self.honest_work();
		self.honest_channels(self.compute.ticks);
		if !self.is_away() {
			self.honest_claims();
		}
		if self.compute.ticks.is_multiple_of(4) {
			let terms =
				Terms { asset: PriceAsset::Ait, price: 0, units: 50_000, lasts: DAY, miner: None };
			let client = Key::named("honest/client");
			let opened = self.open(&client, &honest_coordinator(), terms);
			assert!(opened.is_some() || is_stopped(), "the honest client cannot buy");
		}
		if self.compute.ticks.is_multiple_of(16) {
			let _ = self.send_honest(Sent::Free(build::pay_out(vec![key_of(&honest_miner())])));
		}
	}

	fn honest_claims(&mut self) {
		let hash = key_of(&honest_coordinator());
		let ready: Vec<SignedReceipt> = self
			.compute
			.jobs
			.iter()
			.filter(|job| job.quote.coordinator == hash && is_open(job.id))
			.filter_map(|job| job.receipt.clone())
			.collect();
		for signed in ready {
			let outcome = self.send_honest(Sent::Free(build::claim(vec![signed.clone()])));
			if outcome.is_done() {
				self.compute.old.push(signed);
			}
		}
	}

	/// Whether the honest coordinator hands over a job's output: only if it can still claim the receipt,
	/// however long its node is away meanwhile, up to the time for which the chain waits. As the services
	/// do, it counts from the deadline of the job on chain, and keeps that time back (`settle_seconds`).
	///
	/// A longer absence than that is its own loss, and counted as nobody's gain: it takes no job then.
	fn hands_over(&self, id: H256) -> bool {
		let in_time =
			|job: JobView| job.state == JobState::Open && self.now + absence() < job.deadline_ms;
		!self.is_away_too_long() && ComputeReceipts::job(id).is_some_and(in_time)
	}

	/// The work of jobs at the honest coordinator is done by its miner, or by one of the coalition
	/// if that is registered.
	fn honest_work(&mut self) {
		let coordinator = honest_coordinator();
		let ours = self.our_keys(false);
		let client = Key::named("honest/client").account();
		for place in 0..self.compute.jobs.len() {
			let job = &self.compute.jobs[place];
			if job.quote.coordinator != key_of(&coordinator)
				|| job.receipt.is_some()
				|| !self.hands_over(job.id)
			{
				continue;
			}
			let outsider = AccountId::from(job.quote.client) == client;
			let miner = match ours.first() {
				Some(miner) if place.is_multiple_of(2) => *miner,
				_ => honest_miner(),
			};
			let is_ours = key_of(&miner) != key_of(&honest_miner());
			let units = job.quote.max_units;
			let receipt = build::receipt(job, key_of(&miner), units, job.quote.price);
			let signed = build::sign_receipt(receipt, &miner, &coordinator);
			let job = &mut self.compute.jobs[place];
			job.receipt = Some(signed);
			job.delivered = !outsider && !is_ours;
		}
	}

	pub(crate) fn observe_compute(&mut self, event: Event<Runtime>) {
		match event {
			Event::CheckFailed { key, .. } => {
				let honest = [honest_coordinator(), honest_miner()];
				if honest.iter().any(|pair| key_of(pair) == key) {
					self.blame(Source::HonestPunished, 1);
				}
			},
			Event::ReceiptSettled { job_id, miner, claim, shares, .. } => {
				let Some(job) = self.compute.jobs.iter().find(|job| job.id == job_id) else {
					return;
				};
				let (asset, label) = (job.quote.asset, job.label);
				let is_counted = is_counted(&job.quote, self.now);
				let is_key = |key: &PublicKey| {
					Parties::<Runtime>::get(key).is_some_and(|party| self.is_ours(&party.account))
				};
				let took_part = is_key(&miner) || is_key(&job.quote.coordinator);
				if !took_part {
					return;
				}
				let is_own = self.is_ours(&job.quote.client.into());
				if self.compute.settled.insert(job_id) && !is_own {
					*self.compute.paid.entry(token_of(asset)).or_default() +=
						valued(asset, shares.total());
				}
				if is_own {
					self.note_given(asset, shares.treasury);
				}
				if !is_counted {
					self.blame_on(Source::Uncounted, label, claim);
				}
				self.note_claim(label, claim);
			},
			Event::EmissionPaid { account, amount, .. } if self.is_ours(&account) => {
				self.compute.emission += amount;
			},
			Event::JobRefunded { job_id, state, .. } => {
				let unpaid = self.compute.jobs.iter().find(|job| job.id == job_id && job.delivered);
				if let Some(job) = unpaid {
					let (label, price) = (job.label, job.quote.price);
					self.blame_on(Source::UnpaidWork, label, price);
				}
				if state != JobState::Expired {
					return;
				}
				let failed = Jobs::<Runtime>::get(job_id)
					.filter(|job| job.accepted_ms.is_some())
					.and_then(|job| job.terms.miner);
				if let Some(miner) = failed
					&& let Some(expected) = self.compute.failures.get_mut(&miner)
				{
					*expected += 1;
				}
			},
			Event::StepClosed { shares, .. } => {
				self.blame(Source::AboveBudget, shares.total().saturating_sub(STEP_BUDGET));
			},
			Event::Registered { key, .. } | Event::Left { key, .. } => {
				self.compute.failures.insert(key, 0);
			},
			_ => {},
		}
	}

	/// Outsiders paid this for work in which the coalition took part.
	pub(crate) fn add_paid(&mut self, asset: PriceAsset, amount: u128) {
		*self.compute.paid.entry(token_of(asset)).or_default() += valued(asset, amount);
	}

	/// The treasury received this of a price of the coalition's own.
	pub(crate) fn note_given(&mut self, asset: PriceAsset, share: u128) {
		if asset == PriceAsset::Aicp {
			let counts = self.now < self.compute.rate_until;
			let worth = if counts { WORTH } else { WORTH / 10 };
			self.compute.given_for_aicp += share * worth;
		}
	}

	/// A claim of the coalition's, by the move that it came from.
	pub(crate) fn note_claim(&mut self, label: &'static str, claim: u128) {
		*self.compute.claims.entry(label).or_default() += claim;
	}

	fn failures(key: &PublicKey) -> u32 {
		ComputeReceipts::miner(*key).map_or(0, |miner| miner.failures)
	}

	fn note_failures(&mut self, key: &PublicKey) {
		self.compute.failures.insert(*key, Self::failures(key));
	}

	/// Compares the failures that the chain counts with those that happened in this block.
	pub(crate) fn check_failures(&mut self) {
		let expected: Vec<_> =
			self.compute.failures.iter().map(|(key, count)| (*key, *count)).collect();
		for (key, expected) in expected {
			let counted = Self::failures(&key);
			if is_registered(&key) {
				self.blame(Source::FailureLost, expected.saturating_sub(counted).into());
			}
			self.compute.failures.insert(key, counted);
		}
	}

	/// AIT of the coalition that pallets keep for it: bonds that are on no hold, emission that it can
	/// claim, and what lies in escrow for it.
	pub(crate) fn ait_in_pallets(&self) -> u128 {
		let (mut bonds, mut accrued) = (0u128, 0u128);
		for pair in &self.compute.keys {
			let Some(party) = Parties::<Runtime>::get(key_of(pair)) else { continue };
			if self.is_ours(&party.account) {
				bonds += party.bond;
				accrued += party.accrued;
			}
		}
		let reason = HoldReason::Bond.into();
		let held: u128 =
			self.spendable.iter().map(|who| Balances::balance_on_hold(&reason, who)).sum();
		accrued
			+ bonds.saturating_sub(held)
			+ self.escrowed(PriceAsset::Ait)
			+ self.in_channels(PriceAsset::Ait)
	}

	/// What the escrow would return to the coalition if nothing were settled any more: prices in an
	/// asset, and with AIT the deposits for rows.
	pub(crate) fn escrowed(&self, asset: PriceAsset) -> u128 {
		let price = |job: &Job<_>| {
			let open = job.state == JobState::Open && job.asset == asset;
			if open { job.terms.price } else { 0 }
		};
		let deposits = asset == PriceAsset::Ait;
		let jobs: u128 = Jobs::<Runtime>::iter_values()
			.filter(|job| self.is_ours(&job.client))
			.map(|job| price(&job) + if deposits { job.deposit } else { 0 })
			.sum();
		let reports: u128 = Reports::<Runtime>::iter_values()
			.filter(|reported| deposits && self.is_ours(&reported.reporter))
			.map(|reported| reported.deposit)
			.sum();
		jobs + reports
	}

	/// Ends what is open, and pays out what was earned.
	pub(crate) fn settle_compute(&mut self) {
		self.release_all();
		let open: Vec<H256> =
			self.compute.jobs.iter().map(|job| job.id).filter(|id| is_open(*id)).collect();
		for id in open {
			let _ = self.send_honest(Sent::Free(build::expire(vec![id])));
		}
		let channels = self.channels.ours.clone();
		for channel in channels {
			let _ = self.send_honest(Sent::Free(crate::build::channels::give_back(vec![channel])));
		}
		for pair in self.compute.keys.clone() {
			let _ = self.send_honest(Sent::Free(build::pay_out(vec![key_of(&pair)])));
		}
	}

	/// Divides the emission of the coalition among the moves whose jobs it came from.
	pub(crate) fn note_emission(&mut self) {
		let all: u128 = self.compute.claims.values().sum();
		let claims = self.compute.claims.clone();
		for (label, claim) in claims {
			let share = sp_arithmetic::helpers_128bit::multiply_by_rational_with_rounding(
				self.compute.emission,
				claim,
				all.max(1),
				sp_arithmetic::Rounding::Up,
			);
			self.blame_on(Source::Emission, label, share.unwrap_or(u128::MAX));
		}
	}

	/// A job of anybody that the coalition knows.
	pub(crate) fn any_job(&self, rng: &mut Rng) -> Option<KnownJob> {
		let recent: Vec<_> = self.compute.jobs.iter().rev().take(16).cloned().collect();
		rng.any(&recent)
	}
}
