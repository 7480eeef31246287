//! One module per call, and one each for the pool, the archive and the genesis.

mod archive;
mod genesis;
mod invariants;
mod pause;
mod pool;
mod random;
mod revise;
mod rotate_key;
mod set_kind_open;
mod stops;
mod submit;
