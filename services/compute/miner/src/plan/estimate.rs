//! Which splits fit, and how fast each is.

use super::{
	gpus::{Gpu, Machine},
	models::{Dtype, ModelShape},
};

/// Share of a processor's memory that a server uses (vLLM's `--gpu-memory-utilization`).
const MEMORY_USED: f64 = 0.9;
/// What a server keeps for activations and itself on each processor, in bytes.
const RESERVED: f64 = 1.5e9;
/// Share of the memory bandwidth that is reached.
const BANDWIDTH_REACHED: f64 = 0.7;
/// Share of the arithmetic that is reached.
const ARITHMETIC_REACHED: f64 = 0.5;
/// Bytes of a number among keys, values and activations.
const KEPT: f64 = 2.0;
/// A round of a tensor-parallel group begins and ends, in seconds; two a layer.
const ROUND: f64 = 1.0e-5;
/// What is passed from one stage of a pipeline to the next takes its time, in seconds.
const HOP: f64 = 1.0e-4;
/// Most requests at a time (vLLM's `--max-num-seqs`).
const MOST_AT_A_TIME: f64 = 256.0;
const GIGA: f64 = 1.0e9;

/// How one copy of a model is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Split {
	/// Processors that share each layer (`--tensor-parallel-size`).
	pub tensor: u32,
	/// Groups of them, one after another (`--pipeline-parallel-size`).
	pub pipeline: u32,
}

/// A split that fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
	/// How each copy is split.
	pub split: Split,
	/// Number of copies.
	pub copies: u32,
	/// Machines of one copy.
	pub machines: u32,
	/// Weights on the fullest processor, in 10⁹ bytes.
	pub weights_gb: f64,
	/// Tokens of which each copy can keep keys and values.
	pub kept_tokens: u64,
	/// Requests of the context asked for that all copies run at a time.
	pub at_a_time: u32,
	/// Tokens a second of one request that runs alone.
	pub alone: f64,
	/// Tokens a second of all requests that run at a time.
	pub together: f64,
}

/// What can be done with some machines.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
	/// Name of the model.
	pub model: String,
	/// Tokens of prompt and answer of each request.
	pub context: u32,
	/// All splits that fit, the fastest for many requests first.
	pub fits: Vec<Fit>,
}

/// Reason why there is no plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoPlan {
	/// No machine was named.
	#[error("no processors: name machines with --gpus, such as 8xh100-sxm")]
	NoMachines,
	/// The model does not read as many tokens.
	#[error("the model reads {most} tokens at most: choose a smaller --context")]
	ContextTooLong {
		/// The most tokens.
		most: u32,
	},
	/// No split leaves room.
	#[error(
		"it needs {needed:.0} GB and there are {there:.0} GB that can be used together: add processors, \
		 or store the weights in fewer bits with --dtype"
	)]
	TooSmall {
		/// Weights, and keys and values of one request, in 10⁹ bytes.
		needed: f64,
		/// What servers may use of all processors, in 10⁹ bytes.
		there: f64,
	},
}

/// The work that a model makes, in bytes and operations.
struct Work<'a> {
	model: &'a ModelShape,
	dtype: Dtype,
	context: f64,
}

/// Returns every way to run a model on machines, the fastest first. `context` is the tokens of prompt
/// and answer of each request.
///
/// Processors of several kinds are counted as the weakest: a model is split evenly.
///
/// # Errors
/// [`NoPlan`].
pub fn estimate(
	model: &ModelShape,
	machines: &[Machine],
	dtype: Dtype,
	context: u32,
) -> Result<Plan, NoPlan> {
	let gpu = weakest(machines).ok_or(NoPlan::NoMachines)?;
	if context > model.context {
		return Err(NoPlan::ContextTooLong { most: model.context });
	}
	let work = Work { model, dtype, context: context.into() };
	let mut fits = Vec::new();
	let largest = machines.iter().map(|machine| machine.count).max().unwrap_or(0);
	for tensor in (1..=largest).filter(|tensor| divides(model, *tensor)) {
		// Layers are shared within a machine only.
		let groups = |machine: &Machine| machine.count / tensor;
		let all: u32 = machines.iter().map(groups).sum();
		for pipeline in 1..=all.min(model.layers) {
			let split = Split { tensor, pipeline };
			if let Some(fit) = fit(&work, &gpu, split, machines) {
				fits.push(fit);
			}
		}
	}
	if fits.is_empty() {
		let one = machines.iter().map(|machine| usable(&machine.gpu) * f64::from(machine.count));
		return Err(NoPlan::TooSmall {
			needed: (work.weights() + work.kept(1.0) * work.context) / GIGA,
			there: one.sum::<f64>() / GIGA,
		});
	}
	// Of equal ones the one that needs fewer processors for an answer.
	fits.sort_by(|a, b| b.together.total_cmp(&a.together).then(a.split.cmp(&b.split)));
	Ok(Plan { model: model.name.clone(), context, fits })
}

/// Returns `true` if so many processors can share a layer: each gets as many attention heads, and as
/// many heads of keys and values, or one of these that others have as well.
fn divides(model: &ModelShape, tensor: u32) -> bool {
	let shares_kv = model.kv_heads.is_multiple_of(tensor) || tensor.is_multiple_of(model.kv_heads);
	model.heads.is_multiple_of(tensor) && shares_kv
}

/// The weakest figures of all.
fn weakest(machines: &[Machine]) -> Option<Gpu> {
	let least = |of: fn(&Gpu) -> f64| machines.iter().map(|m| of(&m.gpu)).reduce(f64::min);
	Some(Gpu {
		name: machines.first()?.gpu.name.clone(),
		memory_gb: least(|gpu| gpu.memory_gb)?,
		bandwidth_gbs: least(|gpu| gpu.bandwidth_gbs)?,
		tflops: least(|gpu| gpu.tflops)?,
		link_gbs: least(|gpu| gpu.link_gbs)?,
	})
}

/// Bytes of a processor that weights, keys and values may take.
fn usable(gpu: &Gpu) -> f64 {
	(gpu.memory_gb * GIGA * MEMORY_USED - RESERVED).max(0.0)
}

impl Work<'_> {
	fn weights(&self) -> f64 {
		self.model.parameters as f64 * self.dtype.bytes()
	}

	/// Bytes of keys and values of one token, if each processor has `share` of the heads.
	fn kept(&self, share: f64) -> f64 {
		let heads = f64::from(self.model.kv_heads) * share;
		2.0 * f64::from(self.model.layers) * heads * f64::from(self.model.head) * KEPT
	}
}

fn fit(work: &Work<'_>, gpu: &Gpu, split: Split, machines: &[Machine]) -> Option<Fit> {
	let model = work.model;
	let (tensor, pipeline) = (f64::from(split.tensor), f64::from(split.pipeline));
	// The stage with the most layers has one table of the vocabulary as well.
	let stage_layers = f64::from(model.layers.div_ceil(split.pipeline));
	let share = stage_layers / f64::from(model.layers);
	let table = f64::from(model.vocabulary) * f64::from(model.hidden) * work.dtype.bytes();
	let stage_weights = ((work.weights() - table).max(0.0) * share + table) / tensor;
	// With more processors than heads of keys and values, these are there several times.
	let heads_share = (1.0 / tensor).max(1.0 / f64::from(model.kv_heads));
	let kept = work.kept(heads_share) * share;
	let left = usable(gpu) - stage_weights;
	let kept_tokens = (left / kept).floor();
	if left <= 0.0 || kept_tokens < work.context {
		return None;
	}
	let (copies, spans) = copies(split, machines)?;
	let at_a_time = (kept_tokens / work.context).floor().min(MOST_AT_A_TIME);
	let rate = Rate { work, gpu, split, read: stage_weights, kept, share };
	// Each stage works on one part of the requests while the others work on theirs.
	let part = (at_a_time / pipeline).max(1.0);
	let busy = (at_a_time / pipeline).min(1.0);
	Some(Fit {
		split,
		copies,
		machines: spans,
		weights_gb: stage_weights / GIGA,
		kept_tokens: kept_tokens as u64,
		at_a_time: (at_a_time as u32).saturating_mul(copies),
		alone: 1.0 / (rate.stage(1.0) * pipeline),
		together: part / rate.stage(part) * busy * f64::from(copies),
	})
}

/// Number of copies, and machines of the copy that spans the most; `None` without room for one.
fn copies(split: Split, machines: &[Machine]) -> Option<(u32, u32)> {
	let (mut copies, mut spans) = (0u32, 1u32);
	let (mut open, mut over) = (0u32, 0u32);
	for machine in machines {
		let mut groups = machine.count / split.tensor;
		if groups == 0 {
			continue;
		}
		if open > 0 {
			over = over.saturating_add(1);
			let taken = groups.min(split.pipeline - open);
			(open, groups) = (open + taken, groups - taken);
			if open < split.pipeline {
				continue;
			}
			(copies, spans) = (copies + 1, spans.max(over));
		}
		copies += groups / split.pipeline;
		(open, over) = (groups % split.pipeline, 1);
	}
	(copies > 0).then_some((copies, spans))
}

/// How fast a stage is.
struct Rate<'a> {
	work: &'a Work<'a>,
	gpu: &'a Gpu,
	split: Split,
	/// Bytes of weights on a processor.
	read: f64,
	/// Bytes of keys and values of a token on a processor.
	kept: f64,
	/// Share of the layers.
	share: f64,
}

impl Rate<'_> {
	/// Seconds in which a stage makes the next token of so many requests.
	fn stage(&self, requests: f64) -> f64 {
		let model = self.work.model;
		let active = model.active as f64 / model.parameters as f64;
		// Of experts, few requests need few; many need all.
		let experts = (active * requests).min(1.0);
		// A request has read half of its context on average.
		let kept = self.kept * self.work.context / 2.0 * requests;
		let read =
			(self.read * experts + kept) / (self.gpu.bandwidth_gbs * GIGA * BANDWIDTH_REACHED);
		let tensor = f64::from(self.split.tensor);
		let operations = 2.0 * model.active as f64 * self.share * requests / tensor;
		let computed = operations / (self.gpu.tflops * 1.0e12 * ARITHMETIC_REACHED);
		read.max(computed) + self.rounds(requests) + if self.split.pipeline > 1 { HOP } else { 0.0 }
	}

	/// Seconds in which a tensor-parallel group adds up its parts: twice a layer.
	fn rounds(&self, requests: f64) -> f64 {
		if self.split.tensor == 1 {
			return 0.0;
		}
		let model = self.work.model;
		let tensor = f64::from(self.split.tensor);
		let bytes = f64::from(model.hidden) * KEPT * requests * 2.0 * (tensor - 1.0) / tensor;
		let one = ROUND + bytes / (self.gpu.link_gbs / 2.0 * GIGA);
		2.0 * f64::from(model.layers) * self.share * one
	}
}

#[cfg(test)]
mod tests {
	use super::{super::machines, *};

	fn plan(model: &str, gpus: &str, dtype: Dtype, context: u32) -> Result<Plan, NoPlan> {
		let model = ModelShape::known(model).unwrap();
		estimate(&model, &machines(gpus).unwrap(), dtype, context)
	}

	fn splits(plan: &Plan) -> Vec<(u32, u32, u32)> {
		let mut all: Vec<(u32, u32, u32)> =
			plan.fits.iter().map(|f| (f.split.tensor, f.split.pipeline, f.copies)).collect();
		all.sort_unstable();
		all
	}

	#[test]
	fn a_small_model_fits_on_one_processor() {
		let plan = plan("qwen2.5-7b-instruct", "1xh100-sxm", Dtype::Bits16, 4_096).unwrap();
		let [fit] = plan.fits[..] else { panic!("{plan:?}") };
		assert_eq!((fit.split, fit.copies), (Split { tensor: 1, pipeline: 1 }, 1));
		assert!((fit.weights_gb - 15.232).abs() < 1e-9, "{fit:?}");
		// (80·0.9 − 1.5 − 15.232) GB / (2·28·4·128·2 bytes).
		assert_eq!(fit.kept_tokens, 963_797);
		assert_eq!(fit.at_a_time, 235);
		// Its weights and half a context, read at 70 % of 3,350 GB/s.
		let read = 15.232e9 + 57_344.0 * 2_048.0;
		assert!((fit.alone - 3_350.0e9 * 0.7 / read).abs() < 1e-6, "{fit:?}");
		assert!(fit.together > 30.0 * fit.alone, "{fit:?}");
	}

	#[test]
	fn a_model_that_is_too_large_for_one_is_split() {
		let alone = plan("llama-3.1-70b-instruct", "1xh100-sxm", Dtype::Bits16, 4_096);
		assert!(
			matches!(alone, Err(NoPlan::TooSmall { needed, .. }) if (needed - 142.45).abs() < 0.01)
		);
		let plan = plan("llama-3.1-70b-instruct", "4xh100-sxm", Dtype::Bits16, 4_096).unwrap();
		assert_eq!(splits(&plan), [(1, 3, 1), (1, 4, 1), (2, 2, 1), (4, 1, 1)]);
		let fit = |tensor| *plan.fits.iter().find(|fit| fit.split.tensor == tensor).unwrap();
		assert!(fit(4).alone > 2.0 * fit(1).alone, "each token is read by four at once");
	}

	#[test]
	fn tensors_stay_in_a_machine_and_pipelines_go_between() {
		let plan = plan("llama-3.1-405b-instruct", "2*8xh100-sxm", Dtype::Bits16, 4_096).unwrap();
		assert!(plan.fits.iter().all(|fit| fit.split.tensor <= 8));
		let best =
			plan.fits.iter().find(|fit| fit.split == Split { tensor: 8, pipeline: 2 }).unwrap();
		assert_eq!((best.machines, best.copies), (2, 1));
		let eight = self::plan("llama-3.1-405b-instruct", "1*8xh100-sxm", Dtype::Bits16, 4_096);
		assert!(matches!(eight, Err(NoPlan::TooSmall { .. })));
		let eight =
			self::plan("llama-3.1-405b-instruct", "8xh100-sxm", Dtype::Bits8, 4_096).unwrap();
		assert!(eight.fits.iter().all(|fit| fit.machines == 1));
	}

	#[test]
	fn what_is_left_over_runs_further_copies() {
		let plan = plan("qwen2.5-7b-instruct", "4xl40s", Dtype::Bits16, 512).unwrap();
		assert!(splits(&plan).contains(&(1, 1, 4)) && splits(&plan).contains(&(2, 1, 2)));
		assert_eq!(plan.fits[0].split, Split { tensor: 1, pipeline: 1 }, "copies wait for nobody");
	}

	#[test]
	fn heads_that_do_not_divide_are_not_split() {
		// 28 heads, and 4 of keys and values: not among seven or eight.
		let plan = plan("qwen2.5-7b-instruct", "8xa10", Dtype::Bits16, 4_096).unwrap();
		let tensors: std::collections::BTreeSet<u32> =
			plan.fits.iter().map(|fit| fit.split.tensor).collect();
		assert_eq!(tensors, [1, 2, 4].into());
	}

	#[test]
	fn copies_span_machines_only_where_they_must() {
		let machines = |text: &str| machines(text).unwrap();
		let split = |tensor, pipeline| Split { tensor, pipeline };
		assert_eq!(copies(split(8, 2), &machines("2*8xh200")), Some((1, 2)));
		assert_eq!(copies(split(4, 2), &machines("2*8xh200")), Some((2, 1)));
		assert_eq!(copies(split(4, 3), &machines("2*8xh200")), Some((1, 2)));
		assert_eq!(copies(split(4, 3), &machines("3*8xh200")), Some((2, 2)));
		assert_eq!(copies(split(8, 3), &machines("2*8xh200")), None);
		assert_eq!(copies(split(2, 1), &machines("3*3xh200")), Some((3, 1)));
		let mixed = ["1*8xh200", "4xh200", "8xh200"].map(machines).concat();
		assert_eq!(
			copies(split(8, 2), &mixed),
			Some((1, 2)),
			"one that is too small is passed over"
		);
	}

	#[test]
	fn fewer_bits_and_faster_memory_are_faster() {
		let alone =
			|gpus, dtype| plan("qwen2.5-14b-instruct", gpus, dtype, 2_048).unwrap().fits[0].alone;
		assert!(alone("1xh100-sxm", Dtype::Bits8) > 1.9 * alone("1xh100-sxm", Dtype::Bits16));
		assert!(alone("1xh200", Dtype::Bits16) > 1.4 * alone("1xh100-sxm", Dtype::Bits16));
		assert!(alone("1xl40s", Dtype::Bits4) > 3.0 * alone("1xl40s", Dtype::Bits16));
	}

	#[test]
	fn what_cannot_be_planned_is_said() {
		let model = ModelShape::known("qwen2.5-7b-instruct").unwrap();
		assert_eq!(estimate(&model, &[], Dtype::Bits16, 1), Err(NoPlan::NoMachines));
		let long = plan("qwen2.5-7b-instruct", "1xh200", Dtype::Bits16, 40_000);
		assert_eq!(long, Err(NoPlan::ContextTooLong { most: 32_768 }));
		let small = plan("qwen2.5-72b-instruct", "1xt4", Dtype::Bits4, 4_096).unwrap_err();
		assert!(small.to_string().contains("--dtype"), "{small}");
	}
}
