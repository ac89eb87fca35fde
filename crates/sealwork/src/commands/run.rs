//! `run`: one task from sealing to the opened output.

use super::{Context, bag, spend};
use crate::{
    cli::{InputArgs, RunArgs},
    failure::{self, Failure},
    home, money,
    output::Output,
};
use anyhow::{Context as _, Result, bail};
use sealwork_client::{InputFile, OpenedOutput, Outcome, Progress, RunInput, RunRequest, Settlement, Source};
use sealwork_types::{PoolId, Status, progress::TaskStep, receipt::ReceiptDocument};
use serde_json::json;
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Most that is read from a pipe; larger inputs come from a file, whose size is known.
const MAX_PIPED_BYTES: u64 = 64 << 20;
/// How long an order and a sealed input stay valid.
pub(crate) const VALID_FOR_S: u64 = 24 * 3_600;

pub(crate) async fn run(context: &Context, arguments: &RunArgs) -> Result<u8> {
    check_destinations(arguments.receipt.as_deref(), arguments.out.as_deref())?;
    let results = (arguments.volume > 1).then(|| bag::folder(arguments.out.as_deref())).transpose()?;
    let client = context.client().await?;
    let request = RunRequest {
        app: context.app(&client, &arguments.app).await?,
        input: input(&arguments.input)?,
        volume: arguments.volume,
        pool: arguments.pool.as_deref().map(pool_id).transpose()?,
        max_price: arguments.max_price.as_deref().map(money::parse).transpose()?,
        valid_for_s: VALID_FOR_S,
        timeout: Duration::from_secs(arguments.timeout),
        deposit: !arguments.no_deposit,
        settlement: if arguments.one_transaction { Settlement::OneTransaction } else { Settlement::Deal },
    };
    let quote = Box::pin(client.quote(&request)).await?;
    if context.dry_run {
        spend::carry_out(context, &client, &quote.plan).await?;
        return Ok(0);
    }
    spend::show(context, &client.estimate(&quote.plan).await?);
    if let Some(folder) = results {
        return Box::pin(bag::run(context, &client, request, folder)).await;
    }
    let output = context.output;
    let (begun, mut steps) = (SystemTime::now(), Vec::new());
    let mut reached = |progress: Progress| {
        show(&output, &progress);
        steps.push(progress);
    };
    let outcome = Box::pin(client.run(request, &mut reached)).await?;
    context.operate.export_steps(outcome.task, begun, &steps);
    let receipt = write_receipt(&outcome.receipt, arguments.receipt.as_deref())?;
    deliver(&output, &outcome, &receipt, arguments.out.as_deref())
}

/// What is paid for must have somewhere to go.
pub(crate) fn check_destinations(receipt: Option<&Path>, out: Option<&Path>) -> Result<()> {
    let folder = receipt.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        bail!("the receipt cannot be written: there is no folder {}", folder.display());
    }
    if let Some(out) = out.filter(|out| out.exists() && !out.is_dir()) {
        bail!("the output cannot be written: {} is not a folder", out.display());
    }
    Ok(())
}

/// Shows a step as it is reached.
pub(crate) fn show(output: &Output, progress: &Progress) {
    output.step(step_name(progress.step), progress.took, progress.elapsed, &progress.detail);
}

/// Prints an outcome, writes its files, and gives the exit code.
pub(crate) fn deliver(
    output: &Output,
    outcome: &Outcome,
    receipt: &Path,
    folder: Option<&Path>,
) -> Result<u8> {
    let files =
        outcome.output.as_ref().map(|opened| write_files(opened, folder)).transpose()?.unwrap_or_default();
    let status = outcome.status;
    let opened = outcome.output.as_ref();
    if output.is_json() {
        let stdout = opened.map(|opened| String::from_utf8_lossy(&opened.bundle.stdout).into_owned());
        let stderr = opened.map(|opened| String::from_utf8_lossy(&opened.bundle.stderr).into_owned());
        output.answer(
            &json!({
                "task": outcome.task, "status": status.to_string(), "code": status.code(),
                "stdout": stdout, "stderr": stderr, "exit_code": opened.map(|opened| opened.bundle.exit_code),
                "files": files, "receipt": receipt, "price": outcome.price, "fuel": outcome.receipt.receipt.fuel,
                "gas": { "match": outcome.match_gas, "settle": outcome.settle_gas },
            }),
            String::new,
        );
    } else {
        if let Some(opened) = opened {
            output.raw(&opened.bundle.stdout);
            note_stderr(output, opened);
        }
        for file in &files {
            output.note(&format!("wrote {}", file.display()));
        }
        output.note(&format!(
            "task {} ended with {status}; receipt {}; gas {}; price {}",
            outcome.task.short(),
            receipt.display(),
            gas(outcome),
            money::show(outcome.price)
        ));
        if let Some(meaning) = status.meaning().filter(|_| status != Status::SUCCESS) {
            output.note(&format!("{status}: {meaning}"));
        }
    }
    Ok(if status == Status::SUCCESS { 0 } else { failure::TASK_STATUS })
}

fn gas(outcome: &Outcome) -> String {
    let settle = outcome.settle_gas;
    match outcome.match_gas {
        Some(matching) => format!("{matching} to match, {settle} to settle"),
        None if outcome.receipt.settlement.is_none() => "none, paid by the channel".to_owned(),
        None => format!("{settle} in one transaction, paid by the pool"),
    }
}

/// Writes a receipt where it was asked for, or beside the caller.
pub(crate) fn write_receipt(receipt: &ReceiptDocument, path: Option<&Path>) -> Result<PathBuf> {
    let task = receipt.deal.task(receipt.receipt.index);
    let path =
        path.map_or_else(|| PathBuf::from(format!("receipt-{}.json", task.short())), Path::to_path_buf);
    home::write_atomically(&path, &serde_json::to_vec_pretty(receipt)?)?;
    Ok(path)
}

fn note_stderr(output: &Output, opened: &OpenedOutput) {
    if !opened.bundle.stderr.is_empty() {
        output.note("--- the program's standard error");
        output.note(String::from_utf8_lossy(&opened.bundle.stderr).trim_end());
        output.note("---");
    }
}

/// Writes the files of `/out`. Their names were checked when the bundle was read: relative, without `..`.
pub(crate) fn write_files(opened: &OpenedOutput, folder: Option<&Path>) -> Result<Vec<PathBuf>> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let mut written = Vec::new();
    for file in &opened.bundle.files {
        let path = folder.join(&file.name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(&path, &file.bytes).with_context(|| format!("write {}", path.display()))?;
        written.push(path);
    }
    Ok(written)
}

fn pool_id(text: &str) -> Result<PoolId> {
    text.parse().ok().with_context(|| format!("{text:?} is not a pool id (0x and 64 hex digits)"))
}

/// What is sealed, as the command line names it.
pub(crate) fn input(arguments: &InputArgs) -> Result<RunInput> {
    let files = arguments.files.iter().map(|text| input_file(text)).collect::<Result<_>>()?;
    let stdin = match &arguments.stdin {
        None => Source::Bytes(Vec::new()),
        Some(path) if path.as_os_str() == "-" => Source::Bytes(piped()?),
        Some(path) => file(path.clone())?,
    };
    Ok(RunInput { args: arguments.args.clone(), files, stdin })
}

/// A file that is there now; it is read when it is sealed.
fn file(path: PathBuf) -> Result<Source> {
    fs::metadata(&path).with_context(|| format!("read {}", path.display()))?;
    Ok(Source::File(path))
}

/// `PATH` or `NAME=PATH`.
fn input_file(text: &str) -> Result<InputFile> {
    let named = text.split_once('=').filter(|_| !Path::new(text).exists());
    let (name, path) = match named {
        Some((name, path)) => (name.to_owned(), PathBuf::from(path)),
        None => {
            let path = PathBuf::from(text);
            let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
            (name.with_context(|| format!("{text:?} has no usable file name; write NAME=PATH"))?, path)
        }
    };
    Ok(InputFile { name, source: file(path)? })
}

fn piped() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(MAX_PIPED_BYTES.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_PIPED_BYTES {
        let text = format!("more than {MAX_PIPED_BYTES} bytes came through the pipe");
        return Err(Failure::new(failure::FAILED, text)
            .hint("write them to a file and give --stdin FILE")
            .into());
    }
    Ok(bytes)
}

/// Name of a step as people read it.
const fn step_name(step: TaskStep) -> &'static str {
    match step {
        TaskStep::Sealed => "sealed",
        TaskStep::Uploaded => "uploaded",
        TaskStep::Accepted => "accepted",
        TaskStep::Matched => "matched",
        TaskStep::Assigned => "assigned",
        TaskStep::Attested => "attested",
        TaskStep::Running => "running",
        TaskStep::Executed => "executed",
        TaskStep::Settled => "settled",
        TaskStep::Verified => "verified",
        TaskStep::Opened => "opened",
    }
}
