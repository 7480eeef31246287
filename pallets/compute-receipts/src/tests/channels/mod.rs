//! Channels, settlement batches and plans.

mod accounts;
mod books;
mod demands;
mod emission;
mod evidence;
mod given_up;
mod invariants;
mod lies;
mod money;
mod open;
mod random;
mod refusals;
mod rest;
mod restitution;
mod waiting;
