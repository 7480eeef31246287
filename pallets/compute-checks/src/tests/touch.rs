//! Touches.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	H256,
	compute::{
		channels::Mode,
		checks::{BatchId, Touched},
	},
	num::units::AIT,
};

fn touch(batch: BatchId) -> Call<Test> {
	Call::touch { batch }
}

#[test]
fn a_batch_is_touched_three_blocks_after_it_and_once() {
	build_and_execute(|| {
		let batch = settle(0, receipts(EXACT, &[10 * AIT]));
		next_block();
		next_block();
		assert_noop!(dispatch(touch(batch), account(60)), Error::<Test>::TooEarly);
		assert!(authorize(touch(batch)).is_err());
		next_block();
		assert!(!ComputeChecks::is_touched(&batch));
		assert_ok!(apply(touch(batch)));
		assert!(ComputeChecks::is_touched(&batch));
		let checks = ComputeChecks::batch(batch).unwrap();
		assert_eq!(checks.block, H256::from_low_u64_be(3), "that of the block before");
		assert_eq!((checks.value, checks.total, checks.verifiers), (10 * AIT, 10 * AIT, 5));
		next_block();
		assert_noop!(dispatch(touch(batch), account(60)), Error::<Test>::AlreadyTouched);
		let unknown = BatchId { sequence: 9, ..batch };
		assert_noop!(dispatch(touch(unknown), account(60)), Error::<Test>::UnknownBatch);
	});
}

#[test]
fn nothing_of_private_work_is_drawn() {
	build_and_execute(|| {
		let batch = settle(0, receipts(EXACT, &[10 * AIT]));
		All::mutate(|all| all.get_mut(&batch).unwrap().batch.kind.mode = Mode::Private);
		(0..3).for_each(|_| next_block());
		assert_ok!(apply(touch(batch)));
		assert_eq!(ComputeChecks::batch(batch).unwrap().value, 0);
	});
}

#[test]
fn who_has_left_or_is_suspended_draws_nothing_that_is_touched_later() {
	build_and_execute(|| {
		let equal = gridproof_primitives::compute::checks::Figures::Exact { equal: true };
		let before = touched_of(0, EXACT);
		pass(1);
		assert_ok!(dispatch(Call::leave {}, account(1)));
		assert_ok!(dispatch(Call::suspend_verifier { account: account(2) }, account(99)));
		let later = touched_of(1, EXACT);
		assert_eq!(ComputeChecks::batch(later).unwrap().verifiers, 3);
		for number in [1, 2] {
			assert_ok!(report(&before, number, equal));
			assert_noop!(report(&later, number, equal), Error::<Test>::NotDrawn);
		}
		assert_ok!(report(&later, 3, equal));
		// Who was suspended draws again, but nothing of the time between.
		pass(SUSPENSION_MS);
		let after = touched_of(2, EXACT);
		assert_ok!(report(&after, 2, equal));
		All::mutate(|all| all.get_mut(&later).unwrap().batch.pay_due_ms = u64::MAX);
		assert_noop!(report(&later, 2, equal), Error::<Test>::NotDrawn);
	});
}

#[test]
fn who_has_too_little_bond_or_a_young_key_is_not_counted() {
	build_and_execute(|| {
		Verifiers::<Test>::mutate(account(1), |row| {
			row.as_mut().unwrap().key.since_ms = START - 3_599_999;
		});
		assert_ok!(dispatch(Call::leave {}, account(2)));
		let batch = touched_of(0, EXACT);
		assert_eq!(ComputeChecks::batch(batch).unwrap().verifiers, 3);
		pass(1);
		let other = touched_of(1, EXACT);
		assert_eq!(ComputeChecks::batch(other).unwrap().verifiers, 4);
	});
}
