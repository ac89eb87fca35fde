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
    shelf::{self, Floor, Shelf},
};
use sealwork_runtime::Module;
use sealwork_seal::{
    Secret,
    age::SealWriter,
    binding::OutputBinding,
    bundle::{OutputBundle, write_output},
};
use sealwork_types::{
    B256, Status,
    abi::Grant,
    enclave_wire::{CompiledName, DoneFrame, FromEnclave, Step, TaskFrame},
    order::SigningDomain,
};
use std::{io::Write, rc::Rc};

/// What a task needs before its input is looked at.
pub(crate) struct Prepared {
    pub(crate) job: Job,
    secret: Rc<Secret<[u8; 32]>>,
    /// The program, or the status that says why there is none.
    pub(crate) module: Result<Rc<Module>, Status>,
    now: u64,
    trusted_now: u64,
}

/// Runs the task. `Ok` is a receipt that may be settled, whatever its status.
pub(crate) fn run(enclave: &mut Enclave, frame: &TaskFrame, clock: TrustedClock) -> Result<DoneFrame, Stop> {
    let prepared = prepare(enclave, frame, clock)?;
    let job = &prepared.job;
    let module = match &prepared.module {
        Ok(module) => module,
        Err(status) => return Ok(enclave.sign(job, *status, B256::ZERO, 0)),
    };
    let mut sealed = SealedInput::new(enclave.host.clone());
    let ran = execute::execute(&prepared.execution(enclave, module), &mut sealed);
    // First the host's faults, then the storage's, and only then anybody else's.
    enclave.host.check()?;
    sealed.settle(job.params.input_digest)?;
    match ran {
        Ok(ran) => enclave.deliver(job, ran),
        Err(Blame::Input(status)) => Ok(enclave.sign(job, status, B256::ZERO, 0)),
        Err(Blame::Nobody(refusal)) => Err(refusal.into()),
    }
}

/// Checks the frame, gets the app's secret and its program.
pub(crate) fn prepare(
    enclave: &mut Enclave,
    frame: &TaskFrame,
    clock: TrustedClock,
) -> Result<Prepared, Stop> {
    let now = frame.now.max(clock.now());
    let job = Job::check(frame, &enclave.anchors.domain, now)?;
    enclave.floor.demand(&job.policy)?;
    let secret = enclave.keys.secret(&KeyRequest {
        name: job.key_name(),
        policy: &frame.policy,
        max_evidence_age_s: job.policy.max_evidence_age_s,
        now,
    })?;
    enclave.progress(Step::KeyReleased)?;
    let shelf = shelf_of(enclave.granted.as_ref(), &mut enclave.floor, &job, &secret);
    let module = enclave.programs.module(&enclave.host, job.code_hash(), job.key_name(), shelf)?;
    Ok(Prepared { job, secret, module, now, trusted_now: clock.now() })
}

/// Where the host may keep the job's compiled program.
fn shelf_of<'a>(
    granted: Option<&(Grant, TrustedClock)>,
    floor: &'a mut Floor,
    job: &'a Job,
    secret: &'a Secret<[u8; 32]>,
) -> Option<Shelf<'a>> {
    let (grant, _) = granted?;
    if !shelf::is_ours_alone(&job.policy, grant) {
        return None;
    }
    let (code_hash, measurement, policy) = (job.code_hash(), grant.measurement, &job.policy);
    let name = CompiledName { app: job.app().get().0, policy: job.policy_hash.get().0 };
    Some(Shelf { name, secret, code_hash, measurement, policy, floor })
}

impl Prepared {
    /// The first task's run.
    pub(crate) fn execution<'a>(&'a self, enclave: &'a Enclave, module: &'a Module) -> Execution<'a> {
        Execution {
            job: &self.job,
            index: self.job.first,
            domain: enclave.anchors.domain,
            secret: &self.secret,
            host: &enclave.host,
            engine: enclave.programs.engine(),
            module,
            now: self.now,
            trusted_now: self.trusted_now,
        }
    }
}

impl Enclave {
    pub(crate) fn progress(&self, step: Step) -> Result<(), EnclaveError> {
        self.host.send(&FromEnclave::Progress(step))
    }

    /// Seals what the program left to the requester's key, sends it, and signs for it.
    fn deliver(&self, job: &Job, ran: Ran) -> Result<DoneFrame, Stop> {
        self.progress(Step::Sealing)?;
        let ran = deliverable(ran);
        let frames = OutputFrames::new(self.host.clone());
        let output = seal(job, &self.anchors.domain, job.first, &ran, frames)?.finish()?;
        Ok(self.sign(job, ran.status, output, ran.fuel))
    }

    fn sign(&self, job: &Job, status: Status, output: B256, fuel: u64) -> DoneFrame {
        let receipt = job.receipt(job.first, status, output, fuel);
        let signature = self.signer.sign(&self.anchors.domain, &receipt);
        DoneFrame { receipt, signature }
    }
}

/// What of a run can be delivered: not more files than a bundle can name, and no names that it cannot carry.
pub(crate) fn deliverable(mut ran: Ran) -> Ran {
    if ran.bundle.body_len().is_err() {
        ran.status = Status::OUTPUT_LIMIT;
        ran.bundle = OutputBundle {
            exit_code: ran.bundle.exit_code,
            stderr: ran.bundle.stderr,
            ..OutputBundle::default()
        };
    }
    ran
}

/// Seals a task's output to the requester's key.
pub(crate) fn seal<W: Write>(
    job: &Job,
    domain: &SigningDomain,
    index: u32,
    ran: &Ran,
    out: W,
) -> Result<W, Refusal> {
    let unsealable =
        |error: &dyn std::error::Error| Refusal::transient(format!("the output cannot be sealed: {error}"));
    let binding = OutputBinding {
        domain: *domain,
        task: job.task(index),
        input_digest: job.params.input_digest,
        status: ran.status.code(),
        body_len: ran.bundle.body_len().map_err(|error| unsealable(&error))?,
    };
    let recipients = std::slice::from_ref(&job.output_recipient);
    let mut writer = SealWriter::new(recipients, out).map_err(|error| unsealable(&error))?;
    write_output(&mut writer, &binding, &ran.bundle).map_err(|error| unsealable(&error))?;
    writer.finish().map_err(|error| unsealable(&error))
}
