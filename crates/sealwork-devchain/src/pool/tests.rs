use super::*;
use alloy_consensus::{SignableTransaction as _, TxEip1559};
use alloy_primitives::{Bytes, Signature};

fn transaction(sender: u8, nonce: u64, fee: u128) -> PooledTransaction {
    paying(sender, nonce, fee, 0)
}

fn paying(sender: u8, nonce: u64, fee: u128, tip: u128) -> PooledTransaction {
    let tx = TxEip1559 { nonce, max_fee_per_gas: fee, max_priority_fee_per_gas: tip, ..TxEip1559::default() };
    pooled(sender, tx)
}

fn pooled(sender: u8, mut tx: TxEip1559) -> PooledTransaction {
    tx.chain_id = sender.into();
    let envelope = tx.into_signed(Signature::test_signature()).into();
    PooledTransaction { envelope, sender: Address::repeat_byte(sender), impersonated: false }
}

fn order(pool: &mut Pool, base_fee: u64) -> Vec<(u8, u64)> {
    let mut turns = pool.turns(base_fee, &|_| 0);
    let mut order = Vec::new();
    while let Some(turn) = turns.pop_first() {
        pool.take(turn.sender, turn.nonce).unwrap();
        order.push((turn.sender.0[0], turn.nonce));
        turns.extend(pool.turn(turn.sender, turn.nonce + 1, base_fee));
    }
    order
}

#[test]
fn takes_each_senders_nonces_in_order_and_the_oldest_first() {
    let mut pool = Pool::default();
    for (sender, nonce) in [(1, 1), (2, 0), (1, 0), (2, 1)] {
        pool.insert(transaction(sender, nonce, 10), 0).unwrap();
    }
    assert_eq!(pool.next_nonce(Address::repeat_byte(1), 0), 2);
    assert_eq!(order(&mut pool, 0), [(2, 0), (1, 0), (1, 1), (2, 1)]);
    assert_eq!((pool.length(), pool.bytes), (0, 0));
}

#[test]
fn the_higher_tip_goes_first_and_what_is_below_the_base_fee_waits() {
    let mut pool = Pool::default();
    for (sender, fee, tip) in [(1, 200, 1), (2, 200, 90), (3, 101, 90), (4, 99, 90)] {
        pool.insert(paying(sender, 0, fee, tip), 0).unwrap();
    }
    assert_eq!(order(&mut pool, 100), [(2, 0), (1, 0), (3, 0)]);
    assert_eq!(order(&mut pool, 99), [(4, 0)]);
}

#[test]
fn forgets_used_nonces() {
    let mut pool = Pool::default();
    for nonce in 0..3 {
        pool.insert(transaction(1, nonce, 10), 0).unwrap();
    }
    assert_eq!(pool.turns(0, &|_| 2).len(), 1);
    assert_eq!(pool.length(), 1);
    assert!(pool.turns(0, &|_| 3).is_empty());
    assert_eq!((pool.length(), pool.bytes), (0, 0));
}

#[test]
fn replaces_only_for_a_tenth_more_of_both_fees() {
    let mut pool = Pool::default();
    pool.insert(paying(1, 0, 100, 10), 0).unwrap();
    assert!(matches!(pool.insert(paying(1, 0, 100, 10), 0), Err(Rejection::AlreadyKnown(_))));
    for (fee, tip) in [(109, 11), (110, 10), (1_000, 10), (109, 50)] {
        let refused = pool.insert(paying(1, 0, fee, tip), 0);
        assert!(
            matches!(refused, Err(Rejection::Underpriced { needed_fee: 110, needed_tip: 11 })),
            "{refused:?}"
        );
    }
    let left = pool.insert(paying(1, 0, 110, 11), 0).unwrap();
    assert_eq!(left, Some(paying(1, 0, 100, 10).hash()));
    assert!(pool.find(paying(1, 0, 100, 10).hash()).is_none());
    assert_eq!(pool.length(), 1);
}

#[test]
fn refuses_nonces_outside_the_window_and_evicts_the_worst_paid_when_full() {
    let mut pool = Pool::default();
    assert!(pool.insert(transaction(1, 4, 10), 5).is_err());
    assert!(pool.insert(transaction(1, 5 + SENDER_LIMIT, 10), 5).is_err());
    for number in 0..u64::try_from(POOL_LIMIT).unwrap() {
        let sender = u8::try_from(number / SENDER_LIMIT).unwrap();
        pool.insert(transaction(sender, number % SENDER_LIMIT, 10 + u128::from(sender)), 0).unwrap();
    }
    assert!(matches!(pool.insert(transaction(99, 0, 10), 0), Err(Rejection::PoolFull { .. })));
    let left = pool.insert(transaction(99, 0, 11), 0).unwrap();
    assert_eq!(left, Some(transaction(0, SENDER_LIMIT - 1, 10).hash()), "the last of the worst paid");
    assert_eq!(pool.length(), POOL_LIMIT);
}

#[test]
fn counts_bytes() {
    let mut pool = Pool::default();
    let large = |nonce| {
        pooled(1, TxEip1559 { nonce, input: Bytes::from(vec![1; TRANSACTION_BYTES]), ..TxEip1559::default() })
    };
    let fitting = u64::try_from(POOL_BYTES / (TRANSACTION_BYTES + 120)).unwrap();
    for nonce in 0..fitting {
        pool.insert(large(nonce), 0).unwrap();
    }
    assert!(matches!(pool.insert(large(fitting), 0), Err(Rejection::PoolFull { .. })));
    pool.remove_sender(Address::repeat_byte(1));
    assert_eq!((pool.length(), pool.bytes), (0, 0));
}
