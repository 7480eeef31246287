//! Everything that lies is refused with its reason and kept, whether it comes to the gateway or to
//! the chain; and what is refused changes nothing.

use anyhow::{Context, Result};
use gridproof_chain::pallets::meter_readings::query::preview_batches;
use gridproof_e2e::{
	clients::run,
	metering::{
		Certified, LIMIT, Metering, Signer, breaks, log, minutes_ago, now_ms, within_a_day,
	},
	reserve::gridproof,
	wait,
};
use gridproof_primitives::{
	H256,
	energy::{
		Accepted, BatchHeader, BatchRefusal, MAX_READINGS_PER_BATCH, MeterName, Registers,
		SignedBatch, Topic,
	},
};
use serde_json::Value;
use std::{fs, process::Command, process::Stdio, time::Duration};

/// Rated power: 1,100 Wh of every hour at the most, with tolerance.
const RATED_W: u32 = 1_000;
const NEVER: u32 = 3_600;
const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
/// Bytes that are kept of a message that was refused.
const MOST_KEPT: usize = 4_096;

// --- the gateway ---------------------------------------------------------------------------------

/// A message that has to be refused: what it is, its text, the HTTP status, the reason.
struct Case {
	what: &'static str,
	text: String,
	status: u16,
	reason: &'static str,
}

fn cases(meter: &Certified, start: u64) -> Vec<Case> {
	let good = |energy: &str| log(&meter.name, start, start + MINUTE, energy);
	let with = |from: &str, to: &str| good("0.001").replacen(from, to, 1);
	let ahead = now_ms() / 1_000 * 1_000 + 180_000;
	let case = |what, text, status, reason| Case { what, text, status, reason };
	vec![
		case("no JSON", "{\"site_id\":".into(), 400, "malformed_json"),
		case("a list", "[1]".into(), 422, "not_an_object"),
		case("an unknown field", with("{", "{\"colour\":1,"), 422, "unknown_field"),
		case("a missing field", with("\"interval_s\":60,", ""), 422, "missing_field"),
		case("another schema", with("emlog-1.1", "emlog-9"), 422, "unknown_schema"),
		case("an unknown status", with("\"ok\"", "\"fine\""), 422, "unknown_status"),
		case("negative energy", good("-0.001"), 422, "negative_energy"),
		case("too much energy", good("0.019"), 422, "too_much_energy"),
		case("another interval", with("_s\":60", "_s\":61"), 422, "interval_mismatch"),
		case(
			"the wrong direction",
			with("\"export\"", "\"import\""),
			422,
			"direction_not_certified",
		),
		case(
			"the future",
			log(&meter.name, ahead - MINUTE, ahead, "0.001"),
			422,
			"from_the_future",
		),
		case("too long", with("export", &"x".repeat(5_000)), 413, "too_long"),
	]
}

async fn dead_letters(metering: &Metering) -> Result<Vec<Value>> {
	metering.all("/api/v1/dead-letters?order=asc").await
}

/// Each is refused, kept as it came with its reason, and no log is added.
async fn lies_are_kept_with_their_reason(metering: &Metering, meters: &[Certified]) -> Result<()> {
	let (meter, other) = (&meters[0], &meters[1]);
	let start = minutes_ago(600);
	let mut expected = Vec::new();
	for Case { what, text, status, reason } in cases(meter, start) {
		let (answered, answer) = metering.post_log(meter, &text).await?;
		assert_eq!((answered, &answer["error"]), (status, &reason.into()), "{what}: {answer}");
		assert!(
			answer["detail"].as_str().is_some_and(|detail| detail.len() > 10),
			"{what}: {answer}"
		);
		expected.push((reason.to_owned(), text));
	}
	// The same log by another device, and by nobody.
	let good = log(&meter.name, start, start + MINUTE, "0.001");
	let (status, answer) = metering.post_log(other, &good).await?;
	assert_eq!((status, &answer["error"]), (403, &"wrong_device".into()), "{answer}");
	let (status, answer) = metering.post("/api/v1/logs", &good).await?;
	assert_eq!((status, &answer["error"]), (401, &"unproven".into()), "{answer}");
	expected
		.extend([("wrong_device".to_owned(), good.clone()), ("unproven".to_owned(), good.clone())]);
	assert_eq!(metering.all("/api/v1/logs").await?.len(), 0, "none of them is a log");

	// The good one is taken once, however often it is sent; what shares its time is refused.
	let (status, first) = metering.post_log(meter, &good).await?;
	assert_eq!(status, 200, "{first}");
	let (status, again) = metering.post_log(meter, &good).await?;
	assert_eq!((status, &again["id"]), (200, &first["id"]), "a replay is answered alike");
	let overlapping = log(&meter.name, start + MINUTE / 2, start + 2 * MINUTE, "0.002");
	let (status, answer) = metering.post_log(meter, &overlapping).await?;
	assert_eq!((status, &answer["error"]), (409, &"overlap".into()), "{answer}");
	expected.push(("overlap".to_owned(), overlapping));
	// Half of the allowed skew is no future.
	let soon = now_ms() / 1_000 * 1_000 + 30_000;
	let ahead = log(&meter.name, soon - MINUTE, soon, "0.001");
	assert_eq!(metering.post_log(meter, &ahead).await?.0, 200, "clocks may differ by a minute");
	assert_eq!(metering.all("/api/v1/logs").await?.len(), 2);

	let kept = dead_letters(metering).await?;
	let kept: Vec<(String, String)> = kept.iter().map(reason_and_payload).collect();
	for (_, text) in &mut expected {
		text.truncate(MOST_KEPT);
	}
	assert_eq!(kept, expected, "nothing is dropped in silence");
	Ok(())
}

fn reason_and_payload(letter: &Value) -> (String, String) {
	let text = |name: &str| letter[name].as_str().unwrap_or_default().to_owned();
	(text("reason"), text("payload"))
}

/// Over MQTT nobody is answered, so the dead letters have to tell.
async fn wrong_topics_are_kept(metering: &Metering, meters: &[Certified]) -> Result<()> {
	let (meter, sibling) = (&meters[0], &meters[2]);
	let publish = |topic: &str, text: &str| {
		run(Command::new("mosquitto_pub")
			.args(["-h", "127.0.0.1", "-p", &metering.mqtt.to_string(), "-q", "1", "-t", topic])
			.args(["-u", &meter.username, "-P", &meter.password, "-m", text]))
	};
	let before = dead_letters(metering).await?.len();
	let start = minutes_ago(500);
	let of_sibling = log(&sibling.name, start, start + MINUTE, "0.001");
	publish(&Topic::Readings.of(&meter.name), &of_sibling)?;
	publish(&Topic::Readings.of(&meter.name), "{\"no\": JSON}")?;
	let letters = wait::until("two dead letters", Duration::from_secs(10), async || {
		let letters = dead_letters(metering).await?;
		Ok((letters.len() >= before + 2).then_some(letters))
	})
	.await?;
	let found: Vec<(String, String)> = letters[before..].iter().map(reason_and_payload).collect();
	let wanted = [("wrong_topic", of_sibling.as_str()), ("malformed_json", "{\"no\": JSON}")];
	assert_eq!(found, wanted.map(|(reason, text)| (reason.to_owned(), text.to_owned())));
	assert_eq!(letters[before]["topic"], Topic::Readings.of(&meter.name));
	Ok(())
}

/// Two flushes in one second make two batches with proofs of their own. The meter is not certified:
/// a certified one's next batch waits until the one before is signed.
async fn two_flushes_in_a_second(metering: &Metering) -> Result<()> {
	let name =
		MeterName::new("SITE-9", "gw-9", "m-9").map_err(|fault| anyhow::anyhow!("{fault}"))?;
	let (start, mut ids) = (minutes_ago(400), Vec::new());
	for minute in [0, 1] {
		let begin = start + minute * MINUTE;
		let (status, log) =
			metering.post("/api/v1/logs", &log(&name, begin, begin + MINUTE, "0.0001")).await?;
		assert_eq!(status, 200, "{log}");
		let (status, batch) = metering.post("/api/v1/batches/flush", "").await?;
		assert_eq!(status, 200, "{batch}");
		assert_eq!(batch["log_ids"], Value::Array(vec![log["id"].clone()]));
		ids.push((batch["id"].clone(), log["id"].as_str().unwrap_or_default().to_owned()));
	}
	let (status, answer) = metering.post("/api/v1/batches/flush", "").await?;
	assert_eq!((status, &answer["error"]), (400, &"nothing_pending".into()), "{answer}");
	assert_ne!(ids[0].0, ids[1].0);
	for (batch, log) in &ids {
		let path = format!("/api/v1/logs/{log}/proof");
		let (_, proof) = metering.text(reqwest::Method::GET, &path, "").await?;
		let document: Value = serde_json::from_str(&proof)?;
		assert_eq!((&document["batch_id"], &document["tree_size"]), (batch, &1.into()));
		fs::write(metering.path("proof.json"), proof)?;
		gridproof(&["proof", "verify", &metering.path("proof.json")]).await?.done()?;
	}
	Ok(())
}

/// A batch holds 10,000 readings; the 10,001st is in the next, and none is lost.
async fn a_full_batch_is_followed_by_another(metering: &Metering, meter: &Certified) -> Result<()> {
	let count = u64::from(MAX_READINGS_PER_BATCH) + 1;
	let start = within_a_day(count * 1_000);
	let lines: Vec<String> = (0..count)
		.map(|second| {
			let begin = start + second * 1_000;
			log(&meter.name, begin, begin + 1_000, "0.000001")
		})
		.collect();
	let file = metering.path("many.jsonl");
	fs::write(&file, lines.join("\n") + "\n")?;
	let status = Command::new("mosquitto_pub")
		.args(["-h", "127.0.0.1", "-p", &metering.mqtt.to_string(), "-q", "1", "-l"])
		.args(["-u", &meter.username, "-P", &meter.password])
		.args(["-t", &Topic::Readings.of(&meter.name)])
		.stdin(Stdio::from(fs::File::open(file)?))
		.status()?;
	assert!(status.success(), "mosquitto_pub: {status}");
	let (_, pending) = metering.get("/api/v1/status").await?;
	wait::until("all readings", LIMIT, async || {
		let path =
			format!("/api/v1/logs?meter={}&limit=1&offset={}", meter.name.meter(), count - 1);
		let (_, last) = metering.get(&path).await?;
		Ok(last.as_array().is_some_and(|last| last.len() == 1).then_some(()))
	})
	.await
	.with_context(|| pending.to_string())?;
	// The next batch of a meter is made when the one before is signed.
	wait::until("both batches", LIMIT, async || {
		metering.post("/api/v1/batches/flush", "").await?;
		let pending = metering.all("/api/v1/logs?status=pending").await?;
		Ok(pending.is_empty().then_some(()))
	})
	.await?;
	metering.accepted(LIMIT).await?;
	let first = metering.on_chain(meter.index, 0).await?.context("no first batch")?;
	let second = metering.on_chain(meter.index, 1).await?.context("no second batch")?;
	assert_eq!((first.header.readings, second.header.readings), (MAX_READINGS_PER_BATCH, 1));
	// A thousandth of a Wh each: ten whole Wh.
	assert_eq!(metering.kwh(&meter.energy_account).await?, 10);
	Ok(())
}

/// An electrician suspends a meter: the gateway takes its logs, which are on its device's list, and the
/// chain takes none of them.
async fn a_suspended_meter_is_stopped(metering: &Metering, meter: &Certified) -> Result<()> {
	let (name, url) = (meter.name.to_string(), metering.node.rpc_url());
	let suspend = ["meter", "suspend", &name, "--reason", "broken-seal", "--suri", "//Alice"];
	gridproof(&[&suspend[..], &["--url", &url]].concat()).await?.done()?;
	let start = minutes_ago(1_200);
	let (status, answer) =
		metering.post_log(meter, &log(&meter.name, start, start + MINUTE, "0.001")).await?;
	assert_eq!(status, 200, "{answer}");
	let letters = dead_letters(metering).await?;
	assert!(letters.iter().all(|letter| letter["reason"] != "suspended"));
	Ok(())
}

// --- the chain -----------------------------------------------------------------------------------

/// A batch that the chain has to refuse, and why.
type Bad = (&'static str, SignedBatch, BatchRefusal);

/// The next good header of a meter on chain: an hour with 500 Wh.
async fn good(metering: &Metering, meter: &Certified) -> Result<BatchHeader> {
	let state = metering.meter(meter.index).await?.state;
	let closing = Registers { export_wh: state.registers.export_wh + 500, ..state.registers };
	Ok(BatchHeader {
		meter: meter.index,
		sequence: state.next_sequence,
		previous: state.last_hash,
		start_ms: state.last_end_ms,
		end_ms: state.last_end_ms + HOUR,
		opening: state.registers,
		closing,
		readings: 4,
		root: H256([7; 32]),
		cid: None,
	})
}

fn signed(metering: &Metering, meter: &Certified, header: BatchHeader) -> Result<SignedBatch> {
	let payload = header.signing_payload(&metering.chain.genesis());
	let signature = metering.key(meter)?.sign(&payload);
	Ok(SignedBatch { header, signature })
}

async fn bad_batches(metering: &Metering, meters: &[Certified]) -> Result<Vec<Bad>> {
	let (meter, other) = (&meters[3], &meters[4]);
	let first = good(metering, meter).await?;
	let sign = |header: BatchHeader| signed(metering, meter, header);
	let with = |change: &dyn Fn(&mut BatchHeader)| {
		let mut header = first.clone();
		change(&mut header);
		sign(header)
	};
	let (last, register) = (first.start_ms, first.opening.export_wh);
	let far = now_ms() + 2 * HOUR;
	let foreign = {
		let payload = first.signing_payload(&H256([9; 32]));
		SignedBatch { header: first.clone(), signature: metering.key(meter)?.sign(&payload) }
	};
	let by_other = signed(metering, other, first.clone())?;
	let max = MAX_READINGS_PER_BATCH;
	Ok(vec![
		("an unknown meter", with(&|h| h.meter = 999)?, BatchRefusal::UnknownMeter),
		("another genesis", foreign, BatchRefusal::BadSignature),
		("another device", by_other, BatchRefusal::BadSignature),
		("a gap", with(&|h| h.sequence += 1)?, BatchRefusal::SequenceGap { expected: 1 }),
		("a replay", with(&|h| h.sequence = 0)?, BatchRefusal::SequenceUsed { expected: 1 }),
		("another past", with(&|h| h.previous = H256([1; 32]))?, BatchRefusal::WrongPrevious),
		("no reading", with(&|h| h.readings = 0)?, BatchRefusal::NoReadings),
		("one too many", with(&|h| h.readings = max + 1)?, BatchRefusal::TooManyReadings { max }),
		("no time", with(&|h| h.end_ms = h.start_ms)?, BatchRefusal::EmptyInterval),
		("an overlap", with(&|h| h.start_ms -= 1)?, BatchRefusal::Overlap { last_end_ms: last }),
		("the future", with(&|h| h.end_ms = far)?, BatchRefusal::FutureInterval { latest_ms: 0 }),
		(
			"a falling register",
			with(&|h| h.closing.export_wh = register - 1)?,
			BatchRefusal::RegisterFell,
		),
		("a jump", with(&|h| h.opening.export_wh += 1)?, BatchRefusal::RegisterJumped),
		(
			"the wrong direction",
			with(&|h| h.closing.import_wh += 1)?,
			BatchRefusal::DirectionNotCertified,
		),
		(
			"too much energy",
			with(&|h| h.closing.export_wh = register + 1_101)?,
			BatchRefusal::TooMuchEnergy { max_wh: 1_100 },
		),
	])
}

/// The refusal without the chain's clock, which goes on from one question to the next.
fn without_clock(refusal: &BatchRefusal) -> BatchRefusal {
	match refusal {
		BatchRefusal::FutureInterval { .. } => BatchRefusal::FutureInterval { latest_ms: 0 },
		other => *other,
	}
}

async fn preview(
	metering: &Metering,
	batches: &[SignedBatch],
) -> Result<Vec<Result<Accepted, BatchRefusal>>> {
	Ok(metering.chain.read(&preview_batches(batches)).await?)
}

/// The chain previews each with its reason, takes none of them for free, and stays as it was.
async fn the_chain_refuses(metering: &Metering, meters: &[Certified]) -> Result<()> {
	let meter = &meters[3];
	metering.submit_once(&[signed(metering, meter, starting(metering, meter).await?)?]).await?;
	let before = metering.meter(meter.index).await?;
	let (issued, bad) = (metering.kwh_issuance().await?, bad_batches(metering, meters).await?);
	for (what, batch, refusal) in &bad {
		let said = preview(metering, std::slice::from_ref(batch)).await?;
		let [Err(said)] = &said[..] else { anyhow::bail!("{what}: {said:?}") };
		assert_eq!(&without_clock(said), refusal, "{what}");
		let sent = metering.submit_once(std::slice::from_ref(batch)).await;
		assert!(sent.as_ref().is_err_and(|it| breaks(it, refusal)), "{what}: {sent:?}");
	}
	// A good one among bad ones is refused with them where it pays no fee.
	let fine = signed(metering, meter, good(metering, meter).await?)?;
	let mixed = [fine.clone(), bad[0].1.clone()];
	let sent = metering.submit_once(&mixed).await;
	assert!(sent.as_ref().is_err_and(|it| breaks(it, &bad[0].2)), "{sent:?}");
	assert_eq!(metering.meter(meter.index).await?, before, "nothing changed");
	assert_eq!(metering.kwh_issuance().await?, issued, "nothing was minted");

	metering.submit_once(std::slice::from_ref(&fine)).await?;
	assert_eq!(metering.kwh_issuance().await?, issued + 500);
	let again = metering.submit_once(std::slice::from_ref(&fine)).await;
	assert!(again.is_err(), "a replay: {again:?}");
	assert_eq!(metering.kwh_issuance().await?, issued + 500, "minted exactly once");
	Ok(())
}

/// The first batch of a meter, from ten hours ago.
async fn starting(metering: &Metering, meter: &Certified) -> Result<BatchHeader> {
	let mut header = good(metering, meter).await?;
	header.start_ms = minutes_ago(600);
	header.end_ms = header.start_ms + HOUR;
	Ok(header)
}

#[tokio::test]
async fn what_lies_is_refused_with_its_reason_and_nothing_is_lost() -> Result<()> {
	let names = [
		("SITE-1/gw-1/m-1", Signer::Gateway),
		("SITE-1/gw-2/m-2", Signer::Gateway),
		("SITE-1/gw-1/m-3", Signer::Gateway),
		("SITE-1/dev-4/m-4", Signer::Device),
		("SITE-1/dev-5/m-5", Signer::Device),
		("SITE-1/gw-6/m-6", Signer::Gateway),
	];
	let (metering, meters) = Metering::start(&names, RATED_W, NEVER).await?;
	lies_are_kept_with_their_reason(&metering, &meters).await?;
	wrong_topics_are_kept(&metering, &meters).await?;
	metering.flush().await?;
	metering.accepted(LIMIT).await?;
	a_full_batch_is_followed_by_another(&metering, &meters[5]).await?;
	the_chain_refuses(&metering, &meters).await?;
	two_flushes_in_a_second(&metering).await?;
	a_suspended_meter_is_stopped(&metering, &meters[1]).await?;
	metering.node.assert_no_errors();
	Ok(())
}
