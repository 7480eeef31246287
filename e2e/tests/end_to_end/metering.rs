//! Readings of real MQTT clients, of an HTTP client of the older gateway and of signing devices, from
//! the first message to KWH on chain and a proof that others check.

use anyhow::{Context, Result, ensure};
use gridproof_chain::{
	Chain, Patience,
	pallets::{assets, meter_readings::query::verify_reading, multisig},
};
use gridproof_device::{Binding, Broker, Counters, Device, Link, Login, Reading, SharedDevice};
use gridproof_e2e::{
	clients::{python, python_script, run},
	metering::{Certified, LIMIT, Metering, OWNER, Signer, log, minutes_ago, within_a_day},
	reserve::gridproof,
	transfers::account,
	wait,
};
use gridproof_keys::AccountKey;
use gridproof_primitives::{
	codec::json::{self, Limits},
	energy::emlog::{Energy, EnergyLog},
	energy::{Direction, Topic},
	num::units::KWH_ASSET_ID,
};
use serde_json::{Value, json};
use std::{
	fs,
	process::{Command, Stdio},
	sync::Arc,
	time::Duration,
};

/// Rated power of the meters.
const RATED_W: u32 = 1_000_000;
/// Nothing is batched but by hand.
const NEVER: u32 = 3_600;
/// Energies whose sum is no whole number of Wh: 41,640.30000000000004 Wh.
const ENERGIES: [&str; 5] = ["12.34", "5", "7.25", "17.0500000000000004e0", "0.00029999999999999"];

/// The logs that a client publishes, five minutes each, all in one UTC day.
fn logs(meter: &Certified) -> Vec<String> {
	let start = within_a_day(25 * 60_000);
	(0u64..)
		.zip(ENERGIES)
		.map(|(number, energy)| {
			let begin = start + number * 300_000;
			log(&meter.name, begin, begin + 300_000, energy)
		})
		.collect()
}

/// What the meter's register shows after these logs: whole Wh of the exact sum.
fn register(logs: &[String]) -> Result<u64> {
	let mut sum = Energy::ZERO;
	for log in logs {
		let log = EnergyLog::parse(log.as_bytes()).map_err(|fault| anyhow::anyhow!("{fault}"))?;
		sum = sum.checked_add(&log.counted()).context("too much")?;
	}
	Ok(sum.floor_wh())
}

/// Publishes with mosquitto's own client, QoS 1, one reading a line.
fn mosquitto(metering: &Metering, meter: &Certified, lines: &[String]) -> Result<()> {
	let file = metering.path("mosquitto.jsonl");
	fs::write(&file, lines.join("\n") + "\n")?;
	let status = Command::new("mosquitto_pub")
		.args(["-h", "127.0.0.1", "-p", &metering.mqtt.to_string(), "-q", "1", "-l"])
		.args(["-u", &meter.username, "-P", &meter.password])
		.args(["-t", &Topic::Readings.of(&meter.name), "-i", "mosquitto-publisher"])
		.stdin(Stdio::from(fs::File::open(file)?))
		.status()
		.context("cannot run mosquitto_pub: ./scripts/setup.sh test installs it")?;
	ensure!(status.success(), "mosquitto_pub: {status}");
	Ok(())
}

/// Publishes with paho, QoS 1.
fn paho(metering: &Metering, meter: &Certified, lines: &[String]) -> Result<()> {
	let file = metering.path("paho.jsonl");
	fs::write(&file, lines.join("\n") + "\n")?;
	let status = Command::new(python()?)
		.arg(python_script("publish.py"))
		.args([&metering.mqtt.to_string(), &meter.username, &meter.password])
		.arg(Topic::Readings.of(&meter.name))
		.stdin(Stdio::from(fs::File::open(file)?))
		.stdout(Stdio::null())
		.status()?;
	ensure!(status.success(), "publish.py: {status}");
	Ok(())
}

/// A device that signs, with the library that a meter's maker would take.
async fn device(
	metering: &Metering,
	meter: &Certified,
) -> Result<(Link, SharedDevice, Vec<String>)> {
	let mut device = Device::in_memory(metering.key(meter)?, meter.name.clone(), Direction::Export);
	device.bind(Binding { genesis: metering.chain.genesis(), meter: meter.index })?;
	let shared = SharedDevice::new(device);
	let broker = Broker::parse(&format!("mqtt://127.0.0.1:{}", metering.mqtt), None)?;
	let login = Login { username: meter.username.clone(), password: meter.password.clone().into() };
	let link = Link::open(
		&broker,
		"a-device",
		Some(&login),
		vec![shared.clone()],
		Arc::new(Counters::default()),
		LIMIT,
	)
	.await?;
	let start = within_a_day(25 * 60_000);
	let mut readings = Vec::new();
	for (number, energy) in (0u64..).zip(ENERGIES) {
		let begin = start + number * 300_000;
		let energy = Energy::parse_kwh(energy).map_err(|fault| anyhow::anyhow!("{fault}"))?;
		readings.push(Reading::new(begin, begin + 300_000, energy, Direction::Export));
	}
	link.publish(&shared, &readings).await?;
	link.settle(LIMIT).await;
	let logs = shared.lock().again()?;
	Ok((link, shared, logs.into_iter().map(|log| log.payload).collect()))
}

/// The canonical form of a log of the API, without what the gateway adds.
fn as_sent(log: &json::Value) -> String {
	let mut log = log.clone();
	for added in ["id", "batch_id", "leaf_hash"] {
		log.remove(added);
	}
	log.to_canonical()
}

fn parsed(text: &str) -> Result<json::Value> {
	let limits = Limits { max_bytes: text.len(), max_depth: 16 };
	json::parse(text.as_bytes(), limits).map_err(|error| anyhow::anyhow!("{error}"))
}

/// Every log that was sent is found by the API, once, with its numbers as they were written; gives
/// their ids in the order in which they were sent, which need not be that of their arrival.
async fn found(metering: &Metering, meter: &Certified, sent: &[String]) -> Result<Vec<String>> {
	let path = format!("/api/v1/logs?device={}&limit=1000", meter.name.device());
	let (_, text) = metering.text(reqwest::Method::GET, &path, "").await?;
	let kept = parsed(&text)?;
	let kept = kept.as_array().context("no list")?;
	let forms: Vec<String> = kept.iter().map(as_sent).collect();
	assert_eq!(forms.len(), sent.len(), "{}: each is kept once", meter.name);
	let id = |log: &json::Value| log.get("id").and_then(json::Value::as_str).map(str::to_owned);
	let mut ids = Vec::new();
	for log in sent {
		let wanted = parsed(log)?.to_canonical();
		let place = forms.iter().position(|form| *form == wanted);
		let place = place.with_context(|| format!("{}: not kept as sent: {log}", meter.name))?;
		ids.push(id(&kept[place]).context("no id")?);
	}
	Ok(ids)
}

/// Checks the proof of each reading: by the command, offline and against the chain, by the chain
/// itself, and by an implementation of others.
async fn proofs_hold(metering: &Metering, meter: &Certified, ids: &[String]) -> Result<()> {
	let mut documents = Vec::new();
	for (number, id) in ids.iter().enumerate() {
		let path = format!("/api/v1/logs/{id}/proof");
		let (status, text) = metering.text(reqwest::Method::GET, &path, "").await?;
		ensure!(status == 200, "{id}: {text}");
		let file = metering.path("proof.json");
		fs::write(&file, &text)?;
		let verify = ["proof", "verify", &file];
		gridproof(&verify).await?.done()?;
		gridproof(&[&verify[..], &["--url", &metering.node.rpc_url()]].concat()).await?.done()?;
		on_chain(&metering.chain, meter, &text, number).await?;
		let batch = parsed(&text)?.get("batch_id").and_then(json::Value::as_str).map(str::to_owned);
		let batch = batch.context("no batch")?;
		let path = format!("/api/v1/batches/{batch}/export");
		let (_, export) = metering.text(reqwest::Method::GET, &path, "").await?;
		let export = parsed(&export)?;
		let logs = export.get("logs").and_then(json::Value::as_array).context("no logs")?;
		let leaves: Vec<String> = logs.iter().map(as_sent).collect();
		let proof: Value = serde_json::from_str(&text)?;
		documents.push(json!({ "leaves": leaves, "proof": proof }).to_string());
	}
	let file = metering.path("documents.jsonl");
	fs::write(&file, documents.join("\n"))?;
	run(Command::new(python()?).arg(python_script("rfc6962.py")).arg(file))?;
	Ok(())
}

/// The chain confirms the reading at its place, and nowhere else.
async fn on_chain(chain: &Chain, meter: &Certified, proof: &str, number: usize) -> Result<()> {
	let proof = parsed(proof)?;
	let member = |name: &str| proof.get(name).with_context(|| format!("no {name}"));
	let whole = |name: &str| member(name)?.as_u128().context("number");
	let steps = member("proof")?.as_array().context("no steps")?;
	let mut siblings = Vec::new();
	for step in steps {
		let hash = step.get("hash").and_then(json::Value::as_str).context("no hash")?;
		let mut bytes = [0; 32];
		hex::decode_to_slice(hash, &mut bytes)?;
		siblings.push(bytes.into());
	}
	assert_eq!(whole("meter")?, u128::from(meter.index));
	let batch = (meter.index, u64::try_from(whole("sequence")?)?);
	let mut leaf = member("log")?.to_canonical().into_bytes();
	let index = u32::try_from(whole("index")?)?;
	assert_eq!(usize::try_from(index)?, number, "logs keep their order");
	assert_eq!(chain.read(&verify_reading(batch, &leaf, index, &siblings)).await?, Ok(()));
	let elsewhere = verify_reading(batch, &leaf, (index + 1) % 5, &siblings);
	assert!(chain.read(&elsewhere).await?.is_err(), "at another place");
	let digit = leaf.iter_mut().find(|byte| **byte == b'3').context("a digit")?;
	*digit = b'4';
	let altered = verify_reading(batch, &leaf, index, &siblings);
	assert!(chain.read(&altered).await?.is_err(), "with another digit");
	Ok(())
}

/// The batch's header on chain says what the logs add up to, and the KWH are there, to the Wh.
async fn minted(metering: &Metering, meter: &Certified, sent: &[String]) -> Result<u64> {
	let exported = register(sent)?;
	let info = metering.meter(meter.index).await?;
	assert_eq!(info.state.registers.export_wh, exported, "{}", meter.name);
	assert_eq!(info.state.registers.import_wh, 0, "{}", meter.name);
	assert_eq!(info.state.next_sequence, 1, "{}", meter.name);
	assert_eq!(metering.kwh(&meter.energy_account).await?, u128::from(exported), "{}", meter.name);
	let record = metering.on_chain(meter.index, 0).await?.context("no batch on chain")?;
	assert_eq!(record.minted_wh, exported);
	assert_eq!(usize::try_from(record.header.readings)?, sent.len());
	Ok(exported)
}

/// The owner spends the energy with the device's public key alone as the other signatory, which
/// works for exactly one account: the 1-of-2 of both.
async fn the_owner_alone_can_spend(metering: &Metering, meter: &Certified, wh: u64) -> Result<()> {
	let receiver = account("//receiver of energy")?.public_key().0;
	let transfer = assets::call::transfer(KWH_ASSET_ID, receiver, wh.into());
	let call = multisig::call::as_multi_threshold_1(meter.device_key, transfer);
	let owner = AccountKey::from(account(OWNER)?);
	metering.chain.submit(&owner, &call, &Patience::default()).await?;
	assert_eq!(metering.kwh(&receiver).await?, u128::from(wh));
	assert_eq!(metering.kwh(&meter.energy_account).await?, 0);
	Ok(())
}

#[tokio::test]
async fn readings_of_real_clients_become_kwh_and_proofs_that_others_check() -> Result<()> {
	let names = [
		("SITE-1/gw-1/mosquitto", Signer::Gateway),
		("SITE-1/gw-2/paho", Signer::Gateway),
		("SITE-1/dev-3/signing", Signer::Device),
	];
	let (metering, meters) = Metering::start(&names, RATED_W, NEVER).await?;
	let [first, second, third] = &meters[..] else { anyhow::bail!("three meters") };
	let (ours, theirs) = (logs(first), logs(second));
	mosquitto(&metering, first, &ours)?;
	paho(&metering, second, &theirs)?;
	let (_link, shared, signed) = device(&metering, third).await?;

	let sent = [(first, ours), (second, theirs), (third, signed)];
	let mut ids = Vec::new();
	for (meter, logs) in &sent {
		ids.push(found(&metering, meter, logs).await?);
	}
	assert_eq!(metering.flush().await?.len(), 3, "one batch for each meter");
	let batches = metering.accepted(LIMIT).await?;
	assert_eq!(batches.len(), 3);
	assert_eq!(shared.lock().unsigned(), 0, "the device signed all of its logs");
	let mut all = 0;
	for ((meter, logs), ids) in sent.iter().zip(&ids) {
		all += minted(&metering, meter, logs).await?;
		proofs_hold(&metering, meter, ids).await?;
	}
	assert_eq!(metering.kwh_issuance().await?, u128::from(all), "and no other KWH exist");
	the_owner_alone_can_spend(&metering, first, register(&sent[0].1)?).await?;
	the_day_in_sats(&metering, first, &sent[0].1).await?;
	metering.node.assert_no_errors();
	Ok(())
}

/// The command adds up a device's day from the same logs.
async fn the_day_in_sats(metering: &Metering, meter: &Certified, sent: &[String]) -> Result<()> {
	let mut days = std::collections::BTreeMap::<String, u64>::new();
	for log in sent {
		let log = EnergyLog::parse(log.as_bytes()).map_err(|fault| anyhow::anyhow!("{fault}"))?;
		let day = gridproof_primitives::time::day::Day::from_unix_millis(log.end_ms - 1);
		*days.entry(day.to_iso()).or_default() += log.payment.amount_sats;
	}
	for (day, sats) in days {
		let device = meter.name.device();
		let arguments =
			["anchor", "sats", "--day", &day, "--device", device, "--api", &metering.http];
		let shown = gridproof(&arguments).await?.done()?;
		assert_eq!(shown["total"]["amount_sats"], sats, "{shown}");
	}
	Ok(())
}

#[tokio::test]
async fn a_client_of_the_older_gateway_works_unchanged() -> Result<()> {
	let (metering, _) = Metering::start(&[], RATED_W, NEVER).await?;
	let day =
		gridproof_primitives::time::day::Day::from_unix_millis(minutes_ago(2 * 24 * 60)).to_iso();
	let printed = run(Command::new(python()?).arg(python_script("older_client.py")).args([
		&metering.http,
		"PLANT-01",
		"gw-PLANT01-003",
		"MTR-001",
		&day,
	]))?;
	let printed: Value = serde_json::from_str(&printed)?;
	let id = printed["logs"][0].as_str().context("no id")?;
	let path = format!("/api/v1/logs/{id}/proof");
	let (_, proof) = metering.text(reqwest::Method::GET, &path, "").await?;
	fs::write(metering.path("proof.json"), &proof)?;
	gridproof(&["proof", "verify", &metering.path("proof.json")]).await?.done()?;

	// Its devices publish short messages, whose meter is in the topic.
	let topic = "energy/PLANT-01/gw-PLANT01-003/MTR-002";
	let short = json!({
		"ts_start": format!("{day}T11:00:00Z"), "ts_end": format!("{day}T11:05:00Z"),
		"interval_s": 300, "energy_kwh": 12.34, "power_kw_avg": 2.47, "price_sats_per_kwh": 100,
		"status": "ok", "tags": ["peak"],
	});
	// The meter is not certified, so its device needs a name, and no more.
	let data = metering.path("gateway");
	let added = ["gateway", "device", "add", "PLANT-01/gw-PLANT01-003", "--data", &data];
	let added = gridproof(&added).await?.done()?;
	let text = |name: &str| added[name].as_str().unwrap_or_default().to_owned();
	run(Command::new("mosquitto_pub")
		.args(["-h", "127.0.0.1", "-p", &metering.mqtt.to_string(), "-q", "1", "-t", topic])
		.args(["-u", &text("username"), "-P", &text("password"), "-m", &short.to_string()]))?;
	let log = wait::until("the short message as a log", Duration::from_secs(10), async || {
		let found = metering.all("/api/v1/logs?meter=MTR-002").await?;
		Ok(found.first().cloned())
	})
	.await?;
	assert_eq!(log["schema_version"], "emlog-1.1");
	assert_eq!((&log["energy_kwh"], &log["tx"]["amount_sats"]), (&json!(12.34), &json!(1234)));
	let record = metering.path("anchor.json");
	let (id, api) = (printed["batch"].as_str().context("no batch")?, metering.http.as_str());
	let create = ["anchor", "create", "--from-batch", id, "--api", api, "--network", "regtest"];
	gridproof(&[&create[..], &["--record", &record, "--simulate"]].concat()).await?.done()?;
	let (_, batch) = metering.get(&format!("/api/v1/batches/{id}")).await?;
	assert_eq!(batch["anchor_status"], "simulated", "never shown as anything else");
	Ok(())
}
