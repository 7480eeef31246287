//! The plan of a channel, at whose price its requests are paid, and why a channel will soon pay no more.

use crate::{error::FrontError, ledger::Totals, payer::Payer};
use gridproof_compute_api::{ClientError, protocol::CoordinatorInfo};
use gridproof_primitives::{
	compute::channels::{ChannelSums, RunsDry, Unsettled},
	num::units::MILLIS_PER_DAY,
};
use gridproof_support::text::Amount;

impl Payer {
	/// Puts the price of the channel's plan in the place of the one on offer. A coordinator that sells none
	/// has none for the channel.
	pub(crate) async fn at_the_plans_price(
		&self,
		mut info: CoordinatorInfo,
	) -> Result<CoordinatorInfo, FrontError> {
		let state = match self.plans.state(self.settings.channel).await {
			Ok(state) => state,
			Err(error @ ClientError::Unreachable { .. }) => return Err(error.into()),
			Err(_) => return Ok(info),
		};
		if let Some(plan) = state.plan {
			let asset = self.kind().asset.as_str().to_string();
			info.unit_price.insert(asset, Amount(plan.tariff().unit_price()));
		}
		Ok(info)
	}

	/// Returns why the channel will soon pay no more, and what to do; `None` if nothing is to be said.
	///
	/// # Errors
	/// [`FrontError::Store`].
	pub async fn warning(&self) -> Result<Option<String>, FrontError> {
		let (channel, id) = (self.channel(), self.settings.channel);
		let Totals { spent, open, .. } = self.totals().await?;
		if channel.ends_ms.is_some() {
			return Ok(Some("the channel is being closed: open another one".to_string()));
		}
		let sums = ChannelSums { count: 0, price: spent };
		let unsettled = Unsettled { sums, open, newest: 0 };
		let now = self.clock.now_ms();
		let room = channel.room(&unsettled, now, MILLIS_PER_DAY);
		let dry = channel.runs_dry(&room, now, MILLIS_PER_DAY);
		let is_low = room.deposit < self.settings.warn_below;
		let is_plan = channel.plan_ends_ms.is_some();
		Ok(match dry {
			Some(RunsDry::Period) => {
				Some(format!("the plan ends within a day: gridproof plan renew {id}"))
			},
			Some(RunsDry::Deposit) if is_plan => {
				Some(format!("little is left of the plan: gridproof plan renew {id}"))
			},
			_ if is_low => Some(format!("the channel runs dry: gridproof channel top-up {id}")),
			Some(RunsDry::Today) => Some("less than a tenth of today's limit is left".to_string()),
			_ => None,
		})
	}
}
