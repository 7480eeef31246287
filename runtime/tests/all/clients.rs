//! What wallets and tools build of this runtime's metadata is what the runtime takes: signed
//! transactions of version 4, with and without the hash of the metadata.

use codec::{Compact, Decode, Encode};
use frame_metadata::RuntimeMetadataPrefixed;
use frame_metadata_hash_extension::CheckMetadataHash;
use frame_support::{assert_ok, dispatch::GetDispatchInfo, traits::Get};
use gridproof_runtime::{
	Balances, BuildStorage, Executive, RefuseFiltered, Runtime, RuntimeCall, RuntimeGenesisConfig,
	Signature, SignedPayload, System, TxExtension, UncheckedExtrinsic, VERSION,
	constants::currency::AIT,
};
use merkleized_metadata::{ExtraInfo, generate_metadata_digest};
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::{
	MultiAddress,
	generic::Era,
	traits::{Applyable, Checkable, TransactionExtension},
	transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
};

fn with_alice(test: impl FnOnce()) {
	let config = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: vec![(Alice.to_account_id(), 1_000 * AIT)],
			..Default::default()
		},
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = config.build_storage().expect("it builds").into();
	ext.execute_with(|| {
		System::set_block_number(1);
		test();
	});
}

fn transfer() -> RuntimeCall {
	let dest = MultiAddress::Id(Bob.to_account_id());
	pallet_balances::Call::transfer_keep_alive { dest, value: AIT }.into()
}

/// Metadata as clients of ten years read it.
fn metadata_14() -> subxt::Metadata {
	let bytes = Runtime::metadata_at_version(14).expect("it is offered").encode();
	// Opaque metadata is a vector of bytes.
	let bytes = Vec::<u8>::decode(&mut bytes.as_slice()).expect("bytes");
	subxt::Metadata::decode(&mut bytes.as_slice()).expect("metadata")
}

/// What clients know of the extensions, by the names in the metadata: what each adds to the
/// transaction, and to what is signed. A name that is none of theirs they leave out.
fn known(name: &str, nonce: u32) -> Option<(Vec<u8>, Vec<u8>)> {
	let genesis = System::block_hash(0);
	Some(match name {
		"CheckNonZeroSender" | "CheckWeight" | "WeightReclaim" => (vec![], vec![]),
		"CheckSpecVersion" => (vec![], VERSION.spec_version.encode()),
		"CheckTxVersion" => (vec![], VERSION.transaction_version.encode()),
		"CheckGenesis" => (vec![], genesis.encode()),
		// An immortal transaction.
		"CheckMortality" => (vec![0], genesis.encode()),
		"CheckNonce" => (Compact(nonce).encode(), vec![]),
		"ChargeTransactionPayment" => (Compact(0u128).encode(), vec![]),
		"CheckMetadataHash" => (vec![0], vec![0]),
		_ => return None,
	})
}

/// A signed transaction of version 4, put together byte by byte as a client does.
fn version_4(call: &RuntimeCall, nonce: u32) -> Vec<u8> {
	let (mut extra, mut signed) = (Vec::new(), Vec::new());
	for extension in metadata_14().extrinsic().transaction_extensions_to_use_for_encoding() {
		let (more, more_signed) = known(extension.identifier(), nonce).unwrap_or_default();
		extra.extend(more);
		signed.extend(more_signed);
	}
	let payload = [call.encode(), extra.clone(), signed].concat();
	let signature = if payload.len() > 256 {
		Alice.sign(&sp_crypto_hashing::blake2_256(&payload))
	} else {
		Alice.sign(&payload)
	};
	let mut body = vec![0x84, 0];
	body.extend(Alice.to_account_id().encode());
	body.push(1);
	body.extend(signature.encode());
	body.extend(extra);
	body.extend(call.encode());
	body.encode()
}

fn read(bytes: &[u8]) -> UncheckedExtrinsic {
	let mut rest = bytes;
	let transaction = UncheckedExtrinsic::decode(&mut rest).expect("a transaction");
	assert!(rest.is_empty());
	transaction
}

#[test]
fn wallets_know_every_extension_but_one_that_carries_nothing() {
	with_alice(|| {
		let metadata = metadata_14();
		let names: Vec<String> = metadata
			.extrinsic()
			.transaction_extensions_to_use_for_encoding()
			.map(|extension| extension.identifier().to_string())
			.collect();
		let unknown: Vec<&String> = names.iter().filter(|name| known(name, 0).is_none()).collect();
		assert_eq!(unknown, ["AuthorizeCall"]);
		assert!(RefuseFiltered::<Runtime>::new().encode().is_empty());
		assert!(metadata.extrinsic().supported_versions().contains(&4));
	});
}

#[test]
fn a_signed_transaction_of_version_4_is_taken_and_reads_back_to_the_same_bytes() {
	with_alice(|| {
		let bytes = version_4(&transfer(), 0);
		let transaction = read(&bytes);
		assert_eq!(transaction.encode(), bytes);
		let genesis = System::block_hash(0);
		assert_ok!(Executive::validate_transaction(
			TransactionSource::External,
			transaction.clone(),
			genesis
		));
		assert_ok!(Executive::apply_extrinsic(transaction).expect("it is valid"));
		assert_eq!(Balances::free_balance(Bob.to_account_id()), AIT);
		// The next one, and not the same again.
		assert_eq!(Executive::apply_extrinsic(read(&bytes)), Err(InvalidTransaction::Stale.into()));
		assert_ok!(Executive::apply_extrinsic(read(&version_4(&transfer(), 1))).expect("valid"));
	});
}

#[test]
fn what_the_runtimes_own_type_signs_is_of_version_4() {
	with_alice(|| {
		let bytes = signed(CheckMetadataHash::new(false), CheckMetadataHash::new(false)).encode();
		let body = Vec::<u8>::decode(&mut bytes.as_slice()).expect("bytes");
		assert_eq!(body.first(), Some(&0x84));
	});
}

fn extension(hash: CheckMetadataHash<Runtime>) -> TxExtension {
	(
		RefuseFiltered::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckMortality::from(Era::Immortal),
		frame_system::CheckNonce::from(0),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(0).into(),
		hash,
		frame_system::WeightReclaim::new(),
	)
}

/// A transfer of Alice, who signs one hash of the metadata, for a runtime that has another.
fn signed(
	signs: CheckMetadataHash<Runtime>,
	has: CheckMetadataHash<Runtime>,
) -> UncheckedExtrinsic {
	let payload = SignedPayload::new(transfer(), extension(signs)).expect("it has a hash");
	let signature: Signature = payload.using_encoded(|bytes| Alice.sign(bytes)).into();
	let address = MultiAddress::Id(Alice.to_account_id());
	UncheckedExtrinsic::new_signed(transfer(), address, signature, extension(has))
}

/// Checks and validates as the runtime does, but not of bytes again: they hold no hash.
fn validate(transaction: UncheckedExtrinsic) -> Result<(), TransactionValidityError> {
	let info = transaction.get_dispatch_info();
	let length = transaction.encoded_size();
	let checked = transaction.check(&frame_system::ChainContext::<Runtime>::default())?;
	checked.validate::<Runtime>(TransactionSource::External, &info, length).map(|_| ())
}

#[test]
fn a_runtime_that_has_the_hash_of_its_metadata_takes_it_and_no_other() {
	with_alice(|| {
		let hash = |number: u8| CheckMetadataHash::new_with_custom_hash([number; 32]);
		assert_eq!(validate(signed(hash(1), hash(1))), Ok(()));
		assert_eq!(validate(signed(hash(2), hash(1))), Err(InvalidTransaction::BadProof.into()));
		// Over the wire goes the mode alone: which hash it is, the runtime knows from its build.
		let mode = |check: CheckMetadataHash<Runtime>| check.encode();
		assert_eq!(mode(hash(1)), [1]);
		assert_eq!(mode(CheckMetadataHash::new(false)), [0]);
		// What comes over the wire is checked against the runtime's own.
		let there = read(&signed(hash(1), hash(1)).encode());
		assert_eq!(validate(there), Err(InvalidTransaction::BadProof.into()));
		let own = CheckMetadataHash::<Runtime>::new(true);
		let signed_own = signed(own.clone(), own);
		assert_eq!(validate(read(&signed_own.encode())), Ok(()));
	});
}

/// The hash of this runtime's metadata as wallets compute it (RFC 78 of the Polkadot fellowship): of
/// the metadata of version 15, and what a wallet shows amounts and addresses with.
fn hash_of_metadata() -> [u8; 32] {
	let bytes = Runtime::metadata_at_version(15).expect("it is offered");
	let prefixed = RuntimeMetadataPrefixed::decode(&mut bytes.as_slice()).expect("metadata");
	let shown = ExtraInfo {
		spec_version: VERSION.spec_version,
		spec_name: VERSION.spec_name.to_string(),
		base58_prefix: <Runtime as frame_system::Config>::SS58Prefix::get(),
		decimals: 18,
		token_symbol: "AIT".to_string(),
	};
	generate_metadata_digest(&prefixed.1, shown).expect("it can be digested").hash()
}

#[test]
fn the_hash_of_the_metadata_is_the_one_compiled_in() {
	with_alice(|| {
		let compiled_in = CheckMetadataHash::<Runtime>::new(true).implicit();
		let hash = hash_of_metadata();
		assert_eq!(
			compiled_in,
			Ok(Some(hash)),
			"the metadata has changed: hardware wallets would refuse this runtime. Write this line into \
			 .cargo/config.toml, below [env], in place of the one that is there:\n\
			 RUNTIME_METADATA_HASH = \"{}\"",
			sp_core::bytes::to_hex(&hash, false)
		);
	});
}
