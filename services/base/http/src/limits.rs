//! Sizes, times, requests at a time and per minute.

use crate::ApiError;
use axum::{
	Router,
	body::Body,
	extract::{ConnectInfo, DefaultBodyLimit, Request},
	http::{HeaderValue, Method, StatusCode, header},
	middleware::{self, Next},
	response::{IntoResponse, Response},
};
use governor::{
	DefaultKeyedRateLimiter, Quota, RateLimiter,
	clock::{Clock as _, DefaultClock},
};
use gridproof_support::{Lock, number::clamped};
use std::{
	collections::HashMap,
	net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
	num::NonZeroU32,
	sync::{
		Arc, Mutex, OnceLock,
		atomic::{AtomicU64, Ordering},
	},
	time::{Duration, Instant},
};
use tokio::sync::Semaphore;
use tower_governor::{
	GovernorError, GovernorLayer,
	governor::{GovernorConfigBuilder, SharedRateLimiter},
	key_extractor::KeyExtractor,
};
use tower_http::{
	cors::{AllowHeaders, Any, CorsLayer},
	timeout::TimeoutLayer,
};
use utoipa_axum::router::OpenApiRouter;

/// Networks that are counted one by one; beyond that, larger ones are.
const MAX_NETWORKS: usize = 100_000;
/// Names that are counted for each number of requests per minute.
const MAX_NAMES: usize = 10_000;
/// Longest body of an error that the framework answers with.
const MAX_ERROR_BYTES: usize = 4_096;

/// Headers of answers that web pages may read.
const EXPOSED: [&str; 13] = [
	"x-total-count",
	"x-next-cursor",
	"x-request-id",
	"retry-after",
	"x-gridproof-job",
	"x-gridproof-receipt",
	"x-gridproof-price",
	"x-gridproof-asset",
	"gridproof-receipt",
	"x-gridproof-warning",
	"x-ratelimit-limit-tokens",
	"x-ratelimit-remaining-tokens",
	"x-ratelimit-reset-tokens",
];

/// What a server lets through.
#[derive(Clone, Debug)]
pub struct Limits {
	/// Bytes of a request's body.
	pub max_body: usize,
	/// Requests at a time; more are answered 503.
	pub max_requests: usize,
	/// Time for a request, from its last header to the first byte of the answer; `None` for a
	/// server whose answers may take as long as they need.
	pub timeout: Option<Duration>,
	/// Web pages of other origins that may use the server.
	pub origins: Vec<String>,
}

impl Default for Limits {
	/// 1 MiB, 512 requests at a time, 30 seconds, no other origin.
	fn default() -> Self {
		Self {
			max_body: 1 << 20,
			max_requests: 512,
			timeout: Some(Duration::from_secs(30)),
			origins: Vec::new(),
		}
	}
}

impl Limits {
	/// Applies the limits to all routes, and answers every error in the form of [`ApiError`].
	pub fn apply<S: Clone + Send + Sync + 'static>(&self, router: Router<S>) -> Router<S> {
		let places = Arc::new(Semaphore::new(self.max_requests));
		let mut router = router.layer(DefaultBodyLimit::max(self.max_body));
		if let Some(timeout) = self.timeout {
			let status = StatusCode::SERVICE_UNAVAILABLE;
			router = router.layer(TimeoutLayer::with_status_code(status, timeout));
		}
		router
			.layer(middleware::from_fn(move |request, next| admit(places.clone(), request, next)))
			.layer(self.cors())
	}

	/// Checks that every origin is one that a browser sends, or `*` for all of them.
	///
	/// # Errors
	/// The first that is none, with what to write instead.
	pub fn check_origins(&self) -> Result<(), BadOrigin> {
		self.origins.iter().try_for_each(|origin| check_origin(origin))
	}

	fn cors(&self) -> CorsLayer {
		let cors = CorsLayer::new();
		let cors = if self.origins.iter().any(|origin| origin == "*") {
			cors.allow_origin(Any)
		} else {
			let origins =
				self.origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
			cors.allow_origin(origins.collect::<Vec<_>>())
		};
		cors.allow_methods([Method::GET, Method::POST, Method::PUT])
			// Client libraries send many of their own; who may call is decided by the origin.
			.allow_headers(AllowHeaders::mirror_request())
			.expose_headers(EXPOSED.map(axum::http::HeaderName::from_static))
	}
}

/// Error of a text that is not an origin of a web page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin:?} is not an origin that a browser sends: write {instead}, or * for all pages")]
pub struct BadOrigin {
	/// Text that was given.
	pub origin: String,
	/// What to write instead.
	pub instead: String,
}

fn check_origin(origin: &str) -> Result<(), BadOrigin> {
	let example = || "scheme and host, such as https://app.example or http://localhost:5173";
	let bad = |instead: String| Err(BadOrigin { origin: origin.to_string(), instead });
	if origin == "*" {
		return Ok(());
	}
	let Some((scheme, rest)) = origin.split_once("://") else { return bad(example().to_string()) };
	let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
	let (host, port) = match authority.rsplit_once(':') {
		Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
		_ => (authority, None),
	};
	let is_host = !host.is_empty()
		&& host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte));
	let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
	let is_scheme = !scheme.is_empty()
		&& scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
	if !is_host || !is_port || !is_scheme {
		return bad(example().to_string());
	}
	// A browser leaves out the scheme's own port, and writes in lower case.
	let port = port.filter(|port| !matches!((scheme, *port), ("http", "80") | ("https", "443")));
	let port = port.map(|port| format!(":{port}")).unwrap_or_default();
	let wanted = format!("{scheme}://{host}{port}").to_ascii_lowercase();
	if wanted == origin { Ok(()) } else { bad(wanted) }
}

/// Lets so many requests in at a time.
async fn admit(places: Arc<Semaphore>, request: Request, next: Next) -> Response {
	let Ok(_place) = places.try_acquire() else {
		return ApiError::overloaded().into_response();
	};
	let mut answer = as_api_error(next.run(request).await).await;
	// What is left of a body that is too long is not read: the connection cannot be used again.
	if answer.status() == StatusCode::PAYLOAD_TOO_LARGE {
		answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
	}
	answer
}

/// Answers errors of the framework, such as a body that is too long, in the form of [`ApiError`].
async fn as_api_error(response: Response) -> Response {
	let status = response.status();
	let is_json = response
		.headers()
		.get(header::CONTENT_TYPE)
		.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
	if is_json || !(status.is_client_error() || status.is_server_error()) {
		return response;
	}
	let (parts, body) = response.into_parts();
	let text = axum::body::to_bytes(body, MAX_ERROR_BYTES).await.unwrap_or_default();
	let text = String::from_utf8_lossy(&text);
	let reason = status.canonical_reason().unwrap_or("error");
	let word = reason.to_lowercase().replace([' ', '-'], "_");
	let sentence = if text.is_empty() { reason } else { text.as_ref() };
	let mut answer = ApiError::new(status, word, sentence).into_response();
	for name in [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
		if let Some(value) = parts.headers.get(&name) {
			answer.headers_mut().insert(name, value.clone());
		}
	}
	answer
}

fn too_many(wait: Duration) -> ApiError {
	let seconds = clamped::<u16, _>(wait.as_secs()).max(1);
	let sentence = format!("too many requests; wait {seconds} s");
	ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", sentence).retry_after(seconds)
}

fn quota(per_minute: NonZeroU32) -> Quota {
	Quota::per_minute(per_minute)
}

/// How often one network may ask: an IPv4 address, or 64 bits of an IPv6 address.
#[derive(Clone, Debug)]
pub struct Rate {
	/// Requests per minute. A network that was quiet for a minute may ask all of them at once.
	pub per_minute: NonZeroU32,
	/// Proxies whose `X-Forwarded-For` says who asks.
	pub proxies: Vec<IpAddr>,
}

impl Rate {
	/// Applies the limit to all routes of a router. Memory is bounded: while very many networks
	/// ask, larger ones are counted together.
	pub fn apply<S: Clone + Send + Sync + 'static>(
		&self,
		router: OpenApiRouter<S>,
	) -> OpenApiRouter<S> {
		let networks = Networks(Arc::new(Inner {
			proxies: self.proxies.clone(),
			limiter: OnceLock::new(),
			begin: Instant::now(),
			swept: AtomicU64::new(0),
		}));
		let config = GovernorConfigBuilder::default()
			.period(Duration::from_secs(60) / self.per_minute.get())
			.burst_size(self.per_minute.get())
			.key_extractor(networks.clone())
			.finish();
		// `None` only of a burst or period of zero.
		let Some(config) = config else { return router };
		let _ = networks.0.limiter.set(config.limiter().clone());
		router.layer(GovernorLayer::new(config).error_handler(refuse))
	}
}

fn refuse(error: GovernorError) -> Response<Body> {
	match error {
		GovernorError::TooManyRequests { wait_time, .. } => {
			too_many(Duration::from_secs(wait_time)).into_response()
		},
		GovernorError::UnableToExtractKey | GovernorError::Other { .. } => {
			ApiError::internal("a request without its sender's address").into_response()
		},
	}
}

/// Whom a request counts for.
#[derive(Clone)]
struct Networks(Arc<Inner>);

type Middleware = governor::middleware::NoOpMiddleware<governor::clock::QuantaInstant>;

struct Inner {
	proxies: Vec<IpAddr>,
	limiter: OnceLock<SharedRateLimiter<IpAddr, Middleware>>,
	begin: Instant,
	/// Seconds from the begin to the last time that idle networks were forgotten.
	swept: AtomicU64,
}

impl Inner {
	/// Forgets idle networks once a minute, or each second while there are too many; returns
	/// whether there are still too many.
	fn is_crowded(&self) -> bool {
		let Some(limiter) = self.limiter.get() else { return false };
		let is_full = limiter.len() >= MAX_NETWORKS;
		let now = self.begin.elapsed().as_secs();
		let swept = self.swept.load(Ordering::Relaxed);
		let is_due = now.saturating_sub(swept) >= if is_full { 1 } else { 60 };
		let order = Ordering::Relaxed;
		if is_due && self.swept.compare_exchange(swept, now, order, order).is_ok() {
			limiter.retain_recent();
			limiter.shrink_to_fit();
			return limiter.len() >= MAX_NETWORKS;
		}
		is_full
	}
}

impl KeyExtractor for Networks {
	type Key = IpAddr;

	fn extract<T>(&self, request: &axum::http::Request<T>) -> Result<IpAddr, GovernorError> {
		let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
		let ConnectInfo(peer) = peer.ok_or(GovernorError::UnableToExtractKey)?;
		let asks = sender(peer.ip(), &self.0.proxies, request.headers());
		Ok(network(asks, self.0.is_crowded()))
	}
}

/// Returns the address that asks: the peer's, or the last one that a known proxy vouches for.
fn sender(peer: IpAddr, proxies: &[IpAddr], headers: &axum::http::HeaderMap) -> IpAddr {
	let peer = peer.to_canonical();
	if !proxies.contains(&peer) {
		return peer;
	}
	let forwarded = headers.get_all("x-forwarded-for").iter();
	let hops = forwarded.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
	let hops: Vec<Option<IpAddr>> = hops.map(|hop| hop.trim().parse().ok()).collect();
	for hop in hops.into_iter().rev() {
		match hop.map(|hop: IpAddr| hop.to_canonical()) {
			Some(hop) if proxies.contains(&hop) => (),
			Some(hop) => return hop,
			// What stands before something unreadable is nobody's word.
			None => return peer,
		}
	}
	peer
}

/// Returns the network of an address: 32 bits of IPv4, 64 of IPv6; 16 of both if `is_crowded`.
fn network(address: IpAddr, is_crowded: bool) -> IpAddr {
	match (address, is_crowded) {
		(IpAddr::V4(address), false) => address.into(),
		(IpAddr::V4(address), true) => Ipv4Addr::from_bits(address.to_bits() & (!0 << 16)).into(),
		(IpAddr::V6(address), false) => Ipv6Addr::from_bits(address.to_bits() & (!0 << 64)).into(),
		(IpAddr::V6(address), true) => Ipv6Addr::from_bits(address.to_bits() & (!0 << 112)).into(),
	}
}

/// How often callers with a name may ask, each with a number of requests of its own.
#[derive(Default)]
pub struct Rates(Mutex<HashMap<NonZeroU32, Arc<DefaultKeyedRateLimiter<String>>>>);

impl Rates {
	/// Counts a request of `name`, which may make `per_minute` in a minute; 0 is none at all.
	///
	/// # Errors
	/// `rate_limited`, with the seconds to wait.
	pub fn count(&self, name: &str, per_minute: u32) -> Result<(), ApiError> {
		let Some(per_minute) = NonZeroU32::new(per_minute) else {
			return Err(too_many(Duration::from_secs(60)));
		};
		let limiter = {
			let mut limiters = self.0.locked();
			let new = || Arc::new(RateLimiter::keyed(quota(per_minute)));
			limiters.entry(per_minute).or_insert_with(new).clone()
		};
		if limiter.len() >= MAX_NAMES {
			limiter.retain_recent();
		}
		limiter.check_key(&name.to_string()).map_err(|until| {
			too_many(until.wait_time_from(DefaultClock::default().now()) + Duration::from_secs(1))
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use axum::http::HeaderMap;

	fn ip(text: &str) -> IpAddr {
		text.parse().unwrap()
	}

	fn headers(values: &[&str]) -> HeaderMap {
		let mut headers = HeaderMap::new();
		for value in values {
			headers.append("x-forwarded-for", HeaderValue::from_str(value).unwrap());
		}
		headers
	}

	#[test]
	fn only_a_known_proxy_says_who_asks() {
		let proxies = [ip("10.0.0.1"), ip("10.0.0.2")];
		let told = |peer: &str, values: &[&str]| sender(ip(peer), &proxies, &headers(values));
		assert_eq!(told("203.0.113.9", &["198.51.100.1"]), ip("203.0.113.9"));
		assert_eq!(told("10.0.0.1", &["198.51.100.1"]), ip("198.51.100.1"));
		assert_eq!(told("::ffff:10.0.0.1", &["198.51.100.1"]), ip("198.51.100.1"));
		assert_eq!(told("10.0.0.1", &["192.0.2.5, 198.51.100.1", "10.0.0.2"]), ip("198.51.100.1"));
		assert_eq!(told("10.0.0.1", &["198.51.100.1, nonsense"]), ip("10.0.0.1"));
		assert_eq!(told("10.0.0.1", &[]), ip("10.0.0.1"));
	}

	#[test]
	fn an_ipv6_customer_counts_once_and_a_crowd_counts_together() {
		let one = network(ip("2001:db8:1:2:3::4"), false);
		assert_eq!(one, network(ip("2001:db8:1:2:ffff::"), false));
		assert_ne!(one, network(ip("2001:db8:1:3::"), false));
		assert_ne!(network(ip("192.0.2.1"), false), network(ip("192.0.2.2"), false));
		assert_eq!(network(ip("192.0.2.1"), true), network(ip("192.0.9.9"), true));
		assert_eq!(network(ip("2001:db8::"), true), network(ip("2001:1::"), true));
	}

	#[test]
	fn an_origin_is_what_a_browser_sends_or_the_error_says_what_that_is() {
		for good in ["*", "http://localhost:5173", "https://app.example", "http://[::1]:3000"] {
			assert_eq!(check_origin(good), Ok(()), "{good}");
		}
		for (bad, instead) in [
			("https://app.example/", "https://app.example"),
			("https://App.example", "https://app.example"),
			("https://app.example:443", "https://app.example"),
			("http://localhost:5173/index.html?x", "http://localhost:5173"),
		] {
			assert_eq!(check_origin(bad).unwrap_err().instead, instead);
		}
		for bad in ["", "app.example", "http://", "https://a b", "https://a:x", "null", "https://*"]
		{
			assert!(check_origin(bad).unwrap_err().instead.contains("such as"), "{bad}");
		}
	}

	#[test]
	fn every_name_has_its_own_number_of_requests() {
		let rates = Rates::default();
		for _ in 0..3 {
			rates.count("acme", 3).unwrap();
		}
		let error = rates.count("acme", 3).unwrap_err();
		assert_eq!((error.status().as_u16(), error.word()), (429, "rate_limited"));
		rates.count("other", 3).unwrap();
		rates.count("acme", 100).unwrap();
		assert!(rates.count("none", 0).is_err());
	}
}
