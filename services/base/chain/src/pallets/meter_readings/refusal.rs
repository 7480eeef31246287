//! Why it says no.

refusals! {
	/// Why the meter readings pallet says no.
	"MeterReadings" {
		0 Paused: "batches are stopped: wait until governance resumes them";
		1 NoBatches: "there is no batch in the call";
		2 Refused: "a batch is not acceptable now: ask for a preview, which says which and why";
		3 NoOrganisation: "there is no such organisation: register it first";
		4 NotAdmitted: "governance has to admit the organisation first";
		5 NotAdmin: "only the organisation's admin may do this";
		6 NotMember: "the organisation's admin has to add this account first";
		7 AlreadyMember: "the account is a member already";
		8 MaxMembersExceeded: "the organisation has as many members as it may";
		9 InUse: "the organisation still has members or meters: remove them first";
		10 EmptyName: "the name is empty";
		11 NoMeter: "there is no such meter: have it certified first";
		12 NameTaken: "a meter with these ids is certified already: choose other ids";
		13 BadName: "an id is empty or has a character that a topic cannot have";
		14 WeakKey: "the device key is weak: make another one";
		15 KeyInUse: "a key serves one meter: make another one";
		16 OwnerIsDevice: "the owner cannot be the device itself";
		17 ZeroPower: "the rated power is zero";
		18 ConsentExpired: "have the owner sign again; is this machine's clock right?";
		19 BadConsent: "the owner has signed something else, or for another chain";
		20 NotAuthorized: "only the meter's owner or an electrician of its organisation may do this";
		21 Unchanged: "it already has this value";
		22 NotSuspended: "the meter is not suspended";
		23 KeyLost: "the meter's key is lost: give it another one by an exchange";
		24 UnknownBatch: "the chain keeps no such batch, or no longer";
		25 BrokenChain: "the headers do not follow each other up to one that the chain knows";
		26 NotIncluded: "the reading is not in that batch";
		27 NotRecorder: "governance has to appoint this account first";
		28 MaxRecordersExceeded: "as many accounts may record anchors as there can be";
		29 AnchorBackwards: "the chain knows the anchor to be further already";
		30 TooFewConfirmations: "an anchor is confirmed with six confirmations in the block that it names";
		31 OtherRoot: "the batch has another root";
		32 InvalidLimits: "a limit is out of range";
		33 Exhausted: "every number is given away";
	}
}

impl Refusal {
	/// Can the very same call succeed later, when nothing changes but time and the state of the
	/// chain? Not what the caller, an owner or an organisation has to put right first.
	pub const fn is_temporary(self) -> bool {
		match self {
			Self::Paused | Self::Refused | Self::NotAdmitted | Self::NotRecorder => true,
			Self::NoBatches
			| Self::NoOrganisation
			| Self::NotAdmin
			| Self::NotMember
			| Self::AlreadyMember
			| Self::MaxMembersExceeded
			| Self::InUse
			| Self::EmptyName
			| Self::NoMeter
			| Self::NameTaken
			| Self::BadName
			| Self::WeakKey
			| Self::KeyInUse
			| Self::OwnerIsDevice
			| Self::ZeroPower
			| Self::ConsentExpired
			| Self::BadConsent
			| Self::NotAuthorized
			| Self::Unchanged
			| Self::NotSuspended
			| Self::KeyLost
			| Self::UnknownBatch
			| Self::BrokenChain
			| Self::NotIncluded
			| Self::MaxRecordersExceeded
			| Self::AnchorBackwards
			| Self::TooFewConfirmations
			| Self::OtherRoot
			| Self::InvalidLimits
			| Self::Exhausted => false,
		}
	}
}
