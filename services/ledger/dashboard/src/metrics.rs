//! Figures for Prometheus.

use axum::{
	body::HttpBody,
	extract::{Request, State},
	http::StatusCode,
	middleware::Next,
	response::Response,
};
use futures::future::BoxFuture;
use gridproof_http::{ApiError, Metric, Metrics as Figures, MetricsError, Service};
use gridproof_support::{Clock, number::gauge};
use prometheus::{IntCounter, IntCounterVec};
use std::sync::Arc;

/// What is asked by machines that watch, and counts as nobody's visit.
const WATCHED: [&str; 2] = ["/health", "/metrics"];

/// All figures of a server of the page.
pub(crate) struct Metrics {
	figures: Figures,
	answers: IntCounterVec,
	sent: IntCounter,
}

impl Metrics {
	/// Figures of a server that begins now, with so many files of so many bytes.
	///
	/// # Errors
	/// When a name is used twice: a defect.
	pub(crate) fn new(files: usize, bytes: usize) -> Result<Self, MetricsError> {
		let figures = Figures::new("gridproof_dashboard");
		let answers = figures.counters(
			"answers_total",
			"Answers since the start by class of their status, without those of /health and /metrics",
			&["class"],
			&[&["2xx"], &["3xx"], &["4xx"], &["5xx"]],
		)?;
		let sent = figures.counter(
			"answered_bytes_total",
			"Bytes of the answers' bodies since the start, as they go out: compressed ones count compressed",
		)?;
		figures.gauge("files", "Files of the page that are served")?.set(gauge(files));
		figures
			.gauge("page_bytes", "Bytes of all files of the page, none of them compressed")?
			.set(gauge(bytes));
		let started = Clock::system().now_ms() / 1_000;
		figures
			.gauge("start_time_seconds", "When the server began, in seconds since 1970 (UTC)")?
			.set(gauge(started));
		Ok(Self { figures, answers, sent })
	}

	/// What all figures are, in the order of their names.
	pub(crate) fn describe(&self) -> Vec<Metric> {
		self.figures.describe()
	}

	fn answered(&self, answer: &Response) {
		self.answers.with_label_values(&[class(answer.status())]).inc();
		// All bodies here are made before they are sent, so their size is known.
		self.sent.inc_by(answer.body().size_hint().exact().unwrap_or_default());
	}
}

fn class(status: StatusCode) -> &'static str {
	if status.is_success() {
		"2xx"
	} else if status.is_redirection() {
		"3xx"
	} else if status.is_client_error() {
		"4xx"
	} else {
		"5xx"
	}
}

/// Counts what is answered.
pub(crate) async fn count(
	State(metrics): State<Arc<Metrics>>,
	request: Request,
	next: Next,
) -> Response {
	let is_watched = WATCHED.contains(&request.uri().path());
	let answer = next.run(request).await;
	if !is_watched {
		metrics.answered(&answer);
	}
	answer
}

/// It has all it needs in memory: as long as it answers, it is well.
impl Service for Metrics {
	fn health(&self) -> BoxFuture<'_, Result<(), ApiError>> {
		Box::pin(async { Ok(()) })
	}

	fn metrics(&self) -> BoxFuture<'_, Result<String, ApiError>> {
		Box::pin(async { Ok(self.figures.render()) })
	}
}
