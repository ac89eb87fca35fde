// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice What a developer signs to offer an app.
/// @param app Registry id of the app.
/// @param price Price of one task, in the smallest unit of the escrow token.
/// @param volume Tasks that the order covers; 2^32 - 1 for any number.
/// @param tag Features that the app needs; a pool must offer all of them.
/// @param datasetRestrict Dataset allowed, a group contract or the root of an allow-list; zero allows every dataset.
/// @param poolRestrict Pool allowed, a group contract or the root of an allow-list; zero allows every pool.
/// @param requesterRestrict Requester allowed, a group contract or the root of an allow-list; zero allows everybody.
/// @param expiry Last second in which the order can be matched, since 1970.
/// @param nonce At least the signer's nonce in the Market, or the order is void.
/// @param salt Makes two equal orders different.
struct AppOrder {
    bytes32 app;
    uint96 price;
    uint32 volume;
    bytes32 tag;
    bytes32 datasetRestrict;
    bytes32 poolRestrict;
    bytes32 requesterRestrict;
    uint64 expiry;
    uint64 nonce;
    bytes32 salt;
}

/// @notice What the owner of a dataset signs to let apps use it.
/// @param dataset Registry id of the dataset.
/// @param price Price of one task, in the smallest unit of the escrow token.
/// @param volume Tasks that the order covers; 2^32 - 1 for any number.
/// @param tag Features that the dataset needs; a pool must offer all of them.
/// @param appRestrict App allowed, a group contract or the root of an allow-list; zero allows every app.
/// @param poolRestrict Pool allowed, a group contract or the root of an allow-list; zero allows every pool.
/// @param requesterRestrict Requester allowed, a group contract or the root of an allow-list; zero allows everybody.
/// @param expiry Last second in which the order can be matched, since 1970.
/// @param nonce At least the signer's nonce in the Market, or the order is void.
/// @param salt Makes two equal orders different.
struct DatasetOrder {
    bytes32 dataset;
    uint96 price;
    uint32 volume;
    bytes32 tag;
    bytes32 appRestrict;
    bytes32 poolRestrict;
    bytes32 requesterRestrict;
    uint64 expiry;
    uint64 nonce;
    bytes32 salt;
}

/// @notice What the owner of a pool signs to offer execution.
/// @param pool Registry id of the pool.
/// @param price Price of one task, in the smallest unit of the escrow token.
/// @param stake What the pool puts up for one task from its own account; lost when the task fails by its fault.
/// @param volume Tasks that the order covers; 2^32 - 1 for any number.
/// @param tag Features that the pool offers; bit 16: it settles tasks with a callback.
/// @param category Size class of the tasks.
/// @param trust Highest confidence that the pool provides.
/// @param modes One bit for each trust mode offered; bit 0 is tee.
/// @param offer Hash of the resource offer.
/// @param appRestrict App allowed, a group contract or the root of an allow-list; zero allows every app.
/// @param datasetRestrict Dataset allowed, a group contract or the root of an allow-list; zero allows every dataset.
/// @param requesterRestrict Requester allowed, a group contract or the root of an allow-list; zero allows everybody.
/// @param expiry Last second in which the order can be matched, since 1970.
/// @param nonce At least the signer's nonce in the Market, or the order is void.
/// @param salt Makes two equal orders different.
struct PoolOrder {
    bytes32 pool;
    uint96 price;
    uint96 stake;
    uint32 volume;
    bytes32 tag;
    uint16 category;
    uint16 trust;
    uint8 modes;
    bytes32 offer;
    bytes32 appRestrict;
    bytes32 datasetRestrict;
    bytes32 requesterRestrict;
    uint64 expiry;
    uint64 nonce;
    bytes32 salt;
}

/// @notice What a requester signs to ask for tasks.
/// @param app Registry id of the app.
/// @param codeHash SHA-256 of the module that shall run.
/// @param policyHash SHA-256 of the policy whose key the input is sealed to; an app with another policy does not match.
/// @param appMaxPrice Highest app price of one task.
/// @param datasets Registry ids of the datasets, in the order in which the app sees them.
/// @param datasetMaxPrice Highest price of one task for all datasets together.
/// @param poolRestrict Pool allowed, a group contract or the root of an allow-list; zero allows every pool.
/// @param poolMaxPrice Highest pool price of one task.
/// @param minStake Lowest stake that the pool puts up for one task.
/// @param requester Who signs, and to whom the sealed input is bound.
/// @param sponsor Who pays instead of the requester and must send the match; zero: the requester pays.
/// @param outputRecipient Digest of the key to which outputs are sealed.
/// @param volume Tasks wanted.
/// @param tag Features wanted; a pool must offer all of them.
/// @param category Size class of the tasks.
/// @param trust Confidence wanted.
/// @param mode How the tasks are settled; 0 is tee, 5 a prepaid channel.
/// @param callback Contract that is told the result; zero for none.
/// @param callbackGas Gas for the callback.
/// @param params Where the sealed input lies: version (1 byte), CID (36 bytes), SHA-256 (32 bytes).
/// @param requirements Hash of the resource request.
/// @param expiry Last second in which the order can be matched, since 1970.
/// @param nonce At least the requester's nonce in the Market, or the order is void.
/// @param salt Makes two equal orders different. Of orders of one requester with the same salt only one can be executed in
/// one transaction or matched afterwards. Salts that differ in the lowest byte only share a storage word: counting them
/// up saves gas.
struct RequestOrder {
    bytes32 app;
    bytes32 codeHash;
    bytes32 policyHash;
    uint96 appMaxPrice;
    bytes32[] datasets;
    uint96 datasetMaxPrice;
    bytes32 poolRestrict;
    uint96 poolMaxPrice;
    uint96 minStake;
    address requester;
    address sponsor;
    bytes32 outputRecipient;
    uint32 volume;
    bytes32 tag;
    uint16 category;
    uint16 trust;
    uint8 mode;
    address callback;
    uint32 callbackGas;
    bytes params;
    bytes32 requirements;
    uint64 expiry;
    uint64 nonce;
    bytes32 salt;
}

/// @notice Shows that a party stands on an allow-list that an order names by its Merkle root.
/// @param root The restriction in the order.
/// @param member Id of the app, dataset or pool, or the requester's address as bytes32.
/// @param path Sibling hashes from the leaf keccak256(abi.encode(keccak256(abi.encode(member)))) to the root, pairs sorted.
struct Membership {
    bytes32 root;
    bytes32 member;
    bytes32[] path;
}

/// @notice Everything that makes a deal.
/// @param app By the owner of the app.
/// @param appSignature 65 bytes, 64 bytes (EIP-2098), ERC-1271, or empty when the signer approved the order on chain; like
/// all signatures here.
/// @param pool By the owner of the pool.
/// @param poolSignature By the owner of the pool.
/// @param request By the requester.
/// @param requestSignature By the requester.
/// @param datasets By the owners of the requested datasets, in the order of the request.
/// @param datasetSignatures One for each dataset order.
/// @param memberships One for each allow-list that an order names.
struct Orders {
    AppOrder app;
    bytes appSignature;
    PoolOrder pool;
    bytes poolSignature;
    RequestOrder request;
    bytes requestSignature;
    DatasetOrder[] datasets;
    bytes[] datasetSignatures;
    Membership[] memberships;
}
