//! Events.

use crate::pallets::AccountId;

events! {
	"Assets" {
		/// Some of an asset was transferred.
		Transferred {
			/// The asset's number.
			asset_id: u32,
			/// The sender.
			from: AccountId,
			/// The receiver.
			to: AccountId,
			/// In the asset's smallest unit.
			amount: u128,
		}
	}
}
