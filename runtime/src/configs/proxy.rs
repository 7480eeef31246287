//! `pallet_proxy`: one account acting for another, within limits.

use crate::{
	Balance, Balances, Runtime, RuntimeCall, RuntimeEvent, System, constants::currency::deposit,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::{ConstU32, InstanceFilter};
use scale_info::TypeInfo;
use sp_runtime::traits::BlakeTwo256;

/// Power of a proxy. The order is part of the encoding.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Debug, Default)]
pub enum ProxyType {
	/// Every call.
	#[default]
	Any,
	/// Calls that move no money. `Multisig` and `Proxy` are not among them: what they wrap runs as
	/// another account, past this filter, and the owner's energy is in accounts of that kind.
	NonTransfer,
	/// Only the refusal of another proxy's delayed call.
	CancelProxy,
	/// Only calls about an authority's session keys.
	SessionKeys,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
	fn filter(&self, call: &RuntimeCall) -> bool {
		match self {
			ProxyType::Any => true,
			ProxyType::NonTransfer => matches!(
				call,
				RuntimeCall::System(..)
					| RuntimeCall::Session(..)
					| RuntimeCall::Preimage(..)
					| RuntimeCall::Utility(..)
					| RuntimeCall::Proxy(pallet_proxy::Call::reject_announcement { .. })
			),
			ProxyType::CancelProxy => {
				matches!(call, RuntimeCall::Proxy(pallet_proxy::Call::reject_announcement { .. }))
			},
			ProxyType::SessionKeys => matches!(call, RuntimeCall::Session(..)),
		}
	}

	fn is_superset(&self, other: &Self) -> bool {
		match (self, other) {
			(a, b) if a == b => true,
			(ProxyType::Any, _) => true,
			(_, ProxyType::Any) => false,
			(ProxyType::NonTransfer, _) => true,
			_ => false,
		}
	}
}

frame_support::parameter_types! {
	/// Deposit for one row of 8 bytes.
	pub const ProxyDepositBase: Balance = deposit(1, 8);
	/// Deposit for the 33 bytes of each proxy.
	pub const ProxyDepositFactor: Balance = deposit(0, 33);
	/// Deposit for one row of 8 bytes.
	pub const AnnouncementDepositBase: Balance = deposit(1, 8);
	/// Deposit for the 66 bytes of each announcement.
	pub const AnnouncementDepositFactor: Balance = deposit(0, 66);
}

impl pallet_proxy::Config for Runtime {
	type AnnouncementDepositBase = AnnouncementDepositBase;
	type AnnouncementDepositFactor = AnnouncementDepositFactor;
	type BlockNumberProvider = System;
	type CallHasher = BlakeTwo256;
	type Currency = Balances;
	type MaxPending = ConstU32<32>;
	type MaxProxies = ConstU32<32>;
	type ProxyDepositBase = ProxyDepositBase;
	type ProxyDepositFactor = ProxyDepositFactor;
	type ProxyType = ProxyType;
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_proxy::weights::SubstrateWeight<Runtime>;
}
