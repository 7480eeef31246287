//! `frame_system`, and the calls that are refused no matter who signs them.

use crate::{
	AccountId, Block, Hash, Nonce, PalletInfo, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
	RuntimeTask, SafeMode, TxPause, VERSION,
	constants::{BLOCK_HASH_COUNT, RuntimeBlockLength, RuntimeBlockWeights, SS58_PREFIX},
};
use frame_support::{
	derive_impl,
	traits::{ConstU16, ConstU32, Contains, InsideBoth},
	weights::constants::ParityDbWeight,
};
use sp_runtime::traits::AccountIdLookup;
use sp_version::RuntimeVersion;

frame_support::parameter_types! {
	/// Version of the runtime.
	pub const Version: RuntimeVersion = VERSION;
}

/// Refuses calls for which this chain has no use, so that a mistake gets a clear answer. Root is
/// not filtered; where root must not act either, the pallet's origin says so.
///
/// - `Assets`: everything that creates, destroys or administers an asset. AICP and KWH exist from
///   genesis, belong to no key, and each is minted by one pallet only.
/// - `Grandpa::note_stalled`: breaks every later warp-sync proof.
pub struct CallFilter;

impl Contains<RuntimeCall> for CallFilter {
	fn contains(call: &RuntimeCall) -> bool {
		use pallet_assets::Call as Assets;
		match call {
			RuntimeCall::Assets(call) => matches!(
				call,
				Assets::transfer { .. }
					| Assets::transfer_keep_alive { .. }
					| Assets::transfer_all { .. }
					| Assets::approve_transfer { .. }
					| Assets::cancel_approval { .. }
					| Assets::transfer_approved { .. }
					| Assets::touch { .. }
					| Assets::touch_other { .. }
					| Assets::refund { .. }
					| Assets::refund_other { .. }
			),
			RuntimeCall::Grandpa(pallet_grandpa::Call::note_stalled { .. }) => false,
			_ => true,
		}
	}
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
	type AccountData = pallet_balances::AccountData<crate::Balance>;
	type AccountId = AccountId;
	type BaseCallFilter = InsideBoth<CallFilter, InsideBoth<SafeMode, TxPause>>;
	type Block = Block;
	type BlockHashCount = ConstU32<BLOCK_HASH_COUNT>;
	type BlockLength = RuntimeBlockLength;
	type BlockWeights = RuntimeBlockWeights;
	type DbWeight = ParityDbWeight;
	type ExtensionsWeightInfo = frame_system::SubstrateExtensionsWeight<Runtime>;
	type Hash = Hash;
	type Lookup = AccountIdLookup<AccountId, ()>;
	type MaxConsumers = ConstU32<16>;
	type MultiBlockMigrator = crate::MultiBlockMigrations;
	type Nonce = Nonce;
	type SS58Prefix = ConstU16<SS58_PREFIX>;
	type SingleBlockMigrations = crate::configs::migrations::Migrations;
	type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
	type Version = Version;
}
