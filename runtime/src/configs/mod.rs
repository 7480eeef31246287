//! Settings of the pallets, one file per pallet.

mod assets;
mod attestations;
mod aura;
mod authorship;
mod balances;
mod compute_receipts;
mod coverage_policy;
mod free_calls;
mod grandpa;
mod meter_readings;
mod migrations;
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

pub use grandpa::ReportLongevity;
pub use meter_readings::MultisigAccounts;
pub use offences::DisableOffender;
pub use parameters::{RuntimeParameters, RuntimeParametersKey, dynamic_params};
pub use proxy::ProxyType;
pub use session::Authorities;
pub use system::CallFilter;
pub use transaction_payment::BaseAndLengthFee;
pub use treasury::TreasuryAccount;

use crate::AccountId;
use frame_system::EnsureRoot;

/// Origin of governance: root, that is sudo, until another body replaces it.
pub type GovernanceOrigin = EnsureRoot<AccountId>;
