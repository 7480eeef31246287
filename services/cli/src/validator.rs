//! `gridproof validator`.

use crate::{
	args::{NodeArgs, PassphraseArgs, PayerArgs, UrlArgs},
	output::Output,
};
use clap::{Args, Subcommand};
use gridproof_chain::{Included, validator::SessionKeys};
use gridproof_keys::account::{address, parse_account};
use serde::Serialize;
use std::process::ExitCode;

/// What `gridproof validator` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Have the validator's node make new session keys, and announce them with its account. The node
	/// has to run with --rpc-methods unsafe for that moment.
	Rotate(RotateArgs),
	/// Only have the node make new session keys, for an account that is not on that machine.
	Keys(KeysArgs),
	/// Only announce session keys that a node has made for the account.
	Announce(AnnounceArgs),
	/// List the authorities of this session with the keys that they have announced last.
	List(UrlArgs),
}

/// Account that announces keys, and the node that gets it.
#[derive(Args)]
struct OwnerArgs {
	/// Announce keys although the account is not an authority yet.
	#[arg(long)]
	not_yet: bool,
	#[command(flatten)]
	account: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `validator rotate`.
#[derive(Args)]
pub struct RotateArgs {
	#[command(flatten)]
	owner: OwnerArgs,
}

/// Arguments of `validator keys`.
#[derive(Args)]
pub struct KeysArgs {
	/// The validator's account, which will announce them.
	#[arg(long, value_name = "ADDRESS", value_parser = parse_account)]
	owner: [u8; 32],
	/// Make keys although the account is not an authority yet.
	#[arg(long)]
	not_yet: bool,
	#[command(flatten)]
	node: UrlArgs,
}

/// Arguments of `validator announce`.
#[derive(Args)]
pub struct AnnounceArgs {
	/// The keys, as `validator keys` prints them.
	#[arg(long, value_name = "0x…", value_parser = bytes)]
	keys: Bytes,
	/// Their proof, as `validator keys` prints it.
	#[arg(long, value_name = "0x…", value_parser = bytes)]
	proof: Bytes,
	#[command(flatten)]
	owner: OwnerArgs,
}

/// Bytes that were written in hexadecimal digits.
#[derive(Clone)]
pub struct Bytes(Vec<u8>);

fn bytes(text: &str) -> Result<Bytes, String> {
	let digits = text.strip_prefix("0x").unwrap_or(text);
	let bytes = hex::decode(digits).ok().filter(|bytes| !bytes.is_empty());
	bytes.map(Bytes).ok_or_else(|| "write 0x and hexadecimal digits".to_string())
}

/// Keys that a node has made.
#[derive(Serialize)]
struct Made {
	owner: String,
	keys: String,
	proof: String,
}

/// Keys that were announced.
#[derive(Serialize)]
struct Announced {
	account: String,
	keys: String,
	block: String,
}

/// Account and keys of an authority.
#[derive(Serialize)]
struct Authority {
	account: String,
	/// What it has announced last, as the chain stores it.
	keys: Option<String>,
}

/// Runs one `gridproof validator` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Rotate(args) => rotate(&args.owner, out).await,
		Command::Keys(args) => keys(&args, out).await,
		Command::Announce(args) => {
			let keys = SessionKeys { keys: args.keys.0, proof: args.proof.0 };
			announce(&args.owner, &keys, out).await
		},
		Command::List(args) => list(&args, out).await,
	}?;
	Ok(ExitCode::SUCCESS)
}

fn shown(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}

async fn rotate(args: &OwnerArgs, out: &Output) -> anyhow::Result<()> {
	let account = args.account.load(&args.passphrase)?;
	let chain = args.node.connect().await?;
	// Before keys are made that nobody will announce.
	chain.check_authority(&account.account(), args.not_yet).await?;
	let keys = chain.make_session_keys(&account.account()).await?;
	announce(args, &keys, out).await
}

async fn keys(args: &KeysArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.node.connect().await?;
	chain.check_authority(&args.owner, args.not_yet).await?;
	let made = chain.make_session_keys(&args.owner).await?;
	let made =
		Made { owner: address(&args.owner), keys: shown(&made.keys), proof: shown(&made.proof) };
	out.result(&made, |made| {
		format!(
			"made for {}; announce them with\ngridproof validator announce --keys {} --proof {}",
			made.owner, made.keys, made.proof
		)
	})
}

async fn announce(args: &OwnerArgs, keys: &SessionKeys, out: &Output) -> anyhow::Result<()> {
	let account = args.account.load(&args.passphrase)?;
	let chain = args.node.connect().await?;
	let spinner = out.spinner("waiting for finality");
	let patience = args.node.patience();
	let included = chain.announce_session_keys(&account, keys, args.not_yet, &patience).await;
	spinner.finish_and_clear();
	let Included { block, .. } = included?;
	let announced = Announced {
		account: address(&account.account()),
		keys: shown(&keys.keys),
		block: format!("{block:#x}"),
	};
	out.result(&announced, |announced| {
		let Announced { account, keys, block } = announced;
		format!(
			"{account} has announced {keys}\nthey take effect in the session after the next one: keep \
			 the node running until then\nfinal in block {block}"
		)
	})
}

async fn list(args: &UrlArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.connect().await?;
	let mut authorities = Vec::new();
	for account in chain.authorities().await? {
		let keys = chain.next_session_keys(&account).await?.map(|keys| shown(&keys));
		authorities.push(Authority { account: address(&account), keys });
	}
	out.result(&authorities, |authorities| {
		let line = |authority: &Authority| {
			format!("{} {}", authority.account, authority.keys.as_deref().unwrap_or("no keys"))
		};
		authorities.iter().map(line).collect::<Vec<_>>().join("\n")
	})
}
