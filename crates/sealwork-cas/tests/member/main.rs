//! One member end to end: simulated enclaves over loopback TCP, clients over HTTP.

mod chain;
mod denials;
mod flow;
mod hostile;
mod http;
mod network;
mod opening;
