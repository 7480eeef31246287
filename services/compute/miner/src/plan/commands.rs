//! The commands that start a split, as vLLM's and Ray's manuals have them.

use super::estimate::{Fit, Plan};

/// Returns the commands that run the first copy of a fit, one after another. `served` is the name by
/// which the server finds the model, such as `Qwen/Qwen2.5-7B-Instruct`.
pub fn commands(plan: &Plan, fit: &Fit, served: &str) -> Vec<String> {
	let mut lines = Vec::new();
	if fit.machines > 1 {
		lines.push(
			"ray start --head --port=6379                  # on the first machine".to_string(),
		);
		lines.push(
			"ray start --address=FIRST-MACHINE:6379        # on each of the others".to_string(),
		);
	}
	let mut serve = format!("vllm serve {served} --host 127.0.0.1 --port 8000");
	if fit.split.tensor > 1 {
		serve.push_str(&format!(" --tensor-parallel-size {}", fit.split.tensor));
	}
	if fit.split.pipeline > 1 {
		serve.push_str(&format!(" --pipeline-parallel-size {}", fit.split.pipeline));
	}
	if fit.machines > 1 {
		serve.push_str(" --distributed-executor-backend ray");
	}
	serve.push_str(&format!(" --max-model-len {}", plan.context));
	lines.push(serve);
	let slots = (fit.at_a_time / fit.copies.max(1)).clamp(1, 256);
	lines.push(format!(
		"gridproof miner run … --engine http://127.0.0.1:8000 --class gpu --slots {slots} --engine-model {}={served}",
		plan.model
	));
	lines
}

#[cfg(test)]
mod tests {
	use super::{
		super::{Dtype, ModelShape, estimate, machines},
		*,
	};

	fn lines(model: &str, gpus: &str) -> Vec<String> {
		let model = ModelShape::known(model).unwrap();
		let plan = estimate(&model, &machines(gpus).unwrap(), Dtype::Bits16, 4_096).unwrap();
		let fit = plan.fits.iter().max_by_key(|fit| fit.split.tensor).unwrap();
		commands(&plan, fit, "maker/model")
	}

	#[test]
	fn ray_is_needed_between_machines_only() {
		let one = lines("llama-3.1-70b-instruct", "8xh100-sxm");
		assert_eq!(
			one[0],
			"vllm serve maker/model --host 127.0.0.1 --port 8000 --tensor-parallel-size 8 --max-model-len 4096"
		);
		assert_eq!(one.len(), 2);
		let two = lines("llama-3.1-405b-instruct", "2*8xh100-sxm");
		assert!(two[0].starts_with("ray start --head") && two[1].contains("--address="));
		assert!(two[2].contains(
			"--tensor-parallel-size 8 --pipeline-parallel-size 2 --distributed-executor-backend ray"
		));
		assert!(two[3].contains("--engine-model llama-3.1-405b-instruct=maker/model"));
	}
}
