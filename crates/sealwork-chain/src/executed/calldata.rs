//! Finds the orders of an executed deal in a transaction's input. Whoever sent it wrote what it liked beside them, so
//! memory and work are bounded before anything is decoded.

use alloy_sol_types::{SolCall, abi::AbiDecoderConfig};
use sealwork_types::{
    DealId,
    abi::{
        IMarket::{executeCall, multicallCall},
        Orders,
    },
    order::{SigningDomain, deal_id},
};

/// Bytes of calls that are looked at, counted once for each multicall around them. A transaction that nodes pass on has
/// at most 128 KiB.
const MAX_CALL_BYTES: usize = 1 << 20;
/// Memory that one call may take when it is decoded: its parts can overlap, so that it is more than it seems.
const MAX_DECODED_BYTES: usize = 4 << 20;

/// The orders in a call of `execute` whose request makes up this deal: the call itself, or one inside a multicall.
pub(super) fn find(input: &[u8], domain: &SigningDomain, deal: DealId) -> Option<Orders> {
    let limits = AbiDecoderConfig::new().memory_limit(MAX_DECODED_BYTES);
    let mut budget = MAX_CALL_BYTES.checked_sub(input.len())?;
    let mut pending = vec![input.to_vec()];
    while let Some(call) = pending.pop() {
        if let Ok(execute) = executeCall::abi_decode_with_config(&call, limits) {
            if deal_id(domain.order_hash(&execute.orders.request), 0) == deal {
                return Some(execute.orders);
            }
        } else if let Ok(multicall) = multicallCall::abi_decode_with_config(&call, limits) {
            for inner in multicall.calls {
                budget = budget.checked_sub(inner.len())?;
                pending.push(inner.into());
            }
        }
    }
    None
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use alloy_primitives::{Address, B256, Bytes, U256, aliases::U96};
    use sealwork_types::{
        Cid, Codec,
        abi::{AppOrder, IMarket::depositCall, Outcome, PoolOrder, RequestOrder},
        order::TaskParams,
    };

    pub(in super::super) const DOMAIN: SigningDomain =
        SigningDomain { chain_id: 1, market: Address::repeat_byte(0x3a) };

    /// Orders that differ by `salt`.
    pub(in super::super) fn orders(salt: u8) -> Orders {
        let (word, zero) = (B256::repeat_byte, B256::ZERO);
        let input_cid = Cid::new(Codec::Raw, word(0x11));
        Orders {
            app: AppOrder {
                app: word(1),
                price: U96::from(2),
                volume: 9,
                tag: zero,
                datasetRestrict: zero,
                poolRestrict: zero,
                requesterRestrict: zero,
                expiry: 5,
                nonce: 0,
                salt: zero,
            },
            appSignature: vec![1; 65].into(),
            pool: PoolOrder {
                pool: word(2),
                price: U96::from(3),
                stake: U96::from(4),
                volume: 9,
                tag: zero,
                category: 0,
                trust: 0,
                modes: 1,
                offer: zero,
                appRestrict: zero,
                datasetRestrict: zero,
                requesterRestrict: zero,
                expiry: 5,
                nonce: 0,
                salt: zero,
            },
            poolSignature: vec![2; 65].into(),
            request: RequestOrder {
                app: word(1),
                codeHash: word(3),
                policyHash: word(4),
                appMaxPrice: U96::from(2),
                datasets: Vec::new(),
                datasetMaxPrice: U96::ZERO,
                poolRestrict: word(2),
                poolMaxPrice: U96::from(3),
                minStake: U96::ZERO,
                requester: Address::repeat_byte(5),
                sponsor: Address::ZERO,
                outputRecipient: word(6),
                volume: 1,
                tag: zero,
                category: 0,
                trust: 0,
                mode: 0,
                callback: Address::ZERO,
                callbackGas: 0,
                params: TaskParams { input_cid, input_digest: word(0x22) }.to_bytes().into(),
                requirements: zero,
                expiry: 5,
                nonce: 0,
                salt: word(salt),
            },
            requestSignature: vec![3; 65].into(),
            datasets: Vec::new(),
            datasetSignatures: Vec::new(),
            memberships: Vec::new(),
        }
    }

    pub(in super::super) fn deal(orders: &Orders) -> DealId {
        deal_id(DOMAIN.order_hash(&orders.request), 0)
    }

    pub(in super::super) fn execute(orders: Orders) -> Bytes {
        let outcome = Outcome {
            index: 0,
            status: 0,
            fuel: 1,
            keyEpoch: 0,
            output: B256::ZERO,
            outputCid: B256::ZERO,
            outputCodec: 0,
        };
        let (r, vs) = (B256::repeat_byte(7), B256::repeat_byte(8));
        executeCall { orders, outcome, r, vs, effects: Vec::new() }.abi_encode().into()
    }

    fn multicall(calls: Vec<Bytes>) -> Bytes {
        multicallCall { calls }.abi_encode().into()
    }

    fn found(input: &[u8], salt: u8) -> Option<Orders> {
        find(input, &DOMAIN, deal(&orders(salt)))
    }

    #[test]
    fn a_direct_call_is_found_by_its_deal_only() {
        let input = execute(orders(1));
        assert_eq!(found(&input, 1), Some(orders(1)));
        assert_eq!(found(&input, 2), None);
        assert_eq!(find(&input, &SigningDomain { chain_id: 2, ..DOMAIN }, deal(&orders(1))), None);
    }

    #[test]
    fn the_right_one_of_a_multicall_is_found_however_deep() {
        let other: Bytes = depositCall { amount: U256::from(1) }.abi_encode().into();
        let inner = multicall(vec![execute(orders(2)), other.clone()]);
        let input = multicall(vec![other, execute(orders(1)), inner, execute(orders(3))]);
        for salt in [1, 2, 3] {
            assert_eq!(found(&input, salt), Some(orders(salt)), "{salt}");
        }
        assert_eq!(found(&input, 4), None);
    }

    #[test]
    fn garbage_and_cut_calls_hold_nothing() {
        let whole = multicall(vec![execute(orders(1))]);
        for length in 0..whole.len().saturating_sub(32) {
            assert_eq!(found(&whole[..length], 1), None, "{length}");
        }
        let mut flipped = execute(orders(1)).to_vec();
        for at in 4..36 {
            flipped[at] ^= 0xff;
            assert_eq!(found(&flipped, 1), None, "offset byte {at}");
            flipped[at] ^= 0xff;
        }
        let selectors = [executeCall::SELECTOR, multicallCall::SELECTOR];
        for selector in selectors {
            assert_eq!(found(&[selector.as_slice(), &[0xff; 4096]].concat(), 1), None);
        }
    }

    /// A multicall of `count` calls that are all the same bytes.
    fn overlapping(call: &[u8], count: usize) -> Vec<u8> {
        let word = |number: usize| U256::from(number).to_be_bytes::<32>();
        let mut input = multicallCall::SELECTOR.to_vec();
        input.extend(word(32));
        input.extend(word(count));
        for _ in 0..count {
            input.extend(word(count * 32));
        }
        input.extend(word(call.len()));
        input.extend(call);
        input.resize(input.len().next_multiple_of(32) + 4, 0);
        input
    }

    #[test]
    fn calls_that_share_their_bytes_do_not_multiply() {
        let call = execute(orders(1));
        assert_eq!(found(&overlapping(&call, 3), 1), Some(orders(1)));
        // 2,000 times 2,000 times the same call would be 8 GB.
        let bomb = overlapping(&overlapping(&[0; 2_000], 2_000), 2_000);
        assert!(bomb.len() < 256 << 10, "{}", bomb.len());
        assert_eq!(found(&bomb, 1), None);
        assert_eq!(found(&vec![0; MAX_CALL_BYTES + 1], 1), None);
    }
}
