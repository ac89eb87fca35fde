//! `doctor`: what works here, what does not, and what to do about it.

use super::Context;
use crate::{connect, enclave_program, failure, project, wallet};
use anyhow::Result;
use sealwork_chain::{Endpoint, verify_deployment};
use sealwork_types::{manifest::document_cid, network::NetworkDocument};
use serde_json::json;

struct Finding {
    what: &'static str,
    result: Result<String, String>,
    fix: &'static str,
}

pub(crate) async fn run(context: &Context) -> Result<u8> {
    let mut findings = vec![enclave(), compiler(), wallets(context)];
    match context.home.network() {
        Ok(network) => findings.extend(network_findings(context, &network).await),
        Err(error) => findings.push(Finding {
            what: "network document",
            result: Err(error.to_string()),
            fix: "start a local network with `sealwork up`, or name a document with --network FILE",
        }),
    }
    let mut healthy = true;
    for Finding { what, result, fix } in &findings {
        healthy &= result.is_ok();
        let (ok, text) = match result {
            Ok(text) => (true, text),
            Err(text) => (false, text),
        };
        context.output.answer(
            &json!({ "check": what, "ok": ok, "detail": text, "fix": (!ok).then_some(fix) }),
            || {
                let mark = if ok { "ok  " } else { "FAIL" };
                let hint = if ok { String::new() } else { format!("\n      hint: {fix}") };
                format!("{mark}  {what}: {text}{hint}")
            },
        );
    }
    Ok(if healthy { 0 } else { failure::FAILED })
}

fn enclave() -> Finding {
    Finding {
        what: "enclave program",
        result: enclave_program::measurement()
            .map(|measurement| format!("measures {measurement}"))
            .map_err(|error| error.to_string()),
        fix: "cargo build --release -p sealwork-enclave",
    }
}

fn compiler() -> Finding {
    Finding {
        what: "WebAssembly compiler",
        result: project::describe_compiler().map_err(|error| error.to_string()),
        fix: "rustup target add wasm32-wasip1 (needed only for `sealwork build`)",
    }
}

fn wallets(context: &Context) -> Finding {
    let names = wallet::names(&context.home);
    let found = names.contains(&context.wallet);
    let text = format!("wallet {:?}; here are: {}", context.wallet, names.join(", "));
    Finding {
        what: "wallet",
        result: if found { Ok(text) } else { Err(format!("no {text}")) },
        fix: "`sealwork wallet new NAME`, or `sealwork up` for the development wallet",
    }
}

async fn network_findings(context: &Context, network: &NetworkDocument) -> Vec<Finding> {
    let store = async {
        // An empty block is on every node or quickly answered as absent; either answer proves the endpoint.
        let cid = document_cid(sealwork_types::Sha256Digest::of(b""));
        match connect::store(&network.store)?.stat(&cid).await {
            Err(error) if error.is_retryable() => Err(anyhow::Error::from(error)),
            _ => Ok(network.store.clone()),
        }
    };
    let cas = async {
        let mut members = Vec::new();
        for service in connect::members(network)? {
            let info = service.info().await?;
            anyhow::ensure!(
                info.anchors == network.anchors.digest(),
                "member {} serves another network",
                info.address
            );
            members.push(info.address.to_string());
        }
        Ok::<_, anyhow::Error>(members.join(", "))
    };
    let document = context.home.network_path().display().to_string();
    let text = |result: Result<String>| result.map_err(|error| format!("{error:#}"));
    vec![
        Finding { what: "network document", result: Ok(document), fix: "" },
        Finding {
            what: "chain",
            result: text(chain(network).await),
            fix: "is `sealwork up` running? Else give the right endpoint in the network document",
        },
        Finding {
            what: "contracts",
            result: text(contracts(network).await),
            fix: "the network document names another deployment, or one of another version of Sealwork; ask who gave it to you",
        },
        Finding {
            what: "storage",
            result: text(store.await),
            fix: "is `sealwork up` or the IPFS node running?",
        },
        Finding {
            what: "CAS",
            result: text(cas.await),
            fix: "is `sealwork up` or `sealwork cas start` running?",
        },
    ]
}

async fn chain(network: &NetworkDocument) -> Result<String> {
    let endpoint = Endpoint::connect(&network.rpc, alloy_signer_local::PrivateKeySigner::random()).await?;
    anyhow::ensure!(
        endpoint.chain_id() == network.anchors.domain.chain_id,
        "{} serves chain {}, the network document says {}",
        network.rpc,
        endpoint.chain_id(),
        network.anchors.domain.chain_id
    );
    let (number, _) = endpoint.head().await?;
    Ok(format!("{} at block {number}", network.rpc))
}

/// Whether the contracts are the published ones and each other's.
async fn contracts(network: &NetworkDocument) -> Result<String> {
    let endpoint = Endpoint::connect(&network.rpc, alloy_signer_local::PrivateKeySigner::random()).await?;
    let mismatches = verify_deployment(&endpoint, &network.contracts).await?;
    let problems = mismatches.iter().map(|found| format!("{} {}", found.contract.name(), found.problem));
    let problems: Vec<_> = problems.collect();
    anyhow::ensure!(problems.is_empty(), "{}", problems.join("; "));
    Ok("all have the published code".to_owned())
}
