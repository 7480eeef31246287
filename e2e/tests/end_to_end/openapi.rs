//! The OpenAPI documents, as other tools read them: each is valid, a client can be made of it that works,
//! and requests that are generated from it are answered as it says.
//!
//! `GRIDPROOF_CASES_SECONDS=600` generates requests for so long at each server; CI has no time for it.

use crate::index::Index;
use anyhow::{Result, ensure};
use gridproof_e2e::{
	Node, NodeConfig,
	clients::{python_script, python_with, run},
	compute::Compute,
	metering::{LIMIT, Metering, Signer, log, minutes_ago},
};
use std::{
	path::Path,
	process::{Command, Stdio},
};

const MINUTE: u64 = 60_000;
/// What costs a model's time is asked by the tests of compute.
const INFERENCE: &str = "^/v1/(chat/completions|completions|embeddings)$";

/// For how long requests are generated; `None` in CI.
fn seconds() -> Option<String> {
	std::env::var("GRIDPROOF_CASES_SECONDS").ok()
}

/// Validates the document, makes a client of it, and lets that ask for `module`.
fn make_client(python: &Path, url: &str, module: &str, key: Option<&str>) -> Result<()> {
	let mut command = Command::new(python);
	command.arg(python_script("openapi_client.py")).args([url, module]);
	if let Some(key) = key {
		command.args(["--key", key]);
	}
	println!("{}", run(&mut command)?.trim());
	Ok(())
}

/// Generates requests from the document, good and bad, and compares the answers with it, if there is time.
fn generate(python: &Path, url: &str, more: &[&str]) -> Result<()> {
	let Some(seconds) = seconds() else { return Ok(()) };
	let folder = tempfile::tempdir()?;
	let output = Command::new(python.with_file_name("schemathesis"))
		.current_dir(folder.path())
		.arg("--config-file")
		.arg(python_script("schemathesis.toml"))
		.arg("run")
		.arg(format!("{url}/openapi.json"))
		.args(["--phases", "examples,coverage,fuzzing,stateful", "--seed", "1", "--no-color"])
		.args(["--max-time", &seconds])
		.args(more)
		.stdin(Stdio::null())
		.output()?;
	let said = String::from_utf8_lossy(&output.stdout);
	ensure!(output.status.success(), "answers are not as the document of {url} says: {said}");
	let of_interest = |line: &&str| line.contains("generated") || line.contains("Tested:");
	said.lines().filter(of_interest).for_each(|line| println!("{url}: {}", line.trim()));
	Ok(())
}

#[tokio::test]
async fn the_gateways_document_is_valid_and_true_and_makes_a_client() -> Result<()> {
	let python = python_with("openapi")?;
	let (metering, meters) =
		Metering::start(&[("SITE-1/gw-1/m-1", Signer::Gateway)], 1_000, 3_600).await?;
	let begin = minutes_ago(30);
	let reading = log(&meters[0].name, begin, begin + MINUTE, "0.001");
	let (status, answer) = metering.post_log(&meters[0], &reading).await?;
	assert_eq!(status, 200, "{answer}");
	metering.flush().await?;
	metering.accepted(LIMIT).await?;

	make_client(&python, &metering.http, "operation.operation_get", None)?;
	generate(&python, &metering.http, &[])
}

#[tokio::test]
async fn the_coordinators_document_is_valid_and_true_and_makes_a_client() -> Result<()> {
	let python = python_with("openapi")?;
	let compute = Compute::start().await?;
	compute.complete("A ball at", 4).await?;
	let key = compute.api_key.as_str();
	make_client(&python, &compute.url, "openai.models", Some(key))?;
	let bearer = format!("Authorization: Bearer {key}");
	generate(&python, &compute.url, &["-H", &bearer, "--exclude-path-regex", INFERENCE])
}

#[tokio::test]
async fn the_indexs_document_is_valid_and_true_and_makes_a_client() -> Result<()> {
	let python = python_with("openapi")?;
	let node = Node::start(NodeConfig::development()).await?;
	let folder = tempfile::tempdir()?;
	let mut index = Index::start(&node.rpc_url(), folder.path(), &[]).await?;
	index.wait_for(3).await?;
	make_client(&python, &index.url, "operation.status", None)?;
	generate(&python, &index.url, &[])
}
