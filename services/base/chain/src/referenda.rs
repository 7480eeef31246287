//! Referenda: proposing, and what a proposal would change, decoded.

use crate::{
	Call, Chain, ChainError, Included, Patience,
	pallets::{
		governance as doors, multisig, preimage,
		referenda::{self, Proposal, Referendum, Track, call, event::Submitted},
		utility,
	},
	plain::Plain,
	storage::{bytes, unsupported},
};
use futures::future::BoxFuture;
use gridproof_keys::AccountKey;
use gridproof_primitives::H256;
use serde_json::Value as Json;
use subxt::{
	dynamic::Value,
	ext::scale_decode::visitor::{IgnoreVisitor, decode_with_visitor},
};

/// A proposal that was made.
#[derive(Clone, Debug)]
pub struct Proposed {
	/// Number of the referendum.
	pub index: u32,
	/// Blake2-256 of the call that it makes if it is approved.
	pub hash: H256,
	/// The last transaction, with its events.
	pub included: Included,
}

/// What a proposal is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
	/// Blake2-256 of its call.
	pub hash: H256,
	/// The call in plain JSON; none if nobody has shown it, or this runtime has no such call.
	pub call: Option<Json>,
	/// What it would change of what is set now, as far as that is known.
	pub changes: Vec<Change>,
}

/// A value that a proposal would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
	/// Its name: pallet, entry and member.
	pub name: String,
	/// What it is now; `null` if nothing is set.
	pub before: Json,
	/// What it would be.
	pub after: Json,
}

/// Calls that set a value: pallet, call, the argument that is the value, and the entry that holds it.
const SETTERS: [(&str, &str, &str, &str); 9] = [
	("Brakes", "set_emergency_account", "new", "EmergencyAccount"),
	("ComputeChecks", "set_parameters", "new", "Parameters"),
	("ComputeReceipts", "set_breaker", "new", "BreakerLevel"),
	("ComputeReceipts", "set_channel_parameters", "new", "ChannelRules"),
	("ComputeReceipts", "set_parameters", "new", "Parameters"),
	("CoveragePolicy", "set_breaker", "new", "BreakerLevel"),
	("CoveragePolicy", "set_issuer", "new", "Issuer"),
	("CoveragePolicy", "set_parameters", "new", "Parameters"),
	("MeterReadings", "set_limits", "limits", "LimitsInUse"),
];

/// The pallet of fees and other tunables, the call that sets one, and the entry that holds them.
const TUNABLES: (&str, &str, &str) = ("Parameters", "set_parameter", "Parameters");

/// How deep calls within calls are looked at.
const MAX_DEPTH: u32 = 4;

impl Chain {
	/// Proposes a call on a track, signed by `signer`, with the deposit for its decision unless
	/// `is_undecided`. On the emergency track it is made through `governance.lift`. Waits until that is
	/// final.
	///
	/// # Errors
	/// [`ChainError::Unsupported`] if the chain's runtime has no such call; as [`Chain::submit`].
	pub fn propose<'a>(
		&'a self,
		signer: &'a AccountKey,
		track: Track,
		call: &'a Call,
		is_undecided: bool,
		patience: &'a Patience,
	) -> BoxFuture<'a, Result<Proposed, ChainError>> {
		Box::pin(async move {
			let lifted = match track {
				Track::Emergency => doors::call::lift(call.clone()),
				Track::Standard | Track::Root => call.clone(),
			};
			let bytes = self.encode(&lifted).await?;
			if !self.is_call(&bytes).await? {
				return Err(ChainError::Unsupported(call.to_string()));
			}
			let hash = multisig::hash(&bytes);
			let submission = if bytes.len() <= referenda::MAX_INLINE {
				call::submit(track, &Proposal::Call(bytes))
			} else {
				let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
				let submission = call::submit(track, &Proposal::Preimage { hash, length });
				match self.preimage(hash, length).await? {
					Some(_) => submission,
					None => {
						let shown = preimage::call::note_preimage(&bytes);
						utility::call::batch_all(vec![shown, submission])
					},
				}
			};
			let mut included = self.submit(signer, &submission, patience).await?;
			let index = included.first::<Submitted>()?.index;
			if !is_undecided {
				let deposit = call::place_decision_deposit(index);
				included = self.submit(signer, &deposit, patience).await?;
			}
			Ok(Proposed { index, hash: H256(hash), included })
		})
	}

	/// Number of referenda so far: the first has the index 0.
	///
	/// # Errors
	/// [`ChainError`].
	pub async fn referendum_count(&self) -> Result<u32, ChainError> {
		let count = self.row(referenda::PALLET, referenda::COUNT, Vec::new()).await?;
		Ok(count.unwrap_or_default())
	}

	/// The referendum with this index, if there is one.
	///
	/// # Errors
	/// [`ChainError`].
	pub async fn referendum(&self, index: u32) -> Result<Option<Referendum>, ChainError> {
		let key = vec![Value::u128(index.into())];
		self.row(referenda::PALLET, referenda::INFO, key).await
	}

	/// What a proposal is about, and what it would change now.
	///
	/// # Errors
	/// [`ChainError`].
	pub fn content<'a>(
		&'a self,
		proposal: &'a Proposal,
	) -> BoxFuture<'a, Result<Content, ChainError>> {
		Box::pin(async move {
			let (hash, bytes) = match proposal {
				Proposal::Hash(hash) => (*hash, None),
				Proposal::Call(bytes) => (multisig::hash(bytes), Some(bytes.clone())),
				Proposal::Preimage { hash, length } => {
					(*hash, self.preimage(*hash, *length).await?)
				},
			};
			let call = match bytes {
				Some(bytes) => self.decoded(&bytes).await?,
				None => None,
			};
			let mut changes = Vec::new();
			if let Some(call) = &call {
				for call in every_call(call) {
					changes.extend(self.changes(&call).await?);
				}
			}
			Ok(Content { hash: H256(hash), call, changes })
		})
	}

	/// The bytes of a call that somebody has shown.
	async fn preimage(&self, hash: [u8; 32], length: u32) -> Result<Option<Vec<u8>>, ChainError> {
		let key = Value::unnamed_composite([Value::from_bytes(hash), Value::u128(length.into())]);
		self.row(preimage::PALLET, preimage::PREIMAGES, vec![key]).await
	}

	/// Is it a call of this runtime, to the last byte?
	async fn is_call(&self, mut bytes: &[u8]) -> Result<bool, ChainError> {
		let block = self.at().await?;
		let metadata = block.metadata_ref();
		let (id, ignore) = (metadata.outer_enums().call_enum_ty(), IgnoreVisitor::new());
		let read = decode_with_visitor(&mut bytes, id, metadata.types(), ignore);
		Ok(read.is_ok() && bytes.is_empty())
	}

	/// A call in plain JSON; none if this runtime has no such call, or it is too long to be shown.
	async fn decoded(&self, call: &[u8]) -> Result<Option<Json>, ChainError> {
		let block = self.at().await?;
		let metadata = block.metadata_ref();
		let id = metadata.outer_enums().call_enum_ty();
		let json = Plain::default().read(call, id, metadata.types());
		Ok(Some(json).filter(|json| !json.is_null()))
	}

	/// A value of the state in plain JSON, or the one that holds as long as none is set; `null` if there
	/// is neither.
	fn present<'a>(
		&'a self,
		pallet: &'a str,
		entry: &'a str,
		key: Vec<Value>,
	) -> BoxFuture<'a, Result<Json, ChainError>> {
		Box::pin(async move {
			let block = self.at().await?;
			let row = bytes(&block, pallet, entry, key).await?;
			let metadata = block.metadata_ref();
			let known = metadata.pallet_by_name(pallet).and_then(|pallet| pallet.storage());
			let known = known.and_then(|storage| storage.entry_by_name(entry));
			let known = known.ok_or_else(|| unsupported(pallet, entry))?;
			let value = row.as_deref().or_else(|| known.default_value());
			let read = |value| Plain::default().read(value, known.value_ty(), metadata.types());
			Ok(value.map_or(Json::Null, read))
		})
	}

	/// What a call would change, if it is one that sets a value.
	async fn changes(&self, call: &Json) -> Result<Vec<Change>, ChainError> {
		let Some((pallet, name, arguments)) = parts(call) else { return Ok(Vec::new()) };
		let (tunables, set, entry) = TUNABLES;
		if (pallet, name) == (tunables, set) {
			let Some(tunable) = tunable(arguments) else { return Ok(Vec::new()) };
			let row = self.present(tunables, entry, vec![tunable.key]).await?;
			let before = row.get(tunable.group).and_then(|group| group.get(tunable.name));
			let (name, after) = (format!("{}.{}", tunable.group, tunable.name), tunable.after);
			return Ok(differences(name, before.unwrap_or(&Json::Null), after));
		}
		let setter = SETTERS.iter().find(|(of, call, ..)| (*of, *call) == (pallet, name));
		let Some((_, _, argument, entry)) = setter else { return Ok(Vec::new()) };
		let Some(after) = arguments.get(argument) else { return Ok(Vec::new()) };
		let before = self.present(pallet, entry, Vec::new()).await?;
		Ok(differences(format!("{pallet}.{entry}"), &before, after))
	}
}

/// Pallet, name and arguments of a call in plain JSON.
fn parts(call: &Json) -> Option<(&str, &str, &Json)> {
	let (pallet, call) = call.as_object()?.iter().next()?;
	match call {
		Json::String(name) => Some((pallet, name, &Json::Null)),
		call => {
			let (name, arguments) = call.as_object()?.iter().next()?;
			Some((pallet, name, arguments))
		},
	}
}

/// The call and those that it wraps, in order.
fn every_call(call: &Json) -> Vec<Json> {
	let mut all = Vec::new();
	let mut open = vec![(call, 0u32)];
	while let Some((call, depth)) = open.pop() {
		all.push(call.clone());
		let Some((_, _, arguments)) = parts(call).filter(|_| depth < MAX_DEPTH) else { continue };
		let one = arguments.get("call").into_iter();
		let list = arguments.get("calls").and_then(Json::as_array).into_iter().flatten();
		let mut inner: Vec<_> =
			one.chain(list).map(|call| (call, depth.saturating_add(1))).collect();
		inner.reverse();
		open.append(&mut inner);
	}
	all
}

/// A tunable that a call sets.
struct Tunable<'a> {
	/// Its group, such as fees.
	group: &'a str,
	/// Its name within the group.
	name: &'a str,
	/// What it would be; `null` if the one of the runtime would hold.
	after: &'a Json,
	/// Its key in the state.
	key: Value,
}

fn tunable(arguments: &Json) -> Option<Tunable<'_>> {
	let (group, inner) = arguments.get("key_value")?.as_object()?.iter().next()?;
	let (name, pair) = inner.as_object()?.iter().next()?;
	let after = pair.get(1)?;
	let nothing = Value::unnamed_composite([]);
	let key = Value::unnamed_variant(group, [Value::unnamed_variant(name, [nothing])]);
	Some(Tunable { group, name, after, key })
}

/// The members that differ, with their names.
fn differences(name: String, before: &Json, after: &Json) -> Vec<Change> {
	if before == after {
		return Vec::new();
	}
	if let (Json::Object(old), Json::Object(new)) = (before, after)
		&& old.keys().eq(new.keys())
	{
		let member = |(member, after): (&String, &Json)| {
			let before = old.get(member).unwrap_or(&Json::Null);
			differences(format!("{name}.{member}"), before, after)
		};
		return new.iter().flat_map(member).collect();
	}
	vec![Change { name, before: before.clone(), after: after.clone() }]
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde_json::json;

	#[test]
	fn what_differs_is_named_member_by_member() {
		let before = json!({ "a": 1, "b": { "c": "2", "d": null } });
		let after = json!({ "a": 1, "b": { "c": "3", "d": null } });
		let change = Change { name: "P.E.b.c".to_string(), before: json!("2"), after: json!("3") };
		assert_eq!(differences("P.E".to_string(), &before, &after), [change]);
		assert!(differences("P.E".to_string(), &before, &before).is_empty());
		let variant = differences("P.E".to_string(), &json!("Closed"), &json!("MintStopped"));
		assert_eq!(variant.len(), 1);
	}

	#[test]
	fn calls_within_lifts_and_batches_are_found_in_order() {
		let stop = json!({ "MeterReadings": "resume" });
		let exit = json!({ "SafeMode": "force_exit" });
		let batch = json!({ "Utility": { "batch_all": { "calls": [stop, exit] } } });
		let lift = json!({ "Governance": { "lift": { "call": batch } } });
		assert_eq!(every_call(&lift), [lift.clone(), batch, stop, exit]);
	}

	#[test]
	fn a_tunable_is_known_by_its_group_and_name() {
		let call = json!({ "Parameters": { "set_parameter": {
			"key_value": { "Fees": { "Base": [[], "7"] } },
		} } });
		let (pallet, name, arguments) = parts(&call).unwrap();
		assert_eq!((pallet, name), ("Parameters", "set_parameter"));
		let tunable = tunable(arguments).unwrap();
		assert_eq!((tunable.group, tunable.name, tunable.after), ("Fees", "Base", &json!("7")));
	}
}
