//! Metered energy: names, certificates, registers, batches, and the rules a batch has to keep.
//!
//! - [`MeterName`], [`Topic`]: who a meter is, and where it speaks over MQTT;
//! - [`BatchHeader`], [`SignedBatch`]: what a device signs;
//! - [`check_batch`]: every rule of a batch but the signature, each with its own [`BatchRefusal`];
//! - [`Organisation`], [`Certification`], [`OwnerConsent`]: who certifies, what, and what an owner
//!   agrees to; [`Certificate`] is what comes of it;
//! - [`MeterInfo`], [`Totals`], [`BatchRecord`], [`Overview`]: what the chain answers;
//! - [`message`]: how a gateway asks a device to sign;
//! - [`Anchor`], [`op_return_script`]: a root in a Bitcoin transaction.

// `as` is what the derived encoding of an enum with fields writes.
#[allow(clippy::cast_possible_truncation)]
mod anchor;
mod batch;
mod certificate;
pub mod emlog;
pub mod message;
mod name;
mod organisation;
// `as` is what the derived encoding of an enum with fields writes.
#[allow(clippy::cast_possible_truncation)]
mod rules;
// `as` is what the derived encoding of an enum with fields writes.
#[allow(clippy::cast_possible_truncation)]
mod views;

pub use anchor::{
	Anchor, AnchorState, AnchorStatus, MIN_CONFIRMATIONS, op_return_script, root_of_script,
};
pub use batch::{BatchHeader, Registers, SignedBatch};
pub use certificate::{
	Certificate, Certification, Direction, NewDevice, OwnerConsent, SealId, Suspension, Trust,
};
pub use name::{MeterName, NameFault, NamePart, Topic};
pub use organisation::{Organisation, OrganisationIndex, OrganisationName, OrganisationStanding};
pub use rules::{Accepted, BatchLimits, BatchRefusal, MeterState, check_batch, max_energy_wh};
pub use views::{
	BatchRecord, MeterInfo, Overview, ReadingQuery, ReadingRefusal, Totals, VerifiedReading,
};

use crate::num::units::MILLIS_PER_DAY;

/// A meter's number, given by the chain at certification, in order.
pub type MeterIndex = u32;

/// Bytes of a site, device or meter id.
pub const MAX_NAME_BYTES: u32 = 64;
/// Bytes of a seal's id.
pub const MAX_SEAL_BYTES: u32 = 32;
/// Readings in one batch.
pub const MAX_READINGS_PER_BATCH: u32 = 10_000;
/// Batches in one transaction: half of what a block holds.
pub const MAX_BATCHES_PER_CALL: u32 = 500;
/// By how many milliseconds a device's clock may be ahead of the chain's, unless governance
/// decides otherwise.
pub const MAX_SKEW_MS: u64 = 60_000;
/// How much of rated power × time a batch may hold, in parts per thousand, unless governance
/// decides otherwise: 110 %.
pub const TOLERANCE_PPT: u32 = 1_100;
/// For how long an owner's consent can be good, in milliseconds: 30 days.
pub const MAX_CONSENT_MS: u64 = 30 * MILLIS_PER_DAY;
