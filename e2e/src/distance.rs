//! Distance between two programs on one machine: what goes from one to the other arrives later.

use anyhow::Result;
use std::{net::SocketAddr, time::Duration};
use tokio::{
	io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
	net::{TcpListener, TcpStream},
	sync::mpsc,
	task::JoinHandle,
	time::{Instant, sleep_until},
};

/// Pieces under way in one direction of one connection; more wait at the sender.
const UNDER_WAY: usize = 4_096;

/// An address at which another one is reached, some time later. Ends when it is dropped.
pub struct Distance {
	address: SocketAddr,
	task: JoinHandle<()>,
}

impl Distance {
	/// Puts `one_way` between anyone who connects here and `target`, in each direction.
	///
	/// # Errors
	/// When no port is free.
	pub async fn to(target: SocketAddr, one_way: Duration) -> Result<Self> {
		let listener = TcpListener::bind("127.0.0.1:0").await?;
		let address = listener.local_addr()?;
		let task = tokio::spawn(async move {
			while let Ok((near, _)) = listener.accept().await {
				tokio::spawn(join(near, target, one_way));
			}
		});
		Ok(Self { address, task })
	}

	/// Where to connect.
	pub const fn address(&self) -> SocketAddr {
		self.address
	}
}

impl Drop for Distance {
	fn drop(&mut self) {
		self.task.abort();
	}
}

async fn join(near: TcpStream, target: SocketAddr, one_way: Duration) {
	let Ok(far) = TcpStream::connect(target).await else { return };
	let _ = (near.set_nodelay(true), far.set_nodelay(true));
	let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
	tokio::join!(carry(from_near, to_far, one_way), carry(from_far, to_near, one_way));
}

async fn carry(
	mut from: impl AsyncRead + Unpin,
	mut to: impl AsyncWrite + Unpin,
	one_way: Duration,
) {
	let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
	let read = async move {
		let mut piece = vec![0; 16 * 1024];
		while let Ok(length @ 1..) = from.read(&mut piece).await {
			let bytes = piece.get(..length).unwrap_or_default().to_vec();
			if sender.send((Instant::now() + one_way, bytes)).await.is_err() {
				return;
			}
		}
	};
	let write = async move {
		while let Some((due, bytes)) = receiver.recv().await {
			sleep_until(due).await;
			if to.write_all(&bytes).await.is_err() {
				return;
			}
		}
		let _ = to.shutdown().await;
	};
	tokio::join!(read, write);
}
