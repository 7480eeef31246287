//! Waiting for a job, and streaming it.

use super::{
	answers::Kind,
	attended::Attended,
	desk::{Desk, Done, Outcome},
	error::OpenAiError,
};
use crate::live::Frame;
use axum::response::sse::Event;
use gridproof_primitives::H256;
use serde_json::Value;
use std::{convert::Infallible, time::Duration};
use tokio::sync::{mpsc, watch};

/// How often the desk is asked although nothing was heard.
const ASK: Duration = Duration::from_secs(5);
/// Pause before the desk is asked when nothing more will be heard.
const PAUSE: Duration = Duration::from_millis(200);
/// Events that may wait for a slow reader.
const BUFFER: usize = 64;

/// What goes to a reader.
pub(super) type Events = mpsc::Receiver<Result<Event, Infallible>>;

/// Waits until a job has ended.
///
/// # Errors
/// What became of it, if it did not come to a good end.
pub(super) async fn wait(attended: &mut Attended) -> Result<Done, OpenAiError> {
	let id = attended.job.id;
	loop {
		match ended(attended.desk(), id).await {
			Ok(None) => (),
			Ok(Some(done)) => {
				attended.answered();
				return Ok(done);
			},
			Err(error) => {
				attended.answered();
				return Err(error);
			},
		}
		let heard = async { attended.live.wait_for(|frame| frame.done).await.is_ok() };
		// A channel that closed says nothing more; the desk does.
		if let Ok(false) = tokio::time::timeout(ASK, heard).await {
			tokio::time::sleep(PAUSE).await;
		}
	}
}

/// Returns a job that has come to a good end; `None` if it has not ended.
async fn ended(desk: &dyn Desk, id: H256) -> Result<Option<Done>, OpenAiError> {
	match desk.outcome(id).await? {
		Outcome::Open => Ok(None),
		Outcome::Done(done) => Ok(Some(*done)),
		Outcome::Ended { how, reason } => Err(OpenAiError::ended(how, reason.as_deref())),
	}
}

/// Streams a job as server-sent events. Once a miner has it, it is done, and is paid for, even if the
/// reader leaves.
pub(super) fn follow(attended: Attended, kind: Kind, wants_usage: bool) -> Events {
	let (sender, events) = mpsc::channel(BUFFER);
	tokio::spawn(async move {
		let reader = Reader { attended, kind, wants_usage, sender, sent: String::new() };
		reader.run().await;
	});
	events
}

/// The reader has left.
struct Left;

struct Reader {
	attended: Attended,
	kind: Kind,
	wants_usage: bool,
	sender: mpsc::Sender<Result<Event, Infallible>>,
	/// All text that the reader has.
	sent: String,
}

impl Reader {
	async fn run(mut self) {
		// Left also while nothing is sent, because the job waits for a miner.
		let sender = self.sender.clone();
		tokio::select! {
			outcome = self.stream() => {
				if outcome.is_ok() {
					self.attended.answered();
				}
			},
			() = sender.closed() => (),
		}
	}

	async fn stream(&mut self) -> Result<(), Left> {
		self.open(0).await?;
		let mut live = self.attended.live.clone();
		let done = loop {
			match ended(self.attended.desk(), self.attended.job.id).await {
				Ok(Some(done)) => break Ok(done),
				Ok(None) => (),
				Err(error) => break Err(error),
			}
			if self.pass_on(&mut live).await? {
				continue;
			}
			tokio::time::sleep(PAUSE).await;
		};
		let done = match done {
			Ok(done) if done.output.text.starts_with(&self.sent) => done,
			// What was read is not what was paid for: the reader must know.
			Ok(_) => return self.fail(&OpenAiError::diverged()).await,
			Err(error) => return self.fail(&error.with_prompt(self.kind.prompt())).await,
		};
		self.close(&done).await?;
		if self.wants_usage {
			let counts = self.kind.counts(&done);
			self.send(&counts).await?;
		}
		self.raw("[DONE]").await
	}

	async fn open(&mut self, index: usize) -> Result<(), Left> {
		match self.kind.opening(&self.attended.job, index) {
			Some(opening) => self.send(&opening).await,
			None => Ok(()),
		}
	}

	/// Sends what is left of all answers, and their ends; the last has the bill.
	async fn close(&mut self, done: &Done) -> Result<(), Left> {
		let (kind, answers) = (self.kind, done.output.all_answers());
		let last = answers.len().saturating_sub(1);
		for (index, answer) in answers.iter().enumerate() {
			if index > 0 {
				self.open(index).await?;
			}
			let sent = if index == 0 { self.sent.len() } else { 0 };
			if let Some(rest) = kind.rest(&done.job, index, answer, sent) {
				self.send(&rest).await?;
			}
			let mut closing = kind.closing(&done.job, index, answer);
			if index == last {
				closing["gridproof"] = done.bill();
			}
			self.send(&closing).await?;
		}
		Ok(())
	}

	/// Passes text on until the job has ended, or nothing was heard for a while. Returns `false` if
	/// nothing more will be heard.
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
		let piece = self.kind.piece(&self.attended.job, text);
		self.send(&piece).await
	}

	async fn fail(&mut self, error: &OpenAiError) -> Result<(), Left> {
		let body = error.to_json();
		self.send(&body).await
	}

	async fn send(&mut self, value: &Value) -> Result<(), Left> {
		let text = match value.get("usage") {
			// OpenAI's clients expect the member in every chunk, if counts were asked for.
			None if self.wants_usage && value.get("choices").is_some() => {
				let mut value = value.clone();
				value["usage"] = Value::Null;
				value.to_string()
			},
			_ => value.to_string(),
		};
		self.raw(&text).await
	}

	async fn raw(&mut self, data: &str) -> Result<(), Left> {
		self.sender.send(Ok(Event::default().data(data))).await.map_err(|_| Left)
	}
}
