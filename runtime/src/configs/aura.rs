//! `pallet_aura`: which authority produces a block.

use crate::{Runtime, Session, constants::time::SLOT_DURATION};
use frame_support::traits::{ConstBool, ConstU32, ConstU64};

impl pallet_aura::Config for Runtime {
	type AllowMultipleBlocksPerSlot = ConstBool<false>;
	type AuthorityId = sp_consensus_aura::sr25519::AuthorityId;
	type DisabledValidators = Session;
	// Seats, not authorities: one authority may hold several.
	type MaxAuthorities = ConstU32<1_024>;
	type SlotDuration = ConstU64<SLOT_DURATION>;
}
