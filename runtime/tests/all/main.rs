//! What the composed runtime keeps, but for the coalition test: one program, since each would be linked against the runtime again.

mod authorities;
mod checking;
mod clients;
mod computing;
mod governance;
mod limits;
mod metering;
mod migration;
mod origins;
mod presets;
mod seam;
mod stops;
mod storage;
mod treasury;
