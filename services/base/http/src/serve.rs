//! Listening until the program stops.

use axum::{Router, body::Body, extract::ConnectInfo};
use gridproof_support::Stop;
use hyper::body::Incoming;
use hyper_util::{
	rt::{TokioExecutor, TokioIo, TokioTimer},
	server::{conn::auto, graceful::GracefulShutdown},
	service::TowerToHyperService,
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
	net::{TcpListener, TcpStream},
	sync::Semaphore,
	task::{JoinHandle, JoinSet},
};
use tower::ServiceExt;

/// Connections at a time; more wait in the system's queue.
const MAX_CONNECTIONS: usize = 4_096;
/// Longest wait for a request's headers, and for the next request of a connection.
const HEADERS: Duration = Duration::from_secs(60);
/// Time that running requests have to end after the server is stopped.
const GRACE: Duration = Duration::from_secs(10);
/// Pause after the system refused a connection, for example for want of descriptors.
const REFUSED: Duration = Duration::from_millis(200);

/// A server that listens.
#[derive(Debug)]
pub struct Serving {
	address: SocketAddr,
	task: JoinHandle<()>,
}

impl Serving {
	/// Returns where it listens; the port is a real one if it was asked to choose.
	pub const fn address(&self) -> SocketAddr {
		self.address
	}

	/// Returns when it was stopped and its last request has ended.
	pub async fn ended(self) {
		let _ = self.task.await;
	}

	/// Returns the task that serves.
	pub fn into_task(self) -> JoinHandle<()> {
		self.task
	}
}

/// Listens on `address` until the program stops; running requests then have 10 s to end.
///
/// # Errors
/// The address is in use, or the program may not listen there.
pub async fn serve(router: Router, address: SocketAddr, stop: Stop) -> io::Result<Serving> {
	serve_on(router, TcpListener::bind(address).await?, stop)
}

/// As [`serve`], on a listener that is open already.
///
/// # Errors
/// The system does not say where it listens.
pub fn serve_on(router: Router, listener: TcpListener, stop: Stop) -> io::Result<Serving> {
	let address = listener.local_addr()?;
	let task = tokio::spawn(accept(router, listener, stop));
	Ok(Serving { address, task })
}

async fn accept(router: Router, listener: TcpListener, stop: Stop) {
	let graceful = GracefulShutdown::new();
	let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
	let mut connections = JoinSet::new();
	while let Some(next) = stop.unless_stopped(next(&listener, &places)).await {
		let (place, socket, peer) = match next {
			Ok(next) => next,
			Err(error) => {
				tracing::warn!(%error, "a connection was not accepted");
				tokio::time::sleep(REFUSED).await;
				continue;
			},
		};
		// What has ended is forgotten, so that the set stays as small as the connections.
		while connections.try_join_next().is_some() {}
		let connection = graceful.watch(connection(router.clone(), socket, peer));
		connections.spawn(async move {
			if let Err(error) = connection.await {
				tracing::debug!(%error, %peer, "a connection broke");
			}
			drop(place);
		});
	}
	drop(listener);
	if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
		tracing::warn!("requests that did not end in time are cut off");
	}
	connections.shutdown().await;
}

type Next = io::Result<(tokio::sync::OwnedSemaphorePermit, TcpStream, SocketAddr)>;

async fn next(listener: &TcpListener, places: &Arc<Semaphore>) -> Next {
	let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
	let (socket, peer) = listener.accept().await?;
	socket.set_nodelay(true)?;
	Ok((place, socket, peer))
}

fn connection(
	router: Router,
	socket: TcpStream,
	peer: SocketAddr,
) -> impl hyper_util::server::graceful::GracefulConnection<
	Error = Box<dyn std::error::Error + Send + Sync>,
> + Send {
	let service = router.map_request(move |request: hyper::Request<Incoming>| {
		let mut request = request.map(Body::new);
		request.extensions_mut().insert(ConnectInfo(peer));
		request
	});
	let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
	builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
	builder.serve_connection(TokioIo::new(socket), TowerToHyperService::new(service)).into_owned()
}
