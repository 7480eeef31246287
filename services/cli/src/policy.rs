//! `gridproof policy`.

use crate::{keys::PassphraseArgs, output::Output, wallet};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use gridproof_attest::{
	Chain, H256,
	account::{AccountKey, development_signer, load_signer, parse_account},
	policy::{self, MintOrder, Minted, Redeemed, ShownAccount, ShownStatus, parse_millionths},
};
use gridproof_chain::Patience;
use std::{path::PathBuf, process::ExitCode, time::Duration};

/// What `gridproof policy` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Show today, the last day stated, coverage ratio, state, supply, allowance and queue.
	Status(StatusArgs),
	/// Mint of the day's allowance, as the issuer, and wait until it is final.
	Mint(MintArgs),
	/// Burn AICP for service credit and wait until it is final.
	Redeem(RedeemArgs),
	/// Show an account's AICP and service credit.
	Account(AccountArgs),
}

/// Arguments of `policy status`.
#[derive(Args)]
pub struct StatusArgs {
	/// The node.
	#[arg(long, value_name = "WS")]
	url: String,
}

/// Arguments of `policy mint`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("how_much").required(true).args(["amount", "all"]))]
pub struct MintArgs {
	/// How much, in AICP; at most six decimals.
	#[arg(long, value_name = "X", value_parser = parse_millionths)]
	amount: Option<u128>,
	/// Everything that is allowed today.
	#[arg(long)]
	all: bool,
	/// Whose it will be: an address, or 0x and 64 digits.
	#[arg(long, value_name = "ADDRESS", value_parser = parse_account)]
	to: [u8; 32],
	/// Mint only if this statement still counts: 0x and 64 digits. Else the one that counts now.
	#[arg(long, value_name = "HASH", value_parser = hash)]
	statement: Option<H256>,
	#[command(flatten)]
	signer: SignerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `policy redeem`.
#[derive(Args)]
pub struct RedeemArgs {
	/// How much, in AICP; at most six decimals.
	#[arg(long, value_name = "X", value_parser = parse_millionths)]
	amount: u128,
	/// Least credit to accept, in EUR; by default what it is worth now.
	#[arg(long, value_name = "X", value_parser = parse_millionths)]
	min_credit: Option<u128>,
	#[command(flatten)]
	signer: SignerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `policy account`.
#[derive(Args)]
pub struct AccountArgs {
	/// The account: an address, or 0x and 64 digits.
	#[arg(value_name = "ADDRESS", value_parser = parse_account)]
	account: [u8; 32],
	/// The node.
	#[arg(long, value_name = "WS")]
	url: String,
}

/// Whose key signs.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct SignerArgs {
	/// File, mode 0600, with the account's secret in its first line: a seed in hexadecimal
	/// digits or a secret phrase, either with a derivation path if need be.
	#[arg(long, visible_alias = "suri-file", value_name = "FILE", env = "GRIDPROOF_ACCOUNT_KEY")]
	key: Option<PathBuf>,
	/// The wallet of the account; its passphrase is asked for, or read from --passphrase-file.
	#[arg(long, value_name = "FILE", env = "GRIDPROOF_WALLET")]
	wallet: Option<PathBuf>,
	/// A development account, such as //Alice. No other secret is taken here, since others can
	/// read a command line.
	#[arg(long, value_name = "//NAME")]
	suri: Option<String>,
}

/// Where to send, and how long to wait.
#[derive(Args)]
pub struct NodeArgs {
	/// The node.
	#[arg(long, value_name = "WS")]
	url: String,
	/// Seconds to wait for finality before it is sent again.
	#[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
	timeout: u64,
	/// How often it is sent before that is given up.
	#[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
	attempts: u32,
}

impl SignerArgs {
	fn load(&self, passphrase: &PassphraseArgs) -> anyhow::Result<AccountKey> {
		if let Some(path) = &self.wallet {
			return wallet::open_key(path, passphrase);
		}
		match (&self.key, &self.suri) {
			(Some(path), _) => {
				let key = load_signer(path);
				Ok(key.with_context(|| format!("cannot use the key {}", path.display()))?.into())
			},
			(None, Some(uri)) => Ok(development_signer(uri)?.into()),
			(None, None) => bail!("whose key signs? Name it with --wallet or --key"),
		}
	}
}

impl NodeArgs {
	fn patience(&self) -> Patience {
		let per_attempt = Duration::from_secs(self.timeout);
		Patience { per_attempt, attempts: self.attempts, ..Patience::default() }
	}
}

fn hash(text: &str) -> Result<H256, String> {
	let wanted = || "write 0x and 64 hexadecimal digits".to_string();
	let digits = text.strip_prefix("0x").ok_or_else(wanted)?;
	parse_account(&format!("0x{digits}")).map(H256).map_err(|_| wanted())
}

/// Runs one `gridproof policy` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::Status(args) => status(&args, out).await,
		Command::Mint(args) => mint(&args, out).await,
		Command::Redeem(args) => redeem(&args, out).await,
		Command::Account(args) => account(&args, out).await,
	}?;
	Ok(ExitCode::SUCCESS)
}

async fn status(args: &StatusArgs, out: &Output) -> anyhow::Result<()> {
	let chain = Chain::connect(&args.url).await?;
	let status = policy::status(&chain).await?;
	out.result(&ShownStatus::from(&status), status_text)
}

fn status_text(status: &ShownStatus) -> String {
	let day = status.last_day.map_or("none".to_string(), |day| day.to_string());
	let stale = if status.stale { " (stale)" } else { "" };
	let exact = status.cr_exact.as_ref().map(|ratio| format!(" = {ratio}")).unwrap_or_default();
	let cr = status.cr.as_ref().map_or("undefined".to_string(), |cr| format!("{cr}{exact}"));
	let none = status.mint_refusal.map(|name| format!(" ({name})")).unwrap_or_default();
	format!(
		"today     {}\nstated    {day}{stale}\nCR        {cr}\nstate     {}\n\
		 reserve   {} EUR\nsupply    {} AICP\nallowance {} AICP{none}\n\
		 minted    {} AICP today\nqueue     {} tickets, {} EUR can be handed out today",
		status.today,
		status.state.as_str(),
		status.stock_value_eur,
		status.issuance,
		status.allowance,
		status.minted_today,
		status.queue,
		status.capacity_eur
	)
}

async fn mint(args: &MintArgs, out: &Output) -> anyhow::Result<()> {
	let issuer = args.signer.load(&args.passphrase)?;
	let amount = if args.all { None } else { args.amount };
	let order = MintOrder { amount, to: args.to, statement: args.statement };
	let spinner = out.spinner("connecting");
	let chain = Chain::connect(&args.node.url).await?;
	spinner.set_message("waiting for finality");
	let minted = policy::mint(&chain, issuer, &order, &args.node.patience()).await;
	spinner.finish_and_clear();
	out.result(&minted?, |minted: &Minted| {
		let Minted { who, amount, day, allowance, block, .. } = minted;
		format!(
			"{amount} AICP minted to {who} on the statement of {day}\n\
			 {allowance} AICP of the allowance are left\nfinal in block {block}"
		)
	})
}

async fn redeem(args: &RedeemArgs, out: &Output) -> anyhow::Result<()> {
	let holder = args.signer.load(&args.passphrase)?;
	let spinner = out.spinner("connecting");
	let chain = Chain::connect(&args.node.url).await?;
	spinner.set_message("waiting for finality");
	let patience = args.node.patience();
	let redeemed = policy::redeem(&chain, holder, args.amount, args.min_credit, &patience).await;
	spinner.finish_and_clear();
	out.result(&redeemed?, |redeemed: &Redeemed| {
		let Redeemed { who, amount, credit_eur, ticket, block } = redeemed;
		let waits = ticket.map(|ticket| format!(", which waits as ticket {ticket}"));
		let waits = waits.unwrap_or_default();
		format!(
			"{who}: {amount} AICP burned for {credit_eur} EUR of credit{waits}\n\
			 final in block {block}"
		)
	})
}

async fn account(args: &AccountArgs, out: &Output) -> anyhow::Result<()> {
	let chain = Chain::connect(&args.url).await?;
	let account = policy::account(&chain, &args.account).await?;
	out.result(&account, |account: &ShownAccount| {
		format!(
			"{}\nholds     {} AICP\ncredit    {} EUR to spend, {} EUR held\n\
			 waiting   {} EUR in {} tickets\nredeemed  {} AICP today",
			account.account,
			account.aicp,
			account.available_eur,
			account.held_eur,
			account.waiting_eur,
			account.tickets,
			account.redeemed_today
		)
	})
}
