//! `wallet new|list|show|import`.

use super::Context;
use crate::{cli::WalletCommand, wallet};
use anyhow::Result;
use sealwork_client::output_identity;
use serde_json::json;

pub(crate) fn run(context: &Context, command: &WalletCommand) -> Result<u8> {
    match command {
        WalletCommand::New { name } => created(context, name, &wallet::create(&context.home, name)?),
        WalletCommand::Import { name } => {
            let private_key = wallet::ask_private_key()?;
            created(context, name, &wallet::import(&context.home, name, &private_key)?)
        }
        WalletCommand::List => {
            for name in wallet::names(&context.home) {
                context.output.answer(&json!({ "wallet": name }), || name.clone());
            }
            Ok(0)
        }
        WalletCommand::Show => {
            let unlocked = wallet::unlock(&context.home, &context.wallet)?;
            let recipient = output_identity(&unlocked.key).recipient();
            let address = unlocked.key.address();
            context.output.answer(
                &json!({ "wallet": context.wallet, "address": address, "recipient": recipient.to_string() }),
                || format!("{}  {address}\noutputs are sealed to {recipient}", context.wallet),
            );
            Ok(0)
        }
    }
}

fn created(context: &Context, name: &str, wallet: &wallet::Wallet) -> Result<u8> {
    let address = wallet.key.address();
    context.output.answer(&json!({ "wallet": name, "address": address }), || {
        format!("wallet {name} has address {address}\nuse it with --wallet {name}; without its passphrase it is lost")
    });
    Ok(0)
}
