//! The HTTP API. Nobody changes anything by it: it has no key and no secret.

mod api;
mod asked;
mod chain;
mod compute;
mod energy;
mod money;
mod routes;
#[cfg(test)]
mod tests;

pub(crate) use api::Api;
pub(crate) use routes::routes;
