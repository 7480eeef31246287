//! Runs a runtime's benchmarks.

use anyhow::{Context, Result, anyhow, ensure};
use codec::{Decode, Encode};
use frame_benchmarking::{
	Analysis, BenchmarkBatch, BenchmarkList, BenchmarkParameter, BenchmarkResult, BenchmarkSelector,
};
use sc_chain_spec::GenesisConfigBuilderRuntimeCaller;
use sc_client_db::BenchmarkingState;
use sc_executor::WasmExecutor;
use sp_core::{
	Hasher as _,
	offchain::{
		OffchainDbExt, OffchainWorkerExt, TransactionPoolExt,
		testing::{TestOffchainExt, TestTransactionPoolExt},
	},
	traits::{CallContext, ReadRuntimeVersionExt, RuntimeCode, WrappedRuntimeCode},
};
use sp_externalities::Extensions;
use sp_keystore::{KeystoreExt, testing::MemoryKeystore};
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::StateMachine;
use sp_storage::Storage;
use sp_trie::proof_size_extension::ProofSizeExt;

type HostFunctions =
	(sp_io::SubstrateHostFunctions, frame_benchmarking::benchmarking::HostFunctions);
type State = BenchmarkingState<BlakeTwo256>;
/// One value for each component of a benchmark.
type Values = Vec<(BenchmarkParameter, u32)>;

/// Base and slopes of one figure of a call.
#[derive(Clone, Debug)]
pub(crate) struct Line {
	/// What it is where all components are 0.
	pub(crate) base: u128,
	/// What each component adds for each of its units, in the order of [`Call::components`].
	pub(crate) slopes: Vec<u128>,
}

/// One benchmark, measured.
#[derive(Clone, Debug)]
pub(crate) struct Call {
	/// Name of the call, or of a part of it.
	pub(crate) name: String,
	/// Its components: name, least and largest value.
	pub(crate) components: Vec<(String, u32, u32)>,
	/// Time, in picoseconds.
	pub(crate) time: Line,
	/// Size of the recorded proof, in bytes.
	pub(crate) proof: Line,
	/// Number of values that are read from the database.
	pub(crate) reads: Line,
	/// Number of values that are written to the database.
	pub(crate) writes: Line,
}

/// A runtime, and the state that each benchmark starts from.
pub(crate) struct Host {
	executor: WasmExecutor<HostFunctions>,
	runtime: Vec<u8>,
	genesis: Storage,
}

impl Host {
	/// A runtime with its benchmarks, and the state of one of its presets.
	///
	/// # Errors
	/// When the runtime is none, or has no such preset.
	pub(crate) fn new(runtime: &[u8], preset: &str) -> Result<Self> {
		let genesis = GenesisConfigBuilderRuntimeCaller::<HostFunctions>::new(runtime)
			.get_storage_for_named_preset(Some(&preset.into()))
			.map_err(|error| anyhow!("the preset {preset}: {error}"))?;
		// The runtime runs twice at a time: a benchmark, and what it asks of the host.
		let executor = WasmExecutor::builder()
			.with_max_runtime_instances(2)
			.with_runtime_cache_size(2)
			.build();
		Ok(Self { executor, runtime: runtime.to_vec(), genesis })
	}

	/// Measures every benchmark of a pallet, for `steps` values of each component, `repeat` times.
	///
	/// # Errors
	/// When the pallet has no benchmark, or one of them fails.
	pub(crate) fn measure(&self, pallet: &str, steps: u32, repeat: u32) -> Result<Vec<Call>> {
		let counting = self.state(true)?;
		let timing = self.state(false)?;
		// What follows in the answer are the sizes that storage may have.
		let lists: Vec<BenchmarkList> =
			self.call(&timing, "Benchmark_benchmark_metadata", &true.encode())?;
		let list = lists
			.iter()
			.find(|list| list.pallet == pallet.as_bytes())
			.with_context(|| format!("the runtime has no benchmarks of {pallet}"))?;
		let mut calls = Vec::new();
		for benchmark in &list.benchmarks {
			let name = String::from_utf8(benchmark.name.clone())?;
			let (mut times, mut accesses) = (Vec::new(), Vec::new());
			for values in all_values(&benchmark.components, steps) {
				let run = |state: &State, verify: bool, repeat: u32| {
					let arguments =
						(&list.pallet, &list.instance, &benchmark.name, &values, verify, repeat)
							.encode();
					let batches: Result<Vec<BenchmarkBatch>, String> =
						self.call(state, "Benchmark_dispatch_benchmark", &arguments)?;
					let batches = batches.map_err(|error| anyhow!("{name} {values:?}: {error}"))?;
					Ok::<_, anyhow::Error>(
						batches.into_iter().flat_map(|batch| batch.results).collect::<Vec<_>>(),
					)
				};
				run(&timing, true, 1)?;
				accesses.extend(run(&counting, false, 1)?);
				times.extend(run(&timing, false, repeat)?);
			}
			calls.push(call(name, &benchmark.components, &times, &accesses)?);
		}
		ensure!(!calls.is_empty(), "{pallet} has no benchmarks");
		Ok(calls)
	}

	/// The state of the preset; `counting` one that counts accesses and records proofs.
	fn state(&self, counting: bool) -> Result<State> {
		State::new(self.genesis.clone(), None, counting, counting).map_err(|error| anyhow!(error))
	}

	fn call<R: Decode>(&self, state: &State, name: &str, arguments: &[u8]) -> Result<R> {
		let code = WrappedRuntimeCode(self.runtime.as_slice().into());
		let code = RuntimeCode {
			code_fetcher: &code,
			heap_pages: None,
			hash: BlakeTwo256::hash(&self.runtime).0.to_vec(),
		};
		let mut extensions = self.extensions(state);
		let answer = StateMachine::new(
			state,
			&mut Default::default(),
			&self.executor,
			name,
			arguments,
			&mut extensions,
			&code,
			CallContext::Offchain,
		)
		.execute()
		.map_err(|error| anyhow!("{name}: {error}"))?;
		R::decode(&mut &answer[..]).with_context(|| format!("the answer of {name}"))
	}

	fn extensions(&self, state: &State) -> Extensions {
		let (offchain, _) = TestOffchainExt::new();
		let (pool, _) = TestTransactionPoolExt::new();
		let mut extensions = Extensions::default();
		extensions.register(KeystoreExt::new(MemoryKeystore::new()));
		extensions.register(OffchainWorkerExt::new(offchain.clone()));
		extensions.register(OffchainDbExt::new(offchain));
		extensions.register(TransactionPoolExt::new(pool));
		extensions.register(ReadRuntimeVersionExt::new(self.executor.clone()));
		if let Some(recorder) = state.recorder() {
			extensions.register(ProofSizeExt::new(recorder));
		}
		extensions
	}
}

/// The values at which a benchmark is measured: each component from its least to its largest, the
/// others at their largest.
fn all_values(components: &[(BenchmarkParameter, u32, u32)], steps: u32) -> Vec<Values> {
	if components.is_empty() {
		return vec![Vec::new()];
	}
	let largest = |of: &(BenchmarkParameter, u32, u32)| (of.0, of.2);
	let mut all = Vec::new();
	for (place, (_, low, high)) in components.iter().enumerate() {
		for step in 0..steps {
			let part = u64::from(high.saturating_sub(*low)) * u64::from(step)
				/ u64::from(steps.saturating_sub(1).max(1));
			let value = low.saturating_add(u32::try_from(part).unwrap_or(u32::MAX)).min(*high);
			let mut values: Values = components.iter().map(largest).collect();
			values[place].1 = value;
			all.push(values);
		}
	}
	all
}

/// Base and slopes of each figure of a benchmark.
fn call(
	name: String,
	components: &[(BenchmarkParameter, u32, u32)],
	times: &Vec<BenchmarkResult>,
	accesses: &Vec<BenchmarkResult>,
) -> Result<Call> {
	let line = |results, selector| {
		// The higher of two ways to draw a line: what is charged should rather be too much.
		let analysis = Analysis::max(results, selector)
			.with_context(|| format!("what was measured of {name}"))?;
		Ok::<_, anyhow::Error>(Line { base: analysis.base, slopes: analysis.slopes })
	};
	Ok(Call {
		components: components
			.iter()
			.map(|(parameter, low, high)| (format!("{parameter:?}"), *low, *high))
			.collect(),
		time: line(times, BenchmarkSelector::ExtrinsicTime)?,
		proof: line(accesses, BenchmarkSelector::ProofSize)?,
		reads: line(accesses, BenchmarkSelector::Reads)?,
		writes: line(accesses, BenchmarkSelector::Writes)?,
		name,
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn each_component_goes_from_its_least_to_its_largest_beside_the_largest_of_the_others() {
		let components = [(BenchmarkParameter::a, 1, 11), (BenchmarkParameter::b, 0, 4)];
		let values: Vec<(u32, u32)> =
			all_values(&components, 3).iter().map(|values| (values[0].1, values[1].1)).collect();
		assert_eq!(values, [(1, 4), (6, 4), (11, 4), (11, 0), (11, 2), (11, 4)]);
		assert_eq!(all_values(&[], 3), [Vec::new()]);
	}

	#[test]
	fn what_is_measured_exactly_on_a_line_gives_that_line() {
		let result = |value: u32| BenchmarkResult {
			components: vec![(BenchmarkParameter::n, value)],
			extrinsic_time: 1_000 + 20 * u128::from(value),
			reads: 2 + value,
			writes: 1,
			..Default::default()
		};
		let results: Vec<_> = (0..6).map(result).collect();
		let call = call("it".into(), &[(BenchmarkParameter::n, 0, 5)], &results, &results).unwrap();
		assert_eq!((call.time.base, &call.time.slopes[..]), (1_000_000, &[20_000][..]));
		assert_eq!((call.reads.base, &call.reads.slopes[..]), (2, &[1][..]));
		assert_eq!((call.writes.base, &call.writes.slopes[..]), (1, &[0][..]));
	}
}
