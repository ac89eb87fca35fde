use super::*;
use sealwork_types::{
    Address,
    abi::{Grant, Work},
};

fn execution() -> Box<Execution> {
    let zero = B256::ZERO;
    Box::new(Execution {
        statement: Statement::Task {
            output: None,
            receipt: Box::new(Receipt {
                dealId: zero,
                work: Work { app: zero, codeHash: zero, policyHash: zero, input: zero },
                index: 0,
                output: zero,
                status: 0,
                fuel: 0,
                callbackHash: zero,
                stateBefore: zero,
                stateAfter: zero,
                deltaIndex: 0,
                keyEpoch: 0,
            }),
        },
        signature: Bytes::new(),
        grant: GrantFrame {
            grant: Grant { enclave: Address::ZERO, measurement: zero, tee: 0, hardwareId: zero, expiry: 0 },
            signatures: vec![],
        },
    })
}

fn states() -> Vec<JobState> {
    vec![
        JobState::new(),
        JobState::Running { attempt: 1 },
        JobState::Running { attempt: MAX_ATTEMPTS },
        JobState::Executed(execution()),
        JobState::Settled { transaction: B256::ZERO },
        JobState::Delivered(execution()),
        JobState::Abandoned { reason: String::new() },
    ]
}

fn events() -> Vec<JobEvent> {
    vec![
        JobEvent::Started,
        JobEvent::Interrupted { reason: "x".into() },
        JobEvent::Postponed { reason: "x".into() },
        JobEvent::GaveUp { reason: "x".into() },
        JobEvent::Executed(execution()),
        JobEvent::Settled { transaction: B256::ZERO },
        JobEvent::Delivered,
        JobEvent::Closed,
        JobEvent::DeadlinePassed,
    ]
}

/// Every state against every event, as one readable table.
#[test]
fn the_transition_table_is_the_documented_one() {
    let table: Vec<String> = states()
        .iter()
        .map(|state| {
            let row: Vec<_> = events()
                .into_iter()
                .map(|event| state.apply(event).map_or("-", |next| next.name()))
                .collect();
            format!("{}: {}", state.name(), row.join(" "))
        })
        .collect();
    assert_eq!(
        table,
        [
            "queued: running - - abandoned - - - abandoned abandoned",
            "running: - queued queued abandoned executed - - abandoned abandoned",
            "running: - abandoned queued abandoned executed - - abandoned abandoned",
            "executed: - - - abandoned - settled delivered abandoned abandoned",
            "settled: - - - - - - - - -",
            "delivered: - - - - - - - - -",
            "abandoned: - - - - - - - - -",
        ]
    );
}

#[test]
fn an_interrupted_job_counts_its_attempts() {
    let mut state = JobState::new();
    for attempt in 1..=MAX_ATTEMPTS {
        state = state.apply(JobEvent::Started).unwrap();
        assert_eq!(state, JobState::Running { attempt });
        state = state.apply(JobEvent::Interrupted { reason: "power cut".into() }).unwrap();
    }
    assert!(matches!(state, JobState::Abandoned { reason } if reason.contains("power cut")));
}

#[test]
fn a_postponed_job_loses_no_attempt() {
    let mut state = JobState::new();
    for _ in 0..3 * MAX_ATTEMPTS {
        state = state.apply(JobEvent::Started).unwrap();
        state = state.apply(JobEvent::Postponed { reason: "the CAS is away".into() }).unwrap();
    }
    assert_eq!(state, JobState::Queued { attempts: 0 });
}
