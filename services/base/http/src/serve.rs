//! Listening until the program stops.

use axum::{
	BoxError, Router,
	body::{Body, Bytes, HttpBody},
	extract::ConnectInfo,
};
use futures::future::BoxFuture;
use gridproof_support::Stop;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper_util::{
	rt::{TokioExecutor, TokioIo, TokioTimer},
	server::{conn::auto, graceful::GracefulShutdown},
	service::TowerToHyperService,
};
use std::{
	io,
	net::SocketAddr,
	pin::Pin,
	sync::Arc,
	task::{Context, Poll},
	time::Duration,
};
use tokio::{
	net::{TcpListener, TcpStream},
	sync::Semaphore,
	task::{JoinHandle, JoinSet},
	time::{Sleep, sleep},
};
use tower::ServiceExt;

/// Time that running requests have to end after the server is stopped.
const GRACE: Duration = Duration::from_secs(10);
/// Pause after the system refused a connection, for example for want of descriptors.
const REFUSED: Duration = Duration::from_millis(200);

/// How many clients a server has at a time, and how long it waits for each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
	/// Connections at a time; more wait in the system's queue.
	pub connections: usize,
	/// Longest wait for a request's headers, and for the next request of a connection.
	pub headers: Duration,
	/// Longest time in which a request's body comes, from its last header on.
	pub body: Duration,
}

impl Default for Patience {
	/// 4,096 connections, a minute, two minutes.
	fn default() -> Self {
		Self {
			connections: 4_096,
			headers: Duration::from_secs(60),
			body: Duration::from_secs(120),
		}
	}
}

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
pub fn serve(
	router: Router,
	address: SocketAddr,
	stop: Stop,
) -> BoxFuture<'static, io::Result<Serving>> {
	Box::pin(async move { serve_on(router, TcpListener::bind(address).await?, stop) })
}

/// As [`serve`], on a listener that is open already.
///
/// # Errors
/// The system does not say where it listens.
pub fn serve_on(router: Router, listener: TcpListener, stop: Stop) -> io::Result<Serving> {
	serve_with(router, listener, stop, Patience::default())
}

/// As [`serve_on`], with a patience of its own.
///
/// # Errors
/// The system does not say where it listens.
pub fn serve_with(
	router: Router,
	listener: TcpListener,
	stop: Stop,
	patience: Patience,
) -> io::Result<Serving> {
	let address = listener.local_addr()?;
	let task = tokio::spawn(accept(router, listener, stop, patience));
	Ok(Serving { address, task })
}

async fn accept(router: Router, listener: TcpListener, stop: Stop, patience: Patience) {
	let graceful = GracefulShutdown::new();
	let places = Arc::new(Semaphore::new(patience.connections));
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
		let connection = graceful.watch(connection(router.clone(), socket, peer, patience));
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
	patience: Patience,
) -> impl hyper_util::server::graceful::GracefulConnection<
	Error = Box<dyn std::error::Error + Send + Sync>,
> + Send {
	let service = router.map_request(move |request: hyper::Request<Incoming>| {
		let within = |body| Body::new(Within { body, late: Box::pin(sleep(patience.body)) });
		let mut request = request.map(within);
		request.extensions_mut().insert(ConnectInfo(peer));
		request
	});
	let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
	builder.http1().timer(TokioTimer::new()).header_read_timeout(patience.headers);
	builder.serve_connection(TokioIo::new(socket), TowerToHyperService::new(service)).into_owned()
}

/// A request's body, which fails when it is too late.
struct Within {
	body: Incoming,
	late: Pin<Box<Sleep>>,
}

impl HttpBody for Within {
	type Data = Bytes;
	type Error = BoxError;

	fn poll_frame(
		mut self: Pin<&mut Self>,
		context: &mut Context<'_>,
	) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
		if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
			return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
		}
		self.late.as_mut().poll(context).map(|()| {
			let reason = "the rest of the request did not come in time";
			Some(Err(io::Error::new(io::ErrorKind::TimedOut, reason).into()))
		})
	}

	fn is_end_stream(&self) -> bool {
		self.body.is_end_stream()
	}

	fn size_hint(&self) -> SizeHint {
		self.body.size_hint()
	}
}
