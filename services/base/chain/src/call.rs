//! Calls: what a transaction makes the chain do.

use crate::{
	ChainError,
	refusal::{Codes, PoolRefusal},
	takes::{Takes, What},
};
use codec::{Compact, Encode};
use std::fmt;
use subxt::Metadata;

/// A call of a pallet. Only [`crate::pallets`] makes them, so that no name or argument of one is
/// written anywhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
	pallet: &'static str,
	name: &'static str,
	/// SCALE.
	arguments: Vec<u8>,
	/// Calls that are arguments themselves, after the others.
	inner: Inner,
	/// SCALE of the arguments after those calls.
	after: Vec<u8>,
	codes: Codes,
	takes: Vec<Takes>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Inner {
	None,
	One(Box<Call>),
	List(Vec<Call>),
	/// The arguments are the whole call already, with the numbers of its pallet and its own.
	Whole,
}

impl Call {
	/// A call with these arguments.
	pub(crate) fn new(pallet: &'static str, name: &'static str, arguments: &impl Encode) -> Self {
		let arguments = arguments.encode();
		let (inner, codes) = (Inner::None, Codes::None);
		Self { pallet, name, arguments, inner, after: Vec::new(), codes, takes: Vec::new() }
	}

	/// A call that somebody else has encoded, such as a wallet: the number of its pallet, its own, and
	/// its arguments in SCALE. What it means, the chain's metadata say when it is sent.
	pub fn whole(bytes: Vec<u8>) -> Self {
		Self { arguments: bytes, inner: Inner::Whole, ..Self::new("", "", &()) }
	}

	/// The call with another one as its last argument.
	pub(crate) fn with(mut self, call: Self) -> Self {
		self.inner = Inner::One(Box::new(call));
		self
	}

	/// The call with a list of others as its last argument.
	pub(crate) fn with_all(mut self, calls: Vec<Self>) -> Self {
		self.inner = Inner::List(calls);
		self
	}

	/// The call with more SCALE bytes after its arguments.
	pub(crate) fn and(mut self, argument: &impl Encode) -> Self {
		argument.encode_to(&mut self.arguments);
		self
	}

	/// The call with more SCALE bytes after the calls that it contains.
	pub(crate) fn then(mut self, argument: &impl Encode) -> Self {
		argument.encode_to(&mut self.after);
		self
	}

	/// The call, which takes AIT of who signs it, beside the fee.
	pub(crate) fn taking(mut self, what: What, purpose: &'static str) -> Self {
		self.takes.push(Takes { what, purpose });
		self
	}

	/// What it takes of who signs it, beside the fee, with the calls that it makes in his name.
	pub fn takes(&self) -> Vec<Takes> {
		let mut takes = self.takes.clone();
		if let Inner::List(calls) = &self.inner {
			takes.extend(calls.iter().flat_map(Self::takes));
		}
		takes
	}

	/// The call, refused in the pool with these numbers.
	pub(crate) const fn refused_with(mut self, codes: Codes) -> Self {
		self.codes = codes;
		self
	}

	/// What the numbers mean that it is refused with in the pool.
	pub(crate) const fn codes(&self) -> Codes {
		self.codes
	}

	/// What it means that the pool refuses it with this number.
	pub fn pool_refusal(&self, code: u8) -> PoolRefusal {
		self.codes.explain(code)
	}

	/// Its pallet's name; empty for [`Call::whole`].
	pub const fn pallet(&self) -> &'static str {
		self.pallet
	}

	/// Its name; empty for [`Call::whole`].
	pub const fn name(&self) -> &'static str {
		self.name
	}

	/// Its SCALE bytes, as the runtime of this metadata numbers its pallets and calls.
	///
	/// # Errors
	/// [`ChainError::Unsupported`] if the runtime has no such call.
	pub fn encode_for(&self, metadata: &Metadata) -> Result<Vec<u8>, ChainError> {
		if self.inner == Inner::Whole {
			return Ok(self.arguments.clone());
		}
		let missing = || ChainError::Unsupported(format!("the call {self}"));
		let pallet = metadata.pallet_by_name(self.pallet).ok_or_else(missing)?;
		let call = pallet.call_variant_by_name(self.name).ok_or_else(missing)?;
		let mut bytes = vec![pallet.call_index(), call.index];
		bytes.extend(&self.arguments);
		match &self.inner {
			Inner::None | Inner::Whole => (),
			Inner::One(call) => bytes.extend(call.encode_for(metadata)?),
			Inner::List(calls) => {
				let count = u32::try_from(calls.len()).unwrap_or(u32::MAX);
				Compact(count).encode_to(&mut bytes);
				for call in calls {
					bytes.extend(call.encode_for(metadata)?);
				}
			},
		}
		bytes.extend(&self.after);
		Ok(bytes)
	}
}

impl fmt::Display for Call {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		match self.inner {
			Inner::Whole => write!(f, "the call 0x{}", hex::encode(&self.arguments)),
			_ => write!(f, "{}.{}", self.pallet, self.name),
		}
	}
}
