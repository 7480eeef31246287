//! Pay and mint that wait for the check window.
//!
//! With a check window above 0 a settled batch pays the treasury's share alone. The rest becomes rows:
//! one for the batch with the coordinator's pay, one for each miner's line with its pay and its claim,
//! and one with what each channel paid. A claim counts in the step of the settlement, or of the miner's
//! signature if that comes later, as if it did not wait; only its part of the closed step is converted
//! later. Who checks sees rows and takes from them through the traits in
//! [`gridproof_primitives::compute::checks`].
//!
//! # Who moves what
//!
//! Anybody, free of charge: [`Pallet::release_waiting`] pays the parts of which the window is over,
//! and puts what was taken aside for the clients; [`Pallet::return_to_clients`] pays it to them. Each
//! call names what it moves, and moves all of it or nothing: a payment that cannot be made stops
//! nobody else's.
//!
//! # Bounds
//!
//! A row is there for the window, and for five days more at most if a dispute holds it. So of each
//! coordinator there are at most as many batches as the spacing lets it settle in that time, each with
//! at most as many lines as a batch has, for which it paid the fee. Rows whose mint waits for verifiers
//! stay as long as those are missing.
//!
//! # Who would gain by it
//!
//! - A cheat who sees a verdict coming cannot be faster than it: what waits is nobody's before its
//!   time, a dispute holds it longer, and a verdict takes effect at once, even if rows move later.
//! - A coordinator that accuses itself moves what waits of its own pay to the client that it wronged:
//!   at most what was settled out of that channel, and for an offence it is slashed as ever. To a miner
//!   it moves no more than its slash, bond and what waits together.
//! - Who signs a line late chooses the step in which it claims, but no more than it could have claimed
//!   at settlement.
//! - Clients of a batch share what a miner lost by what each paid in all of that batch: a cheat who is
//!   one of them gets back a part of what he paid, and never more than was settled out of his channel.

mod add;
mod fund;
mod release;
mod restitution;
mod returns;
mod seam;
mod sign;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::as_conversions)]
pub(crate) mod types;
mod views;

pub(crate) use add::{Settled, Waits};
