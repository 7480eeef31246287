//! A receipt of a channel with everything that proves it, as a file that keeps its worth when its
//! coordinator is gone.
//!
//! What is shown: who signed; that the receipt is in a batch, within the lines of its channel and its
//! miner; that the batch's header leads, header by header, to one that the chain knows; and that the
//! channel is of this coordinator, asset and mode. What is not shown: that the work was done.

use crate::protocol::{IssuedReceipt, ReceiptAnswer};
use codec::{Decode, DecodeAll, Encode};
use gridproof_primitives::{
	H256,
	compute::channels::{
		ChannelReceipt, ChannelView, HeaderChain, ReceiptProof, ReceiptProofError,
		ReceiptV2Refusal, SettlementHeader,
	},
	crypto::ed25519::PublicKey,
};
use gridproof_support::{
	Classified, Failure,
	text::{Hex32, HexBytes},
};
use serde::{Deserialize, Serialize};

/// What a document says that it is.
const FORMAT: &str = "gridproof/receipt-document/v1";

/// A receipt of a channel with everything that proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptDocument {
	/// `gridproof/receipt-document/v1`.
	pub format: String,
	/// The chain's genesis hash, which every signature covers.
	pub genesis: Hex32,
	/// Id of the receipt.
	pub receipt_id: Hex32,
	/// Key of the coordinator.
	pub coordinator: Hex32,
	/// SCALE of the [`IssuedReceipt`].
	pub issued: HexBytes,
	/// SCALE of the `primitives::compute::channels::ReceiptProof`; `None` before a batch has the receipt.
	pub proof: Option<HexBytes>,
	/// SCALE of headers, the newest first: the last one is that of the receipt's batch, each other one
	/// that of the next batch. Empty before a batch has the receipt.
	pub headers: Vec<HexBytes>,
}

/// What a node says about a document's subject, at a final block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainView {
	/// Genesis hash.
	pub genesis: H256,
	/// The receipt's channel; `None` once its rest was returned.
	pub channel: Option<ChannelView>,
	/// Sequence number and hash of the nearest header from the receipt's batch on that the chain knows;
	/// `None` if it has not taken that batch.
	pub known: Option<(u64, H256)>,
}

/// What a document proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
	/// Receipt with its running sums.
	pub receipt: ChannelReceipt,
	/// Key of the coordinator that signed it.
	pub coordinator: PublicKey,
	/// Header of the batch, and place of the receipt in it from 0.
	pub batch: Option<(SettlementHeader, u64)>,
	/// `true` if the chain has taken that batch.
	pub is_on_chain: bool,
	/// `true` if the chain still has the channel, of this coordinator, asset and mode.
	pub is_channel_known: bool,
}

/// Why a document does not prove its receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotProven {
	/// A part of it is not what it has to be; named here.
	#[error("it is not a document of a receipt: {0}")]
	Malformed(&'static str),
	/// It is of another chain than the node that was asked.
	#[error("it is of another chain: ask a node of that one, with --url")]
	OtherChain,
	/// The id is not that of the receipt.
	#[error("the receipt has another id than the document says")]
	OtherId,
	/// The coordinator did not sign the receipt and its sums.
	#[error("the coordinator has not signed the receipt with these sums")]
	CoordinatorSignature,
	/// The miner that the receipt names did not sign it.
	#[error("the miner has not signed the receipt")]
	MinerSignature,
	/// The receipt contradicts itself.
	#[error("the receipt contradicts itself: {0}")]
	Receipt(ReceiptV2Refusal),
	/// The proof is of another receipt than was issued.
	#[error(
		"the proof is of another receipt than was issued: keep both, the coordinator signed two"
	)]
	OtherReceipt,
	/// The batch's header is of another coordinator than signed the receipt.
	#[error("the batch is of another coordinator")]
	OtherCoordinator,
	/// The batch does not settle the receipt.
	#[error("the batch does not settle the receipt: {0}")]
	Proof(ReceiptProofError),
	/// The channel is of another coordinator, asset or mode on chain.
	#[error("the channel on chain is of another coordinator, asset or mode")]
	OtherChannel,
	/// The headers do not lead to the one that the chain knows.
	#[error("the batch is not the chain's: its header does not lead to one that the chain knows")]
	NotOfTheChain,
	/// The batch gave the receipt up.
	#[error(
		"the receipt is given up: its channel ended before it was settled, and nobody is paid for it"
	)]
	GivenUp,
	/// No batch has the receipt yet.
	#[error("no batch has the receipt yet: coordinators make one a minute, try again")]
	NotSettled,
	/// The chain has not taken the batch yet.
	#[error("the chain has not taken the batch yet: try again")]
	NotTaken,
	/// The headers end before the one that the chain knows.
	#[error(
		"the headers end before the one that the chain knows: fetch the rest from the coordinator"
	)]
	HeadersMissing,
}

impl NotProven {
	/// Returns its name, for programs.
	pub const fn as_str(&self) -> &'static str {
		match self {
			Self::Malformed(_) => "malformed",
			Self::OtherChain => "other_chain",
			Self::OtherId => "other_id",
			Self::CoordinatorSignature => "coordinator_signature",
			Self::MinerSignature => "miner_signature",
			Self::Receipt(_) => "receipt",
			Self::OtherReceipt => "other_receipt",
			Self::OtherCoordinator => "other_coordinator",
			Self::Proof(_) => "proof",
			Self::OtherChannel => "other_channel",
			Self::NotOfTheChain => "not_of_the_chain",
			Self::GivenUp => "given_up",
			Self::NotSettled => "not_settled",
			Self::NotTaken => "not_taken",
			Self::HeadersMissing => "headers_missing",
		}
	}

	/// Returns `true` if the same receipt may be proven later.
	pub const fn is_temporary(&self) -> bool {
		matches!(self, Self::NotSettled | Self::NotTaken | Self::HeadersMissing)
	}
}

impl Classified for NotProven {
	fn failure(&self) -> Failure {
		match self {
			_ if self.is_temporary() => Failure::UNREACHABLE,
			Self::Malformed(_) | Self::OtherChain => Failure::USAGE,
			_ => Failure::refused(false),
		}
	}
}

impl IssuedReceipt {
	/// Reads a receipt with its signatures as answers have it in `Gridproof-Receipt`: `0x` and
	/// hexadecimal digits.
	///
	/// # Errors
	/// [`NotProven::Malformed`].
	pub fn from_header(text: &str) -> Result<Self, NotProven> {
		const WANTED: &str = "want its id, or what Gridproof-Receipt of an answer holds";
		let bytes: HexBytes = text.trim().parse().map_err(|_| NotProven::Malformed(WANTED))?;
		read(&bytes, WANTED)
	}
}

fn read<T: Decode>(bytes: &HexBytes, wanted: &'static str) -> Result<T, NotProven> {
	T::decode_all(&mut &bytes.0[..]).map_err(|_| NotProven::Malformed(wanted))
}

impl ReceiptDocument {
	/// Makes a document of what a coordinator answers. The headers between the receipt's batch and one
	/// that the chain knows are added by [`Self::set_headers`]; before there is a batch, the key of the
	/// coordinator is all zeros and has to be filled in.
	///
	/// # Errors
	/// [`NotProven::Malformed`] if the answer's header is not one, [`NotProven::GivenUp`].
	pub fn new(genesis: H256, answer: ReceiptAnswer) -> Result<Self, NotProven> {
		if answer.given_up.is_some() {
			return Err(NotProven::GivenUp);
		}
		let header = answer.header.as_ref();
		let header: Option<SettlementHeader> =
			header.map(|header| read(header, "the answer's header is not one")).transpose()?;
		Ok(Self {
			format: FORMAT.to_string(),
			genesis: genesis.into(),
			receipt_id: answer.receipt_id,
			coordinator: header.map(|header| Hex32(header.coordinator)).unwrap_or_default(),
			issued: answer.issued,
			proof: answer.proof,
			headers: answer.header.into_iter().collect(),
		})
	}

	/// Reads a document from JSON.
	///
	/// # Errors
	/// [`NotProven::Malformed`].
	pub fn parse(json: &[u8]) -> Result<Self, NotProven> {
		let bad = NotProven::Malformed("want the JSON that `gridproof receipt` saves");
		let document: Self = serde_json::from_slice(json).map_err(|_| bad)?;
		if document.format == FORMAT { Ok(document) } else { Err(bad) }
	}

	/// Returns the receipt with its signatures, unchecked.
	///
	/// # Errors
	/// [`NotProven::Malformed`].
	pub fn issued(&self) -> Result<IssuedReceipt, NotProven> {
		read(&self.issued, "issued is not a receipt with its signatures")
	}

	/// Returns the headers, the newest first, unchecked.
	///
	/// # Errors
	/// [`NotProven::Malformed`].
	pub fn headers(&self) -> Result<Vec<SettlementHeader>, NotProven> {
		self.headers.iter().map(|header| read(header, "headers has what is not a header")).collect()
	}

	/// Replaces the headers by these, the newest first.
	pub fn set_headers(&mut self, headers: &[SettlementHeader]) {
		self.headers = headers.iter().map(|header| HexBytes(header.encode())).collect();
	}

	/// Checks everything that needs no node, and compares with what a node says, if one was asked.
	/// Without a node, a receipt that no batch has yet is good if its signatures are.
	///
	/// # Errors
	/// The first reason of [`NotProven`] that applies.
	pub fn check(&self, chain: Option<&ChainView>) -> Result<Proven, NotProven> {
		let genesis = H256::from(self.genesis);
		if chain.is_some_and(|chain| chain.genesis != genesis) {
			return Err(NotProven::OtherChain);
		}
		let issued = self.check_signatures(&genesis)?;
		let mut proven = Proven {
			receipt: issued.receipt,
			coordinator: self.coordinator.0,
			batch: self.check_batch(&issued.receipt)?,
			is_on_chain: false,
			is_channel_known: false,
		};
		if let Some(chain) = chain {
			proven.is_channel_known = is_of_channel(&proven, chain.channel.as_ref())?;
			if proven.batch.is_none() {
				return Err(NotProven::NotSettled);
			}
			self.check_headers(chain.known)?;
			proven.is_on_chain = true;
		}
		Ok(proven)
	}

	/// Checks the id and both signatures.
	fn check_signatures(&self, genesis: &H256) -> Result<IssuedReceipt, NotProven> {
		let issued = self.issued()?;
		let (stated, receipt) = (&issued.receipt, &issued.receipt.receipt);
		if receipt.id(genesis) != H256::from(self.receipt_id) {
			return Err(NotProven::OtherId);
		}
		stated.check().map_err(NotProven::Receipt)?;
		stated
			.verify_coordinator(genesis, &self.coordinator.0, &issued.coordinator_signature)
			.map_err(|_| NotProven::CoordinatorSignature)?;
		if receipt.miner.is_some() {
			let signature = issued.miner_signature.ok_or(NotProven::MinerSignature)?;
			receipt.verify_miner(genesis, &signature).map_err(|_| NotProven::MinerSignature)?;
		}
		Ok(issued)
	}

	/// Checks that the batch settles the receipt; returns its header and the receipt's place.
	fn check_batch(
		&self,
		receipt: &ChannelReceipt,
	) -> Result<Option<(SettlementHeader, u64)>, NotProven> {
		let (Some(proof), Some(header)) = (&self.proof, self.headers.last()) else {
			return Ok(None);
		};
		let proof: ReceiptProof = read(proof, "proof is not the proof of a receipt")?;
		let header: SettlementHeader = read(header, "headers has what is not a header")?;
		if proof.receipt.item != *receipt {
			return Err(NotProven::OtherReceipt);
		}
		if header.coordinator != self.coordinator.0 {
			return Err(NotProven::OtherCoordinator);
		}
		proof.verify(&header).map_err(NotProven::Proof)?;
		Ok(Some((header, proof.receipt.index)))
	}

	/// Checks that the headers lead to the one that the chain knows.
	fn check_headers(&self, known: Option<(u64, H256)>) -> Result<(), NotProven> {
		let (sequence, last_hash) = known.ok_or(NotProven::NotTaken)?;
		let headers = self.headers()?;
		// By its hash: the last numbers of a group may have been passed over. What a coordinator's file
		// has beyond the one that the chain knows is of no use here.
		let from = headers.iter().position(|header| header.hash() == last_hash);
		let Some(headers) = from.and_then(|from| headers.get(from..)) else {
			let ends_before = headers.first().is_none_or(|newest| newest.sequence < sequence);
			let reason =
				if ends_before { NotProven::HeadersMissing } else { NotProven::NotOfTheChain };
			return Err(reason);
		};
		let chain = HeaderChain { last_hash, ..HeaderChain::default() };
		if chain.ends_with(headers) { Ok(()) } else { Err(NotProven::NotOfTheChain) }
	}
}

/// Returns `true` if the channel is known and is of the receipt's coordinator, asset and mode.
fn is_of_channel(proven: &Proven, channel: Option<&ChannelView>) -> Result<bool, NotProven> {
	let Some(ChannelView { channel, .. }) = channel else { return Ok(false) };
	let is_same =
		channel.coordinator == proven.coordinator && channel.kind == proven.receipt.sums.kind;
	if is_same { Ok(true) } else { Err(NotProven::OtherChannel) }
}
