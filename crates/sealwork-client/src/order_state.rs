//! Whether an order can be matched, and if not, why.

use crate::{
    Client, ClientError, Proposal,
    orders::{other_deployment, rejected},
};
use sealwork_seal::sign;
use sealwork_types::{
    Address, B256, OrderHash,
    abi::{
        IMarket::{isSaltUsedCall, orderStateCall, requestConsumedCall},
        IRegistry::ownerOfKindCall,
    },
    params::MAX_DEAL_VOLUME,
    signed_order::{Order, OrderKind, SignedOrder, UNLIMITED},
};
use serde::Serialize;

/// Whether an order can be matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum OrderState {
    /// It can.
    Valid,
    /// Its time is over.
    Expired,
    /// Its signer canceled it, or a request with its salt was canceled or used up.
    Canceled,
    /// Its signer raised the nonce.
    NonceTooLow {
        /// Lowest nonce that counts.
        current: u64,
    },
    /// Its whole volume is used up.
    Consumed,
    /// Nothing says that the signer agreed: no approval, and the signature is by somebody else.
    Unsigned,
    /// What it is for is not registered.
    Unregistered,
    /// A request for a policy that the app does not have any more.
    OtherPolicy {
        /// The app's present policy.
        current: B256,
    },
}

/// What decides about an order beside its own fields.
struct Facts {
    signer: Address,
    canceled: bool,
    left: Option<u32>,
    is_signed: bool,
}

/// What the chain says about an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderReport {
    /// EIP-712 hash.
    pub hash: OrderHash,
    /// Which of the four.
    pub kind: OrderKind,
    /// Who has to have signed it: the present owner, or the requester.
    pub signer: Address,
    /// Whether it can be matched, and if not, why.
    #[serde(flatten)]
    pub state: OrderState,
    /// Tasks left; `None` for any number.
    pub left: Option<u32>,
    /// Whether it was approved on chain.
    pub approved: bool,
}

impl OrderReport {
    /// Whether it can be matched.
    pub fn is_valid(&self) -> bool {
        self.state == OrderState::Valid
    }
}

impl OrderState {
    /// The state in words, with what to do about it.
    pub fn reason(&self) -> String {
        match self {
            Self::Valid => "valid".into(),
            Self::Expired => "expired; sign a new one".into(),
            Self::Canceled => "canceled, or its salt is used up; sign a new one".into(),
            Self::NonceTooLow { current } => {
                format!(
                    "void because its signer raised the nonce to {current}; sign it again with that nonce"
                )
            }
            Self::Consumed => "used up; sign a new one".into(),
            Self::Unsigned => {
                "not signed by its owner; sign it with the owner's wallet or approve it on chain".into()
            }
            Self::Unregistered => "for something that is not registered on this network".into(),
            Self::OtherPolicy { current } => {
                format!(
                    "for a policy that the app does not have any more, now it is {current}; look at the app and sign again"
                )
            }
        }
    }
}

impl Client {
    /// Whether an order can be matched now.
    ///
    /// # Errors
    /// `Rejected` for an order of another deployment; otherwise only when the chain cannot be asked.
    pub async fn order_report(&self, signed: &SignedOrder) -> Result<OrderReport, ClientError> {
        let (order, kind) = (&signed.order, signed.order.kind());
        if signed.domain != self.network.anchors.domain {
            return Err(other_deployment(kind));
        }
        let hash = signed.hash();
        let Some(signer) = self.order_signer(order).await? else {
            let state = OrderState::Unregistered;
            return Ok(OrderReport {
                hash,
                kind,
                signer: Address::ZERO,
                state,
                left: Some(0),
                approved: false,
            });
        };
        let known = self
            .view(self.network.contracts.market, &orderStateCall { signer, orderHash: hash.get() })
            .await?;
        let used = match order {
            Order::Request(_) => self.request_consumed(hash).await?,
            Order::App(_) | Order::Dataset(_) | Order::Pool(_) => known.consumed,
        };
        let left = (order.volume() != UNLIMITED).then(|| order.volume().saturating_sub(used));
        let is_signed = match signed.signature.is_empty() {
            true => known.approved,
            false => self.is_signed_by(signed, signer).await?,
        };
        let facts = Facts { signer, canceled: known.canceled, left, is_signed };
        let state = self.first_problem(order, &facts).await?;
        Ok(OrderReport { hash, kind, signer, state, left, approved: known.approved })
    }

    /// Whether the Market takes the signature. Short forms and those of contract accounts only the chain can check: the
    /// Book does it as the Market would.
    async fn is_signed_by(&self, signed: &SignedOrder, signer: Address) -> Result<bool, ClientError> {
        if sign::recover_hash(signed.hash().get(), &signed.signature).is_ok_and(|found| found == signer) {
            return Ok(true);
        }
        match self.rehearse(&self.post_plan(signed)).await {
            Err(error) if error.is_rejected() => Ok(!error.to_string().contains("BadSignature")),
            Err(error) => Err(error),
            Ok(_) => Ok(true),
        }
    }

    async fn first_problem(&self, order: &Order, facts: &Facts) -> Result<OrderState, ClientError> {
        let current = self.parts.chain.account(facts.signer).await?.nonce.to::<u64>();
        if order.expiry() < self.now().await? {
            return Ok(OrderState::Expired);
        }
        if order.nonce() < current {
            return Ok(OrderState::NonceTooLow { current });
        }
        if facts.left == Some(0) {
            return Ok(OrderState::Consumed);
        }
        if let Order::Request(request) = order {
            let used = isSaltUsedCall { requester: request.requester, salt: request.salt };
            if self.view(self.network.contracts.market, &used).await? {
                return Ok(OrderState::Canceled);
            }
            let current = self.parts.chain.app(sealwork_types::AppId::new(request.app)).await?.policyHash;
            if current != request.policyHash {
                return Ok(OrderState::OtherPolicy { current });
            }
        }
        Ok(match (facts.canceled, facts.is_signed) {
            (true, _) => OrderState::Canceled,
            (false, false) => OrderState::Unsigned,
            (false, true) => OrderState::Valid,
        })
    }

    /// Who has to sign an order; `None` when what it is for is not registered.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn order_signer(&self, order: &Order) -> Result<Option<Address>, ClientError> {
        let subject = sealwork_types::AppId::new(order.subject());
        match order {
            Order::Request(request) => match self.parts.chain.app(subject).await {
                Ok(_) => Ok(Some(request.requester)),
                Err(error) if error.kind == sealwork_ports::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error.into()),
            },
            Order::App(_) | Order::Dataset(_) | Order::Pool(_) => {
                let call = ownerOfKindCall { kind: order.kind().code(), id: order.subject() };
                match self.view(self.network.contracts.registry, &call).await {
                    Ok(owner) => Ok(Some(owner)),
                    Err(error) if error.is_rejected() => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Volume of a request that deals have used up.
    pub(crate) async fn request_consumed(&self, hash: OrderHash) -> Result<u32, ClientError> {
        let call = requestConsumedCall { requestHash: hash.get() };
        let used = self.view(self.network.contracts.market, &call).await?;
        Ok(u32::try_from(used).unwrap_or(u32::MAX))
    }

    /// Tasks that a match of these orders would be about now.
    pub(crate) async fn volume_left(&self, proposal: &Proposal, consumed: u32) -> Result<u32, ClientError> {
        let mut volume = proposal.request.0.volume.saturating_sub(consumed).min(MAX_DEAL_VOLUME);
        if volume == 0 {
            return Err(rejected("the request is used up (OrderConsumed); sign a new one".into()));
        }
        let offers =
            [Order::App(Box::new(proposal.app.0.clone())), Order::Pool(Box::new(proposal.pool.0.clone()))];
        let datasets = proposal.datasets.iter().map(|(order, _)| Order::Dataset(Box::new(order.clone())));
        for order in offers.into_iter().chain(datasets) {
            if order.volume() != UNLIMITED
                && let Some(signer) = self.order_signer(&order).await?
            {
                let hash = order.hash(&self.network.anchors.domain).get();
                let call = orderStateCall { signer, orderHash: hash };
                let used = self.view(self.network.contracts.market, &call).await?.consumed;
                volume = volume.min(order.volume().saturating_sub(used));
            }
        }
        Ok(volume)
    }
}
