//! Any sequence of calls keeps every invariant and loses no unit.

use crate::{mock::*, *};
use frame_support::traits::fungible::Inspect;
use gridproof_primitives::{
	compute::settlement::Split,
	compute::{Class, JobState, PartyRole, PriceAsset, Quote, Receipt},
	reserve::attestation::ServiceCredit,
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
	Open { asset: u8, price: u128 },
	Claim { receipts: Vec<(usize, bool, u128, u64)>, unsigned: bool },
	Cancel(usize),
	Assign(usize, bool, u32),
	Release(usize),
	Expire(usize),
	Beat(bool),
	Pass(u64),
	Pay(u8),
	Idle,
	Report(usize, bool),
	Split(u32, u32),
	Rate(u64),
	Slash(bool),
	Leave(u8),
	Stay(u8),
	Withdraw(u8),
	Register(u8),
	Forfeit(u8),
	Ban(u8, u64),
}

fn step() -> impl Strategy<Value = Step> {
	prop_oneof![
		4 => (0u8..3, 0u128..200_000).prop_map(|(asset, price)| Step::Open { asset, price }),
		6 => (
			prop::collection::vec((0usize..8, any::<bool>(), 0u128..200_000, 0u64..1_100), 1..6),
			any::<bool>(),
		).prop_map(|(receipts, unsigned)| Step::Claim { receipts, unsigned }),
		1 => (0usize..8).prop_map(Step::Cancel),
		1 => (0usize..8, any::<bool>(), 0u32..4).prop_map(|(j, m, a)| Step::Assign(j, m, a)),
		1 => (0usize..8).prop_map(Step::Release),
		1 => (0usize..8).prop_map(Step::Expire),
		1 => any::<bool>().prop_map(Step::Beat),
		3 => (1u64..200_000).prop_map(Step::Pass),
		1 => Just(Step::Pass(8 * DAY_MS)),
		2 => (1u8..8).prop_map(Step::Pay),
		1 => Just(Step::Idle),
		1 => (0usize..8, any::<bool>()).prop_map(|(job, miner)| Step::Report(job, miner)),
		1 => (0u32..600_000, 0u32..400_000).prop_map(|(t, c)| Step::Split(t, c)),
		1 => (0u64..1_000).prop_map(Step::Rate),
		1 => any::<bool>().prop_map(Step::Slash),
		1 => (1u8..6).prop_map(Step::Leave),
		1 => (1u8..6).prop_map(Step::Stay),
		2 => (1u8..6).prop_map(Step::Withdraw),
		2 => (1u8..6).prop_map(Step::Register),
		1 => (1u8..4).prop_map(Step::Forfeit),
		1 => (1u8..4, 0u64..300_000).prop_map(|(number, ms)| Step::Ban(number, ms)),
	]
}

fn run(step: Step, jobs: &mut Vec<gridproof_primitives::H256>) {
	let job = |place: usize| jobs.iter().rev().nth(place).copied().unwrap_or_default();
	let number = |miner: bool| if miner { MINER } else { CPU_MINER };
	let _ = match step {
		Step::Open { asset, price } => {
			let asset =
				[PriceAsset::Ait, PriceAsset::Aicp, PriceAsset::ServiceCredit][usize::from(asset)];
			let nonce = jobs.len() as u64;
			let opened = open_with(&Quote { asset, price, ..quote(nonce) });
			jobs.extend(opened.ok());
			Ok(())
		},
		Step::Claim { receipts, unsigned } => {
			let receipts = receipts.into_iter().map(|(place, miner, price, units)| {
				let miner = number(miner);
				let receipt = Receipt { price, compute_units: units, ..receipt(job(place), miner) };
				signed_by(receipt, miner, COORDINATOR)
			});
			let receipts = receipts.collect::<Vec<_>>().try_into().unwrap();
			let call = Call::claim_receipts { receipts };
			if unsigned { apply_unsigned(call) } else { dispatch(call, account(8)) }
		},
		Step::Cancel(place) => dispatch(Call::cancel_job { job_id: job(place) }, client()),
		Step::Assign(place, miner, attempt) => {
			let assignment = Box::new(assignment(job(place), number(miner), attempt, true));
			dispatch(Call::assign_job { assignment }, account(8))
		},
		Step::Release(place) => {
			let (job_id, signature) = (job(place), release_signature(job(place)));
			dispatch(Call::release_job { job_id, signature }, account(8))
		},
		Step::Expire(place) => {
			let jobs = vec![job(place)].try_into().unwrap();
			dispatch(Call::expire_jobs { jobs }, account(8))
		},
		Step::Beat(miner) => {
			let heartbeats = vec![heartbeat(number(miner), Now::get())].try_into().unwrap();
			dispatch(Call::heartbeats { heartbeats }, account(8))
		},
		Step::Pass(milliseconds) => {
			pass(milliseconds);
			Ok(())
		},
		Step::Pay(set) => {
			let parties: Vec<_> = (1u8..=3).filter(|bit| set & (1 << (bit - 1)) != 0).collect();
			pay(&parties)
		},
		Step::Idle => {
			ComputeReceipts::scan_when_idle(frame_support::weights::Weight::MAX);
			Ok(())
		},
		Step::Report(place, miner) => {
			use gridproof_primitives::compute::{Evidence, SignedBy, Signer};
			let miner = number(miner);
			let by = |nonce| {
				let receipt = Receipt { nonce, ..receipt(job(place), miner) };
				let payload = receipt.signing_payload(&genesis(), Signer::Miner);
				SignedBy { receipt, signature: sign(miner, &payload) }
			};
			let evidence = Box::new(Evidence::TwoReceipts { first: by(0), second: by(1) });
			dispatch(Call::report_offence { evidence }, account(8))
		},
		Step::Rate(ait) => {
			let new = Some(gridproof_primitives::compute::AitPerAicp { ait, aicp: 100 });
			dispatch_as(Call::set_reference_rate { new }, RuntimeOrigin::root())
		},
		Step::Slash(miner) => dispatch(Call::apply_slashes { key: key(number(miner)) }, account(8)),
		Step::Leave(number) => dispatch(Call::leave { key: key(number) }, account(number)),
		Step::Stay(number) => dispatch(Call::stay { key: key(number) }, account(number)),
		Step::Withdraw(number) => dispatch(Call::withdraw { key: key(number) }, account(number)),
		Step::Register(COORDINATOR) => {
			// Who comes back has to be admitted again.
			register(COORDINATOR, PartyRole::Coordinator).and_then(|()| admit(COORDINATOR))
		},
		Step::Register(number) => register(number, PartyRole::Miner(Class::Gpu)),
		Step::Forfeit(number) => {
			dispatch_as(Call::forfeit { key: key(number) }, RuntimeOrigin::root())
		},
		Step::Ban(number, milliseconds) => {
			let call = Call::ban { key: key(number), until_ms: Now::get() + milliseconds };
			dispatch_as(call, RuntimeOrigin::root())
		},
		Step::Split(treasury, coordinator) => set_parameters(|parameters| {
			parameters.price_split = Split { treasury, coordinator };
			parameters.slashing = true;
		}),
	};
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(48))]

	#[test]
	fn any_sequence_of_calls_keeps_the_invariants(
		steps in prop::collection::vec(step(), 1..80),
	) {
		build_and_execute(|| {
			let total = |asset: PriceAsset| -> u128 {
				(1..=12).chain([99, 200, 201]).map(|number| match asset {
					PriceAsset::Aicp => <Aicp as Inspect<_>>::total_balance(&account(number)),
					_ => <Balances as Inspect<_>>::total_balance(&account(number)),
				}).sum()
			};
			let (coins, tokens) = (total(PriceAsset::Ait), total(PriceAsset::Aicp));
			let (mut jobs, mut long) = (Vec::new(), false);
			for step in steps {
				// By then failures have left the window, and parties can have left.
				long |= matches!(step, Step::Pass(ms) if ms > DAY_MS);
				run(step, &mut jobs);
				ComputeReceipts::do_try_state().expect("an invariant is broken");
				assert_eq!(in_escrow(), ComputeReceipts::owed());
				for miner in [MINER, CPU_MINER].into_iter().filter(|_| !long) {
					let missed = Jobs::<Test>::iter_values().filter(|job| {
						let expired = job.state == JobState::Expired && job.accepted_ms.is_some();
						expired && job.terms.miner == Some(key(miner))
					});
					let failures = ComputeReceipts::miner(key(miner)).unwrap().failures;
					assert_eq!(failures as usize, missed.count(), "a failure is lost");
				}
				assert_eq!(total(PriceAsset::Ait), coins + Sums::<Test>::get().minted);
				assert_eq!(total(PriceAsset::Aicp), tokens);
				assert!(CreditMap::available(&client()) <= 1_000_000_000);
			}
			// In the end everything comes back or was paid: nothing is held for jobs.
			// First they are closed, then their rows go.
			for _ in 0..2 {
				pass(2 * DAY_MS);
				for _ in 0..=jobs.len() {
					ComputeReceipts::scan_when_idle(frame_support::weights::Weight::MAX);
				}
			}
			assert_eq!(in_escrow(), [0, 0]);
			assert_eq!(CreditMap::held(&client()), 0);
		});
	}
}
