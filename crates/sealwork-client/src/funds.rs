//! Money: deposits by approval or permit, cover for what is about to be bought, withdrawals.

use crate::{
    Client, ClientError, DealRecord,
    plan::{Plan, together},
};
use alloy_sol_types::{SolCall, SolStruct, eip712_domain, sol};
use sealwork_ports::{ErrorKind, PortError, TxOutcome};
use sealwork_types::{
    U256,
    abi::{
        IMarket::{
            depositCall, depositWithPermitCall, drawKittyCall, kittyCall, requestWithdrawalCall, withdrawCall,
        },
        IToken::{DOMAIN_SEPARATORCall, allowanceCall, approveCall, balanceOfCall, nameCall, noncesCall},
    },
    tokens,
};

/// How long a permit for a deposit stays valid, seconds.
const PERMIT_LIFETIME_S: u64 = 3_600;

sol! {
    /// EIP-2612.
    struct Permit {
        address owner;
        address spender;
        uint256 value;
        uint256 nonce;
        uint256 deadline;
    }
}

impl Client {
    /// Token balance of the wallet outside the Market.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn token_balance(&self) -> Result<U256, ClientError> {
        self.view(self.network.contracts.token, &balanceOfCall { owner: self.address() }).await
    }

    /// Moves tokens into the wallet's account in the Market.
    ///
    /// # Errors
    /// When the wallet has too little or the chain cannot be reached.
    pub async fn deposit(&self, amount: U256) -> Result<TxOutcome, ClientError> {
        self.carry_out_last(&self.deposit_plan(amount).await?).await
    }

    /// A deposit: one transaction when the allowance suffices or the token takes permits, else an approval first.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn deposit_plan(&self, amount: U256) -> Result<Plan, ClientError> {
        let market = self.network.contracts.market;
        let (approval, call) = self.deposit_call(amount).await?;
        let what = format!("deposit {} tokens", tokens::show(amount));
        let deposit = Plan::of_encoded(what, market, call);
        Ok(approval.unwrap_or_default().then(deposit).spending("moved into the account", amount))
    }

    /// A call to the Market that needs `price` in the wallet's account: with a deposit of what is missing in the same
    /// transaction.
    ///
    /// # Errors
    /// `Rejected` when money is missing and `deposit` is false, or the wallet does not have it either.
    pub async fn covered(
        &self,
        what: &str,
        price: U256,
        call: Vec<u8>,
        deposit: bool,
    ) -> Result<Plan, ClientError> {
        let market = self.network.contracts.market;
        let missing = self.missing(price, deposit).await?;
        if missing.is_zero() {
            return Ok(Plan::of_encoded(what, market, call));
        }
        let (approval, first) = self.deposit_call(missing).await?;
        let what = format!("deposit {} tokens and {what}", tokens::show(missing));
        let both = Plan::of_encoded(what, market, together(vec![first, call]));
        Ok(approval.unwrap_or_default().then(both).spending("moved into the account", missing))
    }

    /// A deposit of what the account lacks for `price`, in a transaction of its own; nothing when it lacks nothing.
    ///
    /// # Errors
    /// As [`Client::covered`].
    pub(crate) async fn cover_plan(&self, price: U256, deposit: bool) -> Result<Plan, ClientError> {
        let missing = self.missing(price, deposit).await?;
        if missing.is_zero() {
            return Ok(Plan::default());
        }
        self.deposit_plan(missing).await
    }

    /// What the account lacks for `price`.
    async fn missing(&self, price: U256, deposit: bool) -> Result<U256, ClientError> {
        let account = self.account().await?;
        // Money on its way out still covers a deal.
        let cover = U256::from(account.available).saturating_add(U256::from(account.withdrawing));
        let missing = price.saturating_sub(cover);
        if missing.is_zero() {
            return Ok(missing);
        }
        let balance = self.token_balance().await?;
        if !deposit || balance < missing {
            let [held, price, missing, balance] = [cover, price, missing, balance].map(tokens::show);
            let text = format!(
                "the account holds {held} tokens, this costs {price}; `sealwork account deposit {missing}` adds what is \
                 missing (the wallet has {balance})"
            );
            return Err(PortError::new(ErrorKind::Rejected, text).into());
        }
        Ok(missing)
    }

    /// Announces a withdrawal; [`Client::collect_plan`] takes it after the delay.
    pub fn withdrawal_plan(&self, amount: U256) -> Plan {
        let what = format!("announce the withdrawal of {} tokens", tokens::show(amount));
        Plan::of(what, self.network.contracts.market, &requestWithdrawalCall { amount })
    }

    /// Takes an announced withdrawal whose delay has passed.
    pub fn collect_plan(&self) -> Plan {
        Plan::of("take what was withdrawn", self.network.contracts.market, &withdrawCall {})
    }

    /// Draws a share of the kitty for the wallet's merit.
    pub fn kitty_plan(&self) -> Plan {
        Plan::of("draw from the kitty", self.network.contracts.market, &drawKittyCall {})
    }

    /// What pools lost and others can draw, smallest token units.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn kitty(&self) -> Result<U256, ClientError> {
        self.view(self.network.contracts.market, &kittyCall {}).await
    }

    /// What the open tasks that this wallet pays hold, by the events of its deals, smallest token units.
    ///
    /// # Errors
    /// When the chain cannot be read.
    pub async fn locked(&self) -> Result<U256, ClientError> {
        let mine = self.address();
        // What was executed in one transaction never holds anything.
        let deals = self.find_deals(|_| false, |deal| deal.terms.payer == mine).await?.deals;
        let held = |record: &DealRecord| record.deal.price().saturating_mul(U256::from(record.open()));
        Ok(deals.iter().map(held).fold(U256::ZERO, U256::saturating_add))
    }

    /// The call that deposits, and the approval that it needs first, if it does.
    async fn deposit_call(&self, amount: U256) -> Result<(Option<Plan>, Vec<u8>), ClientError> {
        let contracts = self.network.contracts;
        let allowed = allowanceCall { owner: self.address(), spender: contracts.market };
        let plain = depositCall { amount }.abi_encode();
        if self.view(contracts.token, &allowed).await? >= amount {
            return Ok((None, plain));
        }
        if let Some(permitted) = self.permitted_deposit(amount).await? {
            return Ok((None, permitted));
        }
        let approve = approveCall { spender: contracts.market, amount };
        let what = format!("approve {} tokens", tokens::show(amount));
        Ok((Some(Plan::of(what, contracts.token, &approve)), plain))
    }

    /// A deposit by permit (EIP-2612), when the token takes permits under the domain that wallets expect of it. Any
    /// other domain is not signed for: the token could name somebody else's.
    async fn permitted_deposit(&self, amount: U256) -> Result<Option<Vec<u8>>, ClientError> {
        let (token, market) = (self.network.contracts.token, self.network.contracts.market);
        let nonce = self.view(token, &noncesCall { owner: self.address() }).await;
        let separator = self.view(token, &DOMAIN_SEPARATORCall {}).await;
        let (Ok(nonce), Ok(separator), Ok(name)) = (nonce, separator, self.view(token, &nameCall {}).await)
        else {
            return Ok(None);
        };
        let domain = eip712_domain! {
            name: name,
            version: "1",
            chain_id: self.network.anchors.domain.chain_id,
            verifying_contract: token,
        };
        if domain.hash_struct() != separator {
            return Ok(None);
        }
        let deadline = U256::from(self.now().await?.saturating_add(PERMIT_LIFETIME_S));
        let permit = Permit { owner: self.address(), spender: market, value: amount, nonce, deadline };
        let [signature @ .., v] = self.key.sign_hash(permit.eip712_signing_hash(&domain));
        let (r, s) = split(&signature);
        Ok(Some(depositWithPermitCall { amount, deadline, v, r, s }.abi_encode()))
    }
}

fn split(signature: &[u8; 64]) -> (sealwork_types::B256, sealwork_types::B256) {
    let (r, s) = signature.split_at(32);
    (sealwork_types::B256::from_slice(r), sealwork_types::B256::from_slice(s))
}
