//! Coverage as people and programs use it: its state, minting, redemption, accounts.
//!
//! The rules are the chain's; see `docs/protocols/coverage.md`.

mod account;
mod mint;
mod redeem;
mod spend;
mod status;

pub use account::{ShownAccount, coverage_account};
pub use mint::{MintError, MintOrder, Minted, mint};
pub use redeem::{Redeemed, redeem};
pub use spend::{Spent, spend};
pub use status::{ShownCoverage, mint_refusal};
