//! Anchors on a real Bitcoin network of its own, through the `gridproof` command: made by a wallet's
//! RPC and by a wallet that signs PSBTs, broadcast, watched, verified, taken back.

use anyhow::{Context, Result};
use gridproof_chain::{
	H256, Patience,
	pallets::{
		meter_readings::{self, query::anchor},
		sudo,
	},
};
use gridproof_e2e::{
	bitcoin::Regtest,
	clients::{python, python_script, run},
	metering::{self, Metering, Signer},
	reserve::{Run, gridproof},
	wait,
};
use gridproof_gateway_api::{BatchView, Client};
use gridproof_keys::account::{AccountKey, development_signer};
use gridproof_primitives::energy::AnchorState;
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command, time::Duration};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(30);
/// Root of the first tree of the shared vectors.
const ROOT: &str = "fcfaf9b5e51b3c919213338d87566a3d7230ce7903f00ff4e41d8a93835aff21";
const OTHER: &str = "6083b1e064a39b9201572b546e45c458ff315fa130e004dd7562ec773acae9a3";
/// Signatures of today's wallets are valid on a regtest network after three periods of 144 blocks;
/// the first rewards may be spent by then.
const HISTORY: u32 = 3 * 144;

/// A Bitcoin node with money, and the files of the anchors.
struct Bench {
	bitcoin: Regtest,
	folder: TempDir,
	cookie: String,
	/// Where the wallet's money goes, in bcoin's form.
	miner: String,
}

impl Bench {
	async fn start() -> Result<Self> {
		let folder = tempfile::Builder::new().prefix("gridproof-e2e-anchors-").tempdir()?;
		let bitcoin = Regtest::start(folder.path()).await?;
		let cookie = bitcoin.cookie(folder.path())?;
		let miner = bitcoin.wallet("getnewaddress", json!(["default"])).await?;
		let miner = miner.as_str().context("no address")?.to_owned();
		let bench = Self { bitcoin, folder, cookie, miner };
		let external = bench.bitcoin.external_wallet()?;
		bench.mine(2).await?;
		bench.bitcoin.mine(1, external["bcoin"].as_str().context("no address")?).await?;
		bench.mine(HISTORY).await?;
		wait::until("money in the wallet", LIMIT, async || {
			let balance = bench.bitcoin.wallet("getbalance", json!([])).await?;
			Ok(balance.as_f64().filter(|balance| *balance >= 100.0))
		})
		.await?;
		Ok(bench)
	}

	async fn mine(&self, count: u32) -> Result<()> {
		self.bitcoin.mine(count, &self.miner).await
	}

	fn path(&self, name: &str) -> String {
		self.folder.path().join(name).display().to_string()
	}

	/// Runs `gridproof anchor …` with the node's RPC.
	async fn anchor(&self, arguments: &[&str]) -> Result<Run> {
		let rpc = ["--rpc", &self.bitcoin.url, "--rpc-auth", &self.cookie];
		gridproof(&[&["anchor"], arguments, &rpc].concat()).await
	}

	/// Asserts what `anchor status` says.
	async fn status_is(&self, record: &str, state: &str, confirmations: u32) -> Result<Value> {
		let status = self.anchor(&["status", "--record", record]).await?.done()?;
		assert_eq!(status["state"], state, "{status}");
		assert_eq!(status["confirmations"], confirmations, "{status}");
		Ok(status)
	}

	/// Asserts that `anchor verify` succeeds exactly for a confirmed anchor.
	async fn verify(&self, record: &str, confirmed: bool, confirmations: u32) -> Result<Value> {
		let verified = self.anchor(&["verify", "--record", record]).await?;
		assert_eq!(verified.success, confirmed, "{}", verified.json);
		assert_eq!(verified.json["confirmed"], confirmed, "{}", verified.json);
		assert_eq!(verified.json["confirmations"], confirmations, "{}", verified.json);
		Ok(verified.json)
	}
}

#[tokio::test]
async fn an_anchor_is_confirmed_by_six_blocks_and_taken_back_by_a_reorganisation() -> Result<()> {
	let bench = Bench::start().await?;
	let record = bench.path("anchor.json");
	let created = bench
		.anchor(&[
			"create",
			"--root",
			ROOT,
			"--network",
			"regtest",
			"--record",
			&record,
			"--node-wallet",
			"--wallet-rpc",
			&bench.bitcoin.wallet_url,
			"--fee-rate",
			"1.5",
		])
		.await?
		.done()?;
	assert_eq!(created["state"], "pending", "signed, and not sent");
	assert_eq!(created["psbt"], Value::Null, "the wallet has signed it");
	let txid = created["txid"].as_str().context("no txid")?.to_owned();
	assert!(bench.bitcoin.call("getrawtransaction", json!([txid])).await.is_err(), "not sent yet");

	let sent = bench.anchor(&["broadcast", "--record", &record]).await?.done()?;
	assert_eq!((&sent["state"], &sent["txid"]), (&"broadcast".into(), &txid.clone().into()));
	fee_is(&bench, &txid, &created["fee_sats"]).await?;
	let again = bench.anchor(&["broadcast", "--record", &record]).await?.done()?;
	assert_eq!(again["txid"], txid.as_str(), "sending twice is no error");
	bench.status_is(&record, "broadcast", 0).await?;
	let unconfirmed = bench.anchor(&["verify", "--record", &record]).await?;
	unconfirmed.assert_refused("is in no block yet");

	bench.mine(5).await?;
	bench.status_is(&record, "broadcast", 5).await?;
	bench.verify(&record, false, 5).await?;
	bench.mine(1).await?;
	let status = bench.status_is(&record, "confirmed", 6).await?;
	let verified = bench.verify(&record, true, 6).await?;
	assert_eq!((&verified["txid"], &verified["root"]), (&txid.clone().into(), &ROOT.into()));
	assert_eq!(verified["block_hash"], status["block_hash"]);

	without_a_node(&bench, &txid, &status).await?;
	timestamps(&bench, &record, &status).await?;
	reorganised(&bench, &record, &status).await?;
	Ok(())
}

/// The fee the command states is what the transaction pays.
async fn fee_is(bench: &Bench, txid: &str, stated: &Value) -> Result<()> {
	let sent = bench.bitcoin.call("getrawtransaction", json!([txid, 1])).await?;
	let sats = |btc: &Value| (btc.as_f64().unwrap_or_default() * 1e8).round();
	let (mut paid, size) = (0.0, sent["vsize"].as_f64().context("no size")?);
	for input in sent["vin"].as_array().context("no inputs")? {
		let spent = bench.bitcoin.call("getrawtransaction", json!([input["txid"], 1])).await?;
		let number = usize::try_from(input["vout"].as_u64().context("no vout")?)?;
		paid += sats(&spent["vout"][number]["value"]);
	}
	let outputs = sent["vout"].as_array().context("no outputs")?;
	let fee = paid - outputs.iter().map(|output| sats(&output["value"])).sum::<f64>();
	assert_eq!(Some(fee), stated.as_f64());
	// A signature may be a byte or two shorter than foreseen, never longer.
	assert!(fee >= size * 1.5 && fee <= (size + 1.0) * 1.5, "{fee} sats for {size} virtual bytes");
	Ok(())
}

/// The same from files alone: transaction, proof or block, headers.
async fn without_a_node(bench: &Bench, txid: &str, status: &Value) -> Result<()> {
	let (bitcoin, block) = (&bench.bitcoin, status["block_hash"].as_str().context("no block")?);
	let height = status["block_height"].as_u64().context("no height")?;
	let write = |name: &str, text: &str| -> Result<String> {
		fs::write(bench.path(name), text)?;
		Ok(bench.path(name))
	};
	let tx = write("tx", &bitcoin.text("getrawtransaction", json!([txid])).await?)?;
	let proof = bitcoin.text("gettxoutproof", json!([[txid], block])).await?;
	let proof = write("proof", &proof)?;
	let whole = write("block", &bitcoin.text("getblock", json!([block, 0])).await?)?;
	let mut lines = Vec::new();
	for above in 0..6 {
		let hash = bitcoin.text("getblockhash", json!([height + above])).await?;
		lines.push(bitcoin.text("getblockheader", json!([hash, false])).await?);
	}
	let six = write("headers", &lines.join("\n"))?;
	let five = write("five", &lines[..5].join("\n"))?;
	let gap = write("gap", &[&lines[..2], &lines[3..]].concat().join("\n"))?;
	let verify = async |root: &str, proof: &str, headers: &str| {
		let files = ["--tx", &tx, "--proof", proof, "--headers", headers];
		let what = ["anchor", "verify", "--root", root, "--network", "regtest"];
		gridproof(&[&what[..], &files].concat()).await
	};
	for proof in [&proof, &whole] {
		let verified = verify(ROOT, proof, &six).await?.done()?;
		assert_eq!((&verified["confirmed"], &verified["txid"]), (&true.into(), &txid.into()));
		let short = verify(ROOT, proof, &five).await?;
		assert_eq!((short.success, &short.json["confirmations"]), (false, &5.into()));
	}
	verify(OTHER, &proof, &six).await?.assert_refused("has no output OP_RETURN");
	verify(ROOT, &proof, &gap).await?.assert_refused("does not follow");
	verify(ROOT, &six, &six).await?.assert_refused("Merkle proof");
	Ok(())
}

/// The OpenTimestamps file leads to the block's Merkle root for the tools that read such files.
async fn timestamps(bench: &Bench, record: &str, status: &Value) -> Result<()> {
	let file = bench.path("root.ots");
	let made = bench.anchor(&["ots", "--record", record, "--out", &file]).await?.done()?;
	assert_eq!(made["digest"], ROOT);
	let block = bench.bitcoin.call("getblockheader", json!([status["block_hash"], true])).await?;
	let root = block["merkleroot"].as_str().context("no Merkle root")?;
	check_ots(&file, root, &status["block_height"].to_string())?;
	let mut bytes = fs::read(&file)?;
	// The least digit of the last sibling or of the transaction: a proof of something else.
	let middle = bytes.len() / 2;
	bytes[middle] ^= 1;
	fs::write(&file, bytes)?;
	assert!(check_ots(&file, root, &status["block_height"].to_string()).is_err());
	Ok(())
}

fn check_ots(file: &str, wanted: &str, place: &str) -> Result<()> {
	let script = python_script("ots.py");
	run(Command::new(python()?).arg(script).args([file, ROOT, wanted, place])).map(|_| ())
}

/// The block is thrown out of the chain, and bcoin forgets its transactions with it: the anchor is
/// nothing again, until it is sent once more and confirmed in another block.
async fn reorganised(bench: &Bench, record: &str, before: &Value) -> Result<()> {
	bench.bitcoin.call("invalidateblock", json!([before["block_hash"]])).await?;
	let taken_back = bench.status_is(record, "pending", 0).await?;
	assert_eq!(taken_back["block_hash"], Value::Null);
	let verify = ["verify", "--record", record];
	bench.anchor(&verify).await?.assert_refused("the node does not know transaction");
	let file = bench.path("pending.ots");
	let export = ["ots", "--record", record, "--out", &file];
	bench.anchor(&export).await?.assert_refused("the node does not know transaction");
	let calendar = "https://calendar.example";
	bench.anchor(&[&export[..], &["--calendar", calendar]].concat()).await?.done()?;
	check_ots(&file, "pending", calendar)?;

	let sent = bench.anchor(&["broadcast", "--record", record]).await?.done()?;
	assert_eq!((&sent["state"], &sent["txid"]), (&"broadcast".into(), &before["txid"]));
	bench.anchor(&verify).await?.assert_refused("is in no block yet");
	bench.mine(6).await?;
	let after = bench.status_is(record, "confirmed", 6).await?;
	assert_ne!(after["block_hash"], before["block_hash"]);
	bench.verify(record, true, 6).await?;
	Ok(())
}

#[tokio::test]
async fn a_psbt_is_signed_by_another_wallet_and_everything_wrong_is_refused() -> Result<()> {
	let bench = Bench::start().await?;
	let record = bench.path("anchor.json");
	let psbt = by_psbt(&bench, &record).await?;
	let unsigned = bench.path("psbt");
	fs::write(&unsigned, &psbt)?;
	let sending =
		|file: &'_ str| ["broadcast", "--record", &record, "--tx", file].map(str::to_owned);
	let send = async |file: &str| {
		let arguments = sending(file);
		bench.anchor(&arguments.each_ref().map(String::as_str)).await
	};
	send(&unsigned).await?.assert_refused("input 0 is not signed");
	let signed = bench.path("signed");
	fs::write(&signed, bench.bitcoin.sign(&psbt, bench.folder.path())?)?;

	other_roots_and_networks_are_refused(&bench, &signed).await?;
	a_simulated_anchor_stays_one(&bench, &signed).await?;

	let sent = send(&signed).await?.done()?;
	assert_eq!(sent["state"], "broadcast");
	bench.mine(6).await?;
	bench.status_is(&record, "confirmed", 6).await?;
	bench.verify(&record, true, 6).await?;
	Ok(())
}

/// Makes an unsigned transaction that the external wallet's only coin pays for.
async fn by_psbt(bench: &Bench, record: &str) -> Result<String> {
	let external = bench.bitcoin.external_wallet()?;
	let block = bench.bitcoin.text("getblockhash", json!([3])).await?;
	let block = bench.bitcoin.call("getblock", json!([block, 1])).await?;
	let coin = json!([{
		"txid": block["tx"][0], "vout": 0, "amount": 50, "scriptPubKey": external["script"],
	}]);
	let utxos = bench.path("utxos.json");
	fs::write(&utxos, coin.to_string())?;
	let change = external["address"].as_str().context("no address")?;
	let create = ["anchor", "create", "--root", ROOT, "--network", "regtest", "--record", record];
	let with = ["--utxos", &utxos, "--change-address", change, "--fee-rate", "2"];
	let dear = gridproof(&[&create[..], &with, &["--max-fee", "100"]].concat()).await?;
	dear.assert_refused("above the limit of 100");
	assert!(!Path::new(record).exists(), "nothing was made");
	let created = gridproof(&[&create[..], &with].concat()).await?.done()?;
	assert_eq!((&created["state"], &created["txid"]), (&"pending".into(), &Value::Null));
	assert_eq!(created["fee_sats"], 306, "153 virtual bytes at 2 sats");
	Ok(created["psbt"].as_str().context("no PSBT")?.to_owned())
}

async fn other_roots_and_networks_are_refused(bench: &Bench, signed: &str) -> Result<()> {
	let other = bench.path("other.json");
	let create = ["create", "--root", OTHER, "--record", &other, "--node-wallet"];
	let wallet = ["--wallet-rpc", &bench.bitcoin.wallet_url];
	let foreign = [&create[..], &wallet, &["--network", "mainnet"]].concat();
	bench.anchor(&foreign).await?.assert_refused("is not of mainnet");
	bench.anchor(&[&create[..], &wallet, &["--network", "regtest"]].concat()).await?.done()?;
	let wrong = bench.anchor(&["broadcast", "--record", &other, "--tx", signed]).await?;
	wrong.assert_refused("has no output OP_RETURN");
	let used = bench.anchor(&[&create[..], &wallet, &["--network", "regtest"]].concat()).await?;
	used.assert_refused("choose another --record");

	let intruder = bench.path("intruder");
	fs::write(&intruder, "x:a-wrong-password\n")?;
	fs::set_permissions(&intruder, fs::Permissions::from_mode(0o600))?;
	let status = ["anchor", "status", "--record", &other, "--rpc", &bench.bitcoin.url];
	let refused = gridproof(&[&status[..], &["--rpc-auth", &intruder]].concat()).await?;
	refused.assert_refused("refuses the credentials");
	assert!(!refused.said.contains("a-wrong-password"), "secrets are never printed");
	let url = bench.bitcoin.url.replace("http://", "http://x:y@");
	let open = ["anchor", "status", "--record", &other, "--rpc", &url];
	gridproof(&open).await?.assert_refused("others can read a command line");
	Ok(())
}

async fn a_simulated_anchor_stays_one(bench: &Bench, signed: &str) -> Result<()> {
	let record = bench.path("simulated.json");
	let create = ["create", "--root", ROOT, "--network", "regtest", "--record", &record];
	let made = bench.anchor(&[&create[..], &["--simulate"]].concat()).await?.done()?;
	assert_eq!((&made["state"], &made["txid"]), (&"simulated".into(), &Value::Null));
	bench.status_is(&record, "simulated", 0).await?;
	for refused in
		[&["broadcast", "--record", &record, "--tx", signed][..], &["verify", "--record", &record]]
	{
		bench.anchor(refused).await?.assert_refused("this anchor is simulated");
	}
	bench.status_is(&record, "simulated", 0).await?;
	Ok(())
}

#[tokio::test]
async fn an_appointed_account_records_on_chain_how_far_an_anchor_is() -> Result<()> {
	let bench = Bench::start().await?;
	let (metering, batch, meter) = batch_on_chain().await?;
	let (id, record) = (batch.id.as_str(), bench.path("batch.json"));
	let create = ["create", "--from-batch", id, "--api", &metering.http, "--network", "regtest"];
	let wallet = ["--record", &record, "--node-wallet", "--wallet-rpc", &bench.bitcoin.wallet_url];
	bench.anchor(&[&create[..], &wallet].concat()).await?.done()?;
	let url = metering.node.rpc_url();
	let arguments = ["record", "--record", &record, "--url", &url, "--suri", "//Charlie"];
	let recording = async || bench.anchor(&arguments).await;
	recording().await?.assert_refused("nothing to record yet");

	let sent = bench.anchor(&["broadcast", "--record", &record]).await?.done()?;
	recording().await?.assert_refused("governance has to appoint this account first");
	assert_eq!(metering.chain.read(&anchor(meter, 0)).await?, None);
	appoint(&metering, "//Charlie").await?;
	let first = recording().await?.done()?;
	let hash = |value: &Value| -> Result<H256> {
		let mut bytes = hex::decode(value.as_str().context("no hash")?)?;
		// Bitcoin shows hashes with their last byte first.
		bytes.reverse();
		Ok(H256::from_slice(&bytes))
	};
	let txid = hash(&sent["txid"])?;
	assert_eq!((&first["meter"], &first["sequence"]), (&json!(meter), &json!(0)));
	let on_chain = async || metering.chain.read(&anchor(meter, 0)).await;
	let kept = on_chain().await?.context("no anchor")?;
	assert_eq!((kept.state, kept.sequence), (AnchorState::Broadcast { txid }, 0));
	assert_eq!(format!("{:x}", kept.root), batch.merkle_root);

	bench.mine(6).await?;
	recording().await?.done()?;
	let status = bench.status_is(&record, "confirmed", 6).await?;
	let block_hash = hash(&status["block_hash"])?;
	let height = u32::try_from(status["block_height"].as_u64().context("no height")?)?;
	let confirmed = AnchorState::Confirmed { txid, block_hash, height, confirmations: 6 };
	assert_eq!(on_chain().await?.map(|kept| kept.state), Some(confirmed));
	let again = recording().await?.done()?;
	assert_eq!(again.get("included_in"), None, "nothing is sent twice");
	let elsewhere = [&arguments[..], &["--meter", "0", "--sequence", "1"]].concat();
	bench.anchor(&elsewhere).await?.assert_refused("the chain keeps no such batch");
	Ok(())
}

#[tokio::test]
async fn a_days_batches_are_one_transaction_and_the_proof_of_a_reading_leads_to_it() -> Result<()> {
	let bench = Bench::start().await?;
	let (metering, batch, meter) = batch_on_chain().await?;
	let folder = bench.path("anchors");
	let here = ["daily", "--folder", &folder, "--network", "regtest", "--api", &metering.http];
	let daily = [&here[..], &["--wallet-rpc", &bench.bitcoin.wallet_url]].concat();
	let made = bench.anchor(&daily).await?.done()?;
	let set = &made["sets"][0];
	assert_eq!((&set["state"], &set["batches"]), (&json!("broadcast"), &json!(1)));
	bench.mine(6).await?;
	let done = bench.anchor(&daily).await?.done()?;
	assert_eq!(done["sets"][0]["state"], "confirmed");
	assert_eq!(bench.anchor(&daily).await?.done()?["sets"], json!([]), "nothing is left to do");

	let text = |name: &str| set[name].as_str().context("no text").map(str::to_owned);
	let (root, txid, record) = (text("root")?, text("txid")?, text("record")?);
	let gateway = Client::new(&metering.http, None)?;
	let reading = gateway.batch(&batch.id).await?.log_ids.pop().context("no reading")?;
	let file = bench.path("proof.json");
	fs::write(&file, gateway.proof(&reading).await?.to_canonical())?;
	let proven = gridproof(&["proof", "verify", &file, "--anchored-root", &root]).await?.done()?;
	assert_eq!((&proven["anchor_txid"], &proven["log_checked"]), (&json!(txid), &json!(true)));
	let verify = ["verify", "--root", &root, "--txid", &txid, "--network", "regtest"];
	assert_eq!(bench.anchor(&verify).await?.done()?["confirmed"], true);
	bench.verify(&record, true, 6).await?;

	appoint(&metering, "//Charlie").await?;
	let url = metering.node.rpc_url();
	let recording = ["record", "--record", &record, "--url", &url, "--suri", "//Charlie"];
	bench.anchor(&recording).await?.assert_refused("Name it with --batch");
	bench.anchor(&[&recording[..], &["--batch", &batch.id]].concat()).await?.done()?;
	let kept = metering.chain.read(&anchor(meter, 0)).await?.context("no anchor")?;
	assert_eq!(format!("{:x}", kept.root), batch.merkle_root);
	assert!(matches!(kept.state, AnchorState::Confirmed { confirmations: 6, .. }), "{kept:?}");
	Ok(())
}

/// A chain with a gateway, and its only batch, accepted; the number of its meter.
async fn batch_on_chain() -> Result<(Metering, BatchView, u32)> {
	let names = [("SITE-1/gw-1/m-1", Signer::Gateway)];
	let (metering, meters) = Metering::start(&names, 10_000, 3_600).await?;
	let begin = metering::within_a_day(60_000);
	let log = metering::log(&meters[0].name, begin, begin + 60_000, "0.125");
	let (status, answer) = metering.post_log(&meters[0], &log).await?;
	assert_eq!(status, 200, "{answer}");
	metering.flush().await?;
	let batch = metering.accepted(metering::LIMIT).await?.pop().context("no batch")?;
	Ok((metering, batch, meters[0].index))
}

/// Lets an account record anchors, as governance.
async fn appoint(metering: &Metering, uri: &str) -> Result<()> {
	let who = AccountKey::from(development_signer(uri)?).account();
	let call = sudo::call::sudo(meter_readings::call::set_recorder(who, true));
	let governance = AccountKey::from(development_signer("//Alice")?);
	metering.chain.submit(&governance, &call, &Patience::default()).await?;
	Ok(())
}
