//! Descriptive statistics of one column.

/// A column of at least two values in nine numbers or less.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    /// Number of values.
    pub(crate) count: usize,
    /// Arithmetic mean.
    pub(crate) mean: f64,
    /// Standard deviation of a sample (divided by count - 1).
    pub(crate) sd: f64,
    /// Minimum, quartiles and maximum, quartiles interpolated linearly (type 7 of Hyndman and Fan).
    pub(crate) quartiles: [f64; 5],
}

impl Summary {
    /// Summary of finite values, or `None` for fewer than two.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        let count = values.len();
        if count < 2 {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let sd = (squares / (count - 1) as f64).sqrt();
        Some(Self { count, mean, sd, quartiles: [0, 1, 2, 3, 4].map(|quarter| quantile(&values, quarter)) })
    }
}

/// The value `quarter` quarters of the way through sorted values.
fn quantile(sorted: &[f64], quarter: usize) -> f64 {
    let steps = (sorted.len() - 1) * quarter;
    let at = |index: usize| sorted.get(index).or(sorted.last()).copied().unwrap_or(f64::NAN);
    let (low, high) = (at(steps / 4), at(steps / 4 + 1));
    low + (high - low) * ((steps % 4) as f64 / 4.0)
}

#[cfg(test)]
mod tests {
    use super::Summary;

    #[test]
    fn describes_a_small_sample() {
        let summary = Summary::of(vec![4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(summary.count, 4);
        assert_eq!(summary.mean, 2.5);
        assert_eq!(summary.sd, (5.0_f64 / 3.0).sqrt());
        assert_eq!(summary.quartiles, [1.0, 1.75, 2.5, 3.25, 4.0]);
    }

    #[test]
    fn takes_quartiles_from_the_sample_when_they_lie_in_it() {
        let summary = Summary::of((1..=9).map(f64::from).collect()).unwrap();
        assert_eq!(summary.quartiles, [1.0, 3.0, 5.0, 7.0, 9.0]);
    }

    #[test]
    fn has_nothing_to_say_about_one_value() {
        assert_eq!(Summary::of(vec![1.0]), None);
    }
}
