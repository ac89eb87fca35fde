//! One task with everything right, and knobs to make single things wrong.

use crate::host::{APP_SECRET, End, NOW, Outcome, TestHost};
use sealwork_ratls::keys::app_identity;
use sealwork_seal::{
    Secret,
    age::{Identity, OpenReader, Recipient, SealWriter},
    binding::{InputBinding, OutputBinding},
    bundle::{InputHead, OutputBundle, read_output, write_input},
    sign::{SigningKey, recover},
};
use sealwork_types::{
    Address, AppId, B256, Cid, CodeHash, Codec, DealId, Measurement, Sha256Digest, Status,
    abi::{Receipt, RequestOrder},
    enclave_wire::TaskFrame,
    evidence::TeeKind,
    manifest::{Abi, AppManifest},
    network::TrustAnchors,
    order::{SignedRequest, SigningDomain, TaskParams, deal_id, task_id},
    policy::{AcceptedEnclave, Limits, Policy},
};
use std::collections::BTreeMap;

pub(crate) const APP: B256 = B256::repeat_byte(0xa1);

type Edit<T> = Box<dyn Fn(&mut T)>;

pub(crate) struct Case {
    pub(crate) requester: SigningKey,
    pub(crate) output: Identity,
    /// Whom the input is sealed to.
    pub(crate) sealed_to: Recipient,
    /// The network's chain and market.
    pub(crate) domain: SigningDomain,
    /// Chain and market that the requester signs for.
    pub(crate) signed_for: SigningDomain,
    pub(crate) module: Vec<u8>,
    pub(crate) limits: Limits,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) stdin: Vec<u8>,
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) host_now: u64,
    /// Order and binding are valid for ten minutes from here.
    pub(crate) signed_at: u64,
    /// The enclave that the policy accepts.
    pub(crate) measurement: Measurement,
    /// Changes the binding before sealing.
    pub(crate) binding: Edit<InputBinding>,
    /// Changes the order before it is signed.
    pub(crate) order: Edit<RequestOrder>,
    /// Changes the sealed file before its digest goes into the order.
    pub(crate) sealed: Edit<Vec<u8>>,
    /// Changes what storage returns.
    pub(crate) served: Edit<Vec<u8>>,
    /// Changes the module that storage returns.
    pub(crate) served_module: Edit<Vec<u8>>,
    /// Changes the frame.
    pub(crate) frame: Edit<TaskFrame>,
}

/// A task ready for the host.
pub(crate) struct Prepared {
    pub(crate) frame: TaskFrame,
    pub(crate) module: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
}

pub(crate) fn domain() -> SigningDomain {
    SigningDomain { chain_id: 31_337, market: Address::repeat_byte(0x3a) }
}

pub(crate) fn anchors() -> TrustAnchors {
    TrustAnchors {
        domain: domain(),
        cas_members: vec![Address::repeat_byte(1)],
        cas_threshold: 1,
        cas_enclaves: Vec::new(),
        sim_roots: Vec::new(),
    }
}

fn nothing<T>() -> Edit<T> {
    Box::new(|_| {})
}

impl Case {
    pub(crate) fn new(module: Vec<u8>) -> Self {
        Self {
            requester: SigningKey::generate().unwrap(),
            output: Identity::generate().unwrap(),
            sealed_to: app_identity(&Secret::new(APP_SECRET)).recipient(),
            domain: domain(),
            signed_for: domain(),
            module,
            limits: Limits {
                memory_bytes: 16 << 20,
                time_ms: 20_000,
                output_bytes: 4 << 20,
                ..Limits::default()
            },
            environment: BTreeMap::new(),
            stdin: b"attack at dawn".to_vec(),
            files: Vec::new(),
            host_now: NOW,
            signed_at: NOW,
            measurement: Measurement::new(B256::repeat_byte(1)),
            binding: nothing(),
            order: nothing(),
            sealed: nothing(),
            served: nothing(),
            served_module: nothing(),
            frame: nothing(),
        }
    }

    /// Seals, signs, runs in a fresh enclave.
    pub(crate) fn run(&self) -> Outcome {
        let mut host = TestHost::ready(&anchors());
        let outcome = self.run_in(&mut host);
        if let End::Done(done) = &outcome.end {
            let signer = recover(&domain(), &done.receipt, &done.signature).unwrap();
            assert_eq!(signer, host.address, "receipts are signed by the attested key");
        }
        host.end().unwrap();
        outcome
    }

    pub(crate) fn run_in(&self, host: &mut TestHost) -> Outcome {
        let Prepared { frame, module, sealed } = self.prepare();
        host.run(frame, &module, &sealed)
    }

    pub(crate) fn prepare(&self) -> Prepared {
        let mut sealed = self.seal();
        (self.sealed)(&mut sealed);
        let digest = Sha256Digest::of(&sealed);
        let params = TaskParams { input_cid: Cid::new(Codec::Raw, digest), input_digest: digest };
        let policy = self.policy().to_bytes();
        let mut order = self.base_order(&params, &policy);
        (self.order)(&mut order);
        let signature = self.requester.sign(&self.signed_for, &order);
        let deal = deal_id(self.domain.order_hash(&order), 0);
        let mut frame = TaskFrame {
            now: self.host_now,
            deal: deal.get().0,
            index: 0,
            count: 1,
            budget_ms: 0,
            request: serde_json::to_vec(&SignedRequest { order, signature }).unwrap(),
            manifest: self.manifest(&policy).to_bytes(),
            policy,
            output_recipient: self.output.recipient().as_bytes().to_vec(),
        };
        (self.frame)(&mut frame);
        let mut module = self.module.clone();
        (self.served_module)(&mut module);
        (self.served)(&mut sealed);
        Prepared { frame, module, sealed }
    }

    fn seal(&self) -> Vec<u8> {
        let files = self.files.iter().map(|(name, bytes)| (name.clone(), bytes.len() as u64)).collect();
        let head = InputHead { args: Vec::new(), files, stdin_len: self.stdin.len() as u64 };
        let mut binding = InputBinding {
            domain: self.domain,
            requester: self.requester.address(),
            app: AppId::new(APP),
            output_recipient: self.output.recipient().digest(),
            nonce: [9; 16],
            expiry: self.signed_at + 600,
            body_len: head.body_len().unwrap(),
        };
        (self.binding)(&mut binding);
        let mut writer = SealWriter::new(std::slice::from_ref(&self.sealed_to), Vec::new()).unwrap();
        let files = self.files.iter().map(|(_, bytes)| &bytes[..]);
        write_input(&mut writer, &binding, &head, files, &self.stdin[..]).unwrap();
        writer.finish().unwrap()
    }

    pub(crate) fn code_hash(&self) -> CodeHash {
        CodeHash::new(Sha256Digest::of(&self.module))
    }

    pub(crate) fn policy(&self) -> Policy {
        let sim = AcceptedEnclave { tee: TeeKind::Sim, measurement: self.measurement, min_platform_svn: 0 };
        Policy {
            version: 1,
            code_hash: self.code_hash(),
            enclaves: vec![sim],
            max_evidence_age_s: 300,
            allow_debug: false,
            limits: self.limits,
            environment: self.environment.clone(),
        }
    }

    fn manifest(&self, policy: &[u8]) -> AppManifest {
        AppManifest {
            version: 1,
            name: "test".to_owned(),
            description: String::new(),
            abi: Abi::Batch,
            code: Cid::new(Codec::Raw, self.code_hash().get()),
            code_hash: self.code_hash(),
            policy_hash: Policy::hash_of(policy),
        }
    }

    fn base_order(&self, params: &TaskParams, policy: &[u8]) -> RequestOrder {
        RequestOrder {
            app: APP,
            codeHash: self.code_hash().get(),
            policyHash: Policy::hash_of(policy).get(),
            appMaxPrice: Default::default(),
            datasets: Vec::new(),
            datasetMaxPrice: Default::default(),
            poolRestrict: B256::ZERO,
            poolMaxPrice: Default::default(),
            minStake: Default::default(),
            requester: self.requester.address(),
            sponsor: Address::ZERO,
            outputRecipient: self.output.recipient().digest(),
            volume: 1,
            tag: B256::ZERO,
            category: 0,
            trust: 0,
            mode: 0,
            callback: Address::ZERO,
            callbackGas: 0,
            params: params.to_bytes().into(),
            requirements: B256::ZERO,
            expiry: self.signed_at + 600,
            nonce: 0,
            salt: B256::ZERO,
        }
    }

    /// Opens a delivered output and checks that receipt and binding speak of it.
    pub(crate) fn open(&self, outcome: &Outcome) -> OutputBundle {
        self.open_output(outcome.receipt(), &outcome.output)
    }

    /// The same for a host that is not in memory.
    pub(crate) fn open_output(&self, receipt: &Receipt, output: &[u8]) -> OutputBundle {
        assert_eq!(receipt.output, Sha256Digest::of(output));
        let reader = OpenReader::new(std::slice::from_ref(&self.output), output).unwrap();
        let (binding, bundle) = read_output(reader, 1 << 30).unwrap();
        let OutputBinding { domain: bound, task, input_digest, status, .. } = binding;
        let signed = task_id(DealId::new(receipt.dealId), receipt.index);
        assert_eq!((bound, task, input_digest), (self.domain, signed, receipt.work.input));
        assert_eq!(status, receipt.status);
        bundle
    }
}

impl Outcome {
    pub(crate) fn receipt(&self) -> &Receipt {
        match &self.end {
            End::Done(done) => &done.receipt,
            End::Batch(done) => panic!("a batch of {} tasks", done.tasks.len()),
            End::Refused { reason, .. } => panic!("refused: {reason}"),
        }
    }

    /// A receipt with this status that delivers nothing.
    pub(crate) fn assert_blames(&self, status: Status) {
        let receipt = self.receipt();
        assert_eq!(Status::new(receipt.status), status);
        assert_eq!((receipt.output, self.output.len()), (B256::ZERO, 0));
    }

    /// No receipt and no output; the reason contains `part`.
    pub(crate) fn assert_refused(&self, retryable: bool, part: &str) {
        match &self.end {
            End::Refused { retryable: found, reason } => {
                assert!(reason.contains(part), "{reason}");
                assert_eq!(*found, retryable, "{reason}");
            }
            End::Done(done) => panic!("a receipt with status {}", Status::new(done.receipt.status)),
            End::Batch(done) => panic!("a batch of {} tasks", done.tasks.len()),
        }
        assert!(self.output.is_empty(), "output without a receipt");
    }
}

/// The deal that takes all of an order.
pub(crate) fn whole_deal(order: &RequestOrder) -> B256 {
    deal_id(domain().order_hash(order), 0).get()
}
