//! Whether a receipt was checked, by whom, and with what figures.

use gridproof_primitives::compute::checks::{CheckView, Figures};
use gridproof_support::text::Hex32;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A check of a receipt, as the chain has it. Gaps are in millionths of a score's unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckInfo {
	/// Key of the verifier.
	pub verifier: Hex32,
	/// Number of the check among those that fell to it, from 0.
	pub check: u32,
	/// When it was reported, UTC milliseconds.
	pub time_ms: u64,
	/// What was measured.
	pub figures: FiguresInfo,
}

/// What a check measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "class", rename_all = "snake_case")]
pub enum FiguresInfo {
	/// On an engine that gives the same bits everywhere.
	Exact {
		/// `true` if the answer is the model's, to the last token.
		equal: bool,
	},
	/// On another engine with the same weights.
	Seeded {
		/// Tokens of the output.
		tokens: u32,
		/// Of these, those that the verifier's engine draws too.
		matches: u32,
		/// Mean distance of the tokens from those that it draws.
		mean_gap: u64,
		/// Distance of the answer's end from where it would have ended.
		end_gap: u32,
	},
	/// Of a vector.
	Embedding {
		/// Cosine to the verifier's own, in millionths.
		cosine: u32,
	},
}

impl From<&CheckView> for CheckInfo {
	fn from(view: &CheckView) -> Self {
		Self {
			verifier: Hex32(view.id.verifier),
			check: view.id.check,
			time_ms: view.time_ms,
			figures: match view.figures {
				Figures::Exact { equal } => FiguresInfo::Exact { equal },
				Figures::Seeded(seeded) => FiguresInfo::Seeded {
					tokens: seeded.tokens,
					matches: seeded.matches,
					mean_gap: seeded.mean(),
					end_gap: seeded.end,
				},
				Figures::Embedding { cosine } => FiguresInfo::Embedding { cosine },
			},
		}
	}
}
