//! What a block did with money, as its events say.

use gridproof_chain::{
	ChainError, HoldReason,
	event::RawEvent,
	pallets::{
		AccountId, balances::event as balances, compute_receipts::event as compute,
		coverage_policy::event as coverage, meter_readings::event as meters,
	},
};
use gridproof_primitives::{
	H256,
	compute::{
		JobState, PriceAsset,
		channels::{ChannelId, ChannelSums},
	},
	crypto::ed25519::PublicKey,
	energy::MeterIndex,
};

/// One thing that a block did with money, energy or what is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
	/// AIT was minted, in units of 10⁻¹⁸ AIT.
	AitMinted(u128),
	/// An emission step ended.
	StepClosed {
		/// Number of the step.
		step: u64,
		/// Sum of its claims, in units of 10⁻¹⁸ AIT.
		claims: u128,
		/// What it gives, in units of 10⁻¹⁸ AIT.
		pool: u128,
	},
	/// What was promised returned to the reserve, in units of 10⁻¹⁸ AIT.
	Forfeited(u128),
	/// AICP was minted.
	AicpMinted {
		/// In micro-tokens.
		amount: u128,
		/// What can still be minted, in micro-tokens.
		allowance: u128,
	},
	/// A statement was taken.
	Stated {
		/// What can be minted, in micro-tokens.
		allowance: u128,
	},
	/// Something else changed what can be minted.
	AllowanceMoved,
	/// AICP was burned for credit.
	Redeemed {
		/// In micro-tokens.
		amount: u128,
		/// In micro-EUR.
		credit: u128,
		/// `true` if the credit waits in the queue.
		waits: bool,
	},
	/// Credit that had waited was given, in micro-EUR.
	CreditServed(u128),
	/// Credit was spent, in micro-EUR.
	CreditSpent(u128),
	/// A batch of readings was accepted.
	Readings {
		/// Index of the meter.
		meter: MeterIndex,
		/// The batch's number.
		sequence: u64,
		/// KWH minted, in Wh.
		minted: u64,
		/// Number of readings, as its header says; none if the chain no longer kept it after the block.
		readings: Option<u32>,
	},
	/// A job was opened.
	JobOpened {
		/// What it is paid in.
		asset: PriceAsset,
		/// What is held, in the asset's unit.
		price: u128,
	},
	/// A job ended without a receipt.
	JobReturned {
		/// Id of the job.
		job: H256,
		/// State in which the job ended.
		state: JobState,
		/// What was returned, in its asset's unit.
		refund: u128,
	},
	/// A receipt settled its job.
	JobSettled {
		/// Id of the job.
		job: H256,
		/// What was paid, in its asset's unit.
		paid: u128,
		/// What was returned, in its asset's unit.
		refund: u128,
		/// Compute units.
		units: u64,
	},
	/// A batch of receipts of channels was settled.
	BatchSettled {
		/// Key of the coordinator.
		coordinator: PublicKey,
		/// Number of the batch at its coordinator.
		sequence: u64,
		/// Hash of its header.
		header: H256,
		/// Compute units.
		units: u128,
	},
	/// A batch gave receipts up, which count in no sum of units.
	GivenUp,
	/// A channel was opened with a deposit, in its asset's unit.
	ChannelOpened(ChannelId, u128),
	/// Something was added to a channel, in its asset's unit.
	ChannelAdded(ChannelId, u128),
	/// A batch settled a channel's receipts: their sums so far.
	ChannelSettled(ChannelId, ChannelSums),
	/// A channel ended and its rest was returned, in its asset's unit.
	ChannelEnded(ChannelId, u128),
	/// AIT of an account was put on hold, in units of 10⁻¹⁸ AIT.
	Held(AccountId, HoldReason, u128),
	/// AIT of an account is on hold no more, in units of 10⁻¹⁸ AIT.
	Freed(AccountId, HoldReason, u128),
}

/// Reads what events of a block did, in their order. How many readings a batch has, they do not say.
///
/// # Errors
/// [`ChainError::Unsupported`] if an event has another form than the one that is known here.
pub(crate) fn deeds(events: &[RawEvent]) -> Result<Vec<Deed>, ChainError> {
	let mut deeds = Vec::new();
	// What is redeemed without waiting is given at once: not out of the queue.
	let mut given_at_once = 0u32;
	for event in events {
		deeds.extend(money(event)?);
		deeds.extend(work(event)?);
		deeds.extend(held(event)?);
		let Some(deed) = credit(event, &mut given_at_once)? else { continue };
		deeds.push(deed);
	}
	Ok(deeds)
}

/// Reads an event as one of a kind.
fn as_event<E: gridproof_chain::Event>(event: &RawEvent) -> Result<Option<E>, ChainError> {
	event.read::<E>().transpose()
}

fn money(event: &RawEvent) -> Result<Option<Deed>, ChainError> {
	if let Some(paid) = as_event::<compute::EmissionPaid>(event)? {
		return Ok(Some(Deed::AitMinted(paid.amount)));
	}
	if let Some(paid) = as_event::<compute::TreasuryPaid>(event)? {
		return Ok(Some(Deed::AitMinted(paid.amount)));
	}
	if let Some(closed) = as_event::<compute::StepClosed>(event)? {
		let compute::StepClosed { step, claims, shares } = closed;
		return Ok(Some(Deed::StepClosed { step, claims, pool: shares.total() }));
	}
	if let Some(forfeited) = as_event::<compute::Forfeited>(event)? {
		return Ok(Some(Deed::Forfeited(forfeited.amount)));
	}
	if let Some(minted) = as_event::<coverage::Minted>(event)? {
		let coverage::Minted { amount, allowance, .. } = minted;
		return Ok(Some(Deed::AicpMinted { amount, allowance }));
	}
	if let Some(taken) = as_event::<coverage::StatementTaken>(event)? {
		return Ok(Some(Deed::Stated { allowance: taken.allowance }));
	}
	if event.is::<coverage::BreakerSet>() || event.is::<coverage::ParametersSet>() {
		return Ok(Some(Deed::AllowanceMoved));
	}
	if let Some(accepted) = as_event::<meters::BatchAccepted>(event)? {
		let meters::BatchAccepted { meter, sequence, minted, .. } = accepted;
		return Ok(Some(Deed::Readings { meter, sequence, minted, readings: None }));
	}
	Ok(None)
}

fn credit(event: &RawEvent, given_at_once: &mut u32) -> Result<Option<Deed>, ChainError> {
	if let Some(redeemed) = as_event::<coverage::Redeemed>(event)? {
		let coverage::Redeemed { amount, credit, ticket, .. } = redeemed;
		let waits = ticket.is_some();
		*given_at_once = given_at_once.saturating_add(u32::from(!waits));
		return Ok(Some(Deed::Redeemed { amount, credit, waits }));
	}
	if let Some(given) = as_event::<coverage::CreditGiven>(event)? {
		if *given_at_once > 0 {
			*given_at_once = given_at_once.saturating_sub(1);
			return Ok(None);
		}
		return Ok(Some(Deed::CreditServed(given.credit)));
	}
	if let Some(spent) = as_event::<coverage::CreditSpent>(event)? {
		return Ok(Some(Deed::CreditSpent(spent.credit)));
	}
	Ok(None)
}

fn work(event: &RawEvent) -> Result<Option<Deed>, ChainError> {
	if let Some(opened) = as_event::<compute::JobOpened>(event)? {
		let compute::JobOpened { asset, price, .. } = opened;
		return Ok(Some(Deed::JobOpened { asset, price }));
	}
	if let Some(returned) = as_event::<compute::JobRefunded>(event)? {
		let compute::JobRefunded { job_id, state, refund } = returned;
		return Ok(Some(Deed::JobReturned { job: job_id, state, refund }));
	}
	if let Some(settled) = as_event::<compute::ReceiptSettled>(event)? {
		let compute::ReceiptSettled { job_id, compute_units, shares, refund, .. } = settled;
		let (paid, units) = (shares.total(), compute_units);
		return Ok(Some(Deed::JobSettled { job: job_id, paid, refund, units }));
	}
	if let Some(settled) = as_event::<compute::BatchSettled>(event)? {
		let compute::BatchSettled { coordinator, sequence, header_hash, sums, .. } = settled;
		let (header, units) = (header_hash, sums.weight);
		return Ok(Some(Deed::BatchSettled { coordinator, sequence, header, units }));
	}
	if event.is::<compute::CountsGivenUp>() {
		return Ok(Some(Deed::GivenUp));
	}
	if let Some(opened) = as_event::<compute::ChannelOpened>(event)? {
		return Ok(Some(Deed::ChannelOpened(opened.channel, opened.deposit)));
	}
	if let Some(added) = as_event::<compute::ChannelToppedUp>(event)? {
		return Ok(Some(Deed::ChannelAdded(added.channel, added.amount)));
	}
	if let Some(renewed) = as_event::<compute::PlanRenewed>(event)? {
		return Ok(Some(Deed::ChannelAdded(renewed.channel, renewed.amount)));
	}
	if let Some(settled) = as_event::<compute::ChannelSettled>(event)? {
		return Ok(Some(Deed::ChannelSettled(settled.channel, settled.settled)));
	}
	if let Some(ended) = as_event::<compute::ChannelEnded>(event)? {
		return Ok(Some(Deed::ChannelEnded(ended.channel, ended.rest)));
	}
	Ok(None)
}

fn held(event: &RawEvent) -> Result<Option<Deed>, ChainError> {
	if let Some(balances::Held { reason, who, amount }) = as_event(event)? {
		return Ok(Some(Deed::Held(who, reason, amount)));
	}
	if let Some(balances::TransferAndHold { reason, dest, transferred, .. }) = as_event(event)? {
		return Ok(Some(Deed::Held(dest, reason, transferred)));
	}
	if let Some(balances::Released { reason, who, amount }) = as_event(event)? {
		return Ok(Some(Deed::Freed(who, reason, amount)));
	}
	if let Some(balances::BurnedHeld { reason, who, amount }) = as_event(event)? {
		return Ok(Some(Deed::Freed(who, reason, amount)));
	}
	if let Some(balances::TransferOnHold { reason, source, amount, .. }) = as_event(event)? {
		return Ok(Some(Deed::Freed(source, reason, amount)));
	}
	Ok(None)
}
