//! The HTTP API: same paths and shapes as the older gateway's, and more.
//!
//! What anybody may read is in [`Api`]. What changes something is in `Changes`, which only a handler
//! with `Authorized<Admin, Changes>` in its signature reaches. Readings come in by
//! [`crate::intake`].

mod api;
mod batches;
mod census;
mod dead_letters;
mod decisions;
mod errors;
mod guard;
mod meters;
mod paging;
mod readings;
mod routes;
mod status;
mod views;

pub(crate) use api::{Api, Changes};
pub(crate) use census::Census;
pub(crate) use errors::{CHALLENGE, find};
pub(crate) use guard::{Guard, guard};
pub(crate) use routes::routes;
pub(crate) use views::{EnergyLogBody, NewEnergyLogBody, reading_json};
