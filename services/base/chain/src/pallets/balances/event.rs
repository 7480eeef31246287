//! Events.

use crate::{HoldReason, pallets::AccountId};

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
		/// AIT was put on hold.
		Held {
			/// What for.
			reason: HoldReason,
			/// The account whose it is.
			who: AccountId,
			/// In units of 10⁻¹⁸ AIT.
			amount: u128,
		}
		/// AIT on hold is free again.
		Released {
			/// What it was held for.
			reason: HoldReason,
			/// The account whose it is.
			who: AccountId,
			/// In units of 10⁻¹⁸ AIT.
			amount: u128,
		}
		/// AIT on hold was burned.
		BurnedHeld {
			/// What it was held for.
			reason: HoldReason,
			/// The account whose it was.
			who: AccountId,
			/// In units of 10⁻¹⁸ AIT.
			amount: u128,
		}
		/// AIT on hold went to another account, where it is on hold or free: on hold only if a hold there
		/// is stated, too.
		TransferOnHold {
			/// What it was held for.
			reason: HoldReason,
			/// The account whose it was.
			source: AccountId,
			/// The account whose it is.
			dest: AccountId,
			/// In units of 10⁻¹⁸ AIT.
			amount: u128,
		}
		/// Free AIT went to another account and is on hold there.
		TransferAndHold {
			/// What for.
			reason: HoldReason,
			/// The account whose it was.
			source: AccountId,
			/// The account whose it is.
			dest: AccountId,
			/// In units of 10⁻¹⁸ AIT.
			transferred: u128,
		}
	}
}
