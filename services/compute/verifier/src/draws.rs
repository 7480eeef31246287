//! Which receipts of a batch fall to a key.

use gridproof_keys::SealedKey;
use gridproof_primitives::{
	H256,
	compute::{
		channels::{
			Batch, BatchError, ChannelReceipt, Lists, Placed, ReceiptProof, SettlementHeader,
		},
		checks::{
			AskedReceipt, BatchChecks, Segment, Vrf, VrfOutput, checks_of, draw_input, point_of,
			segments,
		},
	},
	crypto::ed25519::PublicKey,
};
use std::fmt;

/// A batch as its coordinator publishes it, made again from its receipts.
#[derive(Clone, Debug)]
pub struct Published {
	/// Header, as the chain has settled it.
	pub header: SettlementHeader,
	/// Receipts and lines, made again from what is published.
	pub batch: Batch,
}

/// Why what a coordinator publishes is not the batch that the chain has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotPublished {
	/// The header is another one.
	OtherHeader,
	/// The lines or receipts are not those of the header.
	Receipts(BatchError),
}

impl fmt::Display for NotPublished {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::OtherHeader => {
				f.write_str("the published header is not the one that was settled")
			},
			Self::Receipts(error) => write!(f, "{error}"),
		}
	}
}

impl Published {
	/// Checks that header, lines and receipts are those of the header that the chain settled.
	///
	/// # Errors
	/// [`NotPublished`].
	pub fn check(
		hash: H256,
		header: SettlementHeader,
		lists: &Lists,
		receipts: Vec<ChannelReceipt>,
	) -> Result<Self, NotPublished> {
		if header.hash() != hash {
			return Err(NotPublished::OtherHeader);
		}
		let batch = Batch::audit(&header, lists, receipts).map_err(NotPublished::Receipts)?;
		Ok(Self { header, batch })
	}

	/// Returns a receipt of the batch with its place; `None` if it has none at this index, or gives it up.
	pub fn placed(&self, index: u64) -> Option<Placed<ChannelReceipt>> {
		let proof = ReceiptProof::of(&self.batch, usize::try_from(index).ok()?)?;
		Some(proof.receipt)
	}

	/// Returns the receipt whose price encloses a place in a miner's running sum of prices, in the smallest unit
	/// of the batch's asset, with its place in the batch; `None` if the batch has none there, or gives it up.
	pub fn at(&self, miner: &PublicKey, place: u128) -> Option<Placed<ChannelReceipt>> {
		let is_it = |one: &ChannelReceipt| one.receipt.miner == Some(*miner) && one.pays_at(place);
		let index = self.batch.receipts().iter().position(is_it)?;
		self.placed(u64::try_from(index).ok()?)
	}
}

/// A check that fell to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
	/// Number of the check, from 0.
	pub check: u32,
	/// Output and proof of the draw.
	pub vrf: Vrf,
	/// Miner of the receipt.
	pub miner: PublicKey,
	/// Index of the receipt in the batch.
	pub index: u64,
}

/// Returns output and proof of a key's draw; `None` of a key that does not draw.
pub fn draw(
	key: &SealedKey,
	genesis: &H256,
	batch: &H256,
	block: &H256,
) -> Option<(Vrf, VrfOutput)> {
	let input = draw_input(genesis, batch, block);
	let vrf = Vrf::sign(&key.pair()?, &input);
	Some((vrf, vrf.verify(key.public(), &input)?))
}

/// Returns how many checks of a batch fall to a key; none if the key does not draw.
pub fn number(key: &SealedKey, genesis: &H256, batch: &H256, drawn: &BatchChecks) -> u32 {
	let output = draw(key, genesis, batch, &drawn.block).map(|(_, output)| output);
	output.map_or(0, |output| checks_of(drawn.value, drawn.per_check, drawn.verifiers, &output))
}

/// Returns the checks of a batch that fall to a key, each with its receipt.
pub fn checks(
	key: &SealedKey,
	genesis: &H256,
	published: &Published,
	drawn: &BatchChecks,
) -> Vec<Drawn> {
	let batch = published.header.hash();
	let Some((vrf, output)) = draw(key, genesis, &batch, &drawn.block) else { return Vec::new() };
	let count = checks_of(drawn.value, drawn.per_check, drawn.verifiers, &output);
	let Some(segments) = segments(published.batch.lists()) else { return Vec::new() };
	let of = |check: u32| {
		let point = point_of(&output, check, drawn.total)?;
		let segment = Segment::find(&segments, point)?;
		let mut receipts = published.batch.receipts().iter();
		let index = receipts.position(|receipt| segment.encloses(receipt, point))?;
		Some(Drawn { check, vrf, miner: segment.miner, index: u64::try_from(index).ok()? })
	};
	(0..count).filter_map(of).collect()
}

/// Returns what a client wants checked as a check of the verifier whose turn it is; `None` if the batch has no
/// such receipt, or nobody's work is in it.
pub fn turn(
	key: &SealedKey,
	genesis: &H256,
	published: &Published,
	drawn: &BatchChecks,
	asked: &AskedReceipt,
) -> Option<Drawn> {
	let (vrf, _) = draw(key, genesis, &published.header.hash(), &drawn.block)?;
	let receipt = published.batch.receipts().get(usize::try_from(asked.index).ok()?)?;
	Some(Drawn { check: asked.id.check, vrf, miner: receipt.receipt.miner?, index: asked.index })
}

/// Returns the miner in whose line the point of a check lies, where no receipts are published.
pub fn miner_of(
	key: &SealedKey,
	genesis: &H256,
	batch: &H256,
	lists: &Lists,
	drawn: &BatchChecks,
	check: u32,
) -> Option<(Vrf, PublicKey)> {
	let (vrf, output) = draw(key, genesis, batch, &drawn.block)?;
	let point = point_of(&output, check, drawn.total)?;
	let segments = segments(lists)?;
	let segment = Segment::find(&segments, point)?;
	Some((vrf, segment.miner))
}
