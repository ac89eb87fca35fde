//! Streaming a text through the automaton.

use crate::automaton::{Automaton, State};
use sealwork_guest as guest;
use std::io::{Read, Write};

/// What is kept of a line to print it, bytes. Terms are found behind it too.
const MAX_SHOWN_BYTES: usize = 4096;

/// What was found.
#[derive(Debug, PartialEq)]
pub(crate) struct Counts {
    /// Lines read. A last line without an end counts.
    pub(crate) lines: u64,
    /// Lines with at least one term.
    pub(crate) matching_lines: u64,
    /// One entry for each term.
    pub(crate) terms: Vec<TermCount>,
}

/// What was found of one term.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TermCount {
    /// Occurrences, overlapping ones included.
    pub(crate) occurrences: u64,
    /// Lines with at least one of them.
    pub(crate) lines: u64,
    last_line: u64,
}

/// What to print while searching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Lines with a term, with their number.
    Lines,
    /// Nothing.
    Nothing,
}

impl Counts {
    pub(crate) fn new(terms: usize) -> Self {
        Self { lines: 0, matching_lines: 0, terms: vec![TermCount::default(); terms] }
    }
}

/// Searches all of `source`. Each printed line starts with `prefix` and its number in this source.
pub(crate) fn search(
    source: impl Read,
    prefix: &str,
    automaton: &Automaton,
    counts: &mut Counts,
    output: Output,
    out: &mut impl Write,
) -> guest::Result {
    let mut line = Line::new();
    let mut number = 0_u64;
    guest::for_each_chunk(source, |chunk| {
        for &byte in chunk {
            if byte != b'\n' {
                line.push(byte, automaton, counts);
                continue;
            }
            number += 1;
            line.finish(prefix, number, counts, output, out)?;
        }
        Ok(())
    })?;
    if line.length > 0 {
        line.finish(prefix, number + 1, counts, output, out)?;
    }
    Ok(())
}

/// The line being read.
struct Line {
    shown: Vec<u8>,
    length: u64,
    state: State,
    matches: bool,
}

impl Line {
    fn new() -> Self {
        Self {
            shown: Vec::with_capacity(MAX_SHOWN_BYTES),
            length: 0,
            state: Automaton::START,
            matches: false,
        }
    }

    fn push(&mut self, byte: u8, automaton: &Automaton, counts: &mut Counts) {
        self.length += 1;
        if self.shown.len() < MAX_SHOWN_BYTES {
            self.shown.push(byte);
        }
        self.state = automaton.next(self.state, byte);
        for &term in automaton.ends(self.state) {
            self.matches = true;
            let line = counts.lines + 1;
            let Some(count) = counts.terms.get_mut(term as usize) else { continue };
            count.occurrences += 1;
            if count.last_line != line {
                count.last_line = line;
                count.lines += 1;
            }
        }
    }

    fn finish(
        &mut self,
        prefix: &str,
        number: u64,
        counts: &mut Counts,
        output: Output,
        out: &mut impl Write,
    ) -> guest::Result {
        counts.lines += 1;
        if self.matches {
            counts.matching_lines += 1;
            if output == Output::Lines {
                write!(out, "{prefix}{number}:")?;
                out.write_all(self.shown.strip_suffix(b"\r").unwrap_or(&self.shown))?;
                out.write_all(if self.length > self.shown.len() as u64 { b" [...]\n" } else { b"\n" })?;
            }
        }
        self.shown.clear();
        (self.length, self.state, self.matches) = (0, Automaton::START, false);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(terms: &[&str], text: &[u8]) -> (String, Counts) {
        let terms: Vec<String> = terms.iter().map(|&term| term.to_owned()).collect();
        let automaton = Automaton::new(&terms, false).unwrap();
        let mut counts = Counts::new(terms.len());
        let mut out = Vec::new();
        search(text, "", &automaton, &mut counts, Output::Lines, &mut out).unwrap();
        (String::from_utf8(out).unwrap(), counts)
    }

    #[test]
    fn prints_matching_lines_with_numbers() {
        let (text, counts) = run(&["b", "bb"], b"a\nabb\r\n\nb");
        assert_eq!(text, "2:abb\n4:b\n");
        assert_eq!((counts.lines, counts.matching_lines), (4, 2));
        assert_eq!((counts.terms[0].occurrences, counts.terms[0].lines), (3, 2));
        assert_eq!((counts.terms[1].occurrences, counts.terms[1].lines), (1, 1));
    }

    #[test]
    fn finds_nothing_across_lines() {
        assert_eq!(run(&["ab"], b"a\nb\n").1.matching_lines, 0);
    }

    #[test]
    fn counts_no_line_behind_the_last_line_end() {
        assert_eq!(run(&["x"], b"").1.lines, 0);
        assert_eq!(run(&["x"], b"a\n").1.lines, 1);
        assert_eq!(run(&["x"], b"a\n\n").1.lines, 2);
    }

    #[test]
    fn finds_terms_far_into_a_line_and_over_pieces_of_input() {
        let mut text = vec![b'.'; guest::CHUNK_BYTES - 2];
        text.extend(b"needle\nend");
        let (shown, counts) = run(&["needle"], &text);
        assert_eq!(counts.terms[0].occurrences, 1);
        assert_eq!(shown.len(), "1:".len() + MAX_SHOWN_BYTES + " [...]\n".len());
    }
}
