//! Worst cases: the longest names, full timelines, everything announced.

use super::*;
use crate::Pallet as Registry;
use alloc::{boxed::Box, format};
use frame_benchmarking::v2::*;
use frame_support::{
	storage::{storage_prefix, unhashed},
	traits::EnsureOrigin,
};
use gridproof_primitives::{
	H256,
	compute::registry::{
		EngineClass, MAX_DELAY_MS, MAX_MODEL_NAME_BYTES, MAX_SPANS, ModelName, ModelTerms,
		NewModel, Next, Pending, Scheduled, TermsChange,
	},
};

fn governance<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
	T::GovernanceOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)
}

/// Time of the benchmarks in UTC milliseconds, where a timestamp pallet by that name has the clock.
const NOW: u64 = 2 * FACTOR_MEMORY_MS;

/// Sets the clock, which begins at 0 otherwise: nothing has been for long then.
fn set_clock() {
	unhashed::put(&storage_prefix(b"Timestamp", b"Now"), &NOW);
}

/// A model with the longest name and a template.
fn new(number: u32) -> Result<NewModel, BenchmarkError> {
	let width = usize::try_from(MAX_MODEL_NAME_BYTES).unwrap_or_default();
	let name = ModelName::new(&format!("{number:0>width$}")).map_err(|_| "a name")?;
	let hash = H256::repeat_byte(7);
	let description =
		ModelDescription { name, weights: hash, tokenizer: hash, template: Some(hash) };
	let terms = ModelTerms { factor: 1_000, engine: EngineClass::Seeded };
	Ok(NewModel { description, context: 512, terms })
}

/// A model whose timeline has room for one more change and is otherwise full, as the default.
fn model<T: Config>(stopped: bool) -> Result<H256, BenchmarkError> {
	set_clock();
	let new = new(0)?;
	let mut terms = new.terms;
	let base = Registry::<T>::now().saturating_sub(u64::from(MAX_SPANS).saturating_mul(2));
	let hash = Registry::<T>::insert(new, 0).map_err(|_| "it is added")?;
	Models::<T>::mutate(hash, |model| {
		let Some(model) = model else { return };
		for number in 0..u64::from(MAX_SPANS.saturating_sub(5)) {
			terms.factor = terms.factor.saturating_add(1);
			let (time, change) = (base.saturating_add(number), TermsChange::Terms(terms));
			let _ = model.timeline.announce(time, time.saturating_add(1), change);
		}
		if stopped {
			let _ = model.timeline.stop(base.saturating_add(u64::from(MAX_SPANS)));
		}
	});
	ChosenDefault::<T>::put(Scheduled::new(Some(hash)));
	Ok(hash)
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn propose_add() -> Result<(), BenchmarkError> {
		let (new, origin) = (new(0)?, governance::<T>()?);
		let hash = new.description.hash();

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Box::new(new));

		assert!(Models::<T>::contains_key(hash));
		Ok(())
	}

	#[benchmark]
	fn propose_change() -> Result<(), BenchmarkError> {
		let (hash, origin) = (model::<T>(false)?, governance::<T>()?);
		let terms = ModelTerms { factor: 2, engine: EngineClass::Exact };

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, hash, terms);

		assert_eq!(Registry::<T>::pending().len(), 1);
		Ok(())
	}

	#[benchmark]
	fn propose_retire() -> Result<(), BenchmarkError> {
		let (hash, origin) = (model::<T>(false)?, governance::<T>()?);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, hash);

		assert_eq!(Registry::<T>::pending().len(), 1);
		Ok(())
	}

	#[benchmark]
	fn propose_resume() -> Result<(), BenchmarkError> {
		let (hash, origin) = (model::<T>(true)?, governance::<T>()?);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, hash);

		assert_eq!(Registry::<T>::pending().len(), 1);
		Ok(())
	}

	#[benchmark]
	fn propose_default() -> Result<(), BenchmarkError> {
		let (hash, origin) = (model::<T>(false)?, governance::<T>()?);
		ChosenDefault::<T>::kill();

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Some(hash));

		assert_eq!(Registry::<T>::pending().len(), 1);
		Ok(())
	}

	#[benchmark]
	fn propose_delay() -> Result<(), BenchmarkError> {
		let origin = governance::<T>()?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, MAX_DELAY_MS);

		assert_eq!(Registry::<T>::pending().len(), 1);
		Ok(())
	}

	#[benchmark]
	fn call_off() -> Result<(), BenchmarkError> {
		set_clock();
		let origin = governance::<T>()?;
		let since_ms = Registry::<T>::effective();
		let hash = Registry::<T>::insert(new(0)?, since_ms).map_err(|_| "it is added")?;
		let next = Some(Next { value: Some(hash), since_ms });
		ChosenDefault::<T>::put(Scheduled { value: None, next });

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Pending::Model(hash));

		assert!(!Models::<T>::contains_key(hash));
		Ok(())
	}

	#[benchmark]
	fn stop() -> Result<(), BenchmarkError> {
		let hash = model::<T>(false)?;
		let origin =
			T::PauseOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, hash);

		assert_eq!(Registry::<T>::default_model(), None);
		Ok(())
	}

	#[benchmark]
	fn forget() -> Result<(), BenchmarkError> {
		let origin = governance::<T>()?;
		let hash = model::<T>(false)?;
		let now = Registry::<T>::now();
		let retired = now.saturating_sub(FACTOR_MEMORY_MS);
		Models::<T>::mutate(hash, |model| {
			let Some(model) = model else { return };
			model.timeline = Timeline::new(0, ModelTerms { factor: 1, engine: EngineClass::Exact });
			let before = retired.saturating_sub(1);
			let _ = model.timeline.announce(before, retired, TermsChange::Retire);
		});

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, hash);

		assert!(!Models::<T>::contains_key(hash));
		Ok(())
	}

	impl_benchmark_test_suite!(Registry, crate::mock::new_test_ext(), crate::mock::Test);
}
