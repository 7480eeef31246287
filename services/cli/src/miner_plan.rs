//! `gridproof miner plan`.

use crate::{exit::usage, output::Output};
use anyhow::Context;
use clap::{Args, ValueEnum};
use gridproof_chain::{Chain, pallets::model_registry::query};
use gridproof_miner::plan::{
	self, Dtype, Fit, MODELS, Machine, ModelShape, Plan, commands, estimate,
};
use gridproof_primitives::compute::{
	compute_units,
	registry::{ModelName, ModelView, Standing},
};
use serde::Serialize;
use std::{fs, path::PathBuf};

/// Tokens of prompt and answer of each request, where nothing else is known.
const CONTEXT: u32 = 4_096;

/// How weights are stored.
#[derive(Clone, Copy, ValueEnum)]
enum DtypeArg {
	/// 16 bits: bfloat16 or float16.
	Bf16,
	/// 8 bits.
	Fp8,
	/// 4 bits: AWQ or GPTQ.
	Int4,
}

/// Arguments of `miner plan`.
#[derive(Args)]
pub struct PlanArgs {
	/// The model: a known one, or any name together with --model-config.
	#[arg(long, value_name = "NAME")]
	model: String,
	/// The model's config.json, if it is not a known one.
	#[arg(long, value_name = "FILE")]
	model_config: Option<PathBuf>,
	/// A machine and its graphics processors, as 8xh100-sxm; two of them as 2*8xh100-sxm; others by
	/// GB:GB/s:TFLOPS, as 4x24:500:90. May be repeated.
	#[arg(long, value_name = "MACHINE", required = true, value_parser = plan::machines)]
	gpus: Vec<std::vec::Vec<Machine>>,
	/// How weights are stored.
	#[arg(long, default_value = "bf16")]
	dtype: DtypeArg,
	/// Tokens of prompt and answer of each request. Without it: the context that the chain's registry
	/// has for the model, where --url names a node; else 4096.
	#[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
	context: Option<u32>,
	/// Also ask the node at this RPC address what the chain's registry has of the model: its context,
	/// and whether its tokens count; without it, no node is asked.
	#[arg(long, value_name = "WS", env = "GRIDPROOF_URL")]
	url: Option<String>,
	/// The server's name for the model, for the commands.
	#[arg(long, value_name = "NAME")]
	served: Option<String>,
}

/// What is printed.
#[derive(Serialize)]
struct Shown {
	model: String,
	/// Tokens of prompt and answer of each request.
	context: u32,
	/// What the chain's registry has of the model; only if a node was named.
	#[serde(skip_serializing_if = "Option::is_none")]
	registry: Option<OnChain>,
	/// The fastest for many requests first.
	splits: Vec<Row>,
	/// What starts the first of them.
	commands: Vec<String>,
}

/// What the chain's registry has of a model.
#[derive(Serialize)]
struct OnChain {
	/// Most tokens of prompt and answer together; none if it is not there.
	context: Option<u32>,
	/// Compute units of a thousand tokens; none if they do not count now.
	model_factor: Option<u32>,
}

impl From<Option<ModelView>> for OnChain {
	fn from(view: Option<ModelView>) -> Self {
		let counted = view.as_ref().and_then(|view| view.standing).and_then(Standing::counted);
		Self {
			context: view.map(|view| view.model.context),
			model_factor: counted.map(|terms| terms.factor),
		}
	}
}

impl OnChain {
	/// Asks a node.
	async fn ask(url: &str, name: &str) -> anyhow::Result<Self> {
		let name = ModelName::new(name).map_err(|error| usage(error.to_string()))?;
		let view = Chain::connect(url).await?.read(&query::model_by_name(&name)).await?;
		Ok(view.into())
	}

	fn text(&self) -> String {
		match (self.context, self.model_factor) {
			(None, _) => {
				"the registry has no model of this name: work on it is private and mints nothing; \
				serve it by a name of gridproof model list"
					.to_string()
			},
			(Some(_), None) => {
				"its tokens do not count now: gridproof model show says since when".to_string()
			},
			(Some(context), Some(factor)) => {
				let units = compute_units(1_000_000, factor);
				format!(
					"in the registry: {context} tokens of context, {units} units a million tokens"
				)
			},
		}
	}
}

#[derive(Serialize)]
struct Row {
	tensor: u32,
	pipeline: u32,
	copies: u32,
	/// Machines of one copy.
	machines: u32,
	/// On the fullest processor.
	weights_gb: f64,
	at_a_time: u32,
	/// Of one request that runs alone.
	tokens_per_second_alone: f64,
	tokens_per_second_together: f64,
}

impl From<&Fit> for Row {
	fn from(fit: &Fit) -> Self {
		Self {
			tensor: fit.split.tensor,
			pipeline: fit.split.pipeline,
			copies: fit.copies,
			machines: fit.machines,
			weights_gb: fit.weights_gb,
			at_a_time: fit.at_a_time,
			tokens_per_second_alone: fit.alone,
			tokens_per_second_together: fit.together,
		}
	}
}

/// Runs `gridproof miner plan`.
pub async fn run(args: &PlanArgs, out: &Output) -> anyhow::Result<()> {
	let model = shape(args)?;
	let machines = args.gpus.concat();
	let dtype = match args.dtype {
		DtypeArg::Bf16 => Dtype::Bits16,
		DtypeArg::Fp8 => Dtype::Bits8,
		DtypeArg::Int4 => Dtype::Bits4,
	};
	let registry = match &args.url {
		Some(url) => Some(OnChain::ask(url, &args.model).await?),
		None => None,
	};
	let known = registry.as_ref().and_then(|registry| registry.context);
	let context = args.context.or(known).unwrap_or(CONTEXT);
	let plan =
		estimate(&model, &machines, dtype, context).map_err(|error| usage(error.to_string()))?;
	let served = args.served.as_deref().unwrap_or(&args.model);
	out.result(&shown(&plan, served, registry), text)
}

fn shape(args: &PlanArgs) -> anyhow::Result<ModelShape> {
	if let Some(path) = &args.model_config {
		let text = fs::read_to_string(path);
		let text = text.with_context(|| format!("cannot read {}", path.display()))?;
		let read = ModelShape::parse(&args.model, &text);
		return read.map_err(|reason| usage(format!("{}: {reason}", path.display())));
	}
	ModelShape::known(&args.model).ok_or_else(|| {
		let known = MODELS.map(|model| model.name()).join(", ");
		usage(format!(
			"{:?} is not a known model: name its config.json with --model-config, or one of {known}",
			args.model
		))
	})
}

fn shown(plan: &Plan, served: &str, registry: Option<OnChain>) -> Shown {
	let first = plan.fits.first();
	Shown {
		model: plan.model.clone(),
		context: plan.context,
		registry,
		splits: plan.fits.iter().map(Row::from).collect(),
		commands: first.map_or_else(Vec::new, |fit| commands(plan, fit, served)),
	}
}

fn text(shown: &Shown) -> String {
	let mut text = format!(
		"{}, {} tokens a request: estimates from the makers' figures; measure with gridproof miner try\n\
		 tensor  pipeline  copies  machines  GB each  at a time  tokens/s alone  together",
		shown.model, shown.context
	);
	for row in &shown.splits {
		text.push_str(&format!(
			"\n{:>6}  {:>8}  {:>6}  {:>8}  {:>7.1}  {:>9}  {:>14.0}  {:>8.0}",
			row.tensor,
			row.pipeline,
			row.copies,
			row.machines,
			row.weights_gb,
			row.at_a_time,
			row.tokens_per_second_alone,
			row.tokens_per_second_together
		));
	}
	if let Some(registry) = &shown.registry {
		text.push_str(&format!("\n\n{}", registry.text()));
	}
	text.push_str("\n\nthe first of them:");
	for command in &shown.commands {
		text.push_str(&format!("\n  {command}"));
	}
	text
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_plan_says_what_the_registry_has_of_the_model() {
		let none = OnChain::from(None);
		assert!(none.text().contains("mints nothing"), "{}", none.text());
		let stopped = OnChain { context: Some(512), model_factor: None };
		assert!(stopped.text().contains("do not count now"));
		let counted = OnChain { context: Some(512), model_factor: Some(2_500) };
		let says = "in the registry: 512 tokens of context, 2500000 units a million tokens";
		assert_eq!(counted.text(), says);
	}
}
