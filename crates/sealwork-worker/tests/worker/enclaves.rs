//! Enclaves that sign for everything, when they are let.

use crate::ledger::DOMAIN;
use async_trait::async_trait;
use sealwork_ports::{EnclaveHost, EnclaveInfo, PortError, RunningTask, TaskInput, TaskOutcome, TaskUpdate};
use sealwork_protocol::batch::ReceiptBatch;
use sealwork_seal::sign::SigningKey;
use sealwork_types::{
    B256, Bytes, DealId, Sha256Digest,
    abi::{Grant, Receipt, Work},
    batch::{BatchedTask, receipts},
    deal::work,
    enclave_wire::{BatchDone, GrantFrame, Step, TaskFrame, decode_request},
};
use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};
use tokio::sync::watch;

pub(crate) struct Enclaves {
    key: SigningKey,
    /// Whether tasks may end.
    free: watch::Sender<bool>,
    /// Whether tasks are refused for good.
    refuses: AtomicBool,
    /// Tasks of a batch that are done before its time is over.
    pub(crate) at_once: AtomicU32,
}

impl Enclaves {
    pub(crate) fn new() -> Self {
        Self {
            key: SigningKey::generate().unwrap(),
            free: watch::Sender::new(true),
            refuses: AtomicBool::new(false),
            at_once: AtomicU32::new(1_000),
        }
    }

    /// Keeps every task from ending until it is let go again.
    pub(crate) fn hold(&self, hold: bool) {
        self.free.send_replace(!hold);
    }

    /// What the enclaves sign for a task.
    pub(crate) fn receipt(&self, work: Work, deal: DealId, index: u32) -> (Receipt, Bytes) {
        let receipt = Receipt {
            work,
            dealId: deal.get(),
            index,
            status: 0,
            fuel: 1,
            keyEpoch: 0,
            output: Sha256Digest::of(output(index).as_bytes()),
            callbackHash: B256::ZERO,
            stateBefore: B256::ZERO,
            stateAfter: B256::ZERO,
            deltaIndex: 0,
        };
        let signature = self.key.sign(&DOMAIN, &receipt);
        (receipt, signature)
    }

    /// Refuses every task for good, or none.
    pub(crate) fn refuse(&self, refuse: bool) {
        self.refuses.store(refuse, Ordering::SeqCst);
    }

    fn sign(&self, frame: &TaskFrame) -> VecDeque<TaskUpdate> {
        if self.refuses.load(Ordering::SeqCst) {
            let refused = TaskOutcome::Refused { retryable: false, reason: "a wrong policy".into() };
            return VecDeque::from([TaskUpdate::Ended(refused)]);
        }
        let request = decode_request(&frame.request).unwrap().order;
        if frame.count > 1 {
            return self.sign_batch(&work(&request), frame);
        }
        let (receipt, signature) = self.receipt(work(&request), frame.deal_id(), frame.index);
        VecDeque::from([
            TaskUpdate::Step(Step::Running),
            TaskUpdate::Output(output(frame.index).into_bytes().into()),
            TaskUpdate::Ended(TaskOutcome::Done { receipt: Box::new(receipt), signature }),
        ])
    }
}

impl Enclaves {
    /// At most so many tasks of a batch are done before the time is over.
    fn sign_batch(&self, work: &Work, frame: &TaskFrame) -> VecDeque<TaskUpdate> {
        let count = frame.count.min(self.at_once.load(Ordering::SeqCst));
        let outputs: Vec<String> = (frame.index..frame.index + count).map(output).collect();
        let tasks: Vec<BatchedTask> = outputs
            .iter()
            .map(|output| BatchedTask {
                status: 0,
                fuel: 1,
                output: Sha256Digest::of(output.as_bytes()),
                bytes: output.len() as u64,
            })
            .collect();
        let receipts: Vec<Receipt> = receipts(work, frame.deal_id(), frame.index, 0, &tasks).collect();
        let statement = ReceiptBatch::new(&receipts).unwrap().statement().clone();
        let signature = self.key.sign(&DOMAIN, &statement);
        VecDeque::from([
            TaskUpdate::Step(Step::Running),
            TaskUpdate::Output(outputs.concat().into_bytes().into()),
            TaskUpdate::Ended(TaskOutcome::Batch(Box::new(BatchDone { statement, signature, tasks }))),
        ])
    }
}

pub(crate) fn output(index: u32) -> String {
    format!("output of task {index}")
}

struct Running {
    free: watch::Receiver<bool>,
    updates: VecDeque<TaskUpdate>,
}

#[async_trait]
impl RunningTask for Running {
    async fn next(&mut self) -> Option<Result<TaskUpdate, PortError>> {
        let _ = self.free.wait_for(|free| *free).await;
        self.updates.pop_front().map(Ok)
    }
}

#[async_trait]
impl EnclaveHost for Enclaves {
    async fn ensure(&self, _: usize) -> Result<EnclaveInfo, PortError> {
        let enclave = self.key.address();
        let grant =
            Grant { enclave, measurement: B256::ZERO, tee: 0, hardwareId: B256::ZERO, expiry: u64::MAX };
        Ok(EnclaveInfo { enclave, grant: GrantFrame { grant, signatures: Vec::new() } })
    }

    async fn run<'a>(&'a self, _: usize, input: TaskInput) -> Result<Box<dyn RunningTask + 'a>, PortError> {
        Ok(Box::new(Running { free: self.free.subscribe(), updates: self.sign(&input.frame) }))
    }

    async fn stop(&self, _: usize) {}
}
