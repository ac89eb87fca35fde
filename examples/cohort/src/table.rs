//! Strict reading of a table of numbers with one column of groups.

use std::{
    collections::BTreeSet,
    fmt,
    io::{self, BufRead, Read},
};

/// Most columns a table may have.
const MAX_COLUMNS: usize = 512;
/// Longest line, bytes.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// Patients by column.
#[derive(Debug, PartialEq)]
pub(crate) struct Table {
    /// Names of the numeric columns, in the order of the file.
    pub(crate) features: Vec<String>,
    /// One vector for each feature, all as long as `groups`.
    pub(crate) columns: Vec<Vec<f64>>,
    /// The group of each patient.
    pub(crate) groups: Vec<String>,
}

/// Why a table was refused. Rows are counted from 1, the header is row 1.
#[derive(Debug)]
pub(crate) enum TableError {
    /// The bytes could not be read.
    Io { source: io::Error, name: String },
    /// The header is no list of different names with the outcome among them.
    Header { name: String, problem: String },
    /// A row has another number of cells than the header, or is too long or not plain text.
    Row { name: String, row: usize, problem: String },
    /// A cell is no finite number, or an empty group.
    Cell { name: String, row: usize, column: String, cell: String },
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { name, .. } => write!(f, "cannot read {name}"),
            Self::Header { name, problem } => write!(f, "{name}, header: {problem}"),
            Self::Row { name, row, problem } => write!(f, "{name}, row {row}: {problem}"),
            Self::Cell { name, row, column, cell } => {
                write!(
                    f,
                    "{name}, row {row}, column {column}: {cell:?} is not a finite number or a group name"
                )
            }
        }
    }
}

impl std::error::Error for TableError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Header { .. } | Self::Row { .. } | Self::Cell { .. } => None,
        }
    }
}

impl Table {
    /// Reads comma-separated lines without quotes. `name` stands in errors, `outcome` is the column of groups.
    pub(crate) fn read(mut source: impl BufRead, name: &str, outcome: &str) -> Result<Self, TableError> {
        let header = |problem: String| TableError::Header { name: name.to_owned(), problem };
        let line = read_line(&mut source, name, 1)?.ok_or_else(|| header("the file is empty".to_owned()))?;
        let names: Vec<&str> = line.trim_start_matches('\u{feff}').split(',').collect();
        if names.len() > MAX_COLUMNS {
            return Err(header(format!("has {} columns, at most {MAX_COLUMNS} are allowed", names.len())));
        }
        if names.iter().any(|name| name.is_empty())
            || names.iter().collect::<BTreeSet<_>>().len() < names.len()
        {
            return Err(header("every column needs a name of its own".to_owned()));
        }
        let Some(outcome_at) = names.iter().position(|name| *name == outcome) else {
            return Err(header(format!("has no column {outcome:?}; name it by --outcome")));
        };
        let mut features: Vec<String> = names.into_iter().map(str::to_owned).collect();
        features.remove(outcome_at);
        let columns = vec![Vec::new(); features.len()];
        let mut table = Self { features, columns, groups: Vec::new() };
        let mut row = 2;
        while let Some(line) = read_line(&mut source, name, row)? {
            table.push(&line, outcome_at, name, row)?;
            row += 1;
        }
        Ok(table)
    }

    /// The rows of `next` below the own ones.
    pub(crate) fn append(mut self, next: Self, name: &str) -> Result<Self, TableError> {
        if self.features != next.features {
            let problem = "has other columns than the file before it".to_owned();
            return Err(TableError::Header { name: name.to_owned(), problem });
        }
        for (column, more) in self.columns.iter_mut().zip(next.columns) {
            column.extend(more);
        }
        self.groups.extend(next.groups);
        Ok(self)
    }

    fn push(&mut self, line: &str, outcome_at: usize, name: &str, row: usize) -> Result<(), TableError> {
        let cells: Vec<&str> = line.split(',').collect();
        let expected = self.features.len() + 1;
        if cells.len() != expected {
            let problem = format!("has {} cells, the header has {expected}", cells.len());
            return Err(TableError::Row { name: name.to_owned(), row, problem });
        }
        let mut columns = self.columns.iter_mut().zip(&self.features);
        for (at, cell) in cells.into_iter().enumerate() {
            let bad = |column: &str| TableError::Cell {
                name: name.to_owned(),
                row,
                column: column.to_owned(),
                cell: cell.to_owned(),
            };
            if at == outcome_at {
                if cell.is_empty() {
                    return Err(bad("of the outcome"));
                }
                self.groups.push(cell.to_owned());
            } else if let Some((column, feature)) = columns.next() {
                match cell.parse::<f64>() {
                    Ok(value) if value.is_finite() => column.push(value),
                    _ => return Err(bad(feature)),
                }
            }
        }
        Ok(())
    }
}

/// The next line without its end, or `None` at the end of the file.
fn read_line(source: &mut impl BufRead, name: &str, row: usize) -> Result<Option<String>, TableError> {
    let mut bytes = Vec::new();
    let failed = |source| TableError::Io { source, name: name.to_owned() };
    let problem = |text: &str| TableError::Row { name: name.to_owned(), row, problem: text.to_owned() };
    if source.take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut bytes).map_err(failed)? == 0 {
        return Ok(None);
    }
    if bytes.len() as u64 > MAX_LINE_BYTES {
        return Err(problem("is longer than 64 KiB"));
    }
    let line = String::from_utf8(bytes).map_err(|_| problem("is not UTF-8"))?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains('"') {
        return Err(problem("has a quote; quoted cells are not supported"));
    }
    Ok(Some(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Table, TableError> {
        Table::read(text.as_bytes(), "t.csv", "d")
    }

    #[test]
    fn reads_numbers_by_column() {
        let table = read("a,d,b\n1,M,2.5\r\n-3e1,B,0\n").unwrap();
        assert_eq!(table.features, ["a", "b"]);
        assert_eq!(table.columns, [[1.0, -30.0], [2.5, 0.0]]);
        assert_eq!(table.groups, ["M", "B"]);
    }

    #[test]
    fn appends_files_with_the_same_columns() {
        let table = read("a,d\n1,M\n").unwrap().append(read("a,d\n2,B\n").unwrap(), "u.csv").unwrap();
        assert_eq!(table, read("a,d\n1,M\n2,B\n").unwrap());
        assert!(table.append(read("b,d\n2,B\n").unwrap(), "u.csv").is_err());
    }

    #[test]
    fn says_where_a_table_is_wrong() {
        for (text, expected) in [
            ("", "t.csv, header: the file is empty"),
            ("a,b\n", "t.csv, header: has no column \"d\"; name it by --outcome"),
            ("a,a,d\n", "t.csv, header: every column needs a name of its own"),
            ("a,d\n1,M\n1\n", "t.csv, row 3: has 1 cells, the header has 2"),
            ("a,d\n1,M\n\n", "t.csv, row 3: has 1 cells, the header has 2"),
            ("a,d\n\"1\",M\n", "t.csv, row 2: has a quote; quoted cells are not supported"),
            ("a,d\nx,M\n", "t.csv, row 2, column a: \"x\" is not a finite number or a group name"),
            ("a,d\nNaN,M\n", "t.csv, row 2, column a: \"NaN\" is not a finite number or a group name"),
            ("a,d\n,M\n", "t.csv, row 2, column a: \"\" is not a finite number or a group name"),
            ("a,d\n1,\n", "t.csv, row 2, column of the outcome: \"\" is not a finite number or a group name"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn bounds_lines_and_columns() {
        assert!(read(&"x".repeat(1 << 20)).unwrap_err().to_string().contains("longer than 64 KiB"));
        let many: String = (0..600).map(|i| format!("c{i},")).collect();
        assert!(read(&format!("{many}d\n")).unwrap_err().to_string().contains("at most 512"));
    }
}
