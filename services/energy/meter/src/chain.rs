//! What the chain knows about meters, and the calls of electricians.

use codec::{Compact, Encode};
use gridproof_chain::{Chain, Failure, Included, Patience, Submitter};
use gridproof_keys::{
	AccountKey,
	account::{AccountSignature, address},
};
use gridproof_primitives::{
	H256,
	ed25519::PublicKey,
	meter::{
		Anchor, AnchorState, Certification, Direction, MeterIndex, MeterInfo, MeterName, NewDevice,
		Organisation, OrganisationIndex, OrganisationStanding, Overview, OwnerConsent, Registers,
		SealId, Suspension, Totals, Trust,
	},
};
use serde::Serialize;

/// Name of the pallet in the runtime.
pub const PALLET: &str = "MeterReadings";
/// Name of the runtime API.
const API: &str = "MeterReadingsApi";

/// A meter of this chain.
pub type Info = MeterInfo<[u8; 32]>;

/// A meter for people and programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
	/// Its number.
	pub index: MeterIndex,
	/// Its ids.
	#[serde(flatten)]
	pub name: MeterName,
	/// The key that signs its batches.
	pub device_key: String,
	/// Who owns it.
	pub owner: String,
	/// Where its KWH goes: owner and device can each spend it.
	pub energy_account: String,
	/// The organisation that answers for it.
	pub organisation: OrganisationIndex,
	/// Who certified it.
	pub electrician: String,
	/// The most it can carry, in W.
	pub rated_power_w: u32,
	/// Which way energy may go.
	pub direction: Direction,
	/// Who holds the key.
	pub trust: Trust,
	/// The seal's id.
	pub seal: String,
	/// Why its batches are refused, if they are.
	pub suspended: Option<Suspension>,
	/// Sequence number of its next batch.
	pub next_sequence: u64,
	/// Before this no batch may begin, UTC milliseconds: the end of its last one, or the begin of
	/// its certified service.
	pub last_end_ms: u64,
	/// What its registers showed then.
	pub registers: Registers,
}

impl From<&Info> for Shown {
	fn from(info: &Info) -> Self {
		let certificate = &info.certificate;
		Self {
			index: info.index,
			name: certificate.name.clone(),
			device_key: hex::encode(certificate.device),
			owner: address(&certificate.owner),
			energy_account: address(&info.energy_account),
			organisation: certificate.organisation,
			electrician: address(&certificate.electrician),
			rated_power_w: certificate.rated_power_w,
			direction: certificate.direction,
			trust: certificate.trust,
			seal: String::from_utf8_lossy(&certificate.seal).to_string(),
			suspended: info.suspended,
			next_sequence: info.state.next_sequence,
			last_end_ms: info.state.last_end_ms,
			registers: info.state.registers,
		}
	}
}

/// A meter by its number.
///
/// # Errors
/// [`Failure`].
pub async fn meter(chain: &Chain, index: MeterIndex) -> Result<Option<Info>, Failure> {
	chain.call(&format!("{API}_meter"), &index.encode()).await
}

/// A meter by its name.
///
/// # Errors
/// [`Failure`].
pub async fn meter_by_name(chain: &Chain, name: &MeterName) -> Result<Option<Info>, Failure> {
	let found: Option<(MeterIndex, Info)> =
		chain.call(&format!("{API}_meter_by_name"), &name.encode()).await?;
	Ok(found.map(|(_, info)| info))
}

/// A meter's energy over some spans of time.
///
/// # Errors
/// [`Failure`].
pub async fn totals(chain: &Chain, index: MeterIndex) -> Result<Option<Totals>, Failure> {
	chain.call(&format!("{API}_totals"), &index.encode()).await
}

/// How much there is.
///
/// # Errors
/// [`Failure`].
pub async fn overview(chain: &Chain) -> Result<Overview, Failure> {
	chain.call(&format!("{API}_overview"), &[]).await
}

/// A call, as [`Submitter`] takes it: pallet, name, SCALE-encoded arguments.
pub type Call = (&'static str, &'static str, Vec<u8>);

/// A signature as the chain's `MultiSignature` is encoded.
pub fn multi_signature(signature: &AccountSignature) -> Vec<u8> {
	match signature {
		AccountSignature::Ed25519(bytes) => (0u8, bytes).encode(),
		AccountSignature::Sr25519(bytes) => (1u8, bytes).encode(),
		AccountSignature::Ecdsa(bytes) => (2u8, bytes).encode(),
	}
}

/// `certify_meter`.
pub fn certify(
	organisation: OrganisationIndex,
	certification: &Certification<[u8; 32]>,
	consent: &AccountSignature,
) -> Call {
	let mut arguments = (Compact(organisation), certification).encode();
	arguments.extend(multi_signature(consent));
	(PALLET, "certify_meter", arguments)
}

/// `suspend_meter`.
pub fn suspend(meter: MeterIndex, reason: Suspension) -> Call {
	(PALLET, "suspend_meter", (Compact(meter), reason).encode())
}

/// `reinstate_meter`.
pub fn reinstate(meter: MeterIndex, seal: &SealId) -> Call {
	(PALLET, "reinstate_meter", (Compact(meter), seal).encode())
}

/// For how long an owner's consent can be used, in milliseconds: one hour.
pub const CONSENT_MS: u64 = 3_600_000;

/// A new key for the device of a meter, with the consent of `owner`.
pub fn new_device(
	chain: &Chain,
	meter: &Info,
	device: PublicKey,
	owner: &AccountKey,
	now_ms: u64,
) -> NewDevice<AccountSignature> {
	let certificate = &meter.certificate;
	let consent = OwnerConsent {
		organisation: certificate.organisation,
		name: certificate.name.clone(),
		device,
		owner: certificate.owner,
		valid_until_ms: now_ms.saturating_add(CONSENT_MS),
	};
	let signature = owner.sign(&consent.signing_payload(&chain.genesis()));
	NewDevice { device, valid_until_ms: consent.valid_until_ms, consent: signature }
}

/// `exchange_meter`.
pub fn exchange(
	meter: MeterIndex,
	registers: Registers,
	seal: &SealId,
	new: Option<&NewDevice<AccountSignature>>,
) -> Call {
	let mut arguments = (Compact(meter), registers, seal).encode();
	match new {
		None => arguments.push(0),
		Some(new) => {
			arguments.push(1);
			arguments.extend((new.device, new.valid_until_ms).encode());
			arguments.extend(multi_signature(&new.consent));
		},
	}
	(PALLET, "exchange_meter", arguments)
}

/// Submits one call and waits until it is final.
///
/// # Errors
/// [`Failure`].
pub async fn submit(
	chain: &Chain,
	signer: &AccountKey,
	call: Call,
	patience: &Patience,
) -> Result<Included, Failure> {
	let submitter = Submitter::new(chain.clone(), signer.clone(), *patience);
	let mut outcomes = submitter.submit(&[call]).await?;
	let lost = || Failure::Unsupported("an outcome of the transaction".to_string());
	outcomes.pop().ok_or_else(lost)?
}

/// The meters in service, by number.
///
/// # Errors
/// [`Failure`].
pub async fn meters(chain: &Chain) -> Result<Vec<Info>, Failure> {
	const PAGE: u32 = 500;
	let (mut all, mut from): (Vec<Info>, MeterIndex) = (Vec::new(), 0);
	loop {
		let page: Vec<Info> = chain.call(&format!("{API}_meters"), &(from, PAGE).encode()).await?;
		let Some(last) = page.last() else { return Ok(all) };
		let next = last.index.checked_add(1);
		all.extend(page);
		match next {
			Some(next) => from = next,
			None => return Ok(all),
		}
	}
}

/// An organisation by its number.
///
/// # Errors
/// [`Failure`].
pub async fn organisation(
	chain: &Chain,
	index: OrganisationIndex,
) -> Result<Option<Organisation<[u8; 32], u128>>, Failure> {
	chain.call(&format!("{API}_organisation"), &index.encode()).await
}

/// Is the account an electrician of the organisation?
///
/// # Errors
/// [`Failure`].
pub async fn is_member(
	chain: &Chain,
	organisation: OrganisationIndex,
	who: &[u8; 32],
) -> Result<bool, Failure> {
	chain.call(&format!("{API}_is_member"), &(organisation, who).encode()).await
}

/// The anchor of a batch, as far as the chain knows; `None` if nobody has recorded one, or if it is
/// too old to be kept.
///
/// # Errors
/// [`Failure`].
pub async fn anchor(
	chain: &Chain,
	meter: MeterIndex,
	sequence: u64,
) -> Result<Option<Anchor>, Failure> {
	chain.call(&format!("{API}_anchor"), &(meter, sequence).encode()).await
}

/// `record_anchor`.
pub fn record_anchor(meter: MeterIndex, sequence: u64, root: H256, state: &AnchorState) -> Call {
	(PALLET, "record_anchor", (Compact(meter), Compact(sequence), root, state).encode())
}

/// `set_recorder`, to be dispatched by governance.
pub fn set_recorder(who: &[u8; 32], appointed: bool) -> Call {
	(PALLET, "set_recorder", (who, appointed).encode())
}

/// `register_organisation`.
pub fn register_organisation(name: &str) -> Call {
	(PALLET, "register_organisation", name.as_bytes().encode())
}

/// `add_member`.
pub fn add_member(organisation: OrganisationIndex, who: &[u8; 32]) -> Call {
	(PALLET, "add_member", (Compact(organisation), who).encode())
}

/// `set_organisation_standing`, to be dispatched by governance.
pub fn set_standing(organisation: OrganisationIndex, standing: OrganisationStanding) -> Call {
	(PALLET, "set_organisation_standing", (Compact(organisation), standing).encode())
}
