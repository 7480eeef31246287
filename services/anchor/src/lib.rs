//! Bitcoin anchors of Merkle roots.

#![deny(missing_docs)]
