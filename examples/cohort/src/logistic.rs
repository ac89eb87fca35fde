//! Logistic regression with an L2 penalty, by Newton's method.
//!
//! With standardized features z and outcome y in {0, 1} it maximizes
//! `sum(y*t - ln(1 + exp(t))) - lambda/2 * sum(b_j^2)`, `t = b_0 + sum(b_j * z_j)`. The intercept `b_0` is free. For
//! `lambda > 0` the maximum exists even when the groups can be separated, and there is only one.

mod linear;

use crate::{Options, describe::Summary, table::Table};
use linear::Matrix;
use std::fmt;

/// Newton doubles the correct digits in every step; who needs more has diverged.
const MAX_STEPS: usize = 100;
/// Largest change of a coefficient in the last step. The error left after it is about its square.
const TOLERANCE: f64 = 1e-9;
/// Halvings of a step after which there is no way up.
const MAX_HALVINGS: i32 = 40;
/// Fewest patients of each group.
const MIN_GROUP: usize = 2;

/// A fitted model.
#[derive(Debug)]
pub(crate) struct Model {
    /// Intercept, then one coefficient for each feature, for one standard deviation of it.
    pub(crate) coefficients: Vec<f64>,
    /// Standard errors: roots of the diagonal of the inverse of the penalized information matrix.
    pub(crate) errors: Vec<f64>,
    /// Log-likelihood without the penalty.
    pub(crate) log_likelihood: f64,
    /// Probability of the positive group for each patient.
    pub(crate) probabilities: Vec<f64>,
    /// Whether each patient is in the positive group.
    pub(crate) positive: Vec<bool>,
}

/// Why there is no model.
#[derive(Debug, PartialEq)]
pub(crate) enum FitError {
    /// A group has too few patients.
    Group { positive: usize, negative: usize },
    /// A feature has the same value for every patient.
    Constant { feature: String },
    /// The information matrix is not positive definite: features depend on each other and lambda is zero.
    Singular,
    /// No convergence: the groups can be separated and lambda is zero.
    Diverged { steps: usize },
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group { positive, negative } => write!(
                f,
                "{positive} patients are in the positive group and {negative} are not; \
                 {MIN_GROUP} of each are needed, see --positive"
            ),
            Self::Constant { feature } => write!(f, "column {feature} is constant; leave it out"),
            Self::Singular => write!(f, "the features depend on each other; raise --lambda"),
            Self::Diverged { steps } => write!(f, "no convergence in {steps} steps; raise --lambda"),
        }
    }
}

impl std::error::Error for FitError {}

/// Fits the model that `options` ask for.
pub(crate) fn fit(table: &Table, options: &Options) -> Result<Model, FitError> {
    let positive: Vec<bool> = table.groups.iter().map(|group| *group == options.positive).collect();
    let count = positive.iter().filter(|is| **is).count();
    let negative = positive.len() - count;
    if count < MIN_GROUP || negative < MIN_GROUP {
        return Err(FitError::Group { positive: count, negative });
    }
    let rows = standardized_rows(table)?;
    let mut coefficients = vec![0.0; table.features.len() + 1];
    for _ in 0..MAX_STEPS {
        let (information, gradient) = derivatives(&rows, &positive, &coefficients, options.lambda);
        let step = information.cholesky().ok_or(FitError::Singular)?.solve(&gradient);
        let largest = step.iter().fold(0.0_f64, |largest, change| largest.max(change.abs()));
        if largest <= TOLERANCE {
            add(&mut coefficients, &step, 1.0);
            return finish(&rows, positive, coefficients, options.lambda);
        }
        let objective = |at: &[f64]| objective(&rows, &positive, at, options.lambda);
        coefficients =
            shortened(&coefficients, &step, objective).ok_or(FitError::Diverged { steps: MAX_STEPS })?;
    }
    Err(FitError::Diverged { steps: MAX_STEPS })
}

/// The first of the whole step, its half, its quarter, ... that does not make the objective smaller (but for rounding).
fn shortened(from: &[f64], step: &[f64], objective: impl Fn(&[f64]) -> f64) -> Option<Vec<f64>> {
    let old = objective(from);
    (0..MAX_HALVINGS).map(|halvings| 0.5_f64.powi(halvings)).find_map(|length| {
        let mut to = from.to_vec();
        add(&mut to, step, length);
        (objective(&to) >= old - 1e-12 * old.abs()).then_some(to)
    })
}

fn add(to: &mut [f64], step: &[f64], length: f64) {
    for (coefficient, change) in to.iter_mut().zip(step) {
        *coefficient += length * change;
    }
}

/// Penalized log-likelihood.
fn objective(rows: &[Vec<f64>], positive: &[bool], coefficients: &[f64], lambda: f64) -> f64 {
    let likelihood: f64 =
        rows.iter().zip(positive).map(|(row, is)| log_probability(dot(row, coefficients), *is)).sum();
    let free = coefficients.get(1..).unwrap_or_default();
    likelihood - lambda / 2.0 * dot(free, free)
}

fn finish(
    rows: &[Vec<f64>],
    positive: Vec<bool>,
    coefficients: Vec<f64>,
    lambda: f64,
) -> Result<Model, FitError> {
    let (information, _) = derivatives(rows, &positive, &coefficients, lambda);
    let factor = information.cholesky().ok_or(FitError::Singular)?;
    let errors = (0..coefficients.len()).map(|at| factor.inverse_diagonal(at).sqrt()).collect();
    let scores: Vec<f64> = rows.iter().map(|row| dot(row, &coefficients)).collect();
    let log_likelihood = scores.iter().zip(&positive).map(|(score, is)| log_probability(*score, *is)).sum();
    let probabilities = scores.into_iter().map(logistic).collect();
    Ok(Model { coefficients, errors, log_likelihood, probabilities, positive })
}

/// One row for each patient: 1, then the features with mean 0 and standard deviation 1.
fn standardized_rows(table: &Table) -> Result<Vec<Vec<f64>>, FitError> {
    let mut rows = vec![vec![1.0]; table.groups.len()];
    for (feature, column) in table.features.iter().zip(&table.columns) {
        let constant = || FitError::Constant { feature: feature.clone() };
        let summary = Summary::of(column.clone()).filter(|it| it.sd > 0.0).ok_or_else(constant)?;
        for (row, value) in rows.iter_mut().zip(column) {
            row.push((value - summary.mean) / summary.sd);
        }
    }
    Ok(rows)
}

/// Penalized information matrix and gradient.
fn derivatives(
    rows: &[Vec<f64>],
    positive: &[bool],
    coefficients: &[f64],
    lambda: f64,
) -> (Matrix, Vec<f64>) {
    let mut information = Matrix::zero(coefficients.len());
    let mut gradient = vec![0.0; coefficients.len()];
    for (row, is) in rows.iter().zip(positive) {
        let probability = logistic(dot(row, coefficients));
        let residual = f64::from(u8::from(*is)) - probability;
        for (sum, value) in gradient.iter_mut().zip(row) {
            *sum += residual * value;
        }
        information.add_square(row, probability * (1.0 - probability));
    }
    for (at, coefficient) in coefficients.iter().enumerate().skip(1) {
        information.add_diagonal(at, lambda);
        if let Some(sum) = gradient.get_mut(at) {
            *sum -= lambda * coefficient;
        }
    }
    (information, gradient)
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(l, r)| l * r).sum()
}

/// `1 / (1 + exp(-t))` without overflow.
fn logistic(score: f64) -> f64 {
    let tail = (-score.abs()).exp();
    if score < 0.0 { tail / (1.0 + tail) } else { 1.0 / (1.0 + tail) }
}

/// Logarithm of the probability of what happened, without cancellation.
fn log_probability(score: f64, is_positive: bool) -> f64 {
    let score = if is_positive { score } else { -score };
    score.min(0.0) - (-score.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        Table::read(text.as_bytes(), "t.csv", "diagnosis").unwrap()
    }

    fn with_lambda(lambda: f64) -> Options {
        Options { lambda, ..Options::default() }
    }

    /// For a feature with two values and no penalty the answer is known: ln(3) and -ln(3) in the two halves.
    #[test]
    fn finds_the_log_odds_of_a_two_by_two_table() {
        let text = "diagnosis,x\nM,1\nM,1\nM,1\nB,1\nM,0\nB,0\nB,0\nB,0\n";
        let model = fit(&table(text), &with_lambda(0.0)).unwrap();
        let sd = (8.0_f64 * 0.25 / 7.0).sqrt();
        assert!(model.coefficients[0].abs() < 1e-12);
        assert!((model.coefficients[1] - 2.0 * 3.0_f64.ln() * sd).abs() < 1e-12);
        let variance = (1.0 / 3.0 + 1.0) * 2.0 * sd * sd;
        assert!((model.errors[1] - variance.sqrt()).abs() < 1e-12);
        assert!((model.probabilities[0] - 0.75).abs() < 1e-12);
    }

    #[test]
    fn a_penalty_tames_separated_groups() {
        let text = "diagnosis,x\nM,3\nM,4\nB,1\nB,2\n";
        assert!(fit(&table(text), &with_lambda(0.0)).is_err());
        assert!(fit(&table(text), &with_lambda(1.0)).is_ok());
    }

    #[test]
    fn refuses_tables_without_an_answer() {
        let fails = |text: &str, lambda| fit(&table(text), &with_lambda(lambda)).unwrap_err();
        assert_eq!(fails("diagnosis,x\nM,3\nB,1\nB,2\n", 1.0), FitError::Group { positive: 1, negative: 2 });
        let constant = FitError::Constant { feature: "x".to_owned() };
        assert_eq!(fails("diagnosis,x\nM,1\nM,1\nB,1\nB,1\n", 1.0), constant);
        let twice = "diagnosis,x,y\nM,1,1\nM,1,1\nB,1,1\nM,0,0\nB,0,0\nB,0,0\n";
        assert_eq!(fails(twice, 0.0), FitError::Singular);
    }

    #[test]
    fn stays_exact_far_out() {
        assert_eq!(logistic(-1000.0), 0.0);
        assert_eq!(logistic(1000.0), 1.0);
        assert_eq!(log_probability(-1000.0, true), -1000.0);
        assert_eq!(log_probability(0.0, false), -std::f64::consts::LN_2);
    }
}
