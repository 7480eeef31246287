//! Ten days of grid data become AICP on a real node, through the `gridproof` command, and come out
//! as an independent computation of the same days has it, to the last unit.

use anyhow::{Context, Result, ensure};
use gridproof_chain::pallets::coverage_policy::{
	Refusal,
	event::{Minted, StateChanged},
};
use gridproof_e2e::{
	binary::repository,
	reserve::{ISSUER, Reserve, gridproof, load},
};
use gridproof_keys::account::address;
use gridproof_primitives::{
	num::units::AICP_ASSET_ID,
	reserve::formula::State::{self, AboveBand, Defense, Frozen, InBand},
	time::day::Day,
};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;
use serde_json::Value;
use std::{fs, path::Path, time::Duration};

/// How long a day of the chain is: enough for three transactions, one final after the other.
const DAY: Duration = Duration::from_secs(10);
/// What the development preset starts with, in micro-tokens.
const FIRST_SUPPLY: u64 = 75_000_000_000_000;
/// The days that are stated.
const STATED: [&str; 10] = [
	"2025-03-24",
	"2025-03-25",
	"2025-03-26",
	"2025-03-27",
	"2025-03-28",
	"2025-03-29",
	"2025-03-30",
	"2025-03-31",
	"2025-04-01",
	"2025-04-02",
];

// --- the independent computation -----------------------------------------------------------------

/// A day in `data/grid/expected.csv`, which was computed from the documents without any code of
/// this repository.
#[derive(Clone, Debug)]
struct Row {
	day: Day,
	zones_ok: u32,
	zones_total: u32,
	wh_raw: BigInt,
	wh_committed: BigInt,
	price: String,
	state: String,
	mint: BigInt,
	supply: BigInt,
}

fn expected() -> Result<Vec<Row>> {
	let text = fs::read_to_string(repository().join("data/grid/expected.csv"))?;
	text.lines().skip(1).map(|line| row(line).with_context(|| line.to_owned())).collect()
}

fn row(line: &str) -> Result<Row> {
	let cells: Vec<&str> = line.split(',').collect();
	let [day, ok, total, raw, committed, price, _, state, mint, supply] = cells[..] else {
		anyhow::bail!("not ten cells");
	};
	Ok(Row {
		day: Day::parse(day).map_err(|error| anyhow::anyhow!("{error}"))?,
		zones_ok: ok.parse()?,
		zones_total: total.parse()?,
		wh_raw: raw.parse()?,
		wh_committed: committed.parse()?,
		price: price.to_owned(),
		state: state.to_owned(),
		mint: mint.parse()?,
		supply: supply.parse()?,
	})
}

/// What a day comes to.
#[derive(Debug)]
struct Reckoned {
	committed: BigInt,
	reserve: BigRational,
	ratio: BigRational,
	target: BigRational,
	state: &'static str,
	mint: BigInt,
}

fn fraction(numerator: u32, denominator: u32) -> BigRational {
	BigRational::new(numerator.into(), denominator.into())
}

fn decimal(text: &str) -> Result<BigRational> {
	let (whole, places) = text.split_once('.').unwrap_or((text, ""));
	let digits: BigInt = format!("{whole}{places}").parse()?;
	Ok(BigRational::new(digits, BigInt::from(10).pow(u32::try_from(places.len())?)))
}

/// The rules, once more: α 18 % of the complete zones' share, P_T 1.50 EUR, CR_min 1.10, CR_max
/// 1.20, cap 5 %, no compute assets. Micro-EUR and micro-tokens throughout.
fn reckon(row: &Row, price: &str, supply: &BigInt) -> Result<Reckoned> {
	let alpha = fraction(18, 100) * fraction(row.zones_ok, row.zones_total);
	let committed = (BigRational::from(row.wh_raw.clone()) * alpha).floor();
	let reserve = &committed * decimal(price)?;
	let issued = BigRational::from(supply.clone());
	let ratio = &reserve / (fraction(3, 2) * &issued);
	let target = &reserve / (fraction(3, 2) * fraction(11, 10));
	let state = if ratio < fraction(1, 1) {
		"defense"
	} else if ratio < fraction(11, 10) {
		"freeze"
	} else if ratio <= fraction(12, 10) {
		"in_band"
	} else {
		"above_band"
	};
	let room = (&target - &issued).min(&issued * fraction(5, 100));
	let mint = if ratio < fraction(11, 10) { BigInt::zero() } else { room.floor().to_integer() };
	Ok(Reckoned { committed: committed.to_integer(), reserve, ratio, target, state, mint })
}

/// Millionths as a decimal, cut.
fn millionths(value: &BigInt) -> String {
	let million = BigInt::from(1_000_000);
	format!("{}.{:06}", value / &million, value % &million)
}

fn cut(value: &BigRational) -> String {
	millionths(&(value * BigInt::from(1_000_000)).floor().to_integer())
}

// --- the story -----------------------------------------------------------------------------------

/// The treasury's account: `modl` and its name, padded with zeros.
fn treasury() -> [u8; 32] {
	let mut account = [0; 32];
	account[..12].copy_from_slice(b"modlgp/trsry");
	account
}

struct Story {
	reserve: Reserve,
	rows: Vec<Row>,
	/// In micro-tokens, as reckoned here.
	supply: BigInt,
}

impl Story {
	fn url(&self) -> String {
		self.reserve.url()
	}

	fn row(&self, day: &str) -> Result<Row> {
		let row = self.rows.iter().find(|row| row.day.to_iso() == day);
		row.cloned().with_context(|| format!("{day} is not in expected.csv"))
	}

	/// Plans and signs a day's file; gives its path.
	async fn prepare(&self, row: &Row, price: &str, revises: Option<&str>) -> Result<String> {
		let revision = if revises.is_some() { "-r1" } else { "" };
		let file = self.reserve.path(&format!("attestation_{}{revision}.json", row.day));
		let planned = self.reserve.plan(row.day, &file, price, revises).await?;
		let reckoned = reckon(row, price, &self.supply)?;
		assert_eq!(planned["mint_suggested"], millionths(&reckoned.mint), "{} planned", row.day);
		assert_eq!(planned["CR"], cut(&reckoned.ratio), "{} planned", row.day);
		assert_eq!(planned["state"], reckoned.state, "{} planned", row.day);
		self.reserve.sign(&file, &[(1, "data"), (2, "risk")]).await?;
		Ok(file)
	}

	async fn submit(&self, file: &str) -> Result<String> {
		let submitted = self.reserve.submit(file).await?;
		assert_eq!(submitted["was_there"], false);
		Ok(submitted["statement"].as_str().context("no statement")?.to_owned())
	}

	/// Compares everything that the chain says about the statement that counts.
	async fn check(&self, row: &Row, price: &str, allowance: &BigInt) -> Result<Value> {
		let (status, day) = (self.reserve.status().await?, row.day);
		let reckoned = reckon(row, price, &self.supply)?;
		let ratio = format!("{}/{}", reckoned.ratio.numer(), reckoned.ratio.denom());
		for (member, wanted) in [
			("last_day", day.to_iso()),
			("issuance", millionths(&self.supply)),
			("S", millionths(&self.supply)),
			("stock_value_eur", millionths(&reckoned.reserve.floor().to_integer())),
			("S_target_for_CR_min", millionths(&reckoned.target.floor().to_integer())),
			("CR", cut(&reckoned.ratio)),
			("CR_exact", ratio),
			("state", reckoned.state.to_owned()),
			("allowance", millionths(allowance)),
			("minted_total", millionths(&(&self.supply - FIRST_SUPPLY))),
		] {
			assert_eq!(status[member], wanted, "{member} of {day} at {price} EUR/MWh: {status}");
		}
		assert_eq!(status["stale"], false, "{day}");
		let issuance = self.reserve.chain.issuance(AICP_ASSET_ID).await?;
		assert_eq!(BigInt::from(issuance), self.supply, "issuance after {day}");
		Ok(status)
	}

	/// Compares what the chain holds as the attestation of the day.
	async fn check_attestation(&self, row: &Row, price: &str, revision: u32) -> Result<()> {
		let day = row.day.to_iso();
		let shown = gridproof(&["attest", "show", "--day", &day, "--url", &self.url()]).await?;
		let shown = shown.done()?;
		let whole = |member: &str| BigInt::from(shown[member].as_u64().unwrap_or_default());
		assert_eq!(whole("wh_dc_raw"), row.wh_raw, "{day}");
		assert_eq!(whole("wh_dc_commit"), row.wh_committed, "{day}");
		assert_eq!(whole("zones_ok"), row.zones_ok.into(), "{day}");
		assert_eq!(whole("revision"), revision.into(), "{day}");
		let stated = shown["eur_per_mwh"].as_str().context("no price")?;
		assert_eq!(decimal(stated)?, decimal(price)?, "{day}");
		let signers = shown["signers"].as_array().context("no signers")?;
		let roles: Vec<&Value> = signers.iter().map(|signer| &signer["role"]).collect();
		assert_eq!(roles, ["data", "risk"], "{day}");
		Ok(())
	}

	/// Mints all that is allowed, and checks that it is what was reckoned.
	async fn mint_all(&mut self, row: &Row) -> Result<()> {
		let (treasury, url) = (address(&treasury()), self.url());
		let minted = gridproof(&["policy", "mint", "--all", "--suri", ISSUER, "--url", &url])
			.await?
			.done()
			.with_context(|| format!("mint on the statement of {}", row.day))?;
		assert_eq!(minted["amount"], millionths(&row.mint), "{}", row.day);
		assert_eq!(minted["allowance"], "0.000000", "{}", row.day);
		assert_eq!(minted["day"], row.day.to_iso());
		self.supply += &row.mint;
		// The treasury holds the first supply, and all that was minted.
		let account = gridproof(&["policy", "account", &treasury, "--url", &url]).await?.done()?;
		assert_eq!(account["aicp"], millionths(&self.supply), "{}", row.day);
		Ok(())
	}

	/// Tries to mint the smallest unit and asserts that the chain refuses for this reason.
	async fn mint_is_refused(&self, reason: Refusal) -> Result<()> {
		let url = self.url();
		let order = ["policy", "mint", "--amount", "0.000001", "--suri", ISSUER, "--url", &url];
		gridproof(&order).await?.assert_refused(&format!("refused by the chain: {reason}"));
		let issuance = self.reserve.chain.issuance(AICP_ASSET_ID).await?;
		assert_eq!(BigInt::from(issuance), self.supply, "nothing was minted");
		Ok(())
	}

	/// The usual day: its statement on the day after it, its mint if there is one, its figures.
	async fn usual_day(&mut self, day: &str, file: &str) -> Result<()> {
		let row = self.row(day)?;
		self.reserve.wait_for_day(row.day.next().context("a next day")?).await?;
		let statement = self.submit(file).await?;
		let status = self.check(&row, &row.price, &row.mint).await?;
		assert_eq!(status["statement"], statement, "{day}");
		assert_eq!(status["state"], row.state, "{day}");
		if row.mint.is_zero() {
			assert_eq!(status["mint_refusal"], Refusal::NotCovered.name(), "{day}");
			self.mint_is_refused(Refusal::NotCovered).await?;
		} else {
			self.mint_all(&row).await?;
			self.check(&row, &row.price, &BigInt::zero()).await?;
		}
		assert_eq!(self.supply, row.supply, "{day}");
		self.check_attestation(&row, &row.price, 0).await?;
		println!("{day}: {}, minted {}, supply {}", row.state, row.mint, self.supply);
		Ok(())
	}
}

/// Reads the grid data of the day with the command; what it finds is what `expected.csv` says.
async fn check_grid_data(folder: &Path, row: &Row) -> Result<()> {
	let (day, loaded) = (row.day.to_iso(), load(folder, row.day).await?);
	let whole = |member: &str| BigInt::from(loaded[member].as_u64().unwrap_or_default());
	assert_eq!(whole("wh_dc_raw"), row.wh_raw, "{day}");
	assert_eq!(whole("wh_dc_commit"), row.wh_committed, "{day}");
	assert_eq!(whole("zones_ok"), row.zones_ok.into(), "{day}");
	assert_eq!(whole("zones_total"), row.zones_total.into(), "{day}");
	assert_eq!(reckon(row, &row.price, &1.into())?.committed, row.wh_committed, "{day}");
	let mut arguments = vec!["grid", "price", "--day", &day, "--source", "dir:data/grid"];
	arguments.extend(["--eic", "10Y1001A1001A82H", "--tz", "Europe/Berlin"]);
	let priced = gridproof(&arguments).await?.done()?;
	let price = priced["mean_eur_per_mwh"].as_str().context("no price")?;
	assert_eq!(decimal(price)?, decimal(&row.price)?, "{day}");
	Ok(())
}

/// The states that the policy announced, in order, and all that it minted.
async fn announced(reserve: &Reserve) -> Result<(Vec<State>, BigInt)> {
	let (last, _) = reserve.node.rpc()?.finalized().await?;
	let (mut states, mut minted) = (Vec::new(), BigInt::zero());
	for number in 1..=last {
		for event in reserve.chain.events(number).await? {
			if let Some(changed) = event.read::<StateChanged>() {
				states.push(changed?.to);
			}
			if let Some(more) = event.read::<Minted>() {
				minted += more?.amount;
			}
		}
	}
	Ok((states, minted))
}

#[tokio::test]
async fn ten_days_come_out_as_reckoned_independently() -> Result<()> {
	let rows = expected()?;
	let folder = tempfile::Builder::new().prefix("gridproof-e2e-days-").tempdir()?;
	for row in rows.iter().filter(|row| STATED.contains(&&*row.day.to_iso())) {
		check_grid_data(folder.path(), row).await?;
	}
	let reserve = Reserve::start(folder, DAY).await?;
	let mut story = Story { reserve, rows, supply: FIRST_SUPPLY.into() };

	// Mint up to the cap, to the target, to the cap; a freeze, with a zone missing; a recovery.
	for day in &STATED[..5] {
		let row = story.row(day)?;
		let file = story.prepare(&row, &row.price, None).await?;
		story.usual_day(day, &file).await?;
	}
	a_gap_is_stale(&mut story).await?;
	a_revision_corrects_the_day(&mut story).await?;
	// A zone incomplete; a freeze.
	for day in &STATED[8..] {
		let row = story.row(day)?;
		let file = story.prepare(&row, &row.price, None).await?;
		story.usual_day(day, &file).await?;
	}

	let (states, minted) = announced(&story.reserve).await?;
	assert_eq!(minted, &story.supply - FIRST_SUPPLY, "the events tell the whole supply");
	let wanted =
		[InBand, Frozen, InBand, Frozen, Defense, Frozen, InBand, AboveBand, InBand, Frozen];
	assert_eq!(states, wanted, "one event at each change of the state");
	story.reserve.node.assert_no_errors();
	Ok(())
}

/// Two days without a statement, from 30 March on. Then both are stated, out of Defense.
async fn a_gap_is_stale(story: &mut Story) -> Result<()> {
	let (defense, frozen) = (story.row("2025-03-29")?, story.row("2025-03-30")?);
	let first = story.prepare(&defense, &defense.price, None).await?;
	let second = story.prepare(&frozen, &frozen.price, None).await?;
	story.reserve.wait_for_day(frozen.day).await?;
	let status = story.reserve.status().await?;
	assert_eq!((&status["stale"], &status["state"]), (&false.into(), &"in_band".into()));
	assert_eq!(status["mint_refusal"], Refusal::AllowanceLapsed.name());
	story.reserve.wait_for_day(frozen.day.next().context("a next day")?).await?;
	let status = story.reserve.status().await?;
	assert_eq!((&status["stale"], &status["state"]), (&true.into(), &"freeze".into()));
	assert_eq!(
		(&status["last_day"], &status["allowance"]),
		(&"2025-03-28".into(), &"0.000000".into(),)
	);
	story.mint_is_refused(Refusal::Stale).await?;
	for (row, file) in [(&defense, &first), (&frozen, &second)] {
		story.submit(file).await?;
		story.check(row, &row.price, &BigInt::zero()).await?;
		story.check_attestation(row, &row.price, 0).await?;
		ensure!(row.supply == story.supply, "nothing is minted on {}", row.day);
		println!("{}: {}, supply {}", row.day, row.state, story.supply);
	}
	Ok(())
}

/// 31 March is first stated with a wrong price, then corrected on the same day; the allowance is
/// that of the correction.
async fn a_revision_corrects_the_day(story: &mut Story) -> Result<()> {
	const WRONG_PRICE: &str = "101.00";
	let row = story.row("2025-03-31")?;
	let wrong = story.prepare(&row, WRONG_PRICE, None).await?;
	let right = story.prepare(&row, &row.price, Some(&wrong)).await?;
	story.reserve.wait_for_day(row.day.next().context("a next day")?).await?;
	story.submit(&wrong).await?;
	let allowed = reckon(&row, WRONG_PRICE, &story.supply)?.mint;
	ensure!(!allowed.is_zero() && allowed < row.mint, "a wrong price that makes a difference");
	story.check(&row, WRONG_PRICE, &allowed).await?;
	story.submit(&right).await?;
	story.check(&row, &row.price, &row.mint).await?;
	story.mint_all(&row).await?;
	story.check(&row, &row.price, &BigInt::zero()).await?;
	story.check_attestation(&row, &row.price, 1).await?;
	ensure!(row.supply == story.supply, "supply after {}", row.day);
	println!("{}: revised, minted {}, supply {}", row.day, row.mint, story.supply);
	Ok(())
}
