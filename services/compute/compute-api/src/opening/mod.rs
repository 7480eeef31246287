//! The check of an opening: that it is what the receipt, its voucher and its batch commit to.
//!
//! An opening that does not hold is none: who was to show it has shown nothing.

mod request;

use crate::protocol::{
	IssuedReceipt, JobSpec, Opening, TokenIds, output_root, sampling_parameters,
};
use codec::DecodeAll;
use gridproof_primitives::{
	H256,
	compute::channels::{Channel, ChannelReceipt, SamplingParameters, SignedVoucher, spec_hash},
};
use request::asks_for;
use std::fmt;

/// Why an opening does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOpened {
	/// A part of it cannot be read.
	Unreadable,
	/// It is of another receipt than the batch has.
	OtherReceipt,
	/// The voucher is another one than the receipt names, or not signed by the channel's key.
	OtherVoucher,
	/// The request is not the one that the voucher was signed for.
	OtherRequest,
	/// What was done is not what the request asks for.
	OtherWork,
	/// Token ids or parameters are not those of the receipt's output root.
	OtherContent,
	/// The numbers of token ids are not those that the receipt bills.
	OtherTokens,
}

impl fmt::Display for NotOpened {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Unreadable => "a part of the opening cannot be read",
			Self::OtherReceipt => "the opening is of another receipt than the batch has",
			Self::OtherVoucher => {
				"the voucher is not the receipt's, or its channel has not signed it"
			},
			Self::OtherRequest => "the request is not the one that the voucher was signed for",
			Self::OtherWork => "what was done is not what the request asks for",
			Self::OtherContent => {
				"token ids and parameters are not those that the receipt commits to"
			},
			Self::OtherTokens => "there are more or fewer token ids than the receipt bills",
		})
	}
}

impl std::error::Error for NotOpened {}

/// An opening that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
	/// Receipt with its running sums, as its batch has it.
	pub receipt: ChannelReceipt,
	/// What was asked for.
	pub spec: JobSpec,
	/// Token ids of prompt and output.
	pub tokens: TokenIds,
	/// Seed of the sampler.
	pub seed: H256,
}

impl Opening {
	/// Checks the opening against the receipt that the batch has, and the channel that pays for it.
	///
	/// # Errors
	/// [`NotOpened`].
	pub fn check(
		&self,
		genesis: &H256,
		receipt: &ChannelReceipt,
		channel: &Channel,
	) -> Result<Opened, NotOpened> {
		let signed = self.signed_voucher()?;
		let verified = channel.verify_voucher(genesis, &signed.voucher, &signed.signature);
		verified.map_err(|_| NotOpened::OtherVoucher)?;
		self.check_without_channel(genesis, receipt)
	}

	/// Checks the same where the chain does not know the channel any more: everything but who signed the
	/// voucher.
	///
	/// # Errors
	/// [`NotOpened`].
	pub fn check_without_channel(
		&self,
		genesis: &H256,
		receipt: &ChannelReceipt,
	) -> Result<Opened, NotOpened> {
		let issued = IssuedReceipt::decode_all(&mut &self.issued.0[..]);
		let issued = issued.map_err(|_| NotOpened::Unreadable)?;
		if issued.receipt != *receipt || H256(self.receipt_id.0) != receipt.receipt.id(genesis) {
			return Err(NotOpened::OtherReceipt);
		}
		let (signed, stated) = (self.signed_voucher()?, &receipt.receipt);
		stated.check_voucher(&signed.voucher).map_err(|_| NotOpened::OtherVoucher)?;
		if spec_hash(&self.secret.0, &self.request.0) != stated.spec_hash {
			return Err(NotOpened::OtherRequest);
		}
		if !asks_for(&self.request.0, &self.spec) {
			return Err(NotOpened::OtherWork);
		}
		if output_root(&self.spec, &self.tokens, &self.secret.0) != Ok(stated.output_root) {
			return Err(NotOpened::OtherContent);
		}
		let is = |ids: &[u32], stated: u32| u32::try_from(ids.len()) == Ok(stated);
		let telemetry = &stated.telemetry;
		let (prompt, output) = (&self.tokens.prompt, &self.tokens.output);
		if !is(prompt, telemetry.input_tokens) || !is(output, telemetry.output_tokens) {
			return Err(NotOpened::OtherTokens);
		}
		Ok(Opened {
			receipt: *receipt,
			spec: self.spec.clone(),
			tokens: self.tokens.clone(),
			seed: signed.voucher.seed(genesis),
		})
	}

	fn signed_voucher(&self) -> Result<SignedVoucher, NotOpened> {
		SignedVoucher::decode_all(&mut &self.voucher.0[..]).map_err(|_| NotOpened::Unreadable)
	}
}

impl Opened {
	/// Returns the parameters by which the output was drawn.
	pub fn parameters(&self) -> SamplingParameters {
		sampling_parameters(&self.spec)
	}
}
