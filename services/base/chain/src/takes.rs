//! What a call takes of who signs it, beside the fee.

use crate::ChainError;
use codec::DecodeAll;
use gridproof_primitives::compute::ComputeParameters;
use subxt::Metadata;

/// AIT that a call takes of who signs it, beside the fee, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Takes {
	pub(crate) what: What,
	/// What it is for, as a person reads it, such as "the miner's bond".
	pub(crate) purpose: &'static str,
}

/// How much a call takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
	/// So much, in units of 10⁻¹⁸ AIT.
	Amount(u128),
	/// A constant of a pallet, so many times.
	Constant {
		/// The pallet's name.
		pallet: &'static str,
		/// The constant's name.
		name: &'static str,
		/// How often it is taken.
		times: u32,
	},
	/// The bond that governance requires of a miner.
	MinerBond,
	/// The bond that governance requires of a coordinator.
	CoordinatorBond,
}

impl Takes {
	/// What it is for.
	pub const fn purpose(&self) -> &'static str {
		self.purpose
	}

	/// Does the amount depend on what governance decided about compute?
	pub const fn is_a_parameter(&self) -> bool {
		matches!(self.what, What::MinerBond | What::CoordinatorBond)
	}

	/// How much it is on a chain with this runtime and these parameters, in units of 10⁻¹⁸ AIT.
	///
	/// # Errors
	/// [`ChainError::Unsupported`] if the runtime has no such constant.
	pub fn amount(
		&self,
		metadata: &Metadata,
		parameters: &ComputeParameters,
	) -> Result<u128, ChainError> {
		match self.what {
			What::Amount(amount) => Ok(amount),
			What::Constant { pallet, name, times } => {
				Ok(constant(metadata, pallet, name)?.saturating_mul(times.into()))
			},
			What::MinerBond => Ok(parameters.miner_bond),
			What::CoordinatorBond => Ok(parameters.coordinator_bond),
		}
	}
}

/// A constant of a pallet, in the smallest unit of its token.
pub(crate) fn constant(
	metadata: &Metadata,
	pallet: &'static str,
	name: &'static str,
) -> Result<u128, ChainError> {
	let unsupported = || ChainError::Unsupported(format!("the constant {pallet}.{name}"));
	let known = metadata.pallet_by_name(pallet).ok_or_else(unsupported)?;
	let constant = known.constant_by_name(name).ok_or_else(unsupported)?;
	u128::decode_all(&mut constant.value()).map_err(|_| unsupported())
}
