//! History, pruning and proofs.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{H256, reserve::archive::ArchiveProof, reserve::attestation::Kind};

/// States and prunes: days 0 … 14 with a history of ten, day 5 revised once.
fn fill() -> Vec<Attestation<u64>> {
	let mut gone = Vec::new();
	for offset in 0..15 {
		System::set_block_number(1 + offset as u64);
		set_time(day(offset + 1), 25);
		let stated = fields(day(offset));
		if offset >= 10 {
			gone.push(Attestations::attestation(Kind::Reserve, day(offset - 10)).unwrap());
		}
		assert_ok!(submit(&stated));
		if offset == 5 {
			gone.push(Attestations::attestation(Kind::Reserve, day(5)).unwrap());
			assert_ok!(submit(&revision(&stated)));
		}
	}
	gone
}

/// A proof for each archived attestation, from the events alone.
fn proofs() -> Vec<ArchiveProof> {
	let archived: Vec<(H256, H256)> = events()
		.into_iter()
		.filter_map(|event| match event {
			Event::Archived { entry, head, .. } => Some((entry, head)),
			_ => None,
		})
		.collect();
	let previous = |index: usize| match index {
		0 => H256::zero(),
		_ => archived[index - 1].1,
	};
	(0..archived.len())
		.map(|index| ArchiveProof {
			index: index as u64,
			previous: previous(index),
			following: archived[index + 1..].iter().map(|(entry, _)| *entry).collect(),
		})
		.collect()
}

#[test]
fn the_history_is_bounded_and_the_oldest_day_leaves_first() {
	build_and_execute(|| {
		fill();
		let days: Vec<_> = (5..15).map(day).collect();
		assert_eq!(Attestations::days(Kind::Reserve), days);
		let archive = Attestations::archive(Kind::Reserve);
		assert_eq!((archive.length, archive.pruned_through), (6, Some(day(4))));
		assert_eq!(Attestations::attestation(Kind::Reserve, day(4)), None);
		assert_eq!(Standing::<Test>::iter().count(), 10);
	});
}

#[test]
fn whatever_left_the_state_can_still_be_proven() {
	build_and_execute(|| {
		let gone = fill();
		let proofs = proofs();
		assert_eq!((gone.len(), proofs.len()), (6, 6));
		for (attestation, proof) in gone.iter().zip(&proofs) {
			assert!(Attestations::verify_archived(attestation.clone(), proof.clone()));
		}
	});
}

#[test]
fn nothing_else_can_be_proven() {
	build_and_execute(|| {
		let gone = fill();
		let proofs = proofs();
		let (good, proof) = (&gone[3], &proofs[3]);
		let refused = |attestation: &Attestation<u64>, proof: &ArchiveProof| {
			assert!(!Attestations::verify_archived(attestation.clone(), proof.clone()));
		};
		// Another figure, digest, signer or time.
		let mut bad = good.clone();
		bad.fields.wh_raw += 1;
		refused(&bad, proof);
		refused(&Attestation { digest: H256::zero(), ..good.clone() }, proof);
		let mut bad = good.clone();
		bad.signers.pop();
		refused(&bad, proof);
		let mut bad = good.clone();
		bad.accepted.time += 1;
		refused(&bad, proof);
		// Another kind's archive.
		let mut bad = good.clone();
		bad.fields.kind = Kind::Rehearsal;
		refused(&bad, proof);
		// Another place, a shorter or longer tail, another start.
		refused(&gone[2], proof);
		refused(good, &ArchiveProof { index: 2, ..proof.clone() });
		let mut shorter = proof.clone();
		shorter.following.pop();
		refused(good, &shorter);
		let mut longer = proof.clone();
		longer.following.push(H256::zero());
		refused(good, &longer);
		refused(good, &ArchiveProof { previous: H256::zero(), ..proof.clone() });
		refused(good, &ArchiveProof { index: u64::MAX, ..proof.clone() });
		// What is still in force is not in the archive.
		let standing = Attestations::attestation(Kind::Reserve, day(14)).unwrap();
		refused(&standing, proof);
	});
}

#[test]
fn a_pruned_day_cannot_be_stated_again() {
	build_and_execute(|| {
		fill();
		// Day 4 was pruned; the clock is turned back, as a lying author would.
		set_time(day(5), 25);
		assert_noop!(submit(&fields(day(4))), Error::<Test>::AncientDay);
	});
}

#[test]
fn a_full_history_has_no_place_before_its_oldest_day() {
	build_and_execute(|| {
		// GIVEN ten days, none of them pruned
		for offset in 1..11 {
			set_time(day(offset + 1), 25);
			assert_ok!(submit(&fields(day(offset))));
		}
		// WHEN an earlier day comes late
		set_time(day(7), 25);
		// THEN it is refused, and the history is as it was
		assert_noop!(submit(&fields(day(0))), Error::<Test>::AncientDay);
	});
}

#[test]
fn a_pruned_day_stays_out_where_an_upgrade_has_made_room() {
	build_and_execute(|| {
		fill();
		// GIVEN a history with room, as after an upgrade that raises its bound
		Standing::<Test>::remove(Kind::Reserve, day(14));
		Days::<Test>::mutate(Kind::Reserve, |days| days.pop());
		// THEN a day whose attestation is in the archive cannot be stated again
		set_time(day(5), 25);
		assert_noop!(submit(&fields(day(4))), Error::<Test>::AncientDay);
	});
}

#[test]
fn a_revision_does_not_forget_what_was_pruned() {
	build_and_execute(|| {
		fill();
		assert_ok!(submit(&revision(&fields(day(14)))));
		let archive = Attestations::archive(Kind::Reserve);
		assert_eq!((archive.length, archive.pruned_through), (7, Some(day(4))));
	});
}
