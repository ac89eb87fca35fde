//! What is about to be sent, and what it will cost: built, estimated and carried out in separate steps.

use crate::{Client, ClientError};
use alloy_sol_types::SolCall;
use sealwork_ports::{ErrorKind, PortError, TxOutcome};
use sealwork_types::{Address, Bytes, U256, abi::IMarket::multicallCall};
use serde::Serialize;

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it does, as a phrase for people: "post the app order".
    pub what: String,
    /// Contract.
    pub to: Address,
    /// ABI-encoded call.
    pub call: Vec<u8>,
}

/// An amount that a plan moves or locks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spending {
    /// What for: "locked for 10 tasks".
    #[serde(rename = "for")]
    pub purpose: String,
    /// Smallest token units.
    pub amount: U256,
}

/// Transactions in order, and the money that they move.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Transactions; each is sent when the one before is mined.
    pub steps: Vec<Step>,
    /// Amounts of the token.
    pub spending: Vec<Spending>,
}

/// What a transaction will cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepCost {
    /// What it does.
    pub what: String,
    /// Gas; `None` when it can only be known once the step before is mined.
    pub gas: Option<u64>,
}

/// What a plan will cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Of each transaction.
    pub steps: Vec<StepCost>,
    /// Sum of the known gas.
    pub gas: u64,
    /// Wei for one unit of gas, tip included.
    pub gas_price_wei: U256,
    /// Amounts of the token.
    pub tokens: Vec<Spending>,
}

impl Cost {
    /// Wei for all known gas.
    pub fn wei(&self) -> U256 {
        self.gas_price_wei.saturating_mul(U256::from(self.gas))
    }
}

impl Plan {
    /// A plan of one call.
    pub fn of(what: impl Into<String>, to: Address, call: &impl SolCall) -> Self {
        Self::of_encoded(what, to, call.abi_encode())
    }

    /// A plan of one encoded call.
    pub fn of_encoded(what: impl Into<String>, to: Address, call: Vec<u8>) -> Self {
        Self { steps: vec![Step { what: what.into(), to, call }], spending: Vec::new() }
    }

    /// The same plan with an amount that it moves.
    #[must_use]
    pub fn spending(mut self, purpose: impl Into<String>, amount: U256) -> Self {
        if !amount.is_zero() {
            self.spending.push(Spending { purpose: purpose.into(), amount });
        }
        self
    }

    /// This plan, and behind it another.
    #[must_use]
    pub fn then(mut self, next: Self) -> Self {
        self.steps.extend(next.steps);
        self.spending.extend(next.spending);
        self
    }
}

/// Several calls of the Market as one.
pub(crate) fn together(calls: Vec<Vec<u8>>) -> Vec<u8> {
    let calls = calls.into_iter().map(Bytes::from).collect();
    multicallCall { calls }.abi_encode()
}

impl Client {
    /// What a plan would cost now. The first transaction is tried out; a later one that only works after it has no
    /// figure.
    ///
    /// # Errors
    /// With the decoded contract error when the first transaction would fail, and when the chain cannot be asked.
    pub async fn estimate(&self, plan: &Plan) -> Result<Cost, ClientError> {
        let mut steps = Vec::with_capacity(plan.steps.len());
        for (index, step) in plan.steps.iter().enumerate() {
            let gas = match self.parts.chain.estimate(step.to, step.call.clone()).await {
                Ok(gas) => Some(gas),
                Err(error) if index > 0 && error.kind == ErrorKind::Rejected => None,
                Err(error) => return Err(error.into()),
            };
            steps.push(StepCost { what: step.what.clone(), gas });
        }
        Ok(Cost {
            gas: steps.iter().filter_map(|step| step.gas).fold(0, u64::saturating_add),
            steps,
            gas_price_wei: U256::from(self.parts.book.gas_price().await?),
            tokens: plan.spending.clone(),
        })
    }

    /// Runs the first transaction of a plan as a call that changes nothing and returns its answer.
    ///
    /// # Errors
    /// With the decoded contract error when it would fail.
    pub async fn rehearse(&self, plan: &Plan) -> Result<Bytes, ClientError> {
        match plan.steps.first() {
            Some(step) => Ok(self.parts.chain.call(step.to, step.call.clone()).await?),
            None => Ok(Bytes::new()),
        }
    }

    /// Sends every transaction of a plan, one after the other.
    ///
    /// # Errors
    /// That of the first one that fails; those before it are mined.
    pub async fn carry_out(&self, plan: &Plan) -> Result<Vec<TxOutcome>, ClientError> {
        let mut outcomes = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            outcomes.push(self.parts.chain.send(step.to, step.call.clone()).await?);
        }
        Ok(outcomes)
    }

    /// Like [`Client::carry_out`], with the outcome of the last transaction, which is what the others were for.
    ///
    /// # Errors
    /// That of the first one that fails; `Rejected` for a plan without transactions.
    pub async fn carry_out_last(&self, plan: &Plan) -> Result<TxOutcome, ClientError> {
        let nothing = || PortError::new(ErrorKind::Rejected, "there is nothing to send").into();
        self.carry_out(plan).await?.pop().ok_or_else(nothing)
    }
}
