//! `inspect app|enclave`: what stands behind a name.

use super::Context;
use crate::{cli::InspectCommand, enclave_program};
use anyhow::{Context as _, Result};
use sealwork_types::{
    Address,
    abi::{AppUpdate, Grant},
    evidence::TeeKind,
};
use serde_json::json;

pub(crate) async fn run(context: &Context, command: &InspectCommand) -> Result<u8> {
    match command {
        InspectCommand::App { app } => inspect_app(context, app).await,
        InspectCommand::Enclave { address: Some(address) } => inspect_enclave(context, address).await,
        InspectCommand::Enclave { address: None } => inspect_program(context),
    }
}

async fn inspect_app(context: &Context, app: &str) -> Result<u8> {
    let client = context.client().await?;
    let view = client.app(context.app(&client, app).await?).await?;
    let announced = client.announced(view.id).await?;
    let members = client.check_members().await?;
    let recipient = client.recipient(&view).await?;
    let member_texts: Vec<_> = members
        .iter()
        .map(|report| {
            format!(
                "{} runs {} ({}, platform version {})",
                report.member, report.measurement, report.tee, report.platform_svn
            )
        })
        .collect();
    context.output.answer(
        &json!({
            "app": view.id, "owner": view.registered.owner, "version": view.registered.version,
            "manifest": view.manifest, "policy": view.policy, "recipient": recipient.digest(),
            "announced": announced.as_ref().map(|update| json!({
                "manifest": update.manifestHash, "code": update.codeHash, "policy": update.policyHash,
                "effective_at": update.effectiveAt,
            })),
            "cas": members.iter().map(|report| json!({
                "member": report.member, "tee": report.tee, "measurement": report.measurement,
                "platform_svn": report.platform_svn,
            })).collect::<Vec<_>>(),
        }),
        || {
            let enclaves: Vec<_> = view
                .policy
                .enclaves
                .iter()
                .map(|enclave| format!("{} {} (platform version {} or newer)", enclave.tee, enclave.measurement, enclave.min_platform_svn))
                .collect();
            format!(
                "app          {} ({})\n  owner        {}, version {}\n  code         {} in {}\n  policy       {}\n  \
                 enclaves     {}\n  limits       {:?}\nCAS\n  {}\n  sealing key  {} signed by a member above{}",
                view.id,
                view.manifest.name,
                view.registered.owner,
                view.registered.version,
                view.manifest.code_hash,
                view.manifest.code,
                view.policy_hash(),
                enclaves.join("\n               "),
                view.policy.limits,
                member_texts.join("\n  "),
                recipient.digest(),
                announced.as_ref().map_or_else(String::new, update_text)
            )
        },
    );
    Ok(0)
}

/// What a requester should know before it is in force.
fn update_text(update: &AppUpdate) -> String {
    format!(
        "\nannounced\n  code         {}\n  policy       {}\n  takes effect at {} (seconds since 1970); look at it before you \
         seal anything to it",
        update.codeHash, update.policyHash, update.effectiveAt
    )
}

async fn inspect_enclave(context: &Context, address: &str) -> Result<u8> {
    let address: Address =
        address.parse().context("an enclave is named by the address of its key, 0x and 40 hex digits")?;
    let client = context.client().await?;
    let registration = client.chain().registration(address).await?;
    let valid = client.chain().grant(address).await?.is_some();
    let members = sealwork_protocol::receipt::check_grant(
        &registration.grant,
        &registration.signatures,
        &client.network().anchors,
    )?;
    let Grant { measurement, tee, hardwareId, expiry, .. } = &registration.grant;
    context.output.answer(
        &json!({ "enclave": address, "valid": valid, "measurement": measurement, "tee": tee, "hardware": hardwareId, "expiry": expiry, "members": members }),
        || {
            let kind = if *tee == TeeKind::Sim.code() { "simulated: proves nothing about hardware".to_owned() } else { format!("TEE kind {tee}") };
            format!(
                "enclave      {address} ({kind})\n  now          {}\n  measurement  {measurement}\n  hardware     {hardwareId}\n  \
                 expires      {expiry} (seconds since 1970)\n  granted by   {members:?}",
                if valid { "may settle tasks" } else { "may not settle: expired or revoked" }
            )
        },
    );
    Ok(0)
}

fn inspect_program(context: &Context) -> Result<u8> {
    let (path, measurement) = (enclave_program::path()?, enclave_program::measurement()?);
    context.output.answer(&json!({ "program": path, "tee": "sim", "measurement": measurement }), || {
        format!(
            "program      {}\nmeasurement  {measurement} (simulated TEE: SHA-256 of the file)",
            path.display()
        )
    });
    Ok(0)
}
