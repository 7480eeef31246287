//! What a meter runs: registers, readings, batch signatures, and the link to a gateway.
//!
//! - [`Device`]: key, name, registers, and the readings that are published but not signed yet. It
//!   signs the header of a batch only if every field follows from its own readings.
//! - [`Reading`]: the energy that a meter has measured over an interval.
//! - [`Link`]: publishes readings over MQTT and answers the gateway's requests.
//!
//! A meter's maker can take this crate as it is. It has no clock of its own, and nothing of a
//! chain's client is in its dependency tree: `tests/dependencies.rs` asserts it.

#![deny(missing_docs)]

mod device;
mod error;
mod failure;
mod mqtt;
mod reading;
mod refusal;
mod state;
mod store;
mod subscriptions;

pub use device::{Device, Published};
pub use error::DeviceError;
pub use mqtt::{Broker, Counters, Link, LinkError, Login, SharedDevice};
pub use reading::Reading;
pub use refusal::SignRefusal;
pub use state::{Binding, Start};
pub use store::{Durability, file_name};
