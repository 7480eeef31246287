//! Text and byte formats: canonical JSON, hexadecimal digits, content identifiers.

pub mod cid;
pub mod hexadecimal;
pub mod json;
