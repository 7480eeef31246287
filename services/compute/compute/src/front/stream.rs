//! Waiting for a job, and streaming it.

use super::{
	answers::{Done, Kind},
	fault::OpenAiFault,
};
use crate::coordinator::{
	Coordinator,
	live::Frame,
	rows::{self, Job},
};
use axum::response::sse::Event;
use gridproof_primitives::H256;
use serde_json::Value;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::{mpsc, watch};

/// How often the database is asked although nothing was heard.
const ASK: Duration = Duration::from_secs(5);
/// Events that may wait for a slow reader.
const BUFFER: usize = 64;

/// What goes to a reader.
pub type Events = mpsc::Receiver<Result<Event, Infallible>>;

/// Waits until a job has ended.
///
/// # Errors
/// What became of it, if that is nothing good.
pub async fn wait(
	coordinator: &Coordinator,
	id: H256,
	mut live: watch::Receiver<Frame>,
) -> Result<Done, OpenAiFault> {
	loop {
		if let Some(done) = ended(coordinator, id).await? {
			return done;
		}
		let heard = async { live.wait_for(|frame| frame.done).await.is_ok() };
		// A channel that closed says nothing more; the database does.
		if let Ok(false) = tokio::time::timeout(ASK, heard).await {
			tokio::time::sleep(Duration::from_millis(200)).await;
		}
	}
}

/// How a job has ended, if it has.
async fn ended(
	coordinator: &Coordinator,
	id: H256,
) -> Result<Option<Result<Done, OpenAiFault>>, OpenAiFault> {
	let (job, receipt) =
		coordinator.read(move |db| Ok((rows::job(db, id)?, rows::receipt(db, id)?))).await?;
	let job = job.ok_or_else(|| OpenAiFault::not_done("is gone", None))?;
	Ok(job.state.is_final().then(|| Done::of(job, receipt)))
}

/// Streams a job as server-sent events. It goes on, and is paid for, if the reader leaves.
pub fn follow(
	coordinator: Arc<Coordinator>,
	job: Job,
	kind: Kind,
	wants_usage: bool,
	live: watch::Receiver<Frame>,
) -> Events {
	let (sender, events) = mpsc::channel(BUFFER);
	tokio::spawn(async move {
		let reader = Reader { coordinator, job, kind, wants_usage, sender, sent: String::new() };
		reader.run(live).await;
	});
	events
}

/// The reader has left.
struct Left;

struct Reader {
	coordinator: Arc<Coordinator>,
	job: Job,
	kind: Kind,
	wants_usage: bool,
	sender: mpsc::Sender<Result<Event, Infallible>>,
	/// All text that the reader has.
	sent: String,
}

impl Reader {
	async fn run(mut self, live: watch::Receiver<Frame>) {
		// Left means that nobody listens: nothing is to be told.
		let _ = self.stream(live).await;
	}

	async fn stream(&mut self, mut live: watch::Receiver<Frame>) -> Result<(), Left> {
		if let Some(opening) = self.kind.opening(&self.job) {
			self.send(&opening).await?;
		}
		let done = loop {
			match ended(&self.coordinator, self.job.job).await {
				Ok(Some(done)) => break done,
				Ok(None) => (),
				Err(fault) => break Err(fault),
			}
			if self.pass_on(&mut live).await? {
				continue;
			}
			tokio::time::sleep(Duration::from_millis(200)).await;
		};
		let done = match done {
			Ok(done) if done.output.text.starts_with(&self.sent) => done,
			// What was read is not what was paid for: the reader must know.
			Ok(_) => return self.fail(&OpenAiFault::diverged()).await,
			Err(fault) => return self.fail(&fault).await,
		};
		let rest = done.output.text.get(self.sent.len()..).unwrap_or_default().to_string();
		self.piece(&rest).await?;
		let closing = self.kind.closing(&done);
		self.send(&closing).await?;
		if self.wants_usage {
			let counts = self.kind.counts(&done);
			self.send(&counts).await?;
		}
		self.raw("[DONE]").await
	}

	/// Passes text on until word of the end comes, or nothing for a while. False if there will be
	/// no more word.
	async fn pass_on(&mut self, live: &mut watch::Receiver<Frame>) -> Result<bool, Left> {
		loop {
			let frame = live.borrow_and_update().clone();
			// Another attempt may have to catch up; one that differs shows at the end.
			let news = frame.text.strip_prefix(self.sent.as_str()).unwrap_or_default().to_string();
			self.piece(&news).await?;
			if frame.done {
				return Ok(true);
			}
			match tokio::time::timeout(ASK, live.changed()).await {
				Ok(Ok(())) => (),
				Ok(Err(_)) => return Ok(false),
				Err(_) => return Ok(true),
			}
		}
	}

	async fn piece(&mut self, text: &str) -> Result<(), Left> {
		if text.is_empty() {
			return Ok(());
		}
		self.sent.push_str(text);
		let piece = self.kind.piece(&self.job, text);
		self.send(&piece).await
	}

	async fn fail(&mut self, fault: &OpenAiFault) -> Result<(), Left> {
		let fault = fault.to_json();
		self.send(&fault).await
	}

	async fn send(&mut self, value: &Value) -> Result<(), Left> {
		let text = value.to_string();
		self.raw(&text).await
	}

	async fn raw(&mut self, data: &str) -> Result<(), Left> {
		self.sender.send(Ok(Event::default().data(data))).await.map_err(|_| Left)
	}
}
