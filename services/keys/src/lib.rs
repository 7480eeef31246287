//! Sealed key files and wallets.

#![deny(missing_docs)]
