//! What a job mints by the registry of models.

use crate::{mock::*, *};
use gridproof_primitives::{
	H256,
	compute::{
		JobModel, JobState, MAX_MODEL_FACTOR, PriceAsset, Quote, Receipt, Telemetry,
		settlement::Shares,
	},
	num::units::AIT,
};

/// What a newcomer's thousand units mint: a milli-AIT each, times its score.
const CLAIM: u128 = AIT / 10;

/// Opens a job at a price so high that its units bound what it mints, settles it, and returns its claim.
fn claimed(quote: Quote) -> u128 {
	let quote = Quote { price: DEAR, ..quote };
	let job = open_with(&quote).unwrap();
	settled(job, quote.price)
}

fn settled(job: H256, price: u128) -> u128 {
	let receipt = Receipt { price, ..receipt(job, MINER) };
	assert_eq!(claim(&[signed_by(receipt, MINER, COORDINATOR)]), []);
	assert_eq!(state(job), JobState::Settled);
	ComputeReceipts::receipt(job).unwrap().claim
}

/// What coordinator, miner, client and treasury have.
fn purses() -> [u128; 4] {
	[account(COORDINATOR), account(MINER), client(), account(200)].map(|who| ait(&who))
}

#[test]
fn work_on_what_the_registry_does_not_count_is_paid_like_any_other_and_mints_nothing() {
	build_and_execute(|| {
		let unknown = Some(H256::repeat_byte(9));
		let cases = [
			(Quote { model: Some(MODEL), ..quote(1) }, CLAIM),
			(Quote { model: None, ..quote(2) }, 0),
			(Quote { model: unknown, ..quote(3) }, 0),
			(Quote { model_factor: 1_001, ..quote(4) }, 0),
			(Quote { model_factor: MAX_MODEL_FACTOR, ..quote(5) }, 0),
			(Quote { asset: PriceAsset::Ait, ..quote(6) }, CLAIM),
		];
		for (place, (quote, expected)) in cases.into_iter().enumerate() {
			let (before, claims) = (purses(), Running::<Test>::get().claims);
			assert_eq!(claimed(quote), expected, "{place}");
			assert_eq!(Running::<Test>::get().claims, claims + expected, "{place}");
			let after = purses();
			let received = [0, 1, 3].map(|who| after[who] - before[who]);
			assert_eq!(received, [DEAR / 20, DEAR * 3 / 4, DEAR / 5], "{place}");
			assert_eq!(before[2] - after[2], DEAR + JOB_DEPOSIT, "{place}");
		}
		assert_eq!(Parties::<Test>::get(key(MINER)).unwrap().settled, 6);
		// The whole step mints what the two that count claim.
		next_step();
		assert_eq!(claimable(MINER) + claimable(COORDINATOR), 2 * CLAIM * 8 / 10);
	});
}

#[test]
fn a_factor_below_the_registrys_mints_nothing_either() {
	build_and_execute(|| {
		Factors::set(vec![(MODEL, 0, 2_000)]);
		assert_eq!(claimed(quote(0)), 0);
		assert_eq!(claimed(Quote { model_factor: 2_000, ..quote(1) }), CLAIM);
	});
}

#[test]
fn a_job_counts_by_the_factor_of_when_it_was_opened() {
	build_and_execute(|| {
		let dear = |nonce| Quote { price: DEAR, ..quote(nonce) };
		let before = open_with(&dear(0)).unwrap();
		pass(1_000);
		// GIVEN another factor from now on, and a stop in a second
		Factors::set(vec![
			(MODEL, 0, 1_000),
			(MODEL, Now::get(), 2_000),
			(MODEL, Now::get() + 1_000, 0),
		]);
		let after = open_with(&dear(1)).unwrap();
		let right = open_with(&Quote { model_factor: 2_000, ..dear(2) }).unwrap();
		pass(1_000);
		let stopped = open_with(&Quote { model_factor: 2_000, ..dear(3) }).unwrap();
		// WHEN all are settled after the stop
		let counts = |job| ComputeReceipts::job(job).unwrap().counts;
		assert_eq!([before, after, right, stopped].map(counts), [true, false, true, false]);
		// THEN each counts by what held when it was opened
		let claims = [before, after, right, stopped].map(|job| settled(job, DEAR));
		assert_eq!(claims, [CLAIM, 0, CLAIM, 0]);
	});
}

#[test]
fn work_that_does_not_count_says_nothing_about_how_fast_a_miner_is() {
	let inputs_after = |model: Option<H256>, model_factor| {
		let mut inputs = None;
		build_and_execute(|| {
			claimed(Quote { model, model_factor, ..quote(0) });
			let miner = ComputeReceipts::miner(key(MINER)).unwrap();
			inputs = Some((miner.successes, miner.inputs, miner.score));
		});
		inputs.unwrap()
	};
	let (successes, counted, _) = inputs_after(Some(MODEL), 1_000);
	assert_eq!(successes, 1);
	let (successes, other, score) = inputs_after(None, MAX_MODEL_FACTOR);
	assert_eq!((successes, other.success_rate), (1, counted.success_rate));
	assert_ne!(other.tokens_per_second, counted.tokens_per_second);
	// The factor that its coordinator wrote makes no difference.
	let (_, same, same_score) = inputs_after(None, 1_000);
	assert_eq!((other, score), (same, same_score));
}

#[test]
fn one_person_in_every_role_loses_the_treasurys_whole_share_by_a_model_of_its_own() {
	build_and_execute(|| {
		let price = 2_500 * AIT;
		let own: [fn() -> Quote; 3] = [
			|| Quote { model: Some(H256::repeat_byte(9)), ..quote(0) },
			|| Quote { model: None, ..quote(1) },
			|| Quote { model_factor: MAX_MODEL_FACTOR, ..quote(2) },
		];
		for own in own {
			let [coordinator, miner, client, treasury] = purses();
			let quote = Quote { price, max_units: 1_000_000_000, ..own() };
			let job = open_with(&quote).unwrap();
			let receipt = Receipt {
				price,
				compute_units: 1_000_000_000,
				telemetry: Telemetry {
					input_tokens: u32::MAX,
					output_tokens: u32::MAX,
					duration_ms: 1,
					memory_mb: u32::MAX,
				},
				..receipt(job, MINER)
			};
			assert_eq!(claim(&[signed_by(receipt, MINER, COORDINATOR)]), []);
			next_step();
			assert_eq!((claimable(MINER), claimable(COORDINATOR)), (0, 0));
			let after = purses();
			let lost = coordinator + miner + client - after[0] - after[1] - after[2];
			assert_eq!(lost, price / 5 + JOB_DEPOSIT, "the deposit comes back with the row");
			assert_eq!(after[3] - treasury, price / 5);
		}
	});
}

#[test]
fn a_preview_and_a_job_say_whether_a_receipt_mints() {
	build_and_execute(|| {
		let dear = |model, nonce| Quote { price: DEAR, model, ..quote(nonce) };
		let jobs = [Some(MODEL), None]
			.map(|model| open_with(&dear(model, u64::from(model.is_some()))).unwrap());
		let shown = jobs.map(|job| ComputeReceipts::job(job).unwrap());
		assert_eq!(shown.each_ref().map(|job| job.counts), [true, false]);
		let models = [JobModel::Registered(MODEL), JobModel::Private];
		assert_eq!(shown.map(|job| job.model), models);
		let receipts = jobs.map(|job| {
			let receipt = Receipt { price: DEAR, ..receipt(job, MINER) };
			signed_by(receipt, MINER, COORDINATOR)
		});
		let previews = ComputeReceipts::preview_receipts(receipts.to_vec());
		let earnings = previews.into_iter().map(|preview| preview.unwrap().earnings);
		let earnings: Vec<_> = earnings.map(|earned| (earned.claim, earned.minted)).collect();
		assert_eq!(earnings[0].0, CLAIM);
		assert_eq!(earnings[1], (0, Shares::default()));
	});
}

#[test]
fn a_claim_is_charged_for_each_model_that_it_asks_about_once() {
	build_and_execute(|| {
		let weight_of = |models: [Option<H256>; 3], nonce: u64| {
			let receipts: Vec<_> = models
				.into_iter()
				.zip(nonce..)
				.map(|(model, nonce)| {
					signed(open_with(&Quote { model, ..quote(nonce) }).unwrap(), MINER)
				})
				.collect();
			let call = Call::claim_receipts { receipts: receipts.try_into().unwrap() };
			let call = RuntimeCall::ComputeReceipts(call);
			use sp_runtime::traits::Dispatchable;
			let done = call.dispatch(RuntimeOrigin::signed(account(8))).unwrap();
			done.actual_weight.unwrap()
		};
		let read = <Test as frame_system::Config>::DbWeight::get().reads(1);
		let none = weight_of([None; 3], 0);
		assert_eq!(weight_of([Some(MODEL); 3], 3), none + read);
		let others = [1, 2, 3].map(|byte| Some(H256::repeat_byte(byte)));
		assert_eq!(weight_of(others, 6), none + read + read + read);
	});
}
