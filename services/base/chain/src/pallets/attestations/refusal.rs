//! Why it says no.

refusals! {
	/// Why the attestations pallet says no.
	"Attestations" {
		0 Paused: "submissions are stopped: wait until governance resumes them";
		1 TooFewSignatures: "fewer than two roles signed: have another role sign";
		2 UnsortedSigners: "the signatures are not in the order data, risk, ops, or one is there twice";
		3 KindClosed: "no statements of this kind are accepted: wait until governance opens it";
		4 Inconsistent: "the figures contradict each other: plan the day again";
		5 FutureDay: "the day has not ended yet: wait until it has";
		6 AncientDay: "the day is too long ago to be stated or revised";
		7 AlreadyAttested: "the day has an attestation: to correct it, name it in a revision";
		8 WrongReplacement: "the revision does not name the attestation that stands: look at that one first";
		9 TooManyRevisions: "the day was revised as often as it may be";
		10 NoKey: "a role that signed has no key on the chain: governance has to pin it first";
		11 BadSignature: "a signature is not its role's of these figures for this chain: check keys and genesis hash";
		12 WeakKey: "the key is weak: make another one";
		13 KeyInUse: "the key is, or was, pinned already: make another one";
		14 NothingToRemove: "the role has no key to remove";
		15 Unchanged: "it already has this value";
		16 WrongStopNumber: "the number is not the one that is due: look at gridproof attest stops";
		17 AlreadyStopped: "the role has stopped minting already";
		18 StopSpent: "the role has stopped twice; wait until 30 days after the end of its last stop";
		19 NotStopped: "the role has not stopped minting, or its stop has fallen";
		20 AlreadyLifted: "the two other roles have lifted it already";
		21 OnlyGovernanceEnds: "it is the role's second stop within 30 days: governance ends it";
		22 WrongLifters: "the two other roles lift it, in the order data, risk, ops";
		23 AlreadyProlonged: "it was prolonged already";
		24 TooLateToProlong: "the two days in which it can be prolonged are over";
	}
}

impl Refusal {
	/// Can the very same call succeed later, when nothing changes but time and the state of the
	/// chain?
	pub const fn is_temporary(self) -> bool {
		match self {
			Self::Paused | Self::KindClosed | Self::FutureDay | Self::NoKey | Self::StopSpent => {
				true
			},
			Self::TooFewSignatures
			| Self::UnsortedSigners
			| Self::Inconsistent
			| Self::AncientDay
			| Self::AlreadyAttested
			| Self::WrongReplacement
			| Self::TooManyRevisions
			| Self::BadSignature
			| Self::WeakKey
			| Self::KeyInUse
			| Self::NothingToRemove
			| Self::Unchanged
			| Self::WrongStopNumber
			| Self::AlreadyStopped
			| Self::NotStopped
			| Self::AlreadyLifted
			| Self::OnlyGovernanceEnds
			| Self::WrongLifters
			| Self::AlreadyProlonged
			| Self::TooLateToProlong => false,
		}
	}
}
