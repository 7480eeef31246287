//! One block after the other, from where the last run stopped.

use crate::{
	books::{Books, Difference},
	read::{self, Block},
};
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use gridproof_chain::{Chain, ChainError, Link};
use gridproof_primitives::H256;
use gridproof_support::{Classified, Failure, files, text::Hex32};
use serde::{Deserialize, Serialize};
use std::{
	fs, io,
	path::{Path, PathBuf},
	time::Duration,
};

/// Blocks that a node is asked for at a time.
const AT_ONCE: usize = 16;
/// Blocks after which the state file is written.
const SAVED_EVERY: u64 = 512;
/// How often a running chain is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Why an audit does not come to a result.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
	/// The node does not answer, or no longer has the state.
	#[error(
		"block {block}: {error}; an audit needs the state after every block: ask a node that keeps all of \
		 them (--state-pruning archive), or begin later with --from"
	)]
	Block {
		/// Height of the block.
		block: u64,
		/// What the node said.
		error: ChainError,
	},
	/// The node does not answer.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// The first block is not one that can be audited.
	#[error("{0}")]
	Range(String),
	/// The state file cannot be used.
	#[error("the state file {path}: {reason}")]
	StateFile {
		/// Path of the state file.
		path: String,
		/// What is wrong, and what to do.
		reason: String,
	},
}

impl Classified for AuditError {
	fn failure(&self) -> Failure {
		match self {
			Self::Block { error, .. } | Self::Chain(error) => error.failure(),
			Self::Range(_) | Self::StateFile { .. } => Failure::USAGE,
		}
	}
}

/// What is audited.
#[derive(Clone, Debug, Default)]
pub struct Options {
	/// Address of the node.
	pub url: String,
	/// The first block; by default the one after that of the state file, else the first of the chain.
	pub from: Option<u64>,
	/// The last block; by default the last one that is final.
	pub to: Option<u64>,
	/// Blocks after which all holds of all accounts are compared, at least 1; so they are after the last.
	pub every: u64,
	/// Where the books are kept between runs.
	pub state: Option<PathBuf>,
	/// Continues with every block that becomes final, until something differs.
	pub watch: bool,
}

/// What an audit came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
	/// Hash of the chain's first block.
	pub genesis: Hex32,
	/// The first block that was audited.
	pub from: u64,
	/// The last block that was audited.
	pub to: u64,
	/// Hash of the block.
	pub hash: Hex32,
	/// Number of deeds that were replayed.
	pub deeds: u64,
	/// The first difference, if there is one.
	pub difference: Option<Difference>,
}

/// What is kept between runs.
#[derive(Serialize, Deserialize)]
struct Kept {
	genesis: Hex32,
	/// The first block that was audited.
	from: u64,
	deeds: u64,
	books: Books,
}

/// An audit on its way.
pub struct Audit {
	options: Options,
	link: Link,
	genesis: H256,
	from: u64,
	deeds: u64,
	books: Books,
	saved: u64,
}

impl Audit {
	/// Opens the books: those of the last run, or new ones at the block before the first.
	///
	/// # Errors
	/// [`AuditError`].
	pub fn open(options: Options) -> BoxFuture<'static, Result<Self, AuditError>> {
		Box::pin(async move {
			let link = Link::connect(&options.url).await?;
			let genesis = link.genesis().await?;
			let kept = options.state.as_deref().map(read_state).transpose()?.flatten();
			let kept = kept.filter(|kept| options.from.is_none_or(|from| from == kept.from));
			if let Some(kept) = kept {
				check_chain(&options, &link, genesis, &kept).await?;
				let Kept { from, deeds, books, .. } = kept;
				let saved = books.block;
				return Ok(Self { options, link, genesis, from, deeds, books, saved });
			}
			let from = options.from.unwrap_or(1);
			let begin = from.checked_sub(1).ok_or_else(|| {
				AuditError::Range(
					"block 0 is the genesis, with which an audit begins: write --from 1".into(),
				)
			})?;
			let chain = link.chain().await?;
			let last = chain.height().await?;
			if begin > last {
				return Err(AuditError::Range(format!(
					"block {from} is not final yet: the last one is {last}"
				)));
			}
			let shown = read_block(&chain, begin, true).await?.shown;
			let books = Books::begin(&shown);
			Ok(Self { options, link, genesis, from, deeds: 0, saved: begin, books })
		})
	}

	/// The block after which it stands.
	pub const fn at(&self) -> u64 {
		self.books.block
	}

	/// Returns the last block to be audited now.
	///
	/// # Errors
	/// [`AuditError::Chain`]; [`AuditError::Range`] if a last one is wanted that is not final yet.
	pub async fn target(&self) -> Result<u64, AuditError> {
		let chain = self.link.chain().await?;
		let last = self.link.checked(&chain, chain.height().await).await?;
		match self.options.to {
			Some(to) if to > last && !self.options.watch => {
				let sentence = format!("block {to} is not final yet: the last one is {last}");
				Err(AuditError::Range(sentence))
			},
			Some(to) => Ok(to.min(last)),
			None => Ok(last),
		}
	}

	/// Audits up to a block that is final; `seen` hears of each block. The books are kept, also if it ends
	/// early.
	///
	/// # Errors
	/// [`AuditError`].
	pub async fn run(&mut self, to: u64, mut seen: impl FnMut(u64)) -> Result<Outcome, AuditError> {
		let chain = self.link.chain().await?;
		let every = self.options.every.max(1);
		let first = self.books.block.saturating_add(1);
		let mut blocks = stream::iter(first..=to)
			.map(|height| read_block(&chain, height, height == to || height.is_multiple_of(every)))
			.buffered(AT_ONCE);
		let mut difference = None;
		loop {
			let next = blocks.try_next().await;
			let next = match next {
				Ok(next) => next,
				Err(error) => {
					drop(blocks);
					self.save()?;
					return Err(error);
				},
			};
			let Some(Block { deeds, shown }) = next else { break };
			let before = self.books.clone();
			if let Err(found) = self.books.settle(&deeds, &shown) {
				// What is kept is what was right: the next run finds the same.
				self.books = before;
				difference = Some(found);
				break;
			}
			self.deeds = self.deeds.saturating_add(u64::try_from(deeds.len()).unwrap_or(u64::MAX));
			seen(self.books.block);
			if self.books.block.saturating_sub(self.saved) >= SAVED_EVERY {
				self.save()?;
			}
		}
		drop(blocks);
		self.save()?;
		Ok(self.outcome(difference))
	}

	/// Audits every block that becomes final, until something differs or the last one is reached.
	///
	/// # Errors
	/// [`AuditError`], if another try is of no use: a node that is away is waited for.
	pub async fn watch(&mut self, mut seen: impl FnMut(u64)) -> Result<Outcome, AuditError> {
		loop {
			let looked = async {
				let to = self.target().await?;
				self.run(to, &mut seen).await
			};
			match looked.await {
				Ok(outcome) if outcome.difference.is_some() => return Ok(outcome),
				Ok(outcome) if self.options.to.is_some_and(|to| self.books.block >= to) => {
					return Ok(outcome);
				},
				Ok(_) => (),
				Err(error) if error.failure().is_temporary => {
					tracing::warn!(%error, "the node is away; the audit continues when it is back");
				},
				Err(error) => return Err(error),
			}
			tokio::time::sleep(LOOK).await;
		}
	}

	/// What it has come to so far.
	pub fn outcome(&self, difference: Option<Difference>) -> Outcome {
		Outcome {
			genesis: Hex32(self.genesis.0),
			from: self.from,
			to: self.books.block,
			hash: self.books.hash,
			deeds: self.deeds,
			difference,
		}
	}

	fn save(&mut self) -> Result<(), AuditError> {
		self.saved = self.books.block;
		let Some(path) = &self.options.state else { return Ok(()) };
		let (genesis, from, deeds) = (Hex32(self.genesis.0), self.from, self.deeds);
		let kept = Kept { genesis, from, deeds, books: self.books.clone() };
		let write = || {
			let bytes = serde_json::to_vec(&kept).map_err(io::Error::other)?;
			files::replace(path, &bytes, files::PUBLIC)
		};
		write().map_err(|error| state_error(path, error.to_string()))
	}
}

async fn read_block(chain: &Chain, height: u64, all_holds: bool) -> Result<Block, AuditError> {
	let read = read::block(chain, height, all_holds).await;
	read.map_err(|error| AuditError::Block { block: height, error })
}

/// Checks that kept books are of this chain: the very block that they end with.
async fn check_chain(
	options: &Options,
	link: &Link,
	genesis: H256,
	kept: &Kept,
) -> Result<(), AuditError> {
	let path = options.state.as_deref().unwrap_or(Path::new(""));
	let other = || {
		let reason = "it is of another chain: name another file, or remove it";
		state_error(path, reason.to_string())
	};
	if kept.genesis != Hex32(genesis.0) {
		return Err(other());
	}
	let chain = link.chain().await?;
	let at = kept.books.block;
	let past = chain.past(at).await.map_err(|error| AuditError::Block { block: at, error })?;
	if Hex32(past.hash().0) != kept.books.hash { Err(other()) } else { Ok(()) }
}

fn read_state(path: &Path) -> Result<Option<Kept>, AuditError> {
	if !path.exists() {
		return Ok(None);
	}
	let bytes = fs::read(path).map_err(|error| state_error(path, error.to_string()))?;
	let kept = serde_json::from_slice(&bytes);
	kept.map(Some).map_err(|error| {
		state_error(path, format!("{error}; remove it, and the audit begins from its first block"))
	})
}

fn state_error(path: &Path, reason: String) -> AuditError {
	AuditError::StateFile { path: path.display().to_string(), reason }
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn books_that_are_kept_are_the_ones_that_are_read_and_a_broken_file_says_what_to_do() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("audit.json");
		assert!(read_state(&path).unwrap().is_none());
		let mut books = Books::default();
		(books.block, books.hash) = (7, Hex32([3; 32]));
		let kept = Kept { genesis: Hex32([1; 32]), from: 2, deeds: 9, books: books.clone() };
		fs::write(&path, serde_json::to_vec(&kept).unwrap()).unwrap();
		let read = read_state(&path).unwrap().unwrap();
		assert_eq!((read.books, read.from, read.deeds), (books, 2, 9));
		fs::write(&path, "{").unwrap();
		let error = read_state(&path).err().unwrap();
		assert!(error.to_string().contains("remove it"), "{error}");
		assert_eq!(error.failure(), Failure::USAGE);
	}
}
