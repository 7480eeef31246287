//! Client of ENTSO-E's Transparency Platform.
//!
//! The platform allows 400 requests a minute for a token and locks the token out for ten minutes
//! above that, so requests leave one by one, spaced; a request that fails for a passing reason
//! (5xx, 429, a broken connection, a time-out) is repeated a few times, waiting longer each time
//! or as long as the platform says. Nothing that is printed contains the token: it travels as a
//! query parameter, so addresses are cut out of errors and the token out of answers.

use crate::{
	cursor::MAX_BYTES,
	day::DataItem,
	document::Document,
	eic::Eic,
	reader::read,
	time::{DayWindow, format_query},
};
use gridproof_support::{
	Backoff,
	http_client::{
		self, BodyError,
		reqwest::{self, StatusCode, Url, header::RETRY_AFTER},
	},
	text::without_login,
};
use std::{fmt, time::Duration};
use tokio::{sync::Mutex, time::Instant};
use zeroize::Zeroizing;

/// Where the platform answers.
pub const BASE_URL: &str = "https://web-api.tp.entsoe.eu/api";

/// The platform's security token. It is never printed, and wiped from memory when dropped.
pub struct Token(Zeroizing<String>);

impl Token {
	/// A token: 8 to 128 visible ASCII characters; white space around it is dropped.
	pub fn new(text: &str) -> Result<Self, PlatformError> {
		let text = text.trim();
		let is_token =
			(8..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
		if is_token {
			Ok(Self(Zeroizing::new(text.to_string())))
		} else {
			Err(PlatformError::BadToken)
		}
	}

	/// `text` without the token.
	fn redact(&self, text: &str) -> String {
		text.replace(self.0.as_str(), "***")
	}
}

impl fmt::Debug for Token {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("Token(…)")
	}
}

/// How the client behaves; [`Settings::default`] is right for the platform.
#[derive(Clone, Debug)]
pub struct Settings {
	/// Where to ask. Anything but loopback must be `https`.
	pub base_url: String,
	/// How often a request is sent, the first time included.
	pub attempts: u32,
	/// Wait before the first repetition; doubled each time.
	pub first_wait: Duration,
	/// Longest wait before a repetition; an answer that demands more ends the attempts.
	pub longest_wait: Duration,
	/// Time from the start of one request to the start of the next.
	pub spacing: Duration,
	/// Time that one request may take, connecting and reading included.
	pub timeout: Duration,
	/// What is asked besides, or in place of what is asked otherwise.
	pub parameters: Vec<Parameter>,
}

/// A query parameter that an operator sets, for the day on which the platform changes its rules.
///
/// ```
/// use gridproof_grid::Parameter;
/// assert!("price:businessType=A62".parse::<Parameter>().is_ok());
/// assert!("securityToken=x".parse::<Parameter>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
	/// What it is for; everything if `None`.
	item: Option<DataItem>,
	name: String,
	value: String,
}

/// A text that is not a query parameter of the platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
	"write NAME=VALUE, load:NAME=VALUE or price:NAME=VALUE, of letters, digits and ._:- ; the \
	 token is not set so"
)]
pub struct NotAParameter;

impl std::str::FromStr for Parameter {
	type Err = NotAParameter;

	fn from_str(text: &str) -> Result<Self, NotAParameter> {
		let (item, rest) = match text.split_once(':') {
			Some(("load", rest)) => (Some(DataItem::Load), rest),
			Some(("price", rest)) => (Some(DataItem::Price), rest),
			_ => (None, text),
		};
		let (name, value) = rest.split_once('=').ok_or(NotAParameter)?;
		let is_plain = |text: &str, more: &[u8]| {
			(1..=100).contains(&text.len())
				&& text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
		};
		let is_secret = name.eq_ignore_ascii_case("securityToken");
		if is_secret || !is_plain(name, b"_.") || !is_plain(value, b"_.:-") {
			return Err(NotAParameter);
		}
		Ok(Self { item, name: name.to_string(), value: value.to_string() })
	}
}

impl Default for Settings {
	fn default() -> Self {
		Self {
			base_url: BASE_URL.into(),
			attempts: 5,
			first_wait: Duration::from_secs(1),
			longest_wait: Duration::from_secs(120),
			// 375 a minute: below the platform's 400.
			spacing: Duration::from_millis(160),
			timeout: Duration::from_secs(60),
			parameters: Vec::new(),
		}
	}
}

/// Why the platform gave no document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlatformError {
	/// The text cannot be a token.
	#[error(
		"the token must be 8 to 128 visible characters; request one in your account on the platform"
	)]
	BadToken,
	/// The address is not a URL, or would send the token in the clear.
	#[error("the platform's address must be an https URL (http only on this machine): {0}")]
	BadUrl(String),
	/// The HTTP client cannot be set up.
	#[error("cannot set up the HTTP client (are the system's CA certificates installed?): {0}")]
	Setup(String),
	/// The platform does not accept the token; repeating will not help.
	#[error("the platform does not accept the token (HTTP {status}): {text}")]
	TokenRefused {
		/// The status.
		status: u16,
		/// What the platform says.
		text: String,
	},
	/// The platform answered with something else than one of its documents.
	#[error("HTTP {status}, and not a document of the platform: {text}")]
	NotADocument {
		/// The status.
		status: u16,
		/// The beginning of the answer.
		text: String,
	},
	/// The answer is larger than any document of a day.
	#[error("the answer is larger than {MAX_BYTES} bytes")]
	TooLarge,
	/// Every attempt failed; the last reason.
	#[error("no answer after {attempts} attempts; the last: {last}")]
	GaveUp {
		/// How often it was tried.
		attempts: u32,
		/// Why the last attempt failed.
		last: String,
	},
}

/// The outcome of one attempt.
enum Attempt {
	Document(Vec<u8>),
	Final(PlatformError),
	/// Worth repeating.
	Passing(Passing),
}

/// A failure that may pass.
struct Passing {
	reason: String,
	/// What the platform says to wait.
	asked: Option<Duration>,
	/// Whether it is about all requests of this token (429), not about this one.
	everyone: bool,
}

impl Passing {
	fn transport(error: reqwest::Error) -> Self {
		Self { reason: plain(error), asked: None, everyone: false }
	}
}

/// A client with its token. All its requests share one spacing and one pool of connections.
#[derive(Debug)]
pub struct Client {
	http: reqwest::Client,
	url: Url,
	token: Token,
	settings: Settings,
	/// Earliest start of the next request.
	next: Mutex<Instant>,
	/// Until when the platform wants to hear nothing at all.
	quiet_until: Mutex<Instant>,
}

impl Client {
	/// A client for `settings.base_url`.
	pub fn new(token: Token, settings: Settings) -> Result<Self, PlatformError> {
		let url = checked_url(&settings.base_url)?;
		// It follows no redirect, which would carry the token to another address.
		let mut http = http_client::builder()
			.connect_timeout(settings.timeout.min(Duration::from_secs(20)))
			.timeout(settings.timeout);
		if is_local(&url) {
			// Nor must a proxy see what is meant for this machine.
			http = http.no_proxy();
		}
		let http = http.build().map_err(|error| PlatformError::Setup(plain(error)))?;
		let now = Instant::now();
		let (next, quiet_until) = (Mutex::new(now), Mutex::new(now));
		Ok(Self { http, url, token, settings, next, quiet_until })
	}

	/// The platform's document about one area and day: load, prices, or an acknowledgement,
	/// whatever the HTTP status it came with.
	pub async fn document(
		&self,
		item: DataItem,
		eic: &Eic,
		window: &DayWindow,
	) -> Result<Vec<u8>, PlatformError> {
		let query = query(item, eic, window, &self.settings.parameters);
		let Settings { attempts, first_wait, longest_wait, .. } = self.settings;
		// Requests leave spaced anyway, so the pauses need no jitter.
		let backoff = Backoff::new(first_wait, longest_wait).attempts(attempts).without_jitter();
		let mut pauses = backoff.pauses();
		let mut attempt = 1;
		loop {
			let Passing { reason, asked, everyone } = match self.attempt(&query).await {
				Attempt::Document(bytes) => return Ok(bytes),
				Attempt::Final(error) => return Err(error),
				Attempt::Passing(passing) => passing,
			};
			let last = self.token.redact(&reason);
			tracing::warn!(%eic, attempt, reason = %last, "the platform did not answer");
			let pause = pauses.next().map(|pause| asked.unwrap_or(pause));
			let Some(pause) = pause.filter(|pause| *pause <= longest_wait) else {
				return Err(PlatformError::GaveUp { attempts: attempt, last });
			};
			if everyone {
				self.keep_quiet(pause).await;
			} else {
				tokio::time::sleep(pause).await;
			}
			attempt += 1;
		}
	}

	async fn attempt(&self, query: &[(String, String)]) -> Attempt {
		self.take_turn().await;
		let request = self
			.http
			.get(self.url.clone())
			.query(query)
			.query(&[("securityToken", self.token.0.as_str())]);
		let response = match request.send().await {
			Ok(response) => response,
			Err(error) => return Attempt::Passing(Passing::transport(error)),
		};
		let status = response.status();
		let asked = response
			.headers()
			.get(RETRY_AFTER)
			.and_then(|value| value.to_str().ok())
			.and_then(retry_after);
		match http_client::body(response, MAX_BYTES).await {
			Ok(body) => self.judge(status, asked, body),
			Err(BodyError::TooLong(_)) => Attempt::Final(PlatformError::TooLarge),
			Err(BodyError::Broken(error)) => Attempt::Passing(Passing::transport(error)),
		}
	}

	/// What a complete answer means.
	fn judge(&self, status: StatusCode, asked: Option<Duration>, body: Vec<u8>) -> Attempt {
		let document = read(&body);
		let is_passing = status.is_server_error()
			|| matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
		// Redacted before it is cut, so that no part of the token is left at the cut.
		let text = || summary(&self.token.redact(&String::from_utf8_lossy(&body)));
		let passing = |reason: String| {
			let reason = format!("HTTP {}: {reason}", status.as_u16());
			let everyone = status == StatusCode::TOO_MANY_REQUESTS;
			Attempt::Passing(Passing { reason, asked, everyone })
		};
		match (document, status) {
			// "No data" is an answer whatever its status; so is a refusal that will not pass.
			(Ok(Document::Acknowledgement(answer)), _) if answer.is_no_data() => {
				Attempt::Document(body)
			},
			(Ok(Document::Acknowledgement(answer)), _) if is_passing => passing(answer.to_string()),
			(Ok(Document::Acknowledgement(answer)), status) if is_unauthorised(status) => {
				Attempt::Final(PlatformError::TokenRefused {
					status: status.as_u16(),
					text: self.token.redact(&answer.to_string()),
				})
			},
			(_, status) if is_unauthorised(status) => Attempt::Final(PlatformError::TokenRefused {
				status: status.as_u16(),
				text: text(),
			}),
			(Ok(Document::Acknowledgement(_)), _) => Attempt::Document(self.redacted(body)),
			(_, _) if is_passing => passing(text()),
			// The caller reads it again and says in full what is wrong with it.
			(_, status) if status.is_success() && looks_like_xml(&body) => Attempt::Document(body),
			(_, status) => Attempt::Final(PlatformError::NotADocument {
				status: status.as_u16(),
				text: text(),
			}),
		}
	}

	/// An acknowledgement can quote the request, token and all.
	fn redacted(&self, body: Vec<u8>) -> Vec<u8> {
		match String::from_utf8(body) {
			Ok(text) => self.token.redact(&text).into_bytes(),
			Err(error) => error.into_bytes(),
		}
	}

	/// Waits until the next request may leave.
	async fn take_turn(&self) {
		let turn = {
			let mut next = self.next.lock().await;
			let turn = (*next).max(Instant::now());
			*next = turn + self.settings.spacing;
			turn
		};
		tokio::time::sleep_until(turn).await;
		loop {
			let quiet_until = *self.quiet_until.lock().await;
			if quiet_until <= Instant::now() {
				return;
			}
			tokio::time::sleep_until(quiet_until).await;
		}
	}

	/// Holds back every request for `pause`.
	async fn keep_quiet(&self, pause: Duration) {
		let mut quiet_until = self.quiet_until.lock().await;
		*quiet_until = (*quiet_until).max(Instant::now() + pause);
	}
}

/// What the platform is asked: codes from its *RESTful API implementation guide*.
fn query(
	item: DataItem,
	eic: &Eic,
	window: &DayWindow,
	parameters: &[Parameter],
) -> Vec<(String, String)> {
	let mut query = match item {
		DataItem::Load => vec![
			("documentType", "A65".to_string()),
			("processType", "A16".to_string()),
			("outBiddingZone_Domain", eic.to_string()),
		],
		DataItem::Price => vec![
			("documentType", "A44".to_string()),
			// What every day-ahead price document states; without it, the platform is reported to
			// refuse the question.
			("businessType", "A62".to_string()),
			("in_Domain", eic.to_string()),
			("out_Domain", eic.to_string()),
		],
	};
	query.push(("periodStart", format_query(window.start())));
	query.push(("periodEnd", format_query(window.end())));
	let mut query: Vec<(String, String)> =
		query.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
	for Parameter { name, value, .. } in
		parameters.iter().filter(|parameter| parameter.item.is_none_or(|of| of == item))
	{
		match query.iter_mut().find(|(there, _)| there == name) {
			Some((_, there)) => there.clone_from(value),
			None => query.push((name.clone(), value.clone())),
		}
	}
	query
}

/// An address that does not send the token in the clear over a network.
fn checked_url(text: &str) -> Result<Url, PlatformError> {
	let bad = || {
		// A token may be in the query.
		let shown = without_login(text);
		PlatformError::BadUrl(
			shown.split('?').next().unwrap_or_default().chars().take(100).collect(),
		)
	};
	let url = Url::parse(text).map_err(|_| bad())?;
	let is_plain = url.query().is_none() && url.username().is_empty() && url.password().is_none();
	match url.scheme() {
		"https" if is_plain => Ok(url),
		"http" if is_plain && is_local(&url) => Ok(url),
		_ => Err(bad()),
	}
}

fn is_local(url: &Url) -> bool {
	matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

fn is_unauthorised(status: StatusCode) -> bool {
	matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

fn looks_like_xml(body: &[u8]) -> bool {
	let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
	body.trim_ascii_start().starts_with(b"<")
}

/// `Retry-After` in seconds, or as the date after which to ask again.
fn retry_after(value: &str) -> Option<Duration> {
	if let Ok(seconds) = value.trim().parse::<u64>() {
		return Some(Duration::from_secs(seconds));
	}
	let date = chrono::DateTime::parse_from_rfc2822(value.trim()).ok()?;
	let wait = date.with_timezone(&chrono::Utc) - chrono::Utc::now();
	Some(wait.to_std().unwrap_or(Duration::ZERO))
}

/// A transport error with its causes and without the address.
fn plain(error: reqwest::Error) -> String {
	http_client::causes(&error.without_url())
}

/// The beginning of an answer, on one line, without mark-up.
fn summary(text: &str) -> String {
	let mut plain = String::new();
	let mut is_markup = false;
	for character in text.chars().take(4_096) {
		match character {
			'<' => is_markup = true,
			'>' => {
				is_markup = false;
				plain.push(' ');
			},
			_ if is_markup => {},
			other => plain.push(other),
		}
	}
	let words: Vec<&str> = plain.split_whitespace().collect();
	let line: String = words.join(" ").chars().take(200).collect();
	if line.is_empty() { "an empty answer".into() } else { line }
}

#[cfg(test)]
mod tests {
	use super::*;

	/// The query for DE-LU on 2025-03-30.
	fn text(item: DataItem, parameters: &[&str]) -> String {
		let window = DayWindow::local("2025-03-30".parse().unwrap(), chrono_tz::Europe::Berlin);
		let eic = Eic::parse("10Y1001A1001A82H").unwrap();
		let parameters: Vec<Parameter> =
			parameters.iter().map(|text| text.parse().unwrap()).collect();
		let query = query(item, &eic, &window.unwrap(), &parameters);
		let pairs: Vec<String> =
			query.iter().map(|(key, value)| format!("{key}={value}")).collect();
		pairs.join("&")
	}

	#[test]
	fn an_operator_adds_to_the_question_what_the_platform_begins_to_demand() {
		let added = text(DataItem::Load, &["load:x=1", "price:y=2", "z=3"]);
		assert!(added.ends_with("&x=1&z=3") && !added.contains("y=2"), "{added}");
		let replaced = text(DataItem::Price, &["businessType=A63"]);
		assert!(replaced.contains("businessType=A63") && !replaced.contains("A62"), "{replaced}");
		for bad in ["", "a", "=b", "a=", "securityToken=x", "SECURITYTOKEN=x", "a=b&c=d", "a b=c"] {
			assert_eq!(bad.parse::<Parameter>(), Err(NotAParameter), "{bad}");
		}
	}

	#[test]
	fn the_query_is_the_one_that_the_platform_documents() {
		let text = |item| text(item, &[]);
		assert_eq!(
			text(DataItem::Load),
			"documentType=A65&processType=A16&outBiddingZone_Domain=10Y1001A1001A82H\
			 &periodStart=202503292300&periodEnd=202503302200"
		);
		assert_eq!(
			text(DataItem::Price),
			"documentType=A44&businessType=A62&in_Domain=10Y1001A1001A82H&out_Domain=10Y1001A1001A82H\
			 &periodStart=202503292300&periodEnd=202503302200"
		);
	}

	#[test]
	fn the_token_goes_only_over_tls_or_to_this_machine() {
		for url in [
			"http://web-api.tp.entsoe.eu/api",
			"http://127.0.0.1.example.org/",
			"ftp://localhost/",
			"https://user:secret@example.org/",
			"https://example.org/?securityToken=secret",
			"nonsense",
		] {
			let refused = checked_url(url).unwrap_err();
			assert!(matches!(refused, PlatformError::BadUrl(_)), "{url}");
			assert!(!refused.to_string().contains("secret"), "{refused}");
		}
		for url in [BASE_URL, "http://127.0.0.1:8080/api", "http://localhost:1/", "http://[::1]:1/"]
		{
			assert!(checked_url(url).is_ok(), "{url}");
		}
	}

	#[test]
	fn the_token_never_shows() {
		let token = Token::new(" 1d9cd4bd-f8aa-476c-8cc1-3442dc91506d\n").unwrap();
		assert_eq!(format!("{token:?}"), "Token(…)");
		assert_eq!(
			token.redact("bad securityToken=1d9cd4bd-f8aa-476c-8cc1-3442dc91506d&x"),
			"bad securityToken=***&x"
		);
		for text in ["", "short", "with space in it", "with\u{e4}umlaut"] {
			assert_eq!(Token::new(text).err(), Some(PlatformError::BadToken));
		}
	}

	#[test]
	fn retry_after_is_read_as_seconds_or_as_a_date() {
		assert_eq!(retry_after("7"), Some(Duration::from_secs(7)));
		assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
		assert_eq!(retry_after("soon"), None);
	}

	#[test]
	fn answers_in_html_are_summed_up_as_text() {
		assert_eq!(
			summary("<html><body><h1>401</h1>\n Unauthorized</body></html>"),
			"401 Unauthorized"
		);
		assert_eq!(summary(""), "an empty answer");
	}
}
