//! Statements that a real node refuses: each with its exact error, by the runtime's own word, in
//! the pool, signed or not, and through the `gridproof` command, and with nothing changed.

use anyhow::{Context, Result, ensure};
use gridproof_attest::RoleKey;
use gridproof_chain::{
	Call, ChainError, Patience, Query, Refusal, Submitter,
	pallets::{
		attestations::{
			self,
			Refusal::{
				AlreadyAttested, AncientDay, BadSignature, FutureDay, Inconsistent,
				TooFewSignatures, UnsortedSigners, WrongReplacement,
			},
		},
		coverage_policy::Refusal as Policy,
	},
	refusal::PoolRefusal,
};
use gridproof_e2e::{
	reserve::{Reserve, gridproof, load, role_key},
	transfers::account,
};
use gridproof_primitives::{
	H256,
	codec::json,
	crypto::ed25519::GROUP_ORDER,
	num::decimal::{Ratio, SignedRatio},
	reserve::attestation::{AttestationFields, Kind, Role, RoleSignature, file_digest, message_v2},
	time::day::Day,
};
use serde_json::{Value, json};
use std::{fs, path::Path, time::Duration};

/// How long a day of the chain is: enough for two transactions, one final after the other.
const DAY: Duration = Duration::from_secs(12);
/// The stated day, the first of the chain, with the figures of `data/grid/expected.csv`.
const STATED: &str = "2025-03-24";
const WH_RAW: u128 = 8_085_551_500_000;
const WH_COMMITTED: u128 = 1_455_399_270_000;
const PRICE: &str = "92.37";
/// A chain that this one is not.
const OTHER_GENESIS: H256 = H256([7; 32]);

// --- statements, signed by hand ------------------------------------------------------------------

/// The seeds of the development preset's role keys, and of somebody without a role.
const DATA: u8 = 1;
const RISK: u8 = 2;
const OPS: u8 = 3;
const OUTSIDER: u8 = 9;

fn stated_day() -> Day {
	Day::parse(STATED).expect("a day")
}

fn price(text: &str) -> SignedRatio {
	SignedRatio::parse(text).expect("a price")
}

fn honest() -> AttestationFields {
	AttestationFields {
		kind: Kind::Reserve,
		day: stated_day(),
		revision: 0,
		replaces: None,
		wh_raw: WH_RAW,
		wh_committed: WH_COMMITTED,
		alpha: Ratio::percent(18),
		eur_per_mwh: price(PRICE),
		compute_assets: 0,
		zones_ok: 47,
		zones_total: 47,
	}
}

/// What signatures are made over.
struct Signed<'a> {
	folder: &'a Path,
	fields: AttestationFields,
	digest: H256,
	genesis: H256,
}

impl Signed<'_> {
	/// The signature of the key with this seed, as this role.
	fn by(&self, seed: u8, role: Role) -> Result<RoleSignature> {
		let Self { fields, digest, genesis, .. } = self;
		let path = role_key(self.folder, seed)?;
		let key = RoleKey::load(Path::new(&path), || unreachable!("it is not encrypted"))?;
		let message = message_v2(fields.day, digest, &fields.hash(), genesis, role);
		Ok(RoleSignature { role, signature: key.sign(&message) })
	}

	/// The signatures of data and risk.
	fn by_two(&self) -> Result<Vec<RoleSignature>> {
		Ok(vec![self.by(DATA, Role::Data)?, self.by(RISK, Role::Risk)?])
	}
}

/// The same signature with S + L in place of S, which verifies where nobody looks.
fn plus_group_order(signature: &RoleSignature) -> RoleSignature {
	let mut other = signature.clone();
	let mut carry = 0u16;
	for (byte, addend) in other.signature[32..].iter_mut().zip(GROUP_ORDER) {
		let sum = u16::from(*byte) + u16::from(addend) + carry;
		*byte = sum.to_le_bytes()[0];
		carry = sum >> 8;
	}
	assert_eq!(carry, 0, "S + L fits 32 bytes");
	other
}

/// A statement as it is sent.
struct Sent {
	fields: AttestationFields,
	digest: H256,
	signatures: Vec<RoleSignature>,
}

impl Sent {
	fn call(&self) -> Call {
		attestations::call::submit(&self.fields, self.digest, &self.signatures)
	}

	fn preview(&self) -> Query<H256> {
		attestations::query::preview(&self.fields, self.digest, &self.signatures)
	}
}

/// A submission that has to fail.
struct Case {
	name: &'static str,
	sent: Sent,
	/// What the chain says against it.
	refusal: Refusal,
}

fn case(
	name: &'static str,
	(fields, digest, signatures): (&AttestationFields, H256, Vec<RoleSignature>),
	refusal: impl Into<Refusal>,
) -> Case {
	let sent = Sent { fields: fields.clone(), digest, signatures };
	Case { name, sent, refusal: refusal.into() }
}

/// Submissions whose signatures do not make a statement.
fn badly_signed(folder: &Path, genesis: H256) -> Result<Vec<Case>> {
	let (fields, digest) = (honest(), H256([1; 32]));
	let honest = Signed { folder, fields: fields.clone(), digest, genesis };
	let elsewhere = Signed { folder, fields: fields.clone(), digest, genesis: OTHER_GENESIS };
	let (data, risk) = (honest.by(DATA, Role::Data)?, honest.by(RISK, Role::Risk)?);
	let day_before = Day::parse("2025-03-23").expect("a day");
	let less = AttestationFields { wh_committed: WH_COMMITTED - 1, ..fields.clone() };
	let bad = |name, fields: &AttestationFields, digest, signatures| {
		case(name, (fields, digest, signatures), BadSignature)
	};
	let good = || vec![data.clone(), risk.clone()];
	Ok(vec![
		case("no signature", (&fields, digest, Vec::new()), TooFewSignatures),
		case("one signature", (&fields, digest, vec![data.clone()]), TooFewSignatures),
		case(
			"two signatures by one role",
			(&fields, digest, vec![data.clone(), data.clone()]),
			UnsortedSigners,
		),
		case(
			"roles in another order",
			(&fields, digest, vec![risk.clone(), data.clone()]),
			UnsortedSigners,
		),
		bad("an outsider", &fields, digest, vec![data.clone(), honest.by(OUTSIDER, Role::Risk)?]),
		bad(
			"one key for two roles",
			&fields,
			digest,
			vec![data.clone(), honest.by(DATA, Role::Ops)?],
		),
		bad(
			"a role's signature under another's name",
			&fields,
			digest,
			vec![data.clone(), RoleSignature { role: Role::Ops, ..risk.clone() }],
		),
		bad(
			"two good signatures and a bad third",
			&fields,
			digest,
			vec![data.clone(), risk.clone(), honest.by(OUTSIDER, Role::Ops)?],
		),
		bad("an altered figure", &less, digest, good()),
		bad("an altered figure with the digest of its file", &less, H256([2; 32]), good()),
		bad("another digest", &fields, H256([2; 32]), good()),
		bad(
			"the signatures of another day",
			&AttestationFields { day: day_before, ..fields.clone() },
			digest,
			good(),
		),
		bad("signatures for another chain", &fields, digest, elsewhere.by_two()?),
		bad("S + L", &fields, digest, vec![data.clone(), plus_group_order(&risk)]),
	])
}

/// Submissions that two roles did sign, but that the policy or the calendar does not bear out.
fn badly_stated(folder: &Path, genesis: H256) -> Result<Vec<Case>> {
	let digest = H256([1; 32]);
	let far = Day::parse("2026-03-24").expect("a day");
	let statements: [(_, AttestationFields, Refusal); 12] = [
		(
			"too few zones",
			AttestationFields { zones_ok: 37, alpha: Ratio::ZERO, wh_committed: 0, ..honest() },
			Policy::TooFewZones.into(),
		),
		(
			"a slip of Wh and kWh",
			AttestationFields { wh_raw: 1_000 * WH_RAW, ..honest() },
			Policy::EnergyTooHigh.into(),
		),
		("a price too low", with_price("-500.000001"), Policy::PriceTooLow.into()),
		("an absurd price", with_price("1000.000001"), Policy::PriceTooHigh.into()),
		(
			"other zones",
			AttestationFields { zones_ok: 46, zones_total: 46, ..honest() },
			Policy::WrongZones.into(),
		),
		(
			"α of all zones with one missing",
			AttestationFields { zones_ok: 46, ..honest() },
			Policy::AlphaTooHigh.into(),
		),
		(
			"compute assets that nobody has",
			AttestationFields { compute_assets: 1, ..honest() },
			Policy::AboveInventory.into(),
		),
		(
			"more committed than alpha allows",
			AttestationFields { wh_committed: WH_COMMITTED + 1, ..honest() },
			Inconsistent.into(),
		),
		(
			"more complete zones than zones",
			AttestationFields { zones_ok: 48, ..honest() },
			Inconsistent.into(),
		),
		("a day to come", AttestationFields { day: far, ..honest() }, FutureDay.into()),
		(
			"a day long past",
			AttestationFields { day: Day::parse("2025-01-01").expect("a day"), ..honest() },
			AncientDay.into(),
		),
		(
			"a revision of nothing",
			AttestationFields { revision: 1, replaces: Some(digest), ..honest() },
			WrongReplacement.into(),
		),
	];
	let signed = |fields| Signed { folder, fields, digest, genesis };
	statements
		.into_iter()
		.map(|(name, fields, refusal)| {
			let signatures = signed(fields.clone()).by_two()?;
			Ok(case(name, (&fields, digest, signatures), refusal))
		})
		.collect()
}

fn with_price(text: &str) -> AttestationFields {
	AttestationFields { eur_per_mwh: price(text), ..honest() }
}

// --- what refuses them ---------------------------------------------------------------------------

fn once() -> Patience {
	Patience { attempts: 1, ..Patience::default() }
}

/// Everything that must stay as it is. The nonce of Charlie, who signs attempts too, is not
/// part of it.
async fn state(reserve: &Reserve) -> Result<Vec<(String, Vec<u8>)>> {
	let [alice, bob] = [account("//Alice")?, account("//Bob")?].map(|key| key.public_key());
	reserve.state(stated_day(), &[alice, bob]).await
}

/// What the pool says, by a number, when the runtime says this.
fn in_the_pool(refusal: &Refusal) -> ChainError {
	let refusal = match refusal {
		Refusal::Attestations(refusal) => PoolRefusal::Attestations(*refusal),
		Refusal::CoveragePolicy(refusal) => PoolRefusal::CoveragePolicy(*refusal),
		other => panic!("no statement is refused with {other}"),
	};
	ChainError::Refused(Refusal::Pool(refusal))
}

/// The runtime names the reason, and the pool takes nothing, signed or not, so that nobody pays for
/// what fails; after all of it the state is what it was.
async fn all_are_refused(reserve: &Reserve, cases: &[Case]) -> Result<()> {
	let before = state(reserve).await?;
	for Case { name, sent, refusal } in cases {
		let named = reserve.chain.read(&sent.preview()).await;
		assert_eq!(named, Err(ChainError::Refused(refusal.clone())), "{name}");
		let outcome = reserve.chain.submit_authorized(&sent.call(), &once()).await;
		assert_eq!(outcome, Err(in_the_pool(refusal)), "{name} should not get into the pool");
	}
	let charlie = Submitter::new(reserve.chain.clone(), account("//Charlie")?, once());
	let calls: Vec<_> = cases.iter().map(|case| case.sent.call()).collect();
	for (outcome, case) in charlie.submit(&calls).await?.into_iter().zip(cases) {
		assert_eq!(outcome, Err(in_the_pool(&case.refusal)), "{} should cost no fee", case.name);
	}
	assert_eq!(state(reserve).await?, before, "a refused statement changed something");
	Ok(())
}

// --- files, through the command ------------------------------------------------------------------

struct Files<'a> {
	reserve: &'a Reserve,
	trusted: String,
}

impl Files<'_> {
	fn chain(&self) -> String {
		format!("substrate:{:#x}", self.reserve.chain.genesis())
	}

	/// Plans the day's file and has it signed by keys of these seeds, as these roles.
	async fn make(&self, name: &str, price: &str, signers: &[(u8, &str)]) -> Result<String> {
		let file = self.reserve.path(name);
		self.reserve.plan(stated_day(), &file, price, None).await?;
		self.reserve.sign(&file, signers).await?;
		Ok(file)
	}

	/// Writes an altered copy.
	fn alter(&self, file: &str, name: &str, change: impl FnOnce(&mut Value)) -> Result<String> {
		let mut content: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
		change(&mut content);
		let path = self.reserve.path(name);
		fs::write(&path, serde_json::to_string_pretty(&content)?)?;
		Ok(path)
	}

	/// What `attest verify` finds for a day and chain: good signatures, and the error.
	async fn verify(&self, file: &str, day: &str, chain: &str) -> Result<(u64, String)> {
		let arguments = ["attest", "verify", file, "--keys", &self.trusted, "--day", day];
		let run = gridproof(&[&arguments[..], &["--chain", chain]].concat()).await?;
		ensure!(run.success == (run.json["ok"] == true), "{}", run.json);
		let good = run.json["signatures_ok"].as_u64().context("no signatures_ok")?;
		Ok((good, run.json["error"].as_str().unwrap_or_default().to_owned()))
	}

	/// Both the verifier and the submitter refuse it, and the chain stays as it was.
	async fn is_refused(&self, file: &str, found: (u64, &str), reason: &str) -> Result<()> {
		let before = state(self.reserve).await?;
		let (good, error) = self.verify(file, STATED, &self.chain()).await?;
		assert_eq!((good, &*error), found, "{file}");
		let submitted =
			gridproof(&["attest", "submit", file, "--url", &self.reserve.url()]).await?;
		submitted.assert_refused(reason);
		assert_eq!(state(self.reserve).await?, before, "{file} changed something");
		Ok(())
	}
}

/// The digest that a file should state.
fn digest_of(content: &Value) -> Result<String> {
	let parsed = json::parse(content.to_string().as_bytes(), json::Limits::DEFAULT);
	let parsed = parsed.map_err(|error| anyhow::anyhow!("{error}"))?;
	Ok(format!("{:#x}", file_digest(&parsed).context("a file with meta")?))
}

fn signature_of(file: &Value, place: usize) -> Result<RoleSignature> {
	let text = file["meta"]["signatures"][place]["sig"].as_str().context("no signature")?;
	let mut signature = [0; 64];
	for (byte, pair) in signature.iter_mut().zip(text.as_bytes().chunks(2)) {
		*byte = u8::from_str_radix(std::str::from_utf8(pair)?, 16)?;
	}
	Ok(RoleSignature { role: Role::Risk, signature })
}

fn hexadecimal(bytes: &[u8]) -> String {
	bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Files whose signatures do not count.
async fn bad_files_are_refused(files: &Files<'_>) -> Result<()> {
	const ONE: &str = "1 of 2 needed signatures count for this chain";
	const NONE: &str = "0 of 2 needed signatures count for this chain";
	let one = files.make("one.json", PRICE, &[(DATA, "data")]).await?;
	files.is_refused(&one, (1, "threshold"), ONE).await?;
	let twice = files.alter(&one, "twice.json", |file| {
		let signature = file["meta"]["signatures"][0].clone();
		file["meta"]["signatures"].as_array_mut().expect("a list").push(signature);
	})?;
	files.is_refused(&twice, (1, "threshold"), "a role counts once").await?;
	// The outsider's key stands in the file, as the signer's.
	let outsider =
		files.make("outsider.json", PRICE, &[(DATA, "data"), (OUTSIDER, "risk")]).await?;
	ensure!(fs::read_to_string(&outsider)?.matches("\"pubkey\"").count() == 2);
	files.is_refused(&outsider, (1, "threshold"), ONE).await?;
	let wrong = files.make("wrong.json", PRICE, &[(DATA, "data"), (DATA, "ops")]).await?;
	files.is_refused(&wrong, (1, "threshold"), ONE).await?;

	let good = files.make("good.json", PRICE, &[(DATA, "data"), (RISK, "risk")]).await?;
	assert_eq!(files.verify(&good, STATED, &files.chain()).await?, (2, String::new()));
	let altered = files.alter(&good, "altered.json", |file| file["zones_ok"] = json!(46))?;
	files.is_refused(&altered, (0, "digest_mismatch"), "the file was altered").await?;
	let redigested = files.alter(&altered, "redigested.json", |file| {
		file["meta"]["digest_signed"] = digest_of(file).expect("a digest").into();
	})?;
	files.is_refused(&redigested, (0, "threshold"), NONE).await?;
	let malleable = files.alter(&good, "malleable.json", |file| {
		let other = plus_group_order(&signature_of(file, 1).expect("a signature"));
		file["meta"]["signatures"][1]["sig"] = hexadecimal(&other.signature).into();
	})?;
	files.is_refused(&malleable, (1, "threshold"), "another form of a signature (S + L)").await?;
	let elsewhere = files.alter(&good, "elsewhere.json", |file| {
		file["meta"]["chain_hint"] = format!("substrate:{OTHER_GENESIS:#x}").into();
		file["meta"]["digest_signed"] = digest_of(file).expect("a digest").into();
	})?;
	files.is_refused(&elsewhere, (0, "chain_mismatch"), "this node's chain is").await?;
	let other_day = files.verify(&good, "2025-03-25", &files.chain()).await?;
	assert_eq!(other_day, (0, "day_mismatch".to_owned()));
	Ok(())
}

/// Prices that are planned and mint nothing, and one that the chain does not believe.
async fn bad_prices_are_refused(files: &Files<'_>) -> Result<()> {
	for price in ["0", "-92.37"] {
		let planned = files.make("priced.json", price, &[]).await?;
		let file: Value = serde_json::from_str(&fs::read_to_string(planned)?)?;
		ensure!(file["mint_suggested"] == "0.000000", "a mint at {price} EUR/MWh: {file}");
	}
	let absurd = files.make("absurd.json", "9237", &[(DATA, "data"), (OPS, "ops")]).await?;
	let reason = format!("refused by the chain: {}", Policy::PriceTooHigh);
	files.is_refused(&absurd, (2, ""), &reason).await
}

#[tokio::test]
async fn statements_that_two_roles_did_not_sign_or_the_policy_does_not_believe() -> Result<()> {
	let reserve = started().await?;
	let folder = reserve.folder.path();
	reserve.wait_for_day(stated_day().next().context("a next day")?).await?;
	let genesis = reserve.chain.genesis();
	all_are_refused(&reserve, &badly_signed(folder, genesis)?).await?;
	all_are_refused(&reserve, &badly_stated(folder, genesis)?).await?;

	let trusted = reserve.path("trusted.json");
	let keys = [role_key(folder, DATA)?, role_key(folder, RISK)?, role_key(folder, OPS)?];
	let mut members = serde_json::Map::new();
	for (role, key) in ["data", "risk", "ops"].into_iter().zip(&keys) {
		let shown = gridproof(&["keys", "show", key]).await?.done()?;
		members.insert(role.to_owned(), shown["public"].clone());
	}
	fs::write(&trusted, Value::Object(members).to_string())?;
	let files = Files { reserve: &reserve, trusted };
	bad_files_are_refused(&files).await?;
	bad_prices_are_refused(&files).await?;
	after_a_good_one(&files).await?;
	reserve.node.assert_no_errors();
	Ok(())
}

/// The good file is accepted after all of that, and then never again.
async fn after_a_good_one(files: &Files<'_>) -> Result<()> {
	let (reserve, good) = (files.reserve, files.reserve.path("good.json"));
	let submitting = ["attest", "submit", &good, "--url", &reserve.url()];
	let first = gridproof(&submitting).await?.done()?;
	assert_eq!(first["was_there"], false);
	let before = state(reserve).await?;
	// Sent again by the command, it is found there; by hand, it is refused as the replay it is.
	assert_eq!(gridproof(&submitting).await?.done()?["was_there"], true);
	assert_eq!(state(reserve).await?, before, "a replay changed something");
	let content: Value = serde_json::from_str(&fs::read_to_string(&good)?)?;
	let digest = json::parse(content.to_string().as_bytes(), json::Limits::DEFAULT)
		.ok()
		.and_then(|file| file_digest(&file))
		.context("a digest")?;
	let (folder, genesis) = (reserve.folder.path(), reserve.chain.genesis());
	let stated = Signed { folder, fields: honest(), digest, genesis };
	let replay = Sent { fields: honest(), digest, signatures: stated.by_two()? };
	let attested = Refusal::from(AlreadyAttested);
	let again = reserve.chain.read(&replay.preview()).await;
	assert_eq!(again, Err(ChainError::Refused(attested.clone())));
	match reserve.chain.submit_authorized(&replay.call(), &once()).await {
		// As long as the pool knows the very bytes it does not even look at them.
		Err(ChainError::Undecided { .. }) => (),
		refused => assert_eq!(refused, Err(in_the_pool(&attested)), "a replay"),
	}
	assert_eq!(state(reserve).await?, before, "a replay changed something");
	let others = vec![stated.by(DATA, Role::Data)?, stated.by(OPS, Role::Ops)?];
	let next = honest().day.next().context("a next day")?;
	while reserve.today().await? <= next {
		tokio::time::sleep(Duration::from_millis(200)).await;
	}
	// Half as much again as the last price is believed a day later, and not a bit more.
	let rise = AttestationFields { day: next, ..with_price("138.555") };
	let risen = Signed { folder, fields: rise.clone(), digest, genesis };
	let believed = Sent { fields: rise.clone(), digest, signatures: risen.by_two()? };
	assert_eq!(reserve.chain.read(&believed.preview()).await, Ok(rise.hash()));
	let jump = AttestationFields { day: next, ..with_price("138.5550000001") };
	let jumped = Signed { folder, fields: jump.clone(), digest, genesis };
	let other = AttestationFields { revision: 1, replaces: Some(digest), ..honest() };
	let revised = Signed { folder, fields: other.clone(), digest, genesis };
	all_are_refused(
		reserve,
		&[
			case("the same day stated by others", (&honest(), digest, others), AlreadyAttested),
			case(
				"a revision of something else",
				(&other, digest, revised.by_two()?),
				WrongReplacement,
			),
			case(
				"a price that moved too far",
				(&jump, digest, jumped.by_two()?),
				Policy::PriceMovedTooFar,
			),
		],
	)
	.await
}

/// A chain with short days and the grid summary of the stated day.
async fn started() -> Result<Reserve> {
	let folder = tempfile::Builder::new().prefix("gridproof-e2e-refusals-").tempdir()?;
	load(folder.path(), stated_day()).await?;
	Reserve::start(folder, DAY).await
}
