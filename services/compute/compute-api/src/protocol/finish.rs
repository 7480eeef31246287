//! Why an answer ended.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
	/// The model was done, or a stop text came.
	Stop,
	/// The most tokens were made, or the model's context is full.
	Length,
}
