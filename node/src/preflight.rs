//! Checks and adjustments between the command line and the service.
//!
//! If a port is in use, the start ends here with a clear message. Upstream would move the RPC to a
//! random port, log one line about the metrics and share the port of the network.

use gridproof_node_service::Error;
use sc_network::{
	config::{SyncMode, TransportConfig},
	multiaddr::{Multiaddr, Protocol},
};
use sc_rpc_server::RpcMethods;
use sc_service::{ChainType, Configuration};
use std::{
	io::ErrorKind,
	net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
};

/// Ways in which the node listens for other nodes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listening {
	/// `--p2p-external`: on all network interfaces.
	pub external: bool,
	/// `--listen-addr`: on addresses that the operator has given.
	pub explicit: bool,
	/// `--discover-local`: look for nodes of the local network by mDNS.
	pub discover_local: bool,
}

/// Applies the rule "on this machine only, unless configured otherwise", and makes the RPC fail
/// instead of moving when its port is in use.
pub(crate) fn adjust(config: &mut Configuration, listening: Listening) {
	if !listening.external && !listening.explicit {
		for address in &mut config.network.listen_addresses {
			*address = on_loopback(address);
		}
	}
	let reachable = !config.network.listen_addresses.iter().all(is_loopback);
	if let TransportConfig::Normal { enable_mdns, .. } = &mut config.network.transport {
		// mDNS opens a port on all interfaces and announces addresses that nobody can reach.
		*enable_mdns &= reachable || listening.discover_local;
	}
	if !reachable && config.chain_spec.chain_type() == ChainType::Live {
		tracing::warn!(
			"This node listens on this machine only: others cannot connect to it. \
			 Pass --p2p-external (or --listen-addr) to be part of the network."
		);
	}
	for endpoint in config.rpc.addr.iter_mut().flatten() {
		endpoint.retry_random_port = false;
	}
}

/// What an operator has to know of a way to synchronise before it seems to hang.
pub(crate) fn hint_of_sync(mode: &SyncMode) -> Option<&'static str> {
	matches!(mode, SyncMode::Warp).then_some(
		"Warp sync begins when three peers are connected, and waits silently until then. Name more boot \
		 nodes (--bootnodes), or take --sync full.",
	)
}

/// What the operator of a validator has to know whose network has one node in the middle.
pub(crate) fn hint_of_star(
	is_validator: bool,
	chain: &ChainType,
	boot_nodes: usize,
) -> Option<&'static str> {
	let is_network = !matches!(chain, ChainType::Development);
	(is_validator && is_network && boot_nodes == 1).then_some(
		"This network has one boot node: nodes that can be reached by it alone lose each other, and blocks \
		 stop, when it stops. Name every validator as a boot node, in the chain's specification or with \
		 --bootnodes.",
	)
}

/// Refuses unsafe RPC methods on an address that others reach, whichever options made it so.
pub(crate) fn check_methods(config: &Configuration) -> Result<(), Error> {
	for endpoint in config.rpc.addr.iter().flatten() {
		check_methods_at(endpoint.listen_addr, &endpoint.rpc_methods)?;
	}
	Ok(())
}

fn check_methods_at(address: SocketAddr, methods: &RpcMethods) -> Result<(), Error> {
	if address.ip().is_loopback() || !matches!(methods, RpcMethods::Unsafe) {
		return Ok(());
	}
	Err(Error::Explained(format!(
		"The RPC would offer unsafe methods (keys, log settings, the pool) to everybody who reaches \
		 {address}. Unsafe methods are for this machine: leave --rpc-external and the like out for as \
		 long as you need --rpc-methods unsafe, or give them an address of their own: \
		 --experimental-rpc-endpoint \"listen-addr=127.0.0.1:9945,methods=unsafe\""
	)))
}

/// Checks that every TCP port on which the node is going to listen is free.
pub(crate) fn check_ports(config: &Configuration) -> Result<(), Error> {
	for address in config.network.listen_addresses.iter().filter_map(tcp_address) {
		check_port(address, "other nodes", "--port")?;
	}
	for endpoint in config.rpc.addr.iter().flatten() {
		check_port(endpoint.listen_addr, "the RPC", "--rpc-port")?;
	}
	if let Some(prometheus) = &config.prometheus_config {
		check_port(prometheus.port, "metrics", "--prometheus-port")?;
	}
	Ok(())
}

fn check_port(address: SocketAddr, purpose: &str, option: &str) -> Result<(), Error> {
	if address.port() == 0 {
		return Ok(());
	}
	match TcpListener::bind(address) {
		Ok(_) => Ok(()),
		Err(error) if error.kind() == ErrorKind::AddrInUse => Err(Error::Explained(format!(
			"Port {} on {} is taken, and the node needs it for {purpose}. Stop the program that \
			 uses it (another node?), or choose another port: {option} PORT",
			address.port(),
			address.ip()
		))),
		Err(error) if error.kind() == ErrorKind::PermissionDenied => {
			Err(Error::Explained(format!(
				"Port {} is reserved for the administrator; choose one above 1023: {option} PORT",
				address.port()
			)))
		},
		// A machine without IPv6, say; the part that listens decides whether it can do without.
		Err(_) => Ok(()),
	}
}

/// Returns the same address on the loopback interface.
fn on_loopback(address: &Multiaddr) -> Multiaddr {
	address.iter().fold(Multiaddr::empty(), |address, part| {
		address.with(match part {
			Protocol::Ip4(_) => Protocol::Ip4(Ipv4Addr::LOCALHOST),
			Protocol::Ip6(_) => Protocol::Ip6(Ipv6Addr::LOCALHOST),
			other => other,
		})
	})
}

fn is_loopback(address: &Multiaddr) -> bool {
	ip_address(address).is_some_and(|ip| ip.is_loopback())
}

fn ip_address(address: &Multiaddr) -> Option<IpAddr> {
	match address.iter().next()? {
		Protocol::Ip4(ip) => Some(ip.into()),
		Protocol::Ip6(ip) => Some(ip.into()),
		_ => None,
	}
}

fn tcp_address(address: &Multiaddr) -> Option<SocketAddr> {
	let ip = ip_address(address)?;
	address.iter().find_map(|part| match part {
		Protocol::Tcp(port) => Some(SocketAddr::new(ip, port)),
		_ => None,
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	fn address(text: &str) -> Multiaddr {
		text.parse().expect("valid multiaddress")
	}

	#[test]
	fn an_address_moves_to_loopback_and_keeps_port_and_transport() {
		for (from, to) in [
			("/ip4/0.0.0.0/tcp/30333", "/ip4/127.0.0.1/tcp/30333"),
			("/ip6/::/tcp/30333/ws", "/ip6/::1/tcp/30333/ws"),
			("/ip4/0.0.0.0/udp/1/webrtc-direct", "/ip4/127.0.0.1/udp/1/webrtc-direct"),
		] {
			assert_eq!(on_loopback(&address(from)), address(to));
			assert!(is_loopback(&address(to)));
			assert!(!is_loopback(&address(from)));
		}
	}

	#[test]
	fn a_taken_port_is_an_error_that_names_port_purpose_and_option() {
		let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
		let taken = listener.local_addr().expect("bound");
		let error = check_port(taken, "the RPC", "--rpc-port").expect_err("taken").to_string();
		assert!(error.contains(&taken.port().to_string()), "{error}");
		assert!(error.contains("for the RPC"), "{error}");
		assert!(error.ends_with("--rpc-port PORT"), "{error}");
		drop(listener);
		assert!(check_port(taken, "the RPC", "--rpc-port").is_ok());
	}

	#[test]
	fn unsafe_methods_are_for_this_machine_whatever_the_flags() {
		let refused = |address: &str, methods| {
			check_methods_at(address.parse().expect("an address"), &methods).is_err()
		};
		for public in ["0.0.0.0:9944", "192.0.2.1:9944", "[::]:9944", "[2001:db8::1]:9944"] {
			assert!(refused(public, RpcMethods::Unsafe), "{public}");
			assert!(!refused(public, RpcMethods::Auto), "{public}: auto is safe there");
			assert!(!refused(public, RpcMethods::Safe));
		}
		for local in ["127.0.0.1:9944", "[::1]:9944"] {
			assert!(!refused(local, RpcMethods::Unsafe), "{local}");
		}
	}

	#[test]
	fn warp_sync_says_how_many_peers_it_waits_for() {
		let hint = hint_of_sync(&SyncMode::Warp).expect("it waits");
		assert!(hint.contains("three peers") && hint.contains("--sync full"), "{hint}");
		assert_eq!(hint_of_sync(&SyncMode::Full), None);
	}

	#[test]
	fn a_validator_of_a_network_with_one_boot_node_is_told_what_that_means() {
		let hint = |chain, boot_nodes| hint_of_star(true, &chain, boot_nodes);
		assert!(hint(ChainType::Live, 1).is_some_and(|hint| hint.contains("every validator")));
		assert!(hint(ChainType::Local, 1).is_some());
		assert_eq!(hint(ChainType::Live, 2), None);
		assert_eq!(
			hint(ChainType::Live, 0),
			None,
			"it may be the first, or find others on its own"
		);
		assert_eq!(hint(ChainType::Development, 1), None);
		assert_eq!(hint_of_star(false, &ChainType::Live, 1), None);
	}

	#[test]
	fn port_zero_is_any_free_port() {
		assert!(check_port(SocketAddr::from(([127, 0, 0, 1], 0)), "metrics", "-").is_ok());
	}

	#[test]
	fn only_tcp_addresses_are_checked() {
		let tcp = tcp_address(&address("/ip4/127.0.0.1/tcp/30333/ws"));
		assert_eq!(tcp, Some(SocketAddr::from(([127, 0, 0, 1], 30333))));
		assert_eq!(tcp_address(&address("/ip4/127.0.0.1/udp/30333/webrtc-direct")), None);
	}
}
