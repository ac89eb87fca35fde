//! What to do about an error of a contract.

/// How contract errors are introduced in messages.
const INTRODUCTION: &str = "the contract refused: ";

/// Names of contract errors and what to do about each.
const HINTS: &[(&str, &str)] = &[
    ("AlreadyPosted", "nothing to do: the order stands in the Book; `sealwork book --mine` lists yours"),
    ("AlreadyRegistered", "nothing to do: the same owner registered the same before"),
    (
        "AppMismatch",
        "take an app order of the app that the request names; `sealwork book --app APP` lists them",
    ),
    (
        "BadSignature",
        "sign with the wallet of the owner (--wallet NAME), or let the owner approve the order on chain",
    ),
    ("BadVoucher", "only the payer's own voucher counts; ask for a new one (`sealwork channel pay`)"),
    ("CategoryMismatch", "take a pool order with the request's category"),
    ("DatasetMismatch", "give one dataset order for each dataset that the request names"),
    ("DeadlineNotReached", "wait until the deadline that `sealwork deal show DEAL` prints"),
    ("DealUnknown", "the deal is finished or was never made; `sealwork deal show DEAL` tells how it ended"),
    (
        "InsufficientFunds",
        "`sealwork account deposit AMOUNT` adds to the account; `sealwork account show` tells what is there",
    ),
    (
        "ModeNotOffered",
        "take a pool order that offers the request's mode; `sealwork book --kind pool` lists the modes",
    ),
    ("NameTaken", "choose another name"),
    (
        "NotClaimable",
        "commit first (`sealwork app name commit NAME`), wait a minute, and claim within a day with the same wallet",
    ),
    (
        "NotClosable",
        "its payer asks first with `sealwork channel close`; after the dispute window the same command closes it",
    ),
    ("NotOwner", "use the owner's wallet (--wallet NAME)"),
    ("NotParty", "only payer and pool may do this; use their wallet (--wallet NAME)"),
    ("NotPosted", "`sealwork book --mine --all` lists what this wallet posted"),
    ("NotRegistered", "is the id right, and --network the network that it is registered on?"),
    ("NothingAnnounced", "`sealwork inspect app APP` shows what is announced"),
    ("NothingNew", "everything up to there is paid already; a voucher has to cover more tasks than the last"),
    (
        "NothingToDraw",
        "merit comes from tasks with a stake that end without a fault; `sealwork kitty show` tells both",
    ),
    ("NothingToWithdraw", "announce first: `sealwork account withdraw AMOUNT`"),
    ("OrderConsumed", "sign a new order; `sealwork order show ORDER` tells what became of this one"),
    ("OrderExpired", "sign a new order"),
    ("OrderNonceTooLow", "its signer voided it with all others; sign a new order"),
    (
        "PolicyMismatch",
        "the app was updated: look at it (`sealwork inspect app APP`), then seal and sign again",
    ),
    ("PriceTooHigh", "raise the highest price in the request, or take a cheaper offer"),
    (
        "Restricted",
        "an order does not allow this party; take other orders, or prove membership with --allow-list FILE",
    ),
    (
        "SponsorMismatch",
        "the sponsor sends the match, or approves the request first (`sealwork order approve`)",
    ),
    ("StakeTooLow", "take a pool order with a higher stake, or lower --min-stake"),
    ("TagNotOffered", "take a pool order that offers the features (tags) of app, datasets and request"),
    ("TransferFailed", "does the wallet have the tokens? `sealwork account show` tells"),
    ("TrustTooLow", "take a pool order with more trust, or ask for less"),
    ("WithdrawalNotReady", "wait until the time in `withdrawable_at` of `sealwork account show`"),
];

/// What to do about the contract error that a message names.
pub(crate) fn of(message: &str) -> Option<&'static str> {
    let (_, refusal) = message.split_once(INTRODUCTION)?;
    let name = refusal.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    HINTS.iter().find(|(error, _)| *error == name).map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_found_by_name() {
        let hint = of("the contract refused: OrderExpired { orderHash: 0x00, expiry: 5 }");
        assert_eq!(hint, Some("sign a new order"));
        assert_eq!(of("the contract refused: SomethingElse"), None);
        assert_eq!(of("OrderExpired"), None);
    }

    #[test]
    fn names_are_sorted_and_stand_once() {
        assert!(HINTS.is_sorted_by(|(first, _), (second, _)| first < second));
    }
}
