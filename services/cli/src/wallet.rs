//! `gridproof wallet`.

use crate::{
	args::{
		NodeArgs, PassphraseArgs, PayerArgs, SubmitArgs, UrlArgs,
		amount::{Unit, trimmed},
		keys::chosen_passphrase,
		payer::open_wallet,
	},
	exit::usage,
	output::Output,
};
use anyhow::Context;
use clap::{Args, Subcommand};
use gridproof_chain::{
	Chain, Replaced,
	pallets::{meter_readings::query, system},
	tokens::{Token, Transfer},
};
use gridproof_fleet::{EnergyAccount, energy_accounts};
use gridproof_keys::{
	KeyError, Wallet,
	account::{address, parse_account},
	derive::{Path as DerivationPath, Scheme},
	wallet::{self, Shown, Words},
};
use gridproof_primitives::energy::MeterIndex;
use gridproof_support::files::{self, SECRET};
use serde::Serialize;
use std::{
	io::IsTerminal,
	path::{Path, PathBuf},
	process::ExitCode,
};
use zeroize::Zeroizing;

/// What `gridproof wallet` can do.
#[derive(Subcommand)]
pub enum Command {
	/// Make a wallet from a new BIP-39 phrase: an encrypted file that is never overwritten.
	New(NewArgs),
	/// Make a wallet from an existing phrase.
	Import(ImportArgs),
	/// Show a wallet's address, public key, scheme and derivation path.
	Show(ShowArgs),
	/// Show a wallet's phrase, for a backup: the phrase is all that is needed to own the account.
	Phrase(PhraseArgs),
	/// Show an account's balances: AIT, AICP and KWH.
	Balance(BalanceArgs),
	/// List the energy accounts of an owner's meters, with the KWH on them.
	Energy(BalanceArgs),
	/// Transfer AIT, AICP or KWH, and wait until it is final.
	Transfer(TransferArgs),
	/// Put nothing in the place of the account's first transaction that waits in the node's pool, with
	/// a higher tip: what waited can never be included then.
	Cancel(CancelArgs),
}

/// How an account comes from its phrase.
#[derive(Args)]
pub struct DeriveArgs {
	/// How the account signs: sr25519 as Substrate wallets do, ed25519 or secp256k1.
	#[arg(long, value_name = "SCHEME", default_value = "sr25519")]
	scheme: Scheme,
	/// The derivation path, such as m/44'/354'/0'/0'/0'. By default none for sr25519, as Substrate
	/// wallets have it, and BIP-44 with coin 354 for the others.
	#[arg(long, value_name = "PATH")]
	path: Option<DerivationPath>,
}

/// Which file to make.
#[derive(Args)]
pub struct OutArgs {
	/// The file to make.
	#[arg(value_name = "FILE", required_unless_present = "out")]
	file: Option<PathBuf>,
	/// The file to make.
	#[arg(long, value_name = "FILE", conflicts_with = "file", hide = true)]
	out: Option<PathBuf>,
	#[command(flatten)]
	passphrase: PassphraseArgs,
}

/// Arguments of `wallet new`.
#[derive(Args)]
pub struct NewArgs {
	/// Words of the phrase.
	#[arg(long, default_value = "24", value_parser = ["12", "24"])]
	words: String,
	/// Also write the phrase to this new file, mode 0600: keep it somewhere else.
	#[arg(long, value_name = "FILE")]
	phrase_out: Option<PathBuf>,
	#[command(flatten)]
	derive: DeriveArgs,
	#[command(flatten)]
	out: OutArgs,
}

/// Arguments of `wallet import`.
#[derive(Args)]
pub struct ImportArgs {
	/// File, mode 0600, with the phrase; else it is asked for, or read from standard input.
	#[arg(long, value_name = "FILE")]
	phrase_file: Option<PathBuf>,
	#[command(flatten)]
	derive: DeriveArgs,
	#[command(flatten)]
	out: OutArgs,
}

/// Arguments of `wallet show`.
#[derive(Args)]
pub struct ShowArgs {
	/// The wallet.
	#[arg(value_name = "FILE")]
	wallet: PathBuf,
}

/// Arguments of `wallet phrase`.
#[derive(Args)]
pub struct PhraseArgs {
	/// The wallet.
	#[arg(value_name = "FILE")]
	wallet: PathBuf,
	/// Write it to this new file, mode 0600, instead of to the screen.
	#[arg(long, value_name = "FILE")]
	out: Option<PathBuf>,
	#[command(flatten)]
	passphrase: PassphraseArgs,
}

/// Arguments of `wallet balance`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("whose").required(true).args(["account", "wallet"]))]
pub struct BalanceArgs {
	/// The account: an address, or 0x and 64 digits.
	#[arg(value_name = "ADDRESS", value_parser = parse_account)]
	account: Option<[u8; 32]>,
	/// Or a wallet; no passphrase is needed.
	#[arg(long, value_name = "FILE", env = "GRIDPROOF_WALLET")]
	wallet: Option<PathBuf>,
	#[command(flatten)]
	node: UrlArgs,
}

/// Arguments of `wallet transfer`.
#[derive(Args)]
pub struct TransferArgs {
	/// The account that receives: an address, or 0x and 64 digits.
	#[arg(long, value_name = "ADDRESS", value_parser = parse_account)]
	to: [u8; 32],
	/// The amount in tokens, such as 12.5.
	#[arg(long, value_name = "X", allow_hyphen_values = true)]
	amount: String,
	/// The token: ait, aicp or kwh.
	#[arg(long, visible_alias = "asset", value_name = "TOKEN", default_value = "ait")]
	token: Token,
	/// Pay from the energy account of this meter, of which the signer is the owner.
	#[arg(long, value_name = "INDEX")]
	from_meter: Option<MeterIndex>,
	/// Transfer even if what is left is too little to keep the account.
	#[arg(long)]
	may_end_account: bool,
	/// What the block's author gets for it beside the fee, in AIT: it comes before what gives less, and
	/// in the place of what waits with the same number.
	#[arg(long, value_name = "X", default_value = "0")]
	tip: String,
	#[command(flatten)]
	payer: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `wallet cancel`.
#[derive(Args)]
pub struct CancelArgs {
	/// What the block's author gets for it, in AIT: more than the tip of what waits.
	#[arg(long, value_name = "X", default_value = "0.001")]
	tip: String,
	#[command(flatten)]
	signer: SubmitArgs,
}

/// What `wallet new` and `wallet import` made.
#[derive(Serialize)]
struct Made {
	#[serde(flatten)]
	wallet: Shown,
	file: String,
	#[serde(skip_serializing_if = "Option::is_none")]
	phrase_file: Option<String>,
}

/// An account's balances.
#[derive(Serialize)]
struct Balance {
	address: String,
	/// In units of 10⁻¹⁸ AIT; JSON's numbers end at 2⁵³, so as a string.
	ait_units: String,
	/// In units of 10⁻¹⁸ AIT: held for bonds and deposits, and not in `ait_units`. The prices of
	/// open jobs and the deposits for their rows are in the escrow, and not here.
	ait_held_units: String,
	/// In units of 10⁻⁶ AICP.
	aicp_units: String,
	/// In Wh.
	kwh_units: String,
	/// The same as decimals in tokens.
	ait: String,
	ait_held: String,
	aicp: String,
	kwh: String,
}

/// What became of a transfer.
#[derive(Serialize)]
struct Transferred {
	from: String,
	to: String,
	token: &'static str,
	/// In tokens.
	amount: String,
	/// In the token's smallest unit.
	amount_units: String,
	block: String,
	transaction: String,
}

/// What was put in a transaction's place.
#[derive(Serialize)]
struct Cancelled {
	account: String,
	/// The account's number that both had.
	number: u64,
	block: String,
	transaction: String,
}

/// Runs one `gridproof wallet` command.
pub async fn run(command: Command, out: &Output) -> anyhow::Result<ExitCode> {
	match command {
		Command::New(args) => new(&args, out),
		Command::Import(args) => import(&args, out),
		Command::Show(args) => show(&args, out),
		Command::Phrase(args) => phrase(&args, out),
		Command::Balance(args) => balance(&args, out).await,
		Command::Energy(args) => energy(&args, out).await,
		Command::Transfer(args) => transfer(&args, out).await,
		Command::Cancel(args) => cancel(&args, out).await,
	}?;
	Ok(ExitCode::SUCCESS)
}

fn new(args: &NewArgs, out: &Output) -> anyhow::Result<()> {
	let words = if args.words == "12" { Words::Twelve } else { Words::TwentyFour };
	let path = free_path(&args.out)?;
	if let Some(phrase_out) = &args.phrase_out {
		ensure_free(phrase_out)?;
	}
	let passphrase = new_passphrase(&args.out.passphrase)?;
	let wallet = Wallet::generate(words, args.derive.scheme, args.derive.path.clone())?;
	if let Some(phrase_out) = &args.phrase_out {
		write_phrase(&wallet, phrase_out)?;
	}
	save(&wallet, &path, &passphrase, args.phrase_out.as_deref(), out)
}

fn import(args: &ImportArgs, out: &Output) -> anyhow::Result<()> {
	let path = free_path(&args.out)?;
	let phrase = match &args.phrase_file {
		Some(file) => files::read_private(file).map_err(KeyError::from)?,
		None if std::io::stdin().is_terminal() => {
			Zeroizing::new(rpassword::prompt_password("Phrase: ")?)
		},
		None => {
			let mut line = Zeroizing::new(String::new());
			std::io::stdin().read_line(&mut line).context("no phrase on standard input")?;
			line
		},
	};
	let wallet = Wallet::import(&phrase, args.derive.scheme, args.derive.path.clone())?;
	let passphrase = new_passphrase(&args.out.passphrase)?;
	save(&wallet, &path, &passphrase, None, out)
}

fn free_path(args: &OutArgs) -> anyhow::Result<PathBuf> {
	let path = args.file.as_ref().or(args.out.as_ref());
	let path = path.ok_or_else(|| usage("which file is to be made?"))?;
	ensure_free(path)?;
	Ok(path.clone())
}

fn ensure_free(path: &Path) -> anyhow::Result<()> {
	if path.exists() {
		return Err(KeyError::Exists(path.display().to_string()).into());
	}
	Ok(())
}

fn new_passphrase(source: &PassphraseArgs) -> anyhow::Result<Zeroizing<Vec<u8>>> {
	match source.of_file()? {
		Some(passphrase) => Ok(passphrase),
		None if std::io::stdin().is_terminal() => chosen_passphrase(),
		None => Err(usage(
			"a wallet is always encrypted: name a passphrase file with --passphrase-file",
		)),
	}
}

fn save(
	wallet: &Wallet,
	path: &Path,
	passphrase: &[u8],
	phrase_file: Option<&Path>,
	out: &Output,
) -> anyhow::Result<()> {
	wallet.save(path, passphrase)?;
	let file = path.display().to_string();
	let phrase_file = phrase_file.map(|path| path.display().to_string());
	out.result(&Made { wallet: wallet.shown(), file, phrase_file }, |made| {
		let backup = match &made.phrase_file {
			Some(file) => format!("its phrase is in {file}: keep it somewhere else"),
			None => format!("back its phrase up: gridproof wallet phrase {}", made.file),
		};
		format!("{}\n{}: encrypted, mode 0600\n{backup}", text_of(&made.wallet), made.file)
	})
}

fn text_of(shown: &Shown) -> String {
	let Shown { address, public, scheme, path, .. } = shown;
	format!("address   {address}\npublic    {public}\nscheme    {scheme}\npath      {path}")
}

fn show(args: &ShowArgs, out: &Output) -> anyhow::Result<()> {
	out.result(&wallet::show(&args.wallet)?, text_of)
}

fn phrase(args: &PhraseArgs, out: &Output) -> anyhow::Result<()> {
	let wallet = open_wallet(&args.wallet, &args.passphrase)?;
	match &args.out {
		Some(path) => {
			write_phrase(&wallet, path)?;
			let file = path.display().to_string();
			out.result(&serde_json::json!({ "phrase_file": file }), |_| {
				format!("{file}: mode 0600")
			})
		},
		None => {
			let phrase = wallet.phrase()?;
			out.result(&serde_json::json!({ "phrase": *phrase }), |_| phrase.to_string())
		},
	}
}

fn write_phrase(wallet: &Wallet, path: &Path) -> anyhow::Result<()> {
	let text = Zeroizing::new(format!("{}\n", *wallet.phrase()?));
	files::create(path, text.as_bytes(), SECRET)
		.with_context(|| format!("cannot write the phrase to {}", path.display()))
}

async fn balance(args: &BalanceArgs, out: &Output) -> anyhow::Result<()> {
	let account = args.account()?;
	let chain = args.node.connect().await?;
	let (free, held) = chain.native_balance(&account).await?;
	let aicp = chain.holding(Token::Aicp, &account).await?;
	let kwh = chain.holding(Token::Kwh, &account).await?;
	let balance = Balance {
		address: address(&account),
		ait_units: free.to_string(),
		ait_held_units: held.to_string(),
		aicp_units: aicp.to_string(),
		kwh_units: kwh.to_string(),
		ait: Token::Ait.show(free),
		ait_held: Token::Ait.show(held),
		aicp: Token::Aicp.show(aicp),
		kwh: Token::Kwh.show(kwh),
	};
	out.result(&balance, |balance| {
		let held = match held {
			0 => String::new(),
			_ => format!(", and {} held", trimmed(&balance.ait_held)),
		};
		format!(
			"{}\nAIT       {}{held}\nAICP      {}\nKWH       {}, and on the energy accounts of meters: wallet \
			 energy",
			balance.address,
			trimmed(&balance.ait),
			trimmed(&balance.aicp),
			trimmed(&balance.kwh)
		)
	})
}

impl BalanceArgs {
	/// The account that is meant.
	fn account(&self) -> anyhow::Result<[u8; 32]> {
		match (&self.account, &self.wallet) {
			(Some(account), _) => Ok(*account),
			(None, Some(path)) => parse_account(&format!("0x{}", wallet::show(path)?.account))
				.map_err(anyhow::Error::msg),
			(None, None) => Err(usage("whose balance? Name an address, or a wallet with --wallet")),
		}
	}
}

async fn energy(args: &BalanceArgs, out: &Output) -> anyhow::Result<()> {
	let chain = args.node.connect().await?;
	let accounts = energy_accounts(&chain, &args.account()?).await?;
	out.result(&accounts, |accounts| match &accounts[..] {
		[] => "no meter in service belongs to this account".to_string(),
		accounts => accounts.iter().map(energy_text).collect::<Vec<_>>().join("\n"),
	})
}

fn energy_text(energy: &EnergyAccount) -> String {
	let kwh = Unit::Token(Token::Kwh).show(energy.kwh_units.0);
	format!("meter {} {}: {kwh} on {}", energy.meter, energy.name, energy.account)
}

async fn transfer(args: &TransferArgs, out: &Output) -> anyhow::Result<()> {
	let unit = Unit::Token(args.token);
	let amount = unit.parse(&args.amount).map_err(usage)?;
	if amount == 0 {
		return Err(usage("name an amount above zero"));
	}
	let tip = Unit::Token(Token::Ait).parse(&args.tip).map_err(usage)?;
	let key = args.payer.load(&args.passphrase)?;
	let spinner = out.spinner("connecting");
	let chain = args.node.connect().await?;
	let (from, partner) = match args.from_meter {
		None => (key.account(), None),
		Some(index) => {
			let (account, device) = energy_account(&chain, index, &key.account()).await?;
			(account, Some(device))
		},
	};
	spinner.set_message("waiting for finality");
	let order = Transfer {
		token: args.token,
		to: args.to,
		amount,
		may_end_account: args.may_end_account,
		tip,
	};
	let included = chain.transfer(&key, &order, partner.as_ref(), &args.node.patience()).await;
	spinner.finish_and_clear();
	let included = included?;
	let done = Transferred {
		from: address(&from),
		to: address(&args.to),
		token: args.token.symbol(),
		amount: args.token.show(amount),
		amount_units: amount.to_string(),
		block: format!("{:#x}", included.block),
		transaction: format!("{:#x}", included.transaction),
	};
	out.result(&done, |done| {
		let Transferred { from, to, block, .. } = done;
		format!("{} from {from} to {to}\nfinal in block {block}", unit.show(amount))
	})
}

async fn cancel(args: &CancelArgs, out: &Output) -> anyhow::Result<()> {
	let tip = Unit::Token(Token::Ait).parse(&args.tip).map_err(usage)?;
	let key = args.signer.account()?;
	let spinner = out.spinner("connecting");
	let chain = args.signer.connect().await?;
	spinner.set_message("waiting for finality");
	let (nothing, patience) = (system::call::remark(&[]), args.signer.patience());
	let replaced = chain.replace_waiting(&key, &nothing, tip, &patience).await;
	spinner.finish_and_clear();
	let Replaced { number, included } = replaced?;
	let done = Cancelled {
		account: address(&key.account()),
		number,
		block: format!("{:#x}", included.block),
		transaction: format!("{:#x}", included.transaction),
	};
	out.result(&done, |done| {
		let Cancelled { account, number, block, .. } = done;
		format!("number {number} of {account} is taken by nothing\nfinal in block {block}")
	})
}

/// Returns the energy account of an owner's meter, and the device that shares it.
async fn energy_account(
	chain: &Chain,
	index: MeterIndex,
	owner: &[u8; 32],
) -> anyhow::Result<([u8; 32], [u8; 32])> {
	let meter = chain.read(&query::meter(index)).await?;
	let meter = meter.ok_or_else(|| usage(format!("the chain knows no meter {index}")))?;
	if meter.certificate.owner != *owner {
		let owner = address(&meter.certificate.owner);
		return Err(usage(format!(
			"meter {index} belongs to {owner}, not to the account that signs"
		)));
	}
	Ok((meter.energy_account, meter.certificate.device))
}
