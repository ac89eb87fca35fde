//! Searching for many terms at once: the automaton of Aho and Corasick as a table over classes of bytes.

use std::{collections::VecDeque, fmt};

/// Most bytes of all terms together. It bounds the table: that many rows of at most 256 cells of 4 bytes.
const MAX_TERM_BYTES: usize = 16 * 1024;

/// Finds all occurrences of all terms, also overlapping ones, reading every byte once.
#[derive(Debug)]
pub(crate) struct Automaton {
    /// Column of the table for each byte. Bytes in no term share column 0.
    classes: [u16; 256],
    /// Columns of the table.
    width: usize,
    /// Next state by state and class.
    table: Vec<u32>,
    /// For each state: the terms that end there.
    ends: Vec<Vec<u32>>,
}

/// State of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State(u32);

/// Why there is nothing to search for.
#[derive(Debug, PartialEq)]
pub(crate) enum TermError {
    /// No terms.
    None,
    /// A term is empty or has a line end, which no line contains.
    Line { term: String },
    /// All terms together are too long.
    TooLong { bytes: usize },
}

impl fmt::Display for TermError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(f, "give at least one term to search for"),
            Self::Line { term } => write!(f, "term {term:?} must be neither empty nor have line ends"),
            Self::TooLong { bytes } => {
                write!(f, "the terms have {bytes} bytes, at most {MAX_TERM_BYTES} are allowed")
            }
        }
    }
}

impl std::error::Error for TermError {}

impl Automaton {
    /// State before any byte.
    pub(crate) const START: State = State(0);

    /// An automaton for `terms`, which may ignore the case of ASCII letters.
    pub(crate) fn new(terms: &[String], ignore_case: bool) -> Result<Self, TermError> {
        check(terms)?;
        let fold = |byte: u8| if ignore_case { byte.to_ascii_lowercase() } else { byte };
        let (classes, width) = classes(terms, fold);
        let mut automaton = Self { classes, width, table: vec![0; width], ends: vec![Vec::new()] };
        for (index, term) in terms.iter().enumerate() {
            automaton.insert(term.bytes(), u32::try_from(index).unwrap_or(u32::MAX));
        }
        automaton.link();
        Ok(automaton)
    }

    /// The state after one more byte.
    pub(crate) fn next(&self, state: State, byte: u8) -> State {
        State(self.table[self.cell(state.0, self.classes[usize::from(byte)])])
    }

    /// Indexes of the terms that end in `state`.
    pub(crate) fn ends(&self, state: State) -> &[u32] {
        &self.ends[state.0 as usize]
    }

    fn cell(&self, state: u32, class: u16) -> usize {
        state as usize * self.width + usize::from(class)
    }

    /// Adds a term to the trie. State 0 is the root; nothing leads back to it, so a cell of 0 is empty.
    fn insert(&mut self, term: impl Iterator<Item = u8>, index: u32) {
        let mut state = 0;
        for byte in term {
            let cell = self.cell(state, self.classes[usize::from(byte)]);
            if self.table[cell] == 0 {
                self.table[cell] = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
                self.table.resize(self.table.len() + self.width, 0);
                self.ends.push(Vec::new());
            }
            state = self.table[cell];
        }
        self.ends[state as usize].push(index);
    }

    /// Fills the empty cells in breadth-first order: where a state has no child, it goes where its longest proper suffix
    /// goes.
    fn link(&mut self) {
        let mut suffixes = vec![0_u32; self.ends.len()];
        let mut queue = VecDeque::from([0_u32]);
        while let Some(state) = queue.pop_front() {
            let suffix = suffixes[state as usize];
            for class in 0..self.width {
                let class = u16::try_from(class).unwrap_or(u16::MAX);
                let cell = self.cell(state, class);
                let over_suffix = if state == 0 { 0 } else { self.table[self.cell(suffix, class)] };
                match self.table[cell] {
                    0 => self.table[cell] = over_suffix,
                    child => {
                        suffixes[child as usize] = over_suffix;
                        let inherited = self.ends[over_suffix as usize].clone();
                        self.ends[child as usize].extend(inherited);
                        queue.push_back(child);
                    }
                }
            }
        }
    }
}

fn check(terms: &[String]) -> Result<(), TermError> {
    if terms.is_empty() {
        return Err(TermError::None);
    }
    if let Some(term) = terms.iter().find(|term| term.is_empty() || term.contains(['\n', '\r'])) {
        return Err(TermError::Line { term: term.clone() });
    }
    let bytes = terms.iter().map(String::len).sum();
    if bytes > MAX_TERM_BYTES { Err(TermError::TooLong { bytes }) } else { Ok(()) }
}

fn classes(terms: &[String], fold: impl Fn(u8) -> u8) -> ([u16; 256], usize) {
    let mut folded = [0_u16; 256];
    let mut width = 1;
    for byte in terms.iter().flat_map(|term| term.bytes()) {
        let class = &mut folded[usize::from(fold(byte))];
        if *class == 0 {
            *class = width;
            width += 1;
        }
    }
    let mut classes = [0; 256];
    for byte in 0..=u8::MAX {
        classes[usize::from(byte)] = folded[usize::from(fold(byte))];
    }
    (classes, usize::from(width))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(terms: &[&str]) -> Vec<String> {
        terms.iter().map(|&term| term.to_owned()).collect()
    }

    /// (end, term) of all occurrences.
    fn found(terms: &[&str], ignore_case: bool, text: &str) -> Vec<(usize, u32)> {
        let automaton = Automaton::new(&owned(terms), ignore_case).unwrap();
        let mut state = Automaton::START;
        let mut found = Vec::new();
        for (at, byte) in text.bytes().enumerate() {
            state = automaton.next(state, byte);
            found.extend(automaton.ends(state).iter().map(|term| (at + 1, *term)));
        }
        found.sort_unstable();
        found
    }

    /// The same by trying every term everywhere.
    fn naive(terms: &[&str], text: &str) -> Vec<(usize, u32)> {
        let mut found = Vec::new();
        for (index, term) in terms.iter().enumerate() {
            for start in 0..text.len() {
                if text.as_bytes()[start..].starts_with(term.as_bytes()) {
                    found.push((start + term.len(), index as u32));
                }
            }
        }
        found.sort_unstable();
        found
    }

    #[test]
    fn finds_terms_inside_terms() {
        assert_eq!(found(&["he", "she", "his", "hers"], false, "ushers"), [(4, 0), (4, 1), (6, 3)]);
    }

    #[test]
    fn finds_the_same_term_given_twice() {
        assert_eq!(found(&["a", "a"], false, "a"), [(1, 0), (1, 1)]);
    }

    #[test]
    fn ignores_case_only_when_asked() {
        assert_eq!(found(&["Eden"], true, "EDEN eden"), [(4, 0), (9, 0)]);
        assert_eq!(found(&["Eden"], false, "EDEN eden"), []);
    }

    #[test]
    fn agrees_with_trying_everything() {
        let terms = ["a", "ab", "bab", "bc", "bca", "caa", "aab", "abab", "cc"];
        let mut seed = 7_u32;
        let mut random = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + (seed >> 24) as u8 % 3)
        };
        let text: String = (0..5000).map(|_| random()).collect();
        assert_eq!(found(&terms, false, &text), naive(&terms, &text));
    }

    #[test]
    fn handles_terms_with_all_bytes_above_ascii() {
        assert_eq!(found(&["é", "中"], true, "café 中"), [(5, 0), (9, 1)]);
    }

    #[test]
    fn refuses_terms_that_cannot_be_searched() {
        let error = |terms: &[&str]| Automaton::new(&owned(terms), false).unwrap_err();
        assert_eq!(error(&[]), TermError::None);
        assert_eq!(error(&[""]), TermError::Line { term: String::new() });
        assert_eq!(error(&["a\nb"]), TermError::Line { term: "a\nb".to_owned() });
        assert_eq!(error(&[&"x".repeat(20_000)]), TermError::TooLong { bytes: 20_000 });
    }
}
