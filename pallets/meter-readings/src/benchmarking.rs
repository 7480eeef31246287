//! Worst cases: batches of different meters of different organisations, full rings, the longest
//! names, readings, proofs and chains of headers, full lists.

use super::*;
use crate::Pallet as MeterReadings;
use alloc::{boxed::Box, vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
	BoundedVec,
	pallet_prelude::*,
	traits::{Authorize, fungible::Mutate as _, fungibles::Mutate as _},
};
use frame_system::RawOrigin;
use gridproof_primitives::{
	H256,
	codec::cid::Cid,
	crypto::ed25519::PublicKey,
	crypto::merkle,
	energy::{
		AnchorState, BatchHeader, BatchLimits, BatchRecord, Certificate, Direction,
		ExchangeConsent, MeterIndex, MeterName, MeterState, NamePart, OwnerConsent, PointId,
		Registers, SealId, SerialNumber, SignedBatch, Suspension, Trust, possession_payload,
	},
};
use sp_core::{crypto::KeyTypeId, sr25519};
use sp_io::crypto::{ed25519_generate, ed25519_sign, sr25519_generate, sr25519_sign};
use sp_runtime::traits::Bounded;

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"grid");
/// Begin of a batch, in UTC milliseconds: the clock of a benchmark is at its start.
const END_MS: u64 = 60_000;

/// Returns an account with native tokens for any deposit.
fn rich<T: Config>(index: u32) -> T::AccountId {
	let who = account("electrician", index, 0);
	let plenty = BalanceOf::<T>::max_value() / 1_000_000u32.into();
	T::Currency::set_balance(&who, plenty);
	who
}

/// Returns the longest possible name, a different one for each number.
fn long_name(number: u32) -> MeterName {
	let mut part = vec![b'x'; 64];
	let digits =
		number.to_be_bytes().into_iter().flat_map(|byte| [b'a' + (byte >> 4), b'a' + (byte & 15)]);
	for (place, digit) in part.iter_mut().zip(digits) {
		*place = digit;
	}
	let part = NamePart::truncate_from(part);
	MeterName { site: part.clone(), device: part.clone(), meter: part }
}

/// Returns the longest possible seal, a different one for each number.
fn long_seal(number: u32) -> SealId {
	SealId::truncate_from(long_name(number).site.to_vec())
}

/// Returns the longest possible serial number, a different one for each number.
fn long_serial(number: u32) -> SerialNumber {
	SerialNumber::truncate_from(long_name(number).site.to_vec())
}

/// Returns the proof that the keystore's device serves a meter.
fn possession<T: Config>(
	device: PublicKey,
	name: &MeterName,
	owner: &T::AccountId,
) -> Result<[u8; 64], BenchmarkError> {
	let payload = possession_payload(&MeterReadings::<T>::genesis(), name, owner);
	let signature = ed25519_sign(KEY_TYPE, &device.into(), &payload);
	Ok(signature.ok_or("the keystore has the key")?.0)
}

/// Adds an admitted organisation with this member, and holds its admin's deposit.
fn organisation<T: Config>(member: &T::AccountId) -> Result<OrganisationIndex, BenchmarkError> {
	use frame_support::traits::fungible::hold::Mutate as _;
	let index = NextOrganisation::<T>::get();
	NextOrganisation::<T>::put(index + 1);
	let admin = rich::<T>(1_000_000 + index);
	let deposit = T::OrganisationDeposit::get();
	T::Currency::hold(&HoldReason::Organisation.into(), &admin, deposit)?;
	let name = OrganisationName::truncate_from(long_name(index).site.to_vec());
	OrganisationNames::<T>::insert(crate::organisations::name_mark(&name), index);
	let row = Organisation {
		name,
		depositor: admin.clone(),
		admin: admin.clone(),
		standing: OrganisationStanding::Admitted,
		admitted_ms: 0,
		members: 1,
		meters: 0,
		deposit,
	};
	Organisations::<T>::insert(index, row);
	let paid = Deposit { who: admin, amount: BalanceOf::<T>::default() };
	Members::<T>::insert(index, member, paid);
	Ok(index)
}

/// Returns the header of a meter's batch with this number.
fn header(meter: MeterIndex, sequence: u64, previous: H256) -> BatchHeader {
	BatchHeader {
		meter,
		sequence,
		previous,
		start_ms: 0,
		end_ms: END_MS,
		opening: Registers { import_wh: 1, export_wh: 1 },
		closing: Registers { import_wh: 2, export_wh: 1_001 },
		readings: 10_000,
		root: H256::repeat_byte(3),
		cid: Some(Cid::of(b"content")),
	}
}

/// Adds a meter in service with `kept` batches and anchors in its rings.
fn meter<T: Config>(
	organisation: OrganisationIndex,
	electrician: &T::AccountId,
	owner: T::AccountId,
	kept: u32,
) -> Result<(MeterIndex, PublicKey), BenchmarkError> {
	use frame_support::traits::fungible::hold::Mutate as _;
	let index = NextMeter::<T>::get();
	NextMeter::<T>::put(index + 1);
	let device = ed25519_generate(KEY_TYPE, None).0;
	let deposit = T::MeterDeposit::get();
	T::Currency::hold(&HoldReason::Meter.into(), electrician, deposit)?;
	let opening = header(index, 0, H256::zero()).opening;
	let mut state = MeterState::new(u32::MAX, Direction::Both, opening, 0);
	(state.next_sequence, state.last_hash) = (kept.into(), H256::repeat_byte(1));
	let energy_account = T::EnergyAccounts::energy_account(&owner, &device);
	let totals = Default::default();
	let row = Meter {
		state,
		device,
		energy_account,
		organisation,
		suspended: None,
		mints: true,
		minted_today: Default::default(),
		free_batches: Default::default(),
		totals,
	};
	Meters::<T>::insert(index, row);
	let certificate = Certificate {
		name: long_name(index),
		device,
		owner,
		organisation,
		electrician: electrician.clone(),
		rated_power_w: u32::MAX,
		direction: Direction::Both,
		trust: Trust::Device,
		serial: long_serial(index),
		seal: long_seal(index),
	};
	MeterReadings::<T>::take_marks(index, crate::identity::marks_of(&certificate, None));
	MeterNames::<T>::insert(&certificate.name, index);
	DeviceKeys::<T>::insert(device, index);
	let certified = Certified {
		certificate,
		certified_ms: 0,
		consent_until_ms: 0,
		depositor: electrician.clone(),
		deposit,
	};
	Certificates::<T>::insert(index, certified);
	Organisations::<T>::mutate(organisation, |row| {
		if let Some(row) = row {
			row.meters += 1;
		}
	});
	SumsOfAll::<T>::mutate(|sums| sums.meters += 1);
	for slot in 0..kept {
		let header = header(index, slot.into(), H256::repeat_byte(1));
		let (sequence, root) = (header.sequence, header.root);
		let record =
			BatchRecord { header, block: 1, accepted_ms: 0, minted_wh: 1_000, anchor: None };
		Recent::<T>::insert(index, slot, record);
		let txid = H256::repeat_byte(5);
		let state = AnchorState::Confirmed { txid, block_hash: txid, height: 1, confirmations: 6 };
		let anchor = gridproof_primitives::energy::Anchor { sequence, root, state };
		Anchors::<T>::insert(index, slot, anchor);
	}
	Ok((index, device))
}

/// Returns the next batches of `count` meters of one organisation, with one slot of the rings to
/// overwrite and KWH on the account. What another organisation costs is counted apart.
fn signed<T: Config>(count: u32) -> Result<BatchesOf<T>, BenchmarkError> {
	let genesis = MeterReadings::<T>::genesis();
	let limits = Limits {
		block_wh: u64::MAX,
		day_wh: u64::MAX,
		organisation_day_wh: u64::MAX,
		batch: BatchLimits { free_per_hour: u32::MAX, ..BatchLimits::default() },
		..Limits::default()
	};
	LimitsInUse::<T>::put(limits);
	let electrician = rich::<T>(0);
	let mut list = Vec::new();
	let organisation = organisation::<T>(&electrician)?;
	for number in 0..count {
		let owner = account("owner", number, 0);
		let (index, device) = meter::<T>(organisation, &electrician, owner, 1)?;
		Meters::<T>::mutate(index, |row| {
			if let Some(row) = row {
				row.state.next_sequence = T::MaxRecent::get().into();
			}
		});
		let row = Meters::<T>::get(index).ok_or("it is there")?;
		T::Fungibles::mint_into(T::Kwh::get(), &row.energy_account, 1_000_000)?;
		let header = header(index, row.state.next_sequence, row.state.last_hash);
		let payload = header.signing_payload(&genesis);
		let signature =
			ed25519_sign(KEY_TYPE, &device.into(), &payload).ok_or("the keystore has the key")?.0;
		list.push(SignedBatch { header, signature });
	}
	Ok(list.try_into().map_err(|_| "as many batches as fit")?)
}

/// Returns an owner whose key this machine's keystore has.
fn owner<T: Config>() -> (sr25519::Public, T::AccountId)
where
	T::AccountId: From<sr25519::Public>,
{
	let key = sr25519_generate(KEY_TYPE, None);
	(key, key.into())
}

/// Returns the owner's consent, wrapped as wallets do, which is tried second.
fn consent<T: Config>(
	key: &sr25519::Public,
	payload: &[u8],
) -> Result<T::OwnerSignature, BenchmarkError>
where
	T::OwnerSignature: From<sr25519::Signature>,
{
	let wrapped = [b"<Bytes>".as_slice(), payload, b"</Bytes>"].concat();
	let signature = sr25519_sign(KEY_TYPE, key, &wrapped).ok_or("the keystore has the key")?;
	Ok(signature.into())
}

fn governance<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
	T::GovernanceOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)
}

fn accepted<T: Config>(count: u32) {
	assert_eq!(SumsOfAll::<T>::get().batches, u64::from(count));
}

#[benchmarks(
	where
		T::OwnerSignature: From<sr25519::Signature>,
		T::AccountId: From<sr25519::Public>,
)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn submit_batches(n: Linear<1, { T::MaxBatchesPerCall::get() }>) -> Result<(), BenchmarkError> {
		let batches = signed::<T>(n)?;
		let caller: T::AccountId = whitelisted_caller();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), batches);

		accepted::<T>(n);
		Ok(())
	}

	#[benchmark]
	fn submit_verified_batches(
		n: Linear<1, { T::MaxBatchesPerCall::get() }>,
	) -> Result<(), BenchmarkError> {
		// The mark is valid for one block only, and a benchmark runs in the first.
		frame_system::Pallet::<T>::set_block_number(1u32.into());
		let batches = signed::<T>(n)?;
		// Leaves the mark; the rows are read again as in a block.
		MeterReadings::<T>::check_all(&batches).map_err(|_| "every batch is acceptable")?;

		let outcome;
		#[block]
		{
			outcome = MeterReadings::<T>::accept_batches(&batches, crate::batches::Fare::Free)?;
		}

		accepted::<T>(n);
		assert!(!Verified::<T>::exists());
		let verified = T::WeightInfo::submit_verified_batches(n)
			+ MeterReadings::<T>::weight_of_organisations(1);
		assert!(
			[verified, verified + T::WeightInfo::open_energy_accounts(n)].contains(&outcome.weight)
		);
		Ok(())
	}

	#[benchmark]
	fn authorize_submit_batches(
		n: Linear<1, { T::MaxBatchesPerCall::get() }>,
	) -> Result<(), BenchmarkError> {
		let call = Call::<T>::submit_batches { batches: signed::<T>(n)? };

		#[block]
		{
			call.authorize(TransactionSource::InBlock)
				.ok_or("the call can be authorized")?
				.map_err(|_| "every batch is acceptable")?;
		}

		assert!(Verified::<T>::exists());
		Ok(())
	}

	#[benchmark]
	fn open_energy_accounts(
		n: Linear<1, { T::MaxBatchesPerCall::get() }>,
	) -> Result<(), BenchmarkError> {
		let accounts: Vec<T::AccountId> =
			(0..n).map(|number| account("energy", number, 0)).collect();

		#[block]
		{
			for account in &accounts {
				T::Fungibles::mint_into(T::Kwh::get(), account, 1_000)?;
			}
		}

		Ok(())
	}

	#[benchmark]
	fn register_organisation() -> Result<(), BenchmarkError> {
		let caller = rich::<T>(0);
		let name = OrganisationName::truncate_from(vec![b'o'; 64]);
		let index = NextOrganisation::<T>::get();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), name);

		assert!(Organisations::<T>::contains_key(index));
		Ok(())
	}

	#[benchmark]
	fn dissolve_organisation() -> Result<(), BenchmarkError> {
		let index = organisation::<T>(&rich::<T>(0))?;
		Organisations::<T>::mutate(index, |row| {
			if let Some(row) = row {
				row.members = 0;
			}
		});
		let admin = Organisations::<T>::get(index).ok_or("it is there")?.admin;

		#[extrinsic_call]
		_(RawOrigin::Signed(admin), index);

		assert!(!Organisations::<T>::contains_key(index));
		Ok(())
	}

	#[benchmark]
	fn add_member() -> Result<(), BenchmarkError> {
		let index = organisation::<T>(&rich::<T>(0))?;
		let admin = Organisations::<T>::get(index).ok_or("it is there")?.admin;
		let who = rich::<T>(1);

		#[extrinsic_call]
		_(RawOrigin::Signed(admin), index, who.clone());

		assert!(Members::<T>::contains_key(index, who));
		Ok(())
	}

	#[benchmark]
	fn remove_member() -> Result<(), BenchmarkError> {
		let index = organisation::<T>(&rich::<T>(0))?;
		let admin = Organisations::<T>::get(index).ok_or("it is there")?.admin;
		let who = rich::<T>(1);
		MeterReadings::<T>::do_add_member(admin.clone(), index, who.clone())?;

		#[extrinsic_call]
		_(RawOrigin::Signed(admin), index, who.clone());

		assert!(!Members::<T>::contains_key(index, who));
		Ok(())
	}

	#[benchmark]
	fn set_organisation_standing() -> Result<(), BenchmarkError> {
		let index = organisation::<T>(&rich::<T>(0))?;
		let origin = governance::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, index, OrganisationStanding::Revoked);

		let standing = Organisations::<T>::get(index).map(|row| row.standing);
		assert_eq!(standing, Some(OrganisationStanding::Revoked));
		Ok(())
	}

	#[benchmark]
	fn certify_meter() -> Result<(), BenchmarkError> {
		let electrician = rich::<T>(0);
		let organisation = organisation::<T>(&electrician)?;
		let (key, owner) = owner::<T>();
		let device = ed25519_generate(KEY_TYPE, None).0;
		let (name, valid_until_ms) = (long_name(0), END_MS);
		let possession = possession::<T>(device, &name, &owner)?;
		let certification = Certification {
			name,
			device,
			owner,
			rated_power_w: 1,
			direction: Direction::Both,
			point: Some(PointId::truncate_from(long_name(0).site.to_vec())),
			trust: Trust::Device,
			serial: long_serial(0),
			seal: long_seal(0),
			registers: Registers::default(),
			since_ms: 0,
			valid_until_ms,
		};
		let agreed: OwnerConsent<T::AccountId> = certification.consent(organisation);
		let payload = agreed.signing_payload(&MeterReadings::<T>::genesis());
		let signature = consent::<T>(&key, &payload)?;
		let index = NextMeter::<T>::get();

		#[extrinsic_call]
		_(
			RawOrigin::Signed(electrician),
			organisation,
			Box::new(certification),
			Box::new(signature),
			possession,
		);

		assert!(Meters::<T>::contains_key(index));
		Ok(())
	}

	#[benchmark]
	fn suspend_meter() -> Result<(), BenchmarkError> {
		let electrician = rich::<T>(0);
		let organisation = organisation::<T>(&electrician)?;
		let (index, _) = meter::<T>(organisation, &electrician, rich::<T>(1), 0)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(electrician), index, Suspension::LostKey);

		assert_eq!(SumsOfAll::<T>::get().suspended, 1);
		Ok(())
	}

	#[benchmark]
	fn reinstate_meter() -> Result<(), BenchmarkError> {
		let electrician = rich::<T>(0);
		let organisation = organisation::<T>(&electrician)?;
		let (index, _) = meter::<T>(organisation, &electrician, rich::<T>(1), 0)?;
		let reason = Suspension::BrokenSeal;
		MeterReadings::<T>::do_suspend(Some(electrician.clone()), index, reason)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(electrician), index, long_seal(1_000));

		assert_eq!(SumsOfAll::<T>::get().suspended, 0);
		Ok(())
	}

	#[benchmark]
	fn exchange_meter() -> Result<(), BenchmarkError> {
		let electrician = rich::<T>(0);
		let organisation = organisation::<T>(&electrician)?;
		let (key, owner) = owner::<T>();
		let (index, _) = meter::<T>(organisation, &electrician, owner.clone(), 0)?;
		let reason = Suspension::LostKey;
		MeterReadings::<T>::do_suspend(Some(electrician.clone()), index, reason)?;
		let device = ed25519_generate(KEY_TYPE, None).0;
		let (name, valid_until_ms) = (long_name(index), END_MS);
		let possession = possession::<T>(device, &name, &owner)?;
		let registers = Registers::default();
		let (serial, seal) = (long_serial(1_000), long_seal(1_000));
		let agreed = ExchangeConsent {
			organisation,
			name,
			device,
			owner,
			registers,
			serial: serial.clone(),
			seal: seal.clone(),
			valid_until_ms,
		};
		let payload = agreed.signing_payload(&MeterReadings::<T>::genesis());
		let consent = consent::<T>(&key, &payload)?;
		let new = NewDevice { device, valid_until_ms, consent, possession };

		#[extrinsic_call]
		_(RawOrigin::Signed(electrician), index, registers, serial, seal, Some(Box::new(new)));

		assert_eq!(DeviceKeys::<T>::get(device), Some(index));
		Ok(())
	}

	#[benchmark]
	fn decommission_meter(n: Linear<0, { T::MaxRecent::get() }>) -> Result<(), BenchmarkError> {
		let electrician = rich::<T>(0);
		let organisation = organisation::<T>(&electrician)?;
		let (index, _) = meter::<T>(organisation, &electrician, rich::<T>(1), n)?;
		let reason = Suspension::LostKey;
		MeterReadings::<T>::do_suspend(Some(electrician.clone()), index, reason)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(electrician), index);

		assert!(!Meters::<T>::contains_key(index));
		assert_eq!(Recent::<T>::iter_prefix(index).count(), 0);
		Ok(())
	}

	#[benchmark]
	fn verify_reading(n: Linear<0, { T::MaxChain::get() }>) -> Result<(), BenchmarkError> {
		let electrician = rich::<T>(0);
		let organisation = organisation::<T>(&electrician)?;
		let (index, _) = meter::<T>(organisation, &electrician, rich::<T>(1), 0)?;
		// A tree of 2³² − 1 leaves has a proof of 32 hashes for its first one; the root is made of
		// the leaf and the siblings.
		let leaf = Leaf::truncate_from(vec![b'0'; 4_096]);
		let siblings = vec![H256::repeat_byte(7); 32];
		let mut root = merkle::leaf_hash(&leaf);
		for sibling in &siblings {
			root = merkle::node_hash(&root, sibling);
		}
		let proof: InclusionProof = siblings.try_into().map_err(|_| "as many as fit")?;
		let make = |sequence: u64, previous| BatchHeader {
			root,
			readings: u32::MAX,
			..header(index, sequence, previous)
		};
		let (batch, last) = if n == 0 {
			let record = BatchRecord {
				header: make(0, H256::zero()),
				block: 1,
				accepted_ms: 0,
				minted_wh: 0,
				anchor: None,
			};
			Recent::<T>::insert(index, 0u32, record);
			(BatchReference::Recent { meter: index, sequence: 0 }, None)
		} else {
			let mut headers = vec![make(0, H256::zero())];
			for sequence in 1..u64::from(n) {
				let previous = headers.last().map_or(H256::zero(), BatchHeader::hash);
				headers.push(make(sequence, previous));
			}
			let last = headers.last().cloned();
			let headers: BoundedVec<_, _> = headers.try_into().map_err(|_| "as many as fit")?;
			(BatchReference::Chain(headers), last)
		};
		if let Some(last) = last {
			// The one after the last is kept: two rows to read.
			let sequence = last.sequence + 1;
			let next = make(sequence, last.hash());
			let record =
				BatchRecord { header: next, block: 1, accepted_ms: 0, minted_wh: 0, anchor: None };
			Recent::<T>::insert(index, MeterReadings::<T>::slot(sequence), record);
			Meters::<T>::mutate(index, |row| {
				if let Some(row) = row {
					row.state.next_sequence = sequence + 9;
				}
			});
		}
		let caller: T::AccountId = whitelisted_caller();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), batch, leaf, 0, proof);

		Ok(())
	}

	#[benchmark]
	fn record_anchor() -> Result<(), BenchmarkError> {
		let electrician = rich::<T>(0);
		let organisation = organisation::<T>(&electrician)?;
		let (index, _) = meter::<T>(organisation, &electrician, rich::<T>(1), 1)?;
		let recorders: Vec<T::AccountId> =
			(0..T::MaxRecorders::get()).map(|number| account("recorder", number, 0)).collect();
		let caller = recorders.last().cloned().ok_or("there is one")?;
		let recorders: BoundedVec<_, T::MaxRecorders> = BoundedVec::truncate_from(recorders);
		Recorders::<T>::put(recorders);
		let txid = H256::repeat_byte(5);
		let state = AnchorState::Confirmed { txid, block_hash: txid, height: 1, confirmations: 7 };
		let root = H256::repeat_byte(3);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), index, 0, root, state);

		assert_eq!(Anchors::<T>::get(index, 0u32).map(|anchor| anchor.state), Some(state));
		Ok(())
	}

	#[benchmark]
	fn set_recorder() -> Result<(), BenchmarkError> {
		let recorders: Vec<T::AccountId> =
			(0..T::MaxRecorders::get()).map(|number| account("recorder", number, 0)).collect();
		let who = recorders.last().cloned().ok_or("there is one")?;
		let recorders: BoundedVec<_, T::MaxRecorders> = BoundedVec::truncate_from(recorders);
		Recorders::<T>::put(recorders);
		let origin = governance::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, who.clone(), false);

		assert!(!Recorders::<T>::get().contains(&who));
		Ok(())
	}

	#[benchmark]
	fn set_limits() -> Result<(), BenchmarkError> {
		let limits = Limits { block_wh: 1, ..Limits::default() };
		let origin = governance::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, limits);

		assert_eq!(LimitsInUse::<T>::get(), limits);
		Ok(())
	}

	#[benchmark]
	fn pause() -> Result<(), BenchmarkError> {
		let origin =
			T::PauseOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin);

		assert!(Paused::<T>::get());
		Ok(())
	}

	#[benchmark]
	fn resume() -> Result<(), BenchmarkError> {
		Paused::<T>::put(true);
		let origin = governance::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin);

		assert!(!Paused::<T>::get());
		Ok(())
	}

	#[benchmark]
	fn admit_meter() -> Result<(), BenchmarkError> {
		let electrician = rich::<T>(0);
		let organisation = organisation::<T>(&electrician)?;
		let (index, _) = meter::<T>(organisation, &electrician, rich::<T>(1), 0)?;
		let certified = Certificates::<T>::get(index).ok_or("it is there")?;
		let marks = |scope| crate::identity::marks_of(&certified.certificate, scope);
		MeterReadings::<T>::free_marks(index, marks(None));
		MeterReadings::<T>::take_marks(index, marks(Some(organisation)));
		Meters::<T>::mutate(index, |row| {
			if let Some(row) = row {
				row.mints = false;
			}
		});

		#[extrinsic_call]
		_(RawOrigin::Signed(electrician), index);

		assert!(Meters::<T>::get(index).is_some_and(|row| row.mints));
		Ok(())
	}

	#[benchmark]
	fn set_organisation_admin() -> Result<(), BenchmarkError> {
		let index = organisation::<T>(&rich::<T>(0))?;
		let admin = Organisations::<T>::get(index).ok_or("it is there")?.admin;
		let new = rich::<T>(1);

		#[extrinsic_call]
		_(RawOrigin::Signed(admin), index, new.clone());

		assert_eq!(Organisations::<T>::get(index).map(|row| row.admin), Some(new));
		Ok(())
	}
}
