//! The HTTP client, with bounds on time and size.

use crate::AnchorError;
use gridproof_support::{http_client, text::without_login};
use reqwest::{Client, Response, Url};
use std::{net::IpAddr, time::Duration};

const REQUEST_LIMIT: Duration = Duration::from_secs(60);
/// Servers close idle connections after five seconds or more.
const IDLE_LIMIT: Duration = Duration::from_secs(2);
/// A block of four million bytes is eight million digits.
const MAX_BYTES: usize = 32 << 20;

/// A client for one server.
///
/// # Errors
/// [`AnchorError::Unreachable`] when TLS cannot be set up.
pub(crate) fn client() -> Result<Client, AnchorError> {
	let builder = http_client::builder().timeout(REQUEST_LIMIT).pool_idle_timeout(IDLE_LIMIT);
	builder
		.build()
		.map_err(|error| AnchorError::Unreachable { url: "TLS".into(), reason: error.to_string() })
}

/// Checks an address: `http` or `https`, no credentials in it. No slash at its end afterwards.
///
/// # Errors
/// [`AnchorError::Bad`].
pub(crate) fn address(url: &str) -> Result<String, AnchorError> {
	let parsed = Url::parse(url).map_err(|error| AnchorError::bad("URL", error))?;
	if !matches!(parsed.scheme(), "http" | "https") {
		let shown = without_login(url);
		return Err(AnchorError::bad("URL", format!("{shown} is not http:// or https://")));
	}
	if !parsed.username().is_empty() || parsed.password().is_some() {
		let reason = "others can read a command line: credentials belong in a file";
		return Err(AnchorError::bad("URL", reason));
	}
	Ok(url.trim_end_matches('/').to_owned())
}

/// Does what is sent to an address stay on this machine, or is it encrypted on its way?
pub(crate) fn is_private(address: &str) -> bool {
	let is_local = |host: &str| {
		let host = host.trim_start_matches('[').trim_end_matches(']');
		host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
	};
	Url::parse(address)
		.is_ok_and(|url| url.scheme() == "https" || url.host_str().is_some_and(is_local))
}

/// The body of an answer, if it is not too large.
///
/// # Errors
/// [`AnchorError::Unreachable`], [`AnchorError::BadAnswer`].
pub(crate) async fn body(url: &str, response: Response) -> Result<Vec<u8>, AnchorError> {
	http_client::body(response, MAX_BYTES).await.map_err(|error| match error {
		http_client::BodyError::TooLong(_) => AnchorError::answer(url, error),
		http_client::BodyError::Broken(error) => failure(url, &error),
	})
}

/// Why a request failed.
pub(crate) fn failure(url: &str, error: &reqwest::Error) -> AnchorError {
	// The last of all causes says it best, and repeats no address.
	let mut cause: &dyn std::error::Error = error;
	while let Some(next) = cause.source() {
		cause = next;
	}
	AnchorError::Unreachable { url: url.to_owned(), reason: cause.to_string() }
}
