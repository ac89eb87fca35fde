//! `store start`: the embedded storage alone.

use super::Context;
use crate::{
    cli::{StoreArgs, StoreCommand},
    operate::Supervisor,
    up,
};
use anyhow::{Result, bail};
use serde_json::json;
use tokio::{sync::watch, task::JoinSet};

pub(crate) async fn run(context: &Context, command: StoreCommand) -> Result<u8> {
    match command {
        StoreCommand::Start(arguments) => start(context, arguments).await,
    }
}

async fn start(context: &Context, arguments: StoreArgs) -> Result<u8> {
    let data = arguments.data.unwrap_or_else(|| context.home.path("local/store"));
    let mut supervisor = Supervisor::from_environment();
    let (stop, stopping) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let address =
        up::serve_store(&mut tasks, data.clone(), arguments.port, context.operate.registry(), &stopping)
            .await?;
    let url = format!("http://{address}");
    let object = json!({ "ready": true, "store": url, "pid": std::process::id() });
    context.output.answer(&object, || format!("store of {} serves {url}\nstop with Ctrl-C", data.display()));
    supervisor.ready();
    tokio::select! {
        () = up::interrupted() => {}
        _ = tasks.join_next() => bail!("the store stopped by itself; see the log"),
    }
    supervisor.stopping();
    // The server may have ended by itself.
    let _ = stop.send(true);
    while tasks.join_next().await.is_some() {}
    Ok(0)
}
