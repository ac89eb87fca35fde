//! `worker start|status`.

use super::Context;
use crate::{
    cli::{WorkerArgs, WorkerCommand},
    failure::{self, Failure},
    operate::Supervisor,
    up::{self, worker::WorkerSetup},
    wallet,
};
use anyhow::Result;
use sealwork_worker::HttpWorker;
use serde_json::json;
use std::time::Duration;

pub(crate) async fn run(context: &Context, command: WorkerCommand) -> Result<u8> {
    match command {
        WorkerCommand::Start(arguments) => start(context, arguments).await,
        WorkerCommand::Status { url } => status(context, url).await,
    }
}

async fn start(context: &Context, arguments: WorkerArgs) -> Result<u8> {
    let setup = WorkerSetup {
        network: context.home.network()?,
        wallet: wallet::unlock(&context.home, &context.wallet)?,
        data: arguments.data.unwrap_or_else(|| context.home.path("worker")),
        slots: arguments.slots,
        price: arguments.price,
        stake: arguments.stake,
        takes_requests: arguments.take_requests,
        drain: Duration::from_secs(arguments.drain),
        port: arguments.port,
        sim_root: arguments.sim_root.unwrap_or_else(|| up::default_sim_root(context)),
        url_file: context.home.path("worker.url"),
        registry: context.operate.registry(),
    };
    let mut supervisor = Supervisor::from_environment();
    let mut worker = Box::pin(up::worker::start(setup)).await?;
    context.output.answer(
        &json!({ "ready": true, "pool": worker.pool, "url": worker.url, "pid": std::process::id() }),
        || {
            format!(
                "worker serves pool {}\n  status  {}/v1/status\nstop with Ctrl-C",
                worker.pool, worker.url
            )
        },
    );
    supervisor.ready();
    // One that cannot go on, with a broken disk for example, ends: whoever started it starts it again.
    tokio::select! {
        () = up::interrupted() => {}
        failure = worker.ended() => return Err(failure),
    }
    supervisor.stopping();
    context.output.note("finishing what was begun; once more Ctrl-C interrupts it");
    tokio::select! {
        () = worker.stop() => {}
        () = up::interrupted() => {}
    }
    Ok(0)
}

async fn status(context: &Context, url: Option<String>) -> Result<u8> {
    let url = match url {
        Some(url) => url,
        None => std::fs::read_to_string(context.home.path("worker.url")).map_err(|_| {
            Failure::new(failure::FAILED, "no worker was started from this home folder")
                .hint("`sealwork worker start` starts one; --url URL names another")
        })?,
    };
    let status = HttpWorker::default().status(&url).await?;
    context.output.answer(&json!(status), || {
        let waiting = status.waiting.iter().map(|reason| format!("\n  waits: {reason}"));
        let reasons: String =
            status.reasons.iter().map(|reason| format!("\n  gave up: {reason}")).chain(waiting).collect();
        format!(
            "worker at {url}, pool {}, {} slots\n  queued {}, running {}, executed {}, settled {}, abandoned {}{reasons}",
            status.pool, status.slots, status.queued, status.running, status.executed, status.settled, status.abandoned
        )
    });
    Ok(0)
}
