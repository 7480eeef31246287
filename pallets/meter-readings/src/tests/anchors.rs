//! Anchors, and who records them.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	H256,
	energy::{Anchor, AnchorState},
};
use sp_runtime::DispatchError;

const TXID: H256 = H256([1; 32]);
const BLOCK: H256 = H256([2; 32]);
const BROADCAST: AnchorState = AnchorState::Broadcast { txid: TXID };
const SIMULATED: AnchorState = AnchorState::Simulated { txid: TXID };

fn confirmed(confirmations: u32) -> AnchorState {
	AnchorState::Confirmed { txid: TXID, block_hash: BLOCK, height: 900_000, confirmations }
}

fn record_root(sequence: u64, root: H256, state: AnchorState) -> Result<(), DispatchError> {
	dispatch(Call::record_anchor { meter: 0, sequence, root, state }, account(8))
}

fn record(sequence: u64, state: AnchorState) -> Result<(), DispatchError> {
	record_root(sequence, root(3), state)
}

#[test]
fn an_anchor_goes_forward_from_pending_to_confirmed() {
	build_and_execute(|| {
		let meter = certify(1);
		accept_many(meter, 1, 1);
		for state in [AnchorState::Pending, BROADCAST, confirmed(6), confirmed(7)] {
			assert_ok!(record(0, state));
			let root = root(3);
			assert_eq!(last_event(), Event::AnchorRecorded { meter, sequence: 0, root, state });
			let anchor = Anchor { sequence: 0, root, state };
			assert_eq!(MeterReadings::anchor(meter, 0), Some(anchor));
			assert_eq!(MeterReadings::batch(meter, 0).unwrap().anchor, Some(anchor));
			assert_noop!(record(0, state), Error::<Test>::Unchanged);
		}
	});
}

#[test]
fn an_anchor_never_goes_back() {
	build_and_execute(|| {
		accept_many(certify(1), 1, 1);
		assert_ok!(record(0, BROADCAST));
		let backwards = Error::<Test>::AnchorBackwards;
		assert_noop!(record(0, AnchorState::Pending), backwards);
		assert_noop!(record(0, SIMULATED), Error::<Test>::AnchorBackwards);
		assert_ok!(record(0, confirmed(9)));
		let other = |txid, block_hash, height| AnchorState::Confirmed {
			txid,
			block_hash,
			height,
			confirmations: 10,
		};
		for state in [
			AnchorState::Pending,
			BROADCAST,
			SIMULATED,
			confirmed(8),
			other(H256([9; 32]), BLOCK, 900_000),
			other(TXID, H256([9; 32]), 900_000),
			other(TXID, BLOCK, 900_001),
		] {
			assert_noop!(record(0, state), Error::<Test>::AnchorBackwards);
		}
	});
}

#[test]
fn a_real_anchor_replaces_a_simulated_one_and_never_the_reverse() {
	build_and_execute(|| {
		accept_many(certify(1), 4, 1);
		// What is meant to be real cannot be made a rehearsal for ever.
		assert_ok!(record(0, AnchorState::Pending));
		assert_noop!(record(0, SIMULATED), Error::<Test>::AnchorBackwards);
		let real = [AnchorState::Pending, BROADCAST, confirmed(6)];
		for (sequence, state) in (1u64..).zip(real) {
			assert_ok!(record(sequence, SIMULATED));
			let other = AnchorState::Simulated { txid: BLOCK };
			assert_noop!(record(sequence, other), Error::<Test>::AnchorBackwards);
			assert_ok!(record(sequence, state));
			assert_noop!(record(sequence, SIMULATED), Error::<Test>::AnchorBackwards);
		}
	});
}

#[test]
fn five_confirmations_are_not_confirmed() {
	build_and_execute(|| {
		accept_many(certify(1), 1, 1);
		let few = Error::<Test>::TooFewConfirmations;
		assert_noop!(record(0, confirmed(5)), few);
		let nowhere = AnchorState::Confirmed {
			txid: TXID,
			block_hash: H256::zero(),
			height: 1,
			confirmations: 6,
		};
		assert_noop!(record(0, nowhere), Error::<Test>::TooFewConfirmations);
		let nothing = AnchorState::Broadcast { txid: H256::zero() };
		assert_noop!(record(0, nothing), Error::<Test>::TooFewConfirmations);
		assert_ok!(record(0, confirmed(6)));
	});
}

#[test]
fn a_transaction_can_be_replaced_until_it_is_confirmed() {
	build_and_execute(|| {
		accept_many(certify(1), 1, 1);
		assert_ok!(record(0, AnchorState::Broadcast { txid: BLOCK }));
		assert_ok!(record(0, BROADCAST));
		assert_ok!(record(0, confirmed(6)));
	});
}

#[test]
fn an_anchor_is_of_the_batchs_root() {
	build_and_execute(|| {
		accept_many(certify(1), 1, 1);
		let other = record_root(0, root(4), AnchorState::Pending);
		assert_noop!(other, Error::<Test>::OtherRoot);
		assert_noop!(record(1, AnchorState::Pending), Error::<Test>::UnknownBatch);
		assert_ok!(record(0, AnchorState::Pending));
		let other = record_root(0, root(4), BROADCAST);
		assert_noop!(other, Error::<Test>::OtherRoot);
	});
}

#[test]
fn an_anchor_outlives_its_batch_until_a_later_one_takes_its_place() {
	build_and_execute(|| {
		let meter = certify(1);
		accept_many(meter, 1, 1);
		assert_ok!(record(0, BROADCAST));
		accept_many(meter, MAX_RECENT, 1);
		// The batch is no longer kept; its anchor still advances.
		assert_eq!(MeterReadings::batch(meter, 0), None);
		assert_ok!(record(0, confirmed(6)));
		// A later batch of the same slot takes over, and the old one does not come back.
		let later = u64::from(MAX_RECENT);
		assert_ok!(record(later, AnchorState::Pending));
		assert_eq!(MeterReadings::anchor(meter, 0), None);
		assert_noop!(record(0, AnchorState::Pending), Error::<Test>::UnknownBatch);
		assert_eq!(Anchors::<Test>::iter().count(), 1);
	});
}

#[test]
fn only_who_is_appointed_records() {
	build_and_execute(|| {
		accept_many(certify(1), 1, 1);
		let call = || Call::record_anchor {
			meter: 0,
			sequence: 0,
			root: root(3),
			state: AnchorState::Pending,
		};
		assert_noop!(dispatch(call(), electrician()), Error::<Test>::NotRecorder);
		let set = |who, appointed| {
			MeterReadings::set_recorder(RuntimeOrigin::root(), account(who), appointed)
		};
		let by_admin = Call::set_recorder { who: admin(), appointed: true };
		assert_noop!(dispatch(by_admin, admin()), DispatchError::BadOrigin);
		assert_noop!(set(8, true), Error::<Test>::Unchanged);
		assert_noop!(set(7, false), Error::<Test>::Unchanged);
		assert_ok!(set(7, true));
		assert_eq!(last_event(), Event::RecorderAdded { who: account(7) });
		assert_noop!(set(6, true), Error::<Test>::MaxRecordersExceeded);
		assert_ok!(set(8, false));
		assert_eq!(last_event(), Event::RecorderRemoved { who: account(8) });
		assert_noop!(dispatch(call(), account(8)), Error::<Test>::NotRecorder);
		assert_ok!(dispatch(call(), account(7)));
	});
}
