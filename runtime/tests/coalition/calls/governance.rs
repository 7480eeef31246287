//! Referenda and votes: what is proposed has no preimage, so that nothing is decided that a holder of so
//! much AIT may decide. That AIT votes and moves on all the same is what is tried.

use super::{
	Calls,
	Strategy::{Make, Root},
	rest::bytes,
};
use crate::{
	build::stopped,
	chain::Key,
	rng::Rng,
	world::{HONEST, Sent, World},
};
use gridproof_runtime::{Balances, ConvictionVoting, EmergencyCommittee, Referenda, Runtime};
use pallet_conviction_voting::{AccountVote, Call, Conviction, Vote};
use sp_runtime::MultiAddress;

pub(super) const CONVICTION_VOTING: Calls = &[
	("vote", Make(vote)),
	("delegate", Make(delegate)),
	("undelegate", Make(|world, rng| bytes::<ConvictionVoting>(world, rng, 2))),
	("unlock", Make(unlock)),
	("remove_vote", Make(remove_vote)),
	("remove_other_vote", Make(|world, rng| bytes::<ConvictionVoting>(world, rng, 5))),
];

pub(super) const EMERGENCY_COMMITTEE: Calls = &[
	("set_members", Root),
	("execute", Make(|world, rng| bytes::<EmergencyCommittee>(world, rng, 1))),
	("propose", Make(|world, rng| bytes::<EmergencyCommittee>(world, rng, 2))),
	("vote", Make(|world, rng| bytes::<EmergencyCommittee>(world, rng, 3))),
	("disapprove_proposal", Root),
	("close", Make(|world, rng| bytes::<EmergencyCommittee>(world, rng, 6))),
	("kill", Root),
	("release_proposal_cost", Make(|world, rng| bytes::<EmergencyCommittee>(world, rng, 8))),
];

pub(super) const GOVERNANCE: Calls = &[("stop", Make(stop)), ("lift", Root), ("keep", Root)];

pub(super) const REFERENDA: Calls = &[
	("submit", Make(|world, rng| bytes::<Referenda>(world, rng, 0))),
	("place_decision_deposit", Make(|world, rng| bytes::<Referenda>(world, rng, 1))),
	("refund_decision_deposit", Make(|world, rng| bytes::<Referenda>(world, rng, 2))),
	("cancel", Root),
	("kill", Root),
	("nudge_referendum", Root),
	("one_fewer_deciding", Root),
	("refund_submission_deposit", Make(|world, rng| bytes::<Referenda>(world, rng, 7))),
	("set_metadata", Make(|world, rng| bytes::<Referenda>(world, rng, 8))),
];

/// The emergency account, where the coalition has it, suspends verifiers who are honest. What it stops
/// otherwise is in strategies.
fn stop(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let account = Key::named(rng.pick(&HONEST)).account();
	let call = pallet_compute_checks::Call::<Runtime>::suspend_verifier { account };
	Some(Sent::Signed(world.wallet(rng), stopped(call)))
}

fn vote(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let key = world.wallet(rng);
	let balance = Balances::free_balance(key.account()) / u128::from(rng.pick(&[1u32, 2, 100]));
	let vote = Vote { aye: rng.below(2) == 0, conviction: Conviction::Locked1x };
	let vote = AccountVote::Standard { vote, balance };
	let poll_index = u32::try_from(rng.below(2)).expect("small");
	Some(Sent::Signed(key, Call::vote { poll_index, vote }.into()))
}

fn delegate(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, to) = (world.wallet(rng), world.wallet(rng));
	let balance = Balances::free_balance(key.account()) / u128::from(rng.pick(&[1u32, 2, 100]));
	let class = u16::try_from(rng.below(3)).expect("small");
	let (to, conviction) = (MultiAddress::Id(to.account()), Conviction::Locked1x);
	Some(Sent::Signed(key, Call::delegate { class, to, conviction, balance }.into()))
}

fn unlock(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (key, target) = (world.wallet(rng), MultiAddress::Id(world.wallet(rng).account()));
	let class = u16::try_from(rng.below(3)).expect("small");
	Some(Sent::Signed(key, Call::unlock { class, target }.into()))
}

fn remove_vote(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let class = Some(u16::try_from(rng.below(3)).expect("small"));
	let index = u32::try_from(rng.below(2)).expect("small");
	Some(Sent::Signed(world.wallet(rng), Call::remove_vote { class, index }.into()))
}
