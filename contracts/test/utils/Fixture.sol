// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Deployed, Deployment, DeploymentRequest } from "../../script/Deployment.sol";
import { Attestations } from "../../src/Attestations.sol";
import { DevToken } from "../../src/DevToken.sol";
import { Escrow } from "../../src/Escrow.sol";
import { Market } from "../../src/Market.sol";
import { Registry } from "../../src/Registry.sol";
import { Tasks } from "../../src/Tasks.sol";
import { DatasetShare, DealTerms, Receipt } from "../../src/types/Deals.sol";
import { AppOrder, DatasetOrder, PoolOrder, RequestOrder } from "../../src/types/Orders.sol";
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
    uint16 internal constant FEE_BPS = 250;
    bytes32 internal constant CODE = keccak256("code");
    bytes32 internal constant POLICY = keccak256("policy");
    bytes32 internal constant INPUT = keccak256("input");
    address internal immutable GOVERNOR = address(0x60);
    address internal immutable FEES = address(0xFE);

    DevToken internal token;
    Registry internal registry;
    Escrow internal escrow;
    Market internal market;
    Tasks internal tasks;
    Attestations internal attestations;
    Hasher internal hasher;
    /// @dev Keys of the CAS members, ascending by address.
    uint256[] internal memberKeys;
    bytes32 internal appId;
    bytes32 internal poolId;
    bytes32[2] internal datasetIds;

    function setUp() public virtual {
        vm.warp(START);
        _makeMembers();
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
        escrow = made.escrow;
        market = made.market;
        tasks = made.tasks;
        attestations = made.attestations;
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
        _grant(vm.addr(ENCLAVE));
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
        token.approve(address(escrow), amount);
        escrow.deposit(amount);
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
        uint64 expiry = uint64(START + 7 days);
        bundle.app.app = appId;
        bundle.app.price = APP_PRICE;
        bundle.app.volume = 100;
        bundle.app.expiry = expiry;
        bundle.pool.pool = poolId;
        bundle.pool.price = POOL_PRICE;
        bundle.pool.volume = 1000;
        bundle.pool.tag = bytes32(uint256(7));
        bundle.pool.category = 1;
        bundle.pool.trust = 5;
        bundle.pool.modes = 1;
        bundle.pool.expiry = expiry;
        bundle.request.app = appId;
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
        bytes memory app = _sign(DEVELOPER, hasher.appOrder(bundle.app));
        bytes[] memory datasets = _datasetSignatures(bundle);
        bytes memory pool = _sign(POOL_OWNER, hasher.poolOrder(bundle.pool));
        bytes memory request = _sign(REQUESTER, hasher.requestOrder(bundle.request));
        if (failure.length != 0) vm.expectRevert(failure);
        return
            market.matchOrders(bundle.app, app, bundle.datasets, datasets, bundle.pool, pool, bundle.request, request);
    }

    function _terms(Bundle memory bundle, uint32 volume) internal view returns (DealTerms memory terms) {
        terms.request = bundle.request;
        terms.requestHash = hasher.requestOrder(bundle.request);
        terms.pool = bundle.pool.pool;
        terms.codeHash = CODE;
        terms.policyHash = POLICY;
        terms.appOwner = vm.addr(DEVELOPER);
        terms.poolOwner = vm.addr(POOL_OWNER);
        terms.payer = bundle.request.requester;
        terms.appPrice = bundle.app.price;
        terms.poolPrice = bundle.pool.price;
        terms.feeBps = FEE_BPS;
        terms.datasets = new DatasetShare[](bundle.datasets.length);
        for (uint256 i = 0; i < terms.datasets.length; ++i) {
            terms.datasets[i] = DatasetShare(bundle.datasets[i].dataset, vm.addr(DATA_OWNER), bundle.datasets[i].price);
        }
        terms.volume = volume;
        terms.startedAt = uint64(block.timestamp);
    }

    function _receipt(bytes32 dealId, DealTerms memory terms, uint32 index, uint16 status)
        internal
        pure
        returns (Receipt memory receipt)
    {
        receipt.taskId = keccak256(abi.encode(dealId, uint256(index)));
        receipt.dealId = dealId;
        receipt.app = terms.request.app;
        receipt.codeHash = terms.codeHash;
        receipt.policyHash = terms.policyHash;
        receipt.input = INPUT;
        receipt.output = keccak256("output");
        receipt.status = status;
        receipt.fuel = 12_345;
    }

    /// @dev CID of the output that `_receipt` names.
    function _cid() internal pure returns (bytes memory) {
        return abi.encodePacked(hex"01551220", keccak256("output"));
    }

    function _available(address owner) internal view returns (uint256) {
        return escrow.account(owner).available;
    }

    function _locked(address owner) internal view returns (uint256) {
        return escrow.account(owner).locked;
    }
}
