//! The two protocol versions, on a thread system of their own.

use super::{
	hub::Outgoing,
	limit::{IN_FLIGHT, IN_FLIGHT_BYTES, Limited, MOST},
	session::{Client, Core, EntryRefusal, Gone, Outcome},
	whole::WholePackets,
};
use crate::config::MAX_MESSAGE_BYTES;
use ntex::{
	ServiceFactory, SharedCfg,
	io::{Filter, Io, Layer},
	rt::{DefaultRuntime, System},
	server::ServerBuilder,
	service::{chain_factory, fn_factory_with_config, fn_service},
	time::Seconds,
	util::{ByteString, Bytes},
};
use ntex_mqtt::{MqttError, MqttServer, MqttServiceConfig, QoS, v3, v5};
use ntex_tls::rustls::TlsAcceptor;
use rustls::ServerConfig;
use std::{
	net::{SocketAddr, TcpListener},
	sync::Arc,
};
use tokio::{
	net::TcpSocket,
	sync::{Notify, mpsc, oneshot},
};

/// Messages on their way to one listener without its acknowledgement.
const SENT: u16 = 256;
/// Connections that wait to be let in.
const BACKLOG: u32 = 1_024;
/// Time for a client to say who it is.
const CONNECT_TIMEOUT: Seconds = Seconds(15);

/// Why there is no MQTT server.
#[derive(Debug, thiserror::Error)]
pub(super) enum ServeError {
	/// The address is taken, or is not one of this machine.
	#[error("cannot listen on {address}: {reason}")]
	CannotListen { address: SocketAddr, reason: std::io::Error },
	/// The threads do not start.
	#[error("the MQTT server does not start: {0}")]
	CannotStart(String),
}

/// A running MQTT server.
pub(super) struct Server {
	/// Where it listens without TLS.
	pub(super) address: Option<SocketAddr>,
	/// Where it listens with TLS.
	pub(super) tls_address: Option<SocketAddr>,
	control: ntex::server::Server,
	system: System,
	thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
	/// Ends all connections and the threads.
	pub(super) async fn stop(mut self) {
		self.control.stop(false).await;
		self.system.stop();
		if let Some(thread) = self.thread.take() {
			let _ = tokio::task::spawn_blocking(move || thread.join()).await;
		}
	}
}

impl From<()> for Gone {
	fn from((): ()) -> Self {
		Self
	}
}

impl TryFrom<Gone> for v5::PublishAck {
	type Error = Gone;

	fn try_from(gone: Gone) -> Result<Self, Gone> {
		Err(gone)
	}
}

/// Listens at an address. Who connects there and is silent is asked by the system whether it is still
/// there: a client without a keep-alive would otherwise hold its place for ever after its machine is
/// gone.
fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
	let cannot = |reason| ServeError::CannotListen { address, reason };
	let open = || {
		let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
		socket.set_reuseaddr(true)?;
		// Connections have it from the listener.
		socket.set_keepalive(true)?;
		socket.bind(address)?;
		let listener = socket.listen(BACKLOG)?.into_std()?;
		let bound = listener.local_addr()?;
		Ok((listener, bound))
	};
	open().map_err(cannot)
}

/// Starts to listen.
pub(super) async fn start(
	core: Arc<Core>,
	plain: Option<SocketAddr>,
	tls: Option<(SocketAddr, Arc<ServerConfig>)>,
) -> Result<Server, ServeError> {
	let plain = plain.map(bind).transpose()?;
	let tls = match tls {
		Some((address, config)) => Some((bind(address)?, config)),
		None => None,
	};
	let address = plain.as_ref().map(|(_, address)| *address);
	let tls_address = tls.as_ref().map(|((_, address), _)| *address);
	let (ready, started) = oneshot::channel();
	let run = move || {
		let system = System::new("mqtt", DefaultRuntime);
		let outcome = system.run(move || {
			let server = listen(core, plain, tls)?.run();
			let _ = ready.send((System::current(), server));
			Ok(())
		});
		if let Err(error) = outcome {
			tracing::error!(%error, "the MQTT server has ended");
		}
	};
	let thread = std::thread::Builder::new()
		.name("mqtt".to_string())
		.spawn(run)
		.map_err(|error| ServeError::CannotStart(error.to_string()))?;
	let (system, control) = started
		.await
		.map_err(|_| ServeError::CannotStart("its threads ended at once".to_string()))?;
	Ok(Server { address, tls_address, control, system, thread: Some(thread) })
}

type Bound = (TcpListener, SocketAddr);

fn listen(
	core: Arc<Core>,
	plain: Option<Bound>,
	tls: Option<(Bound, Arc<ServerConfig>)>,
) -> std::io::Result<ServerBuilder> {
	let workers = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(4));
	let mut builder = ntex::server::build().workers(workers).disable_signals();
	if let Some((listener, _)) = plain {
		let core = core.clone();
		builder = builder
			.listen("mqtt", listener, async move |_| {
				chain_factory(fn_service(whole_packets)).and_then(service(core.clone()))
			})?
			.config("mqtt", settings());
	}
	if let Some(((listener, _), config)) = tls {
		builder = builder
			.listen("mqtts", listener, async move |_| {
				chain_factory(TlsAcceptor::new(config.clone()))
					.map_err(|_| MqttError::Service(Gone))
					.and_then(fn_service(whole_packets))
					.and_then(service(core.clone()))
			})?
			.config("mqtts", settings());
	}
	Ok(builder)
}

/// Lets only whole packets through to the protocol's code.
async fn whole_packets<F: Filter>(
	io: Io<F>,
) -> Result<Io<Layer<WholePackets, F>>, MqttError<Gone>> {
	Ok(io.add_filter(WholePackets::default()))
}

fn settings() -> SharedCfg {
	let mqtt = MqttServiceConfig::new()
		.set_max_qos(QoS::ExactlyOnce)
		// A client that publishes and disconnects at once is heard all the same.
		.set_handle_qos_after_disconnect(Some(QoS::ExactlyOnce))
		.set_max_size(MAX_MESSAGE_BYTES)
		.set_min_chunk_size(MAX_MESSAGE_BYTES)
		.set_max_payload_buffer_size(usize::try_from(MAX_MESSAGE_BYTES).unwrap_or(usize::MAX))
		.set_max_receive(IN_FLIGHT)
		.set_max_receive_size(IN_FLIGHT_BYTES)
		.set_max_send(SENT)
		.set_connect_timeout(CONNECT_TIMEOUT)
		.set_handshake_timeout(CONNECT_TIMEOUT);
	SharedCfg::new("MQTT").add(mqtt).into()
}

fn service<F: Filter>(
	core: Arc<Core>,
) -> impl ServiceFactory<Io<F>, SharedCfg, Response = (), Error = MqttError<Gone>, InitError = ()> {
	let five = core.clone();
	MqttServer::new()
		.v3(v3::MqttServer::new(fn_service(move |handshake: v3::Handshake| {
			let core = core.clone();
			async move { Ok::<_, Gone>(enter_v3(&core, handshake)) }
		}))
		.protocol(fn_factory_with_config(async |session: v3::Session<Client>| {
			Ok::<_, Gone>(fn_service(move |message| {
				let answer = protocol_v3(&session, message);
				async move { Ok::<_, Gone>(answer) }
			}))
		}))
		.publish(fn_factory_with_config(async |session: v3::Session<Client>| {
			let handle = move |publish| publish_v3(session.clone(), publish);
			Ok::<_, Gone>(Limited::new(handle, v3::Publish::packet_size, MOST))
		})))
		.v5(v5::MqttServer::new(fn_service(move |handshake: v5::Handshake| {
			let core = five.clone();
			async move { Ok::<_, Gone>(enter_v5(&core, handshake)) }
		}))
		.protocol(fn_factory_with_config(async |session: v5::Session<Client>| {
			Ok::<_, Gone>(fn_service(move |message| {
				let answer = protocol_v5(&session, message);
				async move { Ok::<_, Gone>(answer) }
			}))
		}))
		.publish(fn_factory_with_config(async |session: v5::Session<Client>| {
			let handle = move |publish| publish_v5(session.clone(), publish);
			Ok::<_, Gone>(Limited::new(handle, v5::Publish::packet_size, MOST))
		})))
}

/// The way out of a connection.
enum Sink {
	Three(v3::MqttSink),
	Five(v5::MqttSink),
}

impl Sink {
	async fn ready(&self) -> bool {
		match self {
			Self::Three(sink) => sink.ready().await,
			Self::Five(sink) => sink.ready().await,
		}
	}

	/// Sends; what the client acknowledges is waited for elsewhere.
	fn send(&self, message: &Outgoing) {
		let topic = ByteString::from(&*message.topic);
		let payload = Bytes::copy_from_slice(&message.payload);
		match (self, message.at_least_once) {
			(Self::Three(sink), false) => {
				let _ = sink.publish(topic).send_at_most_once(payload);
			},
			(Self::Five(sink), false) => {
				let _ = sink.publish(topic).send_at_most_once(payload);
			},
			(Self::Three(sink), true) => {
				let sent = sink.publish(topic).send_at_least_once(payload);
				ntex::rt::spawn(async move {
					let _ = sent.await;
				});
			},
			(Self::Five(sink), true) => {
				let sent = sink.publish(topic).send_at_least_once(payload);
				ntex::rt::spawn(async move {
					let _ = sent.await;
				});
			},
		}
	}

	fn close(&self) {
		match self {
			Self::Three(sink) => sink.close(),
			Self::Five(sink) => sink.close(),
		}
	}
}

/// Delivers what others publish until the connection ends.
async fn deliver(sink: Sink, mut queue: mpsc::Receiver<Outgoing>, end: Arc<Notify>) {
	loop {
		let message = tokio::select! {
			biased;
			() = end.notified() => None,
			message = queue.recv() => message,
		};
		let Some(message) = message else { break };
		let is_open = tokio::select! {
			biased;
			() = end.notified() => false,
			is_open = sink.ready() => is_open,
		};
		if !is_open {
			break;
		}
		sink.send(&message);
	}
	sink.close();
}

fn enter_v3(core: &Arc<Core>, handshake: v3::Handshake) -> v3::HandshakeAck<Client> {
	let packet = handshake.packet();
	let entered =
		core.enter(&packet.client_id, packet.username.as_deref(), packet.password.as_deref());
	let has_keep_alive = packet.keep_alive != 0;
	match entered {
		Ok((client, queue)) => {
			let sink = Sink::Three(handshake.sink());
			ntex::rt::spawn(deliver(sink, queue, client.end()));
			let ack = handshake.ack(client, false);
			if has_keep_alive { ack } else { ack.idle_timeout(Seconds::ZERO) }
		},
		Err(EntryRefusal::NotAuthorized) => handshake.not_authorized(),
		Err(EntryRefusal::BadCredentials) => handshake.bad_username_or_pwd(),
	}
}

fn enter_v5(core: &Arc<Core>, handshake: v5::Handshake) -> v5::HandshakeAck<Client> {
	use v5::codec::ConnectAckReason;
	let packet = handshake.packet();
	let entered =
		core.enter(&packet.client_id, packet.username.as_deref(), packet.password.as_deref());
	let has_keep_alive = packet.keep_alive != 0;
	let has_name = !packet.client_id.is_empty();
	match entered {
		Ok((client, queue)) => {
			let sink = Sink::Five(handshake.sink());
			ntex::rt::spawn(deliver(sink, queue, client.end()));
			let ack = handshake.ack(client).with(|packet| {
				packet.retain_available = false;
				packet.shared_subscription_available = false;
				packet.session_expiry_interval_secs = Some(0);
				if !has_name {
					packet.assigned_client_id = Some(ByteString::from(new_name()));
				}
			});
			if has_keep_alive { ack } else { ack.keep_alive(u16::MAX) }
		},
		Err(EntryRefusal::NotAuthorized) => handshake.failed(ConnectAckReason::NotAuthorized),
		Err(EntryRefusal::BadCredentials) => {
			handshake.failed(ConnectAckReason::BadUserNameOrPassword)
		},
	}
}

/// A name for a client that has none.
fn new_name() -> String {
	format!("gridproof-{:016x}", rand::random::<u64>())
}

/// Lets a message come to its end when its connection does not wait for that: a client that publishes
/// and leaves is heard, counted and passed on all the same.
async fn to_its_end(
	taking: impl Future<Output = Result<Outcome, Gone>> + 'static,
) -> Result<Outcome, Gone> {
	let (done, outcome) = oneshot::channel();
	ntex::rt::spawn(async move {
		let _ = done.send(taking.await);
	});
	outcome.await.unwrap_or(Err(Gone))
}

async fn publish_v3(session: v3::Session<Client>, publish: v3::Publish) -> Result<(), Gone> {
	let payload = publish.read_all().await.map_err(|_| Gone)?;
	let topic = publish.publish_topic().to_string();
	match to_its_end(async move { session.publish(&topic, &payload).await }).await? {
		// This version has no way to say so: a refused reading is kept as a dead letter and
		// acknowledged, else its device would send it for ever.
		Outcome::Taken | Outcome::Refused | Outcome::NotAuthorized => Ok(()),
	}
}

async fn publish_v5(
	session: v5::Session<Client>,
	publish: v5::Publish,
) -> Result<v5::PublishAck, Gone> {
	use v5::codec::PublishAckReason;
	let payload = publish.read_all().await.map_err(|_| Gone)?;
	let topic = publish.publish_topic().to_string();
	let outcome = to_its_end(async move { session.publish(&topic, &payload).await }).await?;
	let ack = publish.ack();
	Ok(match outcome {
		Outcome::Taken => ack,
		Outcome::Refused => ack.reason_code(PublishAckReason::PayloadFormatInvalid),
		Outcome::NotAuthorized => ack.reason_code(PublishAckReason::NotAuthorized),
	})
}

fn granted(asked: QoS) -> QoS {
	if asked == QoS::AtMostOnce { QoS::AtMostOnce } else { QoS::AtLeastOnce }
}

fn protocol_v3(
	session: &v3::Session<Client>,
	message: v3::ProtocolMessage,
) -> v3::ProtocolMessageAck {
	match message {
		v3::ProtocolMessage::Subscribe(mut subscribe) => {
			for mut filter in &mut subscribe {
				let qos = granted(filter.qos());
				if session.subscribe(filter.topic(), qos == QoS::AtLeastOnce) {
					filter.confirm(qos);
				} else {
					filter.fail();
				}
			}
			subscribe.ack()
		},
		v3::ProtocolMessage::Unsubscribe(unsubscribe) => {
			unsubscribe.iter().for_each(|filter| session.unsubscribe(filter));
			unsubscribe.ack()
		},
		other => other.ack(),
	}
}

fn protocol_v5(
	session: &v5::Session<Client>,
	message: v5::ProtocolMessage,
) -> v5::ProtocolMessageAck {
	use v5::codec::SubscribeAckReason;
	match message {
		v5::ProtocolMessage::Subscribe(mut subscribe) => {
			for mut filter in &mut subscribe {
				let qos = granted(filter.options().qos);
				if session.subscribe(filter.topic(), qos == QoS::AtLeastOnce) {
					filter.confirm(qos);
				} else {
					filter.fail(SubscribeAckReason::NotAuthorized);
				}
			}
			subscribe.ack()
		},
		v5::ProtocolMessage::Unsubscribe(unsubscribe) => {
			unsubscribe.iter().for_each(|filter| session.unsubscribe(filter));
			unsubscribe.ack()
		},
		other => other.ack(),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[tokio::test]
	async fn whoever_is_silent_is_asked_by_the_system_whether_it_is_there() {
		for address in ["127.0.0.1:0", "[::1]:0"] {
			// A machine without IPv6 has no such address.
			let Ok((listener, bound)) = bind(address.parse().unwrap()) else { continue };
			let _client = std::net::TcpStream::connect(bound).unwrap();
			listener.set_nonblocking(false).unwrap();
			let (connection, _) = listener.accept().unwrap();
			assert!(TcpSocket::from_std_stream(connection).keepalive().unwrap(), "{address}");
		}
		let (_held, taken) = bind("127.0.0.1:0".parse().unwrap()).unwrap();
		let refused = bind(taken).err().unwrap();
		assert!(refused.to_string().contains(&taken.to_string()), "{refused}");
	}
}
