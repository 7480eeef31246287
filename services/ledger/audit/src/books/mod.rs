//! What has to be there after what blocks did. Pure: no chain, no clock.
//!
//! | item | rule |
//! |---|---|
//! | supply of AIT | grows by what `EmissionPaid` and `TreasuryPaid` say, and never else; with what is promised, reserve and cap follow |
//! | supply of AICP | grows by `Minted`, falls by `Redeemed`; is what there was at genesis, with all mints and burns |
//! | supply of KWH | grows by what batches of readings minted; nothing takes from it |
//! | emission | steps close once, in order, each with at most its budget and its claims; what is promised is at most what steps gave and was not paid or forfeited |
//! | allowance | is what the last statement or mint left of it; what was minted today is what mints of today say |
//! | redemptions | credit promised, spent and waiting |
//! | batches | each meter's numbers without a hole; numbers of batches and readings; KWH minted |
//! | jobs | opened, settled, cancelled, expired, and what the escrow holds of each asset; what a job paid and returned is its price |
//! | channels | deposit and settled sums; the rest that is returned is the deposit without what was settled |
//! | settlement batches | the last header of a coordinator is the last that was settled, with the next number |
//! | holds | of every account, by their reason |
//!
//! No event shows these, so they are taken as shown: AIT promised that rounding returned to the reserve
//! (it can only be less), units of a batch that gives receipts up, and what was there before the first
//! block.

use crate::{
	deed::Deed,
	shown::{ChannelState, Reserve, Shown},
};
use gridproof_chain::{HoldReason, pallets::AccountId};
use gridproof_primitives::{
	H256,
	compute::{
		JobState, PriceAsset,
		channels::{ChannelId, ChannelSums},
		emission::{MINING_RESERVE, step_budget},
	},
	crypto::ed25519::PublicKey,
	energy::MeterIndex,
	num::units::AIT_CAP,
};
use gridproof_support::text::{Amount, Hex32};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// An item whose state on chain is not what follows from the blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
	/// Height of the block after which it is seen first.
	pub block: u64,
	/// Hash of that block.
	pub hash: Hex32,
	/// What differs.
	pub item: String,
	/// What it has to be, by the blocks.
	pub derived: String,
	/// What the chain says that it is.
	pub shown: String,
}

impl fmt::Display for Difference {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Self { block, item, derived, shown, .. } = self;
		write!(f, "block {block}: {item} has to be {derived} and is {shown}")
	}
}

/// Numbers and sums of jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Jobs {
	opened: u64,
	open: u64,
	settled: u64,
	cancelled: u64,
	expired: u64,
	escrow_ait: Amount,
	escrow_aicp: Amount,
	escrow_credit: Amount,
	units: u64,
}

impl Jobs {
	const fn escrow(&mut self, asset: PriceAsset) -> &mut Amount {
		match asset {
			PriceAsset::Ait => &mut self.escrow_ait,
			PriceAsset::Aicp => &mut self.escrow_aicp,
			PriceAsset::ServiceCredit => &mut self.escrow_credit,
		}
	}
}

/// A channel, as it is kept in the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Channel {
	deposited: Amount,
	count: u64,
	price: Amount,
}

impl From<ChannelState> for Channel {
	fn from(state: ChannelState) -> Self {
		let ChannelSums { count, price } = state.settled;
		Self { deposited: Amount(state.deposited), count, price: Amount(price) }
	}
}

impl fmt::Display for Channel {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Self { deposited, count, price } = self;
		write!(f, "{deposited} deposited, {price} settled in {count} receipts")
	}
}

/// Figures of the reserve.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Coverage {
	/// The day that `minted_today` is of.
	today: String,
	minted_today: Amount,
	waiting: Amount,
	genesis: Amount,
	minted: Amount,
	burned: Amount,
	credited: Amount,
	spent: Amount,
}

impl From<&Reserve> for Coverage {
	fn from(shown: &Reserve) -> Self {
		Self {
			today: shown.today.to_string(),
			minted_today: Amount(shown.minted_today),
			waiting: Amount(shown.waiting),
			genesis: Amount(shown.genesis),
			minted: Amount(shown.minted),
			burned: Amount(shown.burned),
			credited: Amount(shown.credited),
			spent: Amount(shown.spent),
		}
	}
}

/// What has to be on the chain, by the blocks so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
	/// Height of the last block in them.
	pub block: u64,
	/// Hash of the block.
	pub hash: Hex32,
	/// AIT, AICP and KWH.
	supplies: [Amount; 3],
	/// AIT minted since genesis.
	minted: Amount,
	/// AIT promised and not paid, at most.
	promised: Amount,
	/// The last emission step that was closed.
	closed_step: Option<u64>,
	jobs: Jobs,
	coverage: Coverage,
	batches: u64,
	readings: u64,
	minted_wh: Amount,
	/// Number of the last batch of each meter that had one.
	meters: BTreeMap<MeterIndex, u64>,
	/// Channels that had something to do, and are there.
	channels: BTreeMap<ChannelId, Channel>,
	/// Number and header of the last settlement batch of each coordinator that had one.
	headers: BTreeMap<Hex32, (u64, Hex32)>,
	/// What is on hold, by account and reason: `0x…/pallet.reason`.
	holds: BTreeMap<String, Amount>,
}

/// What is compared beside the books, of one block.
#[derive(Default)]
struct Moment {
	/// What can be minted by the last statement or mint, if nothing else moved it since.
	allowance: Option<u128>,
	/// AICP minted in the block.
	aicp_minted: u128,
	/// `true` if receipts were given up.
	gave_up: bool,
	/// `true` if a batch of readings had no header any more.
	lost_headers: bool,
	/// What breaks a rule already.
	broken: Option<(String, String, String)>,
}

impl Moment {
	/// Notes what breaks a rule; the first counts.
	fn breaks(&mut self, item: String, derived: impl ToString, shown: impl ToString) {
		let (derived, shown) = (derived.to_string(), shown.to_string());
		self.broken.get_or_insert((item, derived, shown));
	}
}

/// The key of a hold in the books.
fn hold_key(account: &AccountId, reason: HoldReason) -> String {
	let HoldReason([pallet, variant]) = reason;
	format!("{}/{pallet}.{variant}", Hex32(*account))
}

fn add(sum: &mut Amount, amount: u128) {
	sum.0 = sum.0.saturating_add(amount);
}

fn take(sum: &mut Amount, amount: u128) {
	sum.0 = sum.0.saturating_sub(amount);
}

impl Books {
	/// Opens books at a block, whose figures are taken as they are: with all holds.
	pub fn begin(shown: &Shown) -> Self {
		let (work, energy) = (&shown.work, &shown.energy);
		let holds = shown
			.holds
			.iter()
			.map(|((account, reason), amount)| (hold_key(account, *reason), Amount(*amount)));
		Self {
			block: shown.block,
			hash: Hex32(shown.hash.0),
			supplies: shown.supplies.map(Amount),
			minted: Amount(work.minted),
			promised: Amount(work.promised),
			closed_step: None,
			jobs: Jobs {
				opened: work.jobs_opened,
				open: work.jobs_open,
				settled: work.jobs_settled,
				cancelled: work.jobs_cancelled,
				expired: work.jobs_expired,
				escrow_ait: Amount(work.escrow_ait),
				escrow_aicp: Amount(work.escrow_aicp),
				escrow_credit: Amount(work.escrow_credit),
				units: work.compute_units,
			},
			coverage: Coverage::from(&shown.reserve),
			batches: energy.batches,
			readings: energy.readings,
			minted_wh: Amount(energy.minted_wh),
			holds: holds.filter(|(_, amount)| amount.0 > 0).collect(),
			..Self::default()
		}
	}

	/// Writes what a block did into the books and compares every item with what the chain says.
	///
	/// # Errors
	/// The first item that differs.
	pub fn settle(&mut self, deeds: &[Deed], shown: &Shown) -> Result<(), Difference> {
		let moment = self.written(deeds, shown);
		self.hash = Hex32(shown.hash.0);
		let (allowance, gave_up, lost) = (moment.allowance, moment.gave_up, moment.lost_headers);
		self.broken(moment)?;
		if gave_up {
			self.jobs.units = shown.work.compute_units;
		}
		if lost {
			self.readings = shown.energy.readings;
		}
		self.compare_supplies(shown)?;
		self.compare_work(shown)?;
		self.compare_reserve(allowance, shown)?;
		self.compare_energy(shown)?;
		self.compare_channels(shown)?;
		self.compare_holds(shown)
	}

	fn broken(&self, moment: Moment) -> Result<(), Difference> {
		match moment.broken {
			None => Ok(()),
			Some((item, derived, shown)) => {
				Err(Difference { block: self.block, hash: self.hash, item, derived, shown })
			},
		}
	}

	fn same<T: PartialEq + ToString>(
		&self,
		item: impl Into<String>,
		derived: T,
		shown: T,
	) -> Result<(), Difference> {
		if derived == shown {
			return Ok(());
		}
		Err(Difference {
			block: self.block,
			hash: self.hash,
			item: item.into(),
			derived: derived.to_string(),
			shown: shown.to_string(),
		})
	}

	fn written(&mut self, deeds: &[Deed], shown: &Shown) -> Moment {
		self.block = shown.block;
		let mut moment = Moment::default();
		for (id, state) in &shown.channels_before {
			if let Some(state) = state {
				self.channels.entry(*id).or_insert_with(|| (*state).into());
			}
		}
		let mut ended = shown.ended.iter();
		for deed in deeds {
			let terms = match deed {
				Deed::JobReturned { .. } | Deed::JobSettled { .. } => {
					ended.next().copied().flatten()
				},
				_ => None,
			};
			self.write(deed, terms, &mut moment);
		}
		self.holds.retain(|_, amount| amount.0 > 0);
		let today = shown.reserve.today.to_string();
		if self.coverage.today != today {
			(self.coverage.today, self.coverage.minted_today) = (today, Amount(0));
		}
		add(&mut self.coverage.minted_today, moment.aicp_minted);
		moment
	}

	/// Writes one deed; `terms` are those of the job that it ends.
	fn write(&mut self, deed: &Deed, terms: Option<(PriceAsset, u128)>, moment: &mut Moment) {
		match deed {
			Deed::AitMinted(_) | Deed::StepClosed { .. } | Deed::Forfeited(_) => {
				self.write_emission(deed, moment);
			},
			Deed::AicpMinted { .. }
			| Deed::Stated { .. }
			| Deed::AllowanceMoved
			| Deed::Redeemed { .. }
			| Deed::CreditServed(_)
			| Deed::CreditSpent(_) => self.write_reserve(deed, moment),
			Deed::Readings { meter, sequence, minted, readings } => {
				self.write_readings(*meter, *sequence, *minted, *readings, moment);
			},
			Deed::JobOpened { asset, price } => {
				self.jobs.opened = self.jobs.opened.saturating_add(1);
				self.jobs.open = self.jobs.open.saturating_add(1);
				add(self.jobs.escrow(*asset), *price);
			},
			Deed::JobReturned { job, .. } | Deed::JobSettled { job, .. } => {
				self.write_end(*job, deed, terms, moment);
			},
			Deed::BatchSettled { coordinator, sequence, header, units } => {
				self.write_batch(coordinator, *sequence, *header, moment);
				let units = u64::try_from(*units).unwrap_or(u64::MAX);
				self.jobs.units = self.jobs.units.saturating_add(units);
			},
			Deed::GivenUp => moment.gave_up = true,
			Deed::ChannelOpened(..)
			| Deed::ChannelAdded(..)
			| Deed::ChannelSettled(..)
			| Deed::ChannelEnded(..) => self.write_channel(deed, moment),
			Deed::Held(..) | Deed::Freed(..) => self.write_hold(deed, moment),
		}
	}

	fn write_hold(&mut self, deed: &Deed, moment: &mut Moment) {
		match deed {
			Deed::Held(account, reason, amount) => {
				add(self.holds.entry(hold_key(account, *reason)).or_default(), *amount);
			},
			Deed::Freed(account, reason, amount) => {
				let key = hold_key(account, *reason);
				let held = self.holds.entry(key.clone()).or_default();
				if held.0 < *amount {
					let derived = format!("at least {amount}, which is freed");
					moment.breaks(format!("hold {key}"), derived, *held);
				}
				take(held, *amount);
			},
			_ => (),
		}
	}

	fn write_emission(&mut self, deed: &Deed, moment: &mut Moment) {
		match *deed {
			Deed::AitMinted(amount) => {
				add(&mut self.supplies[0], amount);
				add(&mut self.minted, amount);
				if self.promised.0 < amount {
					let promised = self.promised;
					moment.breaks(
						"AIT promised".to_string(),
						format!("at least {amount}"),
						promised,
					);
				}
				take(&mut self.promised, amount);
			},
			Deed::StepClosed { step, claims, pool } => {
				let most = step_budget(step).min(claims);
				if pool > most {
					moment.breaks(format!("emission step {step}"), format!("at most {most}"), pool);
				}
				if let Some(last) = self.closed_step.filter(|last| *last >= step) {
					let next = last.saturating_add(1);
					let item = "number of the emission step that closed".to_string();
					moment.breaks(item, format!("at least {next}"), step);
				}
				self.closed_step = Some(step);
				add(&mut self.promised, pool);
			},
			Deed::Forfeited(amount) => take(&mut self.promised, amount),
			_ => (),
		}
	}

	fn write_reserve(&mut self, deed: &Deed, moment: &mut Moment) {
		let coverage = &mut self.coverage;
		match *deed {
			Deed::AicpMinted { amount, allowance } => {
				add(&mut self.supplies[1], amount);
				add(&mut coverage.minted, amount);
				moment.aicp_minted = moment.aicp_minted.saturating_add(amount);
				moment.allowance = Some(allowance);
			},
			Deed::Stated { allowance } => moment.allowance = Some(allowance),
			Deed::AllowanceMoved => moment.allowance = None,
			Deed::Redeemed { amount, credit, waits } => {
				take(&mut self.supplies[1], amount);
				add(&mut coverage.burned, amount);
				add(&mut coverage.credited, credit);
				if waits {
					add(&mut coverage.waiting, credit);
				}
				moment.allowance = None;
			},
			Deed::CreditServed(credit) => take(&mut coverage.waiting, credit),
			Deed::CreditSpent(credit) => add(&mut coverage.spent, credit),
			_ => (),
		}
	}

	fn write_readings(
		&mut self,
		meter: MeterIndex,
		sequence: u64,
		minted: u64,
		readings: Option<u32>,
		moment: &mut Moment,
	) {
		add(&mut self.supplies[2], minted.into());
		add(&mut self.minted_wh, minted.into());
		self.batches = self.batches.saturating_add(1);
		match readings {
			Some(readings) => self.readings = self.readings.saturating_add(readings.into()),
			None => moment.lost_headers = true,
		}
		if let Some(last) = self.meters.insert(meter, sequence) {
			let next = last.saturating_add(1);
			if sequence != next {
				moment.breaks(format!("number of the batch of meter {meter}"), next, sequence);
			}
		}
	}

	fn write_end(
		&mut self,
		job: H256,
		deed: &Deed,
		terms: Option<(PriceAsset, u128)>,
		moment: &mut Moment,
	) {
		let item = format!("job {}", Hex32(job.0));
		let Some((asset, price)) = terms else {
			return moment.breaks(item, "there for a day after its end", "gone");
		};
		self.jobs.open = self.jobs.open.saturating_sub(1);
		take(self.jobs.escrow(asset), price);
		let moved = match *deed {
			Deed::JobSettled { paid, refund, units, .. } => {
				self.jobs.settled = self.jobs.settled.saturating_add(1);
				self.jobs.units = self.jobs.units.saturating_add(units);
				paid.saturating_add(refund)
			},
			Deed::JobReturned { state, refund, .. } => {
				let count = match state {
					JobState::Expired => &mut self.jobs.expired,
					_ => &mut self.jobs.cancelled,
				};
				*count = count.saturating_add(1);
				refund
			},
			_ => price,
		};
		if moved != price {
			moment.breaks(format!("what {item} paid and returned"), price, moved);
		}
	}

	fn write_batch(
		&mut self,
		coordinator: &PublicKey,
		sequence: u64,
		header: H256,
		moment: &mut Moment,
	) {
		let coordinator = Hex32(*coordinator);
		let new = (sequence, Hex32(header.0));
		if let Some((last, _)) = self.headers.insert(coordinator, new)
			&& sequence <= last
		{
			let item = format!("number of the settlement batch of coordinator {coordinator}");
			moment.breaks(item, format!("above {last}"), sequence);
		}
	}

	fn write_channel(&mut self, deed: &Deed, moment: &mut Moment) {
		match *deed {
			Deed::ChannelOpened(id, deposit) => {
				let opened = Channel { deposited: Amount(deposit), count: 0, price: Amount(0) };
				self.channels.insert(id, opened);
			},
			Deed::ChannelAdded(id, amount) => {
				if let Some(channel) = self.channels.get_mut(&id) {
					add(&mut channel.deposited, amount);
				}
			},
			Deed::ChannelSettled(id, settled) => {
				let Some(channel) = self.channels.get_mut(&id) else {
					let item = format!("channel {id}");
					return moment.breaks(item, "there when it is settled", "gone");
				};
				let is_less = settled.count < channel.count || settled.price < channel.price.0;
				if is_less || settled.price > channel.deposited.0 {
					let Channel { deposited, count, price } = *channel;
					let most = format!("{price} to {deposited}, in {count} receipts or more");
					let shown = format!("{} in {} receipts", settled.price, settled.count);
					moment.breaks(format!("what is settled of channel {id}"), most, shown);
				}
				(channel.count, channel.price) = (settled.count, Amount(settled.price));
			},
			Deed::ChannelEnded(id, rest) => {
				if let Some(Channel { deposited, price, .. }) = self.channels.remove(&id) {
					let left = deposited.0.saturating_sub(price.0);
					if left != rest {
						moment.breaks(format!("rest of channel {id}"), left, rest);
					}
				}
			},
			_ => (),
		}
	}

	fn compare_supplies(&mut self, shown: &Shown) -> Result<(), Difference> {
		for (token, (derived, shown)) in
			["AIT", "AICP", "KWH"].into_iter().zip(self.supplies.iter().zip(shown.supplies))
		{
			self.same(format!("supply of {token}"), derived.0, shown)?;
		}
		let work = &shown.work;
		self.same("AIT minted since genesis", self.minted.0, work.minted)?;
		if work.promised > self.promised.0 {
			let most = format!("at most {}", self.promised);
			self.same("AIT promised", most, work.promised.to_string())?;
		}
		// Rounding returns some of it, and no event says so.
		self.promised = Amount(work.promised);
		let by_cap = AIT_CAP.saturating_sub(self.supplies[0].0);
		let by_reserve = MINING_RESERVE.saturating_sub(self.minted.0);
		let left = by_cap.min(by_reserve).saturating_sub(work.promised);
		self.same("AIT that can still be minted", left, work.reserve)
	}

	fn compare_work(&self, shown: &Shown) -> Result<(), Difference> {
		let (jobs, work) = (&self.jobs, &shown.work);
		for (item, derived, shown) in [
			("number of jobs opened", jobs.opened, work.jobs_opened),
			("number of jobs open", jobs.open, work.jobs_open),
			("number of jobs settled", jobs.settled, work.jobs_settled),
			("number of jobs cancelled", jobs.cancelled, work.jobs_cancelled),
			("number of jobs expired", jobs.expired, work.jobs_expired),
			("compute units delivered", jobs.units, work.compute_units),
		] {
			self.same(item, derived, shown)?;
		}
		self.same("escrow of jobs in AIT", jobs.escrow_ait.0, work.escrow_ait)?;
		self.same("escrow of jobs in AICP", jobs.escrow_aicp.0, work.escrow_aicp)?;
		self.same("escrow of jobs in service credit", jobs.escrow_credit.0, work.escrow_credit)
	}

	fn compare_reserve(&self, allowance: Option<u128>, shown: &Shown) -> Result<(), Difference> {
		let (books, reserve) = (&self.coverage, &shown.reserve);
		for (item, derived, shown) in [
			("AICP at genesis", books.genesis.0, reserve.genesis),
			("AICP minted since genesis", books.minted.0, reserve.minted),
			("AICP burned by redemptions", books.burned.0, reserve.burned),
			("credit promised by redemptions", books.credited.0, reserve.credited),
			("credit spent", books.spent.0, reserve.spent),
			("credit that waits in the queue", books.waiting.0, reserve.waiting),
			("AICP minted today", books.minted_today.0, reserve.minted_today),
		] {
			self.same(item, derived, shown)?;
		}
		let all = books.genesis.0.saturating_add(books.minted.0).saturating_sub(books.burned.0);
		self.same("supply of AICP by its mints and burns", all, shown.supplies[1])?;
		match allowance.filter(|_| !reserve.is_stopped) {
			Some(allowance) => self.same("allowance of AICP", allowance, reserve.allowance),
			None => Ok(()),
		}
	}

	fn compare_energy(&self, shown: &Shown) -> Result<(), Difference> {
		let energy = &shown.energy;
		self.same("number of batches of readings", self.batches, energy.batches)?;
		self.same("number of readings", self.readings, energy.readings)?;
		self.same("exported Wh that were minted", self.minted_wh.0, energy.minted_wh)
	}

	fn compare_channels(&self, shown: &Shown) -> Result<(), Difference> {
		for (id, state) in &shown.channels {
			let of = |channel: Option<Channel>| {
				channel.map_or("gone".to_string(), |channel| channel.to_string())
			};
			let derived = of(self.channels.get(id).copied());
			self.same(format!("channel {id}"), derived, of(state.map(Channel::from)))?;
		}
		for (coordinator, chain) in &shown.headers {
			let coordinator = Hex32(*coordinator);
			let Some((sequence, header)) = self.headers.get(&coordinator) else { continue };
			let derived = format!("{header}, then number {}", sequence.saturating_add(1));
			let last = Hex32(chain.last_hash.0);
			let shown = format!("{last}, then number {}", chain.next_sequence);
			self.same(format!("last header of coordinator {coordinator}"), derived, shown)?;
		}
		Ok(())
	}

	fn compare_holds(&self, shown: &Shown) -> Result<(), Difference> {
		for ((account, reason), amount) in &shown.holds {
			let key = hold_key(account, *reason);
			let derived = self.holds.get(&key).copied().unwrap_or_default();
			self.same(format!("hold {key}"), derived.0, *amount)?;
		}
		if !shown.has_all_holds {
			return Ok(());
		}
		let there: BTreeMap<String, u128> =
			shown.holds.iter().map(|((who, why), amount)| (hold_key(who, *why), *amount)).collect();
		for (key, derived) in &self.holds {
			self.same(format!("hold {key}"), derived.0, there.get(key).copied().unwrap_or(0))?;
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests;
