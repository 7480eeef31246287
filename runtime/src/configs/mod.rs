//! Settings of the pallets, one file per pallet.

mod assets;
mod attestations;
mod aura;
mod authorship;
mod balances;
mod brakes;
mod compute_checks;
mod compute_receipts;
mod coverage_policy;
mod free_calls;
mod grandpa;
mod meter_readings;
mod migrations;
mod model_registry;
mod multisig;
mod offences;
mod parameters;
mod preimage;
mod proxy;
mod safe_mode;
mod scheduler;
mod session;
mod sudo;
mod system;
mod timestamp;
mod transaction_payment;
mod treasury;
mod tx_pause;
mod utility;

pub use brakes::MintedTokens;
pub use compute_checks::ChecksAccount;
pub use compute_receipts::EscrowAccount;
pub use coverage_policy::BackingAccount;
pub use grandpa::ReportLongevity;
pub use meter_readings::MultisigAccounts;
pub use migrations::SafeModeOnFailedMigration;
pub use offences::DisableOffender;
pub use parameters::{
	MAX_BASE_FEE, MAX_FEE_PER_BYTE, RuntimeParameters, RuntimeParametersKey, dynamic_params,
};
pub use proxy::ProxyType;
pub use session::Authorities;
pub use system::CallFilter;
pub use transaction_payment::BaseAndLengthFee;
pub use treasury::{SpendsOfTokens, TreasuryAccount};

use crate::{AccountId, Runtime};
use frame_support::traits::EitherOfDiverse;
use frame_system::EnsureRoot;
use pallet_brakes::EnsureEmergency;

/// Origin of governance: root, that is sudo, until another body replaces it.
pub type GovernanceOrigin = EnsureRoot<AccountId>;

/// Origin of those who may stop in an emergency: the account that governance named for it, or
/// governance. The account loosens nothing.
pub type EmergencyOrigin = EitherOfDiverse<GovernanceOrigin, EnsureEmergency<Runtime>>;
