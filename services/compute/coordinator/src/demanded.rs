//! Receipts that somebody demands on chain, as they were read last.

use gridproof_primitives::{
	H256,
	compute::channels::{ChannelReceipt, DemandView, Demanded as What, VoucherId},
};
use gridproof_support::Lock;
use std::{collections::HashSet, sync::Mutex};

/// What is known of the open demands, in memory: the chain has the rest.
#[derive(Default)]
pub(crate) struct Demanded(Mutex<Known>);

#[derive(Default)]
struct Known {
	/// Vouchers whose receipts have to be settled.
	urgent: HashSet<VoucherId>,
	/// Ids of demands that cannot be answered.
	hopeless: HashSet<H256>,
}

impl Demanded {
	/// Notes which demands are open now; what is not among them is forgotten.
	pub(crate) fn set(&self, open: &[DemandView]) {
		let ids: HashSet<H256> = open.iter().map(|demand| demand.id).collect();
		let unsettled = open.iter().filter(|demand| demand.demanded == What::Unsettled);
		let mut known = self.0.locked();
		known.urgent = unsettled.filter_map(|demand| demand.receipt.receipt.voucher()).collect();
		known.hopeless.retain(|id| ids.contains(id));
	}

	/// Returns `true` if a receipt is to be settled at once.
	pub(crate) fn is_urgent(&self, receipt: &ChannelReceipt) -> bool {
		receipt.receipt.voucher().is_some_and(|id| self.0.locked().urgent.contains(&id))
	}

	/// Notes that a demand cannot be answered. Returns `true` the first time.
	pub(crate) fn give_up(&self, id: H256) -> bool {
		self.0.locked().hopeless.insert(id)
	}

	/// Returns `true` if a demand cannot be answered.
	pub(crate) fn is_hopeless(&self, id: &H256) -> bool {
		self.0.locked().hopeless.contains(id)
	}
}
