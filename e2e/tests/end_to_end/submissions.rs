//! A connection that breaks while a transaction is on its way, and what became of the transaction.

use anyhow::{Result, ensure};
use gridproof_chain::{
	Chain, Patience, Submitter,
	pallets::balances::{call::transfer_allow_death, event::Transfer},
};
use gridproof_e2e::{Node, NodeConfig, ports::free_ports, reserve::gridproof, wait};
use gridproof_keys::account::{AccountKey, address, development_signer};
use std::time::{Duration, Instant};
use tokio::{
	io::copy_bidirectional,
	net::{TcpListener, TcpStream},
	sync::watch,
};

const LIMIT: Duration = Duration::from_secs(60);
/// How long the way to the node stays cut: by then the transaction is final.
const CUT: Duration = Duration::from_secs(4);
const SENT: u128 = 1_000_000_000_000_000_000;

/// A way to a node that can be cut.
struct Way {
	port: u16,
	open: watch::Sender<bool>,
}

impl Way {
	async fn to(port: u16) -> Result<Self> {
		let [own] = free_ports()?;
		let listener = TcpListener::bind(("127.0.0.1", own)).await?;
		let (open, state) = watch::channel(true);
		tokio::spawn(async move {
			while let Ok((mut client, _)) = listener.accept().await {
				let mut state = state.clone();
				tokio::spawn(async move {
					if !*state.borrow() {
						return;
					}
					let Ok(mut node) = TcpStream::connect(("127.0.0.1", port)).await else {
						return;
					};
					tokio::select! {
						_ = copy_bidirectional(&mut client, &mut node) => (),
						_ = state.wait_for(|open| !*open) => (),
					}
				});
			}
		});
		Ok(Self { port: own, open })
	}

	async fn cut(&self) {
		self.open.send_replace(false);
		tokio::time::sleep(CUT).await;
		self.open.send_replace(true);
	}
}

/// Waits until the pool has a transaction, and cuts the way to it.
async fn cut_when_pending(node: &Node, way: &Way) -> Result<()> {
	let start = Instant::now();
	while node.rpc()?.pending().await? == 0 {
		ensure!(start.elapsed() < LIMIT, "no transaction came");
		tokio::time::sleep(Duration::from_millis(5)).await;
	}
	way.cut().await;
	Ok(())
}

#[tokio::test]
async fn a_transaction_that_got_through_is_found_after_its_connection_broke() -> Result<()> {
	let mut config = NodeConfig::development();
	// A node answers to its own address only, unless it may be called from anywhere.
	config.arguments.extend(["--rpc-cors", "all"].map(str::to_owned));
	let node = Node::start(config).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let way = Way::to(node.rpc_port()).await?;
	let chain = Chain::connect(&format!("ws://127.0.0.1:{}", way.port)).await?;
	let receiver = AccountKey::from(development_signer("//nobody")?).account();
	let patience = Patience { per_attempt: Duration::from_secs(20), ..Patience::default() };
	let submitter = Submitter::new(chain.clone(), development_signer("//Bob")?, patience);
	let calls = [transfer_allow_death(receiver, SENT)];
	let (outcomes, cut) = tokio::join!(submitter.submit(&calls), cut_when_pending(&node, &way));
	cut?;
	for outcome in outcomes? {
		let [transfer] = &outcome?.all::<Transfer>()?[..] else { anyhow::bail!("one transfer") };
		assert_eq!((transfer.to, transfer.amount), (receiver, SENT));
	}
	assert_eq!(chain.native_balance(&receiver).await?.0, SENT, "sent once");
	Ok(())
}

/// Sends `count` transfers, one after another, each by a program of its own.
async fn transfers_by_programs(url: &str, receiver: &str, count: usize) -> Result<()> {
	for _ in 0..count {
		let transfer =
			["wallet", "transfer", "--suri", "//Dave", "--amount", "1", "--to", receiver];
		gridproof(&[&transfer[..], &["--url", url]].concat()).await?.done()?;
	}
	Ok(())
}

#[tokio::test]
async fn programs_that_send_from_one_account_at_a_time_send_everything_once() -> Result<()> {
	const PROGRAMS: usize = 3;
	const EACH: usize = 4;
	let node = Node::start(NodeConfig::development()).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let chain = Chain::connect(&node.rpc_url()).await?;
	let receiver = AccountKey::from(development_signer("//nobody")?).account();
	let (url, receiver_address) = (node.rpc_url(), address(&receiver));
	let programs = (0..PROGRAMS).map(|_| transfers_by_programs(&url, &receiver_address, EACH));
	futures::future::try_join_all(programs).await?;
	let expected = SENT * u128::try_from(PROGRAMS * EACH)?;
	assert_eq!(chain.native_balance(&receiver).await?.0, expected, "each sent once");
	Ok(())
}

#[tokio::test]
async fn a_transaction_whose_number_a_dearer_one_takes_in_the_pool_is_sent_with_the_next()
-> Result<()> {
	const ROUNDS: u128 = 8;
	let node = Node::start(NodeConfig::development()).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let receiver = AccountKey::from(development_signer("//nobody")?).account();
	let call = transfer_allow_death(receiver, SENT);
	// Two connections, which know nothing of each other's numbers.
	let (plain, dear) =
		(Chain::connect(&node.rpc_url()).await?, Chain::connect(&node.rpc_url()).await?);
	let patience = Patience { per_attempt: Duration::from_secs(20), ..Patience::default() };
	let plain = Submitter::new(plain, development_signer("//Dave")?, patience);
	let dearer =
		Submitter::new(dear.clone(), development_signer("//Dave")?, patience).with_tip(SENT / 100);
	for _ in 0..ROUNDS {
		let (one, other) = tokio::join!(plain.submit_one(&call), dearer.submit_one(&call));
		for outcome in [one?, other?] {
			assert_eq!(outcome.all::<Transfer>()?.len(), 1);
		}
	}
	assert_eq!(dear.native_balance(&receiver).await?.0, 2 * ROUNDS * SENT, "each sent once");
	Ok(())
}

#[tokio::test]
async fn what_waits_in_a_pool_is_cancelled_by_nothing_with_a_higher_tip() -> Result<()> {
	// It makes no blocks: what it is sent waits.
	let full = Node::start(NodeConfig::new("full", "dev", 2)).await?;
	let url = full.rpc_url();
	let cancel = async |more: &[&str]| {
		let command = ["wallet", "cancel", "--suri", "//Dave", "--url", &url];
		gridproof(&[&command[..], more].concat()).await
	};
	cancel(&[]).await?.assert_refused("no transaction of");

	let chain = Chain::connect(&url).await?;
	let receiver = AccountKey::from(development_signer("//nobody")?).account();
	let patience = Patience { per_attempt: LIMIT, attempts: 1, ..Patience::default() };
	let dave = Submitter::new(chain.clone(), development_signer("//Dave")?, patience);
	let sending = tokio::spawn(async move {
		dave.with_tip(SENT / 100).submit_one(&transfer_allow_death(receiver, SENT)).await
	});
	wait::until("the transfer in the pool", LIMIT, async || {
		Ok((full.rpc()?.pending().await? > 0).then_some(()))
	})
	.await?;
	sending.abort();

	cancel(&["--tip", "0.0001"]).await?.assert_refused("raise --tip");

	let mut config = NodeConfig::development();
	config.bootnodes = vec![full.address().await?];
	let cancelling = cancel(&["--tip", "1", "--timeout", "60"]);
	let author = async { Node::start(config).await };
	let (cancelled, author) = tokio::join!(cancelling, author);
	let cancelled = cancelled?.done()?;
	let author = author?;
	assert_eq!(cancelled["number"], 0, "{cancelled}");
	author.wait_for_finalized(chain.height().await? + 3, LIMIT).await?;
	assert_eq!(full.rpc()?.pending().await?, 0);
	assert_eq!(chain.native_balance(&receiver).await?.0, 0, "nothing was transferred");
	Ok(())
}
