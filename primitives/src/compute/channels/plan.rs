//! Plans: a tariff as a channel has it.
//!
//! Requests overlap, and a miner signs the price of its answer without knowing which one is counted
//! first. So a plan has one whole price for a token, and its daily tokens are the channel's daily
//! limit: what the chain holds to, and a coordinator before it.

use super::{BatchKind, Channel, ChannelTerms, Mode, Tariff, TariffPeriod};
use crate::crypto::ed25519::PublicKey;

/// What renews a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Renewal {
	/// What is added to the deposit, in the asset's smallest unit; zero if enough is left.
	pub amount: u128,
	/// End of the next period, in UTC milliseconds.
	pub ends_ms: u64,
}

impl Tariff {
	/// Returns the price of a token, in the asset's smallest unit: ⌊price / tokens of the period⌋, so
	/// that all tokens cost at most the period's price. Zero if the tariff cannot be sold as a plan.
	pub fn unit_price(&self) -> u128 {
		self.price.checked_div(self.tokens().into()).unwrap_or(0)
	}

	/// Returns what the tokens of a day cost, in the asset's smallest unit.
	pub fn daily_limit(&self) -> u128 {
		self.unit_price().saturating_mul(self.tokens_per_day.into())
	}

	/// Returns asset and mode of the channels of a plan.
	pub const fn kind(&self) -> BatchKind {
		BatchKind { asset: self.asset, mode: Mode::Ordinary }
	}

	/// Returns the terms of a channel that buys a period from `now` on, in UTC milliseconds. `signer` is
	/// the client's key, or `None` if the coordinator is to keep one. A day takes `day_ms`.
	pub fn terms(
		&self,
		coordinator: PublicKey,
		signer: Option<PublicKey>,
		now: u64,
		day_ms: u64,
	) -> ChannelTerms {
		let period = TariffPeriod { tariff: *self, start_ms: now, day_ms };
		ChannelTerms {
			coordinator,
			kind: self.kind(),
			signer,
			deposit: self.price,
			daily_limit: self.daily_limit(),
			plan_ends_ms: Some(period.end_ms()),
		}
	}

	/// Returns `true` if a channel has been opened with the terms of this tariff.
	pub fn is_of(&self, channel: &Channel) -> bool {
		channel.plan_ends_ms.is_some()
			&& channel.kind == self.kind()
			&& channel.daily_limit == self.daily_limit()
			&& channel.deposited >= self.price
	}

	/// Returns what begins another period: it begins where the present one ends, or `now` if that is
	/// over, and costs what is missing for its price if `left` is left of the deposit, in the asset's
	/// smallest unit. `ends_ms` is the end of the present period; times are in UTC milliseconds.
	pub fn renewal(&self, ends_ms: u64, left: u128, now: u64, day_ms: u64) -> Renewal {
		let period = TariffPeriod { tariff: *self, start_ms: ends_ms.max(now), day_ms };
		Renewal { amount: self.price.saturating_sub(left), ends_ms: period.end_ms() }
	}
}
