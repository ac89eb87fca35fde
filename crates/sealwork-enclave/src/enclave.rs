//! The message loop: one request at a time, until the host leaves.

use crate::{
    EnclaveError, batch,
    clock::TrustedClock,
    error::Stop,
    host::{Host, out_of_order},
    keys::{AppKeys, KeySourceSetup, MakeKeySource},
    program::Programs,
    shelf::Floor,
    task,
};
use sealwork_runtime::Engine;
use sealwork_seal::sign::SigningKey;
use sealwork_types::{
    abi::Grant,
    bounded::parse_json,
    enclave_wire::{FromEnclave, SandboxReport, TaskFrame, ToEnclave},
    network::TrustAnchors,
    params::MAX_MANIFEST_BYTES,
};

/// One running enclave.
#[derive(Debug)]
pub(crate) struct Enclave {
    pub(crate) host: Host,
    pub(crate) anchors: TrustAnchors,
    pub(crate) signer: SigningKey,
    pub(crate) keys: AppKeys,
    pub(crate) programs: Programs,
    pub(crate) floor: Floor,
    /// What the CAS said last, and the time since.
    pub(crate) granted: Option<(Grant, TrustedClock)>,
}

/// Serves the host until it says `Stop` or closes the pipe.
///
/// # Errors
/// [`EnclaveError`] when the host breaks the protocol; nothing is answered to it.
pub fn serve(
    host: &Host,
    engine: Engine,
    sandbox: SandboxReport,
    make_keys: MakeKeySource,
) -> Result<(), EnclaveError> {
    let Some(first) = host.next_request()? else { return Ok(()) };
    let ToEnclave::Init { anchors, tee } = first else {
        return Err(out_of_order("Init", &first));
    };
    let anchors: TrustAnchors = parse_json("trust anchors", &anchors, MAX_MANIFEST_BYTES)?;
    let signer = SigningKey::generate().map_err(|error| EnclaveError::Keys(error.into()))?;
    let enclave = signer.address();
    let setup = KeySourceSetup { host: host.clone(), anchors: anchors.clone(), tee, enclave };
    let keys = AppKeys::new(make_keys(setup)?);
    host.send(&FromEnclave::Ready { enclave, sandbox })?;
    let programs = Programs::new(engine);
    Enclave { host: host.clone(), anchors, signer, keys, programs, floor: Floor::default(), granted: None }
        .run()
}

impl Enclave {
    #[expect(clippy::wildcard_enum_match_arm, reason = "every other message is out of order")]
    fn run(mut self) -> Result<(), EnclaveError> {
        while let Some(request) = self.host.next_request()? {
            let answer = match request {
                ToEnclave::Attest { now } => self.attest(now),
                ToEnclave::Task(frame) => self.task(&frame),
                ToEnclave::Stop => return Ok(()),
                other => return Err(out_of_order("Attest, Task or Stop", &other)),
            };
            // A failure inside a foreign stream explains whatever the stream's user made of it.
            self.host.check()?;
            let answer = match answer {
                Ok(answer) => answer,
                Err(Stop::Refused(refusal)) => {
                    FromEnclave::Refused { retryable: refusal.retryable, reason: refusal.reason }
                }
                Err(Stop::Fatal(error)) => return Err(error),
            };
            self.host.send(&answer)?;
        }
        Ok(())
    }

    fn attest(&mut self, now: u64) -> Result<FromEnclave, Stop> {
        let grant = self.keys.attest(now)?;
        self.granted = Some((grant.grant.clone(), TrustedClock::start(&grant)));
        Ok(FromEnclave::Attested { grant: to_json(&grant) })
    }

    fn task(&mut self, frame: &TaskFrame) -> Result<FromEnclave, Stop> {
        let Some((_, clock)) = self.granted else {
            return Err(
                EnclaveError::OutOfOrder { expected: "Attest before the first Task", found: "Task" }.into()
            );
        };
        let done = match frame.count {
            1 => to_json(&task::run(self, frame, clock)?),
            _ => to_json(&batch::run(self, frame, clock)?),
        };
        Ok(FromEnclave::Done { done })
    }
}

fn to_json<T: serde::Serialize>(document: &T) -> Vec<u8> {
    serde_json::to_vec(document).expect("numbers, hashes and byte strings always serialize")
}
