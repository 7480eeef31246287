//! What of an event has a table of its own.

use crate::block::{Fact, ReserveMove};
use gridproof_chain::{
	ChainError, Event,
	event::RawEvent,
	pallets::{
		assets::event as assets, balances::event as balances, compute_receipts::event as compute,
		coverage_policy::event as coverage, meter_readings::event as meters,
	},
	tokens::Token,
};

/// Reads an event; none if it has no table of its own.
///
/// # Errors
/// [`ChainError::Unsupported`] if the runtime gives it another form than the one that is known here.
pub(crate) fn fact(event: &RawEvent) -> Result<Option<Fact>, ChainError> {
	for read in [transfer, reserve, energy, job, channel, pay] {
		if let Some(fact) = read(event)? {
			return Ok(Some(fact));
		}
	}
	Ok(None)
}

type Read = Result<Option<Fact>, ChainError>;

fn a<E: Event>(event: &RawEvent) -> Result<Option<E>, ChainError> {
	event.read::<E>().transpose()
}

fn transfer(event: &RawEvent) -> Read {
	if let Some(balances::Transfer { from, to, amount }) = a(event)? {
		return Ok(Some(Fact::Transfer { token: Token::Ait, from, to, amount }));
	}
	if let Some(assets::Transferred { asset_id, from, to, amount }) = a(event)? {
		let token = Token::ALL.into_iter().find(|token| token.asset() == Some(asset_id));
		return Ok(token.map(|token| Fact::Transfer { token, from, to, amount }));
	}
	Ok(None)
}

fn reserve(event: &RawEvent) -> Read {
	if let Some(taken) = a::<coverage::StatementTaken>(event)? {
		let coverage::StatementTaken { statement, day, v_reserve, supply_target, allowance } =
			taken;
		let (reserve, target) = (v_reserve, supply_target);
		return Ok(Some(Fact::Stated { day, statement, reserve, target, allowance }));
	}
	if let Some(coverage::StateChanged { from, to, ratio }) = a(event)? {
		return Ok(Some(Fact::State { from, to, ratio }));
	}
	let moved = |what, who, amount, credit| Ok(Some(Fact::Reserve { what, who, amount, credit }));
	if let Some(coverage::Minted { amount, .. }) = a(event)? {
		return moved(ReserveMove::Minted, None, amount, 0);
	}
	if let Some(coverage::Redeemed { who, amount, credit, .. }) = a(event)? {
		return moved(ReserveMove::Redeemed, Some(who), amount, credit);
	}
	if let Some(coverage::CreditGiven { who, credit, .. }) = a(event)? {
		return moved(ReserveMove::Given, Some(who), 0, credit);
	}
	if let Some(coverage::CreditSpent { who, credit, paid, .. }) = a(event)? {
		return moved(ReserveMove::Spent, Some(who), paid, credit);
	}
	Ok(None)
}

fn energy(event: &RawEvent) -> Read {
	let Some(accepted) = a::<meters::BatchAccepted>(event)? else { return Ok(None) };
	let meters::BatchAccepted { meter, sequence, header_hash, minted } = accepted;
	let (header, minted_wh) = (header_hash, minted);
	Ok(Some(Fact::Energy { meter, sequence, header, minted_wh, span: None }))
}

fn job(event: &RawEvent) -> Read {
	if let Some(opened) = a::<compute::JobOpened>(event)? {
		let compute::JobOpened { job_id: job, client, coordinator, asset, price, .. } = opened;
		return Ok(Some(Fact::JobOpened { job, client, coordinator, asset, price }));
	}
	if let Some(compute::JobRefunded { job_id: job, state, refund }) = a(event)? {
		return Ok(Some(Fact::JobReturned { job, state, refund }));
	}
	if let Some(settled) = a::<compute::ReceiptSettled>(event)? {
		let compute::ReceiptSettled {
			job_id: job,
			receipt_id: receipt,
			miner,
			compute_units: units,
			shares,
			refund,
			claim,
		} = settled;
		return Ok(Some(Fact::JobSettled { job, receipt, miner, units, shares, refund, claim }));
	}
	Ok(None)
}

fn channel(event: &RawEvent) -> Read {
	if let Some(opened) = a::<compute::ChannelOpened>(event)? {
		let compute::ChannelOpened { channel, client, coordinator, kind, deposit, .. } = opened;
		return Ok(Some(Fact::ChannelOpened { channel, client, coordinator, kind, deposit }));
	}
	if let Some(compute::ChannelToppedUp { channel, amount, .. }) = a(event)? {
		return Ok(Some(Fact::ChannelAdded(channel, amount)));
	}
	if let Some(compute::PlanRenewed { channel, amount, .. }) = a(event)? {
		return Ok(Some(Fact::ChannelAdded(channel, amount)));
	}
	if let Some(compute::ChannelSettled { channel, settled }) = a(event)? {
		return Ok(Some(Fact::ChannelSettled(channel, settled.count, settled.price)));
	}
	if let Some(compute::ChannelEnded { channel, rest, .. }) = a(event)? {
		return Ok(Some(Fact::ChannelEnded(channel, rest)));
	}
	Ok(None)
}

fn pay(event: &RawEvent) -> Read {
	if let Some(settled) = a::<compute::BatchSettled>(event)? {
		let compute::BatchSettled { coordinator, sequence, header_hash: header, kind, sums, fee } =
			settled;
		let (receipts, price, units) = (sums.receipts, sums.price, sums.weight);
		let batch =
			Fact::Batch { coordinator, sequence, header, kind, receipts, price, units, fee };
		return Ok(Some(batch));
	}
	if let Some(settled) = a::<compute::MinerSettled>(event)? {
		let compute::MinerSettled { coordinator, miner, settled, shares, claim } = settled;
		let receipts = settled.count;
		return Ok(Some(Fact::MinerSettled { coordinator, miner, receipts, shares, claim }));
	}
	if let Some(compute::EmissionPaid { key, amount, .. }) = a(event)? {
		return Ok(Some(Fact::Emission { key, amount }));
	}
	if let Some(compute::TreasuryPaid { amount }) = a(event)? {
		return Ok(Some(Fact::TreasuryEmission(amount)));
	}
	if let Some(compute::StepClosed { step, claims, shares }) = a(event)? {
		return Ok(Some(Fact::Step { step, claims, shares }));
	}
	if let Some(compute::Slashed { key, amount }) = a(event)? {
		return Ok(Some(Fact::Slashed { key, amount }));
	}
	Ok(None)
}
