//! What coordinators sign, and what others do with it.

use super::books::*;
use crate::{mock::*, *};
use gridproof_primitives::{
	H256,
	compute::channels::{
		Attested, ChannelEvidence, ChannelId, ChannelLine, ChannelReceipt, InBatch, MinerLine,
		Placed, PlacedLine, SettlementBatch, SettlementHeader, receipt_leaf,
	},
	crypto::{ed25519::PublicKey, merkle},
	num::units::AIT,
};
use sp_runtime::DispatchError;

/// Deposit that pays an answer.
pub(super) const ANSWER: u128 = AIT / 4;
/// Time in which a coordinator answers.
pub(super) const ANSWER_MS: u64 = 6 * HOUR_MS;
/// Slash of a first offence: a tenth of the bond.
pub(super) const SLASH: u128 = 100 * AIT;

/// Everything that an account has in AIT: its bond less what is to be slashed and the pay that waits of
/// it included; the escrow without what waits of others.
pub(super) fn worth(who: u8) -> u128 {
	let party = Parties::<Test>::get(key(who));
	let bond = party.map_or(0, |party| party.bond - party.pending_slash());
	let lines = WaitingLines::<Test>::iter_values().filter(|row| row.account == account(who));
	let batches = WaitingBatches::<Test>::iter_values();
	let batches = batches.filter(|row| row.account == account(who));
	let waits: u128 =
		lines.map(|row| row.pay).sum::<u128>() + batches.map(|row| row.pay).sum::<u128>();
	let others =
		if account(who) == EscrowAccount::get() { WaitingTotals::<Test>::get().ait } else { 0 };
	ait(&account(who)) + bond + waits - others
}

/// Makes a receipt of a channel as the books would, and takes it out of what waits.
pub(super) fn completed(
	books: &mut Books,
	channel: ChannelId,
	miner: u8,
	price: u128,
) -> ChannelReceipt {
	books.work(channel, Some(miner), price, 7);
	let kind = Channels::<Test>::get(channel).unwrap().channel.kind;
	*books.waiting[&kind].last().unwrap()
}

/// Settles everything that waits, and returns the batch with its receipts in their order.
pub(super) fn settled(books: &mut Books) -> (SettlementBatch, Vec<ChannelReceipt>) {
	let mut receipts = books.waiting.get(&IN_AIT).cloned().unwrap_or_default();
	receipts.sort_by_key(ChannelReceipt::place);
	let batch = books.batch(IN_AIT, &[]);
	settle(&batch);
	(batch, receipts)
}

/// A receipt's place among those of a batch.
pub(super) fn placed(receipts: &[ChannelReceipt], index: usize) -> Placed<ChannelReceipt> {
	let leaves: Vec<H256> = receipts.iter().map(receipt_leaf).collect();
	let path = merkle::inclusion_proof(&leaves, index).unwrap().try_into().unwrap();
	Placed { item: receipts[index], index: index as u64, path }
}

pub(super) fn place_of(
	receipts: &[ChannelReceipt],
	one: &ChannelReceipt,
) -> Placed<ChannelReceipt> {
	placed(receipts, receipts.iter().position(|other| other == one).unwrap())
}

pub(super) fn channel_line(batch: &SettlementBatch, index: usize) -> PlacedLine {
	let lists = batch.lists();
	let item: ChannelLine = lists.channels[index];
	let path = merkle::inclusion_proof(&lists.leaves(), index).unwrap().try_into().unwrap();
	PlacedLine::Channel(Placed { item, index: index as u64, path })
}

pub(super) fn miner_line(batch: &SettlementBatch, index: usize) -> PlacedLine {
	let lists = batch.lists();
	let item: MinerLine = lists.miners[index];
	let index = lists.channels.len() + index;
	let path = merkle::inclusion_proof(&lists.leaves(), index).unwrap().try_into().unwrap();
	PlacedLine::Miner(Placed { item, index: index as u64, path })
}

/// Signed by the coordinator at completion.
pub(super) fn vouched(receipt: ChannelReceipt) -> Attested {
	let signature = sign(COORDINATOR, &receipt.coordinator_payload(&genesis()));
	Attested { receipt, signature, batch: None }
}

/// Vouched for by the tree of a batch.
pub(super) fn in_batch(
	batch: &SettlementBatch,
	receipts: &[ChannelReceipt],
	index: usize,
) -> Attested {
	let Placed { item, index, path } = placed(receipts, index);
	let batch_of = InBatch { header: batch.header, index, path };
	Attested { receipt: item, signature: batch.signature, batch: Some(batch_of) }
}

pub(super) fn two(one: ChannelReceipt, other: ChannelReceipt) -> ChannelEvidence {
	ChannelEvidence::TwoReceipts { first: vouched(one), second: vouched(other) }
}

pub(super) fn report_as(who: u8, evidence: ChannelEvidence) -> Result<(), DispatchError> {
	accuse(who, key(COORDINATOR), evidence)
}

pub(super) fn accuse(
	who: u8,
	coordinator: PublicKey,
	evidence: ChannelEvidence,
) -> Result<(), DispatchError> {
	let evidence = Box::new(evidence);
	dispatch(Call::report_channel_offence { coordinator, evidence }, account(who))
}

pub(super) fn report(evidence: ChannelEvidence) -> Result<(), DispatchError> {
	report_as(8, evidence)
}

pub(super) fn demand_as(who: u8, receipt: ChannelReceipt) -> Result<(), DispatchError> {
	let signature = vouched(receipt).signature;
	dispatch(Call::demand_receipt { receipt: Box::new(receipt), signature }, account(who))
}

pub(super) fn lapse(receipt: &ChannelReceipt) -> Result<(), DispatchError> {
	let id = ComputeReceipts::demand_id(receipt);
	dispatch(Call::lapse_demand { coordinator: key(COORDINATOR), id }, account(7))
}

pub(super) fn answer(
	answer: Placed<ChannelReceipt>,
	headers: &[SettlementHeader],
) -> Result<(), DispatchError> {
	let headers = Box::new(headers.to_vec().try_into().unwrap());
	let (coordinator, answer) = (key(COORDINATOR), Box::new(answer));
	dispatch(Call::answer_demand { coordinator, answer, headers }, account(6))
}
