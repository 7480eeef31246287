//! `gridproof policy`.

use crate::{
	args::{
		NodeArgs, PassphraseArgs, PayerArgs, UrlArgs,
		amount::{aicp, eur, trimmed},
	},
	issuer::{self, IssuerArgs},
	output::Output,
};
use clap::{Args, Subcommand};
use gridproof_attest::{
	MintOrder, Minted, Redeemed, ShownAccount, ShownCoverage, Spent, coverage_account, millionths,
	mint_refusal,
};
use gridproof_chain::pallets::{
	coverage_policy::{Refusal, query},
	treasury,
};
use gridproof_keys::account::parse_account;
use gridproof_primitives::H256;
use gridproof_support::text::Amount;
use serde::Serialize;
use std::process::ExitCode;

/// What `gridproof policy` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Show today, the last day stated, coverage ratio, state, supply, allowance and queue.
	Status(UrlArgs),
	/// Mint AICP of the day's allowance to the treasury, as the issuer, and wait until it is final.
	Mint(MintArgs),
	/// Mint each day's allowance to the treasury as soon as there is one, until it is stopped.
	Issuer(IssuerArgs),
	/// Spend the treasury's AICP, as root of a chain whose root is one key, and wait until it is paid
	/// out. Where several govern: govern spend, then payout.
	Spend(SpendArgs),
	/// Have an approved spend of the treasury paid out; anybody can within 30 days.
	Payout(PayoutArgs),
	/// Burn AICP for service credit and wait until it is final.
	Redeem(RedeemArgs),
	/// Show what redeeming an amount gives, and how long it would wait. Sends nothing.
	Quote(QuoteArgs),
	/// Show an account's AICP and service credit.
	Account(AccountArgs),
}

/// Arguments of `policy mint`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("how_much").required(true).args(["amount", "all"]))]
pub struct MintArgs {
	/// The amount in AICP; at most six decimals.
	#[arg(long, value_name = "X", value_parser = aicp)]
	amount: Option<u128>,
	/// Everything that is allowed today.
	#[arg(long)]
	all: bool,
	/// Mint only if this statement still counts: 0x and 64 digits. By default, the one that counts
	/// now.
	#[arg(long, value_name = "HASH", value_parser = hash)]
	statement: Option<H256>,
	#[command(flatten)]
	signer: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `policy spend`.
#[derive(Args)]
pub struct SpendArgs {
	/// The amount in AICP; at most six decimals.
	#[arg(long, value_name = "X", value_parser = aicp)]
	amount: u128,
	/// The account that receives it: an address, or 0x and 64 digits.
	#[arg(long, value_name = "ADDRESS", value_parser = parse_account)]
	to: [u8; 32],
	#[command(flatten)]
	signer: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `policy payout`.
#[derive(Args)]
pub struct PayoutArgs {
	/// The number of the spend, as `govern spend` printed it.
	#[arg(value_name = "NUMBER")]
	spend: u32,
	#[command(flatten)]
	signer: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// A spend that was paid out.
#[derive(Serialize)]
struct PaidOut {
	spend: u32,
	block: String,
}

/// Arguments of `policy quote`.
#[derive(Args)]
pub struct QuoteArgs {
	/// The amount in AICP; at most six decimals.
	#[arg(long, value_name = "X", value_parser = aicp)]
	amount: u128,
	#[command(flatten)]
	node: UrlArgs,
}

/// Arguments of `policy redeem`.
#[derive(Args)]
pub struct RedeemArgs {
	/// The amount in AICP; at most six decimals.
	#[arg(long, value_name = "X", value_parser = aicp)]
	amount: u128,
	/// Least credit to accept, in EUR; by default what the amount is worth now.
	#[arg(long, value_name = "X", value_parser = eur)]
	min_credit: Option<u128>,
	#[command(flatten)]
	signer: PayerArgs,
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
	#[command(flatten)]
	node: UrlArgs,
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
		Command::Issuer(args) => issuer::run(&args, out).await,
		Command::Spend(args) => spend(&args, out).await,
		Command::Payout(args) => payout(&args, out).await,
		Command::Redeem(args) => redeem(&args, out).await,
		Command::Quote(args) => quote(&args, out).await,
		Command::Account(args) => account(&args, out).await,
	}?;
	Ok(ExitCode::SUCCESS)
}

async fn status(args: &UrlArgs, out: &Output) -> anyhow::Result<()> {
	let status = args.connect().await?.read(&query::status()).await?;
	let nothing = mint_refusal(&status).map(Refusal::advice);
	out.result(&ShownCoverage::from(&status), |shown| status_text(shown, nothing))
}

fn status_text(status: &ShownCoverage, nothing: Option<&str>) -> String {
	let day = status.last_day.map_or("none".to_string(), |day| day.to_string());
	let stale = if status.stale { " (stale)" } else { "" };
	let nothing = nothing.map(|reason| format!(" ({reason})")).unwrap_or_default();
	format!(
		"today     {}\nstated    {day}{stale}\nCR        {}\nstate     {}\n\
		 reserve   {} EUR\nsupply    {} AICP\nallowance {} AICP{nothing}\n\
		 minted    {} AICP today\nqueue     {} tickets, {} EUR wait\n\
		 credit    {} of {} EUR can be handed out today; the treasury backs {} EUR more",
		status.today,
		status.cr.as_deref().unwrap_or("undefined"),
		status.state.as_str(),
		trimmed(&status.stock_value_eur),
		trimmed(&status.issuance),
		trimmed(&status.allowance),
		trimmed(&status.minted_today),
		status.queue,
		trimmed(&status.waiting_eur),
		trimmed(&status.capacity_eur),
		trimmed(&status.daily_capacity_eur),
		trimmed(&status.budget_eur)
	)
}

async fn mint(args: &MintArgs, out: &Output) -> anyhow::Result<()> {
	let issuer = args.signer.load(&args.passphrase)?;
	let amount = if args.all { None } else { args.amount };
	let order = MintOrder { amount, statement: args.statement };
	let spinner = out.spinner("connecting");
	let chain = args.node.connect().await?;
	spinner.set_message("waiting for finality");
	let minted = gridproof_attest::mint(&chain, &issuer, &order, &args.node.patience()).await;
	spinner.finish_and_clear();
	out.result(&minted?, |minted: &Minted| {
		let Minted { amount, day, allowance, block, .. } = minted;
		let (amount, allowance) = (trimmed(amount), trimmed(allowance));
		format!(
			"{amount} AICP minted to the treasury on the statement of {day}\n\
			 {allowance} AICP of the allowance are left\nfinal in block {block}"
		)
	})
}

async fn spend(args: &SpendArgs, out: &Output) -> anyhow::Result<()> {
	let root = args.signer.load(&args.passphrase)?;
	let spinner = out.spinner("connecting");
	let chain = args.node.connect().await?;
	spinner.set_message("waiting for finality");
	let patience = args.node.patience();
	let spent = gridproof_attest::spend(&chain, &root, args.amount, args.to, &patience).await;
	spinner.finish_and_clear();
	out.result(&spent?, |spent: &Spent| {
		let Spent { spend, to, amount, block, .. } = spent;
		let amount = trimmed(amount);
		format!(
			"{amount} AICP of the treasury paid to {to} (spend {spend})\nfinal in block {block}"
		)
	})
}

async fn payout(args: &PayoutArgs, out: &Output) -> anyhow::Result<()> {
	let signer = args.signer.load(&args.passphrase)?;
	let chain = args.node.connect().await?;
	let spinner = out.spinner("waiting for finality");
	let call = treasury::call::payout(args.spend);
	let included = chain.submit(&signer, &call, &args.node.patience()).await;
	spinner.finish_and_clear();
	let block = format!("{:#x}", included?.block);
	out.result(&PaidOut { spend: args.spend, block }, |paid| {
		format!("spend {} is paid out\nfinal in block {}", paid.spend, paid.block)
	})
}

/// What a redemption would give, as it is shown.
#[derive(Serialize)]
struct ShownQuote {
	/// Credit, in EUR.
	credit_eur: String,
	/// In units of 10⁻⁶ EUR.
	credit_eur_units: Amount,
	/// Days until all of it can be spent, at today's capacity; none if the treasury does not back
	/// all that would wait.
	days: Option<u32>,
}

async fn quote(args: &QuoteArgs, out: &Output) -> anyhow::Result<()> {
	let quote = args.node.connect().await?.read(&query::redeem_quote(args.amount)).await?;
	let shown = ShownQuote {
		credit_eur: millionths(quote.credit),
		credit_eur_units: Amount(quote.credit),
		days: quote.days,
	};
	out.result(&shown, |shown: &ShownQuote| {
		let when = match shown.days {
			Some(0) => "at once".to_string(),
			Some(days) => format!("all of it in {days} days, at today's capacity"),
			None => "when the treasury has more AICP: it backs less than would wait".to_string(),
		};
		format!("{} EUR of credit, {when}", trimmed(&shown.credit_eur))
	})
}

async fn redeem(args: &RedeemArgs, out: &Output) -> anyhow::Result<()> {
	let holder = args.signer.load(&args.passphrase)?;
	let spinner = out.spinner("connecting");
	let chain = args.node.connect().await?;
	spinner.set_message("waiting for finality");
	let patience = args.node.patience();
	let redeemed =
		gridproof_attest::redeem(&chain, &holder, args.amount, args.min_credit, &patience).await;
	spinner.finish_and_clear();
	out.result(&redeemed?, |redeemed: &Redeemed| {
		let Redeemed { who, amount, credit_eur, ticket, block, .. } = redeemed;
		let waits = ticket.map(|ticket| format!(", which waits as ticket {ticket}"));
		let waits = waits.unwrap_or_default();
		let (amount, credit_eur) = (trimmed(amount), trimmed(credit_eur));
		format!(
			"{who}: {amount} AICP burned for {credit_eur} EUR of credit{waits}\n\
			 final in block {block}"
		)
	})
}

async fn account(args: &AccountArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.node.connect().await?;
	let account = coverage_account(&chain, &args.account).await?;
	out.result(&account, |account: &ShownAccount| {
		format!(
			"{}\nholds     {} AICP\ncredit    {} EUR to spend, {} EUR held\n\
			 waiting   {} EUR in {} tickets\nredeemed  {} AICP today",
			account.account,
			trimmed(&account.aicp),
			trimmed(&account.available_eur),
			trimmed(&account.held_eur),
			trimmed(&account.waiting_eur),
			account.tickets,
			trimmed(&account.redeemed_today)
		)
	})
}
