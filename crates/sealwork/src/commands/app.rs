//! `new`, `build`, `publish`.

use super::{Context, spend};
use crate::{
    cli::PublishArgs,
    enclave_program, money,
    project::{self, Project},
};
use alloy_primitives::aliases::U96;
use anyhow::Result;
use sealwork_client::{Prepared, PublishRequest};
use sealwork_ports::TxOutcome;
use sealwork_types::{
    CodeHash, Sha256Digest, params::EVIDENCE_MAX_AGE_S, policy::Policy, signed_order::UNLIMITED,
};
use serde_json::json;
use std::path::Path;

const DAY_S: u64 = 86_400;

pub(crate) fn new(context: &Context, path: &Path) -> Result<u8> {
    let name = project::create(path)?;
    context.output.answer(&json!({ "project": path, "name": name }), || {
        format!("created {}\nnext: cd {0} && sealwork build && sealwork publish", path.display())
    });
    Ok(0)
}

pub(crate) fn build(context: &Context, path: &Path) -> Result<u8> {
    let module = project::build(path)?;
    let bytes = std::fs::metadata(&module)?.len();
    context.output.answer(&json!({ "module": module, "bytes": bytes }), || {
        format!("built {} ({bytes} bytes)\nnext: sealwork publish", module.display())
    });
    Ok(0)
}

pub(crate) async fn publish(context: &Context, arguments: &PublishArgs) -> Result<u8> {
    let client = context.client().await?;
    let request = project_request(&arguments.path)?;
    let (name, price) = (request.name.clone(), money::parse_price(&arguments.price)?);
    let volume = arguments.volume.unwrap_or(UNLIMITED);
    let expiry = client.now().await?.saturating_add(arguments.days.saturating_mul(DAY_S));
    // A dry run stores nothing either.
    let prepared = if context.dry_run {
        let (manifest, _) = request.documents();
        Prepared { manifest_hash: Sha256Digest::of(&manifest.to_bytes()), manifest }
    } else {
        client.prepare(request).await?
    };
    let app = client.predict_app(&prepared).await?;
    let registration = client.registration_plan(app, &prepared).await?;
    let register_gas = match &registration {
        None => 0,
        Some(plan) if context.dry_run => {
            let offer = client.app_offer_plan(app, price, volume, expiry).await?;
            spend::carry_out(context, &client, &plan.clone().then(offer)).await?;
            return Ok(0);
        }
        Some(plan) => gas(spend::carry_out(context, &client, plan).await?),
    };
    let offer = client.app_offer_plan(app, price, volume, expiry).await?;
    let Some(outcomes) = spend::carry_out(context, &client, &offer).await? else { return Ok(0) };
    context.home.remember_app(&name, app)?;
    let (code, policy, order_gas) =
        (prepared.manifest.code_hash, prepared.manifest.policy_hash, gas(Some(outcomes)));
    context.output.answer(
        &json!({
            "app": app, "name": name, "code": code, "policy": policy, "price": price, "register_gas": register_gas,
            "order_gas": order_gas,
        }),
        || {
            format!(
                "published {name} as {app}\n  code    {code}\n  policy  {policy}\n  price   {} a task\n  gas     {register_gas} \
                 to register, {order_gas} to offer\nnext: sealwork run {name}",
                money::show(price.to())
            )
        },
    );
    Ok(0)
}

fn gas(outcomes: Option<Vec<TxOutcome>>) -> u64 {
    outcomes.unwrap_or_default().iter().fold(0, |sum, outcome| sum.saturating_add(outcome.gas_used))
}

/// What the project in a folder would publish, without price.
pub(crate) fn project_request(path: &Path) -> Result<PublishRequest> {
    let project = Project::read(path)?;
    let module = project.module(path)?;
    let enclaves = if project.enclaves.is_empty() {
        vec![enclave_program::accepted()?]
    } else {
        project.enclaves.clone()
    };
    let policy = Policy {
        version: 1,
        code_hash: CodeHash::default(),
        enclaves,
        max_evidence_age_s: EVIDENCE_MAX_AGE_S,
        allow_debug: false,
        limits: project.limits.limits(),
        environment: project.environment,
    };
    Ok(PublishRequest {
        name: project.name,
        description: project.description,
        module,
        policy,
        price: U96::ZERO,
        volume: UNLIMITED,
        expiry: 0,
    })
}
