//! A client of a running gateway's API, for commands and tests.

use crate::http::{AnchorUpdate, BatchView, Decision, ErrorBody, MeterView, Status};
use reqwest::{Method, Response};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;
use zeroize::Zeroizing;

/// Where a gateway's API is by default.
pub const DEFAULT_API: &str = "http://127.0.0.1:8080";

/// Why a request was not answered as wished.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientFault {
	/// Nobody answers.
	#[error("no gateway answers at {url}: {reason}; is it running, and is this its API?")]
	Unreachable {
		/// Where.
		url: String,
		/// Why.
		reason: String,
	},
	/// It answers with an error.
	#[error("{detail} ({status}, {error})")]
	Refused {
		/// HTTP status.
		status: u16,
		/// One word.
		error: String,
		/// One sentence.
		detail: String,
	},
	/// It answers something else than a gateway would.
	#[error("{url} is no gateway's API: {reason}")]
	Unexpected {
		/// Where.
		url: String,
		/// Why.
		reason: String,
	},
}

/// A client.
pub struct Client {
	base: String,
	admin_key: Option<Zeroizing<String>>,
	http: reqwest::Client,
}

impl Client {
	/// A client of the gateway at `url`, such as [`DEFAULT_API`].
	///
	/// # Errors
	/// [`ClientFault::Unexpected`] if there is no HTTP client.
	pub fn new(url: &str, admin_key: Option<Zeroizing<String>>) -> Result<Self, ClientFault> {
		// Whoever was first to choose the TLS library has chosen it.
		let _ = rustls::crypto::ring::default_provider().install_default();
		let http = reqwest::Client::builder().timeout(Duration::from_secs(120)).build().map_err(
			|error| ClientFault::Unexpected { url: url.to_string(), reason: error.to_string() },
		)?;
		Ok(Self { base: url.trim_end_matches('/').to_string(), admin_key, http })
	}

	async fn send<B: Serialize>(
		&self,
		method: Method,
		path: &str,
		body: Option<&B>,
	) -> Result<Response, ClientFault> {
		let url = format!("{}{path}", self.base);
		let mut request = self.http.request(method, &url);
		if let Some(key) = &self.admin_key {
			request = request.bearer_auth(key.as_str());
		}
		if let Some(body) = body {
			request = request.json(body);
		}
		let answer = request.send().await.map_err(|error| ClientFault::Unreachable {
			url: self.base.clone(),
			reason: error.without_url().to_string(),
		})?;
		let status = answer.status();
		if status.is_success() {
			return Ok(answer);
		}
		let text = answer.text().await.unwrap_or_default();
		Err(match serde_json::from_str::<ErrorBody>(&text) {
			Ok(body) => ClientFault::Refused {
				status: status.as_u16(),
				error: body.error,
				detail: body.detail,
			},
			Err(_) => ClientFault::Unexpected {
				url: self.base.clone(),
				reason: format!("status {status}"),
			},
		})
	}

	async fn json<T: DeserializeOwned, B: Serialize>(
		&self,
		method: Method,
		path: &str,
		body: Option<&B>,
	) -> Result<T, ClientFault> {
		let answer = self.send(method, path, body).await?;
		answer.json().await.map_err(|error| ClientFault::Unexpected {
			url: self.base.clone(),
			reason: error.without_url().to_string(),
		})
	}

	/// The answer as text: logs keep their numbers only so.
	async fn text(&self, path: &str) -> Result<String, ClientFault> {
		let answer = self.send::<()>(Method::GET, path, None).await?;
		answer.text().await.map_err(|error| ClientFault::Unexpected {
			url: self.base.clone(),
			reason: error.without_url().to_string(),
		})
	}

	/// How things stand.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn status(&self) -> Result<Status, ClientFault> {
		self.json::<_, ()>(Method::GET, "/api/v1/status", None).await
	}

	/// Makes batches of all that is in none.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn flush(&self) -> Result<BatchView, ClientFault> {
		self.json::<_, ()>(Method::POST, "/api/v1/batches/flush", None).await
	}

	/// The proof of a log, as JSON text.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn proof(&self, log: &str) -> Result<String, ClientFault> {
		self.text(&format!("/api/v1/logs/{log}/proof")).await
	}

	/// A batch with its logs, as JSON text.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn export(&self, batch: &str) -> Result<String, ClientFault> {
		self.text(&format!("/api/v1/batches/{batch}/export")).await
	}

	/// One batch.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn batch(&self, batch: &str) -> Result<BatchView, ClientFault> {
		self.json::<_, ()>(Method::GET, &format!("/api/v1/batches/{batch}"), None).await
	}

	/// Batches in a state, or in any.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn batches(&self, status: Option<&str>) -> Result<Vec<BatchView>, ClientFault> {
		let filter = status.map(|status| format!("?status={status}")).unwrap_or_default();
		self.json::<_, ()>(Method::GET, &format!("/api/v1/batches{filter}"), None).await
	}

	/// Meters that ever sent a log.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn meters(&self) -> Result<Vec<MeterView>, ClientFault> {
		self.json::<_, ()>(Method::GET, "/api/v1/meters", None).await
	}

	/// Sets the Bitcoin anchor of a batch.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn anchor(
		&self,
		batch: &str,
		update: &AnchorUpdate,
	) -> Result<BatchView, ClientFault> {
		self.json(Method::PUT, &format!("/api/v1/batches/{batch}/anchor"), Some(update)).await
	}

	/// Tries a parked batch again as it is.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn retry(&self, batch: &str) -> Result<Decision, ClientFault> {
		self.json::<_, ()>(Method::POST, &format!("/api/v1/batches/{batch}/retry"), None).await
	}

	/// Gives up a parked batch: its logs go into new ones.
	///
	/// # Errors
	/// [`ClientFault`].
	pub async fn rebuild(&self, batch: &str) -> Result<Decision, ClientFault> {
		self.json::<_, ()>(Method::POST, &format!("/api/v1/batches/{batch}/rebuild"), None).await
	}
}
