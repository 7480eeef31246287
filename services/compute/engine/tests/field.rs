//! An engine as servers in the field are: `vectors/field/openai/fake_engine.py`, which needs python3.

use gridproof_compute_api::protocol::{Finish, Message, Sampling};
use gridproof_engine::{
	Completion, Engine, EngineError, Input, MemoryOptions, OpenAiEngine, OpenAiOptions, Request,
};
use gridproof_primitives::compute::Class;
use std::{
	io::{BufRead, BufReader},
	net::{TcpListener, TcpStream},
	ops::ControlFlow,
	process::{Child, Command, Stdio},
	sync::{
		Arc,
		mpsc::{Receiver, channel},
	},
	time::{Duration, Instant},
};
use tokio::runtime::Handle;

const PROGRAM: &str =
	concat!(env!("CARGO_MANIFEST_DIR"), "/../../../vectors/field/openai/fake_engine.py");

struct FakeEngine {
	child: Child,
	said: Receiver<String>,
	engine: Arc<OpenAiEngine>,
}

impl Drop for FakeEngine {
	fn drop(&mut self) {
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

impl FakeEngine {
	fn start(mode: &str) -> Self {
		let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
		let mut child = Command::new("python3")
			.args(["-u", PROGRAM, &port.to_string(), mode])
			.stdout(Stdio::piped())
			.stderr(Stdio::null())
			.spawn()
			.expect("python3 is installed");
		let (sender, said) = channel();
		let lines = BufReader::new(child.stdout.take().unwrap()).lines();
		std::thread::spawn(move || {
			for line in lines.map_while(Result::ok) {
				let _ = sender.send(line);
			}
		});
		let begin = Instant::now();
		while TcpStream::connect(("127.0.0.1", port)).is_err() {
			assert!(begin.elapsed() < Duration::from_secs(20), "{mode} does not listen");
			std::thread::sleep(Duration::from_millis(20));
		}
		let options = OpenAiOptions {
			url: format!("http://127.0.0.1:{port}"),
			api_key: None,
			models: Vec::new(),
			class: Class::Gpu,
			memory: MemoryOptions::default(),
			end_token: None,
			timeout: Duration::from_secs(20),
		};
		let engine = Arc::new(OpenAiEngine::new(options, Handle::current()).unwrap());
		Self { child, said, engine }
	}

	/// The answer to a conversation, or to a text.
	async fn answers(&self, is_chat: bool) -> Result<Completion, EngineError> {
		let message = Message { role: "user".to_string(), content: "Count.".to_string() };
		let input =
			if is_chat { Input::Chat(vec![message]) } else { Input::Text("Count.".to_string()) };
		let request = Request::new("field-model", input, 16, Sampling::default());
		let engine = self.engine.clone();
		let work = move || engine.complete(&request, &mut |_| ControlFlow::Continue(()));
		tokio::task::spawn_blocking(work).await.unwrap()
	}

	/// What it was asked, since the last call.
	fn requests(&self) -> Vec<String> {
		std::thread::sleep(Duration::from_millis(100));
		self.said.try_iter().collect()
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_in_which_some_parts_say_nothing_is_a_whole_answer() {
	for mode in ["good", "choices-null", "usage-empty", "null-event", "slow"] {
		let server = FakeEngine::start(mode);
		for is_chat in [true, false] {
			let done =
				server.answers(is_chat).await.unwrap_or_else(|fault| panic!("{mode}: {fault}"));
			assert_eq!(done.text, "One two three four five six seven eight.", "{mode}");
			assert_eq!((done.prompt_tokens, done.completion_tokens), (7, 8), "{mode}");
			assert_eq!(done.finish, Finish::Stop, "{mode}");
		}
		assert_eq!(server.requests().len(), 2, "{mode}: asked once for each");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_an_engine_gave_up_is_a_failure_of_the_engine() {
	for (mode, reason) in [("abort", "abort"), ("empty-reason", "broke off")] {
		let server = FakeEngine::start(mode);
		for is_chat in [true, false] {
			let fault = server.answers(is_chat).await.unwrap_err();
			assert!(fault.is_temporary() && !fault.is_requests_own(), "{mode}: {fault:?}");
			assert!(fault.to_string().contains(reason), "{mode}: {fault}");
		}
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_beyond_the_engines_context_is_the_requests_own_fault() {
	let server = FakeEngine::start("too-long");
	let fault = server.answers(true).await.unwrap_err();
	assert!(matches!(fault, EngineError::ContextExceeded(_)), "{fault:?}");
	assert!(fault.is_requests_own() && fault.to_string().contains("12000"), "{fault}");
	assert_eq!(server.requests().len(), 1, "one attempt");
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_texts_for_an_engine_of_thirty_two_are_asked_for_in_parts() {
	let server = FakeEngine::start("batch-32");
	for count in [1usize, 32, 33, 40] {
		let texts: Vec<String> = (0..count).map(|number| format!("text {number}")).collect();
		let engine = server.engine.clone();
		let embed = move || engine.embed("field-model", &texts);
		let found = tokio::task::spawn_blocking(embed).await.unwrap().unwrap();
		assert_eq!((found.vectors.len(), found.prompt_tokens), (count, 3 * count as u64));
		let requests = server.requests();
		assert_eq!(requests.len(), if count > 32 { 3 } else { 1 }, "{requests:?}");
	}
}
