//! Names and hashes, terms over time.

mod hashes;
mod timeline;
