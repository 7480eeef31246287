//! What a meter runs, and what brings meters to the chain.
//!
//! **The device library** has no chain client and no clock of its own: a meter's maker can take it.
//! - [`Device`]: key, name, registers, the logs that are published but not signed; it makes logs
//!   and signs batch headers, but only those it can derive from its own logs;
//! - [`Reading`]: what a meter has measured over an interval;
//! - [`mqtt`]: publishes the logs and answers the gateway's requests.
//!
//! **Around it**
//! - [`onboard`]: the owner's consent and the electrician's transactions;
//! - [`chain`]: what the chain knows about meters;
//! - [`credentials`]: who may publish where, as a file;
//! - [`profile`], [`simulate`]: many meters that follow standard load profiles.

#![deny(missing_docs)]

pub mod chain;
pub mod credentials;
mod device;
pub mod load;
pub mod mqtt;
pub mod onboard;
pub mod profile;
mod reading;
mod refusal;
pub mod simulate;
mod store;

pub use device::{Binding, Device, DeviceFault, Published, Start};
pub use reading::Reading;
pub use refusal::SignRefusal;
pub use store::{Durability, file_name};
