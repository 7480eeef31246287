//! Metered energy: names, certificates, registers, batches, and the rules that a batch must keep.
//!
//! - [`MeterName`], [`Topic`]: the name of a meter, and its MQTT topics;
//! - [`BatchHeader`], [`SignedBatch`]: what a device signs;
//! - [`check_batch`]: every rule of a batch except the signature, each with its own
//!   [`BatchRefusal`];
//! - [`net`], [`PointState`]: what mints once what goes round is left out, of one meter and of several at
//!   one metering point; [`LastSeen`]: what was drawn and no batch stated;
//! - [`Organisation`], [`Certification`], [`OwnerConsent`], [`ExchangeConsent`],
//!   [`possession_payload`]: who certifies, what, what an owner consents to, and how a device proves its
//!   key; [`Certificate`] is the result;
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
mod netting;
mod organisation;
mod point;
mod power;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod rules;
mod unseen;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod views;

pub use anchor::{
	Anchor, AnchorState, AnchorStatus, MIN_CONFIRMATIONS, op_return_script, root_of_script,
};
pub use batch::{BatchHeader, Registers, SignedBatch};
pub use certificate::{
	Certificate, Certification, Direction, ExchangeConsent, NewDevice, OwnerConsent, SealId,
	SerialNumber, Suspension, Trust, check_possession, is_plain_number, possession_payload,
};
pub use name::{MeterName, NameError, NamePart, PointId, Topic};
pub use netting::{Netted, net};
pub use organisation::{Organisation, OrganisationIndex, OrganisationName, OrganisationStanding};
pub use point::{Flow, Generation, PointFull, PointMeter, PointState, Waiting};
pub use power::{max_energy_wh, possible_draw_wh};
pub use rules::{
	Accepted, BatchLimits, BatchRefusal, MeterState, OldRegisters, check_batch, check_free,
	meter_day_wh,
};
pub use unseen::LastSeen;
pub use views::{
	BatchRecord, MeterInfo, MeterPage, Overview, PointInfo, ReadingRefusal, Totals, VerifiedReading,
};

use crate::num::units::MILLIS_PER_DAY;

/// Index of a meter, which the chain assigns at certification, from 0.
pub type MeterIndex = u32;

/// Highest number of bytes of a site, device or meter id.
pub const MAX_NAME_BYTES: u32 = 64;
/// Highest number of bytes of a seal's id.
pub const MAX_SEAL_BYTES: u32 = 32;
/// Highest number of bytes of a serial number with its maker.
pub const MAX_SERIAL_BYTES: u32 = 32;
/// Highest number of bytes of a metering point's id.
pub const MAX_POINT_BYTES: u32 = 64;
/// Highest number of meters of one metering point.
pub const MAX_POINT_METERS: u32 = 8;
/// Highest number of readings in one batch.
pub const MAX_READINGS_PER_BATCH: u32 = 10_000;
/// Highest number of batches in one transaction: half of what a block holds.
pub const MAX_BATCHES_PER_CALL: u32 = 400;
/// Time by which a device's clock may be ahead of the chain's unless governance decides otherwise,
/// in milliseconds.
pub const MAX_SKEW_MS: u64 = 60_000;
/// Energy that a batch may contain unless governance decides otherwise, in thousandths of rated
/// power × time: 110 %.
pub const TOLERANCE_PPT: u32 = 1_100;
/// Longest time that an owner's consent can be valid, in milliseconds: 30 days.
pub const MAX_CONSENT_MS: u64 = 30 * MILLIS_PER_DAY;
/// Time by which certified service may begin before its certification unless governance decides
/// otherwise, in milliseconds: a day, and an hour in which the certification is on its way.
pub const MAX_BACKDATE_MS: u64 = 25 * 3_600_000;
/// Highest rated power of a meter unless governance decides otherwise, in W: 100 MW.
pub const MAX_RATED_POWER_W: u32 = 100_000_000;
/// Shortest interval of a batch that is free of fees unless governance decides otherwise, in
/// milliseconds.
pub const MIN_FREE_INTERVAL_MS: u64 = 60_000;
/// Number of batches of one meter that are free of fees in an hour unless governance decides otherwise.
pub const FREE_BATCHES_PER_HOUR: u32 = 120;
