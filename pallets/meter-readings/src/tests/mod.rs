//! One module per subject.

mod anchors;
mod certify;
mod genesis;
mod invariants;
mod limits;
mod migrations;
mod organisations;
mod points;
mod pool;
mod proofs;
mod random;
mod service;
mod submit;
mod unseen;
mod unseen_random;
mod views;
