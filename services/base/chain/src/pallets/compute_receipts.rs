//! Jobs, receipts, miners and coordinators.

/// The pallet's name.
pub(crate) const PALLET: &str = "ComputeReceipts";

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::{Call, refusal::Codes};
	use codec::Compact;
	use gridproof_primitives::{
		H256,
		compute::{
			Breaker, Class, ComputeParameters, Evidence, Quote, SignedAssignment, SignedHeartbeat,
			SignedReceipt,
		},
		crypto::ed25519::{PublicKey, Signature},
	};

	/// Registers a key as a coordinator, with its signature of the registration. The account that
	/// signs the transaction bonds and is paid.
	pub fn register_coordinator(key: &PublicKey, proof: &Signature) -> Call {
		Call::new(PALLET, "register_coordinator", &(key, proof))
	}

	/// Registers a key as a miner, with its signature of the registration. The account that signs
	/// the transaction bonds and is paid.
	pub fn register_miner(key: &PublicKey, class: Class, proof: &Signature) -> Call {
		Call::new(PALLET, "register_miner", &(key, class, proof))
	}

	/// Adds `amount` units of 10⁻¹⁸ AIT to a party's bond. For its account.
	pub fn raise_bond(key: &PublicKey, amount: u128) -> Call {
		Call::new(PALLET, "raise_bond", &(key, Compact(amount)))
	}

	/// Begins to leave. For the party's account.
	pub fn leave(key: &PublicKey) -> Call {
		Call::new(PALLET, "leave", key)
	}

	/// Returns the bond of a party that has left.
	pub fn withdraw(key: &PublicKey) -> Call {
		Call::new(PALLET, "withdraw", key)
	}

	/// Opens a job with a coordinator's quote and its signature. For the client that it names.
	pub fn open_job(quote: &Quote, signature: &Signature) -> Call {
		Call::new(PALLET, "open_job", &(quote, signature))
	}

	/// Claims receipts, each of which settles its job or is refused alone. Needs no signer.
	pub fn claim_receipts(receipts: &[SignedReceipt]) -> Call {
		Call::new(PALLET, "claim_receipts", &receipts).refused_with(Codes::Receipts)
	}

	/// Asks to cancel a job whose work has not started. For its client.
	pub fn cancel_job(job: H256) -> Call {
		Call::new(PALLET, "cancel_job", &job)
	}

	/// Shows that the work on a job has started. Needs no signer.
	pub fn assign_job(assignment: &SignedAssignment) -> Call {
		Call::new(PALLET, "assign_job", assignment).refused_with(Codes::Compute)
	}

	/// Lets a job go, with the coordinator's signature: the client has its money back at once. Needs
	/// no signer.
	pub fn release_job(job: H256, signature: &Signature) -> Call {
		Call::new(PALLET, "release_job", &(job, signature)).refused_with(Codes::Compute)
	}

	/// Returns the money of jobs whose deadline has passed. Needs no signer.
	pub fn expire_jobs(jobs: &[H256]) -> Call {
		Call::new(PALLET, "expire_jobs", &jobs).refused_with(Codes::Compute)
	}

	/// States that miners are online. Needs no signer.
	pub fn heartbeats(heartbeats: &[SignedHeartbeat]) -> Call {
		Call::new(PALLET, "heartbeats", &heartbeats).refused_with(Codes::Compute)
	}

	/// Mints what miners and coordinators have earned to their accounts. Needs no signer.
	pub fn claim_emission(parties: &[PublicKey]) -> Call {
		Call::new(PALLET, "claim_emission", &parties).refused_with(Codes::Compute)
	}

	/// Reports an offence with its proof; free if it holds.
	pub fn report_offence(evidence: &Evidence) -> Call {
		Call::new(PALLET, "report_offence", evidence)
	}

	/// Carries out what is to be slashed of a bond and whose grace has passed.
	pub fn apply_slashes(key: &PublicKey) -> Call {
		Call::new(PALLET, "apply_slashes", key)
	}

	/// Calls off everything that is to be slashed of a bond. For governance.
	pub fn call_off_slashes(key: &PublicKey) -> Call {
		Call::new(PALLET, "call_off_slashes", key)
	}

	/// Sets all parameters. For governance.
	pub fn set_parameters(new: &ComputeParameters) -> Call {
		Call::new(PALLET, "set_parameters", new)
	}

	/// Stops more or less. For governance; to stop more, also in an emergency.
	pub fn set_breaker(new: Breaker) -> Call {
		Call::new(PALLET, "set_breaker", &new)
	}
}

/// Questions.
pub mod query {
	use crate::Query;
	use gridproof_primitives::{
		H256,
		compute::{
			ComputeParameters, CoordinatorView, Earnings, JobView, MinerView, Overview, PartyRole,
			Preview, ReceiptRefusal, ReceiptView, SignedReceipt, StepView,
		},
		crypto::ed25519::PublicKey,
	};

	/// A job, as long as it is in the state.
	pub fn job(job: H256) -> Query<Option<JobView>> {
		Query::new("ComputeReceiptsApi_job", &job)
	}

	/// The receipt that settled a job.
	pub fn receipt(job: H256) -> Query<Option<ReceiptView>> {
		Query::new("ComputeReceiptsApi_receipt", &job)
	}

	/// A miner, with its score and the score's four parts.
	pub fn miner(key: &PublicKey) -> Query<Option<MinerView>> {
		Query::new("ComputeReceiptsApi_miner", key)
	}

	/// A coordinator.
	pub fn coordinator(key: &PublicKey) -> Query<Option<CoordinatorView>> {
		Query::new("ComputeReceiptsApi_coordinator", key)
	}

	/// Keys and roles of all parties, in no order: at most `limit`, from the `skip`-th on.
	pub fn parties(skip: u32, limit: u32) -> Query<Vec<(PublicKey, PartyRole)>> {
		Query::new("ComputeReceiptsApi_parties", &(skip, limit))
	}

	/// An emission step and its budget.
	pub fn step(step: u64) -> Query<StepView> {
		Query::new("ComputeReceiptsApi_step", &step)
	}

	/// What that many compute units of a miner would earn now.
	pub fn earnings(miner: &PublicKey, compute_units: u64) -> Query<Option<Earnings>> {
		Query::new("ComputeReceiptsApi_earnings", &(miner, compute_units))
	}

	/// What each receipt would pay and earn, or why it would be refused, were all of them claimed
	/// now in one call.
	pub fn preview_receipts(
		receipts: &[SignedReceipt],
	) -> Query<Vec<Result<Preview, ReceiptRefusal>>> {
		Query::new("ComputeReceiptsApi_preview_receipts", &receipts)
	}

	/// How things stand.
	pub fn overview() -> Query<Overview> {
		Query::new("ComputeReceiptsApi_overview", &())
	}

	/// What governance decided.
	pub fn parameters() -> Query<ComputeParameters> {
		Query::new("ComputeReceiptsApi_parameters", &())
	}

	/// The hash of the chain's first block, which every statement names.
	pub fn genesis() -> Query<H256> {
		Query::new("ComputeReceiptsApi_genesis", &())
	}
}

/// Events.
pub mod event {
	use crate::pallets::AccountId;
	use gridproof_primitives::{
		H256,
		compute::{
			Breaker, ComputeParameters, JobState, OffenceKind, PartyRole, PriceAsset,
			ReceiptRefusal, settlement::Shares,
		},
		crypto::ed25519::PublicKey,
	};

	events! {
		"ComputeReceipts" {
			/// A miner or coordinator was registered.
			Registered {
				/// Its key.
				key: PublicKey,
				/// What it is registered as.
				role: PartyRole,
				/// The account that bonds and is paid.
				account: AccountId,
				/// Its bond, in units of 10⁻¹⁸ AIT.
				bond: u128,
			}
			/// A bond was raised.
			BondRaised {
				/// The party's key.
				key: PublicKey,
				/// The bond now, in units of 10⁻¹⁸ AIT.
				bond: u128,
			}
			/// A party is leaving.
			Leaving {
				/// Its key.
				key: PublicKey,
				/// From when on it can take its bond back, in UTC milliseconds.
				until_ms: u64,
			}
			/// A party has left and has its bond back.
			Left {
				/// Its key.
				key: PublicKey,
				/// The bond returned, in units of 10⁻¹⁸ AIT.
				bond: u128,
			}
			/// A job was opened and its price is held.
			JobOpened {
				/// The job.
				job_id: H256,
				/// The account that pays.
				client: AccountId,
				/// The coordinator's key.
				coordinator: PublicKey,
				/// Hash of what is to be done.
				spec_hash: H256,
				/// What it is paid in.
				asset: PriceAsset,
				/// What is held, in the asset's unit.
				price: u128,
				/// The receipt must be claimed before, in UTC milliseconds.
				deadline_ms: u64,
			}
			/// A client wants to cancel.
			JobCancelling {
				/// The job.
				job_id: H256,
				/// The job's new deadline, in UTC milliseconds.
				until_ms: u64,
			}
			/// A miner is to do a job, and no other can be paid for it.
			JobAssigned {
				/// The job.
				job_id: H256,
				/// The miner's key.
				miner: PublicKey,
				/// Number of the assignment.
				attempt: u32,
				/// Whether the miner has accepted.
				accepted: bool,
			}
			/// A job ended without a receipt, and the client has its money back.
			JobRefunded {
				/// The job.
				job_id: H256,
				/// How it ended.
				state: JobState,
				/// What was returned, in the asset's unit.
				refund: u128,
			}
			/// A receipt settled its job.
			ReceiptSettled {
				/// The job.
				job_id: H256,
				/// The receipt.
				receipt_id: H256,
				/// The miner's key.
				miner: PublicKey,
				/// Compute units delivered.
				compute_units: u64,
				/// Who gets what of the price, in the asset's unit.
				shares: Shares,
				/// What the client has back, in the asset's unit.
				refund: u128,
				/// Weight in the running step.
				weight: u128,
			}
			/// A receipt settled nothing.
			ReceiptRefused {
				/// The job it names.
				job_id: H256,
				/// The receipt.
				receipt_id: H256,
				/// The first rule that it breaks.
				reason: ReceiptRefusal,
			}
			/// Something could not be paid to its owner and went to the treasury, or back.
			PaymentDiverted {
				/// The job's client.
				client: AccountId,
				/// The account it was meant for.
				beneficiary: AccountId,
				/// What it is in.
				asset: PriceAsset,
				/// In the asset's unit.
				amount: u128,
			}
			/// An emission step ended.
			StepClosed {
				/// Its number.
				step: u64,
				/// Σ units · class · score.
				weight: u128,
				/// Who shares what of it, in units of 10⁻¹⁸ AIT.
				shares: Shares,
			}
			/// AIT was minted to a miner or coordinator.
			EmissionPaid {
				/// Its key.
				key: PublicKey,
				/// Its account.
				account: AccountId,
				/// In units of 10⁻¹⁸ AIT.
				amount: u128,
			}
			/// The treasury's part of the emission was minted.
			TreasuryPaid {
				/// In units of 10⁻¹⁸ AIT.
				amount: u128,
			}
			/// A miner was online.
			HeartbeatTaken {
				/// The miner's key.
				miner: PublicKey,
				/// In UTC milliseconds.
				time_ms: u64,
			}
			/// An offence was proven.
			OffenceProven {
				/// The offender's key.
				offender: PublicKey,
				/// What it is.
				kind: OffenceKind,
				/// The job it was about.
				job_id: H256,
				/// How many of its offences count now.
				offences: u32,
				/// Until when it is banned, in UTC milliseconds; 0 if it is not.
				banned_until_ms: u64,
				/// What will be slashed, in units of 10⁻¹⁸ AIT.
				slash: u128,
			}
			/// Part of a bond went to the treasury.
			Slashed {
				/// The party's key.
				key: PublicKey,
				/// In units of 10⁻¹⁸ AIT.
				amount: u128,
			}
			/// Governance called off what was to be slashed.
			SlashesCalledOff {
				/// The party's key.
				key: PublicKey,
				/// In units of 10⁻¹⁸ AIT.
				amount: u128,
			}
			/// The parameters changed.
			ParametersSet {
				/// The ones before.
				old: ComputeParameters,
				/// The ones now.
				new: ComputeParameters,
			}
			/// More or less is stopped.
			BreakerSet {
				/// What was stopped before.
				old: Breaker,
				/// What is stopped now.
				new: Breaker,
			}
		}
	}
}

refusals! {
	/// Why the compute receipts pallet says no.
	"ComputeReceipts" {
		0 Stopped: "no job can be opened or settled now: wait until governance resumes it";
		1 MintStopped: "nothing is minted now: what was earned is paid later";
		2 KeyInUse: "the key is registered already";
		3 BadProof: "the key is weak, or did not sign this registration for this chain";
		4 MaxPartiesExceeded: "as many parties as there may be are registered: try again later";
		5 UnknownParty: "there is no party with this key: register it first";
		6 NotOwner: "only the account that bonds may do this";
		7 Leaving: "the party is leaving already";
		8 NotYet: "the bond is not free yet: wait until its time has passed";
		9 NotClient: "the quote is for another account";
		10 InvalidQuote: "the quote contradicts itself or allows too much: ask for another one";
		11 QuoteExpired: "the quote has expired: ask for another one";
		12 AlreadyExists: "the quote has opened a job already: ask for another one";
		13 CoordinatorUnfit: "the coordinator cannot take jobs now: ask another one";
		14 UnknownMiner: "the quote names a miner that is not registered";
		15 BadSignature: "a signature is not the named key's for this chain";
		16 UnknownJob: "there is no such job";
		17 NotOpen: "the job is closed";
		18 CannotCancel: "the work has started, or a cancellation runs already";
		19 StaleAssignment: "the chain has a later assignment, or the quote names another miner";
		20 InvalidList: "the list is empty or names something twice";
		21 NothingDue: "nothing is due yet";
		22 UntimelyHeartbeat: "the heartbeat comes too soon after the last, or this machine's clock is wrong";
		23 InvalidEvidence: "the evidence proves nothing";
		24 AlreadyReported: "the offence was reported before";
		25 MaxReportsExceeded: "so many offences were reported about the job that no more are taken";
		26 SlashingOff: "slashing is switched off";
		27 InvalidParameters: "the parameters contradict each other";
		28 Unchanged: "it already has this value";
		29 NotGovernance: "only governance allows again what was stopped";
		30 Overflow: "a figure is too large";
		31 CapReached: "no more can ever be minted";
	}
}

impl Refusal {
	/// Can the very same call succeed later, when nothing changes but time and the state of the
	/// chain?
	pub const fn is_temporary(self) -> bool {
		match self {
			Self::Stopped
			| Self::MintStopped
			| Self::MaxPartiesExceeded
			| Self::NotYet
			| Self::UnknownJob
			| Self::NothingDue
			| Self::SlashingOff => true,
			Self::KeyInUse
			| Self::BadProof
			| Self::UnknownParty
			| Self::NotOwner
			| Self::Leaving
			| Self::NotClient
			| Self::InvalidQuote
			| Self::QuoteExpired
			| Self::AlreadyExists
			| Self::CoordinatorUnfit
			| Self::UnknownMiner
			| Self::BadSignature
			| Self::NotOpen
			| Self::CannotCancel
			| Self::StaleAssignment
			| Self::InvalidList
			| Self::UntimelyHeartbeat
			| Self::InvalidEvidence
			| Self::AlreadyReported
			| Self::MaxReportsExceeded
			| Self::InvalidParameters
			| Self::Unchanged
			| Self::NotGovernance
			| Self::Overflow
			| Self::CapReached => false,
		}
	}
}
