//! Nobody gains by paying, measuring or signing for himself.
//!
//! A world with true work, true energy and outsiders who stay honest; in it, a random coalition of
//! one to five roles that uses every call of the runtime and named strategies of several calls. At
//! the end its balances may have risen by what outsiders paid it for work that is there, and by KWH
//! for energy that its sites fed in, net; by nothing else. `docs/security/coalitions.md` says how to
//! run it, and what it finds.
//!
//! - `COALITION_STEPS`: how many moves are made in all, some 43 a seed.
//! - `COALITION_WITHOUT`: the finding whose entries of the table do not count.
//! - `COALITION_SEED`: that seed alone, with everything that the coalition sent.
//! - `COALITION_FIRST`: stops at the first gain, and says at which seed it was.
//! - `COALITION_BY`: the strategy whose plans alone are played; the others' moves count as made.

mod build;
mod calls;
mod chain;
mod mutations;
mod rng;
mod search;
mod strategies;
mod table;
mod world;

use build::compute::Terms;
use calls::Strategy;
use chain::send_free;
use codec::DecodeAll;
use gridproof_primitives::compute::PriceAsset;
use gridproof_runtime::{Runtime, RuntimeOrigin};
use search::{Plan, run, shrink};
use sp_runtime::{DispatchError, traits::Dispatchable};
use std::{
	collections::{BTreeMap, BTreeSet},
	time::Instant,
};
use subxt::Metadata;
use world::{
	Role, Source, Token,
	compute::{absence, honest_coordinator},
	with_world,
};

/// Moves of a run without `COALITION_STEPS`.
const STEPS: u64 = 8_000;

fn number(name: &str) -> Option<u64> {
	std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn all_roles() -> BTreeSet<Role> {
	Role::ALL.into_iter().collect()
}

/// Pallet and call, with their indices, of all calls in the metadata.
fn calls_of_the_metadata() -> Vec<(String, u8, String, u8)> {
	let bytes = Runtime::metadata_at_version(15).expect("the runtime has this version");
	let metadata = Metadata::decode_all(&mut &bytes[..]).expect("it is metadata");
	let mut all = Vec::new();
	for pallet in metadata.pallets() {
		for call in pallet.call_variants().unwrap_or_default() {
			let (name, index) = (pallet.name().to_string(), pallet.call_index());
			all.push((name, index, call.name.clone(), call.index));
		}
	}
	all
}

#[test]
fn every_call_of_the_runtime_has_a_strategy_or_a_reason() {
	let metadata = calls_of_the_metadata();
	let missing: Vec<String> = metadata
		.iter()
		.filter(|(pallet, _, call, _)| calls::find(pallet, call).is_none())
		.map(|(pallet, _, call, _)| format!("{pallet}.{call}"))
		.collect();
	assert!(missing.is_empty(), "a coalition does not know what to do with {missing:?}");
	for (pallet, strategies) in calls::ALL {
		for (call, _) in *strategies {
			let exists = metadata.iter().any(|(p, _, c, _)| p == pallet && c == call);
			assert!(exists, "the runtime has no {pallet}.{call}");
		}
	}
}

#[test]
fn what_has_a_reason_instead_of_a_strategy_is_refused() {
	with_world(&all_roles(), |world| {
		let key = world.wallets.first().cloned().expect("there is one");
		for (pallet, pallet_index, call, call_index) in calls_of_the_metadata() {
			let strategy = calls::find(&pallet, &call).expect("another test says which");
			let filled = [0, 1].map(|byte| calls::filled(pallet_index, call_index, byte));
			for made in filled.into_iter().flatten() {
				let origin = RuntimeOrigin::signed(key.account());
				let expected: DispatchError = match strategy {
					Strategy::Make(_) => continue,
					Strategy::Root | Strategy::Inherent => DispatchError::BadOrigin,
					Strategy::Sudo => pallet_sudo::Error::<Runtime>::RequireSudo.into(),
					Strategy::Filtered => frame_system::Error::<Runtime>::CallFiltered.into(),
				};
				let answer = made.clone().dispatch(origin).map_err(|error| error.error);
				assert_eq!(answer.map(|_| ()), Err(expected), "{pallet}.{call}");
				assert!(!send_free(made).is_done(), "{pallet}.{call} without a signer");
			}
		}
	});
}

/// The measure itself: who works for outsiders and feeds energy in is paid, and that is due.
#[test]
fn an_honest_miner_and_an_honest_owner_are_paid() {
	let roles = BTreeSet::from([Role::Miner, Role::Owner]);
	with_world(&roles, |world| {
		for _ in 0..40 {
			world.pass(chain::HOUR);
		}
		world.settle();
		assert!(world.compute.paid(Token::Ait) > 0, "outsiders paid for work");
		assert!(world.wealth(Token::Kwh) > 0, "energy was fed in");
		assert_eq!(world.gain(Token::Kwh), 0, "all of it is due");
	});
}

/// A job that is opened just before its coordinator is away. Within the time for which the chain waits, the
/// work is done and paid for; after a longer one the deadline is over, and nothing is handed over any more.
#[test]
fn an_honest_coordinator_hands_over_only_what_it_can_still_claim() {
	for is_too_long in [false, true] {
		with_world(&BTreeSet::from([Role::Client]), |world| {
			let away = if is_too_long { 20 * chain::HOUR } else { absence() };
			let (client, coordinator) = (world::wallet(Role::Client), honest_coordinator());
			let terms = Terms {
				asset: PriceAsset::Ait,
				price: 0,
				units: 1_000_000,
				lasts: 15 * chain::MINUTE,
				miner: None,
			};
			world.label = "moves of chance";
			let job = world.open(&client, &coordinator, terms).expect("it is opened");
			world.leave_chain(away);
			world.pass(21 * chain::HOUR);
			world.settle();
			let price = if is_too_long { 0 } else { job.quote.price };
			assert_eq!(world.compute.taken(Token::Ait), price, "what was handed over");
			assert_eq!(world.gain(Token::Ait), 0, "away for {away} ms");
			assert!(world.wealth(Token::Ait) <= world.due(Token::Ait) - price, "it is paid");
		});
	}
}

/// The measure once more: where no work mints, nobody gains AIT but by not paying.
#[test]
fn nobody_gains_ait_where_none_is_minted() {
	for seed in 0..60 {
		let plan = Plan { mints: false, ..Plan::new(seed) };
		let found = run(&plan, false);
		let gain = found.gains.get(&Token::Ait).copied().unwrap_or(0);
		let unpaid = found.sources.iter().filter(|((source, _), _)| *source == Source::UnpaidWork);
		let unpaid: u128 = unpaid.map(|(_, amount)| *amount).sum();
		assert!(gain <= unpaid, "seed {seed}: {gain} above {unpaid}, {:?}", found.sources);
	}
}

fn report_counts(counts: &BTreeMap<String, (u64, u64)>) {
	for (call, (sent, done)) in counts {
		println!("{call}: {done} of {sent}");
	}
}

#[test]
fn no_coalition_gains_but_by_the_holes_that_are_known() {
	if let Some(seed) = number("COALITION_SEED") {
		let plan = Plan::new(seed);
		let found = run(&plan, true);
		for line in &found.trace {
			println!("{line}");
		}
		println!("{:?}: {:?}, {:?}", plan.roles, found.gains, found.sources);
		assert_eq!(found.unexplained(), Vec::<String>::new(), "seed {seed}");
		return;
	}
	let steps = number("COALITION_STEPS").unwrap_or(STEPS);
	let by = std::env::var("COALITION_BY").ok();
	let (begin, mut made, mut seed) = (Instant::now(), 0, 0);
	let mut first: BTreeMap<usize, u64> = BTreeMap::new();
	let mut counts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
	let mut failures = Vec::new();
	while made < steps && failures.len() < 3 {
		let plan = Plan::new(seed);
		made += u64::try_from(plan.moves.len()).expect("few");
		if by.as_ref().is_some_and(|name| !plan.plays(name)) {
			seed += 1;
			continue;
		}
		let found = run(&plan, false);
		for entry in found.shown() {
			first.entry(entry).or_insert(seed);
		}
		if !found.unexplained().is_empty() {
			let what = found.unexplained().join("; ");
			assert!(std::env::var("COALITION_FIRST").is_err(), "gain at seed {seed}: {what}");
			let shortest = shrink(plan);
			let found = run(&shortest, false);
			let moves: Vec<String> = shortest.moves.iter().map(ToString::to_string).collect();
			failures.push(format!(
				"seed {seed}, {:?}: {}\n  sources {:?}\n  {}",
				shortest.roles,
				found.unexplained().join("; "),
				found.sources,
				moves.join("\n  ")
			));
		}
		for (call, (sent, done)) in found.counts {
			let count = counts.entry(call).or_default();
			*count = (count.0 + sent, count.1 + done);
		}
		seed += 1;
	}
	report_counts(&counts);
	println!("{made} moves of {seed} coalitions in {:?}", begin.elapsed());
	for (number, known) in table::open() {
		let found = first.get(&number).map_or("never".into(), |seed| seed.to_string());
		println!("{} {:?} by “{}”: first at seed {found}", known.finding, known.source, known.by);
		if seed >= known.seeds && first.get(&number).is_none_or(|seed| *seed >= known.seeds) {
			failures.push(format!(
				"{}, “{}”: not found within {} seeds",
				known.finding, known.by, known.seeds
			));
		}
	}
	assert!(failures.is_empty(), "{}", failures.join("\n"));
}
