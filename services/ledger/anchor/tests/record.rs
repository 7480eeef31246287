//! The state of an anchor from one look to the next, and the file that keeps it.

use gridproof_anchor::{
	AnchorError, AnchorStatus, H256, Network, Record, Sighting,
	bitcoin::{
		BlockHash, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, Witness, absolute::LockTime,
		hashes::Hash, transaction::Version,
	},
	commitment,
	evidence::Shown,
};
use std::{fs, path::PathBuf};
use tempfile::TempDir;

const ROOT: H256 = H256([3; 32]);

fn anchor(lock: u32) -> Transaction {
	Transaction {
		version: Version::TWO,
		lock_time: LockTime::from_consensus(lock),
		input: vec![TxIn {
			previous_output: OutPoint::null(),
			script_sig: ScriptBuf::new(),
			sequence: Sequence::MAX,
			witness: Witness::from_slice(&[[1u8; 70]]),
		}],
		output: vec![commitment::output(&ROOT)],
	}
}

fn sent() -> Record {
	let mut record = Record::new(&ROOT, Network::REGTEST);
	record.set_transaction(&anchor(0)).unwrap();
	record
}

fn block() -> BlockHash {
	BlockHash::hash(&[5])
}

fn seen(confirmations: u32) -> Sighting {
	Sighting::InBlock { hash: block(), height: 7, confirmations }
}

fn shown(confirmations: u32) -> Shown {
	Shown {
		txid: anchor(0).compute_txid().to_string(),
		output: 0,
		block_hash: block().to_string(),
		block_height: Some(7),
		block_time: 1_700_000_000,
		confirmations,
	}
}

fn file() -> (TempDir, PathBuf) {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("anchor.json");
	(folder, path)
}

#[test]
fn an_anchor_goes_from_pending_over_broadcast_to_confirmed() {
	let mut record = sent();
	assert_eq!(record.state(), AnchorStatus::Pending);
	record.settle(&Sighting::Waiting, None).unwrap();
	assert_eq!(record.state(), AnchorStatus::Broadcast);
	record.settle(&seen(5), Some(&shown(5))).unwrap();
	assert_eq!((record.state(), record.confirmations()), (AnchorStatus::Broadcast, 5));
	record.settle(&seen(6), Some(&shown(6))).unwrap();
	assert_eq!((record.state(), record.confirmations()), (AnchorStatus::Confirmed, 6));
	assert_eq!(record.block_hash(), Some(block()));
}

#[test]
fn what_a_node_says_alone_confirms_nothing() {
	let other = Shown { block_hash: BlockHash::hash(&[6]).to_string(), ..shown(6) };
	for (seen, verified) in [
		(seen(6), None),
		(seen(6), Some(shown(5))),
		(seen(5), Some(shown(6))),
		(seen(6), Some(other)),
	] {
		let mut record = sent();
		record.settle(&seen, verified.as_ref()).unwrap();
		assert_eq!(record.state(), AnchorStatus::Broadcast, "{seen:?} {verified:?}");
	}
}

#[test]
fn a_reorganisation_takes_a_confirmed_anchor_back() {
	let mut record = sent();
	record.settle(&seen(6), Some(&shown(6))).unwrap();
	record.settle(&Sighting::Waiting, None).unwrap();
	assert_eq!(
		(record.state(), record.block(), record.confirmations()),
		(AnchorStatus::Broadcast, None, 0)
	);
	record.settle(&seen(6), Some(&shown(6))).unwrap();
	record.settle(&Sighting::Unknown, None).unwrap();
	assert_eq!(
		(record.state(), record.block(), record.confirmations()),
		(AnchorStatus::Pending, None, 0)
	);
	assert_eq!(record.transaction(), Some(anchor(0)), "it can be sent again");
}

#[test]
fn a_simulated_anchor_becomes_nothing_else() {
	let mut record = Record::simulated(&ROOT, Network::MAINNET);
	assert_eq!(record.settle(&seen(6), Some(&shown(6))), Err(AnchorError::Simulated));
	assert_eq!(record.set_transaction(&anchor(0)), Err(AnchorError::Simulated));
	assert_eq!(record.state(), AnchorStatus::Simulated);
}

#[test]
fn another_transaction_for_the_root_starts_over() {
	let mut record = sent();
	record.settle(&seen(6), Some(&shown(6))).unwrap();
	record.set_transaction(&anchor(0)).unwrap();
	assert_eq!(record.state(), AnchorStatus::Confirmed, "the same one changes nothing");
	record.set_transaction(&anchor(1)).unwrap();
	assert_eq!((record.state(), record.block()), (AnchorStatus::Pending, None));
	let mut stranger = anchor(2);
	stranger.output = vec![commitment::output(&H256([4; 32]))];
	assert!(matches!(record.set_transaction(&stranger), Err(AnchorError::NotCommitted { .. })));
}

#[test]
fn a_record_comes_back_from_its_file() {
	let (_folder, path) = file();
	let mut record = sent();
	record.settle(&seen(6), Some(&shown(6))).unwrap();
	record.save(&path).unwrap();
	assert_eq!(Record::load(&path), Ok(record));
	assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside");
}

#[test]
fn a_file_that_does_not_agree_with_itself_is_refused() {
	let (_folder, path) = file();
	let mut confirmed = sent();
	confirmed.settle(&seen(6), Some(&shown(6))).unwrap();
	confirmed.save(&path).unwrap();
	let text = fs::read_to_string(&path).unwrap();
	let other = commitment::root_text(&H256([4; 32]));
	for (from, to) in [
		("\"confirmed\"", "\"simulated\""),
		("\"confirmations\": 6", "\"confirmations\": 5"),
		("\"regtest\"", "\"moon\""),
		("\"version\": 1", "\"version\": 2"),
		("\"version\": 1", "\"extra\": 1, \"version\": 1"),
		(&commitment::root_text(&ROOT), &other),
		(&anchor(0).compute_txid().to_string(), &anchor(1).compute_txid().to_string()),
	] {
		let altered = text.replacen(from, to, 1);
		assert_ne!(altered, text, "{from}");
		fs::write(&path, altered).unwrap();
		assert!(matches!(Record::load(&path), Err(AnchorError::File { .. })), "{from} as {to}");
	}
}

#[test]
fn a_record_in_use_is_not_overwritten() {
	let (_folder, path) = file();
	let new = Record::new(&ROOT, Network::REGTEST);
	assert_eq!(new.check_free(&path), Ok(()));
	new.save(&path).unwrap();
	assert_eq!(new.check_free(&path), Ok(()), "nothing was sent of it");
	let other = Record::new(&H256([4; 32]), Network::REGTEST);
	assert!(matches!(
		other.check_free(&path),
		Err(AnchorError::RecordInUse { state: AnchorStatus::Pending, .. })
	));
	sent().save(&path).unwrap();
	assert!(matches!(new.check_free(&path), Err(AnchorError::RecordInUse { .. })));
}
