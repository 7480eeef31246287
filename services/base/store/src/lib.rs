//! SQLite for services that must lose nothing.
//!
//! - [`Database::open`]: write-ahead log, `synchronous=FULL`, foreign keys, numbered migrations,
//!   and a lock that keeps a second program out;
//! - [`Database::write`]: one writer thread with group commit: many writers share one `fsync`, and
//!   each is answered only after it; a bounded queue makes them wait instead of filling memory;
//! - [`Database::read`]: a small pool of read-only connections beside it;
//! - [`Database::probe`]: whether what is written now is kept, found out by writing;
//! - [`StoreError`]: why something failed; after a full disk, writing continues once there is room.
//!
//! ```no_run
//! # async fn example() -> Result<(), gridproof_store::StoreError> {
//! use gridproof_store::{Database, Options, StoreError};
//!
//! const MIGRATIONS: &[&str] = &["CREATE TABLE jobs (id INTEGER PRIMARY KEY, body BLOB NOT NULL)"];
//! let database = Database::open("jobs.db".as_ref(), MIGRATIONS, &Options::default())?;
//! database
//!     .write::<_, StoreError, _>(|db| {
//!         db.prepare_cached("INSERT INTO jobs (body) VALUES (?1)")?.execute([b"x"])?;
//!         Ok(())
//!     })
//!     .await?; // durable from here on
//! # Ok(())
//! # }
//! ```

#![deny(missing_docs)]

mod database;
mod error;
mod probe;
mod writer;

pub use database::{Database, Options};
pub use error::StoreError;
pub use rusqlite;
