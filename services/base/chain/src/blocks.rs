//! What a node has said of final blocks, kept so that it is asked once, however many want to know.
//!
//! To look at a block costs the node a call of its runtime, and to find a transaction's events its
//! whole body. Sixty transactions that become final together would ask for the same sixty times.

use crate::{
	ChainError, H256,
	event::RawEvent,
	rpc::{AtBlock, Config, Methods, chain_of, failed, failed_request, methods},
};
use futures::future::BoxFuture;
use gridproof_support::Lock;
use std::{
	collections::{BTreeMap, HashMap, VecDeque},
	sync::Arc,
};
use subxt::{
	OnlineClient,
	events::{Event, Events, Phase},
	rpcs::{
		self,
		client::{RpcClient, RpcParams},
		rpc_params,
	},
};
use tokio::sync::{Mutex, OnceCell};

/// Blocks whose contents are kept. What is final together is asked for at about the same time.
const KEPT: usize = 8;

type Slot = Arc<OnceCell<Arc<Contents>>>;

/// Final blocks, as a node knows them.
#[derive(Clone)]
pub(crate) struct Blocks {
	api: OnlineClient<Config>,
	rpc: RpcClient,
	latest: Arc<Mutex<Option<AtBlock>>>,
	kind: Arc<OnceCell<String>>,
	contents: Arc<std::sync::Mutex<VecDeque<(H256, Slot)>>>,
}

/// A block's transactions and what came of them.
pub(crate) struct Contents {
	/// The block.
	pub(crate) at: AtBlock,
	places: HashMap<H256, u32>,
	events: Events<Config>,
}

impl Contents {
	/// The events of a transaction; `None` if it is not in the block.
	pub(crate) fn of(
		&self,
		transaction: H256,
	) -> Option<impl Iterator<Item = Result<Event<'_, Config>, String>>> {
		let place = *self.places.get(&transaction)?;
		let is_its = move |event: &Event<'_, Config>| event.phase() == Phase::ApplyExtrinsic(place);
		let events = self.events.iter().map(|event| event.map_err(|error| chain_of(&error)));
		Some(events.filter(move |event| event.as_ref().map_or(true, is_its)))
	}
}

/// An event of a block with the names of its fields.
pub(crate) fn raw(at: &AtBlock, event: &Event<'_, Config>) -> Result<RawEvent, ChainError> {
	let (pallet, index) = (event.pallet_index(), event.event_index());
	RawEvent::new(at.metadata_ref(), pallet, index, event.field_bytes())
}

/// What a function of the runtime answers after a block, in SCALE.
pub(crate) fn ask<'a>(
	at: &'a AtBlock,
	function: &'a str,
	arguments: &'a [u8],
) -> BoxFuture<'a, Result<Vec<u8>, ChainError>> {
	Box::pin(
		async move { at.runtime_apis().call_raw(function, Some(arguments)).await.map_err(failed) },
	)
}

/// The events of a block.
pub(crate) fn events_at(at: &AtBlock) -> BoxFuture<'_, Result<Vec<RawEvent>, ChainError>> {
	Box::pin(async move {
		let events = at.events().fetch().await.map_err(failed)?;
		let read = |event: Result<Event<'_, Config>, _>| raw(at, &event.map_err(failed)?);
		events.iter().map(read).collect()
	})
}

impl Blocks {
	/// The blocks behind a connection.
	pub(crate) fn new(api: OnlineClient<Config>, rpc: RpcClient) -> Self {
		Self { api, rpc, latest: Arc::default(), kind: Arc::default(), contents: Arc::default() }
	}

	/// The hash of the chain's first block.
	pub(crate) fn genesis(&self) -> H256 {
		H256(self.api.genesis_hash().0)
	}

	/// What the node says of its chain, by its specification: `Development`, `Local`, `Live`, or
	/// `Custom`.
	pub(crate) fn kind(&self) -> BoxFuture<'_, Result<String, ChainError>> {
		Box::pin(async move {
			let ask = || async {
				match self.rpc.request::<String>("system_chainType", rpc_params![]).await {
					Ok(kind) => Ok(kind),
					// A kind of its own is an object that names it.
					Err(rpcs::Error::Deserialization(_)) => Ok("Custom".to_string()),
					Err(error) => Err(failed_request(&error)),
				}
			};
			self.kind.get_or_try_init(ask).await.cloned()
		})
	}

	/// The members of what the node answers to a request by its name, all of them texts.
	pub(crate) fn members<'a>(
		&'a self,
		method: &'a str,
		parameters: RpcParams,
	) -> BoxFuture<'a, Result<BTreeMap<String, String>, rpcs::Error>> {
		Box::pin(async move { self.rpc.request(method, parameters).await })
	}

	/// The node's methods.
	pub(crate) fn methods(&self) -> Methods {
		methods(&self.rpc)
	}

	/// Are these the blocks behind the same connection?
	pub(crate) fn are(&self, others: &Self) -> bool {
		Arc::ptr_eq(&self.contents, &others.contents)
	}

	/// The last final block.
	pub(crate) fn latest(&self) -> BoxFuture<'_, Result<AtBlock, ChainError>> {
		Box::pin(async move {
			let head = self.rpc.request("chain_getFinalizedHead", rpc_params![]).await;
			let head: subxt::utils::H256 = head.map_err(|error| failed_request(&error))?;
			// Held while the node is asked, so that it is asked once.
			let mut latest = self.latest.lock().await;
			if let Some(block) = latest.as_ref().filter(|block| block.block_hash() == head) {
				return Ok(block.clone());
			}
			let block = self.api.at_block(head).await.map_err(failed)?;
			*latest = Some(block.clone());
			Ok(block)
		})
	}

	/// The final block, from the one of this height on, that has a transaction; `None` if there is
	/// none so far.
	pub(crate) fn find(
		&self,
		from: u64,
		transaction: H256,
	) -> BoxFuture<'_, Result<Option<H256>, ChainError>> {
		Box::pin(async move {
			let last = self.latest().await?.block_number();
			for height in from..=last {
				let hash = self.rpc.request("chain_getBlockHash", rpc_params![height]).await;
				let hash: subxt::utils::H256 = hash.map_err(|error| failed_request(&error))?;
				let block = H256(hash.0);
				if self.contents(block).await?.of(transaction).is_some() {
					return Ok(Some(block));
				}
			}
			Ok(None)
		})
	}

	/// The events of the block of this height.
	pub(crate) fn events(&self, height: u64) -> BoxFuture<'_, Result<Vec<RawEvent>, ChainError>> {
		Box::pin(async move { events_at(&self.at(height).await?).await })
	}

	/// The block of this height.
	pub(crate) fn at(&self, height: u64) -> BoxFuture<'_, Result<AtBlock, ChainError>> {
		Box::pin(async move { self.api.at_block(height).await.map_err(failed) })
	}

	/// What is in a final block.
	pub(crate) fn contents(&self, block: H256) -> BoxFuture<'_, Result<Arc<Contents>, ChainError>> {
		Box::pin(async move {
			let slot = self.slot(block);
			slot.get_or_try_init(|| self.fetch(block)).await.cloned()
		})
	}

	fn slot(&self, block: H256) -> Slot {
		let mut kept = self.contents.locked();
		if let Some((_, slot)) = kept.iter().find(|(hash, _)| *hash == block) {
			return slot.clone();
		}
		if kept.len() >= KEPT {
			kept.pop_front();
		}
		let slot = Slot::default();
		kept.push_back((block, slot.clone()));
		slot
	}

	fn fetch(&self, block: H256) -> BoxFuture<'_, Result<Arc<Contents>, ChainError>> {
		Box::pin(async move {
			let at = self.api.at_block(subxt::utils::H256(block.0)).await.map_err(failed)?;
			let body = at.extrinsics().fetch().await.map_err(failed)?;
			let mut places = HashMap::with_capacity(body.len());
			for (place, transaction) in (0..).zip(body.iter()) {
				// One that is not understood is not one of ours.
				let Ok(transaction) = transaction else { continue };
				places.insert(H256(transaction.hash().0), place);
			}
			let events = at.events().fetch().await.map_err(failed)?;
			Ok(Arc::new(Contents { at, places, events }))
		})
	}
}
