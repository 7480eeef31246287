//! Ports that are free.

use anyhow::{Context, Result};
use std::{
	hash::{BuildHasher, Hasher, RandomState},
	net::TcpListener,
};

/// Ports that are given out: below those that the system gives to whatever connects, so that none is
/// taken between its choice and its use.
const PORTS: (u16, u16) = (10_100, 32_000);

/// A port at random.
fn some_port() -> u16 {
	let (first, end) = PORTS;
	let random = RandomState::new().build_hasher().finish() % u64::from(end - first);
	first + u16::try_from(random).unwrap_or_default()
}

/// Different ports that are free now; all are held until the last is chosen.
///
/// # Errors
/// When there are none.
pub fn free_ports<const N: usize>() -> Result<[u16; N]> {
	let mut held = Vec::with_capacity(N);
	let mut ports = [0; N];
	for port in &mut ports {
		let listener = (0..1_000)
			.find_map(|_| TcpListener::bind(("127.0.0.1", some_port())).ok())
			.context("cannot find a free port")?;
		*port = listener.local_addr()?.port();
		held.push(listener);
	}
	Ok(ports)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn ports_that_are_given_out_together_differ_and_the_system_gives_them_to_nobody() {
		let ports = free_ports::<3>().expect("free ports");
		assert!(ports[0] != ports[1] && ports[1] != ports[2] && ports[0] != ports[2]);
		assert!(ports.iter().all(|port| (10_100..32_000).contains(port)));
	}
}
