//! Descriptive statistics and a logistic regression over a patient table nobody but its owner may see.
//!
//! Usage: `cohort [--outcome COLUMN] [--positive VALUE] [--lambda NUMBER]`, with the table as `*.csv` files in `/in` or
//! on standard input. The report goes to standard output, the coefficients also to `/out/model.csv`.

mod describe;
mod logistic;
mod number;
mod report;
mod table;

use sealwork_guest as guest;
use std::process::ExitCode;
use table::Table;

/// What the requester asked for.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    /// Column with the two groups.
    pub(crate) outcome: String,
    /// The group whose probability is modelled.
    pub(crate) positive: String,
    /// Weight of the squared standardized coefficients.
    pub(crate) lambda: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { outcome: "diagnosis".to_owned(), positive: "M".to_owned(), lambda: 1.0 }
    }
}

fn main() -> ExitCode {
    guest::run(|| {
        let options = parse_options(guest::args())?;
        let table = read_table(&options.outcome)?;
        let model = logistic::fit(&table, &options)?;
        print!("{}", report::text(&table, &model, &options)?);
        guest::write_output("model.csv", report::model_csv(&table, &model))?;
        Ok(())
    })
}

fn parse_options(arguments: Vec<String>) -> guest::Result<Options> {
    let mut options = Options::default();
    let mut arguments = arguments.into_iter();
    while let Some(flag) = arguments.next() {
        let Some(value) = arguments.next() else {
            return Err(format!("{flag} needs a value").into());
        };
        match flag.as_str() {
            "--outcome" => options.outcome = value,
            "--positive" => options.positive = value,
            "--lambda" => {
                options.lambda = value.parse().map_err(|_| format!("--lambda {value:?} is no number"))?;
                if !(options.lambda.is_finite() && options.lambda >= 0.0) {
                    return Err(format!("--lambda {value} must be finite and not negative").into());
                }
            }
            _ => {
                return Err(format!("unknown option {flag:?}; known: --outcome, --positive, --lambda").into());
            }
        }
    }
    Ok(options)
}

fn read_table(outcome: &str) -> guest::Result<Table> {
    let mut table: Option<Table> = None;
    for name in guest::input_files()?.into_iter().filter(|name| name.ends_with(".csv")) {
        let next = Table::read(guest::open_input(&name)?, &name, outcome)?;
        table = Some(match table {
            None => next,
            Some(first) => first.append(next, &name)?,
        });
    }
    match table {
        Some(table) => Ok(table),
        None => Ok(Table::read(guest::stdin(), "standard input", outcome)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn has_defaults_for_the_shipped_table() {
        assert_eq!(parse_options(Vec::new()).unwrap(), Options::default());
    }

    #[test]
    fn reads_options() {
        let options = parse_options(words("--outcome died --positive yes --lambda 0.5")).unwrap();
        assert_eq!(options, Options { outcome: "died".into(), positive: "yes".into(), lambda: 0.5 });
    }

    #[test]
    fn rejects_bad_options() {
        for line in ["--lambda", "--lambda x", "--lambda -1", "--lambda inf", "--colour red", "table.csv"] {
            assert!(parse_options(words(line)).is_err(), "{line}");
        }
    }
}
