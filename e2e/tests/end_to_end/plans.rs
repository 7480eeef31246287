//! A plan, from the purchase with a wallet to requests of OpenAI's form under its API key: what is left,
//! the tokens of a day, many requests at once, renewal, and what the chain settles of it.

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, stream};
use gridproof_chain::pallets::compute_receipts::query;
use gridproof_e2e::{
	compute::{CLIENT, Compute},
	reserve::gridproof,
	wait,
};
use gridproof_primitives::compute::channels::ChannelView;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);
/// Price of a token in the plan `tiny`, in 10⁻¹⁸ AIT.
const TOKEN: u128 = 1_000_000_000_000;
/// Tokens of a day in that plan.
const PER_DAY: u64 = 2_000;
/// Tokens of an answer that with the prompt are more than a day has, and less than a period: the model's
/// factor is 5.
const TOO_MANY: u32 = 500;

/// Who has bought a plan.
struct Buyer {
	channel: u64,
	key: String,
	ends_ms: u64,
	model: String,
	url: String,
	http: reqwest::Client,
}

impl Buyer {
	async fn buys(compute: &Compute) -> Result<Self> {
		let node = compute.node.rpc_url();
		let mut buy = vec!["plan", "buy", "tiny", "--coordinator", &compute.url];
		buy.extend(["--suri", CLIENT, "--url", &node]);
		let bought = gridproof(&buy).await?.done()?;
		Ok(Self {
			channel: bought["channel"].as_u64().context("no channel")?,
			key: bought["api_key"].as_str().context("no API key")?.to_owned(),
			ends_ms: bought["plan_ends_ms"].as_u64().context("no end")?,
			model: compute.model().await?,
			url: compute.url.clone(),
			http: reqwest::Client::builder().timeout(LIMIT).build()?,
		})
	}

	async fn asks(&self, key: &str, max_tokens: u32) -> Result<Response> {
		let body = json!({ "model": self.model, "prompt": "The light", "max_tokens": max_tokens,
			"temperature": 0.8 });
		let request = self.http.post(format!("{}/v1/completions", self.url));
		Ok(request.bearer_auth(key).json(&body).send().await?)
	}

	/// Asks until there is an answer: one without a text is an error, and costs nothing.
	async fn is_answered(&self) -> Result<Response> {
		for _ in 0..5 {
			let answer = self.asks(&self.key, 8).await?;
			if answer.status() != StatusCode::BAD_GATEWAY {
				return Ok(answer);
			}
		}
		anyhow::bail!("five answers without a text")
	}

	async fn state(&self, compute: &Compute) -> Result<Value> {
		let channel = self.channel.to_string();
		let show = ["plan", "show", &channel, "--coordinator", &compute.url];
		gridproof(&show).await?.done()
	}

	async fn on_chain(&self, compute: &Compute) -> Result<ChannelView> {
		let view = compute.chain.read(&query::channel(self.channel)).await?;
		view.context("the channel is gone")
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_bought_used_up_for_a_day_renewed_and_settled() -> Result<()> {
	let compute = Compute::start().await?;
	let node = compute.node.rpc_url();
	let listed = gridproof(&["plan", "list", "--coordinator", &compute.url]).await?.done()?;
	assert_eq!(listed["plans"][0]["unit_price"], TOKEN.to_string());
	let mut poor = vec!["plan", "buy", "tiny", "--coordinator", &compute.url];
	poor.extend(["--suri", "//Nobody", "--url", &node]);
	gridproof(&poor).await?.assert_refused("the channel's deposit");

	let buyer = Buyer::buys(&compute).await?;
	let view = buyer.on_chain(&compute).await?;
	assert_eq!((view.channel.signer, view.channel.plan_ends_ms), (None, Some(buyer.ends_ms)));
	assert_eq!(view.channel.daily_limit, TOKEN * u128::from(PER_DAY));

	let answer = buyer.is_answered().await?;
	ensure!(answer.status().is_success(), "{}", answer.text().await?);
	let left = answer.headers().get("x-ratelimit-remaining-tokens").cloned();
	let left: u64 = left.context("nothing says what is left")?.to_str()?.parse()?;
	ensure!(left < PER_DAY && answer.headers().contains_key("gridproof-receipt"));
	let body: Value = answer.json().await?;
	assert_eq!(body["gridproof"]["left"]["tokens_today"], left);

	// More than the day has left is refused before any work, in OpenAI's form.
	let above = buyer.asks(&buyer.key, TOO_MANY).await?;
	assert_eq!(above.status(), StatusCode::TOO_MANY_REQUESTS);
	let above: Value = above.json().await?;
	assert_eq!(above["error"]["code"], "daily_limit_reached", "{above}");

	// At once, they never need more than a day has.
	let asked = stream::iter(0..40).map(|_| buyer.asks(&buyer.key, 40)).buffer_unordered(20);
	let (mut answered, mut refused) = (0, 0);
	for answer in asked.collect::<Vec<_>>().await {
		match answer?.status() {
			StatusCode::OK => answered += 1,
			StatusCode::TOO_MANY_REQUESTS => refused += 1,
			// The model ended at its first token.
			StatusCode::BAD_GATEWAY => (),
			other => anyhow::bail!("{other}"),
		}
	}
	ensure!(answered > 0 && refused > 0, "{answered} answered, {refused} refused");
	let state = buyer.state(&compute).await?;
	let today = state["tokens_left_today"].as_u64().context("nothing left")?;
	let all = state["tokens_left"].as_u64().context("nothing left")?;
	assert_eq!(all - today, 2 * PER_DAY, "two days are left untouched: {state}");

	let channel = buyer.channel.to_string();
	let mut renew = vec!["plan", "renew", &channel, "--coordinator", &compute.url];
	renew.extend(["--suri", CLIENT, "--url", &node]);
	let renewed = gridproof(&renew).await?.done()?;
	assert_eq!(renewed["plan_ends_ms"], buyer.ends_ms + 3 * 86_400_000);
	let state = buyer.state(&compute).await?;
	assert_eq!(state["tokens_left"], 3 * PER_DAY, "a whole period is there again: {state}");
	// The key is the same one, and so are the tokens of today.
	let again = buyer.asks(&buyer.key, TOO_MANY).await?;
	assert_eq!(again.status(), StatusCode::TOO_MANY_REQUESTS);

	let mut stolen = vec!["plan", "key", &channel, "--coordinator", &compute.url];
	stolen.extend(["--suri", "//Dave"]);
	gridproof(&stolen).await?.assert_refused("the account that opened the channel");
	stolen[6] = CLIENT;
	let second = gridproof(&stolen).await?.done()?;
	let second = second["api_key"].as_str().context("no API key")?;
	assert_eq!(buyer.asks(&buyer.key, 8).await?.status(), StatusCode::UNAUTHORIZED);
	assert_ne!(buyer.asks(second, 8).await?.status(), StatusCode::UNAUTHORIZED);

	let settled = wait::until("everything is settled", LIMIT, async || {
		let held = compute.get(&format!("/v1/channels/{channel}")).await?;
		let view = buyer.on_chain(&compute).await?;
		let is_whole = held["receipts"] == view.channel.settled.count && held["open"] == "0";
		Ok(is_whole.then_some(view.channel.settled))
	})
	.await?;
	let state = buyer.state(&compute).await?;
	let spent: u128 =
		view.channel.deposited - TOKEN * u128::from(today) - 2 * view.channel.daily_limit;
	ensure!(settled.price >= spent, "{settled:?}: {state}");
	ensure!(settled.price <= view.channel.daily_limit, "the tokens of one day");
	compute.node.assert_no_errors();
	Ok(())
}
