//! The view functions.

use crate::mock::*;
use gridproof_primitives::{
	H256,
	compute::{
		JobState, MAX_RECEIPTS_PER_CALL, PartyRole, PriceAsset, ReceiptRefusal, SignedReceipt,
	},
	num::units::AIT,
};

#[test]
fn a_job_is_shown_as_it_is_now() {
	build_and_execute(|| {
		let job_id = open(0);
		let view = ComputeReceipts::job(job_id).unwrap();
		assert_eq!(view.client, <[u8; 32]>::from(client()));
		assert_eq!((view.asset, view.price, view.max_units), (PriceAsset::Ait, 100_000, 1_000));
		assert_eq!((view.opened_ms, view.deadline_ms), (START, START + 600_000));
		assert_eq!((view.state, view.receipt), (JobState::Open, None));
		pass(600_000);
		// Nothing has touched it yet.
		assert_eq!(state(job_id), JobState::Expired);
		assert_eq!(ComputeReceipts::job(H256::zero()), None);
	});
}

#[test]
fn overview_adds_everything_up() {
	build_and_execute(|| {
		deliver(0, MINER);
		open(1);
		let view = ComputeReceipts::overview();
		assert_eq!((view.coordinators, view.miners), (1, 2));
		assert_eq!((view.jobs_opened, view.jobs_open, view.jobs_settled), (2, 1, 1));
		assert_eq!((view.escrow_ait, view.escrow_aicp, view.escrow_credit), (100_000, 0, 0));
		assert_eq!((view.compute_units, view.minted, view.promised), (1_000, 0, 0));
		assert_eq!(view.step.pool, AIT / 10);
		next_step();
		assert!(pay(&[MINER]).is_ok());
		let view = ComputeReceipts::overview();
		assert_eq!((view.minted, view.promised), (AIT / 10 * 95 / 100, AIT / 10 * 5 / 100));
		assert_eq!(view.step.step, 1);
		let closed = ComputeReceipts::step(0);
		assert_eq!((closed.pool, closed.closed), (AIT / 10, true));
	});
}

#[test]
fn a_party_is_shown_in_its_role() {
	build_and_execute(|| {
		assert!(ComputeReceipts::miner(key(COORDINATOR)).is_none());
		assert!(ComputeReceipts::coordinator(key(MINER)).is_none());
		let view = ComputeReceipts::coordinator(key(COORDINATOR)).unwrap();
		assert_eq!((view.party.role, view.party.bond), (PartyRole::Coordinator, 1_000 * AIT));
		let miner = ComputeReceipts::miner(key(MINER)).unwrap();
		assert_eq!((miner.score.g, miner.score.c), (0, 50_000_000_000));
		assert_eq!(miner.effective_score, 1_000);
		let listed = ComputeReceipts::parties(None, 10);
		assert_eq!(listed.len(), 3);
		assert_eq!(ComputeReceipts::parties(Some(listed[0].0), 1), [listed[1]]);
		assert_eq!(ComputeReceipts::parties(Some(listed[0].0), 9), listed[1..]);
		assert_eq!(ComputeReceipts::parties(Some(listed[2].0), 9), []);
		assert_eq!(ComputeReceipts::earnings(key(77), 1, PriceAsset::Ait, 1), None);
		assert!(view.admitted);
	});
}

#[test]
fn a_preview_says_the_same_as_the_claim_and_changes_nothing() {
	build_and_execute(|| {
		let (good, other) = (signed(open(0), MINER), open(1));
		let forged = SignedReceipt { miner_signature: [0; 64], ..signed(other, MINER) };
		let root = sp_io::storage::root(Default::default());
		let preview = ComputeReceipts::preview_receipts(vec![good.clone(), good, forged]);
		assert_eq!(sp_io::storage::root(Default::default()), root);
		assert_eq!(preview[0].as_ref().unwrap().refund, 0);
		assert_eq!(preview[1], Err(ReceiptRefusal::Repeated));
		assert_eq!(preview[2], Err(ReceiptRefusal::BadMinerSignature));
		let many = vec![signed(other, MINER); MAX_RECEIPTS_PER_CALL as usize + 1];
		let answers = ComputeReceipts::preview_receipts(many).len();
		assert_eq!(answers, MAX_RECEIPTS_PER_CALL as usize);
	});
}
