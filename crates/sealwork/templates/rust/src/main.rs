//! Counts the lines, words and bytes of standard input, or of the files in `/in` when there are any.

#[allow(dead_code, reason = "a program rarely needs all of it")]
mod sealwork;

use std::{io::Read, process::ExitCode};

fn main() -> ExitCode {
    sealwork::run(|| {
        let files = sealwork::input_files()?;
        if files.is_empty() {
            println!("{}", Counts::of(sealwork::stdin())?.line("standard input"));
        }
        let mut total = Counts::default();
        for name in &files {
            let counts = Counts::of(sealwork::open_input(name)?)?;
            println!("{}", counts.line(name));
            total.add(&counts);
        }
        if files.len() > 1 {
            println!("{}", total.line("total"));
        }
        Ok(())
    })
}

/// What a text consists of.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    lines: u64,
    words: u64,
    bytes: u64,
}

impl Counts {
    /// Counts everything that `source` holds, in constant memory.
    fn of(source: impl Read) -> sealwork::Result<Self> {
        let mut counts = Self::default();
        let mut in_word = false;
        counts.bytes = sealwork::for_each_chunk(source, |chunk| {
            for byte in chunk {
                counts.lines += u64::from(*byte == b'\n');
                let is_space = byte.is_ascii_whitespace();
                counts.words += u64::from(in_word && is_space);
                in_word = !is_space;
            }
            Ok(())
        })?;
        counts.words += u64::from(in_word);
        Ok(counts)
    }

    fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.words += other.words;
        self.bytes += other.bytes;
    }

    fn line(&self, name: &str) -> String {
        format!("{:>10} {:>10} {:>12} {name}", self.lines, self.words, self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn counts_lines_words_and_bytes() {
        let counts = Counts::of("two words\n  and more".as_bytes()).unwrap();
        assert_eq!(counts, Counts { lines: 1, words: 4, bytes: 20 });
    }

    #[test]
    fn counts_nothing_in_nothing() {
        assert_eq!(Counts::of([].as_slice()).unwrap(), Counts::default());
    }
}
