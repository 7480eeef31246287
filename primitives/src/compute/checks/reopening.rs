//! Re-opened reports: one in twenty is compared with the pass of another verifier.

use super::{
	CheckId, Figures, LineClass, ModelLine, SeededFigures, TokenFigures, VerifierKey,
	VerifierSignature, Vrf, report::MAX_SHOWN_FIGURES, verify_signature,
};
use crate::H256;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A verifier's wish to re-open another's report, which its own VRF drew.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reopening {
	/// Key of the verifier that re-opens.
	pub by: VerifierKey,
	/// The check whose report is re-opened.
	pub of: CheckId,
	/// Output and proof of [`super::reopen_input`].
	pub vrf: Vrf,
	/// [`super::figures_commitment`] of its own pass, with its own key as the verifier: made before it
	/// sees the other's figures.
	pub commitment: H256,
}

impl Reopening {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/check-reopening/v1";

	/// Returns the bytes that the verifier signs.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self).encode()
	}

	/// Returns `true` if the signature is that of the verifier that re-opens.
	pub fn is_signed(&self, genesis: &H256, signature: &VerifierSignature) -> bool {
		verify_signature(&self.by, &self.signing_payload(genesis), signature)
	}
}

/// Figures that a verifier shows of a report that is re-opened.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShownFigures {
	/// Key of the verifier that shows them.
	pub by: VerifierKey,
	/// The check whose report is re-opened.
	pub of: CheckId,
	/// What it has committed to.
	pub figures: TokenFigures,
}

impl ShownFigures {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/check-shown/v1";

	/// Returns the bytes that the verifier signs.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self).encode()
	}

	/// Returns `true` if the signature is that of the verifier that shows them.
	pub fn is_signed(&self, genesis: &H256, signature: &VerifierSignature) -> bool {
		verify_signature(&self.by, &self.signing_payload(genesis), signature)
	}
}

/// Returns `true` if the figures that two verifiers show of one receipt agree.
///
/// Class `exact`: they are equal, and so is what both say of the output. Else their mean difference is at most the line's agreement. Whether the first
/// one's are those of its report says [`is_of_report`].
pub fn compare_figures(line: &ModelLine, shown: &TokenFigures, other: &TokenFigures) -> bool {
	if shown.len() != other.len() {
		return false;
	}
	if line.class == LineClass::Exact {
		return shown == other;
	}
	let length = u64::try_from(shown.len()).unwrap_or(u64::MAX);
	let pairs = shown.iter().zip(other);
	let difference =
		pairs.fold(0u64, |sum, (one, other)| sum.saturating_add(one.abs_diff(*other).into()));
	difference <= length.saturating_mul(line.agreement.into())
}

/// Returns `true` if the figures shown can be those of the report's statistics: of all tokens, sum and matches
/// are those of the figures; of a part of them, at most those of the report. Of class `exact` the first figure
/// is 1 if the report says equal, else 0: who looks at the same bits and says another thing does not agree.
pub fn is_of_report(line: &ModelLine, report: &Figures, shown: &TokenFigures) -> bool {
	let seeded = match report {
		Figures::Seeded(seeded) => seeded,
		Figures::Exact { equal } => return shown.first() == Some(&u32::from(*equal)),
		Figures::Embedding { .. } => return true,
	};
	let gaps = shown.iter().map(|gap| u64::from(*gap));
	let found = SeededFigures::of(gaps, seeded.end.into(), line.clip);
	if seeded.tokens <= MAX_SHOWN_FIGURES {
		return found == *seeded;
	}
	let is_whole = found.tokens == MAX_SHOWN_FIGURES;
	is_whole && found.clipped <= seeded.clipped && found.matches <= seeded.matches
}
