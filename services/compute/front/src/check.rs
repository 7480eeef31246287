//! What makes a receipt good, in the eyes of the client that pays for it.

use gridproof_compute_api::protocol::{IssuedReceipt, price_of};
use gridproof_primitives::{
	H256,
	compute::channels::{BatchKind, ChannelSums, ReceiptV2Refusal, Voucher},
	crypto::ed25519::PublicKey,
};
use std::fmt;

/// What a request was ordered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
	/// The voucher that pays.
	pub(crate) voucher: Voucher,
	/// The most that it costs, in the asset's smallest unit.
	pub(crate) highest: u128,
	/// Factor of the model in thousandths, as it was offered.
	pub(crate) factor: u32,
	/// Price of a compute unit, as it was offered.
	pub(crate) unit_price: u128,
}

/// Why a receipt does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptRefusal {
	/// The signature is not the coordinator's.
	CoordinatorSignature,
	/// The signature is not the miner's.
	MinerSignature,
	/// The receipt contradicts itself, or is not for this voucher.
	Receipt(ReceiptV2Refusal),
	/// It states another asset or mode than the channel's.
	OtherKind,
	/// The price is not that of the tokens, or above the highest.
	OtherPrice,
	/// The weight is not that of the tokens.
	OtherWeight,
	/// The running sums do not join on to those of the other receipts.
	SumsDoNotJoin,
	/// Another receipt of this voucher came before.
	TwoReceipts,
}

impl fmt::Display for ReceiptRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::CoordinatorSignature => f.write_str("it is not signed by the coordinator"),
			Self::MinerSignature => f.write_str("it is not signed by its miner"),
			Self::Receipt(refusal) => write!(f, "{refusal}"),
			Self::OtherKind => f.write_str("it is of another asset or mode than the channel"),
			Self::OtherPrice => f.write_str("its price is not that of the tokens as offered"),
			Self::OtherWeight => f.write_str("its weight is not that of the tokens"),
			Self::SumsDoNotJoin => {
				f.write_str("its running sums contradict those of other receipts")
			},
			Self::TwoReceipts => f.write_str("the voucher has another receipt already"),
		}
	}
}

impl std::error::Error for ReceiptRefusal {}

/// Checks a receipt alone: whose it is, what for, and what it costs.
pub(crate) fn alone(
	issued: &IssuedReceipt,
	terms: &Terms,
	kind: BatchKind,
	coordinator: &PublicKey,
	genesis: &H256,
) -> Result<(), ReceiptRefusal> {
	let (stated, receipt) = (&issued.receipt, &issued.receipt.receipt);
	stated
		.verify_coordinator(genesis, coordinator, &issued.coordinator_signature)
		.map_err(|_| ReceiptRefusal::CoordinatorSignature)?;
	stated.check().map_err(ReceiptRefusal::Receipt)?;
	receipt.check_voucher(&terms.voucher).map_err(ReceiptRefusal::Receipt)?;
	if stated.sums.kind != kind {
		return Err(ReceiptRefusal::OtherKind);
	}
	if receipt.miner.is_none() {
		// Checked above: it costs nothing.
		return Ok(());
	}
	let signature = issued.miner_signature.ok_or(ReceiptRefusal::MinerSignature)?;
	receipt.verify_miner(genesis, &signature).map_err(|_| ReceiptRefusal::MinerSignature)?;
	receipt.check_weight(terms.factor).map_err(|_| ReceiptRefusal::OtherWeight)?;
	if receipt.price == price_of(receipt.weight, terms.unit_price, terms.highest) {
		Ok(())
	} else {
		Err(ReceiptRefusal::OtherPrice)
	}
}

/// Checks that a receipt's running sums join on to those of the receipts with the counts next to its
/// own: of the nearest one below, and of the nearest one above with its price.
pub(crate) fn joins(
	issued: &IssuedReceipt,
	below: Option<ChannelSums>,
	above: Option<(ChannelSums, u128)>,
) -> Result<(), ReceiptRefusal> {
	let after = issued.receipt.sums.channel;
	let before = issued.receipt.channel_before().ok_or(ReceiptRefusal::SumsDoNotJoin)?;
	let follows = below.is_none_or(|below| below.agrees(&before) && below.agrees(&after));
	let precedes = above.is_none_or(|(above, price)| {
		above.before(price).is_some_and(|start| start.agrees(&after)) && after.agrees(&above)
	});
	if follows && precedes { Ok(()) } else { Err(ReceiptRefusal::SumsDoNotJoin) }
}
