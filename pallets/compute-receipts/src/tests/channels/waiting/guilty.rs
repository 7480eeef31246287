//! What is taken of what waits, and to whom it goes back.

use super::*;
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::compute::{
	KEY_EXCHANGE_MS, PartyRole, Registration,
	checks::{MAX_HOLD_MS, Punished, Returned, WaitingError},
};

type Seam = ComputeReceipts;

fn forfeit(
	sequence: u64,
	miner: u8,
	channel: ChannelId,
	price: u128,
) -> Result<Returned<sp_runtime::AccountId32>, WaitingError> {
	<Seam as Waiting<_>>::forfeit_receipt(&batch(sequence), &key(miner), channel, price)
}

fn forfeit_all(party: u8) {
	assert_eq!(<Seam as Waiting<_>>::forfeit_all(&key(party)), Ok(()));
}

fn hold(part: Part, until_ms: u64) -> Result<(), WaitingError> {
	<Seam as Waiting<_>>::hold(&part, until_ms)
}

fn free(part: Part) -> Result<(), WaitingError> {
	<Seam as Waiting<_>>::free(&part)
}

/// One batch with 30 AIT of client 9 and 10 AIT of client 10, all by the first miner.
fn one_line() -> [ChannelId; 2] {
	let channels = [9, 10].map(|who| open_as(who, terms(IN_AIT)).unwrap());
	let work = [(channels[0], (MINER, 30 * AIT, 300)), (channels[1], (MINER, 10 * AIT, 100))];
	settle_for(IN_AIT, &work, &[MINER]);
	channels
}

#[test]
fn a_forfeited_receipt_gives_its_client_the_pay_and_nobody_its_claim() {
	with_window(|| {
		let [channel, _] = one_line();
		let has = || [9, 10, MINER, COORDINATOR].map(|who| ait(&account(who)));
		let before = has();
		let whole = claim_for(400);
		let returned = forfeit(0, MINER, channel, 30 * AIT).unwrap();
		// Three quarters and a twentieth of the price, and three quarters of the line's claim.
		let (pay, claim) = (24 * AIT, whole * 3 / 4);
		assert_eq!(returned, Returned { to: client(), pay, claim });
		assert_eq!(has(), [before[0] + pay, before[1], before[2], before[3]]);
		let running = Running::<Test>::get();
		assert_eq!((running.claims, running.parties), (whole - claim, 2));
		let event = Event::ReceiptForfeited {
			part: line(0, MINER),
			channel,
			client: client(),
			amount: pay,
			claim,
		};
		assert!(events().contains(&event));
		pass(WINDOW_MS);
		assert_ok!(release(&[line(0, MINER), own(0)]));
		let after = [before[0] + pay, before[1], before[2] + 15 * AIT / 2, before[3] + AIT / 2];
		assert_eq!(has(), after);
		assert_eq!(accrued(MINER), whole / 4 * 75 / 100);
		nothing_waits();
		assert_eq!(forfeit(0, MINER, channel, 30 * AIT), Err(WaitingError::NotWaiting));
	});
}

#[test]
fn all_receipts_of_a_line_forfeited_leave_nothing_of_it_in_the_running_step() {
	with_window(|| {
		let [first, second] = one_line();
		assert_ok!(forfeit(0, MINER, first, 30 * AIT));
		assert_ok!(forfeit(0, MINER, second, 10 * AIT));
		assert_eq!(Running::<Test>::get(), RunningStep::default());
		// There is nothing of it to wait for.
		assert_ok!(release(&[line(0, MINER)]));
		nothing_waits();
		assert_eq!([first, second].map(GivenBackOf::<Test>::get), [24 * AIT, 8 * AIT]);
	});
}

#[test]
fn a_part_of_a_lines_price_goes_back_to_all_clients_of_the_batch() {
	with_window(|| {
		let [first, second] = one_line();
		let whole = claim_for(400);
		let forfeit = |price| <Seam as Waiting<_>>::forfeit_price(&batch(0), &key(MINER), price);
		// A quarter of forty AIT: three quarters and a twentieth of ten.
		assert_eq!(forfeit(10 * AIT), Ok(8 * AIT));
		assert_eq!(Running::<Test>::get().claims, whole * 3 / 4);
		let event =
			Event::PriceForfeited { part: line(0, MINER), amount: 8 * AIT, claim: whole / 4 };
		assert!(events().contains(&event));
		let has = || [9, 10].map(|who| ait(&account(who)));
		let before = has();
		assert_ok!(return_to(0, &[first, second]));
		assert_eq!(has(), [before[0] + 6 * AIT, before[1] + 2 * AIT]);
		// No more than the line has, and nothing of one that is gone.
		assert_eq!(forfeit(u128::MAX), Ok(24 * AIT));
		assert_eq!(forfeit(AIT), Ok(0));
	});
}

#[test]
fn a_claim_forfeited_in_a_closed_step_returns_to_the_reserve() {
	with_window(|| {
		let [channel, other] = one_line();
		next_step();
		assert_ok!(forfeit(0, MINER, channel, 30 * AIT));
		let step = Steps::<Test>::get(0).unwrap();
		assert_eq!((step.claims, step.parties), (claim_for(400), 2));
		let treasury = step.pool * 20 / 100;
		assert_eq!(Sums::<Test>::get().promised, step.pool);
		pass(WINDOW_MS);
		assert_ok!(release(&[line(0, MINER), own(0)]));
		// A quarter of the miner's and of the coordinator's shares; the treasury's was fixed.
		let part = claim_for(400) / 4;
		assert_eq!((accrued(MINER), accrued(COORDINATOR)), (part * 75 / 100, part * 5 / 100));
		assert_eq!(Sums::<Test>::get().promised, treasury + part * 80 / 100);
		assert_eq!(Steps::<Test>::get(0), None);
		assert_eq!(forfeit(0, MINER, other, 10 * AIT), Err(WaitingError::NotWaiting));
	});
}

#[test]
fn both_receipts_forfeited_in_a_closed_step_end_it() {
	with_window(|| {
		let [first, second] = one_line();
		next_step();
		assert_ok!(forfeit(0, MINER, first, 30 * AIT));
		assert_ok!(forfeit(0, MINER, second, 10 * AIT));
		assert_eq!(Steps::<Test>::get(0), None);
		let sums = Sums::<Test>::get();
		assert_eq!((sums.promised, sums.treasury), (claim_for(400) / 5, claim_for(400) / 5));
	});
}

#[test]
fn a_receipt_forfeited_before_the_miner_signs_claims_nothing_later() {
	with_window(|| {
		let channels = [9, 10].map(|who| open_as(who, terms(IN_AIT)).unwrap());
		let work = [(channels[0], (MINER, 30 * AIT, 300)), (channels[1], (MINER, 10 * AIT, 100))];
		settle_for(IN_AIT, &work, &[]);
		assert_eq!(forfeit(0, MINER, channels[0], 30 * AIT).unwrap().claim, 0);
		let row = WaitingLines::<Test>::get(key(MINER), batch(0)).unwrap();
		let header = WaitingBatches::<Test>::get(key(COORDINATOR), 0).unwrap().header_hash;
		let signature = sign(MINER, &row.line.signing_payload(&genesis(), &header));
		let call = Call::sign_line { batch: batch(0), miner: key(MINER), signature };
		assert_ok!(dispatch(call, account(7)));
		assert_eq!(Running::<Test>::get().claims, claim_for(100));
	});
}

#[test]
fn a_receipt_costs_its_line_no_more_than_waits_of_it() {
	with_window(|| {
		let [channel, _] = one_line();
		// A price above the line's: the checker is wrong, and takes what is there.
		let returned = forfeit(0, MINER, channel, 4_000 * AIT).unwrap();
		assert_eq!((returned.pay, returned.claim), (30 * AIT, claim_for(400)));
		// To the client at most what was settled out of its channel: the rest is the treasury's.
		assert_eq!(GivenBackOf::<Test>::get(channel), 30 * AIT);
		assert_ok!(release(&[line(0, MINER)]));
		nothing_waits();
	});
}

#[test]
fn all_that_waits_of_a_guilty_miner_goes_back_by_what_each_client_paid() {
	with_window(|| {
		let channels = two_clients();
		let has = || [9, 10, MINER, CPU_MINER, COORDINATOR].map(|who| ait(&account(who)));
		let before = has();
		forfeit_all(MINER);
		assert_noop!(return_to(0, &channels), Error::<Test>::NothingDue);
		next_step();
		// At once, whatever its window is.
		assert_ok!(release(&[line(0, MINER)]));
		assert_noop!(release(&[line(0, CPU_MINER)]), Error::<Test>::NothingDue);
		assert_eq!(has(), before);
		assert_ok!(return_to(0, &[channels[0]]));
		assert_noop!(return_to(0, &channels), Error::<Test>::NothingDue);
		assert_ok!(return_to(0, &[channels[1]]));
		// Of 22.5 AIT three quarters and a quarter.
		let [mut a, mut b, miner, mut cpu, mut coordinator] = before;
		(a, b) = (a + 135 * AIT / 8, b + 45 * AIT / 8);
		assert_eq!(has(), [a, b, miner, cpu, coordinator]);
		let event = Event::ReturnedToClient {
			coordinator: key(COORDINATOR),
			sequence: 0,
			channel: channels[1],
			client: account(10),
			amount: 45 * AIT / 8,
		};
		assert!(events().contains(&event));
		pass(WINDOW_MS);
		assert_ok!(release(&[line(0, MINER), line(0, CPU_MINER), own(0)]));
		(cpu, coordinator) = (cpu + 15 * AIT / 2, coordinator + 2 * AIT);
		assert_eq!(has(), [a, b, miner, cpu, coordinator]);
		// Its claim is nobody's; the coordinator keeps its own of both lines.
		assert_eq!(accrued(MINER), 0);
		let of_cpu = claim_for(100) * 3 / 10;
		assert_eq!(accrued(COORDINATOR), (claim_for(300) + of_cpu) * 5 / 100);
		nothing_waits();
		// What it does from now on waits and is paid as ever.
		settle_one(9, &[(MINER, 4 * AIT, 1)], &[]);
		pass(WINDOW_MS);
		assert_ok!(release(&[line(1, MINER), own(1)]));
		assert_eq!(ait(&account(MINER)), miner + 3 * AIT);
	});
}

#[test]
fn all_that_waits_of_a_guilty_coordinator_goes_back_and_its_miners_keep_theirs() {
	with_window(|| {
		let channels = two_clients();
		let has = || [9, 10, MINER, CPU_MINER, COORDINATOR].map(|who| ait(&account(who)));
		let before = has();
		forfeit_all(COORDINATOR);
		assert_ok!(release(&[own(0)]));
		assert_ok!(return_to(0, &channels));
		let (a, b) = (before[0] + 3 * AIT / 2, before[1] + AIT / 2);
		assert_eq!(has(), [a, b, before[2], before[3], before[4]]);
		pass(WINDOW_MS);
		assert_ok!(release(&[line(0, MINER), line(0, CPU_MINER)]));
		let miners = (before[2] + 45 * AIT / 2, before[3] + 15 * AIT / 2);
		assert_eq!(has(), [a, b, miners.0, miners.1, before[4]]);
		assert_eq!((accrued(MINER), accrued(COORDINATOR)), (claim_for(300) * 75 / 100, 0));
		nothing_waits();
	});
}

#[test]
fn what_cannot_be_divided_among_clients_is_the_treasurys() {
	with_window(|| {
		let channels = [9, 10, 11].map(|who| open_as(who, terms(IN_AIT)).unwrap());
		let work = channels.map(|channel| (channel, (MINER, 1_001, 1)));
		settle_for(IN_AIT, &work, &[]);
		forfeit_all(MINER);
		forfeit_all(COORDINATOR);
		let before = ait(&account(200));
		assert_ok!(release(&[line(0, MINER), own(0)]));
		// 3,003 less a fifth, rounded up, are 2,402 for three.
		assert_ok!(return_to(0, &channels[..2]));
		assert_eq!(ait(&account(200)), before);
		assert_ok!(return_to(0, &channels[2..]));
		assert_eq!(channels.map(GivenBackOf::<Test>::get), [800; 3]);
		assert_eq!(ait(&account(200)), before + 2);
		nothing_waits();
	});
}

#[test]
fn a_client_gets_back_at_most_what_was_settled_out_of_its_channel() {
	with_window(|| {
		let [channel, other] = one_line();
		// It has had almost everything back already, out of the coordinator's bond.
		GivenBackOf::<Test>::insert(channel, 29 * AIT);
		let before = [9, 10, 200].map(|who| ait(&account(who)));
		forfeit_all(MINER);
		assert_ok!(release(&[line(0, MINER)]));
		assert_ok!(return_to(0, &[channel, other]));
		let after = [9, 10, 200].map(|who| ait(&account(who)));
		let moved = [after[0] - before[0], after[1] - before[1], after[2] - before[2]];
		assert_eq!(moved, [AIT, 15 * AIT / 2, 43 * AIT / 2]);
	});
}

#[test]
fn a_verdict_follows_a_party_to_its_next_key() {
	with_window(|| {
		let channel = settle_one(9, &[(MINER, 40 * AIT, 1)], &[]);
		let owner = account(MINER);
		let statement = Registration {
			role: PartyRole::Miner(gridproof_primitives::compute::Class::Gpu),
			account: owner.clone().into(),
		};
		let proof = sign(60, &statement.signing_payload(&genesis()));
		let call = Call::exchange_key { key: key(MINER), new: key(60), proof };
		assert_ok!(dispatch(call, owner));
		assert_ok!(hold(line(0, MINER), Now::get() + 2 * DAY_MS));
		pass(KEY_EXCHANGE_MS);
		assert_ok!(dispatch(Call::complete_exchange { key: key(MINER) }, account(8)));
		assert_eq!(BondHolds::<Test>::get(key(60)).open, 1);
		// By the key that the line names, or the present one.
		for name in [MINER, 60] {
			forfeit_all(name);
			assert_eq!(TakenOf::<Test>::get(key(60)).pay_before, 1);
		}
		let before = ait(&client());
		assert_ok!(release(&[line(0, MINER)]));
		assert_ok!(return_to(0, &[channel]));
		assert_eq!(ait(&client()), before + 30 * AIT);
		assert_eq!(BondHolds::<Test>::iter().count(), 0);
		let nobody = <Seam as Waiting<_>>::forfeit_all(&key(77));
		assert_eq!(nobody, Err(WaitingError::UnknownParty));
	});
}

#[test]
fn an_offence_costs_a_tenth_of_the_bond_and_the_third_bans() {
	with_window(|| {
		let bond = Parties::<Test>::get(key(MINER)).unwrap().bond;
		let mut left = bond;
		for offences in 1..=3 {
			let punished = <Seam as Waiting<_>>::punish(&key(MINER)).unwrap();
			let banned_until_ms = if offences < 3 { 0 } else { Now::get() + 7 * DAY_MS };
			assert_eq!(punished, Punished { offences, banned_until_ms, slash: left / 10 });
			left -= left / 10;
		}
		let party = Parties::<Test>::get(key(MINER)).unwrap();
		assert_eq!(party.pending_slash(), bond - left);
		let nobody = <Seam as Waiting<_>>::punish(&key(77));
		assert_eq!(nobody, Err(WaitingError::UnknownParty));
	});
}

#[test]
fn a_dispute_holds_the_accuseds_part_and_nobody_elses() {
	with_window(|| {
		let before = [MINER, CPU_MINER, COORDINATOR].map(|who| ait(&account(who)));
		two_clients();
		let until = Now::get() + WINDOW_MS + DAY_MS;
		assert_ok!(hold(line(0, MINER), until));
		assert_ok!(hold(line(0, MINER), until - 1));
		wait(WINDOW_MS);
		assert_ok!(release(&[line(0, CPU_MINER), own(0)]));
		// The coordinator's claim of that line is not held.
		assert_ok!(release(&[line(0, MINER)]));
		assert_noop!(release(&[line(0, MINER)]), Error::<Test>::NothingDue);
		let claims = claim_for(300) + claim_for(100) * 3 / 10;
		assert_eq!((accrued(MINER), accrued(COORDINATOR)), (0, claims * 5 / 100));
		assert_ok!(free(line(0, MINER)));
		assert_noop!(release(&[line(0, MINER)]), Error::<Test>::NothingDue);
		assert_ok!(free(line(0, MINER)));
		assert_eq!(free(line(0, MINER)), Err(WaitingError::NotHeld));
		assert_ok!(release(&[line(0, MINER)]));
		let after = [MINER, CPU_MINER, COORDINATOR].map(|who| ait(&account(who)));
		let fees = 4 * FEE;
		assert_eq!(after[0], before[0] + 45 * AIT / 2);
		assert_eq!(after[1], before[1] + 15 * AIT / 2);
		assert_eq!(after[2], before[2] + 2 * AIT - fees);
		assert_eq!(accrued(MINER), claim_for(300) * 75 / 100);
		nothing_waits();
		assert_eq!(free(line(0, MINER)), Err(WaitingError::NotWaiting));
	});
}

#[test]
fn a_dispute_about_the_coordinator_holds_its_pay_and_its_claims() {
	with_window(|| {
		two_clients();
		assert_ok!(hold(own(0), Now::get() + DAY_MS));
		wait(WINDOW_MS);
		assert_noop!(release(&[own(0)]), Error::<Test>::NothingDue);
		assert_ok!(release(&[line(0, MINER), line(0, CPU_MINER)]));
		assert_eq!((accrued(MINER), accrued(COORDINATOR)), (claim_for(300) * 75 / 100, 0));
		assert_ok!(free(own(0)));
		assert_ok!(release(&[line(0, MINER), line(0, CPU_MINER), own(0)]));
		let claims = claim_for(300) + claim_for(100) * 3 / 10;
		assert_eq!(accrued(COORDINATOR), claims * 5 / 100);
		nothing_waits();
	});
}

#[test]
fn a_dispute_holds_a_part_for_a_bounded_time_which_stands_still_with_settlement() {
	with_window(|| {
		settle_one(9, &[(MINER, 4 * AIT, 1)], &[]);
		let latest = Now::get() + WINDOW_MS + MAX_HOLD_MS;
		for wrong in [0, Now::get(), latest + 1] {
			assert_eq!(hold(line(0, MINER), wrong), Err(WaitingError::Time));
		}
		assert_eq!(hold(line(1, MINER), latest), Err(WaitingError::NotWaiting));
		assert_eq!(hold(own(1), latest), Err(WaitingError::NotWaiting));
		assert_ok!(hold(line(0, MINER), latest));
		wait(WINDOW_MS);
		stop(Breaker::AllStopped);
		wait(DAY_MS);
		stop(Breaker::Closed);
		wait(MAX_HOLD_MS - 1);
		assert_noop!(release(&[line(0, MINER)]), Error::<Test>::NothingDue);
		wait(1);
		assert_ok!(release(&[line(0, MINER), own(0)]));
		nothing_waits();
		assert_eq!(BondHolds::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_mint_that_waits_on_for_verifiers_lets_no_dispute_hold_pay_longer() {
	with_window(|| {
		settle_one(9, &[(MINER, 4 * AIT, 100)], &[MINER]);
		mint_still(true);
		let before = ait(&account(MINER));
		// Each time for as long as the mint's window allows.
		for _ in 0..4 {
			let due = ComputeReceipts::waiting_batch(batch(0)).unwrap().mint_due_ms;
			assert_ok!(hold(line(0, MINER), due + MAX_HOLD_MS));
			wait(2 * DAY_MS);
		}
		assert_ok!(release(&[line(0, MINER)]));
		assert_eq!(ait(&account(MINER)), before + 3 * AIT);
		assert_noop!(release(&[line(0, MINER)]), Error::<Test>::NothingDue);
	});
}

#[test]
fn governance_forfeits_what_waits_of_the_mint_and_leaves_pay() {
	with_window(|| {
		settle_one(9, &[(MINER, 4 * AIT, 100)], &[MINER]);
		let before = ait(&account(MINER));
		let call = |who| Call::forfeit { key: key(who) };
		assert_ok!(dispatch_as(call(MINER), RuntimeOrigin::root()));
		assert_noop!(
			dispatch_as(call(CPU_MINER), RuntimeOrigin::root()),
			Error::<Test>::NothingDue
		);
		pass(WINDOW_MS);
		assert_ok!(release(&[line(0, MINER), own(0)]));
		assert_eq!((accrued(MINER), ait(&account(MINER))), (0, before + 3 * AIT));
		assert!(accrued(COORDINATOR) > 0);
		nothing_waits();
	});
}
