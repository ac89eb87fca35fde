use super::*;
use crate::agreement::PaidRequest;
use alloy_sol_types::SolStruct;
use sealwork_protocol::job::{JobState, Statement};
use sealwork_types::{
    Bytes, Cid, Codec, PoolId,
    abi::{Batch, DealTerms, Grant, RequestOrder, Tally},
    deal::{self, Deal},
    enclave_wire::GrantFrame,
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
fn deal(number: u8, started_at: u64) -> Deal {
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
    Deal { pool: B256::ZERO, volume: 10, terms, request, request_signature: Bytes::new() }
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

fn accepted(deal: &Deal) -> Change {
    Change::Accepted(Box::new(deal.clone()))
}

fn news(changes: Vec<Change>, block: u64) -> News {
    News { changes: changes.into_iter().map(|change| (block, change)).collect(), now: 500, rewound_to: None }
}

fn rewound(block: u64) -> News {
    News { rewound_to: Some(block), ..News::default() }
}

fn closed(deal: &Deal, tasks: std::ops::RangeInclusive<u32>) -> Change {
    Change::Closed { deal: deal.id(), tasks, closing: Closing::Other }
}

fn key(deal: &Deal, first: u32) -> JobKey {
    JobKey { deal: deal.id(), first }
}

fn signed(signature: u8, tasks: u32) -> Box<Execution> {
    let zero = B256::ZERO;
    let work = deal::work(&request());
    let tally = Tally { paid: tasks, poolOnly: 0, refunded: 0, slashed: 0 };
    let batch = Box::new(Batch { work, dealId: zero, first: 0, tally, root: zero });
    let grant = Grant { enclave: Address::ZERO, measurement: zero, tee: 0, hardwareId: zero, expiry: 0 };
    Box::new(Execution {
        statement: Statement::Batch { batch, receipts: Cid::new(Codec::Raw, zero) },
        signature: vec![signature; 65].into(),
        grant: GrantFrame { grant, signatures: vec![] },
    })
}

fn by(signature: u8) -> Closing {
    Closing::Statement { signature: vec![signature; 65].into(), transaction: B256::repeat_byte(9) }
}

/// First task, number of tasks and state of every open job.
fn open(journal: &Journal) -> Vec<(u32, u32, &'static str)> {
    journal.open_jobs().unwrap().iter().map(|job| (job.first, job.count, job.state.name())).collect()
}

fn take(journal: &Journal, news: &News) {
    journal.record(news, EventCursor::default()).unwrap();
}

/// A log in a directory of its own, with one deal of ten tasks from block 7.
fn journal() -> (tempfile::TempDir, Journal, Deal) {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    let deal = deal(1, 100);
    take(&journal, &news(vec![accepted(&deal)], 7));
    (directory, journal, deal)
}

#[test]
fn jobs_and_cursor_survive_a_restart_together() {
    let directory = tempfile::tempdir().unwrap();
    let cursor = EventCursor { block: 7, log_index: 2, parent: B256::repeat_byte(3) };
    let journal = Journal::open(directory.path()).unwrap();
    journal.record(&news(vec![accepted(&deal(1, 100))], 7), cursor).unwrap();
    drop(journal);
    let journal = Journal::open(directory.path()).unwrap();
    assert_eq!(journal.cursor().unwrap(), cursor);
    assert_eq!(open(&journal), [(0, 10, "queued")]);
}

#[test]
fn an_event_seen_twice_does_not_reset_a_job() {
    let (_directory, journal, deal) = journal();
    journal.begin(key(&deal, 0), 10).unwrap().unwrap();
    take(&journal, &news(vec![accepted(&deal)], 7));
    assert_eq!(open(&journal), [(0, 10, "running")]);
}

#[test]
fn an_event_that_does_not_fit_changes_nothing() {
    let (_directory, journal, deal) = journal();
    let settled = JobEvent::Settled { transaction: B256::ZERO };
    assert!(journal.apply(key(&deal, 0), &settled, Place::default()).unwrap().is_none());
    assert!(journal.executed(key(&deal, 0), signed(1, 10)).unwrap().is_none());
    assert_eq!(open(&journal), [(0, 10, "queued")]);
}

#[test]
fn a_part_of_a_job_can_be_taken_and_less_of_it_done() {
    let (directory, journal, deal) = journal();
    assert_eq!(journal.begin(key(&deal, 0), 6).unwrap().unwrap().count, 6);
    assert_eq!(open(&journal), [(0, 6, "running"), (6, 4, "queued")]);
    let done = journal.executed(key(&deal, 0), signed(1, 2)).unwrap().unwrap();
    assert_eq!((done.first, done.count), (0, 2));
    let parts = [(0, 2, "executed"), (2, 4, "queued"), (6, 4, "queued")];
    assert_eq!(open(&journal), parts);
    let waiting = journal.job(key(&deal, 2)).unwrap().unwrap();
    assert_eq!(waiting.state, JobState::new(), "what was not begun had no attempt");
    assert_eq!(journal.next(Stage::Settle, |_| true).unwrap().unwrap().key(), key(&deal, 0));
    assert_eq!(journal.next(Stage::Run, |other| other.first != 2).unwrap().unwrap().key(), key(&deal, 6));
    drop(journal);
    assert_eq!(open(&Journal::open(directory.path()).unwrap()), parts);
}

#[test]
fn a_job_that_ran_when_the_worker_ended_waits_again() {
    let (directory, journal, deal) = journal();
    journal.begin(key(&deal, 0), 10).unwrap();
    // Makes what went before it last.
    journal.started(deal.id()).unwrap();
    drop(journal);
    let journal = Journal::open(directory.path()).unwrap();
    assert_eq!(journal.job(key(&deal, 0)).unwrap().unwrap().state, JobState::new());
}

#[test]
fn tasks_closed_by_others_are_cut_out_of_their_job() {
    let (_directory, journal, deal) = journal();
    take(&journal, &news(vec![closed(&deal, 3..=4)], 8));
    assert_eq!(open(&journal), [(0, 3, "queued"), (5, 5, "queued")]);
    let counts = journal.counts().unwrap();
    assert_eq!((counts.queued, counts.abandoned, counts.open()), (8, 2, 8));
    // A statement about all of a job is of no use when a part of it is closed.
    journal.begin(key(&deal, 5), 5).unwrap();
    journal.executed(key(&deal, 5), signed(1, 5)).unwrap();
    take(&journal, &news(vec![closed(&deal, 9..=20)], 9));
    assert_eq!(open(&journal), [(0, 3, "queued"), (5, 4, "queued")]);
    take(&journal, &news(vec![closed(&deal, 0..=u32::MAX)], 10));
    assert!(open(&journal).is_empty() && !journal.has_open(deal.id()).unwrap());
}

#[test]
fn our_own_statement_settles_and_another_one_closes() {
    for (signature, state) in [(1, "settled"), (2, "abandoned")] {
        let (_directory, journal, deal) = journal();
        journal.begin(key(&deal, 0), 10).unwrap();
        journal.executed(key(&deal, 0), signed(1, 10)).unwrap();
        let change = Change::Closed { deal: deal.id(), tasks: 0..=9, closing: by(signature) };
        take(&journal, &news(vec![change, closed(&deal, 0..=9)], 8));
        assert_eq!(journal.job(key(&deal, 0)).unwrap().unwrap().state.name(), state);
    }
}

#[test]
fn what_replaced_blocks_showed_is_taken_back() {
    let (_directory, journal, deal) = journal();
    journal.begin(key(&deal, 0), 5).unwrap();
    journal.executed(key(&deal, 0), signed(1, 5)).unwrap();
    let before = (open(&journal), journal.counts().unwrap().open());
    let at = Place { block: Some(8), now: 500 };
    journal.apply(key(&deal, 0), &JobEvent::Settled { transaction: B256::ZERO }, at).unwrap().unwrap();
    take(&journal, &news(vec![closed(&deal, 5..=9)], 9));
    assert!(open(&journal).is_empty());
    assert_eq!(journal.unstarted(1_000, 9).unwrap().len(), 0);
    take(&journal, &rewound(10));
    assert!(open(&journal).is_empty(), "later blocks only");
    take(&journal, &rewound(8));
    assert_eq!((open(&journal), journal.counts().unwrap().open()), before);
    assert!(journal.has_open(deal.id()).unwrap());
    assert_eq!(journal.unstarted(1_000, 9).unwrap().len(), 1, "its start is watched again");
}

#[test]
fn a_deal_of_a_replaced_block_is_forgotten_unless_it_was_begun() {
    let (_directory, journal, first) = journal();
    take(&journal, &rewound(7));
    assert_eq!((open(&journal), journal.agreement(first.id()).unwrap()), (vec![], None));
    take(&journal, &news(vec![accepted(&first)], 9));
    journal.begin(key(&first, 0), 10).unwrap();
    take(&journal, &rewound(9));
    assert_eq!(open(&journal), [(0, 10, "running")]);
    // It comes again in a block with another time, which its terms name.
    let again = deal(1, 112);
    take(&journal, &news(vec![accepted(&again)], 10));
    assert_eq!(open(&journal), [(0, 10, "running")]);
    let known = journal.agreement(first.id()).unwrap().unwrap();
    assert_eq!(known, Agreement::Matched(Box::new(again)));
    assert_eq!(journal.unstarted(112, 9).unwrap(), [known]);
}

#[test]
fn a_deal_that_comes_again_with_fewer_tasks_has_fewer() {
    let (_directory, journal, deal) = journal();
    journal.begin(key(&deal, 0), 4).unwrap();
    journal.executed(key(&deal, 0), signed(1, 4)).unwrap();
    take(&journal, &rewound(7));
    let fewer = |volume| Deal { volume, ..deal.clone() };
    take(&journal, &news(vec![accepted(&fewer(7))], 9));
    assert_eq!(open(&journal), [(0, 4, "executed"), (4, 3, "queued")]);
    take(&journal, &news(vec![accepted(&fewer(2))], 9));
    assert_eq!(open(&journal), [(0, 2, "queued")]);
    let counts = journal.counts().unwrap();
    assert_eq!((counts.queued, counts.executed), (2, 0));
}

#[test]
fn a_task_of_a_channel_stays_one_when_its_request_is_matched() {
    let (_directory, journal, channel) = journal();
    take(&journal, &news(vec![Change::Channel(Box::new(channel.clone()))], 8));
    let DirectRequest { request, request_hash, accepted_at, .. } = direct(6, 50);
    let paid = PaidRequest { request, request_hash, channel: channel.id(), accepted_at };
    journal.accept_paid(paid, 1, &Bytes::new()).unwrap().unwrap();
    take(&journal, &news(vec![accepted(&deal(6, 100))], 9));
    let agreement = journal.agreement(deal(6, 100).id()).unwrap().unwrap();
    assert!(matches!(agreement, Agreement::Channel(_)));
}

#[test]
fn what_is_final_is_not_taken_back_and_deals_are_forgotten_in_time() {
    let (_directory, journal, deal) = journal();
    take(&journal, &news(vec![closed(&deal, 0..=9)], 8));
    assert_eq!(journal.prune(500 + 3_601, 8).unwrap(), 0, "block 8 may still be replaced");
    assert_eq!(journal.prune(500 + 3_600, 9).unwrap(), 0, "its time has not come");
    assert_eq!(journal.prune(u64::MAX, 9).unwrap(), 1);
    take(&journal, &rewound(1));
    assert_eq!((open(&journal), journal.agreement(deal.id()).unwrap()), (vec![], None));
    assert_eq!(journal.counts().unwrap().abandoned, 10, "what ended stays counted");
}

#[test]
fn open_jobs_come_oldest_first_and_then_as_they_came() {
    let (_directory, journal, first) = journal();
    let (older, younger) = (deal(2, 99), deal(3, 100));
    take(&journal, &news(vec![accepted(&younger), accepted(&older)], 8));
    let next = |skip: &[&Deal]| {
        let found = journal.next(Stage::Run, |key| skip.iter().all(|deal| deal.id() != key.deal)).unwrap();
        found.unwrap().deal()
    };
    assert_eq!(next(&[]), older.id());
    assert_eq!(next(&[&older]), first.id());
    assert_eq!(next(&[&older, &first]), younger.id());
}

#[test]
fn deals_are_watched_until_they_are_started() {
    let (_directory, journal, late) = journal();
    let early = deal(2, 99);
    take(&journal, &news(vec![accepted(&early)], 8));
    journal.accept(direct(3, 1)).unwrap();
    let ids = |until, limit| -> Vec<DealId> {
        journal.unstarted(until, limit).unwrap().iter().map(Agreement::id).collect()
    };
    assert_eq!(ids(98, 9), []);
    assert_eq!((ids(99, 9), ids(100, 1)), (vec![early.id()], vec![early.id()]));
    assert_eq!(ids(100, 9), [early.id(), late.id()]);
    journal.started(early.id()).unwrap();
    take(&journal, &news(vec![Change::Started(early.id())], 9));
    assert_eq!(ids(100, 9), [late.id()]);
}

#[test]
fn a_request_is_accepted_once_and_keeps_what_it_reached_when_it_is_matched() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    journal.accept(direct(1, 50)).unwrap();
    assert_eq!(journal.promised(Address::repeat_byte(2)).unwrap(), (1, U256::from(7)));
    assert_eq!(journal.promised(Address::repeat_byte(3)).unwrap(), (1, U256::ZERO));
    let deal = deal(1, 100);
    journal.begin(key(&deal, 0), 1).unwrap().unwrap();
    journal.accept(direct(1, 60)).unwrap();
    take(&journal, &news(vec![accepted(&deal)], 8));
    assert_eq!(open(&journal), [(0, 1, "running"), (1, 9, "queued")]);
    assert_eq!(journal.promised(Address::repeat_byte(2)).unwrap().0, 0);
    assert_eq!(journal.agreement(deal.id()).unwrap(), Some(Agreement::Matched(Box::new(deal))));
}

#[test]
fn a_request_that_was_given_up_gets_another_chance_when_it_is_matched() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    journal.accept(direct(1, 50)).unwrap();
    let deal = deal(1, 100);
    let gave_up = JobEvent::GaveUp { reason: "not covered".into() };
    journal.apply(key(&deal, 0), &gave_up, Place::default()).unwrap().unwrap();
    assert_eq!((open(&journal), journal.counts().unwrap().reasons), (vec![], vec!["not covered".to_owned()]));
    take(&journal, &news(vec![accepted(&deal)], 8));
    assert_eq!(open(&journal), [(0, 1, "queued"), (1, 9, "queued")]);
    assert!(journal.has_open(deal.id()).unwrap());
}

#[test]
fn a_log_whose_making_was_interrupted_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("jobs.redb"), vec![0; 4_096]).unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    take(&journal, &news(vec![accepted(&deal(1, 100))], 7));
    drop(journal);
    assert_eq!(open(&Journal::open(directory.path()).unwrap()).len(), 1);
    // Anything else is somebody's data, or a damaged log: it is left alone.
    let other = directory.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("jobs.redb"), b"something else that is long enough").unwrap();
    assert!(Journal::open(&other).is_err());
    assert!(std::fs::read(other.join("jobs.redb")).unwrap().starts_with(b"something"));
}

#[test]
fn a_second_worker_on_the_same_log_is_told_so() {
    let directory = tempfile::tempdir().unwrap();
    let _first = Journal::open(directory.path()).unwrap();
    let error = Journal::open(directory.path()).unwrap_err().to_string();
    assert!(error.contains("another worker"), "{error}");
}

#[test]
fn a_channel_and_its_closing_are_written_down_and_can_be_taken_back() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    let channel = deal(5, 100);
    take(&journal, &news(vec![Change::Channel(Box::new(channel.clone()))], 7));
    let change = |change| Change::ChannelChange(channel.id(), change);
    take(&journal, &news(vec![change(ChannelChange::Closing(777))], 8));
    take(&journal, &news(vec![change(ChannelChange::Closed(2))], 9));
    drop(journal);
    let journal = Journal::open(directory.path()).unwrap();
    let state = |journal: &Journal| {
        let record = journal.channel(channel.id()).unwrap().unwrap();
        (record.closing, record.closed)
    };
    assert_eq!(state(&journal), (Some(777), 2));
    take(&journal, &rewound(9));
    assert_eq!(state(&journal), (Some(777), 0));
    take(&journal, &rewound(8));
    assert_eq!(state(&journal), (None, 0));
}
