//! The coordinator as its front sees it where the API key of a channel pays.

use crate::{
	channel_desk::outcome_of,
	channels::{Kept, NotAdmitted},
	coordinator::Coordinator,
	error::RequestError,
	front::{
		Accepted, Desk, Dry, JobHead, KeyDesks, Offer, Once, Order, OrderError, Outcome, Used,
	},
	rows,
};
use futures::{FutureExt, future::BoxFuture};
use gridproof_compute_api::Customer;
use gridproof_primitives::{
	H256,
	compute::channels::{ChannelId, ChannelSums, VoucherRefusal},
};
use gridproof_support::text::Hex32;
use std::sync::Arc;

/// The desks of all API keys of channels.
pub(crate) struct KeptDesks(Arc<Coordinator>);

impl KeptDesks {
	pub(crate) const fn new(coordinator: Arc<Coordinator>) -> Self {
		Self(coordinator)
	}
}

impl KeyDesks for KeptDesks {
	fn of(&self, key: &str) -> Option<(Customer, Arc<dyn Desk>)> {
		let channel = self.0.sold.channel_of(key)?;
		let customer = Customer {
			name: format!("channel {channel}"),
			sha256: Hex32([0; 32]),
			requests_per_minute: None,
			limit: None,
		};
		Some((customer, Arc::new(KeptDesk { coordinator: self.0.clone(), channel })))
	}
}

/// A coordinator that pays for its client, out of the client's channel.
struct KeptDesk {
	coordinator: Arc<Coordinator>,
	channel: ChannelId,
}

impl KeptDesk {
	async fn accept(&self, order: Order) -> Result<Accepted, OrderError> {
		let Order { spec, stream, once, body, .. } = order;
		let (channel, model) = (self.channel, spec.model.clone());
		let once = once.map(|Once { key, body }| rows::Once { key, body });
		let kept = Kept { channel, spec, body, stream, once };
		let (admitted, live) =
			self.coordinator.admit_kept(&kept).await.map_err(|error| self.refusal(error))?;
		let job = JobHead { id: admitted.id, model, created_ms: admitted.created_ms };
		Ok(Accepted { job, live, is_repeated: admitted.is_repeated })
	}

	/// Returns what the client learns, and what it can do.
	fn refusal(&self, error: NotAdmitted) -> OrderError {
		let (channel, is_plan) = (self.channel, self.coordinator.sold.plan(self.channel).is_some());
		let renew = format!("gridproof plan renew {channel}");
		match error {
			NotAdmitted::KeyReused => OrderError::KeyReused,
			NotAdmitted::Request(error) => OrderError::Request(error),
			NotAdmitted::Gone => OrderError::Dry(Dry::Over(format!(
				"channel {channel} of this API key has ended, and its rest went back: buy another \
				 plan with gridproof plan buy"
			))),
			NotAdmitted::Dry(VoucherRefusal::Ending) if self.is_closing() => {
				OrderError::Dry(Dry::Over(format!(
					"channel {channel} of this API key is being closed, and its rest goes back: buy \
					 another plan with gridproof plan buy"
				)))
			},
			NotAdmitted::Dry(VoucherRefusal::Ending) => OrderError::Dry(Dry::Over(format!(
				"the plan of this API key is over; renew it with {renew}, the key stays the same"
			))),
			NotAdmitted::Dry(VoucherRefusal::AboveDailyLimit) => {
				let left = self.coordinator.left_of(channel);
				let today = left.map_or(0, |left| left.today);
				let ends = left.map_or(0, |left| left.day_ends_ms);
				let wait_ms = ends.saturating_sub(self.coordinator.now());
				let message = format!(
					"the request may need more than the {today} tokens, of a model of factor 1, that \
					 this API key has left today: shorten it, ask for fewer max_tokens, or come back \
					 after 00:00 UTC"
				);
				OrderError::Dry(Dry::Today { message, seconds: wait_ms.div_ceil(1_000) })
			},
			NotAdmitted::Dry(_) => {
				let left = self.coordinator.left_of(channel).map_or(0, |left| left.all);
				let what = if is_plan {
					format!("renew the plan with {renew}")
				} else {
					format!("top the channel up with gridproof channel top-up {channel}")
				};
				OrderError::Dry(Dry::Deposit(format!(
					"the request may need more than the {left} tokens, of a model of factor 1, that \
					 are left: {what}, or ask for fewer max_tokens"
				)))
			},
		}
	}

	fn is_closing(&self) -> bool {
		let held = self.coordinator.book.peek(self.channel);
		held.is_some_and(|held| held.channel.ends_ms.is_some())
	}
}

impl Desk for KeptDesk {
	fn models(&self) -> Vec<String> {
		self.coordinator.models()
	}

	fn offer(&self, model: &str) -> Option<Offer> {
		let mut offer = self.coordinator.offer(model)?;
		if let Some(plan) = self.coordinator.sold.plan(self.channel) {
			let asset = plan.tariff.asset;
			let price = self.coordinator.unit_price_of(self.channel, asset)?;
			offer.unit_price = [(asset.as_str().to_string(), price)].into_iter().collect();
		}
		Some(offer)
	}

	fn most_tokens(&self, model: &str) -> u32 {
		self.coordinator.most_tokens(model)
	}

	fn order(&self, order: Order) -> BoxFuture<'_, Result<Accepted, OrderError>> {
		self.accept(order).boxed()
	}

	fn withdraw(&self, job: H256) -> BoxFuture<'_, Result<(), RequestError>> {
		self.coordinator.abandon(job).boxed()
	}

	fn outcome(&self, job: H256) -> BoxFuture<'_, Result<Outcome, RequestError>> {
		async move { Ok(outcome_of(&self.coordinator, job)) }.boxed()
	}

	fn used(&self, _: String, since_ms: u64) -> BoxFuture<'_, Result<Used, RequestError>> {
		async move {
			let channel = self.channel;
			let held = self.coordinator.held(channel).await?;
			let read = self.coordinator.read(move |db| {
				if since_ms == 0 {
					return Ok(ChannelSums::default());
				}
				Ok(rows::sums_before(db, channel, since_ms)?)
			});
			let (before, sums) = (read.await?, held.unsettled.sums);
			let price = sums.price.saturating_sub(before.price);
			let asset = held.channel.kind.asset;
			let unit_price = self.coordinator.unit_price_of(channel, asset);
			let units = unit_price.and_then(|unit_price| price.checked_div(unit_price));
			let name = asset.as_str().to_string();
			Ok(Used {
				jobs: sums.count.saturating_sub(before.count),
				units: units.and_then(|units| u64::try_from(units).ok()).unwrap_or(0),
				prices: [(name.clone(), price)].into_iter().collect(),
				open_jobs: self.coordinator.book.open_requests(channel),
				held: [(name, held.unsettled.open)].into_iter().collect(),
			})
		}
		.boxed()
	}
}
