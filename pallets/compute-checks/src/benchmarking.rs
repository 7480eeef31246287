//! Worst cases: all rows of verifiers, each of them fit and a juror or witness; the deepest tree; a batch
//! with as many lines and ranges that are given up as a batch has; rows at their largest.
//!
//! A runtime in WebAssembly cannot make a VRF, so outputs and proofs of one key are written down here, for
//! inputs that are written down as well. The signatures of that key are the host's.

use super::*;
use crate::Pallet as Checks;
use alloc::{boxed::Box, vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
	BoundedVec,
	traits::{
		EnsureOrigin, Get, Hooks as _,
		fungible::{Mutate as _, hold::Mutate as _},
	},
};
use frame_system::RawOrigin;
use gridproof_primitives::{
	H256,
	compute::{
		channels::{ChannelReceipt, Placed},
		checks::{
			Abstention, Ballot, BatchChecks, BatchId, CheckId, CheckReport, DisputeCause, Figures,
			JURY_PLACES, JuryCommitment, LineClass, MAX_CHECKS_PER_DRAW, MAX_HOLD_MS,
			MAX_SHOWN_FIGURES, MAX_WINDOW_MS, ModelLine, NoVote, Number, OpeningDemand, OtherLine,
			OtherPlace, Reopening, SeededFigures, ShownFigures, TokenFigures, Verdict, VerifierKey,
			VerifierSignature, Votes, Vrf, Waiting, Witness, WitnessStatement, figures_commitment,
			key_payload, other_places,
		},
	},
	num::units::AIT,
};
use sp_core::{crypto::KeyTypeId, hex2array, sr25519};
use sp_io::crypto::{sr25519_generate, sr25519_sign};

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"grid");
/// Secret of the verifier that speaks.
pub(crate) const SECRET: &[u8] = b"//check";
/// Hash of the first block, as the VRFs below have it.
pub(crate) const GENESIS: H256 = H256::repeat_byte(1);
/// Hash of the batch's header.
pub(crate) const HEADER: H256 = H256::repeat_byte(2);
/// Hash of the block by which is drawn.
pub(crate) const BLOCK: H256 = H256::repeat_byte(3);
/// Name of the batch.
pub(crate) const BATCH: BatchId = BatchId { coordinator: [7; 32], sequence: 0 };
/// The check whose report is re-opened.
pub(crate) const REPORTED: CheckId = CheckId { batch: BATCH, verifier: [8; 32], check: 0 };
/// Draw of the key of [`SECRET`].
pub(crate) const DRAW: Vrf = Vrf {
	output: hex2array!("f21ba3000f4dc4e38f422c4834162b7a7ec1b4da7536d579e80bde6442d6054f"),
	proof: hex2array!(
		"5081bfa8ec286de8886d362fe1710ddb52c3bf2dc3f3101a12e8d876c1325003f3d0ba93ed7ebad3f37e9e10c3aca1e1eaed9d4ffd0e096f10757539a2b68a0a"
	),
};
/// Draw of the same key of whether it re-opens [`REPORTED`].
pub(crate) const REOPENS: Vrf = Vrf {
	output: hex2array!("a8a97482ddf7c2d9228d7c59a367af6fe898e7ac30601a8d1c2ee1b486748f7a"),
	proof: hex2array!(
		"7a8c85a59c76519a818dba195d82654405ce306d9f3bc30cd352c84f3a5a3400d50f5b214361322e389cb25ee8e8639dcc92ea59de963c605df221610499fc02"
	),
};
/// Time of the benchmarks, in UTC milliseconds.
const NOW: u64 = 100 * DAY_MS;
/// Line of class `seeded` that nothing honest crosses.
const LINE: ModelLine = ModelLine {
	class: LineClass::Seeded,
	line: 1,
	limit: 1,
	clip: 4_000_000,
	agreement: 0,
	finds_within: 1,
};

/// What benchmarks need of clock, settlement and treasury.
pub trait BenchmarkHelper {
	/// Sets the time, in UTC milliseconds.
	fn set_time(now_ms: u64);

	/// Makes a batch with this name and hash of its header that waits, settled in block 0, with one line
	/// that pays one receipt and as many lists behind it as a batch has. Returns the receipt, with its place
	/// in the deepest tree. The miner has exchanged its key since, so has the coordinator; as many other
	/// lines of the miner wait as a jury's places are drawn out of.
	fn batch(id: BatchId, header_hash: H256) -> Placed<ChannelReceipt>;

	/// Lets the treasury receive an amount today, in 10⁻¹⁸ AIT, which it has.
	fn receive(amount: u128);
}

fn governance<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
	T::GovernanceOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)
}

/// An origin of nobody, as free calls have it.
fn nobody<T: Config>() -> T::RuntimeOrigin {
	RawOrigin::Authorized.into()
}

fn own_key() -> VerifierKey {
	sr25519_generate(KEY_TYPE, Some(SECRET.to_vec())).0
}

fn sign(key: &VerifierKey, payload: &[u8]) -> Result<VerifierSignature, BenchmarkError> {
	let signature = sr25519_sign(KEY_TYPE, &sr25519::Public::from_raw(*key), payload);
	Ok(signature.ok_or("the keystore has the key")?.0)
}

/// An account with AIT for anything.
fn rich<T: Config>(name: &'static str, index: u32) -> T::AccountId {
	let who: T::AccountId = account(name, index, 0);
	T::Currency::set_balance(&who, 10_000 * AIT);
	who
}

/// A verifier with its bond, whose keys are known for long.
fn verifier<T: Config>(index: u32, key: VerifierKey) -> Result<T::AccountId, BenchmarkError> {
	let (who, bond) = (rich::<T>("verifier", index), Parameters::<T>::get().verifier_bond);
	T::Currency::hold(&HoldReason::Bond.into(), &who, bond)?;
	let mut former = key;
	former[31] ^= 0xff;
	let row = Verifier {
		former: Some(KnownKey { key: former, since_ms: 0 }),
		reports: 1,
		last_report_ms: NOW - 1,
		..Verifier::new(KnownKey { key, since_ms: 1 }, bond)
	};
	Verifiers::<T>::insert(&who, row);
	Keys::<T>::insert(key, &who);
	Keys::<T>::insert(former, &who);
	Ok(who)
}

/// As many verifiers as there are rows for; the first one has the key of [`SECRET`].
fn verifiers<T: Config>(number: u32) -> Result<Vec<T::AccountId>, BenchmarkError> {
	T::BenchmarkHelper::set_time(NOW);
	frame_system::BlockHash::<T>::insert(
		frame_system::pallet_prelude::BlockNumberFor::<T>::from(0u32),
		GENESIS,
	);
	Parameters::<T>::mutate(|parameters| parameters.reopen_one_in = 1);
	T::Currency::set_balance(&T::Treasury::get(), 10_000 * AIT);
	// Those that begin with the chain.
	for (who, row) in Verifiers::<T>::drain() {
		Keys::<T>::remove(row.key.key);
		Admitted::<T>::remove(who);
	}
	let mut all = Vec::new();
	for index in 0..number {
		let mut key = [9; 32];
		key[0] = u8::try_from(index).unwrap_or(u8::MAX);
		let key = if index == 0 { own_key() } else { key };
		all.push(verifier::<T>(index, key)?);
	}
	Ok(all)
}

/// A batch that was touched, of which as many checks fall to each verifier as can; its receipt.
fn touched<T: Config>() -> Placed<ChannelReceipt> {
	let placed = T::BenchmarkHelper::batch(BATCH, HEADER);
	let checks = BatchChecks {
		block: BLOCK,
		touched_ms: NOW,
		verifiers: 2,
		per_check: 1,
		value: u128::MAX,
		total: placed.item.receipt.price,
		reports: 0,
	};
	let header_hash = HEADER;
	let row = BatchRow { checks, header_hash, open: 0, asked: 0, opened: 0, reopen_until: 0 };
	Batches::<T>::insert(BATCH, row);
	Lines::<T>::insert(placed.item.receipt.model, LINE);
	placed
}

/// What is kept of the batch's receipt.
fn checked<T: Config>(placed: &Placed<ChannelReceipt>) -> Result<Checked, BenchmarkError> {
	let waiting = <T::Waiting as Waiting<_>>::batch(&BATCH).ok_or("the batch waits")?;
	let checked = Checks::<T>::check_placed(&BATCH, &waiting, placed);
	Ok(checked.map_err(|_| "the receipt is in the batch")?)
}

/// As many of a verifier's own figures as can be shown.
fn figures() -> TokenFigures {
	let most = usize::try_from(MAX_SHOWN_FIGURES).unwrap_or_default();
	vec![3_999_999; most].try_into().unwrap_or_default()
}

/// Figures of a receipt that are above any line.
fn high(placed: &Placed<ChannelReceipt>) -> Figures {
	let tokens = placed.item.receipt.telemetry.output_tokens;
	let clipped = u64::from(tokens) * u64::from(LINE.clip);
	Figures::Seeded(SeededFigures { tokens, clipped, matches: 0, end: LINE.clip })
}

/// The number of the batch's miner, with as many reports behind it as are remembered.
fn number<T: Config>(checked: &Checked) -> BoundedReports {
	let reports: Vec<_> = (0..MAX_REPORTS_OF_NUMBER)
		.map(|check| CheckId { batch: BATCH, verifier: own_key(), check: 1_000 + check })
		.collect();
	let reports = BoundedReports::try_from(reports).unwrap_or_default();
	let row = NumberRow { number: Number(1), reports: reports.clone(), time_ms: NOW };
	Numbers::<T>::insert(checked.registered, checked.model, row);
	reports
}

type BoundedReports =
	BoundedVec<CheckId, frame_support::pallet_prelude::ConstU32<MAX_REPORTS_OF_NUMBER>>;

/// A report of another verifier's check, whose statistics are those of [`figures`].
fn reported<T: Config>(
	by: &T::AccountId,
	placed: &Placed<ChannelReceipt>,
	commitment: H256,
) -> Result<(), BenchmarkError> {
	let shown = figures();
	let gaps = shown.iter().map(|gap| u64::from(*gap));
	let row = Report {
		by: by.clone(),
		receipt: checked::<T>(placed)?,
		figures: Figures::Seeded(SeededFigures::of(gaps, LINE.clip.into(), LINE.clip)),
		commitment,
		block: BLOCK,
		time_ms: NOW,
		until: u64::MAX,
		reopened: false,
	};
	Reports::<T>::insert(BATCH, (REPORTED.verifier, REPORTED.check), row);
	Batches::<T>::mutate(BATCH, |row| {
		if let Some(row) = row {
			row.checks.reports += 1;
		}
	});
	Ok(())
}

/// A re-opening between two verifiers, of which the first one has the key of [`SECRET`] and re-opens.
/// `shown` if the reporter has shown its figures.
fn reopened<T: Config>(all: &[T::AccountId], shown: bool) -> Result<(), BenchmarkError> {
	let [own, other, ..] = all else { return Err("there are two".into()) };
	let placed = touched::<T>();
	let commitment = figures_commitment(&REPORTED, &figures());
	reported::<T>(other, &placed, commitment)?;
	let own_id = CheckId { verifier: own_key(), ..REPORTED };
	let mut others = figures();
	others[0] = 0;
	let row = ReopeningRow {
		reporter: Side {
			by: other.clone(),
			key: REPORTED.verifier,
			commitment,
			shown: shown.then(figures),
		},
		other: Side {
			by: own.clone(),
			key: own_key(),
			commitment: figures_commitment(&own_id, &others),
			shown: None,
		},
		until: if shown { u64::MAX } else { 0 },
	};
	Reopenings::<T>::insert(REPORTED, row);
	Checks::<T>::count_open(&BATCH, true);
	Ok(())
}

/// Puts an amount into the pallet's account.
fn escrow<T: Config>(amount: u128) {
	T::Currency::set_balance(&T::Escrow::get(), amount);
	Sums::<T>::mutate(|sums| sums.escrow = amount);
}

/// Holds the batch's line, as who opens something does.
fn hold<T: Config>(checked: &Checked) {
	let part = Checks::<T>::part_of(checked);
	let _ = <T::Waiting as Waiting<_>>::hold(&part, NOW + DAY_MS);
}

/// A demand with all other verifiers as witnesses, of which all but the first have spoken, half of them
/// this, half that: everybody is paid, and the receipt is forfeited. Two thirds that agree would end it
/// earlier, with fewer to pay.
fn demanded<T: Config>(all: &[T::AccountId], until: u64) -> Result<CheckId, BenchmarkError> {
	demanded_of::<T>(&touched::<T>(), all, until)
}

/// The same of a receipt of the batch that was touched.
fn demanded_of<T: Config>(
	placed: &Placed<ChannelReceipt>,
	all: &[T::AccountId],
	until: u64,
) -> Result<CheckId, BenchmarkError> {
	let receipt = checked::<T>(placed)?;
	let id = CheckId { batch: BATCH, verifier: REPORTED.verifier, check: 1 };
	let by = rich::<T>("demander", 0);
	let said = |index: usize| match index {
		0 => None,
		index if index % 2 == 0 => Some(Witness::Has),
		_ => Some(Witness::GotNothing),
	};
	let witnesses: Vec<_> =
		all.iter().enumerate().map(|(index, who)| (who.clone(), said(index))).collect();
	let pot = AIT;
	escrow::<T>(pot);
	let row = DemandRow {
		by,
		is_peer: false,
		receipt: Some(receipt),
		miner: receipt.miner,
		place: placed.item.sums.miner.price.saturating_sub(1),
		is_paid: true,
		pot,
		holds: true,
		witnesses: witnesses.try_into().map_err(|_| "as many as there are rows")?,
		until,
		opened: None,
	};
	hold::<T>(&receipt);
	Demands::<T>::insert(id, row);
	Checks::<T>::count_open(&BATCH, true);
	Ok(id)
}

/// A dispute about a number with all verifiers as jurors; `votes` are those that were revealed.
fn disputed<T: Config>(
	all: &[T::AccountId],
	until: (u64, u64),
	accuser: Accuser<T::AccountId>,
	verdict: impl Fn(usize) -> Option<Verdict>,
) -> Result<H256, BenchmarkError> {
	let placed = touched::<T>();
	let receipt = checked::<T>(&placed)?;
	let reports = number::<T>(&receipt);
	let id = H256::repeat_byte(77);
	let own_id = CheckId { batch: BATCH, verifier: own_key(), check: 1 };
	let jurors: Vec<_> = all
		.iter()
		.enumerate()
		.map(|(index, account)| {
			let verdict = verdict(index);
			let commitment = verdict.map(|_| (own_key(), H256::zero()));
			Juror { commitment, verdict, ..Juror::new(account.clone()) }
		})
		.collect();
	let accused = Accused::Miner(receipt.registered);
	let pair = Checks::<T>::pair_of(&accuser, &accused);
	OpenPairs::<T>::insert(pair, id);
	let line = OtherLine { batch: BATCH, price: receipt.price, worth: receipt.price };
	let others: Vec<OtherPlace> = other_places(&id, &receipt.miner, &[line]);
	if u32::try_from(others.len()) != Ok(JURY_PLACES) {
		return Err("there are as many places as can be".into());
	}
	let dispute = Dispute {
		cause: DisputeCause::Number(own_id),
		receipt,
		accuser,
		accused,
		pair,
		parties: Votes::default(),
		jurors: jurors.try_into().map_err(|_| "as many as there are rows")?,
		reports,
		others: others.try_into().map_err(|_| "as many as fit")?,
		block: BLOCK,
		holds: true,
		until,
	};
	hold::<T>(&receipt);
	Disputes::<T>::insert(id, dispute);
	Checks::<T>::count_open(&BATCH, true);
	Ok(id)
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn set_parameters() -> Result<(), BenchmarkError> {
		let origin = governance::<T>()?;
		for index in 0..T::MaxLines::get() {
			let mut model = [7; 32];
			model[..4].copy_from_slice(&index.to_le_bytes());
			Lines::<T>::insert(H256(model), LINE);
		}
		let new = CheckParameters { silence_fee: 2 * AIT, ..Default::default() };

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Box::new(new));

		assert_eq!(Parameters::<T>::get(), new);
		Ok(())
	}

	#[benchmark]
	fn set_line() -> Result<(), BenchmarkError> {
		let origin = governance::<T>()?;
		let model = H256::repeat_byte(7);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, model, Some(LINE));

		assert_eq!(Lines::<T>::get(model), Some(LINE));
		Ok(())
	}

	#[benchmark]
	fn admit_verifier() -> Result<(), BenchmarkError> {
		let origin = governance::<T>()?;
		let who: T::AccountId = account("verifier", 0, 0);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, who.clone());

		assert!(Admitted::<T>::contains_key(who));
		Ok(())
	}

	#[benchmark]
	fn dismiss_verifier() -> Result<(), BenchmarkError> {
		let origin = governance::<T>()?;
		let who = verifiers::<T>(1)?.remove(0);
		Admitted::<T>::insert(&who, ());

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, who.clone());

		assert!(!Admitted::<T>::contains_key(who));
		Ok(())
	}

	#[benchmark]
	fn suspend_verifier() -> Result<(), BenchmarkError> {
		let origin =
			T::PauseOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let all = verifiers::<T>(MAX_ROWS)?;
		all.iter().take(3).for_each(|who| Admitted::<T>::insert(who, ()));
		let who = all.first().cloned().ok_or("there are some")?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, who.clone());

		assert!(Verifiers::<T>::get(who).is_some_and(|row| row.suspended_ms > NOW));
		Ok(())
	}

	#[benchmark]
	fn register_verifier() -> Result<(), BenchmarkError> {
		verifiers::<T>(0)?;
		let (who, key) = (rich::<T>("verifier", 0), own_key());
		Admitted::<T>::insert(&who, ());
		let proof = sign(&key, &key_payload(&GENESIS, &who.clone().into()))?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), key, proof);

		assert!(Verifiers::<T>::contains_key(who));
		Ok(())
	}

	#[benchmark]
	fn exchange_key() -> Result<(), BenchmarkError> {
		verifiers::<T>(0)?;
		let (who, key) = (verifier::<T>(0, [9; 32])?, own_key());
		let proof = sign(&key, &key_payload(&GENESIS, &who.clone().into()))?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), key, proof);

		assert_eq!(Keys::<T>::get(key), Some(who));
		Ok(())
	}

	#[benchmark]
	fn raise_bond() -> Result<(), BenchmarkError> {
		let who = verifiers::<T>(1)?.remove(0);
		let before = Verifiers::<T>::get(&who).map_or(0, |row| row.bond);

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), AIT);

		assert_eq!(Verifiers::<T>::get(&who).map(|row| row.bond), Some(before + AIT));
		Ok(())
	}

	#[benchmark]
	fn leave() -> Result<(), BenchmarkError> {
		let who = verifiers::<T>(1)?.remove(0);
		Admitted::<T>::insert(&who, ());

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));

		assert!(!Admitted::<T>::contains_key(who));
		Ok(())
	}

	#[benchmark]
	fn withdraw_bond() -> Result<(), BenchmarkError> {
		let who = verifiers::<T>(MAX_ROWS)?.remove(0);
		Verifiers::<T>::mutate(&who, |row| {
			if let Some(row) = row {
				row.free_ms = Some(0);
			}
		});

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));

		assert!(!Verifiers::<T>::contains_key(who));
		Ok(())
	}

	#[benchmark]
	fn touch() -> Result<(), BenchmarkError> {
		verifiers::<T>(MAX_ROWS)?;
		T::BenchmarkHelper::batch(BATCH, HEADER);
		frame_system::Pallet::<T>::set_block_number(1_000u32.into());

		#[extrinsic_call]
		_(nobody::<T>() as T::RuntimeOrigin, BATCH);

		assert!(Batches::<T>::contains_key(BATCH));
		Ok(())
	}

	/// The last report of a number, which opens a dispute.
	#[benchmark]
	fn report_check() -> Result<(), BenchmarkError> {
		verifiers::<T>(MAX_ROWS)?;
		let placed = touched::<T>();
		number::<T>(&checked::<T>(&placed)?);
		let key = own_key();
		let report = CheckReport {
			verifier: key,
			check: MAX_CHECKS_PER_DRAW - 1,
			vrf: DRAW,
			batch: BATCH,
			figures: high(&placed),
			receipt: placed,
			commitment: H256::zero(),
		};
		let signature = sign(&key, &report.signing_payload(&GENESIS))?;

		#[extrinsic_call]
		_(nobody::<T>() as T::RuntimeOrigin, Box::new(report), signature);

		assert_eq!(Disputes::<T>::count(), 1);
		Ok(())
	}

	#[benchmark]
	fn reopen() -> Result<(), BenchmarkError> {
		let all = verifiers::<T>(2)?;
		let placed = touched::<T>();
		reported::<T>(all.last().ok_or("there are two")?, &placed, H256::zero())?;
		let key = own_key();
		let reopening = Reopening { by: key, of: REPORTED, vrf: REOPENS, commitment: H256::zero() };
		let signature = sign(&key, &reopening.signing_payload(&GENESIS))?;

		#[extrinsic_call]
		_(nobody::<T>() as T::RuntimeOrigin, Box::new(reopening), signature);

		assert!(Reopenings::<T>::contains_key(REPORTED));
		Ok(())
	}

	/// The second side, whose figures do not agree.
	#[benchmark]
	fn show_figures() -> Result<(), BenchmarkError> {
		let all = verifiers::<T>(MAX_ROWS)?;
		reopened::<T>(&all, true)?;
		let mut own = figures();
		own[0] = 0;
		let shown = ShownFigures { by: own_key(), of: REPORTED, figures: own };
		let signature = sign(&shown.by, &shown.signing_payload(&GENESIS))?;

		#[extrinsic_call]
		_(nobody::<T>() as T::RuntimeOrigin, Box::new(shown), signature);

		assert_eq!(Disputes::<T>::count(), 1);
		Ok(())
	}

	/// Neither side has shown its figures, and for both it is the third offence.
	#[benchmark]
	fn close_reopening() -> Result<(), BenchmarkError> {
		let all = verifiers::<T>(2)?;
		for who in &all {
			Admitted::<T>::insert(who, ());
			Verifiers::<T>::mutate(who, |row| {
				if let Some(row) = row {
					row.offences = DISMISSED_AFTER - 1;
				}
			});
		}
		reopened::<T>(&all, false)?;

		#[extrinsic_call]
		_(nobody::<T>() as T::RuntimeOrigin, REPORTED);

		assert!(all.iter().all(|who| !Admitted::<T>::contains_key(who)));
		Ok(())
	}

	#[benchmark]
	fn demand_opening() -> Result<(), BenchmarkError> {
		verifiers::<T>(MAX_ROWS)?;
		let placed = touched::<T>();
		if let Some(coordinator) = T::Settlement::account_of(&BATCH.coordinator) {
			T::Currency::set_balance(&coordinator, 10_000 * AIT);
		}
		T::Currency::set_balance(&T::Escrow::get(), AIT);
		let key = own_key();
		let demand = OpeningDemand {
			verifier: key,
			check: MAX_CHECKS_PER_DRAW - 1,
			vrf: DRAW,
			batch: BATCH,
			miner: placed.item.receipt.miner.ok_or("it has a miner")?,
			receipt: Some(placed),
		};
		let (id, signature) = (demand.id(), sign(&key, &demand.signing_payload(&GENESIS))?);

		#[extrinsic_call]
		_(nobody::<T>() as T::RuntimeOrigin, Box::new(demand), signature);

		assert!(Demands::<T>::contains_key(id));
		Ok(())
	}

	/// The last witness of all: the demand ends.
	#[benchmark]
	fn witness() -> Result<(), BenchmarkError> {
		let all = verifiers::<T>(MAX_ROWS)?;
		let of = demanded::<T>(&all, u64::MAX)?;
		let row = Demands::<T>::get(of).ok_or(BenchmarkError::Stop("no demand"))?;
		let index = row.receipt.map(|receipt| receipt.index);
		let statement = WitnessStatement { witness: own_key(), of, index, says: Witness::Has };
		let signature = sign(&statement.witness, &statement.signing_payload(&GENESIS))?;

		#[extrinsic_call]
		_(nobody::<T>() as T::RuntimeOrigin, Box::new(statement), signature);

		assert_eq!(Demands::<T>::count(), 0);
		Ok(())
	}

	#[benchmark]
	fn close_demand() -> Result<(), BenchmarkError> {
		let all = verifiers::<T>(MAX_ROWS)?;
		let of = demanded::<T>(&all, 0)?;

		#[extrinsic_call]
		_(nobody::<T>() as T::RuntimeOrigin, of);

		assert_eq!(Demands::<T>::count(), 0);
		Ok(())
	}

	#[benchmark]
	fn dispute_receipt() -> Result<(), BenchmarkError> {
		verifiers::<T>(MAX_ROWS)?;
		let placed = touched::<T>();
		Lines::<T>::insert(placed.item.receipt.model, ModelLine::EXACT);
		let channel = placed.item.receipt.voucher().ok_or("it has a voucher")?.channel;
		let client = T::Settlement::client_of(channel).ok_or("it has a client")?;
		T::Currency::set_balance(&client, 10_000 * AIT);

		#[extrinsic_call]
		_(RawOrigin::Signed(client), BATCH, Box::new(placed));

		assert_eq!(Disputes::<T>::count(), 1);
		Ok(())
	}

	#[benchmark]
	fn commit_vote() -> Result<(), BenchmarkError> {
		let all = verifiers::<T>(MAX_ROWS)?;
		let dispute = disputed::<T>(&all, (u64::MAX, u64::MAX), Accuser::Number, |_| None)?;
		let commitment = JuryCommitment { juror: own_key(), dispute, commitment: BLOCK };
		let signature = sign(&commitment.juror, &commitment.signing_payload(&GENESIS))?;

		#[extrinsic_call]
		_(nobody::<T>() as T::RuntimeOrigin, Box::new(commitment), signature);

		let row = Disputes::<T>::get(dispute).ok_or("it is open")?;
		assert!(row.jurors.iter().any(|juror| juror.commitment.is_some()));
		Ok(())
	}

	#[benchmark]
	fn reveal_vote() -> Result<(), BenchmarkError> {
		let all = verifiers::<T>(MAX_ROWS)?;
		let dispute = disputed::<T>(&all, (0, u64::MAX), Accuser::Number, |_| None)?;
		let verdict = Verdict { guilty: false, invented: Some(own_key()) };
		let ballot = Ballot { juror: own_key(), dispute, verdict, salt: [5; 32] };
		Disputes::<T>::mutate(dispute, |row| {
			let own = row.as_mut().and_then(|row| {
				let own = all.first()?;
				row.jurors.iter_mut().find(|juror| juror.account == *own)
			});
			if let Some(juror) = own {
				juror.commitment = Some((ballot.juror, ballot.commitment(&GENESIS)));
			}
		});
		let signature = sign(&ballot.juror, &ballot.signing_payload(&GENESIS))?;

		#[extrinsic_call]
		_(nobody::<T>() as T::RuntimeOrigin, Box::new(ballot), signature);

		let row = Disputes::<T>::get(dispute).ok_or("it is open")?;
		assert!(row.jurors.iter().any(|juror| juror.verdict.is_some()));
		Ok(())
	}

	/// Every juror is silent, and a client's deposit returns.
	#[benchmark]
	fn close_undecided() -> Result<(), BenchmarkError> {
		let all = verifiers::<T>(MAX_ROWS)?;
		let client = rich::<T>("client", 0);
		escrow::<T>(5 * AIT);
		let accuser = Accuser::Client(client, 5 * AIT);
		let dispute = disputed::<T>(&all, (0, 0), accuser, |_| None)?;

		#[block]
		{
			Checks::<T>::do_close_dispute(dispute)?;
		}

		assert_eq!(Disputes::<T>::count(), 0);
		Ok(())
	}

	/// Two thirds find guilty and name a reporter, and the others are silent.
	#[benchmark]
	fn close_guilty() -> Result<(), BenchmarkError> {
		let all = verifiers::<T>(MAX_ROWS)?;
		let own = all.first().ok_or("there are some")?;
		Admitted::<T>::insert(own, ());
		Verifiers::<T>::mutate(own, |row| {
			if let Some(row) = row {
				row.offences = DISMISSED_AFTER - 1;
			}
		});
		let verdict = Verdict { guilty: true, invented: Some(own_key()) };
		let enough = all.len() * 2 / 3 + 1;
		let dispute = disputed::<T>(&all, (0, 0), Accuser::Number, |index| {
			(index < enough).then_some(verdict)
		})?;

		#[block]
		{
			Checks::<T>::do_close_dispute(dispute)?;
		}

		assert_eq!(Sums::<T>::get().guilty, 1);
		Ok(())
	}

	/// Each report is another verifier's, and so is each row of the day.
	#[benchmark]
	fn settle_checks() -> Result<(), BenchmarkError> {
		let all = verifiers::<T>(MAX_ROWS)?;
		let placed = touched::<T>();
		let receipt = checked::<T>(&placed)?;
		for (index, who) in (0u32..).zip(&all) {
			let row = Report {
				by: who.clone(),
				receipt,
				figures: high(&placed),
				commitment: H256::zero(),
				block: BLOCK,
				time_ms: NOW,
				until: 0,
				reopened: true,
			};
			Reports::<T>::insert(BATCH, ([3; 32], index), row);
		}
		let day: Vec<_> = all.into_iter().map(|who| (who, 1)).collect();
		let day = DayRow::<T::AccountId>::try_from(day).map_err(|_| "as many as there are rows")?;
		// Its pay can be held no longer.
		T::BenchmarkHelper::set_time(NOW + MAX_WINDOW_MS + MAX_HOLD_MS);
		Days::<T>::insert(Checks::<T>::today(), day);

		#[extrinsic_call]
		_(nobody::<T>() as T::RuntimeOrigin, BATCH);

		assert_eq!(Reports::<T>::iter().count(), 0);
		Ok(())
	}

	#[benchmark]
	fn pay_checks() -> Result<(), BenchmarkError> {
		let all = verifiers::<T>(MAX_ROWS)?;
		T::BenchmarkHelper::receive(1_000 * AIT);
		let today = Checks::<T>::today();
		let day: Vec<_> = all.into_iter().map(|who| (who, 1)).collect();
		let day = DayRow::<T::AccountId>::try_from(day).map_err(|_| "as many as there are rows")?;
		Days::<T>::insert(today, day);
		T::BenchmarkHelper::set_time(NOW + DAY_MS);

		#[extrinsic_call]
		_(nobody::<T>() as T::RuntimeOrigin, today);

		assert!(Sums::<T>::get().paid > 0);
		Ok(())
	}

	/// A demand without a name, with all others as witnesses.
	#[benchmark]
	fn name_receipt() -> Result<(), BenchmarkError> {
		let all = verifiers::<T>(MAX_ROWS)?;
		let placed = touched::<T>();
		let of = demanded_of::<T>(&placed, &all, u64::MAX)?;
		Demands::<T>::mutate(of, |row| {
			if let Some(row) = row {
				row.receipt = None;
			}
		});

		#[extrinsic_call]
		_(nobody::<T>() as T::RuntimeOrigin, of, Box::new(placed));

		assert!(Demands::<T>::get(of).is_some_and(|row| row.receipt.is_some()));
		Ok(())
	}

	#[benchmark]
	fn abstain() -> Result<(), BenchmarkError> {
		let all = verifiers::<T>(MAX_ROWS)?;
		let dispute = disputed::<T>(&all, (u64::MAX, u64::MAX), Accuser::Number, |_| None)?;
		let why = NoVote::NotShown(BATCH);
		let abstention = Abstention { juror: own_key(), dispute, why };
		let signature = sign(&abstention.juror, &abstention.signing_payload(&GENESIS))?;

		#[extrinsic_call]
		_(nobody::<T>() as T::RuntimeOrigin, Box::new(abstention), signature);

		let row = Disputes::<T>::get(dispute).ok_or("it is open")?;
		assert!(row.jurors.iter().any(|juror| juror.no_vote == Some(why)));
		Ok(())
	}

	/// The mint's window begins to stand still.
	#[benchmark]
	fn on_initialize() -> Result<(), BenchmarkError> {
		T::BenchmarkHelper::set_time(NOW);
		QuorumUntil::<T>::put(NOW);
		StillSince::<T>::kill();

		#[block]
		{
			Checks::<T>::on_initialize(1u32.into());
		}

		assert_eq!(StillSince::<T>::get(), Some(NOW));
		Ok(())
	}

	impl_benchmark_test_suite!(Checks, crate::mock::new_benchmark_ext(), crate::mock::Test);
}
