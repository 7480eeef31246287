//! Jobs, receipts, parties, emission.

use super::{Calls, Strategy::*, channels};
use crate::{
	build::compute::{self, Terms},
	chain::{DAY, MINUTE, SECOND},
	rng::Rng,
	world::{
		Sent, World,
		compute::{KnownJob, honest_coordinator, honest_miner, key_of},
	},
};
use gridproof_primitives::{
	H256,
	compute::{Class, PartyRole, PriceAsset},
};
use gridproof_runtime::{RuntimeCall, constants::currency::AIT};
use pallet_compute_receipts::Call;
use sp_core::ed25519;

pub(super) const CALLS: Calls = &[
	("register_coordinator", Make(register_coordinator)),
	("register_miner", Make(register_miner)),
	("raise_bond", Make(raise_bond)),
	("leave", Make(leave)),
	("withdraw", Make(withdraw)),
	("open_job", Make(open_job)),
	("claim_receipts", Make(claim_receipts)),
	("cancel_job", Make(cancel_job)),
	("assign_job", Make(assign_job)),
	("release_job", Make(release_job)),
	("expire_jobs", Make(expire_jobs)),
	("heartbeats", Make(heartbeats)),
	("claim_emission", Make(claim_emission)),
	("report_offence", Make(report_offence)),
	("apply_slashes", Make(apply_slashes)),
	("call_off_slashes", Root),
	("set_parameters", Root),
	("set_breaker", Root),
	("admit_coordinator", Root),
	("exclude_coordinator", Root),
	("set_reference_rate", Root),
	("stay", Make(stay)),
	("ban", Root),
	("forfeit", Root),
	("exchange_key", Make(exchange_key)),
	("keep_key", Make(keep_key)),
	("complete_exchange", Make(complete_exchange)),
	("open_channel", Make(channels::open_channel)),
	("top_up", Make(channels::top_up)),
	("renew_plan", Make(channels::renew_plan)),
	("close_channel", Make(channels::close_channel)),
	("return_rests", Make(channels::return_rests)),
	("settle_batch", Make(channels::settle_batch)),
	("set_channel_parameters", Root),
	("demand_receipt", Make(channels::demand_receipt)),
	("answer_demand", Make(channels::answer_demand)),
	("report_channel_offence", Make(channels::report_channel_offence)),
	("lapse_demand", Make(channels::lapse_demand)),
	("release_waiting", Make(channels::release_waiting)),
	("return_to_clients", Make(channels::return_to_clients)),
	("sign_line", Make(channels::sign_line)),
];

/// Signed by somebody, or without a signer.
fn either(world: &World, rng: &mut Rng, call: RuntimeCall) -> Option<Sent> {
	Some(if rng.percent(60) { Sent::Free(call) } else { Sent::Signed(world.wallet(rng), call) })
}

fn party(world: &World, rng: &mut Rng) -> ed25519::Pair {
	if rng.percent(95) { rng.pick(&world.compute.keys) } else { honest_miner() }
}

fn register_coordinator(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, pair) = (world.wallet(rng), rng.pick(&world.compute.keys));
	let call = compute::register(&key.account(), &pair, PartyRole::Coordinator);
	Some(Sent::Signed(key, call))
}

fn register_miner(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, pair) = (world.wallet(rng), rng.pick(&world.compute.keys));
	let class = rng.pick(&[Class::Gpu, Class::Cpu]);
	Some(Sent::Signed(
		key.clone(),
		compute::register(&key.account(), &pair, PartyRole::Miner(class)),
	))
}

fn raise_bond(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, party) = (world.wallet(rng), key_of(&party(world, rng)));
	let amount = rng.pick(&[0, 1, AIT, u128::MAX]);
	Some(Sent::Signed(key, Call::raise_bond { key: party, amount }.into()))
}

fn leave(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	// Seldom: who has left does nothing more.
	if rng.percent(80) {
		return None;
	}
	let (key, party) = (world.wallet(rng), key_of(&party(world, rng)));
	Some(Sent::Signed(key, Call::leave { key: party }.into()))
}

fn stay(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, party) = (world.wallet(rng), key_of(&party(world, rng)));
	Some(Sent::Signed(key, Call::stay { key: party }.into()))
}

fn withdraw(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, party) = (world.wallet(rng), key_of(&party(world, rng)));
	Some(Sent::Signed(key, Call::withdraw { key: party }.into()))
}

/// At a coordinator of its own, at any price; or at the honest one's.
fn open_job(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let client = world.wallet(rng);
	let asset = rng.pick(&[
		PriceAsset::Ait,
		PriceAsset::Ait,
		PriceAsset::Ait,
		PriceAsset::Aicp,
		PriceAsset::ServiceCredit,
	]);
	let price = match asset {
		PriceAsset::Ait => rng.pick(&[0, 1, AIT / 1_000_000, AIT / 20, AIT, 300 * AIT]),
		_ => rng.pick(&[0, 1, 1_000_000, 300_000_000]),
	};
	let ours = world.our_keys(true);
	let coordinator = match rng.any(&ours) {
		Some(pair) if rng.percent(80) => pair,
		_ if rng.percent(90) => honest_coordinator(),
		_ => rng.pick(&world.compute.keys),
	};
	let miner = rng.percent(20).then(|| key_of(&party(world, rng)));
	let units = rng.pick(&[1, 1_000, 50_000, 1_000_000, 1_000_000_000]);
	let lasts = rng.pick(&[30 * SECOND, 10 * MINUTE, DAY, DAY + 1]);
	let terms = Terms { asset, price, units, lasts, miner };
	// It sends the call itself, so that the job is known.
	world.open(&client, &coordinator, terms);
	None
}

/// A receipt of the coalition's own for this job.
fn own_receipt(
	world: &World,
	rng: &mut Rng,
	job: &KnownJob,
) -> Option<gridproof_primitives::compute::SignedReceipt> {
	let coordinator = world.our_coordinator(&job.quote.coordinator)?;
	let miners = world.our_keys(false);
	let miner = rng.any(&miners)?;
	let units = rng.pick(&[job.quote.max_units, job.quote.max_units, 1, job.quote.max_units + 1]);
	let price = rng.pick(&[job.quote.price, job.quote.price, 0, job.quote.price + 1]);
	let receipt = compute::receipt(job, key_of(&miner), units, price);
	Some(compute::sign_receipt(receipt, &miner, &coordinator))
}

fn claim_receipts(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let mut receipts = Vec::new();
	let jobs = world.our_open_jobs();
	for _ in 0..=rng.below(4) {
		if rng.percent(20) {
			receipts.extend(rng.any(&world.compute.old));
		} else if rng.percent(20) {
			let job = world.any_job(rng)?;
			receipts.extend(own_receipt(world, rng, &job));
		} else {
			let job = rng.any(&jobs)?;
			receipts.extend(own_receipt(world, rng, &job));
		}
	}
	let call = compute::claim(receipts.clone());
	world.compute.old.extend(receipts.into_iter().take(1));
	either(world, rng, call)
}

fn cancel_job(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let job = world.any_job(rng)?;
	let key = world.wallet_of(&job.quote.client.into()).unwrap_or_else(|| world.wallet(rng));
	Some(Sent::Signed(key, Call::cancel_job { job_id: job.id }.into()))
}

fn assign_job(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let jobs = world.our_open_jobs();
	let job = rng.any(&jobs)?;
	let coordinator = world.our_coordinator(&job.quote.coordinator)?;
	let miner = party(world, rng);
	let attempt = rng.pick(&[0, 1, 2, 3, u32::MAX]);
	// Nobody outside accepts work of the coalition's coordinator.
	let accepted = rng.percent(60) && key_of(&miner) != key_of(&honest_miner());
	// Who had accepted before agrees to be replaced, or somebody says so.
	let former = rng.percent(30).then(|| party(world, rng));
	let call = compute::assign(job.id, attempt, &miner, &coordinator, accepted, former.as_ref());
	either(world, rng, call)
}

fn release_job(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let jobs = world.our_open_jobs();
	let job = if rng.percent(80) { rng.any(&jobs)? } else { world.any_job(rng)? };
	let coordinator = world
		.our_coordinator(&job.quote.coordinator)
		.unwrap_or_else(|| rng.pick(&world.compute.keys));
	let call = compute::release(job.id, &coordinator);
	either(world, rng, call)
}

fn expire_jobs(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let mut jobs: Vec<H256> = Vec::new();
	for _ in 0..=rng.below(3) {
		jobs.push(world.any_job(rng)?.id);
	}
	either(world, rng, compute::expire(jobs))
}

fn heartbeats(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let time = world.now + rng.pick(&[0, 0, MINUTE]) - rng.pick(&[0, MINUTE]);
	let mut beats = Vec::new();
	for pair in world.our_keys(false) {
		beats.push(compute::heartbeat(&pair, time));
	}
	let heartbeats = beats.try_into().ok()?;
	either(world, rng, Call::heartbeats { heartbeats }.into())
}

fn claim_emission(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let earning: Vec<_> = [world.our_keys(false), world.our_keys(true)].concat();
	let mut parties = vec![key_of(&rng.any(&earning)?)];
	if rng.percent(20) {
		parties.push(key_of(&party(world, rng)));
	}
	either(world, rng, compute::pay_out(parties))
}

fn report_offence(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (job, miner) = (world.any_job(rng)?, rng.pick(&world.compute.keys));
	let evidence = if rng.percent(50) {
		compute::two_receipts(&job, &miner)
	} else {
		compute::above_quote(&job, &miner)
	};
	// Offences ban: seldom.
	rng.percent(15).then(|| Sent::Signed(world.wallet(rng), compute::report(evidence)))
}

fn apply_slashes(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, party) = (world.wallet(rng), key_of(&party(world, rng)));
	Some(Sent::Signed(key, Call::apply_slashes { key: party }.into()))
}

fn exchange_key(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (wallet, old, new) = (world.wallet(rng), party(world, rng), rng.pick(&world.compute.keys));
	let role =
		pallet_compute_receipts::Parties::<gridproof_runtime::Runtime>::get(key_of(&old))?.role;
	let call = compute::exchange_key(&wallet.account(), &old, &new, role);
	// Seldom: the strategies work with the keys that they know.
	rng.percent(10).then_some(Sent::Signed(wallet, call))
}

fn keep_key(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let key = key_of(&party(world, rng));
	Some(Sent::Signed(world.wallet(rng), Call::keep_key { key }.into()))
}

fn complete_exchange(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let key = key_of(&party(world, rng));
	Some(Sent::Signed(world.wallet(rng), Call::complete_exchange { key }.into()))
}
