//! A deal of a requester, an enclave that signs for its tasks, and the client that waits for them.

use crate::chain::{DOMAIN, Script, Silent, contracts};
use alloy_sol_types::SolStruct;
use futures::{StreamExt, stream};
use sealwork_client::{
    BagNews, BagOutcome, BagTask, Client, ClientError, DealRecord, Parts, Salts, SignedVouchers,
};
use sealwork_ports::{MarketEvent, SettledBatch, Store, memory::MemoryStore};
use sealwork_protocol::batch::ReceiptBatch;
use sealwork_seal::{
    age::SealWriter,
    binding::OutputBinding,
    bundle::{OutputBundle, OutputFile, write_output},
    sign::SigningKey,
};
use sealwork_types::{
    Address, B256, Bytes, Cid, Codec, Sha256Digest, U256,
    abi::{DealTerms, Grant, Receipt, RequestOrder},
    batch::{BatchDocument, BatchedTask, receipts},
    deal::{Deal, work},
    evidence::TeeKind,
    network::{NetworkDocument, TrustAnchors},
    order::TaskParams,
};
use std::{sync::Arc, time::Duration};

pub(crate) const MATCHED_IN: B256 = B256::repeat_byte(0x11);
pub(crate) const SETTLED_IN: B256 = B256::repeat_byte(0x22);

pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) script: Arc<Script>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) anchors: TrustAnchors,
    pub(crate) deal: Deal,
    enclave: SigningKey,
    member: SigningKey,
}

/// A batch as a worker makes it, in parts that a test may change.
pub(crate) struct Made {
    pub(crate) document: BatchDocument,
    pub(crate) outputs: Vec<u8>,
}

impl World {
    pub(crate) fn new(volume: u32) -> Self {
        let key = || SigningKey::generate().unwrap();
        let (requester, enclave, member) = (key(), key(), key());
        let anchors = TrustAnchors {
            domain: DOMAIN,
            cas_members: vec![member.address()],
            cas_threshold: 1,
            cas_enclaves: vec![],
            sim_roots: vec![],
        };
        let (script, store) = (Arc::new(Script::default()), Arc::new(MemoryStore::new()));
        let parts = Parts {
            chain: Arc::clone(&script) as _,
            book: Arc::clone(&script) as _,
            store: Arc::clone(&store) as _,
            cas: vec![],
            progress: Arc::new(Silent),
            requests: Arc::new(Silent),
            clock: Arc::new(Silent),
            salts: Salts::in_memory(),
            vouchers: SignedVouchers::in_memory(),
        };
        let network = NetworkDocument {
            version: 1,
            name: "test".into(),
            anchors: anchors.clone(),
            contracts: contracts(),
            deployed_at: 1,
            rpc: "http://127.0.0.1:1".into(),
            store: "http://127.0.0.1:1".into(),
            cas: vec![],
        };
        let deal = deal(&requester, volume);
        let client = Client::new(network, requester, parts);
        Self { client, script, store, anchors, deal, enclave, member }
    }

    pub(crate) fn matched(&self) -> MarketEvent {
        MarketEvent::Matched {
            id: self.deal.id(),
            deal: Box::new(self.deal.clone()),
            transaction: MATCHED_IN,
        }
    }

    /// The record that a look at the chain before the settlement gives.
    pub(crate) async fn record(&self) -> DealRecord {
        self.script.tell(1, vec![self.matched()]);
        self.client.deal(&self.deal.id().to_string()).await.unwrap()
    }

    /// Tasks `first` to before `first + statuses.len()`, each with an output that names it, unless the status is not zero.
    pub(crate) fn batch(&self, first: u32, statuses: &[u16]) -> Made {
        let mut outputs = Vec::new();
        let mut tasks = Vec::new();
        for (index, status) in (first..).zip(statuses.iter().copied()) {
            let sealed = if status == 0 { self.sealed_output(index) } else { Vec::new() };
            let output = if sealed.is_empty() { B256::ZERO } else { Sha256Digest::of(&sealed) };
            tasks.push(BatchedTask { status, fuel: 7, output, bytes: sealed.len() as u64 });
            outputs.extend(sealed);
        }
        let receipts: Vec<Receipt> = receipts(&self.deal.work(), self.deal.id(), first, 0, &tasks).collect();
        let statement = ReceiptBatch::new(&receipts).unwrap().statement().clone();
        let grant = Grant {
            enclave: self.enclave.address(),
            measurement: B256::repeat_byte(6),
            tee: TeeKind::Sim.code(),
            hardwareId: B256::ZERO,
            expiry: 1,
        };
        let document = BatchDocument {
            version: BatchDocument::VERSION,
            domain: DOMAIN,
            work: self.deal.work(),
            deal: self.deal.id(),
            first,
            key_epoch: 0,
            tasks,
            outputs: None,
            tally: statement.tally.clone(),
            root: statement.root,
            signature: self.enclave.sign(&DOMAIN, &statement),
            grant_signatures: vec![self.member.sign(&DOMAIN, &grant)],
            grant,
        };
        Made { document, outputs }
    }

    fn sealed_output(&self, index: u32) -> Vec<u8> {
        let file = OutputFile { name: "result".into(), bytes: format!("file of {index}").into_bytes() };
        let stdout = format!("task {index}").into_bytes();
        let bundle = OutputBundle { exit_code: 0, stdout, stderr: Vec::new(), files: vec![file] };
        let binding = OutputBinding {
            domain: DOMAIN,
            task: self.deal.task(index),
            input_digest: self.deal.work().input,
            status: 0,
            body_len: bundle.body_len().unwrap(),
        };
        let recipient = self.client.output_identity().recipient();
        let mut sealer = SealWriter::new(&[recipient], Vec::new()).unwrap();
        write_output(&mut sealer, &binding, &bundle).unwrap();
        sealer.finish().unwrap()
    }

    /// Stores a batch and gives the two events of its settlement, which speak of what it was when it was made.
    pub(crate) async fn settle(&self, made: Made) -> Vec<MarketEvent> {
        let Made { mut document, outputs } = made;
        if !outputs.is_empty() {
            document.outputs = Some(self.put(outputs).await);
        }
        let receipts = self.put(document.to_bytes()).await;
        self.events(&document, Some(receipts))
    }

    pub(crate) fn events(&self, document: &BatchDocument, receipts: Option<Cid>) -> Vec<MarketEvent> {
        let (deal, first, transaction) = (self.deal.id(), document.first, SETTLED_IN);
        let batch = SettledBatch {
            first,
            tally: document.tally.clone(),
            root: document.root,
            receipts,
            signature: document.signature.clone(),
        };
        let enclave = self.enclave.address();
        let count = u32::try_from(document.tasks.len()).unwrap();
        vec![
            MarketEvent::Batched { deal, enclave, batch: Box::new(batch), transaction, block: 2 },
            MarketEvent::Closed { deal, first, count, transaction },
        ]
    }

    pub(crate) fn refunded(&self, first: u32, last: u32) -> MarketEvent {
        MarketEvent::Refunded { deal: self.deal.id(), first, last, count: last + 1 - first }
    }

    pub(crate) async fn put(&self, bytes: Vec<u8>) -> Cid {
        self.store.put(stream::once(async move { Ok(bytes.into()) }).boxed()).await.unwrap()
    }

    /// Collects the deal's tasks, in the order in which they come.
    pub(crate) async fn collect(
        &self,
        record: &DealRecord,
        timeout: Duration,
    ) -> (Result<BagOutcome, ClientError>, Vec<BagTask>) {
        let mut tasks = Vec::new();
        let mut take = |news| {
            if let BagNews::Task(task) = news {
                tasks.push(*task);
            }
        };
        let outcome = self.client.collect(record, timeout, &mut take).await;
        (outcome, tasks)
    }
}

fn deal(requester: &SigningKey, volume: u32) -> Deal {
    let request = request(requester.address(), volume);
    let terms = DealTerms {
        requestHash: DOMAIN.signing_hash(&request),
        firstTask: 0,
        workHash: work(&request).eip712_hash_struct(),
        payer: requester.address(),
        appOwner: Address::ZERO,
        poolOwner: Address::ZERO,
        appPrice: Default::default(),
        poolPrice: Default::default(),
        stake: Default::default(),
        feeBps: 0,
        mode: 0,
        startedAt: 5,
        callback: Address::ZERO,
        callbackGas: 0,
        datasets: vec![],
    };
    let request_signature = requester.sign(&DOMAIN, &request);
    Deal { pool: B256::ZERO, volume, terms, request, request_signature }
}

fn request(requester: Address, volume: u32) -> RequestOrder {
    let input_cid = Cid::new(Codec::Raw, B256::repeat_byte(1));
    let params = TaskParams { input_cid, input_digest: B256::repeat_byte(2) };
    RequestOrder {
        app: B256::repeat_byte(9),
        codeHash: B256::repeat_byte(3),
        policyHash: B256::repeat_byte(4),
        appMaxPrice: Default::default(),
        datasets: vec![],
        datasetMaxPrice: Default::default(),
        poolRestrict: B256::ZERO,
        poolMaxPrice: Default::default(),
        minStake: Default::default(),
        requester,
        sponsor: Address::ZERO,
        outputRecipient: B256::repeat_byte(8),
        volume,
        tag: B256::ZERO,
        category: 0,
        trust: 0,
        mode: 0,
        callback: Address::ZERO,
        callbackGas: 0,
        params: Bytes::from(params.to_bytes()),
        requirements: B256::ZERO,
        expiry: 0,
        nonce: 0,
        salt: U256::from(1).into(),
    }
}
