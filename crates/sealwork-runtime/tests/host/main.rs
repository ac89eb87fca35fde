//! Runs small programs, good and hostile, through the public interface.

mod common;
mod programs;
