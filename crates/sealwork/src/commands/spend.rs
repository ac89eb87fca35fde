//! What is sent is first estimated and shown; with `--dry-run` that is all.

use super::Context;
use crate::money;
use anyhow::Result;
use sealwork_client::{Client, Cost, Plan};
use sealwork_ports::TxOutcome;
use sealwork_types::{Bytes, tokens};
use serde_json::{Value, json};

/// Digits behind the point of an amount of gas money.
const COIN_DIGITS: usize = 9;

/// Shows what a plan costs and carries it out; `None` after a dry run.
pub(crate) async fn carry_out(
    context: &Context,
    client: &Client,
    plan: &Plan,
) -> Result<Option<Vec<TxOutcome>>> {
    let cost = client.estimate(plan).await?;
    if context.dry_run {
        let answer = client.rehearse(plan).await?;
        tried_out(context, &cost, &answer);
        return Ok(None);
    }
    show(context, &cost);
    Ok(Some(client.carry_out(plan).await?))
}

/// Shows what a plan costs before it is carried out.
pub(crate) fn show(context: &Context, cost: &Cost) {
    if context.output.is_json() {
        context.output.answer(&json!({ "cost": cost }), String::new);
    } else {
        context.output.note(&text(cost));
    }
}

/// The answer of a dry run.
pub(crate) fn tried_out(context: &Context, cost: &Cost, answer: &Bytes) {
    let object = json!({ "dry_run": true, "cost": cost, "answer": answer });
    context.output.answer(&object, || format!("{}\nit would succeed; nothing was sent", text(cost)));
}

/// What a command says when everything is mined.
pub(crate) fn done(
    context: &Context,
    mut object: Value,
    outcomes: &[TxOutcome],
    text: impl FnOnce() -> String,
) {
    let gas = outcomes.iter().fold(0_u64, |sum, outcome| sum.saturating_add(outcome.gas_used));
    let transaction = outcomes.last().map(|outcome| outcome.transaction);
    if let Some(fields) = object.as_object_mut() {
        fields.insert("transaction".into(), json!(transaction));
        fields.insert("gas".into(), json!(gas));
    }
    context.output.answer(&object, || {
        let sent = transaction.map_or_else(String::new, |hash| format!(" (transaction {hash}, gas {gas})"));
        let text = text();
        match text.split_once('\n') {
            Some((first, rest)) => format!("{first}{sent}\n{rest}"),
            None => format!("{text}{sent}"),
        }
    });
}

fn text(cost: &Cost) -> String {
    let mut lines = Vec::new();
    for spending in &cost.tokens {
        lines.push(format!("cost: {} tokens {}", money::show(spending.amount), spending.purpose));
    }
    let coins = tokens::show(cost.wei());
    let coins = match coins.split_once('.') {
        Some((whole, fraction)) => format!("{whole}.{}", fraction.get(..COIN_DIGITS).unwrap_or(fraction)),
        None => coins,
    };
    for step in &cost.steps {
        let gas = step.gas.map_or_else(
            || "gas not known before the step above is mined".to_owned(),
            |gas| format!("about {gas} gas"),
        );
        lines.push(format!("cost: {gas} to {}", step.what));
    }
    lines.push(match cost.steps.is_empty() {
        true => "cost: no gas, this wallet sends no transaction".to_owned(),
        false => format!("cost: at most {coins} coins for gas together"),
    });
    lines.join("\n")
}
