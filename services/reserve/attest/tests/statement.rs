//! Plans, files and signatures of version 2.

use gridproof_attest::{
	Expected, FileRefusal, PlanInputs, RoleKey, RoleKeys, SignError, Statement, StatementError,
	Summary, VerifyReport, Version, open, sign, verify,
};
use gridproof_primitives::{
	H256,
	codec::json::{self, Limits, Value},
	num::decimal::{Ratio, SignedRatio},
	reserve::attestation::{AttestationFields, Kind, Role, chain_hint, file_digest, message_v1},
	reserve::formula::State,
	time::day::Day,
};
use proptest::prelude::*;
use zeroize::Zeroizing;

const GENESIS: H256 = H256([0xab; 32]);

fn ratio(text: &str) -> Ratio {
	Ratio::parse(text).unwrap()
}

fn summary() -> Summary {
	Summary {
		day: Day::parse("2026-01-15").unwrap(),
		wh_raw: 1_000_000_000_000,
		wh_committed: 180_000_000_000,
		alpha: ratio("0.18"),
		zones_ok: 30,
		zones_total: 30,
	}
}

fn inputs() -> PlanInputs {
	PlanInputs {
		eur_per_mwh: SignedRatio::parse("90.0").unwrap(),
		compute_assets_eur: Ratio::ZERO,
		s_base: ratio("10000000"),
		u_hat: Ratio::ONE,
		target_eur: ratio("1.5"),
		cr_min: ratio("1.1"),
		cap: ratio("0.05"),
		bootstrap: 0,
		average: None,
		genesis: GENESIS,
		kind: Kind::Reserve,
		revises: None,
	}
}

fn planned(inputs: &PlanInputs) -> Value {
	Statement::plan(&summary(), inputs).unwrap().to_file().unwrap()
}

fn text<'a>(file: &'a Value, member: &str) -> &'a str {
	file.get(member).unwrap().as_str().unwrap()
}

fn key(role: Role) -> RoleKey {
	let seed = [role as u8 + 1; 32];
	RoleKey::from_seed(Zeroizing::new(seed), Some(role))
}

fn trusted() -> RoleKeys {
	let member = |role: Role| format!("\"{role}\":\"{}\"", hex::encode(key(role).public()));
	let members: Vec<String> = Role::ALL.into_iter().map(member).collect();
	RoleKeys::parse(format!("{{{}}}", members.join(",")).as_bytes()).unwrap()
}

fn signed(file: &Value, roles: &[Role]) -> Value {
	let mut text = file.to_pretty();
	for role in roles {
		text = sign(text.as_bytes(), *role, &key(*role), Some(&trusted())).unwrap().1;
	}
	json::parse(text.as_bytes(), Limits::DEFAULT).unwrap()
}

fn check(file: &Value) -> VerifyReport {
	let chain = chain_hint(&GENESIS);
	let expected = Expected { day: summary().day, chain: &chain };
	verify(file.to_pretty().as_bytes(), &trusted(), &expected)
}

#[test]
fn a_plan_has_the_figures_of_the_protocol_page() {
	let file = planned(&inputs());
	let names: Vec<&str> =
		file.as_object().unwrap().iter().map(|(name, _)| name.as_str()).collect();
	for name in [
		"day",
		"wh_dc_raw",
		"wh_dc_commit",
		"eur_per_mwh",
		"alpha",
		"stock_value_eur",
		"S_base",
		"U_hat",
		"S",
		"S_target_for_CR_min",
		"mint_suggested",
		"target_eur_per_aicp",
		"CR",
		"CR_min",
		"mint_daily_cap_frac",
		"zones_ok",
		"meta",
	] {
		assert!(names.contains(&name), "{name}");
	}
	assert_eq!(file.get("wh_dc_commit").unwrap().as_u128(), Some(180_000_000_000));
	assert_eq!(file.get("zones_ok").unwrap().as_u128(), Some(30));
	for (member, wanted) in [
		("day", "2026-01-15"),
		("eur_per_mwh", "90.0"),
		("alpha", "0.18"),
		("stock_value_eur", "16200000.000000"),
		("S_base", "10000000.0"),
		("U_hat", "1.0"),
		("S", "10000000.000000"),
		("S_target_for_CR_min", "9818181.818181"),
		("mint_suggested", "0.000000"),
		("target_eur_per_aicp", "1.5"),
		("CR", "1.080000"),
		("CR_min", "1.1"),
		("mint_daily_cap_frac", "0.05"),
	] {
		assert_eq!(text(&file, member), wanted, "{member}");
	}
	assert_eq!(file.get("exact"), None, "every input ends");
	let meta = file.get("meta").unwrap();
	assert_eq!(text(meta, "chain_hint"), chain_hint(&GENESIS));
	assert_eq!(meta.get("digest_signed"), None, "it is set when somebody signs");
	assert_eq!(Statement::from_file(&file).unwrap().to_file().unwrap(), file);
}

#[test]
fn fractions_that_do_not_end_stay_exact() {
	let mut plan = inputs();
	plan.eur_per_mwh = SignedRatio::parse("275/3").unwrap();
	plan.compute_assets_eur = ratio("750000");
	let file = planned(&plan);
	assert_eq!(text(&file, "eur_per_mwh"), "91.666666");
	assert_eq!(text(file.get("exact").unwrap(), "eur_per_mwh"), "275/3");
	assert_eq!(text(&file, "CR"), "1.150000");
	assert_eq!(text(&file, "mint_suggested"), "454545.454545");
	let read = Statement::from_file(&file).unwrap();
	assert_eq!(read.fields.eur_per_mwh, plan.eur_per_mwh);
	assert_eq!(read.coverage().unwrap().state, State::InBand);
	// At exactly CR_min the cut decimal alone would freeze.
	plan.compute_assets_eur = Ratio::ZERO;
	let file = planned(&plan);
	assert_eq!(text(&file, "CR"), "1.100000");
	assert_eq!(Statement::from_file(&file).unwrap().coverage().unwrap().state, State::InBand);
	let mut lying = file.clone();
	lying.get_mut("exact").unwrap().set("eur_per_mwh", "276/3".into());
	assert!(matches!(Statement::from_file(&lying), Err(StatementError::Figure { .. })));
}

#[test]
fn without_supply_there_is_no_ratio() {
	let plan = PlanInputs { s_base: Ratio::ZERO, ..inputs() };
	let file = planned(&plan);
	assert_eq!(file.get("CR"), Some(&Value::Null));
	assert_eq!(text(&file, "mint_suggested"), "0.000000");
	assert!(Statement::from_file(&file).is_ok());
}

#[test]
fn a_price_that_is_not_above_zero_is_stated_and_mints_nothing() {
	for price in ["0", "-0.01", "-500", "0.000"] {
		for average in [None, Some(ratio("110"))] {
			let eur_per_mwh = SignedRatio::parse(price).unwrap();
			let file = planned(&PlanInputs { eur_per_mwh, average, ..inputs() });
			assert_eq!(text(&file, "mint_suggested"), "0.000000");
			let value = if average.is_some() { "19800000.000000" } else { "0.000000" };
			assert_eq!(text(&file, "stock_value_eur"), value);
			assert_eq!(Statement::from_file(&file).unwrap().fields.eur_per_mwh, eur_per_mwh);
		}
	}
}

#[test]
fn the_signed_mint_is_that_of_the_average_and_the_bootstrap() {
	// 180 GWh at 100 are 18 M EUR, at 90 are 16.2 M.
	let plan = PlanInputs { average: Some(ratio("100")), ..inputs() };
	let file = planned(&plan);
	assert_eq!(text(&file, "eur_per_mwh_average"), "100.0");
	assert_eq!(text(&file, "stock_value_eur"), "18000000.000000");
	assert_eq!(text(&file, "mint_suggested"), "500000.000000");
	assert_eq!(Statement::from_file(&file).unwrap().to_file().unwrap(), file);
	let mut lying = file.clone();
	lying.set("eur_per_mwh_average", "101.0".into());
	assert!(matches!(Statement::from_file(&lying), Err(StatementError::Figure { .. })));
	// With nothing issued, and 100,000 AICP that may be made once.
	let bootstrap = 100_000_000_000;
	let plan = PlanInputs { s_base: Ratio::ZERO, bootstrap, ..inputs() };
	let file = planned(&plan);
	assert_eq!(text(&file, "mint_bootstrap"), "100000.0");
	assert_eq!(text(&file, "mint_suggested"), "100000.000000");
	assert_eq!(Statement::from_file(&file).unwrap().policy.bootstrap, bootstrap);
	// An average that is the price is not written.
	let same = PlanInputs { average: Some(ratio("90")), ..inputs() };
	assert_eq!(planned(&same), planned(&inputs()));
}

#[test]
fn figures_without_a_meaning_make_no_statement() {
	let plan = PlanInputs { compute_assets_eur: ratio("0.0000001"), ..inputs() };
	let fault = Statement::plan(&summary(), &plan).unwrap_err();
	assert_eq!(fault, StatementError::Places("--compute-assets-eur"));
	let plan = PlanInputs { target_eur: Ratio::ZERO, ..inputs() };
	assert!(matches!(Statement::plan(&summary(), &plan), Err(StatementError::Formula(_))));
}

#[test]
fn two_roles_sign_and_an_auditor_needs_only_file_and_keys() {
	let file = planned(&inputs());
	assert_eq!(check(&file).signatures_ok, 0);
	let one = signed(&file, &[Role::Ops]);
	assert_eq!((check(&one).signatures_ok, check(&one).error), (1, Some("threshold")));
	let two = signed(&file, &[Role::Ops, Role::Data]);
	let report = check(&two);
	assert_eq!((report.ok, report.signatures_ok, report.error), (true, 2, None));
	let three = signed(&two, &[Role::Risk]);
	assert_eq!(check(&three).signatures_ok, 3);
	let stated = text(three.get("meta").unwrap(), "digest_signed").to_string();
	assert_eq!(stated, format!("{:#x}", file_digest(&file).unwrap()), "signing alters no digest");
}

#[test]
fn nobody_signs_twice_nor_with_another_key_nor_in_bad_company() {
	let file = signed(&planned(&inputs()), &[Role::Data]);
	let bytes = file.to_pretty();
	let attempt = |role: Role, by: Role, bytes: &str| {
		sign(bytes.as_bytes(), role, &key(by), Some(&trusted())).unwrap_err()
	};
	assert!(matches!(attempt(Role::Data, Role::Data, &bytes), SignError::AlreadySigned(_)));
	assert!(matches!(attempt(Role::Risk, Role::Ops, &bytes), SignError::OtherKey(Role::Risk)));
	let mut forged = file.clone();
	let Some(Value::Array(entries)) = forged.get_mut("meta").unwrap().get_mut("signatures") else {
		panic!("no signatures");
	};
	entries[0].set("sig", "00".repeat(64).into());
	let forged = forged.to_pretty();
	assert!(matches!(attempt(Role::Risk, Role::Risk, &forged), SignError::BadCompany(_)));
}

#[test]
fn a_figure_that_does_not_follow_is_neither_signed_nor_verified() {
	for (member, value) in [
		("stock_value_eur", "16200000.000001"),
		("S", "9999999.0"),
		("S_target_for_CR_min", "9818181.818182"),
		("mint_suggested", "1.0"),
		("CR", "1.2"),
		("wh_dc_commit", "190000000000"),
		("eur_per_mwh", "91.0"),
		("S_base", "1.0"),
	] {
		let mut file = planned(&inputs());
		let is_number = matches!(file.get(member), Some(Value::Number(_)));
		file.set(member, if is_number { Value::Number(value.into()) } else { value.into() });
		let refusal = open(file.to_pretty().as_bytes(), None).unwrap_err();
		assert_eq!(refusal.code(), "figures_mismatch", "{member}: {refusal}");
		let fault = sign(file.to_pretty().as_bytes(), Role::Data, &key(Role::Data), None);
		assert!(matches!(fault, Err(SignError::Refused(FileRefusal::FiguresMismatch(_)))));
	}
	// Zeros at the end change the file, not the figure.
	let mut file = planned(&inputs());
	file.set("CR", "1.08".into());
	assert!(open(file.to_pretty().as_bytes(), None).is_ok());
}

#[test]
fn altered_after_signing_is_altered() {
	let file = signed(&planned(&inputs()), &[Role::Data, Role::Risk]);
	let mut altered = file.clone();
	altered.set("zones_total", 31u128.into());
	assert_eq!(check(&altered).error, Some("digest_mismatch"));
	let digest = format!("{:#x}", file_digest(&altered).unwrap());
	altered.get_mut("meta").unwrap().set("digest_signed", digest.into());
	assert_eq!((check(&altered).error, check(&altered).signatures_ok), (Some("threshold"), 0));
}

#[test]
fn a_signature_of_version_one_is_none_of_version_two() {
	let mut file = planned(&inputs());
	let digest = file_digest(&file).unwrap();
	let message = message_v1("2026-01-15", &digest, &chain_hint(&GENESIS));
	let entries = [Role::Data, Role::Risk].map(|role| {
		Value::Object(vec![
			("signer".into(), role.as_str().into()),
			("sig".into(), hex::encode(key(role).sign(&message)).into()),
		])
	});
	let meta = file.get_mut("meta").unwrap();
	meta.set("signatures", Value::Array(entries.to_vec()));
	meta.set("digest_signed", format!("{digest:#x}").into());
	assert_eq!((check(&file).error, check(&file).signatures_ok), (Some("threshold"), 0));
}

#[test]
fn members_of_another_kind_are_named() {
	for (member, value) in [
		("kind", Value::from("gold")),
		("kind", Value::Null),
		("revision", Value::Number("-1".into())),
		("revision", Value::Number("4294967296".into())),
		("replaces", "0x12".into()),
		("wh_dc_raw", "1000000000000".into()),
		("wh_dc_raw", Value::Number("1e12".into())),
		("alpha", Value::Number("0.18".into())),
		("alpha", "9/50".into()),
		("alpha", "-0.18".into()),
		("zones_ok", Value::Number("65536".into())),
		("CR", Value::Null),
	] {
		let mut file = planned(&inputs());
		file.set(member, value);
		let refusal = open(file.to_pretty().as_bytes(), None).unwrap_err();
		assert_eq!(refusal.code(), "bad_structure", "{member}: {refusal}");
	}
	let mut file = planned(&inputs());
	file.get_mut("meta").unwrap().set("chain_hint", "EVM:1".into());
	assert_eq!(open(file.to_pretty().as_bytes(), None).unwrap_err().code(), "bad_structure");
	file.get_mut("meta").unwrap().remove("version");
	assert_eq!(open(file.to_pretty().as_bytes(), None).unwrap_err().code(), "unknown_version");
}

#[test]
fn a_revision_names_what_it_replaces() {
	let first = Statement::plan(&summary(), &inputs()).unwrap();
	let plan = PlanInputs { revises: Some(first.fields.clone()), ..inputs() };
	let second = Statement::plan(&summary(), &plan).unwrap();
	assert_eq!((second.fields.revision, second.fields.replaces), (1, Some(first.fields.hash())));
	assert_eq!(second.fields.check(), Ok(()));
	let read = Statement::from_file(&second.to_file().unwrap()).unwrap();
	assert_eq!(read, second);
	let other = AttestationFields { day: Day::parse("2026-01-14").unwrap(), ..first.fields };
	let plan = PlanInputs { revises: Some(other), ..inputs() };
	assert!(matches!(Statement::plan(&summary(), &plan), Err(StatementError::Revises(_))));
}

#[test]
fn a_signer_is_told_what_no_chain_will_take() {
	let plan = PlanInputs { genesis: H256::zero(), ..inputs() };
	let generous = Summary { wh_committed: 180_000_000_001, ..summary() };
	let file = Statement::plan(&generous, &plan).unwrap().to_file().unwrap();
	let (signed, _) =
		sign(file.to_pretty().as_bytes(), Role::Data, &key(Role::Data), None).unwrap();
	assert_eq!(signed.warnings.len(), 2, "{:?}", signed.warnings);
	assert!(signed.warnings[0].contains("names no chain"));
	assert!(signed.warnings[1].contains("commits more"));
}

fn any_ratio(most: u128) -> impl Strategy<Value = Ratio> {
	(0..most, prop_oneof![Just(1u128), Just(1_000_000), 1u128..1_000])
		.prop_map(|(numerator, denominator)| Ratio::new(numerator, denominator).unwrap())
}

proptest! {
	#[test]
	fn every_plan_reads_back_as_what_was_planned(
		raw in 0u128..10u128.pow(15), share in 0u128..=1_000_000, ok in 1u16..100,
		more in 0u16..10, price in 1u128..10u128.pow(9), denominator in 1u128..1_000_000,
		assets in 0u128..10u128.pow(15), s_base in any_ratio(10u128.pow(15)),
		u_hat in any_ratio(2_000), cap in any_ratio(2_000)
	) {
		let alpha = Ratio::new(share, 1_000_000).unwrap();
		let summary = Summary {
			wh_raw: raw,
			wh_committed: alpha.mul_floor(raw).unwrap(),
			alpha,
			zones_ok: ok,
			zones_total: ok + more,
			..summary()
		};
		let plan = PlanInputs {
			eur_per_mwh: Ratio::new(price, denominator).unwrap().into(),
			compute_assets_eur: Ratio::millionths(assets),
			s_base, u_hat, cap,
			..inputs()
		};
		let statement = Statement::plan(&summary, &plan).unwrap();
		let file = statement.to_file().unwrap().to_pretty();
		let opened = open(file.as_bytes(), None).unwrap();
		prop_assert_eq!(opened.version, Version::Two(Box::new(statement)));
	}
}
