//! `offer`, `book`, `deal …`, `claim`.

use super::{Context, orders, spend};
use crate::{
    cli::{BookArgs, ClaimArgs, DealCommand},
    money, parse,
};
use anyhow::Result;
use sealwork_client::{BookEntry, BookFilter, DealRecord, Proposal, TaskRecord, TaskState};
use sealwork_types::{order::TrustMode, signed_order::Order, tokens};
use serde_json::{Value, json};
use std::path::PathBuf;

pub(crate) async fn book(context: &Context, arguments: &BookArgs) -> Result<u8> {
    let client = context.client().await?;
    let app = match &arguments.app {
        Some(app) => Some(context.app(&client, app).await?.get()),
        None => None,
    };
    let filter = BookFilter {
        kind: arguments.kind.as_deref().map(str::parse).transpose()?,
        app,
        pool: arguments.pool.as_deref().map(|text| parse::hash("pool", text)).transpose()?,
        mine: arguments.mine,
        all: arguments.all,
    };
    let entries = client.book(&filter).await?;
    if entries.is_empty() {
        context.output.note("no posted order fits; --all also lists those that cannot be matched any more");
    }
    for entry in &entries {
        context.output.answer(&entry_object(entry), || line(entry));
    }
    Ok(0)
}

/// An entry of the Book as JSON.
pub(crate) fn entry_object(entry: &BookEntry) -> Value {
    let BookEntry { posted, report } = entry;
    let mut object = orders::report_object(report);
    if let Some(fields) = object.as_object_mut() {
        fields.insert("price".into(), json!(posted.signed.order.price()));
        fields.insert("expiry".into(), json!(posted.signed.order.expiry()));
        fields.insert("subject".into(), json!(posted.signed.order.subject()));
        fields.insert("withdrawn".into(), json!(posted.withdrawn));
        fields.insert("posted_in".into(), json!(posted.transaction));
        fields.insert("document".into(), posted.signed.to_value());
    }
    object
}

fn line(BookEntry { posted, report }: &BookEntry) -> String {
    let order = &posted.signed.order;
    let left = report.left.map_or_else(|| "any number".to_owned(), |left| left.to_string());
    let more = match order {
        Order::Pool(order) => {
            let modes = TrustMode::ALL.into_iter().filter(|mode| order.modes & mode.bit() != 0);
            let modes: Vec<_> = modes.map(TrustMode::name).collect();
            format!(
                "  modes {}  stake {}",
                modes.join(","),
                tokens::show(sealwork_types::U256::from(order.stake))
            )
        }
        Order::Request(order) if !order.poolRestrict.is_zero() => format!("  pool {}", order.poolRestrict),
        Order::App(_) | Order::Dataset(_) | Order::Request(_) => String::new(),
    };
    let state = if report.is_valid() { String::new() } else { format!("  ({})", report.state.reason()) };
    let off = if posted.withdrawn { "  (taken off the Book)" } else { "" };
    format!(
        "{:<7}  {}  {} {}  price {}  left {left}{more}{state}{off}",
        order.kind(),
        report.hash,
        if order.kind() == sealwork_types::signed_order::OrderKind::Request { "for app" } else { "of" },
        order.subject(),
        money::show(order.price()),
    )
}

pub(crate) async fn deal(context: &Context, command: &DealCommand) -> Result<u8> {
    match command {
        DealCommand::List => list(context).await,
        DealCommand::Show { deal } => show(context, deal).await,
        DealCommand::Match { orders, allow_list, no_deposit } => {
            match_orders(context, orders, allow_list, !no_deposit).await
        }
    }
}

async fn list(context: &Context) -> Result<u8> {
    let client = context.client().await?;
    let mine = client.address();
    let deals = client
        .deals(|deal| [deal.request.requester, deal.terms.payer, deal.terms.poolOwner].contains(&mine))
        .await?;
    if deals.is_empty() {
        context.output.note("this wallet has no deals on this network");
    }
    for record in &deals {
        context.output.answer(&object(record), || {
            format!(
                "{}  app {}  {} of {} tasks closed  {} each",
                record.id,
                record.deal.request.app,
                record.closed(),
                record.volume(),
                money::show(record.deal.price())
            )
        });
    }
    Ok(0)
}

async fn show(context: &Context, deal: &str) -> Result<u8> {
    let client = context.client().await?;
    show_record(context, &client.deal(deal).await?)
}

/// Shows a deal with all its tasks.
pub(crate) fn show_record(context: &Context, record: &DealRecord) -> Result<u8> {
    let mut answer = object(record);
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("terms".into(), json!(record.deal.terms));
        fields.insert("request".into(), json!(record.deal.request));
        let tasks = record.tasks().map(|task| task_object(&task)).collect::<Vec<_>>();
        fields.insert("tasks".into(), json!(tasks));
    }
    context.output.answer(&answer, || {
        let tasks: Vec<_> = record
            .tasks()
            .map(|task| format!("  {:>5}  {}  {}", task.index, task.task, state(&task)))
            .collect();
        format!("{}\n{}", text(record), tasks.join("\n"))
    });
    Ok(0)
}

fn object(record: &DealRecord) -> Value {
    json!({
        "deal": record.id, "app": record.deal.request.app, "pool": record.deal.pool, "mode": mode(record),
        "requester": record.deal.request.requester, "payer": record.deal.terms.payer,
        "volume": record.volume(), "closed": record.closed(), "started": record.started,
        "price": record.deal.price(), "matched_in": record.matched_in,
        "matched_at": record.deal.terms.startedAt, "deadline": record.deadline(),
    })
}

fn task_object(task: &TaskRecord) -> Value {
    let mut object = json!(task.state);
    if let Some(fields) = object.as_object_mut() {
        fields.insert("task".into(), json!(task.task));
        fields.insert("index".into(), json!(task.index));
    }
    object
}

fn text(record: &DealRecord) -> String {
    let terms = &record.deal.terms;
    let amount = |price| money::show(sealwork_types::U256::from(price));
    let datasets: Vec<_> =
        terms.datasets.iter().map(|share| format!("{} to {}", amount(share.price), share.owner)).collect();
    format!(
        "deal       {}\nmode       {}\napp        {} of {}\npool       {} of {}\nrequester  {}, paid by {}\nprice      {} each: app {}, pool {}{}\n\
         stake      {} each\nfee        {} hundredths of a percent\nmatched    at {} in {}\nprogress   {} of {} tasks closed{}\ndeadline   {}",
        record.id,
        mode(record),
        record.deal.request.app,
        terms.appOwner,
        record.deal.pool,
        terms.poolOwner,
        record.deal.request.requester,
        terms.payer,
        money::show(record.deal.price()),
        amount(terms.appPrice),
        amount(terms.poolPrice),
        if datasets.is_empty() { String::new() } else { format!(", datasets {}", datasets.join(", ")) },
        amount(terms.stake),
        terms.feeBps,
        terms.startedAt,
        record.matched_in,
        record.closed(),
        record.volume(),
        if record.started { ", started" } else { "" },
        record.deadline(),
    )
}

fn mode(record: &DealRecord) -> &'static str {
    let code = record.deal.terms.mode;
    TrustMode::ALL.into_iter().find(|mode| mode.code() == code).map_or("unknown", TrustMode::name)
}

/// Where a task stands, in words.
pub(crate) fn state(record: &TaskRecord) -> String {
    match &record.state {
        TaskState::Open { deadline } => format!("open, refundable from {deadline} (seconds since 1970)"),
        TaskState::Settled(settled) => {
            format!(
                "settled with {} by enclave {} in block {}",
                settled.status, settled.enclave, settled.block
            )
        }
        TaskState::Batched { batch } => {
            format!("settled in a batch by enclave {} in block {}", batch.enclave, batch.block)
        }
        TaskState::Closed { transaction } => format!("closed with others in {transaction}"),
        TaskState::Refunded { amount } => format!("refunded {}", money::show(*amount)),
    }
}

async fn match_orders(context: &Context, names: &[String], lists: &[PathBuf], deposit: bool) -> Result<u8> {
    let client = context.client().await?;
    let mut signed = Vec::new();
    for name in names {
        signed.push(orders::find(&client, name).await?);
    }
    let mut proposal = Proposal::of(signed, &client)?;
    proposal.prove(&lists.iter().map(|path| parse::allow_list(path)).collect::<Result<Vec<_>>>()?);
    let (deal, plan) = client.match_plan(&proposal, deposit).await?;
    if let Some(outcomes) = spend::carry_out(context, &client, &plan).await? {
        let record = client.deal(&deal.to_string()).await?;
        let object = json!({ "deal": deal, "volume": record.volume(), "price": record.deal.price() });
        spend::done(context, object, &outcomes, || format!("matched deal {deal}: {} tasks", record.volume()));
    }
    Ok(0)
}

pub(crate) async fn claim(context: &Context, arguments: &ClaimArgs) -> Result<u8> {
    let client = context.client().await?;
    let record = client.deal(&arguments.deal).await?;
    let rest = record.volume().saturating_sub(arguments.first);
    let plan = client.claim_plan(&record, arguments.first, arguments.count.unwrap_or(rest));
    if let Some(outcomes) = spend::carry_out(context, &client, &plan).await? {
        let closed = client.deal(&record.id.to_string()).await?.closed().saturating_sub(record.closed());
        let amount = record.deal.price().saturating_mul(sealwork_types::U256::from(closed));
        let object = json!({ "deal": record.id, "refunded": closed, "amount": amount, "payer": record.deal.terms.payer });
        spend::done(context, object, &outcomes, || {
            format!("refunded {closed} tasks, {} tokens, to {}", money::show(amount), record.deal.terms.payer)
        });
    }
    Ok(0)
}
