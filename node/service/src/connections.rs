//! How long a connection keeps its place, and how many places one address has.
//!
//! The SDK's server counts connections and drops those that do not answer a ping. A client that
//! answers and says nothing else could hold all places, for as long as it likes. Here a connection has a
//! minute to ask its first question; one that asked and follows nothing may be silent for an hour;
//! and no address but this machine's has more than half of the places.

use futures::{FutureExt, future::BoxFuture};
use jsonrpsee::{MethodResponse, server::middleware::rpc::RpcServiceT, types::Request};
use std::{
	collections::HashMap,
	io,
	net::{IpAddr, Ipv6Addr},
	pin::Pin,
	sync::{Arc, Mutex, PoisonError},
	task::{Context, Poll, ready},
	time::{Duration, Instant},
};
use tokio::{
	io::{AsyncRead, AsyncWrite, ReadBuf},
	time::{Sleep, sleep_until},
};

/// How long a connection may be silent.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
	/// Time from the connection to the first question.
	pub first: Duration,
	/// Time between two questions of one that follows nothing.
	pub between: Duration,
}

impl Default for Patience {
	fn default() -> Self {
		Self { first: Duration::from_secs(60), between: Duration::from_secs(60 * 60) }
	}
}

/// What a connection has done so far.
#[derive(Debug)]
struct State {
	/// Time from which its silence counts.
	last: Instant,
	has_asked: bool,
	/// Questions that are not answered yet.
	open: usize,
	/// It subscribed to something: it is there to listen.
	follows: bool,
}

/// What a connection does, seen by its questions and by its bytes.
#[derive(Debug, Clone)]
pub struct Activity {
	patience: Patience,
	state: Arc<Mutex<State>>,
}

impl Activity {
	/// A connection that begins now.
	pub fn new(patience: Patience) -> Self {
		let state = State { last: Instant::now(), has_asked: false, open: 0, follows: false };
		Self { patience, state: Arc::new(Mutex::new(state)) }
	}

	fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
		change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
	}

	/// A question came in.
	pub fn asked(&self) {
		self.with(|state| {
			state.has_asked = true;
			state.open = state.open.saturating_add(1);
		});
	}

	/// It was answered. `follows`: by a subscription.
	pub fn answered(&self, follows: bool) {
		self.with(|state| {
			state.last = Instant::now();
			state.open = state.open.saturating_sub(1);
			state.follows |= follows;
		});
	}

	/// Returns the time until which the connection keeps its place if nothing happens.
	pub fn until(&self, now: Instant) -> Instant {
		let Patience { first, between } = self.patience;
		self.with(|state| match (state.follows || state.open > 0, state.has_asked) {
			(true, _) => now + between,
			(false, true) => state.last + between,
			(false, false) => state.last + first,
		})
	}
}

/// A connection that ends when it has been silent for too long.
pub struct Watched<S> {
	stream: S,
	activity: Activity,
	alarm: Pin<Box<Sleep>>,
	// The bytes live as long as the connection, whatever it becomes.
	_place: Option<Place>,
}

impl<S> Watched<S> {
	/// Watches a stream of bytes, which has a place.
	pub fn new(stream: S, activity: Activity, place: Option<Place>) -> Self {
		let until = activity.until(Instant::now());
		Self { stream, activity, alarm: Box::pin(sleep_until(until.into())), _place: place }
	}

	/// Ready when the connection has to end.
	fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<()> {
		loop {
			ready!(self.alarm.as_mut().poll(context));
			let now = Instant::now();
			let until = self.activity.until(now);
			if until <= now {
				return Poll::Ready(());
			}
			self.alarm.as_mut().reset(until.into());
		}
	}
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
	fn poll_read(
		mut self: Pin<&mut Self>,
		context: &mut Context<'_>,
		buffer: &mut ReadBuf<'_>,
	) -> Poll<io::Result<()>> {
		if self.poll_end(context).is_ready() {
			// As if the other side had closed.
			return Poll::Ready(Ok(()));
		}
		Pin::new(&mut self.stream).poll_read(context, buffer)
	}
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
	fn poll_write(
		mut self: Pin<&mut Self>,
		context: &mut Context<'_>,
		bytes: &[u8],
	) -> Poll<io::Result<usize>> {
		Pin::new(&mut self.stream).poll_write(context, bytes)
	}

	fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.stream).poll_flush(context)
	}

	fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.stream).poll_shutdown(context)
	}
}

/// Notes the questions of one connection.
#[derive(Clone)]
pub struct Noting<S> {
	service: S,
	activity: Activity,
}

/// Layer that makes [`Noting`].
#[derive(Clone)]
pub struct NotingLayer(pub Activity);

impl<S> tower::Layer<S> for NotingLayer {
	type Service = Noting<S>;

	fn layer(&self, service: S) -> Noting<S> {
		Noting { service, activity: self.0.clone() }
	}
}

impl<'a, S> RpcServiceT<'a> for Noting<S>
where
	S: RpcServiceT<'a> + Clone + Send + Sync + 'static,
{
	type Future = BoxFuture<'a, MethodResponse>;

	fn call(&self, request: Request<'a>) -> Self::Future {
		let (service, activity) = (self.service.clone(), self.activity.clone());
		activity.asked();
		async move {
			let response = service.call(request).await;
			activity.answered(response.is_subscription() && response.is_success());
			response
		}
		.boxed()
	}
}

/// Places of each address.
#[derive(Debug, Clone)]
pub struct Places {
	each: usize,
	taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub struct Place {
	of: IpAddr,
	places: Places,
}

/// Who has an IPv6 address has 2⁶⁴ of them.
fn owner(address: IpAddr) -> IpAddr {
	match address.to_canonical() {
		IpAddr::V6(address) => {
			let [a, b, c, d, ..] = address.segments();
			Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
		},
		address => address,
	}
}

impl Places {
	/// Half of all places for each address.
	pub fn new(all: u32) -> Self {
		let each = usize::try_from(all / 2).unwrap_or(usize::MAX).max(1);
		Self { each, taken: Arc::default() }
	}

	/// Takes a place; `None` if the address has its share. This machine, and whatever proxy runs on
	/// it, has no share of its own.
	pub fn take(&self, address: IpAddr) -> Option<Place> {
		let of = owner(address);
		let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
		let number = taken.entry(of).or_default();
		if *number >= self.each && !address.to_canonical().is_loopback() {
			return None;
		}
		*number = number.saturating_add(1);
		Some(Place { of, places: self.clone() })
	}
}

impl Drop for Place {
	fn drop(&mut self) {
		let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
		if let Some(number) = taken.get_mut(&self.of) {
			*number = number.saturating_sub(1);
			if *number == 0 {
				taken.remove(&self.of);
			}
		}
	}
}
