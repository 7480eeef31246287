//! The coordinator's REST for clients and miners, with its OpenAPI description.
//!
//! | module | holds |
//! |---|---|
//! | `callers` | who may call: everybody, the holder of an access key, a miner with a session |
//! | `public` | what everybody may read and ask for |
//! | `clients`, `channels`, `plans`, `receipts`, `miners` | the requests |
//! | `views` | rows as clients see them |
//! | `pages` | health and figures |

mod callers;
mod channels;
mod clients;
mod miners;
mod pages;
mod plans;
mod public;
mod receipts;
mod views;

pub(crate) use callers::Api;
pub(crate) use pages::Pages;

use axum::extract::DefaultBodyLimit;
use gridproof_http::Rate;
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Most bytes of a miner's result: 256 vectors of 24,000 figures, each in base64.
const MAX_RESULT: usize = 32 << 20;

/// Returns the routes that one network may ask only so often, and those of miners that have a
/// session.
pub(crate) fn routes(rate: Option<&Rate>) -> OpenApiRouter<Arc<Api>> {
	let open = OpenApiRouter::new()
		.routes(routes!(clients::info))
		.routes(routes!(clients::quote))
		.routes(routes!(clients::submit))
		.routes(routes!(clients::list))
		.routes(routes!(clients::show))
		.routes(routes!(clients::cancel))
		.routes(routes!(receipts::receipt))
		.routes(routes!(channels::receipt))
		.routes(routes!(channels::opening))
		.routes(routes!(plans::list))
		.routes(routes!(plans::show))
		.routes(routes!(plans::key))
		.routes(routes!(channels::batch))
		.routes(routes!(channels::batch_file))
		.routes(routes!(miners::hello));
	let open = match rate {
		Some(rate) => rate.apply(open),
		None => open,
	};
	let miners = OpenApiRouter::new()
		.routes(routes!(miners::about))
		.routes(routes!(miners::work))
		.routes(routes!(miners::progress))
		.routes(routes!(miners::refuse))
		.routes(routes!(miners::heartbeat))
		.routes(routes!(miners::lines))
		.routes(routes!(miners::sign_line))
		.routes(routes!(miners::goodbye));
	// Vectors of many texts are longer than what clients ask for.
	let results = OpenApiRouter::new()
		.routes(routes!(miners::result))
		.layer(DefaultBodyLimit::max(MAX_RESULT));
	// A front at the client's side asks often, for itself.
	let payers = OpenApiRouter::new()
		.routes(routes!(channels::show))
		.routes(routes!(channels::close))
		.routes(routes!(channels::receipt_of));
	open.merge(miners).merge(results).merge(payers)
}
