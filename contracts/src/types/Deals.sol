// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { RequestOrder } from "./Orders.sol";

/// @notice Owner and price of a dataset inside a deal.
/// @param dataset Registry id.
/// @param owner Who is paid.
/// @param price Price of one task.
struct DatasetShare {
    bytes32 dataset;
    address owner;
    uint96 price;
}

/// @notice What was agreed. Contracts keep keccak256(abi.encode(terms)); the terms travel in calldata and in the event.
/// @param request The requester's order.
/// @param requestHash EIP-712 hash that the requester signed.
/// @param pool Registry id of the pool.
/// @param codeHash Code of the app at the time of the match.
/// @param policyHash Policy of the app at the time of the match.
/// @param appOwner Who is paid for the app.
/// @param poolOwner Who is paid for the execution.
/// @param payer Whose escrow account is locked.
/// @param appPrice App price of one task.
/// @param poolPrice Pool price of one task.
/// @param feeBps Protocol fee at the time of the match, in hundredths of a percent of each payment.
/// @param datasets Datasets, in the order of the request.
/// @param volume Tasks in the deal.
/// @param startedAt Time of the match, in seconds since 1970.
struct DealTerms {
    RequestOrder request;
    bytes32 requestHash;
    bytes32 pool;
    bytes32 codeHash;
    bytes32 policyHash;
    address appOwner;
    address poolOwner;
    address payer;
    uint96 appPrice;
    uint96 poolPrice;
    uint16 feeBps;
    DatasetShare[] datasets;
    uint32 volume;
    uint64 startedAt;
}

/// @notice How far a deal is.
/// @param volume Tasks in the deal; zero when there is no such deal.
/// @param settled Tasks that are closed, by a receipt or by a refund.
/// @param startedAt Time of the match, in seconds since 1970.
/// @param termsHash keccak256(abi.encode(terms)).
struct DealProgress {
    uint32 volume;
    uint32 settled;
    uint64 startedAt;
    bytes32 termsHash;
}

/// @notice What an enclave says about one task.
/// @param taskId keccak256(abi.encode(dealId, index)).
/// @param dealId Deal of the task.
/// @param app Registry id of the app.
/// @param codeHash SHA-256 of the module that ran.
/// @param policyHash SHA-256 of the policy that applied.
/// @param input SHA-256 of the sealed input.
/// @param output SHA-256 of the sealed output; zero when there is none.
/// @param status Row of the status table.
/// @param fuel Fuel used.
/// @param callbackHash keccak256 of the bytes for the callback; zero when there are none.
/// @param stateBefore State root before the task; zero for stateless apps.
/// @param stateAfter State root after the task; zero for stateless apps.
/// @param deltaIndex Index of the state change; zero for stateless apps.
/// @param keyEpoch Epoch of the keys in use.
struct Receipt {
    bytes32 taskId;
    bytes32 dealId;
    bytes32 app;
    bytes32 codeHash;
    bytes32 policyHash;
    bytes32 input;
    bytes32 output;
    uint16 status;
    uint64 fuel;
    bytes32 callbackHash;
    bytes32 stateBefore;
    bytes32 stateAfter;
    uint64 deltaIndex;
    uint32 keyEpoch;
}
