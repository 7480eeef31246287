//! Questions that the runtime answers.

use crate::{ChainError, Refusal};
use codec::{Decode, DecodeAll, Encode};
use sp_runtime::DispatchError;
use std::{fmt, marker::PhantomData};
use subxt::Metadata;

/// A question to the runtime, with the type of its answer. Only [`crate::pallets`] makes them, so
/// that no name of a function is written anywhere else.
pub struct Query<R> {
	function: &'static str,
	/// SCALE.
	arguments: Vec<u8>,
	/// Is the answer a `Result` whose error is the runtime's own?
	may_refuse: bool,
	answer: PhantomData<fn() -> R>,
}

impl<R> Query<R> {
	/// A question to this function.
	pub(crate) fn new(function: &'static str, arguments: &impl Encode) -> Self {
		let arguments = arguments.encode();
		Self { function, arguments, may_refuse: false, answer: PhantomData }
	}

	/// The question, to a function that answers `Result<R, DispatchError>`.
	pub(crate) const fn or_refused(mut self) -> Self {
		self.may_refuse = true;
		self
	}

	/// The function's name: its runtime API and its own, such as `AttestationsApi_calendar`.
	pub const fn function(&self) -> &'static str {
		self.function
	}

	/// Its arguments in SCALE.
	pub fn arguments(&self) -> &[u8] {
		&self.arguments
	}

	/// Has a runtime of this metadata such a function?
	pub(crate) fn is_known(&self, metadata: &Metadata) -> bool {
		self.function.split_once('_').is_some_and(|(api, method)| {
			let api = metadata.runtime_api_trait_by_name(api);
			api.is_some_and(|api| api.method_by_name(method).is_some())
		})
	}

	/// A question that this runtime does not understand, or answers in another form.
	pub(crate) fn unsupported(&self) -> ChainError {
		ChainError::Unsupported(self.function.to_string())
	}
}

impl<R: Decode> Query<R> {
	/// The answer, from the bytes that a runtime of this metadata gave.
	///
	/// # Errors
	/// [`ChainError::Refused`]; [`ChainError::Unsupported`] if the answer has another form.
	pub fn answer(&self, bytes: &[u8], metadata: &Metadata) -> Result<R, ChainError> {
		let decode = |mut bytes: &[u8]| R::decode_all(&mut bytes).map_err(|_| self.unsupported());
		match (self.may_refuse, bytes) {
			(false, bytes) | (true, [0, bytes @ ..]) => decode(bytes),
			(true, [1, bytes @ ..]) => {
				let error = DispatchError::decode_all(&mut &bytes[..]);
				let error = error.map_err(|_| self.unsupported())?;
				Err(Refusal::of(&error, metadata).into())
			},
			(true, _) => Err(self.unsupported()),
		}
	}
}

impl<R> Clone for Query<R> {
	fn clone(&self) -> Self {
		let Self { function, may_refuse, .. } = *self;
		Self { function, arguments: self.arguments.clone(), may_refuse, answer: PhantomData }
	}
}

impl<R> fmt::Debug for Query<R> {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		write!(f, "{}(0x{})", self.function, hex::encode(&self.arguments))
	}
}
