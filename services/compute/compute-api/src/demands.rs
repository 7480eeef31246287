//! What holders of receipts of channels do on chain about a coordinator that is late or contradicts
//! itself: the same for clients and miners.
//!
//! Only what the chain has not settled is demanded without being asked: then the deposit that pays the
//! answer comes back whatever the coordinator does. A demand of what is settled pays the coordinator for
//! its answer, so a person decides about it.

use crate::protocol::{BatchAnswer, IssuedReceipt};
use codec::DecodeAll;
use gridproof_primitives::{
	H256,
	compute::channels::{
		Attested, BatchKind, ChainFacts, ChannelEvidence, ChannelReceipt, ChannelSums, DemandView,
		GivenUp, Lists, Placed, PlacedLine, SettlementHeader, demand,
	},
	crypto::ed25519::PublicKey,
};

/// How long after a time has passed by this machine's clock it is taken to have passed on chain, in
/// milliseconds.
pub const MARGIN_MS: u64 = 120_000;

/// What a holder does next about a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
	/// Nothing now.
	Nothing,
	/// Demand it.
	Demand,
	/// Close the demand with this id, which got no answer in time.
	Lapse(H256),
}

/// What became of a demand, as its maker keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemandState {
	/// The chain has it.
	Open,
	/// It was answered, or somebody else closed it.
	Over,
	/// Its maker closed it: there was no answer.
	Unanswered,
	/// The chain does not take it.
	Refused,
}

impl DemandState {
	/// Returns its name in databases.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Open => "open",
			Self::Over => "over",
			Self::Unanswered => "unanswered",
			Self::Refused => "refused",
		}
	}
}

/// Reads a receipt with its signatures from the bytes in which it came with its answer; `None` if they
/// are something else.
pub fn read_issued(bytes: &[u8]) -> Option<IssuedReceipt> {
	IssuedReceipt::decode_all(&mut &bytes[..]).ok()
}

/// Returns `true` if a receipt's time has been over for [`MARGIN_MS`] at `now`, in UTC milliseconds.
pub fn is_overdue(receipt: &ChannelReceipt, now: u64) -> bool {
	demand(receipt, &ChannelSums::default(), now.saturating_sub(MARGIN_MS)).is_ok()
}

/// Returns what to do about a receipt at `now`, in UTC milliseconds. `is_settled` says whether the chain
/// has settled its count: a client's in the channel, a miner's at the coordinator. `open` are the open
/// demands to the coordinator: whose a demand is does not matter. A receipt that was demanded before is
/// not demanded again.
pub fn next_step(
	receipt: &ChannelReceipt,
	is_settled: bool,
	open: &[DemandView],
	was_demanded: bool,
	now: u64,
) -> Step {
	match open.iter().find(|demand| demand.receipt == *receipt) {
		Some(demand) if demand.due_ms.saturating_add(MARGIN_MS) <= now => Step::Lapse(demand.id),
		None if !is_settled && !was_demanded && is_overdue(receipt, now) => Step::Demand,
		_ => Step::Nothing,
	}
}

/// Returns what proves to the chain that a batch gave a receipt up, with the coordinator's key: what the
/// miner is owed for, and if the range names another channel, the lie. `None` if the batch, as its
/// coordinator publishes it, does no such thing.
pub fn given_up(
	issued: &IssuedReceipt,
	batch: &BatchAnswer,
	genesis: &H256,
) -> Option<(PublicKey, ChannelEvidence)> {
	let header = SettlementHeader::decode_all(&mut &batch.header.0[..]).ok()?;
	let lists = Lists::decode_all(&mut &batch.lists.0[..]).ok()?;
	let (miner, count) = issued.receipt.place();
	let has = |one: &GivenUp| {
		let GivenUp { line, .. } = one;
		line.miner == miner && line.from.count < count && count <= line.to.count
	};
	let range = Placed::in_lists(&lists, lists.given_up.iter().position(has)?)?;
	let receipt =
		Attested { receipt: issued.receipt, signature: issued.coordinator_signature, batch: None };
	let evidence = ChannelEvidence::Line {
		receipt,
		header,
		signature: batch.signature.0,
		line: PlacedLine::GivenUp(range),
	};
	evidence.check(genesis, &header.coordinator, &ChainFacts::default()).ok()?;
	Some((header.coordinator, evidence))
}

/// Returns what proves to the chain that a coordinator should not have signed a receipt: alone, or
/// beside one of the others that it signed. `None` if nothing here does.
pub fn contradiction(
	issued: &IssuedReceipt,
	others: &[IssuedReceipt],
	kind: BatchKind,
	coordinator: &PublicKey,
	genesis: &H256,
) -> Option<ChannelEvidence> {
	let attested = |issued: &IssuedReceipt| Attested {
		receipt: issued.receipt,
		signature: issued.coordinator_signature,
		batch: None,
	};
	let facts = ChainFacts { channel_kind: Some(kind), model_factor: None };
	let both = others.iter().flat_map(|other| {
		let (first, second) = (attested(other), attested(issued));
		[
			ChannelEvidence::TwoReceipts { first: first.clone(), second: second.clone() },
			ChannelEvidence::Overlap { first, second },
		]
	});
	let alone =
		[ChannelEvidence::OtherKind(attested(issued)), ChannelEvidence::Unsound(attested(issued))];
	both.chain(alone).find(|evidence| evidence.check(genesis, coordinator, &facts).is_ok())
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::compute::{
		PriceAsset,
		channels::{Demanded, MinerSums, Mode, ReceiptV2, RunningSums, Voucher},
	};

	const SETTLE_BY: u64 = 1_000_000;
	const KIND: BatchKind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary };

	fn receipt(number: u64, count: u64) -> ChannelReceipt {
		let voucher = Voucher { channel: 1, number, amount: 5, spec_hash: H256([2; 32]) };
		let sums = RunningSums {
			kind: KIND,
			channel: ChannelSums { count, price: 0 },
			miner: MinerSums { count, ..MinerSums::default() },
		};
		ChannelReceipt { receipt: ReceiptV2::without_answer(&voucher, SETTLE_BY), sums }
	}

	#[test]
	fn a_receipt_is_demanded_once_its_time_and_a_margin_have_passed_and_it_is_not_settled() {
		let late = SETTLE_BY + MARGIN_MS + 1;
		let step = |is_settled, was, now| next_step(&receipt(1, 3), is_settled, &[], was, now);
		assert_eq!(step(false, false, late), Step::Demand);
		assert_eq!(step(false, false, late - 1), Step::Nothing);
		assert_eq!(step(true, false, late), Step::Nothing, "it is settled");
		assert_eq!(step(false, true, late), Step::Nothing, "it was demanded");
	}

	#[test]
	fn a_demand_of_anybody_is_waited_for_and_closed_after_its_time_and_a_margin() {
		let receipt = receipt(1, 3);
		let (id, due_ms) = (H256([4; 32]), 9_000_000);
		let demanded = Demanded::Unsettled;
		let view = DemandView { id, receipt, who: [1; 32], demanded, deposit: 1, due_ms };
		for was in [false, true] {
			let step = |now| next_step(&receipt, false, &[view], was, now);
			assert_eq!(step(due_ms + MARGIN_MS - 1), Step::Nothing);
			assert_eq!(step(due_ms + MARGIN_MS), Step::Lapse(id));
		}
	}

	#[test]
	fn nothing_is_evidence_that_the_coordinator_did_not_sign() {
		let issued = |number, count| IssuedReceipt {
			receipt: receipt(number, count),
			coordinator_signature: [0; 64],
			miner_signature: None,
		};
		let found = contradiction(&issued(1, 3), &[issued(1, 4)], KIND, &[1; 32], &H256([7; 32]));
		assert_eq!(found, None);
	}
}
