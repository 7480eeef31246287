//! What a meter runs: logs, registers, batches, signatures; and a simulator of many.

#![deny(missing_docs)]
