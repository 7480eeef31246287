//! Channels: vouchers, receipts with running sums, settlement batches, their proofs and offences.

#![allow(unreachable_pub, reason = "in a test, pub means: for another module")]

mod channel;
mod evidence;
mod given_up;
mod plans;
mod properties;
mod receipt;
mod rules;
mod vectors;
mod world;
