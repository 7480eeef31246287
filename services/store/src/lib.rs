//! SQLite with migrations, for services that must lose nothing.

#![deny(missing_docs)]
