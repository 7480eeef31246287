//! Refusals and missing things, as the API answers them.

use crate::{
	refusal::{IngestError, IngestRefusal},
	storage::{ReadStorage, Reading, ReadingRow},
};
use axum::http::StatusCode;
use gridproof_http::ApiError;
use gridproof_primitives::energy::emlog::LogRefusal;

/// How a device says who it is.
pub(crate) const CHALLENGE: &str = "Basic realm=\"gridproof gateway\"";

impl From<IngestError> for ApiError {
	fn from(error: IngestError) -> Self {
		let refusal = match error {
			IngestError::Store(error) => return error.into(),
			IngestError::Refused(refusal) => refusal,
		};
		let status = match &refusal {
			IngestRefusal::Log(LogRefusal::Malformed(_)) => StatusCode::BAD_REQUEST,
			IngestRefusal::Log(LogRefusal::TooLong(_)) => StatusCode::PAYLOAD_TOO_LARGE,
			IngestRefusal::Overlap(_) | IngestRefusal::Late { .. } => StatusCode::CONFLICT,
			IngestRefusal::Unproven => StatusCode::UNAUTHORIZED,
			IngestRefusal::WrongDevice | IngestRefusal::Predecessor => StatusCode::FORBIDDEN,
			IngestRefusal::Log(_)
			| IngestRefusal::TooMuchEnergy { .. }
			| IngestRefusal::TooLong { .. } => StatusCode::UNPROCESSABLE_ENTITY,
		};
		let answer = Self::new(status, refusal.code(), refusal);
		if status == StatusCode::UNAUTHORIZED { answer.challenge(CHALLENGE) } else { answer }
	}
}

/// The stored readings, or the stored leaves, do not have the root that the batch has.
pub(crate) fn altered(what: &str) -> ApiError {
	ApiError::new(
		StatusCode::INTERNAL_SERVER_ERROR,
		"altered",
		format!("{what}: the database or the archive has been altered"),
	)
}

/// The reading of a row, if there is one.
pub(crate) async fn find(
	storage: &dyn ReadStorage,
	row: ReadingRow,
) -> Result<Option<Reading>, ApiError> {
	Ok(storage.reading(row).await?)
}
