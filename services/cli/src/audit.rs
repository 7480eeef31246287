//! `gridproof audit`.

use crate::{
	args::{PassphraseArgs, UrlArgs, keys::any_key},
	exit::{code, usage},
	output::Output,
};
use anyhow::Context;
use clap::Args;
use gridproof_audit::{Audit, Options, Outcome, Report, SignedReport};
use gridproof_keys::SealedKey;
use gridproof_support::{FailureKind, clock::now_ms, files};
use std::{
	path::{Path, PathBuf},
	process::ExitCode,
};

/// Arguments of `audit`.
#[derive(Args)]
pub struct AuditArgs {
	#[command(flatten)]
	node: UrlArgs,
	/// The first block; its figures before are taken as they are. By default the one after those of
	/// the state file, else 1.
	#[arg(long, value_name = "BLOCK", value_parser = clap::value_parser!(u64).range(1..))]
	from: Option<u64>,
	/// The last block; by default the last one that is final.
	#[arg(long, value_name = "BLOCK")]
	to: Option<u64>,
	/// Compare the holds of all accounts after so many blocks; those of accounts that events name are
	/// compared after each.
	#[arg(long, value_name = "BLOCKS", default_value_t = 256,
		value_parser = clap::value_parser!(u64).range(1..))]
	every: u64,
	/// Keep the books in this file, and continue from them.
	#[arg(long, value_name = "FILE")]
	state: Option<PathBuf>,
	/// Continue with every block that becomes final, and end when something differs.
	#[arg(long)]
	watch: bool,
	/// Write a report into this file, signed with --key.
	#[arg(long, value_name = "FILE", requires = "key")]
	report: Option<PathBuf>,
	/// Key file that signs the report, of any kind.
	#[arg(long, value_name = "FILE", requires = "report")]
	key: Option<PathBuf>,
	#[command(flatten)]
	passphrase: PassphraseArgs,
}

/// Runs `gridproof audit`: 0 if nothing differs, 1 if something does.
pub async fn run(args: &AuditArgs, out: &Output) -> anyhow::Result<ExitCode> {
	if let Some((from, to)) = args.from.zip(args.to)
		&& to < from
	{
		return Err(usage(format!("--to {to} is before --from {from}")));
	}
	// Before the work: a passphrase is not asked for in its middle.
	let key = args.key.as_deref().map(|path| any_key(path, &args.passphrase)).transpose()?;
	let mut audit = Audit::open(Options {
		url: args.node.url.clone(),
		from: args.from,
		to: args.to,
		every: args.every,
		state: args.state.clone(),
		watch: args.watch,
	})
	.await?;
	let outcome = if args.watch {
		out.note(&format!(
			"audits every final block from block {} on",
			audit.at().saturating_add(1)
		));
		audit.watch(|_| ()).await?
	} else {
		let (begun, to) = (audit.at(), audit.target().await?);
		let bar = out.progress(to.saturating_sub(begun));
		let done = audit.run(to, |block| bar.set_position(block.saturating_sub(begun))).await;
		bar.finish_and_clear();
		done?
	};
	if let Some((path, key)) = args.report.as_deref().zip(key.as_ref()) {
		write(path, &outcome, key)?;
	}
	out.result(&outcome, shown)?;
	match outcome.difference {
		None => Ok(ExitCode::SUCCESS),
		Some(_) => Ok(code(FailureKind::Broken)),
	}
}

fn write(path: &Path, outcome: &Outcome, key: &SealedKey) -> anyhow::Result<()> {
	let report = Report {
		made_ms: now_ms(),
		version: env!("CARGO_PKG_VERSION").to_string(),
		outcome: outcome.clone(),
	};
	let signed = serde_json::to_vec_pretty(&SignedReport::new(&report, key)?)?;
	files::replace(path, &signed, files::PUBLIC)
		.with_context(|| format!("cannot write {}", path.display()))
}

fn shown(outcome: &Outcome) -> String {
	let Outcome { from, to, deeds, difference, .. } = outcome;
	match difference {
		None => format!("blocks {from} to {to}: nothing differs, {deeds} deeds replayed"),
		Some(difference) => format!(
			"DIFFERENCE at block {}: {}\n  by the blocks  {}\n  on the chain   {}\nblocks {from} to {to} are right",
			difference.block, difference.item, difference.derived, difference.shown
		),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_audit::Difference;
	use gridproof_keys::Kind;
	use gridproof_support::text::Hex32;

	fn outcome(difference: Option<Difference>) -> Outcome {
		let (genesis, hash) = (Hex32([1; 32]), Hex32([2; 32]));
		Outcome { genesis, from: 1, to: 9, hash, deeds: 4, difference }
	}

	#[test]
	fn a_difference_is_shown_with_its_block_its_item_and_both_values() {
		assert!(shown(&outcome(None)).starts_with("blocks 1 to 9: nothing differs"));
		let difference = Difference {
			block: 10,
			hash: Hex32([3; 32]),
			item: "supply of KWH".to_string(),
			derived: "55".to_string(),
			shown: "56".to_string(),
		};
		let text = shown(&outcome(Some(difference)));
		for part in ["block 10", "supply of KWH", "55", "56", "1 to 9 are right"] {
			assert!(text.contains(part), "{part}: {text}");
		}
	}

	#[test]
	fn a_report_is_written_so_that_anybody_can_check_it() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("report.json");
		let key = SealedKey::generate(Kind::Role, None).unwrap();
		write(&path, &outcome(None), &key).unwrap();
		let signed: SignedReport = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
		assert_eq!(signed.verify(), Ok(()));
		assert_eq!(signed.read().unwrap().outcome, outcome(None));
	}
}
