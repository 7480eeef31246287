//! Plans of channels: which one a channel has, what is left of it, and how it ends.
//!
//! A channel has a plan if it was opened with the terms of one that was on offer when the coordinator
//! first read it; it keeps them for each period that was bought while they were, however the offer
//! changes. After the period, and days of grace in which it can be renewed, the coordinator closes the
//! channel, and has the rest returned once the chain's notice is over.

use crate::{
	book::Held,
	coordinator::Coordinator,
	error::RequestError,
	rows::{self, PlanRow},
};
use gridproof_compute_api::protocol::{Plan, PlanInfo, PlanState, Plans};
use gridproof_primitives::{
	compute::{
		PriceAsset,
		channels::{Channel, ChannelId, Room, RunsDry},
	},
	num::units::MILLIS_PER_DAY,
};
use gridproof_support::{
	number::clamped,
	text::{Amount, Hex32},
};
use std::time::Duration;

/// Name of the loop.
pub(crate) const NAME: &str = "plans";
/// How often it is looked for plans that are over.
const LOOK: Duration = Duration::from_secs(30);
/// Most channels in one look.
const MOST: usize = 64;
/// When a channel is looked at again whose plan could not be ended, in milliseconds.
const AGAIN_MS: u64 = 600_000;
/// How old a reading of a channel may be that is shown, in milliseconds.
const SHOWN_MS: u64 = 3_000;

/// What is left of what pays, after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
	/// Tokens of a model of factor 1 for a day.
	pub(crate) per_day: u64,
	/// Those that are left today.
	pub(crate) today: u64,
	/// Those that are left of the deposit.
	pub(crate) all: u64,
	/// When the next day begins, UTC milliseconds.
	pub(crate) day_ends_ms: u64,
	/// Why the channel will soon pay no more.
	pub(crate) warning: Option<RunsDry>,
}

/// Ends plans that are over until the future is dropped.
pub(crate) async fn end(coordinator: &Coordinator) {
	loop {
		coordinator.loops.turn(NAME);
		if coordinator.ledger.channels().is_some() {
			coordinator.end_plans().await;
		}
		tokio::time::sleep(LOOK).await;
	}
}

/// Returns how many tokens an amount pays for.
fn tokens(amount: u128, unit_price: u128) -> u64 {
	clamped(amount.checked_div(unit_price).unwrap_or(0))
}

/// Returns a plan as it is shown.
fn shown(row: &PlanRow) -> PlanInfo {
	let tariff = row.tariff;
	PlanInfo::from(&Plan {
		name: row.name.clone(),
		asset: tariff.asset,
		price: Amount(tariff.price),
		tokens_per_day: tariff.tokens_per_day,
		days: tariff.days,
	})
}

impl Coordinator {
	/// Returns the plans on offer.
	pub(crate) fn plans(&self) -> Plans {
		Plans {
			coordinator: Hex32(self.public()),
			genesis: self.genesis.into(),
			time_ms: self.now(),
			plans: self.settings.plans.iter().map(PlanInfo::from).collect(),
		}
	}

	/// Returns the price of a compute unit for a channel, in its asset's smallest unit: that of its plan
	/// for as long as it was bought, else the one on offer; `None` if the asset is not taken.
	pub(crate) fn unit_price_of(&self, channel: ChannelId, asset: PriceAsset) -> Option<u128> {
		let plan = self.sold.plan(channel);
		match plan.filter(|plan| self.now() < plan.until_ms) {
			Some(plan) => Some(plan.tariff.unit_price()),
			None => self.settings.price_in(asset),
		}
	}

	/// Keeps which plan a channel has, and until when: of each period that was bought while the plan was on
	/// offer, the next one at most.
	pub(super) async fn note_plan(
		&self,
		id: ChannelId,
		channel: &Channel,
	) -> Result<(), RequestError> {
		let (known, now) = (self.sold.plan(id), self.now());
		let until_ms = known.as_ref().map_or(0, |plan| plan.until_ms);
		let Some(ends) = channel.plan_ends_ms.filter(|ends| *ends > until_ms) else {
			return Ok(());
		};
		let day_ms = self.day_ms().await?;
		let is_it = |plan: &&Plan| {
			let tariff = plan.tariff();
			// One day more, as clocks differ.
			let longest = u64::from(tariff.days).saturating_add(1).saturating_mul(day_ms);
			tariff.is_of(channel)
				&& known.as_ref().is_none_or(|known| known.tariff == tariff)
				&& ends.saturating_sub(until_ms.max(now)) <= longest
				&& ends.saturating_sub(now) <= longest.saturating_mul(2)
		};
		let Some(plan) = self.settings.plans.iter().find(is_it) else { return Ok(()) };
		let (name, tariff) = (plan.name.clone(), plan.tariff());
		let row = PlanRow { channel: id, name, tariff, until_ms: ends, gone: false };
		let kept = row.clone();
		self.write(move |db| Ok(rows::set_plan(db, &kept)?)).await?;
		self.sold.set_plan(row);
		Ok(())
	}

	fn room_of(&self, held: &Held, day_ms: u64) -> (Room, Option<RunsDry>) {
		let now = self.now();
		let room = held.channel.room(&held.unsettled, now, day_ms);
		(room, held.channel.runs_dry(&room, now, day_ms))
	}

	fn day_ends(&self, day_ms: u64) -> u64 {
		let day = self.now().checked_div(day_ms).unwrap_or(0);
		day.saturating_add(1).saturating_mul(day_ms)
	}

	/// Returns what is left of a channel that is in use.
	pub(crate) fn left_of(&self, id: ChannelId) -> Option<Left> {
		let (held, day_ms) = (self.book.peek(id)?, *self.day_ms.get()?);
		let price = self.unit_price_of(id, held.channel.kind.asset)?;
		let (room, warning) = self.room_of(&held, day_ms);
		Some(Left {
			per_day: tokens(held.channel.daily_limit, price),
			today: tokens(room.today, price),
			all: tokens(room.deposit, price),
			day_ends_ms: self.day_ends(day_ms),
			warning,
		})
	}

	/// Returns what is left of a channel, and of its plan.
	///
	/// # Errors
	/// [`ErrorCode::UnknownChannel`](gridproof_compute_api::protocol::ErrorCode::UnknownChannel),
	/// [`ErrorCode::ChainUnavailable`](gridproof_compute_api::protocol::ErrorCode::ChainUnavailable).
	pub(crate) async fn plan_state(&self, id: ChannelId) -> Result<PlanState, RequestError> {
		let held = self.held(id).await?;
		let age = self.time.steady().saturating_sub(held.read_steady);
		if age >= SHOWN_MS {
			// Where the chain cannot be asked, what was read last is shown.
			let _ = self.read_channel(id).await;
		}
		let (held, day_ms) = (self.held(id).await?, self.day_ms().await?);
		let (channel, plan) = (held.channel, self.sold.plan(id));
		let unit_price = self.unit_price_of(id, channel.kind.asset).unwrap_or(0);
		let (room, warning) = self.room_of(&held, day_ms);
		Ok(PlanState {
			channel: id,
			plan: plan.as_deref().map(shown),
			kept: channel.signer.is_none(),
			key_made_ms: self.sold.key(id).map(|key| key.made_ms),
			asset: channel.kind.asset,
			unit_price: Amount(unit_price),
			left: Amount(room.deposit),
			left_today: Amount(room.today),
			tokens_left: tokens(room.deposit, unit_price),
			tokens_left_today: tokens(room.today, unit_price),
			day_ends_ms: self.day_ends(day_ms),
			plan_ends_ms: channel.plan_ends_ms,
			ends_ms: channel.ends_ms,
			warning: warning.map(|warning| warning.to_string()),
		})
	}

	/// Closes the channels of plans that were not renewed, and has the rest of those returned whose
	/// notice is over.
	pub(crate) async fn end_plans(&self) {
		for id in self.sold.due(self.now(), MOST) {
			let next = self.end_plan(id).await.unwrap_or_else(|error| {
				tracing::warn!(channel = id, %error, "the end of a plan waits");
				self.now().saturating_add(AGAIN_MS)
			});
			self.sold.ask_at(id, next);
			self.loops.turn(NAME);
		}
	}

	/// Does what is due at a plan's end; returns when to look again, UTC milliseconds.
	async fn end_plan(&self, id: ChannelId) -> Result<u64, RequestError> {
		let chain = self.chain_of_channels()?;
		let read = chain.channel(id).await?;
		let Some(channel) = read.filter(|channel| channel.coordinator == self.public()) else {
			self.write(move |db| Ok(rows::end_plan(db, id)?)).await?;
			return Ok(u64::MAX);
		};
		let (now, again) = (self.now(), self.now().saturating_add(AGAIN_MS));
		if let Some(ends) = channel.ends_ms {
			if now <= ends {
				return Ok(ends.saturating_add(1));
			}
			chain.return_rests(vec![id]).await?;
			tracing::info!(channel = id, "the rest of a plan went back to its client");
			return Ok(again);
		}
		let grace = u64::from(self.settings.plan_grace_days).saturating_mul(MILLIS_PER_DAY);
		let over = channel.plan_ends_ms.unwrap_or(u64::MAX).saturating_add(grace);
		if now <= over {
			return Ok(over.saturating_add(1));
		}
		chain.close_channel(id).await?;
		tracing::info!(channel = id, "a plan was not renewed: its channel is being closed");
		Ok(again)
	}
}
