//! Mints and redemptions that a real node refuses, each with its exact error and nothing changed,
//! between others that it takes to the last unit.

use anyhow::{Context, Result, ensure};
use gridproof_chain::{
	Call, ChainError, Patience, Submitter,
	pallets::coverage_policy::{self, Refusal, call::redeem},
};
use gridproof_e2e::{
	reserve::{ISSUER, Reserve, gridproof, load},
	transfers::account,
};
use gridproof_keys::account::address;
use gridproof_primitives::{H256, num::units::AICP_ASSET_ID, time::day::Day};
use std::time::Duration;
use subxt_signer::sr25519::Keypair;

/// How long a day of the chain is: enough for two transactions, one final after the other.
const DAY: Duration = Duration::from_secs(12);
/// The stated day, the first of the chain, and its price.
const STATED: &str = "2025-03-24";
const PRICE: &str = "92.37";
/// What it allows with the preset's first supply: 5 % of 75 million AICP, in micro-tokens.
const ALLOWANCE: u128 = 3_750_000_000_000;

type State = Vec<(String, Vec<u8>)>;

fn stated_day() -> Day {
	Day::parse(STATED).expect("a day")
}

fn issuer() -> Result<Keypair> {
	account(ISSUER)
}

fn bob() -> Result<Keypair> {
	account("//Bob")
}

/// Everything that must stay as it is, but for the nonces of those who tried.
async fn state(reserve: &Reserve) -> Result<State> {
	let accounts = [issuer()?.public_key(), bob()?.public_key()];
	let mut parts = reserve.state(stated_day(), &accounts).await?;
	parts.retain(|(name, _)| !name.starts_with("nonce"));
	Ok(parts)
}

fn mint(amount: u128, statement: H256) -> Result<Call> {
	Ok(coverage_policy::call::mint(amount, statement))
}

/// Sends calls of one account in order and compares each outcome: nothing, or the refusal.
async fn outcomes(
	reserve: &Reserve,
	who: Keypair,
	calls: &[(Call, Option<Refusal>)],
) -> Result<()> {
	let submitter =
		Submitter::new(reserve.chain.clone(), who, Patience { attempts: 1, ..Patience::default() });
	let sent: Vec<Call> = calls.iter().map(|(call, _)| call.clone()).collect();
	let outcomes = submitter.submit(&sent).await?;
	ensure!(outcomes.len() == calls.len(), "{} of {} calls", outcomes.len(), calls.len());
	for (place, (outcome, (_, refusal))) in outcomes.into_iter().zip(calls).enumerate() {
		match refusal {
			None => ensure!(outcome.is_ok(), "call {place}: {outcome:?}"),
			Some(refusal) => {
				let refused =
					ChainError::Refused(gridproof_chain::Refusal::CoveragePolicy(*refusal));
				assert_eq!(outcome, Err(refused), "call {place}");
			},
		}
	}
	Ok(())
}

#[tokio::test]
async fn mints_and_redemptions_beyond_what_is_allowed() -> Result<()> {
	let folder = tempfile::Builder::new().prefix("gridproof-e2e-mints-").tempdir()?;
	load(folder.path(), stated_day()).await?;
	let reserve = Reserve::start(folder, DAY).await?;
	let file = reserve.path("good.json");
	reserve.plan(stated_day(), &file, PRICE, None).await?;
	reserve.sign(&file, &[(1, "data"), (3, "ops")]).await?;

	// Before any statement there is nothing to mint on.
	let none = [(mint(1, H256::zero())?, Some(Refusal::Stale))];
	outcomes(&reserve, issuer()?, &none).await?;
	let next = stated_day().next().context("a next day")?;
	reserve.wait_for_day(next).await?;
	reserve.submit(&file).await?;
	let statement = reserve
		.chain
		.read(&coverage_policy::query::status())
		.await?
		.statement
		.context("it counts")?
		.hash;
	let supply = reserve.chain.issuance(AICP_ASSET_ID).await?;
	let half = ALLOWANCE / 2;
	outcomes(
		&reserve,
		issuer()?,
		&[
			(mint(ALLOWANCE + 1, statement)?, Some(Refusal::AboveAllowance)),
			(mint(u128::MAX, statement)?, Some(Refusal::AboveAllowance)),
			(mint(0, statement)?, Some(Refusal::ZeroAmount)),
			(mint(1, H256::zero())?, Some(Refusal::OtherStatement)),
			(mint(half, statement)?, None),
			(mint(ALLOWANCE - half + 1, statement)?, Some(Refusal::AboveAllowance)),
		],
	)
	.await?;
	let minted = reserve.chain.issuance(AICP_ASSET_ID).await?;
	assert_eq!(minted, supply + half, "what was allowed, and no more");
	for stranger in [bob()?, account("//Alice")?] {
		outcomes(&reserve, stranger, &[(mint(1, statement)?, Some(Refusal::NotIssuer))]).await?;
	}

	// A day later the other half has lapsed.
	reserve.wait_for_day(next.next().context("a next day")?).await?;
	let status = reserve.status().await?;
	assert_eq!(status["mint_refusal"], Refusal::AllowanceLapsed.name());
	assert_eq!(status["allowance"], "0.000000");
	let before = state(&reserve).await?;
	let url = reserve.url();
	let order = ["policy", "mint", "--amount", "1", "--suri", ISSUER];
	let late = gridproof(&[&order[..], &["--url", &url]].concat()).await?;
	let lapsed = Refusal::AllowanceLapsed;
	late.assert_refused(&format!("refused by the chain: {lapsed}"));
	let order = ["policy", "mint", "--all", "--suri", ISSUER];
	let late = gridproof(&[&order[..], &["--url", &url]].concat()).await?;
	late.assert_refused(&format!("nothing can be minted now, the chain would say {lapsed}"));
	assert_eq!(state(&reserve).await?, before, "a late mint changed something");
	redemptions(&reserve, minted).await?;
	reserve.node.assert_no_errors();
	Ok(())
}

/// 10,000 AICP a day and account, worth 1.50 EUR each. Bob's are what governance spent of the
/// treasury's.
async fn redemptions(reserve: &Reserve, supply: u128) -> Result<()> {
	const LIMIT: u128 = 10_000_000_000;
	let url = reserve.url();
	let to = address(&bob()?.public_key().0);
	let grant = ["policy", "spend", "--amount", "1875000", "--to", &to, "--suri", "//Alice"];
	let spent = gridproof(&[&grant[..], &["--url", &url]].concat()).await?.done()?;
	assert_eq!((&spent["amount"], &spent["to"]), (&"1875000.000000".into(), &to.as_str().into()));
	let before = state(reserve).await?;
	let order = ["policy", "redeem", "--suri", "//Bob", "--url", &url, "--amount"];
	for (amount, reason) in
		[("10000.000001", Refusal::AboveDailyLimit), ("0.999999", Refusal::BelowMinimum)]
	{
		let run = gridproof(&[&order[..], &[amount]].concat()).await?;
		run.assert_refused(&format!("refused by the chain: {reason}"));
	}
	assert_eq!(state(reserve).await?, before, "a refused redemption changed something");

	// A new day, so that all of it is within one.
	let today = reserve.today().await?;
	reserve.wait_for_day(today.next().context("a next day")?).await?;
	outcomes(
		reserve,
		bob()?,
		&[
			(redeem(6_000_000_000, 9_000_000_001), Some(Refusal::CreditTooLow)),
			(redeem(6_000_000_000, 9_000_000_000), None),
			(redeem(4_000_000_001, 0), Some(Refusal::AboveDailyLimit)),
			(redeem(4_000_000_000, 6_000_000_000), None),
			(redeem(1_000_000, 0), Some(Refusal::AboveDailyLimit)),
		],
	)
	.await?;
	assert_eq!(reserve.chain.issuance(AICP_ASSET_ID).await?, supply - LIMIT, "burned exactly");
	let bob = address(&bob()?.public_key().0);
	let account = gridproof(&["policy", "account", &bob, "--url", &url]).await?.done()?;
	assert_eq!(account["available_eur"], "15000.000000");
	assert_eq!(account["available_eur_units"], "15000000000");
	assert_eq!(account["redeemed_today"], "10000.000000");
	assert_eq!(account["redeemed_today_units"], "10000000000");
	assert_eq!(account["aicp"], "1865000.000000");
	Ok(())
}
