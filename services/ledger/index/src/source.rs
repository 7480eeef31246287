//! Where blocks come from.

use crate::{
	block::{Block, Event, Fact, Meter, Span},
	facts::fact,
};
use futures::future::BoxFuture;
use gridproof_chain::{
	ChainError, Link, Past, Sheet,
	pallets::meter_readings::{
		event::{MeterCertified, MeterExchanged},
		query,
	},
};
use gridproof_primitives::{H256, energy::MeterIndex};
use gridproof_support::Lock;
use std::{
	collections::{BTreeSet, HashSet},
	sync::Mutex,
};

/// Meters that are remembered as read; more of them are read again.
const MAX_READ: usize = 1 << 16;

/// A chain that can be read block by block.
pub trait Source: Send + Sync + 'static {
	/// Hash of the chain's first block.
	fn genesis(&self) -> BoxFuture<'_, Result<H256, ChainError>>;

	/// Height of the last final block.
	fn finalized(&self) -> BoxFuture<'_, Result<u64, ChainError>>;

	/// The final block of this height.
	fn block(&self, height: u64) -> BoxFuture<'_, Result<Block, ChainError>>;
}

/// A node behind a link that connects again.
pub(crate) struct Node {
	link: Link,
	/// Meters whose certificate was read since the start.
	read: Mutex<HashSet<MeterIndex>>,
}

impl Node {
	/// The node behind a link.
	pub(crate) fn new(link: Link) -> Self {
		Self { link, read: Mutex::default() }
	}

	async fn read_block(&self, past: &Past) -> Result<Block, ChainError> {
		let (sheet, supplies) = futures::try_join!(past.sheet(), past.supplies())?;
		let mut wanted = BTreeSet::new();
		let mut block = of_sheet(sheet, supplies, &mut wanted);
		for event in &mut block.events {
			if let Some(Fact::Energy { meter, sequence, span, .. }) = &mut event.fact {
				*span = span_of(past, *meter, *sequence).await?;
			}
		}
		for meter in wanted {
			block.meters.extend(self.meter(past, meter).await?);
		}
		Ok(block)
	}

	/// The meter's certificate, if it was not read since it changed.
	async fn meter(
		&self,
		past: &Past,
		(index, has_changed): (MeterIndex, bool),
	) -> Result<Option<Meter>, ChainError> {
		if !has_changed && self.read.locked().contains(&index) {
			return Ok(None);
		}
		let Some(found) = past.read(&query::meter(index)).await? else { return Ok(None) };
		let mut read = self.read.locked();
		if read.len() >= MAX_READ {
			read.clear();
		}
		read.insert(index);
		let certificate = found.certificate;
		Ok(Some(Meter { index, name: certificate.name, owner: certificate.owner }))
	}
}

impl Source for Node {
	fn genesis(&self) -> BoxFuture<'_, Result<H256, ChainError>> {
		Box::pin(self.link.genesis())
	}

	fn finalized(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
		Box::pin(async move {
			let chain = self.link.chain().await?;
			self.link.checked(&chain, chain.height().await).await
		})
	}

	fn block(&self, height: u64) -> BoxFuture<'_, Result<Block, ChainError>> {
		Box::pin(async move {
			let chain = self.link.chain().await?;
			let read = async { self.read_block(&chain.past(height).await?).await };
			self.link.checked(&chain, read.await).await
		})
	}
}

async fn span_of(
	past: &Past,
	meter: MeterIndex,
	sequence: u64,
) -> Result<Option<Span>, ChainError> {
	let Some(record) = past.read(&query::batch(meter, sequence)).await? else { return Ok(None) };
	let header = record.header;
	let energy = header.closing.since(&header.opening).unwrap_or_default();
	Ok(Some(Span {
		start_ms: header.start_ms,
		end_ms: header.end_ms,
		imported_wh: energy.import_wh,
		exported_wh: energy.export_wh,
		readings: header.readings,
		root: header.root,
	}))
}

/// The block without what has to be asked for; `wanted` are meters whose certificate is to be read, and whether
/// it has changed.
fn of_sheet(sheet: Sheet, supplies: [u128; 3], wanted: &mut BTreeSet<(MeterIndex, bool)>) -> Block {
	let mut events = Vec::with_capacity(sheet.events.len());
	for entry in sheet.events {
		let fact = fact(&entry.event).unwrap_or_else(|error| {
			// It is found among all events; its figure is missing in charts until the program knows the new form.
			tracing::warn!(%error, height = sheet.height, "an event has a form that is not known");
			None
		});
		if let Some(Fact::Energy { meter, .. }) = &fact {
			wanted.insert((*meter, false));
		}
		if let Some(Ok(certified)) = entry.event.read::<MeterCertified>() {
			wanted.insert((certified.meter, true));
		}
		if let Some(Ok(exchanged)) = entry.event.read::<MeterExchanged>() {
			wanted.insert((exchanged.meter, true));
		}
		events.push(Event {
			transaction: entry.transaction,
			pallet: entry.event.pallet().to_string(),
			name: entry.event.name().to_string(),
			fields: entry.fields,
			named: entry.named,
			fact,
		});
	}
	Block {
		height: sheet.height,
		hash: sheet.hash,
		parent: sheet.parent,
		time_ms: sheet.time_ms.unwrap_or_default(),
		author: sheet.author,
		version: sheet.version,
		count: sheet.count,
		transactions: sheet.sent,
		events,
		supplies,
		meters: Vec::new(),
	}
}
