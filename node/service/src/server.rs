//! The RPC server: the SDK's, but for who is let in and how long he stays.
//!
//! Filters, limits, metrics and `/health` are the SDK's; its own listener knows neither addresses
//! nor silence (see [`connections`](crate::connections)), and takes a proxy on this machine for the
//! operator. Here whatever came through a proxy gets safe methods only, whatever flags say.

use crate::{
	connections::{Activity, NotingLayer, Patience, Place, Places, Watched},
	error::Error,
};
use hyper::body::Incoming;
use jsonrpsee::{
	Methods, RpcModule,
	core::BoxError,
	server::{
		HttpRequest, PingConfig, RandomStringIdProvider, RpcServiceBuilder, Server, StopHandle,
		TowerServiceBuilder, middleware::http::HostFilterLayer, serve_with_graceful_shutdown,
		stop_channel, ws,
	},
};
use sc_rpc::DenyUnsafe;
use sc_rpc_server::{
	Metrics, MiddlewareLayer, NodeHealthProxyLayer, RpcEndpoint, RpcMetrics, create_rpc_runtime,
	utils::deny_unsafe,
};
use std::{
	io::ErrorKind,
	net::{IpAddr, SocketAddr},
	num::NonZeroU32,
	time::{Duration, Instant},
};
use tokio::{
	net::{TcpListener, TcpStream},
	runtime::{Handle, Runtime},
};
use tower::{Layer, Service, layer::util::Identity};
use tower_http::cors::{AllowOrigin, CorsLayer};

const MEGABYTE: u32 = 1024 * 1024;

/// Headers by which a proxy says for whom it asks.
const PROXY_HEADERS: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// A running server, which ends when this is dropped.
pub struct Running {
	runtime: Option<Runtime>,
	_stop: jsonrpsee::server::ServerHandle,
}

impl Drop for Running {
	fn drop(&mut self) {
		if let Some(runtime) = self.runtime.take() {
			runtime.shutdown_background();
		}
	}
}

/// What all connections of a server share.
#[derive(Clone)]
struct Shared {
	methods: Methods,
	metrics: Option<RpcMetrics>,
	stop: StopHandle,
	patience: Patience,
	logged: u32,
}

/// Starts a server with these methods at all addresses that are free.
///
/// # Errors
/// If an address that is not optional cannot be had, or none can.
pub fn start(
	node: &Handle,
	endpoints: Vec<RpcEndpoint>,
	methods: RpcModule<()>,
	metrics: Option<RpcMetrics>,
	logged: u32,
	patience: Patience,
) -> Result<(Running, Vec<SocketAddr>), Error> {
	let explain = |error: &dyn std::fmt::Display| {
		Error::Explained(format!("The RPC server cannot start: {error}"))
	};
	let most = endpoints.iter().map(|endpoint| endpoint.max_connections).max().unwrap_or(1);
	let runtime = create_rpc_runtime(most).map_err(|error| explain(&error))?;
	let workers = runtime.handle().clone();
	let names: Vec<&'static str> = methods.method_names().collect();
	let (stop, handle) = stop_channel();
	// From here on, since a runtime that is dropped by an error on the way would wait, and a task must
	// not: it would panic beside the error.
	let running = Running { runtime: Some(runtime), _stop: handle };
	let shared = Shared {
		methods: methods.into(),
		metrics: metrics.map(|metrics| metrics.with_known_methods(names)),
		stop,
		patience,
		logged,
	};
	let mut addresses = Vec::new();
	for endpoint in endpoints {
		let asked = endpoint.listen_addr;
		let bound = tokio::task::block_in_place(|| node.block_on(TcpListener::bind(asked)));
		let listener = match bound.and_then(TcpListener::into_std) {
			Ok(listener) => listener,
			Err(_) if endpoint.is_optional => continue,
			Err(error) if error.kind() == ErrorKind::AddrInUse => {
				return Err(explain(&format!(
					"{asked} is in use: another program has taken it while the node started. Stop \
					 that one, or choose another port: --rpc-port PORT"
				)));
			},
			Err(error) => return Err(explain(&format!("{asked}: {error}"))),
		};
		let address = listener.local_addr().map_err(|error| explain(&error))?;
		addresses.push(address);
		let door = Door::new(endpoint, address, &workers).map_err(|error| explain(&error))?;
		workers.spawn(door.watch(listener, shared.clone()));
	}
	if addresses.is_empty() {
		return Err(explain(&"no address can be listened on"));
	}
	let shown: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
	tracing::info!("Running JSON-RPC server: addr={},", shown.join(", "));
	Ok((running, addresses))
}

/// One address, and who may come in there.
#[derive(Clone)]
struct Door {
	hosts: HostFilterLayer,
	cors: CorsLayer,
	unsafe_methods: DenyUnsafe,
	builder: TowerServiceBuilder<Identity, Identity>,
	places: Places,
	rate: Option<NonZeroU32>,
	trusts_proxies: bool,
	free_of_rate: Vec<sc_rpc_server::IpNetwork>,
}

impl Door {
	fn new(endpoint: RpcEndpoint, address: SocketAddr, runtime: &Handle) -> Result<Self, BoxError> {
		let port = address.port();
		let hosts = match &endpoint.cors {
			Some(_) => HostFilterLayer::new(
				["localhost", "127.0.0.1", "[::1]"].map(|host| format!("{host}:{port}")),
			)?,
			None => HostFilterLayer::disable(),
		};
		let cors = match &endpoint.cors {
			Some(origins) => {
				let origins = origins.iter().map(|origin| origin.parse());
				let origins = origins.collect::<Result<Vec<_>, _>>()?;
				CorsLayer::new().allow_origin(AllowOrigin::list(origins))
			},
			None => CorsLayer::permissive(),
		};
		let pings = PingConfig::new()
			.ping_interval(Duration::from_secs(30))
			.inactive_limit(Duration::from_secs(60))
			.max_failures(3);
		let builder = Server::builder()
			.max_request_body_size(endpoint.max_payload_in_mb.saturating_mul(MEGABYTE))
			.max_response_body_size(endpoint.max_payload_out_mb.saturating_mul(MEGABYTE))
			.max_connections(endpoint.max_connections)
			.max_subscriptions_per_connection(endpoint.max_subscriptions_per_connection)
			.set_message_buffer_capacity(endpoint.max_buffer_capacity_per_connection)
			.set_batch_request_config(endpoint.batch_config)
			.enable_ws_ping(pings)
			.set_id_provider(RandomStringIdProvider::new(16))
			.custom_tokio_runtime(runtime.clone())
			.to_service_builder();
		Ok(Self {
			hosts,
			cors,
			unsafe_methods: deny_unsafe(&address, &endpoint.rpc_methods),
			builder,
			places: Places::new(endpoint.max_connections),
			rate: endpoint.rate_limit,
			trusts_proxies: endpoint.rate_limit_trust_proxy_headers,
			free_of_rate: endpoint.rate_limit_whitelisted_ips,
		})
	}

	/// Lets connections in until the server stops.
	async fn watch(self, listener: std::net::TcpListener, shared: Shared) {
		let listener = match TcpListener::from_std(listener) {
			Ok(listener) => listener,
			Err(error) => {
				tracing::error!(event = "rpc_listener", %error, "The RPC server cannot listen");
				return;
			},
		};
		loop {
			let accepted = tokio::select! {
				accepted = listener.accept() => accepted,
				() = shared.stop.clone().shutdown() => return,
			};
			let Ok((stream, address)) = accepted else {
				// No file is free, say: let some be closed first.
				tokio::time::sleep(Duration::from_millis(50)).await;
				continue;
			};
			let Some(place) = self.places.take(address.ip()) else { continue };
			tokio::spawn(self.clone().serve(stream, address.ip(), place, shared.clone()));
		}
	}

	async fn serve(self, stream: TcpStream, ip: IpAddr, place: Place, shared: Shared) {
		let activity = Activity::new(shared.patience);
		let stream = Watched::new(stream, activity.clone(), Some(place));
		let stop = shared.stop.clone();
		let service = tower::service_fn(move |request: HttpRequest<Incoming>| {
			self.answer(request, ip, &shared, &activity)
		});
		let _ = serve_with_graceful_shutdown(stream, service, stop.shutdown()).await;
	}

	/// Answers one HTTP request, which may become a WebSocket.
	fn answer(
		&self,
		mut request: HttpRequest<Incoming>,
		ip: IpAddr,
		shared: &Shared,
		activity: &Activity,
	) -> impl Future<Output = Result<jsonrpsee::server::HttpResponse, BoxError>> + Send + use<> {
		let came_through_a_proxy =
			PROXY_HEADERS.iter().any(|name| request.headers().contains_key(*name));
		let deny = if came_through_a_proxy { DenyUnsafe::Yes } else { self.unsafe_methods };
		request.extensions_mut().insert(deny);

		let client = if self.trusts_proxies { proxied(&request).unwrap_or(ip) } else { ip };
		let is_free_of_rate = self.free_of_rate.iter().any(|network| network.contains(client));
		let is_websocket = ws::is_upgrade_request(&request);
		let limits = limits(
			shared.metrics.clone(),
			if is_websocket { "ws" } else { "http" },
			self.rate.filter(|_| !is_free_of_rate),
		);
		let questions = RpcServiceBuilder::new()
			.rpc_logger(shared.logged)
			.option_layer(limits.clone())
			.layer(NotingLayer(activity.clone()));
		let mut service = self
			.builder
			.clone()
			.set_rpc_middleware(questions)
			.build(shared.methods.clone(), shared.stop.clone());
		if is_websocket && let Some(limits) = limits {
			let closed = service.on_session_closed();
			tokio::spawn(async move {
				let began = Instant::now();
				limits.ws_connect();
				closed.await;
				limits.ws_disconnect(began);
			});
		}
		let service = NodeHealthProxyLayer.layer(self.cors.layer(service));
		let mut service = self.hosts.layer(service);
		async move { service.call(request).await }
	}
}

/// The SDK's metrics and limit of questions a minute, where there are any.
fn limits(
	metrics: Option<RpcMetrics>,
	transport: &'static str,
	rate: Option<NonZeroU32>,
) -> Option<MiddlewareLayer> {
	if metrics.is_none() && rate.is_none() {
		return None;
	}
	let mut layer = MiddlewareLayer::new();
	if let Some(metrics) = metrics {
		layer = layer.with_metrics(Metrics::new(metrics, transport));
	}
	if let Some(rate) = rate {
		layer = layer.with_rate_limit_per_minute(rate);
	}
	Some(layer)
}

/// The address for which a proxy asks, as it says.
fn proxied(request: &HttpRequest<Incoming>) -> Option<IpAddr> {
	let header = |name: &str| request.headers().get(name)?.to_str().ok();
	let first = |text: &str| text.split(',').next()?.trim().parse().ok();
	header("forwarded")
		.and_then(forwarded)
		.or_else(|| header("x-forwarded-for").and_then(first))
		.or_else(|| header("x-real-ip").and_then(first))
}

/// Reads the header `Forwarded` (RFC 7239): `for=192.0.2.1`, `for="[2001:db8::1]:4711"`.
fn forwarded(text: &str) -> Option<IpAddr> {
	let mut pairs = text.split(',').next()?.split(';');
	let value = pairs.find_map(|pair| {
		let (name, value) = pair.split_once('=')?;
		name.trim().eq_ignore_ascii_case("for").then_some(value)
	})?;
	let value = value.trim().trim_matches('"');
	let with_port = || value.parse::<SocketAddr>().ok().map(|address| address.ip());
	with_port().or_else(|| value.trim_matches(['[', ']']).parse().ok())
}
