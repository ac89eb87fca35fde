//! What a transaction offers for a unit of gas, and how much more its replacement does.

/// Wei per gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fees {
    pub(crate) most: u128,
    pub(crate) tip: u128,
}

impl Fees {
    /// The least that nodes take as a replacement, an eighth more of both, and at least what is usual now; `None` when
    /// that is above the cap of the whole fee, of which the tip is a part.
    pub(crate) fn replacement(self, usual: Self, cap: u128) -> Option<Self> {
        let more = |wei: u128| wei.saturating_add(wei.div_ceil(8).max(1));
        let tip = more(self.tip).max(usual.tip);
        let least = more(self.most).max(more(self.tip));
        let most = least.max(usual.most).max(tip).min(cap);
        (least <= cap).then_some(Self { most, tip: tip.min(most) })
    }

    pub(crate) fn max(self, other: Self) -> Self {
        Self { most: self.most.max(other.most), tip: self.tip.max(other.tip) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn fees(most: u128, tip: u128) -> Fees {
        Fees { most, tip }
    }

    #[test]
    fn replacements_offer_an_eighth_more_up_to_the_cap() {
        let (first, none) = (fees(800, 80), fees(0, 0));
        let cap = 1_600;
        assert_eq!(first.replacement(none, cap), Some(fees(900, 90)));
        assert_eq!(first.replacement(fees(1_000, 10), cap), Some(fees(1_000, 90)));
        assert_eq!(first.replacement(fees(9_000, 900), cap), Some(fees(1_600, 900)), "not above the cap");
        assert_eq!(fees(1_500, 150).replacement(none, cap), None, "an eighth more is above the cap");
        assert_eq!(fees(0, 0).replacement(none, 10), Some(fees(1, 1)), "something for nothing");
        let (mut offered, mut steps) = (first, 0);
        while let Some(next) = offered.replacement(none, 8_000) {
            assert!(next.most * 8 >= offered.most * 9 && next.tip * 8 >= offered.tip * 9);
            (offered, steps) = (next, steps + 1);
        }
        assert_eq!(steps, 19);
    }
}
