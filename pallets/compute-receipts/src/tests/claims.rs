//! `claim_receipts`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	H256,
	compute::settlement::{Shares, Split},
	compute::{
		JobState, PriceAsset, Quote, Receipt, ReceiptRefusal, SignedReceipt, Signer, Telemetry,
	},
	reserve::attestation::ServiceCredit,
};

/// A claim that is refused for a reason and changes nothing but the event.
fn refused(receipt: SignedReceipt, reason: ReceiptRefusal) {
	System::reset_events();
	let before = sp_io::storage::root(Default::default());
	assert_eq!(claim(&[receipt]), [reason]);
	System::reset_events();
	assert_eq!(sp_io::storage::root(Default::default()), before, "nothing changed");
}

#[test]
fn a_receipt_pays_all_three_and_returns_the_rest() {
	build_and_execute(|| {
		let (miner, client_before) = (ait(&account(MINER)), ait(&client()));
		let job_id = open(0);
		let mut receipt = receipt(job_id, MINER);
		receipt.price = 70_000;
		let receipt_id = receipt.id(&genesis());
		assert_eq!(claim(&[signed_by(receipt, MINER, COORDINATOR)]), []);
		assert_eq!(ait(&account(MINER)), miner + 52_500);
		// The deposit stays with the row.
		assert_eq!(ait(&client()), client_before - 70_000 - JOB_DEPOSIT);
		assert_eq!(in_escrow(), [JOB_DEPOSIT, 0]);
		assert_eq!(
			events(),
			vec![Event::ReceiptSettled {
				job_id,
				receipt_id,
				miner: key(MINER),
				compute_units: 1_000,
				shares: Shares { treasury: 14_000, coordinator: 3_500, miner: 52_500 },
				refund: 30_000,
				// What the treasury received, times class GPU and the score of a newcomer.
				claim: 1_400,
			}]
		);
		let view = ComputeReceipts::receipt(job_id).unwrap();
		assert_eq!((view.receipt_id, view.price, view.step), (receipt_id, 70_000, 0));
		assert_eq!(state(job_id), JobState::Settled);
		assert_eq!(Recorded::get(), [(key(MINER), key(COORDINATOR), 1_000)]);
	});
}

#[test]
fn all_shares_of_a_price_add_up_in_every_asset() {
	build_and_execute(|| {
		assert_ok!(set_parameters(|parameters| {
			parameters.price_split = Split { treasury: 20_000, coordinator: 50_000 };
		}));
		let balances = |of: fn(&sp_runtime::AccountId32) -> u128| {
			[client(), account(MINER), account(COORDINATOR), account(200)].map(|who| of(&who))
		};
		for (asset, of) in
			[(PriceAsset::Ait, ait as fn(&_) -> _), (PriceAsset::Aicp, aicp as fn(&_) -> _)]
		{
			let before = balances(of);
			let job = open_with(&Quote { asset, ..quote(0) }).unwrap();
			let mut receipt = receipt(job, MINER);
			receipt.price = 99_999;
			assert_eq!(claim(&[signed_by(receipt, MINER, COORDINATOR)]), []);
			let after = balances(of);
			// 2 % rounded up and 5 % rounded down, the miner the rest, the client one unit back.
			let deposit = if asset == PriceAsset::Ait { JOB_DEPOSIT } else { 0 };
			assert_eq!(after[0], before[0] - 99_999 - deposit);
			assert_eq!(after[1], before[1] + 93_000);
			assert_eq!(after[2], before[2] + 4_999);
			assert_eq!(after[3], before[3] + 2_000);
		}
	});
}

#[test]
fn service_credit_pays_who_served_it_and_what_is_not_used_comes_back() {
	build_and_execute(|| {
		let asset = PriceAsset::ServiceCredit;
		let job = open_with(&Quote { asset, ..quote(0) }).unwrap();
		let mut receipt = receipt(job, MINER);
		receipt.price = 60_000;
		assert_eq!(claim(&[signed_by(receipt, MINER, COORDINATOR)]), []);
		assert_eq!(CreditMap::available(&client()), 1_000_000_000 - 60_000);
		assert_eq!(CreditMap::held(&client()), 0);
		// Like any price: 75 %, 5 % and 20 %.
		let served =
			[account(MINER), account(COORDINATOR), account(200)].map(|who| Served::get()[&who]);
		assert_eq!(served, [45_000, 3_000, 12_000]);
		assert_eq!(ComputeReceipts::miner(key(MINER)).unwrap().party.credit, 60_000);
	});
}

#[test]
fn each_receipt_of_a_call_settles_or_fails_alone() {
	build_and_execute(|| {
		let jobs: Vec<_> = (0..5).map(open).collect();
		let before = ait(&account(MINER));
		let forged = signed_by(receipt(jobs[1], MINER), CPU_MINER, COORDINATOR);
		let receipts = [
			signed(jobs[0], MINER),
			forged,
			signed(jobs[2], CPU_MINER),
			signed(H256::zero(), MINER),
			signed(jobs[2], MINER),
			signed(jobs[4], MINER),
		];
		assert_eq!(
			claim(&receipts),
			[
				ReceiptRefusal::BadMinerSignature,
				ReceiptRefusal::UnknownJob,
				ReceiptRefusal::Repeated
			]
		);
		let states = jobs.iter().map(|job| state(*job)).collect::<Vec<_>>();
		use JobState::{Open, Settled};
		assert_eq!(states, [Settled, Open, Settled, Open, Settled]);
		assert_eq!(ait(&account(MINER)), before + 2 * PAY);
	});
}

#[test]
fn every_receipt_that_breaks_a_rule_is_refused_and_changes_nothing() {
	build_and_execute(|| {
		use ReceiptRefusal::*;
		let job = open(0);
		let changed = |change: &dyn Fn(&mut Receipt)| {
			let mut receipt = receipt(job, MINER);
			change(&mut receipt);
			signed_by(receipt, MINER, COORDINATOR)
		};
		refused(changed(&|r| r.job_id = H256::zero()), UnknownJob);
		refused(changed(&|r| r.compute_units = 0), ZeroUnits);
		refused(changed(&|r| r.compute_units = 1_001), UnitsAboveQuote);
		refused(changed(&|r| r.telemetry.output_tokens = 599), UnitsAboveTokens);
		refused(changed(&|r| r.price = 100_001), PriceAboveEscrow);
		refused(changed(&|r| r.price = u128::MAX), PriceAboveEscrow);
		refused(changed(&|r| r.telemetry.duration_ms = 0), ImplausibleDuration);
		refused(changed(&|r| r.telemetry.duration_ms = u64::MAX), ImplausibleDuration);
		// Either signature missing, of another key, of another chain, of another role.
		let good = signed(job, MINER);
		let forge = |miner: Option<[u8; 64]>, coordinator: Option<[u8; 64]>| SignedReceipt {
			miner_signature: miner.unwrap_or(good.miner_signature),
			coordinator_signature: coordinator.unwrap_or(good.coordinator_signature),
			receipt: good.receipt.clone(),
		};
		let payload = |signer| good.receipt.signing_payload(&genesis(), signer);
		let elsewhere = |signer| good.receipt.signing_payload(&H256::zero(), signer);
		let bad = [
			[0; 64],
			sign(77, &payload(Signer::Miner)),
			sign(MINER, &elsewhere(Signer::Miner)),
			sign(MINER, &payload(Signer::Coordinator)),
		];
		for signature in bad {
			refused(forge(Some(signature), None), BadMinerSignature);
		}
		let bad = [
			[0; 64],
			sign(77, &payload(Signer::Coordinator)),
			sign(COORDINATOR, &elsewhere(Signer::Coordinator)),
			sign(COORDINATOR, &payload(Signer::Miner)),
		];
		for signature in bad {
			refused(forge(None, Some(signature)), BadCoordinatorSignature);
		}
		assert_eq!(claim(&[good]), []);
	});
}

#[test]
fn a_malleable_signature_is_refused() {
	build_and_execute(|| {
		let job = open(0);
		let mut receipt = signed(job, MINER);
		// S + L verifies by lenient rules.
		const ORDER: [u8; 32] = [
			0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9,
			0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
		];
		let mut carry = 0u16;
		for (byte, order) in receipt.miner_signature[32..].iter_mut().zip(ORDER) {
			let sum = u16::from(*byte) + u16::from(order) + carry;
			*byte = sum as u8;
			carry = sum >> 8;
		}
		refused(receipt, ReceiptRefusal::BadMinerSignature);
	});
}

#[test]
fn only_the_miner_that_the_quote_or_the_assignment_names_is_paid() {
	build_and_execute(|| {
		let quoted = open_with(&Quote { miner: Some(key(CPU_MINER)), ..quote(0) }).unwrap();
		refused(signed(quoted, MINER), ReceiptRefusal::NotAssigned);
		assert_eq!(claim(&[signed(quoted, CPU_MINER)]), []);
		let assigned = open(1);
		let assign = |miner, attempt| {
			let assignment = Box::new(assignment(assigned, miner, attempt, false));
			dispatch(Call::assign_job { assignment }, account(8))
		};
		assert_ok!(assign(MINER, 1));
		refused(signed(assigned, CPU_MINER), ReceiptRefusal::NotAssigned);
		assert_ok!(assign(CPU_MINER, 2));
		refused(signed(assigned, MINER), ReceiptRefusal::NotAssigned);
		assert_eq!(claim(&[signed(assigned, CPU_MINER)]), []);
	});
}

#[test]
fn miners_and_coordinators_must_be_registered_and_not_banned() {
	build_and_execute(|| {
		use ReceiptRefusal::*;
		let job = open(0);
		refused(signed(job, 77), UnknownMiner);
		// A coordinator is not a miner.
		refused(signed(job, COORDINATOR), UnknownMiner);
		let ban = |number, until| {
			Parties::<Test>::mutate(key(number), |party| {
				party.as_mut().unwrap().banned_until_ms = until;
			});
		};
		ban(MINER, Now::get() + 1);
		refused(signed(job, MINER), MinerBanned);
		ban(MINER, 0);
		ban(COORDINATOR, Now::get() + 1);
		refused(signed(job, MINER), CoordinatorBanned);
		ban(COORDINATOR, 0);
		// A coordinator made up by a miner signs nothing that counts.
		refused(signed_by(receipt(job, MINER), MINER, 77), BadCoordinatorSignature);
		assert_eq!(claim(&[signed(job, MINER)]), []);
	});
}

#[test]
fn a_claim_is_good_up_to_the_last_millisecond_before_the_deadline() {
	build_and_execute(|| {
		let (deadline, last, late) = (quote(0).deadline_ms, open(0), open(1));
		Now::set(deadline - 1);
		assert_eq!(claim(&[signed(last, MINER)]), []);
		Now::set(deadline);
		assert_eq!(claim(&[signed(late, MINER)]), [ReceiptRefusal::Expired]);
	});
}

#[test]
fn a_claim_that_comes_too_late_returns_the_money() {
	build_and_execute(|| {
		let before = ait(&client());
		let job = open(0);
		pass(600_000);
		assert_eq!(claim(&[signed(job, MINER)]), [ReceiptRefusal::Expired]);
		assert_eq!(ait(&client()), before - JOB_DEPOSIT);
		assert_eq!(state(job), JobState::Expired);
		refused(signed(job, MINER), ReceiptRefusal::Expired);
	});
}

#[test]
fn nothing_settles_while_all_is_stopped() {
	build_and_execute(|| {
		let job = open(0);
		BreakerLevel::<Test>::put(Breaker::AllStopped);
		refused(signed(job, MINER), ReceiptRefusal::Stopped);
		BreakerLevel::<Test>::put(Breaker::MintStopped);
		assert_eq!(claim(&[signed(job, MINER)]), []);
	});
}

#[test]
fn a_call_without_receipts_is_refused() {
	build_and_execute(|| {
		let call = Call::claim_receipts { receipts: Default::default() };
		assert_noop!(dispatch(call, account(8)), Error::<Test>::InvalidList);
	});
}

#[test]
fn a_full_call_settles_and_costs_less_than_it_may() {
	build_and_execute(|| {
		use frame_support::dispatch::GetDispatchInfo;
		use sp_runtime::traits::Dispatchable;
		let receipts: Vec<_> = (0..256).map(|nonce| signed(open(nonce), MINER)).collect();
		let call = RuntimeCall::ComputeReceipts(Call::claim_receipts {
			receipts: receipts.try_into().unwrap(),
		});
		let declared = call.get_dispatch_info().call_weight;
		let post = call.dispatch(RuntimeOrigin::signed(account(8))).unwrap();
		assert_eq!(post.pays_fee, frame_support::pallet_prelude::Pays::No);
		assert!(post.actual_weight.unwrap().all_lte(declared));
		assert_eq!(Sums::<Test>::get().settled, 256);
	});
}

#[test]
fn a_claim_is_free_if_all_settle_and_else_pays() {
	build_and_execute(|| {
		use frame_support::pallet_prelude::Pays;
		let (good, bad) = (signed(open(0), MINER), signed(H256::zero(), MINER));
		let pays = |receipts: Vec<SignedReceipt>| {
			let origin = RuntimeOrigin::signed(account(8));
			ComputeReceipts::claim_receipts(origin, receipts.try_into().unwrap()).unwrap().pays_fee
		};
		assert_eq!(pays(vec![good.clone()]), Pays::No);
		assert_eq!(pays(vec![good]), Pays::Yes);
		assert_eq!(pays(vec![signed(open(1), MINER), bad]), Pays::Yes);
	});
}

#[test]
fn telemetry_at_its_extremes_breaks_nothing() {
	build_and_execute(|| {
		let quote = Quote { max_units: 1_000_000_000, ..quote(0) };
		let job = open_with(&quote).unwrap();
		let mut receipt = receipt(job, MINER);
		receipt.telemetry = Telemetry {
			input_tokens: u32::MAX,
			output_tokens: u32::MAX,
			duration_ms: 60_000,
			memory_mb: u32::MAX,
		};
		receipt.compute_units = 1_000_000_000;
		assert_eq!(claim(&[signed_by(receipt, MINER, COORDINATOR)]), []);
		let miner = ComputeReceipts::miner(key(MINER)).unwrap();
		assert_eq!(miner.score.t, 100_000_000_000);
	});
}

#[test]
fn a_miner_without_an_account_to_be_paid_into_loses_to_the_treasury_and_nothing_is_stuck() {
	build_and_execute(|| {
		// GIVEN a miner whose account is gone
		Parties::<Test>::mutate(key(MINER), |party| {
			party.as_mut().unwrap().account = account(150);
		});
		let quote = Quote { price: EXISTENTIAL_DEPOSIT - 1, ..quote(0) };
		let job = open_with(&quote).unwrap();
		let treasury = ait(&account(200));
		let mut receipt = receipt(job, MINER);
		receipt.price = EXISTENTIAL_DEPOSIT - 1;
		assert_eq!(claim(&[signed_by(receipt, MINER, COORDINATOR)]), []);
		// All but the coordinator's twentieth.
		assert_eq!(ait(&account(200)), treasury + 950);
		assert!(events().iter().any(|event| matches!(event, Event::PaymentDiverted { .. })));
		assert_eq!(in_escrow(), [JOB_DEPOSIT, 0]);
		Parties::<Test>::mutate(key(MINER), |party| {
			party.as_mut().unwrap().account = account(MINER);
		});
	});
}

#[test]
fn a_failure_counts_wherever_it_stands_in_a_call() {
	for late_first in [false, true] {
		build_and_execute(|| {
			// GIVEN jobs that the miner accepted and let expire, and one that it delivered
			let missed: Vec<_> = (0..3).map(open).collect();
			for job in &missed {
				let assignment = Box::new(assignment(*job, MINER, 1, true));
				assert_ok!(dispatch(Call::assign_job { assignment }, account(8)));
			}
			pass(600_000);
			let good = signed(open(3), MINER);
			let late = missed.iter().map(|job| signed(*job, MINER));
			let receipts: Vec<_> = if late_first {
				late.chain([good]).collect()
			} else {
				[good].into_iter().chain(late).collect()
			};
			// WHEN all are claimed in one call
			assert_eq!(claim(&receipts), [ReceiptRefusal::Expired; 3]);
			// THEN each counts
			let miner = ComputeReceipts::miner(key(MINER)).unwrap();
			assert_eq!((miner.successes, miner.failures), (1, 3), "{late_first}");
		});
	}
}
