//! The embedded MQTT server: 3.1.1 and 5, over TCP and TLS.
//!
//! A publish is acknowledged after the reading, or the dead letter that says why not, is on disk. A
//! reading that cannot be kept, because the disk is full say, is not acknowledged: it waits for a
//! while, then the connection ends, and the device sends it again.

mod embedded;
mod hub;
mod limit;
mod server;
mod session;
mod whole;

pub(crate) use embedded::Embedded;
