//! One reading of an accepted batch.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	H256,
	crypto::merkle::{self, ProofError},
	energy::{BatchHeader, MeterIndex, ReadingRefusal},
};
use sp_runtime::DispatchError;

type Reference = BatchReference<<Test as Config>::MaxChain>;

/// The siblings of reading `index` of `count`.
fn proof(count: u32, index: u32) -> Vec<H256> {
	let hashes: Vec<_> = leaves(count).iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
	merkle::inclusion_proof(&hashes, index as usize).unwrap()
}

fn recent(meter: MeterIndex, sequence: u64) -> Reference {
	BatchReference::Recent { meter, sequence }
}

fn chain(headers: &[BatchHeader]) -> Reference {
	BatchReference::Chain(headers.to_vec().try_into().unwrap())
}

fn verify(batch: Reference, leaf: &[u8], index: u32, proof: &[H256]) -> Result<(), DispatchError> {
	let leaf = leaf.to_vec().try_into().unwrap();
	let proof = proof.to_vec().try_into().unwrap();
	dispatch(Call::verify_reading { batch, leaf, index, proof }, account(5))
}

/// Accepts a batch of so many readings.
fn accept_readings(meter: MeterIndex, count: u32) -> BatchHeader {
	let header = BatchHeader { readings: count, root: root(count), ..header(meter, 0, 1) };
	accept(&sign(&header));
	header
}

#[test]
fn every_reading_of_batches_of_every_size_is_proven() {
	build_and_execute(|| {
		let meter = certify(1);
		for count in [1, 2, 3, 5, 8, 13] {
			let header = accept_readings(meter, count);
			for index in 0..count {
				let leaf = &leaves(count)[index as usize];
				let batch = recent(meter, header.sequence);
				assert_ok!(verify(batch, leaf, index, &proof(count, index)));
				let verified = Event::ReadingVerified {
					meter,
					sequence: header.sequence,
					root: header.root,
					leaf_hash: merkle::leaf_hash(leaf),
					index,
				};
				assert_eq!(last_event(), verified);
			}
		}
	});
}

#[test]
fn what_is_not_in_the_batch_is_not_proven() {
	build_and_execute(|| {
		let meter = certify(1);
		accept_readings(meter, 5);
		let (leaves, good) = (leaves(5), proof(5, 1));
		let fails = |leaf: &[u8], index, proof: &[H256]| {
			assert_noop!(verify(recent(meter, 0), leaf, index, proof), Error::<Test>::NotIncluded);
		};
		// Another reading, another place, a place that is not there.
		fails(&leaves[2], 1, &good);
		fails(&leaves[1], 0, &good);
		fails(&leaves[1], 5, &good);
		fails(&leaves[1], u32::MAX, &good);
		// A proof too short, too long, or of none.
		fails(&leaves[1], 1, &good[..2]);
		fails(&leaves[1], 1, &[good.as_slice(), &[H256::zero()]].concat());
		fails(&leaves[1], 1, &[]);
		// A node passed as a leaf.
		let pair: Vec<u8> = [merkle::leaf_hash(&leaves[0]), merkle::leaf_hash(&leaves[1])]
			.iter()
			.flat_map(|hash| hash.0)
			.collect();
		fails(&pair, 0, &good[1..]);
		// The odd leaf is not doubled: there is no sixth one.
		fails(&leaves[4], 5, &proof(5, 4));
		assert_ok!(verify(recent(meter, 0), &leaves[4], 4, &proof(5, 4)));
	});
}

#[test]
fn a_batch_that_was_never_accepted_proves_nothing() {
	build_and_execute(|| {
		let meter = certify(1);
		let leaf = &leaves(3)[0];
		let proof = proof(3, 0);
		let never = header(meter, 0, 10);
		for batch in [recent(meter, 0), recent(9, 0), chain(&[]), chain(&[never])] {
			let refused = verify(batch, leaf, 0, &proof);
			assert_noop!(refused, Error::<Test>::UnknownBatch);
		}
	});
}

#[test]
fn an_older_reading_is_proven_by_the_headers_that_follow() {
	build_and_execute(|| {
		// GIVEN more batches than are kept
		let meter = certify(1);
		let headers = accept_many(meter, MAX_RECENT + 4, 1);
		let (leaf, proof) = (&leaves(3)[2], proof(3, 2));
		let verify = |batch| verify(batch, leaf, 2, &proof);
		assert_noop!(verify(recent(meter, 3)), Error::<Test>::UnknownBatch);
		assert_ok!(verify(recent(meter, 4)));
		// THEN the header before the oldest one kept needs no others, the first one needs three
		assert_ok!(verify(chain(&headers[3..4])));
		assert_noop!(verify(chain(&headers[..1])), Error::<Test>::UnknownBatch);
		assert_noop!(verify(chain(&headers[..3])), Error::<Test>::UnknownBatch);
		assert_ok!(verify(chain(&headers[..4])));
		assert_ok!(verify(chain(&headers)));
		// One that is kept, and the last one, stand for themselves.
		assert_ok!(verify(chain(&headers[7..8])));
		assert_ok!(verify(chain(&headers[headers.len() - 1..])));
	});
}

#[test]
fn a_chain_with_a_gap_a_forgery_or_another_meter_is_broken() {
	build_and_execute(|| {
		let meter = certify(1);
		let other = certify(2);
		let headers = accept_many(meter, MAX_RECENT + 4, 1);
		let others = accept_many(other, MAX_RECENT + 4, 1);
		let (leaf, proof) = (&leaves(3)[0], proof(3, 0));
		let broken = |headers: &[BatchHeader]| {
			let refused = verify(chain(headers), leaf, 0, &proof);
			assert_noop!(refused, Error::<Test>::BrokenChain);
		};
		broken(&[headers[0].clone(), headers[2].clone()]);
		broken(&[headers[1].clone(), headers[0].clone()]);
		broken(&[headers[0].clone(), headers[0].clone()]);
		broken(&[headers[0].clone(), others[1].clone()]);
		let mut forged = headers[..4].to_vec();
		forged[0].root = root(5);
		broken(&forged);
		// A forged end is simply not known.
		let mut forged = headers[3].clone();
		forged.root = root(5);
		let refused = verify(chain(&[forged]), leaf, 0, &proof);
		assert_noop!(refused, Error::<Test>::UnknownBatch);
	});
}

#[test]
fn a_reading_can_be_proven_as_often_as_one_likes_and_nothing_comes_of_it() {
	build_and_execute(|| {
		let meter = certify(1);
		accept_readings(meter, 3);
		let before = issuance();
		for _ in 0..2 {
			assert_ok!(verify(recent(meter, 0), &leaves(3)[0], 0, &proof(3, 0)));
		}
		assert_eq!(issuance(), before);
	});
}

#[test]
fn the_views_answer_as_the_call_does() {
	build_and_execute(|| {
		let meter = certify(1);
		let headers = accept_many(meter, MAX_RECENT + 4, 1);
		let (leaf, proof) = (leaves(3)[0].clone(), proof(3, 0));
		let recent = |meter, sequence, index| {
			let (leaf, proof) = (leaf.clone(), proof.clone());
			MeterReadings::verify_recent_reading(meter, sequence, leaf, index, proof)
		};
		assert_eq!(recent(meter, 5, 0), Ok(()));
		let mismatch = ReadingRefusal::Proof(ProofError::RootMismatch);
		assert_eq!(recent(meter, 5, 1), Err(mismatch));
		assert_eq!(recent(meter, 0, 0), Err(ReadingRefusal::UnknownBatch));
		assert_eq!(recent(7, 0, 0), Err(ReadingRefusal::UnknownMeter));
		let older = |headers: &[BatchHeader], index| {
			let (leaf, proof) = (leaf.clone(), proof.clone());
			MeterReadings::verify_older_reading(headers.to_vec(), leaf, index, proof)
		};
		assert_eq!(older(&headers[..4], 0), Ok(()));
		assert_eq!(older(&headers[..4], 1), Err(mismatch));
		assert_eq!(older(&headers[..2], 0), Err(ReadingRefusal::UnknownBatch));
		assert_eq!(older(&[], 0), Err(ReadingRefusal::UnknownBatch));
		let strange = BatchHeader { meter: 7, ..headers[0].clone() };
		assert_eq!(older(&[strange], 0), Err(ReadingRefusal::UnknownMeter));
	});
}
