//! `app update|withdraw-update` and `app name commit|claim|release`.

use super::{Context, app, spend};
use crate::cli::{AppCommand, NameCommand};
use anyhow::Result;
use sealwork_client::{Client, Plan, Prepared};
use sealwork_ports::TxOutcome;
use sealwork_types::{
    Sha256Digest,
    params::{APP_UPDATE_DELAY_S, NAME_CLAIM_DELAY_S},
};
use serde_json::{Value, json};
use std::path::Path;

pub(crate) async fn run(context: &Context, command: &AppCommand) -> Result<u8> {
    let client = context.client().await?;
    match command {
        AppCommand::Update { app, path } => update(context, &client, app, path).await,
        AppCommand::WithdrawUpdate { app } => {
            let app = context.app(&client, app).await?;
            let plan = client.withdraw_update_plan(app);
            finish(context, &client, &plan, json!({ "app": app }), || format!("withdrew the update of {app}"))
                .await
        }
        AppCommand::Name(command) => name(context, &client, command).await,
    }
}

async fn update(context: &Context, client: &Client, name: &str, path: &Path) -> Result<u8> {
    let id = context.app(client, name).await?;
    let request = app::project_request(path)?;
    // A dry run stores nothing either.
    let prepared = if context.dry_run {
        let (manifest, _) = request.documents();
        Prepared { manifest_hash: Sha256Digest::of(&manifest.to_bytes()), manifest }
    } else {
        client.prepare(request).await?
    };
    let plan = client.announce_plan(id, &prepared);
    let Some(outcomes) = spend::carry_out(context, client, &plan).await? else { return Ok(0) };
    let effective_at = client.announced(id).await?.map(|update| update.effectiveAt);
    let object = json!({
        "app": id, "code": prepared.manifest.code_hash, "policy": prepared.manifest.policy_hash,
        "effective_at": effective_at,
    });
    spend::done(context, object, &outcomes, || {
        format!(
            "announced an update of {id}\n  code    {}\n  policy  {}\nit takes effect {APP_UPDATE_DELAY_S} s from now, at {} \
             (seconds since 1970); requests for the present policy are matched until then\ntake it back with: sealwork \
             app withdraw-update {id}",
            prepared.manifest.code_hash,
            prepared.manifest.policy_hash,
            effective_at.unwrap_or_default()
        )
    });
    Ok(0)
}

async fn name(context: &Context, client: &Client, command: &NameCommand) -> Result<u8> {
    match command {
        NameCommand::Commit { name } => {
            let plan = client.commit_name_plan(name).await?;
            let claimable_at = client.now().await?.saturating_add(NAME_CLAIM_DELAY_S);
            finish(context, client, &plan, json!({ "name": name, "claimable_at": claimable_at }), || {
                format!("committed to a name; claim it in {NAME_CLAIM_DELAY_S} s with: sealwork app name claim {name} APP")
            })
            .await
        }
        NameCommand::Claim { name, app } => {
            let app = context.app(client, app).await?;
            let plan = client.claim_name_plan(app, name);
            finish(context, client, &plan, json!({ "name": name, "app": app }), || {
                format!("{name} means app {app}")
            })
            .await
        }
        NameCommand::Release { name } => {
            let plan = client.release_name_plan(name);
            finish(context, client, &plan, json!({ "name": name }), || format!("released the name {name}"))
                .await
        }
    }
}

async fn finish(
    context: &Context,
    client: &Client,
    plan: &Plan,
    object: Value,
    text: impl FnOnce() -> String,
) -> Result<u8> {
    let outcomes: Option<Vec<TxOutcome>> = spend::carry_out(context, client, plan).await?;
    if let Some(outcomes) = outcomes {
        spend::done(context, object, &outcomes, text);
    }
    Ok(0)
}
