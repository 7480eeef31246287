//! Coordinator, miner and the OpenAI-compatible front.

#![deny(missing_docs)]
