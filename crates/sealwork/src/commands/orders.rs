//! `order sign|post|approve|cancel|show` and `offer`.

mod terms;

use super::{Context, spend};
use crate::{
    cli::{CancelArgs, OfferArgs, OrderCommand, OutArgs, SignCommand},
    failure::{self, Failure},
    home, parse,
};
use anyhow::{Context as _, Result, bail};
use sealwork_client::{BookFilter, Client, OrderReport};
use sealwork_types::{
    Address, OrderHash, PoolId,
    signed_order::{MAX_ORDER_DOCUMENT_BYTES, Order, OrderKind, SignedOrder},
};
use serde_json::{Value, json};
use std::{io::Read, path::Path};

pub(crate) async fn run(context: &Context, command: &OrderCommand) -> Result<u8> {
    if let OrderCommand::AllowList { file } = command {
        let root = parse::allow_list(file)?.root();
        context.output.answer(&json!({ "root": root }), || root.to_string());
        return Ok(0);
    }
    let client = context.client().await?;
    match command {
        OrderCommand::AllowList { .. } => Ok(0),
        OrderCommand::Sign(command) => sign(context, &client, command).await,
        OrderCommand::Post { files } => {
            for file in files {
                post(context, &client, &read(file)?).await?;
            }
            Ok(0)
        }
        OrderCommand::Withdraw { orders } => {
            for order in orders {
                withdraw(context, &client, find(&client, order).await?.hash()).await?;
            }
            Ok(0)
        }
        OrderCommand::Approve { file } => approve(context, &client, &read(file)?).await,
        OrderCommand::Cancel(arguments) => cancel(context, &client, arguments).await,
        OrderCommand::Show { order } => show(context, &client, &find(&client, order).await?).await,
    }
}

async fn sign(context: &Context, client: &Client, command: &SignCommand) -> Result<u8> {
    let (order, out) = match command {
        SignCommand::App { app, terms, out } => {
            (Order::App(Box::new(terms::app_order(context, client, app, terms).await?)), out)
        }
        SignCommand::Dataset { dataset, terms, out } => {
            (Order::Dataset(Box::new(terms::dataset_order(client, dataset, terms).await?)), out)
        }
        SignCommand::Pool { pool, terms, more, out } => {
            let pool = PoolId::new(parse::hash("pool id", pool)?);
            (Order::Pool(Box::new(terms::pool_order(client, pool, terms, more).await?)), out)
        }
        SignCommand::Request { app, terms, out } => {
            (Order::Request(Box::new(terms::request(context, client, app, terms).await?)), out)
        }
        SignCommand::File { path, out } => (from_file(path)?, out),
    };
    write(context, client, order, out)
}

fn write(context: &Context, client: &Client, order: Order, out: &OutArgs) -> Result<u8> {
    let mut signed = client.sign_order(order);
    if out.unsigned {
        signed.signature = sealwork_types::Bytes::new();
    }
    let hash = signed.hash();
    let default = || format!("{}-{}.json", signed.order.kind(), hash.short()).into();
    let path = out.out.clone().unwrap_or_else(default);
    home::write_atomically(&path, &serde_json::to_vec_pretty(&signed)?)?;
    context.output.answer(&json!({ "file": path, "hash": hash, "document": signed }), || {
        let how = if out.unsigned { "wrote without a signature" } else { "signed" };
        let next = if out.unsigned { "approve" } else { "post" };
        format!(
            "{how} {} order {hash} in {}\nnext: sealwork order {next} {1}",
            signed.order.kind(),
            path.display()
        )
    });
    Ok(0)
}

/// An order in a file: the fields alone, or a whole document.
fn from_file(path: &Path) -> Result<Order> {
    let bytes = bounded(path)?;
    let unusable = || format!("{} holds no order", path.display());
    let value: Value = serde_json::from_slice(&bytes).with_context(unusable)?;
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
    let kind: OrderKind = kind.parse().with_context(unusable)?;
    Order::from_fields(kind, value.get("order").cloned().unwrap_or_default()).with_context(unusable)
}

/// A signed order document.
pub(crate) fn read(path: &Path) -> Result<SignedOrder> {
    SignedOrder::parse(&bounded(path)?).with_context(|| format!("{} is no signed order", path.display()))
}

fn bounded(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_ORDER_DOCUMENT_BYTES)?.saturating_add(1);
    let file = std::fs::File::open(path).with_context(|| format!("read {}", path.display()))?;
    file.take(limit).read_to_end(&mut bytes).with_context(|| format!("read {}", path.display()))?;
    Ok(bytes)
}

/// A signed order by file, or a posted one by its hash or the beginning of it.
pub(crate) async fn find(client: &Client, name: &str) -> Result<SignedOrder> {
    if Path::new(name).exists() {
        return read(Path::new(name));
    }
    let wanted = name.trim_start_matches("0x").to_ascii_lowercase();
    let mut entries = client.book(&BookFilter { all: true, ..BookFilter::default() }).await?;
    entries.retain(|entry| format!("{:x}", entry.report.hash.get()).starts_with(&wanted));
    match (entries.pop(), entries.is_empty()) {
        (Some(entry), true) => Ok(entry.posted.signed),
        (Some(_), false) => {
            bail!(Failure::new(failure::FAILED, format!("several posted orders start with {name}")))
        }
        (None, _) => bail!(
            Failure::new(
                failure::FAILED,
                format!("{name:?} is neither a file nor the hash of a posted order")
            )
            .hint("`sealwork book --all` lists posted orders, `sealwork order sign` writes files")
        ),
    }
}

async fn post(context: &Context, client: &Client, signed: &SignedOrder) -> Result<()> {
    if let Some(outcomes) = spend::carry_out(context, client, &client.post_plan(signed)).await? {
        let (kind, hash) = (signed.order.kind(), signed.hash());
        spend::done(context, json!({ "posted": hash, "kind": kind }), &outcomes, || {
            format!("posted {kind} order {hash}")
        });
    }
    Ok(())
}

async fn withdraw(context: &Context, client: &Client, hash: OrderHash) -> Result<()> {
    if let Some(outcomes) = spend::carry_out(context, client, &client.unpost_plan(hash)).await? {
        spend::done(context, json!({ "withdrawn": hash }), &outcomes, || {
            format!("took order {hash} off the Book")
        });
    }
    Ok(())
}

/// What another wallet than the order's sends has no effect; approving a request is also for its sponsor.
async fn check_owner(client: &Client, signed: &SignedOrder, sponsor: Address) -> Result<()> {
    let (owner, mine) = (client.order_report(signed).await?.signer, client.address());
    if [owner, sponsor].contains(&mine) {
        return Ok(());
    }
    let text = format!("the order is of {owner}, this wallet is {mine}: nothing would change");
    Err(Failure::new(failure::FAILED, text).hint("choose the owner's wallet with --wallet").into())
}

async fn approve(context: &Context, client: &Client, signed: &SignedOrder) -> Result<u8> {
    let sponsor = match &signed.order {
        Order::Request(order) => order.sponsor,
        Order::App(_) | Order::Dataset(_) | Order::Pool(_) => Address::ZERO,
    };
    check_owner(client, signed, sponsor).await?;
    let hash = signed.hash();
    if let Some(outcomes) = spend::carry_out(context, client, &client.approve_order_plan(hash)).await? {
        spend::done(context, json!({ "approved": hash }), &outcomes, || format!("approved order {hash}"));
    }
    Ok(0)
}

async fn cancel(context: &Context, client: &Client, arguments: &CancelArgs) -> Result<u8> {
    let plan = match (&arguments.order, &arguments.salt) {
        (Some(name), _) => match name.parse::<OrderHash>() {
            Ok(hash) if !Path::new(name).exists() => client.cancel_plan(&[hash], &[]),
            _ => {
                let signed = find(client, name).await?;
                check_owner(client, &signed, Address::ZERO).await?;
                match &signed.order {
                    Order::Request(order) => client.cancel_plan(&[], &[order.salt]),
                    Order::App(_) | Order::Dataset(_) | Order::Pool(_) => {
                        client.cancel_plan(&[signed.hash()], &[])
                    }
                }
            }
        },
        (None, Some(salt)) => client.cancel_plan(&[], &[parse::hash("salt", salt)?]),
        (None, None) => client.cancel_all_plan(),
    };
    if let Some(outcomes) = spend::carry_out(context, client, &plan).await? {
        let nonce = client.order_nonce().await?;
        let what = plan.steps.first().map(|step| step.what.clone()).unwrap_or_default();
        spend::done(context, json!({ "canceled": what, "nonce": nonce }), &outcomes, || {
            format!("done: {what}")
        });
    }
    Ok(0)
}

async fn show(context: &Context, client: &Client, signed: &SignedOrder) -> Result<u8> {
    let report = client.order_report(signed).await?;
    let mut object = report_object(&report);
    if let Some(fields) = object.as_object_mut() {
        fields.insert("document".into(), signed.to_value());
    }
    context.output.answer(&object, || {
        let fields = serde_json::to_string_pretty(&signed.order.fields()).unwrap_or_default();
        let left = report.left.map_or_else(|| "any number".to_owned(), |left| left.to_string());
        format!(
            "{} order {}\nsigner    {}\nstate     {}\nleft      {left}\napproved  {}\n{fields}",
            report.kind,
            report.hash,
            report.signer,
            report.state.reason(),
            if report.approved { "on chain" } else { "no, it needs its signature" }
        )
    });
    Ok(0)
}

/// A report as JSON, with the state in words too.
pub(crate) fn report_object(report: &OrderReport) -> Value {
    let mut object = json!(report);
    if let Some(fields) = object.as_object_mut() {
        fields.insert("valid".into(), json!(report.is_valid()));
        fields.insert("reason".into(), json!(report.state.reason()));
    }
    object
}

/// `offer`: sign a pool order and post it.
pub(crate) async fn offer(context: &Context, arguments: &OfferArgs) -> Result<u8> {
    let client = context.client().await?;
    let pool = match &arguments.pool {
        Some(pool) => PoolId::new(parse::hash("pool id", pool)?),
        None => own_pool(&client).await?,
    };
    let order = terms::pool_order(&client, pool, &arguments.terms, &arguments.more).await?;
    post(context, &client, &client.sign_order(Order::Pool(Box::new(order)))).await?;
    Ok(0)
}

async fn own_pool(client: &Client) -> Result<PoolId> {
    let mine = BookFilter { kind: Some(OrderKind::Pool), mine: true, all: true, ..BookFilter::default() };
    let entries = client.book(&mine).await?;
    match entries.iter().max_by_key(|entry| entry.posted.block) {
        Some(entry) => Ok(PoolId::new(entry.posted.signed.order.subject())),
        None => bail!(
            Failure::new(
                failure::FAILED,
                "this wallet has posted no pool order yet, so its pool must be named"
            )
            .hint("`sealwork worker start` registers a pool and prints its id; then `sealwork offer POOL`")
        ),
    }
}
