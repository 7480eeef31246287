//! What every HTTP server of this project needs, so that all of them behave alike.
//!
//! | module | holds |
//! |---|---|
//! | [`callers`] | who may call, as a type in the handler's signature |
//! | [`error`] | what is answered instead of a result |
//! | [`figures`] | a server for programs that have figures only |
//! | [`json`] | JSON and queries in a request, whose mistakes are answered in the same form |
//! | [`limits`] | sizes, times, requests at a time and per minute |
//! | [`loops`] | what a program does in the background, watched |
//! | [`metrics`] | figures for Prometheus |
//! | [`pages`] | `/health`, `/metrics`, `/openapi.json`, `/docs` |
//! | [`serve`](fn@serve) | listening until the program stops |
//!
//! A server builds its routes with `utoipa_axum`, and the rest follows:
//!
//! ```
//! use axum::Json;
//! use futures::{FutureExt, future::BoxFuture};
//! use gridproof_http::{ApiError, Limits, Service, site};
//! use std::sync::Arc;
//! use utoipa_axum::{router::OpenApiRouter, routes};
//!
//! /// Returns a number.
//! #[utoipa::path(get, path = "/api/v1/number", responses((status = 200, body = u64)))]
//! async fn number() -> Json<u64> {
//!     Json(7)
//! }
//!
//! struct Server;
//! impl Service for Server {
//!     fn health(&self) -> BoxFuture<'_, Result<(), ApiError>> {
//!         async { Ok(()) }.boxed()
//!     }
//!     fn metrics(&self) -> BoxFuture<'_, Result<String, ApiError>> {
//!         async { Ok(String::new()) }.boxed()
//!     }
//! }
//!
//! let routes = OpenApiRouter::new().routes(routes!(number));
//! let router = site(routes, (), Arc::new(Server), &Limits::default());
//! # let _ = router;
//! ```

#![deny(missing_docs)]

pub mod callers;
pub mod error;
pub mod figures;
pub mod json;
pub mod limits;
pub mod loops;
pub mod metrics;
pub mod pages;
mod schemas;
pub mod serve;

pub use callers::{
	Admin, AdminGate, AdminKey, Authorized, Protected, Protects, Role, Token, credentials,
};
pub use error::{ApiError, ErrorBody};
pub use figures::serve_figures;
pub use json::{Body, Params, Whole, page_limit};
pub use limits::{BadOrigin, Limits, Rate, Rates};
pub use loops::{Ended, Loops, Part, supervise};
pub use metrics::{Metric, Metrics, MetricsError};
pub use pages::{Health, Service, describe, describe_document, site, site_with_page};
pub use serve::{Patience, Serving, serve, serve_on, serve_with};
