//! Exact numbers: fractions, wide integers, the units of tokens, euros and energy.

pub mod decimal;
pub mod units;
pub(crate) mod wide;
