//! Tasks in flight while things go wrong.

use crate::{stack::Stack, support::process::Daemon};
use std::time::Duration;

/// Tasks of the bag.
const BAG: u32 = 12;
/// Between the beginnings of two commands of one wallet.
const APART: Duration = Duration::from_millis(120);

/// Commands that wait for their tasks.
pub(crate) struct Work {
    pub(crate) commands: Vec<(&'static str, Daemon)>,
}

/// A bag, a single task, one in one transaction, and a channel.
pub(crate) fn begin(stack: &Stack) -> Work {
    let home = &stack.requester;
    let stdin = home.write("private/input", [&stack.canary.raw[..], stack.canary_hex.as_bytes()].concat());
    let input = ["--stdin".to_owned(), stdin.to_str().unwrap().to_owned(), "--timeout".into(), "40".into()];
    let run = |more: &[&str]| {
        let mut arguments = vec!["run".to_owned(), "copy".into()];
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        arguments.extend(input.clone());
        let command = home.start(arguments);
        std::thread::sleep(APART);
        command
    };
    let volume = BAG.to_string();
    let commands = vec![
        ("bag", run(&["--volume", &volume, "--out", "private/bag"])),
        ("single", run(&["--receipt", "private/single.json"])),
        ("one transaction", run(&["--one-transaction", "--receipt", "private/direct.json"])),
        ("channel", home.start(["channel", "open", "copy", "--tasks", "2"])),
    ];
    Work { commands }
}

/// Waits until the commands end by themselves; how many did what they were asked for.
pub(crate) fn wait(work: Work) -> usize {
    let ended = work.commands.into_iter().map(|(name, command)| {
        let log = command.log();
        assert!(!log.contains("panicked at"), "{name}: {log}");
        command.exit_code()
    });
    ended.filter(|code| *code == 0).count()
}
