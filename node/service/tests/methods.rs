//! What others may ask, and what the costly questions cost.

use gridproof_node_service::{
	chain::Hash,
	methods::{MAX_KEYS, served},
};
use jsonrpsee::RpcModule;
use std::sync::{
	Arc,
	atomic::{AtomicUsize, Ordering},
};

/// A node's methods, which count how often they are asked.
fn all(asked: &Arc<AtomicUsize>) -> RpcModule<()> {
	let mut module = RpcModule::new(());
	for name in [
		"state_getKeys",
		"state_getPairs",
		"childstate_getKeys",
		"state_getKeysPaged",
		"state_queryStorageAt",
		"state_getMetadata",
		"state_call",
		"system_health",
	] {
		let asked = asked.clone();
		let answer =
			move |_: jsonrpsee::types::Params<'static>, _: Arc<()>, _: jsonrpsee::Extensions| {
				let number = asked.fetch_add(1, Ordering::SeqCst);
				async move {
					tokio::time::sleep(std::time::Duration::from_millis(20)).await;
					format!("{name} {number}")
				}
			};
		module.register_async_method(name, answer).expect("once");
	}
	module
}

/// The runtime of block 1 is another one than that of the best block.
fn serve(asked: &Arc<AtomicUsize>) -> RpcModule<()> {
	let code_of = |block: Option<Hash>| Some(block.unwrap_or_default());
	served(&all(asked), Arc::new(code_of)).expect("no name twice")
}

async fn ask(module: &RpcModule<()>, method: &str, params: &str) -> String {
	let request = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
	module.raw_json_request(&request, 1).await.expect("JSON").0
}

#[tokio::test]
async fn lists_without_a_bound_are_not_served_and_are_not_in_the_list_of_methods() {
	let asked = Arc::default();
	let module = serve(&asked);
	let list = ask(&module, "rpc_methods", "[]").await;
	assert!(list.contains("state_getKeysPaged") && list.contains("rpc_methods"), "{list}");
	for method in ["state_getKeys", "state_getPairs", "childstate_getKeys"] {
		let answer = ask(&module, method, r#"["0x"]"#).await;
		assert!(answer.contains("-32601"), "{answer}");
		assert!(!list.contains(&format!("\"{method}\"")), "{list}");
	}
	assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_list_of_keys_has_a_bound() {
	let asked = Arc::default();
	let module = serve(&asked);
	let keys = |number: usize| serde_json::json!([vec!["0x00"; number]]).to_string();
	let most = ask(&module, "state_queryStorageAt", &keys(MAX_KEYS)).await;
	assert!(most.contains("result"), "{most}");
	let more = ask(&module, "state_queryStorageAt", &keys(MAX_KEYS + 1)).await;
	assert!(more.contains("At most 1000 keys"), "{more}");
	let named = serde_json::json!({ "keys": vec!["0x00"; MAX_KEYS + 1] }).to_string();
	let named = ask(&module, "state_queryStorageAt", &named).await;
	assert!(named.contains("At most 1000 keys"), "{named}");
	assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn metadata_is_computed_once_for_each_runtime_and_form() {
	let asked = Arc::default();
	let module = serve(&asked);
	let many = (0..50).map(|_| ask(&module, "state_getMetadata", "[]"));
	let answers = futures::future::join_all(many).await;
	assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
	assert!(answers[0].contains("state_getMetadata 0"), "{}", answers[0]);
	assert_eq!(asked.load(Ordering::SeqCst), 1);

	let one = serde_json::json!([Hash::repeat_byte(1)]).to_string();
	ask(&module, "state_getMetadata", &one).await;
	ask(&module, "state_getMetadata", &one).await;
	assert_eq!(asked.load(Ordering::SeqCst), 2);
	let call = r#"["Metadata_metadata_at_version","0x0f000000"]"#;
	ask(&module, "state_call", call).await;
	ask(&module, "state_call", call).await;
	assert_eq!(asked.load(Ordering::SeqCst), 3);
	// Other questions are asked each time.
	let other = r#"["Core_version","0x"]"#;
	ask(&module, "state_call", other).await;
	ask(&module, "state_call", other).await;
	assert_eq!(asked.load(Ordering::SeqCst), 5);
}
