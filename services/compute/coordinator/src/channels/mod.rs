//! Requests that channels pay for: no transaction before the work, and one for any number of receipts
//! after it.
//!
//! | module | holds |
//! |---|---|
//! | `admission` | from a voucher to a request that waits for a miner |
//! | `work` | to a miner and back |
//! | `receipts` | from a result to a receipt that is on disk |
//! | `kept` | requests of channels whose key the coordinator keeps, and their API keys |
//! | `plans` | plans of channels, from their sale to the return of the rest |
//! | `follow` | what the chain says of the channels in use |
//! | `batches` | from receipts to a batch that is final |
//! | `openings` | what a receipt was made of, for those who may see it |
//! | `demands` | receipts that somebody demands on chain |
//! | `sight` | whether the chain lets a verifier see a receipt |
//! | `shown` | what everybody may read of all this |
//!
//! The request path asks the chain for nothing but a channel that it does not know yet, and the disk
//! once, before the last token: the receipt. What is open lives in `book` in memory; a crash forgets
//! it, and its clients, who have no receipt, owe nothing for it.

mod admission;
pub(crate) mod batches;
pub(crate) mod demands;
pub(crate) mod follow;
mod kept;
mod openings;
pub(crate) mod plans;
mod receipts;
mod shown;
pub(crate) mod sight;
mod work;

pub(crate) use admission::Payment;
pub(crate) use kept::{Kept, NotAdmitted};
pub(crate) use plans::Left;
