//! The RPC server's start.

use gridproof_node_service::{connections::Patience, server};
use jsonrpsee::{RpcModule, server::BatchRequestConfig};
use sc_rpc_server::{RpcEndpoint, RpcMethods};
use std::{
	net::{Ipv4Addr, SocketAddr, TcpListener},
	time::{Duration, Instant},
};
use tokio::runtime::Handle;

fn endpoint(listen_addr: SocketAddr) -> RpcEndpoint {
	RpcEndpoint {
		listen_addr,
		batch_config: BatchRequestConfig::Unlimited,
		max_connections: 4,
		max_payload_in_mb: 1,
		max_payload_out_mb: 1,
		max_subscriptions_per_connection: 4,
		max_buffer_capacity_per_connection: 4,
		rate_limit: None,
		rate_limit_trust_proxy_headers: false,
		rate_limit_whitelisted_ips: Vec::new(),
		cors: None,
		rpc_methods: RpcMethods::Safe,
		is_optional: false,
		retry_random_port: false,
	}
}

fn listener() -> (TcpListener, SocketAddr) {
	let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
	let address = listener.local_addr().expect("bound");
	(listener, address)
}

/// As a node starts it: within a task, where no runtime may be waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_while_the_node_starts_ends_it_with_an_error_and_no_panic() {
	let (free, first) = listener();
	let (_held, taken) = listener();
	drop(free);
	let endpoints = vec![endpoint(first), endpoint(taken)];
	let (node, methods) = (Handle::current(), RpcModule::new(()));
	let started = server::start(&node, endpoints, methods, None, 0, Patience::default());
	let error = started.err().expect("one is taken").render("");
	assert!(error.contains(&taken.to_string()), "{error}");
	assert!(error.ends_with("choose another port: --rpc-port PORT"), "{error}");
	let began = Instant::now();
	while TcpListener::bind(first).is_err() {
		assert!(began.elapsed() < Duration::from_secs(10), "what was opened is still open");
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
}
