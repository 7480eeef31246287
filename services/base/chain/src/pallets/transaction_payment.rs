//! Fees.

use codec::{Compact, Decode};

/// What a call weighs and costs.
#[derive(Decode)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
	/// Time to execute it, in picoseconds.
	pub time: Compact<u64>,
	/// Bytes of proof.
	pub proof: Compact<u64>,
	/// Its class: 0 normal, 1 operational, 2 mandatory.
	pub class: u8,
	/// The fee, in units of 10⁻¹⁸ AIT, without a tip.
	pub fee: u128,
}

/// Questions.
pub mod query {
	use super::Price;
	use crate::{Query, pallets::Encoded};

	/// What a transaction, in SCALE as it is sent, weighs and costs.
	pub fn price(transaction: &[u8]) -> Query<Price> {
		let length = u32::try_from(transaction.len()).unwrap_or(u32::MAX);
		Query::new("TransactionPaymentApi_query_info", &(Encoded(transaction), length))
	}

	/// What a call, in SCALE, weighs and costs without anything around it.
	pub fn call_price(call: &[u8]) -> Query<Price> {
		let length = u32::try_from(call.len()).unwrap_or(u32::MAX);
		Query::new("TransactionPaymentCallApi_query_call_info", &(Encoded(call), length))
	}
}

/// Events.
pub mod event {
	use crate::pallets::AccountId;

	events! {
		"TransactionPayment" {
			/// A transaction's fee was paid.
			TransactionFeePaid {
				/// The account that paid.
				who: AccountId,
				/// All of it, in units of 10⁻¹⁸ AIT.
				actual_fee: u128,
				/// What of it was a tip, in units of 10⁻¹⁸ AIT.
				tip: u128,
			}
		}
	}
}
