//! What `gridproof coordinator` and `gridproof miner` have in common: bond, leave, key and pay of a party.

use crate::{
	args::{
		NodeArgs, PassphraseArgs, PayerArgs,
		amount::Unit,
		keys::{file_or_public_key, new_sealed_key, sealed_key},
	},
	exit::usage,
	output::Output,
	party_waits,
};
use clap::{Args, Subcommand};
use gridproof_chain::{
	Call, Included,
	evidence::two_receipts,
	pallets::compute_receipts::{
		call,
		event::{BondRaised, EmissionPaid, KeyExchanging, Leaving, Left, OffenceProven},
	},
};
use gridproof_keys::{AccountKey, Kind};
use gridproof_miner::{Waiting, waiting};
use gridproof_primitives::{
	compute::{PartyRole, Registration, Signer},
	crypto::ed25519::PublicKey,
	energy::emlog::format_utc,
};
use gridproof_support::text::Amount;
use serde::Serialize;
use std::path::PathBuf;

/// What every party can do on chain.
#[derive(Subcommand)]
pub enum PartyCommand {
	/// Have the emission that it has earned paid out to its account now. A running one has this done
	/// automatically.
	Claim(ClaimArgs),
	/// Show what waits for the check window: how much, until when and why.
	Waits(ClaimArgs),
	/// Have what waited and is due paid out to its account now.
	Release(ClaimArgs),
	/// Hold more of its account's AIT as bond.
	RaiseBond(RaiseArgs),
	/// Begin to leave: it gets no new work, and its bond is free some days after the last.
	Leave(PartyArgs),
	/// Take a leave back.
	Stay(PartyArgs),
	/// Take the bond back after a leave. A miner's receipts of channels that are not settled by then are lost.
	Withdraw(WithdrawArgs),
	/// Begin to give it another key, because the present one is lost or known to others.
	ExchangeKey(ExchangeArgs),
	/// Complete the exchange of its key, a day after it began.
	CompleteExchange(PartyArgs),
	/// Keep the present key after all.
	KeepKey(PartyArgs),
	/// Report that it has signed two receipts for one job.
	ReportOffence(ReportArgs),
}

/// Key of the party.
#[derive(Args)]
struct KeyArgs {
	/// Its key file, whose passphrase is not needed, or its public key.
	#[arg(long, value_name = "FILE|0x…", value_parser = file_or_public_key)]
	key: PublicKey,
}

/// Arguments of `claim`.
#[derive(Args)]
pub struct ClaimArgs {
	#[command(flatten)]
	party: KeyArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of what the party's account decides.
#[derive(Args)]
pub struct PartyArgs {
	#[command(flatten)]
	party: KeyArgs,
	#[command(flatten)]
	account: PayerArgs,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	node: NodeArgs,
}

/// Arguments of `withdraw`.
#[derive(Args)]
pub struct WithdrawArgs {
	/// Folder of the miner's database, in which it is looked whether anything still waits to be settled.
	#[arg(long, value_name = "DIR")]
	data: Option<PathBuf>,
	/// Withdraw although receipts wait, which are then never paid.
	#[arg(long)]
	anyway: bool,
	#[command(flatten)]
	of: PartyArgs,
}

/// Arguments of `raise-bond`.
#[derive(Args)]
pub struct RaiseArgs {
	/// How much to add, in AIT.
	#[arg(long, value_name = "X")]
	amount: String,
	#[command(flatten)]
	of: PartyArgs,
}

/// Arguments of `exchange-key`.
#[derive(Args)]
pub struct ExchangeArgs {
	/// The file of the new key, which is made if there is none.
	#[arg(long, value_name = "FILE")]
	new: PathBuf,
	/// File, mode 0600, whose first line is the passphrase of the new key.
	#[arg(long, value_name = "FILE")]
	new_passphrase_file: Option<PathBuf>,
	#[command(flatten)]
	of: PartyArgs,
}

/// Arguments of `report-offence`.
#[derive(Args)]
pub struct ReportArgs {
	/// One of the two receipts: what the coordinator gives as `signed` at /attest/receipt.
	#[arg(long, value_name = "0x…", value_parser = receipt)]
	first: Receipt,
	/// The other one.
	#[arg(long, value_name = "0x…", value_parser = receipt)]
	second: Receipt,
	#[command(flatten)]
	of: PartyArgs,
}

/// A signed receipt in SCALE.
#[derive(Clone)]
struct Receipt(Vec<u8>);

fn receipt(text: &str) -> Result<Receipt, String> {
	let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text));
	bytes.map(Receipt).map_err(|_| "write 0x and the receipt's hexadecimal digits".to_string())
}

/// What a report came to.
#[derive(Serialize)]
struct Reported {
	offender: String,
	/// How many of its offences count now.
	offences: u32,
	/// Until when it is banned, UTC milliseconds; 0 if it is not.
	banned_until_ms: u64,
	/// What will be slashed, in units of 10⁻¹⁸ AIT.
	slash_units: Amount,
	block: String,
}

/// What a command did.
#[derive(Serialize)]
struct Done {
	key: String,
	/// In units of 10⁻¹⁸ AIT: what was paid out or returned, or the bond now.
	#[serde(skip_serializing_if = "Option::is_none")]
	amount_units: Option<Amount>,
	/// When the next step can be taken, UTC milliseconds.
	#[serde(skip_serializing_if = "Option::is_none")]
	until_ms: Option<u64>,
	block: String,
}

impl Done {
	fn new(key: &PublicKey, included: &Included) -> Self {
		let key = format!("0x{}", hex::encode(key));
		let block = format!("{:#x}", included.block);
		Self { key, amount_units: None, until_ms: None, block }
	}
}

/// As what a party is registered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Trade {
	/// Coordinates jobs.
	Coordinator,
	/// Mines.
	Miner,
}

impl Trade {
	const fn kind(self) -> Kind {
		match self {
			Self::Coordinator => Kind::Coordinator,
			Self::Miner => Kind::Miner,
		}
	}

	const fn signer(self) -> Signer {
		match self {
			Self::Coordinator => Signer::Coordinator,
			Self::Miner => Signer::Miner,
		}
	}
}

impl PartyArgs {
	async fn submit(&self, call: &Call, out: &Output) -> anyhow::Result<Included> {
		let account = self.account.load(&self.passphrase)?;
		self.submit_by(&account, call, out).await
	}

	async fn submit_by(
		&self,
		account: &AccountKey,
		call: &Call,
		out: &Output,
	) -> anyhow::Result<Included> {
		let chain = self.node.connect().await?;
		let spinner = out.spinner("waiting for finality");
		let included = chain.submit(account, call, &self.node.patience()).await;
		spinner.finish_and_clear();
		Ok(included?)
	}
}

/// Runs one of these commands.
pub async fn run(command: &PartyCommand, trade: Trade, out: &Output) -> anyhow::Result<()> {
	match command {
		PartyCommand::Claim(args) => claim(args, out).await,
		PartyCommand::Waits(args) => party_waits::list(&args.party.key, &args.node, out).await,
		PartyCommand::Release(args) => party_waits::release(&args.party.key, &args.node, out).await,
		PartyCommand::RaiseBond(args) => raise(args, out).await,
		PartyCommand::Leave(args) => {
			let key = &args.party.key;
			let included = args.submit(&call::leave(key), out).await?;
			let until = included.first::<Leaving>()?.until_ms;
			let done = Done { until_ms: Some(until), ..Done::new(key, &included) };
			out.result(&done, |done| {
				let until = format_utc(until);
				format!(
					"{} is leaving: it can withdraw its bond from {until} on; each job that it still \
					 settles moves that\nfinal in block {}",
					done.key, done.block
				)
			})
		},
		PartyCommand::Stay(args) => {
			let key = &args.party.key;
			let included = args.submit(&call::stay(key), out).await?;
			out.result(&Done::new(key, &included), |done| {
				format!("{} stays\nfinal in block {}", done.key, done.block)
			})
		},
		PartyCommand::Withdraw(args) => withdraw(args, trade, out).await,
		PartyCommand::ExchangeKey(args) => exchange(args, trade, out).await,
		PartyCommand::CompleteExchange(args) => {
			let key = &args.party.key;
			let included = args.submit(&call::complete_exchange(key), out).await?;
			out.result(&Done::new(key, &included), |done| {
				format!(
					"{} is exchanged: run with the new key\nfinal in block {}",
					done.key, done.block
				)
			})
		},
		PartyCommand::ReportOffence(args) => report(args, trade, out).await,
		PartyCommand::KeepKey(args) => {
			let key = &args.party.key;
			let included = args.submit(&call::keep_key(key), out).await?;
			out.result(&Done::new(key, &included), |done| {
				format!("{} stays the key\nfinal in block {}", done.key, done.block)
			})
		},
	}
}

async fn claim(args: &ClaimArgs, out: &Output) -> anyhow::Result<()> {
	let key = &args.party.key;
	let chain = args.node.connect().await?;
	let spinner = out.spinner("waiting for finality");
	let call = call::claim_emission(&[*key]);
	let included = chain.submit_authorized(&call, &args.node.patience()).await;
	spinner.finish_and_clear();
	let included = included?;
	let paid = included.first::<EmissionPaid>()?.amount;
	let done = Done { amount_units: Some(Amount(paid)), ..Done::new(key, &included) };
	out.result(&done, |done| {
		format!(
			"{} paid to the account of {}\nfinal in block {}",
			Unit::AIT.show(paid),
			done.key,
			done.block
		)
	})
}

async fn withdraw(args: &WithdrawArgs, trade: Trade, out: &Output) -> anyhow::Result<()> {
	let key = &args.of.party.key;
	if trade == Trade::Miner && !args.anyway {
		let folder = args.data.as_deref().ok_or_else(|| {
			usage(
				"a miner that has left is paid for no receipt that is not settled: name its data folder with \
				 --data, to see whether anything waits, or say --anyway",
			)
		})?;
		let waiting = waiting(folder, key, &args.of.node.connect().await?).await?;
		nothing_waits(&waiting)?;
	}
	let included = args.of.submit(&call::withdraw(key), out).await?;
	let bond = included.first::<Left>()?.bond;
	let done = Done { amount_units: Some(Amount(bond)), ..Done::new(key, &included) };
	out.result(&done, |done| {
		let bond = Unit::AIT.show(bond);
		format!("{} has left, {bond} returned\nfinal in block {}", done.key, done.block)
	})
}

/// Refuses if receipts wait that a withdrawal would lose.
fn nothing_waits(waiting: &[Waiting]) -> anyhow::Result<()> {
	if waiting.is_empty() {
		return Ok(());
	}
	let lines = waiting.iter().map(|waiting| {
		let price = Unit::from(waiting.kind.asset).show(waiting.price.0);
		format!(
			"{} receipts of {price} in all at coordinator {}",
			waiting.receipts, waiting.coordinator
		)
	});
	let lines: Vec<String> = lines.collect();
	Err(usage(format!(
		"not settled yet: {}. Let the miner run until they are, which it sees to itself if it has an account; \
		 --anyway withdraws and loses them",
		lines.join("; ")
	)))
}

async fn raise(args: &RaiseArgs, out: &Output) -> anyhow::Result<()> {
	let amount = Unit::AIT.parse(&args.amount).map_err(usage)?;
	if amount == 0 {
		return Err(usage("name an amount above zero"));
	}
	let key = &args.of.party.key;
	let included = args.of.submit(&call::raise_bond(key, amount), out).await?;
	let bond = included.first::<BondRaised>()?.bond;
	let done = Done { amount_units: Some(Amount(bond)), ..Done::new(key, &included) };
	out.result(&done, |done| {
		format!(
			"{} has a bond of {}\nfinal in block {}",
			done.key,
			Unit::AIT.show(bond),
			done.block
		)
	})
}

async fn exchange(args: &ExchangeArgs, trade: Trade, out: &Output) -> anyhow::Result<()> {
	let key = &args.of.party.key;
	let account = args.of.account.load(&args.of.passphrase)?;
	let passphrase = PassphraseArgs { passphrase_file: args.new_passphrase_file.clone() };
	let is_there = args.new.exists();
	let there = is_there.then(|| sealed_key(&args.new, trade.kind(), &passphrase)).transpose()?;
	// Before a key is made.
	let chain = args.of.node.connect().await?;
	let role = role_of(&chain, key, trade).await?;
	let new = there.map_or_else(|| new_sealed_key(&args.new, trade.kind(), &passphrase), Ok)?;
	let registration = Registration { role, account: account.account() };
	let proof = new.sign(&registration.signing_payload(&chain.genesis()));
	let call = call::exchange_key(key, new.public(), &proof);
	let included = args.of.submit_by(&account, &call, out).await?;
	let until = included.first::<KeyExchanging>()?.until_ms;
	let done = Done { until_ms: Some(until), ..Done::new(key, &included) };
	out.result(&done, |done| {
		let until = format_utc(until);
		format!(
			"{} can be exchanged from {until} on, with complete-exchange; keep-key takes it back\n\
			 final in block {}",
			done.key, done.block
		)
	})
}

async fn report(args: &ReportArgs, trade: Trade, out: &Output) -> anyhow::Result<()> {
	let key = args.of.party.key;
	let evidence = two_receipts(trade.signer(), key, &args.first.0, &args.second.0);
	let evidence = evidence.ok_or_else(|| usage("these are not two signed receipts"))?;
	let account = args.of.account.load(&args.of.passphrase)?;
	let chain = args.of.node.connect().await?;
	let proven = evidence.check(&chain.genesis()).map_err(|error| usage(error.to_string()))?;
	if proven.offender != key {
		let offender = hex::encode(proven.offender);
		return Err(usage(format!("they accuse 0x{offender}, not the party that is named")));
	}
	let included = args.of.submit_by(&account, &call::report_offence(&evidence), out).await?;
	let OffenceProven { offender, offences, banned_until_ms, slash, .. } = included.first()?;
	let reported = Reported {
		offender: format!("0x{}", hex::encode(offender)),
		offences,
		banned_until_ms,
		slash_units: Amount(slash),
		block: format!("{:#x}", included.block),
	};
	out.result(&reported, |done| {
		let slash = Unit::AIT.show(slash);
		format!(
			"{} has {} offences that count, {slash} of its bond will be slashed\nfinal in block {}",
			done.offender, done.offences, done.block
		)
	})
}

/// As what a key is registered: the new key signs the same.
async fn role_of(
	chain: &gridproof_chain::Chain,
	key: &PublicKey,
	trade: Trade,
) -> anyhow::Result<PartyRole> {
	use gridproof_chain::pallets::compute_receipts::query;
	let party = match trade {
		Trade::Coordinator => chain.read(&query::coordinator(key)).await?.map(|view| view.party),
		Trade::Miner => chain.read(&query::miner(key)).await?.map(|view| view.party),
	};
	let unknown = || usage(format!("0x{} is not registered", hex::encode(key)));
	Ok(party.ok_or_else(unknown)?.role)
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::compute::{
		PriceAsset,
		channels::{BatchKind, Mode},
	};
	use gridproof_support::text::Hex32;

	#[test]
	fn a_miner_learns_what_it_would_lose_by_withdrawing() {
		assert!(nothing_waits(&[]).is_ok());
		let kind = BatchKind { asset: PriceAsset::Aicp, mode: Mode::Ordinary };
		let (coordinator, price) = (Hex32([1; 32]), Amount(1_500_000));
		let error = nothing_waits(&[Waiting { coordinator, kind, receipts: 3, price }]);
		let error = error.unwrap_err().to_string();
		assert!(error.contains("3 receipts of 1.5 AICP in all at coordinator 0x0101"), "{error}");
	}
}
