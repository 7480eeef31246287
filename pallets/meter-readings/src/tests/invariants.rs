//! Each invariant, broken once, with what `try_state` says then. Those of points, corrections, days and
//! tombstones are with their subjects.

use crate::{mock::*, *};
use frame_support::{
	BoundedVec, assert_ok,
	pallet_prelude::ConstU32,
	storage::{TransactionOutcome, with_transaction},
};
use gridproof_primitives::{
	H256,
	energy::{Anchor, AnchorState},
};
use sp_core::Pair as _;
use sp_runtime::DispatchError;

/// Returns what is broken after `change`, which is undone then.
fn broken(change: impl FnOnce()) -> &'static str {
	let found = with_transaction(|| {
		change();
		let found = MeterReadings::do_try_state();
		TransactionOutcome::Rollback(Ok::<_, DispatchError>(found))
	});
	match found.unwrap() {
		Err(DispatchError::Other(text)) => text,
		other => panic!("{other:?}"),
	}
}

fn with_sums(change: impl FnOnce(&mut Sums)) -> &'static str {
	broken(|| SumsOfAll::<Test>::mutate(change))
}

fn with_meter(change: impl FnOnce(&mut MeterOf<Test>)) -> &'static str {
	broken(|| Meters::<Test>::mutate(0, |row| change(row.as_mut().unwrap())))
}

fn with_certified(change: impl FnOnce(&mut CertifiedOf<Test>)) -> &'static str {
	broken(|| Certificates::<Test>::mutate(0, |row| change(row.as_mut().unwrap())))
}

fn with_organisation(change: impl FnOnce(&mut OrganisationOf<Test>)) -> &'static str {
	broken(|| Organisations::<Test>::mutate(0, |row| change(row.as_mut().unwrap())))
}

fn anchor(sequence: u64, root: H256, state: AnchorState) -> Anchor {
	Anchor { sequence, root, state }
}

/// Runs a test on two meters, of which the first has two batches and an anchor.
fn with_two_meters(test: impl FnOnce()) {
	build_and_execute(|| {
		certify(1);
		certify(2);
		let last = accept_many(0, 2, 10).remove(1);
		let (meter, sequence, root) = (0, last.sequence, last.root);
		let state = AnchorState::Pending;
		let call = Call::record_anchor { meter, sequence, root, state };
		assert_ok!(dispatch(call, account(8)));
		test();
	});
}

#[test]
fn limits_and_supply_are_noticed() {
	with_two_meters(|| {
		let limits = Limits { max_rated_power_w: 0, ..Limits::default() };
		assert_eq!(broken(|| LimitsInUse::<Test>::put(limits)), "1: a limit is out of range");
		assert_eq!(with_sums(|sums| sums.minted_wh -= 1), "2: KWH from nothing");
	});
}

#[test]
fn totals_that_count_what_is_not_there_are_noticed() {
	with_two_meters(|| {
		assert_eq!(with_sums(|sums| sums.organisations += 1), "3: organisations");
		assert_eq!(with_sums(|sums| sums.electricians += 1), "3: electricians");
		assert_eq!(with_sums(|sums| sums.meters += 1), "3: meters");
		assert_eq!(with_sums(|sums| sums.suspended += 1), "3: suspended meters");
		assert_eq!(with_sums(|sums| sums.batches = 1), "3: more batches than counted");
		assert_eq!(with_sums(|sums| sums.readings = 1), "3: a batch without a reading");
		let exported = with_meter(|row| row.totals.all.export_wh += 1);
		assert_eq!(exported, "3: more exported than counted");
		let imported = with_meter(|row| row.totals.all.import_wh += 1);
		assert_eq!(imported, "3: more imported than counted");
		assert_eq!(
			with_meter(|row| row.minted_today.wh += 1),
			"3: meters minted more than the day"
		);
		let organisation = broken(|| OrganisationUsage::<Test>::mutate(0, |row| row.wh += 1));
		assert_eq!(organisation, "3: organisations minted more");
	});
}

#[test]
fn organisations_that_count_wrongly_are_noticed() {
	with_two_meters(|| {
		assert_eq!(with_organisation(|row| row.members += 1), "4: members");
		assert_eq!(with_organisation(|row| row.meters += 1), "4: meters");
		assert_eq!(with_organisation(|row| row.name = Default::default()), "4: no name");
		let given = broken(|| NextOrganisation::<Test>::put(0));
		assert_eq!(given, "4: an index that was not given");
		let of_nothing = broken(|| {
			let member = Deposit { who: account(7), amount: 0 };
			Members::<Test>::insert(9, account(7), member);
			SumsOfAll::<Test>::mutate(|sums| sums.electricians += 1);
		});
		assert_eq!(of_nothing, "4: member of nothing");
	});
}

#[test]
fn meters_without_their_rows_are_noticed() {
	with_two_meters(|| {
		let key = device(1).public().0;
		assert_eq!(broken(|| NextMeter::<Test>::put(1)), "5: an index that was not given");
		assert_eq!(broken(|| Certificates::<Test>::remove(0)), "5: no certificate");
		assert_eq!(broken(|| MeterNames::<Test>::remove(name(1))), "5: name");
		assert_eq!(broken(|| DeviceKeys::<Test>::remove(key)), "5: key");
		let weak = broken(|| {
			Meters::<Test>::mutate(0, |row| row.as_mut().unwrap().device = [0; 32]);
			DeviceKeys::<Test>::insert([0; 32], 0);
		});
		assert_eq!(weak, "5: weak key");
		let other = with_certified(|row| row.certificate.rated_power_w += 1);
		assert_eq!(other, "5: the certificate says something else");
		let account = with_meter(|row| row.energy_account = account(7));
		assert_eq!(account, "5: another's energy account");
		assert_eq!(broken(|| MeterNames::<Test>::insert(name(9), 0)), "5: name of nothing");
		assert_eq!(broken(|| DeviceKeys::<Test>::insert([9; 32], 0)), "5: key of nothing");
		let certified = Certificates::<Test>::get(0).unwrap();
		let spare = broken(|| Certificates::<Test>::insert(9, certified));
		assert_eq!(spare, "5: certificate of nothing");
	});
}

#[test]
fn batches_that_are_not_a_chain_are_noticed() {
	with_two_meters(|| {
		assert_eq!(broken(|| Recent::<Test>::remove(0, 1)), "6: a batch is missing");
		let row = Recent::<Test>::get(0, 1).unwrap();
		let other = broken(|| {
			let mut row = row.clone();
			row.header.meter = 1;
			Recent::<Test>::insert(0, 1, row);
		});
		assert_eq!(other, "6: another meter's batch");
		let changed = broken(|| {
			let mut row = row.clone();
			row.header.readings += 1;
			Recent::<Test>::insert(0, 1, row);
		});
		assert_eq!(changed, "6: the chain of headers is broken");
		assert_eq!(with_meter(|row| row.state.last_end_ms -= 1), "6: batches out of order");
		assert_eq!(broken(|| Recent::<Test>::insert(9, 0, row.clone())), "6: a batch too many");
		let first = broken(|| {
			Meters::<Test>::mutate(1, |row| {
				row.as_mut().unwrap().state.last_hash = H256::repeat_byte(1);
			});
		});
		assert_eq!(first, "6: a last batch before the first");
	});
}

#[test]
fn anchors_that_are_somewhere_else_are_noticed() {
	with_two_meters(|| {
		let (root, pending) = (root(3), AnchorState::Pending);
		let put = |meter, slot, anchor| broken(|| Anchors::<Test>::insert(meter, slot, anchor));
		assert_eq!(put(9, 1, anchor(1, root, pending)), "7: an anchor of nothing");
		assert_eq!(put(0, 2, anchor(1, root, pending)), "7: an anchor in another's slot");
		assert_eq!(put(0, 3, anchor(3, root, pending)), "7: an anchor too early");
		let none = AnchorState::Broadcast { txid: H256::zero() };
		assert_eq!(put(0, 1, anchor(1, root, none)), "7: an anchor that cannot be");
		let other = anchor(1, H256::repeat_byte(7), pending);
		assert_eq!(put(0, 1, other), "7: an anchor of another root");
	});
}

#[test]
fn deposits_that_are_not_held_are_noticed() {
	with_two_meters(|| {
		let text = "8: deposits are not what is held";
		assert_eq!(with_certified(|row| row.deposit += 1), text);
		assert_eq!(with_organisation(|row| row.deposit += 1), text);
		assert_eq!(broken(|| TombstoneDeposits::<Test>::insert(account(7), 1)), text);
		let member = Deposit { who: admin(), amount: 1 };
		assert_eq!(broken(|| Members::<Test>::insert(0, electrician(), member)), text);
	});
}

#[test]
fn a_recorder_that_is_listed_twice_is_noticed() {
	with_two_meters(|| {
		let twice: BoundedVec<_, ConstU32<2>> = vec![account(8), account(8)].try_into().unwrap();
		assert_eq!(broken(|| Recorders::<Test>::put(twice)), "9: a recorder twice");
	});
}

#[test]
fn numbers_and_names_that_lead_nowhere_are_noticed() {
	with_two_meters(|| {
		let mark = H256::repeat_byte(9);
		assert_eq!(broken(|| Numbers::<Test>::insert(mark, 0)), "10: a number of nothing");
		let free = broken(|| {
			let _ = Numbers::<Test>::clear(u32::MAX, None);
		});
		assert_eq!(free, "10: a number that is not taken");
		let nobody = broken(|| OrganisationNames::<Test>::insert(mark, 9));
		assert_eq!(nobody, "10: a name of nobody");
		let other = broken(|| OrganisationNames::<Test>::insert(mark, 0));
		assert_eq!(other, "10: another's name");
		let free = broken(|| {
			let _ = OrganisationNames::<Test>::clear(u32::MAX, None);
		});
		assert_eq!(free, "10: a name that is not taken");
		let retired = broken(|| MeterReadings::bury_key(&device(1).public().0, 0));
		assert_eq!(retired, "10: a key after its end");
	});
}
