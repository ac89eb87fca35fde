//! `chain`: the embedded chain alone.

use super::Context;
use crate::{
    cli::ChainArgs,
    failure::{self, Failure},
    money,
    operate::Supervisor,
    up,
};
use anyhow::{Context as _, Result, bail};
use sealwork_devchain::{Config, DEV_MNEMONIC, DEV_PRIVATE_KEYS, Devchain, Mining, dev_accounts};
use serde_json::json;
use std::{net::SocketAddr, time::Duration};

pub(crate) async fn run(context: &Context, arguments: ChainArgs) -> Result<u8> {
    let config = config(&arguments)?;
    let listen = config.listen;
    let accounts: Vec<_> = config.accounts.iter().map(|account| account.signer.address()).collect();
    let chain =
        tokio::task::spawn_blocking(move || Devchain::open(&config)).await?.context("open the chain")?;
    let handle = chain.start().await.map_err(|error| {
        Failure::new(failure::FAILED, format!("cannot listen on {listen}: {error}"))
            .hint("is another chain running? Choose another port with --port, or --port 0 for a free one")
    })?;
    let keys = || DEV_PRIVATE_KEYS.iter().take(accounts.len());
    context.output.answer(
        &json!({
            "ready": true, "http": handle.http_url(), "ws": handle.ws_url(), "chain_id": handle.chain_id(),
            "block": handle.block_number(), "accounts": accounts, "private_keys": keys().collect::<Vec<_>>(),
        }),
        || {
            let lines = accounts.iter().zip(keys()).map(|(address, key)| format!("  {address}  {key}"));
            format!(
                "accounts with {} coins each, whose keys everybody knows\n{}\nmnemonic  {DEV_MNEMONIC}\nchain id  {}\nblock     \
                 {}\nlistening on {} and {}\nstop with Ctrl-C",
                arguments.balance,
                lines.collect::<Vec<_>>().join("\n"),
                handle.chain_id(),
                handle.block_number(),
                handle.http_url(),
                handle.ws_url()
            )
        },
    );
    let mut supervisor = Supervisor::from_environment();
    supervisor.ready();
    up::interrupted().await;
    supervisor.stopping();
    context.output.note("stopping");
    handle.stop().await;
    Ok(0)
}

fn config(arguments: &ChainArgs) -> Result<Config> {
    let balance = money::parse(&arguments.balance)?;
    let mut accounts = dev_accounts();
    accounts.truncate(usize::from(arguments.accounts));
    for account in &mut accounts {
        account.balance = balance;
    }
    Ok(Config {
        chain_id: arguments.chain_id,
        path: arguments.path.clone(),
        mining: mining(arguments)?,
        listen: SocketAddr::new(arguments.host, arguments.port),
        accounts,
        gas_limit: arguments.gas_limit,
        base_fee: arguments.base_fee,
        ..Config::default()
    })
}

fn mining(arguments: &ChainArgs) -> Result<Mining> {
    let Some(text) = &arguments.block_time else {
        return Ok(if arguments.no_mining { Mining::Manual } else { Mining::Instant });
    };
    match text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
        Some(period) if period >= Duration::from_millis(1) => Ok(Mining::Interval(period)),
        _ => bail!(Failure::new(
            failure::FAILED,
            format!("{text:?} is no time between blocks; write seconds, such as 2 or 0.5, at least 0.001")
        )),
    }
}
