//! The loop of the issuer.

use super::{desk::MintDesk, metrics::IssuerMetrics, offer::Offer};
use crate::amounts::millionths;
use futures::future::LocalBoxFuture;
use gridproof_chain::{ChainError, pallets::coverage_policy::Refusal};
use gridproof_support::{Backoff, Stop, backoff::Pauses};
use std::time::Duration;

/// Looks in a row that may end with the same mint refused for good. It has to be more than one: what
/// an ended program left in the pool, and a block that is not final yet, refuse a mint that the chain
/// still offers.
const MAX_REFUSALS: u32 = 5;

/// How the issuer behaves.
#[derive(Clone, Copy, Debug)]
pub struct IssuerSettings {
	/// Pause between two looks at the chain.
	pub every: Duration,
	/// Amount of each day's allowance, in micro-tokens, that is left to others who mint.
	pub leave: u128,
	/// Pauses after looks and mints that failed. Their limit of attempts is not used.
	pub backoff: Backoff,
}

impl Default for IssuerSettings {
	fn default() -> Self {
		let second = Duration::from_secs(1);
		Self { every: 5 * second, leave: 0, backoff: Backoff::new(5 * second, 300 * second) }
	}
}

/// Why the issuer ended.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
	/// Trying again would not help: the address is wrong, or program and node do not match.
	#[error(transparent)]
	Chain(ChainError),
	/// The chain keeps offering a mint that it refuses for good each time: with this key it cannot
	/// be minted.
	#[error("{error}; the chain offers the same {amount} AICP again")]
	Refused {
		/// The chain's refusal.
		error: ChainError,
		/// Amount offered, in AICP.
		amount: String,
	},
}

/// What a look at the chain came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
	/// The day's allowance, or what was left of it, was minted.
	Minted,
	/// There is nothing to mint now.
	Nothing,
	/// Something failed that may succeed later.
	Failed,
}

/// Mints each day's allowance.
pub struct Issuer<Desk> {
	desk: Desk,
	settings: IssuerSettings,
	metrics: IssuerMetrics,
	/// The last offer that was refused for good, and how often in a row.
	refused: Option<(Offer, u32)>,
	/// The last reason for minting nothing, so that each is logged once.
	idle: Option<Refusal>,
}

impl<Desk: MintDesk> Issuer<Desk> {
	/// Returns an issuer that has not looked at the chain yet.
	pub const fn new(desk: Desk, settings: IssuerSettings, metrics: IssuerMetrics) -> Self {
		Self { desk, settings, metrics, refused: None, idle: None }
	}

	/// Mints what is allowed whenever something is, until the program is to end.
	///
	/// # Errors
	/// [`IssuerError`].
	pub fn run<'a>(&'a mut self, stop: &'a Stop) -> LocalBoxFuture<'a, Result<(), IssuerError>> {
		Box::pin(async move {
			let mut pauses = self.settings.backoff.pauses();
			loop {
				let Some(look) = stop.unless_stopped(self.look()).await else { return Ok(()) };
				if !stop.pause(self.pause_after(look?, &mut pauses)).await {
					return Ok(());
				}
			}
		})
	}

	/// Returns the pause after a look: a growing one while looks fail.
	pub(super) fn pause_after(&self, look: Look, pauses: &mut Pauses) -> Duration {
		match look {
			Look::Failed => pauses.next_pause(),
			Look::Minted | Look::Nothing => {
				pauses.reset();
				self.settings.every
			},
		}
	}

	/// Asks the chain what can be minted, and mints it.
	pub(super) async fn look(&mut self) -> Result<Look, IssuerError> {
		let status = match self.desk.status().await {
			Ok(status) => status,
			Err(error) => return self.failed(error),
		};
		self.metrics.show(&status);
		let offer = match Offer::of(&status) {
			Ok(offer) => match offer.less(self.settings.leave) {
				Some(offer) => offer,
				None => return Ok(Look::Nothing),
			},
			Err(reason) => {
				self.refused = None;
				if self.idle.replace(reason) != Some(reason) {
					tracing::info!(event = "nothing_to_mint", %reason, "waiting");
				}
				return Ok(Look::Nothing);
			},
		};
		self.idle = None;
		match self.desk.mint(&offer).await {
			Ok(minted) => {
				self.refused = None;
				self.metrics.mints.inc();
				let (amount, day) = (&minted.amount, minted.day);
				tracing::info!(event = "minted", %amount, %day, block = %minted.block, "minted");
				Ok(Look::Minted)
			},
			Err(error) if error.is_temporary() || !error.is_refusal() => self.failed(error),
			// What was asked for can never be done. But the chain may have moved on between its
			// answer and the mint, and then offers something else next time.
			Err(error) => {
				self.metrics.refusals.inc();
				let before = self.refused.filter(|(refused, _)| *refused == offer);
				let times = before.map_or(1, |(_, times)| times.saturating_add(1));
				self.refused = Some((offer, times));
				if times >= MAX_REFUSALS {
					let amount = millionths(offer.amount);
					return Err(IssuerError::Refused { error, amount });
				}
				tracing::warn!(event = "mint_refused", %error, "asking the chain again");
				Ok(Look::Failed)
			},
		}
	}

	fn failed(&self, error: ChainError) -> Result<Look, IssuerError> {
		if !error.is_temporary() {
			return Err(IssuerError::Chain(error));
		}
		if error.is_refusal() {
			self.metrics.refusals.inc();
		} else {
			self.metrics.outages.inc();
		}
		tracing::warn!(event = "mint_failed", %error, "trying again later");
		Ok(Look::Failed)
	}
}
