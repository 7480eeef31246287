//! The output that commits to a root: value 0, script `6a 20 <root>`.

use crate::{AnchorError, H256};
use base64::{Engine, prelude::BASE64_STANDARD};
use bitcoin::{Amount, Psbt, ScriptBuf, Transaction, TxOut, consensus::encode::deserialize};
use gridproof_primitives::energy::op_return_script;

/// First bytes of a PSBT.
const PSBT_MAGIC: &[u8] = b"psbt\xff";

/// Reads a root: 64 hexadecimal digits, with or without `0x`.
///
/// # Errors
/// [`AnchorError::BadRoot`].
pub fn parse_root(text: &str) -> Result<H256, AnchorError> {
	let digits = text.strip_prefix("0x").unwrap_or(text);
	let mut root = [0; 32];
	hex::decode_to_slice(digits, &mut root).map_err(|_| AnchorError::BadRoot(text.to_owned()))?;
	Ok(H256(root))
}

/// A root as its 64 digits, as the gateway's API writes it.
pub fn root_text(root: &H256) -> String {
	hex::encode(root.0)
}

/// The script that commits to a root.
pub fn script(root: &H256) -> ScriptBuf {
	ScriptBuf::from_bytes(op_return_script(root).to_vec())
}

/// The output that commits to a root.
pub fn output(root: &H256) -> TxOut {
	TxOut { value: Amount::ZERO, script_pubkey: script(root) }
}

/// The number of the output that commits to the root.
///
/// # Errors
/// [`AnchorError::NotCommitted`].
pub fn find(transaction: &Transaction, root: &H256) -> Result<u32, AnchorError> {
	let wanted = script(root);
	(0u32..)
		.zip(&transaction.output)
		.find(|(_, output)| output.script_pubkey == wanted)
		.map(|(number, _)| number)
		.ok_or_else(|| AnchorError::NotCommitted {
			txid: transaction.compute_txid().to_string(),
			root: root_text(root),
		})
}

/// Reads a PSBT: base64, hexadecimal or binary.
///
/// # Errors
/// [`AnchorError::Bad`].
pub fn read_psbt(bytes: &[u8]) -> Result<Psbt, AnchorError> {
	let binary = match text_of(bytes) {
		Some(text) if text.starts_with("70736274") => hex::decode(text).ok(),
		Some(text) => BASE64_STANDARD.decode(text).ok(),
		None => Some(bytes.to_vec()),
	};
	let binary =
		binary.ok_or_else(|| AnchorError::bad("PSBT", "neither base64 nor hexadecimal"))?;
	Psbt::deserialize(&binary).map_err(|error| AnchorError::bad("PSBT", error))
}

/// Reads a transaction in hexadecimal digits or binary, signed or not.
///
/// # Errors
/// [`AnchorError::Bad`].
pub fn read_transaction(bytes: &[u8]) -> Result<Transaction, AnchorError> {
	let binary = match text_of(bytes) {
		Some(text) => hex::decode(text).map_err(|error| AnchorError::bad("transaction", error))?,
		None => bytes.to_vec(),
	};
	deserialize(&binary).map_err(|error| AnchorError::bad("transaction", error))
}

/// Reads a transaction that can be broadcast: its hexadecimal digits, or a finalized PSBT.
///
/// # Errors
/// [`AnchorError::NotFinal`] for the first input without signature, [`AnchorError::Bad`].
pub fn read_final(bytes: &[u8]) -> Result<Transaction, AnchorError> {
	let is_psbt = bytes.starts_with(PSBT_MAGIC)
		|| text_of(bytes)
			.is_some_and(|text| text.starts_with("cHNidP") || text.starts_with("70736274"));
	let transaction = if is_psbt {
		// Its signer has seen its fee.
		read_psbt(bytes)?.extract_tx_unchecked_fee_rate()
	} else {
		read_transaction(bytes)?
	};
	let bare = |input: &bitcoin::TxIn| input.script_sig.is_empty() && input.witness.is_empty();
	match transaction.input.iter().position(bare) {
		Some(number) => Err(AnchorError::NotFinal(number)),
		None if transaction.input.is_empty() => {
			Err(AnchorError::bad("transaction", "it has no inputs"))
		},
		None => Ok(transaction),
	}
}

fn text_of(bytes: &[u8]) -> Option<&str> {
	std::str::from_utf8(bytes).ok().map(str::trim).filter(|text| text.is_ascii())
}
