//! Events.

use crate::pallets::AccountId;
use gridproof_primitives::{
	H256,
	compute::checks::{
		BatchId, CheckId, CheckParameters, DisputeCause, Figures, ModelLine, NoVote, Number,
		OpeningOutcome, Verdict, VerifierKey, Votes, Witness,
	},
	crypto::ed25519::PublicKey,
};

events! {
	"ComputeChecks" {
		/// Governance set the parameters.
		ParametersSet {
			/// The old ones.
			old: CheckParameters,
			/// The new ones.
			new: CheckParameters,
		}
		/// Governance set or removed the line of a model.
		LineSet {
			/// Hash of the model.
			model: H256,
			/// Its line; `None` if it has none any more.
			line: Option<ModelLine>,
		}
		/// An account may become a verifier.
		VerifierAdmitted {
			/// Account that may become one.
			account: AccountId,
		}
		/// An account has ceased to be a verifier; its bond is free after a while.
		VerifierDismissed {
			/// Account that stops.
			account: AccountId,
		}
		/// A verifier takes no part until a time.
		VerifierSuspended {
			/// Account of the verifier.
			account: AccountId,
			/// Until when, in UTC milliseconds.
			until_ms: u64,
		}
		/// A verifier begins. Its key draws in an hour.
		VerifierRegistered {
			/// Account of the verifier.
			account: AccountId,
			/// Key with which it draws and signs.
			key: VerifierKey,
			/// Its bond, in units of 10⁻¹⁸ AIT.
			bond: u128,
		}
		/// A verifier has another key, which draws in an hour.
		KeyExchanged {
			/// Account of the verifier.
			account: AccountId,
			/// The new key.
			key: VerifierKey,
		}
		/// A verifier's bond is higher.
		BondRaised {
			/// Account of the verifier.
			account: AccountId,
			/// The bond now, in units of 10⁻¹⁸ AIT.
			bond: u128,
		}
		/// A verifier has its bond back.
		VerifierLeft {
			/// Account of the verifier.
			account: AccountId,
			/// What was returned, in units of 10⁻¹⁸ AIT.
			bond: u128,
		}
		/// A verifier lost part of its bond for an offence.
		VerifierPunished {
			/// Account of the verifier.
			account: AccountId,
			/// What it lost, in units of 10⁻¹⁸ AIT.
			slash: u128,
			/// Number of its offences.
			offences: u32,
		}
		/// A batch was touched: verifiers draw by this hash.
		BatchTouched {
			/// Coordinator and sequence number of the batch.
			batch: BatchId,
			/// Hash of the block before.
			block: H256,
			/// Price and claim, in units of 10⁻¹⁸ AIT.
			value: u128,
		}
		/// A check was reported.
		CheckReported {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// Index of the receipt in its batch.
			index: u64,
			/// What was measured.
			figures: Figures,
		}
		/// The number of a miner and model changed.
		NumberChanged {
			/// Key under which the miner is registered.
			miner: PublicKey,
			/// Hash of the model.
			model: H256,
			/// The number now: zero if a dispute opens by it, and while one is open at most the limit.
			number: Number,
			/// `true` if it, or the miner's number over all models, was above its limit.
			above: bool,
		}
		/// A report was re-opened.
		ReportReopened {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// Key of the verifier that re-opens.
			by: VerifierKey,
			/// Time until which both show their figures, in UTC milliseconds, unless settlement is stopped.
			until_ms: u64,
		}
		/// A verifier has shown its figures of a report that is re-opened.
		FiguresShown {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// Key of the verifier.
			by: VerifierKey,
		}
		/// Figures of a report that was re-opened were compared.
		FiguresCompared {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// `false` if a jury has to say whose are right, or the reporter's contradict its report.
			agree: bool,
		}
		/// A re-opening ended, and who did not show its figures was punished.
		ReopeningClosed {
			/// Batch, verifier and number of the check.
			check: CheckId,
		}
		/// An opening was demanded: witnesses ask for it.
		OpeningDemanded {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// Index of the receipt in its batch; `None` if the demand names none.
			index: Option<u64>,
			/// What the witnesses share, in units of 10⁻¹⁸ AIT.
			pot: u128,
			/// Time until which they speak, in UTC milliseconds, unless settlement is stopped.
			until_ms: u64,
		}
		/// A witness has spoken.
		Witnessed {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// Key of the witness.
			witness: VerifierKey,
			/// What it says.
			says: Witness,
		}
		/// The receipt that is demanded was named: witnesses ask for its opening.
		ReceiptNamed {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// Index of the receipt in its batch.
			index: u64,
			/// Time until which they speak, in UTC milliseconds, unless settlement is stopped.
			until_ms: u64,
		}
		/// Two thirds of the witnesses have the opening: any of them may report the check.
		WitnessesReport {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// Number under which a witness reports it.
			number: u32,
			/// Time until which somebody has to, in UTC milliseconds, unless settlement is stopped.
			until_ms: u64,
		}
		/// A demand ended.
		DemandEnded {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// What witnesses said together.
			outcome: OpeningOutcome,
		}
		/// Pay and mint of a receipt were forfeited.
		ReceiptForfeited {
			/// Coordinator and sequence number of the batch.
			batch: BatchId,
			/// Index of the receipt in it.
			index: u64,
			/// Who received the pay.
			to: AccountId,
			/// The pay, in the smallest unit of the batch's asset.
			pay: u128,
			/// The claim that was lost, in units of 10⁻¹⁸ AIT.
			claim: u128,
		}
		/// A client wants a receipt checked, and it is a verifier's turn.
		CheckAsked {
			/// Batch, verifier and number of the check.
			check: CheckId,
			/// Index of the receipt in its batch.
			index: u64,
		}
		/// A dispute was opened.
		DisputeOpened {
			/// Id of the dispute.
			dispute: H256,
			/// What opened it.
			cause: DisputeCause,
			/// Coordinator and sequence number of the batch.
			batch: BatchId,
			/// Index of the receipt in it.
			index: u64,
			/// End of commitments and of votes, in UTC milliseconds, unless settlement is stopped.
			until_ms: (u64, u64),
		}
		/// A juror has committed to a vote.
		VoteCommitted {
			/// Id of the dispute.
			dispute: H256,
			/// Key of the juror.
			juror: VerifierKey,
		}
		/// A juror has no vote.
		JurorAbstained {
			/// Hash that names the dispute.
			dispute: H256,
			/// Key of the juror.
			juror: VerifierKey,
			/// What keeps it from voting.
			why: NoVote,
		}
		/// A coordinator has kept openings back from a jury: an offence.
		OpeningsWithheld {
			/// Hash that names the dispute.
			dispute: H256,
			/// Key of the coordinator.
			coordinator: PublicKey,
		}
		/// A juror has revealed its vote.
		VoteRevealed {
			/// Id of the dispute.
			dispute: H256,
			/// Key of the juror.
			juror: VerifierKey,
			/// What it found.
			verdict: Verdict,
		}
		/// A dispute was decided, or not.
		DisputeClosed {
			/// Id of the dispute.
			dispute: H256,
			/// Votes that were revealed.
			votes: Votes,
			/// `true` for guilty, `false` for not guilty, `None` if two thirds found neither.
			guilty: Option<bool>,
		}
		/// A miner was found guilty: all that waits of it goes back to clients.
		MinerGuilty {
			/// Key under which it is registered.
			miner: PublicKey,
		}
		/// A juror did not reveal a vote.
		JurorSilent {
			/// Account of the juror.
			account: AccountId,
			/// What it lost, in units of 10⁻¹⁸ AIT.
			amount: u128,
		}
		/// Checks of a batch matured: they are paid with those of this day.
		ChecksMatured {
			/// Coordinator and sequence number of the batch.
			batch: BatchId,
			/// Number of checks.
			checks: u32,
			/// The day, counted from 1970.
			day: u64,
		}
		/// A verifier was paid for a day.
		VerifierPaid {
			/// Account of the verifier.
			account: AccountId,
			/// The day, counted from 1970.
			day: u64,
			/// Number of its checks.
			checks: u32,
			/// The pay, in units of 10⁻¹⁸ AIT; zero if the treasury could not pay it.
			amount: u128,
		}
		/// Checks of a day on whose next day nobody was paid are counted with those of a later one.
		PayPutOff {
			/// The day on which they matured, counted from 1970.
			day: u64,
			/// The day with whose checks they are paid.
			until: u64,
		}
		/// The window of the mint stands still from now on, or continues.
		MintStill {
			/// `true` if it stands still, because fewer than five verifiers reported within a day.
			still: bool,
		}
	}
}
