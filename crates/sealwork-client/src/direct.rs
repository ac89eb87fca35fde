//! Handing a request straight to a pool, which matches and settles it in one transaction.

use crate::{
    Client, ClientError, Plan,
    offers::Offers,
    watch::{Handed, Reporter, Watched},
};
use sealwork_ports::{ErrorKind, PortError};
use sealwork_types::{
    DealId, PoolId, U256,
    abi::RequestOrder,
    order::{SignedRequest, deal_id},
    progress::TaskStep,
};
use std::time::Duration;

/// How often a pool is asked that does not answer, and the pause between. Asking again is safe.
const ATTEMPTS: usize = 3;
const PAUSE: Duration = Duration::from_millis(500);

impl Client {
    /// What the requester pays for a task that the pool settles in one transaction: a deposit of what the account lacks,
    /// and no other transaction.
    pub(crate) async fn payment_plan(&self, price: U256, deposit: bool) -> Result<Plan, ClientError> {
        let plan = self.cover_plan(price, deposit).await?;
        Ok(plan.spending("paid when the pool settles the task, not locked before", price))
    }

    /// Deposits what is missing, signs the request and hands it to the pool of the offers.
    pub(crate) async fn hand_over(
        &self,
        offers: &Offers,
        order: RequestOrder,
        deposit: bool,
        reporter: &mut Reporter<'_>,
    ) -> Result<Watched, ClientError> {
        self.carry_out(&self.payment_plan(offers.price(), deposit).await?).await?;
        let domain = self.network.anchors.domain;
        let request = SignedRequest { signature: self.key.sign(&domain, &order), order };
        let deal = deal_id(domain.order_hash(&request.order), 0);
        let url = self.pool_url(offers.pool.order.pool).await;
        let from_block = self.parts.chain.head().await?.0;
        self.submit(&url, &request, deal).await?;
        let pool = PoolId::new(offers.pool.order.pool).short();
        reporter
            .reach(TaskStep::Accepted, format!("deal {} by pool {pool}, nothing is locked", deal.short()));
        let handed = Some(Handed { url, expiry: request.order.expiry });
        Ok(Watched { deal, from_block, match_gas: None, handed })
    }

    async fn submit(&self, url: &str, request: &SignedRequest, deal: DealId) -> Result<(), ClientError> {
        let mut attempt = 1;
        let accepted = loop {
            match self.parts.requests.submit(url, request).await {
                Err(error) if error.is_retryable() && attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) if error.kind == ErrorKind::Rejected => {
                    return Err(ClientError::NotTaken { problem: error.to_string() });
                }
                result => break result?,
            }
        };
        if accepted.deal == deal {
            return Ok(());
        }
        let text = format!("the pool at {url} took another request: deal {}, ours is {deal}", accepted.deal);
        Err(PortError::new(ErrorKind::Corrupt, text).into())
    }
}
