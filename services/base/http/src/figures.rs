//! A server for programs that have figures and nothing else to serve.

use crate::{ApiError, Limits, Service, Serving, serve, site};
use futures::{FutureExt, future::BoxFuture};
use gridproof_support::Stop;
use std::{io, net::SocketAddr, sync::Arc};
use utoipa_axum::router::OpenApiRouter;

/// A program that is healthy as long as it runs.
struct Figures<Render>(Render);

impl<Render: Fn() -> String + Send + Sync + 'static> Service for Figures<Render> {
	fn health(&self) -> BoxFuture<'_, Result<(), ApiError>> {
		async { Ok(()) }.boxed()
	}

	fn metrics(&self) -> BoxFuture<'_, Result<String, ApiError>> {
		async { Ok((self.0)()) }.boxed()
	}
}

/// Serves `/metrics` and `/health` until the program stops. `render` returns the figures as they are
/// now, in Prometheus' text form.
///
/// # Errors
/// The address is in use, or not one of this machine.
pub fn serve_figures(
	render: impl Fn() -> String + Send + Sync + 'static,
	address: SocketAddr,
	stop: Stop,
) -> BoxFuture<'static, io::Result<Serving>> {
	Box::pin(async move {
		let service = Arc::new(Figures(render));
		serve(site(OpenApiRouter::new(), (), service, &Limits::default()), address, stop).await
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_support::Stopper;
	use tokio::{
		io::{AsyncReadExt, AsyncWriteExt},
		net::TcpStream,
	};

	async fn get(address: SocketAddr, path: &str) -> String {
		let mut stream = TcpStream::connect(address).await.unwrap();
		let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
		stream.write_all(request.as_bytes()).await.unwrap();
		let mut answer = String::new();
		stream.read_to_string(&mut answer).await.unwrap();
		answer
	}

	#[tokio::test]
	async fn figures_are_rendered_when_they_are_asked_for() {
		let stopper = Stopper::new();
		let asked = std::sync::atomic::AtomicU64::new(0);
		let render = move || {
			let times = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
			format!("gridproof_test_asked {times}\n")
		};
		let local = SocketAddr::from(([127, 0, 0, 1], 0));
		let serving = serve_figures(render, local, stopper.signal()).await.unwrap();
		let address = serving.address();
		assert!(get(address, "/metrics").await.ends_with("gridproof_test_asked 0\n"));
		assert!(get(address, "/metrics").await.ends_with("gridproof_test_asked 1\n"));
		assert!(get(address, "/health").await.contains("\"status\":\"ok\""));
		stopper.stop();
		serving.ended().await;
		assert!(TcpStream::connect(address).await.is_err());
	}
}
