//! Meters, and batches of their readings.

use crate::pallets::AccountId;
use codec::{Decode, Encode};
use gridproof_primitives::{
	energy::{BatchLimits, BatchRefusal, MeterInfo, Organisation},
	time::day::Day,
};
use std::fmt;

/// The pallet's name.
pub(crate) const PALLET: &str = "MeterReadings";

/// A meter of this chain.
pub type Meter = MeterInfo<AccountId>;
/// An organisation of electricians of this chain.
pub type Electricians = Organisation<AccountId, u128>;

/// What governance decided.
#[derive(Encode, Decode)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
	/// The most that a block mints, in Wh.
	pub block_wh: u64,
	/// The most that a day of UTC mints, in Wh.
	pub day_wh: u64,
	/// The rules of a batch.
	pub batch: BatchLimits,
}

/// What was minted lately.
#[derive(Encode, Decode)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
	/// Number of the last block that minted.
	pub block: u32,
	/// What it minted, in Wh.
	pub block_wh: u64,
	/// The last day of UTC that minted.
	pub day: Day,
	/// What it minted, in Wh.
	pub day_wh: u64,
}

/// The rule that a batch in a refused transaction breaks, without the figures of a
/// [`BatchRefusal`]: those are what `query::preview_batches` is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchCode(u8);

impl BatchCode {
	/// The rule of this number; `None` if there is no such rule.
	pub(crate) const fn new(code: u8) -> Option<Self> {
		match BatchRefusal::from_code(code) {
			Some(_) => Some(Self(code)),
			None => None,
		}
	}

	/// Is it the rule of this refusal?
	pub const fn is(self, refusal: &BatchRefusal) -> bool {
		self.0 == refusal.code()
	}

	/// Can the very same batch be accepted later, when nothing changes but time and the state of
	/// the chain?
	pub const fn is_temporary(self) -> bool {
		match BatchRefusal::from_code(self.0) {
			Some(refusal) => refusal.is_temporary(),
			None => false,
		}
	}
}

impl fmt::Display for BatchCode {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		write!(f, "a batch is refused: {}", BatchRefusal::name_of(self.0).unwrap_or_default())
	}
}

impl std::error::Error for BatchCode {}

/// Calls.
pub mod call {
	use super::{Limits, PALLET};
	use crate::{Call, pallets::AccountId, refusal::Codes};
	use codec::{Compact, Encode};
	use gridproof_keys::account::AccountSignature;
	use gridproof_primitives::{
		H256,
		energy::{
			AnchorState, BatchHeader, Certification, MeterIndex, NewDevice, OrganisationIndex,
			OrganisationStanding, Registers, SealId, SignedBatch, Suspension,
		},
	};

	/// Submits batches, each of which is accepted or refused alone. Needs no signer.
	pub fn submit_batches(batches: &[SignedBatch]) -> Call {
		Call::new(PALLET, "submit_batches", &batches).refused_with(Codes::Batches)
	}

	/// Registers an organisation of electricians; who signs becomes its admin.
	pub fn register_organisation(name: &str) -> Call {
		Call::new(PALLET, "register_organisation", &name.as_bytes())
	}

	/// Dissolves an organisation without members and meters. For its admin.
	pub fn dissolve_organisation(organisation: OrganisationIndex) -> Call {
		Call::new(PALLET, "dissolve_organisation", &Compact(organisation))
	}

	/// Makes an account an electrician of an organisation. For its admin.
	pub fn add_member(organisation: OrganisationIndex, who: AccountId) -> Call {
		Call::new(PALLET, "add_member", &(Compact(organisation), who))
	}

	/// Ends a membership. For the organisation's admin or the member.
	pub fn remove_member(organisation: OrganisationIndex, who: AccountId) -> Call {
		Call::new(PALLET, "remove_member", &(Compact(organisation), who))
	}

	/// Admits or revokes an organisation. For governance.
	pub fn set_organisation_standing(
		organisation: OrganisationIndex,
		standing: OrganisationStanding,
	) -> Call {
		Call::new(PALLET, "set_organisation_standing", &(Compact(organisation), standing))
	}

	/// Certifies a meter, with the owner's consent. For an electrician of the organisation.
	pub fn certify_meter(
		organisation: OrganisationIndex,
		certification: &Certification<AccountId>,
		consent: &AccountSignature,
	) -> Call {
		Call::new(PALLET, "certify_meter", &(Compact(organisation), certification))
			.and(&MultiSignature(consent))
	}

	/// Suspends a meter. For its owner or an electrician of its organisation.
	pub fn suspend_meter(meter: MeterIndex, reason: Suspension) -> Call {
		Call::new(PALLET, "suspend_meter", &(Compact(meter), reason))
	}

	/// Lets a suspended meter count again, under a new seal. For an electrician of its organisation.
	pub fn reinstate_meter(meter: MeterIndex, seal: &SealId) -> Call {
		Call::new(PALLET, "reinstate_meter", &(Compact(meter), seal))
	}

	/// Records that a meter was exchanged, or its device's key. For an electrician of its
	/// organisation.
	pub fn exchange_meter(
		meter: MeterIndex,
		registers: Registers,
		seal: &SealId,
		device: Option<&NewDevice<AccountSignature>>,
	) -> Call {
		let call = Call::new(PALLET, "exchange_meter", &(Compact(meter), registers, seal));
		match device {
			None => call.and(&0u8),
			Some(new) => {
				call.and(&(1u8, new.device, new.valid_until_ms)).and(&MultiSignature(&new.consent))
			},
		}
	}

	/// Takes a meter out of service. For its owner or an electrician of its organisation.
	pub fn decommission_meter(meter: MeterIndex) -> Call {
		Call::new(PALLET, "decommission_meter", &Compact(meter))
	}

	/// Shows on chain that one reading, its canonical JSON, is in a batch that is kept.
	pub fn verify_recent_reading(
		(meter, sequence): (MeterIndex, u64),
		leaf: &[u8],
		index: u32,
		proof: &[H256],
	) -> Call {
		Call::new(PALLET, "verify_reading", &(0u8, meter, sequence, leaf, index, proof))
	}

	/// Shows on chain that one reading is in the batch of the first of these headers, which the
	/// others follow without a gap.
	pub fn verify_older_reading(
		headers: &[BatchHeader],
		leaf: &[u8],
		index: u32,
		proof: &[H256],
	) -> Call {
		Call::new(PALLET, "verify_reading", &(1u8, headers, leaf, index, proof))
	}

	/// Records where a batch's root stands in Bitcoin. For an account that governance appointed.
	pub fn record_anchor(
		meter: MeterIndex,
		sequence: u64,
		root: H256,
		state: &AnchorState,
	) -> Call {
		Call::new(PALLET, "record_anchor", &(Compact(meter), Compact(sequence), root, state))
	}

	/// Lets an account record anchors, or lets it no more. For governance.
	pub fn set_recorder(who: AccountId, appointed: bool) -> Call {
		Call::new(PALLET, "set_recorder", &(who, appointed))
	}

	/// Sets the limits. For governance.
	pub fn set_limits(limits: &Limits) -> Call {
		Call::new(PALLET, "set_limits", limits)
	}

	/// Stops batches. For governance, also in an emergency.
	pub fn pause() -> Call {
		Call::new(PALLET, "pause", &())
	}

	/// Accepts batches again. For governance.
	pub fn resume() -> Call {
		Call::new(PALLET, "resume", &())
	}

	/// An account's signature as the chain's `MultiSignature` is encoded.
	struct MultiSignature<'s>(&'s AccountSignature);

	impl Encode for MultiSignature<'_> {
		fn encode(&self) -> Vec<u8> {
			match self.0 {
				AccountSignature::Ed25519(bytes) => (0u8, bytes).encode(),
				AccountSignature::Sr25519(bytes) => (1u8, bytes).encode(),
				AccountSignature::Ecdsa(bytes) => (2u8, bytes).encode(),
			}
		}
	}
}

/// Questions.
pub mod query {
	use super::{Electricians, Limits, Meter, Usage};
	use crate::{Query, pallets::AccountId};
	use gridproof_primitives::{
		H256,
		energy::{
			Accepted, Anchor, BatchHeader, BatchRecord, BatchRefusal, MeterIndex, MeterName,
			OrganisationIndex, Overview, ReadingRefusal, SignedBatch, Totals,
		},
	};

	/// A meter in service.
	pub fn meter(meter: MeterIndex) -> Query<Option<Meter>> {
		Query::new("MeterReadingsApi_meter", &meter)
	}

	/// The meter in service that has a name.
	pub fn meter_by_name(name: &MeterName) -> Query<Option<(MeterIndex, Meter)>> {
		Query::new("MeterReadingsApi_meter_by_name", name)
	}

	/// The meters in service from index `from` on, at most `limit` of them and 1,000.
	pub fn meters(from: MeterIndex, limit: u32) -> Query<Vec<Meter>> {
		Query::new("MeterReadingsApi_meters", &(from, limit))
	}

	/// A meter's energy over some spans of time.
	pub fn totals(meter: MeterIndex) -> Query<Option<Totals>> {
		Query::new("MeterReadingsApi_totals", &meter)
	}

	/// A batch, if it is among those kept.
	pub fn batch(meter: MeterIndex, sequence: u64) -> Query<Option<BatchRecord>> {
		Query::new("MeterReadingsApi_batch", &(meter, sequence))
	}

	/// The anchor of a batch, if it is among those kept.
	pub fn anchor(meter: MeterIndex, sequence: u64) -> Query<Option<Anchor>> {
		Query::new("MeterReadingsApi_anchor", &(meter, sequence))
	}

	/// Whether a reading, its canonical JSON, is at this place in a batch that is kept. By RFC 6962.
	pub fn verify_reading(
		(meter, sequence): (MeterIndex, u64),
		leaf: &[u8],
		index: u32,
		proof: &[H256],
	) -> Query<Result<(), ReadingRefusal>> {
		Query::new("MeterReadingsApi_verify_reading", &(meter, sequence, leaf, index, proof))
	}

	/// Whether a reading is in the batch of the first of these headers. The others follow it without
	/// a gap, up to one that the chain knows.
	pub fn verify_older_reading(
		headers: &[BatchHeader],
		leaf: &[u8],
		index: u32,
		proof: &[H256],
	) -> Query<Result<(), ReadingRefusal>> {
		Query::new("MeterReadingsApi_verify_older_reading", &(headers, leaf, index, proof))
	}

	/// What would become of these batches now, in this order.
	pub fn preview_batches(batches: &[SignedBatch]) -> Query<Vec<Result<Accepted, BatchRefusal>>> {
		Query::new("MeterReadingsApi_preview_batches", &batches)
	}

	/// How much there is.
	pub fn overview() -> Query<Overview> {
		Query::new("MeterReadingsApi_overview", &())
	}

	/// An organisation.
	pub fn organisation(organisation: OrganisationIndex) -> Query<Option<Electricians>> {
		Query::new("MeterReadingsApi_organisation", &organisation)
	}

	/// Whether an account is an electrician of an organisation.
	pub fn is_member(organisation: OrganisationIndex, who: AccountId) -> Query<bool> {
		Query::new("MeterReadingsApi_is_member", &(organisation, who))
	}

	/// What governance decided, and what was minted lately.
	pub fn limits() -> Query<(Limits, Usage)> {
		Query::new("MeterReadingsApi_limits", &())
	}
}

/// Events.
pub mod event {
	use super::Limits;
	use crate::pallets::AccountId;
	use gridproof_primitives::{
		H256,
		crypto::ed25519::PublicKey,
		energy::{
			AnchorState, BatchRefusal, MeterIndex, MeterName, OrganisationIndex, OrganisationName,
			OrganisationStanding, Registers, SealId, Suspension,
		},
	};

	events! {
		"MeterReadings" {
			/// A batch was accepted.
			BatchAccepted {
				/// The meter.
				meter: MeterIndex,
				/// The batch's number.
				sequence: u64,
				/// Hash of its header.
				header_hash: H256,
				/// KWH minted, in Wh.
				minted: u64,
			}
			/// A batch was refused; nothing changed.
			BatchRefused {
				/// The meter.
				meter: MeterIndex,
				/// The batch's number.
				sequence: u64,
				/// Hash of its header.
				header_hash: H256,
				/// The first rule that it breaks.
				reason: BatchRefusal,
			}
			/// An organisation was registered.
			OrganisationRegistered {
				/// Its number.
				organisation: OrganisationIndex,
				/// The account that administers it.
				admin: AccountId,
				/// Its name.
				name: OrganisationName,
			}
			/// An organisation was admitted or revoked.
			OrganisationStandingSet {
				/// Its number.
				organisation: OrganisationIndex,
				/// The standing before.
				old: OrganisationStanding,
				/// The standing now.
				new: OrganisationStanding,
			}
			/// An organisation was dissolved and its deposit returned.
			OrganisationDissolved {
				/// Its number.
				organisation: OrganisationIndex,
			}
			/// An organisation has one more electrician.
			MemberAdded {
				/// The organisation.
				organisation: OrganisationIndex,
				/// The electrician.
				who: AccountId,
			}
			/// An organisation has one electrician less.
			MemberRemoved {
				/// The organisation.
				organisation: OrganisationIndex,
				/// The account that was one.
				who: AccountId,
			}
			/// A meter was certified.
			MeterCertified {
				/// Its index.
				meter: MeterIndex,
				/// Its name.
				name: MeterName,
				/// The account that owns it.
				owner: AccountId,
				/// The key that signs for it.
				device: PublicKey,
				/// The account that gets its KWH.
				energy_account: AccountId,
				/// The organisation that certified it.
				organisation: OrganisationIndex,
				/// The electrician's account.
				electrician: AccountId,
			}
			/// A meter was suspended: its batches are refused.
			MeterSuspended {
				/// Its index.
				meter: MeterIndex,
				/// The cause.
				reason: Suspension,
				/// The account that did it.
				by: AccountId,
			}
			/// A suspended meter counts again.
			MeterReinstated {
				/// Its index.
				meter: MeterIndex,
				/// Its seal.
				seal: SealId,
				/// The electrician who vouches for it.
				electrician: AccountId,
			}
			/// A meter was exchanged: its registers continue elsewhere than they stopped.
			MeterExchanged {
				/// Its index.
				meter: MeterIndex,
				/// The registers at the end, in Wh.
				old: Registers,
				/// The registers at the new begin, in Wh.
				new: Registers,
				/// The key that signs from now on.
				device: PublicKey,
				/// The account that gets its KWH from now on.
				energy_account: AccountId,
				/// Its seal.
				seal: SealId,
				/// The electrician who vouches for it.
				electrician: AccountId,
			}
			/// A meter was taken out of service.
			MeterDecommissioned {
				/// Its index.
				meter: MeterIndex,
				/// The number of its batches.
				batches: u64,
				/// Hash of the last one's header, zero without any.
				last: H256,
				/// The account that did it.
				by: AccountId,
			}
			/// A reading is in a batch that was accepted.
			ReadingVerified {
				/// The meter.
				meter: MeterIndex,
				/// Number of the batch.
				sequence: u64,
				/// Root of the batch.
				root: H256,
				/// RFC 6962 leaf hash of the reading.
				leaf_hash: H256,
				/// The reading's place in the batch, from 0.
				index: u32,
			}
			/// An anchor was recorded, or advanced.
			AnchorRecorded {
				/// The meter.
				meter: MeterIndex,
				/// Number of the batch.
				sequence: u64,
				/// Root of the batch.
				root: H256,
				/// How far it is.
				state: AnchorState,
			}
			/// An account may record anchors.
			RecorderAdded {
				/// The account.
				who: AccountId,
			}
			/// An account may record anchors no more.
			RecorderRemoved {
				/// The account.
				who: AccountId,
			}
			/// The limits changed.
			LimitsSet {
				/// The ones before.
				old: Limits,
				/// The ones now.
				new: Limits,
			}
			/// Batches were stopped.
			Paused {}
			/// Batches are accepted again.
			Resumed {}
		}
	}
}

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
