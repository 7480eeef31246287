//! Many batches in one transaction: what is kept, what the gateway learns, and what a crash leaves.

mod common;

use common::{NOW_MS, World};
use gridproof_anchor::{
	AnchorError, AnchorStatus, H256, Record,
	batch_set::{BatchSet, set_of_record},
	bitcoin::Transaction,
	commitment,
	daily::Standing,
	fees::FeePolicy,
	lock,
	psbt::Rate,
	wallet,
};
use gridproof_primitives::crypto::merkle::anchored::AnchorTree;
use std::{fs, time::Duration};

const DAY: Duration = Duration::from_secs(86_400);
/// Every pass is a new set's.
const NOW: Duration = Duration::ZERO;

async fn pass(world: &World) -> Vec<Standing> {
	let daily = world.daily();
	daily.pass(NOW, &world.signal()).await.unwrap()
}

async fn fails(world: &World) -> AnchorError {
	world.daily().pass(NOW, &world.signal()).await.unwrap_err()
}

fn root_of(roots: &[u8]) -> H256 {
	let roots: Vec<H256> = roots.iter().map(|root| H256([*root; 32])).collect();
	AnchorTree::of(&roots).unwrap().root()
}

/// Which roots the transactions commit to that the node has ever taken.
fn committed(world: &World, roots: &[H256]) -> Vec<usize> {
	let sent = world.bitcoin().sent.clone();
	let count = |root| sent.iter().filter(|one| commitment::find(one, root).is_ok()).count();
	roots.iter().map(count).collect()
}

fn states(world: &World) -> Vec<AnchorStatus> {
	world.gateway().batches.iter().map(|batch| batch.anchor_status).collect()
}

#[tokio::test]
async fn all_settled_batches_are_in_one_transaction_and_each_has_its_way_to_the_root() {
	let world = World::new().await;
	let ids: Vec<String> = (1..=5).map(|root| world.gateway().settle(root)).collect();
	let root = root_of(&[1, 2, 3, 4, 5]);
	let standing = pass(&world).await;
	let sent = world.bitcoin().mempool.clone();
	assert_eq!(sent.len(), 1);
	assert!(commitment::find(&sent[0], &root).is_ok());
	let txid = sent[0].compute_txid().to_string();
	let expected = Standing {
		number: 1,
		batches: 5,
		root: commitment::root_text(&root),
		state: AnchorStatus::Broadcast,
		txid: Some(txid.clone()),
		confirmations: 0,
		record: world.folder.path().join("000001.json").display().to_string(),
	};
	assert_eq!(standing, [expected]);
	for (index, id) in ids.iter().enumerate() {
		// The gateway has checked where the way begins.
		let reported = world.gateway().reported[id].clone();
		assert_eq!((reported.len(), reported[0].status.as_str()), (1, "broadcast"));
		assert_eq!(reported[0].txid.as_ref(), Some(&txid));
		let way = reported[0].path.clone().unwrap().path().unwrap();
		assert_eq!((way.root, way.index, way.tree_size), (root, index as u64, 5));
	}

	world.bitcoin().mine_all(5);
	pass(&world).await;
	assert_eq!(states(&world), [AnchorStatus::Broadcast; 5], "five blocks are not six");
	world.bitcoin().mine_all(1);
	let standing = pass(&world).await;
	assert_eq!((standing[0].state, standing[0].confirmations), (AnchorStatus::Confirmed, 6));
	assert_eq!(states(&world), [AnchorStatus::Confirmed; 5]);
	let reported = world.gateway().reported[&ids[4]].clone();
	assert_eq!(
		(reported.len(), reported[1].confirmations, reported[1].block_height),
		(2, Some(6), Some(1))
	);
	assert!(pass(&world).await.is_empty(), "nothing is left to do");
	assert_eq!(world.bitcoin().sent.len(), 1);
}

#[tokio::test]
async fn a_new_set_is_made_of_what_came_since_and_not_before_its_time() {
	let world = World::new().await;
	world.gateway().settle(1);
	let daily = world.daily();
	let pass = async || daily.pass(DAY, &world.signal()).await.unwrap();
	assert_eq!(pass().await.len(), 1);
	world.bitcoin().mine_all(1);
	world.gateway().settle(2);
	world.hands.advance(DAY - Duration::from_millis(1));
	assert_eq!(pass().await.len(), 1, "a day has not passed");
	world.hands.advance(Duration::from_millis(1));
	let standing = pass().await;
	assert_eq!(standing.iter().map(|set| set.batches).collect::<Vec<_>>(), [1, 1]);
	assert_eq!(committed(&world, &[root_of(&[1]), root_of(&[2])]), [1, 1]);
	let set = BatchSet::load(&world.folder.path().join("000002.set.json")).unwrap();
	assert_eq!(set.made_ms, NOW_MS + 86_400_000);
	assert_eq!((set.batches[0].meter, set.batches[0].sequence), (7, 1));
}

#[tokio::test]
async fn a_crash_at_any_step_neither_anchors_twice_nor_loses_a_batch() {
	let world = World::new().await;
	world.gateway().settle(1);
	// The set is kept, and nothing else: the wallet is locked.
	world.bitcoin().refuse.insert("signrawtransactionwithwallet", -13);
	assert!(matches!(fails(&world).await, AnchorError::Rpc { code: -13, .. }));
	assert!(world.bitcoin().locked.is_empty(), "what was not signed is given back");
	world.gateway().settle(2);
	world.bitcoin().refuse.clear();
	// The transaction is signed and kept, and not sent.
	world.bitcoin().refuse.insert("sendrawtransaction", -26);
	assert!(matches!(fails(&world).await, AnchorError::Rpc { code: -26, .. }));
	let kept = Record::load(&world.folder.path().join("000001.json")).unwrap();
	assert_eq!((kept.state(), kept.transaction().is_some()), (AnchorStatus::Pending, true));
	// The second set has no coin yet.
	world.bitcoin().refuse.clear();
	// It is sent, and the gateway does not hear of it.
	world.gateway().refuse = Some(500);
	assert!(matches!(fails(&world).await, AnchorError::Gateway(_)));
	assert_eq!(world.bitcoin().mempool[0].compute_txid(), kept.txid().unwrap());
	assert_eq!(states(&world), [AnchorStatus::Pending; 2]);
	world.gateway().refuse = None;
	// Now everything is there.
	world.bitcoin().fund(2, 50_000);
	pass(&world).await;
	assert_eq!(states(&world), [AnchorStatus::Broadcast; 2]);
	let (first, second) = (root_of(&[1]), root_of(&[2]));
	assert_eq!(committed(&world, &[first, second, root_of(&[1, 2])]), [1, 1, 0]);
	world.bitcoin().mine_all(6);
	pass(&world).await;
	assert_eq!(states(&world), [AnchorStatus::Confirmed; 2]);
	assert_eq!(world.bitcoin().sent.len(), 2);
}

#[tokio::test]
async fn a_batch_that_the_gateway_has_given_up_does_not_stop_the_others() {
	let world = World::new().await;
	world.gateway().settle(1);
	world.gateway().refuse = Some(404);
	pass(&world).await;
	let record = Record::load(&world.folder.path().join("000001.json")).unwrap();
	let reported = record.progress.unwrap().reported.unwrap();
	assert_eq!(reported.state, AnchorStatus::Broadcast);
}

#[tokio::test]
async fn two_programs_never_work_in_one_folder_or_at_one_record() {
	let world = World::new().await;
	world.gateway().settle(1);
	let first = world.daily();
	let again = lock(&world.folder.path().join("daily")).unwrap_err();
	assert_eq!(again, AnchorError::Busy(world.folder.path().join("daily").display().to_string()));
	drop(first);
	let record = world.folder.path().join("000001.json");
	let held = lock(&record).unwrap();
	assert_eq!(fails(&world).await, AnchorError::Busy(record.display().to_string()));
	assert!(world.bitcoin().sent.is_empty());
	drop(held);
	pass(&world).await;
	assert_eq!(world.bitcoin().sent.len(), 1);
}

/// The only transaction that waits, with its fee.
fn waiting(world: &World) -> (Transaction, u64) {
	let bitcoin = world.bitcoin();
	assert_eq!(bitcoin.mempool.len(), 1);
	(bitcoin.mempool[0].clone(), bitcoin.fee(&bitcoin.mempool[0]))
}

#[tokio::test]
async fn a_transaction_that_waits_is_replaced_by_one_that_pays_more_up_to_the_limit() {
	let world = World::new().await;
	let id = world.gateway().settle(1);
	pass(&world).await;
	let (first, fee) = waiting(&world);
	assert_eq!(fee, 306, "153 virtual bytes at the 2 sats that the node estimates");
	world.bitcoin().mine(vec![]);
	pass(&world).await;
	assert_eq!(waiting(&world).0, first, "one block is not two");
	world.bitcoin().mine(vec![]);
	pass(&world).await;
	let (second, fee) = waiting(&world);
	assert_eq!(fee, 459, "3 sats: what the first paid, and one more for each virtual byte");
	assert_eq!(second.input[0].previous_output, first.input[0].previous_output);
	assert!(commitment::find(&second, &root_of(&[1])).is_ok());
	let record = world.folder.path().join("000001.json");
	let kept = Record::load(&record).unwrap();
	assert_eq!(kept.txid(), Some(second.compute_txid()));
	assert_eq!(kept.progress.unwrap().replaced.len(), 1);
	pass(&world).await;
	let reported = world.gateway().reported[&id].last().unwrap().txid.clone();
	assert_eq!(reported, Some(second.compute_txid().to_string()));
	assert_eq!(waiting(&world).0, second, "it has waited for no block yet");

	// The node asks for more than is allowed: 10 sats are paid, and nothing after that.
	world.bitcoin().estimate = Some(0.01);
	for expected in [1_530, 1_530] {
		(0..2).for_each(|_| world.bitcoin().mine(vec![]));
		pass(&world).await;
		assert_eq!(waiting(&world).1, expected);
	}
	world.bitcoin().mine_all(6);
	pass(&world).await;
	assert_eq!(states(&world), [AnchorStatus::Confirmed]);
}

#[tokio::test]
async fn a_replaced_transaction_that_came_into_a_block_is_the_anchor() {
	let world = World::new().await;
	world.gateway().settle(1);
	pass(&world).await;
	let (first, _) = waiting(&world);
	(0..2).for_each(|_| world.bitcoin().mine(vec![]));
	pass(&world).await;
	assert_ne!(waiting(&world).0, first);
	world.bitcoin().mine(vec![first.clone()]);
	assert!(world.bitcoin().mempool.is_empty(), "the replacement spends the same coin");
	pass(&world).await;
	world.bitcoin().mine_all(5);
	pass(&world).await;
	let record = Record::load(&world.folder.path().join("000001.json")).unwrap();
	assert_eq!(
		(record.state(), record.txid()),
		(AnchorStatus::Confirmed, Some(first.compute_txid()))
	);
	assert_eq!(states(&world), [AnchorStatus::Confirmed]);
	assert_eq!(world.bitcoin().sent.len(), 2, "and nothing was sent again");
}

#[tokio::test]
async fn a_replacement_that_the_node_refuses_leaves_the_old_transaction() {
	let world = World::new().await;
	let id = world.gateway().settle(1);
	pass(&world).await;
	let (first, _) = waiting(&world);
	(0..2).for_each(|_| world.bitcoin().mine(vec![]));
	world.bitcoin().refuse.insert("sendrawtransaction", -26);
	pass(&world).await;
	let record = Record::load(&world.folder.path().join("000001.json")).unwrap();
	assert_eq!(
		(record.state(), record.txid()),
		(AnchorStatus::Broadcast, Some(first.compute_txid()))
	);
	assert_eq!(world.gateway().reported[&id].len(), 1, "nothing has changed for the gateway");
}

#[tokio::test]
async fn a_transaction_that_the_network_forgot_is_sent_again() {
	let world = World::new().await;
	world.gateway().settle(1);
	pass(&world).await;
	let (first, _) = waiting(&world);
	world.bitcoin().mempool.clear();
	pass(&world).await;
	assert_eq!(waiting(&world).0, first);
}

#[tokio::test]
async fn the_fee_rate_is_the_nodes_estimate_between_one_sat_and_the_limit() {
	let world = World::new().await;
	let policy = FeePolicy { target: 6, fallback: Rate(3_000), limit: Rate(10_000) };
	for (estimate, expected) in [
		(Some(0.000_025), 2_500),
		(Some(0.000_001), 1_000),
		(Some(0.5), 10_000),
		(None, 3_000),
		(Some(-1.0), 3_000),
	] {
		world.bitcoin().estimate = estimate;
		assert_eq!(policy.rate(&world.rpc()).await, Ok(Rate(expected)), "{estimate:?}");
	}
	for code in [-32_601, -1] {
		world.bitcoin().refuse.insert("estimatesmartfee", code);
		assert_eq!(policy.rate(&world.rpc()).await, Ok(Rate(3_000)), "{code}");
	}
	// 306 sats for 153 virtual bytes, and one more for each.
	assert_eq!(policy.raised(&world.rpc(), 306, 153).await, Ok(Some(Rate(3_000))));
	assert_eq!(policy.raised(&world.rpc(), 1_500, 153).await, Ok(None));
}

#[tokio::test]
async fn a_coin_that_somebody_else_has_taken_meanwhile_is_not_spent() {
	let world = World::new().await;
	let taken = world.bitcoin().fund(2, 900_000);
	world.bitcoin().snatched = Some(taken);
	let terms = wallet::Terms {
		network: world.settings.network,
		rate: Rate(2_000),
		max_fee: 50_000,
		change: None,
	};
	let (rpc, root) = (world.rpc(), H256([3; 32]));
	let made = wallet::make(&rpc, &rpc, &root, &terms).await.unwrap();
	let spent = made.signed.unwrap().input[0].previous_output;
	assert_ne!(spent, taken);
	assert!(world.bitcoin().locked.contains(&spent), "nobody else spends it until it is sent");
	let none = wallet::make(&rpc, &rpc, &root, &terms).await.unwrap_err();
	assert!(matches!(none, AnchorError::Funds(_)), "{none}");
}

#[tokio::test]
async fn a_wallet_that_does_not_sign_is_named_and_keeps_its_coins() {
	let world = World::new().await;
	world.gateway().settle(1);
	world.bitcoin().refuse.insert("signrawtransactionwithwallet", -32_601);
	assert_eq!(fails(&world).await, AnchorError::NoSigner(world.rpc().url().to_string()));
	assert!(world.bitcoin().locked.is_empty());
	assert!(world.bitcoin().sent.is_empty());
}

#[tokio::test]
async fn a_rehearsal_stays_one_and_does_not_spare_the_real_anchor() {
	let world = World::new().await;
	world.gateway().settle(1);
	let daily = world.rehearsal();
	let standing = daily.pass(NOW, &world.signal()).await.unwrap();
	assert_eq!((standing[0].state, &standing[0].txid), (AnchorStatus::Simulated, &None));
	assert_eq!(states(&world), [AnchorStatus::Simulated]);
	assert_eq!(daily.pass(NOW, &world.signal()).await, Ok(vec![]));
	assert!(world.bitcoin().sent.is_empty());
	drop(daily);
	let standing = pass(&world).await;
	assert_eq!((standing[0].number, standing[0].state), (2, AnchorStatus::Broadcast));
	assert_eq!(committed(&world, &[root_of(&[1])]), [1]);
}

#[tokio::test]
async fn a_set_that_was_altered_is_not_reported() {
	let world = World::new().await;
	world.gateway().settle(1);
	world.gateway().settle(2);
	pass(&world).await;
	let path = set_of_record(&world.folder.path().join("000001.json"));
	assert_eq!(path, world.folder.path().join("000001.set.json"));
	let text = fs::read_to_string(&path).unwrap();
	let again = BatchSet::load(&path).unwrap().create(&path).unwrap_err();
	assert!(matches!(again, AnchorError::File { .. }), "a set is never written twice: {again}");
	fs::write(&path, text.replacen(&"02".repeat(32), &"03".repeat(32), 1)).unwrap();
	world.bitcoin().mine_all(6);
	let error = fails(&world).await;
	assert!(matches!(&error, AnchorError::File { reason, .. } if reason.contains("another root")));
	assert_eq!(states(&world), [AnchorStatus::Broadcast; 2], "and not confirmed");
}

#[tokio::test]
async fn the_loop_works_until_it_is_stopped() {
	let world = World::new().await;
	world.gateway().settle(1);
	let (daily, signal) = (world.daily(), world.signal());
	let look = Duration::from_millis(10);
	let watching = async {
		let confirmed = [AnchorStatus::Confirmed];
		while states(&world) != confirmed {
			world.bitcoin().mine_all(1);
			tokio::time::sleep(look).await;
		}
		world.stop();
	};
	let (done, ()) = tokio::join!(daily.run(DAY, look, &signal), watching);
	assert_eq!(done, Ok(()));
	assert_eq!(world.bitcoin().sent.len(), 1);
}

#[tokio::test]
async fn the_loop_ends_where_only_its_operator_can_help() {
	let world = World::new().await;
	world.gateway().settle(1);
	world.bitcoin().refuse.insert("signrawtransactionwithwallet", -32_601);
	let done = world.daily().run(DAY, DAY, &world.signal()).await;
	assert_eq!(done, Err(AnchorError::NoSigner(world.rpc().url().to_string())));
}
