//! Calls of checks: what a verifier draws, signs and sends. Anyone who has a verifier's key makes them so, honest
//! or not.

use crate::chain;
use gridproof_primitives::{
	compute::{
		channels::{ChannelReceipt, Placed, receipt_leaf},
		checks::{
			Abstention, Ballot, BatchId, CheckId, CheckReport, Figures, JuryCommitment, NoVote,
			OpeningDemand, Reopening, ShownFigures, TokenFigures, Verdict, VerifierKey, Vrf,
			Waiting, Witness, WitnessStatement, checks_of, draw_input, figures_commitment,
			key_payload, paid_place, point_of, reopen_input,
		},
	},
	crypto::merkle,
};
use gridproof_runtime::{AccountId, ComputeReceipts, Runtime, RuntimeCall};
use pallet_compute_checks::{Batches, Call, Demands, Reports};
use sp_core::{Pair as _, sr25519::Pair};

/// A check that fell to a verifier.
#[derive(Clone)]
pub(crate) struct Draw {
	pub(crate) id: CheckId,
	pub(crate) vrf: Vrf,
	/// Point in what the batch pays.
	point: u128,
}

pub(crate) fn key_of(pair: &Pair) -> VerifierKey {
	pair.public().0
}

/// What fell to a verifier of a batch that was touched, at most so many.
pub(crate) fn draws(pair: &Pair, batch: BatchId, most: u32) -> Vec<Draw> {
	let Some(row) = Batches::<Runtime>::get(batch) else { return Vec::new() };
	let input = draw_input(&chain::genesis_hash(), &row.header_hash, &row.checks.block);
	let vrf = Vrf::sign(pair, &input);
	let Some(output) = vrf.verify(&key_of(pair), &input) else { return Vec::new() };
	let checks = row.checks;
	let number = checks_of(checks.value, checks.per_check, checks.verifiers, &output).min(most);
	let draw = |check| {
		let point = point_of(&output, check, checks.total)?;
		Some(Draw { id: CheckId { batch, verifier: key_of(pair), check }, vrf, point })
	};
	(0..number).filter_map(draw).collect()
}

impl Draw {
	/// The receipt of a list that it is of.
	pub(crate) fn receipt(&self, list: &[ChannelReceipt]) -> Option<Placed<ChannelReceipt>> {
		let given_up = <ComputeReceipts as Waiting<AccountId>>::given_up(&self.id.batch);
		let is_here = |one: &ChannelReceipt| {
			let miner = one.receipt.miner?;
			let line = <ComputeReceipts as Waiting<AccountId>>::line(&self.id.batch, &miner)?;
			let place = paid_place(&line, &given_up, self.point)?;
			Some(one.miner_before()?.price <= place && place < one.sums.miner.price)
		};
		let index = list.iter().position(|one| is_here(one).unwrap_or(false))?;
		placed(list, index)
	}

	/// The miner in whose line it lies.
	fn miner(&self) -> Option<[u8; 32]> {
		let given_up = <ComputeReceipts as Waiting<AccountId>>::given_up(&self.id.batch);
		let lines = pallet_compute_receipts::WaitingLines::<Runtime>::iter_keys();
		lines.filter(|(_, batch)| *batch == self.id.batch).map(|(miner, _)| miner).find(|miner| {
			let line = <ComputeReceipts as Waiting<AccountId>>::line(&self.id.batch, miner);
			line.is_some_and(|line| paid_place(&line, &given_up, self.point).is_some())
		})
	}
}

/// A receipt of a list, with its place.
pub(crate) fn placed(list: &[ChannelReceipt], index: usize) -> Option<Placed<ChannelReceipt>> {
	let leaves: Vec<_> = list.iter().map(receipt_leaf).collect();
	let path = merkle::inclusion_proof(&leaves, index)?.try_into().ok()?;
	Some(Placed { item: *list.get(index)?, index: u64::try_from(index).ok()?, path })
}

/// What everybody's own pass over a receipt gives, by one that says of it whether it is equal.
pub(crate) fn figures(equal: bool) -> TokenFigures {
	vec![u32::from(equal), 7].try_into().expect("few")
}

pub(crate) fn report(
	pair: &Pair,
	draw: &Draw,
	receipt: Placed<ChannelReceipt>,
	equal: bool,
) -> RuntimeCall {
	report_as(pair, draw.id, draw.vrf, receipt, equal)
}

pub(crate) fn report_as(
	pair: &Pair,
	id: CheckId,
	vrf: Vrf,
	receipt: Placed<ChannelReceipt>,
	equal: bool,
) -> RuntimeCall {
	let report = CheckReport {
		verifier: key_of(pair),
		check: id.check,
		vrf,
		batch: id.batch,
		receipt,
		figures: Figures::Exact { equal },
		commitment: figures_commitment(&CheckId { verifier: key_of(pair), ..id }, &figures(equal)),
	};
	let signature = pair.sign(&report.signing_payload(&chain::genesis_hash())).0;
	Call::report_check { report: Box::new(report), signature }.into()
}

pub(crate) fn demand(
	pair: &Pair,
	draw: &Draw,
	receipt: Option<Placed<ChannelReceipt>>,
) -> Option<RuntimeCall> {
	let demand = OpeningDemand {
		verifier: key_of(pair),
		check: draw.id.check,
		vrf: draw.vrf,
		batch: draw.id.batch,
		miner: draw.miner()?,
		receipt,
	};
	let signature = pair.sign(&demand.signing_payload(&chain::genesis_hash())).0;
	Some(Call::demand_opening { demand: Box::new(demand), signature }.into())
}

pub(crate) fn name(check: CheckId, receipt: Placed<ChannelReceipt>) -> RuntimeCall {
	Call::name_receipt { check, receipt: Box::new(receipt) }.into()
}

/// Place in its batch of the receipt of which a demand is.
pub(crate) fn named(of: &CheckId) -> Option<u64> {
	Some(Demands::<Runtime>::get(of)?.receipt?.index)
}

pub(crate) fn witness(pair: &Pair, of: CheckId, index: Option<u64>, says: Witness) -> RuntimeCall {
	let statement = WitnessStatement { witness: key_of(pair), of, index, says };
	let signature = pair.sign(&statement.signing_payload(&chain::genesis_hash())).0;
	Call::witness { statement: Box::new(statement), signature }.into()
}

pub(crate) fn reopen(pair: &Pair, of: CheckId, own: &TokenFigures) -> Option<RuntimeCall> {
	let report = Reports::<Runtime>::get(of.batch, (of.verifier, of.check))?;
	let input = reopen_input(&chain::genesis_hash(), &of.hash(), &report.block);
	let by = key_of(pair);
	let commitment = figures_commitment(&CheckId { verifier: by, ..of }, own);
	let reopening = Reopening { by, of, vrf: Vrf::sign(pair, &input), commitment };
	let signature = pair.sign(&reopening.signing_payload(&chain::genesis_hash())).0;
	Some(Call::reopen { reopening: Box::new(reopening), signature }.into())
}

pub(crate) fn show(pair: &Pair, of: CheckId, figures: TokenFigures) -> RuntimeCall {
	let shown = ShownFigures { by: key_of(pair), of, figures };
	let signature = pair.sign(&shown.signing_payload(&chain::genesis_hash())).0;
	Call::show_figures { shown: Box::new(shown), signature }.into()
}

fn ballot(pair: &Pair, dispute: gridproof_primitives::H256, guilty: bool) -> Ballot {
	let verdict = Verdict { guilty, invented: None };
	Ballot { juror: key_of(pair), dispute, verdict, salt: [9; 32] }
}

pub(crate) fn commit(
	pair: &Pair,
	dispute: gridproof_primitives::H256,
	guilty: bool,
) -> RuntimeCall {
	let commitment = ballot(pair, dispute, guilty).commitment(&chain::genesis_hash());
	let commitment = JuryCommitment { juror: key_of(pair), dispute, commitment };
	let signature = pair.sign(&commitment.signing_payload(&chain::genesis_hash())).0;
	Call::commit_vote { commitment: Box::new(commitment), signature }.into()
}

pub(crate) fn reveal(
	pair: &Pair,
	dispute: gridproof_primitives::H256,
	guilty: bool,
) -> RuntimeCall {
	let ballot = ballot(pair, dispute, guilty);
	let signature = pair.sign(&ballot.signing_payload(&chain::genesis_hash())).0;
	Call::reveal_vote { ballot: Box::new(ballot), signature }.into()
}

pub(crate) fn abstain(
	pair: &Pair,
	dispute: gridproof_primitives::H256,
	why: NoVote,
) -> RuntimeCall {
	let abstention = Abstention { juror: key_of(pair), dispute, why };
	let signature = pair.sign(&abstention.signing_payload(&chain::genesis_hash())).0;
	Call::abstain { abstention: Box::new(abstention), signature }.into()
}

/// A verifier's consent to an account.
pub(crate) fn consent(pair: &Pair, account: &AccountId) -> [u8; 64] {
	pair.sign(&key_payload(&chain::genesis_hash(), &account.clone().into())).0
}
