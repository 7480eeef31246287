//! Why it says no.

refusals! {
	/// Why the meter readings pallet says no.
	"MeterReadings" {
		0 Paused: "batches are stopped: wait until governance resumes them";
		1 NoBatches: "there is no batch in the call";
		2 Refused: "a batch is not acceptable now: ask for a preview, which says which and why";
		3 NoOrganisation: "there is no such organisation: register it first";
		4 NotAdmitted: "the organisation was revoked, or, to admit a meter, is not admitted yet";
		5 NotAdmin: "only the organisation's admin may do this";
		6 NotMember: "the organisation's admin has to add this account first";
		7 AlreadyMember: "the account is a member already";
		8 MaxMembersExceeded: "the organisation has as many members as it may";
		9 InUse: "the organisation still has members or meters: remove them first";
		10 EmptyName: "the name is empty";
		11 NoMeter: "there is no such meter: have it certified first";
		12 NameTaken: "a meter with these ids is certified already: choose other ids";
		13 BadName: "a name is empty, or has a character that is not plain ASCII or that a topic cannot have";
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
		34 KeyRetired: "the device key has signed for a meter before: make another one";
		35 NumberTaken: "another meter has this serial number or seal, or the seal was used before";
		36 BadNumber: "serial number, seal and metering point are plain ASCII without blanks";
		37 OwnerCertifies: "nobody vouches for a meter of his own: ask a colleague";
		38 SinceTooEarly: "service begins too long ago, or before what the same meter has stated already";
		39 SinceTooLate: "service cannot begin in the future; is this machine's clock right?";
		40 TooMuchPower: "the rated power is higher than governance allows";
		41 BadPossession: "the device has to sign that it serves this meter of this owner";
		42 OrganisationNameTaken: "another organisation has this name: choose another one";
		43 NoPoint: "a meter of generation needs the metering point behind which it is";
		44 PointOfAnother: "the metering point has meters of another owner";
		45 MaxPointMetersExceeded: "as many meters are at the metering point as can be";
		46 AboveDelivered: "a correction is of 1 Wh at least and of what the meter delivered at most";
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
			| Self::Exhausted
			| Self::KeyRetired
			| Self::NumberTaken
			| Self::BadNumber
			| Self::OwnerCertifies
			| Self::SinceTooEarly
			| Self::SinceTooLate
			| Self::TooMuchPower
			| Self::BadPossession
			| Self::OrganisationNameTaken
			| Self::NoPoint
			| Self::PointOfAnother
			| Self::MaxPointMetersExceeded
			| Self::AboveDelivered => false,
		}
	}
}
