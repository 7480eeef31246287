//! Fees.

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
