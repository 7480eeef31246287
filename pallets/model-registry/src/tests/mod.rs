//! One module per call, and one each for origins, genesis, views and invariants.

mod call_off;
mod forget;
mod genesis;
mod origins;
mod propose_add;
mod propose_change;
mod propose_default;
mod propose_delay;
mod propose_retire;
mod stop;
mod try_state;
mod views;
