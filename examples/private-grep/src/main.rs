//! Searches a text for terms that only the requester knows: terms and text arrive sealed, and so does the answer.
//!
//! Usage: `private-grep [-i] [-c] TERM...`, with the text on standard input, or as files in `/in`. Prints every line with
//! a term, and how often each term occurs. `-i` ignores the case of ASCII letters, `-c` prints the counts only. The
//! text is streamed once, whatever the number of terms, in constant memory.

mod automaton;
mod search;

use automaton::Automaton;
use sealwork_guest as guest;
use search::{Counts, Output, search};
use std::{
    io::{self, BufWriter, Write},
    process::ExitCode,
};

/// What the requester asked for.
#[derive(Debug, PartialEq)]
struct Options {
    terms: Vec<String>,
    ignore_case: bool,
    counts_only: bool,
}

fn main() -> ExitCode {
    guest::run(|| {
        let options = parse_options(guest::args())?;
        let automaton = Automaton::new(&options.terms, options.ignore_case)?;
        let mut counts = Counts::new(options.terms.len());
        let mut out = BufWriter::new(io::stdout().lock());
        let files = guest::input_files()?;
        let lines = if options.counts_only { Output::Nothing } else { Output::Lines };
        if files.is_empty() {
            search(guest::stdin(), "", &automaton, &mut counts, lines, &mut out)?;
        }
        for name in &files {
            let prefix = format!("{name}:");
            search(guest::open_input(name)?, &prefix, &automaton, &mut counts, lines, &mut out)?;
        }
        if !options.counts_only {
            writeln!(out)?;
        }
        report(&options.terms, &counts, &mut out)?;
        out.flush()?;
        Ok(())
    })
}

fn parse_options(arguments: Vec<String>) -> guest::Result<Options> {
    let mut options = Options { terms: Vec::new(), ignore_case: false, counts_only: false };
    let mut only_terms = false;
    for argument in arguments {
        match argument.as_str() {
            "--" if !only_terms => only_terms = true,
            "-i" if !only_terms => options.ignore_case = true,
            "-c" if !only_terms => options.counts_only = true,
            flag if flag.starts_with('-') && !only_terms => {
                return Err(format!(
                    "unknown option {flag:?}; known: -i, -c; put -- before terms with a dash"
                )
                .into());
            }
            _ => options.terms.push(argument),
        }
    }
    Ok(options)
}

fn report(terms: &[String], counts: &Counts, out: &mut impl Write) -> guest::Result {
    let width = terms.iter().map(|term| term.chars().count()).max().unwrap_or(0).max("term".len());
    writeln!(out, "{:width$} {:>11} {:>11}", "term", "occurrences", "lines")?;
    for (term, count) in terms.iter().zip(&counts.terms) {
        writeln!(out, "{term:width$} {:>11} {:>11}", count.occurrences, count.lines)?;
    }
    writeln!(out, "{} of {} lines match", counts.matching_lines, counts.lines)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> guest::Result<Options> {
        parse_options(line.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn reads_options_and_terms() {
        let expected = Options { terms: vec!["a".into(), "b".into()], ignore_case: true, counts_only: false };
        assert_eq!(parse("a -i b").unwrap(), expected);
        assert_eq!(parse("-- -i").unwrap().terms, ["-i"]);
        assert!(parse("--regex a").is_err());
    }
}
