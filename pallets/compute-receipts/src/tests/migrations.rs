//! Migrations, from rows as the older version encoded them.

use crate::{
	migrations::{
		v2::{MigrateToV2, OldJob, OldParameters, OldParty},
		v3::MigrateToV3,
		v4::{self, MigrateToV4},
	},
	mock::*,
	*,
};
use codec::{Decode, Encode};
use frame_support::{
	assert_ok,
	storage::unhashed,
	traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion},
};
use gridproof_primitives::reserve::attestation::ServiceCredit as _;
use gridproof_primitives::{
	H256,
	compute::settlement::Split,
	compute::{JobModel, JobState, OffenceKind, PriceAsset, Quote, Receipt},
	num::units::{AIT, MILLI_AIT},
};

/// All migrations, as a chain of version 1 runs them.
fn migrate() {
	MigrateToV2::<Test>::on_runtime_upgrade();
	MigrateToV3::<Test, Aicp>::on_runtime_upgrade();
	MigrateToV4::<Test>::on_runtime_upgrade();
}

/// Stores a job as versions 2 and 3 did: without what decides whether its receipt mints.
fn put_job_of_v3(job_id: H256) {
	let key = Jobs::<Test>::hashed_key_for(job_id);
	let row = unhashed::get_raw(&key).unwrap();
	let old = v4::OldJob::<sp_runtime::AccountId32>::decode(&mut &row[..]).unwrap();
	unhashed::put_raw(&key, &old.encode());
	assert!(Jobs::<Test>::get(job_id).is_none(), "the row of today has one member more");
}

/// Puts the money of a job where it was before version 3: on hold on its client's account while it
/// is open. A closed job had no deposit any more.
fn put_on_hold(job_id: H256) {
	use frame_support::traits::{
		fungible::{Mutate, hold::Mutate as _},
		tokens::Preservation::Expendable,
	};
	let (job, escrow) = (Jobs::<Test>::get(job_id).unwrap(), EscrowAccount::get());
	let (client, price) = (&job.client, job.terms.price);
	let (open, reason) = (job.state == JobState::Open, HoldReason::Job.into());
	let ait = job.deposit + if open && job.asset == PriceAsset::Ait { price } else { 0 };
	<Balances as Mutate<_>>::transfer(&escrow, client, ait, Expendable).unwrap();
	if open {
		Balances::hold(&reason, client, ait).unwrap();
	}
	if open && job.asset == PriceAsset::Aicp {
		<Aicp as Mutate<_>>::transfer(&escrow, client, price, Expendable).unwrap();
		Aicp::hold(&reason, client, price).unwrap();
	}
}

/// The parameters that a chain of version 1 started with.
fn old_parameters() -> OldParameters {
	OldParameters {
		coordinator_bond: 1_000 * AIT,
		miner_bond: 100 * AIT,
		mint_per_unit: MILLI_AIT,
		cpu_weight: 300,
		mint_split: Split { treasury: 200_000, coordinator: 50_000 },
		price_split: Split { treasury: 0, coordinator: 0 },
		max_job_ms: DAY_MS,
		max_units: 1_000_000_000,
		cancel_notice_ms: 10_000,
		retention_ms: DAY_MS,
		unbonding_ms: 7 * DAY_MS,
		heartbeat_min_ms: 30_000,
		heartbeat_max_ms: 600_000,
		slashing: false,
		slash: 100,
		slash_grace_ms: HOUR_MS,
		offence_memory_ms: 30 * DAY_MS,
		score_cut: 500,
		ban_after: 3,
		ban_ms: 7 * DAY_MS,
	}
}

/// Returns the key under which version 1 stored the reports about a job.
fn old_reports_key(job_id: H256) -> Vec<u8> {
	use frame_support::{StorageHasher, storage::storage_prefix};
	let mut key = storage_prefix(b"ComputeReceipts", b"Reports").to_vec();
	key.extend(frame_support::Blake2_128Concat::hash(&job_id.encode()));
	key
}

/// Stores a party as version 1 did.
fn put_old_party(number: u8) {
	let party = Parties::<Test>::get(key(number)).unwrap();
	let old = OldParty {
		role: party.role,
		account: party.account,
		bond: party.bond,
		since_ms: party.since_ms,
		leaving_ms: party.leaving_ms,
		banned_until_ms: party.banned_until_ms,
		offences: party.offences,
		slashes: party.slashes,
		settled: party.settled,
		compute_units: party.compute_units,
		pending: party.pending,
		accrued: party.accrued,
		minted: party.minted,
		credit: party.credit,
	};
	unhashed::put_raw(&Parties::<Test>::hashed_key_for(key(number)), &old.encode());
}

fn put_old_parties() {
	for number in [COORDINATOR, MINER, CPU_MINER] {
		put_old_party(number);
	}
}

/// Stores a job as version 1 did, with the weight that its receipt had there.
fn put_old_job(job_id: H256, weight: u128) {
	let job = Jobs::<Test>::get(job_id).unwrap();
	let receipt = job
		.receipt
		.map(|receipt| gridproof_primitives::compute::ReceiptView { claim: weight, ..receipt });
	let old = OldJob {
		client: job.client,
		coordinator: job.coordinator,
		asset: job.asset,
		terms: job.terms,
		deposit: job.deposit,
		expiry_ms: job.expiry_ms,
		cancelled_from: job.cancelled_from,
		pinned: job.pinned,
		attempt: job.attempt,
		accepted: job.accepted_ms.is_some(),
		state: job.state,
		closed_ms: job.closed_ms,
		receipt,
	};
	unhashed::put_raw(&Jobs::<Test>::hashed_key_for(job_id), &old.encode());
}

fn put_old(parameters: OldParameters) {
	StorageVersion::new(1).put::<Pallet<Test>>();
	unhashed::put_raw(&Parameters::<Test>::hashed_key(), &parameters.encode());
}

#[test]
fn what_was_earned_by_units_alone_is_kept_and_nothing_more_is() {
	build_and_execute(|| {
		// GIVEN a step of version 1: a thousand units of a newcomer, and one that ended before it,
		// whose weights are products of units, class and score
		let job = open(0);
		assert_eq!(claim(&[signed(job, MINER)]), []);
		let weight = 1_000 * 1_000 * 1_000u128;
		// Closed and open jobs, one of them accepted by its miner.
		let accepted = open(7);
		let assignment = Box::new(assignment(accepted, MINER, 1, true));
		assert_ok!(dispatch(Call::assign_job { assignment }, account(8)));
		let before = Jobs::<Test>::get(accepted).unwrap();
		let step = 4u64;
		Now::set(START + step * 150_000 + 1);
		let earned = |number, step, claim| {
			Parties::<Test>::mutate(key(number), |party| {
				party.as_mut().unwrap().pending = Pending { step, claim, score: 1_000 };
			});
		};
		earned(MINER, step, weight);
		earned(COORDINATOR, step, weight);
		earned(CPU_MINER, 3, 6);
		Running::<Test>::put(RunningStep { step, claims: weight, parties: 2 });
		let shares = gridproof_primitives::compute::settlement::Shares {
			treasury: 0,
			coordinator: 0,
			miner: AIT,
		};
		let closed = ClosedStep { shares, pool: AIT, claims: 12, parties: 1, converted: 0 };
		Steps::<Test>::insert(3, closed);
		Sums::<Test>::mutate(|sums| sums.promised = AIT);
		for id in [job, accepted] {
			put_on_hold(id);
			put_old_job(id, weight);
		}
		// An offence that was reported, and a miner that is leaving.
		let reports = vec![(OffenceKind::TwoReceipts, key(CPU_MINER))];
		unhashed::put_raw(&old_reports_key(job), &reports.encode());
		Parties::<Test>::mutate(key(CPU_MINER), |party| {
			let party = party.as_mut().unwrap();
			party.leaving_ms = Some(START + 8 * DAY_MS);
			push_offence(&mut party.offences, START);
		});
		put_old_parties();
		put_old(old_parameters());
		// WHEN the chain is upgraded
		migrate();
		// THEN everybody has what the old formula gave: 0.1 AIT divided 75 : 5 : 20
		assert_eq!(Pallet::<Test>::on_chain_storage_version(), StorageVersion::new(4));
		assert_eq!(claimable(MINER), 75 * AIT / 1_000);
		assert_eq!(claimable(COORDINATOR), 5 * AIT / 1_000);
		assert_eq!(claimable(CPU_MINER), AIT / 2);
		let sums = Sums::<Test>::get();
		assert_eq!((sums.treasury, sums.promised), (AIT / 50, AIT / 10 + AIT / 2));
		assert_eq!(Steps::<Test>::iter().count(), 0);
		assert_eq!(ComputeReceipts::receipt(job).unwrap().claim, AIT / 10);
		assert_eq!(
			Jobs::<Test>::get(accepted),
			Some(Job { assigned_ms: 0, model: JobModel::AsQuoted, ..before })
		);
		// AND reports, offences and leaves are where they are now
		let kinds = Reports::<Test>::get(job, key(CPU_MINER)).unwrap().kinds.into_inner();
		assert_eq!(kinds, [OffenceKind::TwoReceipts]);
		let leaving = Parties::<Test>::get(key(CPU_MINER)).unwrap();
		assert_eq!(leaving.left_ms, START + DAY_MS);
		let account: [u8; 32] = account(CPU_MINER).into();
		assert_eq!(Histories::<Test>::get(account).offences.into_inner(), [START]);
		assert_eq!(Histories::<Test>::get(key(CPU_MINER)).offences.into_inner(), [START]);
		// AND the treasury has its share of prices from now on, so that they bound the mint
		let new = Parameters::<Test>::get();
		assert_eq!(new, ComputeParameters { cancel_notice_ms: 60_000, slashing: false, ..new });
		assert_eq!((new.price_split, new.mint_per_received), (Split::DEFAULT, 1_000_000));
		assert_ok!(new.check());
		// AND what is settled from now on counts in the next step
		deliver(1, MINER);
		assert_eq!(Running::<Test>::get().step, step + 1);
		next_step();
		next_step();
		assert_ok!(pay(&[MINER, COORDINATOR, CPU_MINER]));
	});
}

#[test]
fn a_migration_runs_once() {
	build_and_execute(|| {
		put_old_parties();
		put_old(old_parameters());
		migrate();
		assert_ok!(set_parameters(|parameters| parameters.mint_per_received = 7));
		migrate();
		assert_eq!(Parameters::<Test>::get().mint_per_received, 7);
	});
}

#[test]
fn what_governance_had_decided_about_prices_and_the_mint_stays() {
	build_and_execute(|| {
		let split = Split { treasury: 0, coordinator: 7 };
		put_old_parties();
		put_old(OldParameters { mint_split: split, price_split: split, ..old_parameters() });
		MigrateToV2::<Test>::on_runtime_upgrade();
		let new = Parameters::<Test>::get();
		assert_eq!((new.mint_split, new.price_split), (split, split));
		// The treasury gets nothing of the mint: it is bounded just below what it received.
		assert_eq!(new.mint_per_received, 999_999);
		assert_ok!(new.check());
	});
}

/// What every account has, free and held, and what its holds are, in AIT and AICP.
fn wealth_of(who: &sp_runtime::AccountId32) -> [u128; 4] {
	use frame_support::traits::fungible::{Inspect, hold::Inspect as _};
	let reason = HoldReason::Job.into();
	[
		<Balances as Inspect<_>>::total_balance(who),
		<Aicp as Inspect<_>>::total_balance(who),
		Balances::balance_on_hold(&reason, who),
		Aicp::balance_on_hold(&reason, who),
	]
}

#[test]
fn what_was_on_hold_for_jobs_moves_into_the_escrow_to_the_unit() {
	build_and_execute(|| {
		// GIVEN a chain of version 2: open jobs in each asset, of a client that locks all it has as a
		// vote does, a closed one, and a report
		use frame_support::traits::{LockableCurrency, WithdrawReasons, fungible::Inspect};
		let settled = open(0);
		assert_eq!(claim(&[signed(settled, MINER)]), []);
		let jobs = [PriceAsset::Ait, PriceAsset::Aicp, PriceAsset::ServiceCredit].map(|asset| {
			let job = open_with(&Quote { asset, price: 7_000, ..quote(1) }).unwrap();
			put_on_hold(job);
			job
		});
		put_on_hold(settled);
		assert_eq!(in_escrow(), [0, 0]);
		Balances::set_lock(*b"a vote..", &client(), u128::MAX, WithdrawReasons::all());
		let kinds: ReportsOf = vec![OffenceKind::TwoReceipts].try_into().unwrap();
		unhashed::put(&Reports::<Test>::hashed_key_for(settled, key(MINER)), &kinds);
		// And more to be slashed than there is.
		Parties::<Test>::mutate(key(MINER), |party| {
			let slashes = vec![(1, 60 * AIT), (2, 60 * AIT), (3, AIT)];
			party.as_mut().unwrap().slashes = slashes.try_into().unwrap();
		});
		jobs.into_iter().chain([settled]).for_each(put_job_of_v3);
		StorageVersion::new(2).put::<Pallet<Test>>();
		let everybody = || (1..=12).chain([99, 200, 201]).map(account);
		let total = || {
			everybody()
				.map(|who| wealth_of(&who))
				.fold([0; 2], |[a, b], [ait, aicp, ..]| [a + ait, b + aicp])
		};
		let supplies = || [Balances::total_issuance(), <Aicp as Inspect<_>>::total_issuance()];
		let before = (total(), supplies(), wealth_of(&client()));
		assert_eq!(before.2[2..], [7_000 + 3 * JOB_DEPOSIT, 7_000]);
		// WHEN the chain is upgraded
		migrate();
		// THEN the escrow has exactly that, and nothing came or went
		assert_eq!(Pallet::<Test>::on_chain_storage_version(), StorageVersion::new(4));
		assert_eq!(in_escrow(), [7_000 + 3 * JOB_DEPOSIT, 7_000]);
		assert_eq!(in_escrow(), ComputeReceipts::owed());
		let [ait, aicp, held, held_aicp] = before.2;
		assert_eq!(wealth_of(&client()), [ait - held, aicp - held_aicp, 0, 0]);
		assert_eq!((total(), supplies()), (before.0, before.1));
		assert_eq!(CreditMap::held(&client()), 7_000);
		assert_ok!(ComputeReceipts::do_try_state());
		// AND reports and slashes are as the rules of today have them
		let reported = Reports::<Test>::get(settled, key(MINER)).unwrap();
		assert_eq!((reported.kinds, reported.deposit), (kinds, 0));
		let slashes = Parties::<Test>::get(key(MINER)).unwrap().slashes.into_inner();
		assert_eq!(slashes, [(1, 60 * AIT), (2, 40 * AIT)]);
		// AND everybody gets what is theirs, the locks notwithstanding
		pass(600_000);
		let call = || Call::expire_jobs { jobs: jobs.to_vec().try_into().unwrap() };
		assert_ok!(dispatch(call(), account(8)));
		pass(DAY_MS);
		assert_ok!(dispatch(call(), account(8)));
		assert_eq!(wealth_of(&client()), [ait, aicp, 0, 0]);
		assert_eq!(CreditMap::held(&client()), 0);
		// The row of the job that was closed before has no deposit.
		let call = Call::expire_jobs { jobs: vec![settled].try_into().unwrap() };
		assert_ok!(dispatch(call, account(8)));
		assert_eq!((wealth_of(&client())[0], in_escrow()), (ait, [0, 0]));
	});
}

#[test]
fn a_job_whose_money_cannot_be_moved_is_cancelled_by_the_migration() {
	build_and_execute(|| {
		let (job, other) = (open(0), open(1));
		put_on_hold(job);
		put_on_hold(other);
		// GIVEN less on hold than two jobs need, which no rule of version 2 allowed
		use frame_support::traits::{fungible::hold::Mutate, tokens::Precision};
		Balances::release(&HoldReason::Job.into(), &client(), 1, Precision::Exact).unwrap();
		[job, other].into_iter().for_each(put_job_of_v3);
		StorageVersion::new(2).put::<Pallet<Test>>();
		migrate();
		// THEN one is open and covered, and the other is cancelled: nobody pays for it
		let states = [job, other].map(state);
		assert_eq!(states.iter().filter(|state| **state == JobState::Open).count(), 1);
		assert_eq!(in_escrow(), [100_000 + JOB_DEPOSIT, 0]);
		assert_eq!(on_hold(HoldReason::Job, &client()), 0);
		assert_ok!(ComputeReceipts::do_try_state());
	});
}

#[test]
fn a_job_that_is_open_at_the_upgrade_settles_and_mints_as_it_was_quoted() {
	build_and_execute(|| {
		// GIVEN a chain of version 3 with jobs of a quote that names no model, open and settled
		let old = |nonce| Quote { price: DEAR, model: None, ..quote(nonce) };
		let before = deliver(0, MINER);
		let (job, expiring) = (open_with(&old(1)).unwrap(), open_with(&old(2)).unwrap());
		let rows = [before, job, expiring].map(|id| Jobs::<Test>::get(id).unwrap());
		[before, job, expiring].into_iter().for_each(put_job_of_v3);
		StorageVersion::new(3).put::<Pallet<Test>>();
		// AND a registry that counts nothing
		Factors::set(Vec::new());
		// WHEN the chain is upgraded
		MigrateToV4::<Test>::on_runtime_upgrade();
		assert_eq!(Pallet::<Test>::on_chain_storage_version(), StorageVersion::new(4));
		for (id, row) in [before, job, expiring].into_iter().zip(rows) {
			let model = JobModel::AsQuoted;
			assert_eq!(Jobs::<Test>::get(id), Some(Job { model, ..row }), "nothing else changes");
		}
		// THEN the job pays and mints what its quote promised
		let view = ComputeReceipts::job(job).unwrap();
		assert_eq!((view.model, view.counts), (JobModel::AsQuoted, true));
		let miner = ait(&account(MINER));
		let settling = Receipt { price: DEAR, ..receipt(job, MINER) };
		assert_eq!(claim(&[signed_by(settling, MINER, COORDINATOR)]), []);
		assert_eq!(ComputeReceipts::receipt(job).unwrap().claim, AIT / 10);
		assert_eq!(ait(&account(MINER)), miner + DEAR * 3 / 4);
		// AND the same quote, opened now, pays and mints nothing
		let job = open_with(&old(3)).unwrap();
		let settling = Receipt { price: DEAR, ..receipt(job, MINER) };
		assert_eq!(claim(&[signed_by(settling, MINER, COORDINATOR)]), []);
		assert_eq!(ComputeReceipts::receipt(job).unwrap().claim, 0);
		assert_eq!(ait(&account(MINER)), miner + DEAR * 3 / 2);
	});
}
