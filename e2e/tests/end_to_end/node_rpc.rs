//! What strangers can ask of a node, and how long they may say nothing.

use anyhow::{Context, Result, bail, ensure};
use gridproof_e2e::{Node, NodeConfig, failure::run_to_exit};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use subxt::rpcs::client::rpc_params;
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::TcpStream,
	time::timeout,
};

const LIMIT: Duration = Duration::from_secs(60);

async fn post(port: u16, method: &str, proxied: bool) -> Result<Value> {
	let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": [] });
	let request = reqwest::Client::new().post(format!("http://127.0.0.1:{port}"));
	let request = request.header("content-type", "application/json").body(body.to_string());
	let request = if proxied { request.header("x-forwarded-for", "192.0.2.7") } else { request };
	Ok(serde_json::from_str(&request.send().await?.text().await?)?)
}

#[tokio::test]
async fn unsafe_methods_are_on_no_address_that_others_reach_and_behind_no_proxy() -> Result<()> {
	let folder = tempfile::tempdir()?;
	let path = folder.path().display().to_string();
	for more in [
		&["--rpc-external", "--rpc-methods", "unsafe"][..],
		&["--unsafe-rpc-external", "--rpc-methods", "unsafe"],
		&["--experimental-rpc-endpoint", "listen-addr=0.0.0.0:19999,methods=unsafe"],
	] {
		let mut arguments = vec!["--chain", "local", "--base-path", &path];
		arguments.extend(more);
		run_to_exit(&arguments)?.assert_refused(&["unsafe methods"]);
	}

	let mut config = NodeConfig::development();
	config.arguments.extend(["--rpc-methods", "unsafe"].map(str::to_owned));
	let node = Node::start(config).await?;
	let own = post(node.rpc_port(), "system_peers", false).await?;
	ensure!(own["result"].is_array(), "{own}");
	let proxied = post(node.rpc_port(), "system_peers", true).await?;
	ensure!(proxied["error"]["code"] == json!(-32601), "{proxied}");
	let safe = post(node.rpc_port(), "system_health", true).await?;
	ensure!(safe["result"].is_object(), "{safe}");
	Ok(())
}

#[tokio::test]
async fn lists_are_bounded_health_answers_and_a_development_chain_keeps_all_states() -> Result<()> {
	let node = Node::start(NodeConfig::development()).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let rpc = node.rpc()?;
	for method in ["state_getKeys", "childstate_getKeys", "state_getPairs"] {
		let error = rpc.call(method, rpc_params!["0x"]).await.err().context("it was answered")?;
		ensure!(format!("{error:#}").contains("-32601"), "{error:#}");
	}
	let keys = vec!["0x00"; 1_001];
	let error = rpc.call("state_queryStorageAt", rpc_params![keys]).await.err();
	let error = format!("{:#}", error.context("it was answered")?);
	ensure!(error.contains("At most 1000 keys"), "{error}");
	let methods = rpc.call("rpc_methods", rpc_params![]).await?.to_string();
	ensure!(methods.contains("archive_v1_storage"), "not all states are kept");
	let first = rpc.call("state_getMetadata", rpc_params![]).await?;
	ensure!(first == rpc.call("state_getMetadata", rpc_params![]).await?);
	let health = reqwest::get(format!("http://127.0.0.1:{}/health", node.rpc_port())).await?;
	ensure!(health.status().is_success());
	ensure!(health.text().await?.contains("isSyncing"));
	Ok(())
}

#[tokio::test]
async fn a_database_of_other_states_is_refused_with_both_ways_out_and_goes_on_as_it_was()
-> Result<()> {
	let folder = tempfile::tempdir()?;
	let mut config = NodeConfig::development();
	config.base_path = Some(folder.path().join("data"));
	let mut node = Node::start(config).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	node.stop()?;
	let path = folder.path().join("data").display().to_string();
	let ports = ["--rpc-port", "0", "--listen-addr", "/ip4/127.0.0.1/tcp/0", "--no-prometheus"];
	let other = ["--dev", "--base-path", &path, "--state-pruning", "256"];
	run_to_exit(&[&other[..], &ports].concat())?.assert_refused(&[
		"asks for (256)",
		"start with --state-pruning archive",
		"gridproof-node purge-chain --chain dev --base-path",
	]);
	node.restart().await?;
	node.wait_for_finalized(2, LIMIT).await?;
	Ok(())
}

/// A WebSocket that answers pings and says nothing else.
async fn silent(port: u16) -> Result<TcpStream> {
	let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
	let request = format!(
		"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
		 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	);
	stream.write_all(request.as_bytes()).await?;
	let mut answer = Vec::new();
	while !answer.ends_with(b"\r\n\r\n") {
		answer.push(timeout(LIMIT, stream.read_u8()).await??);
	}
	let answer = String::from_utf8_lossy(&answer);
	ensure!(answer.starts_with("HTTP/1.1 101"), "{answer}");
	Ok(stream)
}

/// Answers pings until the other side hangs up.
async fn answer_pings(mut stream: TcpStream) {
	while let Ok(first) = stream.read_u8().await {
		let Ok(length) = stream.read_u8().await else { return };
		let mut payload = vec![0; usize::from(length & 0x7f)];
		if stream.read_exact(&mut payload).await.is_err() {
			return;
		}
		if first == 0x89 {
			let mut pong = vec![0x8a, 0x80 | length, 0, 0, 0, 0];
			pong.extend(payload);
			if stream.write_all(&pong).await.is_err() {
				return;
			}
		}
	}
}

#[tokio::test]
async fn whoever_says_nothing_loses_his_place() -> Result<()> {
	let mut config = NodeConfig::development();
	config.arguments.extend(["--rpc-max-connections", "4"].map(str::to_owned));
	let node = Node::start(config).await?;
	let port = node.rpc_port();
	// One place is the test's own.
	let mut silent_ones = Vec::new();
	for _ in 0..3 {
		silent_ones.push(tokio::spawn(answer_pings(silent(port).await?)));
	}
	ensure!(silent(port).await.is_err(), "there were four places");
	let start = Instant::now();
	loop {
		tokio::time::sleep(Duration::from_secs(1)).await;
		if silent(port).await.is_ok() {
			break;
		}
		if start.elapsed() > Duration::from_secs(90) {
			bail!("they keep their places");
		}
	}
	ensure!(start.elapsed() > Duration::from_secs(50), "{:?}", start.elapsed());
	Ok(())
}
