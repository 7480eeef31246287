//! Serves the dashboard: a folder of files that `scripts/dashboard build` made.
//!
//! The page reads the chain and checks what it shows in the reader's browser. This server has no figure and no
//! key: it hands out files, and says where the node and the services are (`/config.json`).
//!
//! [`router`] is a whole server; [`page`] is what another server can offer beside its own routes.
//!
//! All files are read once, at the start, so that no path of a request ever reaches the file system.

#![deny(missing_docs)]

mod metrics;
mod site;

use axum::{
	Router,
	body::Body,
	extract::{Request, State},
	http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
	middleware,
	response::{IntoResponse, Response},
};
use futures::future::BoxFuture;
use gridproof_http::{Limits, Metric, pages, serve_on};
use gridproof_support::Stop;
use metrics::Metrics;
use serde::Serialize;
use std::{io, path::PathBuf, sync::Arc};
use tokio::net::TcpListener;

pub use site::{Coding, Page, Site, SiteError};

/// What a browser may do on the page: run its own scripts (the light client is WebAssembly), and ask nodes and
/// services that its reader names. Nothing of another origin is loaded, and no page can frame it.
pub const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
	img-src 'self'; font-src 'self'; connect-src 'self' ws: wss: http: https:; base-uri 'none'; \
	form-action 'none'; frame-ancestors 'none'";

/// The address of a service that serves the page as well: where the page is.
pub const BESIDE: &str = ".";

/// Where the page finds what it reads; each reader can name others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Addresses {
	/// WebSocket of a node.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub node: Option<String>,
	/// A gateway's HTTP address, or [`BESIDE`].
	#[serde(skip_serializing_if = "Option::is_none")]
	pub gateway: Option<String>,
	/// A coordinator's HTTP address.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub coordinator: Option<String>,
	/// A front that answers prompts.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub front: Option<String>,
	/// An index's HTTP address.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub index: Option<String>,
	/// Is there a spec for light clients at `/light.json`?
	pub light: bool,
}

/// What to serve.
#[derive(Clone, Debug)]
pub struct Settings {
	/// Folder of the built page.
	pub folder: PathBuf,
	/// File of the light client's spec, if there is one.
	pub light: Option<PathBuf>,
	/// What `/config.json` says; `light` follows from the spec.
	pub addresses: Addresses,
}

/// Returns the page alone, for a server that has other routes as well: whatever they are not is asked for here.
///
/// # Errors
/// The folder or the spec cannot be read, or are not what they should be.
pub fn page(settings: Settings) -> Result<Router, SiteError> {
	Ok(of_site(read(settings)?))
}

/// Returns all routes of a server of the page alone: the page, `/health` and `/metrics`, and the limits around them.
///
/// # Errors
/// As [`page`].
pub fn router(settings: Settings) -> Result<Router, SiteError> {
	let site = read(settings)?;
	let (files, bytes) = site.size();
	let metrics = Arc::new(Metrics::new(files, bytes)?);
	let router = of_site(site).merge(pages::watched(metrics.clone()));
	let router = Limits::default().apply(router);
	// Outside of the limits, so that what they refuse is counted.
	Ok(router.layer(middleware::from_fn_with_state(metrics, metrics::count)))
}

/// What all figures are, in the order of their names, for the reference.
pub fn metrics() -> Vec<Metric> {
	Metrics::new(0, 0).map(|metrics| metrics.describe()).unwrap_or_default()
}

fn read(settings: Settings) -> Result<Site, SiteError> {
	let mut site = Site::read(&settings.folder)?;
	let light = settings.light.as_deref();
	if let Some(path) = light {
		site.add_light_spec(path)?;
	}
	let addresses = Addresses { light: light.is_some(), ..settings.addresses };
	site.add_config(&addresses);
	Ok(site)
}

fn of_site(site: Site) -> Router {
	Router::new().fallback(answer).with_state(Arc::new(site))
}

/// Serves the page until the program stops.
///
/// # Errors
/// The system does not say where the listener listens.
pub fn serve(
	router: Router,
	listener: TcpListener,
	stop: Stop,
) -> BoxFuture<'static, io::Result<()>> {
	Box::pin(async move {
		serve_on(router, listener, stop)?.ended().await;
		Ok(())
	})
}

async fn answer(State(site): State<Arc<Site>>, request: Request) -> Response {
	let is_head = request.method() == Method::HEAD;
	if request.method() != Method::GET && !is_head {
		return with_policy(
			(StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response(),
		);
	}
	let Some(page) = site.page(request.uri().path()) else {
		return with_policy(missing(request.uri().path()));
	};
	with_policy(found(page, request.headers(), is_head))
}

/// What looks like a page of an application leads to it; its own addresses are behind the `#`.
fn missing(path: &str) -> Response {
	let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
	if is_file {
		return (StatusCode::NOT_FOUND, "there is no such file\n").into_response();
	}
	(StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response()
}

fn found(page: &Page, headers: &HeaderMap, is_head: bool) -> Response {
	let coding =
		page.best_coding(headers.get(header::ACCEPT_ENCODING).and_then(|text| text.to_str().ok()));
	let tag = page.tag(coding);
	let mut answer = if is_known(headers, &tag) {
		StatusCode::NOT_MODIFIED.into_response()
	} else {
		let body = page.body(coding);
		let length = body.len();
		let body = if is_head { Body::empty() } else { Body::from(body) };
		([(header::CONTENT_LENGTH, length)], body).into_response()
	};
	let out = answer.headers_mut();
	insert(out, header::CONTENT_TYPE, page.content_type());
	insert(out, header::ETAG, &tag);
	insert(out, header::VARY, "accept-encoding");
	if let Some(name) = coding.name() {
		insert(out, header::CONTENT_ENCODING, name);
	}
	// Names of what the build made have the hash of their content in them.
	insert(
		out,
		header::CACHE_CONTROL,
		if page.is_immutable() { "public, max-age=31536000, immutable" } else { "no-cache" },
	);
	answer
}

/// Does the reader hold this very content?
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
	let Some(text) = headers.get(header::IF_NONE_MATCH).and_then(|text| text.to_str().ok()) else {
		return false;
	};
	text.split(',').any(|one| one.trim().trim_start_matches("W/") == tag || one.trim() == "*")
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
	if let Ok(value) = HeaderValue::from_str(value) {
		headers.insert(name, value);
	}
}

fn with_policy(mut answer: Response) -> Response {
	let headers = answer.headers_mut();
	insert(headers, header::CONTENT_SECURITY_POLICY, POLICY);
	insert(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
	insert(headers, header::REFERRER_POLICY, "no-referrer");
	insert(headers, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
	answer
}

#[cfg(test)]
mod tests {
	use super::*;
	use axum::body::to_bytes;
	use std::fs;
	use tower::ServiceExt;

	const INDEX: &str = "<!doctype html><title>page</title>";

	/// A folder with the page in `site`, and what is none of its files beside it.
	fn folder() -> tempfile::TempDir {
		let folder = tempfile::tempdir().unwrap();
		let site = folder.path().join("site");
		fs::create_dir_all(site.join("assets")).unwrap();
		fs::write(site.join("index.html"), INDEX).unwrap();
		fs::write(site.join("assets/index-AbC.js"), "let one = 1;").unwrap();
		fs::write(site.join("assets/index-AbC.js.br"), "brotli").unwrap();
		fs::write(site.join("assets/index-AbC.js.gz"), "gzip").unwrap();
		fs::write(folder.path().join("secret.txt"), "secret").unwrap();
		folder
	}

	async fn answer_of(router: &Router, path: &str) -> (StatusCode, String) {
		let request = Request::builder().uri(path).body(Body::empty()).unwrap();
		let answer = router.clone().oneshot(request).await.unwrap();
		let status = answer.status();
		let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
		(status, String::from_utf8(bytes.to_vec()).unwrap())
	}

	fn settings(folder: &tempfile::TempDir) -> Settings {
		let node = Some("ws://127.0.0.1:9944".to_string());
		let addresses = Addresses { node, ..Addresses::default() };
		Settings { folder: folder.path().join("site"), light: None, addresses }
	}

	async fn ask(
		folder: &tempfile::TempDir,
		method: Method,
		path: &str,
		headers: &[(HeaderName, &str)],
	) -> (Response, String) {
		let mut request = Request::builder().method(method).uri(path);
		for (name, value) in headers {
			request = request.header(name, *value);
		}
		let request = request.body(Body::empty()).unwrap();
		let (parts, body) =
			router(settings(folder)).unwrap().oneshot(request).await.unwrap().into_parts();
		let bytes = to_bytes(body, 1 << 20).await.unwrap();
		(Response::from_parts(parts, Body::empty()), String::from_utf8(bytes.to_vec()).unwrap())
	}

	fn header(answer: &Response, name: &HeaderName) -> String {
		answer
			.headers()
			.get(name)
			.map(|text| text.to_str().unwrap().to_string())
			.unwrap_or_default()
	}

	#[tokio::test]
	async fn the_page_comes_with_its_policy_and_is_asked_for_again_each_time() {
		let folder = folder();
		let (answer, body) = ask(&folder, Method::GET, "/", &[]).await;
		assert_eq!((answer.status(), body.as_str()), (StatusCode::OK, INDEX));
		assert_eq!(header(&answer, &header::CONTENT_SECURITY_POLICY), POLICY);
		assert_eq!(header(&answer, &header::CONTENT_TYPE), "text/html; charset=utf-8");
		assert_eq!(header(&answer, &header::CACHE_CONTROL), "no-cache");
		assert_eq!(header(&answer, &header::X_CONTENT_TYPE_OPTIONS), "nosniff");
	}

	#[tokio::test]
	async fn a_reader_who_holds_the_file_is_told_so_and_gets_nothing() {
		let folder = folder();
		let (first, _) = ask(&folder, Method::GET, "/", &[]).await;
		let tag = header(&first, &header::ETAG);
		let (again, body) = ask(&folder, Method::GET, "/", &[(header::IF_NONE_MATCH, &tag)]).await;
		assert_eq!((again.status(), body.as_str()), (StatusCode::NOT_MODIFIED, ""));
		let (other, body) =
			ask(&folder, Method::GET, "/", &[(header::IF_NONE_MATCH, "\"other\"")]).await;
		assert_eq!((other.status(), body.as_str()), (StatusCode::OK, INDEX));
	}

	#[tokio::test]
	async fn what_was_compressed_before_goes_to_who_can_read_it() {
		let folder = folder();
		let cases = [
			("gzip, deflate, br", "br", "brotli"),
			("gzip", "gzip", "gzip"),
			("br;q=0, gzip", "gzip", "gzip"),
			("identity", "", "let one = 1;"),
		];
		for (accepted, coding, expected) in cases {
			let (answer, body) = ask(
				&folder,
				Method::GET,
				"/assets/index-AbC.js",
				&[(header::ACCEPT_ENCODING, accepted)],
			)
			.await;
			assert_eq!(
				(header(&answer, &header::CONTENT_ENCODING).as_str(), body.as_str()),
				(coding, expected),
				"{accepted}"
			);
			assert_eq!(header(&answer, &header::CONTENT_TYPE), "text/javascript; charset=utf-8");
			assert!(header(&answer, &header::CACHE_CONTROL).contains("immutable"));
		}
	}

	#[tokio::test]
	async fn no_path_leads_out_of_the_folder() {
		let folder = folder();
		for path in [
			"/../secret.txt",
			"/%2e%2e/secret.txt",
			"/assets/..%2f..%2fsecret.txt",
			"/assets/../../secret.txt",
		] {
			let (answer, body) = ask(&folder, Method::GET, path, &[]).await;
			assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
			assert!(!body.contains("secret"), "{path}");
		}
	}

	#[tokio::test]
	async fn an_unknown_page_leads_to_the_first_one_and_an_unknown_file_is_missing() {
		let folder = folder();
		let (page, _) = ask(&folder, Method::GET, "/reserve/days", &[]).await;
		assert_eq!(
			(page.status(), header(&page, &header::LOCATION).as_str()),
			(StatusCode::SEE_OTHER, "/")
		);
		let (file, _) = ask(&folder, Method::GET, "/assets/none.js", &[]).await;
		assert_eq!(file.status(), StatusCode::NOT_FOUND);
		let (post, _) = ask(&folder, Method::POST, "/", &[]).await;
		assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
	}

	#[tokio::test]
	async fn the_configuration_names_what_was_given_and_nothing_else() {
		let folder = folder();
		let (_, body) = ask(&folder, Method::GET, "/config.json", &[]).await;
		assert_eq!(body, r#"{"node":"ws://127.0.0.1:9944","light":false}"#);
		let (none, _) = ask(&folder, Method::GET, "/light.json", &[]).await;
		assert_eq!(none.status(), StatusCode::NOT_FOUND);
	}

	#[tokio::test]
	async fn answers_are_counted_by_class_with_their_bytes_and_the_watchers_questions_are_not() {
		let folder = folder();
		let router = router(settings(&folder)).unwrap();
		for (path, status) in [
			("/", StatusCode::OK),
			("/reserve", StatusCode::SEE_OTHER),
			("/none.js", StatusCode::NOT_FOUND),
			("/health", StatusCode::OK),
			("/metrics", StatusCode::OK),
		] {
			assert_eq!(answer_of(&router, path).await.0, status, "{path}");
		}
		let (_, refusal) = answer_of(&router, "/none.js").await;
		let (_, text) = answer_of(&router, "/metrics").await;
		let sent = INDEX.len() + 2 * refusal.len();
		for line in [
			"gridproof_dashboard_answers_total{class=\"2xx\"} 1".to_string(),
			"gridproof_dashboard_answers_total{class=\"3xx\"} 1".to_string(),
			"gridproof_dashboard_answers_total{class=\"4xx\"} 2".to_string(),
			"gridproof_dashboard_answers_total{class=\"5xx\"} 0".to_string(),
			format!("gridproof_dashboard_answered_bytes_total {sent}"),
			"gridproof_dashboard_files 3".to_string(),
		] {
			assert!(text.lines().any(|one| one == line), "{line}: {text}");
		}
		let started = text.lines().find_map(|line| {
			line.strip_prefix("gridproof_dashboard_start_time_seconds ")?.parse::<u64>().ok()
		});
		assert!(started.is_some_and(|seconds| seconds > 1_600_000_000), "{text}");
		let (_, health) = answer_of(&router, "/health").await;
		assert!(health.contains("\"status\":\"ok\""), "{health}");
	}

	#[tokio::test]
	async fn the_page_alone_has_no_figures_and_no_health() {
		let folder = folder();
		let page = page(settings(&folder)).unwrap();
		assert_eq!(answer_of(&page, "/").await, (StatusCode::OK, INDEX.to_string()));
		assert_eq!(answer_of(&page, "/metrics").await.0, StatusCode::SEE_OTHER);
	}

	#[test]
	fn a_folder_without_a_page_is_refused_with_what_to_do() {
		let folder = tempfile::tempdir().unwrap();
		let error = router(settings(&folder)).unwrap_err();
		assert!(matches!(error, SiteError::NoPage(_)));
		assert!(error.to_string().contains("scripts/dashboard build"));
	}
}
