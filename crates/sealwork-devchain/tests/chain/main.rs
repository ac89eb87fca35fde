//! The chain from outside: everything over JSON-RPC, as tools see it.

mod support;

mod blocks;
mod hostile;
mod logs;
mod persistence;
mod time;
mod transactions;
