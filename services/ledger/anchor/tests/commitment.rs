//! The output that commits to a root, and which transactions and PSBTs are taken.

use gridproof_anchor::{
	AnchorError, H256,
	bitcoin::{
		Amount, OutPoint, Psbt, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness,
		absolute::LockTime, consensus::encode::serialize_hex, transaction::Version,
	},
	commitment::{find, output, parse_root, read_final, root_text, script},
};

/// Root of the first tree of the shared vectors, and its output's script.
const ROOT: &str = "fcfaf9b5e51b3c919213338d87566a3d7230ce7903f00ff4e41d8a93835aff21";
const SCRIPT: &str = "6a20fcfaf9b5e51b3c919213338d87566a3d7230ce7903f00ff4e41d8a93835aff21";

fn root() -> H256 {
	parse_root(ROOT).unwrap()
}

fn transaction(signed: bool, outputs: Vec<TxOut>) -> Transaction {
	let witness = if signed { Witness::from_slice(&[[1u8; 71]]) } else { Witness::new() };
	Transaction {
		version: Version::TWO,
		lock_time: LockTime::ZERO,
		input: vec![TxIn {
			previous_output: OutPoint::null(),
			script_sig: ScriptBuf::new(),
			sequence: Sequence::MAX,
			witness,
		}],
		output: outputs,
	}
}

fn change() -> TxOut {
	TxOut { value: Amount::from_sat(1_000), script_pubkey: ScriptBuf::from_bytes(vec![0x51]) }
}

#[test]
fn the_script_is_that_of_the_shared_vector_and_the_output_worth_nothing() {
	assert_eq!(script(&root()).to_hex_string(), SCRIPT);
	assert_eq!(output(&root()).value, Amount::ZERO);
	assert_eq!(root_text(&root()), ROOT);
	assert_eq!(parse_root(&format!("0x{ROOT}")), Ok(root()));
}

#[test]
fn what_is_not_64_digits_is_no_root() {
	for text in ["", "0x", &ROOT[1..], &format!("{ROOT}00"), &ROOT.replace('f', "g")] {
		assert_eq!(parse_root(text), Err(AnchorError::BadRoot(text.to_owned())));
	}
}

#[test]
fn the_committing_output_is_found_wherever_it_stands() {
	assert_eq!(find(&transaction(true, vec![output(&root()), change()]), &root()), Ok(0));
	assert_eq!(find(&transaction(true, vec![change(), output(&root())]), &root()), Ok(1));
}

#[test]
fn a_transaction_that_commits_to_another_root_or_longer_data_is_refused() {
	let mut longer = script(&root()).into_bytes();
	longer.push(0);
	let longer = TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::from_bytes(longer) };
	for outputs in [vec![change()], vec![output(&H256([7; 32]))], vec![longer]] {
		let other = transaction(true, outputs);
		let txid = other.compute_txid().to_string();
		assert_eq!(
			find(&other, &root()),
			Err(AnchorError::NotCommitted { txid, root: ROOT.to_owned() })
		);
	}
}

#[test]
fn a_final_transaction_is_read_from_digits_and_from_every_form_of_a_psbt() {
	let signed = transaction(true, vec![output(&root()), change()]);
	let digits = serialize_hex(&signed);
	assert_eq!(read_final(format!("{digits}\n").as_bytes()), Ok(signed.clone()));
	let mut psbt = Psbt::from_unsigned_tx(transaction(false, signed.output.clone())).unwrap();
	psbt.inputs[0].final_script_witness = Some(signed.input[0].witness.clone());
	let binary = psbt.serialize();
	assert_eq!(read_final(&binary), Ok(signed.clone()));
	assert_eq!(read_final(psbt.to_string().as_bytes()), Ok(signed.clone()));
	assert_eq!(read_final(psbt.serialize_hex().as_bytes()), Ok(signed));
}

#[test]
fn what_is_not_signed_is_not_final() {
	let unsigned = transaction(false, vec![output(&root())]);
	assert_eq!(read_final(serialize_hex(&unsigned).as_bytes()), Err(AnchorError::NotFinal(0)));
	let psbt = Psbt::from_unsigned_tx(unsigned).unwrap();
	assert_eq!(read_final(psbt.to_string().as_bytes()), Err(AnchorError::NotFinal(0)));
}

#[test]
fn noise_is_refused_with_a_reason() {
	for noise in [&b"zz"[..], b"00", b"cHNidP8=", b"\xff\xfe", b""] {
		assert!(matches!(read_final(noise), Err(AnchorError::Bad { .. })), "{noise:?}");
	}
}
