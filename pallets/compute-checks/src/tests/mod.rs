//! One module for each part of the pallet.

mod asked;
mod cheats;
mod demands;
mod disputes;
mod governance;
mod numbers;
mod pay;
mod pool;
mod reopenings;
mod reports;
mod touch;
mod verifiers;
