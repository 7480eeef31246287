//! `pallet_session` with history: the present and the former authorities.

use crate::{
	AccountId, Authorities as Members, Balance, Balances, Historical, Offences, RefuseFiltered,
	Runtime, RuntimeCall, RuntimeEvent, SessionKeys, TxExtension, UncheckedExtrinsic,
	configs::{
		GovernanceOrigin,
		grandpa::{REPORTABLE_SESSIONS, ReportLongevity},
	},
	constants::{currency::deposit, time::SESSION},
};
use alloc::vec::Vec;
use frame_support::traits::{ConstU32, ConstU64};
use pallet_free_calls::MAX_FREE_PRIORITY;
use pallet_session::{
	PeriodicSessions, disabling::UpToLimitDisablingStrategy, historical,
	historical::NoteHistoricalRoot,
};
use sp_runtime::{
	generic::Era,
	traits::{Convert, ConvertInto, OpaqueKeys},
};
use sp_staking::SessionIndex;

frame_support::parameter_types! {
	/// Deposit of an account that sets session keys: two rows of two keys with their owner.
	pub const KeyDeposit: Balance = deposit(2, 2 * (32 + 32 + 4));
}

/// The authorities of genesis keep their seats, as `pallet_authorities` says.
pub struct Authorities;

impl pallet_session::SessionManager<AccountId> for Authorities {
	fn new_session(_: SessionIndex) -> Option<Vec<AccountId>> {
		Members::plan()
	}

	fn new_session_genesis(_: SessionIndex) -> Option<Vec<AccountId>> {
		// At genesis the only keys are those of the genesis authorities.
		let mut authorities: Vec<AccountId> =
			pallet_session::NextKeys::<Runtime>::iter_keys().collect();
		authorities.sort();
		Some(authorities)
	}

	fn start_session(index: SessionIndex) {
		Members::start_session(index);
	}

	fn end_session(ended: SessionIndex) {
		// What can no longer be reported needs no proof.
		let kept = SessionIndex::try_from(REPORTABLE_SESSIONS).unwrap_or(SessionIndex::MAX);
		if let Some(first) = ended.checked_sub(kept) {
			Historical::prune_up_to(first);
			Members::forget_before(first);
		}
	}
}

impl historical::SessionManager<AccountId, ()> for Authorities {
	fn new_session(index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
		let set = <Self as pallet_session::SessionManager<AccountId>>::new_session(index)?;
		Some(set.into_iter().map(|authority| (authority, ())).collect())
	}

	fn new_session_genesis(index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
		let set = <Self as pallet_session::SessionManager<AccountId>>::new_session_genesis(index)?;
		Some(set.into_iter().map(|authority| (authority, ())).collect())
	}

	fn start_session(index: SessionIndex) {
		<Self as pallet_session::SessionManager<AccountId>>::start_session(index);
	}

	fn end_session(index: SessionIndex) {
		<Self as pallet_session::SessionManager<AccountId>>::end_session(index);
	}
}

/// Identification of an authority: its account, and nothing else.
pub struct NoFurtherIdentification;

impl Convert<AccountId, Option<()>> for NoFurtherIdentification {
	fn convert(_: AccountId) -> Option<()> {
		Some(())
	}
}

type Sessions = PeriodicSessions<ConstU32<SESSION>, ConstU32<0>>;

impl pallet_session::Config for Runtime {
	type Currency = Balances;
	// At most a third of the authorities, less one, can be disabled at once.
	type DisablingStrategy = UpToLimitDisablingStrategy;
	type KeyDeposit = KeyDeposit;
	type Keys = SessionKeys;
	type NextSessionRotation = Sessions;
	type RuntimeEvent = RuntimeEvent;
	type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
	type SessionManager = NoteHistoricalRoot<Runtime, Authorities>;
	type ShouldEndSession = Sessions;
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
}

impl historical::Config for Runtime {
	type FullIdentification = ();
	type FullIdentificationOf = NoFurtherIdentification;
	type RuntimeEvent = RuntimeEvent;
}

impl pallet_authorities::Config for Runtime {
	type GovernanceOrigin = GovernanceOrigin;
	type Offences = Offences;
	type ReportLongevity = ReportLongevity;
	// Before every other free call: there is one report for each authority at the most.
	type ReportPriority = ConstU64<MAX_FREE_PRIORITY>;
}

impl frame_system::offchain::CreateTransaction<pallet_authorities::Call<Runtime>> for Runtime {
	type Extension = TxExtension;

	fn create_transaction(call: RuntimeCall, extension: TxExtension) -> UncheckedExtrinsic {
		UncheckedExtrinsic::new_transaction(call, extension)
	}
}

impl frame_system::offchain::CreateAuthorizedTransaction<pallet_authorities::Call<Runtime>>
	for Runtime
{
	fn create_extension() -> TxExtension {
		(
			RefuseFiltered::new(),
			frame_system::CheckNonZeroSender::new(),
			frame_system::CheckSpecVersion::new(),
			frame_system::CheckTxVersion::new(),
			frame_system::CheckGenesis::new(),
			frame_system::CheckMortality::from(Era::Immortal),
			frame_system::CheckNonce::from(0),
			frame_system::CheckWeight::new(),
			pallet_transaction_payment::ChargeTransactionPayment::from(0).into(),
			frame_metadata_hash_extension::CheckMetadataHash::new(false),
			frame_system::WeightReclaim::new(),
		)
	}
}
