//! The front at the client's side: OpenAI's interface on the client's own machine, paid for from a
//! channel with the client's own key.
//!
//! A program that speaks OpenAI's protocol asks it as it would ask any server. The front signs a voucher
//! for each request, passes the request on to the channel's coordinator, and checks the receipt of the
//! answer: signatures, price, and that the running sums join on to all receipts that it has.
//!
//! | module | holds |
//! |---|---|
//! | `settings` | how it behaves |
//! | `ledger` | vouchers and receipts on disk |
//! | `check` | what makes a receipt good |
//! | [`chain`] | what is needed of the chain, and how a node is asked for it |
//! | `payer` | from a request to its receipt |
//! | `demands` | receipts that are not settled in time, and what is reported, on chain |
//! | `plan` | the price of the channel's plan; what is warned of |
//! | `top_up` | raising the deposit by rule |
//! | `watch` | vouchers without an answer; a channel that runs dry |
//! | `server` | all of this behind one address |
//!
//! # What is guaranteed
//!
//! A voucher is on disk before it is sent, so no number is used for two requests, whatever stops the
//! program. The client never owes more than the sum of its receipts and of the highest prices of the
//! requests that are open. A coordinator whose receipt does not hold gets no further request, and what it
//! signed is kept: it can be shown.

#![deny(missing_docs, unreachable_pub)]

pub mod chain;
mod check;
mod demands;
mod error;
mod ledger;
mod payer;
mod plan;
mod server;
mod settings;
mod top_up;
mod watch;

pub use check::ReceiptRefusal;
pub use error::FrontError;
pub use ledger::{Spent, Totals};
pub use payer::Payer;
pub use server::{limits, openapi, router, serve};
pub use settings::{Settings, TopUp};
