//! OpenTimestamps files: a proof that a digest existed before a Bitcoin block, which other tools
//! verify.
//!
//! The file's digest is the root itself. From there the operations put the transaction around it,
//! hash it twice to its id, and climb the Merkle branch to the block's root, which is attested by
//! the block's height. Format: the OpenTimestamps detached timestamp file, version 1.

use crate::{
	AnchorError, H256,
	branch::{Branch, Side},
	commitment,
};
use bitcoin::{Transaction, Witness, consensus::encode::serialize};

/// First bytes of every file.
const MAGIC: &[u8; 31] = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94";
const VERSION: u8 = 1;
const SHA256: u8 = 0x08;
const APPEND: u8 = 0xf0;
const PREPEND: u8 = 0xf1;
const ATTESTATION: u8 = 0x00;
/// Tag of an attestation by a Bitcoin block's Merkle root.
const BITCOIN: [u8; 8] = [0x05, 0x88, 0x96, 0x0d, 0x73, 0xd7, 0x19, 0x01];
/// Tag of a promise that a calendar will give one.
const PENDING: [u8; 8] = [0x83, 0xdf, 0xe3, 0x0d, 0x2e, 0xf9, 0x0c, 0x8e];
/// Readers accept no longer operands.
const MAX_OPERAND: usize = 4_096;
/// Readers accept no longer calendar address.
const MAX_ADDRESS: usize = 1_000;

/// The file for an anchor in a block: `branch` has to lead from the transaction to its root.
///
/// # Errors
/// [`AnchorError::NotCommitted`]; [`AnchorError::Bad`] when the transaction is too large for the format.
pub fn confirmed(
	root: &H256,
	transaction: &Transaction,
	branch: &Branch,
	height: u32,
) -> Result<Vec<u8>, AnchorError> {
	commitment::find(transaction, root)?;
	let stripped = without_witness(transaction);
	let script = commitment::script(root);
	let start = stripped
		.windows(script.len())
		.position(|window| window == script.as_bytes())
		.and_then(|start| start.checked_add(script.len().checked_sub(root.0.len())?));
	let (before, rest) = start
		.and_then(|start| stripped.split_at_checked(start))
		.ok_or_else(|| AnchorError::bad("transaction", "the commitment is not in it"))?;
	let after = rest.get(root.0.len()..).unwrap_or_default();
	if stripped.len() > MAX_OPERAND {
		return Err(AnchorError::bad(
			"transaction",
			"it has more than the 4096 bytes the format allows",
		));
	}
	let mut file = header(root);
	operand(&mut file, PREPEND, before);
	operand(&mut file, APPEND, after);
	file.extend([SHA256, SHA256]);
	for (side, sibling) in branch.steps() {
		let operation = if side == Side::Left { APPEND } else { PREPEND };
		operand(&mut file, operation, &sibling);
		file.extend([SHA256, SHA256]);
	}
	attestation(&mut file, BITCOIN, &number(u64::from(height)));
	Ok(file)
}

/// The file for an anchor that has no block yet: a calendar at `address` is to be asked later.
///
/// # Errors
/// [`AnchorError::Bad`] when the address has characters that the format does not allow.
pub fn pending(root: &H256, address: &str) -> Result<Vec<u8>, AnchorError> {
	let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:".contains(&byte);
	if address.is_empty() || address.len() > MAX_ADDRESS || !address.bytes().all(allowed) {
		let reason = "at most 1000 letters, digits and the characters - . _ / :";
		return Err(AnchorError::bad("calendar address", reason));
	}
	let mut file = header(root);
	attestation(&mut file, PENDING, &counted(address.as_bytes()));
	Ok(file)
}

fn header(root: &H256) -> Vec<u8> {
	[&MAGIC[..], &[VERSION, SHA256], &root.0].concat()
}

fn operand(file: &mut Vec<u8>, operation: u8, bytes: &[u8]) {
	file.push(operation);
	file.extend(counted(bytes));
}

fn attestation(file: &mut Vec<u8>, tag: [u8; 8], payload: &[u8]) {
	file.push(ATTESTATION);
	file.extend(tag);
	file.extend(counted(payload));
}

fn counted(bytes: &[u8]) -> Vec<u8> {
	let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
	[number(length), bytes.to_vec()].concat()
}

/// Seven bits a byte, the least first; the highest bit says that more follow.
fn number(mut value: u64) -> Vec<u8> {
	let mut bytes = Vec::new();
	while value > 0x7f {
		bytes.push(value.to_le_bytes()[0] | 0x80);
		value >>= 7;
	}
	bytes.push(value.to_le_bytes()[0]);
	bytes
}

/// A transaction as its id is computed from it.
fn without_witness(transaction: &Transaction) -> Vec<u8> {
	let mut bare = transaction.clone();
	for input in &mut bare.input {
		input.witness = Witness::new();
	}
	serialize(&bare)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn numbers_have_seven_bits_a_byte() {
		assert_eq!(number(0), [0]);
		assert_eq!(number(127), [0x7f]);
		assert_eq!(number(128), [0x80, 1]);
		assert_eq!(number(840_000), [0xc0, 0xa2, 0x33]);
	}

	#[test]
	fn a_pending_file_is_the_magic_the_digest_and_the_promise() {
		let file = pending(&H256([7; 32]), "https://c.example").expect("a good address");
		let tail = [&PENDING[..], &[18, 17], b"https://c.example"].concat();
		let wanted = [&MAGIC[..], &[1, 8], &[7; 32], &[0], &tail].concat();
		assert_eq!(file, wanted);
	}

	#[test]
	fn a_calendar_address_with_other_characters_is_refused() {
		assert!(matches!(
			pending(&H256([7; 32]), "https://c.example/?a"),
			Err(AnchorError::Bad { .. })
		));
	}
}
