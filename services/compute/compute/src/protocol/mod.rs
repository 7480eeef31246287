//! What miner, coordinator and client say to each other: JSON over the coordinator's REST.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST /miner/v1/hello` | [`Hello`] | [`Welcome`] |
//! | `POST /miner/v1/work?wait=SECONDS` | none | [`Assignment`], or 204 when there is no work |
//! | `POST /miner/v1/jobs/{job}/progress` | [`Progress`] | [`Lease`] |
//! | `POST /miner/v1/jobs/{job}/result` | [`JobResult`] | [`Accepted`] |
//! | `POST /miner/v1/jobs/{job}/refuse` | [`Refusal`] | 204 |
//! | `POST /miner/v1/heartbeat` | [`Heartbeat`] | [`HeartbeatAnswer`] |
//! | `POST /miner/v1/goodbye` | none | 204 |
//!
//! All but the first carry `Authorization: Bearer <session>`. An answer of 4xx or 5xx has a
//! [`Fault`] as its body. Every request may be repeated: a result that was accepted is accepted
//! again, unless it is another one.
//!
//! Hashes are SHA-256 of canonical JSON ([`gridproof_primitives::json`]); there is no float on the
//! way to one. Bytes are written as `0x` and hexadecimal digits.

mod faults;
mod job;
mod text;
mod work;

pub use faults::{Fault, FaultCode, Refusal, RefusalReason};
pub use job::{Finish, JobSpec, Message, Output, SPEC_VERSION, Sampling, Task, price_of};
pub use text::{Amount, Hex32, Hex64, HexBytes};
pub use work::{
	About, Accepted, Assignment, ClassName, HELLO_DOMAIN, HELLO_SKEW_MS, Heartbeat,
	HeartbeatAnswer, HeldJob, Hello, JobResult, Lease, MAX_WAIT_SECONDS, Progress, Welcome,
	hello_payload,
};
