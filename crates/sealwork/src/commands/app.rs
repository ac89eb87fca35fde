//! `new`, `build`, `publish`.

use super::Context;
use crate::{
    cli::PublishArgs,
    enclave_program, money,
    project::{self, Project},
};
use anyhow::Result;
use sealwork_client::{PublishRequest, Published};
use sealwork_ports::{Clock, SystemClock};
use sealwork_types::{CodeHash, params::EVIDENCE_MAX_AGE_S, policy::Policy};
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
    let request = request(arguments)?;
    let (name, price) = (request.name.clone(), request.price);
    let published = client.publish(request).await?;
    context.home.remember_app(&name, published.app)?;
    let Published { app, manifest, registration, order } = &published;
    let gas = registration.map_or(0, |outcome| outcome.gas_used);
    context.output.answer(
        &json!({
            "app": app, "name": name, "code": manifest.code_hash, "policy": manifest.policy_hash,
            "price": price, "register_gas": gas, "order_gas": order.gas_used,
        }),
        || {
            format!(
                "published {name} as {app}\n  code    {}\n  policy  {}\n  price   {} a task\n  gas     {gas} to \
                 register, {} to offer\nnext: sealwork run {name}",
                manifest.code_hash,
                manifest.policy_hash,
                money::show(price.to()),
                order.gas_used
            )
        },
    );
    Ok(0)
}

fn request(arguments: &PublishArgs) -> Result<PublishRequest> {
    let project = Project::read(&arguments.path)?;
    let module = project.module(&arguments.path)?;
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
    let price = money::parse_price(&arguments.price)?;
    Ok(PublishRequest {
        name: project.name,
        description: project.description,
        module,
        policy,
        price,
        volume: arguments.volume,
        expiry: SystemClock.unix_s().saturating_add(arguments.days.saturating_mul(DAY_S)),
    })
}
