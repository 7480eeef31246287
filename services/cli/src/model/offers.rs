//! Which coordinators serve a model, and at which price.

use crate::{args::amount::Unit, coordinator::asset, exit::usage};
use clap::Args;
use gridproof_chain::Chain;
use gridproof_compute_api::{
	CoordinatorClient,
	protocol::{CoordinatorInfo, ModelStanding},
};
use gridproof_primitives::{H256, compute::compute_units};
use gridproof_support::text::Amount;
use serde::Serialize;
use std::collections::BTreeMap;

/// Tokens that prices are stated for.
const MILLION: u64 = 1_000_000;

/// Coordinators that are asked for their offers.
#[derive(Args)]
pub(super) struct OffersArgs {
	/// A coordinator, as http://127.0.0.1:8090, that is asked what it takes for the model. May be
	/// repeated.
	#[arg(long, value_name = "HTTP")]
	offers_of: Vec<String>,
}

/// What a coordinator offers a model for.
#[derive(Clone, Serialize)]
pub(super) struct ShownOffer {
	/// Hash by which the registry knows the model.
	#[serde(skip)]
	model: H256,
	/// The coordinator's address.
	url: String,
	/// The coordinator's key.
	coordinator: String,
	/// The name by which it is asked for there.
	name: String,
	/// `true` if the coordinator takes it for ordinary channels now.
	counted: bool,
	/// Most tokens of an answer.
	max_tokens: u32,
	/// What a million tokens cost, by asset, in its smallest unit.
	million_tokens: BTreeMap<String, Amount>,
}

impl ShownOffer {
	/// Returns what a coordinator offers of the registry's models.
	pub(super) fn all(url: &str, info: &CoordinatorInfo) -> Vec<Self> {
		let of_registry =
			info.models.iter().filter_map(|offered| Some((offered, offered.registry?)));
		let offers = of_registry.map(|(offered, entry)| {
			let units = compute_units(MILLION, offered.model_factor);
			let price = |unit_price: &Amount| Amount(unit_price.0.saturating_mul(units.into()));
			let prices = info.unit_price.iter();
			Self {
				model: entry.hash.into(),
				url: url.to_string(),
				coordinator: info.coordinator.to_string(),
				name: offered.name.clone(),
				counted: entry.standing == ModelStanding::Counted,
				max_tokens: offered.max_tokens,
				million_tokens: prices.map(|(asset, unit)| (asset.clone(), price(unit))).collect(),
			}
		});
		offers.collect()
	}

	/// Returns `true` if it is of the model with this hash.
	pub(super) fn is_of(&self, model: H256) -> bool {
		self.model == model
	}

	/// Returns it for people.
	pub(super) fn line(&self) -> String {
		let shown = self.million_tokens.iter().map(|(name, price)| {
			asset(name).map_or_else(|_| price.to_string(), |asset| Unit::from(asset).show(price.0))
		});
		let prices = shown.collect::<Vec<_>>().join(" or ");
		let Self { url, name, max_tokens, .. } = self;
		let private = if self.counted { "" } else { ", for private channels only" };
		format!(
			"{url} as {name}: {prices} a million tokens, answers of at most {max_tokens}{private}"
		)
	}
}

impl OffersArgs {
	/// Asks the coordinators that were named.
	pub(super) async fn ask(&self, chain: &Chain) -> anyhow::Result<Vec<ShownOffer>> {
		let mut offers = Vec::new();
		for url in &self.offers_of {
			let info = CoordinatorClient::new(url)?.info().await?;
			if H256::from(info.genesis) != chain.genesis() {
				return Err(usage(format!(
					"{url} serves another chain than the node: name its node with --url"
				)));
			}
			offers.extend(ShownOffer::all(url, &info));
		}
		Ok(offers)
	}
}
