// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Deployed, Deployment, DeploymentRequest } from "../../script/Deployment.sol";
import { Attestations } from "../../src/Attestations.sol";
import { Batches } from "../../src/Batches.sol";
import { Book } from "../../src/Book.sol";
import { Channels } from "../../src/Channels.sol";
import { DevToken } from "../../src/DevToken.sol";
import { Market } from "../../src/Market.sol";
import { Registry } from "../../src/Registry.sol";
import { DatasetShare, DealTerms, Effects, Outcome, Receipt, Work } from "../../src/types/Deals.sol";
import { AppOrder, DatasetOrder, Membership, Orders, PoolOrder, RequestOrder } from "../../src/types/Orders.sol";
import { Grant } from "../../src/types/Statements.sol";
import { Hasher } from "./Hasher.sol";
import { vm } from "./Vm.sol";

/// @dev Four orders that fit together.
struct Bundle {
    AppOrder app;
    DatasetOrder[] datasets;
    PoolOrder pool;
    RequestOrder request;
}

/// @dev A deployment with registered things, money and a granted enclave.
abstract contract Fixture {
    // forge-lint: disable-next-line(mixed-case-variable)
    bool public constant IS_TEST = true;

    uint256 internal constant START = 1_800_000_000;
    uint256 internal constant DEVELOPER = 0xD1;
    uint256 internal constant POOL_OWNER = 0xD2;
    uint256 internal constant REQUESTER = 0xD3;
    uint256 internal constant DATA_OWNER = 0xD4;
    uint256 internal constant STRANGER = 0xD5;
    uint256 internal constant ENCLAVE = 0xE1;
    uint96 internal constant APP_PRICE = 300;
    uint96 internal constant POOL_PRICE = 1000;
    uint96 internal constant DATASET_PRICE = 70;
    uint96 internal constant STAKE = 400;
    uint16 internal constant FEE_BPS = 250;
    bytes32 internal constant CODE = keccak256("code");
    bytes32 internal constant POLICY = keccak256("policy");
    bytes32 internal constant INPUT = keccak256("input");
    address internal immutable GOVERNOR = address(0x60);
    address internal immutable FEES = address(0xFE);

    DevToken internal token;
    Registry internal registry;
    Market internal market;
    Attestations internal attestations;
    Batches internal batches;
    Channels internal channels;
    Book internal book;
    Hasher internal hasher;
    /// @dev Keys of the CAS members, ascending by address.
    uint256[] internal memberKeys;
    bytes32 internal appId;
    bytes32 internal poolId;
    bytes32[2] internal datasetIds;

    /// @dev The deal of a test, encoded: without the IR pipeline nested arrays cannot be copied into storage.
    bytes private _kept;

    function setUp() public virtual {
        vm.warp(START);
        _makeMembers();
        _deploy();
        hasher = new Hasher(address(market));

        vm.prank(vm.addr(DEVELOPER));
        appId = registry.registerApp(vm.addr(DEVELOPER), keccak256("app"), CODE, POLICY, "app");
        vm.prank(vm.addr(POOL_OWNER));
        poolId = registry.registerPool(vm.addr(POOL_OWNER), keccak256("pool"));
        vm.startPrank(vm.addr(DATA_OWNER));
        datasetIds[0] = registry.registerDataset(vm.addr(DATA_OWNER), keccak256("first"), keccak256("data"));
        datasetIds[1] = registry.registerDataset(vm.addr(DATA_OWNER), keccak256("second"), keccak256("more"));
        vm.stopPrank();
        _fund(vm.addr(REQUESTER), 1_000_000);
        _fund(vm.addr(POOL_OWNER), 1_000_000);
        _grant(vm.addr(ENCLAVE));
    }

    function _deploy() private {
        Deployed memory made = Deployment.create(
            DeploymentRequest({
                deployer: address(this),
                nonce: vm.getNonce(address(this)),
                token: address(0),
                governor: GOVERNOR,
                feeRecipient: FEES,
                feeBps: FEE_BPS,
                members: _members(),
                threshold: 2
            })
        );
        token = DevToken(made.token);
        registry = made.registry;
        market = made.market;
        attestations = made.attestations;
        batches = made.batches;
        channels = made.channels;
        book = made.book;
    }

    function _makeMembers() private {
        memberKeys = [0xC1, 0xC2, 0xC3];
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 j = 0; j < 2; ++j) {
                if (vm.addr(memberKeys[j]) > vm.addr(memberKeys[j + 1])) {
                    (memberKeys[j], memberKeys[j + 1]) = (memberKeys[j + 1], memberKeys[j]);
                }
            }
        }
    }

    function _members() internal view returns (address[] memory list) {
        list = new address[](memberKeys.length);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = vm.addr(memberKeys[i]);
        }
    }

    function _fund(address account, uint256 amount) internal {
        token.mint(account, amount);
        vm.startPrank(account);
        token.approve(address(market), amount);
        market.deposit(amount);
        vm.stopPrank();
    }

    function _grantOf(address enclave) internal view returns (Grant memory) {
        return Grant({
            enclave: enclave,
            measurement: keccak256("measurement"),
            tee: 0,
            hardwareId: keccak256("hardware"),
            expiry: uint64(block.timestamp + 1 days)
        });
    }

    function _grantSignatures(Grant memory statement) internal view returns (bytes[] memory signatures) {
        signatures = new bytes[](2);
        signatures[0] = _sign(memberKeys[0], hasher.grant(statement));
        signatures[1] = _sign(memberKeys[2], hasher.grant(statement));
    }

    function _grant(address enclave) internal {
        Grant memory statement = _grantOf(enclave);
        attestations.register(statement, _grantSignatures(statement));
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _bundle() internal view returns (Bundle memory bundle) {
        // casting to 'uint64' is safe because these are seconds since 1970
        // forge-lint: disable-next-line(unsafe-typecast)
        uint64 expiry = uint64(START + 7 days);
        bundle.app.app = appId;
        bundle.app.price = APP_PRICE;
        bundle.app.volume = 100;
        bundle.app.expiry = expiry;
        bundle.pool.pool = poolId;
        bundle.pool.price = POOL_PRICE;
        bundle.pool.stake = STAKE;
        bundle.pool.volume = 1000;
        bundle.pool.tag = bytes32(uint256(7));
        bundle.pool.category = 1;
        bundle.pool.trust = 5;
        bundle.pool.modes = 1;
        bundle.pool.expiry = expiry;
        bundle.request.app = appId;
        bundle.request.codeHash = CODE;
        bundle.request.policyHash = POLICY;
        bundle.request.appMaxPrice = APP_PRICE;
        bundle.request.poolMaxPrice = POOL_PRICE;
        bundle.request.requester = vm.addr(REQUESTER);
        bundle.request.outputRecipient = keccak256("recipient");
        bundle.request.volume = 3;
        bundle.request.tag = bytes32(uint256(1));
        bundle.request.category = 1;
        bundle.request.trust = 5;
        bundle.request.params = abi.encodePacked(uint8(1), hex"01551220", keccak256("cid"), INPUT);
        bundle.request.expiry = expiry;
        bundle.request.salt = keccak256("salt");
        bundle.datasets = new DatasetOrder[](0);
    }

    function _withDatasets(Bundle memory bundle) internal view returns (Bundle memory) {
        bundle.datasets = new DatasetOrder[](2);
        bundle.request.datasets = new bytes32[](2);
        for (uint256 i = 0; i < 2; ++i) {
            bundle.request.datasets[i] = datasetIds[i];
            bundle.datasets[i].dataset = datasetIds[i];
            bundle.datasets[i].price = DATASET_PRICE;
            bundle.datasets[i].volume = 50;
            bundle.datasets[i].expiry = bundle.app.expiry;
        }
        bundle.request.datasetMaxPrice = 2 * DATASET_PRICE;
        return bundle;
    }

    function _datasetSignatures(Bundle memory bundle) internal view returns (bytes[] memory signatures) {
        signatures = new bytes[](bundle.datasets.length);
        for (uint256 i = 0; i < signatures.length; ++i) {
            signatures[i] = _sign(DATA_OWNER, hasher.datasetOrder(bundle.datasets[i]));
        }
    }

    function _submit(Bundle memory bundle) internal returns (bytes32) {
        return _submit(bundle, "");
    }

    /// @dev Signs and matches; expects the revert if one is given.
    function _submit(Bundle memory bundle, bytes memory failure) internal returns (bytes32) {
        Orders memory orders = _orders(bundle);
        if (failure.length != 0) vm.expectRevert(failure);
        return market.matchOrders(orders);
    }

    /// @dev All orders with their signatures.
    function _orders(Bundle memory bundle) internal view returns (Orders memory orders) {
        orders.app = bundle.app;
        orders.appSignature = _sign(DEVELOPER, hasher.appOrder(bundle.app));
        orders.pool = bundle.pool;
        orders.poolSignature = _sign(POOL_OWNER, hasher.poolOrder(bundle.pool));
        orders.request = bundle.request;
        orders.requestSignature = _sign(REQUESTER, hasher.requestOrder(bundle.request));
        orders.datasets = bundle.datasets;
        orders.datasetSignatures = _datasetSignatures(bundle);
        orders.memberships = new Membership[](0);
    }

    /// @dev Terms of a deal that is matched now.
    function _terms(Bundle memory bundle, uint32 firstTask) internal view returns (DealTerms memory terms) {
        terms.requestHash = hasher.requestOrder(bundle.request);
        terms.firstTask = firstTask;
        terms.workHash = hasher.work(bundle.request, INPUT);
        terms.payer = bundle.request.sponsor == address(0) ? bundle.request.requester : bundle.request.sponsor;
        terms.appOwner = vm.addr(DEVELOPER);
        terms.poolOwner = vm.addr(POOL_OWNER);
        terms.appPrice = bundle.app.price;
        terms.poolPrice = bundle.pool.price;
        terms.stake = bundle.pool.stake;
        terms.feeBps = FEE_BPS;
        terms.mode = bundle.request.mode;
        terms.startedAt = uint64(block.timestamp);
        terms.callback = bundle.request.callback;
        terms.callbackGas = bundle.request.callbackGas;
        terms.datasets = new DatasetShare[](bundle.datasets.length);
        for (uint256 i = 0; i < terms.datasets.length; ++i) {
            terms.datasets[i] = DatasetShare(vm.addr(DATA_OWNER), bundle.datasets[i].price);
        }
    }

    function _outcome(uint32 index, uint16 status) internal pure returns (Outcome memory outcome) {
        outcome.index = index;
        outcome.status = status;
        outcome.fuel = 12_345;
        outcome.output = keccak256("output");
        outcome.outputCid = keccak256("output");
        outcome.outputCodec = 0x55;
    }

    function _keep(DealTerms memory terms) internal {
        _kept = abi.encode(terms);
    }

    function _agreed() internal view returns (DealTerms memory) {
        return abi.decode(_kept, (DealTerms));
    }

    /// @dev The receipt that an outcome and effects belong to, for the work of `_bundle`.
    function _receipt(bytes32 dealId, Outcome memory outcome, Effects[] memory effects)
        internal
        view
        returns (Receipt memory receipt)
    {
        receipt.work = Work(appId, CODE, POLICY, INPUT);
        receipt.dealId = dealId;
        receipt.index = outcome.index;
        receipt.status = outcome.status;
        receipt.fuel = outcome.fuel;
        receipt.keyEpoch = outcome.keyEpoch;
        receipt.output = outcome.output;
        if (effects.length == 0) return receipt;
        receipt.callbackHash = effects[0].callbackHash;
        receipt.stateBefore = effects[0].stateBefore;
        receipt.stateAfter = effects[0].stateAfter;
        receipt.deltaIndex = effects[0].deltaIndex;
    }

    /// @dev EIP-2098.
    function _compact(uint256 key, bytes32 digest) internal pure returns (bytes32 r, bytes32 vs) {
        uint8 v;
        bytes32 s;
        (v, r, s) = vm.sign(key, digest);
        vs = bytes32(uint256(s) | (uint256(v - 27) << 255));
    }

    /// @dev Settles as the pool, with the enclave's signature.
    function _settle(DealTerms memory terms, Outcome memory outcome) internal {
        _settle(terms, outcome, new Effects[](0), "");
    }

    function _settle(DealTerms memory terms, Outcome memory outcome, Effects[] memory effects, bytes memory failure)
        internal
    {
        bytes32 digest = hasher.receipt(_receipt(_dealId(terms), outcome, effects));
        (bytes32 r, bytes32 vs) = _compact(ENCLAVE, digest);
        vm.prank(vm.addr(POOL_OWNER));
        if (failure.length != 0) vm.expectRevert(failure);
        market.settle(terms, outcome, r, vs, effects);
    }

    function _dealId(DealTerms memory terms) internal pure returns (bytes32) {
        return keccak256(abi.encode(terms.requestHash, uint256(terms.firstTask)));
    }

    function _available(address owner) internal view returns (uint256) {
        return market.account(owner).available;
    }
}
