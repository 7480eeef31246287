//! Deeds and figures of a block, from a node.

use crate::{
	deed::{Deed, deeds},
	shown::{ChannelState, Channels, Headers, Holds, Shown},
};
use gridproof_chain::{
	Chain, ChainError, HoldReason, Past,
	pallets::{AccountId, compute_receipts, coverage_policy, meter_readings},
};
use gridproof_primitives::{
	H256,
	compute::{
		PriceAsset,
		channels::{ChannelId, ChannelView},
	},
	crypto::ed25519::PublicKey,
	energy::MeterIndex,
};
use std::collections::BTreeSet;

/// What a block did, and what the chain says after it.
pub(crate) struct Block {
	pub(crate) deeds: Vec<Deed>,
	pub(crate) shown: Shown,
}

/// What the deeds of a block are about.
#[derive(Default)]
struct Named {
	holds: BTreeSet<(AccountId, HoldReason)>,
	channels: BTreeSet<ChannelId>,
	coordinators: BTreeSet<PublicKey>,
	ended: Vec<H256>,
}

impl Named {
	fn of(deeds: &[Deed]) -> Self {
		let mut named = Self::default();
		for deed in deeds {
			match deed {
				Deed::Held(who, reason, _) | Deed::Freed(who, reason, _) => {
					named.holds.insert((*who, *reason));
				},
				Deed::ChannelOpened(id, _)
				| Deed::ChannelAdded(id, _)
				| Deed::ChannelSettled(id, _)
				| Deed::ChannelEnded(id, _) => {
					named.channels.insert(*id);
				},
				Deed::BatchSettled { coordinator, .. } => {
					named.coordinators.insert(*coordinator);
				},
				Deed::JobReturned { job, .. } | Deed::JobSettled { job, .. } => {
					named.ended.push(*job);
				},
				_ => (),
			}
		}
		named
	}
}

/// Reads a block that is final; with `all_holds`, what is on hold of every account.
pub(crate) async fn block(
	chain: &Chain,
	height: u64,
	all_holds: bool,
) -> Result<Block, ChainError> {
	let past = chain.past(height).await?;
	let mut deeds = deeds(&past.events().await?)?;
	with_readings(&past, &mut deeds).await?;
	let named = Named::of(&deeds);
	let before = match height.checked_sub(1).filter(|_| !named.channels.is_empty()) {
		Some(before) => channels(&chain.past(before).await?, &named.channels).await?,
		None => Channels::new(),
	};
	let mut shown = shown(&past, &named, all_holds).await?;
	shown.channels_before = before;
	Ok(Block { deeds, shown })
}

/// Adds how many readings each batch has.
async fn with_readings(past: &Past, deeds: &mut [Deed]) -> Result<(), ChainError> {
	for deed in deeds {
		if let Deed::Readings { meter, sequence, readings, .. } = deed {
			*readings = readings_of(past, *meter, *sequence).await?;
		}
	}
	Ok(())
}

async fn readings_of(
	past: &Past,
	meter: MeterIndex,
	sequence: u64,
) -> Result<Option<u32>, ChainError> {
	let record = past.read(&meter_readings::query::batch(meter, sequence)).await?;
	Ok(record.map(|record| record.header.readings))
}

async fn shown(past: &Past, named: &Named, all_holds: bool) -> Result<Shown, ChainError> {
	let status = past.read(&coverage_policy::query::status()).await?;
	let mut ended = Vec::with_capacity(named.ended.len());
	for job in &named.ended {
		ended.push(terms_of(past, *job).await?);
	}
	let mut headers = Headers::new();
	for coordinator in &named.coordinators {
		let query = compute_receipts::query::header_chain(coordinator);
		headers.insert(*coordinator, past.read(&query).await?);
	}
	Ok(Shown {
		block: past.height(),
		hash: past.hash(),
		supplies: past.supplies().await?,
		work: past.read(&compute_receipts::query::overview()).await?,
		energy: past.read(&meter_readings::query::overview()).await?,
		reserve: (&status).into(),
		holds: holds(past, named, all_holds).await?,
		has_all_holds: all_holds,
		channels_before: Channels::new(),
		channels: channels(past, &named.channels).await?,
		headers,
		ended,
	})
}

async fn terms_of(past: &Past, job: H256) -> Result<Option<(PriceAsset, u128)>, ChainError> {
	let view = past.read(&compute_receipts::query::job(job)).await?;
	Ok(view.map(|view| (view.asset, view.price)))
}

async fn holds(past: &Past, named: &Named, all: bool) -> Result<Holds, ChainError> {
	// One that is gone is there with nothing.
	let mut holds: Holds = named.holds.iter().map(|key| (*key, 0)).collect();
	let mut add = |account: AccountId, rows: Vec<(HoldReason, u128)>| {
		holds.extend(rows.into_iter().map(|(reason, amount)| ((account, reason), amount)));
	};
	if all {
		for (account, rows) in past.all_holds().await? {
			add(account, rows);
		}
		return Ok(holds);
	}
	let accounts: BTreeSet<AccountId> = named.holds.iter().map(|(account, _)| *account).collect();
	for account in accounts {
		add(account, past.holds(&account).await?);
	}
	Ok(holds)
}

async fn channels(past: &Past, ids: &BTreeSet<ChannelId>) -> Result<Channels, ChainError> {
	let mut channels = Channels::new();
	for id in ids {
		let view = past.read(&compute_receipts::query::channel(*id)).await?;
		channels.insert(*id, view.map(|view| state_of(&view)));
	}
	Ok(channels)
}

const fn state_of(view: &ChannelView) -> ChannelState {
	ChannelState { deposited: view.channel.deposited, settled: view.channel.settled }
}
