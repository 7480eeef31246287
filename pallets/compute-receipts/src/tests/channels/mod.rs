//! Channels, settlement batches and plans.

mod books;
mod emission;
mod invariants;
mod money;
mod open;
mod random;
mod refusals;
mod rest;
