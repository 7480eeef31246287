//! Two blocks of one author for one slot are noticed when the second one is imported.

use gridproof_node_service::{
	chain::{Hash, Header},
	two_blocks::{KEPT_HEADERS, KEPT_SLOTS, Seen},
};
use sp_consensus_aura::{
	digests::CompatibleDigestItem,
	sr25519::{AuthorityId as AuraId, AuthorityPair, AuthoritySignature},
};
use sp_core::{Pair, crypto::ByteArray};
use sp_runtime::{Digest, DigestItem, traits::Header as _};

fn pair(number: u8) -> AuthorityPair {
	AuthorityPair::from_seed(&[number; 32])
}

/// A sealed header; the number makes contents differ.
fn header(author: &AuthorityPair, slot: u64, number: u32) -> Header {
	type Item = DigestItem;
	let slot = <Item as CompatibleDigestItem<AuthoritySignature>>::aura_pre_digest(slot.into());
	let parent = Hash::repeat_byte(author.public().as_slice()[0]);
	let digest = Digest { logs: vec![slot] };
	let mut header = Header::new(number, Hash::zero(), Hash::zero(), parent, digest);
	let signature = author.sign(header.hash().as_ref());
	let seal = <Item as CompatibleDigestItem<AuthoritySignature>>::aura_seal(signature);
	header.digest.push(seal);
	header
}

/// The author whose parent it is: see [`header`].
fn author(header: &Header) -> Option<AuraId> {
	let keys = [1, 2].map(|number| pair(number).public());
	let first = header.parent_hash.as_bytes()[0];
	keys.into_iter().find(|key| key.as_slice()[0] == first)
}

#[test]
fn a_second_content_for_one_slot_is_evidence_with_both_seals() {
	let mut seen = Seen::default();
	let (first, second) = (header(&pair(1), 7, 1), header(&pair(1), 7, 2));
	assert_eq!(seen.note(&first, author), None);
	assert_eq!(seen.note(&first, author), None);
	let found = seen.note(&second, author).expect("evidence");
	assert_eq!(found.blocks.author, pair(1).public());
	assert_eq!((&found.blocks.first, &found.blocks.second), (&first, &second));
	assert_eq!(found.state, second.parent_hash);
}

#[test]
fn another_slot_another_author_and_a_second_seal_of_the_same_are_none() {
	let mut seen = Seen::default();
	assert_eq!(seen.note(&header(&pair(1), 7, 1), author), None);
	assert_eq!(seen.note(&header(&pair(1), 8, 2), author), None);
	assert_eq!(seen.note(&header(&pair(2), 7, 3), author), None);
	// A signature of this kind differs each time.
	let again = header(&pair(1), 7, 1);
	assert_eq!(seen.note(&again, author), None);
	let mut bare = header(&pair(1), 7, 4);
	bare.digest.logs.clear();
	assert_eq!(seen.note(&bare, author), None);
}

#[test]
fn what_is_remembered_is_bounded() {
	let mut seen = Seen::default();
	let found = (0..20).filter_map(|number| seen.note(&header(&pair(1), 1, number), author));
	assert_eq!(found.count(), KEPT_HEADERS - 1);
	let last = 2 + KEPT_SLOTS as u64;
	for slot in 2..=last {
		assert_eq!(seen.note(&header(&pair(1), slot, 1), author), None);
	}
	// Older than what is kept.
	assert_eq!(seen.note(&header(&pair(1), 1, 30), author), None);
	assert!(seen.note(&header(&pair(1), last, 2), author).is_some());
}
