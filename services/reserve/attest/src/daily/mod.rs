//! The daily run: what is due when ([`Schedule`], [`Timetable`]), what is done ([`DayPipeline`]), and
//! how it is done once, whatever happens in between ([`Daemon`]).

mod daemon;
mod difference;
mod error;
mod logs;
mod metrics;
mod pipeline;
mod run;
mod schedule;
mod state;
mod time;
mod timetable;

pub use daemon::{Daemon, DaemonSettings, Loaded, Pipeline, Revision};
pub use error::{DaemonError, StepError, StepFault};
pub use metrics::DailyMetrics;
pub use pipeline::{DayPipeline, Figures, PipelineError, PipelineSettings, PriceSource};
pub use run::{DailyReport, run_daily};
pub use schedule::Schedule;
pub use state::{DaemonState, GivenUp, OpenDay, PartialDay};
pub use time::Time;
pub use timetable::Timetable;
