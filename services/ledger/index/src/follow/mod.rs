//! One final block after the other, from where the last run stopped.

use crate::{
	block::Block, board::Board, error::IndexError, metrics::Metrics, source::Source, store::Store,
};
use futures::{StreamExt, stream};
use gridproof_chain::H256;
use gridproof_http::Loops;
use gridproof_support::{Backoff, text::hexadecimal};
use std::{path::Path, sync::Arc, time::Duration};

/// Name of the loop, in `/health` and in logs.
pub(crate) const LOOP: &str = "follow";
/// Blocks that a node is asked for at a time.
pub(crate) const AT_ONCE: usize = 8;
/// Blocks that share one commit at most.
const TOGETHER: usize = 64;
/// Events after which a commit takes no further block: what is in memory stays bounded however full blocks are.
const EVENTS_TOGETHER: usize = 20_000;
/// How often a chain that was caught up with is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Pauses after an attempt that failed.
const PAUSES: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));

/// Follows a chain.
pub(crate) struct Follower {
	source: Arc<dyn Source>,
	store: Store,
	board: Arc<Board>,
	metrics: Arc<Metrics>,
	/// The next block.
	next: u64,
	/// Hash of the block before it; none before the first.
	last: Option<H256>,
	at_once: usize,
}

impl Follower {
	/// Continues what is in the store, or begins with the block `from`, by default the first of the chain.
	///
	/// # Errors
	/// [`IndexError`]: another chain, another begin, or a node that lacks the next block's state.
	pub(crate) async fn open(
		source: Arc<dyn Source>,
		store: Store,
		folder: &Path,
		from: Option<u64>,
		(board, metrics): (Arc<Board>, Arc<Metrics>),
		at_once: usize,
	) -> Result<Self, IndexError> {
		let genesis = source.genesis().await?;
		let finalized = source.finalized().await?;
		board.sees(finalized);
		match store.genesis().await? {
			Some(kept) if kept != genesis => {
				return Err(IndexError::OtherChain {
					folder: folder.display().to_string(),
					kept: hexadecimal(kept.0),
					served: hexadecimal(genesis.0),
				});
			},
			Some(_) => (),
			None => store.begin(genesis).await?,
		}
		let (first, head) = (store.first().await?, store.head().await?);
		if let Some((first, from)) = first.zip(from).filter(|(first, from)| first != from) {
			return Err(IndexError::OtherBegin { first, from });
		}
		let next = match head {
			Some(head) => head.height.saturating_add(1),
			None => from.unwrap_or(0),
		};
		if let Some(head) = head.filter(|head| head.height <= finalized) {
			let height = head.height;
			let same = read(&*source, height).await?;
			if same.hash != head.hash {
				return Err(IndexError::OtherBlock { height });
			}
		} else if head.is_none() {
			if next > finalized {
				return Err(IndexError::NotFinal { from: next, last: finalized });
			}
			// Whether the node has the states is said now, and not by a program that stands still.
			read(&*source, next).await?;
		}
		let last = head.map(|head| head.hash);
		Ok(Self { source, store, board, metrics, next, last, at_once: at_once.max(1) })
	}

	/// Follows the chain without end. Returns why it cannot continue, if another try is of no use.
	pub(crate) async fn run(mut self, loops: &Loops) -> IndexError {
		let mut pauses = PAUSES.pauses();
		loop {
			loops.turn(LOOP);
			match self.catch_up(loops).await {
				Ok(()) => {
					pauses = PAUSES.pauses();
					tokio::time::sleep(LOOK).await;
				},
				Err(error @ IndexError::OtherBlock { .. }) => return error,
				Err(error) => {
					tracing::warn!(%error, "the index continues when it can");
					self.board.fails(error.to_string());
					self.metrics.failed();
					let pause = pauses.next().unwrap_or(LOOK);
					tokio::time::sleep(pause).await;
				},
			}
		}
	}

	/// Indexes all blocks that are final by now.
	///
	/// # Errors
	/// [`IndexError`]; what was written stays.
	pub(crate) async fn catch_up(&mut self, loops: &Loops) -> Result<(), IndexError> {
		let finalized = self.source.finalized().await?;
		self.board.sees(finalized);
		let source = self.source.clone();
		let mut blocks = stream::iter(self.next..=finalized)
			.map(|height| {
				let source = source.clone();
				async move { read(&*source, height).await }
			})
			.buffered(self.at_once)
			.ready_chunks(TOGETHER);
		while let Some(read) = blocks.next().await {
			let mut whole = Vec::with_capacity(read.len());
			let mut failure = None;
			for block in read {
				match block {
					Ok(block) => whole.push(block),
					Err(error) => {
						failure = Some(error);
						break;
					},
				}
			}
			self.write(whole).await?;
			loops.turn(LOOP);
			if let Some(error) = failure {
				return Err(error);
			}
		}
		self.board.moves();
		Ok(())
	}

	/// Writes blocks that follow the last one.
	async fn write(&mut self, blocks: Vec<Block>) -> Result<(), IndexError> {
		let mut part = Vec::new();
		let mut events = 0usize;
		for block in blocks {
			if self.last.is_some_and(|last| last != block.parent) {
				// What came before stands; this one is of another chain.
				self.commit(std::mem::take(&mut part)).await?;
				return Err(IndexError::OtherBlock { height: block.height.saturating_sub(1) });
			}
			self.last = Some(block.hash);
			events = events.saturating_add(block.events.len());
			part.push(block);
			if events >= EVENTS_TOGETHER {
				events = 0;
				self.commit(std::mem::take(&mut part)).await?;
			}
		}
		self.commit(part).await
	}

	async fn commit(&mut self, blocks: Vec<Block>) -> Result<(), IndexError> {
		let Some(last) = blocks.last() else { return Ok(()) };
		let (height, hash) = (last.height, last.hash);
		let count = u64::try_from(blocks.len()).unwrap_or(u64::MAX);
		let events = blocks.iter().map(|block| block.events.len()).sum::<usize>();
		let written = self.store.write(blocks).await;
		if written.is_err() {
			// What is not kept is read again, after the block that is.
			self.last = self.store.head().await?.map(|head| head.hash);
		}
		written?;
		self.next = height.saturating_add(1);
		self.last = Some(hash);
		self.board.moves();
		self.metrics.wrote(count, u64::try_from(events).unwrap_or(u64::MAX));
		Ok(())
	}
}

async fn read(source: &dyn Source, height: u64) -> Result<Block, IndexError> {
	source.block(height).await.map_err(|error| IndexError::Block { height, error })
}

#[cfg(test)]
mod tests;
