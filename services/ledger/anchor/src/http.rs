//! The HTTP client, with bounds on time and size.

use crate::Fault;
use reqwest::{Client, Response};
use std::time::Duration;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const REQUEST_LIMIT: Duration = Duration::from_secs(60);
/// Servers close idle connections after five seconds or more.
const IDLE_LIMIT: Duration = Duration::from_secs(2);
/// A block of four million bytes is eight million digits; a batch of 10,000 logs is no larger.
const MAX_BYTES: usize = 32 << 20;

/// A client for one server.
///
/// # Errors
/// [`Fault::Unreachable`] when TLS cannot be set up.
pub fn client() -> Result<Client, Fault> {
	// An error means that a provider is there already.
	let _ = rustls::crypto::ring::default_provider().install_default();
	Client::builder()
		.connect_timeout(CONNECT_LIMIT)
		.timeout(REQUEST_LIMIT)
		.pool_idle_timeout(IDLE_LIMIT)
		.redirect(reqwest::redirect::Policy::none())
		.build()
		.map_err(|error| Fault::Unreachable { url: "TLS".into(), reason: error.to_string() })
}

/// Checks an address: `http` or `https`, no credentials in it. No slash at its end afterwards.
///
/// # Errors
/// [`Fault::Bad`].
pub fn address(url: &str) -> Result<String, Fault> {
	let parsed = reqwest::Url::parse(url).map_err(|error| Fault::bad("URL", error))?;
	if !matches!(parsed.scheme(), "http" | "https") {
		return Err(Fault::bad("URL", format!("{url} is not http:// or https://")));
	}
	if !parsed.username().is_empty() || parsed.password().is_some() {
		let reason = "others can read a command line: credentials belong in a file";
		return Err(Fault::bad("URL", reason));
	}
	Ok(url.trim_end_matches('/').to_owned())
}

/// The body of an answer, if it is not too large.
///
/// # Errors
/// [`Fault::Unreachable`], [`Fault::BadAnswer`].
pub async fn body(url: &str, mut response: Response) -> Result<Vec<u8>, Fault> {
	let mut bytes = Vec::new();
	while let Some(chunk) = response.chunk().await.map_err(|error| failure(url, &error))? {
		if bytes.len() + chunk.len() > MAX_BYTES {
			return Err(Fault::answer(url, format!("more than {MAX_BYTES} bytes")));
		}
		bytes.extend_from_slice(&chunk);
	}
	Ok(bytes)
}

/// Why a request failed, with all causes.
pub fn failure(url: &str, error: &reqwest::Error) -> Fault {
	let mut reason = String::new();
	let mut cause: Option<&dyn std::error::Error> = Some(error);
	while let Some(error) = cause {
		reason = error.to_string();
		cause = error.source();
	}
	Fault::Unreachable { url: url.to_owned(), reason }
}
