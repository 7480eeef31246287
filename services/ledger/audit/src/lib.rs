//! Re-derives all money of a chain from its blocks, and says where the chain differs.
//!
//! | module | holds |
//! |---|---|
//! | `deed` | what a block did with money, as its events say |
//! | `shown` | what the chain says about itself after a block |
//! | `books` | the rules: what has to be there after those deeds. Pure |
//! | `read` | deeds and figures of a block, from a node |
//! | `run` | one block after the other, from where the last run stopped |
//! | `report` | what was audited and found, signed |
//!
//! # What is trusted
//!
//! A node is asked for events and state. That the events are those of the block, its finality says and the
//! node's word: who does not trust the node asks one of his own, which has executed every block. Figures at
//! the block before the first are taken as they are, and so is what no event shows (see `Books`).

#![deny(missing_docs, unreachable_pub)]

mod books;
mod deed;
mod read;
mod report;
mod run;
mod shown;

pub use books::{Books, Difference};
pub use deed::Deed;
pub use report::{Report, SignedReport};
pub use run::{Audit, AuditError, Options, Outcome};
pub use shown::{ChannelState, Channels, Headers, Holds, Reserve, Shown};
