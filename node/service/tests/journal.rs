//! The pool's file: what is written is read again, in order and once.

use codec::Encode;
use gridproof_node_service::journal::{FILE_NAME, Journal};
use sp_runtime::OpaqueExtrinsic;
use std::{fs, io::Write};

fn transactions() -> [OpaqueExtrinsic; 3] {
	[vec![4, 1, 2, 3], vec![4; 300], vec![4, 9]].map(OpaqueExtrinsic::from_blob)
}

#[test]
fn what_was_appended_is_read_again_in_order_and_once() {
	let folder = tempfile::tempdir().unwrap();
	let [first, second, third] = transactions();
	let (mut journal, found) = Journal::open(folder.path()).unwrap();
	assert_eq!(found, []);
	for transaction in [&second, &first, &second, &third] {
		journal.append(transaction).unwrap();
	}
	let (_, found) = Journal::open(folder.path()).unwrap();
	assert_eq!(found, [second, first, third]);
}

#[test]
fn a_record_that_was_cut_off_costs_only_itself() {
	let folder = tempfile::tempdir().unwrap();
	let [first, second, third] = transactions();
	let (mut journal, _) = Journal::open(folder.path()).unwrap();
	journal.append(&first).unwrap();
	let cut = second.encode();
	let path = folder.path().join(FILE_NAME);
	let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
	file.write_all(&cut[..cut.len() - 1]).unwrap();
	let (mut journal, found) = Journal::open(folder.path()).unwrap();
	assert_eq!(found, std::slice::from_ref(&first));
	// The next writing of the whole leaves nothing of it.
	journal.rewrite([&first, &third]).unwrap();
	assert_eq!(fs::read(path).unwrap(), [first.encode(), third.encode()].concat());
}

#[test]
fn a_file_that_was_written_anew_takes_more_at_its_end() {
	let folder = tempfile::tempdir().unwrap();
	let [first, second, third] = transactions();
	let (mut journal, _) = Journal::open(folder.path()).unwrap();
	journal.append(&first).unwrap();
	journal.rewrite([&second]).unwrap();
	journal.append(&third).unwrap();
	let (_, found) = Journal::open(folder.path()).unwrap();
	assert_eq!(found, [second, third]);
}

#[test]
fn a_folder_that_is_a_file_is_refused() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("file");
	fs::write(&path, "").unwrap();
	assert!(Journal::open(&path).is_err());
}
