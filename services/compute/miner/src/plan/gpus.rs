//! Graphics processors and the machines they are in.

/// A graphics processor, by its maker's figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Gpu {
	/// Name.
	pub name: String,
	/// Memory in 10⁹ bytes.
	pub memory_gb: f64,
	/// Memory bandwidth in 10⁹ bytes a second.
	pub bandwidth_gbs: f64,
	/// Dense arithmetic with 16-bit floats, in 10¹² operations a second.
	pub tflops: f64,
	/// Bandwidth to the others of its machine, both directions together, in 10⁹ bytes a second.
	pub link_gbs: f64,
}

/// Known processors: name, memory (GB), bandwidth (GB/s), 16-bit arithmetic without sparsity (TFLOPS),
/// link (GB/s: NVLink, else PCIe). From NVIDIA's data sheets of each.
pub const GPUS: [(&str, [f64; 4]); 12] = [
	("h200", [141.0, 4_800.0, 989.0, 900.0]),
	("h100-sxm", [80.0, 3_350.0, 989.0, 900.0]),
	("h100-pcie", [80.0, 2_000.0, 756.0, 128.0]),
	("a100-80gb", [80.0, 2_039.0, 312.0, 600.0]),
	("a100-40gb", [40.0, 1_555.0, 312.0, 600.0]),
	("l40s", [48.0, 864.0, 362.0, 64.0]),
	("l4", [24.0, 300.0, 121.0, 64.0]),
	("a10", [24.0, 600.0, 125.0, 64.0]),
	("rtx4090", [24.0, 1_008.0, 165.0, 64.0]),
	("rtx3090", [24.0, 936.0, 71.0, 64.0]),
	("v100-32gb", [32.0, 900.0, 125.0, 300.0]),
	("t4", [16.0, 320.0, 65.0, 32.0]),
];
/// PCIe 4.0 with sixteen lanes, both directions: the link of a processor that is stated by figures.
const PCIE: f64 = 64.0;

/// A machine and its processors, all of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
	/// Their kind.
	pub gpu: Gpu,
	/// Their number.
	pub count: u32,
}

impl Gpu {
	/// Returns a known processor by its name, or one by its figures, as `80:2000:300` (GB, GB/s,
	/// TFLOPS).
	fn parse(text: &str) -> Result<Self, String> {
		let of = |name: &str, [memory_gb, bandwidth_gbs, tflops, link_gbs]: [f64; 4]| Self {
			name: name.to_string(),
			memory_gb,
			bandwidth_gbs,
			tflops,
			link_gbs,
		};
		let lower = text.to_lowercase();
		if let Some((name, figures)) = GPUS.iter().find(|(name, _)| *name == lower) {
			return Ok(of(name, *figures));
		}
		let figures: Option<Vec<f64>> = text.split(':').map(|part| part.parse().ok()).collect();
		match figures.as_deref() {
			Some([memory, bandwidth, tflops])
				if [memory, bandwidth, tflops].iter().all(|f| **f > 0.0) =>
			{
				Ok(of(text, [*memory, *bandwidth, *tflops, PCIE]))
			},
			_ => {
				let known = GPUS.map(|(name, _)| name).join(", ");
				Err(format!(
					"{text:?} is not a known processor: name one of {known}, or give GB:GB/s:TFLOPS"
				))
			},
		}
	}
}

/// Reads machines: `8xh100-sxm` is one with eight, `2*8xh100-sxm` are two such.
///
/// # Errors
/// What is wrong with the text.
pub fn machines(text: &str) -> Result<Vec<Machine>, String> {
	let wanted = || format!("{text:?} is not a machine: write 8xh100-sxm, or 2*8xh100-sxm for two");
	let count = |text: &str| text.trim().parse::<u32>().ok().filter(|n| (1..=1_024).contains(n));
	let (machines, one) = match text.split_once('*') {
		Some((machines, one)) => (count(machines).ok_or_else(wanted)?, one),
		None => (1, text),
	};
	let (gpus, kind) = one.split_once('x').ok_or_else(wanted)?;
	let count = count(gpus).ok_or_else(wanted)?;
	let machine = Machine { gpu: Gpu::parse(kind.trim())?, count };
	Ok((0..machines).map(|_| machine.clone()).collect())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn machines_are_read_by_name_or_by_figures() {
		let two = machines("2*8xH100-SXM").unwrap();
		assert_eq!((two.len(), two[0].count, two[0].gpu.memory_gb), (2, 8, 80.0));
		let own = machines("4x24:500:90").unwrap();
		assert_eq!((own.len(), own[0].count), (1, 4));
		assert_eq!((own[0].gpu.bandwidth_gbs, own[0].gpu.link_gbs), (500.0, 64.0));
		assert_eq!(machines("1xrtx4090").unwrap()[0].gpu.name, "rtx4090");
	}

	#[test]
	fn what_is_not_a_machine_is_said() {
		for (text, reason) in [
			("h100-sxm", "write 8xh100-sxm"),
			("0xh200", "write 8xh100-sxm"),
			("axh200", "write 8xh100-sxm"),
			("8xh300", "name one of h200"),
			("8x80:0:1", "GB:GB/s:TFLOPS"),
		] {
			let fault = machines(text).unwrap_err();
			assert!(fault.contains(reason), "{fault}");
		}
	}
}
