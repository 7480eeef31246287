//! Onboarding on three machines: what device, owner and electrician hand on to one another.
//!
//! The device makes its key and shows nobody; the owner signs what he sees; the electrician certifies
//! it. What travels is one file without a secret, to which each adds his part:
//!
//! 1. [`OnboardingRequest::make`], where the device is: its public key, and the proof that it has the
//!    secret one, for this meter, owner and chain;
//! 2. [`OnboardingRequest::consent`], where the owner's wallet is: his signature under every figure;
//! 3. [`certify`], where the electrician's key is: the transaction.
//!
//! Nobody who onboards can sign for the meter.

use crate::{
	consent::CONSENT_MS,
	device_keys::{Ask, device_key},
	list_error::ListError,
	onboard::{OnboardError, check_organisation},
	registry::{Onboarded, start},
	spec::MeterSpec,
	view::meter_by_name,
};
use futures::future::BoxFuture;
use gridproof_chain::{Chain, ChainError, Patience, pallets::meter_readings::call};
use gridproof_keys::{
	AccountKey, KeyError,
	account::{AccountSignature, address, parse_account},
};
use gridproof_primitives::{
	H256,
	crypto::ed25519,
	energy::{Certification, OrganisationIndex, Registers, Trust, possession_payload},
};
use gridproof_support::{
	files::{self, PUBLIC},
	text::{Hex32, Hex64, HexBytes},
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const FORMAT: &str = "gridproof-onboarding";
const VERSION: u32 = 1;

/// A meter that is to be certified, as far as its papers have come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnboardingRequest {
	format: String,
	version: u32,
	/// Genesis hash of the chain.
	pub genesis: H256,
	/// Number of the electrician's organisation.
	pub organisation: OrganisationIndex,
	/// Ids, figures, serial number and seal of the meter.
	pub meter: MeterSpec,
	/// Address of the owner.
	pub owner: String,
	/// Holder of the key.
	pub trust: Trust,
	/// What the import register shows, in Wh.
	pub import_wh: u64,
	/// What the export register shows, in Wh.
	pub export_wh: u64,
	/// Public key that will sign its batches.
	pub device_key: Hex32,
	/// The device's proof that it has the key.
	pub possession: Hex64,
	/// The owner's part, once there.
	pub consent: Option<Consent>,
}

/// The owner's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
	/// Begin of the certified service, UTC milliseconds.
	pub since_ms: u64,
	/// Time until which the consent can be used, UTC milliseconds.
	pub valid_until_ms: u64,
	/// How the owner signs: sr25519, ed25519 or secp256k1.
	pub scheme: String,
	/// The owner's signature.
	pub signature: HexBytes,
}

/// What a device is asked for.
pub struct RequestOrder<'a> {
	/// Ids, figures, serial number and seal of the meter.
	pub meter: &'a MeterSpec,
	/// Genesis hash of the chain.
	pub genesis: H256,
	/// Account of the owner.
	pub owner: [u8; 32],
	/// Number of the electrician's organisation.
	pub organisation: OrganisationIndex,
	/// Holder of the key.
	pub trust: Trust,
	/// What the registers show, in Wh.
	pub registers: Registers,
}

/// Why a request is not taken.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
	/// A key is not usable.
	#[error(transparent)]
	Key(#[from] KeyError),
	/// The file is not one, or not in order.
	#[error(transparent)]
	File(#[from] ListError),
	/// The device does not prove its key for this meter, owner and chain.
	#[error(
		"the device's proof is not one of its key for this meter, owner and chain: make it again"
	)]
	NoPossession,
	/// Another account signs than the one that the request names as the owner.
	#[error("the request names {wanted} as the owner; this key is {is}")]
	OtherOwner {
		/// Address in the request.
		wanted: String,
		/// Address of the key.
		is: String,
	},
	/// The owner has not consented.
	#[error("the owner has not consented: meter consent, on the owner's machine")]
	NoConsent,
	/// The owner's consent can be used no more.
	#[error("the owner's consent has expired: meter consent, once more")]
	Expired,
	/// The request is for another chain.
	#[error("the request is for the chain {file:#x}, the node is of {node:#x}")]
	OtherChain {
		/// The request's.
		file: H256,
		/// The node's.
		node: H256,
	},
	/// The chain, or the electrician's organisation, does not take it.
	#[error(transparent)]
	Onboard(#[from] OnboardError),
}

impl OnboardingRequest {
	/// Makes the device's part, and the device's key if it has none: in `keys`, encrypted with
	/// `passphrase` if there is one. The key's secret stays there.
	///
	/// # Errors
	/// [`RequestError::Key`]; [`RequestError::File`] if an id, serial number or seal is none.
	pub fn make(
		order: &RequestOrder<'_>,
		keys: &Path,
		passphrase: Option<&[u8]>,
		ask: Ask<'_>,
	) -> Result<(Self, PathBuf), RequestError> {
		let bad = |reason: String| ListError::new(Path::new(&order.meter.meter), None, reason);
		let name = order.meter.name().map_err(bad)?;
		order.meter.serial().map_err(bad)?;
		order.meter.seal().map_err(bad)?;
		let (key, path) = device_key(keys, &name, passphrase, ask)?;
		let possession = key.sign(&possession_payload(&order.genesis, &name, &order.owner));
		let request = Self {
			format: FORMAT.to_string(),
			version: VERSION,
			genesis: order.genesis,
			organisation: order.organisation,
			meter: order.meter.clone(),
			owner: address(&order.owner),
			trust: order.trust,
			import_wh: order.registers.import_wh,
			export_wh: order.registers.export_wh,
			device_key: Hex32(*key.public()),
			possession: Hex64(possession),
			consent: None,
		};
		Ok((request, path))
	}

	/// Reads a request.
	///
	/// # Errors
	/// [`RequestError::File`].
	pub fn load(path: &Path) -> Result<Self, RequestError> {
		let bad = |reason: String| ListError::new(path, None, reason);
		let bytes = files::read(path).map_err(|error| bad(error.to_string()))?;
		let request: Self =
			serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
		if (request.format.as_str(), request.version) != (FORMAT, VERSION) {
			return Err(bad("is not a request of this version".to_string()).into());
		}
		Ok(request)
	}

	/// Writes the request, in place of what is there.
	///
	/// # Errors
	/// [`RequestError::File`].
	pub fn save(&self, path: &Path) -> Result<(), RequestError> {
		let bad = |reason: String| ListError::new(path, None, reason);
		let text = serde_json::to_string_pretty(self).map_err(|error| bad(error.to_string()))?;
		files::replace(path, format!("{text}\n").as_bytes(), PUBLIC)
			.map_err(|error| bad(error.to_string()))?;
		Ok(())
	}

	/// Adds the owner's consent to service from `since_ms` on, valid for an hour from `now_ms`, both
	/// in UTC milliseconds.
	///
	/// # Errors
	/// [`RequestError::NoPossession`], [`RequestError::OtherOwner`], [`RequestError::File`].
	pub fn consent(
		&mut self,
		owner: &AccountKey,
		since_ms: u64,
		now_ms: u64,
	) -> Result<(), RequestError> {
		let account = self.check_possession()?;
		if owner.account() != account {
			let (wanted, is) = (self.owner.clone(), address(&owner.account()));
			return Err(RequestError::OtherOwner { wanted, is });
		}
		let valid_until_ms = now_ms.saturating_add(CONSENT_MS);
		let certification = self.certification(account, since_ms, valid_until_ms)?;
		let consent = certification.consent(self.organisation).signing_payload(&self.genesis);
		let (scheme, signature) = match owner.sign(&consent) {
			AccountSignature::Sr25519(signature) => ("sr25519", signature.to_vec()),
			AccountSignature::Ed25519(signature) => ("ed25519", signature.to_vec()),
			AccountSignature::Ecdsa(signature) => ("secp256k1", signature.to_vec()),
		};
		let (scheme, signature) = (scheme.to_string(), HexBytes(signature));
		self.consent = Some(Consent { since_ms, valid_until_ms, scheme, signature });
		Ok(())
	}

	/// Checks that the device has its key, and returns the owner's account.
	fn check_possession(&self) -> Result<[u8; 32], RequestError> {
		let bad = |reason: String| ListError::new(Path::new(&self.meter.meter), None, reason);
		let owner = parse_account(&self.owner).map_err(bad)?;
		let name = self.meter.name().map_err(bad)?;
		let payload = possession_payload(&self.genesis, &name, &owner);
		ed25519::verify(&self.device_key.0, &payload, &self.possession.0)
			.map_err(|_| RequestError::NoPossession)?;
		Ok(owner)
	}

	fn certification(
		&self,
		owner: [u8; 32],
		since_ms: u64,
		valid_until_ms: u64,
	) -> Result<Certification<[u8; 32]>, RequestError> {
		let bad = |reason: String| ListError::new(Path::new(&self.meter.meter), None, reason);
		Ok(Certification {
			name: self.meter.name().map_err(bad)?,
			device: self.device_key.0,
			owner,
			rated_power_w: self.meter.rated_power_w,
			direction: self.meter.direction,
			point: self.meter.point().map_err(bad)?,
			trust: self.trust,
			serial: self.meter.serial().map_err(bad)?,
			seal: self.meter.seal().map_err(bad)?,
			registers: Registers { import_wh: self.import_wh, export_wh: self.export_wh },
			since_ms,
			valid_until_ms,
		})
	}

	/// The owner's part, if it can be used at `now_ms`.
	fn signed(&self, now_ms: u64) -> Result<(&Consent, AccountSignature), RequestError> {
		let consent = self.consent.as_ref().ok_or(RequestError::NoConsent)?;
		if consent.valid_until_ms < now_ms {
			return Err(RequestError::Expired);
		}
		let bytes = &consent.signature.0[..];
		let signature = match consent.scheme.as_str() {
			"sr25519" => bytes.try_into().map(AccountSignature::Sr25519).ok(),
			"ed25519" => bytes.try_into().map(AccountSignature::Ed25519).ok(),
			"secp256k1" => bytes.try_into().map(AccountSignature::Ecdsa).ok(),
			_ => None,
		};
		Ok((consent, signature.ok_or(RequestError::NoConsent)?))
	}
}

/// Certifies the meter of a request with `electrician`, and waits until it is final. `key_file` is
/// named in what comes of it, for who runs the device on this machine.
///
/// # Errors
/// [`RequestError`]; nothing was sent unless it is [`RequestError::Onboard`].
pub fn certify<'a>(
	chain: &'a Chain,
	request: &'a OnboardingRequest,
	electrician: &'a AccountKey,
	patience: &'a Patience,
	now_ms: u64,
) -> BoxFuture<'a, Result<Onboarded, RequestError>> {
	Box::pin(async move {
		let (file, node) = (request.genesis, chain.genesis());
		if file != node {
			return Err(RequestError::OtherChain { file, node });
		}
		let owner = request.check_possession()?;
		let (consent, signature) = request.signed(now_ms)?;
		let certification =
			request.certification(owner, consent.since_ms, consent.valid_until_ms)?;
		check_organisation(chain, request.organisation, electrician, &owner).await?;
		let call = call::certify_meter(
			request.organisation,
			&certification,
			&signature,
			&request.possession.0,
		);
		let name = certification.name.clone();
		let refused = |error| OnboardError::Refused { name: name.to_string(), error };
		let outcome = chain.submit(electrician, &call, patience).await;
		// What counts is the chain: a transaction whose fate stayed unknown may be there.
		let found = meter_by_name(chain, &name).await.map_err(OnboardError::from)?;
		let info = match (found, outcome) {
			(Some(info), _) if info.certificate.device == certification.device => info,
			(_, Err(error)) => return Err(refused(error).into()),
			(_, Ok(_)) => {
				let lost = ChainError::Unsupported("an outcome of the certification".to_string());
				return Err(OnboardError::from(lost).into());
			},
		};
		Ok(Onboarded {
			index: info.index,
			spec: request.meter.clone(),
			device_key: hex::encode(info.certificate.device),
			key_file: PathBuf::new(),
			owner: address(&info.certificate.owner),
			energy_account: address(&info.energy_account),
			start: start(&info),
			was_there: false,
		})
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::energy::Direction;

	const NOW: u64 = 1_700_000_000_000;

	fn meter() -> MeterSpec {
		MeterSpec {
			site: "A".to_string(),
			device: "gw".to_string(),
			meter: "1".to_string(),
			direction: Direction::Both,
			rated_power_w: 25_000,
			serial: "M-1".to_string(),
			seal: "S-1".to_string(),
			profile: None,
			point: None,
		}
	}

	fn owner() -> AccountKey {
		AccountKey::development("//Bob").unwrap()
	}

	fn made(folder: &Path) -> OnboardingRequest {
		let meter = meter();
		let order = RequestOrder {
			meter: &meter,
			genesis: H256([7; 32]),
			owner: owner().account(),
			organisation: 3,
			trust: Trust::Device,
			registers: Registers { import_wh: 5, export_wh: 6 },
		};
		let never = |path: &Path| Err(KeyError::PassphraseNeeded(path.display().to_string()));
		OnboardingRequest::make(&order, &folder.join("keys"), None, &never).unwrap().0
	}

	#[test]
	fn the_file_that_travels_has_no_secret_and_each_adds_his_part_on_his_own_machine() {
		let folder = tempfile::tempdir().unwrap();
		let file = folder.path().join("request.json");
		made(folder.path()).save(&file).unwrap();
		let key = std::fs::read_dir(folder.path().join("keys")).unwrap().next().unwrap().unwrap();
		let key: serde_json::Value =
			serde_json::from_slice(&std::fs::read(key.path()).unwrap()).unwrap();
		let text = std::fs::read_to_string(&file).unwrap();
		assert!(!text.contains(key["secret"].as_str().unwrap()), "the device shows its key nobody");
		// The owner's machine has the file only.
		std::fs::remove_dir_all(folder.path().join("keys")).unwrap();
		let mut request = OnboardingRequest::load(&file).unwrap();
		assert!(matches!(request.signed(NOW), Err(RequestError::NoConsent)));
		request.consent(&owner(), NOW, NOW).unwrap();
		request.save(&file).unwrap();
		// The electrician's too.
		let request = OnboardingRequest::load(&file).unwrap();
		let (consent, _) = request.signed(NOW).unwrap();
		assert_eq!(consent.valid_until_ms, NOW + CONSENT_MS);
		assert!(matches!(request.signed(NOW + CONSENT_MS + 1), Err(RequestError::Expired)));
	}

	#[test]
	fn an_owner_consents_to_what_the_device_proved_and_to_nothing_else() {
		let folder = tempfile::tempdir().unwrap();
		let good = made(folder.path());
		let stranger = AccountKey::development("//Eve").unwrap();
		let mut request = good.clone();
		assert!(matches!(
			request.consent(&stranger, NOW, NOW),
			Err(RequestError::OtherOwner { .. })
		));
		let edits: [fn(&mut OnboardingRequest); 4] = [
			|r| r.genesis = H256([8; 32]),
			|r| r.meter.meter = "2".to_string(),
			|r| r.owner = address(&AccountKey::development("//Eve").unwrap().account()),
			|r| r.device_key.0[0] ^= 1,
		];
		for edit in edits {
			let mut request = good.clone();
			edit(&mut request);
			let refused = request.consent(&owner(), NOW, NOW);
			assert!(matches!(refused, Err(RequestError::NoPossession)), "{refused:?}");
		}
	}
}
