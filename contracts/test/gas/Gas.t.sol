// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { DealTerms, Effects, Outcome, Tally } from "../../src/types/Deals.sol";
import { Batch, Work } from "../../src/types/Deals.sol";
import { Orders } from "../../src/types/Orders.sol";
import { Grant } from "../../src/types/Statements.sol";
import { Bundle, Fixture } from "../utils/Fixture.sol";
import { vm } from "../utils/Vm.sol";

/// @dev Writes `snapshots/Gas.json`: gas of whole transactions, calldata and base cost included, between parties who have
/// used the contracts before.
/// forge-config: default.isolate = true
contract GasTest is Fixture {
    function setUp() public override {
        super.setUp();
        vm.prank(GOVERNOR);
        market.setFee(0);
        Bundle memory bundle = _small(_salt(10));
        bundle.request.volume = 3;
        _submit(bundle);
        _keep(_of(bundle));
        _settle(_agreed(), _outcome(0, 0));
        vm.startPrank(vm.addr(DEVELOPER));
        registry.registerApp(vm.addr(DEVELOPER), keccak256("warm"), CODE, POLICY, "warm");
        vm.stopPrank();
    }

    function _small(bytes32 salt) private view returns (Bundle memory bundle) {
        bundle = _bundle();
        bundle.request.volume = 1;
        bundle.request.salt = salt;
        bundle.pool.stake = 300;
        bundle.app.volume = type(uint32).max;
        bundle.pool.volume = type(uint32).max;
    }

    /// @dev Salts as a wallet counts them: a random start, then one more each time.
    function _salt(uint8 number) private pure returns (bytes32) {
        return bytes32((uint256(keccak256("start")) & ~uint256(0xff)) | number);
    }

    function _of(Bundle memory bundle) private view returns (DealTerms memory terms) {
        terms = _terms(bundle, 0);
        terms.feeBps = 0;
    }

    function test_RegisterApp() public {
        address developer = vm.addr(DEVELOPER);
        vm.prank(developer);
        registry.registerApp(developer, keccak256("gas"), CODE, POLICY, "private-grep");
        vm.snapshotGasLastCall("Gas", "registerApp");
    }

    function test_MatchThenSettle() public {
        Bundle memory bundle = _small(_salt(11));
        _submit(bundle);
        vm.snapshotGasLastCall("Gas", "matchOrders");
        _settle(_of(bundle), _outcome(0, 0));
        vm.snapshotGasLastCall("Gas", "settle");
    }

    function test_Execute() public {
        Bundle memory bundle = _small(_salt(1));
        _execute(bundle);
        bundle = _small(_salt(2));
        _execute(bundle);
        vm.snapshotGasLastCall("Gas", "execute");
        bundle = _withDatasets(_small(_salt(3)));
        _execute(bundle);
        vm.snapshotGasLastCall("Gas", "executeTwoDatasets");
    }

    function _execute(Bundle memory bundle) private {
        Orders memory orders = _orders(bundle);
        Outcome memory outcome = _outcome(0, 0);
        Effects[] memory none = new Effects[](0);
        bytes32 dealId = keccak256(abi.encode(hasher.requestOrder(bundle.request), uint256(0)));
        (bytes32 r, bytes32 vs) = _compact(ENCLAVE, hasher.receipt(_receipt(dealId, outcome, none)));
        vm.prank(vm.addr(POOL_OWNER));
        market.execute(orders, outcome, r, vs, none);
    }

    function test_BatchOfTen() public {
        Bundle memory bundle = _small(_salt(12));
        bundle.request.volume = 10;
        _submit(bundle);
        vm.snapshotGasLastCall("Gas", "matchTen");
        _batch(_of(bundle), 10);
        vm.snapshotGasLastCall("Gas", "batchOfTen");
    }

    function test_BatchOfThousand() public {
        _fund(vm.addr(REQUESTER), 10_000_000);
        Bundle memory bundle = _small(_salt(13));
        bundle.request.volume = 1000;
        _submit(bundle);
        vm.snapshotGasLastCall("Gas", "matchThousand");
        _batch(_of(bundle), 1000);
        vm.snapshotGasLastCall("Gas", "batchOfThousand");
    }

    function _batch(DealTerms memory terms, uint32 count) private {
        Tally memory tally = Tally(count, 0, 0, 0);
        bytes32 root = keccak256("root");
        Batch memory batch = Batch(Work(appId, CODE, POLICY, INPUT), _dealId(terms), 0, tally, root);
        (bytes32 r, bytes32 vs) = _compact(ENCLAVE, hasher.batch(batch));
        vm.prank(vm.addr(POOL_OWNER));
        batches.settleBatch(terms, 0, tally, root, keccak256("cid"), 0x55, r, vs);
    }

    function test_DepositAndMatch() public {
        address requester = vm.addr(REQUESTER);
        token.mint(requester, 10_000);
        vm.prank(requester);
        token.approve(address(market), type(uint256).max);
        Bundle memory bundle = _small(_salt(14));
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(market.deposit, (5000));
        calls[1] = abi.encodeCall(market.matchOrders, (_orders(bundle)));
        vm.prank(requester);
        market.multicall(calls);
        vm.snapshotGasLastCall("Gas", "depositAndMatch");
    }

    function test_Claim() public {
        DealTerms memory terms = _agreed();
        vm.warp(block.timestamp + 1 days);
        market.claim(terms, 1, 1);
        vm.snapshotGasLastCall("Gas", "claim");
    }

    function test_RegisterEnclave() public {
        vm.prank(GOVERNOR);
        attestations.setMembers(_members(), 1);
        Grant memory statement = _grantOf(address(0xE6));
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = _sign(memberKeys[0], hasher.grant(statement));
        attestations.register(statement, signatures);
        vm.snapshotGasLastCall("Gas", "registerEnclaveOneMember");
        statement = _grantOf(address(0xE7));
        statement.hardwareId = keccak256("another platform");
        signatures[0] = _sign(memberKeys[0], hasher.grant(statement));
        attestations.register(statement, signatures);
        vm.snapshotGasLastCall("Gas", "registerEnclaveNewPlatform");
    }
}
