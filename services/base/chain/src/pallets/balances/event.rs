//! Events.

use crate::pallets::AccountId;

events! {
	"Balances" {
		/// AIT was transferred.
		Transfer {
			/// The sender.
			from: AccountId,
			/// The receiver.
			to: AccountId,
			/// In units of 10⁻¹⁸ AIT.
			amount: u128,
		}
	}
}
