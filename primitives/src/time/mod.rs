//! Civil days, and the calendar that maps a time to its day.

pub mod calendar;
pub mod day;
