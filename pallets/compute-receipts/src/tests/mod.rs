//! Tests, one module per subject.

mod bound;
mod cancel;
mod channels;
mod claims;
mod disasters;
mod emission;
mod expire;
mod governance;
mod heartbeats;
mod keys;
mod migrations;
mod models;
mod offences;
mod open_job;
mod parties;
mod pool;
mod random;
mod views;
