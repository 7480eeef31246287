//! Channels: vouchers, receipts with running sums, settlement batches, their proofs and offences.

mod channel;
mod evidence;
mod properties;
mod receipt;
mod rules;
mod vectors;
mod world;
