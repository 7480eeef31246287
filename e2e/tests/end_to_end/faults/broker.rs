//! An MQTT broker that keeps what is published until the gateway has acknowledged it, and can go
//! away and come back. It speaks as much of MQTT 3.1.1 as one subscriber needs.

use anyhow::Result;
use std::{
	collections::BTreeMap,
	io,
	net::SocketAddr,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::{TcpListener, TcpStream},
	sync::Notify,
	task::{JoinHandle, JoinSet},
};

/// A broker with one subscriber, and what it keeps for it.
pub(crate) struct Broker {
	address: SocketAddr,
	kept: Arc<Kept>,
	serving: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Kept {
	messages: Mutex<Messages>,
	more: Notify,
}

#[derive(Default)]
struct Messages {
	next: u64,
	/// By number: topic and payload of what is not acknowledged.
	waiting: BTreeMap<u64, (String, String)>,
}

impl Kept {
	fn messages(&self) -> MutexGuard<'_, Messages> {
		self.messages.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Broker {
	/// A broker that is there.
	pub(crate) async fn start() -> Result<Self> {
		let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
		let (address, kept) = (listener.local_addr()?, Arc::<Kept>::default());
		let serving = Some(tokio::spawn(accept(listener, kept.clone())));
		Ok(Self { address, kept, serving })
	}

	/// Where it is, for `--broker`.
	pub(crate) fn url(&self) -> String {
		format!("mqtt://{}", self.address)
	}

	/// Goes away, with all connections.
	pub(crate) async fn leave(&mut self) {
		if let Some(serving) = self.serving.take() {
			serving.abort();
			// The answer is that it was ended.
			let _ = serving.await;
		}
	}

	/// Comes back.
	pub(crate) async fn come(&mut self) -> Result<()> {
		let listener = TcpListener::bind(self.address).await?;
		self.serving = Some(tokio::spawn(accept(listener, self.kept.clone())));
		Ok(())
	}

	/// Takes a message, at least once.
	pub(crate) fn publish(&self, topic: &str, payload: String) {
		let mut messages = self.kept.messages();
		let number = messages.next;
		messages.next += 1;
		messages.waiting.insert(number, (topic.to_owned(), payload));
		drop(messages);
		self.kept.more.notify_one();
	}

	/// How many messages are not acknowledged.
	pub(crate) fn waiting(&self) -> usize {
		self.kept.messages().waiting.len()
	}
}

async fn accept(listener: TcpListener, kept: Arc<Kept>) {
	// Dropped with this task, it ends the connections.
	let mut connections = JoinSet::new();
	loop {
		tokio::select! {
			accepted = listener.accept() => {
				if let Ok((stream, _)) = accepted {
					connections.spawn(serve(stream, kept.clone()));
				}
			},
			Some(_) = connections.join_next(), if !connections.is_empty() => (),
		}
	}
}

async fn serve(mut stream: TcpStream, kept: Arc<Kept>) -> io::Result<()> {
	let (mut buffer, mut next) = (Vec::new(), None);
	loop {
		tokio::select! {
			read = stream.read_buf(&mut buffer) => {
				if read? == 0 {
					return Ok(());
				}
			},
			() = kept.more.notified(), if next.is_some() => (),
		}
		while let Some((first, body)) = packet(&mut buffer) {
			let answer = match first & 0xf0 {
				0x10 => vec![0x20, 2, 0, 0],
				0x80 => {
					next = Some(0);
					granted(&body)
				},
				0xc0 => vec![0xd0, 0],
				0x30 if first & 0x06 != 0 => acknowledgement(&body),
				0x40 => {
					let id = u16::from_be_bytes([body[0], body[1]]);
					kept.messages().waiting.retain(|number, _| id_of(*number) != id);
					Vec::new()
				},
				0xe0 => return Ok(()),
				_ => Vec::new(),
			};
			stream.write_all(&answer).await?;
		}
		let Some(from) = next else { continue };
		let (packets, end) = {
			let messages = kept.messages();
			let new = messages.waiting.range(from..);
			let packets: Vec<u8> = new
				.flat_map(|(number, (topic, payload))| publication(*number, topic, payload))
				.collect();
			(packets, messages.next)
		};
		next = Some(end);
		stream.write_all(&packets).await?;
	}
}

/// The packet's number of a message; there are never as many under way at a time.
fn id_of(number: u64) -> u16 {
	u16::try_from(number % 65_535).unwrap_or_default() + 1
}

/// Takes a whole packet from the buffer: its first byte, and what follows its length.
fn packet(buffer: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
	let (mut length, mut place) = (0usize, 1);
	loop {
		let byte = *buffer.get(place)?;
		length |= usize::from(byte & 0x7f) << (7 * (place - 1));
		place += 1;
		if byte & 0x80 == 0 {
			break;
		}
	}
	if buffer.len() < place + length {
		return None;
	}
	let body = buffer[place..place + length].to_vec();
	let first = buffer[0];
	buffer.drain(..place + length);
	Some((first, body))
}

/// Grants every filter of a subscription, at least once.
fn granted(subscribe: &[u8]) -> Vec<u8> {
	let (mut place, mut codes) = (2, Vec::new());
	while let Some(length) = subscribe.get(place..place + 2) {
		place += 3 + usize::from(u16::from_be_bytes([length[0], length[1]]));
		codes.push(1);
	}
	let length = u8::try_from(2 + codes.len()).unwrap_or(u8::MAX);
	[&[0x90, length, subscribe[0], subscribe[1]][..], &codes].concat()
}

/// What the gateway publishes is acknowledged, and reaches nobody.
fn acknowledgement(publish: &[u8]) -> Vec<u8> {
	let topic = usize::from(u16::from_be_bytes([publish[0], publish[1]]));
	vec![0x40, 2, publish[2 + topic], publish[3 + topic]]
}

fn publication(number: u64, topic: &str, payload: &str) -> Vec<u8> {
	let length = u16::try_from(topic.len()).unwrap_or(u16::MAX).to_be_bytes();
	let id = id_of(number).to_be_bytes();
	let body = [&length[..], topic.as_bytes(), &id, payload.as_bytes()].concat();
	let (mut packet, mut rest) = (vec![0x32], body.len());
	loop {
		let byte = u8::try_from(rest % 128).unwrap_or_default();
		rest /= 128;
		packet.push(if rest > 0 { byte | 0x80 } else { byte });
		if rest == 0 {
			break;
		}
	}
	packet.extend(body);
	packet
}
