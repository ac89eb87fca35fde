use super::*;
use sealwork_types::{Address, B256, abi::RequestOrder};

fn terms() -> DealTerms {
    let request = RequestOrder {
        app: B256::repeat_byte(1),
        appMaxPrice: Default::default(),
        datasets: vec![],
        datasetMaxPrice: Default::default(),
        poolRestrict: B256::ZERO,
        poolMaxPrice: Default::default(),
        requester: Address::repeat_byte(2),
        sponsor: Address::ZERO,
        outputRecipient: B256::ZERO,
        volume: 2,
        tag: B256::ZERO,
        category: 0,
        trust: 0,
        mode: 0,
        callback: Address::ZERO,
        callbackGas: 0,
        params: Bytes::new(),
        requirements: B256::ZERO,
        expiry: 0,
        nonce: 0,
        salt: B256::ZERO,
    };
    DealTerms {
        request,
        requestHash: B256::ZERO,
        pool: B256::ZERO,
        codeHash: B256::ZERO,
        policyHash: B256::ZERO,
        appOwner: Address::ZERO,
        poolOwner: Address::ZERO,
        payer: Address::ZERO,
        appPrice: Default::default(),
        poolPrice: Default::default(),
        feeBps: 0,
        datasets: vec![],
        volume: 2,
        startedAt: 0,
    }
}

fn job(index: u32) -> Job {
    Job {
        deal: DealId::new(B256::repeat_byte(3)),
        index,
        terms: terms(),
        request_signature: Bytes::new(),
        state: JobState::new(),
    }
}

#[test]
fn jobs_and_cursor_survive_a_restart_together() {
    let directory = tempfile::tempdir().unwrap();
    let cursor = EventCursor { block: 7, log_index: 2 };
    Journal::open(directory.path()).unwrap().record(&[job(0), job(1)], cursor).unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    assert_eq!(journal.cursor().unwrap(), cursor);
    assert_eq!(journal.jobs(|_| true).unwrap().len(), 2);
}

#[test]
fn an_event_seen_twice_does_not_reset_a_job() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    journal.record(&[job(0)], EventCursor::default()).unwrap();
    journal.apply(job(0).task(), JobEvent::Started).unwrap();
    journal.record(&[job(0)], EventCursor::default()).unwrap();
    assert_eq!(journal.job(job(0).task()).unwrap().unwrap().state, JobState::Running { attempt: 1 });
}

#[test]
fn a_refused_transition_leaves_the_log_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    journal.record(&[job(0)], EventCursor::default()).unwrap();
    let settled = JobEvent::Settled { transaction: B256::ZERO };
    assert!(matches!(journal.apply(job(0).task(), settled), Err(JournalError::Transition { .. })));
    assert_eq!(journal.job(job(0).task()).unwrap().unwrap().state, JobState::new());
}

#[test]
fn a_second_worker_on_the_same_log_is_told_so() {
    let directory = tempfile::tempdir().unwrap();
    let _first = Journal::open(directory.path()).unwrap();
    let error = Journal::open(directory.path()).unwrap_err().to_string();
    assert!(error.contains("another worker"), "{error}");
}
