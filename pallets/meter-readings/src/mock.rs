//! A runtime with KWH, a clock that tests can set, and this pallet; an organisation, an owner,
//! devices.

use crate::{self as pallet_meter_readings, *};
use codec::Encode;
use frame_support::{
	assert_ok, derive_impl, parameter_types,
	traits::{ConstU32, ConstU64, ConstU128, Time, fungible, fungibles},
};
use frame_system::EnsureRoot;
use gridproof_primitives::{
	H256,
	crypto::ed25519::PublicKey,
	crypto::merkle,
	energy::{
		BatchHeader, BatchRefusal, Direction, MeterIndex, MeterName, OwnerConsent, Registers,
		SealId, SerialNumber, SignedBatch, Trust, possession_payload,
	},
	num::units::KWH_ASSET_ID,
};
use sp_core::{Pair as _, ed25519, sr25519};
use sp_runtime::{
	AccountId32, BuildStorage, DispatchError, MultiSignature,
	traits::{Dispatchable, IdentityLookup},
};

pub(crate) type AccountId = AccountId32;
pub(crate) type Extension = frame_system::AuthorizeCall<Test>;
pub(crate) type Header = sp_runtime::generic::Header<u64, sp_runtime::traits::BlakeTwo256>;
pub(crate) type Extrinsic =
	sp_runtime::generic::UncheckedExtrinsic<AccountId, RuntimeCall, MultiSignature, (Extension,)>;
pub(crate) type Block = sp_runtime::generic::Block<Header, Extrinsic>;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system::Pallet<Test>;

	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances::Pallet<Test>;

	#[runtime::pallet_index(2)]
	pub type Assets = pallet_assets::Pallet<Test>;

	#[runtime::pallet_index(3)]
	pub type MeterReadings = pallet_meter_readings::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId;
	type Lookup = IdentityLookup<AccountId>;
	type AccountData = pallet_balances::AccountData<u128>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type Balance = u128;
	type ExistentialDeposit = ConstU128<10>;
}

#[derive_impl(pallet_assets::config_preludes::TestDefaultConfig)]
impl pallet_assets::Config for Test {
	type Balance = u128;
	type AssetId = u32;
	type AssetIdParameter = u32;
	type Currency = Balances;
	type CreateOrigin =
		frame_support::traits::AsEnsureOriginWithArg<frame_system::EnsureSigned<AccountId>>;
	type ForceOrigin = EnsureRoot<AccountId>;
}

parameter_types! {
	pub static Now: u64 = 0;
}

impl Time for Now {
	type Moment = u64;
	fn now() -> u64 {
		Self::get()
	}
}

/// Derives an account from both; the runtime uses `pallet_multisig`.
pub struct OneOfTwo;

impl EnergyAccounts<AccountId> for OneOfTwo {
	fn device_account(device: &PublicKey) -> AccountId {
		AccountId::from(*device)
	}

	fn energy_account(owner: &AccountId, device: &PublicKey) -> AccountId {
		let mut both = [owner.clone(), AccountId::from(*device)];
		both.sort();
		AccountId::from(both.using_encoded(sp_io::hashing::blake2_256))
	}
}

/// Deposit for an organisation.
pub(crate) const ORGANISATION_DEPOSIT: u128 = 1_000;
/// Deposit for a member.
pub(crate) const MEMBER_DEPOSIT: u128 = 70;
/// Deposit for a meter.
pub(crate) const METER_DEPOSIT: u128 = 300;
/// Part of it that stays for tombstones.
pub(crate) const TOMBSTONE_DEPOSIT: u128 = 20;
/// Native tokens of each account.
pub(crate) const NATIVE: u128 = 10_000;
/// Number of headers that are kept.
pub(crate) const MAX_RECENT: u32 = 8;

frame_support::ord_parameter_types! {
	pub const Guard: AccountId = account(99);
}

impl Config for Test {
	type Time = Now;
	type Fungibles = Assets;
	type Kwh = ConstU32<KWH_ASSET_ID>;
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type OwnerSignature = MultiSignature;
	type EnergyAccounts = OneOfTwo;
	type GovernanceOrigin = EnsureRoot<AccountId>;
	type PauseOrigin = frame_system::EnsureSignedBy<Guard, AccountId>;
	type OrganisationDeposit = ConstU128<ORGANISATION_DEPOSIT>;
	type MemberDeposit = ConstU128<MEMBER_DEPOSIT>;
	type MeterDeposit = ConstU128<METER_DEPOSIT>;
	type TombstoneDeposit = ConstU128<TOMBSTONE_DEPOSIT>;
	type MaxMembers = ConstU32<3>;
	type MaxRecorders = ConstU32<2>;
	type MaxBatchesPerCall = ConstU32<20>;
	type MaxRecent = ConstU32<MAX_RECENT>;
	type MaxChain = ConstU32<16>;
	type SubmissionLongevity = ConstU64<64>;
	type SubmissionPriority = ConstU64<1_000>;
	type WeightInfo = ();
}

/// Returns an account without a key.
pub(crate) fn account(number: u8) -> AccountId {
	AccountId::from([number; 32])
}

/// Returns the admin of the tests' organisation.
pub(crate) fn admin() -> AccountId {
	account(1)
}

/// Returns the electrician of the tests.
pub(crate) fn electrician() -> AccountId {
	account(2)
}

/// Returns the key of the tests' owner.
pub(crate) fn owner_pair() -> sr25519::Pair {
	sr25519::Pair::from_seed(&[77; 32])
}

/// Returns the owner of the tests.
pub(crate) fn owner() -> AccountId {
	owner_pair().public().into()
}

/// Returns the key of a device.
pub(crate) fn device(number: u8) -> ed25519::Pair {
	ed25519::Pair::from_seed(&[number; 32])
}

/// Time at which the tests begin: 2026-01-15, noon, in UTC milliseconds.
pub(crate) const NOON: u64 = 1_768_478_400_000;
/// A quarter of an hour, in ms.
pub(crate) const QUARTER: u64 = 900_000;

pub(crate) fn genesis() -> H256 {
	System::block_hash(0)
}

pub(crate) fn name(number: u8) -> MeterName {
	MeterName::new("PLANT-01", "gw-1", &format!("MTR-{number}")).unwrap()
}

/// Returns the serial number of the meter of device `number`.
pub(crate) fn serial(number: u8) -> SerialNumber {
	format!("ACME-{number}").into_bytes().try_into().unwrap()
}

/// Returns its first seal.
pub(crate) fn seal_of(number: u8) -> SealId {
	format!("S-1-{number}").into_bytes().try_into().unwrap()
}

/// Returns the certification of device `number`: a two-way meter of 10 kW.
pub(crate) fn certification(number: u8) -> Certification<AccountId> {
	Certification {
		name: name(number),
		device: device(number).public().0,
		owner: owner(),
		rated_power_w: 10_000,
		direction: Direction::Both,
		point: None,
		trust: Trust::Device,
		serial: serial(number),
		seal: seal_of(number),
		registers: Registers { import_wh: 1_000, export_wh: 500 },
		since_ms: NOON - 96 * QUARTER,
		valid_until_ms: NOON + QUARTER,
	}
}

/// Returns the consent that a certification needs, for a chain.
pub(crate) fn consent_payload(
	certification: &Certification<AccountId>,
	organisation: u32,
	genesis: &H256,
) -> Vec<u8> {
	OwnerConsent { organisation, certification: certification.clone() }.signing_payload(genesis)
}

/// Returns the proof that this device serves the meter of a certification.
pub(crate) fn possession(
	device: &ed25519::Pair,
	certification: &Certification<AccountId>,
) -> [u8; 64] {
	let Certification { name, owner, .. } = certification;
	device.sign(&possession_payload(&genesis(), name, owner)).0
}

/// Returns the proof of whichever of the tests' devices has this key; nonsense if none has.
pub(crate) fn possession_of(certification: &Certification<AccountId>) -> [u8; 64] {
	let pair = (1..=40).map(device).find(|pair| pair.public().0 == certification.device);
	pair.map_or([0; 64], |pair| possession(&pair, certification))
}

/// Returns the owner's signature of it.
pub(crate) fn consent(certification: &Certification<AccountId>) -> Box<MultiSignature> {
	let payload = consent_payload(certification, 0, &genesis());
	Box::new(owner_pair().sign(&payload).into())
}

pub(crate) fn certify_as(
	who: AccountId,
	certification: Certification<AccountId>,
) -> Result<(), DispatchError> {
	let consent = consent(&certification);
	let possession = possession_of(&certification);
	let origin = RuntimeOrigin::signed(who);
	MeterReadings::certify_meter(origin, 0, Box::new(certification), consent, possession)
}

/// Certifies the meter of device `number`; returns its index.
pub(crate) fn certify(number: u8) -> MeterIndex {
	let index = NextMeter::<Test>::get();
	assert_ok!(certify_as(electrician(), certification(number)));
	index
}

/// Returns the readings of a batch of the tests.
pub(crate) fn leaves(count: u32) -> Vec<Vec<u8>> {
	(0..count).map(|number| format!("{{\"reading\":{number}}}").into_bytes()).collect()
}

/// Returns the root of those readings.
pub(crate) fn root(count: u32) -> H256 {
	let hashes: Vec<_> = leaves(count).iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
	merkle::root(&hashes)
}

/// Returns the header of a meter that follows `after`: one quarter later, with so many Wh in and
/// out.
pub(crate) fn header_after(
	meter: MeterIndex,
	after: Option<&BatchHeader>,
	import_wh: u64,
	export_wh: u64,
) -> BatchHeader {
	let state = Meters::<Test>::get(meter).map(|row| row.state);
	let (sequence, previous, start_ms, opening) = match (after, state) {
		(Some(last), _) => (last.sequence + 1, last.hash(), last.end_ms, last.closing),
		(None, Some(state)) => {
			(state.next_sequence, state.last_hash, state.last_end_ms, state.registers)
		},
		(None, None) => (0, H256::zero(), NOON - 96 * QUARTER, Registers::default()),
	};
	let closing = Registers {
		import_wh: opening.import_wh + import_wh,
		export_wh: opening.export_wh + export_wh,
	};
	BatchHeader {
		meter,
		sequence,
		previous,
		start_ms,
		end_ms: start_ms + QUARTER,
		opening,
		closing,
		readings: 3,
		root: root(3),
		cid: None,
	}
}

/// Returns the next header of a meter, with so many Wh in and out.
pub(crate) fn header(meter: MeterIndex, import_wh: u64, export_wh: u64) -> BatchHeader {
	header_after(meter, None, import_wh, export_wh)
}

/// Returns the header signed by a device.
pub(crate) fn signed_by(device: &ed25519::Pair, header: &BatchHeader) -> SignedBatch {
	let signature = device.sign(&header.signing_payload(&genesis())).0;
	SignedBatch { header: header.clone(), signature }
}

/// Returns the header signed by the device that the tests give the meter: that of index + 1.
pub(crate) fn sign(header: &BatchHeader) -> SignedBatch {
	signed_by(&device(u8::try_from(header.meter).unwrap() + 1), header)
}

pub(crate) fn batches(list: &[SignedBatch]) -> BatchesOf<Test> {
	list.to_vec().try_into().unwrap()
}

/// Submits as an ordinary account.
pub(crate) fn submit(list: &[SignedBatch]) -> Result<(), DispatchError> {
	MeterReadings::submit_batches(RuntimeOrigin::signed(account(50)), batches(list))
		.map(|_| ())
		.map_err(|error| error.error)
}

/// Returns what governance answers.
pub(crate) fn as_governance(call: Call<Test>) -> Result<(), DispatchError> {
	RuntimeCall::MeterReadings(call)
		.dispatch(RuntimeOrigin::root())
		.map(|_| ())
		.map_err(|error| error.error)
}

/// Submits one batch and expects it to be accepted.
pub(crate) fn accept(batch: &SignedBatch) {
	let before = outcomes().len();
	assert_ok!(submit(core::slice::from_ref(batch)));
	assert_eq!(outcomes()[before..], [Ok(batch.header.sequence)]);
}

/// Returns the next batches of a meter, one after the other, each exporting so many Wh.
pub(crate) fn accept_many(meter: MeterIndex, count: u32, export_wh: u64) -> Vec<BatchHeader> {
	(0..count)
		.map(|_| {
			let header = header(meter, 0, export_wh);
			accept(&sign(&header));
			header
		})
		.collect()
}

/// Returns the outcome of each batch so far: its number, or the refusal.
pub(crate) fn outcomes() -> Vec<Result<u64, BatchRefusal>> {
	events()
		.into_iter()
		.filter_map(|event| match event {
			Event::BatchAccepted { sequence, .. } => Some(Ok(sequence)),
			Event::BatchRefused { reason, .. } => Some(Err(reason)),
			_ => None,
		})
		.collect()
}

/// Submits one batch and returns its refusal.
pub(crate) fn refusal(batch: &SignedBatch) -> BatchRefusal {
	let (before, state) = (outcomes().len(), issuance());
	assert_ok!(submit(core::slice::from_ref(batch)));
	let outcomes = outcomes();
	assert_eq!(outcomes.len(), before + 1);
	assert_eq!(issuance(), state, "a refused batch mints nothing");
	outcomes[before].expect_err("it is refused")
}

/// Returns the KWH of an account, in Wh.
pub(crate) fn kwh(who: &AccountId) -> u128 {
	<Assets as fungibles::Inspect<AccountId>>::balance(KWH_ASSET_ID, who)
}

/// Returns the issuance of KWH, in Wh.
pub(crate) fn issuance() -> u128 {
	<Assets as fungibles::Inspect<AccountId>>::total_issuance(KWH_ASSET_ID)
}

/// Returns the energy account of a meter.
pub(crate) fn energy_account(meter: MeterIndex) -> AccountId {
	Meters::<Test>::get(meter).unwrap().energy_account
}

/// Returns what is on hold of an account, for all reasons.
pub(crate) fn on_hold(who: &AccountId) -> u128 {
	<Balances as fungible::hold::Inspect<AccountId>>::total_balance_on_hold(who)
}

/// Returns what an account can spend.
pub(crate) fn free(who: &AccountId) -> u128 {
	Balances::free_balance(who)
}

/// Dispatches a call of an account.
pub(crate) fn dispatch(call: Call<Test>, who: AccountId) -> Result<(), DispatchError> {
	RuntimeCall::MeterReadings(call)
		.dispatch(RuntimeOrigin::signed(who))
		.map(|_| ())
		.map_err(|error| error.error)
}

pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
	let accounts: Vec<_> = (1..=9).map(account).chain([owner()]).collect();
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: accounts.into_iter().map(|who| (who, NATIVE)).collect(),
			..Default::default()
		},
		assets: pallet_assets::GenesisConfig {
			assets: vec![(KWH_ASSET_ID, account(90), true, 1)],
			..Default::default()
		},
		meter_readings: GenesisConfig {
			organisations: vec![("Volt & Co".into(), admin(), vec![electrician()])],
			recorders: vec![account(8)],
		},
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
	ext.execute_with(|| {
		System::set_block_number(1);
		Now::set(NOON);
	});
	ext
}

/// Runs a test, then checks every invariant.
pub(crate) fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		MeterReadings::do_try_state().expect("an invariant is broken");
	});
}

/// Returns the events of this pallet so far.
pub(crate) fn events() -> Vec<Event<Test>> {
	System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::MeterReadings(event) => Some(event),
			_ => None,
		})
		.collect()
}

/// Returns the last event of this pallet.
pub(crate) fn last_event() -> Event<Test> {
	events().pop().expect("there is an event")
}
