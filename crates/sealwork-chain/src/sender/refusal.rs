//! Why a node does not take a transaction, by the words that the common nodes have for it.

use alloy_transport::TransportError;

/// Why a node does not take a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The account has used this nonce.
    NonceTooLow,
    /// It has this very transaction.
    AlreadyKnown,
    /// It has another one with this nonce, and this one does not offer enough more.
    Underpriced,
    /// The account cannot pay for it.
    InsufficientFunds,
    /// It offers less than the chain, or this node, takes.
    FeeTooLow,
    /// Anything else.
    Other,
}

/// In lower case, the first that fits counts: go-ethereum, reth, anvil, nethermind, besu and erigon.
const WORDS: [(&str, Refusal); 29] = [
    ("nonce too low", Refusal::NonceTooLow),
    ("oldnonce", Refusal::NonceTooLow),
    ("nonce is too low", Refusal::NonceTooLow),
    ("nonce below", Refusal::NonceTooLow),
    ("already known", Refusal::AlreadyKnown),
    ("alreadyknown", Refusal::AlreadyKnown),
    ("known transaction", Refusal::AlreadyKnown),
    ("already imported", Refusal::AlreadyKnown),
    ("already exists", Refusal::AlreadyKnown),
    ("replacement transaction underpriced", Refusal::Underpriced),
    ("replacementnotallowed", Refusal::Underpriced),
    ("insufficient gas price to replace", Refusal::Underpriced),
    ("could not replace existing", Refusal::Underpriced),
    ("replacement underpriced", Refusal::Underpriced),
    ("insufficient funds", Refusal::InsufficientFunds),
    ("insufficientfunds", Refusal::InsufficientFunds),
    ("insufficient balance", Refusal::InsufficientFunds),
    ("exceeds account balance", Refusal::InsufficientFunds),
    ("overdraft", Refusal::InsufficientFunds),
    ("max fee per gas less than block base fee", Refusal::FeeTooLow),
    ("fee cap less than block base fee", Refusal::FeeTooLow),
    ("below current base fee", Refusal::FeeTooLow),
    ("fee cap too low", Refusal::FeeTooLow),
    ("feetoolow", Refusal::FeeTooLow),
    ("gas price too low", Refusal::FeeTooLow),
    ("gas tip cap", Refusal::FeeTooLow),
    ("tip too low", Refusal::FeeTooLow),
    ("underpriced", Refusal::FeeTooLow),
    ("txpool is full", Refusal::FeeTooLow),
];

impl Refusal {
    /// Reads a node's answer; `None` when there is none.
    pub(crate) fn of(error: &TransportError) -> Option<Self> {
        let words = error.as_error_resp()?.message.to_lowercase();
        let found = WORDS.iter().find(|(part, _)| words.contains(part));
        Some(found.map_or(Self::Other, |(_, refusal)| *refusal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_json_rpc::ErrorPayload;

    #[test]
    fn the_words_of_common_nodes_are_told_apart() {
        for (words, refusal) in [
            // go-ethereum
            ("nonce too low: next nonce 5, tx nonce 4", Refusal::NonceTooLow),
            ("already known", Refusal::AlreadyKnown),
            ("replacement transaction underpriced", Refusal::Underpriced),
            (
                "insufficient funds for gas * price + value: balance 1, tx cost 2, overshot 1",
                Refusal::InsufficientFunds,
            ),
            ("max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1", Refusal::FeeTooLow),
            ("transaction underpriced: tip needed 1, tip permitted 0", Refusal::FeeTooLow),
            ("exceeds block gas limit", Refusal::Other),
            // anvil
            ("transaction already imported", Refusal::AlreadyKnown),
            ("Insufficient funds for gas * price + value", Refusal::InsufficientFunds),
            // nethermind
            ("OldNonce, Current nonce: 5, nonce of rejected tx: 4", Refusal::NonceTooLow),
            ("AlreadyKnown", Refusal::AlreadyKnown),
            ("ReplacementNotAllowed", Refusal::Underpriced),
            ("InsufficientFunds, Account balance: 0", Refusal::InsufficientFunds),
            ("FeeTooLow, MaxFeePerGas too low", Refusal::FeeTooLow),
            // besu
            ("Nonce too low", Refusal::NonceTooLow),
            ("Known transaction", Refusal::AlreadyKnown),
            ("Replacement transaction underpriced", Refusal::Underpriced),
            ("Upfront cost exceeds account balance", Refusal::InsufficientFunds),
            ("Gas price below current base fee", Refusal::FeeTooLow),
        ] {
            let payload = ErrorPayload { code: -32_000, message: words.into(), data: None };
            assert_eq!(Refusal::of(&TransportError::ErrorResp(payload)), Some(refusal), "{words}");
        }
    }
}
