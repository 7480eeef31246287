//! Why it says no.

refusals! {
	/// Why the checks say no.
	"ComputeChecks" {
		0 UnknownVerifier: "the key is not a verifier's: governance admits verifiers; see gridproof verifier list";
		1 NotFit: "the verifier has less than half of its bond: raise it";
		2 UnknownBatch: "no batch waits by this name: it was never settled, or everything of it is paid";
		3 NotTouched: "the batch was not touched: touch it first";
		4 TooEarly: "the batch was settled a moment ago: wait three blocks";
		5 AlreadyTouched: "somebody has touched the batch already";
		6 OtherKey: "another key of the verifier draws this batch; a new key draws an hour after it is known";
		7 TooLate: "the time for it is over";
		8 NotDrawn: "it did not fall to the verifier";
		9 AlreadyReported: "the check was reported already";
		10 OtherPoint: "the drawn point lies in the price of another receipt";
		11 NotInBatch: "the receipt is not in the batch at that index";
		12 BadVrf: "the output of the VRF is not that of the key and this batch";
		13 BadSignature: "not the signature of the key on this chain";
		14 NoLine: "the model has no line: governance sets it";
		15 OtherClass: "the figures are of another class than the model's line";
		16 ImpossibleFigures: "no pass gives such figures";
		17 OtherTokens: "the figures are of another number of tokens than the receipt states";
		18 UnknownReport: "no such report is known, or it is not re-opened";
		19 OwnCause: "nobody re-opens, witnesses or judges what is its own";
		20 AlreadyDone: "it is done already";
		21 UnknownDemand: "no such opening is demanded";
		22 UnknownDispute: "no such dispute is open";
		23 NotYet: "the time for it has not come: wait";
		24 OtherCommitment: "it is not what was committed to";
		25 Full: "as many are open as may be: wait until some are closed";
		26 FeeUnpaid: "the account cannot pay the fee: fund it";
		27 OpeningDemanded: "the opening of this check is demanded: wait until witnesses have spoken";
		28 InvalidParameters: "a known cheat would pay under these parameters; the runtime says which";
		29 InvalidLine: "the line judges nothing, or finds later than the parameters allow";
		30 Unchanged: "the value is already set";
		31 MaxLinesExceeded: "there are as many lines as may be: remove one first";
		32 AlreadyAdmitted: "the account is admitted already";
		33 NotAdmitted: "governance has not admitted the account";
		34 MaxVerifiersExceeded: "there are as many verifiers as may be: wait until one has left";
		35 AlreadyRegistered: "the account is a verifier already, or its bond is not free yet";
		36 KeyTaken: "a verifier uses the key, or did before: make another one";
		37 ExchangedLately: "the key was exchanged fewer than eight days ago: wait";
		38 Leaving: "the verifier leaves already";
		39 BondNotFree: "the bond is not free: leave first, and wait";
		40 Overflow: "the amount does not fit";
		41 NotClient: "the receipt is of another client's channel";
		42 AlreadyDisputed: "you have a dispute with this miner already: wait for its end";
		43 Private: "private work is never opened, so nobody can judge it";
		44 SuspendedLately: "the verifier is suspended, or was within fourteen days: wait, or have governance dismiss it";
		45 TooManySuspended: "a third of all verifiers are suspended already: have governance dismiss it";
		46 NoJury: "fewer than three verifiers could judge: wait until more take part";
		47 NotNamed: "nobody has named the receipt that is demanded: name it first";
	}
}

impl Refusal {
	/// Can the very same call succeed later, when nothing changes but time and the state of the
	/// chain?
	pub const fn is_temporary(self) -> bool {
		match self {
			Self::NotFit
			| Self::NotTouched
			| Self::TooEarly
			| Self::NoLine
			| Self::NotYet
			| Self::Full
			| Self::FeeUnpaid
			| Self::OpeningDemanded
			| Self::MaxLinesExceeded
			| Self::NotAdmitted
			| Self::MaxVerifiersExceeded
			| Self::AlreadyRegistered
			| Self::ExchangedLately
			| Self::BondNotFree
			| Self::AlreadyDisputed
			| Self::SuspendedLately
			| Self::TooManySuspended
			| Self::NoJury
			| Self::NotNamed => true,
			Self::UnknownVerifier
			| Self::UnknownBatch
			| Self::AlreadyTouched
			| Self::OtherKey
			| Self::TooLate
			| Self::NotDrawn
			| Self::AlreadyReported
			| Self::OtherPoint
			| Self::NotInBatch
			| Self::BadVrf
			| Self::BadSignature
			| Self::OtherClass
			| Self::ImpossibleFigures
			| Self::OtherTokens
			| Self::UnknownReport
			| Self::OwnCause
			| Self::AlreadyDone
			| Self::UnknownDemand
			| Self::UnknownDispute
			| Self::OtherCommitment
			| Self::InvalidParameters
			| Self::InvalidLine
			| Self::Unchanged
			| Self::AlreadyAdmitted
			| Self::KeyTaken
			| Self::Leaving
			| Self::Overflow
			| Self::NotClient
			| Self::Private => false,
		}
	}
}
