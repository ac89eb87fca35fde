//! `channel open|run|fetch|pay|redeem|close|show`.

use super::{Context, run as tasks, spend};
use crate::{cli::ChannelCommand, home, money, parse};
use anyhow::{Context as _, Result};
use sealwork_client::{
    ChannelRun, ChannelStatus, Client, DealRecord, MAX_VOUCHER_DOCUMENT_BYTES, Outcome, Progress,
    VoucherDocument,
};
use sealwork_types::{PoolId, TaskId, U256};
use serde_json::json;
use std::{
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long the request that opens a channel can be matched.
const REQUEST_LIFETIME_S: u64 = 3_600;

pub(crate) async fn run(context: &Context, command: &ChannelCommand) -> Result<u8> {
    let client = context.client().await?;
    match command {
        ChannelCommand::Open { app, tasks, pool } => {
            open(context, &client, app, *tasks, pool.as_deref()).await
        }
        ChannelCommand::Run { channel, input, out, receipt, timeout } => {
            let record = client.deal(channel).await?;
            if context.dry_run {
                return try_out(context, &client, &record).await;
            }
            tasks::check_destinations(receipt.as_deref(), out.as_deref())?;
            let run = ChannelRun {
                input: tasks::input(input)?,
                valid_for_s: tasks::VALID_FOR_S,
                timeout: Duration::from_secs(*timeout),
            };
            let mut show = |progress: Progress| tasks::show(&context.output, &progress);
            let outcome = Box::pin(client.run_in_channel(&record, run, &mut show)).await?;
            deliver(context, &outcome, receipt.as_deref(), out.as_deref())
        }
        ChannelCommand::Fetch { channel, task, out, receipt, timeout } => {
            let (record, task) = (client.deal(channel).await?, parse::hash("task id", task)?);
            let mut show = |progress: Progress| tasks::show(&context.output, &progress);
            let timeout = Duration::from_secs(*timeout);
            let fetched = client.fetch_in_channel(&record, TaskId::new(task), timeout, &mut show);
            deliver(context, &Box::pin(fetched).await?, receipt.as_deref(), out.as_deref())
        }
        ChannelCommand::Pay { channel, count, out } => {
            pay(context, &client, channel, *count, out.as_deref()).await
        }
        ChannelCommand::Redeem { voucher } => redeem(context, &client, voucher).await,
        ChannelCommand::Close { channel } => close(context, &client, channel).await,
        ChannelCommand::Show { channel } => {
            let record = client.deal(channel).await?;
            let status = client.channel_status(&record).await?;
            context.output.answer(&json!(status), || text(&status));
            Ok(0)
        }
    }
}

async fn open(context: &Context, client: &Client, app: &str, tasks: u32, pool: Option<&str>) -> Result<u8> {
    let app = client.app(context.app(client, app).await?).await?;
    let pool = pool.map(|text| parse::hash("pool id", text)).transpose()?.map(PoolId::new);
    let expiry = client.now().await?.saturating_add(REQUEST_LIFETIME_S);
    let (channel, plan) = client.open_channel_plan(&app, pool, tasks, expiry).await?;
    let Some(outcomes) = spend::carry_out(context, client, &plan).await? else { return Ok(0) };
    let record = client.deal(&channel.to_string()).await?;
    let object = json!({
        "channel": channel, "pool": record.deal.pool, "tasks": record.deal.volume, "price": record.deal.price(),
        "locked": record.price(),
    });
    spend::done(context, object, &outcomes, || {
        format!(
            "opened channel {channel}: {} tasks at {} tokens in pool {}\nnext: sealwork channel run {}",
            record.deal.volume,
            money::show(record.deal.price()),
            record.deal.pool,
            channel.short()
        )
    });
    Ok(0)
}

/// What a task would cost: a place in the channel, and no gas.
async fn try_out(context: &Context, client: &Client, record: &DealRecord) -> Result<u8> {
    let next = client.next_in_channel(record).await?;
    let (price, volume) = (record.deal.price(), record.deal.volume);
    let object = json!({ "dry_run": true, "price": price, "task": next, "tasks": volume });
    context.output.answer(&object, || {
        let price = money::show(price);
        format!(
            "cost: {price} tokens, task {next} of {volume} in the channel; no gas\nnothing was sealed or sent"
        )
    });
    Ok(0)
}

fn deliver(context: &Context, outcome: &Outcome, receipt: Option<&Path>, out: Option<&Path>) -> Result<u8> {
    let receipt = tasks::write_receipt(&outcome.receipt, receipt)?;
    tasks::deliver(&context.output, outcome, &receipt, out)
}

async fn pay(
    context: &Context,
    client: &Client,
    channel: &str,
    count: u32,
    out: Option<&Path>,
) -> Result<u8> {
    let record = client.deal(channel).await?;
    let voucher = client.sign_voucher(&record, count)?;
    let path = out.map_or_else(
        || PathBuf::from(format!("voucher-{}-{count}.json", record.id.short())),
        Path::to_path_buf,
    );
    home::write_atomically(&path, &serde_json::to_vec_pretty(&voucher)?)?;
    let total = record.deal.price().saturating_mul(U256::from(count));
    let object = json!({ "file": path, "channel": record.id, "count": count, "worth": total });
    context.output.answer(&object, || {
        format!(
            "signed a voucher for {count} tasks, {} tokens together, in {}\ngive it to the pool, which redeems it with: \
             sealwork channel redeem {1}",
            money::show(total),
            path.display()
        )
    });
    Ok(0)
}

async fn redeem(context: &Context, client: &Client, path: &Path) -> Result<u8> {
    let document = read(path)?;
    let record = client.deal(&document.deal().to_string()).await?;
    let before = client.channel_status(&record).await?;
    let plan = client.redeem_plan(&record, &document)?;
    let Some(outcomes) = spend::carry_out(context, client, &plan).await? else { return Ok(0) };
    let paid = document.voucher.count.saturating_sub(before.closed);
    let amount = before.price.saturating_mul(U256::from(paid));
    let object =
        json!({ "channel": record.id, "paid": paid, "count": document.voucher.count, "amount": amount });
    spend::done(context, object, &outcomes, || {
        format!("paid {paid} tasks, {} tokens, of channel {}", money::show(amount), record.id)
    });
    Ok(0)
}

async fn close(context: &Context, client: &Client, channel: &str) -> Result<u8> {
    let record = client.deal(channel).await?;
    let plan = client.close_channel_plan(&record).await?;
    let Some(outcomes) = spend::carry_out(context, client, &plan).await? else { return Ok(0) };
    let status = client.channel_status(&record).await?;
    let mut object = json!(status);
    if let Some(fields) = object.as_object_mut() {
        fields.insert("closed_now".into(), json!(!status.open));
    }
    spend::done(context, object, &outcomes, || match status.open {
        true => format!(
            "asked for the rest of channel {}; the pool may bring vouchers until {} (seconds since 1970)\nthen: sealwork \
             channel close {}",
            record.id,
            status.closable_at,
            record.id.short()
        ),
        false => format!("closed channel {}; the rest went back to {}", record.id, record.deal.terms.payer),
    });
    Ok(0)
}

fn read(path: &Path) -> Result<VoucherDocument> {
    let limit = u64::try_from(MAX_VOUCHER_DOCUMENT_BYTES)?.saturating_add(1);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(|| format!("read {}", path.display()))?;
    file.take(limit).read_to_end(&mut bytes).with_context(|| format!("read {}", path.display()))?;
    VoucherDocument::parse(&bytes).with_context(|| format!("{} is no voucher", path.display()))
}

fn text(status: &ChannelStatus) -> String {
    let state = match (status.open, status.closable_at) {
        (false, _) => "closed".to_owned(),
        (true, 0) => "open".to_owned(),
        (true, at) => format!("open; its payer asked for the rest, anybody may close it from {at} on"),
    };
    format!(
        "channel  {}\nstate    {state}\ntasks    {}: {} signed for by this wallet, {} paid or given back on chain\nprice    {} each",
        status.deal,
        status.volume,
        status.signed,
        status.closed,
        money::show(status.price)
    )
}
