//! Metered energy: names, certificates, registers, batches, and the rules that a batch must keep.
//!
//! - [`MeterName`], [`Topic`]: the name of a meter, and its MQTT topics;
//! - [`BatchHeader`], [`SignedBatch`]: what a device signs;
//! - [`check_batch`]: every rule of a batch except the signature, each with its own
//!   [`BatchRefusal`];
//! - [`Organisation`], [`Certification`], [`OwnerConsent`]: who certifies, what, and what an owner
//!   consents to; [`Certificate`] is the result;
//! - [`MeterInfo`], [`Totals`], [`BatchRecord`], [`Overview`]: answers of the chain;
//! - [`message`]: how a gateway asks a device to sign;
//! - [`Anchor`], [`op_return_script`]: a root in a Bitcoin transaction.

// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod anchor;
mod batch;
mod certificate;
pub mod emlog;
pub mod message;
mod name;
mod organisation;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod rules;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod views;

pub use anchor::{
	Anchor, AnchorState, AnchorStatus, MIN_CONFIRMATIONS, op_return_script, root_of_script,
};
pub use batch::{BatchHeader, Registers, SignedBatch};
pub use certificate::{
	Certificate, Certification, Direction, NewDevice, OwnerConsent, SealId, Suspension, Trust,
};
pub use name::{MeterName, NameError, NamePart, Topic};
pub use organisation::{Organisation, OrganisationIndex, OrganisationName, OrganisationStanding};
pub use rules::{Accepted, BatchLimits, BatchRefusal, MeterState, check_batch, max_energy_wh};
pub use views::{BatchRecord, MeterInfo, Overview, ReadingRefusal, Totals, VerifiedReading};

use crate::num::units::MILLIS_PER_DAY;

/// Index of a meter, which the chain assigns at certification, from 0.
pub type MeterIndex = u32;

/// Highest number of bytes of a site, device or meter id.
pub const MAX_NAME_BYTES: u32 = 64;
/// Highest number of bytes of a seal's id.
pub const MAX_SEAL_BYTES: u32 = 32;
/// Highest number of readings in one batch.
pub const MAX_READINGS_PER_BATCH: u32 = 10_000;
/// Highest number of batches in one transaction: half of what a block holds.
pub const MAX_BATCHES_PER_CALL: u32 = 500;
/// Time by which a device's clock may be ahead of the chain's unless governance decides otherwise,
/// in milliseconds.
pub const MAX_SKEW_MS: u64 = 60_000;
/// Energy that a batch may contain unless governance decides otherwise, in thousandths of rated
/// power × time: 110 %.
pub const TOLERANCE_PPT: u32 = 1_100;
/// Longest time that an owner's consent can be valid, in milliseconds: 30 days.
pub const MAX_CONSENT_MS: u64 = 30 * MILLIS_PER_DAY;
