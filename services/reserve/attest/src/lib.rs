//! The reserve, off chain: daily statements from plan to chain, the daily run, and the issuer.
//!
//! - [`Summary`]: the figures of a day that a plan starts from;
//! - [`Statement`]: figures and file of version 2, each recomputed from the other;
//! - [`RoleKey`], [`RoleKeys`]: a role's key in a file, the public keys of all roles;
//! - [`sign_file`]: one role's signature under a file;
//! - [`verify`], [`open`]: signatures of version 1 and 2, and every way they can fail;
//! - [`price_refusal`]: why a chain would refuse a day's price, and from when on it takes it;
//! - [`submit`]: from file to chain;
//! - [`stop_minting`], [`lift_stop`]: one role stops minting, the two others lift that;
//! - [`Daemon`], [`DayPipeline`], [`run_daily`]: every day, with missed days, retries and a lock;
//! - [`Issuer`]: mints what each day's statement allows;
//! - [`mint`], [`redeem`], [`ShownCoverage`]: coverage as people use it.
//!
//! The rules of the file are in `docs/protocols/attestation.md`.

#![deny(missing_docs)]

mod amounts;
mod coverage;
mod daily;
mod failure;
mod issuer;
mod keys;
mod plan;
mod price;
mod sign;
mod statement;
mod stop;
mod submit;
mod summary;
mod verify;

pub use amounts::{millionths, parse_millionths};
pub use coverage::{
	MintError, MintOrder, Minted, Redeemed, ShownAccount, ShownCoverage, Spent, coverage_account,
	mint, mint_refusal, redeem, spend,
};
pub use daily::{
	Daemon, DaemonError, DaemonSettings, DaemonState, DailyMetrics, DailyReport, DayPipeline,
	Figures, GivenUp, Loaded, OpenDay, PartialDay, Pipeline, PipelineError, PipelineSettings,
	PriceSource, Revision, Schedule, StepError, StepFault, Time, Timetable, run_daily,
};
pub use issuer::{ChainDesk, Issuer, IssuerError, IssuerMetrics, IssuerSettings, MintDesk, Offer};
pub use keys::{RoleKey, RoleKeys, RolePublic, TrustedKeysError, show_role_key, trusted_file};
pub use plan::{PlanFileError, read_statement, write_plan};
pub use price::{DEFAULT_WINDOW, average_window, price_refusal, price_refusal_by};
pub use sign::{SignError, Signed, sign, sign_file, warnings};
pub use statement::{FILE_VERSION, PlanInputs, Statement, StatementError};
pub use stop::{
	LiftError, LiftSignature, Lifted, ShownStop, Stopped, lift_stop, sign_lifting, stop_minting,
};
pub use submit::{
	ShownAttestation, ShownSigner, SubmitError, Submitted, submit, submit_over, trusted_keys,
};
pub use summary::{Summary, SummaryError, SummaryFileError, read_summary};
pub use verify::{Counted, Expected, FileRefusal, Opened, VerifyReport, Version, open, verify};
