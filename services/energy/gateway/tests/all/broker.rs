//! An external broker, played by the test: what it answers and delivers, and what comes of it.

use crate::common::{Desk, Running, reading, topic};
use gridproof_gateway::Broker;
use std::time::{Duration, Instant};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::{TcpListener, TcpStream},
};
use zeroize::Zeroizing;

const METER: &str = "PLANT-01/gw-1/MTR-001";

async fn packet(stream: &mut TcpStream) -> std::io::Result<(u8, Vec<u8>)> {
	let first = stream.read_u8().await?;
	let (mut length, mut shift) = (0usize, 0);
	loop {
		let byte = stream.read_u8().await?;
		length |= usize::from(byte & 0x7f) << shift;
		shift += 7;
		if byte & 0x80 == 0 {
			break;
		}
	}
	let mut rest = vec![0; length];
	stream.read_exact(&mut rest).await?;
	Ok((first, rest))
}

fn publish(id: u16, topic: &str, payload: &[u8]) -> Vec<u8> {
	let length = (topic.len() as u16).to_be_bytes();
	let rest = [&length[..], topic.as_bytes(), &id.to_be_bytes(), payload].concat();
	let mut packet = vec![0x32];
	let mut length = rest.len();
	loop {
		let (byte, more) = ((length % 128) as u8, length / 128);
		packet.push(if more > 0 { byte | 0x80 } else { byte });
		length = more;
		if length == 0 {
			break;
		}
	}
	packet.extend(rest);
	packet
}

/// Lets the gateway in, and answers its subscriptions with these codes; returns the filters.
async fn admit(listener: &TcpListener, codes: [u8; 2]) -> (TcpStream, Vec<u8>, Vec<u8>) {
	let (mut stream, _) = listener.accept().await.unwrap();
	let (first, connect) = packet(&mut stream).await.unwrap();
	assert_eq!(first, 0x10);
	stream.write_all(&[0x20, 2, 0, 0]).await.unwrap();
	let mut subscribe = Vec::new();
	for code in codes {
		let (first, filter) = packet(&mut stream).await.unwrap();
		assert_eq!(first, 0x82);
		stream.write_all(&[0x90, 3, filter[0], filter[1], code]).await.unwrap();
		subscribe.extend(filter);
	}
	(stream, connect, subscribe)
}

async fn gateway(desk: &mut Desk, password: Option<&str>) -> (Running, TcpListener) {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	desk.settings.mqtt = None;
	desk.settings.broker = Some(Broker {
		url: Zeroizing::new(format!("mqtt://meters@{}", listener.local_addr().unwrap())),
		password: password.map(|password| Zeroizing::new(password.to_string())),
		authority: None,
		client_id: None,
		filter: None,
	});
	(desk.start(vec![]).await, listener)
}

async fn acknowledged(stream: &mut TcpStream) -> u16 {
	loop {
		let (first, rest) = packet(stream).await.unwrap();
		if first == 0x40 {
			return u16::from_be_bytes([rest[0], rest[1]]);
		}
	}
}

#[tokio::test]
async fn one_message_that_is_too_large_is_put_away_and_the_log_behind_it_is_taken() {
	// The last one is larger than any limit that a library sets on its own.
	for bytes in [140_000, 65_537, 1_000_000, 70 << 20] {
		let mut desk = Desk::new();
		let (gateway, listener) = gateway(&mut desk, None).await;
		let (mut stream, ..) = admit(&listener, [1, 1]).await;
		let camera = "energy/PLANT-01/gw-1/camera";
		stream.write_all(&publish(1, camera, &vec![b'x'; bytes])).await.unwrap();
		let log = include_bytes!("../data/log.json");
		stream.write_all(&publish(2, &topic(METER), log)).await.unwrap();
		let done = [acknowledged(&mut stream).await, acknowledged(&mut stream).await];
		assert_eq!(done, [1, 2], "{bytes}");
		assert_eq!(gateway.storage().counts().await.unwrap().readings, 1);
		let (_, letters) = gateway.get("/api/v1/dead-letters").await;
		assert_eq!(
			(&letters[0]["reason"], &letters[0]["payload"]),
			(&"too_large".into(), &"".into())
		);
		assert!(letters[0]["detail"].as_str().unwrap().starts_with(&bytes.to_string()));
		assert_eq!(letters[0]["topic"], camera);
		gateway.stop().await;
	}
}

#[tokio::test]
async fn messages_are_acknowledged_in_the_order_in_which_the_broker_sent_them() {
	let (mut desk, chain) = Desk::new().with_chain();
	desk.settings.refresh = Duration::from_secs(3_600);
	let (gateway, listener) = gateway(&mut desk, None).await;
	let (mut stream, ..) = admit(&listener, [1, 1]).await;
	// What the gateway asks about a meter that it has never heard of has no answer: it waits a while.
	chain.hang(true);
	let slow = reading(METER, 0, "1", "");
	stream.write_all(&publish(1, &topic(METER), slow.as_bytes())).await.unwrap();
	for id in 2..=5 {
		stream.write_all(&publish(id, &topic(METER), b"no log")).await.unwrap();
	}
	let mut done = Vec::new();
	while done.len() < 5 {
		done.push(acknowledged(&mut stream).await);
	}
	assert_eq!(
		done,
		[1, 2, 3, 4, 5],
		"a broker ends the connection of a client that does otherwise"
	);
	assert_eq!(gateway.storage().counts().await.unwrap().readings, 1);
	gateway.stop().await;
}

#[tokio::test]
async fn a_subscription_that_is_refused_is_in_the_status_until_it_is_granted() {
	for codes in [[0x80, 0x80], [0x80, 1], [1, 0x80]] {
		let mut desk = Desk::new();
		let (gateway, listener) = gateway(&mut desk, None).await;
		let (stream, ..) = admit(&listener, codes).await;
		let begin = Instant::now();
		let refused = if codes[0] == 0x80 { "energy/+/+/+" } else { "energy/+/+/+/signed" };
		loop {
			let run = gateway.client.status().await.unwrap().run;
			if run.trouble.as_ref().is_some_and(|trouble| trouble.contains(refused)) {
				assert_eq!(run.broker_connected, Some(false));
				break;
			}
			assert!(begin.elapsed() < Duration::from_secs(5), "{run:?}");
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
		drop(stream);
		let (_stream, ..) = admit(&listener, [1, 0]).await;
		loop {
			let run = gateway.client.status().await.unwrap().run;
			if run.broker_connected == Some(true) {
				assert_eq!(run.trouble, None);
				break;
			}
			assert!(begin.elapsed() < Duration::from_secs(15), "{run:?}");
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
		gateway.stop().await;
	}
}

#[tokio::test]
async fn every_password_arrives_byte_for_byte_and_each_gateway_has_its_own_name() {
	let mut names = Vec::new();
	for password in ["p%3D==", "a@b", "a/b?c#d", "%2541%", "grün 密", "-----BEGIN"] {
		let mut desk = Desk::new();
		let (gateway, listener) = gateway(&mut desk, Some(password)).await;
		let (_stream, connect, subscribe) = admit(&listener, [1, 1]).await;
		let tail = [&(password.len() as u16).to_be_bytes()[..], password.as_bytes()].concat();
		assert!(connect.ends_with(&tail), "{password}");
		let length = usize::from(u16::from_be_bytes([connect[10], connect[11]]));
		names.push(connect[12..12 + length].to_vec());
		assert!(subscribe.windows(12).any(|part| part == b"energy/+/+/+"));
		gateway.stop().await;
	}
	names.sort();
	names.dedup();
	assert_eq!(names.len(), 6, "two gateways with one name drive each other out");
}

#[tokio::test]
async fn the_connection_s_end_does_not_lose_what_was_not_acknowledged() {
	let mut desk = Desk::new();
	let (gateway, listener) = gateway(&mut desk, None).await;
	let (mut stream, ..) = admit(&listener, [1, 1]).await;
	stream
		.write_all(&publish(1, &topic(METER), reading(METER, 0, "1", "").as_bytes()))
		.await
		.unwrap();
	drop(stream);
	let (mut stream, ..) = admit(&listener, [1, 1]).await;
	stream
		.write_all(&publish(1, &topic(METER), reading(METER, 0, "1", "").as_bytes()))
		.await
		.unwrap();
	assert_eq!(acknowledged(&mut stream).await, 1);
	assert_eq!(gateway.storage().counts().await.unwrap().readings, 1);
	gateway.stop().await;
}
