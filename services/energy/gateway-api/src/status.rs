//! The state of a gateway.

use serde::{Deserialize, Serialize};

/// The answer of `GET /health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
	/// `ok`.
	pub status: String,
	/// The current time, RFC 3339 in UTC.
	pub time: String,
}

/// What is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Counts {
	/// Meters that ever sent a reading.
	pub meters: u64,
	/// Readings.
	pub readings: u64,
	/// Readings in no batch.
	pub pending: u64,
	/// Batches.
	pub batches: u64,
	/// Batches of meters that are not certified.
	pub not_certified: u64,
	/// Batches that wait for a signature.
	pub unsigned: u64,
	/// Signed batches that wait for the chain.
	pub signed: u64,
	/// Batches in finalized blocks.
	pub accepted: u64,
	/// Batches that wait for a decision.
	pub parked: u64,
	/// Dead letters, each counted once however often it came.
	pub dead_letters: u64,
	/// Readings in archive files; those that are still stored as well are counted in both.
	#[serde(default)]
	pub archived_readings: u64,
	/// Batches in archive files; those that are still stored as well are counted in both.
	#[serde(default)]
	pub archived_batches: u64,
}

/// One way that readings come in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IntakeStatus {
	/// Its name, as in dead letters and metrics.
	pub source: String,
	/// Where it listens, or what it is connected to; without passwords.
	pub addresses: Vec<String>,
	/// Why nothing can come in; `null` while it works.
	pub trouble: Option<String>,
}

/// How the gateway's work proceeds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunState {
	/// Where MQTT is served.
	pub mqtt: Option<String>,
	/// Where MQTT over TLS is served.
	pub mqtts: Option<String>,
	/// The external broker, without its password.
	pub broker: Option<String>,
	/// Whether the external broker is connected; `null` without one.
	pub broker_connected: Option<bool>,
	/// The URL of the node.
	pub chain: Option<String>,
	/// What is wrong: of batching, signing, submission, pinning, the node, and of each way that
	/// readings come in; `null` if nothing is.
	pub trouble: Option<String>,
	/// Every way that readings come in, those above among them.
	#[serde(default)]
	pub intakes: Vec<IntakeStatus>,
}

/// Messages that were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefusedCount {
	/// The way they came, as in dead letters.
	pub source: String,
	/// The reason in one word.
	pub reason: String,
	/// How many, since the database was made; dead letters that are gone are counted, too.
	pub count: u64,
}

/// The answer of `GET /api/v1/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Status {
	/// Version of the program.
	pub version: String,
	/// The current time, RFC 3339 in UTC.
	pub time: String,
	/// What is stored.
	#[serde(flatten)]
	pub counts: Counts,
	/// What was refused, by reason.
	#[serde(default)]
	pub refused: Vec<RefusedCount>,
	/// MQTT clients connected.
	pub connections: u64,
	/// Writes that wait for the disk.
	pub queue: u64,
	/// How the work proceeds.
	#[serde(flatten)]
	pub run: RunState,
}
