//! `frame_system`, and the calls that are refused no matter who signs them.

use crate::{
	AccountId, Block, Hash, Nonce, PalletInfo, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
	RuntimeTask, SafeMode, TxPause, VERSION,
	configs::conviction_voting::is_plain,
	constants::{BLOCK_HASH_COUNT, RuntimeBlockLength, RuntimeBlockWeights, SS58_PREFIX},
};
use alloc::{vec, vec::Vec};
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

/// Refuses calls that nobody may make on this chain but a referendum of the root track, which is as
/// much as an upgrade. No other track may, and a sudo key neither:
///
/// - `Assets`: everything that creates, destroys or administers an asset, and a refund that burns.
///   AICP and KWH exist from genesis, belong to no key, and each is minted by one pallet only.
/// - `Balances::burn`, `force_set_balance`, `force_adjust_total_issuance`: AIT is made by emission
///   only and lost by nothing.
/// - `Utility::dispatch_as`, `dispatch_as_fallible`, `Sudo::sudo_as`: they act as any account, past
///   every filter, and so as the one that owns the assets.
/// - `System::set_storage`, `kill_storage`, `kill_prefix`: they do all of this. What has to be
///   repaired is repaired by an upgrade, which everybody can read.
/// - `Session::purge_keys`: an authority would be out of reach of a report while it votes on.
/// - `Grandpa::note_stalled`: breaks every later warp-sync proof.
/// - `Treasury::spend_local`: it would take what came in during the vote; `spend` takes AIT, too.
/// - `ConvictionVoting::vote` and `delegate` with other weights than one vote for an AIT.
///
/// The SDK does not filter what root dispatches. So what a key asks to be dispatched as root is
/// looked into, through everything that wraps calls.
pub struct CallFilter;

impl CallFilter {
	/// Returns `true` if nobody may make this call.
	fn is_never(call: &RuntimeCall) -> bool {
		use frame_system::Call as System;
		use pallet_assets::Call as Assets;
		use pallet_balances::Call as Balances;
		use pallet_conviction_voting::Call as Voting;
		use pallet_sudo::Call as Sudo;
		use pallet_utility::Call as Utility;
		match call {
			RuntimeCall::Assets(call) => !matches!(
				call,
				Assets::transfer { .. }
					| Assets::transfer_keep_alive { .. }
					| Assets::transfer_all { .. }
					| Assets::approve_transfer { .. }
					| Assets::cancel_approval { .. }
					| Assets::transfer_approved { .. }
					| Assets::touch { .. }
					| Assets::touch_other { .. }
					| Assets::refund { allow_burn: false, .. }
					| Assets::refund_other { .. }
			),
			RuntimeCall::Balances(call) => matches!(
				call,
				Balances::burn { .. }
					| Balances::force_set_balance { .. }
					| Balances::force_adjust_total_issuance { .. }
			),
			RuntimeCall::Utility(call) => {
				matches!(call, Utility::dispatch_as { .. } | Utility::dispatch_as_fallible { .. })
			},
			RuntimeCall::Sudo(call) => matches!(call, Sudo::sudo_as { .. }),
			RuntimeCall::System(call) => matches!(
				call,
				System::set_storage { .. }
					| System::kill_storage { .. }
					| System::kill_prefix { .. }
			),
			RuntimeCall::Session(pallet_session::Call::purge_keys { .. })
			| RuntimeCall::Treasury(pallet_treasury::Call::spend_local { .. })
			| RuntimeCall::Grandpa(pallet_grandpa::Call::note_stalled { .. }) => true,
			RuntimeCall::ConvictionVoting(Voting::vote { vote, .. }) => !is_plain(vote),
			RuntimeCall::ConvictionVoting(Voting::delegate { conviction, .. }) => {
				*conviction != pallet_conviction_voting::Conviction::Locked1x
			},
			_ => false,
		}
	}

	/// Returns the calls that a call wraps. Calls nest no deeper than a transaction decodes.
	fn wrapped(call: &RuntimeCall) -> Vec<&RuntimeCall> {
		use pallet_collective::Call as Collective;
		use pallet_governance::Call as Governance;
		use pallet_multisig::Call as Multisig;
		use pallet_proxy::Call as Proxy;
		use pallet_scheduler::Call as Scheduler;
		use pallet_sudo::Call as Sudo;
		use pallet_utility::Call as Utility;
		match call {
			RuntimeCall::Sudo(
				Sudo::sudo { call }
				| Sudo::sudo_unchecked_weight { call, .. }
				| Sudo::sudo_as { call, .. },
			)
			| RuntimeCall::Multisig(
				Multisig::as_multi { call, .. } | Multisig::as_multi_threshold_1 { call, .. },
			)
			| RuntimeCall::Proxy(Proxy::proxy { call, .. } | Proxy::proxy_announced { call, .. })
			| RuntimeCall::Governance(Governance::stop { call } | Governance::lift { call })
			| RuntimeCall::EmergencyCommittee(
				Collective::execute { proposal: call, .. }
				| Collective::propose { proposal: call, .. },
			)
			| RuntimeCall::Scheduler(
				Scheduler::schedule { call, .. }
				| Scheduler::schedule_named { call, .. }
				| Scheduler::schedule_after { call, .. }
				| Scheduler::schedule_named_after { call, .. },
			)
			| RuntimeCall::Utility(
				Utility::as_derivative { call, .. }
				| Utility::with_weight { call, .. }
				| Utility::dispatch_as { call, .. }
				| Utility::dispatch_as_fallible { call, .. },
			) => vec![call],
			RuntimeCall::Utility(
				Utility::batch { calls }
				| Utility::batch_all { calls }
				| Utility::force_batch { calls },
			) => calls.iter().collect(),
			RuntimeCall::Utility(Utility::if_else { main, fallback }) => vec![main, fallback],
			_ => Vec::new(),
		}
	}

	/// Returns `true` if this call or one that it wraps is one that nobody may make.
	fn reaches_never(call: &RuntimeCall) -> bool {
		let mut open = vec![call];
		while let Some(call) = open.pop() {
			if Self::is_never(call) {
				return true;
			}
			open.extend(Self::wrapped(call));
		}
		false
	}
}

impl Contains<RuntimeCall> for CallFilter {
	fn contains(call: &RuntimeCall) -> bool {
		match call {
			RuntimeCall::Sudo(_) => !Self::reaches_never(call),
			// What others wrap is filtered when it is dispatched.
			call => !Self::is_never(call),
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
	type SingleBlockMigrations = super::migrations::Migrations;
	type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
	type Version = Version;
}
