//! Who may call. What everybody may read and ask for is [`Public`]; the coordinator itself is behind
//! [`Protected`], which only a [`Miner`] with a session or a [`Client`] with an access key opens. A
//! handler that forgets to ask who calls has nothing to change anything with.

use super::public::Public;
use crate::{access_key::AccessKey, coordinator::Coordinator, rows::Job, sessions::Session};
use axum::{
	extract::{FromRequestParts, Path},
	http::request::Parts,
};
use gridproof_compute_api::ApiKeys;
use gridproof_http::{ApiError, Authorized, Protected, Protects, Role, Token};
use gridproof_primitives::H256;
use gridproof_support::text::Hex32;
use std::{convert::Infallible, ops::Deref, sync::Arc};

/// What the routes share.
pub(crate) struct Api {
	pub(super) public: Public,
	coordinator: Protected<Coordinator>,
	/// The coordinator, for sessions only.
	sessions: Arc<Coordinator>,
	/// The front's customers, who may read the output of their own jobs.
	customers: Option<Arc<ApiKeys>>,
}

impl Api {
	/// Returns the state of a coordinator's routes.
	pub(crate) fn new(coordinator: Arc<Coordinator>, customers: Option<Arc<ApiKeys>>) -> Arc<Self> {
		Arc::new(Self {
			public: Public::new(coordinator.clone(), customers.is_some()),
			coordinator: Protected::new(coordinator.clone()),
			sessions: coordinator,
			customers,
		})
	}
}

impl Protects<Coordinator> for Api {
	fn protected(&self) -> &Protected<Coordinator> {
		&self.coordinator
	}
}

/// The coordinator, for a miner with a session.
pub(super) type ForMiner = Authorized<Miner, Coordinator>;
/// The coordinator, for a client with an access key.
pub(super) type ForClient = Authorized<Client, Coordinator>;

/// A miner with a session.
pub(super) struct Miner(pub(super) Session);

impl Role for Miner {}

impl FromRequestParts<Arc<Api>> for Miner {
	type Rejection = ApiError;

	async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
		let token = Token::of(&parts.headers);
		Ok(Self(api.sessions.session(token.as_deref().unwrap_or_default())?))
	}
}

/// A client that presents an access key. Whether it is the job's is decided where the job is
/// changed, in the same transaction.
pub(super) struct Client(pub(super) AccessKey);

impl Role for Client {}

impl FromRequestParts<Arc<Api>> for Client {
	type Rejection = ApiError;

	async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
		Ok(Self(AccessKey::from(&*Token::from_request_parts(parts, api).await?)))
	}
}

/// A reader of jobs: anybody, who sees the output of the jobs whose access key it presents, or
/// whose customer it is.
pub(super) struct Reader {
	access: Option<AccessKey>,
	customer: Option<String>,
}

impl Reader {
	/// Returns `true` if the reader may see the job's output.
	pub(super) fn may_read(&self, job: &Job) -> bool {
		let is_customer = self.customer.is_some() && self.customer == job.customer;
		is_customer || self.access.as_ref().is_some_and(|access| access.opens(&job.access))
	}
}

impl FromRequestParts<Arc<Api>> for Reader {
	type Rejection = Infallible;

	async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Infallible> {
		let token = Token::of(&parts.headers);
		let (token, keys) = (token.as_deref(), api.customers.as_ref());
		let customer = token.zip(keys).and_then(|(token, keys)| keys.find(token));
		Ok(Self {
			access: token.map(AccessKey::from),
			customer: customer.map(|customer| customer.name),
		})
	}
}

/// A job's id in a path.
pub(super) struct JobId(H256);

impl Deref for JobId {
	type Target = H256;

	fn deref(&self) -> &H256 {
		&self.0
	}
}

impl<S: Send + Sync> FromRequestParts<S> for JobId {
	type Rejection = ApiError;

	async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
		let Path(text) = Path::<String>::from_request_parts(parts, state)
			.await
			.map_err(|rejection| ApiError::bad_request(rejection.body_text()))?;
		Ok(Self(job_id(&text)?))
	}
}

/// Reads the id of a job or receipt.
///
/// # Errors
/// `bad_request`.
pub(super) fn job_id(text: &str) -> Result<H256, ApiError> {
	let bad = |reason| ApiError::bad_request(format!("an id: {reason}"));
	text.parse::<Hex32>().map(H256::from).map_err(bad)
}
