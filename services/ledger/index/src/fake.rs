//! A chain that is made up, for tests.

use crate::{
	block::{Block, Event, Fact, Meter, ReserveMove, Span},
	source::Source,
};
use futures::future::BoxFuture;
use gridproof_chain::{ChainError, Sent, tokens::Token};
use gridproof_primitives::{
	H256,
	compute::{
		PriceAsset,
		channels::{BatchKind, Mode},
		settlement::Shares,
	},
	energy::MeterName,
	reserve::formula::State,
	time::day::Day,
};
use gridproof_support::Lock;
use serde_json::json;
use std::sync::{
	Mutex,
	atomic::{AtomicU64, Ordering},
};

/// Time of the first block that has one, in UTC milliseconds: 2026-01-31T22:00:00Z.
pub(crate) const BEGIN: u64 = 1_769_896_800_000;
/// Time from a block to the next, in milliseconds.
pub(crate) const SLOT: u64 = 60_000;
pub(crate) const ALICE: [u8; 32] = [1; 32];
pub(crate) const BOB: [u8; 32] = [2; 32];
pub(crate) const COORDINATOR: [u8; 32] = [203; 32];
pub(crate) const MINER: [u8; 32] = [204; 32];
pub(crate) const JOB: H256 = H256([205; 32]);
pub(crate) const BATCH: BatchKind = BatchKind { asset: PriceAsset::Aicp, mode: Mode::Ordinary };
pub(crate) const SHARES: Shares = Shares { treasury: 1, coordinator: 2, miner: 7 };

/// The hash of a block of this height.
pub(crate) fn hash(height: u64) -> H256 {
	let mut hash = [9; 32];
	hash[..8].copy_from_slice(&height.to_le_bytes());
	H256(hash)
}

/// An event with a fact.
pub(crate) fn event(name: &str, named: &[[u8; 32]], fact: Option<Fact>) -> Event {
	Event {
		transaction: Some(1),
		pallet: "Money".to_string(),
		name: name.to_string(),
		fields: json!({"amount": "7"}),
		named: named.to_vec(),
		fact,
	}
}

/// What every third block does: a transfer of AIT from Alice to Bob.
pub(crate) const SENT: Fact = Fact::Transfer { token: Token::Ait, from: ALICE, to: BOB, amount: 7 };

/// A block with its usual content.
pub(crate) fn block(height: u64) -> Block {
	let mut block = Block {
		height,
		hash: hash(height),
		parent: height.checked_sub(1).map(hash).unwrap_or_default(),
		time_ms: if height == 0 { 0 } else { BEGIN + (height - 1) * SLOT },
		author: (height > 0).then_some([8; 32]),
		version: 1,
		count: 2,
		supplies: [1_000 + u128::from(height / 10), 5, 6],
		..Block::default()
	};
	if height > 0 && height.is_multiple_of(3) {
		block.transactions.push(Sent {
			place: 1,
			hash: H256([height as u8; 32]),
			signer: Some(ALICE),
			nonce: Some(height / 3),
			pallet: "Money".to_string(),
			call: "send".to_string(),
			bytes: 100,
			error: height.is_multiple_of(9).then(|| "there is too little".to_string()),
			fee: Some(u128::MAX),
		});
		block.events.push(event("Sent", &[ALICE, BOB], Some(SENT)));
	}
	block
}

/// A block in which one of everything happens.
pub(crate) fn eventful(height: u64) -> Block {
	let mut block = block(height);
	let day = Day::parse("2026-01-30").unwrap();
	let name = MeterName::new("site-1", "gateway-1", "meter-1").unwrap();
	block.meters.push(Meter { index: 0, name, owner: BOB });
	let span = Span {
		start_ms: BEGIN + 20 * SLOT,
		end_ms: BEGIN + 185 * SLOT,
		imported_wh: 1_001,
		exported_wh: 500,
		readings: 11,
		root: H256([6; 32]),
	};
	let facts = [
		Fact::Stated { day, statement: H256([7; 32]), reserve: 10, target: 11, allowance: 12 },
		Fact::State { from: State::Frozen, to: State::InBand, ratio: Some(u128::MAX) },
		Fact::Reserve { what: ReserveMove::Minted, who: None, amount: 12, credit: 0 },
		Fact::Reserve { what: ReserveMove::Redeemed, who: Some(BOB), amount: 3, credit: 4 },
		Fact::Energy {
			meter: 0,
			sequence: 0,
			header: H256([10; 32]),
			minted_wh: 400,
			span: Some(span),
		},
		Fact::JobOpened {
			job: JOB,
			client: ALICE,
			coordinator: COORDINATOR,
			asset: PriceAsset::Ait,
			price: 20,
		},
		Fact::JobSettled {
			job: JOB,
			receipt: H256([11; 32]),
			miner: MINER,
			units: 30,
			shares: SHARES,
			refund: 10,
			claim: 40,
		},
		Fact::ChannelOpened {
			channel: 77,
			client: ALICE,
			coordinator: COORDINATOR,
			kind: BATCH,
			deposit: 100,
		},
		Fact::ChannelAdded(77, 50),
		Fact::ChannelSettled(77, 3, 60),
		Fact::MinerSettled {
			coordinator: COORDINATOR,
			miner: MINER,
			receipts: 3,
			shares: SHARES,
			claim: 41,
		},
		Fact::Batch {
			coordinator: COORDINATOR,
			sequence: 0,
			header: H256([12; 32]),
			kind: BATCH,
			receipts: 3,
			price: 60,
			units: 90,
			fee: 2,
		},
		Fact::ChannelEnded(77, 90),
		Fact::Emission { key: MINER, amount: 1_000 },
		Fact::TreasuryEmission(5),
		Fact::Step { step: 4, claims: 81, shares: SHARES },
		Fact::Slashed { key: MINER, amount: 6 },
	];
	block.events.extend(facts.map(|fact| event("Did", &[COORDINATOR], Some(fact))));
	block
}

/// A node that is made up.
pub(crate) struct Fake {
	pub(crate) genesis: H256,
	pub(crate) blocks: Mutex<Vec<Block>>,
	/// Height of the last block that is final.
	pub(crate) finalized: AtomicU64,
	/// The height from which on no block is given.
	pub(crate) broken_from: AtomicU64,
	/// Blocks that are being asked for, and the most of them at a time.
	pub(crate) under_way: AtomicU64,
	pub(crate) most: AtomicU64,
}

impl Fake {
	/// A chain of so many blocks, all of which are final.
	pub(crate) fn new(count: u64) -> Self {
		Self {
			genesis: hash(0),
			blocks: Mutex::new((0..count).map(block).collect()),
			finalized: AtomicU64::new(count.saturating_sub(1)),
			broken_from: AtomicU64::new(u64::MAX),
			under_way: AtomicU64::default(),
			most: AtomicU64::default(),
		}
	}
}

impl Source for Fake {
	fn genesis(&self) -> BoxFuture<'_, Result<H256, ChainError>> {
		Box::pin(async { Ok(self.genesis) })
	}

	fn finalized(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
		Box::pin(async { Ok(self.finalized.load(Ordering::SeqCst)) })
	}

	fn block(&self, height: u64) -> BoxFuture<'_, Result<Block, ChainError>> {
		Box::pin(async move {
			assert!(height <= self.finalized.load(Ordering::SeqCst), "{height} is not final");
			let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
			self.most.fetch_max(now, Ordering::SeqCst);
			// The later ones answer first.
			tokio::time::sleep(std::time::Duration::from_micros(900 - 100 * (height % 9))).await;
			self.under_way.fetch_sub(1, Ordering::SeqCst);
			if height >= self.broken_from.load(Ordering::SeqCst) {
				let message = "state already discarded".to_string();
				return Err(ChainError::Rpc { code: Some(4003), message });
			}
			let place = usize::try_from(height).unwrap();
			Ok(self.blocks.locked()[place].clone())
		})
	}
}
