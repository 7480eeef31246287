//! What every program needs and no program should write twice.
//!
//! | module | holds |
//! |---|---|
//! | [`backoff`] | pauses between attempts that double, with jitter, up to a limit |
//! | [`clock`] | the time, of the system or set by a test |
//! | [`files`] | files that are whole or not there, and files that only their owner may read |
//! | [`lock`] | locks that a panicked thread does not make unusable |
//! | [`number`] | conversions that stop at the largest value |
//! | [`outcome`] | what kind of failure an error is, for exit codes |
//! | [`stop`] | one signal that ends all parts of a program |
//! | [`supervision`] | what systemd learns: ready, at work, stopping |
//! | [`text`] | bytes and amounts as text |
//! | `csv` | tables of comma-separated values (feature `csv`) |
//! | `http_client` | the HTTP client (feature `http-client`) |
//! | `tls` | the TLS provider (feature `tls`) |

#![deny(missing_docs)]

pub mod backoff;
pub mod clock;
#[cfg(feature = "csv")]
pub mod csv;
pub mod files;
#[cfg(feature = "http-client")]
pub mod http_client;
pub mod lock;
pub mod number;
pub mod outcome;
pub mod stop;
pub mod supervision;
pub mod text;
#[cfg(feature = "tls")]
pub mod tls;

pub use backoff::Backoff;
pub use clock::Clock;
pub use lock::{Lock, RwLock};
pub use outcome::{Classified, Failure, FailureKind};
pub use stop::{Stop, Stopper};
