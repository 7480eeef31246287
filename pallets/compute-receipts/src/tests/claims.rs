//! `claim_receipts`.

use crate::{mock::*, *};

#[test]
fn a_receipt_pays_the_miner_and_returns_the_rest() {
	build_and_execute(|| {
		let (miner, before) = (account(MINER), ait(&account(MINER)));
		let job = open(0);
		assert_eq!(on_hold(HoldReason::Job, &client()), 100_000 + JOB_DEPOSIT);
		let mut receipt = receipt(job, MINER);
		receipt.price = 70_000;
		assert_eq!(claim(&[signed_by(receipt, MINER, COORDINATOR)]), []);
		assert_eq!(ait(&miner), before + 70_000);
		assert_eq!(on_hold(HoldReason::Job, &client()), 0);
	});
}
