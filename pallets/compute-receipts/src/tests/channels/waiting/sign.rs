//! A miner signs its line after the settlement.

use super::*;
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::crypto::ed25519::Signature;

/// Signature of a miner's line of a batch by a key.
fn signature(sequence: u64, miner: u8, by: u8) -> Signature {
	let row = WaitingLines::<Test>::get(key(miner), batch(sequence)).unwrap();
	let header = WaitingBatches::<Test>::get(key(COORDINATOR), sequence).unwrap().header_hash;
	sign(by, &row.line.signing_payload(&genesis(), &header))
}

fn sign_line(sequence: u64, miner: u8, signature: Signature) -> Result<(), DispatchError> {
	let call = Call::sign_line { batch: batch(sequence), miner: key(miner), signature };
	dispatch(call, account(7))
}

#[test]
fn a_signature_within_the_window_claims_in_its_own_step() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[]);
		assert_eq!(Running::<Test>::get().parties, 0);
		next_step();
		assert_ok!(sign_line(0, MINER, signature(0, MINER, MINER)));
		let claim = claim_for(100);
		let running = Running::<Test>::get();
		assert_eq!((running.step, running.claims, running.parties), (1, claim, 2));
		let signed = Event::LineSigned {
			coordinator: key(COORDINATOR),
			sequence: 0,
			miner: key(MINER),
			step: 1,
			claim,
		};
		assert!(events().contains(&signed));
		assert_noop!(sign_line(0, MINER, signature(0, MINER, MINER)), Error::<Test>::AlreadySigned);
		pass(WINDOW_MS);
		assert_ok!(release(&[line(0, MINER), own(0)]));
		assert_eq!((accrued(MINER), accrued(COORDINATOR)), (claim * 75 / 100, claim * 5 / 100));
		nothing_waits();
	});
}

#[test]
fn a_signature_is_the_miners_of_this_line_and_comes_in_time() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[]);
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[]);
		let wrong = [signature(0, MINER, CPU_MINER), signature(1, MINER, MINER)];
		for signature in wrong {
			assert_noop!(sign_line(0, MINER, signature), Error::<Test>::BadSignature);
		}
		let good = signature(0, MINER, MINER);
		assert_noop!(sign_line(2, MINER, good), Error::<Test>::NotWaiting);
		assert_noop!(sign_line(0, CPU_MINER, good), Error::<Test>::NotWaiting);
		pass(WINDOW_MS - SPACING_MS);
		assert_noop!(sign_line(0, MINER, good), Error::<Test>::WindowOver);
		assert_ok!(sign_line(1, MINER, signature(1, MINER, MINER)));
	});
}

#[test]
fn a_line_that_is_not_signed_pays_alone_and_ends_with_the_window() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[]);
		wait(1);
		mint_still(true);
		wait(WINDOW_MS);
		assert_ok!(release(&[line(0, MINER), own(0)]));
		// Its pay is gone, and the mint's window stands still: it can still be signed.
		assert_eq!(WaitingLines::<Test>::iter().count(), 1);
		assert_noop!(release(&[line(0, MINER)]), Error::<Test>::NothingDue);
		assert_ok!(sign_line(0, MINER, signature(0, MINER, MINER)));
		mint_still(false);
		wait(WINDOW_MS);
		assert_ok!(release(&[line(0, MINER)]));
		assert_eq!(accrued(MINER), claim_for(100) * 75 / 100);
		nothing_waits();
	});
}

#[test]
fn stopping_the_mint_stops_earning() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[]);
		let good = signature(0, MINER, MINER);
		stop(Breaker::MintStopped);
		assert_noop!(sign_line(0, MINER, good), Error::<Test>::MintStopped);
		// What is settled meanwhile never claims.
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[]);
		stop(Breaker::AllStopped);
		assert_noop!(sign_line(0, MINER, good), Error::<Test>::Stopped);
		stop(Breaker::Closed);
		assert_ok!(sign_line(0, MINER, good));
		let late = signature(1, MINER, MINER);
		assert_noop!(sign_line(1, MINER, late), Error::<Test>::NothingDue);
	});
}

#[test]
fn a_late_signature_claims_no_more_than_one_in_time() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[]);
		next_step();
		// Governance makes every unit ten times as dear.
		assert_ok!(set_parameters(|parameters| parameters.mint_per_unit *= 10));
		assert_ok!(sign_line(0, MINER, signature(0, MINER, MINER)));
		assert_eq!(Running::<Test>::get().claims, claim_for(100));
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[]);
		assert_ok!(set_parameters(|parameters| parameters.mint_per_unit /= 10));
		assert_ok!(sign_line(1, MINER, signature(1, MINER, MINER)));
		// With one success its score has doubled.
		assert_eq!(Running::<Test>::get().claims, 3 * claim_for(100));
	});
}

#[test]
fn who_is_banned_when_it_signs_claims_nothing() {
	with_window(|| {
		settle_one(9, &[(MINER, 50 * AIT, 100)], &[]);
		let good = signature(0, MINER, MINER);
		let ban = |until_ms| Call::ban { key: key(MINER), until_ms };
		assert_ok!(dispatch_as(ban(Now::get() + 1), RuntimeOrigin::root()));
		assert_noop!(sign_line(0, MINER, good), Error::<Test>::NothingDue);
		pass(1);
		assert_ok!(sign_line(0, MINER, good));
	});
}
