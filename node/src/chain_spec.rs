//! Chain specifications: those of the built-in networks, made from the runtime's genesis presets,
//! and specification files.
//!
//! The genesis of a network is in the runtime (`gridproof_runtime`'s presets); this module only
//! adds a name, an id and the token properties that wallets read.

use crate::spec_check;
use frame_system::Config as SystemConfig;
use gridproof_node_service::chain::{TOKEN_DECIMALS, TOKEN_SYMBOL};
use gridproof_runtime::{
	BuildStorage, Runtime, RuntimeGenesisConfig, WASM_BINARY, genesis_presets,
};
use sc_chain_spec::json_patch;
use sc_service::{ChainType, Properties};
use sp_core::{
	Get,
	crypto::{AccountId32, Ss58AddressFormat, Ss58AddressFormatRegistry, Ss58Codec},
	storage::{Storage, well_known_keys},
};
use std::path::Path;

/// A chain specification without extension fields, so that every light client accepts it.
pub(crate) type ChainSpec = sc_service::GenericChainSpec;

/// Prefix of the names of the peer-to-peer protocols.
pub(crate) const PROTOCOL_ID: &str = "gridproof";

/// A network that is built into the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
	/// One authority (Alice), for development.
	Development,
	/// Three authorities (Alice, Bob, Charlie), for tests on one machine.
	Local,
	/// Public rehearsal network with four authorities.
	Staging,
}

impl Network {
	/// All built-in networks.
	#[cfg(test)]
	pub(crate) const ALL: [Self; 3] = [Self::Development, Self::Local, Self::Staging];

	/// Returns the built-in network that `--chain NAME` means, if there is one.
	pub(crate) fn from_name(name: &str) -> Option<Self> {
		match name {
			"dev" | "development" => Some(Self::Development),
			"local" | "local_testnet" => Some(Self::Local),
			"staging" => Some(Self::Staging),
			_ => None,
		}
	}

	/// Returns the name of the genesis preset in the runtime.
	pub(crate) fn preset(self) -> &'static str {
		match self {
			Self::Development => sp_genesis_builder::DEV_RUNTIME_PRESET,
			Self::Local => sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET,
			Self::Staging => "staging",
		}
	}

	/// Returns the id of the chain, which is also the name of its folder below `chains/`.
	pub(crate) fn id(self) -> &'static str {
		match self {
			Self::Development => "gridproof_dev",
			Self::Local => "gridproof_local",
			Self::Staging => "gridproof_staging",
		}
	}

	/// Returns the name of the chain for people.
	pub(crate) fn display_name(self) -> &'static str {
		match self {
			Self::Development => "Gridproof Development",
			Self::Local => "Gridproof Local Testnet",
			Self::Staging => "Gridproof Staging",
		}
	}

	/// Returns the type of the chain, which decides, among other things, whether private IP
	/// addresses are dialled.
	pub(crate) fn chain_type(self) -> ChainType {
		match self {
			Self::Development => ChainType::Development,
			Self::Local => ChainType::Local,
			Self::Staging => ChainType::Live,
		}
	}

	/// Builds the specification.
	///
	/// # Errors
	/// If the node was compiled without the runtime's WebAssembly.
	pub(crate) fn chain_spec(self) -> Result<ChainSpec, String> {
		Ok(ChainSpec::builder(wasm_binary()?, None)
			.with_name(self.display_name())
			.with_id(self.id())
			.with_chain_type(self.chain_type())
			.with_protocol_id(PROTOCOL_ID)
			.with_properties(properties())
			.with_genesis_config_preset_name(self.preset())
			.build())
	}

	/// Returns the state from which the chain starts.
	///
	/// It equals the state that the specification yields by running the runtime's WebAssembly,
	/// which takes several seconds to compile: this is the same code, compiled into the node.
	pub(crate) fn genesis_storage(self) -> Result<Storage, String> {
		let preset = genesis_presets::get_preset(&self.preset().into())
			.ok_or_else(|| format!("the runtime has no preset `{}`", self.preset()))?;
		let invalid = |error: serde_json::Error| format!("preset `{}`: {error}", self.preset());
		let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).map_err(invalid)?;
		json_patch::merge(&mut config, serde_json::from_slice(&preset).map_err(invalid)?);
		let config: RuntimeGenesisConfig = serde_json::from_value(config).map_err(invalid)?;
		let mut storage = config.build_storage()?;
		storage.top.insert(well_known_keys::CODE.to_vec(), wasm_binary()?.to_vec());
		Ok(storage)
	}
}

// The service was compiled without the runtime: these are the types that both must agree on.
const _: fn(gridproof_runtime::opaque::Block) -> gridproof_node_service::chain::Block =
	|block| block;
const _: fn(gridproof_runtime::AccountId) -> gridproof_node_service::chain::AccountId =
	|account| account;
const _: fn(gridproof_runtime::Balance) -> gridproof_node_service::chain::Balance =
	|balance| balance;
const _: fn(gridproof_runtime::Nonce) -> gridproof_node_service::chain::Nonce = |nonce| nonce;

/// Returns the runtime's WebAssembly, unless the node was built without it.
fn wasm_binary() -> Result<&'static [u8], String> {
	WASM_BINARY.ok_or_else(|| {
		"This node was built without the runtime (SKIP_WASM_BUILD was set), so it has no \
		 built-in chain. Rebuild it without that variable, or pass a specification file: \
		 --chain FILE"
			.to_string()
	})
}

/// Returns the properties that wallets read from a chain: symbol, decimals and address format.
pub(crate) fn properties() -> Properties {
	let mut properties = Properties::new();
	properties.insert("tokenSymbol".into(), TOKEN_SYMBOL.into());
	properties.insert("tokenDecimals".into(), TOKEN_DECIMALS.into());
	properties.insert("ss58Format".into(), ss58_prefix().into());
	properties
}

/// Returns the address format (SS58 prefix) of the chain, which the runtime fixes.
pub(crate) fn ss58_prefix() -> u16 {
	<<Runtime as SystemConfig>::SS58Prefix as Get<_>>::get()
}

/// Loads the specification that `--chain` names: that of a built-in network, or a file.
pub(crate) fn load(id: &str) -> Result<ChainSpec, String> {
	if id.is_empty() {
		return Err("No chain chosen. Pass --dev for a development chain of one node, \
		            --chain local|staging for another built-in network, or --chain FILE for the \
		            specification of any other one."
			.into());
	}
	match Network::from_name(id) {
		Some(network) => network.chain_spec(),
		None => load_file(Path::new(id)),
	}
}

/// Loads a specification file, plain or raw.
fn load_file(path: &Path) -> Result<ChainSpec, String> {
	let shown = path.display();
	if !path.exists() {
		return Err(format!(
			"Unknown chain `{shown}`: there is no such file, and the built-in networks are dev, \
			 local and staging."
		));
	}
	if path.is_dir() {
		return Err(format!(
			"`{shown}` is a directory; --chain wants the chain specification file itself."
		));
	}
	let refused = |reason: String| {
		format!(
			"`{shown}` is not a chain specification: {reason}. \
			 Make one with `gridproof-node export-chain-spec --chain dev|local|staging`."
		)
	};
	let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
	let text = with_generic_addresses(&text);
	check(&text).map_err(|reason| format!("`{shown}` cannot begin a chain: {reason}."))?;
	ChainSpec::from_json_bytes(text.into_bytes()).map_err(refused)
}

/// Checks what can be wrong with the genesis of a specification, and warns of powers in it that were
/// left to somebody else.
fn check(text: &str) -> Result<(), String> {
	// What is not JSON at all is said where the file is read.
	let Ok(spec) = serde_json::from_str(text) else { return Ok(()) };
	spec_check::check(&spec)?;
	let preset = genesis_presets::get_preset(&Network::Staging.preset().into()).unwrap_or_default();
	for who in left_in_place(&spec, &String::from_utf8_lossy(&preset)) {
		eprintln!("warning: {who}: as in staging, where nobody here has the secret");
	}
	Ok(())
}

/// Returns the powers of a specification that are still those of staging, whose preset has its addresses
/// in the format that this program prints.
fn left_in_place(spec: &serde_json::Value, preset: &str) -> Vec<&'static str> {
	let preset = serde_json::from_str(&with_generic_addresses(preset)).unwrap_or_default();
	spec_check::left_in_place(spec, Network::Staging.id(), &preset)
}

/// Writes the addresses of this chain in a specification in Substrate's generic format.
///
/// The runtime's WebAssembly builds the genesis, and reads no other. It is done in the text: a tool
/// that reads JSON may lose digits of an amount.
fn with_generic_addresses(text: &str) -> String {
	let ours = Ss58AddressFormat::custom(ss58_prefix());
	// Strings are at the odd places, but for those with a quote inside, which are not addresses.
	let parts = text.split('"').map(|part| match AccountId32::from_ss58check_with_version(part) {
		Ok((account, format)) if format == ours => {
			account.to_ss58check_with_version(Ss58AddressFormatRegistry::SubstrateAccount.into())
		},
		_ => part.to_string(),
	});
	parts.collect::<Vec<_>>().join("\"")
}

#[cfg(test)]
mod tests {
	use super::*;
	use sc_service::ChainSpec as _;
	use std::io::Write;

	#[test]
	fn every_documented_name_means_its_network() {
		for (name, network) in [
			("dev", Network::Development),
			("development", Network::Development),
			("local", Network::Local),
			("local_testnet", Network::Local),
			("staging", Network::Staging),
		] {
			assert_eq!(Network::from_name(name), Some(network), "{name}");
		}
		assert_eq!(Network::from_name("mainnet"), None);
	}

	#[test]
	fn every_network_has_a_preset_in_the_runtime() {
		let presets = genesis_presets::preset_names();
		for network in Network::ALL {
			assert!(
				presets.iter().any(|id| id.as_ref() as &str == network.preset()),
				"{network:?}"
			);
		}
	}

	#[test]
	fn the_properties_are_those_of_the_token() {
		let properties = properties();
		assert_eq!(properties["tokenSymbol"], "AIT");
		assert_eq!(properties["tokenDecimals"], 18);
		assert_eq!(properties["ss58Format"], ss58_prefix());
		assert_eq!(properties.len(), 3);
	}

	#[test]
	fn powers_of_staging_are_found_in_whatever_format_the_preset_prints_addresses() {
		let ours = Ss58AddressFormat::custom(ss58_prefix());
		let preset =
			genesis_presets::get_preset(&Network::Staging.preset().into()).expect("it is there");
		let text = String::from_utf8(preset).expect("it is JSON");
		let printed = text.split('"').map(|part| {
			let account = AccountId32::from_ss58check(part).ok();
			account.map_or_else(|| part.to_string(), |who| who.to_ss58check_with_version(ours))
		});
		let printed = printed.collect::<Vec<_>>().join("\"");
		assert!(printed.contains("\"pH"), "the program prints its own format");
		let genesis: serde_json::Value =
			serde_json::from_str(&with_generic_addresses(&text)).expect("it is JSON");
		let spec = serde_json::json!({ "id": "ours", "genesis": { "runtimeGenesis": { "patch": genesis } } });
		let left = left_in_place(&spec, &printed);
		for who in [
			"session.keys",
			"emergencyCommittee.members",
			"brakes.emergency",
			"coveragePolicy.issuer",
		] {
			assert!(left.iter().any(|text| text.contains(who)), "{who}: {left:?}");
		}
	}

	#[test]
	fn no_chain_is_an_error_that_lists_the_choices() {
		let error = load("").err().expect("the empty name chooses nothing");
		for choice in ["--dev", "local", "staging", "FILE"] {
			assert!(error.contains(choice), "{error}");
		}
	}

	#[test]
	fn an_unknown_name_is_an_error_that_names_it() {
		let error = load("moonnet").err().expect("no such chain");
		assert_eq!(
			error,
			"Unknown chain `moonnet`: there is no such file, and the built-in networks are dev, \
			 local and staging."
		);
	}

	#[test]
	fn a_directory_is_refused_as_a_specification() {
		let directory = tempfile::tempdir().expect("temporary directory");
		let path = directory.path().display().to_string();
		let error = load(&path).err().expect("a directory is not a specification");
		assert_eq!(
			error,
			format!("`{path}` is a directory; --chain wants the chain specification file itself.")
		);
	}

	#[test]
	fn addresses_are_read_as_this_node_prints_them() {
		let account = AccountId32::from([7; 32]);
		let ours = account.to_ss58check_with_version(Ss58AddressFormat::custom(ss58_prefix()));
		let generic =
			account.to_ss58check_with_version(Ss58AddressFormatRegistry::SubstrateAccount.into());
		assert!(ours.starts_with("pH") && generic.starts_with('5'));
		let spec = |address: &str| {
			format!(
				r#"{{"a \"quote\"": ["{address}", 10500000000000000000000000], "{address}x": 1}}"#
			)
		};
		assert_eq!(
			with_generic_addresses(&spec(&ours)),
			format!(
				r#"{{"a \"quote\"": ["{generic}", 10500000000000000000000000], "{ours}x": 1}}"#
			)
		);
		let already = spec(&generic);
		assert_eq!(with_generic_addresses(&already), already);
	}

	#[test]
	fn a_corrupt_specification_is_refused_with_the_place_of_the_fault() {
		let mut file = tempfile::NamedTempFile::new().expect("temporary file");
		file.write_all(b"{ \"name\": \"cut short\", ").expect("written");
		let error = load(&file.path().display().to_string()).err().expect("not valid JSON");
		assert!(error.contains("is not a chain specification"), "{error}");
		assert!(error.contains("line 1 column"), "{error}");
	}

	#[test]
	fn built_in_networks_have_distinct_ids_and_the_same_genesis_natively_and_in_wasm() {
		if WASM_BINARY.is_none() {
			// Without the runtime there is only the error, which must say so.
			for network in Network::ALL {
				let error = network.chain_spec().err().expect("no runtime");
				assert!(error.contains("SKIP_WASM_BUILD"), "{error}");
			}
			return;
		}
		let mut ids = Vec::new();
		for network in Network::ALL {
			let spec = network.chain_spec().expect("the runtime is there");
			assert_eq!(spec.protocol_id(), Some(PROTOCOL_ID));
			assert_eq!(spec.chain_type(), network.chain_type());
			assert!(spec.telemetry_endpoints().is_none());
			assert!(spec.boot_nodes().is_empty());
			ids.push(spec.id().to_string());
			let from_wasm = spec.as_storage_builder().build_storage().expect("the preset builds");
			let native = network.genesis_storage().expect("the preset builds");
			assert!(from_wasm.top == native.top, "{network:?}: native and wasm genesis differ");
			assert!(native.children_default.is_empty());
		}
		ids.dedup();
		assert_eq!(ids, ["gridproof_dev", "gridproof_local", "gridproof_staging"]);
	}
}
