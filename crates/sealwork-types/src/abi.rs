//! What the contracts see: structs, calls, events and errors, exactly as in `contracts/src/interfaces`.
//!
//! A test compares every selector and topic with the committed artifacts.
#![allow(
    missing_docs,
    clippy::too_many_arguments,
    reason = "documented by NatSpec in contracts/src/interfaces"
)]

use alloy_sol_types::sol;

/// Kinds of registered things and parties, as numbers in ids and errors.
pub mod kind {
    /// A program.
    pub const APP: u8 = 1;
    /// Sealed data.
    pub const DATASET: u8 = 2;
    /// Workers offered under one order.
    pub const POOL: u8 = 3;
    /// Who asks for tasks; only in errors.
    pub const REQUESTER: u8 = 4;
}

sol! {
    /// A developer offers an app.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
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

    /// The owner of a dataset lets apps use it.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
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

    /// A pool offers execution.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
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

    /// A requester asks for tasks.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
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

    /// Shows that a party stands on an allow-list that an order names by its Merkle root.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Membership {
        bytes32 root;
        bytes32 member;
        bytes32[] path;
    }

    /// Everything that makes a deal.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
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

    /// Owner and price of a dataset inside a deal.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct DatasetShare {
        address owner;
        uint96 price;
    }

    /// What was agreed, as far as money and receipts depend on it. The Market keeps 24 bytes of the structure hash.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
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

    /// What shall run on what.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Work {
        bytes32 app;
        bytes32 codeHash;
        bytes32 policyHash;
        bytes32 input;
    }

    /// What an enclave says about one task.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
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

    /// The part of a receipt that every task has and the deal does not determine, and where the output lies.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outcome {
        uint32 index;
        uint16 status;
        uint64 fuel;
        uint32 keyEpoch;
        bytes32 output;
        bytes32 outputCid;
        uint8 outputCodec;
    }

    /// The rest of a receipt, for a task that does more than write an output.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Effects {
        bytes32 callbackHash;
        bytes32 stateBefore;
        bytes32 stateAfter;
        uint64 deltaIndex;
        bytes callbackData;
    }

    /// How many tasks ended in each way that differs in money.
    #[derive(Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Tally {
        uint32 paid;
        uint32 poolOnly;
        uint32 refunded;
        uint32 slashed;
    }

    /// What an enclave says about many tasks of one deal that follow each other.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Batch {
        Work work;
        bytes32 dealId;
        uint32 first;
        Tally tally;
        bytes32 root;
    }

    /// What the payer of a prepaid channel says.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Voucher {
        bytes32 dealId;
        uint32 count;
    }

    /// What CAS members say about an enclave key.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Grant {
        address enclave;
        bytes32 measurement;
        uint8 tee;
        bytes32 hardwareId;
        uint64 expiry;
    }

    /// What is kept of the latest grant of an enclave key.
    #[derive(Debug, PartialEq, Eq)]
    struct Registered {
        bytes32 measurement;
        uint8 tee;
        bytes17 hardware;
        uint64 expiry;
    }

    /// What CAS members say about an app's sealing key.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct RecipientCertificate {
        bytes32 app;
        bytes32 policyHash;
        uint32 keyEpoch;
        bytes32 recipient;
    }

    /// A signed head of the CAS release log.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct LogHead {
        uint64 size;
        bytes32 root;
        uint64 timestamp;
    }

    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct App {
        address owner;
        bytes32 manifestHash;
        bytes32 codeHash;
        bytes32 policyHash;
        uint32 version;
    }

    #[derive(Debug, PartialEq, Eq)]
    struct Dataset {
        address owner;
        bytes32 manifestHash;
        bytes32 contentDigest;
        uint32 version;
    }

    #[derive(Debug, PartialEq, Eq)]
    struct Pool {
        address owner;
        bytes32 manifestHash;
        uint32 version;
    }

    #[derive(Debug, PartialEq, Eq)]
    struct AppUpdate {
        bytes32 manifestHash;
        bytes32 codeHash;
        bytes32 policyHash;
        uint64 effectiveAt;
    }

    #[derive(Debug, PartialEq, Eq)]
    struct Account {
        uint112 available;
        uint40 nonce;
        uint104 merit;
        uint128 withdrawing;
        uint64 withdrawableAt;
    }

    #[derive(Debug, PartialEq, Eq)]
    struct DealProgress {
        uint32 volume;
        uint32 closed;
        bool started;
        bool whole;
        bytes24 termsHash;
    }

    /// One posted order; the order itself stands in the event.
    #[derive(Debug, PartialEq, Eq)]
    struct Posted {
        bytes32 orderHash;
        uint8 kind;
        bool withdrawn;
        uint64 postedAt;
        uint64 expiry;
    }

    #[derive(Debug)]
    interface IRegistry {
        event AppRegistered(bytes32 indexed id, address indexed owner, bytes32 manifestHash, bytes32 codeHash, bytes32 policyHash, string name);
        event AppUpdateAnnounced(bytes32 indexed id, uint32 version, bytes32 manifestHash, bytes32 codeHash, bytes32 policyHash, uint64 effectiveAt);
        event AppUpdateWithdrawn(bytes32 indexed id);
        event NameCommitted(address indexed owner, bytes32 indexed commitment, uint64 claimableAt);
        event NameClaimed(bytes32 indexed id, address indexed owner, string name);
        event NameReleased(bytes32 indexed id, string name);
        event DatasetRegistered(bytes32 indexed id, address indexed owner, bytes32 manifestHash, bytes32 contentDigest);
        event PoolRegistered(bytes32 indexed id, address indexed owner, bytes32 manifestHash);

        error AlreadyRegistered(bytes32 id);
        error NotRegistered(bytes32 id);
        error NotOwner(bytes32 id, address caller, address owner);
        error NameTooLong(uint256 length, uint256 maximum);
        error NothingAnnounced(bytes32 id);
        error BadName(string name);
        error NameTaken(string name, bytes32 id);
        error NotClaimable(bytes32 commitment, uint64 claimableAt, uint64 expiry);

        function registerApp(address owner, bytes32 manifestHash, bytes32 codeHash, bytes32 policyHash, string calldata name) external returns (bytes32 id);
        function announceUpdate(bytes32 id, bytes32 manifestHash, bytes32 codeHash, bytes32 policyHash) external;
        function withdrawUpdate(bytes32 id) external;
        function commitName(bytes32 commitment) external;
        function claimName(bytes32 id, string calldata name, bytes32 salt) external;
        function releaseName(string calldata name) external;
        function appOf(string calldata name) external view returns (bytes32 id);
        function announced(bytes32 id) external view returns (AppUpdate memory);
        function registerDataset(address owner, bytes32 manifestHash, bytes32 contentDigest) external returns (bytes32 id);
        function registerPool(address owner, bytes32 manifestHash) external returns (bytes32 id);
        function app(bytes32 id) external view returns (App memory);
        function dataset(bytes32 id) external view returns (Dataset memory);
        function pool(bytes32 id) external view returns (Pool memory);
        function parties(bytes32 appId, bytes32 poolId) external view returns (address developer, bytes32 policyHash, address poolOwner);
        function appPolicy(bytes32 id) external view returns (address owner, bytes32 policyHash);
        function ownerOfKind(uint8 kind, bytes32 id) external view returns (address);
        function predictId(uint8 kind, address owner, bytes32 manifestHash) external view returns (bytes32 id);
        function setApprovalForAll(address operator, bool isApproved) external;
        function isApprovedForAll(address owner, address operator) external view returns (bool);
    }

    #[derive(Debug)]
    interface IMarket {
        event Deposited(address indexed account, address indexed payer, uint256 amount);
        event WithdrawalRequested(address indexed account, uint256 amount, uint64 withdrawableAt);
        event Withdrawn(address indexed account, uint256 amount);
        event KittyDrawn(address indexed account, uint256 amount);
        event OrderApproved(address indexed signer, bytes32 indexed orderHash);
        event OfferCanceled(address indexed signer, bytes32 indexed orderHash);
        event RequestCanceled(address indexed requester, bytes32 indexed salt);
        event NonceRaised(address indexed signer, uint64 nonce);
        event TaskSettled(bytes32 indexed dealId, address indexed enclave, Outcome outcome, bytes32 r, bytes32 vs);
        event TaskEffects(bytes32 indexed dealId, uint32 indexed index, bytes32 callbackHash, bytes32 stateBefore, bytes32 stateAfter, uint64 deltaIndex);
        event TasksClosed(bytes32 indexed dealId, uint32 indexed first, Tally tally);
        event TasksRefunded(bytes32 indexed dealId, uint32 indexed first, uint32 last, uint32 count);
        event DealStarted(bytes32 indexed dealId);
        event CallbackCalled(bytes32 indexed dealId, uint32 indexed index, address target, bool success);
        event OperatorSet(address indexed poolOwner, address indexed operator, bool allowed);
        event ModuleSet(uint8 indexed mode, address module);
        event Matched(bytes32 indexed dealId, bytes32 indexed app, bytes32 indexed pool, uint32 volume, DealTerms terms, RequestOrder request, bytes requestSignature);
        event Executed(bytes32 indexed dealId, bytes32 indexed app, bytes32 indexed pool, bytes32 requestHash);
        event FeeChanged(uint16 feeBps);

        error InsufficientFunds(address account, uint256 available, uint256 needed);
        error WithdrawalNotReady(address account, uint64 withdrawableAt);
        error NothingToWithdraw(address account);
        error NothingToDraw(uint256 kitty, uint256 merit);
        error TransferFailed(address token);
        error AmountTooLarge(uint256 amount);
        error BadSignature(bytes32 orderHash, address expectedSigner);
        error OrderExpired(bytes32 orderHash, uint64 expiry);
        error OrderNonceTooLow(bytes32 orderHash, uint64 given, uint64 current);
        error OrderConsumed(bytes32 orderHash);
        error AppMismatch(bytes32 requested, bytes32 offered);
        error PolicyMismatch(bytes32 requested, bytes32 current);
        error DatasetMismatch(uint256 index, bytes32 requested, bytes32 offered);
        error PriceTooHigh(uint8 kind, uint256 price, uint256 maximum);
        error StakeTooLow(uint256 requested, uint256 offered);
        error Restricted(uint8 kind, bytes32 restriction, bytes32 given);
        error CategoryMismatch(uint16 requested, uint16 offered);
        error TrustTooLow(uint16 requested, uint16 offered);
        error ModeNotOffered(uint8 requested, uint8 offered);
        error TagNotOffered(bytes32 requested, bytes32 offered);
        error ParamsTooLong(uint256 length, uint256 maximum);
        error TooManyDatasets(uint256 given, uint256 maximum);
        error CallbackGasTooHigh(uint256 given, uint256 maximum);
        error SponsorMismatch(address sponsor, address caller);
        error SignatureCountMismatch(uint256 orders, uint256 signatures);
        error DealUnknown(bytes32 dealId);
        error TermsMismatch(bytes32 dealId, bytes24 expected, bytes24 given);
        error IndexOutOfRange(uint256 first, uint256 count, uint256 volume);
        error TaskClosed(bytes32 dealId, uint256 index);
        error EnclaveNotGranted(address enclave);
        error DeadlinePassed(bytes32 dealId, uint256 deadline);
        error DeadlineNotReached(bytes32 dealId, uint256 deadline);
        error ModeNotSupported(uint8 mode);
        error WrongMode(uint8 mode);
        error NotModule(address caller, address module);
        error ModuleFixed(uint8 mode, address module);
        error NotPoolOperator(address caller, address poolOwner);
        error BadOutputCid(bytes32 output, bytes32 outputCid, uint8 outputCodec);
        error TooManyEffects(uint256 given);
        error CallbackMismatch(bytes32 expected, bytes32 given);
        error CallbackGasMissing(uint256 available, uint256 needed);
        error VolumeNotOne(uint32 volume);
        error NotGovernor(address caller);
        error FeeTooHigh(uint256 given, uint256 maximum);

        function token() external view returns (address);
        function deposit(uint256 amount) external;
        function depositFor(address owner, uint256 amount) external;
        function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;
        function requestWithdrawal(uint256 amount) external;
        function withdraw() external;
        function account(address owner) external view returns (Account memory);
        function drawKitty() external returns (uint256 amount);
        function kitty() external view returns (uint256);
        function domainSeparator() external view returns (bytes32);
        function approveOrder(bytes32 orderHash) external;
        function cancelOffer(bytes32 orderHash) external;
        function cancelRequest(bytes32 salt) external;
        function raiseNonce() external returns (uint64 nonce);
        function orderState(address signer, bytes32 orderHash) external view returns (uint32 consumed, bool canceled, bool approved);
        function isSaltUsed(address requester, bytes32 salt) external view returns (bool);
        function requestConsumed(bytes32 requestHash) external view returns (uint256);
        function settle(DealTerms calldata terms, Outcome calldata outcome, bytes32 r, bytes32 vs, Effects[] calldata effects) external;
        function setOperator(address operator, bool allowed) external;
        function isOperator(address poolOwner, address operator) external view returns (bool);
        function start(DealTerms calldata terms) external;
        function claim(DealTerms calldata terms, uint32 first, uint32 count) external;
        function closeFor(DealTerms calldata terms, uint32 first, Tally calldata tally) external;
        function setModule(uint8 mode, address module) external;
        function deal(bytes32 dealId) external view returns (DealProgress memory);
        function isOpen(bytes32 dealId, uint32 index) external view returns (bool);
        function moduleOf(uint8 mode) external view returns (address);
        function matchOrders(Orders calldata orders) external returns (bytes32 dealId);
        function execute(Orders calldata orders, Outcome calldata outcome, bytes32 r, bytes32 vs, Effects[] calldata effects) external returns (bytes32 dealId);
        function multicall(bytes[] calldata calls) external payable returns (bytes[] memory results);
        function setFee(uint16 feeBps) external;
        function fee() external view returns (uint16);
    }

    #[derive(Debug)]
    interface IBatches {
        event BatchSettled(bytes32 indexed dealId, address indexed enclave, uint32 indexed first, Tally tally, bytes32 root, bytes32 receiptsCid, uint8 receiptsCodec, bytes32 r, bytes32 vs);

        error NotBatchable(uint8 mode);
        error BatchWithCallback(bytes32 dealId);
        error BadReceipts(bytes32 root, bytes32 receiptsCid, uint8 receiptsCodec);
        error DeadlinePassed(bytes32 dealId, uint256 deadline);
        error EnclaveNotGranted(address enclave);
        error NotPoolOperator(address caller, address poolOwner);

        function settleBatch(DealTerms calldata terms, uint32 first, Tally calldata tally, bytes32 root, bytes32 receiptsCid, uint8 receiptsCodec, bytes32 r, bytes32 vs) external;
        function batchRoot(bytes32 dealId, uint32 first) external view returns (bytes32);
        function provesReceipt(bytes32 dealId, uint32 first, bytes32 receiptHash, bytes32[] calldata path) external view returns (bool);
    }

    #[derive(Debug)]
    interface IChannels {
        event Redeemed(bytes32 indexed dealId, uint32 count);
        event ClosingStarted(bytes32 indexed dealId, uint64 closableAt);
        event ChannelClosed(bytes32 indexed dealId, uint32 refunded);

        error NotChannel(uint8 mode);
        error BadVoucher(bytes32 dealId, address payer);
        error NothingNew(bytes32 dealId, uint32 closed);
        error NotParty(address caller);
        error NotClosable(bytes32 dealId, uint64 closableAt);
        error TermsMismatch(bytes32 dealId, bytes24 expected, bytes24 given);

        function redeem(DealTerms calldata terms, uint32 count, bytes calldata signature) external;
        function startClosing(DealTerms calldata terms) external;
        function close(DealTerms calldata terms) external;
        function closableAt(bytes32 dealId) external view returns (uint64);
    }

    #[derive(Debug)]
    interface IBook {
        event AppOrderPosted(bytes32 indexed app, address indexed signer, bytes32 indexed orderHash, AppOrder order, bytes signature);
        event DatasetOrderPosted(bytes32 indexed dataset, address indexed signer, bytes32 indexed orderHash, DatasetOrder order, bytes signature);
        event PoolOrderPosted(bytes32 indexed pool, address indexed signer, bytes32 indexed orderHash, PoolOrder order, bytes signature);
        event RequestPosted(bytes32 indexed app, address indexed signer, bytes32 indexed poolRestrict, bytes32 orderHash, RequestOrder order, bytes signature);
        event OrderWithdrawn(address indexed signer, bytes32 indexed orderHash);

        error AlreadyPosted(bytes32 orderHash);
        error NotPosted(address signer, bytes32 orderHash);
        error BadSignature(bytes32 orderHash, address expectedSigner);
        error OrderExpired(bytes32 orderHash, uint64 expiry);
        error OrderNonceTooLow(bytes32 orderHash, uint64 given, uint64 current);
        error OrderConsumed(bytes32 orderHash);

        function postAppOrder(AppOrder calldata order, bytes calldata signature) external;
        function postDatasetOrder(DatasetOrder calldata order, bytes calldata signature) external;
        function postPoolOrder(PoolOrder calldata order, bytes calldata signature) external;
        function postRequest(RequestOrder calldata order, bytes calldata signature) external;
        function withdraw(bytes32 orderHash) external;
        function countOf(address signer) external view returns (uint256);
        function postedBy(address signer, uint256 from, uint256 limit) external view returns (Posted[] memory);
    }

    #[derive(Debug)]
    interface IAttestations {
        event EnclaveRegistered(address indexed enclave, bytes32 indexed measurement, uint8 tee, bytes32 hardwareId, uint64 expiry, bytes[] signatures);
        event KeyRevoked(address indexed enclave);
        event MeasurementRevoked(bytes32 indexed measurement);
        event HardwareRevoked(bytes32 indexed hardwareId);
        event MembersChanged(address[] members, uint8 threshold);
        event LogHeadAnchored(address indexed member, uint64 size, bytes32 root);

        error GrantExpired(address enclave, uint64 expiry);
        error GrantTooLong(uint64 expiry, uint64 latest);
        error GrantSuperseded(address enclave, uint64 current, uint64 given);
        error NotEnoughSignatures(uint256 given, uint256 threshold);
        error UnknownMember(address signer);
        error SignersNotAscending(address previous, address next);
        error SimulatedEvidenceRefused(uint256 chainId);
        error Revoked(address enclave);
        error NotGovernor(address caller);
        error HeadRegression(uint64 current, uint64 given);

        function register(Grant calldata grant, bytes[] calldata signatures) external;
        function grant(address enclave) external view returns (Registered memory);
        function isGranted(address enclave) external view returns (bool);
        function members() external view returns (address[] memory members, uint8 threshold);
        function setMembers(address[] calldata members, uint8 threshold) external;
        function revokeKey(address enclave) external;
        function revokeMeasurement(bytes32 measurement) external;
        function revokeHardware(bytes32 hardwareId) external;
        function anchorLogHead(LogHead calldata head, bytes calldata signature) external;
        function logHead(address member) external view returns (LogHead memory);
    }

    #[derive(Debug)]
    interface IToken {
        event Transfer(address indexed from, address indexed to, uint256 amount);
        event Approval(address indexed owner, address indexed spender, uint256 amount);
        function mint(address to, uint256 amount) external;
        function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;
        function approve(address spender, uint256 amount) external returns (bool);
        function transfer(address to, uint256 amount) external returns (bool);
        function transferFrom(address from, address to, uint256 amount) external returns (bool);
        function allowance(address owner, address spender) external view returns (uint256);
        function totalSupply() external view returns (uint256);
        function name() external view returns (string memory);
        function balanceOf(address owner) external view returns (uint256);
        function symbol() external view returns (string memory);
        function decimals() external view returns (uint8);
        function nonces(address owner) external view returns (uint256);
        function DOMAIN_SEPARATOR() external view returns (bytes32);
    }
}
