//! The tree of RFC 6962 against its definition and against an independent implementation, and
//! whatever else could be passed off as a proof.

use ct_merkle::{
	ConsistencyProof, InclusionProof, RootHash,
	digest::{
		FixedOutput, HashMarker, Output, OutputSizeUser, Update, generic_array::GenericArray,
		typenum::U32,
	},
	mem_backed_tree::MemoryBackedTree,
};
use gridproof_primitives::{
	H256,
	crypto::merkle::{
		Position, ProofError, ProofStep, RootBuilder, consistency_proof, empty_root,
		inclusion_proof, inclusion_steps, leaf_hash, node_hash, path, root, verify_consistency,
		verify_inclusion, verify_inclusion_steps,
	},
};
use proptest::prelude::*;
use sp_crypto_hashing::sha2_256;

/// SHA-256 in the form that the independent implementation asks for.
#[derive(Clone, Default)]
struct Sha256(Vec<u8>);

impl HashMarker for Sha256 {}

impl OutputSizeUser for Sha256 {
	type OutputSize = U32;
}

impl Update for Sha256 {
	fn update(&mut self, data: &[u8]) {
		self.0.extend_from_slice(data);
	}
}

impl FixedOutput for Sha256 {
	fn finalize_into(self, out: &mut Output<Self>) {
		out.copy_from_slice(&sha2_256(&self.0));
	}
}

type Tree = MemoryBackedTree<Sha256, Vec<u8>>;

fn data(size: usize) -> Vec<Vec<u8>> {
	(0..size).map(|index| format!("reading {index}").into_bytes()).collect()
}

fn hashes(data: &[Vec<u8>]) -> Vec<H256> {
	data.iter().map(|data| leaf_hash(data)).collect()
}

fn tree(data: &[Vec<u8>]) -> Tree {
	let mut tree = Tree::new();
	data.iter().cloned().for_each(|data| tree.push(data));
	tree
}

fn bytes(root: &RootHash<Sha256>) -> H256 {
	H256::from_slice(root.as_bytes())
}

fn chunks(proof: &[u8]) -> Vec<H256> {
	proof.chunks(32).map(H256::from_slice).collect()
}

fn concatenated(proof: &[H256]) -> Vec<u8> {
	proof.iter().flat_map(|hash| hash.0).collect()
}

/// The definition, as RFC 6962 §2.1 states it.
fn tree_head(leaves: &[H256]) -> H256 {
	match leaves {
		[] => H256(sha2_256(b"")),
		[leaf] => *leaf,
		_ => {
			let split = leaves.len().next_power_of_two() / 2;
			node_hash(&tree_head(&leaves[..split]), &tree_head(&leaves[split..]))
		},
	}
}

#[test]
fn known_answers_of_certificate_transparency_hold() {
	let hex = gridproof_primitives::codec::hexadecimal::decode_hash;
	assert_eq!(
		Some(empty_root()),
		hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
	);
	assert_eq!(
		Some(leaf_hash(b"")),
		hex("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
	);
	let leaves: Vec<H256> = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
		.iter()
		.chain(&["606162636465666768696a6b6c6d6e6f"])
		.map(|leaf| leaf_hash(&gridproof_primitives::codec::hexadecimal::decode(leaf).unwrap()))
		.collect();
	assert_eq!(
		Some(root(&leaves)),
		hex("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
	);
}

#[test]
fn every_small_tree_agrees_with_the_independent_implementation() {
	for size in 0..=70 {
		let data = data(size);
		let (leaves, theirs) = (hashes(&data), tree(&data));
		let our_root = root(&leaves);
		assert_eq!(our_root, tree_head(&leaves));
		assert_eq!(our_root, bytes(&theirs.root()), "root of {size}");
		for (index, reading) in data.iter().enumerate() {
			let proof = inclusion_proof(&leaves, index).unwrap();
			assert_eq!(proof, chunks(theirs.prove_inclusion(index).as_bytes()));
			let (at, of) = (index as u64, size as u64);
			assert_eq!(verify_inclusion(&leaves[index], at, of, &proof, &our_root), Ok(()));
			let steps = inclusion_steps(&leaves, index).unwrap();
			assert_eq!(verify_inclusion_steps(&leaves[index], at, of, &steps, &our_root), Ok(()));
			let serialized = InclusionProof::from_bytes(concatenated(&proof));
			assert!(theirs.root().verify_inclusion(reading, at, &serialized).is_ok());
		}
		for old in 1..size {
			let proof = consistency_proof(&leaves, old).unwrap();
			assert_eq!(proof, chunks(theirs.prove_consistency(size - old).as_bytes()));
			let old_root = root(&leaves[..old]);
			let sizes = (old as u64, size as u64);
			assert_eq!(verify_consistency(sizes.0, &old_root, sizes.1, &our_root, &proof), Ok(()));
			let their_old = RootHash::new(GenericArray::from(old_root.0), sizes.0);
			let serialized = ConsistencyProof::try_from_bytes(concatenated(&proof)).unwrap();
			assert!(theirs.root().verify_consistency(&their_old, &serialized).is_ok());
		}
	}
}

#[test]
fn there_is_no_proof_of_a_leaf_that_is_not_there() {
	let leaves = hashes(&data(5));
	assert_eq!(inclusion_proof(&leaves, 5), None);
	assert_eq!(inclusion_proof(&[], 0), None);
	assert_eq!(consistency_proof(&leaves, 6), None);
	let anything = H256::repeat_byte(7);
	for (index, size) in [(0, 0), (1, 1), (5, 5), (u64::MAX, u64::MAX)] {
		for root in [empty_root(), anything] {
			let refused = verify_inclusion(&anything, index, size, &[], &root);
			assert_eq!(refused, Err(ProofError::IndexOutOfRange));
		}
	}
	assert_eq!(verify_inclusion(&anything, 0, 1, &[], &anything), Ok(()));
}

#[test]
fn the_longest_ways_end() {
	let anything = H256::repeat_byte(7);
	assert_eq!(path(0, u64::MAX).unwrap().count(), 64);
	assert_eq!(path(u64::MAX - 1, u64::MAX).unwrap().count(), 63);
	assert_eq!(path(1 << 63, (1 << 63) + 1).unwrap().collect::<Vec<_>>(), [Position::Left]);
	for length in [0, 1, 63, 64, 65, 1_000] {
		let proof = vec![anything; length];
		for index in [0, 1, u64::MAX / 2, u64::MAX - 1] {
			assert!(verify_inclusion(&anything, index, u64::MAX, &proof, &anything).is_err());
		}
		for old in [0, 1, 1 << 63, u64::MAX - 1, u64::MAX] {
			let other = H256::repeat_byte(8);
			assert!(verify_consistency(old, &other, u64::MAX, &anything, &proof).is_err());
		}
	}
}

#[test]
fn consistency_of_lists_that_are_empty_or_the_same() {
	let leaves = hashes(&data(3));
	let (head, none) = (root(&leaves), empty_root());
	assert_eq!(consistency_proof(&leaves, 0), Some(vec![]));
	assert_eq!(consistency_proof(&leaves, 3), Some(vec![]));
	assert_eq!(verify_consistency(0, &none, 3, &head, &[]), Ok(()));
	assert_eq!(verify_consistency(0, &none, 0, &none, &[]), Ok(()));
	assert_eq!(verify_consistency(3, &head, 3, &head, &[]), Ok(()));
	let refused = |old, old_root, new, new_root, proof: &[H256]| {
		verify_consistency(old, &old_root, new, &new_root, proof).unwrap_err()
	};
	assert_eq!(refused(0, head, 3, head, &[]), ProofError::RootMismatch);
	assert_eq!(refused(3, none, 3, head, &[]), ProofError::RootMismatch);
	assert_eq!(refused(3, head, 3, head, &[head]), ProofError::WrongLength);
	assert_eq!(refused(0, none, 3, head, &[head]), ProofError::WrongLength);
	assert_eq!(refused(4, head, 3, head, &[]), ProofError::SizesReversed);
	assert_eq!(refused(2, head, 3, head, &[]), ProofError::WrongLength);
}

#[test]
fn one_leaf_proven_twice_stands_at_one_index_only() {
	// Two equal readings are two leaves; a proof of one does not prove the other.
	let mut data = data(6);
	data[4] = data[1].clone();
	let leaves = hashes(&data);
	let head = root(&leaves);
	let first = inclusion_proof(&leaves, 1).unwrap();
	let second = inclusion_proof(&leaves, 4).unwrap();
	assert_eq!(verify_inclusion(&leaves[1], 1, 6, &first, &head), Ok(()));
	assert_eq!(verify_inclusion(&leaves[1], 4, 6, &second, &head), Ok(()));
	for index in [0, 2, 3, 4, 5] {
		assert!(verify_inclusion(&leaves[1], index, 6, &first, &head).is_err(), "{index}");
	}
}

#[test]
fn sides_that_do_not_fit_index_and_size_are_refused() {
	let leaves = hashes(&data(5));
	let (head, leaf) = (root(&leaves), leaves[2]);
	let steps = inclusion_steps(&leaves, 2).unwrap();
	for turned in 0..steps.len() {
		let mut steps = steps.clone();
		let ProofStep { position, .. } = &mut steps[turned];
		*position = match position {
			Position::Left => Position::Right,
			Position::Right => Position::Left,
		};
		let refused = verify_inclusion_steps(&leaf, 2, 5, &steps, &head);
		assert_eq!(refused, Err(ProofError::WrongPosition));
	}
	assert_eq!(
		verify_inclusion_steps(&leaf, 2, 5, &steps[1..], &head),
		Err(ProofError::WrongLength)
	);
	assert_eq!(
		verify_inclusion_steps(&leaf, 5, 5, &steps, &head),
		Err(ProofError::IndexOutOfRange)
	);
}

#[test]
fn a_passing_list_takes_little_memory() {
	let mut builder = RootBuilder::new();
	assert!(builder.is_empty());
	assert_eq!(builder.root(), empty_root());
	for index in 0..100_000u32 {
		builder.push(&index.to_be_bytes());
	}
	assert_eq!(builder.len(), 100_000);
	let encoded = codec::Encode::encode(&builder);
	// 8 bytes of length, one byte of count, one hash for each of the ones in 100,000.
	assert_eq!(encoded.len(), 8 + 1 + 32 * 100_000u32.count_ones() as usize);
	let leaves: Vec<H256> = (0..100_000u32).map(|index| leaf_hash(&index.to_be_bytes())).collect();
	assert_eq!(builder.root(), tree_head(&leaves));
	// It can be kept and taken up again.
	let mut again: RootBuilder = codec::Decode::decode(&mut &encoded[..]).unwrap();
	again.push(b"one more");
	builder.push(b"one more");
	assert_eq!(again.root(), builder.root());
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(200))]

	#[test]
	fn large_trees_agree_with_the_independent_implementation(
		size in 71usize..1_500,
		index in any::<prop::sample::Index>(),
		old in any::<prop::sample::Index>(),
	) {
		let data = data(size);
		let (leaves, theirs) = (hashes(&data), tree(&data));
		let head = root(&leaves);
		prop_assert_eq!(head, bytes(&theirs.root()));
		let index = index.index(size);
		let proof = inclusion_proof(&leaves, index).unwrap();
		prop_assert_eq!(&proof, &chunks(theirs.prove_inclusion(index).as_bytes()));
		let (at, of) = (index as u64, size as u64);
		prop_assert_eq!(verify_inclusion(&leaves[index], at, of, &proof, &head), Ok(()));
		let old = 1 + old.index(size - 1);
		let proof = consistency_proof(&leaves, old).unwrap();
		prop_assert_eq!(&proof, &chunks(theirs.prove_consistency(size - old).as_bytes()));
		let old_root = root(&leaves[..old]);
		prop_assert_eq!(verify_consistency(old as u64, &old_root, of, &head, &proof), Ok(()));
	}

	#[test]
	fn a_proof_with_anything_altered_does_not_hold(
		size in 2usize..200,
		index in any::<prop::sample::Index>(),
		other in any::<prop::sample::Index>(),
		at in any::<prop::sample::Index>(),
		bit in 0usize..256,
	) {
		let leaves = hashes(&data(size));
		let head = root(&leaves);
		let index = index.index(size);
		let (of, leaf) = (size as u64, leaves[index]);
		let proof = inclusion_proof(&leaves, index).unwrap();
		let refused = |leaf: &H256, index: usize, proof: &[H256], root: &H256| {
			verify_inclusion(leaf, index as u64, of, proof, root).is_err()
		};
		let flipped = |hash: H256| {
			let mut hash = hash;
			hash.0[bit / 8] ^= 1 << (bit % 8);
			hash
		};
		prop_assert!(refused(&flipped(leaf), index, &proof, &head));
		prop_assert!(refused(&leaf, index, &proof, &flipped(head)));
		let at = at.index(proof.len());
		let mut altered = proof.clone();
		altered[at] = flipped(altered[at]);
		prop_assert!(refused(&leaf, index, &altered, &head));
		let mut shorter = proof.clone();
		shorter.remove(at);
		prop_assert!(refused(&leaf, index, &shorter, &head));
		let mut longer = proof.clone();
		longer.insert(at, longer[at]);
		prop_assert!(refused(&leaf, index, &longer, &head));
		let other = other.index(size);
		prop_assume!(other != index);
		prop_assert!(refused(&leaf, other, &proof, &head));
		prop_assert!(refused(&leaves[other], index, &proof, &head));
	}

	#[test]
	fn a_size_with_another_way_up_does_not_hold(
		size in 1usize..200,
		claimed in 0u64..1_000,
		index in any::<prop::sample::Index>(),
	) {
		let leaves = hashes(&data(size));
		let head = root(&leaves);
		let index = index.index(size);
		let proof = inclusion_proof(&leaves, index).unwrap();
		let at = index as u64;
		let ways = (path(at, size as u64), path(at, claimed));
		let same_way = match ways {
			(Some(own), Some(claimed)) => own.eq(claimed),
			_ => false,
		};
		let holds = verify_inclusion(&leaves[index], at, claimed, &proof, &head).is_ok();
		prop_assert_eq!(holds, same_way);
	}

	#[test]
	fn an_altered_consistency_proof_does_not_hold(
		size in 2usize..200,
		old in any::<prop::sample::Index>(),
		at in any::<prop::sample::Index>(),
		bit in 0usize..256,
	) {
		let leaves = hashes(&data(size));
		let old = 1 + old.index(size - 1);
		let (head, old_root) = (root(&leaves), root(&leaves[..old]));
		let proof = consistency_proof(&leaves, old).unwrap();
		let at = at.index(proof.len());
		let mut altered = proof.clone();
		altered[at].0[bit / 8] ^= 1 << (bit % 8);
		let verify = |old_root: &H256, head: &H256, proof: &[H256]| {
			verify_consistency(old as u64, old_root, size as u64, head, proof)
		};
		prop_assert_eq!(verify(&old_root, &head, &proof), Ok(()));
		prop_assert_eq!(verify(&old_root, &head, &altered), Err(ProofError::RootMismatch));
		prop_assert_eq!(verify(&old_root, &old_root, &proof), Err(ProofError::RootMismatch));
		prop_assert_eq!(verify(&head, &head, &proof), Err(ProofError::RootMismatch));
		let longer = [&proof[..], &[head]].concat();
		prop_assert_eq!(verify(&old_root, &head, &longer), Err(ProofError::WrongLength));
	}

	#[test]
	fn whatever_is_given_there_is_an_answer(
		leaf in any::<[u8; 32]>(),
		index in any::<u64>(),
		size in any::<u64>(),
		proof in prop::collection::vec(any::<[u8; 32]>(), 0..80),
	) {
		let proof: Vec<H256> = proof.into_iter().map(H256).collect();
		let (leaf, root) = (H256(leaf), H256::repeat_byte(1));
		prop_assert!(verify_inclusion(&leaf, index, size, &proof, &root).is_err());
		prop_assert!(verify_consistency(index, &leaf, size, &root, &proof).is_err());
	}
}
