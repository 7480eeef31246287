//! A small language model on the CPU, the same answer everywhere.

#![deny(missing_docs)]
