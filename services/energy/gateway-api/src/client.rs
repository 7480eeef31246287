//! A client of a running gateway.

use crate::{
	AnchorUpdate, BatchView, DeadLetter, Decision, ListBatches, ListDeadLetters, ListReadings,
	MeterView, Status,
};
use futures::future::BoxFuture;
use gridproof_primitives::codec::json::{self, Limits, Value};
use gridproof_support::{
	Classified, Failure,
	http_client::{self, BodyError},
	text::without_login,
};
use reqwest::{Method, RequestBuilder};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{error::Error, fmt, time::Duration};
use zeroize::Zeroizing;

/// Where a gateway's API is by default.
pub const DEFAULT_API: &str = "http://127.0.0.1:8080";

/// A flush of ten thousand meters takes a while.
const REQUEST_LIMIT: Duration = Duration::from_secs(120);
/// Servers close idle connections after five seconds or more.
const IDLE_LIMIT: Duration = Duration::from_secs(2);
/// Bytes of an answer: a batch of 10,000 readings has about ten million.
const MAX_BYTES: usize = 1 << 28;
/// Characters of a foreign server's answer that are repeated in an error.
const MAX_REASON: usize = 300;
/// Entries of a page.
const PAGE: usize = 1_000;
/// Pages are asked for until one is not full, at most so many.
const MAX_PAGES: usize = 10_000;

/// Why a request was not answered as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
	/// The address of the gateway cannot be used.
	#[error("{url:?} is not the address of a gateway: {reason}; it looks like {DEFAULT_API}")]
	BadUrl {
		/// The address that was given.
		url: String,
		/// What is wrong with it.
		reason: String,
	},
	/// An id that would lead to another place of the API.
	#[error("{0:?} is not an id: letters, digits and the characters - _ . : only")]
	BadId(String),
	/// Nothing answers at the address.
	#[error("no gateway answers at {url}: {reason}; is it running, and is this its API?")]
	Unreachable {
		/// The gateway's address.
		url: String,
		/// What happened.
		reason: String,
	},
	/// The gateway answers with an error.
	#[error("{detail} ({status}, {error})")]
	Refused {
		/// The HTTP status.
		status: u16,
		/// The reason in one word.
		error: String,
		/// The reason in a sentence.
		detail: String,
	},
	/// The answer is not one that a gateway gives.
	#[error("{url} is not a gateway's API: {reason}")]
	Unexpected {
		/// The server's address.
		url: String,
		/// What is wrong with the answer.
		reason: String,
	},
}

impl Classified for ClientError {
	fn failure(&self) -> Failure {
		match self {
			Self::BadUrl { .. } | Self::BadId(_) => Failure::USAGE,
			Self::Unreachable { .. } | Self::Refused { status: 429 | 500.., .. } => {
				Failure::UNREACHABLE
			},
			Self::Refused { .. } => Failure::refused(false),
			Self::Unexpected { .. } => Failure::BROKEN,
		}
	}
}

/// A client of one gateway.
///
/// Numbers of readings, proofs and exports stay as they were written: leaves are hashes of them.
#[derive(Clone)]
pub struct Client {
	base: String,
	admin_key: Option<Zeroizing<String>>,
	http: reqwest::Client,
}

impl fmt::Debug for Client {
	fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		formatter.debug_tuple("Client").field(&self.base).finish()
	}
}

impl Client {
	/// A client of the gateway at `url`, such as [`DEFAULT_API`], with the key of its operator if it
	/// wants one for changes.
	///
	/// # Errors
	/// [`ClientError::BadUrl`] when the address is not `http://…` or `https://…`, or has credentials
	/// in it.
	pub fn new(url: &str, admin_key: Option<Zeroizing<String>>) -> Result<Self, ClientError> {
		let bad = |reason: String| ClientError::BadUrl { url: without_login(url), reason };
		let parsed = reqwest::Url::parse(url).map_err(|error| bad(error.to_string()))?;
		if !matches!(parsed.scheme(), "http" | "https") {
			return Err(bad("it is not http:// or https://".to_string()));
		}
		if !parsed.username().is_empty() || parsed.password().is_some() {
			let reason = "others can read a command line: credentials belong in a file";
			return Err(bad(reason.to_string()));
		}
		let http = http_client::builder()
			.timeout(REQUEST_LIMIT)
			.pool_idle_timeout(IDLE_LIMIT)
			.build()
			.map_err(|error| bad(error.to_string()))?;
		Ok(Self { base: url.trim_end_matches('/').to_string(), admin_key, http })
	}

	/// The gateway's address, without a slash at its end.
	pub fn url(&self) -> &str {
		&self.base
	}

	/// The state of the gateway.
	///
	/// # Errors
	/// [`ClientError`], as for every request.
	pub async fn status(&self) -> Result<Status, ClientError> {
		self.json(self.get("/api/v1/status")).await
	}

	/// Makes batches of all readings that are in none; the first of them, the others in `also`.
	///
	/// # Errors
	/// [`ClientError::Refused`] when there are none, or all of them wait.
	pub async fn flush(&self) -> Result<BatchView, ClientError> {
		self.json(self.request(Method::POST, "/api/v1/batches/flush")).await
	}

	/// Sends one reading with a device's name and password, if its meter is certified. The answer is
	/// the reading as it is stored.
	///
	/// # Errors
	/// [`ClientError::Refused`] with the reason; then it is kept as a dead letter.
	pub async fn post_reading(
		&self,
		reading: String,
		credentials: Option<(&str, &str)>,
	) -> Result<Value, ClientError> {
		let mut post = self.http.post(self.at("/api/v1/logs"));
		if let Some((username, password)) = credentials {
			post = post.basic_auth(username, Some(password));
		}
		self.document(post.header("content-type", "application/json").body(reading)).await
	}

	/// All readings that are chosen, in order of arrival.
	///
	/// # Errors
	/// [`ClientError`], as for every request.
	pub async fn readings(&self, chosen: &ListReadings) -> Result<Vec<Value>, ClientError> {
		let mut readings = Vec::new();
		for _ in 0..MAX_PAGES {
			let asked = self.get("/api/v1/logs").query(chosen).query(&page(readings.len()));
			let Value::Array(found) = self.document(asked).await? else {
				return Err(self.unexpected("it answers with something else than readings"));
			};
			let is_last = found.len() < PAGE;
			readings.extend(found);
			if is_last {
				return Ok(readings);
			}
		}
		Err(self.unexpected("its list of readings does not end"))
	}

	/// The proof that a reading is in its batch: a document of `docs/protocols/proofs.md`.
	///
	/// # Errors
	/// [`ClientError::Refused`] when there is no such reading, or it is in no batch yet.
	pub async fn proof(&self, reading: &str) -> Result<Value, ClientError> {
		self.document(self.get(&format!("/api/v1/logs/{}/proof", part(reading)?))).await
	}

	/// A batch with its readings: `{batch, logs}`.
	///
	/// # Errors
	/// [`ClientError::Refused`] when there is no such batch.
	pub async fn export(&self, batch: &str) -> Result<Value, ClientError> {
		self.document(self.get(&format!("/api/v1/batches/{}/export", part(batch)?))).await
	}

	/// One batch.
	///
	/// # Errors
	/// [`ClientError::Refused`] when there is no such batch.
	pub async fn batch(&self, batch: &str) -> Result<BatchView, ClientError> {
		self.json(self.get(&format!("/api/v1/batches/{}", part(batch)?))).await
	}

	/// All batches that are chosen, oldest first, without the ids of their readings.
	///
	/// # Errors
	/// [`ClientError`], as for every request.
	pub async fn batches(&self, chosen: &ListBatches) -> Result<Vec<BatchView>, ClientError> {
		self.all("/api/v1/batches", chosen).await
	}

	/// All meters that ever sent a reading.
	///
	/// # Errors
	/// [`ClientError`], as for every request.
	pub async fn meters(&self) -> Result<Vec<MeterView>, ClientError> {
		self.json(self.get("/api/v1/meters")).await
	}

	/// All dead letters that are chosen, oldest first.
	///
	/// # Errors
	/// [`ClientError`], as for every request.
	pub async fn dead_letters(
		&self,
		chosen: &ListDeadLetters,
	) -> Result<Vec<DeadLetter>, ClientError> {
		self.all("/api/v1/dead-letters", chosen).await
	}

	/// Sets the Bitcoin anchor of a batch.
	///
	/// # Errors
	/// [`ClientError::Refused`] when the update does not hold what its status claims.
	pub async fn anchor(
		&self,
		batch: &str,
		update: &AnchorUpdate,
	) -> Result<BatchView, ClientError> {
		let path = format!("/api/v1/batches/{}/anchor", part(batch)?);
		self.json(self.request(Method::PUT, &path).json(update)).await
	}

	/// Tries a parked batch again as it is.
	///
	/// # Errors
	/// [`ClientError::Refused`] when it is not parked.
	pub async fn retry(&self, batch: &str) -> Result<Decision, ClientError> {
		let path = format!("/api/v1/batches/{}/retry", part(batch)?);
		self.json(self.request(Method::POST, &path)).await
	}

	/// Gives up a parked batch: its readings go into new ones.
	///
	/// # Errors
	/// [`ClientError::Refused`] when it is not parked.
	pub async fn rebuild(&self, batch: &str) -> Result<Decision, ClientError> {
		let path = format!("/api/v1/batches/{}/rebuild", part(batch)?);
		self.json(self.request(Method::POST, &path)).await
	}

	/// Gives up a parked batch with its readings.
	///
	/// # Errors
	/// [`ClientError::Refused`] when it is not parked.
	pub async fn give_up(&self, batch: &str) -> Result<Decision, ClientError> {
		let path = format!("/api/v1/batches/{}/give-up", part(batch)?);
		self.json(self.request(Method::POST, &path)).await
	}

	fn at(&self, path: &str) -> String {
		format!("{}{path}", self.base)
	}

	fn request(&self, method: Method, path: &str) -> RequestBuilder {
		let request = self.http.request(method, self.at(path));
		match &self.admin_key {
			Some(key) => request.bearer_auth(key.as_str()),
			None => request,
		}
	}

	fn get(&self, path: &str) -> RequestBuilder {
		self.request(Method::GET, path)
	}

	/// All entries of a list, page by page.
	async fn all<T: DeserializeOwned>(
		&self,
		path: &str,
		chosen: &impl Serialize,
	) -> Result<Vec<T>, ClientError> {
		let mut all = Vec::new();
		for _ in 0..MAX_PAGES {
			let asked = self.get(path).query(chosen).query(&page(all.len()));
			let found: Vec<T> = self.json(asked).await?;
			let is_last = found.len() < PAGE;
			all.extend(found);
			if is_last {
				return Ok(all);
			}
		}
		Err(self.unexpected("its list does not end"))
	}

	async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
		let bytes = self.send(request).await?;
		serde_json::from_slice(&bytes).map_err(|error| self.unexpected(error))
	}

	/// The answer with its numbers as they are written.
	async fn document(&self, request: RequestBuilder) -> Result<Value, ClientError> {
		let bytes = self.send(request).await?;
		let limits = Limits { max_bytes: MAX_BYTES, ..Limits::DEFAULT };
		json::parse(&bytes, limits).map_err(|error| self.unexpected(error))
	}

	fn send(&self, request: RequestBuilder) -> BoxFuture<'_, Result<Vec<u8>, ClientError>> {
		Box::pin(async move {
			let answer = request.send().await;
			let answer = answer.map_err(|error| self.unreachable(&error.without_url()))?;
			let status = answer.status();
			let bytes = http_client::body(answer, MAX_BYTES).await;
			let bytes = bytes.map_err(|error| match error {
				BodyError::TooLong(_) => self.unexpected(error),
				BodyError::Broken(error) => self.unreachable(&error.without_url()),
			})?;
			if status.is_success() {
				return Ok(bytes);
			}
			Err(match serde_json::from_slice::<ErrorBody>(&bytes) {
				Ok(body) => ClientError::Refused {
					status: status.as_u16(),
					error: body.error,
					detail: body.detail,
				},
				Err(_) => {
					let text = String::from_utf8_lossy(&bytes);
					let text = text.chars().filter(|letter| !letter.is_control());
					let text: String = text.take(MAX_REASON).collect();
					self.unexpected(format!("status {status} {text}").trim_end())
				},
			})
		})
	}

	fn unreachable(&self, error: &dyn Error) -> ClientError {
		ClientError::Unreachable { url: self.base.clone(), reason: http_client::causes(error) }
	}

	fn unexpected(&self, reason: impl ToString) -> ClientError {
		ClientError::Unexpected { url: self.base.clone(), reason: reason.to_string() }
	}
}

/// An error, as every server of this project answers it.
#[derive(Deserialize)]
struct ErrorBody {
	error: String,
	detail: String,
}

/// The page of a list that begins after so many entries.
fn page(offset: usize) -> [(&'static str, String); 3] {
	[("limit", PAGE.to_string()), ("offset", offset.to_string()), ("order", "asc".to_string())]
}

/// An id as a part of a path.
fn part(id: &str) -> Result<&str, ClientError> {
	let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
	if !id.is_empty() && id != "." && id != ".." && id.bytes().all(is_allowed) {
		return Ok(id);
	}
	Err(ClientError::BadId(id.to_string()))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_id_cannot_leave_its_place_in_the_path() {
		assert_eq!(part("batch_2025-12-01T10:10_1"), Ok("batch_2025-12-01T10:10_1"));
		for id in ["", "..", "a/b", "a?b", "a%2f"] {
			assert_eq!(part(id), Err(ClientError::BadId(id.to_string())), "{id}");
		}
	}

	#[test]
	fn an_address_has_a_scheme_and_no_credentials() {
		assert_eq!(Client::new("http://127.0.0.1:8080/", None).unwrap().url(), DEFAULT_API);
		let with_login =
			["https://user:secret@gateway", "ftp://user:secret@gateway", "me:secret@gateway"];
		for url in ["127.0.0.1:8080", "ftp://gateway", ""].into_iter().chain(with_login) {
			let refused = Client::new(url, None).unwrap_err();
			assert!(matches!(refused, ClientError::BadUrl { .. }), "{url}");
			assert!(!refused.to_string().contains("secret"), "{refused}");
		}
	}

	#[tokio::test]
	async fn a_gateway_that_is_not_there_is_reported_with_its_address() {
		let client = Client::new("http://127.0.0.1:1", None).unwrap();
		let error = client.status().await.unwrap_err();
		assert!(matches!(&error, ClientError::Unreachable { .. }), "{error}");
		assert!(error.to_string().contains("http://127.0.0.1:1"), "{error}");
	}
}
