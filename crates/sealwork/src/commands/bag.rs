//! Bags of tasks: results go to files as they come, and a table says at the end what came.

use super::{Context, run as run_task};
use crate::{
    failure::{self, Failure},
    home, money,
    output::Output,
};
use anyhow::{Context as _, Error, Result};
use sealwork_client::{BagNews, BagOutcome, BagTask, Client, OpenedOutput, RunRequest, TaskEnd};
use sealwork_types::{Status, U256, receipt::ReceiptDocument};
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// Bags up to this size are listed task by task.
const LISTED: usize = 40;

/// Where the results of a bag go.
pub(crate) fn folder(out: Option<&Path>) -> Result<PathBuf> {
    let missing = || {
        Failure::new(failure::FAILED, "the results of many tasks go to files, and there is no --out DIR")
            .hint("--out DIR takes a folder for each task, and beside it the task's receipt and standard output")
    };
    let folder = out.ok_or_else(missing)?.to_path_buf();
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    Ok(folder)
}

/// Runs a bag to its end.
pub(crate) async fn run(
    context: &Context,
    client: &Client,
    request: RunRequest,
    folder: PathBuf,
) -> Result<u8> {
    let mut results = Results::new(context.output, folder);
    let outcome = client.run_bag(request, &mut |news| results.take(news)).await?;
    results.conclude(&outcome)
}

/// Delivers the tasks of a deal.
pub(crate) async fn fetch(
    context: &Context,
    client: &Client,
    deal: &str,
    timeout: Duration,
    folder: PathBuf,
) -> Result<u8> {
    let record = client.deal(deal).await?;
    let mut results = Results::new(context.output, folder);
    let outcome = client.collect(&record, timeout, &mut |news| results.take(news)).await?;
    results.conclude(&outcome)
}

/// What is known about a task that ended.
struct Row {
    /// How, in a word.
    end: String,
    /// Whether it is a success with everything that belongs to it.
    succeeded: bool,
    /// Whether something that should prove or hold its result does not.
    unproven: bool,
    fuel: u64,
    bytes: usize,
    /// What went wrong, if something did.
    problem: Option<String>,
}

struct Results {
    output: Output,
    folder: PathBuf,
    rows: BTreeMap<u32, Row>,
    /// The first result that could not be written down.
    failed: Option<Error>,
}

impl Results {
    const fn new(output: Output, folder: PathBuf) -> Self {
        Self { output, folder, rows: BTreeMap::new(), failed: None }
    }

    fn take(&mut self, news: BagNews) {
        match news {
            BagNews::Step(progress) => run_task::show(&self.output, &progress),
            BagNews::Closed { closed, tasks } if self.output.is_json() => {
                self.output.answer(&json!({ "closed": closed, "tasks": tasks }), String::new);
            }
            BagNews::Closed { closed, tasks } => {
                self.output.note(&format!("  {closed} of {tasks} tasks closed"));
            }
            BagNews::Task(task) => self.keep(&task),
        }
    }

    fn keep(&mut self, task: &BagTask) {
        let index = task.index;
        let row = match self.write(index, &task.end) {
            Ok(()) => row(&task.end),
            Err(error) => {
                let problem = Some(format!("{error:#}"));
                self.failed.get_or_insert(error);
                Row { problem, succeeded: false, ..row(&task.end) }
            }
        };
        if self.output.is_json() {
            let settled = matches!(task.end, TaskEnd::Settled { .. });
            let path = settled.then(|| self.beside(index, "receipt.json"));
            let object = json!({
                "task": task.task, "index": index, "end": row.end, "fuel": row.fuel, "receipt": path,
                "problem": row.problem,
            });
            self.output.answer(&object, String::new);
        }
        self.rows.insert(index, row);
    }

    fn write(&self, index: u32, end: &TaskEnd) -> Result<()> {
        let TaskEnd::Settled { receipt, output, .. } = end else { return Ok(()) };
        self.write_receipt(index, receipt)?;
        let Ok(Some(opened)) = output else { return Ok(()) };
        self.write_output(index, opened)
    }

    fn write_receipt(&self, index: u32, receipt: &ReceiptDocument) -> Result<()> {
        let path = self.beside(index, "receipt.json");
        home::write_atomically(&path, &serde_json::to_vec_pretty(receipt)?)
            .with_context(|| format!("write {}", path.display()))
    }

    fn write_output(&self, index: u32, opened: &OpenedOutput) -> Result<()> {
        let texts = [("stdout", &opened.bundle.stdout), ("stderr", &opened.bundle.stderr)];
        for (name, bytes) in texts.into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
            let path = self.beside(index, name);
            fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
        }
        run_task::write_files(opened, Some(&self.folder.join(number(index)))).map(drop)
    }

    fn beside(&self, index: u32, what: &str) -> PathBuf {
        self.folder.join(format!("{}.{what}", number(index)))
    }

    /// Says what came, and gives the exit code.
    fn conclude(mut self, outcome: &BagOutcome) -> Result<u8> {
        let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
        for row in self.rows.values() {
            *ends.entry(&row.end).or_default() += 1;
        }
        let paid = outcome.price.saturating_mul(U256::from(outcome.tasks));
        let object = json!({
            "deal": outcome.deal, "tasks": outcome.tasks, "ends": ends, "out": self.folder,
            "succeeded": self.rows.values().filter(|row| row.succeeded).count(),
            "price": outcome.price, "locked": paid, "settlements": outcome.settlements,
            "gas": { "match": outcome.match_gas, "settle": outcome.settle_gas },
        });
        self.output.answer(&object, || self.table(outcome, &ends));
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let rows = || self.rows.values();
        if rows().any(|row| row.unproven) {
            return Ok(failure::UNPROVEN);
        }
        Ok(if rows().all(|row| row.succeeded) { 0 } else { failure::TASK_STATUS })
    }

    fn table(&self, outcome: &BagOutcome, ends: &BTreeMap<&str, usize>) -> String {
        let all = self.rows.len() <= LISTED;
        let listed = self.rows.iter().filter(|(_, row)| all || !row.succeeded).take(LISTED);
        let mut lines = vec![format!("{:>6}  {:<22} {:>14} {:>12}", "task", "end", "fuel", "bytes")];
        for (index, row) in listed {
            let problem = row.problem.as_ref().map_or_else(String::new, |problem| format!("  {problem}"));
            let line = format!("{index:>6}  {:<22} {:>14} {:>12}{problem}", row.end, row.fuel, row.bytes);
            lines.push(line);
        }
        let counts: Vec<_> = ends.iter().map(|(end, count)| format!("{count} {end}")).collect();
        let (matching, settling) = (outcome.match_gas, outcome.settle_gas);
        let per_task = settling.checked_div(u64::from(outcome.tasks)).unwrap_or(0);
        lines.push(format!(
            "{} tasks of deal {}: {}",
            outcome.tasks,
            outcome.deal.short(),
            counts.join(", ")
        ));
        lines.push(format!(
            "gas {matching} to match, {settling} to settle in {} transactions ({per_task} a task); price {} each; results in {}",
            outcome.settlements,
            money::show(outcome.price),
            self.folder.display()
        ));
        lines.join("\n")
    }
}

fn row(end: &TaskEnd) -> Row {
    let plain = |end: &str, problem: Option<&String>| Row {
        end: end.to_owned(),
        succeeded: false,
        unproven: false,
        fuel: 0,
        bytes: 0,
        problem: problem.cloned(),
    };
    match end {
        TaskEnd::Settled { status, receipt, output } => {
            let opened = output.as_ref().ok().and_then(Option::as_ref);
            Row {
                end: status.to_string(),
                succeeded: *status == Status::SUCCESS && output.is_ok(),
                unproven: output.is_err(),
                fuel: receipt.receipt.fuel,
                bytes: opened.map_or(0, OpenedOutput::bytes),
                problem: output.as_ref().err().map(ToString::to_string),
            }
        }
        TaskEnd::Unproven { problem } => Row { unproven: true, ..plain("unproven", Some(problem)) },
        TaskEnd::Closed => plain("closed", None),
        TaskEnd::Refunded => plain("refunded", None),
        TaskEnd::GivenUp { reason } => plain("given up", Some(reason)),
    }
}

/// Index of a task as names of files begin with it, so that they sort.
fn number(index: u32) -> String {
    format!("{index:05}")
}
