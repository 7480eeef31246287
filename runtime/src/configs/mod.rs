//! Settings of the pallets, one file per pallet.

mod assets;
mod attestations;
mod aura;
mod authorship;
mod balances;
mod brakes;
mod compute_checks;
mod compute_receipts;
mod conviction_voting;
mod coverage_policy;
mod emergency_committee;
mod free_calls;
mod governance;
mod grandpa;
mod meter_readings;
mod migrations;
mod model_registry;
mod multisig;
mod offences;
mod parameters;
mod preimage;
mod proxy;
mod referenda;
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
pub use conviction_voting::{MaxTurnout, VotingBalances};
pub use coverage_policy::BackingAccount;
pub use emergency_committee::{Committee, EmergencyCommitteeOrigin};
pub use governance::{EmergencyCalls, GovernedCalls, STOP_DAYS, Stop, blocks_of_a_day};
pub use grandpa::ReportLongevity;
pub use meter_readings::MultisigAccounts;
pub use migrations::SafeModeOnFailedMigration;
pub use offences::DisableOffender;
pub use parameters::{
	MAX_BASE_FEE, MAX_FEE_PER_BYTE, RuntimeParameters, RuntimeParametersKey, dynamic_params,
};
pub use proxy::ProxyType;
pub use referenda::{
	APPROVAL, DECISION_DEPOSIT, EMERGENCY, ROOT, STANDARD, SUBMISSION_DEPOSIT, SUPPORT, Tracks,
};
pub use session::Authorities;
pub use sudo::KeyOfDemonstrationsOnly;
pub use system::CallFilter;
pub use transaction_payment::BaseAndLengthFee;
pub use treasury::{SpendsOfTokens, TreasuryAccount};

use crate::AccountId;
use frame_support::traits::EitherOf;
use frame_system::EnsureRoot;
use pallet_governance::{EnsureCommittee, EnsureStandard};

/// Origin of governance: what a referendum of the standard track decided, or root, which is a
/// referendum of the root track and, on a development chain, sudo.
pub type GovernanceOrigin = EitherOf<EnsureRoot<AccountId>, EnsureStandard>;

/// Origin of those who may stop: governance; or the emergency committee, whose stops end by
/// themselves. The committee loosens nothing.
pub type EmergencyOrigin = EitherOf<GovernanceOrigin, EnsureCommittee>;
