//! The lists of a batch: channels and miners over the same receipts, and what is given up of these.

use super::{BatchRefusal, BatchSums, ChannelLine, GivenUp, MinerLine, SettlementHeader};
use crate::{
	H256,
	crypto::{
		ed25519::{PublicKey, Signature},
		merkle,
	},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{ConstU32, bounded::BoundedVec};

/// Highest number of lines in each list.
pub const MAX_LINES: u32 = 1_024;
/// Highest number of receipts in a batch.
pub const MAX_RECEIPTS_PER_BATCH: u64 = 1 << 20;

/// The lines of a batch, without signatures.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Lists {
	/// Lines of channels, by rising number.
	pub channels: Vec<ChannelLine>,
	/// Lines of miners, by rising key; that of receipts without a miner comes first.
	pub miners: Vec<MinerLine>,
	/// Ranges of miners that are given up, by miner and count.
	pub given_up: Vec<GivenUp>,
}

impl Lists {
	/// Returns the hashes of all lines in the order of their tree.
	pub fn leaves(&self) -> Vec<H256> {
		let channels = self.channels.iter().map(ChannelLine::leaf_data);
		let miners = self.miners.iter().map(MinerLine::leaf_data);
		let given_up = self.given_up.iter().map(GivenUp::leaf_data);
		channels.chain(miners).chain(given_up).map(|data| merkle::leaf_hash(&data)).collect()
	}

	/// Returns what the lines of the channels add up to: receipts and price; `None` if it does not
	/// fit or a sum falls.
	pub fn of_channels(&self) -> Option<(u64, u128)> {
		self.channels.iter().try_fold((0u64, 0u128), |(receipts, price), line| {
			Some((receipts.checked_add(line.receipts()?)?, price.checked_add(line.price()?)?))
		})
	}

	/// Returns what the lines of the miners add up to; `None` if it does not fit or a sum falls.
	pub fn of_miners(&self) -> Option<BatchSums> {
		self.miners.iter().try_fold(BatchSums::default(), |sums, line| {
			Some(BatchSums {
				receipts: sums.receipts.checked_add(line.receipts()?)?,
				price: sums.price.checked_add(line.price()?)?,
				weight: sums.weight.checked_add(line.weight()?)?,
			})
		})
	}

	/// Checks that each range that is given up lies within its miner's line, behind the one before it.
	///
	/// # Errors
	/// That of [`MinerLine::check`], or [`BatchRefusal::GivenUpElsewhere`].
	fn check_given_up(&self) -> Result<(), BatchRefusal> {
		self.given_up.iter().try_for_each(|one| one.line.check())?;
		let mut ranges = self.given_up.iter().map(|one| &one.line).peekable();
		for line in &self.miners {
			let mut reached = line.from;
			while let Some(range) = ranges.next_if(|range| range.miner == line.miner) {
				let begins = reached.count <= range.from.count && reached.agrees(&range.from);
				let ends = range.to.count <= line.to.count && range.to.agrees(&line.to);
				if !begins || !ends {
					return Err(BatchRefusal::GivenUpElsewhere);
				}
				reached = range.to;
			}
		}
		if ranges.next().is_none() { Ok(()) } else { Err(BatchRefusal::GivenUpElsewhere) }
	}

	/// Returns what is paid of each miner's line, in their order: the line without what is given up of
	/// it. Its end does not lie on the curve of the miner's sums. `None` if the lists are not sound.
	pub fn paid(&self) -> Option<Vec<MinerLine>> {
		let mut ranges = self.given_up.iter().map(|one| &one.line).peekable();
		let paid = |line: &MinerLine| {
			let mut paid = *line;
			while let Some(range) = ranges.next_if(|range| range.miner == line.miner) {
				paid = paid.without(range)?;
			}
			Some(paid)
		};
		self.miners.iter().map(paid).collect()
	}

	/// Returns what the ranges that are given up add up to: receipts and price; `None` if it does not
	/// fit or a sum falls.
	pub fn of_given_up(&self) -> Option<(u64, u128)> {
		self.given_up.iter().try_fold((0u64, 0u128), |(receipts, price), GivenUp { line, .. }| {
			Some((receipts.checked_add(line.receipts()?)?, price.checked_add(line.price()?)?))
		})
	}

	/// Returns the index of a miner's receipt in the tree of receipts; `None` if its count is in no
	/// line. Miner and count alone determine it, so a receipt can be in one place only.
	pub fn index_of(&self, miner: Option<PublicKey>, count: u64) -> Option<u64> {
		let mut before = 0u64;
		for line in &self.miners {
			if line.miner == miner {
				let place = count.checked_sub(line.from.count)?.checked_sub(1)?;
				return (count <= line.to.count).then_some(before.checked_add(place)?);
			}
			before = before.checked_add(line.receipts()?)?;
		}
		None
	}

	/// Checks the lists against each other and against the header: everything that depends on no
	/// state.
	///
	/// # Errors
	/// The refusal of the first rule that they break.
	pub fn check(&self, header: &SettlementHeader) -> Result<(), BatchRefusal> {
		let length = |length: usize| u32::try_from(length).ok().filter(|n| *n <= MAX_LINES);
		let lengths = [self.channels.len(), self.miners.len(), self.given_up.len()].map(length);
		let [Some(channels), Some(miners), Some(given_up)] = lengths else {
			return Err(BatchRefusal::TooManyLines);
		};
		let require = |holds: bool, refusal| if holds { Ok(()) } else { Err(refusal) };
		let is_of_something = channels > 0 || given_up > 0;
		require(is_of_something && miners > 0, BatchRefusal::NoReceipts)?;
		self.channels.iter().try_for_each(ChannelLine::check)?;
		self.miners.iter().try_for_each(MinerLine::check)?;
		let rising = self.channels.is_sorted_by(|one, next| one.channel() < next.channel());
		require(rising, BatchRefusal::ChannelsUnsorted)?;
		let rising = self.miners.is_sorted_by(|one, next| one.miner < next.miner);
		require(rising, BatchRefusal::MinersUnsorted)?;
		self.check_given_up()?;
		let (Some(settled), Some(given), Some(sums)) =
			(self.of_channels(), self.of_given_up(), self.of_miners())
		else {
			return Err(BatchRefusal::SumsOverflow);
		};
		let both = (settled.0.checked_add(given.0), settled.1.checked_add(given.1));
		let (Some(receipts), Some(price)) = both else { return Err(BatchRefusal::SumsOverflow) };
		require(sums.receipts <= MAX_RECEIPTS_PER_BATCH, BatchRefusal::TooManyReceipts)?;
		require((receipts, price) == (sums.receipts, sums.price), BatchRefusal::ListsDisagree)?;
		let stated = (header.sums, header.channels, header.miners);
		let of_miners = miners.saturating_add(given_up);
		require(stated == (sums, channels, of_miners), BatchRefusal::HeaderDisagrees)?;
		require(header.lines == merkle::root(&self.leaves()), BatchRefusal::OtherLines)
	}
}

/// A line of a channel with the signature of its voucher.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignedChannelLine {
	/// Range and newest voucher.
	pub line: ChannelLine,
	/// Signature of the voucher by the channel's signer.
	pub signature: Signature,
}

/// A line of a miner, with its signature or without.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignedMinerLine {
	/// Range of the miner.
	pub line: MinerLine,
	/// The miner's signature of [`MinerLine::signing_payload`]. Without it the line pays and mints
	/// nothing, and the miner may add it until the check window ends.
	pub signature: Option<Signature>,
}

/// A batch as it is submitted to the chain.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettlementBatch {
	/// Header that is signed.
	pub header: SettlementHeader,
	/// The coordinator's signature of [`SettlementHeader::signing_payload`].
	pub signature: Signature,
	/// Lines of channels.
	pub channels: BoundedVec<SignedChannelLine, ConstU32<MAX_LINES>>,
	/// Lines of miners.
	pub miners: BoundedVec<SignedMinerLine, ConstU32<MAX_LINES>>,
	/// Ranges of miners that are given up.
	pub given_up: BoundedVec<GivenUp, ConstU32<MAX_LINES>>,
}

impl SettlementBatch {
	/// Returns the lines without their signatures.
	pub fn lists(&self) -> Lists {
		Lists {
			channels: self.channels.iter().map(|signed| signed.line).collect(),
			miners: self.miners.iter().map(|signed| signed.line).collect(),
			given_up: self.given_up.to_vec(),
		}
	}

	/// Checks everything that depends on no state: lists, header and the coordinator's signature.
	/// The signatures of vouchers need the channels' signers.
	///
	/// # Errors
	/// The refusal of the first rule that the batch breaks.
	pub fn check(&self, genesis: &H256) -> Result<Lists, BatchRefusal> {
		let lists = self.lists();
		lists.check(&self.header)?;
		self.header.verify(genesis, &self.signature)?;
		Ok(lists)
	}
}

/// Returns the fee of a batch, in units of 10⁻¹⁸ AIT: so much for each line of any list. `None`
/// if it does not fit.
pub fn batch_fee(header: &SettlementHeader, fee_per_line: u128) -> Option<u128> {
	let lines = u128::from(header.channels).checked_add(header.miners.into())?;
	lines.checked_mul(fee_per_line)
}
