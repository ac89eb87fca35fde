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

    /// A requester asks for tasks.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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

    /// Owner and price of a dataset inside a deal.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct DatasetShare {
        bytes32 dataset;
        address owner;
        uint96 price;
    }

    /// What was agreed. The contracts keep keccak256(abi.encode(terms)); the terms travel in calldata and in the event.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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

    /// What an enclave says about one task.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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

    /// What CAS members say about an enclave key.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct Grant {
        address enclave;
        bytes32 measurement;
        uint8 tee;
        bytes32 hardwareId;
        uint64 expiry;
    }

    /// What CAS members say about an app's sealing key.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct RecipientCertificate {
        bytes32 app;
        bytes32 policyHash;
        uint32 keyEpoch;
        bytes32 recipient;
    }

    /// A signed head of the CAS release log.
    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct LogHead {
        uint64 size;
        bytes32 root;
        uint64 timestamp;
    }

    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
    struct Account {
        uint128 available;
        uint128 locked;
        uint128 withdrawing;
        uint64 withdrawableAt;
    }

    #[derive(Debug, PartialEq, Eq)]
    struct Payment {
        address to;
        uint256 amount;
    }

    #[derive(Debug, PartialEq, Eq)]
    struct DealProgress {
        uint32 volume;
        uint32 settled;
        uint64 startedAt;
        bytes32 termsHash;
    }

    #[derive(Debug)]
    interface IRegistry {
        event AppRegistered(bytes32 indexed id, address indexed owner, bytes32 manifestHash, bytes32 codeHash, bytes32 policyHash, string name);
        event AppUpdated(bytes32 indexed id, uint32 version, bytes32 manifestHash, bytes32 codeHash, bytes32 policyHash);
        event DatasetRegistered(bytes32 indexed id, address indexed owner, bytes32 manifestHash, bytes32 contentDigest);
        event PoolRegistered(bytes32 indexed id, address indexed owner, bytes32 manifestHash);

        error AlreadyRegistered(bytes32 id);
        error NotRegistered(bytes32 id);
        error NotOwner(bytes32 id, address caller, address owner);
        error NameTooLong(uint256 length, uint256 maximum);

        function registerApp(address owner, bytes32 manifestHash, bytes32 codeHash, bytes32 policyHash, string calldata name) external returns (bytes32 id);
        function updateApp(bytes32 id, bytes32 manifestHash, bytes32 codeHash, bytes32 policyHash) external;
        function registerDataset(address owner, bytes32 manifestHash, bytes32 contentDigest) external returns (bytes32 id);
        function registerPool(address owner, bytes32 manifestHash) external returns (bytes32 id);
        function app(bytes32 id) external view returns (App memory);
        function dataset(bytes32 id) external view returns (Dataset memory);
        function pool(bytes32 id) external view returns (Pool memory);
        function appCode(bytes32 id) external view returns (address owner, bytes32 codeHash, bytes32 policyHash);
        function ownerOfKind(uint8 kind, bytes32 id) external view returns (address);
        function predictId(uint8 kind, address owner, bytes32 manifestHash) external view returns (bytes32 id);
    }

    #[derive(Debug)]
    interface IEscrow {
        event Deposited(address indexed account, address indexed payer, uint256 amount);
        event WithdrawalRequested(address indexed account, uint256 amount, uint64 withdrawableAt);
        event Withdrawn(address indexed account, uint256 amount);
        event Locked(address indexed account, bytes32 indexed deal, uint256 amount);
        event Released(address indexed account, bytes32 indexed deal, uint256 amount);
        event Paid(address indexed from, address indexed to, bytes32 indexed deal, uint256 amount);

        error InsufficientFunds(address account, uint256 available, uint256 needed);
        error WithdrawalNotReady(address account, uint64 withdrawableAt);
        error NothingToWithdraw(address account);
        error NotController(address caller);
        error TransferFailed(address token);
        error AmountTooLarge(uint256 amount);

        function token() external view returns (address);
        function deposit(uint256 amount) external;
        function depositFor(address account, uint256 amount) external;
        function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;
        function requestWithdrawal(uint256 amount) external;
        function withdraw() external;
        function account(address owner) external view returns (Account memory);
        function lock(address owner, bytes32 deal, uint256 amount) external;
        function distribute(address payer, bytes32 deal, Payment[] calldata payments, uint256 refund) external;
    }

    #[derive(Debug)]
    interface IMarket {
        event Matched(bytes32 indexed dealId, bytes32 indexed app, bytes32 indexed pool, DealTerms terms, bytes requestSignature);
        event AppOrderPosted(bytes32 indexed app, bytes32 orderHash, AppOrder order, bytes signature);
        event PoolOrderPosted(bytes32 indexed pool, bytes32 orderHash, PoolOrder order, bytes signature);
        event OrderCanceled(address indexed signer, bytes32 indexed orderHash);
        event NonceRaised(address indexed signer, uint64 nonce);
        event FeeChanged(uint16 feeBps);

        error BadSignature(bytes32 orderHash, address expectedSigner);
        error OrderExpired(bytes32 orderHash, uint64 expiry);
        error OrderNonceTooLow(bytes32 orderHash, uint64 given, uint64 current);
        error OrderConsumed(bytes32 orderHash);
        error AppMismatch(bytes32 requested, bytes32 offered);
        error DatasetMismatch(uint256 index, bytes32 requested, bytes32 offered);
        error PriceTooHigh(uint8 kind, uint256 price, uint256 maximum);
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
        error NotSigner(bytes32 orderHash, address signer, address caller);
        error NotGovernor(address caller);
        error FeeTooHigh(uint256 given, uint256 maximum);

        function domainSeparator() external view returns (bytes32);
        function matchOrders(
            AppOrder calldata appOrder, bytes calldata appSignature,
            DatasetOrder[] calldata datasetOrders, bytes[] calldata datasetSignatures,
            PoolOrder calldata poolOrder, bytes calldata poolSignature,
            RequestOrder calldata requestOrder, bytes calldata requestSignature
        ) external returns (bytes32 dealId);
        function postAppOrder(AppOrder calldata order, bytes calldata signature) external;
        function postPoolOrder(PoolOrder calldata order, bytes calldata signature) external;
        function cancelAppOrder(AppOrder calldata order) external;
        function cancelDatasetOrder(DatasetOrder calldata order) external;
        function cancelPoolOrder(PoolOrder calldata order) external;
        function cancelRequestOrder(RequestOrder calldata order) external;
        function raiseNonce() external returns (uint64 nonce);
        function setFee(uint16 feeBps) external;
        function nonceOf(address signer) external view returns (uint64);
        function consumed(bytes32 orderHash) external view returns (uint32);
        function fee() external view returns (uint16);
    }

    #[derive(Debug)]
    interface ITasks {
        event TaskSettled(bytes32 indexed dealId, bytes32 indexed taskId, address indexed enclave, uint32 index, uint16 status, Receipt receipt, bytes signature, bytes outputCid);
        event TaskRefunded(bytes32 indexed dealId, bytes32 indexed taskId, uint32 index, uint256 amount);

        error DealUnknown(bytes32 dealId);
        error TermsMismatch(bytes32 dealId, bytes32 expected, bytes32 given);
        error IndexOutOfRange(uint32 index, uint32 volume);
        error TaskClosed(bytes32 taskId);
        error ReceiptMismatch(uint8 field, bytes32 expected, bytes32 given);
        error EnclaveNotGranted(address enclave);
        error DeadlinePassed(bytes32 dealId, uint64 deadline);
        error DeadlineNotReached(bytes32 dealId, uint64 deadline);
        error ModeNotSupported(uint8 mode);
        error NotMarket(address caller);
        error NotPoolOperator(address caller, address poolOwner);
        error OutputCidLength(uint256 given, uint256 expected);

        function settle(DealTerms calldata terms, uint32 index, Receipt calldata receipt, bytes calldata signature, bytes calldata outputCid) external;
        function claim(bytes32 dealId, DealTerms calldata terms, uint32 index) external;
        function open(bytes32 dealId, bytes32 termsHash, uint32 volume, uint8 mode) external;
        function deal(bytes32 dealId) external view returns (DealProgress memory);
        function isClosed(bytes32 dealId, uint32 index) external view returns (bool);
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
        function grant(address enclave) external view returns (Grant memory);
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
