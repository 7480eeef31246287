//! Checks: a verifier that says what it likes, about whatever is there.

use super::{Calls, Strategy::*};
use crate::{
	build::checks as build,
	rng::Rng,
	world::{Sent, World, checks::pair_of},
};
use gridproof_primitives::{
	H256,
	compute::{
		channels::{ChannelReceipt, Placed},
		checks::{BatchId, CheckId, NoVote, TokenFigures, Witness},
	},
};
use gridproof_runtime::{Runtime, constants::currency::AIT};
use pallet_compute_checks::{Batches, Call, Demands, Disputes, Reopenings, Reports};
use sp_core::sr25519::Pair;

pub(super) const CALLS: Calls = &[
	("set_parameters", Root),
	("set_line", Root),
	("admit_verifier", Root),
	("dismiss_verifier", Root),
	("suspend_verifier", Root),
	("register_verifier", Make(register)),
	("exchange_key", Make(exchange)),
	("raise_bond", Make(raise_bond)),
	("leave", Make(|world, rng| signed(world, rng, Call::leave {}))),
	("withdraw_bond", Make(|world, rng| signed(world, rng, Call::withdraw_bond {}))),
	("touch", Make(touch)),
	("report_check", Make(report)),
	("reopen", Make(reopen)),
	("show_figures", Make(show)),
	("close_reopening", Make(close_reopening)),
	("demand_opening", Make(demand)),
	("witness", Make(witness)),
	("close_demand", Make(close_demand)),
	("dispute_receipt", Make(dispute)),
	("commit_vote", Make(commit)),
	("reveal_vote", Make(reveal)),
	("close_dispute", Make(close_dispute)),
	("settle_checks", Make(settle)),
	("pay_checks", Make(pay)),
	("name_receipt", Make(name)),
	("abstain", Make(abstain)),
];

/// Mostly the coalition's verifier, else somebody who is none.
fn speaker(world: &World, rng: &mut Rng) -> Option<Pair> {
	match world.our_verifier() {
		Some(pair) if rng.percent(90) => Some(pair),
		_ => pair_of(&world.wallet(rng)),
	}
}

/// Mostly by the verifier's account.
fn signed(world: &mut World, rng: &mut Rng, call: Call<Runtime>) -> Option<Sent> {
	let verifier = crate::world::wallet(crate::world::Role::Verifier);
	let ours = world.our_verifier().is_some() && rng.percent(70);
	let key = if ours { verifier } else { world.wallet(rng) };
	Some(Sent::Signed(key, call.into()))
}

/// Without a signer, or by anybody.
fn sent(
	world: &World,
	rng: &mut Rng,
	call: impl Into<gridproof_runtime::RuntimeCall>,
) -> Option<Sent> {
	let call = call.into();
	Some(if rng.percent(80) { Sent::Free(call) } else { Sent::Signed(world.wallet(rng), call) })
}

fn any<T: Clone>(rng: &mut Rng, from: impl Iterator<Item = T>) -> Option<T> {
	rng.any(&from.take(64).collect::<Vec<_>>())
}

fn batch(rng: &mut Rng) -> Option<BatchId> {
	any(rng, Batches::<Runtime>::iter_keys())
}

fn demanded(rng: &mut Rng) -> Option<CheckId> {
	any(rng, Demands::<Runtime>::iter_keys())
}

fn disputed(rng: &mut Rng) -> Option<H256> {
	any(rng, Disputes::<Runtime>::iter_keys())
}

fn receipt(world: &World, rng: &mut Rng, batch: &BatchId) -> Option<Placed<ChannelReceipt>> {
	let list = world.checks.lists.get(batch)?;
	build::placed(list, rng.index(list.len()))
}

fn figures(rng: &mut Rng) -> TokenFigures {
	if rng.percent(80) { build::figures(rng.percent(50)) } else { Default::default() }
}

fn register(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let wallet = world.wallet(rng);
	let pair = pair_of(&world.wallet(rng))?;
	let proof = build::consent(&pair, &wallet.account());
	let call = Call::<Runtime>::register_verifier { key: build::key_of(&pair), proof };
	Some(Sent::Signed(wallet, call.into()))
}

fn exchange(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let owner = crate::world::wallet(crate::world::Role::Verifier);
	let pair = pair_of(&world.wallet(rng))?;
	let proof = build::consent(&pair, &owner.account());
	world.our_verifier()?;
	let call = Call::<Runtime>::exchange_key { key: build::key_of(&pair), proof };
	Some(Sent::Signed(owner, call.into()))
}

fn raise_bond(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let amount = rng.pick(&[0, 1, AIT, u128::MAX]);
	signed(world, rng, Call::raise_bond { amount })
}

fn touch(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let waiting = pallet_compute_receipts::WaitingBatches::<Runtime>::iter_keys();
	let (coordinator, sequence) = any(rng, waiting)?;
	sent(world, rng, Call::<Runtime>::touch { batch: BatchId { coordinator, sequence } })
}

fn report(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (pair, batch) = (speaker(world, rng)?, batch(rng)?);
	let draw = rng.any(&build::draws(&pair, batch, 8))?;
	let list = world.checks.lists.get(&batch)?.clone();
	let receipt = if rng.percent(85) { draw.receipt(&list)? } else { receipt(world, rng, &batch)? };
	let equal = rng.percent(50);
	sent(world, rng, build::report(&pair, &draw, receipt, equal))
}

fn reopen(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let reports = Reports::<Runtime>::iter_keys();
	let (batch, (verifier, check)) = any(rng, reports)?;
	let pair = speaker(world, rng)?;
	let call = build::reopen(&pair, CheckId { batch, verifier, check }, &figures(rng))?;
	sent(world, rng, call)
}

fn show(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let of = any(rng, Reopenings::<Runtime>::iter_keys())?;
	let pair = speaker(world, rng)?;
	let figures = figures(rng);
	sent(world, rng, build::show(&pair, of, figures))
}

fn close_reopening(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let check = any(rng, Reopenings::<Runtime>::iter_keys())?;
	sent(world, rng, Call::<Runtime>::close_reopening { check })
}

fn demand(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (pair, batch) = (speaker(world, rng)?, batch(rng)?);
	let draw = rng.any(&build::draws(&pair, batch, 8))?;
	let list = world.checks.lists.get(&batch).cloned().unwrap_or_default();
	let receipt = if rng.percent(50) { draw.receipt(&list) } else { None };
	let call = build::demand(&pair, &draw, receipt)?;
	sent(world, rng, call)
}

fn witness(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (pair, of) = (speaker(world, rng)?, demanded(rng)?);
	let says = rng.pick(&[Witness::Has, Witness::GotNothing]);
	let index = if rng.percent(80) { build::named(&of) } else { None };
	sent(world, rng, build::witness(&pair, of, index, says))
}

fn name(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let of = demanded(rng)?;
	let receipt = receipt(world, rng, &of.batch)?;
	sent(world, rng, build::name(of, receipt))
}

fn close_demand(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let check = demanded(rng)?;
	sent(world, rng, Call::<Runtime>::close_demand { check })
}

fn dispute(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let batch = batch(rng)?;
	let receipt = Box::new(receipt(world, rng, &batch)?);
	let call = Call::<Runtime>::dispute_receipt { batch, receipt };
	Some(Sent::Signed(world.wallet(rng), call.into()))
}

fn commit(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (pair, id) = (speaker(world, rng)?, disputed(rng)?);
	sent(world, rng, build::commit(&pair, id, id.0[0] % 2 == 0))
}

fn reveal(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (pair, id) = (speaker(world, rng)?, disputed(rng)?);
	sent(world, rng, build::reveal(&pair, id, id.0[0] % 2 == 0))
}

fn abstain(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let (pair, id) = (speaker(world, rng)?, disputed(rng)?);
	let batch = Disputes::<Runtime>::get(id)?.receipt.batch;
	let why = rng.pick(&[NoVote::NotShown(batch), NoVote::NothingElse]);
	sent(world, rng, build::abstain(&pair, id, why))
}

fn close_dispute(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let dispute = disputed(rng)?;
	sent(world, rng, Call::<Runtime>::close_dispute { dispute })
}

fn settle(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let batch = batch(rng)?;
	sent(world, rng, Call::<Runtime>::settle_checks { batch })
}

fn pay(world: &mut World, rng: &mut Rng) -> Option<Sent> {
	let day = (world.now / crate::chain::DAY).saturating_sub(rng.below(3));
	sent(world, rng, Call::<Runtime>::pay_checks { day })
}
