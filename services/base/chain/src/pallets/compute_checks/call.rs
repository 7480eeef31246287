//! Calls. Those that say so need no signer: the statement is signed by the verifier's key.

use super::PALLET;
use crate::{Call, pallets::AccountId, refusal::Codes, takes::What};
use codec::Compact;
use gridproof_primitives::{
	H256,
	compute::{
		channels::{ChannelReceipt, Placed},
		checks::{
			Abstention, Ballot, BatchId, CheckId, CheckParameters, CheckReport, JuryCommitment,
			ModelLine, OpeningDemand, Reopening, ShownFigures, VerifierKey, VerifierSignature,
			WitnessStatement,
		},
	},
};

/// Sets the parameters of checks.
pub fn set_parameters(new: &CheckParameters) -> Call {
	Call::new(PALLET, "set_parameters", new)
}

/// Sets the line of a model, or removes it.
pub fn set_line(model: H256, line: Option<ModelLine>) -> Call {
	Call::new(PALLET, "set_line", &(model, line))
}

/// Admits an account as a verifier.
pub fn admit_verifier(account: AccountId) -> Call {
	Call::new(PALLET, "admit_verifier", &account)
}

/// Dismisses a verifier.
pub fn dismiss_verifier(account: AccountId) -> Call {
	Call::new(PALLET, "dismiss_verifier", &account)
}

/// Suspends a verifier for fourteen days, in an emergency.
pub fn suspend_verifier(account: AccountId) -> Call {
	Call::new(PALLET, "suspend_verifier", &account)
}

/// Makes the caller a verifier: holds its bond and remembers its key, which draws in an hour.
pub fn register_verifier(key: &VerifierKey, proof: &VerifierSignature) -> Call {
	Call::new(PALLET, "register_verifier", &(key, proof))
}

/// Exchanges the caller's key: the new one draws in an hour, the old one reports what it drew.
pub fn exchange_key(key: &VerifierKey, proof: &VerifierSignature) -> Call {
	Call::new(PALLET, "exchange_key", &(key, proof))
}

/// Adds to the caller's bond.
pub fn raise_bond(amount: u128) -> Call {
	Call::new(PALLET, "raise_bond", &Compact(amount)).taking(What::Amount(amount), "the bond")
}

/// Ends the caller's part: it draws nothing any more, and its bond is free after a while.
pub fn leave() -> Call {
	Call::new(PALLET, "leave", &())
}

/// Returns the bond of who has left.
pub fn withdraw_bond() -> Call {
	Call::new(PALLET, "withdraw_bond", &())
}

/// Touches a batch: the hash of the block before fixes what every verifier draws of it. Needs no signer.
pub fn touch(batch: BatchId) -> Call {
	Call::new(PALLET, "touch", &batch).refused_with(Codes::Checks)
}

/// Reports a check. Needs no signer.
pub fn report_check(report: &CheckReport, signature: &VerifierSignature) -> Call {
	Call::new(PALLET, "report_check", &(report, signature)).refused_with(Codes::Checks)
}

/// Re-opens a report of another verifier: one in twenty, drawn by the caller's VRF. Needs no signer.
pub fn reopen(reopening: &Reopening, signature: &VerifierSignature) -> Call {
	Call::new(PALLET, "reopen", &(reopening, signature)).refused_with(Codes::Checks)
}

/// Shows the figures of a report that is re-opened. Needs no signer.
pub fn show_figures(shown: &ShownFigures, signature: &VerifierSignature) -> Call {
	Call::new(PALLET, "show_figures", &(shown, signature)).refused_with(Codes::Checks)
}

/// Ends a re-opening whose time is over: who has not shown its figures is punished. Needs no signer.
pub fn close_reopening(check: CheckId) -> Call {
	Call::new(PALLET, "close_reopening", &check).refused_with(Codes::Checks)
}

/// Demands an opening that the drawn verifier did not get. Needs no signer.
pub fn demand_opening(demand: &OpeningDemand, signature: &VerifierSignature) -> Call {
	Call::new(PALLET, "demand_opening", &(demand, signature)).refused_with(Codes::Checks)
}

/// Says whether the opening that is demanded was given to a witness. Needs no signer.
pub fn witness(statement: &WitnessStatement, signature: &VerifierSignature) -> Call {
	Call::new(PALLET, "witness", &(statement, signature)).refused_with(Codes::Checks)
}

/// Ends a demand whose time is over: without two thirds the receipt is forfeited. Needs no signer.
pub fn close_demand(check: CheckId) -> Call {
	Call::new(PALLET, "close_demand", &check).refused_with(Codes::Checks)
}

/// Disputes a receipt of the caller's own channel.
pub fn dispute_receipt(batch: BatchId, receipt: &Placed<ChannelReceipt>) -> Call {
	Call::new(PALLET, "dispute_receipt", &(batch, receipt))
}

/// Commits a juror to its vote. Needs no signer.
pub fn commit_vote(commitment: &JuryCommitment, signature: &VerifierSignature) -> Call {
	Call::new(PALLET, "commit_vote", &(commitment, signature)).refused_with(Codes::Checks)
}

/// Reveals a juror's vote. Needs no signer.
pub fn reveal_vote(ballot: &Ballot, signature: &VerifierSignature) -> Call {
	Call::new(PALLET, "reveal_vote", &(ballot, signature)).refused_with(Codes::Checks)
}

/// Names the receipt that a demand means without a name. Needs no signer.
pub fn name_receipt(check: CheckId, receipt: &Placed<ChannelReceipt>) -> Call {
	Call::new(PALLET, "name_receipt", &(check, receipt)).refused_with(Codes::Checks)
}

/// Says that a juror has no vote, and why. Needs no signer.
pub fn abstain(abstention: &Abstention, signature: &VerifierSignature) -> Call {
	Call::new(PALLET, "abstain", &(abstention, signature)).refused_with(Codes::Checks)
}

/// Closes a dispute: once every juror has spoken, or the time is over. Needs no signer.
pub fn close_dispute(dispute: H256) -> Call {
	Call::new(PALLET, "close_dispute", &dispute).refused_with(Codes::Checks)
}

/// Counts the checks of a batch that is over, and removes its rows. Needs no signer.
pub fn settle_checks(batch: BatchId) -> Call {
	Call::new(PALLET, "settle_checks", &batch).refused_with(Codes::Checks)
}

/// Pays the checks that matured on a day. Needs no signer.
pub fn pay_checks(day: u64) -> Call {
	Call::new(PALLET, "pay_checks", &day).refused_with(Codes::Checks)
}
