//! `account show|deposit|withdraw|collect|faucet` and `kitty show|draw`.

use super::{Context, spend};
use crate::{
    cli::{AccountCommand, KittyCommand},
    failure::{self, Failure},
    money, up,
};
use anyhow::{Result, bail};
use sealwork_client::{Client, Plan};
use sealwork_types::U256;
use serde_json::json;

pub(crate) async fn run(context: &Context, command: &AccountCommand) -> Result<u8> {
    let client = context.client().await?;
    match command {
        AccountCommand::Show => show(context, &client).await,
        AccountCommand::Deposit { amount } => {
            let plan = client.deposit_plan(money::parse(amount)?).await?;
            send(context, &client, &plan, "deposited", amount).await
        }
        AccountCommand::Withdraw { amount } => {
            let plan = client.withdrawal_plan(money::parse(amount)?);
            send(context, &client, &plan, "announced the withdrawal of", amount).await
        }
        AccountCommand::Collect => {
            send(context, &client, &client.collect_plan(), "collected", "everything announced").await
        }
        AccountCommand::Faucet { amount } => {
            if !client.network().anchors.is_development() {
                bail!(Failure::new(failure::FAILED, "there is a faucet only on development networks"));
            }
            let outcome = up::fund(client.network(), client.address(), money::parse(amount)?).await?;
            let object = json!({ "done": "received", "amount": amount });
            spend::done(context, object, &[outcome], || format!("received {amount}"));
            Ok(0)
        }
    }
}

pub(crate) async fn kitty(context: &Context, command: &KittyCommand) -> Result<u8> {
    let client = context.client().await?;
    match command {
        KittyCommand::Show => {
            let (kitty, merit) = (client.kitty().await?, U256::from(client.account().await?.merit));
            let object = json!({ "kitty": kitty.to_string(), "merit": merit.to_string() });
            context.output.answer(&object, || {
                format!(
                    "kitty  {} tokens of stakes that pools lost\nmerit  {} of this wallet: stakes of tasks ended without a fault",
                    money::show(kitty),
                    money::show(merit)
                )
            });
            Ok(0)
        }
        KittyCommand::Draw => {
            let before = client.account().await?.available;
            let Some(outcomes) = spend::carry_out(context, &client, &client.kitty_plan()).await? else {
                return Ok(0);
            };
            let drawn = U256::from(client.account().await?.available).saturating_sub(U256::from(before));
            let object = json!({ "done": "drew", "amount": drawn.to_string() });
            spend::done(context, object, &outcomes, || format!("drew {}", money::show(drawn)));
            Ok(0)
        }
    }
}

async fn send(context: &Context, client: &Client, plan: &Plan, verb: &str, amount: &str) -> Result<u8> {
    if let Some(outcomes) = spend::carry_out(context, client, plan).await? {
        let object = json!({ "done": verb, "amount": amount });
        spend::done(context, object, &outcomes, || format!("{verb} {amount}"));
    }
    Ok(0)
}

async fn show(context: &Context, client: &Client) -> Result<u8> {
    let account = client.account().await?;
    let tokens = client.token_balance().await?;
    let locked = client.locked().await?;
    context.output.answer(
        &json!({
            "address": client.address(), "tokens": tokens.to_string(), "available": account.available.to_string(),
            "locked": locked.to_string(), "withdrawing": account.withdrawing.to_string(),
            "withdrawable_at": account.withdrawableAt, "nonce": account.nonce, "merit": account.merit.to_string(),
        }),
        || {
            format!(
                "{}\n  in the wallet   {}\n  in the account  {} available, {} being withdrawn\n  in open deals   {}",
                client.address(),
                money::show(tokens),
                money::show(U256::from(account.available)),
                money::show(U256::from(account.withdrawing)),
                money::show(locked)
            )
        },
    );
    Ok(0)
}
