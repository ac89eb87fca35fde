//! One line of a benchmark: our figure, the peer's, and the bar.

use super::program::Samples;
use serde_json::{Value, json};
use std::fmt::Write;

/// What a figure must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bar {
    /// The value must not be above this.
    AtMost(f64),
    /// The value must not be below this.
    AtLeast(f64),
    /// Value divided by the peer's must not be below this.
    RatioAtLeast(f64),
    /// Value divided by the peer's must not be above this.
    RatioAtMost(f64),
    /// Value divided by the peer's must not be further from one than this.
    RatioWithin(f64),
}

/// A measured figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    name: String,
    unit: String,
    samples: Vec<f64>,
    value: f64,
    peer: Option<(String, f64)>,
    ratio: Option<f64>,
    bar: Option<Bar>,
}

impl Figure {
    /// The median of what a program measured.
    pub(crate) fn median(samples: &Samples) -> Self {
        Self::at(samples, 50.0)
    }

    /// A percentile of what a program measured.
    pub(crate) fn at(samples: &Samples, percent: f64) -> Self {
        Self {
            name: samples.name.clone(),
            unit: samples.unit.clone(),
            samples: samples.values.clone(),
            value: samples.percentile(percent),
            peer: None,
            ratio: None,
            bar: None,
        }
    }

    /// A value that is what it is, without repetition.
    pub(crate) fn exact(name: &str, unit: &str, value: f64) -> Self {
        Self::median(&Samples { name: name.to_owned(), unit: unit.to_owned(), values: vec![value] })
    }

    pub(crate) fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Sets it beside a peer measured in turn with it: the ratio is the median of the ratios of the rounds.
    pub(crate) fn beside(mut self, peer: &Samples) -> Self {
        let rounds = self.samples.iter().zip(&peer.values).map(|(ours, theirs)| ours / theirs).collect();
        self.ratio = Some(percentile(rounds, 50.0));
        self.peer = Some((peer.name.clone(), peer.percentile(50.0)));
        self
    }

    /// Sets it beside a figure known from elsewhere.
    pub(crate) fn beside_known(mut self, peer: &str, value: f64) -> Self {
        self.ratio = Some(self.value / value);
        self.peer = Some((peer.to_owned(), value));
        self
    }

    pub(crate) const fn bar(mut self, bar: Bar) -> Self {
        self.bar = Some(bar);
        self
    }

    /// Whether the bar is reached; true when there is none.
    pub(crate) fn is_met(&self) -> bool {
        match (self.bar, self.ratio) {
            (None, _) => true,
            (Some(Bar::AtMost(limit)), _) => self.value <= limit,
            (Some(Bar::AtLeast(limit)), _) => self.value >= limit,
            (Some(Bar::RatioAtLeast(limit)), Some(ratio)) => ratio >= limit,
            (Some(Bar::RatioAtMost(limit)), Some(ratio)) => ratio <= limit,
            (Some(Bar::RatioWithin(limit)), Some(ratio)) => (ratio - 1.0).abs() <= limit,
            (Some(Bar::RatioAtLeast(_) | Bar::RatioAtMost(_) | Bar::RatioWithin(_)), None) => false,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "name": self.name, "value": rounded(self.value), "unit": self.unit,
            "low": rounded(self.low()), "high": rounded(self.high()), "samples": self.samples.len(),
            "peer": self.peer.as_ref().map(|(name, _)| name),
            "peer_value": self.peer.as_ref().map(|(_, value)| rounded(*value)),
            "ratio": self.ratio.map(rounded), "bar": self.bar.map(|bar| bar_text(bar, "")), "ok": self.is_met(),
        })
    }

    fn low(&self) -> f64 {
        self.samples.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn high(&self) -> f64 {
        self.samples.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    fn cells(&self) -> [String; 6] {
        let spread = match self.samples.len() {
            0 | 1 => String::new(),
            count => format!("{} to {} of {count}", shown(self.low()), shown(self.high())),
        };
        let peer =
            self.peer.as_ref().map_or_else(String::new, |(name, value)| format!("{} {name}", shown(*value)));
        let verdict = if self.is_met() { "ok" } else { "MISSED" };
        [
            self.name.clone(),
            format!("{} {}", shown(self.value), self.unit),
            spread,
            peer,
            self.ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}")),
            self.bar.map_or_else(String::new, |bar| format!("{} {verdict}", bar_text(bar, &self.unit))),
        ]
    }
}

/// The figures of an area as a table for people.
pub(crate) fn table(area: &str, figures: &[Figure]) -> String {
    let head = ["figure", "ours", "spread", "peer or limit", "ratio", "bar"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(figures.iter().map(Figure::cells)).collect();
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = format!("\n{area}\n");
    for row in rows {
        let line = row.iter().zip(widths).fold(String::new(), |mut line, (cell, width)| {
            let _ = write!(line, "  {cell:<width$}");
            line
        });
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The value below which `percent` of the samples lie, by nearest rank; not a number when there are none.
pub(crate) fn percentile(mut values: Vec<f64>, percent: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let share = (percent / 100.0).clamp(0.0, 1.0);
    let (mut index, mut passed) = (0_usize, 1.0_f64);
    let wanted = share * values.len() as f64;
    while passed < wanted {
        index += 1;
        passed += 1.0;
    }
    values.get(index).copied().unwrap_or(f64::NAN)
}

fn bar_text(bar: Bar, unit: &str) -> String {
    match bar {
        Bar::AtMost(limit) => format!("at most {} {unit}", shown(limit)).trim_end().to_owned(),
        Bar::AtLeast(limit) => format!("at least {} {unit}", shown(limit)).trim_end().to_owned(),
        Bar::RatioAtLeast(limit) => format!("ratio at least {limit}"),
        Bar::RatioAtMost(limit) => format!("ratio at most {limit}"),
        Bar::RatioWithin(limit) => format!("ratio 1 within {limit}"),
    }
}

/// Four digits that matter.
fn rounded(value: f64) -> f64 {
    shown(value).replace('_', "").parse().unwrap_or(value)
}

fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Samples {
        Samples { name: "figure".into(), unit: "ms".into(), values: values.to_vec() }
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        let values: Vec<f64> = (1..=20).map(f64::from).collect();
        let at = |percent| percentile(values.clone(), percent);
        assert_eq!((at(0.0), at(50.0), at(95.0), at(99.0), at(100.0)), (1.0, 10.0, 19.0, 20.0, 20.0));
        assert!(percentile(Vec::new(), 50.0).is_nan());
    }

    #[test]
    fn bars_judge_the_value_or_the_ratio() {
        let figure = Figure::median(&samples(&[1.0, 3.0, 2.0]));
        assert!(figure.is_met() && figure.value == 2.0);
        assert!(figure.clone().bar(Bar::AtMost(2.0)).is_met());
        assert!(!figure.clone().bar(Bar::AtMost(1.9)).is_met());
        assert!(!figure.clone().bar(Bar::RatioAtLeast(0.1)).is_met(), "without a peer there is no ratio");
        let beside = figure.beside(&samples(&[2.0, 6.0, 4.0]));
        assert!(beside.clone().bar(Bar::RatioAtLeast(0.5)).is_met());
        assert!(!beside.clone().bar(Bar::RatioAtLeast(0.51)).is_met());
        assert!(beside.clone().bar(Bar::RatioAtMost(0.5)).is_met());
        assert!(!beside.clone().bar(Bar::RatioAtMost(0.49)).is_met());
        assert!(!beside.bar(Bar::RatioWithin(0.4)).is_met());
    }

    #[test]
    fn a_figure_that_is_not_a_number_misses_its_bar() {
        assert!(!Figure::median(&samples(&[])).bar(Bar::AtMost(1.0)).is_met());
    }

    #[test]
    fn json_names_what_programs_need() {
        let figure = Figure::exact("match", "gas", 150_001.0).bar(Bar::AtMost(150_000.0)).to_json();
        assert_eq!(figure["value"], 150_001.0);
        assert_eq!(figure["ok"], false);
        assert_eq!(figure["bar"], "at most 150000");
        assert!(figure["peer"].is_null());
    }
}
