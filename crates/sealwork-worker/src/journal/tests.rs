use super::*;
use alloy_sol_types::SolStruct;
use sealwork_types::{
    Address, B256, Bytes, PoolId, U256,
    abi::{DealTerms, RequestOrder},
    deal::{self, Deal},
    order::SignedRequest,
};

fn request() -> RequestOrder {
    RequestOrder {
        app: B256::repeat_byte(1),
        codeHash: B256::ZERO,
        policyHash: B256::ZERO,
        appMaxPrice: Default::default(),
        datasets: vec![],
        datasetMaxPrice: Default::default(),
        poolRestrict: B256::ZERO,
        poolMaxPrice: Default::default(),
        minStake: Default::default(),
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
        expiry: 1_000,
        nonce: 0,
        salt: B256::ZERO,
    }
}

/// A deal that was made at `started_at`; the request hash tells deals apart.
fn deal(number: u8, started_at: u64) -> Agreement {
    let request = request();
    let terms = DealTerms {
        requestHash: B256::repeat_byte(number),
        firstTask: 0,
        workHash: deal::work(&request).eip712_hash_struct(),
        payer: Address::ZERO,
        appOwner: Address::ZERO,
        poolOwner: Address::ZERO,
        appPrice: Default::default(),
        poolPrice: Default::default(),
        stake: Default::default(),
        feeBps: 0,
        mode: 0,
        startedAt: started_at,
        callback: Address::ZERO,
        callbackGas: 0,
        datasets: vec![],
    };
    let deal = Deal { pool: B256::ZERO, volume: 2, terms, request, request_signature: Bytes::new() };
    Agreement::Matched(Box::new(deal))
}

fn direct(number: u8, accepted_at: u64) -> DirectRequest {
    DirectRequest {
        request: SignedRequest { order: request(), signature: Bytes::new() },
        request_hash: B256::repeat_byte(number),
        pool: PoolId::new(B256::ZERO),
        accepted_at,
        price: U256::from(7),
    }
}

fn all(agreement: &Agreement) -> Accepted {
    Accepted { agreement: agreement.clone(), open: (0..agreement.volume()).collect() }
}

fn task(agreement: &Agreement, index: u32) -> TaskId {
    order::task_id(agreement.id(), index)
}

/// A log in a directory of its own, with one deal.
fn journal() -> (tempfile::TempDir, Journal, Agreement) {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    let deal = deal(1, 100);
    journal.record(&News { accepted: vec![all(&deal)], ..News::default() }, EventCursor::default()).unwrap();
    (directory, journal, deal)
}

#[test]
fn jobs_and_cursor_survive_a_restart_together() {
    let directory = tempfile::tempdir().unwrap();
    let cursor = EventCursor { log_index: 2, ..EventCursor::at_block(7) };
    Journal::open(directory.path())
        .unwrap()
        .record(&News { accepted: vec![all(&deal(1, 100))], ..News::default() }, cursor)
        .unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    assert_eq!(journal.cursor().unwrap(), cursor);
    assert_eq!(journal.open_jobs().unwrap().len(), 2);
}

#[test]
fn an_event_seen_twice_does_not_reset_a_job() {
    let (_directory, journal, deal) = journal();
    journal.apply(task(&deal, 0), JobEvent::Started).unwrap();
    journal.record(&News { accepted: vec![all(&deal)], ..News::default() }, EventCursor::default()).unwrap();
    assert_eq!(journal.job(task(&deal, 0)).unwrap().unwrap().state, JobState::Running { attempt: 1 });
}

#[test]
fn a_refused_transition_leaves_the_log_as_it_was() {
    let (_directory, journal, deal) = journal();
    let settled = JobEvent::Settled { transaction: B256::ZERO };
    assert!(matches!(journal.apply(task(&deal, 0), settled), Err(JournalError::Transition { .. })));
    assert_eq!(journal.job(task(&deal, 0)).unwrap().unwrap().state, JobState::new());
}

#[test]
fn open_jobs_come_oldest_first_and_leave_when_they_end() {
    let (_directory, journal, second) = journal();
    let first = deal(2, 99);
    journal.record(&News { accepted: vec![all(&first)], ..News::default() }, EventCursor::default()).unwrap();
    let order: Vec<TaskId> = journal.open_jobs().unwrap().iter().map(Job::task).collect();
    assert_eq!(order, [task(&first, 0), task(&first, 1), task(&second, 0), task(&second, 1)]);
    journal.apply(task(&first, 0), JobEvent::Closed).unwrap();
    assert_eq!(journal.next_open(|_| true).unwrap().unwrap().task(), task(&first, 1));
    let skipped = journal.next_open(|other| other != task(&first, 1)).unwrap().unwrap();
    assert_eq!(skipped.task(), task(&second, 0));
    assert!(journal.has_open(&first).unwrap());
    journal.apply(task(&first, 1), JobEvent::Closed).unwrap();
    assert!(!journal.has_open(&first).unwrap());
    assert_eq!((journal.open_count().unwrap(), journal.states().unwrap().len()), (2, 4));
}

#[test]
fn deals_are_watched_until_they_are_started() {
    let (_directory, journal, late) = journal();
    let early = deal(2, 99);
    journal.record(&News { accepted: vec![all(&early)], ..News::default() }, EventCursor::default()).unwrap();
    journal.accept(direct(3, 1)).unwrap();
    assert_eq!(journal.unstarted(98, 9).unwrap(), []);
    assert_eq!(journal.unstarted(99, 9).unwrap(), std::slice::from_ref(&early));
    assert_eq!(journal.unstarted(100, 9).unwrap(), [early.clone(), late.clone()]);
    assert_eq!(journal.unstarted(100, 1).unwrap(), std::slice::from_ref(&early));
    journal.started(&early).unwrap();
    journal.started(&early).unwrap();
    assert_eq!(journal.unstarted(100, 9).unwrap(), [late]);
}

#[test]
fn a_request_is_accepted_once_and_keeps_what_it_reached_when_it_is_matched() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    journal.accept(direct(1, 50)).unwrap();
    let deal = deal(1, 100);
    journal.apply(task(&deal, 0), JobEvent::Started).unwrap();
    journal.accept(direct(1, 60)).unwrap();
    assert_eq!(journal.open_jobs().unwrap()[0].direct().unwrap().accepted_at, 50);
    journal.record(&News { accepted: vec![all(&deal)], ..News::default() }, EventCursor::default()).unwrap();
    let jobs = journal.open_jobs().unwrap();
    assert_eq!(
        jobs.iter().map(|job| job.state.clone()).collect::<Vec<_>>(),
        [JobState::Running { attempt: 1 }, JobState::new()]
    );
    assert!(jobs.iter().all(|job| job.direct().is_none()));
    assert_eq!(journal.agreement(deal.id()).unwrap(), Some(deal));
}

#[test]
fn a_request_that_was_given_up_gets_another_chance_when_it_is_matched() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    journal.accept(direct(1, 50)).unwrap();
    let deal = deal(1, 100);
    journal.apply(task(&deal, 0), JobEvent::GaveUp { reason: "not covered".into() }).unwrap();
    assert_eq!(journal.open_count().unwrap(), 0);
    journal.record(&News { accepted: vec![all(&deal)], ..News::default() }, EventCursor::default()).unwrap();
    assert_eq!(journal.open_count().unwrap(), 2);
}

#[test]
fn a_second_worker_on_the_same_log_is_told_so() {
    let directory = tempfile::tempdir().unwrap();
    let _first = Journal::open(directory.path()).unwrap();
    let error = Journal::open(directory.path()).unwrap_err().to_string();
    assert!(error.contains("another worker"), "{error}");
}

#[test]
fn a_channel_and_its_closing_are_written_down_with_the_cursor_behind_them() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    let Agreement::Matched(channel) = deal(5, 100) else { panic!("a deal") };
    let cursor = EventCursor { log_index: 2, ..EventCursor::at_block(9) };
    let changes = vec![(channel.id(), ChannelChange::Closing(777)), (channel.id(), ChannelChange::Closed(2))];
    let news = News { channels: vec![(*channel).clone()], changes, ..News::default() };
    journal.record(&news, cursor).unwrap();
    drop(journal);
    let journal = Journal::open(directory.path()).unwrap();
    let record = journal.channel(channel.id()).unwrap().unwrap();
    assert_eq!((record.closing, record.closed, journal.cursor().unwrap()), (Some(777), 2, cursor));
}
