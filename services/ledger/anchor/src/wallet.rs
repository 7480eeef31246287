//! Anchors through a wallet's RPC, and broadcasting.

use crate::{
	AnchorError, H256, commitment,
	network::Network,
	psbt::{self, Coin, Payment, Planned, Rate},
	rpc::{METHOD_NOT_FOUND, Rpc},
};
use bitcoin::{ScriptBuf, Transaction, Txid, consensus::encode::serialize_hex};
use serde_json::{Value, json};
use std::time::Duration;

/// The time in which a node decides about a transaction.
const ACCEPT_LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(250);

/// How an anchor is to be paid.
#[derive(Clone, Debug)]
pub struct Terms {
	/// The network.
	pub network: Network,
	/// The fee rate.
	pub rate: Rate,
	/// The most that is paid, in sats.
	pub max_fee: u64,
	/// Where the rest goes; else the wallet is asked for an address.
	pub change: Option<String>,
}

/// What a wallet made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
	/// The transaction to sign.
	pub planned: Planned,
	/// The signed transaction; none if the wallet does not sign.
	pub signed: Option<Transaction>,
}

/// Makes the transaction for `root` from the wallet's unspent outputs, and has it signed by the
/// wallet, if it does that.
///
/// The transaction is put together here, so that a wallet's RPC can add nothing to it.
///
/// # Errors
/// Those of [`psbt::plan`]; [`AnchorError::Rpc`] with the wallet's words, for example when it is locked.
pub async fn make(
	node: &Rpc,
	wallet: &Rpc,
	root: &H256,
	terms: &Terms,
) -> Result<Made, AnchorError> {
	node.require(terms.network).await?;
	let change = match &terms.change {
		Some(address) => address.clone(),
		None => wallet.text("getrawchangeaddress", json!([])).await?,
	};
	let change = script_of(node, &change, terms.network).await?;
	let mut coins = unspent(wallet, terms.network).await?;
	// The largest first: fewest signatures, and least fee.
	coins.sort_by_key(|coin| std::cmp::Reverse(coin.value));
	complete(node, &mut coins, terms, root, &change).await?;
	let payment = Payment { coins, change, rate: terms.rate, max_fee: terms.max_fee };
	let planned = psbt::plan(root, &payment)?;
	let signed = sign(wallet, &planned.psbt.unsigned_tx).await?;
	Ok(Made { planned, signed })
}

/// The outputs the wallet may spend, of kinds whose fee can be foreseen.
async fn unspent(wallet: &Rpc, network: Network) -> Result<Vec<Coin>, AnchorError> {
	const METHOD: &str = "listunspent";
	let answer = wallet.call(METHOD, json!([])).await?;
	let list = answer.as_array().ok_or_else(|| AnchorError::answer(METHOD, "not a list"))?;
	let is = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_bool) != Some(false);
	let usable = list.iter().filter(|entry| is(entry, "spendable") && is(entry, "safe"));
	let coins: Result<Vec<Coin>, AnchorError> =
		usable.map(|entry| Coin::from_json(entry, network)).collect();
	Ok(coins?.into_iter().filter(Coin::is_usable).collect())
}

/// Fetches the transactions that outputs without witness are of, as far as such coins are needed.
async fn complete(
	node: &Rpc,
	coins: &mut Vec<Coin>,
	terms: &Terms,
	root: &H256,
	change: &ScriptBuf,
) -> Result<(), AnchorError> {
	for count in 1..=coins.len() {
		let Some(coin) = coins.get_mut(count - 1).filter(|coin| coin.script.is_p2pkh()) else {
			continue;
		};
		let txid = coin.outpoint.txid.to_string();
		let digits = node.text("getrawtransaction", json!([txid])).await?;
		coin.previous = Some(commitment::read_transaction(digits.as_bytes())?);
		let enough = Payment {
			coins: coins.iter().take(count).cloned().collect(),
			change: change.clone(),
			rate: terms.rate,
			max_fee: terms.max_fee,
		};
		if psbt::plan(root, &enough).is_ok() {
			coins.truncate(count);
			break;
		}
	}
	Ok(())
}

/// The script of an address, read here, or by the node if it is of a form of its own.
async fn script_of(node: &Rpc, address: &str, network: Network) -> Result<ScriptBuf, AnchorError> {
	let fault = match psbt::address_script(address, network) {
		Ok(script) => return Ok(script),
		Err(fault) => fault,
	};
	if network != Network::REGTEST {
		return Err(fault);
	}
	let answer = node.call("validateaddress", json!([address])).await?;
	let script = answer.get("scriptPubKey").and_then(Value::as_str);
	script.and_then(|script| ScriptBuf::from_hex(script).ok()).ok_or(fault)
}

/// Has the wallet sign; nothing if it does not offer that.
async fn sign(wallet: &Rpc, unsigned: &Transaction) -> Result<Option<Transaction>, AnchorError> {
	const METHOD: &str = "signrawtransactionwithwallet";
	let answer = match wallet.call(METHOD, json!([serialize_hex(unsigned)])).await {
		Err(AnchorError::Rpc { code: METHOD_NOT_FOUND, .. }) => return Ok(None),
		other => other?,
	};
	if answer.get("complete").and_then(Value::as_bool) != Some(true) {
		let errors = answer.get("errors").map(Value::to_string).unwrap_or_default();
		return Err(AnchorError::answer(METHOD, format!("not all inputs are signed {errors}")));
	}
	let digits = answer.get("hex").and_then(Value::as_str).unwrap_or_default();
	let signed = commitment::read_final(digits.as_bytes())?;
	// Without signatures it has to be what was asked for.
	let same = signed.input.len() == unsigned.input.len()
		&& signed.output == unsigned.output
		&& signed.lock_time == unsigned.lock_time
		&& signed.input.iter().zip(&unsigned.input).all(|(one, other)| {
			one.previous_output == other.previous_output && one.sequence == other.sequence
		});
	if !same {
		return Err(AnchorError::answer(METHOD, "the wallet signed another transaction"));
	}
	Ok(Some(signed))
}

/// Sends a final transaction that commits to `root`, and waits until the node has it. Sending one
/// that the node has already is fine.
///
/// # Errors
/// [`AnchorError::NotCommitted`], before anything is sent; [`AnchorError::Rpc`] with the node's reason;
/// [`AnchorError::Unknown`] when the node took it and has it not.
pub async fn broadcast(
	node: &Rpc,
	transaction: &Transaction,
	root: &H256,
	network: Network,
) -> Result<Txid, AnchorError> {
	commitment::find(transaction, root)?;
	node.require(network).await?;
	let txid = transaction.compute_txid();
	if knows(node, &txid).await? {
		return Ok(txid);
	}
	match node.call("sendrawtransaction", json!([serialize_hex(transaction)])).await {
		// In a block already, with all its outputs spent.
		Err(AnchorError::Rpc { code: -27, .. }) => return Ok(txid),
		other => other?,
	};
	let start = std::time::Instant::now();
	while start.elapsed() < ACCEPT_LIMIT {
		if knows(node, &txid).await? {
			return Ok(txid);
		}
		tokio::time::sleep(PAUSE).await;
	}
	Err(AnchorError::Unknown(txid.to_string()))
}

async fn knows(node: &Rpc, txid: &Txid) -> Result<bool, AnchorError> {
	match node.call("getrawtransaction", json!([txid.to_string(), false])).await {
		Ok(_) => Ok(true),
		Err(AnchorError::Rpc { code, .. }) if code != METHOD_NOT_FOUND => Ok(false),
		Err(error) => Err(error),
	}
}
