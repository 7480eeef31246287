//! Who may ask at all, before any handler is reached.
//!
//! On a loopback address everybody on the machine may read, and change if there is no admin key: there
//! a web page must not do so in its reader's place. Elsewhere readings are those of households: reading
//! needs the admin key, or the credentials of a reader.

use super::errors::CHALLENGE;
use crate::credentials::{Credentials, Role};
use axum::{
	extract::{Request, State},
	http::{HeaderMap, Method, StatusCode, Uri, header},
	middleware::Next,
	response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use gridproof_http::{AdminKey, ApiError, credentials};
use std::sync::Arc;

/// What a guard looks at.
pub(crate) struct Guard {
	/// Whether reading needs a proof.
	pub(crate) needs_proof: bool,
	/// Whether only this machine's own names may be asked for.
	pub(crate) is_loopback: bool,
	/// The admin key.
	pub(crate) admin: AdminKey,
	/// Readers.
	pub(crate) credentials: Arc<Credentials>,
	/// Web pages of other origins that may use the API.
	pub(crate) origins: Vec<String>,
}

/// Lets a request through, or answers it.
pub(crate) async fn guard(
	State(guard): State<Arc<Guard>>,
	request: Request,
	next: Next,
) -> Response {
	match guard.check(request.method(), request.uri(), request.headers()) {
		Ok(()) => next.run(request).await,
		Err(error) => error.into_response(),
	}
}

impl Guard {
	fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
		if self.is_loopback && self.admin.is_open() {
			self.check_page(method, uri, headers)?;
		}
		let is_read = *method == Method::GET || *method == Method::HEAD;
		if self.needs_proof && is_read && !self.may_read(headers) {
			let sentence = "send the credentials of a reader (Basic), or the admin key (Bearer)";
			let error = ApiError::new(StatusCode::UNAUTHORIZED, "credentials_needed", sentence);
			return Err(error.challenge(CHALLENGE));
		}
		Ok(())
	}

	/// Refuses what a web page of somewhere else does in the name of who reads it.
	fn check_page(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
		let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
		let host = text(header::HOST).or_else(|| uri.authority().map(|place| place.as_str()));
		if !host.is_none_or(is_own) {
			let sentence = "this server is asked by the name localhost or by its address only";
			return Err(ApiError::new(StatusCode::FORBIDDEN, "wrong_host", sentence));
		}
		let Some(origin) = text(header::ORIGIN) else { return Ok(()) };
		let is_same = origin.split_once("://").is_some_and(|(_, place)| Some(place) == host);
		let is_known = self.origins.iter().any(|known| known == origin || known == "*");
		if *method == Method::GET || *method == Method::HEAD || is_same || is_known {
			return Ok(());
		}
		let sentence = "this web page may change nothing here; --origin names those that may";
		Err(ApiError::new(StatusCode::FORBIDDEN, "wrong_origin", sentence))
	}

	fn may_read(&self, headers: &HeaderMap) -> bool {
		if !self.admin.is_open() && self.admin.check(headers).is_ok() {
			return true;
		}
		let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
		let pair = value
			.and_then(|value| credentials(value, "Basic"))
			.and_then(|encoded| STANDARD.decode(encoded).ok())
			.and_then(|pair| String::from_utf8(pair).ok());
		let Some(pair) = pair else { return false };
		[pair.split_once(':'), pair.rsplit_once(':')].into_iter().flatten().any(
			|(username, password)| {
				self.credentials.check(username, password.as_bytes()) == Some(Role::Reader)
			},
		)
	}
}

/// Whether a host, with or without a port, is this machine.
fn is_own(host: &str) -> bool {
	let name = match host.rsplit_once(':') {
		Some((name, port)) if !port.ends_with(']') => name,
		_ => host,
	};
	let address = name.trim_start_matches('[').trim_end_matches(']');
	name.eq_ignore_ascii_case("localhost")
		|| address.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
	use super::*;
	use axum::http::HeaderValue;
	use zeroize::Zeroizing;

	fn guard(folder: &std::path::Path, key: Option<&str>, is_loopback: bool) -> Guard {
		let credentials = Credentials::open(folder).unwrap();
		let reader = Zeroizing::new("a-password-of-twenty-characters".to_string());
		let _ = credentials.add("eyes", Role::Reader, Some(reader));
		Guard {
			needs_proof: !is_loopback,
			is_loopback,
			admin: AdminKey::new(key.map(|key| Zeroizing::new(key.to_string()))),
			credentials: Arc::new(credentials),
			origins: vec!["http://localhost:5173".to_string()],
		}
	}

	fn word(guard: &Guard, method: &Method, headers: &[(&'static str, &str)]) -> String {
		let headers = headers.iter().map(|(name, value)| {
			(header::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
		});
		let outcome = guard.check(method, &Uri::from_static("/api/v1/logs"), &headers.collect());
		outcome.map_or_else(|error| error.word().to_string(), |()| "ok".to_string())
	}

	#[test]
	fn elsewhere_than_on_this_machine_reading_needs_a_proof() {
		let folder = tempfile::tempdir().unwrap();
		let guard = guard(folder.path(), Some("secret"), false);
		assert_eq!(word(&guard, &Method::GET, &[]), "credentials_needed");
		assert_eq!(
			word(&guard, &Method::GET, &[("authorization", "Bearer wrong")]),
			"credentials_needed"
		);
		assert_eq!(word(&guard, &Method::GET, &[("authorization", "bearer secret")]), "ok");
		assert_eq!(word(&guard, &Method::GET, &[("x-admin-key", "secret")]), "ok");
		let pair = STANDARD.encode("eyes:a-password-of-twenty-characters");
		assert_eq!(
			word(&guard, &Method::GET, &[("authorization", &format!("basic {pair}"))]),
			"ok"
		);
		let pair = STANDARD.encode("eyes:another");
		assert_eq!(
			word(&guard, &Method::GET, &[("authorization", &format!("Basic {pair}"))]),
			"credentials_needed"
		);
	}

	#[test]
	fn no_web_page_changes_anything_in_the_name_of_who_reads_it() {
		let folder = tempfile::tempdir().unwrap();
		let guard = guard(folder.path(), None, true);
		let post = |headers: &[_]| word(&guard, &Method::POST, headers);
		assert_eq!(post(&[("host", "127.0.0.1:8080")]), "ok");
		assert_eq!(post(&[("host", "[::1]:8080"), ("origin", "http://[::1]:8080")]), "ok");
		assert_eq!(post(&[("host", "localhost:8080"), ("origin", "http://localhost:5173")]), "ok");
		let foreign = [("host", "localhost:8080"), ("origin", "https://evil.example")];
		assert_eq!(post(&foreign), "wrong_origin");
		// A name that was made to lead here.
		assert_eq!(post(&[("host", "evil.example:8080")]), "wrong_host");
		assert_eq!(word(&guard, &Method::GET, &[("host", "evil.example")]), "wrong_host");
	}
}
