//! Each invariant of what waits, broken once.

use super::*;
use sp_runtime::TryRuntimeError;

/// Breaks something on a chain on which a batch waits, of which a part is held and something was taken.
/// It is what `try_state` finds.
fn breaks(text: &'static str, breach: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		use gridproof_primitives::compute::{Class, PartyRole};
		register(COORDINATOR, PartyRole::Coordinator).unwrap();
		register(MINER, PartyRole::Miner(Class::Gpu)).unwrap();
		register(CPU_MINER, PartyRole::Miner(Class::Cpu)).unwrap();
		admit(COORDINATOR).unwrap();
		set_window(WINDOW_MS);
		two_clients();
		let until = Now::get() + DAY_MS;
		<ComputeReceipts as Waiting<_>>::hold(&line(0, MINER), until).unwrap();
		<ComputeReceipts as Waiting<_>>::forfeit_all(&key(COORDINATOR)).unwrap();
		release(&[own(0)]).unwrap();
		return_to(0, &[1]).unwrap();
		assert_eq!(ComputeReceipts::do_try_state(), Ok(()));
		breach();
		assert_eq!(ComputeReceipts::do_try_state(), Err(TryRuntimeError::Other(text)));
	});
}

fn change(change: impl FnOnce(&mut WaitingBatch<sp_runtime::AccountId32>)) {
	WaitingBatches::<Test>::mutate(key(COORDINATOR), 0, |row| change(row.as_mut().unwrap()));
}

fn change_line(change: impl FnOnce(&mut WaitingLine<sp_runtime::AccountId32>)) {
	WaitingLines::<Test>::mutate(key(MINER), batch(0), |row| change(row.as_mut().unwrap()));
}

#[test]
fn money_that_waits_and_is_not_there_or_not_counted_is_found() {
	let text = "3: AIT is missing from the escrow";
	breaks(text, || change(|row| row.pay += 1));
	breaks(text, || change_line(|row| row.pay += 1));
	let text = "20: what waits is miscounted";
	breaks(text, || change_line(|row| row.pay -= 1));
	breaks(text, || WaitingTotals::<Test>::mutate(|sums| sums.aicp += 1));
	breaks(text, || change(|row| row.back -= 1));
}

#[test]
fn rows_of_a_batch_that_do_not_go_together_are_found() {
	breaks("21: lines of a batch miscounted", || change(|row| row.lines += 1));
	breaks("21: lines of a batch miscounted", || change(|row| row.claims += 1));
	breaks("21: a line claims more than it can", || change_line(|row| row.claimed -= 1));
	breaks("21: a line claims more than it can", || change_line(|row| row.bound -= 1));
	breaks("21: a line claims more than it can", || change_line(|row| row.is_signed = false));
	breaks("21: another miner's line", || change_line(|row| row.line.miner = Some([7; 32])));
	breaks("21: a batch that was never settled", || change(|row| row.number = 1));
	breaks("21: a batch without its list", || WaitingLists::<Test>::remove(batch(0)));
	breaks("21: a list without its batch", || {
		WaitingLists::<Test>::insert(batch(1), WaitingList::default());
	});
	breaks("21: what went back is miscounted", || {
		WaitingLists::<Test>::mutate(batch(0), |list| list.channels[1].returned += 1);
	});
	breaks("21: more goes back than was paid", || {
		WaitingLists::<Test>::mutate(batch(0), |list| {
			list.channels.iter_mut().for_each(|one| one.price = 0);
		});
	});
	breaks("21: a line without its batch", || {
		let row = WaitingLines::<Test>::get(key(MINER), batch(0)).unwrap();
		let row = WaitingLine { pay: 0, claim: 0, coordinator_claim: 0, ..row };
		WaitingLines::<Test>::insert(key(MINER), batch(1), row);
	});
}

#[test]
fn claims_that_no_step_has_are_found() {
	breaks("7: claims of the running step", || change_line(|row| row.claim -= 1));
	breaks("7: parties of the running step", || {
		Running::<Test>::mutate(|running| running.parties += 1);
	});
	breaks("7: a claim in a step that is gone", || {
		change_line(|row| row.step = 9);
		let row = WaitingLines::<Test>::get(key(MINER), batch(0)).unwrap();
		Running::<Test>::mutate(|running| {
			running.claims -= row.claim;
			running.parties -= 2;
		});
	});
}

#[test]
fn holds_and_marks_that_mean_nothing_are_found() {
	breaks("22: holds of bonds miscounted", || {
		BondHolds::<Test>::mutate(key(MINER), |hold| hold.open += 1);
	});
	breaks("22: holds of bonds miscounted", || change(|row| row.hold.open = 1));
	breaks("22: something to come is taken", || {
		TakenOf::<Test>::mutate(key(COORDINATOR), |taken| taken.mint_before = 2);
	});
	breaks("22: more was paid for checks than the treasury received", || {
		FundDays::<Test>::mutate(|days| days[1].paid = days[1].received + 1);
	});
}
