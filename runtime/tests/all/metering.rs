//! Meter readings on the whole runtime: in blocks, with the pool's checks, and the accounts that
//! energy belongs to.

use codec::Encode;
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{DispatchClass, GetDispatchInfo},
	traits::fungibles::{Inspect, Mutate},
};
use gridproof_primitives::energy::{
	BatchHeader, BatchRefusal, Direction, MAX_BATCHES_PER_CALL, MeterName, Registers, SignedBatch,
	Trust, possession_payload,
};
use gridproof_runtime::{
	AccountId, Assets, Balances, BuildStorage, Executive, Header, MeterReadings, Multisig, Runtime,
	RuntimeCall, RuntimeGenesisConfig, RuntimeOrigin, System, TxExtension, UncheckedExtrinsic,
	Utility,
	constants::{KWH, RuntimeBlockWeights},
	genesis_presets::{DEVELOPMENT, get_preset},
};
use pallet_meter_readings::{Call, Certification, Error, Limits, OrganisationStanding};
use sp_core::{H256, Pair, ed25519};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie};
use sp_runtime::{
	Digest, DigestItem, DispatchError, MultiAddress, MultiSignature,
	generic::Era,
	traits::{Dispatchable, Header as _},
	transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
};

/// 2026-01-15, noon.
const NOON: u64 = 1_768_478_400_000;
const QUARTER: u64 = 900_000;

/// The development chain at noon.
fn development(test: impl FnOnce()) {
	let patch = get_preset(&DEVELOPMENT.into()).expect("the preset exists");
	let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("serialises");
	let patch: serde_json::Value = serde_json::from_slice(&patch).expect("the preset is JSON");
	for (pallet, settings) in patch.as_object().expect("an object") {
		for (name, value) in settings.as_object().expect("an object") {
			config[pallet][name] = value.clone();
		}
	}
	let config: RuntimeGenesisConfig = serde_json::from_value(config).expect("a configuration");
	let mut ext: sp_io::TestExternalities = config.build_storage().expect("it builds").into();
	ext.execute_with(|| {
		System::set_block_number(1);
		pallet_timestamp::Now::<Runtime>::put(NOON);
		test();
	});
}

fn device(number: u32) -> ed25519::Pair {
	let mut seed = [7; 32];
	seed[..4].copy_from_slice(&number.to_le_bytes());
	ed25519::Pair::from_seed(&seed)
}

/// Alice certifies the meter of device `number` for Bob.
fn certify(number: u32) {
	let name = MeterName::new("PLANT-01", "gw-1", &format!("MTR-{number}")).expect("a name");
	let (pair, owner) = (device(number), Bob.to_account_id());
	let (organisation, valid_until_ms) = (0, NOON + QUARTER);
	let genesis = System::block_hash(0);
	let possession = pair.sign(&possession_payload(&genesis, &name, &owner)).0;
	let numbered = |letter: &str| format!("{letter}-{number}").into_bytes();
	let certification = Certification {
		name,
		device: pair.public().0,
		owner,
		rated_power_w: 10_000,
		direction: Direction::Both,
		point: None,
		trust: Trust::Device,
		serial: numbered("ACME").try_into().expect("short"),
		seal: numbered("S").try_into().expect("short"),
		registers: Registers::default(),
		since_ms: NOON - 96 * QUARTER,
		valid_until_ms,
	};
	let signature = Bob.sign(&certification.consent(organisation).signing_payload(&genesis));
	assert_ok!(MeterReadings::certify_meter(
		RuntimeOrigin::signed(Alice.to_account_id()),
		organisation,
		Box::new(certification),
		Box::new(MultiSignature::Sr25519(signature)),
		possession,
	));
}

/// The first batch of a meter: 100 Wh exported.
fn batch(meter: u32) -> SignedBatch {
	let header = BatchHeader {
		meter,
		sequence: 0,
		previous: H256::zero(),
		start_ms: NOON - 2 * QUARTER,
		end_ms: NOON - QUARTER,
		opening: Registers::default(),
		closing: Registers { import_wh: 0, export_wh: 100 },
		readings: 15,
		root: H256::repeat_byte(1),
		cid: None,
	};
	let signature = device(meter).sign(&header.signing_payload(&System::block_hash(0))).0;
	SignedBatch { header, signature }
}

fn call(batches: Vec<SignedBatch>) -> RuntimeCall {
	Call::submit_batches { batches: batches.try_into().expect("as many as fit") }.into()
}

/// A transaction without a signer.
fn general(batches: Vec<SignedBatch>) -> UncheckedExtrinsic {
	let extension: TxExtension = (
		pallet_free_calls::RefuseFiltered::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckMortality::from(Era::Immortal),
		frame_system::CheckNonce::from(0),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(0).into(),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	);
	UncheckedExtrinsic::new_transaction(call(batches), extension)
}

/// Begins the next block, at noon.
fn begin_block() {
	let slot = sp_consensus_aura::Slot::from(NOON / 1_000);
	let digest = Digest {
		logs: vec![DigestItem::PreRuntime(sp_consensus_aura::AURA_ENGINE_ID, slot.encode())],
	};
	System::set_block_number(0);
	pallet_timestamp::Now::<Runtime>::put(NOON - 1_000);
	let header =
		Header::new(1, Default::default(), Default::default(), System::block_hash(0), digest);
	Executive::initialize_block(&header);
	let now = pallet_timestamp::Call::set { now: NOON };
	assert_eq!(Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(now.into())), Ok(Ok(())));
}

fn kwh(who: &AccountId) -> u128 {
	<Assets as Inspect<AccountId>>::balance(KWH, who)
}

/// The account of owner Bob and the device of meter `number`.
fn energy_account(number: u32) -> AccountId {
	let mut both = [Bob.to_account_id(), AccountId::from(device(number).public().0)];
	both.sort();
	Multisig::multi_account_id(&both, 1)
}

#[test]
fn half_of_a_block_takes_four_hundred_batches_of_four_hundred_meters() {
	development(|| {
		for meter in 0..1_500 {
			certify(meter);
			// They have delivered before: opening an account is done once.
			assert_ok!(<Assets as Mutate<AccountId>>::mint_into(KWH, &energy_account(meter), 1));
		}
		let batches: Vec<_> = (0..1_500).map(batch).collect();
		begin_block();
		let mut included = 0;
		// A call is let in by the weight of its worst case, and charged what it took: towards the
		// block's end smaller ones fit.
		for size in [100, 20] {
			for part in batches[included..].to_vec().chunks(size) {
				match Executive::apply_extrinsic(general(part.to_vec())) {
					Ok(result) => assert_eq!(result, Ok(())),
					Err(refused) => {
						let full = InvalidTransaction::ExhaustsResources;
						assert_eq!(refused, TransactionValidityError::Invalid(full));
						break;
					},
				}
				included += part.len();
			}
		}
		println!("batches in a block: {included}");
		// Free calls leave the other half to those that pay.
		assert!(included >= 400, "only {included} batches fit into a block");
		assert_eq!(
			<Assets as Inspect<AccountId>>::total_issuance(KWH),
			included as u128 * 100 + 1_500
		);
	});
}

#[test]
fn the_largest_call_fits_into_a_block() {
	development(|| {
		for meter in 0..MAX_BATCHES_PER_CALL {
			certify(meter);
		}
		let batches: Vec<_> = (0..MAX_BATCHES_PER_CALL).map(batch).collect();
		let declared = general(batches.clone()).get_dispatch_info().total_weight();
		let most = RuntimeBlockWeights::get().get(DispatchClass::Normal).max_extrinsic;
		assert!(declared.all_lte(most.expect("there is a limit")), "{declared:?}");
		begin_block();
		assert_eq!(Executive::apply_extrinsic(general(batches)), Ok(Ok(())));
		assert_eq!(MeterReadings::overview().batches, u64::from(MAX_BATCHES_PER_CALL));
	});
}

#[test]
fn a_transaction_without_a_signer_is_free_and_makes_no_account_but_the_energys() {
	development(|| {
		certify(0);
		let before = frame_system::Account::<Runtime>::iter().count();
		let issuance = Balances::total_issuance();
		let validity = Executive::validate_transaction(
			TransactionSource::External,
			general(vec![batch(0)]),
			System::block_hash(0),
		)
		.expect("it is valid");
		assert_eq!(validity.provides.len(), 1);
		begin_block();
		assert_eq!(Executive::apply_extrinsic(general(vec![batch(0)])), Ok(Ok(())));
		assert_eq!(kwh(&energy_account(0)), 100);
		assert_eq!(frame_system::Account::<Runtime>::iter().count(), before + 1);
		assert_eq!(Balances::total_issuance(), issuance);
		// Once more, it is refused with the reason's code.
		let used = BatchRefusal::SequenceUsed { expected: 1 }.code();
		let refused = TransactionValidityError::Invalid(InvalidTransaction::Custom(used));
		assert_eq!(Executive::apply_extrinsic(general(vec![batch(0)])), Err(refused));
	});
}

#[test]
fn owner_or_device_alone_spends_the_energy() {
	development(|| {
		certify(0);
		begin_block();
		assert_eq!(Executive::apply_extrinsic(general(vec![batch(0)])), Ok(Ok(())));
		let account = energy_account(0);
		let to = Charlie.to_account_id();
		let transfer = |amount| {
			let target = MultiAddress::Id(to.clone());
			let call = pallet_assets::Call::transfer { id: KWH.into(), target, amount };
			Box::new(RuntimeCall::from(call))
		};
		let (owner, device) = (Bob.to_account_id(), AccountId::from(device(0).public().0));
		for (who, other, amount) in [(&owner, &device, 30), (&device, &owner, 70)] {
			assert_ok!(Multisig::as_multi_threshold_1(
				RuntimeOrigin::signed(who.clone()),
				vec![other.clone()],
				transfer(amount),
			));
		}
		assert_eq!((kwh(&account), kwh(&to)), (0, 100));
		// A third one derives another account.
		let stranger = RuntimeOrigin::signed(Charlie.to_account_id());
		let stolen = Multisig::as_multi_threshold_1(stranger, vec![owner], transfer(1));
		let nothing = pallet_assets::Error::<Runtime>::NoAccount;
		assert_eq!(stolen.map_err(|error| error.error), Err(nothing.into()));
	});
}

#[test]
fn no_wrapper_gets_round_an_origin() {
	development(|| {
		certify(0);
		let bob = || RuntimeOrigin::signed(Bob.to_account_id());
		let forbidden: Vec<RuntimeCall> = vec![
			Call::set_limits { limits: Limits { block_wh: 0, ..Limits::default() } }.into(),
			Call::set_organisation_standing {
				organisation: 0,
				standing: OrganisationStanding::Revoked,
			}
			.into(),
			Call::set_recorder { who: Bob.to_account_id(), appointed: true }.into(),
			Call::resume {}.into(),
		];
		for call in forbidden {
			assert_noop!(
				Utility::batch_all(bob(), vec![call.clone()]).map_err(|error| error.error),
				DispatchError::BadOrigin
			);
			assert_noop!(
				Utility::as_derivative(bob(), 0, Box::new(call)).map_err(|error| error.error),
				DispatchError::BadOrigin
			);
		}
		// A derived account of a member is not a member.
		let suspend: RuntimeCall = Call::suspend_meter {
			meter: 0,
			reason: gridproof_primitives::energy::Suspension::LostKey,
		}
		.into();
		let alice = RuntimeOrigin::signed(Alice.to_account_id());
		assert_noop!(
			Utility::as_derivative(alice, 0, Box::new(suspend)).map_err(|error| error.error),
			Error::<Runtime>::NotAuthorized
		);
	});
}

#[test]
fn not_even_root_mints_what_no_device_signed() {
	development(|| {
		certify(0);
		let mut forged = batch(0);
		forged.header.closing.export_wh = 2_000;
		let origin = Box::new(frame_system::RawOrigin::Authorized.into());
		assert_ok!(Utility::dispatch_as(
			RuntimeOrigin::root(),
			origin,
			Box::new(call(vec![forged]))
		));
		assert_eq!(<Assets as Inspect<AccountId>>::total_issuance(KWH), 0);
		let mint = pallet_assets::Call::mint {
			id: KWH.into(),
			beneficiary: MultiAddress::Id(Bob.to_account_id()),
			amount: 1,
		};
		let mint = RuntimeCall::from(mint).dispatch(RuntimeOrigin::root());
		assert_eq!(mint.map_err(|error| error.error), Err(DispatchError::BadOrigin));
	});
}
