//! A meter protocol of your own: readings over TCP, one JSON object a line.
//!
//! ```text
//! device                                     gateway
//! login PLANT-01:gw-1 PASSWORD               ok
//! {"schema_version":"emlog-1.1", …}          ok
//! {"schema_version":"emlog-1.1", …}          refused overlap
//! ```
//!
//! `ok` and `refused` come after the commit that holds the reading or its dead letter. A reading that
//! could not be kept gets no answer: the connection ends, and the device sends it again.
//!
//! ```text
//! gridproof gateway device add PLANT-01/gw-1 --data DIR --new
//! cargo run --release -p gridproof-gateway --example line_protocol DIR
//! ```

use futures::future::BoxFuture;
use gridproof_gateway::{
	Address, BoxError, Gate, Gateway, Health, IngestError, Intake, MAX_MESSAGE_BYTES, Message,
	Parts, Role, Sender, Settings, Source,
};
use gridproof_support::{Stop, Stopper, stop::on_signals};
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
	io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
	net::{TcpListener, TcpStream},
	task::{JoinHandle, JoinSet},
};

/// Its name in dead letters, metrics and the status.
const LINES: Source = Source::new("lines");
/// Pause after the system refused a connection, for example for want of descriptors.
const PAUSE: Duration = Duration::from_millis(200);

/// Readings over TCP, one a line.
pub struct Lines {
	listen: SocketAddr,
	bound: Option<SocketAddr>,
	health: Health,
	stopper: Stopper,
	task: Option<JoinHandle<()>>,
}

impl Lines {
	/// Listens at this address once it is started.
	pub fn new(listen: SocketAddr) -> Self {
		let (health, stopper) = (Health::default(), Stopper::new());
		Self { listen, bound: None, health, stopper, task: None }
	}
}

impl Intake for Lines {
	fn source(&self) -> Source {
		LINES
	}

	fn start(&mut self, gate: Gate) -> BoxFuture<'_, Result<(), BoxError>> {
		Box::pin(async {
			let listener = TcpListener::bind(self.listen).await?;
			self.bound = Some(listener.local_addr()?);
			let (health, stop) = (self.health.clone(), self.stopper.signal());
			self.task = Some(tokio::spawn(accept(listener, gate, health, stop)));
			Ok(())
		})
	}

	fn addresses(&self) -> Vec<Address> {
		self.bound.iter().map(|at| Address { name: "lines", at: at.to_string() }).collect()
	}

	fn health(&self) -> Health {
		self.health.clone()
	}

	fn stop(&mut self) -> BoxFuture<'_, ()> {
		Box::pin(async {
			self.stopper.stop();
			if let Some(task) = self.task.take() {
				let _ = task.await;
			}
		})
	}
}

/// Takes connections until the gateway stops, and waits for what is on its way then.
async fn accept(listener: TcpListener, gate: Gate, health: Health, stop: Stop) {
	let mut connections = JoinSet::new();
	while let Some(next) = stop.unless_stopped(listener.accept()).await {
		while connections.try_join_next().is_some() {}
		match next {
			Ok((socket, peer)) => {
				health.up();
				connections.spawn(serve(socket, peer, gate.clone(), stop.clone()));
			},
			Err(error) => {
				health.down(format!("no connection can be accepted: {error}"));
				tokio::time::sleep(PAUSE).await;
			},
		}
		health.connected(connections.len());
	}
	while connections.join_next().await.is_some() {}
}

/// Serves one connection: a login, then readings.
async fn serve(socket: TcpStream, peer: SocketAddr, gate: Gate, stop: Stop) -> io::Result<()> {
	let place = peer.ip().to_string();
	let (reader, mut writer) = socket.into_split();
	let mut reader = BufReader::new(reader);
	let Some(login) = next_line(&mut reader, &stop).await? else { return Ok(()) };
	let Some(sender) = sender(&gate, &login) else {
		return writer.write_all(b"refused unknown device or wrong password\n").await;
	};
	writer.write_all(b"ok\n").await?;
	while let Some(line) = next_line(&mut reader, &stop).await? {
		let message = Message {
			source: LINES,
			place: &place,
			is_topic: false,
			sender: &sender,
			payload: &line,
		};
		let answer = match gate.ingest.take(&message, true).await {
			Ok(_) => "ok\n".to_string(),
			Err(IngestError::Refused(refusal)) => format!("refused {}\n", refusal.code()),
			// Nothing is on disk: no answer, and the device sends it again.
			Err(IngestError::Store(error)) => return Err(io::Error::other(error)),
		};
		writer.write_all(answer.as_bytes()).await?;
	}
	Ok(())
}

/// The device of the line `login NAME PASSWORD`.
fn sender(gate: &Gate, login: &[u8]) -> Option<Sender> {
	let login = std::str::from_utf8(login).ok()?.trim_end();
	let (name, password) = login.strip_prefix("login ")?.split_once(' ')?;
	match gate.credentials.check(name, password.as_bytes())? {
		Role::Device { site, device } => Some(Sender::Device { site, device }),
		Role::Reader => None,
	}
}

/// The next line; `None` at the end, when the gateway stops, and for a line that is too long.
async fn next_line(
	reader: &mut (impl AsyncBufRead + Unpin),
	stop: &Stop,
) -> io::Result<Option<Vec<u8>>> {
	let mut line = Vec::new();
	let mut bounded = reader.take(MAX_MESSAGE_BYTES.into());
	match stop.unless_stopped(bounded.read_until(b'\n', &mut line)).await {
		Some(read) => {
			read?;
			Ok(line.strip_suffix(b"\n").map(<[u8]>::to_vec))
		},
		None => Ok(None),
	}
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
	let folder = std::env::args().nth(1).ok_or("which data folder? line_protocol DIR")?;
	let lines: Box<dyn Intake> = Box::new(Lines::new("127.0.0.1:7070".parse()?));
	let stop = on_signals()?;
	// No chain, no other way in: only this one.
	let parts = Parts { intakes: vec![lines], ..Parts::default() };
	let gateway = Gateway::start(Settings::new(folder.into()), parts).await?;
	println!("one reading a line at 127.0.0.1:7070");
	stop.stopped().await;
	gateway.stop().await;
	Ok(())
}
