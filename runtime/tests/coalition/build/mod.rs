//! Calls of our pallets with their statements and signatures, one module a subject. What a pallet
//! changes in a call is changed here, and nowhere else in this test.

pub(crate) mod channels;
pub(crate) mod checks;
pub(crate) mod compute;
pub(crate) mod energy;
pub(crate) mod reserve;
