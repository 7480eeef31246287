//! Plans: what a coordinator sells, what a channel has of one, and how a purchase becomes an API key.
//!
//! A client opens a channel with the terms of a plan. If it has a key of its own, its front signs the
//! vouchers. If the coordinator keeps the key, the account that opened the channel asks for an API key
//! with a signature of [`key_payload`], and requests come with that key.

use codec::Encode;
use gridproof_primitives::{
	H256,
	compute::{PriceAsset, channels::Tariff},
};
use gridproof_support::text::{Amount, Hex32, HexBytes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Domain of the signature that asks for the API key of a channel.
const KEY_DOMAIN: &str = "gridproof/channel-key/v1";
/// How far the time of such a signature may be from the coordinator's, in milliseconds.
pub const KEY_SKEW_MS: u64 = 60_000;
/// Header of an answer: why its channel will soon pay no more.
pub const WARNING_HEADER: &str = "x-gridproof-warning";

/// A plan, as a coordinator's configuration has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
	/// Its name, such as `basic`.
	pub name: String,
	/// Asset in which it is paid: `ait` or `aicp`.
	pub asset: PriceAsset,
	/// Price of a period, in the asset's smallest unit.
	pub price: Amount,
	/// Tokens for each day: compute units, of which a token of a model of factor 1 is one.
	pub tokens_per_day: u64,
	/// Days of a period.
	pub days: u32,
}

impl Plan {
	/// Returns price, tokens and days.
	pub const fn tariff(&self) -> Tariff {
		let Self { asset, price, tokens_per_day, days, .. } = self;
		Tariff { asset: *asset, price: price.0, tokens_per_day: *tokens_per_day, days: *days }
	}
}

/// A plan on offer, or that of a channel, as a coordinator shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanInfo {
	/// Name of the plan.
	pub name: String,
	/// Asset in which it is paid.
	#[schema(value_type = String)]
	pub asset: PriceAsset,
	/// Price of a period, in the asset's smallest unit: the deposit.
	pub price: Amount,
	/// Tokens for each day: compute units, of which a token of a model of factor 1 is one.
	pub tokens_per_day: u64,
	/// Days of a period.
	pub days: u32,
	/// Price of a token of a model of factor 1, in the asset's smallest unit.
	pub unit_price: Amount,
	/// What the tokens of a day cost: the channel's daily limit.
	pub daily_limit: Amount,
}

impl PlanInfo {
	/// Returns price, tokens and days.
	pub const fn tariff(&self) -> Tariff {
		let Self { asset, price, tokens_per_day, days, .. } = self;
		Tariff { asset: *asset, price: price.0, tokens_per_day: *tokens_per_day, days: *days }
	}
}

impl From<&Plan> for PlanInfo {
	fn from(plan: &Plan) -> Self {
		let tariff = plan.tariff();
		Self {
			name: plan.name.clone(),
			asset: plan.asset,
			price: plan.price,
			tokens_per_day: plan.tokens_per_day,
			days: plan.days,
			unit_price: Amount(tariff.unit_price()),
			daily_limit: Amount(tariff.daily_limit()),
		}
	}
}

/// What a coordinator sells: `GET /v1/plans`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Plans {
	/// The coordinator's key.
	pub coordinator: Hex32,
	/// The chain's genesis hash.
	pub genesis: Hex32,
	/// The coordinator's time, UTC milliseconds.
	pub time_ms: u64,
	/// The plans, as they are configured.
	pub plans: Vec<PlanInfo>,
}

/// What is left of a channel, and of its plan: `GET /v1/channels/{channel}/plan`. Amounts are in the
/// smallest unit of the channel's asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanState {
	/// Number of the channel.
	pub channel: u64,
	/// Its plan; `None` if it was opened with the terms of none.
	pub plan: Option<PlanInfo>,
	/// `true` if the coordinator keeps the channel's key.
	pub kept: bool,
	/// When its API key was made, UTC milliseconds; `None` if it has none.
	pub key_made_ms: Option<u64>,
	/// Asset of the channel.
	#[schema(value_type = String)]
	pub asset: PriceAsset,
	/// Price of a token of a model of factor 1.
	pub unit_price: Amount,
	/// Left of the deposit after all receipts and open requests.
	pub left: Amount,
	/// Of that, what today's limit leaves.
	pub left_today: Amount,
	/// Tokens of a model of factor 1 for what is left.
	pub tokens_left: u64,
	/// The same for what is left today.
	pub tokens_left_today: u64,
	/// When the next day begins, UTC milliseconds.
	pub day_ends_ms: u64,
	/// End of the plan's period, UTC milliseconds.
	pub plan_ends_ms: Option<u64>,
	/// Time from which nothing is settled any more, UTC milliseconds, if the channel is being closed.
	pub ends_ms: Option<u64>,
	/// Why the channel will soon pay no more.
	pub warning: Option<String>,
}

/// Asks for the API key of a channel whose key the coordinator keeps: `POST
/// /v1/channels/{channel}/key`. An older API key of the channel ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRequest {
	/// When this was signed, UTC milliseconds: within a minute of the coordinator's time, and later than
	/// each time before.
	pub time_ms: u64,
	/// Signature of [`key_payload`] by the account that opened the channel: a byte for the scheme (0
	/// Ed25519, 1 sr25519, 2 ECDSA), then 64 or 65 bytes.
	pub signature: HexBytes,
}

/// An API key, shown this once: the coordinator keeps its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyAnswer {
	/// Number of the channel that pays.
	pub channel: u64,
	/// Goes as `Authorization: Bearer …` with requests.
	pub key: String,
}

/// What an account signs to have the API key of its channel: SCALE of the domain, the chain's genesis,
/// the coordinator's key, the channel's number and the time.
pub fn key_payload(genesis: &H256, coordinator: &[u8; 32], channel: u64, time_ms: u64) -> Vec<u8> {
	(KEY_DOMAIN, genesis, coordinator, channel, time_ms).encode()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_signature_for_a_key_is_for_one_channel_at_one_time_of_one_coordinator_of_one_chain() {
		let payload = key_payload(&H256([7; 32]), &[1; 32], 5, 9);
		let domain = "606772696470726f6f662f6368616e6e656c2d6b65792f7631";
		let (chain, key) = ("07".repeat(32), "01".repeat(32));
		let numbers = "05000000000000000900000000000000";
		assert_eq!(hex::encode(&payload), format!("{domain}{chain}{key}{numbers}"));
		for other in [
			key_payload(&H256([8; 32]), &[1; 32], 5, 9),
			key_payload(&H256([7; 32]), &[2; 32], 5, 9),
			key_payload(&H256([7; 32]), &[1; 32], 6, 9),
			key_payload(&H256([7; 32]), &[1; 32], 5, 10),
		] {
			assert_ne!(payload, other);
		}
	}

	#[test]
	fn a_plan_is_configured_by_price_tokens_and_days_and_shown_with_the_price_of_a_token() {
		let text = r#"{"name":"basic","asset":"ait","price":"1000000000000000000",
			"tokens_per_day":10000,"days":30}"#;
		let plan: Plan = serde_json::from_str(text).unwrap();
		let info = PlanInfo::from(&plan);
		assert_eq!(info.unit_price, Amount(3_333_333_333_333));
		assert_eq!(info.daily_limit, Amount(33_333_333_333_330_000));
		assert_eq!(info.tariff(), plan.tariff());
		let shown: PlanInfo = serde_json::from_str(&serde_json::to_string(&info).unwrap()).unwrap();
		assert_eq!(shown, info);
	}
}
