// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Owner and price of a dataset inside a deal.
/// @param owner Who is paid.
/// @param price Price of one task.
struct DatasetShare {
    address owner;
    uint96 price;
}

/// @notice What was agreed, as far as money and receipts depend on it. The Market keeps 24 bytes of its EIP-712 structure
/// hash; the terms stand in the event `Matched` and travel in calldata.
/// @param requestHash EIP-712 hash that the requester signed.
/// @param firstTask Volume of the request that was used up before. The deal's id is
/// keccak256(abi.encode(requestHash, firstTask)).
/// @param workHash Structure hash of `Work`.
/// @param payer Who paid in advance and gets refunds.
/// @param appOwner Who is paid for the app.
/// @param poolOwner Who is paid for the execution and put up the stake.
/// @param appPrice App price of one task.
/// @param poolPrice Pool price of one task.
/// @param stake Pool's stake for one task.
/// @param feeBps Protocol fee at the time of the match, in hundredths of a percent of each payment.
/// @param mode How the tasks are settled.
/// @param startedAt Time of the match, in seconds since 1970.
/// @param callback Contract that is told the result; zero for none.
/// @param callbackGas Gas for the callback.
/// @param datasets In the order of the request.
struct DealTerms {
    bytes32 requestHash;
    uint32 firstTask;
    bytes32 workHash;
    address payer;
    address appOwner;
    address poolOwner;
    uint96 appPrice;
    uint96 poolPrice;
    uint96 stake;
    uint16 feeBps;
    uint8 mode;
    uint64 startedAt;
    address callback;
    uint32 callbackGas;
    DatasetShare[] datasets;
}

/// @notice How far a deal is.
/// @param volume Tasks in the deal; zero when there is no such deal, or it is finished and forgotten.
/// @param closed Tasks that are closed, by a receipt, a voucher or a refund.
/// @param started Whether the pool said that it works on the deal.
/// @param whole Whether it is all of its request, and will be forgotten when it is finished.
/// @param termsHash First 24 bytes of the structure hash of the terms.
struct DealProgress {
    uint32 volume;
    uint32 closed;
    bool started;
    bool whole;
    bytes24 termsHash;
}

/// @notice What shall run on what.
/// @param app Registry id of the app.
/// @param codeHash SHA-256 of the module.
/// @param policyHash SHA-256 of the policy that applies.
/// @param input SHA-256 of the sealed input; zero when inputs are named later.
struct Work {
    bytes32 app;
    bytes32 codeHash;
    bytes32 policyHash;
    bytes32 input;
}

/// @notice What an enclave says about one task.
/// @param work What ran on what.
/// @param dealId Deal of the task.
/// @param index Which task of the deal, from 0.
/// @param status Row of the status table.
/// @param fuel Fuel used.
/// @param keyEpoch Epoch of the keys in use.
/// @param output SHA-256 of the sealed output; zero when there is none.
/// @param callbackHash keccak256 of the bytes for the callback; zero when there are none.
/// @param stateBefore State root before the task; zero for stateless apps.
/// @param stateAfter State root after the task; zero for stateless apps.
/// @param deltaIndex Index of the state change; zero for stateless apps.
struct Receipt {
    Work work;
    bytes32 dealId;
    uint32 index;
    uint16 status;
    uint64 fuel;
    uint32 keyEpoch;
    bytes32 output;
    bytes32 callbackHash;
    bytes32 stateBefore;
    bytes32 stateAfter;
    uint64 deltaIndex;
}

/// @notice The part of a receipt that every task has and the deal does not determine, and where the output lies.
/// @param index Which task of the deal, from 0.
/// @param status Row of the status table.
/// @param fuel Fuel used.
/// @param keyEpoch Epoch of the keys in use.
/// @param output SHA-256 of the sealed output; zero when there is none.
/// @param outputCid Digest of the output's CIDv1 (SHA-256); zero exactly when `output` is. The pool's word: the receipt
/// does not cover it.
/// @param outputCodec Codec of that CID: 0x55 raw, 0x70 dag-pb; zero without an output.
struct Outcome {
    uint32 index;
    uint16 status;
    uint64 fuel;
    uint32 keyEpoch;
    bytes32 output;
    bytes32 outputCid;
    uint8 outputCodec;
}

/// @notice The rest of a receipt, for a task that does more than write an output.
/// @param callbackHash keccak256 of the bytes for the callback; zero when there are none.
/// @param stateBefore State root before the task; zero for stateless apps.
/// @param stateAfter State root after the task; zero for stateless apps.
/// @param deltaIndex Index of the state change; zero for stateless apps.
/// @param callbackData Bytes behind `callbackHash`, when the deal has a callback.
struct Effects {
    bytes32 callbackHash;
    bytes32 stateBefore;
    bytes32 stateAfter;
    uint64 deltaIndex;
    bytes callbackData;
}

/// @notice How many tasks ended in each way that differs in money.
/// @param paid Everybody is paid.
/// @param poolOnly The pool is paid; the prices of app and datasets go back to the payer.
/// @param refunded Everything goes back to the payer.
/// @param slashed Everything goes back to the payer, and the pool loses its stake.
struct Tally {
    uint32 paid;
    uint32 poolOnly;
    uint32 refunded;
    uint32 slashed;
}

/// @notice What an enclave says about many tasks of one deal that follow each other.
/// @param work What ran on what.
/// @param dealId Deal of the tasks.
/// @param first Index of the first task.
/// @param tally Their ends; the sum is the number of tasks.
/// @param root Merkle root over the structure hashes of their receipts, in the order of the tasks, pairs sorted.
struct Batch {
    Work work;
    bytes32 dealId;
    uint32 first;
    Tally tally;
    bytes32 root;
}
