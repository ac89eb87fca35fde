//! Money and keys: `account`, `kitty`, `wallet`.

use clap::Subcommand;

/// `sealwork account …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Show balances
    Show,
    /// Move tokens into the account in the Market; by permit in one transaction where the token takes permits
    Deposit {
        /// Whole tokens
        amount: String,
    },
    /// Announce a withdrawal from the account
    Withdraw {
        /// Whole tokens
        amount: String,
    },
    /// Take an announced withdrawal whose delay has passed
    Collect,
    /// Get test tokens and gas on a development network
    Faucet {
        /// Whole tokens
        #[arg(default_value = "1000")]
        amount: String,
    },
}

/// `sealwork kitty …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum KittyCommand {
    /// Show what is in it and how much this wallet may draw
    Show,
    /// Draw a share for this wallet's merit
    Draw,
}

/// `sealwork wallet …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum WalletCommand {
    /// Create a wallet, encrypted with a passphrase (Ethereum keystore format)
    New {
        /// Name
        name: String,
    },
    /// List wallets
    List,
    /// Show a wallet's address and output recipient
    Show,
    /// Import a private key; it is asked for, or read from the variable `SEALWORK_PRIVATE_KEY`
    Import {
        /// Name
        name: String,
    },
}
