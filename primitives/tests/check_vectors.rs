//! `vectors/checks.json`: draws, figures, numbers, hashes, payloads and pay of checks.
//!
//! `python3 vectors/checks.py` makes and checks it with Python's standard library, and shares no code with this one.

use codec::{Decode, Encode};
use gridproof_primitives::{
	H256,
	compute::{
		channels::{ChannelReceipt, GivenUp, Lists, MerklePath, MinerLine, MinerSums, Placed},
		checks::*,
	},
};
use serde_json::Value;
use std::path::Path;

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
	hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
}

fn hash(value: &Value) -> H256 {
	H256(bytes(value))
}

fn small<T: TryFrom<u64>>(value: &Value) -> T
where
	T::Error: std::fmt::Debug,
{
	value.as_u64().unwrap().try_into().unwrap()
}

fn wide(value: &Value) -> u128 {
	value.as_str().unwrap().parse().unwrap()
}

const SEEDED: ModelLine = ModelLine {
	class: LineClass::Seeded,
	line: 1,
	limit: 1,
	clip: 4_000_000,
	agreement: 0,
	finds_within: 1,
};

fn file() -> Value {
	let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/checks.json");
	serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn cases<'a>(file: &'a Value, kind: &str) -> &'a [Value] {
	let cases = file[kind].as_array().unwrap();
	assert!(!cases.is_empty(), "{kind}");
	cases
}

#[test]
fn draws_are_those_of_the_vectors() {
	let file = file();
	for case in cases(&file, "draws") {
		let output = bytes(&case["output"]);
		let (value, per) = (wide(&case["value"]), wide(&case["per_check"]));
		let checks = checks_of(value, per, small(&case["verifiers"]), &output);
		assert_eq!(checks, small::<u32>(&case["answer"]["checks"]), "{case}");
		for (check, point) in (0..).zip(case["answer"]["points"].as_array().unwrap()) {
			assert_eq!(point_of(&output, check, wide(&case["total"])), Some(wide(point)), "{case}");
		}
	}
	for case in cases(&file, "prices") {
		let (value, per) = (wide(&case["value"]), wide(&case["per_check"]));
		let price = price_of_check(value, per, wide(&case["total"]));
		assert_eq!(price, wide(&case["answer"]), "{case}");
	}
	for case in cases(&file, "reopened") {
		let output = bytes(&case["output"]);
		let drawn = is_reopened(&output, small(&case["one_in"]), small(&case["others"]));
		assert_eq!(drawn, case["answer"].as_bool().unwrap(), "{case}");
	}
}

fn line(value: &Value) -> MinerLine {
	let sums = |price| MinerSums { count: 0, price, weight: 0 };
	let miner = Some(bytes(&value["miner"]));
	MinerLine { miner, from: sums(wide(&value["from"])), to: sums(wide(&value["to"])) }
}

#[test]
fn points_lead_where_the_vectors_say() {
	for case in cases(&file(), "places") {
		let lines = |name: &str| case[name].as_array().unwrap().iter().map(line);
		let given_up = lines("given_up").map(|line| GivenUp { channel: 1, line }).collect();
		let lists = Lists { channels: vec![], miners: lines("lines").collect(), given_up };
		let found = segments(&lists).unwrap();
		let total: u128 = found.iter().map(Segment::price).sum();
		assert_eq!(total, wide(&case["answer"]["total"]), "{case}");
		let answers = case["answer"]["places"].as_array().unwrap();
		for (point, answer) in case["points"].as_array().unwrap().iter().zip(answers) {
			let point = wide(point);
			let here = Segment::find(&found, point);
			let here = here.map(|segment| (segment.line, segment.at(point).unwrap()));
			let expected = (!answer.is_null())
				.then(|| (small::<u32>(&answer["line"]), wide(&answer["place"])));
			assert_eq!(here, expected, "{case}");
		}
	}
}

#[test]
fn figures_and_numbers_are_those_of_the_vectors() {
	let file = file();
	let gap = |value: &Value| value.as_u64().unwrap_or(u64::MAX);
	for case in cases(&file, "statistics") {
		let gaps = case["gaps"].as_array().unwrap().iter().map(gap);
		let figures = SeededFigures::of(gaps, gap(&case["end"]), small(&case["clip"]));
		let answer = &case["answer"];
		let expected = SeededFigures {
			tokens: small(&answer["tokens"]),
			clipped: small(&answer["clipped"]),
			matches: small(&answer["matches"]),
			end: small(&answer["end"]),
		};
		assert_eq!(figures, expected, "{case}");
		assert_eq!(figures.mean(), small::<u64>(&answer["mean"]), "{case}");
		assert_eq!(figures.figure(), small::<u64>(&answer["figure"]), "{case}");
	}
	for case in cases(&file, "numbers") {
		let line = ModelLine { line: small(&case["line"]), limit: small(&case["limit"]), ..SEEDED };
		let mut number = Number::default();
		let answers = case["answer"].as_array().unwrap();
		for (figure, answer) in case["figures"].as_array().unwrap().iter().zip(answers) {
			let (after, above) = number.add(small(figure), &line);
			let expected = (small::<u64>(&answer["number"]), answer["above"].as_bool().unwrap());
			assert_eq!((after.0, above), expected, "{case}");
			number = after;
		}
	}
	for case in cases(&file, "wide_numbers") {
		let mut number = WideNumber::default();
		let answers = case["answer"].as_array().unwrap();
		for (added, answer) in case["figures"].as_array().unwrap().iter().zip(answers) {
			let line = ModelLine { line: small(&added[1]), limit: small(&added[2]), ..SEEDED };
			let (after, above) = number.add(small(&added[0]), &line);
			let expected = (small::<u64>(&answer["number"]), answer["above"].as_bool().unwrap());
			assert_eq!((after.0, above), expected, "{case}");
			number = after;
		}
	}
	for case in cases(&file, "unfound") {
		let share =
			unfound_share(small(&case["line"]), small(&case["honest"]), small(&case["cheated"]));
		assert_eq!(share, small::<u32>(&case["answer"]), "{case}");
	}
	for case in cases(&file, "days") {
		let checks: Vec<u32> = case["checks"].as_array().unwrap().iter().map(small).collect();
		let parts = divide_day(&checks, wide(&case["per_check"]), wide(&case["budget"]));
		let expected: Vec<_> = case["answer"].as_array().unwrap().iter().map(wide).collect();
		assert_eq!(parts, expected, "{case}");
	}
}

fn batch(value: &Value) -> BatchId {
	BatchId { coordinator: bytes(&value["coordinator"]), sequence: small(&value["sequence"]) }
}

fn check(value: &Value) -> CheckId {
	CheckId {
		batch: batch(&value["batch"]),
		verifier: bytes(&value["verifier"]),
		check: small(&value["check"]),
	}
}

fn shown(value: &Value) -> TokenFigures {
	let figures: Vec<u32> = value.as_array().unwrap().iter().map(small).collect();
	figures.try_into().unwrap()
}

#[test]
fn juries_repeat_what_the_vectors_say() {
	let file = file();
	for case in cases(&file, "repeated") {
		let reports: Vec<_> = case["reports"].as_array().unwrap().iter().map(check).collect();
		let found = repeated_reports(&hash(&case["dispute"]), &reports);
		let found: Vec<_> = found.iter().map(|id| hex::encode(id.encode())).collect();
		assert_eq!(Value::from(found), case["answer"], "{case}");
	}
	for case in cases(&file, "others") {
		let of = |line: &Value| OtherLine {
			batch: batch(&line["batch"]),
			price: wide(&line["price"]),
			worth: wide(&line["worth"]),
		};
		let lines: Vec<_> = case["lines"].as_array().unwrap().iter().map(of).collect();
		let found = other_places(&hash(&case["dispute"]), &[9; 32], &lines);
		let found: Vec<_> = found.iter().map(|one| (one.batch.sequence, one.place)).collect();
		let answer = case["answer"].as_array().unwrap().iter();
		let expected: Vec<_> =
			answer.map(|one| (small(&one["sequence"]), wide(&one["place"]))).collect();
		assert_eq!(found, expected, "{case}");
	}
}

#[test]
fn two_thirds_of_jury_and_parties_decide_as_the_vectors_say() {
	for case in cases(&file(), "verdicts") {
		let number = |name: &str| small::<u32>(&case[name]);
		let parties = Votes { guilty: number("accusing"), not_guilty: number("accused") };
		let votes = Votes { guilty: number("guilty"), not_guilty: number("not_guilty") };
		let found = votes.verdict(&parties, number("jurors"));
		assert_eq!(found, case["answer"].as_bool(), "{case}");
	}
}

fn vrf(value: &Value) -> Vrf {
	Vrf { output: bytes(&value["output"]), proof: bytes(&value["proof"]) }
}

fn figures(value: &Value) -> Figures {
	match value["class"].as_str().unwrap() {
		"exact" => Figures::Exact { equal: value["equal"].as_bool().unwrap() },
		"embedding" => Figures::Embedding { cosine: small(&value["cosine"]) },
		_ => Figures::Seeded(SeededFigures {
			tokens: small(&value["tokens"]),
			clipped: small(&value["clipped"]),
			matches: small(&value["matches"]),
			end: small(&value["end"]),
		}),
	}
}

fn placed(value: &Value) -> Placed<ChannelReceipt> {
	let item = hex::decode(value["item"].as_str().unwrap()).unwrap();
	let path: Vec<_> = value["path"].as_array().unwrap().iter().map(hash).collect();
	Placed {
		item: ChannelReceipt::decode(&mut item.as_slice()).unwrap(),
		index: small(&value["index"]),
		path: MerklePath::try_from(path).unwrap(),
	}
}

fn duty(value: &Value) -> Duty {
	match value["kind"].as_str().unwrap() {
		"drawn" => Duty::Drawn { check: small(&value["check"]), vrf: vrf(&value["vrf"]) },
		"reopens" => Duty::Reopens { of: check(&value["of"]), vrf: vrf(&value["vrf"]) },
		"witness" => Duty::Witness(check(&value["of"])),
		_ => Duty::Juror(hash(&value["dispute"])),
	}
}

fn ballot(value: &Value) -> Ballot {
	let verdict = &value["verdict"];
	let invented = Some(&verdict["invented"]).filter(|key| !key.is_null()).map(bytes);
	Ballot {
		juror: bytes(&value["juror"]),
		dispute: hash(&value["dispute"]),
		verdict: Verdict { guilty: verdict["guilty"].as_bool().unwrap(), invented },
		salt: bytes(&value["salt"]),
	}
}

fn payload(genesis: &H256, kind: &str, of: &Value) -> Vec<u8> {
	match kind {
		"report" => CheckReport {
			verifier: bytes(&of["verifier"]),
			check: small(&of["check"]),
			vrf: vrf(&of["vrf"]),
			batch: batch(&of["batch"]),
			receipt: placed(&of["receipt"]),
			figures: figures(&of["figures"]),
			commitment: hash(&of["commitment"]),
		}
		.signing_payload(genesis),
		"request" => OpeningRequest {
			verifier: bytes(&of["verifier"]),
			batch: batch(&of["batch"]),
			index: small(&of["index"]),
			duty: duty(&of["duty"]),
			time_ms: small(&of["time_ms"]),
		}
		.signing_payload(genesis),
		"demand" => OpeningDemand {
			verifier: bytes(&of["verifier"]),
			check: small(&of["check"]),
			vrf: vrf(&of["vrf"]),
			batch: batch(&of["batch"]),
			miner: bytes(&of["miner"]),
			receipt: Some(&of["receipt"]).filter(|receipt| !receipt.is_null()).map(placed),
		}
		.signing_payload(genesis),
		"witness" => WitnessStatement {
			witness: bytes(&of["witness"]),
			of: check(&of["of"]),
			index: of["index"].as_u64(),
			says: if of["says"] == "has" { Witness::Has } else { Witness::GotNothing },
		}
		.signing_payload(genesis),
		"reopening" => Reopening {
			by: bytes(&of["by"]),
			of: check(&of["of"]),
			vrf: vrf(&of["vrf"]),
			commitment: hash(&of["commitment"]),
		}
		.signing_payload(genesis),
		"shown" => ShownFigures {
			by: bytes(&of["by"]),
			of: check(&of["of"]),
			figures: shown(&of["figures"]),
		}
		.signing_payload(genesis),
		"commitment" => JuryCommitment {
			juror: bytes(&of["juror"]),
			dispute: hash(&of["dispute"]),
			commitment: hash(&of["commitment"]),
		}
		.signing_payload(genesis),
		"abstention" => Abstention {
			juror: bytes(&of["juror"]),
			dispute: hash(&of["dispute"]),
			why: if of["not_shown"].is_null() {
				NoVote::NothingElse
			} else {
				NoVote::NotShown(batch(&of["not_shown"]))
			},
		}
		.signing_payload(genesis),
		_ => ballot(of).signing_payload(genesis),
	}
}

#[test]
fn statements_are_signed_and_hashed_as_the_vectors_say() {
	let file = file();
	let genesis = hash(&file["genesis"]);
	for case in cases(&file, "hashes") {
		let (id, answer) = (check(&case["id"]), &case["answer"]);
		assert_eq!(id.hash(), hash(&answer["id_hash"]));
		let commitment = figures_commitment(&id, &shown(&case["figures"]));
		assert_eq!(commitment, hash(&answer["commitment"]));
		assert_eq!(ballot(&case["ballot"]).commitment(&genesis), hash(&answer["vote"]));
	}
	for case in cases(&file, "statements") {
		let kind = case["kind"].as_str().unwrap();
		let found = hex::encode(payload(&genesis, kind, &case["statement"]));
		assert_eq!(found, case["answer"], "{kind}");
	}
}
