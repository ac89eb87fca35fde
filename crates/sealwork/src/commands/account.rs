//! `account show|deposit|withdraw|collect|faucet`.

use super::Context;
use crate::{
    cli::AccountCommand,
    failure::{self, Failure},
    money, up,
};
use anyhow::{Result, bail};
use sealwork_client::Client;
use sealwork_ports::TxOutcome;
use sealwork_types::U256;
use serde_json::json;

pub(crate) async fn run(context: &Context, command: &AccountCommand) -> Result<u8> {
    let client = context.client().await?;
    match command {
        AccountCommand::Show => show(context, &client).await,
        AccountCommand::Deposit { amount } => {
            let outcome = client.deposit(money::parse(amount)?).await?;
            done(context, "deposited", amount, outcome)
        }
        AccountCommand::Withdraw { amount } => {
            let outcome = client.request_withdrawal(money::parse(amount)?).await?;
            done(context, "announced the withdrawal of", amount, outcome)
        }
        AccountCommand::Collect => {
            let outcome = client.withdraw().await?;
            done(context, "collected", "everything announced", outcome)
        }
        AccountCommand::Faucet { amount } => {
            if !client.network().anchors.is_development() {
                bail!(Failure::new(failure::FAILED, "there is a faucet only on development networks"));
            }
            let outcome = up::fund(client.network(), client.address(), money::parse(amount)?).await?;
            done(context, "received", amount, outcome)
        }
    }
}

async fn show(context: &Context, client: &Client) -> Result<u8> {
    let account = client.account().await?;
    let tokens = client.token_balance().await?;
    context.output.answer(
        &json!({
            "address": client.address(), "tokens": tokens.to_string(), "available": account.available.to_string(),
            "locked": account.locked.to_string(), "withdrawing": account.withdrawing.to_string(),
            "withdrawable_at": account.withdrawableAt,
        }),
        || {
            format!(
                "{}\n  in the wallet  {}\n  in escrow      {} available, {} locked, {} being withdrawn",
                client.address(),
                money::show(tokens),
                money::show(U256::from(account.available)),
                money::show(U256::from(account.locked)),
                money::show(U256::from(account.withdrawing))
            )
        },
    );
    Ok(0)
}

fn done(context: &Context, verb: &str, amount: &str, outcome: TxOutcome) -> Result<u8> {
    context.output.answer(
        &json!({ "done": verb, "amount": amount, "transaction": outcome.transaction, "gas": outcome.gas_used }),
        || format!("{verb} {amount} (transaction {}, gas {})", outcome.transaction, outcome.gas_used),
    );
    Ok(0)
}
