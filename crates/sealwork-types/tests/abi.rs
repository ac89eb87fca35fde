//! `abi.rs` says what the contracts say: every call, event and error, against the committed artifacts.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a panic is a failed test"
)]

use sealwork_types::{
    abi::{IAttestations, IBatches, IBook, IChannels, IMarket, IRegistry, IToken},
    artifacts::Contract,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// Canonical signatures of one kind of entry (`function`, `event`, `error`) in an artifact.
fn artifact(contract: Contract, kind: &str) -> BTreeSet<String> {
    let artifact: Value = serde_json::from_str(contract.artifact()).unwrap();
    let entries = artifact["abi"].as_array().unwrap();
    let wanted = entries.iter().filter(|entry| entry["type"] == kind);
    wanted.map(|entry| format!("{}({})", text(&entry["name"]), types(&entry["inputs"]))).collect()
}

fn types(parameters: &Value) -> String {
    let names: Vec<_> = parameters.as_array().unwrap().iter().map(canonical).collect();
    names.join(",")
}

/// A tuple prints as its components, with the brackets of an array behind.
fn canonical(parameter: &Value) -> String {
    let name = text(&parameter["type"]);
    match name.strip_prefix("tuple") {
        Some(brackets) => format!("({}){brackets}", types(&parameter["components"])),
        None => name.to_owned(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn set(signatures: &[&str]) -> BTreeSet<String> {
    signatures.iter().map(|&signature| signature.to_owned()).collect()
}

/// Ours must stand in the artifact, and what else stands there must be `others`, by name.
#[track_caller]
fn check(contract: Contract, kind: &str, ours: &[&str], others: &[&str]) {
    let found = artifact(contract, kind);
    let ours = set(ours);
    let missing: Vec<_> = ours.difference(&found).collect();
    assert!(missing.is_empty(), "{} has no {kind} {missing:?}", contract.name());
    let names =
        found.difference(&ours).map(|signature| signature.split('(').next().unwrap_or_default().to_owned());
    let expected: BTreeSet<_> = set(others);
    assert_eq!(names.collect::<BTreeSet<_>>(), expected, "{} has other {kind}s than abi.rs", contract.name());
}

#[test]
fn registry_equals_its_artifact() {
    let erc721 = [
        "approve",
        "balanceOf",
        "getApproved",
        "name",
        "ownerOf",
        "safeTransferFrom",
        "supportsInterface",
        "symbol",
        "tokenURI",
        "transferFrom",
    ];
    let errors = [
        "AccountBalanceOverflow",
        "BalanceQueryForZeroAddress",
        "NotOwnerNorApproved",
        "TokenAlreadyExists",
        "TokenDoesNotExist",
        "TransferFromIncorrectOwner",
        "TransferToNonERC721ReceiverImplementer",
        "TransferToZeroAddress",
    ];
    check(Contract::Registry, "function", IRegistry::IRegistryCalls::SIGNATURES, &erc721);
    check(
        Contract::Registry,
        "event",
        IRegistry::IRegistryEvents::SIGNATURES,
        &["Approval", "ApprovalForAll", "Transfer"],
    );
    check(Contract::Registry, "error", IRegistry::IRegistryErrors::SIGNATURES, &errors);
}

#[test]
fn market_equals_its_artifact() {
    let parts = ["attestations", "feeRecipient", "governor", "registry"];
    check(Contract::Market, "function", IMarket::IMarketCalls::SIGNATURES, &parts);
    check(Contract::Market, "event", IMarket::IMarketEvents::SIGNATURES, &[]);
    check(Contract::Market, "error", IMarket::IMarketErrors::SIGNATURES, &["Reentrancy"]);
}

#[test]
fn batches_equal_their_artifact() {
    let parts = ["attestations", "market"];
    check(Contract::Batches, "function", IBatches::IBatchesCalls::SIGNATURES, &parts);
    check(Contract::Batches, "event", IBatches::IBatchesEvents::SIGNATURES, &[]);
    check(Contract::Batches, "error", IBatches::IBatchesErrors::SIGNATURES, &[]);
}

#[test]
fn channels_equal_their_artifact() {
    check(Contract::Channels, "function", IChannels::IChannelsCalls::SIGNATURES, &["market"]);
    check(Contract::Channels, "event", IChannels::IChannelsEvents::SIGNATURES, &[]);
    check(Contract::Channels, "error", IChannels::IChannelsErrors::SIGNATURES, &[]);
}

#[test]
fn book_equals_its_artifact() {
    check(Contract::Book, "function", IBook::IBookCalls::SIGNATURES, &["market", "registry"]);
    check(Contract::Book, "event", IBook::IBookEvents::SIGNATURES, &[]);
    check(Contract::Book, "error", IBook::IBookErrors::SIGNATURES, &[]);
}

#[test]
fn attestations_equals_its_artifact() {
    let calls = IAttestations::IAttestationsCalls::SIGNATURES;
    check(Contract::Attestations, "function", calls, &["governor", "market"]);
    check(Contract::Attestations, "event", IAttestations::IAttestationsEvents::SIGNATURES, &[]);
    check(Contract::Attestations, "error", IAttestations::IAttestationsErrors::SIGNATURES, &[]);
}

#[test]
fn development_token_has_everything_that_is_called() {
    check(Contract::DevToken, "function", IToken::ITokenCalls::SIGNATURES, &[]);
    check(Contract::DevToken, "event", IToken::ITokenEvents::SIGNATURES, &[]);
}
