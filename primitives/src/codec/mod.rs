//! Text and byte formats: canonical JSON, hexadecimal digits, content identifiers.

pub mod cid;
pub mod hexadecimal;
pub mod json;

/// From here on, the number of a refused transaction (`InvalidTransaction::Custom`) counts the
/// second list of its call, from its 0: the errors of the pallet, where its refusals have the
/// numbers below; those of the coverage policy, for a statement.
pub const SECOND_LIST: u8 = 128;
