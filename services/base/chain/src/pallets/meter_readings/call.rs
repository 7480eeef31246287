//! Calls.

use super::{Limits, PALLET};
use crate::{Call, pallets::AccountId, refusal::Codes, takes::What};
use codec::{Compact, Encode};
use gridproof_keys::account::AccountSignature;
use gridproof_primitives::{
	H256,
	crypto::ed25519::Signature,
	energy::{
		AnchorState, BatchHeader, Certification, MeterIndex, NewDevice, OrganisationIndex,
		OrganisationStanding, Registers, SealId, SerialNumber, SignedBatch, Suspension,
	},
};

/// A deposit of the pallet.
const fn deposit(name: &'static str) -> What {
	What::Constant { pallet: PALLET, name, times: 1 }
}

/// Submits batches, each of which is accepted or refused alone. Needs no signer.
pub fn submit_batches(batches: &[SignedBatch]) -> Call {
	Call::new(PALLET, "submit_batches", &batches).refused_with(Codes::Batches)
}

/// Registers an organisation of electricians; who signs becomes its admin.
pub fn register_organisation(name: &str) -> Call {
	Call::new(PALLET, "register_organisation", &name.as_bytes())
		.taking(deposit("OrganisationDeposit"), "the deposit for an organisation")
}

/// Dissolves an organisation without members and meters. For its admin.
pub fn dissolve_organisation(organisation: OrganisationIndex) -> Call {
	Call::new(PALLET, "dissolve_organisation", &Compact(organisation))
}

/// Makes an account an electrician of an organisation. For its admin.
pub fn add_member(organisation: OrganisationIndex, who: AccountId) -> Call {
	Call::new(PALLET, "add_member", &(Compact(organisation), who))
		.taking(deposit("MemberDeposit"), "the deposit for an electrician")
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

/// Certifies a meter, with the owner's consent and the device's proof of its key. For an electrician
/// of the organisation who is not the owner.
pub fn certify_meter(
	organisation: OrganisationIndex,
	certification: &Certification<AccountId>,
	consent: &AccountSignature,
	possession: &Signature,
) -> Call {
	Call::new(PALLET, "certify_meter", &(Compact(organisation), certification))
		.and(&MultiSignature(consent))
		.and(possession)
		.taking(deposit("MeterDeposit"), "the deposit for a meter")
}

/// Lets a meter mint that was certified before its organisation was admitted. For an electrician of
/// the organisation who is not the owner.
pub fn admit_meter(meter: MeterIndex) -> Call {
	Call::new(PALLET, "admit_meter", &Compact(meter))
}

/// Gives an organisation another admin. For its admin or governance.
pub fn set_organisation_admin(organisation: OrganisationIndex, new: AccountId) -> Call {
	Call::new(PALLET, "set_organisation_admin", &(Compact(organisation), new))
}

/// Takes back what a meter minted in error, in Wh. For the admin of its organisation or governance.
pub fn correct_meter(meter: MeterIndex, wh: u64) -> Call {
	Call::new(PALLET, "correct_meter", &(Compact(meter), Compact(wh)))
}

/// Suspends a meter. For its owner, an electrician of its organisation, or governance.
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
	(serial, seal): (&SerialNumber, &SealId),
	device: Option<&NewDevice<AccountSignature>>,
) -> Call {
	let call = Call::new(PALLET, "exchange_meter", &(Compact(meter), registers, serial, seal));
	match device {
		None => call.and(&0u8),
		Some(new) => {
			let call = call.and(&(1u8, new.device, new.valid_until_ms));
			call.and(&MultiSignature(&new.consent)).and(&new.possession)
		},
	}
}

/// Takes a meter out of service. For its owner, an electrician of its organisation, governance, or who
/// paid its deposit once nobody vouches for it.
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
pub fn record_anchor(meter: MeterIndex, sequence: u64, root: H256, state: &AnchorState) -> Call {
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
		self.0.to_bytes()
	}
}
