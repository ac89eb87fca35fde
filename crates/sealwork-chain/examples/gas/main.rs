//! Gas of every kind of transaction, on a chain with the well-known development accounts: `gas RPC`.
//!
//! It deploys the contracts, plays every party, and prints one JSON object a figure with the gas of each repetition;
//! `cargo xtask bench gas` runs it on two chains. Conventions: accounts and orders have been used before, orders are
//! signed with EIP-712 and checked, every figure is `gas_used` of real transactions, prices are above zero, the pool
//! puts up 30 % of its price as stake where a deal is matched first.
#![expect(clippy::print_stdout, reason = "a tool for developers")]

mod market;
mod parties;
mod scenarios;

use std::error::Error;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let rpc = std::env::args().nth(1).ok_or("usage: gas RPC")?;
    let mut market = market::Market::deploy(&rpc).await?;
    scenarios::run_all(&mut market).await?;
    for (name, samples) in market.samples() {
        println!(r#"{{"name":"{name}","unit":"gas","samples":{samples:?}}}"#);
    }
    Ok(())
}
