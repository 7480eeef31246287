//! Why it says no.

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
		8 NotYet: "it is too early, for the bond or for the new key: wait until its time has passed";
		9 NotClient: "only the client of the quote, the job or the channel may do this";
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
		25 MaxReportsExceeded: "every kind of offence was reported of this party about the job";
		26 SlashingOff: "slashing is switched off";
		27 InvalidParameters: "the parameters contradict each other";
		28 Unchanged: "it already has this value";
		29 NotGovernance: "only governance allows again what was stopped";
		30 Overflow: "a figure is too large";
		31 CapReached: "no more can ever be minted";
		32 NotAdmitted: "governance has not admitted the coordinator: ask another one";
		33 InvalidRate: "neither number of a rate may be zero";
		34 NotFree: "no more assignments of this job are free, or the last one is too recent: sign it";
		35 Accepted: "another miner has accepted the job: it has to agree, or half of its time to pass";
		36 MinerUnfit: "the miner is leaving, banned or underbonded";
		37 Banned: "the key or the account is banned: wait until its time has passed";
		38 UnknownChannel: "there is no such channel: it was never opened, or its rest was returned";
		39 ChannelAmount: "deposit, added amount and daily limit must be above 0, and the deposit must fit";
		40 WeakSigner: "the signer's key is not sound: make another one";
		41 KeptAboveBond: "the coordinator can keep no more keys: use a key of your own, or a lower daily limit";
		42 LimitAboveDeposit: "where the coordinator keeps the key, the daily limit may not exceed the deposit";
		43 ChannelClosing: "the channel is being closed: open another one";
		44 NoPeriod: "the channel is not a plan, or the next period would not end after the present one";
		45 NoCreditChannel: "service credit pays jobs only: open the channel in AIT or AICP";
		46 NoRate: "no reference rate of AICP counts now: use a key of your own, or AIT";
		47 CheckWindow: "a bond or the memory of offences would end before what waits: shorten the check window";
		48 ReceiptUnsound: "the receipt contradicts itself or its channel: report it as an offence";
		49 ReceiptNotDue: "the coordinator still has time to settle the receipt: wait until it has passed";
		50 DemandTooLate: "it is too late to ask for this receipt, or to answer";
		51 AlreadyDemanded: "somebody has asked for this receipt already: wait for the answer";
		52 MaxDemandsExceeded: "as many demands to this coordinator are open as there may be: wait for answers";
		53 UnknownDemand: "no such demand is open";
		54 UnknownHeader: "the headers do not lead from one that the chain knows to the batch's";
		55 NotInBatch: "the receipt is not in the batch";
		56 EvidenceTooOld: "the headers are older than offences are remembered, or of a time to come";
		57 NotWaiting: "nothing of this batch or line waits any more: it was paid or taken";
		58 AlreadySigned: "the miner has signed this line already";
		59 WindowOver: "the check window of the batch is over: the line can be signed no more";
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
			| Self::SlashingOff
			| Self::Accepted
			| Self::Banned
			| Self::UnknownChannel
			| Self::KeptAboveBond
			| Self::NoRate
			| Self::ReceiptNotDue
			| Self::MaxDemandsExceeded => true,
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
			| Self::CapReached
			| Self::NotAdmitted
			| Self::InvalidRate
			| Self::NotFree
			| Self::MinerUnfit
			| Self::ChannelAmount
			| Self::WeakSigner
			| Self::LimitAboveDeposit
			| Self::ChannelClosing
			| Self::NoPeriod
			| Self::NoCreditChannel
			| Self::CheckWindow
			| Self::ReceiptUnsound
			| Self::DemandTooLate
			| Self::AlreadyDemanded
			| Self::UnknownDemand
			| Self::UnknownHeader
			| Self::NotInBatch
			| Self::EvidenceTooOld
			| Self::NotWaiting
			| Self::AlreadySigned
			| Self::WindowOver => false,
		}
	}
}
