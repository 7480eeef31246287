//! Root, transaction, block, headers: every step that does not hold is refused as itself.

use gridproof_anchor::{
	AnchorError, Branch, H256, Network,
	bitcoin::{
		Amount, Block, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, Target,
		Transaction, TxIn, TxMerkleNode, TxOut, Txid, Witness,
		absolute::LockTime,
		block::{Header, Version},
		consensus::encode::{deserialize_hex, serialize_hex},
		hashes::Hash,
		merkle_tree::{self, MerkleBlock},
		transaction,
	},
	commitment,
	evidence::{Evidence, read_branch, read_headers},
	ots,
};

const ROOT: H256 = H256([0x5a; 32]);
/// Header of block 1 of the main network.
const FIRST_MAINNET: &str = "010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd1e4ba744bbbe680e1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299";

fn spend(number: u8, outputs: Vec<TxOut>) -> Transaction {
	Transaction {
		version: transaction::Version::TWO,
		lock_time: LockTime::ZERO,
		input: vec![TxIn {
			previous_output: OutPoint::new(Txid::hash(&[number]), 0),
			script_sig: ScriptBuf::new(),
			sequence: Sequence::MAX,
			witness: Witness::from_slice(&[[number; 70]]),
		}],
		output: outputs,
	}
}

fn paying(number: u8) -> Transaction {
	let script_pubkey = ScriptBuf::from_bytes(vec![0x51]);
	spend(number, vec![TxOut { value: Amount::from_sat(1), script_pubkey }])
}

fn anchor() -> Transaction {
	spend(0xff, vec![commitment::output(&ROOT)])
}

/// A header that shows the least work of a regtest network.
fn mine(previous: BlockHash, merkle_root: TxMerkleNode, time: u32) -> Header {
	let bits = Target::MAX_ATTAINABLE_REGTEST.to_compact_lossy();
	let version = Version::TWO;
	let mut header =
		Header { version, prev_blockhash: previous, merkle_root, time, bits, nonce: 0 };
	while !header.target().is_met_by(header.block_hash()) {
		header.nonce += 1;
	}
	header
}

/// A block of `count` transactions, the anchor in the middle, and headers on it.
fn block(count: u8) -> (Block, Vec<Header>) {
	let mut txdata: Vec<Transaction> = (0..count).map(paying).collect();
	txdata[usize::from(count / 2)] = anchor();
	let root = merkle_tree::calculate_root(txdata.iter().map(Transaction::compute_txid)).unwrap();
	let merkle_root = TxMerkleNode::from_byte_array(root.to_byte_array());
	let mut headers = vec![mine(BlockHash::hash(&[0]), merkle_root, 1_700_000_000)];
	for time in 1..6 {
		let previous = headers.last().unwrap().block_hash();
		headers.push(mine(previous, TxMerkleNode::hash(&[9]), 1_700_000_000 + time));
	}
	(Block { header: headers[0], txdata }, headers)
}

fn evidence(count: u8) -> Evidence {
	let (block, headers) = block(count);
	let branch = Branch::in_block(&block, &anchor().compute_txid()).unwrap();
	Evidence { transaction: anchor(), branch, headers, height: Some(101) }
}

#[test]
fn six_headers_confirm_and_five_do_not() {
	for count in [1, 2, 7, 8] {
		let six = evidence(count);
		let shown = six.check(&ROOT, Network::REGTEST).unwrap();
		assert!(shown.is_confirmed());
		assert_eq!((shown.confirmations, shown.output, shown.block_height), (6, 0, Some(101)));
		assert_eq!(shown.txid, anchor().compute_txid().to_string());
		assert_eq!(shown.block_time, 1_700_000_000);
		let mut five = six;
		five.headers.pop();
		let shown = five.check(&ROOT, Network::REGTEST).unwrap();
		assert_eq!((shown.confirmations, shown.is_confirmed()), (5, false));
	}
}

#[test]
fn another_root_is_not_committed_to() {
	let (other, txid) = (H256([1; 32]), anchor().compute_txid().to_string());
	let refused = evidence(3).check(&other, Network::REGTEST);
	let root = commitment::root_text(&other);
	assert_eq!(refused, Err(AnchorError::NotCommitted { txid, root }));
}

#[test]
fn another_transaction_of_the_same_commitment_is_not_in_the_block() {
	let mut case = evidence(3);
	case.transaction.lock_time = LockTime::from_consensus(1);
	let (txid, block) = (case.transaction.compute_txid(), case.headers[0].block_hash());
	let refused = case.check(&ROOT, Network::REGTEST);
	let wanted = AnchorError::NotInBlock { txid: txid.to_string(), block: block.to_string() };
	assert_eq!(refused, Err(wanted));
}

#[test]
fn a_branch_of_another_block_leads_elsewhere() {
	let mut case = evidence(3);
	case.branch = evidence(4).branch;
	assert!(matches!(case.check(&ROOT, Network::REGTEST), Err(AnchorError::NotInBlock { .. })));
}

#[test]
fn a_header_without_its_work_is_refused() {
	let mut case = evidence(3);
	let header = &mut case.headers[2];
	while header.target().is_met_by(header.block_hash()) {
		header.nonce += 1;
	}
	let hash = case.headers[2].block_hash().to_string();
	assert_eq!(case.check(&ROOT, Network::REGTEST), Err(AnchorError::NoWork(hash)));
}

#[test]
fn a_target_of_nothing_is_no_work() {
	let mut case = evidence(1);
	case.headers[0].bits = CompactTarget::from_consensus(0);
	let hash = case.headers[0].block_hash().to_string();
	assert_eq!(case.check(&ROOT, Network::REGTEST), Err(AnchorError::NoWork(hash)));
}

#[test]
fn headers_that_do_not_follow_each_other_are_refused() {
	let mut case = evidence(3);
	let missing = case.headers.remove(3);
	let refused = case.check(&ROOT, Network::REGTEST);
	let (hash, previous) = (case.headers[3].block_hash(), case.headers[2].block_hash());
	assert_ne!(missing.block_hash(), hash);
	let wanted =
		AnchorError::BrokenChain { hash: hash.to_string(), previous: previous.to_string() };
	assert_eq!(refused, Err(wanted));
}

#[test]
fn the_same_header_six_times_is_no_chain() {
	let mut case = evidence(3);
	case.headers = vec![case.headers[0]; 6];
	assert!(matches!(case.check(&ROOT, Network::REGTEST), Err(AnchorError::BrokenChain { .. })));
}

#[test]
fn no_header_is_nothing() {
	let mut case = evidence(3);
	case.headers.clear();
	assert_eq!(case.check(&ROOT, Network::REGTEST), Err(AnchorError::NoHeader));
}

#[test]
fn easy_blocks_prove_nothing_on_the_main_network() {
	let case = evidence(3);
	let hash = case.headers[0].block_hash().to_string();
	let refused = case.check(&ROOT, Network::MAINNET);
	assert!(
		matches!(&refused, Err(AnchorError::TooEasy { hash: which, .. }) if *which == hash),
		"{refused:?}"
	);
	// A real one, but of the first days: it could be made at home today.
	let first: Header = deserialize_hex(FIRST_MAINNET).unwrap();
	let refused = gridproof_anchor::evidence::check_chain(&[first], Network::MAINNET);
	assert_eq!(
		refused,
		Err(AnchorError::TooEasy {
			hash: "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048".into(),
			difficulty: 1,
			least: 10_000_000_000_000,
			network: "mainnet",
		})
	);
	assert_eq!(
		gridproof_anchor::evidence::check_chain(
			&[first],
			Network(gridproof_anchor::bitcoin::Network::Testnet)
		),
		Ok(())
	);
}

#[test]
fn a_branch_is_read_from_a_proof_and_from_a_whole_block() {
	let (block, headers) = block(5);
	let txid = anchor().compute_txid();
	let proof = MerkleBlock::from_block_with_predicate(&block, |other| *other == txid);
	let by_proof = read_branch(&serialize_hex(&proof), &txid).unwrap();
	assert_eq!(by_proof, read_branch(&serialize_hex(&block), &txid).unwrap());
	assert_eq!(by_proof.1, headers[0]);
	assert_eq!(by_proof.0.index(), 2);
	let other = paying(9).compute_txid();
	for digits in [serialize_hex(&proof), serialize_hex(&block)] {
		assert!(matches!(read_branch(&digits, &other), Err(AnchorError::NotInBlock { .. })));
	}
	assert!(matches!(read_branch("00ff", &txid), Err(AnchorError::Bad { .. })));
}

#[test]
fn a_block_whose_transactions_have_another_root_is_refused() {
	let (mut block, _) = block(5);
	block.txdata.swap(0, 1);
	let refused = Branch::in_block(&block, &anchor().compute_txid());
	assert!(matches!(refused, Err(AnchorError::Bad { what: "block", .. })), "{refused:?}");
}

#[test]
fn headers_are_read_with_and_without_line_breaks() {
	let (_, headers) = block(1);
	let lines: Vec<String> = headers.iter().map(serialize_hex).collect();
	assert_eq!(read_headers(&lines.join("\n")), Ok(headers.clone()));
	assert_eq!(read_headers(&lines.concat()), Ok(headers));
	assert!(read_headers(&lines.concat()[2..]).is_err());
}

#[test]
fn an_ots_file_is_the_magic_the_root_and_the_way_to_the_block() {
	let case = evidence(2);
	let file = ots::confirmed(&ROOT, &case.transaction, &case.branch, 101).unwrap();
	let head = hex::decode("004f70656e54696d657374616d7073000050726f6f6600bf89e2e884e892940108");
	assert!(file.starts_with(&[head.unwrap(), ROOT.0.to_vec()].concat()));
	// Attested by height 101.
	assert!(file.ends_with(&hex::decode("000588960d73d719010165").unwrap()));
	let other = ots::confirmed(&H256([1; 32]), &case.transaction, &case.branch, 101);
	assert!(matches!(other, Err(AnchorError::NotCommitted { .. })));
}
