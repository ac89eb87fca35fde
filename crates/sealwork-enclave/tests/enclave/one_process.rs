//! The host's and the member's real code against the enclave's real code, all in this process on one runtime thread:
//! what a simulation does through the host's seams.

use crate::{
    hosted::{case, input, receipt, run},
    network::Network,
    wasm,
};
use async_trait::async_trait;
use sealwork_cas::{Member, serve_connection};
use sealwork_enclave::{EnclaveError, Host, member_sessions, serve};
use sealwork_ports::{EnclaveHost, PortError};
use sealwork_runtime::Engine;
use sealwork_types::{Measurement, Status, enclave_wire::SandboxReport};
use sealwork_worker::{Dialer, EnclaveLife, EnclaveProcess, LaunchedEnclave, Launcher, MemberStream};
use std::{
    io::{self, pipe},
    sync::Arc,
    thread::JoinHandle,
};
use tokio::net::unix::pipe::{Receiver, Sender};

/// Enclaves on threads, all with this measurement.
struct Threads(Measurement);

#[async_trait]
impl Launcher for Threads {
    fn measurement(&self) -> Measurement {
        self.0
    }

    async fn launch(&self, _slot: usize) -> Result<LaunchedEnclave, PortError> {
        let (enclave_reads, to_enclave) = pipe().unwrap();
        let (from_enclave, enclave_writes) = pipe().unwrap();
        let thread = std::thread::spawn(move || {
            let host = Host::new(enclave_reads, enclave_writes);
            serve(&host, Engine::new().unwrap(), SandboxReport::default(), member_sessions)
        });
        Ok(LaunchedEnclave {
            to_enclave: Box::new(Sender::from_owned_fd(to_enclave.into()).unwrap()),
            from_enclave: Box::new(Receiver::from_owned_fd(from_enclave.into()).unwrap()),
            life: Box::new(ThreadLife(Some(thread))),
        })
    }
}

/// A thread ends when its pipe closes, which the host's drop does.
struct ThreadLife(Option<JoinHandle<Result<(), EnclaveError>>>);

#[async_trait]
impl EnclaveLife for ThreadLife {
    fn has_ended(&mut self) -> bool {
        self.0.as_ref().is_none_or(JoinHandle::is_finished)
    }

    async fn ended(&mut self) -> io::Result<String> {
        while !self.has_ended() {
            tokio::task::yield_now().await;
        }
        Ok(format!("{:?}", self.0.take().map(JoinHandle::join)))
    }
}

/// Connections to one member that never leave this process.
struct Direct(Arc<Member>);

#[async_trait]
impl Dialer for Direct {
    async fn dial(&self, _endpoint: &str) -> io::Result<Box<dyn MemberStream>> {
        let (near, far) = tokio::io::duplex(64 << 10);
        let member = Arc::clone(&self.0);
        tokio::spawn(async move { serve_connection(member, far).await });
        Ok(Box::new(near))
    }
}

#[tokio::test(flavor = "current_thread")]
async fn host_member_and_enclave_run_in_one_process() {
    let mut network = Network::start().await;
    let settings = network.settings();
    let case = case(&network, wasm::echo()).await;
    // Nothing listens any more: whatever works now goes through the seams.
    network.take_down().await;
    let launcher = Threads(case.measurement);
    let host =
        EnclaveProcess::with(Arc::new(launcher), Arc::new(Direct(Arc::clone(&network.member))), settings);
    let info = host.ensure(0).await.unwrap();
    let ran = run(&host, input(case.prepare())).await.unwrap();
    let receipt = receipt(&case, &info, &ran.outcome);
    assert_eq!(Status::new(receipt.status), Status::SUCCESS);
    assert!(case.open_output(&receipt, &ran.output).stdout == case.stdin);
    host.stop(0).await;
    assert_ne!(host.ensure(0).await.unwrap().enclave, info.enclave, "a new enclave has a new key");
}
