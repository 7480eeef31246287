//! Meters that are on a chain, in a file.

use crate::{list_error::ListError, spec::MeterSpec};
use gridproof_chain::pallets::meter_readings::Meter;
use gridproof_device::{Binding, Start, file_name};
use gridproof_keys::account::address;
use gridproof_primitives::{H256, energy::MeterIndex};
use gridproof_support::files::{self, PUBLIC};
use serde::{Deserialize, Serialize};
use std::{
	fs, io,
	path::{Path, PathBuf},
};

/// A meter that is on chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Onboarded {
	/// Its number on the chain.
	pub index: MeterIndex,
	/// What it was onboarded with.
	#[serde(flatten)]
	pub spec: MeterSpec,
	/// Public key that signs its batches, 64 hexadecimal digits.
	pub device_key: String,
	/// Key file of its device.
	pub key_file: PathBuf,
	/// Address of its owner.
	pub owner: String,
	/// Address of the account that receives its KWH.
	pub energy_account: String,
	/// Begin of its device's first header.
	pub start: Start,
	/// Whether it was on the chain before.
	#[serde(default)]
	pub was_there: bool,
}

/// Meters of one chain, as onboarding writes them and device programs read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
	/// Genesis hash of the chain.
	pub genesis: H256,
	/// Its meters, by number.
	pub meters: Vec<Onboarded>,
}

impl Registry {
	/// Reads a registry; `None` if there is no file.
	///
	/// # Errors
	/// [`ListError`].
	pub fn load(path: &Path) -> Result<Option<Self>, ListError> {
		let bad = |reason: String| ListError::new(path, None, reason);
		match fs::read(path) {
			Ok(bytes) => {
				serde_json::from_slice(&bytes).map(Some).map_err(|error| bad(error.to_string()))
			},
			Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
			Err(error) => Err(bad(error.to_string())),
		}
	}

	/// Adds meters to the registry at `path`, in place of those with the same numbers.
	///
	/// # Errors
	/// [`ListError`], also if it is of another chain.
	pub fn add(path: &Path, genesis: H256, meters: &[Onboarded]) -> Result<Self, ListError> {
		let mut registry =
			Self::load(path)?.unwrap_or_else(|| Self { genesis, meters: Vec::new() });
		if registry.genesis != genesis {
			let reason = "holds meters of another chain; name another file".to_string();
			return Err(ListError::new(path, None, reason));
		}
		registry.meters.retain(|old| meters.iter().all(|new| new.index != old.index));
		registry.meters.extend(meters.iter().cloned());
		registry.meters.sort_by_key(|meter| meter.index);
		let bad = |reason: String| ListError::new(path, None, reason);
		let text = serde_json::to_string_pretty(&registry).map_err(|e| bad(e.to_string()))?;
		files::replace(path, format!("{text}\n").as_bytes(), PUBLIC)
			.map_err(|error| bad(error.to_string()))?;
		Ok(registry)
	}
}

/// Changes a meter in the registry at `path` after an exchange: where its device begins, its
/// seal, and its key if that is a new one, from the folder `keys`.
///
/// # Errors
/// [`ListError`], also if the registry does not have the meter.
pub fn record_exchange(path: &Path, info: &Meter, keys: Option<&Path>) -> Result<(), ListError> {
	let missing = || ListError::new(path, None, format!("has no meter {}", info.index));
	let registry = Registry::load(path)?.ok_or_else(missing)?;
	let mut meter = registry
		.meters
		.iter()
		.find(|meter| meter.index == info.index)
		.cloned()
		.ok_or_else(missing)?;
	meter.start = start(info);
	meter.device_key = hex::encode(info.certificate.device);
	meter.energy_account = address(&info.energy_account);
	meter.spec.seal = String::from_utf8_lossy(&info.certificate.seal).to_string();
	if let Some(folder) = keys {
		let file = folder.join(format!("{}.json", file_name(&info.certificate.name)));
		meter.key_file = fs::canonicalize(&file).unwrap_or(file);
	}
	Registry::add(path, registry.genesis, &[meter]).map(|_| ())
}

impl Onboarded {
	/// Returns what its device signs for.
	pub const fn binding(&self, genesis: H256) -> Binding {
		Binding { genesis, meter: self.index }
	}
}

/// Returns where a device that has no state yet begins, by what the chain holds of its meter.
pub const fn start(info: &Meter) -> Start {
	let state = &info.state;
	Start {
		sequence: state.next_sequence,
		previous: state.last_hash,
		registers: state.registers,
		end_ms: state.last_end_ms,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::energy::Direction;

	#[test]
	fn a_registry_grows_and_is_of_one_chain() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("meters.json");
		let spec = MeterSpec {
			site: "A".to_string(),
			device: "gw".to_string(),
			meter: "1".to_string(),
			direction: Direction::Import,
			rated_power_w: 25_000,
			serial: "M-1".to_string(),
			seal: "S-1".to_string(),
			profile: None,
			point: None,
		};
		let meter = |index| Onboarded {
			index,
			spec: spec.clone(),
			device_key: "00".repeat(32),
			key_file: PathBuf::from("key.json"),
			owner: "owner".to_string(),
			energy_account: "account".to_string(),
			start: Start::default(),
			was_there: false,
		};
		let genesis = H256::repeat_byte(1);
		assert_eq!(Registry::load(&path).unwrap(), None);
		Registry::add(&path, genesis, &[meter(3)]).unwrap();
		let grown = Registry::add(&path, genesis, &[meter(1), meter(3)]).unwrap();
		assert_eq!(grown.meters.iter().map(|meter| meter.index).collect::<Vec<_>>(), [1, 3]);
		assert_eq!(Registry::load(&path).unwrap(), Some(grown));
		assert!(Registry::add(&path, H256::zero(), &[meter(4)]).is_err());
	}
}
