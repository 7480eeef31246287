//! Which RPC methods are served, and what the costly ones may cost.
//!
//! - Methods that list keys without a bound are not served.
//! - A list of keys has at most [`MAX_KEYS`] members.
//! - The chain's metadata is computed once for each runtime, then answered from memory.
//! - What takes the processor for long is answered a few at a time.

use crate::chain::Hash;
use futures::FutureExt;
use jsonrpsee::{
	MethodResponse, ResponsePayload, RpcModule,
	core::{
		JsonRawValue as RawValue,
		server::{AsyncMethod, Extensions, MethodCallback, SubscriptionMethod},
	},
	types::{ErrorObjectOwned, Id, Params, error::INVALID_PARAMS_CODE},
};
use serde::{Serialize, Serializer};
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, PoisonError},
	thread::available_parallelism,
};
use tokio::sync::Semaphore;

/// Highest number of keys in one request.
pub const MAX_KEYS: usize = 1_000;

/// Methods that answer with a list of any length. `state_getKeysPaged` does what they do.
const UNBOUNDED: [&str; 3] = ["state_getKeys", "state_getPairs", "childstate_getKeys"];

/// Methods that take a list of keys.
const WITH_KEYS: [&str; 6] = [
	"state_queryStorage",
	"state_queryStorageAt",
	"state_getReadProof",
	"state_getChildReadProof",
	"childstate_getStorageEntries",
	"state_subscribeStorage",
];

/// Methods that execute the runtime or walk over much of the state.
const COSTLY: [&str; 13] = [
	"state_call",
	"state_callAt",
	"state_getMetadata",
	"state_getKeysPaged",
	"state_getKeysPagedAt",
	"state_queryStorageAt",
	"state_getReadProof",
	"state_getChildReadProof",
	"childstate_getKeysPaged",
	"childstate_getKeysPagedAt",
	"childstate_getStorageEntries",
	"payment_queryInfo",
	"payment_queryFeeDetails",
];

/// Metadata of this many runtimes and forms is kept.
const KEPT_METADATA: usize = 8;

/// Says which runtime a block has: the hash of its code. `None` is the best block.
pub type CodeOf = Arc<dyn Fn(Option<Hash>) -> Option<Hash> + Send + Sync>;

/// Returns the methods that are served to others, of all that there are.
///
/// # Errors
/// If a method would be registered twice, which is a fault of this function.
pub fn served(
	all: &RpcModule<()>,
	code_of: CodeOf,
) -> Result<RpcModule<()>, jsonrpsee::core::RegisterMethodError> {
	let cores = available_parallelism().map_or(2, |cores| cores.get());
	let turns = Arc::new(Semaphore::new((cores / 2).max(2)));
	let metadata = Arc::new(Metadata {
		code_of,
		kept: Mutex::default(),
		computing: tokio::sync::Mutex::default(),
	});
	let mut served = RpcModule::new(());
	for name in all.method_names() {
		let Some((name, callback)) = all.method_with_name(name) else { continue };
		if UNBOUNDED.contains(&name) {
			continue;
		}
		let mut callback = callback.clone();
		if COSTLY.contains(&name) {
			callback = by_turns(callback, turns.clone());
		}
		if matches!(name, "state_getMetadata" | "state_call" | "state_callAt") {
			callback = from_memory(callback, name, metadata.clone());
		}
		if WITH_KEYS.contains(&name) {
			callback = with_few_keys(callback);
		}
		served.verify_and_insert(name, callback)?;
	}
	let mut names: Vec<&str> = served.method_names().chain(["rpc_methods"]).collect();
	names.sort_unstable();
	served
		.register_method("rpc_methods", move |_, _, _| serde_json::json!({ "methods": names }))?;
	Ok(served)
}

/// The callback as one that may wait.
fn as_async(callback: MethodCallback) -> Result<AsyncMethod<'static>, MethodCallback> {
	match callback {
		MethodCallback::Async(callback) => Ok(callback),
		MethodCallback::Sync(callback) => Ok(Arc::new(move |id, params, _, limit, extensions| {
			let callback = callback.clone();
			async move { callback(id, params, limit, extensions) }.boxed()
		})),
		other => Err(other),
	}
}

fn by_turns(callback: MethodCallback, turns: Arc<Semaphore>) -> MethodCallback {
	let inner = match as_async(callback) {
		Ok(inner) => inner,
		Err(other) => return other,
	};
	MethodCallback::Async(Arc::new(move |id, params, connection, limit, extensions| {
		let (inner, turns) = (inner.clone(), turns.clone());
		async move {
			let _turn = turns.acquire().await;
			inner(id, params, connection, limit, extensions).await
		}
		.boxed()
	}))
}

/// Returns the length of the longest list among the parameters.
fn longest_list(params: &Params) -> usize {
	fn inside(value: &serde_json::Value) -> usize {
		value.as_array().map_or(0, Vec::len)
	}
	match params.parse::<serde_json::Value>() {
		Ok(serde_json::Value::Array(values)) => values.iter().map(inside).max().unwrap_or(0),
		Ok(serde_json::Value::Object(values)) => values.values().map(inside).max().unwrap_or(0),
		_ => 0,
	}
}

fn too_many_keys() -> ErrorObjectOwned {
	ErrorObjectOwned::owned(
		INVALID_PARAMS_CODE,
		format!("At most {MAX_KEYS} keys in one request: ask for them in parts"),
		None::<()>,
	)
}

fn with_few_keys(callback: MethodCallback) -> MethodCallback {
	match callback {
		MethodCallback::Subscription(inner) => {
			let few: SubscriptionMethod<'static> = Arc::new(
				move |id: Id<'_>, params: Params<'_>, sink, state, extensions: Extensions| {
					if longest_list(&params) > MAX_KEYS {
						let refused = MethodResponse::error(id, too_many_keys());
						return async move { refused }.boxed();
					}
					inner(id, params, sink, state, extensions)
				},
			);
			MethodCallback::Subscription(few)
		},
		other => match as_async(other) {
			Ok(inner) => MethodCallback::Async(Arc::new(
				move |id: Id<'static>, params: Params<'static>, connection, limit, extensions| {
					let inner = inner.clone();
					async move {
						if longest_list(&params) > MAX_KEYS {
							return MethodResponse::error(id, too_many_keys());
						}
						inner(id, params, connection, limit, extensions).await
					}
					.boxed()
				},
			)),
			Err(other) => other,
		},
	}
}

/// An answer as it travels.
#[derive(Clone)]
struct Kept(Arc<RawValue>);

impl Serialize for Kept {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		self.0.serialize(serializer)
	}
}

/// Answers about metadata, by the runtime and the form that was asked for.
struct Metadata {
	code_of: CodeOf,
	kept: Mutex<HashMap<(Hash, String), Kept>>,
	/// Held by the one who computes, so that the others find the answer.
	computing: tokio::sync::Mutex<()>,
}

impl Metadata {
	/// Returns runtime and form that a request asks for, if it asks for metadata.
	fn asked(&self, method: &str, params: &Params) -> Option<(Hash, String)> {
		let mut values = params.sequence();
		let form = if method == "state_getMetadata" {
			String::new()
		} else {
			let function: String = values.next().ok()?;
			if !function.starts_with("Metadata_") {
				return None;
			}
			let input: String = values.next().ok()?;
			format!("{function} {input}")
		};
		let block: Option<Hash> = values.optional_next().ok()?;
		Some(((self.code_of)(block)?, form))
	}

	fn get(&self, key: &(Hash, String)) -> Option<Kept> {
		self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
	}

	fn keep(&self, key: (Hash, String), response: &str) {
		#[derive(serde::Deserialize)]
		struct Response {
			result: Box<RawValue>,
		}
		let Ok(response) = serde_json::from_str::<Response>(response) else { return };
		let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
		if kept.len() >= KEPT_METADATA {
			kept.clear();
		}
		kept.insert(key, Kept(response.result.into()));
	}
}

fn from_memory(
	callback: MethodCallback,
	method: &'static str,
	metadata: Arc<Metadata>,
) -> MethodCallback {
	let inner = match as_async(callback) {
		Ok(inner) => inner,
		Err(other) => return other,
	};
	MethodCallback::Async(Arc::new(
		move |id: Id<'static>, params: Params<'static>, connection, limit, extensions| {
			let (inner, metadata) = (inner.clone(), metadata.clone());
			async move {
				let Some(key) = metadata.asked(method, &params) else {
					return inner(id, params, connection, limit, extensions).await;
				};
				if let Some(kept) = metadata.get(&key) {
					return MethodResponse::response(id, ResponsePayload::success(kept), limit);
				}
				let _computing = metadata.computing.lock().await;
				if let Some(kept) = metadata.get(&key) {
					return MethodResponse::response(id, ResponsePayload::success(kept), limit);
				}
				let response = inner(id, params, connection, limit, extensions).await;
				if response.is_success() {
					metadata.keep(key, response.as_result());
				}
				response
			}
			.boxed()
		},
	))
}
