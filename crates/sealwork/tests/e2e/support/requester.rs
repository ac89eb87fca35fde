//! A requester who does not use the command line: every piece of an order can be wrong.

use super::{PATIENCE, network::Network};
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolCall;
use futures::{StreamExt, stream};
use sealwork_cas::HttpKeyService;
use sealwork_chain::EvmChain;
use sealwork_client::{AppView, Client, Parts, Salts, SettledTask, SignedVouchers, TaskRecord, TaskState};
use sealwork_devchain::DEV_PRIVATE_KEYS;
use sealwork_ports::{Clock, KeyService, OrderBook, PortError, Store, SystemClock};
use sealwork_seal::{
    Secret,
    age::{Recipient, SealWriter},
    binding::InputBinding,
    bundle::{InputHead, write_input},
    sign::SigningKey,
};
use sealwork_store::{KuboOptions, KuboStore};
use sealwork_types::{
    Bytes, Cid, DealId, Sha256Digest, U256,
    abi::{AppOrder, IToken::mintCall, PoolOrder, RequestOrder},
    network::NetworkDocument,
    order::{self, TaskParams},
};
use sealwork_worker::HttpWorker;
use std::{sync::Arc, time::Instant};

/// One token in smallest units.
pub(crate) const TOKEN: u128 = 1_000_000_000_000_000_000;

/// Who asks, with tokens in an account.
#[derive(Debug)]
pub(crate) struct Requester {
    pub(crate) client: Client,
    pub(crate) key: SigningKey,
    pub(crate) store: Arc<KuboStore>,
    network: NetworkDocument,
}

/// A complete proposal to the market.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    pub(crate) app: (AppOrder, Bytes),
    pub(crate) pool: (PoolOrder, Bytes),
    pub(crate) request: RequestOrder,
}

impl Requester {
    /// Joins with one of the development accounts and deposits 100 tokens.
    pub(crate) async fn join(network: &Network, account: usize) -> Self {
        let document = NetworkDocument::parse(network.document().to_string().as_bytes()).unwrap();
        let secret = DEV_PRIVATE_KEYS[account];
        let signer = PrivateKeySigner::from_bytes(&secret).unwrap();
        let store = Arc::new(KuboStore::new(&document.store, KuboOptions::default()).unwrap());
        let cas: Arc<dyn KeyService> = Arc::new(HttpKeyService::new(&document.cas[0].url).unwrap());
        let chain = Arc::new(EvmChain::connect(&document, signer).await.unwrap());
        let parts = Parts {
            book: Arc::clone(&chain) as Arc<dyn OrderBook>,
            chain,
            store: Arc::clone(&store) as Arc<dyn Store>,
            cas: vec![cas],
            progress: Arc::new(HttpWorker::default()),
            requests: Arc::new(HttpWorker::default()),
            clock: Arc::new(SystemClock),
            salts: Salts::in_memory(),
            vouchers: SignedVouchers::in_memory(),
        };
        let key = || SigningKey::from_bytes(Secret::new(secret.0)).unwrap();
        let client = Client::new(document.clone(), key(), parts);
        let amount = U256::from(100 * TOKEN);
        let mint = mintCall { to: client.address(), amount };
        client.chain().send(document.contracts.token, mint.abi_encode()).await.unwrap();
        client.deposit(amount).await.unwrap();
        Self { client, key: key(), store, network: document }
    }

    pub(crate) async fn app(&self, id: &str) -> AppView {
        self.client.app(id.parse().unwrap()).await.unwrap()
    }

    /// The binding that an honest client would use.
    pub(crate) fn binding(&self, app: &AppView) -> InputBinding {
        InputBinding {
            domain: self.network.anchors.domain,
            requester: self.client.address(),
            app: app.id,
            output_recipient: self.output_recipient().digest(),
            nonce: rand::random(),
            expiry: SystemClock.unix_s() + 3_600,
            body_len: 0,
        }
    }

    pub(crate) fn output_recipient(&self) -> Recipient {
        self.client.output_identity().recipient()
    }

    /// Seals standard input to an app's key under any binding.
    pub(crate) async fn seal(&self, app: &AppView, binding: InputBinding, stdin: &[u8]) -> Vec<u8> {
        let recipient = self.client.recipient(app).await.unwrap();
        let head = InputHead { stdin_len: stdin.len() as u64, ..InputHead::default() };
        let binding = InputBinding { body_len: head.body_len().unwrap(), ..binding };
        let mut sealer = SealWriter::new(&[recipient], Vec::new()).unwrap();
        write_input(&mut sealer, &binding, &head, std::iter::empty::<&[u8]>(), stdin).unwrap();
        sealer.finish().unwrap()
    }

    /// Stores a sealed file and names it as it is.
    pub(crate) async fn upload(&self, sealed: Vec<u8>) -> TaskParams {
        let input_digest = Sha256Digest::of(&sealed);
        TaskParams { input_cid: self.put(sealed).await, input_digest }
    }

    async fn put(&self, bytes: Vec<u8>) -> Cid {
        self.store.put(stream::once(async move { Ok(bytes.into()) }).boxed()).await.unwrap()
    }

    /// Seals and stores an input as an honest client would.
    pub(crate) async fn honest_input(&self, app: &AppView) -> TaskParams {
        let sealed = self.seal(app, self.binding(app), b"secret numbers").await;
        self.upload(sealed).await
    }

    /// A proposal that the market accepts, if the parameters are good.
    pub(crate) async fn propose(&self, app: &AppView, params: TaskParams) -> Proposal {
        let chain = self.client.chain();
        let app_order = chain.app_orders(app.id).await.unwrap().remove(0);
        let pool = chain.pool_orders(None).await.unwrap().remove(0);
        let recipient = self.output_recipient();
        self.put(recipient.as_bytes().to_vec()).await;
        let expiry = SystemClock.unix_s() + 3_600;
        let request = RequestOrder {
            appMaxPrice: app_order.order.price,
            poolRestrict: pool.order.pool,
            poolMaxPrice: pool.order.price,
            params: params.to_bytes().into(),
            ..self.client.request(app.id, expiry).await.unwrap()
        };
        Proposal { app: (app_order.order, app_order.signature), pool: (pool.order, pool.signature), request }
    }

    /// Signs the request and matches it.
    pub(crate) async fn submit(&self, proposal: Proposal) -> Result<DealId, PortError> {
        let signature = self.key.sign(&self.network.anchors.domain, &proposal.request);
        self.submit_signed(proposal, signature).await
    }

    /// Matches a request with any signature.
    pub(crate) async fn submit_signed(
        &self,
        proposal: Proposal,
        signature: Bytes,
    ) -> Result<DealId, PortError> {
        let deal = order::deal_id(self.network.anchors.domain.order_hash(&proposal.request), 0);
        let proposal = sealwork_client::Proposal {
            app: proposal.app,
            pool: proposal.pool,
            request: (proposal.request, signature),
            datasets: Vec::new(),
            memberships: Vec::new(),
        };
        let call = proposal.call();
        self.client.chain().send(self.network.contracts.market, call.abi_encode()).await.map(|_| deal)
    }

    /// Submits an order for an input and waits for the receipt.
    pub(crate) async fn run(&self, app: &AppView, params: TaskParams) -> TaskRecord {
        let deal = self.submit(self.propose(app, params).await).await.unwrap();
        self.settled(deal).await
    }

    /// The only task of a deal.
    pub(crate) async fn task(&self, deal: DealId) -> TaskRecord {
        self.client.task(&order::task_id(deal, 0).to_string()).await.unwrap()
    }

    /// The only task of a deal, once it is settled.
    pub(crate) async fn settled(&self, deal: DealId) -> TaskRecord {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let record = self.task(deal).await;
            if !matches!(record.state, TaskState::Open { .. }) {
                return record;
            }
            assert!(Instant::now() < deadline, "deal {deal} is still open");
            self.client.chain().wait().await;
        }
    }

    /// Everything that the requester owns, locked money included; and what of it is locked.
    pub(crate) async fn money(&self) -> (u128, u128) {
        let account = self.client.account().await.unwrap();
        let wallet: u128 = self.client.token_balance().await.unwrap().try_into().unwrap();
        let locked: u128 = self.client.locked().await.unwrap().try_into().unwrap();
        (wallet + account.available.to::<u128>() + locked, locked)
    }
}

/// Name of the status that a task was settled with. Only what a program wrote comes with an output.
pub(crate) fn status(record: &TaskRecord) -> String {
    settlement(record).status.to_string()
}

/// Whether a settled task has an output, by receipt and by storage name alike.
pub(crate) fn has_output(record: &TaskRecord) -> bool {
    let settled = settlement(record);
    assert_eq!(settled.receipt.output.is_zero(), settled.output.is_none());
    settled.output.is_some()
}

fn settlement(record: &TaskRecord) -> &SettledTask {
    let TaskState::Settled(settled) = &record.state else { panic!("not settled: {record:?}") };
    settled
}
