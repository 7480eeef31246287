//! Unsigned transactions: what pays, what comes back, and what is refused.

use gridproof_anchor::{
	AnchorError, H256, Network,
	bitcoin::{
		Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness,
		absolute::LockTime, consensus::encode::serialize_hex, hashes::Hash, transaction::Version,
	},
	commitment,
	psbt::{Coin, Payment, Rate, address_script, plan, read_coins},
};
use proptest::prelude::*;
use serde_json::json;

const ROOT: H256 = H256([0xab; 32]);

fn p2wpkh(byte: u8) -> ScriptBuf {
	ScriptBuf::from_bytes([&[0x00, 0x14][..], &[byte; 20]].concat())
}

fn p2pkh() -> ScriptBuf {
	ScriptBuf::from_bytes([&[0x76, 0xa9, 0x14][..], &[9; 20], &[0x88, 0xac]].concat())
}

fn coin(number: u8, sats: u64) -> Coin {
	Coin {
		outpoint: OutPoint::new(Txid::hash(&[number]), 0),
		value: Amount::from_sat(sats),
		script: p2wpkh(number),
		redeem_script: None,
		previous: None,
	}
}

fn payment(coins: Vec<Coin>, rate: &str) -> Payment {
	Payment { coins, change: p2wpkh(0xee), rate: rate.parse().unwrap(), max_fee: 50_000 }
}

/// Sum in, sum out, fee.
fn books(payment: &Payment) -> (u64, u64, u64) {
	let planned = plan(&ROOT, payment).unwrap();
	let transaction = &planned.psbt.unsigned_tx;
	let value = |point: &OutPoint| {
		let coin = payment.coins.iter().find(|coin| coin.outpoint == *point);
		coin.map_or(0, |coin| coin.value.to_sat())
	};
	let paid = transaction.input.iter().map(|input| value(&input.previous_output)).sum();
	let given = transaction.output.iter().map(|output| output.value.to_sat()).sum();
	(paid, given, planned.fee)
}

#[test]
fn one_coin_pays_the_fee_and_the_rest_comes_back() {
	let planned = plan(&ROOT, &payment(vec![coin(1, 10_000)], "2")).unwrap();
	let transaction = &planned.psbt.unsigned_tx;
	// 10 + 41 + 43 + 31 bytes, and 110 of witness: 610 weight units, 153 virtual bytes.
	assert_eq!((planned.fee, planned.change), (306, 9_694));
	assert_eq!(transaction.output[0], commitment::output(&ROOT));
	assert_eq!(transaction.output[1].script_pubkey, p2wpkh(0xee));
	assert_eq!(transaction.input[0].sequence, Sequence::ENABLE_RBF_NO_LOCKTIME);
	let witness_utxo = planned.psbt.inputs[0].witness_utxo.clone().unwrap();
	assert_eq!((witness_utxo.value.to_sat(), witness_utxo.script_pubkey), (10_000, p2wpkh(1)));
}

#[test]
fn a_rest_that_would_be_dust_goes_to_the_fee() {
	let planned = plan(&ROOT, &payment(vec![coin(1, 599)], "2")).unwrap();
	assert_eq!((planned.fee, planned.change), (599, 0));
	assert_eq!(planned.psbt.unsigned_tx.output, [commitment::output(&ROOT)]);
	// With 294 sats, which are not dust, there is change.
	let planned = plan(&ROOT, &payment(vec![coin(1, 600)], "2")).unwrap();
	assert_eq!((planned.fee, planned.change), (306, 294));
}

#[test]
fn coins_are_taken_in_their_order_and_only_as_many_as_are_needed() {
	let coins = vec![coin(1, 100), coin(2, 10_000), coin(3, 10_000)];
	let planned = plan(&ROOT, &payment(coins, "1")).unwrap();
	let spent: Vec<OutPoint> =
		planned.psbt.unsigned_tx.input.iter().map(|input| input.previous_output).collect();
	assert_eq!(spent, [coin(1, 0).outpoint, coin(2, 0).outpoint]);
}

#[test]
fn too_little_money_is_refused_with_what_is_missing() {
	let refused = plan(&ROOT, &payment(vec![coin(1, 100)], "1")).unwrap_err();
	// Without change 488 weight units, 122 virtual bytes.
	assert_eq!(
		refused,
		AnchorError::Funds("1 unspent outputs are 22 sats short of the fee".into())
	);
	let refused = plan(&ROOT, &payment(vec![], "1")).unwrap_err();
	assert_eq!(
		refused,
		AnchorError::Funds("there is no unspent output to pay the fee with".into())
	);
}

#[test]
fn a_fee_above_the_limit_is_refused() {
	let dear = Payment { max_fee: 305, ..payment(vec![coin(1, 10_000)], "2") };
	assert_eq!(plan(&ROOT, &dear), Err(AnchorError::FeeTooHigh { fee: 306, limit: 305 }));
}

#[test]
fn a_coin_twice_or_of_an_unknown_kind_is_refused() {
	// Both are needed, so both are looked at.
	let twice = payment(vec![coin(1, 50), coin(1, 50)], "1");
	assert!(matches!(plan(&ROOT, &twice), Err(AnchorError::Bad { what: "unspent output", .. })));
	let strange = Coin { script: ScriptBuf::from_bytes(vec![0x51]), ..coin(1, 1_000) };
	assert!(!strange.is_usable());
	let strange = payment(vec![strange], "1");
	assert!(matches!(plan(&ROOT, &strange), Err(AnchorError::Bad { what: "unspent output", .. })));
}

#[test]
fn an_output_without_witness_needs_its_whole_transaction_and_the_right_one() {
	let previous = Transaction {
		version: Version::ONE,
		lock_time: LockTime::ZERO,
		input: vec![TxIn {
			previous_output: OutPoint::null(),
			script_sig: ScriptBuf::from_bytes(vec![1]),
			sequence: Sequence::MAX,
			witness: Witness::new(),
		}],
		output: vec![TxOut { value: Amount::from_sat(9_000), script_pubkey: p2pkh() }],
	};
	let entry = json!({
		"txid": previous.compute_txid().to_string(), "vout": 0, "amount": 0.00009,
		"scriptPubKey": p2pkh().to_hex_string(),
	});
	let mut with = entry.clone();
	with["hex"] = serialize_hex(&previous).into();
	let mut false_amount = with.clone();
	false_amount["amount"] = json!(0.0001);
	let of = |entry: &serde_json::Value| Coin::from_json(entry, Network::REGTEST).unwrap();
	for refused in [entry, false_amount] {
		let refused = plan(&ROOT, &payment(vec![of(&refused)], "1"));
		assert!(
			matches!(refused, Err(AnchorError::Bad { what: "unspent output", .. })),
			"{refused:?}"
		);
	}
	let planned = plan(&ROOT, &payment(vec![of(&with)], "1")).unwrap();
	assert_eq!(planned.psbt.inputs[0].non_witness_utxo, Some(previous));
	assert_eq!(planned.psbt.inputs[0].witness_utxo, None);
}

#[test]
fn coins_are_read_as_a_wallet_lists_them() {
	let txid = Txid::hash(&[1]).to_string();
	let address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
	let list = json!([
		{"txid": txid, "vout": 1, "address": address, "amount": 0.29999999, "confirmations": 3},
		{"txid": txid, "vout": 2, "address": address, "sats": 5},
	]);
	let expected = address_script(address, Network::REGTEST).unwrap();
	for text in [list.to_string(), json!({"result": list, "error": null}).to_string()] {
		let coins = read_coins(&text, Network::REGTEST).unwrap();
		assert_eq!(coins[0].value.to_sat(), 29_999_999);
		assert_eq!(coins[1].value.to_sat(), 5);
		assert_eq!(coins[0].script, expected);
		assert_eq!(coins[0].outpoint.vout, 1);
	}
	assert!(read_coins(&list.to_string(), Network::MAINNET).is_err(), "of another network");
	assert!(address_script(address, Network::MAINNET).is_err(), "of another network");
}

#[test]
fn fee_rates_are_exact_to_a_thousandth() {
	assert_eq!("1.5".parse(), Ok(Rate(1_500)));
	assert_eq!("0.125".parse(), Ok(Rate(125)));
	for text in ["0", "", "-1", "1.0001", "1e3", "x", "99999999999999999999"] {
		assert!(text.parse::<Rate>().is_err(), "{text}");
	}
}

proptest! {
	#[test]
	fn what_goes_in_comes_out_but_for_the_fee(
		sats in prop::collection::vec(300u64..100_000, 1..6),
		rate in 1u64..20_000,
	) {
		let coins = (0u8..).zip(&sats).map(|(number, sats)| coin(number, *sats)).collect();
		let mut payment = payment(coins, "1");
		payment.rate = Rate(rate);
		payment.max_fee = u64::MAX;
		if plan(&ROOT, &payment).is_ok() {
			let (paid, given, fee) = books(&payment);
			prop_assert_eq!(paid, given + fee);
			// 122 virtual bytes are the least that any such transaction has.
			prop_assert!(fee >= (122 * rate).div_ceil(1_000));
		}
	}
}
