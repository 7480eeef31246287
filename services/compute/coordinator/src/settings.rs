//! A coordinator's configuration: prices, times, limits.

use gridproof_compute_api::protocol::{ClassName, Plan};
use gridproof_primitives::compute::{
	MIN_NOTICE_MS, PriceAsset,
	channels::{MIN_CLOSE_NOTICE_MS, TIERS},
	model_factor,
};
use gridproof_support::text::{Amount, Hex32};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::IpAddr, num::NonZeroU32, path::PathBuf};

/// Requests a minute of one network, unless the configuration says otherwise.
const REQUESTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(600).unwrap();

/// Days of a period of the plans that are sold unless the configuration says otherwise.
const TIER_DAYS: u32 = 30;
/// Longest name of a plan, in bytes.
const MAX_PLAN_NAME: usize = 64;

/// A coordinator's configuration: a JSON file, every member of which may be left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
	/// Price of one compute unit (a token of a model of factor 1), by asset, in the asset's
	/// smallest unit. An asset that is not here is not taken.
	pub unit_price: BTreeMap<PriceAsset, Amount>,
	/// Models that are offered, with their limits. If empty: whatever the miners serve.
	pub models: Vec<ModelOffer>,
	/// Most tokens of an answer, where the model says nothing else.
	pub max_tokens: u32,
	/// Most bytes of a request's body.
	pub max_body_bytes: usize,
	/// Seconds for which a quote can be used.
	pub quote_seconds: u64,
	/// Seconds of a job from its quote to its receipt on chain.
	pub deadline_seconds: u64,
	/// The last of these seconds, kept back for settling: in them no work is begun and no result
	/// taken.
	pub settle_seconds: u64,
	/// Seconds after which an assignment that its miner does not confirm comes back.
	pub confirm_seconds: u64,
	/// Seconds without a message from its miner after which a job comes back.
	pub lease_seconds: u64,
	/// Seconds that a miner's session lasts.
	pub session_seconds: u64,
	/// Failed attempts after which a job fails.
	pub max_failures: u32,
	/// Results of a thousand that are checked with an engine of the coordinator's own, if there
	/// is one for the model.
	pub check_per_thousand: u32,
	/// Refuse results with more generated tokens than bytes of text. Models that think without
	/// showing it need `false`.
	pub text_bounds_tokens: bool,
	/// Most receipts in one transaction.
	pub bundle: u32,
	/// Seconds between two looks for emission that was earned, which is then paid out to the
	/// coordinator's account; 0: somebody else has it paid out.
	pub payout_seconds: u64,
	/// Requests a minute that one network (an IPv4 address, 64 bits of an IPv6 address) may make for
	/// quotes and jobs, and the number that holds for customers without one of their own.
	pub requests_per_minute: NonZeroU32,
	/// Addresses of proxies before the coordinator: their `X-Forwarded-For` says who asks.
	pub trusted_proxies: Vec<IpAddr>,
	/// Most jobs in the queue; more are turned away.
	pub max_queue: u64,
	/// How long what is over is kept.
	pub retain: Retain,
	/// Web pages of other origins that may call the coordinator, such as `https://chat.example`.
	pub origins: Vec<String>,
	/// How requests that channels pay for are settled.
	pub channels: ChannelSettings,
	/// Plans that are sold; none if it is empty.
	pub plans: Vec<Plan>,
	/// Days after the end of a plan's period in which it can still be renewed. Then its channel is closed,
	/// and what is left goes back to its client.
	pub plan_grace_days: u32,
}

/// How requests that channels pay for are settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelSettings {
	/// Seconds for which a request waits for a miner; then it ends without an answer and costs
	/// nothing.
	pub wait_seconds: u64,
	/// Seconds after its first receipt at which a batch is made.
	pub batch_seconds: u64,
	/// Receipts of one asset and mode with which a batch is made at once; a batch has no more.
	pub batch_receipts: u32,
	/// Seconds that miners have to sign their lines of a batch. Without it a line is paid, and
	/// mints nothing.
	pub line_seconds: u64,
	/// Seconds from a receipt until the time by which the coordinator promises to settle it.
	pub settle_seconds: u64,
}

impl Default for ChannelSettings {
	fn default() -> Self {
		Self {
			wait_seconds: 120,
			batch_seconds: 60,
			batch_receipts: 20_000,
			line_seconds: 5,
			settle_seconds: 3_600,
		}
	}
}

/// How long what is over is kept. Nothing is deleted that is open, unsettled, or whose money may still
/// be held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retain {
	/// Days after which the prompt and the answer of a job are deleted; their hashes stay.
	pub texts_days: u32,
	/// Days after which a job is deleted with its receipt, and a settled batch with its receipts; these
	/// not while they can be demanded on chain.
	pub jobs_days: u32,
	/// Folder of files of JSON lines to which jobs, receipts and batches go when they are deleted; if it
	/// is left out, they are gone.
	pub archive: Option<PathBuf>,
}

impl Default for Retain {
	fn default() -> Self {
		Self { texts_days: 30, jobs_days: 400, archive: None }
	}
}

/// A model that is offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelOffer {
	/// Its name. The chain's registry says what a token of it counts for; of a model that it does not
	/// have the factor follows from the name.
	pub name: String,
	/// Most tokens of an answer.
	#[serde(default)]
	pub max_tokens: Option<u32>,
	/// Only miners of this class.
	#[serde(default)]
	pub class: Option<ClassName>,
	/// Its factor in thousandths, where the registry does not have it and it does not follow from the
	/// name.
	#[serde(default)]
	pub model_factor: Option<u32>,
	/// Hash of the registry's model that it is, where the registry knows it by another name than it is
	/// offered by; such as one version of several.
	#[serde(default)]
	pub registered: Option<Hex32>,
}

impl Default for Settings {
	fn default() -> Self {
		// A million tokens of a model of factor 1 for 1 AIT, or 1 AICP.
		let unit_price = [
			(PriceAsset::Ait, 1_000_000_000_000),
			(PriceAsset::Aicp, 1),
			(PriceAsset::ServiceCredit, 1),
		];
		let unit_price = unit_price.map(|(asset, price)| (asset, Amount(price)));
		Self {
			unit_price: unit_price.into_iter().collect(),
			models: Vec::new(),
			max_tokens: 1_024,
			max_body_bytes: 1 << 20,
			quote_seconds: 120,
			deadline_seconds: 900,
			settle_seconds: 60,
			confirm_seconds: 20,
			lease_seconds: 60,
			session_seconds: 3_600,
			max_failures: 5,
			check_per_thousand: 50,
			text_bounds_tokens: true,
			bundle: 128,
			payout_seconds: 60,
			requests_per_minute: REQUESTS_PER_MINUTE,
			trusted_proxies: Vec::new(),
			max_queue: 10_000,
			retain: Retain::default(),
			origins: Vec::new(),
			channels: ChannelSettings::default(),
			plans: tiers(),
			plan_grace_days: 7,
		}
	}
}

/// Returns the plans that are sold unless the configuration says otherwise: AICoin's tiers, for 30 days.
fn tiers() -> Vec<Plan> {
	let plan = |(name, price, tokens_per_day): (&str, u128, u64)| Plan {
		name: name.to_string(),
		asset: PriceAsset::Ait,
		price: Amount(price),
		tokens_per_day,
		days: TIER_DAYS,
	};
	TIERS.map(plan).into()
}

/// Returns `true` if each plan can be sold, and the terms of a channel tell which one it has.
fn are_plans(plans: &[Plan]) -> bool {
	plans.iter().enumerate().all(|(at, plan)| {
		let tariff = plan.tariff();
		let mut others = plans.iter().skip(at.saturating_add(1));
		let differs = |other: &Plan| {
			let limit = other.tariff().daily_limit();
			other.name != plan.name && (other.asset != plan.asset || limit != tariff.daily_limit())
		};
		(1..=MAX_PLAN_NAME).contains(&plan.name.len())
			&& plan.asset != PriceAsset::ServiceCredit
			&& tariff.check().is_ok()
			&& tariff.unit_price() > 0
			&& others.all(differs)
	})
}

impl Settings {
	/// Reads a configuration.
	///
	/// # Errors
	/// What is wrong with it.
	pub fn parse(bytes: &[u8]) -> Result<Self, String> {
		let settings: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
		settings.check()?;
		Ok(settings)
	}

	/// Checks that the figures are possible together.
	///
	/// # Errors
	/// The first rule that they break.
	pub fn check(&self) -> Result<(), String> {
		let room = self.deadline_seconds.saturating_sub(self.settle_seconds);
		let rules = [
			(self.unit_price.is_empty(), "unit_price names no asset"),
			(self.unit_price.values().any(|price| price.0 == 0), "a unit_price is zero"),
			(self.max_tokens == 0, "max_tokens is zero"),
			(self.quote_seconds == 0, "quote_seconds is zero"),
			(
				self.quote_seconds >= room,
				"deadline_seconds must be above quote_seconds and settle_seconds together",
			),
			(
				self.lease_seconds == 0 || self.confirm_seconds == 0 || self.session_seconds == 0,
				"lease_seconds, confirm_seconds and session_seconds must be above zero",
			),
			(
				self.settle_seconds.saturating_mul(1_000) < MIN_NOTICE_MS,
				"settle_seconds must be at least 60: the chain waits no shorter for a coordinator whose node is \
				 away",
			),
			(self.check_per_thousand > 1_000, "check_per_thousand is above 1000"),
			(self.bundle == 0, "bundle is zero"),
			(
				self.retain.texts_days == 0 || self.retain.jobs_days < self.retain.texts_days,
				"retain.texts_days must be above zero, and retain.jobs_days at least that",
			),
			(
				self.channels.wait_seconds == 0
					|| self.channels.batch_seconds == 0
					|| self.channels.batch_receipts == 0,
				"wait_seconds, batch_seconds and batch_receipts of channels must be above zero",
			),
			(
				self.channels.settle_seconds < self.channels.batch_seconds.saturating_mul(3),
				"settle_seconds of channels must be at least three times batch_seconds",
			),
			(
				self.channels.settle_seconds.saturating_mul(1_000) >= MIN_CLOSE_NOTICE_MS,
				"settle_seconds of channels must be below a day, after which a channel can have ended",
			),
			(
				!are_plans(&self.plans),
				"each of plans needs a name and a daily price of its own, the asset ait or aicp, \
				 tokens_per_day, 1 to 366 days, and a price of at least one unit for each token",
			),
			(
				!self.origins.iter().all(|origin| is_origin(origin)),
				"an entry of origins is not one, such as https://chat.example",
			),
		];
		match rules.into_iter().find(|(broken, _)| *broken) {
			Some((_, reason)) => Err(reason.to_string()),
			None => Ok(()),
		}
	}

	/// Checks that the time for settling covers the chain's notice of a cancellation, in milliseconds: so
	/// long may the node be away without a loss, before a deadline as after a cancellation.
	///
	/// # Errors
	/// What to write instead.
	pub fn check_notice(&self, notice_ms: u64) -> Result<(), String> {
		let seconds = notice_ms.div_ceil(1_000);
		if self.settle_seconds >= seconds {
			return Ok(());
		}
		Err(format!(
			"settle_seconds is {}, and this chain's notice of a cancellation is {seconds} seconds: write at least \
			 \"settle_seconds\": {seconds}",
			self.settle_seconds
		))
	}

	/// Returns the price of a unit in an asset, if that is taken.
	pub fn price_in(&self, asset: PriceAsset) -> Option<u128> {
		self.unit_price.get(&asset).map(|price| price.0)
	}

	/// Returns the offer of a model; `None` if only listed models are offered and it is not one.
	pub fn model(&self, name: &str) -> Option<ModelOffer> {
		match self.models.iter().find(|model| model.name == name) {
			Some(model) => Some(model.clone()),
			None if self.models.is_empty() => Some(ModelOffer {
				name: name.to_string(),
				max_tokens: None,
				class: None,
				model_factor: None,
				registered: None,
			}),
			None => None,
		}
	}
}

impl ModelOffer {
	/// Returns its factor in thousandths, where the chain's registry does not have it.
	pub fn factor(&self) -> u32 {
		self.model_factor.unwrap_or_else(|| model_factor(&self.name))
	}
}

/// Returns `true` of scheme and host, as browsers write an origin: without a path or a slash.
fn is_origin(text: &str) -> bool {
	let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
	let is_part = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
	host.is_some_and(|host| !host.is_empty() && host.chars().all(is_part))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_defaults_are_possible() {
		assert_eq!(Settings::default().check(), Ok(()));
		assert_eq!(Settings::parse(b"{}"), Ok(Settings::default()));
	}

	#[test]
	fn a_file_is_read_and_its_mistakes_are_named() {
		let text = br#"{"unit_price":{"aicp":"3"},"models":[{"name":"m","class":"gpu"}]}"#;
		let settings = Settings::parse(text).unwrap();
		assert_eq!(settings.price_in(PriceAsset::Aicp), Some(3));
		assert_eq!(settings.price_in(PriceAsset::Ait), None);
		assert_eq!(settings.model("m").unwrap().class, Some(ClassName::Gpu));
		assert_eq!(settings.model("n"), None);
		for (text, reason) in [
			("{\"unit_price\":{}}", "names no asset"),
			("{\"unit_price\":{\"ait\":\"0\"}}", "zero"),
			("{\"quote_seconds\":900}", "deadline_seconds"),
			("{\"settle_seconds\":59}", "at least 60"),
			("{\"channels\":{\"settle_seconds\":86400}}", "below a day"),
			("{\"unknown\":1}", "unknown field"),
			("{\"retain\":{\"texts_days\":0}}", "texts_days"),
			("{\"retain\":{\"texts_days\":9,\"jobs_days\":8}}", "jobs_days"),
			("{\"check_per_thousand\":1001}", "check_per_thousand"),
			("{\"requests_per_minute\":0}", "nonzero"),
			("{\"origins\":[\"*\"]}", "origins"),
			("{\"origins\":[\"https://chat.example/\"]}", "origins"),
			("{\"trusted_proxies\":[\"nginx\"]}", "IP address"),
		] {
			let error = Settings::parse(text.as_bytes()).unwrap_err();
			assert!(error.contains(reason), "{text}: {error}");
		}
	}

	#[test]
	fn the_time_for_settling_covers_the_chains_notice_to_the_second() {
		let settings = Settings::default();
		assert_eq!(settings.check_notice(60_000), Ok(()));
		let error = settings.check_notice(60_001).unwrap_err();
		assert!(error.contains("\"settle_seconds\": 61"), "{error}");
	}

	#[test]
	fn plans_can_be_told_apart_by_the_terms_of_their_channels() {
		let plan = |name: &str, asset: &str, price: u32| {
			format!(
				r#"{{"name":"{name}","asset":"{asset}","price":"{price}","tokens_per_day":10,"days":30}}"#
			)
		};
		let parse = |plans: &[String]| {
			Settings::parse(format!("{{\"plans\":[{}]}}", plans.join(",")).as_bytes())
		};
		assert_eq!(parse(&[]).unwrap().plans, []);
		let apart = [plan("a", "ait", 300), plan("b", "ait", 600), plan("c", "aicp", 300)];
		assert_eq!(parse(&apart).unwrap().plans.len(), 3);
		for wrong in [
			// One price of a token, rounded down.
			vec![plan("a", "ait", 300), plan("b", "ait", 599)],
			vec![plan("a", "ait", 300), plan("a", "ait", 600)],
			vec![plan("a", "ait", 299)],
			vec![plan("a", "service_credit", 300)],
			vec![plan("", "ait", 300)],
		] {
			let error = parse(&wrong).unwrap_err();
			assert!(error.contains("each of plans"), "{wrong:?}: {error}");
		}
	}
}
