//! Runs small programs, good and hostile, through the public interface.

mod common;
mod files;
mod guests;
mod hostile;
mod limits;
mod modules;
mod world;
