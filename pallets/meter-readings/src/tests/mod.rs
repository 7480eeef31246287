//! One module a topic.

mod submit;
