//! One task from its frame to its receipt.

use crate::{
    clock::TrustedClock,
    enclave::Enclave,
    error::{EnclaveError, Refusal, Stop},
    execute::{self, Blame, Execution, Ran},
    input::SealedInput,
    job::Job,
    keys::KeyRequest,
    output::OutputFrames,
};
use sealwork_seal::{
    age::SealWriter,
    binding::OutputBinding,
    bundle::{OutputBundle, write_output},
};
use sealwork_types::{
    B256, Status,
    enclave_wire::{DoneFrame, FromEnclave, Step, TaskFrame},
};

/// Runs the task. `Ok` is a receipt that may be settled, whatever its status.
pub(crate) fn run(enclave: &mut Enclave, frame: &TaskFrame, clock: TrustedClock) -> Result<DoneFrame, Stop> {
    let now = frame.now.max(clock.now());
    let job = Job::check(frame, &enclave.anchors.domain, now)?;
    let secret = enclave.keys.secret(&KeyRequest {
        name: job.key_name(),
        policy: &frame.policy,
        max_evidence_age_s: job.policy.max_evidence_age_s,
        now,
    })?;
    enclave.progress(Step::KeyReleased)?;
    let module = match enclave.programs.module(&enclave.host, job.code_hash())? {
        Ok(module) => module,
        Err(status) => return Ok(enclave.sign(&job, status, B256::ZERO, 0)),
    };
    let mut sealed = SealedInput::new(enclave.host.clone());
    let execution = Execution {
        job: &job,
        domain: enclave.anchors.domain,
        secret: &secret,
        host: &enclave.host,
        engine: enclave.programs.engine(),
        module: &module,
        now,
        trusted_now: clock.now(),
    };
    let ran = execute::execute(&execution, &mut sealed);
    // First the host's faults, then the storage's, and only then anybody else's.
    enclave.host.check()?;
    sealed.settle(job.params.input_digest)?;
    match ran {
        Ok(ran) => enclave.deliver(&job, ran),
        Err(Blame::Input(status)) => Ok(enclave.sign(&job, status, B256::ZERO, 0)),
        Err(Blame::Nobody(refusal)) => Err(refusal.into()),
    }
}

impl Enclave {
    fn progress(&self, step: Step) -> Result<(), EnclaveError> {
        self.host.send(&FromEnclave::Progress(step))
    }

    /// Seals what the program left to the requester's key, sends it, and signs for it.
    fn deliver(&self, job: &Job, ran: Ran) -> Result<DoneFrame, Stop> {
        self.progress(Step::Sealing)?;
        let Ran { mut status, mut bundle, fuel } = ran;
        if bundle.body_len().is_err() {
            // More files than a bundle can name, or names that it cannot carry.
            status = Status::OUTPUT_LIMIT;
            bundle = OutputBundle {
                exit_code: bundle.exit_code,
                stderr: bundle.stderr,
                ..OutputBundle::default()
            };
        }
        let output = self.seal(job, status, &bundle)?;
        Ok(self.sign(job, status, output, fuel))
    }

    fn seal(&self, job: &Job, status: Status, bundle: &OutputBundle) -> Result<B256, Stop> {
        let unsealable = |error: &dyn std::error::Error| {
            Refusal::transient(format!("the output cannot be sealed: {error}"))
        };
        let body_len = bundle.body_len().map_err(|error| unsealable(&error))?;
        let binding = OutputBinding {
            domain: self.anchors.domain,
            task: job.task,
            input_digest: job.params.input_digest,
            status: status.code(),
            body_len,
        };
        let frames = OutputFrames::new(self.host.clone());
        let recipients = std::slice::from_ref(&job.output_recipient);
        let mut writer = SealWriter::new(recipients, frames).map_err(|error| unsealable(&error))?;
        write_output(&mut writer, &binding, bundle).map_err(|error| unsealable(&error))?;
        let frames = writer.finish().map_err(|error| unsealable(&error))?;
        Ok(frames.finish()?)
    }

    fn sign(&self, job: &Job, status: Status, output: B256, fuel: u64) -> DoneFrame {
        let receipt = job.receipt(status, output, fuel);
        let signature = self.signer.sign(&self.anchors.domain, &receipt);
        DoneFrame { receipt, signature }
    }
}
