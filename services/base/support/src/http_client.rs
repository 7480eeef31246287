//! The HTTP client.

use crate::tls;
use std::time::Duration;

pub use reqwest;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Returns a builder with the TLS provider installed, a limit of 10 s to connect, and this
/// project's name. Redirects are not followed: requests may carry a secret for one host.
pub fn builder() -> reqwest::ClientBuilder {
	tls::install();
	reqwest::Client::builder()
		.connect_timeout(CONNECT)
		.redirect(reqwest::redirect::Policy::none())
		.user_agent(concat!("gridproof/", env!("CARGO_PKG_VERSION")))
}

/// Returns a client whose requests take at most `timeout`, body included.
///
/// # Errors
/// The system's root certificates cannot be read.
pub fn client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
	builder().timeout(timeout).build()
}

/// Why the body of a response was not read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
	/// The body is longer than the limit.
	#[error("the answer is longer than {0} bytes")]
	TooLong(usize),
	/// The connection broke, or took too long.
	#[error("the answer breaks off: {}", causes(.0))]
	Broken(#[from] reqwest::Error),
}

/// Reads a response's body of at most `limit` bytes.
///
/// # Errors
/// [`BodyError`].
pub async fn body(mut response: reqwest::Response, limit: usize) -> Result<Vec<u8>, BodyError> {
	let mut bytes = Vec::new();
	while let Some(piece) = response.chunk().await? {
		if bytes.len().saturating_add(piece.len()) > limit {
			return Err(BodyError::TooLong(limit));
		}
		bytes.extend_from_slice(&piece);
	}
	Ok(bytes)
}

/// Returns an error and its causes as one line: a client's error alone does not say what happened.
pub fn causes(error: &dyn std::error::Error) -> String {
	let mut text = error.to_string();
	let mut next = error.source();
	while let Some(cause) = next {
		let cause_text = cause.to_string();
		// Many libraries repeat the cause in their own text.
		if !text.ends_with(&cause_text) {
			text.push_str(": ");
			text.push_str(&cause_text);
		}
		next = cause.source();
	}
	text
}
