//! Signing, posting, canceling and matching orders.

use crate::{Client, ClientError, Plan, plan::together};
use alloy_sol_types::SolCall;
use sealwork_ports::{ErrorKind, PortError};
use sealwork_protocol::batch::AllowList;
use sealwork_types::{
    B256, Bytes, DealId, OrderHash, U256,
    abi::{
        AppOrder, DatasetOrder,
        IBook::{postAppOrderCall, postDatasetOrderCall, postPoolOrderCall, postRequestCall, withdrawCall},
        IMarket::{approveOrderCall, cancelOfferCall, cancelRequestCall, matchOrdersCall, raiseNonceCall},
        Membership, Orders, PoolOrder, RequestOrder,
    },
    order::deal_id,
    signed_order::{Order, OrderKind, SignedOrder},
};

/// Everything that a match needs: one order of each kind, and one for each dataset that the request names.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// App order and signature.
    pub app: (AppOrder, Bytes),
    /// Pool order and signature.
    pub pool: (PoolOrder, Bytes),
    /// Request and signature.
    pub request: (RequestOrder, Bytes),
    /// Dataset orders and signatures in the order of the request.
    pub datasets: Vec<(DatasetOrder, Bytes)>,
    /// Proofs for the allow-lists that the orders name by their roots.
    pub memberships: Vec<Membership>,
}

impl Proposal {
    /// Sorts signed orders into a proposal.
    ///
    /// # Errors
    /// `Rejected` unless there is exactly one app, pool and request order, and nothing of another deployment.
    pub fn of(orders: Vec<SignedOrder>, client: &Client) -> Result<Self, ClientError> {
        let (mut app, mut pool, mut request, mut datasets) = (None, None, None, Vec::new());
        for SignedOrder { domain, order, signature } in orders {
            if domain != client.network.anchors.domain {
                return Err(other_deployment(order.kind()));
            }
            let kind = order.kind();
            let twice = match order {
                Order::App(order) => app.replace((*order, signature)).is_some(),
                Order::Pool(order) => pool.replace((*order, signature)).is_some(),
                Order::Request(order) => request.replace((*order, signature)).is_some(),
                Order::Dataset(order) => {
                    datasets.push((*order, signature));
                    false
                }
            };
            if twice {
                return Err(rejected(format!("there are two {kind} orders; a match takes one")));
            }
        }
        let missing = |kind: &str| {
            rejected(format!("there is no {kind} order; a match takes an app, a pool and a request order"))
        };
        let mut proposal = Self {
            app: app.ok_or_else(|| missing("app"))?,
            pool: pool.ok_or_else(|| missing("pool"))?,
            request: request.ok_or_else(|| missing("request"))?,
            datasets,
            memberships: Vec::new(),
        };
        let wanted = &proposal.request.0.datasets;
        let place = |dataset: &B256| wanted.iter().position(|id| id == dataset);
        proposal.datasets.sort_by_key(|(order, _)| place(&order.dataset).unwrap_or(usize::MAX));
        Ok(proposal)
    }

    /// The call that matches.
    pub fn call(&self) -> matchOrdersCall {
        let (datasets, dataset_signatures) = self.datasets.iter().cloned().unzip();
        matchOrdersCall {
            orders: Orders {
                app: self.app.0.clone(),
                appSignature: self.app.1.clone(),
                pool: self.pool.0.clone(),
                poolSignature: self.pool.1.clone(),
                request: self.request.0.clone(),
                requestSignature: self.request.1.clone(),
                datasets,
                datasetSignatures: dataset_signatures,
                memberships: self.memberships.clone(),
            },
        }
    }

    /// Adds what shows that the parties stand on these allow-lists, as far as the orders name them.
    pub fn prove(&mut self, lists: &[AllowList]) {
        let (app, pool, request) = (&self.app.0, &self.pool.0, &self.request.0);
        let mut named = vec![app.datasetRestrict, app.poolRestrict, app.requesterRestrict];
        named.extend([pool.appRestrict, pool.datasetRestrict, pool.requesterRestrict, request.poolRestrict]);
        let mut parties = vec![app.app, pool.pool, request.requester.into_word()];
        for (order, _) in &self.datasets {
            named.extend([order.appRestrict, order.poolRestrict, order.requesterRestrict]);
            parties.push(order.dataset);
        }
        for list in lists.iter().filter(|list| named.contains(&list.root())) {
            self.memberships.extend(parties.iter().filter_map(|party| list.membership(*party)));
        }
    }

    /// Price of one task, smallest token units.
    pub fn price(&self) -> U256 {
        let offers = [self.app.0.price, self.pool.0.price].into_iter();
        offers
            .chain(self.datasets.iter().map(|(order, _)| order.price))
            .fold(U256::ZERO, |sum, price| sum.saturating_add(U256::from(price)))
    }
}

impl Client {
    /// Signs an order for this deployment.
    pub fn sign_order(&self, order: Order) -> SignedOrder {
        let domain = self.network.anchors.domain;
        let signature = self.key.sign_hash(order.hash(&domain).get()).into();
        SignedOrder { domain, order, signature }
    }

    /// The nonce that the wallet's orders must carry.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn order_nonce(&self) -> Result<u64, ClientError> {
        Ok(self.account().await?.nonce.to::<u64>())
    }

    /// Posts a signed order in the Book.
    pub fn post_plan(&self, signed: &SignedOrder) -> Plan {
        let signature = signed.signature.clone();
        let call = match signed.order.clone() {
            Order::App(order) => postAppOrderCall { order: *order, signature }.abi_encode(),
            Order::Dataset(order) => postDatasetOrderCall { order: *order, signature }.abi_encode(),
            Order::Pool(order) => postPoolOrderCall { order: *order, signature }.abi_encode(),
            Order::Request(order) => postRequestCall { order: *order, signature }.abi_encode(),
        };
        Plan::of_encoded(format!("post the {} order", signed.order.kind()), self.network.contracts.book, call)
    }

    /// Takes an order of this wallet off the Book. Whoever has it can still match it.
    pub fn unpost_plan(&self, hash: OrderHash) -> Plan {
        Plan::of(
            "take the order off the Book",
            self.network.contracts.book,
            &withdrawCall { orderHash: hash.get() },
        )
    }

    /// Approves an order on chain in place of a signature.
    pub fn approve_order_plan(&self, hash: OrderHash) -> Plan {
        let call = approveOrderCall { orderHash: hash.get() };
        Plan::of(format!("approve order {}", hash.short()), self.network.contracts.market, &call)
    }

    /// Voids orders of this wallet for ever: offers by their hash, requests by their salt, in one transaction.
    pub fn cancel_plan(&self, offers: &[OrderHash], salts: &[B256]) -> Plan {
        let offers = offers.iter().map(|hash| cancelOfferCall { orderHash: hash.get() }.abi_encode());
        let requests = salts.iter().map(|salt| cancelRequestCall { salt: *salt }.abi_encode());
        let mut calls: Vec<_> = offers.chain(requests).collect();
        let what = format!("cancel {} order{}", calls.len(), if calls.len() == 1 { "" } else { "s" });
        let call = match calls.len() {
            1 => calls.pop().unwrap_or_default(),
            _ => together(calls),
        };
        Plan::of_encoded(what, self.network.contracts.market, call)
    }

    /// Voids every order that this wallet ever signed with its present nonce.
    pub fn cancel_all_plan(&self) -> Plan {
        Plan::of("cancel all orders of this wallet", self.network.contracts.market, &raiseNonceCall {})
    }

    /// Matches orders, and deposits what the wallet's account lacks for it when the wallet is who pays.
    ///
    /// # Errors
    /// As [`Client::covered`].
    pub async fn match_plan(
        &self,
        proposal: &Proposal,
        deposit: bool,
    ) -> Result<(DealId, Plan), ClientError> {
        let request = &proposal.request.0;
        let hash = self.network.anchors.domain.order_hash(request);
        let consumed = self.request_consumed(hash).await?;
        let volume = self.volume_left(proposal, consumed).await?;
        let total = proposal.price().saturating_mul(U256::from(volume));
        let call = proposal.call().abi_encode();
        let payer = if request.sponsor.is_zero() { request.requester } else { request.sponsor };
        let what = "match the orders";
        let plan = if payer == self.address() {
            self.covered(what, total, call, deposit).await?
        } else {
            Plan::of_encoded(what, self.network.contracts.market, call)
        };
        let tasks = if volume == 1 { "1 task".to_owned() } else { format!("{volume} tasks") };
        Ok((deal_id(hash, consumed), plan.spending(format!("locked for {tasks}"), total)))
    }
}

pub(crate) fn other_deployment(kind: OrderKind) -> ClientError {
    rejected(format!("the {kind} order was signed for another chain or market; sign it for this network"))
}

pub(crate) fn rejected(text: String) -> ClientError {
    PortError::new(ErrorKind::Rejected, text).into()
}
