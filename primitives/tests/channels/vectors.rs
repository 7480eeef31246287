//! `vectors/channels.json`: a story of two batches with every byte of it, and what is refused.
//!
//! `GRIDPROOF_NEW_VECTORS=1` writes the file instead of comparing with it. Other implementations
//! read it; `vectors/channels.py` is one, and shares no code with this one.

use crate::world::{
	AICP, AIT, Books, Chain, DAY_MS, FACTOR, GENESIS, KINDS, client, coordinator, miner, public,
	sign, terms,
};
use codec::Encode;
use gridproof_primitives::{
	H256,
	compute::{
		AitPerAicp, Class, ComputeParameters, PriceAsset, Signer,
		channels::{
			Batch, BatchKind, BatchRefusal, Channel, ChannelLine, ChannelReceipt, ChannelSums,
			Content, GivenUp, Lists, MinerLine, MinerSums, Opened, Part, Placed, ReceiptProof,
			ReceiptV2, Sampler, SamplingParameters, SettlementBatch, SettlementHeader, Tariff,
			Voucher, channel_sums_agree, job_seed, line_claim, miner_sums_agree, receipt_leaf,
			received, salt, spec_hash,
		},
	},
	crypto::merkle,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, path::Path};

const VARIABLE: &str = "GRIDPROOF_NEW_VECTORS";

fn hex(bytes: impl AsRef<[u8]>) -> String {
	hex::encode(bytes)
}

fn hashes(hashes: &[H256]) -> Vec<String> {
	hashes.iter().map(hex).collect()
}

fn kind(kind: BatchKind) -> Value {
	json!({ "asset": kind.asset, "mode": kind.mode })
}

fn channel_sums(sums: ChannelSums) -> Value {
	json!({ "count": sums.count, "price": sums.price.to_string() })
}

fn miner_sums(sums: MinerSums) -> Value {
	json!({
		"count": sums.count,
		"price": sums.price.to_string(),
		"weight": sums.weight.to_string(),
	})
}

fn voucher(voucher: &Voucher) -> Value {
	json!({
		"channel": voucher.channel,
		"number": voucher.number,
		"amount": voucher.amount.to_string(),
		"spec_hash": hex(voucher.spec_hash),
	})
}

fn sampler(sampler: Sampler) -> &'static str {
	match sampler {
		Sampler::Greedy => "greedy",
		Sampler::Gumbel => "gumbel",
		Sampler::Engine => "engine",
	}
}

fn receipt(receipt: &ReceiptV2) -> Value {
	let id = receipt.voucher().unwrap();
	json!({
		"channel": id.channel,
		"number": id.number,
		"miner": receipt.miner.map(hex),
		"model": hex(receipt.model),
		"spec_hash": hex(receipt.spec_hash),
		"output_root": hex(receipt.output_root),
		"weight": receipt.weight,
		"price": receipt.price.to_string(),
		"sampler": sampler(receipt.sampler),
		"input_tokens": receipt.telemetry.input_tokens,
		"output_tokens": receipt.telemetry.output_tokens,
		"duration_ms": receipt.telemetry.duration_ms,
		"memory_mb": receipt.telemetry.memory_mb,
		"settle_by_ms": receipt.settle_by_ms,
	})
}

/// A receipt with what is signed of it, and its leaf.
fn channel_receipt(one: &ChannelReceipt) -> Value {
	let of_miner = one.receipt.signing_payload(&GENESIS, Signer::Miner);
	let of_coordinator = one.coordinator_payload(&GENESIS);
	let signer = (0..3).map(miner).find(|key| one.receipt.miner == Some(public(key)));
	let signature = signer.map(|key| sign(&key, &of_miner));
	if let Some(signature) = &signature {
		assert_eq!(one.receipt.verify_miner(&GENESIS, signature), Ok(()));
	}
	json!({
		"receipt": receipt(&one.receipt),
		"kind": kind(one.sums.kind),
		"channel_sums": channel_sums(one.sums.channel),
		"miner_sums": miner_sums(one.sums.miner),
		"id": hex(one.receipt.id(&GENESIS)),
		"miner_payload": hex(&of_miner),
		"miner_signature": signature.map(hex),
		"coordinator_payload": hex(&of_coordinator),
		"coordinator_signature": hex(sign(&coordinator(), &of_coordinator)),
		"leaf": hex(receipt_leaf(one)),
	})
}

fn channel_line(line: &ChannelLine) -> Value {
	json!({
		"voucher": voucher(&line.voucher),
		"from": channel_sums(line.from),
		"to": channel_sums(line.to),
	})
}

fn miner_line(line: &MinerLine) -> Value {
	json!({
		"miner": line.miner.map(hex),
		"from": miner_sums(line.from),
		"to": miner_sums(line.to),
	})
}

fn header(header: &SettlementHeader) -> Value {
	json!({
		"coordinator": hex(header.coordinator),
		"sequence": header.sequence,
		"previous": hex(header.previous),
		"time_ms": header.time_ms,
		"kind": kind(header.kind),
		"receipts": header.sums.receipts,
		"price": header.sums.price.to_string(),
		"weight": header.sums.weight.to_string(),
		"channels": header.channels,
		"miners": header.miners,
		"lines_root": hex(header.lines),
		"receipts_root": hex(header.receipts),
		"cid": header.cid.map(|cid| cid.to_string()),
	})
}

fn proof(proof: &ReceiptProof) -> Value {
	json!({
		"index": proof.receipt.index,
		"path": hashes(&proof.receipt.path),
		"channel_index": proof.channel.index,
		"channel_path": hashes(&proof.channel.path),
		"miner_index": proof.miner.index,
		"miner_path": hashes(&proof.miner.path),
	})
}

fn range(one: &GivenUp) -> Value {
	json!({
		"channel": one.channel,
		"line": miner_line(&one.line),
		"leaf": hex(merkle::leaf_hash(&one.leaf_data())),
	})
}

fn batch(batch: &Batch, signed: &SettlementBatch) -> Value {
	let hash = signed.header.hash();
	let signature = |line: &MinerLine| {
		let signer = (0..3).map(miner).find(|key| line.miner == Some(public(key)))?;
		let signature = sign(&signer, &line.signing_payload(&GENESIS, &hash));
		assert_eq!(line.verify(&GENESIS, &hash, &signature), Ok(()));
		Some(hex(signature))
	};
	// What is given up has none.
	let proofs = (0..batch.receipts().len()).map(|index| {
		let shown = ReceiptProof::of(batch, index)?;
		assert_eq!(shown.verify(&signed.header), Ok(()));
		Some(proof(&shown))
	});
	json!({
		"header": header(&signed.header),
		"header_bytes": hex(signed.header.encode()),
		"header_hash": hex(hash),
		"header_payload": hex(signed.header.signing_payload(&GENESIS)),
		"header_signature": hex(signed.signature),
		"channels": signed.channels.iter().map(|signed| json!({
			"line": channel_line(&signed.line),
			"leaf": hex(merkle::leaf_hash(&signed.line.leaf_data())),
			"voucher_signature": hex(signed.signature),
		})).collect::<Vec<_>>(),
		"miners": signed.miners.iter().map(|signed| json!({
			"line": miner_line(&signed.line),
			"leaf": hex(merkle::leaf_hash(&signed.line.leaf_data())),
			"payload": hex(signed.line.signing_payload(&GENESIS, &hash)),
			"signature": signature(&signed.line),
		})).collect::<Vec<_>>(),
		"given_up": signed.given_up.iter().map(range).collect::<Vec<_>>(),
		"receipts": batch.receipts().iter().map(channel_receipt).collect::<Vec<_>>(),
		"proofs": proofs.collect::<Vec<_>>(),
	})
}

/// Two channels of AIT and one of AICP, two miners; answers overtake each other, one never comes.
fn story() -> (Chain, Vec<(Batch, SettlementBatch)>, Vec<Value>) {
	let (mut books, mut chain, mut vouchers) = (Books::default(), Chain::default(), vec![]);
	for channel in 0..3 {
		let of = if channel == 2 { AICP } else { AIT };
		let signer = terms(of, channel).signer.filter(|_| channel != 1);
		let terms =
			gridproof_primitives::compute::channels::ChannelTerms { signer, ..terms(of, channel) };
		chain.channels.insert(channel, Channel::open(&terms).unwrap());
	}
	let mut ask = |books: &mut Books, channel: u64, highest| {
		let state = chain.channels[&channel];
		let open = books.request(channel, &state, highest, 1_000).unwrap();
		let key = state.voucher_key();
		let payload = open.voucher.signing_payload(&GENESIS);
		vouchers.push(json!({
			"voucher": voucher(&open.voucher),
			"signer": hex(key),
			"payload": hex(&payload),
			"signature": hex(books.newest[&channel].signature),
			"seed": hex(open.voucher.seed(&GENESIS)),
		}));
	};
	let by = |number| Some(public(&miner(number)));
	for (channel, highest) in [(0, 1_000), (0, 700), (1, 90), (2, 5_000), (0, 400)] {
		ask(&mut books, channel, highest);
	}
	// The second request is answered first.
	books.complete(1, AIT, by(1), 640, 60, 1_500);
	books.complete(0, AIT, by(0), 900, 250, 1_600);
	books.complete(0, AIT, by(1), 90, 7, 1_700);
	books.complete(1, AIT, None, 0, 0, 1_800);
	books.complete(0, AICP, by(0), 4_999, 40, 1_900);
	let mut batches = vec![];
	batches.extend(books.batch(AIT, usize::MAX, 2_000));
	ask(&mut books, 0, 300);
	ask(&mut books, 1, 100);
	books.complete(0, AIT, by(1), 1, 1, 3_100);
	books.complete(0, AIT, by(0), 0, 0, 3_200);
	batches.extend(books.batch(AICP, usize::MAX, 3_300));
	batches.extend(books.batch(AIT, usize::MAX, 4_000));
	let mut settled = chain.clone();
	for (at, (_, signed)) in batches.iter().enumerate() {
		assert_eq!(settled.settle(signed, 2_000 * (at as u64 + 1)), Ok(()));
	}
	(settled, batches, vouchers)
}

/// Changes of the first batch's lines, with the refusal of each. The header is made again for the
/// changed lines, except where it says otherwise.
fn refusals(first: &SettlementBatch) -> Vec<Value> {
	type Change<'a> = &'a dyn Fn(&mut Lists);
	let changes: [(&str, Change<'_>); 10] = [
		("no line of a miner", &|lists| lists.miners.clear()),
		("an empty range", &|lists| lists.channels[0].to.count = 0),
		("a sum that falls", &|lists| {
			lists.channels[0].from = ChannelSums { count: 1, price: 1_000_000 };
		}),
		("a sum before the first receipt", &|lists| lists.miners[1].from.price = 1),
		("a price without a miner", &|lists| lists.miners[0].to.price = 1),
		("more than the voucher", &|lists| lists.channels[0].voucher.amount = 1_539),
		("more receipts than vouchers", &|lists| lists.channels[0].voucher.number = 2),
		("channels in the wrong order", &|lists| lists.channels.swap(0, 1)),
		("miners in the wrong order", &|lists| lists.miners.swap(0, 1)),
		("another price of a miner", &|lists| lists.miners[1].to.price += 1),
	];
	let mut cases: Vec<Value> = changes
		.iter()
		.map(|(name, change)| {
			let mut lists = first.lists();
			change(&mut lists);
			let mut of = first.header;
			of.lines = merkle::root(&lists.leaves());
			let of_miners = lists.miners.len() + lists.given_up.len();
			(of.channels, of.miners) = (lists.channels.len() as u32, of_miners as u32);
			of.sums = lists.of_miners().unwrap_or_default();
			refused(name, &of, &lists)
		})
		.collect();
	let mut of = first.header;
	of.sums.weight += 1;
	cases.push(refused("a header with another weight", &of, &first.lists()));
	let mut of = first.header;
	of.lines = H256::zero();
	cases.push(refused("a header of other lines", &of, &first.lists()));
	cases
}

/// The two channels of AIT once more, of which one has ended before it was settled.
fn given_up() -> Value {
	let (mut books, mut chain) = (Books::default(), Chain::default());
	for channel in 0..2 {
		chain.channels.insert(channel, Channel::open(&terms(AIT, channel)).unwrap());
	}
	let by = |number| Some(public(&miner(number)));
	let work = [(0, 600, by(0)), (1, 500, by(0)), (0, 400, by(0)), (0, 0, None), (1, 30, by(1))];
	for (channel, price, by) in work {
		books.request(channel, &chain.channels[&channel], price, 1_000).unwrap();
		books.complete(0, AIT, by, price, 40, 1_500);
	}
	let closed = chain.channels[&0].close(true, 1_500, DAY_MS).unwrap();
	chain.channels.insert(0, closed);
	let (now, ended) = (1_500 + DAY_MS, BTreeSet::from([0]));
	let (made, signed) = books.batch_giving_up(AIT, usize::MAX, now, &ended).unwrap();
	assert_eq!(chain.settle(&signed, now), Ok(()));
	for index in 0..made.receipts().len() {
		let range = Placed::<GivenUp>::of(&made, index);
		assert!(range.is_none_or(|range| range.verify(&signed.header) == Ok(())));
	}
	let paid = made.lists().paid().unwrap();
	type Change<'a> = &'a dyn Fn(&mut Lists);
	let changes: [(&str, Change<'_>); 3] = [
		("a range that is missing", &|lists| lists.given_up.truncate(2)),
		("a range twice", &|lists| lists.given_up.push(lists.given_up[2])),
		("ranges in the wrong order", &|lists| lists.given_up.swap(1, 2)),
	];
	let refusals = changes.iter().map(|(name, change)| {
		let mut lists = signed.lists();
		change(&mut lists);
		let mut of = signed.header;
		of.lines = merkle::root(&lists.leaves());
		of.miners = (lists.miners.len() + lists.given_up.len()) as u32;
		refused(name, &of, &lists)
	});
	json!({
		"batch": batch(&made, &signed),
		"paid": paid.iter().map(|line| json!({
			"miner": line.miner.map(hex),
			"receipts": line.receipts(),
			"price": line.price().map(|price| price.to_string()),
			"weight": line.weight().map(|weight| weight.to_string()),
		})).collect::<Vec<_>>(),
		"refused": refusals.collect::<Vec<_>>(),
	})
}

fn refused(name: &str, of: &SettlementHeader, lists: &Lists) -> Value {
	let refusal: BatchRefusal = lists.check(of).unwrap_err();
	json!({
		"name": name,
		"header": header(of),
		"channels": lists.channels.iter().map(channel_line).collect::<Vec<_>>(),
		"miners": lists.miners.iter().map(miner_line).collect::<Vec<_>>(),
		"given_up": lists.given_up.iter().map(range).collect::<Vec<_>>(),
		"refusal": refusal.as_str(),
		"code": refusal.code(),
	})
}

/// Pairs of receipts of one channel and one miner: whether both can be.
fn pairs(receipts: &[ChannelReceipt]) -> Vec<Value> {
	let of = |number: u64| {
		let is = |one: &&ChannelReceipt| {
			one.receipt.voucher().is_some_and(|id| id.channel == 0 && id.number == number)
		};
		*receipts.iter().find(is).unwrap()
	};
	// Completed in the order 2, 1.
	let (second, first) = (of(1), of(2));
	let changed = |change: &dyn Fn(&mut ChannelReceipt)| {
		let mut other = second;
		change(&mut other);
		other
	};
	let cases = [
		("one after the other", second),
		("one count", changed(&|other| other.sums.channel = first.sums.channel)),
		("sums that overlap", changed(&|other| other.sums.channel.price -= 1)),
		("sums with a gap", changed(&|other| other.sums.channel.price += 1)),
		(
			"a count with room between",
			changed(&|other| {
				other.sums.channel = ChannelSums { count: 9, price: 1_000_000 };
			}),
		),
		(
			"a later count with a lower sum",
			changed(&|other| {
				other.sums.channel = ChannelSums { count: 9, price: 1_000 };
			}),
		),
		(
			"one count of a miner",
			changed(&|other| {
				other.receipt.miner = first.receipt.miner;
				other.sums.miner = first.sums.miner;
			}),
		),
		(
			"a weight of a miner that overlaps",
			changed(&|other| {
				other.receipt.miner = first.receipt.miner;
				other.sums.miner =
					MinerSums { count: 2, price: 1_540, weight: other.receipt.weight.into() };
			}),
		),
	];
	cases
		.into_iter()
		.map(|(name, other)| {
			let same_miner = first.receipt.miner == other.receipt.miner;
			json!({
				"name": name,
				"first": channel_receipt(&first),
				"second": channel_receipt(&other),
				"channel_agrees": channel_sums_agree(&first, &other),
				"miner_agrees": same_miner.then(|| miner_sums_agree(&first, &other)),
			})
		})
		.collect()
}

fn contents() -> Value {
	let sampling = SamplingParameters {
		temperature_milli: 700,
		top_p_milli: 950,
		max_tokens: 64,
		further: H256::zero(),
	};
	let content =
		Content { prompt: vec![1, 15_496, 4_294_967_295], output: vec![40, 41], sampling };
	let secret = [3; 32];
	let root = content.root(&secret).unwrap();
	let parts = [(Part::Prompt, "prompt"), (Part::Output, "output"), (Part::Sampling, "sampling")];
	let openings = parts.map(|(part, name)| {
		let opening = content.open(&secret, part).unwrap();
		assert_eq!(opening.verify(&root), Ok(()));
		let tokens = match &opening.opened {
			Opened::Prompt(tokens) | Opened::Output(tokens) => Some(tokens.clone()),
			Opened::Sampling(_) => None,
		};
		json!({
			"part": name,
			"tokens": tokens,
			"salt": hex(opening.salt),
			"path": hashes(&opening.path),
		})
	});
	let request = "What does a kilowatt-hour weigh?";
	json!({
		"secret": hex(secret),
		"request": request,
		"request_salt": hex(salt(&secret, Part::Request)),
		"spec_hash": hex(spec_hash(&secret, request.as_bytes())),
		"sampling": {
			"temperature_milli": sampling.temperature_milli,
			"top_p_milli": sampling.top_p_milli,
			"max_tokens": sampling.max_tokens,
			"further": hex(sampling.further),
		},
		"openings": openings,
		"output_root": hex(root),
		"job": {
			"id": hex(H256::repeat_byte(1)),
			"nonce": hex(H256::repeat_byte(2)),
			"seed": hex(job_seed(&H256::repeat_byte(1), &H256::repeat_byte(2))),
		},
	})
}

fn tariffs() -> Vec<Value> {
	let ait = 1_000_000_000_000_000_000u128;
	[
		(ait, 10_000, 30, 0, 1),
		(ait, 10_000, 30, 1, 2),
		(5 * ait, 100_000, 30, 2_999_999, 1),
		(20 * ait, 1_000_000, 31, 7, 12_345),
		(7, 3, 1, 0, 1),
		(7, 3, 1, 1, 1),
		(7, 3, 1, 2, 1),
		(7, 3, 1, 3, 1),
	]
	.map(|(price, tokens_per_day, days, used, tokens)| {
		let tariff = Tariff { asset: PriceAsset::Ait, price, tokens_per_day, days };
		json!({
			"price": price.to_string(),
			"tokens_per_day": tokens_per_day,
			"days": days,
			"used": used,
			"tokens": tokens,
			"costs": tariff.price_between(used, tokens).to_string(),
		})
	})
	.into()
}

fn claims(lines: &[MinerLine]) -> Vec<Value> {
	let parameters = ComputeParameters { mint_per_unit: 3, ..ComputeParameters::default() };
	let rate = AitPerAicp { ait: 3, aicp: 2 };
	let mut claims = vec![];
	for line in lines {
		for of in KINDS {
			for (class, class_weight) in [(Class::Gpu, 1_000), (Class::Cpu, 300)] {
				let received = received(&parameters, of, line, Some(&rate));
				let claim = line_claim(&parameters, line, true, class, 8_765, received);
				claims.push(json!({
					"line": miner_line(line),
					"kind": kind(of),
					"mint_per_unit": 3,
					"gamma_ppm": parameters.mint_per_received,
					"treasury_ppm": parameters.price_split.treasury,
					"rate": { "ait": rate.ait, "aicp": rate.aicp },
					"class": class_weight,
					"score": 8_765,
					"received": received.to_string(),
					"claim": claim.to_string(),
				}));
			}
		}
	}
	claims
}

fn vectors() -> Value {
	let (chain, batches, vouchers) = story();
	let lines: Vec<MinerLine> =
		batches.iter().flat_map(|(batch, _)| batch.lists().miners.clone()).collect();
	let seeds = [("coordinator", 1u8), ("miner 0", 10), ("miner 1", 11)]
		.into_iter()
		.map(|(name, seed)| (name.to_owned(), seed))
		.chain((0..3).map(|channel| (format!("client {channel}"), 100 + channel)))
		.map(|(name, seed)| {
			let key = crate::world::key(seed);
			json!({ "name": name, "seed_byte": seed, "public": hex(public(&key)) })
		});
	assert_eq!(public(&client(0)), public(&crate::world::key(100)));
	json!({
		"about": "docs/protocols/channels.md. Integers above 32 bits that are amounts are decimal \
			texts, bytes are hexadecimal. The seed of a key is 32 times its byte: they are for tests.",
		"genesis": hex(GENESIS),
		"model_factor": FACTOR,
		"keys": seeds.collect::<Vec<_>>(),
		"content": contents(),
		"vouchers": vouchers,
		"batches": batches.iter().map(|(of, signed)| batch(of, signed)).collect::<Vec<_>>(),
		"settled": chain.channels.iter().map(|(id, channel)| json!({
			"channel": id,
			"sums": channel_sums(channel.settled),
			"voucher_number": channel.voucher_number,
			"left": channel.left().to_string(),
		})).collect::<Vec<_>>(),
		"refused": refusals(&batches[0].1),
		"given_up": given_up(),
		"pairs": pairs(batches[0].0.receipts()),
		"tariffs": tariffs(),
		"claims": claims(&lines),
	})
}

#[test]
fn the_vectors_of_channels_are_what_this_implementation_makes() {
	let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/channels.json");
	let made = vectors();
	if std::env::var_os(VARIABLE).is_some() {
		let text = serde_json::to_string_pretty(&made).unwrap();
		std::fs::write(&path, text + "\n").unwrap();
	}
	let written: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
	// One after the other, so that a difference is short.
	for (name, value) in made.as_object().unwrap() {
		assert_eq!(&written[name], value, "{name}: {VARIABLE}=1 writes the file again");
	}
	assert_eq!(written.as_object().unwrap().len(), made.as_object().unwrap().len());
}
