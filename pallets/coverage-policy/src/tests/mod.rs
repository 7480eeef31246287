//! One module per call, and one each for statements, states, credit, views, genesis, extremes
//! and random sequences.

mod close_account;
mod credit;
mod extremes;
mod genesis;
mod migrations;
mod mint;
mod random;
mod redeem;
mod serve;
mod set_breaker;
mod set_issuer;
mod set_parameters;
mod statements;
mod states;
mod try_state;
mod views;
