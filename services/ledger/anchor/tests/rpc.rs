//! Credentials of a Bitcoin node: as they were given, to that node, and to nobody else.

use axum::{Router, http::HeaderMap, routing::post};
use base64::{Engine, prelude::BASE64_STANDARD};
use gridproof_anchor::{AnchorError, Credentials, Rpc};
use gridproof_support::{Classified, Failure};
use serde_json::json;
use std::sync::{Arc, Mutex};

const PASSWORD: &str = " p:ss %41@/w\u{f6}rd ";

fn credentials(line: &str) -> Credentials {
	line.parse().expect("user:password")
}

/// A node that lets nobody in, and what it was shown.
async fn node() -> (String, Arc<Mutex<Vec<String>>>) {
	let seen = Arc::new(Mutex::new(Vec::new()));
	let shown = seen.clone();
	let answer = move |headers: HeaderMap| async move {
		let value = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
		shown.lock().unwrap().push(value.unwrap_or_default());
		axum::http::StatusCode::UNAUTHORIZED
	};
	let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
	let url = format!("http://{}", listener.local_addr().unwrap());
	let router = Router::new().route("/", post(answer));
	tokio::spawn(async move { axum::serve(listener, router).await });
	(url, seen)
}

#[tokio::test]
async fn a_nodes_password_arrives_byte_for_byte_and_is_in_no_error() {
	let (url, seen) = node().await;
	for end in ["", "\n", "\r\n", "\nmore"] {
		let rpc = Rpc::new(&url, Some(credentials(&format!("bitcoin:{PASSWORD}{end}")))).unwrap();
		let refused = rpc.call("getblockcount", json!([])).await.unwrap_err();
		assert!(matches!(refused, AnchorError::Unauthorized(_)), "{refused}");
		for shown in [refused.to_string(), format!("{refused:?}"), format!("{rpc:?}")] {
			assert!(!shown.contains("p:ss"), "{shown}");
		}
	}
	let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("bitcoin:{PASSWORD}")));
	assert_eq!(*seen.lock().unwrap(), vec![expected; 4]);
}

#[test]
fn a_password_leaves_this_machine_only_encrypted_or_on_purpose() {
	let user = || Some(credentials("user:secret"));
	for url in [
		"http://127.0.0.1:8332",
		"http://[::1]:8332",
		"http://localhost:8332/wallet/main",
		"https://node.example:8332",
	] {
		assert!(Rpc::new(url, user()).is_ok(), "{url}");
	}
	for url in ["http://192.0.2.7:8332", "http://node.example", "http://127.0.0.1.example:8332"] {
		let refused = Rpc::new(url, user()).unwrap_err();
		assert_eq!(refused, AnchorError::InTheClear(url.to_string()));
		assert_eq!(refused.failure(), Failure::USAGE);
		assert!(Rpc::new(url, None).is_ok(), "nothing is sent that could be read");
		assert!(Rpc::in_the_clear(url, user()).is_ok());
	}
}

#[test]
fn what_looks_like_a_password_is_repeated_in_no_refusal() {
	for url in ["http://user:secret@127.0.0.1:8332", "ftp://user:secret@host", "user:secret@host:1"]
	{
		let refused = Rpc::new(url, None).unwrap_err().to_string();
		assert!(!refused.contains("secret"), "{refused}");
	}
	let refused = "secret-without-a-user".parse::<Credentials>().unwrap_err();
	assert!(!refused.to_string().contains("secret"), "{refused}");
	assert_eq!(refused.failure(), Failure::USAGE);
}
