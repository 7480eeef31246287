//! Anchors through a wallet's RPC, and broadcasting.

use crate::{
	AnchorError, H256, commitment,
	network::Network,
	psbt::{self, Coin, Payment, Planned, Rate},
	rpc::{METHOD_NOT_FOUND, Rpc},
};
use bitcoin::{OutPoint, Psbt, ScriptBuf, Transaction, Txid, consensus::encode::serialize_hex};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::time::Duration;

/// The time in which a node decides about a transaction.
const ACCEPT_LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(250);
/// How often coins are chosen while others take them.
const ATTEMPTS: u32 = 3;
/// The wallet's code for a coin that is locked, or spent.
const INVALID_PARAMETER: i64 = -8;

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
/// wallet, if it does that. What it spends is locked in the wallet, so that nobody else there spends
/// it too.
///
/// The transaction is put together here, so that a wallet's RPC can add nothing to it.
///
/// # Errors
/// Those of [`psbt::plan`]; [`AnchorError::Rpc`] with the wallet's words, for example when it is locked.
pub fn make<'a>(
	node: &'a Rpc,
	wallet: &'a Rpc,
	root: &'a H256,
	terms: &'a Terms,
) -> BoxFuture<'a, Result<Made, AnchorError>> {
	Box::pin(async move {
		node.require(terms.network).await?;
		let change = change_script(node, wallet, terms).await?;
		for _ in 0..ATTEMPTS {
			let coins = unspent(wallet, terms.network).await?;
			if let Some(made) =
				pay(node, wallet, root, terms, Funds { own: 0, coins, change: &change }).await?
			{
				return Ok(made);
			}
		}
		Err(AnchorError::Funds("other programs take the wallet's coins; try again".to_owned()))
	})
}

/// Makes another transaction for `root` in place of one that waits: it spends the same coins first, and
/// pays more. `gone` are the transactions that it replaces: what they give back is not there any more.
///
/// # Errors
/// As [`make`].
pub fn replace<'a>(
	node: &'a Rpc,
	wallet: &'a Rpc,
	root: &'a H256,
	terms: &'a Terms,
	(old, gone): (&'a Psbt, &'a [Txid]),
) -> BoxFuture<'a, Result<Made, AnchorError>> {
	Box::pin(async move {
		node.require(terms.network).await?;
		let own = psbt::coins_of(old)?;
		let change = match old.unsigned_tx.output.get(1) {
			Some(output) => output.script_pubkey.clone(),
			None => change_script(node, wallet, terms).await?,
		};
		for _ in 0..ATTEMPTS {
			let more = unspent(wallet, terms.network).await?.into_iter().filter(|coin| {
				let is_own = own.iter().any(|own| own.outpoint == coin.outpoint);
				!is_own && !gone.contains(&coin.outpoint.txid)
			});
			let coins = own.iter().cloned().chain(more).collect();
			let funds = Funds { own: own.len(), coins, change: &change };
			if let Some(made) = pay(node, wallet, root, terms, funds).await? {
				return Ok(made);
			}
		}
		Err(AnchorError::Funds("other programs take the wallet's coins; try again".to_owned()))
	})
}

/// What may be spent, in this order.
struct Funds<'a> {
	/// How many of the coins are locked for this anchor already.
	own: usize,
	coins: Vec<Coin>,
	change: &'a ScriptBuf,
}

/// Plans, locks and signs; `None` if somebody else has taken a coin meanwhile.
async fn pay(
	node: &Rpc,
	wallet: &Rpc,
	root: &H256,
	terms: &Terms,
	funds: Funds<'_>,
) -> Result<Option<Made>, AnchorError> {
	let Funds { own, mut coins, change } = funds;
	complete(node, &mut coins, terms, root, change).await?;
	let payment =
		Payment { coins, change: change.clone(), rate: terms.rate, max_fee: terms.max_fee };
	let planned = psbt::plan(root, &payment)?;
	let spent = planned.psbt.unsigned_tx.input.iter().map(|input| input.previous_output);
	let fresh: Vec<OutPoint> = spent.skip(own).collect();
	if !lock(wallet, &fresh).await? {
		return Ok(None);
	}
	match sign(wallet, &planned.psbt.unsigned_tx).await {
		Ok(signed) => Ok(Some(Made { planned, signed })),
		Err(error) => {
			unlock(wallet, &fresh).await;
			Err(error)
		},
	}
}

/// Locks coins in the wallet, until it forgets them or they are spent; `false` if they are locked or
/// spent already. A wallet without locks is taken as it is.
async fn lock(wallet: &Rpc, coins: &[OutPoint]) -> Result<bool, AnchorError> {
	if coins.is_empty() {
		return Ok(true);
	}
	match wallet.call("lockunspent", json!([false, listed(coins)])).await {
		Err(AnchorError::Rpc { code: METHOD_NOT_FOUND, .. }) => Ok(true),
		Err(AnchorError::Rpc { code: INVALID_PARAMETER, .. }) => Ok(false),
		other => other.map(|_| true),
	}
}

/// Gives locked coins back.
pub(crate) async fn unlock(wallet: &Rpc, coins: &[OutPoint]) {
	if coins.is_empty() {
		return;
	}
	if let Err(error) = wallet.call("lockunspent", json!([true, listed(coins)])).await {
		tracing::warn!(event = "coins_stay_locked", %error, "the wallet holds coins locked until it restarts");
	}
}

fn listed(coins: &[OutPoint]) -> Value {
	coins.iter().map(|coin| json!({ "txid": coin.txid.to_string(), "vout": coin.vout })).collect()
}

async fn change_script(node: &Rpc, wallet: &Rpc, terms: &Terms) -> Result<ScriptBuf, AnchorError> {
	let address = match &terms.change {
		Some(address) => address.clone(),
		None => wallet.text("getrawchangeaddress", json!([])).await?,
	};
	script_of(node, &address, terms.network).await
}

/// The outputs in blocks that the wallet may spend, of kinds whose fee can be foreseen.
async fn unspent(wallet: &Rpc, network: Network) -> Result<Vec<Coin>, AnchorError> {
	const METHOD: &str = "listunspent";
	// Without arguments: outputs with one confirmation or more.
	let answer = wallet.call(METHOD, json!([])).await?;
	let list = answer.as_array().ok_or_else(|| AnchorError::answer(METHOD, "not a list"))?;
	let is = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_bool) != Some(false);
	let usable = list.iter().filter(|entry| is(entry, "spendable") && is(entry, "safe"));
	let coins: Result<Vec<Coin>, AnchorError> =
		usable.map(|entry| Coin::from_json(entry, network)).collect();
	let mut coins: Vec<Coin> = coins?.into_iter().filter(Coin::is_usable).collect();
	// The largest first: fewest signatures, and least fee.
	coins.sort_by_key(|coin| std::cmp::Reverse(coin.value));
	Ok(coins)
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
		let unknown = |coin: &&mut Coin| coin.script.is_p2pkh() && coin.previous.is_none();
		let Some(coin) = coins.get_mut(count - 1).filter(unknown) else {
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
pub fn broadcast<'a>(
	node: &'a Rpc,
	transaction: &'a Transaction,
	root: &'a H256,
	network: Network,
) -> BoxFuture<'a, Result<Txid, AnchorError>> {
	Box::pin(async move {
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
	})
}

async fn knows(node: &Rpc, txid: &Txid) -> Result<bool, AnchorError> {
	match node.call("getrawtransaction", json!([txid.to_string(), false])).await {
		Ok(_) => Ok(true),
		Err(AnchorError::Rpc { code, .. }) if code != METHOD_NOT_FOUND => Ok(false),
		Err(error) => Err(error),
	}
}
