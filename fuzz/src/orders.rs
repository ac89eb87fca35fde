//! Signed orders of each kind, requests, tasks in channels, and the answers about them.

use crate::{
    json::{Samples, check, check_plain, document},
    samples::{self, DOMAIN},
    seeds::{Seed, chosen},
};
use sealwork_types::{
    abi::Voucher,
    channel::{ChannelTask, TaskReceipt, misfit, task_deal},
    deal::{self, Deal},
    order::{SignedRequest, TaskParams},
    signed_order::{MAX_ORDER_DOCUMENT_BYTES, Order, SignedOrder},
};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Four kinds of orders, then requests, channel tasks, deals and receipts of channel tasks.
const KINDS: u8 = 8;

static SAMPLES: Samples<8> =
    Samples::new(|| std::array::from_fn(|kind| sample(u8::try_from(kind).expect("few"))));
static CHANNEL: LazyLock<Deal> = LazyLock::new(samples::deal);

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let kind = kind % KINDS;
    let bytes = &document(rest, || SAMPLES.get(kind))[..];
    match kind {
        0..=3 => order(bytes),
        4 => {
            if let Some(request) = check_plain::<SignedRequest>(bytes) {
                assert_eq!(request.app().get(), request.order.app);
            }
        }
        5 => channel_task(bytes),
        6 => deal(bytes),
        _ => drop(check_plain::<TaskReceipt>(bytes)),
    }
}

fn order(bytes: &[u8]) {
    let Some(signed) = check(bytes, MAX_ORDER_DOCUMENT_BYTES, SignedOrder::parse) else { return };
    let order = &signed.order;
    let again = Order::from_fields(order.kind(), order.fields()).expect("an order's own fields");
    assert_eq!((again.hash(&signed.domain), &again), (signed.hash(), order));
    assert_eq!(order.kind().name().parse(), Ok(order.kind()));
}

fn channel_task(bytes: &[u8]) {
    let Some(task) = check_plain::<ChannelTask>(bytes) else { return };
    let channel = &*CHANNEL;
    let made = task_deal(channel, &task.request, DOMAIN.signing_hash(&task.request.order));
    assert!(made.names_its_work() && made.volume == 1);
    let Some((field, problem)) = misfit(channel, &task.request.order) else {
        assert_eq!(task.request.order.requester, channel.request.requester);
        assert_eq!(made.terms.mode, task.request.order.mode);
        return;
    };
    assert!(!field.is_empty() && !problem.is_empty());
}

fn deal(bytes: &[u8]) {
    let Some(deal) = check_plain::<Deal>(bytes) else { return };
    let names_input = TaskParams::from_bytes(&deal.request.params).is_ok();
    assert!(names_input || deal.work().input.is_zero());
    assert!(deal.price() >= alloy_primitives::U256::from(deal.terms.poolPrice));
    let _ = (deal.deadline(true), deal.id(), deal.task(u32::MAX), deal::terms_hash(&deal.terms));
}

fn sample(kind: u8) -> Value {
    let request = samples::signed_request();
    match kind {
        0..=3 => samples::orders()[usize::from(kind)].to_value(),
        4 => json!(request),
        5 => {
            let voucher = Voucher { dealId: samples::deal().id().get(), count: 3 };
            json!(ChannelTask { request, count: 3, voucher: samples::requester().sign(&DOMAIN, &voucher) })
        }
        6 => json!(samples::deal()),
        _ => {
            let receipt = samples::receipts_of(&samples::deal()).remove(0);
            json!(TaskReceipt {
                request,
                signature: samples::enclave().sign(&DOMAIN, &receipt),
                receipt,
                grant: samples::grant(),
                grant_signatures: vec![samples::member().sign(&DOMAIN, &samples::grant())],
                output: Some(samples::params().input_cid),
            })
        }
    }
}

pub fn seeds() -> Vec<Seed> {
    (0..KINDS)
        .flat_map(|kind| {
            let plain = [&[0][..], sample(kind).to_string().as_bytes()].concat();
            [
                chosen(&format!("valid-{kind}"), kind, plain),
                chosen(&format!("changed-{kind}"), kind, [1, 9, 9]),
            ]
        })
        .collect()
}
