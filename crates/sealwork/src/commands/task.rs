//! `task list|show|wait|fetch|claim`.

use super::{
    Context, bag,
    market::{show_record, state},
    run as run_task, spend,
};
use crate::{
    cli::TaskCommand,
    failure::{self, Failure},
    money,
};
use anyhow::{Result, bail};
use sealwork_client::{Client, Outcome, TaskRecord, TaskState};
use serde_json::json;
use std::{
    path::Path,
    time::{Duration, Instant},
};

pub(crate) async fn run(context: &Context, command: &TaskCommand) -> Result<u8> {
    let client = context.client().await?;
    match command {
        TaskCommand::List => list(context, &client).await,
        TaskCommand::Show { task } => show(context, &client, &client.task(task).await?).await,
        TaskCommand::Wait { deal: Some(deal), timeout, .. } => {
            wait_for_deal(context, &client, deal, Duration::from_secs(*timeout)).await
        }
        TaskCommand::Wait { task, timeout, .. } => {
            let task = task.as_deref().unwrap_or_default();
            wait(context, &client, task, Duration::from_secs(*timeout)).await
        }
        TaskCommand::Fetch { deal: Some(deal), out, timeout, .. } => {
            let folder = bag::folder(out.as_deref())?;
            bag::fetch(context, &client, deal, Duration::from_secs(*timeout), folder).await
        }
        TaskCommand::Fetch { task, out, receipt, .. } => {
            let task = task.as_deref().unwrap_or_default();
            fetch(context, &client, task, out.as_deref(), receipt.as_deref()).await
        }
        TaskCommand::Claim { task } => claim(context, &client, task).await,
    }
}

async fn list(context: &Context, client: &Client) -> Result<u8> {
    let tasks = client.tasks().await?;
    if tasks.is_empty() {
        context.output.note("this wallet has no tasks on this network");
    }
    for record in &tasks {
        context.output.answer(&json!(record), || {
            format!("{}  app {}  {}", record.task, short(record.agreed.request.app), state(record))
        });
    }
    Ok(0)
}

async fn show(context: &Context, client: &Client, record: &TaskRecord) -> Result<u8> {
    let (mut answer, mut ended) = (json!(record), String::new());
    if matches!(record.state, TaskState::Batched { .. }) {
        // The chain shows how many ended how; which, the receipts say.
        let receipt = client.receipt(record).await?;
        ended = format!(" with {}", receipt.status());
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("status".into(), json!(receipt.status()));
            fields.insert("receipt".into(), json!(receipt.receipt));
        }
    }
    context.output.answer(&answer, || {
        format!(
            "task       {}\ndeal       {}, index {}\napp        {}\nrequester  {}\nprice      {}\nmatched    in {}{}\nstate      {}{ended}",
            record.task,
            record.deal,
            record.index,
            record.agreed.request.app,
            record.agreed.request.requester,
            money::show(record.agreed.price()),
            record.matched_in,
            if record.in_one_transaction() { ", which also settled it" } else { "" },
            state(record)
        )
    });
    Ok(0)
}

async fn wait(context: &Context, client: &Client, task: &str, timeout: Duration) -> Result<u8> {
    let deadline = Instant::now() + timeout;
    loop {
        let record = client.task(task).await?;
        if !matches!(record.state, TaskState::Open { .. }) {
            return show(context, client, &record).await;
        }
        if Instant::now() >= deadline {
            bail!(
                Failure::new(failure::FAILED, format!("task {} is still open", record.task.short()))
                    .hint("wait longer with --timeout, or after the deadline `sealwork task claim`")
            );
        }
        client.chain().wait().await;
    }
}

async fn wait_for_deal(context: &Context, client: &Client, deal: &str, timeout: Duration) -> Result<u8> {
    let deadline = Instant::now() + timeout;
    loop {
        let record = client.deal(deal).await?;
        if record.open() == 0 {
            return show_record(context, &record);
        }
        if Instant::now() >= deadline {
            let text = format!("{} of {} tasks of the deal are still open", record.open(), record.volume());
            bail!(
                Failure::new(failure::FAILED, text)
                    .hint("wait longer with --timeout, or after the deadline `sealwork claim`")
            );
        }
        client.chain().wait().await;
    }
}

async fn fetch(
    context: &Context,
    client: &Client,
    task: &str,
    out: Option<&Path>,
    receipt_path: Option<&Path>,
) -> Result<u8> {
    let record = client.task(task).await?;
    let receipt = client.receipt(&record).await?;
    let output = client.fetch(&record, &receipt).await?;
    let path = run_task::write_receipt(&receipt, receipt_path)?;
    let match_gas = match record.in_one_transaction() {
        true => None,
        false => Some(client.chain().transaction(record.matched_in).await?.gas_used),
    };
    let outcome = Outcome {
        status: receipt.status(),
        task: record.task,
        match_gas,
        settle_gas: receipt.settlement.as_ref().map_or(0, |settlement| settlement.gas_used),
        price: record.agreed.price(),
        receipt,
        output,
    };
    run_task::deliver(&context.output, &outcome, &path, out)
}

async fn claim(context: &Context, client: &Client, task: &str) -> Result<u8> {
    let record = client.task(task).await?;
    let deal = client.deal(&record.deal.to_string()).await?;
    let plan = client.claim_plan(&deal, record.index, 1);
    if let Some(outcomes) = spend::carry_out(context, client, &plan).await? {
        spend::done(context, json!({ "task": record.task }), &outcomes, || {
            format!("refunded task {}", record.task)
        });
    }
    Ok(0)
}

fn short(id: sealwork_types::B256) -> String {
    sealwork_types::AppId::new(id).short()
}
