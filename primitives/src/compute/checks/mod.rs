//! Checks of what was claimed: work that was settled is done again by verifiers whom nobody knows
//! beforehand. [`Waiting`] has what becomes of it.
//!
//! 1. A batch that waits is **touched**: the hash of the block before is fixed, by which every verifier
//!    [draws](draw_input). Its VRF output says how [many checks](checks_of) fall to it, and the
//!    [point](point_of) of each, which lies in the prices of exactly one receipt.
//! 2. The verifier asks the coordinator for the opening of that receipt ([`OpeningRequest`]), does the
//!    work again and signs a [`CheckReport`]: [`Figures`], not an opinion.
//! 3. Figures of class `seeded` and of embeddings are added to a [`Number`] of each miner and model,
//!    which is compared with the model's [`ModelLine`].
//! 4. Where there is no opening, the other verifiers are [witnesses](WitnessStatement); what is disputed
//!    they decide as a jury ([`Ballot`]), by commitments that are revealed together.
//!
//! | statement | payload | by |
//! |---|---|---|
//! | report | `("gridproof/check-report/v1", genesis, report)` | verifier |
//! | request for an opening | `("gridproof/opening-request/v1", genesis, request)` | verifier |
//! | demand of an opening | `("gridproof/opening-demand/v1", genesis, demand)` | drawn verifier |
//! | witness | `("gridproof/check-witness/v1", genesis, statement)` | verifier |
//! | re-opening | `("gridproof/check-reopening/v1", genesis, reopening)` | verifier |
//! | figures shown | `("gridproof/check-shown/v1", genesis, shown)` | verifier |
//! | commitment to a vote | `("gridproof/jury-commit/v1", genesis, commitment)` | verifier |
//! | vote | `("gridproof/jury-reveal/v1", genesis, ballot)` | verifier |
//! | abstention | `("gridproof/jury-abstention/v1", genesis, abstention)` | verifier |
//! | possession of a key | `("gridproof/verifier-key/v1", genesis, account)` | verifier |
//!
//! All of them are signed with sr25519, by the key with which the verifier also draws.

mod draw;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod figures;
mod honest;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod jury;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod opening;
mod parameters;
mod pay;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod refusal;
mod reopening;
mod report;
mod segment;
mod verifier;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod views;
// The derived encoding of an enum with fields generates `as`.
#[allow(clippy::cast_possible_truncation)]
mod waiting;

pub use draw::{
	MAX_CHECKS_PER_DRAW, OPENED_CHECKS, Touched, Vrf, VrfOutput, checks_of, draw_input,
	is_reopened, point_of, price_of_check, reopen_input,
};
pub use figures::{
	COSINE_ONE, Figures, FiguresRefusal, LineClass, LineError, MAX_CLIP, ModelLine, Number,
	SeededFigures, WideNumber, cosine_shortfall,
};
pub use honest::HonestTail;
pub use jury::{
	Abstention, Ballot, JURY_PLACES, JURY_REPEATS, JuryCommitment, NoVote, OtherPlace, Verdict,
	Votes, is_two_thirds, other_places, repeated_reports,
};
pub use opening::{
	Duty, OpeningDemand, OpeningOutcome, OpeningRequest, Witness, WitnessStatement, witnesses_say,
};
pub use parameters::{CheckParameterError, CheckParameters, MAX_VERIFIERS_PAY, unfound_share};
pub use pay::divide_day;
pub use refusal::CheckRefusal;
pub use reopening::{Reopening, ShownFigures, compare_figures, is_of_report};
pub use report::{CheckId, CheckReport, MAX_SHOWN_FIGURES, TokenFigures, figures_commitment};
pub use segment::{Segment, is_paid, paid_place, paid_price, segments};
pub use verifier::{
	KEY_NOTICE_MS, MAX_VERIFIERS, QUORUM, VerifierKey, VerifierSignature, key_payload,
	verify_signature,
};
pub use views::{
	AskedReceipt, BatchChecks, CheckOverview, CheckView, DemandOfOpening, DisputeCause,
	DisputePhase, DisputeView, VerifierView,
};
pub use waiting::{
	BatchId, Checkable, CheckableLine, DEFAULT_WINDOW_MS, Fund, FundError, MAX_HOLD_MS,
	MAX_RELEASES, MAX_WINDOW_MS, OtherLine, PaidByChannel, Part, Punished, Returned, Waiting,
	WaitingError, WaitingView,
};

#[cfg(test)]
mod tests;
