//! Errors and refusals, from their types.

use super::{cell, table};
use gridproof_chain::pallets::{
	assets, attestations, balances, compute_checks, compute_receipts, coverage_policy,
	meter_readings, model_registry,
};
use gridproof_compute_api::protocol::ErrorCode;
use gridproof_primitives::{compute::ReceiptRefusal, energy::BatchRefusal};

/// A refusal in a table: its number, its name, whether time may change it, what it means.
type Row = (u8, &'static str, bool, String);

/// Returns the page.
pub fn page() -> String {
	let mut text = "# Errors\n\nA refusal says that the rules say no: nothing has changed. It is \
	                *temporary* if the very same may succeed later, when nothing changes but time \
	                and the state of the chain; programs that retry ask only that. The exit codes \
	                of the command are in [cli.md](cli.md#everywhere).\n"
		.to_string();
	text.push_str("\n## Errors of the pallets\n\nAs `Pallet.Name` in transactions' results.\n");
	macro_rules! pallets {
		($($module:ident),* $(,)?) => { $(
			let all = $module::Refusal::ALL.iter().map(|refusal| {
				let (pallet, name) = refusal.name().split_once('.').unwrap_or_default();
				let is_temporary = $module::Refusal::is_temporary(*refusal);
				(pallet, (refusal.code(), name, is_temporary, refusal.advice().to_string()))
			});
			let (names, rows): (Vec<_>, Vec<_>) = all.unzip();
			text.push_str(&section(names.first().unwrap_or(&""), rows.into_iter()));
		)* };
	}
	pallets! {
		attestations, coverage_policy, meter_readings, compute_receipts, compute_checks,
		model_registry, assets, balances,
	}
	text.push_str("\n## Refusals of batches and receipts\n\nIn events, in previews and in the services' databases.\n");
	let batches = (0..=u8::MAX).filter_map(BatchRefusal::from_code).map(|refusal| {
		let name = BatchRefusal::name_of(refusal.code()).unwrap_or_default();
		(refusal.code(), name, BatchRefusal::is_temporary(&refusal), refusal.to_string())
	});
	text.push_str(&section("Batches of readings", batches));
	let receipts = (0..=u8::MAX).filter_map(ReceiptRefusal::from_code).map(|refusal| {
		let is_temporary = ReceiptRefusal::is_temporary(refusal);
		(refusal.code(), refusal.as_str(), is_temporary, refusal.to_string())
	});
	text.push_str(&section("Receipts of jobs", receipts));
	text.push_str("\n## Words of the coordinator\n\nThe `error` of an answer that is not 2xx.\n\n");
	let words: Vec<Vec<String>> = ErrorCode::ALL
		.iter()
		.map(|code| {
			let is_temporary = ErrorCode::is_temporary(*code);
			vec![format!("`{}`", code.as_str()), code.status().to_string(), yes(is_temporary)]
		})
		.collect();
	text.push_str(&table(&["word", "status", "temporary"], &words));
	text
}

fn section(name: &str, rows: impl Iterator<Item = Row>) -> String {
	let rows: Vec<Vec<String>> = rows
		.map(|(code, name, is_temporary, text)| {
			vec![code.to_string(), format!("`{name}`"), yes(is_temporary), cell(&text)]
		})
		.collect();
	format!("\n### {name}\n\n{}", table(&["number", "name", "temporary", ""], &rows))
}

fn yes(is_temporary: bool) -> String {
	if is_temporary { "yes" } else { "" }.to_string()
}
