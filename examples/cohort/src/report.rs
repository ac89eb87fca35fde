//! The answer as text.

use crate::{Options, describe::Summary, logistic::Model, number, table::Table};
use sealwork_guest as guest;
use std::fmt::Write as _;

/// Width of a column of numbers.
const WIDTH: usize = 13;

/// The whole report.
pub(crate) fn text(table: &Table, model: &Model, options: &Options) -> guest::Result<String> {
    let mut out = String::new();
    let rows = model.positive.len();
    let positive = model.positive.iter().filter(|is| **is).count();
    let Options { outcome, positive: value, lambda } = options;
    writeln!(out, "{rows} patients, {} features", table.features.len())?;
    writeln!(out, "{outcome} = {value}: {positive}, other: {}", rows - positive)?;
    let first = table.features.iter().map(|name| name.len()).max().unwrap_or(0).max("(intercept)".len());
    descriptive(&mut out, table, model, options, first)?;
    writeln!(
        out,
        "\nLogistic regression of {outcome} = {value} on standardized features, L2 penalty lambda = {lambda}\n"
    )?;
    coefficients(&mut out, table, model, first)?;
    quality(&mut out, model)?;
    Ok(out)
}

fn descriptive(
    out: &mut String,
    table: &Table,
    model: &Model,
    options: &Options,
    first: usize,
) -> guest::Result {
    let group_width = options.positive.chars().count().max("other".len());
    write!(out, "\nDescriptive statistics\n\n{:first$} {:group_width$} {:>6}", "feature", "group", "n")?;
    line(out, ["mean", "sd", "min", "q1", "median", "q3", "max"].map(str::to_owned))?;
    for (feature, column) in table.features.iter().zip(&table.columns) {
        for (label, wanted) in [(options.positive.as_str(), true), ("other", false)] {
            let values =
                column.iter().zip(&model.positive).filter(|(_, is)| **is == wanted).map(|(value, _)| *value);
            let summary = Summary::of(values.collect()).ok_or("a group has fewer than two patients")?;
            write!(out, "{feature:first$} {label:group_width$} {:>6}", summary.count)?;
            line(out, [summary.mean, summary.sd].into_iter().chain(summary.quartiles).map(number::text))?;
        }
    }
    Ok(())
}

fn coefficients(out: &mut String, table: &Table, model: &Model, first: usize) -> guest::Result {
    write!(out, "{:first$}", "term")?;
    line(out, ["coefficient", "std. error", "z", "odds ratio"].map(str::to_owned))?;
    let terms = std::iter::once("(intercept)").chain(table.features.iter().map(String::as_str));
    for ((term, coefficient), error) in terms.zip(&model.coefficients).zip(&model.errors) {
        write!(out, "{term:first$}")?;
        line(out, [*coefficient, *error, coefficient / error, coefficient.exp()].map(number::text))?;
    }
    Ok(())
}

fn quality(out: &mut String, model: &Model) -> guest::Result {
    let rows = model.positive.len();
    let mut right = 0_usize;
    for (probability, is) in model.probabilities.iter().zip(&model.positive) {
        right += usize::from((*probability >= 0.5) == *is);
    }
    let accuracy = number::text(right as f64 / rows as f64);
    writeln!(out, "\nlog-likelihood {}", number::text(model.log_likelihood))?;
    writeln!(out, "accuracy at probability 0.5: {accuracy} ({right} of {rows})")?;
    writeln!(out, "area under the ROC curve: {}", number::text(area_under_curve(model)))?;
    Ok(())
}

fn line(out: &mut String, cells: impl IntoIterator<Item = String>) -> guest::Result {
    for cell in cells {
        write!(out, " {cell:>WIDTH$}")?;
    }
    writeln!(out)?;
    Ok(())
}

/// Chance that a random positive patient has a higher probability than a random other one, ties counting half: the
/// rank sum of Mann and Whitney.
fn area_under_curve(model: &Model) -> f64 {
    let mut ranked: Vec<(f64, bool)> =
        model.probabilities.iter().copied().zip(model.positive.iter().copied()).collect();
    ranked.sort_by(|left, right| left.0.total_cmp(&right.0));
    let (mut others_below, mut wins, mut positives) = (0.0, 0.0, 0.0);
    for tied in ranked.chunk_by(|left, right| left.0 == right.0) {
        let positive = tied.iter().filter(|(_, is)| *is).count() as f64;
        let other = tied.len() as f64 - positive;
        wins += positive * (others_below + other / 2.0);
        others_below += other;
        positives += positive;
    }
    wins / (positives * others_below)
}

/// The model for a program: one line for each term, with all digits.
pub(crate) fn model_csv(table: &Table, model: &Model) -> String {
    let terms = std::iter::once("(intercept)").chain(table.features.iter().map(String::as_str));
    let mut out = String::from("term,coefficient,standard_error\n");
    for ((term, coefficient), error) in terms.zip(&model.coefficients).zip(&model.errors) {
        out.push_str(&format!("{term},{coefficient:e},{error:e}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(probabilities: &[f64], positive: &[bool]) -> Model {
        Model {
            coefficients: vec![],
            errors: vec![],
            log_likelihood: 0.0,
            probabilities: probabilities.to_vec(),
            positive: positive.to_vec(),
        }
    }

    #[test]
    fn area_counts_pairs_in_order_and_half_of_the_ties() {
        let area = |p: &[f64], is: &[bool]| area_under_curve(&model(p, is));
        assert_eq!(area(&[0.1, 0.2, 0.8, 0.9], &[false, false, true, true]), 1.0);
        assert_eq!(area(&[0.1, 0.2, 0.8, 0.9], &[true, true, false, false]), 0.0);
        assert_eq!(area(&[0.5, 0.5, 0.5, 0.5], &[true, false, true, false]), 0.5);
        assert_eq!(area(&[0.1, 0.3, 0.3, 0.9], &[false, true, false, true]), 0.875);
    }
}
