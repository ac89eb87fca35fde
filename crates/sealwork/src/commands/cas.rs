//! `cas start|log`.

use super::Context;
use crate::{
    cli::{CasArgs, CasCommand},
    connect,
    failure::{self, Failure},
    operate::Supervisor,
    up::{self, CasEndpoints, CasSetup},
};
use anyhow::{Result, bail};
use sealwork_cas::LogAuditor;
use sealwork_types::{
    cas_wire::{LogEntry, LogKind},
    network::NetworkDocument,
};
use serde_json::json;
use tokio::{sync::watch, task::JoinSet};

/// Entries asked for at once.
const PAGE: u64 = 1_000;

pub(crate) async fn run(context: &Context, command: &CasCommand) -> Result<u8> {
    match command {
        CasCommand::Start(arguments) => start(context, arguments).await,
        CasCommand::Log { verify: true, .. } => verify(context).await,
        CasCommand::Log { verify: false, from } => list(context, *from).await,
    }
}

async fn start(context: &Context, arguments: &CasArgs) -> Result<u8> {
    let network = context.home.network()?;
    let data = arguments.data.clone().unwrap_or_else(|| context.home.path("local/cas"));
    let key = up::signing_key(&data.join("signing.key"))?;
    let Some(member) = network.cas.iter().find(|member| member.address == key.address()) else {
        let text = format!(
            "the key in {} is {}, which is no CAS member of this network",
            data.display(),
            key.address()
        );
        bail!(
            Failure::new(failure::FAILED, text)
                .hint("name the member's folder with --data, or another --network")
        );
    };
    let sim_root_path = arguments.sim_root.clone().unwrap_or_else(|| up::default_sim_root(context));
    let sim_root = up::sim_root(&sim_root_path)?;
    let http = member.url.trim_start_matches("http://").trim_end_matches('/');
    let endpoints = CasEndpoints::at(http, &member.tls).await?;
    let (stop, stopping) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let registry = context.operate.registry();
    let document = &network;
    let setup = CasSetup { document, state_dir: data, key, sim_root: &sim_root, endpoints, registry };
    let mut supervisor = Supervisor::from_environment();
    up::serve_cas(&mut tasks, setup, &stopping).await?;
    context.output.answer(&json!({ "ready": true, "member": member }), || {
        format!(
            "CAS member {} serves {} (enclaves: {})\nstop with Ctrl-C",
            member.address, member.url, member.tls
        )
    });
    supervisor.ready();
    tokio::select! {
        () = up::interrupted() => {}
        _ = tasks.join_next() => bail!("the CAS member stopped by itself; see the log"),
    }
    supervisor.stopping();
    // The servers may have ended by themselves.
    let _ = stop.send(true);
    while tasks.join_next().await.is_some() {}
    Ok(0)
}

async fn list(context: &Context, from: u64) -> Result<u8> {
    let network = context.home.network()?;
    for (service, member) in connect::members(&network)?.iter().zip(&network.cas) {
        for entry in service.log_entries(from, PAGE).await? {
            context.output.answer(&json!({ "member": member.address, "entry": entry }), || line(&entry));
        }
    }
    Ok(0)
}

async fn verify(context: &Context) -> Result<u8> {
    let network = context.home.network()?;
    for index in 0..network.cas.len() {
        let size = audit(&network, index).await?;
        let member = network.cas.get(index).map(|member| member.address).unwrap_or_default();
        context.output.answer(&json!({ "member": member, "entries": size, "valid": true }), || {
            format!("member {member}: {size} entries, every one under the signed head")
        });
    }
    Ok(0)
}

/// Reads a member's whole log and checks it against its signed head.
async fn audit(network: &NetworkDocument, index: usize) -> Result<u64> {
    let services = connect::members(network)?;
    let (Some(service), Some(member)) = (services.get(index), network.cas.get(index)) else { return Ok(0) };
    let head = service.log_head().await?;
    let mut auditor = LogAuditor::new(network.anchors.domain, member.address);
    let unproven = |error: &dyn std::fmt::Display| {
        Failure::new(
            failure::UNPROVEN,
            format!("the log of member {} does not hold: {error}", member.address),
        )
        .hint("keep what it served; it proves that the member misbehaved")
    };
    while auditor.len() < head.head.size {
        let wanted = head.head.size.saturating_sub(auditor.len()).min(PAGE);
        let page = service.log_entries(auditor.len(), wanted).await?;
        if page.is_empty() {
            bail!(unproven(&"it serves fewer entries than its head says"));
        }
        for entry in &page {
            auditor.push(entry).map_err(|error| unproven(&error))?;
        }
    }
    auditor.check(&head).map_err(|error| unproven(&error))?;
    Ok(head.head.size)
}

fn line(entry: &LogEntry) -> String {
    let what = match entry.kind {
        LogKind::Grant => "granted the key".to_owned(),
        LogKind::Release => format!("released app {} to", entry.app),
    };
    format!("{:>6}  {}  {what} {} running {}", entry.index, entry.time, entry.enclave, entry.measurement)
}
