//! How much memory runs a model: seen, wherever it can be, and not stated.

mod gpus;
mod processes;
mod reading;

pub use processes::resident_bytes;
pub use reading::{MemoryOptions, MemoryReading, MemorySource, ServerMemory};
