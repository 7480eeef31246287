//! Unsigned transactions for an external wallet: coins in, the commitment and the change out.

use crate::{AnchorError, H256, commitment, network::Network};
use bitcoin::{
	Address, Amount, OutPoint, Psbt, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness,
	absolute::LockTime,
	address::NetworkUnchecked,
	transaction::{InputWeightPrediction, Version, predict_weight},
};
use serde_json::Value;
use std::{collections::BTreeSet, str::FromStr};

/// Weight units of a virtual byte.
const WEIGHT_PER_VBYTE: u64 = 4;
/// Virtual bytes that a rate is for.
const VBYTES_PER_RATE: u64 = 1_000;
/// The most that is paid for an anchor by default, in sats.
pub const DEFAULT_MAX_FEE: u64 = 50_000;

/// A fee rate, in sats per thousand virtual bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub u64);

impl Rate {
	/// The fee of so much weight: whole virtual bytes count, and whole sats are paid.
	fn fee(self, weight: u64) -> Option<u64> {
		let size = weight.div_ceil(WEIGHT_PER_VBYTE);
		Some(size.checked_mul(self.0)?.div_ceil(VBYTES_PER_RATE))
	}
}

impl FromStr for Rate {
	type Err = AnchorError;

	/// Sats per virtual byte, with at most three decimals.
	fn from_str(text: &str) -> Result<Self, AnchorError> {
		let wrong = || AnchorError::bad("fee rate", "write sats per virtual byte, like 2 or 1.5");
		let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
		let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
		if decimals.len() > 3 || !digits(whole) || !digits(decimals) {
			return Err(wrong());
		}
		let rate: u64 = format!("{whole}{decimals:0<3}").parse().map_err(|_| wrong())?;
		if rate == 0 { Err(wrong()) } else { Ok(Self(rate)) }
	}
}

/// An unspent output that may pay for an anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coin {
	/// The transaction and the output's number.
	pub outpoint: OutPoint,
	/// What it is worth.
	pub value: Amount,
	/// Its script.
	pub script: ScriptBuf,
	/// For P2SH: the script that its hash is of.
	pub redeem_script: Option<ScriptBuf>,
	/// The whole transaction it is an output of; needed for outputs without witness.
	pub previous: Option<Transaction>,
}

impl Coin {
	/// What its signature will weigh; nothing for scripts we cannot foresee.
	fn prediction(&self) -> Option<InputWeightPrediction> {
		let script = &self.script;
		let nested = || self.redeem_script.as_ref().filter(|inner| inner.is_p2wpkh());
		if script.is_p2wpkh() {
			Some(InputWeightPrediction::P2WPKH_MAX)
		} else if script.is_p2tr() {
			Some(InputWeightPrediction::P2TR_KEY_NON_DEFAULT_SIGHASH)
		} else if script.is_p2pkh() {
			Some(InputWeightPrediction::P2PKH_COMPRESSED_MAX)
		} else if script.is_p2sh() && nested().is_some_and(|inner| inner.to_p2sh() == *script) {
			Some(InputWeightPrediction::from_slice(23, &[72, 33]))
		} else {
			None
		}
	}

	/// Can it pay for an anchor?
	pub fn is_usable(&self) -> bool {
		self.prediction().is_some() && self.value > Amount::ZERO
	}

	fn refuse(&self, reason: &str) -> AnchorError {
		AnchorError::bad("unspent output", format!("{}: {reason}", self.outpoint))
	}

	/// Reads an entry as `listunspent` gives it: `txid`, `vout`, `scriptPubKey` or `address`,
	/// `amount` in BTC or `sats`; for some `redeemScript`, and `hex` of the transaction it is of.
	///
	/// # Errors
	/// [`AnchorError::Bad`].
	pub fn from_json(entry: &Value, network: Network) -> Result<Self, AnchorError> {
		let wrong = |reason: &str| AnchorError::bad("unspent output", format!("{reason}: {entry}"));
		let text = |name: &str| entry.get(name).and_then(Value::as_str);
		let txid = text("txid").and_then(|txid| Txid::from_str(txid).ok());
		let vout = entry.get("vout").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
		let (Some(txid), Some(vout)) = (txid, vout) else {
			return Err(wrong("txid and vout are needed"));
		};
		let value = match (entry.get("sats").and_then(Value::as_u64), entry.get("amount")) {
			(Some(sats), _) => Some(Amount::from_sat(sats)),
			(None, Some(amount)) => amount_of(amount),
			(None, None) => None,
		};
		let value = value.ok_or_else(|| wrong("amount in BTC, or sats, is needed"))?;
		let script = match (text("scriptPubKey"), text("address")) {
			(Some(script), _) => ScriptBuf::from_hex(script).ok(),
			(None, Some(address)) => address_script(address, network).ok(),
			(None, None) => None,
		};
		let script = script.ok_or_else(|| wrong("scriptPubKey or address is needed"))?;
		let redeem_script = text("redeemScript")
			.map(|script| ScriptBuf::from_hex(script).map_err(|_| wrong("bad redeemScript")))
			.transpose()?;
		let previous =
			text("hex").map(|hex| commitment::read_transaction(hex.as_bytes())).transpose()?;
		Ok(Self { outpoint: OutPoint::new(txid, vout), value, script, redeem_script, previous })
	}
}

/// An amount in BTC, as JSON number or text. Eight decimals of a double are exact up to the supply.
fn amount_of(value: &Value) -> Option<Amount> {
	let text = match value {
		Value::String(text) => text.clone(),
		number => format!("{:.8}", number.as_f64()?),
	};
	Amount::from_str_in(&text, bitcoin::Denomination::Bitcoin).ok()
}

/// Reads a list of unspent outputs, as `listunspent` gives it, or its whole answer.
///
/// # Errors
/// [`AnchorError::Bad`].
pub fn read_coins(text: &str, network: Network) -> Result<Vec<Coin>, AnchorError> {
	let value: Value =
		serde_json::from_str(text).map_err(|error| AnchorError::bad("unspent outputs", error))?;
	let list = value.get("result").unwrap_or(&value).as_array();
	let list = list.ok_or_else(|| AnchorError::bad("unspent outputs", "not a JSON array"))?;
	list.iter().map(|entry| Coin::from_json(entry, network)).collect()
}

/// The script of an address.
///
/// # Errors
/// [`AnchorError::Bad`] when it is not an address of this network.
pub fn address_script(address: &str, network: Network) -> Result<ScriptBuf, AnchorError> {
	let bad =
		|error: &dyn std::fmt::Display| AnchorError::bad("address", format!("{address}: {error}"));
	let address: Address<NetworkUnchecked> = address.parse().map_err(|error| bad(&error))?;
	let checked = address.require_network(network.0).map_err(|error| bad(&error))?;
	Ok(checked.script_pubkey())
}

/// The coins that an unsigned transaction spends, in its order.
///
/// # Errors
/// [`AnchorError::Bad`] when the PSBT does not say what they are.
pub fn coins_of(psbt: &Psbt) -> Result<Vec<Coin>, AnchorError> {
	let inputs = psbt.unsigned_tx.input.iter().zip(&psbt.inputs);
	inputs
		.map(|(input, known)| {
			let outpoint = input.previous_output;
			let number = usize::try_from(outpoint.vout).unwrap_or(usize::MAX);
			let previous = known.non_witness_utxo.clone();
			let output = known.witness_utxo.clone();
			let output = output.or_else(|| previous.as_ref()?.output.get(number).cloned());
			let output =
				output.ok_or_else(|| AnchorError::bad("PSBT", "it lacks what it spends"))?;
			let redeem_script = known.redeem_script.clone();
			let (value, script) = (output.value, output.script_pubkey);
			Ok(Coin { outpoint, value, script, redeem_script, previous })
		})
		.collect()
}

/// What an anchor is paid with.
#[derive(Clone, Debug)]
pub struct Payment {
	/// Coins in the order in which they are spent, as many as needed.
	pub coins: Vec<Coin>,
	/// Where the rest goes.
	pub change: ScriptBuf,
	/// The fee rate.
	pub rate: Rate,
	/// The most that is paid, in sats.
	pub max_fee: u64,
}

/// A transaction to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
	/// The transaction, with what a wallet needs for signing.
	pub psbt: Psbt,
	/// Its fee, in sats.
	pub fee: u64,
	/// What goes back, in sats; zero if it would be dust.
	pub change: u64,
}

/// Makes the transaction that commits to `root`. Without signatures.
///
/// # Errors
/// [`AnchorError::Funds`] when the coins do not suffice, [`AnchorError::FeeTooHigh`], [`AnchorError::Bad`] for a
/// coin that cannot be used.
pub fn plan(root: &H256, payment: &Payment) -> Result<Planned, AnchorError> {
	let commitment = commitment::output(root);
	let bare = [commitment.script_pubkey.len()];
	let both = [commitment.script_pubkey.len(), payment.change.len()];
	let (mut chosen, mut sum, mut seen) = (Vec::new(), 0u64, BTreeSet::new());
	let mut short = 0;
	for coin in &payment.coins {
		check_coin(coin)?;
		if !seen.insert(coin.outpoint) {
			return Err(coin.refuse("it is there twice"));
		}
		sum = sum.checked_add(coin.value.to_sat()).ok_or_else(|| coin.refuse("too much"))?;
		chosen.push(coin);
		let (least, with_change) =
			(fee_of(&chosen, &bare, payment.rate)?, fee_of(&chosen, &both, payment.rate)?);
		let change = sum.saturating_sub(with_change);
		if change >= payment.change.minimal_non_dust().to_sat() {
			let rest =
				TxOut { value: Amount::from_sat(change), script_pubkey: payment.change.clone() };
			return finish(&chosen, vec![commitment, rest], with_change, payment.max_fee);
		}
		if sum >= least {
			return finish(&chosen, vec![commitment], sum, payment.max_fee);
		}
		short = least.saturating_sub(sum);
	}
	Err(AnchorError::Funds(match payment.coins.len() {
		0 => "there is no unspent output to pay the fee with".to_owned(),
		count => format!("{count} unspent outputs are {short} sats short of the fee"),
	}))
}

fn check_coin(coin: &Coin) -> Result<(), AnchorError> {
	if coin.prediction().is_none() {
		return Err(coin.refuse(
			"only P2WPKH, P2TR, P2PKH, and P2SH with a redeemScript that is P2WPKH, can be used",
		));
	}
	let Some(previous) = &coin.previous else {
		return if coin.script.is_p2pkh() {
			Err(coin.refuse("the transaction it is of is needed, as member hex"))
		} else {
			Ok(())
		};
	};
	let number = usize::try_from(coin.outpoint.vout).unwrap_or(usize::MAX);
	let output = previous.output.get(number);
	let stated = TxOut { value: coin.value, script_pubkey: coin.script.clone() };
	if previous.compute_txid() != coin.outpoint.txid || output != Some(&stated) {
		return Err(coin.refuse("the transaction given for it is another"));
	}
	Ok(())
}

fn fee_of(coins: &[&Coin], outputs: &[usize], rate: Rate) -> Result<u64, AnchorError> {
	let inputs = coins.iter().filter_map(|coin| coin.prediction());
	let weight = predict_weight(inputs, outputs.iter().copied()).to_wu();
	rate.fee(weight).ok_or_else(|| AnchorError::Funds("the fee rate is out of range".to_owned()))
}

fn finish(
	coins: &[&Coin],
	outputs: Vec<TxOut>,
	fee: u64,
	limit: u64,
) -> Result<Planned, AnchorError> {
	if fee > limit {
		return Err(AnchorError::FeeTooHigh { fee, limit });
	}
	let change = outputs.get(1).map_or(0, |output| output.value.to_sat());
	let input = coins.iter().map(|coin| TxIn {
		previous_output: coin.outpoint,
		script_sig: ScriptBuf::new(),
		// Its fee can be raised later, with another transaction for the same root.
		sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
		witness: Witness::new(),
	});
	let transaction = Transaction {
		version: Version::TWO,
		lock_time: LockTime::ZERO,
		input: input.collect(),
		output: outputs,
	};
	let mut psbt =
		Psbt::from_unsigned_tx(transaction).map_err(|error| AnchorError::bad("PSBT", error))?;
	for (input, coin) in psbt.inputs.iter_mut().zip(coins) {
		input.non_witness_utxo.clone_from(&coin.previous);
		input.redeem_script.clone_from(&coin.redeem_script);
		if !coin.script.is_p2pkh() {
			input.witness_utxo =
				Some(TxOut { value: coin.value, script_pubkey: coin.script.clone() });
		}
	}
	Ok(Planned { psbt, fee, change })
}
