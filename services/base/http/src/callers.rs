//! Who may call, as a type in the handler's signature.
//!
//! A server's state has two halves. What anybody may read is in the state itself; what changes
//! something is in a [`Protected`] half, which nothing but [`Authorized`] opens. A handler that
//! forgets to ask who calls has nothing to change anything with: it does not compile.
//!
//! ```
//! use axum::extract::State;
//! use gridproof_http::{Admin, AdminGate, AdminKey, Authorized, Protected, Protects};
//! use std::sync::Arc;
//!
//! /// What only the operator may do.
//! struct Changes;
//! impl Changes {
//!     fn flush(&self) {}
//! }
//!
//! struct Api {
//!     admin: AdminKey,
//!     changes: Protected<Changes>,
//! }
//! impl AdminGate for Api {
//!     fn admin(&self) -> &AdminKey {
//!         &self.admin
//!     }
//! }
//! impl Protects<Changes> for Api {
//!     fn protected(&self) -> &Protected<Changes> {
//!         &self.changes
//!     }
//! }
//!
//! async fn flush(changes: Authorized<Admin, Changes>) {
//!     changes.flush();
//! }
//!
//! let router: axum::Router<Arc<Api>> =
//!     axum::Router::new().route("/flush", axum::routing::post(flush));
//! # let _ = router;
//! ```
//!
//! Without the proof of who calls there is no way in:
//!
//! ```compile_fail,E0599
//! use axum::extract::State;
//! use gridproof_http::Protected;
//! use std::sync::Arc;
//! struct Changes;
//! impl Changes {
//!     fn flush(&self) {}
//! }
//! struct Api {
//!     changes: Protected<Changes>,
//! }
//! async fn flush(State(api): State<Arc<Api>>) {
//!     api.changes.flush();
//! }
//! ```

use crate::ApiError;
use axum::{
	extract::{FromRequestParts, OptionalFromRequestParts},
	http::{HeaderMap, StatusCode, header, request::Parts},
};
use sha2::{Digest, Sha256};
use std::{convert::Infallible, ops::Deref, sync::Arc};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The half of a server's state that changes something. Only [`Authorized`] opens it; the server's
/// own loops keep the [`Arc`] that it was made of.
pub struct Protected<H: ?Sized>(Arc<H>);

impl<H: ?Sized> Protected<H> {
	/// Closes a half.
	pub const fn new(half: Arc<H>) -> Self {
		Self(half)
	}
}

impl<H: ?Sized> Clone for Protected<H> {
	fn clone(&self) -> Self {
		Self(self.0.clone())
	}
}

/// A server's state that has a protected half `H`.
pub trait Protects<H: ?Sized> {
	/// Returns the protected half.
	fn protected(&self) -> &Protected<H>;
}

impl<H: ?Sized, S: Protects<H> + ?Sized> Protects<H> for Arc<S> {
	fn protected(&self) -> &Protected<H> {
		(**self).protected()
	}
}

/// An extractor that succeeds only for those who may change something: an administrator, a miner
/// with a session, a customer with a key. A server implements it for its own callers.
pub trait Role {}

/// The protected half of the state, for a caller who has proved to be an `R`.
pub struct Authorized<R, H: ?Sized> {
	/// Who calls.
	pub caller: R,
	half: Arc<H>,
}

impl<R, H: ?Sized> Authorized<R, H> {
	/// Returns who calls, and the half, for work that outlives the request.
	pub fn into_parts(self) -> (R, Arc<H>) {
		(self.caller, self.half)
	}
}

impl<R, H: ?Sized> Deref for Authorized<R, H> {
	type Target = H;

	fn deref(&self) -> &H {
		&self.half
	}
}

impl<R, H, S> FromRequestParts<S> for Authorized<R, H>
where
	R: Role + FromRequestParts<S>,
	H: ?Sized + Send + Sync,
	S: Protects<H> + Send + Sync,
{
	type Rejection = R::Rejection;

	async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
		let caller = R::from_request_parts(parts, state).await?;
		Ok(Self { caller, half: state.protected().0.clone() })
	}
}

/// A secret that those know who may administer a server.
#[derive(Clone)]
pub struct AdminKey(Option<Zeroizing<String>>);

impl AdminKey {
	/// Returns the key, or, if there is none, the decision that everybody may administer: for a
	/// server that listens on the loopback address only.
	pub const fn new(key: Option<Zeroizing<String>>) -> Self {
		Self(key)
	}

	/// Returns `true` if everybody may administer.
	pub const fn is_open(&self) -> bool {
		self.0.is_none()
	}

	/// Returns `true` if `key` is the secret. Takes the same time for every wrong key.
	pub fn is(&self, key: &str) -> bool {
		self.0.as_ref().is_some_and(|wanted| same_secret(key.trim(), wanted.trim()))
	}

	/// Decides about a request by its headers.
	///
	/// # Errors
	/// `admin_key_needed` without a key, `wrong_admin_key` with another one.
	pub fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
		if self.is_open() {
			return Ok(());
		}
		let own = headers.get("x-admin-key").and_then(|key| key.to_str().ok());
		match bearer(headers).or(own) {
			Some(key) if self.is(key) => Ok(()),
			Some(_) => Err(ApiError::new(
				StatusCode::FORBIDDEN,
				"wrong_admin_key",
				"this is not the admin key of this server",
			)),
			None => Err(ApiError::new(
				StatusCode::UNAUTHORIZED,
				"admin_key_needed",
				"send the admin key: Authorization: Bearer KEY",
			)
			.challenge("Bearer")),
		}
	}
}

/// A server's state with an [`AdminKey`].
pub trait AdminGate {
	/// Returns the key.
	fn admin(&self) -> &AdminKey;
}

impl<S: AdminGate + ?Sized> AdminGate for Arc<S> {
	fn admin(&self) -> &AdminKey {
		(**self).admin()
	}
}

/// A caller who knows the [`AdminKey`].
#[derive(Clone, Copy, Debug)]
pub struct Admin(());

impl Role for Admin {}

impl<S: AdminGate + Send + Sync> FromRequestParts<S> for Admin {
	type Rejection = ApiError;

	async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
		state.admin().check(&parts.headers)?;
		Ok(Self(()))
	}
}

/// The token of an `Authorization: Bearer` header, as it was sent: not yet a proof of anything.
/// With `Option` a handler takes requests without one.
#[derive(Clone)]
pub struct Token(pub Zeroizing<String>);

impl Token {
	/// Returns the token of a request's headers, if there is one.
	pub fn of(headers: &HeaderMap) -> Option<Self> {
		bearer(headers).map(|token| Self(Zeroizing::new(token.to_string())))
	}
}

impl Deref for Token {
	type Target = str;

	fn deref(&self) -> &str {
		&self.0
	}
}

impl<S: Send + Sync> FromRequestParts<S> for Token {
	type Rejection = ApiError;

	async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
		Self::of(&parts.headers).ok_or_else(|| {
			ApiError::new(
				StatusCode::UNAUTHORIZED,
				"unauthorized",
				"send your token: Authorization: Bearer TOKEN",
			)
			.challenge("Bearer")
		})
	}
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Token {
	type Rejection = Infallible;

	async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
		Ok(Self::of(&parts.headers))
	}
}

/// Returns the token of an `Authorization: Bearer` header; `None` if it is missing or empty.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
	let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
	credentials(value, "Bearer")
}

/// Returns what follows a scheme in the value of an `Authorization` header, whose case does not matter;
/// `None` if it is another scheme, or nothing follows.
pub fn credentials<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
	let (found, rest) = value.split_once(' ')?;
	let rest = rest.trim();
	(found.eq_ignore_ascii_case(scheme) && !rest.is_empty()).then_some(rest)
}

/// Returns `true` if both secrets are equal. The time it takes depends on neither.
pub fn same_secret(one: &str, other: &str) -> bool {
	let (one, other) = (Sha256::digest(one), Sha256::digest(other));
	one.as_slice().ct_eq(other.as_slice()).into()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_case_of_a_scheme_does_not_matter() {
		for value in ["Bearer k", "bearer k", "BEARER  k "] {
			assert_eq!(credentials(value, "Bearer"), Some("k"), "{value}");
		}
		for value in ["Bearer", "Bearer ", "Basic k", "Bearerk"] {
			assert_eq!(credentials(value, "Bearer"), None, "{value}");
		}
	}
}
