// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice What a developer signs to offer an app.
/// @param app Registry id of the app.
/// @param price Price of one task, in the smallest unit of the escrow token.
/// @param volume Tasks that the order covers.
/// @param tag Features that the app needs; a pool must offer all of them.
/// @param datasetRestrict Dataset allowed, or a group contract; zero allows every dataset.
/// @param poolRestrict Pool allowed, or a group contract; zero allows every pool.
/// @param requesterRestrict Requester allowed, or a group contract; zero allows everybody.
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
/// @param volume Tasks that the order covers.
/// @param tag Features that the dataset needs; a pool must offer all of them.
/// @param appRestrict App allowed, or a group contract; zero allows every app.
/// @param poolRestrict Pool allowed, or a group contract; zero allows every pool.
/// @param requesterRestrict Requester allowed, or a group contract; zero allows everybody.
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
/// @param volume Tasks that the order covers.
/// @param tag Features that the pool offers.
/// @param category Size class of the tasks.
/// @param trust Highest confidence that the pool provides.
/// @param modes One bit for each trust mode offered; bit 0 is tee.
/// @param offer Hash of the resource offer.
/// @param appRestrict App allowed, or a group contract; zero allows every app.
/// @param datasetRestrict Dataset allowed, or a group contract; zero allows every dataset.
/// @param requesterRestrict Requester allowed, or a group contract; zero allows everybody.
/// @param expiry Last second in which the order can be matched, since 1970.
/// @param nonce At least the signer's nonce in the Market, or the order is void.
/// @param salt Makes two equal orders different.
struct PoolOrder {
    bytes32 pool;
    uint96 price;
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
/// @param appMaxPrice Highest app price of one task.
/// @param datasets Registry ids of the datasets, in the order in which the app sees them.
/// @param datasetMaxPrice Highest price of one task for all datasets together.
/// @param poolRestrict Pool allowed, or a group contract; zero allows every pool.
/// @param poolMaxPrice Highest pool price of one task.
/// @param requester Who signs, and to whom the sealed input is bound.
/// @param sponsor Who pays instead of the requester and must send the match; zero: the requester pays.
/// @param outputRecipient Digest of the key to which outputs are sealed.
/// @param volume Tasks wanted.
/// @param tag Features wanted; a pool must offer all of them.
/// @param category Size class of the tasks.
/// @param trust Confidence wanted.
/// @param mode Trust mode; 0 is tee.
/// @param callback Contract that is told the result; zero for none.
/// @param callbackGas Gas for the callback.
/// @param params Where the sealed input lies: version (1 byte), CID (36 bytes), SHA-256 (32 bytes).
/// @param requirements Hash of the resource request.
/// @param expiry Last second in which the order can be matched, since 1970.
/// @param nonce At least the requester's nonce in the Market, or the order is void.
/// @param salt Makes two equal orders different.
struct RequestOrder {
    bytes32 app;
    uint96 appMaxPrice;
    bytes32[] datasets;
    uint96 datasetMaxPrice;
    bytes32 poolRestrict;
    uint96 poolMaxPrice;
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
