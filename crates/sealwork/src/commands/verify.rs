//! `verify`: a receipt against a network document, without any network.

use super::Context;
use crate::{
    cli::VerifyArgs,
    failure::{self, Failure},
};
use anyhow::{Context as _, Result};
use sealwork_protocol::receipt::{self, CheckedReceipt};
use sealwork_types::{Sha256Digest, receipt::ReceiptDocument};
use serde_json::json;
use std::{fs::File, io::Read, path::Path};

pub(crate) fn run(context: &Context, arguments: &VerifyArgs) -> Result<u8> {
    let network = context.home.network()?;
    let bytes =
        std::fs::read(&arguments.receipt).with_context(|| format!("read {}", arguments.receipt.display()))?;
    let document = ReceiptDocument::parse(&bytes)
        .with_context(|| format!("{} is not a receipt", arguments.receipt.display()))?;
    let unproven = |error: receipt::ReceiptError| {
        Failure::new(failure::UNPROVEN, format!("the receipt does not hold: {error}"))
            .hint("do not rely on this result; is --network the network that it was made on?")
    };
    let checked = receipt::check(&document, &network.anchors).map_err(unproven)?;
    if let Some(path) = &arguments.output {
        receipt::check_output(&checked, digest(path)?).map_err(unproven)?;
    }
    let output_checked = arguments.output.is_some();
    context.output.answer(
        &json!({
            "valid": true, "status": checked.status.to_string(), "task": document.deal.task(document.receipt.index),
            "requester": checked.requester, "enclave": checked.enclave, "measurement": checked.measurement,
            "members": checked.members, "output": checked.output, "output_checked": output_checked,
        }),
        || report(&document, &checked, output_checked),
    );
    Ok(0)
}

fn report(document: &ReceiptDocument, checked: &CheckedReceipt, output_checked: bool) -> String {
    let simulated = if checked.tee == 0 { "  (simulated TEE: proves nothing about hardware)" } else { "" };
    let output = match (checked.output.is_zero(), output_checked) {
        (true, _) => "none, the status comes without one".to_owned(),
        (false, true) => format!("{} and the file is it", checked.output),
        (false, false) => format!("{} (give --output FILE to compare sealed bytes)", checked.output),
    };
    format!(
        "valid: {} by {}\n  task         {}\n  requester    {} signed the request\n  code         {}\n  policy       {}\n  \
         input        {}\n  output       {output}\n  enclave      {} signed the receipt\n  measurement  {}{simulated}\n  \
         granted by   {}",
        checked.status,
        document.receipt.work.app,
        document.deal.task(document.receipt.index),
        checked.requester,
        document.receipt.work.codeHash,
        document.receipt.work.policyHash,
        document.receipt.work.input,
        checked.enclave,
        checked.measurement,
        checked.members.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )
}

fn digest(path: &Path) -> Result<sealwork_types::B256> {
    let mut file = File::open(path).with_context(|| format!("read {}", path.display()))?;
    let mut digest = Sha256Digest::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer)?;
        match buffer.get(..count) {
            Some(bytes) if count > 0 => digest.update(bytes),
            _ => return Ok(digest.finish()),
        }
    }
}
