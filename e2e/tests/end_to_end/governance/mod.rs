//! Holders of AIT govern a running chain by referenda, and its emergency committee stops. What the rules
//! say of each vote, each call and each origin, the tests of the runtime try one by one.

mod carried;
mod committee;
mod refused;

use gridproof_chain::Patience;

/// One try: whatever comes of it.
fn once() -> Patience {
	Patience { attempts: 1, ..Patience::default() }
}
